//! What is not to be told for a while: silences and acknowledgements, which people make and runs heed.

use std::time::Duration;

use jiff::Timestamp;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value, for_keys, insert, transaction};
use super::rows::timestamp;
use crate::decide::memory::{Covers, Mute, MuteKind, Told};
use crate::decide::route::{Asked, Patterns};
use crate::model::alert::{Level, Topic};
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
pub(super) fn add(
    database: &mut dyn Database,
    covers: &Covers,
    said: &Said,
    until: Option<Timestamp>,
) -> Result<i64, StoreError> {
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

/// Removes mutes. Gives those that were there and had not ended.
pub(super) fn unmute(
    database: &mut dyn Database,
    is_meant: &dyn Fn(&Mute) -> bool,
    wait: Duration,
) -> Result<Vec<Mute>, StoreError> {
    transaction(database, wait, |database| {
        let now = database.now();
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
