//! A provider as a page of data, and how an answer is read by it.
//!
//! The pages that come with the program stand in `catalog/`; a user writes the same page under `providers:`.
//! Not here: the network. This module is pure, so a page's own examples are its tests.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::sign::SignScheme;
use crate::check::{Amount, Reading};
use crate::model::amount::{self, Currency, is_unlimited};
use crate::model::failure::{Failure, Reason, Retry};
use crate::page::expression::{Expression, Json, Shape, Trouble, Variables, parse_json};
use crate::page::{Stop, evaluate, words};

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

impl Expect {
    /// What is expected, as the page says it.
    fn describe(&self) -> String {
        match (&self.balance, self.failure) {
            (Some(balance), None) => {
                let balance = if is_unlimited(balance) { "unlimited".to_owned() } else { format!("balance {balance}") };
                format!(
                    "{} is expected",
                    [Some(balance.as_str()), self.currency.as_deref()]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join(" ")
                )
            }
            (None, Some(reason)) => match &self.says {
                Some(part) => format!("failure {} that says `{part}` is expected", reason.as_str()),
                None => format!("failure {} is expected", reason.as_str()),
            },
            (Some(_), Some(_)) => "its `expect` holds both a `balance` and a `failure`".to_owned(),
            (None, None) => "its `expect` holds neither a `balance` nor a `failure`".to_owned(),
        }
    }
}

/// A page whose expressions are compiled for one set of options.
pub(crate) struct Reader {
    error: Option<ErrorTest>,
    balance: Expression,
    confirm: Option<(Expression, ErrorTest)>,
}

/// The page's test for an error, and its code.
struct ErrorTest {
    expression: Expression,
    code: String,
}

impl ErrorTest {
    /// Whether a hint stands in the page word for word. Any other one is made from the answer, and so as foreign as that is.
    fn is_own(&self, hint: &str) -> bool {
        serde_json::to_string(hint).is_ok_and(|literal| self.code.contains(&literal))
    }
}

/// What an HTTP status and body come to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A balance.
    Read(Reading),
    /// A balance that stands only if the page's second question says so.
    Unconfirmed(Reading),
}

impl Page {
    /// Fills `{api_key}` and `{options.NAME}`; `encode` is applied to what is filled in.
    pub(crate) fn fill(
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
    pub(crate) fn options_with_defaults(&self, set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut options: BTreeMap<_, _> =
            self.options.iter().filter_map(|(name, spec)| Some((name.clone(), spec.default.clone()?))).collect();
        options.extend(set.iter().map(|(k, v)| (k.clone(), v.clone())));
        options
    }

    /// The balance expression for one set of options: `file` lets the project bring it.
    pub(crate) fn balance_for(&self, options: &BTreeMap<String, String>) -> String {
        // `{api_key}` is jq here, an object with one field.
        self.balance
            .split("{api_key}")
            .map(|part| self.fill(part, "", options, str::to_owned))
            .collect::<Vec<_>>()
            .join("{api_key}")
    }

    /// Compiles the page's expressions.
    ///
    /// # Errors
    /// The page's field with an expression that is wrong, and what is wrong with it.
    pub(crate) fn reader(&self, options: &BTreeMap<String, String>) -> Result<Reader, (&'static str, String)> {
        let compile = |field: &'static str, code: &str| {
            let place = field.split('.').next().unwrap_or(field);
            Expression::compile(code).map_err(|why| (place, format!("the jq expression of `{field}` is wrong: {why}")))
        };
        let test = |field: &'static str, code: &str| {
            compile(field, code).map(|expression| ErrorTest { expression, code: code.to_owned() })
        };
        Ok(Reader {
            error: self.error.as_deref().map(|code| test("error", code)).transpose()?,
            balance: compile("balance", &self.balance_for(options))?,
            confirm: match &self.confirm {
                Some(confirm) => {
                    Some((compile("confirm.when", &confirm.when)?, test("confirm.error", &confirm.error)?))
                }
                None => None,
            },
        })
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The failure it is: by the page's own test first, then by status, then by what the body lacks.
    pub(crate) fn interpret(
        &self,
        reader: &Reader,
        status: u16,
        body: &[u8],
        variables: &Variables,
    ) -> Result<Verdict, Failure> {
        evaluated(body, || self.meaning(reader, status, body, variables))
    }

