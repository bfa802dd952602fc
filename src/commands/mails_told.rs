//! The mails that alerts have told of, as `status` and `history` show them beside their mailbox and their account.

use jiff::Timestamp;
use serde::Serialize;

use super::health::ago;
use crate::model::text;
use crate::process::clock::iso;
use crate::state::queries::MailTold;

/// Most mails that are shown of a mailbox or an account.
const MOST: usize = 5;

/// A mail that speaks of trouble, in JSON.
#[derive(Serialize)]
pub(super) struct MailEntry<'a> {
    mailbox: &'a str,
    account: Option<&'a str>,
    subject: &'a str,
    sender: &'a str,
    date: String,
    age_seconds: i64,
    signs: &'a [String],
}

/// How old something is, in seconds; what is ahead of the clock is not older than nothing.
pub(super) fn age_seconds(at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(at).as_secs().max(0)
}

/// When a mail was sent or received, or else its alert was decided.
fn date(told: &MailTold) -> Timestamp {
    told.mail.date.unwrap_or(told.decided_at)
}

/// The mails of a mailbox or an account with this name, the newest alerts first.
fn of<'a>(name: &'a str, told: &'a [MailTold]) -> impl Iterator<Item = &'a MailTold> {
    told.iter().filter(move |told| told.mailbox == name || told.mail.account.as_deref() == Some(name))
}

/// These for programs, five at the most.
pub(super) fn entries<'a>(name: &'a str, told: &'a [MailTold], now: Timestamp) -> Vec<MailEntry<'a>> {
    let entry = |told: &'a MailTold| MailEntry {
        mailbox: &told.mailbox,
        account: told.mail.account.as_deref(),
        subject: &told.mail.subject,
        sender: &told.mail.sender,
        date: iso(date(told)),
        age_seconds: age_seconds(date(told), now),
        signs: &told.mail.keywords,
    };
    of(name, told).take(MOST).map(entry).collect()
}

/// These for people, each in a line without its end, five at the most.
pub(super) fn lines(name: &str, told: &[MailTold], now: Timestamp) -> Vec<String> {
    let line = |told: &MailTold| {
        let signs = text::list(told.mail.keywords.iter().map(String::as_str));
        let signs = if signs.is_empty() { signs } else { format!(" [{signs}]") };
        format!("mail {}: {}{signs}", ago(date(told), now), text::one_line(&told.mail.subject, 80))
    };
    of(name, told).take(MOST).map(line).collect()
}
