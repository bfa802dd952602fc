//! The two HTTP clients, and what both share: the body cap, the trust store, the wording of what went wrong.
//!
//! `reqwest` reads providers; `ureq` sends alerts, so that a wedged read pool can never hold one back. One attempt
//! each, no loop: `retry` owns that.

use std::error::Error as _;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use secrecy::ExposeSecret;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector,
    Transport, TransportAdapter,
};
use url::Url;

use crate::auth::Pair;
use crate::failure::{Failure, Reason};

/// Largest body that is read, in bytes.
const LARGEST_BODY: u64 = 1024 * 1024;
/// Redirects followed within one origin.
const MOST_REDIRECTS: usize = 5;
const USER_AGENT: &str = concat!("balance-alert/", env!("CARGO_PKG_VERSION"));

/// A request to a provider.
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// The full address.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the server asks to wait.
    pub retry_after: Option<Duration>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

/// One TLS connector for reading and sending, built when the first client is: OpenSSL takes tens of milliseconds to read
/// the trust store, which `native-tls` makes it do for every connector, and `reqwest` wants one even for plain HTTP.
#[derive(Clone, Default)]
struct TrustStore(Arc<OnceLock<Result<native_tls::TlsConnector, String>>>);

impl TrustStore {
    fn connector(&self) -> Result<native_tls::TlsConnector, String> {
        let built = self.0.get_or_init(|| native_tls::TlsConnector::new().map_err(|error| error.to_string()));
        built.clone()
    }
}

/// A message to a service.
pub struct Outgoing<'a> {
    /// `POST` or `PUT`.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// What `body` is.
    pub content_type: &'static str,
    /// The headers that prove who sends it, and that it is unchanged.
    pub proof: Vec<Pair>,
    /// What.
    pub body: &'a str,
}

/// Both clients of a run. Nothing is opened until it is used.
#[derive(Default)]
pub struct Clients {
    trust: TrustStore,
    reader: OnceLock<Result<ManuallyDrop<Client>, String>>,
    sender: OnceLock<ureq::Agent>,
}

impl Clients {
    /// The reading client. Never dropped: its thread would wait for name look-ups that hang, and hold the exit back.
    fn reader(&self) -> Result<&Client, Failure> {
        let built = self.reader.get_or_init(|| {
            let connector = self.trust.connector()?;
            Client::builder()
                .user_agent(USER_AGENT)
                .use_preconfigured_tls(connector)
                .redirect(reqwest::redirect::Policy::custom(same_origin))
                .referer(false)
                .timeout(None)
                .build()
                .map(ManuallyDrop::new)
                .map_err(|error| describe_chain(&error))
        });
        match built {
            Ok(client) => Ok(client),
            Err(why) => Err(Failure::new(Reason::Internal, format!("the HTTP client could not start: {why}"))),
        }
    }

    /// The run's one TLS connector, for what speaks no HTTP.
    ///
    /// # Errors
    /// Why the trust store cannot be used.
    pub fn tls(&self) -> Result<native_tls::TlsConnector, String> {
        self.trust.connector()
    }

    /// One attempt to read.
    ///
    /// # Errors
    /// What kept an answer from coming; an answer with any status is no error here.
    pub fn read(&self, request: &Request, timeout: Duration) -> Result<Response, Failure> {
        let start = Instant::now();
        let client = self.reader()?;
        let mut builder = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .timeout(timeout);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().map_err(|error| read_failure(error, timeout))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = read_body(&mut response, start, timeout)?;
        Ok(Response { status, retry_after, body })
    }

