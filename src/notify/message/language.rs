//! What a language must be able to say. The structure of a message is the same in all languages and stands in `sentence`; a
//! language only puts given parts into sentences.

use jiff::civil::Date;

use super::class::Class;
use super::group::Group;
use crate::model::alert::{Event, Level};
use crate::model::words::{BalanceType, CycleType};

/// The renewal of a subscription, in parts.
pub(super) struct RenewalParts {
    pub(super) event: Event,
    pub(super) next: Date,
    pub(super) days: i64,
    pub(super) cycle: CycleType,
    /// Empty if it is not known.
    pub(super) amount: String,
    /// Whether a message about it may have arrived, though no answer came.
    pub(super) is_unsure: bool,
}

/// The words between the parts of a mail.
pub(super) struct MailWords {
    pub(super) mail: &'static str,
    pub(super) from: &'static str,
    pub(super) comma: &'static str,
    pub(super) service: &'static str,
    pub(super) amount: &'static str,
    pub(super) keywords: &'static str,
}

/// The sentences of one language. All parts are harmless already; times are written out.
pub(super) trait Phrases {
    /// The title of a message, with the counts of its classes.
    fn title(&self, counts: &[String]) -> String;
    /// What follows the number of alerts of a class.
    fn class(&self, class: Class) -> &'static str;
    /// What an account counts.
    fn kind(&self, kind: BalanceType) -> &'static str;
    /// The name of a check with its owner.
    fn owned(&self, name: &str, owner: &str) -> String;
    /// What is said of a name.
    fn about(&self, name: &str, what: &str) -> String;
    /// Who sends a message, which run, and its key.
    fn footer(&self, source: &str, run: &str, key: &str) -> String;

    /// Since when it has been so, after a sentence.
    fn since(&self, since: &str) -> String;
    /// That what is known is of that time, after a sentence.
    fn unconfirmed(&self, at: &str) -> String;
    /// What became of the message about something that is over.
    fn undelivered(&self, is_unsure: bool) -> &'static str;
    /// That the balance was lower, after a sentence.
    fn was_low(&self, at: &str, balance: &str, threshold: &str, undelivered: &str) -> String;
    /// That it could not be read, after a sentence.
    fn was_failing(&self, at: &str, why: &str, undelivered: &str) -> String;

    /// A balance is below a threshold.
    fn low(&self, kind: &str, balance: &str, threshold: &str, level: Level) -> String;
    /// A balance is not low any more.
    fn recovered(&self, kind: &str, balance: &str, threshold: &str) -> String;
    /// A balance is not low any more, because the threshold was lowered.
    fn lowered(&self, kind: &str, balance: &str, threshold: &str, before: &str) -> String;
    /// A balance is not low, but was told in another currency, or only one of both currencies was named.
    fn incomparable(&self, kind: &str, balance: &str, threshold: &str, before: Option<&str>, is_named: bool) -> String;
    /// A balance has no limit any more.
    fn unlimited(&self, kind: &str) -> String;
    /// A check could not be read in so many runs.
    fn failing(&self, runs: u32, why: &str) -> String;
    /// A check can be read again; with its balance, if it has one.
    fn readable(&self, balance: Option<(&str, &str)>) -> String;
    /// A renewal.
    fn renewal(&self, renewal: &RenewalParts) -> String;
    /// The words of a mail.
    fn mail(&self) -> &'static MailWords;
    /// Several checks with one cause.
    fn group(&self, group: &Group) -> String;

    /// In short: the currency that was told, if one was.
    fn told_in(&self, currency: Option<&str>) -> String;
    /// In short: what was missed.
    fn missed(&self, what: &str, at: &str, is_unsure: bool) -> String;
}
