//! What a run reads and writes: the snapshot it starts from, the one transaction in which it decides, and the marks after
//! the messages are out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::adopt::adopt;
use super::database::{Database, Row, Value, for_keys, insert};
use super::mend::{Odd, Table};
use super::rows::{content, fact, previous_start, set_fact, shard_text, timestamp};
use super::{Learnt, Marks, MetricMarks, Run, Snapshot, StoreError, StoreFault};
use crate::check::circuit::HostState;
use crate::check::mailbox::scan::Mark;
use crate::check::mailbox::session::Cursor;
use crate::check::{Amount, CachedReading, Reading};
use crate::decide::memory::{ANY_CHANNEL, Changes, Condition, Course, Fate, Heard, Memory, Owed, Told};
use crate::decide::{Decision, Found, Telling};
use crate::metrics::family::{self, Family};
use crate::metrics::{Sum, Sums, Tally};
use crate::model::alert::{Alert, Event, Level, Topic};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::process::{clock, fault};

/// Runs whose samples are deleted at once, so that no run pays for a long time that nobody ran.
const PRUNED_AT_ONCE: i64 = 50;
/// A check's last run is written again after this time, in microseconds: most runs need not touch its row. Samples tell.
const RECORDED_EVERY: i64 = 86_400 * 1_000_000;
/// The key of the hashes that name accounts.
const ACCOUNT_KEY: &str = "account_key";
/// Mails that were told are known for so long; a first look goes back 30 days at the most.
const MAILS_KNOWN: Duration = Duration::from_secs(60 * 86_400);
/// Time counts as having passed this long after a run that saw it.
const BORNE_OUT: Duration = Duration::from_secs(86_400);
/// Messages that nobody could be told for so long are given up.
const PENDING_EXPIRES: Duration = Duration::from_secs(30 * 86_400);

/// What is known before anything is asked. `keep_readings` makes the key that their names are hashed with.
pub(super) fn snapshot(
    database: &mut dyn Database,
    keep_readings: Option<Duration>,
    shard: Option<Shard>,
    can_write: bool,
    wait: Duration,
) -> Result<Snapshot, StoreError> {
    let mut odd = Odd::default();
    let mut snapshot = Snapshot { memory: memory(database, shard, &mut odd)?, ..Snapshot::default() };
    for row in database.query("SELECT host, failures, open_until, reason, message FROM circuits", &[])? {
        odd.read(&CIRCUITS, &row, |row| {
            let state = HostState {
                failures: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
                open_until: row.optional_int(2).map(timestamp).transpose()?,
                cause: row.optional_text(3).and_then(Reason::parse).zip(row.optional_text(4).map(str::to_owned)),
            };
            snapshot.circuits.insert(row.text(0)?.to_owned(), state);
            Ok(())
        })?;
    }
    for row in database.query("SELECT check_id, validity, last FROM cursors", &[])? {
        odd.read(&CURSORS, &row, |row| {
            let number = |column| row.int(column).map(|n| u32::try_from(n).unwrap_or_default());
            snapshot.cursors.insert(Identity(row.int(0)?), Cursor { validity: number(1)?, last: number(2)? });
            Ok(())
        })?;
    }
    for row in database.query("SELECT check_id, validity, first_uid, last_uid, is_alone FROM mail_marks", &[])? {
        odd.read(&MAIL_MARKS, &row, |row| {
            let number = |column| row.int(column).map(|n| u32::try_from(n).unwrap_or_default());
            let (validity, is_alone) = (number(1)?, row.int(4)? != 0);
            let mark = Mark { validity, first: number(2)?, last: number(3)?, is_alone };
            snapshot.marks.insert(Identity(row.int(0)?), mark);
            Ok(())
        })?;
    }
    if let Some(ttl) = keep_readings {
        snapshot.account_key = account_key(database, can_write, wait)?;
        let oldest = clock::before(clock::now(), ttl).as_millisecond();
        let sql = "SELECT account, read_at, balance, currency FROM readings WHERE read_at > $1";
        for row in database.query(sql, &[oldest.into()])? {
            odd.read(&READINGS, &row, |row| {
                let amount = row.decimal(2)?.map_or(Amount::Unlimited, Amount::Of);
                let reading = Reading { amount, currency: row.optional_text(3).map(str::to_owned) };
                let at = timestamp(row.int(1)?)?;
                snapshot.readings.insert(row.text(0)?.to_owned(), CachedReading { at, reading });
                Ok(())
            })?;
        }
    }
    if !can_write {
        odd.tell();
    } else if !odd.is_empty() {
        // What has been read holds all the same, and if nothing can be written the next step says so.
        let _ = transaction(database, wait, |database| odd.set_aside(database));
    }
    Ok(snapshot)
}

