//! One check as the pool runs it: a fresh reading of another run, or leave from the circuit and attempts until one
//! succeeds or another cannot help.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::account::drift::{Answers, Outline};
use super::account::{Account, Attempt, ProviderClient, Underway};
use super::circuit::{Breaker, Permit};
use super::pool::{self, Job, Turn};
use super::{CachedReading, Call, Outcome, Reading};
use crate::model::failure::{Failure, Reason, Retry};
use crate::process::clock::Clock;
use crate::process::fault;
use crate::process::redact::Redactor;
use crate::wire::http::Clients;
use crate::wire::limit::{Limiter, Slot};
use crate::wire::retry;

/// How long a check pauses before it looks again whether the probe of the half-open circuit is done. It is a poll, because the
/// probe ends on a worker that does not know who waits for it, and the condvar of the pool tells of jobs and not of circuits.
const PAUSE: Duration = Duration::from_millis(5);

/// What the checks of a run share.
pub(crate) struct Shared {
    pub clients: Arc<Clients>,
    /// Knows every secret.
    pub redactor: Arc<Redactor>,
    /// The clock of the run.
    pub clock: Clock,
    /// How often and how long to try.
    pub policy: retry::Policy,
    /// The circuits.
    pub breaker: Arc<Breaker>,
    /// The limiters of the providers that have one.
    pub limiters: HashMap<String, Limiter>,
    /// Readings that may be used again instead of asking.
    pub readings: Readings,
    /// What the answers of services look like.
    pub answers: SeenAnswers,
}

/// What the answers of services look like in this run.
#[derive(Default)]
pub(crate) struct SeenAnswers {
    /// The key of the hashes that are kept of them; none if nothing is kept.
    pub key: Option<String>,
    /// By source.
    pub seen: Mutex<BTreeMap<String, Outline>>,
}

impl SeenAnswers {
    fn learn(&self, account: &Account, outline: Outline) {
        let source = self.key.as_deref().and_then(|key| account.source(key));
        if let Some(source) = source.filter(|_| !outline.is_empty()) {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(source).or_default().merge(outline);
        }
    }

    /// What was seen.
    pub(crate) fn learnt(&self) -> Vec<Answers> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.into_iter().map(|(source, outline)| Answers { source, outline }).collect()
    }
}

/// Readings that can be used again.
#[derive(Default)]
pub(crate) struct Readings {
    /// The key of the hashes that name accounts; none if readings are not kept.
    pub account_key: Option<String>,
    /// How old a reading may be, unless the page of its provider wants longer times between two questions.
    pub ttl: Duration,
    /// Those of other runs.
    pub known: HashMap<String, CachedReading>,
    /// Those of this one.
    pub new: Mutex<Vec<(String, CachedReading)>>,
}

impl Readings {
    /// How long a reading of an account is used again; none if it is not.
    fn kept(&self, account: &Account) -> Option<Duration> {
        let ttl = self.ttl.max(account.min_interval().unwrap_or_default());
        Some(ttl).filter(|ttl| !ttl.is_zero())
    }

    /// A reading that is fresh enough. One from the future was written by a clock that was wrong.
    fn fresh(&self, account: &str, ttl: Duration, now: Timestamp) -> Option<Reading> {
        let cached = self.known.get(account)?;
        let age = now.duration_since(cached.at);
        let is_fresh = !age.is_negative() && age < SignedDuration::try_from(ttl).ok()?;
        is_fresh.then(|| cached.reading.clone())
    }

    fn learn(&self, account: String, reading: &Reading, now: Timestamp) {
        let cached = CachedReading { at: now, reading: reading.clone() };
        self.new.lock().unwrap_or_else(PoisonError::into_inner).push((account, cached));
    }

    /// What this run has read.
    pub(crate) fn learnt(&self) -> Vec<(String, CachedReading)> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The state of a check between two turns. It is kept only while the job has returned a turn other than `Done`.
struct CheckProgress {
    begun: Instant,
    permit: Option<Permit>,
    attempts: u32,
    calls: Vec<Call>,
    /// How the last attempt failed.
    failure: Option<Failure>,
    /// How far the attempt has come that waits for the provider's limit.
    underway: Option<Underway>,
    /// What the answers of this attempt look like.
    outline: Outline,
}

/// Builds the pool job for one account. An account with an error in its config fails at once. `wrap` converts the outcome into
/// the type of the pool's items.
pub(crate) fn job<T: 'static>(
    name: String,
    account: Result<Account, Failure>,
    shared: &Arc<Shared>,
    wrap: fn(Outcome) -> T,
) -> Job<T> {
    let shared = Arc::clone(shared);
    let mut progress = None;
    Box::new(move |most| {
        let turn = match &account {
            Err(failure) => Turn::Done(none(Err(failure.clone()), false)),
            Ok(account) => {
                fault::point(&format!("check-panic:{name}"));
                shared.look(account, &mut progress, most)
            }
        };
        turn.map(|outcome| {
            log(&name, &outcome);
            wrap(outcome)
        })
    })
}

