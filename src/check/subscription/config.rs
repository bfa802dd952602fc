//! What a config says of subscriptions.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Cycle;
use super::days_config::Days;
use super::price::Price;
use crate::model::addressing::Addressing;
use crate::model::cadence::Cadence;
use crate::model::identity::Identity;
use crate::model::words::CycleType;
use crate::yaml::addressing::RawLabels;
use crate::yaml::field::{Number, fields};
use crate::yaml::path::{Part, Step, item, show, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::shown_name;
use crate::yaml::texts::RawTexts;

fields! {
    /// What renews on a date.
    pub(crate) struct RawSubscription {
        /// The unique name in reports and alerts.
        name: String, required = true;
        /// How often it renews. In its stead there is `every` or `ends_on`.
        cycle_type: CycleType;
        /// The day for `cycle_type`. Weekly: 1 (Monday) to 7. Monthly: 1 to 31. Quarterly, half-yearly and yearly: month and day of one
        /// renewal, as 315 or "03-15"; 1 to 31 alone counts from `last_renewed_date`: yearly it renews on the anniversary of that date,
        /// else on this day of the month.
        renewal_day: Lenient<Text>;
        /// It renews in steps of its own, as 2 months, 10 days, 3 years or 6 weeks, counted from `starts_on`, or else from
        /// `last_renewed_date`.
        every: Lenient<Text>;
        /// For `every`: the day of the first renewal, as 2026-01-31.
        starts_on: String;
        /// It does not renew: it ends on this day, as 2027-01-31, for example the end of a trial.
        ends_on: String;
        /// From how many days before the renewal on somebody is reminded.
        alert_days_before: Lenient<i128>, number = Number::within(0, 365).or(3);
        /// What a renewal costs.
        amount: Lenient<Decimal>;
        /// What a renewal costs from a date on, instead of `amount`.
        prices: Vec<Option<RawPrice>>;
        /// The currency of `amount` and of `prices`.
        currency: String;
        /// When it was last paid, as 2026-11-15. The payment counts for the due date that it is nearest to. Where it is kept, a renewal that
        /// is not paid on its day is overdue.
        last_renewed_date: String;
        /// Who it belongs to, for people.
        owner_project: String;
        /// The old name of `owner_project`.
        project: String;
        /// Labels, for `match` of webhooks and for messages: `{ team: core, stage: production }`.
        labels: RawLabels;
        /// The names of the webhooks that hear of it, instead of those whose `match` fits.
        notify: RawTexts;
        /// Whether the subscription is watched.
        enabled: Lenient<bool>, default = "true";
    }
}

fields! {
    /// What a renewal costs from a date on.
    pub(crate) struct RawPrice {
        /// The first day on which it holds, as 2027-01-01.
        from: String, required = true;
        /// What a renewal costs from then on.
        amount: Lenient<Decimal>, required = true;
    }
}

/// What renews on a date.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    /// The unique name.
    pub name: String,
    /// When it renews, or why that is not known.
    pub schedule: Result<Schedule, String>,
    /// What a renewal costs before the first of the prices begins.
    pub amount: Option<Decimal>,
    /// What it costs from dates on, in the order of the dates.
    pub prices: Vec<Price>,
    /// In what.
    pub currency: Option<String>,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// Who hears of it.
    pub addressing: Addressing,
}

impl Schedule {
    /// Counts a payment, unless a later one is known.
    pub(crate) fn note(&mut self, payment: Date) {
        if self.last_renewed.is_some_and(|known| known >= payment) {
            return;
        }
        self.last_renewed = Some(payment);
        if self.follows_payment {
            self.cycle = self.cycle.counted_from(payment);
        }
    }
}

/// When a subscription renews.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// How often, and on which day.
    pub cycle: Cycle,
    /// Whether the days are counted from the last payment.
    pub follows_payment: bool,
    /// The day as it is written in the config.
    pub renewal_day: String,
    /// Days before the renewal from which on it is due.
    pub alert_days_before: u32,
    /// When it was last paid.
    pub last_renewed: Option<Date>,
}

impl Subscription {
    /// Names it across runs.
    pub(crate) fn identity(&self) -> Identity {
        Identity::of("subscription", &self.name, &[])
    }

    /// How often it renews, in a few words, if that is known.
    pub(crate) fn cadence(&self) -> Option<Cadence> {
        self.schedule.as_ref().ok().map(|schedule| schedule.cycle.cadence())
    }
}

