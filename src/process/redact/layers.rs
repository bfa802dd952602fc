//! The readings of a text: as it stands, without what nobody sees, and with every encoding that a secret may be echoed in
//! taken off again. Each byte of a reading knows where in the text it comes from, so what is found can be covered there.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::model::text;

/// A reading of a text.
#[derive(Clone, Default)]
pub(super) struct Layer {
    pub(super) bytes: Vec<u8>,
    /// For each byte, the first byte of the text that it comes from, and the one after the last.
    from: Vec<(u32, u32)>,
    /// Whether it was decoded from runs of base64 or of hexadecimal digits. Almost any text can be, so what is found in it
    /// counts less.
    pub(super) is_guess: bool,
}

/// Stands between the pieces that a guess is made of; no text has it, because it is no UTF-8.
const EDGE: u8 = 0xFF;

impl Layer {
    /// The text as a reader sees it.
    pub(super) fn of(text: &str) -> Layer {
        let from = (0..text.len() as u32).map(|at| (at, at + 1)).collect();
        Layer { bytes: text.as_bytes().to_vec(), from, is_guess: false }.seen()
    }

    /// Where in the text a piece of this reading comes from.
    pub(super) fn source(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let pieces = &self.from[start..end];
        let first = pieces.iter().map(|(first, _)| *first).min().unwrap_or_default();
        let last = pieces.iter().map(|(_, last)| *last).max().unwrap_or_default();
        first as usize..last as usize
    }

    fn push(&mut self, byte: u8, from: (u32, u32)) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    fn push_char(&mut self, c: char, from: (u32, u32)) {
        let mut buffer = [0; 4];
        c.encode_utf8(&mut buffer).bytes().for_each(|byte| self.push(byte, from));
    }

    fn span(&self, start: usize, end: usize) -> (u32, u32) {
        (self.from[start].0, self.from[end - 1].1)
    }

