//! The shape of an answer: which keys it has and of which types, without any of its values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Page;
use crate::model::text;
use crate::page::is_field;
use crate::process::quote_input;

/// Most lines of a shape.
const MOST_LINES: usize = 200;
/// Longest key that is shown, in characters.
const LONGEST_KEY: usize = 40;
/// A key with so many digits in a row may be a number of somebody.
const MOST_DIGITS: usize = 4;
/// Stands for a key that is not shown.
pub(crate) const HIDDEN_KEY: &str = "key";

/// The keys that a page's expressions speak of.
#[derive(Debug, Default)]
pub(crate) struct Keys(BTreeSet<String>);

impl Keys {
    /// Those of a page for one set of options.
    pub(crate) fn of(page: &Page, options: &BTreeMap<String, String>) -> Keys {
        let spoken =
            format!("{:?}{:?}{:?}{}", page.error, page.steps, page.confirm, page.read_for(options)).replace("\\n", " ");
        let words = spoken.split(|c: char| !c.is_alphanumeric() && !"_-".contains(c));
        Keys(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// A key as others may see it: one that the page speaks of, or that is made of the words that fields are named with. In some
    /// answers the keys are names of people or of projects, which look like any other word.
    pub(crate) fn shown<'k>(&self, key: &'k str) -> Option<&'k str> {
        let is_known = self.0.contains(key) || (is_field(key) && shown_key(key) == key);
        Some(key).filter(|_| is_known && !quote_input::looks_secret(key))
    }
}

/// Each place of a body with what stands there; the items of a list are one place, and so are keys that may be data. None if it is no
/// JSON.
pub(crate) fn of_json(body: &[u8], keys: &Keys) -> Option<Vec<(String, String)>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut places = Places { keys, found: BTreeMap::new(), order: 0 };
    places.add("", &body);
    let shown = places.found.into_iter().take(MOST_LINES).map(|(place, kinds)| {
        let place = if place.is_empty() { ".".to_owned() } else { place };
        (place, kinds.join(" or "))
    });
    let mut shown: Vec<(String, String)> = shown.collect();
    if places.order > MOST_LINES {
        shown.push(("...".to_owned(), format!("{} places more", places.order - MOST_LINES)));
    }
    Some(shown)
}

struct Places<'a> {
    keys: &'a Keys,
    found: BTreeMap<String, Vec<String>>,
    order: usize,
}

impl Places<'_> {
    fn add(&mut self, place: &str, value: &Value) {
        let kind = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "true or false".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(text) => text_kind(text).to_owned(),
            Value::Array(items) => format!("list of {}", items.len()),
            Value::Object(fields) if fields.is_empty() => "empty object".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        if !self.found.contains_key(place) {
            self.order += 1;
        }
        if self.found.len() <= MOST_LINES {
            let kinds = self.found.entry(place.to_owned()).or_default();
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(&format!("{place}[]"), item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.add(&format!("{place}.{}", self.keys.shown(key).unwrap_or(HIDDEN_KEY)), value);
                }
            }
            _ => {}
        }
    }
}

/// What kind of text it is, without any of it.
fn text_kind(text: &str) -> &'static str {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b"+-.,".contains(&b));
    if text.is_empty() {
        "empty text"
    } else if is_number {
        "number as text"
    } else {
        "text"
    }
}

/// A key as it may be shown: in some answers the keys are names of people, addresses or numbers of accounts.
pub(crate) fn shown_key(key: &str) -> &str {
    let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@' || c == '#')
        && key.chars().count() <= LONGEST_KEY
        && key.chars().skip(1).all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let digits = key.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    if is_name && digits < MOST_DIGITS && !quote_input::looks_secret(key) { key } else { HIDDEN_KEY }
}

/// The path of an address, without the parts of it that may name somebody or let somebody in.
pub(crate) fn of_path(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let is_plain =
            part.len() <= LONGEST_KEY && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let digits = part.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
        if is_plain && digits < MOST_DIGITS && !quote_input::looks_secret(part) { part } else { "…" }
    });
    text::one_line(&parts.collect::<Vec<_>>().join("/"), MOST_LINES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_holds_keys_and_types_and_no_value() {
        let body = br#"{"data": {"left": 12.5, "text": "qzjx", "n": "1,250", "ok": true, "who": null, "e": ""},
            "users": {"qzjx@corp.example": 1, "4711081599": 2, "sk-qzjxqzjxqzjxqzjxqzjx0123": 3, "qzjx": 4},
            "list": [{"a": 1}, {"a": "qzjx", "b": []}], "o": {}}"#;
        let shape = of_json(body, &Keys(["who".to_owned()].into())).unwrap();
        let lines: Vec<String> = shape.iter().map(|(place, kind)| format!("{place}: {kind}")).collect();
        for want in [
            ".: object",
            ".data.left: number",
            ".data.text: text",
            ".data.n: number as text",
            ".data.ok: true or false",
            ".data.who: null",
            ".data.e: empty text",
            ".users.key: number",
            ".list: list of 2",
            ".list[].a: number or text",
            ".list[].b: list of 0",
            ".o: empty object",
        ] {
            assert!(lines.iter().any(|line| line == want), "{want}: {lines:#?}");
        }
        let all = lines.join("\n");
        assert!(!all.contains("qzjx") && !all.contains("4711") && !all.contains("12.5"), "{all}");
        assert_eq!(of_json(b"<html>", &Keys::default()), None);
    }

    #[test]
    fn a_path_hides_what_may_name_somebody() {
        for (path, want) in [
            ("/api/v1/credits", "/api/v1/credits"),
            ("/v1/users/4711081599/balance", "/v1/users/…/balance"),
            ("/bot123456:AAAA/getMe", "/…/getMe"),
            ("/", "/"),
        ] {
            assert_eq!(of_path(path), want);
        }
    }
}
