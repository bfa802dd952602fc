//! Mail as a channel: one letter for a message, with the text and a table of it, over SMTP.
//!
//! The crate `lettre` writes the letter and knows the words of SMTP. It does not speak them here: its connection reads under TLS what
//! a stranger has put behind the answer to STARTTLS, and limits each read but not the whole, which `dialogue` does.

mod dialogue;
mod html;
mod letter;

use lettre::message::Mailbox;
use secrecy::SecretString;
use url::Url;

pub(crate) use self::dialogue::{Sending, Unheard};
use crate::check::mailbox::login::Security;
use crate::model::alert::Alert;
use crate::model::failure::Failure;
use crate::notify::message::Message;

/// The most alerts that one letter holds: more of them make a letter that some services cut.
const MOST_ALERTS: usize = 100;

/// Where letters are handed in, by whom and for whom.
pub(crate) struct Email {
    /// The name of the server, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub security: Security,
    /// User and password.
    pub login: Option<(String, SecretString)>,
    /// The sender.
    pub from: Mailbox,
    /// The recipients.
    pub to: Vec<Mailbox>,
    /// Those who get a copy.
    pub cc: Vec<Mailbox>,
    /// Stands before each subject.
    pub subject_prefix: Option<String>,
}

impl Email {
    /// The server as an address, for people.
    pub(crate) fn url(&self) -> Option<Url> {
        let scheme = if self.security == Security::Tls { "smtps" } else { "smtp" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        Url::parse(&format!("{scheme}://{host}:{}", self.port)).ok()
    }

    /// Who sends and who gets the letters, which tells two channels of one server apart.
    pub(crate) fn people(&self) -> impl Iterator<Item = String> {
        std::iter::once(&self.from).chain(&self.to).chain(&self.cc).map(ToString::to_string)
    }
}

/// Whether so many alerts may stand in one letter.
pub(super) fn fits(alerts: &[Alert]) -> bool {
    alerts.len() <= MOST_ALERTS
}

/// What a letter says, for people: the head, the text and the table, none of it encoded.
pub(super) fn shown(email: &Email, message: &Message, alerts: &[Alert], source: &str) -> String {
    letter::Letter::new(email, message, alerts, source).shown(email)
}

/// Sends a letter. Gives those of several recipients that the server does not take it for.
///
/// # Errors
/// Why the server has not taken it for anybody.
pub(in super::super) fn send(
    email: &Email,
    (message, alerts, source): (&Message, &[Alert], &str),
    sending: &Sending,
) -> Result<Vec<Unheard>, Failure> {
    let letter = letter::Letter::new(email, message, alerts, source).written(email, sending.now)?;
    dialogue::hand_in(email, &letter, sending)
}
