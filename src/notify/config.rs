//! What a config says of channels.

mod own;
mod pages;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

pub(crate) use self::own::OwnFields;
#[cfg(test)]
pub(crate) use self::pages::problems;
pub(crate) use self::pages::{CODED, ChannelPages, EXEC};
use crate::check::account::config::literals;
use crate::notify::channel::catalogue;
use crate::notify::channel::page::{Per, Repeat};
use crate::notify::channel::prepared::Prepared;
use crate::notify::channel::sign::SignScheme;
use crate::notify::channel::values::Values;
use crate::page::expression::Expression;
use crate::process::echo;
use crate::process::environment::Environment;
use crate::wire::auth::{Login, Pair};
use crate::wire::config::{RawAuth, is_header_name, is_taken_header};
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::{Variable, fields};
use crate::yaml::path::{NodePath, Part, Step, item, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::shape::{shown_name, suggestion};

/// The variable that stands for the address of the one `webhook`.
const URL: Variable = Variable { name: "WEBHOOK_URL", note: "makes a webhook if the config has none" };
/// The sender that messages name if the config names none.
const SOURCE: &str = "balance-alert";
/// The type of an address that belongs to no service that is known.
const CUSTOM: &str = "custom";

fields! {
    /// A channel that alerts go to.
    pub(crate) struct RawWebhook {
        /// The name in reports.
        name: String, default = "the type";
        /// The address, which is itself a secret for most services.
        url: String, variable = URL;
        /// A file that holds the address.
        url_file: String;
        /// The type of the channel, one of those in [channels.md](channels.md). A type may have keys of its own beside those here.
        kind as "type": String, default = "the service that the address belongs to, else custom", variable = Variable::of("WEBHOOK_TYPE");
        /// The sender that messages name.
        source: String, default = SOURCE, variable = Variable::of("WEBHOOK_SOURCE");
        /// The signing secret of a Feishu or DingTalk robot; for type custom, what the body is signed with.
        secret: String;
        /// A file that holds the signing secret.
        secret_file: String;
        /// For type exec: the program and its arguments, without a shell. It gets the message on its standard input.
        command: Vec<Lenient<Text>>;
        /// How a request proves who sends it.
        auth: RawAuth;
        /// How many messages it takes: `20/minute`, `5/second, 100/minute`, or none.
        rate_limit: String, default = "as many as the service allows";
        /// For type custom: a jq expression over the message that gives the JSON that is posted, instead of this program's own.
        body: String;
        /// For type custom: headers of the request.
        headers: BTreeMap<String, String>;
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

/// A channel that alerts go to.
#[derive(Clone)]
pub(crate) struct Channel {
    /// Names it across runs: its own name, or else its type, with a hash of its address where there are several of these.
    pub id: String,
    /// The name in reports.
    pub name: String,
    /// The type: the id of a page, `console` or `exec`.
    pub kind: String,
    /// The page; none for a channel that is code.
    pub page: Option<Arc<Prepared>>,
    /// What it sets of the fields of its page, the address and the signing secret included.
    pub values: Values,
    /// The program with its arguments, for a channel that is a command.
    pub command: Option<Arc<Vec<String>>>,
    /// The address, which a channel that is code has not, or why nothing can be sent through the channel. What of it belongs to a message is
    /// not filled in.
    pub url: Result<Option<Url>, String>,
    /// Who sends.
    pub login: Option<Login>,
    /// How many messages it takes.
    pub limit: Option<Limit>,
    /// The sender named in messages.
    pub source: String,
    /// A body of its own.
    pub body: Option<Arc<Expression>>,
    /// Headers of its own.
    pub headers: Vec<Pair>,
    /// What in an answer says that the message was taken, if it says so itself.
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

    /// Where it leads: its address, and what its fields add to that.
    fn place(&self) -> String {
        let address = self.address().map(Url::as_str).unwrap_or_default();
        let fields: Vec<String> = self.values.public_texts().map(|text| format!("\0{text}")).collect();
        let command: Vec<String> =
            self.command.iter().flat_map(|command| command.iter()).map(|word| format!("\0{word}")).collect();
        format!("{address}{}{}", fields.concat(), command.concat())
    }

    /// Why nothing can be sent through it.
    pub(crate) fn fault(&self) -> Option<&str> {
        self.url.as_ref().err().map(String::as_str)
    }

    /// What a body is signed with, if the signature stands in headers.
    pub(crate) fn body_secret(&self) -> Option<&SecretString> {
        let signs = |page: &Arc<Prepared>| page.page.sign == Some(SignScheme::Body);
        self.values.secret().filter(|_| self.page.as_ref().is_some_and(signs))
    }

    /// Whether its requests carry a signature.
    pub(crate) fn is_signed(&self) -> bool {
        self.values.secret().is_some() && self.page.as_ref().is_some_and(|page| page.page.sign.is_some())
    }

    /// Whether each alert is a message of its own, so that fewer words make no fewer messages.
    pub(crate) fn is_event_service(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.page.per == Per::Alert)
    }

    /// Whether what stands is told in every run.
    pub(crate) fn forgets(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.page.repeat == Repeat::EveryRun)
    }
}

/// The fields that a variable stands for, so that their own references to variables are not needed.
pub(crate) fn replaced_by_variables(environment: &Environment) -> Vec<NodePath> {
    let fields = ["url", "url_file"].map(|field| vec![key("webhook"), key(field)]);
    if environment.overlay(URL.name).is_some() { fields.to_vec() } else { Vec::new() }
}

impl ConfigReader<'_> {
    pub(crate) fn channels(
        &mut self,
        one: Option<RawWebhook>,
        many: Option<Vec<Option<RawWebhook>>>,
        mut own: OwnFields,
        pages: &mut ChannelPages,
    ) -> Vec<Channel> {
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
                webhook.kind = Some(kind);
                self.outside.insert(under(&path, "type"));
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
        // The first entry with each name, and whether it is one that was given to it.
        let mut names: BTreeMap<String, (NodePath, bool)> = BTreeMap::new();
        let mut places: Vec<NodePath> = Vec::new();
        for (path, webhook) in raw {
            let named = webhook.name.is_some();
            let own = own.remove(&path).unwrap_or_default();
            let channel = self.channel(&path, webhook, own, pages);
            match names.get_mut(&channel.name) {
                Some((first, _)) if named => {
                    let message = format!("there is already a webhook named{}", shown_name(&channel.name));
                    self.same_name([first, &path], &["name"], message, None);
                }
                Some((first, is_given @ true)) => {
                    *is_given = false;
                    let message = "a webhook without a name has this name, which is its type";
                    let hint = "give one of them another name: what each has been told is remembered by it".to_owned();
                    self.same_name([&path, first], &["name"], message.to_owned(), Some(hint));
                }
                Some(_) => {}
                None => drop(names.insert(channel.name.clone(), (path.clone(), named))),
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

    fn channel(
        &mut self,
        path: &[Step],
        raw: RawWebhook,
        own: BTreeMap<String, String>,
        pages: &mut ChannelPages,
    ) -> Channel {
        let mut values = BTreeMap::new();
        for (field, text, file, purpose) in
            [("url", raw.url, raw.url_file, Use::Address), ("secret", raw.secret, raw.secret_file, Use::Password)]
        {
            if let Some(secret) = self.secret(path, field, text, file.as_deref()) {
                self.vet(path, field, secret.expose_secret(), purpose);
                values.insert(field.to_owned(), secret);
            }
        }
        let written = values.get("url").map(|url| web_address(url.expose_secret()));
        if self.is_from_outside(&under(path, "url")) {
            // Whether the type fits is decided by the address.
            self.outside.insert(under(path, "type"));
        }
        let address = written.as_ref().and_then(|url| url.as_ref().ok());
        let kind = self.kind(path, raw.kind, address, raw.body.is_some(), pages);
        let page = pages.get(&kind);
        let fault = pages.fault(&kind);
        if let Some(why) = fault {
            self.break_entry(path, format!("the page of its type cannot be used: {why}"));
        }
        // What the page wants of a webhook is not known if the page cannot be used.
        let is_broken = fault.is_some();
        let page = page.filter(|_| !is_broken);
        self.address(path, &kind, page.as_deref(), values.get("url").map(ExposeSecret::expose_secret), written);
        let signs = page.as_ref().is_some_and(|page| page.page.fields.contains_key("secret"));
        if !signs && !is_broken && values.remove("secret").is_some_and(|secret| !secret.expose_secret().is_empty()) {
            self.warnings.push(format!("a {kind} webhook signs nothing, so its `secret` is not used"));
        }
        let login = raw.auth.and_then(|auth| {
            let at = under(path, "auth");
            if page.is_none() && CODED.contains(&kind.as_str()) {
                self.problem(&at, Part::Key(0), format!("{} channel takes no `auth`", a(&kind)), None);
            }
            self.auth(&at, auth)
        });
        let command = self.command(path, &kind, raw.command);
        let limit = match raw.rate_limit {
            Some(text) => self.limit(&under(path, "rate_limit"), &text),
            None => page.as_ref().and_then(|page| page.page.rate_limit.as_ref()?.parse().ok()),
        };
        let is_open = is_broken || page.as_ref().is_some_and(|page| page.page.open);
        let accept = raw.accept.and_then(|code| self.own_expression(path, "accept", &kind, is_open, &code));
        let body = raw.body.and_then(|code| self.own_expression(path, "body", &kind, is_open, &code));
        let headers = self.own_headers(path, &kind, is_open, raw.headers.unwrap_or_default());
        let values = match &page {
            Some(page) => self.values(path, &page.page, own, values),
            None => Values::default(),
        };
        let url = self.fault(path).map_or_else(|| Ok(page.as_ref().and_then(|page| page.address(&values))), Err);
        let name = raw.name.unwrap_or_else(|| kind.clone());
        Channel {
            id: name.clone(),
            name,
            kind,
            page,
            values,
            command,
            url,
            login,
            limit,
            source: raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| SOURCE.to_owned()),
            body,
            headers,
            accept,
            send_resolved: raw.send_resolved.is_none_or(|send| send.0),
            allow_insecure: raw.allow_insecure.is_some_and(|allow| allow.0),
        }
    }

    /// The program and its arguments, which only a channel of the type exec has.
    fn command(&mut self, path: &[Step], kind: &str, written: Option<Vec<Lenient<Text>>>) -> Option<Arc<Vec<String>>> {
        let at = under(path, "command");
        match written {
            Some(_) if kind != EXEC => {
                let hint = Some(format!("write `type: {EXEC}` for a command"));
                self.problem(&at, Part::Key(0), format!("{} channel takes no `command`", a(kind)), hint);
                None
            }
            Some(words) => {
                let words: Vec<String> = words.into_iter().map(|word| word.0.0).collect();
                if words.first().is_none_or(String::is_empty) {
                    self.problem(&at, Part::Value, "`command` names no program", None);
                } else if words.iter().any(|word| word.contains('\0')) {
                    self.problem(&at, Part::Value, "`command` holds a NUL character", None);
                }
                Some(Arc::new(words))
            }
            None if kind == EXEC && !self.is_unusable(path) && !self.is_flagged(&at) => {
                let hint =
                    Some("it is a list: the program and its arguments, as `[/usr/local/bin/tell, --team]`".to_owned());
                self.problem(path, Part::Value, "`command` is missing", hint);
                None
            }
            None => None,
        }
    }

    /// Checks the `url` of a webhook, and learns it.
    fn address(
        &mut self,
        path: &[Step],
        kind: &str,
        page: Option<&Prepared>,
        text: Option<&str>,
        written: Option<Result<Url, String>>,
    ) {
        let spec = page.and_then(|page| page.page.fields.get("url"));
        let is_known = page.is_some() || CODED.contains(&kind);
        match (spec, written) {
            _ if !is_known => {}
            (None, Some(_)) => {
                self.problem(&under(path, "url"), Part::Key(0), format!("{} channel takes no `url`", a(kind)), None);
            }
            (None, None) => {}
            (Some(_), None) => {
                if !self.is_unusable(path) && !self.is_flagged(&under(path, "url")) {
                    let hint = Some("set `url`, or `type: console` to print alerts".to_owned());
                    self.problem(path, Part::Value, "`url` is missing", hint);
                }
            }
            (Some(_), Some(_)) if text.is_some_and(str::is_empty) => {
                self.break_entry(path, "`url` is empty");
                self.push(&under(path, "url"), Part::Value, "`url` is empty".to_owned(), None, Reach::Entry);
            }
            (Some(spec), Some(Ok(url))) => match spec.secret {
                true => self.redactor.learn_secret_address(&url),
                false => self.redactor.learn_address(&url),
            },
            (Some(_), Some(Err(why))) => {
                self.problem(&under(path, "url"), Part::Value, format!("`url` {why}"), None);
            }
        }
    }

    /// The type of a channel: what its address belongs to, which `type` must not contradict.
    fn kind(
        &mut self,
        path: &[Step],
        written: Option<String>,
        address: Option<&Url>,
        has_body: bool,
        pages: &ChannelPages,
    ) -> String {
        let at = under(path, "type");
        let written = written.map(|written| written.trim().to_owned());
        if let Some(kind) = written.as_deref().filter(|kind| !pages.has(kind) && pages.fault(kind).is_none()) {
            let known: Vec<&str> = pages.types().into_iter().collect();
            match self.is_flagged(&at) {
                true => {}
                false if self.is_overlaid_type(path) => {
                    let hint = suggestion(kind, &known, "allowed");
                    let message = match echo::among(kind, &known) {
                        Some(kind) => format!("the variable `WEBHOOK_TYPE` cannot be `{kind}`"),
                        None => "the variable `WEBHOOK_TYPE` holds none of the words that it can be".to_owned(),
                    };
                    self.push(&at, Part::Value, message, hint, Reach::Entry);
                }
                false => self.choice(&at, "", kind, &known),
            }
            self.flagged.insert(at);
            return CUSTOM.to_owned();
        }
        let owner = address.and_then(|url| Some((url.host_str()?, owner_of(url)?)));
        match (owner, written) {
            (Some((host, Owner::Known(owner))), Some(written)) => {
                // A user's own page may speak to any service, and so may a body of the user's own.
                let is_own = pages.is_own(&written) || catalogue::ids().all(|id| id != written);
                let is_free = CODED.contains(&written.as_str()) || has_body || is_own;
                if written != owner && !is_free {
                    let message = format!("`type` is `{written}`, but an address at `{host}` belongs to `{owner}`");
                    let hint = Some(format!("write `type: {owner}`, or leave `type` out"));
                    self.problem(&at, Part::Value, message, hint);
                }
                written
            }
            (Some((_, Owner::Known(owner))), None) => owner,
            (Some((host, Owner::Other(service))), written) => {
                let kind = written.unwrap_or_else(|| CUSTOM.to_owned());
                if kind == CUSTOM && !has_body {
                    self.warnings.push(format!(
                        "the webhook at `{host}` belongs to {service}, which does not understand the JSON of a custom \
                         webhook: alerts will not be shown there"
                    ));
                }
                kind
            }
            (None, written) => written.unwrap_or_else(|| CUSTOM.to_owned()),
        }
    }

    /// Whether a variable stands for the type of a webhook.
    fn is_overlaid_type(&self, path: &[Step]) -> bool {
        let variable = RawWebhook::kind.variable.and_then(|variable| self.environment.overlay(variable.name));
        variable.is_some() && path == [key("webhook")]
    }

    /// An expression that a webhook brings itself, where its type lets it.
    fn own_expression(
        &mut self,
        path: &[Step],
        field: &str,
        kind: &str,
        is_open: bool,
        code: &str,
    ) -> Option<Arc<Expression>> {
        let at = under(path, field);
        self.learn_expression(&at, code);
        if !is_open {
            let message = match field {
                "accept" => format!("`accept` is for custom webhooks; what a {kind} answers is known"),
                _ => format!("`{field}` is for custom webhooks; a {kind} channel has its own"),
            };
            self.problem(&at, Part::Key(0), message, None);
            return None;
        }
        match Expression::compile(code) {
            Ok(expression) => Some(Arc::new(expression)),
            Err(why) => {
                let hint = match field {
                    "accept" => "it is a jq expression over the answer, as `.status == \"ok\"`",
                    _ => "it is a jq expression over the message, as `{text: .text}`",
                };
                self.problem(&at, Part::Value, format!("`{field}` cannot be understood: {why}"), Some(hint.to_owned()));
                None
            }
        }
    }

    /// Headers that a webhook brings itself, where its type lets it.
    fn own_headers(
        &mut self,
        path: &[Step],
        kind: &str,
        is_open: bool,
        headers: BTreeMap<String, String>,
    ) -> Vec<Pair> {
        let at = under(path, "headers");
        if !is_open && !headers.is_empty() {
            let message = format!("`headers` is for custom webhooks; a {kind} channel has its own");
            self.problem(&at, Part::Key(0), message, None);
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (name, value) in headers {
            let at = under(&at, &name);
            let value = SecretString::from(value.trim());
            literals::learn_header(&self.redactor, &name, value.expose_secret());
            if !is_header_name(&name) {
                self.problem(&at, Part::Key(0), "a key of `headers` is not the name of a header", None);
            } else if is_taken_header(&name) {
                let message = format!("the header `{name}` is set by this program");
                self.problem(&at, Part::Key(0), message, None);
            } else if self.is_flagged(&at) || self.is_sound(&at, &value) {
                pairs.push((name, value));
            }
        }
        pairs
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
        let hash: String =
            Sha256::digest(channels[at].place()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let id = format!("{}:{hash}", names[at]);
        // One address twice is two channels: each of them gets every message.
        let twins = channels[..at].iter().filter(|other| other.id.starts_with(&id)).count();
        channels[at].id = if twins == 0 { id } else { format!("{id}:{}", twins + 1) };
    }
}

/// The name of a type with its article.
fn a(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

/// Whom an address belongs to.
enum Owner {
    /// The service of a page that an address is all that is needed for.
    Known(String),
    /// Another service, which does not understand the JSON of a custom webhook.
    Other(String),
}

/// The service that an address belongs to, if that is known.
fn owner_of(address: &Url) -> Option<Owner> {
    if let Some(page) = catalogue::owner(address) {
        return Some(if page.fields.contains_key("url") { Owner::Known(page.id) } else { Owner::Other(page.title) });
    }
    let host = address.host_str()?;
    // The retired connectors of Teams, which take another form than its workflows.
    let is_connector =
        host.strip_suffix("webhook.office.com").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    is_connector.then(|| Owner::Other("Microsoft Teams".to_owned()))
}
