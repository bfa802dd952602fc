//! What a config says of mailboxes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use url::Url;

use super::judge::Judge;
use super::login::{Address, Security};
use super::sender::is_address;
use crate::model::addressing::Addressing;
use crate::model::identity::Identity;
use crate::model::strength::Strength;
use crate::model::text;
use crate::yaml::address::{is_host, web_address};
use crate::yaml::addressing::RawLabels;
use crate::yaml::credential::Use;
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

/// How to log in to a mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailAuth {
    /// User and password
    #[default]
    Password,
    /// A token by XOAUTH2
    Xoauth2,
}

fields! {
    /// Where the tokens of a mailbox come from.
    pub(crate) struct RawOauth2 {
        /// google, microsoft, or custom with a `token_url`.
        provider: OauthProvider, default = "custom";
        /// The client.
        client_id: String, required = true;
        /// Its secret, if it has one.
        client_secret: String;
        /// A file that holds the secret.
        client_secret_file: String;
        /// The refresh token.
        refresh_token: String;
        /// A file that holds the refresh token.
        refresh_token_file: String;
        /// The tenant, for microsoft.
        tenant: String, default = TENANT;
        /// The address of the token endpoint.
        token_url: String;
    }
}

/// Who gives tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum OauthProvider {
    /// Google
    Google,
    /// Microsoft
    Microsoft,
    /// Somebody else
    #[default]
    Custom,
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

/// How to log in to a mailbox.
#[derive(Clone)]
pub(crate) enum MailLogin {
    /// With a password.
    Password(SecretString),
    /// With a token that is fetched first.
    Oauth2(Oauth2),
}

/// Where tokens come from (RFC 6749 section 6).
#[derive(Clone)]
pub(crate) struct Oauth2 {
    /// The token endpoint.
    pub token_url: Url,
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
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
        let [days, max_emails] = [DAYS, MAX_EMAILS].map(Number::default);
        EmailSettings { days, max_emails: max_emails as usize }
    }
}

/// What a token of Microsoft's must be for.
const MICROSOFT_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";

/// The strength from which on a mail is an alert (`engine::ENOUGH`), in words.
pub(super) const MIN_STRENGTH: &str = "0.5, as the program decides";
/// The folder that is read if the config names none.
const FOLDER: &str = "INBOX";
/// The tenant of Microsoft's that everybody belongs to.
const TENANT: &str = "common";

/// How many days back a first look goes.
const DAYS: Number = Number::within(1, 30).or(1);
/// Most mails that are read in a mailbox and run.
const MAX_EMAILS: Number = Number::within(1, 100_000).or(1000);
/// Most entries of a list of words.
const MOST_WORDS: usize = 1000;

/// The words of a config that make mails alerts.
#[derive(Clone)]
struct Words {
    /// They alone decide.
    only: Option<Vec<String>>,
    /// They count beside what decides otherwise.
    more: Vec<String>,
}

impl Words {
    /// The words of one mailbox, which may have its own.
    fn of_one(&self, only: Option<Vec<String>>, more: Option<Vec<String>>) -> Words {
        let shared = if only.is_none() { self.clone() } else { Words { only, more: Vec::new() } };
        Words { more: shared.more.into_iter().chain(more.unwrap_or_default()).collect(), only: shared.only }
    }

