//! The readings that a forecast is made of. Each check has at most one for each hour, however often it is read: what a
//! forecast says does not depend on more, and a run every five minutes would make twelve times as many.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value};
use super::rows::of_run;
use crate::decide::forecast::account::Reading;
use crate::model::identity::Identity;

const SAMPLES: Table = Table { name: "samples", key: &[("run", 0), ("check_id", 1)] };

/// Which checks are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Checks {
    /// One.
    One(Identity),
    /// All whose identities lie in this range, both ends included.
    Between(Identity, Identity),
    All,
}

/// How long readings are kept apart by hours; before that one for six hours is enough.
pub(crate) const HOURLY: SignedDuration = SignedDuration::from_hours(3 * 24);
/// The parts of the time of which the last run counts, in microseconds.
pub(crate) const HOUR: i64 = 3_600_000_000;
pub(crate) const SIX_HOURS: i64 = 6 * HOUR;

/// The balances since then, oldest first, and those that lie as far ahead: the clock may have been set back. Of the runs of an hour only the last one counts, and of those that are more than three days
/// old the last one of six hours; runs that are about other checks, because they share them or because flags left some out, have
/// hours of their own.
pub(super) fn past(
    database: &mut dyn Database,
    checks: Checks,
    (since, now): (Timestamp, Timestamp),
) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
    let hourly = now.checked_sub(HOURLY).unwrap_or(Timestamp::MIN);
    thinned(database, checks, (since, now), hourly)
}

/// The same with a time from which on readings are kept apart by hours.
pub(super) fn thinned(
    database: &mut dyn Database,
    checks: Checks,
    (since, now): (Timestamp, Timestamp),
    hourly: Timestamp,
) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
    let mut sql = format!(
        "SELECT s.run, s.check_id, s.balance, s.currency FROM (SELECT max(r.run) AS run FROM runs r \
         WHERE r.run >= $1 AND r.run <= $2 GROUP BY r.shard, r.is_partial, \
         CASE WHEN r.run >= $3 THEN r.run / {HOUR} ELSE -(r.run / {SIX_HOURS}) END) h \
         JOIN samples s ON s.run = h.run WHERE s.balance IS NOT NULL"
    );
    let ahead = now.checked_add(now.duration_since(since)).unwrap_or(Timestamp::MAX);
    let mut parameters: Vec<Value> =
        vec![since.as_microsecond().into(), ahead.as_microsecond().into(), hourly.as_microsecond().into()];
    match checks {
        Checks::All => {}
        Checks::One(check) => {
            sql += " AND s.check_id = $4";
            parameters.push(check.0.into());
        }
        Checks::Between(first, last) => {
            sql += " AND s.check_id BETWEEN $4 AND $5";
            parameters.extend([first.0.into(), last.0.into()]);
        }
    }
    let (mut all, mut odd) = (BTreeMap::<Identity, Vec<Reading>>::new(), Odd::default());
    for row in database.query(&sql, &parameters)? {
        odd.read(&SAMPLES, &row, |row| {
            let found = reading(row)?;
            all.entry(Identity(row.int(1)?)).or_default().extend(found);
            Ok(())
        })?;
    }
    odd.tell();
    // They nearly stand in this order, which SQLite does not know: it would write them all down once more to sort them.
    all.values_mut().for_each(|readings| readings.sort_by_key(|reading| reading.at));
    Ok(all)
}

fn reading(row: &Row) -> Result<Option<Reading>, StoreError> {
    let (at, currency) = (of_run(row.int(0)?)?, row.optional_text(3).map(str::to_owned));
    Ok(row.decimal(2)?.map(|balance| Reading { at, balance, currency }))
}