const FAILURES: Table = Table { name: "failures", key: &[("check_id", 0)] };
const COURSES: Table = Table { name: "courses", key: &[("check_id", 0), ("topic", 1)] };
const TOLD: Table = Table { name: "told", key: &[("check_id", 0), ("topic", 1), ("channel", 2)] };
const ALERTS: Table = Table { name: "alerts", key: &[("dedup_key", 10)] };
const CIRCUITS: Table = Table { name: "circuits", key: &[("host", 0)] };
const CURSORS: Table = Table { name: "cursors", key: &[("check_id", 0)] };
const MAIL_MARKS: Table = Table { name: "mail_marks", key: &[("check_id", 0)] };
const READINGS: Table = Table { name: "readings", key: &[("account", 0)] };
const SUMS: Table = Table { name: "sums", key: &[("grouping", 6), ("family", 0), ("labels", 1)] };

/// The key of the hashes that name accounts; made once for each store.
fn account_key(database: &mut dyn Database, can_write: bool, wait: Duration) -> Result<Option<String>, StoreError> {
    let known = fact(database, ACCOUNT_KEY)?;
    if known.is_some() || !can_write {
        return Ok(known);
    }
    let key = random_key()?;
    transaction(database, wait, |database| {
        // Another run may have made one meanwhile.
        let row = vec![ACCOUNT_KEY.into(), key.as_str().into()];
        insert(database, "facts", &["name", "value"], &[row], "ON CONFLICT (name) DO NOTHING")?;
        fact(database, ACCOUNT_KEY)
    })
}

/// 256 random bits from the system, as hexadecimal digits.
fn random_key() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::new(StoreFault::Other, error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Runs statements in a transaction of their own.
fn transaction<T>(
    database: &mut dyn Database,
    wait: Duration,
    work: impl FnOnce(&mut dyn Database) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    database.begin(wait)?;
    let result = work(database).and_then(|value| database.commit().map(|()| value));
    if result.is_err() {
        database.rollback();
    }
    result
}

/// Decides, and writes what was found and decided, in one transaction: of two runs at once, the second one sees what the
/// first one is going to tell. Gives the number of the run.
pub(super) fn claim(
    database: &mut dyn Database,
    run: &Run,
    learnt: &Learnt,
    decide: &dyn Fn(&Memory) -> Decision,
    wait: Duration,
) -> Result<(i64, Decision), StoreError> {
    transaction(database, wait, |database| {
        let mut odd = Odd::default();
        let mut known = memory(database, run.shard, &mut odd)?;
        if adopt(database, run.shard, &learnt.found, &known)? {
            odd = Odd::default();
            known = memory(database, run.shard, &mut odd)?;
        }
        if !odd.is_empty() {
            odd.set_aside(database)?;
        }
        let decision = decide(&known);
        let number = begin_run(database, run, learnt.found.total())?;
        samples(database, number, &learnt.found)?;
        changes(database, &decision.changes, run)?;
        pending(database, number, run, &decision.alerts)?;
        let keys = decision.changes.withdrawn.iter().map(|(key, _)| key.as_str().into()).collect::<Vec<_>>();
        close(database, &keys, run.started_at)?;
        readings(database, learnt)?;
        circuits(database, learnt)?;
        cursors(database, learnt)?;
        if let Some((group, tally)) = &learnt.metrics {
            add(database, group, tally)?;
        }
        if !decision.alerts.is_empty() {
            database.hold(number)?;
        }
        fault::point("in-claim");
        Ok((number, decision))
    })
}

/// Owed is what stands so in the deliveries of a message that is pending.
const OWED: &str = "('pending', 'failed', 'unknown')";

/// All that decisions depend on. What cannot be understood is left out.
fn memory(database: &mut dyn Database, shard: Option<Shard>, odd: &mut Odd) -> Result<Memory, StoreError> {
    let mut memory = Memory { previous_run: previous_start(database, shard)?, ..Memory::default() };
    for row in database.query("SELECT check_id, runs FROM failures", &[])? {
        odd.read(&FAILURES, &row, |row| {
            memory.failures.insert(Identity(row.int(0)?), u32::try_from(row.int(1)?).unwrap_or(u32::MAX));
            Ok(())
        })?;
    }
    let sql = "SELECT check_id, topic, began_at, messages, flaps, calm_since, over_at FROM courses";
    for row in database.query(sql, &[])? {
        odd.read(&COURSES, &row, |row| {
            let number = |column| row.int(column).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
            let time = |column| row.optional_int(column).map(timestamp).transpose();
            let course = Course {
                began: timestamp(row.int(2)?)?,
                messages: number(3)?,
                flaps: number(4)?,
                calm_since: time(5)?,
                over_at: time(6)?,
            };
            let condition = Condition { course, channels: BTreeMap::new() };
            memory.conditions.insert((Identity(row.int(0)?), topic(row, 1)?), condition);
            Ok(())
        })?;
    }
    told(database, &mut memory, odd)?;
    owed(database, &mut memory, odd)?;
    Ok(memory)
}

/// What a channel knows of a condition, to be filled in.
fn heard<'m>(memory: &'m mut Memory, key: (Identity, Topic), channel: &str, began: Timestamp) -> &'m mut Heard {
    let course = Course { began, messages: 0, flaps: 0, calm_since: None, over_at: None };
    let condition = memory.conditions.entry(key).or_insert_with(|| Condition { course, channels: BTreeMap::new() });
    condition.channels.entry(channel.to_owned()).or_default()
}

