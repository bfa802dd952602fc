//! The values that expressions work on.
//!
//! They are like JSON's, with three things more. A list or object of the answer knows its place in it, so that a null
//! can say where it was missed. A text knows whether the page's author wrote it or the answer brought it, so that an
//! error can be told without a value of the answer. And making values counts against the evaluation's budget.

use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
use std::rc::Rc;
use std::{fmt, iter};

use indexmap::IndexMap;
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::ops::Math;
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValR, ValT, ValX};

use super::memory::Held;
use super::meter::{self, Order};
use super::names::is_field;
use super::number::Number;
use super::stop::{Stop, stop};
use crate::model::{amount, text};

/// Most keys that a message names.
const MOST_KEYS: usize = 8;
/// Digits of a date without signs between them; times have more.
const LENGTH_OF_DATES: usize = 8;
/// Characters of the page's own text that a message keeps.
const SHOWN: usize = 200;
/// Bytes of memory of one item of a list.
pub(super) const ITEM: usize = size_of::<Value>();
/// Bytes that the counters of a shared value take, and that the allocator adds to what it gives out.
const SHARED: usize = 32;
/// Bytes of a list beside its items.
const LIST: usize = size_of::<List>() + SHARED;
/// Bytes of a text beside its letters.
const TEXT: usize = size_of::<Text>() + SHARED;
/// Bytes of an object beside its fields.
const OBJECT: usize = size_of::<Object>() + SHARED;
/// Bytes of the smallest index of fields, with the entries that are kept free in it.
const INDEX: usize = 128;
/// Bytes of what a null knows.
const MISSING: usize = 128;
/// Bytes of a field beside the letters of its key: the entry, its place in the index, what is kept free, and the key itself.
const FIELD: usize = (size_of::<Rc<str>>() + ITEM + size_of::<usize>()) * 3 / 2 + SHARED;

/// What is said of numbers that `+` would join.
const JOINED: &str = "two numbers that are texts would be joined, not added; `tonumber` makes numbers of them";

pub(crate) type Error = jaq_core::Error<Value>;
type Fields = IndexMap<Rc<str>, Value>;

/// A value.
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
    /// What at its beginning, and what at its end, is one text of the answer.
    head: Part,
    tail: Part,
    held: Held,
}

/// The beginning or the end of a text, as far as it is one text of the answer.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// How long it is, in bytes.
    bytes: u32,
    /// The text of the answer that it comes from.
    source: u32,
    /// Whether it is less than all of that text.
    is_cut: bool,
}

impl Part {
    const NONE: Part = Part { bytes: 0, source: 0, is_cut: false };

    /// All of a new text of the answer.
    fn whole(text: &str) -> Part {
        thread_local! {
            static SOURCES: Cell<u32> = const { Cell::new(0) };
        }
        let source = SOURCES.get().wrapping_add(1);
        SOURCES.set(source);
        Part { source, ..Part::NONE }.of_length(text)
    }

    fn of_length(self, text: &str) -> Part {
        Part { bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), ..self }
    }

    /// Whether both were cut from the same text, of which they may be put together again.
    fn is_beside(&self, other: &Part) -> bool {
        self.is_cut && other.is_cut && self.source == other.source
    }
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

/// A list.
#[derive(Clone, Debug)]
pub(crate) struct List {
    items: Vec<Value>,
    depth: u32,
    place: Option<Rc<Place>>,
    /// Whether it stands in an order that says nothing, so that no item may be taken by its position.
    is_unordered: bool,
    held: Held,
}

/// An object, in the order of the answer.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    fields: Fields,
    depth: u32,
    place: Option<Rc<Place>>,
    /// Whether it was the answer's and the expression has changed it. What it lacks then is still missing, but a null in it
    /// may be the page's own.
    is_changed: bool,
    /// Whether the expression took some of its keys from the answer, so that its author cannot know which it has.
    has_foreign_keys: bool,
    held: Held,
}

