//! A check that cannot be read, or can be read again.

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level, MissedCause, Trouble};

/// A check that cannot be read, run after run, or can be read again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failing {
    /// The account; none if the check is a mailbox or a subscription.
    pub account: Option<Account>,
    /// Why it cannot be read; none if it can be read again.
    pub trouble: Option<Trouble>,
}

impl Facts for Failing {
    fn in_a_few_words(&self, event: Event, _: Level) -> String {
        match event {
            Event::Raised => {
                format!("failing ({})", self.trouble.as_ref().map_or("unknown", |trouble| trouble.reason.as_str()))
            }
            Event::Resolved => "can be read again".to_owned(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        match &self.trouble {
            Some(trouble) => Figure::Word(trouble.reason.as_str().to_owned()),
            None => Figure::Balance,
        }
    }

    fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        let currency = self.account.as_mut().and_then(|account| account.currency.as_mut());
        let reason = self.trouble.as_mut().map(|trouble| &mut trouble.message);
        currency.map(OutsideText::Currency).into_iter().chain(reason.map(OutsideText::Reason)).collect()
    }

    fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    fn missed(&self) -> Option<MissedCause> {
        self.trouble.clone().map(MissedCause::Failing)
    }
}
