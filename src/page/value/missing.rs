//! Nulls that stand for something unknown, and what is said of them.

use std::rc::Rc;

use super::sizes::MISSING;
use super::{Missing, Object, Step, Value, ValuePath};
use crate::model::text;
use crate::page::memory::Held;
use crate::page::names::is_field;

/// Most keys that a message names.
const MOST_KEYS: usize = 8;

impl Missing {
    /// Whether the null is the expression's own and not the answer's: it cannot be added to a number, but may be compared with one.
    /// An object that the expression made of keys of its own says by such a null that it holds nothing yet.
    pub(super) fn is_own(&self) -> bool {
        match self {
            Missing::Entry { inside: Value::Object(object), .. } => !object.is_of_answer() && !object.has_foreign_keys,
            Missing::Entry { .. } | Missing::Empty(..) => false,
            Missing::Nothing(_) => true,
        }
    }

    /// This, if the null is the answer's and not the expression's own.
    pub(in crate::page) fn of_answer(&self) -> Option<&Missing> {
        Some(self).filter(|missing| !missing.is_own())
    }

    /// `.data.quotaa` is null; `.data` has `id`, `quota`, `username`.
    pub(crate) fn tell(&self) -> String {
        let (inside, step, is_null) = match self {
            Missing::Entry { inside, step, is_null, .. } => (inside, step, *is_null),
            Missing::Nothing(why) => return why.to_string(),
            Missing::Empty(place, what) => return format!("`{place}` {what}"),
        };
        let place = inside.place().map(Rc::clone).unwrap_or_else(ValuePath::root);
        let path = ValuePath { inside: Some(place), step: Some(step.clone()) }.to_string();
        if is_null {
            return format!("`{path}` is null");
        }
        let name = match (inside.place(), inside) {
            (Some(place), _) if place.step.is_some() => format!("`{place}`"),
            (Some(_), _) => "the answer".to_owned(),
            (None, Value::List(_)) => "the list that the expression made".to_owned(),
            (None, _) => "the object that the expression made".to_owned(),
        };
        let is_changed = matches!(inside, Value::Object(object) if object.is_changed && object.place.is_some());
        let name = if is_changed { format!("{name}, as the expression changed it,") } else { name };
        let has = match inside {
            Value::List(list) if list.items.is_empty() => "is an empty list".to_owned(),
            Value::List(list) => format!("has {} entries", list.items.len()),
            Value::Object(object) if object.fields.is_empty() => "is an empty object".to_owned(),
            Value::Object(object) => format!("has {}", object.names()),
            _ => "has none".to_owned(),
        };
        format!("`{path}` is null; {name} {has}")
    }
}

impl Object {
    /// The keys that are names of fields, a bounded number of them.
    fn names(&self) -> String {
        let all = self.fields.keys().filter(|key| is_field(key));
        let shown: Vec<&str> = all.take(MOST_KEYS).map(|key| &**key).collect();
        let more = self.fields.len() - shown.len();
        match (shown.is_empty(), more) {
            (true, more) => text::plural(more, "other key"),
            (false, 0) => text::list(shown),
            (false, more) => format!("{} and {more} more", text::list(shown)),
        }
    }
}

impl Value {
    /// The sum of no values, which were looked for in this one.
    pub(in crate::page) fn no_sum(&self) -> Value {
        let is_empty = match self {
            Value::List(list) => list.items.is_empty(),
            Value::Object(object) => object.fields.is_empty(),
            _ => false,
        };
        match self.place().filter(|place| is_empty && place.step.is_some()) {
            Some(place) => Value::Null(Some(Rc::new(Missing::Empty(Rc::clone(place), "is empty, so it has no sum")))),
            None => Value::nothing("there is nothing that could be added"),
        }
    }

    /// What is missing where a list has no item that could be chosen.
    pub(in crate::page) fn nothing_in(self) -> Value {
        match self {
            Value::List(list) => match &list.place {
                Some(place) => Value::Null(Some(Rc::new(Missing::Empty(
                    Rc::clone(place),
                    "is an empty list, which has no least or largest item",
                )))),
                None => Value::item_asked(&list, None, 0),
            },
            _ => Value::NULL,
        }
    }

    /// A null of a filter that found nothing, and why.
    pub(in crate::page) fn nothing(why: &str) -> Value {
        Value::Null(Some(Rc::new(Missing::Nothing(why.into()))))
    }

    /// A null of the answer that stands in no list or object.
    pub(in crate::page) fn null_of_answer(why: &'static str) -> Value {
        Value::Null(Some(Rc::new(Missing::Empty(ValuePath::root(), why))))
    }

    /// What stands for a header that came several times with different values.
    pub(in crate::page) fn header_twice(name: &str) -> Value {
        let place = ValuePath::named("$headers").key(name);
        Value::Null(Some(Rc::new(Missing::Empty(place, "came twice, with different values"))))
    }

    pub(super) fn missing(inside: Value, step: Step, is_null: bool) -> Value {
        Value::Null(Some(Rc::new(Missing::Entry { inside, step, is_null, _held: Held::of(MISSING) })))
    }
}