    /// One attempt to send.
    ///
    /// # Errors
    /// What kept an answer from coming; an answer with any status is no error here.
    pub fn send(&self, message: &Outgoing, timeout: Duration) -> Result<Response, Failure> {
        let start = Instant::now();
        let agent = self.sender.get_or_init(|| {
            let config = ureq::Agent::config_builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(USER_AGENT)
                .build();
            let connector = ().chain(ConnectProxyConnector::default()).chain(TcpConnector::default());
            let connector = connector.chain(SharedTls(self.trust.clone()));
            ureq::Agent::with_parts(config, connector, DefaultResolver::default())
        });
        let mut request = ureq::http::Request::builder()
            .method(message.method.as_str())
            .uri(message.url.as_str())
            .header("content-type", message.content_type);
        for (name, value) in &message.proof {
            request = request.header(name.as_str(), value.expose_secret());
        }
        // Methods, addresses and headers were checked when the config was read; the text of the error may hold them.
        let request = request
            .body(message.body)
            .map_err(|_| Failure::new(Reason::Config, "the request cannot be made of this address and login"))?;
        let request = agent.configure_request(request).timeout_global(Some(timeout)).build();
        let mut response = agent.run(request).map_err(|error| send_failure(&error, timeout))?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = read_body(&mut response.body_mut().as_reader(), start, timeout)?;
        Ok(Response { status, retry_after, body })
    }
}

/// Follows a redirect only to the same scheme, host and port: a credential must not travel elsewhere.
fn same_origin(attempt: reqwest::redirect::Attempt) -> reqwest::redirect::Action {
    let here = attempt.previous().last().map(Url::origin);
    if here.as_ref() == Some(&attempt.url().origin()) && attempt.previous().len() <= MOST_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// Reads at most the cap, and not longer than the whole request may take.
fn read_body(from: &mut impl Read, start: Instant, timeout: Duration) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    // Answers are small, and each worker's stack holds one of these for good.
    let mut chunk = [0; 4 * 1024];
    loop {
        if start.elapsed() >= timeout {
            return Err(timed_out(timeout));
        }
        match from.read(&mut chunk) {
            Ok(0) => return Ok(body),
            Ok(n) if body.len() as u64 + n as u64 > LARGEST_BODY => {
                return Err(Failure::new(Reason::Protocol, "the answer is larger than 1 MiB"));
            }
            Ok(n) => body.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let chain = describe_chain(&error);
                let is_timeout =
                    error.kind() == io::ErrorKind::TimedOut || chain.contains("timed out") || chain.contains("timeout");
                return Err(if is_timeout {
                    timed_out(timeout)
                } else {
                    Failure::transient(Reason::Connect, "the connection broke off inside the answer")
                });
            }
        }
    }
}

/// The failure of a request that took too long.
pub fn timed_out(timeout: Duration) -> Failure {
    Failure::transient(Reason::Timeout, format!("timed out after {} s", crate::text::seconds(timeout)))
}

/// What a peer asks to wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok().and_then(parse_retry_after)
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110 section 10.2.3). Fractions are accepted, as some services send them.
fn parse_retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let seconds: f64 = text.parse().ok()?;
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(std::time::SystemTime::now()).unwrap_or_default())
}

/// An error with its causes, in one text.
fn describe_chain(error: &dyn std::error::Error) -> String {
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

fn read_failure(error: reqwest::Error, timeout: Duration) -> Failure {
    // The address may hold the key.
    let error = error.without_url();
    if error.is_timeout() {
        return timed_out(timeout);
    }
    if error.is_builder() {
        return Failure::new(Reason::Config, format!("the request cannot be made: {}", describe_chain(&error)));
    }
    let mut cause = error.source();
    let mut io_kind = None;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            io_kind = Some(error.kind());
        }
        cause = current.source();
    }
    transport_failure(&describe_chain(&error), io_kind)
}

