//! Whether an account consumes far more than on other days.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::point::Point;
use super::series::{DAY, Series, median};

/// The hours of the last day that must be known.
const FEWEST_HOURS: f64 = 12.0;
/// Below this part of the limit a day is as usual again. Between the two nothing begins and nothing ends.
const OVER: f64 = 0.8;
/// A day that consumed at least this part of the last one was as large.
const AS_LARGE: f64 = 0.5;
/// What has happened so often before is a habit: a job that runs some nights of a week, or a bill that is booked each week.
const HABIT: usize = 2;

/// When a day is told to be odd.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpikeRule {
    /// How many times the middle of the other days; above 1.
    pub ratio: f64,
    /// What a day consumes at least before it is odd, in the account's unit.
    pub at_least: Decimal,
    /// How many days say what is usual.
    pub days: u32,
    /// How many days are searched for others that were as large.
    pub days_back: u32,
    /// How many of these must be known; at least 1, since an account that is new has nothing to be compared with.
    pub known_days: usize,
}

/// What the last 24 hours consumed beside other days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spike {
    /// The newest reading; the day is the 24 hours before it.
    pub at: Timestamp,
    /// What these 24 hours consumed, scaled to a full day where a part of them is not known.
    pub per_day: f64,
    /// The middle of the other days with any consumption; none if the account was idle.
    pub usual_per_day: Option<f64>,
}

/// How the last 24 hours stand beside other days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Today {
    /// Too little is known of them, or of the days before.
    Unknown,
    /// They are as usual.
    Usual(Spike),
    /// They consumed nearly as much as is odd, or as much as some days before them: nothing begins, and nothing ends.
    Between(Spike),
    /// They consumed far more than usual.
    Odd(Spike),
}

impl Today {
    /// The day itself, if it is known.
    #[must_use]
    pub fn day(self) -> Option<Spike> {
        match self {
            Today::Unknown => None,
            Today::Usual(day) | Today::Between(day) | Today::Odd(day) => Some(day),
        }
    }
}

/// How the last 24 hours stand beside other days. At least half of them must be known.
#[must_use]
pub fn today(points: &[Point], rule: &SpikeRule, now: Timestamp) -> Today {
    stand(points, rule, now).unwrap_or(Today::Unknown)
}

fn stand(points: &[Point], rule: &SpikeRule, now: Timestamp) -> Option<Today> {
    let series = Series::of(points, now)?;
    let last = series.flow(DAY, 0);
    let per_day = last.per_day().filter(|_| last.hours >= FEWEST_HOURS)?;
    let mut days = series.days(rule.days.max(rule.days_back) as usize + 1);
    days.remove(0);
    if days.iter().flatten().count() < rule.known_days.max(1) {
        return None;
    }
    let usual = median(days.iter().take(rule.days as usize).flatten().copied().filter(|day| *day > 0.0));
    let limit = usual.map_or(0.0, |usual| rule.ratio * usual).max(rule.at_least.to_f64()?);
    let at = Timestamp::from_millisecond(series.as_of).ok()?;
    let spike = Spike { at, per_day, usual_per_day: usual };
    Some(match () {
        () if per_day <= 0.0 || per_day < OVER * limit => Today::Usual(spike),
        () if per_day < limit || times_before(&days, AS_LARGE * per_day) >= HABIT => Today::Between(spike),
        () => Today::Odd(spike),
    })
}

/// How often days, the newest first, consumed so much. Days in a row count once, and those that lead up to the last 24 hours
/// do not count: they are its beginning.
fn times_before(days: &[Option<f64>], much: f64) -> usize {
    let mut times = 0;
    let mut was_large = true;
    for day in days.iter().flatten() {
        let is_large = *day >= much;
        times += usize::from(is_large && !was_large);
        was_large = is_large;
    }
    times
}
