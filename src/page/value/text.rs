//! Texts: who wrote them, and which parts of them are one text of the answer.

use std::cell::Cell;
use std::ops::Range;

use super::sizes::TEXT;
use super::{Origin, Part, Text};
use crate::model::amount::{self, Word};
use crate::page::memory::Held;
use crate::page::meter;

/// Characters of the page's own text that a message keeps.
pub(super) const SHOWN: usize = 200;

/// What is said of a piece of a number that is used as if it was the number.
pub(super) const CUT_NUMBER: &str = "it is cut out of a longer number";

/// What is said of units and nanos with a point between them.
pub(super) const MIXED_NUMBER: &str = "it is put together from two values of the answer, of which the second may have lost \
                                       zeros; calculate instead, for example `(.units | tonumber) + .nanos / 1e9`";

impl Part {
    const NONE: Part = Part { bytes: 0, source: 0, is_cut: false };

    /// All of a new text of the answer.
    fn whole(text: &str) -> Part {
        thread_local! {
            static SOURCES: Cell<u32> = const { Cell::new(0) };
        }
        let source = SOURCES.get().wrapping_add(1);
        SOURCES.set(source);
        Part { source, ..Part::NONE }.of_length(text)
    }

    pub(super) fn of_length(self, text: &str) -> Part {
        Part { bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), ..self }
    }

    /// Whether both were cut from the same text, of which they may be put together again.
    fn is_beside(&self, other: &Part) -> bool {
        self.is_cut && other.is_cut && self.source == other.source
    }
}

impl Text {
    pub(super) fn shown(&self) -> &str {
        match &self.origin {
            Origin::Page => &self.text,
            // The code of a currency is no secret, and a page has to name those that there are.
            Origin::Answer | Origin::Option if is_currency(&self.text) => &self.text,
            Origin::Answer | Origin::Option => "…",
            Origin::Both(shown) => shown,
        }
    }

    /// Whether its author is not only the page's.
    pub(in crate::page) fn is_foreign(&self) -> bool {
        !matches!(self.origin, Origin::Page)
    }

    pub(super) fn new(text: String, origin: Origin) -> Text {
        let part = if matches!(origin, Origin::Page) { Part::NONE } else { Part::whole(&text) };
        let held = Held::of(TEXT + text.capacity());
        let digits = (part.bytes > 0 && text.contains(|c: char| c.is_ascii_digit())).then_some(part.source);
        Text { text, origin, head: part, tail: part, cuts_number: false, digits, is_mixed: false, held }
    }

    /// Whether two numbers of the answer would become one if the other text was joined to this one, also where more stands
    /// before the one or behind the other.
    pub(super) fn would_join(&self, other: &Text) -> bool {
        let is_amount = |part: &str| amount::read(part).is_ok();
        let (tail, head) = (self.tail.bytes as usize, other.head.bytes as usize);
        is_amount(&self.text[self.text.len() - tail..]) && is_amount(&other.text[..head])
    }

    /// Whether what would be joined was cut from one text, as `gsub(",";"")` cuts `1,234` and puts it together again.
    pub(super) fn is_put_together(&self, other: &Text) -> bool {
        self.tail.is_beside(&other.head)
    }

    /// Whether it is a number, or the point of one.
    pub(super) fn is_of_number(&self) -> bool {
        matches!(self.text.as_str(), "." | ",") || is_number(&self.text)
    }

    pub(super) fn append(&mut self, other: &Text) {
        // What is put together again is no piece of a number any more.
        self.cuts_number = match (self.text.is_empty(), other.text.is_empty()) {
            (true, _) => other.cuts_number,
            (false, true) => self.cuts_number,
            (false, false) => false,
        };
        let is_of_number = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '.' | ',' | '\'');
        let touch = self.text.ends_with(is_of_number) && other.text.starts_with(is_of_number);
        let are_two = self.digits.zip(other.digits).is_some_and(|(one, another)| one != another);
        self.is_mixed |= other.is_mixed || (touch && are_two);
        self.digits = other.digits.or(self.digits);
        if self.text.is_empty() {
            self.head = other.head;
        }
        if !other.text.is_empty() {
            self.tail = other.tail;
        }
        self.origin = match (&self.origin, &other.origin) {
            (Origin::Page, Origin::Page) => Origin::Page,
            (Origin::Answer, Origin::Answer) if !is_currency(&self.text) && !is_currency(&other.text) => Origin::Answer,
            _ => {
                let mut shown = self.shown().to_owned();
                let known = if matches!(self.origin, Origin::Both(_)) { shown.len() } else { 0 };
                if shown.len() < SHOWN * 4 && !(shown.ends_with('…') && other.shown() == "…") {
                    shown.extend(other.shown().chars().take(SHOWN));
                }
                self.held.grow(shown.len() - known);
                Origin::Both(shown)
            }
        };
        // A text grows by doubling.
        self.held.grow(2 * other.text.len());
        self.text.push_str(&other.text);
    }
}

