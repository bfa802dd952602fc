//! Whether a text that is used as a number is the one that stands in the answer, with all that belongs to it there.

use std::ops::Range;
use std::rc::Rc;

use super::beside::Known;
use super::digits::is_one_number;
use super::made::{How, Made, Span};
use super::standing::{Piece, trimmed};
use super::surroundings::{characters, currency_at_end, is_blank, is_minus, string};
use super::text::{CHANGED_JSON, MIXED_NUMBER, ONE_OF_SEVERAL, may_be_amount, reason};
use super::{Text, Value};
use crate::model::amount::{self, Word};
use crate::page::meter;

/// So many bytes beside a number its currency may stand.
const NEAR: usize = 64;

impl Text {
    /// Why it is not the number that it looks like; none if it is, or looks like none.
    pub(super) fn no_number(&self) -> Option<&'static str> {
        if !may_be_amount(&self.text) {
            return None;
        }
        if self.refusal.is_some() {
            return self.refusal;
        }
        let made = self.made.as_deref()?;
        meter::spend(8 + made.spans.len());
        if is_mixed(&self.text, made) && is_one_number(trimmed(&self.text)) {
            return Some(MIXED_NUMBER);
        }
        let mut roots: Vec<&Rc<Text>> = Vec::new();
        for (at, span) in places(made) {
            if let Some((root, _)) = &span.root
                && self.text[at..at + span.length].contains(char::is_numeric)
                && !roots.iter().any(|known| Rc::ptr_eq(known, root))
            {
                roots.push(root);
            }
        }
        roots.into_iter().find_map(|root| self.not_of(root, made))
    }

    /// Why no JSON may be read from it, if a number in it is not as it stands in the text of the answer.
    pub(super) fn no_json(self: &Rc<Text>) -> Option<&'static str> {
        // What the expression has written as JSON it may read again.
        if !self.text.contains(char::is_numeric) || (self.made.is_none() && self.refusal == Some(ONE_OF_SEVERAL)) {
            return None;
        }
        if self.refusal.is_some() {
            return self.refusal;
        }
        let first = self.made.as_ref()?.spans.iter().find_map(|span| span.root.as_ref())?;
        if first.0.text[..first.1].trim_end_matches(is_blank).ends_with(is_minus) {
            return Some(CHANGED_JSON);
        }
        let whole = Value::Text(Rc::clone(self));
        tokens(&self.text).into_iter().find_map(|token| whole.found(token, &[]).no_number()).map(|_| CHANGED_JSON)
    }

    /// The text with blanks for what other texts of the answer say, as the unit in `"\(.amount) \(.unit)"`: that belongs to no
    /// number of this one, and the page has put it there. A sign is kept.
    fn without_words_of_others(&self, root: &Rc<Text>, made: &Made) -> String {
        let mut text = String::with_capacity(self.text.len());
        for (at, span) in places(made) {
            let part = &self.text[at..at + span.length];
            let is_other = span.root.as_ref().is_some_and(|(own, _)| !Rc::ptr_eq(own, root));
            match is_other && !part.contains(is_minus) {
                true => text.extend(part.chars().flat_map(|c| std::iter::repeat_n(' ', c.len_utf8()))),
                false => text.push_str(part),
            }
        }
        text
    }

    /// Why what was cut out of one text of the answer is no number of it.
    fn not_of(&self, root: &Rc<Text>, made: &Made) -> Option<&'static str> {
        if self.text == root.text {
            return None;
        }
        let of_root: Vec<(usize, usize, usize)> = places(made)
            .filter_map(|(at, span)| {
                let (own, start) = span.root.as_ref()?;
                Rc::ptr_eq(own, root).then_some((at, *start, span.length))
            })
            .filter(|(at, _, length)| self.text[*at..at + length].contains(char::is_numeric))
            .collect();
        let ((first, ..), (last, _, length)) = (of_root.first()?, of_root.last()?);
        let place = *first..last + length;
        let sign = self.text[..place.end].find(is_minus);
        let is_of_root = |sign: usize| {
            places(made).any(|(at, span)| {
                (at..at + span.length).contains(&sign)
                    && span.root.as_ref().is_some_and(|(own, _)| Rc::ptr_eq(own, root))
            })
        };
        let text = self.without_words_of_others(root, made);
        let piece = Piece {
            root: &root.text,
            parts: of_root.iter().map(|(_, start, length)| *start..start + length).collect(),
            text: &text,
            place,
            has_own_sign: sign.is_some_and(|sign| !is_of_root(sign)),
        };
        let named = made.named.iter().filter(|named| Rc::ptr_eq(&named.root, root));
        let known: Vec<Known> =
            named.map(|named| Known { range: named.range.clone(), written: &named.written, how: named.how }).collect();
        piece.why_none(&known).map(reason)
    }
}

