//! A visit to a mailbox: connect, log in, open it read-only, and fetch what is new. One attempt; nothing is ever changed.
//!
//! The crate `imap` speaks the protocol. Its gaps are closed here, in `stream` and in `answer`: the greeting is checked,
//! queries are built from numbers only, answers and time are bounded, and the server's own words survive whatever their charset.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use imap::Session;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use native_tls::TlsConnector;
use secrecy::{ExposeSecret, SecretString};

use super::folder;
use super::stream::{ANSWER, Clear, Limits, Stream};
use super::supply::{self, Fetched, Supply};
use crate::model::failure::{Failure, Reason};
use crate::process::clock;

/// Mails that a reader hears of at once, before the first of them is fetched.
pub(super) const ANNOUNCED: usize = 200;
/// Most of one mail that is fetched, in bytes.
pub const MOST_OF_MAIL: u64 = 256 * 1024;
/// What the numbers of all mails may take, in bytes: enough for 400 000 of them.
const NUMBERS: u64 = 4 * ANSWER;
/// Lines that a server may say before STARTTLS.
const MOST_LINES: usize = 100;
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

/// A mail as it came.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Its number in the folder.
    pub uid: u32,
    /// When the server got it.
    pub received: Option<Timestamp>,
    /// Its bytes, not all of them if there are too many.
    pub raw: &'a [u8],
}

/// Who reads the mails of a visit, one after the other: never are all of them in memory.
pub trait Reader {
    /// What is kept of a mail.
    type Kept;

    /// These mails come next, of a folder with this mark.
    fn announce(&mut self, validity: u32, numbers: &[u32]);

    /// Reads one, and says what is kept of it.
    ///
    /// # Errors
    /// There is no time to read it. It has not been read then, and is fetched again in another run.
    fn read(&mut self, letter: Letter) -> Result<Option<Self::Kept>, Failure>;

    /// Hears that the server does not deliver one, though it delivers others, and says what is kept of that.
    fn miss(&mut self, uid: u32, received: Option<Timestamp>, why: Failure) -> Option<Self::Kept>;
}

/// What was in a mailbox.
#[derive(Clone, Debug)]
pub struct Visit<T> {
    /// What was kept of the mails, oldest first.
    pub found: Vec<T>,
    /// Mails that were read, or that the server does not deliver.
    pub read: usize,
    /// Older ones that were left out, because there were more than allowed.
    pub skipped: usize,
    /// How far it was read.
    pub cursor: Cursor,
    /// Why the rest is left for the next run, and how many mails these are.
    pub rest: Option<(Failure, usize)>,
}

/// Where a server is, and what lets somebody in there.
#[derive(Clone, Copy)]
pub(super) struct Door<'a> {
    pub(super) address: &'a Address,
    pub(super) addresses: &'a [SocketAddr],
    pub(super) proof: &'a Proof,
    pub(super) connector: &'a dyn Fn() -> Result<TlsConnector, String>,
}

impl Door<'_> {
    /// Connects, logs in and opens the folder.
    pub(super) fn enter(&self, limits: &Limits) -> Result<(Session<Stream>, imap::types::Mailbox), Failure> {
        let mut session = open(self, limits)?;
        let folder = examine(&mut session, &self.address.folder, limits)?;
        Ok((session, folder))
    }
}

/// One visit, at these addresses of the server.
///
/// # Errors
/// Why nothing could be read. Wrong credentials are definitive: servers lock accounts.
pub fn visit<R: Reader>(
    address: &Address,
    addresses: &[SocketAddr],
    proof: &Proof,
    connector: impl Fn() -> Result<TlsConnector, String>,
    cursor: Option<Cursor>,
    bounds: &Bounds,
    reader: &mut R,
) -> Result<Visit<R::Kept>, Failure> {
    let limits = Limits::new(bounds.timeout, bounds.deadline);
    let door = Door { address, addresses, proof, connector: &connector };
    let (session, folder) = door.enter(&limits)?;
    let validity = folder.uid_validity.unwrap_or_default();
    let mut supply = Supply::new(door, &limits, session, validity);
    let known = cursor.filter(|cursor| cursor.validity == validity && validity != 0);
    let mut numbers = search(supply.session()?, known, bounds, &limits)?;
    let cursor = Cursor { validity, last: known.map_or(0, |cursor| cursor.last) };
    let mut visit = Visit { found: Vec::new(), read: 0, skipped: 0, cursor, rest: None };
    visit.skipped = numbers.len().saturating_sub(bounds.most);
    numbers.drain(..visit.skipped);
    let oldest = known.is_none().then(|| {
        let days = Duration::from_secs(u64::from(bounds.days) * 86_400);
        clock::now().checked_sub(days).unwrap_or(Timestamp::MIN)
    });
    if let Err(failure) = read_all(&mut supply, &numbers, oldest, reader, &mut visit) {
        let left = numbers.iter().filter(|uid| **uid > visit.cursor.last).count();
        // What was read counts, so that each run comes further.
        if left == numbers.len() {
            return Err(failure);
        }
        visit.rest = Some((failure, left));
        return Ok(visit);
    }
    // A quiet mailbox has been read up to the number that the next mail gets.
    let next = folder.uid_next.unwrap_or_default().saturating_sub(1);
    visit.cursor.last = visit.cursor.last.max(next.min(numbers.last().copied().unwrap_or(next)));
    supply.close();
    Ok(visit)
}

