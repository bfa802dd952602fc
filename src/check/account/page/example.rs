//! The examples of a page, which are its tests.

use rust_decimal::Decimal;

use super::{Example, Expect, Page, Verdict};
use crate::check::Amount;
use crate::model::amount::is_unlimited;
use crate::page::expression::Variables;

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

impl Page {
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
}
