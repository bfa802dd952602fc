//! The due dates of a subscription.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::model::cadence::{Cadence, Every, Unit};
use crate::model::words::CycleType;

/// How often a subscription renews, and on which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cycle {
    /// Every week on this day, 1 (Monday) to 7 (Sunday).
    Weekly(i8),
    /// Every month on this day, 1 to 31; in shorter months on their last day.
    Monthly(i8),
    /// Every year on this month and day; 29 February falls on the 28th in other years.
    Yearly(i8, i8),
    /// In equal steps from a day.
    Every(Repeat),
    /// Never: it ends on this day.
    Once(Date),
}

/// Equal steps from a day. Each due date is counted from that day, not from the one before it, so that a month that is too short
/// moves none of the later ones: 31 January, 28 February, 31 March.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// The day that the steps are counted from, in both directions.
    pub anchor: Date,
    /// The length of a step.
    pub every: Every,
    /// The word for it.
    pub cadence: Cadence,
    /// Nothing renews before this day.
    pub first: Option<Date>,
}

impl Repeat {
    /// The due date so many steps from the anchor.
    fn at(self, steps: i64) -> Option<Date> {
        let count = i64::from(self.every.count).checked_mul(steps)?;
        let span = match self.every.unit {
            Unit::Day => Span::new().try_days(count),
            Unit::Week => Span::new().try_weeks(count),
            Unit::Month => Span::new().try_months(count),
            Unit::Year => Span::new().try_years(count),
        };
        self.anchor.checked_add(span.ok()?).ok()
    }

    /// The number of the last step that is not in a later day, week, month or year than this day.
    fn steps_to(self, day: Date) -> i64 {
        let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        let away = match self.every.unit {
            Unit::Day => days(self.anchor, day),
            Unit::Week => days(self.anchor, day).div_euclid(7),
            Unit::Month => months(day) - months(self.anchor),
            Unit::Year => i64::from(day.year()) - i64::from(self.anchor.year()),
        };
        away.div_euclid(i64::from(self.every.count))
    }

    fn on_or_after(self, day: Date) -> Option<Date> {
        let steps = self.steps_to(day);
        self.at(steps).filter(|due| *due >= day).or_else(|| self.at(steps + 1))
    }

    fn on_or_before(self, day: Date) -> Option<Date> {
        let steps = self.steps_to(day);
        self.at(steps).filter(|due| *due <= day).or_else(|| self.at(steps - 1))
    }
}

impl Cycle {
    /// How often that is.
    pub(crate) fn cadence(self) -> Cadence {
        match self {
            Cycle::Weekly(_) => Cadence::Usual(CycleType::Weekly),
            Cycle::Monthly(_) => Cadence::Usual(CycleType::Monthly),
            Cycle::Yearly(..) => Cadence::Usual(CycleType::Yearly),
            Cycle::Every(repeat) => repeat.cadence,
            Cycle::Once(_) => Cadence::Once,
        }
    }

    /// The first due date that is not before a day; none beyond the year 9999, and after the end of what ends.
    pub(crate) fn on_or_after(self, day: Date) -> Option<Date> {
        match self {
            Cycle::Every(repeat) => repeat.on_or_after(repeat.first.map_or(day, |first| day.max(first))),
            Cycle::Once(end) => (day <= end).then_some(end),
            _ => {
                let due = self.near(day)?;
                if due >= day { Some(due) } else { self.near(day.checked_add(self.step()?).ok()?) }
            }
        }
    }

    /// The last due date that is not after a day.
    pub(super) fn on_or_before(self, day: Date) -> Option<Date> {
        match self {
            Cycle::Every(repeat) => repeat.on_or_before(day),
            Cycle::Once(end) => (end <= day).then_some(end),
            _ => {
                let due = self.near(day)?;
                if due <= day { Some(due) } else { self.near(day.checked_sub(self.step()?).ok()?) }
            }
        }
    }

    /// The same cycle, counted from a payment.
    pub(super) fn counted_from(self, payment: Date) -> Cycle {
        match self {
            Cycle::Yearly(..) => Cycle::Yearly(payment.month(), payment.day()),
            Cycle::Every(repeat) => Cycle::Every(Repeat { anchor: payment, first: payment.tomorrow().ok(), ..repeat }),
            Cycle::Weekly(_) | Cycle::Monthly(_) | Cycle::Once(_) => self,
        }
    }

    /// From one due date to the next; none if there is no next one.
    fn step(self) -> Option<Span> {
        match self {
            Cycle::Weekly(_) => Some(1.week()),
            Cycle::Monthly(_) => Some(1.month()),
            Cycle::Yearly(..) => Some(1.year()),
            Cycle::Every(repeat) => {
                let count = i64::from(repeat.every.count);
                Some(match repeat.every.unit {
                    Unit::Day => count.days(),
                    Unit::Week => count.weeks(),
                    Unit::Month => count.months(),
                    Unit::Year => count.years(),
                })
            }
            Cycle::Once(_) => None,
        }
    }

    /// Whether a payment lies more than one cycle after a day, which is probably a mistyped year. One day of tolerance allows
    /// for time zones.
    pub(crate) fn is_far_ahead(self, payment: Date, today: Date) -> bool {
        let latest = self.step().and_then(|step| today.checked_add(step).and_then(|day| day.tomorrow()).ok());
        latest.is_some_and(|latest| payment > latest)
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
            Cycle::Every(repeat) => repeat.at(repeat.steps_to(day)),
            Cycle::Once(end) => Some(end),
        }
    }

    /// The due date that a payment covers: the nearest one; on a tie, the later one. What ends on a day has no other.
    pub(super) fn paid_by(self, payment: Date) -> Option<Date> {
        let (before, after) = match self {
            Cycle::Once(end) => return Some(end),
            // Where nothing renews before a day, a payment may come a little earlier than that.
            Cycle::Every(repeat) => (repeat.on_or_before(payment), repeat.on_or_after(payment)),
            _ => (self.on_or_before(payment), self.on_or_after(payment)),
        };
        match (before, after) {
            (Some(before), Some(after)) if days(payment, after) <= days(before, payment) => Some(after),
            (before, after) => before.or(after),
        }
    }
}

/// A day of a month, or its last one.
pub(super) fn clamped(year: i16, month: i8, day: i8) -> Option<Date> {
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, day.min(first.days_in_month())).ok()
}

/// Whole days from one date to another; less than none if the other one is earlier.
pub(crate) fn days(from: Date, to: Date) -> i64 {
    i64::from(from.until(to).map(|span| span.get_days()).unwrap_or(i32::MAX))
}
