//! The tables for people at a terminal: aligned, coloured, with a closing line.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::Report;
use super::sections::{Tone, closing, sections, told};
use crate::decide::Status;

/// Rows under headings, aligned by display width; `right` are the columns of numbers.
pub fn columns(headings: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().map(|heading| painted(heading, Style::new().bold())));
    for row in rows {
        table.add_row(row.into_iter().map(Cell::new));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
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

/// The word of a state, in its colour.
pub fn painted_status(status: Status) -> String {
    painted(status.as_str(), colour(status.into()))
}

pub(super) fn render(report: &Report, quiet: bool) -> String {
    let sections = sections(report, quiet);
    if quiet && sections.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    for section in sections {
        let rows = section.rows.into_iter().map(|row| {
            let state = row.state.map(|(tone, word)| painted(word, colour(tone))).unwrap_or_default();
            std::iter::once(state).chain(row.cells).collect()
        });
        out.push_str(&columns(section.headings, rows.collect(), section.right));
        out.push('\n');
    }
    for line in told(report) {
        let head = if line.is_bad { painted(line.head, colour(Tone::Bad)) } else { line.head.to_owned() };
        out.push_str(&format!("{head}{}\n", line.rest));
        line.payloads.iter().for_each(|payload| out.push_str(&format!("{payload}\n")));
    }
    out + &closing(report) + "\n"
}
