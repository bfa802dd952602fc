//! Looks for words in a text: at its beginning, or anywhere in it.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::vocabulary::{CASES, CHANGING, CONDITIONS, DENIALS, NOT_IT, THRESHOLD, UNSURE};

/// What parts words in one line.
pub(in super::super) const BLANKS: [char; 3] = [' ', '\u{A0}', '\t'];

/// Words that are looked for anywhere in a text, by one automaton that is made for the first mail.
pub(in super::super) struct Finder {
    words: &'static [&'static str],
    bounds: Bounds,
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// What may stand beside words that are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bounds {
    /// Latin words are found only as a whole, not as the beginning of another one.
    Whole,
    /// Latin words are found where a word begins.
    Beginning,
    /// Anything.
    None,
}

pub(super) static NOT_IT_FINDER: Finder = Finder::beginnings(&NOT_IT);
pub(super) static THRESHOLD_FINDER: Finder = Finder::beginnings(&THRESHOLD);
pub(super) static CONDITIONS_FINDER: Finder = Finder::whole(&CONDITIONS);
pub(super) static DENIALS_FINDER: Finder = Finder::whole(&DENIALS);
pub(super) static UNSURE_FINDER: Finder = Finder::whole(&UNSURE);
pub(super) static CASES_FINDER: Finder = Finder::whole(&CASES);
pub(super) static CHANGING_FINDER: Finder = Finder::whole(&CHANGING);

impl Finder {
    const fn beginnings(words: &'static [&'static str]) -> Finder {
        Finder { words, bounds: Bounds::Beginning, automaton: OnceLock::new() }
    }

    const fn whole(words: &'static [&'static str]) -> Finder {
        Finder { words, bounds: Bounds::Whole, automaton: OnceLock::new() }
    }

    /// Of words that count wherever they stand, inside other words as well.
    pub(in super::super) const fn anywhere(words: &'static [&'static str]) -> Finder {
        Finder { words, bounds: Bounds::None, automaton: OnceLock::new() }
    }

    /// Whether a text in lower case holds one of the words.
    pub(in super::super) fn is_in(&self, text: &str) -> bool {
        // A table of all steps is made at the first mail and takes longer than a mailbox is searched with it.
        let make = || AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(self.words).ok();
        let Some(automaton) = self.automaton.get_or_init(make) else {
            // Only a list that is too large for memory fails, and these are short. Nothing is told then.
            return true;
        };
        if self.bounds == Bounds::None {
            return automaton.is_match(text);
        }
        let end = |end: usize| if self.bounds == Bounds::Whole { end } else { text.len() };
        automaton.find_overlapping_iter(text).any(|found| is_word(text, found.start(), end(found.end())))
    }
}

/// The length of what a text begins with, if it is one of some words.
pub(super) fn begins_with(text: &str, words: &[&str]) -> Option<usize> {
    let bare = text.trim_start_matches(BLANKS);
    let blanks = text.len() - bare.len();
    // Hardly any word begins as the text does, and then the text need not be brought into small letters.
    let first = bare.chars().next()?.to_lowercase().next()?;
    let mut fitting = words.iter().filter(|word| word.starts_with(first)).peekable();
    fitting.peek()?;
    let start = bare[..bare.floor_char_boundary(32)].to_lowercase();
    let word = fitting.find(|word| start.starts_with(**word) && is_word(&start, 0, word.len()))?;
    Some(blanks + word.len())
}

/// The longest of some words that a text in lower case ends with.
pub(super) fn ends_with(text: &str, words: &[&'static str]) -> Option<&'static str> {
    let fits = |word: &&str| text.ends_with(*word) && is_word(text, text.len() - word.len(), text.len());
    words.iter().copied().filter(fits).max_by_key(|word| word.len())
}

/// Whether a match does not begin or end inside a Latin word.
pub(super) fn is_word(text: &str, start: usize, end: usize) -> bool {
    let splits = |at: usize| {
        text[..at].chars().next_back().is_some_and(is_latin) && text[at..].chars().next().is_some_and(is_latin)
    };
    !splits(start) && !splits(end)
}

/// Whether a character is a letter or digit of a script that puts blanks between words.
pub(in super::super) fn is_latin(c: char) -> bool {
    c < '\u{2E80}' && c.is_alphanumeric()
}
