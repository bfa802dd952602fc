//! The rules of `email` and `email_settings`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::{Builder, is_host, item, key, shown_name, under, web_address};
use crate::check::mailbox::config::{EmailSettings, MailLogin, Mailbox, Oauth2};
use crate::check::mailbox::door::{Address, Security};
use crate::check::mailbox::keywords::{DEFAULT, Keywords};
use crate::config::Settings;
use crate::config::credential::Use;
use crate::config::document::{self, NodePath, Part, Step};
use crate::config::raw::{
    Lenient, MailAuth, MailSecurity, OauthProvider, RawEmailSettings, RawMailbox, RawMailboxes, RawOauth2,
};
use crate::model::text;
use crate::process::echo;

/// What a token of Microsoft's must be for.
const MICROSOFT_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";

/// Most entries of a list of words.
const MOST_WORDS: usize = 1000;

impl Builder<'_> {
    pub(super) fn mailboxes(
        &mut self,
        raw: Option<RawMailboxes>,
        settings: RawEmailSettings,
        general: &Settings,
    ) -> (Vec<Mailbox>, EmailSettings) {
        let at = |name: &str| vec![key("email_settings"), key(name)];
        let defaults = EmailSettings::default();
        let within = |builder: &mut Self, name: &str, value: Option<i128>, most: i128, default: i128| match value {
            None => default,
            Some(n) if (1..=most).contains(&n) => n,
            Some(n) => {
                let message = format!("`{name}` must be 1 to {most}{}", echo::but_is(n));
                builder.problem(&at(name), Part::Value, message, None);
                default
            }
        };
        let days = within(self, "days", settings.days.map(|n| n.0), 30, i128::from(defaults.days)) as u32;
        let most = self.overlay_at(&at("max_emails"), "MAX_EMAILS_TO_SCAN", settings.max_emails.map(|n| n.0));
        let max_emails = within(self, "max_emails", most, 100_000, defaults.max_emails as i128) as usize;
        let about = [key("email_settings")];
        let words = self.few(&about, "alert_keywords", settings.alert_keywords);
        let mut words = words.unwrap_or_else(|| DEFAULT.map(str::to_owned).to_vec());
        words.extend(self.few(&about, "extra_alert_keywords", settings.extra_alert_keywords).unwrap_or_default());
        let unusable = self.unset_under(&about).or_else(|| self.broken_at(&about));
        let shared = Arc::new(Keywords::new(words.clone()));
        let mut mailboxes: Vec<Mailbox> = Vec::new();
        let mut names: BTreeMap<String, NodePath> = BTreeMap::new();
        let mut places: Vec<NodePath> = Vec::new();
        for (index, mailbox) in raw.map(|raw| raw.0).unwrap_or_default().into_iter().enumerate() {
            let path: NodePath = if self.has_mailbox_list { item("email", index) } else { vec![key("email")] };
            if self.is_disabled(&path) {
                continue;
            }
            let Some(mailbox) = mailbox else {
                self.missing_entry(&path);
                continue;
            };
            let Some(mailbox) = self.mailbox(&path, mailbox, &words, &shared, general) else {
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
            self.break_late(path, &mut mailbox.broken);
            mailbox.broken = mailbox.broken.take().or_else(|| unusable.clone());
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

    fn mailbox(
        &mut self,
        path: &[Step],
        raw: RawMailbox,
        words: &[String],
        shared: &Arc<Keywords>,
        general: &Settings,
    ) -> Option<Mailbox> {
        let mut broken = self.unset_under(path);
        for (field, there) in [("host", raw.host.is_some()), ("username", raw.username.is_some())] {
            if !there && broken.is_none() && !self.is_flagged(&under(path, field)) {
                self.problem(path, Part::Value, format!("`{field}` is missing"), None);
            }
        }
        let security = match (raw.security, raw.use_ssl.as_ref().map(|flag| flag.0)) {
            (Some(_), Some(_)) => {
                let message = "`use_ssl` is the old form of `security`; only one of them can be set";
                self.problem(&under(path, "use_ssl"), Part::Key(0), message, None);
                Security::Tls
            }
            (Some(MailSecurity::Tls), None) | (None, None | Some(true)) => Security::Tls,
            (Some(MailSecurity::Starttls), None) => Security::StartTls,
            (Some(MailSecurity::None), None) | (None, Some(false)) => Security::None,
        };
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
        let password = self.secret(path, "password", raw.password, raw.password_file.as_deref(), &mut broken);
        let login = match raw.auth.unwrap_or_default() {
            MailAuth::Password => {
                if password.is_none() && broken.is_none() && !self.is_flagged(&under(path, "password")) {
                    let hint = Some("set `password`, `password_file`, or `auth: xoauth2`".to_owned());
                    self.problem(path, Part::Value, "`password` is missing", hint);
                }
                if let Some(password) = &password {
                    self.vet(path, "password", password.expose_secret(), Use::Password, &mut broken);
                }
                password.map(MailLogin::Password)
            }
            MailAuth::Xoauth2 => {
                let at = under(path, "oauth2");
                self.oauth2(&at, raw.oauth2.unwrap_or_default(), &mut broken).map(MailLogin::Oauth2)
            }
        };
        let own = self.few(path, "alert_keywords", raw.alert_keywords);
        let more = self.few(path, "extra_alert_keywords", raw.extra_alert_keywords);
        let ignore_senders = self.few(path, "ignore_senders", raw.ignore_senders);
        let keywords = match (own, more) {
            (None, None) => Arc::clone(shared),
            (own, more) => {
                let mut all = own.unwrap_or_else(|| words.to_vec());
                all.extend(more.unwrap_or_default());
                Arc::new(Keywords::new(all))
            }
        };
        let username = raw.username.unwrap_or_default();
        let broken = broken.or_else(|| self.broken_at(path));
        let name = raw.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| text::one_line(&username, 60));
        Some(Mailbox {
            // Without its own name an entry that is broken from outside is still reported, under its place.
            name: if name.is_empty() && broken.is_some() { document::show(path) } else { name },
            address: Address {
                host,
                port,
                security,
                username,
                folder: raw.folder.filter(|folder| !folder.is_empty()).unwrap_or_else(|| "INBOX".to_owned()),
            },
            login,
            keywords,
            ignore_senders: ignore_senders
                .unwrap_or_default()
                .iter()
                .map(|sender| sender.trim().to_lowercase())
                .filter(|s| !s.is_empty())
                .collect(),
            timeout: general.request_timeout.max(Duration::from_millis(1)),
            allow_insecure,
            broken,
        })
    }

    /// The server of a mailbox: a name or an IP address, and nothing else.
    fn mail_host(&mut self, path: &[Step], written: Option<String>) -> String {
        let Some(host) = written.map(|host| host.trim().to_owned()) else {
            return String::new();
        };
        if is_host(&host) {
            return host;
        }
        let message = "`host` is neither the name of a machine nor an IP address".to_owned();
        let hint = "write the name alone, as `imap.example.com`; `port`, `username`, `password` and `security` stand beside it";
        self.redactor.learn_database(&host);
        self.problem(&under(path, "host"), Part::Value, message, Some(hint.to_owned()));
        String::new()
    }

    fn oauth2(&mut self, path: &[Step], raw: RawOauth2, broken: &mut Option<String>) -> Option<Oauth2> {
        let client_secret =
            self.secret(path, "client_secret", raw.client_secret, raw.client_secret_file.as_deref(), broken);
        let refresh_token =
            self.secret(path, "refresh_token", raw.refresh_token, raw.refresh_token_file.as_deref(), broken);
        for (field, secret) in [("client_secret", &client_secret), ("refresh_token", &refresh_token)] {
            if let Some(secret) = secret {
                self.vet(path, field, secret.expose_secret(), Use::Key { after: &[] }, broken);
            }
        }
        let provider = raw.provider.unwrap_or_default();
        let (url, scope) = match provider {
            OauthProvider::Google => ("https://oauth2.googleapis.com/token".to_owned(), None),
            OauthProvider::Microsoft => {
                let tenant = raw.tenant.as_deref().unwrap_or("common");
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
            if !there && broken.is_none() && !self.is_flagged(&under(path, field)) {
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