/// What the channels were told. One without a time heard nothing, though others did.
fn told(database: &mut dyn Database, memory: &mut Memory, odd: &mut Odd) -> Result<(), StoreError> {
    let sql = "SELECT check_id, topic, channel, told_at, anchor_at, level, balance, threshold, mark, currency \
               FROM told";
    for row in database.query(sql, &[])? {
        odd.read(&TOLD, &row, |row| {
            let key = (Identity(row.int(0)?), topic(row, 1)?);
            let at = row.optional_int(3).map(timestamp).transpose()?;
            let told = match at {
                None => None,
                Some(at) => Some(Told {
                    at,
                    anchor: timestamp(row.int(4)?)?,
                    level: Level::parse(row.text(5)?).ok_or_else(|| StoreError::unknown("level"))?,
                    balance: row.decimal(6)?,
                    threshold: row.decimal(7)?,
                    mark: row.text(8)?.to_owned(),
                    currency: row.optional_text(9).map(str::to_owned),
                }),
            };
            heard(memory, key, row.text(2)?, at.unwrap_or(Timestamp::UNIX_EPOCH)).told = told;
            Ok(())
        })?;
    }
    Ok(())
}

/// What is owed to the channels.
fn owed(database: &mut dyn Database, memory: &mut Memory, odd: &mut Odd) -> Result<(), StoreError> {
    let now = clock::now().as_millisecond();
    let mut alive: HashMap<i64, bool> = HashMap::new();
    let sql = format!(
        "SELECT a.check_id, a.topic, a.content, a.claimed_by, a.claimed_until, d.channel, d.doubts, d.at, \
         CAST(CASE WHEN d.doubts > 0 OR d.lost > 0 OR d.status = 'pending' THEN 1 ELSE 0 END AS BIGINT), \
         (SELECT count(*) FROM deliveries s WHERE s.dedup_key = a.dedup_key AND s.status = 'sent'), a.dedup_key \
         FROM alerts a JOIN deliveries d ON d.dedup_key = a.dedup_key \
         WHERE a.state = 'pending' AND d.status IN {OWED} ORDER BY a.created_at"
    );
    for row in database.query(&sql, &[])? {
        odd.read(&ALERTS, &row, |row| {
            let key = (Identity(row.int(0)?), topic(row, 1)?);
            // Its check may have taken it over from one with another identity.
            let alert = Alert { identity: key.0, ..content(row.text(2)?)? };
            let is_claimed = match (row.optional_int(3), row.optional_int(4)) {
                (Some(run), Some(until)) if now < until => *alive.entry(run).or_insert_with(|| database.is_held(run)),
                _ => false,
            };
            let began = alert.at;
            let doubts = u32::try_from(row.int(6)?).unwrap_or(u32::MAX);
            let owed = Owed {
                alert,
                is_heard: row.int(9)? > 0,
                is_claimed,
                may_have_arrived: row.int(8)? > 0,
                doubts,
                tried_at: timestamp(row.int(7)?)?,
            };
            heard(memory, key, row.text(5)?, began).owed = Some(owed);
            Ok(())
        })?;
    }
    Ok(())
}

fn topic(row: &Row, column: usize) -> Result<Topic, StoreError> {
    Topic::parse(row.text(column)?).ok_or_else(|| StoreError::unknown("topic"))
}

/// The row of a run. Its number is its start, moved on where another run has it.
fn begin_run(database: &mut dyn Database, run: &Run, checks: usize) -> Result<i64, StoreError> {
    let mut number = run.started_at.as_microsecond();
    while !database.query("SELECT run FROM runs WHERE run = $1", &[number.into()])?.is_empty() {
        number += 1;
    }
    let checks = i64::try_from(checks).unwrap_or(i64::MAX);
    let row: Vec<Value> = vec![
        number.into(),
        run.id.as_str().into(),
        checks.into(),
        i64::from(run.is_partial).into(),
        run.claims_until.as_millisecond().into(),
        shard_text(run.shard).into(),
        run.unusable_channels.join(", ").into(),
    ];
    insert(
        database,
        "runs",
        &["run", "id", "checks", "is_partial", "ends_by", "shard", "unusable_channels"],
        &[row],
        "",
    )?;
    Ok(number)
}

/// What is kept of one check in one run.
struct Sample<'a> {
    identity: Identity,
    name: &'a str,
    provider: &'a str,
    owner: Option<&'a str>,
    unit: &'a str,
    currency: Option<&'a str>,
    status: &'a str,
    reason: Option<&'static str>,
    balance: Option<Decimal>,
    threshold: Option<Decimal>,
}

impl<'a> Sample<'a> {
    /// The currency as it is kept: null if nothing was read, which is what samples of old stores have, and an empty text if
    /// what was read has none.
    fn kept_currency(&self) -> Option<&'a str> {
        self.balance.map(|_| self.currency.unwrap_or_default())
    }
}

