//! The rules of `webhook` and `webhooks`.

use secrecy::ExposeSecret;

use super::{Builder, item, key, suggestion, under, web_address};
use crate::config::Channel;
use crate::config::document::{NodePath, Part, Step};
use crate::config::problem::Reach;
use crate::config::raw::{ChannelKind, RawWebhook};
use crate::limit::Limit;

impl Builder<'_> {
    pub(super) fn channels(&mut self, one: Option<RawWebhook>, many: Option<Vec<Option<RawWebhook>>>) -> Vec<Channel> {
        let mut raw: Vec<(NodePath, RawWebhook)> = Vec::new();
        let overlaid = ["WEBHOOK_URL", "WEBHOOK_TYPE", "WEBHOOK_SOURCE"];
        let has_overlay = self.environment.overlay("WEBHOOK_URL").is_some();
        // The overlays are about the one `webhook`; a list has its own references.
        if one.is_some() || (has_overlay && many.is_none()) {
            let mut webhook = one.unwrap_or_default();
            let mut path = vec![key("webhook")];
            let [url, kind, source] = overlaid.map(|name| self.environment.overlay(name).map(str::to_owned));
            if let Some(url) = url {
                webhook.url = Some(url);
                webhook.url_file = None;
            }
            if let Some(kind) = kind {
                match ChannelKind::ALL.into_iter().find(|known| known.as_str() == kind) {
                    Some(kind) => webhook.kind = Some(kind),
                    None => {
                        let hint = suggestion(&kind, &ChannelKind::ALL.map(ChannelKind::as_str), "allowed");
                        self.problem(&[], Part::Value, format!("the variable `WEBHOOK_TYPE` cannot be `{kind}`"), hint);
                    }
                }
            }
            webhook.source = source.or(webhook.source);
            if !self.has_webhook {
                path.clear();
            }
            raw.push((path, webhook));
        }
        for (index, webhook) in many.unwrap_or_default().into_iter().enumerate() {
            let path = item("webhooks", index);
            match webhook {
                Some(webhook) => raw.push((path, webhook)),
                None => self.missing_entry(&path),
            }
        }
        let mut channels: Vec<Channel> = Vec::new();
        for (path, webhook) in raw {
            let named = webhook.name.is_some();
            let channel = self.channel(&path, webhook);
            if named && channels.iter().any(|other| other.name == channel.name) {
                let message = format!("there is already a webhook named `{}`", channel.name);
                self.problem(&under(&path, "name"), Part::Value, message, None);
            }
            channels.push(channel);
        }
        channels
    }

    fn channel(&mut self, path: &[Step], raw: RawWebhook) -> Channel {
        let kind = raw.kind.unwrap_or_default();
        let mut broken = self.unset_under(path);
        let url = self.secret(path, "url", raw.url, raw.url_file.as_deref(), &mut broken);
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref(), &mut broken);
        let mut parsed = None;
        match (kind, url) {
            (ChannelKind::Console, Some(_)) => {
                self.problem(&under(path, "url"), Part::Key(0), "a console channel takes no `url`", None);
            }
            (ChannelKind::Console, None) => {}
            (_, None) => {
                if broken.is_none() && !self.is_flagged(&under(path, "url")) {
                    let hint = Some("set `url`, or `type: console` to print alerts".to_owned());
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
            }
            (_, Some(url)) if url.expose_secret().is_empty() => {
                broken = broken.or_else(|| Some("`url` is empty".to_owned()));
                self.push(&under(path, "url"), Part::Value, "`url` is empty".to_owned(), None, Reach::Entry);
            }
            (_, Some(url)) => match web_address(url.expose_secret()) {
                Ok(url) => {
                    match kind {
                        ChannelKind::Custom => self.redactor.learn_address(&url),
                        _ => self.redactor.learn_secret_address(&url),
                    }
                    parsed = Some(url);
                }
                Err(why) => self.problem(&under(path, "url"), Part::Value, format!("`url` {why}"), None),
            },
        }
        let secret = secret.filter(|secret| !secret.expose_secret().is_empty());
        if secret.is_some() && matches!(kind, ChannelKind::Wecom | ChannelKind::Console) {
            let kind = kind.as_str();
            self.warnings.push(format!("a {kind} webhook signs nothing, so its `secret` is not used"));
        }
        let login = raw.auth.and_then(|auth| {
            let at = under(path, "auth");
            if kind == ChannelKind::Console {
                self.problem(&at, Part::Key(0), "a console channel takes no `auth`", None);
            }
            self.auth(&at, auth, &mut broken)
        });
        let limit = match raw.rate_limit {
            Some(text) => self.limit(&under(path, "rate_limit"), &text),
            None => standard_limit(kind),
        };
        let name = raw.name.unwrap_or_else(|| kind.as_str().to_owned());
        let source = raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| "balance-alert".to_owned());
        let send_resolved = raw.send_resolved.is_none_or(|send| send.0);
        let allow_insecure = raw.allow_insecure.is_some_and(|allow| allow.0);
        Channel { name, kind, url: parsed, secret, login, limit, source, send_resolved, allow_insecure, broken }
    }
}

/// What the services say that their robots take; those that send more are blocked for a while. Sources: open.feishu.cn,
/// "Custom bot usage guide"; open.dingtalk.com, "Custom robot access"; developer.work.weixin.qq.com/document/path/99110.
fn standard_limit(kind: ChannelKind) -> Option<Limit> {
    let text = match kind {
        ChannelKind::Feishu => "5/second, 100/minute",
        ChannelKind::Dingtalk | ChannelKind::Wecom => "20/minute",
        ChannelKind::Custom | ChannelKind::Console => return None,
    };
    text.parse().ok()
}
