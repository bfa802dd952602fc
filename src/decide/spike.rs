//! Alerts about days that consume far more than is usual.

use rust_decimal::Decimal;

use super::alert_builder::{AlertBuilder, account};
use super::decision::Decision;
use super::forecast::spike::{self, Today};
use super::per_channel::{Observed, Settler};
use super::status::Status;
use super::verdict::Verdict;
use crate::model::alert::{Cause, Event, Level, Spike, Topic};
use crate::model::amount;

/// The digits of a rate that are told.
const DIGITS: u32 = 6;

impl Settler<'_> {
    /// Decides what is told of the consumption of an account.
    pub(super) fn settle_spike(&self, verdict: &Verdict, builder: &AlertBuilder, decision: &mut Decision) {
        let observed = spike(verdict, builder);
        self.settle(observed, (builder.identity, Topic::Spike), &builder.about(), decision);
    }
}

/// A rate as it is told.
pub(crate) fn told(rate: f64) -> Option<Decimal> {
    let rate = amount::from_float(rate).ok()?;
    Some(rate.round_sf(DIGITS).unwrap_or(rate).normalize())
}

/// Whether the last day consumed far more than is usual. That is said beside a low balance too: who tops it up wants to know.
fn spike(verdict: &Verdict, builder: &AlertBuilder) -> Observed {
    let today = verdict.foresight.as_ref().map_or(Today::Unknown, |foresight| foresight.today);
    let alert = |event, level| builder.alert(event, level, Cause::Spike(cause(verdict, today.day())));
    let is_wanted = verdict.subject.forecasting.is_some_and(|forecasting| !forecasting.spike_ratio.is_zero());
    match (verdict.status, today) {
        (Status::Unlimited, _) => Observed::Right(alert(Event::Resolved, Level::Info)),
        _ if !is_wanted => Observed::Right(alert(Event::Resolved, Level::Info)),
        (Status::Failed, _) | (_, Today::Unknown) => Observed::Unknown(alert(Event::Raised, Level::Warning)),
        (_, Today::Odd(_)) => Observed::Wrong(alert(Event::Raised, Level::Warning)),
        (_, Today::Between(_)) => Observed::Shaky(alert(Event::Raised, Level::Warning)),
        (_, Today::Usual(_)) => Observed::Right(alert(Event::Resolved, Level::Info)),
    }
}

fn cause(verdict: &Verdict, day: Option<spike::Spike>) -> Spike {
    Spike {
        account: account(verdict),
        per_day: day.and_then(|day| told(day.per_day)),
        usual_per_day: day.and_then(|day| told(day.usual_per_day?)),
    }
}
