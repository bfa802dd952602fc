//! Tables: which words stand above a cell.

use std::ops::Range;

use super::layout::Sheet;

/// Longest row that is one of a table, in bytes, on either side of a sentence.
const LONGEST_ROW: usize = 1000;
/// Most rows between a cell and its header.
const MOST_ROWS: usize = 40;

/// What says what a cell is.
pub(super) struct Header {
    /// The head of its column.
    pub(super) own: Range<usize>,
    /// The heads of all columns.
    pub(super) row: Range<usize>,
    /// The first cell of its own row.
    pub(super) label: Range<usize>,
}

/// The header of the column that a place of a row stands in; none if it stands in no table with headers. A row of two cells is a
/// label with its value.
pub(super) fn header(sheet: &Sheet, row: usize, place: &Range<usize>) -> Option<Header> {
    let cells = cells(sheet, row);
    let column = cells.iter().position(|cell| cell.start <= place.start && place.end <= cell.end)?;
    if cells.len() < 3 {
        return None;
    }
    let first = row.saturating_sub(MOST_ROWS);
    for above in (first..row).rev() {
        let others = self::cells(sheet, above);
        if others.len() < 2 {
            break;
        }
        if others.len() == cells.len() && others.iter().all(|cell| !has_amount(&sheet.text[cell.clone()])) {
            let row = others[0].start..others[others.len() - 1].end;
            return Some(Header { own: others[column].clone(), row, label: cells[0].clone() });
        }
    }
    None
}

/// The cells of a row.
fn cells(sheet: &Sheet, row: usize) -> Vec<Range<usize>> {
    let Some(sentence) = sheet.sentences.get(row) else {
        return Vec::new();
    };
    let line = line(sheet, &sentence.range);
    if line.len() > 2 * LONGEST_ROW {
        return Vec::new();
    }
    let mut start = line.start;
    let mut cells = Vec::new();
    for cell in sheet.text[line].split('\t') {
        cells.push(start..start + cell.len());
        start += cell.len() + 1;
    }
    cells
}

fn line(sheet: &Sheet, sentence: &Range<usize>) -> Range<usize> {
    let near = sheet.text.ceil_char_boundary(sentence.start.saturating_sub(LONGEST_ROW));
    let far = sheet.text.floor_char_boundary(sentence.end + LONGEST_ROW);
    let start = sheet.text[near..sentence.start].rfind('\n').map_or(near, |at| near + at + 1);
    let end = sheet.text[sentence.end..far].find('\n').map_or(far, |at| sentence.end + at);
    start..end
}

/// Whether a cell holds an amount or a date: `31-60 days` is neither.
fn has_amount(cell: &str) -> bool {
    let has_digits = cell.contains(|c: char| c.is_ascii_digit());
    let has_letters = cell.contains(char::is_alphabetic);
    has_digits && (!has_letters || cell.contains(['.', ',', '$', '€', '£', '¥', '元']))
}
