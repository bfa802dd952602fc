//! Subscriptions: the payments that people have noted, and what the last run found of each.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::StoreError;
use super::damaged_rows::{Odd, Table};
use super::database::{Database, Row, Value, insert, transaction};
use crate::decide::Found;
use crate::model::cadence::Cadence;
use crate::model::identity::Identity;

const PAYMENTS: Table = Table { name: "payments", key: &[("check_id", 0), ("paid_on", 1)] };
const RENEWALS: Table = Table { name: "renewals", key: &[("check_id", 0)] };

/// What became of a payment that somebody wants to note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// It is noted.
    New,
    /// It was noted before.
    Known,
    /// It is not noted, because a later one is known, of this day.
    Before(Date),
}

/// What the last run found of a subscription.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// How often it renews.
    pub cadence: Cadence,
    /// When it renews next, or did not renew; none if it has ended.
    pub next: Option<Date>,
    /// What that renewal costs.
    pub amount: Option<Decimal>,
    pub currency: Option<String>,
    /// What that comes to in a year; none for what does not renew.
    pub yearly: Option<Decimal>,
    /// When it was last paid, as far as the run knew.
    pub paid_on: Option<Date>,
    /// The last payment that was noted.
    pub noted: Option<Date>,
}

/// The last payment of each subscription that people have noted.
pub(super) fn payments(database: &mut dyn Database, odd: &mut Odd) -> Result<HashMap<Identity, Date>, StoreError> {
    let mut payments = HashMap::new();
    for row in database.query("SELECT check_id, paid_on FROM payments", &[])? {
        odd.read(&PAYMENTS, &row, |row| {
            let day = date(row, 1)?.ok_or_else(|| StoreError::damaged("a date is missing in it"))?;
            let known = payments.entry(Identity(row.int(0)?)).or_insert(day);
            *known = day.max(*known);
            Ok(())
        })?;
    }
    Ok(payments)
}

/// Notes a payment, unless a later one is noted.
pub(super) fn note(
    database: &mut dyn Database,
    check: Identity,
    day: Date,
    now: Timestamp,
    wait: Duration,
) -> Result<Noted, StoreError> {
    transaction(database, wait, |database| {
        match payments(database, &mut Odd::default())?.get(&check) {
            Some(known) if *known > day => return Ok(Noted::Before(*known)),
            Some(known) if *known == day => return Ok(Noted::Known),
            _ => {}
        }
        let row: Vec<Value> = vec![check.0.into(), day.to_string().into(), now.as_millisecond().into()];
        insert(database, "payments", &["check_id", "paid_on", "noted_at"], &[row], "")?;
        Ok(Noted::New)
    })
}

/// Keeps what a run found of each subscription.
pub(super) fn keep(database: &mut dyn Database, found: &Found) -> Result<(), StoreError> {
    let known = found.subscriptions.iter().filter_map(|verdict| {
        let (renewal, schedule) = verdict.renewal.as_ref().ok().zip(verdict.subscription.schedule.as_ref().ok())?;
        Some(vec![
            verdict.identity.0.into(),
            schedule.cycle.cadence().to_string().into(),
            renewal.ahead().map(|(next, _)| next.to_string()).into(),
            verdict.price().into(),
            verdict.subscription.currency.as_deref().into(),
            verdict.a_year().into(),
            schedule.last_renewed.map(|day| day.to_string()).into(),
        ])
    });
    let rows: Vec<Vec<Value>> = known.collect();
    let columns = ["check_id", "cycle", "renews_on", "amount", "currency", "yearly", "paid_on"];
    let sets: Vec<String> = columns[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    let update = format!("ON CONFLICT (check_id) DO UPDATE SET {}", sets.join(", "));
    insert(database, "renewals", &columns, &rows, &update)
}

/// What the last runs found of subscriptions.
pub(super) fn kept(database: &mut dyn Database) -> Result<HashMap<Identity, Kept>, StoreError> {
    let mut odd = Odd::default();
    let payments = payments(database, &mut odd)?;
    let mut kept = HashMap::new();
    let sql = "SELECT check_id, cycle, renews_on, amount, currency, yearly, paid_on FROM renewals";
    for row in database.query(sql, &[])? {
        odd.read(&RENEWALS, &row, |row| {
            let check = Identity(row.int(0)?);
            let one = Kept {
                cadence: Cadence::try_from(row.text(1)?.to_owned()).map_err(|_| StoreError::unknown("cycle"))?,
                next: date(row, 2)?,
                amount: row.decimal(3)?,
                currency: row.optional_text(4).map(str::to_owned),
                yearly: row.decimal(5)?,
                paid_on: date(row, 6)?,
                noted: payments.get(&check).copied(),
            };
            kept.insert(check, one);
            Ok(())
        })?;
    }
    odd.tell();
    Ok(kept)
}

fn date(row: &Row, column: usize) -> Result<Option<Date>, StoreError> {
    let parsed = row.optional_text(column).map(str::parse).transpose();
    parsed.map_err(|_| StoreError::damaged("a date in it cannot be understood"))
}
