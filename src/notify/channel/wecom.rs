//! WeCom group robot. Source: developer.work.weixin.qq.com/document/path/99110.
//!
//! A `text` message: it is shown everywhere (Markdown is not, outside the client) and only `<@id>` is live in it.

use serde_json::json;

use super::{Post, code, no_code, parse, refused};
use crate::config::Channel;
use crate::decide::Alert;
use crate::failure::{Failure, Reason, Retry};
use crate::notify::message::{Message, literal};

/// 2048 bytes for the text, not characters.
pub(super) const LIMIT: usize = 2048;

pub(super) fn post(channel: &Channel, message: &Message, alerts: &[Alert]) -> Post {
    let lines: String = alerts.iter().map(|alert| format!("{}\n", message.line(alert, literal))).collect();
    let text = format!("{}\n{lines}{}", message.title(alerts), message.footer(&channel.source, literal));
    let size = text.len();
    let body = json!({ "msgtype": "text", "text": { "content": text } }).to_string();
    Post { url: channel.url.clone(), body, size }
}

pub(super) fn judge(body: &[u8]) -> Result<(), Failure> {
    let answer = parse(body)?;
    let words = answer.get("errmsg").and_then(|words| words.as_str());
    match code(&answer, "errcode") {
        Some(0) => Ok(()),
        None => Err(no_code("errcode")),
        Some(-1) => Err(Failure { retry: Retry::Soon, ..refused(-1, words, Reason::Api, None) }),
        Some(45009) => Err(refused(45009, words, Reason::RateLimited, None)),
        Some(code @ 93000) if words.is_some_and(|words| words.contains("url")) => {
            Err(refused(code, words, Reason::Auth, Some("check `key` in the address")))
        }
        Some(code) => Err(refused(code, words, Reason::Api, None)),
    }
}
