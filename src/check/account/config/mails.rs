//! What a project says of mails: which of them tell its balance, and whose are about it.

use std::time::Duration;

use regex_lite::Regex;

use super::RawProject;
use crate::check::account::balance_mails::{BALANCE, Letters, PROVIDER, SOURCE};
use crate::check::account::page::{Page, time};
use crate::check::mailbox::config::Mailbox;
use crate::yaml::address::is_host;
use crate::yaml::path::{Part, Step, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::shape::{shown_name, suggestion};
use crate::yaml::texts::RawTexts;

/// Most entries of one of the lists.
const MOST: usize = 100;
/// How old the newest mail may be if the project does not say it.
pub(super) const MAX_AGE: &str = "45d";
/// The range of that.
const SHORTEST: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(400 * 86_400);
/// The keys that only an account has that is read from mails.
const KEYS: [&str; 5] = ["mailbox", "from", "subject", "pattern", "max_age"];

/// What a project says of the mails that tell its balance, as it is written.
pub(super) struct RawMails {
    mailbox: Option<String>,
    from: Option<RawTexts>,
    subject: Option<RawTexts>,
    pattern: Option<String>,
    max_age: Option<String>,
}

impl RawMails {
    pub(super) fn of(raw: &mut RawProject) -> RawMails {
        RawMails {
            mailbox: raw.mailbox.take(),
            from: raw.from.take(),
            subject: raw.subject.take(),
            pattern: raw.pattern.take(),
            max_age: raw.max_age.take(),
        }
    }

    /// Which of [`KEYS`] are written.
    fn written(&self) -> impl Iterator<Item = &'static str> {
        let is_there = [
            self.mailbox.is_some(),
            self.from.is_some(),
            self.subject.is_some(),
            self.pattern.is_some(),
            self.max_age.is_some(),
        ];
        KEYS.into_iter().zip(is_there).filter_map(|(key, is_there)| is_there.then_some(key))
    }
}

/// Whether a page is the one of accounts that are read from mails, and not one of the user's own with its id.
pub(super) fn is_of_mails(page: &Page) -> bool {
    page.id == PROVIDER && page.file() == Some(SOURCE)
}

impl ConfigReader<'_> {
    /// Which mails tell the balance of a project; none if it is asked otherwise, or if a problem says why.
    pub(super) fn letters(
        &mut self,
        path: &[Step],
        raw: RawMails,
        page: &Page,
        mailboxes: &[Mailbox],
    ) -> Option<Letters> {
        if !is_of_mails(page) {
            for name in raw.written() {
                let message = format!("`{name}` is for accounts of `provider: {PROVIDER}`");
                self.problem(&under(path, name), Part::Key(0), message, None);
            }
            return None;
        }
        let has_words = raw.from.is_some() || raw.subject.is_some();
        let is_said = ["from", "subject"].iter().any(|field| self.is_flagged(&under(path, field)));
        if !has_words && !is_said && !self.is_unusable(path) {
            let hint = "without them, every mail of the mailbox would tell the balance".to_owned();
            self.problem(path, Part::Value, "`from` or `subject` is missing", Some(hint));
        }
        self.required(path, "mailbox", raw.mailbox.is_some() || self.is_unusable(path));
        let from = self.words(path, "from", raw.from);
        let subject = self.words(path, "subject", raw.subject);
        let pattern = raw.pattern.and_then(|pattern| self.pattern(path, &pattern));
        let max_age = self.max_age(path, raw.max_age.as_deref().unwrap_or(MAX_AGE));
        let mailbox = raw.mailbox.filter(|name| self.is_mailbox(path, name, mailboxes))?;
        Some(Letters { mailbox, from, subject, pattern, max_age: max_age? })
    }

    /// Whether there is a mailbox of this name, or a problem.
    fn is_mailbox(&mut self, path: &[Step], name: &str, mailboxes: &[Mailbox]) -> bool {
        if mailboxes.iter().any(|mailbox| mailbox.name == name) {
            return true;
        }
        let is_off = self.names.iter().any(|(at, known)| at.first() == Some(&key("email")) && known == name);
        let known: Vec<&str> = mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
        let (message, hint) = match (is_off, known.is_empty()) {
            (true, _) => (format!("the mailbox{} is not watched", shown_name(name)), None),
            (false, true) => ("there is no mailbox in the config".to_owned(), Some("add it under `email`".to_owned())),
            (false, false) => {
                (format!("there is no mailbox{}", shown_name(name)), suggestion(name, &known, "mailboxes"))
            }
        };
        self.problem(&under(path, "mailbox"), Part::Value, message, hint);
        false
    }

    /// The words of a list as they are compared: in lower case, and none that is empty, which would be in every text.
    fn words(&mut self, path: &[Step], field: &str, texts: Option<RawTexts>) -> Vec<String> {
        let Some(RawTexts(mut texts)) = texts else {
            return Vec::new();
        };
        if texts.len() > MOST {
            let message = format!("`{field}` has {} entries, and {MOST} are allowed", texts.len());
            self.problem(&under(path, field), Part::Value, message, None);
            texts.truncate(MOST);
        }
        let words = texts.iter().map(|text| text.trim().to_lowercase());
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        if words.is_empty() && !self.is_flagged(&under(path, field)) {
            self.problem(&under(path, field), Part::Value, format!("`{field}` is empty"), None);
        }
        words
    }

    fn pattern(&mut self, path: &[Step], pattern: &str) -> Option<Regex> {
        let at = under(path, "pattern");
        match Regex::new(pattern) {
            Ok(regex) if regex.capture_names().flatten().any(|name| name == BALANCE) => return Some(regex),
            Ok(_) => {
                let message = format!("`pattern` has no group `{BALANCE}`");
                let hint = "write what the balance stands in, as `Balance: (?P<balance>[^\\n]+)`".to_owned();
                self.problem(&at, Part::Value, message, Some(hint));
            }
            Err(error) => {
                self.problem(&at, Part::Value, format!("`pattern` is no regular expression: {error}"), None);
            }
        }
        None
    }

    fn max_age(&mut self, path: &[Step], text: &str) -> Option<Duration> {
        let span = time::span(text.trim()).filter(|span| (SHORTEST..=LONGEST).contains(span));
        if span.is_none() {
            let message = "`max_age` must be a time from `1h` to `400d`";
            self.problem(&under(path, "max_age"), Part::Value, message, None);
        }
        span
    }

    /// Whose mails are about an account: addresses and domains, in lower case.
    pub(super) fn mail_from(&mut self, path: &[Step], texts: Option<RawTexts>) -> Vec<String> {
        let senders = self.words(path, "mail_from", texts);
        let is_sound = |sender: &String| {
            let (user, domain) = sender.rsplit_once('@').unwrap_or(("", sender));
            is_host(domain) && domain.trim_matches('.').contains('.') && !user.contains(char::is_whitespace)
        };
        if !senders.iter().all(is_sound) {
            let message = "`mail_from` must name addresses and domains";
            let hint = "write `billing@vendor.example`, or `vendor.example` for all of its addresses".to_owned();
            self.problem(&under(path, "mail_from"), Part::Value, message, Some(hint));
        }
        senders
    }
}
