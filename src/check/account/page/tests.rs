//! What pages make of answers, as tables: the page and the answers, and the reading or a part of what the failure says.

use serde_json::{Value, json};

use super::Page;
use super::example::Example;
use crate::check::{Amount, Reading};
use crate::model::failure::Failure;

mod each;
mod refusals;

/// A page that a test changes: a balance of what stands under `v`.
fn page(changes: Value) -> Value {
    let mut page = json!({"id": "acme", "title": "Acme", "kind": "balance", "balance": ".v",
        "request": {"url": "https://acme.example/v1"}});
    page.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    page
}

/// A page that adds up `s` over all pages of a list.
fn pages(sum: &str, balance: &str, changes: Value) -> Value {
    let step = json!({"name": "list", "request": {"url": "https://acme.example/v1"}, "sum": {"s": sum},
        "pages": {"next": ".next // null", "query": "page"}});
    let mut page = page(json!({"balance": balance, "steps": [step]}));
    page.as_object_mut().unwrap().remove("request");
    page.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    page
}

/// A page whose first step binds what `bind` says.
fn binding(bind: Value, balance: &str, changes: Value) -> Value {
    let request = json!({"url": "https://acme.example/v1"});
    let steps = json!([{"name": "first", "request": request, "bind": bind}, {"name": "second", "request": request}]);
    let mut page = page(json!({"balance": balance, "steps": steps}));
    page.as_object_mut().unwrap().remove("request");
    page.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    page
}

fn result(page: &Value, example: Value) -> Result<Reading, Failure> {
    let mut example = example;
    let fields = example.as_object_mut().unwrap();
    fields.insert("name".to_owned(), json!("a row"));
    fields.insert("expect".to_owned(), json!({}));
    let page: Page = serde_json::from_value(page.clone()).unwrap();
    let example: Example = serde_json::from_value(example).unwrap();
    page.result_of(&example).unwrap()
}

/// The answers with these bodies, for a project of this currency.
fn answers(bodies: &[Value], currency: Option<&str>) -> Value {
    let answers: Vec<Value> = bodies.iter().map(|body| json!({"body": body.to_string()})).collect();
    json!({"answers": answers, "currency": currency})
}

/// The balance, or what the failure says.
fn told(result: Result<Reading, Failure>) -> String {
    match result {
        Ok(Reading { amount: Amount::Of(amount), .. }) => amount.normalize().to_string(),
        Ok(_) => "unlimited".to_owned(),
        Err(failure) => failure.describe(),
    }
}

/// Asserts that a row gives a balance, or a failure that says something.
fn assert_told(page: &Value, example: Value, want: Result<&str, &str>) {
    let got = told(result(page, example.clone()));
    let is_met = match want {
        Ok(balance) => got == balance,
        Err(part) => got.contains(part),
    };
    assert!(is_met, "{page} {example}: {got}, but {want:?} is wanted");
}

const MAY_BE: &str = "separator may be a decimal sign or part thousands";

