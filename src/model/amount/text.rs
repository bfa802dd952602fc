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

mod words;

use rust_decimal::Decimal;

pub(crate) use self::words::{Word, word, words};
use super::currency::Currency;
use super::exact;

/// Longest text that can be an amount, in bytes, and longest number; reading takes time.
pub(crate) const LONGEST: usize = 100;

const EXCHANGED: &str =
    "the separator before three digits was taken away or exchanged, which makes another number of it in this currency";
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
    // It is not seen within words, but old programs write a minus so.
    if text.contains('\u{ad}') {
        return Err("it holds a soft hyphen, which may be a minus");
    }
    let text = fold(text);
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty");
    }
    let start = number_start(text, 0).ok_or("it holds no number")?;
    // The full stop of `Ksh.500` belongs to the word.
    let is_of_word = text[start..].starts_with('.') && text[..start].ends_with(char::is_alphabetic);
    let start = start + usize::from(is_of_word);
    let end = number_end(text, start);
    if text[end..].contains(|c: char| c.is_ascii_digit()) {
        return Err(NOT_A_NUMBER);
    }
    let before = words(&text[..start]).ok_or(NOT_A_NUMBER)?;
    let behind = match text[end..].trim() {
        "Dr" | "Dr." | "DR." => "DR",
        behind => behind,
    };
    let after = words(behind).ok_or("what stands behind its number is neither a currency nor a known unit")?;
    let known = currency.and_then(self::currency);
    assemble(&before, &text[start..end], &after, known)
}

/// What is in doubt of a text that is read as a number, as long as the currency of the balance is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A comma before three digits separates thousands, but is a decimal sign in some currencies.
    Comma,
    /// A full stop before three digits is a decimal sign, but separates thousands in some currencies.
    Point,
    /// It was cut out beside the name of a currency, which may be another one.
    Beside(Currency),
    /// A word behind it says that it counts something, such as messages.
    Counted,
    /// The page's author has taken away what stood before three digits, or has put another separator in its place.
    Exchanged(char, Option<char>),
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

    /// The doubt that is left where the one separator of a number was taken away, or exchanged, so that it may be another number.
    pub(crate) fn of_exchange(standing: &str, written: &str) -> Option<Doubt> {
        let separators = |text: &str| -> Vec<char> { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
        let groups: Vec<&str> = standing.split(|c: char| !c.is_ascii_digit()).collect();
        match (separators(standing).as_slice(), separators(written).as_slice()) {
            // A comma before three digits is taken away by whoever reads it as the program does.
            (['.'], []) if is_grouped(&groups) => Some(Doubt::Exchanged('.', None)),
            ([from @ ('.' | ',')], [to @ ('.' | ',')]) if is_grouped(&groups) && from != to => {
                Some(Doubt::Exchanged(*from, Some(*to)))
            }
            _ => None,
        }
    }

    /// What is said of it where the currency is known; nothing if the currency settles it.
    pub(crate) fn in_currency(self, currency: &str) -> Option<&'static str> {
        let number = match self {
            Doubt::Comma => "1,234",
            Doubt::Point => "1.234",
            Doubt::Beside(beside) => {
                return (!beside.may_be(currency)).then_some("the number stands beside the name of another currency");
            }
            Doubt::Counted => {
                let is_money = self::currency(currency).is_some_and(|currency| currency.is_money());
                return is_money.then_some("a word behind it says that it counts something, and no money");
            }
            Doubt::Exchanged(from, to) => {
                let to = to.map_or(String::new(), String::from);
                let read = |separator: &str| read_in(&format!("1{separator}234"), Some(currency)).ok();
                // In a currency without decimals a full stop before three digits parts thousands, if anything.
                let is_whole = self::currency(currency).is_some_and(|currency| currency.is_whole());
                let is_other = match (read(from.encode_utf8(&mut [0; 4])), read(&to)) {
                    (Some(one), Some(other)) => one.value != other.value,
                    _ => false,
                };
                return (is_other && !is_whole).then_some(EXCHANGED);
            }
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
    !text.is_ascii() && text.contains(['\u{202d}', '\u{202e}'])
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
    let is_behind = after.iter().any(|word| matches!(word, Word::Currency(_)));
    let mut value = digits(number, custom.as_ref(), known.as_ref(), is_behind)?;
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
/// `is_behind` says that its name stands behind them.
fn digits(
    number: &str,
    currency: Option<&Currency>,
    known: Option<&Currency>,
    is_behind: bool,
) -> Result<Decimal, &'static str> {
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
                // Whoever writes the name beside it writes for people: `Rp 12.345`.
                return if currency.is_some_and(Currency::has_no_decimals) {
                    exact::read(&groups.concat())
                } else {
                    Err(AMBIGUOUS)
                };
            }
            (whole.to_owned(), fraction)
        }
        [Separator::Comma]
            if is_grouped(&groups) && currency.or(known).is_some_and(Currency::may_have_decimal_comma) =>
        {
            return Err(AMBIGUOUS);
        }
        [Separator::Comma] if is_grouped(&groups) => (groups.concat(), ""),
        // Whoever writes the currency behind it (`12,50 $`) writes a decimal comma, and no thousands have two digits.
        [Separator::Comma] if groups[1].len() == 2 && is_behind && currency.is_some_and(Currency::is_money) => {
            (groups[0].to_owned(), groups[1])
        }
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

#[cfg(test)]
mod tests;
