//! What evaluations may hold of the process's memory, those of all workers together.
//!
//! Each value counts from the moment it is made until it is dropped. An evaluation begins with a small allowance, as nearly all
//! need no more. One that outgrows it is stopped and begins again with a large allowance, which only one evaluation of the whole
//! process has at a time; the others wait. It runs on a thread of its own, because an allocator keeps freed memory for the
//! thread that had it, and 20 workers would keep 20 times as much.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::stop::Stop;
use super::{memory, meter};
use crate::process::clock;

/// An answer of more bytes is not tried with the small allowance.
const SMALL_ANSWER: usize = 64 * 1024;
/// Stack of the thread of a large evaluation, in bytes: as much as a worker has.
const STACK: usize = 2 * 1024 * 1024;

/// Who has the large allowance and who waits for it, by numbers, in the order in which they came.
static LINE: Mutex<VecDeque<u64>> = Mutex::new(VecDeque::new());
static NUMBERS: AtomicU64 = AtomicU64::new(0);
static CHANGED: Condvar = Condvar::new();

/// The large allowance, until it is dropped.
struct Turn;

impl Turn {
    /// Waits for the large allowance; none if others have it for all of that time.
    fn wait(until: Instant) -> Option<Turn> {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
        line.push_back(number);
        // First come, first served: one that asks again and again would otherwise keep it from those that need it once.
        while line.front() != Some(&number) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                line.retain(|waiting| *waiting != number);
                CHANGED.notify_all();
                return None;
            }
            line = CHANGED.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(Turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        LINE.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        CHANGED.notify_all();
    }
}

/// Reads an answer and evaluates what is wanted of it within the memory that all evaluations share. The work may be done twice,
/// so it must change nothing.
///
/// # Errors
/// Other evaluations had the memory that this one needs for all of its time, or a defect of the program.
pub(crate) fn evaluate<T: Send>(answer: &[u8], work: impl Fn() -> T + Sync) -> Result<T, Stop> {
    if answer.len() <= SMALL_ANSWER {
        let (begin, before) = (Instant::now(), clock::processor_time());
        let result = memory::with_small(&work);
        meter::note(begin.elapsed(), clock::processor_time().saturating_sub(before));
        if let Some(result) = result {
            return Ok(result);
        }
    }
    let ends = meter::ends();
    let _turn = Turn::wait(ends).ok_or(Stop::Crowded)?;
    let begin = Instant::now();
    let (result, worked) = on_own_thread(ends, &work)?;
    meter::note(begin.elapsed(), worked);
    Ok(result)
}

/// Works on a thread of its own, or on this one where the system gives none. Gives the time that the processor worked, too.
fn on_own_thread<T: Send>(ends: Instant, work: &(impl Fn() -> T + Sync)) -> Result<(T, Duration), Stop> {
    let evaluate = || {
        let before = clock::processor_time();
        let result = meter::within(ends, || memory::with_large(work)).0;
        (result, clock::processor_time().saturating_sub(before))
    };
    thread::scope(|scope| {
        match thread::Builder::new().name("evaluation".to_owned()).stack_size(STACK).spawn_scoped(scope, evaluate) {
            Ok(worker) => worker.join().map_err(|_| Stop::Defect),
            Err(_) => Ok(evaluate()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
