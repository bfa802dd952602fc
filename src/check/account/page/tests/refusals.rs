//! `tests/amounts/refusals.tsv` says what is in it.

use serde_json::{Map, Value, json};

use super::{answers, assert_told, binding, page, pages, result, told};

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

#[test]
fn what_is_no_currency_is_not_repeated_where_a_project_wants_it() {
    for (wanted, is_shown) in [
        ("USD", true),
        ("credits", true),
        ("$", true),
        ("Tokens", true),
        ("hunter2correct", false),
        ("hunter2horse99battery", false),
        ("correcthorsebattery", false),
        ("sk-live-9f8e7d6c5b4a39281706f5e4d3c2b1a0", false),
    ] {
        for (changes, answer) in [
            (json!({"balance": "{amount: .v, currency: .c}"}), json!({"v": 5, "c": "KES"})),
            (json!({}), json!({"v": "KES 5"})),
            (json!({"currency": "KES"}), json!({"v": 5})),
        ] {
            let example = json!({"body": answer.to_string(), "currency": wanted});
            let told = told(result(&page(changes), example));
            let want =
                if is_shown { format!("`currency: {wanted}` is configured") } else { "another `currency`".to_owned() };
            assert!(told.contains(&want) && told.contains(wanted) == is_shown, "{wanted} {answer}: {told}");
        }
    }
}

/// The same of what steps add and bind, and of what was spent.
#[test]
fn steps_and_what_was_spent_are_held_to_the_same() {
    let usd = || json!({"currency": "USD"});
    let other = Err("another currency than USD");
    for (sum, bodies, want) in [
        (".v", json!([{"v": 5, "currency": "USD", "next": 2}, {"v": 6, "currency": "USD"}]), Ok("11")),
        (".v", json!([{"v": 5, "currency": "USD", "next": 2}, {"v": 6, "currency": "EUR"}]), other),
        ("[.i[].v] | add", json!([{"i": [{"v": 5, "currency": "USD"}, {"v": 6, "currency": "EUR"}]}]), other),
        ("[.i[]?.v] | add // 0", json!([{"i": [{"v": 5}], "next": 2}, {"i": []}]), Ok("5")),
        ("[.i[]?.v] | add // 0", json!([{"i": [{"v": 5}], "next": 2}, {}]), Err("a zero for a sum")),
        (".v", json!([{"v": 5, "next": 2}, {"v": 0}]), Ok("5")),
        (".v", json!([{"v": 5, "next": 2}, {"v": -1, "status": "error"}]), Err("something is wrong")),
    ] {
        assert_told(&pages(sum, "$bind.s", usd()), answers(bodies.as_array().unwrap(), None), want);
    }
    for (text, want) in [("$5.00", Ok("5")), ("CA$5.00", Err("another currency"))] {
        let page = binding(json!({"s": ".u | split(\"$\")[1]"}), "$bind.s | tonumber", usd());
        let bodies = [json!({"u": text}), json!({})];
        assert_told(&page, answers(&bodies[..1 + usize::from(want.is_ok())], None), want);
    }
    let unlimited = binding(json!({"l": ".l"}), "if $bind.l == \"none\" then \"unlimited\" else $bind.l end", usd());
    assert_told(&unlimited, answers(&[json!({"l": "none"}), json!({})], None), Ok("unlimited"));
    for (spend, body, is_read) in [
        (".u", json!({"u": 0}), true),
        (".u", json!({"u": 0, "message": "Invalid API key"}), false),
        (".u", json!({"u": 0, "status": -1}), false),
        (".u", json!({"u": 0, "retcode": 100}), false),
        ("reduce .u[]? as $x (0; . + $x)", json!({}), false),
    ] {
        let mut page = page(json!({"kind": "spend", "spend": spend, "currency": "USD"}));
        page.as_object_mut().unwrap().remove("balance");
        let got = told(result(&page, json!({"body": body.to_string(), "budget": 1000})));
        assert_eq!(got == "1000", is_read, "{spend} {body}: {got}");
    }
}
