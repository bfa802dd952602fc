//! Standard error and standard output. Who reads them may be slow, or not read at all, and that never holds a run back.
//!
//! What goes to standard error is handed to a thread of its own, in order; who has something to say goes on at once. As long
//! as the reader takes anything, nothing is lost: a full queue makes the speaker wait. A reader that takes nothing costs the
//! run a quarter of a second once, and then the lines that find no place. Where the system gives no thread, the speaker writes
//! himself, as far as it does not make him wait.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anstream::AutoStream;
use rustix::event::PollFlags;
use rustix::fs::OFlags;

use super::{background, file};
use crate::process::interrupt::Deadline;

/// Bytes of the log that wait for their reader at the most; what is no log may take as much again.
const MOST_WAITING: usize = 1024 * 1024;
/// A reader that takes nothing for so long has stopped reading.
const PATIENCE: Duration = Duration::from_millis(250);

/// Writes one line. It may hang.
type Work = Box<dyn FnOnce() -> io::Result<()> + Send>;

struct Line {
    write: Work,
    size: usize,
    /// Who wants to know whether it was taken.
    asker: Option<mpsc::Sender<io::Result<()>>>,
}

#[derive(Default)]
struct Pending {
    lines: VecDeque<Line>,
    waiting: usize,
    /// Lines that were written, or tried.
    written: u64,
    is_writing: bool,
    has_stopped: bool,
    lost: usize,
    writer: Writer,
}

/// Who writes the lines.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Writer {
    #[default]
    NotStarted,
    Thread,
    Speaker,
}

#[derive(Default)]
struct Queue {
    state: Mutex<Pending>,
    changed: Condvar,
}

static QUEUE: LazyLock<Queue> = LazyLock::new(Queue::default);

/// Hands a line to standard error. `is_urgent` is what is no log: it finds a place where the log has none left.
pub(crate) fn say(text: Vec<u8>, is_urgent: bool) {
    let size = text.len();
    QUEUE.push(Line { write: Box::new(move || write(&text)), size, asker: None }, is_urgent);
}

/// As [`say`]; `write` makes the line when its turn comes.
pub(crate) fn say_with(size: usize, is_urgent: bool, write: impl FnOnce() -> io::Result<()> + Send + 'static) {
    QUEUE.push(Line { write: Box::new(write), size, asker: None }, is_urgent);
}

/// Writes to standard error and waits until it is taken.
///
/// # Errors
/// The system's reason, or that it was not taken in time, or that nobody can read it.
pub(crate) fn say_within(text: Vec<u8>, until: &Deadline) -> io::Result<()> {
    if was_closed(io::stderr()) {
        return Err(io::Error::other("it was closed when the program began"));
    }
    let (asker, answer) = mpsc::channel();
    let size = text.len();
    QUEUE.push(Line { write: Box::new(move || write(&text)), size, asker: Some(asker) }, true);
    if QUEUE.lock().writer == Writer::Speaker {
        QUEUE.write_here(until.at());
    }
    until.receive(&answer).unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it")))
}

/// Writes progress output, unless standard error is backed up; then it is dropped.
pub(crate) fn show(text: &str) {
    if QUEUE.lock().waiting < 4096 {
        say(text.as_bytes().to_vec(), false);
    }
}

/// Waits until all is written that was said, or the time is over. Gives the number of lines that were lost since the last
/// time, if all others are written.
pub(crate) fn flush(until: Instant) -> usize {
    if QUEUE.lock().writer == Writer::Speaker {
        QUEUE.write_here(until);
    }
    let mut state = QUEUE.lock();
    while !state.lines.is_empty() || state.is_writing {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return 0;
        }
        state = QUEUE.wait(state, left);
    }
    std::mem::take(&mut state.lost)
}

