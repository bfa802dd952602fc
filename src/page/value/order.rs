//! Which values are equal, and which comes before which.

use std::cmp::Ordering;
use std::rc::Rc;

use super::text::is_number;
use super::{Object, Origin, Value};
use crate::page::meter;
use crate::page::stop::Stop;

/// Digits of a date without signs between them; times have more.
const LENGTH_OF_DATES: usize = 8;

impl Value {
    /// Whether it is an empty list or object of the expression, with which jq asks for a kind: `. < []`.
    fn is_bound_of_kind(&self) -> bool {
        match self {
            Value::List(list) => list.items.is_empty() && list.place.is_none(),
            Value::Object(object) => object.fields.is_empty() && !object.is_of_answer(),
            _ => false,
        }
    }

    /// Whether an expression that met the entries of an answer in another order gave the same. Of what is rounded the last
    /// digits may differ.
    pub(in crate::page) fn agrees(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => left.agrees(*right),
            (Value::Object(left), Value::Object(right)) => {
                left.fields.len() == right.fields.len()
                    && left.fields.iter().all(|(key, value)| right.fields.get(key).is_some_and(|new| value.agrees(new)))
            }
            _ => self == other,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        meter::spend(1);
        match (self, other) {
            (Value::Null(_), Value::Null(_)) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => left == right,
            (Value::Text(left), Value::Text(right)) => {
                meter::spend_bytes(left.text.len().min(right.text.len()));
                left.text == right.text
            }
            (Value::List(left), Value::List(right)) => Rc::ptr_eq(left, right) || left.items == right.items,
            (Value::Object(left), Value::Object(right)) => {
                Rc::ptr_eq(left, right) || {
                    left.spend_keys();
                    left.fields == right.fields
                }
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        meter::spend(1);
        let rank = |value: &Value| match value {
            Value::Null(_) => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::Text(_) => 3,
            Value::List(_) => 4,
            Value::Object(_) => 5,
        };
        match (self, other) {
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            (Value::Number(left), Value::Number(right)) => {
                let order = left.cmp(right);
                if order.is_eq() && left.is_long() | right.is_long() {
                    meter::refuse_order(|| Stop::Digits);
                }
                order
            }
            (Value::Text(left), Value::Text(right)) => {
                meter::spend_bytes(left.text.len().min(right.text.len()));
                if !is_ordered_as_text(&left.text, &right.text) {
                    meter::refuse_order(|| Stop::Order);
                }
                let order = left.text.cmp(&right.text);
                let is_by_name = order.is_ne() && !(is_time(&left.text) && is_time(&right.text));
                if is_by_name && meter::turns_names() { order.reverse() } else { order }
            }
            (Value::List(left), Value::List(right)) => left.items.cmp(&right.items),
            (Value::Object(left), Value::Object(right)) => {
                let sorted = |object: &Rc<Object>| {
                    meter::spend(object.fields.len());
                    object.spend_keys();
                    let mut fields: Vec<(Rc<str>, Value)> =
                        object.fields.iter().map(|(key, value)| (Rc::clone(key), value.clone())).collect();
                    fields.sort_by(|a, b| a.0.cmp(&b.0));
                    fields
                };
                let (left, right) = (sorted(left), sorted(right));
                let keys = left.iter().map(|field| &field.0).cmp(right.iter().map(|field| &field.0));
                keys.then_with(|| left.iter().map(|field| &field.1).cmp(right.iter().map(|field| &field.1)))
            }
            _ => {
                refuse_mixed(self, other);
                rank(self).cmp(&rank(other))
            }
        }
    }
}

/// Refuses the order of two kinds where it would say something that is not known. What the page's author wrote may be compared
/// with anything: whatever is not less than the empty text is a text.
fn refuse_mixed(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Number(_), Value::Text(text)) | (Value::Text(text), Value::Number(_)) => {
            if is_number(&text.text) {
                meter::refuse_order(|| Stop::Order);
            } else if !matches!(text.origin, Origin::Page) {
                meter::refuse_order(|| Stop::Kinds);
            }
        }
        (Value::Number(_), other @ (Value::Bool(_) | Value::List(_) | Value::Object(_)))
        | (other @ (Value::Bool(_) | Value::List(_) | Value::Object(_)), Value::Number(_))
            if !other.is_bound_of_kind() =>
        {
            meter::refuse_order(|| Stop::Other(other.kind()));
        }
        (Value::Null(Some(missing)), known) | (known, Value::Null(Some(missing))) if !missing.is_own() => match known {
            Value::Number(_) => meter::refuse_order(|| Stop::Unknown("numbers", missing.tell())),
            Value::Text(text) if !text.text.is_empty() => {
                meter::refuse_order(|| Stop::Unknown("texts", missing.tell()));
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a text begins with a year, as dates and times do. Their order says something; that of other texts is the
/// alphabet's.
fn is_time(text: &str) -> bool {
    text.len() > 4 && text.bytes().take(4).all(|byte| byte.is_ascii_digit())
}

/// Whether the order of two texts is that of the alphabet. Of two numbers it is not, except of digits of one length, as
/// times and dates have them.
fn is_ordered_as_text(left: &str, right: &str) -> bool {
    let are_aligned = || {
        let is_digits = |text: &str| text.len() >= LENGTH_OF_DATES && text.bytes().all(|b| b.is_ascii_digit());
        left.len() == right.len() && is_digits(left) && is_digits(right)
    };
    left == right || are_aligned() || (!is_number(left) || !is_number(right)) && !are_dates_apart(left, right)
}

/// Whether two dates or times are written so that the alphabet has another order than the calendar: `2026-9-30` and `2026-11-30`,
/// `1/1/2027` and `2026-12-01`, or times of which each names another zone.
fn are_dates_apart(left: &str, right: &str) -> bool {
    if !is_date(left) || !is_date(right) {
        return false;
    }
    let at = left.bytes().zip(right.bytes()).position(|(one, other)| one != other).unwrap_or(0);
    let run = |text: &str| {
        let is_digit = |byte: &u8| byte.is_ascii_digit();
        let start = text.bytes().take(at).rposition(|byte| !byte.is_ascii_digit()).map_or(0, |found| found + 1);
        (start, start + text.as_bytes()[start..].iter().take_while(|byte| is_digit(byte)).count())
    };
    let day_first = |text: &str| !is_time(text);
    let (one, other) = (zone(left), zone(right));
    let is_another_zone = one.is_some() && other.is_some() && one != other;
    // Decimals of a second begin behind the 19th character.
    let is_before_decimals = at < 19;
    day_first(left) || day_first(right) || is_before_decimals && run(left) != run(right) || is_another_zone
}

/// Whether a text begins as a date does: three numbers with the same sign between them.
fn is_date(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = digits(text);
    let Some(sign) = text[first..].chars().next().filter(|c| matches!(c, '-' | '/' | '.')) else { return false };
    let rest = &text[first + 1..];
    let second = digits(rest);
    let is_third =
        rest[second..].strip_prefix(sign).is_some_and(|third| third.starts_with(|c: char| c.is_ascii_digit()));
    matches!((first, second), (1 | 2 | 4, 1 | 2)) && is_third
}

/// What a time says of its zone.
fn zone(text: &str) -> Option<&str> {
    let time = text.get(10..)?;
    match time.rfind(['+', '-', 'Z', 'z']) {
        Some(at) if time[at..].eq_ignore_ascii_case("z") || matches!(&time[at + 1..], "00:00" | "0000" | "00") => {
            Some("Z")
        }
        Some(at) => Some(&time[at..]),
        None => None,
    }
}
