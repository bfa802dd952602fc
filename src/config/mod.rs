//! What the user wrote: text in, a [`Config`] out, and every problem with its place.
//!
//! Here the parts are put together that each feature reads of its own (its `config.rs`, with the kit in `yaml`). After [`load`]
//! nothing validates again. Not here: which of it a run does (`plan`).

mod channels;
mod entries;
mod load;
mod reach;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod schema;
mod sections;
mod settings;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::account::config::Project;
use crate::check::mailbox::config::{EmailSettings, Mailbox};
use crate::check::subscription::config::Subscription;
use crate::notify::config::Channel;
use crate::process::environment::Environment;
use crate::process::redact::Redactor;
use crate::publish::config::Metrics;
use crate::publish::healthchecks::config::Healthchecks;
use crate::state::config::State;
use crate::wire::limit::Limit;

pub(crate) use reach::shown as shown_alert;
pub(crate) use sections::variables;
pub use settings::Settings;
pub(crate) use settings::cap_workers;
pub(crate) use source::Source;

pub(crate) use crate::state::config::{STATE_VARIABLE, chosen_place};
pub(crate) use crate::yaml::problem::{MOST_PROBLEMS, Problem, Reach};

/// A config that is sound as a whole; single entries may still be unusable and say so.
pub(crate) struct Config {
    pub(crate) settings: Settings,
    /// How often each provider may be asked, by its id.
    pub(crate) rate_limits: BTreeMap<String, Limit>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) projects: Vec<Project>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) mailboxes: Vec<Mailbox>,
    /// How mailboxes are read.
    pub(crate) email: EmailSettings,
    /// Where runs keep what they remember.
    pub(crate) state: State,
    pub(crate) metrics: Metrics,
    /// What hears that runs happen.
    pub(crate) healthchecks: Option<Healthchecks>,
    /// A hash of the text.
    pub(crate) fingerprint: String,
    /// Knows every secret of the config.
    pub(crate) redactor: Arc<Redactor>,
    /// Warnings about what works, but not as it is written.
    pub(crate) warnings: Vec<String>,
    /// What is probably not meant as it is written. `validate` says it, and a run does not repeat it.
    pub(crate) advice: Vec<String>,
}

/// What came of reading a config.
pub(crate) struct Loaded {
    /// The config, unless a problem concerns all of it.
    pub config: Option<Config>,
    /// Every problem, in the order of the file.
    pub problems: Vec<Problem>,
}

/// What a command wants of a config. Without it there is nothing to do, which is a mistake of the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Something to check.
    Checks,
    /// Nothing to check: the command is about the channels.
    Channels,
}

/// Reads and checks a config.
pub(crate) fn load(source: &Source, environment: &Environment, needs: Needs) -> Loaded {
    match source.read() {
        Ok(text) => load::build(source, &text, environment, needs),
        Err(problem) => Loaded { config: None, problems: vec![*problem] },
    }
}

/// The published JSON Schema of the config file.
const SCHEMA: &str = include_str!("../../examples/config.schema.json");

/// Where the schema lists the known ids of providers, which an editor completes.
const SCHEMA_IDS: &str = "/definitions/RawProject/properties/provider/anyOf/0/enum";

/// The JSON Schema of the config file as text, with the providers and the channels that this program was built with.
pub(crate) fn schema_text() -> String {
    // A test proves that it is JSON and has the list.
    let mut schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    if let Some(ids) = schema.pointer_mut(SCHEMA_IDS) {
        *ids = crate::check::account::ids().collect();
    }
    channels::describe(&mut schema);
    format!("{schema:#}\n")
}
