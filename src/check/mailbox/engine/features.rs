//! What of a mail counts: words in their order, families of words, pairs of families in one sentence, and how it was sent.

use std::collections::HashSet;

use super::families::{self, Found};
use super::text::{MailPart, Sentence, sentences};

/// What the engine sees of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The subject.
    pub subject: &'a str,
    /// The words.
    pub text: &'a str,
    /// It says how to unsubscribe, or that it was sent to many.
    pub is_bulk: bool,
    /// It says that a machine sent it.
    pub is_automatic: bool,
}

/// Kinds of features; each kind is weighed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words, one to three in a row.
    Words,
    /// Families of words, alone, in pairs and in threes.
    Families,
    /// How the mail was sent.
    Sent,
}

/// How far apart two families may stand in a sentence, in families.
const FAR: usize = 3;
/// So many sentences count in full, those behind them for a half: what matters stands near the beginning, and what every mail
/// of a vendor says at its end.
const NEAR: usize = 16;

/// The sentences of a mail, its subject first.
pub(super) fn all_sentences(input: &Input) -> Vec<Sentence> {
    let mut all: Vec<Sentence> = Vec::new();
    sentences(input.subject, MailPart::Subject, &mut all);
    sentences(input.text, MailPart::Body, &mut all);
    // Most mails say everything twice, as text and as HTML.
    let mut seen: HashSet<String> = HashSet::new();
    all.retain(|sentence| sentence.place == MailPart::Subject || seen.insert(sentence.text.clone()));
    all
}

/// Calls `add` for each feature of a sentence: with its kind, a mark that parts it from others that have the same words, and its
/// words.
fn of_sentence(sentence: &Sentence, found: &mut Vec<Found>, mut add: impl FnMut(Kind, &'static str, &[&str])) {
    of_words(sentence, |mark, words| add(Kind::Words, mark, words));
    families::find(sentence, found);
    of_families(sentence.place, found, |mark, words| add(Kind::Families, mark, words));
}

/// Calls `add` for each feature: with its kind, a mark that parts it from others that have the same words, its words, and how
/// much it counts where it stands.
pub fn features(input: &Input, mut add: impl FnMut(Kind, &'static str, &[&str], f32)) {
    let mut found: Vec<Found> = Vec::new();
    for (number, sentence) in all_sentences(input).iter().enumerate() {
        let counts = if number < NEAR { 1.0 } else { 0.5 };
        of_sentence(sentence, &mut found, |kind, mark, words| add(kind, mark, words, counts));
    }
    if input.is_bulk {
        add(Kind::Sent, "h:", &["sent to many"], 1.0);
    }
    if input.is_automatic {
        add(Kind::Sent, "h:", &["sent by a machine"], 1.0);
    }
    add(Kind::Sent, "h:", &["any mail"], 1.0);
}

fn of_words(sentence: &Sentence, mut add: impl FnMut(&'static str, &[&str])) {
    let count = sentence.words.len();
    for at in 0..count {
        let words = [0, 1, 2].map(|more| if at + more < count { sentence.word(at + more) } else { "" });
        for length in 1..=3.min(count - at) {
            add("w:", &words[..length]);
            if sentence.place == MailPart::Subject && length < 3 {
                add("s:", &words[..length]);
            }
        }
    }
}

fn of_families(place: MailPart, found: &[Found], mut add: impl FnMut(&'static str, &[&str])) {
    for (at, one) in found.iter().enumerate() {
        let first = families::name(one.family);
        add("f:", &[first]);
        if place == MailPart::Subject {
            add("sf:", &[first]);
        }
        for other in found.iter().skip(at + 1).take(FAR) {
            if one.family != other.family {
                add("p:", &[first, families::name(other.family)]);
            }
        }
        if let [_, second, third, ..] = &found[at..] {
            add("t:", &[first, families::name(second.family), families::name(third.family)]);
        }
    }
}
