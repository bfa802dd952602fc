//! What is remembered after a run whose messages were all taken at once. Those who try a config on past runs need it: nothing is
//! sent there, and no store is written.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::decision::{Decision, Telling};
use super::memory::{Condition, Heard, Memory, Owed, Told};
use crate::model::alert::{Alert, Event, Topic};
use crate::model::identity::Identity;

impl Memory {
    /// The memory that the next run begins with.
    pub(crate) fn follow(&mut self, decision: &Decision, now: Timestamp) {
        let changes = &decision.changes;
        for (check, runs, _) in &changes.failures {
            self.failures.insert(*check, *runs);
        }
        for (key, course) in changes.courses.iter().filter_map(|(key, course)| Some((key, (*course)?))) {
            let condition = Condition { course, channels: BTreeMap::new() };
            self.conditions.entry(*key).or_insert(condition).course = course;
        }
        for (key, channel) in &changes.withdrawn {
            let of_channel = self.conditions.values_mut().filter_map(|condition| condition.channels.get_mut(channel));
            of_channel.for_each(|heard| drop(heard.owed.take_if(|owed| owed.alert.dedup_key == *key)));
        }
        for (key, channel, told) in &changes.heard {
            if let Some(heard) = self.heard(*key, channel) {
                heard.told.clone_from(told);
            }
        }
        for (key, _) in changes.courses.iter().filter(|(_, course)| course.is_none()) {
            self.conditions.remove(key);
        }
        self.mutes.retain(|mute| !changes.unmuted.contains(&mute.number));
        for Telling { alert, to, later, .. } in decision.alerts.iter().chain(&decision.deferred) {
            for channel in later {
                if let Some(heard) = self.heard((alert.identity, alert.topic()), channel) {
                    heard.owed = Some(owed(alert, now));
                }
            }
            to.iter().for_each(|channel| self.take(alert, channel, now));
        }
        for condition in self.conditions.values_mut() {
            condition.channels.retain(|_, heard| heard.told.is_some() || heard.owed.is_some());
        }
    }

    fn heard(&mut self, key: (Identity, Topic), channel: &str) -> Option<&mut Heard> {
        Some(self.conditions.get_mut(&key)?.channels.entry(channel.to_owned()).or_default())
    }

    /// A channel has taken a message.
    fn take(&mut self, alert: &Alert, channel: &str, now: Timestamp) {
        let Some(condition) = self.conditions.get_mut(&(alert.identity, alert.topic())) else { return };
        let others = condition.channels.values_mut().filter_map(|heard| heard.owed.as_mut());
        others.filter(|owed| owed.alert.dedup_key == alert.dedup_key).for_each(|owed| owed.is_heard = true);
        let heard = condition.channels.entry(channel.to_owned()).or_default();
        let before = heard.told.take().filter(|_| alert.is_reminder);
        let anchor = before.map_or(now, |told| told.anchor.min(now));
        let is_wrong = alert.event == Event::Raised;
        *heard = Heard { told: is_wrong.then(|| Told { anchor, ..Told::of(alert, now) }), owed: None };
    }
}

/// A message that comes in a later run.
fn owed(alert: &Alert, now: Timestamp) -> Owed {
    Owed {
        alert: alert.clone(),
        is_heard: false,
        is_claimed: false,
        may_have_arrived: false,
        doubts: 0,
        refusals: 0,
        attempts: 0,
        is_tried: false,
        tried_at: now,
    }
}
