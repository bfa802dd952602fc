//! What earlier runs left for decisions: failed runs in a row, the courses of conditions, what channels were told and are owed.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row};
use super::mutes::mutes;
use super::outbox::OWED;
use super::rows::{content, previous_start, timestamp};
use super::schedules::schedules;
use crate::decide::memory::{Condition, Course, Heard, Memory, Owed, Told};
use crate::model::alert::{Alert, Level, Topic};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;

const FAILURES: Table = Table { name: "failures", key: &[("check_id", 0)] };
const COURSES: Table = Table { name: "courses", key: &[("check_id", 0), ("topic", 1)] };
const TOLD: Table = Table { name: "told", key: &[("check_id", 0), ("topic", 1), ("channel", 2)] };
const ALERTS: Table = Table { name: "alerts", key: &[("dedup_key", 10)] };

/// All that decisions depend on. What cannot be understood is left out.
pub(super) fn memory(database: &mut dyn Database, own: &Schedule, odd: &mut Odd) -> Result<Memory, StoreError> {
    let mut memory = Memory { previous_run: previous_start(database, own.shard)?, ..Memory::default() };
    for row in database.query("SELECT check_id, runs FROM failures", &[])? {
        odd.read(&FAILURES, &row, |row| {
            memory.failures.insert(Identity(row.int(0)?), u32::try_from(row.int(1)?).unwrap_or(u32::MAX));
            Ok(())
        })?;
    }
    let sql = "SELECT check_id, topic, began_at, messages, flaps, calm_since, over_at, muted_at FROM courses";
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
                muted_at: time(7)?,
            };
            let condition = Condition { course, channels: BTreeMap::new() };
            memory.conditions.insert((Identity(row.int(0)?), topic(row, 1)?), condition);
            Ok(())
        })?;
    }
    told(database, &mut memory, odd)?;
    owed(database, &mut memory, odd)?;
    memory.mutes = mutes(database, odd)?;
    memory.schedules = schedules(database, own)?;
    Ok(memory)
}

/// What a channel knows of a condition, to be filled in.
fn heard<'m>(memory: &'m mut Memory, key: (Identity, Topic), channel: &str, began: Timestamp) -> &'m mut Heard {
    let course = Course::begun(began);
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
    let now = database.now().as_millisecond();
    let mut alive: HashMap<i64, bool> = HashMap::new();
    let sql = format!(
        "SELECT a.check_id, a.topic, a.content, a.claimed_by, a.claimed_until, d.channel, d.doubts, d.at, \
         CAST(CASE WHEN d.doubts > 0 OR d.lost > 0 OR d.status = 'pending' THEN 1 ELSE 0 END AS BIGINT), \
         (SELECT count(*) FROM deliveries s WHERE s.dedup_key = a.dedup_key AND s.status = 'sent'), a.dedup_key, d.refusals, \
         CAST(CASE WHEN d.attempts > 0 OR d.lost > 0 OR d.status = 'pending' THEN 1 ELSE 0 END AS BIGINT), d.attempts \
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
                refusals: u32::try_from(row.int(11)?).unwrap_or(u32::MAX),
                is_tried: row.int(12)? > 0,
                attempts: u32::try_from(row.int(13)?).unwrap_or(u32::MAX),
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