fn samples(database: &mut dyn Database, run: i64, found: &Found) -> Result<(), StoreError> {
    // A check that a signal ended has taught nothing.
    let is_known = |failure: Option<&Failure>| !failure.is_some_and(Failure::is_cancelled);
    let accounts = found.accounts.iter().filter(|verdict| is_known(verdict.failure.as_ref())).map(|verdict| Sample {
        identity: verdict.subject.identity,
        name: &verdict.subject.name,
        provider: &verdict.subject.provider,
        owner: verdict.subject.owner_project.as_deref(),
        unit: verdict.subject.kind.as_str(),
        currency: verdict.currency.as_deref(),
        status: verdict.status.as_str(),
        reason: verdict.failure.as_ref().map(|failure| failure.reason.as_str()),
        balance: verdict.balance,
        threshold: verdict.subject.threshold,
    });
    let subscriptions = found.subscriptions.iter().map(|verdict| Sample {
        identity: verdict.identity,
        name: &verdict.subscription.name,
        provider: "subscription",
        owner: verdict.subscription.owner_project.as_deref(),
        unit: "subscription",
        currency: None,
        status: verdict.standing(),
        reason: verdict.renewal.as_ref().err().map(|failure| failure.reason.as_str()),
        balance: None,
        threshold: None,
    });
    let mailboxes = found.mailboxes.iter().filter(|verdict| is_known(verdict.scanned.result.as_ref().err()));
    let mailboxes = mailboxes.map(|verdict| Sample {
        identity: verdict.identity,
        name: &verdict.name,
        provider: "imap",
        owner: None,
        unit: "mailbox",
        currency: None,
        status: verdict.status(|_| true).as_str(),
        reason: verdict.scanned.failure().map(|failure| failure.reason.as_str()),
        balance: None,
        threshold: None,
    });
    let samples: Vec<Sample> = accounts.chain(subscriptions).chain(mailboxes).collect();
    let checks: Vec<Vec<Value>> = samples
        .iter()
        .map(|sample| {
            vec![
                sample.identity.0.into(),
                sample.name.into(),
                sample.provider.into(),
                sample.owner.into(),
                sample.unit.into(),
                sample.kept_currency().or(sample.currency).into(),
                run.into(),
            ]
        })
        .collect();
    insert(
        database,
        "checks",
        &["check_id", "name", "provider", "owner", "unit", "currency", "last_run"],
        &checks,
        // One that could not be read today is still counted in what it was.
        &format!(
            "ON CONFLICT (check_id) DO UPDATE SET owner = excluded.owner, unit = excluded.unit, \
             currency = coalesce(excluded.currency, checks.currency), last_run = excluded.last_run \
             WHERE checks.last_run < excluded.last_run - {RECORDED_EVERY} \
             OR checks.last_run > excluded.last_run + {RECORDED_EVERY} \
             OR checks.owner IS DISTINCT FROM excluded.owner OR checks.unit IS DISTINCT FROM excluded.unit \
             OR checks.currency IS DISTINCT FROM coalesce(excluded.currency, checks.currency)"
        ),
    )?;
    let rows: Vec<Vec<Value>> = samples
        .iter()
        .map(|sample| {
            vec![
                run.into(),
                sample.identity.0.into(),
                sample.status.into(),
                sample.reason.into(),
                sample.balance.into(),
                sample.threshold.into(),
                sample.kept_currency().into(),
            ]
        })
        .collect();
    let columns = ["run", "check_id", "status", "reason", "balance", "threshold", "currency"];
    insert(database, "samples", &columns, &rows, "")
}

fn changes(database: &mut dyn Database, changes: &Changes, run: &Run) -> Result<(), StoreError> {
    let (failing, working): (Vec<_>, Vec<_>) = changes.failures.iter().partition(|(_, runs, _)| *runs > 0);
    let rows: Vec<Vec<Value>> = failing
        .into_iter()
        .map(|(check, runs, reason)| {
            vec![check.0.into(), i64::from(runs).into(), reason.map(|reason| reason.as_str()).into()]
        })
        .collect();
    insert(
        database,
        "failures",
        &["check_id", "runs", "reason"],
        &rows,
        "ON CONFLICT (check_id) DO UPDATE SET runs = excluded.runs, reason = excluded.reason",
    )?;
    let keys: Vec<Value> = working.into_iter().map(|(check, ..)| check.0.into()).collect();
    for_keys(database, "DELETE FROM failures WHERE check_id IN ({keys})", &[], &keys)?;
    let kept: Vec<(&str, &str)> = changes.kept.iter().map(|(key, channel)| (key.as_str(), channel.as_str())).collect();
    owe(database, run, &kept, "DO NOTHING")?;
    let mut withdrawn: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (key, channel) in &changes.withdrawn {
        withdrawn.entry(channel).or_default().push(key.as_str().into());
    }
    for (channel, keys) in withdrawn {
        let sql = match channel {
            ANY_CHANNEL => "DELETE FROM deliveries WHERE channel = $1 AND dedup_key IN ({keys})",
            _ => "UPDATE deliveries SET status = 'withdrawn' WHERE channel = $1 AND dedup_key IN ({keys})",
        };
        for_keys(database, sql, &[channel.into()], &keys)?;
    }
    let known = changes.heard.iter().filter_map(|(key, channel, told)| Some((*key, channel.as_str(), told.as_ref()?)));
    insert_told(database, known.collect(), true)?;
    let unknown = changes.heard.iter().filter(|(.., told)| told.is_none());
    forget(database, unknown.map(|(key, channel, _)| (*key, channel.as_str())))?;
    courses(database, changes)
}

