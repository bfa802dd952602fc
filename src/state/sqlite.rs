//! The store in a file: SQLite with a write-ahead log, which outlives `kill -9` and a power cut.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::database::{Database, Row, Value};
use super::{Access, StoreError, StoreFault, schema};
use crate::text;

/// Marks a file as ours (`PRAGMA application_id`): "BAal" in ASCII.
const APPLICATION: i64 = 0x4241_616c;
/// Between two tries of what SQLite itself does not wait for.
const PAUSE: Duration = Duration::from_millis(5);

/// One connection to a file.
pub(super) struct Sqlite {
    connection: Connection,
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
    pub(super) fn open(path: &Path, access: Access, wait: Duration) -> Result<Sqlite, StoreError> {
        if access == Access::Write {
            create(path).map_err(|error| unwritable(&text::io_error(&error)))?;
        } else if !path.exists() {
            return Err(StoreError::new(StoreFault::Absent, "it does not exist"));
        }
        check_kind(path)?;
        match Sqlite::connect(path, access, wait) {
            Err(error) if error.fault == StoreFault::Unwritable => match Sqlite::connect_to_read_only(path, wait) {
                Ok(mut store) => {
                    store.unwritable = Some(error);
                    Ok(store)
                }
                Err(_) => Err(error),
            },
            result => result,
        }
    }

    fn new(connection: Connection, path: &Path) -> Sqlite {
        Sqlite { connection, path: path.to_owned(), held: Vec::new(), reserved: Vec::new(), unwritable: None }
    }

    fn connect(path: &Path, access: Access, wait: Duration) -> Result<Sqlite, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        let mut store = Sqlite::new(connection, path);
        let until = Instant::now() + wait;
        // The first steps of two programs can meet in ways that SQLite's own waiting does not cover.
        loop {
            match store.prepare(access, until.saturating_duration_since(Instant::now())) {
                Err(error) if error.fault == StoreFault::Busy && Instant::now() < until => std::thread::sleep(PAUSE),
                result => return result.map(|()| store),
            }
        }
    }

    fn prepare(&mut self, access: Access, wait: Duration) -> Result<(), StoreError> {
        self.connection.busy_timeout(wait)?;
        self.connection.pragma_update(None, "trusted_schema", "OFF")?;
        self.connection.pragma_update(None, "cell_size_check", "ON")?;
        self.check_length()?;
        if access == Access::Read {
            return match self.version()? {
                // What is empty has nothing to say, and nothing is wrong with it.
                0 => Ok(()),
                version if schema::is_current(version)? => Ok(()),
                _ => Err(StoreError::older()),
            };
        }
        // Before the first change, so that a stranger's file stays as it is.
        let version = self.version()?;
        schema::is_current(version)?;
        // A file system without shared memory stays with the older journal, which outlives a power cut as well.
        let _mode: String = self.connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        schema::migrate(self, wait)
    }

    /// SQLite itself sees that whole pages are missing, but takes a cut inside the last one for zeros.
    fn check_length(&self) -> Result<(), StoreError> {
        let size = |path: &Path| fs::metadata(path).map(|metadata| metadata.len()).unwrap_or_default();
        // With a log there, the file may be in the middle of a change that the log completes.
        let page: i64 = self.connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let is_whole = u64::try_from(page).is_ok_and(|page| size(&self.path).is_multiple_of(page));
        if is_whole || size(&beside(&self.path, "-wal")) > 0 {
            return Ok(());
        }
        Err(StoreError::damaged("a part of it is missing"))
    }

    /// Opens a file where nothing can be written: what was told is still known then. Not if a run left its log there, which
    /// cannot be read without writing.
    fn connect_to_read_only(path: &Path, wait: Duration) -> Result<Sqlite, StoreError> {
        if fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0) {
            return Err(unwritable("it is read-only"));
        }
        let mut url = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
            .map_err(|()| unwritable("its path cannot be used"))?;
        url.set_query(Some("immutable=1"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(url.as_str(), flags)?;
        let mut store = Sqlite::new(connection, path);
        store.prepare(Access::Read, wait)?;
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
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if let Some(run) = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok()) {
                self.is_alive(run);
            }
        }
    }

    fn is_alive(&self, run: i64) -> bool {
        let path = self.run_file(run);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => return error.kind() != io::ErrorKind::NotFound,
        };
        match file.try_lock() {
            Ok(()) => {
                // Its process is gone. The lock goes with `file`, after the name.
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

    fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(rusqlite::params_from_iter(parameters))?;
        Ok(())
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| value(row.get_ref(column)?)).collect::<Result<_, StoreError>>()?;
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
        self.sweep();
        let path = self.run_file(run);
        let failed = |error: io::Error| unwritable(&text::io_error(&error));
        loop {
            let file = private().open(&path).map_err(failed)?;
            file.lock().map_err(failed)?;
            // Another program may have taken the name away between the two steps.
            let named = fs::metadata(&path).map(|metadata| metadata.ino()).ok();
            if named == Some(file.metadata().map_err(failed)?.ino()) {
                self.held.push((path, file));
                return Ok(());
            }
        }
    }

    fn reserve(&mut self, what: &str, wait: Duration) -> Result<(), StoreError> {
        let failed = |error: io::Error| unwritable(&text::io_error(&error));
        let file = private().open(beside(&self.path, &format!("-lock-{what}"))).map_err(failed)?;
        let until = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(busy()),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        self.reserved.push(file);
        Ok(())
    }

    fn release(&mut self) {
        // The name goes before the lock.
        for (path, _lock) in self.held.drain(..) {
            let _ = fs::remove_file(path);
        }
    }

    fn is_held(&mut self, run: i64) -> bool {
        self.is_alive(run)
    }
}

