//! The weights, and the sum that decides.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;

use super::Weighed;
use super::features::{self, Input, KINDS, Kind, SCALES, all_sentences};
use super::text::{Sentence, is_cjk};
use super::words::{Word, number};
use crate::model::strength::Strength;

/// The weights: a line for each sign with its mark, its words, a tab, and its weight in hundredths.
const WEIGHTS: &str = include_str!("weights.tsv");

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

/// The number of a sign, which is a hash already.
#[derive(Default)]
struct Given(u64);

impl Hasher for Given {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

struct Model {
    signs: HashMap<u64, u32, BuildHasherDefault<Given>>,
    lines: Vec<(&'static str, f32)>,
    /// What the sum is multiplied by and what is added, so that the logistic function of it is a probability.
    slope: f32,
    shift: f32,
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let mut model = Model { signs: HashMap::default(), lines: Vec::new(), slope: 1.0, shift: 0.0 };
        for line in WEIGHTS.lines() {
            let Some((name, weight)) = line.rsplit_once('\t') else {
                continue;
            };
            let weight = weight.parse().unwrap_or(0.0) / 100.0;
            match name {
                "# slope" => model.slope = weight,
                "# shift" => model.shift = weight,
                _ => {
                    let at = name.find(':').map_or(0, |at| at + 1);
                    let words: Vec<Word> = name[at..].split(' ').map(Word::new).collect();
                    model.signs.insert(number(&name[..at], &words), model.lines.len() as u32);
                    model.lines.push((name, weight));
                }
            }
        }
        model
    })
}

/// Weighs what is seen of a mail.
pub fn of_input(input: &Input) -> Weighed {
    of_sentences(input, &all_sentences(input))
}

/// Weighs a mail whose sentences are known.
pub(super) fn of_sentences(input: &Input, sentences: &[Sentence]) -> Weighed {
    let model = model();
    let mut counts = [0.0_f32; KINDS];
    let mut found: HashMap<u32, (Kind, f32), BuildHasherDefault<Given>> = HashMap::default();
    let mut is_about_it = false;
    features::of_sentences(input, sentences, |kind, mark, words, count| {
        counts[kind as usize] += count * count;
        is_about_it = is_about_it || (mark == "f:" && ABOUT_IT.contains(&words[0].text));
        if let Some(sign) = model.signs.get(&number(mark, words)) {
            let entry = found.entry(*sign).or_insert((kind, 0.0));
            entry.1 = entry.1.max(count);
        }
    });
    let mut signs: Vec<(f32, &'static str)> = found
        .iter()
        .map(|(sign, (kind, count))| {
            let (name, weight) = model.lines[*sign as usize];
            let kind = *kind as usize;
            (weight * count * SCALES[kind] / counts[kind].sqrt().max(1.0) / SIZE_OF_SIGN, name)
        })
        .collect();
    signs.sort_unstable_by(|one, other| one.0.abs().total_cmp(&other.0.abs()).then(one.1.cmp(other.1)));
    let sum: f32 = signs.iter().map(|(share, _)| share).sum();
    let strength = 1.0 / (1.0 + (-(model.slope * sum + model.shift)).exp());
    Weighed {
        strength: if is_about_it { Strength::of(f64::from(strength)) } else { Strength::NONE },
        signs_for: told(signs.iter().rev().filter(|(share, _)| *share > 0.0)),
        signs_against: told(signs.iter().rev().filter(|(share, _)| *share < 0.0)),
    }
}

/// Words with something between two of them, but nothing between two Chinese ones.
fn joined(words: &str, between: &str) -> String {
    let mut out = String::new();
    for word in words.split(' ') {
        let is_tight = between == " " && out.ends_with(is_cjk) && word.starts_with(is_cjk);
        if !out.is_empty() && !is_tight {
            out.push_str(between);
        }
        out.push_str(word);
    }
    out
}

/// The strongest of some signs, in words.
fn told<'a>(signs: impl Iterator<Item = &'a (f32, &'static str)>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for (_, name) in signs {
        let words = name.split_once(':').map_or(*name, |(_, words)| words);
        // A single character or a short word such as "the" counts, but tells nothing.
        let is_short = name.starts_with(['w', 's']) && !name.starts_with("sf:") && words.chars().count() < SHORT;
        let is_one = !words.contains(' ');
        if words == "any" || words.chars().count() > LONGEST_SIGN || (is_one && is_short) {
            continue;
        }
        let words = joined(words, if name.starts_with(['p', 't', 'l', 'r']) { " + " } else { " " });
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

    #[test]
    fn the_weights_are_read() {
        let model = model();
        assert!(model.lines.len() > 10_000, "{}", model.lines.len());
        assert_eq!(model.signs.len(), model.lines.len(), "two signs have one number");
        assert!(model.slope > 0.0);
    }
}
