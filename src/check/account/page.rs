//! A provider as a page of data, and how an answer is read by it.
//!
//! The pages that come with the program stand in `catalog/`; a user writes the same page under `providers:`.
//! Not here: the network. This module is pure, so a page's own examples are its tests.

pub(crate) mod absent;
pub(crate) mod ask;
mod balance;
mod beside;
pub(crate) mod credential;
mod error;
pub(crate) mod example;
pub(crate) mod fill;
pub(crate) mod fixture;
mod interpret;
mod number;
pub(crate) mod shape;
#[cfg(test)]
mod tests;
pub(crate) mod time;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use self::ask::{Confirm, OptionSpec, RequestSpec, Step};
use self::credential::Credential;
use self::example::Example;
pub(crate) use self::interpret::{Answer, Progress, Reader, Verdict, Wanted};
use super::sign::SignScheme;
use crate::yaml::scalar::Lenient;

/// One provider: what to ask, and how to read the answer.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The word that `projects[].provider` names.
    pub id: String,
    /// The name for people.
    pub title: String,
    /// Which part of the list of providers it stands in.
    #[serde(default)]
    pub group: Group,
    /// What is measured.
    pub kind: Kind,
    /// The currency of the balance, unless the balance expression says it.
    pub currency: Option<String>,
    /// What is counted that is no money, for example `tokens`.
    pub unit: Option<String>,
    /// Where the API is documented.
    pub docs: Option<String>,
    /// Where an account is topped up.
    pub top_up: Option<String>,
    /// When and by what it was checked that the page is right.
    pub checked: Option<Checked>,
    /// Whether everybody runs this service on a machine of their own, so that a project must say its `base_url`.
    #[serde(default)]
    pub self_hosted: bool,
    /// What the account proves itself with.
    #[serde(default)]
    pub credential: Credential,
    /// What `projects[].options` may hold.
    #[serde(default)]
    pub options: BTreeMap<String, OptionSpec>,
    /// What to ask, if one request is enough.
    pub request: Option<RequestSpec>,
    /// What to ask, one after the other, if one request is not enough.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// The signing scheme of the requests.
    pub sign: Option<SignScheme>,
    /// A jq expression over the body: null, false, 0, an empty text, list or object if there is no error; else true, a
    /// message, `{message, reason, hint, retry}`, or a list of them. Where it gives no words, the service's own are looked for.
    /// `retry: false` says that no repeat in this run can help, whatever the status. It is the test of every step that has none of
    /// its own.
    pub error: Option<String>,
    /// A jq expression over the last body that is true if the account has no limit, and false or null if it has one.
    pub unlimited: Option<String>,
    /// A jq expression over the last body, exactly one value: a number, a numeric string, "unlimited" (or "∞", "无限"), or
    /// `{amount, minus, plus, currency}`: `amount` less `minus` and with `plus`, each of them a number or a text. The currency
    /// that a text names must be that of the page or the project.
    pub balance: Option<String>,
    /// The same for `kind: spend`, instead of `balance`: what was spent in this period. The balance is the project's `budget` less it.
    pub spend: Option<String>,
    /// What every amount is multiplied by, for example `0.01` where a service counts cents.
    pub scale: Option<Lenient<Decimal>>,
    /// Whether the service writes credit as a negative number, so that the sign of the balance and of the total is turned.
    #[serde(default)]
    pub inverted: bool,
    /// A jq expression over the last body: how much there is when nothing was used.
    pub total: Option<String>,
    /// A jq expression over the last body: how much was used.
    pub usage: Option<String>,
    /// A jq expression over the last body: how much is there but cannot be used.
    pub frozen: Option<String>,
    /// A jq expression over the last body: when a quota refills, as a date, a time, or seconds or milliseconds since 1970.
    pub resets_at: Option<String>,
    /// A jq expression over the last body: values or a list of `{credit, amount, date}`, for credits that expire.
    pub expires: Option<String>,
    /// A second question for answers that cannot be trusted alone.
    pub confirm: Option<Confirm>,
    /// How often it may be asked, over all its accounts: `5/minute`.
    pub rate_limit: Option<String>,
    /// What one reading costs, for people: `1 credit`.
    pub read_cost: Option<String>,
    /// How long a reading is used before the service is asked again: `6h`.
    pub min_interval: Option<String>,
    /// Advice by HTTP status.
    #[serde(default)]
    pub hints: BTreeMap<String, String>,
    /// Answers with the reading or failure they must give.
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
    /// What was used in this period; the project's `budget` says how much may be.
    Spend,
}

