//! Alerts about low balances.

use rust_decimal::Decimal;

use super::alert_builder::{AlertBuilder, account};
use super::config::Alerting;
use super::decision::Decision;
use super::per_channel::{Observed, Settler};
use super::status::Status;
use super::verdict::Verdict;
use crate::model::alert::{Cause, Event, Level, Low, Topic};

impl Settler<'_> {
    /// Decides what is told of the balance of an account.
    pub(super) fn settle_low(&self, verdict: &Verdict, builder: &AlertBuilder, decision: &mut Decision) {
        let observed = low(verdict, builder, &self.rules.alerting);
        self.settle(observed, (builder.identity, Topic::Low), &builder.about(), decision);
    }
}

/// Whether a balance is low.
fn low(verdict: &Verdict, builder: &AlertBuilder, alerting: &Alerting) -> Observed {
    let subject = &verdict.subject;
    let alert = |event, level, threshold| {
        let low = Low { account: account(verdict), threshold, change: None };
        builder.alert(event, level, Cause::Low(low))
    };
    let highest = subject.threshold.max(subject.warning_threshold);
    match verdict.status {
        Status::Low => Observed::Wrong(alert(Event::Raised, Level::Critical, subject.threshold)),
        Status::Warning => Observed::Wrong(alert(Event::Raised, Level::Warning, subject.warning_threshold)),
        Status::Failed => Observed::Unknown(alert(Event::Raised, Level::Warning, highest)),
        Status::Unlimited => Observed::Right(alert(Event::Resolved, Level::Info, highest)),
        Status::Ok => {
            let alert = alert(Event::Resolved, Level::Info, highest);
            let margin = Decimal::ONE + alerting.recovery_margin_percent / Decimal::ONE_HUNDRED;
            let enough = highest.and_then(|threshold| threshold.checked_mul(margin));
            match (verdict.balance, enough) {
                (Some(balance), Some(enough)) if balance < enough => Observed::Nearly(alert),
                _ => Observed::Right(alert),
            }
        }
    }
}
