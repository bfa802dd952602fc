//! When a subscription renews, and whether somebody must be reminded. Pure date arithmetic: calendar dates, no clock.

pub(crate) mod config;
mod cycle;
mod days_config;
pub(crate) mod price;

pub(crate) use self::cycle::{Cycle, days};

use crate::model::words::words;
use jiff::civil::Date;

words! {
    /// Where a subscription stands.
    pub(crate) enum Standing {
        /// It was not renewed on its day, as far as is known.
        Overdue = "overdue",
        /// Soon or today, and not paid as far as is known.
        Due = "due",
        /// The next renewal is paid already.
        Renewed = "renewed",
        /// Not soon.
        Ok = "ok",
        /// It has ended.
        Over = "over",
    }
}

/// What is known of a subscription on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Renewal {
    /// The due date that counts: the next one, today or later; the one that was missed, if it is overdue; the last day, if it is over.
    pub next: Date,
    /// Days until then; 0 is today, and less has passed.
    pub days: i64,
    /// Whether somebody must be reminded.
    pub standing: Standing,
    /// The due date that is paid, with all before it.
    pub paid_for: Option<Date>,
}

impl Renewal {
    /// The due date that counts and the days until then; none if it is over.
    pub(crate) fn ahead(&self) -> Option<(Date, i64)> {
        (self.standing != Standing::Over).then_some((self.next, self.days))
    }
}

/// Looks at a subscription on a day; none beyond the year 9999.
pub(crate) fn look(cycle: Cycle, alert_days_before: u32, last_renewed: Option<Date>, today: Date) -> Option<Renewal> {
    let paid_for = last_renewed.and_then(|payment| cycle.paid_by(payment));
    // Where nobody keeps what was paid, nobody can say that something was not.
    let missed = paid_for.and_then(|paid| cycle.on_or_after(paid.tomorrow().ok()?)).filter(|due| *due < today);
    if let Some(next) = missed {
        return Some(Renewal { next, days: days(today, next), standing: Standing::Overdue, paid_for });
    }
    if let Cycle::Once(end) = cycle
        && end < today
    {
        return Some(Renewal { next: end, days: days(today, end), standing: Standing::Over, paid_for });
    }
    let next = cycle.on_or_after(today)?;
    let days = days(today, next);
    let standing = match () {
        () if paid_for.is_some_and(|paid| paid >= next) => Standing::Renewed,
        () if days <= i64::from(alert_days_before) => Standing::Due,
        () => Standing::Ok,
    };
    Some(Renewal { next, days, standing, paid_for })
}

#[cfg(test)]
mod tests {
    use super::cycle::Repeat;
    use super::*;
    use crate::model::cadence::{Cadence, Every};

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn every(text: &str, anchor: &str, begins: bool) -> Cycle {
        let every: Every = text.parse().unwrap();
        let first = begins.then(|| date(anchor));
        Cycle::Every(Repeat { anchor: date(anchor), every, cadence: Cadence::Every(every), first })
    }

    /// Steps that are counted from a payment.
    fn paid_on(text: &str, payment: &str) -> Cycle {
        every(text, "2020-01-01", false).counted_from(date(payment))
    }

    /// The due dates from a day on.
    fn due_dates(cycle: Cycle, from: &str, count: usize) -> Vec<String> {
        let mut day = date(from);
        let mut dates = Vec::new();
        for _ in 0..count {
            let due = cycle.on_or_after(day).unwrap();
            dates.push(due.to_string());
            day = due.tomorrow().unwrap();
        }
        dates
    }

