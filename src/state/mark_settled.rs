//! Marks what became of messages while a run is still telling others, so that a run that dies repeats little.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use super::finish::keep;
use super::worker::Job;
use super::{DeliveryRecord, Run};
use crate::decide::Telling;

/// The longest wait for other writers.
const WAIT: Duration = Duration::from_secs(1);

/// Marks what became of messages. A store that has failed, or was waited for in vain, is not waited for again: the end of the run marks all
/// of it once more.
pub(crate) struct DeliveryKeeper {
    /// Weak, so that a thread that hangs does not keep the store from being closed.
    jobs: Weak<mpsc::Sender<Job>>,
    run: Run,
    alerts: Arc<[Telling]>,
    state: Arc<Marking>,
}

#[derive(Default)]
struct Marking {
    /// How many marks the store has not written yet.
    under_way: AtomicUsize,
    has_failed: AtomicBool,
    /// Whether it was waited for in vain.
    is_slow: AtomicBool,
}

impl DeliveryKeeper {
    /// What marks these alerts of a run.
    pub(super) fn new(jobs: Weak<mpsc::Sender<Job>>, run: Run, alerts: Arc<[Telling]>) -> DeliveryKeeper {
        DeliveryKeeper { jobs, run, alerts, state: Arc::default() }
    }

    /// Marks what became of alerts, which are known by their positions among those that are told, and waits so long for that at the
    /// most. Without such a time it waits for nothing, and a store that is busy with a mark gets no other one. False if they may
    /// not be marked.
    pub(crate) fn keep(&self, settled: impl Iterator<Item = DeliveryRecord>, patience: Duration) -> bool {
        let flag = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
        let is_busy = match patience.is_zero() {
            true => self.state.under_way.load(Ordering::SeqCst) > 0,
            false => flag(&self.state.is_slow),
        };
        if is_busy || flag(&self.state.has_failed) {
            return false;
        }
        let settled: Vec<(DeliveryRecord, _)> =
            settled.filter_map(|record| Some((record.clone(), self.alerts.get(record.alert)?.alert.clone()))).collect();
        let (run, state) = (self.run.clone(), Arc::clone(&self.state));
        let (sender, written) = mpsc::channel();
        let job: Job = Box::new(move |engine| {
            if let Err(error) = engine.try_once(&|database, _| keep(database, &run, &settled, WAIT)) {
                log::debug!("what became of messages is not marked before the end of the run: {}", error.message);
                state.has_failed.store(true, Ordering::SeqCst);
            }
            state.under_way.fetch_sub(1, Ordering::SeqCst);
            // Nobody listens who does not wait.
            let _ = sender.send(!flag(&state.has_failed));
        });
        self.state.under_way.fetch_add(1, Ordering::SeqCst);
        if self.jobs.upgrade().is_none_or(|jobs| jobs.send(job).is_err()) {
            return false;
        }
        if patience.is_zero() {
            return true;
        }
        let is_written = written.recv_timeout(patience);
        self.state.is_slow.fetch_or(is_written.is_err(), Ordering::SeqCst);
        is_written.unwrap_or(false)
    }
}
