//! What people ask the store: the last state, samples, alerts, the last run. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value};
use super::rows::{content, of_run, present, timestamp};
use crate::check::Expiring;
use crate::decide::Status;
use crate::model::alert::{Alert, Cause, Mail, Topic};
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::model::words::words;

/// Runs that `health` looks at, at least.
const LAST_RUNS: i64 = 50;

/// The last known state of one check.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Which check it is.
    pub check: Identity,
    /// The project's name.
    pub name: String,
    /// The provider's id.
    pub provider: String,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// What is counted.
    pub unit: String,
    /// What the balance was counted in then.
    pub currency: Option<String>,
    /// When it was last looked at.
    pub checked_at: Timestamp,
    /// What was found then: the word of an account, a mailbox or a subscription.
    pub status: String,
    /// The balance then.
    pub balance: Option<Decimal>,
    /// When the balance was true, if a mail told it.
    pub as_of: Option<Timestamp>,
    /// The threshold then.
    pub threshold: Option<Decimal>,
    /// The credits that expire, as they were read last.
    pub credits: Vec<Expiring>,
    /// Why it was not read.
    pub reason: Option<String>,
    /// Failed runs in a row.
    pub failed_runs: i64,
    /// For one that was not read: the last balance that was, and when.
    pub last_read: Option<LastRead>,
    /// When somebody was last told of a low balance that is not known to be over.
    pub told_at: Option<Timestamp>,
    /// Messages that are owed to a channel.
    pub pending: usize,
}

/// The last balance that was read of a check that cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct LastRead {
    /// The start of the run that read it.
    pub at: Timestamp,
    pub balance: Decimal,
    /// What it was counted in.
    pub currency: Option<String>,
}

/// What one run found of a check.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The start of the run.
    pub at: Timestamp,
    /// What was found: the word of an account, a mailbox or a subscription.
    pub status: String,
    /// Why nothing was read.
    pub reason: Option<String>,
    pub balance: Option<Decimal>,
    pub threshold: Option<Decimal>,
    /// What both are counted in; that of the check where the sample does not say it.
    pub currency: Option<String>,
    /// What is kept of the samples before it that were thinned out.
    pub merged: Option<String>,
}

/// The samples of one check, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Which check it is about.
    pub check: Identity,
    /// The project's name.
    pub name: String,
    /// The provider's id.
    pub provider: String,
    /// The currency that the check was read in last.
    pub currency: Option<String>,
    /// When the last balance was true, if a mail told it.
    pub as_of: Option<Timestamp>,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// A mail that speaks of trouble, as its alert tells it.
#[derive(Clone, Debug)]
pub(crate) struct MailTold {
    /// The name of the mailbox.
    pub mailbox: String,
    /// When its alert was decided.
    pub decided_at: Timestamp,
    /// What the alert says.
    pub mail: Mail,
}

/// A message and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// What it says.
    pub alert: Alert,
    /// What became of it on all channels together.
    pub state: MessageState,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When it was owed to no channel any more.
    pub done_at: Option<Timestamp>,
    /// What became of it on each channel.
    pub deliveries: Vec<Sending>,
}

words! {
    /// What became of a message on all channels together.
    pub(crate) enum MessageState {
        /// It is owed to a channel.
        Pending = "pending",
        /// It is owed, but every channel that it is owed to may have it.
        Unknown = "unknown",
        /// Every channel that was to get it has it, or some had it before it was over.
        Sent = "sent",
        /// It was no longer true before anybody could be told.
        Withdrawn = "withdrawn",
        /// It was owed for too long and is given up.
        Expired = "expired",
    }
}

/// What became of a message on a channel.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// The channel's id.
    pub channel: String,
    /// How it ended.
    pub status: SendingStatus,
    /// Why it failed, or why nothing is known.
    pub detail: Option<String>,
    /// When this was written down.
    pub at: Timestamp,
    /// The run that sent it.
    pub run_id: String,
    /// The number of runs that tried.
    pub attempts: i64,
}

