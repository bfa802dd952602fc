//! From the tree to a [`Config`]: every rule of the file, and every problem at once.
//!
//! Here: what all entries share. The rules of one kind of entry stand in a file each.

mod auth;
mod channels;
mod mailboxes;
mod metrics;
mod pages;
mod projects;
mod store;
mod subscriptions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::SecretString;
use serde_yaml::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::document::{self, Document, NodePath, Part, Step};
use super::environment::{Environment, Interpolated, interpolate};
use super::problem::{Problem, Reach};
use super::raw::{Lenient, RawConfig, RawSettings, Text};
use super::source::Source;
use super::{Alerting, Circuit, Config, Loaded, MOST_PROBLEMS, Settings};
use crate::check::provider::page::{Page, Reader};
use crate::limit::Limit;
use crate::redact::Redactor;
use crate::text;

/// Collects the problems of one document.
struct Builder<'a> {
    file: String,
    folder: PathBuf,
    fingerprint: String,
    document: &'a Document,
    environment: &'a Environment,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// Nodes that are already reported, or whose variable is not set: nothing else is said of them.
    flagged: Vec<NodePath>,
    interpolated: Interpolated,
    /// The secrets of the config, for the run.
    redactor: Redactor,
    /// All that variables brought in: no problem may quote it, but a run may speak of a project's name.
    outside: Redactor,
    /// Whether a problem concerns all of the config.
    fatal: bool,
    /// Compiled pages, by id and balance expression: one for all accounts of a provider.
    readers: BTreeMap<(String, String), Arc<Reader>>,
    /// Whether the one `webhook` is written down, and not only in variables.
    has_webhook: bool,
    /// Whether `email` is a list, and not one mailbox.
    has_mailbox_list: bool,
    /// Entries that are switched off.
    disabled: Vec<NodePath>,
    /// The names of the entries, for messages.
    names: BTreeMap<String, String>,
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
        interpolated.unset.retain(|(path, _)| !stands_for(path));
    }
    let mut builder = Builder {
        file: source.name(),
        folder: source.folder(),
        fingerprint: Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        names: entry_names(&tree),
        has_webhook: tree.get("webhook").is_some(),
        has_mailbox_list: tree.get("email").is_none_or(Value::is_sequence),
        document: &document,
        environment,
        problems: Vec::new(),
        warnings: Vec::new(),
        flagged: Vec::new(),
        interpolated,
        redactor: Redactor::default(),
        outside: Redactor::default(),
        fatal: false,
        readers: BTreeMap::new(),
        disabled: disabled_entries(&tree),
    };
    builder.report_tree();
    let raw = builder.shape(&mut tree);
    drop(tree);
    let config = builder.config(raw);
    let mut problems = builder.problems;
    problems.sort_by_key(|problem| problem.position.unwrap_or_default());
    let config = (!builder.fatal).then_some(config);
    Loaded { config, problems }
}

/// `projects[3]` -> the entry's name.
fn entry_names(tree: &Value) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (list, field) in
        [("projects", "name"), ("webhooks", "name"), ("subscriptions", "name"), ("email", "name"), ("providers", "id")]
    {
        let entries = tree.get(list).and_then(Value::as_sequence).into_iter().flatten();
        for (index, entry) in entries.enumerate() {
            if let Some(name) = entry.get(field).and_then(Value::as_str) {
                names.insert(format!("{list}[{index}]"), text::one_line(name, 60));
            }
        }
    }
    names
}

