//! Writes the file for node_exporter's textfile collector, so that the collector can read it and never reads half of it.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process::file;

/// Writes a new file beside the old one and renames it, so that a reader sees either the old text or the new one. The name of the
/// new file does not end in `.prom`, so the collector does not read it. The name is another one each time, so that two runs do
/// not meet and no link is followed.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let beside = PathBuf::from(name);
    // A device or a pipe is not replaced by a file.
    let result = file::must_be_regular(path).and_then(|()| replace(&beside, path, content));
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
