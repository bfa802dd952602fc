//! What a sample in the memory of runs says, as if it had just been found: for the commands that judge it once more.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::check::mailbox::scan::{Scan, Scanned};
use crate::check::{Amount, Beside, Expiring, Outcome, Reading};
use crate::decide::{Status, Subject};
use crate::model::failure::{Failure, Reason};
use crate::model::threshold::Threshold;
use crate::state::queries::Known;

/// What a run found of a check, as it is kept.
pub(super) struct AsFound<'a> {
    /// The word of an account, a mailbox or a subscription.
    pub(super) status: &'a str,
    pub(super) balance: Option<Decimal>,
    pub(super) currency: Option<&'a str>,
    /// The threshold of that time.
    pub(super) threshold: Option<Decimal>,
    pub(super) reason: Option<&'a str>,
    /// The credits that expire, where they are known.
    pub(super) credits: &'a [Expiring],
}

impl<'a> AsFound<'a> {
    /// What the last run found.
    pub(super) fn last(known: &'a Known) -> AsFound<'a> {
        AsFound {
            status: &known.status,
            balance: known.balance,
            currency: known.currency.as_deref(),
            threshold: known.threshold,
            reason: known.reason.as_deref(),
            credits: &known.credits,
        }
    }
}

/// An account as the last run found it.
pub(super) fn read_last(subject: &Subject, known: &Known) -> (Subject, Outcome) {
    let (subject, outcome) = AsFound::last(known).read(Subject { identity: known.check, ..subject.clone() });
    (subject, Outcome { as_of: Some(known.checked_at), cached: true, ..outcome })
}

impl AsFound<'_> {
    /// The account as that run found it.
    pub(super) fn read(&self, mut subject: Subject) -> (Subject, Outcome) {
        let total = self.total(subject.written[0]);
        let reading = |amount| {
            let beside = Beside { total, expires: self.credits.to_vec(), ..Beside::default() };
            Reading { amount, currency: self.currency.map(str::to_owned), beside }
        };
        let result = match (Status::parse(self.status), self.balance) {
            (Some(Status::Unlimited), _) => Ok(reading(Amount::Unlimited)),
            (Some(Status::Failed) | None, _) | (_, None) => {
                Err(self.failure().unwrap_or_else(|| Failure::new(Reason::Internal, "nobody knows why")))
            }
            (_, Some(balance)) => Ok(reading(Amount::Of(balance))),
        };
        if total.is_none() {
            // A share of a total that nobody knows any more: the amount of that time holds.
            let is_amount = |written: &Threshold| matches!(written, Threshold::Of(_));
            subject.written = subject.written.map(|written| written.filter(is_amount));
            subject.threshold = subject.threshold.or(self.threshold);
        }
        let (attempts, calls, duration) = (1, Vec::new(), Duration::ZERO);
        (subject, Outcome { result, as_of: None, cached: false, attempts, calls, duration })
    }

    /// The mailbox as that run found it, without its mails.
    pub(super) fn scan(&self) -> Scanned {
        let result = self.failure().map_or_else(|| Ok(Scan::default()), Err);
        Scanned { result, duration: Duration::ZERO }
    }

    /// What there was when nothing was used, where the threshold that was a share of it says so.
    fn total(&self, written: Option<Threshold>) -> Option<Decimal> {
        let percent = match written? {
            Threshold::Percent(percent) if !percent.is_zero() => percent,
            _ => return None,
        };
        self.threshold?.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(percent)
    }

    /// Why that run could not read it, if it could not.
    fn failure(&self) -> Option<Failure> {
        let reason = self.reason.and_then(Reason::parse)?;
        Some(Failure::new(reason, format!("the last run could not read it: {}", reason.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_total_is_what_it_was_then() {
        let percent = |number: i64| Some(Threshold::Percent(Decimal::from(number)));
        for (written, threshold, want) in [
            (percent(20), Some(40), Some(200)),
            (percent(20), None, None),
            (percent(0), Some(0), None),
            (Some(Threshold::Of(Decimal::TEN)), Some(10), None),
            (None, None, None),
        ] {
            let as_found = AsFound {
                status: "low",
                balance: Some(Decimal::ONE),
                currency: None,
                threshold: threshold.map(Decimal::from),
                reason: None,
                credits: &[],
            };
            assert_eq!(as_found.total(written), want.map(Decimal::from), "{written:?} of {threshold:?}");
        }
    }
}
