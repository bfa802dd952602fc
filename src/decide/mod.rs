//! Is that bad, and who has not heard of it? Pure: outcomes, thresholds and the memory in, verdicts, alerts and what to
//! remember out. No clock, no I/O.
//!
//! `table` says what follows for a channel from what is and from what it knows; `settle` finds out both and carries it out.

mod alerts;
pub(crate) mod config;
mod cooldown;
mod decision;
pub mod forecast;
pub(crate) mod found;
mod mail;
pub(crate) mod memory;
mod merge;
mod news;
mod recipients;
mod renewal;
mod settle;
mod table;
mod verdict;

use jiff::Timestamp;

pub(crate) use self::decision::{Decision, Held, Listener, Rules, Telling, Waiting};
pub(crate) use self::verdict::{
    Found, MailboxStatus, MailboxVerdict, Status, Subject, SubscriptionVerdict, Verdict, judge,
};

use self::alerts::AlertBuilder;
use self::cooldown::Cooldown;
use self::settle::Settler;
use crate::decide::memory::Memory;
use crate::model::alert::Topic;
use crate::model::failure::Failure;
use crate::model::identity::Identity;

/// What is to be told, what was told already, and what to remember.
///
/// `run_id` goes into the keys of new messages.
pub(crate) fn decide(found: &Found, memory: &Memory, rules: &Rules, now: Timestamp, run_id: &str) -> Decision {
    let cooldown =
        Cooldown { length: rules.alerting.cooldown, timezone: &rules.timezone, now, previous_run: memory.previous_run };
    let settler = Settler { rules, memory, cooldown, run_id };
    let mut decision = Decision::default();
    for verdict in &found.accounts {
        let (identity, failure) = (verdict.subject.identity, verdict.failure.as_ref());
        let failures = count_failures(identity, failure, memory, &mut decision);
        let builder = AlertBuilder::of_account(verdict, now);
        settler.settle(alerts::low(verdict, &builder, &rules.alerting), (identity, Topic::Low), &mut decision);
        let failing = alerts::failing(failure, &builder, &rules.alerting, failures);
        settler.settle(failing, (identity, Topic::Failing), &mut decision);
    }
    for verdict in &found.subscriptions {
        let (identity, failure) = (verdict.identity, verdict.renewal.as_ref().err());
        let failures = count_failures(identity, failure, memory, &mut decision);
        let builder = AlertBuilder::of_subscription(verdict, now);
        let failing = alerts::failing(failure, &builder, &rules.alerting, failures);
        settler.settle(failing, (identity, Topic::Failing), &mut decision);
        if let Some((alert, standing)) = alerts::reminder(verdict, found.today, now) {
            settler.settle_renewal(alert, standing, found.today, &mut decision);
        }
    }
    for verdict in &found.mailboxes {
        let (identity, failure) = (verdict.identity, verdict.scanned.result.as_ref().err());
        let failures = count_failures(identity, failure, memory, &mut decision);
        let builder = AlertBuilder::of_mailbox(verdict, now);
        let failing = alerts::failing(failure, &builder, &rules.alerting, failures);
        settler.settle(failing, (identity, Topic::Failing), &mut decision);
    }
    settler.settle_mails(found, &mut decision);
    decision.alerts.sort_by_key(|telling| (std::cmp::Reverse(telling.alert.level), telling.alert.topic()));
    decision
}

/// Counts failed runs in a row.
fn count_failures(identity: Identity, failure: Option<&Failure>, memory: &Memory, decision: &mut Decision) -> u32 {
    let before = memory.failures.get(&identity).copied().unwrap_or_default();
    if failure.is_some_and(Failure::is_cancelled) {
        return before;
    }
    let failures = if failure.is_some() { before.saturating_add(1) } else { 0 };
    if failures != before {
        decision.changes.failures.push((identity, failures, failure.map(|failure| failure.reason)));
    }
    failures
}

#[cfg(test)]
mod tests;
