//! What stands in a text without being seen as text: tags of HTML, and what a terminal obeys.

pub(super) const ESCAPE: u8 = 0x1B;
pub(super) const BACKSPACE: u8 = 0x08;

/// The length of the markup that a text begins with: a tag or a comment of HTML, or a terminal's sequence without its ESC.
/// Zero if it begins with none.
pub(super) fn markup(text: &[u8]) -> usize {
    /// Longest markup that is known as such.
    const LONGEST: usize = 200;
    const CDATA: &[u8] = b"<![CDATA[";
    let text = &text[..text.len().min(LONGEST)];
    match text {
        [b'<', ..] if text.starts_with(CDATA) => CDATA.len(),
        [b'<', b'!', b'-', b'-', ..] => end_of(text, b"-->"),
        [b'<', b'?', ..] => end_of(text, b"?>"),
        [b'<', first, ..] if first.is_ascii_alphabetic() || b"/!".contains(first) => tag(text),
        [b'[', rest @ ..] => {
            let is_number = |byte: &&u8| byte.is_ascii_digit() || b";:?".contains(byte);
            let numbers = rest.iter().take_while(is_number).count();
            // Without a number only what is most used counts: `[HY000]` and `[DB01]` are codes of errors.
            let ends: &[u8] = if numbers == 0 { b"mKJ" } else { b"mKJHGABCDhl" };
            if rest.get(numbers).is_some_and(|last| ends.contains(last)) { numbers + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// The length up to a mark, or to the first `>` if the mark is missing.
fn end_of(text: &[u8], mark: &[u8]) -> usize {
    let end = text.windows(mark.len()).position(|piece| piece == mark).map(|at| at + mark.len());
    end.or_else(|| text.iter().position(|byte| *byte == b'>').map(|at| at + 1)).unwrap_or(0)
}

/// The length of a tag, whose attributes may hold `>` between quotes.
fn tag(text: &[u8]) -> usize {
    let mut quote = None;
    let mut before = 0;
    for (at, byte) in text.iter().enumerate() {
        match (quote, *byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') if before == b'=' => quote = Some(*byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
        before = *byte;
    }
    end_of(text, b">")
}

/// The length of the sequence for a terminal that a text begins with, zero if it begins with none.
pub(super) fn sequence(text: &[u8]) -> usize {
    let [ESCAPE, kind, rest @ ..] = text else { return 0 };
    match kind {
        b'[' => 2 + rest.iter().position(|byte| (0x40..0x7F).contains(byte)).map_or(rest.len(), |at| at + 1),
        // A text for the terminal itself, as the address of a link. BEL or ESC and a backslash end it.
        b']' | b'P' | b'_' | b'^' | b'X' => {
            let end = rest.iter().position(|byte| [0x07, ESCAPE].contains(byte));
            let is_long = end.is_some_and(|at| rest[at..].starts_with(&[ESCAPE, b'\\']));
            2 + end.map_or(rest.len(), |at| at + 1 + usize::from(is_long))
        }
        b' '..=b'/' => 2 + usize::from(!rest.is_empty()),
        _ => 2,
    }
}
