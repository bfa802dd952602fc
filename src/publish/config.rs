//! What a config says of metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::metrics;
use crate::process::quote_input;
use crate::wire::auth::Login;
use crate::wire::config::{RawAuth, RawBasic};
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::{Number, Variable, fields};
use crate::yaml::path::{NodePath, Part, Step, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};

/// The variable that stands for `metrics.pushgateway.url`.
const URL: Variable = Variable { name: "PUSHGATEWAY_URL", note: "makes a Pushgateway if the config has none" };
/// What stands before the names of metrics if the config says nothing else.
const NAMESPACE: &str = "balance_alert";
/// The job of the group if the config names none.
const JOB: &str = "balance-alert";

fields! {
    /// What Prometheus sees of a run.
    pub(crate) struct RawMetrics {
        /// What stands before the name of every metric, with an underscore between them; empty for bare names.
        namespace: String, default = NAMESPACE;
        /// A Pushgateway that every run is pushed to.
        pushgateway: RawGateway;
        /// A file for the textfile collector of node_exporter; its name ends in .prom.
        textfile: String;
    }
}

fields! {
    /// A Pushgateway.
    pub(crate) struct RawGateway {
        /// The address, without `/metrics/job/...`.
        url: String, variable = URL;
        /// The job of the group.
        job: String, default = JOB;
        /// More labels of the group.
        grouping: BTreeMap<String, Lenient<Text>>;
        /// The user, for basic authentication.
        username: String;
        /// The password, for basic authentication.
        password: String;
        /// A file that holds the password.
        password_file: String;
        /// A bearer token.
        bearer_token: String;
        /// A file that holds the bearer token; read in every run.
        bearer_token_file: String;
        /// How a push proves who sends it, in any of the ways that webhooks know.
        auth: RawAuth;
        /// What the body is signed with, for a proxy that verifies it.
        secret: String;
        /// A file that holds that secret.
        secret_file: String;
        /// Says that user and password, or the token, may go to an `http://` address of another machine, where everybody on the way
        /// can read them; without it every run warns.
        allow_insecure: Lenient<bool>;
        /// Longest time for the push, in seconds.
        timeout_seconds: Lenient<Decimal>, number = Number::above_zero(60).unit("seconds").or(5);
    }
}

/// What Prometheus sees of a run.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// What goes before every name: empty, or ending in an underscore.
    pub prefix: String,
    /// A Pushgateway.
    pub gateway: Option<Gateway>,
    /// A file for the textfile collector of node_exporter, or why it cannot be written.
    pub textfile: Option<Result<PathBuf, String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics { prefix: format!("{NAMESPACE}_"), gateway: None, textfile: None }
    }
}

/// A Pushgateway, and the group that a run replaces there.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    /// Its address, or why nothing can be pushed.
    pub url: Result<Url, String>,
    /// The job of the group.
    pub job: String,
    /// More labels of the group.
    pub grouping: BTreeMap<String, String>,
    /// Who pushes.
    pub login: Option<Login>,
    /// What the body is signed with.
    pub secret: Option<SecretString>,
    /// Whether what proves who pushes may travel in the clear.
    pub allow_insecure: bool,
    /// Longest time for the push.
    pub timeout: Duration,
}

