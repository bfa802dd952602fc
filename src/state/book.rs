//! What a run reads and writes: the snapshot it starts from, the one transaction in which it decides, and the marks after
//! the messages are out.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::database::{Database, Row, Value, for_keys, insert};
use super::memory::{Changes, Condition, Memory, Pending, Told};
use super::views::shard_text;
use super::{Learnt, Marks, MetricMarks, Run, Snapshot, StoreError, StoreFault};
use crate::alert::{Alert, Event, Identity, Level, Topic};
use crate::check::circuit::HostState;
use crate::check::mailbox::session::Cursor;
use crate::check::{Amount, CachedReading, Reading};
use crate::decide::{Decision, Found};
use crate::failure::{Failure, Reason};
use crate::fault;
use crate::metrics::family::{self, Family};
use crate::metrics::{Sum, Sums, Tally};

/// Runs whose samples are deleted at once, so that no run pays for a long time that nobody ran.
const PRUNED_AT_ONCE: i64 = 50;
/// A check's last run is written again after this time, in microseconds: most runs need not touch its row. Samples tell.
const RECORDED_EVERY: i64 = 86_400 * 1_000_000;
/// The key of the hashes that name accounts.
const ACCOUNT_KEY: &str = "account_key";
/// Mails that were told are known for so long; a first look goes back 30 days at the most.
const MAILS_KNOWN: Duration = Duration::from_secs(60 * 86_400);
/// Messages that nobody could be told for so long are given up.
const PENDING_EXPIRES: Duration = Duration::from_secs(30 * 86_400);

/// What is known before anything is asked. `keep_readings` makes the key that their names are hashed with.
pub(super) fn snapshot(
    database: &mut dyn Database,
    keep_readings: Option<Duration>,
    can_write: bool,
    wait: Duration,
) -> Result<Snapshot, StoreError> {
    let mut snapshot = Snapshot { memory: memory(database)?, ..Snapshot::default() };
    for row in database.query("SELECT host, failures, open_until, reason, message FROM circuits", &[])? {
        let state = HostState {
            failures: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
            open_until: row.optional_int(2).map(timestamp).transpose()?,
            cause: row.optional_text(3).and_then(Reason::of).zip(row.optional_text(4).map(str::to_owned)),
        };
        snapshot.circuits.insert(row.text(0)?.to_owned(), state);
    }
    for row in database.query("SELECT check_id, validity, last FROM cursors", &[])? {
        let number = |column| row.int(column).map(|n| u32::try_from(n).unwrap_or_default());
        snapshot.cursors.insert(Identity(row.int(0)?), Cursor { validity: number(1)?, last: number(2)? });
    }
    let Some(ttl) = keep_readings else {
        return Ok(snapshot);
    };
    snapshot.account_key = account_key(database, can_write, wait)?;
    let oldest = earlier(Timestamp::now(), ttl).as_millisecond();
    let sql = "SELECT account, read_at, balance, currency FROM readings WHERE read_at > $1";
    for row in database.query(sql, &[oldest.into()])? {
        let amount = row.decimal(2)?.map_or(Amount::Unlimited, Amount::Of);
        let reading = Reading { amount, currency: row.optional_text(3).map(str::to_owned) };
        snapshot.readings.insert(row.text(0)?.to_owned(), CachedReading { at: timestamp(row.int(1)?)?, reading });
    }
    Ok(snapshot)
}

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
        let memory = memory(database)?;
        let decision = decide(&memory);
        let number = begin_run(database, run, learnt.found.total())?;
        samples(database, number, &learnt.found)?;
        changes(database, &decision.changes, run.started_at)?;
        pending(database, number, run, &decision.alerts)?;
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

/// All that decisions depend on.
fn memory(database: &mut dyn Database) -> Result<Memory, StoreError> {
    let mut memory = Memory::default();
    for row in database.query("SELECT check_id, runs FROM failures", &[])? {
        memory.failures.insert(Identity(row.int(0)?), u32::try_from(row.int(1)?).unwrap_or(u32::MAX));
    }
    let sql = "SELECT check_id, topic, told_at, level, balance, threshold, mark FROM conditions";
    for row in database.query(sql, &[])? {
        let told = Told {
            at: timestamp(row.int(2)?)?,
            level: Level::of(row.text(3)?).ok_or_else(|| StoreError::damaged("a level in it is unknown"))?,
            balance: row.decimal(4)?,
            threshold: row.decimal(5)?,
            mark: row.text(6)?.to_owned(),
        };
        memory.conditions.entry((Identity(row.int(0)?), topic(&row, 1)?)).or_default().told = Some(told);
    }
    let now = Timestamp::now().as_millisecond();
    let mut alive: HashMap<i64, bool> = HashMap::new();
    let sql = "SELECT check_id, topic, content, claimed_by, claimed_until FROM alerts WHERE state = 'pending'";
    for row in database.query(sql, &[])? {
        let alert: Alert = serde_json::from_str(row.text(2)?)
            .map_err(|_| StoreError::damaged("a message in it cannot be understood"))?;
        let claimed = match (row.optional_int(3), row.optional_int(4)) {
            (Some(run), Some(until)) if now < until => *alive.entry(run).or_insert_with(|| database.is_held(run)),
            _ => false,
        };
        let condition: &mut Condition = memory.conditions.entry((Identity(row.int(0)?), topic(&row, 1)?)).or_default();
        condition.pending = Some(Pending { alert, claimed });
    }
    Ok(memory)
}

