//! What a language must be able to say. The structure of a message is the same in all languages and stands in `sentence`; a
//! language only puts given parts into sentences.

use super::class::Class;
use super::group::Group;
use super::parts::Parts;
use super::templates::DigestWords;
use crate::model::alert::Cause;

/// The sentences of one language. All parts are harmless already; times are written out.
pub(super) trait Phrases {
    /// The title of a message, with the counts of its classes.
    fn title(&self, counts: &[String]) -> String;
    /// The title of one of several messages that belong together.
    fn numbered(&self, title: &str, number: usize, count: usize) -> String;
    /// A title or a name in a message that only tries a channel, marked so that nobody takes it for true.
    fn test(&self, text: &str) -> String;
    /// What follows the number of alerts of a class.
    fn class(&self, class: Class) -> &'static str;
    /// The name of a check with its owner.
    fn owned(&self, name: &str, owner: &str) -> String;
    /// A sentence: a name, and what is said of it.
    fn about(&self, name: &str, what: &str) -> String;
    /// Who sends a message, which run, and its key.
    fn footer(&self, source: &str, run: &str, key: &str) -> String;

    /// What is said of a check, with a sentence for each topic. Nothing of the cause goes into it that `parts` has not made harmless.
    fn cause(&self, cause: &Cause, parts: &Parts) -> String;

    /// The templates of digests.
    fn digest(&self) -> &'static DigestWords;

    /// An addition to a sentence: since when it has been so.
    fn since(&self, since: &str) -> String;
    /// An addition to a sentence: that what is known is of that time.
    fn unconfirmed(&self, at: &str) -> String;
    /// What became of the message about something that is over.
    fn undelivered(&self, is_unsure: bool) -> &'static str;
    /// An addition to a sentence: that the balance was lower then.
    fn was_low(&self, at: &str, balance: &str, threshold: &str, undelivered: &str) -> String;
    /// An addition to a sentence: that it could not be read then.
    fn was_failing(&self, at: &str, why: &str, undelivered: &str) -> String;

    /// Several checks with one cause.
    fn group(&self, group: &Group) -> String;

    /// In short: the currency that was told, if one was.
    fn told_in(&self, currency: Option<&str>) -> String;
    /// In short: what was missed.
    fn missed(&self, what: &str, at: &str, is_unsure: bool) -> String;
}
