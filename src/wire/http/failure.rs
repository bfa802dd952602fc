//! The wording of what kept an answer from coming, the same for both clients.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use url::Url;

use super::proxy::Proxy;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process::limits;

/// The hint for an authority that nobody knows.
const PRIVATE_AUTHORITY: &str = "for a private authority set SSL_CERT_FILE";

/// The peer has hung up without a word.
const CLOSED: &str = "the connection was closed early";

/// Said by the connection of an answer that does not end.
pub(super) const TOO_MANY_BYTES: &str = "the answer takes more than 2 MiB to send";

/// The peer speaks something else.
const NO_HTTP: &str = "the peer does not speak HTTP";

/// The failure of a request that took too long.
pub(crate) fn timed_out(timeout: Duration) -> Failure {
    Failure::transient(Reason::Timeout, format!("timed out after {} s", text::seconds(timeout)))
}

/// The failure of a request that took too long, through a proxy or not.
pub(super) fn late(timeout: Duration, proxy: Option<&Proxy>) -> Failure {
    let mut failure = timed_out(timeout);
    if let Some(proxy) = proxy {
        failure.message = format!("{}, through the proxy {}", failure.message, proxy.name());
    }
    failure
}

/// The failure of a name that nobody knows.
pub(crate) fn not_found() -> Failure {
    Failure::transient(Reason::Dns, "the host name could not be resolved")
}

pub(super) fn read_failure(error: reqwest::Error, timeout: Duration, url: &Url, proxy: Option<&Proxy>) -> Failure {
    // The address may hold the key.
    let error = error.without_url();
    if error.is_timeout() {
        return late(timeout, proxy);
    }
    if error.is_builder() {
        return Failure::new(Reason::Config, format!("the request cannot be made: {}", describe_chain(&error)));
    }
    let mut cause = error.source();
    let mut io_kind = None;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            if limits::is_short_of_files(error) {
                return limits::out_of_files();
            }
            io_kind = Some(error.kind());
        }
        cause = current.source();
    }
    let chain = describe_chain(&error);
    let failure = transport_failure(&chain, io_kind);
    match proxy {
        // A failed tunnel, or for plain HTTP the connection itself: nobody but the proxy was asked yet.
        Some(proxy) if chain.contains("tunnel error") || (error.is_connect() && url.scheme() == "http") => {
            if chain.contains("proxy authorization required") {
                proxy.refusal(Some(407))
            } else if chain.contains("unsuccessful") {
                proxy.refusal(None)
            } else {
                proxy.failure(failure)
            }
        }
        _ => failure.about_scheme(url),
    }
}

impl Failure {
    /// With a word on TLS, where plain HTTP was spoken to a port that is mostly used with it, or to a peer that speaks
    /// something else.
    pub(super) fn about_scheme(self, url: &Url) -> Failure {
        let is_likely = match self.reason {
            Reason::Protocol => self.message == NO_HTTP,
            Reason::Connect => self.message == CLOSED && url.port().is_some_and(|port| port % 1000 == 443),
            _ => false,
        };
        if url.scheme() == "http" && is_likely {
            self.with_hint("if the port speaks TLS, write `https://`")
        } else {
            self
        }
    }
}

/// Sorts what two libraries say of the same faults.
pub(super) fn transport_failure(text: &str, kind: Option<io::ErrorKind>) -> Failure {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["dns error", "failed to lookup", "name or service not known", "name resolution", "no address associated"])
    {
        return not_found();
    }
    if has(&["certificate", "ssl routines", "tls", "ssl"]) && !has(&["unexpected eof"]) {
        if has(&["wrong version number", "packet length too long", "record layer failure", "http request"]) {
            return Failure::new(Reason::Tls, "the port does not speak TLS");
        }
        let what = match () {
            () if has(&["has expired"]) => "its certificate has expired",
            () if has(&["not yet valid"]) => "its certificate is not valid yet",
            () if has(&["hostname mismatch", "host name mismatch", "ip address mismatch"]) => {
                "its certificate is for another host"
            }
            () if has(&["self-signed", "self signed", "unable to get local issuer"]) => {
                "its certificate comes from an authority that is not trusted"
            }
            () => "the TLS handshake failed",
        };
        let failure = Failure::new(Reason::Tls, format!("no trusted connection: {what}"));
        return match () {
            () if what.contains("authority") => failure.with_hint(PRIVATE_AUTHORITY),
            () if what.contains("not valid yet") => failure.with_hint("check this machine's clock"),
            () => failure,
        };
    }
    if text.contains(TOO_MANY_BYTES) {
        return Failure::new(Reason::Protocol, TOO_MANY_BYTES);
    }
    if has(&["head is too large", "header is too big", "too many headers"]) {
        return Failure::new(Reason::Protocol, "the head of the answer is too large");
    }
    let message = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "the connection was reset",
        Some(io::ErrorKind::UnexpectedEof) => CLOSED,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "the host cannot be reached",
        _ if has(&[
            "connection closed",
            "disconnected",
            "incomplete",
            "unexpected eof",
            "before message completed",
        ]) =>
        {
            CLOSED
        }
        _ if has(&["refused"]) => "the connection was refused",
        _ if has(&["proxy", "tunnel"]) => "the proxy did not connect",
        _ if has(&["invalid http version"]) => {
            return Failure::new(Reason::Protocol, NO_HTTP);
        }
        _ if has(&["parse", "invalid", "http", "header"]) => {
            return Failure::new(Reason::Protocol, "the head of the answer breaks the rules of HTTP");
        }
        _ => "the connection failed",
    };
    Failure::transient(Reason::Connect, message)
}

/// The failure of a TLS handshake.
pub(crate) fn tls_failure(error: &native_tls::Error) -> Failure {
    transport_failure(&format!("certificate: {}", describe_chain(error)), None)
}

/// An error with its causes, in one text.
pub(super) fn describe_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_sorted_whichever_library_words_them() {
        for (text, kind, want) in [
            (
                "error sending request: client error (Connect): dns error: failed to lookup address information",
                None,
                Reason::Dns,
            ),
            (
                "client error (Connect): tcp connect error: Connection refused",
                Some(io::ErrorKind::ConnectionRefused),
                Reason::Connect,
            ),
            (
                "certificate: error:0A000086:SSL routines:certificate verify failed: certificate has expired",
                None,
                Reason::Tls,
            ),
            ("client error (SendRequest): invalid HTTP version parsed", None, Reason::Protocol),
            ("client error (SendRequest): connection closed before message completed", None, Reason::Connect),
            ("client error (SendRequest): message head is too large", None, Reason::Protocol),
            ("response header is too big: 65537 > 65536", None, Reason::Protocol),
            ("protocol: http parse fail: invalid token", None, Reason::Protocol),
            ("tls: unexpected EOF during handshake", Some(io::ErrorKind::UnexpectedEof), Reason::Connect),
            ("certificate: error:0A00010B:SSL routines:ssl3_get_record:wrong version number", None, Reason::Tls),
        ] {
            assert_eq!(transport_failure(text, kind).reason, want, "{text}");
        }
    }
}
