//! Values that are checked beyond their type: ranges, variables that stand for keys, and names that must differ.

use std::time::Duration;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::field::{Field, Number};
use super::path::{Part, Step, under};
use super::reader::ConfigReader;
use super::scalar::{Lenient, Scalar};
use crate::process::quote_input;

impl ConfigReader<'_> {
    /// A whole number in the range of its row, else its default.
    pub(crate) fn whole(&mut self, entry: &[Step], field: &Field, value: Option<Lenient<i128>>) -> u32 {
        let value = self.overlaid(entry, field, value);
        self.whole_of(entry, field, value)
    }

    /// As [`Self::whole`], for a number that is already parsed.
    pub(crate) fn whole_of(&mut self, entry: &[Step], field: &Field, value: Option<i128>) -> u32 {
        let range = Field::range(field);
        // What is no decimal is out of every range.
        let decimal = value.map(|value| Decimal::try_from_i128_with_scale(value, 0).unwrap_or(Decimal::MAX));
        let value = self.ranged(entry, field, range, decimal, value.map(quote_input::but_is));
        value.and_then(|value| value.to_u32()).unwrap_or(range.default())
    }

    /// A number in the range of its row, else its default.
    pub(crate) fn decimal(&mut self, entry: &[Step], field: &Field, value: Option<Lenient<Decimal>>) -> Decimal {
        let range = Field::range(field);
        let value = self.overlaid(entry, field, value);
        self.ranged(entry, field, range, value, value.map(quote_input::but_is))
            .unwrap_or(Decimal::from(range.default()))
    }

    /// A time in the range of its row, if there is one.
    pub(crate) fn time(&mut self, entry: &[Step], field: &Field, value: Option<Lenient<Decimal>>) -> Option<Duration> {
        let value = self.overlaid(entry, field, value);
        let seconds = self.ranged(entry, field, Field::range(field), value, value.map(quote_input::but_is))?;
        Duration::try_from_secs_f64(seconds.to_f64()?).ok()
    }

    /// A time in the range of its row, else its default.
    pub(crate) fn seconds(&mut self, entry: &[Step], field: &Field, value: Option<Lenient<Decimal>>) -> Duration {
        self.time(entry, field, value).unwrap_or(Field::range(field).default_seconds())
    }

    /// A number that must not be negative.
    pub(crate) fn not_negative(
        &mut self,
        entry: &[Step],
        field: &Field,
        value: Option<Lenient<Decimal>>,
    ) -> Option<Decimal> {
        let value = value?.0;
        if value < Decimal::ZERO {
            let message = format!("`{}` must not be negative{}", field.name, quote_input::but_is(value));
            self.problem(&under(entry, field.name), Part::Value, message, None);
            return None;
        }
        Some(value)
    }

    /// A value that lies in its range, or a problem that says what the range is.
    fn ranged(
        &mut self,
        entry: &[Step],
        field: &Field,
        range: Number,
        value: Option<Decimal>,
        shown: Option<String>,
    ) -> Option<Decimal> {
        let value = value?;
        if range.has(value) {
            return Some(value);
        }
        let message = format!("`{}` must be {range}{}", field.name, shown.unwrap_or_default());
        self.problem(&under(entry, field.name), Part::Value, message, None);
        None
    }

    /// The value of the variable of a row over that of the config. What stands in an entry comes from outside then.
    pub(crate) fn overlaid<T: Scalar>(
        &mut self,
        entry: &[Step],
        field: &Field,
        value: Option<Lenient<T>>,
    ) -> Option<T> {
        let value = value.map(|value| value.0);
        let variable = field.variable.map(|variable| variable.name);
        let Some((variable, text)) = variable.and_then(|name| Some((name, self.environment.overlay(name)?))) else {
            return value;
        };
        let path = under(entry, field.name);
        let at = if self.is_in_entry(&path) { path } else { Vec::new() };
        self.outside.insert(at.clone());
        let parsed = T::read(text.trim());
        if parsed.is_none() {
            self.problem(&at, Part::Value, format!("the variable `{variable}` does not hold a number"), None);
        }
        parsed.or(value)
    }
}

impl Field {
    /// The range of a row for a number. A row without one allows any number that is not negative.
    fn range(&self) -> Number {
        self.number.unwrap_or(Number::within(0, u32::MAX))
    }
}