words! {
    /// How the sending of a message to a channel ended.
    pub(crate) enum SendingStatus {
        /// It has not ended yet, or the run that sent it has died.
        Pending = "pending",
        /// The channel has the message.
        Sent = "sent",
        /// The channel does not have the message.
        Failed = "failed",
        /// The message went out, and no answer came.
        Unknown = "unknown",
        /// The message was over before the channel took it.
        Withdrawn = "withdrawn",
    }
}

/// The end of a run.
#[derive(Clone, Debug)]
pub(crate) struct LastRun {
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, and how its job went, as an exit code; none if it is under way or was killed.
    pub end: Option<(Timestamp, i64)>,
    /// The number of checks that it made.
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

/// Most alerts that are searched for mails.
const MOST_MAILS: i64 = 1000;

const CHECKS: Table = Table { name: "checks", key: &[("check_id", 0)] };
const SAMPLES: Table = Table { name: "samples", key: &[("run", 0), ("check_id", 5)] };
pub(super) const RUNS: Table = Table { name: "runs", key: &[("run", 0)] };
/// The columns that [`last_run`] reads.
pub(super) const RUN_COLUMNS: &str =
    "run, id, finished_at, exit_code, checks, ends_by, shard, is_partial, unusable_channels";
const ALERTS: Table = Table { name: "alerts", key: &[("dedup_key", 0)] };
const DELIVERIES: Table = Table { name: "deliveries", key: &[("dedup_key", 0), ("channel", 1)] };

fn text(row: &Row, column: usize) -> Option<String> {
    row.optional_text(column).map(str::to_owned)
}

/// What a sample is counted in: what it says itself, where an empty text stands for none, or else what its check says.
fn currency(row: &Row, column: usize, of_check: Option<&str>) -> Option<String> {
    row.optional_text(column).or(of_check).filter(|currency| !currency.is_empty()).map(str::to_owned)
}

/// Every check that was looked at since then, by name.
pub(super) fn status(database: &mut dyn Database, since: Timestamp) -> Result<Vec<Known>, StoreError> {
    // The last sample is found from the row of the check on, which is not written in every run.
    let sql = "SELECT c.check_id, c.name, c.provider, c.owner, c.unit, c.currency, s.run, s.status, s.balance, \
               s.threshold, s.reason, f.runs, \
               (SELECT max(t.told_at) FROM told t WHERE t.check_id = c.check_id AND t.topic = $1), s.currency, \
               m.mail_at, m.balance, c.credits FROM checks c JOIN samples s ON s.check_id = c.check_id AND s.run = \
               (SELECT r.run FROM runs r JOIN samples x ON x.run = r.run AND x.check_id = c.check_id \
               WHERE r.run >= c.last_run AND r.run <= $2 ORDER BY r.run DESC LIMIT 1) \
               LEFT JOIN failures f ON f.check_id = c.check_id \
               LEFT JOIN mail_readings m ON m.check_id = c.check_id \
               WHERE s.run >= $3 ORDER BY c.name, c.provider";
    let rows =
        database.query(sql, &[Topic::Low.as_str().into(), present(database).into(), since.as_microsecond().into()])?;
    let mut pending: BTreeMap<i64, usize> = BTreeMap::new();
    for row in database.query("SELECT check_id FROM alerts WHERE state = 'pending'", &[])? {
        if let Some(check) = row.optional_int(0) {
            *pending.entry(check).or_default() += 1;
        }
    }
    let (mut known, mut odd) = (Vec::new(), Odd::default());
    for row in rows {
        odd.read(&CHECKS, &row, |row| {
            let check = row.int(0)?;
            let status = row.text(7)?.to_owned();
            let balance = row.decimal(8)?;
            let of_check = row.optional_text(5);
            let last_read = if Status::parse(&status) == Some(Status::Failed) {
                last_read(database, check, of_check)?
            } else {
                None
            };
            known.push(Known {
                check: Identity(check),
                name: row.text(1)?.to_owned(),
                provider: row.text(2)?.to_owned(),
                owner_project: text(row, 3),
                unit: row.text(4)?.to_owned(),
                currency: currency(row, 13, of_check),
                checked_at: of_run(row.int(6)?)?,
                status,
                balance,
                as_of: as_of(row, (14, 15), balance)?,
                threshold: row.decimal(9)?,
                // What cannot be understood is left out: it explains something, and decides nothing.
                credits: row.optional_text(16).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
                reason: text(row, 10),
                failed_runs: row.optional_int(11).unwrap_or_default(),
                last_read,
                told_at: row.optional_int(12).and_then(|at| timestamp(at).ok()),
                pending: pending.get(&check).copied().unwrap_or_default(),
            });
            Ok(())
        })?;
    }
    odd.tell();
    Ok(known)
}

/// When a balance was true that a mail told. A newer mail, which a run for the mailbox alone has read, says nothing of it.
fn as_of(row: &Row, (at, told): (usize, usize), balance: Option<Decimal>) -> Result<Option<Timestamp>, StoreError> {
    let is_it = balance.is_some() && row.decimal(told)? == balance;
    row.optional_int(at).filter(|_| is_it).map(timestamp).transpose()
}

fn last_read(database: &mut dyn Database, check: i64, of_check: Option<&str>) -> Result<Option<LastRead>, StoreError> {
    let sql = "SELECT r.run, s.balance, s.currency FROM runs r JOIN samples s ON s.run = r.run AND s.check_id = $1 \
               WHERE s.balance IS NOT NULL AND r.run >= $2 AND r.run <= $3 ORDER BY r.run DESC LIMIT 1";
    let present = present(database);
    let rows = database.query(sql, &[check.into(), (present - LAST_READ_WITHIN).into(), present.into()])?;
    // A row that cannot be understood is left out here, and is named where the samples are asked for.
    Ok(rows.first().and_then(|row| {
        let (at, balance) = (of_run(row.int(0).ok()?).ok()?, row.decimal(1).ok()??);
        Some(LastRead { at, balance, currency: currency(row, 2, of_check) })
    }))
}

/// The samples since then of the named project, or of all.
pub(super) fn history(
    database: &mut dyn Database,
    project: Option<&str>,
    since: Timestamp,
) -> Result<Vec<Series>, StoreError> {
    let sql = "SELECT c.check_id, c.name, c.provider, c.currency, m.mail_at, m.balance FROM checks c \
               LEFT JOIN mail_readings m ON m.check_id = c.check_id ORDER BY c.name, c.provider";
    let (mut all, mut odd) = (Vec::new(), Odd::default());
    let mut told = BTreeMap::new();
    for row in database.query(sql, &[])? {
        odd.read(&CHECKS, &row, |row| {
            let name = row.text(1)?.to_owned();
            if project.is_none_or(|project| project == name) {
                let (provider, currency) = (row.text(2)?.to_owned(), currency(row, 3, None));
                let check = Identity(row.int(0)?);
                if let Some(balance) = row.decimal(5)? {
                    told.insert(check, as_of(row, (4, 5), Some(balance))?.map(|at| (balance, at)));
                }
                all.push((check, Series { check, name, provider, currency, as_of: None, samples: Vec::new() }));
            }
            Ok(())
        })?;
    }
    let span = [since.as_microsecond().into(), present(database).into()];
    if project.is_none() {
        let positions: BTreeMap<i64, usize> = all.iter().enumerate().map(|(n, (check, _))| (check.0, n)).collect();
        let sql = "SELECT run, status, reason, balance, threshold, check_id, currency, merged FROM samples \
                   WHERE run >= $1 AND run <= $2 ORDER BY run";
        for row in database.query(sql, &span)? {
            odd.read(&SAMPLES, &row, |row| {
                if let Some(position) = positions.get(&row.int(5)?) {
                    let series = &mut all[*position].1;
                    series.samples.push(sample(row, series.currency.as_deref())?);
                }
                Ok(())
            })?;
        }
    } else {
        // Over the runs, so that one check of many is found by the key of the samples.
        let sql = "SELECT s.run, s.status, s.reason, s.balance, s.threshold, s.check_id, s.currency, s.merged \
                   FROM runs r JOIN samples s ON s.run = r.run AND s.check_id = $1 \
                   WHERE r.run >= $2 AND r.run <= $3 ORDER BY r.run";
        for (check, series) in &mut all {
            let [from, until] = span.clone();
            for row in database.query(sql, &[check.0.into(), from, until])? {
                odd.read(&SAMPLES, &row, |row| {
                    series.samples.push(sample(row, series.currency.as_deref())?);
                    Ok(())
                })?;
            }
        }
    }
    odd.tell();
    for (check, series) in &mut all {
        let last = series.samples.iter().rev().find_map(|sample| sample.balance);
        let told = told.get(check).copied().flatten().filter(|(balance, _)| last == Some(*balance));
        series.as_of = told.map(|(_, at)| at);
    }
    Ok(all.into_iter().map(|(_, series)| series).collect())
}

/// The mails that alerts have told of since then, each once, the newest alert first.
pub(super) fn mails_told(database: &mut dyn Database, since: Timestamp) -> Result<Vec<MailTold>, StoreError> {
    let sql = "SELECT dedup_key, content, created_at, check_id FROM alerts \
               WHERE state <> 'damaged' AND topic = $1 AND created_at >= $2 \
               ORDER BY created_at DESC, dedup_key LIMIT $3";
    let bounds = [Topic::Mail.as_str().into(), since.as_millisecond().into(), MOST_MAILS.into()];
    let (mut told, mut seen, mut odd) = (Vec::new(), BTreeSet::new(), Odd::default());
    for row in database.query(sql, &bounds)? {
        odd.read(&ALERTS, &row, |row| {
            let Alert { project, cause, .. } = content(row.text(1)?)?;
            if let (Cause::Mail(mail), true) = (cause, seen.insert(row.int(3)?)) {
                told.push(MailTold { mailbox: project, decided_at: timestamp(row.int(2)?)?, mail });
            }
            Ok(())
        })?;
    }
    odd.tell();
    Ok(told)
}

fn sample(row: &Row, of_check: Option<&str>) -> Result<Sample, StoreError> {
    Ok(Sample {
        at: of_run(row.int(0)?)?,
        status: row.text(1)?.to_owned(),
        reason: text(row, 2),
        balance: row.decimal(3)?,
        threshold: row.decimal(4)?,
        currency: currency(row, 6, of_check),
        merged: text(row, 7),
    })
}

/// The messages decided since then, and all that are pending; newest first.
pub(super) fn messages(database: &mut dyn Database, since: Timestamp) -> Result<Vec<Message>, StoreError> {
    messages_where(database, "a.created_at >= $1 OR a.state = 'pending'", &[since.as_millisecond().into()])
}

/// The messages that a run decided, and those that it tried last.
pub(super) fn messages_of(database: &mut dyn Database, run: &LastRun) -> Result<Vec<Message>, StoreError> {
    let is_its = "a.created_at = $1 OR EXISTS \
                  (SELECT 1 FROM deliveries x WHERE x.dedup_key = a.dedup_key AND x.channel <> '' AND x.run_id = $2)";
    messages_where(database, is_its, &[run.started_at.as_millisecond().into(), run.id.as_str().into()])
}

fn messages_where(
    database: &mut dyn Database,
    condition: &str,
    parameters: &[Value],
) -> Result<Vec<Message>, StoreError> {
    let mut deliveries: BTreeMap<String, Vec<Sending>> = BTreeMap::new();
    let mut odd = Odd::default();
    // A message that was given up because it was over may have been taken before.
    let sql = format!(
        "SELECT d.dedup_key, d.channel, \
         CASE WHEN d.status = 'withdrawn' AND d.doubts > 0 THEN 'unknown' ELSE d.status END, \
         d.detail, d.at, d.run_id, d.attempts FROM deliveries d \
         JOIN alerts a ON a.dedup_key = d.dedup_key WHERE d.channel <> '' AND ({condition}) ORDER BY d.channel"
    );
    for row in database.query(&sql, parameters)? {
        odd.read(&DELIVERIES, &row, |row| {
            deliveries.entry(row.text(0)?.to_owned()).or_default().push(Sending {
                channel: row.text(1)?.to_owned(),
                status: SendingStatus::parse(row.text(2)?).ok_or_else(|| StoreError::unknown("status"))?,
                detail: text(row, 3),
                at: timestamp(row.int(4)?)?,
                run_id: row.text(5)?.to_owned(),
                attempts: row.int(6)?,
            });
            Ok(())
        })?;
    }
    let sql = format!(
        "SELECT a.dedup_key, a.content, a.state, a.created_at, a.done_at FROM alerts a \
         WHERE a.state <> 'damaged' AND ({condition}) ORDER BY a.created_at DESC, a.dedup_key"
    );
    let mut messages = Vec::new();
    for row in database.query(&sql, parameters)? {
        odd.read(&ALERTS, &row, |row| {
            let deliveries = deliveries.remove(row.text(0)?).unwrap_or_default();
            messages.push(Message {
                alert: content(row.text(1)?)?,
                state: state(row.text(2)?, &deliveries)?,
                created_at: timestamp(row.int(3)?)?,
                done_at: row.optional_int(4).map(timestamp).transpose()?,
                deliveries,
            });
            Ok(())
        })?;
    }
    odd.tell();
    Ok(messages)
}

/// The state of a message. If every channel that it is owed to may have it already, it counts as unknown.
fn state(stored: &str, deliveries: &[Sending]) -> Result<MessageState, StoreError> {
    let stored = MessageState::parse(stored).ok_or_else(|| StoreError::unknown("state"))?;
    let is_any = |status| deliveries.iter().any(|sending| sending.status == status);
    let is_perhaps_taken = stored == MessageState::Pending
        && is_any(SendingStatus::Unknown)
        && !is_any(SendingStatus::Pending)
        && !is_any(SendingStatus::Failed);
    Ok(if is_perhaps_taken { MessageState::Unknown } else { stored })
}

/// The last runs, newest first. What a clock wrote that was ahead of time is left out.
pub(super) fn last_runs(database: &mut dyn Database) -> Result<Vec<LastRun>, StoreError> {
    let sql = format!("SELECT {RUN_COLUMNS} FROM runs WHERE run <= $1 ORDER BY run DESC LIMIT $2");
    let newest = "SELECT shard FROM runs WHERE run <= $1 ORDER BY run DESC LIMIT 1";
    let newest =
        database.query(newest, &[present(database).into()])?.first().and_then(|row| shard(row, 0).ok()).flatten();
    // Eight of each shard: a shard whose runs have stopped is still on the list, and can be called late, until the others have
    // run eight times more.
    let most = LAST_RUNS.max(8 * newest.map_or(1, |shard| i64::from(shard.count())));
    let rows = database.query(&sql, &[present(database).into(), most.into()])?;
    let (mut runs, mut odd) = (Vec::new(), Odd::default());
    for row in rows {
        odd.read(&RUNS, &row, |row| {
            runs.push(last_run(row)?);
            Ok(())
        })?;
    }
    odd.tell();
    Ok(runs)
}

pub(super) fn last_run(row: &Row) -> Result<LastRun, StoreError> {
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
}

fn shard(row: &Row, column: usize) -> Result<Option<Shard>, StoreError> {
    match row.text(column)? {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| StoreError::damaged("a shard in it cannot be understood")),
    }
}
