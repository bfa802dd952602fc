//! What an expression knows beside the body that it looks at.

use std::collections::BTreeMap;

use super::number::Number;
use super::value::{Value, ValuePath};

/// What variables are called in an expression, in the order of [`Variables::values`].
pub(super) const NAMES: [&str; 6] = ["$currency", "$options", "$bind", "$headers", "$status", "$now"];

/// A value of an earlier answer that is kept for later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A text.
    Text(String),
    /// A number, as it is written in JSON.
    Number(String),
    /// A flag.
    Flag(bool),
}

impl Bound {
    /// The value as it stands in a request.
    pub fn as_str(&self) -> &str {
        match self {
            Bound::Text(text) | Bound::Number(text) => text,
            Bound::Flag(true) => "true",
            Bound::Flag(false) => "false",
        }
    }

    fn value(&self) -> Value {
        match self {
            // It came from an answer, so no failure may show it.
            Bound::Text(text) => Value::answer(text.clone()),
            Bound::Number(number) => Value::Number(Number::from_json(number)),
            Bound::Flag(flag) => Value::Bool(*flag),
        }
    }
}

/// The variables of an expression.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    currency: Option<String>,
    options: BTreeMap<String, String>,
    bound: BTreeMap<String, Bound>,
    headers: BTreeMap<String, String>,
    status: Option<u16>,
    now: Option<i64>,
}

impl Variables {
    /// The variables for one account.
    pub fn new(currency: Option<&str>, options: &BTreeMap<String, String>) -> Variables {
        Variables { currency: currency.map(str::to_owned), options: options.clone(), ..Variables::default() }
    }

    /// The same at a time, in seconds since 1970.
    #[must_use]
    pub fn at(self, now: i64) -> Variables {
        Variables { now: Some(now), ..self }
    }

    /// The same for an answer with this status and these headers, whose names are in small letters. One that came with several
    /// values has line breaks between them, and cannot be read.
    #[must_use]
    pub fn answered(&self, status: u16, headers: &BTreeMap<String, String>) -> Variables {
        Variables { status: Some(status), headers: headers.clone(), ..self.clone() }
    }

    /// The same with what steps have bound.
    #[must_use]
    pub fn binding(&self, bound: &BTreeMap<String, Bound>) -> Variables {
        Variables { bound: bound.clone(), ..self.clone() }
    }

    /// The currency the project asks for.
    pub fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    /// What the options of the project are set to.
    pub fn options(&self) -> impl Iterator<Item = &str> {
        self.options.values().map(String::as_str)
    }

    /// The texts that steps have bound.
    pub(crate) fn bound_texts(&self) -> impl Iterator<Item = &str> {
        self.bound.values().filter_map(|bound| match bound {
            Bound::Text(text) => Some(text.as_str()),
            Bound::Number(_) | Bound::Flag(_) => None,
        })
    }

    pub(super) fn values(&self) -> [Value; NAMES.len()] {
        let unset = || Value::nothing("`$currency` is null; the project has no `currency`");
        let currency = self.currency.clone().map_or_else(unset, Value::from);
        let options = self.options.iter().map(|(name, value)| (name.as_str().into(), Value::option(value.clone())));
        let bound = self.bound.iter().map(|(name, value)| (name.as_str().into(), value.value()));
        let header = |(name, value): (&String, &String)| {
            // Nobody knows which of several values is meant.
            let value = if value.contains('\n') { Value::header_twice(name) } else { Value::answer(value.clone()) };
            (name.as_str().into(), value)
        };
        let headers = self.headers.iter().map(header);
        let number = |number: Option<i64>| match number {
            Some(number) => Value::Number(Number::from_json(&number.to_string())),
            None => Value::nothing("it is not known here"),
        };
        [
            currency,
            Value::object(options.collect(), Some(ValuePath::named("$options"))),
            Value::object(bound.collect(), Some(ValuePath::named("$bind"))),
            Value::object(headers.collect(), Some(ValuePath::named("$headers"))),
            number(self.status.map(i64::from)),
            number(self.now),
        ]
    }
}