#[test]
fn separators_of_what_is_added_or_bound_mean_what_they_mean_in_a_balance() {
    let bare = "$bind.s";
    let said = "{amount: $bind.s, currency: .c}";
    let euro = json!({"currency": "EUR"});
    for (sum, balance, changes, bodies, project, want) in [
        (".v", bare, euro.clone(), json!([{"v": "1,234"}]), None, Err(MAY_BE)),
        (".v", bare, euro.clone(), json!([{"v": "1.234"}]), None, Err(MAY_BE)),
        (".v", bare, json!({}), json!([{"v": "1.234"}]), Some("EUR"), Err(MAY_BE)),
        (".v", said, json!({}), json!([{"v": "1,234", "c": "EUR"}]), None, Err(MAY_BE)),
        (".v", said, json!({}), json!([{"v": "1,234k", "c": "EUR"}]), None, Err(MAY_BE)),
        (".v | tonumber", said, json!({}), json!([{"v": "1,234", "c": "EUR"}]), None, Err(MAY_BE)),
        (
            ".v",
            said,
            json!({}),
            json!([{"v": "1,234", "c": "EUR", "next": 2}, {"v": 5, "c": "EUR"}]),
            None,
            Err(MAY_BE),
        ),
        (".v", bare, json!({}), json!([{"v": "1,234"}]), None, Err(MAY_BE)),
        (".v", said, json!({}), json!([{"v": "1,234", "c": "USD"}]), None, Ok("1234")),
        (".v", bare, json!({"currency": "USD"}), json!([{"v": "1,234"}]), None, Ok("1234")),
        (".v", bare, euro.clone(), json!([{"v": "1234.50", "next": 2}, {"v": 5}]), None, Ok("1239.5")),
        (".v", bare, euro.clone(), json!([{"v": 1.234}]), None, Ok("1.234")),
        (
            ".v",
            said,
            json!({}),
            json!([{"v": 5, "c": "EUR", "next": 2}, {"v": 7, "c": "USD"}]),
            None,
            Err("in different currencies"),
        ),
        (".v", said, json!({}), json!([{"v": 5, "c": "EUR", "next": 2}, {"v": 7, "c": "EUR"}]), None, Ok("12")),
        // A text may name the currency, as in a balance.
        (".v", bare, euro.clone(), json!([{"v": "12.50 EUR", "next": 2}, {"v": "€5"}]), None, Ok("17.5")),
        (".v", bare, json!({}), json!([{"v": "12.50 EUR", "next": 2}, {"v": 5}]), Some("EUR"), Ok("17.5")),
        (".v", bare, json!({"currency": "USD"}), json!([{"v": "$1,234.50"}]), None, Ok("1234.5")),
        (
            ".v",
            bare,
            euro.clone(),
            json!([{"v": 5, "next": 2}, {"v": "5 USD"}]),
            None,
            Err("another currency than the balance"),
        ),
        (".v", bare, json!({}), json!([{"v": "12.50 EUR"}]), None, Err("it names a currency")),
        (".v", said, euro.clone(), json!([{"v": "5 EUR", "c": "EUR"}]), None, Ok("5")),
        (".v", said, euro.clone(), json!([{"v": "5 EUR", "c": "USD"}]), None, Err("what was added is in EUR")),
    ] {
        let bodies: Vec<Value> = bodies.as_array().unwrap().clone();
        assert_told(&pages(sum, balance, changes), answers(&bodies, project), want);
    }
    let number = json!({"s": ".v | tonumber", "c": ".c"});
    let said = "{amount: $bind.s, currency: $bind.c}";
    for (bind, balance, changes, bodies, project, want) in [
        (number.clone(), said, json!({}), vec![json!({"v": "1,234", "c": "EUR"}), json!({})], None, Err(MAY_BE)),
        (number.clone(), said, json!({}), vec![json!({"v": "1,234", "c": "USD"}), json!({})], None, Ok("1234")),
        (number.clone(), said, json!({}), vec![json!({"v": "1234.5", "c": "EUR"}), json!({})], None, Ok("1234.5")),
        (
            json!({"s": ".v | tonumber"}),
            "{amount: .w, minus: $bind.s}",
            json!({}),
            vec![json!({"v": "1,234"}), json!({"w": "5000 EUR"})],
            None,
            Err(MAY_BE),
        ),
        (json!({"s": ".v | tonumber"}), bare, json!({}), vec![json!({"v": "1.234"}), json!({})], None, Err(MAY_BE)),
        (json!({"s": ".v | tonumber"}), bare, json!({}), vec![json!({"v": "1.234"})], Some("EUR"), Err(MAY_BE)),
        (json!({"s": ".v"}), bare, json!({}), vec![json!({"v": "1.234"}), json!({})], Some("EUR"), Err(MAY_BE)),
    ] {
        assert_told(&binding(bind, balance, changes), answers(&bodies, project), want);
    }
}

#[test]
fn what_stands_beside_a_balance_is_in_its_currency_and_read_like_it() {
    let said = "{amount: .l, currency: .c}";
    for (balance, changes, body, want) in [
        (".l", json!({"total": ".t"}), json!({"l": "500 EUR", "t": "1000 USD"}), None),
        (".l", json!({"total": ".t", "currency": "USD"}), json!({"l": 150, "t": "1000 EUR"}), None),
        (said, json!({"total": ".t"}), json!({"l": 500, "t": "1,234", "c": "EUR"}), None),
        (said, json!({"total": ".t | tonumber"}), json!({"l": 500, "t": "1,234", "c": "EUR"}), None),
        (".l", json!({"total": ".t"}), json!({"l": "500 EUR", "t": "1,234"}), None),
        (said, json!({"total": ".t"}), json!({"l": 500, "t": "1,234", "c": "USD"}), Some("1234")),
        (".l", json!({"total": ".t", "currency": "USD"}), json!({"l": 150, "t": "1000 USD"}), Some("1000")),
        (".l", json!({"total": ".t", "currency": "USD"}), json!({"l": 150, "t": "1000 cents"}), Some("10")),
        (".l", json!({"total": ".t", "inverted": true}), json!({"l": -1, "t": -100}), Some("100")),
        (".l", json!({"total": ".t", "inverted": true, "scale": 0.01}), json!({"l": -1, "t": -100}), Some("1")),
    ] {
        let changes = {
            let mut all = changes;
            all["balance"] = json!(balance);
            all
        };
        let reading = result(&page(changes.clone()), json!({"body": body.to_string()})).unwrap();
        let total = reading.beside.total.map(|total| total.normalize().to_string());
        assert_eq!(total.as_deref(), want, "{changes} {body}");
    }
    let fields =
        json!({"currency": "USD", "usage": ".u", "frozen": ".f", "expires": "{credit: .n, amount: .e, date: .d}"});
    let body = json!({"v": 5, "u": "3 EUR", "f": "1 EUR", "n": "x", "e": "2 EUR", "d": "2026-12-05"});
    let beside = result(&page(fields.clone()), json!({"body": body.to_string()})).unwrap().beside;
    assert_eq!((beside.usage, beside.frozen, beside.expires.len()), (None, None, 0));
    let body = json!({"v": 5, "u": "3 USD", "f": "1 USD", "n": "x", "e": "2 USD", "d": "2026-12-05"});
    let beside = result(&page(fields), json!({"body": body.to_string()})).unwrap().beside;
    assert_eq!((beside.usage, beside.frozen, beside.expires.len()), (Some(3.into()), Some(1.into()), 1));
}

