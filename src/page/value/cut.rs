//! Whether a piece of a text is only a part of the number that stands there.

use std::collections::HashSet;
use std::ops::Range;

use crate::model::amount::{self, Word};
use crate::page::meter;

/// So many bytes beside a piece are looked at.
const NEAR: usize = 48;

/// So many bytes before a piece what turns the order of its characters may stand.
const FAR: usize = 256;

/// A piece of a text, and the ranges of the text that the page's pattern matched.
pub(in crate::page) struct Piece<'o> {
    pub(in crate::page) range: Range<usize>,
    /// Where the match of the pattern begins that has found it. What stands in the match is what the pattern's author knows of.
    pub(in crate::page) matched_from: Option<usize>,
    /// Pieces that are taken out together with it: whoever takes the unit as well may multiply.
    pub(in crate::page) others: &'o [Range<usize>],
}

impl Piece<'_> {
    /// A piece that no pattern has found.
    pub(in crate::page) fn of(range: Range<usize>) -> Piece<'static> {
        Piece { range, matched_from: None, others: &[] }
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
        let inside: Vec<char> = amount::fold(&text[start..end]).chars().collect();
        let before = amount::fold(&text[text.ceil_char_boundary(start.saturating_sub(NEAR))..start]);
        let before: Vec<char> = before.chars().rev().collect();
        let after: Vec<char> = amount::fold(&text[end..text.floor_char_boundary(end + NEAR)]).chars().collect();
        begins_inside(&before, &inside)
            || ends_inside(&inside, &after)
            || (inside.last().is_some_and(|c| c.is_numeric()) && self.is_multiplied(text))
            || self.leaves_sign(text, &before, &inside, &after)
    }

    /// Whether a word for a unit or a scale follows (`12.5k`) that was not cut out with the number.
    fn is_multiplied(&self, text: &str) -> bool {
        let end = self.range.end;
        let unit = end + (text[end..].len() - text[end..].trim_start().len());
        let is_taken = self.others.iter().any(|other| other.start > self.range.start && other.contains(&unit));
        !is_taken && is_changed_by(&text[unit..])
    }

    /// Whether a minus or parentheses stand beside it that no pattern names. A dash with blanks around it parts words as well, so
    /// it counts only where a pattern has found the number and begins behind it.
    fn leaves_sign(&self, text: &str, before: &[char], inside: &[char], after: &[char]) -> bool {
        let at = |side: &[char], place: usize| side.get(place).copied().unwrap_or(' ');
        if !inside.first().is_some_and(|c| c.is_numeric() || *c == '.') {
            return false;
        }
        let behind_sign = usize::from(is_sign(at(before, 0)));
        let first = at(before, behind_sign);
        if is_minus(first) && !is_of_word(at(before, behind_sign + 1)) {
            return true;
        }
        if matches!(at(after, 0), '-' | '\u{2212}') && !is_of_word(at(after, 1)) {
            return true;
        }
        let Some(matched_from) = self.matched_from else { return false };
        let rest = text[..self.range.start].trim_end_matches(|c: char| c.is_whitespace() || is_sign(c));
        let is_named = rest.len() > matched_from;
        let is_in_parentheses = first == '(' && at(after, 0) == ')';
        let is_behind_minus = rest.ends_with(is_minus) && !rest.trim_end_matches(is_minus).ends_with(is_of_word);
        !is_named && (is_in_parentheses || is_behind_minus)
    }
}

/// Whether a number goes on before the first character. What stands before is given backwards.
fn begins_inside(before: &[char], inside: &[char]) -> bool {
    let is_digit = |side: &[char], place: usize| side.get(place).is_some_and(|c| c.is_numeric());
    let is_separator = |side: &[char], place: usize| side.get(place).is_some_and(|c| is_separator(*c));
    if !is_digit(inside, 0) {
        return is_separator(inside, 0) && is_digit(inside, 1) && is_digit(before, 0);
    }
    let length = inside.iter().take_while(|c| c.is_numeric()).count();
    let is_exponent = || {
        let mark = usize::from(before.first().is_some_and(|c| matches!(c, '+' | '-')));
        before.get(mark).is_some_and(|c| matches!(c, 'e' | 'E')) && is_digit(before, mark + 1)
    };
    is_digit(before, 0)
        || (is_separator(before, 0) && is_digit(before, 1))
        || (before.first() == Some(&'.') && !before.get(1).is_some_and(|c| is_of_word(*c)))
        || (length == 3 && before.first() == Some(&' ') && is_digit(before, 1) && !is_digit(before, 4))
        || is_exponent()
}

