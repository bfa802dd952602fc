//! When a channel takes messages: on which days of the week, from when to when.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::model::alert::Level;

/// Minutes of a day.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;

/// When a channel takes messages. There is always a time in every week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActiveTimes {
    /// The days on which a time begins.
    pub days: Vec<Weekday>,
    /// The minute of the day at which a time begins, from 0.
    pub from: u16,
    /// The minute at which it ends, at most [`DAY_MINUTES`]. If it is not after `from`, the time ends on the next day.
    pub until: u16,
    /// The zone in which days and minutes are counted; none for that of the config.
    pub zone: Option<TimeZone>,
    /// Whether what is critical waits as well.
    pub holds_critical: bool,
}

impl ActiveTimes {
    /// Whether a message of this level may be sent now.
    pub(crate) fn takes(&self, level: Level, now: Timestamp, zone: &TimeZone) -> bool {
        level == Level::Critical && !self.holds_critical || self.is_active(now, zone)
    }

    fn zone(&self, of_config: &TimeZone) -> TimeZone {
        self.zone.as_ref().unwrap_or(of_config).clone()
    }

    fn is_active(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let local = now.to_zoned(self.zone(zone));
        let minute = minute_of(local.time());
        let on = |date: Option<Date>| date.is_some_and(|date| self.days.contains(&date.weekday()));
        let (today, yesterday) = (Some(local.date()), local.date().yesterday().ok());
        match self.from < self.until {
            true => on(today) && (self.from..self.until).contains(&minute),
            false => on(today) && minute >= self.from || on(yesterday) && minute < self.until,
        }
    }

    /// When the next time begins. None at the end of the calendar.
    pub(crate) fn next(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let zone = self.zone(zone);
        let today = now.to_zoned(zone.clone()).date();
        let hour = i8::try_from(self.from / 60).ok()?;
        let minute = i8::try_from(self.from % 60).ok()?;
        let days = (0..=7).filter_map(|days| today.checked_add(jiff::Span::new().days(days)).ok());
        let days = days.filter(|date| self.days.contains(&date.weekday()));
        let begins = days.filter_map(|date| date.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok());
        begins.map(|zoned| zoned.timestamp()).find(|begin| *begin > now)
    }
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(days: &[Weekday], from: u16, until: u16, zone: &str) -> ActiveTimes {
        let zone = Some(TimeZone::get(zone).unwrap());
        ActiveTimes { days: days.to_vec(), from: from * 60, until: until * 60, zone, holds_critical: false }
    }

    const WORK: &[Weekday] =
        &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

    #[test]
    fn times_are_counted_in_their_zone_and_may_pass_midnight() {
        // Tuesday, 2026-12-01.
        for (days, from, until, zone, now, want, next) in [
            (WORK, 9, 18, "UTC", "2026-12-01T09:00:00Z", true, "2026-12-02T09:00:00Z"),
            (WORK, 9, 18, "UTC", "2026-12-01T08:59:59Z", false, "2026-12-01T09:00:00Z"),
            (WORK, 9, 18, "UTC", "2026-12-01T18:00:00Z", false, "2026-12-02T09:00:00Z"),
            (WORK, 9, 18, "UTC", "2026-12-04T18:00:00Z", false, "2026-12-07T09:00:00Z"),
            (WORK, 9, 18, "Asia/Shanghai", "2026-12-01T01:00:00Z", true, "2026-12-02T01:00:00Z"),
            (WORK, 9, 18, "Asia/Shanghai", "2026-12-01T10:00:00Z", false, "2026-12-02T01:00:00Z"),
            (&[Weekday::Friday], 22, 6, "UTC", "2026-12-05T05:59:00Z", true, "2026-12-11T22:00:00Z"),
            (&[Weekday::Friday], 22, 6, "UTC", "2026-12-05T22:30:00Z", false, "2026-12-11T22:00:00Z"),
            (&[Weekday::Sunday], 0, 24, "UTC", "2026-12-06T23:59:59Z", true, "2026-12-13T00:00:00Z"),
            (&[Weekday::Sunday], 0, 24, "UTC", "2026-12-07T00:00:00Z", false, "2026-12-13T00:00:00Z"),
            // The hour that a change of the clocks leaves out.
            (&[Weekday::Sunday], 2, 4, "Europe/Berlin", "2026-03-29T00:59:00Z", false, "2026-03-29T01:00:00Z"),
        ] {
            let times = times(days, from, until, zone);
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(times.takes(Level::Warning, now, &TimeZone::UTC), want, "{times:?} at {now}");
            assert!(times.takes(Level::Critical, now, &TimeZone::UTC));
            assert_eq!(times.next(now, &TimeZone::UTC), Some(next.parse().unwrap()), "{times:?} at {now}");
        }
    }

    #[test]
    fn what_is_critical_waits_only_if_that_is_asked_for() {
        let times = ActiveTimes { holds_critical: true, ..times(WORK, 9, 18, "UTC") };
        assert!(!times.takes(Level::Critical, "2026-12-05T12:00:00Z".parse().unwrap(), &TimeZone::UTC));
        assert!(times.takes(Level::Critical, "2026-12-01T12:00:00Z".parse().unwrap(), &TimeZone::UTC));
    }
}
