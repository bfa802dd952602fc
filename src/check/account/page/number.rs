//! Numbers in what an expression of a page gives.

use rust_decimal::Decimal;

use super::time;
use crate::model::amount::{self, Currency};
use crate::page::expression::Shape;
use crate::page::variables::Bound;
use jiff::Timestamp;

/// A number, and the currency that it names if it is text. `known` is the currency that it may name.
///
/// # Errors
/// What it is instead, without its value.
pub(super) fn number(value: Shape, known: Option<&str>) -> Result<(Decimal, Option<Currency>), String> {
    let plain = |number: Result<Decimal, &str>| number.map(|number| (number, None)).map_err(str::to_owned);
    match value {
        Shape::Number(literal) => plain(amount::from_json_number(&literal)),
        Shape::Long => plain(Err(amount::exact::TOO_MANY_DIGITS)),
        Shape::Float(value) => plain(amount::from_float(value)),
        Shape::Text(text) => amount::read_in(&text, known)
            .map(|money| (money.value, money.currency))
            .map_err(|why| format!("it is text and {why}")),
        Shape::Null => Err("it is missing or null".to_owned()),
        Shape::Missing(what) => Err(what),
        Shape::Bool(_) => Err("it is true or false, not a number".to_owned()),
        Shape::Array => Err("it is a list, not a number".to_owned()),
        Shape::Object(_) => Err("it is an object, not a number".to_owned()),
    }
}

/// A number that names no currency.
///
/// # Errors
/// As [`number`].
pub(super) fn plain(value: Shape) -> Result<Decimal, String> {
    match number(value, None)? {
        (number, None) => Ok(number),
        (_, Some(_)) => Err("it names a currency".to_owned()),
    }
}

/// A time; none if the service says that there is no such time.
///
/// # Errors
/// That it is none, without its value.
pub(super) fn moment(value: Shape) -> Result<Option<Timestamp>, String> {
    match value {
        Shape::Null | Shape::Missing(_) => Ok(None),
        Shape::Text(text) if text.trim().is_empty() => Ok(None),
        Shape::Text(text) => time::of_text(&text).map(Some).ok_or_else(|| "it is a text that is no time".to_owned()),
        value => Ok(time::of_number(plain(value)?)),
    }
}

/// A value that is kept for later.
///
/// # Errors
/// What it is instead, without its value.
pub(super) fn bound(shape: Option<Shape>) -> Result<Bound, String> {
    match shape {
        Some(Shape::Text(text)) if text.trim().is_empty() => Err("it is an empty text".to_owned()),
        Some(Shape::Text(text)) => Ok(Bound::Text(text)),
        Some(Shape::Number(number)) => Ok(Bound::Number(number)),
        Some(Shape::Bool(flag)) => Ok(Bound::Flag(flag)),
        Some(Shape::Missing(what)) => Err(what),
        Some(Shape::Null) | None => Err("it is missing or null".to_owned()),
        Some(Shape::Float(_) | Shape::Long) => Err("it is a number of too many digits".to_owned()),
        Some(Shape::Array) => Err("it is a list, not one value".to_owned()),
        Some(Shape::Object(_)) => Err("it is an object, not one value".to_owned()),
    }
}
