//! How characters are escaped: in addresses, in strings of programs, in HTML, in mails, in CSS and RTF.

use unicode_normalization::char::decompose_compatible;

use super::markup::ESCAPE;

/// The ways in which characters are escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `%5A`, as in addresses.
    Percent,
    /// `\x5a`, `\u005a`, `\132`, as in strings of programs.
    Backslash,
    /// `\5a `, as in CSS, and `\'5a`, as in RTF. It may be read as the one above as well.
    Typeset,
    /// `&#90;`, as in HTML.
    Entity,
    /// `=5A`, as in mails.
    Quoted,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Percent, Kind::Backslash, Kind::Entity, Kind::Quoted, Kind::Typeset];

    /// The byte that its escapes begin with.
    pub(super) fn mark(self) -> u8 {
        match self {
            Kind::Percent => b'%',
            Kind::Backslash | Kind::Typeset => b'\\',
            Kind::Entity => b'&',
            Kind::Quoted => b'=',
        }
    }
}

/// What an escape stands for.
pub(super) enum Meaning {
    Byte(u8),
    Char(char),
}

/// The escape of one kind that a text begins with: its length, and what it stands for.
pub(super) fn escape(text: &[u8], kind: Kind) -> Option<(usize, Meaning)> {
    match (kind, text.first()?) {
        (Kind::Percent, b'%') => match text.get(1)? {
            b'u' | b'U' => hex(text, 2, 4).and_then(char::from_u32).map(|c| (6, Meaning::Char(c))),
            _ => hex(text, 1, 2).map(|byte| (3, Meaning::Byte(byte as u8))),
        },
        (Kind::Quoted, b'=') => hex(text, 1, 2).map(|byte| (3, Meaning::Byte(byte as u8))),
        (Kind::Backslash, b'\\') => backslash(text),
        (Kind::Typeset, b'\\') => typeset(text),
        (Kind::Entity, b'&') => entity(text),
        _ => None,
    }
}

fn backslash(text: &[u8]) -> Option<(usize, Meaning)> {
    match text.get(1)? {
        b'u' | b'U' | b'x' if text.get(2) == Some(&b'{') => braced(text, 3, 16),
        b'o' if text.get(2) == Some(&b'{') => braced(text, 3, 8),
        b'N' if text.get(2..5) == Some(b"{U+") => braced(text, 5, 16),
        b'U' => hex(text, 2, 8).and_then(char::from_u32).map(|c| (10, Meaning::Char(c))),
        b'u' => {
            let first = hex(text, 2, 4)?;
            let second = || hex(text, 8, 4).filter(|_| text.get(6..8) == Some(b"\\u"));
            match first {
                0xD800..=0xDBFF => second()
                    .filter(|low| (0xDC00..0xE000).contains(low))
                    .and_then(|low| char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)))
                    .map(|c| (12, Meaning::Char(c))),
                _ => char::from_u32(first).map(|c| (6, Meaning::Char(c))),
            }
        }
        b'x' => hex(text, 2, 2).map(|byte| (4, Meaning::Byte(byte as u8))),
        b'n' | b'r' => Some((2, Meaning::Byte(b'\n'))),
        b't' => Some((2, Meaning::Byte(b' '))),
        // ESC, which begins a sequence of a terminal.
        b'e' | b'E' => Some((2, Meaning::Byte(ESCAPE))),
        b'0'..=b'7' => {
            let digits = text[1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
            let number = text[1..=digits].iter().fold(0, |number, byte| number << 3 | u32::from(byte - b'0'));
            u8::try_from(number).ok().map(|byte| (digits + 1, Meaning::Byte(byte)))
        }
        // What is escaped without need stands for itself.
        other if other.is_ascii_punctuation() => Some((2, Meaning::Byte(*other))),
        _ => None,
    }
}

/// The digits between braces, which begin before `start`.
fn braced(text: &[u8], start: usize, radix: u32) -> Option<(usize, Meaning)> {
    let end = text.iter().take(16).position(|byte| *byte == b'}')?;
    let digits = std::str::from_utf8(text.get(start..end)?).ok()?;
    let c = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)?;
    Some((end + 1, Meaning::Char(c)))
}

/// Up to six digits, and the blank that ends them; after an apostrophe two digits.
fn typeset(text: &[u8]) -> Option<(usize, Meaning)> {
    if text.get(1) == Some(&b'\'') {
        return hex(text, 2, 2).map(|byte| (4, Meaning::Byte(byte as u8)));
    }
    let digits = text[1..].iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let c = hex(text, 1, digits).filter(|_| digits >= 2).and_then(char::from_u32)?;
    let end = digits + 1;
    Some((end + usize::from(text.get(end) == Some(&b' ')), Meaning::Char(c)))
}

