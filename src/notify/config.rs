//! What a config says of channels.

mod email;
mod kind;
mod list;
mod mention;
mod own;
mod pages;
mod request;
mod route;
mod times;

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::kind::a;
pub(crate) use self::own::OwnFields;
pub(crate) use self::pages::ChannelPages;
#[cfg(test)]
pub(crate) use self::pages::problems;
pub(crate) use self::route::RawMatch;
use self::route::{LowestLevel, RawRoute};
pub(crate) use self::times::RawActive;
use crate::decide::active_times::ActiveTimes;
use crate::decide::route::Route;
use crate::model::words::Language;
pub(crate) use crate::notify::channel::coded::{CODED, EMAIL, EXEC};
use crate::notify::channel::email::Email;
use crate::notify::channel::page::{Per, Repeat};
use crate::notify::channel::prepared::Prepared;
use crate::notify::channel::sign::SignScheme;
use crate::notify::channel::values::Values;
use crate::page::expression::Expression;
use crate::process::command::Program;
use crate::process::environment::Environment;
use crate::wire::auth::{Login, Pair};
use crate::wire::config::RawAuth;
use crate::wire::limit::Limit;
use crate::yaml::address::web_address;
use crate::yaml::credential::Use;
use crate::yaml::field::{Variable, fields};
use crate::yaml::path::{NodePath, Part, Step, key, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::texts::RawTexts;

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
        /// Which alerts it takes. A webhook without it takes what no other one has taken.
        matcher as "match": RawMatch;
        /// Whether an alert that it takes by its `match` goes on to the later webhooks, as if it had not taken it.
        goes_on as "continue": Lenient<bool>, default = "false";
        /// The lowest level that it takes, whatever its `match` says.
        min_level: LowestLevel, default = "warning";
        /// It hears only of what has lasted this long without being over, silenced or acknowledged, as 2h; beside those who hear of it at
        /// once, whatever they have taken.
        after: Lenient<Text>;
        /// When it takes messages.
        active: RawActive;
        /// Who is mentioned in messages that something is critical, where the type can mention: the ids that the service has for them.
        mention: RawTexts;
        /// The language of its messages.
        language: Language, default = "`settings.language`";
        /// Whether the channel hears that an alert is over.
        send_resolved: Lenient<bool>, default = "true";
        /// Says that what proves the sender may go to an `http://` address of another machine, where everybody on the way can read
        /// it; without it every run warns. For type email: that mails may go to another machine without TLS, which is refused
        /// without it.
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
    /// The type: the id of a page, `console`, `email` or `exec`.
    pub kind: String,
    /// The page; none for a channel that is code.
    pub page: Option<Arc<Prepared>>,
    /// What it sets of the fields of its page, the address and the signing secret included.
    pub values: Values,
    /// The program with its arguments, for a channel that is a command.
    pub command: Option<Arc<Program>>,
    /// The server and the people, for a channel that sends mail.
    pub email: Option<Arc<Email>>,
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
    /// Which alerts it takes.
    pub route: Route,
    /// When it takes messages; none for always.
    pub active: Option<ActiveTimes>,
    /// Who is mentioned if something is critical.
    pub mentions: Vec<String>,
    /// The language of its messages; none for that of the config.
    pub language: Option<Language>,
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

    /// The destination: the address, and the fields (not secret ones) that select a recipient.
    fn place(&self) -> String {
        let address = self.address().map(Url::as_str).unwrap_or_default();
        let fields: Vec<String> = self.values.public_texts().map(|text| format!("\0{text}")).collect();
        let command: Vec<String> =
            self.command.iter().flat_map(|command| command.words.iter()).map(|word| format!("\0{word}")).collect();
        let people: Vec<String> =
            self.email.iter().flat_map(|email| email.people()).map(|who| format!("\0{who}")).collect();
        format!("{address}{}{}{}", fields.concat(), command.concat(), people.concat())
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
    let fields = ["url", "url_file", "url_command"].map(|field| vec![key("webhook"), key(field)]);
    if environment.overlay(URL.name).is_some() { fields.to_vec() } else { Vec::new() }
}

impl ConfigReader<'_> {
    /// One channel, as its entry says.
    fn channel(
        &mut self,
        path: &[Step],
        raw: RawWebhook,
        own: BTreeMap<String, String>,
        pages: &mut ChannelPages,
    ) -> Channel {
        let secrets =
            [("url", raw.url, raw.url_file, Use::Address), ("secret", raw.secret, raw.secret_file, Use::Password)];
        let mut values = self.address_and_secret(path, secrets);
        let written = values.get("url").map(|url| web_address(url.expose_secret()));
        if self.is_from_outside(&under(path, "url")) {
            // Whether the type fits is decided by the address.
            self.outside.insert(under(path, "type"));
        }
        let address = written.as_ref().and_then(|url| url.as_ref().ok());
        let kind = self.kind(path, raw.kind, address, raw.body.is_some(), pages);
        let (page, is_broken) = self.usable_page(path, &kind, pages);
        self.address(path, &kind, page.as_deref(), values.get("url").map(ExposeSecret::expose_secret), written);
        let signs = page.as_ref().is_some_and(|page| page.page.fields.contains_key("secret"));
        if !signs && !is_broken && values.remove("secret").is_some_and(|secret| !secret.expose_secret().is_empty()) {
            self.warnings.push(format!("a {kind} webhook signs nothing, so its `secret` is not used"));
        }
        let login = raw.auth.and_then(|auth| self.login(path, &kind, page.is_some(), auth));
        let command = self.command(path, &kind, raw.command);
        let limit = match raw.rate_limit {
            Some(text) => self.limit(&under(path, "rate_limit"), &text),
            None => page.as_ref().and_then(|page| page.page.rate_limit.as_ref()?.parse().ok()),
        };
        let is_open = is_broken || page.as_ref().is_some_and(|page| page.page.open);
        let accept = raw.accept.and_then(|code| self.own_expression(path, "accept", &kind, is_open, &code));
        let body = raw.body.and_then(|code| self.own_expression(path, "body", &kind, is_open, &code));
        let headers = self.own_headers(path, &kind, is_open, raw.headers.unwrap_or_default());
        let values = match pages.fields(&kind).filter(|_| !is_broken) {
            Some(fields) => self.values(path, &kind, &fields, own, values),
            None => Values::default(),
        };
        let mentions = self.mentions(path, &kind, page.as_deref(), is_broken, raw.mention);
        let goes_on = raw.goes_on.map(|flag| flag.0);
        let route =
            self.route(path, RawRoute { matcher: raw.matcher, goes_on, min_level: raw.min_level, after: raw.after });
        let active = self.active(&under(path, "active"), raw.active);
        let allow_insecure = raw.allow_insecure.is_some_and(|allow| allow.0);
        let email = (kind == EMAIL).then(|| self.email(path, &values, allow_insecure)).flatten();
        let address = match (&page, &email) {
            (Some(page), _) => page.address(&values),
            (None, email) => email.as_ref().and_then(|email| email.url()),
        };
        let url = self.fault(path).map_or(Ok(address), Err);
        let name = raw.name.unwrap_or_else(|| kind.clone());
        Channel {
            id: name.clone(),
            name,
            kind,
            page,
            values,
            command,
            email,
            url,
            login,
            limit,
            source: raw.source.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| SOURCE.to_owned()),
            body,
            headers,
            accept,
            route,
            active,
            mentions,
            language: raw.language,
            send_resolved: raw.send_resolved.is_none_or(|send| send.0),
            allow_insecure,
        }
    }

    /// The address and the signing secret, as far as they are set.
    fn address_and_secret(
        &mut self,
        path: &[Step],
        fields: [(&str, Option<String>, Option<String>, Use); 2],
    ) -> BTreeMap<String, SecretString> {
        let mut values = BTreeMap::new();
        for (field, text, file, purpose) in fields {
            if let Some(secret) = self.secret(path, field, text, file.as_deref()) {
                self.vet(path, field, secret.expose_secret(), purpose);
                values.insert(field.to_owned(), secret);
            }
        }
        values
    }

    /// The page of a type, if there is one that can be used; and whether there is one that cannot. What that wants of a webhook is not
    /// known.
    fn usable_page(&mut self, path: &[Step], kind: &str, pages: &mut ChannelPages) -> (Option<Arc<Prepared>>, bool) {
        let page = pages.get(kind);
        match pages.fault(kind) {
            Some(why) => {
                self.break_entry(path, format!("the page of its type cannot be used: {why}"));
                (None, true)
            }
            None => (page, false),
        }
    }

    /// How a request proves who sends it.
    fn login(&mut self, path: &[Step], kind: &str, has_page: bool, raw: RawAuth) -> Option<Login> {
        let at = under(path, "auth");
        if !has_page && CODED.contains(&kind) {
            self.problem(&at, Part::Key(0), format!("{} channel takes no `auth`", a(kind)), None);
        }
        self.auth(&at, raw)
    }
}