fn topic(row: &Row, column: usize) -> Result<Topic, StoreError> {
    Topic::of(row.text(column)?).ok_or_else(|| StoreError::damaged("a topic in it is unknown"))
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
        status: verdict.renewal.standing.as_str(),
        reason: None,
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
        status: match &verdict.scanned.result {
            Ok(scan) if scan.findings.is_empty() => "ok",
            Ok(_) => "alert",
            Err(_) => "failed",
        },
        reason: verdict.scanned.result.as_ref().err().map(|failure| failure.reason.as_str()),
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
                sample.currency.into(),
                run.into(),
            ]
        })
        .collect();
    insert(
        database,
        "checks",
        &["check_id", "name", "provider", "owner", "unit", "currency", "last_run"],
        &checks,
        &format!(
            "ON CONFLICT (check_id) DO UPDATE SET owner = excluded.owner, unit = excluded.unit, \
             currency = excluded.currency, last_run = excluded.last_run \
             WHERE checks.last_run < excluded.last_run - {RECORDED_EVERY} \
             OR checks.last_run > excluded.last_run + {RECORDED_EVERY} \
             OR checks.owner IS DISTINCT FROM excluded.owner OR checks.unit IS DISTINCT FROM excluded.unit \
             OR checks.currency IS DISTINCT FROM excluded.currency"
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
            ]
        })
        .collect();
    insert(database, "samples", &["run", "check_id", "status", "reason", "balance", "threshold"], &rows, "")
}

fn changes(database: &mut dyn Database, changes: &Changes, now: Timestamp) -> Result<(), StoreError> {
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
    let keys: Vec<Value> = changes.withdrawn.iter().map(|key| key.as_str().into()).collect();
    let done = [now.as_millisecond().into()];
    for_keys(
        database,
        "UPDATE alerts SET state = 'withdrawn', done_at = $1 WHERE dedup_key IN ({keys})",
        &done,
        &keys,
    )?;
    for (check, topic) in &changes.over {
        forget(database, *check, *topic)?;
    }
    Ok(())
}

fn forget(database: &mut dyn Database, check: Identity, topic: Topic) -> Result<(), StoreError> {
    let sql = "DELETE FROM conditions WHERE check_id = $1 AND topic = $2";
    database.execute(sql, &[check.0.into(), topic.as_str().into()])
}

