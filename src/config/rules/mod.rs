//! From the tree to a [`Config`]: every rule of the file, and every problem at once.
//!
//! Here: what all entries share. What entries there are, and how far a mistake in one reaches, stands in `entries`; the rules
//! of one kind of entry stand in a file each.

mod auth;
mod channels;
mod entries;
mod literals;
mod mailboxes;
mod metrics;
mod pages;
mod projects;
mod store;
mod subscriptions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_yaml::Value;
use sha2::{Digest, Sha256};
use url::Url;

use self::entries::{entry_of, for_each, is_off};
use super::credential::{self, Use, Weight};
use super::document::{self, Document, NodePath, Part, Step};
use super::interpolate::{Interpolated, interpolate};
use super::problem::{Problem, Reach};
use super::raw::{Lenient, PLAIN_NUMBER, RawConfig, RawMailboxes, RawSettings, Text};
use super::source::Source;
use super::{Alerting, Circuit, Config, Loaded, MOST_PROBLEMS, Settings};
use crate::check::account::page::{Page, Reader};
use crate::model::text;
use crate::process::environment::{DotenvFault, DotenvFaults, Environment};
use crate::process::redact::Redactor;
use crate::process::{echo, file};
use crate::wire::limit::Limit;

/// Most words that a hint lists.
const MOST_LISTED: usize = 40;
/// Most words that are looked at for one that was meant.
const MOST_COMPARED: usize = 1000;

/// Collects the problems of one document.
struct Builder<'a> {
    file: String,
    folder: PathBuf,
    fingerprint: String,
    document: &'a Document,
    environment: &'a Environment,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// What is no mistake, but probably not meant so: only `validate` tells it.
    advice: Vec<String>,
    /// Nodes that are already reported, or whose variable is not set: nothing else is said of them or of what is below.
    flagged: BTreeSet<NodePath>,
    interpolated: Interpolated,
    /// Fields whose value comes from a file or from a variable that stands for the field.
    outside: BTreeSet<NodePath>,
    /// The secrets of the config, for the run.
    redactor: Redactor,
    /// Whether a problem concerns all of the config.
    fatal: bool,
    /// Compiled pages, by id and balance expression: one for all accounts of a provider.
    readers: BTreeMap<(String, String), Arc<Reader>>,
    /// Pages that cannot be used, by id, with the reason if it comes from outside.
    broken_pages: BTreeMap<String, Option<String>>,
    /// Whether `email` is a list, and not one mailbox.
    has_mailbox_list: bool,
    /// Entries that are switched off.
    disabled: BTreeSet<NodePath>,
    /// Entries that something from outside has broken, with the first reason.
    broken: BTreeMap<NodePath, String>,
    /// The names of the entries in lists.
    names: BTreeMap<NodePath, String>,
}

/// Reads the text of a config and checks all of it.
pub(super) fn build(source: &Source, text: &str, environment: &Environment) -> Loaded {
    let mut document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let problem = Problem {
                file: source.name(),
                position: error.position,
                place: None,
                message: error.message,
                hint: None,
                reach: Reach::Whole,
            };
            return Loaded { config: None, problems: vec![problem] };
        }
    };
    // Large configs are most of a run's memory, so there is one tree.
    let mut tree = std::mem::take(&mut document.root);
    let mut interpolated = interpolate(&mut tree, environment);
    if environment.overlay("WEBHOOK_URL").is_some() {
        // The variable stands for the field, so the field's own reference is not needed.
        let stands_for =
            |path: &NodePath| ["url", "url_file"].iter().any(|field| *path == [key("webhook"), key(field)]);
        interpolated.unset.retain(|path, _| !stands_for(path));
    }
    let (mut names, mut disabled) = (BTreeMap::new(), BTreeSet::new());
    for_each(&tree, |path, entry, kind| {
        if is_off(entry) {
            disabled.insert(path.clone());
        }
        if let (2, Some(name)) = (path.len(), entry.get(kind.name).and_then(Value::as_str)) {
            names.insert(path, name.to_owned());
        }
    });
    let mut builder = Builder {
        file: source.name(),
        folder: source.folder(),
        fingerprint: Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        names,
        has_mailbox_list: tree.get("email").is_none_or(Value::is_sequence),
        document: &document,
        environment,
        problems: Vec::new(),
        warnings: Vec::new(),
        advice: Vec::new(),
        flagged: BTreeSet::new(),
        interpolated,
        outside: BTreeSet::new(),
        redactor: Redactor::default(),
        fatal: false,
        readers: BTreeMap::new(),
        broken_pages: BTreeMap::new(),
        disabled,
        broken: BTreeMap::new(),
    };
    builder.report_tree();
    builder.report_names();
    let raw = builder.shape(&mut tree);
    drop(tree);
    let config = builder.config(raw);
    let mut problems = builder.problems;
    // In the order of the file: first what has no place in it, last what was not looked for any more.
    problems.sort_by_key(|problem| {
        let is_lost = problem.position.is_none() && problem.place.is_some();
        (problem.reach != Reach::Line, is_lost, problem.position)
    });
    let config = (!builder.fatal).then_some(config);
    Loaded { config, problems }
}

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

