//! What we remember from run to run: what was told, what is still to be told, samples, readings, circuits.
//!
//! [`Store`] owns one connection on a thread of its own and waits for it a bounded time only: a store that hangs, or is
//! damaged, or cannot be written never stops a check or an alert. What stands in it is decided in `book`; the two places
//! it can stand in are `sqlite` and `postgres`. Not here: what follows from what is remembered (`decide`).
//!
//! **Delivery is at least once, for each channel.** A message is written as owed to its channels, in the transaction that
//! decides it, before it is sent; for each channel it is marked after that channel has taken it. A run that ends between the
//! two leaves it owed, and the next run sends it with the same key. So a message can come twice only if its run dies, or loses
//! its store, after the service took the message and before the mark (as long as the slowest channel takes, plus one
//! transaction), or if the service takes it and does not say so in time: then it comes again in a later run, not in this one.

mod adopt;
mod book;
pub mod config;
mod database;
mod mend;
pub mod place;
mod postgres;
mod rows;
mod schema;
pub mod session;
mod sqlite;
pub mod views;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use self::database::Database;
use crate::check::CachedReading;
use crate::check::circuit::HostState;
use crate::check::mailbox::scan::Mark;
use crate::check::mailbox::session::Cursor;
use crate::decide::memory::{Fate, Memory};
use crate::decide::{Decision, Found};
use crate::metrics::{Sums, Tally};
use crate::model::alert::Alert;
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::process::interrupt::Deadline;
use crate::process::{aside, fault};
use crate::state::place::Place;
use crate::wire::http::Clients;

/// Longest wait for a store in a run, locks of other runs included.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The least time that a store gets for one step, even when there is no time left.
const LEAST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait in a run for a store that has been waited for in vain and has answered since.
const SECOND_WAIT: Duration = Duration::from_secs(2);
/// The longest wait for the end of a connection: nothing is written there any more.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for a mark of what is about to be read; after that a run goes on without.
const MARK_WAIT: Duration = Duration::from_secs(1);

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A run: the store is made if it is not there.
    Write,
    /// Questions, and dry runs: nothing is made or changed.
    Read,
}

/// The class of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// There is no store yet.
    Absent,
    /// It cannot be understood any more.
    Damaged,
    /// It belongs to another program.
    Foreign,
    /// It was written by a newer version.
    Newer,
    /// Others kept it locked.
    Busy,
    /// A full or read-only disk, or a missing right.
    Unwritable,
    /// No connection.
    Unreachable,
    /// It did not answer in time.
    Hung,
    /// Something else.
    Other,
}

/// Why a store cannot be used.
#[derive(Clone, Debug)]
pub struct StoreError {
    /// The class.
    pub fault: StoreFault,
    /// What is wrong, about "it"; free of secrets.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

impl StoreError {
    fn new(fault: StoreFault, message: impl Into<String>) -> StoreError {
        StoreError { fault, message: message.into(), hint: None }
    }

    fn damaged(message: &str) -> StoreError {
        StoreError::new(StoreFault::Damaged, message)
    }

    /// A store that this run has made is damaged at once.
    fn unkept(error: &StoreError) -> StoreError {
        let message = format!("it cannot be written: what was just written to it is not there ({})", error.message);
        StoreError::new(StoreFault::Unwritable, message)
    }

    /// A word that this version does not know, in a row that may be a newer version's.
    fn unknown(what: &str) -> StoreError {
        StoreError::new(StoreFault::Newer, format!("a {what} in it is unknown"))
    }

    fn newer(found: i64, known: i64) -> StoreError {
        let message = format!("it was written by a newer version (schema {found}, this program knows {known})");
        StoreError::new(StoreFault::Newer, message).with_hint("update this program, or give it another store")
    }

    /// The thread is gone, as after a panic.
    fn ended() -> StoreError {
        StoreError::new(StoreFault::Other, "its thread has ended by a defect of this program")
    }

    fn older() -> StoreError {
        StoreError::new(StoreFault::Other, "it was written by an older version")
            .with_hint("the next `balance-alert check` brings it up to date")
    }

