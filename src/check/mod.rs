//! What the world says: one attempt gives a [`Reading`] or a [`Failure`]; the pool makes [`Outcome`]s of them.

pub(crate) mod account;
pub(crate) mod circuit;
pub(crate) mod job;
pub(crate) mod look;
pub(crate) mod mailbox;
pub(crate) mod pool;
pub(crate) mod queue;
pub(crate) mod subscription;

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::model::failure::{Failure, Reason, Retry};
use crate::model::words::words;
use crate::process::redact::Redactor;

/// What an account holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// This much.
    Of(Decimal),
    /// No limit: never an alert, never zero.
    Unlimited,
}

/// A balance that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// How much.
    pub amount: Amount,
    /// Of what, if the service or the config says it.
    pub currency: Option<String>,
    /// What the service tells beside it.
    pub beside: Beside,
}

/// What a service tells beside a balance; what it does not tell is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// How much there is when nothing was used.
    pub total: Option<Decimal>,
    /// How much was used.
    pub usage: Option<Decimal>,
    /// How much is there but cannot be used.
    pub frozen: Option<Decimal>,
    /// When a quota refills.
    pub resets_at: Option<Timestamp>,
    /// The credits that expire.
    pub expires: Vec<Expiring>,
}

/// A credit that expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expiring {
    /// What the service calls it.
    pub credit: Option<String>,
    /// How much is left of it.
    pub amount: Option<Decimal>,
    /// When it expires; none if it does not.
    pub date: Option<Timestamp>,
}

impl Beside {
    /// The credit that expires next after a time.
    pub(crate) fn next_to_expire(&self, now: Timestamp) -> Option<(Timestamp, &Expiring)> {
        let dated = self.expires.iter().filter_map(|credit| Some((credit.date.filter(|date| *date > now)?, credit)));
        dated.min_by_key(|(date, _)| *date)
    }
}

impl Reading {
    /// A balance of which nothing else is known.
    pub(crate) fn new(amount: Amount, currency: Option<String>) -> Reading {
        Reading { amount, currency, beside: Beside::default() }
    }

    /// The reading without secrets in its texts.
    ///
    /// # Errors
    /// One of its numbers is a secret. A number is told in many forms, so none of them can be masked.
    pub(crate) fn without_secrets(mut self, redactor: &Redactor) -> Result<Reading, Failure> {
        let Beside { total, usage, frozen, .. } = self.beside;
        let amount = match self.amount {
            Amount::Of(amount) => Some(amount),
            Amount::Unlimited => None,
        };
        let credits = self.beside.expires.iter().filter_map(|credit| credit.amount);
        let mut numbers = [amount, total, usage, frozen].into_iter().flatten().chain(credits);
        if numbers.any(|number| redactor.is_secret_number(number)) {
            let message =
                "a number in the answer has the digits of a secret of this config, so it is not shown as an amount";
            return Err(Failure::new(Reason::Decode, message));
        }
        self.currency = self.currency.map(|currency| redactor.shield(&currency).into_owned());
        for credit in self.beside.expires.iter_mut().filter_map(|credit| credit.credit.as_mut()) {
            *credit = redactor.shield(credit).into_owned();
        }
        Ok(self)
    }
}

/// A reading of an earlier run that can be used again.
#[derive(Clone, Debug)]
pub(crate) struct CachedReading {
    /// When it was read.
    pub at: Timestamp,
    /// What was read.
    pub reading: Reading,
}

words! {
    /// How a request to a service ended.
    pub(crate) enum CallStatus {
        /// With what was wanted.
        Success = "success",
        /// Not in time.
        Timeout = "timeout",
        /// In any other way.
        Error = "error",
    }
}

impl CallStatus {
    /// The way that a result stands for.
    pub(crate) fn of<T>(result: &Result<T, Failure>) -> CallStatus {
        match result {
            Ok(_) => CallStatus::Success,
            Err(failure) if failure.reason == Reason::Timeout => CallStatus::Timeout,
            Err(_) => CallStatus::Error,
        }
    }
}

/// One request over the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// How it ended.
    pub status: CallStatus,
    /// Time taken.
    pub duration: Duration,
}

/// What came of one check, all its attempts taken together.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The reading or why there is none.
    pub result: Result<Reading, Failure>,
    /// When it was true, if that was not just now: the time of a mail.
    pub as_of: Option<Timestamp>,
    /// Whether an earlier run's reading was used again.
    pub cached: bool,
    /// Attempts made; 0 if none was possible.
    pub attempts: u32,
    /// The requests of these attempts.
    pub calls: Vec<Call>,
    /// Time taken, waits included.
    pub duration: Duration,
}

impl Outcome {
    /// Whether the host has told something: a balance, or a refusal that no repeat changes.
    pub(crate) fn has_answered(&self) -> bool {
        self.attempts > 0 && self.result.as_ref().err().is_none_or(|failure| failure.retry == Retry::Never)
    }

    /// The outcome of a check that the pool has lost.
    pub(crate) fn lost(lost: pool::Unfinished) -> Outcome {
        // What had begun was asking somebody.
        let calls = if lost.is_started && lost.failure.reason == Reason::Timeout {
            vec![Call { status: CallStatus::Timeout, duration: lost.duration }]
        } else {
            Vec::new()
        };
        Outcome {
            result: Err(lost.failure),
            as_of: None,
            cached: false,
            attempts: lost.attempts,
            calls,
            duration: lost.duration,
        }
    }
}
