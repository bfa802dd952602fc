//! Marks mails that are about to be read, so that one that ends the process costs one run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::readings;
use super::worker::Job;
use crate::check::mailbox::scan::Mark;
use crate::model::identity::Identity;

/// Longest wait for a mark of what is about to be read; after that a run goes on without.
const MARK_WAIT: Duration = Duration::from_secs(1);

/// Marks what is about to be read. A store that fails is not asked again: nothing waits for it a second time.
#[derive(Clone)]
pub(crate) struct MailMarker {
    /// Weak, so that a thread that hangs does not keep the store from being closed.
    jobs: Weak<mpsc::Sender<Job>>,
    has_failed: Arc<AtomicBool>,
}

impl MailMarker {
    pub(super) fn new(jobs: Weak<mpsc::Sender<Job>>) -> MailMarker {
        MailMarker { jobs, has_failed: Arc::default() }
    }

    /// Writes a mark, and waits for that a bounded time.
    pub(crate) fn mark(&self, mailbox: Identity, mark: Mark) {
        if self.has_failed.load(Ordering::Relaxed) {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let job: Job = Box::new(move |engine| {
            // Nobody listens any more after the wait.
            let _ =
                sender.send(engine.try_once(&|database, _| readings::mark_mails(database, mailbox, mark, MARK_WAIT)));
        });
        let is_asked = self.jobs.upgrade().is_some_and(|jobs| jobs.send(job).is_ok());
        let is_marked = is_asked && receiver.recv_timeout(MARK_WAIT + MARK_WAIT / 4).is_ok_and(|result| result.is_ok());
        if !is_marked && !self.has_failed.swap(true, Ordering::Relaxed) {
            log::info!("mails are read without a mark in the memory of runs, which does not take it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::process::clock::Clock;
    use crate::process::interrupt::Deadline;
    use crate::state::location::Place;
    use crate::state::wait::LONGEST_WAIT;
    use crate::state::{Access, Store};

    const MARK: Mark = Mark { validity: 7, first: 1, last: 9, is_alone: false };

    fn marks(path: &Path) -> i64 {
        let file = rusqlite::Connection::open(path).unwrap();
        file.query_row("SELECT count(*) FROM mail_marks", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_store_that_hangs_holds_a_scan_once_and_briefly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let until = Deadline::within(LONGEST_WAIT);
        let open = || {
            Store::open(
                &Place::File(path.clone()),
                Access::Write,
                &Arc::default(),
                Clock::default(),
                &until,
                &mut Vec::new(),
            )
        };
        let store = open().unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let marker = store.marker();
        let (sender, receiver) = mpsc::channel();
        let asked = marker.clone();
        std::thread::spawn(move || {
            asked.mark(Identity(1), MARK);
            assert!(asked.has_failed.load(Ordering::Relaxed));
            for mailbox in 0..1000 {
                asked.mark(Identity(mailbox), MARK);
            }
            sender.send(()).unwrap();
        });
        receiver.recv_timeout(LONGEST_WAIT).expect("all thousand together take no longer than one");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(marks(&path), 0);
        // One that works takes it.
        let store = {
            drop(store);
            open().unwrap()
        };
        let marker = store.marker();
        marker.mark(Identity(1), MARK);
        marker.mark(Identity(1), Mark { last: 10, ..MARK });
        marker.mark(Identity(2), MARK);
        assert_eq!(marks(&path), 2);
        // A thread that has it keeps nobody from closing the store, and does no harm afterwards.
        store.close(&until);
        assert!(marker.jobs.upgrade().is_none());
        marker.mark(Identity(3), MARK);
        assert_eq!(marks(&path), 2);
    }
}
