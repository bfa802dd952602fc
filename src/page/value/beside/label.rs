//! The label before a number, in the same line or alone in the line or cell before.

use std::ops::Range;

use super::{FAR, Known, Side, Step, Why};
use crate::model::amount::{self, Currency, Word};
use crate::page::names;
use crate::page::value::plain;
use crate::page::value::surroundings::{Character, is_line_end, is_minus, is_of_run, is_parting, string, tag};

/// Words of a label that say that the number is no balance, and that say nothing beside a number without a label.
const OTHERS: &str = "bytes cost count fee fees limit line order page paid price rank ref reference row spent tax threshold ticket trace uid vat";

impl Side<'_> {
    /// What stands before the number has ended with a colon: a label. Of one whose end the author has not written each word must be
    /// known to mean nothing for the number.
    pub(super) fn label(&mut self, at: usize, is_of_time: bool) -> Result<Step, Why> {
        let before = &self.characters[..at - 1];
        let is_compared =
            before.last().is_some_and(|character| matches!(character.c, '<' | '>' | '!' | '=' | '~' | '-'));
        let is_written = self.is_written(at - 1);
        if !is_written && (is_of_time || is_compared) {
            return Err(Why::Unknown);
        }
        let is_end = |character: &Character| {
            is_line_end(character.c)
                || is_parting(character.c)
                || matches!(character.c, ',' | '<' | '>' | '&' | '?' | '{')
        };
        let start = before.iter().rposition(is_end).map_or(0, |found| found + 1);
        let start = start.max(before.len().saturating_sub(FAR));
        let end = self.without_scale(&before[start.saturating_sub(1)..], true)?;
        let label = before[start..].to_vec();
        self.of_label(&label, !is_written && !self.is_named(at - 1), self.characters[at - 1].c == '=')?;
        Ok(end)
    }

    /// Looks at the words of a label. `is_name` says that it is the name of a field, which has no blanks in it.
    fn of_label(&mut self, label: &[Character], is_strict: bool, is_name: bool) -> Result<(), Why> {
        let text = string(label);
        let is_own = |word: &[Character]| self.named(word).is_some();
        // `Balance (-)`.
        let alone = label.split(|character| "()[] ".contains(character.c));
        if alone.into_iter().any(|part| part.len() == 1 && is_minus(part[0].c) && !is_own(part))
            && text.contains(['(', '['])
        {
            return Err(Why::Changed);
        }
        let is_of_money = |c: char| c.is_alphanumeric() || matches!(c, '$' | '£' | '¥' | '\u{20a0}'..='\u{20cf}');
        let tokens = label.split(|character| !is_of_money(character.c)).filter(|word| !word.is_empty());
        let foreign = tokens.clone().filter(|word| !is_own(word)).filter_map(|word| currency_of_label(&string(word)));
        let foreign: Vec<Currency> = foreign.collect();
        let is_name_end = |character: &Character| {
            (is_name && character.c.is_whitespace()) || matches!(character.c, '.' | '。' | '{' | '[' | '"')
        };
        let end = label.iter().rposition(|character| character.c.is_alphanumeric()).map_or(0, |found| found + 1);
        let start = label[..end].iter().rposition(is_name_end).map_or(0, |found| found + 1);
        let words = label[start..end].split(|character| !is_of_money(character.c)).filter(|word| !word.is_empty());
        let is_unknown = |word: &[Character]| !is_own(word) && !is_known_in_label(&string(word));
        if is_strict && words.into_iter().any(is_unknown) {
            return Err(Why::Unknown);
        }
        self.currencies.extend(foreign);
        Ok(())
    }

    /// Where the labels of a metric begin that end before a place: `balance{account="a"} 12.5`.
    pub(super) fn label_set(&self, at: usize) -> Option<usize> {
        let start = self.characters[..at].iter().rposition(|character| character.c == '{')?;
        let inside = string(&self.characters[start..at]);
        let has_name = start > 0 && self.characters[start - 1].c.is_ascii_alphanumeric();
        (has_name && inside.contains("=\"") && inside.ends_with("\"}")).then_some(start)
    }

    /// Whether letters that touch a sign of several currencies say nothing of their own: of `Can$` nobody knows.
    pub(super) fn without_letters(&self, currency: Currency, sign: Range<usize>) -> Result<(), Why> {
        let before = &self.characters[..sign.start];
        let start = before.iter().rposition(|character| !character.c.is_alphabetic()).map_or(0, |found| found + 1);
        let letters = string(&before[start..]);
        let is_sign = !self.characters[sign.start].c.is_alphanumeric();
        let is_plain = letters.is_empty() || letters.chars().any(is_of_run) || amount::words(&letters).is_some();
        let is_own = || self.is_written_whole(&self.characters[start..sign.end]);
        if currency.code().is_none() && is_sign && !is_plain && !is_own() { Err(Why::Unknown) } else { Ok(()) }
    }

    /// Whether no word of a debt stands in the same clause before what the author has written.
    pub(super) fn without_debt(&self, at: usize) -> Result<(), Why> {
        let is_end = |character: &Character| {
            let c = character.c;
            is_line_end(c) || is_parting(c) || c.is_numeric() || matches!(c, ',' | '.' | ':' | '=' | '<' | '>')
        };
        let before = &self.characters[at.saturating_sub(FAR)..at];
        let start = before.iter().rposition(is_end).map_or(0, |found| found + 1);
        let mut words = before[start..].split(|character| !character.c.is_alphabetic());
        let is_debt = |word: &[Character]| plain::is_debt(&string(word).to_lowercase()) && self.named(word).is_none();
        if words.any(is_debt) { Err(Why::Unknown) } else { Ok(()) }
    }

    /// Whether no word of scale stands before where the number's own words begin. Where the number stands alone in a line or a cell,
    /// the one before may be its label.
    pub(super) fn begins_at(&mut self, at: usize) -> Result<(), Why> {
        self.without_scale(&self.characters[at.saturating_sub(FAR)..at], false)?;
        let own = string(&self.characters[at..]);
        let own = own.rsplit('>').next().unwrap_or_default();
        let is_begin = at
            .checked_sub(1)
            .is_some_and(|last| matches!(self.characters[last].c, '>') || is_line_end(self.characters[last].c));
        let is_bare = is_begin && (own.chars().all(char::is_whitespace) || amount::words(own).is_some());
        let Some(label) = is_bare.then(|| self.label_before(at)).flatten() else { return Ok(()) };
        let label = self.characters[label].to_vec();
        self.without_scale(&label, true)?;
        self.of_label(&label, false, false)
    }

    /// The text of the line or the cell before a place, if it is all of its line, or the cell beside in a table.
    fn label_before(&self, at: usize) -> Option<Range<usize>> {
        let (mut end, mut is_same_line) = (at, true);
        loop {
            let before = &self.characters[..end];
            let last = before.last()?;
            let start = before.iter().rposition(|character| character.c == '<');
            if last.c == '>'
                && let Some(start) = start.filter(|start| tag(&before[*start..]).is_some())
            {
                // Another row of a table.
                if string(&before[start..]).to_lowercase().contains("<tr") {
                    return None;
                }
                end = start;
            } else if last.c.is_whitespace() || matches!(last.c, ':' | '：') {
                is_same_line &= !matches!(last.c, '\n' | '\r');
                end -= 1;
            } else {
                break;
            }
        }
        let before = &self.characters[..end];
        let is_end = |character: &Character| is_line_end(character.c) || matches!(character.c, '>' | '|' | ';' | ',');
        let found = before.iter().rposition(is_end);
        let start = found.map_or(0, |found| found + 1);
        let is_whole = found.is_none_or(|found| matches!(before[found].c, '\n' | '\r' | '>')) || is_same_line;
        let is_label = end - start <= FAR / 2
            && !before[start..].iter().any(|character| character.c.is_ascii_digit() && character.c != '0');
        (is_whole && is_label && start < end).then_some(start..end)
    }
}

