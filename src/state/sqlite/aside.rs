//! A damaged store is moved aside, and only the newest ones are kept.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::MOMENT;
use super::files::{COMPANIONS, beside, companion, lock, real};
use crate::model::text;
use crate::state::{StoreError, StoreFault};

/// Damaged stores that are kept, the newest ones.
const MOST_KEPT: usize = 3;

/// A damaged store that was moved aside.
pub(in crate::state) struct SetAside {
    /// Its new name.
    pub(in crate::state) path: PathBuf,
    /// Older ones that were removed, because only so many are kept.
    pub(in crate::state) removed: usize,
}

/// Moves a damaged store aside, so that a new one can be made and nothing is lost. Gives none if another program has done so
/// meanwhile.
///
/// `was` is the file that was found damaged; its new name says `now`.
///
/// # Errors
/// The system's reason; then nothing has been moved.
pub(in crate::state) fn set_aside(
    path: &Path,
    was: Option<u64>,
    now: Timestamp,
) -> Result<Option<SetAside>, StoreError> {
    let path = &real(path);
    let failed = |error: io::Error| StoreError::new(StoreFault::Other, text::io_error(&error));
    let guard = companion(&beside(path, "-repair"))?;
    lock(&guard, MOMENT)?;
    if inode(path) != was {
        return Ok(None);
    }
    let now = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    // Several within a second are numbered, and a name that was removed does not come again.
    let last = kept(path).into_iter().rev().find_map(|kept| {
        let rest = kept.to_str()?.strip_prefix(beside(path, &format!("{DAMAGED}{now}")).to_str()?)?.to_owned();
        Some(rest.strip_prefix('-').and_then(|number| number.parse().ok()).unwrap_or(0_u32))
    });
    let target = match last {
        None => beside(path, &format!("{DAMAGED}{now}")),
        Some(last) => beside(path, &format!("{DAMAGED}{now}-{:03}", last + 1)),
    };
    // The journal goes first: a new file must never meet the old one's.
    for suffix in COMPANIONS {
        match fs::rename(beside(path, suffix), beside(&target, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    fs::rename(path, &target).map_err(failed)?;
    let _ = fs::remove_file(beside(path, "-repair"));
    Ok(Some(SetAside { removed: remove_older(path, &target), path: target }))
}

/// What stands in the name of a damaged store, before the time.
const DAMAGED: &str = ".damaged-";

/// The damaged stores that are kept, oldest first: their names are their times.
fn kept(path: &Path) -> Vec<PathBuf> {
    let prefix = beside(path, DAMAGED);
    let (Some(folder), Some(prefix)) = (prefix.parent(), prefix.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    // A copy that somebody has made by hand may have a name of this kind.
    let is_time = |rest: &str| rest.len() >= 16 && rest.bytes().take(8).all(|byte| byte.is_ascii_digit());
    let is_store = |name: &String| {
        name.strip_prefix(prefix).is_some_and(is_time) && !COMPANIONS.iter().any(|suffix| name.ends_with(suffix))
    };
    let mut kept: Vec<PathBuf> = names.filter(is_store).map(|name| folder.join(name)).collect();
    kept.sort();
    kept
}

/// Removes all damaged stores but the newest ones, of which `newest` is one. Gives how many.
fn remove_older(path: &Path, newest: &Path) -> usize {
    let mut older = kept(path);
    older.retain(|kept| kept != newest);
    older.truncate((older.len() + 1).saturating_sub(MOST_KEPT));
    for store in &older {
        let _ = fs::remove_file(store);
        COMPANIONS.iter().for_each(|suffix| drop(fs::remove_file(beside(store, suffix))));
    }
    older.len()
}

/// The inode of a file, to notice that the file was replaced.
pub(in crate::state) fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).map(|metadata| metadata.ino()).ok()
}
