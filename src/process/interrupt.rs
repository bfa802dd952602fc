//! Graceful shutdown: the signals as a flag, and deadlines that become shorter when one arrives.
//!
//! A handler only sets flags; whoever waits looks at them ten times a second. What every signal does is a table in
//! `docs/process.md`. Not here: what is given up and what is still done (`run`).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::signal::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::flag;

use crate::model::text;
use crate::process::exit::Exit;

/// The longest time until a wait notices a signal.
const SLICE: Duration = Duration::from_millis(100);

/// A second signal counts as one only so long after the first: `timeout` and some supervisors send one twice.
const ECHO: Duration = Duration::from_millis(500);

/// The signals that are heeded, with the status that they end the process with.
const SIGNALS: [(i32, Exit); 5] = [
    (SIGTERM, Exit::Terminated),
    (SIGINT, Exit::Interrupted),
    (SIGHUP, Exit::HungUp),
    (SIGALRM, Exit::Alarm),
    (SIGXCPU, Exit::CpuTime),
];

/// Signals that nobody sends to such a program in a usual way, and whose default is its end: they end it in order, as SIGTERM does.
fn unusual() -> impl Iterator<Item = i32> {
    // SIGPWR, and the real-time signals that the C library does not keep for itself.
    let of_linux = std::iter::once(30).chain(35..=64).filter(|_| cfg!(target_os = "linux"));
    [SIGVTALRM, SIGPROF, SIGIO].into_iter().chain(of_linux)
}

/// Signals that ask for nothing: SIGXFSZ says what the write says as well, and the others mean something to servers only.
const STRAYS: [i32; 3] = [SIGXFSZ, SIGUSR1, SIGUSR2];

/// Lets this process outlive the signals that ask for nothing; their default is its end.
pub(crate) fn outlive_strays() {
    for signal in STRAYS {
        // Where that is refused the default remains.
        let _ = flag::register(signal, Arc::<AtomicBool>::default());
    }
}

/// Whether a signal is one that whoever started this process wants it to ignore, as `nohup` does. Where that is not known it
/// may be.
#[expect(clippy::disallowed_methods, reason = "the kernel answers at once")]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_none_or(|mask| mask >> (signal - 1) & 1 == 1)
}

/// The one that heeds the signals of this process.
static HEEDING: OnceLock<Interrupt> = OnceLock::new();

/// Whether a thread ends the process at a second signal. It does so in order, with the commands that still run; a handler could only
/// end this process alone.
static IS_GUARDED: AtomicBool = AtomicBool::new(false);

/// Says that a thread asks for a second signal from now on.
pub(super) fn guard() {
    IS_GUARDED.store(true, Ordering::SeqCst);
}

/// The status to end with at once, if a signal has come that ends the process at once.
pub(super) fn ends_at_once() -> Option<Exit> {
    let interrupt = HEEDING.get()?;
    // It is looked at so often that the next signal counts as a second one soon enough.
    interrupt.since();
    let is_next = interrupt.0.is_last.load(Ordering::SeqCst) && interrupt.0.has_come.swap(false, Ordering::SeqCst);
    if is_next { interrupt.exit() } else { None }
}

/// Whether somebody wants this process to end, and since when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    /// The code of the status to end with; 0 as long as nobody wants it.
    code: Arc<AtomicUsize>,
    since: OnceLock<Instant>,
    /// Whether a signal ends the process at once.
    is_last: AtomicBool,
    /// The same, where its handler must do so.
    is_last_for_handler: Arc<AtomicBool>,
    /// Whether a signal has come since then.
    has_come: Arc<AtomicBool>,
}

