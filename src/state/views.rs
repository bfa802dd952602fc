//! What people ask the store: the last state, samples, alerts, the last run. Nothing is written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::book::timestamp;
use super::database::{Database, Row};
use crate::alert::{Alert, Identity, Topic};
use crate::plan::Shard;

/// Runs that `health` looks at, at least.
const LAST_RUNS: i64 = 50;

/// The last known state of one check.
#[derive(Clone, Debug)]
pub struct Known {
    /// The project's name.
    pub name: String,
    /// The provider's id.
    pub provider: String,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// What is counted.
    pub unit: String,
    /// The currency.
    pub currency: Option<String>,
    /// When it was last looked at.
    pub checked_at: Timestamp,
    /// What was found then.
    pub status: String,
    /// The balance then.
    pub balance: Option<Decimal>,
    /// The threshold then.
    pub threshold: Option<Decimal>,
    /// Why it was not read.
    pub reason: Option<String>,
    /// Failed runs in a row.
    pub failed_runs: i64,
    /// For one that was not read: the last balance that was, and when.
    pub last_read: Option<(Timestamp, Decimal)>,
    /// When somebody was last told of a low balance that is not known to be over.
    pub told_at: Option<Timestamp>,
    /// Messages that no channel has taken yet.
    pub pending: usize,
}

/// One sample.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The start of its run.
    pub at: Timestamp,
    /// What was found.
    pub status: String,
    /// Why nothing was read.
    pub reason: Option<String>,
    /// The balance.
    pub balance: Option<Decimal>,
    /// The threshold.
    pub threshold: Option<Decimal>,
}

/// The samples of one check, oldest first.
#[derive(Clone, Debug)]
pub struct Series {
    /// The project's name.
    pub name: String,
    /// The provider's id.
    pub provider: String,
    /// The currency.
    pub currency: Option<String>,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// A message and what became of it.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it says.
    pub alert: Alert,
    /// `pending`, `sent`, `withdrawn` (it was no longer true before anybody could be told) or `expired`.
    pub state: String,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When a channel took it, or it was given up.
    pub done_at: Option<Timestamp>,
    /// What each channel said last.
    pub deliveries: Vec<Sending>,
}

/// What a channel said of a message.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The channel's name.
    pub channel: String,
    /// `sent` or `failed`.
    pub status: String,
    /// Why it failed.
    pub detail: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The run that sent it.
    pub run_id: String,
    /// Runs that tried.
    pub attempts: i64,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct LastRun {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, and how its job went, as an exit code; none if it is under way or was killed.
    pub end: Option<(Timestamp, i64)>,
    /// Checks it made.
    pub checks: i64,
    /// When it has ended at the latest, if it was not killed.
    pub ends_by: Timestamp,
    /// Which part of all checks it was about, if several runs share them.
    pub shard: Option<Shard>,
    /// Whether flags left checks out.
    pub is_partial: bool,
    /// The names of the channels that could not be used as they were configured; empty if there were none.
    pub unusable_channels: String,
}

/// How far back the last reading of a failing check is looked for, in microseconds.
const LAST_READ_WITHIN: i64 = 30 * 86_400 * 1_000_000;

fn of_run(number: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(number).map_err(|_| StoreError::damaged("a time in it is out of range"))
}

fn text(row: &Row, column: usize) -> Option<String> {
    row.optional_text(column).map(str::to_owned)
}

