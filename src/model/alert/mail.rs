//! A mail that speaks of trouble. It is told once and is never over, so none is missed.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::facts::{Facts, Figure, OutsideText};
use super::{Event, Level};

/// A mail that speaks of trouble.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mail {
    pub subject: String,
    pub sender: String,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The account that it is about, by its name, if it can only be one.
    pub account: Option<String>,
    /// The service that its subject names.
    pub service: Option<String>,
    /// The amount that it names.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
    /// The signs that made it an alert, the strongest first.
    pub keywords: Vec<String>,
}

impl Facts for Mail {
    fn in_a_few_words(&self, _: Event, _: Level) -> String {
        format!("mail: {}", self.subject)
    }

    fn figure(&self) -> Figure<'_> {
        Figure::Quoted(&self.subject)
    }

    /// Its other texts were cut when it was read.
    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }
}
