//! The store during one run. It is given up at the first fault, and a run never fails because of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::hourly_readings::Checks;
use super::{
    Access, Decider, DeliveryKeeper, LONGEST_WAIT, MailMarker, Marks, Run, RunFindings, Snapshot, Store, StoreError,
    StoreFault, name,
};
use crate::decide::forecast::account::Reading;
use crate::decide::memory::Memory;
use crate::decide::{Decision, Telling};
use crate::metrics::Sums;
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;
use crate::model::shard::Shard;
use crate::process::interrupt::Deadline;
use crate::process::redact::Redactor;
use crate::state::location::{Place, State};
use crate::wire::context::Context;

/// Whether this run is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum MemoryStatus {
    /// The user wants no memory, or this is a dry run.
    #[default]
    Off,
    /// The run is remembered.
    Kept,
    /// The run is not remembered, or not all of it, for this reason.
    Failed(String),
}

/// The store of a run.
pub(crate) struct Session {
    store: Option<Store>,
    place: String,
    /// Whether the store is a server, whose words may repeat what was sent to it.
    is_server: bool,
    access: Access,
    retention: Duration,
    /// A server may echo the password of its database.
    redactor: Arc<Redactor>,
    /// The run's number, once it has claimed its alerts.
    number: Option<i64>,
    /// Whether the wait for the claim has timed out. The claim may be committed all the same, and `Store::mark` then finds the
    /// run by its id.
    is_late: bool,
    /// What was remembered when the run began.
    memory: Memory,
    /// Whether that could be read, or nothing is to be remembered.
    is_memory_known: bool,
    kept: MemoryStatus,
}

impl Session {
    /// Opens the store, waiting for it as long as there is time. A dry run reads and changes nothing.
    pub(crate) fn begin(state: &State, is_dry_run: bool, context: &Context, until: &Deadline) -> Session {
        let access = if is_dry_run { Access::Read } else { Access::Write };
        let mut session = Session {
            store: None,
            place: state.place.as_ref().map(name).unwrap_or_default(),
            is_server: matches!(state.place, Ok(Place::Postgres(_))),
            access,
            retention: state.retention,
            redactor: Arc::clone(&context.redactor),
            number: None,
            is_late: false,
            memory: Memory::default(),
            is_memory_known: false,
            kept: MemoryStatus::Off,
        };
        let place = match &state.place {
            Ok(Place::Nowhere) => {
                // The user has chosen this, so there is nothing to warn of; `validate` says what follows from it.
                session.is_memory_known = true;
                return session;
            }
            Ok(place) => place,
            Err(why) => {
                session.fail(format!("no memory of other runs: {why}"), Some("name a place with `--state`"));
                return session;
            }
        };
        let mut notices = Vec::new();
        match Store::open(place, access, &context.clients, context.clock, &soon(until), &mut notices) {
            Ok(store) => {
                session.store = Some(store);
                session.kept = if is_dry_run { MemoryStatus::Off } else { MemoryStatus::Kept };
            }
            // Before the first run there is nothing to remember.
            Err(error) if is_dry_run && error.fault == StoreFault::Absent => {}
            Err(error) => session.lose(&error, "every alert is sent"),
        }
        session.tell(notices);
        session
    }

    /// What is known before anything is asked; nothing if the store fails.
    pub(crate) fn snapshot(&mut self, keep_readings: Option<Duration>, own: &Schedule, until: &Deadline) -> Snapshot {
        let snapshot = self
            .with("every account is asked", |store, notices| store.snapshot(keep_readings, own, &soon(until), notices));
        self.is_memory_known |= snapshot.is_some();
        let mut snapshot = snapshot.unwrap_or_default();
        self.memory = std::mem::take(&mut snapshot.memory);
        snapshot
    }

    /// What marks mails that are about to be read, if this run may write.
    pub(crate) fn marker(&self) -> Option<MailMarker> {
        self.store.as_ref().filter(|_| self.kept == MemoryStatus::Kept).map(Store::marker)
    }

    /// What marks what became of messages while others are still being told, if this run is written down.
    pub(crate) fn keeper(&self, run: &Run, alerts: &[Telling]) -> Option<DeliveryKeeper> {
        self.number?;
        self.store.as_ref().filter(|_| self.kept == MemoryStatus::Kept).map(|store| store.keeper(run, alerts))
    }

    /// Decides with what is remembered, and claims what is to be told. If that cannot be written, the decision still
    /// heeds what could be read when the run began.
    pub(crate) fn decide(
        &mut self,
        run: &Run,
        findings: &Arc<RunFindings>,
        decide: &Decider,
        until: &Deadline,
    ) -> Decision {
        if self.access == Access::Read {
            return decide(&self.memory);
        }
        let claimed = self.with("alerts may come again in the next run", |store, notices| {
            store.claim(run, findings, decide, &soon(until), notices)
        });
        match claimed {
            Some((number, decision)) => {
                self.number = Some(number);
                decision
            }
            // A store that fails hides no alert; one that there was no time to read may have told all of it before.
            None if until.is_interrupted() && !self.is_memory_known => {
                log::warn!("nothing is told: there was no time to read what was told before");
                Decision::default()
            }
            None => decide(&self.memory).of_unwritten(),
        }
    }

