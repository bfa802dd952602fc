//! The sending client: how `ureq` connects, by itself or through a proxy, and what it says when it cannot.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};
use url::Url;

use super::USER_AGENT;
use super::failure::{TOO_MANY_BYTES, describe_chain, late, not_found, tls_failure, transport_failure};
use super::proxy::{Proxies, Proxy};
use super::trust::TrustStore;
use crate::model::failure::{Failure, Reason};
use crate::process::limits;
use crate::wire::lookup;

/// Longest head of a proxy's answer.
const MOST_OF_HEAD: usize = 8192;
/// Most bytes of an answer as they travel, with its head, the sizes of its chunks and its trailers: twice the largest body.
const MOST_OF_ANSWER: usize = 2 * 1024 * 1024;

/// A client that never follows a redirect and takes every status for an answer.
pub(super) fn agent(proxies: Arc<Proxies>, trust: TrustStore) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        // Its own reading of the variables is another one than that of the reading client.
        .proxy(None)
        .build();
    let connector = ().chain(ToPeer(TcpConnector::default())).chain(Through(Arc::clone(&proxies)));
    ureq::Agent::with_parts(config, connector.chain(SharedTls(trust)).chain(Bounded), Names(proxies))
}

/// Whether what came back does not even begin as an answer of HTTP, as from a port that speaks TLS.
pub(super) fn is_no_http(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Protocol(_)) && describe_chain(error).contains("invalid HTTP version")
}

/// What `ureq` calls an error.
pub(super) fn failure(error: &ureq::Error, timeout: Duration, url: &Url, proxy: Option<&Proxy>) -> Failure {
    let failure = match error {
        ureq::Error::Timeout(_) => return late(timeout, proxy),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => return late(timeout, proxy),
        ureq::Error::HostNotFound => not_found(),
        ureq::Error::Io(error) if limits::is_short_of_files(error) => return limits::out_of_files(),
        ureq::Error::Io(error) => {
            let fault = error.get_ref().and_then(|inner| inner.downcast_ref::<Fault>());
            match (fault, proxy) {
                (Some(Fault::Refused(status)), Some(proxy)) => return proxy.refusal(*status),
                (Some(Fault::NoConnection(error)), _) if limits::is_short_of_files(error) => {
                    return limits::out_of_files();
                }
                _ => {}
            }
            transport_failure(&describe_chain(error), Some(error.kind()))
        }
        ureq::Error::NativeTls(error) => tls_failure(error),
        ureq::Error::ConnectionFailed => Failure::transient(Reason::Connect, "no connection"),
        other => transport_failure(&describe_chain(other), None),
    };
    // Names are looked up, and connections opened, for the proxy alone.
    let is_before_peer = match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Io(error) => error.get_ref().is_some_and(|inner| inner.is::<Fault>()),
        _ => false,
    };
    match proxy {
        Some(proxy) if is_before_peer => proxy.failure(failure),
        _ => failure.about_scheme(url),
    }
}

/// What went wrong before the peer was spoken to.
#[derive(Debug)]
enum Fault {
    /// There is no connection.
    NoConnection(io::Error),
    /// The proxy does not let it through.
    Refused(Option<u16>),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoConnection(error) => error.fmt(f),
            Fault::Refused(_) => f.write_str("the proxy refuses"),
        }
    }
}

impl std::error::Error for Fault {}

/// The error of a look-up or of a connection, marked as such.
fn no_connection(error: ureq::Error) -> ureq::Error {
    match error {
        ureq::Error::Io(error) if error.kind() != io::ErrorKind::TimedOut => {
            ureq::Error::Io(io::Error::new(error.kind(), Fault::NoConnection(error)))
        }
        error => error,
    }
}

/// Looks up the proxy instead of the host that is asked through it.
struct Names(Arc<Proxies>);

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        match proxy_of(&self.0, uri) {
            Some(proxy) => {
                let uri: Uri = format!("http://{}/", proxy.name()).parse().map_err(|_| ureq::Error::HostNotFound)?;
                lookup::ForSending.resolve(&uri, config, timeout).map_err(no_connection)
            }
            None => lookup::ForSending.resolve(uri, config, timeout),
        }
    }
}

fn proxy_of<'p>(proxies: &'p Proxies, uri: &Uri) -> Option<&'p Proxy> {
    proxies.of(&Url::parse(&uri.to_string()).ok()?).ok().flatten()
}

