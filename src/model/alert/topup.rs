//! An account that was topped up.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level};
use crate::model::amount;

/// An account whose balance rose between two readings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TopUp {
    /// The account.
    pub account: Account,
    /// By how much it rose; none if that is not known any more.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
    /// The last reading before it.
    pub since: Timestamp,
    /// The reading that has more.
    pub at: Timestamp,
}

impl TopUp {
    /// Names it among those of the account.
    pub(super) fn mark(&self) -> String {
        self.at.to_string()
    }

    /// This one together with an earlier one that nobody could be told of, so that no amount is lost.
    pub(crate) fn with(self, earlier: &TopUp) -> TopUp {
        if earlier.at >= self.at || earlier.account.currency != self.account.currency {
            return self;
        }
        let amount = self.amount.zip(earlier.amount).and_then(|(one, other)| one.checked_add(other));
        TopUp { amount, since: earlier.since, ..self }
    }
}

impl Facts for TopUp {
    fn in_a_few_words(&self, _: Event, _: Level) -> String {
        match self.amount {
            Some(amount) => format!("topped up by {}", amount::show(amount, self.account.currency.as_deref())),
            None => "topped up".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        self.amount.map_or(Figure::Balance, |amount| Figure::Word(format!("+{}", amount::show(amount, None))))
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        self.account.currency.iter_mut().map(OutsideText::Currency).collect()
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }
}