    /// Marks what became of the messages.
    pub(crate) fn finish(&mut self, run: &Run, marks: Marks, until: &Deadline) {
        if self.number.is_some() || self.is_late {
            let (number, retention) = (self.number, self.retention);
            self.with("the next run may send this one's alerts again", |store, notices| {
                store.mark(number, run, marks, retention, &soon(until), notices)
            });
        }
    }

    /// The sums of a group after this run, if it is remembered. Until the end of the session they are reserved.
    pub(crate) fn sums(&mut self, group: &str, checks: &Arc<HashSet<Identity>>, until: &Deadline) -> Option<Sums> {
        if self.kept != MemoryStatus::Kept || self.number.is_none() {
            return None;
        }
        let mut notices = Vec::new();
        let result = self.store.as_mut()?.sums(group, checks, &soon(until), &mut notices);
        self.tell(notices);
        // What this run adds to them is written. They are not known because another run is still pushing, or because they cannot
        // be read just now.
        let why = |error: StoreError| self.why(&error.message);
        result.map_err(|error| log::warn!("the metrics go without the sums of all runs: {}", why(error))).ok()
    }

    /// When the run before this one began, over the same shard.
    pub(crate) fn previous_start(&mut self, shard: Option<Shard>, until: &Deadline) -> Option<Timestamp> {
        self.with("the lag is not known", |store, notices| store.previous_start(shard, &soon(until), notices)).flatten()
    }

    /// What runs have read of accounts; none if the store fails, or there is none.
    pub(crate) fn recent(
        &mut self,
        checks: Checks,
        times: (Timestamp, Timestamp),
        until: &Deadline,
    ) -> Option<BTreeMap<Identity, Vec<Reading>>> {
        let mut notices = Vec::new();
        let result = self.store.as_mut()?.recent(checks, times, until, &mut notices);
        self.tell(notices);
        // Nothing is lost by it: what is to be remembered is written afterwards, and says for itself if it cannot be.
        let why = |error: StoreError| self.why(&error.message);
        result.map_err(|error| log::warn!("how long balances last is not known: {}", why(error))).ok()
    }

    /// Closes the store, and waits for that as long as there is time. Gives whether the run is remembered.
    pub(crate) fn end(mut self, until: &Deadline) -> MemoryStatus {
        if let Some(mut store) = self.store.take() {
            if self.kept == MemoryStatus::Kept && self.number.is_some() {
                // Nothing is lost by it: a later run thins what this one has not.
                if let Err(error) = store.thin(&soon(until), &mut Vec::new()) {
                    log::debug!("older samples are not thinned: {}", self.why(&error.message));
                }
            }
            store.close(&soon(until));
        }
        self.kept
    }

    /// Asks the store, if there is one. What fails is told, with what follows from it.
    fn with<T>(
        &mut self,
        consequence: &str,
        ask: impl FnOnce(&mut Store, &mut Vec<String>) -> Result<T, StoreError>,
    ) -> Option<T> {
        let store = self.store.as_mut()?;
        let mut notices = Vec::new();
        let result = ask(store, &mut notices);
        self.tell(notices);
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let is_first = !matches!(self.kept, MemoryStatus::Failed(_));
                if is_first {
                    self.lose(&error, consequence);
                }
                match error.fault {
                    StoreFault::Hung => self.is_late = true,
                    StoreFault::Unreachable => self.store = None,
                    _ => {}
                }
                None
            }
        }
    }

    fn tell(&mut self, notices: Vec<String>) {
        for notice in notices {
            log::warn!("{}", self.why(&notice));
        }
    }

    /// What the store says, as it may be shown.
    fn why(&self, said: &str) -> String {
        super::shown(self.is_server, said, &self.redactor)
    }

    fn lose(&mut self, error: &StoreError, consequence: &str) {
        let why = self.why(&error.message);
        let what = format!("the memory of runs at {} fails: {why}; {consequence}", self.place);
        self.fail(what, error.hint.as_deref());
    }

    fn fail(&mut self, what: String, hint: Option<&str>) {
        match hint {
            Some(hint) => log::warn!("{what} ({hint})"),
            None => log::warn!("{what}"),
        }
        self.kept = MemoryStatus::Failed(what);
    }
}

/// A run never waits long for one answer of the store.
fn soon(until: &Deadline) -> Deadline {
    until.or_at(Instant::now() + LONGEST_WAIT)
}