/// The currency that a word of a label names. Of a code that is a word as well nobody knows, nor of short words in small letters.
fn currency_of_label(word: &str) -> Option<Currency> {
    let is_code = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let may_be = (is_code && !amount::WORDLIKE.contains(&word)) || word.len() > 4 || !word.is_ascii() || word == "$";
    match amount::word(word).filter(|_| may_be)? {
        (Word::Currency(currency), length) if length == word.len() || word.chars().all(is_of_run) => {
            (!currency.label().starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().count() * word.len() > 1)
                .then_some(currency)
        }
        _ => None,
    }
}

/// Whether a word of a label says nothing that could make another number of the one behind it.
fn is_known_in_label(word: &str) -> bool {
    let is_other = |word: &str| OTHERS.split(' ').any(|other| other == word);
    let is_plain = |word: &str| word.len() == 1 || (plain::word(word, true).is_some() && !is_other(word));
    let has_currency = matches!(amount::word(word), Some((Word::Currency(_), length)) if length == word.len());
    word.bytes().all(|byte| byte.is_ascii_digit())
        || has_currency
        || is_plain(&word.to_lowercase())
        || word.is_ascii() && names::words(word).iter().all(|word| is_plain(word))
        || word.chars().all(is_of_run) && is_known_run(word)
}