/// A part of the list of providers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Group {
    /// Language models.
    Llm,
    /// Gateways to the models of others, run by a company.
    Gateway,
    /// Gateways that people run themselves.
    Selfhosted,
    /// Speech, images and video.
    Media,
    /// Rented graphics processors.
    Gpu,
    /// Clouds.
    Cloud,
    /// Servers and web space.
    Hosting,
    /// Telephony and text messages.
    Telecom,
    /// Sending of e-mail.
    Mail,
    /// Search, scraping and proxies.
    Search,
    /// Data of markets, people and companies.
    Data,
    /// Names of domains.
    Domains,
    /// Payment.
    Payment,
    /// Anything else.
    #[default]
    Other,
}

/// When and how somebody made sure that a page is right.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Checked {
    /// The month, as `2026-11`.
    pub date: String,
    /// By what.
    pub how: How,
}

/// What a page was checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum How {
    /// The service's documentation.
    Documentation,
    /// The service's own library.
    Sdk,
    /// The source of the service.
    Source,
    /// Programs of others that read the same account.
    Clients,
    /// A real account.
    Account,
}

/// An expression with the options of an account in it. `{api_key}` is jq here, an object with one field, and so is all but an option.
pub(crate) fn filled(code: &str, options: &BTreeMap<String, String>) -> String {
    fill::with(code, |name| Some(options.get(name.strip_prefix("options.")?)?.into()), str::to_owned)
}

impl Page {
    /// The expression that is measured by, with the name of its field. `config::pages` makes sure that there is exactly one.
    pub(crate) fn measured(&self) -> (&'static str, &str) {
        match (&self.spend, &self.balance) {
            (Some(spend), None) => ("spend", spend),
            (_, balance) => ("balance", balance.as_deref().unwrap_or_default()),
        }
    }

    /// The requests in their order. `config::pages` makes sure that there is at least one.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &RequestSpec> {
        self.request.iter().chain(self.steps.iter().map(|step| &step.request))
    }

    /// The file that is read instead of asking a service.
    pub(crate) fn file(&self) -> Option<&str> {
        self.requests().find_map(|request| request.file.as_deref())
    }

    /// The addresses that are asked, with the field that each stands in.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let request = self.request.iter().map(|request| ("request", request));
        let steps = self.steps.iter().map(|step| ("steps", &step.request));
        let asked = request.chain(steps).filter_map(|(field, request)| Some((field, request.url.as_deref()?)));
        asked.chain(self.confirm.iter().map(|confirm| ("confirm", confirm.url.as_str())))
    }

    /// The hosts that are the vendor's own: those that are asked, and where an account is topped up.
    pub(crate) fn vendor_hosts(&self) -> Vec<String> {
        let asked = self.addresses().map(|(_, url)| url).chain(self.top_up.as_deref());
        let hosts = asked.filter_map(|url| Some(url::Url::parse(url).ok()?.host_str()?.to_owned()));
        hosts.collect()
    }

    /// What a reading is counted in, unless its answer says it: a currency or another unit.
    pub(crate) fn counted_in(&self) -> Option<&str> {
        self.currency.as_deref().or(self.unit.as_deref())
    }

    /// The options of a project with the page's defaults under them.
    pub(crate) fn options_with_defaults(&self, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut options: BTreeMap<_, _> =
            self.options.iter().filter_map(|(name, spec)| Some((name.clone(), spec.default.clone()?))).collect();
        options.extend(set.iter().map(|(k, v)| (k.clone(), v.clone())));
        options
    }

    /// The expression of the balance for one set of options: `file` lets the project bring it.
    pub(crate) fn measured_for(&self, options: &BTreeMap<String, String>) -> String {
        filled(self.measured().1, options)
    }

    /// The expression of a field that reads something of an answer, and may hold options.
    pub(crate) fn read_by(&self, field: &str) -> Option<&str> {
        let optional = match field {
            "unlimited" => &self.unlimited,
            "total" => &self.total,
            "usage" => &self.usage,
            "frozen" => &self.frozen,
            "resets_at" => &self.resets_at,
            "expires" => &self.expires,
            _ => return Some(self.measured()).filter(|(measured, _)| *measured == field).map(|(_, code)| code),
        };
        optional.as_deref()
    }

    /// What is read of an answer for one set of options, in one text: accounts for which it is the same share what is compiled.
    pub(crate) fn read_for(&self, options: &BTreeMap<String, String>) -> String {
        let beside = [&self.unlimited, &self.total, &self.usage, &self.frozen, &self.resets_at, &self.expires];
        let all = std::iter::once(self.measured().1).chain(beside.into_iter().flatten().map(String::as_str));
        all.map(|code| filled(code, options)).collect::<Vec<_>>().join("\0")
    }
}
