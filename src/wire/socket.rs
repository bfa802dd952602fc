//! A connection that speaks another protocol than HTTP: each step on it is timed, those of a TLS handshake too, and those that make
//! up one record.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use native_tls::HandshakeError;

use super::http::{not_found, timed_out, tls_failure};
use super::lookup;
use crate::model::failure::{Failure, Reason};

/// What makes a link secure.
pub(crate) type TlsConnector = native_tls::TlsConnector;
/// A link that is secure.
pub(crate) type TlsStream<P> = native_tls::TlsStream<Socket<P>>;

/// How long the steps on a socket may take.
pub(crate) trait Pace {
    /// The time for the next step; none if there is no time left.
    fn step(&self) -> Option<Duration>;

    /// The peer was heard.
    fn heard(&self) {}

    /// That the peer was too slow.
    fn late(&self) -> Failure;
}

/// A TCP connection.
#[derive(Debug)]
pub(crate) struct Socket<P> {
    socket: TcpStream,
    /// How long its steps may take.
    pub(crate) pace: P,
}

/// The addresses of a host.
///
/// # Errors
/// The name is not known, or nobody says so in time.
pub(crate) fn addresses(host: &str, port: u16, within: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let found = lookup::look_up(place, within).ok_or_else(|| timed_out(within))?.unwrap_or_default();
    if found.is_empty() { Err(not_found()) } else { Ok(found.into_iter().take(lookup::MOST_ADDRESSES).collect()) }
}

impl<P: Pace> Socket<P> {
    /// Connects to the first address that answers. One that does not leaves a part of the time to those after it.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(crate) fn connect(addresses: &[SocketAddr], pace: P) -> Result<Socket<P>, Failure> {
        let mut failure = not_found();
        for (at, address) in addresses.iter().enumerate() {
            let rest = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
            let step = pace.step().ok_or_else(|| pace.late())? / rest;
            match TcpStream::connect_timeout(address, step) {
                Ok(socket) => {
                    // Only small commands are written.
                    let _ = socket.set_nodelay(true);
                    return Ok(Socket { socket, pace });
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => failure = timed_out(step),
                Err(error) => {
                    let what = if error.kind() == io::ErrorKind::ConnectionRefused {
                        "the connection was refused"
                    } else {
                        "the host cannot be reached"
                    };
                    failure = Failure::transient(Reason::Connect, what);
                }
            }
        }
        Err(failure)
    }

    /// The address of this end.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Goes on under TLS.
    ///
    /// # Errors
    /// Why the peer is not trusted, or does not speak it.
    pub(crate) fn secure(self, host: &str, connector: &TlsConnector) -> Result<TlsStream<P>, Failure>
    where
        P: std::fmt::Debug + Clone + 'static,
    {
        let pace = self.pace.clone();
        connector.connect(host, self).map_err(|error| match error {
            HandshakeError::WouldBlock(_) => pace.late(),
            HandshakeError::Failure(error) => tls_failure(&error),
        })
    }

    /// Sets the time for the next step. What takes too long is called "would block", as the system does, which TLS understands.
    fn arm(&self) -> io::Result<()> {
        let step = self.pace.step().ok_or(io::ErrorKind::WouldBlock)?;
        self.socket.set_read_timeout(Some(step))?;
        self.socket.set_write_timeout(Some(step))
    }
}

impl<P: Pace> Read for Socket<P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let count = self.socket.read(buffer)?;
        self.pace.heard();
        Ok(count)
    }
}

impl<P: Pace> Write for Socket<P> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