#[test]
fn a_text_may_name_the_unit_of_the_page() {
    for (unit, text, want) in [
        ("GB", "5 GB", Ok("5")),
        ("%", "5%", Ok("5")),
        ("GB", "5 TB", Err("neither a currency nor a known unit")),
        ("GB", "5 kGB", Err("neither a currency nor a known unit")),
        ("k", "5k", Ok("5000")),
        ("m", "5m", Err("neither a currency nor a known unit")),
    ] {
        assert_told(&page(json!({"unit": unit})), json!({"body": json!({"v": text}).to_string()}), want);
    }
}

#[test]
fn a_zero_beside_an_error_is_no_balance() {
    const WRONG: &str = "the answer says that something is wrong, beside a balance of zero";
    for (changes, body, want) in [
        (json!({}), json!({"v": 0, "error": "invalid api key"}), Err(WRONG)),
        (json!({}), json!({"v": 0, "error": {"code": 401, "message": "invalid key"}}), Err(WRONG)),
        (json!({}), json!({"v": "0.00", "success": false, "message": "account suspended"}), Err(WRONG)),
        (json!({}), json!({"v": 0, "code": 401, "msg": "unauthorized"}), Err(WRONG)),
        (json!({}), json!({"v": 0, "code": "401", "msg": "unauthorized"}), Err(WRONG)),
        (json!({}), json!({"v": 0, "code": 200, "msg": "ok"}), Ok("0")),
        (json!({}), json!({"v": 0, "code": 0, "msg": "ok", "error": null}), Ok("0")),
        (json!({}), json!({"v": 0, "success": true, "message": "done"}), Ok("0")),
        (json!({}), json!({"v": 5, "error": "a note"}), Ok("5")),
        (json!({}), json!({"v": 0, "error": true}), Err(WRONG)),
        (json!({}), json!({"v": -1, "error": "invalid api key"}), Err("wrong, beside a balance of -1")),
        (
            json!({"unlimited": ".l == 0"}),
            json!({"v": 0, "l": 0, "error": "x"}),
            Err("beside a balance without a limit"),
        ),
        // A test for one thing says nothing of another.
        (json!({"error": ".error"}), json!({"v": 0, "success": false, "message": "account suspended"}), Err(WRONG)),
        (json!({"error": "if .success == false then true else null end"}), json!({"v": 0, "error": "x"}), Err(WRONG)),
        (json!({"error": "{message: \"error is not 0\"} | empty"}), json!({"v": 0, "error": "x"}), Err(WRONG)),
        // The page knows better.
        (json!({"error": "select(.code != 401) | .msg"}), json!({"v": 0, "code": 401, "msg": "ok"}), Ok("0")),
        (json!({"error": ".status | empty"}), json!({"v": 0, "status": 404}), Ok("0")),
        (json!({"error": ".[\"error\"] | empty"}), json!({"v": 0, "error": "a note"}), Ok("0")),
    ] {
        assert_told(&page(changes), json!({"body": body.to_string()}), want);
    }
}

#[test]
fn a_zero_beside_an_error_is_added_to_no_sum() {
    let page = pages(".n", "$bind.s", json!({}));
    for (last, want) in [
        (json!({"n": 0}), Ok("5")),
        (json!({"n": 2, "error": "a note"}), Ok("7")),
        (json!({"n": 0, "error": "too many requests"}), Err("says that something is wrong, beside a zero for a sum")),
    ] {
        assert_told(&page, answers(&[json!({"n": 5, "next": 2}), last], None), want);
    }
}

