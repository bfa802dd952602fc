//! What an act says to a channel, and under which key.

use super::action_table::{Act, Knows};
use super::changes::{Before, missed};
use super::per_channel::{Case, Observed, Settler};
use super::recipients::Recipient;
use crate::decide::memory::Owed;
use crate::model::alert::{Alert, Cause, Event, Level, Topic};

impl Settler<'_> {
    /// What an act says to a channel that knows so much, still without a key.
    pub(super) fn words(
        &self,
        (act, knows): (Act, Knows),
        observed: &Observed,
        recipient: &Recipient,
        case: &Case,
    ) -> Option<Alert> {
        let owed = recipient.heard.owed.as_ref();
        let is_renewal = case.key.1 == Topic::Renewal;
        let is_new_here = recipient.heard.told.is_none();
        // The message about a renewal names its dates anyway.
        let is_late = is_new_here && case.course.began < self.cooldown.now && !is_renewal;
        let since = is_late.then_some(case.course.began);
        let told = recipient.heard.told.as_ref().map(|told| told.mark.as_str());
        let blank = |alert: &Alert| {
            let cause = match (&alert.cause, told.filter(|_| knows == Knows::Less), act) {
                // What the channel was told of credits is not told again.
                (Cause::Expiry(expiry), Some(told), Act::Raise | Act::Repeat) => {
                    Cause::Expiry(expiry.clone().beyond(told))
                }
                (Cause::TopUp(topup), _, Act::Repeat) => match owed.map(|owed| &owed.alert.cause) {
                    Some(Cause::TopUp(earlier)) => Cause::TopUp(topup.clone().with(earlier)),
                    _ => alert.cause.clone(),
                },
                (cause, ..) => cause.clone(),
            };
            Alert { dedup_key: String::new(), cause, ..alert.clone() }
        };
        // That a renewal is over is said of the one that nobody heard of, not of the next one.
        let over = |alert: &Alert| match owed.map(|owed| &owed.alert).filter(|_| is_renewal) {
            Some(due) => Alert { event: Event::Resolved, level: Level::Info, ..blank(due) },
            None => blank(alert),
        };
        let said = match (act, observed) {
            (Act::Raise, Observed::Wrong(alert)) => Some(Alert { since, ..blank(alert) }),
            (Act::Remind, Observed::Wrong(alert)) => Some(Alert { is_reminder: true, ..blank(alert) }),
            (Act::Recall, Observed::Unknown(alert) | Observed::Nearly(alert) | Observed::Wrong(alert)) => {
                recipient.heard.told.as_ref().map(|told| told.again(&blank(alert), case.course.began))
            }
            (Act::Repeat, Observed::Wrong(alert)) => {
                // What is owed may have been news when it was found, or a reminder. What is said now is what is true now.
                Some(Alert { since, is_reminder: knows == Knows::Old, ..blank(alert) })
            }
            (Act::RepeatMissed, Observed::Wrong(alert)) => {
                Some(Alert { missed: owed.and_then(missed), ..blank(alert) })
            }
            (Act::Repeat, Observed::Right(alert) | Observed::Nearly(alert) | Observed::Passed(alert)) => {
                // Its text says what nobody heard; only the balance is newer.
                let missed = owed.and_then(|owed| owed.alert.missed.clone());
                let before = owed.map(|owed| Before::repeated(&owed.alert)).unwrap_or_default();
                Some(before.beside(Alert { missed, ..over(alert) }))
            }
            // All was well when it was seen last, and this run cannot look.
            (Act::RepeatBlind, _) | (Act::Repeat, Observed::Unknown(_)) => {
                owed.map(|owed| Alert { unconfirmed: true, ..blank(&owed.alert) })
            }
            (Act::Recover, Observed::Right(alert)) => {
                let before = recipient.heard.told.as_ref().map(Before::told).unwrap_or_default();
                Some(before.beside(blank(alert)))
            }
            (Act::Notice, Observed::Right(alert) | Observed::Passed(alert)) => {
                let before = owed.map(|owed| Before::owed(&owed.alert)).unwrap_or_default();
                Some(before.beside(Alert { missed: owed.and_then(missed), ..over(alert) }))
            }
            _ => None,
        };
        said.map(|alert| recipient.heard.as_before(alert))
    }

    /// Adds a message for a channel, under the key of the one that it repeats or under a new one. Gives the key.
    ///
    /// A new key says what the message is about, when that began, the number of the message since then, and the run. So a
    /// reminder has another key, and so has the next time, even if all runs have the same id.
    pub(super) fn say(
        &self,
        alert: Alert,
        repeated: Option<&Owed>,
        (to, is_later): (&Recipient, bool),
        case: &mut Case,
    ) -> String {
        let repeated = repeated.map(|owed| owed.alert.dedup_key.as_str());
        let Case { key: (identity, topic), course, messages, .. } = case;
        let event = alert.event;
        messages.add(alert, repeated, (&to.listener.id, to.earlier(), is_later), || {
            course.messages = course.messages.saturating_add(1);
            let over = if event == Event::Resolved { "-resolved" } else { "" };
            let began = course.began.strftime("%Y%m%dT%H%M%S%.3fZ");
            format!("{}{over}-{identity}-{began}-{}-{}", topic.as_str(), course.messages, self.run_id)
        })
    }
}
