//! The contract of a backend: one connection, transactions that exclude other writers, and SQL that both speak.
//!
//! The statements are written once, in `schema` and in the files that read and write; a backend carries them out. Parameters are `$1`, `$2`
//! and so on, first used in that order.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::StoreError;
use crate::process::redact;

/// A value of a column. No text that goes into a store holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// No value.
    Null,
    Int(i64),
    Text(String),
    /// A value of a type that this program never writes.
    Odd,
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(redact::shield(text).into_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        match redact::shield(&text) {
            Cow::Owned(masked) => Value::Text(masked),
            Cow::Borrowed(_) => Value::Text(text),
        }
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Value {
        Value::Text(number.normalize().to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// A row of an answer.
#[derive(Debug)]
pub(super) struct Row(pub(super) Vec<Value>);

impl Row {
    /// A column that may be empty.
    pub(super) fn optional_text(&self, column: usize) -> Option<&str> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A number that may be missing.
    pub(super) fn optional_int(&self, column: usize) -> Option<i64> {
        match self.0.get(column) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// # Errors
    /// The store is damaged if there is no text.
    pub(super) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.optional_text(column).ok_or_else(|| StoreError::damaged("a text is missing in it"))
    }

    /// # Errors
    /// The store is damaged if there is no number.
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.optional_int(column).ok_or_else(|| StoreError::damaged("a number is missing in it"))
    }

    /// A decimal number that may be missing.
    ///
    /// # Errors
    /// The store is damaged if the text is no number.
    pub(super) fn decimal(&self, column: usize) -> Result<Option<Decimal>, StoreError> {
        let parsed = self.optional_text(column).map(str::parse).transpose();
        parsed.map_err(|_| StoreError::damaged("an amount in it is no number"))
    }
}

/// One connection to a store.
pub(super) trait Database: Send {
    /// What time it is for the run or the command that has the store.
    fn now(&self) -> Timestamp;

    /// The words in which the backends differ, as `(placeholder, text)` for the table definitions.
    fn words(&self) -> &'static [(&'static str, &'static str)];

    /// Begins a transaction that no other writer shares, waiting at most this long for the others.
    fn begin(&mut self, wait: Duration) -> Result<(), StoreError>;

    /// From now on a question outside of a transaction waits at most this long for writers. Where they do not hold up readers,
    /// nothing changes.
    ///
    /// # Errors
    /// The connection cannot be used.
    fn read_within(&mut self, _wait: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits the transaction.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Rolls the transaction back. This never fails, because what is not committed is gone in any case.
    fn rollback(&mut self);

    /// Runs a statement that gives no rows.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<(), StoreError>;

    /// Runs a query and gives its rows.
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// The version of the schema, 0 for a new store.
    ///
    /// # Errors
    /// Also if something else lives there.
    fn version(&mut self) -> Result<i64, StoreError>;

    /// Sets the version, inside a transaction.
    fn set_version(&mut self, version: i64) -> Result<(), StoreError>;

    /// Prepares the database for the tables, inside the first transaction.
    fn prepare_tables(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Marks a run as alive until this process ends, however it ends.
    fn hold(&mut self, run: i64) -> Result<(), StoreError>;

    /// Keeps other runs out of something until this store is closed, waiting at most this long.
    fn reserve(&mut self, what: &str, wait: Duration) -> Result<(), StoreError>;

    /// Releases what `hold` and `reserve` have taken. This never fails, because it ends with the process in any case.
    fn release(&mut self);

    /// Whether a run that is not this one is alive.
    fn is_held(&mut self, run: i64) -> bool;
}

/// Rows that go into one statement; every backend takes this many parameters.
const ROWS_AT_ONCE: usize = 400;

/// Inserts rows, many with one statement. `rest` follows the values, for example `ON CONFLICT ...`.
pub(super) fn insert(
    database: &mut dyn Database,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Value>],
    rest: &str,
) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS_AT_ONCE) {
        let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        for row in 0..chunk.len() {
            let numbers: Vec<String> =
                (1..=columns.len()).map(|column| format!("${}", row * columns.len() + column)).collect();
            sql.push_str(if row == 0 { "(" } else { ", (" });
            sql.push_str(&numbers.join(", "));
            sql.push(')');
        }
        sql.push(' ');
        sql.push_str(rest);
        database.execute(&sql, &chunk.concat())?;
    }
    Ok(())
}

/// Runs a statement with a list of keys in place of `{keys}`, many at once.
pub(super) fn for_keys(
    database: &mut dyn Database,
    sql: &str,
    first: &[Value],
    keys: &[Value],
) -> Result<(), StoreError> {
    for chunk in keys.chunks(ROWS_AT_ONCE) {
        let numbers: Vec<String> = (1..=chunk.len()).map(|n| format!("${}", first.len() + n)).collect();
        let parameters: Vec<Value> = first.iter().chain(chunk).cloned().collect();
        database.execute(&sql.replace("{keys}", &numbers.join(", ")), &parameters)?;
    }
    Ok(())
}

/// Runs statements in a transaction of their own.
pub(super) fn transaction<T>(
    database: &mut dyn Database,
    wait: Duration,
    work: impl FnOnce(&mut dyn Database) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    database.begin(wait)?;
    let result = work(database).and_then(|value| database.commit().map(|()| value));
    if result.is_err() {
        database.rollback();
    }
    result
}
