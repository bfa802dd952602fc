//! A balance that is below a threshold, or no longer.

use rust_decimal::Decimal;

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level, MissedCause};

/// A balance and the threshold that it is below, or back above.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Low {
    pub account: Account,
    /// The threshold; none if the entry has none any more.
    pub threshold: Option<Decimal>,
    /// Why it is no recovery that the balance is not low any more, if it is none.
    pub change: Option<Change>,
}

/// What has changed since a low balance was told, other than the balance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// The threshold was lowered; this is the one that was told. The balance is still below it.
    Threshold(Decimal),
    /// The currency is another one, or only one of both was named; this is the one that was told, if one was. The amounts cannot be
    /// compared.
    Currency(Option<String>),
}

impl Facts for Low {
    fn in_a_few_words(&self, event: Event, level: Level) -> String {
        match (event, level, &self.change) {
            (Event::Raised, Level::Warning, _) => "below warning threshold".to_owned(),
            (Event::Raised, ..) => "low".to_owned(),
            (Event::Resolved, _, Some(Change::Currency(Some(before)))) => format!("not low, but was told in {before}"),
            (Event::Resolved, _, Some(Change::Currency(None))) => "not low, but was told without a currency".to_owned(),
            (Event::Resolved, _, Some(Change::Threshold(_))) => "not low, threshold lowered".to_owned(),
            (Event::Resolved, _, None) => "recovered".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        Figure::Balance
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        let told = match &mut self.change {
            Some(Change::Currency(told)) => told.as_mut(),
            Some(Change::Threshold(_)) | None => None,
        };
        self.account.currency.iter_mut().chain(told).map(OutsideText::Currency).collect()
    }

    fn account(&self) -> Option<&Account> {
        Some(&self.account)
    }

    fn threshold(&self) -> Option<Decimal> {
        self.threshold
    }

    fn missed(&self) -> Option<MissedCause> {
        let Account { balance, currency, .. } = self.account.clone();
        Some(MissedCause::Low { balance, threshold: self.threshold, currency })
    }
}
