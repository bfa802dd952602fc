//! Alerts about checks that cannot be read, run after run.

use super::alert_builder::AlertBuilder;
use super::causes::{are_told, cause, failed_runs};
use super::config::Alerting;
use super::decision::Decision;
use super::per_channel::{Observed, Settler};
use crate::decide::memory::Memory;
use crate::model::alert::{Cause, Event, Failing, Level, SharedCause, Topic, Trouble};
use crate::model::failure::Failure;
use crate::model::identity::Identity;

impl Settler<'_> {
    /// Counts the failed runs of a check, and decides what is told of them. `failure` is why this run could not read it.
    pub(super) fn settle_failing(&self, failure: Option<&Failure>, builder: &AlertBuilder, decision: &mut Decision) {
        let failures = count_failures(builder.identity, failure, self.memory, decision);
        let shared = failure.zip(builder.host()).and_then(|(failure, host)| self.causes.shared(cause(host, failure)));
        let observed = failing((failure, shared), builder, &self.rules.alerting, failures);
        self.settle(observed, (builder.identity, Topic::Failing), &builder.about(), decision);
    }
}

/// Counts failed runs in a row.
fn count_failures(identity: Identity, failure: Option<&Failure>, memory: &Memory, decision: &mut Decision) -> u32 {
    let before = memory.failures.get(&identity).copied().unwrap_or_default();
    let failures = failed_runs(identity, failure, memory);
    if failures != before {
        decision.changes.failures.push((identity, failures, failure.map(|failure| failure.reason)));
    }
    failures
}

/// Whether a check fails so often that it is told, and under which cause.
fn failing(
    (failure, shared): (Option<&Failure>, Option<SharedCause>),
    builder: &AlertBuilder,
    alerting: &Alerting,
    failures: u32,
) -> Observed {
    let cause = |trouble| Cause::Failing(Failing { account: builder.account.clone(), trouble, shared });
    match failure {
        None => Observed::Right(builder.alert(Event::Resolved, Level::Info, cause(None))),
        Some(failure) => {
            // People are told the cause, not that the host was left alone because of it.
            let root = failure.root();
            let trouble = Trouble { reason: root.reason, message: root.describe(), runs: failures };
            let alert = builder.alert(Event::Raised, Level::Warning, cause(Some(trouble)));
            if failure.is_cancelled() {
                Observed::Unknown(alert)
            } else if are_told(failures, alerting) {
                Observed::Wrong(alert)
            } else {
                Observed::Shaky(alert)
            }
        }
    }
}
