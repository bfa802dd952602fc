//! The lists of words and senders by which a config says which mails are alerts.

use crate::check::mailbox::judge::Judge;
use crate::model::strength::Strength;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;

/// Most entries of a list of words.
const MOST_WORDS: usize = 1000;

/// The words of a config that make mails alerts.
#[derive(Clone)]
pub(super) struct Words {
    /// They alone decide.
    pub(super) only: Option<Vec<String>>,
    /// They count beside what decides otherwise.
    pub(super) more: Vec<String>,
}

impl Words {
    /// The words of one mailbox, which may have its own.
    pub(super) fn of_one(&self, only: Option<Vec<String>>, more: Option<Vec<String>>) -> Words {
        let shared = if only.is_none() { self.clone() } else { Words { only, more: Vec::new() } };
        Words { more: shared.more.into_iter().chain(more.unwrap_or_default()).collect(), only: shared.only }
    }

    pub(super) fn judge(self, enough: Option<Strength>) -> Judge {
        match self.only {
            Some(only) => Judge::by_words(only.into_iter().chain(self.more), enough),
            None => Judge::by_engine(self.more, enough),
        }
    }
}

impl ConfigReader<'_> {
    /// A list of words that is not too long: each word is looked for in each mail.
    pub(super) fn few(&mut self, path: &[Step], field: &str, words: Option<Vec<String>>) -> Option<Vec<String>> {
        let mut words = words?;
        if words.len() > MOST_WORDS {
            let message = format!("`{field}` has {} entries, and {MOST_WORDS} are allowed", words.len());
            self.problem(&under(path, field), Part::Value, message, None);
            words.truncate(MOST_WORDS);
        }
        Some(words)
    }

    /// The senders of a list as they are compared: in lower case, and none that is empty, which would be all of them.
    pub(super) fn senders(&mut self, path: &[Step], field: &str, senders: Option<Vec<String>>) -> Option<Vec<String>> {
        let senders = self.few(path, field, senders)?;
        let senders = senders.iter().map(|sender| sender.trim().to_lowercase());
        Some(senders.filter(|sender| !sender.is_empty()).collect())
    }

    /// The only senders whose mails can be alerts; none if all can.
    pub(super) fn only_senders(&mut self, path: &[Step], senders: Option<Vec<String>>) -> Option<Vec<String>> {
        let senders = self.senders(path, "only_senders", senders);
        if senders.as_ref().is_some_and(Vec::is_empty) && !self.is_flagged(&under(path, "only_senders")) {
            let message = "`only_senders` names nobody, so no mail would be looked at";
            let hint = Some("leave it out to look at the mails of all senders".to_owned());
            self.problem(&under(path, "only_senders"), Part::Value, message, hint);
        }
        senders
    }
}
