//! A number of a text with the words that belong to it: currencies, signs and scales before and behind it.

use std::ops::Range;

use super::super::currency_signs::{Customs, NO_MONEY};
use super::super::html::CUT;
use super::super::phrases::{BLANKS, Finder, is_latin};
use super::{Amount, rest};
use crate::model::amount::{self, Currency, Word};

/// So far before a number its currency may begin, in bytes.
const MOST_BEFORE: usize = 24;
/// Most words that belong to a number behind it.
const MOST_AFTER: usize = 4;

/// A number with the words that belong to it.
#[derive(Debug)]
pub(super) struct Number<'a> {
    text: &'a str,
    /// Where the words before it, the number, the words behind it begin, and where these end.
    pub(super) before_at: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) after_at: usize,
    before: Vec<Word>,
    after: Vec<Word>,
}

impl<'a> Number<'a> {
    /// The number at a place. What stands before `taken` belongs to another one.
    pub(super) fn at(text: &'a str, start: usize, taken: usize) -> Number<'a> {
        let end = number_end(text, start);
        let near = text.ceil_char_boundary(start.saturating_sub(MOST_BEFORE));
        let line = text[near..start].rfind('\n').map_or(near, |at| near + at + 1);
        let (before, before_at) = words_before(text, taken.max(line), start);
        let (after, mut after_at) = words_after(text, end);
        // Rupees are written so: `Rs. 500/-`.
        if text[after_at..].starts_with("/-") {
            after_at += 2;
        }
        Number { text, before_at, start, end, after_at, before, after }
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.before_at..self.after_at
    }

    fn digits(&self) -> &'a str {
        &self.text[self.start..self.end]
    }

    /// Whether a currency stands beside it that is money.
    pub(super) fn has_currency(&self) -> bool {
        self.words().any(|word| matches!(word, Word::Currency(_) | Word::Part(..))) && !self.is_no_money()
    }

    /// Whether a unit stands beside it that is no money: credits, points.
    pub(super) fn is_no_money(&self) -> bool {
        self.words().any(|word| matches!(word, Word::Currency(unit) if NO_MONEY.contains(&unit.label())))
    }

    /// Whether nothing stands beside it but a sign or a scale.
    pub(super) fn is_bare(&self) -> bool {
        !self.words().any(|word| matches!(word, Word::Currency(_) | Word::Part(..)))
    }

    pub(super) fn is_negative(&self) -> bool {
        self.before.iter().any(|word| matches!(word, Word::Sign { is_minus: true }))
    }

    /// Whether a currency stands before it.
    pub(super) fn has_currency_before(&self) -> bool {
        self.before.iter().any(|word| matches!(word, Word::Currency(_)))
    }

    fn words(&self) -> impl Iterator<Item = &Word> {
        self.before.iter().chain(&self.after)
    }

