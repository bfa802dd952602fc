//! All checks of a run, made at the same time as far as there are workers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::account::Account;
use super::circuit::{Breaker, Circuit, HostState};
use super::job::{Readings, Shared, job};
use super::mailbox::config::{EmailSettings, Mailbox};
use super::mailbox::resolve::Resolver;
use super::mailbox::scan::{Mark, Marker, Scanned, Scanner, Terms};
use super::mailbox::session::Cursor;
use super::pool::{self, Job, Lost, Traits};
use super::{CachedReading, Outcome};

use crate::model::failure::Failure;
use crate::model::identity::Identity;
use crate::process::fault;
use crate::process::interrupt::Deadline;
use crate::process::redact::Settler;
use crate::wire::context::Context;
use crate::wire::limit::{Limit, Limiter};
use crate::wire::retry;

/// The checks of a run, and how they are made. [`look`] consumes them.
pub(crate) struct Work {
    /// The accounts, in the order of the config.
    pub accounts: Vec<NamedAccount>,
    /// The mailboxes, in the order of the config.
    pub mailboxes: Vec<Mailbox>,
    /// How mailboxes are read.
    pub email: EmailSettings,
    /// Threads that check at the same time; at most the number of checks.
    pub workers: usize,
    /// Repeats after a first attempt.
    pub max_retries: u32,
    /// When a host is left alone.
    pub circuit: Circuit,
    /// How often providers may be asked, by their ids.
    pub rate_limits: BTreeMap<String, Limit>,
}

/// An account to check.
pub(crate) struct NamedAccount {
    /// The unique name of the project.
    pub name: String,
    /// How to read it, or why it cannot be read.
    pub account: Result<Account, Failure>,
}

impl NamedAccount {
    /// What accounts of one page with the same options have in common: its compiled expressions.
    fn page(&self) -> usize {
        self.account.as_ref().map_or(0, |account| Arc::as_ptr(&account.reader).addr())
    }

    /// The host and port that is asked; none for a file and for an account that cannot be read.
    pub(crate) fn host(&self) -> Option<String> {
        self.account.as_ref().ok()?.target.host()
    }
}

impl Work {
    /// Providers that are asked over the network, with the hosts that are asked.
    pub(crate) fn hosts(&self) -> BTreeSet<(String, String)> {
        let host = |check: &NamedAccount| Some((check.account.as_ref().ok()?.page.id.clone(), check.host()?));
        self.accounts.iter().filter_map(host).collect()
    }
}

/// What earlier runs have left for the checks of this one.
#[derive(Default)]
pub(crate) struct Known {
    /// The circuits that are not closed, or not sure to be.
    pub circuits: HashMap<String, HostState>,
    /// Readings that may be used again.
    pub readings: Readings,
    /// How far mailboxes were read.
    pub cursors: HashMap<Identity, Cursor>,
    /// The mails that runs which have died were about to read, or that another run is about to read.
    pub marks: HashMap<Identity, Mark>,
    /// Writes down which mails are about to be read; none if this run writes nothing.
    pub marker: Option<Marker>,
}

/// What was seen of the world.
pub(crate) struct Seen {
    /// What came of each account, in the order of the work.
    pub accounts: Vec<Outcome>,
    /// What came of each mailbox, in the order of the work.
    pub mailboxes: Vec<Scanned>,
    /// The readings of this run, by hashed account.
    pub readings: Vec<(String, CachedReading)>,
    /// The circuits that have changed.
    pub circuits: Vec<(String, HostState)>,
    /// For each provider that is asked over the network, whether one of its hosts is left alone now.
    pub open_circuits: BTreeMap<String, bool>,
}

/// What came of one job.
enum Looked {
    Account(Outcome),
    Mailbox(Scanned),
}