    fn judge(self, enough: Option<Strength>) -> Judge {
        match self.only {
            Some(only) => Judge::by_words(only.into_iter().chain(self.more), enough),
            None => Judge::by_engine(self.more, enough),
        }
    }
}

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

    /// A list of words that is not too long: each word is looked for in each mail.
    fn few(&mut self, path: &[Step], field: &str, words: Option<Vec<String>>) -> Option<Vec<String>> {
        let mut words = words?;
        if words.len() > MOST_WORDS {
            let message = format!("`{field}` has {} entries, and {MOST_WORDS} are allowed", words.len());
            self.problem(&under(path, field), Part::Value, message, None);
            words.truncate(MOST_WORDS);
        }
        Some(words)
    }

    /// The senders of a list as they are compared: in lower case, and none that is empty, which would be all of them.
    fn senders(&mut self, path: &[Step], field: &str, senders: Option<Vec<String>>) -> Option<Vec<String>> {
        let senders = self.few(path, field, senders)?;
        let senders = senders.iter().map(|sender| sender.trim().to_lowercase());
        Some(senders.filter(|sender| !sender.is_empty()).collect())
    }

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
        let usual = if security == Security::Tls { 993 } else { 143 };
        let port = match raw.port.map(|Lenient(port)| u16::try_from(port)) {
            None => usual,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                self.problem(&under(path, "port"), Part::Value, "`port` must be 1 to 65535", None);
                usual
            }
        };
        let host = self.mail_host(path, raw.host);
        let is_near =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let allow_insecure = raw.allow_insecure.is_some_and(|allow| allow.0);
        if security == Security::None && !is_near && !allow_insecure && !host.is_empty() {
            let message = "a password would travel in the clear, so this link is refused";
            let hint = Some("set `security: tls` or `starttls`, or `allow_insecure: true`".to_owned());
            self.problem(path, Part::Value, message, hint);
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
        let only_senders = self.senders(path, "only_senders", raw.only_senders);
        if only_senders.as_ref().is_some_and(Vec::is_empty) && !self.is_flagged(&under(path, "only_senders")) {
            let message = "`only_senders` names nobody, so no mail would be looked at";
            let hint = Some("leave it out to look at the mails of all senders".to_owned());
            self.problem(&under(path, "only_senders"), Part::Value, message, hint);
        }
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

    /// The login with a password, which must be there.
    fn password(&mut self, path: &[Step], password: Option<SecretString>) -> Option<MailLogin> {
        if password.is_none() && !self.is_unusable(path) && !self.is_flagged(&under(path, "password")) {
            let hint = Some("set `password`, `password_file`, or `auth: xoauth2`".to_owned());
            self.problem(path, Part::Value, "`password` is missing", hint);
        }
        if let Some(password) = &password {
            self.vet(path, "password", password.expose_secret(), Use::Password);
        }
        password.map(MailLogin::Password)
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

    fn oauth2(&mut self, path: &[Step], raw: RawOauth2) -> Option<Oauth2> {
        let client_secret = self.secret(path, "client_secret", raw.client_secret, raw.client_secret_file.as_deref());
        let refresh_token = self.secret(path, "refresh_token", raw.refresh_token, raw.refresh_token_file.as_deref());
        for (field, secret) in [("client_secret", &client_secret), ("refresh_token", &refresh_token)] {
            if let Some(secret) = secret {
                self.vet(path, field, secret.expose_secret(), Use::Key { after: &[] });
            }
        }
        let provider = raw.provider.unwrap_or_default();
        let (url, scope) = match provider {
            OauthProvider::Google => ("https://oauth2.googleapis.com/token".to_owned(), None),
            OauthProvider::Microsoft => {
                let tenant = raw.tenant.as_deref().unwrap_or(TENANT);
                let tenant = percent_encoding::utf8_percent_encode(tenant, text::UNRESERVED);
                (format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"), Some(MICROSOFT_SCOPE))
            }
            OauthProvider::Custom => (String::new(), None),
        };
        let url = raw.token_url.unwrap_or(url);
        for (field, there) in [
            ("client_id", raw.client_id.is_some()),
            ("refresh_token", refresh_token.is_some()),
            ("token_url", !url.is_empty()),
        ] {
            if !there && !self.is_unusable(path) && !self.is_flagged(&under(path, field)) {
                self.problem(path, Part::Value, format!("`oauth2.{field}` is missing"), None);
            }
        }
        let token_url: Option<Url> =
            (!url.is_empty()).then(|| web_address(url.trim())).and_then(|parsed| match parsed {
                Ok(url) => {
                    self.redactor.learn_address(&url);
                    Some(url)
                }
                Err(why) => {
                    self.problem(&under(path, "token_url"), Part::Value, format!("`token_url` {why}"), None);
                    None
                }
            });
        Some(Oauth2 {
            token_url: token_url?,
            client_id: raw.client_id?,
            client_secret,
            refresh_token: refresh_token?,
            scope,
        })
    }
}
