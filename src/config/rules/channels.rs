//! The rules of `webhook` and `webhooks`.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use url::Url;

use super::{Builder, item, key, shown_name, suggestion, under, web_address};
use crate::config::Channel;
use crate::config::credential::Use;
use crate::config::document::{NodePath, Part, Step};
use crate::config::echo;
use crate::config::problem::Reach;
use crate::config::raw::{ChannelKind, RawWebhook};
use crate::limit::Limit;
use crate::redact::Redactor;

impl Builder<'_> {
    pub(super) fn channels(&mut self, one: Option<RawWebhook>, many: Option<Vec<Option<RawWebhook>>>) -> Vec<Channel> {
        let mut raw: Vec<(NodePath, RawWebhook)> = Vec::new();
        let is_unset = self.is_flagged(&[key("webhook")]);
        let overlaid = ["WEBHOOK_URL", "WEBHOOK_TYPE", "WEBHOOK_SOURCE"];
        let has_overlay = self.environment.overlay("WEBHOOK_URL").is_some();
        // The overlays are about the one `webhook`; a list has its own references.
        if one.is_some() || is_unset || (has_overlay && many.is_none()) {
            let mut webhook = one.unwrap_or_default();
            let path = vec![key("webhook")];
            let [url, kind, source] = overlaid.map(|name| self.environment.overlay(name).map(str::to_owned));
            if let Some(url) = url {
                webhook.url = Some(url);
                webhook.url_file = None;
                self.outside.insert(under(&path, "url"));
            }
            if let Some(kind) = kind {
                match ChannelKind::ALL.into_iter().find(|known| known.as_str() == kind) {
                    Some(kind) => webhook.kind = Some(kind),
                    None => {
                        let hint = suggestion(&kind, &ChannelKind::ALL.map(ChannelKind::as_str), "allowed");
                        let message = match echo::word(&kind) {
                            Some(kind) => format!("the variable `WEBHOOK_TYPE` cannot be `{kind}`"),
                            None => "the variable `WEBHOOK_TYPE` holds none of the words that it can be".to_owned(),
                        };
                        self.push(&under(&path, "type"), Part::Value, message, hint, Reach::Entry);
                    }
                }
            }
            webhook.source = source.or(webhook.source);
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
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (path, webhook) in raw {
            let named = webhook.name.is_some();
            let channel = self.channel(&path, webhook);
            if !names.insert(channel.name.clone()) && named {
                let message = format!("there is already a webhook named{}", shown_name(&channel.name));
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
        for (field, secret, purpose) in [("url", &url, Use::Address), ("secret", &secret, Use::Password)] {
            if let Some(secret) = secret {
                self.vet(path, field, secret.expose_secret(), purpose, &mut broken);
            }
        }
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
                    learn_address(&mut self.redactor, &url);
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
        let broken = broken.or_else(|| self.broken_at(path));
        Channel { name, kind, url: parsed, secret, login, limit, source, send_resolved, broken }
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

/// The parts of a webhook's address that let its holder post.
fn learn_address(redactor: &mut Redactor, url: &Url) {
    redactor.learn(url.as_str());
    for (_, value) in url.query_pairs() {
        redactor.learn(&value);
    }
    for segment in url.path_segments().into_iter().flatten().filter(|segment| segment.len() >= 8) {
        redactor.learn(segment);
    }
    if let Some(password) = url.password() {
        redactor.learn(password);
    }
}
