//! What a balance did in a period that is over: the same intervals as those of a forecast, added up.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Point;
use super::account::{Reading, alike};
use super::series::Series;
use crate::model::amount;

/// An account's period. What it began with, and what rose and fell, gives what it ended with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    /// What the amounts are counted in.
    pub(crate) currency: Option<String>,
    /// The last balance that was read before the period, or else the first one in it.
    pub(crate) opening: Decimal,
    /// The sum of the rises.
    pub(crate) topped_up: Decimal,
    /// The sum of the falls.
    pub(crate) consumed: Decimal,
    /// The last balance of the period.
    pub(crate) closing: Decimal,
    /// The consumption of a day, by the time in which a fall could be seen; none if that is less than half a day.
    pub(crate) per_day: Option<Decimal>,
}

/// The least time in which falls could be seen that gives a rate, in hours.
const LEAST_HOURS: f64 = 12.0;
/// The digits of a rate.
const DIGITS: u32 = 6;

/// What the readings say of a period. They are in the order of time; what was counted in another currency than the last one of the
/// period is left out. None if nothing was read in the period, or a sum is no decimal any more.
pub(crate) fn statement(
    readings: &[Reading],
    of_check: Option<&str>,
    (from, until): (Timestamp, Timestamp),
) -> Option<Statement> {
    let readings = &readings[..readings.partition_point(|reading| reading.at <= until)];
    let (currency, mut points) = alike(readings, of_check)?;
    points.reverse();
    // The interval that lies across the beginning belongs to this period, and the one across the end to the next.
    let opening = points.partition_point(|point| point.at <= from).saturating_sub(1);
    let points: &[Point] = &points[opening..];
    let series = Series::of(points, until).filter(|series| series.as_of > from.as_millisecond())?;
    let add = |sum: Decimal, amount: Decimal| sum.checked_add(amount);
    let consumed = series.intervals.iter().try_fold(Decimal::ZERO, |sum, one| add(sum, one.amount))?;
    let topped_up = series.top_ups.iter().try_fold(Decimal::ZERO, |sum, one| add(sum, one.amount))?;
    let hours: f64 = series.intervals.iter().map(|interval| interval.hours()).sum();
    let days = amount::from_float(hours / 24.0).ok().filter(|_| hours >= LEAST_HOURS);
    let per_day = days.and_then(|days| consumed.checked_div(days)?.round_sf(DIGITS)).map(|rate| rate.normalize());
    let (opening, closing) = (points.first()?.balance, series.balance);
    let is_whole = add(opening, topped_up)?.checked_sub(consumed)? == closing;
    is_whole.then_some(Statement { currency, opening, topped_up, consumed, closing, per_day })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The readings at these hours of a period of 24 hours, the sums in the order of the fields, and the rate; `-` if there is none.
    fn of(readings: &[(i64, &str, &str)]) -> String {
        let at = |hour: i64| Timestamp::from_second(1_796_000_000 + 3_600 * hour).unwrap();
        let reading = |(hour, balance, currency): &(i64, &str, &str)| Reading {
            at: at(*hour),
            balance: balance.parse().unwrap(),
            currency: Some((*currency).to_owned()).filter(|currency| *currency != "?"),
        };
        let readings: Vec<Reading> = readings.iter().map(reading).collect();
        let Some(one) = statement(&readings, Some("USD"), (at(0), at(24))) else { return "-".to_owned() };
        assert_eq!(one.opening + one.topped_up - one.consumed, one.closing, "{one:?}");
        let rate = one.per_day.map_or_else(|| "-".to_owned(), |rate| rate.to_string());
        let currency = one.currency.unwrap_or_default();
        format!("{currency} {} +{} -{} ={} {rate}", one.opening, one.topped_up, one.consumed, one.closing)
    }

    #[test]
    fn what_a_period_began_with_and_what_rose_and_fell_gives_what_it_ended_with() {
        for (name, readings, want) in [
            ("nothing", vec![], "-"),
            ("nothing in the period", vec![(-1, "5", "USD"), (25, "4", "USD")], "-"),
            ("one reading", vec![(3, "5", "USD")], "USD 5 +0 -0 =5 -"),
            ("the balance before counts", vec![(-2, "9", "USD"), (3, "5", "USD")], "USD 9 +0 -4 =5 -"),
            (
                "the newest before counts",
                vec![(-9, "90", "USD"), (-2, "9", "USD"), (22, "5", "USD")],
                "USD 9 +0 -4 =5 4",
            ),
            (
                "the boundaries belong to both",
                vec![(0, "9", "USD"), (24, "5", "USD"), (25, "1", "USD")],
                "USD 9 +0 -4 =5 4",
            ),
            (
                "a top-up",
                vec![(0, "9.5", "USD"), (6, "1", "USD"), (7, "101", "USD"), (19, "95", "USD")],
                "USD 9.5 +100 -14.5 =95 19.3333",
            ),
            ("several", vec![(0, "1", "USD"), (1, "3", "USD"), (2, "2", "USD"), (3, "7", "USD")], "USD 1 +7 -1 =7 -"),
            ("debts", vec![(0, "-1", "USD"), (12, "-3.25", "USD")], "USD -1 +0 -2.25 =-3.25 4.5"),
            (
                "another currency",
                vec![(-1, "70", "CNY"), (2, "69", "CNY"), (3, "10", "USD"), (9, "8", "USD")],
                "USD 10 +0 -2 =8 -",
            ),
            (
                "another currency afterwards",
                vec![(0, "70", "CNY"), (9, "69", "CNY"), (30, "8", "USD")],
                "CNY 70 +0 -1 =69 -",
            ),
            ("none", vec![(0, "7", ""), (9, "6", "")], " 7 +0 -1 =6 -"),
            ("that of the check", vec![(0, "7", "?"), (9, "6", "USD")], "USD 7 +0 -1 =6 -"),
            (
                "too much for a number",
                vec![(0, &Decimal::MAX.to_string(), "USD"), (1, &Decimal::MIN.to_string(), "USD")],
                "-",
            ),
        ] {
            assert_eq!(of(&readings), want, "{name}");
        }
    }

    /// Two periods that follow each other end and begin with the same, and nothing is counted twice or not at all.
    #[test]
    fn periods_that_follow_each_other_add_up() {
        let mut random = fastrand::Rng::with_seed(7);
        let at = |minute: i64| Timestamp::from_second(1_796_000_000 + 60 * minute).unwrap();
        for _ in 0..200 {
            let mut minutes: Vec<i64> =
                (0..random.usize(6..60)).map(|_| random.i64(1..2880)).chain([0, 1440, 2880]).collect();
            minutes.sort_unstable();
            minutes.dedup();
            let reading =
                |minute: &i64| Reading { at: at(*minute), balance: random.i64(-50..500).into(), currency: None };
            let readings: Vec<Reading> = minutes.iter().map(reading).collect();
            let of = |from, until| statement(&readings, None, (at(from), at(until))).unwrap();
            let (first, second, both) = (of(0, 1440), of(1440, 2880), of(0, 2880));
            assert_eq!(first.closing, second.opening);
            assert_eq!(first.consumed + second.consumed, both.consumed);
            assert_eq!(first.topped_up + second.topped_up, both.topped_up);
        }
    }
}