    #[test]
    fn steps_are_counted_from_the_first_day_so_that_no_short_month_moves_the_next_ones() {
        for (text, anchor, want) in [
            ("1 month", "2026-01-31", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
            ("1 month", "2028-01-30", ["2028-01-30", "2028-02-29", "2028-03-30", "2028-04-30", "2028-05-30"]),
            ("2 months", "2025-12-31", ["2025-12-31", "2026-02-28", "2026-04-30", "2026-06-30", "2026-08-31"]),
            ("3 months", "2026-11-30", ["2026-11-30", "2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30"]),
            ("6 months", "2027-08-31", ["2027-08-31", "2028-02-29", "2028-08-31", "2029-02-28", "2029-08-31"]),
            ("18 months", "2024-02-29", ["2024-02-29", "2025-08-29", "2027-02-28", "2028-08-29", "2030-02-28"]),
            ("1 year", "2024-02-29", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
            ("3 years", "2024-02-29", ["2024-02-29", "2027-02-28", "2030-02-28", "2033-02-28", "2036-02-29"]),
            ("100 years", "2000-02-29", ["2000-02-29", "2100-02-28", "2200-02-28", "2300-02-28", "2400-02-29"]),
            ("10 days", "2028-02-20", ["2028-02-20", "2028-03-01", "2028-03-11", "2028-03-21", "2028-03-31"]),
            ("6 weeks", "2026-12-28", ["2026-12-28", "2027-02-08", "2027-03-22", "2027-05-03", "2027-06-14"]),
        ] {
            assert_eq!(due_dates(every(text, anchor, true), "2000-01-01", 5), want, "{text} from {anchor}");
        }
    }

    #[test]
    fn the_table_of_renewals() {
        use Cycle::{Monthly, Once, Weekly, Yearly};
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
            // Where a payment is kept, the first one that did not come is overdue.
            (Monthly(15), 3, "2025-11-13", "2026-11-13", "2025-12-15", "overdue"),
            (Monthly(15), 3, "2026-11-15", "2026-12-15", "2026-12-15", "due"),
            (Monthly(15), 3, "2026-11-15", "2026-12-16", "2026-12-15", "overdue"),
            (Monthly(15), 3, "2026-11-15", "2027-02-01", "2026-12-15", "overdue"),
            (Monthly(15), 3, "2026-12-20", "2026-12-20", "2027-01-15", "ok"), // five days late
            (Weekly(1), 3, "2026-11-16", "2026-11-24", "2026-11-23", "overdue"),
            (Yearly(3, 15), 7, "2025-03-15", "2026-03-16", "2026-03-15", "overdue"),
            (Yearly(3, 15), 7, "", "2026-03-16", "2027-03-15", "ok"),
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
            (Yearly(2, 29), 3, "2025-02-28", "2026-02-27", "2026-02-28", "due"),
            (Yearly(2, 29), 3, "2024-02-29", "2026-02-27", "2025-02-28", "overdue"),
            // The end of a trial.
            (Once(date("2027-01-31")), 3, "", "2027-01-27", "2027-01-31", "ok"),
            (Once(date("2027-01-31")), 3, "", "2027-01-28", "2027-01-31", "due"),
            (Once(date("2027-01-31")), 0, "", "2027-01-31", "2027-01-31", "due"),
            (Once(date("2027-01-31")), 3, "", "2027-02-01", "2027-01-31", "over"),
            (Once(date("2027-01-31")), 3, "", "2031-01-31", "2027-01-31", "over"),
            (Once(date("2027-01-31")), 3, "2026-12-24", "2027-01-30", "2027-01-31", "renewed"),
            (Once(date("2027-01-31")), 3, "2026-12-24", "2027-02-01", "2027-01-31", "over"),
            // Steps of one's own, from a first day and from a payment.
            (every("2 months", "2026-01-31", true), 3, "", "2025-06-01", "2026-01-31", "ok"),
            (every("2 months", "2026-01-31", true), 3, "", "2026-02-01", "2026-03-31", "ok"),
            (every("2 months", "2026-01-31", true), 3, "2026-01-29", "2026-01-30", "2026-01-31", "renewed"),
            (every("2 months", "2026-01-31", true), 3, "2025-11-30", "2026-01-30", "2026-01-31", "due"),
            (every("2 months", "2026-01-31", true), 3, "2026-01-29", "2026-04-01", "2026-03-31", "overdue"),
            (every("10 days", "2026-11-15", true), 3, "2026-11-15", "2026-11-24", "2026-11-25", "due"),
            (every("10 days", "2026-11-15", true), 3, "2026-11-15", "2026-11-26", "2026-11-25", "overdue"),
            (every("10 days", "2026-11-26", true), 3, "2026-11-26", "2026-11-26", "2026-11-26", "renewed"),
            (every("3 months", "2024-01-31", false), 3, "", "2023-10-29", "2023-10-31", "due"),
            // Counted from the last payment, the next one is a step later.
            (paid_on("10 days", "2026-11-26"), 3, "2026-11-26", "2026-11-26", "2026-12-06", "ok"),
            (paid_on("10 days", "2026-11-26"), 3, "2026-11-26", "2026-12-03", "2026-12-06", "due"),
            (paid_on("10 days", "2026-11-26"), 3, "2026-11-26", "2026-12-07", "2026-12-06", "overdue"),
            (paid_on("1 month", "2026-01-31"), 3, "2026-01-31", "2026-02-01", "2026-02-28", "ok"),
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
        for (text, longest) in [("1 month", 30), ("2 months", 61), ("3 months", 91), ("1 year", 365), ("3 years", 1095)]
        {
            cycles
                .extend(["2024-02-29", "2026-01-31", "2027-04-30"].map(|anchor| (every(text, anchor, false), longest)));
        }
        for (text, longest) in [("1 day", 0), ("10 days", 9), ("6 weeks", 41), ("1000 days", 999)] {
            cycles.extend(["2024-02-29", "2033-01-31"].map(|anchor| (every(text, anchor, false), longest)));
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
            (every("2 months", "2026-11-30", true), "2027-01-31", false),
            (every("2 months", "2026-11-30", true), "2027-02-01", true),
            (Cycle::Once(date("2026-12-01")), "2099-01-01", false),
        ] {
            assert_eq!(cycle.is_far_ahead(date(payment), date("2026-11-30")), want, "{cycle:?} {payment}");
        }
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let own = ["1000 years", "1 day", "1000 months", "7 weeks"].map(|text| every(text, "2026-01-31", false));
        let usual =
            [Cycle::Weekly(1), Cycle::Monthly(31), Cycle::Yearly(1, 1), Cycle::Once(Date::MAX), Cycle::Once(Date::MIN)];
        for cycle in usual.into_iter().chain(own) {
            for today in [Date::MAX, Date::MIN] {
                let _ = look(cycle, 3, Some(today), today);
            }
        }
    }
}
