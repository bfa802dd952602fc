//! Whether an account consumes far more than on other days.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::point::Point;
use super::series::{DAY, Series, median};

/// When a day is told to be odd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpikeRule {
    /// How many times the middle of the other days; above 1.
    pub ratio: f64,
    /// What a day consumes at least before it is odd, in the account's unit; above zero.
    pub at_least: Decimal,
    /// How many days are compared.
    pub days: u32,
}

/// A day that is odd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// The newest reading; the day is the 24 hours before it.
    pub at: Timestamp,
    /// What these 24 hours consumed, scaled to a full day where a part of them is not known.
    pub per_day: f64,
    /// The middle of the other days with any consumption; none if the account was idle.
    pub usual_per_day: Option<f64>,
}

/// The spike of the last 24 hours, if there is one. At least half of these must be known, and a day before them: an account
/// that is new has nothing to be compared with.
#[must_use]
pub fn spike(points: &[Point], rule: &SpikeRule, now: Timestamp) -> Option<Spike> {
    let series = Series::of(points, now)?;
    let last = series.flow(DAY, 0);
    let per_day = last.per_day().filter(|_| last.hours >= 12.0)?;
    let days = series.days(rule.days as usize + 1);
    let before: Vec<f64> = days.into_iter().skip(1).flatten().collect();
    let usual = median(before.iter().copied().filter(|day| *day > 0.0));
    let is_much = usual.is_none_or(|usual| per_day >= rule.ratio * usual);
    let is_spike = !before.is_empty() && is_much && per_day > 0.0 && per_day >= rule.at_least.to_f64()?;
    let at = Timestamp::from_millisecond(series.as_of).ok()?;
    is_spike.then_some(Spike { at, per_day, usual_per_day: usual })
}
