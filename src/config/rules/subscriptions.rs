//! The rules of `subscriptions`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{Builder, item, under};
use crate::check::subscription::Cycle;
use crate::config::Subscription;
use crate::config::document::{Part, Step};
use crate::config::raw::{CycleType, RawSubscription};

impl Builder<'_> {
    pub(super) fn subscriptions(&mut self, raw: Vec<Option<RawSubscription>>) -> Vec<Subscription> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut subscriptions = Vec::new();
        for (index, subscription) in raw.into_iter().enumerate() {
            let path = item("subscriptions", index);
            let Some(subscription) = subscription else {
                self.missing_entry(&path);
                continue;
            };
            if let Some(first) = subscription.name.as_ref().and_then(|name| names.insert(name.clone(), index)) {
                let name = subscription.name.as_deref().unwrap_or_default();
                let hint = Some(format!("subscriptions[{first}] has this name"));
                self.problem(
                    &under(&path, "name"),
                    Part::Value,
                    format!("there is already a subscription `{name}`"),
                    hint,
                );
            }
            let enabled = subscription.enabled.as_ref().is_none_or(|enabled| enabled.0);
            subscriptions.extend(self.subscription(&path, subscription).filter(|_| enabled));
        }
        subscriptions
    }

    fn subscription(&mut self, path: &[Step], raw: RawSubscription) -> Option<Subscription> {
        for (field, there) in [
            ("name", raw.name.is_some()),
            ("cycle_type", raw.cycle_type.is_some()),
            ("renewal_day", raw.renewal_day.is_some()),
        ] {
            if !there && !self.is_flagged(&under(path, field)) {
                self.problem(path, Part::Value, format!("`{field}` is missing"), None);
            }
        }
        if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            self.problem(&under(path, "name"), Part::Value, "`name` is empty", None);
        }
        let last_renewed = raw.last_renewed_date.as_deref().and_then(|text| {
            let date = text.trim().parse::<Date>().ok().filter(|_| text.trim().len() == "2026-11-15".len());
            if date.is_none() {
                let hint = Some("write it as 2026-11-15".to_owned());
                let message = format!("`last_renewed_date` is not a date: `{text}`");
                self.problem(&under(path, "last_renewed_date"), Part::Value, message, hint);
            }
            date
        });
        let owner = self.owner(path, raw.owner_project, raw.project);
        let before = self.count(&under(path, "alert_days_before"), raw.alert_days_before, 365, 3);
        let amount = self.threshold(path, "amount", raw.amount);
        let day = raw.renewal_day?.0.0;
        let cycle = match cycle(raw.cycle_type?, day.trim(), last_renewed) {
            Ok(cycle) => cycle,
            Err(message) => {
                // A date that was refused is said to be wrong, and not to be missing as well.
                if raw.last_renewed_date.is_none() || last_renewed.is_some() || !message.contains("last_renewed_date") {
                    self.problem(&under(path, "renewal_day"), Part::Value, message, None);
                }
                return None;
            }
        };
        Some(Subscription {
            name: raw.name?,
            cycle,
            renewal_day: day.trim().to_owned(),
            alert_days_before: before,
            last_renewed,
            amount,
            currency: raw.currency.filter(|currency| !currency.is_empty()),
            owner_project: owner,
        })
    }
}

fn cycle(kind: CycleType, day: &str, last_renewed: Option<Date>) -> Result<Cycle, String> {
    let number: Option<i16> = day.parse().ok();
    match (kind, number) {
        (CycleType::Weekly, Some(day @ 1..=7)) => Ok(Cycle::Weekly(day as i8)),
        (CycleType::Weekly, _) => {
            Err(format!("`renewal_day` of a weekly subscription must be 1 (Monday) to 7, but is {day}"))
        }
        (CycleType::Monthly, Some(day @ 1..=31)) => Ok(Cycle::Monthly(day as i8)),
        (CycleType::Monthly, _) => {
            Err(format!("`renewal_day` of a monthly subscription must be 1 to 31, but is {day}"))
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
                    "`renewal_day` of a yearly subscription must be month and day, as 315 or \"03-15\", but is {day}"
                )
            })?;
            Ok(Cycle::Yearly(month, day))
        }
    }
}