fn courses(database: &mut dyn Database, changes: &Changes) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = changes
        .courses
        .iter()
        .filter_map(|((check, topic), course)| {
            let course = (*course)?;
            let time = |at: Option<Timestamp>| Value::from(at.map(Timestamp::as_millisecond));
            Some(vec![
                check.0.into(),
                topic.as_str().into(),
                course.began.as_millisecond().into(),
                i64::from(course.messages).into(),
                i64::from(course.flaps).into(),
                time(course.calm_since),
                time(course.over_at),
            ])
        })
        .collect();
    insert(
        database,
        "courses",
        &["check_id", "topic", "began_at", "messages", "flaps", "calm_since", "over_at"],
        &rows,
        "ON CONFLICT (check_id, topic) DO UPDATE SET began_at = excluded.began_at, messages = excluded.messages, \
         flaps = excluded.flaps, calm_since = excluded.calm_since, over_at = excluded.over_at",
    )?;
    let mut over: BTreeMap<Topic, Vec<Value>> = BTreeMap::new();
    for ((check, topic), _) in changes.courses.iter().filter(|(_, course)| course.is_none()) {
        over.entry(*topic).or_default().push(check.0.into());
    }
    for (topic, checks) in over {
        let topic = [topic.as_str().into()];
        for_keys(database, "DELETE FROM told WHERE topic = $1 AND check_id IN ({keys})", &topic, &checks)?;
        for_keys(database, "DELETE FROM courses WHERE topic = $1 AND check_id IN ({keys})", &topic, &checks)?;
    }
    Ok(())
}

/// Channels know of nothing wrong any more.
fn forget<'a>(
    database: &mut dyn Database,
    channels: impl Iterator<Item = ((Identity, Topic), &'a str)>,
) -> Result<(), StoreError> {
    let mut checks: BTreeMap<(Topic, &str), Vec<Value>> = BTreeMap::new();
    for ((check, topic), channel) in channels {
        checks.entry((topic, channel)).or_default().push(check.0.into());
    }
    for ((topic, channel), checks) in checks {
        let sql = "DELETE FROM told WHERE topic = $1 AND channel = $2 AND check_id IN ({keys})";
        for_keys(database, sql, &[topic.as_str().into(), channel.into()], &checks)?;
    }
    Ok(())
}

/// What channels know from now on. A reminder leaves the timetable of the reminders as it is.
fn insert_told(
    database: &mut dyn Database,
    told: Vec<((Identity, Topic), &str, &Told)>,
    is_anchored: bool,
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = told
        .into_iter()
        .map(|((check, topic), channel, told)| {
            vec![
                check.0.into(),
                topic.as_str().into(),
                channel.into(),
                told.at.as_millisecond().into(),
                told.anchor.as_millisecond().into(),
                told.level.as_str().into(),
                told.balance.into(),
                told.threshold.into(),
                told.mark.as_str().into(),
                told.currency.as_deref().into(),
            ]
        })
        .collect();
    let anchor = if is_anchored { "excluded.anchor_at" } else { "coalesce(told.anchor_at, excluded.anchor_at)" };
    insert(
        database,
        "told",
        &["check_id", "topic", "channel", "told_at", "anchor_at", "level", "balance", "threshold", "mark", "currency"],
        &rows,
        &format!(
            "ON CONFLICT (check_id, topic, channel) DO UPDATE SET told_at = excluded.told_at, anchor_at = {anchor}, \
             level = excluded.level, balance = excluded.balance, threshold = excluded.threshold, mark = excluded.mark, \
             currency = excluded.currency"
        ),
    )
}

/// The messages that are about to be sent, claimed by this run.
fn pending(database: &mut dyn Database, number: i64, run: &Run, tellings: &[Telling]) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = tellings
        .iter()
        .map(|Telling { alert, .. }| {
            vec![
                alert.dedup_key.as_str().into(),
                alert.identity.0.into(),
                alert.topic().as_str().into(),
                "pending".into(),
                run.started_at.as_millisecond().into(),
                number.into(),
                run.claims_until.as_millisecond().into(),
                // Plain fields only: this cannot fail.
                serde_json::to_string(alert).unwrap_or_default().into(),
            ]
        })
        .collect();
    let columns = ["dedup_key", "check_id", "topic", "state", "created_at", "claimed_by", "claimed_until", "content"];
    insert(
        database,
        "alerts",
        &columns,
        &rows,
        "ON CONFLICT (dedup_key) DO UPDATE SET state = 'pending', done_at = NULL, claimed_by = excluded.claimed_by, \
         claimed_until = excluded.claimed_until, content = excluded.content",
    )?;
    let owed: Vec<(&str, &str)> = tellings
        .iter()
        .flat_map(|Telling { alert, to }| to.iter().map(|channel| (alert.dedup_key.as_str(), channel.as_str())))
        .collect();
    // What is still so was to be sent by a run that has died.
    let known = "DO UPDATE SET status = 'pending', \
                 lost = deliveries.lost + CASE WHEN deliveries.status = 'pending' THEN 1 ELSE 0 END";
    owe(database, run, &owed, known)
}