fn item(list: &str, index: usize) -> NodePath {
    vec![key(list), Step::Index(index)]
}

fn under(path: &[Step], name: &str) -> NodePath {
    let mut path = path.to_vec();
    path.push(key(name));
    path
}

impl Builder<'_> {
    /// Records a problem at a node. It concerns the whole config, unless its value comes from outside or its entry is
    /// switched off.
    fn problem(&mut self, path: &[Step], part: Part, message: impl Into<String>, hint: Option<String>) {
        self.push(path, part, message.into(), hint, Reach::Whole);
    }

    fn push(&mut self, path: &[Step], part: Part, message: String, hint: Option<String>, reach: Reach) {
        let entry = entry_of(path);
        let is_off = entry.is_some_and(|entry| self.disabled.contains(entry));
        let reach = if entry.is_some() && (is_off || self.is_from_outside(path)) { Reach::Entry } else { reach };
        // What variables brought in may be a secret, and some messages come from elsewhere, as those about jq do.
        let brought = self.brought_into(entry.unwrap_or(path));
        let message = echo::scrub(&brought.mask(&message));
        if let (Reach::Entry, Some(entry), false) = (reach, entry, is_off) {
            self.broken.entry(entry.to_vec()).or_insert_with(|| message.clone());
        }
        self.fatal |= reach == Reach::Whole;
        if self.problems.len() >= MOST_PROBLEMS {
            // Many small ones do not hide a large one.
            let small = self.problems.iter().rposition(|problem| problem.reach != Reach::Whole);
            match small.filter(|_| reach == Reach::Whole) {
                Some(small) => self.problems.remove(small),
                None => return,
            };
        }
        let problem = self.at(path, part, message, hint, reach);
        self.problems.push(problem);
    }

    /// Records what is probably not meant so.
    fn advise(&mut self, path: &[Step], message: &str, hint: &str) {
        if self.advice.len() < MOST_PROBLEMS {
            let problem = self.at(path, Part::Value, message.to_owned(), Some(hint.to_owned()), Reach::Entry);
            self.advice.push(problem.to_string());
        }
    }

    /// A problem with its place.
    fn at(&self, path: &[Step], part: Part, message: String, hint: Option<String>, reach: Reach) -> Problem {
        // The place is the entry; the field stands in the message.
        let brought = self.brought_into(entry_of(path).unwrap_or(path));
        let place = self.place(path, &brought);
        Problem {
            file: self.file.clone(),
            position: self.document.locate(path, part),
            place,
            message,
            hint: hint.map(|hint| brought.mask(&hint)),
            reach,
        }
    }

    /// The entry of a node, for messages: `projects[3]` and its name.
    fn place(&self, path: &[Step], brought: &Redactor) -> Option<String> {
        let depth = path.len().min(if matches!(path.get(1), Some(Step::Index(_))) { 2 } else { 1 });
        let name = self.names.get(&path[..depth]).and_then(|name| echo::name(&brought.mask(name)));
        match path.first() {
            Some(Step::Key(first)) if echo::word(first).is_some() => {
                let place = document::show(&path[..depth]);
                Some(name.map_or_else(|| place.clone(), |name| format!("{place} `{name}`")))
            }
            _ => None,
        }
    }

    /// Looks at a credential before anybody is asked with it. What cannot be right breaks the entry, what is odd is a warning.
    fn vet(&mut self, path: &[Step], field: &str, secret: &str, purpose: Use, broken: &mut Option<String>) {
        let at = under(path, field);
        // Of a control character somebody else speaks.
        let is_known = broken.is_some() || secret.chars().any(char::is_control);
        let Some(finding) = credential::inspect(secret, purpose).filter(|_| !is_known) else {
            return;
        };
        let variables = self.interpolated.filled.get(&at).map(|filled| filled.variables.as_slice()).unwrap_or_default();
        let name = match variables.iter().find_map(|name| echo::name(name)) {
            Some(variable) => format!("`{field}`, from the variable `{variable}`,"),
            None if self.outside.contains(&at) => format!("`{field}_file`"),
            None => format!("`{field}`"),
        };
        let (message, hint) = (format!("{name} {}", finding.what), finding.hint);
        match finding.weight {
            Weight::Wrong => {
                *broken = Some(message.clone());
                self.push(&at, Part::Value, message, hint.map(str::to_owned), Reach::Entry);
            }
            Weight::Odd => {
                let place = self.place(path, &self.brought_into(path)).unwrap_or_default();
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                self.warnings.push(format!("{place}: {message}{hint}"));
            }
        }
    }

    /// Whether nothing that is found any more could be listed.
    fn is_full(&self) -> bool {
        self.fatal && self.problems.len() >= MOST_PROBLEMS
    }

    /// Whether something was already said of this node or of one above it.
    fn is_flagged(&self, path: &[Step]) -> bool {
        (0..=path.len()).any(|length| self.flagged.contains(&path[..length]))
    }

    /// Whether a variable or a file brought in what stands in a field.
    fn is_from_outside(&self, path: &[Step]) -> bool {
        self.outside.contains(path) || self.interpolated.filled.contains_key(path)
    }

    /// Knows what variables brought into a node and into those below, except into names, which a run speaks of as well.
    fn brought_into(&self, path: &[Step]) -> Redactor {
        let redactor = Redactor::default();
        let below = self.interpolated.filled.range(path.to_vec()..).take_while(|(at, _)| at.starts_with(path));
        for (_, filled) in below.filter(|(at, _)| !is_name(at)) {
            redactor.learn(&filled.text);
        }
        redactor
    }

    /// Why an entry cannot be used, if that comes from outside.
    fn broken_at(&self, entry: &[Step]) -> Option<String> {
        self.broken.get(entry).cloned()
    }

    /// Whether an entry is switched off: then it needs nothing, and none of the rules is about it.
    fn is_disabled(&self, entry: &[Step]) -> bool {
        self.disabled.contains(entry)
    }

    /// Problems of the text itself: duplicate keys, broken references, variables that are not set.
    fn report_tree(&mut self) {
        if let Some(faults) = self.environment.dotenv_faults() {
            self.problems.extend(dotenv_problems(faults));
        }
        for duplicate in &self.document.duplicates {
            if self.is_full() {
                break;
            }
            let first = self.document.locate(&duplicate.path, Part::Key(0));
            let hint = first.map(|(line, column)| format!("it stands first at {line}:{column}"));
            let message = match echo::word(&last_key(&duplicate.path)) {
                Some(name) => format!("duplicate key `{name}`"),
                None => "duplicate key".to_owned(),
            };
            self.problem(&duplicate.path, Part::Key(duplicate.occurrence), message, hint);
        }
        for path in &self.document.rounded {
            let message = format!("{} must be {PLAIN_NUMBER}", echo::key(&last_key(path)));
            self.problem(path, Part::Value, message, None);
            self.flagged.insert(path.clone());
        }
        for (path, why) in std::mem::take(&mut self.interpolated.malformed) {
            let message = format!("{}: {why}", echo::key(&last_key(&path)));
            self.problem(&path, Part::Value, message, Some("write `$$` for a dollar sign".to_owned()));
            self.flagged.insert(path);
        }
        let unset = std::mem::take(&mut self.interpolated.unset);
        for (path, name) in &unset {
            if entry_of(path).is_some_and(|entry| self.is_disabled(entry)) {
                continue;
            }
            self.flagged.insert(path.clone());
            let shown =
                echo::name(name).map_or_else(|| "a variable".to_owned(), |name| format!("the variable `{name}`"));
            let reach = match entry_of(path) {
                Some(entry) => {
                    self.broken.entry(entry.to_vec()).or_insert_with(|| format!("{shown} is not set"));
                    Reach::Entry
                }
                None => Reach::Whole,
            };
            let field = echo::key(&last_key(path));
            let (message, hint) = match self.environment.why_unset(name) {
                Some(why) => (format!("{field} needs {shown}, but {why}"), None),
                None => {
                    let hint = echo::name(name).map(|name| format!("set it, or give a default: `${{{name}:-...}}`"));
                    (format!("{field} needs {shown}, which is not set"), hint)
                }
            };
            self.push(path, Part::Value, message, hint, reach);
        }
        self.interpolated.unset = unset;
    }

    /// Names stand in reports, alerts and metrics, so a key among them is hardly meant.
    fn report_names(&mut self) {
        let keys = self.names.iter().filter(|(_, name)| echo::is_known_key(name)).map(|(path, _)| document::show(path));
        let warnings = keys.map(|place| format!("{place}: its name looks like a key, and names stand in every report"));
        self.warnings.extend(warnings);
    }

    /// Deserialises the tree entry by entry, so that a large config is gone through once, whatever is wrong with it.
    fn shape(&mut self, tree: &mut Value) -> RawConfig {
        if tree.is_null() {
            self.problem(&[], Part::Value, "the config is empty", None);
            return RawConfig::default();
        }
        if !tree.is_mapping() {
            self.problem(&[], Part::Value, "the config is not a mapping of `key: value`", None);
            return RawConfig::default();
        }
        let projects = self.items(tree, "projects");
        let subscriptions = self.items(tree, "subscriptions");
        let mailboxes = self.items(tree, "email");
        let webhooks = self.items(tree, "webhooks");
        let providers = self.items(tree, "providers");
        let rest: RawConfig = self.fit(tree, &[]).unwrap_or_default();
        RawConfig {
            projects: projects.or(rest.projects),
            subscriptions: subscriptions.or(rest.subscriptions),
            email: mailboxes.map(RawMailboxes).or(rest.email),
            webhooks: webhooks.or(rest.webhooks),
            providers: providers.or(rest.providers),
            ..rest
        }
    }

    /// Takes the entries of a list out of the tree; nothing if there is no list.
    fn items<T: DeserializeOwned>(&mut self, tree: &mut Value, list: &str) -> Option<Vec<Option<T>>> {
        let items = std::mem::take(tree.get_mut(list)?.as_sequence_mut()?);
        let entries = items.into_iter().enumerate();
        Some(entries.map(|(index, mut entry)| self.fit(&mut entry, &item(list, index))).collect())
    }

    /// Deserialises one node, takes out each node that does not fit, and goes on, so that all such nodes are found.
    fn fit<T: DeserializeOwned>(&mut self, node: &mut Value, base: &[Step]) -> Option<T> {
        if node.is_null() || self.is_full() {
            return None;
        }
        // Each round takes a node out.
        for _ in 0..=2 * MOST_PROBLEMS {
            let error = match serde_path_to_error::deserialize(&*node) {
                Ok(raw) => return Some(raw),
                Err(error) => error,
            };
            let path: NodePath = error
                .path()
                .iter()
                .filter_map(|segment| match segment {
                    serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
                    serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
                    _ => None,
                })
                .collect();
            let full: NodePath = base.iter().chain(&path).cloned().collect();
            if !self.is_flagged(&full) {
                self.misfit(&full, &error.inner().to_string());
                self.flagged.insert(full);
            }
            if path.is_empty() || !remove(node, &path) || self.is_full() {
                break;
            }
        }
        None
    }

    /// Words serde's complaint about one node. What it quotes of the node is not repeated: it may be a secret.
    fn misfit(&mut self, path: &[Step], said: &str) {
        let name = last_key(path);
        let words: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
        if said.starts_with("unknown field") {
            let known: Vec<&str> = words.into_iter().skip(1).filter(|known| *known != name).collect();
            let hint = suggestion(&name, &known, "fields here");
            // The field that was meant is not missing as well.
            if let (Some(near), Some((_, parent))) = (text::nearest(&name, known.iter().copied()), path.split_last()) {
                self.flagged.insert(under(parent, near));
            }
            let message = match echo::among(&name, &known) {
                Some(name) => format!("unknown field `{name}`"),
                None => "unknown field".to_owned(),
            };
            self.problem(path, Part::Key(0), message, hint);
        } else if said.starts_with("unknown variant") {
            let value = words.first().copied().unwrap_or_default();
            let known: Vec<&str> = words.iter().copied().skip(1).collect();
            self.choice(path, "", value, &known);
        } else if let Some(missing) = said.strip_prefix("missing field ") {
            if !self.is_flagged(&under(path, missing.trim_matches('`'))) {
                self.problem(path, Part::Value, format!("{missing} is missing"), None);
            }
        } else {
            let expected = said.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
            let found = said.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            let found = [
                ("sequence", "a list"),
                ("map", "a mapping"),
                ("unit value", "nothing"),
                ("floating point `NaN`", "not one (NaN)"),
                ("floating point `inf`", "infinite"),
                ("floating point `-inf`", "infinite"),
                ("floating point", "a number"),
                ("integer", "a number"),
                ("boolean", "true or false"),
                ("string", "text"),
            ]
            .into_iter()
            .find_map(|(begin, words)| found.starts_with(begin).then_some(words))
            .unwrap_or("something else");
            let expected = match expected {
                "a string" => "text",
                "a sequence" => "a list",
                e if e.starts_with("struct") || e == "a map" => "a mapping",
                e => e,
            };
            let hint = match (expected, found) {
                ("text", "a number" | "true or false") => Some("put it in quotes".to_owned()),
                ("a number", "text") => Some("write it with digits and at most one full stop, as 1234.5".to_owned()),
                _ => None,
            };
            let what = match path.last() {
                Some(Step::Key(name)) => echo::key(name),
                _ => "the entry".to_owned(),
            };
            self.problem(path, Part::Value, format!("{what} must be {expected}, but is {found}"), hint);
        }
    }

    /// A value that is none of those which are allowed.
    fn choice(&mut self, path: &[Step], noun: &str, value: &str, known: &[&str]) {
        let name = format!("{noun}{}", echo::key(&last_key(path)));
        let message = match echo::among(value, known) {
            Some(value) => format!("{name} cannot be `{value}`"),
            None => format!("{name} is none of the words that it can be"),
        };
        self.problem(path, Part::Value, message, suggestion(value, known, "allowed"));
    }

    fn config(&mut self, raw: RawConfig) -> Config {
        let mut settings = raw.settings.unwrap_or_default();
        let rate_limits = settings.rate_limits.take();
        let settings = self.settings(settings);
        file::allow(settings.run_timeout);
        let pages = self.pages(raw.providers.unwrap_or_default());
        let rate_limits = self.limits(rate_limits, &pages);
        let channels = self.channels(raw.webhook, raw.webhooks);
        let projects = self.projects(raw.projects.unwrap_or_default(), &pages, &settings);
        let state = self.state(raw.state);
        let metrics = self.metrics(raw.metrics.unwrap_or_default());
        let subscriptions = self.subscriptions(raw.subscriptions.unwrap_or_default(), &settings.timezone);
        let (mailboxes, email) = self.mailboxes(raw.email, raw.email_settings.unwrap_or_default(), &settings);
        if self.problems.is_empty() && projects.is_empty() && subscriptions.is_empty() && mailboxes.is_empty() {
            let hint = Some("add an entry under `projects`, or set `enabled: true` on one".to_owned());
            self.problem(&[], Part::Value, "there is nothing to do: nothing to watch is enabled", hint);
        }
        Config {
            settings,
            rate_limits,
            channels,
            projects,
            subscriptions,
            mailboxes,
            email,
            state,
            metrics,
            fingerprint: self.fingerprint.clone(),
            folder: self.folder.clone(),
            redactor: Arc::new(std::mem::take(&mut self.redactor)),
            warnings: std::mem::take(&mut self.warnings),
            advice: std::mem::take(&mut self.advice),
        }
    }

    fn settings(&mut self, raw: RawSettings) -> Settings {
        let at = |name: &str| vec![key("settings"), key(name)];
        let defaults = Settings::default();
        let workers = self.overlay("MAX_CONCURRENT_CHECKS", raw.max_concurrent_checks.map(|n| n.0));
        let workers = match workers {
            Some(..=0) => {
                self.problem(
                    &at("max_concurrent_checks"),
                    Part::Value,
                    "`max_concurrent_checks` must be at least 1",
                    None,
                );
                defaults.max_concurrent_checks
            }
            Some(n) => n.min(i128::from(u32::MAX)) as usize,
            None => defaults.max_concurrent_checks,
        };
        let request = self.overlay("REQUEST_TIMEOUT", raw.request_timeout_seconds.map(|n| n.0));
        let request_timeout = self.seconds(&at("request_timeout_seconds"), request, 600, defaults.request_timeout);
        let run = raw.run_timeout_seconds.map(|n| n.0);
        let run_timeout = self.seconds(&at("run_timeout_seconds"), run, 86_400, defaults.run_timeout);
        let max_retries = self.count(&at("max_retries"), raw.max_retries, 10, defaults.max_retries);
        let cooldown = self.overlay("ALERT_COOLDOWN_SECONDS", raw.alert_cooldown_seconds.map(|n| n.0));
        let cooldown_at = at("alert_cooldown_seconds");
        let standard = defaults.alerting;
        let alerting = Alerting {
            cooldown: self.seconds_or_none(&cooldown_at, cooldown, 31_536_000, standard.cooldown),
            realert_drop_percent: self.percent(
                &at("realert_drop_percent"),
                raw.realert_drop_percent,
                false,
                100,
                standard.realert_drop_percent,
            ),
            recovery_margin_percent: self.percent(
                &at("recovery_margin_percent"),
                raw.recovery_margin_percent,
                true,
                1000,
                standard.recovery_margin_percent,
            ),
            failure_alert_after: self.count(
                &at("failure_alert_after"),
                raw.failure_alert_after,
                1000,
                standard.failure_alert_after,
            ),
        };
        let ttl = raw.response_cache_ttl.map(|n| n.0);
        let response_cache_ttl = self.seconds_or_none(&at("response_cache_ttl"), ttl, 86_400, Duration::ZERO);
        let open_for = raw.circuit_breaker_seconds.map(|n| n.0);
        let circuit = Circuit {
            failures: self.count(
                &at("circuit_breaker_failures"),
                raw.circuit_breaker_failures,
                1000,
                defaults.circuit.failures,
            ),
            open_for: self.seconds(&at("circuit_breaker_seconds"), open_for, 86_400, defaults.circuit.open_for),
        };
        let interval = raw.balance_refresh_interval_seconds.map(|n| n.0);
        let interval_at = at("balance_refresh_interval_seconds");
        let refresh_interval =
            interval.map(|n| self.seconds(&interval_at, Some(n), 31_536_000, Duration::from_secs(1)));
        Settings {
            max_concurrent_checks: self.cap_workers(workers),
            request_timeout,
            run_timeout,
            max_retries,
            language: raw.language.unwrap_or_default(),
            alerting,
            response_cache_ttl,
            circuit,
            refresh_interval,
            timezone: self.timezone(&at("timezone"), raw.timezone),
        }
    }

    /// The zone that the config names, else the variable `TZ`, else UTC.
    fn timezone(&mut self, path: &[Step], name: Option<String>) -> TimeZone {
        let zone = |name: &str| {
            // `TZ` may begin with a colon, or spell out the rules of POSIX.
            let name = name.trim_start_matches(':');
            TimeZone::get(name).ok().or_else(|| TimeZone::posix(name).ok())
        };
        match name {
            Some(name) => zone(&name).unwrap_or_else(|| {
                let hint = Some("for example `Asia/Shanghai` or `UTC`".to_owned());
                let message = match shown_zone(&name) {
                    Some(name) => format!("there is no time zone `{name}`"),
                    None => "`timezone` names no time zone".to_owned(),
                };
                self.problem(path, Part::Value, message, hint);
                TimeZone::UTC
            }),
            None => match self.environment.overlay("TZ") {
                None => TimeZone::UTC,
                Some(name) => zone(name).unwrap_or_else(|| {
                    let shown = shown_zone(name).map(|name| format!(" (`{name}`)")).unwrap_or_default();
                    self.warnings.push(format!("the variable `TZ` names no time zone{shown}: going on with UTC"));
                    TimeZone::UTC
                }),
            },
        }
    }

    fn count(&mut self, path: &[Step], value: Option<Lenient<i128>>, most: u32, default: u32) -> u32 {
        match value.map(|n| n.0) {
            None => default,
            Some(n) if (0..=i128::from(most)).contains(&n) => n as u32,
            Some(n) => {
                let message = format!("`{}` must be 0 to {most}{}", last_key(path), echo::but_is(n));
                self.problem(path, Part::Value, message, None);
                default
            }
        }
    }

    fn percent(
        &mut self,
        path: &[Step],
        value: Option<Lenient<Decimal>>,
        zero_is_fine: bool,
        most: u32,
        default: Decimal,
    ) -> Decimal {
        match value.map(|n| n.0) {
            None => default,
            Some(n) if n <= Decimal::from(most) && (n > Decimal::ZERO || (zero_is_fine && n.is_zero())) => n,
            Some(n) => {
                let least = if zero_is_fine { "0" } else { "above 0" };
                let message = format!("`{}` must be {least} to {most}{}", last_key(path), echo::but_is(n));
                self.problem(path, Part::Value, message, None);
                default
            }
        }
    }

    fn cap_workers(&mut self, workers: usize) -> usize {
        let capped = super::cap_workers(workers);
        self.warnings.extend(capped.1);
        capped.0
    }

    /// The value of a variable over that of the file.
    fn overlay<T: std::str::FromStr>(&mut self, variable: &str, value: Option<T>) -> Option<T> {
        self.overlay_at(&[], variable, value)
    }

    /// The same for the value of a field, which then comes from outside.
    fn overlay_at<T: std::str::FromStr>(&mut self, path: &[Step], variable: &str, value: Option<T>) -> Option<T> {
        let Some(text) = self.environment.overlay(variable) else {
            return value;
        };
        self.outside.insert(path.to_vec());
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(_) => {
                self.problem(path, Part::Value, format!("the variable `{variable}` does not hold a number"), None);
                value
            }
        }
    }

    fn seconds(&mut self, path: &[Step], value: Option<Decimal>, most: u32, default: Duration) -> Duration {
        match value {
            None => default,
            Some(seconds) if seconds > Decimal::ZERO && seconds <= Decimal::from(most) => {
                seconds.to_f64().and_then(|s| Duration::try_from_secs_f64(s).ok()).unwrap_or(default)
            }
            Some(seconds) => {
                let name = last_key(path);
                let message = format!("`{name}` must be above 0 and at most {most} seconds{}", echo::but_is(seconds));
                self.problem(path, Part::Value, message, None);
                default
            }
        }
    }

    /// As `seconds`, where 0 has a meaning too.
    fn seconds_or_none(&mut self, path: &[Step], value: Option<Decimal>, most: u32, default: Duration) -> Duration {
        match value {
            Some(zero) if zero.is_zero() => Duration::ZERO,
            Some(n) if n.is_sign_negative() || n > Decimal::from(most) => {
                let message = format!("`{}` must be 0 to {most} seconds{}", last_key(path), echo::but_is(n));
                self.problem(path, Part::Value, message, None);
                default
            }
            value => self.seconds(path, value, most, default),
        }
    }

    /// Whom an entry belongs to, under either name of the field.
    fn owner(&mut self, path: &[Step], owner: Option<String>, old: Option<String>) -> Option<String> {
        if owner.is_some() && old.is_some() {
            let message = "`project` is the old name of `owner_project`; only one of them can be set";
            self.problem(&under(path, "project"), Part::Key(0), message, None);
            return None;
        }
        owner.or(old)
    }

    /// Says that two entries have one name. Where a variable brought one of the names, its entry fails and not the other.
    fn same_name(&mut self, entries: [&[Step]; 2], fields: &[&str], message: String, hint: Option<String>) {
        let names = entries.iter().rev().flat_map(|entry| fields.iter().map(|field| under(entry, field)));
        let brought = names.into_iter().find(|name| self.is_from_outside(name));
        let at = brought.unwrap_or_else(|| match fields {
            [field] => under(entries[1], field),
            _ => entries[1].to_vec(),
        });
        self.problem(&at, Part::Value, message, hint);
    }

    /// Breaks an entry that is made already, where something was found since, such as another one with its name.
    fn break_late(&self, path: &[Step], broken: &mut Option<String>) {
        *broken = broken.take().or_else(|| self.broken_at(path));
    }

    fn missing_entry(&mut self, path: &[Step]) {
        if !self.is_flagged(path) {
            self.problem(path, Part::Value, "the entry is empty", None);
        }
    }

    /// The first variable that a part of an entry misses, as the entry's fault.
    fn unset_under(&self, path: &[Step]) -> Option<String> {
        let (at, name) = self.interpolated.unset.range(path.to_vec()..).next()?;
        let shown = echo::name(name).map_or_else(|| "a variable".to_owned(), |name| format!("the variable `{name}`"));
        (at.starts_with(path) && !path.is_empty()).then(|| format!("{shown} is not set"))
    }

    /// A field without which an entry says nothing.
    fn required(&mut self, path: &[Step], field: &str, is_there: bool) {
        if !is_there && !self.is_flagged(&under(path, field)) {
            self.problem(path, Part::Value, format!("`{field}` is missing"), None);
        }
    }

    /// How often something may be done: none for as often as it likes.
    fn limit(&mut self, path: &[Step], text: &str) -> Option<Limit> {
        if text.trim() == "none" {
            return None;
        }
        match text.parse() {
            Ok(limit) => Some(limit),
            Err(why) => {
                self.problem(path, Part::Value, format!("{} {why}", echo::key(&last_key(path))), None);
                None
            }
        }
    }

    /// How often each provider is asked: as its page says, or as the settings say instead.
    fn limits(
        &mut self,
        set: Option<BTreeMap<String, Lenient<Text>>>,
        pages: &BTreeMap<String, Arc<Page>>,
    ) -> BTreeMap<String, Limit> {
        let own = pages.values().filter_map(|page| Some((page.id.clone(), page.rate_limit.as_ref()?.parse().ok()?)));
        let mut limits: BTreeMap<String, Limit> = own.collect();
        for (id, text) in set.unwrap_or_default() {
            let at = [key("settings"), key("rate_limits"), key(&id)];
            let is_broken = self.broken_pages.contains_key(&id) || self.broken_pages.contains_key("");
            if !pages.contains_key(&id) && !is_broken {
                let known: Vec<&str> = pages.keys().map(String::as_str).collect();
                let hint = suggestion(&id, &known, "known providers");
                let message = no_provider(&id, &known);
                self.problem(&at, Part::Key(0), message, hint);
            }
            match self.limit(&at, &text.0.0) {
                Some(limit) => limits.insert(id, limit),
                None => limits.remove(&id),
            };
        }
        limits
    }

    /// A secret given directly or as a file. A file that cannot be read is the entry's fault, like an unset variable.
    fn secret(
        &mut self,
        path: &[Step],
        field: &str,
        value: Option<String>,
        file: Option<&str>,
        broken: &mut Option<String>,
    ) -> Option<SecretString> {
        let file_field = format!("{field}_file");
        let secret = match (value, file) {
            (Some(_), Some(_)) => {
                let message = format!("`{field}` and `{file_field}` exclude each other");
                self.problem(&under(path, &file_field), Part::Key(0), message, None);
                self.flagged.insert(under(path, field));
                return None;
            }
            (Some(value), None) => value.trim().to_owned(),
            (None, Some(file)) => {
                let full = self.folder.join(file);
                match read_secret(&full) {
                    Ok(secret) => {
                        self.outside.insert(under(path, field));
                        secret
                    }
                    Err(why) => {
                        let shown = echo::path(file, &full);
                        let message = format!("`{file_field}`: {shown} cannot be read: {why}");
                        let hint = echo::looks_secret(file)
                            .then(|| format!("it looks like a secret; if it is one, it belongs in `{field}`"));
                        self.push(&under(path, &file_field), Part::Value, message.clone(), hint, Reach::Entry);
                        *broken = broken.take().or(Some(message));
                        return None;
                    }
                }
            }
            (None, None) => return None,
        };
        self.redactor.learn(&secret);
        Some(secret.into())
    }
}