impl ConfigReader<'_> {
    pub(crate) fn metrics(&mut self, raw: RawMetrics) -> Metrics {
        let path = vec![key("metrics")];
        let prefix = match raw.namespace.as_deref() {
            None => Metrics::default().prefix,
            Some("") => String::new(),
            Some(name) if is_name(name) => format!("{name}_"),
            Some(name) => {
                let shown =
                    quote_input::word(name).map(|name| format!(" `{name}`")).unwrap_or_else(|| " this".to_owned());
                let message = format!("`namespace` cannot be{shown}: letters, digits and underscores, no digit first");
                self.problem(&under(&path, "namespace"), Part::Value, message, None);
                Metrics::default().prefix
            }
        };
        let at = under(&path, "textfile");
        if raw.textfile.as_ref().is_some_and(|file| !file.ends_with(".prom")) {
            let message = "`textfile` must end in `.prom`, or node_exporter does not read it";
            self.problem(&at, Part::Value, message, None);
        }
        let fault = self.fault(&at).or_else(|| self.fault(&path));
        let textfile = match (fault, raw.textfile) {
            (Some(why), file) if file.is_some() || self.is_flagged(&at) => Some(Err(why)),
            (_, file) => file.map(|file| Ok(self.folder.join(file))),
        };
        let at = under(&path, "pushgateway");
        let is_there =
            raw.pushgateway.is_some() || self.environment.overlay(URL.name).is_some() || self.is_flagged(&at);
        let gateway = is_there.then(|| self.gateway(&at, raw.pushgateway.unwrap_or_default()));
        Metrics { prefix, gateway, textfile }
    }

    fn gateway(&mut self, path: &[Step], mut raw: RawGateway) -> Gateway {
        let variable = self.environment.overlay(URL.name).map(str::to_owned);
        let place: NodePath = under(path, "url");
        if variable.is_some() {
            self.outside.insert(place.clone());
        }
        let name = if variable.is_some() { URL.name } else { "url" };
        let url = match (variable, raw.url.take()) {
            (Some(url), _) | (None, Some(url)) => self.gateway_address(&place, name, url.trim()),
            (None, None) => {
                if !self.is_unusable(path) && !self.is_flagged(&place) {
                    let hint = Some(format!("set it, or the variable {}", URL.name));
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
                None
            }
        };
        if raw.job.as_deref() == Some("") {
            self.problem(&under(path, "job"), Part::Value, "`job` is empty", None);
        }
        let login = self.gateway_login(path, &mut raw);
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref());
        if let Some(secret) = &secret {
            self.vet(path, "secret", secret.expose_secret(), Use::Password);
        }
        let grouping = self.grouping(path, raw.grouping.unwrap_or_default());
        let timeout = self.seconds(path, &RawGateway::timeout_seconds, raw.timeout_seconds);
        let url = match self.fault(path).or_else(|| self.fault(&path[..1])) {
            Some(why) => Err(why),
            None => url.ok_or_else(|| "it has no address".to_owned()),
        };
        Gateway {
            url,
            job: raw.job.unwrap_or_else(|| JOB.to_owned()),
            grouping,
            login,
            secret: secret.filter(|secret| !secret.expose_secret().is_empty()),
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
            timeout,
        }
    }

    /// `auth`, or the fields that say the same in short.
    fn gateway_login(&mut self, path: &[Step], raw: &mut RawGateway) -> Option<Login> {
        let basic = RawBasic {
            username: raw.username.take(),
            password: raw.password.take(),
            password_file: raw.password_file.take(),
        };
        let has_basic = basic.username.is_some()
            || basic.password.is_some()
            || basic.password_file.is_some()
            || self.has_command(path, "password");
        let (token, file) = (raw.bearer_token.take(), raw.bearer_token_file.take());
        let has_token = token.is_some() || file.is_some() || self.has_command(path, "bearer_token");
        let login = match (has_basic, has_token, raw.auth.take()) {
            (false, false, None) => return None,
            (false, false, Some(auth)) => return self.auth(&under(path, "auth"), auth),
            (true, false, None) => self.basic(path, basic),
            (false, true, None) => self.bearer(path, "bearer_token", token, file.as_deref()),
            _ => {
                let message = "set only one of `auth`, a bearer token and a user";
                self.problem(path, Part::Value, message, None);
                None
            }
        };
        login.filter(|login| self.is_sound(path, login.secret()))
    }

    fn gateway_address(&mut self, place: &[Step], name: &str, text: &str) -> Option<url::Url> {
        // `host:9091` is what most manuals write.
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let port =
            full.split("://").nth(1).and_then(|rest| rest.split('/').next()).and_then(|host| host.split_once(':'));
        let is_odd = full.contains(":///")
            || port.is_some_and(|(host, port)| !host.starts_with('[') && port.parse::<u16>().is_err());
        // A word alone is a secret in the wrong place as likely as a host, and whoever resolves names would learn it.
        let is_bare_word = !text.contains(['.', ':']) && !text.eq_ignore_ascii_case("localhost");
        let parsed = if (is_odd || is_bare_word) && !full.contains('@') {
            Err("is not a web address such as `http://host:9091`".to_owned())
        } else {
            web_address(&full)
        };
        let parsed = parsed.and_then(|url| {
            if url.query().is_some() || url.fragment().is_some() {
                Err("must not have a query or fragment".to_owned())
            } else if !url.username().is_empty() || url.password().is_some() {
                Err("must not hold a user or password; set `username` and `password`".to_owned())
            } else if url.path().contains("/metrics/job") || url.path().trim_end_matches('/').ends_with("/metrics") {
                Err("ends before `/metrics`; set `job` and `grouping`".to_owned())
            } else {
                Ok(url)
            }
        });
        match parsed {
            Ok(url) => {
                self.redactor.learn_address(&url);
                Some(url)
            }
            Err(why) => {
                self.problem(place, Part::Value, format!("`{name}` {why}"), None);
                None
            }
        }
    }

    fn grouping(&mut self, path: &[Step], labels: BTreeMap<String, Lenient<Text>>) -> BTreeMap<String, String> {
        let at = under(path, "grouping");
        let labels = labels.into_iter().map(|(name, value)| {
            let value = self.as_written(&under(&at, &name), value.0);
            (name, value)
        });
        let labels: BTreeMap<String, String> = labels.collect();
        for name in labels.keys() {
            let message = if !is_name(name) || name.starts_with("__") {
                let shown = quote_input::key(name);
                format!("{shown} is not the name of a label: letters, digits and underscores, no digit first")
            } else if name == "job" {
                "`job` stands beside `grouping`, not in it".to_owned()
            } else if metrics::is_label(name) {
                format!("`{name}` is a label of the metrics themselves, so it cannot name a group")
            } else {
                continue;
            };
            self.problem(&under(&at, name), Part::Key(0), message, None);
        }
        labels
    }
}

/// A name that metrics and labels may have (Prometheus data model, without colons, which are for recording rules).
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
