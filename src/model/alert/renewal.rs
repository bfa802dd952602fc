//! A subscription that renews soon, or was due before anybody could be told.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::facts::{Facts, Figure, OutsideText};
use super::{Event, Level, MissedCause};
use crate::model::words::CycleType;

/// A renewal that is due.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renewal {
    /// How often it renews.
    pub cycle_type: CycleType,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// The due date.
    pub next: Date,
    /// The day on which this was found.
    pub today: Date,
    /// Days until then; 0 is today.
    pub days: i64,
    /// What it costs.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
}

impl Facts for Renewal {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match event {
            Event::Raised => format!("renews on {}", self.next),
            Event::Resolved => "was due".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        Figure::Word(self.next.to_string())
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    fn missed(&self) -> Option<MissedCause> {
        Some(MissedCause::Renewal)
    }
}
