//! All checks of a run, made at the same time as far as there are workers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::account::Account;
use super::account::balance_mails::Letters;
use super::account::drift::Answers;
use super::circuit::{Breaker, Circuit, HostState};
use super::job::{Readings, SeenAnswers, Shared, job};
use super::mailbox::account_mails::{self, Kept, Watch};
use super::mailbox::config::{EmailSettings, Mailbox};
use super::mailbox::imap_session::Cursor;
use super::mailbox::resolve::Resolver;
use super::mailbox::scan::{Mark, Marker, Scanned, Scanner, Terms};
use super::mailbox::vendor::Vendors;
use super::pool::{self, Job, Traits, Unfinished};
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
    /// Mailboxes that are read for accounts alone: whether there is trouble in them is not asked.
    pub for_accounts: Vec<Mailbox>,
    /// The accounts that mails may be about.
    pub vendors: Vendors,
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
    /// The identity of its check.
    pub identity: Identity,
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

    /// Which mails tell its balance, if mails do.
    fn letters(&self) -> Option<&Letters> {
        self.account.as_ref().ok()?.letters()
    }

    /// The host and port that is asked; none for a file and for an account that cannot be read.
    pub(crate) fn host(&self) -> Option<String> {
        self.account.as_ref().ok()?.target.host()
    }
}

