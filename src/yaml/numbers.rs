//! The numbers of a document as they are written, which the parser does not give together with their value.
//!
//! The parser takes `0x10`, `0o10`, `0b11` and `1e3` for numbers, rounds what has too many digits, and forgets that `1.50` ended
//! in a zero. So the text is read once more, but only if there is such a number in it somewhere.

#![allow(clippy::disallowed_types, reason = "this is where text becomes a tree with places")]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

use super::key::Key;
use super::path::{NodePath, Step};
use super::problem::MOST_PROBLEMS;
use super::scalar::{PLAIN_NUMBER, is_long, is_plain, too_many_digits};

/// Most numbers whose text is kept.
const MOST_KEPT: usize = 100_000;

/// What is known of numbers that are not written as the program would write them.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Those that nobody wrote as decimal numbers, or that a float has only rounded, with what they must be.
    pub refused: Vec<(NodePath, &'static str)>,
    /// The text of the others, such as `1.50`.
    pub written: BTreeMap<NodePath, String>,
}

/// Looks at the text of the numbers of a tree.
pub(super) fn look(text: &str, root: &Value) -> Numbers {
    if !words(text).any(is_worth_a_look) {
        return Numbers::default();
    }
    let found = Found::default();
    // The same text was just read to its end, and the tree was made of it.
    let _ = Written { value: root, found: &found }.deserialize(serde_yaml::Deserializer::from_str(text));
    found.numbers.into_inner()
}

/// The words of a text that may be numbers: those that begin with a digit, a point or a sign.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-');
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += bytes[at..].iter().position(is_part)?;
            let begin = at;
            at += bytes[at..].iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len() - at);
            if matches!(bytes[begin], b'0'..=b'9' | b'.' | b'+' | b'-') {
                return text.get(begin..at);
            }
        }
    })
}

/// Whether a word may be a number that is written otherwise than the program would write it.
fn is_worth_a_look(word: &str) -> bool {
    // A whole number of few digits is written as the program would write it.
    if word.len() < 16 && !word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let digits = word.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let is_other_base = ["0x", "0o", "0b"].iter().any(|base| digits.starts_with(base));
    is_other_base || (!is_canonical(word) && word.parse::<f64>().is_ok())
}

/// Whether a number is written as the program would write it.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "1"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && is_digits(part)
        && (whole == "0" || !whole.starts_with('0'))
        && !part.ends_with('0')
        && !is_long(text)
}

/// What is found while a text is read.
#[derive(Default)]
struct Found {
    path: RefCell<NodePath>,
    numbers: RefCell<Numbers>,
}

impl Found {
    /// Judges the text of a number.
    fn judge(&self, text: &str) {
        let mut numbers = self.numbers.borrow_mut();
        let path = self.path.borrow();
        let is_known = numbers.written.contains_key(&*path) || numbers.refused.iter().any(|(known, _)| *known == *path);
        if is_canonical(text) || is_known {
            return;
        }
        match () {
            () if is_plain(text) && !is_long(text) => {
                if numbers.written.len() < MOST_KEPT {
                    numbers.written.insert(path.clone(), text.to_owned());
                }
            }
            () if numbers.refused.len() > MOST_PROBLEMS => {}
            () => {
                numbers.refused.push((path.clone(), if is_plain(text) { too_many_digits(text) } else { PLAIN_NUMBER }))
            }
        }
    }
}

/// Reads a node beside its value in the tree, for the text of its numbers.
#[derive(Clone, Copy)]
struct Written<'a> {
    value: &'a Value,
    found: &'a Found,
}

impl Written<'_> {
    /// Reads the next node below this one, at a step.
    fn below<E>(&self, step: Step, value: &Value, read: impl FnOnce(Written) -> Result<(), E>) -> Result<(), E> {
        self.found.path.borrow_mut().push(step);
        let result = read(Written { value, found: self.found });
        self.found.path.borrow_mut().pop();
        result
    }

    /// Whether the value of the tree is what the parser makes of a text. What a merge key brings may be another number than the
    /// one that counts.
    fn is_this(&self, text: &str) -> bool {
        match self.value {
            // `.inf` and `.nan` are no numbers that anybody could write otherwise.
            Value::Number(number) => number.is_finite() && parsed(text).is_some_and(|parsed| parsed == *self.value),
            // A number that is too large for 64 bits is kept as the text of its decimal digits.
            Value::String(digits) => digits != text && huge(text).is_some_and(|huge| huge == *digits),
            _ => false,
        }
    }
}

/// What the parser makes of a plain word.
fn parsed(word: &str) -> Option<Value> {
    let value: Value = serde_yaml::from_str(word).ok()?;
    match value {
        Value::Number(_) => Some(value),
        _ => None,
    }
}

/// The decimal digits of a whole number that is too large for 64 bits, whatever its base.
fn huge(word: &str) -> Option<String> {
    let sign = if word.starts_with('-') { "-" } else { "" };
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    let (digits, base) =
        bases.into_iter().find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, base))).unwrap_or((digits, 10));
    Some(format!("{sign}{}", u128::from_str_radix(digits, base).ok()?))
}

/// Whether a text of the tree may be a number that was too large for 64 bits.
fn is_huge(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() > 18 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'de> DeserializeSeed<'de> for Written<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.value {
            Value::Number(_) => deserializer.deserialize_str(self),
            Value::String(text) if is_huge(text) => deserializer.deserialize_str(self),
            Value::Sequence(_) | Value::Mapping(_) => deserializer.deserialize_any(self),
            _ => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ()),
        }
    }
}

impl<'de> Visitor<'de> for Written<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("what was read before")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if !is_canonical(text) && self.is_this(text) {
            self.found.judge(text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let more = match self.value.as_sequence() {
                // A merge key with several mappings.
                None => access.next_element_seed(self)?,
                Some(items) => {
                    let value = items.get(index).unwrap_or(&Value::Null);
                    let mut more = None;
                    self.below(Step::Index(index), value, |below| {
                        more = access.next_element_seed(below)?;
                        Ok(())
                    })?;
                    more
                }
            };
            if more.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = access.next_key_seed(Key)? {
            let value = self.value.get(key.as_str()).filter(|_| !seen.contains(&key));
            match value {
                _ if key == "<<" => access.next_value_seed(self)?,
                Some(value) => {
                    seen.insert(key.clone());
                    self.below(Step::Key(key), value, |below| access.next_value_seed(below))?;
                }
                None => access.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}
