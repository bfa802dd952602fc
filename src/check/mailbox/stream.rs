//! The socket under an IMAP session: time-outs, a deadline, a byte budget and a look at every byte, which the protocol's crate
//! does not have.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use native_tls::{TlsConnector, TlsStream};

use super::answer::Answers;
use super::mail::MOST_OF_MAIL;
use crate::model::failure::Failure;
use crate::wire::http::timed_out;
use crate::wire::socket::{Pace, Socket};

/// What one command may be answered with, in bytes.
pub(super) const ANSWER: u64 = 1 << 20;
/// What is read from the socket at once.
const CHUNK: usize = 8 * 1024;

/// Limits that are set before each command, and what the server has said since.
#[derive(Clone)]
pub(super) struct Limits {
    state: Arc<Mutex<Remaining>>,
    /// Longest wait for the next byte.
    timeout: Duration,
    /// When the visit began, and when it must be over.
    since: Instant,
    deadline: Instant,
}

struct Remaining {
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
        let state = Remaining { left: ANSWER, answers, begun: since, until: deadline, heard: since };
        Limits { state: Arc::new(Mutex::new(state)), timeout, since, deadline }
    }

    fn lock(&self) -> MutexGuard<'_, Remaining> {
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

    /// The numbers that the last search has found.
    pub(super) fn found(&self) -> Vec<u32> {
        self.lock().answers.found()
    }

    fn count(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let left = state.left.checked_sub(bytes.len() as u64);
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "the server's answer is larger than allowed");
        state.left = left.ok_or_else(too_large)?;
        state.answers.feed(bytes)
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Pace for Limits {
    fn step(&self) -> Option<Duration> {
        let left = self.lock().until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(self.timeout))
    }

    fn heard(&self) {
        self.lock().heard = Instant::now();
    }

    /// The server was too slow: it was silent for too long, or it was heard all the time and did not come to an end.
    fn late(&self) -> Failure {
        let state = self.lock();
        if state.heard.elapsed() >= self.timeout {
            return timed_out(self.timeout);
        }
        let begun = if state.until < self.deadline { state.begun } else { self.since };
        let tenths = begun.elapsed().as_secs_f64() * 10.0;
        timed_out(Duration::from_millis(tenths.round() as u64 * 100))
    }
}

/// The socket of a visit.
type Wire = Socket<Limits>;

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
        Ok(Clear { wire: Socket::connect(addresses, limits)? })
    }

    /// Goes on in the clear.
    pub(super) fn stay(self) -> Stream {
        let limits = self.wire.pace.clone();
        Stream { link: Link::Clear(self.wire), limits, exchange: None }
    }

    /// Goes on under TLS.
    ///
    /// # Errors
    /// Why the peer is not trusted, or does not speak it.
    pub(super) fn secure(self, host: &str, connector: &TlsConnector) -> Result<Stream, Failure> {
        let limits = self.wire.pace.clone();
        // What was said in the clear has nothing to do with what follows.
        limits.lock().answers = Answers::new(MOST_OF_MAIL as usize);
        Ok(Stream { link: Link::Tls(Box::new(self.wire.secure(host, connector)?)), limits, exchange: None })
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
            self.wire.pace.count(&byte)?;
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
    /// What is said in the place of a login by a password.
    exchange: Option<Exchange>,
}

/// A login by XOAUTH2, which stands for the LOGIN of the protocol's crate. Its own AUTHENTICATE reads a single line by a regular expression,
/// for which half a megabyte of the static binary would be an engine with the tables of Unicode.
struct Exchange {
    /// The token as it is sent, once: an error is asked for its answer again, and gets an empty one.
    /// <https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>
    answer: Option<String>,
    /// Whether it has been begun.
    is_begun: bool,
}

impl Stream {
    /// Logs in by a token once the protocol's crate logs in by whatever password.
    pub(super) fn log_in_by_token(&mut self, user: &str, token: &str) {
        let answer = BASE64_STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        self.exchange = Some(Exchange { answer: Some(answer), is_begun: false });
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.link {
            Link::Clear(wire) => wire.write(bytes),
            Link::Tls(tls) => tls.write(bytes),
        }
        .map_err(late)
    }

    fn send_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.send(bytes)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => bytes = &bytes[count..],
            }
        }
        self.flush()
    }

    /// Answers what the server asks for at the end of some of its lines, and says how much of them is for the protocol's crate.
    fn without_challenge(&mut self, lines: &[u8]) -> io::Result<usize> {
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.is_begun) else {
            return Ok(lines.len());
        };
        let ended = lines.strip_suffix(b"\n").unwrap_or(lines);
        let last = ended.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if !lines[last..].starts_with(b"+") {
            return Ok(lines.len());
        }
        let answer = exchange.answer.take().unwrap_or_default() + "\r\n";
        self.send_all(answer.as_bytes())?;
        Ok(last)
    }
}

/// The tag of a command that logs in.
fn tag_of_login(command: &[u8]) -> Option<&str> {
    let (tag, rest) = std::str::from_utf8(command).ok()?.split_once(' ')?;
    rest.starts_with("LOGIN ").then_some(tag)
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
            let left = self.without_challenge(&buffer[..count])?;
            if left > 0 || buffer.is_empty() {
                return Ok(left);
            }
            if count > 0 {
                continue;
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
        let Some(tag) = self.exchange.as_ref().and_then(|_| tag_of_login(bytes)) else { return self.send(bytes) };
        self.send_all(format!("{tag} AUTHENTICATE XOAUTH2\r\n").as_bytes())?;
        self.exchange.iter_mut().for_each(|exchange| exchange.is_begun = true);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.link {
            Link::Clear(wire) => wire.flush(),
            Link::Tls(tls) => tls.flush(),
        }
        .map_err(late)
    }
}
