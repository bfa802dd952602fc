//! Values that services fill in where they know none, beside what says that something is wrong.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::reader::Reader;
use crate::check::Amount;
use crate::check::account::page::error::names_field;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::Json;

/// What services fill in where they know no balance.
/// `unknown` is what becomes of -1 on this page.
pub(super) fn filled_in(amount: &Amount, unknown: Option<Decimal>) -> Option<&'static str> {
    match amount {
        Amount::Unlimited => Some("a balance without a limit"),
        Amount::Of(amount) if amount.is_zero() => Some("a balance of zero"),
        Amount::Of(amount) if *amount == Decimal::NEGATIVE_ONE || Some(*amount) == unknown => Some("a balance of -1"),
        Amount::Of(_) => None,
    }
}

/// The same of a number that is bound or added.
pub(super) fn filled_in_number(value: Decimal) -> Option<&'static str> {
    match value {
        value if value.is_zero() => Some("a zero"),
        value if value == Decimal::NEGATIVE_ONE => Some("a -1"),
        _ => None,
    }
}

/// Whether an answer holds nothing of what an expression looks at, so that what that says comes of nothing: `.limit | not`.
/// Where the expression asks whether something is there, or looks elsewhere too, it says what it means.
pub(super) fn looks_at_nothing(code: &str, body: &Json) -> bool {
    let has_path = code.split('.').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    let is_clear = !has_path || code.contains('$') || code.contains("has(");
    !is_clear && body.is_without(&|field| names_field(code, field))
}

/// Lets a value stand that services fill in as well, unless the answer or its headers say that something is wrong.
///
/// # Errors
/// That they do. Of the fields that the page's tests for errors name, the page has decided what they mean.
pub(super) fn undenied(
    reader: &Reader,
    body: &Json,
    headers: &BTreeMap<String, String>,
    what: &str,
) -> Result<(), Failure> {
    let is_judged = |field: &str| reader.judges(field);
    if !body.is_denied(&is_judged) && !Json::are_headers_denied(headers, &is_judged) {
        return Ok(());
    }
    let message = format!("the answer says that something is wrong, beside {what}");
    Err(match body.error_message() {
        Some(words) => Failure::new(Reason::Api, format!("{message}; the service says")).saying(words),
        None => Failure::new(Reason::Api, message),
    })
}
