//! DingTalk custom robot. Source: open.dingtalk.com, "Custom robot access".
//!
//! Nobody is mentioned: `at` is never made from data.

use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Post, Refusal, Service, base64, by_code, code, parse};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::text::UNRESERVED;
use crate::notify::config::Channel;
use crate::notify::message::{Message, markdown};
use crate::wire::hash::hmac_sha256;

/// 20 000 bytes, said of the text; kept for the whole body.
const LIMIT: usize = 20_000;

/// More than 20 messages in a minute: the robot takes none for up to ten minutes.
const TOO_FAST: i64 = 130_101;

pub(super) struct Dingtalk;

impl Service for Dingtalk {
    fn limit(&self) -> usize {
        LIMIT
    }

    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], now: Timestamp) -> Post {
        let title = message.title(alerts);
        let lines: String = message.lines(alerts, markdown).iter().map(|line| format!("- {line}\n")).collect();
        let text = format!("### {title}\n\n{lines}\n{}", message.footer(&channel.source, alerts, markdown));
        let body = json!({ "msgtype": "markdown", "markdown": { "title": title, "text": text } }).to_string();
        let url = channel.address().cloned().map(|mut url| {
            if let Some(secret) = &channel.secret {
                let timestamp = now.as_millisecond();
                let sign = sign(timestamp, secret.expose_secret());
                let old = url.query().map(|query| format!("{query}&")).unwrap_or_default();
                url.set_query(Some(&format!("{old}timestamp={timestamp}&sign={sign}")));
            }
            url
        });
        Post { url, size: body.len(), body }
    }

    fn judge(&self, _channel: &Channel, body: &[u8]) -> Result<(), Failure> {
        let answer = parse(body)?;
        // The gateway in front throttles in a form of its own, mostly without an errcode.
        if answer.get("punish").is_some() && code(&answer, "errcode") != Some(TOO_FAST) {
            let wait = code(&answer, "wait").and_then(|wait| u64::try_from(wait).ok()).unwrap_or(5);
            let mut failure = Failure::transient(Reason::RateLimited, "the service's gateway asks to wait");
            failure.retry = Retry::After(std::time::Duration::from_secs(wait));
            return Err(failure);
        }
        by_code(&answer, "errcode", "errmsg", |code, words| match code {
            -1 => Refusal::passing(Reason::Api),
            310_000 => forbidden(words),
            TOO_FAST | 410_100 | 90_030 => Refusal::blocked(),
            300_001 | 300_005 | 400_101 => Refusal::new(Reason::Auth, Some("check `access_token` in the address")),
            _ => Refusal::new(Reason::Api, None),
        })
    }
}

/// HMAC-SHA256 over time and secret, keyed with the secret; encoded for a query, once.
fn sign(timestamp: i64, secret: &str) -> String {
    let signature = base64(&hmac_sha256(secret.as_bytes(), format!("{timestamp}\n{secret}").as_bytes()));
    utf8_percent_encode(&signature, UNRESERVED).to_string()
}

/// Which of the robot's security settings refuses a message. The service says it in English or in Chinese.
fn forbidden(words: &str) -> Refusal {
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    match () {
        () if says(&["keyword", "关键词"]) => {
            Refusal::new(Reason::Api, Some("the robot wants a keyword: put it into `source`"))
        }
        () if says(&["whitelist", "白名单", "ip "]) => {
            Refusal::new(Reason::Api, Some("add this machine's address to the robot's list"))
        }
        () if says(&["sign", "timestamp", "签名", "时间戳"]) => {
            Refusal::new(Reason::Auth, Some("check `secret`, and this machine's clock"))
        }
        () => Refusal::new(Reason::Api, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_services_own() {
        for (timestamp, secret, want) in [
            (1_577_262_236_757, "this is secret", "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"),
            (1_577_262_236_757, "SECdemo", "sLRlUUvzoOXn5DR%2F%2Bo%2Bs6tOqX%2BbWe3JGaZ7JQ7844l8%3D"),
            (1_700_000_000_001, "SECtest", "r4CWp%2FDz%2BNg0sbTjH1vB0Fr%2BuQ2fn831mssaN6%2FC05I%3D"),
        ] {
            assert_eq!(sign(timestamp, secret), want);
        }
    }
}