/// Messages are owed to channels from now on. `known` is what happens to those that were owed before.
fn owe(database: &mut dyn Database, run: &Run, owed: &[(&str, &str)], known: &str) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = owed
        .iter()
        .map(|(key, channel)| {
            let at = run.started_at.as_millisecond();
            vec![(*key).into(), (*channel).into(), run.id.as_str().into(), at.into(), "pending".into(), 0.into()]
        })
        .collect();
    let columns = ["dedup_key", "channel", "run_id", "at", "status", "attempts"];
    insert(database, "deliveries", &columns, &rows, &format!("ON CONFLICT (dedup_key, channel) {known}"))
}

/// Messages that are owed to nobody any more are done.
fn close(database: &mut dyn Database, keys: &[Value], now: Timestamp) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE alerts SET done_at = $1, claimed_by = NULL, claimed_until = NULL, state = CASE WHEN EXISTS \
         (SELECT 1 FROM deliveries d WHERE d.dedup_key = alerts.dedup_key AND d.status = 'sent') \
         THEN 'sent' ELSE 'withdrawn' END WHERE state = 'pending' AND NOT EXISTS \
         (SELECT 1 FROM deliveries d WHERE d.dedup_key = alerts.dedup_key AND d.status IN {OWED}) \
         AND dedup_key IN ({{keys}})"
    );
    for_keys(database, &sql, &[now.as_millisecond().into()], keys)
}

fn readings(database: &mut dyn Database, learnt: &Learnt) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = learnt
        .readings
        .iter()
        .map(|(account, cached)| {
            let balance: Option<Decimal> = match cached.reading.amount {
                Amount::Of(balance) => Some(balance),
                Amount::Unlimited => None,
            };
            let currency = cached.reading.currency.as_deref();
            vec![account.as_str().into(), cached.at.as_millisecond().into(), balance.into(), currency.into()]
        })
        .collect();
    insert(
        database,
        "readings",
        &["account", "read_at", "balance", "currency"],
        &rows,
        "ON CONFLICT (account) DO UPDATE SET read_at = excluded.read_at, balance = excluded.balance, \
         currency = excluded.currency",
    )
}

fn circuits(database: &mut dyn Database, learnt: &Learnt) -> Result<(), StoreError> {
    let (bad, good): (Vec<_>, Vec<_>) = learnt.circuits.iter().partition(|(_, state)| state.failures > 0);
    let rows: Vec<Vec<Value>> = bad
        .into_iter()
        .map(|(host, state)| {
            let until = state.open_until.map(Timestamp::as_millisecond);
            let (reason, message) =
                state.cause.as_ref().map(|(reason, words)| (reason.as_str(), words.as_str())).unzip();
            vec![host.as_str().into(), i64::from(state.failures).into(), until.into(), reason.into(), message.into()]
        })
        .collect();
    insert(
        database,
        "circuits",
        &["host", "failures", "open_until", "reason", "message"],
        &rows,
        "ON CONFLICT (host) DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until, \
         reason = excluded.reason, message = excluded.message",
    )?;
    let keys: Vec<Value> = good.into_iter().map(|(host, _)| host.as_str().into()).collect();
    for_keys(database, "DELETE FROM circuits WHERE host IN ({keys})", &[], &keys)
}

/// How far the mailboxes were read: with the alerts of these mails, so that none is lost between the two.
fn cursors(database: &mut dyn Database, learnt: &Learnt) -> Result<(), StoreError> {
    let scans =
        learnt.found.mailboxes.iter().filter_map(|verdict| Some((verdict, verdict.scanned.result.as_ref().ok()?)));
    let rows: Vec<Vec<Value>> = scans
        .map(|(verdict, scan)| {
            let (validity, last) = (i64::from(scan.cursor.validity), i64::from(scan.cursor.last));
            vec![verdict.identity.0.into(), validity.into(), last.into()]
        })
        .collect();
    for row in &rows {
        // Another run may be reading what has come since.
        let sql = "DELETE FROM mail_marks WHERE check_id = $1 AND (validity <> $2 OR last_uid <= $3)";
        database.execute(sql, row)?;
    }
    // Of two runs at once the one that has read further is right.
    insert(
        database,
        "cursors",
        &["check_id", "validity", "last"],
        &rows,
        "ON CONFLICT (check_id) DO UPDATE SET validity = excluded.validity, last = excluded.last \
         WHERE cursors.validity <> excluded.validity OR cursors.last < excluded.last",
    )
}

/// Marks the mails of a mailbox that are about to be read. A mark goes with the cursor that has moved past it.
pub(super) fn mark_mails(
    database: &mut dyn Database,
    mailbox: Identity,
    mark: Mark,
    wait: Duration,
) -> Result<(), StoreError> {
    let numbers = [mark.validity, mark.first, mark.last, u32::from(mark.is_alone)].map(|n| Value::Int(i64::from(n)));
    let row: Vec<Value> = [mailbox.0.into()].into_iter().chain(numbers).collect();
    transaction(database, wait, |database| {
        insert(
            database,
            "mail_marks",
            &["check_id", "validity", "first_uid", "last_uid", "is_alone"],
            &[row],
            "ON CONFLICT (check_id) DO UPDATE SET validity = excluded.validity, first_uid = excluded.first_uid, \
             last_uid = excluded.last_uid, is_alone = excluded.is_alone",
        )
    })
}

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
        let now = clock::now();
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
        handed(database, run, marks, now)?;
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

