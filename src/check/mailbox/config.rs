//! What a config says of mailboxes.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::door::Address;
use super::keywords::Keywords;
use crate::model::identity::Identity;

/// A mailbox to watch.
#[derive(Clone)]
pub struct Mailbox {
    /// The unique name.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// How to log in; none only if the entry is broken.
    pub login: Option<MailLogin>,
    /// The words that make a mail an alert.
    pub keywords: Arc<Keywords>,
    /// Senders whose mails are no alerts, in lower case.
    pub ignore_senders: Vec<String>,
    /// Longest wait for the server.
    pub timeout: Duration,
    /// Whether what lets somebody in may travel in the clear.
    pub allow_insecure: bool,
    /// Why it cannot be read.
    pub broken: Option<String>,
}

impl Mailbox {
    /// Names it across runs: its name and where it is.
    pub fn identity(&self) -> Identity {
        let address = &self.address;
        Identity::of("mailbox", &self.name, &[&address.host, &address.username, &address.folder])
    }
}

/// How to log in to a mailbox.
#[derive(Clone)]
pub enum MailLogin {
    /// With a password.
    Password(SecretString),
    /// With a token that is fetched first.
    Oauth2(Oauth2),
}

/// Where tokens come from (RFC 6749 section 6).
#[derive(Clone)]
pub struct Oauth2 {
    /// The token endpoint.
    pub token_url: Url,
    /// The client.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// What the token is for, where the endpoint wants to hear it.
    pub scope: Option<&'static str>,
}

/// How mailboxes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailSettings {
    /// How many days back a first look goes.
    pub days: u32,
    /// Most mails of a mailbox and run.
    pub max_emails: usize,
}

impl Default for EmailSettings {
    fn default() -> Self {
        EmailSettings { days: 1, max_emails: 1000 }
    }
}
