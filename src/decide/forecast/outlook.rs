//! How long a balance lasts, as far as that can be said.

use jiff::{SignedDuration, Timestamp};

use super::rates::Rates;
use super::regular::is_irregular;
use super::series::{DAY, Series};
use super::weekdays::Shares;
use crate::model::words::words;

/// Nothing is said of what lies further ahead, in days.
pub const HORIZON_DAYS: f64 = 3650.0;
/// Rates that are further apart than this have no middle.
const WIDEST: f64 = 4.0;
/// The part of a rate by which the next days differ even if the last ones were all alike.
const LEAST_MARGIN: f64 = 0.15;
const WIDEST_MARGIN: f64 = 0.6;
/// How much of the uncertainty of a rate goes into its margin.
const UNCERTAINTY: f64 = 0.6;
/// Consumption that rises is taken to do so for a while, by this factor at the most,
const RISE: f64 = 1.15;
/// and so is consumption that falls.
const FALL: f64 = 1.5;

words! {
    /// How far a forecast is to be trusted.
    pub enum Confidence {
        /// Nothing is known.
        None = "none",
        /// Three falls in six hours.
        Low = "low",
        /// Three falls in a day: enough to alert somebody.
        Medium = "medium",
        /// Three falls in three days.
        High = "high",
    }
}

impl Confidence {
    /// By the falls that are not zero, and by the hours in which a fall could be seen.
    pub(super) fn of(falls: usize, hours: f64) -> Confidence {
        // Seconds do not count: a job that runs every six hours runs a little earlier or later.
        let hours = (hours * 100.0).round() / 100.0;
        match (falls, hours) {
            (..3, _) => Confidence::None,
            (_, 72.0..) => Confidence::High,
            (_, 24.0..) => Confidence::Medium,
            (_, 6.0..) => Confidence::Low,
            _ => Confidence::None,
        }
    }
}

/// How long the balance lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outlook {
    /// There is not enough history, or nothing is consumed.
    Unknown,
    /// More than [`HORIZON_DAYS`] at the usual rate.
    Beyond,
    /// The consumption follows no rule, so there is no date.
    Irregular {
        /// The days from the newest reading at the pace of the last 24 hours; none if that is unknown, zero or beyond the horizon.
        at_last_pace: Option<f64>,
    },
    /// There is a date.
    Lasts(Lasts),
}

/// Days from the newest reading until nothing is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lasts {
    /// At the usual rate.
    pub days: f64,
    /// The shortest of the range.
    pub least: f64,
    /// The longest of the range; none if it lies beyond [`HORIZON_DAYS`].
    pub most: Option<f64>,
    /// At the fast rate, which decides whether somebody is told.
    pub fast: f64,
    /// The end at the usual rate. It is no more exact than a day, so it is to be shown as one.
    pub until: Timestamp,
}

/// What follows from the rates of a series whose single falls were taken out.
pub(super) fn outlook(series: &Series, balance: f64, window: i64, rates: Rates, shares: &Shares) -> Outlook {
    if rates.usual <= 0.0 {
        return Outlook::Unknown;
    }
    let is_wide = rates.fast > WIDEST * rates.slow;
    if is_wide || is_irregular(series, 2 * window, rates.fast) {
        let pace = series.flow(DAY, 0).per_day().filter(|pace| *pace > 0.0);
        return Outlook::Irregular { at_last_pace: pace.and_then(|pace| near(balance.max(0.0) / pace)) };
    }
    let margin = margin(series, 2 * window);
    let rise = (rates.fast / rates.usual).sqrt().min(RISE);
    let fall = rates.recent.map_or(1.0, |recent| (rates.usual / recent).powi(3).clamp(1.0, FALL));
    let days = |rate: f64| near(shares.days(balance, rate));
    let (Some(usual), Some(fast), Some(least)) =
        (days(rates.usual), days(rates.fast), days(rates.fast * (1.0 + margin) * rise))
    else {
        return Outlook::Beyond;
    };
    let minutes = (shares.days(balance, rates.usual) * 1440.0).round() as i64;
    let end = Timestamp::from_millisecond(series.as_of).ok();
    let end = end.and_then(|at| at.checked_add(SignedDuration::from_mins(minutes)).ok());
    match end {
        Some(until) => {
            Outlook::Lasts(Lasts { days: usual, least, most: days(rates.slow * (1.0 - margin) / fall), fast, until })
        }
        None => Outlook::Beyond,
    }
}

/// Days without the last digits of a binary number, so that the same amounts in another unit give the same date.
fn near(days: f64) -> Option<f64> {
    let days = (days * 1e6).round() / 1e6;
    (days <= HORIZON_DAYS).then_some(days)
}

/// The part by which a rate may be wrong. A sum of falls that come by chance has the relative error `sqrt(sum of squares) / sum`:
/// few falls, or a few that are much larger than the others, are worth less than many small ones.
fn margin(series: &Series, window: i64) -> f64 {
    let falls = || series.within(window).iter().map(|interval| interval.fall);
    let sum: f64 = falls().sum();
    let squares: f64 = falls().map(|fall| fall * fall).sum();
    (LEAST_MARGIN + UNCERTAINTY * squares.sqrt() / sum).min(WIDEST_MARGIN)
}