/// Connects and logs in.
fn open(door: &Door, limits: &Limits) -> Result<Session<Stream>, Failure> {
    let Door { address, addresses, proof, connector } = *door;
    let tls = || connector().map_err(|why| Failure::new(Reason::Internal, format!("no TLS: {why}")));
    let clear = Clear::connect(addresses, limits.clone())?;
    let client = match address.security {
        Security::Tls => greeted(imap::Client::new(clear.secure(&address.host, &tls()?)?), limits)?,
        Security::None => greeted(imap::Client::new(clear.stay()), limits)?,
        Security::StartTls => imap::Client::new(start_tls(clear, limits)?.secure(&address.host, &tls()?)?),
    };
    let (mut session, has_id) = log_in(client, address, proof, limits)?;
    let host = address.host.to_ascii_lowercase();
    if has_id || WANT_ID.iter().any(|known| host.ends_with(known)) {
        limits.allow(ANSWER);
        let version = env!("CARGO_PKG_VERSION");
        let command = format!("ID (\"name\" \"balance-alert\" \"version\" \"{version}\" \"vendor\" \"balance-alert\")");
        match session.run_command_and_read_response(command) {
            // A server may refuse to hear it, and is none the worse for it.
            Ok(_) | Err(imap::Error::No(_) | imap::Error::Bad(_)) => {}
            Err(error) => return Err(failure(&error, limits)),
        }
    }
    Ok(session)
}

/// Opens the folder read-only, under one of the names that it may have.
fn examine(session: &mut Session<Stream>, folder: &str, limits: &Limits) -> Result<imap::types::Mailbox, Failure> {
    let mut names = folder::names(folder).into_iter().peekable();
    loop {
        limits.allow(ANSWER);
        let name = names.next().unwrap_or_default();
        match session.examine(&name) {
            Ok(mailbox) => return Ok(mailbox),
            Err(imap::Error::No(_)) if names.peek().is_some() => {}
            Err(error) => {
                let mut failure = failure(&error, limits);
                if matches!(error, imap::Error::No(_)) {
                    failure.message = format!("the folder cannot be opened: {}", failure.message);
                }
                return Err(failure);
            }
        }
    }
}

/// Fetches the mails and has them read, in the order of their numbers.
fn read_all<R: Reader>(
    supply: &mut Supply,
    numbers: &[u32],
    oldest: Option<Timestamp>,
    reader: &mut R,
    visit: &mut Visit<R::Kept>,
) -> Result<(), Failure> {
    for announced in numbers.chunks(ANNOUNCED) {
        reader.announce(visit.cursor.validity, announced);
        for batch in announced.chunks(supply::BATCH) {
            let mut arrived = supply.all(batch);
            for uid in batch {
                // The server counts days in a zone of its own; what is too old is left out by its time.
                let is_wanted = |mail: &Fetched| mail.received.zip(oldest).is_none_or(|(at, oldest)| at >= oldest);
                if let Some(mail) = supply.one(*uid, &mut arrived, numbers)?.filter(is_wanted) {
                    let kept = match mail.raw {
                        Ok(raw) => reader.read(Letter { uid: *uid, received: mail.received, raw: &raw })?,
                        Err(why) => reader.miss(*uid, mail.received, why),
                    };
                    visit.found.extend(kept);
                    visit.read += 1;
                }
                visit.cursor.last = visit.cursor.last.max(*uid);
            }
        }
    }
    Ok(())
}

