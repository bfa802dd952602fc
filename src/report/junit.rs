//! The report as JUnit XML, which CI services show as a list of tests. What `--fail-on` lets pass is a test that has passed.

use super::tone::Tone;
use super::troubles::{Item, items};
use super::{Report, View};

pub(super) fn render(report: &Report, view: View) -> String {
    let items = items(report, View { is_quiet: false, ..view });
    let cases: String = items.iter().map(case).collect();
    let count = |tone| items.iter().filter(|item| item.fails && (item.tone == Tone::Unknown) == tone).count();
    suite(&cases, (items.len(), count(false), count(true)), report.duration_seconds)
}

/// The document of a run that has not taken place, with the reason as its only test.
pub(super) fn of_error(word: &str, text: &str) -> String {
    let case = Item {
        tone: Tone::Unknown,
        kind: "run".to_owned(),
        name: "balance-alert".to_owned(),
        word: "",
        text: text.to_owned(),
        fails: true,
    };
    suite(&element(&case, word), (1, 0, 1), 0.0)
}

fn suite(cases: &str, (tests, failures, errors): (usize, usize, usize), seconds: f64) -> String {
    let counts = format!("name=\"balance-alert\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n<testsuite {counts}>\n{cases}</testsuite>\n</testsuites>\n"
    )
}

fn case(item: &Item) -> String {
    element(item, item.word)
}

fn element(item: &Item, word: &str) -> String {
    let head = format!("<testcase classname=\"{}\" name=\"{}\"", escaped(&item.kind), escaped(&item.name));
    let text = escaped(&item.text);
    match (item.fails, item.text.is_empty()) {
        (true, _) => {
            let kind = if item.tone == Tone::Unknown { "error" } else { "failure" };
            format!("{head}><{kind} type=\"{}\" message=\"{text}\">{text}</{kind}></testcase>\n", escaped(word))
        }
        (false, true) => format!("{head}/>\n"),
        (false, false) => format!("{head}><system-out>{}: {text}</system-out></testcase>\n", escaped(word)),
    }
}

/// Text as XML 1.0 can hold it, in an attribute as well.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_a_note_ends_its_element() {
        for (text, want) in [
            ("a & b <c> \"d\" 'e'", "a &amp; b &lt;c&gt; &quot;d&quot; 'e'"),
            ("]]>", "]]&gt;"),
            ("two\nlines\tand", "two&#10;lines&#9;and"),
            ("\u{0}\u{1b}[31m\u{7f}\u{85}\u{ffff}", "\u{FFFD}\u{FFFD}[31m\u{FFFD}\u{FFFD}\u{FFFD}"),
            ("余额 é 😀", "余额 é 😀"),
        ] {
            assert_eq!(escaped(text), want);
        }
    }
}
