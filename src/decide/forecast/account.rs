//! The forecast of one account, out of what runs have read of it.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::spike::{SpikeRule, Today, today};
use super::watch::{HOLDS_HOURS, SLACK_HOURS};
use super::{Confidence, Forecast, Point, days_read, forecast};
use crate::model::amount;
use crate::model::forecasting::Forecasting;

/// The clocks of two machines may differ by so much.
const APART: SignedDuration = SignedDuration::from_mins(5);

/// Whether a run has read something at a time that is still to come. Either the clock of that run was ahead, or the one of this
/// machine is behind; then what is read now would stand among older readings, and the falls beside it never happened.
pub(crate) fn is_behind(readings: &[Reading], now: Timestamp) -> bool {
    readings.iter().any(|reading| reading.at.duration_since(now) > APART)
}

/// One balance that a run has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The start of its run.
    pub at: Timestamp,
    /// What was left.
    pub balance: Decimal,
    /// What it is counted in; none where the reading does not say it, and an empty text where there is nothing to say.
    pub currency: Option<String>,
}

/// What is said of the days to come, and what it is counted in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Foresight {
    pub(crate) forecast: Forecast,
    pub(crate) currency: Option<String>,
    /// What the days say beside the limit of an alert.
    pub(crate) standing: Standing,
    /// How the last 24 hours stand beside other days.
    pub(crate) today: Today,
    /// What the newest reading has more than the one before it; none if it has not more.
    pub(crate) top_up: Option<TopUp>,
}

/// A rise of the balance between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopUp {
    /// The reading before it.
    pub(crate) since: Timestamp,
    /// The reading that has more.
    pub(crate) at: Timestamp,
    /// By how much the balance rose; what was consumed meanwhile is not known.
    pub(crate) amount: Decimal,
}

/// The days that must be known before one is odd: the first days of an account are like no others.
const KNOWN_DAYS: usize = 3;

/// How an account stands beside the days below which somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no limit, or no date that could be trusted.
    Unknown,
    /// It lasts longer, whichever end of the range is true.
    Lasts,
    /// It lasts longer at the usual rate, or only one reading says that it does not.
    Between,
    /// It does not last so long at the fast rate, and did not when it was read before.
    Short,
}

/// Whether two balances can be subtracted from each other. A sign such as `¥` stands for several currencies, so it is the same
/// only as itself.
pub(crate) fn is_counted_alike(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => amount::is_certainly_same(one, other),
        (one, other) => one == other,
    }
}

/// The newest readings that have one currency, and that currency; the newest stands first. `of_check` is the currency of readings that
/// do not say their own. None of no readings.
pub(super) fn alike(readings: &[Reading], of_check: Option<&str>) -> Option<(Option<String>, Vec<Point>)> {
    let counted = |reading: &Reading| {
        reading.currency.clone().or(of_check.map(str::to_owned)).filter(|currency| !currency.is_empty())
    };
    let currency = counted(readings.last()?);
    let alike =
        readings.iter().rev().take_while(|reading| is_counted_alike(counted(reading).as_deref(), currency.as_deref()));
    let points = alike.map(|reading| Point { at: reading.at, balance: reading.balance, usage: None }).collect();
    Some((currency, points))
}

/// The forecast out of the newest readings that have one currency. `of_check` is the currency of readings that do not say
/// their own. The readings are in the order of time. There is none where the clock stands before one of them.
pub(crate) fn foresee(
    readings: &[Reading],
    of_check: Option<&str>,
    settings: Forecasting,
    now: Timestamp,
) -> Option<Foresight> {
    if is_behind(readings, now) {
        return None;
    }
    let (currency, points) = alike(readings, of_check)?;
    let newest = forecast(&points, settings.window_days, now)?;
    // Without the newest reading: what a run said before.
    let before = || forecast(points.get(1..)?, settings.window_days, now);
    let standing = standing(&newest, before, f64::from(settings.alert_days));
    let today = beside_other_days(&points, settings, now);
    Some(Foresight { forecast: newest, currency, standing, today, top_up: top_up(&points) })
}

