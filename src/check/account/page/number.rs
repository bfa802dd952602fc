//! Numbers in what an expression of a page gives.

use rust_decimal::Decimal;

use super::time;
use crate::model::amount::{self, Currency, Doubt, Word};
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
        Shape::Text(text) => amount::read_in(without_own_unit(&text, known), known)
            .map(|money| (money.value, money.currency))
            .map_err(|why| format!("it is text and {why}")),
        Shape::Null => Err("it is missing or null".to_owned()),
        Shape::Missing(what) => Err(what),
        Shape::Bool(_) => Err("it is true or false, not a number".to_owned()),
        Shape::Array => Err("it is a list, not a number".to_owned()),
        Shape::Object(_) => Err("it is an object, not a number".to_owned()),
    }
}

/// A text without the unit that the page counts in, if that is a word of the page's own: `5 GB` where the unit is GB.
fn without_own_unit<'t>(text: &'t str, known: Option<&str>) -> &'t str {
    let is_own = |unit: &&str| amount::words(unit).is_none() && !amount::is_scale_word(unit);
    let number = known.filter(is_own).and_then(|unit| text.trim_end().strip_suffix(unit)).map(str::trim_end);
    number.filter(|number| number.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

/// A number that names no currency. `known` is the currency that it is in, if that is known.
///
/// # Errors
/// As [`number`].
pub(super) fn plain(value: Shape, known: Option<&str>) -> Result<Decimal, String> {
    match number(value, known)? {
        (number, None) => Ok(number),
        (_, Some(_)) => Err("it names a currency".to_owned()),
    }
}

/// A number that names no currency, or the one that is known, and what it names.
///
/// # Errors
/// As [`number`], and where it names another currency, or one of which it is not known whether the balance is in it.
pub(super) fn in_known_currency(value: Shape, known: Option<&str>) -> Result<(Decimal, Option<Currency>), String> {
    let (number, named) = number(value, known)?;
    match (named, known) {
        (Some(_), None) => Err("it names a currency".to_owned()),
        (Some(named), Some(known)) if !named.may_be(known) => {
            Err("it names another currency than the balance".to_owned())
        }
        _ => Ok((number, named)),
    }
}

/// A number in the currency of the balance, if that is known.
///
/// # Errors
/// As [`number`], and where it names another currency, or where only a currency would say what its separator means.
pub(super) fn in_currency(value: Shape, known: Option<&str>) -> Result<Decimal, String> {
    let doubt = doubt(&value);
    let (number, named) = number(value, known)?;
    match (named, known) {
        (Some(named), Some(known)) if !named.may_be(known) => {
            Err("it is in another currency than the balance".to_owned())
        }
        (None, None) if doubt.is_some() => Err("its separator may be a decimal sign or part thousands".to_owned()),
        _ => Ok(number),
    }
}

/// Refuses a text with the side of an account (`95 DR`) where what was used is measured, or where the sign is turned: a debit is
/// negative credit, but it may be what was used, or be turned already.
///
/// # Errors
/// That it is one, without its value.
pub(super) fn without_side(value: Shape) -> Result<Shape, String> {
    let is_side = |word: &Word| matches!(word, Word::Side { .. });
    let has_side = |text: &str| words_of(text).is_some_and(|words| words.iter().any(is_side));
    match &value {
        Shape::Text(text) if text.len() <= amount::LONGEST && has_side(text) => {
            Err("it names a side of an account (`DR` or `CR`), of which it is not clear what it means here".to_owned())
        }
        _ => Ok(value),
    }
}

/// Refuses a text that names its unit (`350 cents`) where the page scales what it reads: both would be applied.
///
/// # Errors
/// That it names one, without its value.
pub(super) fn without_unit(value: Shape) -> Result<Shape, String> {
    let has_unit = |text: &str| words_of(text).is_some_and(|words| words.iter().any(scales));
    match &value {
        Shape::Text(text) if text.len() <= amount::LONGEST && has_unit(text) => {
            Err("it names its unit (such as `cents` or `k`), and `scale` of the page would be applied as well"
                .to_owned())
        }
        _ => Ok(value),
    }
}

fn scales(word: &Word) -> bool {
    matches!(word, Word::Times(_) | Word::Part(..))
}

/// The words beside the number of a text.
fn words_of(text: &str) -> Option<Vec<Word>> {
    let text = amount::fold(text);
    let start = amount::number_start(&text, 0)?;
    let words = [&text[..start], &text[amount::number_end(&text, start)..]].map(amount::words);
    Some(words.into_iter().flatten().flatten().collect())
}

/// What is in doubt of the separators of a text that is read as a number, until its currency is known.
pub(super) fn doubt(value: &Shape) -> Option<Doubt> {
    let Shape::Text(text) = value else { return None };
    let text = amount::fold(text);
    let start = amount::number_start(&text, 0)?;
    Doubt::of(&text[start..amount::number_end(&text, start)])
}

/// A time; none if the service says that there is no such time.
///
/// # Errors
/// That it is none, without its value; also where no service can mean it.
pub(super) fn moment(value: Shape) -> Result<Option<Timestamp>, String> {
    match value {
        Shape::Null | Shape::Missing(_) => Ok(None),
        Shape::Text(text) if text.trim().is_empty() => Ok(None),
        Shape::Text(text) => time::of_text(&text),
        value => time::of_number(plain(value, None)?),
    }
    .map_err(str::to_owned)
}

/// The longest text that is kept for later requests, in bytes. Keys and tokens are a part of it.
const LONGEST_BOUND: usize = 16 * 1024;

/// A value that is kept for later.
///
/// # Errors
/// What it is instead, without its value.
pub(super) fn bound(shape: Option<Shape>) -> Result<Bound, String> {
    match shape {
        Some(Shape::Text(text)) if text.trim().is_empty() => Err("it is an empty text".to_owned()),
        // It goes into addresses and headers, and those have an end.
        Some(Shape::Text(text)) if text.len() > LONGEST_BOUND => {
            Err(format!("it is a text of {} KiB, which is too long for a request", text.len() / 1024))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_for_a_request_is_the_services_fault() {
        let text = |length| bound(Some(Shape::Text("x".repeat(length))));
        assert!(text(LONGEST_BOUND).is_ok());
        let why = text(900 * 1024).err().unwrap_or_default();
        assert!(why.contains("900 KiB"), "{why}");
    }
}
