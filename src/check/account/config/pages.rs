//! The pages that accounts can name: those of the catalogue, and those under `providers`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use crate::check::account::catalog;
use crate::check::account::page::{Confirm, Page, Reader};
use crate::model::text;
use crate::page::{syntax, traps};
use crate::process::echo;
use crate::wire::config::is_header_name;
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;
use crate::yaml::path::{Part, Step, item, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::{shown_word, suggestion};

/// The pages that accounts can name.
#[derive(Default)]
pub(crate) struct Pages {
    /// Those of the catalogue and of the config, by id.
    pub known: BTreeMap<String, Arc<Page>>,
    /// Those that cannot be used, by id, with the reason if it comes from outside.
    pub broken: BTreeMap<String, Option<String>>,
    /// Compiled pages, by id and balance expression: one for all accounts of a provider.
    pub compiled: BTreeMap<(String, String), Arc<Reader>>,
}

/// Time for the examples of all pages; they are read in less than a millisecond each.
const EXAMPLES_TIME: Duration = Duration::from_secs(5);

impl ConfigReader<'_> {
    /// The catalogue and the user's own pages, by id.
    pub(crate) fn pages(&mut self, raw: Vec<Option<Page>>) -> Pages {
        let known = catalog().into_iter().map(|page| (page.id.clone(), Arc::new(page))).collect();
        let mut pages = Pages { known, ..Pages::default() };
        let end = Instant::now() + EXAMPLES_TIME;
        for (index, page) in raw.into_iter().enumerate() {
            let path = item("providers", index);
            let Some(page) = page else {
                self.missing_entry(&path);
                // The page's own mistake is said; that there is no such provider would be another one.
                // One without an id may be the one that a project names.
                let id = self.names.get(&path).cloned().unwrap_or_default();
                pages.broken.insert(id, self.fault(&path));
                continue;
            };
            self.learn_filled(&under(&path, "request"));
            if let Some(why) = self.fault(&path) {
                // What is missing from it is missing from outside, so nothing else is said of it.
                pages.broken.insert(page.id.clone(), Some(why));
                pages.known.entry(page.id.clone()).or_insert(Arc::new(page));
                continue;
            }
            self.learn_page(&page);
            let problems = page_problems(&page, end);
            if let Some((_, why)) = problems.first() {
                pages.broken.insert(page.id.clone(), Some(why.clone()));
            }
            for (field, message) in problems {
                // Without an id nothing could name it; any other mistake concerns those who do.
                let reach = if field == "id" { Reach::Whole } else { Reach::Entry };
                self.push(&under(&path, field), Part::Value, message, None, reach);
            }
            self.page_traps(&path, &page);
            if pages.known.contains_key(&page.id) {
                let message = format!("there is already a provider{}", shown_word(&page.id));
                self.problem(&under(&path, "id"), Part::Value, message, Some("give the page another id".to_owned()));
            } else {
                if let Some(why) = self.fault(&path) {
                    pages.broken.insert(page.id.clone(), Some(why));
                }
                // What is no word is not suggested to others: it may be anything.
                if is_word(&page.id) {
                    pages.known.insert(page.id.clone(), Arc::new(page));
                }
            }
        }
        pages
    }

    /// Learns what variables brought into the request of a page: it may be a credential.
    pub(crate) fn learn_filled(&mut self, request: &[Step]) {
        let filled = self.interpolated.filled.range(request.to_vec()..);
        for (_, filled) in filled.take_while(|(at, _)| at.starts_with(request)) {
            match Url::parse(&filled.text).ok().filter(|url| url.host().is_some()) {
                Some(url) => self.redactor.learn_address(&url),
                // `Bearer ${TOKEN}`: the token by itself as well.
                None => std::iter::once(filled.text.as_str())
                    .chain(filled.text.split_whitespace().filter(|part| part.len() >= 8))
                    .for_each(|secret| self.redactor.learn(secret)),
            }
        }
    }

    /// How often each provider is asked: as its page says, or as the settings say instead.
    pub(crate) fn limits(
        &mut self,
        set: Option<BTreeMap<String, Lenient<Text>>>,
        pages: &Pages,
    ) -> BTreeMap<String, Limit> {
        let own =
            pages.known.values().filter_map(|page| Some((page.id.clone(), page.rate_limit.as_ref()?.parse().ok()?)));
        let mut limits: BTreeMap<String, Limit> = own.collect();
        for (id, text) in set.unwrap_or_default() {
            let at = [key("settings"), key("rate_limits"), key(&id)];
            let is_broken = pages.broken.contains_key(&id) || pages.broken.contains_key("");
            if !pages.known.contains_key(&id) && !is_broken {
                let known: Vec<&str> = pages.known.keys().map(String::as_str).collect();
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

    /// What in a page is written otherwise than it is probably meant.
    fn page_traps(&mut self, path: &[Step], page: &Page) {
        let has_example = page.examples.iter().any(|example| example.expect.balance.is_some());
        for trap in traps::of_balance(&page.balance, page.error.is_some(), has_example) {
            self.advise(&under(path, "balance"), trap.message, trap.hint);
        }
        for trap in page.error.iter().flat_map(|code| traps::of_error(code)) {
            self.advise(&under(path, "error"), trap.message, trap.hint);
        }
        let confirm = |field: fn(&Confirm) -> &String| page.confirm.as_ref().map(field);
        for (field, code) in [
            (&["balance"][..], Some(&page.balance)),
            (&["error"], page.error.as_ref()),
            (&["confirm", "when"], confirm(|confirm| &confirm.when)),
            (&["confirm", "error"], confirm(|confirm| &confirm.error)),
        ] {
            let path = field.iter().fold(path.to_vec(), |path, field| under(&path, field));
            if code.is_some_and(|code| syntax::comment(code).is_some()) && self.document.is_folded(&path) {
                let message = "`>` makes one line of all lines, so `#` takes away all that follows it";
                self.advise(&path, message, "write `|` instead of `>`");
            }
        }
    }
}

/// Whether a text can be the id of a page.
fn is_word(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What is wrong with a page, by field.
fn page_problems(page: &Page, end: Instant) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if !is_word(&page.id) {
        problems.push(("id", "`id` must be made of lower-case letters, digits and `-`".to_owned()));
    }
    let options = page.options_with_defaults(&BTreeMap::new());
    match (&page.request.url, &page.request.file) {
        (Some(url), None) => match probe(page, url, &options) {
            Err(why) => problems.push(("request", format!("`url` {why}"))),
            Ok(address) => {
                let twice = address.query_pairs().find(|(name, _)| page.request.query.contains_key(&**name));
                if let Some((name, _)) = twice {
                    problems.push(("request", format!("`{name}` stands both in `url` and in `query`")));
                }
            }
        },
        (None, Some(_)) => {}
        _ => problems.push(("request", "exactly one of `url` and `file` must be set".to_owned())),
    }
    if let Some(Err(why)) = page.confirm.as_ref().map(|confirm| probe(page, &confirm.url, &options)) {
        problems.push(("confirm", format!("`url` {why}")));
    }
    if let Some(Err(why)) = page.rate_limit.as_ref().map(|limit| limit.parse::<Limit>()) {
        problems.push(("rate_limit", format!("`rate_limit` {why}")));
    }
    if !page.request.headers.keys().all(|name| is_header_name(name)) {
        problems.push(("request", "a key of `headers` is not the name of a header".to_owned()));
    }
    problems.extend(placeholder_problems(page));
    // The project brings what has no default; until then any expression stands for it.
    let mut probe = options.clone();
    let missing = page.options.keys().filter(|name| !options.contains_key(*name)).cloned();
    let is_guess = page.balance.contains("{options.");
    probe.extend(missing.map(|name| (name, ".".to_owned())));
    match page.reader(&probe) {
        Err(("balance", _)) if is_guess => {}
        Err((field, why)) => {
            problems.push((field, why));
            return problems;
        }
        Ok(_) => {}
    }
    for example in &page.examples {
        if let Err(why) = page.try_example(example) {
            problems.push(("examples", why));
            if Instant::now() > end {
                break;
            }
        }
    }
    problems
}

/// The address as far as it can be known.
fn probe(page: &Page, url: &str, options: &BTreeMap<String, String>) -> Result<Url, String> {
    web_address(&page.fill(url, "key", options, str::to_owned).replace(['{', '}'], "x"))
}

/// Placeholders that are not known, or that stand where they cannot be filled.
fn placeholder_problems(page: &Page) -> Vec<(&'static str, String)> {
    let request = &page.request;
    let mut problems = BTreeSet::new();
    let is_option = |name: &str| name.strip_prefix("options.").is_some_and(|name| page.options.contains_key(name));
    let addresses = request.url.iter().chain(&request.file).map(|text| ("request", text));
    for (field, text) in addresses.chain(page.confirm.iter().map(|confirm| ("confirm", &confirm.url))) {
        for name in placeholders(text) {
            if name == "api_key" {
                // The address is shown, stored and logged.
                let message = "`{api_key}` cannot stand in an address; put it into `query` or `headers`";
                problems.insert((field, message.to_owned()));
            } else if !is_option(name) {
                problems.insert((field, format!("`{{{name}}}` is not a declared option")));
            }
        }
    }
    let filled = request.query.values().chain(request.headers.values());
    for text in filled.clone().chain(&request.body) {
        if text.contains("{{api_key}}") {
            problems.insert(("request", "`{{api_key}}` has one brace too many: write `{api_key}`".to_owned()));
        }
    }
    for name in filled.flat_map(|text| placeholders(text)) {
        if name != "api_key" && name != "{api_key" && !is_option(name) {
            problems.insert(("request", format!("`{{{name}}}` is neither `{{api_key}}` nor a declared option")));
        }
    }
    // Braces are common in a body, so only what looks like a slip of the pen is one.
    for name in request.body.iter().flat_map(|text| placeholders(text)) {
        let is_near = name != "api_key" && text::nearest(name, ["api_key"]).is_some();
        if is_near || (name.starts_with("options.") && !is_option(name)) {
            problems.insert(("request", format!("`{{{name}}}` is neither `{{api_key}}` nor a declared option")));
        }
    }
    problems.into_iter().collect()
}

/// What stands between braces in a text.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// That a provider is named which there is not.
pub(crate) fn no_provider(id: &str, known: &[&str]) -> String {
    match echo::among(id, known) {
        Some(id) => format!("there is no provider `{id}`"),
        None => "a provider is named that there is not".to_owned(),
    }
}