    pub(super) fn behind(&self) -> &'a str {
        &self.text[self.after_at..]
    }

    /// Whether it is a part of something that is no amount: an address, a number of an invoice, a date, a share.
    pub(super) fn is_part(&self) -> bool {
        let next = self.behind().chars().next();
        let previous = self.text[..self.before_at].chars().next_back();
        let is_joined = |c: char| is_latin(c) || "#_@/•".contains(c) || (c == '*' && !self.is_formed());
        let is_dashed = previous == Some('-') && {
            let before = self.text[..self.before_at - 1].chars().next_back();
            before.is_some_and(is_latin)
        };
        let is_time = next == Some(':') && self.behind()[1..].starts_with(|c: char| c.is_ascii_digit());
        let is_dash = next == Some('-') && self.behind()[1..].starts_with(is_latin);
        next.is_some_and(|c| "%@_".contains(c))
            || (self.is_bare() && (next.is_some_and(is_latin) || next == Some('/') || is_time || is_dash))
            || (self.is_bare() && (previous.is_some_and(is_joined) || is_dashed))
    }

    /// Whether letters before its sign make it one of another country, which is not known: `J$5`, `TT $5`.
    pub(super) fn is_foreign(&self) -> bool {
        let is_sign = self.text[self.before_at..self.start].starts_with(['$', '£', '¥']);
        let before = &self.text[..self.before_at];
        let bare = before.trim_end_matches(BLANKS);
        let word = bare.rsplit(|c: char| !is_latin(c)).next().unwrap_or_default();
        let is_code = (1..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
        is_sign
            && ((bare.len() == before.len() && !word.is_empty())
                || (is_code && bare[..bare.len() - word.len()].trim_end().ends_with(':')))
    }

    /// Its value; none if it can be read in two ways.
    pub(super) fn value(&self, manner: &Manner, customs: &Customs, sentence: &str) -> Option<Amount> {
        let is_clear = !self.is_broken()
            && !rest::goes_on(self.behind(), !self.after.is_empty())
            && self.is_whole()
            && self.is_signed_clearly()
            && self.is_apart()
            && self.is_grouped_clearly(manner);
        if !is_clear {
            return None;
        }
        let mut after = self.after.clone();
        // A table says once what its amounts are in.
        after.extend(customs.only_named().filter(|_| self.is_bare() && self.is_formed()).map(Word::Currency));
        let money = amount::assemble(&self.before, self.digits(), &after, None).ok()?;
        let is_money = self.has_currency();
        let currency = money.currency.filter(|_| is_money);
        // A sign that some dollars share is none of them where its sentence names another.
        let is_other = |currency: &Currency| currency.code().is_none() && customs.names_other_dollars(sentence);
        if currency.as_ref().is_some_and(is_other) && self.told_behind(customs, sentence).is_none() {
            return None;
        }
        let currency = currency
            .and_then(|currency| customs.code(&currency, sentence).or_else(|| self.told_behind(customs, sentence)));
        Some(Amount { value: money.value.normalize(), currency })
    }

    /// Whether it has decimals or separators.
    pub(super) fn is_formed(&self) -> bool {
        self.digits().contains(['.', ','])
    }

    /// Whether it ends with two decimals.
    pub(super) fn has_cents(&self) -> bool {
        self.digits().rfind(['.', ',']).is_some_and(|at| self.digits().len() - at == 3)
    }

    /// Whether a part of it stands before it: `1万2千`, `5:50`, what a tag has cut off, and a minus or a sign that is like one.
    fn is_broken(&self) -> bool {
        let before = &self.text[..self.before_at];
        let mut last = before.chars().rev();
        let (last, second) = (last.next(), last.next());
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let is_scale = last.is_some_and(|c| "万萬千亿億百".contains(c)) && is_digit(second);
        // The lower half of `5 1/2`.
        let is_half = last == Some('/') && is_digit(second) && self.before_at == self.start;
        let is_cut =
            last == Some(CUT) || (last == Some(':') && is_digit(second)) || is_half || self.is_end_of_another();
        let mut bare = before.chars().rev().filter(|c| !BLANKS.contains(c));
        let (sign, ahead) = (bare.next(), bare.next());
        let is_signed = sign.is_some_and(|c| "▲△▼➖".contains(c))
            || self.has_dash_of_minus()
            || (sign.is_some_and(|c| "–—−-".contains(c)) && ahead.is_some_and(|c| ":=".contains(c)));
        is_scale || is_cut || is_signed
    }

    /// Whether it is the end of a number that begins in the line before: `10`, and in the next line `000 credits`.
    fn is_end_of_another(&self) -> bool {
        let digits = self.digits();
        let first = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if digits.starts_with('0') && first > 1 {
            return true;
        }
        let before = self.text[..self.start].trim_end_matches(BLANKS);
        let Some(line) = before.strip_suffix('\n').filter(|_| first == 3) else {
            return false;
        };
        let line = line.trim_end_matches([' ', '\u{A0}', ',', '.', '\'']);
        let group = line.len() - line.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        (1..=3).contains(&group)
    }

    /// Whether a dash is written before it as a minus is: right before it, and behind a blank, a colon or the like.
    fn has_dash_of_minus(&self) -> bool {
        let mut before = self.text[..self.before_at].chars().rev();
        before.next().is_some_and(|c| "\u{2010}\u{2011}\u{2012}–—―﹣－".contains(c))
            && before.next().is_none_or(|c| c.is_whitespace() || ":=(为為是".contains(c))
    }

    /// The currency that stands behind it apart from it: in parentheses before other words, as in `¥9,450 (JPY, incl. tax)`, or
    /// alone in the next cell of a table.
    fn told_behind(&self, customs: &Customs, sentence: &str) -> Option<&'static str> {
        let cell = self.behind().strip_prefix('\t').and_then(|row| row.split(['\t', '\n']).next()).map(str::trim);
        if let Some((Word::Currency(told), length)) = cell.and_then(amount::word)
            && cell.is_some_and(|cell| cell.len() == length)
        {
            let own = self.words().find_map(|word| match word {
                Word::Currency(own) => Some(own),
                _ => None,
            });
            return own.map_or(Some(told), |own| own.meet(&told)).and_then(|both| customs.code(&both, sentence));
        }
        let inside = self.behind().trim_start_matches(BLANKS).strip_prefix('(')?.trim_start();
        match amount::word(inside)? {
            (Word::Currency(currency), _) => customs.code(&currency, sentence),
            _ => None,
        }
    }

    /// Whether it is all of its number: `5:50`, `1,` with `234.50` in the next line, and `500分`, which are points as well, are not.
    fn is_whole(&self) -> bool {
        let next = self.text[self.end..].trim_start_matches(BLANKS);
        if next.starts_with('分') && !next.starts_with("分钟") && !next.starts_with("分鐘") {
            return false;
        }
        let behind = self.behind();
        let has_decimals = self.digits().rfind(['.', ',']).is_some_and(|at| self.digits().len() - at - 1 < 3);
        if !self.after.is_empty() || has_decimals {
            return true;
        }
        let rest = behind.trim_start_matches(['.', ',', '\'', ' ', '\u{A0}', '\n', '\t', CUT]);
        let gap = &behind[..behind.len() - rest.len()];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // `$5` in one block and `.25` or `25` in the next one may be one amount, or two.
        let is_apart = !gap.contains(['.', ',', '\'', '\n', '\t', CUT]);
        gap.is_empty() || digits == 0 || (digits != 3 && is_apart)
    }

    /// Whether a separator before three digits can only part thousands: it is the decimal sign in other countries.
    fn is_grouped_clearly(&self, manner: &Manner) -> bool {
        let digits = self.digits();
        let mut separators = digits.match_indices(['.', ',']);
        let (Some((at, separator)), None) = (separators.next(), separators.next()) else {
            return true;
        };
        if digits.len() - at != 4 || digits.starts_with('0') || digits.contains([' ', '\'', '’']) {
            return true;
        }
        // English texts write `€1,234`; behind a number the euro is written by others.
        let before = &self.text[self.before_at..self.start];
        let is_english = before.contains('€') || before.contains("EUR");
        let has_decimal_comma = || amount::assemble(&self.before, "1,2", &self.after, None).is_ok();
        separator == "," && !manner.has_decimal_comma && (is_english || !has_decimal_comma())
    }

    /// A dash before it is a minus, and none that parts words or numbers. With a plus it may be what has been paid in.
    fn is_signed_clearly(&self) -> bool {
        let words = &self.text[self.before_at..self.start];
        let Some((at, sign)) = words.char_indices().find(|(_, c)| matches!(c, '-' | '\u{2212}' | '+')) else {
            return true;
        };
        let at = self.before_at + at;
        let previous = self.text[..at].chars().next_back();
        let next = self.text[at + sign.len_utf8()..].chars().next();
        let begins = previous.is_none_or(|c| c.is_whitespace() || ":=(为為是$¥€£".contains(c));
        begins && sign != '+' && !next.is_some_and(char::is_whitespace)
    }

    /// Blanks part thousands only where no other number can stand before it: `on 25 100 USD`.
    fn is_apart(&self) -> bool {
        !self.digits().contains([' ', '\u{A0}'])
            || self.before.iter().any(|word| matches!(word, Word::Currency(_)))
            || self.has_currency()
    }
}

