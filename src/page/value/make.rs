//! How values are made, which counts against the budget of the evaluation.

use std::ops::Range;
use std::rc::Rc;

use jaq_core::val::Range as Bounds;

use super::cut::names;
use super::sizes::{ITEM, LIST, OBJECT, bytes_of};
use super::standing::has_other_numbers;
use super::text::{CUT_NUMBER, OF_CHARACTERS, is_less_than_number};
use super::{Fields, List, Object, Origin, Part, Piece, Text, Value, ValuePath};
use crate::page::memory::Held;
use crate::page::meter;
use crate::page::number::Number;
use crate::page::stop::{Stop, stop};

impl Value {
    /// A text of the answer.
    pub(crate) fn answer(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Answer)))
    }

    /// A text of the page's author.
    pub(in crate::page) fn own(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Page)))
    }

    /// The text of an option.
    pub(in crate::page) fn option(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Option)))
    }

    /// A text made from another one, by the same author.
    pub(in crate::page) fn derived(&self, text: String) -> Value {
        let mut derived = match self {
            Value::Text(from) if matches!(from.origin, Origin::Page) => Value::own(text),
            Value::Text(from) if matches!(from.origin, Origin::Option) => Value::option(text),
            _ => Value::answer(text),
        };
        if let (Value::Text(from), Value::Text(derived)) = (self, &mut derived) {
            let derived = Rc::make_mut(derived);
            derived.cut = from.cut;
            derived.cuts_code = from.cuts_code;
            derived.root = from.root.clone();
            derived.is_joined = from.is_joined;
            derived.is_mixed = from.is_mixed;
            derived.is_of_several = from.is_of_several;
            derived.digits = derived.digits.and(from.digits.or(derived.digits));
        }
        derived
    }

    /// A piece of this text.
    pub(in crate::page) fn found(&self, piece: &Piece) -> Value {
        let whole = self.as_text().unwrap_or_default();
        let mut found = self.cut(whole[piece.range.clone()].to_owned());
        if let Value::Text(found) = &mut found
            && self.is_foreign()
            && piece.cuts_number(whole)
        {
            Rc::make_mut(found).cut = Some(CUT_NUMBER);
        }
        if let Value::Text(found) = &mut found
            && self.is_foreign()
            && cuts_code(whole, &piece.range)
        {
            Rc::make_mut(found).cuts_code = true;
        }
        found.compared(self).0
    }

    /// The same text, which was made by leaving out or replacing parts of another one.
    /// What its author has written to find the parts is `written`.
    pub(in crate::page) fn cut_of(self, whole: &Value, written: &Value) -> Value {
        let (mut part, is_compared) = self.compared(whole);
        if let (Value::Text(part), Value::Text(whole)) = (&mut part, whole)
            && part.is_foreign()
            && !is_compared
        {
            meter::spend_bytes(64 + 8 * (part.text.len() + whole.text.len()));
            let is_named = |word: &str| {
                written.items().unwrap_or_default().iter().filter_map(Value::as_text).any(|text| names(text, word))
            };
            let cut = has_other_numbers(&part.text, &whole.text, &is_named).then_some(CUT_NUMBER);
            let part = Rc::make_mut(part);
            part.cut = part.cut.or(cut).or(whole.cut);
        }
        if let (Value::Text(part), Value::Text(whole)) = (&mut part, whole)
            && part.is_joined
        {
            // It has been looked at as a whole, and from now on is a text of its own, if that one is.
            let part = Rc::make_mut(part);
            (part.root, part.is_joined) = (whole.root.clone(), whole.is_joined);
        }
        part
    }

    /// The same, and whether both are numbers as a whole: that tells whether this is only a part of the other one.
    fn compared(mut self, whole: &Value) -> (Value, bool) {
        if let (Value::Text(part), Value::Text(whole)) = (&mut self, whole)
            && part.is_foreign()
            && let Some(is_less) = is_less_than_number(&part.text, &whole.text)
        {
            Rc::make_mut(part).cut = if is_less { Some(CUT_NUMBER) } else { whole.cut };
            return (self, true);
        }
        (self, false)
    }

    /// As JSON, and where it is a list or an object, that it is one.
    pub(in crate::page) fn written(&self) -> Value {
        let text = self.to_json();
        match self {
            Value::Text(_) if self.is_foreign() => self.derived(text),
            Value::List(_) | Value::Object(_) => {
                let mut written = Value::answer(text);
                if let Value::Text(written) = &mut written {
                    Rc::make_mut(written).is_of_several = true;
                }
                written
            }
            _ => Value::answer(text),
        }
    }

    /// A part that was cut out of this text.
    fn cut(&self, part: String) -> Value {
        let is_less = self.as_text().is_some_and(|whole| part.len() < whole.len());
        let mut cut = self.derived(part);
        if let (Value::Text(from), Value::Text(cut)) = (self, &mut cut)
            && !matches!(from.origin, Origin::Page)
        {
            let root = from.root.clone().unwrap_or_else(|| Rc::clone(from));
            let cut = Rc::make_mut(cut);
            cut.root = Some(root);
            let known = Part { is_cut: from.head.is_cut || is_less, ..from.head }.of_length(&cut.text);
            (cut.head, cut.tail) = (known, known);
        }
        cut
    }

    /// A text that was put together from the codes of its characters.
    pub(in crate::page) fn of_characters(text: String) -> Value {
        let has_digits = text.contains(char::is_numeric);
        let mut value = Value::answer(text);
        if let (Value::Text(text), true) = (&mut value, has_digits) {
            Rc::make_mut(text).cut = Some(OF_CHARACTERS);
        }
        value
    }

    /// What a text means that was a code, such as base64. A piece of the code is a piece of it.
    pub(in crate::page) fn decoded(&self, text: String) -> Value {
        let mut value = self.derived(text);
        if let (Value::Text(from), Value::Text(decoded)) = (self, &mut value) {
            let decoded = Rc::make_mut(decoded);
            decoded.cut = decoded.cut.or(from.cuts_code.then_some(CUT_NUMBER));
            (decoded.root, decoded.is_joined) = (None, false);
        }
        value
    }

    pub(in crate::page) fn list(items: Vec<Value>, place: Option<Rc<ValuePath>>) -> Value {
        let depth = checked(items.iter().map(Value::depth).max().unwrap_or(0) + 1);
        let held = Held::of(LIST + items.capacity() * ITEM);
        Value::List(Rc::new(List { items, depth, place, is_unordered: false, held }))
    }

    /// A list whose order says nothing.
    pub(in crate::page) fn unordered(self) -> Value {
        match self {
            Value::List(list) => Value::List(Rc::new(List { is_unordered: true, ..List::clone(&list) })),
            other => other,
        }
    }

    pub(in crate::page) fn object(fields: Fields, place: Option<Rc<ValuePath>>) -> Value {
        let depth = checked(fields.values().map(Value::depth).max().unwrap_or(0) + 1);
        let held = Held::of(OBJECT + bytes_of(&fields));
        Value::Object(Rc::new(Object { fields, depth, place, is_changed: false, has_foreign_keys: false, held }))
    }

    /// An object that an expression has made of one of the answer, at its place if that is known.
    pub(in crate::page) fn changed(
        fields: impl IntoIterator<Item = (Rc<str>, Value)>,
        place: Option<Rc<ValuePath>>,
    ) -> Value {
        let mut value = Value::object(fields.into_iter().collect(), place);
        if let Value::Object(object) = &mut value {
            Rc::make_mut(object).is_changed = true;
        }
        value
    }

    /// An object that the expression made, and whether it took some of its keys from the answer.
    pub(super) fn made(fields: Fields, has_foreign_keys: bool) -> Value {
        let mut value = Value::object(fields, None);
        if let Value::Object(object) = &mut value {
            Rc::make_mut(object).has_foreign_keys = has_foreign_keys;
        }
        value
    }
}

