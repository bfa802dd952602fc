//! What several questions read out of rows: times, messages, facts, and which run was before this one.

use jiff::Timestamp;

use super::StoreError;
use super::database::{Database, insert};
use crate::model::alert::Alert;
use crate::model::shard::Shard;

/// A message as it was kept. What is well-formed and yet none may be one of a newer version.
pub(super) fn content(text: &str) -> Result<Alert, StoreError> {
    serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => StoreError::unknown("message"),
        false => StoreError::damaged("a message in it cannot be understood"),
    })
}

pub(super) fn timestamp(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::damaged("a time in it is out of range"))
}

pub(super) fn fact(database: &mut dyn Database, name: &str) -> Result<Option<String>, StoreError> {
    let rows = database.query("SELECT value FROM facts WHERE name = $1", &[name.into()])?;
    Ok(rows.first().and_then(|row| row.optional_text(0)).map(str::to_owned))
}

pub(super) fn set_fact(database: &mut dyn Database, name: &str, value: &str) -> Result<(), StoreError> {
    let rest = "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    insert(database, "facts", &["name", "value"], &[vec![name.into(), value.into()]], rest)
}

/// When the last run over everything began, or over all of a shard.
pub(super) fn previous_start(
    database: &mut dyn Database,
    shard: Option<Shard>,
) -> Result<Option<Timestamp>, StoreError> {
    Ok(previous_run(database, shard)?.and_then(|run| of_run(run).ok()))
}

/// The number of the run before this one, over the same checks.
pub(super) fn previous_run(database: &mut dyn Database, shard: Option<Shard>) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT run FROM runs WHERE run <= $1 AND shard = $2 AND is_partial = 0 ORDER BY run DESC LIMIT 1";
    let rows = database.query(sql, &[present(database).into(), shard_text(shard).into()])?;
    Ok(rows.first().and_then(|row| row.optional_int(0)))
}

/// How a shard stands in the store; empty for none.
pub(super) fn shard_text(shard: Option<Shard>) -> String {
    shard.map(|shard| shard.to_string()).unwrap_or_default()
}

/// The highest number that a run can have now, with a little for clocks that differ.
pub(super) fn present(database: &dyn Database) -> i64 {
    database.now().as_microsecond().saturating_add(5 * 60 * 1_000_000)
}

pub(super) fn of_run(number: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(number).map_err(|_| StoreError::damaged("a time in it is out of range"))
}
