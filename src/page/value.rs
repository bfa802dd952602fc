//! The values that expressions work on.
//!
//! They are like JSON's, with three things more. A list or object of the answer knows its place in it, so that a null
//! can say where it was missed. A text knows whether the page's author wrote it or the answer brought it, so that an
//! error can be told without a value of the answer. And making values counts against the evaluation's budget.

mod arithmetic;
mod beside;
mod cut;
mod digits;
mod entries;
mod interpreter;
mod made;
mod make;
mod missing;
mod order;
mod plain;
mod search;
mod sizes;
mod standing;
mod surroundings;
mod text;
mod value_path;
mod write;

use std::rc::Rc;

use indexmap::IndexMap;

use self::made::Made;
use super::memory::Held;
use super::number::Number;

pub(super) use self::cut::{currency_beside, cuts_number};
pub(super) use self::made::{How, Name, literal};
pub(super) use self::sizes::{ITEM, bytes_of_field};
pub(super) use self::text::{OF_DATE, may_be_amount};

pub(crate) type Error = jaq_core::Error<Value>;
type Fields = IndexMap<Rc<str>, Value>;

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// null, and where it was found instead of something, if that was in the answer.
    Null(Option<Rc<Missing>>),
    Bool(bool),
    Number(Number),
    Text(Rc<Text>),
    List(Rc<List>),
    Object(Rc<Object>),
}

/// A text and who wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: String,
    origin: Origin,
    /// Why no number may come from it, if that is so: it is written in a code, or was made of characters.
    refusal: Option<&'static str>,
    /// What it was made of; none if it is a text of its own.
    made: Option<Box<Made>>,
    held: Held,
}

/// Who wrote a text.
#[derive(Clone, Debug)]
enum Origin {
    /// The page's author.
    Page,
    /// The service.
    Answer,
    /// Whoever filled in an option.
    Option,
    /// Both; this is the text with `…` for what the service wrote.
    Both(String),
}

#[derive(Clone, Debug)]
pub(crate) struct List {
    items: Vec<Value>,
    depth: u32,
    place: Option<Rc<ValuePath>>,
    /// Whether it stands in an order that says nothing, so that no item may be taken by its position.
    is_unordered: bool,
    held: Held,
}

/// An object, in the order of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    fields: Fields,
    depth: u32,
    place: Option<Rc<ValuePath>>,
    /// Whether it was the answer's and the expression has changed it. What it lacks then is still missing, but a null in it
    /// may be the page's own.
    is_changed: bool,
    /// Whether the expression took some of its keys from the answer, so that its author cannot know which it has.
    has_foreign_keys: bool,
    held: Held,
}

/// Where a list or object stands in the answer: in what, and under what; neither for the answer itself.
#[derive(Debug)]
pub(crate) struct ValuePath {
    inside: Option<Rc<ValuePath>>,
    step: Option<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A key, as far as it may be shown.
    Key(String),
    Index(isize),
    /// What is no part of the answer, under the name that an expression has for it.
    Named(&'static str),
}

/// A null that stands for something unknown.
#[derive(Debug)]
pub(crate) enum Missing {
    /// A null that was found in the answer, or an entry that is not there.
    Entry {
        /// The list or object in which it was looked for.
        inside: Value,
        step: Step,
        /// Whether a null stands there.
        is_null: bool,
        _held: Held,
    },
    /// What a filter gives where there is nothing: why.
    Nothing(Rc<str>),
    /// What holds nothing in the answer, and what is said of it.
    Empty(Rc<ValuePath>, &'static str),
}

impl Value {
    /// null of the page.
    pub(super) const NULL: Value = Value::Null(None);

    fn depth(&self) -> u32 {
        match self {
            Value::List(list) => list.depth,
            Value::Object(object) => object.depth,
            _ => 0,
        }
    }

    /// Where in the answer it stands.
    fn place(&self) -> Option<&Rc<ValuePath>> {
        match self {
            Value::List(list) => list.place.as_ref(),
            Value::Object(object) => object.place.as_ref(),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The text as it is read as an amount, if it is one: without the full stop of the sentence that it was cut out of.
    pub(super) fn as_amount(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text.without_stop()),
            _ => None,
        }
    }

    /// Why it is not the number that it looks like, if it is a text of that kind: it was cut out of a longer number, or it is put
    /// together from two values of the answer, such as units and nanos.
    pub(super) fn no_number(&self) -> Option<&'static str> {
        match self {
            Value::Text(text) => text.no_number(),
            _ => None,
        }
    }

    /// Why no JSON may be read from it, if it is a text in which a number is not as it stands in the answer.
    pub(super) fn no_json(&self) -> Option<&'static str> {
        match self {
            Value::Text(text) => text.no_json(),
            _ => None,
        }
    }

    /// The entry under a key, if it is an object that has one.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(object) => object.fields.get(key),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> Option<&[Value]> {
        match self {
            Value::List(list) => Some(&list.items),
            _ => None,
        }
    }

    /// Whether it is an object of the answer, or one of which the answer says some of the keys.
    pub(super) fn is_object_of_answer(&self) -> bool {
        matches!(self, Value::Object(object) if object.is_of_answer() || object.has_foreign_keys)
    }

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> Option<impl Iterator<Item = (&str, &Value)>> {
        match self {
            Value::Object(object) => Some(object.fields.iter().map(|(key, value)| (&**key, value))),
            _ => None,
        }
    }

    /// Whether it is a text that not only the page's author wrote.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Value::Text(text) if text.is_foreign())
    }
}
