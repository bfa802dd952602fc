//! The circuit breaker: a host that keeps failing is left alone for a while, in this run and the next ones.
//!
//! Closed, then open after so many transient failures in a row, then half-open: one check asks, and the others let those of
//! other hosts go first until it knows. A failure is that of a check whose repeats are used up, as a host that says that it is busy
//! may be well a moment later; but every time-out counts at once, as it has cost a worker all of its time. Not here: which
//! failure is transient (`failure`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::model::failure::{Failure, Reason, Retry};
use crate::process::clock;
use crate::yaml::field::Number;

/// When a host that fails is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// Transient failures in a row that open the circuit; 0 for never.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Circuit {
    /// The range of `failures` in the config.
    pub(crate) const FAILURES: Number = Number::within(0, 1000).or(3);
    /// The range of `open_for` in the config, in seconds.
    pub(crate) const OPEN_FOR: Number = Number::above_zero(86_400).unit("seconds").or(60);
}

impl Default for Circuit {
    fn default() -> Self {
        Circuit { failures: Circuit::FAILURES.default(), open_for: Circuit::OPEN_FOR.default_seconds() }
    }
}

/// What is known of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostState {
    /// Transient failures in a row.
    pub failures: u32,
    /// Until when it is left alone.
    pub open_until: Option<Timestamp>,
    /// The last of these failures, without secrets: what people are told while the host is left alone.
    pub cause: Option<(Reason, String)>,
}

#[derive(Clone, Default)]
struct Host {
    state: HostState,
    /// A check is asking whether the host is back.
    is_probed: bool,
    /// This run has learnt something new.
    is_changed: bool,
}

/// The circuits of a run, shared by its workers.
pub(crate) struct Breaker {
    settings: Circuit,
    hosts: Mutex<HashMap<String, Host>>,
}

/// Leave to ask a host. Dropped without a report, as after a panic, it counts as a failure of a probe only.
pub(crate) struct Permit {
    breaker: Arc<Breaker>,
    host: String,
    is_probe: bool,
    /// When it was given.
    begun: (Timestamp, Instant),
}

