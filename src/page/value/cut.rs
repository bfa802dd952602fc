//! Whether a piece of a text is only a part of the number that stands there.

use std::ops::Range;

use super::standing;
use super::surroundings::{self, folded, is_glue};
use crate::model::amount::{self, Word};
use crate::page::meter;

/// So many bytes beside a piece are looked at.
const NEAR: usize = 64;

/// So many bytes before a piece what turns the order of its characters may stand.
const FAR: usize = 256;

/// A piece of a text, and the ranges of the text that the page's pattern matched.
pub(in crate::page) struct Piece<'o> {
    pub(in crate::page) range: Range<usize>,
    /// Where the match of the pattern begins that has found it. What stands in the match is what the pattern's author knows of.
    pub(in crate::page) matched_from: Option<usize>,
    /// Pieces that are taken out together with it: whoever takes the unit as well may multiply.
    pub(in crate::page) others: &'o [Range<usize>],
    /// What its author has written to find it: the pattern, or what it was parted by. A word in it is known to be no unit.
    pub(in crate::page) written: &'o str,
}

/// Whether what an author has written, a pattern or a plain text, names a word or a sign.
pub(super) fn names(written: &str, word: &str) -> bool {
    literal(written).contains(word)
}

/// What of a pattern stands for itself, in small letters: not what it only leaves out, nor what groups it.
fn literal(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut is_in_class = false;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.extend(rest.next().filter(|c| !c.is_ascii_alphanumeric())),
            '(' | ')' | '*' | '+' | '?' => {}
            '[' if rest.peek() == Some(&'^') => while rest.next().is_some_and(|c| c != ']') {},
            // In a class a dash between two characters is a range, and stands for none.
            '-' if is_in_class && !out.ends_with('[') && rest.peek() != Some(&']') => {}
            c => {
                is_in_class = (is_in_class || c == '[') && c != ']';
                out.push(c);
            }
        }
    }
    out.to_lowercase()
}

/// Whether an author has written a minus, of whichever kind.
fn names_minus(written: &str) -> bool {
    literal(written).contains(surroundings::is_minus)
}

impl<'o> Piece<'o> {
    /// A piece that no pattern has found.
    pub(in crate::page) fn of(range: Range<usize>) -> Piece<'o> {
        Piece { range, matched_from: None, others: &[], written: "" }
    }

    /// A piece that stands beside a text that the page's author has written.
    pub(in crate::page) fn beside(range: Range<usize>, written: &'o str) -> Piece<'o> {
        Piece { written, ..Piece::of(range) }
    }

    /// Whether it begins or ends within a number of a text: `12` of `12.50`, `234` of `1,234`, `5` of `-5` or of `5e3`, or `1.2`
    /// of `1.2k`, unless the unit is one of the others that are taken out with it.
    pub(in crate::page) fn cuts_number(&self, text: &str) -> bool {
        let Range { start, end } = self.range;
        if !text[start..end].contains(char::is_numeric) {
            return false;
        }
        meter::spend(4);
        if amount::is_turned(&text[text.ceil_char_boundary(start.saturating_sub(FAR))..end]) {
            return true;
        }
        let inside: Vec<char> = folded(&text[start..end]).chars().collect();
        let before = folded(&text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start]);
        let after = folded(&text[end..text.floor_char_boundary(end + NEAR)]);
        let backwards: Vec<char> = before.chars().rev().collect();
        let forwards: Vec<char> = after.chars().collect();
        let begins_with_number = inside.first().is_some_and(|c| c.is_numeric() || *c == '.');
        let ends_with_number = inside.last().is_some_and(|c| c.is_numeric());
        let is_unread = |c: Option<&char>| matches!(c, Some('\u{fffc}' | '\u{fffd}'));
        is_unread(backwards.first())
            || is_unread(forwards.first())
            || begins_inside(&backwards, &inside)
            || ends_inside(&inside, &forwards)
            || (begins_with_number && self.leaves_before(text, &before, &after))
            || (ends_with_number && self.leaves_behind(text, &after))
    }

    /// The currency that stands beside it.
    pub(in crate::page) fn currency(&self, text: &str) -> Option<&'static str> {
        let Range { start, end } = self.range;
        let before = folded(&text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start]);
        let after = folded(&text[end..text.floor_char_boundary(end + NEAR)]);
        let behind = match amount::word(after.trim_start_matches(surroundings::is_blank)) {
            Some((Word::Currency(currency), _)) => Some(currency),
            _ => None,
        };
        behind.or_else(|| surroundings::currency_before(&before)).map(|currency| currency.label())
    }

    /// Whether a minus or parentheses stand before it that no pattern names. A dash with blanks around it parts words as well, so
    /// it counts only where a pattern has found the number; one that only runs over the dash, as `\D*` does, names none.
    fn leaves_before(&self, text: &str, before: &str, after: &str) -> bool {
        let start = self.range.start;
        let found = surroundings::before(before);
        if found.is_negative || found.is_unread || found.is_changed {
            return true;
        }
        let Some(matched_from) = self.matched_from else { return false };
        // What the match holds before the piece is named.
        let named = before.len().saturating_sub(
            folded(&text[text.ceil_char_boundary(matched_from.max(start.saturating_sub(NEAR)))..start]).len(),
        );
        let is_named = |at: usize| at >= named;
        let is_in_parentheses = || surroundings::behind(after).closes;
        found.doubtful.is_some_and(|at| !(is_named(at) && names_minus(self.written)))
            || found.opens.is_some_and(|at| !(is_named(at) && names(self.written, "(")) && is_in_parentheses())
    }

    /// Whether a minus or a word stands behind it that makes another number of it, and is not taken out with it.
    fn leaves_behind(&self, text: &str, after: &str) -> bool {
        let found = surroundings::behind(after);
        let is_taken = |word: &String| {
            let others = self.others.iter().filter(|other| other.start > self.range.start);
            others.into_iter().any(|other| names(&folded(&text[other.clone()]), word))
        };
        // `12:50` is a time, of which the minutes may be taken as well.
        let is_hour = self.matched_from.is_some()
            && after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_numeric()))
            && !self.others.iter().any(|other| other.start == self.range.end + 1);
        found.is_negative
            || is_hour
            || found.scale.is_some_and(|word| !is_taken(&word))
            || found.unknown.is_some_and(|word| !is_taken(&word) && !names(self.written, &word))
    }
}

