//! Where a list or object stands in the answer, as jq would write it.

use std::fmt;
use std::rc::Rc;

use super::{Origin, Step, Text, ValuePath};
use crate::model::text;
use crate::page::names::is_field;

impl ValuePath {
    /// The answer itself.
    pub(in crate::page) fn root() -> Rc<ValuePath> {
        Rc::new(ValuePath { inside: None, step: None })
    }

    /// What an expression knows by a name, such as `$options`.
    pub(in crate::page) fn named(name: &'static str) -> Rc<ValuePath> {
        Rc::new(ValuePath { inside: Some(ValuePath::root()), step: Some(Step::Named(name)) })
    }

    /// What stands in it under a key.
    pub(in crate::page) fn key(self: &Rc<ValuePath>, key: &str) -> Rc<ValuePath> {
        Rc::new(ValuePath { inside: Some(Rc::clone(self)), step: Some(Step::of_answer(key)) })
    }

    /// What stands in it at an index.
    pub(in crate::page) fn index(self: &Rc<ValuePath>, index: usize) -> Rc<ValuePath> {
        let step = Step::Index(isize::try_from(index).unwrap_or(isize::MAX));
        Rc::new(ValuePath { inside: Some(Rc::clone(self)), step: Some(step) })
    }
}

impl fmt::Display for ValuePath {
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

impl Step {
    /// A key of an expression. What was a value of the answer is not shown as a key either.
    pub(super) fn of_key(key: &Text) -> Step {
        Step::Key(match key.origin {
            Origin::Page => text::one_line(&key.text, 40),
            _ => "…".to_owned(),
        })
    }

    /// A key of the answer. One that is no name of a field (an id, an address, a date) is not shown.
    pub(super) fn of_answer(key: &str) -> Step {
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
