//! What the user wrote: text in, a [`Config`] out, and every problem with its place.
//!
//! Here the parts are put together that each feature reads of its own (its `config.rs`, with the kit in `yaml`). After [`load`]
//! nothing validates again. Not here: which of it a run does (`plan`).

mod channels;
mod commands;
mod entries;
mod include;
mod load;
mod migrate;
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
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::DeflateDecoder;
use jiff::Timestamp;

use crate::check::account::config::Project;
use crate::check::mailbox::config::{EmailSettings, Mailbox};
use crate::check::subscription::config::Subscription;
use crate::notify::config::Channel;
use crate::process::environment::Environment;
use crate::process::interrupt::Interrupt;
use crate::process::redact::Redactor;
use crate::publish::config::Metrics;
use crate::publish::healthchecks::config::Healthchecks;
use crate::state::config::State;
use crate::wire::limit::Limit;
use crate::yaml::path::Step;

pub(crate) use migrate::{Fate, migrate};
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

/// Which commands that tell secrets are asked. What is not asked cannot be used, and says so.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// None.
    Nobody,
    /// All that are needed, within half of this time.
    All(Duration),
    /// Those below these keys of the config.
    Below(&'static [&'static str]),
    /// None, and no variable and no file of a secret is looked at either: whatever they hold is right.
    Structure,
}

impl Asked {
    fn has(self, field: &[Step]) -> bool {
        match (self, field.first()) {
            (Asked::Below(keys), Some(Step::Key(key))) => keys.contains(&key.as_str()),
            (Asked::All(_), _) => true,
            _ => false,
        }
    }

    fn time(self) -> Duration {
        if let Asked::All(time) = self { time } else { Settings::default().run_timeout }
    }
}

/// Reads and checks a config. Where commands were asked that tell its secrets, signals are watched from then on.
pub(crate) fn load(
    source: &Source,
    environment: &Environment,
    now: Timestamp,
    needs: Needs,
    asked: Asked,
) -> (Loaded, Option<Interrupt>) {
    match source.read() {
        Ok(text) if matches!(asked, Asked::Structure) => {
            load::build(source, &text, &Environment::withheld(), now, needs, asked)
        }
        Ok(text) => load::build(source, &text, environment, now, needs, asked),
        Err(problem) => (Loaded { config: None, problems: vec![*problem] }, None),
    }
}

/// Reads and checks a config that another text makes; no command in it is asked.
pub(crate) fn read(source: &Source, text: &str, environment: &Environment, now: Timestamp) -> Loaded {
    load::build(source, text, environment, now, Needs::Checks, Asked::Nobody).0
}

/// Reads and checks the structure of a config that another text makes.
pub(crate) fn structure(source: &Source, text: &str, now: Timestamp) -> Loaded {
    load::build(source, text, &Environment::withheld(), now, Needs::Checks, Asked::Structure).0
}

/// Everything that is wrong with pages of the user's own, and what is probably not meant as it is written.
pub(crate) struct Linted {
    /// How many pages there are.
    pub pages: usize,
    /// How many examples they have.
    pub examples: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What is probably not meant so.
    pub advice: Vec<String>,
}

/// Checks a file that holds a page, a list of pages, or a config with `providers`.
pub(crate) fn lint(source: &Source, environment: &Environment) -> Linted {
    match source.read() {
        Ok(text) => load::lint(source, &text, environment),
        Err(problem) => Linted { pages: 0, examples: 0, problems: vec![*problem], advice: Vec::new() },
    }
}

/// The published JSON Schema of the config file, `examples/config.schema.json`, as `build.rs` packs it.
const SCHEMA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/schema.deflate"));

/// The schema as it is published. A test proves that it is JSON and has the list of ids.
fn published_schema() -> serde_json::Value {
    let mut text = String::new();
    let is_read = DeflateDecoder::new(SCHEMA).read_to_string(&mut text).is_ok();
    is_read.then(|| serde_json::from_str(&text).ok()).flatten().unwrap_or_default()
}

/// Where the schema lists the known ids of providers, which an editor completes.
const SCHEMA_IDS: &str = "/definitions/RawProject/properties/provider/anyOf/0/enum";

/// The JSON Schema of the config file as text, with the providers and the channels that this program was built with.
pub(crate) fn schema_text() -> String {
    let mut schema = published_schema();
    if let Some(ids) = schema.pointer_mut(SCHEMA_IDS) {
        *ids = crate::check::account::ids().collect();
    }
    channels::describe(&mut schema);
    format!("{schema:#}\n")
}
