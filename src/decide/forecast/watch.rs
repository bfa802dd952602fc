//! When somebody is told that a balance will not last, and when that is over. A state machine without a clock: what was, what is,
//! what follows.

use jiff::{SignedDuration, Timestamp};

use super::Forecast;
use super::outlook::Confidence;

/// How long the fast rate must have said so, in hours, if no run before said so too.
pub(super) const HOLDS_HOURS: f64 = 6.0;
/// How much earlier than every six hours a job that runs every six hours may run.
pub(super) const SLACK_HOURS: f64 = 0.25;

/// The most frequent reminder.
const REMINDER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is remembered of an account between two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// It lasts, or nothing is known.
    #[default]
    Calm,
    /// The last run with a forecast said that it will not last; nobody was told.
    Doubt,
    /// Somebody was told.
    Short {
        /// When somebody was told last.
        told_at: Timestamp,
    },
}

/// What follows from a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Nothing is to be told.
    Nothing,
    /// It will not last.
    Raise,
    /// It still will not last, a week after that was told.
    Remind,
    /// It lasts again.
    Resolve,
}

/// The state after a run, and what is to be told. `alert_days` are the days below which somebody is told; 0 turns this off.
/// A forecast without a date, or of low confidence, neither begins nor ends anything.
///
/// It begins when the fast rate has said so in two runs, or for six hours: if the two newest readings are so far apart, the
/// pace between them has held that long. It is over only when the whole range lies above the limit; between the two nothing
/// changes.
#[must_use]
pub fn step(before: Watch, forecast: &Forecast, alert_days: f64, now: Timestamp) -> (Watch, Tell) {
    if alert_days <= 0.0 {
        return (Watch::Calm, if matches!(before, Watch::Short { .. }) { Tell::Resolve } else { Tell::Nothing });
    }
    let lasts = forecast.lasts().filter(|_| forecast.confidence >= Confidence::Medium);
    let Some(lasts) = lasts else { return (before, Tell::Nothing) };
    let (is_short, is_long) = (lasts.fast < alert_days, lasts.least > alert_days);
    let held = forecast.newest_hours.is_some_and(|hours| hours >= HOLDS_HOURS - SLACK_HOURS)
        && lasts.fast + HOLDS_HOURS / 24.0 < alert_days;
    match before {
        Watch::Calm | Watch::Doubt if is_short && (held || before == Watch::Doubt) => {
            (Watch::Short { told_at: now }, Tell::Raise)
        }
        Watch::Calm | Watch::Doubt => (if is_short { Watch::Doubt } else { Watch::Calm }, Tell::Nothing),
        Watch::Short { .. } if is_long => (Watch::Calm, Tell::Resolve),
        Watch::Short { told_at } if is_short && now.duration_since(told_at) >= REMINDER => {
            (Watch::Short { told_at: now }, Tell::Remind)
        }
        Watch::Short { .. } => (before, Tell::Nothing),
    }
}
