//! What stands around a number and makes another one of it. A sign, parentheses, a word of scale and a part of a currency count also
//! where the currency stands between them and the digits.

use crate::model::amount::{self, Currency, Word};

/// So many words beside a number are looked at, of which each may be a currency.
const MOST_WORDS: usize = 4;
/// Longest name of a currency that is looked for before a number, in bytes.
const LONGEST_NAME: usize = 24;

/// What stands before a number.
#[derive(Default)]
pub(super) struct Before {
    /// Whether a minus stands there that can be nothing else.
    pub(super) is_negative: bool,
    /// Where a minus stands that may also part words.
    pub(super) doubtful: Option<usize>,
    /// Where a parenthesis opens.
    pub(super) opens: Option<usize>,
    /// Whether a character that could not be read stands there.
    pub(super) is_unread: bool,
    /// Whether a word or a sign stands there that makes another number of it: `DR 5.00`, `¢5.00`.
    pub(super) is_changed: bool,
}

/// What stands behind a number.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) is_negative: bool,
    pub(super) closes: bool,
    /// A word that makes another number of it.
    pub(super) scale: Option<String>,
    /// A word that nobody knows, where a unit would stand.
    pub(super) unknown: Option<String>,
}

/// Brings the ways to write the same together, also those of HTML.
pub(super) fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.split_once('&') {
        out.push_str(before);
        let name = found.split_once(';').map_or("", |(name, _)| name);
        match entity(name) {
            Some(c) => {
                out.push(c);
                rest = &found[name.len() + 1..];
            }
            None => {
                out.push('&');
                rest = found;
            }
        }
    }
    out.push_str(rest);
    amount::fold(&out)
}

/// The character of an entity, as far as such a one stands in or beside numbers.
fn entity(name: &str) -> Option<char> {
    if let Some(code) = name.strip_prefix('#').filter(|code| code.len() <= 8) {
        let code = match code.strip_prefix(['x', 'X']) {
            Some(code) => u32::from_str_radix(code, 16),
            None => code.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "nbsp" | "ensp" | "emsp" | "thinsp" | "numsp" | "puncsp" => '\u{a0}',
        "minus" | "ndash" | "mdash" | "hyphen" | "dash" => '\u{2212}',
        "comma" => ',',
        "period" => '.',
        "apos" | "lsquo" | "rsquo" | "prime" => '\'',
        "lpar" => '(',
        "rpar" => ')',
        "middot" => '\u{b7}',
        "euro" => '€',
        "pound" => '£',
        "yen" => '¥',
        "cent" => '¢',
        _ => return None,
    })
}

/// A blank within a line, of any width.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// A minus or a dash, in any script.
pub(super) fn is_minus(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2d7}' | '\u{58a}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2052}'
                | '\u{207b}'
                | '\u{208b}'
                | '\u{2212}'
                | '\u{2238}'
                | '\u{2296}'
                | '\u{229f}'
                | '\u{2796}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
    )
}

/// Whether a character between two digits keeps them one number. Only of what is known to part texts it is certain that it does
/// not: services separate thousands by whatever looks like a comma, a point, an apostrophe or a blank.
pub(super) fn is_glue(c: char) -> bool {
    match c {
        '.' | ',' | '\'' | '`' | '_' | '\u{fffc}' | '\u{fffd}' | '\u{2b0}'..='\u{2ff}' => !is_minus(c),
        c if c.is_ascii() || c.is_alphanumeric() || is_minus(c) || c.is_whitespace() => false,
        '£' | '¥' | '¢' | '\u{20a0}'..='\u{20cf}' => false,
        '“' | '”' | '„' | '«' | '»' | '‹' | '›' | '…' | '→' | '←' | '⇒' | '•' | '×' | '÷' | '±' => {
            false
        }
        '「' | '」' | '『' | '』' | '【' | '】' | '《' | '》' | '〈' | '〉' | '〔' | '〕' | '〜' => false,
        _ => true,
    }
}

/// A digit, or a letter of a script that puts blanks between words.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2E80}'
}

fn last(text: &str) -> Option<char> {
    text.chars().next_back()
}

/// Where the currency begins that a text ends with.
fn currency_at_end(text: &str) -> Option<usize> {
    let from = text.ceil_char_boundary(text.len().saturating_sub(LONGEST_NAME));
    let mut previous = last(&text[..from]);
    for (at, c) in text[from..].char_indices() {
        let is_inside = is_of_word(c) && previous.is_some_and(is_of_word);
        previous = Some(c);
        let whole = &text[from + at..];
        let is_currency = |(word, length): (Word, usize)| matches!(word, Word::Currency(_)) && length == whole.len();
        if !is_inside && !c.is_whitespace() && amount::word(whole).is_some_and(is_currency) {
            return Some(from + at);
        }
    }
    None
}

/// What stands before a number, where the text before it ends. The text is folded.
pub(super) fn before(text: &str) -> Before {
    let mut rest = text;
    for _ in 0..MOST_WORDS {
        let bare = rest.trim_end_matches(is_blank);
        let is_apart = bare.len() < rest.len();
        match last(bare) {
            Some(c) if is_minus(c) => {
                let ahead = &bare[..bare.len() - c.len_utf8()];
                // A dash that hangs on a word or a number parts it from the next one, except behind a currency.
                let hangs = last(ahead).is_some_and(is_of_word) && currency_at_end(ahead).is_none();
                return match is_apart {
                    true if hangs => Before::default(),
                    true => Before { doubtful: Some(ahead.len()), ..Before::default() },
                    false => Before { is_negative: !hangs, ..Before::default() },
                };
            }
            Some('(') => return Before { opens: Some(bare.len() - 1), ..Before::default() },
            Some('\u{fffc}' | '\u{fffd}') => return Before { is_unread: true, ..Before::default() },
            _ if ends_in_change(bare) => return Before { is_changed: true, ..Before::default() },
            _ => {}
        }
        match currency_at_end(bare) {
            Some(at) => rest = &bare[..at],
            None => break,
        }
    }
    Before::default()
}