/// Whether a run of letters is made of known words alone.
fn is_known_run(run: &str) -> bool {
    let mut rest = run;
    while !rest.is_empty() {
        let known = plain::of_run(rest, false).or_else(|| match amount::word(rest)? {
            (Word::Currency(_), length) => Some(rest[..length].chars().count()),
            _ => None,
        });
        let Some(length) = known else { return false };
        rest = &rest[rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at)..];
    }
    true
}

/// The currency that a field of the text says: `12.50; currency=EUR`. One in the same line counts, or the only one in the text.
pub(super) fn currency_field(text: &str, number: &Range<usize>, known: &[Known]) -> Option<Currency> {
    let line_start = text[..number.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[number.end..].find('\n').map_or(text.len(), |at| number.end + at);
    let fields = fields(text);
    let in_line = |at: usize| (line_start..line_end).contains(&at);
    let behind = fields.iter().find(|(range, _)| in_line(range.start) && range.start >= number.end);
    let before = || fields.iter().rfind(|(range, _)| in_line(range.start) && range.start < number.start);
    let only = || fields.first().filter(|_| fields.len() == 1);
    let (range, currency) = behind.or_else(before).or_else(only)?;
    let is_own = known.iter().any(|known| known.range.start < range.end && range.start < known.range.end);
    (!is_own).then_some(*currency)
}

/// Where a text says a currency as the value of a field, and which.
fn fields(text: &str) -> Vec<(Range<usize>, Currency)> {
    let near = &text[..text.floor_char_boundary(4096)];
    let starts = near.char_indices().filter(|(at, c)| {
        matches!(c, 'c' | 'C') && near.get(*at..at + 8).is_some_and(|name| name.eq_ignore_ascii_case("currency"))
    });
    let field = |(at, _): (usize, char)| {
        let rest = &near[at + 8..];
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let value = rest[name..].trim_start_matches(['"', '\'', ' ']).strip_prefix([':', '=', '：'])?;
        let value = value.trim_start_matches(['"', '\'', ' ']);
        let word = &value[..value.find(|c: char| !c.is_alphanumeric() && !"$€£¥₹".contains(c)).unwrap_or(value.len())];
        let start = near.len() - value.len();
        match amount::word(word)? {
            (Word::Currency(currency), length) if length == word.len() => Some((at..start + length, currency)),
            _ => None,
        }
    };
    starts.filter_map(field).collect()
}