impl Work {
    /// The number of things that are done at the same time, as far as there are workers.
    pub(crate) fn jobs(&self) -> usize {
        let is_asked = |check: &&NamedAccount| check.letters().is_none();
        self.accounts.iter().filter(is_asked).count() + self.mailboxes.len() + self.for_accounts.len()
    }

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
    /// The key of the hashes that are kept of answers; none if nothing is kept.
    pub answers_key: Option<String>,
    /// How far mailboxes were read.
    pub cursors: HashMap<Identity, Cursor>,
    /// The mails that runs which have died were about to read, or that another run is about to read.
    pub marks: HashMap<Identity, Mark>,
    /// What is known of the accounts that mails tell of.
    pub mails: HashMap<Identity, Kept>,
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
    /// What the answers of services look like.
    pub answers: Vec<Answers>,
    /// What is known now of the accounts that mails tell of.
    pub mails: Vec<(Identity, Kept)>,
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
pub(crate) fn look(
    work: Work,
    mut known: Known,
    context: &Context,
    until: Deadline,
    on_done: impl FnMut(usize),
) -> Seen {
    let providers = work.hosts();
    let shared = Arc::new(Shared {
        clients: Arc::clone(&context.clients),
        redactor: Arc::clone(&context.redactor),
        clock: context.clock,
        policy: retry::Policy { max_retries: work.max_retries, deadline: until },
        breaker: Arc::new(Breaker::new(work.circuit, known.circuits)),
        limiters: work.rate_limits.into_iter().map(|(provider, limit)| (provider, Limiter::new(limit))).collect(),
        readings: known.readings,
        answers: SeenAnswers { key: known.answers_key, ..SeenAnswers::default() },
    });
    let terms = Arc::new(Terms {
        today: context.today,
        clock: context.clock,
        vendors: work.vendors,
        settings: work.email,
        policy: shared.policy.clone(),
        resolver: Resolver::default(),
        marker: known.marker.unwrap_or_else(|| Arc::new(|_, _| ())),
        clients: Arc::clone(&shared.clients),
        redactor: Arc::clone(&shared.redactor),
    });
    let (reported, slow) = (work.mailboxes.len(), work.mailboxes.len() + work.for_accounts.len());
    let mailboxes: Vec<Mailbox> = work.mailboxes.into_iter().chain(work.for_accounts).collect();
    let names: Vec<String> = mailboxes.iter().map(|mailbox| mailbox.name.clone()).collect();
    let scans = mailboxes.into_iter().enumerate().map(|(at, mailbox)| {
        let identity = mailbox.identity();
        let (cursor, mark) = (known.cursors.get(&identity).copied(), known.marks.get(&identity).copied());
        let ours = work.accounts.iter().filter(|check| check.letters().is_some_and(|own| own.mailbox == mailbox.name));
        let watches = ours.filter_map(|check| watch(check, &mut known.mails)).collect();
        scan(Scanner::new(mailbox, cursor, mark, Arc::clone(&terms)).watching(watches, at >= reported))
    });
    let scans: Vec<Job<Looked>> = scans.collect();
    let (by_mail, asked): (Vec<Entry>, Vec<Entry>) =
        work.accounts.into_iter().enumerate().partition(|(_, check)| check.letters().is_some());
    let hosts: Vec<Option<String>> = asked.iter().map(|(_, check)| check.host()).collect();
    let pages: Vec<usize> = asked.iter().map(|(_, check)| check.page()).collect();
    let (places, asked): (Vec<usize>, Vec<NamedAccount>) = asked.into_iter().unzip();
    let accounts = asked.into_iter().map(|check| job(check.name, check.account, &shared, Looked::Account));
    // Mailboxes take longest, so they begin first.
    let jobs: Vec<Job<Looked>> = scans.into_iter().chain(accounts).collect();
    let traits = Traits {
        slow,
        hosts: std::iter::repeat_n(None, slow).chain(hosts.iter().cloned()).collect(),
        pages: std::iter::repeat_n(0, slow).chain(pages).collect(),
        has_answered: |looked| matches!(looked, Looked::Account(outcome) if outcome.has_answered()),
    };
    let mut looked = pool::run(jobs, &traits, work.workers, &shared.policy.deadline, on_done).into_iter();
    let mut settler = Settler::new(&context.redactor);
    let mut mailboxes: Vec<Scanned> = looked.by_ref().take(slow).map(|looked| scanned(looked, &mut settler)).collect();
    let asked = looked.zip(hosts).map(|(looked, host)| outcome(looked, host, &mut settler));
    let asked: Vec<(usize, Outcome)> = places.into_iter().zip(asked).collect();
    let accounts = in_order(asked, &by_mail, |check| told_by_mail(check, &names, &mailboxes, context.clock.now()));
    let scans = mailboxes.iter_mut().filter_map(|scanned| scanned.result.as_mut().ok());
    let mails = scans.flat_map(|scan| std::mem::take(&mut scan.accounts)).collect();
    mailboxes.truncate(reported);
    Seen {
        mailboxes,
        accounts,
        mails,
        readings: shared.readings.learnt(),
        answers: shared.answers.learnt(),
        circuits: shared.breaker.changes(),
        open_circuits: open_circuits(&providers, &shared.breaker, context.clock.now()),
    }
}

/// An account with its place in the order of the work.
type Entry = (usize, NamedAccount);

/// What the scan of a mailbox is to find out for an account that mails tell of; none if its config is broken.
fn watch(check: &NamedAccount, known: &mut HashMap<Identity, Kept>) -> Option<Watch> {
    let account = check.account.as_ref().ok()?.clone();
    Some(Watch { identity: check.identity, account, kept: known.remove(&check.identity) })
}

/// The outcomes of the accounts in the order of the work: of those that were asked, and of those that mails tell of.
fn in_order(
    asked: Vec<(usize, Outcome)>,
    by_mail: &[Entry],
    told: impl Fn(&NamedAccount) -> Option<Outcome>,
) -> Vec<Outcome> {
    let mut accounts = asked;
    accounts.extend(by_mail.iter().filter_map(|(at, check)| Some((*at, told(check)?))));
    accounts.sort_by_key(|(at, _)| *at);
    accounts.into_iter().map(|(_, outcome)| outcome).collect()
}

/// What came of an account that mails tell of: what the scan of its mailbox has found. `names` are those of the mailboxes.
fn told_by_mail(check: &NamedAccount, names: &[String], scans: &[Scanned], now: Timestamp) -> Option<Outcome> {
    let account = check.account.as_ref().ok()?;
    let letters = account.letters()?;
    let scanned = names.iter().zip(scans).find(|(name, _)| **name == letters.mailbox).map(|(_, scanned)| scanned);
    let result = scanned.map(|scanned| scanned.result.as_ref());
    let read = match result {
        None => Ok((None, None)),
        Some(Err(failure)) => Err(failure),
        Some(Ok(scan)) => {
            let kept = scan.accounts.iter().find(|(identity, _)| *identity == check.identity).map(|(_, kept)| kept);
            Ok((kept, scan.not_for_accounts.as_ref()))
        }
    };
    let duration = scanned.map(|scanned| scanned.duration).unwrap_or_default();
    Some(account_mails::outcome(account, read, duration, now))
}

fn scan(mut scanner: Scanner) -> Job<Looked> {
    Box::new(move |most| {
        fault::point(&format!("check-panic:{}", scanner.name()));
        scanner.turn(most).map(Looked::Mailbox)
    })
}

/// What came of a mailbox. Here and in [`outcome`] all that comes from outside enters the run, so failures are redacted here,
/// those of checks that the pool has lost included.
fn scanned(looked: Result<Looked, Unfinished>, settler: &mut Settler) -> Scanned {
    let scanned = match looked {
        Ok(Looked::Mailbox(scanned)) => scanned,
        Ok(Looked::Account(_)) => Scanned::lost(Unfinished::never()),
        Err(lost) => Scanned::lost(lost),
    };
    Scanned { result: scanned.result.map_err(|failure| settler.settle(failure)), ..scanned }
}

/// What came of an account at `host`.
fn outcome(looked: Result<Looked, Unfinished>, host: Option<String>, settler: &mut Settler) -> Outcome {
    let outcome = match looked {
        Ok(Looked::Account(outcome)) => outcome,
        Ok(Looked::Mailbox(_)) => Outcome::lost(Unfinished::never()),
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
