//! What follows from a failed attempt, for reads, deliveries and pings alike: back-off with jitter, `Retry-After`, the
//! deadline. Callers that can do other work during the wait call [`after`]; others let [`run`] repeat.

use std::time::Duration;

use crate::model::failure::{Failure, Retry};
use crate::model::text;
use crate::process::interrupt::Deadline;
use crate::process::redact::Redactor;

/// The wait before the first repeat; it doubles from there. It is long enough for a connection that was dropped or a request
/// that was one too many, and a run of a few seconds still has time for several repeats.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// The longest wait that is not asked for by the peer. A run has two minutes by default, so after longer waits there would be
/// no time for another repeat.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A `Retry-After` longer than this is taken for a mistake.
const A_YEAR: Duration = Duration::from_secs(366 * 86_400);

/// How often and how long to try.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Repeats after the first attempt.
    pub max_retries: u32,
    /// When nothing may be started any more.
    pub deadline: Deadline,
}

/// What follows from a failed attempt.
#[derive(Debug)]
pub(crate) enum Next {
    /// Another one, after this time; this was the failure.
    Wait(Duration, Failure),
    /// None can help, or there is no time for one.
    GiveUp(Failure),
}

/// What follows from a failure of the n-th attempt, counted from 1. It comes back settled.
pub(crate) fn after(policy: &Policy, redactor: &Redactor, attempts: u32, failure: Failure) -> Next {
    let mut failure = failure.settle(redactor);
    let wait = match failure.retry {
        Retry::Never | Retry::Later => return Next::GiveUp(failure),
        _ if attempts > policy.max_retries => return Next::GiveUp(failure),
        Retry::Soon => back_off(attempts),
        // A little later than asked, so that many clients do not come back in the same instant. Who asks to wait for no time
        // at all, again and again, is not asked without a pause.
        Retry::After(asked) => {
            let later = asked.saturating_add(asked.min(LONGEST_WAIT).mul_f64(0.05 * fastrand::f64()));
            later.max(back_off(attempts))
        }
    };
    if wait >= policy.deadline.left() {
        if let Retry::After(asked) = failure.retry {
            let asked =
                if asked > A_YEAR { "more than a year".to_owned() } else { format!("{} s", text::seconds(asked)) };
            failure.message = format!("{}; it asks to wait {asked}, longer than this run may take", failure.message);
        }
        return Next::GiveUp(failure);
    }
    log::debug!(
        reason:? = failure.reason.as_str(), attempt = attempts, wait_seconds = wait.as_secs_f64();
        "trying again: {}", failure.message
    );
    Next::Wait(wait, failure)
}

/// Runs one attempt after the other until one succeeds or another cannot help. Messages come back without secrets.
///
/// Each attempt gets the time that is left.
pub(crate) fn run<T>(
    policy: &Policy,
    redactor: &Redactor,
    mut attempt: impl FnMut(Duration) -> Result<T, Failure>,
) -> (Result<T, Failure>, u32) {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let failure = match attempt(policy.time()) {
            Ok(value) => return (Ok(value), attempts),
            Err(failure) => failure,
        };
        match after(policy, redactor, attempts, failure) {
            Next::GiveUp(failure) => return (Err(failure), attempts),
            // A signal may take the time away.
            Next::Wait(wait, failure) if !policy.deadline.sleep(wait) => return (Err(failure), attempts),
            Next::Wait(..) => {}
        }
    }
}

impl Policy {
    /// The time that an attempt has.
    pub(crate) fn time(&self) -> Duration {
        self.deadline.left().max(Duration::from_millis(1))
    }
}

/// The wait after the n-th attempt: doubling, capped, and between half and all of that at random.
fn back_off(attempts: u32) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << (attempts - 1).min(16)).min(LONGEST_WAIT);
    full.mul_f64(0.5 + 0.5 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Reason;

    fn policy(max_retries: u32) -> Policy {
        Policy { max_retries, deadline: Deadline::within(Duration::from_secs(60)) }
    }

    fn fail_with(retry: Retry, max_retries: u32) -> (u32, String) {
        let redactor = Redactor::default();
        redactor.learn("sk-secret1");
        let (result, attempts) = run::<()>(&policy(max_retries), &redactor, |_| {
            Err(Failure { retry, ..Failure::new(Reason::Connect, "refused").saying("key sk-secret1 is bad") })
        });
        (attempts, result.unwrap_err().message)
    }

    #[test]
    fn only_what_can_help_is_repeated_and_secrets_are_gone() {
        assert_eq!(fail_with(Retry::Never, 5), (1, "refused: key *** is bad".to_owned()));
        assert_eq!(fail_with(Retry::Later, 5).0, 1);
        assert_eq!(fail_with(Retry::Soon, 0).0, 1);
        assert_eq!(fail_with(Retry::Soon, 1).0, 2);
        assert_eq!(fail_with(Retry::After(Duration::ZERO), 1).0, 2);
        let (attempts, message) = fail_with(Retry::After(Duration::from_secs(3600)), 3);
        assert_eq!(attempts, 1);
        assert!(message.contains("wait 3600 s"), "{message}");
    }

    #[test]
    fn success_ends_the_loop() {
        let mut left = 2;
        let (result, attempts) = run(&policy(3), &Redactor::default(), |_| {
            left -= 1;
            if left == 0 {
                Ok(7)
            } else {
                Err(Failure { retry: Retry::After(Duration::ZERO), ..Failure::new(Reason::Timeout, "x") })
            }
        });
        assert_eq!((result.unwrap(), attempts), (7, 2));
    }

    #[test]
    fn whoever_asks_for_no_pause_gets_one_all_the_same() {
        for (asked, least) in [(0, 200), (10, 200), (350, 350), (5000, 5000)] {
            let failure = Failure::transient(Reason::RateLimited, "x").heeding(Some(Duration::from_millis(asked)));
            match after(&policy(9), &Redactor::default(), 1, failure) {
                Next::Wait(wait, _) => assert!(wait >= Duration::from_millis(least), "{asked}: {wait:?}"),
                Next::GiveUp(failure) => panic!("{failure:?}"),
            }
        }
        // The pauses grow.
        let failure = || Failure::transient(Reason::RateLimited, "x").heeding(Some(Duration::ZERO));
        let wait = match after(&policy(9), &Redactor::default(), 5, failure()) {
            Next::Wait(wait, _) => wait,
            Next::GiveUp(failure) => panic!("{failure:?}"),
        };
        assert!(wait >= FIRST_WAIT * 8, "{wait:?}");
        let failure = Failure::transient(Reason::RateLimited, "x").heeding(Some(Duration::MAX));
        let Next::GiveUp(failure) = after(&policy(9), &Redactor::default(), 1, failure) else { panic!("it waits") };
        assert!(failure.message.contains("wait more than a year"), "{}", failure.message);
    }

    #[test]
    fn waits_grow_are_jittered_and_bounded() {
        for attempts in 1..40 {
            let full = FIRST_WAIT.saturating_mul(1 << (attempts - 1).min(16)).min(LONGEST_WAIT);
            for _ in 0..20 {
                let wait = back_off(attempts);
                assert!(wait >= full / 2 && wait <= full, "{attempts}: {wait:?}");
            }
        }
    }
}
