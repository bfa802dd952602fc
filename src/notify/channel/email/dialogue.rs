//! The dialogue with an SMTP server (RFC 5321): one connection, one letter, no second attempt.
//!
//! A server has the letter from the moment on that it may have read the line with the full stop. Until then it has nothing,
//! whatever happens to the connection.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter, ServerInfo};
use lettre::transport::smtp::response::{Response, Severity};
use secrecy::{ExposeSecret, SecretString};

use super::Email;
use crate::check::mailbox::login::Security;
use crate::model::failure::{Failure, Reason, Retry};
use crate::process::interrupt::Deadline;
use crate::wire::http::timed_out;
use crate::wire::socket::{self, Pace, Socket, TlsConnector, TlsStream};

/// The longest answer to one command, in bytes.
const MOST_ANSWER: usize = 64 * 1024;
/// Challenges of one login.
const MOST_CHALLENGES: usize = 4;
/// What is read from the socket at once.
const CHUNK: usize = 4 * 1024;

/// With what a letter is handed in.
pub(crate) struct Sending<'a> {
    /// The TLS connector of the run, made when it is needed.
    pub tls: &'a dyn Fn() -> Result<TlsConnector, Failure>,
    /// When it must be over.
    pub until: Deadline,
    /// The time from the beginning until then.
    pub time: Duration,
    /// The time in the head of the letter.
    pub now: Timestamp,
    /// Set while the server may have the letter without having said so.
    pub is_out: &'a AtomicBool,
}

/// A recipient that the server does not take a letter for, though it takes it for others.
pub(crate) struct Unheard {
    pub address: String,
    /// Why not.
    pub failure: Failure,
}

/// Hands a letter in.
///
/// # Errors
/// Why the server has not taken it for anybody, or that it is not known.
pub(super) fn hand_in(email: &Email, letter: &lettre::Message, sending: &Sending) -> Result<Vec<Unheard>, Failure> {
    // What a server repeats of the login is not told.
    let proofs: Vec<String> = email.login.iter().flat_map(proofs).collect();
    let refused = |failure: Failure| failure.at(email.host.clone()).hiding(proofs.iter().map(String::as_str));
    let unheard = talk(email, letter, sending).map_err(refused)?;
    Ok(unheard.into_iter().map(|one| Unheard { failure: refused(one.failure), ..one }).collect())
}

