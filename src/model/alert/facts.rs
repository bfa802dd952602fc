//! What every cause says of itself, so that whoever handles alerts need not know the topics one by one.

use rust_decimal::Decimal;

use super::{Account, Event, Level, MissedCause, Trouble};

/// What is asked of the cause of an alert, whatever its topic is.
pub(crate) trait Facts {
    /// What happened, in a few words of English, for the list of `balance-alert alerts`.
    fn in_a_few_words(&self, event: Event, level: Level) -> String;

    /// What a message in short says of it, beside the name of the check.
    fn figure(&self) -> Figure<'_>;

    /// The texts in it that a service has written. Messages cut each of them to one short line.
    fn outside_texts(&mut self) -> Vec<OutsideText<'_>>;

    /// The account, if it is about one.
    fn account(&self) -> Option<&Account> {
        None
    }

    /// The threshold that the balance is below, or back above.
    fn threshold(&self) -> Option<Decimal> {
        None
    }

    /// The currency of its amounts.
    fn currency(&self) -> Option<&str> {
        self.account()?.currency.as_deref()
    }

    /// Why the check cannot be read, if that is what it is about.
    fn trouble(&self) -> Option<&Trouble> {
        None
    }

    /// What the message that it is over adds about it, if nobody could be told while it lasted. None if that message adds nothing.
    fn missed(&self) -> Option<MissedCause> {
        None
    }
}

/// What a message in short says of an alert.
#[derive(Debug, PartialEq)]
pub(crate) enum Figure<'a> {
    /// The balance, if it is known.
    Balance,
    /// A word or a date that every language understands.
    Word(String),
    /// Words of others, which stand in quotes.
    Quoted(&'a str),
}

/// A text that a service has written.
#[derive(Debug, PartialEq)]
pub(crate) enum OutsideText<'a> {
    /// The name of a currency.
    Currency(&'a mut String),
    /// Why a check cannot be read.
    Reason(&'a mut String),
}
