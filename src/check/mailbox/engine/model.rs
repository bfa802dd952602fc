//! The weights, and the sum that decides.

use super::Weighed;
use super::features::{self, Input, KINDS, Kind, SCALES, all_sentences};
use super::text::{Sentence, is_cjk};
use super::weights::Weights;
use super::words::{Mark, Word, number, number_of_text};
use crate::model::strength::Strength;

/// What a sign that is in every mail would be worth; it keeps the numbers in the range in which they were learnt.
pub const SIZE_OF_SIGN: f32 = 6.0;
/// Most signs that are told for each side.
const MOST_SIGNS: usize = 8;
/// A single word of fewer characters is not told.
const SHORT: usize = 6;
/// Longest sign that is told, in characters.
const LONGEST_SIGN: usize = 40;

/// Families without which a mail is about something else altogether, of which the mails that are learnt from know little.
const ABOUT_IT: [&str; 24] = [
    "balance",
    "package",
    "debt",
    "bill",
    "pay",
    "charge",
    "card",
    "fail",
    "low",
    "left",
    "stop",
    "delete",
    "lapse",
    "renew",
    "off",
    "topup",
    "missing",
    "late",
    "bill-you",
    "revoked",
    "nothing",
    "below-zero",
    "units",
    "tens",
];

/// The numbers of their names: every family of every mail is looked up.
const ABOUT_IT_NUMBERS: [u64; ABOUT_IT.len()] = {
    let mut numbers = [0; ABOUT_IT.len()];
    let mut at = 0;
    while at < ABOUT_IT.len() {
        numbers[at] = number_of_text(ABOUT_IT[at]);
        at += 1;
    }
    numbers
};

/// A sign that a mail has.
struct Sign<'a> {
    /// Its place among the weights.
    place: u32,
    kind: Kind,
    /// How much it counts where it stands.
    count: f32,
    weight: f32,
    mark: Mark,
    words: [Word<'a>; 3],
    length: usize,
}

impl Sign<'_> {
    fn words(&self) -> &[Word<'_>] {
        &self.words[..self.length]
    }
}

/// Weighs what is seen of a mail.
pub fn of_input(input: &Input) -> Weighed {
    of_sentences(input, &all_sentences(input))
}

/// Weighs a mail whose sentences are known.
pub(super) fn of_sentences(input: &Input, sentences: &[Sentence]) -> Weighed {
    let weights = Weights::get();
    let mut counts = [0.0_f32; KINDS];
    let mut found: Vec<Sign> = Vec::new();
    // Which of the found signs each sign is, from one on; there are fewer than 65 536.
    let mut numbers: Vec<u16> = vec![0; weights.count()];
    let mut is_about_it = false;
    features::of_sentences(input, sentences, |kind, mark, words, count| {
        counts[kind as usize] += count * count;
        is_about_it = is_about_it || (mark == Mark::Family && words[0].is_one_of(&ABOUT_IT_NUMBERS));
        if let Some((place, weight)) = weights.find(number(mark, words)) {
            let number = &mut numbers[place as usize];
            if *number == 0 {
                let mut own = [words[0]; 3];
                own[..words.len()].copy_from_slice(words);
                found.push(Sign { place, kind, count, weight, mark, words: own, length: words.len() });
                *number = found.len() as u16;
            } else {
                let sign = &mut found[usize::from(*number) - 1];
                sign.count = sign.count.max(count);
            }
        }
    });
    let roots = counts.map(|count| count.sqrt().max(1.0));
    let share = |sign: &Sign| {
        let kind = sign.kind as usize;
        sign.weight * sign.count * SCALES[kind] / roots[kind] / SIZE_OF_SIGN
    };
    // The weakest first, so that the sum does not depend on the order of the words; the bits of what is not negative are in the
    // order of their values.
    let key = |share: f32, sign: &Sign| u64::from(share.abs().to_bits()) << 32 | u64::from(sign.place);
    let mut order: Vec<(u64, f32)> =
        found.iter().map(|sign| (share(sign), sign)).map(|(share, sign)| (key(share, sign), share)).collect();
    order.sort_unstable_by_key(|(key, _)| *key);
    let sum: f32 = order.iter().map(|(_, share)| share).sum();
    let strength = 1.0 / (1.0 + (-(weights.slope * sum + weights.shift)).exp());
    let on_side = |is_for: bool| {
        let strongest = order.iter().rev().filter(move |(_, share)| if is_for { *share > 0.0 } else { *share < 0.0 });
        told(strongest.map(|(key, _)| &found[usize::from(numbers[*key as u32 as usize]) - 1]))
    };
    Weighed {
        strength: if is_about_it { Strength::of(f64::from(strength)) } else { Strength::NONE },
        signs_for: on_side(true),
        signs_against: on_side(false),
        is_cut: false,
    }
}

/// Words with something between two of them, but nothing between two Chinese ones.
fn joined(words: &[Word], between: &str) -> String {
    let mut out = String::new();
    for word in words {
        let is_tight = between == " " && out.ends_with(is_cjk) && word.text.starts_with(is_cjk);
        if !out.is_empty() && !is_tight {
            out.push_str(between);
        }
        out.push_str(word.text);
    }
    out
}

/// The strongest of some signs, in words.
fn told<'a>(signs: impl Iterator<Item = &'a Sign<'a>>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for sign in signs {
        let length: usize = sign.words().iter().map(|word| word.text.chars().count() + 1).sum::<usize>() - 1;
        // A single character or a short word such as "the" counts, but tells nothing.
        let is_short = matches!(sign.mark, Mark::Row | Mark::SubjectRow) && sign.length == 1 && length < SHORT;
        if length > LONGEST_SIGN || is_short {
            continue;
        }
        let is_apart = matches!(sign.mark, Mark::Pair | Mark::Three | Mark::Before | Mark::Behind);
        let words = joined(sign.words(), if is_apart { " + " } else { " " });
        if words == "any" {
            continue;
        }
        if !told.contains(&words) {
            told.push(words);
        }
        if told.len() == MOST_SIGNS {
            break;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(subject: &str, text: &str) -> Weighed {
        of_input(&Input { subject, text, is_bulk: false, is_automatic: false })
    }

    #[test]
    fn signs_are_words_of_the_program() {
        let text = "We tried to charge your card for $49.00 today and your bank declined it. Please update your card before \
                    Friday, otherwise your service will be suspended. Zanzibar7 told us.";
        let found = weighed("Your payment failed", text);
        assert!(found.strength > Strength::of_hundredths(50), "{found:?}");
        let all = [&found.signs_for[..], &found.signs_against[..]].concat();
        assert!(!found.signs_for.is_empty() && found.signs_for.len() <= MOST_SIGNS, "{found:?}");
        for sign in &all {
            assert!(sign.chars().count() <= LONGEST_SIGN + 6 && !sign.contains("zanzibar"), "{sign}");
        }
    }

    #[test]
    fn what_is_settled_is_no_trouble() {
        let text = "Thank you, we have received your payment of $49.00. Nothing else is needed, your service goes on as usual.";
        assert!(weighed("Payment received", text).strength < Strength::of_hundredths(50));
    }

    #[test]
    fn what_is_about_something_else_is_no_trouble() {
        for text in ["see you at noon", "How was your weekend? Ours was wonderful.", "明天一起吃饭吗？"] {
            assert_eq!(weighed("Lunch", text).strength, Strength::NONE, "{text}");
        }
    }
}
