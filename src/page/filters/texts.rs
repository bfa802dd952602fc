//! Filters that change texts.

use std::ops::Range;

use base64::Engine;
use jaq_core::ValR;

use crate::page::value::{Error, Piece, Value};

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
        Some(range) => value.found(&Piece::beside(range, part)),
        None => value,
    })
}

pub(super) fn decode_base64(value: Value) -> ValR<Value> {
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let decoded = value.as_text().map(|text| GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text));
    match decoded {
        Some(Ok(bytes)) => Ok(value.decoded(String::from_utf8_lossy(&bytes).into_owned())),
        Some(Err(_)) => Err(Error::str("a text is not base64")),
        None => Err(Error::typ(value, "text")),
    }
}
