//! The rules of `email` and `email_settings`.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::{Builder, item, key, under, web_address};
use crate::check::mailbox::keywords::{DEFAULT, Keywords};
use crate::check::mailbox::session::{Address, Security};
use crate::config::document::{NodePath, Part, Step};
use crate::config::raw::{
    Lenient, MailAuth, MailSecurity, OauthProvider, RawEmailSettings, RawMailbox, RawMailboxes, RawOauth2,
};
use crate::config::{EmailSettings, MailLogin, Mailbox, Oauth2, Settings};
use crate::text;

/// What a token of Microsoft's must be for.
const MICROSOFT_SCOPE: &str = "https://outlook.office.com/IMAP.AccessAsUser.All offline_access";

impl Builder<'_> {
    pub(super) fn mailboxes(
        &mut self,
        raw: Option<RawMailboxes>,
        settings: RawEmailSettings,
        general: &Settings,
    ) -> (Vec<Mailbox>, EmailSettings) {
        let at = |name: &str| vec![key("email_settings"), key(name)];
        let defaults = EmailSettings::default();
        let within = |builder: &mut Self, name: &str, value: Option<u64>, most: u64, default: u64| match value {
            None => default,
            Some(n) if (1..=most).contains(&n) => n,
            Some(n) => {
                let message = format!("`{name}` must be 1 to {most}, but is {n}");
                builder.problem(&at(name), Part::Value, message, None);
                default
            }
        };
        let days = within(self, "days", settings.days.map(|n| n.0), 30, u64::from(defaults.days)) as u32;
        let most = self.overlay("MAX_EMAILS_TO_SCAN", settings.max_emails.map(|n| n.0));
        let max_emails = within(self, "max_emails", most, 100_000, defaults.max_emails as u64) as usize;
        let mut words = settings.alert_keywords.unwrap_or_else(|| DEFAULT.map(str::to_owned).to_vec());
        words.extend(settings.extra_alert_keywords.unwrap_or_default());
        let shared = Arc::new(Keywords::new(words.clone()));
        let mut mailboxes: Vec<Mailbox> = Vec::new();
        for (index, mailbox) in raw.map(|raw| raw.0).unwrap_or_default().into_iter().enumerate() {
            let path: NodePath = if self.has_mailbox_list { item("email", index) } else { vec![key("email")] };
            let Some(mailbox) = mailbox else {
                self.missing_entry(&path);
                continue;
            };
            let enabled = mailbox.enabled.as_ref().is_none_or(|enabled| enabled.0);
            let Some(mailbox) = self.mailbox(&path, mailbox, &words, &shared, general).filter(|_| enabled) else {
                continue;
            };
            if mailboxes.iter().any(|other| other.name == mailbox.name) {
                let message = format!("there is already a mailbox `{}`", mailbox.name);
                self.problem(&path, Part::Value, message, Some("give it a `name` of its own".to_owned()));
            }
            mailboxes.push(mailbox);
        }
        (mailboxes, EmailSettings { days, max_emails })
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
        let host = raw.host.map(|host| host.trim().to_owned()).unwrap_or_default();
        let is_near =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if security == Security::None
            && !is_near
            && !raw.allow_insecure.is_some_and(|allow| allow.0)
            && !host.is_empty()
        {
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
                password.map(MailLogin::Password)
            }
            MailAuth::Xoauth2 => {
                let at = under(path, "oauth2");
                self.oauth2(&at, raw.oauth2.unwrap_or_default(), &mut broken).map(MailLogin::Oauth2)
            }
        };
        let keywords = match (raw.alert_keywords, raw.extra_alert_keywords) {
            (None, None) => Arc::clone(shared),
            (own, more) => {
                let mut all = own.unwrap_or_else(|| words.to_vec());
                all.extend(more.unwrap_or_default());
                Arc::new(Keywords::new(all))
            }
        };
        let username = raw.username.unwrap_or_default();
        Some(Mailbox {
            name: raw.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| text::one_line(&username, 60)),
            address: Address {
                host,
                port,
                security,
                username,
                folder: raw.folder.filter(|folder| !folder.is_empty()).unwrap_or_else(|| "INBOX".to_owned()),
            },
            login,
            keywords,
            ignore_senders: raw
                .ignore_senders
                .unwrap_or_default()
                .iter()
                .map(|sender| sender.trim().to_lowercase())
                .filter(|s| !s.is_empty())
                .collect(),
            timeout: general.request_timeout.max(Duration::from_millis(1)),
            broken,
        })
    }

    fn oauth2(&mut self, path: &[Step], raw: RawOauth2, broken: &mut Option<String>) -> Option<Oauth2> {
        let client_secret =
            self.secret(path, "client_secret", raw.client_secret, raw.client_secret_file.as_deref(), broken);
        let refresh_token =
            self.secret(path, "refresh_token", raw.refresh_token, raw.refresh_token_file.as_deref(), broken);
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
                Ok(url) => Some(url),
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