/// Whether a text that was made of another one is another number than that, and not only written with other separators: `12` of
/// `12.50`, `12.5` of `12.5k`. None unless both are numbers.
pub(super) fn is_less_than_number(part: &str, whole: &str) -> Option<bool> {
    if part.len().max(whole.len()) > amount::LONGEST || !is_number(part) {
        return None;
    }
    let (value, all) = (amount::read(part).ok()?.value, amount::read(whole).ok()?.value);
    let without = |text: &str| -> String {
        amount::fold(text).chars().filter(|c| !matches!(c, '.' | ',' | '\'') && !c.is_whitespace()).collect()
    };
    Some(value != all && without(part) != without(whole))
}

/// Whether a piece of a text is a number that is only a part of the one that stands there: `12` of `12.50`, `234` of `1,234`, `5`
/// of `-5`, or `1.2` of `1.2k`, unless the unit is one of the `others` that are taken out with it.
pub(super) fn is_part_of_number(text: &str, piece: Range<usize>, others: &[Range<usize>]) -> bool {
    if piece.is_empty() || !text[piece.clone()].contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let rest = &text[piece.end..];
    let unit = piece.end + (rest.len() - rest.trim_start().len());
    let is_taken = others.iter().any(|other| other.start > piece.start && other.contains(&unit));
    let changes = |word| match word {
        Word::Times(_) => true,
        Word::Side { is_debit } => is_debit,
        _ => false,
    };
    let near = &text[unit..text.floor_char_boundary(unit + 32)];
    let is_multiplied = !is_taken && amount::word(near).is_some_and(|(word, _)| changes(word));
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_separator =
        |c: Option<char>| matches!(c, Some('.' | ',' | '\'' | '\u{2019}' | '\u{a0}' | '\u{2009}' | '\u{202f}'));
    let is_minus = |c: Option<char>| matches!(c, Some('-' | '\u{2212}'));
    let is_sign = |c: Option<char>| matches!(c, Some('$' | '€' | '£' | '¥'));
    let number = text[piece.clone()].trim();
    let (mut before, mut after) = (text[..piece.start].chars().rev(), text[piece.end..].chars());
    let (before, after) = ([before.next(), before.next()], [after.next(), after.next()]);
    let begins_with_digit = is_digit(text[piece.clone()].chars().next());
    let ends_with_digit = is_digit(text[piece].chars().next_back());
    let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let goes_on_before = is_digit(before[0])
        || (is_separator(before[0]) && is_digit(before[1]))
        || (is_minus(before[0]) && !is_of_word(before[1]))
        || (is_sign(before[0]) && is_minus(before[1]))
        || (before[0] == Some('.') && !is_of_word(before[1]));
    let goes_on_after = is_digit(after[0]) || (is_separator(after[0]) && is_digit(after[1]));
    let goes_on = (begins_with_digit && goes_on_before) || (ends_with_digit && (goes_on_after || is_multiplied));
    goes_on && is_number(number)
}

/// Whether a text is the code of a currency that people pay with.
fn is_currency(text: &str) -> bool {
    const CODES: &str = "AED ARS AUD BGN BRL BTC CAD CHF CLP CNY COP CZK DKK EGP ETH EUR GBP HKD HUF IDR ILS INR JPY KES \
                         KRW KZT MXN MYR NGN NOK NZD PEN PHP PKR PLN RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD USDC \
                         USDT VND ZAR";
    (3..=4).contains(&text.len()) && CODES.split_ascii_whitespace().any(|code| code == text)
}

/// Whether a text is a number, whoever wrote it.
pub(super) fn is_number(text: &str) -> bool {
    if text.len() > amount::LONGEST || !text.contains(|c: char| c.is_numeric()) {
        return false;
    }
    meter::spend(1 + text.len() / 16);
    amount::read(text).is_ok()
}
