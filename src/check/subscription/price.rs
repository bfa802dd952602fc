//! What a subscription costs: on a date, and in a year.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::cycle::Cycle;
use crate::model::cadence::{Every, Unit};

/// What a renewal costs from a date on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// The first day on which it holds.
    pub from: Date,
    /// What a renewal costs.
    pub amount: Decimal,
}

/// What a renewal on a day costs: by the last of the prices that have begun by then, else by `before`. The prices are in the order of
/// their dates.
pub(crate) fn on(day: Date, prices: &[Price], before: Option<Decimal>) -> Option<Decimal> {
    prices.iter().rev().find(|price| price.from <= day).map(|price| price.amount).or(before)
}

/// What an amount for each renewal comes to in a year, which has 365.25 days on the average; none for what does not renew.
pub(crate) fn a_year(cycle: Cycle, amount: Decimal) -> Option<Decimal> {
    let every = match cycle {
        Cycle::Weekly(_) => Every { count: 1, unit: Unit::Week },
        Cycle::Monthly(_) => Every { count: 1, unit: Unit::Month },
        Cycle::Yearly(..) => Every { count: 1, unit: Unit::Year },
        Cycle::Every(repeat) => repeat.every,
        Cycle::Once(_) => return None,
    };
    let days = Decimal::new(36_525, 2);
    let (times, in_so_many) = match every.unit {
        Unit::Day => (days, 1),
        Unit::Week => (days, 7),
        Unit::Month => (Decimal::from(12), 1),
        Unit::Year => (Decimal::ONE, 1),
    };
    amount.checked_mul(times)?.checked_div(Decimal::from(u32::from(every.count) * in_so_many))
}

#[cfg(test)]
mod tests {
    use super::super::cycle::Repeat;
    use super::*;
    use crate::model::cadence::Cadence;

    #[test]
    fn the_price_is_that_of_the_day() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let prices = [("2027-01-01", "20"), ("2027-06-15", "25.50")]
            .map(|(from, amount)| Price { from: from.parse().unwrap(), amount: number(amount) });
        for (day, before, want) in [
            ("2026-12-31", Some("10"), Some("10")),
            ("2026-12-31", None, None),
            ("2027-01-01", Some("10"), Some("20")),
            ("2027-06-14", None, Some("20")),
            ("2027-06-15", None, Some("25.50")),
            ("2099-01-01", Some("10"), Some("25.50")),
        ] {
            assert_eq!(on(day.parse().unwrap(), &prices, before.map(number)), want.map(number), "{day}");
        }
        assert_eq!(on("2027-01-01".parse().unwrap(), &[], Some(number("10"))), Some(number("10")));
    }

    #[test]
    fn a_year_has_so_many_renewals() {
        let every = |text: &str| {
            let every: Every = text.parse().unwrap();
            let (anchor, cadence) = ("2026-01-31".parse().unwrap(), Cadence::Every(every));
            Cycle::Every(Repeat { anchor, every, cadence, first: None })
        };
        for (cycle, amount, want) in [
            (Cycle::Monthly(15), "10", "120"),
            (Cycle::Yearly(3, 15), "99.99", "99.99"),
            (Cycle::Weekly(1), "7", "365.25"),
            (every("1 month"), "10", "120"),
            (every("3 months"), "30", "120"),
            (every("18 months"), "30", "20"),
            (every("3 years"), "36", "12"),
            (every("6 weeks"), "42", "365.25"),
            (every("10 days"), "10", "365.25"),
            (every("1 day"), "1", "365.25"),
        ] {
            let amount: Decimal = amount.parse().unwrap();
            assert_eq!(a_year(cycle, amount), Some(want.parse().unwrap()), "{cycle:?} {amount}");
        }
        assert_eq!(a_year(Cycle::Once("2027-01-31".parse().unwrap()), Decimal::TEN), None);
        assert_eq!(a_year(Cycle::Weekly(1), Decimal::MAX), None, "too large is not known");
    }
}