/// The messages that are about to be sent, claimed by this run.
fn pending(database: &mut dyn Database, number: i64, run: &Run, alerts: &[Alert]) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = alerts
        .iter()
        .map(|alert| {
            vec![
                alert.dedup_key.as_str().into(),
                alert.identity.0.into(),
                alert.topic.as_str().into(),
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
    )
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
        let now = Timestamp::now();
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
        let mut told: Vec<Vec<Value>> = Vec::new();
        let (mut sent, mut unsent): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
        for (alert, is_taken) in &marks.alerts {
            if !is_taken {
                unsent.push(alert.dedup_key.as_str().into());
                continue;
            }
            sent.push(alert.dedup_key.as_str().into());
            match alert.event {
                Event::Resolved => forget(database, alert.identity, alert.topic)?,
                Event::Raised => told.push(vec![
                    alert.identity.0.into(),
                    alert.topic.as_str().into(),
                    run.started_at.as_millisecond().into(),
                    alert.level.as_str().into(),
                    alert.balance.into(),
                    alert.threshold.into(),
                    alert.mark().into(),
                ]),
            }
        }
        insert(
            database,
            "conditions",
            &["check_id", "topic", "told_at", "level", "balance", "threshold", "mark"],
            &told,
            "ON CONFLICT (check_id, topic) DO UPDATE SET told_at = excluded.told_at, level = excluded.level, \
             balance = excluded.balance, threshold = excluded.threshold, mark = excluded.mark",
        )?;
        let done = [now.as_millisecond().into()];
        let sql = "UPDATE alerts SET state = 'sent', done_at = $1, claimed_by = NULL, claimed_until = NULL \
                   WHERE dedup_key IN ({keys})";
        for_keys(database, sql, &done, &sent)?;
        let sql = "UPDATE alerts SET claimed_by = NULL, claimed_until = NULL WHERE dedup_key IN ({keys})";
        for_keys(database, sql, &[], &unsent)?;
        let rows: Vec<Vec<Value>> = marks
            .deliveries
            .iter()
            .map(|delivery| {
                vec![
                    delivery.dedup_key.as_str().into(),
                    delivery.channel.as_str().into(),
                    run.id.as_str().into(),
                    now.as_millisecond().into(),
                    delivery.status.into(),
                    delivery.detail.as_deref().into(),
                    1.into(),
                ]
            })
            .collect();
        insert(
            database,
            "deliveries",
            &["dedup_key", "channel", "run_id", "at", "status", "detail", "attempts"],
            &rows,
            "ON CONFLICT (dedup_key, channel) DO UPDATE SET run_id = excluded.run_id, at = excluded.at, \
             status = excluded.status, detail = excluded.detail, attempts = deliveries.attempts + 1",
        )?;
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

/// Adds to the sums of a group. A family with another layout than before starts anew.
fn add(database: &mut dyn Database, group: &str, tally: &Tally) -> Result<(), StoreError> {
    let mut known = stored_sums(database, group)?;
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
fn stored_sums(database: &mut dyn Database, group: &str) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let sql = "SELECT family, labels, layout, count, micros, buckets FROM sums WHERE grouping = $1";
    for row in database.query(sql, &[group.into()])? {
        let Some(family) = family_named(row.text(0)?).filter(|family| row.optional_text(2) == Some(&family.layout()))
        else {
            continue;
        };
        let broken = |_| StoreError::damaged("a sum in it cannot be understood");
        let labels: Vec<String> = serde_json::from_str(row.text(1)?).map_err(broken)?;
        let buckets: Vec<u64> = serde_json::from_str(row.text(5)?).map_err(broken)?;
        let number = |column| row.int(column).map(|n| u64::try_from(n).unwrap_or_default());
        tally.0.insert((family.name, labels), Sum { count: number(3)?, micros: number(4)?, buckets });
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
        for (family, labels) in stored_sums(database, group)?.0.into_keys() {
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
        pending += u64::from(checks.contains(&Identity(row.int(0)?)));
    }
    Ok(Sums {
        tally: stored_sums(database, group)?,
        last_success: last_success.and_then(|at| timestamp(at.parse().ok()?).ok()),
        pending,
    })
}

fn fact(database: &mut dyn Database, name: &str) -> Result<Option<String>, StoreError> {
    let rows = database.query("SELECT value FROM facts WHERE name = $1", &[name.into()])?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

fn set_fact(database: &mut dyn Database, name: &str, value: &str) -> Result<(), StoreError> {
    let rest = "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    insert(database, "facts", &["name", "value"], &[vec![name.into(), value.into()]], rest)
}

/// Removes what is older than the retention.
fn prune(database: &mut dyn Database, now: Timestamp, retention: Duration) -> Result<(), StoreError> {
    let expired = earlier(now, PENDING_EXPIRES.min(retention)).as_millisecond();
    let sql = "UPDATE alerts SET state = 'expired', done_at = $1 \
               WHERE state = 'pending' AND created_at < $2 AND claimed_by IS NULL";
    database.execute(sql, &[now.as_millisecond().into(), expired.into()])?;
    // A mail that was told needs no longer memory than a first look goes back.
    let mails = earlier(now, MAILS_KNOWN).as_millisecond();
    let sql = "DELETE FROM conditions WHERE topic = $1 AND told_at < $2";
    database.execute(sql, &[Topic::Mail.as_str().into(), mails.into()])?;
    let oldest = earlier(now, retention);
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
    database.execute(&format!("DELETE FROM failures WHERE check_id IN ({gone})"), &run)?;
    database.execute(&format!("DELETE FROM conditions WHERE check_id IN ({gone})"), &run)?;
    database.execute("DELETE FROM checks WHERE last_run < $1", &run)?;
    let old = "SELECT dedup_key FROM alerts WHERE state <> 'pending' AND created_at < $1";
    database.execute(&format!("DELETE FROM deliveries WHERE dedup_key IN ({old})"), &time)?;
    database.execute("DELETE FROM alerts WHERE state <> 'pending' AND created_at < $1", &time)?;
    database.execute("DELETE FROM readings WHERE read_at < $1", &time)
}

pub(super) fn timestamp(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::damaged("a time in it is out of range"))
}

/// A time so much earlier; at the least the beginning of time.
pub(super) fn earlier(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}
