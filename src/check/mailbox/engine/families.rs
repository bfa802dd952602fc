//! Families of words that mean the same in these mails, in all languages: what is short, what is owed, what fails, what stops.
//!
//! Each line of the list is a family: its name, a colon, and its words with `|` between. A Latin word with `*` behind it stands
//! for all that begin with it. Chinese words are written in simplified or traditional characters; both are found.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::text::{Sentence, Size, is_cjk, spell};
use super::words::Word;

/// The families.
const LIST: &str = include_str!("families.txt");

/// The words of a family that stand in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The number of the family.
    pub(super) family: u16,
    /// Where the words begin and end, in bytes of the sentence.
    pub(super) start: u32,
    pub(super) end: u32,
}

struct Finder {
    names: Vec<&'static str>,
    /// The family of each pattern, and whether it is a beginning.
    patterns: Vec<(u16, bool)>,
    automaton: Option<AhoCorasick>,
}

fn finder() -> &'static Finder {
    static FINDER: OnceLock<Finder> = OnceLock::new();
    FINDER.get_or_init(|| {
        let mut names = Vec::new();
        let mut patterns = Vec::new();
        let mut words = Vec::new();
        for (name, line) in LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':')) {
            let family = names.len() as u16;
            names.push(name);
            for word in line.split('|').map(str::trim).filter(|word| !word.is_empty()) {
                let bare = word.strip_suffix('*');
                patterns.push((family, bare.is_some()));
                words.push(spelt(bare.unwrap_or(word)));
            }
        }
        // Only a list that is too large for memory fails, and then no family is found.
        Finder { names, patterns, automaton: AhoCorasick::new(&words).ok() }
    })
}

/// Words as sentences spell them.
fn spelt(word: &str) -> String {
    let word: String = spell(word).chars().map(|c| if c == '-' || c == '_' { ' ' } else { c }).collect();
    let mut out = String::new();
    for c in word.chars() {
        if c == ' ' && (out.ends_with(is_cjk) || out.is_empty()) {
            continue;
        }
        out.push(c);
    }
    out
}

/// Names of how large an amount or a share is; they are families, too.
const SIZES: [(Size, &str); 9] = [
    (Size::Nothing, "nothing"),
    (Size::Negative, "below-zero"),
    (Size::Ones, "units"),
    (Size::Tens, "tens"),
    (Size::Hundreds, "hundreds"),
    (Size::More, "thousands"),
    (Size::Few, "few-percent"),
    (Size::Half, "some-percent"),
    (Size::Most, "most-percent"),
];

/// The name of a family.
pub(super) fn name(family: u16) -> &'static str {
    let names = &finder().names;
    names.get(usize::from(family)).copied().unwrap_or_else(|| SIZES[usize::from(family) - names.len()].1)
}

/// The names of all families as words of features, by their numbers.
pub(super) fn words() -> &'static [Word<'static>] {
    static ALL: OnceLock<Vec<Word>> = OnceLock::new();
    ALL.get_or_init(|| {
        let count = finder().names.len() + SIZES.len();
        (0..count).map(|family| Word::new(name(family as u16))).collect()
    })
}

/// The families in a sentence, in the order of their words; where words overlap, the one that begins first counts, of two that
/// begin together the longer one.
pub(super) fn find(sentence: &Sentence, found: &mut Vec<Found>) {
    found.clear();
    let finder = finder();
    let Some(automaton) = &finder.automaton else {
        return;
    };
    let text = sentence.text.as_bytes();
    let is_latin = |at: usize| {
        text.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || (0xc3..0xe0).contains(byte) || *byte == b'\'')
    };
    let mut all: Vec<(usize, usize, u16)> = Vec::new();
    for hit in automaton.find_overlapping_iter(&sentence.text) {
        let (family, is_beginning) = finder.patterns[hit.pattern().as_usize()];
        let (start, mut end) = (hit.start(), hit.end());
        if is_latin(start)
            && start > 0
            && (is_latin(start - 1) || text[start - 1] & 0xc0 == 0x80 && !is_behind_cjk(&sentence.text, start))
        {
            continue;
        }
        if is_latin(end - 1) || text[end - 1] & 0xc0 == 0x80 && !is_behind_cjk(&sentence.text, end) {
            if is_beginning {
                end += sentence.text[end..].find([' ', '#', '$', '%']).unwrap_or(text.len() - end);
                end = sentence.text[hit.end()..end].find(is_cjk).map_or(end, |at| hit.end() + at);
            } else if is_latin(end) {
                continue;
            }
        }
        all.push((start, end, family));
    }
    for (at, size) in &sentence.sizes {
        let family = SIZES.iter().position(|(known, _)| known == size).unwrap_or_default() + finder.names.len();
        all.push((*at as usize, *at as usize + 1, family as u16));
    }
    all.sort_unstable_by_key(|(start, end, family)| (*start, usize::MAX - *end, *family));
    let mut until = 0;
    for (start, end, family) in all {
        if start >= until {
            until = end;
            found.push(Found { family, start: start as u32, end: end as u32 });
        }
    }
}

fn is_behind_cjk(text: &str, at: usize) -> bool {
    text[..at].ends_with(is_cjk)
}

#[cfg(test)]
mod tests {
    use super::super::text::{MailPart, sentences};
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        let mut all = Vec::new();
        sentences(text, MailPart::Body, &mut all);
        let mut found = Vec::new();
        let mut names = Vec::new();
        for sentence in &all {
            find(sentence, &mut found);
            names.extend(found.iter().map(|one| name(one.family)));
        }
        names
    }

    #[test]
    fn words_are_found_as_words_and_the_longest_counts() {
        for (text, want) in [
            ("the card was declined", &["card", "done", "fail"][..]),
            ("discard declinations", &["fail"]),
            ("laptop", &[]),
            ("已欠費", &["done", "debt"]),
            ("no action is needed", &["noaction"]),
            ("über", &[]),
            ("the balance is $3.10", &["balance", "units"]),
        ] {
            assert_eq!(names(text), want, "{text}");
        }
    }

    #[test]
    fn every_line_of_the_list_is_a_family_with_words() {
        let mut seen = Vec::new();
        for line in LIST.lines().filter(|line| !line.starts_with('#')) {
            let (name, words) = line.split_once(':').expect("a name");
            assert!(words.split('|').all(|word| !word.trim().is_empty()), "{name}");
            seen.push(name);
        }
        assert!(seen.len() > 50, "{}", seen.len());
    }
}
