//! One watch over the whole process, from its first moment: whatever hangs, the process ends in time.
//!
//! Every step of a run has a limit of its own and keeps to it. The watchdog is for what has none: a disk that hangs under the
//! config, a reader that does not read the report, a defect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{background, output};
use crate::model::text;
use crate::process::exit::Exit;
use crate::process::interrupt::Interrupt;
use crate::process::logging;

/// The time of a command that nothing else limits.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);
/// So long after its time a process is gone.
const MARGIN: Duration = Duration::from_millis(1900);
/// So long after a signal.
const AFTER_SIGNAL: Duration = Duration::from_millis(9500);
/// Between two looks.
const SLICE: Duration = Duration::from_millis(100);
/// A pause that is so much longer was none of this process's own: it was stopped, or the machine slept.
const STOPPED: Duration = Duration::from_millis(500);
/// What the last writes leave for the way out.
const WAY_OUT: Duration = Duration::from_millis(200);

/// Ends the process when its time is over.
#[derive(Clone)]
pub struct Watchdog {
    start: Instant,
    state: Arc<Mutex<State>>,
}

struct State {
    time: Duration,
    /// How long the process was stopped, which does not count.
    stopped: Duration,
    /// What it is about, for the message.
    what: &'static str,
    /// What it ends with if that hangs.
    exit: Exit,
    interrupt: Interrupt,
}

impl Watchdog {
    /// Begins the watch. Without a thread there is none, and what has limits of its own keeps to them.
    pub(super) fn start() -> Watchdog {
        let state = State {
            time: LONGEST,
            stopped: Duration::ZERO,
            what: "beginning",
            exit: Exit::Internal,
            interrupt: Interrupt::default(),
        };
        let watchdog = Watchdog { start: Instant::now(), state: Arc::new(Mutex::new(state)) };
        let watching = watchdog.clone();
        let _ = background::start("watchdog", move || watching.watch());
        watchdog
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the process began.
    pub fn started(&self) -> Instant {
        self.start
    }

    /// From its beginning on the process has this time.
    pub fn allow(&self, time: Duration) {
        self.lock().time = time;
    }

    /// What comes now, and what the process ends with if that hangs.
    pub fn expect(&self, what: &'static str, exit: Exit) {
        let mut state = self.lock();
        (state.what, state.exit) = (what, exit);
    }

    /// A signal leaves the process ten seconds at the most.
    pub fn heed(&self, interrupt: &Interrupt) {
        self.lock().interrupt = interrupt.clone();
    }

    /// When the last word must be written.
    pub fn last_word(&self) -> Instant {
        let end = self.lock().end(self.start);
        end.checked_sub(WAY_OUT).unwrap_or(end)
    }

    /// The time until then.
    pub fn left(&self) -> Duration {
        self.last_word().saturating_duration_since(Instant::now())
    }

    fn watch(&self) {
        loop {
            let begin = Instant::now();
            std::thread::sleep(SLICE);
            let slept = begin.elapsed();
            let mut state = self.lock();
            if slept > STOPPED {
                state.stopped += slept;
            }
            if Instant::now() >= state.end(self.start) {
                break;
            }
        }
        let state = self.lock();
        let (what, time) = (state.what, text::seconds(state.time));
        let exit = state.interrupt.exit().unwrap_or(state.exit);
        drop(state);
        logging::last_words(&format!("the time of {time} s is over, and {what} has not ended: it is given up"));
        output::flush(Instant::now() + SLICE);
        signal_hook::low_level::exit(i32::from(exit.code()));
    }
}

impl State {
    fn end(&self, start: Instant) -> Instant {
        let end = start + self.time + MARGIN + self.stopped;
        self.interrupt.since().map_or(end, |since| end.min(since + AFTER_SIGNAL + self.stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_shortens_the_time_and_a_stop_lengthens_it() {
        let (start, interrupt) = (Instant::now(), Interrupt::default());
        let mut state = State {
            time: Duration::from_secs(120),
            stopped: Duration::ZERO,
            what: "x",
            exit: Exit::Internal,
            interrupt: interrupt.clone(),
        };
        assert_eq!(state.end(start), start + Duration::from_secs(120) + MARGIN);
        state.stopped = Duration::from_secs(3600);
        assert_eq!(state.end(start), start + Duration::from_secs(3720) + MARGIN);
        state.stopped = Duration::ZERO;
        interrupt.raise(Exit::Terminated);
        let end = state.end(start);
        assert!(end < Instant::now() + Duration::from_secs(10) && end > start + Duration::from_secs(9));
        state.time = Duration::from_secs(1);
        assert_eq!(state.end(start), start + Duration::from_secs(1) + MARGIN);
    }
}
