//! Whom a condition is told to, and what each of them knows: also channels that are new, and messages that are owed to channels
//! that are gone.

use std::collections::BTreeSet;

use super::cooldown::Cooldown;
use super::decision::{Decision, Earlier, Key, Listener, Waiting};
use super::table::Now;
use crate::decide::memory::{ANY_CHANNEL, Condition, Heard, Owed};
use crate::model::alert::Event;

/// A channel, and what it knows of one condition.
pub(super) struct Recipient<'a> {
    pub(super) listener: &'a Listener,
    pub(super) heard: Heard,
    /// Whether the store has this under the channel's own id.
    pub(super) is_own: bool,
}

impl Condition {
    /// Whether any channel at all has heard of it.
    pub(super) fn is_heard(&self) -> bool {
        self.channels
            .values()
            .any(|heard| heard.told.is_some() || heard.owed.as_ref().is_some_and(|owed| owed.is_heard))
    }
}

impl Recipient<'_> {
    pub(super) fn is_claimed(&self) -> bool {
        self.heard.owed.as_ref().is_some_and(|owed| owed.is_claimed)
    }

    /// What the channel was sent of the condition before.
    pub(super) fn earlier(&self) -> Option<Earlier> {
        let owed = self.heard.owed.as_ref().filter(|owed| owed.is_tried);
        let told = self.heard.told.as_ref().filter(|_| self.is_own).map(|told| told.at);
        let tried_at = told.max(owed.map(|owed| owed.tried_at))?;
        Some(Earlier { tried_at, refusals: owed.map_or(0, |owed| owed.refusals) })
    }

    /// Whether it may have heard that what is wrong now was over, so that it does not know that it is back.
    pub(super) fn may_believe_over(&self, now: Now) -> bool {
        let is_over = |owed: &Owed| owed.alert.event == Event::Resolved && owed.may_have_arrived;
        now == Now::Wrong && self.heard.owed.as_ref().is_some_and(is_over)
    }
}

/// What every channel knows. What is owed to a channel that is gone is withdrawn; if nobody has heard it, those who are
/// there now inherit it.
pub(super) fn recipients<'a>(
    listeners: &'a [Listener],
    key: Key,
    known: Option<&Condition>,
    decision: &mut Decision,
) -> Vec<Recipient<'a>> {
    let Some(known) = known else {
        let new = |listener| Recipient { listener, heard: Heard::default(), is_own: true };
        return listeners.iter().map(new).collect();
    };
    let inherited = inherited(listeners, key, known, decision);
    let mut recipients = Vec::with_capacity(listeners.len());
    for listener in listeners {
        recipients.push(match known.channels.get(&listener.id) {
            Some(heard) => Recipient { listener, heard: heard.clone(), is_own: true },
            None => {
                let heard = inherited.clone().unwrap_or_default();
                Recipient { listener, heard, is_own: inherited.is_none() }
            }
        });
    }
    recipients
}

/// What a channel knows that has no entry of its own. Entries of channels that are gone, and that of an old store which
/// stands for every channel, are taken back.
fn inherited(listeners: &[Listener], key: Key, known: &Condition, decision: &mut Decision) -> Option<Heard> {
    let ids: BTreeSet<&str> = listeners.iter().map(|listener| listener.id.as_str()).collect();
    let gone = known.channels.iter().filter(|(id, _)| !ids.contains(id.as_str()) && *id != ANY_CHANNEL);
    let orphans: Vec<(&String, &Owed)> =
        gone.filter_map(|(id, heard)| Some((id, heard.owed.as_ref().filter(|owed| !owed.is_claimed)?))).collect();
    let any = known.channels.get(ANY_CHANNEL);
    let inherited = match any {
        Some(any) => Some(any.clone()),
        None => orphans.first().filter(|_| !known.is_heard()).map(|(_, owed)| Heard {
            told: None,
            owed: Some(Owed { doubts: 0, refusals: 0, is_tried: false, may_have_arrived: false, ..(*owed).clone() }),
        }),
    };
    for (id, owed) in orphans {
        decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), id.clone()));
        // If the condition comes back, this channel may have heard that it was over.
        if owed.alert.event == Event::Resolved && owed.may_have_arrived {
            decision.changes.heard.push((key, id.clone(), None));
        }
    }
    if let Some(any) = any.filter(|any| !any.owed.as_ref().is_some_and(|owed| owed.is_claimed)) {
        if let Some(owed) = &any.owed {
            decision.changes.withdrawn.push((owed.alert.dedup_key.clone(), ANY_CHANNEL.to_owned()));
        }
        decision.changes.heard.push((key, ANY_CHANNEL.to_owned(), None));
    }
    inherited
}

/// A message that is owed and rests in this run.
pub(super) fn waiting(key: Key, recipient: &Recipient, owed: &Owed) -> Waiting {
    Waiting {
        identity: key.0,
        topic: key.1,
        event: owed.alert.event,
        channel: recipient.listener.id.clone(),
        next: Cooldown::repeat_at(owed.in_vain(), owed.tried_at),
        is_refused: owed.refusals > 0 && !owed.may_have_arrived,
    }
}
