//! Mails of a few words: a phrase that is known to mean trouble decides, unless something speaks against it.
//!
//! What is learnt from whole mails knows nothing of a mail that consists of "Payment overdue" and a link, since nothing weighs it
//! but that phrase, and in whole mails the same phrase stands in receipts and newsletters as often.

use std::sync::LazyLock;

use super::super::keywords::{DEFAULT, Keywords};
use super::Weighed;
use super::families;
use super::features::Input;
use super::text::Sentence;
use crate::model::strength::Strength;

/// So many words are a few. A Chinese character counts as half a word.
const FEW: usize = 40;

/// Of fewer halves of words nothing is said without a known phrase. 您的账户已透支 is a whole sentence.
const FEWEST_HALVES: usize = 7;
/// Longest text that is counted at all, in bytes; it may be full of empty lines.
const LONGEST: usize = 4000;

/// Families that speak against trouble, wherever they stand in a mail of a few words.
const AGAINST: [&str; 28] = [
    "noaction",
    "restored",
    "received",
    "refund",
    "offer",
    "trial",
    "price",
    "terms",
    "maint",
    "budget",
    "task",
    "other",
    "code",
    "news",
    "private",
    "fine",
    "bounce",
    "job",
    "meeting",
    "set",
    "wish",
    "mistake",
    "paid-until",
    "technical",
    "dispute",
    "owe-us",
    "other-firm",
    "info",
];

/// Families that make no trouble behind a "no" or "not".
const DENIED: [&str; 6] = ["debt", "low", "fail", "stop", "lapse", "late"];

/// Weighs a mail of a few words; none if it has more of them, or no known phrase, or something against it.
pub(super) fn weigh(input: &Input, sentences: &[Sentence]) -> Option<Weighed> {
    static PHRASES: LazyLock<Keywords> = LazyLock::new(|| Keywords::new(DEFAULT.map(str::to_owned)));
    if input.subject.len() + input.text.len() > LONGEST || input.is_bulk {
        return None;
    }
    // "Your client cannot show this" stands before the words of many mails, and is about no client of ours.
    let is_note = |text: &str| text.contains("html") || (text.contains("client") && text.contains("show"));
    let words = |word: &str| if word.starts_with(super::text::is_cjk) { 1 } else { 2 };
    let (mut all, mut halves): (Vec<&Sentence>, usize) = (Vec::new(), 0);
    for sentence in sentences.iter().filter(|sentence| !is_note(&sentence.text)) {
        all.push(sentence);
        halves += (0..sentence.words.len()).map(|at| words(sentence.word(at))).sum::<usize>();
        if halves > 2 * FEW {
            return None;
        }
    }
    let signs_for = PHRASES.find(&format!("{}\n{}", input.subject, input.text));
    let mut found = Vec::new();
    let is_doubted = all.iter().any(|sentence| {
        families::find(sentence, &mut found);
        let names: Vec<&str> = found.iter().map(|one| families::name(one.family)).collect();
        let is_denied = |pair: &[&str]| pair[0] == "not" && DENIED.contains(&pair[1]);
        // "Please top up, so that the normal service is not affected" says nothing of a service that is normal.
        let is_asked = names.contains(&"act");
        let is_against = |name: &&str| AGAINST.contains(name) && !(is_asked && ["fine", "maint"].contains(name));
        names.iter().any(is_against) || names.windows(2).any(is_denied)
    });
    let strength = match signs_for.len() {
        // Nothing is learnt from mails of hardly any words.
        0 if halves < FEWEST_HALVES => return Some(Weighed::default()),
        0 => return None,
        1 => 70,
        2 => 85,
        _ => 95,
    };
    let strength = Strength::of_hundredths(strength);
    (!is_doubted).then_some(Weighed { strength, signs_for, ..Weighed::default() })
}

#[cfg(test)]
mod tests {
    use super::super::features::all_sentences;
    use super::*;

    fn strength(subject: &str, text: &str) -> Option<Strength> {
        let input = Input { subject, text, is_bulk: false, is_automatic: false };
        weigh(&input, &all_sentences(&input)).map(|weighed| weighed.strength)
    }

    #[test]
    fn a_known_phrase_decides_in_a_few_words_unless_something_speaks_against_it() {
        let sure = Some(Strength::of_hundredths(70));
        for (subject, text, want) in [
            ("余额不足", "", sure),
            ("Payment overdue", "x", sure),
            ("notice", "Your client cannot show this.\n欠费", sure),
            ("余额不足提醒：账户余额已不足，请充值，以免影响云服务的正常运行", "x", sure),
            ("overdue", "Thank you, we have received your payment.", None),
            ("欠费", "您的账户未欠费", None),
            ("Overdue tasks", "three tasks are overdue", None),
            ("配额不足", "x", Some(Strength::NONE)),
            ("Lunch", "see you at noon in the usual place", None),
            ("overdue", &"word ".repeat(50), None),
        ] {
            assert_eq!(strength(subject, text), want, "{subject}: {text}");
        }
    }
}