    fn meaning(&self, reader: &Reader, status: u16, body: &[u8], variables: &Variables) -> Result<Verdict, Failure> {
        let parsed = parse_json(body);
        if !(200..300).contains(&status) {
            let own = parsed.as_ref().ok().and_then(|body| {
                let said = reader.error.as_ref().and_then(|error| page_error(error, body, variables).transpose());
                said.and_then(Result::ok)
            });
            return Err(self.status_failure(status, own, parsed.ok().as_ref(), body));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
        if let Some(error) = &reader.error
            && let Some(own) = page_error(error, &body, variables)?
        {
            return Err(own.failure);
        }
        let reading =
            self.reading(reader.balance.run_in_any_order(&body, variables), variables).map_err(|mut failure| {
                // A page without a test for errors still meets them.
                if let Some(words) = body.refusal().filter(|_| failure.reason == Reason::Decode) {
                    failure.message = format!("{}; the service says", failure.message);
                    failure = failure.saying(words);
                }
                failure
            })?;
        if let Some((when, _)) = &reader.confirm {
            let doubt = when
                .run(&body, variables)
                .map_err(|why| decode("it is not clear whether the balance can be trusted", why))?;
            if !matches!(doubt, None | Some(Shape::Null | Shape::Missing(_) | Shape::Bool(false))) {
                return Ok(Verdict::Unconfirmed(reading));
            }
        }
        Ok(Verdict::Read(reading))
    }

    /// Whether the second answer lets the first stand.
    ///
    /// # Errors
    /// The failure it is: an answer that cannot be read confirms nothing.
    pub(crate) fn confirm(
        &self,
        reader: &Reader,
        status: u16,
        body: &[u8],
        variables: &Variables,
    ) -> Result<(), Failure> {
        match &reader.confirm {
            Some((_, error)) => evaluated(body, || self.confirmation(error, status, body, variables)),
            None => Ok(()),
        }
    }

    fn confirmation(&self, error: &ErrorTest, status: u16, body: &[u8], variables: &Variables) -> Result<(), Failure> {
        let parsed = parse_json(body);
        if !(200..300).contains(&status) {
            return Err(self.status_failure(status, None, parsed.ok().as_ref(), body));
        }
        let body = parsed.map_err(|why| Failure::new(Reason::Decode, describe_body(body, &why)))?;
        match page_error(error, &body, variables)? {
            Some(own) => Err(own.failure),
            None => Ok(()),
        }
    }

    /// Runs one of the page's examples.
    ///
    /// # Errors
    /// What came instead of what was expected.
    pub(crate) fn try_example(&self, example: &Example) -> Result<(), String> {
        let options = self.options_with_defaults(&example.options);
        let reader = self.reader(&options).map_err(|(_, why)| why)?;
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
                Amount::Of(amount) => {
                    format!("balance {amount} {}", reading.currency.as_deref().unwrap_or("without a currency"))
                }
                Amount::Unlimited => "unlimited".to_owned(),
            },
            Err(failure) => format!("failure {}: {}", failure.reason.as_str(), failure.describe()),
        };
        let same = match (&result, &expect.balance, expect.failure) {
            (Ok(reading), Some(wanted), None) => {
                let amount = match reading.amount {
                    Amount::Of(amount) => wanted.parse::<Decimal>().is_ok_and(|wanted| wanted == amount),
                    Amount::Unlimited => is_unlimited(wanted),
                };
                let currency = reading.currency.as_deref().unwrap_or_default();
                amount && expect.currency.as_deref().is_none_or(|wanted| wanted == currency)
            }
            (Err(failure), None, Some(reason)) => {
                failure.reason == reason
                    && expect.says.as_ref().is_none_or(|part| failure.describe().contains(part.as_str()))
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(format!("example `{}` gives {got}, but {}", example.name, expect.describe())) }
    }

