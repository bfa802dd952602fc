//! Writes what channels know: courses of conditions, what was told, what is withdrawn.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::database::{Database, Value, for_keys, insert};
use super::outbox::owe;
use super::{Run, StoreError};
use crate::decide::memory::{ANY_CHANNEL, Changes, Told};
use crate::model::alert::Topic;
use crate::model::identity::Identity;

/// Writes what a decision leaves for the next runs.
pub(super) fn changes(database: &mut dyn Database, changes: &Changes, run: &Run) -> Result<(), StoreError> {
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
    withdraw(database, changes, run)?;
    let known = changes.heard.iter().filter_map(|(key, channel, told)| Some((*key, channel.as_str(), told.as_ref()?)));
    insert_told(database, known.collect(), true)?;
    let unknown = changes.heard.iter().filter(|(.., told)| told.is_none());
    forget(database, unknown.map(|(key, channel, _)| (*key, channel.as_str())))?;
    super::mutes::forget(database, changes.unmuted.iter().copied())?;
    courses(database, changes)
}

/// Writes what is owed to other channels from now on, and what is no longer owed.
fn withdraw(database: &mut dyn Database, changes: &Changes, run: &Run) -> Result<(), StoreError> {
    let kept: Vec<(&str, &str)> = changes.kept.iter().map(|(key, channel)| (key.as_str(), channel.as_str())).collect();
    owe(database, run, &kept, "pending", "DO NOTHING")?;
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
    Ok(())
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
                time(course.muted_at),
            ])
        })
        .collect();
    insert(
        database,
        "courses",
        &["check_id", "topic", "began_at", "messages", "flaps", "calm_since", "over_at", "muted_at"],
        &rows,
        "ON CONFLICT (check_id, topic) DO UPDATE SET began_at = excluded.began_at, messages = excluded.messages, \
         flaps = excluded.flaps, calm_since = excluded.calm_since, over_at = excluded.over_at, \
         muted_at = excluded.muted_at",
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

/// Removes what these channels were told, because they know of nothing wrong any more.
pub(super) fn forget<'a>(
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

/// Writes what channels know from now on. Unless `is_anchored`, as for a reminder, the timetable of the reminders stays as it is.
pub(super) fn insert_told(
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
    // One that is later than this message was written by a clock that was ahead.
    let kept = "CASE WHEN told.anchor_at <= excluded.anchor_at THEN told.anchor_at ELSE excluded.anchor_at END";
    let anchor = if is_anchored { "excluded.anchor_at" } else { kept };
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
