//! The examples of a page, which are its tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::interpret::{Answer, Progress, Verdict, Wanted};
use super::{Page, time};
use crate::check::{Amount, Reading};
use crate::model::amount::is_unlimited;
use crate::model::failure::{Failure, Reason};
use crate::page::expression::Variables;
use crate::yaml::scalar::Lenient;

/// The time of an example that names none.
const NOW: &str = "2026-11-30T12:00:00Z";
/// Most answers of one example.
const MOST_ANSWERS: usize = 100;

/// Answers and what they must give.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    /// What it shows. A page of the catalogue has examples of the names `ok`, `low`, `wrong key`, `garbage`, and where they apply
    /// `error in 200` and `no limit`.
    pub name: String,
    // These three stand in `ExampleAnswer` as well: with `flatten` a mistake in them would be told without its place.
    /// The HTTP status.
    #[serde(default = "ok_status")]
    pub status: u16,
    /// The headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    #[serde(default)]
    pub body: String,
    /// The answers to several requests, in their order, instead of `status`, `headers` and `body`.
    #[serde(default)]
    pub answers: Vec<ExampleAnswer>,
    /// The body of the second request, where the page has one.
    pub confirm: Option<String>,
    /// The currency the project asks for.
    pub currency: Option<String>,
    /// The budget that the project sets.
    pub budget: Option<Lenient<Decimal>>,
    /// When it is asked, as `2026-11-30T12:00:00Z`.
    pub now: Option<String>,
    /// Options the project sets.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// What must come of it.
    pub expect: Expect,
}

/// One of several answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleAnswer {
    /// The HTTP status.
    #[serde(default = "ok_status")]
    pub status: u16,
    /// The headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    #[serde(default)]
    pub body: String,
}

fn ok_status() -> u16 {
    200
}

/// What an example must give.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// The amount, or "unlimited".
    pub balance: Option<String>,
    /// The currency with it; an empty text if none may be named.
    pub currency: Option<String>,
    /// How much there is when nothing was used; an empty text if that must not be known. The same holds for the three after it.
    pub total: Option<String>,
    /// How much was used.
    pub usage: Option<String>,
    /// How much is frozen.
    pub frozen: Option<String>,
    /// When a quota refills, as `2026-12-01T00:00:00Z`.
    pub resets_at: Option<String>,
    /// The credits that expire, each as `NAME AMOUNT DATE`; `-` stands for what is not known.
    pub expires: Option<Vec<String>>,
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
                let besides =
                    self.besides().into_iter().filter_map(|(name, wanted)| Some(format!("{name} {}", wanted?)));
                let all = [Some(balance), self.currency.clone()].into_iter().flatten().chain(besides);
                format!("{} is expected", all.collect::<Vec<_>>().join(" "))
            }
            (None, Some(reason)) => match &self.says {
                Some(part) => format!("failure {} that says `{part}` is expected", reason.as_str()),
                None => format!("failure {} is expected", reason.as_str()),
            },
            (Some(_), Some(_)) => "its `expect` holds both a `balance` and a `failure`".to_owned(),
            (None, None) => "its `expect` holds neither a `balance` nor a `failure`".to_owned(),
        }
    }

    fn besides(&self) -> [(&'static str, Option<String>); 5] {
        [
            ("total", self.total.clone()),
            ("usage", self.usage.clone()),
            ("frozen", self.frozen.clone()),
            ("resets_at", self.resets_at.clone()),
            ("expires", self.expires.as_ref().map(|expires| expires.join(", "))),
        ]
    }

    fn is_met(&self, result: &Result<Reading, Failure>) -> bool {
        match (result, &self.balance, self.failure) {
            (Ok(reading), Some(wanted), None) => {
                let amount = match reading.amount {
                    Amount::Of(amount) => wanted.parse::<Decimal>().is_ok_and(|wanted| wanted == amount),
                    Amount::Unlimited => is_unlimited(wanted),
                };
                let currency = reading.currency.as_deref().unwrap_or_default();
                let is_same = |((_, wanted), (_, got)): ((_, Option<String>), (_, String))| {
                    wanted.is_none_or(|wanted| {
                        let numbers = wanted.parse::<Decimal>().ok().zip(got.parse::<Decimal>().ok());
                        numbers.map_or(wanted == got, |(wanted, got)| wanted == got)
                    })
                };
                amount
                    && self.currency.as_deref().is_none_or(|wanted| wanted == currency)
                    && self.besides().into_iter().zip(besides(reading)).all(is_same)
            }
            (Err(failure), None, Some(reason)) => {
                failure.reason == reason
                    && self.says.as_ref().is_none_or(|part| failure.describe().contains(part.as_str()))
            }
            _ => false,
        }
    }
}

