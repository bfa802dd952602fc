//! What a letter says, and its form: a head, and the same in text and in HTML.

use std::cmp::Reverse;

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::{Email, html};
use crate::model::alert::{Alert, Level};
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::notify::message::{Markup, Message};

/// The longest subject, in characters.
const SUBJECT_CHARS: usize = 200;

/// What a letter says.
pub(super) struct Letter {
    subject: String,
    text: String,
    html: String,
    /// Names the message: a repeat of it has the same one, so that a reader's program shows it once.
    id: String,
    is_urgent: bool,
}

impl Letter {
    pub(super) fn new(email: &Email, message: &Message, alerts: &[Alert], source: &str) -> Letter {
        let key = message.dedup_key(alerts);
        let mut sorted = alerts.to_vec();
        sorted.sort_by_key(|alert| Reverse(alert.level));
        let title = message.title(alerts);
        let prefix = email.subject_prefix.as_ref().map(|prefix| format!("{prefix} ")).unwrap_or_default();
        // Programs make links of what looks like one, in a text too.
        let plain = Markup::Plain.neutral();
        let lines = message.lines(&sorted, plain).join("\n");
        Letter {
            subject: text::one_line(&format!("{prefix}{}", message.subject(alerts)), SUBJECT_CHARS),
            text: format!("{title}\n\n{lines}\n\n{}\n", message.footer(source, alerts, plain)),
            html: html::page(message, &sorted, &message.footer(source, alerts, Markup::Html.neutral())),
            id: format!("<{key}@{}>", email.from.email.domain()),
            is_urgent: alerts.iter().any(|alert| alert.level == Level::Critical),
        }
    }

    /// The head beside those whom the letter is from and for.
    fn head(&self) -> impl Iterator<Item = (&'static str, &str)> {
        // Nobody's out-of-office note answers it (RFC 3834, and Exchange).
        let fixed = [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];
        let urgent = self.is_urgent.then_some(("Importance", "high"));
        [("Message-ID", self.id.as_str())].into_iter().chain(fixed).chain(urgent)
    }

    /// The letter as people read it.
    pub(super) fn shown(&self, email: &Email) -> String {
        let list = |mailboxes: &[Mailbox]| mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut head = vec![("From", email.from.to_string()), ("To", list(&email.to)), ("Cc", list(&email.cc))];
        head.push(("Subject", self.subject.clone()));
        head.extend(self.head().map(|(name, value)| (name, value.to_owned())));
        head.retain(|(_, value)| !value.is_empty());
        let head: String = head.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{head}\n{}\n{}", self.text, self.html)
    }

    /// The letter as it is sent.
    ///
    /// # Errors
    /// It cannot be written; the texts of the error may hold addresses, so it says no more.
    pub(super) fn written(self, email: &Email, now: Timestamp) -> Result<lettre::Message, Failure> {
        let mut builder = lettre::Message::builder().date(now.into()).from(email.from.clone());
        for to in &email.to {
            builder = builder.to(to.clone());
        }
        for cc in &email.cc {
            builder = builder.cc(cc.clone());
        }
        for (name, value) in self.head() {
            let name = HeaderName::new_from_ascii(name.to_owned())
                .map_err(|_| Failure::new(Reason::Internal, "the head of the letter cannot be written"))?;
            builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
        }
        builder
            .subject(self.subject)
            .multipart(MultiPart::alternative_plain_html(self.text, self.html))
            .map_err(|_| Failure::new(Reason::Config, "the letter cannot be written for these addresses"))
    }
}
