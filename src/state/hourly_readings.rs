//! The readings that a forecast is made of. Each check has at most one for each hour, however often it is read: what a
//! forecast says does not depend on more, and a run every five minutes would make twelve times as many.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value};
use super::rows::{of_run, present};
use crate::model::identity::Identity;

/// One balance that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The start of its run.
    pub at: Timestamp,
    /// What was left.
    pub balance: Decimal,
    /// What it is counted in; none where the sample does not say it, and an empty text where there is nothing to say.
    pub currency: Option<String>,
}

const SAMPLES: Table = Table { name: "samples", key: &[("run", 0), ("check_id", 1)] };

/// The balances since then of one check, or of all, oldest first. Of the runs of an hour only the last one counts; runs that are
/// about other checks, because they share them or because flags left some out, have hours of their own.
pub(super) fn past(
    database: &mut dyn Database,
    check: Option<Identity>,
    since: Timestamp,
) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
    let mut sql = "SELECT s.run, s.check_id, s.balance, s.currency FROM (SELECT max(r.run) AS run FROM runs r \
                   WHERE r.run >= $1 AND r.run <= $2 GROUP BY r.shard, r.is_partial, r.run / 3600000000) h \
                   JOIN samples s ON s.run = h.run WHERE s.balance IS NOT NULL"
        .to_owned();
    let mut parameters: Vec<Value> = vec![since.as_microsecond().into(), present().into()];
    if let Some(check) = check {
        sql += " AND s.check_id = $3";
        parameters.push(check.0.into());
    }
    sql += " ORDER BY s.run";
    let (mut all, mut odd) = (BTreeMap::<Identity, Vec<Reading>>::new(), Odd::default());
    for row in database.query(&sql, &parameters)? {
        odd.read(&SAMPLES, &row, |row| {
            let found = reading(row)?;
            all.entry(Identity(row.int(1)?)).or_default().extend(found);
            Ok(())
        })?;
    }
    odd.tell();
    Ok(all)
}

fn reading(row: &Row) -> Result<Option<Reading>, StoreError> {
    let (at, currency) = (of_run(row.int(0)?)?, row.optional_text(3).map(str::to_owned));
    Ok(row.decimal(2)?.map(|balance| Reading { at, balance, currency }))
}
