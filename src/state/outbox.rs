//! Messages and to whom they are owed.

use jiff::Timestamp;

use super::database::{Database, Value, for_keys, insert};
use super::{Run, StoreError};
use crate::decide::Telling;
use crate::model::alert::Alert;

/// The states of a delivery that is still owed, of a message that is pending.
pub(super) const OWED: &str = "('pending', 'failed', 'unknown')";

const COLUMNS: [&str; 8] =
    ["dedup_key", "check_id", "topic", "state", "created_at", "claimed_by", "claimed_until", "content"];

/// What becomes of a message that is known already.
const TAKEN_UP: &str = "ON CONFLICT (dedup_key) DO UPDATE SET state = 'pending', done_at = NULL, \
     claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, content = excluded.content";

/// The row of a message, which the run of this number is about to send.
fn row(alert: &Alert, run: &Run, number: Option<i64>) -> Vec<Value> {
    vec![
        alert.dedup_key.as_str().into(),
        alert.identity.0.into(),
        alert.topic().as_str().into(),
        "pending".into(),
        run.started_at.as_millisecond().into(),
        number.into(),
        number.map(|_| run.claims_until.as_millisecond()).into(),
        // Plain fields only: this cannot fail.
        serde_json::to_string(alert).unwrap_or_default().into(),
    ]
}

/// The messages that are about to be sent, claimed by this run.
pub(super) fn pending(
    database: &mut dyn Database,
    number: i64,
    run: &Run,
    tellings: &[Telling],
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = tellings.iter().map(|telling| row(&telling.alert, run, Some(number))).collect();
    insert(database, "alerts", &COLUMNS, &rows, TAKEN_UP)?;
    let owed: Vec<(&str, &str)> = tellings
        .iter()
        .flat_map(|Telling { alert, to, .. }| to.iter().map(|channel| (alert.dedup_key.as_str(), channel.as_str())))
        .collect();
    // A delivery that is pending still was to be sent by a run that has died.
    let known = "DO UPDATE SET status = 'pending', \
                 lost = deliveries.lost + CASE WHEN deliveries.status = 'pending' THEN 1 ELSE 0 END";
    owe(database, run, &owed, "pending", known)
}

/// The messages that are owed to channels from now on and sent in a later run. Nobody claims those that this run sends to no one.
pub(super) fn deferred(database: &mut dyn Database, run: &Run, tellings: &[Telling]) -> Result<(), StoreError> {
    let unsent = tellings.iter().filter(|telling| telling.to.is_empty());
    let rows: Vec<Vec<Value>> = unsent.map(|telling| row(&telling.alert, run, None)).collect();
    insert(database, "alerts", &COLUMNS, &rows, TAKEN_UP)?;
    let owed: Vec<(&str, &str)> = tellings
        .iter()
        .flat_map(|Telling { alert, later, .. }| later.iter().map(|id| (alert.dedup_key.as_str(), id.as_str())))
        .collect();
    owe(database, run, &owed, "failed", "DO NOTHING")
}

/// Messages are owed to channels from now on. `known` is what happens to those that were owed before.
pub(super) fn owe(
    database: &mut dyn Database,
    run: &Run,
    owed: &[(&str, &str)],
    status: &str,
    known: &str,
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value>> = owed
        .iter()
        .map(|(key, channel)| {
            let at = run.started_at.as_millisecond();
            vec![(*key).into(), (*channel).into(), run.id.as_str().into(), at.into(), status.into(), 0.into()]
        })
        .collect();
    let columns = ["dedup_key", "channel", "run_id", "at", "status", "attempts"];
    insert(database, "deliveries", &columns, &rows, &format!("ON CONFLICT (dedup_key, channel) {known}"))
}

/// Messages that are owed to nobody any more are done.
pub(super) fn close(database: &mut dyn Database, keys: &[Value], now: Timestamp) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE alerts SET done_at = $1, claimed_by = NULL, claimed_until = NULL, state = CASE WHEN EXISTS \
         (SELECT 1 FROM deliveries d WHERE d.dedup_key = alerts.dedup_key AND d.status = 'sent') \
         THEN 'sent' ELSE 'withdrawn' END WHERE state = 'pending' AND NOT EXISTS \
         (SELECT 1 FROM deliveries d WHERE d.dedup_key = alerts.dedup_key AND d.status IN {OWED}) \
         AND dedup_key IN ({{keys}})"
    );
    for_keys(database, &sql, &[now.as_millisecond().into()], keys)
}