/// What a mail as a whole says of how its numbers are written.
pub(super) struct Manner {
    /// It is in a language in which a comma is the decimal sign.
    pub(super) has_decimal_comma: bool,
}

/// Words of languages in which a comma is the decimal sign.
const DECIMAL_COMMA: [&str; 21] = [
    "guthaben",
    "kontostand",
    "betrag",
    "rechnung",
    "saldo",
    "solde",
    "montant",
    "facture",
    "importe",
    "factura",
    "fattura",
    "faktura",
    "баланс",
    "остаток",
    "сумма",
    "bakiye",
    "tutar",
    "konto",
    "compte",
    "cuenta",
    "conta",
];

impl Manner {
    pub(super) fn of(low: &str) -> Manner {
        static FINDER: Finder = Finder::anywhere(&DECIMAL_COMMA);
        Manner { has_decimal_comma: FINDER.is_in(low) }
    }
}

/// As the reader's, except that a blank belongs to a number only before a group of exactly three digits.
fn number_end(text: &str, start: usize) -> usize {
    let end = amount::number_end(text, start);
    let number = &text[start..end];
    let Some(mut blank) = number.find(' ') else {
        return end;
    };
    if !(1..=3).contains(&blank) {
        return start + blank;
    }
    loop {
        let group = &number[blank + 1..];
        let length = group.find(|c: char| !c.is_ascii_digit()).unwrap_or(group.len());
        if length != 3 {
            return start + blank;
        }
        let after = blank + 1 + length;
        match number[after..].chars().next() {
            Some(' ') => blank = after,
            None => return end,
            // The decimals; a blank behind them belongs to another number.
            Some(_) => return start + number[after..].find(' ').map_or(number.len(), |at| after + at),
        }
    }
}

