//! The page of `balance-alert report`: what is remembered, to be looked at in a browser. It is complete in itself: its policy
//! forbids it to load anything and to run anything but the script that is in it, and without that script nothing is missing but
//! sorting and finding.
//!
//! [`Page`] is what is shown, `page.html` how it is arranged. Every text from outside passes `markup::harmless`.

mod accounts;
mod calendar;
mod chart;
mod lists;
mod markup;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use self::markup::{Words, day, minute, section};
use super::totals::Total;
use crate::decide::SubscriptionVerdict;
use crate::decide::memory::Mute;
use crate::model::words::Language;
use crate::state::queries::{LastRun, MailTold, Message};

pub(crate) use self::accounts::Account;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the page shows.
pub(crate) struct Page<'a> {
    pub(crate) language: Language,
    /// When it is made.
    pub(crate) now: Timestamp,
    /// Since when it shows what was.
    pub(crate) since: Timestamp,
    /// The accounts and the mailboxes.
    pub(crate) accounts: Vec<Account<'a>>,
    /// The alerts, newest first.
    pub(crate) messages: &'a [Message],
    /// The silences and acknowledgements that are in force.
    pub(crate) mutes: &'a [Mute],
    /// The mails that were told, newest first.
    pub(crate) mails: &'a [MailTold],
    pub(crate) subscriptions: &'a [SubscriptionVerdict],
    /// What the subscriptions come to.
    pub(crate) totals: Vec<Total>,
    /// The day on which the subscriptions are looked at.
    pub(crate) today: Date,
    /// The last runs, newest first.
    pub(crate) runs: &'a [LastRun],
}

impl Page<'_> {
    /// The page as a text. It still holds what only the gate of all texts takes out.
    pub(crate) fn render(&self) -> String {
        let words = Words(self.language);
        let parts = [
            ("accounts", "Accounts|账户", accounts::table(self, words)),
            ("history", "History|历史", accounts::cards(self, words)),
            ("alerts", "Alerts|告警", lists::alerts(self, words)),
            ("silences", "Silences|静默", lists::mutes(self.mutes, words)),
            ("mails", "Mails|邮件", lists::mails(self.mails, words)),
            ("subscriptions", "Subscriptions|订阅", calendar::subscriptions(self, words)),
            ("runs", "Runs|运行", lists::runs(self.runs, self.now, words)),
        ];
        let nothing = words.pick("There is nothing to show.|暂无内容。");
        let sections: String =
            parts.iter().map(|(id, title, body)| section(id, words.pick(title), body, nothing)).collect();
        let nav: String =
            parts.iter().map(|(id, title, _)| format!("<a href=\"#{id}\">{}</a>", words.pick(title))).collect();
        let (chips, options) = accounts::counts(self, words);
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let language = match self.language {
            Language::En => "en",
            Language::Zh => "zh-CN",
        };
        words.fill(
            PAGE,
            &[
                ("lang", language),
                ("policy", &policy),
                ("day", &day(self.now)),
                ("now", &minute(self.now)),
                ("since", &day(self.since)),
                ("style", STYLE),
                ("script", SCRIPT),
                ("chips", &chips),
                ("nav", &nav),
                ("options", &options),
                ("sections", &sections),
                ("version", env!("CARGO_PKG_VERSION")),
            ],
        )
    }
}

/// What a policy calls a style or a script that may be used.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
