//! What stands in lists and objects, in which order it is met, and how they are changed.

use std::rc::Rc;

use super::make::checked;
use super::sizes::{ITEM, LIST, OBJECT, bytes_of, bytes_of_field};
use super::{List, Object, Origin, Step, Text, Value};
use crate::page::memory::Held;
use crate::page::meter::{self, Order};
use crate::page::stop::Stop;

impl List {
    /// Ends the evaluation if an item is taken by its position where the order says nothing.
    pub(super) fn refuse_unordered(&self) {
        if self.is_unordered {
            meter::refuse_order(|| Stop::Order);
        }
    }

    /// In which order the items are met one after the other. One that the expression made is what its author says; that of
    /// the answer says nothing.
    pub(super) fn order(&self) -> Order {
        if self.place.is_some() || self.is_unordered { meter::order_of(self.items.len()) } else { Order::Given }
    }
}

impl Object {
    /// Whether it is the answer's, changed or not.
    pub(super) fn is_of_answer(&self) -> bool {
        self.place.is_some() || self.is_changed
    }

    /// The indices of its fields, in the order in which they are met one after the other. That in which they stand says
    /// nothing in JSON.
    pub(super) fn met(&self) -> impl Iterator<Item = usize> + use<> {
        let length = self.fields.len();
        let order = meter::order_of(length);
        (0..length).map(move |position| order.index(position, length))
    }

    /// Takes the fields of another one in, and that they are the answer's.
    pub(super) fn take_in(&mut self, right: &Rc<Object>, value: impl Fn(Option<&Value>, Value) -> Value) {
        for key in right.fields.keys() {
            let new = Value::field(right, key, || Step::of_answer(key));
            let new = value(self.fields.get(key), new);
            self.depth = self.depth.max(checked(new.depth() + 1));
            self.held.grow(bytes_of_field(key));
            self.fields.insert(Rc::clone(key), new);
        }
        self.has_foreign_keys |= right.has_foreign_keys;
        if !self.is_of_answer() && right.is_of_answer() {
            self.place = right.place.clone();
            self.is_changed = true;
        }
    }

    /// Counts the bytes of all keys, before they are compared.
    pub(super) fn spend_keys(&self) {
        meter::spend_bytes(self.fields.keys().map(|key| key.len()).sum());
    }
}

impl Value {
    /// The list's items in the order in which they are met.
    pub(in crate::page) fn met(&self) -> Option<Vec<Value>> {
        let Value::List(list) = self else { return None };
        meter::spend_copy(list.items.len());
        let (length, order) = (list.items.len(), list.order());
        Some((0..length).map(|position| Value::item(list, order.index(position, length))).collect())
    }

    /// What stands in a list at an index.
    pub(super) fn item(list: &Rc<List>, index: usize) -> Value {
        Value::item_asked(list, Some(index), isize::try_from(index).unwrap_or(isize::MAX))
    }

    /// The same, for an index that may be outside of it and was asked for in another way, for example from the end.
    pub(super) fn item_asked(list: &Rc<List>, index: Option<usize>, asked: isize) -> Value {
        match index.and_then(|index| list.items.get(index)) {
            Some(value) if list.place.is_none() || !matches!(value, Value::Null(None)) => value.clone(),
            found => Value::missing(Value::List(Rc::clone(list)), Step::Index(asked), found.is_some()),
        }
    }

    /// What stands in an object under a key; `step` is how it may be shown.
    pub(super) fn field(object: &Rc<Object>, key: &str, step: impl FnOnce() -> Step) -> Value {
        match object.fields.get(key) {
            Some(value) if !object.is_of_answer() || object.is_changed || !matches!(value, Value::Null(None)) => {
                value.clone()
            }
            None if !object.is_of_answer() => Value::NULL,
            found => Value::missing(Value::Object(Rc::clone(object)), step(), found.is_some()),
        }
    }

    /// The same, for a key of the expression. An object that the expression made may lack a key because a sum of its own is to
    /// begin there: one that is being updated, or a key that the answer says. Of another key that it lacks nothing is known.
    pub(super) fn entry(object: &Rc<Object>, key: &Text, is_update: bool) -> Value {
        let found = Value::field(object, &key.text, || Step::of_key(key));
        let is_of_answer = matches!(key.origin, Origin::Answer | Origin::Both(_));
        let may_begin = is_of_answer || (is_update && !object.has_foreign_keys);
        if may_begin || !matches!(found, Value::Null(None)) || object.fields.contains_key(key.text.as_str()) {
            return found;
        }
        Value::missing(Value::Object(Rc::clone(object)), Step::of_key(key), false)
    }
}

/// The list to be changed; it is copied if it is shared.
pub(super) fn list_mut(list: &mut Rc<List>) -> &mut List {
    if Rc::strong_count(list) > 1 {
        meter::spend_copy(list.items.len());
    }
    if list.place.is_some() {
        meter::spend_copy(list.items.len());
        let items = (0..list.items.len()).map(|index| Value::item(list, index)).collect();
        // What is changed is not the answer's any more, but a null in it is still what the answer does not hold.
        let held = Held::of(LIST + list.items.len() * ITEM);
        *list = Rc::new(List { items, depth: list.depth, place: None, is_unordered: list.is_unordered, held });
    }
    Rc::make_mut(list)
}

pub(super) fn object_mut(object: &mut Rc<Object>) -> &mut Object {
    if Rc::strong_count(object) > 1 {
        meter::spend_copy(object.fields.len() * 4);
    }
    if object.place.is_some() && !object.is_changed {
        meter::spend_copy(object.fields.len() * 4);
        let known = |(key, _): (&Rc<str>, _)| (Rc::clone(key), Value::field(object, key, || Step::of_answer(key)));
        let fields = object.fields.iter().map(known).collect();
        let held = Held::of(OBJECT + bytes_of(&fields));
        let place = object.place.clone();
        *object =
            Rc::new(Object { fields, depth: object.depth, place, is_changed: true, has_foreign_keys: false, held });
    }
    Rc::make_mut(object)
}
