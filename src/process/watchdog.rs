//! One watch over the whole process, from its first moment: whatever hangs, the process ends in time.
//!
//! Every step of a run has a limit of its own and keeps to it. The watchdog is for what has none: a disk that hangs under the
//! config, a reader that does not read the report, a defect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{address_space, background, command, interrupt, output};
use crate::model::text;
use crate::process::exit::Exit;
use crate::process::interrupt::Interrupt;
use crate::process::logging;

/// The time of a command that nothing else limits.
pub(crate) const LONGEST: Duration = Duration::from_secs(600);
/// So long after its time a process begins to end. Where all processors are busy it takes up to half a second more, and it is to be
/// gone within two.
const MARGIN: Duration = Duration::from_millis(1500);
/// So long it takes to say why. What would hold that back does not hold back the end.
const LAST_WORDS: Duration = Duration::from_millis(150);
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
    state: Arc<Mutex<Timer>>,
}

struct Timer {
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
        let state = Timer {
            time: LONGEST,
            stopped: Duration::ZERO,
            what: "beginning",
            exit: Exit::Internal,
            interrupt: Interrupt::default(),
        };
        let watchdog = Watchdog { start: Instant::now(), state: Arc::new(Mutex::new(state)) };
        let watching = watchdog.clone();
        if background::start("watchdog", move || watching.watch()).is_ok() {
            interrupt::guard();
        }
        watchdog
    }

    fn lock(&self) -> MutexGuard<'_, Timer> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the process began.
    pub(crate) fn started(&self) -> Instant {
        self.start
    }

    /// From its beginning on the process has this time.
    pub(crate) fn allow(&self, time: Duration) {
        self.lock().time = time;
    }

    /// What comes now, and what the process ends with if that hangs.
    pub fn expect(&self, what: &'static str, exit: Exit) {
        let mut state = self.lock();
        (state.what, state.exit) = (what, exit);
    }

    /// A signal leaves the process ten seconds at the most.
    pub(crate) fn heed(&self, interrupt: &Interrupt) {
        self.lock().interrupt = interrupt.clone();
    }

    /// When the last word must be written.
    pub fn last_word(&self) -> Instant {
        let end = self.lock().end(self.start);
        end.checked_sub(WAY_OUT).unwrap_or(end)
    }

    /// The time until then.
    pub(crate) fn left(&self) -> Duration {
        self.last_word().saturating_duration_since(Instant::now())
    }

    fn watch(&self) {
        loop {
            let left = self.lock().end(self.start).saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let (begin, waited) = (Instant::now(), waited_for_cpu());
            std::thread::sleep(SLICE.min(left));
            if let Some(exit) = interrupt::ends_at_once() {
                command::kill_all();
                signal_hook::low_level::exit(i32::from(exit.code()));
            }
            let slept = begin.elapsed();
            if slept > STOPPED {
                self.lock().stopped += stopped(slept, waited, waited_for_cpu());
            }
        }
        let state = self.lock();
        let (what, time) = (state.what, text::seconds(state.time));
        let exit = state.interrupt.exit().unwrap_or(state.exit);
        drop(state);
        // On a thread of its own: a worker may hold what that needs, the list of secrets for example.
        background::within("last-words", LAST_WORDS, move || {
            logging::last_words(&format!("the time of {time} s is over, and {what} has not ended: it is given up"));
            output::flush(Instant::now() + LAST_WORDS);
        });
        command::kill_all();
        signal_hook::low_level::exit(i32::from(exit.code()));
    }
}

/// How long this thread has waited for a processor so far, where the system tells it.
fn waited_for_cpu() -> Option<Duration> {
    let counts = address_space::read("/proc/thread-self/schedstat")?;
    counts.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

/// How much of a pause the process was stopped for. A thread that waits for a processor is not stopped, however long that is.
fn stopped(slept: Duration, before: Option<Duration>, after: Option<Duration>) -> Duration {
    let waited = before.zip(after).map(|(before, after)| after.saturating_sub(before)).unwrap_or_default();
    Some(slept.saturating_sub(waited)).filter(|stopped| *stopped > STOPPED).unwrap_or_default()
}

impl Timer {
    fn end(&self, start: Instant) -> Instant {
        let end = start + self.time + MARGIN + self.stopped;
        self.interrupt.since().map_or(end, |since| end.min(since + AFTER_SIGNAL + self.stopped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_wait_for_a_processor_is_not_to_be_stopped() {
        let seconds = Duration::from_secs;
        for (slept, waited, want) in [
            // The process was stopped, or the system does not tell.
            (3600, Some((5, 5)), 3600),
            (3600, None, 3600),
            // All processors were busy.
            (3, Some((5, 8)), 0),
            (3, Some((0, 9)), 0),
            // Both.
            (3600, Some((5, 8)), 3597),
        ] {
            let (before, after) = (waited.map(|waited| seconds(waited.0)), waited.map(|waited| seconds(waited.1)));
            assert_eq!(stopped(seconds(slept), before, after), seconds(want), "{slept} {waited:?}");
        }
    }

    #[test]
    fn a_signal_shortens_the_time_and_a_stop_lengthens_it() {
        let (start, interrupt) = (Instant::now(), Interrupt::default());
        let mut state = Timer {
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