/// The rise of the newest reading. The points stand newest first.
fn top_up(points: &[Point]) -> Option<TopUp> {
    let (newest, before) = (points.first()?, points.get(1)?);
    let amount = newest.balance.checked_sub(before.balance).filter(|amount| *amount > Decimal::ZERO)?;
    Some(TopUp { since: before.at, at: newest.at, amount })
}

/// How the last 24 hours stand beside other days.
fn beside_other_days(points: &[Point], settings: Forecasting, now: Timestamp) -> Today {
    let Some(ratio) = settings.spike_ratio.to_f64().filter(|ratio| *ratio > 1.0) else { return Today::Unknown };
    let (days, days_back) = (settings.window_days, days_read(settings.window_days));
    let rule = SpikeRule { ratio, at_least: settings.spike_minimum, days, days_back, known_days: KNOWN_DAYS };
    today(points, &rule, now)
}

/// An alert goes by the fast rate once that has held for two readings or six hours: if the two newest readings are so far apart, the
/// pace between them has held that long.
fn standing(newest: &Forecast, before: impl FnOnce() -> Option<Forecast>, limit: f64) -> Standing {
    if limit <= 0.0 || newest.confidence < Confidence::Medium {
        return Standing::Unknown;
    }
    let Some(lasts) = newest.lasts() else { return Standing::Unknown };
    let has_held = newest.newest_hours.is_some_and(|hours| hours >= HOLDS_HOURS - SLACK_HOURS)
        && lasts.fast + HOLDS_HOURS / 24.0 < limit;
    let was_short = || before().is_some_and(|before| before.lasts().is_some_and(|lasts| lasts.fast < limit));
    match () {
        () if lasts.fast < limit && (has_held || was_short()) => Standing::Short,
        () if lasts.least > limit => Standing::Lasts,
        () => Standing::Between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::forecasting::USUAL;

    fn readings(step: i64, balances: &[i64]) -> (Vec<Reading>, Timestamp) {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let count = balances.len() as i64;
        let reading = |(number, balance): (usize, &i64)| Reading {
            at: now - SignedDuration::from_mins(step * (count - 1 - number as i64)),
            balance: (*balance).into(),
            currency: Some("USD".to_owned()),
        };
        (balances.iter().enumerate().map(reading).collect(), now)
    }

    #[test]
    fn a_clock_that_stands_before_a_reading_gives_no_days() {
        let (readings, now) = readings(60, &steady(200, 400));
        let settings = USUAL;
        let at = |minutes: i64| foresee(&readings, None, settings, now + SignedDuration::from_mins(minutes));
        for (minutes, want) in [(0, true), (60, true), (-5, true), (-6, false), (-60, false), (-6_000, false)] {
            assert_eq!(at(minutes).is_some(), want, "{minutes}");
        }
    }

    /// 96 a day.
    fn steady(count: i64, last: i64) -> Vec<i64> {
        (0..count).rev().map(|ago| last + 4 * ago).collect()
    }

    #[test]
    fn an_account_is_short_once_two_readings_or_six_hours_say_so() {
        let jumps = |falls: &[i64]| {
            let mut balances: Vec<i64> = steady(7 * 24, 1_200 + falls.iter().sum::<i64>());
            for fall in falls {
                balances.push(balances.last().unwrap() - fall);
            }
            balances
        };
        for (name, step, balances, days, want) in [
            ("empty in four days", 60, steady(200, 400), 7, Standing::Short),
            ("nobody wants to be told", 60, steady(200, 400), 0, Standing::Unknown),
            ("empty in forty days", 60, steady(200, 4_000), 7, Standing::Lasts),
            ("too few readings", 60, steady(3, 400), 7, Standing::Unknown),
            ("one larger fall", 60, jumps(&[100]), 7, Standing::Between),
            ("two of them", 60, jumps(&[100, 100]), 7, Standing::Short),
            ("one reading after six hours", 360, steady(40, 20), 7, Standing::Short),
        ] {
            let (readings, now) = readings(step, &balances);
            let settings = Forecasting { alert_days: days, ..USUAL };
            let foresight = foresee(&readings, None, settings, now).unwrap();
            assert_eq!(foresight.standing, want, "{name}: {:?}", foresight.forecast);
        }
    }
}
