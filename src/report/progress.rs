//! A line on standard error that shows a waiting person how far the run is, and disappears.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Quick runs show nothing.
const PATIENCE: Duration = Duration::from_millis(200);

/// The line, or nothing where nobody would see it.
pub struct Progress {
    total: usize,
    start: Instant,
    enabled: bool,
    shown: bool,
}

impl Progress {
    /// A line for `total` checks, if standard error is a terminal and `wanted`.
    pub fn new(total: usize, wanted: bool) -> Progress {
        let enabled = wanted && std::io::stderr().is_terminal();
        let mut progress = Progress { total, start: Instant::now(), enabled, shown: false };
        progress.draw(0);
        progress
    }

    /// Shows the number of finished checks.
    pub fn done(&mut self, done: usize) {
        if self.start.elapsed() >= PATIENCE {
            self.draw(done);
        }
    }

    fn draw(&mut self, done: usize) {
        if self.enabled {
            let _ = write!(std::io::stderr(), "\r\x1b[2K{done} of {} checks done", self.total);
            self.shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}