fn log(name: &str, outcome: &Outcome) {
    let attempts = outcome.attempts;
    match &outcome.result {
        Ok(reading) => log::debug!(
            check:? = name, attempts = attempts, cached = outcome.cached; "read: {:?}", reading.amount
        ),
        Err(failure) => log::info!(
            check:? = name, reason:? = failure.reason.as_str(), attempts = attempts;
            "not read: {}", failure.describe()
        ),
    }
}

/// An outcome without a question to anybody.
fn none(result: Result<Reading, Failure>, cached: bool) -> Outcome {
    Outcome { result, as_of: None, cached, attempts: 0, calls: Vec::new(), duration: Duration::ZERO }
}

impl Shared {
    /// Makes one attempt, or says when to call again: after a transient failure, when the rate limit allows it, or when another
    /// check has probed the host. Meanwhile the worker is free for others.
    fn look(&self, account: &Account, progress: &mut Option<CheckProgress>, most: Duration) -> Turn<Outcome> {
        let kept = self.readings.kept(account);
        let key = self.readings.account_key.as_ref().zip(kept);
        let known_as = key.and_then(|(key, _)| account.fingerprint(key));
        let begun = match progress.take() {
            Some(earlier) => self.go_on(account, earlier),
            None => self.begin(account, known_as.as_deref().zip(kept)),
        };
        let mut now = match begun {
            ControlFlow::Continue(now) => now,
            ControlFlow::Break(turn) => return turn,
        };
        let limiter = self.limiters.get(&account.page.id);
        let slot = match limiter.map(|limiter| (limiter, limiter.take())) {
            None => None,
            Some((_, Ok(slot))) => Some(slot),
            Some((limiter, Err(at))) => return self.wait_for(limiter, at, now, progress),
        };
        let read = self.attempt(account, &mut now, limiter, slot, most);
        if let Ok(Attempt::Read(reading)) = &read {
            self.answers.learn(account, std::mem::take(&mut now.outline));
            if let Some(known_as) = known_as {
                self.readings.learn(known_as, reading, self.clock.now());
            }
        }
        self.settle(read, now, limiter, progress)
    }

    /// The first turn of a check: it needs no attempt if a reading is fresh enough or the host is left alone, and has to wait if
    /// another check probes the host.
    fn begin(&self, account: &Account, known: Option<(&str, Duration)>) -> ControlFlow<Turn<Outcome>, CheckProgress> {
        let fresh = known.and_then(|(account, ttl)| self.readings.fresh(account, ttl, self.clock.now()));
        if let Some(reading) = fresh {
            return ControlFlow::Break(Turn::Done(none(Ok(reading), true)));
        }
        let permit = match account.target.host().map(|host| self.breaker.permit(&host, self.clock.now())) {
            None => None,
            Some(Ok(Some(permit))) => Some(permit),
            Some(Ok(None)) => {
                let message = "not asked: another check had not found out in time whether the host is back";
                return ControlFlow::Break(Turn::Later(
                    Instant::now() + PAUSE,
                    Failure::new(Reason::CircuitOpen, message),
                ));
            }
            Some(Err(failure)) => return ControlFlow::Break(Turn::Done(none(Err(failure), false))),
        };
        let begun = Instant::now();
        ControlFlow::Continue(CheckProgress {
            begun,
            permit,
            attempts: 0,
            calls: Vec::new(),
            failure: None,
            underway: None,
            outline: Outline::default(),
        })
    }

    /// A later turn of a check: it ends with its last failure if the host is left alone meanwhile.
    fn go_on(&self, account: &Account, mut earlier: CheckProgress) -> ControlFlow<Turn<Outcome>, CheckProgress> {
        let Some(failure) = earlier.failure.take_if(|_| self.is_left_alone(account)) else {
            return ControlFlow::Continue(earlier);
        };
        // Every failure that counts has been counted, so the permit is withdrawn and not reported.
        earlier.permit.take().into_iter().for_each(Permit::withdraw);
        ControlFlow::Break(Turn::Done(earlier.end(Err(failure))))
    }

