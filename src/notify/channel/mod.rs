//! The channels, one file each: how a message is encoded, how large it may be, and what answer means "taken".

mod console;
mod custom;
mod dingtalk;
mod feishu;
mod wecom;

use std::ops::Range;

use base64::Engine;
use jiff::Timestamp;
use url::Url;

use super::message::Message;
use crate::config::{Channel, ChannelKind};
use crate::failure::{Failure, Reason};

/// One message, encoded.
pub(super) struct Post {
    /// Where to; none is standard error.
    pub url: Option<Url>,
    /// What.
    pub body: String,
    /// What the service counts against its limit, in bytes.
    pub size: usize,
}

/// Encodes some of a message's alerts for a channel, signed for this moment.
pub(super) fn post(channel: &Channel, message: &Message, part: Range<usize>, now: Timestamp) -> Post {
    let alerts = &message.alerts[part];
    match channel.kind {
        ChannelKind::Feishu => feishu::post(channel, message, alerts, now),
        ChannelKind::Dingtalk => dingtalk::post(channel, message, alerts, now),
        ChannelKind::Wecom => wecom::post(channel, message, alerts),
        ChannelKind::Custom => custom::post(channel, message, alerts),
        ChannelKind::Console => console::post(channel, message, alerts),
    }
}

/// Whether these alerts fit one message of the channel's service.
pub(super) fn fits(channel: &Channel, message: &Message, part: Range<usize>) -> bool {
    if channel.kind == ChannelKind::Custom && !custom::is_uniform(&message.alerts[part.clone()]) {
        return false;
    }
    let limit = match channel.kind {
        ChannelKind::Feishu => feishu::LIMIT,
        ChannelKind::Dingtalk => dingtalk::LIMIT,
        ChannelKind::Wecom => wecom::LIMIT,
        ChannelKind::Custom | ChannelKind::Console => usize::MAX,
    };
    post(channel, message, part, Timestamp::UNIX_EPOCH).size <= limit
}

/// Whether a successful HTTP status stands for a taken message.
///
/// # Errors
/// The failure that the body tells of.
pub(super) fn judge(channel: &Channel, body: &[u8]) -> Result<(), Failure> {
    match channel.kind {
        ChannelKind::Feishu => feishu::judge(body),
        ChannelKind::Dingtalk => dingtalk::judge(body),
        ChannelKind::Wecom => wecom::judge(body),
        ChannelKind::Custom => custom::judge(body, channel.accept.as_deref()),
        ChannelKind::Console => Ok(()),
    }
}

/// The answer of a service that always speaks JSON.
///
/// # Errors
/// A decode failure: what did not say that it took the message, did not take it.
fn parse(body: &[u8]) -> Result<serde_json::Value, Failure> {
    serde_json::from_slice::<serde_json::Value>(body)
        .ok()
        .filter(serde_json::Value::is_object)
        .ok_or_else(|| Failure::new(Reason::Decode, "the answer does not say that the message was taken"))
}

/// A code that may come as a number or as text.
fn code(answer: &serde_json::Value, field: &str) -> Option<i64> {
    let value = answer.get(field)?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// What a code other than 0 stands for.
struct Refusal {
    reason: Reason,
    /// Whether another attempt could help.
    passes: bool,
    hint: Option<&'static str>,
}

impl Refusal {
    /// A refusal that no other attempt changes.
    fn new(reason: Reason, hint: Option<&'static str>) -> Refusal {
        Refusal { reason, passes: false, hint }
    }

    /// A refusal that passes.
    fn passing(reason: Reason) -> Refusal {
        Refusal { reason, passes: true, hint: None }
    }
}

/// Judges an answer by its code: only a code that is there, and is 0, says that the message was taken.
fn by_code(
    answer: &serde_json::Value,
    code_field: &str,
    words_field: &str,
    refusal: impl Fn(i64, &str) -> Refusal,
) -> Result<(), Failure> {
    let words = answer.get(words_field).and_then(serde_json::Value::as_str).unwrap_or_default();
    match code(answer, code_field) {
        Some(0) => Ok(()),
        None => {
            let message = format!("the answer has no `{code_field}`, so it does not say that the message was taken");
            Err(Failure::new(Reason::Decode, message))
        }
        Some(code) => {
            let Refusal { reason, passes, hint } = refusal(code, words);
            let words = if words.is_empty() { "no message" } else { words };
            let message = format!("the service refused the message: {words} (code {code})");
            let failure = if passes { Failure::transient(reason, message) } else { Failure::new(reason, message) };
            Err(match hint {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            })
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

use crate::check::provider::hmac_sha256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Retry;

    fn channel() -> Channel {
        Channel {
            name: "hook".to_owned(),
            kind: ChannelKind::Custom,
            url: None,
            secret: None,
            login: None,
            limit: None,
            source: "balance-alert".to_owned(),
            accept: None,
            send_resolved: true,
            broken: None,
        }
    }

    #[test]
    fn only_a_present_and_right_code_is_success() {
        use ChannelKind::{Custom, Dingtalk, Feishu, Wecom};
        for (kind, body, want) in [
            (Feishu, r#"{"code":0,"msg":"success"}"#, None),
            (Feishu, r#"{"code":"0"}"#, None),
            (Feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None),
            (Feishu, r#"{"code":19001,"StatusCode":0,"msg":"x"}"#, Some((Reason::Api, false))),
            (Feishu, r#"{"code":19021,"msg":"sign match fail"}"#, Some((Reason::Auth, false))),
            (Feishu, r#"{"code":11232,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, true))),
            (Feishu, r#"{"code":9499,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, true))),
            (Feishu, "{}", Some((Reason::Decode, false))),
            (Feishu, "<html>", Some((Reason::Decode, false))),
            (Feishu, "", Some((Reason::Decode, false))),
            (Feishu, "[]", Some((Reason::Decode, false))),
            (Feishu, r#"{"code":null}"#, Some((Reason::Decode, false))),
            (Dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (Dingtalk, r#"{"errcode":"0"}"#, None),
            (Dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some((Reason::Auth, false))),
            (Dingtalk, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#, Some((Reason::Api, false))),
            (Dingtalk, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some((Reason::RateLimited, true))),
            (Dingtalk, r#"{"status":1111,"wait":5,"punish":"deny"}"#, Some((Reason::RateLimited, true))),
            (Dingtalk, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, true))),
            (Dingtalk, r#"{"errmsg":"ok"}"#, Some((Reason::Decode, false))),
            (Wecom, r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (Wecom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some((Reason::Auth, false))),
            (Wecom, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some((Reason::RateLimited, true))),
            (Wecom, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, true))),
            (Wecom, "{}", Some((Reason::Decode, false))),
            (Custom, "anything", None),
        ] {
            let channel = Channel { kind, ..channel() };
            let got = judge(&channel, body.as_bytes()).err().map(|f| (f.reason, f.retry != Retry::Never));
            assert_eq!(got, want, "{kind:?} {body}");
        }
    }
}
