//! What alerts are counted by in a title, and listed by in a short message.

use crate::model::alert::{Alert, Cause, Event, Level, Topic};
use crate::model::cadence::Cadence;

/// The class of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Something of this topic is wrong.
    Raised(Topic),
    /// A balance is below its warning threshold only.
    Warning,
    /// A subscription was not renewed on its day.
    Overdue,
    /// A subscription ends, and does not renew.
    Ending,
    /// Something is over.
    Recovered,
}

impl Class {
    /// Every class, in the order in which messages name them: that of the topics, what is over last.
    pub(super) fn all() -> impl Iterator<Item = Class> {
        let of_topic = |topic| match topic {
            Topic::Low => vec![Class::Raised(topic), Class::Warning],
            Topic::Renewal => vec![Class::Overdue, Class::Raised(topic), Class::Ending],
            _ => vec![Class::Raised(topic)],
        };
        Topic::ALL.into_iter().flat_map(of_topic).chain([Class::Recovered])
    }

    pub(super) fn of(alert: &Alert) -> Class {
        match (alert.topic(), alert.event) {
            // A mail is never over.
            (Topic::Mail, _) => Class::Raised(Topic::Mail),
            (_, Event::Resolved) => Class::Recovered,
            (Topic::Low, Event::Raised) if alert.level != Level::Critical => Class::Warning,
            (topic, Event::Raised) => match alert.renewal() {
                Some(renewal) if renewal.is_overdue() => Class::Overdue,
                Some(renewal) if renewal.cycle_type == Cadence::Once => Class::Ending,
                _ => Class::Raised(topic),
            },
        }
    }
}

/// The sign at the beginning of a line, which shows how urgent the alert is.
pub(super) fn mark(alert: &Alert) -> &'static str {
    match (alert.level, &alert.cause) {
        (_, Cause::Digest(_)) => "📊",
        (Level::Critical, _) => "🔴",
        (Level::Warning, Cause::Failing(_)) => "⚪",
        (Level::Warning, _) => "🟡",
        (Level::Info, _) => "🟢",
    }
}
