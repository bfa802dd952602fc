//! Outgoing rate limits: at most so many requests in any span of time, shared by all who ask one service.
//!
//! A limit is a sliding window, and exact: `governor` knows "one in a span", and a window of N is N of these, taken in
//! turn. (Its own "N in a span" lets up to 2 N - 1 through in one, as its bucket refills while it is drained; robots that
//! are blocked for going over their limit would be blocked.)

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::failure::{Failure, Reason};
use crate::interrupt::Deadline;

/// Most requests that one span may have.
const MOST: u32 = 100_000;
/// The words for spans, with their lengths in seconds.
const SPANS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];
/// Requests take different times to arrive, so a span is this part longer here than there.
const MARGIN: u32 = 50;

/// How often something may be done: `5/minute`, or several of these that hold together, `5/second, 100/minute`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit(Vec<Rate>);

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
    pub fn most_within(&self, time: Duration) -> usize {
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
pub struct Limiter {
    limit: Limit,
    windows: Mutex<Vec<Window>>,
}

/// One rate, in force.
#[derive(Debug)]
struct Window {
    rate: Rate,
    /// One in a span each, made when they are first needed.
    cells: Vec<DefaultDirectRateLimiter>,
    next: usize,
    /// Places that were given by this window and not used, because another window had none.
    spare: usize,
}

impl Limiter {
    /// A limiter from whose limit nothing is used.
    pub fn new(limit: Limit) -> Limiter {
        let window = |rate: &Rate| Window { rate: *rate, cells: Vec::new(), next: 0, spare: 0 };
        let windows = Mutex::new(limit.0.iter().map(window).collect());
        Limiter { limit, windows }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Window>> {
        // Nothing panics while it holds the lock.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place now.
    ///
    /// # Errors
    /// The time at which it is worth another try.
    pub fn take(&self) -> Result<(), Instant> {
        let mut windows = self.lock();
        let waits = windows.iter_mut().filter_map(|window| window.reserve().err());
        if let Some(longest) = waits.max() {
            return Err(Instant::now() + longest);
        }
        for window in windows.iter_mut() {
            window.spare -= 1;
        }
        Ok(())
    }

    /// Gives a place back that was not used.
    pub fn put_back(&self) {
        for window in self.lock().iter_mut() {
            window.spare += 1;
        }
    }

    /// Takes a place, waiting for it as long as there is time.
    ///
    /// # Errors
    /// `rate_limited`, if there will be none in time.
    pub fn wait(&self, deadline: &Deadline) -> Result<(), Failure> {
        while let Err(at) = self.take() {
            if !deadline.sleep(at.saturating_duration_since(Instant::now())) {
                return Err(self.refusal());
            }
        }
        Ok(())
    }

    /// What to say where no place is left.
    pub fn refusal(&self) -> Failure {
        let message = format!("not asked: the limit of {} leaves no turn before the run's time is over", self.limit);
        Failure::new(Reason::RateLimited, message)
    }
}

impl Window {
    /// Makes sure that there is a spare place.
    ///
    /// # Errors
    /// How long to wait for one.
    fn reserve(&mut self) -> Result<(), Duration> {
        if self.spare > 0 {
            return Ok(());
        }
        if self.next == self.cells.len() {
            let Some(quota) = Quota::with_period(self.rate.span()) else {
                // A span is never zero; if it were, there would be no limit.
                self.spare += 1;
                return Ok(());
            };
            self.cells.push(RateLimiter::direct(quota));
        }
        let cell = &self.cells[self.next];
        cell.check().map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))?;
        self.next = (self.next + 1) % self.rate.count as usize;
        self.spare += 1;
        Ok(())
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
                    Ok(()) => given.push(Instant::now()),
                    Err(at) => std::thread::sleep(at.saturating_duration_since(Instant::now()) / 3),
                }
            }
            for window in given.windows(count + 1) {
                assert!(window[count] - window[0] >= Duration::from_millis(span), "{text}: {given:?}");
            }
        }
    }

    #[test]
    fn the_whole_limit_is_there_at_once_and_what_is_put_back_is_there_again() {
        let limiter = Limiter::new(limit("5/hour, 50/day"));
        (0..5).for_each(|_| assert!(limiter.take().is_ok()));
        let at = limiter.take().unwrap_err();
        assert!(at > Instant::now() + Duration::from_secs(3500), "until the first one is an hour old");
        limiter.put_back();
        assert!(limiter.take().is_ok());
        assert!(limiter.take().is_err());
        let refused = limiter.wait(&Deadline::within(Duration::from_secs(60))).unwrap_err();
        assert_eq!(refused.reason, Reason::RateLimited);
        assert!(refused.message.contains("5/hour, 50/day"), "{}", refused.message);
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
