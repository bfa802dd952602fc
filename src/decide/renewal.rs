//! Reminders of renewals: what is known of a subscription is about one of its renewals, and another one begins anew.

use jiff::civil::Date;

use super::alert_builder::AlertBuilder;
use super::decision::Decision;
use super::per_channel::{Observed, Settler};
use super::renewal_cycle::cycle;
use super::verdict::SubscriptionVerdict;
use crate::check::subscription::{self, Standing};
use crate::decide::memory::Condition;
use crate::model::alert::{Alert, Cause, Event, Level, Renewal};
use crate::model::text;

impl Settler<'_> {
    /// A reminder is told once a cycle and day, and not more often than the cool-down allows. What is overdue is told once, and again as
    /// other alerts are. That it is over is no news, unless nobody heard that it was due.
    pub(super) fn settle_renewal(
        &self,
        verdict: &SubscriptionVerdict,
        builder: &AlertBuilder,
        today: Date,
        decision: &mut Decision,
    ) {
        let Some((alert, renewal)) = reminder(verdict, builder, today).filter(|_| self.tells()) else {
            return;
        };
        let standing = renewal.standing;
        let key = (alert.identity, alert.topic());
        let Some(known) = self.memory.conditions.get(&key) else {
            return match standing {
                Standing::Due | Standing::Overdue => {
                    self.settle(Observed::Wrong(alert), key, &builder.about(), decision);
                }
                Standing::Renewed | Standing::Ok | Standing::Over => {}
            };
        };
        // The renewal that nobody heard of, if its day has passed and it is not paid as far as is known.
        let is_paid = |due: Date| renewal.paid_for.is_some_and(|paid| due <= paid);
        let owed = || known.channels.values().filter_map(|heard| heard.owed.as_ref());
        let passed = owed().find(|owed| owed.alert.renewal().is_some_and(|due| due.next < today && !is_paid(due.next)));
        let (now, cycle) = match standing {
            Standing::Due | Standing::Overdue => {
                let cycle = cycle(&alert.mark()).to_owned();
                (Observed::Wrong(alert), cycle)
            }
            Standing::Ok | Standing::Over if passed.is_some() => {
                let cycle = passed.map(|owed| cycle(&owed.alert.mark()).to_owned()).unwrap_or_default();
                (Observed::Passed(alert), cycle)
            }
            Standing::Renewed | Standing::Ok | Standing::Over => (Observed::Void, String::new()),
        };
        let stored = Some(known.course);
        let known = if matches!(now, Observed::Void) { known.clone() } else { self.of_cycle(known, &cycle, decision) };
        self.settle_since(now, (key, &builder.about()), Some(&known), stored, decision);
    }

    /// Narrows the condition to one renewal of a subscription: messages that are owed about another renewal are withdrawn.
    fn of_cycle(&self, known: &Condition, wanted: &str, decision: &mut Decision) -> Condition {
        let mut known = known.clone();
        for (id, heard) in &mut known.channels {
            heard.told.take_if(|told| cycle(&told.mark) != wanted);
            let other = heard.owed.take_if(|owed| cycle(&owed.alert.mark()) != wanted && !owed.is_claimed);
            if let Some(other) = other {
                decision.changes.withdrawn.push((other.alert.dedup_key, id.clone()));
            }
        }
        if known.channels.values().all(|heard| heard.told.is_none() && heard.owed.is_none()) {
            known.course.began = self.cooldown.now;
        }
        known
    }
}

/// The reminder of a subscription, and when it renews; none if that is not known.
fn reminder(
    verdict: &SubscriptionVerdict,
    builder: &AlertBuilder,
    today: Date,
) -> Option<(Alert, subscription::Renewal)> {
    let subscription = &verdict.subscription;
    let (renewal, schedule) = verdict.renewal.as_ref().ok().zip(subscription.schedule.as_ref().ok())?;
    let level = if renewal.days <= 0 { Level::Critical } else { Level::Warning };
    let cause = Cause::Renewal(Renewal {
        cycle_type: schedule.cycle.cadence(),
        renewal_day: schedule.renewal_day.clone(),
        next: renewal.next,
        today,
        days: renewal.days,
        amount: verdict.price(),
        currency: subscription.currency.as_ref().map(|currency| text::one_line(currency, 16)),
    });
    Some((builder.alert(Event::Raised, level, cause), *renewal))
}