/// `did you mean ...`, or the list of what there is.
fn suggestion(word: &str, known: &[&str], what: &str) -> Option<String> {
    // Some of them, as the ids of pages, stand in the config as well, and may be a key in the wrong place.
    let known: Vec<&str> = known.iter().copied().filter(|known| !echo::looks_secret(known)).collect();
    let listed = &known[..known.len().min(MOST_LISTED)];
    Some(match text::nearest(word, known.iter().copied().take(MOST_COMPARED)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if listed.is_empty() => return None,
        None => {
            let more = known.len() - listed.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{what}: {}{more}", text::list(listed.iter().copied()))
        }
    })
}

/// The name of a time zone that there is not, if it is a slip for one.
fn shown_zone(name: &str) -> Option<&str> {
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    echo::among(name, &zones.iter().map(String::as_str).collect::<Vec<_>>())
}

/// That a provider is named which there is not.
fn no_provider(id: &str, known: &[&str]) -> String {
    match echo::among(id, known) {
        Some(id) => format!("there is no provider `{id}`"),
        None => "a provider is named that there is not".to_owned(),
    }
}

/// A word that can be repeated, in back-ticks after a blank.
fn shown_word(word: &str) -> String {
    echo::word(word).map(|word| format!(" `{word}`")).unwrap_or_default()
}

