//! The readings that the memory of runs would have given for a forecast at a time that has passed.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::decide::forecast::account::Reading;
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::state::hourly_readings::{HOURLY, HOUR, SIX_HOURS};

/// Runs after which what nobody will ask for any more is forgotten.
const FORGOTTEN_AFTER: usize = 64;

/// The part of the checks that a run is about, and whether flags left some out.
type Lane = (Option<Shard>, bool);

/// What runs have read so far.
#[derive(Default)]
pub(super) struct Past {
    /// The runs of each part of the checks, as microseconds since 1970, oldest first.
    lanes: Vec<(Lane, Vec<i64>)>,
    readings: HashMap<Identity, Vec<Reading>>,
    runs: usize,
}

impl Past {
    /// The runs that count at a time, in order.
    pub(super) fn chosen(&self, now: Timestamp) -> Vec<i64> {
        let hourly = (now - HOURLY).as_microsecond();
        let hour = |run: i64| if run >= hourly { run / HOUR } else { -(run / SIX_HOURS) };
        let mut chosen: Vec<i64> = self.lanes.iter().flat_map(|(_, runs)| last_of_each(runs, hour)).collect();
        chosen.sort_unstable();
        chosen
    }

    /// What these runs have read of an account since then, oldest first.
    pub(super) fn of(&self, account: Identity, chosen: &[i64], since: Timestamp) -> Vec<Reading> {
        let readings = self.readings.get(&account).map(Vec::as_slice).unwrap_or_default();
        let counts =
            |reading: &&Reading| reading.at >= since && chosen.binary_search(&reading.at.as_microsecond()).is_ok();
        readings.iter().filter(counts).cloned().collect()
    }

    /// Adds what a run has read.
    pub(super) fn add(&mut self, lane: Lane, at: Timestamp, read: Vec<(Identity, Reading)>) {
        let run = at.as_microsecond();
        match self.lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, runs)) => runs.push(run),
            None => self.lanes.push((lane, vec![run])),
        }
        for (account, reading) in read {
            self.readings.entry(account).or_default().push(reading);
        }
        self.runs += 1;
        if self.runs.is_multiple_of(FORGOTTEN_AFTER) {
            self.forget(at);
        }
    }

    /// Of the runs that are older than those of which any may count, only the last one of six hours can count still.
    fn forget(&mut self, now: Timestamp) {
        let young = (now - HOURLY - SignedDuration::from_hours(6)).as_microsecond();
        for (_, runs) in &mut self.lanes {
            let last: Vec<i64> = last_of_each(runs, |run| run / SIX_HOURS).collect();
            runs.retain(|run| *run >= young || last.binary_search(run).is_ok());
        }
        let mut kept: Vec<i64> = self.lanes.iter().flat_map(|(_, runs)| runs.iter().copied()).collect();
        kept.sort_unstable();
        for readings in self.readings.values_mut() {
            readings.retain(|reading| kept.binary_search(&reading.at.as_microsecond()).is_ok());
        }
    }
}

/// The last run of each part of the time.
fn last_of_each(runs: &[i64], part: impl Fn(i64) -> i64) -> impl Iterator<Item = i64> {
    let is_last = move |at: &usize| runs.get(at + 1).is_none_or(|next| part(*next) != part(runs[*at]));
    (0..runs.len()).filter(is_last).map(|at| runs[at])
}
