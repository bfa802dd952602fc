//! The socket under an IMAP session: time-outs, a deadline and a byte budget that the protocol's crate does not have.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use native_tls::{TlsConnector, TlsStream};

use crate::failure::{Failure, Reason};
use crate::http::timed_out;

/// What one command may be answered with, in bytes.
pub(super) const ANSWER: u64 = 1 << 20;
/// The last of what was read that is kept, for the server's own words.
const TAIL: usize = 600;

/// Limits that are set before each command, and the last words of the server.
#[derive(Clone)]
pub(super) struct Limits {
    state: Arc<Mutex<State>>,
    /// Longest wait for the next byte.
    timeout: Duration,
    deadline: Instant,
}

struct State {
    left: u64,
    tail: Vec<u8>,
}

impl Limits {
    pub(super) fn new(timeout: Duration, deadline: Instant) -> Limits {
        Limits { state: Arc::new(Mutex::new(State { left: ANSWER, tail: Vec::new() })), timeout, deadline }
    }

    /// Allows so many bytes for the next answer.
    pub(super) fn allow(&self, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.left = bytes;
        state.tail.clear();
    }

    /// The last line that was read: what the server said, whatever its charset.
    pub(super) fn last_line(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&state.tail).into_owned();
        text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }

    /// The time for the next step on the socket.
    fn step(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left.min(self.timeout))
    }

    fn count(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tail.extend_from_slice(bytes);
        let too_much = state.tail.len().saturating_sub(TAIL);
        state.tail.drain(..too_much);
        match state.left.checked_sub(bytes.len() as u64) {
            Some(left) => {
                state.left = left;
                Ok(())
            }
            None => Err(io::Error::new(io::ErrorKind::FileTooLarge, "the answer is larger than allowed")),
        }
    }

    /// The longest wait, for messages.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// A connection, plain or not.
pub(super) struct Stream {
    socket: TcpStream,
    tls: Option<TlsStream<TcpStream>>,
    limits: Limits,
}

impl Stream {
    /// Connects to the first address that answers.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) fn connect(host: &str, port: u16, limits: Limits) -> Result<Stream, Failure> {
        let addresses = (host, port)
            .to_socket_addrs()
            .map_err(|_| Failure::transient(Reason::Dns, "the host name could not be resolved"))?;
        let mut failure = Failure::transient(Reason::Dns, "the host name could not be resolved");
        for address in addresses {
            let step = limits.step().map_err(|_| timed_out(limits.timeout()))?;
            match TcpStream::connect_timeout(&address, step) {
                Ok(socket) => {
                    // Only small commands are written.
                    let _ = socket.set_nodelay(true);
                    return Ok(Stream { socket, tls: None, limits });
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

    /// Goes on under TLS.
    ///
    /// # Errors
    /// Why the peer is not trusted, or does not speak it.
    pub(super) fn secure(mut self, host: &str, connector: &TlsConnector) -> Result<Stream, Failure> {
        self.arm().map_err(|_| timed_out(self.limits.timeout()))?;
        let socket = self.socket.try_clone().map_err(|_| Failure::transient(Reason::Connect, "no socket is left"))?;
        match connector.connect(host, socket) {
            Ok(tls) => {
                self.tls = Some(tls);
                Ok(self)
            }
            Err(native_tls::HandshakeError::WouldBlock(_)) => Err(timed_out(self.limits.timeout())),
            Err(native_tls::HandshakeError::Failure(error)) => Err(crate::http::tls_failure(&error)),
        }
    }

    /// Sets the time for the next step.
    fn arm(&self) -> io::Result<()> {
        let step = self.limits.step()?;
        self.socket.set_read_timeout(Some(step))?;
        self.socket.set_write_timeout(Some(step))
    }

    /// One line, read byte by byte so that nothing after it is taken: what follows may be meant for TLS.
    ///
    /// # Errors
    /// As of any read; also if the line is longer than a line may be.
    pub(super) fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 8192 {
            if self.read(&mut byte)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if byte[0] == b'\n' {
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            line.push(byte[0]);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let count = match &mut self.tls {
            Some(tls) => tls.read(buffer),
            None => self.socket.read(buffer),
        };
        // A socket's time-out is called "would block".
        let count = count.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
            _ => error,
        })?;
        self.limits.count(&buffer[..count])?;
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        match &mut self.tls {
            Some(tls) => tls.write(bytes),
            None => self.socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.flush(),
            None => self.socket.flush(),
        }
    }
}
