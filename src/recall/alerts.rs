//! What was told, where and when, and what is still to be told.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::alert::{Event, Level, Topic};
use crate::amount;
use crate::cli::{ListOutput, Since};
use crate::report::{columns, iso};
use crate::state::views::Message;
use crate::text::{self, ShortNames};

#[derive(Serialize)]
struct Alert<'a> {
    project: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    topic: Topic,
    event: Event,
    level: Level,
    status: &'a str,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    reason: Option<&'static str>,
    dedup_key: &'a str,
    decided_at: String,
    done_at: Option<String>,
    deliveries: Vec<Delivery<'a>>,
}

#[derive(Serialize)]
struct Delivery<'a> {
    channel: &'a str,
    status: &'a str,
    at: String,
    run_id: &'a str,
    attempts: i64,
    error: Option<&'a str>,
}

pub(super) fn render(messages: &[Message], since: Since, output: ListOutput) -> String {
    match output {
        ListOutput::Json => json(messages),
        ListOutput::Table => table(messages, since),
    }
}

fn json(messages: &[Message]) -> String {
    let alerts: Vec<Alert> = messages
        .iter()
        .map(|message| {
            let alert = &message.alert;
            Alert {
                project: &alert.project,
                owner_project: alert.owner_project.as_deref(),
                provider: &alert.provider,
                topic: alert.topic,
                event: alert.event,
                level: alert.level,
                status: &message.state,
                balance: alert.balance.map(amount::to_json),
                threshold: alert.threshold.map(amount::to_json),
                currency: alert.currency.as_deref(),
                reason: alert.trouble.as_ref().map(|trouble| trouble.reason.as_str()),
                dedup_key: &alert.dedup_key,
                decided_at: iso(message.created_at),
                done_at: message.done_at.map(iso),
                deliveries: message
                    .deliveries
                    .iter()
                    .map(|sending| Delivery {
                        channel: &sending.channel,
                        status: &sending.status,
                        at: iso(sending.at),
                        run_id: &sending.run_id,
                        attempts: sending.attempts,
                        error: sending.detail.as_deref(),
                    })
                    .collect(),
            }
        })
        .collect();
    #[derive(Serialize)]
    struct Root<'a> {
        schema_version: u32,
        alerts: Vec<Alert<'a>>,
    }
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&Root { schema_version: 1, alerts }).unwrap_or_default() + "\n"
}

fn table(messages: &[Message], since: Since) -> String {
    if messages.is_empty() {
        return format!("no alerts since {since}\n");
    }
    let names = ShortNames::new(messages.iter().map(|message| message.alert.project.as_str()), text::NAME_CHARS);
    let rows = messages
        .iter()
        .map(|message| {
            let alert = &message.alert;
            let what = match (alert.topic, alert.event, alert.level) {
                (Topic::Low, Event::Raised, Level::Warning) => "below warning threshold".to_owned(),
                (Topic::Low, Event::Raised, _) => "low".to_owned(),
                (Topic::Low, Event::Resolved, _) => "recovered".to_owned(),
                (Topic::Failing, Event::Raised, _) => {
                    format!("failing ({})", alert.trouble.as_ref().map_or("unknown", |trouble| trouble.reason.as_str()))
                }
                (Topic::Mail, ..) => {
                    format!("mail: {}", alert.mail.as_ref().map_or("", |mail| mail.subject.as_str()))
                }
                (Topic::Renewal, event, _) => match (&alert.renewal, event) {
                    (Some(renewal), Event::Raised) => format!("renews on {}", renewal.next),
                    _ => "was due".to_owned(),
                },
                (Topic::Failing, Event::Resolved, _) => "can be read again".to_owned(),
            };
            let balance = alert.balance.map_or_else(|| "-".to_owned(), |b| amount::show(b, alert.currency.as_deref()));
            let channels: Vec<String> = message
                .deliveries
                .iter()
                .map(|sending| match &sending.detail {
                    Some(why) => format!("not {}: {}", sending.channel, text::one_line(why, 80)),
                    None => format!("{} {}", sending.channel, sending.at.strftime("%H:%M UTC")),
                })
                .collect();
            vec![
                message.created_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
                message.state.clone(),
                names.get(&alert.project).to_owned(),
                what,
                balance,
                alert.threshold.map_or_else(|| "-".to_owned(), |threshold| amount::show(threshold, None)),
                channels.join("; "),
            ]
        })
        .collect();
    columns(&["DECIDED", "STATE", "PROJECT", "ALERT", "BALANCE", "THRESHOLD", "DELIVERED TO"], rows, &[4, 5])
}
