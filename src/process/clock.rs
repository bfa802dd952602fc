//! The clock. It may stand at any time, also at one that the calendar does not reach.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// The last time that this program knows: the calendar ends a day later, with the year 9999, so that something can be added.
const LAST: i64 = 253_402_120_800;

/// The clock of a process, which its context carries to whoever needs the time: a run, the store, the HTTP clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(fn() -> Timestamp);

impl Clock {
    /// The clock of this machine.
    pub(crate) const SYSTEM: Clock = Clock(now);

    /// The time now.
    pub(crate) fn now(self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::SYSTEM
    }
}

/// The time now, or the nearest that there is: a clock may stand behind the calendar. Everything asks the [`Clock`] of its context,
/// but for what has none: lines of the log, and flags while they are parsed.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now();
    #[cfg(debug_assertions)]
    let now = shifted(now);
    timestamp(now)
}

fn timestamp(at: SystemTime) -> Timestamp {
    let nearest = if at < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { last() };
    Timestamp::try_from(at).unwrap_or(nearest).min(last())
}

fn last() -> Timestamp {
    Timestamp::from_second(LAST).unwrap_or(Timestamp::MAX)
}

/// So long after a time, or the end of the calendar.
pub(crate) fn after(at: Timestamp, time: Duration) -> Timestamp {
    at.checked_add(time).unwrap_or(last().max(at))
}

/// So long before a time, or the beginning of the calendar.
pub(crate) fn before(at: Timestamp, time: Duration) -> Timestamp {
    at.checked_sub(time).unwrap_or(Timestamp::MIN)
}

/// In builds with debug assertions a test can set the clock: `BALANCE_ALERT_CLOCK` holds seconds since 1970.
#[cfg(debug_assertions)]
fn shifted(now: SystemTime) -> SystemTime {
    let seconds =
        crate::process::environment::of_this_process("BALANCE_ALERT_CLOCK").and_then(|text| text.parse::<u64>().ok());
    let at = seconds.and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    at.unwrap_or(now)
}

/// A time for programs, in UTC.
pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time that the processor has worked for this thread.
pub(crate) fn processor_time() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default()
}

/// The time that the processors have worked for all threads of this process.
pub(crate) fn processor_time_of_all() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_is_out_of_range() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap();
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00Z"),
            (4_000_000_000, "2096-10-02T07:06:40Z"),
            // 9999-12-31T23:59:59Z and later.
            (253_402_300_799, "9999-12-29T22:00:00Z"),
            (253_402_300_800, "9999-12-29T22:00:00Z"),
            (1 << 60, "9999-12-29T22:00:00Z"),
        ] {
            assert_eq!(timestamp(at(seconds)).to_string(), want, "{seconds}");
        }
        let early = SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 60)).unwrap();
        assert_eq!(timestamp(early), Timestamp::MIN);
        assert_eq!(after(Timestamp::MAX, Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::MAX), last());
        assert_eq!(before(Timestamp::MIN, Duration::MAX), Timestamp::MIN);
    }
}
