//! When a subscription renews, and whether somebody must be reminded. Pure date arithmetic: calendar dates, no clock.

pub(crate) mod config;

use crate::model::words::{CycleType, words};
use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// How often a subscription renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cycle {
    /// Every week on this day, 1 (Monday) to 7 (Sunday).
    Weekly(i8),
    /// Every month on this day, 1 to 31; in shorter months on their last day.
    Monthly(i8),
    /// Every year on this month and day; 29 February falls on the 28th in other years.
    Yearly(i8, i8),
}

impl Cycle {
    /// How often that is.
    pub(crate) fn cycle_type(self) -> CycleType {
        match self {
            Cycle::Weekly(_) => CycleType::Weekly,
            Cycle::Monthly(_) => CycleType::Monthly,
            Cycle::Yearly(..) => CycleType::Yearly,
        }
    }

    /// The first due date that is not before a day; none beyond the year 9999.
    pub(crate) fn on_or_after(self, day: Date) -> Option<Date> {
        let due = self.near(day)?;
        if due >= day { Some(due) } else { self.near(day.checked_add(self.step()).ok()?) }
    }

    /// The last due date that is not after a day.
    fn on_or_before(self, day: Date) -> Option<Date> {
        let due = self.near(day)?;
        if due <= day { Some(due) } else { self.near(day.checked_sub(self.step()).ok()?) }
    }

    fn step(self) -> Span {
        match self {
            Cycle::Weekly(_) => 1.week(),
            Cycle::Monthly(_) => 1.month(),
            Cycle::Yearly(..) => 1.year(),
        }
    }

    /// Whether a payment lies more than one cycle after a day, which is probably a mistyped year. One day of tolerance allows
    /// for time zones.
    pub(crate) fn is_far_ahead(self, payment: Date, today: Date) -> bool {
        let latest = today.checked_add(self.step()).and_then(|day| day.tomorrow());
        latest.is_ok_and(|latest| payment > latest)
    }

    /// The due date in the same week, month or year as a day.
    fn near(self, day: Date) -> Option<Date> {
        match self {
            Cycle::Weekly(weekday) => {
                let off = i32::from(weekday) - i32::from(day.weekday().to_monday_one_offset());
                day.checked_add(off.days()).ok()
            }
            Cycle::Monthly(number) => clamped(day.year(), day.month(), number),
            Cycle::Yearly(month, number) => clamped(day.year(), month, number),
        }
    }

    /// The due date that a payment covers: the nearest one; on a tie, the later one.
    fn paid_by(self, payment: Date) -> Option<Date> {
        match (self.on_or_before(payment), self.on_or_after(payment)) {
            (Some(before), Some(after)) if days(payment, after) <= days(before, payment) => Some(after),
            (before, after) => before.or(after),
        }
    }
}

/// A day of a month, or its last one.
fn clamped(year: i16, month: i8, day: i8) -> Option<Date> {
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, day.min(first.days_in_month())).ok()
}

/// Whole days from one date to another.
fn days(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).map(|span| span.get_days()).unwrap_or(i32::MAX))
}

words! {
    /// Where a subscription stands.
    pub(crate) enum Standing {
        /// Soon or today, and not paid as far as is known.
        Due = "due",
        /// The next renewal is paid already.
        Renewed = "renewed",
        /// Not soon.
        Ok = "ok",
    }
}

/// What is known of a subscription on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Renewal {
    /// The next due date, today or later.
    pub next: Date,
    /// Days until then; 0 is today.
    pub days: i64,
    /// Whether somebody must be reminded.
    pub standing: Standing,
}

