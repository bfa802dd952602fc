//! `tests/amounts/refusals.tsv` says what is in it.

use serde_json::{Map, Value, json};

use super::{page, result, told};

/// The value of a field of the page as it stands in the table.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

#[test]
fn what_says_that_something_is_wrong_is_no_balance_in_any_kind_of_answer() {
    let table = include_str!("../../../../../tests/amounts/refusals.tsv");
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let [want, kind, balance, answer] = row.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let (form, fields) = kind.split_once(' ').unwrap_or((kind, ""));
        let mut changes =
            Map::from_iter([("currency".to_owned(), json!("USD")), ("balance".to_owned(), json!(balance))]);
        for (name, text) in fields.split(' ').filter_map(|field| field.split_once('=')) {
            changes.insert(name.to_owned(), value(text));
        }
        changes.insert("request".to_owned(), json!({"url": "https://acme.example/v1", "answer": form}));
        let text = || serde_json::from_str::<String>(&format!("\"{answer}\"")).unwrap();
        let example = match form {
            "none" => {
                let text = text();
                let headers = text.lines().filter_map(|line| line.split_once(": "));
                json!({"headers": headers.collect::<std::collections::BTreeMap<_, _>>(), "body": ""})
            }
            "text" => json!({"body": text()}),
            _ => json!({"body": answer}),
        };
        let got = told(result(&page(Value::Object(changes)), example));
        let is_met =
            if want == "-" { got.parse::<rust_decimal::Decimal>().is_err() && got != "unlimited" } else { got == want };
        if !is_met {
            wrong.push(format!("{row}\t{got}"));
        }
        rows += 1;
    }
    assert!(rows > 250, "{rows}");
    assert!(wrong.is_empty(), "{} of {rows} rows:\n{}", wrong.len(), wrong.join("\n"));
}
