//! What of a mail's own words speaks for trouble and what against it.
//!
//! A linear model: each of its signs (words in a row, families of words that mean the same, pairs of families in one sentence,
//! how the mail was sent) has a weight, and the sum of the weights decides. The weights are learnt from the mails in
//! `tests/mails/tune` by `LEARN=1 cargo bench --bench mails`, and lie in `weights.bin`, by the numbers of the signs.

mod families;
mod features;
mod model;
mod short;
mod text;
mod weights;
mod words;

pub use self::features::{Input, KINDS, Kind, SCALES, features};
pub use self::model::{SIZE_OF_SIGN, of_input};
pub use self::weights::BUCKET_BITS;
pub use self::words::{Mark, Word, number};

use super::mail::Mail;
use crate::model::strength::Strength;

/// From this strength on a mail speaks of trouble, unless a mailbox has a `min_strength` of its own.
pub const ENOUGH: Strength = Strength::of_hundredths(50);

/// What was found in a mail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weighed {
    /// How strongly all of it together speaks for trouble.
    pub strength: Strength,
    /// What speaks for it, the strongest first, in words for people that the program knows, never in the mail's own.
    pub signs_for: Vec<String>,
    /// What speaks against it, likewise.
    pub signs_against: Vec<String>,
    /// Only its beginning was looked at: it has more words than are.
    pub is_cut: bool,
}

/// Weighs the words of a mail.
pub fn weigh(mail: &Mail) -> Weighed {
    let input = input(mail);
    let (sentences, is_whole) = features::sentences_and_end(&input);
    let weighed = short::weigh(&input, &sentences).unwrap_or_else(|| model::of_sentences(&input, &sentences));
    Weighed { is_cut: !is_whole, ..weighed }
}

/// What the engine sees of a mail.
pub fn input(mail: &Mail) -> Input<'_> {
    Input { subject: &mail.subject, text: &mail.text, is_bulk: mail.is_bulk, is_automatic: mail.is_automatic }
}
