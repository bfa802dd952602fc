//! The socket under an IMAP session: time-outs, a deadline, a byte budget and a look at every byte, which the protocol's crate
//! does not have.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use native_tls::{TlsConnector, TlsStream};

use super::answer::Answers;
use crate::model::failure::{Failure, Reason};
use crate::wire::http::timed_out;

/// Most of one mail that is fetched, in bytes.
pub(crate) const MOST_OF_MAIL: u64 = 256 * 1024;

/// What one command may be answered with, in bytes.
pub(super) const ANSWER: u64 = 1 << 20;
/// What is read from the socket at once.
const CHUNK: usize = 8 * 1024;

/// Limits that are set before each command, and what the server has said since.
#[derive(Clone)]
pub(super) struct Limits {
    state: Arc<Mutex<State>>,
    /// Longest wait for the next byte.
    timeout: Duration,
    /// When the visit began, and when it must be over.
    since: Instant,
    deadline: Instant,
}

struct State {
    left: u64,
    answers: Answers,
    /// When the command was sent, when it must be answered, and when the server was heard last.
    begun: Instant,
    until: Instant,
    heard: Instant,
}

impl Limits {
    pub(super) fn new(timeout: Duration, deadline: Instant) -> Limits {
        let since = Instant::now();
        let answers = Answers::new(MOST_OF_MAIL as usize);
        let state = State { left: ANSWER, answers, begun: since, until: deadline, heard: since };
        Limits { state: Arc::new(Mutex::new(state)), timeout, since, deadline }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows so many bytes for the next answer.
    pub(super) fn allow(&self, bytes: u64) {
        self.allow_part(bytes, 1);
    }

    /// Allows so many bytes for the next answer, and for it this part of the time that is left: a half, a third.
    pub(super) fn allow_part(&self, bytes: u64, part: u32) {
        let now = Instant::now();
        let mut state = self.lock();
        state.left = bytes;
        state.answers.begin();
        (state.begun, state.heard) = (now, now);
        state.until = now + self.deadline.saturating_duration_since(now) / part.max(1);
    }

    /// Another connection begins: what was said on an earlier one counts no more.
    fn begin(&self) {
        self.lock().answers = Answers::new(MOST_OF_MAIL as usize);
        self.allow(ANSWER);
    }

    /// What the server has said first.
    pub(super) fn greeting(&self) -> String {
        super::mail::decode_bytes(self.lock().answers.greeting(), None)
    }

    /// The last line that was read: what the server said, decoded as mails are.
    pub(super) fn last_line(&self) -> String {
        super::mail::decode_bytes(self.lock().answers.words(), None)
    }

    /// The answer to the last command, decoded likewise.
    pub(super) fn last_tagged(&self) -> String {
        super::mail::decode_bytes(self.lock().answers.tagged(), None)
    }

    /// What a string stands for that the protocol's crate has read.
    pub(super) fn contents(&self, string: &[u8]) -> Vec<u8> {
        self.lock().answers.contents(string)
    }

    /// The time for the next step on the socket.
    fn step(&self) -> io::Result<Duration> {
        let left = self.lock().until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left.min(self.timeout))
    }

    fn count(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let left = state.left.checked_sub(bytes.len() as u64);
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "the server's answer is larger than allowed");
        state.left = left.ok_or_else(too_large)?;
        state.answers.feed(bytes)
    }

    /// The server was too slow: it was silent for too long, or it was heard all the time and did not come to an end.
    pub(super) fn late(&self) -> Failure {
        let state = self.lock();
        if state.heard.elapsed() >= self.timeout {
            return timed_out(self.timeout);
        }
        let begun = if state.until < self.deadline { state.begun } else { self.since };
        let tenths = begun.elapsed().as_secs_f64() * 10.0;
        timed_out(Duration::from_millis(tenths.round() as u64 * 100))
    }
}

