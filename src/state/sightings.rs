//! The readings that charts are drawn of: of a long time only as many as a chart can show, and those that failed as well, since a
//! gap in a chart is one that was seen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row};
use super::rows::{of_run, present};
use crate::model::identity::Identity;

const SAMPLES: Table = Table { name: "samples", key: &[("run", 0), ("check_id", 1)] };

/// The time is cut into so many pieces, and of the runs of a piece only the last one counts. A chart has fewer columns, so that one
/// failed run is no gap.
const PIECES: i64 = 1200;

/// What one run saw of an account.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    /// The start of the run.
    pub at: Timestamp,
    /// The balance; none if it was not read.
    pub balance: Option<Decimal>,
    /// What it is counted in; none where the sample does not say it, and an empty text where there is nothing to say.
    pub currency: Option<String>,
}

/// What runs have seen of each account since then, oldest first. Runs of different schedules, or about different parts of the checks,
/// have pieces of their own.
pub(super) fn sightings(
    database: &mut dyn Database,
    since: Timestamp,
) -> Result<BTreeMap<Identity, Vec<Sighting>>, StoreError> {
    let (since, until) = (since.as_microsecond(), present(database));
    let first =
        database.query("SELECT min(run) FROM runs WHERE run >= $1 AND run <= $2", &[since.into(), until.into()])?;
    let Some(first) = first.first().and_then(|row| row.optional_int(0)) else { return Ok(BTreeMap::new()) };
    let piece = ((until - first) / PIECES).max(1);
    let sql = "SELECT s.run, s.check_id, s.balance, s.currency FROM (SELECT max(r.run) AS run FROM runs r \
               WHERE r.run >= $1 AND r.run <= $2 GROUP BY r.schedule, r.shard, r.is_partial, (r.run - $1) / $3) h \
               JOIN samples s ON s.run = h.run ORDER BY s.run";
    let (mut all, mut odd) = (BTreeMap::<Identity, Vec<Sighting>>::new(), Odd::default());
    for row in database.query(sql, &[first.into(), until.into(), piece.into()])? {
        odd.read(&SAMPLES, &row, |row| {
            let seen = sighting(row)?;
            all.entry(Identity(row.int(1)?)).or_default().push(seen);
            Ok(())
        })?;
    }
    odd.tell();
    all.retain(|_, seen| seen.iter().any(|sighting| sighting.balance.is_some()));
    Ok(all)
}

fn sighting(row: &Row) -> Result<Sighting, StoreError> {
    let currency = row.optional_text(3).map(str::to_owned);
    Ok(Sighting { at: of_run(row.int(0)?)?, balance: row.decimal(2)?, currency })
}
