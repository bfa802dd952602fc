//! What alerts are counted by in a title, and listed by in a short message.

use crate::model::alert::{Alert, Cause, Event, Level};

/// The class of an alert; worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Low,
    Warning,
    Failing,
    Renewing,
    ByMail,
    Recovered,
}

impl Class {
    /// Every class, in the order in which messages name them.
    pub(super) const ALL: [Class; 6] =
        [Class::Low, Class::Warning, Class::Failing, Class::Renewing, Class::ByMail, Class::Recovered];

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
