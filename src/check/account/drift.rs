//! Whether a service answers otherwise than before: the outline of its answers, and what of it is kept from run to run.
//!
//! The outline of an answer is the keys and the types of what stands there, without a value. What differs between honest answers says
//! nothing: a field that is there at times only; null, false, an empty text, list or object where there is something at other times;
//! how many items a list has; and the keys of an object that are data themselves (ids, dates, addresses, currencies), or that hold the
//! same fields each. Two things are left that say that the service has changed its answer:
//!
//! - a place holds a value of a type that it never held;
//! - a field that was there in each of several runs is gone, and beside it another one has come that was never there: it was
//!   renamed.
//!
//! What is kept are keyed hashes, since even a key may tell of somebody.

mod known;
mod outline;

pub(crate) use self::known::Known;
pub(crate) use self::outline::Outline;

/// The answers of a service in one run, as far as a page asks for them in one way.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// Who was asked, and how: the id of the page, the host, and a keyed hash.
    pub source: String,
    /// What they look like.
    pub outline: Outline,
}

/// A service that has changed its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedAnswer {
    /// The page that it is asked by.
    pub provider: String,
    /// The host that was asked.
    pub host: String,
}

impl ChangedAnswer {
    /// Of which service the answers of a source are.
    pub(crate) fn of(source: &str) -> ChangedAnswer {
        let mut words = source.split(' ').map(str::to_owned);
        ChangedAnswer { provider: words.next().unwrap_or_default(), host: words.next().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests;
