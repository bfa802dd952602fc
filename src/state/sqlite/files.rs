//! The store's file and what stands beside it: made, locked, and told from what was never a store.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::model::text;
use crate::state::{StoreError, StoreFault};

/// The pause between two attempts at what SQLite itself does not wait for.
pub(super) const PAUSE: Duration = Duration::from_millis(5);
/// What SQLite itself puts beside a file.
pub(super) const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Makes the file and its folder, if they are not there. SQLite gives the files it puts beside it the same mode.
pub(super) fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    private().open(path).map(drop)
}

/// The length of a file; 0 for none.
pub(super) fn size(path: &Path) -> u64 {
    fs::metadata(path).map(|metadata| metadata.len()).unwrap_or_default()
}

/// The file itself, where a path leads to it over links.
pub(super) fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Opens a file that this program puts beside a store; makes it if it is not there.
pub(super) fn companion(path: &Path) -> Result<File, StoreError> {
    check_companion(path)?;
    private().open(path).map_err(|error| unwritable(&text::io_error(&error)))
}

/// # Errors
/// There is something of this name that is no file.
pub(super) fn check_companion(path: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(StoreError::new(StoreFault::Foreign, stranger(path))),
        _ => Ok(()),
    }
}

pub(super) fn stranger(path: &Path) -> String {
    format!("`{}` beside the memory of runs is not a regular file", path.display())
}

/// Locks a file, waiting at most this long.
pub(super) fn lock(file: &File, wait: Duration) -> Result<(), StoreError> {
    let until = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(busy()),
            Err(TryLockError::Error(error)) => return Err(unwritable(&text::io_error(&error))),
        }
    }
}

/// Refuses what was never a store: a device, a config that was named by mistake. Only what may have been one is damaged.
/// Says whether it has a write-ahead log.
///
/// # Errors
/// `Foreign`, or `Damaged` for a file with the name of a database whose first bytes are none of one.
pub(super) fn check_kind(path: &Path) -> Result<bool, StoreError> {
    /// Behind the magic word, the size of the pages and these two bytes, which are 2 if there is such a log.
    const VERSIONS: std::ops::Range<usize> = 18..20;
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let failed = |error: io::Error| unwritable(&text::io_error(&error));
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(StoreError::new(StoreFault::Foreign, "it is not a regular file"));
    }
    COMPANIONS.iter().try_for_each(|suffix| check_companion(&beside(path, suffix)))?;
    let mut head = Vec::new();
    let file = File::open(path).map_err(failed)?;
    io::Read::take(file, VERSIONS.end as u64).read_to_end(&mut head).map_err(failed)?;
    if MAGIC.starts_with(&head[..head.len().min(MAGIC.len())]) {
        // SQLite would take it for a file that may only be read, and no run could remember anything, for ever.
        if head.get(VERSIONS.start).is_some_and(|writing| *writing > 2) {
            return Err(StoreError::damaged("its beginning makes no sense"));
        }
        // SQLite itself goes by the log being there.
        return Ok(head.get(VERSIONS).is_some_and(|versions| versions.contains(&2)) || size(&beside(path, "-wal")) > 0);
    }
    let is_named_so = path.extension().is_some_and(|end| ["db", "sqlite", "sqlite3"].iter().any(|known| end == *known));
    if is_named_so || head.iter().all(|byte| *byte == 0) {
        return Err(StoreError::damaged("it is not a sound database any more"));
    }
    Err(StoreError::new(StoreFault::Foreign, "it is a file of another kind")
        .with_hint("name another file with `--state`, `BALANCE_ALERT_STATE` or `state.path`"))
}

/// A file beside the store.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn busy() -> StoreError {
    StoreError::new(StoreFault::Busy, "other runs kept it locked for too long")
}

pub(super) fn unwritable(why: &str) -> StoreError {
    StoreError::new(StoreFault::Unwritable, format!("it cannot be written: {why}"))
}
