//! Texts that are written as a list, or as one alone.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::scalar::{Lenient, Text};

/// Texts: a list, or one alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawTexts(pub Vec<String>);

impl<'de> Deserialize<'de> for RawTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;

        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = RawTexts;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RawTexts, E> {
                Ok(RawTexts(vec![text.trim().to_owned()]))
            }

            fn visit_bool<E: de::Error>(self, text: bool) -> Result<RawTexts, E> {
                self.visit_str(&text.to_string())
            }

            fn visit_i64<E: de::Error>(self, text: i64) -> Result<RawTexts, E> {
                self.visit_str(&text.to_string())
            }

            fn visit_u64<E: de::Error>(self, text: u64) -> Result<RawTexts, E> {
                self.visit_str(&text.to_string())
            }

            fn visit_f64<E: de::Error>(self, text: f64) -> Result<RawTexts, E> {
                self.visit_str(&text.to_string())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<RawTexts, A::Error> {
                let mut texts = Vec::new();
                // What did not fit was taken out before, and its place is empty.
                while let Some(text) = list.next_element::<Option<Lenient<Text>>>()? {
                    texts.push(text.map(|text| text.0.0.trim().to_owned()).unwrap_or_default());
                }
                Ok(RawTexts(texts))
            }
        }

        deserializer.deserialize_any(TextsVisitor)
    }
}
