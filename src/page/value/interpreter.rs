//! What the interpreter does with values: it reads their entries and updates them.

use std::rc::Rc;

use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValR, ValT, ValX};

use super::entries::{list_mut, object_mut};
use super::make::checked;
use super::sizes::bytes_of_field;
use super::{Error, Fields, Step, Value};
use crate::page::meter;
use crate::page::number::Number;

/// An index of a list, counted from its end if it is negative.
fn absolute(index: Number, length: usize) -> Option<usize> {
    match index.as_isize()? {
        index if index >= 0 => Some(index.unsigned_abs()),
        index => length.checked_sub(index.unsigned_abs()),
    }
}

/// A range of a list or text of so many items, cut to what there is.
pub(super) fn bounds(range: Range<&Value>, length: usize) -> Result<(usize, usize), Error> {
    let bound = |value: Option<&Value>, default: usize| match value {
        // What the answer does not hold is no "to the end".
        None | Some(Value::Null(None)) => Ok(default),
        Some(Value::Number(number)) => match number.round_with(rust_decimal::Decimal::floor, f64::floor) {
            index if index.as_isize().is_some() => Ok(absolute(index, length).unwrap_or(0).min(length)),
            _ => Err(Value::Number(*number).type_error("index")),
        },
        Some(other) => Err(other.clone().type_error("index")),
    };
    let start = bound(range.start, 0)?;
    Ok((start, bound(range.end, length)?.max(start)))
}

