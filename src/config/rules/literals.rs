//! Secrets that are written into a page or into options as they are. A service that repeats what it was sent must not bring
//! them into a report, so the redactor learns them here.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::Builder;
use crate::check::provider::page::Page;
use crate::process::echo;
use crate::process::redact;

/// Headers that everybody may read, in small letters.
const PUBLIC: [&str; 16] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "host",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "x-acs-action",
    "x-requested-with",
];
/// Shorter values of a header whose name says nothing stand in too many texts by chance.
const SHORTEST: usize = 4;

impl Builder<'_> {
    /// Learns what is written into the request of a page as it is.
    pub(super) fn learn_page(&mut self, page: &Page) {
        let request = &page.request;
        for (name, value) in &request.headers {
            self.learn_header(name, value);
        }
        for (name, value) in &request.query {
            self.learn_named(name, value);
        }
        let addresses = request.url.iter().chain(page.confirm.as_ref().map(|confirm| &confirm.url));
        for url in addresses.filter_map(|text| Url::parse(text).ok()) {
            self.redactor.learn_address(&url);
            let segments = url.path_segments().into_iter().flatten();
            let parts = segments.map(str::to_owned).chain(url.query_pairs().map(|(_, value)| value.into_owned()));
            parts.filter(|part| echo::looks_secret(part)).for_each(|part| self.redactor.learn(&part));
        }
        if let Some(body) = &request.body {
            match serde_json::from_str(body) {
                Ok(body) => self.learn_json("", &body),
                Err(_) => self.learn_text(body),
            }
        }
        let defaults = page.options.iter().filter_map(|(name, spec)| Some((name, spec.default.as_ref()?)));
        self.learn_options(page, defaults.map(|(name, value)| (name.clone(), value.clone())).collect());
    }

    /// Learns the options of a page that may be secrets. Those of a file are its path and an expression, and go to nobody.
    pub(super) fn learn_options(&mut self, page: &Page, options: BTreeMap<String, String>) {
        for (name, value) in options {
            if redact::speaks_of_secret(&name) {
                self.redactor.learn(&value);
            } else if page.request.file.is_none() {
                self.redactor.suspect(&value);
            }
        }
    }

    fn learn_header(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        let is_secret = redact::speaks_of_secret(&name);
        if !is_secret && (PUBLIC.contains(&name.as_str()) || name.contains("version")) {
            return;
        }
        for part in literals(value).filter(|part| is_secret || part.len() >= SHORTEST) {
            self.redactor.learn(part);
            // `Bearer token` and `sid=token; theme=dark`: the token by itself as well.
            let words = part.split([' ', ';', ',']).map(|word| word.split_once('=').map_or(word, |(_, value)| value));
            words.filter(|word| word.len() >= 8).for_each(|word| self.redactor.learn(word));
        }
    }

    /// A value whose name says what it is.
    fn learn_named(&mut self, name: &str, value: &str) {
        for part in literals(value) {
            if redact::speaks_of_secret(name) || echo::looks_secret(part) {
                self.redactor.learn(part);
            } else if part.len() >= 8 {
                self.redactor.suspect(part);
            }
        }
    }

    fn learn_json(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.learn_named(name, text),
            Value::Number(number) if redact::speaks_of_secret(name) => self.redactor.learn(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_json(name, item)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| self.learn_json(name, value)),
            _ => {}
        }
    }

    /// A body that is no JSON by itself: a form, or JSON with a placeholder outside of quotes.
    fn learn_text(&mut self, body: &str) {
        let is_mark = |c: char| c.is_whitespace() || "&=\"'{}[],:".contains(c);
        let words: Vec<&str> = body.split(is_mark).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            self.learn_named(pair[0], pair[1]);
        }
    }
}

/// The parts of a text that no placeholder fills.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').enumerate().map(|(at, part)| match part.split_once('}') {
        Some((name, rest)) if at > 0 && (name == "api_key" || name.starts_with("options.")) => rest,
        _ => part,
    });
    parts.map(str::trim).filter(|part| {
        !part.is_empty()
            && !matches!(
                part.to_ascii_lowercase().as_str(),
                "bearer" | "basic" | "token" | "apikey" | "api-key" | "key"
            )
    })
}