/// The words that end at a number, as many as there are, and where they begin.
fn words_before(text: &str, from: usize, end: usize) -> (Vec<Word>, usize) {
    let from = text.ceil_char_boundary(from);
    let mut previous = text[..from].chars().next_back();
    for (at, c) in text[from..end].char_indices() {
        let is_inside = is_latin(c) && previous.is_some_and(is_latin);
        let is_begin = !is_inside && !c.is_whitespace();
        previous = Some(c);
        let words = if is_begin { amount::words(&text[from + at..end]) } else { None };
        // Scales and parts stand behind a number; before one they are words, or belong to another.
        let words = words.filter(|words| !words.iter().any(|word| matches!(word, Word::Times(_) | Word::Part(..))));
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            return (words, from + at);
        }
    }
    (Vec::new(), end)
}

/// The words that begin behind a number, at most one blank between them, and where they end.
fn words_after(text: &str, start: usize) -> (Vec<Word>, usize) {
    let (mut words, mut end) = (Vec::new(), start);
    while words.len() < MOST_AFTER {
        let rest = &text[end..];
        let blank = rest.chars().next().filter(|c| matches!(c, ' ' | '\u{A0}')).map_or(0, char::len_utf8);
        let Some((word, length)) = amount::word(&rest[blank..]) else {
            break;
        };
        let behind = &rest[blank + length..];
        // `5 $10` are two numbers, and a minute is no hundredth.
        let is_next = blank > 0 && behind.starts_with(|c: char| c.is_ascii_digit());
        if matches!(word, Word::Sign { .. }) || is_next || behind.starts_with(['钟', '鐘']) {
            break;
        }
        words.push(word);
        end += blank + length;
    }
    (words, end)
}
