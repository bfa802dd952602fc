//! YAML text as a tree, and where in the text each node stands.
//!
//! Not here: what the nodes mean. `serde_yaml` reports positions only for its own errors, so a node's position is
//! found by reading the text once more down to that node and failing there: errors are rare, and no second
//! YAML parser can disagree with the first.
//!
//! What reading costs is bounded three times: by a look at the bytes before the parser sees them, as it holds everything in
//! memory; while the tree is made, in which an alias takes as much room as what it stands for; and by how much text is read
//! again for positions.

#![allow(clippy::disallowed_types, reason = "this is where text becomes a tree with places")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Number, Value};

use super::key::{A_WORD, Key, NO_WORD, TAGGED};
use super::locate::Locate;
use super::numbers::{self, Numbers};
use super::path::{NodePath, Part, Position, Step};
use super::problem::MOST_PROBLEMS;
use super::size::{MOST_DEPTH, MOST_VALUES, TOO_DEEP, TOO_MANY, weigh};

/// Most bytes of text in a tree, in which each alias is replaced by what it stands for.
const MOST_TEXT: usize = 64 * 1024 * 1024;
/// Most bytes that are read again to find positions; one position is always found.
const MOST_SEARCHED: usize = 8 * 1024 * 1024;

const TOO_LONG: &str = "its aliases (`*name`) make more than 64 MiB of it";
const OTHER_TAG: &str = "a tag (such as `!!int`) says another type than its value has; leave the tag out";
const NO_MAPPING: &str = "a merge key (`<<`) must name a mapping, or a list of mappings";

/// A key that stands twice in one mapping.
#[derive(Debug)]
pub(crate) struct Duplicate {
    pub path: NodePath,
    pub occurrence: usize,
}
/// A parsed text.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    /// Bytes that were read again to find positions.
    searched: Cell<usize>,
    /// The tree, without comment keys (those that begin with `_`).
    pub root: Value,
    /// Keys that stand twice; the tree keeps the first.
    pub duplicates: Vec<Duplicate>,
    /// What is known of numbers that are not written as the program would write them.
    pub numbers: Numbers,
}

/// Text that is no YAML.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub position: Option<Position>,
    pub message: String,
}

impl Document {
    /// Parses one YAML document; JSON is YAML.
    pub(crate) fn parse(text: &str) -> Result<Document, SyntaxError> {
        weigh(text.as_bytes()).map_err(|(at, why)| SyntaxError { position: Some(at), message: why.to_owned() })?;
        let text = join_surrogates(text);
        let notes = Notes::default();
        let seed = Tree { notes: &notes, depth: 0 };
        let root =
            seed.deserialize(serde_yaml::Deserializer::from_str(&text)).map_err(|error| SyntaxError::from(&error))?;
        let numbers = numbers::look(&text, &root);
        Ok(Document { root, duplicates: notes.duplicates.into_inner(), numbers, text, searched: Cell::new(0) })
    }

    /// Where the node stands; of a node that is not there, its nearest ancestor. None if finding out would take too long.
    pub(crate) fn locate(&self, path: &[Step], part: Part) -> Option<Position> {
        if self.searched.get() > 0 && self.searched.get() + self.text.len() > MOST_SEARCHED {
            return None;
        }
        self.searched.set(self.searched.get() + self.text.len());
        let seed = Locate { rest: path, part };
        let error = seed.deserialize(serde_yaml::Deserializer::from_str(&self.text)).err()?;
        position(&error)
    }
}