/// What was read beside a balance, as an example writes it.
fn besides(reading: &Reading) -> [(&'static str, String); 5] {
    let beside = &reading.beside;
    let number = |value: Option<Decimal>| value.map(|value| value.normalize().to_string()).unwrap_or_default();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let expires = beside.expires.iter().map(|credit| {
        let amount = credit.amount.map(|amount| amount.normalize().to_string());
        let date = credit.date.map(|date| date.strftime("%Y-%m-%d").to_string());
        format!("{} {} {}", or_dash(credit.credit.clone()), or_dash(amount), or_dash(date))
    });
    [
        ("total", number(beside.total)),
        ("usage", number(beside.usage)),
        ("frozen", number(beside.frozen)),
        ("resets_at", beside.resets_at.map(|at| at.to_string()).unwrap_or_default()),
        ("expires", expires.collect::<Vec<_>>().join(", ")),
    ]
}

impl Example {
    /// The answers, in their order.
    pub(crate) fn all_answers(&self) -> Vec<ExampleAnswer> {
        if self.answers.is_empty() {
            vec![ExampleAnswer { status: self.status, headers: self.headers.clone(), body: self.body.clone() }]
        } else {
            self.answers.clone()
        }
    }

    /// When it is asked.
    fn time(&self) -> Option<Timestamp> {
        time::of_text(self.now.as_deref().unwrap_or(NOW)).ok().flatten()
    }
}

impl Page {
    /// Runs one of the page's examples.
    ///
    /// # Errors
    /// What came instead of what was expected.
    pub(crate) fn try_example(&self, example: &Example) -> Result<(), String> {
        let result = self.result_of(example)?;
        let got = match &result {
            Ok(reading) => {
                let beside = besides(reading).into_iter().filter(|(_, value)| !value.is_empty());
                let beside = beside.map(|(name, value)| format!(" {name} {value}")).collect::<String>();
                match reading.amount {
                    Amount::Of(amount) => {
                        format!(
                            "balance {amount} {}{beside}",
                            reading.currency.as_deref().unwrap_or("without a currency")
                        )
                    }
                    Amount::Unlimited => format!("unlimited{beside}"),
                }
            }
            Err(failure) => format!("failure {}: {}", failure.reason.as_str(), failure.describe()),
        };
        let expect = &example.expect;
        if expect.is_met(&result) {
            Ok(())
        } else {
            Err(format!("example `{}` gives {got}, but {}", example.name, expect.describe()))
        }
    }

    /// What comes of one of the page's examples.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub(crate) fn result_of(&self, example: &Example) -> Result<Result<Reading, Failure>, String> {
        let options = self.options_with_defaults(&example.options);
        let reader = self.reader(&options).map_err(|(_, why)| why)?;
        let now = example.time().ok_or_else(|| format!("the `now` of example `{}` is no time", example.name))?;
        let variables = Variables::new(example.currency.as_deref(), &options).at(now.as_second());
        let wanted = Wanted { variables, budget: example.budget.as_ref().map(|budget| budget.0) };
        let mut progress = Progress::default();
        let mut answers = example.all_answers().into_iter().take(MOST_ANSWERS);
        while let Some(given) = answers.next() {
            let headers = given.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
            let answer = Answer { status: given.status, headers: &headers, body: given.body.as_bytes() };
            let result = match self.interpret(&reader, &progress, &answer, &wanted) {
                Ok(Verdict::Next(next)) => {
                    progress = next;
                    continue;
                }
                Ok(Verdict::Read(reading)) => Ok(reading),
                Ok(Verdict::Unconfirmed(reading)) => {
                    let second = example.confirm.as_deref().unwrap_or_default();
                    let answer = Answer { status: 200, headers: &BTreeMap::new(), body: second.as_bytes() };
                    self.confirm(&reader, &answer, &wanted).map(|()| reading)
                }
                Err(failure) => Err(failure),
            };
            return match answers.len() {
                0 => Ok(result),
                left => Err(format!("example `{}` has {left} more answers than the page asks for", example.name)),
            };
        }
        Err(format!("example `{}` has fewer answers than the page asks for", example.name))
    }
}