impl ConfigReader<'_> {
    pub(crate) fn subscriptions(&mut self, raw: Vec<Option<RawSubscription>>, today: Date) -> Vec<Subscription> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let (mut subscriptions, mut places) = (Vec::new(), Vec::new());
        for (index, subscription) in raw.into_iter().enumerate() {
            let path = item("subscriptions", index);
            if self.is_disabled(&path) {
                continue;
            }
            let Some(subscription) = subscription else {
                self.missing_entry(&path);
                continue;
            };
            if let Some(first) = subscription.name.as_ref().and_then(|name| names.insert(name.clone(), index)) {
                let name = shown_name(subscription.name.as_deref().unwrap_or_default());
                let hint = Some(format!("{} has this name", self.entry_shown(&item("subscriptions", first))));
                let message = format!("there is already a subscription{name}");
                self.same_name([&item("subscriptions", first), &path], &["name"], message, hint);
            }
            if let Some(subscription) = self.subscription(&path, subscription, today) {
                subscriptions.push(subscription);
                places.push(path);
            }
        }
        for (subscription, path) in subscriptions.iter_mut().zip(&places) {
            if let (Ok(_), Some(why)) = (&subscription.schedule, self.fault(path)) {
                subscription.schedule = Err(why);
            }
        }
        subscriptions
    }

    fn subscription(&mut self, path: &[Step], raw: RawSubscription, today: Date) -> Option<Subscription> {
        self.required(path, "name", raw.name.is_some());
        if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.problem(&under(path, "name"), Part::Value, "`name` is empty", None);
        }
        let days = Days {
            cycle_type: raw.cycle_type,
            renewal_day: raw.renewal_day.map(|day| day.0.0.trim().to_owned()),
            every: raw.every.map(|every| every.0.0.trim().to_owned()),
            starts_on: self.date(path, &RawSubscription::starts_on, raw.starts_on.as_deref()),
            ends_on: self.date(path, &RawSubscription::ends_on, raw.ends_on.as_deref()),
            last_renewed: self.date(path, &RawSubscription::last_renewed_date, raw.last_renewed_date.as_deref()),
        };
        let owner = self.owner(path, raw.owner_project, raw.project);
        let addressing = self.addressing(path, raw.labels, raw.notify);
        let alert_days_before = self.whole(path, &RawSubscription::alert_days_before, raw.alert_days_before);
        let amount = self.not_negative(path, &RawSubscription::amount, raw.amount);
        let prices = self.prices(path, raw.prices.unwrap_or_default());
        let schedule = self.schedule(path, &days).map(|(cycle, follows_payment, renewal_day)| Schedule {
            cycle,
            follows_payment,
            renewal_day,
            alert_days_before,
            last_renewed: days.last_renewed.ok(),
        });
        self.warn_of_far_payment(path, schedule.as_ref(), today);
        let schedule = match self.fault(path) {
            Some(why) => Err(why),
            None => Ok(schedule?),
        };
        Some(Subscription {
            // Without its own name an entry that is broken from outside is still reported, under its place.
            name: raw.name.or_else(|| schedule.is_err().then(|| show(path)))?,
            schedule,
            amount,
            prices,
            currency: self.currency_word(raw.currency),
            owner_project: owner,
            addressing,
        })
    }

    /// The prices in the order of their dates.
    fn prices(&mut self, path: &[Step], raw: Vec<Option<RawPrice>>) -> Vec<Price> {
        let mut prices: Vec<Price> = Vec::new();
        for (index, price) in raw.into_iter().enumerate() {
            let mut at = under(path, RawSubscription::prices.name);
            at.push(Step::Index(index));
            let Some(price) = price else {
                self.missing_entry(&at);
                continue;
            };
            self.required(&at, RawPrice::from.name, price.from.is_some());
            self.required(&at, RawPrice::amount.name, price.amount.is_some());
            let from = self.date(&at, &RawPrice::from, price.from.as_deref());
            let amount = self.not_negative(&at, &RawPrice::amount, price.amount);
            let Some((from, amount)) = from.ok().zip(amount) else { continue };
            if prices.iter().any(|known| known.from == from) {
                let message = format!("there is already a price from {from} on");
                self.problem(&under(&at, RawPrice::from.name), Part::Value, message, None);
                continue;
            }
            prices.push(Price { from, amount });
        }
        prices.sort_by_key(|price| price.from);
        prices
    }

    fn warn_of_far_payment(&mut self, path: &[Step], schedule: Option<&Schedule>, today: Date) {
        if let Some(Schedule { cycle, last_renewed: Some(payment), .. }) = schedule
            && cycle.is_far_ahead(*payment, today)
        {
            let place = self.place(path, &self.brought_into(path)).unwrap_or_default();
            self.warnings.push(format!(
                "{place}: `last_renewed_date` lies more than one cycle ahead, so nobody is reminded before {payment}; \
                 is its year right?"
            ));
        }
    }
}
