//! The one reader of amounts in text. It knows how numbers are grouped, what stands before and behind them, and refuses what
//! can be read in two ways.
//!
//! - A full stop is the decimal sign. Alone before exactly three digits it may separate thousands, so it is refused where the
//!   text names a currency that is not known to be written with a point only (`1.234 EUR`), or a sign that may stand for one (`$1.234`).
//! - A comma before groups of exactly three digits separates thousands. As a decimal sign it is read where thousands are
//!   separated otherwise (`1 234,56`) or the currency is written so (`€12,50`); elsewhere it is refused (`12,50`), and so is a
//!   single one before exactly three digits where it may be either (`€12,500`).
//! - Blanks and apostrophes separate thousands. Indian groups (`1,23,456.00`) are read with decimals or rupees.
//! - `k`, `K`, `M`, 千, 万, 百万, 亿 and the like multiply; cents, 分 and 角 divide. `m` may be milli or million and is refused, as
//!   is every other word.
//! - A minus stands before the number or the sign. `DR` is one, too, `CR` is none. Parentheses may be a minus or not, and are refused.

use rust_decimal::Decimal;

use super::currency::{ABBREVIATIONS, CJK, Currency, MINOR, SIGNS, minor_of_letters, of_letters};
use super::exact;

/// Longest text that can be an amount, in bytes, and longest number; reading takes time.
pub(crate) const LONGEST: usize = 100;

const NOT_A_NUMBER: &str = "it is not a number";

/// An amount that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money {
    /// How much.
    pub value: Decimal,
    /// Of what, if the text names a currency.
    pub currency: Option<Currency>,
    /// Whether the text is nothing but a number.
    pub is_plain: bool,
}

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

/// Reads an amount from a text that is nothing else.
///
/// # Errors
/// What is wrong with the text, without the text itself.
pub(crate) fn read(text: &str) -> Result<Money, &'static str> {
    read_in(text, None)
}

/// As [`read`], where the currency is known that a sign of several countries must stand for: `$1.234` is another number in
/// Chile than in Canada.
///
/// # Errors
/// What is wrong with the text, without the text itself.
pub(crate) fn read_in(text: &str, currency: Option<&str>) -> Result<Money, &'static str> {
    if text.len() > LONGEST {
        return Err("it is too long for a number");
    }
    if is_turned(text) {
        return Err("it turns the order in which its characters are shown");
    }
    let text = fold(text);
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty");
    }
    let start = number_start(text, 0).ok_or("it holds no number")?;
    let end = number_end(text, start);
    if text[end..].contains(|c: char| c.is_ascii_digit()) {
        return Err(NOT_A_NUMBER);
    }
    let before = words(&text[..start]).ok_or(NOT_A_NUMBER)?;
    let after = words(&text[end..]).ok_or("what stands behind its number is neither a currency nor a known unit")?;
    let known = currency.and_then(self::currency);
    assemble(&before, &text[start..end], &after, known)
}

/// What one separator of a text may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A comma before three digits separates thousands, but is a decimal sign in some currencies.
    Comma,
    /// A full stop before three digits is a decimal sign, but separates thousands in some currencies.
    Point,
}

impl Doubt {
    /// The doubt that a number leaves as long as its currency is not known, if it leaves one.
    pub(crate) fn of(text: &str) -> Option<Doubt> {
        let text = fold(text);
        let number = text.trim().trim_start_matches(['+', '-', '\u{2212}']).trim_start();
        [(',', Doubt::Comma), ('.', Doubt::Point)].into_iter().find_map(|(separator, doubt)| {
            let groups: Vec<&str> = number.split(separator).collect();
            let is_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
            (groups.len() == 2 && groups.iter().all(is_digits) && is_grouped(&groups)).then_some(doubt)
        })
    }

    /// What is said of it where the currency is known; nothing if the currency settles it.
    pub(crate) fn in_currency(self, currency: &str) -> Option<&'static str> {
        let number = match self {
            Doubt::Comma => "1,234",
            Doubt::Point => "1.234",
        };
        read_in(number, Some(currency)).err()
    }
}

/// The currency that a text names, if it is nothing else.
pub(super) fn currency(text: &str) -> Option<Currency> {
    match words(&fold(text))?.as_slice() {
        [Word::Currency(currency)] => Some(*currency),
        _ => None,
    }
}

