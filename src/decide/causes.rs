//! Why checks cannot be read, and which of these causes several checks have in common.

use std::collections::{HashMap, HashSet};

use super::Found;
use super::config::Alerting;
use crate::decide::memory::{Heard, Memory, Told};
use crate::model::alert::{Alert, Cause, Event, SharedCause, TOGETHER_FROM, Topic};
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::identity::Identity;

/// Why a check of a host fails. A refusal is an answer, as for the circuit of the host: then the cause is what it says. All else says
/// that the host is not well.
pub(super) fn cause(host: &str, failure: &Failure) -> SharedCause {
    match failure.retry == Retry::Never && failure.reason != Reason::CircuitOpen {
        true => SharedCause::of_refusal(host, failure.root().reason, &failure.root().describe()),
        false => SharedCause::of_host(host),
    }
}

/// The causes that several checks have in common.
#[derive(Default)]
pub(super) struct Causes(HashSet<Identity>);

impl Causes {
    /// The causes for which enough checks fail in this run, and those under which checks were told before.
    pub(super) fn of(found: &Found, memory: &Memory, alerting: &Alerting) -> Causes {
        let mut counts: HashMap<Identity, usize> = HashMap::new();
        for (identity, host, failure) in failing(found) {
            if are_told(failed_runs(identity, Some(failure), memory), alerting) && !failure.is_cancelled() {
                *counts.entry(cause(host, failure).id).or_default() += 1;
            }
        }
        counts.retain(|_, count| *count >= TOGETHER_FROM);
        let conditions = memory.conditions.iter().filter(|((_, topic), _)| *topic == Topic::Failing);
        let heard = conditions.flat_map(|(_, condition)| condition.channels.values());
        let told = heard.flat_map(|heard| heard.told_under().into_iter().chain(heard.raised_under().cloned()));
        Causes(counts.into_keys().chain(told.map(|shared| shared.id)).collect())
    }

    /// The cause, if several checks have it in common.
    pub(super) fn shared(&self, cause: SharedCause) -> Option<SharedCause> {
        self.0.contains(&cause.id).then_some(cause)
    }
}

/// How many runs in a row have failed, with this one.
pub(super) fn failed_runs(identity: Identity, failure: Option<&Failure>, memory: &Memory) -> u32 {
    let before = memory.failures.get(&identity).copied().unwrap_or_default();
    match failure {
        Some(failure) if failure.is_cancelled() => before,
        Some(_) => before.saturating_add(1),
        None => 0,
    }
}

/// Whether so many failed runs in a row are told.
pub(super) fn are_told(failures: u32, alerting: &Alerting) -> bool {
    alerting.failure_alert_after > 0 && failures >= alerting.failure_alert_after
}

/// The checks with a host that this run could not read.
fn failing(found: &Found) -> impl Iterator<Item = (Identity, &str, &Failure)> {
    let accounts = found.accounts.iter().filter_map(|verdict| {
        Some((verdict.subject.identity, verdict.subject.host.as_deref()?, verdict.failure.as_ref()?))
    });
    let mailboxes = found
        .mailboxes
        .iter()
        .filter_map(|verdict| Some((verdict.identity, verdict.host.as_str(), verdict.scanned.result.as_ref().err()?)));
    accounts.chain(mailboxes)
}

impl Told {
    /// The cause under which it was told, if several checks have that in common.
    fn under(&self) -> Option<SharedCause> {
        SharedCause::parse(&self.mark)
    }
}

impl Heard {
    pub(super) fn told_under(&self) -> Option<SharedCause> {
        self.told.as_ref().and_then(Told::under)
    }

    pub(super) fn raised_under(&self) -> Option<&SharedCause> {
        self.owed.as_ref().filter(|owed| owed.alert.event == Event::Raised).and_then(|owed| owed.alert.shared())
    }

    /// An alert about a failing check, under the cause under which this channel has heard of it, or is owed it: that is what it
    /// knows the condition by, whatever has changed since.
    pub(super) fn as_before(&self, mut alert: Alert) -> Alert {
        let owed = || self.owed.as_ref().map(|owed| owed.alert.shared().cloned());
        let before = self.told.as_ref().map(Told::under).or_else(owed);
        if let (Cause::Failing(failing), Some(before)) = (&mut alert.cause, before) {
            failing.shared = before;
        }
        alert
    }
}
