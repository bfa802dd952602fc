//! A provider as a page of data, and how an answer is read by it.
//!
//! The pages that come with the program stand in `catalog/`; a user writes the same page under `providers:`.
//! Not here: the network. This module is pure, so a page's own examples are its tests.

mod balance;
mod error;
mod example;
mod fill;
mod interpret;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use self::interpret::{Reader, Verdict};
use super::sign::SignScheme;
use crate::model::failure::Reason;

/// One provider: what to ask, and how to read the answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The word that `projects[].provider` names.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// What is measured.
    pub kind: Kind,
    /// The currency of the balance, unless the balance expression says it.
    pub currency: Option<String>,
    /// Where the API is documented.
    pub docs: Option<String>,
    /// What `api_key` must be.
    #[serde(default)]
    pub credential: Credential,
    /// What `projects[].options` may hold.
    #[serde(default)]
    pub options: BTreeMap<String, OptionSpec>,
    /// What to ask.
    pub request: RequestSpec,
    /// The signing scheme of the request.
    pub sign: Option<SignScheme>,
    /// A jq expression over the body: null, false, 0, an empty text, list or object if there is no error; else true, a
    /// message, `{message, reason, hint, retry}`, or a list of them. Where it gives no words, the service's own are looked for.
    /// `retry: false` says that no repeat in this run can help, whatever the status.
    pub error: Option<String>,
    /// A jq expression over the body, exactly one value: a number, a numeric string, "unlimited" (or "∞", "无限"), or
    /// `{amount, minus, plus, currency}`: `amount` less `minus` and with `plus`, each of them a number or a text. The currency
    /// that a text names must be that of the page or the project.
    pub balance: String,
    /// A second question for answers that cannot be trusted alone.
    pub confirm: Option<Confirm>,
    /// How often it may be asked, over all its accounts: `5/minute`.
    pub rate_limit: Option<String>,
    /// Advice by HTTP status.
    #[serde(default)]
    pub hints: BTreeMap<String, String>,
    /// Bodies with the reading or failure they must give.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// What a provider measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Money.
    Balance,
    /// Prepaid credits or points.
    Credits,
    /// A quota that refills.
    Quota,
}

/// The shape of a credential.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Credential {
    /// One key, a pair, or nothing.
    #[serde(default)]
    pub format: CredentialFormat,
    /// Which kind of key is needed, for people.
    pub note: Option<String>,
}

/// How a credential is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialFormat {
    /// One secret word.
    #[default]
    Key,
    /// `AccessKeyId:Secret`, split at the first colon.
    Pair,
    /// None is needed.
    None,
}

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

/// A request, with the placeholders `{api_key}` and `{options.NAME}` in its texts.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestSpec {
    /// GET or POST.
    #[serde(default)]
    pub method: Method,
    /// The address; it may have a query, but no place for the key.
    pub url: Option<String>,
    /// A JSON file to read instead, relative to the config.
    pub file: Option<String>,
    /// The query, percent-encoded when sent.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body, for POST.
    pub body: Option<String>,
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

/// A body and what it must give.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// What it shows.
    pub name: String,
    /// The HTTP status.
    #[serde(default = "ok_status")]
    pub status: u16,
    /// The body, as text.
    pub body: String,
    /// The body of the second request, where the page has one.
    pub confirm: Option<String>,
    /// The currency the project asks for.
    pub currency: Option<String>,
    /// Options the project sets.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// What must come of it.
    pub expect: Expect,
}

fn ok_status() -> u16 {
    200
}

/// What an example must give.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The amount, or "unlimited".
    pub balance: Option<String>,
    /// The currency with it; an empty text if none may be named.
    pub currency: Option<String>,
    /// The reason of the failure.
    pub failure: Option<Reason>,
    /// A part of the failure's message or hint.
    pub says: Option<String>,
}
