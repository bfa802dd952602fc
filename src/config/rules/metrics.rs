//! The rules of `metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{Builder, key, under, web_address};
use crate::auth::Login;
use crate::config::document::{NodePath, Part, Step};
use crate::config::raw::{RawBasic, RawGateway, RawMetrics};
use crate::config::{Gateway, Metrics};
use crate::metrics;

/// The variable that stands for `metrics.pushgateway.url`.
const VARIABLE: &str = "PUSHGATEWAY_URL";

impl Builder<'_> {
    pub(super) fn metrics(&mut self, raw: RawMetrics) -> Metrics {
        let path = vec![key("metrics")];
        let prefix = match raw.namespace.as_deref() {
            None => Metrics::default().prefix,
            Some("") => String::new(),
            Some(name) if is_name(name) => format!("{name}_"),
            Some(name) => {
                let message =
                    format!("`namespace` cannot be `{name}`: letters, digits and underscores, no digit first");
                self.problem(&under(&path, "namespace"), Part::Value, message, None);
                Metrics::default().prefix
            }
        };
        let textfile = raw.textfile.and_then(|file| {
            if file.ends_with(".prom") {
                return Some(self.folder.join(file));
            }
            let message = "`textfile` must end in `.prom`, or node_exporter does not read it";
            self.problem(&under(&path, "textfile"), Part::Value, message, None);
            None
        });
        let is_there = raw.pushgateway.is_some() || self.environment.overlay(VARIABLE).is_some();
        let gateway = is_there.then(|| self.gateway(&under(&path, "pushgateway"), raw.pushgateway.unwrap_or_default()));
        Metrics { prefix, gateway, textfile }
    }

    fn gateway(&mut self, path: &[Step], mut raw: RawGateway) -> Gateway {
        let mut broken = self.unset_under(path);
        let variable = self.environment.overlay(VARIABLE).map(str::to_owned);
        let place: NodePath = if variable.is_some() { Vec::new() } else { under(path, "url") };
        let url = match (variable, raw.url.take()) {
            (Some(url), _) | (None, Some(url)) => self.gateway_address(&place, url.trim()),
            (None, None) => {
                if broken.is_none() && !self.is_flagged(&place) {
                    let hint = Some(format!("set it, or the variable {VARIABLE}"));
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
                None
            }
        };
        if raw.job.as_deref() == Some("") {
            self.problem(&under(path, "job"), Part::Value, "`job` is empty", None);
        }
        let login = self.gateway_login(path, &mut raw, &mut broken);
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref(), &mut broken);
        let at = under(path, "timeout_seconds");
        let timeout = raw.timeout_seconds.map(|n| n.0);
        Gateway {
            url,
            job: raw.job.unwrap_or_else(|| "balance-alert".to_owned()),
            grouping: self.grouping(path, raw.grouping.unwrap_or_default().into_iter().map(|(n, v)| (n, v.0.0))),
            login,
            secret: secret.filter(|secret| !secret.expose_secret().is_empty()),
            timeout: self.seconds(&at, timeout, 60, Duration::from_secs(5)),
            broken,
        }
    }

    /// `auth`, or the fields that say the same in short.
    fn gateway_login(&mut self, path: &[Step], raw: &mut RawGateway, broken: &mut Option<String>) -> Option<Login> {
        let basic = RawBasic {
            username: raw.username.take(),
            password: raw.password.take(),
            password_file: raw.password_file.take(),
        };
        let has_basic = basic.username.is_some() || basic.password.is_some() || basic.password_file.is_some();
        let (token, file) = (raw.bearer_token.take(), raw.bearer_token_file.take());
        let has_token = token.is_some() || file.is_some();
        let login = match (has_basic, has_token, raw.auth.take()) {
            (false, false, None) => return None,
            (false, false, Some(auth)) => return self.auth(&under(path, "auth"), auth, broken),
            (true, false, None) => self.basic(path, basic, broken),
            (false, true, None) => self.secret(path, "bearer_token", token, file.as_deref(), broken).map(Login::Bearer),
            _ => {
                let message = "`auth`, a bearer token and a user exclude each other";
                self.problem(path, Part::Value, message, None);
                None
            }
        };
        login.filter(|login| self.is_sound(path, login.secret(), broken))
    }

    fn gateway_address(&mut self, place: &[Step], text: &str) -> Option<url::Url> {
        let name = if place.is_empty() { VARIABLE } else { "url" };
        // `host:9091` is what most manuals write.
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let port =
            full.split("://").nth(1).and_then(|rest| rest.split('/').next()).and_then(|host| host.split_once(':'));
        let is_odd = full.contains(":///")
            || port.is_some_and(|(host, port)| !host.starts_with('[') && port.parse::<u16>().is_err());
        let parsed = if is_odd && !full.contains('@') {
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
            Ok(url) => Some(url),
            Err(why) => {
                self.problem(place, Part::Value, format!("`{name}` {why}"), None);
                None
            }
        }
    }

    fn grouping(&mut self, path: &[Step], labels: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
        let at = under(path, "grouping");
        let labels: BTreeMap<String, String> = labels.collect();
        for name in labels.keys() {
            let message = if !is_name(name) || name.starts_with("__") {
                format!("`{name}` is not the name of a label: letters, digits and underscores, no digit first")
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
