//! Messages about accounts that were topped up.

use super::alert_builder::{AlertBuilder, account};
use super::decision::Decision;
use super::per_channel::{Observed, Settler};
use super::verdict::Verdict;
use crate::decide::memory::Heard;
use crate::model::alert::{Alert, Cause, Event, Level, TopUp, Topic};

impl Settler<'_> {
    /// Decides what is told of a top-up. It is an event and not a condition: it is told once, has no end, and is forgotten when
    /// every channel has heard of it.
    pub(super) fn settle_topup(&self, verdict: &Verdict, builder: &AlertBuilder, decision: &mut Decision) {
        let key = (builder.identity, Topic::TopUp);
        let heard = self.memory.conditions.get(&key).into_iter().flat_map(|known| known.channels.values());
        let owed: Vec<&Heard> = heard.filter(|heard| heard.owed.is_some()).collect();
        let observed = match (topup(verdict, builder), owed.first().and_then(|heard| heard.owed.as_ref())) {
            (Some(alert), _) => Observed::Wrong(alert),
            // What was seen is true whatever can be read now.
            (None, Some(owed)) if is_wanted(verdict) => Observed::Unknown(owed.alert.clone()),
            (None, _) => Observed::Void,
        };
        self.settle(observed, key, &builder.about(), decision);
    }
}

fn is_wanted(verdict: &Verdict) -> bool {
    verdict.subject.forecasting.is_some_and(|forecasting| forecasting.tell_topups)
}

/// The top-up that this run has seen, if somebody wants to hear of it.
fn topup(verdict: &Verdict, builder: &AlertBuilder) -> Option<Alert> {
    let seen = verdict.foresight.as_ref().filter(|_| is_wanted(verdict))?.top_up?;
    let topup = TopUp { account: account(verdict), amount: Some(seen.amount), since: seen.since, at: seen.at };
    Some(builder.alert(Event::Raised, Level::Info, Cause::TopUp(topup)))
}
