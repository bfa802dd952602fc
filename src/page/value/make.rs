//! How values are made, which counts against the budget of the evaluation.

use std::ops::Range;
use std::rc::Rc;

use jaq_core::val::Range as Bounds;

use super::made::{Made, Name};
use super::sizes::{ITEM, LIST, OBJECT, bytes_of};
use super::text::{OF_CHARACTERS, OF_CODE, OF_PIECE, ONE_OF_SEVERAL};
use super::{Fields, List, Object, Origin, Text, Value, ValuePath};
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

    /// A text made from another one, by the same author. What is written in another way is no number any more, except in
    /// capitals or small letters.
    pub(in crate::page) fn derived(&self, text: String) -> Value {
        let Value::Text(from) = self else { return Value::answer(text) };
        if *from.text == text {
            return self.clone();
        }
        meter::spend_text(text.len());
        let origin = from.origin_of_piece();
        if !from.is_foreign() {
            return Value::own(text);
        }
        Value::Text(Rc::new(if from.text.eq_ignore_ascii_case(&text) {
            Text::made(text, origin, from.refusal, Made::whole(from))
        } else {
            let code = if from.made.is_none() { OF_CODE } else { OF_PIECE };
            Text { refusal: from.refusal.or(Some(code)), ..Text::new(text, origin) }
        }))
    }

    /// A piece of this text, beside which the page's author has named something.
    pub(in crate::page) fn found(&self, range: Range<usize>, names: &[Name]) -> Value {
        let Value::Text(whole) = self else { return self.clone() };
        let text = whole.text[range.clone()].to_owned();
        if !whole.is_foreign() {
            return Value::own(text);
        }
        if text.len() == whole.text.len() {
            return self.clone();
        }
        meter::spend_text(text.len());
        let made = Made::cut(whole, &range, names);
        Value::Text(Rc::new(Text::made(text, whole.origin_of_piece(), whole.refusal, made)))
    }

    /// As JSON, and where it is a list or an object, that it is one.
    pub(in crate::page) fn written(&self) -> Value {
        let text = self.to_json();
        let refused = |text, why| Value::Text(Rc::new(Text { refusal: Some(why), ..Text::new(text, Origin::Answer) }));
        match self {
            Value::Text(from) if self.is_foreign() && text.len() == from.text.len() + 2 => {
                let quote = || Rc::new(Text::new("\"".to_owned(), Origin::Page));
                let mut written = Text::joined(Text::joined(quote(), from), &quote());
                Rc::make_mut(&mut written).origin = Origin::Answer;
                Value::Text(written)
            }
            Value::Text(_) if self.is_foreign() => self.derived(text),
            Value::List(_) | Value::Object(_) => refused(text, ONE_OF_SEVERAL),
            Value::Number(number) if number.is_of_text() => refused(text, OF_CHARACTERS),
            _ => Value::answer(text),
        }
    }

    /// A text that was put together from the codes of its characters.
    pub(in crate::page) fn of_characters(text: String) -> Value {
        let refusal = text.contains(char::is_numeric).then_some(OF_CHARACTERS);
        Value::Text(Rc::new(Text { refusal, ..Text::new(text, Origin::Answer) }))
    }

    /// What a text means that was a code, such as base64. A piece of the code is a piece of it.
    pub(in crate::page) fn decoded(&self, text: String, ends: &str) -> Value {
        let Value::Text(from) = self else { return Value::answer(text) };
        if *from.text == text {
            return self.clone();
        }
        meter::spend_text(text.len());
        // What the expression has written in a code as a whole it may read again.
        let refusal = from.refusal.filter(|why| from.made.is_some() || *why != OF_CODE);
        let refusal = refusal.or((!from.is_whole_code(ends)).then_some(OF_PIECE));
        Value::Text(Rc::new(Text { refusal, ..Text::new(text, from.origin_of_piece()) }))
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

impl Text {
    /// Who wrote what is made of this text.
    fn origin_of_piece(&self) -> Origin {
        match self.origin {
            Origin::Page => Origin::Page,
            Origin::Option => Origin::Option,
            Origin::Answer | Origin::Both(_) => Origin::Answer,
        }
    }

    /// Whether it is a whole code, such as a part of a token: all of a text of the answer or what stands there between `ends`, with no
    /// more left out than signs that may be left out.
    fn is_whole_code(&self, ends: &str) -> bool {
        let Some(made) = &self.made else { return true };
        let parts: Vec<(&Rc<Text>, usize, usize)> = made
            .spans
            .iter()
            .filter_map(|span| Some((&span.root.as_ref()?.0, span.root.as_ref()?.1, span.length)))
            .collect();
        let (Some((root, start, _)), Some((_, last, length))) = (parts.first(), parts.last()) else { return true };
        let is_end = |c: char| c.is_whitespace() || ends.contains(c);
        let is_lost = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '=');
        let has_all = |two: &[(&Rc<Text>, usize, usize)]| {
            let gap = root.text.get(two[0].1 + two[0].2..two[1].1);
            Rc::ptr_eq(two[1].0, root) && gap.is_some_and(|gap| gap.chars().all(is_lost))
        };
        parts.windows(2).all(has_all)
            && root.text[..*start].chars().next_back().is_none_or(is_end)
            && root.text[last + length..].chars().next().is_none_or(|c| is_end(c) || (c == '=' && !ends.contains('&')))
    }
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

impl Value {
    /// A number that says something of the characters of a text.
    pub(in crate::page) fn of_text(value: usize) -> Value {
        Value::Number(Number::OfText(value.into()))
    }

    /// Whether it is such a number, or an object with one.
    pub(in crate::page) fn is_of_text(&self) -> bool {
        match self {
            Value::Number(number) => number.is_of_text(),
            Value::Object(object) => {
                object.fields.values().any(|value| matches!(value, Value::Number(number) if number.is_of_text()))
            }
            _ => false,
        }
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
