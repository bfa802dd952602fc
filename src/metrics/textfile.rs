//! The file for node_exporter's textfile collector: whole or not at all, and readable for it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Reason};
use crate::text;

/// Writes beside the file and renames: a reader sees the old one or the new one. The name between does not end in `.prom`,
/// so the collector does not read it; it is a new one each time, so runs at once do not meet and no link is followed.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let beside = PathBuf::from(name);
    let result = replace(&beside, path, content);
    if result.is_err() {
        let _ = fs::remove_file(&beside);
    }
    result.map_err(|error| {
        let message = format!("`{}` cannot be written: {}", path.display(), text::io_error(&error));
        Failure::new(Reason::Config, message)
    })
}

fn replace(beside: &Path, path: &Path, content: &str) -> io::Result<()> {
    let mut file = File::create_new(beside)?;
    file.write_all(content.as_bytes())?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()?;
    drop(file);
    fs::rename(beside, path)
}
