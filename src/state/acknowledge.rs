//! Acknowledges what is wrong: what is known of it is kept, so that a run sees when it gets worse.

use std::time::Duration;

use jiff::Timestamp;

use super::StoreError;
use super::damaged_rows::Odd;
use super::database::{Database, for_keys, transaction};
use super::mutes::{Said, add};
use super::remembered::memory;
use crate::decide::Status;
use crate::decide::memory::{Condition, Covers, Mute, MuteKind, Told};
use crate::model::alert::{Event, Level, Topic};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;

/// Writes that what is wrong with the checks of a name is known. Gives what is, without what was acknowledged before.
pub(super) fn acknowledge(
    database: &mut dyn Database,
    name: &str,
    topic: Option<Topic>,
    said: &Said,
    wait: Duration,
) -> Result<Vec<Mute>, StoreError> {
    transaction(database, wait, |database| {
        let mut odd = Odd::default();
        let memory = memory(database, &Schedule::default(), &mut odd)?;
        let rows = database.query("SELECT check_id FROM checks WHERE name = $1", &[name.into()])?;
        let checks: Vec<Identity> = rows.iter().filter_map(|row| row.optional_int(0).map(Identity)).collect();
        let is_meant = |(identity, of): &(Identity, Topic), condition: &Condition| {
            let is_its = match of {
                Topic::Mail => owed(condition).any(|alert| alert.project == name),
                _ => checks.contains(identity) && condition.course.over_at.is_none(),
            };
            is_its && topic.is_none_or(|topic| topic == *of)
        };
        let mut open: Vec<_> = memory.conditions.iter().filter(|(key, condition)| is_meant(key, condition)).collect();
        open.sort_by_key(|(key, _)| (key.1, key.0.0));
        let mut made = Vec::new();
        for (key, condition) in open {
            let Some(told) = known(database, *key, condition, said.at)? else { continue };
            for_keys(
                database,
                "DELETE FROM mutes WHERE kind = $1 AND topic = $2 AND check_id IN ({keys})",
                &[MuteKind::Ack.as_str().into(), key.1.as_str().into()],
                &[key.0.0.into()],
            )?;
            let covers = Covers::Known { key: *key, name: name.to_owned(), told };
            let number = add(database, &covers, said, None)?;
            let Said { who, reason, at } = said.clone();
            made.push(Mute { number, covers, who, reason, made_at: at, until: None });
        }
        Ok(made)
    })
}

fn owed(condition: &Condition) -> impl Iterator<Item = &crate::model::alert::Alert> {
    let owed = condition.channels.values().filter_map(|heard| heard.owed.as_ref());
    owed.map(|owed| &owed.alert).filter(|alert| alert.event == Event::Raised)
}

/// What is known of a condition: the worst that anybody was told or is owed; or, if that is nothing, what the last run found.
fn known(
    database: &mut dyn Database,
    (identity, topic): (Identity, Topic),
    condition: &Condition,
    now: Timestamp,
) -> Result<Option<Told>, StoreError> {
    let told = condition.channels.values().filter_map(|heard| heard.told.clone());
    let worst =
        told.chain(owed(condition).map(|alert| Told::of(alert, alert.at))).max_by_key(|told| (told.level, told.at));
    if worst.is_some() {
        return Ok(worst);
    }
    let sql = "SELECT status, balance, threshold, currency FROM samples WHERE check_id = $1 ORDER BY run DESC LIMIT 1";
    let rows = database.query(sql, &[identity.0.into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let level = match row.optional_text(0).and_then(Status::parse) {
        Some(Status::Low) if topic == Topic::Low => Level::Critical,
        _ => Level::Warning,
    };
    let is_low = topic == Topic::Low;
    Ok(Some(Told {
        at: now,
        anchor: now,
        level,
        balance: row.decimal(1)?.filter(|_| is_low),
        threshold: row.decimal(2)?.filter(|_| is_low),
        currency: row.optional_text(3).filter(|currency| is_low && !currency.is_empty()).map(str::to_owned),
        mark: String::new(),
    }))
}
