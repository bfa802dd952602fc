//! The report as Markdown, for the summary of a CI job: GitHub and GitLab show it.

use super::sections::{Section, closing, costs, sections, told};
use super::tone::Tone;
use super::{Overall, Report, View};

pub(super) fn render(report: &Report, view: View) -> String {
    let sections = sections(&report.findings, view.is_quiet);
    if view.is_quiet && sections.is_empty() {
        return String::new();
    }
    let overall = report.findings.overall();
    let mark = match overall {
        Overall::Critical => Tone::Bad,
        Overall::Unknown => Tone::Unknown,
        Overall::Warning => Tone::Soon,
        Overall::Ok => Tone::Good,
    };
    let mut out =
        format!("## {} balance-alert: {}\n\n{}\n", sign(mark), overall.as_str(), neutral(&closing(report)));
    for section in sections {
        out.push('\n');
        out.push_str(&table(section));
    }
    let costs = if view.is_quiet { Vec::new() } else { costs(&report.findings) };
    if !costs.is_empty() {
        out.push('\n');
    }
    costs.iter().for_each(|line| out.push_str(&format!("- {}\n", neutral(line))));
    let told = told(&report.findings);
    if !told.is_empty() {
        out.push('\n');
    }
    for line in told {
        let head = if line.is_bad { format!("**{}**", line.head) } else { line.head.to_owned() };
        out.push_str(&format!("- {head}{}\n", neutral(&line.rest)));
        // Four more blanks than the item has make a block of code of it, in which nothing formats, links or mentions.
        let code = |payload: &String| payload.lines().map(|line| format!("\n      {line}")).collect::<String>();
        line.payloads.iter().for_each(|payload| out.push_str(&format!("{}\n", code(payload))));
    }
    out
}

/// That no run has taken place, and why.
pub(super) fn of_error(what: &str, lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("- {}\n", neutral(line))).collect();
    format!("## {} balance-alert: {}\n\n{lines}", sign(Tone::Unknown), neutral(what))
}

fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "🔴",
        Tone::Unknown => "⚪",
        Tone::Soon => "🟡",
        Tone::Good => "🟢",
    }
}

fn table(section: Section) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let heading = |heading: &&str| format!("{}{}", &heading[..1], heading[1..].to_lowercase());
    let mut out = line(section.headings.iter().map(heading).collect());
    let rule = |column| if section.right.contains(&column) { "--:" } else { "---" }.to_owned();
    out.push_str(&line((0..section.headings.len()).map(rule).collect()));
    for row in section.rows {
        let state = row.state.map(|(tone, word)| format!("{} {word}", sign(tone))).unwrap_or_default();
        out.push_str(&line(std::iter::once(state).chain(row.cells.iter().map(|cell| neutral(cell))).collect()));
    }
    out
}

/// Escapes text so that nothing in it formats, links, mentions somebody, or ends a cell.
pub(super) fn neutral(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Without this sign as it stands nobody is mentioned.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    // Renderers turn these into links by themselves.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_live() {
        let evil = "a|b\n# [x](http://evil) <img src=x> **b** `c` @all ~~d~~ ![y](z) www.x.y $a$";
        let text = neutral(evil);
        for bad in ["|b\n", "\n", "](", "<", "://", "**", "@all", "`c`", "www.", "$"] {
            let found = text.match_indices(bad).any(|(at, _)| !text[..at].ends_with('\\'));
            assert!(!found, "{bad:?} in {text}");
        }
    }
}
