//! What alerts are counted by in a title, and listed by in a short message.

use crate::model::alert::{Alert, Cause, Event, Level};
use crate::model::words::words;

words! {
    /// The class of an alert, in the order in which messages name them: worst first. The words are those of English messages.
    pub(super) enum Class {
        Low = "low",
        Warning = "warning",
        Failing = "failing",
        Renewing = "renewing",
        ByMail = "by mail",
        Recovered = "recovered",
    }
}

impl Class {
    pub(super) fn of(alert: &Alert) -> Class {
        match (&alert.cause, alert.event) {
            (Cause::Mail(_), _) => Class::ByMail,
            (_, Event::Resolved) => Class::Recovered,
            (Cause::Low(_), Event::Raised) if alert.level == Level::Critical => Class::Low,
            (Cause::Low(_), Event::Raised) => Class::Warning,
            (Cause::Failing(_), Event::Raised) => Class::Failing,
            (Cause::Renewal(_), Event::Raised) => Class::Renewing,
        }
    }
}

/// How urgent an alert is, at a glance.
pub(super) fn mark(alert: &Alert) -> &'static str {
    match (alert.level, &alert.cause) {
        (Level::Critical, _) => "🔴",
        (Level::Warning, Cause::Low(_) | Cause::Renewal(_) | Cause::Mail(_)) => "🟡",
        (Level::Warning, Cause::Failing(_)) => "⚪",
        (Level::Info, _) => "🟢",
    }
}
