//! The tables, as numbered steps. A step that was released is never changed; a new one is added.
//!
//! Times are milliseconds since 1970 in UTC, `run` is the number of a run: its start in microseconds since 1970, made
//! unique. `check_id` is the identity of a check. Amounts are decimal text. `labels` and `buckets` are JSON lists, `grouping` is
//! the group of a Pushgateway. `mail_marks` holds the mails that a run reads, or was reading when it died.
//! `shard` is the part of the checks that a run was about, as `2/4`; empty for all.
//!
//! `channel` is the id of a channel, empty for all that have no row of their own. A delivery is `pending` while a run is
//! sending it, or for good if that run died; `lost` counts these runs, `doubts` the sendings without an answer,
//! `refusals` those in which the message was refused alone. `at` is when it was sent last, or decided as long as `attempts` is 0.

use std::time::Duration;

use super::StoreError;
use super::database::Database;

/// Each step brings a store from the version of its position to the next one.
const STEPS: [&str; 17] = [
    "
CREATE TABLE runs (
    run BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    finished_at BIGINT,
    exit_code BIGINT,
    checks BIGINT NOT NULL,
    ends_by BIGINT NOT NULL,
    is_partial BIGINT NOT NULL
){without_rowid};
CREATE TABLE checks (
    check_id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    provider TEXT NOT NULL,
    owner TEXT,
    unit TEXT NOT NULL,
    currency TEXT,
    last_run BIGINT NOT NULL
){without_rowid};
CREATE TABLE samples (
    run BIGINT NOT NULL,
    check_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    balance TEXT,
    threshold TEXT,
    PRIMARY KEY (run, check_id)
){without_rowid};
CREATE TABLE failures (
    check_id BIGINT PRIMARY KEY,
    runs BIGINT NOT NULL,
    reason TEXT
);
CREATE TABLE conditions (
    check_id BIGINT NOT NULL,
    topic TEXT NOT NULL,
    told_at BIGINT NOT NULL,
    level TEXT NOT NULL,
    balance TEXT,
    threshold TEXT,
    mark TEXT NOT NULL,
    PRIMARY KEY (check_id, topic)
);
CREATE TABLE alerts (
    dedup_key TEXT PRIMARY KEY,
    check_id BIGINT NOT NULL,
    topic TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    claimed_by BIGINT,
    claimed_until BIGINT,
    content TEXT NOT NULL
);
CREATE INDEX alerts_by_state ON alerts (state, created_at);
CREATE TABLE deliveries (
    dedup_key TEXT NOT NULL,
    channel TEXT NOT NULL,
    run_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (dedup_key, channel)
);
CREATE TABLE readings (
    account TEXT PRIMARY KEY,
    read_at BIGINT NOT NULL,
    balance TEXT,
    currency TEXT
);
CREATE TABLE circuits (
    host TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    open_until BIGINT
);
CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
",
    "
CREATE TABLE sums (
    grouping TEXT NOT NULL,
    family TEXT NOT NULL,
    labels TEXT NOT NULL,
    layout TEXT NOT NULL,
    count BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    buckets TEXT NOT NULL,
    PRIMARY KEY (grouping, family, labels)
);
CREATE TABLE cursors (
    check_id BIGINT PRIMARY KEY,
    validity BIGINT NOT NULL,
    last BIGINT NOT NULL
);
",
    "
ALTER TABLE runs ADD COLUMN shard TEXT NOT NULL DEFAULT '';
",
    "
ALTER TABLE circuits ADD COLUMN reason TEXT;
ALTER TABLE circuits ADD COLUMN message TEXT;
ALTER TABLE runs ADD COLUMN unusable_channels TEXT NOT NULL DEFAULT '';
",
    // What was told and what is owed, for each channel. Before, one channel that took a message stood for all; so what was told
    // then counts as told to all (the channel ''), except to those that failed to take the last message of it, and what was
    // pending is owed to all.
    "
CREATE TABLE courses (
    check_id BIGINT NOT NULL,
    topic TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    flaps BIGINT NOT NULL,
    calm_since BIGINT,
    over_at BIGINT,
    PRIMARY KEY (check_id, topic)
);
CREATE TABLE told (
    check_id BIGINT NOT NULL,
    topic TEXT NOT NULL,
    channel TEXT NOT NULL,
    told_at BIGINT,
    anchor_at BIGINT,
    level TEXT,
    balance TEXT,
    threshold TEXT,
    mark TEXT,
    PRIMARY KEY (check_id, topic, channel)
);
ALTER TABLE deliveries ADD COLUMN doubts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
INSERT INTO courses (check_id, topic, began_at, messages, flaps)
SELECT check_id, topic, told_at, 0, 0 FROM conditions;
INSERT INTO courses (check_id, topic, began_at, messages, flaps)
SELECT a.check_id, a.topic, min(a.created_at), 0, 0 FROM alerts a
LEFT JOIN conditions c ON c.check_id = a.check_id AND c.topic = a.topic
WHERE a.state = 'pending' AND c.check_id IS NULL GROUP BY a.check_id, a.topic;
INSERT INTO told (check_id, topic, channel, told_at, anchor_at, level, balance, threshold, mark)
SELECT check_id, topic, '', told_at, told_at, level, balance, threshold, mark FROM conditions;
INSERT INTO told (check_id, topic, channel)
SELECT DISTINCT c.check_id, c.topic, d.channel FROM conditions c
JOIN alerts a ON a.check_id = c.check_id AND a.topic = c.topic AND a.state = 'sent'
JOIN deliveries d ON d.dedup_key = a.dedup_key AND d.status = 'failed'
WHERE a.created_at = (SELECT max(b.created_at) FROM alerts b
WHERE b.check_id = c.check_id AND b.topic = c.topic AND b.state = 'sent');
INSERT INTO deliveries (dedup_key, channel, run_id, at, status, attempts)
SELECT dedup_key, '', '', created_at, 'pending', 0 FROM alerts WHERE state = 'pending';
DROP TABLE conditions;
",
    "
CREATE TABLE mail_marks (
    check_id BIGINT PRIMARY KEY,
    validity BIGINT NOT NULL,
    first_uid BIGINT NOT NULL,
    last_uid BIGINT NOT NULL,
    is_alone BIGINT NOT NULL
);
",
    // What a balance is counted in, beside each balance: an answer may name another currency tomorrow. Rows from before have
    // null; a sample without a currency has an empty text.
    "
ALTER TABLE samples ADD COLUMN currency TEXT;
ALTER TABLE told ADD COLUMN currency TEXT;
",
    // What a service tells beside a balance, as JSON: a threshold may be a share of the total.
    "
ALTER TABLE readings ADD COLUMN beside TEXT;
",
    // What is known of the accounts that mails tell of: how they were read (`way`), how far the folder was looked through, and the
    // newest mail that matches, with its balance or why it tells none.
    "
CREATE TABLE mail_readings (
    check_id BIGINT PRIMARY KEY,
    way TEXT NOT NULL,
    validity BIGINT NOT NULL,
    last BIGINT NOT NULL,
    mail_at BIGINT,
    balance TEXT,
    currency TEXT,
    reason TEXT,
    message TEXT
);
",
    // In how many runs a channel refused a message alone and took others.
    "
ALTER TABLE deliveries ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0;
",
    // What is not to be told for a while. A silence has what it is about (`matching`, a JSON list) and an end; an acknowledgement has a
    // condition, with what was known of it. `muted_at` is when a run last found a condition silenced or acknowledged.
    "
CREATE TABLE mutes (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    matching TEXT NOT NULL,
    check_id BIGINT,
    topic TEXT,
    name TEXT,
    told_at BIGINT,
    level TEXT,
    balance TEXT,
    threshold TEXT,
    currency TEXT,
    mark TEXT,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    ends_at BIGINT
);
ALTER TABLE courses ADD COLUMN muted_at BIGINT;
",
    // Which schedule a run is one of, so that a run sees that those of another one do not come any more. Runs from before have an
    // empty text.
    "
ALTER TABLE runs ADD COLUMN schedule TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_by_schedule ON runs (schedule, shard, run);
",
    // The credits of an account that expire, as JSON, as they were read last: why somebody is told of them or not. Null where there
    // are none.
    "
ALTER TABLE checks ADD COLUMN credits TEXT;
",
    // What the answers of services look like, by source: hashes of their places with the types of what stands there, and no value.
    "
CREATE TABLE answers (
    source TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    places TEXT NOT NULL
);
",
    // The payments of subscriptions that people have noted, and what the last run found of each subscription. Dates are as 2026-11-15.
    "
CREATE TABLE payments (
    check_id BIGINT NOT NULL,
    paid_on TEXT NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (check_id, paid_on)
);
CREATE TABLE renewals (
    check_id BIGINT PRIMARY KEY,
    cycle TEXT NOT NULL,
    renews_on TEXT,
    amount TEXT,
    currency TEXT,
    yearly TEXT,
    paid_on TEXT
);
",
    // Older samples are thinned. What stays has beside it the first balance of those that it stands for, and the sums of their falls and
    // rises.
    "
ALTER TABLE samples ADD COLUMN merged TEXT;
",
    // The first day of the period, as 2026-11-23, whose digest was made last for a config and a length of periods.
    "
CREATE TABLE digests (
    schedule TEXT NOT NULL,
    span TEXT NOT NULL,
    began_on TEXT NOT NULL,
    PRIMARY KEY (schedule, span)
);
",
];

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Brings a store to this program's version; two programs that do so at once do not meet.
pub(super) fn migrate(database: &mut dyn Database, wait: Duration) -> Result<(), StoreError> {
    if is_current(database.version()?)? {
        return Ok(());
    }
    database.begin(wait)?;
    let result = steps(database).and_then(|()| database.commit());
    if result.is_err() {
        database.rollback();
    }
    result
}

/// # Errors
/// The store was written by a newer program.
pub(super) fn is_current(version: i64) -> Result<bool, StoreError> {
    if version > VERSION {
        return Err(StoreError::newer(version, VERSION));
    }
    Ok(version == VERSION)
}

fn steps(database: &mut dyn Database) -> Result<(), StoreError> {
    // Another program may have done it while this one waited.
    let version = database.version()?;
    if is_current(version)? {
        return Ok(());
    }
    database.prepare_tables()?;
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or_default()) {
        let sql = database.words().iter().fold((*step).to_owned(), |sql, (from, to)| sql.replace(from, to));
        for statement in sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            database.execute(statement, &[])?;
        }
    }
    database.set_version(VERSION)
}
