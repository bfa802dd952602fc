//! A provider as a page of data, and how an answer is read by it.
//!
//! The pages that come with the program stand in `catalog/`; a user writes the same page under `providers:`.
//! Not here: the network. This module is pure, so a page's own examples are its tests.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::expression::{Expression, Shape, Variables};
use crate::amount;
use crate::check::{Amount, Reading};
use crate::failure::{Failure, Reason};

/// One provider: what to ask, and how to read the answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Page {
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
    /// A jq expression over the body: null or false if there is no error, else a message or
    /// `{message, reason, hint}`.
    pub error: Option<String>,
    /// A jq expression over the body: a number, a numeric string, "unlimited", or `{amount, minus, currency}`.
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
pub enum Kind {
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
pub struct Credential {
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
pub enum CredentialFormat {
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
pub struct OptionSpec {
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
pub struct RequestSpec {
    /// GET or POST.
    #[serde(default)]
    pub method: Method,
    /// The address, without a query.
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
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads too, for services that want it so.
    Post,
}

/// The signing schemes that are code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SignScheme {
    /// Volcengine `HMAC-SHA256`; `options.region` and `options.service` are its scope.
    VolcHmacSha256,
    /// Alibaba Cloud `ACS3-HMAC-SHA256`; `Action` and `Version` stand in the page's headers.
    AliyunAcs3,
}

/// A second request that decides whether the first answer can be trusted.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Confirm {
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
pub struct Example {
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
pub struct Expect {
    /// The amount, or "unlimited".
    pub balance: Option<String>,
    /// The currency with it.
    pub currency: Option<String>,
    /// The reason of the failure.
    pub failure: Option<Reason>,
    /// A part of the failure's message or hint.
    pub says: Option<String>,
}

/// A page whose expressions are compiled for one set of options.
pub struct Reader {
    error: Option<Expression>,
    balance: Expression,
    confirm: Option<(Expression, Expression)>,
}

/// What an HTTP status and body come to.
#[derive(Debug)]
pub enum Verdict {
    /// A balance.
    Read(Reading),
    /// A balance that stands only if the page's second question says so.
    Unconfirmed(Reading),
}

impl Page {
    /// Fills `{api_key}` and `{options.NAME}`; `encode` is applied to what is filled in.
    pub fn fill(
        &self,
        template: &str,
        api_key: &str,
        options: &BTreeMap<String, String>,
        encode: impl Fn(&str) -> String,
    ) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let value = rest.find('}').and_then(|end| {
                let value = match &rest[1..end] {
                    "api_key" => Some(api_key),
                    name => name.strip_prefix("options.").and_then(|name| options.get(name)).map(String::as_str),
                };
                value.map(|value| (end, value))
            });
            match value {
                Some((end, value)) => {
                    out.push_str(&encode(value));
                    rest = &rest[end + 1..];
                }
                None => {
                    out.push('{');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The options of a project with the page's defaults under them.
    pub fn options_with_defaults(&self, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut options: BTreeMap<_, _> =
            self.options.iter().filter_map(|(name, spec)| Some((name.clone(), spec.default.clone()?))).collect();
        options.extend(set.iter().map(|(k, v)| (k.clone(), v.clone())));
        options
    }

    /// The balance expression for one set of options: `file` lets the project bring it.
    pub fn balance_for(&self, options: &BTreeMap<String, String>) -> String {
        self.fill(&self.balance, "", options, str::to_owned)
    }

    /// Compiles the page's expressions.
    ///
    /// # Errors
    /// Which expression is wrong, and where.
    pub fn reader(&self, options: &BTreeMap<String, String>) -> Result<Reader, String> {
        let compile = |field: &str, code: &str| {
            Expression::compile(code).map_err(|why| format!("the jq expression of `{field}` is wrong: {why}"))
        };
        Ok(Reader {
            error: self.error.as_deref().map(|code| compile("error", code)).transpose()?,
            balance: compile("balance", &self.balance_for(options))?,
            confirm: match &self.confirm {
                Some(confirm) => {
                    Some((compile("confirm.when", &confirm.when)?, compile("confirm.error", &confirm.error)?))
                }
                None => None,
            },
        })
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The failure it is: by the page's own test first, then by status, then by what the body lacks.
    pub fn interpret(
        &self,
        reader: &Reader,
        status: u16,
        body: &[u8],
        variables: &Variables,
    ) -> Result<Verdict, Failure> {
        let parsed = super::expression::parse_json(body);
        if !(200..300).contains(&status) {
            let own = parsed.as_ref().ok().and_then(|body| {
                let said = reader.error.as_ref().and_then(|error| page_error(error, body, variables).transpose());
                said.and_then(Result::ok)
            });
            return Err(self.status_failure(status, own, parsed.ok().as_ref()));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
        if let Some(error) = &reader.error
            && let Some(failure) = page_error(error, &body, variables)?
        {
            return Err(failure);
        }
        let reading = self.reading(reader.balance.run(&body, variables), variables)?;
        if let Some((when, _)) = &reader.confirm
            && matches!(when.run(&body, variables), Ok(Some(Shape::Bool(true))))
        {
            return Ok(Verdict::Unconfirmed(reading));
        }
        Ok(Verdict::Read(reading))
    }

    /// Whether the second answer lets the first stand.
    ///
    /// # Errors
    /// The failure it is: an answer that cannot be read confirms nothing.
    pub fn confirm(&self, reader: &Reader, status: u16, body: &[u8], variables: &Variables) -> Result<(), Failure> {
        let Some((_, error)) = &reader.confirm else {
            return Ok(());
        };
        let parsed = super::expression::parse_json(body);
        if !(200..300).contains(&status) {
            return Err(self.status_failure(status, None, parsed.ok().as_ref()));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
        match page_error(error, &body, variables)? {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Runs one of the page's examples.
    ///
    /// # Errors
    /// What came instead of what was expected.
    pub fn try_example(&self, example: &Example) -> Result<(), String> {
        let options = self.options_with_defaults(&example.options);
        let reader = self.reader(&options)?;
        let variables = Variables::new(example.currency.as_deref(), &options);
        let result = self.interpret(&reader, example.status, example.body.as_bytes(), &variables).and_then(|verdict| {
            match verdict {
                Verdict::Read(reading) => Ok(reading),
                Verdict::Unconfirmed(reading) => {
                    let second = example.confirm.as_deref().unwrap_or_default();
                    self.confirm(&reader, 200, second.as_bytes(), &variables).map(|()| reading)
                }
            }
        });
        let expect = &example.expect;
        let got = match &result {
            Ok(reading) => match reading.amount {
                Amount::Of(amount) => format!("balance {amount} {}", reading.currency.as_deref().unwrap_or("-")),
                Amount::Unlimited => "unlimited".to_owned(),
            },
            Err(failure) => format!("failure {}: {}", failure.reason.as_str(), failure.describe()),
        };
        let same = match (&result, &expect.balance, expect.failure) {
            (Ok(reading), Some(wanted), None) => {
                let amount = match reading.amount {
                    Amount::Of(amount) => wanted.parse::<Decimal>().is_ok_and(|wanted| wanted == amount),
                    Amount::Unlimited => wanted == "unlimited",
                };
                amount && (expect.currency.is_none() || expect.currency == reading.currency)
            }
            (Err(failure), None, Some(reason)) => {
                failure.reason == reason
                    && expect.says.as_ref().is_none_or(|part| failure.describe().contains(part.as_str()))
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(format!("example `{}` gives {got}", example.name)) }
    }

    /// The failure an HTTP status stands for, told in the service's own words where the body has some.
    fn status_failure(&self, status: u16, own: Option<Failure>, body: Option<&super::expression::Json>) -> Failure {
        let what = match status {
            401 => "the credential was refused",
            403 => "the credential may not read this",
            404 | 410 => "the address is not there, or the service has retired it",
            429 => "too many requests",
            300..=399 => "the service answered with a redirect that was not followed",
            500..=599 => "the service has a fault of its own",
            _ => "the request was refused",
        };
        let detail = own
            .as_ref()
            .map(|failure| failure.message.clone())
            .or_else(|| body.and_then(super::expression::Json::error_message));
        let message = match detail {
            Some(detail) => format!("{what} (HTTP {status}): {detail}"),
            None => format!("{what} (HTTP {status})"),
        };
        // A page knows its own codes better than the status does: a bad key may come as 404, throttling as 400.
        let own_reason = own.as_ref().map(|f| f.reason).filter(|reason| *reason != Reason::Api);
        let mut failure = match own_reason {
            Some(Reason::RateLimited) => Failure::transient(Reason::RateLimited, message),
            Some(reason) => Failure::new(reason, message),
            None => Failure::of_status(status, message),
        };
        failure.hint = own.and_then(|f| f.hint).or_else(|| self.hints.get(&status.to_string()).cloned());
        failure
    }

    fn reading(&self, value: Result<Option<Shape>, String>, variables: &Variables) -> Result<Reading, Failure> {
        let decode = |message: String| Failure::new(Reason::Decode, message);
        let value = value.map_err(|why| decode(format!("the balance could not be read: {why}")))?;
        let Some(value) = value else {
            return Err(decode("the answer holds no balance".to_owned()));
        };
        let (value, minus, currency) = match value {
            Shape::Object(mut fields) => {
                let amount = fields.remove("amount").unwrap_or(Shape::Null);
                let currency = match fields.remove("currency") {
                    Some(Shape::Text(currency)) if !currency.is_empty() => Some(currency),
                    Some(Shape::Null) | None => None,
                    Some(_) => {
                        return Err(decode("the currency in the answer is no word".to_owned()));
                    }
                };
                (amount, fields.remove("minus"), currency)
            }
            value => (value, None, None),
        };
        if matches!(&value, Shape::Text(text) if text == "unlimited") {
            return Ok(Reading { amount: Amount::Unlimited, currency });
        }
        let mut amount =
            number(value).map_err(|why| decode(format!("the balance in the answer cannot be used: {why}")))?;
        if let Some(minus) = minus {
            let minus = number(minus)
                .map_err(|why| decode(format!("what is to be taken off the balance cannot be used: {why}")))?;
            amount = amount.checked_sub(minus).ok_or_else(|| decode("the balance is out of range".to_owned()))?;
        }
        if let (Some(said), Some(wanted)) = (&currency, variables.currency())
            && !said.eq_ignore_ascii_case(wanted)
        {
            return Err(Failure::new(
                Reason::Config,
                format!("the balance is in {said}, but `currency: {wanted}` is configured"),
            )
            .with_hint("amounts are never converted; set `currency` to what the service reports"));
        }
        let currency = currency.or_else(|| variables.currency().map(str::to_owned)).or_else(|| self.currency.clone());
        Ok(Reading { amount: Amount::Of(amount), currency })
    }
}

fn number(value: Shape) -> Result<Decimal, String> {
    match value {
        Shape::Number(literal) => amount::from_json_number(&literal).map_err(str::to_owned),
        Shape::Float(value) => amount::from_float(value).map_err(str::to_owned),
        Shape::Text(text) => amount::parse(&text).map_err(|why| format!("it is text and {why}")),
        Shape::Null => Err("it is missing or null".to_owned()),
        Shape::Bool(_) => Err("it is true or false, not a number".to_owned()),
        Shape::Array => Err("it is a list, not a number".to_owned()),
        Shape::Object(_) => Err("it is an object, not a number".to_owned()),
    }
}

/// The page's own test for an error inside the answer.
fn page_error(
    error: &Expression,
    body: &super::expression::Json,
    variables: &Variables,
) -> Result<Option<Failure>, Failure> {
    let value = error
        .run(body, variables)
        .map_err(|why| Failure::new(Reason::Decode, format!("the answer has not the expected shape: {why}")))?;
    Ok(match value {
        None | Some(Shape::Null | Shape::Bool(false)) => None,
        Some(Shape::Object(mut fields)) => {
            let mut text = |name: &str| match fields.remove(name) {
                Some(Shape::Text(text)) if !text.is_empty() => Some(text),
                Some(Shape::Number(number)) => Some(number),
                _ => None,
            };
            let message = text("message").unwrap_or_else(|| "no message".to_owned());
            let message = format!("the service reports an error: {message}");
            let hint = text("hint");
            let reason = text("reason")
                .and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok())
                .unwrap_or(Reason::Api);
            let mut failure = match reason {
                Reason::RateLimited => Failure::transient(reason, message),
                reason => Failure::new(reason, message),
            };
            failure.hint = hint;
            Some(failure)
        }
        Some(Shape::Text(message)) => {
            Some(Failure::new(Reason::Api, format!("the service reports an error: {message}")))
        }
        Some(_) => Some(Failure::new(Reason::Api, "the service reports an error")),
    })
}

/// What a body that is no JSON looks like, without quoting it: it may hold personal data.
fn describe_body(body: &[u8], why: &str) -> String {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        "the answer is empty".to_owned()
    } else if start.starts_with(b"<") {
        "the answer is a web page, not JSON (a login or proxy page?)".to_owned()
    } else {
        format!("the answer is not JSON ({why})")
    }
}
