//! What a config says of channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::model::words::words;
use crate::page::expression::Expression;
use crate::process::echo;
use crate::process::environment::Environment;
use crate::wire::auth::Login;
use crate::wire::config::RawAuth;
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::{Variable, fields};
use crate::yaml::path::{NodePath, Part, Step, item, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;
use crate::yaml::shape::{shown_name, suggestion};

/// The variable that stands for the address of the one `webhook`.
const URL: Variable = Variable { name: "WEBHOOK_URL", note: "makes a webhook if the config has none" };
/// The sender that messages name if the config names none.
const SOURCE: &str = "balance-alert";

fields! {
    /// A channel that alerts go to.
    pub(crate) struct RawWebhook {
        /// The name in reports.
        name: String, default = "the type";
        /// The address, which is itself a secret for most services.
        url: String, variable = URL;
        /// A file that holds the address.
        url_file: String;
        /// The service that alerts are sent to.
        kind as "type": ChannelKind, default = "the service that the address belongs to, else custom", variable = Variable::of("WEBHOOK_TYPE");
        /// The sender that messages name.
        source: String, default = SOURCE, variable = Variable::of("WEBHOOK_SOURCE");
        /// The signing secret of a Feishu or DingTalk robot; for type custom, what the body is signed with.
        secret: String;
        /// A file that holds the signing secret.
        secret_file: String;
        /// How a request proves who sends it.
        auth: RawAuth;
        /// How many messages it takes: `20/minute`, `5/second, 100/minute`, or none.
        rate_limit: String, default = "as many as the service allows";
        /// For type custom: a jq expression over the answer, true if the message was taken. By default an answer is a refusal if it
        /// is a web page, or says so in a field as `success`, `ok`, `error`, `code` or `errcode`.
        accept: String;
        /// Whether the channel hears that an alert is over.
        send_resolved: Lenient<bool>, default = "true";
        /// Says that what proves the sender may go to an `http://` address of another machine, where everybody on the way can read
        /// it; without it every run warns.
        allow_insecure: Lenient<bool>;
    }
}

words! {
    /// The services that alerts can be sent to.
    #[derive(Default)]
    pub(crate) enum ChannelKind {
        /// Feishu / Lark custom robot
        Feishu = "feishu",
        /// DingTalk custom robot
        Dingtalk = "dingtalk",
        /// WeCom group robot
        Wecom = "wecom",
        /// JSON to an address of your own
        #[default]
        Custom = "custom",
        /// Text on standard error
        Console = "console",
    }
}

/// A channel that alerts go to.
#[derive(Clone)]
pub(crate) struct Channel {
    /// Names it across runs: its own name, or else its type, with a hash of its address where there are several of these.
    pub id: String,
    /// The name in reports.
    pub name: String,
    /// The service.
    pub kind: ChannelKind,
    /// The address, which a console has not, or why nothing can be sent through the channel.
    pub url: Result<Option<Url>, String>,
    /// The signing secret.
    pub secret: Option<SecretString>,
    /// Who sends.
    pub login: Option<Login>,
    /// How many messages it takes.
    pub limit: Option<Limit>,
    /// The sender named in messages.
    pub source: String,
    /// For a custom channel: what in an answer says that the message was taken.
    pub accept: Option<Arc<Expression>>,
    /// Whether it hears that an alert is over.
    pub send_resolved: bool,
    /// Whether what proves who sends may travel in the clear.
    pub allow_insecure: bool,
}

impl Channel {
    /// The address, if there is one.
    pub(crate) fn address(&self) -> Option<&Url> {
        self.url.as_ref().ok().and_then(Option::as_ref)
    }

    /// Why nothing can be sent through it.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.url.as_ref().err().map(String::as_str)
    }

    /// What a body is signed with; the robots of chat services have signatures of their own.
    pub(crate) fn body_secret(&self) -> Option<&SecretString> {
        self.secret.as_ref().filter(|_| self.kind == ChannelKind::Custom)
    }
}

/// The fields that a variable stands for, so that their own references to variables are not needed.
pub(crate) fn replaced_by_variables(environment: &Environment) -> Vec<NodePath> {
    let fields = ["url", "url_file"].map(|field| vec![key("webhook"), key(field)]);
    if environment.overlay(URL.name).is_some() { fields.to_vec() } else { Vec::new() }
}