/// Where a list or object stands in the answer: in what, and under what; neither for the answer itself.
#[derive(Debug)]
pub(crate) struct Place {
    inside: Option<Rc<Place>>,
    step: Option<Step>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A key, as far as it may be shown.
    Key(String),
    /// An index.
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
    Empty(Rc<Place>, &'static str),
}

impl Place {
    /// The answer itself.
    pub(super) fn root() -> Rc<Place> {
        Rc::new(Place { inside: None, step: None })
    }

    /// What an expression knows by a name, such as `$options`.
    pub(super) fn named(name: &'static str) -> Rc<Place> {
        Rc::new(Place { inside: Some(Place::root()), step: Some(Step::Named(name)) })
    }

    /// What stands in it under a key.
    pub(super) fn key(self: &Rc<Place>, key: &str) -> Rc<Place> {
        Rc::new(Place { inside: Some(Rc::clone(self)), step: Some(Step::of_answer(key)) })
    }

    /// What stands in it at an index.
    pub(super) fn index(self: &Rc<Place>, index: usize) -> Rc<Place> {
        let step = Step::Index(isize::try_from(index).unwrap_or(isize::MAX));
        Rc::new(Place { inside: Some(Rc::clone(self)), step: Some(step) })
    }
}

impl fmt::Display for Place {
    /// As jq would write it: `.data.wallets[0]`; `.` for the answer itself.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (&self.inside, &self.step) {
            (Some(inside), Some(step)) if inside.step.is_none() => match step {
                Step::Key(key) if is_plain(key) => step.fmt(f),
                Step::Named(name) => f.write_str(name),
                _ => write!(f, ".{step}"),
            },
            (Some(inside), Some(step)) => write!(f, "{inside}{step}"),
            _ => f.write_str("."),
        }
    }
}

/// Whether jq takes a key without quotes after a dot. Letters of other scripts need them.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl List {
    /// Ends the evaluation if an item is taken by its position where the order says nothing.
    fn refuse_unordered(&self) {
        if self.is_unordered {
            meter::refuse_order(|| Stop::Order);
        }
    }

    /// In which order the items are met one after the other. One that the expression made is what its author says; that of
    /// the answer says nothing.
    fn order(&self) -> Order {
        if self.place.is_some() || self.is_unordered { meter::order_of(self.items.len()) } else { Order::Given }
    }
}

impl Step {
    /// A key of an expression. What was a value of the answer is not shown as a key either.
    fn of_key(key: &Text) -> Step {
        Step::Key(match key.origin {
            Origin::Page => text::one_line(&key.text, 40),
            _ => "…".to_owned(),
        })
    }

    /// A key of the answer. One that is no name of a field (an id, an address, a date) is not shown.
    fn of_answer(key: &str) -> Step {
        Step::Key(if is_field(key) { key.to_owned() } else { "…".to_owned() })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Step::Key(key) if is_plain(key) => write!(f, ".{key}"),
            Step::Key(key) => write!(f, "[\"{key}\"]"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Named(name) => f.write_str(name),
        }
    }
}

impl Missing {
    /// Whether only a sum needs it. An object that the expression made of its own keys says by a null that there is nothing yet,
    /// which can be compared.
    fn is_own(&self) -> bool {
        match self {
            Missing::Entry { inside: Value::Object(object), .. } => !object.is_of_answer() && !object.has_foreign_keys,
            Missing::Entry { .. } | Missing::Empty(..) => false,
            Missing::Nothing(_) => true,
        }
    }

    /// The same, unless only a sum needs it.
    pub(super) fn of_answer(&self) -> Option<&Missing> {
        Some(self).filter(|missing| !missing.is_own())
    }

