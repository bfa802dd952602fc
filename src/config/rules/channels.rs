//! The rules of `webhook` and `webhooks`.

use std::sync::Arc;

use secrecy::ExposeSecret;
use url::Url;

use super::{Builder, item, key, suggestion, under, web_address};
use crate::check::provider::expression::Expression;
use crate::config::Channel;
use crate::config::document::{NodePath, Part, Step};
use crate::config::problem::Reach;
use crate::config::raw::{ChannelKind, RawWebhook};
use crate::limit::Limit;
use crate::redact::Redactor;

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
        let mut broken = self.unset_under(path);
        let url = self.secret(path, "url", raw.url, raw.url_file.as_deref(), &mut broken);
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref(), &mut broken);
        let address = url.as_ref().and_then(|url| web_address(url.expose_secret()).ok());
        let kind = self.kind(path, raw.kind, address.as_ref());
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
        let accept = raw.accept.and_then(|code| self.accept(&under(path, "accept"), kind, &code));
        let name = raw.name.unwrap_or_else(|| kind.as_str().to_owned());
        let source = raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| "balance-alert".to_owned());
        let send_resolved = raw.send_resolved.is_none_or(|send| send.0);
        Channel { name, kind, url: parsed, secret, login, limit, source, accept, send_resolved, broken }
    }

    /// The service of a channel: what its address belongs to, which `type` must not contradict.
    fn kind(&mut self, path: &[Step], written: Option<ChannelKind>, address: Option<&Url>) -> ChannelKind {
        let Some((host, owner)) = address.and_then(owner_of) else {
            return written.unwrap_or_default();
        };
        match (owner, written) {
            (Owner::Known(owner), Some(written)) if written != owner && written != ChannelKind::Console => {
                let (owner, written) = (owner.as_str(), written.as_str());
                let message = format!("`type` is `{written}`, but an address at `{host}` belongs to `{owner}`");
                let hint = Some(format!("write `type: {owner}`, or leave `type` out"));
                self.problem(&under(path, "type"), Part::Value, message, hint);
            }
            (Owner::Other(service), None | Some(ChannelKind::Custom)) => {
                self.warnings.push(format!(
                    "the webhook at `{host}` belongs to {service}, which does not understand the JSON of a custom webhook: \
                     alerts will not be shown there"
                ));
            }
            (Owner::Known(owner), None) => return owner,
            _ => {}
        }
        written.unwrap_or_default()
    }

    /// The expression that tells a taken message from a refused one.
    fn accept(&mut self, path: &[Step], kind: ChannelKind, code: &str) -> Option<Arc<Expression>> {
        if kind != ChannelKind::Custom {
            let message = format!("`accept` is for custom webhooks; what a {} answers is known", kind.as_str());
            self.problem(path, Part::Key(0), message, None);
            return None;
        }
        match Expression::compile(code) {
            Ok(expression) => Some(Arc::new(expression)),
            Err(why) => {
                let hint = Some("it is a jq expression over the answer, as `.status == \"ok\"`".to_owned());
                self.problem(path, Part::Value, format!("`accept` cannot be understood: {why}"), hint);
                None
            }
        }
    }
}

/// Whom an address belongs to.
enum Owner {
    /// A service that alerts can be sent to.
    Known(ChannelKind),
    /// A service that alerts cannot be sent to yet.
    Other(&'static str),
}

/// The host of an address, and the service that it belongs to, if that is known. Sources: the services' own documentation of
/// their incoming webhooks.
fn owner_of(address: &Url) -> Option<(&str, Owner)> {
    let host = address.host_str()?;
    let is_under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let is_at = |start: &str| address.path().starts_with(start);
    let owner = match host {
        "open.feishu.cn" | "open.larksuite.com" => Owner::Known(ChannelKind::Feishu),
        "oapi.dingtalk.com" => Owner::Known(ChannelKind::Dingtalk),
        "qyapi.weixin.qq.com" => Owner::Known(ChannelKind::Wecom),
        // The triggers of Slack's workflows take any JSON, and so may other paths.
        "hooks.slack.com" if is_at("/services/") => Owner::Other("Slack"),
        "discord.com" | "discordapp.com" if is_at("/api/webhooks/") => Owner::Other("Discord"),
        "api.telegram.org" => Owner::Other("Telegram"),
        "chat.googleapis.com" => Owner::Other("Google Chat"),
        _ if is_under("webhook.office.com") => Owner::Other("Microsoft Teams"),
        _ => return None,
    };
    Some((host, owner))
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
