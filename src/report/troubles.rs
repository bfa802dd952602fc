//! What is wrong in a run, check by check, for the formats of CI services.

use super::sections::{Section, sections, told};
use super::tone::Tone;
use super::{Report, View};
use crate::process::exit::FailOn;

/// One check, or what became of the alerts on one channel.
pub(super) struct Item {
    pub tone: Tone,
    /// What kind of thing it is: `project`, `mailbox`, `subscription` or `delivery`.
    pub kind: String,
    pub name: String,
    /// Its status in one word.
    pub word: &'static str,
    /// What the tables say of it.
    pub text: String,
    /// Whether the run fails because of it, as `--fail-on` wants it.
    pub fails: bool,
}

/// All checks of a run, and the channels that were not told; only what is wrong if it is to be quiet.
pub(super) fn items(report: &Report, view: View) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for section in sections(&report.findings, view.is_quiet) {
        add(&mut items, section, view.fail_on);
    }
    for line in told(&report.findings).into_iter().filter(|line| line.is_bad) {
        items.push(Item {
            tone: Tone::Unknown,
            kind: "delivery".to_owned(),
            name: format!("alerts {}", items.len()),
            word: "not delivered",
            text: format!("{}{}", line.head, line.rest),
            fails: view.fail_on != FailOn::Never,
        });
    }
    items
}

fn add(items: &mut Vec<Item>, section: Section, fail_on: FailOn) {
    let headings = section.headings;
    for row in section.rows {
        let Some((tone, word)) = row.state else {
            // The row goes on with what stands above it.
            if let Some(above) = items.last_mut() {
                above.text = [std::mem::take(&mut above.text), row.cells.concat()].join("\n");
            }
            continue;
        };
        let cells = headings.iter().skip(2).zip(row.cells.iter().skip(1));
        let cells = cells.filter(|(_, cell)| !cell.is_empty() && *cell != "-").map(|(heading, cell)| match *heading {
            "NOTE" => cell.clone(),
            heading => format!("{} {cell}", heading.to_lowercase()),
        });
        let text = cells.collect::<Vec<_>>().join("; ");
        items.push(Item {
            tone,
            kind: headings.get(1).map(|heading| heading.to_lowercase()).unwrap_or_default(),
            name: row.cells.first().cloned().unwrap_or_default(),
            word,
            text,
            fails: match tone {
                Tone::Good => false,
                Tone::Soon => fail_on == FailOn::Any,
                Tone::Bad => matches!(fail_on, FailOn::Any | FailOn::Critical),
                Tone::Unknown => fail_on != FailOn::Never,
            },
        });
    }
}
