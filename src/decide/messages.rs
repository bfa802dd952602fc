//! The messages that are made of one condition. What several channels are to be told alike is one message.

use std::collections::BTreeMap;

use super::decision::{Earlier, Telling};
use crate::model::alert::Alert;

/// The messages of one condition.
#[derive(Default)]
pub(super) struct Messages(Vec<Telling>);

impl Messages {
    /// Adds a message for a channel, which was sent something before or not: under the key that it has already, or under a new one. It
    /// is sent in this run, unless `is_later`. Gives the key.
    pub(super) fn add(
        &mut self,
        alert: Alert,
        key: Option<&str>,
        (channel, earlier, is_later): (&str, Option<Earlier>, bool),
        new_key: impl FnOnce() -> String,
    ) -> String {
        let is_same = |said: &Telling| Alert { dedup_key: String::new(), ..said.alert.clone() } == alert;
        let taken = key.and_then(|key| self.0.iter().position(|said| said.alert.dedup_key == key));
        let (place, is_new) = match (key, taken) {
            (Some(_), None) => (None, false),
            (Some(_), Some(place)) if is_same(&self.0[place]) => (Some(place), false),
            // Two channels are owed one message, but are told different things now; or it is new to this channel. It must not
            // get the key of one that is repeated: that one it may have taken before.
            _ => (self.0.iter().position(|said| !said.is_owed && is_same(said)), true),
        };
        if let Some(place) = place {
            let telling = &mut self.0[place];
            let receivers = if is_later { &mut telling.later } else { &mut telling.to };
            receivers.push(channel.to_owned());
            telling.earlier.extend(earlier.map(|earlier| (channel.to_owned(), earlier)));
            return telling.alert.dedup_key.clone();
        }
        let dedup_key = key.filter(|_| !is_new).map_or_else(new_key, str::to_owned);
        let alert = Alert { dedup_key: dedup_key.clone(), ..alert };
        let earlier: BTreeMap<String, Earlier> =
            earlier.map(|earlier| (channel.to_owned(), earlier)).into_iter().collect();
        let (to, later) = match is_later {
            true => (Vec::new(), vec![channel.to_owned()]),
            false => (vec![channel.to_owned()], Vec::new()),
        };
        self.0.push(Telling { alert, to, later, is_owed: !is_new, earlier });
        dedup_key
    }

    pub(super) fn tellings(self) -> impl Iterator<Item = Telling> {
        self.0.into_iter()
    }
}
