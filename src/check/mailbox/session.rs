//! A visit to a mailbox: connect, log in, open it read-only, and fetch what is new. One attempt; nothing is ever changed.
//!
//! The crate `imap` speaks the protocol. Its gaps are closed here and in `stream`: the greeting is checked, queries are
//! built from numbers only, answers and time are bounded, and the server's own words survive whatever their charset.

use std::time::{Duration, Instant};

use imap::Session;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use native_tls::TlsConnector;
use secrecy::{ExposeSecret, SecretString};

use super::mail::{self, Mail};
use super::stream::{ANSWER, Limits, Stream};
use crate::failure::{Failure, Reason};
use crate::http::timed_out;
use crate::text;

/// Mails that are fetched with one command.
const BATCH: usize = 25;
/// Most of one mail that is fetched, in bytes.
const MOST_OF_MAIL: u64 = 256 * 1024;
/// Longest of a server's own words.
const MOST_WORDS: usize = 200;
/// Servers that want to know who comes before they open a mailbox, and do not say so (NetEase).
const WANT_ID: [&str; 4] = ["163.com", "126.com", "yeah.net", "188.com"];

/// How the link is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a word in the clear; never without.
    StartTls,
    /// None.
    None,
}

/// How to log in.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password, or the code that stands for it.
    Password(SecretString),
    /// An access token, by XOAUTH2.
    Token(SecretString),
}

/// Where a mailbox is, and who asks.
#[derive(Clone, Debug)]
pub struct Address {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub security: Security,
    /// The user.
    pub username: String,
    /// The folder.
    pub folder: String,
}

/// How far a folder was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The server's mark; another one means that its numbers begin anew.
    pub validity: u32,
    /// The highest number that was read.
    pub last: u32,
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The day of the run.
    pub today: Date,
    /// Without a cursor: mails of so many days.
    pub days: u32,
    /// Most mails, the newest.
    pub most: usize,
    /// Longest wait for the server.
    pub timeout: Duration,
    /// When it must be over.
    pub deadline: Instant,
}

/// What was in a mailbox.
#[derive(Clone, Debug)]
pub struct Visit<T> {
    /// What was kept of the mails, oldest first.
    pub found: Vec<T>,
    /// Mails that were read.
    pub read: usize,
    /// Older ones that were left out, because there were more than allowed.
    pub skipped: usize,
    /// How far it was read.
    pub cursor: Cursor,
}

/// One visit. `keep` sees every mail with the time the server got it, and says what is kept of it: never all of them are in
/// memory.
///
/// # Errors
/// Why it could not be read. Wrong credentials are definitive: servers lock accounts.
pub fn visit<T>(
    address: &Address,
    proof: &Proof,
    connector: impl FnOnce() -> Result<TlsConnector, String>,
    cursor: Option<Cursor>,
    bounds: &Bounds,
    mut keep: impl FnMut(Mail, Option<Timestamp>) -> Option<T>,
) -> Result<Visit<T>, Failure> {
    let limits = Limits::new(bounds.timeout, bounds.deadline);
    let words = limits.clone();
    let tls = || connector().map_err(|why| Failure::new(Reason::Internal, format!("no TLS: {why}")));
    let stream = Stream::connect(&address.host, address.port, limits.clone())?;
    let failed = |error: imap::Error| failure(error, &words);
    let client = match address.security {
        Security::Tls => greeted(imap::Client::new(stream.secure(&address.host, &tls()?)?), &words)?,
        Security::None => greeted(imap::Client::new(stream), &words)?,
        Security::StartTls => imap::Client::new(start_tls(stream, &words)?.secure(&address.host, &tls()?)?),
    };
    let (mut session, has_id) = log_in(client, address, proof, &words)?;
    let host = address.host.to_ascii_lowercase();
    if has_id || WANT_ID.iter().any(|known| host.ends_with(known)) {
        words.allow(ANSWER);
        let version = env!("CARGO_PKG_VERSION");
        let command = format!("ID (\"name\" \"balance-alert\" \"version\" \"{version}\" \"vendor\" \"balance-alert\")");
        // A server may refuse to hear it, and is none the worse for it.
        let answer = session.run_command_and_read_response(command);
        if let Err(error @ (imap::Error::Io(_) | imap::Error::ConnectionLost)) = answer {
            return Err(failed(error));
        }
    }
    words.allow(ANSWER);
    let mailbox = session.examine(&address.folder).map_err(|error| match failed(error) {
        failure if failure.reason == Reason::Auth => Failure {
            reason: Reason::Protocol,
            message: format!("the folder cannot be opened: {}", failure.message),
            ..failure
        },
        failure => failure,
    })?;
    let validity = mailbox.uid_validity.unwrap_or_default();
    let known = cursor.filter(|cursor| cursor.validity == validity && validity != 0);
    let mut numbers = search(&mut session, known, bounds, &words)?;
    let cursor = Cursor { validity, last: known.map_or(0, |cursor| cursor.last) };
    let mut visit = Visit { found: Vec::new(), read: 0, skipped: 0, cursor };
    visit.skipped = numbers.len().saturating_sub(bounds.most);
    numbers.drain(..visit.skipped);
    for batch in numbers.chunks(BATCH) {
        let mails = fetch(&mut session, batch, known.is_none(), bounds, &words)?;
        visit.read += mails.len();
        visit.found.extend(mails.into_iter().filter_map(|(mail, received)| keep(mail, received)));
        visit.cursor.last = visit.cursor.last.max(batch.last().copied().unwrap_or_default());
    }
    // A quiet mailbox has been read up to the number that the next mail gets.
    let next = mailbox.uid_next.unwrap_or_default().saturating_sub(1);
    visit.cursor.last = visit.cursor.last.max(next.min(numbers.last().copied().unwrap_or(next)));
    let _ = session.logout();
    Ok(visit)
}

