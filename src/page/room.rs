//! What evaluations may hold of the process's memory, those of all workers together.
//!
//! Each value counts from the moment it is made until it is dropped. An evaluation begins with a small allowance, as nearly all
//! need no more. One that outgrows it is stopped and begins again with a large allowance, which only one evaluation of the whole
//! process has at a time; the others wait. It runs on a thread of its own, because an allocator keeps freed memory for the
//! thread that had it, and 20 workers would keep 20 times as much.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::meter::{self, Stop};
use crate::process::limits;

/// What one evaluation may use.
#[derive(Clone, Copy)]
struct Allowance {
    /// Bytes that its values hold at the same time.
    bytes: usize,
    /// Steps, as `meter` counts them. They bound what the interpreter itself keeps, which is no value.
    steps: u64,
}

const SMALL: Allowance = Allowance { bytes: 512 * 1024, steps: 20_000 };
const LARGE: Allowance = Allowance { bytes: 64 * MIB, steps: u64::MAX };
const MIB: usize = 1024 * 1024;
/// An answer of more bytes is not tried with the small allowance.
const SMALL_ANSWER: usize = 64 * 1024;
/// Bytes by which the resident memory of the process may grow during a large evaluation. This bounds what the interpreter keeps
/// beside values, and is more than values may hold, as other threads work meanwhile.
const MOST_GROWTH: usize = 80 * MIB;
/// Stack of the thread of a large evaluation, in bytes: as much as a worker has.
const STACK: usize = 2 * MIB;