impl Interrupt {
    /// Heeds signals from now on. A second one, half a second later or more, ends the process at once, with 128 and its
    /// number; but not SIGXCPU, which the system repeats every second.
    ///
    /// # Errors
    /// The system's reason if no handler can be set.
    pub(crate) fn watch() -> io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        for signal in unusual() {
            // Where one is refused, as on a system that numbers them in another way, its default remains.
            let _ = flag::register_usize(signal, Arc::clone(&interrupt.0.code), usize::from(Exit::Terminated.code()));
        }
        for (signal, exit) in SIGNALS {
            if signal == SIGHUP && is_ignored(signal) {
                continue;
            }
            if signal != SIGXCPU {
                let is_last = Arc::clone(&interrupt.0.is_last_for_handler);
                flag::register_conditional_shutdown(signal, i32::from(exit.code()), is_last)?;
                flag::register(signal, Arc::clone(&interrupt.0.has_come))?;
            }
            flag::register_usize(signal, Arc::clone(&interrupt.0.code), usize::from(exit.code()))?;
        }
        let _ = HEEDING.set(interrupt.clone());
        Ok(interrupt)
    }

    /// The same; where that is refused, signals end the process at once, and the log says so.
    pub(crate) fn watch_or_warn() -> Interrupt {
        Interrupt::watch().unwrap_or_else(|error| {
            log::warn!("signals end this run at once: {}", text::io_error(&error));
            Interrupt::default()
        })
    }

    /// The status to end with, if somebody wants this process to end.
    pub(crate) fn exit(&self) -> Option<Exit> {
        let code = self.0.code.load(Ordering::SeqCst);
        SIGNALS.iter().map(|(_, exit)| *exit).find(|exit| usize::from(exit.code()) == code)
    }

    /// When the first signal was noticed; none if there was no signal.
    pub(crate) fn since(&self) -> Option<Instant> {
        let since = self.exit().map(|_| *self.0.since.get_or_init(Instant::now))?;
        if since.elapsed() >= ECHO {
            self.end_at_once();
        }
        Some(since)
    }

    /// Call this when only printing is left. From then on the next signal ends the process immediately.
    pub(crate) fn end_at_once(&self) {
        if !self.0.is_last.load(Ordering::SeqCst) {
            // Those that have come until now are the first one.
            self.0.has_come.store(false, Ordering::SeqCst);
            self.0.is_last_for_handler.store(!IS_GUARDED.load(Ordering::SeqCst), Ordering::SeqCst);
            self.0.is_last.store(true, Ordering::SeqCst);
        }
    }

    /// Call this when the report and the exit code are out. Signals no longer change how the process ends; that takes
    /// milliseconds, and the watchdog bounds it.
    pub(crate) fn end_as_reported(&self) {
        self.0.is_last.store(false, Ordering::SeqCst);
        self.0.is_last_for_handler.store(false, Ordering::SeqCst);
    }

    #[cfg(test)]
    pub(crate) fn raise(&self, exit: Exit) {
        self.0.code.store(usize::from(exit.code()), Ordering::SeqCst);
    }
}

/// A time until which something may take, and how long it may still take once the process is to end.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    grace: Duration,
    interrupt: Interrupt,
}

impl Deadline {
    /// Until `at`; from a signal on for `grace` at the most.
    pub(crate) fn new(at: Instant, grace: Duration, interrupt: &Interrupt) -> Deadline {
        Deadline { at, grace, interrupt: interrupt.clone() }
    }

    /// For so long from now, whatever signal comes.
    pub(crate) fn within(time: Duration) -> Deadline {
        Deadline::new(Instant::now() + time, time, &Interrupt::default())
    }

    /// The same, but `at` at the latest.
    pub(crate) fn or_at(&self, at: Instant) -> Deadline {
        Deadline { at: self.at.min(at), ..self.clone() }
    }

    /// Until `at` instead, and `least` from now even after a signal: for what must not be left half done.
    pub(crate) fn extended_to(&self, at: Instant, least: Duration) -> Deadline {
        let grace = self.interrupt.since().map_or(self.grace, |since| self.grace.max(since.elapsed() + least));
        Deadline { at, grace, ..self.clone() }
    }

    /// The time, as it stands now.
    pub(crate) fn at(&self) -> Instant {
        self.interrupt.since().map_or(self.at, |since| self.at.min(since + self.grace))
    }

    /// What is left.
    pub(crate) fn left(&self) -> Duration {
        self.at().saturating_duration_since(Instant::now())
    }

    /// Whether somebody wants this process to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.exit().is_some()
    }

    /// Waits for so long. False if there is not so much time, at once or as soon as a signal takes it.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
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
    pub(crate) fn receive<T>(&self, from: &Receiver<T>) -> Result<T, RecvTimeoutError> {
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
