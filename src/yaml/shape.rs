//! From nodes to the shapes that serde knows, with every node that does not fit, in words for people.

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::path::{NodePath, Part, Step, item, last_key, under};
use super::problem::MOST_PROBLEMS;
use super::reader::ConfigReader;
use super::scalar::{HELD_NUMBER, HELD_WHOLE_NUMBER, PLAIN_HINT, PLAIN_NUMBER};
use crate::model::text;
use crate::process::quote_input;

/// Most words that a hint lists.
const MOST_LISTED: usize = 40;
/// Most words that are looked at for one that was meant.
const MOST_COMPARED: usize = 1000;

impl ConfigReader<'_> {
    /// Takes the entries of a list out of the tree; nothing if there is no list.
    pub(crate) fn items<T: DeserializeOwned>(&mut self, tree: &mut Value, list: &str) -> Option<Vec<Option<T>>> {
        let items = std::mem::take(tree.get_mut(list)?.as_sequence_mut()?);
        let entries = items.into_iter().enumerate();
        Some(entries.map(|(index, mut entry)| self.fit(&mut entry, &item(list, index))).collect())
    }

    /// Deserialises one node, takes out each node that does not fit, and goes on, so that all such nodes are found.
    pub(crate) fn fit<T: DeserializeOwned>(&mut self, node: &mut Value, base: &[Step]) -> Option<T> {
        if node.is_null() || self.is_full() {
            return None;
        }
        // Each round takes a node out.
        for _ in 0..=2 * MOST_PROBLEMS {
            let error = match serde_path_to_error::deserialize(&*node) {
                Ok(raw) => return Some(raw),
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
            let full: NodePath = base.iter().chain(&path).cloned().collect();
            if !self.is_flagged(&full) {
                self.misfit(&full, &error.inner().to_string());
                self.flagged.insert(full);
            }
            if path.is_empty() || !remove(node, &path) || self.is_full() {
                break;
            }
        }
        None
    }

    /// Words serde's complaint about one node. What it quotes of the node is not repeated: it may be a secret.
    pub(crate) fn misfit(&mut self, path: &[Step], said: &str) {
        let name = last_key(path);
        let words: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
        if said.starts_with("unknown field") {
            let known: Vec<&str> = words.into_iter().skip(1).filter(|known| *known != name).collect();
            let hint = suggestion(name, &known, "fields here");
            // The field that was meant is not missing as well.
            if let (Some(near), Some((_, parent))) = (text::nearest(name, known.iter().copied()), path.split_last()) {
                self.flagged.insert(under(parent, near));
            }
            let message = match quote_input::among(name, &known) {
                Some(name) => format!("unknown field `{name}`"),
                None => "unknown field".to_owned(),
            };
            self.problem(path, Part::Key(0), message, hint);
        } else if said.starts_with("unknown variant") {
            let value = words.first().copied().unwrap_or_default();
            let known: Vec<&str> = words.iter().copied().skip(1).collect();
            self.choice(path, "", value, &known);
        } else if let Some(missing) = said.strip_prefix("missing field ") {
            if !self.is_flagged(&under(path, missing.trim_matches('`'))) {
                self.problem(path, Part::Value, format!("{missing} is missing"), None);
            }
        } else {
            let expected = said.rsplit_once(", expected ").map_or("something else", |(_, expected)| expected);
            let found = said.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            let found = [
                ("sequence", "a list"),
                ("map", "a mapping"),
                ("unit value", "nothing"),
                ("floating point `NaN`", "not one (NaN)"),
                ("floating point `inf`", "infinite"),
                ("floating point `-inf`", "infinite"),
                ("floating point", "a number"),
                ("integer", "a number"),
                ("boolean", "true or false"),
                ("string", "text"),
            ]
            .into_iter()
            .find_map(|(begin, words)| found.starts_with(begin).then_some(words))
            .unwrap_or("something else");
            let expected = match expected {
                "a string" => "text",
                "a sequence" => "a list",
                e if e.starts_with("struct") || e == "a map" => "a mapping",
                "u8" => "a whole number from 0 to 255",
                "u16" => "a whole number from 0 to 65535",
                "u32" | "u64" | "usize" => "a whole number, 0 or more",
                "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
                "f32" | "f64" => "a number",
                e => e,
            };
            let hint = match (expected, found) {
                ("text", "a number" | "true or false") => Some("put it in quotes"),
                ("a number" | PLAIN_NUMBER, "text") => Some(PLAIN_HINT),
                ("true or false", "text") => Some("write `true` or `false`"),
                _ => None,
            };
            let what = match path.last() {
                Some(Step::Key(name)) => quote_input::key(name),
                _ => "the entry".to_owned(),
            };
            let message = match expected {
                PLAIN_NUMBER | HELD_NUMBER | HELD_WHOLE_NUMBER => format!("{what} must be {expected}"),
                _ => format!("{what} must be {expected}, but is {found}"),
            };
            self.problem(path, Part::Value, message, hint.map(str::to_owned));
        }
    }

    /// A value that is none of those which are allowed.
    pub(crate) fn choice(&mut self, path: &[Step], noun: &str, value: &str, known: &[&str]) {
        let name = format!("{noun}{}", quote_input::key(last_key(path)));
        let message = match quote_input::among(value, known) {
            Some(value) => format!("{name} cannot be `{value}`"),
            None => format!("{name} is none of the words that it can be"),
        };
        self.problem(path, Part::Value, message, suggestion(value, known, "allowed"));
    }
}

/// `did you mean ...`, or the list of what there is.
pub(crate) fn suggestion(word: &str, known: &[&str], what: &str) -> Option<String> {
    let near = near(word, known);
    let known: Vec<&str> = showable(known).collect();
    let listed = &known[..known.len().min(MOST_LISTED)];
    Some(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if listed.is_empty() => return None,
        None => {
            let more = known.len() - listed.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{what}: {}{more}", text::list(listed.iter().copied()))
        }
    })
}

/// The word that was probably meant.
pub(crate) fn near<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    text::nearest(word, showable(known).take(MOST_COMPARED))
}

/// Words that a hint may name. Some of them, as the ids of pages, stand in the config as well, and may be a key in the wrong place.
fn showable<'k>(known: &[&'k str]) -> impl Iterator<Item = &'k str> {
    known.iter().copied().filter(|known| !quote_input::looks_secret(known))
}

/// A word that can be repeated, in back-ticks after a blank.
pub(crate) fn shown_word(word: &str) -> String {
    quote_input::word(word).map(|word| format!(" `{word}`")).unwrap_or_default()
}

/// The same for the name of an entry.
pub(crate) fn shown_name(name: &str) -> String {
    quote_input::name(name).map(|name| format!(" `{name}`")).unwrap_or_default()
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