fn talk(email: &Email, letter: &lettre::Message, sending: &Sending) -> Result<Vec<Unheard>, Failure> {
    let (mut server, offers) = enter(email, sending)?;
    if let Some((user, password)) = &email.login {
        server.log_in(&offers, user, password)?;
    }
    let envelope = letter.envelope();
    let mut parameters = Vec::new();
    let has_more_than_ascii = |address: &lettre::Address| !address.to_string().is_ascii();
    if envelope.from().into_iter().chain(envelope.to()).any(has_more_than_ascii) {
        if !offers.supports_feature(Extension::SmtpUtfEight) {
            let what = "the server takes no address that is not ASCII (SMTPUTF8)";
            return Err(Failure::new(Reason::Config, what));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    server.ask(Mail::new(envelope.from().cloned(), parameters), "the sender")?;
    let mut unheard = Vec::new();
    for to in envelope.to() {
        match server.ask(Rcpt::new(to.clone(), Vec::new()), "a recipient") {
            Ok(_) => {}
            // Only what the server says of this recipient: a lost connection ends the dialogue.
            Err(failure) if failure.reason == Reason::Api => unheard.push(Unheard { address: to.to_string(), failure }),
            Err(failure) => return Err(failure),
        }
    }
    if unheard.len() == envelope.to().len() {
        // Where one of them may be taken later, all are tried then.
        let worth = unheard.iter().position(|one| one.failure.retry != Retry::Never).unwrap_or_default();
        let count = unheard.len();
        let failure = unheard.swap_remove(worth).failure;
        let message = if count == 1 { failure.message } else { format!("{}, as all {count} of them", failure.message) };
        return Err(Failure { message, ..failure });
    }
    server.ask(Data, "the letter")?;
    server.give(&letter.formatted(), sending.is_out)?;
    // It is taken, whatever happens to the goodbye.
    let _ = server.say(&Quit.to_string());
    Ok(unheard)
}

/// Connects, protects the link, and hears what the server can do.
fn enter(email: &Email, sending: &Sending) -> Result<(Server, ServerInfo), Failure> {
    let pace = Until { until: sending.until.clone(), time: sending.time };
    let addresses = socket::addresses(&email.host, email.port, sending.until.left())?;
    let socket = Socket::connect(&addresses, pace.clone())?;
    let name = socket.local_address().map(|address| match address.ip().to_canonical() {
        std::net::IpAddr::V4(ip) => ClientId::Ipv4(ip),
        std::net::IpAddr::V6(ip) => ClientId::Ipv6(ip),
    });
    let name = name.unwrap_or_default();
    let link = match email.security {
        Security::Tls => Link::Tls(Box::new(socket.secure(&email.host, &(sending.tls)()?)?)),
        Security::StartTls | Security::None => Link::Clear(socket),
    };
    let mut server = Server { link, pace, unread: Vec::new() };
    server.greeting()?;
    let offers = server.hello(&name)?;
    if email.security != Security::StartTls {
        return Ok((server, offers));
    }
    if !offers.supports_feature(Extension::StartTls) {
        let what = "the server does not offer STARTTLS, and without it nothing is sent";
        return Err(Failure::new(Reason::Tls, what).with_hint("a server at port 465 wants `tls: tls`"));
    }
    server.ask(Starttls, "STARTTLS").map_err(|failure| Failure { reason: Reason::Tls, ..failure })?;
    let mut server = server.secured(&email.host, &(sending.tls)()?)?;
    // What was said in the clear counts for nothing.
    let offers = server.hello(&name)?;
    Ok((server, offers))
}

/// The forms in which a login travels.
fn proofs((user, password): &(String, SecretString)) -> Vec<String> {
    let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
    let plain = Auth::new(Mechanism::Plain, credentials.clone(), None);
    let login = Auth::new(Mechanism::Login, credentials, Some("Password:".to_owned()));
    let sent = plain.into_iter().chain(login).map(|auth| auth.to_string().trim().to_owned());
    sent.map(|sent| sent.rsplit(' ').next().unwrap_or_default().to_owned()).collect()
}

/// The time that all of it has.
#[derive(Clone, Debug)]
struct Until {
    until: Deadline,
    time: Duration,
}

impl Pace for Until {
    fn step(&self) -> Option<Duration> {
        Some(self.until.left()).filter(|left| !left.is_zero())
    }

    fn late(&self) -> Failure {
        timed_out(self.time)
    }
}

enum Link {
    Clear(Socket<Until>),
    Tls(Box<TlsStream<Until>>),
}

/// The server at the other end.
struct Server {
    link: Link,
    pace: Until,
    /// What it has said beyond the last answer.
    unread: Vec<u8>,
}

impl Server {
    fn greeting(&mut self) -> Result<(), Failure> {
        let answer = self.answer()?;
        match answer.code().severity {
            Severity::PositiveCompletion => Ok(()),
            // It is the server that is not there for anybody, whatever the letter.
            _ => Err(Failure { reason: Reason::Connect, ..refusal(&answer, "this client") }),
        }
    }

    fn hello(&mut self, name: &ClientId) -> Result<ServerInfo, Failure> {
        let answer = self.ask(Ehlo::new(name.clone()), "this client")?;
        // Its words may be in small letters.
        let words = answer.message().map(str::to_ascii_uppercase).collect();
        Ok(ServerInfo::from_response(&Response::new(answer.code(), words)).unwrap_or_default())
    }

    fn log_in(&mut self, offers: &ServerInfo, user: &str, password: &SecretString) -> Result<(), Failure> {
        if matches!(self.link, Link::Clear(_)) {
            return Err(Failure::new(Reason::Auth, "a password is not sent over a link without TLS"));
        }
        let Some(mechanism) = offers.get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login]) else {
            return Err(Failure::new(Reason::Auth, "the server takes no password (AUTH PLAIN or LOGIN)"));
        };
        let unclear = || Failure::new(Reason::Protocol, "the server's question for the login cannot be understood");
        let credentials = || Credentials::new(user.to_owned(), password.expose_secret().to_owned());
        let mut command = Auth::new(mechanism, credentials(), None).map_err(|_| unclear())?;
        for _ in 0..MOST_CHALLENGES {
            let answer = match self.ask(command, "the login") {
                Ok(answer) => answer,
                // A login that is refused now may be taken later.
                Err(failure) if failure.reason == Reason::Api => {
                    return Err(Failure { reason: Reason::Auth, ..failure });
                }
                Err(failure) => return Err(failure),
            };
            if answer.code().severity == Severity::PositiveCompletion {
                return Ok(());
            }
            command = Auth::new_from_response(mechanism, credentials(), &answer).map_err(|_| unclear())?;
        }
        Err(unclear())
    }

    /// Gives the letter away. From its last line on the server may have it.
    fn give(&mut self, letter: &[u8], is_out: &AtomicBool) -> Result<(), Failure> {
        self.say_bytes(&stuffed(letter))?;
        is_out.store(true, Ordering::SeqCst);
        self.say_bytes(b".\r\n")?;
        let answer = self.answer()?;
        match answer.code().severity {
            Severity::PositiveCompletion => Ok(()),
            Severity::PositiveIntermediate => {
                Err(Failure::new(Reason::Protocol, "the answer does not say that the letter was taken"))
            }
            _ => {
                is_out.store(false, Ordering::SeqCst);
                Err(refusal(&answer, "the letter"))
            }
        }
    }

    /// Sends a command, which is about this, and hears that it is done or may go on.
    fn ask(&mut self, command: impl Display, about: &str) -> Result<Response, Failure> {
        self.say(&command.to_string())?;
        let answer = self.answer()?;
        if answer.is_positive() { Ok(answer) } else { Err(refusal(&answer, about)) }
    }

    fn say(&mut self, command: &str) -> Result<(), Failure> {
        self.say_bytes(command.as_bytes())
    }

    fn say_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let said = match &mut self.link {
            Link::Clear(socket) => socket.write_all(bytes).and_then(|()| socket.flush()),
            Link::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        };
        said.map_err(|error| self.broken(&error))
    }

    /// The next answer, of all its lines.
    fn answer(&mut self) -> Result<Response, Failure> {
        let (mut text, mut size) = (String::new(), 0);
        loop {
            let line = self.line()?;
            size += line.len();
            if size > MOST_ANSWER {
                return Err(Failure::new(Reason::Protocol, "the answer is too long"));
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            // A code may stand alone.
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            let blank = if line.len() == 3 { " " } else { "" };
            text.push_str(&format!("{line}{blank}\r\n"));
            if is_last {
                let unclear = || Failure::new(Reason::Protocol, "the peer does not speak SMTP").saying(line);
                return text.parse().map_err(|_| unclear());
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let mut chunk = [0; CHUNK];
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                return Ok(self.unread.drain(..=end).collect());
            }
            if self.unread.len() > MOST_ANSWER {
                return Err(Failure::new(Reason::Protocol, "the server sends a line without an end"));
            }
            let count = match &mut self.link {
                Link::Clear(socket) => socket.read(&mut chunk),
                Link::Tls(tls) => tls.read(&mut chunk),
            };
            match count.map_err(|error| self.broken(&error))? {
                0 => return Err(self.broken(&io::ErrorKind::UnexpectedEof.into())),
                count => self.unread.extend_from_slice(&chunk[..count]),
            }
        }
    }

    /// Goes on under TLS.
    fn secured(self, host: &str, connector: &TlsConnector) -> Result<Server, Failure> {
        // Whoever sits between could have put words here that would be read as if the server had said them under TLS.
        if !self.unread.is_empty() {
            return Err(Failure::new(
                Reason::Tls,
                "the server says more after its answer to STARTTLS, before TLS begins",
            ));
        }
        let link = match self.link {
            Link::Clear(socket) => Link::Tls(Box::new(socket.secure(host, connector)?)),
            tls @ Link::Tls(_) => tls,
        };
        Ok(Server { link, pace: self.pace, unread: Vec::new() })
    }

    fn broken(&self, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.pace.late(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Failure::transient(Reason::Connect, "the connection was reset")
            }
            _ => Failure::transient(Reason::Connect, "the connection was closed early"),
        }
    }
}