    /// `.data.quotaa` is null; `.data` has `id`, `quota`, `username`.
    pub(crate) fn tell(&self) -> String {
        let (inside, step, is_null) = match self {
            Missing::Entry { inside, step, is_null, .. } => (inside, step, *is_null),
            Missing::Nothing(why) => return why.to_string(),
            Missing::Empty(place, what) => return format!("`{place}` {what}"),
        };
        let place = inside.place().map(Rc::clone).unwrap_or_else(Place::root);
        let path = Place { inside: Some(place), step: Some(step.clone()) }.to_string();
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
    /// Whether it is the answer's, changed or not.
    fn is_of_answer(&self) -> bool {
        self.place.is_some() || self.is_changed
    }

    /// The indices of its fields, in the order in which they are met one after the other. That in which they stand says
    /// nothing in JSON.
    fn met(&self) -> impl Iterator<Item = usize> + use<> {
        let length = self.fields.len();
        let order = meter::order_of(length);
        (0..length).map(move |position| order.index(position, length))
    }

    /// Takes the fields of another one in, and that they are the answer's.
    fn take_in(&mut self, right: &Rc<Object>, value: impl Fn(Option<&Value>, Value) -> Value) {
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
    fn spend_keys(&self) {
        meter::spend_bytes(self.fields.keys().map(|key| key.len()).sum());
    }

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

/// Bytes of memory of a field.
pub(super) fn bytes_of_field(key: &str) -> usize {
    FIELD + key.len()
}

/// Bytes of memory of fields.
fn bytes_of(fields: &Fields) -> usize {
    let index = if fields.is_empty() { 0 } else { INDEX };
    fields.keys().map(|key| bytes_of_field(key)).sum::<usize>() + index
}

impl Text {
    fn shown(&self) -> &str {
        match &self.origin {
            Origin::Page => &self.text,
            // The code of a currency is no secret, and a page has to name those that there are.
            Origin::Answer | Origin::Option if is_currency(&self.text) => &self.text,
            Origin::Answer | Origin::Option => "…",
            Origin::Both(shown) => shown,
        }
    }

    /// Whether its author is not only the page's.
    pub(super) fn is_foreign(&self) -> bool {
        !matches!(self.origin, Origin::Page)
    }

    fn new(text: String, origin: Origin) -> Text {
        let part = if matches!(origin, Origin::Page) { Part::NONE } else { Part::whole(&text) };
        let held = Held::of(TEXT + text.capacity());
        Text { text, origin, head: part, tail: part, held }
    }

    /// Whether two numbers of the answer would become one if the other text was joined to this one, also where more stands
    /// before the one or behind the other.
    fn would_join(&self, other: &Text) -> bool {
        let is_amount = |part: &str| amount::read(part).is_ok();
        let (tail, head) = (self.tail.bytes as usize, other.head.bytes as usize);
        is_amount(&self.text[self.text.len() - tail..]) && is_amount(&other.text[..head])
    }

    /// Whether what would be joined was cut from one text, as `gsub(",";"")` cuts `1,234` and puts it together again.
    fn is_put_together(&self, other: &Text) -> bool {
        self.tail.is_beside(&other.head)
    }

    /// Whether it is a number, or the point of one.
    fn is_of_number(&self) -> bool {
        matches!(self.text.as_str(), "." | ",") || is_number(&self.text)
    }

    fn append(&mut self, other: &Text) {
        if self.text.is_empty() {
            self.head = other.head;
        }
        if !other.text.is_empty() {
            self.tail = other.tail;
        }
        self.origin = match (&self.origin, &other.origin) {
            (Origin::Page, Origin::Page) => Origin::Page,
            (Origin::Answer, Origin::Answer) if !is_currency(&self.text) && !is_currency(&other.text) => Origin::Answer,
            _ => {
                let mut shown = self.shown().to_owned();
                let known = if matches!(self.origin, Origin::Both(_)) { shown.len() } else { 0 };
                if shown.len() < SHOWN * 4 && !(shown.ends_with('…') && other.shown() == "…") {
                    shown.extend(other.shown().chars().take(SHOWN));
                }
                self.held.grow(shown.len() - known);
                Origin::Both(shown)
            }
        };
        // A text grows by doubling.
        self.held.grow(2 * other.text.len());
        self.text.push_str(&other.text);
    }
}

/// Whether a text is the code of a currency that people pay with.
fn is_currency(text: &str) -> bool {
    const CODES: &str = "AED ARS AUD BGN BRL BTC CAD CHF CLP CNY COP CZK DKK EGP ETH EUR GBP HKD HUF IDR ILS INR JPY KES \
                         KRW KZT MXN MYR NGN NOK NZD PEN PHP PKR PLN RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD USDC \
                         USDT VND ZAR";
    (3..=4).contains(&text.len()) && CODES.split_ascii_whitespace().any(|code| code == text)
}

impl Value {
    /// null of the page.
    pub(super) const NULL: Value = Value::Null(None);

    /// A text of the answer.
    pub(crate) fn answer(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Answer)))
    }

