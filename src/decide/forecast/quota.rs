//! The pace of a quota against its reset. A quota does not run dry for good, so it has no date, but it may end too early.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A quota in its present period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What was used of it.
    pub used: Decimal,
    /// What may be used of it, in the same unit; above zero.
    pub limit: Decimal,
    /// When its period began.
    pub began_at: Timestamp,
    /// When it begins anew.
    pub resets_at: Timestamp,
}

/// How fast a quota is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The used share: 1 is all of it.
    pub used: f64,
    /// The share of the period that has gone by, 0 to 1.
    pub elapsed: f64,
    /// The used share over the elapsed one: above 1 the quota ends before its reset.
    pub ratio: f64,
    /// When it is used up, if that is before the reset.
    pub runs_out_at: Option<Timestamp>,
}

/// The share of a period that must have gone by before it says anything.
const FIRST_PART: f64 = 0.03;

/// The pace until now. None before or after the period, at its very beginning, and for a quota without a limit.
#[must_use]
pub fn pace(quota: &Quota, now: Timestamp) -> Option<Pace> {
    let length = quota.resets_at.as_millisecond() - quota.began_at.as_millisecond();
    let gone = now.as_millisecond() - quota.began_at.as_millisecond();
    if length <= 0 || gone < 0 || gone > length || quota.limit <= Decimal::ZERO {
        return None;
    }
    let (elapsed, used) = (gone as f64 / length as f64, quota.used.to_f64()? / quota.limit.to_f64()?);
    if elapsed < FIRST_PART {
        return None;
    }
    let ratio = used / elapsed;
    let until_end = SignedDuration::from_millis((gone as f64 / used) as i64);
    let runs_out_at = if used >= 1.0 {
        Some(now)
    } else if ratio > 1.0 {
        quota.began_at.checked_add(until_end).ok()
    } else {
        None
    };
    Some(Pace { used, elapsed, ratio, runs_out_at })
}