/// The numbers of the mails to read, in ascending order.
fn search(
    session: &mut Session<Stream>,
    known: Option<Cursor>,
    bounds: &Bounds,
    limits: &Limits,
) -> Result<Vec<u32>, Failure> {
    limits.allow(NUMBERS);
    let query = match known {
        Some(cursor) => format!("UID {}:*", cursor.last.saturating_add(1)),
        None => {
            // A day more than wanted: the server counts days in a zone of its own.
            let since = bounds.today.checked_sub(Span::new().days(i64::from(bounds.days) + 1)).unwrap_or(bounds.today);
            format!("SINCE {}", since.strftime("%-d-%b-%Y"))
        }
    };
    let found = session.uid_search(query).map_err(|error| failure(&error, limits))?;
    // `n:*` holds the last mail even if its number is smaller.
    let mut numbers: Vec<u32> = found.into_iter().filter(|uid| known.is_none_or(|cursor| *uid > cursor.last)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A client whose server has said that it is ready.
fn greeted(mut client: imap::Client<Stream>, limits: &Limits) -> Result<imap::Client<Stream>, Failure> {
    client.read_greeting().map_err(|error| failure(&error, limits))?;
    check_greeting(&limits.greeting())?;
    Ok(client)
}

fn check_greeting(greeting: &str) -> Result<(), Failure> {
    let upper = greeting.to_ascii_uppercase();
    if upper.starts_with("* OK") {
        Ok(())
    } else if upper.starts_with("* BYE") {
        Err(Failure::transient(Reason::Connect, "the server sends this client away").saying(said(greeting)))
    } else if upper.starts_with("* PREAUTH") {
        Err(Failure::new(Reason::Protocol, "the server says that this client is logged in already, which it is not"))
    } else {
        Err(Failure::new(Reason::Protocol, "the peer does not speak IMAP").saying(said(greeting)))
    }
}

/// Asks to go from the clear to TLS, or fails: never on without. What was said in the clear counts for nothing afterwards.
fn start_tls(mut clear: Clear, limits: &Limits) -> Result<Clear, Failure> {
    let broken = |error: io::Error| failure(&imap::Error::Io(error), limits);
    check_greeting(&clear.line().map_err(broken)?)?;
    clear.say(b"t1 CAPABILITY\r\n").map_err(broken)?;
    let mut offers = false;
    for _ in 0..MOST_LINES {
        let line = clear.line().map_err(broken)?.to_ascii_uppercase();
        offers |= line.starts_with("* CAPABILITY") && line.split_whitespace().any(|word| word == "STARTTLS");
        if line.starts_with("T1 ") {
            break;
        }
    }
    if !offers {
        return Err(Failure::new(Reason::Tls, "the server does not offer STARTTLS, and without it nothing is said"));
    }
    clear.say(b"t2 STARTTLS\r\n").map_err(broken)?;
    let answer = clear.line().map_err(broken)?;
    if answer.to_ascii_uppercase().starts_with("T2 OK") {
        Ok(clear)
    } else {
        Err(Failure::new(Reason::Tls, "the server refuses STARTTLS").saying(said(&answer)))
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
    let capabilities = client.capabilities().map_err(|error| failure(&error, limits))?;
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
        Err((error, _)) => {
            let failure = failure(&error, limits);
            // Only here is a refusal one of the user.
            let reason = if matches!(error, imap::Error::No(_)) { Reason::Auth } else { failure.reason };
            Err(Failure { reason, ..failure })
        }
    }
}

/// What the protocol's crate calls an error.
pub(super) fn failure(error: &imap::Error, limits: &Limits) -> Failure {
    match error {
        imap::Error::No(_) => return refusal(&said(&limits.last_tagged())),
        imap::Error::Bad(_) => {
            let words = said(&limits.last_tagged());
            return Failure::new(Reason::Protocol, "the server does not understand").saying(words);
        }
        _ => {}
    }
    let last = limits.last_line();
    if last.split_whitespace().nth(1).is_some_and(|status| status.eq_ignore_ascii_case("BYE")) {
        // It has said goodbye, whether it closed the connection or not.
        return Failure::transient(Reason::Connect, "the server has hung up").saying(said(&last));
    }
    match error {
        imap::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => limits.late(),
        // The words are this program's own.
        imap::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Failure::new(Reason::Protocol, error.to_string())
        }
        imap::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            Failure::transient(Reason::Connect, "the connection was reset")
        }
        imap::Error::Io(_) | imap::Error::ConnectionLost => {
            Failure::transient(Reason::Connect, "the connection was closed early")
        }
        _ => Failure::new(Reason::Protocol, "the server's answer cannot be understood"),
    }
}

/// The server says no, with these words.
fn refusal(words: &str) -> Failure {
    let lower = words.to_lowercase();
    let failure = Failure::new(Reason::Protocol, "the server refuses").saying(words);
    if lower.contains("unsafe login") {
        failure.with_hint("NetEase wants an authorization code instead of the password, and IMAP switched on")
    } else if lower.contains("basic authentication is disabled") {
        failure.with_hint("Outlook takes no password any more: set `auth: xoauth2`")
    } else {
        failure
    }
}

/// A server's words, without the tag.
fn said(line: &str) -> String {
    line.splitn(3, ' ').nth(2).unwrap_or(line).to_owned()
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
