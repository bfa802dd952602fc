//! Why an attempt failed, as data: the same enum from the socket to the report.
//!
//! Not here: what to do about it. `retry` decides whether to try again and `report` words it.

use std::time::Duration;

use crate::model::words::words;

words! {
    /// The bounded list of causes; its names are the `reason` of the report.
    pub enum Reason {
        /// A request, or the run, ran out of time.
        Timeout = "timeout",
        /// A host name could not be resolved.
        Dns = "dns",
        /// No connection, or the peer closed it early.
        Connect = "connect",
        /// The peer's certificate or the TLS handshake was refused.
        Tls = "tls",
        /// The credential is wrong or of the wrong kind.
        Auth = "auth",
        /// The service asked for fewer requests, or the config allows no more.
        RateLimited = "rate_limited",
        /// An HTTP status that is no success.
        HttpStatus = "http_status",
        /// The answer came, but holds no balance that can be trusted.
        Decode = "decode",
        /// The peer broke the protocol: no HTTP, or a body over the cap.
        Protocol = "protocol",
        /// The service answered with an error of its own inside a successful status.
        Api = "api",
        /// The entry itself cannot be used: an unset variable, a missing secret file.
        Config = "config",
        /// The host failed so often that it is left alone for a while: it was not asked.
        CircuitOpen = "circuit_open",
        /// A signal ended the run before it was through.
        Cancelled = "cancelled",
        /// A defect of this program, caught.
        Internal = "internal",
    }
}

/// Whether a further attempt could help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer is definitive.
    Never,
    /// Not in this run, but in a later one.
    Later,
    /// Try again after the usual back-off.
    Soon,
    /// Try again, not before this long.
    After(Duration),
}

/// One failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class of the cause.
    pub reason: Reason,
    /// What happened, in a sentence of this program without a full stop.
    pub message: String,
    /// What the user can do, where a rule knows it.
    pub hint: Option<String>,
    /// Whether another attempt could help.
    pub retry: Retry,
    /// Who was asked and what it says, until [`Failure::settle`] has cleaned both and made them parts of the message.
    pub peer: Option<Box<Peer>>,
    /// The failure that this one follows from, where nobody was asked: people are told this one instead.
    pub cause: Option<Box<Failure>>,
}

/// The other side of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The host, with its port where that is not the usual one. Never a path or a query.
    pub host: String,
    /// Its own words. They are foreign, and may hold anything.
    pub said: String,
    /// What it advises, which is as foreign. It becomes the hint where this program has none of its own.
    pub advice: String,
    /// The host that it sends to, with its scheme where that differs. The peer chose it, so it may hold anything.
    pub leads_to: String,
}

/// Stands in a message for the host that a peer leads to, until [`Failure::settle`] has found that it may be named.
pub(crate) const ANOTHER_HOST: &str = "another host";

impl Failure {
    /// A definitive failure.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let message = message.into();
        Failure { reason, message, hint: None, retry: Retry::Never, peer: None, cause: None }
    }

    /// A failure that passes, but not within a run.
    pub fn lasting(reason: Reason, message: impl Into<String>) -> Self {
        Failure { retry: Retry::Later, ..Failure::new(reason, message) }
    }

    /// A failure that may pass.
    pub fn transient(reason: Reason, message: impl Into<String>) -> Self {
        Failure { retry: Retry::Soon, ..Failure::new(reason, message) }
    }

    /// The failure that an HTTP status stands for: 408, 425, 429 and 5xx may pass. 511 is a network that wants a login before
    /// it lets anybody through, which no repeat changes.
    pub fn of_status(status: u16, message: impl Into<String>) -> Self {
        match status {
            401 | 403 => Failure::new(Reason::Auth, message),
            429 => Failure::transient(Reason::RateLimited, message),
            511 => Failure::new(Reason::HttpStatus, message),
            408 | 425 | 500..=599 => Failure::transient(Reason::HttpStatus, message),
            _ => Failure::new(Reason::HttpStatus, message),
        }
    }

    /// The same failure, heeding what the peer asks to wait; a definitive one stays definitive.
    pub(crate) fn heeding(mut self, asked: Option<Duration>) -> Self {
        if let (Retry::Soon, Some(wait)) = (self.retry, asked) {
            self.retry = Retry::After(wait);
        }
        self
    }

    /// The same failure with the words of the peer.
    pub(crate) fn saying(mut self, words: impl Into<String>) -> Self {
        let words = words.into();
        if !words.trim().is_empty() {
            self.peer.get_or_insert_default().said = words;
        }
        self
    }

    /// The same failure with advice that the peer gives.
    pub(crate) fn advising(mut self, words: impl Into<String>) -> Self {
        let words = words.into();
        if !words.trim().is_empty() {
            self.peer.get_or_insert_default().advice = words;
        }
        self
    }

    /// The same failure, of whose message [`ANOTHER_HOST`] is this one.
    pub(crate) fn leading_to(mut self, host: impl Into<String>) -> Self {
        self.peer.get_or_insert_default().leads_to = host.into();
        self
    }

    /// The same failure, about this host, unless it is about one already.
    pub(crate) fn at(mut self, host: impl Into<String>) -> Self {
        let peer = self.peer.get_or_insert_default();
        if peer.host.is_empty() {
            peer.host = host.into();
        }
        self
    }

    /// The words of the peer.
    pub fn said(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| peer.said.as_str()).filter(|said| !said.is_empty())
    }

    /// The advice of the peer.
    pub fn advice(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| peer.advice.as_str()).filter(|advice| !advice.is_empty())
    }

    /// The peer, which the failure has no longer then.
    pub(crate) fn take_peer(&mut self) -> Peer {
        self.peer.take().map(|peer| *peer).unwrap_or_default()
    }

    /// Whether nothing was learnt of what was asked, because the run was to end: neither good nor bad.
    pub fn is_cancelled(&self) -> bool {
        self.reason == Reason::Cancelled
    }

    /// The same failure with advice.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure as a consequence of another one.
    pub(crate) fn because_of(mut self, cause: Failure) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// What went wrong in the first place.
    pub fn root(&self) -> &Failure {
        self.cause.as_deref().map_or(self, Failure::root)
    }

    /// A message that is settled, without the host that it begins with: for those who name the host themselves.
    pub(crate) fn without_host<'m>(message: &'m str, host: &str) -> &'m str {
        message.strip_prefix(host).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message)
    }

    /// The failure in one line, advice included.
    pub fn describe(&self) -> String {
        let said = self.said().map(|said| format!(": {said}")).unwrap_or_default();
        let hint = self.hint.as_deref().or(self.advice()).map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}{said}{hint}", self.message)
    }
}
