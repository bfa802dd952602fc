//! What a config says of mailboxes.

mod login;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

#[cfg(test)]
pub(crate) use self::login::OauthProvider;
pub(crate) use self::login::{MailAuth, MailLogin, Oauth2, RawOauth2};
use self::words::Words;
use super::judge::Judge;
use super::login::{Address, Security};
use super::sender::is_address;
use crate::model::addressing::Addressing;
use crate::model::identity::Identity;
use crate::model::strength::Strength;
use crate::model::text;
use crate::yaml::address::is_host;
use crate::yaml::addressing::RawLabels;
use crate::yaml::field::{Number, Variable, fields};
use crate::yaml::path::{NodePath, Part, Step, item, key, show, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;
use crate::yaml::shape::shown_name;
use crate::yaml::texts::RawTexts;

/// The mailboxes to watch.
#[derive(Debug)]
pub(crate) struct RawMailboxes(pub Vec<Option<RawMailbox>>);

impl<'de> Deserialize<'de> for RawMailboxes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MailboxesVisitor;

        impl<'de> Visitor<'de> for MailboxesVisitor {
            type Value = RawMailboxes;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list or a mapping")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<RawMailboxes, A::Error> {
                Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list)).map(RawMailboxes)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawMailboxes, A::Error> {
                let one = RawMailbox::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(RawMailboxes(vec![Some(one)]))
            }
        }

        deserializer.deserialize_any(MailboxesVisitor)
    }
}

fields! {
    /// A mailbox to watch.
    pub(crate) struct RawMailbox {
        /// The unique name in reports and alerts.
        name: String, default = "the user";
        /// The IMAP server.
        host: String, required = true;
        /// The port of the server.
        port: Lenient<i128>, number = Number::within(1, 65_535), default = "993 with TLS, else 143";
        /// The user.
        username: String, required = true;
        /// The password, or the code that stands for it; best as `${VARIABLE}`.
        password: String;
        /// A file that holds the password.
        password_file: String;
        /// The old form of `security`: true is tls, false is none.
        use_ssl: Lenient<bool>;
        /// How the link is protected.
        security: MailSecurity, default = "tls";
        /// Lets a password travel over a link without TLS, and what fetches a token to an `http://` address.
        allow_insecure: Lenient<bool>;
        /// The folder that is read.
        folder: String, default = FOLDER;
        /// How to log in.
        auth: MailAuth, default = "password";
        /// Where tokens come from, for `auth: xoauth2`.
        oauth2: RawOauth2;
        /// Words that make a mail an alert, instead of those of `email_settings`.
        alert_keywords: Vec<String>;
        /// Words in addition.
        extra_alert_keywords: Vec<String>;
        /// How strongly a mail must speak of trouble to be an alert, from 0 (every mail) to 1 (no doubt is left).
        min_strength: Lenient<Decimal>, number = Number::within(0, 1), default = MIN_STRENGTH;
        /// Senders whose mails are no alerts: addresses, or parts of them.
        ignore_senders: Vec<String>;
        /// The only senders whose mails can be alerts: addresses, or parts of them.
        only_senders: Vec<String>, default = "all senders";
        /// Labels, for `match` of webhooks and for messages: `{ team: core, stage: production }`.
        labels: RawLabels;
        /// The names of the webhooks that hear of it, instead of those whose `match` fits.
        notify: RawTexts;
        /// Whether the mailbox is watched.
        enabled: Lenient<bool>, default = "true";
    }
}

/// How the link to a mailbox is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailSecurity {
    /// TLS from the first byte
    Tls,
    /// TLS after a word in the clear
    Starttls,
    /// None
    None,
}

fields! {
    /// How mailboxes are read.
    pub(crate) struct RawEmailSettings {
        /// How many days back a first look at a mailbox goes.
        days: Lenient<i128>, number = DAYS;
        /// Most mails that are read in one mailbox in one run; the newest are read.
        max_emails: Lenient<i128>, number = MAX_EMAILS, variable = Variable::of("MAX_EMAILS_TO_SCAN");
        /// Words that make a mail an alert, instead of the program's own.
        alert_keywords: Vec<String>;
        /// Words in addition.
        extra_alert_keywords: Vec<String>;
    }
}

