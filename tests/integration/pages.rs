//! Pages of a user's own, as they are run: what an expression may cost, what it may tell, and what is asked.

use crate::support::{Program, Reply, Server, config, project, told};
use serde_json::{Value, json};

/// A page of its own over a server's answer, and the account that is read by it.
fn page(server: &Server, page: Value) -> Value {
    let mut all = json!({"id": "acme", "title": "Acme", "kind": "balance",
        "request": {"url": format!("{}/v1/me", server.url()), "headers": {"X-Key": "{api_key}"}}});
    all.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
    let mut config = config(vec![json!({"name": "A", "provider": "acme", "api_key": "key-of-acme", "threshold": 10})]);
    config["providers"] = json!([all]);
    config
}

/// What is said of the one account that cannot be read: the reason and the message with its hint.
fn failure(body: &'static str, status: u16, of: Value) -> (String, String) {
    let server = Server::start(move |_| Reply::status(status, body));
    let run = Program::check_json(&page(&server, of)).run().expect(3);
    let report = run.report();
    let account = project(&report, "A");
    let hint = account["error"]["hint"].as_str().map(|hint| format!(" ({hint})")).unwrap_or_default();
    (run.reason("A"), format!("{}{hint}", told(account)))
}

const PRIVATE: &str = r#"{"data":{"access_token":"tok-PRIVATE","email":"bob@PRIVATE.example","quota":{"left":"PRIVATE"}},"user":"PRIVATE"}"#;

#[test]
fn no_value_of_an_answer_leaves_by_an_error() {
    for balance in [
        ".data / 100",
        ".data.quota - 1",
        ".data.email | tonumber",
        ".data | error",
        ".data.email | error",
        "error(\"x \\(.data)\")",
        ".data.email | fromjson",
        ".data.email.x",
        ".data[.user]",
        ".data | tojson",
        ".data.email, .user",
        "[.data.email] | implode",
        "{amount: .data.email}",
        "{amount: 1, currency: .data}",
        "{amount: 1, minus: .user}",
        ".data.email | strptime(\"%Y\")?",
        ".user | test(\"(\")",
    ] {
        let server = Server::start(|_| Reply::ok(PRIVATE));
        let hook = Server::start(|_| Reply::ok(""));
        let mut config = page(&server, json!({"balance": balance}));
        config["webhook"] = json!({"type": "custom", "url": hook.url()});
        config["settings"]["failure_alert_after"] = json!(1);
        let program = Program::check(&config);
        for output in ["table", "json", "markdown", "nagios"] {
            let run = program.clone().args(["--output", output]).env("LOG_LEVEL", "debug").run();
            let all = format!("{}{}", run.stdout, run.stderr);
            assert!(!all.contains("PRIVATE"), "{balance} in {output}: {run}");
        }
        for request in hook.requests() {
            assert!(!request.text().contains("PRIVATE"), "{balance}: {}", request.text());
        }
    }
}

#[test]
fn what_is_missing_is_named_with_what_is_there() {
    let body = r#"{"data":{"id":"x","quota":5,"username":"bob"},"code":0}"#;
    for (balance, want) in [
        (
            ".data.quotaa",
            "the balance in the answer cannot be used: `.data.quotaa` is null; `.data` has `id`, `quota`, `username`",
        ),
        (
            "{amount: .balance}",
            "the balance in the answer cannot be used: `.balance` is null; the answer has `data`, `code`",
        ),
        (
            "{amount: 5, minus: .used}",
            "what is to be taken off the balance cannot be used: `.used` is null; the answer has `data`, `code`",
        ),
        (
            ".data.left - 1",
            "the balance could not be read: cannot calculate null (`.data.left` is null; `.data` has `id`, `quota`, `username`) - a number",
        ),
        (".data[].quota", "the balance could not be read: cannot index a text with \"quota\""),
    ] {
        assert_eq!(
            failure(body, 200, json!({"balance": balance})),
            ("decode".to_owned(), want.to_owned()),
            "{balance}"
        );
    }
}

