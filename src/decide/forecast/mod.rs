//! How long a balance lasts, what is odd about it, and what lapses. Pure: readings in, a value out.
//!
//! The consumption is the sum of falls, and its time that of the intervals that did not rise: what was consumed while
//! somebody topped up is not known. Why the rules are as they are, and how often they are late, is measured by
//! `cargo bench --bench forecast` and stands in `docs/forecast.md`.

pub(crate) mod account;
pub mod credits;
mod events;
mod outlook;
mod point;
pub mod quota;
mod rates;
mod regular;
mod series;
pub mod spike;
pub(crate) mod statement;
#[cfg(test)]
mod tests;
pub mod watch;
mod weekdays;

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

pub use self::outlook::{Confidence, HORIZON_DAYS, Lasts, Outlook};
pub use self::point::{Movement, Point};

use self::series::{DAY, Series};
use self::weekdays::Shares;
use crate::model::amount;
use crate::process::clock;

/// The least days of readings that a forecast looks at.
const DAYS_READ: u32 = 28;

/// Days of readings that a forecast with so many days of the usual rate looks at; older ones change nothing. The slow rate is
/// that of twice as many days.
#[must_use]
pub fn days_read(window_days: u32) -> u32 {
    DAYS_READ.max(window_days.saturating_mul(2))
}

/// From when on the readings count for a forecast at that time.
pub(crate) fn reads_from(now: Timestamp, window_days: u32) -> Timestamp {
    clock::before(now, Duration::from_secs(u64::from(days_read(window_days)) * 86_400))
}

/// What can be said of the next days of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// When the newest reading was made. All days are counted from there.
    pub as_of: Timestamp,
    /// What was left then, in the account's unit.
    pub balance: Decimal,
    /// What is usually consumed on a day, in the account's unit; none where the confidence is.
    pub burn_per_day: Option<Decimal>,
    /// The falls in the window, without single ones; none if the sum is no decimal any more.
    pub consumed: Option<Decimal>,
    /// The hours of the window in which a fall could be seen.
    pub exposure_hours: f64,
    /// The hours between the two newest readings; none if there is only one.
    pub newest_hours: Option<f64>,
    /// How many falls that are not zero are in the window.
    pub falls: usize,
    /// How far this is to be trusted.
    pub confidence: Confidence,
    /// How long the balance lasts.
    pub outlook: Outlook,
    /// The rises of the balance in the window, oldest first.
    pub top_ups: Vec<Movement>,
    /// Falls of the last weeks that are no pace, such as a credit that lapsed; oldest first. Each is to be told once.
    pub single_falls: Vec<Movement>,
    /// Whether days of the week are told apart.
    pub knows_weekdays: bool,
}

impl Forecast {
    /// How long it lasts, if there is a date.
    #[must_use]
    pub fn lasts(&self) -> Option<&Lasts> {
        match &self.outlook {
            Outlook::Lasts(lasts) => Some(lasts),
            _ => None,
        }
    }

    /// What is usually consumed on a day, also of an account that hardly consumes anything, which has no date; none if too little
    /// of it is known.
    #[must_use]
    pub fn usual_per_day(&self) -> Option<Decimal> {
        if self.confidence >= Confidence::Medium {
            return self.burn_per_day;
        }
        // A day in which nothing or little was consumed says that, though there are no falls that could be counted.
        let days = amount::from_float(self.exposure_hours / 24.0).ok().filter(|days| *days >= Decimal::ONE)?;
        let rate = self.consumed.filter(|_| self.confidence == Confidence::None)?.checked_div(days)?;
        Some(rate.round_sf(10).unwrap_or(rate).normalize())
    }

    /// The sum of the top-ups in the window; none if it is no decimal any more.
    #[must_use]
    pub fn topped_up(&self) -> Option<Decimal> {
        self.top_ups.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.amount))
    }
}

/// Where a balance rose in all the time that the readings tell of, oldest first.
pub(crate) fn top_ups(points: &[Point], now: Timestamp) -> Vec<Movement> {
    Series::of(points, now).map(|series| series.top_ups).unwrap_or_default()
}

/// The forecast of an account with money in it, out of readings in any order; none without a reading that is not later than
/// `now`. `window_days` are the days of the usual rate, 7 for most accounts.
///
/// It is not for quotas, which end at their reset: those have [`quota::pace`].
#[must_use]
pub fn forecast(points: &[Point], window_days: u32, now: Timestamp) -> Option<Forecast> {
    let window = i64::from(window_days.max(1)) * DAY;
    let mut series = Series::of(points, now)?;
    let as_of = Timestamp::from_millisecond(series.as_of).ok()?;
    series.intervals.retain(|interval| interval.to > series.as_of - i64::from(days_read(window_days.max(1))) * DAY);
    let single_falls = events::take(&mut series, window);
    let of_window = series.within(window);
    let falls = of_window.iter().filter(|interval| interval.fall > 0.0).count();
    let consumed = of_window.iter().try_fold(Decimal::ZERO, |sum, interval| sum.checked_add(interval.amount));
    let exposure_hours = series.flow(window, 0).hours;
    let confidence = Confidence::of(falls, exposure_hours);
    let shares = Shares::of(&series);
    let rates = rates::rates(&series, window, &shares).filter(|_| confidence > Confidence::None);
    let outlook = match (rates, series.balance.to_f64()) {
        (Some(rates), Some(balance)) => outlook::outlook(&series, balance, window, rates, &shares),
        _ => Outlook::Unknown,
    };
    let burn = rates.and_then(|rates| amount::from_float(rates.usual).ok());
    series.top_ups.retain(|top_up| top_up.at.as_millisecond() > series.as_of - window);
    Some(Forecast {
        as_of,
        balance: series.balance,
        burn_per_day: burn.map(|burn| burn.round_sf(10).unwrap_or(burn).normalize()),
        consumed,
        exposure_hours,
        newest_hours: series.newest_hours,
        falls,
        confidence,
        outlook,
        top_ups: series.top_ups,
        single_falls,
        knows_weekdays: shares != Shares::EVEN,
    })
}
