//! The past runs, one after the other, decided with the config that is tried.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::as_found::AsFound;
use super::super::check::foresight::{foresee_one, is_wanted};
use super::readings::Past;
use super::shown::{Backtest, Said};
use crate::decide::forecast::account::Reading;
use crate::decide::forecast::reads_from;
use crate::decide::found::{Subjects, found};
use crate::decide::memory::{Memory, Mute};
use crate::decide::{Found, MailboxVerdict, Rules, SubscriptionVerdict, decide};
use crate::model::identity::Identity;
use crate::model::shard::Shard;
use crate::model::threshold::Threshold;
use crate::state::past_runs::{Check, Seen};
use crate::state::queries::LastRun;

/// Where an entry stands in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Account(usize),
    Mailbox(usize),
    Subscription(usize),
}

/// What has happened so far.
pub(super) struct Course {
    subjects: Subjects,
    rules: Rules,
    since: Timestamp,
    /// The entries, by what names them in the memory of runs.
    places: HashMap<Identity, Place>,
    /// What accounts were counted in where a sample does not say it.
    currencies: HashMap<Identity, String>,
    /// The last payment of each subscription that people have noted.
    payments: HashMap<Identity, Date>,
    memory: Memory,
    past: Past,
    /// When the last whole run of each shard began.
    previous: HashMap<Option<Shard>, Timestamp>,
    seen: HashSet<Place>,
    said: Vec<Said>,
}

impl Course {
    pub(super) fn new(
        (subjects, rules): (Subjects, Rules),
        checks: &[Check],
        (mutes, payments): (Vec<Mute>, HashMap<Identity, Date>),
        since: Timestamp,
    ) -> Course {
        let places = places(&subjects, checks);
        let currencies =
            checks.iter().filter_map(|check| Some((check.identity, check.currency.clone()?))).collect();
        Course {
            subjects,
            rules,
            since,
            places,
            currencies,
            payments,
            memory: Memory { mutes, ..Memory::default() },
            past: Past::default(),
            previous: HashMap::new(),
            seen: HashSet::new(),
            said: Vec::new(),
        }
    }

    /// The checks whose samples matter, if they can be asked for one by one.
    pub(super) fn wanted(&self) -> Option<Vec<Identity>> {
        (self.places.len() <= 300).then(|| self.places.keys().copied().collect())
    }

    /// Whether an alert is about an entry of the config.
    pub(super) fn knows(&self, check: Identity, name: &str) -> bool {
        self.places.contains_key(&check) || self.places.values().any(|place| self.name(*place) == name)
    }

    /// Decides one run again.
    pub(super) fn run(&mut self, run: &LastRun, seen: &[Seen]) {
        let now = run.started_at;
        let mut found = self.found(now, seen);
        let chosen = self.past.chosen(now);
        for verdict in found.accounts.iter_mut().filter(|verdict| is_wanted(verdict)) {
            let days = verdict.subject.forecasting.map(|settings| settings.window_days).unwrap_or_default();
            let readings = self.past.of(verdict.subject.identity, &chosen, reads_from(now, days));
            foresee_one(verdict, readings, now);
        }
        self.memory.previous_run = self.previous.get(&run.shard).copied();
        if !run.is_partial {
            self.previous.insert(run.shard, now);
        }
        self.rules.left_out = self.left_out(&found);
        let decision = decide(&found, &self.memory, &self.rules, now, &run.id);
        self.memory.follow(&decision, now);
        self.remember(run, &found);
        if now >= self.since {
            let alerts = decision.alerts.into_iter();
            let said = alerts.map(|telling| Said { at: now, run: run.id.clone(), alert: telling.alert, to: telling.to });
            self.said.extend(said);
        }
    }

    /// What the run found, judged by the config that is tried.
    fn found(&mut self, now: Timestamp, seen: &[Seen]) -> Found {
        let today = now.to_zoned(self.rules.timezone.clone()).date();
        let mut placed: Vec<(Place, &Seen)> =
            seen.iter().filter_map(|one| Some((*self.places.get(&one.check)?, one))).collect();
        placed.sort_by_key(|(place, _)| *place);
        let nothing = Subjects { accounts: Vec::new(), mailboxes: Vec::new(), subscriptions: Vec::new() };
        let (mut subjects, mut outcomes, mut scans) = (nothing, Vec::new(), Vec::new());
        for (place, one) in placed {
            self.seen.insert(place);
            let of_check = || self.currencies.get(&one.check).map(String::as_str);
            let as_found = AsFound {
                status: &one.status,
                balance: one.balance,
                currency: one.currency.as_deref().or_else(of_check).filter(|currency| !currency.is_empty()),
                threshold: one.threshold,
                reason: one.reason.as_deref(),
                credits: &[],
            };
            match place {
                Place::Account(at) => {
                    let (subject, outcome) = as_found.read(self.subjects.accounts[at].clone());
                    subjects.accounts.push(subject);
                    outcomes.push(outcome);
                }
                Place::Mailbox(at) => {
                    subjects.mailboxes.push(self.subjects.mailboxes[at].clone());
                    scans.push(as_found.scan());
                }
                Place::Subscription(at) => subjects.subscriptions.push(self.subjects.subscriptions[at].clone()),
            }
        }
        let paid = self.payments.iter().filter(|(_, day)| **day <= today).map(|(check, day)| (*check, *day));
        subjects.note(&paid.collect());
        found(subjects, outcomes, scans, today)
    }