    /// Without characters that nobody sees, and with those that only look different (full-width, accented, styled) as the
    /// plain ones.
    fn seen(&self) -> Layer {
        let mut seen = Layer { is_guess: self.is_guess, ..Layer::default() };
        seen.bytes.reserve(self.bytes.len());
        seen.from.reserve(self.bytes.len());
        let mut at = 0;
        for chunk in self.bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                let from = self.span(at, at + c.len_utf8());
                at += c.len_utf8();
                match c {
                    '\n' | '\r' => seen.push(b'\n', from),
                    // It begins a sequence of a terminal as ESC and a bracket do.
                    '\u{9B}' => seen.push(b'[', from),
                    c if c.is_whitespace() => seen.push(b' ', from),
                    c if c.is_control() || text::is_invisible(c) => {}
                    c if c.is_ascii() => seen.push(c as u8, from),
                    c => decompose_compatible(c, |c| {
                        if !is_combining_mark(c) && !text::is_invisible(c) {
                            c.to_lowercase().for_each(|c| seen.push_char(c, from));
                        }
                    }),
                }
            }
            for _ in chunk.invalid() {
                seen.push(self.bytes[at], self.from[at]);
                at += 1;
            }
        }
        seen
    }

    /// Without white space, for what was wrapped over several lines.
    pub(super) fn squeezed(&self) -> Layer {
        let is_kept = |byte: &u8| !byte.is_ascii_whitespace();
        Layer {
            bytes: self.bytes.iter().copied().filter(is_kept).collect(),
            from: self.bytes.iter().zip(&self.from).filter(|(byte, _)| is_kept(byte)).map(|(_, from)| *from).collect(),
            is_guess: self.is_guess,
        }
    }

    /// Its letters and digits alone: what a secret was divided by is no part of it. `without_markup`: also without tags, and
    /// without the sequences that colour a terminal.
    pub(super) fn letters(&self, without_markup: bool) -> Layer {
        let mut out = Layer { is_guess: self.is_guess, ..Layer::default() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let skipped = if without_markup { markup(&self.bytes[at..]) } else { 0 };
            if skipped == 0 && (byte.is_ascii_alphanumeric() || *byte == EDGE) {
                out.push(*byte, self.from[at]);
            }
            at += skipped.max(1);
        }
        out
    }

    /// From its end to its beginning.
    pub(super) fn reversed(mut self) -> Layer {
        self.bytes.reverse();
        self.from.reverse();
        self
    }

    /// With one round of escapes taken off: of all kinds at once, and where there are several kinds also of each alone, because
    /// what looks like one kind may be a part of another. Nothing if there are none.
    pub(super) fn unescaped(&self) -> Vec<Layer> {
        let kinds: Vec<u8> =
            [b'%', b'\\', b'&', b'='].into_iter().filter(|kind| self.unescape(&[*kind]).is_some()).collect();
        let alone = kinds.iter().filter(|_| kinds.len() > 1).filter_map(|kind| self.unescape(&[*kind]));
        self.unescape(&kinds).into_iter().chain(alone).collect()
    }

    fn unescape(&self, kinds: &[u8]) -> Option<Layer> {
        // Most texts, and nearly all secrets, have none.
        if !self.bytes.iter().any(|byte| kinds.contains(byte)) {
            return None;
        }
        let mut out = Layer { is_guess: self.is_guess, ..Layer::default() };
        let mut at = 0;
        let mut has_escapes = false;
        while at < self.bytes.len() {
            match escape(&self.bytes[at..]).filter(|_| kinds.contains(&self.bytes[at])) {
                Some((length, meaning)) => {
                    let from = self.span(at, at + length);
                    match meaning {
                        Meaning::Byte(byte) => out.push(byte, from),
                        Meaning::Char(c) => out.push_char(c, from),
                    }
                    has_escapes = true;
                    at += length;
                }
                None => {
                    out.push(self.bytes[at], self.from[at]);
                    at += 1;
                }
            }
        }
        has_escapes.then(|| out.seen())
    }

    /// What the runs of base64 in it say, standard and for addresses alike, if their first `skipped` characters belong to
    /// something else. A run goes on over the ends of lines, and over their indents.
    pub(super) fn base64(&self, skipped: usize) -> Layer {
        self.decoded(skipped, 6, |byte| match byte {
            b'A'..=b'Z' => Digit::Is(byte - b'A'),
            b'a'..=b'z' => Digit::Is(byte - b'a' + 26),
            b'0'..=b'9' => Digit::Is(byte - b'0' + 52),
            b'+' | b'-' => Digit::Is(62),
            b'/' | b'_' => Digit::Is(63),
            _ => Digit::None,
        })
    }

    /// What the runs of hexadecimal digits in it say, likewise. Pairs may stand apart: `73:6b`, `73 6b`.
    pub(super) fn hexadecimal(&self, skipped: usize) -> Layer {
        self.decoded(skipped, 4, |byte| match byte {
            b'0'..=b'9' => Digit::Is(byte - b'0'),
            b'a'..=b'f' => Digit::Is(byte - b'a' + 10),
            b'A'..=b'F' => Digit::Is(byte - b'A' + 10),
            b' ' | b':' | b'-' => Digit::Between,
            _ => Digit::None,
        })
    }

    /// What the runs of base32 in it say.
    pub(super) fn base32(&self) -> Layer {
        self.decoded(0, 5, |byte| match byte {
            b'A'..=b'Z' => Digit::Is(byte - b'A'),
            b'a'..=b'z' => Digit::Is(byte - b'a'),
            b'2'..=b'7' => Digit::Is(byte - b'2' + 26),
            _ => Digit::None,
        })
    }

    /// What the lists of numbers in it say, if each number is a byte: `115, 107` or `0x73 0x6b`.
    pub(super) fn numbers(&self) -> Layer {
        let mut out = Layer { is_guess: true, ..Layer::default() };
        let mut at = 0;
        for word in self.bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
            let end = at + word.len();
            if !word.is_empty() {
                out.push(number(word).unwrap_or(EDGE), self.span(at, end));
            }
            at = end + 1;
        }
        out.seen()
    }

    fn decoded(&self, skipped: usize, bits: u32, digit: impl Fn(u8) -> Digit) -> Layer {
        let mut out = Layer { is_guess: true, ..Layer::default() };
        let mut run: Vec<(u8, usize)> = Vec::new();
        let mut is_indent = false;
        for at in 0..=self.bytes.len() {
            let byte = self.bytes.get(at).copied().unwrap_or(EDGE);
            is_indent = byte == b'\n' || (is_indent && byte == b' ');
            match digit(byte) {
                Digit::Is(value) => run.push((value, at)),
                Digit::Between => {}
                Digit::None if is_indent => {}
                Digit::None => {
                    self.decode_run(run.get(skipped..).unwrap_or_default(), bits, &mut out);
                    run.clear();
                }
            }
        }
        out.seen()
    }

    fn decode_run(&self, run: &[(u8, usize)], bits: u32, out: &mut Layer) {
        let (mut held, mut count, mut first) = (0_u32, 0, 0);
        let before = out.bytes.len();
        for (index, (value, at)) in run.iter().enumerate() {
            if count == 0 {
                first = index;
            }
            held = held << bits | u32::from(*value);
            count += bits;
            if count >= 8 {
                count -= 8;
                out.push((held >> count) as u8, (self.from[run[first].1].0, self.from[*at].1));
                held &= (1 << count) - 1;
                // The next byte begins in what is left of this digit.
                first = index;
            }
        }
        if out.bytes.len() > before {
            let end = out.from[out.from.len() - 1].1;
            out.push(EDGE, (end, end));
        }
    }
}