#[test]
fn several_values_are_no_balance() {
    let several = failure(r#"{"wallets":[{"total":50},{"total":7}]}"#, 200, json!({"balance": ".wallets[].total"}));
    let want = "the balance could not be read: the expression gives several values (choose one, or take the sum: `[...] | add`)";
    assert_eq!(several, ("decode".to_owned(), want.to_owned()));
}

#[test]
fn numbers_in_texts_are_not_cut_off() {
    for (text, want) in
        [("10,000.00", Some(10_000.0)), ("1,234.50", Some(1234.5)), ("5abc", None), ("0x1F", None), ("", None)]
    {
        let server = Server::start(move |_| Reply::ok(json!({"Data": {"Amount": text}}).to_string()));
        let run = Program::check_json(&page(&server, json!({"balance": ".Data.Amount | tonumber"}))).run();
        match want {
            Some(want) => assert_eq!(project(&run.report(), "A")["balance"], want, "{text}: {run}"),
            None => assert_eq!(run.reason("A"), "decode", "{text}"),
        }
    }
}

#[test]
fn a_text_that_is_read_by_tonumber_means_the_same_as_one_that_is_not() {
    let own = ".a";
    let made = ".a | tonumber";
    let said = "{amount: (.a | tonumber), currency: .c}";
    let summed = "[.a, .b] | map(tonumber) | add";
    for (balance, currency, body, want) in [
        (own, Some("EUR"), json!({"a": "1,234"}), None),
        (made, Some("EUR"), json!({"a": "1,234"}), None),
        (made, Some("EUR"), json!({"a": "-1.234"}), None),
        (made, Some("BRL"), json!({"a": " 1.234 "}), None),
        (made, Some("EUR"), json!({"a": "1,234.50"}), Some(1234.5)),
        (made, Some("EUR"), json!({"a": "1234.500"}), Some(1234.5)),
        (made, Some("EUR"), json!({"a": "0.125"}), Some(0.125)),
        (made, Some("EUR"), json!({"a": 1.234}), Some(1.234)),
        (made, Some("USD"), json!({"a": "1,234"}), Some(1234.0)),
        (made, Some("CNY"), json!({"a": "1.234"}), Some(1.234)),
        (made, None, json!({"a": "1,234"}), Some(1234.0)),
        (said, None, json!({"a": "1,234", "c": "EUR"}), None),
        (said, None, json!({"a": "1,234", "c": "USD"}), Some(1234.0)),
        (said, None, json!({"a": "1,234", "c": "credits"}), Some(1234.0)),
        (summed, Some("EUR"), json!({"a": "5.00", "b": "1,234"}), None),
        ("try (.a | tonumber) catch 0", Some("EUR"), json!({"a": "1,234"}), None),
        (".a | fromjson", Some("EUR"), json!({"a": "1.234"}), Some(1.234)),
        (".a | gsub(\",\"; \"\") | fromjson", Some("EUR"), json!({"a": "1,234"}), Some(1234.0)),
    ] {
        let text = body.to_string();
        let server = Server::start(move |_| Reply::ok(text.clone()));
        let mut config = page(&server, json!({"balance": balance}));
        config["projects"][0]["currency"] = json!(currency);
        let run = Program::check_json(&config).run();
        match want {
            Some(want) => {
                assert_eq!(project(&run.report(), "A")["balance"], want, "{balance} {currency:?} {body}: {run}")
            }
            None => assert_eq!(run.reason("A"), "decode", "{balance} {currency:?} {body}: {run}"),
        }
    }
}

#[test]
fn what_is_empty_is_no_error_and_what_has_no_words_gets_the_services() {
    for (error, body, want) in [
        (".error", r#"{"error":"","balance":50}"#, None),
        (".error", r#"{"error":[],"balance":50}"#, None),
        (".error", r#"{"error":{},"balance":50}"#, None),
        (".error", r#"{"error":0,"balance":50}"#, None),
        (".error", r#"{"error":"0","balance":50}"#, None),
        (".error", r#"{"error":null,"balance":50}"#, None),
        (".error", r#"{"balance":50}"#, None),
        (".errors[]?", r#"{"errors":[],"balance":50}"#, None),
        ("empty", r#"{"balance":50}"#, None),
        (".error", r#"{"error":"no","balance":50}"#, Some("no")),
        (".error", r#"{"error":{"code":7,"msg":"no"},"balance":50}"#, Some("no")),
        (".error", r#"{"error":401,"msg":"no","balance":50}"#, Some("no")),
        (".error", r#"{"error":true,"detail":[{"msg":"no"}],"balance":50}"#, Some("no")),
        (".errors", r#"{"errors":["one","two"],"balance":50}"#, Some("one; two")),
        (".errors[]?.message", r#"{"errors":[{"message":"one"},{"message":"two"}],"balance":50}"#, Some("one; two")),
        (".code != 0", r#"{"code":9,"balance":50}"#, Some("code 9")),
        (
            "if .ok then null else {message: .msg} end",
            r#"{"ok":false,"msg":"","balance":50}"#,
            None::<&str>.or(Some("*")),
        ),
    ] {
        let server = Server::start(move |_| Reply::ok(body));
        let run = Program::check_json(&page(&server, json!({"balance": ".balance", "error": error}))).run();
        match want {
            None => assert_eq!(project(&run.report(), "A")["balance"], 50.0, "{error} {body}: {run}"),
            Some(words) => {
                assert_eq!(run.reason("A"), "api", "{error} {body}");
                let report = run.report();
                let message = told(project(&report, "A"));
                let wanted = match words {
                    "*" => "the service reports an error".to_owned(),
                    words => format!("the service reports an error: {words}"),
                };
                assert_eq!(message, wanted, "{error} {body}");
            }
        }
    }
}

#[test]
fn a_refusal_is_told_in_the_services_words() {
    for (status, body, want) in [
        (
            422,
            r#"{"detail":[{"loc":["header","key"],"msg":"field required"}]}"#,
            "the request was refused (HTTP 422): field required",
        ),
        (
            401,
            r#"{"Response":{"Error":{"Code":"AuthFailure","Message":"bad signature"}}}"#,
            "the credential was refused (HTTP 401): bad signature",
        ),
        (403, r#"{"errors":{"key":["is revoked"]}}"#, "the credential may not read this (HTTP 403): key: is revoked"),
        (
            400,
            r#"{"base_resp":{"status_code":1004,"status_msg":"login fail\u0007\n\u202Etwice"}}"#,
            "the request was refused (HTTP 400): login fail twice",
        ),
        (400, r#"{"message":"the key key-of-acme is bad"}"#, "the request was refused (HTTP 400): the key *** is bad"),
        (
            200,
            r#"{"error":{"message":"no such plan"}}"#,
            "the balance in the answer cannot be used: `.balance` is null; the answer has `error`; the service says: no such plan",
        ),
    ] {
        assert_eq!(failure(body, status, json!({"balance": ".balance"})).1, want, "{body}");
    }
}

#[test]
fn the_query_of_an_address_stays_beside_that_of_the_page() {
    let server = Server::start(|_| Reply::ok(r#"{"balance":50}"#));
    let url = format!("{}/v1/me?unit=usd&team=a%20b", server.url());
    let request = json!({"url": url, "query": {"key": "{api_key}", "z": "1"}});
    Program::check_json(&page(&server, json!({"request": request, "balance": ".balance"}))).run().expect(0);
    assert_eq!(server.only_request().target, "/v1/me?key=key-of-acme&team=a%20b&unit=usd&z=1");
}

#[test]
fn unlimited_is_known_by_its_words() {
    for (body, status) in [
        (r#"{"left":"unlimited"}"#, "unlimited"),
        (r#"{"left":"Unlimited"}"#, "unlimited"),
        (r#"{"left":"∞"}"#, "unlimited"),
        (r#"{"left":"无限"}"#, "unlimited"),
        (r#"{"left":"none"}"#, "failed"),
    ] {
        for balance in [".left", "{amount: .left}"] {
            let server = Server::start(move |_| Reply::ok(body));
            let run = Program::check_json(&page(&server, json!({"balance": balance, "error": ".error"}))).run();
            assert_eq!(project(&run.report(), "A")["status"], status, "{body}: {run}");
        }
    }
}
