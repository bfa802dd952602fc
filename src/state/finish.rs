//! Writes the end of a run into the store.

use std::time::Duration;

use jiff::Timestamp;

use super::database::{Database, Value, for_keys, insert, transaction};
use super::outbox::close;
use super::prune::prune;
use super::rows::shard_text;
use super::sums::metric_marks;
use super::told::{forget, insert_told};
use super::{DeliveryRecord, Marks, Run, StoreError};
use crate::decide::memory::{Fate, Told};
use crate::model::alert::{Alert, Event, Topic};
use crate::model::identity::Identity;
use crate::process::fault;

/// Marks what became of the messages, ends the run's row and removes what is too old.
pub(super) fn mark(
    database: &mut dyn Database,
    number: Option<i64>,
    run: &Run,
    marks: &Marks,
    retention: Duration,
    wait: Duration,
) -> Result<(), StoreError> {
    transaction(database, wait, |database| {
        let now = run.clock.now();
        // A claim that this run gave up waiting for may have been written after all.
        let number = match number {
            Some(number) => number,
            None => {
                // The shards of a run may have one id.
                let sql = "SELECT run FROM runs WHERE id = $1 AND run >= $2 AND shard = $3 ORDER BY run LIMIT 1";
                let start = run.started_at.as_microsecond();
                let rows =
                    database.query(sql, &[run.id.as_str().into(), start.into(), shard_text(run.shard).into()])?;
                match rows.first() {
                    Some(row) => row.int(0)?,
                    None => return Ok(()),
                }
            }
        };
        delivered(database, run, marks, now)?;
        let sql = "UPDATE runs SET finished_at = $1, exit_code = $2 WHERE run = $3";
        database.execute(sql, &[now.as_millisecond().into(), marks.exit_code.into(), number.into()])?;
        if let Some(metrics) = &marks.metrics {
            metric_marks(database, metrics)?;
        }
        prune(database, now, retention)?;
        fault::point("in-mark");
        Ok(())
    })?;
    database.release();
    Ok(())
}

/// Marks what is settled, while the run is still telling others.
pub(super) fn keep(
    database: &mut dyn Database,
    run: &Run,
    settled: &[(DeliveryRecord, Alert)],
    wait: Duration,
) -> Result<(), StoreError> {
    transaction(database, wait, |database| {
        let now = run.clock.now();
        deliveries(database, run, &settled.iter().map(|(record, alert)| (record, alert)).collect::<Vec<_>>(), now)?;
        let keys: Vec<Value> = settled.iter().map(|(_, alert)| alert.dedup_key.as_str().into()).collect();
        close(database, &keys, now)
    })
}

/// What became of each message on each channel, at the end of the run.
fn delivered(database: &mut dyn Database, run: &Run, marks: &Marks, now: Timestamp) -> Result<(), StoreError> {
    let delivered =
        marks.deliveries.iter().filter_map(|delivered| Some((delivered, marks.alerts.get(delivered.alert)?)));
    deliveries(database, run, &delivered.collect::<Vec<_>>(), now)?;
    let keys: Vec<Value> = marks.alerts.iter().map(|alert| alert.dedup_key.as_str().into()).collect();
    let sql = "UPDATE alerts SET claimed_by = NULL, claimed_until = NULL WHERE dedup_key IN ({keys})";
    for_keys(database, sql, &[], &keys)?;
    close(database, &keys, now)
}

/// Writes what became of messages, and what channels know from then on.
fn deliveries(
    database: &mut dyn Database,
    run: &Run,
    delivered: &[(&DeliveryRecord, &Alert)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let delivered = || delivered.iter().copied();
    // A digest is no condition: nobody asks again what channels know of it, and its parts are about one thing.
    let is_told = |record: &DeliveryRecord, alert: &Alert| record.fate == Fate::Taken && alert.topic() != Topic::Digest;
    let taken = || delivered().filter(|(delivered, alert)| is_told(delivered, alert));
    let key = |alert: &Alert| (alert.identity, alert.topic());
    let over = taken().filter(|(_, alert)| alert.event == Event::Resolved);
    forget(database, over.map(|(delivered, alert)| (key(alert), delivered.channel.as_str())))?;
    for is_reminder in [false, true] {
        let told: Vec<((Identity, Topic), &str, Told)> = taken()
            .filter(|(_, alert)| alert.event == Event::Raised && alert.is_reminder == is_reminder)
            .map(|(delivered, alert)| (key(alert), delivered.channel.as_str(), Told::of(alert, run.started_at)))
            .collect();
        let told = told.iter().map(|(key, channel, told)| (*key, *channel, told)).collect();
        insert_told(database, told, !is_reminder)?;
    }
    let rows: Vec<Vec<Value>> = delivered()
        .map(|(delivered, alert)| {
            vec![
                alert.dedup_key.as_str().into(),
                delivered.channel.as_str().into(),
                run.id.as_str().into(),
                delivered.tried_at.unwrap_or(now).as_millisecond().into(),
                delivered.fate.as_str().into(),
                delivered.detail.as_deref().into(),
                i64::from(delivered.tried_at.is_some()).into(),
                i64::from(delivered.fate == Fate::Unknown).into(),
                i64::from(delivered.is_poisoned).into(),
            ]
        })
        .collect();
    insert(
        database,
        "deliveries",
        &["dedup_key", "channel", "run_id", "at", "status", "detail", "attempts", "doubts", "refusals"],
        &rows,
        // What was marked while others were still being told is not marked again: until then it is pending in each run that sends it.
        "ON CONFLICT (dedup_key, channel) DO UPDATE SET run_id = excluded.run_id, \
         at = CASE WHEN excluded.attempts > 0 THEN excluded.at ELSE deliveries.at END, \
         status = excluded.status, detail = excluded.detail, attempts = deliveries.attempts + excluded.attempts * {new}, \
         doubts = deliveries.doubts + excluded.doubts * {new}, refusals = deliveries.refusals + excluded.refusals * {new} \
         WHERE deliveries.status <> 'sent'"
            .replace("{new}", "(CASE WHEN deliveries.status = 'pending' THEN 1 ELSE 0 END)")
            .as_str(),
    )
}
