//! Alerts about other schedules, whose runs do not come any more.
//!
//! A schedule that has died cannot say so itself, but the runs of others see it in the store that they share. How long it may be silent
//! follows from its own past runs; one whose runs show no rhythm, as those of a person do, is expected at no time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::alert_builder::AlertBuilder;
use super::decision::{Decision, SilentSchedule};
use super::per_channel::{Observed, Settler};
use crate::decide::memory::PastRuns;
use crate::model::addressing::Addressing;
use crate::model::alert::{Cause, Event, Level, Silent, Topic};
use crate::model::schedule::Schedule;

/// A schedule that has been silent for less is as well as if it had just run.
pub(crate) const SHORTEST_SILENCE: SignedDuration = SignedDuration::from_mins(15);
/// From how far back runs count, seen from the last one.
pub(crate) const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(60 * 24);
/// After so long a schedule is taken for removed.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The fewest pauses between runs that are a rhythm.
const FEWEST_PAUSES: usize = 4;
/// A shorter past has no night in it.
const SHORTEST_PAST: SignedDuration = SignedDuration::from_hours(24);
/// A shorter past need not have a weekend in it.
const WEEK: SignedDuration = SignedDuration::from_hours(8 * 24);
/// Until a weekend has been seen, none is mistaken for the end: from Friday's last run to Monday's first, and a little more.
const WEEKEND: SignedDuration = SignedDuration::from_hours(96);
/// In so long a past every pause of a week has come several times, so that one alone was an outage.
const WEEKS: SignedDuration = SignedDuration::from_hours(21 * 24);

impl Settler<'_> {
    /// Decides what is told of the other schedules.
    pub(super) fn settle_schedules(&self, decision: &mut Decision) {
        let addressing = Addressing::default();
        for past in self.memory.schedules.iter().filter(|past| past.schedule != self.rules.schedule) {
            let (identity, name) = (past.schedule.identity(), past.schedule.to_string());
            let builder = AlertBuilder::of_schedule(identity, &name, &addressing, self.cooldown.now);
            let observed = self.silence(past, &builder);
            if let Observed::Wrong(_) = &observed {
                decision.silent.push(SilentSchedule { name: name.clone(), last: past.last });
            }
            self.settle(observed, (identity, Topic::Silent), &builder.about(), decision);
        }
        // What is not in the store any more is forgotten without a word.
        let known: Vec<_> = self.memory.schedules.iter().map(|past| past.schedule.identity()).collect();
        let gone = self.memory.conditions.keys().filter(|(_, topic)| *topic == Topic::Silent);
        for key in gone.filter(|(identity, _)| !known.contains(identity) && *identity != self.rules.schedule.identity())
        {
            let builder = AlertBuilder::of_schedule(key.0, "", &addressing, self.cooldown.now);
            self.settle(Observed::Void, *key, &builder.about(), decision);
        }
    }

    fn silence(&self, past: &PastRuns, builder: &AlertBuilder) -> Observed {
        let silence = self.cooldown.now.duration_since(past.last);
        if silence > GIVEN_UP || !self.is_current(&past.schedule) {
            return Observed::Void;
        }
        let pause = longest_pause(&past.starts);
        let usual = pause.map(|pause| Duration::try_from(pause).unwrap_or_default().as_secs());
        let cause = Cause::Silent(Silent { last: past.last, usual });
        match pause.map(|pause| longest_silence(&past.starts, pause)) {
            Some(limit) if silence > limit => Observed::Wrong(builder.alert(Event::Raised, Level::Warning, cause)),
            _ => Observed::Right(builder.alert(Event::Resolved, Level::Info, cause)),
        }
    }

    /// Whether a schedule has as many shards as the newest run of its name: with another number there are other shards.
    fn is_current(&self, schedule: &Schedule) -> bool {
        let number = |schedule: &Schedule| schedule.shard.map(|shard| shard.count());
        if schedule.name == self.rules.schedule.name {
            return number(schedule) == number(&self.rules.schedule);
        }
        let of_name = self.memory.schedules.iter().filter(|past| past.schedule.name == schedule.name);
        let newest = of_name.max_by_key(|past| past.last);
        newest.is_none_or(|newest| number(&newest.schedule) == number(schedule))
    }
}

/// The longest pause between two runs while all was well; none if the runs have no rhythm. They stand oldest first.
fn longest_pause(starts: &[Timestamp]) -> Option<SignedDuration> {
    let mut pauses = pauses(starts);
    pauses.sort();
    let usual = *pauses.get(pauses.len() / 2)?;
    let is_usual = |pause: &&SignedDuration| **pause >= usual / 2 && **pause <= usual * 2;
    let has_rhythm = pauses.iter().filter(is_usual).count() * 3 >= pauses.len() * 2;
    if pauses.len() < FEWEST_PAUSES || span(starts) < SHORTEST_PAST || !has_rhythm {
        return None;
    }
    let longest = *pauses.last()?;
    let second = pauses[pauses.len() - 2];
    Some(if span(starts) >= WEEKS && longest > second * 2 { second } else { longest })
}

/// How long a schedule with such a longest pause may be silent.
fn longest_silence(starts: &[Timestamp], pause: SignedDuration) -> SignedDuration {
    let limit = (pause * 3 / 2).max(pause + SHORTEST_SILENCE);
    let mut pauses = pauses(starts);
    pauses.sort();
    let usual = pauses.get(pauses.len() / 2).copied().unwrap_or(pause);
    // Runs that pause at night, or come once or twice a day, may pause longer at weekends.
    let may_rest = pause > usual * 2 || usual >= SHORTEST_PAST / 2;
    if may_rest && span(starts) < WEEK { limit.max(WEEKEND) } else { limit }
}

fn pauses(starts: &[Timestamp]) -> Vec<SignedDuration> {
    starts.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
}

fn span(starts: &[Timestamp]) -> SignedDuration {
    let ends = starts.first().zip(starts.last());
    ends.map_or(SignedDuration::ZERO, |(first, last)| last.duration_since(*first))
}
