//! Is that bad, and who has not heard of it? Pure: outcomes, thresholds and the memory in, verdicts, alerts and what to
//! remember out. No clock, no I/O.
//!
//! `threshold` compares balances with thresholds. `action_table` says what follows for a channel from what is and from what it
//! knows; `per_channel` finds out both for each channel and carries it out. Each topic of alerts has a file, which says when it
//! is wrong: `low`, `failing`, `renewal`, `mail`, `runway`, `spike`,
//! `expiry`, `topup`,
//! `silent`.

mod action_table;
pub(crate) mod active_times;
mod alert_builder;
mod causes;
mod changes;
pub(crate) mod config;
mod cooldown;
mod decision;
pub(crate) mod digest;
pub(crate) mod expiry;
mod explain;
mod failing;
pub mod forecast;
pub(crate) mod found;
mod low;
mod mail;
pub(crate) mod memory;
mod messages;
mod mute;
mod per_channel;
mod recipients;
mod renewal;
mod renewal_cycle;
pub(crate) mod route;
mod runway;
mod shared_ends;
pub(crate) mod silent;
pub(crate) mod spike;
mod status;
mod taken;
mod threshold;
mod topup;
mod verdict;
mod wording;

use jiff::Timestamp;

pub(crate) use self::action_table::{Act, Knows, Now, Owes};
#[cfg(test)]
pub(crate) use self::action_table::{Known, act, situations};
pub(crate) use self::decision::{
    Decision, Earlier, Held, Listener, Muted, Pause, Postponed, Rules, SilentSchedule, Telling, Waiting,
};
#[cfg(test)]
pub(crate) use self::explain::{Debt, Limits};
pub(crate) use self::explain::{Explained, Ruling, State};
pub(crate) use self::status::{MailboxStatus, Status, SubscriptionStatus};
pub(crate) use self::verdict::{Found, MailboxVerdict, Subject, SubscriptionVerdict, Verdict, judge};

use self::alert_builder::AlertBuilder;
use self::causes::Causes;
use self::cooldown::Cooldown;
use self::per_channel::Settler;
use crate::decide::memory::{Memory, Mute};

/// What is to be told, what was told already, and what to remember.
///
/// `run_id` goes into the keys of new messages.
pub(crate) fn decide(found: &Found, memory: &Memory, rules: &Rules, now: Timestamp, run_id: &str) -> Decision {
    settle_all(found, memory, rules, (now, run_id), Decision::default())
}

/// Why [`decide`] would tell what it tells at this time, and why it would not tell the rest.
pub(crate) fn explain(found: &Found, memory: &Memory, rules: &Rules, now: Timestamp) -> Vec<Explained> {
    settle_all(found, memory, rules, (now, ""), Decision::explained()).explained.unwrap_or_default()
}

fn settle_all(
    found: &Found,
    memory: &Memory,
    rules: &Rules,
    (now, run_id): (Timestamp, &str),
    mut decision: Decision,
) -> Decision {
    let cooldown =
        Cooldown { length: rules.alerting.cooldown, timezone: &rules.timezone, now, previous_run: memory.previous_run };
    let settler = Settler { rules, memory, cooldown, run_id, causes: Causes::of(found, memory, &rules.alerting) };
    for verdict in &found.accounts {
        let builder = AlertBuilder::of_account(verdict, now);
        settler.settle_low(verdict, &builder, &mut decision);
        settler.settle_failing(verdict.failure.as_ref(), &builder, &mut decision);
        settler.settle_runway(verdict, &builder, &mut decision);
        settler.settle_spike(verdict, &builder, &mut decision);
        settler.settle_expiry(verdict, &builder, &mut decision);
        settler.settle_topup(verdict, &builder, &mut decision);
    }
    for verdict in &found.subscriptions {
        let builder = AlertBuilder::of_subscription(verdict, now);
        settler.settle_failing(verdict.renewal.as_ref().err(), &builder, &mut decision);
        settler.settle_renewal(verdict, &builder, found.today, &mut decision);
    }
    for verdict in &found.mailboxes {
        let builder = AlertBuilder::of_mailbox(verdict, now);
        settler.settle_failing(verdict.scanned.result.as_ref().err(), &builder, &mut decision);
    }
    settler.settle_mails(found, &mut decision);
    settler.settle_schedules(&mut decision);
    settler.hold_shared_ends(found, &mut decision);
    let (alerts, deferred) =
        std::mem::take(&mut decision.alerts).into_iter().partition(|telling| !telling.to.is_empty());
    (decision.alerts, decision.deferred) = (alerts, deferred);
    let is_over = |mute: &Mute| decision.changes.unmuted.contains(&mute.number);
    let in_force = memory.mutes.iter().filter(|mute| mute.is_in_force(now) && !is_over(mute));
    decision.mutes = in_force.cloned().collect();
    decision.alerts.sort_by_key(|telling| (std::cmp::Reverse(telling.alert.level), telling.alert.topic()));
    decision
}

#[cfg(test)]
mod tests;