impl Document {
    /// Whether a text is written with `>`, so that its lines are one.
    pub(crate) fn is_folded(&self, path: &[Step]) -> bool {
        let line = |(line, column): Position| self.text.lines().nth(line - 1)?.chars().nth(column - 1);
        self.locate(path, Part::Value).and_then(line) == Some('>')
    }
}
impl From<&serde_yaml::Error> for SyntaxError {
    fn from(error: &serde_yaml::Error) -> Self {
        let text = error.to_string();
        // The library puts the path before what this program says, and a key in it may be a secret.
        let own =
            [TOO_MANY, TOO_DEEP, TOO_LONG, TAGGED, NO_MAPPING, NO_WORD].into_iter().find(|own| text.contains(own));
        let own = own.or_else(|| text.contains(A_WORD).then_some(NO_WORD));
        // A value that does not fit its tag may be a secret, and the library quotes it.
        let is_quoting = text.contains("invalid value: ") || text.contains("invalid type: ");
        let own = own.or_else(|| is_quoting.then_some(OTHER_TAG));
        // The position is data here, so the library's own "at line 1 column 2" would say it twice.
        let message = match text.find(" at line ") {
            _ if own.is_some() => own.unwrap_or_default().to_owned(),
            Some(at) => text[..at].to_owned(),
            None if text.contains("more than one document") => "more than one YAML document in one file".to_owned(),
            None if text.contains("repetition limit") => "its aliases (`*name`) stand for too much".to_owned(),
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
/// What is noted while the tree is built.
#[derive(Default)]
struct Notes {
    path: RefCell<NodePath>,
    duplicates: RefCell<Vec<Duplicate>>,
    values: Cell<usize>,
    text: Cell<usize>,
}
/// Builds the tree, drops comment keys and notes duplicate ones.
#[derive(Clone, Copy)]
struct Tree<'a> {
    notes: &'a Notes,
    depth: usize,
}

impl Tree<'_> {
    /// Counts a value and so many bytes of text.
    fn count<E: de::Error>(&self, text: usize) -> Result<(), E> {
        let Notes { values, text: sum, .. } = self.notes;
        values.set(values.get() + 1);
        sum.set(sum.get().saturating_add(text));
        match () {
            () if values.get() > MOST_VALUES => Err(E::custom(TOO_MANY)),
            () if sum.get() > MOST_TEXT => Err(E::custom(TOO_LONG)),
            () => Ok(()),
        }
    }

    /// The same for what stands in this value.
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.count(0)?;
        if self.depth == MOST_DEPTH { Err(E::custom(TOO_DEEP)) } else { Ok(Tree { depth: self.depth + 1, ..self }) }
    }
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

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        self.count(0).map(|()| Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.count(0).map(|()| Value::String(value.to_string()))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.count(0).map(|()| Value::String(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.count(0).map(|()| Value::Number(Number::from(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.count(value.len()).map(|()| Value::String(value.to_owned()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.count(0).map(|()| Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let path = &self.notes.path;
        let mut items = Vec::new();
        loop {
            path.borrow_mut().push(Step::Index(items.len()));
            let item = access.next_element_seed(deeper)?;
            path.borrow_mut().pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Sequence(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let path = &self.notes.path;
        let mut map = Mapping::new();
        let mut repeated: HashMap<String, usize> = HashMap::new();
        while let Some(key) = access.next_key_seed(Key)? {
            if key.starts_with('_') {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            self.count(key.len())?;
            path.borrow_mut().push(Step::Key(key.clone()));
            if map.contains_key(key.as_str()) {
                access.next_value::<IgnoredAny>()?;
                let occurrence = repeated.entry(key).or_insert(0);
                *occurrence += 1;
                let mut duplicates = self.notes.duplicates.borrow_mut();
                // One more than can be listed, so that somebody can say that there are more.
                if duplicates.len() <= MOST_PROBLEMS {
                    duplicates.push(Duplicate { path: path.borrow().clone(), occurrence: *occurrence });
                }
            } else {
                let value = access.next_value_seed(deeper)?;
                map.insert(Value::String(key), value);
            }
            path.borrow_mut().pop();
        }
        if let Some(sources) = map.remove("<<") {
            merge(&mut map, sources)?;
        }
        // Thousands of entries with five fields in room for eight would be the peak of a run's memory.
        map.shrink_to_fit();
        Ok(Value::Mapping(map))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom(TAGGED))
    }
}

/// Adds what a merge key (`<<`) names: one mapping or several, of which the first counts. What stands in the mapping itself
/// counts before all of them. They were built before this one, so their own merge keys are gone already.
fn merge<E: de::Error>(map: &mut Mapping, sources: Value) -> Result<(), E> {
    let sources = match sources {
        Value::Sequence(sources) => sources,
        source => vec![source],
    };
    for source in sources {
        let Value::Mapping(source) = source else {
            return Err(E::custom(NO_MAPPING));
        };
        for (key, value) in source {
            map.entry(key).or_insert(value);
        }
    }
    Ok(())
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::path::show;
    use crate::yaml::size::{MOST_BRACKETS, MOST_OPEN};

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
        for (merged, want) in [
            ("{<<: *a, x: 0}", Ok("{x: 0, y: 1}")),
            ("{<<: [*a, *b], z: 0}", Ok("{x: 1, y: 1, z: 0}")),
            ("{<<: [*b, *a]}", Ok("{x: 2, y: 1, w: 2}")),
            ("{<<: *c}", Ok("{x: 2, y: 1, w: 2, v: 3}")),
            ("{<<: {<<: {<<: *a}}}", Ok("{x: 1, y: 1}")),
            ("{<<: 1}", Err(NO_MAPPING)),
            ("{<<: [*a, 1]}", Err(NO_MAPPING)),
        ] {
            let text =
                format!("_a: &a {{x: 1, y: 1}}\n_b: &b {{<<: *a, x: 2, w: 2}}\n_c: &c {{<<: *b, v: 3}}\nm: {merged}\n");
            let got = Document::parse(&text).map(|doc| doc.root["m"].clone()).map_err(|error| error.message);
            let want = want.map(|want| serde_yaml::from_str(want).unwrap()).map_err(str::to_owned);
            match (got, want) {
                (Ok(Value::Mapping(got)), Ok(Value::Mapping(want))) => {
                    assert!(want.iter().all(|(k, v)| got[k] == *v), "{merged}")
                }
                (got, want) => assert_eq!(got, want, "{merged}"),
            }
        }
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

    #[test]
    fn a_number_with_more_digits_than_a_float_keeps_is_found_wherever_it_stands() {
        for (text, want) in [
            ("a: 99.9999999999999999", &["a"][..]),
            ("a: 123456789.123456789", &["a"]),
            ("a: 99999999999999999999.5", &["a"]),
            ("a: -0.9999999999999999999", &["a"]),
            ("a: +0.9999999999999999999", &["a"]),
            ("a: 1.0000000000000000001e5", &["a"]),
            ("a: 1234567890123456789012345678901234567890123456789", &["a"]),
            ("{\"a\": [{\"b\": 99.9999999999999999}]}", &["a[0].b"]),
            ("- 1.5\n- 99.9999999999999999\n- {x: 1.0000000000000000001}", &["[1]", "[2].x"]),
            ("a: &n 99.9999999999999999\nb: *n", &["a", "b"]),
            ("_n: &n {x: 99.9999999999999999}\na: {<<: *n}\nb: {<<: [{y: 1.5}, *n]}", &["a.x", "b.x"]),
            ("_n: &n {x: 99.9999999999999999}\na: {<<: *n, x: 5.5}", &[]),
            ("a: 1.5\na: 99.9999999999999999", &[]),
            ("_a: 99.9999999999999999", &[]),
            ("a: '99.9999999999999999'\nb: 1.5", &[]),
            ("a: id 99.9999999999999999\nb: 1.5 # 99.9999999999999999", &[]),
            ("a: 100000000000000000000", &[]),
            ("a: 123456789012345.000000000\nb: 0.000000000000000000001", &[]),
        ] {
            let refused = Document::parse(text).unwrap().numbers.refused;
            assert_eq!(refused.iter().map(|(path, _)| show(path)).collect::<Vec<_>>(), want, "{text}");
        }
    }

    #[test]
    fn a_number_that_nobody_wrote_in_plain_digits_is_found_wherever_it_stands() {
        for (number, is_refused, written) in [
            ("0x10", true, None),
            ("-0x10", true, None),
            ("+0x10", true, None),
            ("0o10", true, None),
            ("0b11", true, None),
            ("0xFFFFFFFFFFFFFFFFFFFF", true, None),
            ("1e3", true, None),
            ("1E3", true, None),
            ("1.5e+3", true, None),
            ("00.5", true, None),
            ("1_000", false, None),
            ("010", false, None),
            ("1:30", false, None),
            ("2026-11-30", false, None),
            ("yes", false, None),
            ("~", false, None),
            ("10", false, None),
            ("-10", false, None),
            ("0", false, None),
            ("0.5", false, None),
            ("100000000000000000000", false, None),
            ("1.50", false, Some("1.50")),
            ("1.0", false, Some("1.0")),
            ("5.", false, Some("5.")),
            (".5", false, Some(".5")),
            ("+5", false, Some("+5")),
            ("-0.0", false, Some("-0.0")),
            (".inf", false, None),
            ("'0x10'", false, None),
            ("'1.50'", false, None),
        ] {
            for (text, place) in [
                (format!("a: {number}"), path(&["a"])),
                (format!("- x\n- b: {number}"), path(&["1", "b"])),
                (format!("{{\"a\": [{number}]}}"), path(&["a", "0"])),
                (format!("_x: &n {number}\na: *n"), path(&["a"])),
                (format!("_x: &n {{b: {number}}}\na: {{<<: *n, c: 1}}"), path(&["a", "b"])),
            ] {
                let Numbers { refused, written: kept } = Document::parse(&text).unwrap().numbers;
                let refused: Vec<NodePath> = refused.into_iter().map(|(path, _)| path).collect();
                let want = if is_refused { vec![place.clone()] } else { Vec::new() };
                assert_eq!(refused, want, "{text}");
                assert_eq!(kept.get(&place).map(String::as_str), written, "{text}");
            }
        }
    }

    #[test]
    fn a_key_is_what_is_written() {
        for key in ["0x10", "1e3", "010", "1.50", "+5", "True", "yes", "2026-11-30", "1_000"] {
            let document = Document::parse(&format!("a: {{{key}: 1}}")).unwrap();
            assert_eq!(document.root["a"][key], Value::from(1), "{key}");
            assert_eq!(document.locate(&path_of(key), Part::Key(0)), Some((1, 5)), "{key}");
        }
    }

    fn path_of(key: &str) -> NodePath {
        vec![Step::Key("a".to_owned()), Step::Key(key.to_owned())]
    }

    #[test]
    fn size_and_depth_are_bounded_with_a_message_of_their_own() {
        let levels =
            |open: &str, close: &str, count: usize| format!("a: {}1{}", open.repeat(count), close.repeat(count));
        let chain = |count: usize| {
            let links = (1..count).map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1));
            format!("a0: &a0 [x]\n{}", links.collect::<String>())
        };
        let quadratic = format!("a: &a [{}]\nb: [{}]", "x,".repeat(10_000), "*a,".repeat(10_000));
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(1024 * 1024), "*a,".repeat(100));
        for (text, want) in [
            (levels("[", "]", 63), None),
            (levels("[", "]", 64), Some(TOO_DEEP)),
            (levels("{b: ", "}", 63), None),
            (levels("{b: ", "}", 64), Some(TOO_DEEP)),
            (chain(63), None),
            (chain(65), Some(TOO_DEEP)),
            ("&a [*a]".to_owned(), Some(TOO_DEEP)),
            ("&a {b: *a}".to_owned(), Some(TOO_DEEP)),
            ("- ".repeat(1_000_000), Some(TOO_DEEP)),
            ("? ".repeat(1_000_000), Some(TOO_DEEP)),
            ("?\t".repeat(1_000_000), Some(TOO_DEEP)),
            ("-\n".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
            ("a:\n".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
            (",".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
            ("[],".repeat(MOST_BRACKETS + 1), Some(TOO_MANY)),
            ("{},".repeat(MOST_BRACKETS + 1), Some(TOO_MANY)),
            ("[0,{".repeat(MOST_BRACKETS), Some(TOO_DEEP)),
            (levels("[", "]", MOST_BRACKETS), Some(TOO_DEEP)),
            (levels("{b: ", "}", 100_000), Some(TOO_DEEP)),
            (levels("[']', ", "]", 100_000), Some(TOO_DEEP)),
            (levels("[\"\\\"]\", ", "]", 100_000), Some(TOO_DEEP)),
            (levels("[ # ]\n", "]", 100_000), Some(TOO_DEEP)),
            (format!("a: [{}]", "'[it''s[', \"[\\\"[\", ".repeat(MOST_OPEN)), None),
            (format!("{}a: 1", "# [it's\n".repeat(MOST_OPEN + 1)), None),
            (format!("a: |\n{}", "  it's [1]: {\"a\": \"\n  x}\n".repeat(MOST_OPEN + 1)), None),
            (quadratic, Some(TOO_MANY)),
            (long, Some(TOO_LONG)),
            ("? [a]\n: b".to_owned(), Some(NO_WORD)),
            ("? {a: 1}\n: b".to_owned(), Some(NO_WORD)),
            ("~: b".to_owned(), Some(NO_WORD)),
            ("1.5: b".to_owned(), None),
            ("-".repeat(1024 * 1024), None),
            (format!("# {}\na: 1", "-".repeat(1000)), None),
        ] {
            let got = Document::parse(&text).map(drop).map_err(|error| error.message);
            let begin: String = text.chars().take(20).collect();
            assert_eq!(got, want.map_or(Ok(()), |want| Err(want.to_owned())), "{begin}");
        }
    }

    /// Each byte before the parser is looked at once, so what counts is what the parser gets to see.
    #[test]
    fn positions_are_found_as_long_as_that_takes_no_longer_than_reading_a_few_large_texts() {
        let text = format!("# {}\na: 1\n", "x".repeat(MOST_SEARCHED / 4));
        let doc = Document::parse(&text).unwrap();
        let found = (0..100).filter(|_| doc.locate(&path(&["a"]), Part::Value).is_some()).count();
        assert_eq!(found, 3);
        let text = format!("# {}\na: 1\n", "x".repeat(MOST_SEARCHED));
        let doc = Document::parse(&text).unwrap();
        assert_eq!(doc.locate(&path(&["a"]), Part::Value), Some((2, 4)));
        assert_eq!(doc.locate(&path(&["a"]), Part::Value), None);
    }
}
