//! The pages that webhooks can name: those of the catalogue, and those under `channels`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use super::RawWebhook;
use crate::check::account::config::literals;
use crate::notify::channel::builtin_pages;
use crate::notify::channel::coded::{self, CODED};
use crate::notify::channel::page::{FieldKind, FieldSpec, Format, Page, Per, RequestSpec};
use crate::notify::channel::prepared::Prepared;
use crate::notify::channel::values::{OF_MESSAGE, Values, placeholders};
use crate::wire::config::is_header_name;
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;
use crate::yaml::field::Fields;
use crate::yaml::path::{Part, Step, item, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::shape::shown_word;

/// Time for the examples of all pages.
const EXAMPLES_TIME: Duration = Duration::from_secs(5);

/// The pages that webhooks can name.
#[derive(Default)]
pub(crate) struct ChannelPages {
    /// Those of the config, and those of the catalogue that were asked for, by id.
    known: BTreeMap<String, Arc<Prepared>>,
    /// The ids of those of the config.
    own: BTreeSet<String>,
    /// Those of the config that cannot be used, by id, with the reason.
    broken: BTreeMap<String, String>,
}

impl ChannelPages {
    /// The page with an id.
    pub(super) fn get(&mut self, id: &str) -> Option<Arc<Prepared>> {
        if let Some(known) = self.known.get(id) {
            return Some(Arc::clone(known));
        }
        let page = Arc::new(Prepared::new(builtin_pages::page(id)?));
        self.known.insert(id.to_owned(), Arc::clone(&page));
        Some(page)
    }

    /// The keys that a webhook of a type has of its own; none if there is no such type.
    pub(super) fn fields(&mut self, id: &str) -> Option<BTreeMap<String, FieldSpec>> {
        if CODED.contains(&id) {
            return Some(coded::fields(id));
        }
        self.get(id).map(|page| page.page.fields.clone())
    }

    /// Whether a page is one of the config.
    pub(super) fn is_own(&self, id: &str) -> bool {
        self.own.contains(id)
    }

    /// Why the page with an id cannot be used. A page without an id may be the one that is named. A type that is code has no page.
    pub(super) fn fault(&self, id: &str) -> Option<&String> {
        let nameless = || self.broken.get("").filter(|_| !self.has(id));
        self.broken.get(id).or_else(nameless).filter(|_| !CODED.contains(&id))
    }

    /// Whether there is a type of this name.
    pub(super) fn has(&self, id: &str) -> bool {
        CODED.contains(&id) || self.known.contains_key(id) || builtin_pages::ids().any(|known| known == id)
    }

    /// Every word that `type` may be.
    pub(super) fn types(&self) -> BTreeSet<&str> {
        let mut types: BTreeSet<&str> = builtin_pages::ids().collect();
        types.extend(self.known.keys().map(String::as_str));
        types.extend(CODED);
        types
    }
}

impl ConfigReader<'_> {
    /// The user's own pages. A mistake in one concerns the webhooks that name it.
    pub(crate) fn channel_pages(&mut self, raw: Vec<Option<Page>>) -> ChannelPages {
        let mut pages = ChannelPages::default();
        let end = Instant::now() + EXAMPLES_TIME;
        for (index, page) in raw.into_iter().enumerate() {
            let path = item("channels", index);
            let Some(page) = page else {
                self.missing_entry(&path);
                // Its own mistake is said; that there is no such type would be another one.
                let id = self.names.get(&path).cloned().unwrap_or_default();
                let why = self.fault(&path).unwrap_or_else(|| "its page cannot be read".to_owned());
                pages.broken.insert(id, why);
                continue;
            };
            self.learn_filled(&under(&path, "request"));
            self.learn_filled(&under(&path, "resolve"));
            for (field, code) in [("body", &page.body), ("verdict", &page.verdict)] {
                self.learn_expression(&under(&path, field), code);
            }
            for code in page.limits.iter().filter_map(|limit| limit.of.as_ref()) {
                self.learn_expression(&under(&path, "limits"), code);
            }
            let id = page.id.clone();
            self.channel_page(&path, page, &mut pages, end);
            if let Some(why) = self.fault(&path) {
                pages.broken.insert(id, why);
            }
        }
        pages
    }

    fn channel_page(&mut self, path: &[Step], page: Page, pages: &mut ChannelPages, end: Instant) {
        for spec in std::iter::once(&page.request).chain(&page.resolve) {
            self.learn_written(spec);
        }
        if self.is_unusable(path) {
            // What is missing from it is missing from outside, so nothing else is said of it.
            return;
        }
        let id = page.id.clone();
        let prepared = Prepared::own(page);
        for (field, message) in problems(&prepared, end) {
            self.push(&under(path, field), Part::Value, message, None, Reach::Entry);
        }
        let at = under(path, "id");
        if CODED.contains(&id.as_str()) || pages.own.contains(&id) {
            let message = format!("there is already a type of channel{}", shown_word(&id));
            self.problem(&at, Part::Value, message, Some("give the page another id".to_owned()));
            return;
        }
        if pages.has(&id) {
            self.replaces(&at, &id);
        }
        if is_word(&id) {
            pages.own.insert(id.clone());
            pages.known.insert(id, Arc::new(prepared));
        }
    }

    /// Learns the secrets in an expression, and what variables brought into it.
    pub(super) fn learn_expression(&self, at: &[Step], code: &str) {
        literals::learn_expression(&self.redactor, code);
        let filled = self.interpolated.filled.range(at.to_vec()..).take_while(|(path, _)| path.starts_with(at));
        let names = filled.flat_map(|(_, filled)| &filled.variables);
        names.filter_map(|name| self.environment.get(name)).for_each(|value| self.redactor.learn(value));
    }

    /// Learns what is written into a request as it is: a service that repeats it must not bring it into a report.
    fn learn_written(&mut self, spec: &RequestSpec) {
        let marked = |text: &String| {
            placeholders(text).fold(text.clone(), |text, name| text.replace(&format!("{{{name}}}"), "{api_key}"))
        };
        for (name, value) in &spec.headers {
            literals::learn_header(&self.redactor, name, &marked(value));
        }
        for (name, value) in spec.query.iter().chain(&spec.add) {
            literals::learn_named(&self.redactor, name, &marked(value));
        }
        if let Some(basic) = &spec.basic {
            literals::learn_named(&self.redactor, "password", &marked(&basic.password));
        }
        if let Ok(url) = Url::parse(&spec.url) {
            literals::learn_literal_address(&self.redactor, &url);
        }
    }
}

