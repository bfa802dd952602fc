//! What any entry may say of who hears of it: its labels, and the webhooks that it names.

use std::collections::BTreeMap;

use super::path::{Part, Step, under};
use super::reader::ConfigReader;
use super::scalar::{Lenient, Text};
use super::texts::RawTexts;
use crate::model::addressing::Addressing;

/// The longest value of a label, in characters.
const LABEL_CHARS: usize = 200;

/// Labels, as they are written.
pub(crate) type RawLabels = BTreeMap<String, Lenient<Text>>;

impl ConfigReader<'_> {
    /// What an entry says of who hears of it. Whether there are such webhooks is not known here.
    pub(crate) fn addressing(
        &mut self,
        path: &[Step],
        labels: Option<RawLabels>,
        notify: Option<RawTexts>,
    ) -> Addressing {
        let at = under(path, "labels");
        let mut known = BTreeMap::new();
        for (name, value) in labels.unwrap_or_default() {
            let at = under(&at, &name);
            let value = self.as_written(&at, value.0).trim().to_owned();
            if !is_label(&name) {
                let message = "the name of a label must be made of letters, digits, `_`, `-`, `.` and `/`";
                self.problem(&at, Part::Key(0), message, None);
            } else if value.chars().any(char::is_control) || value.chars().count() > LABEL_CHARS {
                let message = format!("a label must be one line of at most {LABEL_CHARS} characters");
                self.problem(&at, Part::Value, message, None);
            } else {
                known.insert(name, value);
            }
        }
        let at = under(path, "notify");
        if notify.as_ref().is_some_and(|names| names.0.is_empty()) && !self.is_flagged(&at) {
            let hint = Some("leave `notify` out, or set `enabled: false` if nobody is to hear of it".to_owned());
            self.problem(&at, Part::Value, "`notify` names no webhook", hint);
        }
        // What could not be read is no name.
        let notify = notify.filter(|_| !self.is_flagged_below(&at)).map(|names| names.0);
        Addressing { labels: known, notify }
    }
}

/// Whether a text can be the name of a label.
fn is_label(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    !name.is_empty() && name.chars().count() <= LABEL_CHARS && name.chars().all(is_part)
}