#[test]
fn a_zero_beside_an_error_is_bound_nowhere_and_what_a_refusal_says_is_read_where_the_page_says_so() {
    let page_of_two = binding(json!({"t": ".t"}), "{amount: $bind.t, minus: .u}", json!({}));
    let rest = json!({"u": 0});
    for (bodies, want) in [
        (vec![json!({"t": 0}), rest.clone()], Ok("0")),
        (vec![json!({"t": 5, "error": "a note"}), rest], Ok("5")),
        (vec![json!({"t": 0, "success": false})], Err("says that something is wrong, beside a zero for `t`")),
    ] {
        assert_told(&page_of_two, answers(&bodies, None), want);
    }
    let refused = page(json!({"request": {"url": "https://acme.example/v1", "statuses": [400]}}));
    assert_told(&refused, json!({"status": 400, "body": "{\"v\":0,\"error\":\"a parameter is missing\"}"}), Ok("0"));
    let (spent, example) = spent("0");
    assert_told(&spent, example, Ok("100"));
    let (spent, mut example) = self::spent("0");
    example["body"] = json!("{\"v\":0,\"error\":\"invalid api key\"}");
    assert_told(&spent, example, Err("says that something is wrong, beside a balance of zero"));
}

#[test]
fn a_text_that_names_its_unit_is_not_scaled_once_more() {
    const TWICE: &str = "`scale` of the page would be applied as well";
    for (balance, body, want) in [
        (".v", json!({"v": "350 cents"}), Err(TWICE)),
        (".v", json!({"v": "350分"}), Err(TWICE)),
        (".v", json!({"v": "3.5k"}), Err(TWICE)),
        ("{amount: .v, minus: .w}", json!({"v": 350, "w": "50 cents"}), Err(TWICE)),
        ("{amount: .v, plus: .w}", json!({"v": 350, "w": "50 cents"}), Err(TWICE)),
        (".v", json!({"v": "350"}), Ok("3.5")),
        (".v", json!({"v": 350}), Ok("3.5")),
    ] {
        assert_told(&page(json!({"balance": balance, "scale": 0.01})), json!({"body": body.to_string()}), want);
    }
    let changes = json!({"balance": ".l", "total": ".t", "scale": 0.01});
    let reading = result(&page(changes), json!({"body": "{\"l\": 150, \"t\": \"1000 cents\"}"})).unwrap();
    assert_eq!(reading.beside.total, None);
}

/// A page of kind `spend` with a budget of 100.
fn spent(text: &str) -> (Value, Value) {
    let mut page = page(json!({"kind": "spend", "spend": ".v"}));
    page.as_object_mut().unwrap().remove("balance");
    (page, json!({"body": json!({"v": text}).to_string(), "budget": 100}))
}

