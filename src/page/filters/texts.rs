//! Filters that change texts.

use std::ops::Range;

use base64::Engine;
use jaq_core::ValR;

use crate::page::meter;
use crate::page::value::{Error, How, Name, Value};

/// A filter of texts.
pub(super) fn of_text(value: Value, change: impl FnOnce(&str) -> String) -> ValR<Value> {
    match value.as_text() {
        Some(text) => {
            let changed = change(text);
            Ok(value.derived(changed))
        }
        None => Err(Error::typ(value, "text")),
    }
}

/// The codes of the characters of a text.
pub(super) fn explode(value: Value) -> ValR<Value> {
    match value.as_text() {
        Some(text) => {
            meter::spend_text(4 * text.len());
            Ok(text.chars().map(|c| Value::of_text(c as usize)).collect())
        }
        None => Err(Error::typ(value, "text")),
    }
}

/// How many bytes a text has.
pub(super) fn byte_length(value: Value) -> ValR<Value> {
    match value.as_text() {
        Some(text) => Ok(Value::of_text(text.len())),
        None => Err(Error::typ(value, "text")),
    }
}

pub(super) fn implode(value: Value) -> ValR<Value> {
    let characters = value.items().map(|items| {
        let character = |item: &Value| char::from_u32(u32::try_from(jaq_std::ValT::as_isize(item)?).ok()?);
        items.iter().map(character).collect::<Option<String>>()
    });
    match characters {
        Some(Some(text)) => Ok(Value::of_characters(text)),
        Some(None) => Err(Error::str("a list is not one of characters")),
        None => Err(Error::typ(value, "list of characters")),
    }
}

/// A text without what it begins or ends with, if it does.
pub(super) fn trimmed(value: Value, by: Value, rest: fn(&str, &str) -> Option<Range<usize>>) -> ValR<Value> {
    let (Some(text), Some(part)) = (value.as_text(), by.as_text()) else {
        let wrong = if value.as_text().is_none() { value } else { by };
        return Err(Error::typ(wrong, "string"));
    };
    Ok(match rest(text, part) {
        Some(range) => {
            let left = if range.start > 0 { 0..range.start } else { range.end..text.len() };
            value.found(range, &[Name { range: left, written: part.to_lowercase().into(), how: How::LeftOut }])
        }
        None => value,
    })
}

/// What parts what addresses encode from what stands beside it.
pub(super) const ENDS_OF_PARAMETER: &str = "&=?";

/// What parts codes such as base64 from what stands beside them.
const ENDS_OF_BASE64: &str = ".:,;\"'<>()[]{}|";

pub(super) fn decode_base64(value: Value) -> ValR<Value> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = value.as_text().map(|text| GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text));
    match decoded {
        Some(Ok(bytes)) => Ok(value.decoded(String::from_utf8_lossy(&bytes).into_owned(), ENDS_OF_BASE64)),
        Some(Err(_)) => Err(Error::str("a text is not base64")),
        None => Err(Error::typ(value, "text")),
    }
}
