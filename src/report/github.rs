//! The report as annotations of GitHub Actions: one command of the workflow a line for each thing that is wrong.

use super::tone::Tone;
use super::troubles::items;
use super::{Report, View};

pub(super) fn render(report: &Report, view: View) -> String {
    let wrong = items(report, View { is_quiet: true, ..view }).into_iter().filter(|item| item.tone != Tone::Good);
    let lines = wrong.map(|item| {
        let level = if item.fails && item.tone != Tone::Soon { "error" } else { "warning" };
        annotation(level, &[("title", &format!("{}: {}", item.name, item.word))], &item.text)
    });
    lines.collect()
}

/// One command of a workflow. Nothing in its parts ends it, or begins another one.
pub(super) fn annotation(level: &str, properties: &[(&str, &str)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", escaped(value, true))).collect();
    let properties = properties.join(",");
    let blank = if properties.is_empty() { "" } else { " " };
    format!("::{level}{blank}{properties}::{}\n", escaped(message, false))
}

fn escaped(text: &str, is_property: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            ':' if is_property => out.push_str("%3A"),
            ',' if is_property => out.push_str("%2C"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_annotation_ends_it_or_begins_another() {
        for (properties, message, want) in [
            (&[][..], "a", "::error::a\n"),
            (&[("file", "a,b:c.yaml"), ("line", "3")], "x: y, z", "::error file=a%2Cb%3Ac.yaml,line=3::x: y, z\n"),
            (&[("title", "50%")], "a\r\n::stop-commands::x\n%0A", "::error title=50%25::a%0D%0A::stop-commands::x%0A%250A\n"),
            (&[("title", "a::b\nc")], "", "::error title=a%3A%3Ab%0Ac::\n"),
        ] {
            let text = annotation("error", properties, message);
            assert_eq!(text, want);
            assert_eq!(text.matches('\n').count(), 1);
        }
    }
}