/// Where the numbers and the texts stand in a JSON text.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let mut end = start + c.len_utf8();
        if c == '"' {
            let mut is_escaped = false;
            for (at, c) in rest.by_ref() {
                end = at;
                match c {
                    _ if is_escaped => is_escaped = false,
                    '\\' => is_escaped = true,
                    '"' => break,
                    _ => {}
                }
            }
            found.push(start + 1..end.max(start + 1));
        } else if c.is_ascii_digit() || c == '-' {
            let is_part = |(_, c): &(usize, char)| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
            while let Some((at, _)) = rest.next_if(is_part) {
                end = at + 1;
            }
            found.push(start..end);
        }
    }
    found
}

/// The parts of a text, and where each begins.
fn places(made: &Made) -> impl Iterator<Item = (usize, &Span)> {
    made.spans.iter().scan(0, |at, span| {
        *at += span.length;
        Some((*at - span.length, span))
    })
}

/// Whether digits of two texts of the answer stand beside each other, as units and nanos do with a point between them.
fn is_mixed(text: &str, made: &Made) -> bool {
    let mut last: Option<(usize, &Rc<Text>)> = None;
    for (at, span) in places(made) {
        let part = &text[at..at + span.length];
        let (Some((root, _)), Some(first)) = (&span.root, part.find(char::is_numeric)) else { continue };
        let is_between = |c: char| c.is_numeric() || c.is_whitespace() || matches!(c, '.' | ',' | '\'');
        if let Some((end, other)) = last
            && !Rc::ptr_eq(other, root)
            && text[end..at + first].chars().all(is_between)
        {
            return true;
        }
        let digit = at + part.rfind(char::is_numeric).unwrap_or(0);
        last = Some((text.ceil_char_boundary(digit + 1), root));
    }
    false
}

/// Whether the piece of a text that a pattern has found is only a part of the number that stands there. `matched` is what the
/// pattern has found in all, of which its author has written `written`; `others` are pieces that are taken out with it.
pub(in crate::page) fn cuts_number(
    text: &str,
    range: Range<usize>,
    (written, matched): (&str, Range<usize>),
    others: &[Range<usize>],
) -> bool {
    if !text[range.clone()].contains(char::is_numeric) {
        return false;
    }
    let known: Vec<Known> = others
        .iter()
        .filter(|other| other.start >= range.end)
        .map(|other| Known { range: other.clone(), written: "", how: How::Taken })
        .chain([Known { range: matched, written, how: How::Matched }])
        .collect();
    let own = &text[range.clone()];
    let length = own.len();
    let piece = Piece { root: text, parts: vec![range], text: own, place: 0..length, has_own_sign: false };
    piece.why_none(&known).is_some()
}

/// The currency that stands beside a piece of a text, as it is called there.
pub(in crate::page) fn currency_beside(text: &str, range: Range<usize>) -> Option<&'static str> {
    let before = characters(text, text.ceil_char_boundary(range.start.saturating_sub(NEAR))..range.start);
    let after = characters(text, range.end..text.floor_char_boundary(range.end + NEAR));
    let behind = match amount::word(string(&after).trim_start_matches(is_blank)) {
        Some((Word::Currency(currency), _)) => Some(currency),
        _ => None,
    };
    let end = before.iter().rposition(|character| !is_blank(character.c) && !is_minus(character.c));
    let ahead = || Some(currency_at_end(&before[..=end?])?.0);
    behind.or_else(ahead).map(|currency| currency.label())
}
