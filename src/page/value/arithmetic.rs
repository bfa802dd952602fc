//! Sums, differences, products and quotients of values.

use std::iter;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;

use jaq_core::ValR;
use jaq_core::ops::Math;

use super::entries::{list_mut, object_mut};
use super::sizes::ITEM;
use super::{Error, How, Name, Object, Text, Value};
use crate::page::meter;
use crate::page::number::Number;

/// What is said of numbers that `+` would join.
const JOINED: &str = "two numbers that are texts would be joined, not added; `tonumber` makes numbers of them";

impl Add for Value {
    type Output = ValR<Value>;
    fn add(self, other: Value) -> ValR<Value> {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => calculated(left.plus(right)),
            // What the answer does not hold is unknown, and not zero. A null of the page's own begins a sum.
            (left @ Value::Null(Some(_)), right @ Value::Number(_))
            | (left @ Value::Number(_), right @ Value::Null(Some(_))) => Err(Error::math(left, Math::Add, right)),
            (left @ Value::Null(Some(_)), Value::Text(right)) if right.is_of_number() => {
                Err(Error::math(left, Math::Add, Value::Text(right)))
            }
            (Value::Text(left), right @ Value::Null(Some(_))) if left.is_of_number() => {
                Err(Error::math(Value::Text(left), Math::Add, right))
            }
            (Value::Null(_), value) | (value, Value::Null(_)) => Ok(value),
            (Value::Text(left), Value::Text(right)) => {
                if left.would_join(&right) && !left.is_put_together(&right) {
                    return Err(Error::str(JOINED));
                }
                meter::spend_text(left.text.len() + right.text.len());
                Ok(Value::Text(Text::joined(left, &right)))
            }
            (Value::List(mut left), Value::List(right)) => {
                meter::spend(right.items.len());
                let list = list_mut(&mut left);
                // A list grows by doubling.
                list.held.grow(2 * right.items.len() * ITEM);
                list.items.extend(right.items.iter().cloned());
                list.depth = list.depth.max(right.depth);
                list.is_unordered |= right.is_unordered;
                Ok(Value::List(left))
            }
            (Value::Object(mut left), Value::Object(right)) => {
                meter::spend(right.fields.len() * 4);
                object_mut(&mut left).take_in(&right, |_, new| new);
                Ok(Value::Object(left))
            }
            (left, right) => Err(Error::math(left, Math::Add, right)),
        }
    }
}

impl Value {
    /// The sum with one more of several values. Texts that are numbers are not joined, also where they were cut from one text.
    pub(in crate::page) fn add_next(self, next: Value) -> ValR<Value> {
        match (&self, &next) {
            (Value::Text(left), Value::Text(right)) if left.would_join(right) => Err(Error::str(JOINED)),
            _ => self + next,
        }
    }
}

/// The result of arithmetic, or why there is none.
fn calculated(result: Result<Number, &'static str>) -> ValR<Value> {
    result.map(Value::Number).map_err(Error::str)
}

impl Sub for Value {
    type Output = ValR<Value>;
    fn sub(self, other: Value) -> ValR<Value> {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => calculated(left.plus(-right)),
            (Value::List(mut left), Value::List(right)) => {
                let list = list_mut(&mut left);
                list.items.retain(|item| !right.items.contains(item));
                Ok(Value::List(left))
            }
            (left, right) => Err(Error::math(left, Math::Sub, right)),
        }
    }
}

impl Mul for Value {
    type Output = ValR<Value>;
    fn mul(self, other: Value) -> ValR<Value> {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => calculated(left.times(right)),
            (Value::Text(text), Value::Number(times)) | (Value::Number(times), Value::Text(text)) => {
                if text.would_join(&text) {
                    let why =
                        "a number that is a text would be repeated, not multiplied; `tonumber` makes a number of it";
                    return Err(Error::str(why));
                }
                let Some(times) = times.as_isize() else {
                    return Err(Error::math(Value::Text(text), Math::Mul, Value::Number(times)));
                };
                let Ok(times @ 1..) = usize::try_from(times) else {
                    return Ok(Value::nothing("a text that is repeated no times is null"));
                };
                meter::spend_text(text.text.len().saturating_mul(times));
                let repeated = text.text.repeat(times);
                Ok(Value::Text(text).derived(repeated))
            }
            (Value::Object(left), Value::Object(right)) => Ok(Value::Object(merge(left, &right))),
            (left, right) => Err(Error::math(left, Math::Mul, right)),
        }
    }
}

/// The fields of both, those of the second before those of the first; objects under the same key likewise.
fn merge(mut left: Rc<Object>, right: &Rc<Object>) -> Rc<Object> {
    meter::spend(right.fields.len() * 4);
    object_mut(&mut left).take_in(right, |old, new| match (old, new) {
        (Some(Value::Object(old)), Value::Object(new)) => Value::Object(merge(Rc::clone(old), &new)),
        (_, new) => new,
    });
    left
}

impl Div for Value {
    type Output = ValR<Value>;
    fn div(self, other: Value) -> ValR<Value> {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => calculated(left.over(right)),
            (whole @ Value::Text(_), Value::Text(by)) => {
                let text = whole.as_text().unwrap_or_default();
                meter::spend_bytes(text.len());
                meter::spend_bytes(by.text.len());
                if text.is_empty() {
                    Ok(iter::empty().collect())
                } else if by.text.is_empty() {
                    let characters = text.char_indices();
                    Ok(characters.map(|(at, c)| whole.found(at..at + c.len_utf8(), &[])).collect())
                } else {
                    let mut start = 0;
                    let written: Rc<str> = by.text.to_lowercase().into();
                    let name = |range| Name { range, written: Rc::clone(&written), how: How::LeftOut };
                    let parts = text.split(by.text.as_str()).map(|part| {
                        let piece = start..start + part.len();
                        start = piece.end + by.text.len();
                        let names =
                            [name(piece.start.saturating_sub(by.text.len())..piece.start), name(piece.end..start)];
                        whole.found(piece, &names)
                    });
                    Ok(parts.collect())
                }
            }
            (left, right) => Err(Error::math(left, Math::Div, right)),
        }
    }
}

impl Rem for Value {
    type Output = ValR<Value>;
    fn rem(self, other: Value) -> ValR<Value> {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => calculated(left.remainder(right)),
            (left, right) => Err(Error::math(left, Math::Rem, right)),
        }
    }
}

impl Neg for Value {
    type Output = ValR<Value>;
    fn neg(self) -> ValR<Value> {
        match self {
            Value::Number(number) => Ok(Value::Number(-number)),
            other => Err(other.type_error("number")),
        }
    }
}