#[test]
fn the_side_of_an_account_says_nothing_of_what_was_spent() {
    for (text, want) in [
        ("95 DR", Err("a side of an account")),
        ("95 CR", Err("a side of an account")),
        ("DR 95", Err("a side of an account")),
        ("95", Ok("5")),
        ("95 USD", Ok("5")),
    ] {
        let (page, example) = spent(text);
        assert_told(&page, example, want);
    }
    let usage = json!({"usage": ".u"});
    let reading = result(&page(usage), json!({"body": r#"{"v":5,"u":"95 DR"}"#})).unwrap();
    assert_eq!(reading.beside.usage, None);
    assert_told(&page(json!({})), json!({"body": r#"{"v":"95 DR"}"#}), Ok("-95"));
}

#[test]
fn a_part_of_an_answer_is_a_whole_one_only_where_a_part_is_asked_for() {
    let url = "https://acme.example/v1";
    for (request, status, want) in [
        (json!({"url": url}), 206, Err("the answer is only a part of the whole (HTTP 206)")),
        (json!({"url": url, "headers": {"Range": "items=0-9"}}), 206, Ok("5")),
        (json!({"url": url, "statuses": [206]}), 206, Ok("5")),
        (json!({"url": url}), 203, Ok("5")),
    ] {
        assert_told(&page(json!({"request": request})), json!({"status": status, "body": "{\"v\":5}"}), want);
    }
    // It is the beginning of the data, and no message of an error.
    for (answer, body) in
        [("json", "{\"message\": \"Balance of Hildegard: 4711.22\"}"), ("text", "Balance of Hildegard: 4711.22")]
    {
        let page = page(json!({"request": {"url": url, "answer": answer}}));
        let why = result(&page, json!({"status": 206, "body": body})).unwrap_err();
        assert!(!format!("{why:?}").contains("4711"), "{why:?}");
    }
}

#[test]
fn only_a_null_ends_the_pages_of_an_answer() {
    for (next, body, want) in [
        (".next | strings", json!({"v": 1, "next": 1}), Err("it is not clear whether there is another page")),
        (".links[]? | .id", json!({"v": 1, "link": [2]}), Err("it is not clear whether there is another page")),
        (".next // null", json!({"v": 1}), Ok("1")),
        ("[.links[]? | .id] | first // null", json!({"v": 1}), Ok("1")),
        (".next", json!({"v": 1, "next": ""}), Ok("1")),
        (".next", json!({"v": 1, "next": false}), Ok("1")),
    ] {
        let mut page = pages(".v", "$bind.s", json!({}));
        page["steps"][0]["pages"]["next"] = json!(next);
        assert_told(&page, answers(&[body], None), want);
    }
}

#[test]
fn what_the_answer_does_not_hold_has_no_length() {
    for (balance, body, want) in [
        (".items | length", json!({"d": 1}), Err("`.items` is null")),
        ("100 - (.data.items | length)", json!({"data": {"items": null}}), Err("`.data.items` is null")),
        (".items // [] | length", json!({"d": 1}), Ok("0")),
        ("null | length", json!({"d": 1}), Ok("0")),
        (".items | length", json!({"items": [1, 2]}), Ok("2")),
    ] {
        assert_told(&page(json!({"balance": balance})), json!({"body": body.to_string()}), want);
    }
}

#[test]
fn a_header_that_comes_twice_is_no_value() {
    let header = "$headers[\"x-balance\"]";
    for (balance, headers, want) in [
        (header.to_owned(), json!({"X-Balance": "5\n50"}), Err("came twice, with different values")),
        (format!("{header} | tonumber"), json!({"X-Balance": "5\n50"}), Err("came twice, with different values")),
        (".v".to_owned(), json!({"X-Balance": "5\n50"}), Ok("7")),
        (header.to_owned(), json!({"X-Balance": "5"}), Ok("5")),
    ] {
        assert_told(&page(json!({"balance": balance})), json!({"headers": headers, "body": "{\"v\":7}"}), want);
    }
}

#[test]
fn what_is_cut_out_of_a_number_is_no_number() {
    const CUT: &str = "it is cut out of a longer number";
    let capture = |pattern: &str| format!("capture(\"(?<v>{pattern})\").v");
    for (balance, text, want) in [
        (capture("[0-9]+"), "balance: 12.50", Err(CUT)),
        (capture("[0-9]+") + " | tonumber", "balance: 12.50", Err(CUT)),
        (capture("[0-9]+") + " | fromjson", "balance: 12.50", Err(CUT)),
        (capture("[0-9]+") + " | trim | tonumber", "balance: 12.50", Err(CUT)),
        ("\"\\(".to_owned() + &capture("[0-9]+") + ")\" | tonumber", "balance: 12.50", Err(CUT)),
        (capture("[0-9.]+") + " | tonumber", "balance: 1,234.50", Err(CUT)),
        (capture("[0-9.]+$") + " | tonumber", "balance: 1,234.50", Err(CUT)),
        (capture("[0-9.]+") + " | tonumber", "balance: -12.50", Err(CUT)),
        (capture("[0-9.]+") + " | tonumber", "balance: -$12.50", Err(CUT)),
        ("[scan(\"[0-9]+\")] | .[1] | tonumber".to_owned(), "balance: 12.50", Err(CUT)),
        (capture("[0-9,.]+") + " | tonumber", "balance: 1,234.50 USD", Ok("1234.5")),
        (capture("-?[0-9.]+") + " | tonumber", "balance: -12.50, all", Ok("-12.5")),
        (capture("[0-9.]+") + " | tonumber", "sms-12, left", Err("beside a word or a sign")),
        ("capture(\"sms-(?<v>[0-9.]+)\").v | tonumber".to_owned(), "sms-12, left", Ok("12")),
        (capture("[0-9.]+") + " | tonumber", "Balance - 12.50", Err("behind a dash, which may be a minus")),
        ("gsub(\",\"; \"\") | ".to_owned() + &capture("[0-9.]+") + " | tonumber", "left 1,234.50", Ok("1234.5")),
        (
            "capture(\"(?<a>[0-9]+),(?<b>[0-9]+)\") | \"\\(.a).\\(.b)\" | tonumber".to_owned(),
            "Guthaben 12,50",
            Ok("12.5"),
        ),
        ("if test(\"[0-9]\") then 7 else 8 end".to_owned(), "balance: 12.50", Ok("7")),
        // Whatever cuts it.
        ("split(\".\")[0]".to_owned(), "12.50", Err(CUT)),
        ("split(\".\")[0] | tonumber".to_owned(), "12.50", Err(CUT)),
        ("(. / \".\")[0] | tonumber".to_owned(), "12.50", Err(CUT)),
        ("split(\"[.]\"; null)[0] | tonumber".to_owned(), "12.50", Err(CUT)),
        ("first(splits(\"[.]\")) | tonumber".to_owned(), "12.50", Err(CUT)),
        (".[0:2] | tonumber".to_owned(), "12.50", Err(CUT)),
        (".[:-1] | tonumber".to_owned(), "1250", Err(CUT)),
        (".[1:] | tonumber".to_owned(), "1250", Err(CUT)),
        ("sub(\"[.][0-9]+$\"; \"\") | tonumber".to_owned(), "12.50", Err(CUT)),
        ("sub(\"[.]50\"; \"\") | tonumber".to_owned(), "12.500", Err(CUT)),
        ("gsub(\"[^0-9]\"; \"\") | tonumber".to_owned(), "-12.50", Err(CUT)),
        ("sub(\"-\"; \"\") | tonumber".to_owned(), "-12.50", Err(CUT)),
        ("ltrimstr(\"-\") | tonumber".to_owned(), "-12.50", Err(CUT)),
        ("rtrimstr(\".50\") | tonumber".to_owned(), "12.50", Err(CUT)),
        ("rtrimstr(\"k\") | tonumber".to_owned(), "12.5k", Err(CUT)),
        ("sub(\"k$\"; \"\") | tonumber".to_owned(), "12.5k", Err(CUT)),
        ("gsub(\"[^0-9.]\"; \"\")".to_owned(), "12.5k", Err(CUT)),
        (".[:-1]".to_owned(), "12.5k", Err(CUT)),
        ("split(\" \")[0] | tonumber".to_owned(), "12.5 万", Err(CUT)),
        (capture("[0-9.]+"), "left 12.5k", Err(CUT)),
        (capture("[0-9.]+"), "left 12.5 亿元", Err(CUT)),
        (capture("[0-9.]+"), "5.00 DR", Err(CUT)),
        // The unit is taken too, so it is not forgotten.
        (
            "capture(\"(?<n>[0-9.]+)(?<u>[kM]?)\") | (.n | tonumber) * {\"\": 1, k: 1000, M: 1000000}[.u]".to_owned(),
            "left 12.5k",
            Ok("12500"),
        ),
        (capture("[0-9.]+k?"), "left 12.5k", Ok("12500")),
        (capture("[0-9.]+"), "12.5 kWh, M", Err("beside a word or a sign")),
        ("capture(\"(?<v>[0-9.]+) kWh\").v".to_owned(), "12.5 kWh, M", Ok("12.5")),
        (capture("[0-9.]+"), "5.00 CR", Ok("5")),
        // What is left is the same number.
        ("split(\" \")[0] | tonumber".to_owned(), "12.50 USD", Ok("12.5")),
        ("sub(\" *USD\"; \"\") | tonumber".to_owned(), "12.50 USD", Ok("12.5")),
        ("ltrimstr(\"$\") | tonumber".to_owned(), "$12.50", Ok("12.5")),
        ("sub(\"0+$\"; \"\") | tonumber".to_owned(), "12.500", Ok("12.5")),
        ("sub(\",\"; \".\") | fromjson".to_owned(), "1,234", Ok("1.234")),
        ("split(\",\") | join(\"\") | tonumber".to_owned(), "1,234.50", Ok("1234.5")),
        ("trim | tonumber".to_owned(), " 12.50 ", Ok("12.5")),
        ("split(\":\") | .[1] | tonumber".to_owned(), "v2:12.50", Ok("12.5")),
        (".[0:-2] + \".\" + .[-2:] | tonumber".to_owned(), "1250", Ok("12.5")),
    ] {
        let request = json!({"url": "https://acme.example/v1", "answer": "text"});
        assert_told(&page(json!({"balance": balance, "request": request})), json!({"body": text}), want);
    }
    let json = json!({"balance": format!(".t | {} | tonumber", capture("[0-9.]+"))});
    assert_told(&page(json), json!({"body": r#"{"t":"1,234.50"}"#}), Err(CUT));
}

#[test]
fn the_currency_beside_a_number_is_that_of_the_balance_also_where_it_is_cut_off() {
    const OTHER: &str = "beside the name of another currency";
    let capture = "capture(\"(?<v>[0-9.]+)\").v";
    for (balance, text, want) in [
        (capture, "Balance: 12.50 EUR", Err(OTHER)),
        (capture, "Balance: €12.50", Err(OTHER)),
        (capture, "EUR 12.50", Err(OTHER)),
        (capture, "12.50欧元", Err(OTHER)),
        ("split(\" \")[0] | tonumber", "12.50 EUR", Err(OTHER)),
        (".[1:] | tonumber", "€12.50", Err(OTHER)),
        ("gsub(\"[^0-9.]\"; \"\") | tonumber", "EUR 12.50", Err(OTHER)),
        ("{amount: (split(\" \")[0] | tonumber)}", "12.50 GBP", Err(OTHER)),
        ("(split(\" \")[0] | tonumber) + 1", "12.50 GBP", Err(OTHER)),
        (capture, "Balance: 12.50 USD", Ok("12.5")),
        (capture, "Balance: $12.50", Ok("12.5")),
        (capture, "12.50 US$", Ok("12.5")),
        (capture, "12.50 credits", Ok("12.5")),
        ("rtrimstr(\" EUR\") | tonumber", "12.50 EUR", Ok("12.5")),
        ("capture(\"(?<v>[0-9.]+) EUR\").v", "12.50 EUR", Ok("12.5")),
    ] {
        let request = json!({"url": "https://acme.example/v1", "answer": "text"});
        let page = page(json!({"balance": balance, "currency": "USD", "request": request}));
        assert_told(&page, json!({"body": text}), want);
    }
    let request = json!({"url": "https://acme.example/v1", "answer": "text"});
    let both = "capture(\"(?<amount>[0-9.]+) (?<currency>[A-Z]+)\")";
    let page = page(json!({"balance": both, "request": request}));
    assert_told(&page, json!({"body": "12.50 EUR"}), Ok("12.5"));
}

#[test]
fn a_number_is_not_put_together_from_two_values() {
    const MIXED: &str = "put together from two values of the answer";
    let body = r#"{"units":"5","nanos":5,"text":"5","small":"000000005","sign":"-","point":".","exponent":2,"n":7,"three":500}"#;
    for (balance, want) in [
        ("\"\\(.units).\\(.nanos)\" | tonumber", Err(MIXED)),
        ("\"\\(.units).\\(.nanos)\"", Err(MIXED)),
        ("[.units, .nanos] | join(\".\") | tonumber", Err(MIXED)),
        ("[.units, .nanos] | join(\".\")", Err(MIXED)),
        (".units + \".\" + .text", Err(MIXED)),
        (".units + (\".\" + .text)", Err(MIXED)),
        (".units + \".\" + (.nanos | tostring) | fromjson", Err(MIXED)),
        (".units + .point + .text", Err(MIXED)),
        ("[.nanos, .three] | @csv | tonumber", Err(MIXED)),
        ("[.units, .point, .text] | join(\"\") | tonumber", Err(MIXED)),
        ("reduce (.units, \".\", .text) as $x (\"\"; . + $x) | tonumber", Err(MIXED)),
        ("\"\\(.units).\\(.nanos)\" | trim | ascii_downcase | tonumber", Err(MIXED)),
        (". as $a | \"U.N\" | sub(\"U\"; $a.units) | sub(\"N\"; $a.text) | tonumber", Err(MIXED)),
        ("{amount: \"\\(.units).\\(.nanos)\", currency: \"USD\"}", Err(MIXED)),
        ("(.units | tonumber) + .nanos / 1e9", Ok("5.000000005")),
        ("\"\\(.units)e-\\(.exponent)\" | tonumber", Ok("0.05")),
        ("\"\\(.sign)\\(.units)\" | tonumber", Ok("-5")),
        ("\"\\(.units).0\" | tonumber", Ok("5")),
        ("if \"\\(.units).\\(.nanos)\" == \"5.5\" then .n else 8 end", Ok("7")),
    ] {
        assert_told(&page(json!({"balance": balance})), json!({"body": body}), want);
    }
}

#[test]
fn the_side_of_an_account_is_refused_where_it_may_mean_either() {
    const SIDE: &str = "a side of an account";
    let minus = json!({"balance": "{amount: .a, minus: .u}"});
    let inverted = json!({"balance": "{amount: .a, plus: .u}", "inverted": true});
    for (changes, body, want) in [
        (minus.clone(), json!({"a": "5.00", "u": "34.50 DR"}), Err(SIDE)),
        (minus.clone(), json!({"a": "5 DR", "u": "5 CR"}), Err(SIDE)),
        (minus.clone(), json!({"a": "5 DR", "u": "DR 5"}), Err(SIDE)),
        (minus.clone(), json!({"a": "5 DR", "u": 5}), Ok("-10")),
        (minus, json!({"a": "40 CR", "u": "5"}), Ok("35")),
        (inverted.clone(), json!({"a": "500 DR", "u": 0}), Err(SIDE)),
        (inverted.clone(), json!({"a": "15 CR", "u": 0}), Err(SIDE)),
        (inverted.clone(), json!({"a": 15, "u": "1 DR"}), Err(SIDE)),
        (inverted, json!({"a": "15", "u": 1}), Ok("-16")),
        (json!({"balance": "{amount: .a, plus: .u}"}), json!({"a": "5", "u": "3 DR"}), Ok("2")),
    ] {
        assert_told(&page(changes), json!({"body": body.to_string()}), want);
    }
    let added = pages(".v", "{amount: 100, minus: $bind.s}", json!({}));
    assert_told(&added, answers(&[json!({"v": "5 DR"})], None), Err(SIDE));
    for (changes, body, want) in [
        (json!({"total": ".t"}), json!({"v": 5, "t": "5 DR"}), Some("-5")),
        (json!({"total": ".t", "inverted": true}), json!({"v": 5, "t": "5 DR"}), None),
    ] {
        let total = result(&page(changes), json!({"body": body.to_string()})).unwrap().beside.total;
        assert_eq!(total.map(|total| total.to_string()).as_deref(), want);
    }
    let reading = result(&page(json!({"frozen": ".f"})), json!({"body": r#"{"v":5,"f":"3 DR"}"#})).unwrap();
    assert_eq!(reading.beside.frozen, None);
}

#[test]
fn a_separator_that_only_a_currency_explains_is_refused_where_none_is_known() {
    for (text, unit, want) in [
        ("1.234", None, Err(MAY_BE)),
        ("12,500", None, Err(MAY_BE)),
        ("-1.234", None, Err(MAY_BE)),
        ("1.000", None, Err(MAY_BE)),
        ("12.345k", None, Err(MAY_BE)),
        ("12,500", Some("credits"), Ok("12500")),
        ("1.234", Some("USDT"), Ok("1.234")),
        ("12,500", Some("USD"), Ok("12500")),
        ("12,500 USD", None, Ok("12500")),
        ("12,500.00", None, Ok("12500")),
        ("1,234,567", None, Ok("1234567")),
        ("12.50", None, Ok("12.5")),
        ("0.125", None, Ok("0.125")),
        ("1234.567", None, Ok("1234.567")),
        ("12500", None, Ok("12500")),
    ] {
        for balance in [".v", "{amount: .v}", "{amount: 0, plus: .v}"] {
            let page = page(json!({"balance": balance, "currency": unit}));
            assert_told(&page, json!({"body": json!({"v": text}).to_string()}), want);
        }
    }
    for (bind, balance) in [(".v", "$bind.s"), (".v", "$bind.s | tonumber"), (".v | tonumber", "$bind.s")] {
        for (text, want) in [("1.234", Err(MAY_BE)), ("12,500", Err(MAY_BE)), ("1234", Ok("1234"))] {
            let page = binding(json!({"s": bind}), balance, json!({}));
            assert_told(&page, answers(&[json!({"v": text}), json!({})], None), want);
        }
        let page = binding(json!({"s": bind}), balance, json!({"currency": "USD"}));
        assert_told(&page, answers(&[json!({"v": "12,500"}), json!({})], None), Ok("12500"));
    }
    let total = |text: &str, changes: Value| {
        let body = json!({"v": 15, "t": text}).to_string();
        result(&page(changes), json!({"body": body})).unwrap().beside.total.map(|total| total.normalize().to_string())
    };
    assert_eq!(total("1.000", json!({"total": ".t"})), None);
    assert_eq!(total("1000", json!({"total": ".t"})).as_deref(), Some("1000"));
    assert_eq!(total("1,000", json!({"total": ".t", "currency": "USD"})).as_deref(), Some("1000"));
}

#[test]
fn what_was_spent_is_never_without_a_limit() {
    for text in ["unlimited", "∞", "无限"] {
        let (page, example) = spent(text);
        assert_told(&page, example, Err("what was spent is not known"));
    }
    assert_told(&page(json!({})), json!({"body": r#"{"v":"unlimited"}"#}), Ok("unlimited"));
}

#[test]
fn what_the_pages_of_an_answer_bind_is_the_same_on_all_of_them() {
    let mut page = pages(".v", "{amount: $bind.lim, minus: $bind.s}", json!({}));
    page["steps"][0]["bind"] = json!({"lim": ".limit"});
    for (first, second, want) in [(100, 999, Err("say different values")), (100, 100, Ok("97"))] {
        let bodies = [json!({"v": 1, "limit": first, "next": "A"}), json!({"v": 2, "limit": second})];
        assert_told(&page, answers(&bodies, None), want);
    }
}