enum Digit {
    Is(u8),
    /// Stands between digits without ending the run.
    Between,
    None,
}

enum Meaning {
    Byte(u8),
    Char(char),
}

/// The byte that a number is, in decimal or with `0x` in hexadecimal digits.
fn number(word: &[u8]) -> Option<u8> {
    let word = std::str::from_utf8(word).ok()?;
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// The length of the markup that a text begins with: a tag or a comment of HTML, or a terminal's sequence without its ESC.
/// Zero if it begins with none.
fn markup(text: &[u8]) -> usize {
    /// Longest markup that is known as such.
    const LONGEST: usize = 200;
    const CDATA: &[u8] = b"<![CDATA[";
    match text {
        [b'<', ..] if text.starts_with(CDATA) => CDATA.len(),
        [b'<', first, ..] if first.is_ascii_alphabetic() || b"/!?".contains(first) => {
            text.iter().take(LONGEST).position(|byte| *byte == b'>').map_or(0, |end| end + 1)
        }
        [b'[', rest @ ..] => {
            let is_number = |byte: &&u8| byte.is_ascii_digit() || b";:?".contains(byte);
            let numbers = rest.iter().take(LONGEST).take_while(is_number).count();
            if rest.get(numbers).is_some_and(|last| b"mKJHGABCDhl".contains(last)) { numbers + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// The escape that a text begins with: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Meaning)> {
    match text.first()? {
        b'%' => match text.get(1)? {
            b'u' | b'U' => hex(text, 2, 4).and_then(char::from_u32).map(|c| (6, Meaning::Char(c))),
            _ => hex(text, 1, 2).map(|byte| (3, Meaning::Byte(byte as u8))),
        },
        // Quoted-printable.
        b'=' => hex(text, 1, 2).map(|byte| (3, Meaning::Byte(byte as u8))),
        b'\\' => match text.get(1)? {
            b'u' if text.get(2) == Some(&b'{') => {
                let length = text.iter().take(10).position(|byte| *byte == b'}')?;
                hex(text, 3, length.checked_sub(3)?).and_then(char::from_u32).map(|c| (length + 1, Meaning::Char(c)))
            }
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
            b'e' | b'E' => Some((2, Meaning::Byte(0x1B))),
            b'0'..=b'7' => {
                let digits = text[1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let number = text[1..=digits].iter().fold(0, |number, byte| number << 3 | u32::from(byte - b'0'));
                u8::try_from(number).ok().map(|byte| (digits + 1, Meaning::Byte(byte)))
            }
            // What is escaped without need stands for itself.
            other if other.is_ascii_punctuation() => Some((2, Meaning::Byte(*other))),
            _ => None,
        },
        b'&' if text.get(1) == Some(&b'#') => {
            let (start, radix) = if matches!(text.get(2)?, b'x' | b'X') { (3, 16) } else { (2, 10) };
            let digits = text[start..].iter().take(12).take_while(|byte| (**byte as char).is_digit(radix)).count();
            let number = std::str::from_utf8(&text[start..start + digits]).ok()?;
            let c = u32::from_str_radix(number, radix).ok().and_then(char::from_u32)?;
            // The semicolon may be missing, as browsers let it be.
            let end = start + digits;
            Some((end + usize::from(text.get(end) == Some(&b';')), Meaning::Char(c)))
        }
        b'&' => {
            let length = text.iter().take(20).position(|byte| *byte == b';')?;
            let name = &text[1..length];
            let (_, c) = ENTITIES.iter().find(|(known, _)| known.as_bytes() == name)?;
            Some((length + 1, Meaning::Char(*c)))
        }
        _ => None,
    }
}

/// A number of so many hexadecimal digits.
fn hex(text: &[u8], start: usize, length: usize) -> Option<u32> {
    let digits = text.get(start..start + length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0, |number, byte| Some(number << 4 | (*byte as char).to_digit(16)?))
}

/// The named entities of HTML for what a secret may hold, and for what nobody sees.
const ENTITIES: [(&str, char); 47] = [
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