fn send_failure(error: &ureq::Error, timeout: Duration) -> Failure {
    match error {
        ureq::Error::Timeout(_) => timed_out(timeout),
        ureq::Error::HostNotFound => not_found(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => timed_out(timeout),
        ureq::Error::Io(error) => transport_failure(&describe_chain(error), Some(error.kind())),
        ureq::Error::NativeTls(error) => tls_failure(error),
        ureq::Error::ConnectionFailed => Failure::transient(Reason::Connect, "no connection"),
        other => transport_failure(&describe_chain(other), None),
    }
}

fn not_found() -> Failure {
    Failure::transient(Reason::Dns, "the host name could not be resolved")
}

/// Sorts what two libraries say of the same faults.
fn transport_failure(text: &str, kind: Option<io::ErrorKind>) -> Failure {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["dns error", "failed to lookup", "name or service not known", "name resolution", "no address associated"])
    {
        return not_found();
    }
    if has(&["certificate", "ssl routines", "tls", "ssl"]) && !has(&["unexpected eof"]) {
        let what = match () {
            () if has(&["has expired"]) => "its certificate has expired",
            () if has(&["hostname mismatch", "host name mismatch", "ip address mismatch"]) => {
                "its certificate is for another host"
            }
            () if has(&["self-signed", "self signed", "unable to get local issuer"]) => {
                "its certificate comes from an authority that is not trusted"
            }
            () => "the TLS handshake failed",
        };
        let mut failure = Failure::new(Reason::Tls, format!("no trusted connection: {what}"));
        if what.contains("authority") {
            failure.hint = Some("for a private authority set SSL_CERT_FILE".to_owned());
        }
        return failure;
    }
    let message = match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => "the connection was reset",
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed early",
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => "the host cannot be reached",
        _ if has(&[
            "connection closed",
            "disconnected",
            "incomplete",
            "unexpected eof",
            "before message completed",
        ]) =>
        {
            "the connection was closed early"
        }
        _ if has(&["refused"]) => "the connection was refused",
        _ if has(&["proxy", "tunnel"]) => "the proxy did not connect",
        _ if has(&["parse", "invalid", "http", "header"]) => {
            return Failure::new(Reason::Protocol, "the peer does not speak HTTP");
        }
        _ => "the connection failed",
    };
    Failure::transient(Reason::Connect, message)
}

/// The failure of a TLS handshake.
pub fn tls_failure(error: &native_tls::Error) -> Failure {
    transport_failure(&format!("certificate: {}", describe_chain(error)), None)
}

/// Wraps a `ureq` connection in TLS from the run's one trust store.
struct SharedTls(TrustStore);

impl std::fmt::Debug for SharedTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedTls")
    }
}

impl<In: Transport> Connector<In> for SharedTls {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let connector = self.0.connector().map_err(|why| ureq::Error::Io(io::Error::other(format!("tls: {why}"))))?;
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let mut adapter = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        adapter.set_timeout(details.timeout);
        let stream = connector.connect(host, adapter).map_err(|error| match error {
            native_tls::HandshakeError::Failure(error) => ureq::Error::NativeTls(error),
            native_tls::HandshakeError::WouldBlock(_) => {
                ureq::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the TLS handshake did not end"))
            }
        })?;
        let config = &details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

/// A TLS stream as `ureq` wants it.
struct TlsTransport {
    buffers: LazyBuffers,
    stream: native_tls::TlsStream<TransportAdapter>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        io::Write::write_all(&mut self.stream, &self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parse_retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let soon = std::time::SystemTime::now() + Duration::from_secs(3600);
        let parsed = parse_retry_after(&httpdate::fmt_http_date(soon)).unwrap();
        assert!(parsed > Duration::from_secs(3000) && parsed <= Duration::from_secs(3600));
        assert_eq!(parse_retry_after("99999999999999999999"), Some(Duration::MAX));
        for bad in ["", "-1", "soon", "NaN", "inf", "1e3", "1.2.3"] {
            assert_eq!(parse_retry_after(bad), None, "{bad}");
        }
    }

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
            ("tls: unexpected EOF during handshake", Some(io::ErrorKind::UnexpectedEof), Reason::Connect),
        ] {
            assert_eq!(transport_failure(text, kind).reason, want, "{text}");
        }
    }
}
