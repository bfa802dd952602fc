//! The way into a mailbox: connecting, TLS, the login and the folder, and what a server says when it does not let in.

use std::io;
use std::net::SocketAddr;

use imap::Session;
use native_tls::TlsConnector;
use secrecy::{ExposeSecret, SecretString};

use super::folder;
use super::stream::{ANSWER, Clear, Limits, Stream};
use crate::model::failure::{Failure, Reason};
use crate::wire::socket::Pace;

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

/// Connects and logs in.
fn open(door: &Door, limits: &Limits) -> Result<Session<Stream>, Failure> {
    let Door { address, addresses, proof, connector } = *door;
    let tls = || connector().map_err(|why| Failure::new(Reason::Internal, format!("no TLS: {why}")));
    let clear = Clear::connect(addresses, limits.clone())?;
    let mut stream = match address.security {
        Security::Tls => clear.secure(&address.host, &tls()?)?,
        Security::None => clear.stay(),
        Security::StartTls => start_tls(clear, limits)?.secure(&address.host, &tls()?)?,
    };
    if let Proof::Token(token) = proof {
        stream.log_in_by_token(&address.username, token.expose_secret());
    }
    let client = imap::Client::new(stream);
    let client = if address.security == Security::StartTls { client } else { greeted(client, limits)? };
    let (mut session, has_id) = log_in(client, address, proof, limits)?;
    let host = address.host.to_ascii_lowercase();
    if has_id || WANT_ID.iter().any(|known| host.ends_with(known)) {
        limits.allow(ANSWER);
        let version = env!("CARGO_PKG_VERSION");
        let command = format!("ID (\"name\" \"balance-alert\" \"version\" \"{version}\" \"vendor\" \"balance-alert\")");
        match session.run_command_and_read_response(command) {
            // A server may refuse `ID`; the login is valid all the same.
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
        // The stream says what stands for these two words.
        Proof::Token(_) => client.login("by", "token"),
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
