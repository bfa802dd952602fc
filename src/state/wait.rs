//! A store behind a thread of its own, which may hang without harm: every question has a bounded time.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::damaged_rows::Odd;
use super::database::Database;
use super::error::{StoreError, StoreFault};
use super::hourly_readings::{self, Checks};
use super::mark_mails::MailMarker;
use super::mark_settled::DeliveryKeeper;
use super::past_runs::{self, Check, Runs, Seen};
use super::records::{Access, Decider, Marks, Run, RunFindings, Snapshot};
use super::remembered;
use super::sightings::{self, Sighting};
use super::worker::{Engine, Job};
use super::{
    ChannelState, Said, acknowledge, channel_states, claim, finish, mutes, queries, rows, snapshot, sums, thin,
};
use crate::decide::forecast::account::Reading;
use crate::decide::memory::{Memory, Mute};
use crate::decide::route::{Asked, Patterns};
use crate::decide::{Decision, Telling};
use crate::metrics::Sums;
use crate::model::alert::Topic;
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::shard::Shard;
use crate::process::clock::Clock;
use crate::process::interrupt::Deadline;
use crate::process::{background, fault};
use crate::state::location::Place;
use crate::wire::http::Clients;

/// Longest wait for a store in a run, locks of other runs included.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The least time that a store gets for one step, even when there is no time left.
const LEAST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait in a run for a store that has been waited for in vain and has answered since.
const SECOND_WAIT: Duration = Duration::from_secs(2);
/// The longest wait for the end of a connection: nothing is written there any more.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for others before the past of accounts is read: what follows is more important, and waits for the same.
const SHORT_WAIT: Duration = Duration::from_millis(200);

/// A store, behind a thread that may hang without harm.
pub(crate) struct Store {
    jobs: Option<Arc<mpsc::Sender<Job>>>,
    closed: mpsc::Receiver<()>,
    /// Calls made, and the number of calls that the thread has finished.
    calls: usize,
    answers: Arc<AtomicUsize>,
    /// Whether a call has been waited for in vain.
    is_slow: bool,
    /// What the thread would own, where there can be none: then the caller waits, as long as the backend itself does.
    engine: Option<Engine>,
}