/// Brings different ways to write the same together: full-width forms, and characters that nobody sees.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .filter(|c| {
            !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        })
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{ffe0}' => '¢',
            '\u{ffe1}' => '£',
            '\u{ffe5}' => '¥',
            '\u{ffe6}' => '₩',
            '\u{3000}' => ' ',
            c => c,
        })
        .collect()
}

/// Whether characters of a text are shown in another order than they stand in: nobody knows what a reader sees there.
pub(crate) fn is_turned(text: &str) -> bool {
    text.contains(['\u{202d}', '\u{202e}'])
}

/// Where the next number begins: a digit, or a decimal point before one.
pub(crate) fn number_start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let digit = (from..bytes.len()).find(|at| bytes[*at].is_ascii_digit())?;
    let is_point = digit > from && bytes[digit - 1] == b'.';
    Some(if is_point { digit - 1 } else { digit })
}

/// Where it ends: separators belong to it as far as a digit follows. It ends, too, where it is too long for a number.
pub(crate) fn number_end(text: &str, start: usize) -> usize {
    let mut end = start;
    let mut rest = text[start..].chars();
    while let Some(c) = rest.next() {
        let is_part = c.is_ascii_digit()
            || (Separator::of(c).is_some() && rest.as_str().starts_with(|c: char| c.is_ascii_digit()));
        if !is_part || end - start > LONGEST {
            break;
        }
        end = text.len() - rest.as_str().len();
    }
    end
}

/// What can stand between digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Point,
    Comma,
    Blank,
    Apostrophe,
}

impl Separator {
    fn of(c: char) -> Option<Separator> {
        match c {
            '.' => Some(Separator::Point),
            ',' => Some(Separator::Comma),
            ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' => Some(Separator::Blank),
            '\'' | '\u{2019}' => Some(Separator::Apostrophe),
            _ => None,
        }
    }
}

/// Puts number and words together. A `known` currency decides what a shared sign stands for.
///
/// # Errors
/// What does not fit.
pub(crate) fn assemble(
    before: &[Word],
    number: &str,
    after: &[Word],
    known: Option<Currency>,
) -> Result<Money, &'static str> {
    let mut minus: Option<bool> = None;
    let mut names: Vec<Currency> = Vec::new();
    let mut factor: Option<Decimal> = None;
    let mut sign = |is_minus: bool| match minus.replace(is_minus) {
        Some(_) => Err("it has two signs"),
        None => Ok(()),
    };
    for word in before {
        match word {
            Word::Sign { is_minus } => sign(*is_minus)?,
            Word::Side { is_debit } => sign(*is_debit)?,
            Word::Currency(named) => names.push(*named),
            Word::Times(_) | Word::Part(..) => return Err(NOT_A_NUMBER),
        }
    }
    for (place, word) in after.iter().enumerate() {
        match word {
            Word::Sign { .. } => return Err("a sign stands behind its number"),
            Word::Side { is_debit } if place + 1 == after.len() => sign(*is_debit)?,
            Word::Side { .. } => return Err(NOT_A_NUMBER),
            Word::Currency(named) => names.push(*named),
            Word::Times(times) if place == 0 => factor = Some(*times),
            Word::Part(part, of) if place == 0 && !before.iter().any(|word| matches!(word, Word::Currency(_))) => {
                factor = Some(*part);
                names.push(*of);
            }
            Word::Times(_) | Word::Part(..) => return Err("it has two units"),
        }
    }
    let currency = Currency::of_text(&names)?;
    let side = before.iter().chain(after).find(|word| matches!(word, Word::Side { .. }));
    // `CR` is a crore as well.
    if side == Some(&Word::Side { is_debit: false })
        && [currency, known].into_iter().flatten().any(|currency| currency.has_indian_groups())
    {
        return Err("its unit is ambiguous");
    }
    let custom = currency.map(|currency| known.and_then(|known| currency.meet(&known)).unwrap_or(currency));
    let mut value = digits(number, custom.as_ref(), known.as_ref())?;
    if let Some(factor) = factor {
        let is_in_range = value.checked_mul(factor).is_some();
        let why = if is_in_range { exact::TOO_MANY_DIGITS } else { exact::OUT_OF_RANGE };
        value = exact::product(value, factor).ok_or(why)?;
    }
    if minus == Some(true) {
        value = -value;
    }
    Ok(Money { value, currency, is_plain: currency.is_none() && factor.is_none() && side.is_none() })
}

