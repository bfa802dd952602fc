//! What a run leaves for the next one to look with: readings, circuits, how far mailboxes were read.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::database::{Database, Value, for_keys, insert, transaction};
use super::{RunFindings, StoreError};
use crate::check::mailbox::account_mails::Kept;
use crate::check::mailbox::scan::Mark;
use crate::check::{Amount, Beside};
use crate::model::identity::Identity;

/// Keeps what was read of accounts.
pub(super) fn readings(database: &mut dyn Database, findings: &RunFindings) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = findings
        .readings
        .iter()
        .map(|(account, cached)| {
            let balance: Option<Decimal> = match cached.reading.amount {
                Amount::Of(balance) => Some(balance),
                Amount::Unlimited => None,
            };
            let currency = cached.reading.currency.as_deref();
            let beside = Some(&cached.reading.beside).filter(|beside| **beside != Beside::default());
            let beside = beside.and_then(|beside| serde_json::to_string(beside).ok());
            let at = cached.at.as_millisecond();
            vec![account.as_str().into(), at.into(), balance.into(), currency.into(), beside.as_deref().into()]
        })
        .collect();
    insert(
        database,
        "readings",
        &["account", "read_at", "balance", "currency", "beside"],
        &rows,
        "ON CONFLICT (account) DO UPDATE SET read_at = excluded.read_at, balance = excluded.balance, \
         currency = excluded.currency, beside = excluded.beside",
    )
}

/// Keeps what became of hosts.
pub(super) fn circuits(database: &mut dyn Database, findings: &RunFindings) -> Result<(), StoreError> {
    let (bad, good): (Vec<_>, Vec<_>) = findings.circuits.iter().partition(|(_, state)| state.failures > 0);
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
pub(super) fn cursors(database: &mut dyn Database, findings: &RunFindings) -> Result<(), StoreError> {
    let scans =
        findings.found.mailboxes.iter().filter_map(|verdict| Some((verdict, verdict.scanned.result.as_ref().ok()?)));
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
    // Of two runs at the same time, the one that has read further is right.
    insert(
        database,
        "cursors",
        &["check_id", "validity", "last"],
        &rows,
        "ON CONFLICT (check_id) DO UPDATE SET validity = excluded.validity, last = excluded.last \
         WHERE cursors.validity <> excluded.validity OR cursors.last < excluded.last",
    )
}

/// Keeps what is known of the accounts that mails tell of.
pub(super) fn mails(database: &mut dyn Database, findings: &RunFindings) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = findings
        .mails
        .iter()
        .map(|(identity, Kept { way, cursor, newest })| {
            let (reading, failure) = match newest.as_ref().map(|newest| &newest.result) {
                Some(Ok(reading)) => (Some(reading), None),
                Some(Err(failure)) => (None, Some(failure)),
                None => (None, None),
            };
            let balance = reading.and_then(|reading| match reading.amount {
                Amount::Of(balance) => Some(balance),
                Amount::Unlimited => None,
            });
            vec![
                identity.0.into(),
                way.as_str().into(),
                i64::from(cursor.validity).into(),
                i64::from(cursor.last).into(),
                newest.as_ref().map(|newest| newest.at.as_millisecond()).into(),
                balance.into(),
                reading.and_then(|reading| reading.currency.as_deref()).into(),
                failure.map(|failure| failure.reason.as_str()).into(),
                failure.map(|failure| failure.message.as_str()).into(),
            ]
        })
        .collect();
    // Of two runs at the same time, the one that has looked further is right.
    insert(
        database,
        "mail_readings",
        &["check_id", "way", "validity", "last", "mail_at", "balance", "currency", "reason", "message"],
        &rows,
        "ON CONFLICT (check_id) DO UPDATE SET way = excluded.way, validity = excluded.validity, last = excluded.last, \
         mail_at = excluded.mail_at, balance = excluded.balance, currency = excluded.currency, reason = excluded.reason, \
         message = excluded.message WHERE mail_readings.way <> excluded.way \
         OR mail_readings.validity <> excluded.validity OR mail_readings.last <= excluded.last",
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
