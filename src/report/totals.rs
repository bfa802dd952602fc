//! What subscriptions come to in a month and in a year, for each currency alone: amounts are never converted.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::amount;
use crate::model::text;

/// What the subscriptions of one currency come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Total {
    /// The currency; none for the amounts that have none.
    currency: Option<String>,
    /// The number of subscriptions that it is the sum of.
    subscriptions: usize,
    yearly: Decimal,
}

/// The same for programs.
#[derive(Serialize)]
pub(crate) struct TotalEntry {
    currency: Option<String>,
    subscriptions: usize,
    monthly: Box<RawValue>,
    yearly: Box<RawValue>,
}

/// The sums of what subscriptions cost in a year, by currency. A sum that is too large for a number is left out.
pub(crate) fn totals<'a>(costs: impl IntoIterator<Item = (Option<&'a str>, Decimal)>) -> Vec<Total> {
    let mut totals: Vec<(Option<&str>, usize, Option<Decimal>)> = Vec::new();
    for (currency, yearly) in costs {
        let is_same = |known: Option<&str>| match (known, currency) {
            (Some(known), Some(currency)) => amount::is_certainly_same(known, currency),
            (known, currency) => known.is_none() && currency.is_none(),
        };
        match totals.iter_mut().find(|(known, ..)| is_same(*known)) {
            Some((_, count, sum)) => {
                *count += 1;
                *sum = sum.and_then(|sum| sum.checked_add(yearly));
            }
            None => totals.push((currency, 1, Some(yearly))),
        }
    }
    let mut totals: Vec<Total> = totals
        .into_iter()
        .filter_map(|(currency, subscriptions, yearly)| {
            let currency = currency.map(|currency| text::one_line(currency, 16));
            Some(Total { currency, subscriptions, yearly: yearly? })
        })
        .collect();
    totals.sort_by(|one, other| {
        (one.currency.is_none(), &one.currency).cmp(&(other.currency.is_none(), &other.currency))
    });
    totals
}

impl Total {
    fn monthly(&self) -> Decimal {
        self.yearly / Decimal::from(12)
    }

    /// What it comes to, in one line.
    pub(crate) fn line(&self) -> String {
        let (count, [monthly, yearly]) = self.figures();
        format!("{}: {monthly} a month, {yearly} a year", text::plural(count, "subscription"))
    }

    /// How many subscriptions, and what they come to in a month and in a year.
    pub(super) fn figures(&self) -> (usize, [String; 2]) {
        let shown = |amount| amount::show(rounded(amount), self.currency.as_deref());
        (self.subscriptions, [shown(self.monthly()), shown(self.yearly)])
    }

    /// What it comes to, for programs.
    pub(crate) fn entry(&self) -> TotalEntry {
        TotalEntry {
            currency: self.currency.clone(),
            subscriptions: self.subscriptions,
            monthly: amount::to_json(rounded(self.monthly())),
            yearly: amount::to_json(rounded(self.yearly)),
        }
    }
}

/// To a hundredth, or as small amounts are shown.
fn rounded(amount: Decimal) -> Decimal {
    let places = if amount.abs() >= Decimal::ONE { 2 } else { 6 };
    amount.round_dp(places).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_sum() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let costs = [
            (Some("USD"), "120"),
            (Some("CNY"), "1200.30"),
            (None, "5"),
            (Some("usd"), "521.785714"),
            (Some("RMB"), "0.70"),
            (Some("$"), "12"),
            (None, "0.5"),
        ];
        let costs = costs.map(|(currency, yearly)| (currency, number(yearly)));
        let lines: Vec<String> = totals(costs).iter().map(Total::line).collect();
        assert_eq!(
            lines,
            [
                "1 subscription: 1.00 $ a month, 12.00 $ a year",
                "2 subscriptions: 100.08 CNY a month, 1,201.00 CNY a year",
                "2 subscriptions: 53.48 USD a month, 641.79 USD a year",
                "2 subscriptions: 0.458333 a month, 5.50 a year",
            ]
        );
        let mut backwards = costs;
        backwards.reverse();
        let yearly = |totals: Vec<Total>| totals.into_iter().map(|total| total.yearly).collect::<Vec<_>>();
        assert_eq!(yearly(totals(backwards)), yearly(totals(costs)), "the order changes no sum");
        assert_eq!(totals([(Some("USD"), Decimal::MAX), (Some("USD"), Decimal::MAX)]), []);
    }
}
