//! JSON to an address of the user's own: `AlarmNotification` or `SubscriptionReminder`, one entry of `Resources` an alert.

use jiff::Timestamp;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Post, Service};
use crate::model::alert::{self, Alert, Cause, Event, Level, Topic};
use crate::model::amount;
use crate::model::failure::{Failure, Reason};
use crate::model::words::BalanceType;
use crate::notify::config::Channel;
use crate::notify::message::{Message, as_it_is};
use crate::page::expression::{Expression, Shape, Variables, parse_json};
use crate::page::words;
use crate::process::clock::iso;

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

pub(super) struct Custom;

impl Service for Custom {
    /// Receivers tell the kinds of entries by `Type`, so a message holds one kind only.
    fn section(&self, alert: &Alert) -> u8 {
        u8::from(matches!(alert.cause, Cause::Renewal(_)))
    }

    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], _now: Timestamp) -> Post {
        let (kind, what) = match alerts.first() {
            Some(Alert { cause: Cause::Renewal(_), .. }) => ("SubscriptionReminder", "subscription reminder"),
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
        Post { url: channel.address().cloned(), size: body.len(), body }
    }

    fn judge(&self, channel: &Channel, body: &[u8]) -> Result<(), Failure> {
        judge(body, channel.accept.as_deref())
    }
}

/// Whether a receiver of the user's own has taken the message: as `accept` says, else unless the answer is a refusal in one of
/// the forms that are in use. An answer without a word is a success, as its status says.
fn judge(body: &[u8], accept: Option<&Expression>) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    let answer = serde_json::from_slice::<serde_json::Value>(body).ok();
    if let Some(accept) = accept {
        return accepted(accept, &answer.unwrap_or_else(|| text.into_owned().into()));
    }
    let start: String = text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).chars().take(14).collect();
    let start = start.to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        let page =
            Failure::new(Reason::Decode, "the answer is a web page, which does not say that the message was taken");
        return Err(
            page.with_hint("is this the address of the webhook itself, and not of a page or a login in front of it?")
        );
    }
    match answer.as_ref().and_then(refusal) {
        None => Ok(()),
        Some(field) => {
            let words = words::sentence_by(body).unwrap_or_default();
            let failure = Failure::new(Reason::Api, format!("the answer refuses the message by its `{field}`"));
            Err(failure.saying(words).with_hint("if it does take it, say so with `accept`"))
        }
    }
}

fn accepted(accept: &Expression, answer: &serde_json::Value) -> Result<(), Failure> {
    let answer = parse_json(answer.to_string().as_bytes()).map_err(|why| Failure::new(Reason::Decode, why))?;
    match accept.run(&answer, &Variables::new(None, &BTreeMap::new())) {
        Ok(Some(Shape::Bool(true))) => Ok(()),
        Ok(_) => Err(Failure::new(Reason::Api, "the answer is not what `accept` asks for")),
        Err(why) => Err(Failure::new(Reason::Decode, "`accept` fails on the answer").saying(why.to_string())),
    }
}

/// The field by which an answer says that the message was not taken.
fn refusal(answer: &serde_json::Value) -> Option<&str> {
    use serde_json::Value;
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    let is_false =
        |value: &Value| value == false || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("false"));
    let is_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.trim(), "" | "0" | "false" | "none" | "null"),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    };
    answer.as_object()?.iter().find_map(|(name, value)| {
        let refuses = match name.to_ascii_lowercase().as_str() {
            "success" | "ok" => is_false(value),
            "errcode" | "err_code" | "errorcode" | "error_code" | "statuscode" | "code" => {
                number(value).is_some_and(|code| code != 0 && !(200..300).contains(&code))
            }
            "error" | "errors" => is_something(value),
            "status" => {
                value.as_str().is_some_and(|word| {
                    ["error", "fail", "failed", "failure"].iter().any(|bad| word.eq_ignore_ascii_case(bad))
                }) || value.as_i64().is_some_and(|code| code >= 400)
            }
            _ => false,
        };
        refuses.then_some(name.as_str())
    })
}

fn resource<'a>(message: &Message, alert: &'a Alert) -> Resource<'a> {
    let sentence = message.sentence(alert, as_it_is);
    match &alert.cause {
        Cause::Renewal(renewal) => Resource::Subscription(subscription(alert, renewal, sentence)),
        Cause::Mail(mail) => Resource::Account(account(alert, Some(mail), sentence)),
        _ => Resource::Account(account(alert, None, sentence)),
    }
}

