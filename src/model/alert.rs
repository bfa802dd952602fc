//! What somebody must know, as a value: made by `decide`, kept by `state`, worded by `notify`, shown by `report`.

mod stored;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::words::{BalanceType, CycleType, words};

words! {
    /// What an alert is about; with the identity of the check, the key of the cool-down.
    pub(crate) enum Topic {
        /// The balance is below a threshold.
        Low = "low",
        /// The balance cannot be read, run after run.
        Failing = "failing",
        /// A subscription renews soon.
        Renewal = "renewal",
        /// A mail speaks of trouble.
        Mail = "mail",
    }
}

words! {
    /// How urgent an alert is.
    pub(crate) enum Level {
        /// It is over.
        Info = "info",
        /// Soon.
        Warning = "warning",
        /// Now.
        Critical = "critical",
    }
}

words! {
    /// Whether something begins, or goes on, or is over.
    pub(crate) enum Event {
        /// It is wrong.
        Raised = "raised",
        /// It is right again.
        Resolved = "resolved",
    }
}

/// One thing that somebody must know of. The store keeps it until every channel has taken it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "stored::StoredAlert", into = "stored::StoredAlert")]
pub(crate) struct Alert {
    /// The check.
    pub identity: Identity,
    /// Whether it begins or is over.
    pub event: Event,
    /// How urgent it is.
    pub level: Level,
    /// The project's name.
    pub project: String,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// The provider's id.
    pub provider: String,
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

/// What an alert is about, with what is known of that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cause {
    /// The balance is below a threshold, or no longer.
    Low(Low),
    /// A check cannot be read, run after run, or can be read again.
    Failing(Failing),
    /// A subscription renews soon, or was due before anybody could be told.
    Renewal(Renewal),
    /// A mail speaks of trouble.
    Mail(Mail),
}

/// What was read of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    /// What is counted.
    pub kind: BalanceType,
    /// What is left; none if that is not known, or has no limit.
    pub balance: Option<Decimal>,
    /// The currency of the balance and of its threshold.
    pub currency: Option<String>,
}

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

/// A check that cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failing {
    /// The account; none if the check is a mailbox or a subscription.
    pub account: Option<Account>,
    /// Why it cannot be read; none if it can be read again.
    pub trouble: Option<Trouble>,
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

/// A renewal that is due.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Renewal {
    /// How often it renews.
    pub cycle_type: CycleType,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// The due date.
    pub next: Date,
    /// The day on which this was found.
    pub today: Date,
    /// Days until then; 0 is today.
    pub days: i64,
    /// What it costs.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
}

/// A mail that speaks of trouble.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mail {
    pub subject: String,
    pub sender: String,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The service that its subject names.
    pub service: Option<String>,
    /// The amount that it names.
    pub amount: Option<Decimal>,
    /// The currency of the amount.
    pub currency: Option<String>,
    /// The words that made it an alert.
    pub keywords: Vec<String>,
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

impl Alert {
    /// What it is about, in a word.
    pub(crate) fn topic(&self) -> Topic {
        match self.cause {
            Cause::Low(_) => Topic::Low,
            Cause::Failing(_) => Topic::Failing,
            Cause::Renewal(_) => Topic::Renewal,
            Cause::Mail(_) => Topic::Mail,
        }
    }

    /// The account, if it is about one.
    pub(crate) fn account(&self) -> Option<&Account> {
        match &self.cause {
            Cause::Low(low) => Some(&low.account),
            Cause::Failing(failing) => failing.account.as_ref(),
            Cause::Renewal(_) | Cause::Mail(_) => None,
        }
    }

    /// What is left on the account, if that is known.
    pub(crate) fn balance(&self) -> Option<Decimal> {
        self.account().and_then(|account| account.balance)
    }

    /// The threshold that the balance is below, or back above.
    pub(crate) fn threshold(&self) -> Option<Decimal> {
        match &self.cause {
            Cause::Low(low) => low.threshold,
            Cause::Failing(_) | Cause::Renewal(_) | Cause::Mail(_) => None,
        }
    }

    /// The currency of its amounts.
    pub(crate) fn currency(&self) -> Option<&str> {
        match &self.cause {
            Cause::Low(_) | Cause::Failing(_) => self.account()?.currency.as_deref(),
            Cause::Renewal(renewal) => renewal.currency.as_deref(),
            Cause::Mail(mail) => mail.currency.as_deref(),
        }
    }

    /// Why the check cannot be read, if that is what it is about.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        match &self.cause {
            Cause::Failing(failing) => failing.trouble.as_ref(),
            Cause::Low(_) | Cause::Renewal(_) | Cause::Mail(_) => None,
        }
    }

    /// The renewal, if that is what it is about.
    pub(crate) fn renewal(&self) -> Option<&Renewal> {
        match &self.cause {
            Cause::Renewal(renewal) => Some(renewal),
            Cause::Low(_) | Cause::Failing(_) | Cause::Mail(_) => None,
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

    /// What a store keeps of a renewal to know it again: the due date and the day on which it was told. Empty for other topics.
    pub(crate) fn mark(&self) -> String {
        self.renewal().map(|renewal| format!("{}/{}", renewal.next, renewal.today)).unwrap_or_default()
    }
}
