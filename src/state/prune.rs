//! Removes what is too old.

use std::time::Duration;

use jiff::Timestamp;

use super::StoreError;
use super::database::{Database, Value, for_keys};
use super::samples::RECORDED_EVERY;
use crate::model::alert::Topic;
use crate::process::clock;

/// At most this many expired runs are removed per run, so that the first run after a long pause is not slow.
const PRUNED_AT_ONCE: i64 = 50;
/// How long mails that were told are remembered. The first look into a mailbox goes back 30 days at the most.
const MAILS_KNOWN: Duration = Duration::from_secs(60 * 86_400);
/// A clock is believed until this long after the start of an earlier run.
const BORNE_OUT: Duration = Duration::from_secs(86_400);
/// Messages that could not be delivered for this long are given up.
const PENDING_EXPIRES: Duration = Duration::from_secs(30 * 86_400);

/// The time as far as it is believed; none if a store has nothing yet that could be too old.
///
/// A clock that is ahead by years must not empty the store, so time counts only as far as an earlier run bears it out: one
/// that began a day ago or more, and the day after it. A store that has no such run has nothing to remove.
pub(super) fn believed(database: &mut dyn Database, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT max(run) FROM runs WHERE run <= $1";
    let witness = database.query(sql, &[clock::before(now, BORNE_OUT).as_microsecond().into()])?;
    let witness = witness.first().and_then(|row| Timestamp::from_microsecond(row.optional_int(0)?).ok());
    Ok(witness.map(|witness| now.min(clock::after(witness, BORNE_OUT))))
}

/// Removes what is older than the retention.
pub(super) fn prune(database: &mut dyn Database, now: Timestamp, retention: Duration) -> Result<(), StoreError> {
    let Some(now) = believed(database, now)? else { return Ok(()) };
    let expired = clock::before(now, PENDING_EXPIRES.min(retention)).as_millisecond();
    let sql = "UPDATE alerts SET state = 'expired', done_at = $1 \
               WHERE state = 'pending' AND created_at < $2 AND (claimed_by IS NULL OR claimed_until < $1)";
    database.execute(sql, &[now.as_millisecond().into(), expired.into()])?;
    // A mail that was told needs no longer memory than a first look goes back.
    let mails = clock::before(now, MAILS_KNOWN).as_millisecond();
    super::mutes::prune(database, now, mails)?;
    let old = "topic = $1 AND check_id IN (SELECT c.check_id FROM courses c WHERE c.topic = $1 AND c.began_at < $2)";
    for table in ["told", "courses"] {
        let sql = format!("DELETE FROM {table} WHERE {old}");
        database.execute(&sql, &[Topic::Mail.as_str().into(), mails.into()])?;
    }
    let oldest = clock::before(now, retention);
    let sql = "SELECT run FROM runs WHERE run < $1 ORDER BY run LIMIT $2";
    let rows = database.query(sql, &[oldest.as_microsecond().into(), PRUNED_AT_ONCE.into()])?;
    let runs: Vec<Value> = rows.into_iter().filter_map(|row| row.0.into_iter().next()).collect();
    if runs.is_empty() {
        return Ok(());
    }
    for_keys(database, "DELETE FROM samples WHERE run IN ({keys})", &[], &runs)?;
    for_keys(database, "DELETE FROM runs WHERE run IN ({keys})", &[], &runs)?;
    let run = [(oldest.as_microsecond() - RECORDED_EVERY).into()];
    let time = [oldest.as_millisecond().into()];
    let gone = "SELECT check_id FROM checks WHERE last_run < $1";
    for table in ["failures", "told", "courses", "mail_readings", "mutes", "payments", "renewals"] {
        database.execute(&format!("DELETE FROM {table} WHERE check_id IN ({gone})"), &run)?;
    }
    database.execute("DELETE FROM checks WHERE last_run < $1", &run)?;
    let old = "SELECT dedup_key FROM alerts WHERE state <> 'pending' AND created_at < $1";
    database.execute(&format!("DELETE FROM deliveries WHERE dedup_key IN ({old})"), &time)?;
    database.execute("DELETE FROM alerts WHERE state <> 'pending' AND created_at < $1", &time)?;
    database.execute("DELETE FROM readings WHERE read_at < $1", &time)?;
    database.execute("DELETE FROM answers WHERE seen_at < $1", &time)?;
    // Earlier versions named readings by whole addresses, in whose paths tokens may stand.
    database.execute("DELETE FROM readings WHERE account LIKE '%://%'", &[])
}
