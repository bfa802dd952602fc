//! Feishu / Lark custom robot. Source: open.feishu.cn, "Use bots in groups: custom bot".
//!
//! A `post` message: its text is shown as it stands, so a name cannot format or link.

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Post, Refusal, Service, base64, by_code, parse};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason};
use crate::model::words::Language;
use crate::notify::config::Channel;
use crate::notify::message::{Message, literal};
use crate::wire::hash::hmac_sha256;

/// 20 KB for the whole body.
const LIMIT: usize = 20_000;

pub(super) struct Feishu;

impl Service for Feishu {
    fn limit(&self) -> usize {
        LIMIT
    }

    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], now: Timestamp) -> Post {
        let line = |text: String| json!([{ "tag": "text", "text": text }]);
        let mut lines: Vec<_> = message.lines(alerts, literal).into_iter().map(line).collect();
        lines.push(line(message.footer(&channel.source, alerts, literal)));
        let locale = match message.language() {
            Language::En => "en_us",
            Language::Zh => "zh_cn",
        };
        let content = json!({ locale: { "title": message.title(alerts), "content": lines } });
        let mut body = json!({ "msg_type": "post", "content": { "post": content } });
        if let Some(secret) = &channel.secret {
            let timestamp = now.as_second();
            body["timestamp"] = timestamp.to_string().into();
            body["sign"] = sign(timestamp, secret.expose_secret()).into();
        }
        let body = body.to_string();
        Post { url: channel.address().cloned(), size: body.len(), body }
    }

    fn judge(&self, _channel: &Channel, body: &[u8]) -> Result<(), Failure> {
        let answer = parse(body)?;
        // Old answers carry only the second.
        let field = if answer.get("code").is_some() { "code" } else { "StatusCode" };
        by_code(&answer, field, "msg", |code, words| match code {
            _ if words.contains("frequency limit") => Refusal::blocked(),
            11232 | 99_991_400 => Refusal::blocked(),
            19001 => Refusal::new(Reason::Api, Some("the robot was removed, or the address is not its own")),
            19021 => Refusal::new(Reason::Auth, Some("check `secret`, and this machine's clock")),
            19022 => Refusal::new(Reason::Api, Some("add this machine's address to the robot's list")),
            19024 => Refusal::new(Reason::Api, Some("the robot wants a keyword: put it into `source`")),
            _ => Refusal::new(Reason::Api, None),
        })
    }
}

/// HMAC-SHA256 of nothing, keyed with time and secret: the robot's own way round.
fn sign(timestamp: i64, secret: &str) -> String {
    base64(&hmac_sha256(format!("{timestamp}\n{secret}").as_bytes(), b""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_the_services_own() {
        for (timestamp, secret, want) in [
            (1_599_360_473, "demo", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
            (1_784_090_000, "signing-secret", "KR/ra7TdEUIVmdbfeSXeM1FYoX2GTy1DP0EIudF7j+A="),
            (1_700_000_000, "密钥", "cyn+2wyXar1IIl3eihT1dIzSxsVv1BFWCgy6prBcWJM="),
            (1_700_000_000, "secret", "fiWS2+gh28DOydAv7hzONH/mDn9+b1Y4Y5ivXWXy8vA="),
        ] {
            assert_eq!(sign(timestamp, secret), want);
        }
    }
}