/// The socket. Each step on it is timed, those of a TLS handshake too, and those that make up one record.
#[derive(Debug)]
struct Wire {
    socket: TcpStream,
    limits: Limits,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Wire {
    /// Sets the time for the next step. What takes too long is called "would block", as the system does, which TLS understands.
    fn arm(&self) -> io::Result<()> {
        let step = self.limits.step().map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        self.socket.set_read_timeout(Some(step))?;
        self.socket.set_write_timeout(Some(step))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let count = self.socket.read(buffer)?;
        self.limits.lock().heard = Instant::now();
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// A connection in the clear, on which single lines can be read before TLS begins.
pub(super) struct Clear {
    wire: Wire,
}

impl Clear {
    /// Connects to the first address that answers.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) fn connect(addresses: &[SocketAddr], limits: Limits) -> Result<Clear, Failure> {
        limits.begin();
        let mut failure = Failure::transient(Reason::Dns, "the host name could not be resolved");
        for address in addresses {
            let step = limits.step().map_err(|_| limits.late())?;
            match TcpStream::connect_timeout(address, step) {
                Ok(socket) => {
                    // Only small commands are written.
                    let _ = socket.set_nodelay(true);
                    return Ok(Clear { wire: Wire { socket, limits } });
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

    /// Goes on in the clear.
    pub(super) fn stay(self) -> Stream {
        let limits = self.wire.limits.clone();
        Stream { link: Link::Clear(self.wire), limits }
    }

    /// Goes on under TLS.
    ///
    /// # Errors
    /// Why the peer is not trusted, or does not speak it.
    pub(super) fn secure(self, host: &str, connector: &TlsConnector) -> Result<Stream, Failure> {
        let limits = self.wire.limits.clone();
        // What was said in the clear has nothing to do with what follows.
        limits.lock().answers = Answers::new(MOST_OF_MAIL as usize);
        match connector.connect(host, self.wire) {
            Ok(tls) => Ok(Stream { link: Link::Tls(Box::new(tls)), limits }),
            Err(native_tls::HandshakeError::WouldBlock(_)) => Err(limits.late()),
            Err(native_tls::HandshakeError::Failure(error)) => Err(crate::wire::http::tls_failure(&error)),
        }
    }

    /// One line, read byte by byte so that nothing after it is taken: what follows may be meant for TLS.
    ///
    /// # Errors
    /// As of any read; also if the line is longer than a line may be.
    pub(super) fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < 8192 {
            if self.wire.read(&mut byte).map_err(late)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.wire.limits.count(&byte)?;
            if byte[0] == b'\n' {
                return Ok(super::mail::decode_bytes(&line, None).trim_end().to_owned());
            }
            line.push(byte[0]);
        }
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "the server sends a line without an end"))
    }

    /// Sends a command.
    ///
    /// # Errors
    /// As of any write.
    pub(super) fn say(&mut self, command: &[u8]) -> io::Result<()> {
        self.wire.write_all(command).map_err(late)
    }
}

/// A connection, plain or not, as the protocol's crate may read it.
pub(super) struct Stream {
    link: Link,
    limits: Limits,
}

enum Link {
    Clear(Wire),
    Tls(Box<TlsStream<Wire>>),
}

fn late(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut chunk = [0; CHUNK];
        loop {
            let count = self.limits.lock().answers.take(buffer);
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let count = match &mut self.link {
                Link::Clear(wire) => wire.read(&mut chunk),
                Link::Tls(tls) => tls.read(&mut chunk),
            };
            match count.map_err(late)? {
                0 => return Ok(0),
                count => self.limits.count(&chunk[..count])?,
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.link {
            Link::Clear(wire) => wire.write(bytes),
            Link::Tls(tls) => tls.write(bytes),
        }
        .map_err(late)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.link {
            Link::Clear(wire) => wire.flush(),
            Link::Tls(tls) => tls.flush(),
        }
        .map_err(late)
    }
}
