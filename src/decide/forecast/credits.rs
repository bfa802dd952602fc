//! Credits that expire.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::series::DAY;

/// A part of a balance that expires on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// What is left of it, in the account's unit.
    pub remaining: Decimal,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// What becomes of a credit at the usual rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lapse {
    /// The credit.
    pub credit: Credit,
    /// Where it stands among those that were given.
    pub place: usize,
    /// What of it will not have been used, in the account's unit; above zero.
    pub unused: f64,
    /// Whether the account has at least its threshold until then, and less afterwards.
    pub falls_below: bool,
}

/// The credits that will lapse with something in them, the next first. Services use up first what expires first. A credit
/// that has expired already is left out. `burn_per_day` is the usual rate, zero for an account that is idle.
#[must_use]
pub fn lapses(
    credits: &[Credit],
    balance: Decimal,
    threshold: Option<Decimal>,
    burn_per_day: Decimal,
    now: Timestamp,
) -> Vec<Lapse> {
    let number = |amount: Decimal| amount.to_f64().unwrap_or_default();
    let ahead = credits.iter().copied().enumerate().filter(|(_, credit)| credit.expires_at > now);
    let mut ahead: Vec<(usize, Credit)> = ahead.collect();
    ahead.sort_by_key(|(_, credit)| (credit.expires_at, credit.remaining));
    let threshold = threshold.map(number);
    // What the consumption has taken from the credits so far, and what has lapsed.
    let (mut taken, mut lapsed) = (0.0, 0.0);
    let mut found = Vec::new();
    for (place, credit) in ahead {
        let days = (credit.expires_at.as_millisecond() - now.as_millisecond()) as f64 / DAY as f64;
        let used = number(burn_per_day).max(0.0) * days;
        let taken_here = (used - taken).clamp(0.0, number(credit.remaining).max(0.0));
        let unused = number(credit.remaining) - taken_here;
        taken += taken_here;
        // Less than a millionth of the credit is the rest of a division.
        if unused <= 1e-6 * number(credit.remaining).abs() {
            continue;
        }
        let before = number(balance) - used - lapsed;
        lapsed += unused;
        let falls_below = threshold.is_some_and(|threshold| before >= threshold && before - unused < threshold);
        found.push(Lapse { credit, place, unused, falls_below });
    }
    found
}
