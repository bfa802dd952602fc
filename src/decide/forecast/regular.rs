//! Whether the past says enough of the future for a date.

use super::series::{DAY, HOUR, Interval, Series, median};

/// A burst is a fall that is larger than what is usual in its time by this share of a usual day.
const BURST_OF_DAY: f64 = 0.5;
/// Bursts matter if they are this share of what was consumed.
const SHARE: f64 = 0.1;
/// The place of the usual day among all days, from the least: two quiet days of seven are a weekend.
const USUAL: f64 = 0.4;
/// Fewer bursts of one size may be chance.
const FEWEST: usize = 3;
/// An interval that is longer than this, and longer than the usual one by this factor, may hold several bursts.
const LONG_HOURS: f64 = 13.0;
const LONG: f64 = 1.5;
/// Tolerance in days when a gap is compared with the fast rate: a daily booking may fall on both ends of the gap.
const BOTH_ENDS: f64 = 1.0;
/// How far readings may lie from the full hour at which a job runs.
const SLACK: i64 = HOUR;

/// Whether bursts that follow no rule make up a good part of the consumption. Bursts of about the same size at the same
/// time of day are a rule: a job at night, or a bill that is booked once a day. `fast` is the fast rate per day.
pub(super) fn is_irregular(series: &Series, window: i64, fast: f64) -> bool {
    let intervals = series.within(window);
    let total: f64 = intervals.iter().map(|interval| interval.fall).sum();
    let Some(usual) = usual_day(series, window).filter(|_| total > 0.0) else { return false };
    let excess = |interval: &Interval| interval.fall - usual / 24.0 * interval.hours();
    let is_above = |interval: &Interval| excess(interval) > BURST_OF_DAY * usual;
    // Of a gap nobody knows how much of its fall came at once, if the fast rate explains it.
    let longest = LONG_HOURS.max(LONG * median(intervals.iter().map(Interval::hours)).unwrap_or_default());
    let is_gap = |interval: &Interval| {
        interval.hours() > longest && interval.fall <= fast * (interval.hours() / 24.0 + BOTH_ENDS)
    };
    let is_burst = |interval: &&Interval| is_above(interval) && !is_gap(interval);
    // A run of them that has not ended yet is a new pace.
    let trailing = intervals.iter().rev().take_while(|interval| is_above(interval)).count();
    if !intervals[..intervals.len() - trailing].iter().any(|interval| is_burst(&interval)) {
        return false;
    }
    let bursts: Vec<&Interval> = intervals.iter().filter(is_burst).collect();
    let above: f64 = bursts.iter().map(|interval| excess(interval)).sum();
    above > SHARE * total && !follow_a_rule(&bursts)
}

/// What a day usually consumes; if that is nothing, what one with any consumption does.
fn usual_day(series: &Series, window: i64) -> Option<f64> {
    let days: Vec<f64> = series.days((window / DAY) as usize).into_iter().flatten().collect();
    let place = |mut days: Vec<f64>| {
        days.sort_by(f64::total_cmp);
        days.get((days.len() as f64 * USUAL) as usize).copied()
    };
    let usual = place(days.clone()).filter(|usual| *usual > 0.0);
    usual.or_else(|| place(days.into_iter().filter(|day| *day > 0.0).collect()))
}

fn follow_a_rule(bursts: &[&Interval]) -> bool {
    let sizes = || bursts.iter().map(|interval| interval.fall);
    let (least, most) = (sizes().fold(f64::INFINITY, f64::min), sizes().fold(0.0, f64::max));
    // The more there are, the more they may differ without being chance.
    let ratio = match bursts.len() {
        ..FEWEST => return false,
        FEWEST => 1.5,
        4 | 5 => 1.6,
        _ => 2.0,
    };
    most <= ratio * least && share_a_time_of_day(bursts)
}

/// Whether there is a time of day that lies in all of the intervals.
fn share_a_time_of_day(bursts: &[&Interval]) -> bool {
    let holds = |interval: &Interval, time: i64| {
        let from = interval.from - SLACK;
        (time - from).rem_euclid(DAY) <= interval.to - from
    };
    bursts.iter().any(|one| bursts.iter().all(|other| holds(other, one.to)))
}