/// Opens the socket, and says so if that fails.
#[derive(Debug)]
struct ToPeer(TcpConnector);

impl<In: Transport> Connector<In> for ToPeer {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        self.0.connect(details, chained).map_err(no_connection)
    }
}

/// Goes on through the proxy that the socket leads to: a tunnel for TLS, the full address in the request for plain HTTP.
struct Through(Arc<Proxies>);

impl fmt::Debug for Through {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Through")
    }
}

impl<In: Transport> Connector<In> for Through {
    type Out = Either<In, Box<dyn Transport>>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let Some(proxy) = proxy_of(&self.0, details.uri) else {
            return Ok(Some(Either::A(transport)));
        };
        let mut adapter = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        adapter.set_timeout(details.timeout);
        if details.needs_tls() {
            tunnel(&mut adapter, details.uri, proxy)?;
            return Ok(Some(Either::B(adapter.into_inner())));
        }
        let config = &details.config;
        let through = FullAddress {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            adapter,
            origin: format!("http://{}", details.uri.authority().map_or("", |authority| authority.as_str())),
            login: proxy.login().map(str::to_owned),
            is_begun: false,
        };
        Ok(Some(Either::B(Box::new(through))))
    }
}

/// Asks the proxy for a tunnel (RFC 9110 section 9.3.6).
fn tunnel(stream: &mut TransportAdapter, uri: &Uri, proxy: &Proxy) -> Result<(), ureq::Error> {
    let refused = |status| ureq::Error::Io(io::Error::other(Fault::Refused(status)));
    let host = uri.host().unwrap_or_default();
    let to = format!("{host}:{}", uri.port_u16().unwrap_or(443));
    let login = proxy.login().map(|login| format!("Proxy-Authorization: {login}\r\n")).unwrap_or_default();
    write!(stream, "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {USER_AGENT}\r\n{login}\r\n")?;
    // What follows the head is the peer's.
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if head.len() >= MOST_OF_HEAD || stream.read(&mut byte)? == 0 {
            return Err(refused(None));
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.strip_prefix("HTTP/").and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
    match status {
        Some(200..=299) => Ok(()),
        status => Err(refused(status)),
    }
}

/// A request whose address is the full one, with the login of the proxy. It is the only one on its connection.
struct FullAddress {
    buffers: LazyBuffers,
    adapter: TransportAdapter,
    origin: String,
    login: Option<String>,
    is_begun: bool,
}

impl fmt::Debug for FullAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullAddress")
    }
}

impl Transport for FullAddress {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.adapter.set_timeout(timeout);
        let mut output = &self.buffers.output()[..amount];
        if !std::mem::replace(&mut self.is_begun, true) {
            let path = output.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
            let line = output.iter().position(|byte| *byte == b'\n').map_or(output.len(), |at| at + 1);
            let (method, address) = output[..line].split_at(path);
            self.adapter.write_all(&[method, self.origin.as_bytes(), address].concat())?;
            if let Some(login) = &self.login {
                write!(self.adapter, "Proxy-Authorization: {login}\r\n")?;
            }
            output = &output[line..];
        }
        self.adapter.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.adapter.set_timeout(timeout);
        let amount = self.adapter.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

/// Wraps a `ureq` connection in TLS from the run's one trust store.
struct SharedTls(TrustStore);

impl fmt::Debug for SharedTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
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

/// Bounds the bytes of each answer, whatever they are: `ureq` bounds heads, but reads trailers as long as they come.
#[derive(Debug)]
struct Bounded;

impl<In: Transport> Connector<In> for Bounded {
    type Out = Counted<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        Ok(chained.map(|inner| Counted { inner, answered: 0 }))
    }
}

/// A connection that counts what comes after a request.
#[derive(Debug)]
struct Counted<In> {
    inner: In,
    /// Bytes of the answer so far.
    answered: usize,
}

impl<In: Transport> Transport for Counted<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.answered = 0;
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let before = self.inner.buffers().input().len();
        let has_progressed = self.inner.await_input(timeout)?;
        self.answered += self.inner.buffers().input().len().saturating_sub(before);
        if self.answered > MOST_OF_ANSWER {
            return Err(ureq::Error::Io(io::Error::new(io::ErrorKind::InvalidData, TOO_MANY_BYTES)));
        }
        Ok(has_progressed)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
