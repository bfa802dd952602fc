//! What somebody must know, as a value: made by `decide`, kept by `state`, worded by `notify`, shown by `report`.
//!
//! A topic is one line in `topics!` below and a file with its cause, which says what is known of it ([`Facts`]).

mod digest;
mod expiry;
mod facts;
mod failing;
mod low;
mod mail;
mod renewal;
mod runway;
mod silent;
mod spike;
mod stored;
mod topup;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::words::{BalanceType, words};

use self::stored::{Kept, StoredAlert};

pub(crate) use self::digest::{Digest, List, Part, Row, Span, Sum};
pub(crate) use self::expiry::{Expiry, Lapsing};
pub(crate) use self::facts::{Facts, Figure, OutsideText};
pub(crate) use self::failing::{Failing, SharedCause, TOGETHER_FROM};
pub(crate) use self::low::{Change, Low};
pub(crate) use self::mail::Mail;
pub(crate) use self::renewal::Renewal;
pub(crate) use self::runway::{Lasting, Runway};
pub(crate) use self::silent::Silent;
pub(crate) use self::spike::Spike;
pub(crate) use self::topup::TopUp;

/// Defines the topics: the word of each, and the cause of the same name, which holds what is known of it. A topic cannot be
/// forgotten in a store or in a list then, and what else it needs the compiler asks for.
macro_rules! topics {
    ($($(#[$about:meta])* $topic:ident = $word:literal),+ $(,)?) => {
        words! {
            /// What an alert is about. With the identity of the check it is the key of what is remembered.
            pub(crate) enum Topic {
                $($(#[$about])* $topic = $word),+
            }
        }

        /// What an alert is about, with what is known of that.
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum Cause {
            $($(#[$about])* $topic($topic)),+
        }

        impl Cause {
            /// What it is about, in a word.
            pub(crate) fn topic(&self) -> Topic {
                match self {
                    $(Cause::$topic(_) => Topic::$topic),+
                }
            }

            /// What it says of itself.
            pub(crate) fn facts(&self) -> &dyn Facts {
                match self {
                    $(Cause::$topic(cause) => cause),+
                }
            }

            /// The same, to be changed.
            pub(crate) fn facts_mut(&mut self) -> &mut dyn Facts {
                match self {
                    $(Cause::$topic(cause) => cause),+
                }
            }

            fn keep(self, stored: &mut StoredAlert) {
                match self {
                    $(Cause::$topic(cause) => cause.keep(stored)),+
                }
            }

            fn restore(topic: Topic, stored: &mut StoredAlert) -> Result<Cause, String> {
                match topic {
                    $(Topic::$topic => Kept::restore(stored).map(Cause::$topic)),+
                }
            }
        }
    };
}

topics! {
    /// The balance is below a threshold, or no longer.
    Low = "low",
    /// A check cannot be read, run after run, or can be read again.
    Failing = "failing",
    /// A subscription renews soon, was not renewed on its day, or was due before anybody could be told.
    Renewal = "renewal",
    /// A mail speaks of trouble.
    Mail = "mail",
    /// A balance will not last, or lasts again.
    Runway = "runway",
    /// A day consumes far more than is usual, or as much as usual again.
    Spike = "spike",
    /// A credit will lapse before it is used up.
    Expiry = "expiry",
    /// An account was topped up.
    TopUp = "topup",
    /// Another schedule of runs has fallen silent, or runs again.
    Silent = "silent",
    /// What a day, a week or a month came to.
    Digest = "digest",
}

words! {
    /// How urgent an alert is.
    pub(crate) enum Level {
        /// Nothing is wrong any more.
        Info = "info",
        /// Something must be done soon.
        Warning = "warning",
        /// Something must be done now.
        Critical = "critical",
    }
}

words! {
    /// Whether something begins, or goes on, or is over.
    pub(crate) enum Event {
        /// Something is wrong.
        Raised = "raised",
        /// Nothing is wrong any more.
        Resolved = "resolved",
    }
}

/// One thing that somebody must know of. The store keeps it until every channel has taken it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "stored::StoredAlert", into = "stored::StoredAlert")]
pub(crate) struct Alert {
    /// The identity of the check.
    pub identity: Identity,
    /// Whether it begins or is over.
    pub event: Event,
    /// How urgent it is.
    pub level: Level,
    /// The project's name.
    pub project: String,
    /// Who the project belongs to.
    pub owner_project: Option<String>,
    /// The id of the provider.
    pub provider: String,
    /// The labels of its entry. Old stores do not know them.
    pub labels: BTreeMap<String, String>,
    /// The host that is asked, if it is asked over the network. Old stores do not know it.
    pub host: Option<String>,
    /// What it is about.
    pub cause: Cause,
    /// When it was found.
    pub at: Timestamp,
    /// Whether an earlier run found it and this run could not look again.
    pub unconfirmed: bool,
    /// What nobody was told before it was over.
    pub missed: Option<Missed>,
    /// Since when it has been so, if the channel hears of it later than it began.
    pub since: Option<Timestamp>,
    /// Whether it says what the channel knows already.
    pub is_reminder: bool,
    /// Names this message. A repeat of it, for example after a crash, has the same key. A reminder has another key, and so has
    /// the same trouble when it comes back.
    pub dedup_key: String,
}

/// What was read of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// What is counted.
    pub kind: BalanceType,
    /// What is left; none if that is not known, or has no limit.
    pub balance: Option<Decimal>,
    /// The currency of the balance and of its threshold.
    pub currency: Option<String>,
}

/// Why a check fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// The class of the cause.
    pub reason: Reason,
    /// What happened; free of secrets.
    pub message: String,
    /// Failed runs in a row.
    pub runs: u32,
}

/// What was wrong and could not be told while it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missed {
    /// When it was found.
    pub at: Timestamp,
    /// Whether it may have been told after all: a message of it went out, and no answer came.
    pub is_unsure: bool,
    pub found: MissedCause,
}

/// What was found when nobody could be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MissedCause {
    /// A balance below a threshold.
    Low {
        /// What was left.
        balance: Option<Decimal>,
        /// The threshold that it was below.
        threshold: Option<Decimal>,
        /// The currency of both; none if it is that of the alert, or if an old store does not know it.
        currency: Option<String>,
    },
    /// A check that could not be read.
    Failing(Trouble),
    /// The renewal that the alert itself is about.
    Renewal,
}

impl MissedCause {
    /// The texts in it that a service has written.
    pub(crate) fn outside_texts(&mut self) -> Vec<OutsideText<'_>> {
        match self {
            MissedCause::Low { currency, .. } => currency.iter_mut().map(OutsideText::Currency).collect(),
            MissedCause::Failing(trouble) => vec![OutsideText::Reason(&mut trouble.message)],
            MissedCause::Renewal => Vec::new(),
        }
    }
}

impl Alert {
    /// What it is about, in a word.
    pub(crate) fn topic(&self) -> Topic {
        self.cause.topic()
    }

    /// The account, if it is about one.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.cause.facts().account()
    }

    /// What is left on the account, if that is known.
    pub(crate) fn balance(&self) -> Option<Decimal> {
        self.account().and_then(|account| account.balance)
    }

    /// The threshold that the balance is below, or back above.
    pub(crate) fn threshold(&self) -> Option<Decimal> {
        self.cause.facts().threshold()
    }

    /// The currency of its amounts.
    pub(crate) fn currency(&self) -> Option<&str> {
        self.cause.facts().currency()
    }

    /// Why the check cannot be read, if that is what it is about.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.cause.facts().trouble()
    }

    /// The renewal, if that is what it is about.
    pub(crate) fn renewal(&self) -> Option<&Renewal> {
        if let Cause::Renewal(renewal) = &self.cause { Some(renewal) } else { None }
    }

    /// How long the balance lasts, if that is what it is about.
    pub(crate) fn lasting(&self) -> Option<&Lasting> {
        if let Cause::Runway(runway) = &self.cause { runway.lasts.as_ref() } else { None }
    }

    /// The amount that it is about beside a balance: of a renewal, of a mail, what a day consumed, what
    /// lapses, or by how much an account was topped up.
    pub(crate) fn amount(&self) -> Option<Decimal> {
        match &self.cause {
            Cause::Renewal(renewal) => renewal.amount,
            Cause::Mail(mail) => mail.amount,
            Cause::Spike(spike) => spike.per_day,
            Cause::TopUp(topup) => topup.amount,
            Cause::Expiry(expiry) => {
                expiry.credits.iter().try_fold(Decimal::ZERO, |sum, credit| sum.checked_add(credit.unused))
            }
            Cause::Low(_) | Cause::Failing(_) | Cause::Runway(_) | Cause::Silent(_) | Cause::Digest(_) => None,
        }
    }

    /// The currency in which a balance was told, if it is now in another one; empty if none was named.
    pub(crate) fn told_currency(&self) -> Option<&str> {
        match &self.cause {
            Cause::Low(Low { change: Some(Change::Currency(before)), .. }) => {
                Some(before.as_deref().unwrap_or_default())
            }
            _ => None,
        }
    }

    /// The cause that a failing check shares with others, if it is told under that.
    pub(crate) fn shared(&self) -> Option<&SharedCause> {
        if let Cause::Failing(failing) = &self.cause { failing.shared.as_ref() } else { None }
    }

    /// The credit that lapses next, if that is what it is about.
    pub(crate) fn lapsing(&self) -> Option<&Lapsing> {
        if let Cause::Expiry(expiry) = &self.cause { expiry.credits.first() } else { None }
    }

    /// What a store keeps to know again what was told: of a renewal the due date and the day on which it was told, or that it is
    /// overdue, which is not told once a day; of a failing check the cause that it shares with others, of credits which they are, of a
    /// top-up its time. Empty for other topics.
    pub(crate) fn mark(&self) -> String {
        match &self.cause {
            Cause::Renewal(renewal) if renewal.is_overdue() => format!("{}/overdue", renewal.next),
            Cause::Renewal(renewal) => format!("{}/{}", renewal.next, renewal.today),
            Cause::Failing(failing) => failing.shared.as_ref().map(SharedCause::mark).unwrap_or_default(),
            Cause::Expiry(expiry) => expiry.mark(),
            Cause::TopUp(topup) => topup.mark(),
            _ => String::new(),
        }
    }
}
