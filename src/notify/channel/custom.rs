//! JSON to an address of the user's own: `AlarmNotification` or `SubscriptionReminder`, one entry of `Resources` an alert.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Post;
use crate::alert::{Alert, Event, Level, Topic};
use crate::amount;
use crate::config::{BalanceType, Channel};
use crate::failure::Reason;
use crate::notify::message::{Message, as_it_is};
use crate::report::iso;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Notification<'a> {
    r#type: &'static str,
    rule_name: String,
    level: Level,
    source: &'a str,
    run_id: &'a str,
    dedup_key: String,
    resources: Vec<Resource<'a>>,
}

/// One entry; receivers tell the kinds by `Type`, so a message never mixes them.
#[derive(Serialize)]
#[serde(untagged)]
enum Resource<'a> {
    Account(Account<'a>),
    Subscription(Subscription<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mail<'a> {
    subject: &'a str,
    sender: &'a str,
    date: Option<String>,
    service: Option<&'a str>,
    amount: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    keywords: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Subscription<'a> {
    subscription_name: &'a str,
    owner_project: Option<&'a str>,
    /// A number where it is one, as in the config.
    renewal_day: serde_json::Value,
    cycle_type: &'a str,
    days_until_renewal: i64,
    next_renewal_date: String,
    amount: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    message: String,
    level: Level,
    topic: Topic,
    event: Event,
    dedup_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Account<'a> {
    project_name: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    balance_type: Option<BalanceType>,
    current_value: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    unit: &'a str,
    message: String,
    level: Level,
    topic: Topic,
    event: Event,
    reason: Option<Reason>,
    /// Since when it has been so, where this channel hears of it late.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<Mail<'a>>,
    dedup_key: &'a str,
}

/// Whether a message would hold entries of one kind only.
pub(super) fn is_uniform(alerts: &[Alert]) -> bool {
    alerts.windows(2).all(|pair| pair[0].renewal.is_some() == pair[1].renewal.is_some())
}

pub(super) fn post(channel: &Channel, message: &Message, alerts: &[Alert]) -> Post {
    let (kind, what) = match alerts.first() {
        Some(Alert { renewal: Some(_), .. }) => ("SubscriptionReminder", "subscription reminder"),
        _ => ("AlarmNotification", "balance alert"),
    };
    let notification = Notification {
        r#type: kind,
        // Receivers match on it, so it is the same in every language.
        rule_name: match alerts {
            [alert] => format!("{} {what}", alert.project),
            _ => what.to_owned(),
        },
        level: alerts.iter().map(|alert| alert.level).max().unwrap_or(Level::Warning),
        source: &channel.source,
        run_id: message.run_id(),
        dedup_key: message.dedup_key(alerts),
        resources: alerts.iter().map(|alert| resource(message, alert)).collect(),
    };
    // Strings, numbers and lists only: this cannot fail.
    let body = serde_json::to_string(&notification).unwrap_or_default();
    Post { url: channel.url.clone(), size: body.len(), body }
}

fn resource<'a>(message: &Message, alert: &'a Alert) -> Resource<'a> {
    let sentence = message.sentence(alert, as_it_is);
    match &alert.renewal {
        Some(renewal) => Resource::Subscription(Subscription {
            subscription_name: &alert.project,
            owner_project: alert.owner_project.as_deref(),
            renewal_day: renewal
                .renewal_day
                .parse::<i64>()
                .map_or_else(|_| renewal.renewal_day.clone().into(), Into::into),
            cycle_type: &renewal.cycle_type,
            days_until_renewal: renewal.days,
            next_renewal_date: renewal.next.to_string(),
            amount: renewal.amount.map(amount::to_json),
            currency: alert.currency.as_deref(),
            message: sentence,
            level: alert.level,
            topic: alert.topic,
            event: alert.event,
            dedup_key: &alert.dedup_key,
        }),
        None => Resource::Account(Account {
            project_name: &alert.project,
            owner_project: alert.owner_project.as_deref(),
            provider: &alert.provider,
            balance_type: alert.kind,
            current_value: alert.balance.map(amount::to_json),
            threshold: alert.threshold.map(amount::to_json),
            unit: alert.currency.as_deref().unwrap_or_default(),
            message: sentence,
            level: alert.level,
            topic: alert.topic,
            event: alert.event,
            reason: alert.trouble.as_ref().map(|trouble| trouble.reason),
            since: alert.since.map(iso),
            mail: alert.mail.as_ref().map(|mail| Mail {
                subject: &mail.subject,
                sender: &mail.sender,
                date: mail.date.map(|date| date.to_string()),
                service: mail.service.as_deref(),
                amount: mail.amount.map(amount::to_json),
                currency: alert.currency.as_deref(),
                keywords: &mail.keywords,
            }),
            dedup_key: &alert.dedup_key,
        }),
    }
}