/// The numbers of the mails to read, in ascending order.
fn search(
    session: &mut Session<Stream>,
    known: Option<Cursor>,
    bounds: &Bounds,
    limits: &Limits,
) -> Result<Vec<u32>, Failure> {
    limits.allow(16 * ANSWER);
    let query = match known {
        Some(cursor) => format!("UID {}:*", cursor.last.saturating_add(1)),
        None => {
            // The server counts days in a zone of its own; what is too old is left out by its time.
            let since = bounds.today.checked_sub(Span::new().days(i64::from(bounds.days) + 1)).unwrap_or(bounds.today);
            format!("SINCE {}", since.strftime("%-d-%b-%Y"))
        }
    };
    let found = session.uid_search(query).map_err(|error| failure(error, limits))?;
    // `n:*` holds the last mail even if its number is smaller.
    let mut numbers: Vec<u32> = found.into_iter().filter(|uid| known.is_none_or(|cursor| *uid > cursor.last)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The mails of a batch, oldest first, with the time the server got them.
fn fetch(
    session: &mut Session<Stream>,
    batch: &[u32],
    is_by_date: bool,
    bounds: &Bounds,
    limits: &Limits,
) -> Result<Vec<(Mail, Option<Timestamp>)>, Failure> {
    limits.allow(batch.len() as u64 * (MOST_OF_MAIL + 4096) + ANSWER);
    let list: Vec<String> = batch.iter().map(u32::to_string).collect();
    let query = format!("(UID INTERNALDATE BODY.PEEK[]<0.{MOST_OF_MAIL}>)");
    let fetched = session.uid_fetch(list.join(","), query).map_err(|error| failure(error, limits))?;
    let oldest =
        Timestamp::now().checked_sub(Duration::from_secs(u64::from(bounds.days) * 86_400)).unwrap_or(Timestamp::MIN);
    let mut mails: Vec<(u32, Mail, Option<Timestamp>)> = Vec::new();
    for one in fetched.iter() {
        // Flags of other mails may come in between.
        let (Some(uid), Some(body)) = (one.uid, one.body()) else {
            continue;
        };
        let received = one.internal_date().and_then(|at| Timestamp::from_second(at.timestamp()).ok());
        if is_by_date && received.is_some_and(|at| at < oldest) {
            continue;
        }
        let body = &body[..body.len().min(MOST_OF_MAIL as usize)];
        mails.push((uid, mail::read(body), received));
    }
    mails.sort_by_key(|(uid, ..)| *uid);
    Ok(mails.into_iter().map(|(_, mail, received)| (mail, received)).collect())
}

/// A client whose server has said that it is ready.
fn greeted(mut client: imap::Client<Stream>, limits: &Limits) -> Result<imap::Client<Stream>, Failure> {
    let greeting = client.read_greeting().map_err(|error| failure(error, limits))?;
    check_greeting(&String::from_utf8_lossy(&greeting))?;
    Ok(client)
}

fn check_greeting(greeting: &str) -> Result<(), Failure> {
    let shown = said(greeting);
    let upper = greeting.to_ascii_uppercase();
    if upper.starts_with("* OK") {
        Ok(())
    } else if upper.starts_with("* BYE") {
        Err(Failure::transient(Reason::Connect, format!("the server sends this client away: {shown}")))
    } else if upper.starts_with("* PREAUTH") {
        Err(Failure::new(Reason::Protocol, "the server says that this client is logged in already, which it is not"))
    } else {
        Err(Failure::new(Reason::Protocol, format!("the peer does not speak IMAP: {shown}")))
    }
}

/// Goes from the clear to TLS, or fails: never on without. What was said in the clear counts for nothing afterwards.
fn start_tls(mut stream: Stream, limits: &Limits) -> Result<Stream, Failure> {
    use std::io::Write;
    let broken = |error: std::io::Error| failure(imap::Error::Io(error), limits);
    check_greeting(&stream.line().map_err(broken)?)?;
    stream.write_all(b"t1 CAPABILITY\r\n").map_err(broken)?;
    let mut offers = false;
    loop {
        let line = stream.line().map_err(broken)?.to_ascii_uppercase();
        offers |= line.starts_with("* CAPABILITY") && line.split_whitespace().any(|word| word == "STARTTLS");
        if line.starts_with("T1 ") {
            break;
        }
    }
    if !offers {
        return Err(Failure::new(Reason::Tls, "the server does not offer STARTTLS, and without it nothing is said"));
    }
    stream.write_all(b"t2 STARTTLS\r\n").map_err(broken)?;
    let answer = stream.line().map_err(broken)?;
    if answer.to_ascii_uppercase().starts_with("T2 OK") {
        Ok(stream)
    } else {
        Err(Failure::new(Reason::Tls, format!("the server refuses STARTTLS: {}", said(&answer))))
    }
}

/// XOAUTH2: the token once, and an empty answer to the error that may follow.
struct XOAuth2 {
    answer: String,
    is_said: std::cell::Cell<bool>,
}

impl imap::Authenticator for XOAuth2 {
    type Response = String;

    fn process(&self, _: &[u8]) -> String {
        if self.is_said.replace(true) { String::new() } else { self.answer.clone() }
    }
}

fn log_in(
    mut client: imap::Client<Stream>,
    address: &Address,
    proof: &Proof,
    limits: &Limits,
) -> Result<(Session<Stream>, bool), Failure> {
    limits.allow(ANSWER);
    let capabilities = client.capabilities().map_err(|error| failure(error, limits))?;
    let has_id = capabilities.has_str("ID");
    if matches!(proof, Proof::Password(_)) && capabilities.has_str("LOGINDISABLED") {
        return Err(Failure::new(Reason::Auth, "the server takes no password over this link")
            .with_hint("set `security: tls` or `starttls`"));
    }
    drop(capabilities);
    limits.allow(ANSWER);
    let result = match proof {
        Proof::Password(password) => client.login(&address.username, password.expose_secret()),
        Proof::Token(token) => {
            let answer = format!("user={}\x01auth=Bearer {}\x01\x01", address.username, token.expose_secret());
            client.authenticate("XOAUTH2", &XOAuth2 { answer, is_said: std::cell::Cell::new(false) })
        }
    };
    match result {
        Ok(session) => Ok((session, has_id)),
        Err((imap::Error::Validate(_), _)) => {
            Err(Failure::new(Reason::Config, "the user or the password holds a character that IMAP cannot carry"))
        }
        Err((error, _)) => Err(failure(error, limits)),
    }
}

/// What the protocol's crate calls an error. A refusal that it could not read is still one.
fn failure(error: imap::Error, limits: &Limits) -> Failure {
    let last = limits.last_line();
    let status = last.split_whitespace().nth(1).unwrap_or_default().to_ascii_uppercase();
    match &error {
        // It has said goodbye, whether it closed the connection or not.
        _ if status == "BYE" => {}
        imap::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => return timed_out(limits.timeout()),
        imap::Error::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            return Failure::new(Reason::Protocol, "the server's answer is larger than allowed");
        }
        imap::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            return Failure::transient(Reason::Connect, "the connection was reset");
        }
        imap::Error::Io(_) | imap::Error::ConnectionLost => {
            return Failure::transient(Reason::Connect, "the connection was closed early");
        }
        _ => {}
    }
    match status.as_str() {
        "NO" => {
            let words = said(&last);
            let hint = if words.to_lowercase().contains("unsafe login") {
                Some("NetEase wants an authorization code instead of the password, and IMAP switched on")
            } else if words.to_lowercase().contains("basic authentication is disabled") {
                Some("Outlook takes no password any more: set `auth: xoauth2`")
            } else {
                None
            };
            let failure = Failure::new(Reason::Auth, format!("the server refuses: {words}"));
            match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }
        "BYE" => Failure::transient(Reason::Connect, format!("the server has hung up: {}", said(&last))),
        "BAD" => Failure::new(Reason::Protocol, format!("the server does not understand: {}", said(&last))),
        _ => Failure::new(Reason::Protocol, "the server's answer cannot be understood"),
    }
}

/// A server's words for messages: without the tag, on one line, not too long.
fn said(line: &str) -> String {
    let words = line.splitn(3, ' ').nth(2).unwrap_or(line);
    text::one_line(words, MOST_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_ready_server_is_spoken_to() {
        assert!(check_greeting("* OK ready\r\n").is_ok());
        assert_eq!(check_greeting("* BYE too many").unwrap_err().reason, Reason::Connect);
        assert_eq!(check_greeting("* PREAUTH hi").unwrap_err().reason, Reason::Protocol);
        assert_eq!(check_greeting("HTTP/1.1 400 Bad Request").unwrap_err().reason, Reason::Protocol);
    }
}