/// A mailbox to watch.
#[derive(Clone)]
pub(crate) struct Mailbox {
    /// The unique name.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// How to log in, or why the mailbox cannot be read.
    pub login: Result<MailLogin, String>,
    /// Whether a mail is an alert.
    pub judge: Arc<Judge>,
    /// Senders whose mails are no alerts, in lower case.
    pub ignore_senders: Vec<String>,
    /// The only senders whose mails can be alerts, in lower case; none if all can.
    pub only_senders: Option<Vec<String>>,
    /// Who hears of it.
    pub addressing: Addressing,
    /// Longest wait for the server.
    pub timeout: Duration,
    /// Whether what lets somebody in may travel in the clear.
    pub allow_insecure: bool,
}

impl Mailbox {
    /// Names it across runs: its name and where it is.
    pub(crate) fn identity(&self) -> Identity {
        let address = &self.address;
        Identity::of("mailbox", &self.name, &[&address.host, &address.username, &address.folder])
    }

    /// Whether mails from an address can be alerts.
    pub(crate) fn looks_at(&self, address: Option<&str>) -> bool {
        let is_from = |known: &String| address.is_some_and(|address| is_address(address, known));
        let is_one_of = |senders: &[String]| senders.iter().any(is_from);
        !is_one_of(&self.ignore_senders) && self.only_senders.as_deref().is_none_or(is_one_of)
    }
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
        let [days, max_emails] = [DAYS, MAX_EMAILS].map(Number::default);
        EmailSettings { days, max_emails: max_emails as usize }
    }
}

