//! WeCom group robot. Source: developer.work.weixin.qq.com/document/path/99110.
//!
//! A `text` message: it is shown everywhere (Markdown is not, outside the client) and only `<@id>` is live in it.

use jiff::Timestamp;
use serde_json::json;

use super::{Post, Refusal, Service, by_code, parse};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason};
use crate::notify::config::Channel;
use crate::notify::message::{Message, literal};

/// 2048 bytes for the text, not characters.
const LIMIT: usize = 2048;

pub(super) struct Wecom;

impl Service for Wecom {
    fn limit(&self) -> usize {
        LIMIT
    }

    fn post(&self, channel: &Channel, message: &Message, alerts: &[Alert], _now: Timestamp) -> Post {
        let lines: String = message.lines(alerts, literal).iter().map(|line| format!("{line}\n")).collect();
        let text = format!("{}\n{lines}{}", message.title(alerts), message.footer(&channel.source, alerts, literal));
        let size = text.len();
        let body = json!({ "msgtype": "text", "text": { "content": text } }).to_string();
        Post { url: channel.address().cloned(), body, size }
    }

    fn judge(&self, _channel: &Channel, body: &[u8]) -> Result<(), Failure> {
        by_code(&parse(body)?, "errcode", "errmsg", |code, words| match code {
            -1 => Refusal::passing(Reason::Api),
            45009 => Refusal::blocked(),
            93000 if words.contains("url") => Refusal::new(Reason::Auth, Some("check `key` in the address")),
            _ => Refusal::new(Reason::Api, None),
        })
    }
}
