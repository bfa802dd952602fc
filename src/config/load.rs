//! From the text of a config to a [`Config`]: asks each feature for its part.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_yaml::Value;
use sha2::{Digest, Sha256};

use super::entries::KINDS;
use super::include::include;
use super::settings::RawSettings;
use super::source::Source;
use super::{Asked, Config, Linted, Loaded, Needs, commands};
use crate::check::account::config::RawProject;
use crate::check::account::config::Usual;
use crate::check::account::page::Page;
use crate::check::mailbox::config::{RawEmailSettings, RawMailboxes};
use crate::check::subscription::config::RawSubscription;
use crate::notify::channel::page::Page as ChannelPage;
use crate::notify::config::{self, ChannelPages, OwnFields, RawWebhook};
use crate::process::command::Variables;
use crate::process::environment::Environment;
use crate::process::file;
use crate::process::interrupt::{Deadline, Interrupt};
use crate::publish::config::RawMetrics;
use crate::publish::healthchecks::config::RawHealthchecks;
use crate::state::config::RawState;
use crate::yaml::document::Document;
use crate::yaml::field::fields;
use crate::yaml::path::{NodePath, Part, Position, Step, key};
use crate::yaml::problem::{Problem, Reach};
use crate::yaml::reader::ConfigReader;
use crate::yaml::secret_commands::{Answers, Words};
use crate::yaml::texts::RawTexts;

fields! {
    /// A config for balance-alert: what to watch, and whom to tell.
    pub(crate) struct RawConfig {
        /// Where the JSON Schema of this file is, for editors.
        schema as "$schema": String;
        /// Other files whose projects, email, subscriptions, webhooks, providers and channels go on with those of this one: `conf.d/*.yaml`.
        include: RawTexts;
        /// How a run behaves.
        settings: RawSettings;
        /// One channel that alerts go to.
        webhook: RawWebhook;
        /// Several channels that alerts go to.
        webhooks: Vec<Option<RawWebhook>>;
        /// Pages for channels that the catalogue does not know.
        channels: Vec<Option<ChannelPage>>;
        /// The accounts to watch.
        projects: Vec<Option<RawProject>>;
        /// Pages for services that the catalogue does not know.
        providers: Vec<Option<Page>>;
        /// What Prometheus sees of a run.
        metrics: RawMetrics;
        /// A service that hears that runs happen, and tells people when it hears nothing.
        healthchecks: RawHealthchecks;
        /// Where runs keep what they remember: `none`, or a file or a PostgreSQL database.
        state: RawState;
        /// What renews on a date.
        subscriptions: Vec<Option<RawSubscription>>;
        /// The mailboxes to watch: a list, or one alone.
        email: RawMailboxes;
        /// How mailboxes are read.
        email_settings: RawEmailSettings;
    }
}

/// A config, and the commands that tell its secrets: those that are needed, with the fields, and the variables that they see.
type Read = (Loaded, BTreeSet<(NodePath, Words)>, Arc<Variables>);

/// Reads the text of a config and checks all of it, with the commands asked that tell its secrets. Where a signal came
/// meanwhile, the interrupt that it is seen by says so.
pub(super) fn build(
    source: &Source,
    text: &str,
    environment: &Environment,
    now: Timestamp,
    needs: Needs,
    asked: Asked,
) -> (Loaded, Option<Interrupt>) {
    let (loaded, needed, variables) = read(source, text, environment, now, needs, Answers::new());
    let commands: BTreeSet<Words> =
        needed.into_iter().filter(|(field, _)| asked.has(field)).map(|(_, words)| words).collect();
    let Some(config) = loaded.config.as_ref().filter(|_| !commands.is_empty()) else {
        return (loaded, None);
    };
    let each = config.settings.request_timeout;
    let end = Instant::now() + asked.time().min(config.settings.run_timeout) / 2;
    let interrupt = Interrupt::watch_or_warn();
    let answers = commands::ask(commands, &variables, each, &Deadline::new(end, Duration::ZERO, &interrupt));
    (read(source, text, environment, now, needs, answers).0, Some(interrupt))
}

fn read(
    source: &Source,
    text: &str,
    environment: &Environment,
    now: Timestamp,
    needs: Needs,
    answers: Answers,
) -> Read {
    let mut document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let problem = unparsed(source, error.position, error.message);
            return (Loaded { config: None, problems: vec![problem] }, BTreeSet::new(), Arc::default());
        }
    };
    // Large configs are most of a run's memory, so there is one tree.
    let mut tree = std::mem::take(&mut document.root);
    let (included, wrong) = include(source, &mut document, &mut tree);
    let stands_for = config::replaced_by_variables(environment);
    let mut reader =
        ConfigReader::new(source.name(), source.folder(), &document, &mut tree, environment, &KINDS, &stands_for);
    reader.fatal |= !wrong.is_empty();
    reader.problems.extend(wrong);
    reader.take_commands(&mut tree, answers);
    let is_mailbox_list = tree.get("email").is_none_or(Value::is_sequence);
    let (raw, channels) = reader.shape(&mut tree);
    drop(tree);
    let config = reader.config(raw, channels, is_mailbox_list, (&[text, &included].concat(), now));
    reader.report_unknown_commands();
    if needs == Needs::Checks {
        reader.needs_checks(&config);
    }
    let needed = std::mem::take(&mut reader.commands.needed);
    let variables = Arc::clone(&reader.commands.variables);
    let mut problems = reader.problems;
    // Problems come in the order of the file: first those that have no place in it, last those whose place was not looked for any
    // more.
    problems.sort_by_key(|problem| {
        let is_lost = problem.position.is_none() && problem.place.is_some();
        (problem.reach != Reach::Line, is_lost, problem.position)
    });
    let config = (!reader.fatal).then_some(config);
    (Loaded { config, problems }, needed, variables)
}

