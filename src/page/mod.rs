//! The language of pages: JSON bodies, jq expressions over them, and what an evaluation may cost.
//!
//! A page is written by a user and an answer by a stranger, so nothing here may end the process: depth and length are
//! bounded before anything recursive sees them, and an evaluation is stopped from within when it has cost too much.

mod budget;
mod changed;
mod cpu;
mod denial;
pub(crate) mod expression;
mod filters;
pub(crate) mod json;
mod memory;
mod meter;
mod names;
mod number;
pub(crate) mod service_message;
mod stop;
pub(crate) mod syntax;
pub(crate) mod traps;
mod value;
pub(crate) mod variables;
pub(crate) mod xml;

pub(crate) use budget::evaluate;
pub(crate) use cpu::begin_telling;
pub(crate) use filters::{definitions, filters};
pub(crate) use meter::{within, worked};
pub(crate) use names::is_field;
pub(crate) use number::Number;
pub(crate) use stop::Stop;
pub(crate) use value::Value;

use std::ops::Range;

use jaq_core::{DataT, Lut};

/// Whether the piece of a text that a pattern has found is only a part of the number that stands there. `matched` is all that the
/// pattern has found, and `others` are pieces that are taken out with it, such as a unit.
pub(crate) fn cuts_number(
    text: &str,
    range: Range<usize>,
    (pattern, matched): (&str, Range<usize>),
    others: &[Range<usize>],
) -> bool {
    value::cuts_number(text, range, (&value::literal(pattern), matched), others)
}

/// The currency that stands beside a piece of a text, as it is called there.
pub(crate) fn currency_beside(text: &str, range: Range<usize>) -> Option<&'static str> {
    value::currency_beside(text, range)
}

/// The kind of data that expressions work on, for the interpreter.
pub(crate) struct Jq;

/// What a running expression carries: the compiled terms. The interpreter looks one up at each step that it takes, which
/// is where the steps are counted.
#[derive(Clone)]
pub(crate) struct Terms<'a>(pub &'a Lut<Jq>);

impl DataT for Jq {
    type V<'a> = Value;
    type Data<'a> = Terms<'a>;
}

impl<'a> jaq_core::data::HasLut<'a, Jq> for Terms<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        meter::step();
        self.0
    }
}
