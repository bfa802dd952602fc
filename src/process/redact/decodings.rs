//! The readings of a text: as it stands, without what nobody sees, and with every encoding that a secret may be echoed in
//! taken off again. Each byte of a reading knows where in the text it comes from, so what is found can be covered there.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use super::escapes::{Kind, Meaning, escape};
use super::markup::{BACKSPACE, ESCAPE, markup, sequence};
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
pub(super) const EDGE: u8 = 0xFF;

/// Which bytes of a text are those of letters and digits, of any script.
pub(super) fn letters_of_any_script(text: &[u8]) -> Vec<bool> {
    let mut is_letter = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| is_letter.extend(std::iter::repeat_n(c.is_alphanumeric(), c.len_utf8())));
        is_letter.extend(std::iter::repeat_n(false, chunk.invalid().len()));
    }
    is_letter
}

impl Layer {
    /// The text as a reader sees it.
    pub(super) fn of(text: &str) -> Layer {
        Layer::raw(text).seen()
    }

    /// The text as a reader sees it, and as a terminal shows it if it holds what a terminal obeys.
    pub(super) fn seen_in(text: &str) -> Vec<Layer> {
        Layer::raw(text).readings()
    }

    fn raw(text: &str) -> Layer {
        let from = (0..text.len() as u32).map(|at| (at, at + 1)).collect();
        Layer { bytes: text.as_bytes().to_vec(), from, is_guess: false }
    }

    fn readings(&self) -> Vec<Layer> {
        let is_obeyed = self.bytes.iter().any(|byte| [ESCAPE, BACKSPACE].contains(byte));
        let shown = is_obeyed.then(|| self.shown().seen());
        std::iter::once(self.seen()).chain(shown).collect()
    }

    /// Without the sequences that a terminal obeys, and without what is deleted again.
    fn shown(&self) -> Layer {
        let mut shown = Layer { is_guess: self.is_guess, ..Layer::default() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let length = sequence(&self.bytes[at..]);
            match (length, *byte) {
                (0, BACKSPACE) => drop((shown.bytes.pop(), shown.from.pop())),
                (0, byte) => shown.push(byte, self.from[at]),
                _ => {}
            }
            at += length.max(1);
        }
        shown
    }

    /// Without tags and comments; nothing if there are none.
    pub(super) fn unmarked(&self) -> Option<Layer> {
        if !self.bytes.iter().any(|byte| b"<[".contains(byte)) {
            return None;
        }
        let mut out = Layer { is_guess: self.is_guess, ..Layer::default() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let skipped = markup(&self.bytes[at..]);
            if skipped == 0 {
                out.push(*byte, self.from[at]);
            }
            at += skipped.max(1);
        }
        (out.bytes.len() < self.bytes.len()).then_some(out)
    }

