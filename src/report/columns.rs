//! Rows under headings, aligned by the width that a terminal gives them.
//!
//! No library draws them: the one that was tried kept a kilobyte for each row, and thousands of rows were the peak of a run's memory.

use anstyle::Style;
use rust_decimal::Decimal;
use unicode_width::UnicodeWidthStr;

use super::tone::{Tone, colour};
use crate::decide::Status;
use crate::model::amount;

/// Rows under headings, aligned by display width; `right` are the columns of numbers.
pub(crate) fn columns(headings: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    painted_columns(headings, rows.into_iter().map(|row| (None, row)).collect(), right)
}

/// The same as [`columns`], with the first cell of each row in the colour of its status.
pub(crate) fn painted_columns(headings: &[&str], rows: Vec<(Option<Status>, Vec<String>)>, right: &[usize]) -> String {
    toned(headings, rows.into_iter().map(|(status, row)| (status.map(Tone::from), row)).collect(), right)
}

pub(super) fn toned(headings: &[&str], rows: Vec<(Option<Tone>, Vec<String>)>, right: &[usize]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for (_, cells) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    let mut out = String::new();
    let heading = headings.iter().map(|heading| painted(heading, Style::new().bold()));
    line(&mut out, headings.iter().zip(heading), &widths, right);
    for (tone, cells) in rows {
        let first = cells.first().zip(tone).map(|(word, tone)| painted(word, colour(tone)));
        // The width is that of the plain text, because colours take no room.
        let shown = first.into_iter().chain(cells.iter().skip(usize::from(tone.is_some())).cloned());
        line(&mut out, cells.iter().zip(shown), &widths, right);
    }
    out
}

/// Writes one line. Each cell comes as plain text, for its width, and as it is shown.
fn line<'a, T: AsRef<str> + 'a>(
    out: &mut String,
    cells: impl Iterator<Item = (&'a T, String)>,
    widths: &[usize],
    right: &[usize],
) {
    for (column, ((cell, shown), width)) in cells.zip(widths).enumerate() {
        let gap = " ".repeat(width.saturating_sub(cell.as_ref().width()));
        let (before, after) = if right.contains(&column) { (gap.as_str(), "") } else { ("", gap.as_str()) };
        out.extend([" ", before, &shown, after, " "]);
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// An amount as a cell of a table, with as many digits as it takes to differ from the one beside it; a dash if there is none.
pub(crate) fn amount_cell(amount: Option<Decimal>, beside: Option<Decimal>, currency: Option<&str>) -> String {
    amount.map_or_else(|| "-".to_owned(), |amount| amount::show_beside(amount, beside, currency))
}

pub(super) fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = vec![row(["余额", "1", "x"]), row(["a", "1,000", ""]), row(["", "10", "y z"])];
        let want = " NAME   LEFT  NOTE\n 余额      1  x\n a     1,000\n          10  y z\n";
        let painted = rows.iter().cloned().map(|row| (Some(Status::Low), row)).collect();
        for text in
            [columns(&["NAME", "LEFT", "NOTE"], rows, &[1]), painted_columns(&["NAME", "LEFT", "NOTE"], painted, &[1])]
        {
            assert_eq!(anstream::adapter::strip_str(&text).to_string(), want, "colours have no width");
        }
    }
}
