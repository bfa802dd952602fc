//! Three rates, since no single one is right for an account that speeds up and for one that rests at weekends.

use super::series::{DAY, Flow, Series};
use super::weekdays::Shares;

/// A window counts as fast or slow if so many hours of it are known.
const FEWEST_HOURS: f64 = 12.0;
/// If the window holds less than this share of an even week's consumption, weekdays are not compared.
const TOO_QUIET: f64 = 0.25;
/// What is added to the fast rate where the days of the week are known: it is then no longer fast because a busy day was busy.
const BUSIER: f64 = 1.1;

/// What is consumed on a day, in the account's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// The greatest of the last 24 hours, the last 72 hours and the usual rate.
    pub(super) fast: f64,
    /// That of the window, seven days if nothing else is configured.
    pub(super) usual: f64,
    /// The lesser of the window and of twice the window.
    pub(super) slow: f64,
    /// That of the last 72 hours.
    pub(super) recent: Option<f64>,
}

/// None if no consumption could be seen.
pub(super) fn rates(series: &Series, window: i64, shares: &Shares) -> Option<Rates> {
    let known = |flow: Flow| flow.per_day().filter(|_| flow.hours >= FEWEST_HOURS);
    let usual = series.flow(window, 0).per_day()?;
    let recent = |days: i64| {
        let share = shares.mean_of_last(days as usize);
        known(series.flow(days * DAY, 0)).filter(|_| share >= TOO_QUIET).map(|rate| rate / share)
    };
    let (day, days) = (recent(1), recent(3));
    let fast = [day, days].into_iter().flatten().fold(usual, f64::max);
    let fast = if *shares == Shares::EVEN { fast } else { BUSIER * fast };
    let slow = known(series.flow(2 * window, 0)).map_or(usual, |rate| rate.min(usual));
    Some(Rates { fast, usual, slow, recent: days })
}