    /// The checks that the run did not look at.
    fn left_out(&self, found: &Found) -> HashSet<Identity> {
        let accounts = found.accounts.iter().map(|verdict| verdict.subject.identity);
        let here: HashSet<Identity> = accounts.chain(found.mailboxes.iter().map(|verdict| verdict.identity)).collect();
        let accounts = self.subjects.accounts.iter().map(|subject| subject.identity);
        let all = accounts.chain(self.subjects.mailboxes.iter().map(|mailbox| mailbox.identity));
        all.filter(|identity| !here.contains(identity)).collect()
    }

    /// Keeps what the run read, for the forecasts of later ones.
    fn remember(&mut self, run: &LastRun, found: &Found) {
        let read = found.accounts.iter().filter_map(|verdict| {
            let currency = Some(verdict.currency.clone().unwrap_or_default());
            Some((verdict.subject.identity, Reading { at: run.started_at, balance: verdict.balance?, currency }))
        });
        self.past.add((run.shard, run.is_partial), run.started_at, read.collect());
    }

    fn name(&self, place: Place) -> &str {
        match place {
            Place::Account(at) => &self.subjects.accounts[at].name,
            Place::Mailbox(at) => &self.subjects.mailboxes[at].name,
            Place::Subscription(at) => &self.subjects.subscriptions[at].name,
        }
    }

    /// The answer. `told` is what was told, and `times` from when until when the runs were.
    pub(super) fn end(self, told: Vec<Said>, times: (Timestamp, Timestamp), runs: usize) -> Backtest {
        let accounts = (0..self.subjects.accounts.len()).map(Place::Account);
        let mailboxes = (0..self.subjects.mailboxes.len()).map(Place::Mailbox);
        let subscriptions = (0..self.subjects.subscriptions.len()).map(Place::Subscription);
        let all = accounts.chain(mailboxes).chain(subscriptions);
        let unseen = all.filter(|place| !self.seen.contains(place)).map(|place| self.name(place).to_owned()).collect();
        let is_share = |written: &Option<Threshold>| matches!(written, Some(Threshold::Percent(_)));
        let shares = self.subjects.accounts.iter().filter(|subject| subject.written.iter().any(is_share));
        let shares = shares.map(|subject| subject.name.clone()).collect::<BTreeSet<_>>();
        Backtest {
            times,
            runs,
            checks: self.seen.len(),
            unseen,
            shares: shares.into_iter().collect(),
            timezone: self.rules.timezone,
            lines: super::shown::beside(self.said, told),
        }
    }
}

/// Where the checks that runs have looked at stand in the plan. One whose entry was changed since then is known by its name.
fn places(subjects: &Subjects, checks: &[Check]) -> HashMap<Identity, Place> {
    let accounts = subjects.accounts.iter().enumerate();
    let accounts = accounts.map(|(at, one)| (one.identity, (one.name.as_str(), ""), Place::Account(at)));
    let mailboxes = subjects.mailboxes.iter().enumerate();
    let imap = MailboxVerdict::PROVIDER;
    let mailboxes = mailboxes.map(|(at, one)| (one.identity, (one.name.as_str(), imap), Place::Mailbox(at)));
    let subscriptions = subjects.subscriptions.iter().enumerate().map(|(at, one)| {
        (one.identity(), (one.name.as_str(), SubscriptionVerdict::PROVIDER), Place::Subscription(at))
    });
    let (mut places, mut by_name) = (HashMap::new(), HashMap::new());
    for (identity, name, place) in accounts.chain(mailboxes).chain(subscriptions) {
        places.insert(identity, place);
        by_name.insert(name, place);
    }
    for check in checks {
        let kind = if [imap, SubscriptionVerdict::PROVIDER].contains(&check.provider.as_str()) { &check.provider } else { "" };
        if let Some(place) = by_name.get(&(check.name.as_str(), kind)) {
            places.entry(check.identity).or_insert(*place);
        }
    }
    places
}
