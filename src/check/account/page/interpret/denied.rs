//! Values that services fill in where they know none, beside what says that something is wrong.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::reader::Reader;
use crate::check::account::page::error::names_field;
use crate::check::{Amount, Reading};
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

/// Why a balance does not stand that an expression has calculated from what says something else, or from nothing at all.
/// `is_calculated_from` says whether it gives another balance for another answer.
pub(super) fn unfounded(
    reader: &Reader,
    body: &Json,
    reading: &Reading,
    has_pages: bool,
    is_calculated_from: &dyn Fn(&Json) -> bool,
) -> Option<Failure> {
    let is_named = |field: &str| reader.names(field);
    let foreign =
        reading.currency.as_deref().and_then(|known| Some((known, body.with_other_currencies(known, &is_named)?)));
    if let Some((known, _)) = foreign.filter(|(_, other)| is_calculated_from(other)) {
        return Some(in_other_currency("the balance", known));
    }
    if body.with_other_debts(&is_named).is_some_and(|other| is_calculated_from(&other)) {
        let message = "the balance is calculated from amounts beside which the answer says that they are debts";
        let hint = "look at that field too, for example `if .dc == \"D\" then -.amount else .amount end`";
        return Some(Failure::new(Reason::Decode, message).with_hint(hint));
    }
    let code = &reader.code;
    let is_sum = ["add", "reduce", "sum"].iter().any(|word| code.contains(word));
    if is_sum && !has_pages && body.has_more(&is_named) {
        let message = "the expression takes a sum, but the answer says that there is more on another page";
        return Some(
            Failure::new(Reason::Decode, message).with_hint("ask for all pages: `pages` of a step, and `sum`"),
        );
    }
    match &reading.amount {
        Amount::Of(amount) if amount.is_zero() && is_of_nothing(code, body) => {
            let other = body.with_other_numbers();
            other.is_none_or(|other| !is_calculated_from(&other)).then(|| of_nothing("a zero"))
        }
        Amount::Unlimited if reader.unlimited.is_none() && looks_at_nothing(code, body) => {
            Some(of_nothing("a balance without a limit"))
        }
        _ => None,
    }
}

/// Whether an answer holds nothing of what an expression looks at, so that what that says comes of nothing: `.limit | not`.
/// Where the expression asks whether something is there, or looks elsewhere too, it says what it means.
pub(super) fn looks_at_nothing(code: &str, body: &Json) -> bool {
    let has_path = code.split('.').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    let is_clear = !has_path || code.contains('$') || code.contains("has(");
    let is_asked = (has_path || code.contains("has(")) && !looks_elsewhere(code);
    let is_named = |field: &str| names_field(code, field);
    is_asked && body.is_only_message(&is_named) || !is_clear && body.is_without(&is_named)
}

/// Whether an expression goes through something. Of plain fields a zero is what they say, as where all is used.
fn counts(code: &str) -> bool {
    ["[]", "map", "add", "reduce", "entries", "length", "keys"].iter().any(|word| code.contains(word))
}

/// Whether a zero comes of nothing: of a sum that begins with zero and goes through what is not there, or through entries of which
/// none is called as the page spells it.
pub(super) fn is_of_nothing(code: &str, body: &Json) -> bool {
    let literals: Vec<&str> = code.split('"').skip(1).step_by(2).collect();
    let words: Vec<&str> = literals.into_iter().filter(|word| is_word(word)).collect();
    let is_named = |field: &str| names_field(code, field);
    // `.items // []` says that a list which is missing is empty.
    let is_said = code.replace(' ', "").contains("//[]");
    !looks_elsewhere(code)
        && code.contains('.')
        && (body.is_only_message(&is_named)
            || !is_said && counts(code) && body.has_nothing_to_count(&is_named)
            || body.spells_otherwise(&words))
}

/// Whether an expression looks at something beside the answer's body.
fn looks_elsewhere(code: &str) -> bool {
    ["$bind", "$headers", "$options", "$status"].iter().any(|name| code.contains(name))
}

/// What is said of a balance that comes of nothing.
pub(super) fn of_nothing(what: &str) -> Failure {
    let message = format!("the expression gives {what}, but the answer holds nothing of what it looks at");
    let hint = "say what is missing instead, for example `if .items then [.items[].amount] | add else error(\"no items\") end`";
    Failure::new(Reason::Decode, message).with_hint(hint)
}

/// What is said of amounts beside which the answer says another currency.
pub(super) fn in_other_currency(what: &str, known: &str) -> Failure {
    let message =
        format!("{what} is calculated from amounts beside which the answer says another currency than {known}");
    let hint = "take those in one currency, for example with `select(.currency == \"USD\")`, or take the currency out as well: \
                `{amount, currency}`";
    Failure::new(Reason::Config, message).with_hint(hint)
}

fn is_word(text: &str) -> bool {
    (2..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
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
    Err(denied(body, what))
}

/// What is said of a value beside what says that something is wrong.
pub(super) fn denied(body: &Json, what: &str) -> Failure {
    let message = format!("the answer says that something is wrong, beside {what}");
    match body.error_message() {
        Some(words) => Failure::new(Reason::Api, format!("{message}; the service says")).saying(words),
        None => Failure::new(Reason::Api, message),
    }
}