/// What became of each message on each channel.
fn handed(database: &mut dyn Database, run: &Run, marks: &Marks, now: Timestamp) -> Result<(), StoreError> {
    let handed = || marks.deliveries.iter().filter_map(|handed| Some((handed, marks.alerts.get(handed.alert)?)));
    let taken = || handed().filter(|(handed, _)| handed.fate == Fate::Taken);
    let key = |alert: &Alert| (alert.identity, alert.topic());
    let over = taken().filter(|(_, alert)| alert.event == Event::Resolved);
    forget(database, over.map(|(handed, alert)| (key(alert), handed.channel.as_str())))?;
    for is_reminder in [false, true] {
        let told: Vec<((Identity, Topic), &str, Told)> = taken()
            .filter(|(_, alert)| alert.event == Event::Raised && alert.is_reminder == is_reminder)
            .map(|(handed, alert)| (key(alert), handed.channel.as_str(), Told::of(alert, run.started_at)))
            .collect();
        let told = told.iter().map(|(key, channel, told)| (*key, *channel, told)).collect();
        insert_told(database, told, !is_reminder)?;
    }
    let rows: Vec<Vec<Value>> = handed()
        .map(|(handed, alert)| {
            vec![
                alert.dedup_key.as_str().into(),
                handed.channel.as_str().into(),
                run.id.as_str().into(),
                now.as_millisecond().into(),
                handed.fate.as_str().into(),
                handed.detail.as_deref().into(),
                1.into(),
                i64::from(handed.fate == Fate::Unknown).into(),
            ]
        })
        .collect();
    insert(
        database,
        "deliveries",
        &["dedup_key", "channel", "run_id", "at", "status", "detail", "attempts", "doubts"],
        &rows,
        "ON CONFLICT (dedup_key, channel) DO UPDATE SET run_id = excluded.run_id, at = excluded.at, \
         status = excluded.status, detail = excluded.detail, attempts = deliveries.attempts + 1, \
         doubts = deliveries.doubts + excluded.doubts",
    )?;
    let keys: Vec<Value> = marks.alerts.iter().map(|alert| alert.dedup_key.as_str().into()).collect();
    let sql = "UPDATE alerts SET claimed_by = NULL, claimed_until = NULL WHERE dedup_key IN ({keys})";
    for_keys(database, sql, &[], &keys)?;
    close(database, &keys, now)
}

/// Adds to the sums of a group. A family with another layout than before starts anew.
fn add(database: &mut dyn Database, group: &str, tally: &Tally) -> Result<(), StoreError> {
    let mut odd = Odd::default();
    let mut known = stored_sums(database, group, &mut odd)?;
    if !odd.is_empty() {
        odd.set_aside(database)?;
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for ((family, labels), more) in &tally.0 {
        let mut sum = known.0.remove(&(*family, labels.clone())).unwrap_or_default();
        sum.add(more);
        let layout = family_named(family).map(Family::layout).unwrap_or_default();
        let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        rows.push(vec![
            group.into(),
            (*family).into(),
            json_list(labels).into(),
            layout.into(),
            number(sum.count),
            number(sum.micros),
            json_list(&sum.buckets).into(),
        ]);
    }
    insert(
        database,
        "sums",
        &["grouping", "family", "labels", "layout", "count", "micros", "buckets"],
        &rows,
        "ON CONFLICT (grouping, family, labels) DO UPDATE SET layout = excluded.layout, count = excluded.count, \
         micros = excluded.micros, buckets = excluded.buckets",
    )
}

fn json_list(list: &impl serde::Serialize) -> String {
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(list).unwrap_or_default()
}

fn family_named(name: &str) -> Option<&'static Family> {
    family::ALL.iter().copied().find(|family| family.name == name)
}

/// The sums of a group that this program can go on with.
fn stored_sums(database: &mut dyn Database, group: &str, odd: &mut Odd) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let sql = "SELECT family, labels, layout, count, micros, buckets, grouping FROM sums WHERE grouping = $1";
    for row in database.query(sql, &[group.into()])? {
        odd.read(&SUMS, &row, |row| {
            let family = family_named(row.text(0)?);
            let Some(family) = family.filter(|family| row.optional_text(2) == Some(&family.layout())) else {
                return Ok(());
            };
            let broken = |_| StoreError::damaged("a sum in it cannot be understood");
            let labels: Vec<String> = serde_json::from_str(row.text(1)?).map_err(broken)?;
            let buckets: Vec<u64> = serde_json::from_str(row.text(5)?).map_err(broken)?;
            let number = |column| row.int(column).map(|n| u64::try_from(n).unwrap_or_default());
            tally.0.insert((family.name, labels), Sum { count: number(3)?, micros: number(4)?, buckets });
            Ok(())
        })?;
    }
    Ok(tally)
}

