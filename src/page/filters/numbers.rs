//! Filters that make numbers or change them.

use jaq_core::box_iter::box_once;
use jaq_core::{Exn, ValR};
use rust_decimal::Decimal;

use crate::model::amount::{self, Doubt};
use crate::page::number::{self, Number};
use crate::page::value::{Error, Value, may_be_amount};
use crate::page::{denial, json, meter};

/// A filter of numbers that is exact on decimals.
pub(super) fn rounded(value: Value, exact: fn(&Decimal) -> Decimal, float: fn(f64) -> f64) -> ValR<Value> {
    match value {
        Value::Number(number) if number.is_long() => Err(Error::str(number::LONG)),
        Value::Number(number) => Ok(Value::Number(number.round_with(exact, float))),
        other => Err(Error::typ(other, "number")),
    }
}

/// A filter of numbers that is not.
pub(super) fn float(value: Value, change: impl FnOnce(f64) -> f64) -> ValR<Value> {
    match value {
        Value::Number(number) => Ok(Value::from(change(to_float(number)?))),
        other => Err(Error::typ(other, "number")),
    }
}

/// The number as such a filter takes it.
fn to_float(number: Number) -> Result<f64, Error> {
    number.to_float().ok_or_else(|| Error::str(number::LONG_FOR_FLOATS))
}

pub(super) fn is_nan(value: Value) -> ValR<Value> {
    match value {
        Value::Number(number) => Ok(number.as_f64().is_nan().into()),
        other => Err(Error::typ(other, "number")),
    }
}

/// The numbers from one to before another.
pub(super) fn range<'a>(from: Value, to: Value, by: Value) -> jaq_core::ValXs<'a, Value> {
    let number = |value: Value| match value {
        Value::Number(number) => Ok(number),
        other => Err(Exn::from(Error::typ(other, "number"))),
    };
    let (from, to, by) = match (number(from), number(to), number(by)) {
        (Ok(from), Ok(to), Ok(by)) => (from, to, by),
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => return box_once(Err(error)),
    };
    let is_falling = by < Number::from(0);
    let mut next = from;
    Box::new(std::iter::from_fn(move || {
        meter::spend(1);
        let here = next;
        next = here.plus(by).unwrap_or(to);
        let is_within = if is_falling { here > to } else { here < to };
        is_within.then_some(Ok(Value::Number(here)))
    }))
}

/// Refuses to read a text as a number. Of what looks like one it is remembered that it was refused, so that no balance is made
/// without it.
fn refused(text: &str, why: &'static str) -> Error {
    if may_be_amount(text.trim_start_matches(['(', ' '])) {
        meter::note_refusal(why);
    }
    Error::str(format_args!("a text cannot be read as a number: {why}"))
}

pub(super) fn from_json(value: Value) -> ValR<Value> {
    let Some(text) = value.as_text() else {
        return Err(Error::typ(value, "text"));
    };
    meter::spend(text.len() / 4);
    if let Some(why) = value.no_number() {
        return Err(refused(text, why));
    }
    if let Some(why) = value.no_json() {
        return Err(Error::str(format_args!("a text cannot be read as JSON: {why}")));
    }
    match json::text(text, value.is_foreign()) {
        // What was cut out of a number is that also as a text in a text.
        Ok(Value::Text(inner)) if value.is_foreign() => {
            let start = text.find('"').map_or(0, |at| at + 1);
            let range = start..start + inner.as_str().len();
            Ok(match text.get(range.clone()) {
                Some(part) if part == inner.as_str() => value.found(range, &[]),
                _ => value.derived(inner.as_str().to_owned()),
            })
        }
        Ok(read) => {
            if value.is_foreign() && denial::is_denied(&read, &|_| false) {
                meter::note_denial();
            }
            Ok(read)
        }
        Err(why) => Err(Error::str(format_args!("a text is not JSON: {why}"))),
    }
}

/// A number as jq reads it, and separators as the program reads them: `10,000.00`. Currencies and units are refused, as
/// they would be lost. What a separator means in the currency of the balance is looked at when that is known.
pub(super) fn to_number(value: Value) -> ValR<Value> {
    let Some(text) = value.as_amount() else {
        return match value {
            Value::Number(_) => Ok(value),
            other => Err(Error::typ(other, "number")),
        };
    };
    meter::spend(text.len() / 4);
    if let Some(why) = value.no_number() {
        return Err(refused(text, why));
    }
    if text.len() <= amount::LONGEST
        && let Some(doubt) = Doubt::of(text)
    {
        meter::note_doubt(doubt);
    }
    match json::text(text, false) {
        Ok(Value::Number(number)) if number.is_long() => return Err(Error::str(number::LONG)),
        Ok(number @ Value::Number(_)) => return Ok(number),
        _ => {}
    }
    let is_known = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '+' | '-' | '\u{2212}');
    if !text.chars().all(is_known) {
        let has_digits = text.chars().any(|c| c.is_ascii_digit());
        return Err(refused(text, if has_digits { "it holds more than a number" } else { "it holds no number" }));
    }
    amount::parse(text).map(|number| Value::Number(Number::Decimal(number))).map_err(|why| refused(text, why))
}

pub(super) fn power(base: Value, exponent: Value) -> ValR<Value> {
    match (&base, &exponent) {
        (Value::Number(base), Value::Number(exponent)) => {
            // Powers of ten scale a balance, so they are exact.
            let exact = base.as_isize().filter(|base| *base == 10).and(exponent.as_isize());
            if let Some(places) = exact.and_then(|n| i32::try_from(n).ok()).filter(|n| (-28..=28).contains(n)) {
                return Ok(Value::Number(Number::from_json(&format!("1e{places}"))));
            }
            Ok(Value::from(to_float(*base)?.powf(to_float(*exponent)?)))
        }
        (Value::Number(_), _) => Err(Error::typ(exponent, "number")),
        _ => Err(Error::typ(base, "number")),
    }
}
