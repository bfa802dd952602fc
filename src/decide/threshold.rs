//! Compares a balance with the thresholds of its account.

use rust_decimal::Decimal;

use super::status::Status;
use crate::model::failure::{Failure, Reason};
use crate::model::threshold::Threshold;

/// The state of an account that has this balance. A balance that equals a threshold is not below it.
pub(super) fn compare(balance: Decimal, critical: Option<Decimal>, warning: Option<Decimal>) -> Status {
    let is_below = |threshold: Option<Decimal>| threshold.is_some_and(|threshold| balance < threshold);
    if is_below(critical) {
        Status::Low
    } else if is_below(warning) {
        Status::Warning
    } else {
        Status::Ok
    }
}

/// The amounts of thresholds as they are configured: a share is one of this total.
///
/// # Errors
/// A share is configured, and the total is not known or not above zero.
pub(super) fn amounts(
    written: [Option<Threshold>; 2],
    total: Option<Decimal>,
) -> Result<[Option<Decimal>; 2], Failure> {
    let is_share = |written: &Threshold| matches!(written, Threshold::Percent(_));
    if total.is_some_and(|total| total <= Decimal::ZERO) && written.iter().flatten().any(is_share) {
        let message = "the threshold is a share of the total, which is not above zero in the answer";
        return Err(Failure::new(Reason::Decode, message).with_hint("write the threshold as an amount"));
    }
    let amounts = written.map(|written| written.map(|written| written.amount(total)));
    if amounts.iter().flatten().any(Option::is_none) {
        let message = "the threshold is a share of the total, which the service does not tell as an amount in the currency of the balance";
        return Err(Failure::new(Reason::Decode, message).with_hint("write the threshold as an amount"));
    }
    Ok(amounts.map(Option::flatten))
}

/// Balance over threshold, to four decimals. What is below the threshold is not rounded to 1, which would say that it is not.
pub(super) fn ratio(balance: Decimal, threshold: Decimal) -> Option<Decimal> {
    let ratio = balance.checked_div(threshold)?.round_dp(4);
    let is_hidden = balance < threshold && ratio >= Decimal::ONE;
    let ratio = if is_hidden { Decimal::ONE - Decimal::new(1, 4) } else { ratio };
    Some(ratio.normalize())
}