/// What the end of a run means for the metrics of its group.
fn metric_marks(database: &mut dyn Database, marks: &MetricMarks) -> Result<(), StoreError> {
    let group = marks.group.as_str();
    let mut tally = marks.tally.clone();
    let before = fact(database, &format!("config:{group}"))?;
    if before.as_ref().is_some_and(|before| *before != marks.config) {
        tally.count(&family::CONFIG_RELOADS, &[], 1);
    }
    set_fact(database, &format!("config:{group}"), &marks.config)?;
    if let Some(at) = marks.succeeded_at {
        set_fact(database, &format!("last_success:{group}"), &at.as_millisecond().to_string())?;
    }
    if let Some(present) = &marks.present {
        for (family, labels) in stored_sums(database, group, &mut Odd::default())?.0.into_keys() {
            let label = |at: usize| labels.get(at).map(String::as_str).unwrap_or_default();
            let is_there = match family {
                name if name == family::FAILED.name => {
                    present.projects.iter().any(|(project, provider)| project == label(0) && provider == label(1))
                }
                name if name == family::CALLS.name || name == family::LATENCY.name => {
                    present.projects.iter().any(|(_, provider)| provider == label(0))
                }
                name if [&family::SCANNED, &family::MAIL_ALERTS, &family::SCAN_DURATION]
                    .iter()
                    .any(|f| f.name == name) =>
                {
                    present.projects.iter().any(|(mailbox, provider)| mailbox == label(0) && provider == "imap")
                }
                name if name == family::DELIVERY.name => present.webhook_types.contains(&label(0)),
                _ => true,
            };
            if !is_there {
                // What has left the config goes from the metrics.
                let sql = "DELETE FROM sums WHERE grouping = $1 AND family = $2 AND labels = $3";
                database.execute(sql, &[group.into(), family.into(), json_list(&labels).into()])?;
            }
        }
    }
    // Rows of another layout are of no use to anybody.
    for family in family::ALL {
        let sql = "DELETE FROM sums WHERE grouping = $1 AND family = $2 AND layout <> $3";
        database.execute(sql, &[group.into(), family.name.into(), family.layout().into()])?;
    }
    add(database, group, &tally)
}

/// The sums of a group, reserved until the store is closed.
pub(super) fn sums(
    database: &mut dyn Database,
    group: &str,
    checks: &HashSet<Identity>,
    wait: Duration,
) -> Result<Sums, StoreError> {
    // Groups have locks of their own: a gateway that hangs keeps no other one waiting.
    let name: String = Sha256::digest(group).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    database.reserve(&format!("metrics-{name}"), wait)?;
    let last_success = fact(database, &format!("last_success:{group}"))?;
    let mut pending = 0;
    for row in database.query("SELECT check_id FROM alerts WHERE state = 'pending'", &[])? {
        pending += u64::from(row.optional_int(0).is_some_and(|check| checks.contains(&Identity(check))));
    }
    Ok(Sums {
        tally: stored_sums(database, group, &mut Odd::default())?,
        last_success: last_success.and_then(|at| timestamp(at.parse().ok()?).ok()),
        pending,
    })
}

/// Removes what is older than the retention.
///
/// A clock that is ahead by years must not empty the store, so time counts only as far as an earlier run bears it out: one
/// that began a day ago or more, and the day after it. A store that has no such run has nothing to remove.
fn prune(database: &mut dyn Database, now: Timestamp, retention: Duration) -> Result<(), StoreError> {
    let sql = "SELECT max(run) FROM runs WHERE run <= $1";
    let witness = database.query(sql, &[clock::before(now, BORNE_OUT).as_microsecond().into()])?;
    let Some(witness) = witness.first().and_then(|row| Timestamp::from_microsecond(row.optional_int(0)?).ok()) else {
        return Ok(());
    };
    let now = now.min(clock::after(witness, BORNE_OUT));
    let expired = clock::before(now, PENDING_EXPIRES.min(retention)).as_millisecond();
    let sql = "UPDATE alerts SET state = 'expired', done_at = $1 \
               WHERE state = 'pending' AND created_at < $2 AND (claimed_by IS NULL OR claimed_until < $1)";
    database.execute(sql, &[now.as_millisecond().into(), expired.into()])?;
    // A mail that was told needs no longer memory than a first look goes back.
    let mails = clock::before(now, MAILS_KNOWN).as_millisecond();
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
    for table in ["failures", "told", "courses"] {
        database.execute(&format!("DELETE FROM {table} WHERE check_id IN ({gone})"), &run)?;
    }
    database.execute("DELETE FROM checks WHERE last_run < $1", &run)?;
    let old = "SELECT dedup_key FROM alerts WHERE state <> 'pending' AND created_at < $1";
    database.execute(&format!("DELETE FROM deliveries WHERE dedup_key IN ({old})"), &time)?;
    database.execute("DELETE FROM alerts WHERE state <> 'pending' AND created_at < $1", &time)?;
    database.execute("DELETE FROM readings WHERE read_at < $1", &time)?;
    // Earlier versions named readings by whole addresses, in whose paths tokens may stand.
    database.execute("DELETE FROM readings WHERE account LIKE '%://%'", &[])
}