fn entity(text: &[u8]) -> Option<(usize, Meaning)> {
    if text.get(1) == Some(&b'#') {
        let (start, radix) = if matches!(text.get(2)?, b'x' | b'X') { (3, 16) } else { (2, 10) };
        let digits = text[start..].iter().take(12).take_while(|byte| (**byte as char).is_digit(radix)).count();
        let number = std::str::from_utf8(&text[start..start + digits]).ok()?;
        let c = u32::from_str_radix(number, radix).ok().and_then(char::from_u32)?;
        // The semicolon may be missing, as browsers let it be.
        let end = start + digits;
        return Some((end + usize::from(text.get(end) == Some(&b';')), Meaning::Char(c)));
    }
    let length = text.iter().take(34).position(|byte| *byte == b';')?;
    let name = text.get(1..length).filter(|name| name.len() >= 2 && name.iter().all(u8::is_ascii_alphanumeric))?;
    let known = ENTITIES.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, c)| *c);
    let meaning = known.or_else(|| letter(name)).map_or(Meaning::Byte(b'-'), Meaning::Char);
    Some((length + 1, meaning))
}

/// The letter in an entity for a styled or an accented one: `&Zopf;`, `&eacute;`. All other names stand for signs, and which
/// sign it is makes no difference to what is searched.
fn letter(name: &[u8]) -> Option<char> {
    const STYLES: [&[u8]; 15] = [
        b"opf", b"scr", b"fr", b"acute", b"grave", b"circ", b"tilde", b"uml", b"ring", b"cedil", b"caron", b"macr",
        b"breve", b"dot", b"ogon",
    ];
    let (first, style) = name.split_first()?;
    (first.is_ascii_alphabetic() && STYLES.contains(&style)).then(|| char::from(*first))
}

/// An escape of a letter or a digit.
pub(super) struct EscapedLetter {
    /// In bytes.
    pub(super) length: usize,
    /// Whether nothing else looks like it: `=41` is the value of a parameter as well.
    pub(super) is_rare: bool,
}

/// The escape of an ASCII letter or digit that a text begins with, in whatever style the letter is.
pub(super) fn escaped_letter(text: &[u8]) -> Option<EscapedLetter> {
    if !text.first().is_some_and(|byte| b"%\\&=".contains(byte)) {
        return None;
    }
    Kind::ALL.into_iter().find_map(|kind| {
        let (length, meaning) = escape(text, kind)?;
        let is_letter = match meaning {
            Meaning::Byte(byte) => byte.is_ascii_alphanumeric(),
            // An accented letter has a name of its own because keyboards lack it.
            Meaning::Char(_) if kind == Kind::Entity && text[1] != b'#' => {
                [&b"opf;"[..], b"scr;", b"fr;"].iter().any(|style| text[..length].ends_with(style))
            }
            Meaning::Char(c) => {
                let mut plain = None;
                decompose_compatible(c, |c| plain = plain.or(Some(c)));
                let is_accented = c.is_alphabetic() && !c.is_ascii() && !('\u{FF01}'..='\u{FF5E}').contains(&c);
                !is_accented && plain.is_some_and(|c| c.is_ascii_alphanumeric())
            }
        };
        is_letter.then_some(EscapedLetter { length, is_rare: kind != Kind::Quoted })
    })
}

/// A number of so many hexadecimal digits.
fn hex(text: &[u8], start: usize, length: usize) -> Option<u32> {
    let digits = text.get(start..start + length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0, |number, byte| Some(number << 4 | (*byte as char).to_digit(16)?))
}

/// The named entities of HTML for what a secret may hold, and for what nobody sees.
const ENTITIES: [(&str, char); 49] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("AMP", '&'),
    ("LT", '<'),
    ("GT", '>'),
    ("QUOT", '"'),
    ("sol", '/'),
    ("plus", '+'),
    ("equals", '='),
    ("lowbar", '_'),
    ("hyphen", '-'),
    ("dash", '-'),
    ("UnderBar", '_'),
    ("period", '.'),
    ("colon", ':'),
    ("semi", ';'),
    ("comma", ','),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("ast", '*'),
    ("midast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("commat", '@'),
    ("quest", '?'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("bsol", '\\'),
    ("Hat", '^'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("verbar", '|'),
    ("vert", '|'),
    ("nbsp", ' '),
    ("Tab", ' '),
    ("NewLine", '\n'),
    ("shy", '\u{AD}'),
    ("zwnj", '\u{200C}'),
    ("zwj", '\u{200D}'),
];
