//! What a text costs, judged by its bytes before the parser sees them, because the parser holds everything in memory.

use super::path::Position;

/// Most values in one text: keys, scalars, lists and mappings. Fifty thousand accounts have fewer.
pub(super) const MOST_VALUES: usize = 2_000_000;
/// Most of them that begin with a bracket. While it reads nested brackets the parser looks at up to 1024 open ones for each.
pub(super) const MOST_BRACKETS: usize = 500_000;
/// How deep values may be nested. The deepest value that a config needs stands in the body of a page's example.
pub(super) const MOST_DEPTH: usize = 64;
/// Most brackets that may be open at once before the parser sees them: it looks at all open ones at each word, and the depth
/// is known only when it has read everything. Plain text counts too, so this is more than values may be nested.
pub(super) const MOST_OPEN: usize = 256;
pub(super) const TOO_MANY: &str = "it holds too many values: 2000000 are allowed";
pub(super) const TOO_DEEP: &str = "it is nested too deep: 64 levels are allowed";

/// Where a bracket stands that is too many to be open at once, if there is one. Comments and what is quoted within one line
/// do not count.
fn too_many_open(bytes: &[u8]) -> Option<usize> {
    let (mut open, mut at, mut begins) = (0_usize, 0, true);
    while let Some(byte) = bytes.get(at) {
        // Most of a text is words.
        if byte.is_ascii_alphanumeric() {
            (begins, at) = (false, at + 1);
            continue;
        }
        match byte {
            b'"' | b'\'' if begins => at = closing_quote(bytes, at).unwrap_or(at),
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count() - 1;
            }
            b'[' | b'{' if open == MOST_OPEN => return Some(at),
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        // Elsewhere a quote is an apostrophe.
        begins = match byte {
            b' ' | b'\t' | b'\r' => begins,
            b'\n' | b'[' | b'{' | b',' | b':' | b'-' | b'?' => true,
            _ => false,
        };
        at += 1;
    }
    None
}

/// Where the quote that opens at a place closes on the same line.
fn closing_quote(bytes: &[u8], opening: usize) -> Option<usize> {
    let quote = bytes[opening];
    let mut at = opening + 1;
    loop {
        match bytes.get(at)? {
            b'\n' => return None,
            b'\\' if quote == b'"' => at += 2,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 2,
            byte if *byte == quote => return Some(at),
            _ => at += 1,
        }
    }
}

/// Looks at bytes before the parser sees them: each value needs an indicator, and each level on one line as well. Text and
/// comments count too, so this is a little strict, but never too lenient.
pub(super) fn weigh(bytes: &[u8]) -> Result<(), (Position, &'static str)> {
    if let Some(at) = too_many_open(bytes) {
        let before = &bytes[..at];
        let line_begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        return Err(((line, at - line_begin + 1), TOO_DEEP));
    }
    let (mut values, mut brackets) = (0, 0);
    // How many lists and keys begin at the beginning of this line (`- - - a`); none after something else.
    let (mut line, mut line_begin, mut nested) = (1, 0, Some(0));
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            nested = None;
            continue;
        }
        let before_blank = || bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace);
        match byte {
            b',' => values += 1,
            b'[' | b'{' => (values, brackets) = (values + 1, brackets + 1),
            b'-' | b'?' | b':' if before_blank() => values += 1,
            _ => {}
        }
        nested = match byte {
            b'\n' | b'\r' => {
                (line, line_begin) = (line + usize::from(*byte == b'\n'), at + 1);
                Some(0)
            }
            b' ' | b'\t' => nested,
            b'-' | b'?' if before_blank() => nested.map(|count| count + 1),
            _ => None,
        };
        let message = match () {
            () if values > MOST_VALUES || brackets > MOST_BRACKETS => TOO_MANY,
            () if nested.is_some_and(|count| count > MOST_DEPTH) => TOO_DEEP,
            () => continue,
        };
        return Err(((line, at - line_begin + 1), message));
    }
    Ok(())
}