/// Looks at a subscription on a day; none beyond the year 9999.
pub(crate) fn look(cycle: Cycle, alert_days_before: u32, last_renewed: Option<Date>, today: Date) -> Option<Renewal> {
    let next = cycle.on_or_after(today)?;
    let days = days(today, next);
    let is_paid = last_renewed.and_then(|payment| cycle.paid_by(payment)).is_some_and(|paid| paid >= next);
    let standing = match () {
        () if is_paid => Standing::Renewed,
        () if days <= i64::from(alert_days_before) => Standing::Due,
        () => Standing::Ok,
    };
    Some(Renewal { next, days, standing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_of_renewals() {
        use Cycle::{Monthly, Weekly, Yearly};
        // Cycle, days before, paid, today, next, standing.
        let cases = [
            // Weekly: 2026-11-16 is a Monday.
            (Weekly(1), 0, "", "2026-11-16", "2026-11-16", "due"),
            (Weekly(1), 0, "", "2026-11-17", "2026-11-23", "ok"),
            (Weekly(1), 0, "", "2026-11-22", "2026-11-23", "ok"),
            (Weekly(1), 1, "", "2026-11-22", "2026-11-23", "due"),
            (Weekly(7), 3, "", "2026-11-18", "2026-11-22", "ok"),
            (Weekly(7), 3, "", "2026-11-19", "2026-11-22", "due"),
            (Weekly(5), 2, "", "2026-12-31", "2027-01-01", "due"),
            (Weekly(4), 2, "", "2026-12-31", "2026-12-31", "due"),
            (Weekly(1), 3, "2026-11-20", "2026-11-21", "2026-11-23", "renewed"),
            (Weekly(1), 3, "2026-11-19", "2026-11-21", "2026-11-23", "due"), // nearest is the 16th: 3 days to 4
            (Weekly(1), 3, "2026-11-16", "2026-11-21", "2026-11-23", "due"),
            (Weekly(1), 3, "2026-11-23", "2026-11-23", "2026-11-23", "renewed"),
            (Weekly(1), 3, "2026-11-23", "2026-11-24", "2026-11-30", "ok"),
            (Weekly(1), 7, "", "2026-11-17", "2026-11-23", "due"),
            // Monthly.
            (Monthly(15), 3, "", "2026-11-11", "2026-11-15", "ok"),
            (Monthly(15), 3, "", "2026-11-12", "2026-11-15", "due"),
            (Monthly(15), 3, "", "2026-11-15", "2026-11-15", "due"),
            (Monthly(15), 3, "", "2026-11-16", "2026-12-15", "ok"),
            (Monthly(15), 3, "2026-11-13", "2026-11-14", "2026-11-15", "renewed"),
            (Monthly(15), 3, "2026-11-13", "2026-11-15", "2026-11-15", "renewed"),
            (Monthly(15), 3, "2026-11-13", "2026-12-13", "2026-12-15", "due"),
            (Monthly(15), 3, "2026-10-15", "2026-11-13", "2026-11-15", "due"),
            (Monthly(15), 3, "2026-10-16", "2026-11-13", "2026-11-15", "due"),
            (Monthly(15), 3, "2026-11-15", "2026-11-15", "2026-11-15", "renewed"),
            (Monthly(15), 3, "2026-11-16", "2026-12-14", "2026-12-15", "due"),
            (Monthly(15), 3, "2026-10-30", "2026-11-13", "2026-11-15", "due"), // 15 days from October's, 16 to November's
            (Monthly(15), 3, "2026-10-31", "2026-11-13", "2026-11-15", "renewed"),
            (Monthly(15), 3, "2026-11-30", "2026-12-13", "2026-12-15", "renewed"), // as near to both: the later one
            (Monthly(15), 3, "2025-11-13", "2026-11-13", "2026-11-15", "due"),
            (Monthly(1), 3, "", "2026-11-30", "2026-12-01", "due"),
            (Monthly(1), 3, "", "2026-12-29", "2027-01-01", "due"),
            (Monthly(1), 0, "", "2026-12-31", "2027-01-01", "ok"),
            (Monthly(31), 3, "", "2026-11-28", "2026-11-30", "due"),
            (Monthly(31), 3, "", "2026-11-30", "2026-11-30", "due"),
            (Monthly(31), 0, "", "2026-12-01", "2026-12-31", "ok"),
            (Monthly(31), 3, "", "2026-02-26", "2026-02-28", "due"),
            (Monthly(31), 3, "", "2028-02-26", "2028-02-29", "due"),
            (Monthly(30), 3, "", "2026-02-28", "2026-02-28", "due"),
            (Monthly(30), 3, "", "2026-03-01", "2026-03-30", "ok"),
            (Monthly(29), 3, "", "2026-02-28", "2026-02-28", "due"),
            (Monthly(29), 3, "", "2028-02-28", "2028-02-29", "due"),
            (Monthly(31), 3, "2026-11-30", "2026-11-30", "2026-11-30", "renewed"),
            (Monthly(31), 3, "2026-11-30", "2026-12-30", "2026-12-31", "due"),
            // Yearly.
            (Yearly(3, 15), 7, "", "2026-03-07", "2026-03-15", "ok"),
            (Yearly(3, 15), 7, "", "2026-03-08", "2026-03-15", "due"),
            (Yearly(3, 15), 7, "", "2026-03-16", "2027-03-15", "ok"),
            (Yearly(1, 1), 3, "", "2026-12-30", "2027-01-01", "due"),
            (Yearly(12, 31), 3, "", "2026-12-31", "2026-12-31", "due"),
            (Yearly(12, 31), 3, "", "2027-01-01", "2027-12-31", "ok"),
            (Yearly(2, 29), 3, "", "2026-02-26", "2026-02-28", "due"),
            (Yearly(2, 29), 3, "", "2028-02-28", "2028-02-29", "due"),
            (Yearly(2, 29), 3, "", "2026-03-01", "2027-02-28", "ok"),
            (Yearly(2, 29), 3, "", "2027-03-01", "2028-02-29", "ok"),
            (Yearly(3, 15), 7, "2026-03-01", "2026-03-10", "2026-03-15", "renewed"),
            (Yearly(3, 15), 7, "2025-03-15", "2026-03-10", "2026-03-15", "due"),
            (Yearly(3, 15), 7, "2025-03-16", "2026-03-10", "2026-03-15", "due"),
            (Yearly(3, 15), 7, "2025-09-13", "2026-03-10", "2026-03-15", "due"), // 182 days from one, 183 to the other
            (Yearly(3, 15), 7, "2025-09-14", "2026-03-10", "2026-03-15", "renewed"),
            // The anniversary of a payment: it counts for itself.
            (Yearly(11, 20), 3, "2025-11-20", "2026-11-18", "2026-11-20", "due"),
            (Yearly(11, 20), 3, "2026-11-20", "2026-11-20", "2026-11-20", "renewed"),
            (Yearly(11, 20), 3, "2026-11-20", "2026-11-21", "2027-11-20", "ok"),
            (Yearly(2, 29), 3, "2024-02-29", "2026-02-27", "2026-02-28", "due"),
            // A date ahead covers everything up to it.
            (Monthly(15), 3, "2027-01-15", "2026-11-14", "2026-11-15", "renewed"),
        ];
        for (cycle, before, paid, today, next, standing) in cases {
            let paid = (!paid.is_empty()).then(|| date(paid));
            let got = look(cycle, before, paid, date(today)).unwrap();
            let what = format!("{cycle:?}, {before} days before, paid {paid:?}, on {today}");
            assert_eq!((got.next, got.standing.as_str()), (date(next), standing), "{what}");
            assert_eq!(got.days, days(date(today), date(next)), "{what}");
        }
    }

    #[test]
    fn over_ten_years_the_next_renewal_is_never_past_and_never_further_than_a_cycle() {
        let mut cycles: Vec<(Cycle, i64)> = (1..=7).map(|day| (Cycle::Weekly(day), 6)).collect();
        cycles.extend((1..=31).map(|day| (Cycle::Monthly(day), 30)));
        for month in 1..=12 {
            cycles.extend([1, 15, 28, 29, 30, 31].map(|day| (Cycle::Yearly(month, day), 365)));
        }
        let mut today = date("2023-12-25");
        while today < date("2034-01-05") {
            for (cycle, longest) in &cycles {
                let next = cycle.on_or_after(today).unwrap();
                let away = days(today, next);
                assert!((0..=*longest).contains(&away), "{cycle:?} on {today}: {next}");
                // The due date itself is its own next one, and a payment on it counts for it alone.
                assert_eq!(cycle.on_or_after(next), Some(next), "{cycle:?} on {today}");
                assert_eq!(cycle.on_or_before(next), Some(next), "{cycle:?} on {today}");
                assert_eq!(cycle.paid_by(next), Some(next), "{cycle:?} on {today}");
                // Between the last one and the next one there is none.
                let last = cycle.on_or_before(today).unwrap();
                assert!(last <= today && (last == next || cycle.on_or_after(last.tomorrow().unwrap()) == Some(next)));
            }
            today = today.tomorrow().unwrap();
        }
    }

    #[test]
    fn a_payment_is_far_ahead_when_it_is_more_than_a_cycle_and_a_day_away() {
        for (cycle, payment, want) in [
            (Cycle::Weekly(1), "2026-12-08", false),
            (Cycle::Weekly(1), "2026-12-09", true),
            (Cycle::Monthly(15), "2026-11-15", false),
            (Cycle::Monthly(15), "2026-12-31", false),
            (Cycle::Monthly(15), "2027-01-01", true),
            (Cycle::Yearly(3, 15), "2027-12-01", false),
            (Cycle::Yearly(3, 15), "2027-12-02", true),
            (Cycle::Yearly(3, 15), "2099-01-01", true),
        ] {
            assert_eq!(cycle.is_far_ahead(date(payment), date("2026-11-30")), want, "{cycle:?} {payment}");
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        for cycle in [Cycle::Weekly(1), Cycle::Monthly(31), Cycle::Yearly(1, 1)] {
            for today in [Date::MAX, Date::MIN] {
                let _ = look(cycle, 3, Some(today), today);
            }
        }
    }
}
