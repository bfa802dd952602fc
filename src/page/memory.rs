//! What the values of an evaluation hold, counted from the moment they are made until they are dropped, and how much that may be.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::stop::{Stop, stop};
use crate::process::address_space;

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
/// Bytes by which the resident memory of the process may grow from before the first large evaluation. This bounds what the interpreter keeps
/// beside values, and is more than values may hold, as other threads work meanwhile.
const MOST_GROWTH: usize = 72 * MIB;
thread_local! {
    /// Bytes that the values of this thread hold.
    static HELD: Cell<usize> = const { Cell::new(0) };
    static ALLOWANCE: Cell<Allowance> = const { Cell::new(LARGE) };
    /// Whether something runs on this thread that can be stopped.
    static IS_HEEDED: Cell<bool> = const { Cell::new(false) };
    /// Whether an evaluation was stopped because it needs the large allowance.
    static HAS_OUTGROWN: Cell<bool> = const { Cell::new(false) };
    /// The resident memory of the process without what this large evaluation takes, in bytes.
    static RESIDENT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Bytes that something holds, counted on its thread until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(u32);

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
        let most = ALLOWANCE.get().bytes;
        if held > most && IS_HEEDED.get() {
            outgrow(Stop::Memory(most));
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

/// Whether the evaluation on this thread has the small allowance.
pub(super) fn is_small() -> bool {
    ALLOWANCE.get().bytes == SMALL.bytes
}

/// Ends the evaluation: with the large allowance for this reason, and with the small one to begin again.
pub(super) fn outgrow(why: Stop) -> ! {
    if is_small() {
        HAS_OUTGROWN.set(true);
    }
    stop(why)
}

/// Whether the evaluation that was stopped begins again with the large allowance.
pub(super) fn has_outgrown() -> bool {
    HAS_OUTGROWN.get()
}

/// Says whether something runs on this thread that can be stopped.
pub(super) fn heed(is_heeded: bool) {
    IS_HEEDED.set(is_heeded);
}

/// Ends a large evaluation if the whole process has grown too much since it began.
pub(super) fn look_at_process() {
    if let Some(before) = RESIDENT.get()
        && address_space::resident().is_some_and(|now| now > before + MOST_GROWTH)
    {
        stop(Stop::Memory(ALLOWANCE.get().bytes));
    }
}

/// The large allowance, as far as the address space of this process reaches: half of it is for lists that grow.
fn large() -> Allowance {
    let most = address_space::free_space().map_or(usize::MAX, |free| (free / 2).max(SMALL.bytes + 1));
    Allowance { bytes: LARGE.bytes.min(most), ..LARGE }
}

/// The least resident memory of the process when a large evaluation began, in bytes. What an allocator keeps of an earlier one is
/// there for the next.
static BEFORE: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Puts an allowance back, also when it is dropped by unwinding.
struct Restore(Allowance);

impl Drop for Restore {
    fn drop(&mut self) {
        ALLOWANCE.set(self.0);
    }
}

/// Works with the small allowance; none if that was not enough.
pub(super) fn with_small<T>(work: impl FnOnce() -> T) -> Option<T> {
    HAS_OUTGROWN.set(false);
    let restore = Restore(ALLOWANCE.replace(SMALL));
    let result = work();
    drop(restore);
    (!HAS_OUTGROWN.take()).then_some(result)
}

/// Works with the large allowance, which nobody else may have meanwhile.
pub(super) fn with_large<T>(work: impl FnOnce() -> T) -> T {
    let now = address_space::resident();
    RESIDENT.set(now.map(|now| BEFORE.fetch_min(now, Ordering::Relaxed).min(now)));
    let restore = Restore(ALLOWANCE.replace(large()));
    let result = work();
    drop(restore);
    RESIDENT.set(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::evaluate;
    use crate::page::meter::{Bounds, Order, metered};

    #[test]
    fn what_outgrows_the_small_allowance_begins_again_with_the_large_one() {
        let count = AtomicUsize::new(0);
        let hold = |bytes: usize| {
            let work = || {
                count.fetch_add(1, Ordering::SeqCst);
                metered(&Bounds::new(), Order::Given, || Held::of(bytes).0 as usize)
            };
            evaluate(b"{}", work).unwrap()
        };
        for (bytes, want, times) in [
            (1000, Ok(1000), 1),
            (SMALL.bytes + 1, Ok(SMALL.bytes + 1), 2),
            (LARGE.bytes, Ok(LARGE.bytes), 2),
            (LARGE.bytes + 1, Err(Stop::Memory(LARGE.bytes)), 2),
        ] {
            count.store(0, Ordering::SeqCst);
            assert_eq!((hold(bytes), count.load(Ordering::SeqCst)), (want, times), "{bytes}");
            assert_eq!(HELD.get(), 0);
        }
    }
}
