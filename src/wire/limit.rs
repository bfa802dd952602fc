//! Outgoing rate limits: at most so many requests in any span of time, shared by all who ask one service.
//!
//! A limit is a sliding window, and exact: `governor` knows "one in a span", and a window of N is N of these, taken in
//! turn. (Its own "N in a span" lets up to 2 N - 1 through in one, as its bucket refills while it is drained; robots that
//! are blocked for going over their limit would be blocked.) A span is counted from the end of a request: when it arrived is
//! not known, and a first one that has to connect takes longer than those that follow.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::model::failure::{Failure, Reason};
use crate::process::interrupt::Deadline;

/// Most requests that one span may have.
const MOST: u32 = 100_000;
/// The words for spans, with their lengths in seconds.
const SPANS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];
/// A safety margin: a span here is 1/50 longer than that of the service, because a request that timed out here may still reach
/// the service late.
const MARGIN: u32 = 50;

/// How often something may be done: `5/minute`, or several of these that hold together, `5/second, 100/minute`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limit(Vec<Rate>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    count: u32,
    span: &'static str,
    seconds: u64,
}

impl FromStr for Limit {
    type Err = String;

    /// # Errors
    /// What is wrong with it, about "it".
    fn from_str(text: &str) -> Result<Limit, String> {
        let wrong = || "is no rate such as `5/minute`; spans are second, minute, hour and day".to_owned();
        let rates = text.split(',').map(|rate| {
            let (count, span) = rate.split_once('/').ok_or_else(wrong)?;
            let count: u32 = count.trim().parse().map_err(|_| wrong())?;
            if !(1..=MOST).contains(&count) {
                return Err(format!("must allow 1 to {MOST} requests, but allows {count}"));
            }
            let word = span.trim().to_lowercase();
            let is_meant = |name: &str| word == *name || word == name[..1] || word.strip_suffix('s') == Some(name);
            let span = SPANS.iter().find(|(name, _)| is_meant(name) || (*name == "minute" && word == "min"));
            let (span, seconds) = *span.ok_or_else(wrong)?;
            Ok(Rate { count, span, seconds })
        });
        rates.collect::<Result<Vec<Rate>, String>>().map(Limit)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rate) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}/{}", rate.count, rate.span)?;
        }
        Ok(())
    }
}

impl Limit {
    /// The most that can be done within a time that begins after a pause.
    pub(crate) fn most_within(&self, time: Duration) -> usize {
        let most = |rate: &Rate| {
            let spans = time.as_nanos() / rate.span().as_nanos() + 1;
            usize::try_from(u128::from(rate.count) * spans).unwrap_or(usize::MAX)
        };
        self.0.iter().map(most).min().unwrap_or(usize::MAX)
    }
}

impl Rate {
    /// The span that is kept here.
    fn span(self) -> Duration {
        let span = Duration::from_secs(self.seconds);
        span + span / MARGIN
    }
}

/// Keeps a limit, for all threads.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: Limit,
    windows: Mutex<Vec<Window>>,
}

/// Leave for one request. Its span begins when it is dropped; if nothing was sent, it is free again at once.
#[must_use]
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    limiter: &'a Limiter,
    is_used: bool,
}

/// One rate, in force.
#[derive(Debug)]
struct Window {
    rate: Rate,
    quota: Quota,
    /// Places that were given back, in the order in which they come free: "one in a span" each.
    resting: VecDeque<DefaultDirectRateLimiter>,
    /// Places that somebody has.
    taken: usize,
}

impl Limiter {
    /// A limiter whose whole limit is free.
    pub(crate) fn new(limit: Limit) -> Limiter {
        // A span is never zero; if it were, there would be no limit.
        let window = |rate: &Rate| {
            let quota = Quota::with_period(rate.span())?;
            Some(Window { rate: *rate, quota, resting: VecDeque::new(), taken: 0 })
        };
        let windows = Mutex::new(limit.0.iter().filter_map(window).collect());
        Limiter { limit, windows }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Window>> {
        // Nothing panics while it holds the lock.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place now.
    ///
    /// # Errors
    /// The time at which it is worth another try, and not before.
    pub(crate) fn take(&self) -> Result<Slot<'_>, Instant> {
        let mut windows = self.lock();
        let results: Vec<Result<(), Duration>> = windows.iter_mut().map(Window::take).collect();
        let Some(longest) = results.iter().filter_map(|result| result.err()).max() else {
            return Ok(Slot { limiter: self, is_used: false });
        };
        for (window, _) in windows.iter_mut().zip(&results).filter(|(_, result)| result.is_ok()) {
            window.give_back(false);
        }
        Err(Instant::now() + longest)
    }

    /// Takes a place, waiting for it as long as there is time.
    ///
    /// # Errors
    /// `rate_limited`, if there will be none in time.
    pub(crate) fn wait(&self, deadline: &Deadline) -> Result<Slot<'_>, Failure> {
        loop {
            match self.take() {
                Ok(place) => return Ok(place),
                Err(at) if deadline.sleep(at.saturating_duration_since(Instant::now())) => {}
                Err(_) => return Err(self.refusal()),
            }
        }
    }

