//! YAML text as a tree, and where in the text each node stands.
//!
//! Not here: what the nodes mean. `serde_yaml` reports positions only for its own errors, so a node's position is
//! found by reading the text once more down to that node and failing there: errors are rare, and no second
//! YAML parser can disagree with the first.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Number, Value};

/// One step from a node to its child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The value under a key.
    Key(String),
    /// The item at an index, from 0.
    Index(usize),
}

/// The way from the root to a node.
pub(super) type NodePath = Vec<Step>;

/// Which part of the node a position is wanted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The key, at its n-th occurrence from 0.
    Key(usize),
    /// The value.
    Value,
}

/// A key that stands twice in one mapping.
#[derive(Debug)]
pub(super) struct Duplicate {
    pub path: NodePath,
    pub occurrence: usize,
}

/// Line and column, both from 1.
pub(super) type Position = (usize, usize);

/// A parsed text.
#[derive(Debug)]
pub(super) struct Document {
    text: String,
    /// The tree, without comment keys (those that begin with `_`).
    pub root: Value,
    /// Keys that stand twice; the tree keeps the first.
    pub duplicates: Vec<Duplicate>,
}

/// Text that is no YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub position: Option<Position>,
    pub message: String,
}

impl Document {
    /// Parses one YAML document; JSON is YAML.
    pub(super) fn parse(text: &str) -> Result<Document, SyntaxError> {
        let text = join_surrogates(text);
        let path = RefCell::new(Vec::new());
        let duplicates = RefCell::new(Vec::new());
        let seed = Tree { path: &path, duplicates: &duplicates };
        let mut root =
            seed.deserialize(serde_yaml::Deserializer::from_str(&text)).map_err(|error| SyntaxError::from(&error))?;
        root.apply_merge().map_err(|error| SyntaxError::from(&error))?;
        Ok(Document { root, duplicates: duplicates.into_inner(), text })
    }

    /// Where the node stands; of a node that is not there, its nearest ancestor.
    pub(super) fn locate(&self, path: &[Step], part: Part) -> Option<Position> {
        let seed = Locate { rest: path, part };
        let error = seed.deserialize(serde_yaml::Deserializer::from_str(&self.text)).err()?;
        position(&error)
    }
}

impl From<&serde_yaml::Error> for SyntaxError {
    fn from(error: &serde_yaml::Error) -> Self {
        let text = error.to_string();
        // The position is data here, so the library's own "at line 1 column 2" would say it twice.
        let message = match text.find(" at line ") {
            Some(at) => text[..at].to_owned(),
            None if text.contains("more than one document") => "more than one YAML document in one file".to_owned(),
            None => text,
        };
        SyntaxError { position: position(error), message }
    }
}

fn position(error: &serde_yaml::Error) -> Option<Position> {
    error.location().map(|at| (at.line(), at.column()))
}

/// JSON writes characters beyond U+FFFF as two `\u` escapes, which YAML does not know: write them as YAML's `\U`.
fn join_surrogates(text: &str) -> String {
    if !text.trim_start_matches('\u{FEFF}').trim_start().starts_with(['{', '[']) {
        return text.to_owned();
    }
    let unit = |at: usize| -> Option<u16> {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let escape = at + found;
        out.push_str(&text[at..escape]);
        let pair = unit(escape)
            .zip(unit(escape + 6))
            .and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok().filter(|c| *c > '\u{FFFF}'));
        if let Some(c) = pair {
            out.push_str(&format!("\\U{:08X}", c as u32));
            at = escape + 12;
        } else {
            // The escaped character goes along, so that `\\u` is not taken for an escape.
            let next = text[escape + 1..].chars().next().map_or(0, char::len_utf8);
            out.push_str(&text[escape..escape + 1 + next]);
            at = escape + 1 + next;
        }
    }
    out.push_str(&text[at..]);
    out
}

/// Builds the tree, drops comment keys and notes duplicate ones.
#[derive(Clone, Copy)]
struct Tree<'a> {
    path: &'a RefCell<NodePath>,
    duplicates: &'a RefCell<Vec<Duplicate>>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.path.borrow_mut().push(Step::Index(items.len()));
            let item = access.next_element_seed(self)?;
            self.path.borrow_mut().pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Sequence(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Mapping::new();
        let mut seen: Vec<String> = Vec::new();
        while let Some(key) = access.next_key_seed(Key)? {
            if key.starts_with('_') {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            self.path.borrow_mut().push(Step::Key(key.clone()));
            let occurrence = seen.iter().filter(|k| **k == key).count();
            let value = access.next_value_seed(self)?;
            if occurrence > 0 {
                let path = self.path.borrow().clone();
                self.duplicates.borrow_mut().push(Duplicate { path, occurrence });
            } else {
                map.insert(Value::String(key.clone()), value);
            }
            seen.push(key);
            self.path.borrow_mut().pop();
        }
        // Thousands of entries with five fields in room for eight would be the peak of a run's memory.
        map.shrink_to_fit();
        Ok(Value::Mapping(map))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom("YAML tags such as `!name` have no meaning here"))
    }
}

/// A mapping key, as text.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key that is a word")
    }

    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }
}

