//! Marks what channels have taken while a run is still telling others, so that a run that dies repeats little.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use super::finish::keep;
use super::worker::Job;
use super::{DeliveryRecord, Run};
use crate::decide::Telling;

/// The longest wait for other writers.
const WAIT: Duration = Duration::from_secs(1);

/// Marks what was taken. Nobody waits for it, and a store that is busy with one mark, or has failed, gets no other one: the end of
/// the run marks all of it again.
pub(crate) struct DeliveryKeeper {
    /// Weak, so that a thread that hangs does not keep the store from being closed.
    jobs: Weak<mpsc::Sender<Job>>,
    run: Run,
    is_busy: Arc<AtomicBool>,
}

impl DeliveryKeeper {
    pub(super) fn new(jobs: Weak<mpsc::Sender<Job>>, run: Run) -> DeliveryKeeper {
        DeliveryKeeper { jobs, run, is_busy: Arc::default() }
    }

    /// Marks alerts, by their positions among those that are told, as taken. False if the store does not take it now.
    pub(crate) fn keep(&self, alerts: &[Telling], taken: impl Iterator<Item = DeliveryRecord>) -> bool {
        if self.is_busy.swap(true, Ordering::SeqCst) {
            return false;
        }
        let taken: Vec<(DeliveryRecord, _)> =
            taken.filter_map(|record| Some((record.clone(), alerts.get(record.alert)?.alert.clone()))).collect();
        let (run, is_busy) = (self.run.clone(), Arc::clone(&self.is_busy));
        let job: Job =
            Box::new(move |engine| match engine.try_once(&|database, _| keep(database, &run, &taken, WAIT)) {
                Ok(()) => is_busy.store(false, Ordering::SeqCst),
                Err(error) => log::debug!("what was taken is not marked before the end of the run: {}", error.message),
            });
        self.jobs.upgrade().is_some_and(|jobs| jobs.send(job).is_ok())
    }
}