    fn with_hint(mut self, hint: &str) -> StoreError {
        self.hint = Some(hint.to_owned());
        self
    }
}

/// What is known when a run begins.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The circuits that are not closed, or not sure to be.
    pub circuits: HashMap<String, HostState>,
    /// Readings that are fresh enough, by hashed account.
    pub readings: HashMap<String, CachedReading>,
    /// The key of these hashes; none if readings are not kept.
    pub account_key: Option<String>,
    /// How far mailboxes were read.
    pub cursors: HashMap<Identity, Cursor>,
    /// What runs were reading there that have died, or still read.
    pub marks: HashMap<Identity, Mark>,
    /// All that decisions depend on, as long as nobody writes.
    pub memory: Memory,
}

/// The run that writes.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Until when it may be sending.
    pub claims_until: Timestamp,
    /// Whether it leaves checks out.
    pub is_partial: bool,
    /// Which part of all checks it is about, if several runs share them.
    pub shard: Option<Shard>,
    /// The names of the channels that cannot be used as they are configured.
    pub unusable_channels: Vec<String>,
}

/// What a run has learnt.
#[derive(Debug, Default)]
pub struct Learnt {
    /// What was found.
    pub found: Found,
    /// New readings, by hashed account.
    pub readings: Vec<(String, CachedReading)>,
    /// What changed of the circuits.
    pub circuits: Vec<(String, HostState)>,
    /// What the checks add to the metrics of a group, if anybody wants metrics.
    pub metrics: Option<(String, Tally)>,
}

/// What became of a run's messages.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// What became of each of them on each channel that it is for.
    pub deliveries: Vec<Handed>,
    /// How the run ends, without `--fail-on`.
    pub exit_code: i64,
    /// What its end adds to the metrics, if anybody wants metrics.
    pub metrics: Option<MetricMarks>,
}

/// What the end of a run means for the metrics of a group.
#[derive(Clone, Debug)]
pub struct MetricMarks {
    /// The group.
    pub group: String,
    /// What is added to the sums.
    pub tally: Tally,
    /// The config's hash; a new one counts as a reload.
    pub config: String,
    /// When the run ended, if it did all of its job.
    pub succeeded_at: Option<Timestamp>,
    /// For a run over everything, what there is: the series of the rest go.
    pub present: Option<Present>,
}

/// What a config holds, as far as labels of the sums name it.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// Projects with their providers.
    pub projects: Vec<(String, String)>,
    /// The types of the channels.
    pub webhook_types: Vec<&'static str>,
}

/// What became of an alert on a channel.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The alert, by its position.
    pub alert: usize,
    /// The channel's id.
    pub channel: String,
    /// What became of it.
    pub fate: Fate,
    /// Why it was not taken, or why that is not known.
    pub detail: Option<String>,
}

/// What `decide` makes of the memory; it may be asked twice.
pub type Decider = Arc<dyn Fn(&Memory) -> Decision + Send + Sync>;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// A store, behind a thread that may hang without harm.
pub struct Store {
    jobs: Option<Arc<mpsc::Sender<Job>>>,
    closed: mpsc::Receiver<()>,
    /// Calls so far, and how many of them the thread is through with.
    calls: usize,
    answers: Arc<AtomicUsize>,
    /// A call has been waited for in vain.
    is_slow: bool,
    /// What the thread would own, where there can be none: then the caller waits, as long as the backend itself does.
    engine: Option<Engine>,
}

