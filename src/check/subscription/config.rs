//! What a config says of subscriptions.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Cycle;
use crate::model::addressing::Addressing;
use crate::model::identity::Identity;
use crate::model::words::CycleType;
use crate::process::quote_input;
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
        /// How often it renews.
        cycle_type: CycleType, required = true;
        /// Weekly: 1 (Monday) to 7. Monthly: 1 to 31. Yearly: month and day as 315 or "03-15"; 1 to 31 renews on the anniversary of
        /// `last_renewed_date`.
        renewal_day: Lenient<Text>, required = true;
        /// From how many days before the renewal on somebody is reminded.
        alert_days_before: Lenient<i128>, number = Number::within(0, 365).or(3);
        /// What a renewal costs.
        amount: Lenient<Decimal>;
        /// The currency of `amount`.
        currency: String;
        /// When it was last paid, as 2026-11-15. The payment counts for the due date that it is nearest to.
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

/// What renews on a date.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    /// The unique name.
    pub name: String,
    /// When it renews, or why that is not known.
    pub schedule: Result<Schedule, String>,
    /// What a renewal costs.
    pub amount: Option<Decimal>,
    /// In what.
    pub currency: Option<String>,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// Who hears of it.
    pub addressing: Addressing,
}

/// When a subscription renews.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// How often, and on which day.
    pub cycle: Cycle,
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

    /// How often it renews, in a word, if that is known.
    pub(crate) fn cycle_type(&self) -> Option<CycleType> {
        self.schedule.as_ref().ok().map(|schedule| schedule.cycle.cycle_type())
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
                let hint = Some(format!("subscriptions[{first}] has this name"));
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
        self.required(path, "cycle_type", raw.cycle_type.is_some());
        self.required(path, "renewal_day", raw.renewal_day.is_some());
        if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.problem(&under(path, "name"), Part::Value, "`name` is empty", None);
        }
        let last_renewed = raw.last_renewed_date.as_deref().and_then(|text| self.last_renewed(path, text.trim()));
        let owner = self.owner(path, raw.owner_project, raw.project);
        let addressing = self.addressing(path, raw.labels, raw.notify);
        let before = self.whole(path, &RawSubscription::alert_days_before, raw.alert_days_before);
        let amount = self.not_negative(path, &RawSubscription::amount, raw.amount);
        let schedule = raw.cycle_type.zip(raw.renewal_day.map(|day| day.0.0)).and_then(|(kind, day)| {
            match cycle(kind, day.trim(), last_renewed) {
                Ok(cycle) => Some(Schedule {
                    cycle,
                    renewal_day: day.trim().to_owned(),
                    alert_days_before: before,
                    last_renewed,
                }),
                Err(message) => {
                    // A date that was refused is said to be wrong, and not to be missing as well.
                    if raw.last_renewed_date.is_none()
                        || last_renewed.is_some()
                        || !message.contains("last_renewed_date")
                    {
                        self.problem(&under(path, "renewal_day"), Part::Value, message, None);
                    }
                    None
                }
            }
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
            currency: raw.currency.filter(|currency| !currency.is_empty()),
            owner_project: owner,
            addressing,
        })
    }

    fn last_renewed(&mut self, path: &[Step], text: &str) -> Option<Date> {
        let date = text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-15".len());
        if date.is_none() {
            let hint = Some("write it as 2026-11-15".to_owned());
            let message = format!("`last_renewed_date` is not a date{}", quote_input::date(text));
            self.problem(&under(path, "last_renewed_date"), Part::Value, message, hint);
        }
        date
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

fn cycle(kind: CycleType, day: &str, last_renewed: Option<Date>) -> Result<Cycle, String> {
    let number: Option<i16> = day.parse().ok();
    match (kind, number) {
        (CycleType::Weekly, Some(day @ 1..=7)) => Ok(Cycle::Weekly(day as i8)),
        (CycleType::Weekly, _) => {
            Err(format!("`renewal_day` of a weekly subscription must be 1 (Monday) to 7{}", quote_input::but_is(day)))
        }
        (CycleType::Monthly, Some(day @ 1..=31)) => Ok(Cycle::Monthly(day as i8)),
        (CycleType::Monthly, _) => {
            Err(format!("`renewal_day` of a monthly subscription must be 1 to 31{}", quote_input::but_is(day)))
        }
        (CycleType::Yearly, Some(1..=31)) => match last_renewed {
            Some(date) => Ok(Cycle::Yearly(date.month(), date.day())),
            None => Err(format!(
                "`renewal_day` {day} of a yearly subscription needs `last_renewed_date`, whose anniversary counts; or write month and day, as 315 or \"03-15\""
            )),
        },
        (CycleType::Yearly, _) => {
            let parts = match (day.split_once('-'), number) {
                (Some((month, day)), _) => month.parse().ok().zip(day.parse().ok()),
                (None, Some(number)) => Some(((number / 100) as i8, (number % 100) as i8)),
                (None, None) => None,
            };
            // A leap year, so that 29 February is a day.
            let is_day = |(month, day): &(i8, i8)| Date::new(2024, *month, *day).is_ok();
            let (month, day) = parts.filter(is_day).ok_or_else(|| {
                format!(
                    "`renewal_day` of a yearly subscription must be month and day, as 315 or \"03-15\"{}",
                    quote_input::but_is(day)
                )
            })?;
            Ok(Cycle::Yearly(month, day))
        }
    }
}