/// Writes to standard output, with colours only where they are wanted.
///
/// # Errors
/// The system's reason, or that nobody took it in time.
pub(crate) fn print(text: &str, until: Instant) -> io::Result<()> {
    let stdout = io::stdout();
    let mut rendered = AutoStream::new(Vec::new(), AutoStream::choice(&stdout));
    rendered.write_all(text.as_bytes())?;
    file::fill(&stdout, &rendered.into_inner(), until)
}

/// The characters in a line of the terminal that standard output is; none if it is no terminal.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout));
    // One that does not know its size has the usual one.
    size.map(|size| size.map_or(0, |size| usize::from(size.ws_col))).map(|width| if width == 0 { 80 } else { width })
}

/// Whether standard error refuses what it cannot take at once, because somebody who shares it has set it so.
pub(crate) fn may_refuse() -> bool {
    rustix::fs::fcntl_getfl(io::stderr()).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
}

/// Whether a stream was closed when the program began: the library of the language puts the null device there, open for reading as
/// well, which a shell's `2>/dev/null` is not.
fn was_closed(stream: impl AsFd) -> bool {
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    let is_null = rustix::fs::fstat(&stream).map(|here| here.st_rdev) == null;
    is_null && rustix::fs::fcntl_getfl(&stream).is_ok_and(|flags| flags.contains(OFlags::RDWR))
}

/// Writes to standard error and waits without end: only the thread that may hang does so, or who knows that it will not.
///
/// # Errors
/// The system's reason.
pub(crate) fn write(text: &[u8]) -> io::Result<()> {
    let far = Instant::now() + Duration::from_secs(100 * 86_400);
    file::fill(&io::stderr(), text, far)
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, Pending>, time: Duration) -> MutexGuard<'a, Pending> {
        self.changed.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }

    fn push(&self, line: Line, is_urgent: bool) {
        let most = if is_urgent { 2 * MOST_WAITING } else { MOST_WAITING };
        let mut state = self.lock();
        while state.waiting.saturating_add(line.size) > most && !state.lines.is_empty() {
            if state.has_stopped || state.writer == Writer::Speaker {
                state.lost += 1;
                return;
            }
            let (written, until) = (state.written, Instant::now() + PATIENCE);
            while state.written == written && Instant::now() < until {
                let left = until.saturating_duration_since(Instant::now());
                state = self.wait(state, left);
            }
            state.has_stopped = state.written == written;
        }
        state.waiting += line.size;
        state.lines.push_back(line);
        if state.writer == Writer::NotStarted {
            state.writer = match background::start("log", || QUEUE.write_all()) {
                Ok(()) => Writer::Thread,
                Err(_) => Writer::Speaker,
            };
        }
        let writer = state.writer;
        drop(state);
        self.changed.notify_all();
        if writer == Writer::Speaker {
            self.write_here(Instant::now());
        }
    }

    /// The thread's work.
    fn write_all(&self) {
        loop {
            let mut state = self.lock();
            while state.lines.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            self.write_first(state);
        }
    }

    /// Writes as many lines as standard error takes until then. One speaker at a time does so.
    fn write_here(&self, until: Instant) {
        loop {
            let state = self.lock();
            if state.lines.is_empty() || state.is_writing {
                return;
            }
            drop(state);
            if !file::wait(&io::stderr(), PollFlags::OUT, until) {
                return;
            }
            let state = self.lock();
            if !state.is_writing {
                self.write_first(state);
            }
        }
    }

    fn write_first(&self, mut state: MutexGuard<'_, Pending>) {
        let Some(line) = state.lines.pop_front() else {
            return;
        };
        state.is_writing = true;
        drop(state);
        // A record that cannot be worded must not end the log.
        let result = catch_unwind(AssertUnwindSafe(line.write)).unwrap_or(Ok(()));
        if let Some(asker) = line.asker {
            // Who asked may have gone on.
            let _ = asker.send(result);
        }
        let mut state = self.lock();
        state.is_writing = false;
        state.has_stopped = false;
        state.written += 1;
        state.waiting = state.waiting.saturating_sub(line.size);
        drop(state);
        self.changed.notify_all();
    }
}