    /// The failure an HTTP status stands for, told in the service's own words where the body has some.
    fn status_failure(&self, status: u16, own: Option<OwnError>, answer: Option<&Json>, body: &[u8]) -> Failure {
        let can_repeat_help = own.as_ref().and_then(|own| own.can_repeat_help);
        let own = own.map(|own| own.failure);
        let what = match status {
            401 => "the credential was refused",
            403 => "the credential may not read this",
            404 | 410 => "the address is not there, or the service has retired it",
            429 if can_repeat_help != Some(false) => "too many requests",
            300..=399 => "the service answered with a redirect that was not followed",
            500..=599 => "the service has a fault of its own",
            _ => "the request was refused",
        };
        let said = match &own {
            Some(own) => own.said().map(str::to_owned),
            None => answer.and_then(Json::error_message).or_else(|| words::plain(body)),
        };
        let advice = own.as_ref().and_then(Failure::advice).map(str::to_owned);
        let message = format!("{what} (HTTP {status})");
        // A page knows its own codes better than the status does: a bad key may come as 404, throttling as 400.
        let own_reason = own.as_ref().map(|f| f.reason).filter(|reason| *reason != Reason::Api);
        let mut failure = match own_reason {
            Some(Reason::RateLimited) => Failure::transient(Reason::RateLimited, message),
            Some(reason) => Failure::new(reason, message),
            // The page says that it is something else than too many requests.
            None if status == 429 && can_repeat_help == Some(false) => Failure::new(Reason::Api, message),
            None => Failure::of_status(status, message),
        };
        failure.retry = repeated(failure.retry, can_repeat_help);
        failure = failure.saying(said.unwrap_or_default());
        failure.hint = own.and_then(|f| f.hint);
        if failure.hint.is_none() && advice.is_none() {
            failure.hint = self.hints.get(&status.to_string()).cloned();
        }
        failure.advising(advice.unwrap_or_default())
    }

    /// Whether a word can be a currency. A unit of its own has to stand in the config, as an answer may hold anything.
    fn is_currency(&self, said: &str, variables: &Variables) -> bool {
        let is_own = |code: &str| code.contains(&format!("\"{said}\""));
        let configured = variables.currency().into_iter().chain(self.currency.as_deref());
        let mut known = configured.filter(|known| amount::is_spelt_alike(known, said));
        amount::is_unit(said)
            || known.next().is_some()
            || is_own(&self.balance)
            || variables.options().any(|option| option == said || is_own(option))
    }

