//! What is not to be told for a while: silences and acknowledgements, which people make and runs heed.

use std::time::Duration;

use jiff::Timestamp;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value, for_keys, insert, transaction};
use super::remembered::memory;
use super::rows::timestamp;
use crate::decide::Status;
use crate::decide::memory::{Condition, Covers, Mute, MuteKind, Told};
use crate::decide::route::{Asked, Patterns};
use crate::model::alert::{Event, Level, Topic};
use crate::model::identity::Identity;

const MUTES: Table = Table { name: "mutes", key: &[("id", 0)] };
const COLUMNS: [&str; 16] = [
    "id",
    "kind",
    "matching",
    "check_id",
    "topic",
    "name",
    "told_at",
    "level",
    "balance",
    "threshold",
    "currency",
    "mark",
    "who",
    "reason",
    "made_at",
    "ends_at",
];
/// How long one that has ended is kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What people say of a mute that they make.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// Who makes it, as `user@host`.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// All that are kept, those that have ended included, oldest first.
pub(super) fn mutes(database: &mut dyn Database, odd: &mut Odd) -> Result<Vec<Mute>, StoreError> {
    let mut mutes = Vec::new();
    for row in database.query(&format!("SELECT {} FROM mutes ORDER BY id", COLUMNS.join(", ")), &[])? {
        odd.read(&MUTES, &row, |row| {
            mutes.push(mute(row)?);
            Ok(())
        })?;
    }
    Ok(mutes)
}

fn mute(row: &Row) -> Result<Mute, StoreError> {
    let kind = MuteKind::parse(row.text(1)?).ok_or_else(|| StoreError::unknown("kind"))?;
    let covers = match kind {
        MuteKind::Silence => Covers::Matching(matching(row.text(2)?)?),
        MuteKind::Ack => {
            let topic = Topic::parse(row.text(4)?).ok_or_else(|| StoreError::unknown("topic"))?;
            let at = timestamp(row.int(6)?)?;
            let told = Told {
                at,
                anchor: at,
                level: Level::parse(row.text(7)?).ok_or_else(|| StoreError::unknown("level"))?,
                balance: row.decimal(8)?,
                threshold: row.decimal(9)?,
                currency: row.optional_text(10).map(str::to_owned),
                mark: row.text(11)?.to_owned(),
            };
            Covers::Known { key: (Identity(row.int(3)?), topic), name: row.text(5)?.to_owned(), told }
        }
    };
    Ok(Mute {
        number: row.int(0)?,
        covers,
        who: row.text(12)?.to_owned(),
        reason: row.text(13)?.to_owned(),
        made_at: timestamp(row.int(14)?)?,
        until: row.optional_int(15).map(timestamp).transpose()?,
    })
}

/// What a silence is about, as it is kept: a JSON list of what is compared, with its words.
fn matching(text: &str) -> Result<Vec<(Asked, Patterns)>, StoreError> {
    let kept: Vec<(String, Vec<String>)> =
        serde_json::from_str(text).map_err(|_| StoreError::damaged("what a silence is about cannot be understood"))?;
    let asked = kept.iter().map(|(name, words)| {
        let asked = Asked::parse(name).ok_or_else(|| StoreError::unknown("key"))?;
        Ok((asked, Patterns::new(words.iter().map(String::as_str))))
    });
    asked.collect()
}

/// Writes a mute. Its number is the next one of the store.
fn add(database: &mut dyn Database, covers: &Covers, said: &Said, until: Option<Timestamp>) -> Result<i64, StoreError> {
    let rows = database.query("SELECT max(id) FROM mutes", &[])?;
    let number = rows.first().and_then(|row| row.optional_int(0)).unwrap_or_default() + 1;
    let nothing = || vec![Value::Null; 9];
    let (kind, matching, known) = match covers {
        Covers::Matching(asked) => {
            let kept: Vec<(String, Vec<String>)> =
                asked.iter().map(|(asked, patterns)| (asked.shown(), patterns.written().collect())).collect();
            // Lists and strings only: this cannot fail.
            (MuteKind::Silence, serde_json::to_string(&kept).unwrap_or_default(), nothing())
        }
        Covers::Known { key, name, told } => {
            let known = vec![
                key.0.0.into(),
                key.1.as_str().into(),
                name.as_str().into(),
                told.at.as_millisecond().into(),
                told.level.as_str().into(),
                told.balance.into(),
                told.threshold.into(),
                told.currency.as_deref().into(),
                told.mark.as_str().into(),
            ];
            (MuteKind::Ack, String::new(), known)
        }
    };
    let mut row: Vec<Value> = vec![number.into(), kind.as_str().into(), matching.into()];
    row.extend(known);
    row.extend([
        said.who.as_str().into(),
        said.reason.as_str().into(),
        said.at.as_millisecond().into(),
        until.map(Timestamp::as_millisecond).into(),
    ]);
    insert(database, "mutes", &COLUMNS, &[row], "")?;
    Ok(number)
}

/// Writes a silence. Gives its number.
pub(super) fn silence(
    database: &mut dyn Database,
    asked: &[(Asked, Patterns)],
    said: &Said,
    until: Timestamp,
    wait: Duration,
) -> Result<i64, StoreError> {
    let covers = Covers::Matching(asked.to_vec());
    transaction(database, wait, |database| add(database, &covers, said, Some(until)))
}

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
        let memory = memory(database, None, &mut odd)?;
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

/// Removes mutes. Gives those that were there and had not ended.
pub(super) fn unmute(
    database: &mut dyn Database,
    is_meant: &dyn Fn(&Mute) -> bool,
    now: Timestamp,
    wait: Duration,
) -> Result<Vec<Mute>, StoreError> {
    transaction(database, wait, |database| {
        let mut meant = mutes(database, &mut Odd::default())?;
        meant.retain(|mute| mute.is_in_force(now) && is_meant(mute));
        forget(database, meant.iter().map(|mute| mute.number))?;
        Ok(meant)
    })
}

/// Removes mutes that are over.
pub(super) fn forget(database: &mut dyn Database, numbers: impl Iterator<Item = i64>) -> Result<(), StoreError> {
    let keys: Vec<Value> = numbers.map(Value::from).collect();
    for_keys(database, "DELETE FROM mutes WHERE id IN ({keys})", &[], &keys)
}

/// Removes those that ended long ago, and those of mails that are no longer remembered.
pub(super) fn prune(database: &mut dyn Database, now: Timestamp, oldest_mail: i64) -> Result<(), StoreError> {
    let ended = crate::process::clock::before(now, KEPT).as_millisecond();
    database.execute("DELETE FROM mutes WHERE ends_at < $1", &[ended.into()])?;
    let mail = [Topic::Mail.as_str().into(), oldest_mail.into()];
    database.execute("DELETE FROM mutes WHERE topic = $1 AND made_at < $2", &mail)
}
