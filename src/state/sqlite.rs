//! The store in a file: SQLite with a rollback journal, which outlives `kill -9` and a power cut.
//!
//! A write-ahead log would need its index mapped into memory, and a process whose mapped file is cut off by somebody else, as
//! by a backup that is copied over it, is killed by SIGBUS. So nothing is mapped here. Stores of older versions have such a log
//! and are converted by the first run that writes to them; that run has the file to itself, and then keeps the index in memory
//! of its own.
//!
//! Beside the file stand its journal (`-journal`, empty between transactions), a file for each run that is telling
//! (`-run-NUMBER`), files that are locked while metrics are pushed (`-lock-...`) or a damaged store is moved (`-repair`), and
//! what was moved (`.damaged-...`).

mod aside;
mod files;

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

pub(super) use self::aside::{SetAside, inode, set_aside};
use self::files::{PAUSE, beside, busy, check_kind, companion, create, lock, real, size, stranger, unwritable};
use super::database::{Database, Row, Value};
use super::{Access, StoreError, StoreFault, schema};
use crate::model::text;
use crate::process::clock::Clock;

/// Marks a file as a store of this program (`PRAGMA application_id`): "BAal" in ASCII.
const APPLICATION: i64 = 0x4241_616c;
/// The longest wait for a lock that others hold for a moment only.
const MOMENT: Duration = Duration::from_secs(1);
/// Files of the folder that are looked at in search of those that dead runs left.
const MOST_SWEPT: usize = 10_000;

/// One connection to a file.
pub(super) struct Sqlite {
    connection: Connection,
    clock: Clock,
    path: PathBuf,
    /// The runs of this process, each a locked file.
    held: Vec<(PathBuf, File)>,
    /// Locks that end with this connection.
    reserved: Vec<File>,
    /// Why it can only be read.
    unwritable: Option<StoreError>,
}

impl Sqlite {
    /// Opens the file. For writing it is made, readable by its owner only, and brought to the present schema.
    ///
    /// # Errors
    /// What is wrong with it. Nothing of it has been changed then.
    pub(super) fn open(path: &Path, access: Access, clock: Clock, wait: Duration) -> Result<Sqlite, StoreError> {
        if access == Access::Write {
            create(path).map_err(|error| unwritable(&text::io_error(&error)))?;
        } else if !path.exists() {
            return Err(StoreError::new(StoreFault::Absent, "it does not exist"));
        }
        // Links are followed, as SQLite does it: what belongs to the file stands beside the file itself.
        let path = &real(path);
        match Sqlite::connect(path, access, clock, wait) {
            Err(error) if error.fault == StoreFault::Unwritable => {
                match Sqlite::connect_to_read_only(path, clock, wait) {
                    Ok(mut store) => {
                        store.unwritable = Some(error);
                        Ok(store)
                    }
                    Err(_) => Err(error),
                }
            }
            result => result,
        }
    }

    fn new(connection: Connection, path: &Path, clock: Clock) -> Sqlite {
        Sqlite { connection, clock, path: path.to_owned(), held: Vec::new(), reserved: Vec::new(), unwritable: None }
    }