/// Every check that was looked at since then, by name.
pub(super) fn status(database: &mut dyn Database, since: Timestamp) -> Result<Vec<Known>, StoreError> {
    // The last sample is found from the row of the check on, which is not written in every run.
    let sql = "SELECT c.check_id, c.name, c.provider, c.owner, c.unit, c.currency, s.run, s.status, s.balance, \
               s.threshold, s.reason, f.runs, t.told_at \
               FROM checks c JOIN samples s ON s.check_id = c.check_id AND s.run = \
               (SELECT r.run FROM runs r JOIN samples x ON x.run = r.run AND x.check_id = c.check_id \
               WHERE r.run >= c.last_run AND r.run <= $1 ORDER BY r.run DESC LIMIT 1) \
               LEFT JOIN failures f ON f.check_id = c.check_id \
               LEFT JOIN conditions t ON t.check_id = c.check_id AND t.topic = $2 \
               WHERE s.run >= $3 ORDER BY c.name, c.provider";
    let rows = database.query(sql, &[present().into(), Topic::Low.as_str().into(), since.as_microsecond().into()])?;
    let mut pending: BTreeMap<i64, usize> = BTreeMap::new();
    for row in database.query("SELECT check_id FROM alerts WHERE state = 'pending'", &[])? {
        *pending.entry(row.int(0)?).or_default() += 1;
    }
    let mut known = Vec::new();
    for row in rows {
        let check = row.int(0)?;
        let status = row.text(7)?.to_owned();
        let last_read = if status == "failed" { last_read(database, check)? } else { None };
        known.push(Known {
            name: row.text(1)?.to_owned(),
            provider: row.text(2)?.to_owned(),
            owner_project: text(&row, 3),
            unit: row.text(4)?.to_owned(),
            currency: text(&row, 5),
            checked_at: of_run(row.int(6)?)?,
            status,
            balance: row.decimal(8)?,
            threshold: row.decimal(9)?,
            reason: text(&row, 10),
            failed_runs: row.optional_int(11).unwrap_or_default(),
            last_read,
            told_at: row.optional_int(12).map(timestamp).transpose()?,
            pending: pending.get(&check).copied().unwrap_or_default(),
        });
    }
    Ok(known)
}

fn last_read(database: &mut dyn Database, check: i64) -> Result<Option<(Timestamp, Decimal)>, StoreError> {
    let sql = "SELECT r.run, s.balance FROM runs r JOIN samples s ON s.run = r.run AND s.check_id = $1 \
               WHERE s.balance IS NOT NULL AND r.run >= $2 AND r.run <= $3 ORDER BY r.run DESC LIMIT 1";
    let rows = database.query(sql, &[check.into(), (present() - LAST_READ_WITHIN).into(), present().into()])?;
    let found = rows.first().map(|row| Ok::<_, StoreError>((of_run(row.int(0)?)?, row.decimal(1)?)));
    Ok(found.transpose()?.and_then(|(at, balance)| Some((at, balance?))))
}

/// The samples since then of the named project, or of all.
pub(super) fn history(
    database: &mut dyn Database,
    project: Option<&str>,
    since: Timestamp,
) -> Result<Vec<Series>, StoreError> {
    let sql = "SELECT check_id, name, provider, currency FROM checks ORDER BY name, provider";
    let mut all = Vec::new();
    for row in database.query(sql, &[])? {
        let name = row.text(1)?.to_owned();
        if project.is_some_and(|project| project != name) {
            continue;
        }
        let series = Series { name, provider: row.text(2)?.to_owned(), currency: text(&row, 3), samples: Vec::new() };
        all.push((Identity(row.int(0)?), series));
    }
    let from = [since.as_microsecond().into()];
    if project.is_none() {
        let positions: BTreeMap<i64, usize> = all.iter().enumerate().map(|(n, (check, _))| (check.0, n)).collect();
        let sql = "SELECT run, status, reason, balance, threshold, check_id FROM samples WHERE run >= $1 ORDER BY run";
        for row in database.query(sql, &from)? {
            if let Some(position) = positions.get(&row.int(5)?) {
                all[*position].1.samples.push(sample(&row)?);
            }
        }
    } else {
        // Over the runs, so that one check of many is found by the key of the samples.
        let sql = "SELECT s.run, s.status, s.reason, s.balance, s.threshold \
                   FROM runs r JOIN samples s ON s.run = r.run AND s.check_id = $1 WHERE r.run >= $2 ORDER BY r.run";
        for (check, series) in &mut all {
            let rows = database.query(sql, &[check.0.into(), from[0].clone()])?;
            series.samples = rows.iter().map(sample).collect::<Result<_, _>>()?;
        }
    }
    Ok(all.into_iter().map(|(_, series)| series).collect())
}

fn sample(row: &Row) -> Result<Sample, StoreError> {
    Ok(Sample {
        at: of_run(row.int(0)?)?,
        status: row.text(1)?.to_owned(),
        reason: text(row, 2),
        balance: row.decimal(3)?,
        threshold: row.decimal(4)?,
    })
}

