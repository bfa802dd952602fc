//! What a config says of a channel that sends mail.

use std::sync::Arc;

use lettre::message::Mailbox;
use url::Url;

use crate::check::mailbox::login::Security;
use crate::notify::channel::email::Email;
use crate::notify::channel::values::Values;
use crate::wire::http;
use crate::yaml::address::is_host;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;

impl ConfigReader<'_> {
    /// The server of a mail channel and the people; none if something is missing or wrong, which is said.
    pub(super) fn email(&mut self, path: &[Step], values: &Values, allow_insecure: bool) -> Option<Arc<Email>> {
        let security = match values.get("tls") {
            Some("starttls") => Security::StartTls,
            Some("none") => Security::None,
            _ => Security::Tls,
        };
        let login = self.email_login(path, values);
        let host = self.email_host(path, values.get("host"));
        let is_far = host.as_ref().is_some_and(|url| !http::is_this_machine(url));
        if security == Security::None && login.is_some() {
            let message = "a password is never sent over a link without TLS, so `tls: none` takes no `password`";
            self.problem(&under(path, "tls"), Part::Value, message, Some("set `tls: tls` or `starttls`".to_owned()));
        } else if security == Security::None && is_far && !allow_insecure {
            let message = "everybody on the way could read the mails, so this link is refused";
            let hint = "set `tls: tls` or `starttls`, or `allow_insecure: true`";
            self.problem(&under(path, "tls"), Part::Value, message, Some(hint.to_owned()));
        }
        let usual = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        };
        let port = match values.get("port").map(str::parse) {
            None => usual,
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                self.problem(&under(path, "port"), Part::Value, "`port` must be 1 to 65535", None);
                usual
            }
        };
        Some(Arc::new(Email {
            // An address of IPv6 without its brackets.
            host: host?.host_str()?.trim_matches(['[', ']']).to_owned(),
            port,
            security,
            login,
            from: mailboxes(values.get("from"))?.pop()?,
            to: mailboxes(values.get("to"))?,
            cc: mailboxes(values.get("cc")).unwrap_or_default(),
            subject_prefix: values.get("subject_prefix").map(str::to_owned),
        }))
    }

    /// The server as an address of the web, which has its name in the form that the network knows.
    fn email_host(&mut self, path: &[Step], written: Option<&str>) -> Option<Url> {
        let host = written?;
        let place = if host.contains(':') { format!("https://[{host}]") } else { format!("https://{host}") };
        if let Some(url) = Url::parse(&place).ok().filter(|_| is_host(host)) {
            return Some(url);
        }
        self.redactor.learn_database(host);
        let message = "`host` is not a host name or an IP address";
        let hint = "write the name alone, as `smtp.example.com`; `port`, `username` and `password` stand beside it";
        self.problem(&under(path, "host"), Part::Value, message, Some(hint.to_owned()));
        None
    }

    /// User and password, of which neither stands alone.
    fn email_login(&mut self, path: &[Step], values: &Values) -> Option<(String, secrecy::SecretString)> {
        let lacking = match (values.get("username"), values.get("password")) {
            (Some(user), Some(password)) => return Some((user.to_owned(), password.to_owned().into())),
            (None, None) => return None,
            (None, Some(_)) => "username",
            (Some(_), None) => "password",
        };
        let is_said = ["username", "password"].iter().any(|field| self.is_flagged(&under(path, field)));
        if !is_said && !self.is_unusable(path) && self.fault(path).is_none() {
            let message = format!("`{lacking}` is missing: user and password go together");
            self.problem(path, Part::Value, message, None);
        }
        None
    }
}

/// The people of a field, each of which was found to be one.
fn mailboxes(lines: Option<&str>) -> Option<Vec<Mailbox>> {
    lines?.lines().map(|line| line.parse().ok()).collect()
}