impl ValT for Value {
    fn from_num(literal: &str) -> ValR<Self> {
        Ok(Value::Number(Number::from_json(literal)))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(entries: I) -> ValR<Self> {
        let (mut fields, mut has_foreign_keys) = (Fields::new(), false);
        for (key, value) in entries {
            meter::spend(4);
            let Value::Text(name) = &key else {
                return Err(key.type_error("key"));
            };
            meter::spend_text(name.text.len());
            has_foreign_keys |= name.is_foreign();
            fields.insert(name.text.as_str().into(), value);
        }
        Ok(Value::made(fields, has_foreign_keys))
    }

    fn key_values(self) -> BoxIter<'static, Result<(Self, Self), Error>> {
        match self {
            Value::List(list) => {
                let (length, order) = (list.items.len(), list.order());
                Box::new((0..length).map(move |position| {
                    meter::spend(1);
                    let index = order.index(position, length);
                    Ok((Value::from(index), Value::item(&list, index)))
                }))
            }
            Value::Object(object) => Box::new(object.met().map_while(move |index| {
                meter::spend(1);
                let (key, _) = object.fields.get_index(index)?;
                Some(Ok((Value::answer(key.to_string()), Value::field(&object, key, || Step::of_answer(key)))))
            })),
            other => box_once(Err(other.type_error("list or object"))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        match self {
            Value::List(list) => {
                let (length, order) = (list.items.len(), list.order());
                Box::new((0..length).map(move |position| {
                    meter::spend(1);
                    Ok(Value::item(&list, order.index(position, length)))
                }))
            }
            Value::Object(object) => Box::new(object.met().map_while(move |index| {
                meter::spend(1);
                let (key, _) = object.fields.get_index(index)?;
                Some(Ok(Value::field(&object, key, || Step::of_answer(key))))
            })),
            other => box_once(Err(other.type_error("list or object"))),
        }
    }

    fn index(self, index: &Self) -> ValR<Self> {
        match (self, index) {
            // The first null is the one to be told of.
            (null @ Value::Null(_), _) => Ok(null),
            (Value::Object(object), Value::Text(key)) => {
                meter::spend_bytes(key.text.len());
                Ok(Value::entry(&object, key, false))
            }
            (Value::List(list), Value::Number(number)) => {
                list.refuse_unordered();
                let index = number.round_with(rust_decimal::Decimal::floor, f64::floor);
                // What stands before the first or has no whole index is as missing as what stands behind the last.
                let asked = index.as_isize().unwrap_or(isize::MAX);
                Ok(Value::item_asked(&list, absolute(index, list.items.len()), asked))
            }
            (list @ Value::List(_), part @ Value::List(_)) => list.indices(part),
            (value @ (Value::Text(_) | Value::List(_)), Value::Object(range)) => {
                value.range(range.fields.get("start")..range.fields.get("end"))
            }
            (value, index) => Err(Error::index(value, index.clone())),
        }
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        match &self {
            Value::Null(_) => Ok(self),
            Value::Text(text) => {
                meter::spend(text.text.len() / 16);
                let (start, end) = bounds(range, text.text.chars().count())?;
                let at = |index: usize| text.text.char_indices().nth(index).map_or(text.text.len(), |(at, _)| at);
                Ok(self.found(at(start)..at(end.max(start)), &[]))
            }
            Value::List(list) => {
                list.refuse_unordered();
                let (start, end) = bounds(range, list.items.len())?;
                Ok((start..end).map(|index| Value::item(list, index)).collect())
            }
            _ => Err(self.type_error("list or text")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(self, opt: Opt, f: impl Fn(Self) -> I) -> ValX<'a, Self> {
        match self {
            Value::List(list) => {
                let items = (0..list.items.len()).flat_map(|index| f(Value::item(&list, index)));
                let new: Result<Value, _> = items.collect();
                if list.is_unordered { new.map(Value::unordered) } else { new }
            }
            Value::Object(object) => {
                let mut fields = Fields::new();
                for (key, _) in &object.fields {
                    meter::spend(4);
                    if let Some(value) = f(Value::field(&object, key, || Step::of_answer(key))).next() {
                        fields.insert(Rc::clone(key), value?);
                    }
                }
                Ok(match object.is_of_answer() {
                    true => Value::changed(fields, object.place.clone()),
                    false => Value::made(fields, object.has_foreign_keys),
                })
            }
            other => opt.fail(other, |other| Exn::from(other.type_error("list or object"))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        match (self, index) {
            // As in jq, an update makes the object that it needs. What the answer does not hold stays unknown inside it.
            (null @ Value::Null(_), Value::Text(key)) => {
                meter::spend_bytes(key.text.len());
                let new = f(null).next().transpose()?;
                let fields = new.map(|value| (key.text.as_str().into(), value)).into_iter().collect();
                Ok(Value::made(fields, key.is_foreign()))
            }
            (Value::Object(mut object), Value::Text(key)) => {
                meter::spend_bytes(key.text.len());
                let old = Value::entry(&object, key, true);
                let new = f(old).next().transpose()?;
                let object_ref = object_mut(&mut object);
                match new {
                    Some(value) => {
                        meter::spend(4);
                        object_ref.depth = object_ref.depth.max(checked(value.depth() + 1));
                        object_ref.held.grow(bytes_of_field(&key.text));
                        object_ref.has_foreign_keys |= key.is_foreign();
                        object_ref.fields.insert(key.text.as_str().into(), value);
                    }
                    None => {
                        meter::spend_copy(object_ref.fields.len());
                        object_ref.fields.shift_remove(&*key.text);
                    }
                }
                Ok(Value::Object(object))
            }
            (Value::List(mut list), Value::Number(number)) => {
                list.refuse_unordered();
                let at = absolute(*number, list.items.len()).filter(|at| *at < list.items.len());
                let Some(at) = at else {
                    return opt.fail(Value::List(list), |_| Exn::from(Error::str("the index is out of bounds")));
                };
                let new = f(Value::item(&list, at)).next().transpose()?;
                let list_ref = list_mut(&mut list);
                match new {
                    Some(value) => {
                        list_ref.depth = list_ref.depth.max(checked(value.depth() + 1));
                        list_ref.items[at] = value;
                    }
                    None => {
                        meter::spend_copy(list_ref.items.len());
                        list_ref.items.remove(at);
                    }
                }
                Ok(Value::List(list))
            }
            (value @ (Value::Text(_) | Value::List(_)), Value::Object(range)) => {
                value.map_range(range.fields.get("start")..range.fields.get("end"), opt, f)
            }
            (value, index) => opt.fail(value, |value| Exn::from(Error::index(value, index.clone()))),
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let Value::List(list) = &self else {
            return opt.fail(self, |value| Exn::from(value.type_error("list")));
        };
        list.refuse_unordered();
        let (start, end) = match bounds(range, list.items.len()) {
            Ok(bounds) => bounds,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        meter::spend_copy(list.items.len());
        let part: Value = (start..end).map(|index| Value::item(list, index)).collect();
        let new = match f(part).next().transpose()? {
            None => Vec::new(),
            Some(Value::List(new)) => new.items.clone(),
            Some(other) => return Err(Exn::from(other.type_error("list"))),
        };
        let parts = [&list.items[..start], &new[..], &list.items[end..]];
        Ok(parts.into_iter().flatten().cloned().collect())
    }

    fn as_bool(&self) -> bool {
        !matches!(self, Value::Null(_) | Value::Bool(false))
    }

    fn into_string(self) -> Self {
        match self {
            text @ Value::Text(_) => text,
            other => other.written(),
        }
    }
}

impl jaq_std::ValT for Value {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        match self {
            Value::List(list) => {
                // The library's filters turn lists around; what takes items in any order does without it.
                list.refuse_unordered();
                meter::spend_copy(list.items.len());
                Ok((0..list.items.len()).map(|index| Value::item(&list, index)).collect())
            }
            other => Err(other),
        }
    }

    fn is_int(&self) -> bool {
        matches!(self, Value::Number(number) if number.is_int())
    }

    fn as_isize(&self) -> Option<isize> {
        match self {
            Value::Number(number) => number.as_isize(),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self, Value::Text(_))
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        self.as_text().map(str::as_bytes)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        let whole = self.as_bytes().unwrap_or_default();
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        match self.as_text().and_then(|text| text.get(start..start.checked_add(part.len())?)) {
            Some(piece) if piece.as_bytes() == part => self.found(start..start + part.len(), &[]),
            _ => self.derived(String::from_utf8_lossy(part).into_owned()),
        }
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Value::answer(String::from_utf8_lossy(bytes.as_ref()).into_owned())
    }
}