/// The messages decided since then, and all that are pending; newest first.
pub(super) fn messages(database: &mut dyn Database, since: Timestamp) -> Result<Vec<Message>, StoreError> {
    let mut deliveries: BTreeMap<String, Vec<Sending>> = BTreeMap::new();
    let sql = "SELECT d.dedup_key, d.channel, d.status, d.detail, d.at, d.run_id, d.attempts FROM deliveries d \
               JOIN alerts a ON a.dedup_key = d.dedup_key WHERE a.created_at >= $1 OR a.state = 'pending' \
               ORDER BY d.channel";
    for row in database.query(sql, &[since.as_millisecond().into()])? {
        deliveries.entry(row.text(0)?.to_owned()).or_default().push(Sending {
            channel: row.text(1)?.to_owned(),
            status: row.text(2)?.to_owned(),
            detail: text(&row, 3),
            at: timestamp(row.int(4)?)?,
            run_id: row.text(5)?.to_owned(),
            attempts: row.int(6)?,
        });
    }
    let sql = "SELECT dedup_key, content, state, created_at, done_at FROM alerts \
               WHERE created_at >= $1 OR state = 'pending' ORDER BY created_at DESC, dedup_key";
    let mut messages = Vec::new();
    for row in database.query(sql, &[since.as_millisecond().into()])? {
        messages.push(Message {
            alert: serde_json::from_str(row.text(1)?)
                .map_err(|_| StoreError::damaged("a message in it cannot be understood"))?,
            state: row.text(2)?.to_owned(),
            created_at: timestamp(row.int(3)?)?,
            done_at: row.optional_int(4).map(timestamp).transpose()?,
            deliveries: deliveries.remove(row.text(0)?).unwrap_or_default(),
        });
    }
    Ok(messages)
}

/// The last runs, newest first. What a clock wrote that was ahead of time is left out.
pub(super) fn last_runs(database: &mut dyn Database) -> Result<Vec<LastRun>, StoreError> {
    let sql = "SELECT run, id, finished_at, exit_code, checks, ends_by, shard, is_partial, unusable_channels FROM runs WHERE run <= $1 \
               ORDER BY run DESC LIMIT $2";
    let newest = "SELECT shard FROM runs WHERE run <= $1 ORDER BY run DESC LIMIT 1";
    let newest = database.query(newest, &[present().into()])?.first().map(|row| shard(row, 0)).transpose()?.flatten();
    // Several of each shard, so that one that is late is seen beside the others.
    let most = LAST_RUNS.max(8 * newest.map_or(1, |shard| i64::from(shard.count())));
    let rows = database.query(sql, &[present().into(), most.into()])?;
    rows.iter()
        .map(|row| {
            Ok(LastRun {
                id: row.text(1)?.to_owned(),
                started_at: of_run(row.int(0)?)?,
                end: row.optional_int(2).map(timestamp).transpose()?.zip(row.optional_int(3)),
                checks: row.int(4)?,
                ends_by: timestamp(row.int(5)?)?,
                shard: shard(row, 6)?,
                is_partial: row.int(7)? != 0,
                unusable_channels: row.text(8)?.to_owned(),
            })
        })
        .collect()
}

/// When the last run over everything began, or over all of a shard.
pub(super) fn previous_start(
    database: &mut dyn Database,
    shard: Option<Shard>,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT run FROM runs WHERE run <= $1 AND shard = $2 AND is_partial = 0 ORDER BY run DESC LIMIT 1";
    let rows = database.query(sql, &[present().into(), shard_text(shard).into()])?;
    rows.first().map(|row| of_run(row.int(0)?)).transpose()
}

/// How a shard stands in the store; empty for none.
pub(super) fn shard_text(shard: Option<Shard>) -> String {
    shard.map(|shard| shard.to_string()).unwrap_or_default()
}

fn shard(row: &Row, column: usize) -> Result<Option<Shard>, StoreError> {
    match row.text(column)? {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| StoreError::damaged("a shard in it cannot be understood")),
    }
}

/// The highest number that a run can have now, with a little for clocks that differ.
fn present() -> i64 {
    Timestamp::now().as_microsecond().saturating_add(5 * 60 * 1_000_000)
}
