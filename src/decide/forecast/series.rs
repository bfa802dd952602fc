//! Readings in the order of time, as intervals in which the consumption is known.

use std::cmp::Reverse;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::point::{Movement, Point};

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// The time between two readings in which nothing was topped up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// Milliseconds since 1970.
    pub(super) from: i64,
    pub(super) to: i64,
    /// What was consumed in it; zero or more.
    pub(super) amount: Decimal,
    /// The same for calculations whose result is a ratio.
    pub(super) fall: f64,
}

/// What was consumed in a span of time, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    pub(super) consumed: f64,
    /// The time in which consumption could be seen.
    pub(super) hours: f64,
}

/// The intervals of an account up to its newest reading.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// When the newest reading was made, in milliseconds since 1970.
    pub(super) as_of: i64,
    /// What was left then.
    pub(super) balance: Decimal,
    /// Between the two newest readings.
    pub(super) newest_hours: Option<f64>,
    /// Oldest first.
    pub(super) intervals: Vec<Interval>,
    /// Oldest first.
    pub(super) top_ups: Vec<Movement>,
}

impl Flow {
    pub(super) fn per_day(self) -> Option<f64> {
        (self.hours > 0.0).then(|| self.consumed / self.hours * 24.0)
    }
}

impl Interval {
    pub(super) fn hours(&self) -> f64 {
        hours(self.to - self.from)
    }
}

impl Series {
    /// The points may come in any order. Those that are later than `now` were written by a clock that went ahead, and are
    /// left out. Of several points at one time the one with the lowest balance counts.
    pub(super) fn of(points: &[Point], now: Timestamp) -> Option<Series> {
        let mut points: Vec<Point> = points.iter().filter(|point| point.at <= now).copied().collect();
        points.sort_by_key(|point| (point.at.as_millisecond(), point.balance, Reverse(point.usage)));
        points.dedup_by_key(|point| point.at.as_millisecond());
        let newest = *points.last()?;
        let with_usage = points.iter().filter(|point| point.usage.is_some()).count();
        let before = points.len().checked_sub(2).map(|at| points[at].at.as_millisecond());
        let by_usage = newest.usage.is_some() && with_usage > 1;
        let mut series = Series {
            as_of: newest.at.as_millisecond(),
            balance: newest.balance,
            newest_hours: before.map(|before| hours(newest.at.as_millisecond() - before)),
            intervals: Vec::new(),
            top_ups: top_ups(&points),
        };
        if by_usage {
            points.retain(|point| point.usage.is_some());
        }
        for pair in points.windows(2) {
            let amount = match (pair[0].usage, pair[1].usage) {
                (Some(before), Some(after)) if by_usage => after.checked_sub(before),
                _ => pair[0].balance.checked_sub(pair[1].balance),
            };
            // Where a balance rose, or a counter began anew, nobody knows what was consumed meanwhile.
            let Some(amount) = amount.filter(|amount| !amount.is_sign_negative() || amount.is_zero()) else { continue };
            let (from, to) = (pair[0].at.as_millisecond(), pair[1].at.as_millisecond());
            series.intervals.push(Interval { from, to, amount, fall: amount.to_f64().unwrap_or_default() });
        }
        Some(series)
    }

    /// What was consumed from so many milliseconds before the newest reading until so many before it. An interval that lies
    /// across a boundary counts with its part.
    pub(super) fn flow(&self, ago: i64, until: i64) -> Flow {
        let (from, to) = (self.as_of - ago, self.as_of - until);
        let mut flow = Flow::default();
        for interval in self.intervals.iter().rev().skip_while(|interval| interval.from >= to) {
            if interval.to <= from {
                break;
            }
            let part = interval.to.min(to) - interval.from.max(from);
            flow.consumed += interval.fall * part as f64 / (interval.to - interval.from) as f64;
            flow.hours += hours(part);
        }
        flow
    }

    /// The rates of the last days, newest first: `days()[0]` is that of the last 24 hours. None where less than six hours of a
    /// day are known.
    pub(super) fn days(&self, count: usize) -> Vec<Option<f64>> {
        let day = |n: usize| self.flow((n as i64 + 1) * DAY, n as i64 * DAY);
        (0..count).map(day).map(|flow| flow.per_day().filter(|_| flow.hours >= 6.0)).collect()
    }

    /// The intervals that end less than so many milliseconds before the newest reading.
    pub(super) fn within(&self, ago: i64) -> &[Interval] {
        let first = self.intervals.partition_point(|interval| interval.to <= self.as_of - ago);
        &self.intervals[first..]
    }
}

/// Where the balance rose. With a counter of usage beside it the whole amount is known, else only by how much it rose.
fn top_ups(points: &[Point]) -> Vec<Movement> {
    let rises = points.windows(2).filter_map(|pair| {
        let rise = pair[1].balance.checked_sub(pair[0].balance).filter(|rise| *rise > Decimal::ZERO)?;
        let used = pair[0].usage.zip(pair[1].usage).and_then(|(before, after)| after.checked_sub(before));
        let used = used.filter(|used| !used.is_sign_negative()).unwrap_or_default();
        Some(Movement { at: pair[1].at, amount: rise.checked_add(used)? })
    });
    rises.collect()
}

fn hours(milliseconds: i64) -> f64 {
    milliseconds as f64 / HOUR as f64
}

/// The middle value; the mean of both where there are two. None of none.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}