impl Store {
    /// Opens a store. A damaged file is kept under another name and a new one is begun; `notices` hears of it.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn open(
        place: &Place,
        access: Access,
        clients: &Arc<Clients>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Store, StoreError> {
        let (sender, receiver) = mpsc::channel::<Job>();
        let (done, closed) = mpsc::channel();
        let engine = Engine {
            place: place.clone(),
            access,
            clients: Arc::clone(clients),
            wait: wait(until),
            database: None,
            opened: None,
            is_new: false,
            notices: Vec::new(),
        };
        // Handed over once the thread is there.
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
        match aside::start("state", work) {
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
            // What panics here must not take the run along.
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
    pub fn snapshot(
        &mut self,
        keep_readings: Option<Duration>,
        shard: Option<Shard>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Snapshot, StoreError> {
        self.call(until, notices, move |database, access, wait| {
            fault::point("in-snapshot");
            book::snapshot(database, keep_readings, shard, access == Access::Write, wait)
        })
    }

    /// Decides and claims, in one transaction. Gives the number of the run.
    ///
    /// # Errors
    /// Why nothing was written; then nothing is claimed.
    pub fn claim(
        &mut self,
        run: &Run,
        learnt: &Arc<Learnt>,
        decide: &Decider,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<(i64, Decision), StoreError> {
        let (run, learnt, decide) = (run.clone(), Arc::clone(learnt), Arc::clone(decide));
        self.call(until, notices, move |database, _, wait| {
            fault::point("in-claim-begin");
            book::claim(database, &run, &learnt, &*decide, wait)
        })
    }

    /// Marks what became of a run's messages.
    ///
    /// # Errors
    /// Why nothing was marked; then the next run tells what this one told.
    pub fn mark(
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
            book::mark(database, number, &run, &marks, retention, wait)
        })
    }

    /// The sums of a group, after what this run has added. Until this store is closed no other run gets them: so they reach
    /// the gateway in the order in which they grow.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn sums(
        &mut self,
        group: &str,
        checks: &Arc<HashSet<Identity>>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Sums, StoreError> {
        let (group, checks) = (group.to_owned(), Arc::clone(checks));
        self.call(until, notices, move |database, _, wait| {
            fault::point("in-sums");
            book::sums(database, &group, &checks, wait)
        })
    }

    /// What marks the mails of a mailbox that are about to be read. It can be used on any thread until the store is closed.
    pub fn marker(&self) -> MailMarker {
        let jobs = self.jobs.as_ref().map(Arc::downgrade).unwrap_or_default();
        MailMarker { jobs, has_failed: Arc::default() }
    }

    /// When the run before began, over the same shard.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn previous_start(
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

    /// A question of `views`.
    fn ask<T: Send + 'static>(
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
    pub fn status(&mut self, since: Timestamp) -> Result<Vec<views::Known>, StoreError> {
        self.ask(move |database| views::status(database, since))
    }

    /// The samples since then of the named project, or of all.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn history(&mut self, project: Option<String>, since: Timestamp) -> Result<Vec<views::Series>, StoreError> {
        self.ask(move |database| views::history(database, project.as_deref(), since))
    }

    /// The messages decided since then, and all that are pending; newest first.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn messages(&mut self, since: Timestamp) -> Result<Vec<views::Message>, StoreError> {
        self.ask(move |database| views::messages(database, since))
    }

    /// The last runs, newest first.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn last_runs(&mut self) -> Result<Vec<views::LastRun>, StoreError> {
        self.ask(views::last_runs)
    }

    /// Ends the connection, and waits for that as long as there is time.
    pub fn close(mut self, until: &Deadline) {
        let is_stuck = self.is_stuck();
        (self.jobs, self.engine) = (None, None);
        if !is_stuck {
            let patience = wait(until).min(LAST_WAIT);
            let _ = until.extended_to(Instant::now() + patience, LEAST_WAIT).receive(&self.closed);
        }
    }
}

/// Marks what is about to be read. A store that fails is not asked again: nothing waits for it a second time.
#[derive(Clone)]
pub struct MailMarker {
    /// Weak, so that a thread that hangs does not keep the store from being closed.
    jobs: Weak<mpsc::Sender<Job>>,
    has_failed: Arc<AtomicBool>,
}