    fn reading(&self, value: Result<Option<Shape>, Trouble>, variables: &Variables) -> Result<Reading, Failure> {
        let value = value.map_err(|why| decode("the balance could not be read", why))?;
        let decode = |message: String| Failure::new(Reason::Decode, message);
        let Some(value) = value else {
            return Err(decode("the answer holds no balance".to_owned()));
        };
        let (parts, said) = parts(value).map_err(decode)?;
        if said.as_ref().is_some_and(|said| !self.is_currency(said, variables)) {
            let message = "the `currency` that `balance` takes from the answer is neither a code of three letters nor a known unit";
            return Err(decode(message.to_owned()));
        }
        if matches!(&parts.amount, Shape::Text(text) if is_unlimited(text)) {
            return Ok(Reading { amount: Amount::Unlimited, currency: said });
        }
        if let (Some(said), Some(wanted)) = (&said, variables.currency())
            && !amount::is_same(said, wanted)
        {
            return Err(another_currency(said, &format!("`currency: {wanted}` is configured")));
        }
        // What the amount's own text may name, and who says so.
        let expected = said
            .as_deref()
            .map(|said| (said, format!("the answer says {said}")))
            .or_else(|| variables.currency().map(|wanted| (wanted, format!("`currency: {wanted}` is configured"))))
            .or_else(|| self.currency.as_deref().map(|own| (own, format!("the page of `{}` says {own}", self.id))));
        let known = expected.as_ref().map(|(word, _)| *word);
        let mut sum = Decimal::ZERO;
        let mut names: Vec<Currency> = Vec::new();
        let mut named: Option<Currency> = None;
        for (part, is_minus, what) in [
            (Some(parts.amount), false, "the balance in the answer"),
            (parts.minus, true, "what is to be taken off the balance"),
            (parts.plus, false, "what is to be added to the balance"),
        ] {
            let Some(part) = part else {
                continue;
            };
            let (value, currency) =
                number(part, known).map_err(|why| decode(format!("{what} cannot be used: {why}")))?;
            if let Some(currency) = currency {
                if let Some((_, who)) = expected.as_ref().filter(|(word, _)| !currency.may_be(word)) {
                    return Err(another_currency(currency.label(), who));
                }
                names.push(currency);
                let together = Currency::common(&names).ok_or_else(|| {
                    let (one, other) = (named.unwrap_or(names[0]).label(), currency.label());
                    decode(format!("the balance is in {one}, but a part of it in {other}"))
                })?;
                named = Some(together);
            }
            let next = amount::exact::sum(sum, if is_minus { -value } else { value });
            sum = next.ok_or_else(|| decode("the balance has more than 28 digits".to_owned()))?;
        }
        // If the answer says nothing, the page does, and not the project.
        if let (None, None, Some(own), Some(wanted)) = (&said, &named, &self.currency, variables.currency())
            && !amount::is_same(own, wanted)
        {
            return Err(another_currency(own, &format!("`currency: {wanted}` is configured")));
        }
        let fixed = variables.currency().into_iter().chain(self.currency.as_deref());
        let known = known.map(|known| amount::settled(known, fixed));
        let currency = known.or(named.and_then(|named| named.code())).map(str::to_owned);
        Ok(Reading { amount: Amount::Of(sum), currency })
    }
}

/// What a balance is put together from.
struct Parts {
    amount: Shape,
    minus: Option<Shape>,
    plus: Option<Shape>,
}

/// The parts of what `balance` gives, and the currency that it says.
fn parts(value: Shape) -> Result<(Parts, Option<String>), String> {
    let Shape::Object(mut fields) = value else {
        return Ok((Parts { amount: value, minus: None, plus: None }, None));
    };
    let currency = match fields.remove("currency") {
        Some(Shape::Text(currency)) if !currency.trim().is_empty() => Some(amount::fold(&currency).trim().to_owned()),
        Some(Shape::Null | Shape::Missing(_)) | None => None,
        Some(_) => return Err("the currency in the answer is no word".to_owned()),
    };
    let parts = Parts {
        amount: fields.remove("amount").unwrap_or(Shape::Null),
        minus: fields.remove("minus"),
        plus: fields.remove("plus"),
    };
    // A slip in a key must not leave a part of the balance out.
    if !fields.is_empty() {
        return Err("the balance is an object with other keys than `amount`, `minus`, `plus` and `currency`".to_owned());
    }
    Ok((parts, currency))
}

fn another_currency(found: &str, who: &str) -> Failure {
    Failure::new(Reason::Config, format!("the balance is in {found}, but {who}"))
        .with_hint("amounts are never converted; set `currency` to what the service reports")
}

/// A number, and the currency that it names if it is text.
fn number(value: Shape, known: Option<&str>) -> Result<(Decimal, Option<Currency>), String> {
    let plain = |number: Result<Decimal, &str>| number.map(|number| (number, None)).map_err(str::to_owned);
    match value {
        Shape::Number(literal) => plain(amount::from_json_number(&literal)),
        Shape::Long => plain(Err(amount::exact::TOO_MANY_DIGITS)),
        Shape::Float(value) => plain(amount::from_float(value)),
        Shape::Text(text) => amount::read_in(&text, known)
            .map(|money| (money.value, money.currency))
            .map_err(|why| format!("it is text and {why}")),
        Shape::Null => Err("it is missing or null".to_owned()),
        Shape::Missing(what) => Err(what),
        Shape::Bool(_) => Err("it is true or false, not a number".to_owned()),
        Shape::Array => Err("it is a list, not a number".to_owned()),
        Shape::Object(_) => Err("it is an object, not a number".to_owned()),
    }
}

