//! The tables for people at a terminal: aligned, coloured, with a closing line.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::Report;
use super::sections::{Tone, closing, sections, told};
use crate::decide::Status;

/// Rows under headings, aligned by display width; `right` are the columns of numbers.
pub fn columns(headings: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    painted_columns(headings, rows.into_iter().map(|row| (None, row)).collect(), right)
}

/// The same, with the first word of a row in the colour of its state.
pub fn painted_columns(headings: &[&str], rows: Vec<(Option<Status>, Vec<String>)>, right: &[usize]) -> String {
    toned(headings, rows.into_iter().map(|(status, row)| (status.map(Tone::from), row)).collect(), right)
}

fn toned(headings: &[&str], rows: Vec<(Option<Tone>, Vec<String>)>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings);
    let mut styles = vec![Some(Style::new().bold())];
    for (tone, row) in rows {
        styles.push(tone.map(colour));
        table.add_row(row.into_iter().map(Cell::new));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Colours come last: to leave them out of the widths costs more than all the rest.
    let mut out = String::new();
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let text = line.trim_start();
        // The first word of a row, all of the headings.
        let end = if index == 0 { text.len() } else { text.find(' ').unwrap_or(text.len()) };
        out.push_str(&line[..line.len() - text.len()]);
        match styles.get(index).copied().flatten() {
            Some(style) => out.push_str(&painted(&text[..end], style)),
            None => out.push_str(&text[..end]),
        }
        out.push_str(&text[end..]);
        out.push('\n');
    }
    out
}

fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

fn colour(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Bad => style.fg_color(Some(AnsiColor::Red.into())).bold(),
        Tone::Unknown => style.fg_color(Some(AnsiColor::Magenta.into())),
        Tone::Soon => style.fg_color(Some(AnsiColor::Yellow.into())),
        Tone::Good => style.fg_color(Some(AnsiColor::Green.into())),
    }
}

pub(super) fn render(report: &Report, quiet: bool) -> String {
    let sections = sections(report, quiet);
    if quiet && sections.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    for section in sections {
        let rows = section.rows.into_iter().map(|row| {
            let (tone, word) = row.state.unzip();
            (tone, std::iter::once(word.unwrap_or_default().to_owned()).chain(row.cells).collect())
        });
        out.push_str(&toned(section.headings, rows.collect(), section.right));
        out.push('\n');
    }
    for line in told(report) {
        let head = if line.is_bad { painted(line.head, colour(Tone::Bad)) } else { line.head.to_owned() };
        out.push_str(&format!("{head}{}\n", line.rest));
        line.payloads.iter().for_each(|payload| out.push_str(&format!("{payload}\n")));
    }
    out + &closing(report) + "\n"
}