/// Makes the checks, and gives up at `until` what is not finished. `on_done` hears the number of finished checks.
pub(crate) fn look(work: Work, known: Known, context: &Context, until: Deadline, on_done: impl FnMut(usize)) -> Seen {
    let providers = work.hosts();
    let hosts: Vec<Option<String>> = work.accounts.iter().map(NamedAccount::host).collect();
    let pages: Vec<usize> = work.accounts.iter().map(NamedAccount::page).collect();
    let shared = Arc::new(Shared {
        clients: Arc::clone(&context.clients),
        redactor: Arc::clone(&context.redactor),
        clock: context.clock,
        policy: retry::Policy { max_retries: work.max_retries, deadline: until },
        breaker: Arc::new(Breaker::new(work.circuit, known.circuits)),
        limiters: work.rate_limits.into_iter().map(|(provider, limit)| (provider, Limiter::new(limit))).collect(),
        readings: known.readings,
    });
    let terms = Arc::new(Terms {
        today: context.today,
        settings: work.email,
        policy: shared.policy.clone(),
        resolver: Resolver::default(),
        marker: known.marker.unwrap_or_else(|| Arc::new(|_, _| ())),
        clients: Arc::clone(&shared.clients),
        redactor: Arc::clone(&shared.redactor),
    });
    let slow = work.mailboxes.len();
    let scans = work.mailboxes.into_iter().map(|mailbox| {
        let identity = mailbox.identity();
        let (cursor, mark) = (known.cursors.get(&identity).copied(), known.marks.get(&identity).copied());
        scan(Scanner::new(mailbox, cursor, mark, Arc::clone(&terms)))
    });
    let accounts = work.accounts.into_iter().map(|check| job(check.name, check.account, &shared, Looked::Account));
    // Mailboxes take longest, so they begin first.
    let jobs: Vec<Job<Looked>> = scans.chain(accounts).collect();
    let traits = Traits {
        slow,
        hosts: std::iter::repeat_n(None, slow).chain(hosts.iter().cloned()).collect(),
        pages: std::iter::repeat_n(0, slow).chain(pages).collect(),
        has_answered: |looked| matches!(looked, Looked::Account(outcome) if outcome.has_answered()),
    };
    let mut looked = pool::run(jobs, &traits, work.workers, &shared.policy.deadline, on_done).into_iter();
    let mut settler = Settler::new(&context.redactor);
    Seen {
        mailboxes: looked.by_ref().take(slow).map(|looked| scanned(looked, &mut settler)).collect(),
        accounts: looked.zip(hosts).map(|(looked, host)| outcome(looked, host, &mut settler)).collect(),
        readings: shared.readings.learnt(),
        circuits: shared.breaker.changes(),
        open_circuits: open_circuits(&providers, &shared.breaker, context.clock.now()),
    }
}

fn scan(mut scanner: Scanner) -> Job<Looked> {
    Box::new(move |most| {
        fault::point(&format!("check-panic:{}", scanner.name()));
        scanner.turn(most).map(Looked::Mailbox)
    })
}

/// What came of a mailbox. Here and in [`outcome`] all that comes from outside enters the run, so failures are redacted here,
/// those of checks that the pool has lost included.
fn scanned(looked: Result<Looked, Lost>, settler: &mut Settler) -> Scanned {
    let scanned = match looked {
        Ok(Looked::Mailbox(scanned)) => scanned,
        Ok(Looked::Account(_)) => Scanned::lost(Lost::never()),
        Err(lost) => Scanned::lost(lost),
    };
    Scanned { result: scanned.result.map_err(|failure| settler.settle(failure)), ..scanned }
}

/// What came of an account at `host`.
fn outcome(looked: Result<Looked, Lost>, host: Option<String>, settler: &mut Settler) -> Outcome {
    let outcome = match looked {
        Ok(Looked::Account(outcome)) => outcome,
        Ok(Looked::Mailbox(_)) => Outcome::lost(Lost::never()),
        Err(lost) => Outcome::lost(lost),
    };
    // A host that was not asked is not to blame.
    let is_asked = outcome.attempts > 0;
    let about = |failure: Failure| match host {
        Some(host) if is_asked && !failure.is_cancelled() => failure.at(host),
        _ => failure,
    };
    Outcome { result: outcome.result.map_err(|failure| settler.settle(about(failure))), ..outcome }
}

fn open_circuits(providers: &BTreeSet<(String, String)>, breaker: &Breaker, now: Timestamp) -> BTreeMap<String, bool> {
    let mut circuits = BTreeMap::new();
    for (provider, host) in providers {
        *circuits.entry(provider.clone()).or_default() |= breaker.is_open(host, now);
    }
    circuits
}
