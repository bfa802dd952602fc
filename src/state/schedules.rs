//! The schedules whose runs share a store, and when they ran.

use jiff::Timestamp;

use super::StoreError;
use super::database::{Database, Value};
use super::rows::{of_run, shard_text};
use crate::decide::memory::PastRuns;
use crate::decide::silent::{LOOKED_BACK, SHORTEST_SILENCE};
use crate::model::schedule::Schedule;

/// The most schedules that are looked at.
const MOST: usize = 64;
/// The most runs of a schedule that are looked at, the newest ones.
const MOST_RUNS: i64 = 2000;

/// Every schedule that has run. When its runs began is read where it is not `own` and the last one does not show that all is well.
pub(super) fn schedules(database: &mut dyn Database, own: &Schedule) -> Result<Vec<PastRuns>, StoreError> {
    let now = database.now();
    let mut found: Vec<PastRuns> = Vec::new();
    // From the end of the index on: the newest run of each schedule comes first, and its other ones are not read.
    let mut before: Option<(String, String)> = None;
    while found.len() < MOST {
        let mut newest = |bound: &str, values: &[Value]| {
            let sql = format!(
                "SELECT schedule, shard, run FROM runs WHERE schedule <> '' {bound} \
                 ORDER BY schedule DESC, shard DESC, run DESC LIMIT 1"
            );
            database.query(&sql, values)
        };
        // Both columns compared at once would read every run of the schedule on SQLite.
        let rows = match &before {
            None => newest("", &[])?,
            Some((name, shard)) => {
                let shards =
                    newest("AND schedule = $1 AND shard < $2", &[name.as_str().into(), shard.as_str().into()])?;
                if shards.is_empty() { newest("AND schedule < $1", &[name.as_str().into()])? } else { shards }
            }
        };
        let Some(row) = rows.first() else { break };
        let (name, shard) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        // What cannot be understood was written by another program, and is nobody's schedule.
        let is_whole = shard.is_empty();
        if let (Ok(last), parsed) = (of_run(row.int(2)?), shard.parse().ok())
            && (is_whole || parsed.is_some())
        {
            let schedule = Schedule { name: name.clone(), shard: parsed };
            let is_well = now.duration_since(last) <= SHORTEST_SILENCE;
            let starts = if is_well || schedule == *own { Vec::new() } else { starts(database, &schedule, last)? };
            found.push(PastRuns { schedule, last, starts });
        }
        before = Some((name, shard));
    }
    Ok(found)
}

/// When the runs of a schedule began, oldest first.
fn starts(database: &mut dyn Database, schedule: &Schedule, last: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
    let sql = "SELECT run FROM runs WHERE schedule = $1 AND shard = $2 AND run >= $3 ORDER BY run DESC LIMIT $4";
    let since = (last - LOOKED_BACK).as_microsecond();
    let values = [schedule.name.as_str().into(), shard_text(schedule.shard).into(), since.into(), MOST_RUNS.into()];
    let rows = database.query(sql, &values)?;
    rows.iter().rev().map(|row| of_run(row.int(0)?)).collect()
}
