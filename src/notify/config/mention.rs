//! Who is mentioned in messages that something is critical.

use super::kind::a;
use crate::notify::channel::prepared::Prepared;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::texts::RawTexts;

/// The most that one webhook mentions.
const MOST: usize = 20;

impl ConfigReader<'_> {
    /// Whom a webhook mentions; a problem where its type cannot mention, or has no such ids.
    pub(super) fn mentions(
        &mut self,
        path: &[Step],
        kind: &str,
        page: Option<&Prepared>,
        is_broken: bool,
        raw: Option<RawTexts>,
    ) -> Vec<String> {
        let Some(RawTexts(written)) = raw else { return Vec::new() };
        let at = under(path, "mention");
        let Some(spec) = page.and_then(|page| page.page.mention.as_ref()) else {
            if !is_broken {
                let message = format!("`mention` cannot be used: {} channel mentions nobody", a(kind));
                self.problem(&at, Part::Key(0), message, None);
            }
            return Vec::new();
        };
        if written.len() > MOST {
            let message = format!("`mention` names {}, and {MOST} are allowed", written.len());
            self.problem(&at, Part::Value, message, None);
        }
        let mut mentions = Vec::new();
        for (index, text) in written.into_iter().enumerate().take(MOST) {
            let item = [at.as_slice(), &[Step::Index(index)]].concat();
            if self.is_flagged(&item) {
                continue;
            }
            match page.map(|page| page.can_mention(&text)) {
                Some(Ok(true)) => mentions.push(text),
                Some(Err(why)) => self.problem(&at, Part::Value, format!("`mention` cannot be checked: {why}"), None),
                _ => {
                    // A word that stands alone is no list.
                    let at = if self.document.locate(&item, Part::Value).is_some() { item } else { at.clone() };
                    let hint = Some(format!("{} channel mentions {}", a(kind), spec.about.trim_end_matches('.')));
                    self.problem(&at, Part::Value, "`mention` names nobody whom the service could know", hint);
                }
            }
        }
        mentions
    }
}
