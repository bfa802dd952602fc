//! How much of the CPU time that the system grants this process evaluations may take (`ulimit -t`). When that is used up the
//! process is killed, so greedy expressions must leave enough for the other ones, and for telling what is wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::process::clock;
use crate::process::limits::{self, CpuLimits};

/// Whether what was read is being told, so that nothing is left for reading.
static IS_TELLING: AtomicBool = AtomicBool::new(false);

/// From now on evaluations are part of telling, which may take what reading has left.
pub(crate) fn begin_telling() {
    IS_TELLING.store(true, Ordering::Relaxed);
}

/// The CPU times at which an evaluation must be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Of all threads together, since the process began.
    process: Duration,
    /// Of its own thread.
    thread: Duration,
}

impl Share {
    /// The share of an evaluation that begins now; none if nothing limits it. A large one may take more for itself, and ends when
    /// there is still something left for small ones.
    pub(super) fn of_evaluation(is_large: bool) -> Option<Share> {
        let (process, own) = share(limits::cpu()?, IS_TELLING.load(Ordering::Relaxed), is_large)?;
        Some(Share { process, thread: clock::processor_time() + own })
    }

    pub(super) fn is_used_up(self) -> bool {
        clock::processor_time() > self.thread || clock::processor_time_of_all() > self.process
    }
}

/// Until which CPU time of the process an evaluation may work, and how much it may take for itself. Reading keeps to the limit at
/// which the process is asked to end, and telling to the one at which it is killed.
fn share(limits: CpuLimits, is_telling: bool, is_large: bool) -> Option<(Duration, Duration)> {
    let all = if is_telling { limits.hard? } else { limits.soft };
    Some(match (is_telling, is_large) {
        (false, true) => (all / 2, all / 10),
        (false, false) => (all * 3 / 4, all / 100),
        (true, true) => (all * 3 / 4, all / 10),
        (true, false) => (all * 7 / 8, all / 20),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_evaluations_leave_something_for_small_ones_and_reading_for_telling() {
        for seconds in [1, 2, 5, 60, 3600] {
            let hard = Duration::from_secs(seconds);
            let limits = CpuLimits { soft: hard / 2, hard: Some(hard) };
            let end = |is_telling, is_large| share(limits, is_telling, is_large).unwrap();
            let (large, small) = (end(false, true), end(false, false));
            assert!(large.0 < small.0 && small.0 < limits.soft && small.1 < large.1, "{seconds}");
            let (telling, last) = (end(true, true), end(true, false));
            assert!(small.0 < telling.0 && telling.0 < last.0 && last.0 < hard, "{seconds}");
        }
        let endless = CpuLimits { soft: Duration::from_secs(2), hard: None };
        assert_eq!(share(endless, true, true), None, "nothing kills the process");
    }
}
