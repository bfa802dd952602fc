//! A command of the user's own as a channel: it gets the message as a document, and its exit code says whether it took the message.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::{Audience, Document};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::text;
use crate::notify::message::{Markup, Message};
use crate::process::command::{self, End, Program, TRY_AGAIN};
use crate::process::interrupt::Deadline;

/// The document of a message, as the expressions of pages see it. Texts stand in it as they came.
pub(super) fn body(message: &Message, alerts: &[Alert], source: &str, now: Timestamp) -> String {
    let (fields, sent_at) = (&BTreeMap::new(), now.as_second());
    let audience = Audience { is_event_service: false, markup: Markup::None, source, fields, mentions: &[], sent_at };
    // Texts, numbers and lists only: this cannot fail.
    serde_json::to_string(&Document::new(message, alerts, &audience)).unwrap_or_default()
}

/// Runs the command. A command that was killed may have told somebody.
///
/// # Errors
/// Why the message was not taken.
pub(crate) fn run(command: &Program, body: &str, until: &Deadline) -> Result<(), Failure> {
    let end = command::run(command, body, until).map_err(|error| {
        let why = text::io_error(&error);
        Failure::new(Reason::Config, format!("the command cannot be started: {why}"))
    })?;
    match end {
        End::Exit(0) => Ok(()),
        End::Exit(TRY_AGAIN) => {
            Err(Failure::transient(Reason::Api, format!("the command asks for a repeat (exit code {TRY_AGAIN})")))
        }
        End::Exit(code) => {
            Err(Failure::new(Reason::Api, format!("the command refused the message (exit code {code})")))
        }
        End::Signal(signal) => Err(Failure::new(Reason::Api, format!("the command was ended by signal {signal}"))),
        End::Late => {
            let late = Failure::new(Reason::Timeout, "the command had not ended in its time, and was killed");
            Err(Failure { retry: Retry::Later, ..late })
        }
    }
}
