//! Labels that stand in a line of their own, above their amounts or below them, as in tables of one column.

use std::ops::Range;

use super::layout::Sheet;

/// Longest line that can be a label, and longest that can be an amount, in bytes.
const LONGEST_LABEL: usize = 60;
const LONGEST_VALUE: usize = 24;
/// Most letters beside the digits of an amount: a code, or words like 港元.
const MOST_LETTERS: usize = 4;
/// Most lines that are followed on either side.
const MOST_LINES: usize = 24;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Label,
    Value,
    Other,
}

impl Line {
    fn of(text: &str) -> Line {
        let has_digit = text.contains(|c: char| c.is_ascii_digit());
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let is_sentence = text.ends_with(['.', '!', '?', '。', ',', ';', ':', '…']);
        match has_digit {
            true if text.len() <= LONGEST_VALUE && letters <= MOST_LETTERS => Line::Value,
            false if letters > 0 && text.len() <= LONGEST_LABEL && !is_sentence && !text.contains('\t') => Line::Label,
            _ => Line::Other,
        }
    }
}

/// The label of an amount that is alone in its line. Labels and amounts take turns, and where these begin with a label and end
/// with an amount, labels stand above; where it is the other way round, below; else nobody knows.
pub(super) fn label(sheet: &Sheet, place: &Range<usize>) -> Option<Range<usize>> {
    let text = sheet.text.as_str();
    let is_alone = text[..place.start].trim_end_matches(' ').ends_with('\n')
        && matches!(text[place.end..].trim_start_matches(' ').chars().next(), None | Some('\n'));
    if !is_alone {
        return None;
    }
    let (above, first) = follow(text, place, line_above);
    let (below, last) = follow(text, place, line_below);
    match (first, last) {
        (Line::Label, Line::Value) => above,
        (Line::Value, Line::Label) => below,
        _ => None,
    }
}

/// The next line in one direction if it is a label, and what stands at the end of the lines that take turns.
fn follow(
    text: &str,
    place: &Range<usize>,
    next: impl Fn(&str, &Range<usize>) -> Option<Range<usize>>,
) -> (Option<Range<usize>>, Line) {
    let (mut label, mut end, mut at) = (None, Line::Value, place.clone());
    for _ in 0..MOST_LINES {
        let Some(line) = next(text, &at) else {
            break;
        };
        let kind = Line::of(&text[line.clone()]);
        if kind == Line::Other || kind == end {
            break;
        }
        label = label.or_else(|| Some(line.clone()));
        (end, at) = (kind, line);
    }
    (label, end)
}

/// The line above that is not empty, without the blanks around it. None if it is too long to be a label.
fn line_above(text: &str, place: &Range<usize>) -> Option<Range<usize>> {
    let end = text[..place.start].trim_end().len();
    let near = text.floor_char_boundary(end.saturating_sub(2 * LONGEST_LABEL));
    // The first line is the subject, and no label.
    let start = near + text[near..end].rfind('\n')? + 1;
    trimmed(text, start..end)
}

/// The line below that is not empty, likewise.
fn line_below(text: &str, place: &Range<usize>) -> Option<Range<usize>> {
    let start = text.len() - text[place.end..].trim_start().len();
    let far = text.floor_char_boundary(start + 2 * LONGEST_LABEL);
    let end = match text[start..far].find('\n') {
        Some(at) => start + at,
        None if far == text.len() => far,
        None => return None,
    };
    trimmed(text, start..end)
}

fn trimmed(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let bare = text[line.clone()].trim();
    let start = line.start + (line.len() - text[line.clone()].trim_start().len());
    (!bare.is_empty()).then(|| start..start + bare.len())
}
