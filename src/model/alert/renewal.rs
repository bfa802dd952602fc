//! A subscription that renews soon, was not renewed on its day, or was due before anybody could be told.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::facts::{Facts, Figure, OutsideText};
use super::{Event, Level, MissedCause};
use crate::model::cadence::Cadence;

/// A renewal that is due.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renewal {
    /// How often it renews.
    pub cycle_type: Cadence,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// The due date.
    pub next: Date,
    /// The day on which this was found.
    pub today: Date,
    /// Days until then; 0 is today, and less is overdue.
    pub days: i64,
    /// What it costs.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
}

impl Renewal {
    /// Whether it was not renewed on its day.
    pub(crate) fn is_overdue(&self) -> bool {
        self.days < 0
    }
}

impl Facts for Renewal {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match event {
            Event::Raised if self.is_overdue() => format!("is overdue since {}", self.next),
            Event::Raised if self.cycle_type == Cadence::Once => format!("ends on {}", self.next),
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
