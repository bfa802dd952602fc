//! Checks that cannot be read for one cause are one condition for services that count events. It begins with the first message about
//! one of them, and its end is told when none of them stands any more.

use std::collections::HashSet;

use super::Found;
use super::action_table::Act;
use super::decision::{Decision, Telling};
use super::per_channel::Settler;
use crate::model::alert::{Event, SharedCause, Topic};
use crate::model::identity::Identity;

impl Telling {
    /// A message about a check under a shared cause, with the channels that it is for.
    fn under(&self) -> Option<(&SharedCause, impl Iterator<Item = &String>)> {
        Some((self.alert.shared()?, self.to.iter().chain(&self.later)))
    }
}

impl Settler<'_> {
    /// Takes back the end of a check for a channel that counts events, while other checks stand under the same cause there: their end
    /// is that of all.
    pub(super) fn hold_shared_ends(&self, found: &Found, decision: &mut Decision) {
        let counting = self.rules.listeners.iter().filter(|listener| listener.counts_events);
        let counting: HashSet<&str> = counting.map(|listener| listener.id.as_str()).collect();
        let (mut ends, mut open) = (HashSet::new(), HashSet::new());
        let mut over: HashSet<(Identity, String)> = HashSet::new();
        for telling in &decision.alerts {
            let Some((shared, channels)) = telling.under() else { continue };
            for channel in channels.filter(|channel| counting.contains(channel.as_str())) {
                let place = (shared.id, channel.clone());
                if telling.alert.event == Event::Resolved {
                    ends.insert(place);
                    over.insert((telling.alert.identity, channel.clone()));
                } else {
                    open.insert(place);
                }
            }
        }
        if ends.is_empty() {
            return;
        }
        open.extend(self.still_open(found, &over, decision).filter(|place| ends.contains(place)));
        let Decision { alerts, changes, explained, .. } = decision;
        for telling in alerts.iter_mut().filter(|telling| telling.alert.event == Event::Resolved) {
            let Some(shared) = telling.alert.shared() else { continue };
            let held = open.iter().filter(|(id, _)| *id == shared.id).map(|(_, channel)| channel);
            let held: Vec<String> =
                held.filter(|id| telling.to.contains(id) || telling.later.contains(id)).cloned().collect();
            let key = (telling.alert.identity, telling.alert.topic());
            for channel in held {
                telling.to.retain(|id| *id != channel);
                telling.later.retain(|id| *id != channel);
                telling.earlier.remove(&channel);
                if telling.is_owed {
                    changes.withdrawn.push((telling.alert.dedup_key.clone(), channel.clone()));
                }
                let ruled = explained.iter_mut().flatten().filter(|explained| explained.key == key);
                let rulings = ruled.flat_map(|explained| &mut explained.rulings);
                rulings.filter(|ruling| ruling.channel == channel).for_each(|ruling| ruling.act = Act::Drop);
                changes.heard.retain(|(known, id, _)| *known != key || *id != channel);
                changes.heard.push((key, channel, None));
            }
        }
        alerts.retain(|telling| !telling.to.is_empty() || !telling.later.is_empty());
    }

    /// The causes under which checks stand that channels heard of before this run, with these channels. What the config no longer has
    /// stands nowhere. `over` is what is told to be over.
    fn still_open<'d>(
        &'d self,
        found: &'d Found,
        over: &'d HashSet<(Identity, String)>,
        decision: &Decision,
    ) -> impl Iterator<Item = (Identity, String)> + 'd {
        let accounts = found.accounts.iter().map(|verdict| verdict.subject.identity);
        let present: HashSet<Identity> =
            accounts.chain(found.mailboxes.iter().map(|verdict| verdict.identity)).collect();
        let changes = &decision.changes;
        let closed = changes.courses.iter().filter(|((_, topic), course)| *topic == Topic::Failing && course.is_none());
        let closed = closed.map(|(key, _)| key.0);
        let closed: HashSet<Identity> = closed.collect();
        let forgotten = changes.heard.iter().filter(|((_, topic), _, told)| *topic == Topic::Failing && told.is_none());
        let forgotten: HashSet<(Identity, String)> =
            forgotten.map(|(key, channel, _)| (key.0, channel.clone())).collect();
        let withdrawn: HashSet<(String, String)> = changes.withdrawn.iter().cloned().collect();
        let is_there = move |check: &Identity| {
            (present.contains(check) || self.rules.left_out.contains(check)) && !closed.contains(check)
        };
        let conditions = self.memory.conditions.iter().filter(|((_, topic), _)| *topic == Topic::Failing);
        let heard = conditions.filter(move |((check, _), _)| is_there(check)).flat_map(|((check, _), condition)| {
            condition.channels.iter().map(move |(channel, heard)| (*check, channel, heard))
        });
        heard.filter_map(move |(check, channel, heard)| {
            let place = (check, channel.clone());
            let is_withdrawn = |key: &str| withdrawn.contains(&(key.to_owned(), place.1.clone()));
            let owed = heard.owed.as_ref().filter(|owed| !is_withdrawn(&owed.alert.dedup_key));
            let is_ending = owed.is_some_and(|owed| owed.alert.event == Event::Resolved);
            if over.contains(&place) || forgotten.contains(&place) || is_ending {
                return None;
            }
            let raised = owed.and_then(|_| heard.raised_under());
            let shared = heard.told_under().or_else(|| raised.cloned())?;
            Some((shared.id, place.1))
        })
    }
}