/// Whether a piece begins or ends in the midst of what may be a code.
fn cuts_code(whole: &str, range: &Range<usize>) -> bool {
    let is_of_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=' | '%');
    let piece = &whole[range.clone()];
    (whole[..range.start].ends_with(is_of_code) && piece.starts_with(is_of_code))
        || (whole[range.end..].starts_with(is_of_code) && piece.ends_with(is_of_code))
}

/// The depth, if a value may have it. The answer's own is bounded when it is read.
pub(super) fn checked(depth: u32) -> u32 {
    if depth > meter::DEEPEST_VALUE {
        stop(Stop::Depth);
    }
    depth
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<isize> for Value {
    fn from(value: isize) -> Self {
        Value::Number(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value::Number(isize::try_from(value).unwrap_or(isize::MAX).into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Number(Number::Float(value))
    }
}

impl From<String> for Value {
    /// What the interpreter makes of a literal, or of an error of its own.
    fn from(text: String) -> Self {
        Value::own(text)
    }
}

impl From<Bounds<Value>> for Value {
    fn from(range: Bounds<Value>) -> Self {
        let bounds = [("start", range.start), ("end", range.end)].into_iter();
        Value::object(bounds.filter_map(|(name, value)| Some((name.into(), value?))).collect(), None)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<T: IntoIterator<Item = Value>>(items: T) -> Self {
        // While the list grows, its capacity (doubling) is charged; afterwards its real size.
        let mut growing = Held::default();
        let each = |_: &Value| {
            meter::spend(1);
            growing.grow(2 * ITEM);
        };
        let items = items.into_iter().inspect(each).collect();
        drop(growing);
        Value::list(items, None)
    }
}
