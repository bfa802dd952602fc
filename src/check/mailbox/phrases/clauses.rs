//! Where the clause of an amount begins and ends, and what links the amount to its label.

use super::finder::{BLANKS, begins_with, ends_with};
use super::vocabulary::{BEHIND, BEHIND_LEFT, CASES, CHANGING, DUE_BEHIND, IN_PARENTHESES, LEFT, LINKS};
use crate::model::amount::{self, Word};

/// Most of a text before an amount that is looked at, in bytes.
const MOST_CONTEXT: usize = 160;

/// Whether a clause ends here, or goes on with words that are known.
pub(super) fn is_end(behind: &str) -> bool {
    let mut rest = behind.chars();
    let first = rest.next();
    let rest = rest.as_str();
    match first {
        None => true,
        Some('\n') => is_new_line(rest),
        Some('\t') => !begins_with_amount(rest.trim_start_matches(BLANKS)),
        Some(c) if ".,;!?|。、…\"”»】」".contains(c) => {
            let next = rest.trim_start_matches([' ', '\u{A0}', '.', ',', '(']);
            let is_same_sentence = !".!?。…".contains(c);
            !rest.starts_with(|c: char| c.is_numeric() || "-–—<>=".contains(c))
                && begins_with(next, &CHANGING).is_none()
                && !(is_same_sentence && begins_with(next, &CASES).is_some())
        }
        Some(')') => is_end(rest),
        Some('(') => begins_with(rest, &IN_PARENTHESES).is_some(),
        Some(' ' | '\u{A0}') => {
            let next = behind.trim_start_matches(BLANKS);
            let is_dash = next.starts_with(['-', '–', '—']);
            let after = next.trim_start_matches(['-', '–', '—']);
            match next.chars().next() {
                None | Some('\n') => is_end(next),
                Some('(' | ')' | '|' | '。') => is_end(next),
                _ if is_dash => {
                    let word = after.trim_start_matches(BLANKS);
                    after.starts_with(BLANKS)
                        && word.starts_with(char::is_alphabetic)
                        && !begins_with_amount(word)
                        && begins_with(word, &CHANGING).is_none()
                        && begins_with(word, &CASES).is_none()
                }
                _ => goes_on(next),
            }
        }
        Some(_) => goes_on(behind),
    }
}

/// Whether a line begins something new: a clause that was broken at the end of a line goes on with a small letter or a unit.
fn is_new_line(line: &str) -> bool {
    let is_unit = |(word, _): (Word, usize)| matches!(word, Word::Times(_) | Word::Part(..) | Word::Side { .. });
    let goes_on_small = line.starts_with(char::is_lowercase) && !begins_with_known(line);
    let is_sign = ["-", "\u{2212}", "+", "%"].contains(&line.split('\n').next().unwrap_or_default().trim());
    !goes_on_small && !is_sign && begins_with(line, &CHANGING).is_none() && !amount::word(line).is_some_and(is_unit)
}

/// Whether a known phrase follows; behind "left" another one, or the end.
fn goes_on(behind: &str) -> bool {
    match begins_with(behind, &LEFT) {
        Some(length) => {
            let rest = &behind[length..];
            let is_known = begins_with(rest, &BEHIND_LEFT).is_some();
            is_known
                || (rest.is_empty() || !rest.starts_with(BLANKS) || rest.trim_start_matches(BLANKS).starts_with('\n'))
                    && is_end(rest)
        }
        None => begins_with_known(behind),
    }
}

/// Whether a text begins with a number, signs and a few letters before it or not.
pub(super) fn begins_with_amount(text: &str) -> bool {
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    word.chars().take(5).any(|c| c.is_ascii_digit())
}

/// What links a label and its amount.
#[derive(Default)]
pub(super) struct Linked {
    pub(super) has_colon: bool,
    pub(super) has_of: bool,
    pub(super) has_line: bool,
}

/// A text in lower case without the links at its end.
pub(super) fn without_links(context: &str) -> (&str, Linked) {
    let mut linked = Linked::default();
    let mut bare = context;
    let mut has_parenthesis = false;
    loop {
        let trimmed = bare.trim_end_matches([' ', '\u{A0}', '\n', '\t']);
        linked.has_line |= bare[trimmed.len()..].contains('\n');
        bare = trimmed;
        if let Some(rest) = bare.strip_suffix([':', '=']) {
            linked.has_colon = true;
            bare = rest;
            continue;
        }
        if let Some(rest) = bare.strip_suffix('(').filter(|_| !has_parenthesis) {
            has_parenthesis = true;
            bare = rest;
            continue;
        }
        let Some(word) = ends_with(bare, &LINKS) else {
            return (bare, linked);
        };
        linked.has_of |= word == "of";
        bare = &bare[..bare.len() - word.len()];
    }
}

/// What stands at the end of a text in its clause, or else in its sentence, which commas do not end.
pub(super) fn clause(before: &str, has_commas: bool) -> &str {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(MOST_CONTEXT))..];
    let mut next: Option<char> = None;
    for (at, c) in before.char_indices().rev() {
        let is_end = match c {
            ';' => has_commas,
            '。' | '!' | '?' | '|' | '…' => true,
            '\n' => !before[..at].trim_end().ends_with([':', '=']),
            '.' => next.is_none_or(char::is_whitespace),
            ',' => has_commas && !next.is_some_and(|c| c.is_ascii_digit()),
            _ => false,
        };
        if is_end {
            return &before[at + c.len_utf8()..];
        }
        next = Some(c);
    }
    before
}

/// Where the clause ends that a text begins with.
pub(super) fn clause_length(behind: &str) -> usize {
    let mut chars = behind.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        let is_end = match c {
            ';' | '。' | '!' | '?' | '|' | '…' | '\n' | '\t' | '、' | '(' => true,
            '.' | ',' => next.is_none_or(|c| !c.is_ascii_digit()),
            _ => false,
        };
        if is_end {
            return at;
        }
    }
    behind.len()
}

/// Whether a text begins with words that may stand behind an amount.
fn begins_with_known(text: &str) -> bool {
    begins_with(text, &BEHIND).is_some() || begins_with(text, &DUE_BEHIND).is_some()
}
