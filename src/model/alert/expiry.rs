//! Credits that lapse before they are used up.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level};
use crate::model::identity::Identity;

/// Of how many credits it is remembered that they were told.
const MOST_HEARD: usize = 100;

/// Credits of an account that will lapse with something left in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expiry {
    /// The account.
    pub account: Account,
    /// What is consumed on a usual day.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub usual_per_day: Option<Decimal>,
    /// These credits, the next first.
    pub credits: Vec<Lapsing>,
    /// The marks of those that the channel was told of before.
    pub heard: Vec<String>,
}

/// A credit that will lapse with something left in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lapsing {
    /// What the service calls it, on one short line.
    pub name: Option<String>,
    /// What is left of it now.
    #[serde(with = "rust_decimal::serde::str")]
    pub remaining: Decimal,
    /// What will be left of it when it lapses.
    #[serde(with = "rust_decimal::serde::str")]
    pub unused: Decimal,
    /// The day on which it lapses, in the time zone of the config.
    pub date: Date,
    /// Whole days until then.
    pub days: u32,
    /// The threshold that its lapse takes the account below; none if it takes it below none.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub falls_below: Option<Decimal>,
}

impl Lapsing {
    /// Names the credit with its date.
    fn mark(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        Identity::of("credit", name, &[&self.date.to_string()]).to_string()
    }
}

impl Expiry {
    /// What a store keeps to know the credits again: those of this alert, and those that were told before.
    pub(super) fn mark(&self) -> String {
        let mut marks: Vec<String> = self.credits.iter().map(Lapsing::mark).collect();
        marks.extend(self.heard.iter().filter(|heard| !marks.contains(heard)).cloned().collect::<Vec<_>>());
        marks.truncate(MOST_HEARD);
        marks.join(" ")
    }

    /// Whether a channel with this mark has heard of all of the credits.
    pub(crate) fn is_heard(&self, mark: &str) -> bool {
        self.credits.iter().all(|credit| mark.split(' ').any(|heard| heard == credit.mark()))
    }

    /// What is new to a channel with this mark, and what it has heard before.
    pub(crate) fn beyond(mut self, mark: &str) -> Expiry {
        self.heard = mark.split(' ').filter(|heard| !heard.is_empty()).map(str::to_owned).collect();
        self.credits.retain(|credit| !self.heard.contains(&credit.mark()));
        self
    }
}

impl Facts for Expiry {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match (event, self.credits.as_slice()) {
            (Event::Raised, [credit]) => format!("a credit lapses on {}", credit.date),
            (Event::Raised, [credit, ..]) => format!("{} credits lapse from {} on", self.credits.len(), credit.date),
            _ => "no credit lapses any more".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        self.credits.first().map_or(Figure::Balance, |credit| Figure::Word(credit.date.to_string()))
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.account.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::words::BalanceType;

    fn expiry(credits: &[(&str, &str)]) -> Expiry {
        let credit = |(name, date): &(&str, &str)| Lapsing {
            name: Some((*name).to_owned()).filter(|name| !name.is_empty()),
            remaining: 10.into(),
            unused: 5.into(),
            date: date.parse().unwrap(),
            days: 3,
            falls_below: None,
        };
        let account = Account { kind: BalanceType::Credits, balance: None, currency: None };
        Expiry { account, usual_per_day: None, credits: credits.iter().map(credit).collect(), heard: Vec::new() }
    }

    #[test]
    fn a_credit_is_known_again_by_its_name_and_its_date() {
        let told = expiry(&[("a", "2026-12-10"), ("", "2026-12-11")]).mark();
        for (credits, want) in [
            (&[("a", "2026-12-10")][..], true),
            (&[("", "2026-12-11")], true),
            (&[("", "2026-12-11"), ("a", "2026-12-10")], true),
            (&[("a", "2026-12-11")], false),
            (&[("b", "2026-12-10")], false),
            (&[("a", "2026-12-10"), ("b", "2026-12-10")], false),
            (&[], true),
        ] {
            assert_eq!(expiry(credits).is_heard(&told), want, "{credits:?}");
            assert_eq!(expiry(credits).beyond(&told).credits.is_empty(), want, "{credits:?}");
        }
        assert!(!expiry(&[("a", "2026-12-10")]).is_heard(""));
        // What was told before stays known when something else is told.
        let next = expiry(&[("a", "2026-12-10"), ("b", "2026-12-10")]).beyond(&told);
        assert_eq!(next.credits.len(), 1);
        assert!(expiry(&[("a", "2026-12-10"), ("", "2026-12-11"), ("b", "2026-12-10")]).is_heard(&next.mark()));
    }
}
