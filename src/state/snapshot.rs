//! Reads what is remembered before anything is asked.

use std::time::Duration;

use super::damaged_rows::{Odd, Table};
use super::database::{Database, insert, transaction};
use super::payments::payments;
use super::remembered::memory;
use super::rows::{fact, timestamp};
use super::{Snapshot, StoreError, StoreFault};
use crate::check::circuit::HostState;
use crate::check::mailbox::account_mails::{Kept, Newest};
use crate::check::mailbox::imap_session::Cursor;
use crate::check::mailbox::scan::Mark;
use crate::check::{Amount, CachedReading, Reading};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::process::clock;

/// The key of the hashes that name accounts.
const ACCOUNT_KEY: &str = "account_key";

const CIRCUITS: Table = Table { name: "circuits", key: &[("host", 0)] };
const CURSORS: Table = Table { name: "cursors", key: &[("check_id", 0)] };
const MAIL_MARKS: Table = Table { name: "mail_marks", key: &[("check_id", 0)] };
const MAIL_READINGS: Table = Table { name: "mail_readings", key: &[("check_id", 0)] };
const READINGS: Table = Table { name: "readings", key: &[("account", 0)] };

/// What is known before anything is asked. `keep_readings` makes the key that their names are hashed with.
pub(super) fn snapshot(
    database: &mut dyn Database,
    keep_readings: Option<Duration>,
    own: &Schedule,
    can_write: bool,
    wait: Duration,
) -> Result<Snapshot, StoreError> {
    let mut odd = Odd::default();
    let mut snapshot = Snapshot { memory: memory(database, own, &mut odd)?, ..Snapshot::default() };
    circuits(database, &mut snapshot, &mut odd)?;
    mailboxes(database, &mut snapshot, &mut odd)?;
    mails(database, &mut snapshot, &mut odd)?;
    if can_write || keep_readings.is_some() {
        let key = account_key(database, can_write, wait)?;
        snapshot.answers_key = key.clone().filter(|_| can_write);
        snapshot.account_key = key.filter(|_| keep_readings.is_some());
    }
    snapshot.payments = payments(database, &mut odd)?;
    if let Some(ttl) = keep_readings {
        readings(database, ttl, &mut snapshot, &mut odd)?;
    }
    if !can_write {
        odd.tell();
    } else if !odd.is_empty() {
        // What has been read holds all the same, and if nothing can be written the next step says so.
        let _ = transaction(database, wait, |database| odd.set_aside(database));
    }
    Ok(snapshot)
}

/// The circuits of hosts that are not closed.
fn circuits(database: &mut dyn Database, snapshot: &mut Snapshot, odd: &mut Odd) -> Result<(), StoreError> {
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
    Ok(())
}

/// How far mailboxes were read, and what is being read there.
fn mailboxes(database: &mut dyn Database, snapshot: &mut Snapshot, odd: &mut Odd) -> Result<(), StoreError> {
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
    Ok(())
}

/// What is known of the accounts that mails tell of.
fn mails(database: &mut dyn Database, snapshot: &mut Snapshot, odd: &mut Odd) -> Result<(), StoreError> {
    let sql = "SELECT check_id, way, validity, last, mail_at, balance, currency, reason, message FROM mail_readings";
    for row in database.query(sql, &[])? {
        odd.read(&MAIL_READINGS, &row, |row| {
            let number = |column| row.int(column).map(|n| u32::try_from(n).unwrap_or_default());
            let cursor = Cursor { validity: number(2)?, last: number(3)? };
            let result = match row.optional_text(7) {
                Some(reason) => {
                    let reason = Reason::parse(reason).ok_or_else(|| StoreError::unknown("reason"))?;
                    Err(Failure::new(reason, row.optional_text(8).unwrap_or_default()))
                }
                None => {
                    let amount = row.decimal(5)?.map_or(Amount::Unlimited, Amount::Of);
                    Ok(Reading::new(amount, row.optional_text(6).map(str::to_owned)))
                }
            };
            let at = row.optional_int(4).map(timestamp).transpose()?;
            let newest = at.map(|at| Newest { at, result });
            snapshot.mails.insert(Identity(row.int(0)?), Kept { way: row.text(1)?.to_owned(), cursor, newest });
            Ok(())
        })?;
    }
    Ok(())
}

/// Readings that are not older than this.
fn readings(
    database: &mut dyn Database,
    ttl: Duration,
    snapshot: &mut Snapshot,
    odd: &mut Odd,
) -> Result<(), StoreError> {
    let oldest = clock::before(database.now(), ttl).as_millisecond();
    let sql = "SELECT account, read_at, balance, currency, beside FROM readings WHERE read_at > $1";
    for row in database.query(sql, &[oldest.into()])? {
        odd.read(&READINGS, &row, |row| {
            let amount = row.decimal(2)?.map_or(Amount::Unlimited, Amount::Of);
            let currency = row.optional_text(3).map(str::to_owned);
            let beside = row.optional_text(4).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            let reading = Reading { amount, currency, beside };
            let at = timestamp(row.int(1)?)?;
            snapshot.readings.insert(row.text(0)?.to_owned(), CachedReading { at, reading });
            Ok(())
        })?;
    }
    Ok(())
}

/// The key of the hashes that name accounts, and of those that are kept of answers; made once for each store.
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
