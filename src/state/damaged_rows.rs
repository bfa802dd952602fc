//! Rows that cannot be understood. Such a row is skipped, named once, and set aside, so that the next run does not meet it again.
//!
//! A row with a word that this version does not know may be a newer version's. It is skipped too, but stays where it is.

use sha2::{Digest, Sha256};

use super::database::{Database, Row, Value};
use super::rows::{fact, set_fact};
use super::{StoreError, StoreFault};
use crate::model::text;

/// The name of the fact that lists the rows that were left alone, so that each is named once.
const LEFT_ALONE: &str = "left_alone";
/// Rows that are named, at the most; the others are counted.
const MOST_NAMED: usize = 5;
/// Rows that are remembered as left alone, at the most.
const MOST_LEFT: usize = 1000;

/// A table, and where the columns of its key stand in an answer.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) key: &'static [(&'static str, usize)],
}

/// Rows that could not be understood.
#[derive(Default)]
pub(super) struct Odd(Vec<OddRow>);

#[derive(PartialEq)]
struct OddRow {
    table: &'static str,
    key: Vec<(&'static str, Value)>,
    /// Whether the row may be a newer version's.
    is_newer: bool,
}

impl Odd {
    /// Reads a row, or keeps in mind that it cannot be read.
    ///
    /// # Errors
    /// The store fails, or not even the row's key makes sense.
    pub(super) fn read(
        &mut self,
        table: &Table,
        row: &Row,
        read: impl FnOnce(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Err(error) = read(row) else {
            return Ok(());
        };
        if !matches!(error.fault, StoreFault::Damaged | StoreFault::Newer) {
            return Err(error);
        }
        let mut key = Vec::new();
        for (name, column) in table.key {
            match row.0.get(*column) {
                None | Some(Value::Odd) => return Err(error),
                Some(value) => key.push((*name, value.clone())),
            }
        }
        let row = OddRow { table: table.name, key, is_newer: error.fault == StoreFault::Newer };
        // A message is read once for each channel that it is owed to.
        if !self.0.contains(&row) {
            self.0.push(row);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the rows aside, inside a transaction, and names those that nobody has heard of yet.
    ///
    /// # Errors
    /// Why the store cannot be written.
    pub(super) fn set_aside(self, database: &mut dyn Database) -> Result<(), StoreError> {
        let (newer, damaged): (Vec<OddRow>, Vec<OddRow>) = self.0.into_iter().partition(|row| row.is_newer);
        for row in &damaged {
            row.remove(database)?;
        }
        name(damaged.iter(), "cannot be understood and is set aside");
        let known = fact(database, LEFT_ALONE)?.unwrap_or_default();
        let mut left: Vec<String> = newer.iter().map(OddRow::mark).take(MOST_LEFT).collect();
        left.sort();
        left.dedup();
        let left = left.join(",");
        if left != known {
            let is_new = |row: &&OddRow| !known.split(',').any(|mark| mark == row.mark());
            name(newer.iter().filter(is_new), "is left alone, because a newer version may have written it");
            set_fact(database, LEFT_ALONE, &left)?;
        }
        Ok(())
    }

    /// Names the rows, where nothing may be changed.
    pub(super) fn tell(self) {
        name(self.0.iter().filter(|row| !row.is_newer), "cannot be understood and is left out");
    }
}

impl OddRow {
    fn remove(&self, database: &mut dyn Database) -> Result<(), StoreError> {
        let mut values: Vec<Value> = Vec::new();
        let what = if self.table == "alerts" {
            // What was told, and when, stays in the list of alerts for those who look into the store themselves.
            values.push(database.now().as_millisecond().into());
            "UPDATE alerts SET state = 'damaged', done_at = $1".to_owned()
        } else {
            format!("DELETE FROM {}", self.table)
        };
        let mut conditions = Vec::new();
        for (name, value) in &self.key {
            values.push(value.clone());
            // SQLite numbers parameters in the order in which they appear.
            conditions.push(format!("{name} IS NOT DISTINCT FROM ${}", values.len()));
        }
        database.execute(&format!("{what} WHERE {}", conditions.join(" AND ")), &values)
    }

    /// The row, for people.
    fn describe(&self) -> String {
        let key = self.key.iter().map(|(name, value)| {
            let value = match value {
                Value::Null | Value::Odd => "none".to_owned(),
                Value::Int(number) => number.to_string(),
                Value::Text(text) => format!("`{}`", text::one_line(text, 80)),
            };
            format!("{name} {value}")
        });
        format!("`{}`, {}", self.table, key.collect::<Vec<_>>().join(", "))
    }

    /// The row as a short text, by which it is remembered.
    fn mark(&self) -> String {
        Sha256::digest(self.describe()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn name<'a>(rows: impl Iterator<Item = &'a OddRow> + Clone, what: &str) {
    let total = rows.clone().count();
    for row in rows.take(MOST_NAMED) {
        log::warn!("a row of the memory of runs {what}: {}", row.describe());
    }
    if total > MOST_NAMED {
        log::warn!("and so does each of {} more rows of the memory of runs", total - MOST_NAMED);
    }
}
