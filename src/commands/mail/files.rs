//! The files that mails lie in.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::check::mailbox::MOST_OF_MAIL;
use crate::model::text;
use crate::process::file::{Bounds, read_alone};

/// Most mails at once.
const MOST: usize = 10_000;
/// Largest file, in bytes. Of a mail only the beginning is read, as from a server.
const LARGEST: usize = 64 * 1024 * 1024;
/// Longest wait for one file.
const PATIENCE: Duration = Duration::from_secs(5);
/// The folders of a Maildir that mails lie in.
const FOLDERS: [&str; 2] = ["new", "cur"];

/// A file that a mail lies in.
pub(super) struct Listed {
    /// As it is shown.
    pub name: String,
    pub path: PathBuf,
}

/// The files that are meant, those of the Maildir last and in the order of their names.
///
/// # Errors
/// There are too many, or the folder is no Maildir.
pub(super) fn list(files: &[PathBuf], maildir: Option<&Path>) -> Result<Vec<Listed>, String> {
    let mut all: Vec<PathBuf> = files.to_vec();
    if let Some(maildir) = maildir {
        let mut found = Vec::new();
        let mut is_maildir = false;
        for folder in FOLDERS.map(|folder| maildir.join(folder)) {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            is_maildir = true;
            // What begins with a point is no mail (maildir(5)).
            let mails = entries.flatten().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
            found.extend(mails.map(|entry| entry.path()).take(MOST + 1));
        }
        if !is_maildir {
            let place = text::one_line(&maildir.display().to_string(), 200);
            return Err(format!("`{place}` is no Maildir that can be read: it has neither `new` nor `cur`"));
        }
        found.sort();
        all.extend(found);
    }
    if all.len() > MOST {
        return Err(format!("these are {} mails or more, and {MOST} are read at once", all.len()));
    }
    Ok(all.into_iter().map(|path| Listed { name: text::one_line(&path.display().to_string(), 200), path }).collect())
}

/// The beginning of a file, as much as is read of a mail.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(path: &Path, until: Instant) -> Result<Vec<u8>, String> {
    let patience = PATIENCE.min(until.saturating_duration_since(Instant::now()));
    if patience.is_zero() {
        return Err("there was no time left to read it".to_owned());
    }
    let mut raw = read_alone(path, Bounds { most: LARGEST, patience }).map_err(|error| match error.kind() {
        std::io::ErrorKind::IsADirectory => "it is a folder; `--maildir` reads one".to_owned(),
        _ => text::io_error(&error),
    })?;
    raw.truncate(usize::try_from(MOST_OF_MAIL).unwrap_or(usize::MAX));
    Ok(raw)
}