/// Whether a text ends in a word for a debt, or in a sign for a part of a currency.
fn ends_in_change(text: &str) -> bool {
    let start = text.rfind(|c: char| !is_of_word(c)).map_or(0, |at| text.ceil_char_boundary(at + 1));
    is_debit(&text[start..]) || text.ends_with('¢')
}

/// Whether a word says that what stands beside it is a debt, in whichever letters.
fn is_debit(word: &str) -> bool {
    word.eq_ignore_ascii_case("dr")
}

/// What stands behind a number, where the text behind it begins. The text is folded.
pub(super) fn behind(text: &str) -> Behind {
    let mut found = Behind::default();
    let mut rest = text;
    let mut has_currency = false;
    for _ in 0..MOST_WORDS {
        let bare = rest.trim_start_matches(is_blank);
        let is_apart = bare.len() < rest.len();
        let Some(first) = bare.chars().next() else { break };
        if is_minus(first) {
            let next = &bare[first.len_utf8()..];
            let is_end = !next.trim_start_matches(is_blank).starts_with(char::is_alphanumeric);
            found.is_negative = is_end || (!is_apart && !next.starts_with(char::is_alphanumeric));
            break;
        }
        let inner = [('(', ')'), ('[', ']')].into_iter().find_map(|(opens, closes)| {
            let (inner, _) = bare.strip_prefix(opens)?.split_once(closes)?;
            Some(inner.trim())
        });
        let within = inner.filter(|inner| inner.len() <= LONGEST_NAME).and_then(amount::words).unwrap_or_default();
        if within.iter().any(changes) || inner.is_some_and(is_debit) {
            found.scale = inner.map(str::to_lowercase);
            break;
        }
        match amount::word(bare) {
            Some((Word::Sign { .. }, _)) => break,
            Some((word, length)) if changes(&word) => {
                found.scale = Some(bare[..length].to_lowercase());
                break;
            }
            Some((word, length)) => {
                has_currency |= matches!(word, Word::Currency(_));
                rest = &bare[length..];
                if let Some(part) = smaller_part(rest, is_apart) {
                    found.scale = Some(part);
                    break;
                }
            }
            None => {
                found.closes = first == ')';
                unknown_word(bare, is_apart || has_currency, &mut found);
                break;
            }
        }
    }
    found
}

/// The smaller part of an amount, which begins behind its currency: `5角` of `12元5角`, `50` of `12€50`, `50ct` of `12€ 50ct`.
fn smaller_part(text: &str, is_currency_apart: bool) -> Option<String> {
    let bare = text.trim_start_matches(is_blank);
    let length = bare.find(|c: char| !c.is_numeric()).unwrap_or(bare.len());
    if length == 0 {
        return None;
    }
    let unit = bare[length..].trim_start_matches(is_blank);
    let letters = unit.find(|c: char| !is_of_word(c)).unwrap_or(unit.len());
    let is_part = matches!(amount::word(unit), Some((Word::Part(..), _))) || amount::is_scale_word(&unit[..letters]);
    let is_next_to_it = bare.len() == text.len() && !is_currency_apart;
    (is_part || is_next_to_it).then(|| bare[..length].to_owned())
}

/// The currency that a text ends with, behind which a number stands.
pub(super) fn currency_before(text: &str) -> Option<Currency> {
    let bare = text.trim_end_matches(|c| is_blank(c) || is_minus(c));
    match amount::word(&bare[currency_at_end(bare)?..]) {
        Some((Word::Currency(currency), _)) => Some(currency),
        _ => None,
    }
}

fn changes(word: &Word) -> bool {
    match word {
        Word::Times(_) | Word::Part(..) => true,
        Word::Side { is_debit } => *is_debit,
        Word::Sign { .. } | Word::Currency(_) => false,
    }
}

/// What a word is that is neither a currency nor a unit that is known.
fn unknown_word(text: &str, is_apart: bool, found: &mut Behind) {
    let Some(first) = text.chars().next() else { return };
    let is_operator = matches!(first, '×' | '*' | '^' | '%' | '‰' | '\u{fffc}' | '\u{fffd}');
    if is_operator || amount::is_scale_sign(first) {
        found.scale = Some(first.to_string());
        return;
    }
    let length = text.find(|c: char| !is_of_word(c)).unwrap_or(text.len());
    let word = text[..length].to_lowercase();
    let is_time = word.starts_with('t') && word[1..].starts_with(|c: char| c.is_ascii_digit());
    if word.is_empty() || first.is_ascii_digit() || is_time {
        return;
    }
    let is_exponent = word.starts_with(['e', 'x']) && word[1..].starts_with(|c: char| c.is_ascii_digit());
    let next = text[length..].trim_start_matches(['.', ' ', '\u{a0}']);
    let is_before_currency = || {
        let near = &next[..next.floor_char_boundary(LONGEST_NAME)];
        let gap = text.len() - next.len() - length;
        gap <= 3 && matches!(amount::word(near), Some((Word::Currency(_), _)))
    };
    // `5 US cents`.
    let is_first_of_part = || {
        let end = next.find(|c: char| !is_of_word(c)).unwrap_or(next.len());
        word == "us" && amount::is_scale_word(&next[..end])
    };
    if amount::is_scale_word(&text[..length]) || is_exponent || is_debit(&word) || is_first_of_part() {
        found.scale = Some(word);
    } else if !is_apart || is_before_currency() {
        found.unknown = Some(word);
    }
}
