//! What a page asks: its requests, and what each of them leaves for the next one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The status of an answer that is only a part of what was asked for.
pub(super) const PARTIAL: u16 = 206;

/// An option that a project may set.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct OptionSpec {
    /// What it does.
    pub description: String,
    /// Its value if the project does not set it; without one the option must be set.
    pub default: Option<String>,
    /// The values it may have; any if empty.
    #[serde(default)]
    pub values: Vec<String>,
}

/// A request. Its texts may hold the placeholders `{api_key}`, `{credential.NAME}`, `{options.NAME}`, `{bind.NAME}`, `{uuid}`, and
/// times such as `{month:%Y-%m-%d}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSpec {
    /// GET or POST.
    #[serde(default)]
    pub method: Method,
    /// The address; it may have a query. Its host may hold options, but neither the credential nor what a step has bound.
    pub url: Option<String>,
    /// A JSON file to read instead, relative to the config.
    pub file: Option<String>,
    /// The query, percent-encoded when sent.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A user and a password with a colon between them, sent as `Authorization: Basic`.
    pub basic: Option<String>,
    /// A JSON body, for POST.
    pub body: Option<String>,
    /// The fields of a form, for POST.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// What the body of the answer is.
    #[serde(default)]
    pub answer: Form,
    /// Statuses beside those of success (2xx) whose answers are read like one.
    #[serde(default)]
    pub statuses: Vec<u16>,
}

/// The HTTP methods a balance is read with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads too, for services that want it so.
    Post,
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// JSON.
    #[default]
    Json,
    /// Plain text, which expressions see as one text.
    Text,
    /// XML, which expressions see as objects: `@name` is an attribute, `#text` the text beside it, and what stands there several
    /// times is a list.
    Xml,
    /// Nothing that matters: expressions see null, and read `$headers` and `$status`.
    None,
}

/// One of several requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// A word for it, which failures name.
    pub name: String,
    /// What to ask.
    pub request: RequestSpec,
    /// A jq expression over the answer before it: the step is left out unless it is true.
    pub when: Option<String>,
    /// What the step is asked for, one after the other.
    pub each: Option<Each>,
    /// The step's own test for an error, instead of the page's.
    pub error: Option<String>,
    /// Values of the answer for later requests (`{bind.NAME}`) and expressions (`$bind.NAME`), each a jq expression that gives one
    /// text, number or flag. One whose name speaks of a secret (`token`, `session_key`) is masked like the credential.
    #[serde(default)]
    pub bind: BTreeMap<String, String>,
    /// Numbers that are added over all pages of the answer, each a jq expression; later they are read as `$bind.NAME`. No two steps
    /// bind or add a value of one name.
    #[serde(default)]
    pub sum: BTreeMap<String, String>,
    /// How to ask for the next page of a long answer.
    pub pages: Option<Paging>,
}

/// How a step is asked once for each item of a list. What it sums is added over all of its answers, what it binds must be the same in
/// all of them, and expressions that look at the answer after it see null: none of its answers stands for the others.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Each {
    /// A jq expression over the answer before it: a list of texts and numbers, or several of them. No item may come twice, and a list
    /// without items is a failure.
    #[serde(rename = "in")]
    pub items: String,
    /// What the item is called in the step: `{bind.NAME}`, `$bind.NAME`.
    #[serde(rename = "as")]
    pub name: String,
    /// Most items. If there are more, the sum is not known.
    #[serde(default = "most_pages")]
    pub most: u16,
}

/// How a long answer is asked for page by page.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// A jq expression over a page: what asks for the next one, or null, false or an empty text if there is none. To give no value
    /// at all is a failure.
    pub next: String,
    /// The parameter of the query that it goes into.
    pub query: String,
    /// Most pages. If there are more, the sum is not known.
    #[serde(default = "most_pages")]
    pub most: u16,
}

fn most_pages() -> u16 {
    30
}

/// A second request that decides whether the first answer can be trusted.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// A jq expression over the first body: true if a second look is needed.
    pub when: String,
    /// The address asked, with the same headers.
    pub url: String,
    /// As the page's `error`, over the second body.
    pub error: String,
}

impl Step {
    /// What the step calls the item that it is asked for.
    pub(crate) fn item(&self) -> Option<&str> {
        self.each.as_ref().map(|each| each.name.as_str())
    }
}

impl RequestSpec {
    /// The texts of a request beside its address that are filled in. The body is left out, because its placeholders are filled
    /// in by the rules of its own format.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &String> {
        self.query.values().chain(self.headers.values()).chain(self.form.values()).chain(&self.basic)
    }

    /// Whether an answer with a status is read like a success. A part of an answer (206) is one only if the page asks for it.
    pub(crate) fn accepts(&self, status: u16) -> bool {
        let wants_part = || self.headers.keys().any(|name| name.eq_ignore_ascii_case("range"));
        let is_success = (200..300).contains(&status) && (status != PARTIAL || wants_part());
        is_success || self.statuses.contains(&status)
    }
}