/// The same for the name of an entry.
fn shown_name(name: &str) -> String {
    echo::name(name).map(|name| format!(" `{name}`")).unwrap_or_default()
}

/// Whether a node is the name of an entry. A run speaks of it in reports and alerts, so it is no secret.
fn is_name(path: &[Step]) -> bool {
    matches!(path, [Step::Key(_), Step::Index(_), Step::Key(field)] if field == "name" || field == "id")
}

/// What is wrong with the `.env` file.
fn dotenv_problems(faults: &DotenvFaults) -> Vec<Problem> {
    let problem = |position, message: String| Problem {
        file: faults.file.display().to_string(),
        position,
        place: None,
        message,
        hint: None,
        reach: Reach::Line,
    };
    match &faults.what {
        DotenvFault::Whole(why) => vec![problem(None, why.clone())],
        DotenvFault::Lines(lines) => lines
            .iter()
            .take(MOST_PROBLEMS / 2)
            .map(|line| problem(Some((line.number, 1)), format!("the line cannot be read: {}", line.why)))
            .collect(),
    }
}

fn last_key(path: &[Step]) -> String {
    path.iter()
        .rev()
        .find_map(|step| match step {
            Step::Key(name) => Some(name.clone()),
            Step::Index(_) => None,
        })
        .unwrap_or_default()
}

/// Takes a node out of the tree: a key goes, an item of a list becomes null so that the others keep their index.
fn remove(tree: &mut Value, path: &[Step]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let mut node = tree;
    for step in parents {
        let child = match step {
            Step::Key(name) => node.get_mut(name.as_str()),
            Step::Index(index) => node.get_mut(*index),
        };
        match child {
            Some(child) => node = child,
            None => return false,
        }
    }
    match (last, node) {
        (Step::Key(name), Value::Mapping(map)) => map.remove(name.as_str()).is_some(),
        (Step::Index(index), Value::Sequence(items)) => match items.get_mut(*index) {
            Some(item) if !item.is_null() => {
                *item = Value::Null;
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    let bytes = file::read(path, file::SECRET).map_err(|error| text::io_error(&error))?;
    let text = text::decode(bytes).map_err(|why| format!("it is {why}"))?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}

/// Whether a text is the name of a machine, or an IP address, without scheme, user and port.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    text.parse::<std::net::IpAddr>().is_ok()
        || (name.len() <= 253 && name.split('.').all(is_label) && !echo::looks_secret(name))
}

/// An address that can be asked over HTTP.
fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not a web address such as `https://host/path`".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("must begin with `http://` or `https://`".to_owned());
    }
    Ok(url)
}