/// What a refusal of the server means.
fn refusal(answer: &Response, about: &str) -> Failure {
    let code = u16::from(answer.code());
    let words = answer.message().collect::<Vec<_>>().join(" ");
    let failure = match code {
        // It closes the connection, and may be back in a moment.
        421 => Failure::transient(Reason::Connect, "the server is not available now (421)"),
        530 => Failure::new(Reason::Auth, "the server wants a login first (530)")
            .with_hint("set `username` and `password`"),
        // Of all answers with a 4, few change within a run (RFC 5321 section 4.5.4.1 speaks of half an hour).
        400..=499 => Failure::lasting(Reason::Api, format!("the server does not take {about} now ({code})")),
        _ => Failure::new(Reason::Api, format!("the server refuses {about} ({code})")),
    };
    failure.saying(words)
}

/// A letter in which no line can be taken for its end. It ends with the end of a line.
fn stuffed(letter: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(letter.len() + 64);
    let mut is_start = true;
    for byte in letter {
        if is_start && *byte == b'.' {
            out.push(b'.');
        }
        out.push(*byte);
        is_start = *byte == b'\n';
    }
    if !is_start {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_letter_ends_it() {
        for (letter, want) in
            [("a\r\n.\r\nb", "a\r\n..\r\nb\r\n"), (".a\r\n", "..a\r\n"), ("a.\r\n..b\r\n", "a.\r\n...b\r\n"), ("", "")]
        {
            assert_eq!(stuffed(letter.as_bytes()), want.as_bytes(), "{letter:?}");
        }
    }

    #[test]
    fn a_login_is_known_in_the_forms_in_which_it_travels() {
        let found = proofs(&("user".to_owned(), "secret".to_owned().into()));
        assert_eq!(found, ["AHVzZXIAc2VjcmV0", "c2VjcmV0"]);
    }
}
