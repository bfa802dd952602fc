//! What of a mail counts: words in their order, families of words, pairs of families in one sentence, and how it was sent.

use std::collections::HashSet;

use super::families::{self, Found};
use super::text::{MailPart, Sentence, sentences};
use super::words::{Mark, Word};

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
    /// A family with a word that stands near it.
    Near,
    /// How the mail was sent.
    Sent,
}

/// So many kinds there are.
pub const KINDS: usize = 4;
/// How much each kind counts beside the words.
pub const SCALES: [f32; KINDS] = [1.0, 0.4, 0.6, 0.1];

/// How far apart two families may stand in a sentence, in families.
const FAR: usize = 3;
/// How far from a family a word may stand, in words.
const REACH: usize = 4;
/// So many sentences count in full, those behind them for a half: what matters stands near the beginning, and what every mail
/// of a vendor says at its end.
const NEAR: usize = 16;

/// The sentences of a mail, its subject first.
pub(super) fn all_sentences(input: &Input) -> Vec<Sentence> {
    sentences_and_end(input).0
}

/// The sentences of a mail, its subject first, and whether it was looked at to its end.
pub(super) fn sentences_and_end(input: &Input) -> (Vec<Sentence>, bool) {
    let mut all: Vec<Sentence> = Vec::new();
    sentences(input.subject, MailPart::Subject, &mut all);
    let is_whole = sentences(input.text, MailPart::Body, &mut all);
    // Most mails say everything twice, as text and as HTML.
    let is_new: Vec<bool> = {
        let mut seen: HashSet<&str> = HashSet::new();
        all.iter().map(|sentence| sentence.place == MailPart::Subject || seen.insert(&sentence.text)).collect()
    };
    let mut is_new = is_new.into_iter();
    all.retain(|_| is_new.next().unwrap_or(true));
    (all, is_whole)
}

/// Calls `add` for each feature: with its kind, a mark that parts it from others that have the same words, its words, and how
/// much it counts where it stands.
pub fn features(input: &Input, add: impl FnMut(Kind, Mark, &[Word], f32)) {
    of_sentences(input, &all_sentences(input), add);
}

/// As [`features`], of a mail whose sentences are known.
pub(super) fn of_sentences<'a>(
    input: &Input,
    sentences: &'a [Sentence],
    mut add: impl FnMut(Kind, Mark, &[Word<'a>], f32),
) {
    let mut found: Vec<Found> = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    for (number, sentence) in sentences.iter().enumerate() {
        let counts = if number < NEAR { 1.0 } else { 0.5 };
        words.clear();
        words.extend((0..sentence.words.len()).map(|at| Word::new(sentence.word(at))));
        of_words(sentence.place, &words, |mark, words| add(Kind::Words, mark, words, counts));
        families::find(sentence, &mut found);
        of_families(sentence.place, &found, |mark, words| add(Kind::Families, mark, words, counts));
        of_neighbours(sentence, &words, &found, |mark, words| add(Kind::Near, mark, words, counts));
    }
    if input.is_bulk {
        add(Kind::Sent, Mark::Sent, &[Word::new("to-many")], 1.0);
    }
    if input.is_automatic {
        add(Kind::Sent, Mark::Sent, &[Word::new("automatic")], 1.0);
    }
    add(Kind::Sent, Mark::Sent, &[Word::new("any")], 1.0);
}

fn of_words<'a>(place: MailPart, words: &[Word<'a>], mut add: impl FnMut(Mark, &[Word<'a>])) {
    for at in 0..words.len() {
        for length in 1..=3.min(words.len() - at) {
            add(Mark::Row, &words[at..at + length]);
            if place == MailPart::Subject && length < 3 {
                add(Mark::SubjectRow, &words[at..at + length]);
            }
        }
    }
}

fn of_families(place: MailPart, found: &[Found], mut add: impl FnMut(Mark, &[Word<'static>])) {
    let names = families::words();
    let name = |one: &Found| names[usize::from(one.family)];
    for (at, one) in found.iter().enumerate() {
        let first = name(one);
        add(Mark::Family, &[first]);
        if place == MailPart::Subject {
            add(Mark::SubjectFamily, &[first]);
        }
        for other in found.iter().skip(at + 1).take(FAR) {
            if one.family != other.family {
                add(Mark::Pair, &[first, name(other)]);
            }
        }
        if let [_, second, third, ..] = &found[at..] {
            add(Mark::Three, &[first, name(second), name(third)]);
        }
    }
}

/// Each family with the words near it on either side.
fn of_neighbours<'a>(sentence: &Sentence, words: &[Word<'a>], found: &[Found], mut add: impl FnMut(Mark, &[Word<'a>])) {
    let names = families::words();
    for one in found {
        let family = names[usize::from(one.family)];
        let first = sentence.words.partition_point(|(_, end)| *end <= one.start);
        let behind = sentence.words.partition_point(|(start, _)| *start < one.end);
        for word in &words[first.saturating_sub(REACH)..first] {
            add(Mark::Before, &[*word, family]);
        }
        for word in &words[behind..words.len().min(behind + REACH)] {
            add(Mark::Behind, &[family, *word]);
        }
    }
}
