//! Single runs and what they have seen, for those who look back at them. Nothing is written.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value};
use super::queries::{LastRun, RUN_COLUMNS, RUNS, last_run};
use super::rows::of_run;
use crate::model::identity::Identity;

const CHECKS: Table = Table { name: "checks", key: &[("check_id", 0)] };
const SAMPLES: Table = Table { name: "samples", key: &[("run", 0), ("check_id", 1)] };

/// A check that runs have looked at.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub identity: Identity,
    /// The name of its entry.
    pub name: String,
    pub provider: String,
    /// What it was counted in last.
    pub currency: Option<String>,
}

/// What one run found of one check.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The start of the run.
    pub at: Timestamp,
    pub check: Identity,
    /// The word of an account, a mailbox or a subscription.
    pub status: String,
    /// Why nothing was read.
    pub reason: Option<String>,
    pub balance: Option<Decimal>,
    /// The threshold of that time.
    pub threshold: Option<Decimal>,
    /// What it is counted in: none in old stores, and an empty text where there is nothing to say.
    pub currency: Option<String>,
}

/// Which runs are asked for.
#[derive(Clone, Debug)]
pub(crate) enum Runs {
    /// Those that began in this time, both ends included.
    Between(Timestamp, Timestamp),
    /// Those of this id. The shards of a run may share it.
    Of(String),
}

/// The runs, oldest first.
pub(super) fn runs(database: &mut dyn Database, asked: &Runs) -> Result<Vec<LastRun>, StoreError> {
    let (condition, parameters): (_, Vec<Value>) = match asked {
        Runs::Between(since, until) => {
            ("run >= $1 AND run <= $2", vec![since.as_microsecond().into(), until.as_microsecond().into()])
        }
        Runs::Of(id) => ("id = $1", vec![id.as_str().into()]),
    };
    let sql = format!("SELECT {RUN_COLUMNS} FROM runs WHERE {condition} ORDER BY run");
    let mut all = Vec::new();
    each(database, (&sql, &parameters), &RUNS, &mut |row| {
        all.push(last_run(row)?);
        Ok(())
    })?;
    Ok(all)
}

/// Every check that is kept.
pub(super) fn checks(database: &mut dyn Database) -> Result<Vec<Check>, StoreError> {
    let sql = "SELECT check_id, name, provider, currency FROM checks ORDER BY name, provider";
    let mut all = Vec::new();
    each(database, (sql, &[]), &CHECKS, &mut |row| {
        all.push(Check {
            identity: Identity(row.int(0)?),
            name: row.text(1)?.to_owned(),
            provider: row.text(2)?.to_owned(),
            currency: row.optional_text(3).filter(|currency| !currency.is_empty()).map(str::to_owned),
        });
        Ok(())
    })?;
    Ok(all)
}

/// What the runs of a time found, both ends included, oldest first: of these checks, or of all.
pub(super) fn seen(
    database: &mut dyn Database,
    (from, until): (Timestamp, Timestamp),
    checks: Option<&[Identity]>,
) -> Result<Vec<Seen>, StoreError> {
    let columns = "s.run, s.check_id, s.status, s.reason, s.balance, s.threshold, s.currency";
    let mut parameters: Vec<Value> = vec![from.as_microsecond().into(), until.as_microsecond().into()];
    let sql = match checks {
        None => format!("SELECT {columns} FROM samples s WHERE s.run >= $1 AND s.run <= $2 ORDER BY s.run"),
        Some(checks) => {
            parameters.extend(checks.iter().map(|check| Value::from(check.0)));
            let numbers: Vec<String> = (3..parameters.len() + 1).map(|number| format!("${number}")).collect();
            let keys = if numbers.is_empty() { "NULL".to_owned() } else { numbers.join(", ") };
            // Over the runs, so that few checks of many are found by the key of the samples.
            format!(
                "SELECT {columns} FROM runs r JOIN samples s ON s.run = r.run AND s.check_id IN ({keys}) \
                 WHERE r.run >= $1 AND r.run <= $2 ORDER BY r.run"
            )
        }
    };
    let mut all = Vec::new();
    each(database, (&sql, &parameters), &SAMPLES, &mut |row| {
        all.push(Seen {
            at: of_run(row.int(0)?)?,
            check: Identity(row.int(1)?),
            status: row.text(2)?.to_owned(),
            reason: row.optional_text(3).map(str::to_owned),
            balance: row.decimal(4)?,
            threshold: row.decimal(5)?,
            currency: row.optional_text(6).map(str::to_owned),
        });
        Ok(())
    })?;
    Ok(all)
}

/// Reads the rows of an answer; those that cannot be understood are left out and named.
fn each(
    database: &mut dyn Database,
    (sql, parameters): (&str, &[Value]),
    table: &Table,
    read: &mut dyn FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut odd = Odd::default();
    for row in database.query(sql, parameters)? {
        odd.read(table, &row, &mut *read)?;
    }
    odd.tell();
    Ok(())
}
