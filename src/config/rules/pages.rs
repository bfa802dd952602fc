//! The rules of `providers:`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Builder, item, under, web_address};
use crate::check::provider::page::Page;
use crate::config::document::Part;
use crate::limit::Limit;

impl Builder<'_> {
    /// The catalogue and the user's own pages, by id.
    pub(super) fn pages(&mut self, raw: Vec<Option<Page>>) -> BTreeMap<String, Arc<Page>> {
        let mut pages: BTreeMap<String, Arc<Page>> =
            crate::check::provider::catalog().into_iter().map(|page| (page.id.clone(), Arc::new(page))).collect();
        for (index, page) in raw.into_iter().enumerate() {
            let path = item("providers", index);
            let Some(page) = page else {
                self.missing_entry(&path);
                continue;
            };
            // What a variable brought into a request may be a credential.
            let request = under(&path, "request");
            for (_, value) in self.interpolated.filled.iter().filter(|(at, _)| at.starts_with(&request)) {
                self.redactor.learn(value);
            }
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
    if let Some(Err(why)) = page.rate_limit.as_ref().map(|limit| limit.parse::<Limit>()) {
        problems.push(("rate_limit", format!("`rate_limit` {why}")));
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
