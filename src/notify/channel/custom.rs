//! JSON to an address of the user's own: `AlarmNotification`, one entry of `Resources` an alert.

use serde::Serialize;
use serde_json::value::RawValue;

use super::Post;
use crate::alert::{Alert, Event, Level, Topic};
use crate::amount;
use crate::config::{BalanceType, Channel};
use crate::failure::Reason;
use crate::notify::message::{Message, as_it_is};

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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resource<'a> {
    project_name: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    balance_type: BalanceType,
    current_value: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    unit: &'a str,
    message: String,
    level: Level,
    topic: Topic,
    event: Event,
    reason: Option<Reason>,
    dedup_key: &'a str,
}

pub(super) fn post(channel: &Channel, message: &Message, alerts: &[Alert]) -> Post {
    let notification = Notification {
        r#type: "AlarmNotification",
        // Receivers match on it, so it is the same in every language.
        rule_name: match alerts {
            [alert] => format!("{} balance alert", alert.project),
            _ => "balance alert".to_owned(),
        },
        level: alerts.iter().map(|alert| alert.level).max().unwrap_or(Level::Warning),
        source: &channel.source,
        run_id: message.run_id(),
        dedup_key: message.dedup_key(alerts),
        resources: alerts
            .iter()
            .map(|alert| Resource {
                project_name: &alert.project,
                owner_project: alert.owner_project.as_deref(),
                provider: &alert.provider,
                balance_type: alert.kind,
                current_value: alert.balance.map(amount::to_json),
                threshold: alert.threshold.map(amount::to_json),
                unit: alert.currency.as_deref().unwrap_or_default(),
                message: message.sentence(alert, as_it_is),
                level: alert.level,
                topic: alert.topic,
                event: alert.event,
                reason: alert.trouble.as_ref().map(|trouble| trouble.reason),
                dedup_key: &alert.dedup_key,
            })
            .collect(),
    };
    // Strings, numbers and lists only: this cannot fail.
    let body = serde_json::to_string(&notification).unwrap_or_default();
    Post { url: channel.url.clone(), size: body.len(), body }
}
