//! The sums of the metrics over all runs.

use std::collections::HashSet;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::damaged_rows::{Odd, Table};
use super::database::{Database, Value, insert};
use super::rows::{fact, set_fact, timestamp};
use super::{ConfiguredNames, MetricMarks, StoreError};
use crate::decide::MailboxVerdict;
use crate::metrics::family::{self, Family};
use crate::metrics::{Sum, Sums, Tally};
use crate::model::identity::Identity;

const SUMS: Table = Table { name: "sums", key: &[("grouping", 6), ("family", 0), ("labels", 1)] };

/// Adds to the sums of a group. A family with another layout than before starts anew.
pub(super) fn add(database: &mut dyn Database, group: &str, tally: &Tally) -> Result<(), StoreError> {
    let mut odd = Odd::default();
    let mut known = stored_sums(database, group, &mut odd)?;
    if !odd.is_empty() {
        odd.set_aside(database)?;
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for ((family, labels), more) in &tally.0 {
        let mut sum = known.0.remove(&(*family, labels.clone())).unwrap_or_default();
        sum.add(more);
        let layout = family_named(family).map(Family::layout).unwrap_or_default();
        let number = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        rows.push(vec![
            group.into(),
            (*family).into(),
            json_list(labels).into(),
            layout.into(),
            number(sum.count),
            number(sum.micros),
            json_list(&sum.buckets).into(),
        ]);
    }
    insert(
        database,
        "sums",
        &["grouping", "family", "labels", "layout", "count", "micros", "buckets"],
        &rows,
        "ON CONFLICT (grouping, family, labels) DO UPDATE SET layout = excluded.layout, count = excluded.count, \
         micros = excluded.micros, buckets = excluded.buckets",
    )
}

fn json_list(list: &impl serde::Serialize) -> String {
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(list).unwrap_or_default()
}

fn family_named(name: &str) -> Option<&'static Family> {
    family::ALL.iter().copied().find(|family| family.name == name)
}

/// The sums of a group that this program can go on with.
fn stored_sums(database: &mut dyn Database, group: &str, odd: &mut Odd) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let sql = "SELECT family, labels, layout, count, micros, buckets, grouping FROM sums WHERE grouping = $1";
    for row in database.query(sql, &[group.into()])? {
        odd.read(&SUMS, &row, |row| {
            let family = family_named(row.text(0)?);
            let Some(family) = family.filter(|family| row.optional_text(2) == Some(&family.layout())) else {
                return Ok(());
            };
            let broken = |_| StoreError::damaged("a sum in it cannot be understood");
            let labels: Vec<String> = serde_json::from_str(row.text(1)?).map_err(broken)?;
            let buckets: Vec<u64> = serde_json::from_str(row.text(5)?).map_err(broken)?;
            let number = |column| row.int(column).map(|n| u64::try_from(n).unwrap_or_default());
            tally.0.insert((family.name, labels), Sum { count: number(3)?, micros: number(4)?, buckets });
            Ok(())
        })?;
    }
    Ok(tally)
}

/// What the end of a run means for the metrics of its group.
pub(super) fn metric_marks(database: &mut dyn Database, marks: &MetricMarks) -> Result<(), StoreError> {
    let group = marks.group.as_str();
    let mut tally = marks.tally.clone();
    let before = fact(database, &format!("config:{group}"))?;
    if before.as_ref().is_some_and(|before| *before != marks.config) {
        tally.count(&family::CONFIG_RELOADS, &[], 1);
    }
    set_fact(database, &format!("config:{group}"), &marks.config)?;
    if let Some(at) = marks.succeeded_at {
        set_fact(database, &format!("last_success:{group}"), &at.as_millisecond().to_string())?;
    }
    if let Some(present) = &marks.present {
        for (family, labels) in stored_sums(database, group, &mut Odd::default())?.0.into_keys() {
            if !is_present(family, &labels, present) {
                // The metrics lose what has left the config.
                let sql = "DELETE FROM sums WHERE grouping = $1 AND family = $2 AND labels = $3";
                database.execute(sql, &[group.into(), family.into(), json_list(&labels).into()])?;
            }
        }
    }
    // Rows of another layout are of no use to anybody.
    for family in family::ALL {
        let sql = "DELETE FROM sums WHERE grouping = $1 AND family = $2 AND layout <> $3";
        database.execute(sql, &[group.into(), family.name.into(), family.layout().into()])?;
    }
    add(database, group, &tally)
}

/// Whether what a sum is about is still in the config.
fn is_present(family: &str, labels: &[String], present: &ConfiguredNames) -> bool {
    let label = |at: usize| labels.get(at).map(String::as_str).unwrap_or_default();
    match family {
        name if name == family::FAILED.name => {
            present.projects.iter().any(|(project, provider)| project == label(0) && provider == label(1))
        }
        name if name == family::CALLS.name || name == family::LATENCY.name => {
            present.projects.iter().any(|(_, provider)| provider == label(0))
        }
        name if [&family::SCANNED, &family::MAIL_ALERTS, &family::SCAN_DURATION].iter().any(|f| f.name == name) => {
            present
                .projects
                .iter()
                .any(|(mailbox, provider)| mailbox == label(0) && provider == MailboxVerdict::PROVIDER)
        }
        name if name == family::DELIVERY.name => present.webhook_types.iter().any(|kind| kind == label(0)),
        _ => true,
    }
}

/// The sums of a group, reserved until the store is closed.
pub(super) fn sums(
    database: &mut dyn Database,
    group: &str,
    checks: &HashSet<Identity>,
    wait: Duration,
) -> Result<Sums, StoreError> {
    // Each group has a lock of its own, so that a gateway that hangs keeps no other one waiting.
    let name: String = Sha256::digest(group).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    database.reserve(&format!("metrics-{name}"), wait)?;
    let last_success = fact(database, &format!("last_success:{group}"))?;
    let mut pending = 0;
    for row in database.query("SELECT check_id FROM alerts WHERE state = 'pending'", &[])? {
        pending += u64::from(row.optional_int(0).is_some_and(|check| checks.contains(&Identity(check))));
    }
    Ok(Sums {
        tally: stored_sums(database, group, &mut Odd::default())?,
        last_success: last_success.and_then(|at| timestamp(at.parse().ok()?).ok()),
        pending,
    })
}
