//! Every key of the config, mapping by mapping: what the list of variables, the JSON Schema and `docs/config.md` are made of.

use super::load::RawConfig;
use super::settings::RawSettings;
use crate::check::account::config::RawProject;
use crate::check::mailbox::config::{RawEmailSettings, RawMailbox, RawOauth2};
use crate::check::subscription::config::{RawPrice, RawSubscription};
use crate::notify::config::{RawActive, RawMatch, RawWebhook};
use crate::publish::config::{RawGateway, RawMetrics};
use crate::publish::healthchecks::config::RawHealthchecks;
use crate::state::config::RawStore;
use crate::wire::config::{RawAuth, RawBasic, RawHeader, RawJwt};
use crate::yaml::field::{Field, Fields};
use crate::yaml::forecasting::RawForecast;

/// A mapping of the config.
pub(super) struct Section {
    /// Where it stands, as `projects[]`; empty for the config itself.
    pub place: &'static str,
    /// The name of its shape in the JSON Schema.
    #[cfg_attr(not(test), allow(dead_code, reason = "the schema and the docs are written by tests"))]
    pub shape: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
}

const fn section<T: Fields>(place: &'static str) -> Section {
    Section { place, shape: T::SHAPE, fields: T::FIELDS }
}

/// Every mapping of the config, except the pages under `providers`, whose language is described in `docs/pages.md`.
pub(super) const SECTIONS: [Section; 20] = [
    section::<RawConfig>(""),
    section::<RawSettings>("settings"),
    section::<RawForecast>("settings.forecast"),
    section::<RawProject>("projects[]"),
    section::<RawWebhook>("webhook"),
    section::<RawMatch>("webhook.match"),
    section::<RawActive>("webhook.active"),
    section::<RawAuth>("auth"),
    section::<RawBasic>("auth.basic"),
    section::<RawJwt>("auth.jwt"),
    section::<RawHeader>("auth.header"),
    section::<RawMailbox>("email[]"),
    section::<RawOauth2>("email[].oauth2"),
    section::<RawEmailSettings>("email_settings"),
    section::<RawSubscription>("subscriptions[]"),
    section::<RawPrice>("subscriptions[].prices[]"),
    section::<RawStore>("state"),
    section::<RawMetrics>("metrics"),
    section::<RawGateway>("metrics.pushgateway"),
    section::<RawHealthchecks>("healthchecks"),
];

/// The environment variables that stand for keys of the config, each with that key and what else it does.
pub(crate) fn variables() -> Vec<(&'static str, String)> {
    let fields = SECTIONS.iter().flat_map(|section| section.fields.iter().map(move |field| (section.place, field)));
    fields
        .filter_map(|(place, field)| {
            let variable = field.variable?;
            let note = if variable.note.is_empty() { String::new() } else { format!("; {}", variable.note) };
            Some((variable.name, format!("{place}.{}{note}", field.name)))
        })
        .collect()
}
