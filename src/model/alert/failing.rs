//! A check that cannot be read, or can be read again.

use super::facts::{Facts, Figure, OutsideText};
use super::{Account, Event, Level, MissedCause, Trouble};
use crate::model::failure::Reason;
use crate::model::identity::Identity;

/// From this number on, checks of one host that cannot be read for one cause are told together.
pub(crate) const TOGETHER_FROM: usize = 3;

/// Why several checks of a host cannot be read. For services that count events it is one condition, whichever checks come and go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SharedCause {
    /// The host.
    pub host: String,
    /// Names the cause across runs.
    pub id: Identity,
}

impl SharedCause {
    /// The cause that a host does not answer as it should. How it fails may change from run to run.
    pub(crate) fn of_host(host: &str) -> SharedCause {
        SharedCause { host: host.to_owned(), id: Identity::of("host", host, &[]) }
    }

    /// The cause that a host answers, and refuses with these words.
    pub(crate) fn of_refusal(host: &str, reason: Reason, message: &str) -> SharedCause {
        SharedCause { host: host.to_owned(), id: Identity::of("host", host, &[reason.as_str(), message]) }
    }

    /// As it stands in a store.
    pub(crate) fn mark(&self) -> String {
        format!("{} {}", self.id, self.host)
    }

    /// The cause that a store names. Other texts, such as the empty one of an old store, name none.
    pub(crate) fn parse(mark: &str) -> Option<SharedCause> {
        let (id, host) = mark.split_once(' ')?;
        let id = i64::from_str_radix(id, 16).ok().filter(|_| id.len() == 16)?;
        Some(SharedCause { host: host.to_owned(), id: Identity(id) })
    }
}

/// A check that cannot be read, run after run, or can be read again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failing {
    /// The account; none if the check is a mailbox or a subscription.
    pub account: Option<Account>,
    /// Why it cannot be read; none if it can be read again.
    pub trouble: Option<Trouble>,
    /// The cause that it shares with others; none if it is a condition of its own.
    pub shared: Option<SharedCause>,
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
