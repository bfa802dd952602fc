//! One check as the pool runs it: a fresh reading of another run, or leave from the circuit and attempts until one
//! succeeds or another cannot help.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::circuit::Breaker;
use super::pool::{Job, Turn};
use super::provider::{Account, Line};
use super::{CachedReading, Outcome, Reading};
use crate::failure::{Failure, Reason};
use crate::http::Clients;
use crate::limit::Limiter;
use crate::redact::Redactor;
use crate::{fault, retry};

/// Before a check that waits for another one is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// What the checks of a run share.
pub struct Shared {
    /// The clients.
    pub clients: Arc<Clients>,
    /// Knows every secret.
    pub redactor: Arc<Redactor>,
    /// How often and how long to try.
    pub policy: retry::Policy,
    /// The circuits.
    pub breaker: Breaker,
    /// The limiters of the providers that have one.
    pub limiters: HashMap<String, Limiter>,
    /// The readings of other runs, and those of this one.
    pub readings: Readings,
}

/// Readings that can be used again.
#[derive(Default)]
pub struct Readings {
    /// The key of the hashes that name accounts; none if readings are not kept.
    pub account_key: Option<String>,
    /// How old a reading may be.
    pub ttl: Duration,
    /// Those of other runs.
    pub known: HashMap<String, CachedReading>,
    /// Those of this one.
    pub new: Mutex<Vec<(String, CachedReading)>>,
}

impl Readings {
    /// A reading that is fresh enough. One from the future was written by a clock that was wrong.
    fn fresh(&self, account: &str) -> Option<Reading> {
        let cached = self.known.get(account)?;
        let age = Timestamp::now().duration_since(cached.at);
        let is_fresh = !age.is_negative() && age < SignedDuration::try_from(self.ttl).ok()?;
        is_fresh.then(|| cached.reading.clone())
    }

    fn learn(&self, account: String, reading: &Reading) {
        let cached = CachedReading { at: Timestamp::now(), reading: reading.clone() };
        self.new.lock().unwrap_or_else(PoisonError::into_inner).push((account, cached));
    }

    /// What this run has read.
    pub fn learnt(&self) -> Vec<(String, CachedReading)> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The job of one account, or of one that cannot be asked.
pub fn job(name: String, account: Result<Account, Failure>, shared: &Arc<Shared>) -> Job<Outcome> {
    let shared = Arc::clone(shared);
    Box::new(move || {
        let begin = Instant::now();
        let mut outcome = match &account {
            Err(failure) => none(Err(failure.clone()), false),
            Ok(account) => {
                fault::point(&format!("check-panic:{name}"));
                match shared.look(account) {
                    Turn::Done(outcome) => outcome,
                    later @ Turn::Later(..) => return later,
                }
            }
        };
        outcome.duration = begin.elapsed();
        let attempts = outcome.attempts;
        match &outcome.result {
            Ok(reading) => log::debug!(
                check:? = name.as_str(), attempts = attempts, cached = outcome.cached; "read: {:?}", reading.amount
            ),
            Err(failure) => log::info!(
                check:? = name.as_str(), reason:? = failure.reason.as_str(), attempts = attempts;
                "not read: {}", failure.describe()
            ),
        }
        Turn::Done(outcome)
    })
}

/// An outcome without a question to anybody.
fn none(result: Result<Reading, Failure>, cached: bool) -> Outcome {
    Outcome { result, cached, attempts: 0, calls: Vec::new(), duration: Duration::ZERO }
}

impl Shared {
    /// Asks now, or says when its turn may be: while another check finds out whether the host is back, or as the provider's
    /// limit allows.
    fn look(&self, account: &Account) -> Turn<Outcome> {
        let known_as = self.readings.account_key.as_ref().and_then(|key| account.fingerprint(key));
        if let Some(reading) = known_as.as_ref().and_then(|account| self.readings.fresh(account)) {
            return Turn::Done(none(Ok(reading), true));
        }
        let limiter = self.limiters.get(&account.page.id);
        let place = match limiter.map(|limiter| (limiter, limiter.take())) {
            None => None,
            Some((_, Ok(place))) => Some(place),
            Some((limiter, Err(at))) => {
                return match limiter.refusal() {
                    refusal if at < self.policy.deadline.at() => Turn::Later(at, refusal),
                    refusal => Turn::Done(none(Err(refusal), false)),
                };
            }
        };
        let permit = match account.target.host().map(|host| self.breaker.permit(&host, Timestamp::now())) {
            None => None,
            Some(Ok(Some(permit))) => Some(permit),
            Some(Ok(None)) => {
                let message = "not asked: another check had not found out in time whether the host is back";
                return Turn::Later(Instant::now() + PAUSE, Failure::new(Reason::CircuitOpen, message));
            }
            Some(Err(failure)) => {
                return Turn::Done(none(Err(failure), false));
            }
        };
        let mut line = Line {
            clients: &self.clients,
            limiter,
            deadline: &self.policy.deadline,
            place,
            is_refused: false,
            calls: Vec::new(),
        };
        let (result, attempts) =
            retry::run(&self.policy, &self.redactor, |left| account.read(&mut line, Timestamp::now(), left));
        // What the limit refuses says nothing of the host.
        if let Some(permit) = permit.filter(|_| !line.is_refused) {
            permit.report(result.as_ref().err(), Timestamp::now());
        }
        if let (Ok(reading), Some(account)) = (&result, known_as) {
            self.readings.learn(account, reading);
        }
        // They are kept until the end of the run, and there is mostly one.
        line.calls.shrink_to_fit();
        // An attempt that the limit had no place for was none.
        let attempts = attempts - u32::from(line.is_refused);
        Turn::Done(Outcome { result, cached: false, attempts, calls: line.calls, duration: Duration::ZERO })
    }
}
