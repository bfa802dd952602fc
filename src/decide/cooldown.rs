//! When what was told is told again.
//!
//! Reminders have a timetable: they are due a whole number of cool-downs after the last message that was no reminder. A run
//! that comes a little early or late moves none of the following ones, so their hour of the day stays. A cool-down of
//! whole days is counted in calendar days of the config's time zone, whatever a day's length.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::decide::memory::Told;

/// Clocks of two machines may differ by this much; what was told later than that from now is told again.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

const DAY: u64 = 86_400;

/// The first calm after a return lasts this long before it is told; each further return doubles it.
const FIRST_CALM: SignedDuration = SignedDuration::from_hours(1);

/// How long a message rests after it was sent so many times without an answer that says what became of it.
const PAUSES: [SignedDuration; 6] = [
    SignedDuration::ZERO,
    SignedDuration::ZERO,
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(24),
];

/// The cool-down at the moment of a run.
#[derive(Clone, Copy)]
pub(super) struct Cooldown<'a> {
    pub(super) length: Duration,
    pub(super) timezone: &'a TimeZone,
    pub(super) now: Timestamp,
    /// When the run before this one began.
    pub(super) previous_run: Option<Timestamp>,
}

impl Cooldown<'_> {
    /// Whether it is time to tell something again.
    pub(super) fn is_over(&self, told: &Told) -> bool {
        self.is_over_since(told.at, told.anchor)
    }

    /// Whether a cool-down has passed since then.
    pub(super) fn has_passed_since(&self, then: Timestamp) -> bool {
        self.is_over_since(then, then)
    }

    fn is_over_since(&self, at: Timestamp, anchor: Timestamp) -> bool {
        if self.is_ahead(at) {
            return true;
        }
        self.next_after(at, anchor).is_some_and(|next| self.now.duration_since(next) >= -self.grace(self.length()))
    }

    /// Whether a time was written by a clock that was wrong, then or now.
    pub(super) fn is_ahead(&self, at: Timestamp) -> bool {
        self.now.duration_since(at) < -CLOCK_SKEW
    }

    /// When something is told again if nothing changes.
    pub(super) fn next(&self, told: &Told) -> Option<Timestamp> {
        self.next_after(told.at, told.anchor)
    }

    /// The first time of the timetable after the one that is nearest to the last message. None if the calendar ends before it.
    fn next_after(&self, at: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        let seconds = self.length.as_secs();
        if seconds == 0 {
            return Some(at);
        }
        // One that is later than the last message was written by a clock that was ahead.
        let anchor = anchor.min(at);
        let elapsed = at.duration_since(anchor).as_secs().unsigned_abs();
        let past = (elapsed + seconds / 2) / seconds;
        self.time(anchor, past + 1)
    }

    /// The time that lies so many cool-downs after the anchor.
    fn time(&self, anchor: Timestamp, count: u64) -> Option<Timestamp> {
        let seconds = self.length.as_secs();
        if seconds.is_multiple_of(DAY) {
            let days = i64::try_from(count.checked_mul(seconds / DAY)?).ok()?;
            let span = Span::new().try_days(days).ok()?;
            return Some(anchor.to_zoned(self.timezone.clone()).checked_add(span).ok()?.timestamp());
        }
        let seconds = i64::try_from(count.checked_mul(seconds)?).ok()?;
        anchor.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    fn length(&self) -> SignedDuration {
        SignedDuration::try_from(self.length).unwrap_or(SignedDuration::MAX)
    }

    /// Whether a time of this length that ends then is over. A run that comes a twentieth of it too early counts, so that runs that jitter do
    /// not put it off by a whole interval.
    pub(super) fn is_reached(&self, end: Timestamp, length: Duration) -> bool {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        self.now.duration_since(end) >= -self.grace(length / 5)
    }

    /// How early a time of that length may end: the run that is nearest to its end counts, and runs come at about equal
    /// distances. A daily run that starts ten minutes earlier than yesterday's skips no day, and one every five minutes is on
    /// time.
    fn grace(&self, length: SignedDuration) -> SignedDuration {
        let interval = self.previous_run.map(|previous| self.now.duration_since(previous).max(SignedDuration::ZERO));
        interval.map_or(length / 20, |interval| (interval / 2).min(length / 4))
    }

    /// How long a condition that came back so often must be right before it is told that it is over.
    pub(super) fn calm(&self, flaps: u32) -> SignedDuration {
        if flaps == 0 {
            return SignedDuration::ZERO;
        }
        let calm = FIRST_CALM.checked_mul(1 << (flaps - 1).min(10)).unwrap_or(SignedDuration::MAX);
        calm.min(self.length())
    }

    /// Whether a message whose fate is not known may be sent once more: in the next run, and then after growing pauses.
    pub(super) fn may_repeat(&self, doubts: u32, tried_at: Timestamp) -> bool {
        let pause = PAUSES[(doubts as usize).min(PAUSES.len() - 1)];
        // The times of several messages are apart by a millisecond each, for their order, and may lie a little ahead.
        if pause.is_zero() {
            return true;
        }
        self.now.duration_since(tried_at) >= pause - self.grace(pause) || self.is_ahead(tried_at)
    }

    /// From when on it may be sent once more.
    pub(super) fn repeat_at(doubts: u32, tried_at: Timestamp) -> Option<Timestamp> {
        tried_at.checked_add(PAUSES[(doubts as usize).min(PAUSES.len() - 1)]).ok()
    }
}