    /// What follows if the provider's limit allows the next request only at a time: a wait, or the end where that is too late.
    fn wait_for(
        &self,
        limiter: &Limiter,
        at: Instant,
        now: CheckProgress,
        progress: &mut Option<CheckProgress>,
    ) -> Turn<Outcome> {
        if at >= self.policy.deadline.at() {
            return Turn::Done(self.outcome(now, Err(limiter.refusal())));
        }
        if let Some(refusal) = now.underway.as_ref().and_then(|underway| underway.refusal(at, limiter)) {
            return Turn::Done(self.outcome(now, Err(refusal)));
        }
        let (attempts, is_underway) = (now.attempts, now.underway.is_some());
        if is_underway || attempts > 0 {
            *progress = Some(now);
            return match is_underway {
                true => Turn::Underway(at, limiter.refusal(), attempts),
                false => Turn::Again(at, limiter.refusal(), attempts),
            };
        }
        if let Some(permit) = now.permit {
            // Others may know sooner whether the host is back.
            permit.withdraw();
        }
        Turn::Later(at, limiter.refusal())
    }

    /// One attempt, or the next part of one that has waited for the provider's limit.
    fn attempt<'a>(
        &'a self,
        account: &'a Account,
        now: &mut CheckProgress,
        limiter: Option<&'a Limiter>,
        slot: Option<Slot<'a>>,
        most: Duration,
    ) -> Result<Attempt, Failure> {
        let underway = now.underway.take();
        now.attempts += u32::from(underway.is_none());
        let outline = std::mem::take(&mut now.outline);
        // An attempt that failed leaves nothing.
        let outline = if underway.is_none() { Outline::default() } else { outline };
        let mut line = ProviderClient {
            clients: &self.clients,
            redactor: &self.redactor,
            limiter,
            deadline: &self.policy.deadline,
            place: slot,
            calls: std::mem::take(&mut now.calls),
            witness: None,
            is_signed: account.page.sign.is_some(),
            outline: self.answers.key.is_some().then_some(outline),
        };
        let result = account.read(&mut line, self.clock.now(), self.policy.time().min(most), underway);
        now.calls = line.calls;
        now.outline = line.outline.unwrap_or_default();
        match result? {
            Attempt::Read(reading) => Ok(Attempt::Read(Box::new(reading.without_secrets(&self.redactor)?))),
            waits @ Attempt::Waits(..) => Ok(waits),
        }
    }

    /// What follows from an attempt: the end of the check, or another turn.
    fn settle(
        &self,
        read: Result<Attempt, Failure>,
        now: CheckProgress,
        limiter: Option<&Limiter>,
        progress: &mut Option<CheckProgress>,
    ) -> Turn<Outcome> {
        let attempts = now.attempts;
        let failure = match read {
            Ok(Attempt::Read(reading)) => return Turn::Done(self.outcome(now, Ok(*reading))),
            Ok(Attempt::Waits(at, underway)) => {
                *progress = Some(CheckProgress { underway: Some(*underway), ..now });
                let why = limiter.map_or_else(|| Failure::new(Reason::RateLimited, "not asked"), Limiter::refusal);
                return Turn::Underway(at, why, attempts);
            }
            Err(failure) => failure,
        };
        match retry::after(&self.policy, &self.redactor, attempts, failure) {
            retry::Next::GiveUp(failure) => Turn::Done(self.outcome(now, Err(failure))),
            retry::Next::Wait(wait, failure) => {
                if let Some(permit) = &now.permit {
                    permit.note(&failure, self.clock.now());
                }
                *progress = Some(CheckProgress { failure: Some(failure.clone()), ..now });
                Turn::Again(Instant::now() + wait, failure, attempts)
            }
        }
    }

    /// Whether the host of an account has failed so often meanwhile that it is not asked again.
    fn is_left_alone(&self, account: &Account) -> bool {
        account.target.host().is_some_and(|host| self.breaker.is_open(&host, self.clock.now()))
    }

    /// The end of a check.
    fn outcome(&self, mut asked: CheckProgress, result: Result<Reading, Failure>) -> Outcome {
        let result = pool::or_cancelled(result, &self.policy.deadline);
        if let Some(permit) = asked.permit.take() {
            match &result {
                // What this program's own limit or a signal refuses says nothing of the host.
                Err(failure)
                    if failure.is_cancelled()
                        || (failure.reason == Reason::RateLimited && failure.retry == Retry::Never) =>
                {
                    permit.withdraw();
                }
                result => permit.report(result.as_ref().err(), self.clock.now()),
            }
        }
        asked.end(result)
    }
}

impl CheckProgress {
    fn end(mut self, result: Result<Reading, Failure>) -> Outcome {
        // They are kept until the end of the run, and there is mostly one.
        self.calls.shrink_to_fit();
        Outcome {
            result,
            as_of: None,
            cached: false,
            attempts: self.attempts,
            calls: self.calls,
            duration: self.begun.elapsed(),
        }
    }
}