/// Checks the pages of a file.
pub(super) fn lint(source: &Source, text: &str, environment: &Environment) -> Linted {
    let mut linted = Linted { pages: 0, examples: 0, problems: Vec::new(), advice: Vec::new() };
    let mut document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            linted.problems.push(unparsed(source, error.position, error.message));
            return linted;
        }
    };
    let mut tree = std::mem::take(&mut document.root);
    let mut reader = ConfigReader::new(source.name(), source.folder(), &document, &mut tree, environment, &KINDS, &[]);
    let at = match &tree {
        Value::Mapping(fields) if fields.contains_key("providers") => vec![key("providers")],
        _ => Vec::new(),
    };
    let pages = match if at.is_empty() { Some(&mut tree) } else { tree.get_mut("providers") } {
        None => Vec::new(),
        Some(Value::Sequence(items)) => {
            let places = (0..items.len()).map(|index| [&at[..], &[Step::Index(index)]].concat());
            places.zip(std::mem::take(items)).collect()
        }
        Some(one) => vec![(at, std::mem::take(one))],
    };
    linted.pages = pages.len();
    linted.examples = reader.lint_pages(pages);
    linted.problems = reader.problems;
    linted.problems.sort_by_key(|problem| problem.position);
    linted.advice = reader.advice;
    linted
}

/// That a text is no YAML.
fn unparsed(source: &Source, position: Option<Position>, message: String) -> Problem {
    Problem { file: source.name(), position, place: None, message, hint: None, reach: Reach::Whole }
}

impl ConfigReader<'_> {
    /// Deserialises the tree entry by entry, so that a large config is gone through once, whatever is wrong with it.
    fn shape(&mut self, tree: &mut Value) -> (RawConfig, (ChannelPages, OwnFields)) {
        if tree.is_null() {
            self.problem(&[], Part::Value, "the config is empty", None);
            return <(RawConfig, (ChannelPages, OwnFields))>::default();
        }
        if !tree.is_mapping() {
            self.problem(&[], Part::Value, "the config is not a mapping of `key: value`", None);
            return <(RawConfig, (ChannelPages, OwnFields))>::default();
        }
        let projects = self.items(tree, "projects");
        let subscriptions = self.items(tree, "subscriptions");
        let mailboxes = self.items(tree, "email");
        let pages = self.items(tree, "channels").unwrap_or_default();
        let mut pages = self.channel_pages(pages);
        let own = self.own_fields(tree, &mut pages);
        let webhooks = self.items(tree, "webhooks");
        let providers = self.items(tree, "providers");
        let rest: RawConfig = self.fit(tree, &[]).unwrap_or_default();
        let raw = RawConfig {
            projects: projects.or(rest.projects),
            subscriptions: subscriptions.or(rest.subscriptions),
            email: mailboxes.map(RawMailboxes).or(rest.email),
            webhooks: webhooks.or(rest.webhooks),
            providers: providers.or(rest.providers),
            ..rest
        };
        (raw, (pages, own))
    }

    /// Reports a config without anything to check, unless something else is wrong with it.
    fn needs_checks(&mut self, config: &Config) {
        let has_none = config.projects.is_empty() && config.subscriptions.is_empty() && config.mailboxes.is_empty();
        if self.problems.is_empty() && has_none {
            let hint = Some("add an entry under `projects`, or set `enabled: true` on one".to_owned());
            self.problem(&[], Part::Value, "there is nothing to do: nothing to watch is enabled", hint);
        }
    }

    fn config(
        &mut self,
        raw: RawConfig,
        (mut channel_pages, own_fields): (ChannelPages, OwnFields),
        is_mailbox_list: bool,
        (text, now): (&str, Timestamp),
    ) -> Config {
        let mut settings = raw.settings.unwrap_or_default();
        let rate_limits = settings.rate_limits.take();
        let settings = self.settings(settings);
        file::allow(settings.run_timeout);
        let mut pages = self.pages(raw.providers.unwrap_or_default());
        let (channels, places) = self.channels(raw.webhook, raw.webhooks, own_fields, &mut channel_pages);
        let email = raw.email_settings.unwrap_or_default();
        let (mailboxes, email) = self.mailboxes(raw.email, is_mailbox_list, email, settings.request_timeout);
        let usual = Usual { timeout: settings.request_timeout, forecasting: settings.forecasting };
        let projects = self.projects(raw.projects.unwrap_or_default(), &mut pages, &mailboxes, usual);
        // Only the pages that projects name have been read.
        let rate_limits = self.limits(rate_limits, &pages);
        let state = self.state(raw.state);
        let metrics = self.metrics(raw.metrics.unwrap_or_default());
        let healthchecks = self.healthchecks(raw.healthchecks);
        let subscriptions =
            self.subscriptions(raw.subscriptions.unwrap_or_default(), now.to_zoned(settings.timezone.clone()).date());
        let config = Config {
            settings,
            rate_limits,
            channels,
            projects,
            subscriptions,
            mailboxes,
            email,
            state,
            metrics,
            healthchecks,
            fingerprint: Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
            redactor: Arc::new(std::mem::take(&mut self.redactor)),
            warnings: std::mem::take(&mut self.warnings),
            advice: Vec::new(),
        };
        self.reach(&config, &places);
        Config { advice: std::mem::take(&mut self.advice), ..config }
    }
}
