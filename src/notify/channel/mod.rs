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
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason, Retry};
use crate::notify::config::{Channel, ChannelKind};

/// One message, encoded.
pub(super) struct Post {
    /// Where to; none is standard error.
    pub url: Option<Url>,
    /// What.
    pub body: String,
    /// What the service counts against its limit, in bytes.
    pub size: usize,
}

/// What a channel does with a message. A new service is a file that implements this, its word in `ChannelKind`, and its line in
/// [`service`], which the compiler asks for.
trait Service: Sync {
    /// The most that one message may hold, in the bytes that [`Post::size`] counts.
    fn limit(&self) -> usize {
        usize::MAX
    }

    /// The section that an alert belongs to; alerts of two sections never stand in one message.
    fn section(&self, _alert: &Alert) -> u8 {
        0
    }

    /// Encodes alerts of a message, signed for this moment.
    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], now: Timestamp) -> Post;

    /// Whether a body under a successful HTTP status says that the message was taken.
    ///
    /// # Errors
    /// The failure that the body tells of.
    fn judge(&self, channel: &Channel, body: &[u8]) -> Result<(), Failure>;
}

/// The services, one line each.
fn service(kind: ChannelKind) -> &'static dyn Service {
    match kind {
        ChannelKind::Feishu => &feishu::Feishu,
        ChannelKind::Dingtalk => &dingtalk::Dingtalk,
        ChannelKind::Wecom => &wecom::Wecom,
        ChannelKind::Custom => &custom::Custom,
        ChannelKind::Console => &console::Console,
    }
}

/// Encodes some of a message's alerts for a channel, signed for this moment.
pub(super) fn post(channel: &Channel, message: &Message, part: Range<usize>, now: Timestamp) -> Post {
    service(channel.kind).post(channel, message, &message.alerts[part], now)
}

/// Whether these alerts fit one message of the channel's service.
pub(super) fn fits(channel: &Channel, message: &Message, part: Range<usize>) -> bool {
    let service = service(channel.kind);
    message.alerts[part.clone()].windows(2).all(|pair| service.section(&pair[0]) == service.section(&pair[1]))
        && post(channel, message, part, Timestamp::UNIX_EPOCH).size <= service.limit()
}

/// The section of an alert on a channel; those of one section stand together.
pub(super) fn section(channel: &Channel, alert: &Alert) -> u8 {
    service(channel.kind).section(alert)
}

/// Whether a successful HTTP status stands for a taken message.
///
/// # Errors
/// The failure that the body tells of.
pub(super) fn judge(channel: &Channel, body: &[u8]) -> Result<(), Failure> {
    service(channel.kind).judge(channel, body)
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
    /// Whether another attempt could help, and when.
    retry: Retry,
    hint: Option<&'static str>,
}

impl Refusal {
    /// A refusal that no other attempt changes.
    fn new(reason: Reason, hint: Option<&'static str>) -> Refusal {
        Refusal { reason, retry: Retry::Never, hint }
    }

    /// A refusal that passes.
    fn passing(reason: Reason) -> Refusal {
        Refusal { reason, retry: Retry::Soon, hint: None }
    }

