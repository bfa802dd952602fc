//! The progress line on standard error. It is cleared when the checks are done.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use crate::process::output;

/// A run that is quicker than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(200);

/// The progress line. It does nothing where nobody would see it.
pub(crate) struct Progress {
    total: usize,
    start: Instant,
    enabled: bool,
    shown: bool,
}

impl Progress {
    /// A line for `total` checks, if standard error is a terminal and `wanted`.
    pub(crate) fn new(total: usize, wanted: bool) -> Progress {
        let enabled = wanted && std::io::stderr().is_terminal();
        let mut progress = Progress { total, start: Instant::now(), enabled, shown: false };
        progress.draw(0);
        progress
    }

    /// Shows the number of finished checks.
    pub(crate) fn done(&mut self, done: usize) {
        if self.start.elapsed() >= PATIENCE {
            self.draw(done);
        }
    }

    fn draw(&mut self, done: usize) {
        if self.enabled {
            output::show(&format!("\r\x1b[2K{done} of {} checks done", self.total));
            self.shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            output::say(b"\r\x1b[2K".to_vec(), false);
        }
    }
}
