//! The words and signs beside a number: what each means.

use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::model::amount::currency::{ABBREVIATIONS, CJK, Currency, MINOR, SIGNS, minor_of_letters, of_letters};

/// A word or sign beside a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Word {
    /// A minus, or else a plus.
    Sign { is_minus: bool },
    /// A currency or another unit of account.
    Currency(Currency),
    /// Thousands, millions and the like.
    Times(Decimal),
    /// A part of a currency, for example cents.
    Part(Decimal, Currency),
    /// The side of an account: a debit is owed.
    Side { is_debit: bool },
}

/// The words and signs of a text; none if it holds anything else.
pub(crate) fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, length) = word(rest)?;
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Some(words)
}

/// The word or sign that a text begins with, and its length. Of several, the longest.
pub(crate) fn word(text: &str) -> Option<(Word, usize)> {
    let first = text.chars().next()?;
    match first {
        '-' | '\u{2212}' => return Some((Word::Sign { is_minus: true }, first.len_utf8())),
        '+' => return Some((Word::Sign { is_minus: false }, 1)),
        '(' => {
            // A currency in parentheses: `1,000 (JPY)`.
            let near = &text[1..text.floor_char_boundary(14)];
            let inside = near.split_once(')').map(|(inside, _)| inside)?;
            return currency_alone(inside).map(|currency| (Word::Currency(currency), inside.len() + 2));
        }
        _ => {}
    }
    let fits = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    // `$US` is not the beginning of `$USD`.
    let is_whole = |name: &str| !name.ends_with(is_letter) || !text[name.len()..].starts_with(is_letter);
    let longest = |list: &[(&str, Currency)]| {
        let fitting = list.iter().filter(|(name, _)| fits(name) && is_whole(name));
        fitting.max_by_key(|(name, _)| name.len()).map(|(name, currency)| (*currency, name.len()))
    };
    let run = text.find(|c: char| !is_letter(c)).unwrap_or(text.len());
    // Most words of a mail name no currency, and the first character tells.
    let may_be_name = begins_name(first);
    // Of signs with letters, these are followed by another character, or are no plain ones.
    let may_have_blank = || fits("US dollar") || fits("F CFA");
    let may_be_sign = may_be_name
        && (run == 0
            || text[run..].starts_with(['$', '¥', '£', '₵', '.', '/', '\''])
            || !text[..run].is_ascii()
            || may_have_blank());
    if let Some((currency, length)) =
        may_be_sign.then(|| longest(&SIGNS)).flatten().filter(|(_, length)| *length >= run)
    {
        return Some((Word::Currency(currency), length));
    }
    if run > 0 {
        let letters = &text[..run];
        let known = match letters {
            "k" | "K" | "thousand" => Some(Word::Times(Decimal::ONE_THOUSAND)),
            "M" | "million" => Some(Word::Times(Decimal::from(1_000_000))),
            "CR" => Some(Word::Side { is_debit: false }),
            "DR" => Some(Word::Side { is_debit: true }),
            _ => minor_of_letters(letters)
                .map(|currency| Word::Part(Decimal::new(1, 2), currency))
                .or_else(|| of_letters(letters).map(Word::Currency)),
        };
        let is_short = ABBREVIATIONS.contains(&letters) && text[run..].starts_with('.');
        return known.map(|word| (word, run + usize::from(is_short)));
    }
    if !may_be_name {
        return multiplier(text);
    }
    if let Some((currency, length)) = longest(&CJK) {
        return Some((Word::Currency(currency.in_cjk()), length));
    }
    if let Some((name, part, currency)) = MINOR.iter().find(|(name, ..)| text.starts_with(name)) {
        return Some((Word::Part(part.parse().ok()?, *currency), name.len()));
    }
    multiplier(text)
}

/// Whether a sign, a currency in Chinese or a part of one begins with a character.
fn begins_name(first: char) -> bool {
    static FIRST: LazyLock<Vec<char>> = LazyLock::new(|| {
        let names = SIGNS.iter().chain(&CJK).map(|(name, _)| *name).chain(MINOR.iter().map(|(name, ..)| *name));
        let mut first: Vec<char> =
            names.filter_map(|name| name.chars().next()).map(|c| c.to_ascii_lowercase()).collect();
        first.sort_unstable();
        first.dedup();
        first
    });
    FIRST.binary_search(&first.to_ascii_lowercase()).is_ok()
}

/// A Chinese multiplier: 千, 万, 亿, or one of these with a smaller one before it.
fn multiplier(text: &str) -> Option<(Word, usize)> {
    let power = |c: char| match c {
        '十' => Some(1),
        '百' => Some(2),
        '千' => Some(3),
        '万' | '萬' => Some(4),
        '亿' | '億' => Some(8),
        _ => None,
    };
    let mut chars = text.chars();
    let first = chars.next()?;
    let (low, second) = (power(first)?, chars.next().and_then(|c| Some((power(c)?, c))));
    let (power, length) = match second {
        Some((high, c)) if high > low && high >= 4 => (low + high, first.len_utf8() + c.len_utf8()),
        Some(_) => return None,
        None if low >= 3 => (low, first.len_utf8()),
        None => return None,
    };
    Some((Word::Times(Decimal::from(10_u64.pow(power))), length))
}

/// A currency and nothing else.
fn currency_alone(text: &str) -> Option<Currency> {
    let text = text.trim();
    match word(text)? {
        (Word::Currency(currency), length) if length == text.len() => Some(currency),
        _ => None,
    }
}

/// A letter of a script that puts blanks between words.
fn is_letter(c: char) -> bool {
    c < '\u{2E80}' && c.is_alphabetic() && c != 'Ξ'
}
