//! What is not told for a while although it is wrong: what is silenced, and what somebody has acknowledged. It is judged and
//! remembered all the same.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::changes::Content;
use super::decision::Key;
use super::memory::{Covers, Mute, Told};
use super::renewal_cycle::cycle;
use super::route::{About, fits};
use crate::model::alert::{Alert, Cause, Level, Topic};

/// What mutes one condition.
pub(super) struct Muting<'a> {
    /// Those in force that may be about it, silences first.
    mutes: Vec<&'a Mute>,
    about: &'a About<'a>,
    topic: Topic,
    drop_percent: Decimal,
}

impl<'a> Muting<'a> {
    /// What of all mutes may be about one condition.
    pub(super) fn of(
        mutes: &'a [Mute],
        about: &'a About<'a>,
        key: Key,
        now: Timestamp,
        drop_percent: Decimal,
    ) -> Muting<'a> {
        let is_about = |mute: &&Mute| match &mute.covers {
            Covers::Matching(_) => mute.is_in_force(now),
            Covers::Known { key: known, .. } => *known == key && mute.is_in_force(now),
        };
        let mut mutes: Vec<&Mute> = mutes.iter().filter(is_about).collect();
        mutes.sort_by_key(|mute| mute.kind());
        Muting { mutes, about, topic: key.1, drop_percent }
    }

    /// What mutes an alert that something is wrong.
    pub(super) fn of_alert(&self, alert: &Alert) -> Option<&'a Mute> {
        self.find(alert.level, |told| !self.is_worse(told, alert))
    }

    /// What mutes a message of this level that is owed, in a run that does not know what is.
    pub(super) fn of_owed(&self, level: Level) -> Option<&'a Mute> {
        self.find(level, |told| level <= told.level)
    }

    fn find(&self, level: Level, is_known: impl Fn(&Told) -> bool) -> Option<&'a Mute> {
        let covers = |mute: &&&Mute| match &mute.covers {
            Covers::Matching(asked) => fits(asked, self.about, self.topic, level),
            Covers::Known { told, .. } => is_known(told),
        };
        self.mutes.iter().find(covers).copied()
    }

    /// The numbers of the acknowledgements that end because this is worse than what was known, or is about something else.
    pub(super) fn outdated(&self, alert: &Alert) -> impl Iterator<Item = i64> {
        self.acknowledged().filter(|(_, told)| self.is_worse(told, alert)).map(|(number, _)| number)
    }

    /// The numbers of all acknowledgements of the condition, and what was known.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (i64, &'a Told)> {
        self.mutes.iter().filter_map(|mute| match &mute.covers {
            Covers::Matching(_) => None,
            Covers::Known { told, .. } => Some((mute.number, told)),
        })
    }

    fn is_worse(&self, told: &Told, alert: &Alert) -> bool {
        let is_other = match &alert.cause {
            Cause::Renewal(_) => cycle(&told.mark) != cycle(&alert.mark()),
            Cause::Expiry(expiry) => !expiry.is_heard(&told.mark),
            _ => false,
        };
        is_other || Content::told(told).is_less_than(alert, self.drop_percent)
    }
}
