//! What of a mail's own words speaks for trouble and what against it.

use std::sync::LazyLock;

use super::keywords::{DEFAULT, Keywords};
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
}

/// Weighs the words of a mail.
pub fn weigh(mail: &Mail) -> Weighed {
    static PHRASES: LazyLock<Keywords> = LazyLock::new(|| Keywords::new(DEFAULT.map(str::to_owned)));
    let signs_for = PHRASES.find(&format!("{}\n{}", mail.subject, mail.text));
    let strength = match signs_for.len() {
        0 => Strength::NONE,
        1 => Strength::of_hundredths(70),
        2 => Strength::of_hundredths(85),
        _ => Strength::of_hundredths(95),
    };
    Weighed { strength, signs_for, signs_against: Vec::new() }
}