impl Store {
    /// Opens a store. A damaged file is kept under another name and a new one is begun; `notices` hears of it.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn open(
        place: &Place,
        access: Access,
        clients: &Arc<Clients>,
        clock: Clock,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Store, StoreError> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let (done, closed) = mpsc::channel();
        let engine = Engine {
            place: place.clone(),
            access,
            clock,
            clients: Arc::clone(clients),
            wait: wait(until),
            database: None,
            opened: None,
            is_new: false,
            notices: Vec::new(),
        };
        // The engine is handed over once there is a thread; without one it stays with the caller.
        let (giver, given) = mpsc::channel::<Engine>();
        let work = move || {
            let Ok(mut engine) = given.recv() else {
                return;
            };
            for job in receiver {
                job(&mut engine);
            }
            fault::point("in-close");
            drop(engine);
            let _ = done.send(());
        };
        let mut store = Store {
            jobs: Some(Arc::new(sender)),
            closed,
            calls: 0,
            answers: Arc::default(),
            is_slow: false,
            engine: None,
        };
        match background::start("state", work) {
            Ok(()) => {
                let _ = giver.send(engine);
            }
            Err(_) => (store.jobs, store.engine) = (None, Some(engine)),
        }
        store.call(until, notices, |_, _, _| Ok(()))?;
        Ok(store)
    }

    /// Runs work on the store's thread; it hears how long it may wait for others. What is asked after a time-out waits for that
    /// work to end first.
    fn call<T: Send + 'static>(
        &mut self,
        until: &Deadline,
        notices: &mut Vec<String>,
        work: impl Fn(&mut dyn Database, Access, Duration) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let patience = self.patience(until);
        // The backend's own limit comes first, with a better message.
        let wait = patience * 4 / 5;
        let (sender, receiver) = mpsc::channel();
        let answers = Arc::clone(&self.answers);
        let job: Job = Box::new(move |engine| {
            engine.wait = wait;
            let result = engine.run(&|database, access| work(database, access, wait));
            answers.fetch_add(1, Ordering::SeqCst);
            // Nobody listens any more after the wait.
            let _ = sender.send((result, std::mem::take(&mut engine.notices)));
        });
        let begin = Instant::now();
        self.calls += 1;
        let is_asked = match (&mut self.engine, &self.jobs) {
            // A panic here must not end the run.
            (Some(engine), _) => catch_unwind(AssertUnwindSafe(|| job(engine))).is_ok(),
            (None, Some(jobs)) => jobs.send(job).is_ok(),
            (None, None) => false,
        };
        if !is_asked {
            return Err(StoreError::ended());
        }
        match until.extended_to(begin + patience, LEAST_WAIT).receive(&receiver) {
            Ok((result, said)) => {
                notices.extend(said);
                self.is_slow |= matches!(&result, Err(error) if error.fault == StoreFault::Busy);
                result
            }
            Err(RecvTimeoutError::Disconnected) => Err(StoreError::ended()),
            Err(RecvTimeoutError::Timeout) => {
                self.is_slow = true;
                let waited = crate::model::text::seconds(begin.elapsed());
                Err(StoreError::new(StoreFault::Hung, format!("it did not answer within {waited} s")))
            }
        }
    }

    /// How long to wait for the next answer. A run waits for a store in vain only once: while the thread has not come back
    /// there is next to no hope, and afterwards only a little patience.
    fn patience(&self, until: &Deadline) -> Duration {
        match (self.is_slow, self.is_stuck()) {
            (false, _) => wait(until),
            (true, false) => wait(until).min(SECOND_WAIT),
            (true, true) => LEAST_WAIT,
        }
    }

    /// Whether the thread is still at something that nobody waits for any more.
    fn is_stuck(&self) -> bool {
        self.answers.load(Ordering::SeqCst) < self.calls
    }

    /// What is known before anything is asked.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn snapshot(
        &mut self,
        keep_readings: Option<Duration>,
        own: &Schedule,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Snapshot, StoreError> {
        let own = own.clone();
        self.call(until, notices, move |database, access, wait| {
            fault::point("in-snapshot");
            snapshot::snapshot(database, keep_readings, &own, access == Access::Write, wait)
        })
    }

    /// Decides and claims, in one transaction. Gives the number of the run.
    ///
    /// # Errors
    /// Why nothing was written; then nothing is claimed.
    pub(crate) fn claim(
        &mut self,
        run: &Run,
        findings: &Arc<RunFindings>,
        decide: &Decider,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<(i64, Decision), StoreError> {
        let (run, findings, decide) = (run.clone(), Arc::clone(findings), Arc::clone(decide));
        self.call(until, notices, move |database, _, wait| {
            fault::point("in-claim-begin");
            claim::claim(database, &run, &findings, &*decide, wait)
        })
    }

    /// Marks what became of a run's messages.
    ///
    /// # Errors
    /// Why nothing was marked; then the next run tells what this one told.
    pub(crate) fn mark(
        &mut self,
        number: Option<i64>,
        run: &Run,
        marks: Marks,
        retention: Duration,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.call(until, notices, move |database, _, wait| {
            fault::point("in-mark-begin");
            finish::mark(database, number, &run, &marks, retention, wait)
        })
    }

    /// Thins the older samples, as far as one run may.
    ///
    /// # Errors
    /// Why it cannot be done; a later run does it then.
    pub(crate) fn thin(&mut self, until: &Deadline, notices: &mut Vec<String>) -> Result<(), StoreError> {
        self.call(until, notices, |database, _, wait| thin::thin(database, wait))
    }

    /// The sums of a group, after what this run has added. Until this store is closed no other run gets them: so they reach
    /// the gateway in the order in which they grow.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(crate) fn sums(
        &mut self,
        group: &str,
        checks: &Arc<HashSet<Identity>>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Sums, StoreError> {
        let (group, checks) = (group.to_owned(), Arc::clone(checks));
        self.call(until, notices, move |database, _, wait| {
            fault::point("in-sums");
            sums::sums(database, &group, &checks, wait)
        })
    }

    /// What marks the mails of a mailbox that are about to be read. It can be used on any thread until the store is closed.
    pub(crate) fn marker(&self) -> MailMarker {
        MailMarker::new(self.jobs.as_ref().map(Arc::downgrade).unwrap_or_default())
    }

    /// What marks what became of these alerts while a run is still telling.
    pub(crate) fn keeper(&self, run: &Run, alerts: &[Telling]) -> DeliveryKeeper {
        let jobs = self.jobs.as_ref().map(Arc::downgrade).unwrap_or_default();
        DeliveryKeeper::new(jobs, run.clone(), alerts.into())
    }

    /// When the run before began, over the same shard.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn previous_start(
        &mut self,
        shard: Option<Shard>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.call(until, notices, move |database, _, _| {
            fault::point("in-previous-start");
            rows::previous_start(database, shard)
        })
    }

    /// A question of `queries`.
    pub(super) fn ask<T: Send + 'static>(
        &mut self,
        question: impl Fn(&mut dyn Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // People can wait longer than runs, and a long history takes a while.
        self.call(&Deadline::within(LONGEST_WAIT * 6), &mut Vec::new(), move |database, _, _| question(database))
    }

    /// The last state of every check that was looked at since then.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn status(&mut self, since: Timestamp) -> Result<Vec<queries::Known>, StoreError> {
        self.ask(move |database| queries::status(database, since))
    }

    /// All that decisions depend on.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn memory(&mut self) -> Result<Memory, StoreError> {
        self.ask(|database| remembered::memory(database, &Schedule::default(), &mut Odd::default()))
    }

    /// The samples since then of the named project, or of all.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn history(
        &mut self,
        project: Option<String>,
        since: Timestamp,
    ) -> Result<Vec<queries::Series>, StoreError> {
        self.ask(move |database| queries::history(database, project.as_deref(), since))
    }

    /// The balances since then that a forecast needs: at most one for each hour.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn past(
        &mut self,
        checks: Checks,
        times: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
        self.ask(move |database| hourly_readings::past(database, checks, times))
    }

    /// What runs have seen of accounts since then: as much of it as a chart can show.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn sightings(&mut self, since: Timestamp) -> Result<BTreeMap<Identity, Vec<Sighting>>, StoreError> {
        self.ask(move |database| sightings::sightings(database, since))
    }

    /// The balances since then, at most one for each hour.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn hourly(
        &mut self,
        checks: Checks,
        times: (Timestamp, Timestamp),
    ) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
        self.ask(move |database| hourly_readings::thinned(database, checks, times, Timestamp::MIN))
    }

    /// The same during a run, which cannot wait as long.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn recent(
        &mut self,
        checks: Checks,
        times: (Timestamp, Timestamp),
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<BTreeMap<Identity, Vec<Reading>>, StoreError> {
        let was_slow = self.is_slow;
        let result = self.call(until, notices, move |database, _, wait| {
            fault::point("in-recent");
            database.read_within(wait.min(SHORT_WAIT))?;
            let past = hourly_readings::past(database, checks, times);
            database.read_within(wait)?;
            past
        });
        if matches!(&result, Err(error) if error.fault == StoreFault::Busy) {
            // It was given up early, so it says nothing of how long the next question would wait.
            self.is_slow = was_slow;
        }
        result
    }

    /// The messages decided since then, and all that are pending; newest first.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn messages(&mut self, since: Timestamp) -> Result<Vec<queries::Message>, StoreError> {
        self.ask(move |database| queries::messages(database, since))
    }

    /// The messages that a run decided, and those that it tried last.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(crate) fn messages_of(&mut self, run: queries::LastRun) -> Result<Vec<queries::Message>, StoreError> {
        self.ask(move |database| queries::messages_of(database, &run))
    }

    /// The runs that are asked for, oldest first.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(crate) fn runs(&mut self, asked: Runs) -> Result<Vec<queries::LastRun>, StoreError> {
        self.ask(move |database| past_runs::runs(database, &asked))
    }

    /// Every check that is kept.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub(crate) fn checks(&mut self) -> Result<Vec<Check>, StoreError> {
        self.ask(past_runs::checks)
    }

    /// What the runs of a time found, oldest first: of these checks, or of all.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn seen(
        &mut self,
        times: (Timestamp, Timestamp),
        checks: Option<Vec<Identity>>,
    ) -> Result<Vec<Seen>, StoreError> {
        self.ask(move |database| past_runs::seen(database, times, checks.as_deref()))
    }

    /// The mails that alerts have told of since then, the newest alert first.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn mails_told(&mut self, since: Timestamp) -> Result<Vec<queries::MailTold>, StoreError> {
        self.ask(move |database| queries::mails_told(database, since))
    }

    /// How it stands with each channel.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn channel_states(&mut self) -> Result<Vec<ChannelState>, StoreError> {
        self.ask(channel_states::channel_states)
    }

    /// What is not to be told now.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn mutes(&mut self) -> Result<Vec<Mute>, StoreError> {
        self.ask(|database| {
            let mut mutes = mutes::mutes(database, &mut Odd::default())?;
            mutes.retain(|mute| mute.is_in_force(database.now()));
            Ok(mutes)
        })
    }

    /// Silences what is like this. Gives the number of the silence.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(crate) fn silence(
        &mut self,
        asked: Vec<(Asked, Patterns)>,
        said: Said,
        until: Timestamp,
    ) -> Result<i64, StoreError> {
        self.change(move |database, wait| mutes::silence(database, &asked, &said, until, wait))
    }

    /// Acknowledges what is wrong with the checks of a name: all of it, or one topic. Gives what that is.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(crate) fn acknowledge(
        &mut self,
        name: String,
        topic: Option<Topic>,
        said: Said,
    ) -> Result<Vec<Mute>, StoreError> {
        self.change(move |database, wait| acknowledge::acknowledge(database, &name, topic, &said, wait))
    }

    /// Ends the mutes that are meant. Gives them.
    ///
    /// # Errors
    /// Why that cannot be written.
    pub(crate) fn unmute(
        &mut self,
        is_meant: impl Fn(&Mute) -> bool + Send + 'static,
    ) -> Result<Vec<Mute>, StoreError> {
        self.change(move |database, wait| mutes::unmute(database, &is_meant, wait))
    }

    /// What a person changes.
    pub(super) fn change<T: Send + 'static>(
        &mut self,
        work: impl Fn(&mut dyn Database, Duration) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let until = Deadline::within(LONGEST_WAIT * 6);
        self.call(&until, &mut Vec::new(), move |database, _, wait| work(database, wait))
    }

    /// The last runs, newest first.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(crate) fn last_runs(&mut self) -> Result<Vec<queries::LastRun>, StoreError> {
        self.ask(queries::last_runs)
    }

    /// Ends the connection, and waits for that as long as there is time.
    pub(crate) fn close(mut self, until: &Deadline) {
        let is_stuck = self.is_stuck();
        (self.jobs, self.engine) = (None, None);
        if !is_stuck {
            let patience = wait(until).min(LAST_WAIT);
            let _ = until.extended_to(Instant::now() + patience, LEAST_WAIT).receive(&self.closed);
        }
    }
}

/// The time that a store may take: what is left, and a little even when nothing is.
fn wait(until: &Deadline) -> Duration {
    until.left().max(LEAST_WAIT)
}
