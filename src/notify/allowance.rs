//! How much of the processor's time the expressions of the channels' pages may take in one run.
//!
//! All pages share a part of the time for telling, so that a page whose expressions take long leaves time for the other channels,
//! for the memory of the run and for its report. When that is used up, each channel still has a little of its own.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::page;

/// All pages share the time for telling without this part of it.
const PART_KEPT: u32 = 4;
/// The share that is split evenly among the channels, so that each gets some.
const PART_OF_OWN: u32 = 8;

/// What all pages share.
#[derive(Clone)]
pub(super) struct Pool {
    most: Duration,
    own: Duration,
    /// In nanoseconds.
    spent: Arc<AtomicU64>,
    /// When nothing is evaluated any more.
    ends: Instant,
}

/// What one channel may spend.
pub(super) struct Allowance {
    pool: Pool,
    spent: Cell<Duration>,
}

impl Pool {
    /// The part of the time for telling that so many channels have for their expressions.
    pub(super) fn new(time: Duration, channels: usize) -> Pool {
        let channels = u32::try_from(channels.max(1)).unwrap_or(u32::MAX);
        Pool {
            most: time - time / PART_KEPT,
            own: time / PART_OF_OWN / channels,
            spent: Arc::default(),
            ends: Instant::now() + time,
        }
    }

    /// What one of the channels may spend.
    pub(super) fn allowance(&self) -> Allowance {
        Allowance { pool: self.clone(), spent: Cell::default() }
    }

    fn left(&self) -> Duration {
        self.most.saturating_sub(Duration::from_nanos(self.spent.load(Ordering::Relaxed)))
    }
}

impl Allowance {
    fn left(&self) -> Duration {
        self.pool.left().max(self.pool.own.saturating_sub(self.spent.get()))
    }

    /// Whether anything more may be evaluated.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if !self.left().is_zero() && Instant::now() < self.pool.ends {
            return Ok(());
        }
        let (spent, all) = (text::seconds(self.spent.get()), text::seconds(self.pool.most));
        let why = format!(
            "not sent: the expressions of its page have taken {spent} s, and those of all channels have {all} s in this run"
        );
        Err(Failure::lasting(Reason::Timeout, why))
    }

    /// Does what evaluates expressions, within what is left.
    pub(super) fn spend<T>(&self, work: impl FnOnce() -> T) -> T {
        let until = self.pool.ends.min(Instant::now() + self.left());
        let (result, worked) = page::worked(|| page::within(until, work).0);
        self.spent.set(self.spent.get() + worked);
        self.pool.spent.fetch_add(u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::evaluate;
    use crate::process::clock::processor_time;

    /// Evaluates until nothing more may be, and gives how often.
    fn use_up(allowance: &Allowance) -> usize {
        let evaluation = || {
            // An evaluation that works for a while, whatever else the machine does.
            let work = || {
                let begin = processor_time();
                while processor_time().saturating_sub(begin) < Duration::from_millis(5) {}
            };
            evaluate(b"1", work).unwrap();
        };
        let mut turns = 0;
        while allowance.check().is_ok() {
            allowance.spend(evaluation);
            turns += 1;
        }
        turns
    }

    #[test]
    fn one_page_takes_three_quarters_of_the_time_at_the_most_and_leaves_the_others_their_own() {
        let pool =
            Pool { ends: Instant::now() + Duration::from_secs(3600), ..Pool::new(Duration::from_millis(200), 4) };
        let (hog, good) = (pool.allowance(), pool.allowance());
        let turns = use_up(&hog);
        assert!((24..=30).contains(&turns), "{turns}");
        let refused = hog.check().unwrap_err();
        assert_eq!(refused.reason, Reason::Timeout);
        assert!(refused.message.contains("those of all channels have 0.15 s"), "{}", refused.message);
        let turns = use_up(&good);
        assert!((1..=2).contains(&turns), "{turns}");
    }

    #[test]
    fn nothing_is_evaluated_after_the_time_for_telling() {
        let pool = Pool::new(Duration::from_secs(60), 1);
        assert!(pool.allowance().check().is_ok());
        let pool = Pool { ends: Instant::now(), ..pool };
        assert!(pool.allowance().check().is_err());
    }
}