/// The value of digits with separators between them, in the currency that the text names, else in the `known` one.
fn digits(number: &str, currency: Option<&Currency>, known: Option<&Currency>) -> Result<Decimal, &'static str> {
    const NO_GROUPS: &str = "its separators are not thousands separators";
    const AMBIGUOUS: &str = "its separator may be a decimal sign or part thousands";
    if number.len() > LONGEST {
        return Err("it is too long for a number");
    }
    let separators: Vec<Separator> = number.chars().filter_map(Separator::of).collect();
    let groups: Vec<&str> = number.split(|c| Separator::of(c).is_some()).collect();
    let has = |what: fn(&Currency) -> bool| currency.or(known).is_some_and(what);
    let (whole, fraction) = match separators.as_slice() {
        [] => (groups.concat(), ""),
        [Separator::Point] => {
            let (whole, fraction) = (groups[0], groups[1]);
            let is_ambiguous = currency.or(known).is_some_and(Currency::may_have_dot_groups);
            if fraction.len() == 3 && is_grouped(&groups) && is_ambiguous {
                return Err(AMBIGUOUS);
            }
            (whole.to_owned(), fraction)
        }
        [Separator::Comma]
            if is_grouped(&groups) && currency.or(known).is_some_and(Currency::may_have_decimal_comma) =>
        {
            return Err(AMBIGUOUS);
        }
        [Separator::Comma] if is_grouped(&groups) => (groups.concat(), ""),
        [Separator::Comma] if (1..=2).contains(&groups[1].len()) && has(Currency::has_decimal_comma) => {
            (groups[0].to_owned(), groups[1])
        }
        [kind, rest @ ..] if rest.iter().all(|other| other == kind) => {
            let is_sound = match kind {
                Separator::Point => is_grouped(&groups) && has(Currency::has_dot_groups),
                Separator::Comma => {
                    is_grouped(&groups) || (is_grouped_as_in_india(&groups) && has(Currency::has_indian_groups))
                }
                Separator::Blank | Separator::Apostrophe => is_grouped(&groups),
            };
            if !is_sound {
                return Err(NO_GROUPS);
            }
            (groups.concat(), "")
        }
        [kind, middle @ .., last] if middle.iter().all(|other| other == kind) => {
            let (fraction, groups) = groups.split_last().unwrap_or((&"", &[]));
            let is_sound = match (kind, last) {
                (Separator::Comma, Separator::Point) => is_grouped(groups) || is_grouped_as_in_india(groups),
                (Separator::Point, Separator::Comma) => {
                    is_grouped(groups) && (1..=2).contains(&fraction.len()) && has(Currency::has_decimal_comma)
                }
                (Separator::Blank | Separator::Apostrophe, Separator::Point) => is_grouped(groups),
                (Separator::Blank | Separator::Apostrophe, Separator::Comma) => {
                    is_grouped(groups) && (1..=2).contains(&fraction.len())
                }
                _ => false,
            };
            if !is_sound {
                return Err(NO_GROUPS);
            }
            (groups.concat(), *fraction)
        }
        _ => return Err(NO_GROUPS),
    };
    let whole = if whole.is_empty() { "0" } else { &whole };
    let plain = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    exact::read(&plain)
}

/// Groups of three digits, the first one shorter or not, and not beginning with a zero.
fn is_grouped(groups: &[&str]) -> bool {
    let Some((lead, rest)) = groups.split_first() else {
        return false;
    };
    (1..=3).contains(&lead.len()) && !lead.starts_with('0') && rest.iter().all(|group| group.len() == 3)
}

