//! A balance that will not last, or lasts again.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level};

/// A balance that will be used up within the days of `alert_days`, or will last longer again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Runway {
    /// The account.
    pub account: Account,
    /// How long it lasts; none if that cannot be said any more.
    pub lasts: Option<Lasting>,
}

/// How long a balance lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lasting {
    /// Whole days at the usual rate, rounded.
    pub days: u32,
    /// Whole days at the fast rate, rounded down.
    pub least: u32,
    /// Whole days at the slow rate, rounded up; none for more than ten years.
    pub most: Option<u32>,
    /// The day at the usual rate, in the time zone of the config.
    pub until: Date,
    /// What is consumed on a usual day.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub burn_per_day: Option<Decimal>,
}

impl Facts for Runway {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match (event, &self.lasts) {
            (Event::Raised, Some(lasts)) => format!("lasts until about {}", lasts.until),
            (Event::Raised, None) => "will not last".to_owned(),
            (Event::Resolved, _) => "lasts again".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        match &self.lasts {
            Some(lasts) => Figure::Word(lasts.until.to_string()),
            None => Figure::Balance,
        }
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.account.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }
}