    /// Each letter replaced by the one that stands 13 places further.
    pub(super) fn rotated(mut self) -> Layer {
        for byte in self.bytes.iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
            *byte = if byte.to_ascii_lowercase() < b'n' { *byte + 13 } else { *byte - 13 };
        }
        self
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
                    c if decimal_digit(c).is_some() => seen.push(decimal_digit(c).unwrap_or_default(), from),
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
        self.filtered(|byte| !byte.is_ascii_whitespace())
    }

    /// Its letters and digits alone: what a secret was divided by is no part of it.
    pub(super) fn letters(&self) -> Layer {
        self.filtered(|byte| byte.is_ascii_alphanumeric() || byte == EDGE)
    }

    fn filtered(&self, mut is_kept: impl FnMut(u8) -> bool) -> Layer {
        let kept = self.bytes.iter().zip(&self.from).filter(|(byte, _)| is_kept(**byte));
        let (bytes, from) = kept.map(|(byte, from)| (*byte, *from)).unzip();
        Layer { bytes, from, is_guess: self.is_guess }
    }

    /// Only the letters and digits of any script.
    pub(super) fn letters_of_any_script(&self) -> Layer {
        let mut is_kept = letters_of_any_script(&self.bytes).into_iter();
        self.filtered(|byte| is_kept.next().unwrap_or_default() || byte == EDGE)
    }

    /// From its end to its beginning, character by character.
    pub(super) fn reversed(mut self) -> Layer {
        self.bytes.reverse();
        self.from.reverse();
        // The bytes of each character are in their order again.
        let mut start = 0;
        for at in 0..self.bytes.len() {
            if self.bytes[at] & 0xC0 != 0x80 {
                self.bytes[start..=at].reverse();
                self.from[start..=at].reverse();
                start = at + 1;
            }
        }
        self
    }

    /// With one round of escapes taken off: of all kinds at once, and where there are several kinds also of each alone, because
    /// what looks like one kind may be a part of another. Nothing if there are none.
    pub(super) fn unescaped(&self) -> Vec<Layer> {
        let alone: Vec<(Kind, Layer)> = self.kinds().filter_map(|kind| Some((kind, self.unescape(&[kind])?))).collect();
        let kinds: Vec<Kind> = alone.iter().map(|(kind, _)| *kind).collect();
        let together = if kinds.len() > 1 { self.unescape(&kinds) } else { None };
        let mut layers: Vec<Layer> = Vec::new();
        for layer in together.into_iter().chain(alone.into_iter().map(|(_, layer)| layer)) {
            for layer in layer.readings() {
                if layers.iter().all(|other| other.bytes != layer.bytes) {
                    layers.push(layer);
                }
            }
        }
        layers
    }

    /// The kinds of escapes that there can be. Most texts, and nearly all secrets, have none.
    fn kinds(&self) -> impl Iterator<Item = Kind> {
        let mut has = [false; 256];
        self.bytes.iter().for_each(|byte| has[usize::from(*byte)] = true);
        Kind::ALL.into_iter().filter(move |kind| has[usize::from(kind.mark())])
    }

    fn unescape(&self, kinds: &[Kind]) -> Option<Layer> {
        let mut out = Layer { is_guess: self.is_guess, ..Layer::default() };
        let mut at = 0;
        let mut has_escapes = false;
        while at < self.bytes.len() {
            let is_mark = kinds.iter().any(|kind| kind.mark() == self.bytes[at]);
            let found = kinds.iter().filter(|_| is_mark).find_map(|kind| escape(&self.bytes[at..], *kind));
            match found {
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
        has_escapes.then_some(out)
    }

    /// What the runs of base64 in it say, standard and for addresses alike, if their first `skipped` characters belong to
    /// something else. A run goes on over the ends of lines, and over their indents.
    pub(super) fn base64(&self, skipped: usize) -> Layer {
        self.decoded(skipped, 6, base64_digit)
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

    /// What base64 says that stands in pieces, whatever divides them. `+` and `/` count only between its letters.
    pub(super) fn divided_base64(&self, skipped: usize) -> Layer {
        let joined = self.joined(b"+/");
        joined.decoded(skipped, 6, |byte| match byte {
            b'=' => Digit::None,
            byte => base64_digit(byte),
        })
    }

    /// What base32 says, in one piece or several.
    pub(super) fn base32(&self, skipped: usize) -> Layer {
        self.joined(b"").decoded(skipped, 5, |byte| match byte {
            b'A'..=b'Z' => Digit::Is(byte - b'A'),
            b'a'..=b'z' => Digit::Is(byte - b'a'),
            b'2'..=b'7' => Digit::Is(byte - b'2' + 26),
            _ => Digit::None,
        })
    }

    /// Its letters and digits in one, and of other signs those that stand right between two of them. `=` ends a piece of
    /// base64, so it stays.
    fn joined(&self, kept: &[u8]) -> Layer {
        let mut out = Layer { is_guess: true, ..Layer::default() };
        let is_letter = |at: Option<usize>| at.and_then(|at| self.bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        for (at, byte) in self.bytes.iter().enumerate() {
            let is_kept = kept.contains(byte) && is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
            if byte.is_ascii_alphanumeric() || is_kept || [b'=', EDGE].contains(byte) {
                out.push(*byte, self.from[at]);
            }
        }
        out
    }

    /// What the lists of numbers in it say, if each number is a byte: `115, 107`, `0x73 0x6b`, `163 153`,
    /// `01110011 01101011` or `"73", "6b"`.
    /// Words between the numbers, and the numbers of the members, are left out.
    pub(super) fn numbers(&self, radix: u32) -> Layer {
        let mut out = Layer { is_guess: true, ..Layer::default() };
        let mut at = 0;
        for word in self.bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
            let end = at + word.len();
            let after = self.bytes.get(end..).unwrap_or_default();
            let is_name = after.starts_with(b":") || after.starts_with(b"\":");
            if let Some(byte) = number(word, radix).filter(|_| !is_name) {
                out.push(byte, self.span(at, end));
            }
            at = end + 1;
        }
        out.seen()
    }

    /// Whether groups of binary digits may stand in it. Most texts have none, and need not be read for them.
    pub(super) fn has_bits(&self) -> bool {
        self.bytes.windows(6).any(|group| group.iter().all(|byte| matches!(byte, b'0' | b'1')))
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

/// The ASCII digit for a decimal digit of another script.
fn decimal_digit(c: char) -> Option<u8> {
    /// Where the ten digits of the scripts in use begin. Those that only look different are decomposed like letters.
    const ZEROS: [u32; 22] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
        0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0xA8D0,
    ];
    let code = u32::from(c);
    let place = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    (code - ZEROS[place] < 10).then(|| b'0' + (code - ZEROS[place]) as u8)
}

enum Digit {
    Is(u8),
    /// Stands between digits without ending the run.
    Between,
    None,
}

fn base64_digit(byte: u8) -> Digit {
    match byte {
        b'A'..=b'Z' => Digit::Is(byte - b'A'),
        b'a'..=b'z' => Digit::Is(byte - b'a' + 26),
        b'0'..=b'9' => Digit::Is(byte - b'0' + 52),
        b'+' | b'-' => Digit::Is(62),
        b'/' | b'_' => Digit::Is(63),
        _ => Digit::None,
    }
}

/// The byte that a number is. The marks of a radix may stand at it: `0x5a`, `5Ah`, `0o132`.
fn number(word: &[u8], radix: u32) -> Option<u8> {
    let word = std::str::from_utf8(word).ok()?.to_ascii_lowercase();
    let (marked, digits) = match radix {
        16 => match word.strip_prefix("0x") {
            Some(digits) => (true, digits),
            None => (false, word.trim_start_matches(['x', 'u']).trim_end_matches('h')),
        },
        8 => (true, word.trim_start_matches("0o")),
        2 => match word.strip_prefix("0b") {
            Some(digits) => (true, digits),
            None => (matches!(word.len(), 7 | 8), word.as_str()),
        },
        _ => (true, word.as_str()),
    };
    let is_number = marked || (radix == 16 && (digits.len() == 2 || digits.len() == 4));
    u8::from_str_radix(digits, radix).ok().filter(|_| is_number)
}
