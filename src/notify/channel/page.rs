//! A channel as a page of data: its own fields, its request, its body, its limits, and what its answers mean.
//!
//! The pages that come with the program stand in `catalog/`; a user writes the same page under `channels:`. What a page says is
//! described for its writers in `docs/channels.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::sign::SignScheme;
use crate::model::alert::Topic;
use crate::model::failure::Reason;
use crate::model::words::{Language, words};
use crate::notify::message::Markup;

/// One service that alerts can be sent to.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelPage"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The word that the `type` of a webhook names.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// Where the service documents it.
    #[cfg_attr(not(test), allow(dead_code, reason = "the docs are written by tests"))]
    pub docs: Option<String>,
    /// What in the page is known from memory and not from a source; empty if nothing is.
    #[cfg_attr(not(test), allow(dead_code, reason = "the docs are written by tests"))]
    pub from_memory: Option<String>,
    /// Addresses that belong to the service: a host, or a host and the beginning of a path. A webhook without a `type` whose
    /// `url` is one of them is of this type.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The keys of a webhook of this type beside those that every webhook has. `url` and `secret` are written here as well, if
    /// the page uses them.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldSpec>,
    /// The request: method, address and headers.
    pub request: RequestSpec,
    /// Where it is sent to instead if an alert is over; only with `per: alert`.
    pub resolve: Option<RequestSpec>,
    /// The signature of a request that is code.
    pub sign: Option<SignScheme>,
    /// How the service reads texts. All texts arrive in `body` harmless for it; as they are, they stand under `.raw`.
    pub markup: Markup,
    /// How the service mentions people. A webhook of a type without it can mention nobody.
    pub mention: Option<MentionSpec>,
    /// Whether one message holds several alerts.
    #[serde(default)]
    pub per: Per,
    /// Topics whose alerts never stand in one message with alerts of other topics.
    #[serde(default)]
    pub apart: Vec<Topic>,
    /// A jq expression over the message that gives the body.
    pub body: String,
    /// What the service counts, and how much of it one message may have.
    #[serde(default)]
    pub limits: Vec<SizeLimit>,
    /// The most alerts that one message may hold.
    pub alerts: Option<usize>,
    /// How many messages the service takes: `20/minute`, or `5/second, 100/minute`.
    pub rate_limit: Option<String>,
    /// When an alert that stands is told again.
    #[serde(default)]
    pub repeat: Repeat,
    /// A jq expression over the answer: true if the message was taken, else why not.
    pub verdict: String,
    /// Statuses other than 2xx under which the verdict may say that the message was taken.
    #[serde(default)]
    pub also_taken: Vec<u16>,
    /// Whether a webhook of this type may bring its own `body`, `headers` and `accept`.
    #[serde(default)]
    pub open: bool,
    /// Messages with the body that they must give, and answers with their verdict.
    #[serde(default)]
    pub examples: Examples,
}

/// A key of a webhook that belongs to one type of channel.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelField"))]
#[serde(deny_unknown_fields)]
pub(crate) struct FieldSpec {
    /// What it means, in one sentence.
    pub about: String,
    /// What its value is.
    #[serde(default, rename = "type")]
    pub kind: FieldKind,
    /// Whether a webhook can do without it; one with a default can.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether its value lets its holder in. A secret can also stand in a file, under the same name with `_file`, and the
    /// expressions do not see it.
    #[serde(default)]
    pub secret: bool,
    /// The default.
    pub default: Option<String>,
    /// The values that it may have; any if empty.
    #[serde(default)]
    pub values: Vec<String>,
}

fn yes() -> bool {
    true
}

words! {
    /// What the value of a field is.
    #[derive(Default)]
    pub(crate) enum FieldKind {
        /// Text
        #[default]
        Text = "text",
        /// A number
        Number = "number",
        /// true or false
        Flag = "flag",
        /// A web address
        Url = "url",
        /// A mail address, with a name before it or without
        Address = "address",
        /// A list of mail addresses, or one of them
        Addresses = "addresses",
    }
}

/// How a service mentions people. `body` finds whom to mention under `.mentions`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct MentionSpec {
    /// How a person is named for a mention, in one sentence.
    pub about: String,
    /// A jq expression over one text, true if it can stand for somebody.
    pub check: String,
}

