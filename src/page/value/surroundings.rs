//! The characters that stand around a number, and what each of them is.

use std::ops::Range;

use crate::model::amount::{self, Currency, Word};

/// Longest name of a currency that is looked for before a number, in characters.
const LONGEST_NAME: usize = 24;
/// Longest tag that is looked for, in characters.
const LONGEST_TAG: usize = 200;
/// Longest name of an entity of HTML, in bytes.
const LONGEST_ENTITY: usize = 10;

/// A character, and where what it is written as stands.
#[derive(Clone, Debug)]
pub(super) struct Character {
    pub(super) range: Range<usize>,
    pub(super) c: char,
}

/// The characters of a part of a text. Different ways to write the same are brought together, also those of HTML.
pub(super) fn characters(text: &str, range: Range<usize>) -> Vec<Character> {
    let mut out = Vec::with_capacity(range.len());
    let mut at = range.start;
    while let Some(c) = text[at..range.end].chars().next() {
        let rest = if c == '&' { &text[at + 1..range.end] } else { "" };
        let name = rest.split_once(';').map(|(name, _)| name);
        let named =
            name.filter(|name| name.len() <= LONGEST_ENTITY).and_then(|name| Some((entity(name)?, name.len() + 2)));
        let (c, length) = named.or_else(|| bound(&text[at..])).unwrap_or((c, c.len_utf8()));
        // Where old charsets were read, a soft hyphen may be a minus.
        let c = if c == '\u{ad}' { '\u{2010}' } else { c };
        let range = at..at + length;
        out.extend(amount::fold(c.encode_utf8(&mut [0; 4])).chars().map(|c| Character { range: range.clone(), c }));
        at += length;
    }
    out
}

/// A sign that bounds the amount behind it, as `&lt; 12.50`, and no tag that is written so.
fn bound(rest: &str) -> Option<(char, usize)> {
    let name = ["&lt;", "&gt;", "&le;", "&ge;"].into_iter().find(|name| rest.starts_with(name))?;
    let next = rest[name.len()..].trim_start().chars().next()?;
    let is_amount = next.is_numeric() || (!next.is_alphanumeric() && !matches!(next, '/' | '!' | '&' | '<' | '?'));
    let is_bound = name == "&lt;" && is_amount || name.ends_with("e;");
    is_bound.then_some(('\u{2264}', name.len()))
}

/// The same as a text.
pub(super) fn string<'c>(characters: impl IntoIterator<Item = &'c Character>) -> String {
    characters.into_iter().map(|character| character.c).collect()
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
        "shy" => '\u{ad}',
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

/// What a text ends at whatever it means: a line, or a cell of a table.
pub(super) fn is_line_end(c: char) -> bool {
    c.is_whitespace() && !is_blank(c)
}

/// What stands around words without meaning anything for a number between them.
pub(super) fn is_wrapping(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '`' | '\u{b4}' | '*' | '_' | '[' | ']' | '{' | '}' | '\u{2018}'
            ..='\u{201f}'
                | '«'
                | '»'
                | '‹'
                | '›'
                | '「'
                | '」'
                | '『'
                | '』'
                | '【'
                | '】'
                | '《'
                | '》'
                | '〈'
                | '〉'
                | '〔'
                | '〕'
    )
}

/// What parts sentences, clauses or columns.
pub(super) fn is_parting(c: char) -> bool {
    matches!(c, ';' | '|' | '!' | '?' | '。' | '、' | '\u{ff61}' | '¡' | '¿' | '•')
}

/// A digit, or a letter of a script that puts blanks between words.
pub(super) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() && c < '\u{2E80}'
}

/// A letter of a script that puts no blanks between words.
pub(super) fn is_of_run(c: char) -> bool {
    c.is_alphabetic() && c >= '\u{2E80}'
}

/// The currency that a text ends with, and how many characters it has.
pub(super) fn currency_at_end(text: &[Character]) -> Option<(Currency, usize)> {
    let first = text.len().saturating_sub(LONGEST_NAME);
    (first..text.len()).find_map(|at| {
        let is_inside = is_of_word(text[at].c) && at > 0 && is_of_word(text[at - 1].c);
        if is_inside || text[at].c.is_whitespace() {
            return None;
        }
        let whole = string(&text[at..]);
        match amount::word(&whole) {
            Some((Word::Currency(currency), length)) if length == whole.len() => Some((currency, text.len() - at)),
            _ => None,
        }
    })
}

/// How many characters the tag has that a text begins with, and whether it ends a cell, a line or a paragraph; none if it begins
/// with no tag.
pub(super) fn tag(text: &[Character]) -> Option<(usize, bool)> {
    let near = &text[..text.len().min(LONGEST_TAG)];
    if near.first().is_none_or(|first| first.c != '<') {
        return None;
    }
    let end = near.iter().position(|character| character.c == '>')?;
    let inside = string(&near[1..end]);
    let name = inside.trim_start_matches('/');
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    (inside.starts_with("!--") || name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .then(|| (end + 1, BLOCKS.split_ascii_whitespace().any(|block| block.eq_ignore_ascii_case(name))))
}

/// Tags between which no number goes on.
const BLOCKS: &str = "td th tr table thead tbody tfoot caption li ul ol dl dt dd p div br hr h1 h2 h3 h4 h5 h6 body html head title \
                      section article header footer main form option select script style pre";
