//! Which alerts a webhook takes: `match`, `continue` and `min_level`.

use std::collections::BTreeMap;

use super::RawWebhook;
use crate::decide::route::{Asked, Matcher, Misfit, Patterns, Route, misfit};
use crate::model::alert::Level;
use crate::model::words::words;
use crate::yaml::field::fields;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::texts::RawTexts;

fields! {
    /// Which alerts a webhook takes. Each key is a word or a list of words: one of them must fit, and none with `!` before it. `*`
    /// stands for any characters.
    pub(crate) struct RawMatch {
        /// Who the entry belongs to.
        owner_project: RawTexts;
        /// The name of the account, the mailbox or the subscription.
        project: RawTexts;
        /// The id of the provider; `imap` for a mailbox, `subscription` for a subscription.
        provider: RawTexts;
        /// What the alert is about: low, failing, renewal, mail, runway, spike, expiry, topup, silent, digest.
        topic: RawTexts;
        /// How urgent it is: warning, critical.
        level: RawTexts;
        /// Labels of the entry, by their names.
        labels: BTreeMap<String, RawTexts>;
    }
}

words! {
    /// The lowest level that a webhook takes.
    pub(crate) enum LowestLevel {
        /// All alerts
        Warning = "warning",
        /// What is critical
        Critical = "critical",
    }
}

/// The part of a webhook that says what it takes.
pub(super) struct RawRoute {
    pub(super) matcher: Option<RawMatch>,
    pub(super) goes_on: Option<bool>,
    pub(super) min_level: Option<LowestLevel>,
    pub(super) after: Option<Lenient<Text>>,
}

impl ConfigReader<'_> {
    pub(super) fn route(&mut self, path: &[Step], raw: RawRoute) -> Route {
        let at = under(path, RawWebhook::matcher.name);
        let is_broken = self.is_flagged_below(&at);
        let matcher = match raw.matcher {
            _ if is_broken => Some(Matcher::Unreadable),
            Some(raw) => Some(self.matcher(&at, raw)),
            None => None,
        };
        if raw.goes_on.is_some() && matcher.is_none() {
            let hint =
                Some("a webhook without `match` takes what no other one has taken, and holds nothing back".to_owned());
            let at = under(path, RawWebhook::goes_on.name);
            self.problem(&at, Part::Key(0), "`continue` is for webhooks with `match`", hint);
        }
        let after = self.after(&under(path, RawWebhook::after.name), raw.after);
        let min_level = match raw.min_level {
            Some(LowestLevel::Critical) => Level::Critical,
            Some(LowestLevel::Warning) | None => Level::Warning,
        };
        Route { matcher, goes_on: raw.goes_on.unwrap_or_default(), min_level, after }
    }

    fn matcher(&mut self, path: &[Step], raw: RawMatch) -> Matcher {
        let mut asked = Vec::new();
        let labels = raw.labels.unwrap_or_default().into_iter().map(|(name, words)| (Asked::Label(name), Some(words)));
        let known = [
            (Asked::Owner, raw.owner_project),
            (Asked::Name, raw.project),
            (Asked::Provider, raw.provider),
            (Asked::Topic, raw.topic),
            (Asked::Level, raw.level),
        ];
        for (what, words) in known.into_iter().chain(labels) {
            let Some(RawTexts(words)) = words else { continue };
            let at = match &what {
                Asked::Label(name) => under(&under(path, "labels"), name),
                _ => under(path, &what.shown()),
            };
            self.patterns(&at, &what, &words);
            asked.push((what, Patterns::new(words.iter().map(String::as_str))));
        }
        if asked.is_empty() {
            let hint = Some("leave it out for a webhook that takes what no other one has taken".to_owned());
            self.problem(path, Part::Value, "`match` says nothing of what is taken", hint);
        }
        Matcher::Of(asked)
    }

    /// Reports patterns that can fit nothing.
    fn patterns(&mut self, path: &[Step], asked: &Asked, words: &[String]) {
        if words.is_empty() {
            self.problem(path, Part::Value, format!("`{}` is an empty list", asked.shown()), None);
        }
        for (index, word) in words.iter().enumerate() {
            let mut at = path.to_vec();
            if words.len() > 1 {
                at.push(Step::Index(index));
            }
            match misfit(asked, word) {
                None => {}
                Some(Misfit::Empty) => {
                    let hint =
                        "`*` fits every value that there is; put a word with `!` or `*` before it in quotes".to_owned();
                    self.problem(&at, Part::Value, format!("`{}` has an empty word", asked.shown()), Some(hint));
                }
                Some(Misfit::Unknown { pattern, known }) => self.choice(&at, "", pattern, &known),
            }
        }
    }
}