/// Reads down to a node and fails there, so that the error carries the node's position.
struct Locate<'p> {
    rest: &'p [Step],
    part: Part,
}

const FOUND: &str = "here";

impl<'de> DeserializeSeed<'de> for Locate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Locate<'_> {
    type Value = ();

    /// Scalars and anything unforeseen fall through to serde's own error, which carries the position as well.
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(FOUND)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Some((Step::Index(index), rest)) = self.rest.split_first() {
            for _ in 0..*index {
                if access.next_element::<IgnoredAny>()?.is_none() {
                    break;
                }
            }
            access.next_element_seed(Locate { rest, part: self.part })?;
        }
        Err(de::Error::custom(FOUND))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        if let Some((Step::Key(wanted), rest)) = self.rest.split_first() {
            let mut occurrence = 0;
            let stop_at = match self.part {
                Part::Key(n) if rest.is_empty() => Some(n),
                _ => None,
            };
            let matches = |occurrence| FindKey { wanted, stop: stop_at == Some(occurrence) };
            while let Some(found) = access.next_key_seed(matches(occurrence))? {
                if found && stop_at.is_none() {
                    access.next_value_seed(Locate { rest, part: self.part })?;
                } else {
                    occurrence += usize::from(found);
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Err(de::Error::custom(FOUND))
    }
}

/// Says whether a key is the wanted one, or fails on it if the search ends there.
struct FindKey<'p> {
    wanted: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for FindKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FindKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        let found = key == self.wanted;
        if found && self.stop { Err(E::custom(FOUND)) } else { Ok(found) }
    }
}

/// The path as people write it: `projects[3].options.region`.
pub(super) fn show(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> NodePath {
        steps.iter().map(|s| s.parse().map_or_else(|_| Step::Key((*s).to_owned()), Step::Index)).collect()
    }

    #[test]
    fn every_node_has_its_position() {
        let text = "\
settings:
  language: en
projects:
  - name: a
    threshold: 5
  - { name: b, threshold: 7,
      options: {x: 1} }
";
        let doc = Document::parse(text).unwrap();
        for (steps, part, want) in [
            (&["settings"][..], Part::Key(0), (1, 1)),
            (&["settings", "language"], Part::Key(0), (2, 3)),
            (&["settings", "language"], Part::Value, (2, 13)),
            (&["projects", "0"], Part::Value, (4, 5)),
            (&["projects", "0", "threshold"], Part::Key(0), (5, 5)),
            (&["projects", "0", "threshold"], Part::Value, (5, 16)),
            (&["projects", "1"], Part::Value, (6, 5)),
            (&["projects", "1", "threshold"], Part::Key(0), (6, 16)),
            (&["projects", "1", "options", "x"], Part::Value, (7, 20)),
            (&["projects", "1", "missing"], Part::Value, (6, 5)),
            (&["projects", "9"], Part::Value, (4, 3)),
        ] {
            assert_eq!(doc.locate(&path(steps), part), Some(want), "{steps:?} {part:?}");
        }
    }

    #[test]
    fn duplicates_are_found_in_every_mapping_with_the_second_ones_position() {
        let doc = Document::parse("a: 1\nb: {x: 1, x: 2}\na: 3\n").unwrap();
        let found: Vec<_> =
            doc.duplicates.iter().map(|d| (show(&d.path), doc.locate(&d.path, Part::Key(d.occurrence)))).collect();
        assert_eq!(found, [("b.x".to_owned(), Some((2, 11))), ("a".to_owned(), Some((3, 1)))]);
    }

    #[test]
    fn comment_keys_vanish_at_every_depth() {
        let doc = Document::parse("_note: x\na: {_b: 1, c: 2}\n").unwrap();
        assert_eq!(doc.root, serde_yaml::from_str::<Value>("a: {c: 2}").unwrap());
    }

    #[test]
    fn json_is_read_with_tabs_and_surrogate_pairs() {
        let doc = Document::parse("{\n\t\"a\":\"\\ud83d\\ude00 \\\\ud83d\\ude00x \\/ \\u4f59\",\n\t\"b\":[1,2]\n}")
            .unwrap_err();
        assert_eq!(doc.position, Some((2, 27)), "a lone surrogate after an escaped backslash stays an error");
        let doc = Document::parse("{\n\t\"a\":\"\\ud83d\\ude00 \\/ \\u4f59\",\n\t\"b\":[1,2]\n}").unwrap();
        assert_eq!(doc.root["a"], Value::from("\u{1F600} / 余"));
    }

    #[test]
    fn merge_keys_work_and_bombs_do_not() {
        let doc = Document::parse("base: &b {x: 1}\nc: {<<: *b, y: 2}\n").unwrap();
        assert_eq!(doc.root["c"]["x"], Value::from(1));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for i in 1..12 {
            let refs = vec![format!("*a{}", i - 1); 9].join(",");
            bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
        }
        assert!(Document::parse(&bomb).is_err());
        assert!(Document::parse(&"[".repeat(100_000)).is_err());
        assert!(Document::parse("a: !tag 1").is_err());
        assert!(Document::parse("a: 1\n---\nb: 1").is_err());
    }
}