    fn connect(path: &Path, access: Access, clock: Clock, wait: Duration) -> Result<Sqlite, StoreError> {
        let until = Instant::now() + wait;
        // The first steps of two programs can meet in ways that SQLite's own waiting does not cover.
        loop {
            let has_log = check_kind(path)?;
            match Sqlite::connect_once(path, (access, clock), has_log, until.saturating_duration_since(Instant::now()))
            {
                Err(error) if error.fault == StoreFault::Busy && Instant::now() < until => {
                    std::thread::sleep(PAUSE.mul_f64(1.0 + 3.0 * fastrand::f64()));
                }
                Ok(store) => {
                    if access == Access::Write {
                        store.sweep();
                    }
                    return Ok(store);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn connect_once(
        path: &Path,
        (access, clock): (Access, Clock),
        has_log: bool,
        wait: Duration,
    ) -> Result<Sqlite, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Sqlite::new(Connection::open_with_flags(path, flags)?, path, clock);
        if has_log {
            // Before the first look at it: whoever is alone with a file needs no index that others can see.
            store.connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        }
        store.prepare(access, has_log, wait)?;
        Ok(store)
    }

    fn prepare(&mut self, access: Access, has_log: bool, wait: Duration) -> Result<(), StoreError> {
        // Two programs that both want a file to themselves must let go of it between two tries.
        self.connection.busy_timeout(if has_log { Duration::ZERO } else { wait })?;
        self.connection.pragma_update(None, "trusted_schema", "OFF")?;
        self.connection.pragma_update(None, "cell_size_check", "ON")?;
        self.connection.pragma_update(None, "mmap_size", 0)?;
        let version = self.look()?;
        if access == Access::Read {
            return match version {
                // What is empty has nothing to say, and nothing is wrong with it: the first run may have had no room.
                0 => Err(StoreError::new(StoreFault::Absent, "no run has written to it yet")),
                version if schema::is_current(version)? => Ok(()),
                _ => Err(StoreError::older()),
            };
        }
        // Before the first change, so that a stranger's file stays as it is.
        schema::is_current(version)?;
        if has_log {
            self.convert()?;
            self.connection.busy_timeout(wait)?;
        }
        self.connection.query_row("PRAGMA journal_mode = TRUNCATE", [], |_| Ok(()))?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        schema::migrate(self, wait)
    }

    /// The version, and whether the file is whole. Both while nobody can write to it, after what a killed run left half done
    /// has been undone.
    fn look(&mut self) -> Result<i64, StoreError> {
        self.connection.execute_batch("BEGIN")?;
        let found = self.version().and_then(|version| self.check_length().map(|()| version));
        self.rollback();
        found
    }

    /// Gives up a write-ahead log, and the file to others.
    fn convert(&mut self) -> Result<(), StoreError> {
        let mode: String = self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
        if mode != "delete" {
            return Err(busy());
        }
        self.connection.pragma_update(None, "locking_mode", "NORMAL")?;
        // SQLite gives up the lock when it next looks at the file.
        self.version()?;
        let _ = fs::remove_file(beside(&self.path, "-shm"));
        Ok(())
    }

    /// SQLite itself sees that whole pages are missing, but takes a cut inside the last one for zeros.
    fn check_length(&self) -> Result<(), StoreError> {
        // With a log there, the file may be in the middle of a change that the log completes.
        let page: i64 = self.connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let is_whole = u64::try_from(page).is_ok_and(|page| size(&self.path).is_multiple_of(page));
        if is_whole || size(&beside(&self.path, "-wal")) > 0 {
            return Ok(());
        }
        Err(StoreError::damaged("a part of it is missing"))
    }

    /// Opens a file where nothing can be written: what was told is still known then. Not if a run left its journal or log
    /// there: without writing the file cannot be read as it is meant.
    fn connect_to_read_only(path: &Path, clock: Clock, wait: Duration) -> Result<Sqlite, StoreError> {
        if ["-journal", "-wal"].iter().any(|suffix| size(&beside(path, suffix)) > 0) {
            return Err(unwritable("it is read-only"));
        }
        let mut url = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
            .map_err(|()| unwritable("its path cannot be used"))?;
        url.set_query(Some("immutable=1"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(url.as_str(), flags)?;
        let mut store = Sqlite::new(connection, path, clock);
        store.prepare(Access::Read, false, wait)?;
        Ok(store)
    }

    fn run_file(&self, run: i64) -> PathBuf {
        beside(&self.path, &format!("-run-{run}"))
    }

    /// Removes what runs left that were killed.
    fn sweep(&self) {
        let prefix = beside(&self.path, "-run-");
        let Some((folder, prefix)) = prefix.parent().zip(prefix.file_name().and_then(|name| name.to_str())) else {
            return;
        };
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_SWEPT) {
            let name = entry.file_name();
            if let Some(run) = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok()) {
                self.is_alive(run);
            }
        }
    }

    fn is_alive(&self, run: i64) -> bool {
        let path = self.run_file(run);
        match fs::symlink_metadata(&path) {
            // Opening a pipe may never come to an end.
            Ok(metadata) if !metadata.is_file() => {
                log::warn!("{}; it is left alone", stranger(&path));
                return false;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            _ => {}
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => return error.kind() != io::ErrorKind::NotFound,
        };
        match file.try_lock() {
            Ok(()) => {
                // The process that made this lock file is dead. Its name is removed first; dropping `file` releases the lock.
                let _ = fs::remove_file(&path);
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => true,
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.release();
    }
}

impl Database for Sqlite {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn words(&self) -> &'static [(&'static str, &'static str)] {
        &[("{without_rowid}", " WITHOUT ROWID")]
    }

    fn begin(&mut self, wait: Duration) -> Result<(), StoreError> {
        if let Some(error) = &self.unwritable {
            return Err(error.clone());
        }
        self.connection.busy_timeout(wait)?;
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn read_within(&mut self, wait: Duration) -> Result<(), StoreError> {
        Ok(self.connection.busy_timeout(wait)?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        statement.execute(rusqlite::params_from_iter(parameters))?;
        Ok(())
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql))?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let values =
                (0..columns).map(|column| Ok(value(row.get_ref(column)?))).collect::<Result<_, StoreError>>()?;
            found.push(Row(values));
        }
        Ok(found)
    }

    fn version(&mut self) -> Result<i64, StoreError> {
        // In one statement, so that what another program is just making is seen whole or not at all.
        let sql = "SELECT a.application_id, u.user_version, (SELECT count(*) FROM sqlite_master) \
                   FROM pragma_application_id a, pragma_user_version u";
        let (application, version, tables): (i64, i64, i64) =
            self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        match (application, tables) {
            (APPLICATION, _) => Ok(version),
            (0, 0) => Ok(0),
            _ => Err(StoreError::new(StoreFault::Foreign, "it is the database of another program")),
        }
    }

    fn set_version(&mut self, version: i64) -> Result<(), StoreError> {
        self.connection.pragma_update(None, "application_id", APPLICATION)?;
        Ok(self.connection.pragma_update(None, "user_version", version)?)
    }

    fn hold(&mut self, run: i64) -> Result<(), StoreError> {
        let path = self.run_file(run);
        let failed = |error: io::Error| unwritable(&text::io_error(&error));
        loop {
            let file = companion(&path)?;
            lock(&file, MOMENT)?;
            // Another program may have taken the name away between the two steps.
            let named = fs::metadata(&path).map(|metadata| metadata.ino()).ok();
            if named == Some(file.metadata().map_err(failed)?.ino()) {
                self.held.push((path, file));
                return Ok(());
            }
        }
    }

    fn reserve(&mut self, what: &str, wait: Duration) -> Result<(), StoreError> {
        let file = companion(&beside(&self.path, &format!("-lock-{what}")))?;
        lock(&file, wait)?;
        self.reserved.push(file);
        Ok(())
    }

    fn release(&mut self) {
        // The name is removed before the lock is given up.
        for (path, _lock) in self.held.drain(..) {
            let _ = fs::remove_file(path);
        }
    }

    fn is_held(&mut self, run: i64) -> bool {
        self.is_alive(run)
    }
}

/// A statement with `?1` for `$1`. To SQLite, `$1` is a name, which it compares with all names before: a statement of 400 rows
/// has thousands of them.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).map_or(Value::Odd, Value::Text),
        ValueRef::Real(_) | ValueRef::Blob(_) => Value::Odd,
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null | Value::Odd => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let (failure, said) = match &error {
            rusqlite::Error::SqliteFailure(failure, said) => (failure, said.clone()),
            // The same, where SQLite says which word of a statement is to blame.
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
            // What stands in a column is not what this program puts there.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::QueryReturnedNoRows => return StoreError::damaged("its contents make no sense"),
            _ => return StoreError::new(StoreFault::Other, error.to_string()),
        };
        let said = said.unwrap_or_else(|| failure.to_string());
        // Of the I/O errors, these two are about the file and not about the disk.
        const SHORT_READ: i32 = 522;
        const CORRUPT_FS: i32 = 8458;
        match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::damaged("it is not a sound database any more")
            }
            ErrorCode::SystemIoFailure if matches!(failure.extended_code, SHORT_READ | CORRUPT_FS) => {
                StoreError::damaged("a part of it is missing")
            }
            ErrorCode::Unknown if said.contains("unsupported file format") => {
                StoreError::damaged("its beginning makes no sense")
            }
            ErrorCode::Unknown if said.contains("no such table") || said.contains("no such column") => {
                StoreError::damaged("a table is missing in it")
            }
            // The number of its version, which stands in its head, was changed.
            ErrorCode::Unknown if said.contains("already exists") || said.contains("duplicate column name") => {
                StoreError::damaged("its tables are not those of its version")
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged => busy(),
            ErrorCode::DiskFull => unwritable("no space is left on the device"),
            ErrorCode::ReadOnly => unwritable("it is read-only"),
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
                unwritable("permission denied, or the file system is read-only")
            }
            ErrorCode::SystemIoFailure => unwritable("the device reports an error"),
            _ => StoreError::new(StoreFault::Other, said),
        }
    }
}