/// The projects with `enabled: false`.
fn disabled_entries(tree: &Value) -> Vec<NodePath> {
    let entries = tree.get("projects").and_then(Value::as_sequence).into_iter().flatten();
    let off = |entry: &Value| match entry.get("enabled") {
        Some(Value::Bool(enabled)) => !enabled,
        Some(Value::String(text)) => text.trim() == "false",
        _ => false,
    };
    entries.enumerate().filter(|(_, entry)| off(entry)).map(|(index, _)| item("projects", index)).collect()
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
    /// Records a problem at a node.
    fn problem(&mut self, path: &[Step], part: Part, message: impl Into<String>, hint: Option<String>) {
        self.push(path, part, message.into(), hint, Reach::Whole);
    }

    fn push(&mut self, path: &[Step], part: Part, message: String, hint: Option<String>, reach: Reach) {
        // An entry that is switched off needs no variable and no secret.
        if reach == Reach::Entry && self.disabled.iter().any(|entry| path.starts_with(entry)) {
            return;
        }
        self.fatal |= reach == Reach::Whole;
        if self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        // The place is the entry; the field stands in the message.
        let depth = path.len().min(if matches!(path.get(1), Some(Step::Index(_))) { 2 } else { 1 });
        let place = (depth > 0).then(|| document::show(&path[..depth])).map(|place| match self.names.get(&place) {
            Some(name) => format!("{place} `{name}`"),
            None => place,
        });
        let problem = Problem {
            file: self.file.clone(),
            position: self.document.locate(path, part),
            place,
            message: self.outside.mask(&message),
            hint,
            reach,
        };
        self.problems.push(problem);
    }

    /// Whether something was already said of this node or of one above it.
    fn is_flagged(&self, path: &[Step]) -> bool {
        self.flagged.iter().any(|flagged| path.starts_with(flagged))
    }

    /// Problems of the text itself: duplicate keys, broken references, variables that are not set.
    fn report_tree(&mut self) {
        if let Some((file, why)) = self.environment.dotenv_problem() {
            self.fatal = true;
            self.problems.push(Problem {
                file: file.display().to_string(),
                position: None,
                place: None,
                message: why.to_owned(),
                hint: None,
                reach: Reach::Whole,
            });
        }
        for duplicate in &self.document.duplicates {
            let name = last_key(&duplicate.path);
            let first = self.document.locate(&duplicate.path, Part::Key(0));
            let hint = first.map(|(line, column)| format!("it stands first at {line}:{column}"));
            self.problem(&duplicate.path, Part::Key(duplicate.occurrence), format!("duplicate key `{name}`"), hint);
        }
        // What comes from outside may be a secret, so no message may quote it.
        for (_, value) in &self.interpolated.filled {
            self.outside.learn(value);
        }
        for (path, why) in std::mem::take(&mut self.interpolated.malformed) {
            let message = format!("`{}`: {why}", last_key(&path));
            self.problem(&path, Part::Value, message, Some("write `$$` for a dollar sign".to_owned()));
            self.flagged.push(path);
        }
        for (path, name) in self.interpolated.unset.clone() {
            let reach = if concerns_one_entry(&path) { Reach::Entry } else { Reach::Whole };
            let message = format!("`{}` needs the variable `{name}`, which is not set", last_key(&path));
            let hint = Some(format!("set it, or give a default: `${{{name}:-...}}`"));
            self.push(&path, Part::Value, message, hint, reach);
            self.flagged.push(path);
        }
    }

    /// Deserialises the tree, takes out each node that does not fit, and goes on, so that all such nodes are found.
    fn shape(&mut self, tree: &mut Value) -> RawConfig {
        if tree.is_null() {
            self.problem(&[], Part::Value, "the config is empty", None);
            return RawConfig::default();
        }
        if !tree.is_mapping() {
            self.problem(&[], Part::Value, "the config is not a mapping of `key: value`", None);
            return RawConfig::default();
        }
        // Each round takes a node out, so this ends; enough problems end it sooner.
        while !self.fatal || self.problems.len() < MOST_PROBLEMS {
            let error = match serde_path_to_error::deserialize::<_, RawConfig>(&*tree) {
                Ok(raw) => return raw,
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
            if !self.is_flagged(&path) {
                self.misfit(&path, &error.inner().to_string());
                self.flagged.push(path.clone());
            }
            if path.is_empty() || !remove(tree, &path) {
                break;
            }
        }
        RawConfig::default()
    }

    /// Words serde's complaint about one node.
    fn misfit(&mut self, path: &[Step], said: &str) {
        let name = last_key(path);
        let words: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
        if said.starts_with("unknown field") {
            let known = &words[1.min(words.len())..];
            let hint = suggestion(&name, known, "fields here");
            // The field that was meant is not missing as well.
            if let (Some(near), Some((_, parent))) = (text::nearest(&name, known.iter().copied()), path.split_last()) {
                self.flagged.push(under(parent, near));
            }
            self.problem(path, Part::Key(0), format!("unknown field `{name}`"), hint);
        } else if said.starts_with("unknown variant") {
            let value = words.first().copied().unwrap_or_default();
            let known = &words[1.min(words.len())..];
            let hint = suggestion(value, known, "allowed");
            self.problem(path, Part::Value, format!("`{name}` cannot be `{value}`"), hint);
        } else if let Some(missing) = said.strip_prefix("missing field ") {
            if !self.is_flagged(&under(path, missing.trim_matches('`'))) {
                self.problem(path, Part::Value, format!("{missing} is missing"), None);
            }
        } else {
            let (found, expected) = match said.split_once(", expected ") {
                Some((found, expected)) => (found, expected),
                None => (said, ""),
            };
            let found = found.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            let found = match found {
                "sequence" => "a list".to_owned(),
                "map" => "a mapping".to_owned(),
                "unit value" => "nothing".to_owned(),
                "floating point `NaN`" => "not one (NaN)".to_owned(),
                "floating point `inf`" | "floating point `-inf`" => "infinite".to_owned(),
                other => other
                    .replace("floating point", "number")
                    .replace("integer", "number")
                    .replace("boolean", "the flag"),
            };
            let expected = match expected {
                "a string" => "text",
                "a sequence" => "a list",
                e if e.starts_with("struct") || e == "a map" => "a mapping",
                e => e,
            };
            let hint = (expected == "text" && (found.starts_with("number") || found.starts_with("the flag")))
                .then(|| "put it in quotes".to_owned());
            let what = match path.last() {
                Some(Step::Key(name)) => format!("`{name}`"),
                _ => "the entry".to_owned(),
            };
            self.problem(path, Part::Value, format!("{what} must be {expected}, but is {found}"), hint);
        }
    }

    fn config(&mut self, raw: RawConfig) -> Config {
        let mut settings = raw.settings.unwrap_or_default();
        let rate_limits = settings.rate_limits.take();
        let settings = self.settings(settings);
        let pages = self.pages(raw.providers.unwrap_or_default());
        let rate_limits = self.limits(rate_limits, &pages);
        let channels = self.channels(raw.webhook, raw.webhooks);
        let projects = self.projects(raw.projects.unwrap_or_default(), &pages, &settings);
        let state = self.state(raw.state);
        let metrics = self.metrics(raw.metrics.unwrap_or_default());
        let subscriptions = self.subscriptions(raw.subscriptions.unwrap_or_default());
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
        }
    }

    fn settings(&mut self, raw: RawSettings) -> Settings {
        let at = |name: &str| vec![key("settings"), key(name)];
        let defaults = Settings::default();
        let workers = self.overlay("MAX_CONCURRENT_CHECKS", raw.max_concurrent_checks.map(|n| n.0));
        let workers = match workers {
            Some(0) => {
                self.problem(
                    &at("max_concurrent_checks"),
                    Part::Value,
                    "`max_concurrent_checks` must be at least 1",
                    None,
                );
                defaults.max_concurrent_checks
            }
            Some(n) => n.min(u64::from(u32::MAX)) as usize,
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
                self.problem(path, Part::Value, format!("there is no time zone `{name}`"), hint);
                TimeZone::UTC
            }),
            None => match self.environment.overlay("TZ") {
                None => TimeZone::UTC,
                Some(name) => zone(name).unwrap_or_else(|| {
                    self.warnings.push(format!(
                        "the variable `TZ` names no time zone (`{}`): going on with UTC",
                        text::one_line(name, 40)
                    ));
                    TimeZone::UTC
                }),
            },
        }
    }

    fn count(&mut self, path: &[Step], value: Option<Lenient<u64>>, most: u32, default: u32) -> u32 {
        match value.map(|n| n.0) {
            None => default,
            Some(n) if n <= u64::from(most) => n as u32,
            Some(n) => {
                let message = format!("`{}` must be 0 to {most}, but is {n}", last_key(path));
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
                let message = format!("`{}` must be {least} to {most}, but is {n}", last_key(path));
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
        let Some(text) = self.environment.overlay(variable) else {
            return value;
        };
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(_) => {
                self.problem(&[], Part::Value, format!("the variable `{variable}` does not hold a number"), None);
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
                let message = format!("`{name}` must be above 0 and at most {most} seconds, but is {seconds}");
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
                let message = format!("`{}` must be 0 to {most} seconds, but is {n}", last_key(path));
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

    fn missing_entry(&mut self, path: &[Step]) {
        if !self.is_flagged(path) {
            self.problem(path, Part::Value, "the entry is empty", None);
        }
    }

    /// The first variable that an entry misses, as the entry's fault.
    fn unset_under(&self, path: &[Step]) -> Option<String> {
        let mut unset = self.interpolated.unset.iter().filter(|(at, _)| at.starts_with(path) && !path.is_empty());
        unset.next().map(|(_, name)| format!("the variable `{name}` is not set"))
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
                self.problem(path, Part::Value, format!("`{}` {why}", last_key(path)), None);
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
            if !pages.contains_key(&id) {
                let known: Vec<&str> = pages.keys().map(String::as_str).collect();
                let hint = suggestion(&id, &known, "known providers");
                self.problem(&at, Part::Key(0), format!("there is no provider `{id}`"), hint);
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
                self.flagged.push(under(path, field));
                return None;
            }
            (Some(value), None) => value.trim().to_owned(),
            (None, Some(file)) => {
                let full = self.folder.join(file);
                match read_secret(&full) {
                    Ok(secret) => secret,
                    Err(why) => {
                        let message = format!("`{file_field}`: `{}` cannot be read: {why}", full.display());
                        self.push(&under(path, &file_field), Part::Value, message.clone(), None, Reach::Entry);
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
    Some(match text::nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}: {}", text::list(known.iter().copied())),
    })
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

/// Whether a fault in a node concerns only its entry.
fn concerns_one_entry(path: &[Step]) -> bool {
    match path {
        // Without these two a failure could not even be reported under a name.
        [Step::Key(list), Step::Index(_), Step::Key(field)] if list == "projects" => {
            field != "name" && field != "provider"
        }
        [Step::Key(list), Step::Index(_), ..] => ["projects", "webhooks", "email"].contains(&list.as_str()),
        [Step::Key(one), ..] => ["webhook", "state", "metrics", "email"].contains(&one.as_str()),
        _ => false,
    }
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
    let text = std::fs::read_to_string(path).map_err(|error| text::io_error(&error))?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}

/// An address that can be asked over HTTP.
fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "is not a web address such as `https://host/path`".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("must begin with `http://` or `https://`".to_owned());
    }
    Ok(url)
}
