//! What was said, compared with what is: whether there is news, and what a message adds about the time before.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::decide::memory::{Owed, Told};
use crate::model::alert::{Alert, Cause, Change, Event, Level, Missed, Topic};
use crate::model::amount;

/// The content of a message that was not delivered.
pub(super) fn missed(owed: &Owed) -> Option<Missed> {
    let Owed { alert, may_have_arrived, .. } = owed;
    let found = alert.cause.facts().missed()?;
    Some(Missed { at: alert.at, is_unsure: *may_have_arrived, found })
}

impl Told {
    /// The message that says again what was told, and since when that is so. `alert` says what is known now of what it is about.
    pub(super) fn again(&self, alert: &Alert, since: Timestamp) -> Alert {
        let mut again = Alert {
            event: Event::Raised,
            level: self.level,
            at: self.at,
            since: Some(since),
            unconfirmed: true,
            is_reminder: true,
            ..alert.clone()
        };
        if let Cause::Low(low) = &mut again.cause {
            low.account.balance = self.balance;
            low.account.currency.clone_from(&self.currency);
            low.threshold = self.threshold;
        }
        again
    }
}

/// What was said of a low balance before it was no longer low.
#[derive(Default)]
pub(super) struct Before<'a> {
    threshold: Option<Decimal>,
    /// The currency, if one was named; none if nothing was said.
    currency: Option<Option<&'a str>>,
}

impl<'a> Before<'a> {
    pub(super) fn told(told: &'a Told) -> Before<'a> {
        Before { threshold: told.threshold, currency: Some(told.currency.as_deref()) }
    }

    pub(super) fn owed(alert: &'a Alert) -> Before<'a> {
        Before { threshold: alert.threshold(), currency: Some(alert.currency()) }
    }

    /// What a message that is said again was about.
    pub(super) fn repeated(alert: &'a Alert) -> Before<'a> {
        let Cause::Low(low) = &alert.cause else {
            return Before::default();
        };
        let currency = low.account.currency.as_deref();
        match &low.change {
            None => Before { threshold: None, currency: Some(currency) },
            Some(Change::Threshold(before)) => Before { threshold: Some(*before), currency: Some(currency) },
            Some(Change::Currency(before)) => Before { threshold: None, currency: Some(before.as_deref()) },
        }
    }

    /// The message that it is over, with the reason why that is no recovery, if there is one: the threshold that was told, if the
    /// balance is still below that one, or else the currency that was told, if it is another one.
    pub(super) fn beside(self, mut alert: Alert) -> Alert {
        if let Cause::Low(low) = &mut alert.cause
            && let Some((balance, threshold)) = low.account.balance.zip(low.threshold)
        {
            let now = low.account.currency.as_deref();
            // A currency that is not named may be another one than the one that is.
            let is_other = |told: Option<&str>| told.is_some() != now.is_some() || is_other_currency(told, now);
            let told = self.currency.filter(|told| is_other(*told));
            let lowered = self.threshold.filter(|told| threshold < *told && balance < *told);
            low.change = told.map(|told| Change::Currency(told.map(str::to_owned))).or(lowered.map(Change::Threshold));
        }
        alert
    }
}

/// Whether two amounts may be counted in different currencies, as `$` and USD may. One that is not named is not compared.
fn is_other_currency(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| !amount::is_certainly_same(one, other))
}

/// What a message said, as far as another one can say more.
pub(super) struct Content<'a> {
    level: Level,
    threshold: Option<Decimal>,
    balance: Option<Decimal>,
    currency: Option<&'a str>,
}

impl<'a> Content<'a> {
    /// Whether an alert says more than this: it is more urgent, has another threshold or currency, or much less is left.
    pub(super) fn is_less_than(&self, alert: &Alert, drop_percent: Decimal) -> bool {
        // Each top-up is another one.
        if alert.topic() == Topic::TopUp {
            return true;
        }
        // A balance that falls as it is expected to is no news, and neither is one that falls fast and is told to do so. Of credits
        // only those are news that were not told.
        if matches!(alert.topic(), Topic::Runway | Topic::Spike | Topic::Expiry) {
            return alert.level > self.level;
        }
        // Amounts in two currencies cannot be compared, so neither can it be said that nothing has changed.
        if alert.topic() == Topic::Low && is_other_currency(self.currency, alert.currency()) {
            return true;
        }
        let is_worse = alert.level > self.level;
        // A warning has another threshold than what is critical, so only the same level can be compared.
        let is_changed = alert.level == self.level && alert.threshold() != self.threshold;
        is_worse || is_changed || has_dropped(self.balance, alert.balance(), drop_percent)
    }

    pub(super) fn told(told: &'a Told) -> Content<'a> {
        let currency = told.currency.as_deref();
        Content { level: told.level, threshold: told.threshold, balance: told.balance, currency }
    }

    pub(super) fn of(alert: &'a Alert) -> Content<'a> {
        let currency = alert.currency();
        Content { level: alert.level, threshold: alert.threshold(), balance: alert.balance(), currency }
    }
}

/// Whether a balance is the given percentage below the one last told. Below zero the distance grows likewise.
pub(super) fn has_dropped(told: Option<Decimal>, now: Option<Decimal>, percent: Decimal) -> bool {
    let Some((told, now)) = told.zip(now) else {
        return false;
    };
    let part = told.abs().checked_mul(percent / Decimal::ONE_HUNDRED);
    now < told && part.and_then(|part| told.checked_sub(part)).is_some_and(|limit| now <= limit)
}