impl MailMarker {
    /// Writes a mark, and waits for that a bounded time.
    pub fn mark(&self, mailbox: Identity, mark: Mark) {
        if self.has_failed.load(Ordering::Relaxed) {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let job: Job = Box::new(move |engine| {
            // Nobody listens any more after the wait.
            let _ = sender.send(engine.try_once(&|database, _| book::mark_mails(database, mailbox, mark, MARK_WAIT)));
        });
        let is_asked = self.jobs.upgrade().is_some_and(|jobs| jobs.send(job).is_ok());
        let is_marked = is_asked && receiver.recv_timeout(MARK_WAIT + MARK_WAIT / 4).is_ok_and(|result| result.is_ok());
        if !is_marked && !self.has_failed.swap(true, Ordering::Relaxed) {
            log::info!("mails are read without a mark in the memory of runs, which does not take it");
        }
    }
}

/// The name of a place for messages.
pub fn name(place: &Place) -> String {
    match place {
        Place::Nowhere => "none".to_owned(),
        Place::File(path) => format!("`{}`", path.display()),
        Place::Postgres(address) => postgres::name(address.expose_secret()),
    }
}

/// Why nothing can be kept at a place, with what to do, as far as that shows without opening it.
pub fn fault(place: &Place) -> Option<(String, Option<String>)> {
    match place {
        Place::Nowhere => None,
        Place::File(path) => {
            let metadata = std::fs::metadata(path).ok()?;
            (!metadata.is_file()).then(|| {
                let what = if metadata.is_dir() { "a directory" } else { "no ordinary file" };
                (format!("it is {what}"), Some("name the file itself, for example `state.db` in it".to_owned()))
            })
        }
        Place::Postgres(address) => postgres::fault(address.expose_secret()).map(|error| (error.message, error.hint)),
    }
}

/// Where a password goes without TLS, so that everybody on the way can read it; none if that is nowhere.
pub fn in_the_clear(place: &Place) -> Option<String> {
    match place {
        Place::Postgres(address) => postgres::in_the_clear(address.expose_secret()),
        Place::Nowhere | Place::File(_) => None,
    }
}

/// The time that a store may take: what is left, and a little even when nothing is.
fn wait(until: &Deadline) -> Duration {
    until.left().max(LEAST_WAIT)
}

/// What the thread owns.
struct Engine {
    place: Place,
    access: Access,
    clients: Arc<Clients>,
    wait: Duration,
    database: Option<Box<dyn Database>>,
    /// Which file it is, to see later whether another run has put it aside.
    opened: Option<u64>,
    /// Whether this run has made the file: what is wrong with it then is no damage that came later.
    is_new: bool,
    notices: Vec<String>,
}

impl Engine {
    /// Does the work; if the file turns out to be damaged, once more on a new one.
    fn run<T>(&mut self, work: &dyn Fn(&mut dyn Database, Access) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let path = match &self.place {
            Place::File(path) if self.access == Access::Write => path.clone(),
            _ => return self.try_once(work),
        };
        match self.try_once(work) {
            Err(error) if error.fault == StoreFault::Damaged && self.is_new => Err(StoreError::unkept(&error)),
            Err(error) if error.fault == StoreFault::Damaged => {
                self.begin_anew(&path, &error)?;
                self.try_once(work)
            }
            result => result,
        }
    }

    fn try_once<T>(
        &mut self,
        work: &dyn Fn(&mut dyn Database, Access) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.database.is_none() {
            let inode = |place: &Place| match place {
                Place::File(path) => sqlite::inode(path),
                _ => None,
            };
            self.opened = inode(&self.place);
            self.is_new |= self.opened.is_none();
            self.database = Some(self.connect()?);
            self.opened = self.opened.or_else(|| inode(&self.place));
        }
        match self.database.as_deref_mut() {
            Some(database) => work(database, self.access),
            None => Err(StoreError::new(StoreFault::Other, "there is no connection")),
        }
    }

    fn connect(&self) -> Result<Box<dyn Database>, StoreError> {
        fault::point("in-open");
        match &self.place {
            Place::Nowhere => Err(StoreError::new(StoreFault::Absent, "there is none")),
            Place::File(path) => Ok(Box::new(sqlite::Sqlite::open(path, self.access, self.wait)?)),
            Place::Postgres(address) => {
                let address = address.expose_secret();
                let tls = || self.clients.tls();
                Ok(Box::new(postgres::Postgres::open(address, self.access, self.wait, tls)?))
            }
        }
    }

    /// Keeps the damaged file under another name.
    fn begin_anew(&mut self, path: &Path, error: &StoreError) -> Result<(), StoreError> {
        self.database = None;
        match sqlite::set_aside(path, self.opened) {
            Ok(kept) => {
                if let Some(sqlite::Kept { path: kept, removed }) = kept {
                    let why = &error.message;
                    let more = match removed {
                        0 => String::new(),
                        1 => "; the oldest of those that were kept before is removed".to_owned(),
                        n => format!("; the {n} oldest of those that were kept before are removed"),
                    };
                    self.notices.push(format!(
                        "the memory of runs at `{}` cannot be used: {why}; it is kept as `{}` and a new one is begun, so alerts may come again{more}",
                        path.display(), kept.display()
                    ));
                }
                Ok(())
            }
            Err(why) => {
                let message = format!("{}, and it cannot be moved aside: {}", error.message, why.message);
                Err(StoreError::new(StoreFault::Other, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let open = || Store::open(&Place::File(path.clone()), Access::Write, &Arc::default(), &until, &mut Vec::new());
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
