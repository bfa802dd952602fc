//! Addresses of mail that are written so that no machine should find them: `name[at]host.tld`, `name (at) host (dot) tld`.

use std::ops::Range;

/// Longest name or host in another script, in bytes.
const LONGEST: usize = 64;

/// A word that stands for a sign.
struct Mark {
    end: usize,
    /// Whether it can be nothing else: it stands in brackets, or is the sign itself.
    is_certain: bool,
}

/// Tells the places of all such addresses.
pub(super) fn find(text: &[u8], mut tell: impl FnMut(Range<usize>)) {
    for at in 1..text.len() {
        if !is_of_name(text[at - 1]) {
            continue;
        }
        let Some(mark) = mark(text, at, &["at", "@"]) else { continue };
        let start = text[..at].iter().rposition(|byte| !is_of_name(*byte)).map_or(0, |end| end + 1);
        let start =
            if text[at - 1].is_ascii() { ascii_name(text, start, at) } else { start.max(at.saturating_sub(LONGEST)) };
        if let Some(end) = host(text, mark.end, mark.is_certain) {
            // `5 @ 3.50` is a price.
            let is_host =
                text[..end].iter().rev().take_while(|byte| is_of_label(**byte)).any(|byte| !byte.is_ascii_digit());
            if is_host {
                tell(start..end);
            }
        }
    }
}

/// Where a name in ASCII begins. Without a blank before it, a sentence of another script ends there.
fn ascii_name(text: &[u8], start: usize, end: usize) -> usize {
    text[start..end].iter().rposition(|byte| !byte.is_ascii()).map_or(start, |foreign| start + foreign + 1)
}

/// Where a host ends: labels with full stops or their word between them. If the word for `@` stands without brackets, it may be
/// one of the sentence, unless the full stops are words too.
fn host(text: &[u8], start: usize, is_certain: bool) -> Option<usize> {
    let label = |at: usize| text[at..].iter().take_while(|byte| is_of_label(**byte)).count();
    let (mut end, mut count, mut is_spelt) = (start + label(start), 1, false);
    if end == start {
        return None;
    }
    while count < 8 {
        let next = match mark(text, end, &["dot", "."]) {
            Some(mark) => mark.end,
            None if text.get(end) == Some(&b'.') => end + 1,
            None => break,
        };
        let length = label(next);
        if length == 0 {
            break;
        }
        is_spelt |= text[end] != b'.';
        (end, count) = (next + length, count + 1);
    }
    (count > 1 && (is_certain || is_spelt)).then_some(end)
}

/// The word for a sign, in brackets, or with blanks, underscores or hyphens around it.
fn mark(text: &[u8], at: usize, words: &[&str]) -> Option<Mark> {
    let blanks = |at: usize| text[at..].iter().take(2).take_while(|byte| **byte == b' ').count();
    let word = |at: usize| {
        let is_here = |word: &&&str| {
            text[at..].len() >= word.len() && text[at..at + word.len()].eq_ignore_ascii_case(word.as_bytes())
        };
        words.iter().find(is_here).map(|word| at + word.len())
    };
    let open = at + blanks(at);
    let close = match text.get(open)? {
        b'[' => Some(b']'),
        b'(' => Some(b')'),
        b'{' => Some(b'}'),
        b'<' => Some(b'>'),
        _ => None,
    };
    if let Some(close) = close {
        let end = word(open + 1 + blanks(open + 1))?;
        let end = end + blanks(end);
        return (text.get(end) == Some(&close)).then(|| Mark { end: end + 1 + blanks(end + 1), is_certain: true });
    }
    let sign = *text.get(at).filter(|byte| b" _-".contains(byte))?;
    let end = word(at + 1)?;
    (text.get(end) == Some(&sign)).then_some(Mark { end: end + 1, is_certain: &text[at + 1..end] == b"@" })
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte) || !byte.is_ascii()
}

fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || !byte.is_ascii()
}