thread_local! {
    /// Bytes that the values of this thread hold.
    static HELD: Cell<usize> = const { Cell::new(0) };
    static ALLOWANCE: Cell<Allowance> = const { Cell::new(LARGE) };
    /// Whether an evaluation was stopped because it needs the large allowance.
    static HAS_OUTGROWN: Cell<bool> = const { Cell::new(false) };
    /// The resident memory of the process when a large evaluation began, in bytes.
    static RESIDENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Bytes that something holds, counted on its thread until it is dropped.
#[derive(Debug, Default)]
pub(super) struct Held(u32);

impl Held {
    /// Counts so many bytes; ends the evaluation if they are too many.
    pub(super) fn of(bytes: usize) -> Held {
        let mut held = Held::default();
        held.grow(bytes);
        held
    }

    /// Counts so many bytes more; ends the evaluation if they are too many.
    pub(super) fn grow(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(u32::MAX - self.0);
        let held = HELD.get().saturating_add(bytes as usize);
        if held > ALLOWANCE.get().bytes && meter::is_running() {
            outgrow(Stop::Memory);
        }
        HELD.set(held);
        self.0 += bytes;
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Held::of(self.0 as usize)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(HELD.get().saturating_sub(self.0 as usize));
    }
}

/// The steps of one evaluation, of so many at the most.
pub(super) fn steps(most: u64) -> u64 {
    most.min(ALLOWANCE.get().steps)
}

/// Ends the evaluation: with the large allowance for this reason, and with the small one to begin again.
pub(super) fn outgrow(why: Stop) -> ! {
    if ALLOWANCE.get().bytes == SMALL.bytes {
        HAS_OUTGROWN.set(true);
    }
    meter::stop(why)
}

/// Whether the evaluation that was stopped begins again with the large allowance.
pub(super) fn has_outgrown() -> bool {
    HAS_OUTGROWN.get()
}

/// Ends a large evaluation if the whole process has grown too much since it began.
pub(super) fn look_at_process() {
    if let Some(before) = RESIDENT.get()
        && limits::resident().is_some_and(|now| now > before + MOST_GROWTH)
    {
        meter::stop(Stop::Memory);
    }
}

/// The large allowance, as far as the address space of this process reaches: half of it is for lists that grow.
fn large() -> Allowance {
    let most = limits::free_space().map_or(usize::MAX, |free| (free / 2).max(SMALL.bytes + 1));
    Allowance { bytes: LARGE.bytes.min(most), ..LARGE }
}

/// Whether some evaluation has the large allowance.
static IS_TAKEN: Mutex<bool> = Mutex::new(false);
static CHANGED: Condvar = Condvar::new();

/// The large allowance, until it is dropped.
struct Turn;

impl Turn {
    /// Waits for the large allowance; none if others have it for all of that time.
    fn wait(until: Instant) -> Option<Turn> {
        let mut is_taken = IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_taken {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            is_taken = CHANGED.wait_timeout(is_taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *is_taken = true;
        Some(Turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = false;
        CHANGED.notify_one();
    }
}

/// Puts an allowance back, also when it is dropped by unwinding.
struct Restore(Allowance);

impl Drop for Restore {
    fn drop(&mut self) {
        ALLOWANCE.set(self.0);
    }
}

/// Reads an answer and evaluates what is wanted of it within the memory that all evaluations share. The work may be done twice,
/// so it must change nothing.
///
/// # Errors
/// Other evaluations had the memory that this one needs for all of its time, or a defect of the program.
pub(crate) fn evaluate<T: Send>(answer: &[u8], work: impl Fn() -> T + Sync) -> Result<T, Stop> {
    if answer.len() <= SMALL_ANSWER {
        let begin = Instant::now();
        HAS_OUTGROWN.set(false);
        let restore = Restore(ALLOWANCE.replace(SMALL));
        let result = work();
        drop(restore);
        meter::note(begin.elapsed());
        if !HAS_OUTGROWN.take() {
            return Ok(result);
        }
    }
    let ends = meter::ends();
    let _turn = Turn::wait(ends).ok_or(Stop::Crowded)?;
    let begin = Instant::now();
    let result = on_own_thread(ends, &work);
    meter::note(begin.elapsed());
    result
}

/// Works on a thread of its own, or on this one where the system gives none.
fn on_own_thread<T: Send>(ends: Instant, work: &(impl Fn() -> T + Sync)) -> Result<T, Stop> {
    let evaluate = || {
        RESIDENT.set(limits::resident());
        let restore = Restore(ALLOWANCE.replace(large()));
        let (result, _) = meter::within(ends, work);
        drop(restore);
        RESIDENT.set(None);
        result
    };
    thread::scope(|scope| {
        match thread::Builder::new().name("evaluation".to_owned()).stack_size(STACK).spawn_scoped(scope, evaluate) {
            Ok(worker) => worker.join().map_err(|_| Stop::Defect),
            Err(_) => Ok(evaluate()),
        }
    })
}

/// The most memory of one evaluation, for messages.
pub(super) fn most_memory() -> String {
    format!("{} MiB", ALLOWANCE.get().bytes / MIB)
}

/// Before a large evaluation begins, others have their turn for so long at the least.
pub(super) const LEAST_TIME: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outgrows_the_small_allowance_begins_again_with_the_large_one() {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let hold = |bytes: usize| {
            let work = || {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                meter::metered(|| Held::of(bytes).0 as usize)
            };
            evaluate(b"{}", work).unwrap()
        };
        for (bytes, want, times) in [
            (1000, Ok(1000), 1),
            (SMALL.bytes + 1, Ok(SMALL.bytes + 1), 2),
            (LARGE.bytes, Ok(LARGE.bytes), 2),
            (LARGE.bytes + 1, Err(Stop::Memory), 2),
        ] {
            count.store(0, std::sync::atomic::Ordering::SeqCst);
            assert_eq!((hold(bytes), count.load(std::sync::atomic::Ordering::SeqCst)), (want, times), "{bytes}");
            assert_eq!(HELD.get(), 0);
        }
    }

    #[test]
    fn large_evaluations_wait_for_each_other() {
        let at_once = Mutex::new((0, 0));
        let work = || {
            let mut counts = at_once.lock().unwrap();
            counts.0 += 1;
            counts.1 = counts.1.max(counts.0);
            drop(counts);
            thread::sleep(Duration::from_millis(5));
            at_once.lock().unwrap().0 -= 1;
        };
        let answer = vec![b' '; SMALL_ANSWER + 1];
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| evaluate(&answer, work).unwrap());
            }
        });
        assert_eq!(*at_once.lock().unwrap(), (0, 1));
    }
}
