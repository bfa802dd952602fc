//! The keys of mappings, as they are written: the parser would make 16 of `0x10`, and `true` of `True`.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

pub(super) const TAGGED: &str = "YAML tags such as `!name` have no meaning here";
pub(super) const NO_WORD: &str = "a key must be a word, but is a list, a mapping or nothing";
/// The parser's wording for a key that is not a plain word.
pub(super) const A_WORD: &str = "a key that is a word";

/// A mapping key, as text.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(A_WORD)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<String, E> {
        // The words of YAML for nothing.
        if matches!(value, "~" | "null" | "Null" | "NULL") { Err(E::custom(NO_WORD)) } else { Ok(value.to_owned()) }
    }
}