impl Breaker {
    /// The circuits as the last runs left them.
    pub(crate) fn new(settings: Circuit, known: HashMap<String, HostState>) -> Breaker {
        let hosts = known.into_iter().map(|(host, state)| (host, Host { state, ..Host::default() })).collect();
        Breaker { settings, hosts: Mutex::new(hosts) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        // Nothing panics while it holds the lock, and single values could not be half-written.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave to ask a host now; none while another check finds out whether it is back.
    ///
    /// # Errors
    /// `circuit_open`, with the time at which the host is tried again.
    pub(crate) fn permit(self: &Arc<Self>, host: &str, now: Timestamp) -> Result<Option<Permit>, Failure> {
        let begun = (now, Instant::now());
        let permit = |is_probe| Some(Permit { breaker: Arc::clone(self), host: host.to_owned(), is_probe, begun });
        let mut hosts = self.lock();
        let known = hosts.entry(host.to_owned()).or_default();
        let Some(until) = known.state.open_until.filter(|_| self.settings.failures > 0) else {
            return Ok(permit(false));
        };
        // A time far ahead was written by a clock that was wrong.
        let longest = SignedDuration::try_from(self.settings.open_for).unwrap_or(SignedDuration::MAX);
        let is_over = now >= until || until.duration_since(now) > longest;
        if !is_over {
            return Err(refused(host, &known.state));
        }
        if known.is_probed {
            return Ok(None);
        }
        known.is_probed = true;
        Ok(permit(true))
    }

    /// What came of asking a host: a failure that counts against it, or none.
    fn learn(&self, host: &str, failure: Option<&Failure>, now: Timestamp) {
        let settings = self.settings;
        let mut hosts = self.lock();
        let host = hosts.entry(host.to_owned()).or_default();
        let before = host.state.clone();
        if let Some(failure) = failure {
            host.state.cause = Some((failure.reason, failure.describe()));
            host.state.failures = host.state.failures.saturating_add(1);
            if settings.failures > 0 && host.state.failures >= settings.failures {
                host.state.open_until = open_until(now, settings.open_for);
            }
        } else {
            host.state = HostState::default();
        }
        host.is_changed |= host.state != before;
    }

    /// Whether a host is left alone now.
    pub(crate) fn is_open(&self, host: &str, now: Timestamp) -> bool {
        let hosts = self.lock();
        let until = hosts.get(host).and_then(|host| host.state.open_until);
        self.settings.failures > 0 && until.is_some_and(|until| now < until)
    }

    /// What this run has learnt of the hosts.
    pub(crate) fn changes(&self) -> Vec<(String, HostState)> {
        let hosts = self.lock();
        hosts
            .iter()
            .filter(|(_, host)| host.is_changed)
            .map(|(name, host)| (name.clone(), host.state.clone()))
            .collect()
    }
}

fn refused(host: &str, state: &HostState) -> Failure {
    let until = state.open_until.map(|at| format!(" before {}", at.strftime("%H:%M:%SZ"))).unwrap_or_default();
    let failed = times(state.failures);
    let last = state.cause.as_ref().map(|(_, words)| Failure::without_host(words, host));
    let last = last.map(|words| format!(" (last: {words})")).unwrap_or_default();
    let message = format!("not asked: `{host}` failed {failed} in a row{last}, so it is not tried again{until}");
    let refused = Failure::new(Reason::CircuitOpen, message);
    match &state.cause {
        Some((reason, words)) => refused.because_of(Failure::new(*reason, words.clone())),
        None => refused,
    }
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

impl Permit {
    /// Tells what came of it. Only a transient failure counts against the host: a refusal is an answer.
    pub(crate) fn report(mut self, failure: Option<&Failure>, now: Timestamp) {
        self.settle(failure.filter(|failure| failure.retry != Retry::Never), now);
    }

    /// Tells of an attempt that is to be repeated: if it has timed out, it counts as a check of its own.
    pub(crate) fn note(&self, failure: &Failure, now: Timestamp) {
        if failure.reason == Reason::Timeout {
            self.breaker.learn(&self.host, Some(failure), now);
        }
    }

    /// Tells that nobody was asked after all, or that nothing was learnt of the host: the next one may probe.
    pub(crate) fn withdraw(mut self) {
        let mut hosts = self.breaker.lock();
        if let Some(host) = hosts.get_mut(&std::mem::take(&mut self.host)) {
            host.is_probed &= !self.is_probe;
        }
    }

    fn settle(&mut self, failure: Option<&Failure>, now: Timestamp) {
        let host = std::mem::take(&mut self.host);
        self.breaker.learn(&host, failure, now);
        if let Some(host) = self.breaker.lock().get_mut(&host) {
            host.is_probed &= !self.is_probe;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // A probe that ended without a word must not keep the others waiting.
        if self.is_probe && !self.host.is_empty() {
            let failure = Failure::transient(Reason::Internal, "the check failed by a defect of this program");
            let (at, since) = self.begun;
            self.settle(Some(&failure), clock::after(at, since.elapsed()));
        }
    }
}

fn open_until(now: Timestamp, open_for: Duration) -> Option<Timestamp> {
    now.checked_add(open_for).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "api.example";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn breaker() -> Arc<Breaker> {
        Arc::new(Breaker::new(Circuit::default(), HashMap::new()))
    }

    /// Asks at a second, with an answer: `Some(true)` is a transient failure.
    fn ask(breaker: &Arc<Breaker>, second: i64, failure: Option<Failure>) -> bool {
        match breaker.permit(HOST, at(second)) {
            Ok(None) => panic!("nobody probes"),
            Ok(Some(permit)) => {
                permit.report(failure.as_ref(), at(second));
                true
            }
            Err(refusal) => {
                assert_eq!(refusal.reason, Reason::CircuitOpen);
                assert_eq!(refusal.retry, Retry::Never);
                let cause = refusal.root();
                assert_eq!((cause.reason, cause.message.as_str()), (Reason::Timeout, "x"), "people hear the cause");
                false
            }
        }
    }

    fn passing() -> Option<Failure> {
        Some(Failure::transient(Reason::Timeout, "x"))
    }

    fn refusal() -> Option<Failure> {
        Some(Failure::new(Reason::Auth, "x"))
    }

    #[test]
    fn three_in_a_row_open_it_for_a_minute_and_one_good_answer_closes_it() {
        let breaker = breaker();
        for second in 0..3 {
            assert!(ask(&breaker, second, passing()));
        }
        assert!(!ask(&breaker, 3, None));
        assert!(!ask(&breaker, 61, None), "60 s from the third failure");
        assert!(ask(&breaker, 62, passing()), "a probe");
        assert!(!ask(&breaker, 63, None), "the probe failed: open again at once");
        assert!(!ask(&breaker, 121, None));
        assert!(ask(&breaker, 122, None));
        assert!(ask(&breaker, 122, passing()), "closed, and the count is at its beginning");
        assert!(ask(&breaker, 122, passing()));
    }

    #[test]
    fn every_time_out_counts_but_other_failures_only_when_their_check_is_over() {
        for (reason, is_open) in [(Reason::Timeout, true), (Reason::HttpStatus, false), (Reason::RateLimited, false)] {
            let (breaker, failure) = (breaker(), Failure::transient(reason, "x"));
            let permit = breaker.permit(HOST, at(0)).unwrap().unwrap();
            (0..3).for_each(|second| permit.note(&failure, at(second)));
            assert_eq!(breaker.is_open(HOST, at(3)), is_open, "{reason:?}");
            permit.withdraw();
            assert_eq!(breaker.changes().len(), usize::from(is_open), "{reason:?}");
        }
        let breaker = breaker();
        let permit = breaker.permit(HOST, at(0)).unwrap().unwrap();
        (0..2).for_each(|second| permit.note(&passing().unwrap(), at(second)));
        permit.report(passing().as_ref(), at(2));
        assert_eq!(breaker.changes()[0].1.failures, 3, "the last attempt counts once");
    }

    #[test]
    fn refusals_are_answers() {
        let breaker = breaker();
        for round in 0..20 {
            assert!(ask(&breaker, round, passing()));
            assert!(ask(&breaker, round, passing()));
            assert!(ask(&breaker, round, refusal()), "a 401 says that the host is there");
        }
    }

    #[test]
    fn other_hosts_are_other_circuits_and_zero_is_never() {
        let breaker = breaker();
        (0..3).for_each(|second| assert!(ask(&breaker, second, passing())));
        assert!(breaker.permit("other.example", at(3)).is_ok());
        let never = Arc::new(Breaker::new(Circuit { failures: 0, ..Circuit::default() }, HashMap::new()));
        (0..50).for_each(|second| assert!(ask(&never, second, passing())));
    }

    #[test]
    fn it_is_remembered_but_not_what_a_wrong_clock_wrote() {
        let first = breaker();
        (0..3).for_each(|second| assert!(ask(&first, second, passing())));
        let known: HashMap<_, _> = first.changes().into_iter().collect();
        assert_eq!(
            known[HOST],
            HostState { failures: 3, open_until: Some(at(62)), cause: Some((Reason::Timeout, "x".into())) }
        );
        let next = Arc::new(Breaker::new(Circuit::default(), known.clone()));
        assert!(!ask(&next, 30, None));
        assert!(next.changes().is_empty(), "nothing new was learnt");
        let wrong = Arc::new(Breaker::new(Circuit::default(), known));
        assert!(ask(&wrong, -1000, None), "open for longer than circuits are");
    }

    #[test]
    fn one_probes_and_the_others_wait_for_it() {
        let open = HashMap::from([(HOST.to_owned(), HostState { failures: 3, open_until: Some(at(0)), cause: None })]);
        for is_back in [true, false] {
            let breaker = Arc::new(Breaker::new(Circuit::default(), open.clone()));
            let probe = breaker.permit(HOST, at(1)).unwrap().expect("the first one probes");
            (0..8).for_each(|_| assert!(breaker.permit(HOST, at(1)).unwrap().is_none()));
            probe.report(if is_back { None } else { passing() }.as_ref(), at(1));
            for _ in 0..8 {
                assert_eq!(breaker.permit(HOST, at(1)).is_ok_and(|permit| permit.is_some()), is_back);
            }
        }
    }

    #[test]
    fn a_probe_that_asked_nobody_leaves_no_trace() {
        let open = HashMap::from([(HOST.to_owned(), HostState { failures: 3, open_until: Some(at(0)), cause: None })]);
        let breaker = Arc::new(Breaker::new(Circuit::default(), open));
        breaker.permit(HOST, at(1)).unwrap().unwrap().withdraw();
        assert!(breaker.changes().is_empty());
        assert!(breaker.permit(HOST, at(1)).unwrap().is_some(), "the next one probes");
    }

    #[test]
    fn a_probe_that_panics_keeps_nobody_waiting() {
        let past = Some(Timestamp::UNIX_EPOCH);
        let open = HashMap::from([(HOST.to_owned(), HostState { failures: 3, open_until: past, cause: None })]);
        let breaker = Arc::new(Breaker::new(Circuit::default(), open));
        drop(breaker.permit(HOST, clock::now()).unwrap());
        assert!(breaker.permit(HOST, clock::now()).is_err());
    }
}
