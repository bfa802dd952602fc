//! A day that consumes far more than is usual, or as much as usual again.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level};

/// An account that consumes `spike_ratio` times as much as usual, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spike {
    /// The account.
    pub account: Account,
    /// What the last 24 hours consumed, scaled to a full day; none if that cannot be said any more.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub per_day: Option<Decimal>,
    /// What a usual day consumes; none if the account was idle.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub usual_per_day: Option<Decimal>,
}

impl Spike {
    /// How many times as much as usual, as `12` or `3.5`; none if nothing is usual.
    pub(crate) fn times(&self) -> Option<String> {
        let usual = self.usual_per_day.filter(|usual| *usual > Decimal::ZERO)?;
        let times = self.per_day?.checked_div(usual)?.to_f64()?;
        Some(if times >= 9.95 {
            format!("{times:.0}")
        } else {
            format!("{times:.1}").trim_end_matches(".0").to_owned()
        })
    }
}

impl Facts for Spike {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match (event, self.times()) {
            (Event::Raised, Some(times)) => format!("consumes {times} times as much as usual"),
            (Event::Raised, None) => "consumes much after days without consumption".to_owned(),
            (Event::Resolved, _) => "consumes as usual again".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        self.times().map_or(Figure::Balance, |times| Figure::Word(format!("×{times}")))
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.account.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }
}
