//! The rules of `projects`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};

use super::{Builder, item, key, no_provider, shown_name, suggestion, under, web_address};
use crate::check::account::Target;
use crate::check::account::config::Project;
use crate::check::account::page::{CredentialFormat, Page, Reader};
use crate::config::Settings;
use crate::config::credential::Use;
use crate::config::document::{self, Part, Step};
use crate::config::problem::Reach;
use crate::config::raw::{Lenient, RawProject};
use crate::model::amount;
use crate::page::traps;
use crate::process::echo;

impl Builder<'_> {
    pub(super) fn projects(
        &mut self,
        raw: Vec<Option<RawProject>>,
        pages: &BTreeMap<String, Arc<Page>>,
        settings: &Settings,
    ) -> Vec<Project> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let (mut projects, mut places) = (Vec::new(), Vec::new());
        for (index, project) in raw.into_iter().enumerate() {
            let path = item("projects", index);
            if self.is_disabled(&path) {
                continue;
            }
            let Some(project) = project else {
                self.missing_entry(&path);
                continue;
            };
            if let Some(name) = &project.name {
                if let Some(first) = names.get(name) {
                    let message = format!("there is already a project{}", shown_name(name));
                    let hint = Some(format!("projects[{first}] has this name"));
                    self.same_name([&item("projects", *first), &path], &["name"], message, hint);
                } else {
                    names.insert(name.clone(), index);
                }
            }
            if let Some(project) = self.project(&path, project, pages, settings) {
                projects.push(project);
                places.push(path);
            }
        }
        for (project, path) in projects.iter_mut().zip(&places) {
            self.break_late(path, &mut project.broken);
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
            let [warning, critical] = [warning, critical].map(echo::number);
            let message =
                format!("`warning_threshold`{warning} is under `threshold`{critical}, so it would never warn");
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
                Ok(url) => {
                    self.redactor.learn_address(&url);
                    for segment in url.path_segments().into_iter().flatten().filter(|part| echo::looks_secret(part)) {
                        self.redactor.learn(segment);
                    }
                    Some(url)
                }
                Err(why) => {
                    self.problem(&under(path, "base_url"), Part::Value, format!("`base_url` {why}"), None);
                    None
                }
            }
        });
        let credential = self.secret(path, "api_key", raw.api_key, raw.api_key_file.as_deref(), &mut broken);
        // Without its own name an entry that is broken from outside is still reported, under its place.
        let name = raw.name.or_else(|| broken.is_some().then(|| document::show(path)))?;
        let page = self.page(path, raw.provider.as_deref(), pages, &mut broken)?;
        // What a variable brought may be a credential.
        let place = under(path, "options");
        for (_, filled) in self.interpolated.filled.range(place.clone()..).take_while(|(at, _)| at.starts_with(&place))
        {
            self.redactor.suspect(&filled.text);
        }
        let set: BTreeMap<String, String> =
            raw.options.unwrap_or_default().into_iter().map(|(name, value)| (name, value.0.0)).collect();
        self.learn_options(&page, set.clone());
        let is_known = pages.get(&page.id).is_some_and(|known| Arc::ptr_eq(known, &page));
        let options = if is_known { self.options(path, &page, set) } else { set };
        let currency = raw.currency.filter(|c| !c.is_empty());
        self.currency(path, &page, currency.as_deref());
        self.credential(path, &page, credential.as_ref(), &mut broken);
        broken = broken.or_else(|| self.broken_at(path));
        let reader = if broken.is_none() { self.reader(path, &page, &options, &mut broken) } else { None };
        if broken.is_none()
            && let Err(why) = Target::of(&page, &options, base_url.as_ref(), &self.folder)
        {
            self.problem(path, Part::Value, why, None);
        }
        let broken = broken.or_else(|| self.broken_at(path));
        Some(Project {
            name,
            page,
            reader,
            credential,
            threshold,
            warning_threshold,
            kind: raw.kind,
            owner_project: owner,
            currency,
            base_url,
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
            timeout,
            options,
            broken,
        })
    }

    /// The provider's page, or one that stands for it because the account cannot be read anyway; none if a problem says why.
    fn page(
        &mut self,
        path: &[Step],
        provider: Option<&str>,
        pages: &BTreeMap<String, Arc<Page>>,
        broken: &mut Option<String>,
    ) -> Option<Arc<Page>> {
        let stand_in =
            |id: &str| pages.get("file").map(|page| Arc::new(Page { id: id.to_owned(), ..Page::clone(page) }));
        let Some(provider) = provider else {
            return if broken.is_some() { stand_in("unknown") } else { None };
        };
        let page = pages.get(provider);
        let nameless = self.broken_pages.get("").filter(|_| page.is_none());
        if let Some(why) = self.broken_pages.get(provider).or(nameless) {
            let why = format!("the page of its provider cannot be used: {}", why.as_deref()?);
            *broken = broken.take().or(Some(why));
            // What names the account across runs is the same, whether its page can be used today or not.
            return page.cloned().or_else(|| stand_in(provider));
        }
        if page.is_some() {
            return page.cloned();
        }
        if !self.is_full() {
            let known: Vec<&str> = pages.keys().map(String::as_str).collect();
            let hint = suggestion(provider, &known, "known providers");
            self.problem(&under(path, "provider"), Part::Value, no_provider(provider, &known), hint);
        }
        // If a variable names a provider that there is not, only this account cannot be read.
        let why = self.broken_at(path)?;
        *broken = broken.take().or(Some(why));
        stand_in("unknown")
    }

    pub(super) fn threshold(&mut self, path: &[Step], field: &str, value: Option<Lenient<Decimal>>) -> Option<Decimal> {
        let value = value?.0;
        if value < Decimal::ZERO {
            let message = format!("`{field}` must not be negative{}", echo::but_is(value));
            self.problem(&under(path, field), Part::Value, message, None);
            return None;
        }
        Some(value)
    }

    fn options(&mut self, path: &[Step], page: &Page, set: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let at = under(path, "options");
        let known: Vec<&str> = page.options.keys().map(String::as_str).collect();
        for (name, value) in &set {
            let Some(spec) = page.options.get(name) else {
                let hint = if known.is_empty() { None } else { suggestion(name, &known, "options") };
                let message = match echo::among(name, &known) {
                    Some(name) => format!("provider `{}` has no option `{name}`", page.id),
                    None => format!("provider `{}` has no such option", page.id),
                };
                self.problem(&under(&at, name), Part::Key(0), message, hint);
                continue;
            };
            if !spec.values.is_empty() && !spec.values.contains(value) {
                let values: Vec<&str> = spec.values.iter().map(String::as_str).collect();
                self.choice(&under(&at, name), "option ", value, &values);
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

    /// Whether the currency that is wanted can be that of the balance: amounts are never converted, so it must not only be
    /// written beside them.
    fn currency(&mut self, path: &[Step], page: &Page, wanted: Option<&str>) {
        let Some((own, wanted)) = page.currency.as_deref().zip(wanted) else {
            return;
        };
        // A page of the catalogue has a currency only if it reads no other one. What a page of one's own reads may be a text
        // that names its currency, so only the answer can tell.
        let is_own = || self.names.iter().any(|(at, id)| at.first() == Some(&key("providers")) && *id == page.id);
        if !amount::is_same(own, wanted) && !is_own() {
            let message = format!("the page `{}` reads {own}; leave `currency` out", page.id);
            self.problem(&under(path, "currency"), Part::Value, message, None);
        }
    }

    /// The page's expressions, compiled once for all accounts that share them.
    fn reader(
        &mut self,
        path: &[Step],
        page: &Page,
        options: &BTreeMap<String, String>,
        broken: &mut Option<String>,
    ) -> Option<Arc<Reader>> {
        let key = (page.id.clone(), page.balance_for(options));
        if let Some(reader) = self.readers.get(&key) {
            return Some(Arc::clone(reader));
        }
        match page.reader(options) {
            Ok(reader) => {
                let reader = Arc::new(reader);
                if key.1 != page.balance {
                    // The project brought it. A missing limit is what `unlimited` is for in a file of one's own.
                    for trap in traps::of_balance(&key.1, true, false) {
                        self.advise(&under(path, "options"), trap.message, trap.hint);
                    }
                }
                self.readers.insert(key, Arc::clone(&reader));
                Some(reader)
            }
            Err((_, why)) => {
                self.push(&under(path, "options"), Part::Value, why.clone(), None, Reach::Entry);
                *broken = Some(why);
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
                    self.vet(path, "api_key", pair, Use::Key { after: &[] }, broken);
                }
                _ => {
                    // What is odd about it may be why it is no pair.
                    self.vet(path, "api_key", pair, Use::Key { after: &[] }, broken);
                    if broken.is_some() {
                        return;
                    }
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
                    return;
                }
                let headers = page.request.headers.values();
                let after: Vec<String> =
                    headers.filter_map(|text| Some(text.split_once("{api_key}")?.0.to_owned())).collect();
                self.vet(path, "api_key", key, Use::Key { after: &after }, broken);
            }
        }
    }
}