/// Whether a number goes on before the first character. What stands before is given backwards.
fn begins_inside(before: &[char], inside: &[char]) -> bool {
    let is_digit = |side: &[char], place: usize| side.get(place).is_some_and(|c| c.is_numeric());
    let is_separator = |side: &[char], place: usize| side.get(place).is_some_and(|c| is_glue(*c));
    if !is_digit(inside, 0) {
        return is_separator(inside, 0) && is_digit(inside, 1) && is_digit(before, 0);
    }
    let length = inside.iter().take_while(|c| c.is_numeric()).count();
    let is_exponent = || {
        let mark = usize::from(before.first().is_some_and(|c| matches!(c, '+' | '-')));
        before.get(mark).is_some_and(|c| matches!(c, 'e' | 'E')) && is_digit(before, mark + 1)
    };
    let is_group = || {
        let gap = gap(before);
        let digits = before[gap..].iter().take_while(|c| c.is_numeric()).count();
        gap > 0 && length == 3 && (1..=3).contains(&digits)
    };
    // `&#8722;` is a character.
    let is_code = || {
        let mark = usize::from(matches!(before.first(), Some('x' | 'X')));
        before.get(mark) == Some(&'#') && before.get(mark + 1) == Some(&'&')
    };
    is_digit(before, 0)
        || is_code()
        || (is_separator(before, 0) && is_digit(before, 1))
        || (before.first() == Some(&'.') && !before.get(1).is_some_and(|c| surroundings::is_of_word(*c)))
        || is_group()
        || is_exponent()
}

/// Whether a number goes on behind the last character.
fn ends_inside(inside: &[char], after: &[char]) -> bool {
    let is_digit = |side: &[char], place: usize| side.get(place).is_some_and(|c| c.is_numeric());
    let is_separator = |c: Option<&char>| c.is_some_and(|c| is_glue(*c));
    let last = inside.len() - 1;
    if !is_digit(inside, last) {
        return is_separator(inside.get(last)) && last > 0 && is_digit(inside, last - 1) && is_digit(after, 0);
    }
    let length = inside.iter().rev().take_while(|c| c.is_numeric()).count();
    let gap = gap(after);
    let group = after[gap..].iter().take_while(|c| c.is_numeric()).count();
    let is_exponent = || {
        let mark = usize::from(after.get(1).is_some_and(|c| matches!(c, '+' | '-')));
        after.first().is_some_and(|c| matches!(c, 'e' | 'E')) && is_digit(after, mark + 1)
    };
    is_digit(after, 0)
        || (is_separator(after.first()) && is_digit(after, 1))
        || (gap > 0 && length <= 3 && group == 3)
        || is_exponent()
}

/// How many blanks stand there that may part thousands.
fn gap(side: &[char]) -> usize {
    let blanks: String = side.iter().take_while(|c| surroundings::is_blank(**c)).collect();
    standing::blanks(&blanks).map_or(0, |_| blanks.chars().count())
}