/// The strength from which on a mail is an alert (`engine::ENOUGH`), in words.
pub(super) const MIN_STRENGTH: &str = "0.5, as the program decides";
/// The folder that is read if the config names none.
const FOLDER: &str = "INBOX";
/// How many days back a first look goes.
const DAYS: Number = Number::within(1, 30).or(1);
/// Most mails that are read in a mailbox and run.
const MAX_EMAILS: Number = Number::within(1, 100_000).or(1000);
impl ConfigReader<'_> {
    pub(crate) fn mailboxes(
        &mut self,
        raw: Option<RawMailboxes>,
        is_list: bool,
        settings: RawEmailSettings,
        timeout: Duration,
    ) -> (Vec<Mailbox>, EmailSettings) {
        let about = [key("email_settings")];
        let days = self.whole(&about, &RawEmailSettings::days, settings.days);
        let max_emails = self.whole(&about, &RawEmailSettings::max_emails, settings.max_emails) as usize;
        let words = Words {
            only: self.few(&about, "alert_keywords", settings.alert_keywords),
            more: self.few(&about, "extra_alert_keywords", settings.extra_alert_keywords).unwrap_or_default(),
        };
        let unusable = self.fault(&about);
        let shared = Arc::new(words.clone().judge(None));
        let mut mailboxes: Vec<Mailbox> = Vec::new();
        let mut names: BTreeMap<String, NodePath> = BTreeMap::new();
        let mut places: Vec<NodePath> = Vec::new();
        for (index, mailbox) in raw.map(|raw| raw.0).unwrap_or_default().into_iter().enumerate() {
            let path: NodePath = if is_list { item("email", index) } else { vec![key("email")] };
            if self.is_disabled(&path) {
                continue;
            }
            let Some(mailbox) = mailbox else {
                self.missing_entry(&path);
                continue;
            };
            let Some(mailbox) = self.mailbox(&path, mailbox, &words, &shared, timeout) else {
                continue;
            };
            match names.get(&mailbox.name) {
                Some(first) => {
                    let message = format!("there is already a mailbox{}", shown_name(&mailbox.name));
                    let hint = Some("give it a `name` of its own".to_owned());
                    self.same_name([first, &path], &["name", "username"], message, hint);
                }
                None => drop(names.insert(mailbox.name.clone(), path.clone())),
            }
            places.push(path);
            mailboxes.push(mailbox);
        }
        for (mailbox, path) in mailboxes.iter_mut().zip(&places) {
            // Another entry with its name may have been found since, and what is wrong with `email_settings` breaks all of them.
            if let Some(why) = self.fault(path).or_else(|| unusable.clone().filter(|_| mailbox.login.is_ok())) {
                mailbox.login = Err(why);
            }
        }
        (mailboxes, EmailSettings { days, max_emails })
    }

    /// One mailbox, as its entry says.
    fn mailbox(
        &mut self,
        path: &[Step],
        raw: RawMailbox,
        words: &Words,
        shared: &Arc<Judge>,
        timeout: Duration,
    ) -> Option<Mailbox> {
        for (field, there) in [("host", raw.host.is_some()), ("username", raw.username.is_some())] {
            self.required(path, field, there || self.is_unusable(path));
        }
        let security = self.security(path, raw.security, raw.use_ssl);
        let port = self.mail_port(path, raw.port, security);
        let host = self.mail_host(path, raw.host);
        let allow_insecure = raw.allow_insecure.is_some_and(|allow| allow.0);
        if security == Security::None && !allow_insecure {
            self.refuse_open_link(path, &host);
        }
        let password = self.secret(path, "password", raw.password, raw.password_file.as_deref());
        let login = match raw.auth.unwrap_or_default() {
            MailAuth::Password => self.password(path, password),
            MailAuth::Xoauth2 => {
                let at = under(path, "oauth2");
                self.oauth2(&at, raw.oauth2.unwrap_or_default()).map(MailLogin::Oauth2)
            }
        };
        let lists = [("alert_keywords", raw.alert_keywords), ("extra_alert_keywords", raw.extra_alert_keywords)];
        let enough = raw.min_strength.map(|strength| {
            let strength = self.decimal(path, &RawMailbox::min_strength, Some(strength));
            Strength::of(strength.to_f64().unwrap_or_default())
        });
        let judge = match lists.map(|(field, words)| self.few(path, field, words)) {
            [None, None] if enough.is_none() => Arc::clone(shared),
            [only, more] => Arc::new(words.of_one(only, more).judge(enough)),
        };
        let ignore_senders = self.senders(path, "ignore_senders", raw.ignore_senders).unwrap_or_default();
        let only_senders = self.only_senders(path, raw.only_senders);
        let addressing = self.addressing(path, raw.labels, raw.notify);
        let username = raw.username.unwrap_or_default();
        let login = match (self.fault(path), login) {
            (None, Some(login)) => Ok(login),
            (Some(why), _) => Err(why),
            (None, None) => Err("it has no login".to_owned()),
        };
        let name = raw.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| text::one_line(&username, 60));
        Some(Mailbox {
            // Without its own name an entry that is broken from outside is still reported, under its place.
            name: if name.is_empty() && login.is_err() { show(path) } else { name },
            address: Address {
                host,
                port,
                security,
                username,
                folder: raw.folder.filter(|folder| !folder.is_empty()).unwrap_or_else(|| FOLDER.to_owned()),
            },
            login,
            judge,
            ignore_senders,
            only_senders,
            addressing,
            timeout: timeout.max(Duration::from_millis(1)),
            allow_insecure,
        })
    }

    /// How the link is protected; `use_ssl` says the same in the old form.
    fn security(&mut self, path: &[Step], written: Option<MailSecurity>, use_ssl: Option<Lenient<bool>>) -> Security {
        match (written, use_ssl.map(|flag| flag.0)) {
            (Some(_), Some(_)) => {
                let message = "`use_ssl` is the old form of `security`; only one of them can be set";
                self.problem(&under(path, "use_ssl"), Part::Key(0), message, None);
                Security::Tls
            }
            (Some(MailSecurity::Tls), None) | (None, None | Some(true)) => Security::Tls,
            (Some(MailSecurity::Starttls), None) => Security::StartTls,
            (Some(MailSecurity::None), None) | (None, Some(false)) => Security::None,
        }
    }

    /// The port of the server, or the usual one.
    fn mail_port(&mut self, path: &[Step], written: Option<Lenient<i128>>, security: Security) -> u16 {
        let usual = if security == Security::Tls { 993 } else { 143 };
        match written.map(|Lenient(port)| u16::try_from(port)) {
            None => usual,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                self.problem(&under(path, "port"), Part::Value, "`port` must be 1 to 65535", None);
                usual
            }
        }
    }

    /// Refuses a link in the clear to another machine.
    fn refuse_open_link(&mut self, path: &[Step], host: &str) {
        let is_near =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_near && !host.is_empty() {
            let message = "a password would travel in the clear, so this link is refused";
            let hint = Some("set `security: tls` or `starttls`, or `allow_insecure: true`".to_owned());
            self.problem(path, Part::Value, message, hint);
        }
    }

    /// The server of a mailbox: a name or an IP address, and nothing else.
    fn mail_host(&mut self, path: &[Step], written: Option<String>) -> String {
        let Some(host) = written.map(|host| host.trim().to_owned()) else {
            return String::new();
        };
        if is_host(&host) {
            return host;
        }
        let message = "`host` is not a host name or an IP address".to_owned();
        let hint = "write the name alone, as `imap.example.com`; `port`, `username`, `password` and `security` stand beside it";
        self.redactor.learn_database(&host);
        self.problem(&under(path, "host"), Part::Value, message, Some(hint.to_owned()));
        String::new()
    }
}
