//! The tables for people at a terminal: aligned, coloured, with a closing line.

use super::columns::{painted, toned};
use super::sections::{closing, costs, sections, told};
use super::tone::{Tone, colour};
use super::{Report, View};

pub(super) fn render(report: &Report, view: View) -> String {
    let sections = sections(&report.findings, view.is_quiet);
    if view.is_quiet && sections.is_empty() {
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
    if !view.is_quiet {
        costs(&report.findings).iter().for_each(|line| out.push_str(&format!("{line}\n")));
    }
    for line in told(&report.findings) {
        let head = if line.is_bad { painted(line.head, colour(Tone::Bad)) } else { line.head.to_owned() };
        out.push_str(&format!("{head}{}\n", line.rest));
        line.payloads.iter().for_each(|payload| out.push_str(&format!("{payload}\n")));
    }
    out + &closing(report) + "\n"
}
