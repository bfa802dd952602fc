//! One check as the pool runs it: a fresh reading of another run, or leave from the circuit and attempts until one
//! succeeds or another cannot help.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::account::{Account, Attempt, ProviderClient, Underway};
use super::circuit::{Breaker, Permit};
use super::pool::{self, Job, Turn};
use super::{CachedReading, Call, Outcome, Reading};
use crate::model::failure::{Failure, Reason, Retry};
use crate::process::clock::Clock;
use crate::process::fault;
use crate::process::redact::Redactor;
use crate::wire::http::Clients;
use crate::wire::limit::Limiter;
use crate::wire::retry;

/// Before a check that waits for another one is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// What the checks of a run share.
pub(crate) struct Shared {
    /// The clients.
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
    /// The readings of other runs, and those of this one.
    pub readings: Readings,
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

/// What a check has come to that is not through: its turn comes again.
struct Asking {
    begun: Instant,
    permit: Option<Permit>,
    attempts: u32,
    calls: Vec<Call>,
    /// How the last attempt failed.
    failure: Option<Failure>,
    /// How far the attempt has come that waits for the provider's limit.
    underway: Option<Underway>,
}

/// The job of one account, or of one that cannot be asked; `wrap` makes of its outcome what the pool gives back.
pub(crate) fn job<T: 'static>(
    name: String,
    account: Result<Account, Failure>,
    shared: &Arc<Shared>,
    wrap: fn(Outcome) -> T,
) -> Job<T> {
    let shared = Arc::clone(shared);
    let mut asking = None;
    Box::new(move |most| {
        let turn = match &account {
            Err(failure) => Turn::Done(none(Err(failure.clone()), false)),
            Ok(account) => {
                fault::point(&format!("check-panic:{name}"));
                shared.look(account, &mut asking, most)
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
    /// Asks now, or says when its turn may be: after a failure that passes, as the provider's limit allows, or when another
    /// check has found out whether the host is back. Meanwhile the worker is free for others.
    fn look(&self, account: &Account, asking: &mut Option<Asking>, most: Duration) -> Turn<Outcome> {
        let kept = self.readings.kept(account);
        let key = self.readings.account_key.as_ref().zip(kept);
        let known_as = key.and_then(|(key, _)| account.fingerprint(key));
        let mut now = match asking.take() {
            Some(mut asking) => match asking.failure.take_if(|_| self.is_left_alone(account)) {
                Some(failure) => {
                    // Every failure that counts has been counted.
                    asking.permit.take().into_iter().for_each(Permit::withdraw);
                    return Turn::Done(asking.end(Err(failure)));
                }
                None => asking,
            },
            None => {
                let known = known_as.as_ref().zip(kept);
                if let Some(reading) =
                    known.and_then(|(account, ttl)| self.readings.fresh(account, ttl, self.clock.now()))
                {
                    return Turn::Done(none(Ok(reading), true));
                }
                let permit = account.target.host().map(|host| self.breaker.permit(&host, self.clock.now()));
                let permit = match permit {
                    None => None,
                    Some(Ok(Some(permit))) => Some(permit),
                    Some(Ok(None)) => {
                        let message = "not asked: another check had not found out in time whether the host is back";
                        return Turn::Later(Instant::now() + PAUSE, Failure::new(Reason::CircuitOpen, message));
                    }
                    Some(Err(failure)) => return Turn::Done(none(Err(failure), false)),
                };
                Asking { begun: Instant::now(), permit, attempts: 0, calls: Vec::new(), failure: None, underway: None }
            }
        };
        let limiter = self.limiters.get(&account.page.id);
        let place = match limiter.map(|limiter| (limiter, limiter.take())) {
            None => None,
            Some((_, Ok(place))) => Some(place),
            Some((limiter, Err(at))) if at < self.policy.deadline.at() => {
                if let Some(refusal) = now.underway.as_ref().and_then(|underway| underway.refusal(at, limiter)) {
                    return Turn::Done(self.outcome(now, Err(refusal)));
                }
                if now.underway.is_some() {
                    let attempts = now.attempts;
                    *asking = Some(now);
                    return Turn::Underway(at, limiter.refusal(), attempts);
                }
                if now.attempts > 0 {
                    let attempts = now.attempts;
                    *asking = Some(now);
                    return Turn::Again(at, limiter.refusal(), attempts);
                }
                if let Some(permit) = now.permit {
                    // Others may know sooner whether the host is back.
                    permit.withdraw();
                }
                return Turn::Later(at, limiter.refusal());
            }
            Some((limiter, Err(_))) => return Turn::Done(self.outcome(now, Err(limiter.refusal()))),
        };
        let underway = now.underway.take();
        now.attempts += u32::from(underway.is_none());
        let mut line = ProviderClient {
            clients: &self.clients,
            redactor: &self.redactor,
            limiter,
            deadline: &self.policy.deadline,
            place,
            calls: std::mem::take(&mut now.calls),
            witness: None,
            is_signed: account.page.sign.is_some(),
        };
        let result = account.read(&mut line, self.clock.now(), self.policy.time().min(most), underway);
        now.calls = line.calls;
        let read = result.and_then(|attempt| match attempt {
            Attempt::Read(reading) => Ok(Attempt::Read(Box::new(reading.without_secrets(&self.redactor)?))),
            waits @ Attempt::Waits(..) => Ok(waits),
        });
        let result = match read {
            Ok(Attempt::Waits(at, underway)) => {
                let attempts = now.attempts;
                *asking = Some(Asking { underway: Some(*underway), ..now });
                let why = limiter.map_or_else(|| Failure::new(Reason::RateLimited, "not asked"), Limiter::refusal);
                return Turn::Underway(at, why, attempts);
            }
            Ok(Attempt::Read(reading)) => {
                let reading = *reading;
                if let Some(account) = known_as {
                    self.readings.learn(account, &reading, self.clock.now());
                }
                Ok(reading)
            }
            Err(failure) => match retry::after(&self.policy, &self.redactor, now.attempts, failure) {
                retry::Next::GiveUp(failure) => Err(failure),
                retry::Next::Wait(wait, failure) => {
                    if let Some(permit) = &now.permit {
                        permit.note(&failure, self.clock.now());
                    }
                    let attempts = now.attempts;
                    *asking = Some(Asking { failure: Some(failure.clone()), ..now });
                    return Turn::Again(Instant::now() + wait, failure, attempts);
                }
            },
        };
        Turn::Done(self.outcome(now, result))
    }

    /// Whether the host of an account has failed so often meanwhile that it is not asked again.
    fn is_left_alone(&self, account: &Account) -> bool {
        account.target.host().is_some_and(|host| self.breaker.is_open(&host, self.clock.now()))
    }

    /// The end of a check.
    fn outcome(&self, mut asked: Asking, result: Result<Reading, Failure>) -> Outcome {
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

impl Asking {
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