fn subscription<'a>(alert: &'a Alert, renewal: &'a alert::Renewal, message: String) -> Subscription<'a> {
    Subscription {
        subscription_name: &alert.project,
        owner_project: alert.owner_project.as_deref(),
        renewal_day: renewal.renewal_day.parse::<i64>().map_or_else(|_| renewal.renewal_day.clone().into(), Into::into),
        cycle_type: renewal.cycle_type.as_str(),
        days_until_renewal: renewal.days,
        next_renewal_date: renewal.next.to_string(),
        amount: renewal.amount.map(amount::to_json),
        currency: renewal.currency.as_deref(),
        message,
        level: alert.level,
        topic: alert.topic(),
        event: alert.event,
        dedup_key: &alert.dedup_key,
    }
}

fn account<'a>(alert: &'a Alert, mail: Option<&'a alert::Mail>, message: String) -> Account<'a> {
    Account {
        project_name: &alert.project,
        owner_project: alert.owner_project.as_deref(),
        provider: &alert.provider,
        balance_type: alert.account().map(|account| account.kind),
        current_value: alert.balance().map(amount::to_json),
        threshold: alert.threshold().map(amount::to_json),
        unit: alert.currency().unwrap_or_default(),
        message,
        level: alert.level,
        topic: alert.topic(),
        event: alert.event,
        reason: alert.trouble().map(|trouble| trouble.reason),
        since: alert.since.map(iso),
        mail: mail.map(|mail| Mail {
            subject: &mail.subject,
            sender: &mail.sender,
            date: mail.date.map(|date| date.to_string()),
            service: mail.service.as_deref(),
            amount: mail.amount.map(amount::to_json),
            currency: mail.currency.as_deref(),
            keywords: &mail.keywords,
        }),
        dedup_key: &alert.dedup_key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_refuses_is_no_delivery() {
        for (body, field) in [
            ("", None),
            ("ok", None),
            ("OK, thank you", None),
            ("{}", None),
            ("[]", None),
            (r#"{"success":true}"#, None),
            (r#"{"ok":true,"error":null}"#, None),
            (r#"{"code":0}"#, None),
            (r#"{"code":200,"message":"queued"}"#, None),
            (r#"{"code":"0"}"#, None),
            (r#"{"code":"SUCCESS"}"#, None),
            (r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (r#"{"error":""}"#, None),
            (r#"{"error":false,"errors":[]}"#, None),
            (r#"{"status":"accepted"}"#, None),
            (r#"{"status":202}"#, None),
            (r#"{"data":{"error":"of another thing"}}"#, None),
            (r#"{"success":false}"#, Some("success")),
            (r#"{"Success":"false"}"#, Some("Success")),
            (r#"{"ok":false,"description":"x"}"#, Some("ok")),
            (r#"{"errcode":93000,"errmsg":"invalid"}"#, Some("errcode")),
            (r#"{"errcode":"40001"}"#, Some("errcode")),
            (r#"{"code":19001,"msg":"param invalid"}"#, Some("code")),
            (r#"{"code":500}"#, Some("code")),
            (r#"{"code":-1}"#, Some("code")),
            (r#"{"StatusCode":1}"#, Some("StatusCode")),
            (r#"{"error":"no such hook"}"#, Some("error")),
            (r#"{"error":{"message":"no such hook"}}"#, Some("error")),
            (r#"{"errors":[{"message":"x"}]}"#, Some("errors")),
            (r#"{"status":"error"}"#, Some("status")),
            (r#"{"status":403}"#, Some("status")),
        ] {
            let failure = judge(body.as_bytes(), None).err();
            assert_eq!(failure.is_some(), field.is_some(), "{body}");
            if let (Some(failure), Some(field)) = (failure, field) {
                assert_eq!(failure.reason, Reason::Api, "{body}");
                assert!(failure.message.contains(&format!("`{field}`")), "{body}: {}", failure.message);
            }
        }
        for page in ["<!DOCTYPE html><title>Log in</title>", "\u{FEFF}\n <HTML>", "<html lang=\"en\">{\"ok\":true}"] {
            assert_eq!(judge(page.as_bytes(), None).unwrap_err().reason, Reason::Decode, "{page}");
        }
    }

    #[test]
    fn what_accept_says_counts_and_nothing_else() {
        for (code, body, want) in [
            (".code == 7", r#"{"code":7}"#, true),
            (".code == 7", r#"{"code":0}"#, false),
            ("true", "<html>", true),
            (r#". == "taken""#, "taken", true),
            (r#". == "taken""#, "lost", false),
            (".ok", "{}", false),
            (".ok", r#"{"ok":"yes"}"#, false),
            (".a.b", r#"{"a":"text"}"#, false),
            ("empty", "{}", false),
            ("true", "", true),
            (".a / {}", r#"{"a":"private-1"}"#, false),
        ] {
            let accept = Expression::compile(code).unwrap();
            let judged = judge(body.as_bytes(), Some(&accept));
            assert_eq!(judged.is_ok(), want, "{code} on {body}");
            let said = judged.err().map(|failure| failure.describe()).unwrap_or_default();
            assert!(!said.contains("private-1"), "the answer stays where it is: {said}");
        }
    }
}