/// Whether a text can be the id of a page.
fn is_word(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

/// What is wrong with a page, by field.
pub(crate) fn problems(prepared: &Prepared, end: Instant) -> Vec<(&'static str, String)> {
    let page = &prepared.page;
    let mut problems = Vec::new();
    if !is_word(&page.id) {
        problems.push(("id", "`id` must be made of lower-case letters, digits, `-` and `_`".to_owned()));
    }
    problems.extend(field_problems(page));
    problems.extend(request_problems("request", page, &page.request));
    if let Some(resolve) = &page.resolve {
        problems.extend(request_problems("resolve", page, resolve));
        if page.per != Per::Alert {
            problems.push(("resolve", "`resolve` is for pages with `per: alert`".to_owned()));
        }
    }
    if let Some(Err(why)) = page.rate_limit.as_ref().map(|limit| limit.parse::<Limit>()) {
        problems.push(("rate_limit", format!("`rate_limit` {why}")));
    }
    if page.alerts == Some(0) {
        problems.push(("alerts", "`alerts` must be 1 or more".to_owned()));
    }
    if let Err(problem) = prepared.check() {
        problems.push(problem);
    }
    if problems.is_empty()
        && Instant::now() < end
        && let Some(why) = prepared.failing_examples().next()
    {
        problems.push(("examples", why));
    }
    problems
}

/// What is wrong with the fields of a page.
fn field_problems(page: &Page) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    for (name, spec) in &page.fields {
        let is_name = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let is_taken = RawWebhook::FIELDS.iter().any(|field| field.name == name) && name != "url" && name != "secret";
        let shown = shown_word(name);
        if name.is_empty() || !is_name || OF_MESSAGE.contains(&name.as_str()) {
            let what = "must be made of lower-case letters, digits and `_`, and not be `key`, `condition` or `uuid`";
            problems.push(("fields", format!("the name of a field{shown} {what}")));
        } else if is_taken || name.ends_with("_file") || name.ends_with("_command") {
            let what = "cannot be the name of a field: every webhook has it, or it tells a secret of another one";
            problems.push(("fields", format!("{} {what}", shown.trim_start())));
        }
        if spec.secret && spec.default.is_some() {
            problems.push(("fields", format!("the field{shown} is a secret and has a default")));
        }
    }
    problems
}

/// What is wrong with a request of a page.
fn request_problems(field: &'static str, page: &Page, spec: &RequestSpec) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    for name in spec.texts().flat_map(placeholders) {
        let spec = page.fields.get(name);
        if spec.is_some_and(|spec| spec.kind == FieldKind::Addresses) {
            problems.push((field, format!("`{{{name}}}` is a list, which only `body` can use")));
        } else if spec.is_none() && !OF_MESSAGE.contains(&name) {
            problems.push((
                field,
                format!("`{{{name}}}` is neither a field of the page nor `{{key}}`, `{{condition}}` or `{{uuid}}`"),
            ));
        }
    }
    if problems.is_empty() {
        let probe = page.fields.iter().map(|(name, spec)| {
            let is_address = spec.kind == FieldKind::Url || name == "url";
            let value = if is_address { "https://service.example/x" } else { "x" };
            (name.clone(), value.to_owned().into())
        });
        let address =
            Values::new(&page.fields, probe.collect()).address(&spec.url, &OF_MESSAGE.map(|name| (name, "x")));
        if let Some(Err(why)) = address.map(|address| web_address(&address)) {
            problems.push((field, format!("`url` {why}")));
        }
    }
    if !spec.headers.keys().all(|name| is_header_name(name)) {
        problems.push((field, "a key of `headers` is not the name of a header".to_owned()));
    }
    if spec.format == Format::Text && !spec.add.is_empty() {
        problems.push((field, "`add` is for JSON and forms".to_owned()));
    }
    problems
}
