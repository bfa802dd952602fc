//! The type of a webhook: what it writes, what its address belongs to, and what must be set for it.

use std::sync::Arc;

use url::Url;

use super::pages::ChannelPages;
use super::{CODED, CUSTOM, EXEC, RawWebhook};
use crate::notify::channel::builtin_pages;
use crate::notify::channel::prepared::Prepared;
use crate::process::command::Program;
use crate::process::quote_input;
use crate::yaml::path::{Part, Step, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::suggestion;

impl ConfigReader<'_> {
    /// The type of a channel: what its address belongs to, which `type` must not contradict.
    pub(super) fn kind(
        &mut self,
        path: &[Step],
        written: Option<String>,
        address: Option<&Url>,
        has_body: bool,
        pages: &ChannelPages,
    ) -> String {
        let at = under(path, "type");
        let written = written.map(|written| written.trim().to_owned());
        if let Some(kind) = written.as_deref().filter(|kind| !pages.has(kind) && pages.fault(kind).is_none()) {
            let known: Vec<&str> = pages.types().into_iter().collect();
            match self.is_flagged(&at) {
                true => {}
                false if self.is_overlaid_type(path) => {
                    let hint = suggestion(kind, &known, "allowed");
                    let message = match quote_input::among(kind, &known) {
                        Some(kind) => format!("the variable `WEBHOOK_TYPE` cannot be `{kind}`"),
                        None => "the variable `WEBHOOK_TYPE` holds none of the words that it can be".to_owned(),
                    };
                    self.push(&at, Part::Value, message, hint, Reach::Entry);
                }
                false => self.choice(&at, "", kind, &known),
            }
            self.flagged.insert(at);
            return CUSTOM.to_owned();
        }
        let owner = address.and_then(|url| Some((url.host_str()?, owner_of(url)?)));
        match (owner, written) {
            (Some((host, Owner::Known(owner))), Some(written)) => {
                // A user's own page may speak to any service, and so may a body of the user's own.
                let is_own = pages.is_own(&written) || builtin_pages::ids().all(|id| id != written);
                let is_free = CODED.contains(&written.as_str()) || has_body || is_own;
                if written != owner && !is_free {
                    let message = format!("`type` is `{written}`, but an address at `{host}` belongs to `{owner}`");
                    let hint = Some(format!("write `type: {owner}`, or leave `type` out"));
                    self.problem(&at, Part::Value, message, hint);
                }
                written
            }
            (Some((_, Owner::Known(owner))), None) => owner,
            (Some((host, Owner::Other(service))), written) => {
                let kind = written.unwrap_or_else(|| CUSTOM.to_owned());
                if kind == CUSTOM && !has_body {
                    self.warnings.push(format!(
                        "the webhook at `{host}` belongs to {service}, which does not understand the JSON of a custom \
                         webhook: alerts will not be shown there"
                    ));
                }
                kind
            }
            (None, written) => written.unwrap_or_else(|| CUSTOM.to_owned()),
        }
    }

    /// Whether a variable stands for the type of a webhook.
    pub(super) fn is_overlaid_type(&self, path: &[Step]) -> bool {
        let variable = RawWebhook::kind.variable.and_then(|variable| self.environment.overlay(variable.name));
        variable.is_some() && path == [key("webhook")]
    }

    /// Checks the `url` of a webhook, and learns it.
    pub(super) fn address(
        &mut self,
        path: &[Step],
        kind: &str,
        page: Option<&Prepared>,
        text: Option<&str>,
        written: Option<Result<Url, String>>,
    ) {
        let spec = page.and_then(|page| page.page.fields.get("url"));
        let is_known = page.is_some() || CODED.contains(&kind);
        match (spec, written) {
            _ if !is_known => {}
            (None, Some(_)) => {
                self.problem(&under(path, "url"), Part::Key(0), format!("{} channel takes no `url`", a(kind)), None);
            }
            (None, None) => {}
            (Some(_), None) => {
                if !self.is_unusable(path) && !self.is_flagged(&under(path, "url")) {
                    let hint = Some("set `url`, or `type: console` to print alerts".to_owned());
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
            }
            (Some(_), Some(_)) if text.is_some_and(str::is_empty) => {
                self.break_entry(path, "`url` is empty");
                self.push(&under(path, "url"), Part::Value, "`url` is empty".to_owned(), None, Reach::Entry);
            }
            (Some(spec), Some(Ok(url))) => match spec.secret {
                true => self.redactor.learn_secret_address(&url),
                false => self.redactor.learn_address(&url),
            },
            (Some(_), Some(Err(why))) => {
                self.problem(&under(path, "url"), Part::Value, format!("`url` {why}"), None);
            }
        }
    }

    /// The program and its arguments, which only a channel of the type exec has.
    pub(super) fn command(
        &mut self,
        path: &[Step],
        kind: &str,
        written: Option<Vec<Lenient<Text>>>,
    ) -> Option<Arc<Program>> {
        let at = under(path, "command");
        match written {
            Some(_) if kind != EXEC => {
                let hint = Some(format!("write `type: {EXEC}` for a command"));
                self.problem(&at, Part::Key(0), format!("{} channel takes no `command`", a(kind)), hint);
                None
            }
            Some(words) => Some(Arc::new(self.program(&at, "command", words))),
            None if kind == EXEC && !self.is_unusable(path) && !self.is_flagged(&at) => {
                let hint =
                    Some("it is a list: the program and its arguments, as `[/usr/local/bin/tell, --team]`".to_owned());
                self.problem(path, Part::Value, "`command` is missing", hint);
                None
            }
            None => None,
        }
    }
}

/// The name of a type with its article.
pub(super) fn a(kind: &str) -> String {
    let has_vowel = kind.starts_with(['a', 'e', 'i', 'o']) && !kind.starts_with("one");
    let article = if has_vowel { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Whom an address belongs to.
enum Owner {
    /// The service of a page that an address is all that is needed for.
    Known(String),
    /// Another service, which does not understand the JSON of a custom webhook.
    Other(String),
}

/// The service that an address belongs to, if that is known.
fn owner_of(address: &Url) -> Option<Owner> {
    if let Some(page) = builtin_pages::owner(address) {
        return Some(if page.fields.contains_key("url") { Owner::Known(page.id) } else { Owner::Other(page.title) });
    }
    let host = address.host_str()?;
    // The retired connectors of Teams, which take another form than its workflows.
    let is_connector =
        host.strip_suffix("webhook.office.com").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_connector.then(|| Owner::Other("Microsoft Teams".to_owned()))
}
