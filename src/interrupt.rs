//! The wish that this process ends: SIGTERM and SIGINT as a value, and the times that shrink when one comes.
//!
//! A handler only sets flags; whoever waits looks at them ten times a second. Not here: what is given up and what is still
//! done (`run`).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// The longest time until a wait notices a signal.
const SLICE: Duration = Duration::from_millis(100);

/// A second signal counts as one only so long after the first: `timeout` and some supervisors send one twice.
const ECHO: Duration = Duration::from_millis(500);

/// The signals that are heeded, with the status that they end the process with.
const SIGNALS: [(i32, Exit); 2] = [(SIGTERM, Exit::Terminated), (SIGINT, Exit::Interrupted)];

/// Whether somebody wants this process to end, and since when.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// The code of the status to end with; 0 as long as nobody wants it.
    code: Arc<AtomicUsize>,
    since: OnceLock<Instant>,
    /// Whether a signal ends the process at once.
    is_last: Arc<AtomicBool>,
}

impl Interrupt {
    /// Heeds SIGTERM and SIGINT from now on. A second signal, half a second later or more, ends the process at once, with 128
    /// and its number.
    ///
    /// # Errors
    /// The system's reason if no handler can be set.
    pub fn watch() -> io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        for (signal, exit) in SIGNALS {
            flag::register_conditional_shutdown(signal, i32::from(exit.code()), Arc::clone(&interrupt.0.is_last))?;
            flag::register_usize(signal, Arc::clone(&interrupt.0.code), usize::from(exit.code()))?;
        }
        Ok(interrupt)
    }

    /// The status to end with, if somebody wants this process to end.
    pub fn exit(&self) -> Option<Exit> {
        let code = self.0.code.load(Ordering::SeqCst);
        SIGNALS.iter().map(|(_, exit)| *exit).find(|exit| usize::from(exit.code()) == code)
    }

    /// Since when somebody wants this process to end, as far as anybody has looked.
    fn since(&self) -> Option<Instant> {
        let since = self.exit().map(|_| *self.0.since.get_or_init(Instant::now))?;
        if since.elapsed() >= ECHO {
            self.0.is_last.store(true, Ordering::SeqCst);
        }
        Some(since)
    }

    /// All is put in order: from now on the next signal ends the process at once, and if one has come, so does the end of
    /// this time after it, should whoever reads the output not read.
    pub fn end_at_once(&self, after: Duration) {
        self.0.is_last.store(true, Ordering::SeqCst);
        let Some((since, exit)) = self.since().zip(self.exit()) else {
            return;
        };
        let left = after.saturating_sub(since.elapsed());
        // Without a thread the next signal still does it.
        let _ = std::thread::Builder::new().name("end".to_owned()).spawn(move || {
            std::thread::sleep(left);
            signal_hook::low_level::exit(i32::from(exit.code()));
        });
    }

    #[cfg(test)]
    pub(crate) fn raise(&self, exit: Exit) {
        self.0.code.store(usize::from(exit.code()), Ordering::SeqCst);
    }
}

/// A time until which something may take, and how long it may still take once the process is to end.
#[derive(Clone, Debug)]
pub struct Deadline {
    at: Instant,
    grace: Duration,
    interrupt: Interrupt,
}

impl Deadline {
    /// Until `at`; from a signal on for `grace` at the most.
    pub fn new(at: Instant, grace: Duration, interrupt: &Interrupt) -> Deadline {
        Deadline { at, grace, interrupt: interrupt.clone() }
    }

    /// For so long from now, whatever signal comes.
    pub fn within(time: Duration) -> Deadline {
        Deadline::new(Instant::now() + time, time, &Interrupt::default())
    }

    /// The same, but `at` at the latest.
    pub fn or_at(&self, at: Instant) -> Deadline {
        Deadline { at: self.at.min(at), ..self.clone() }
    }

    /// Until `at` instead, and `least` from now even after a signal: for what must not be left half done.
    pub fn extended_to(&self, at: Instant, least: Duration) -> Deadline {
        let grace = self.interrupt.since().map_or(self.grace, |since| self.grace.max(since.elapsed() + least));
        Deadline { at, grace, ..self.clone() }
    }

    /// The time, as it stands now.
    pub fn at(&self) -> Instant {
        self.interrupt.since().map_or(self.at, |since| self.at.min(since + self.grace))
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.at().saturating_duration_since(Instant::now())
    }

    /// Whether somebody wants this process to end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.exit().is_some()
    }

    /// Waits for so long. False if there is not so much time, at once or as soon as a signal takes it.
    pub fn sleep(&self, time: Duration) -> bool {
        let until = Instant::now().checked_add(time);
        while let Some(until) = until.filter(|until| *until <= self.at()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(SLICE));
        }
        false
    }

    /// The next message, if it comes in time.
    ///
    /// # Errors
    /// The time is over, or nobody is left to send one.
    pub fn receive<T>(&self, from: &Receiver<T>) -> Result<T, RecvTimeoutError> {
        loop {
            let left = self.left();
            match from.recv_timeout(left.min(SLICE)) {
                Err(RecvTimeoutError::Timeout) if left > SLICE => {}
                result => return result,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(3600);

    fn far(grace: Duration, interrupt: &Interrupt) -> Deadline {
        Deadline::new(Instant::now() + LONG, grace, interrupt)
    }

    #[test]
    fn a_signal_leaves_the_grace_and_no_more() {
        let interrupt = Interrupt::default();
        let (none, some) = (far(Duration::ZERO, &interrupt), far(LONG / 2, &interrupt));
        assert!(none.left() > LONG / 2 && !none.is_interrupted());
        assert_eq!(interrupt.exit(), None);
        interrupt.raise(Exit::Terminated);
        assert_eq!(interrupt.exit(), Some(Exit::Terminated));
        assert!(none.is_interrupted());
        assert_eq!(none.left(), Duration::ZERO);
        assert!(some.left() > LONG / 4 && some.left() <= LONG / 2);
        assert!(Deadline::within(LONG).left() > LONG / 2, "it heeds no signal");
    }

    #[test]
    fn who_waits_notices_it() {
        let interrupt = Interrupt::default();
        let deadline = far(Duration::ZERO, &interrupt);
        let (_sender, receiver) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let sleeping = scope.spawn(|| deadline.sleep(LONG / 2));
            interrupt.raise(Exit::Interrupted);
            assert!(!sleeping.join().unwrap());
            assert_eq!(deadline.receive(&receiver), Err(RecvTimeoutError::Timeout));
        });
    }

    #[test]
    fn what_there_is_no_time_for_is_not_begun() {
        let deadline = Deadline::within(Duration::from_millis(200));
        assert!(!deadline.sleep(LONG) && !deadline.sleep(Duration::MAX));
        assert!(deadline.left() > Duration::ZERO, "it came back at once");
        assert!(deadline.sleep(Duration::from_millis(1)));
    }
}
