//! What we remember from run to run: what was told, what is still to be told, samples, readings, circuits.
//!
//! [`Store`] owns one connection on a thread of its own and waits for it a bounded time only: a store that hangs, or is
//! damaged, or cannot be written never stops a check or an alert. What stands in it is decided in `book`; the two places
//! it can stand in are `sqlite` and `postgres`. Not here: what follows from what is remembered (`decide`).
//!
//! **Delivery is at least once.** A message is written as pending, in the transaction that decides it, before it is sent;
//! it is marked after a channel has taken it. A run that ends between the two leaves it pending, and the next run sends it
//! with the same key. So a message can come twice only if its run dies, or loses its store, after the service took the
//! message and before the mark: as long as the slowest channel takes, plus one transaction.

mod book;
mod database;
pub mod memory;
mod postgres;
mod schema;
pub mod session;
mod sqlite;
pub mod views;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use self::database::Database;
use self::memory::Memory;
use crate::alert::{Alert, Identity};
use crate::check::CachedReading;
use crate::check::circuit::HostState;
use crate::check::mailbox::session::Cursor;
use crate::config::Place;
use crate::decide::{Decision, Found};
use crate::http::Clients;
use crate::interrupt::Deadline;
use crate::metrics::{Sums, Tally};
use crate::plan::Shard;

/// Longest wait for a store in a run, locks of other runs included.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The least time that a store gets for one step, even when there is no time left.
const LEAST_WAIT: Duration = Duration::from_millis(200);

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

    fn newer(found: i64, known: i64) -> StoreError {
        let message = format!("it was written by a newer version (schema {found}, this program knows {known})");
        StoreError::new(StoreFault::Newer, message).with_hint("update this program, or give it another store")
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
    /// Each alert, and whether a channel took it.
    pub alerts: Vec<(Alert, bool)>,
    /// What each channel said of each alert.
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

/// What a channel said of an alert.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The alert.
    pub dedup_key: String,
    /// The channel.
    pub channel: String,
    /// `sent` or `failed`.
    pub status: &'static str,
    /// Why it failed.
    pub detail: Option<String>,
}

/// What `decide` makes of the memory; it may be asked twice.
pub type Decider = Arc<dyn Fn(&Memory) -> Decision + Send + Sync>;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// A store, behind a thread that may hang without harm.
pub struct Store {
    jobs: Option<mpsc::Sender<Job>>,
    closed: mpsc::Receiver<()>,
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
        let mut engine = Engine {
            place: place.clone(),
            access,
            clients: Arc::clone(clients),
            wait: wait(until),
            database: None,
            opened: None,
            notices: Vec::new(),
        };
        let work = move || {
            for job in receiver {
                job(&mut engine);
            }
            drop(engine);
            let _ = done.send(());
        };
        std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(work)
            .map_err(|error| StoreError::new(StoreFault::Other, format!("no thread could be started: {error}")))?;
        let mut store = Store { jobs: Some(sender), closed };
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
        let wait = wait(until);
        let (sender, receiver) = mpsc::channel();
        let job: Job = Box::new(move |engine| {
            let result = engine.run(&|database, access| work(database, access, wait));
            // Nobody listens any more after the wait.
            let _ = sender.send((result, std::mem::take(&mut engine.notices)));
        });
        let begin = Instant::now();
        let is_there = self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        // The backend's own limit comes first, with a better message.
        let patience = if is_there { wait + wait / 4 } else { Duration::ZERO };
        match until.extended_to(begin + patience, LEAST_WAIT).receive(&receiver) {
            Ok((result, said)) => {
                notices.extend(said);
                result
            }
            Err(_) => {
                let waited = crate::text::seconds(begin.elapsed());
                Err(StoreError::new(StoreFault::Hung, format!("it did not answer within {waited} s")))
            }
        }
    }

    /// What is known before anything is asked.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn snapshot(
        &mut self,
        keep_readings: Option<Duration>,
        until: &Deadline,
        notices: &mut Vec<String>,
    ) -> Result<Snapshot, StoreError> {
        self.call(until, notices, move |database, access, wait| {
            book::snapshot(database, keep_readings, access == Access::Write, wait)
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
        self.call(until, notices, move |database, _, wait| book::claim(database, &run, &learnt, &*decide, wait))
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
        self.call(until, notices, move |database, _, wait| book::mark(database, number, &run, &marks, retention, wait))
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
        self.call(until, notices, move |database, _, wait| book::sums(database, &group, &checks, wait))
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
        self.call(until, notices, move |database, _, _| views::previous_start(database, shard))
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
        self.jobs = None;
        let _ = until.extended_to(Instant::now() + wait(until), LEAST_WAIT).receive(&self.closed);
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
            self.database = Some(self.connect()?);
            self.opened = self.opened.or_else(|| inode(&self.place));
        }
        match self.database.as_deref_mut() {
            Some(database) => work(database, self.access),
            None => Err(StoreError::new(StoreFault::Other, "there is no connection")),
        }
    }

    fn connect(&self) -> Result<Box<dyn Database>, StoreError> {
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
                if let Some(kept) = kept {
                    let why = &error.message;
                    self.notices.push(format!(
                        "the memory of runs at `{}` cannot be used: {why}; it is kept as `{}` and a new one is begun, so alerts may come again",
                        path.display(), kept.display()
                    ));
                }
                Ok(())
            }
            Err(why) => {
                let message =
                    format!("{}, and it cannot be moved aside: {}", error.message, crate::text::io_error(&why));
                Err(StoreError::new(StoreFault::Other, message))
            }
        }
    }
}
