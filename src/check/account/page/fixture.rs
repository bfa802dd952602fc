//! An example for a page, made of real answers: with other numbers, and without anything that may name somebody.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Number, Value, json};

use super::example::{Example, ExampleAnswer};
use super::shape::{HIDDEN_KEY, Keys};
use super::{Page, time};
use crate::check::Amount;
use crate::model::amount;

/// Stands for every text that is not kept.
const TEXT: &str = "text";
/// Stands for every time.
const MOMENT: &str = "2027-01-15T00:00:00.000000000";
/// The same in seconds.
const SECONDS: i64 = 1_800_000_000;

/// An answer as it came.
pub(crate) struct Came {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Page {
    /// The example that answers make, as YAML, with what the page reads of it.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn fixture(&self, answers: &[Came], given: &Example) -> Result<String, String> {
        let keys = Keys::of(self, &self.options_with_defaults(&given.options));
        let mut altered = Altered { words: self.words(), keys, ..Altered::default() };
        let answers = answers.iter().map(|came| {
            let body: Value = serde_json::from_slice(&came.body)
                .map_err(|_| "an answer that is no JSON cannot be altered: write the example by hand".to_owned())?;
            let body = altered.value(&body).to_string();
            Ok(ExampleAnswer { status: came.status, headers: BTreeMap::new(), body })
        });
        let mut answers = answers.collect::<Result<Vec<ExampleAnswer>, String>>()?;
        let confirm =
            if answers.len() > 1 && self.confirm.is_some() { answers.pop().map(|last| last.body) } else { None };
        let example = Example { answers, confirm, ..given.clone() };
        let expect = match self.result_of(&example)? {
            Ok(reading) => {
                let balance = match reading.amount {
                    Amount::Of(amount) => amount.normalize().to_string(),
                    Amount::Unlimited => "unlimited".to_owned(),
                };
                let mut expect = Map::from_iter([("balance".to_owned(), balance.into())]);
                let beside = &reading.beside;
                let amounts = [("total", beside.total), ("usage", beside.usage), ("frozen", beside.frozen)];
                let amounts = amounts.into_iter().filter_map(|(name, it)| Some((name, it?.normalize().to_string())));
                let texts = reading.currency.map(|currency| ("currency", currency));
                let resets = beside.resets_at.map(|at| ("resets_at", at.to_string()));
                let all = texts.into_iter().chain(amounts).chain(resets);
                expect.extend(all.map(|(name, value)| (name.to_owned(), value.into())));
                Value::Object(expect)
            }
            Err(failure) => json!({ "failure": failure.reason.as_str() }),
        };
        Ok(written(&example, &expect))
    }

    /// The words and numbers that its own expressions speak of: they mean something and say nothing of anybody.
    fn words(&self) -> BTreeSet<String> {
        let bare = Page { examples: Vec::new(), ..self.clone() };
        let text = format!("{bare:?}");
        let quoted = text.split("\\\"").skip(1).step_by(2).map(str::to_owned);
        let numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::to_owned);
        quoted.chain(numbers).collect()
    }
}

/// What was put in the place of what.
#[derive(Default)]
struct Altered {
    words: BTreeSet<String>,
    keys: Keys,
    /// The same text becomes the same one everywhere, and another one another.
    texts: BTreeMap<String, String>,
    /// The same number becomes the same one everywhere, so that what is compared stays comparable.
    numbers: BTreeMap<String, String>,
}

impl Altered {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(number) => {
                let text = self.number(&number.to_string());
                text.parse::<i64>()
                    .map(Number::from)
                    .ok()
                    .or_else(|| Number::from_f64(text.parse().ok()?))
                    .map_or(Value::Null, Value::Number)
            }
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let mut hidden = 0;
                let fields = fields.iter().map(|(key, value)| {
                    let shown = self.keys.shown(key).map(str::to_owned).unwrap_or_else(|| {
                        hidden += 1;
                        format!("{HIDDEN_KEY}{hidden}")
                    });
                    (shown, self.value(value))
                });
                Value::Object(fields.collect())
            }
        }
    }

    fn text(&mut self, text: &str) -> String {
        let is_date = text.len() >= 10 && text.as_bytes()[4..].starts_with(b"-") && time::of_text(text).is_ok();
        if text.is_empty() || amount::is_known_unit(text) || self.words.contains(text) {
            text.to_owned()
        } else if is_date {
            let other = MOMENT.chars().chain(std::iter::repeat('0'));
            text.chars().zip(other).map(|(c, other)| if c.is_ascii_digit() { other } else { c }).collect()
        } else if amount::parse(text).is_ok() {
            self.number(text)
        } else {
            let number = self.texts.len() + 1;
            let other = self.texts.entry(text.to_owned());
            other.or_insert_with(|| if number == 1 { TEXT.to_owned() } else { format!("{TEXT}{number}") }).clone()
        }
    }

    /// A number with as many digits that are others; those that the page speaks of, 0 and 1 stay.
    fn number(&mut self, written: &str) -> String {
        let is_kept = written == "0" || written == "1" || self.words.contains(written);
        if is_kept || written.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0') {
            return written.to_owned();
        }
        match written.parse::<i64>() {
            Ok(1_500_000_000..=2_200_000_000) => return SECONDS.to_string(),
            Ok(1_500_000_000_000..=2_200_000_000_000) => return (SECONDS * 1000).to_string(),
            _ => {}
        }
        let other = self.numbers.entry(written.to_owned()).or_insert_with(|| {
            loop {
                let other: String = written.chars().map(|c| if matches!(c, '1'..='9') { digit() } else { c }).collect();
                if other != written {
                    break other;
                }
            }
        });
        other.clone()
    }
}

