//! From the tree to a [`Config`]: every rule of the file, and every problem at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_yaml::Value;
use url::Url;

use super::document::{self, Document, NodePath, Part, Step};
use super::environment::{Environment, Interpolated, interpolate};
use super::problem::{Problem, Reach};
use super::raw::{ChannelKind, Lenient, RawConfig, RawProject, RawSettings, RawWebhook};
use super::source::{self, Source};
use super::{Channel, Config, Loaded, Project, Settings};
use crate::check::provider::page::{CredentialFormat, Page};
use crate::redact::Redactor;
use crate::text;

/// A file with more problems than this is not a config.
const MOST_PROBLEMS: usize = 200;

/// Collects the problems of one document.
struct Builder<'a> {
    file: String,
    folder: PathBuf,
    document: &'a Document,
    environment: &'a Environment,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    /// Nodes that are already reported, or whose variable is not set: nothing else is said of them.
    flagged: Vec<NodePath>,
    interpolated: Interpolated,
    redactor: Redactor,
    /// The names of the entries, for messages.
    names: BTreeMap<String, String>,
}

/// Reads the text of a config and checks all of it.
pub(super) fn build(source: &Source, text: &str, environment: &Environment) -> Loaded {
    let document = match Document::parse(text) {
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
    let mut tree = document.root.clone();
    let interpolated = interpolate(&mut tree, environment);
    let mut builder = Builder {
        file: source.name(),
        folder: source.folder(),
        names: entry_names(&tree),
        document: &document,
        environment,
        problems: Vec::new(),
        warnings: Vec::new(),
        flagged: Vec::new(),
        interpolated,
        redactor: Redactor::default(),
    };
    builder.report_tree();
    let raw = builder.shape(&mut tree);
    let config = builder.config(raw);
    let mut problems = builder.problems;
    problems.sort_by_key(|problem| problem.position.unwrap_or_default());
    let config = problems.iter().all(|problem| problem.reach == Reach::Entry).then_some(config);
    Loaded { config, problems }
}

/// `projects[3]` -> the entry's name.
fn entry_names(tree: &Value) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (list, field) in [("projects", "name"), ("webhooks", "name"), ("providers", "id")] {
        let entries = tree.get(list).and_then(Value::as_sequence).into_iter().flatten();
        for (index, entry) in entries.enumerate() {
            if let Some(name) = entry.get(field).and_then(Value::as_str) {
                names.insert(format!("{list}[{index}]"), text::one_line(name, 60));
            }
        }
    }
    names
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
            message: self.redactor.mask(&message),
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
            self.redactor.learn(value);
        }
        for (path, why) in std::mem::take(&mut self.interpolated.malformed) {
            let message = format!("`{}`: {why}", last_key(&path));
            self.problem(&path, Part::Value, message, Some("write `$$` for a dollar sign".to_owned()));
            self.flagged.push(path);
        }
        for (path, name) in self.interpolated.unset.clone() {
            let reach = if entry_of(&path).is_some() { Reach::Entry } else { Reach::Whole };
            // An entry that is switched off needs nothing; its variables may be missing.
            if !self.is_disabled(&path) {
                let message = format!("`{}` needs the variable `{name}`, which is not set", last_key(&path));
                let hint = Some(format!("set it, or give a default: `${{{name}:-...}}`"));
                self.push(&path, Part::Value, message, hint, reach);
            }
            self.flagged.push(path);
        }
    }

    fn is_disabled(&self, path: &[Step]) -> bool {
        let (Some(Step::Key(list)), Some(Step::Index(index))) = (path.first(), path.get(1)) else {
            return false;
        };
        let enabled = self.document.root.get(list.as_str()).and_then(|l| l.get(*index)).and_then(|e| e.get("enabled"));
        matches!(enabled, Some(Value::Bool(false)))
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
        for _ in 0..=MOST_PROBLEMS * 4 {
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
        let settings = self.settings(raw.settings.unwrap_or_default());
        let pages = self.pages(raw.providers.unwrap_or_default());
        let channels = self.channels(raw.webhook, raw.webhooks);
        let projects = self.projects(raw.projects.unwrap_or_default(), &pages, &settings);
        for (list, entries, what) in
            [("subscriptions", raw.subscriptions, "subscriptions"), ("email", raw.email, "mailboxes")]
        {
            if entries.is_some_and(|entries| !entries.is_empty()) {
                let message = format!("this version does not watch {what} yet, and does not pretend to");
                self.problem(&[key(list)], Part::Key(0), message, Some(format!("leave `{list}: []`")));
            }
        }
        if self.problems.is_empty() && projects.is_empty() {
            let hint = Some("add an entry under `projects`, or set `enabled: true` on one".to_owned());
            self.problem(&[], Part::Value, "there is nothing to do: no project is enabled", hint);
        }
        Config {
            settings,
            channels,
            projects,
            folder: self.folder.clone(),
            redactor: std::mem::take(&mut self.redactor),
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
        let max_retries = match raw.max_retries.map(|n| n.0) {
            Some(n @ 0..=10) => n as u32,
            Some(n) => {
                let message = format!("`max_retries` must be 0 to 10, but is {n}");
                self.problem(&at("max_retries"), Part::Value, message, None);
                defaults.max_retries
            }
            None => defaults.max_retries,
        };
        Settings {
            max_concurrent_checks: self.cap_workers(workers),
            request_timeout,
            run_timeout,
            max_retries,
            language: raw.language.unwrap_or_default(),
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

    /// The catalogue and the user's own pages, by id.
    fn pages(&mut self, raw: Vec<Option<Page>>) -> BTreeMap<String, Arc<Page>> {
        let mut pages: BTreeMap<String, Arc<Page>> =
            crate::check::provider::catalog().into_iter().map(|page| (page.id.clone(), Arc::new(page))).collect();
        for (index, page) in raw.into_iter().enumerate() {
            let path = item("providers", index);
            let Some(page) = page else {
                self.missing_entry(&path);
                continue;
            };
            // Whatever a variable brought into a page may be a credential.
            let outside: Vec<String> = self.filled_under(&path).map(str::to_owned).collect();
            outside.iter().for_each(|value| self.redactor.learn(value));
            let problems = page_problems(&page);
            for (field, message) in problems {
                self.problem(&under(&path, field), Part::Value, message, None);
            }
            if pages.contains_key(&page.id) {
                let message = format!("there is already a provider `{}`", page.id);
                self.problem(&under(&path, "id"), Part::Value, message, Some("give the page another id".to_owned()));
            } else {
                pages.insert(page.id.clone(), Arc::new(page));
            }
        }
        pages
    }

    fn filled_under<'b>(&'b self, path: &'b [Step]) -> impl Iterator<Item = &'b str> {
        let filled = self.interpolated.filled.iter();
        filled.filter(move |(at, _)| at.starts_with(path)).map(|(_, value)| value.as_str())
    }

    fn missing_entry(&mut self, path: &[Step]) {
        if !self.is_flagged(path) {
            self.problem(path, Part::Value, "the entry is empty", None);
        }
    }

    fn channels(&mut self, one: Option<RawWebhook>, many: Option<Vec<Option<RawWebhook>>>) -> Vec<Channel> {
        let mut raw: Vec<(NodePath, RawWebhook)> = Vec::new();
        let overlaid = ["WEBHOOK_URL", "WEBHOOK_TYPE", "WEBHOOK_SOURCE"];
        let has_overlay = self.environment.overlay("WEBHOOK_URL").is_some();
        // The overlays are about the one `webhook`; a list has its own references.
        if one.is_some() || (has_overlay && many.is_none()) {
            let mut webhook = one.unwrap_or_default();
            let mut path = vec![key("webhook")];
            let [url, kind, source] = overlaid.map(|name| self.environment.overlay(name).map(str::to_owned));
            if let Some(url) = url {
                webhook.url = Some(url);
                webhook.url_file = None;
                self.flagged.retain(|flagged| *flagged != under(&[key("webhook")], "url"));
                self.interpolated.unset.retain(|(at, _)| *at != under(&[key("webhook")], "url"));
                self.problems.retain(|p| !(p.reach == Reach::Entry && p.message.starts_with("`url` needs")));
            }
            if let Some(kind) = kind {
                match serde_yaml::from_value::<ChannelKind>(Value::String(kind.clone())) {
                    Ok(kind) => webhook.kind = Some(kind),
                    Err(_) => {
                        let hint = suggestion(&kind, &CHANNELS, "allowed");
                        self.problem(&[], Part::Value, format!("the variable `WEBHOOK_TYPE` cannot be `{kind}`"), hint);
                    }
                }
            }
            webhook.source = source.or(webhook.source);
            if self.document.root.get("webhook").is_none() {
                path.clear();
            }
            raw.push((path, webhook));
        }
        for (index, webhook) in many.unwrap_or_default().into_iter().enumerate() {
            let path = item("webhooks", index);
            match webhook {
                Some(webhook) => raw.push((path, webhook)),
                None => self.missing_entry(&path),
            }
        }
        let mut channels: Vec<Channel> = Vec::new();
        for (path, webhook) in raw {
            let named = webhook.name.is_some();
            let channel = self.channel(&path, webhook);
            if named && channels.iter().any(|other| other.name == channel.name) {
                let message = format!("there is already a webhook named `{}`", channel.name);
                self.problem(&under(&path, "name"), Part::Value, message, None);
            }
            channels.push(channel);
        }
        channels
    }

    fn channel(&mut self, path: &[Step], raw: RawWebhook) -> Channel {
        let kind = raw.kind.unwrap_or_default();
        let mut broken = self.unset_under(path);
        let url = self.secret(path, "url", raw.url, raw.url_file.as_deref(), &mut broken);
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref(), &mut broken);
        let mut parsed = None;
        match (kind, url) {
            (ChannelKind::Console, Some(_)) => {
                self.problem(&under(path, "url"), Part::Key(0), "a console channel takes no `url`", None);
            }
            (ChannelKind::Console, None) => {}
            (_, None) => {
                if broken.is_none() && !self.is_flagged(&under(path, "url")) {
                    let hint = Some("set `url`, or `type: console` to print alerts".to_owned());
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
            }
            (_, Some(url)) if url.expose_secret().is_empty() => {
                broken = broken.or_else(|| Some("`url` is empty".to_owned()));
                self.push(&under(path, "url"), Part::Value, "`url` is empty".to_owned(), None, Reach::Entry);
            }
            (_, Some(url)) => match web_address(url.expose_secret()) {
                Ok(url) => {
                    learn_address(&mut self.redactor, &url);
                    parsed = Some(url);
                }
                Err(why) => self.problem(&under(path, "url"), Part::Value, format!("`url` {why}"), None),
            },
        }
        let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
        if secret.is_some() && !matches!(kind, ChannelKind::Feishu | ChannelKind::Dingtalk) {
            let kind = kind_name(kind);
            self.warnings.push(format!("a {kind} webhook signs nothing, so its `secret` is not used"));
        }
        let name = raw.name.unwrap_or_else(|| kind_name(kind).to_owned());
        let source = raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| "balance-alert".to_owned());
        Channel { name, kind, url: parsed, secret, source, broken }
    }

    /// The first variable that an entry misses, as the entry's fault.
    fn unset_under(&self, path: &[Step]) -> Option<String> {
        let mut unset = self.interpolated.unset.iter().filter(|(at, _)| at.starts_with(path) && !path.is_empty());
        unset.next().map(|(_, name)| format!("the variable `{name}` is not set"))
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

    fn projects(
        &mut self,
        raw: Vec<Option<RawProject>>,
        pages: &BTreeMap<String, Arc<Page>>,
        settings: &Settings,
    ) -> Vec<Project> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut projects = Vec::new();
        for (index, project) in raw.into_iter().enumerate() {
            let path = item("projects", index);
            let Some(project) = project else {
                self.missing_entry(&path);
                continue;
            };
            if let Some(name) = &project.name {
                if let Some(first) = names.get(name) {
                    let message = format!("there is already a project `{name}`");
                    let hint = Some(format!("projects[{first}] has this name"));
                    self.problem(&under(&path, "name"), Part::Value, message, hint);
                } else {
                    names.insert(name.clone(), index);
                }
            }
            let enabled = project.enabled.as_ref().is_none_or(|enabled| enabled.0);
            projects.extend(self.project(&path, project, pages, settings).filter(|_| enabled));
        }
        projects
    }

    fn project(
        &mut self,
        path: &[Step],
        raw: RawProject,
        pages: &BTreeMap<String, Arc<Page>>,
        settings: &Settings,
    ) -> Option<Project> {
        let enabled = raw.enabled.as_ref().is_none_or(|enabled| enabled.0);
        let mut broken = self.unset_under(path);
        let required = |builder: &mut Self, field: &str, there: bool| {
            if !there && !builder.is_flagged(&under(path, field)) {
                builder.problem(path, Part::Value, format!("`{field}` is missing"), None);
            }
        };
        required(self, "name", raw.name.is_some());
        required(self, "provider", raw.provider.is_some());
        required(self, "threshold", raw.threshold.is_some());
        for field in ["name", "provider"] {
            // Without these two a failure could not even be reported under a name.
            let at = under(path, field);
            if enabled && let Some((_, name)) = self.interpolated.unset.iter().find(|(unset, _)| *unset == at) {
                let message = format!("`{field}` needs the variable `{name}`, which is not set");
                self.problems.retain(|problem| problem.message != message);
                self.problem(&at, Part::Value, message, None);
            }
        }
        if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.problem(&under(path, "name"), Part::Value, "`name` is empty", None);
        }
        let threshold = self.threshold(path, "threshold", raw.threshold);
        let warning_threshold = self.threshold(path, "warning_threshold", raw.warning_threshold);
        if let (Some(critical), Some(warning)) = (threshold, warning_threshold)
            && warning < critical
        {
            let message =
                format!("`warning_threshold` {warning} is under `threshold` {critical}, so it would never warn");
            self.problem(&under(path, "warning_threshold"), Part::Value, message, None);
        }
        let owner = match (raw.owner_project, raw.project) {
            (Some(_), Some(_)) => {
                let message = "`project` is the old name of `owner_project`; only one of them can be set";
                self.problem(&under(path, "project"), Part::Key(0), message, None);
                None
            }
            (owner, old) => owner.or(old),
        };
        let timeout = raw.timeout_seconds.map(|n| n.0);
        let timeout = self.seconds(&under(path, "timeout_seconds"), timeout, 600, settings.request_timeout);
        let base_url = raw.base_url.and_then(|text| {
            let parsed = web_address(text.trim()).and_then(|url| match (url.query(), url.fragment()) {
                (None, None) => Ok(url),
                _ => Err("must not have a query or fragment".to_owned()),
            });
            match parsed {
                Ok(url) => Some(url),
                Err(why) => {
                    self.problem(&under(path, "base_url"), Part::Value, format!("`base_url` {why}"), None);
                    None
                }
            }
        });
        let credential = self.secret(path, "api_key", raw.api_key, raw.api_key_file.as_deref(), &mut broken);
        let name = raw.name?;
        let provider = raw.provider?;
        let Some(page) = pages.get(&provider) else {
            let known: Vec<&str> = pages.keys().map(String::as_str).collect();
            let hint = suggestion(&provider, &known, "known providers");
            self.problem(&under(path, "provider"), Part::Value, format!("there is no provider `{provider}`"), hint);
            return None;
        };
        let options = self.options(path, page, raw.options.unwrap_or_default());
        self.credential(path, page, credential.as_ref(), &mut broken);
        Some(Project {
            name,
            page: Arc::clone(page),
            credential,
            threshold: threshold.filter(|_| enabled),
            warning_threshold,
            kind: raw.kind,
            owner_project: owner,
            currency: raw.currency.filter(|c| !c.is_empty()),
            base_url,
            timeout,
            options,
            broken,
        })
    }

    fn threshold(&mut self, path: &[Step], field: &str, value: Option<Lenient<Decimal>>) -> Option<Decimal> {
        let value = value?.0;
        if value < Decimal::ZERO {
            let message = format!("`{field}` must not be negative, but is {value}");
            self.problem(&under(path, field), Part::Value, message, None);
            return None;
        }
        Some(value)
    }

    fn options(
        &mut self,
        path: &[Step],
        page: &Page,
        set: BTreeMap<String, Lenient<super::raw::Text>>,
    ) -> BTreeMap<String, String> {
        let at = under(path, "options");
        let set: BTreeMap<String, String> = set.into_iter().map(|(name, value)| (name, value.0.0)).collect();
        let known: Vec<&str> = page.options.keys().map(String::as_str).collect();
        for (name, value) in &set {
            let Some(spec) = page.options.get(name) else {
                let hint = if known.is_empty() { None } else { suggestion(name, &known, "options") };
                let message = format!("provider `{}` has no option `{name}`", page.id);
                self.problem(&under(&at, name), Part::Key(0), message, hint);
                continue;
            };
            if !spec.values.is_empty() && !spec.values.contains(value) {
                let values: Vec<&str> = spec.values.iter().map(String::as_str).collect();
                let hint = suggestion(value, &values, "allowed");
                self.problem(&under(&at, name), Part::Value, format!("option `{name}` cannot be `{value}`"), hint);
            }
        }
        for (name, spec) in &page.options {
            let there = set.contains_key(name) || spec.default.is_some();
            if !there && !self.is_flagged(&under(&at, name)) && !self.is_flagged(&at) {
                let hint = Some(spec.description.clone());
                self.problem(path, Part::Value, format!("provider `{}` needs the option `{name}`", page.id), hint);
            }
        }
        let options = page.options_with_defaults(&set);
        // A user's own expression is compiled here, so that `validate` sees its mistakes.
        if page.balance.contains("{options.")
            && !self.is_flagged(&at)
            && let Err(why) = page.reader(&options)
        {
            self.problem(&at, Part::Value, why, None);
        }
        options
    }

    /// Whether the credential has the form that the provider needs.
    fn credential(
        &mut self,
        path: &[Step],
        page: &Page,
        credential: Option<&SecretString>,
        broken: &mut Option<String>,
    ) {
        let at = under(path, "api_key");
        if broken.is_some() || self.is_flagged(&at) {
            return;
        }
        let note = page.credential.note.clone();
        match (page.credential.format, credential.map(|secret| secret.expose_secret())) {
            (CredentialFormat::None, None) => {}
            (CredentialFormat::None, Some(_)) => {
                self.problem(&at, Part::Key(0), format!("provider `{}` takes no `api_key`", page.id), None);
            }
            (_, None) => {
                let message = format!("`api_key` is missing; provider `{}` needs one", page.id);
                self.problem(path, Part::Value, message, note);
            }
            (_, Some("")) => {
                *broken = Some("`api_key` is empty".to_owned());
                self.push(&at, Part::Value, "`api_key` is empty".to_owned(), note, Reach::Entry);
            }
            (CredentialFormat::Pair, Some(pair)) => match pair.split_once(':') {
                Some((id, secret)) if !id.trim().is_empty() && !secret.trim().is_empty() => {
                    self.redactor.learn(secret.trim());
                }
                _ => {
                    let message = "`api_key` must be `AccessKeyId:Secret`".to_owned();
                    *broken = Some(message.clone());
                    self.push(&at, Part::Value, message, note, Reach::Entry);
                }
            },
            (CredentialFormat::Key, Some(key)) => {
                if key.chars().any(|c| c.is_control()) {
                    let message = "`api_key` holds a control character; a key is one line".to_owned();
                    *broken = Some(message.clone());
                    self.push(&at, Part::Value, message, note, Reach::Entry);
                }
            }
        }
    }
}

/// The words of `webhook.type`.
const CHANNELS: [&str; 5] = ["feishu", "dingtalk", "wecom", "custom", "console"];

pub(super) fn kind_name(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Feishu => "feishu",
        ChannelKind::Dingtalk => "dingtalk",
        ChannelKind::Wecom => "wecom",
        ChannelKind::Custom => "custom",
        ChannelKind::Console => "console",
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

/// The entry a node belongs to, if a fault in it concerns only that entry.
fn entry_of(path: &[Step]) -> Option<&[Step]> {
    match path {
        [Step::Key(list), Step::Index(_), ..] if list == "projects" || list == "webhooks" => Some(&path[..2]),
        [Step::Key(one), ..] if one == "webhook" => Some(&path[..1]),
        _ => None,
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
    let text = std::fs::read_to_string(path).map_err(|error| source::why(&error))?;
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

/// The parts of a webhook's address that let its holder post.
fn learn_address(redactor: &mut Redactor, url: &Url) {
    redactor.learn(url.as_str());
    for (_, value) in url.query_pairs() {
        redactor.learn(&value);
    }
    for segment in url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= 8) {
        redactor.learn(segment);
    }
    if let Some(password) = url.password() {
        redactor.learn(password);
    }
}

/// What is wrong with a page, by field.
fn page_problems(page: &Page) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let word =
        |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !word(&page.id) {
        problems.push(("id", "`id` must be made of lower-case letters, digits and `-`".to_owned()));
    }
    match (&page.request.url, &page.request.file) {
        (Some(url), None) => {
            let probe = page.fill(url, "key", &page.options_with_defaults(&BTreeMap::new()), str::to_owned);
            let probe = probe.replace(['{', '}'], "x");
            if let Err(why) = web_address(&probe) {
                problems.push(("request", format!("`url` {why}")));
            }
        }
        (None, Some(_)) => {}
        _ => problems.push(("request", "exactly one of `url` and `file` must be set".to_owned())),
    }
    let used: BTreeSet<&str> = placeholders(page);
    for name in used {
        let known = name == "api_key" || name.strip_prefix("options.").is_some_and(|n| page.options.contains_key(n));
        if !known {
            problems.push(("request", format!("`{{{name}}}` is neither `{{api_key}}` nor a declared option")));
        }
    }
    if page.balance.contains("{options.") {
        return problems;
    }
    match page.reader(&page.options_with_defaults(&BTreeMap::new())) {
        Err(why) => problems.push(("balance", why)),
        Ok(_) => {
            let failed = page.examples.iter().filter_map(|example| page.try_example(example).err());
            problems.extend(failed.map(|why| ("examples", why)));
        }
    }
    problems
}

/// The placeholders in a page's address, query and headers.
fn placeholders(page: &Page) -> BTreeSet<&str> {
    let texts = page.request.url.iter().chain(page.request.query.values()).chain(page.request.headers.values());
    texts
        .flat_map(|text| text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)))
        .collect()
}

/// The catalogue's page, from its YAML; a defect in one is a defect of the program, which a test finds.
pub(crate) fn parse_page(text: &str) -> Result<Page, String> {
    let deserializer = serde_yaml::Deserializer::from_str(text);
    Page::deserialize(deserializer).map_err(|error| error.to_string())
}
