//! How what was found in a text is covered.

use std::ops::Range;

use super::{GAP, MASK};

/// The text with these ranges covered, and nothing after so many bytes of it. Of ranges that overlap one [`MASK`] is left, or a
/// [`GAP`] if nothing in them is known; gaps with hardly anything between them are one.
pub(super) fn cover(text: &str, kept: usize, mut found: Vec<(Range<usize>, &str)>) -> String {
    found.sort_unstable_by_key(|(range, _)| range.start);
    let mut covered: Vec<(Range<usize>, &str)> = Vec::new();
    for (range, sign) in found.into_iter().filter(|(range, _)| range.start < kept && !range.is_empty()) {
        // Escapes and characters are covered as a whole.
        let range = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        match covered.last_mut().filter(|(last, before)| belongs(text, last, before, &range, sign)) {
            Some((last, before)) => {
                last.end = last.end.max(range.end);
                *before = if *before == MASK { MASK } else { sign };
            }
            None => covered.push((range, sign)),
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, sign) in covered {
        out.push_str(&text[at..range.start]);
        out.push_str(sign);
        at = range.end;
    }
    out.push_str(text.get(at..text.floor_char_boundary(kept)).unwrap_or_default());
    out
}

/// Whether a range belongs to the one before it.
fn belongs(text: &str, last: &Range<usize>, before: &str, range: &Range<usize>, sign: &str) -> bool {
    if range.start <= last.end {
        return true;
    }
    let between = &text[last.end..range.start];
    let are_gaps = before == GAP && sign == GAP;
    are_gaps && between.len() <= 3 && !between.contains(char::is_alphanumeric)
}