/// Whether a number goes on behind the last character.
fn ends_inside(inside: &[char], after: &[char]) -> bool {
    let is_digit = |side: &[char], place: usize| side.get(place).is_some_and(|c| c.is_numeric());
    let is_separator = |c: Option<&char>| c.is_some_and(|c| is_separator(*c));
    let last = inside.len() - 1;
    if !is_digit(inside, last) {
        return is_separator(inside.get(last)) && last > 0 && is_digit(inside, last - 1) && is_digit(after, 0);
    }
    let length = inside.iter().rev().take_while(|c| c.is_numeric()).count();
    let group = after.iter().skip(1).take_while(|c| c.is_numeric()).count();
    let is_exponent = || {
        let mark = usize::from(after.get(1).is_some_and(|c| matches!(c, '+' | '-')));
        after.first().is_some_and(|c| matches!(c, 'e' | 'E')) && is_digit(after, mark + 1)
    };
    is_digit(after, 0)
        || (is_separator(after.first()) && is_digit(after, 1))
        || (length <= 3 && after.first() == Some(&' ') && group == 3)
        || is_exponent()
}

/// Whether a text holds a number that does not stand in the one from which it was made by leaving out or replacing parts:
/// `12` of `12.50`, `5` of `-5`, `5` of `5k`, or two numbers that have become one.
pub(super) fn has_other_numbers(part: &str, whole: &str) -> bool {
    let stands_there: HashSet<String> = [is_separator as fn(char) -> bool, is_loose]
        .into_iter()
        .flat_map(|is_inside| numbers(whole, is_inside))
        .collect();
    (amount::is_turned(whole) && part.contains(char::is_numeric))
        || numbers(part, is_separator).iter().any(|number| !stands_there.contains(number))
}

/// The digits of each number of a text, with its sign, and a mark if a word behind it makes it another one.
fn numbers(text: &str, is_inside: fn(char) -> bool) -> Vec<String> {
    let text = amount::fold(text);
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(char::is_numeric).map(|found| at + found) {
        let length = text[start..].find(|c: char| !c.is_numeric() && !is_inside(c)).unwrap_or(text.len() - start);
        let run = text[start..start + length].trim_end_matches(|c: char| !c.is_numeric());
        let end = start + run.len();
        let before = text[..start].trim_end_matches(is_sign);
        let is_negative = before.ends_with(is_minus) && !before.trim_end_matches(is_minus).ends_with(is_of_word);
        let mut number: String = run.chars().filter(|c| c.is_numeric()).collect();
        if is_negative {
            number.insert(0, '-');
        }
        if is_changed_by(text[end..].trim_start()) {
            number.push('*');
        }
        numbers.push(number);
        at = end;
    }
    numbers
}

/// Whether a text begins with a word for a scale, a part or a debit, which changes the number before it.
fn is_changed_by(rest: &str) -> bool {
    let near = amount::fold(&rest[..rest.floor_char_boundary(NEAR)]);
    amount::word(near.trim_start()).is_some_and(|(word, _)| match word {
        Word::Times(_) | Word::Part(..) => true,
        Word::Side { is_debit } => is_debit,
        Word::Sign { .. } | Word::Currency(_) => false,
    })
}

/// What stands within numbers, in any script.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | '\''
            | '\u{2018}'
            | '\u{2019}'
            | '`'
            | '\u{b4}'
            | '\u{a0}'
            | '\u{2009}'
            | '\u{202f}'
            | '\u{b7}'
            | '\u{2d9}'
            | '\u{66b}'
            | '\u{66c}'
            | '\u{201a}'
            | '\u{3001}'
            | '\u{3002}'
            | '\u{ff61}'
            | '\u{ff64}'
    )
}

/// What stands within numbers, dates and numbers of accounts.
fn is_loose(c: char) -> bool {
    is_separator(c) || matches!(c, ' ' | '-' | '/' | ':' | '_')
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}')
}

/// A digit, or a letter of a script that puts blanks between words.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2E80}'
}

fn is_sign(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩')
}