/// A digit that is not zero, so that a number keeps its length.
fn digit() -> char {
    char::from(b'0' + fastrand::u8(1..=9))
}

/// An example as it stands in a page.
fn written(example: &Example, expect: &Value) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut out = format!("  - name: {}\n", example.name);
    if let Some(currency) = &example.currency {
        out.push_str(&format!("    currency: {currency}\n"));
    }
    if let Some(budget) = &example.budget {
        out.push_str(&format!("    budget: {}\n", budget.0));
    }
    if let Some(now) = &example.now {
        out.push_str(&format!("    now: {now}\n"));
    }
    if !example.options.is_empty() {
        out.push_str(&format!("    options: {}\n", json!(example.options)));
    }
    match example.answers.as_slice() {
        [one] => {
            if one.status != 200 {
                out.push_str(&format!("    status: {}\n", one.status));
            }
            out.push_str(&format!("    body: {}\n", quoted(&one.body)));
        }
        several => {
            out.push_str("    answers:\n");
            for answer in several {
                out.push_str(&format!("      - {{ status: {}, body: {} }}\n", answer.status, quoted(&answer.body)));
            }
        }
    }
    if let Some(confirm) = &example.confirm {
        out.push_str(&format!("    confirm: {}\n", quoted(confirm)));
    }
    out.push_str(&format!("    expect: {expect}\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{"id": "acme", "title": "Acme", "kind": "balance", "currency": "USD",
        "request": {"url": "https://acme.example/v1"}, "error": "if .status == \"success\" then null else .message end",
        "balance": ".data.left", "total": ".data.total", "resets_at": ".data.resets"}"#;

    #[test]
    fn an_example_holds_other_numbers_and_nobody_s_data_and_the_page_reads_it() {
        let page: Page = serde_json::from_str(PAGE).unwrap();
        let body = r#"{"status": "success", "message": "qzjx", "code": 0, "data": {"left": "12,345.67", "total": 98765.4,
            "resets": "2026-12-24T18:00:00Z", "mail": "qzjx@corp.example", "at": 1765432100, "currency": "USD", "on": true,
            "id": 4711081599, "same": "12,345.67", "qzjx@corp.example": [7, 7], "key": "JIM", "value": "qzjx",
            "users": {"Quentin": {"name": "Quentin"}, "team-qzjx": {"name": "other"}}}}"#;
        let came = [Came { status: 200, body: body.as_bytes().to_vec() }];
        let given = Example { name: "ok".to_owned(), ..Example::default() };
        let text = page.fixture(&came, &given).unwrap();
        for gone in ["qzjx", "Quentin", "JIM", "12,345.67", "98765.4", "4711081599", "2026-12-24", "1765432100"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        for kept in [
            "\"status\":\"success\"",
            "\"key\":\"text",
            "\"key2\":{\"name\":\"text",
            "\"code\":0",
            "\"on\":true",
            "\"currency\":\"USD\"",
            "2027-01-15T00:00:00Z",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        let page = format!("{{\"p\": {PAGE}}}");
        let page: Value = serde_json::from_str(&page).unwrap();
        let mut page = page["p"].clone();
        page["examples"] = serde_yaml::from_str(&text).unwrap();
        let page: Page = serde_json::from_value(page).unwrap();
        page.try_example(&page.examples[0]).unwrap();
        assert!(page.examples[0].expect.balance.is_some() && page.examples[0].expect.total.is_some(), "{text}");
    }
}