    /// What to say where no place is left.
    pub(crate) fn refusal(&self) -> Failure {
        self.refusal_before("the run's time")
    }

    /// The same, where another time than the run's would be over.
    pub(crate) fn refusal_before(&self, time: &str) -> Failure {
        let message = format!("not asked: the limit of {} leaves no turn before {time} is over", self.limit);
        Failure::new(Reason::RateLimited, message)
    }
}

impl Slot<'_> {
    /// Something is sent now.
    pub(crate) fn begin(&mut self) {
        self.is_used = true;
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.limiter.lock().iter_mut().for_each(|window| window.give_back(self.is_used));
    }
}

impl Window {
    /// # Errors
    /// How long to wait for a place, at the least.
    fn take(&mut self) -> Result<(), Duration> {
        if self.resting.len() + self.taken < self.rate.count as usize {
            self.taken += 1;
            return Ok(());
        }
        // If all slots are in use, the earliest that one can be used again is a whole span from now.
        let first = self.resting.front().ok_or(self.rate.span())?;
        first.check().map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))?;
        self.resting.pop_front();
        self.taken += 1;
        Ok(())
    }

    fn give_back(&mut self, is_used: bool) {
        self.taken -= 1;
        if is_used {
            let place = RateLimiter::direct(self.quota);
            // The first one is always let through, and begins the span.
            let _ = place.check();
            self.resting.push_back(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Limit {
        text.parse().unwrap()
    }

    #[test]
    fn rates_are_a_number_and_a_span() {
        for (text, want) in [
            ("5/minute", "5/minute"),
            (" 5 / Minutes ", "5/minute"),
            ("5/m", "5/minute"),
            ("5/min", "5/minute"),
            ("1/s", "1/second"),
            ("20/hour", "20/hour"),
            ("20/d", "20/day"),
            ("5/second,100/minute", "5/second, 100/minute"),
        ] {
            assert_eq!(limit(text).to_string(), want, "{text}");
        }
        for text in ["", "5", "/minute", "5/", "-1/minute", "0/minute", "1.5/minute", "5/fortnight", "5/minute,", "x/s"]
        {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }

    #[test]
    fn no_span_ever_has_more_than_the_limit() {
        // Whenever places are asked for, those given within one span are at most so many.
        for (text, span, count) in [("1/second", 1000, 1), ("3/second", 1000, 3), ("7/second, 3/second", 1000, 3)] {
            let limiter = Limiter::new(limit(text));
            let mut given = Vec::new();
            while given.len() < 2 * count + 1 {
                match limiter.take() {
                    Ok(mut place) => {
                        given.push(Instant::now());
                        place.begin();
                    }
                    Err(at) => std::thread::sleep(at.saturating_duration_since(Instant::now()) / 3),
                }
            }
            for window in given.windows(count + 1) {
                assert!(window[count] - window[0] >= Duration::from_millis(span), "{text}: {given:?}");
            }
        }
    }

    #[test]
    fn the_whole_limit_is_there_at_once_and_what_was_not_used_is_there_again() {
        let limiter = Limiter::new(limit("5/hour, 50/day"));
        let mut places: Vec<Slot> = (0..5).map(|_| limiter.take().unwrap()).collect();
        let at = limiter.take().unwrap_err();
        assert!(at > Instant::now() + Duration::from_secs(3500), "an hour after the first one ends");
        places.pop();
        drop(limiter.take().unwrap());
        places.push(limiter.take().unwrap());
        places.iter_mut().for_each(Slot::begin);
        drop(places);
        assert!(limiter.take().is_err());
        let refused = limiter.wait(&Deadline::within(Duration::from_secs(60))).unwrap_err();
        assert_eq!(refused.reason, Reason::RateLimited);
        assert!(refused.message.contains("5/hour, 50/day"), "{}", refused.message);
    }

    #[test]
    fn a_span_begins_when_a_request_ends() {
        let limiter = Limiter::new(limit("1/second"));
        let mut place = limiter.take().unwrap();
        place.begin();
        std::thread::sleep(Duration::from_millis(300));
        let end = Instant::now();
        drop(place);
        assert!(limiter.take().unwrap_err() >= end + Duration::from_secs(1));
    }

    #[test]
    fn what_one_rate_refuses_is_not_used_of_another() {
        let limiter = Limiter::new(limit("1/hour, 2/hour"));
        let mut place = limiter.take().unwrap();
        assert!((0..5).all(|_| limiter.take().is_err()));
        place.begin();
        drop(place);
        let windows = limiter.lock();
        assert_eq!(windows.iter().map(|window| (window.taken, window.resting.len())).collect::<Vec<_>>(), [(0, 1); 2]);
    }

    #[test]
    fn it_is_known_beforehand_what_a_time_has_room_for() {
        for (text, seconds, want) in [
            ("20/minute", 0, 20),
            ("20/minute", 62, 40),
            ("5/second, 100/minute", 2, 10),
            ("5/second, 100/minute", 40, 100),
        ] {
            assert_eq!(limit(text).most_within(Duration::from_secs(seconds)), want, "{text} {seconds}");
        }
    }
}