impl ConfigReader<'_> {
    pub(crate) fn channels(&mut self, one: Option<RawWebhook>, many: Option<Vec<Option<RawWebhook>>>) -> Vec<Channel> {
        let mut raw: Vec<(NodePath, RawWebhook)> = Vec::new();
        let is_unset = self.is_flagged(&[key("webhook")]);
        let overlaid = [RawWebhook::url, RawWebhook::kind, RawWebhook::source].map(|field| field.variable);
        let has_overlay = self.environment.overlay(URL.name).is_some();
        // The overlays are about the one `webhook`; a list has its own references.
        if one.is_some() || is_unset || (has_overlay && many.is_none()) {
            let mut webhook = one.unwrap_or_default();
            let path = vec![key("webhook")];
            let [url, kind, source] =
                overlaid.map(|variable| self.environment.overlay(variable?.name).map(str::to_owned));
            if let Some(url) = url {
                webhook.url = Some(url);
                webhook.url_file = None;
                self.outside.insert(under(&path, "url"));
            }
            if let Some(kind) = kind {
                match ChannelKind::parse(&kind) {
                    Some(kind) => webhook.kind = Some(kind),
                    None => {
                        let hint = suggestion(&kind, &ChannelKind::ALL.map(ChannelKind::as_str), "allowed");
                        let message = match echo::among(&kind, &ChannelKind::ALL.map(ChannelKind::as_str)) {
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
        let mut is_named: Vec<bool> = Vec::new();
        let mut names: BTreeMap<String, NodePath> = BTreeMap::new();
        let mut places: Vec<NodePath> = Vec::new();
        for (path, webhook) in raw {
            let named = webhook.name.is_some();
            let channel = self.channel(&path, webhook);
            match names.get(&channel.name) {
                Some(first) if named => {
                    let message = format!("there is already a webhook named{}", shown_name(&channel.name));
                    self.same_name([first, &path], &["name"], message, None);
                }
                Some(_) => {}
                None => drop(names.insert(channel.name.clone(), path.clone())),
            }
            places.push(path);
            channels.push(channel);
            is_named.push(named);
        }
        for (channel, path) in channels.iter_mut().zip(&places) {
            // Another entry with its name may have been found since.
            if let (Ok(_), Some(why)) = (&channel.url, self.fault(path)) {
                channel.url = Err(why);
            }
        }
        identify(&mut channels, &is_named);
        channels
    }

    fn channel(&mut self, path: &[Step], raw: RawWebhook) -> Channel {
        let url = self.secret(path, "url", raw.url, raw.url_file.as_deref());
        let secret = self.secret(path, "secret", raw.secret, raw.secret_file.as_deref());
        for (field, secret, purpose) in [("url", &url, Use::Address), ("secret", &secret, Use::Password)] {
            if let Some(secret) = secret {
                self.vet(path, field, secret.expose_secret(), purpose);
            }
        }
        let address = url.as_ref().map(|url| web_address(url.expose_secret()));
        if self.is_from_outside(&under(path, "url")) {
            // Whether the type fits is decided by the address.
            self.outside.insert(under(path, "type"));
        }
        let kind = self.kind(path, raw.kind, address.as_ref().and_then(|url| url.as_ref().ok()));
        let mut parsed = None;
        match (kind, address) {
            (ChannelKind::Console, Some(_)) => {
                self.problem(&under(path, "url"), Part::Key(0), "a console channel takes no `url`", None);
            }
            (ChannelKind::Console, None) => {}
            (_, None) => {
                if !self.is_unusable(path) && !self.is_flagged(&under(path, "url")) {
                    let hint = Some("set `url`, or `type: console` to print alerts".to_owned());
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
            }
            (_, Some(_)) if url.is_some_and(|url| url.expose_secret().is_empty()) => {
                self.break_entry(path, "`url` is empty");
                self.push(&under(path, "url"), Part::Value, "`url` is empty".to_owned(), None, Reach::Entry);
            }
            (_, Some(Ok(url))) => {
                match kind {
                    ChannelKind::Custom => self.redactor.learn_address(&url),
                    _ => self.redactor.learn_secret_address(&url),
                }
                parsed = Some(url);
            }
            (_, Some(Err(why))) => self.problem(&under(path, "url"), Part::Value, format!("`url` {why}"), None),
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
            self.auth(&at, auth)
        });
        let limit = match raw.rate_limit {
            Some(text) => self.limit(&under(path, "rate_limit"), &text),
            None => standard_limit(kind),
        };
        let accept = raw.accept.and_then(|code| self.accept(&under(path, "accept"), kind, &code));
        let name = raw.name.unwrap_or_else(|| kind.as_str().to_owned());
        let source = raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| SOURCE.to_owned());
        let send_resolved = raw.send_resolved.is_none_or(|send| send.0);
        Channel {
            id: name.clone(),
            name,
            kind,
            url: self.fault(path).map_or(Ok(parsed), Err),
            secret,
            login,
            limit,
            source,
            accept,
            send_resolved,
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
        }
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

/// Gives the channels without a name, where their type alone does not tell them apart, an id that their address goes into. An
/// address may change under a name, or under the only channel of a type: that is the same channel.
fn identify(channels: &mut [Channel], is_named: &[bool]) {
    let names: Vec<String> = channels.iter().map(|channel| channel.name.clone()).collect();
    for (at, named) in is_named.iter().enumerate() {
        if *named || names.iter().filter(|name| **name == names[at]).count() == 1 {
            continue;
        }
        let address = channels[at].address().map(Url::as_str).unwrap_or_default();
        let hash: String = Sha256::digest(address).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let id = format!("{}:{hash}", names[at]);
        // One address twice is two channels: each of them gets every message.
        let twins = channels[..at].iter().filter(|other| other.id.starts_with(&id)).count();
        channels[at].id = if twins == 0 { id } else { format!("{id}:{}", twins + 1) };
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
