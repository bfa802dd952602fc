//! Writes the file for node_exporter's textfile collector, so that the collector can read it and never reads half of it.

use std::path::Path;

use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process::file;

/// Writes a new file beside the old one and renames it. The name of the new file does not end in `.prom`, so the collector does not
/// read it.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Failure> {
    file::replace(path, content.as_bytes(), Some(0o644)).map_err(|error| {
        let message = format!("`{}` cannot be written: {}", path.display(), text::io_error(&error));
        Failure::new(Reason::Config, message)
    })
}
