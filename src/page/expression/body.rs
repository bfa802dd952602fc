//! What is asked of an answer as a whole: what it says of itself, and the same answer with other numbers.

use std::collections::BTreeMap;

use super::{Json, parse_json};
use crate::page::changed::{self, Which};
use crate::page::{Value, denial, service_message};

impl Json {
    /// The words in which services usually say what is wrong.
    pub fn error_message(&self) -> Option<String> {
        service_message::said(&self.0)
    }

    /// The same, if the answer is clearly a refusal.
    pub fn refusal(&self) -> Option<String> {
        service_message::refusal(&self.0)
    }

    /// Whether it says that something is wrong, in fields that mean this in any answer. Of those that `is_judged` knows by their
    /// name the page says what they mean.
    pub(crate) fn is_denied(&self, is_judged: &dyn Fn(&str) -> bool) -> bool {
        denial::is_denied(&self.0, is_judged)
    }

    /// Whether the service says that there is nothing left, so that a zero is right whatever else it says.
    pub(crate) fn says_that_nothing_is_left(&self) -> bool {
        self.error_message().is_some_and(|words| denial::is_of_nothing_left(&words))
    }

    /// Whether it has a zero or a -1, which services fill in where they know no number.
    pub(crate) fn may_be_filled_in(&self) -> bool {
        self.values().any(changed::is_filled_in)
    }

    /// The same with another number for each of these.
    pub(crate) fn with_others_for_filled_in(&self) -> Option<Json> {
        parse_json(changed::json(&self.0, &Which::FilledIn)?.as_bytes()).ok()
    }

    /// Whether it is a list or an object in which no value stands under a name of these, whatever it is, but for other objects.
    pub(crate) fn is_without(&self, is_named: &dyn Fn(&str) -> bool) -> bool {
        let mut fields = self.values().filter_map(Value::fields).flatten();
        self.0.as_text().is_none() && !fields.any(|(name, field)| field.fields().is_none() && is_named(name))
    }

    /// The same with other numbers wherever it says that they are in another currency than this one, in fields that no expression
    /// of the page names; none if it says so nowhere.
    pub(crate) fn with_other_currencies(&self, known: &str, is_judged: &dyn Fn(&str) -> bool) -> Option<Json> {
        parse_json(changed::json(&self.0, &Which::NotIn(known, is_judged))?.as_bytes()).ok()
    }

    /// The same with other numbers wherever it says that they are debts: `{"Amount": "5.00", "CreditDebitIndicator": "Debit"}`.
    pub(crate) fn with_other_debts(&self, is_judged: &dyn Fn(&str) -> bool) -> Option<Json> {
        parse_json(changed::json(&self.0, &Which::Debts(is_judged))?.as_bytes()).ok()
    }

    /// Whether it says that there is more on another page, at the top or one level below.
    pub(crate) fn has_more(&self, is_judged: &dyn Fn(&str) -> bool) -> bool {
        let says = |(key, field): (&str, &Value)| {
            let is_name = ["hasmore", "hasmorepages", "hasnext", "hasnextpage"].contains(&denial::plain(key).as_str());
            is_name && matches!(field, Value::Bool(true)) && !is_judged(key)
        };
        let fields = || self.0.fields().into_iter().flatten();
        fields().any(says) || fields().filter_map(|(_, field)| field.fields()).flatten().any(says)
    }

    /// The same with other numbers everywhere.
    pub(crate) fn with_other_numbers(&self) -> Option<Json> {
        parse_json(changed::json(&self.0, &Which::All)?.as_bytes()).ok()
    }

    /// Whether nothing that could be counted stands under a name of these: nothing at all, null, an object without fields, or a
    /// single value that is no flag and no word. An empty list says that there is nothing.
    pub(crate) fn has_nothing_to_count(&self, is_named: &dyn Fn(&str) -> bool) -> bool {
        let says = |field: &Value| match field {
            Value::List(_) | Value::Bool(_) => true,
            Value::Object(_) => field.fields().is_some_and(|mut fields| fields.next().is_some()),
            Value::Text(_) => field.as_text().is_some_and(|text| text.contains(char::is_alphabetic)),
            Value::Null(_) | Value::Number(_) => false,
        };
        let mut fields = self.values().filter_map(Value::fields).flatten();
        !matches!(self.0, Value::List(_) | Value::Text(_)) && !fields.any(|(name, field)| is_named(name) && says(field))
    }

    /// Whether a text in it is one of these words in other letters, capitals or small, and none is the word itself.
    pub(crate) fn spells_otherwise(&self, words: &[&str]) -> bool {
        words.iter().any(|word| {
            let texts = || self.values().filter_map(Value::as_text);
            !texts().any(|text| text == *word) && texts().any(|text| text.trim().eq_ignore_ascii_case(word))
        })
    }

    /// Whether it is an object that holds nothing, or nothing but words for people and codes, in fields that are not of these.
    pub(crate) fn is_only_message(&self, is_named: &dyn Fn(&str) -> bool) -> bool {
        denial::is_only_message(&self.0, is_named)
    }

    /// All values in it, itself included.
    fn values(&self) -> impl Iterator<Item = &Value> {
        let mut open = vec![&self.0];
        std::iter::from_fn(move || {
            let value = open.pop()?;
            open.extend(value.fields().into_iter().flatten().map(|(_, field)| field));
            open.extend(value.items().into_iter().flatten());
            Some(value)
        })
    }

    /// Whether the headers of an answer say so.
    pub(crate) fn are_headers_denied(headers: &BTreeMap<String, String>, is_judged: &dyn Fn(&str) -> bool) -> bool {
        denial::is_denied_by_headers(headers, is_judged)
    }
}
