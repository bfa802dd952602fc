//! Whom a condition is told to, and what each of them knows: also channels that are new or newly routed to, and messages that are
//! owed to channels that are gone or hear of other things now.

use super::action_table::{Now, Owes};
use super::cooldown::Cooldown;
use jiff::Timestamp;

use super::decision::{Decision, Earlier, Key, Listener, Pause, Postponed, Waiting};
use super::route::Levels;
use crate::decide::memory::{ANY_CHANNEL, Condition, Heard, Owed};
use crate::model::alert::{Event, Level};

/// A channel, and what it knows of one condition.
pub(super) struct Recipient<'a> {
    pub(super) listener: &'a Listener,
    pub(super) heard: Heard,
    /// Whether the store has this under the channel's own id.
    pub(super) is_own: bool,
    /// Whether what is wrong now is for others: the channel hears of the end alone, if it has heard of the beginning.
    pub(super) is_quiet: bool,
    /// Whether the service drops alerts that are not sent again (Alertmanager), and is still to know this one.
    pub(super) forgets: bool,
}

/// The channels, and the levels at which each of them takes alerts about one condition.
#[derive(Clone, Copy)]
pub(super) struct Routed<'a> {
    pub(super) listeners: &'a [Listener],
    pub(super) levels: &'a [Levels],
}

impl Routed<'_> {
    fn of(self, id: &str) -> Option<Levels> {
        let at = self.listeners.iter().position(|listener| listener.id == id)?;
        self.levels.get(at).copied()
    }

    /// Whether anybody has heard of a condition who hears of this level. Who is gone counts as well.
    pub(super) fn is_heard(self, known: &Condition, level: Level) -> bool {
        known.channels.iter().any(|(id, heard)| {
            let has_heard = heard.told.is_some() || heard.owed.as_ref().is_some_and(|owed| owed.is_heard);
            has_heard && self.of(id).is_none_or(|levels| levels.at(level))
        })
    }
}

/// Whether a channel may still get what it is owed. That something is over is also for those who have heard that it began.
fn is_for(owed: &Owed, levels: Levels, has_heard: bool) -> bool {
    match owed.alert.event {
        Event::Raised => levels.at(owed.alert.level),
        Event::Resolved => levels.any() || has_heard,
    }
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
        let (refusals, attempts) = owed.map_or((0, 0), |owed| (owed.refusals, owed.attempts));
        Some(Earlier { tried_at, refusals, attempts })
    }

    /// Whether it may have heard that what is wrong now was over, so that it does not know that it is back. While that message is still
    /// sent to a channel that hears of other things now, it knows what it knew.
    pub(super) fn may_believe_over(&self, now: Now, owes: Owes) -> bool {
        let is_over = |owed: &Owed| owed.alert.event == Event::Resolved && owed.may_have_arrived;
        let is_back = match now {
            Now::Wrong | Now::Muted => true,
            Now::Quiet => owes == Owes::Unwanted,
            _ => false,
        };
        is_back && self.heard.owed.as_ref().is_some_and(is_over)
    }
}

/// What every channel knows that a condition is routed to, or that has heard of it. `wrong` is the level of what is wrong now.
///
/// What is owed to a channel that is gone, or that hears of other things now, is withdrawn; if nobody has heard it, those who are
/// there now inherit it.
pub(super) fn recipients<'a>(
    routed: Routed<'a>,
    wrong: Option<Level>,
    key: Key,
    known: Option<&Condition>,
    decision: &mut Decision,
) -> Vec<Recipient<'a>> {
    let inherited = known.and_then(|known| inherited(routed, key, known, decision));
    // What is owed to one that is gone goes to those who hear at once, if there are any.
    let mut takers = routed.listeners.iter().zip(routed.levels).filter(|(_, levels)| levels.any());
    let is_slow = takers.all(|(listener, _)| listener.route.after.is_some());
    let mut recipients = Vec::with_capacity(routed.listeners.len());
    for (listener, levels) in routed.listeners.iter().zip(routed.levels) {
        let own = known.and_then(|known| known.channels.get(&listener.id));
        let is_own = own.is_some() || inherited.is_none();
        let inherits = levels.any() && (listener.route.after.is_none() || is_slow);
        let mut heard = own.or(inherited.as_ref().filter(|_| inherits)).cloned().unwrap_or_default();
        let has_heard = heard.told.is_some();
        heard.owed.take_if(|owed| !owed.is_claimed && !is_for(owed, *levels, has_heard));
        if !levels.any() && heard.told.is_none() && heard.owed.is_none() {
            continue;
        }
        let is_quiet = !wrong.map_or(levels.any(), |level| levels.at(level));
        let knows_its_own = || heard.told.as_ref().is_none_or(|told| levels.at(told.level));
        let forgets = listener.forgets && (wrong.is_some() && !is_quiet || knows_its_own());
        recipients.push(Recipient { listener, is_own, is_quiet, forgets, heard });
    }
    recipients
}

/// What a channel knows that has no entry of its own. Entries of channels that are gone, and that of an old store which
/// stands for every channel, are taken back.
fn inherited(routed: Routed, key: Key, known: &Condition, decision: &mut Decision) -> Option<Heard> {
    let is_orphan = |id: &str, heard: &Heard, owed: &Owed| match routed.of(id) {
        None => id != ANY_CHANNEL,
        Some(levels) => !is_for(owed, levels, heard.told.is_some()),
    };
    let owed = known.channels.iter().filter_map(|(id, heard)| Some((id, heard, heard.owed.as_ref()?)));
    let owed = owed.filter(|(id, heard, owed)| !owed.is_claimed && is_orphan(id, heard, owed));
    let orphans: Vec<(&String, &Owed)> = owed.map(|(id, _, owed)| (id, owed)).collect();
    let any = known.channels.get(ANY_CHANNEL);
    // An end that somebody has heard is no news to others.
    let is_heard_end = |owed: &Owed| owed.alert.event == Event::Resolved && owed.is_heard;
    let is_unheard = |owed: &Owed| !is_heard_end(owed) && !routed.is_heard(known, owed.alert.level);
    let inherited = match any {
        Some(any) => Some(any.clone()),
        None => orphans.first().filter(|(_, owed)| is_unheard(owed)).map(|(_, owed)| Heard {
            told: None,
            owed: Some(Owed {
                doubts: 0,
                refusals: 0,
                attempts: 0,
                is_tried: false,
                may_have_arrived: false,
                ..(*owed).clone()
            }),
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

/// A message that is owed and comes when its time has come.
pub(super) fn postponed(
    key: Key,
    recipient: &Recipient,
    event: Event,
    (why, next): (Pause, Option<Timestamp>),
) -> Postponed {
    let channel = recipient.listener.id.clone();
    Postponed { identity: key.0, topic: key.1, event, channel, why, next }
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