/// A request, with placeholders in its texts: `{url}`, `{NAME}` for each field, and of the message `{key}`, `{condition}` and
/// `{uuid}`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelRequest"))]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSpec {
    /// How it is sent.
    #[serde(default)]
    pub method: Method,
    /// Where to. A field that stands alone at the beginning is an address; anywhere else its value is percent-encoded.
    pub url: String,
    /// Added to the query of the address.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// User and password of HTTP Basic.
    pub basic: Option<Basic>,
    /// How the body is written.
    #[serde(default)]
    pub format: Format,
    /// Keys that are added to the body. This is the place for secrets in a body.
    #[serde(default)]
    pub add: BTreeMap<String, String>,
}

/// User and password of HTTP Basic.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelLogin"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Basic {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// How a message is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelMethod"))]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// As a new thing.
    #[default]
    Post,
    /// Under a name of its own.
    Put,
}

words! {
    /// How a body is written.
    #[derive(Default)]
    pub(crate) enum Format {
        /// JSON
        #[default]
        Json = "json",
        /// The fields of a form; `body` gives an object of texts and numbers
        Form = "form",
        /// Plain text; `body` gives a text
        Text = "text",
    }
}

words! {
    /// What one message is about.
    #[derive(Default)]
    pub(crate) enum Per {
        /// All alerts that fit
        #[default]
        Message = "message",
        /// One alert
        Alert = "alert",
    }
}

words! {
    /// When an alert that stands is told again.
    #[derive(Default)]
    pub(crate) enum Repeat {
        /// When its reminder is due
        #[default]
        Reminders = "reminders",
        /// In every run, for a receiver that forgets
        EveryRun = "every_run",
    }
}

/// How much one message may have of what the service counts.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct SizeLimit {
    /// The limit.
    pub most: usize,
    /// The unit that it is counted in.
    pub unit: Unit,
    /// A jq expression over the body for the text that is counted, or for a number; the whole body as it is sent if it is left
    /// out.
    pub of: Option<String>,
}

words! {
    /// What a service counts.
    pub(crate) enum Unit {
        /// Bytes of UTF-8
        Bytes = "bytes",
        /// Characters (code points)
        Characters = "characters",
        /// Units of UTF-16: characters beyond the first 65 536 are two
        Utf16 = "utf16",
    }
}

impl Unit {
    /// How long a text is in it.
    pub(super) fn count(self, text: &str) -> usize {
        match self {
            Unit::Bytes => text.len(),
            Unit::Characters => text.chars().count(),
            Unit::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// What a page must make of messages and answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelExamples"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Examples {
    /// Messages.
    #[serde(default)]
    pub messages: Vec<MessageExample>,
    /// Answers.
    #[serde(default)]
    pub answers: Vec<AnswerExample>,
}

/// A message and the request that must come of it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelMessage"))]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageExample {
    /// What it shows.
    pub name: String,
    /// The samples that the message tells of.
    pub alerts: Vec<String>,
    /// The language of the message.
    #[serde(default)]
    pub language: Language,
    /// What the webhook sets; `url` and `secret` too.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// The address that it must be sent to.
    pub url: Option<String>,
    /// Headers that it must have.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Who is mentioned if something is critical.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// The exact body, in which `{key}` may stand for the key of the message. JSON may be laid out differently.
    pub body: String,
}

/// An answer and what it must mean.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelAnswer"))]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerExample {
    /// What it shows.
    pub name: String,
    /// The HTTP status.
    #[serde(default = "ok_status")]
    pub status: u16,
    /// Headers, by names in small letters.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// What must come of it.
    pub expect: Expect,
}

fn ok_status() -> u16 {
    200
}

/// What an answer must mean.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), schemars(rename = "ChannelExpect"))]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// Whether the message was taken.
    pub taken: bool,
    /// The reason of a refusal.
    pub reason: Option<Reason>,
    /// Whether, and when, a repeat could help.
    pub repeat: Option<Again>,
    /// A part of the failure's message or hint.
    pub says: Option<String>,
}

words! {
    /// Whether a repeat of a refused message could help.
    pub(crate) enum Again {
        /// A repeat in this run could help
        ThisRun = "this_run",
        /// Only a repeat in a later run could help
        NextRun = "next_run",
        /// No repeat helps
        Never = "never",
    }
}

impl RequestSpec {
    /// Every text that may have placeholders.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let basic = self.basic.iter().flat_map(|basic| [basic.user.as_str(), &basic.password]);
        let mapped = self.query.values().chain(self.headers.values()).chain(self.add.values());
        std::iter::once(self.url.as_str()).chain(mapped.map(String::as_str)).chain(basic)
    }
}
