//! Why an attempt failed, as data: the same enum from the socket to the report.
//!
//! Not here: what to do about it. `retry` decides whether to try again and `report` words it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The bounded list of causes; its names are the `reason` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A request, or the run, ran out of time.
    Timeout,
    /// A host name could not be resolved.
    Dns,
    /// No connection, or the peer closed it early.
    Connect,
    /// The peer's certificate or the TLS handshake was refused.
    Tls,
    /// The credential is wrong or of the wrong kind.
    Auth,
    /// The service asked for fewer requests, or the config allows no more.
    RateLimited,
    /// An HTTP status that is no success.
    HttpStatus,
    /// The answer came, but holds no balance that can be trusted.
    Decode,
    /// The peer broke the protocol: no HTTP, or a body over the cap.
    Protocol,
    /// The service answered with an error of its own inside a successful status.
    Api,
    /// The entry itself cannot be used: an unset variable, a missing secret file.
    Config,
    /// The host failed so often that it is left alone for a while: it was not asked.
    CircuitOpen,
    /// A signal ended the run before it was through.
    Cancelled,
    /// A defect of this program, caught.
    Internal,
}

impl Reason {
    /// Every cause.
    pub const ALL: [Reason; 14] = [
        Reason::Timeout,
        Reason::Dns,
        Reason::Connect,
        Reason::Tls,
        Reason::Auth,
        Reason::RateLimited,
        Reason::HttpStatus,
        Reason::Decode,
        Reason::Protocol,
        Reason::Api,
        Reason::Config,
        Reason::CircuitOpen,
        Reason::Cancelled,
        Reason::Internal,
    ];

    /// The cause of a name.
    pub fn of(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The name used in reports, the same as its JSON form.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Timeout => "timeout",
            Reason::Dns => "dns",
            Reason::Connect => "connect",
            Reason::Tls => "tls",
            Reason::Auth => "auth",
            Reason::RateLimited => "rate_limited",
            Reason::HttpStatus => "http_status",
            Reason::Decode => "decode",
            Reason::Protocol => "protocol",
            Reason::Api => "api",
            Reason::Config => "config",
            Reason::CircuitOpen => "circuit_open",
            Reason::Cancelled => "cancelled",
            Reason::Internal => "internal",
        }
    }
}

/// Whether a further attempt could help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer is definitive.
    Never,
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
    /// What happened, in a sentence without a full stop; free of secrets once it is in a report.
    pub message: String,
    /// What the user can do, where a rule knows it.
    pub hint: Option<String>,
    /// Whether another attempt could help.
    pub retry: Retry,
    /// The failure that this one follows from, where nobody was asked: people are told this one instead.
    pub cause: Option<Box<Failure>>,
}

impl Failure {
    /// A definitive failure.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Failure { reason, message: message.into(), hint: None, retry: Retry::Never, cause: None }
    }

    /// A failure that may pass.
    pub fn transient(reason: Reason, message: impl Into<String>) -> Self {
        Failure { retry: Retry::Soon, ..Failure::new(reason, message) }
    }

    /// The failure that an HTTP status stands for: 429 and 5xx may pass.
    pub fn of_status(status: u16, message: impl Into<String>) -> Self {
        match status {
            401 | 403 => Failure::new(Reason::Auth, message),
            429 => Failure::transient(Reason::RateLimited, message),
            500..=599 => Failure::transient(Reason::HttpStatus, message),
            _ => Failure::new(Reason::HttpStatus, message),
        }
    }

    /// The same failure, heeding what the peer asks to wait; a definitive one stays definitive.
    pub fn heeding(mut self, asked: Option<Duration>) -> Self {
        if let (Retry::Soon, Some(wait)) = (self.retry, asked) {
            self.retry = Retry::After(wait);
        }
        self
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
    pub fn because_of(mut self, cause: Failure) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// What went wrong in the first place.
    pub fn root(&self) -> &Failure {
        self.cause.as_deref().map_or(self, Failure::root)
    }

    /// The failure in one line, advice included.
    pub fn describe(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{} ({hint})", self.message),
            None => self.message.clone(),
        }
    }
}