fn value(value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec())
            .map(Value::Text)
            .map_err(|_| StoreError::damaged("a text in it is not UTF-8")),
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(StoreError::damaged("a value in it has a wrong type")),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Makes the file and its folder, if they are not there. SQLite gives the files it puts beside it the same mode.
fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    private().open(path).map(drop)
}

/// Refuses what was never a store: a device, a config that was named by mistake. Only what may have been one is damaged.
///
/// # Errors
/// `Foreign`, or `Damaged` for a file with the name of a database whose first bytes are none of one.
fn check_kind(path: &Path) -> Result<(), StoreError> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let failed = |error: io::Error| unwritable(&text::io_error(&error));
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(StoreError::new(StoreFault::Foreign, "it is not a regular file"));
    }
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    io::Read::take(file, MAGIC.len() as u64).read_to_end(&mut head).map_err(failed)?;
    if MAGIC.starts_with(&head) {
        return Ok(());
    }
    let is_named_so = path.extension().is_some_and(|end| ["db", "sqlite", "sqlite3"].iter().any(|known| end == *known));
    if is_named_so || head.iter().all(|byte| *byte == 0) {
        return Err(StoreError::damaged("it is not a sound database any more"));
    }
    Err(StoreError::new(StoreFault::Foreign, "it is a file of another kind")
        .with_hint("name another file with `--state`, `BALANCE_ALERT_STATE` or `state.path`"))
}

/// A file beside the store.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Moves a damaged store aside, so that a new one can be made and nothing is lost. Gives the new name, or none if another
/// program has done so meanwhile.
///
/// `was` is the file that was found damaged.
///
/// # Errors
/// The system's reason; then nothing has been moved.
pub(super) fn set_aside(path: &Path, was: Option<u64>) -> io::Result<Option<PathBuf>> {
    let guard = private().open(beside(path, "-repair"))?;
    guard.lock()?;
    if inode(path) != was {
        return Ok(None);
    }
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let target = (0..)
        .map(|n| beside(path, &if n == 0 { format!(".damaged-{now}") } else { format!(".damaged-{now}-{n}") }))
        .find(|target| !target.exists())
        .unwrap_or_else(|| beside(path, ".damaged"));
    // The log goes first: a new file must never meet the old one's log.
    for suffix in ["-wal", "-shm"] {
        match fs::rename(beside(path, suffix), beside(&target, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &target)?;
    let _ = fs::remove_file(beside(path, "-repair"));
    Ok(Some(target))
}

/// Which file a path is, to see whether it is another one now.
pub(super) fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).map(|metadata| metadata.ino()).ok()
}

fn busy() -> StoreError {
    StoreError::new(StoreFault::Busy, "other runs kept it locked for too long")
}

fn unwritable(why: &str) -> StoreError {
    StoreError::new(StoreFault::Unwritable, format!("it cannot be written: {why}"))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let rusqlite::Error::SqliteFailure(failure, said) = &error else {
            return match error {
                // What stands in a column is not what this program puts there.
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::QueryReturnedNoRows => StoreError::damaged("its contents make no sense"),
                error => StoreError::new(StoreFault::Other, error.to_string()),
            };
        };
        let said = said.clone().unwrap_or_else(|| failure.to_string());
        // Of the I/O errors these two speak of the file and not of the disk.
        const SHORT_READ: i32 = 522;
        const CORRUPT_FS: i32 = 8458;
        // The log's index could not be made larger.
        const SHARED_MEMORY_SIZE: i32 = 4874;
        match failure.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::damaged("it is not a sound database any more")
            }
            ErrorCode::SystemIoFailure if matches!(failure.extended_code, SHORT_READ | CORRUPT_FS) => {
                StoreError::damaged("a part of it is missing")
            }
            ErrorCode::Unknown if said.contains("no such table") || said.contains("no such column") => {
                StoreError::damaged("a table is missing in it")
            }
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged => busy(),
            ErrorCode::SystemIoFailure if failure.extended_code == SHARED_MEMORY_SIZE => {
                unwritable("no space is left on the device")
            }
            ErrorCode::DiskFull => unwritable("no space is left on the device"),
            ErrorCode::ReadOnly => unwritable("it is read-only"),
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied => unwritable("no right to, or a read-only medium"),
            ErrorCode::SystemIoFailure => unwritable("the device reports an error"),
            _ => StoreError::new(StoreFault::Other, said),
        }
    }
}
