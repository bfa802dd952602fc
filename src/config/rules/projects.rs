//! The rules of `projects`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};

use super::{Builder, item, suggestion, under, web_address};
use crate::check::provider::page::{CredentialFormat, Page, Reader};
use crate::config::document::{Part, Step};
use crate::config::problem::Reach;
use crate::config::raw::{Lenient, RawProject, Text};
use crate::config::{Project, Settings};

impl Builder<'_> {
    pub(super) fn projects(
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
        let mut broken = self.unset_under(path);
        self.required(path, "name", raw.name.is_some());
        self.required(path, "provider", raw.provider.is_some());
        self.required(path, "threshold", raw.threshold.is_some());
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
        let owner = self.owner(path, raw.owner_project, raw.project);
        let timeout = raw.timeout_seconds.map(|n| n.0);
        let timeout = self.seconds(&under(path, "timeout_seconds"), timeout, 600, settings.request_timeout);
        let base_url = raw.base_url.and_then(|text| {
            let parsed = web_address(text.trim()).and_then(|url| {
                if url.query().is_some() || url.fragment().is_some() {
                    Err("must not have a query or fragment".to_owned())
                } else if !url.username().is_empty() || url.password().is_some() {
                    Err("must not hold a user name or password".to_owned())
                } else {
                    Ok(url)
                }
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
        let reader = if broken.is_none() { self.reader(path, page, &options) } else { None };
        Some(Project {
            name,
            page: Arc::clone(page),
            reader,
            credential,
            threshold,
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

    pub(super) fn threshold(&mut self, path: &[Step], field: &str, value: Option<Lenient<Decimal>>) -> Option<Decimal> {
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
        set: BTreeMap<String, Lenient<Text>>,
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
        page.options_with_defaults(&set)
    }

    /// The page's expressions, compiled once for all accounts that share them.
    fn reader(&mut self, path: &[Step], page: &Page, options: &BTreeMap<String, String>) -> Option<Arc<Reader>> {
        let key = (page.id.clone(), page.balance_for(options));
        if let Some(reader) = self.readers.get(&key) {
            return Some(Arc::clone(reader));
        }
        match page.reader(options) {
            Ok(reader) => {
                let reader = Arc::new(reader);
                self.readers.insert(key, Arc::clone(&reader));
                Some(reader)
            }
            Err(why) => {
                self.problem(&under(path, "options"), Part::Value, why, None);
                None
            }
        }
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
