//! Falls that happened once: a credit that lapsed, a purchase, a refund to the customer. They say nothing about the pace.

use jiff::Timestamp;

use super::point::Movement;
use super::series::{DAY, Series, median};

/// Weeks that are looked through.
const WEEKS: i64 = 4;
/// A single fall is larger than this many times what the rest of its week consumed.
const TIMES_REST: f64 = 2.0;
/// It is at least this many times the median of the other falls,
const TIMES_MEDIAN: f64 = 20.0;
/// or this many times the largest of them, which is all that daily samples can show.
const TIMES_LARGEST: f64 = 8.0;
/// It is at least this factor larger than the next one.
const APART: f64 = 4.0;
/// Fewer other falls do not tell what is usual.
const FEWEST_OTHERS: usize = 5;

/// Takes the single falls out of the series and returns them, oldest first. The time that they took goes with them. The
/// newest interval always stays, because it may be the beginning of a faster pace.
pub(super) fn take(series: &mut Series, week: i64) -> Vec<Movement> {
    let single: Vec<usize> = (0..WEEKS).filter_map(|weeks| single(series, weeks * week, week)).collect();
    let mut events = Vec::new();
    for index in single {
        let interval = series.intervals.remove(index);
        let at = Timestamp::from_millisecond(interval.to);
        events.extend(at.ok().map(|at| Movement { at, amount: interval.amount }));
    }
    events.reverse();
    events
}

/// The position of the single fall of the week that ended so long ago.
fn single(series: &Series, ago: i64, week: i64) -> Option<usize> {
    let end = series.as_of - ago;
    let is_of_week = |to: i64| to > end - week.max(DAY) && to <= end;
    let last = series.intervals.len().checked_sub(1)?;
    let of_week = || series.intervals.iter().enumerate().filter(|(_, interval)| is_of_week(interval.to));
    let (index, largest) = of_week().max_by(|(_, one), (_, other)| one.fall.total_cmp(&other.fall))?;
    let total: f64 = of_week().map(|(_, interval)| interval.fall).sum();
    if index == last || largest.fall <= TIMES_REST * (total - largest.fall) {
        return None;
    }
    let others = || {
        let all = series.intervals.iter().enumerate();
        all.filter(move |(other, interval)| *other != index && interval.fall > 0.0).map(|(_, interval)| interval.fall)
    };
    let nearest = others().fold(0.0, f64::max);
    let is_far = largest.fall > TIMES_LARGEST * nearest
        || median(others()).is_some_and(|median| largest.fall > TIMES_MEDIAN * median);
    let is_single = is_far && largest.fall > APART * nearest && others().count() >= FEWEST_OTHERS;
    is_single.then_some(index)
}
