//! What somebody must know, as a value: made by `decide`, kept by `state`, worded by `notify`, shown by `report`.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::words::BalanceType;

/// What an alert is about; with the identity of the check, the key of the cool-down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// The balance is below a threshold.
    Low,
    /// The balance cannot be read, run after run.
    Failing,
    /// A subscription renews soon.
    Renewal,
    /// A mail speaks of trouble.
    Mail,
}

impl Topic {
    /// The word used in stores and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::Low => "low",
            Topic::Failing => "failing",
            Topic::Renewal => "renewal",
            Topic::Mail => "mail",
        }
    }

    /// The topic of a word.
    pub fn of(word: &str) -> Option<Topic> {
        [Topic::Low, Topic::Failing, Topic::Renewal, Topic::Mail].into_iter().find(|topic| topic.as_str() == word)
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is over.
    Info,
    /// Soon.
    Warning,
    /// Now.
    Critical,
}

impl Level {
    /// The word used in stores and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Critical => "critical",
        }
    }

    /// The level of a word.
    pub fn of(word: &str) -> Option<Level> {
        [Level::Info, Level::Warning, Level::Critical].into_iter().find(|level| level.as_str() == word)
    }
}

/// Whether something begins, or goes on, or is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It is wrong.
    Raised,
    /// It is right again.
    Resolved,
}

/// One thing that somebody must know of. It is kept in the store until a channel has taken it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
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
    /// What is counted, if it is an account.
    pub kind: Option<BalanceType>,
    /// What is left; none if that is not known, or has no limit.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub balance: Option<Decimal>,
    /// The threshold that the balance is below, or back above.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub threshold: Option<Decimal>,
    /// The threshold that was told, if the balance is no longer below one only because the threshold was lowered.
    #[serde(default, with = "rust_decimal::serde::str_option")]
    pub lowered_from: Option<Decimal>,
    /// The currency that was told, if the balance is now in another one and so cannot be compared with what was told.
    #[serde(default)]
    pub told_currency: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// The host that is asked, if it is asked over the network. Old stores do not know it.
    #[serde(default)]
    pub host: Option<String>,
    /// Why the balance cannot be read.
    pub trouble: Option<Trouble>,
    /// The renewal, if that is what it is about.
    pub renewal: Option<RenewalNotice>,
    /// The mail, if that is what it is about.
    pub mail: Option<MailNotice>,
    /// When it was found.
    pub at: Timestamp,
    /// Found by an earlier run, and this one could not look again.
    pub unconfirmed: bool,
    /// What nobody was told before it was over.
    pub missed: Option<Missed>,
    /// Since when it has been so, if the channel hears of it later than it began.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Whether it says what the channel knows already.
    #[serde(default)]
    pub is_reminder: bool,
    /// Names this message. A repeat of it, after a crash say, has the same key; a reminder has another, and so has the same
    /// trouble when it comes back.
    pub dedup_key: String,
}

/// Why a check fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// The class of the cause.
    pub reason: Reason,
    /// What happened; free of secrets.
    pub message: String,
    /// Failed runs in a row.
    pub runs: u32,
}

/// A renewal that is due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenewalNotice {
    /// `weekly`, `monthly` or `yearly`.
    pub cycle_type: String,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// The due date.
    pub next: Date,
    /// The day on which this was found.
    pub today: Date,
    /// Days until then; 0 is today.
    pub days: i64,
    /// What it costs.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
}

/// A mail that speaks of trouble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailNotice {
    /// The subject.
    pub subject: String,
    /// The sender.
    pub sender: String,
    /// When it was sent, or else received.
    pub date: Option<Timestamp>,
    /// The service that its subject names.
    pub service: Option<String>,
    /// The amount that it names.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub amount: Option<Decimal>,
    /// The words that made it an alert.
    pub keywords: Vec<String>,
}

impl Alert {
    /// What a store keeps of it to know it again: which renewal was told on which day. Empty for other topics.
    pub fn mark(&self) -> String {
        self.renewal.as_ref().map(|renewal| format!("{}/{}", renewal.next, renewal.today)).unwrap_or_default()
    }
}

/// What was wrong and could not be told while it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Missed {
    /// When it was found.
    pub at: Timestamp,
    /// What was left then.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub balance: Option<Decimal>,
    /// The threshold it was below.
    #[serde(with = "rust_decimal::serde::str_option")]
    pub threshold: Option<Decimal>,
    /// What both were counted in. Old stores do not know it; then it is the alert's.
    #[serde(default)]
    pub currency: Option<String>,
    /// Why it could not be read.
    pub trouble: Option<Trouble>,
    /// Whether it may have been told after all: a message of it went out, and no answer came.
    #[serde(default)]
    pub is_unsure: bool,
}