/// Groups of two digits before the last one of three: lakhs and crores.
fn is_grouped_as_in_india(groups: &[&str]) -> bool {
    match groups {
        [lead, middle @ .., last] if !middle.is_empty() => {
            (1..=2).contains(&lead.len())
                && !lead.starts_with('0')
                && middle.iter().all(|group| group.len() == 2)
                && last.len() == 3
        }
        _ => false,
    }
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
    if let Some((currency, length)) = longest(&SIGNS).filter(|(_, length)| *length >= run) {
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
    if let Some((currency, length)) = longest(&CJK) {
        return Some((Word::Currency(currency.in_cjk()), length));
    }
    if let Some((name, part, currency)) = MINOR.iter().find(|(name, ..)| text.starts_with(name)) {
        return Some((Word::Part(part.parse().ok()?, *currency), name.len()));
    }
    multiplier(text)
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
    c.is_alphabetic() && c < '\u{2E80}' && c != 'Ξ'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/amounts/services.tsv` says how it is to be read.
    #[test]
    fn texts_of_services_are_read_or_refused_never_guessed() {
        let table = include_str!("../../../tests/amounts/services.tsv");
        let mut wrong = Vec::new();
        let mut rows = 0;
        for row in table.lines().filter(|line| !line.starts_with('#')) {
            let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
            let currency = if value == "-" { "" } else { currency };
            let got = read(text);
            let shown = match &got {
                Ok(money) => {
                    let code = money.currency.map_or("-".to_owned(), |currency| {
                        currency.code().map_or_else(|| format!("{}?", currency.usual().unwrap()), str::to_owned)
                    });
                    (money.value.normalize().to_string(), code)
                }
                Err(_) => ("-".to_owned(), String::new()),
            };
            let value =
                value.parse::<Decimal>().map_or_else(|_| value.to_owned(), |value| value.normalize().to_string());
            if shown != (value.clone(), currency.to_owned()) {
                wrong.push(format!("{text:?}: wanted {value} {currency}, got {got:?}"));
            }
            rows += 1;
        }
        assert!(rows > 140, "{rows}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_word_of_up_to_five_letters_is_a_name_or_refused() {
        for word in
            ["left", "Error", "Code", "HTTP", "in", "at", "GB", "ms", "m", "b", "B", "T", "G", "x", "max", "vor"]
        {
            for text in [format!("5 {word}"), format!("5{word}"), format!("{word} 5"), format!("{word}5")] {
                assert!(read(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn a_shared_sign_is_read_as_the_known_currency_is_written() {
        for (text, currency, want) in [
            ("$1.234", Some("USD"), Some("1.234")),
            ("$1.234", None, None),
            ("$0.123", None, Some("0.123")),
            ("$1,234", None, Some("1234")),
            ("$1,234", Some("CLP"), None),
            ("kr 1.234", None, None),
            ("kr 1.234", Some("SEK"), None),
            ("kr 1,234", None, None),
            ("kr 12,50", None, Some("12.50")),
            ("12,500", Some("EUR"), None),
            ("12,500", Some("USD"), Some("12500")),
            ("5 CR", Some("INR"), None),
            ("5 CR", Some("BDT"), None),
            ("5 CR", Some("USD"), Some("5")),
            ("5 CR", None, Some("5")),
            ("5 DR", Some("INR"), Some("-5")),
            ("$1.234", Some("CLP"), None),
            ("$1.234.567", Some("CLP"), Some("1234567")),
            ("$1.234,50", Some("ARS"), Some("1234.50")),
            ("$1.234,50", Some("USD"), None),
            ("1.234", Some("CLP"), None),
            ("1.234,50", Some("EUR"), Some("1234.50")),
            ("12,50", Some("EUR"), Some("12.50")),
            ("1.234.567", Some("BRL"), Some("1234567")),
            ("12,5", Some("PLN"), Some("12.5")),
            ("12,50", Some("USD"), None),
            ("1.234,50", None, None),
            ("1.234,50", Some("USD"), None),
            ("$5", Some("EUR"), Some("5")),
            ("1,234 TND", None, None),
            ("1.234 TND", None, None),
            ("1,234", Some("ZAR"), None),
            ("1,234 MAD", None, None),
            ("1,234 XOF", None, None),
            ("1,234 BOB", None, None),
            ("1,234 GEL", None, None),
            ("1,234 MKD", None, None),
            ("1,234 UZS", None, None),
            ("1,234,567 UZS", None, Some("1234567")),
            ("1,234 GBP", None, Some("1234")),
            ("1,234 KES", None, Some("1234")),
            ("1,234 credits", None, Some("1234")),
            ("1,234 USDT", None, Some("1234")),
            ("1.234 KWD", None, Some("1.234")),
            ("500 分 JPY", None, None),
            ("5 角 USD", None, None),
            ("€5元", None, None),
            ("USD 5元", None, None),
            ("5 元 EUR", None, None),
            ("¥ 5 元 JPY", None, None),
            ("¥ 5 元", None, Some("5")),
            ("美金 20 元", None, Some("20")),
            ("港币 500 元", None, Some("500")),
        ] {
            let got = read_in(text, currency).ok().map(|money| money.value.to_string());
            assert_eq!(got.as_deref(), want, "{text} {currency:?}");
        }
    }

    #[test]
    fn a_megabyte_of_digits_is_not_read() {
        for text in ["9".repeat(1 << 20), "1,".repeat(1 << 19), "(".repeat(1 << 20), "$".repeat(1 << 20)] {
            assert!(read(&text).is_err());
        }
    }
}
