//! What a config says of the service that hears that runs happen.

use std::time::Duration;

use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::{Number, fields};
use crate::yaml::path::{Part, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;

fields! {
    /// A service that hears of each run that begins and ends, and tells people when it hears nothing.
    pub(crate) struct RawHealthchecks {
        /// The address that the service gives for one check. It is a secret.
        url: String;
        /// A file that holds the address.
        url_file: String;
        /// How the address is asked.
        kind: HealthchecksKind, default = "what the address looks like, else healthchecks";
        /// Whether it hears that a run begins as well. Uptime Kuma knows no beginnings.
        start: Lenient<bool>, default = "true";
        /// Longest time for one message, in seconds. No run waits longer for it at its end than twice this.
        timeout_seconds: Lenient<Decimal>, number = Number::above_zero(10).unit("seconds").or(3);
        /// Says that the address may be asked over `http://` at another machine, where everybody on the way can read it; without it
        /// every run warns.
        allow_insecure: Lenient<bool>;
    }
}

/// How the address of a check is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthchecksKind {
    /// healthchecks.io, hosted or one's own: `/start`, and the exit code in the path
    Healthchecks,
    /// A push monitor of Uptime Kuma: `?status=up` or `down`
    UptimeKuma,
    /// Cronitor: `?state=run`, `complete` or `fail`
    Cronitor,
}

/// A service that hears of each run.
#[derive(Clone)]
pub(crate) struct Healthchecks {
    /// The address of the check, or why nobody hears of a run.
    pub url: Result<Url, String>,
    /// How it is asked.
    pub kind: HealthchecksKind,
    /// Whether it hears of the beginning.
    pub start: bool,
    /// Longest time for one message.
    pub timeout: Duration,
    /// Whether the address may travel in the clear.
    pub allow_insecure: bool,
}

impl ConfigReader<'_> {
    /// What hears of runs; none if the config does not speak of it.
    pub(crate) fn healthchecks(&mut self, raw: Option<RawHealthchecks>) -> Option<Healthchecks> {
        let path = vec![key("healthchecks")];
        let raw = match raw {
            Some(raw) => raw,
            None if self.is_flagged(&path) => RawHealthchecks::default(),
            None => return None,
        };
        let timeout = self.seconds(&path, &RawHealthchecks::timeout_seconds, raw.timeout_seconds);
        let secret = self.secret(&path, "url", raw.url, raw.url_file.as_deref());
        let url = secret.and_then(|secret| {
            self.vet(&path, "url", secret.expose_secret(), Use::Address);
            let url = web_address(secret.expose_secret());
            let at = under(&path, &self.written_as(&path, "url"));
            match url {
                Ok(url) => {
                    self.redactor.learn_secret_address(&url);
                    Some(url)
                }
                Err(why) => {
                    self.problem(&at, Part::Value, format!("`url` {why}"), None);
                    self.flagged.insert(under(&path, "url"));
                    None
                }
            }
        });
        if url.is_none()
            && !self.is_unusable(&path)
            && !self.is_flagged(&under(&path, "url"))
            && self.fault(&path).is_none()
        {
            let hint = Some("set `url` or `url_file`, the address that the service gives for one check".to_owned());
            self.problem(&path, Part::Value, "`url` is missing", hint);
        }
        let kind = raw.kind.unwrap_or_else(|| url.as_ref().map_or(HealthchecksKind::Healthchecks, kind_of));
        let url = match self.fault(&path) {
            Some(why) => Err(why),
            None => url.ok_or_else(|| "it has no address".to_owned()),
        };
        Some(Healthchecks {
            url,
            kind,
            start: raw.start.is_none_or(|start| start.0),
            timeout,
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
        })
    }
}

/// What an address looks like.
fn kind_of(url: &Url) -> HealthchecksKind {
    let host = url.host_str().unwrap_or_default();
    let is_at = |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    match () {
        () if url.path().contains("/api/push/") => HealthchecksKind::UptimeKuma,
        () if is_at("cronitor.link") || is_at("cronitor.io") => HealthchecksKind::Cronitor,
        () => HealthchecksKind::Healthchecks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_tells_how_it_is_asked() {
        use HealthchecksKind::{Cronitor, Healthchecks, UptimeKuma};
        for (address, want) in [
            ("https://hc-ping.com/8f2d", Healthchecks),
            ("https://hc.example/ping/8f2d", Healthchecks),
            ("https://kuma.example/api/push/abc?status=up&msg=OK&ping=", UptimeKuma),
            ("https://example.org/kuma/api/push/abc", UptimeKuma),
            ("https://cronitor.link/p/key/job", Cronitor),
            ("https://notcronitor.link/p/key/job", Healthchecks),
        ] {
            assert_eq!(kind_of(&Url::parse(address).unwrap()), want, "{address}");
        }
    }
}