    /// A robot that got too much takes nothing for minutes, and what is sent meanwhile may count against it.
    fn blocked() -> Refusal {
        Refusal { reason: Reason::RateLimited, retry: Retry::Later, hint: None }
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
            let Refusal { reason, retry, hint } = refusal(code, words);
            let found =
                if words.is_empty() { crate::page::words::sentence_by(answer.to_string().as_bytes()) } else { None };
            let words = found.as_deref().unwrap_or(words);
            let failure = Failure::new(reason, format!("the service refused the message (code {code})")).saying(words);
            let failure = Failure { retry, ..failure };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::words::Language;

    fn channel() -> Channel {
        Channel {
            id: "hook".to_owned(),
            name: "hook".to_owned(),
            kind: ChannelKind::Custom,
            url: Ok(None),
            secret: None,
            login: None,
            limit: None,
            source: "balance-alert".to_owned(),
            accept: None,
            send_resolved: true,
            allow_insecure: false,
        }
    }

    #[test]
    fn only_a_present_and_right_code_is_success() {
        use ChannelKind::{Custom, Dingtalk, Feishu, Wecom};
        use Retry::{Later, Never, Soon};
        let wait = |seconds| Retry::After(std::time::Duration::from_secs(seconds));
        for (kind, body, want) in [
            (Feishu, r#"{"code":0,"msg":"success"}"#, None),
            (Feishu, r#"{"code":"0"}"#, None),
            (Feishu, r#"{"StatusCode":0,"StatusMessage":"success"}"#, None),
            (Feishu, r#"{"code":19001,"StatusCode":0,"msg":"x"}"#, Some((Reason::Api, Never))),
            (Feishu, r#"{"code":19021,"msg":"sign match fail"}"#, Some((Reason::Auth, Never))),
            (Feishu, r#"{"code":11232,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, Later))),
            (Feishu, r#"{"code":9499,"msg":"frequency limited psm"}"#, Some((Reason::RateLimited, Later))),
            (
                Feishu,
                r#"{"code":99991400,"msg":"request trigger frequency limit"}"#,
                Some((Reason::RateLimited, Later)),
            ),
            (Feishu, r#"{"code":9499,"msg":"Bad Request"}"#, Some((Reason::Api, Never))),
            (Feishu, "{}", Some((Reason::Decode, Never))),
            (Feishu, "<html>", Some((Reason::Decode, Never))),
            (Feishu, "", Some((Reason::Decode, Never))),
            (Feishu, "[]", Some((Reason::Decode, Never))),
            (Feishu, r#"{"code":null}"#, Some((Reason::Decode, Never))),
            (Dingtalk, r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (Dingtalk, r#"{"errcode":"0"}"#, None),
            (Dingtalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#, Some((Reason::Auth, Never))),
            (Dingtalk, r#"{"errcode":310000,"errmsg":"keywords not in content"}"#, Some((Reason::Api, Never))),
            (Dingtalk, r#"{"errcode":130101,"errmsg":"send too fast"}"#, Some((Reason::RateLimited, Later))),
            (Dingtalk, r#"{"errcode":410100,"errmsg":"x"}"#, Some((Reason::RateLimited, Later))),
            (Dingtalk, r#"{"errcode":90030,"errmsg":"x"}"#, Some((Reason::RateLimited, Later))),
            (Dingtalk, r#"{"status":1111,"wait":5,"punish":"deny"}"#, Some((Reason::RateLimited, wait(5)))),
            (
                Dingtalk,
                r#"{"errcode":130101,"status":1111,"wait":5,"punish":"deny"}"#,
                Some((Reason::RateLimited, Later)),
            ),
            (Dingtalk, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, Soon))),
            (Dingtalk, r#"{"errmsg":"ok"}"#, Some((Reason::Decode, Never))),
            (Wecom, r#"{"errcode":0,"errmsg":"ok"}"#, None),
            (Wecom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, Some((Reason::Auth, Never))),
            (Wecom, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, Some((Reason::RateLimited, Later))),
            (Wecom, r#"{"errcode":-1,"errmsg":"busy"}"#, Some((Reason::Api, Soon))),
            (Wecom, "{}", Some((Reason::Decode, Never))),
            (Wecom, r#"{"errcode":3,"error":{"message":"x"}}"#, Some((Reason::Api, Never))),
            (Custom, "anything", None),
        ] {
            let channel = Channel { kind, ..channel() };
            let got = judge(&channel, body.as_bytes()).err().map(|f| (f.reason, f.retry));
            assert_eq!(got, want, "{kind:?} {body}");
        }
    }

    #[test]
    fn what_dingtalk_refuses_is_explained_in_whichever_language_it_says_so() {
        let solved = "解决方案:请确认;链接:请参考本接口对应文档获得具体要求，或者在https://open.dingtalk.com/document/  搜索相关文档;";
        for (words, reason, hint) in [
            ("sign not match, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]", Reason::Auth, "`secret`"),
            ("invalid timestamp, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]", Reason::Auth, "clock"),
            ("keywords not in content, more: [https://ding-doc.dingtalk.com/x]", Reason::Api, "keyword"),
            ("ip 1.2.3.4 not in whitelist, more: [https://ding-doc.dingtalk.com/x]", Reason::Api, "list"),
            ("错误描述:机器人发送签名不匹配;", Reason::Auth, "`secret`"),
            ("description:机器人发送签名不匹配;", Reason::Auth, "`secret`"),
            ("错误描述:机器人发送签名过期;", Reason::Auth, "clock"),
            ("错误描述:时间戳无效;", Reason::Auth, "clock"),
            ("错误描述:关键词不匹配;", Reason::Api, "keyword"),
            ("description:关键词不匹配;", Reason::Api, "keyword"),
            ("错误描述:IP地址 1.2.3.4 不在白名单;", Reason::Api, "list"),
            ("错误描述:来源ip不在白名单中;", Reason::Api, "list"),
        ] {
            let body = serde_json::json!({"errcode": 310_000, "errmsg": format!("{words}{solved}")}).to_string();
            let channel = Channel { kind: ChannelKind::Dingtalk, ..channel() };
            let failure = judge(&channel, body.as_bytes()).unwrap_err();
            assert_eq!((failure.reason, failure.retry), (reason, Retry::Never), "{words}");
            assert!(failure.hint.as_deref().is_some_and(|said| said.contains(hint)), "{words}: {failure:?}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_services_words() {
        for (kind, body, want) in [
            (ChannelKind::Wecom, r#"{"errcode":93000,"errmsg":"invalid url"}"#, "(code 93000): invalid url"),
            (ChannelKind::Wecom, r#"{"errcode":3,"error":{"message":"no such robot"}}"#, "(code 3): no such robot"),
            (ChannelKind::Feishu, r#"{"code":3,"errors":[{"detail":"bad card"}]}"#, "(code 3): bad card"),
            (ChannelKind::Dingtalk, r#"{"errcode":3}"#, "(code 3)"),
        ] {
            let channel = Channel { kind, ..channel() };
            let told = Failure { hint: None, ..judge(&channel, body.as_bytes()).unwrap_err() }.describe();
            assert_eq!(told, format!("the service refused the message {want}"), "{body}");
        }
    }

    /// What every channel makes of every alert, alone and together, in both languages, and in short. Receivers rely on it, so it
    /// does not change by accident; `UPDATE_FIXTURES=1` writes it anew.
    #[test]
    fn what_channels_say_stays_as_it_is() {
        let stored = include_str!("../../model/alert/stored.jsonl");
        let alerts: Vec<Alert> = stored.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut said = String::new();
        for kind in ChannelKind::ALL {
            let channel = Channel { kind, ..channel() };
            for (name, language) in [("en", Language::En), ("zh", Language::Zh)] {
                for is_short in [false, true] {
                    let mut message = Message::new(&alerts, language, "run-1");
                    if is_short {
                        message.shorten();
                    }
                    let alone = (0..alerts.len()).map(|at| at..at + 1);
                    let parts: Vec<_> = match kind {
                        ChannelKind::Custom => alone.collect(),
                        _ if is_short => std::iter::once(0..alerts.len()).collect(),
                        _ => alone.chain(std::iter::once(0..alerts.len())).collect(),
                    };
                    for part in parts {
                        let post = post(&channel, &message, part.clone(), Timestamp::UNIX_EPOCH);
                        said.push_str(&format!("{kind:?} {name} {is_short} {part:?} {}\n{}\n", post.size, post.body));
                    }
                }
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/notify/channel/said.txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(path, &said).unwrap();
        }
        let known = std::fs::read_to_string(path).unwrap();
        for (said, known) in said.lines().zip(known.lines()) {
            assert_eq!(said, known);
        }
        assert_eq!(said.lines().count(), known.lines().count());
    }
}