/// An error inside an answer, as the page tells it.
struct OwnError {
    failure: Failure,
    /// Whether another attempt could help, if the page says so.
    can_repeat_help: Option<bool>,
}

/// Works on an answer within the memory that all evaluations share.
fn evaluated<T: Send>(body: &[u8], work: impl Fn() -> Result<T, Failure> + Sync) -> Result<T, Failure> {
    let crowded = |why: Stop| Failure::transient(Reason::Decode, "the answer was not read").saying(why.to_string());
    evaluate(body, work).map_err(crowded).flatten()
}

/// The failure of an expression.
fn decode(what: &str, why: Trouble) -> Failure {
    // An expression may end with words of the answer.
    let failure = Failure::new(Reason::Decode, what).saying(why.to_string());
    match why.hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// The page's own test for an error inside the answer.
fn page_error(error: &ErrorTest, body: &Json, variables: &Variables) -> Result<Option<OwnError>, Failure> {
    let errors =
        error.expression.errors(body, variables).map_err(|why| decode("the answer has not the expected shape", why))?;
    let mut told: Vec<Told> = errors.into_iter().map(told).collect();
    if told.is_empty() {
        return Ok(None);
    }
    let reason = told.iter().find_map(|told| told.reason).unwrap_or(Reason::Api);
    let hint = told.iter_mut().find_map(|told| told.hint.take());
    let can_repeat_help = told.iter().find_map(|told| told.can_repeat_help);
    let words: Vec<String> = told.into_iter().filter_map(|told| told.words).collect();
    let words = if words.is_empty() { body.error_message() } else { Some(words.join("; ")) };
    let message = "the service reports an error";
    let mut failure = match reason {
        Reason::RateLimited => Failure::transient(reason, message),
        reason => Failure::new(reason, message),
    };
    failure = match hint {
        Some(hint) if error.is_own(&hint) => failure.with_hint(hint),
        hint => failure.advising(hint.unwrap_or_default()),
    };
    failure.retry = repeated(failure.retry, can_repeat_help);
    Ok(Some(OwnError { failure: failure.saying(words.unwrap_or_default()), can_repeat_help }))
}

/// Whether another attempt could help, where the page may know better.
fn repeated(retry: Retry, can_help: Option<bool>) -> Retry {
    match (can_help, retry) {
        (Some(false), _) => Retry::Never,
        (Some(true), Retry::Never) => Retry::Soon,
        (_, retry) => retry,
    }
}

/// One error, as a page tells it.
#[derive(Default)]
struct Told {
    words: Option<String>,
    reason: Option<Reason>,
    hint: Option<String>,
    can_repeat_help: Option<bool>,
}

fn told(error: Shape) -> Told {
    match error {
        Shape::Object(mut fields) => {
            let mut text = |name: &str| match fields.remove(name) {
                Some(Shape::Text(text)) if !text.trim().is_empty() => Some(text),
                Some(Shape::Number(number)) => Some(number),
                _ => None,
            };
            let (words, hint) = (text("message"), text("hint"));
            let reason = text("reason").and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok());
            let can_repeat_help = match fields.remove("retry") {
                Some(Shape::Bool(can_help)) => Some(can_help),
                _ => None,
            };
            Told { words, reason, hint, can_repeat_help }
        }
        Shape::Text(message) => Told { words: Some(message), ..Told::default() },
        // A code: the answer may have words for it.
        Shape::Null
        | Shape::Missing(_)
        | Shape::Bool(_)
        | Shape::Number(_)
        | Shape::Float(_)
        | Shape::Long
        | Shape::Array => Told::default(),
    }
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