    /// A text of the page's author.
    pub(super) fn own(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Page)))
    }

    /// The text of an option.
    pub(super) fn option(text: String) -> Value {
        meter::spend_text(text.len());
        Value::Text(Rc::new(Text::new(text, Origin::Option)))
    }

    /// A text made from another one, by the same author.
    pub(super) fn derived(&self, text: String) -> Value {
        match self {
            Value::Text(from) if matches!(from.origin, Origin::Page) => Value::own(text),
            Value::Text(from) if matches!(from.origin, Origin::Option) => Value::option(text),
            _ => Value::answer(text),
        }
    }

    /// A part that was cut out of this text.
    pub(super) fn cut(&self, part: String) -> Value {
        let is_less = self.as_text().is_some_and(|whole| part.len() < whole.len());
        let mut cut = self.derived(part);
        if let (Value::Text(from), Value::Text(cut)) = (self, &mut cut)
            && !matches!(from.origin, Origin::Page)
        {
            let cut = Rc::make_mut(cut);
            let known = Part { is_cut: from.head.is_cut || is_less, ..from.head }.of_length(&cut.text);
            (cut.head, cut.tail) = (known, known);
        }
        cut
    }

    pub(super) fn list(items: Vec<Value>, place: Option<Rc<Place>>) -> Value {
        let depth = checked(items.iter().map(Value::depth).max().unwrap_or(0) + 1);
        let held = Held::of(LIST + items.capacity() * ITEM);
        Value::List(Rc::new(List { items, depth, place, is_unordered: false, held }))
    }

    /// A list whose order says nothing.
    pub(super) fn unordered(self) -> Value {
        match self {
            Value::List(list) => Value::List(Rc::new(List { is_unordered: true, ..List::clone(&list) })),
            other => other,
        }
    }

    pub(super) fn object(fields: Fields, place: Option<Rc<Place>>) -> Value {
        let depth = checked(fields.values().map(Value::depth).max().unwrap_or(0) + 1);
        let held = Held::of(OBJECT + bytes_of(&fields));
        Value::Object(Rc::new(Object { fields, depth, place, is_changed: false, has_foreign_keys: false, held }))
    }

    /// An object that an expression has made of one of the answer, at its place if that is known.
    pub(super) fn changed(fields: impl IntoIterator<Item = (Rc<str>, Value)>, place: Option<Rc<Place>>) -> Value {
        let mut value = Value::object(fields.into_iter().collect(), place);
        if let Value::Object(object) = &mut value {
            Rc::make_mut(object).is_changed = true;
        }
        value
    }

    /// An object that the expression made, and whether it took some of its keys from the answer.
    fn made(fields: Fields, has_foreign_keys: bool) -> Value {
        let mut value = Value::object(fields, None);
        if let Value::Object(object) = &mut value {
            Rc::make_mut(object).has_foreign_keys = has_foreign_keys;
        }
        value
    }

    fn depth(&self) -> u32 {
        match self {
            Value::List(list) => list.depth,
            Value::Object(object) => object.depth,
            _ => 0,
        }
    }

    /// Where in the answer it stands.
    fn place(&self) -> Option<&Rc<Place>> {
        match self {
            Value::List(list) => list.place.as_ref(),
            Value::Object(object) => object.place.as_ref(),
            _ => None,
        }
    }

    /// Its kind, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Value::Null(_) => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(&text.text),
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

    /// The fields, if it is an object.
    pub(crate) fn fields(&self) -> Option<impl Iterator<Item = (&str, &Value)>> {
        match self {
            Value::Object(object) => Some(object.fields.iter().map(|(key, value)| (&**key, value))),
            _ => None,
        }
    }

    /// Whether an expression that met the entries of an answer in another order gave the same. Of what is rounded the last
    /// digits may differ.
    pub(super) fn agrees(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Number(left), Value::Number(right)) => left.agrees(*right),
            (Value::Object(left), Value::Object(right)) => {
                left.fields.len() == right.fields.len()
                    && left.fields.iter().all(|(key, value)| right.fields.get(key).is_some_and(|new| value.agrees(new)))
            }
            _ => self == other,
        }
    }

    /// The list's items in the order in which they are met, and whether that says nothing.
    pub(super) fn met(&self) -> Option<Vec<Value>> {
        let Value::List(list) = self else { return None };
        meter::spend_copy(list.items.len());
        let (length, order) = (list.items.len(), list.order());
        Some((0..length).map(|position| Value::item(list, order.index(position, length))).collect())
    }

    /// Whether it is a text that not only the page's author wrote.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Value::Text(text) if text.is_foreign())
    }

    /// The sum of no values, which were looked for in this one.
    pub(super) fn no_sum(&self) -> Value {
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
    pub(super) fn nothing_in(self) -> Value {
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

    /// What an expression that raises this value as an error says, without a value of the answer.
    pub(crate) fn raised(&self) -> String {
        let said = match self {
            Value::Text(text) => Some(text.shown()),
            Value::Object(object) => match object.fields.get("message") {
                Some(Value::Text(text)) => Some(text.shown()),
                _ => None,
            },
            _ => None,
        };
        match said.map(|said| text::one_line(said, SHOWN)).filter(|said| !said.is_empty() && said != "…") {
            Some(said) => said,
            None => "the expression raises an error".to_owned(),
        }
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        meter::spend(1);
        if out.len() > meter::LONGEST_TEXT {
            meter::spend_text(out.len());
        }
        match self {
            Value::Null(_) => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Text(text) => write_text(&text.text, out),
            Value::List(list) => {
                out.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn type_error(self, wanted: &'static str) -> Error {
        Error::typ(self, wanted)
    }

    /// A null of a filter that found nothing, and why.
    pub(super) fn nothing(why: &str) -> Value {
        Value::Null(Some(Rc::new(Missing::Nothing(why.into()))))
    }

    /// A null of the answer that stands in no list or object.
    pub(super) fn null_of_answer(why: &'static str) -> Value {
        Value::Null(Some(Rc::new(Missing::Empty(Place::root(), why))))
    }

    fn missing(inside: Value, step: Step, is_null: bool) -> Value {
        Value::Null(Some(Rc::new(Missing::Entry { inside, step, is_null, _held: Held::of(MISSING) })))
    }

    /// What stands in a list at an index.
    fn item(list: &Rc<List>, index: usize) -> Value {
        Value::item_asked(list, Some(index), isize::try_from(index).unwrap_or(isize::MAX))
    }

    /// The same, for an index that may be outside of it and was asked for in another way, for example from the end.
    fn item_asked(list: &Rc<List>, index: Option<usize>, asked: isize) -> Value {
        match index.and_then(|index| list.items.get(index)) {
            Some(value) if list.place.is_none() || !matches!(value, Value::Null(None)) => value.clone(),
            found => Value::missing(Value::List(Rc::clone(list)), Step::Index(asked), found.is_some()),
        }
    }

    /// What stands in an object under a key; `step` is how it may be shown.
    fn field(object: &Rc<Object>, key: &str, step: impl FnOnce() -> Step) -> Value {
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
    fn entry(object: &Rc<Object>, key: &Text, is_update: bool) -> Value {
        let found = Value::field(object, &key.text, || Step::of_key(key));
        let is_of_answer = matches!(key.origin, Origin::Answer | Origin::Both(_));
        let may_begin = is_of_answer || (is_update && !object.has_foreign_keys);
        if may_begin || !matches!(found, Value::Null(None)) || object.fields.contains_key(key.text.as_str()) {
            return found;
        }
        Value::missing(Value::Object(Rc::clone(object)), Step::of_key(key), false)
    }

    /// The indices at which `other` stands in this.
    pub(super) fn indices(&self, other: &Value) -> ValR<Value> {
        let found: Vec<usize> = match (self, other) {
            (Value::Null(_), _) => return Ok(self.clone()),
            (Value::Text(text), Value::Text(part)) if part.text.is_empty() => {
                meter::spend_bytes(text.text.len());
                Vec::new()
            }
            (Value::Text(text), Value::Text(part)) => {
                meter::spend((text.text.len() + part.text.len()) / 16);
                occurrences(&text.text, &part.text)
            }
            (Value::List(list), Value::List(part)) if part.items.is_empty() => {
                meter::spend(list.items.len() / 64);
                Vec::new()
            }
            (Value::List(list), Value::List(part)) => {
                let windows = list.items.windows(part.items.len()).enumerate();
                windows.filter(|(_, window)| *window == &part.items[..]).map(|(index, _)| index).collect()
            }
            (Value::List(list), item) => {
                list.items.iter().enumerate().filter(|(_, each)| *each == item).map(|(index, _)| index).collect()
            }
            _ => return Err(Error::index(self.clone(), other.clone())),
        };
        Ok(found.into_iter().map(Value::from).collect())
    }

    /// Whether `other` is contained in this, as jq means it.
    pub(super) fn contains(&self, other: &Value) -> bool {
        meter::spend(1);
        match (self, other) {
            (Value::Text(text), Value::Text(part)) => {
                meter::spend_bytes(text.text.len() + part.text.len());
                text.text.contains(&part.text)
            }
            (Value::List(list), Value::List(parts)) => {
                parts.items.iter().all(|part| list.items.iter().any(|item| item.contains(part)))
            }
            (Value::Object(object), Value::Object(parts)) => {
                parts.fields.iter().all(|(key, part)| object.fields.get(key).is_some_and(|value| value.contains(part)))
            }
            _ => self == other,
        }
    }

    /// Whether there is an entry under a key or index.
    pub(super) fn has(&self, key: &Value) -> ValR<Value> {
        match (self, key) {
            (Value::Object(object), Value::Text(key)) => {
                meter::spend_bytes(key.text.len());
                Ok(object.fields.contains_key(&*key.text).into())
            }
            (Value::List(list), Value::Number(index)) => {
                Ok(index.as_isize().is_some_and(|index| index >= 0 && index.unsigned_abs() < list.items.len()).into())
            }
            _ => Err(Error::index(self.clone(), key.clone())),
        }
    }

    /// How long it is, as jq means it.
    pub(super) fn length(self) -> ValR<Value> {
        Ok(match &self {
            Value::Null(_) => Value::from(0_usize),
            Value::Bool(_) => return Err(self.type_error("something with a length")),
            Value::Number(number) if *number < Number::from(0) => Value::Number(-*number),
            Value::Number(_) => self,
            Value::Text(text) => {
                meter::spend_bytes(text.text.len());
                Value::from(text.text.chars().count())
            }
            Value::List(list) => Value::from(list.items.len()),
            Value::Object(object) => Value::from(object.fields.len()),
        })
    }
}

/// The characters of a text at which a part that is not empty begins, also where it overlaps itself. As Knuth, Morris and
/// Pratt do it, no byte is looked at again, however often the part repeats itself.
fn occurrences(text: &str, part: &str) -> Vec<usize> {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    if part.len() > text.len() {
        return Vec::new();
    }
    // How much of the part's beginning its first bytes end with again, for each number of them.
    let mut held = Held::of(4 * part.len());
    let mut repeats = vec![0_u32; part.len() + 1];
    let longer = |repeats: &[u32], mut fits: usize, byte: u8| {
        while fits > 0 && (fits == part.len() || part[fits] != byte) {
            fits = repeats[fits] as usize;
        }
        fits + usize::from(part[fits] == byte)
    };
    for end in 1..part.len() {
        let fits = longer(&repeats, repeats[end] as usize, part[end]);
        repeats[end + 1] = fits as u32;
    }
    let is_start = |byte: u8| byte & 0xC0 != 0x80;
    // The character at which what fits so far begins is the one that was counted so many bytes ago.
    let (mut found, mut fits, mut begins, mut character) = (Vec::new(), 0, 0, 0);
    for (at, byte) in text.iter().enumerate() {
        fits = longer(&repeats, fits, *byte);
        while begins < at + 1 - fits {
            character += usize::from(is_start(text[begins]));
            begins += 1;
        }
        if fits == part.len() {
            held.grow(16);
            found.push(character);
        }
    }
    found
}

/// The depth, if a value may have it. The answer's own is bounded when it is read.
fn checked(depth: u32) -> u32 {
    if depth > meter::DEEPEST_VALUE {
        stop(Stop::Depth);
    }
    depth
}

fn write_text(text: &str, out: &mut String) {
    meter::spend_bytes(text.len());
    // A text is always JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

impl fmt::Display for Value {
    /// For the interpreter's messages: the kind and the place, and only what the page's author wrote.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Null(Some(missing)) => write!(f, "null ({})", missing.tell()),
            Value::Text(text) if matches!(text.origin, Origin::Page) => {
                write!(f, "\"{}\"", text::one_line(&text.text, 40))
            }
            _ => match self.place() {
                Some(place) if place.step.is_some() => write!(f, "{} (`{place}`)", self.kind()),
                Some(_) => write!(f, "{} (the answer)", self.kind()),
                None => f.write_str(self.kind()),
            },
        }
    }
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

impl From<Range<Value>> for Value {
    fn from(range: Range<Value>) -> Self {
        let bounds = [("start", range.start), ("end", range.end)].into_iter();
        Value::object(bounds.filter_map(|(name, value)| Some((name.into(), value?))).collect(), None)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<T: IntoIterator<Item = Value>>(items: T) -> Self {
        // The list is counted as it grows, by doubling, and then as it is.
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

/// Whether a text is a number, whoever wrote it.
fn is_number(text: &str) -> bool {
    if text.len() > amount::LONGEST || !text.contains(|c: char| c.is_numeric()) {
        return false;
    }
    meter::spend(1 + text.len() / 16);
    amount::read(text).is_ok()
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
    left == right || are_aligned() || !is_number(left) || !is_number(right)
}

/// The list to be changed; it is copied if it is shared.
fn list_mut(list: &mut Rc<List>) -> &mut List {
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

fn object_mut(object: &mut Rc<Object>) -> &mut Object {
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
            (Value::Text(mut left), Value::Text(right)) => {
                if left.would_join(&right) && !left.is_put_together(&right) {
                    return Err(Error::str(JOINED));
                }
                meter::spend_text(left.text.len() + right.text.len());
                Rc::make_mut(&mut left).append(&right);
                Ok(Value::Text(left))
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
    pub(super) fn add_next(self, next: Value) -> ValR<Value> {
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
                    Ok(text.chars().map(|c| whole.cut(c.to_string())).collect())
                } else {
                    Ok(text.split(by.text.as_str()).map(|part| whole.cut(part.to_owned())).collect())
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

/// An index of a list, counted from its end if it is negative.
fn absolute(index: Number, length: usize) -> Option<usize> {
    match index.as_isize()? {
        index if index >= 0 => Some(index.unsigned_abs()),
        index => length.checked_sub(index.unsigned_abs()),
    }
}

/// A range of a list or text of so many items, cut to what there is.
fn bounds(range: Range<&Value>, length: usize) -> Result<(usize, usize), Error> {
    let bound = |value: Option<&Value>, default: usize| match value {
        None | Some(Value::Null(_)) => Ok(default),
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
                Ok(self.cut(text.text.chars().skip(start).take(end - start).collect()))
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
            other => Value::answer(other.to_json()),
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
        self.derived(String::from_utf8_lossy(part).into_owned())
    }

    fn from_utf8_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        Value::answer(String::from_utf8_lossy(bytes.as_ref()).into_owned())
    }
}
