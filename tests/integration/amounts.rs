//! Amounts as a user sees them: what is read of an answer's text, exactly or not at all, and how it is shown.

use crate::support::{Program, Reply, Server, account, config, project, told};
use serde_json::{Value, json};

/// An account that is read from a file of its own.
fn from_file(name: &str, body: &str, expression: &str) -> (Value, (String, String)) {
    let path = format!("{name}.json");
    let account =
        json!({"name": name, "provider": "file", "threshold": 10, "options": {"path": path, "balance": expression}});
    (account, (path, body.to_owned()))
}

fn read(accounts: Vec<(Value, (String, String))>) -> Program {
    let (accounts, files): (Vec<Value>, Vec<(String, String)>) = accounts.into_iter().unzip();
    files.into_iter().fold(Program::check(&config(accounts)), |program, (path, body)| program.file(&path, &body))
}

/// The currency of the page and of the project, and the text; then the currency of the reading, or what the failure says.
type Case = (Option<&'static str>, Option<&'static str>, &'static str, Result<Option<&'static str>, &'static str>);

#[test]
fn a_currency_in_the_text_is_compared_with_the_one_that_is_expected() {
    let cases: [Case; 18] = [
        (Some("USD"), None, "KES 1250.0000", Err("the balance is in KES, but the page of `own` says USD")),
        (None, Some("USD"), "€12.50", Err("the balance is in EUR, but `currency: USD` is configured")),
        (Some("USD"), Some("USD"), "12.50 £", Err("the balance is in GBP, but `currency: USD` is configured")),
        (Some("USD"), None, "¥1,250", Err("the balance is in ¥ (CNY or JPY), but the page of `own` says USD")),
        (Some("USD"), None, "HK$12.50", Err("the balance is in HKD, but the page of `own` says USD")),
        (Some("USD"), None, "12.50 USDT", Err("the balance is in USDT, but the page of `own` says USD")),
        (Some("USD"), None, "1,250 points", Err("the balance is in points, but the page of `own` says USD")),
        (Some("USD"), Some("KES"), "KES 1250.0000", Ok(Some("KES"))),
        (Some("USD"), Some("KES"), "1250", Err("the balance is in USD, but `currency: KES` is configured")),
        (Some("USD"), None, "$12.50", Ok(Some("USD"))),
        (Some("HKD"), None, "$12.50", Ok(Some("HKD"))),
        (Some("CNY"), None, "12.50 元", Ok(Some("CNY"))),
        (Some("CNY"), None, "12.50 RMB", Ok(Some("CNY"))),
        (Some("JPY"), None, "¥1,250", Ok(Some("JPY"))),
        (None, Some("usd"), "US$12.50", Ok(Some("usd"))),
        (None, None, "12.50 EUR", Ok(Some("EUR"))),
        (None, None, "$12.50", Ok(None)),
        (None, None, "12.50", Ok(None)),
    ];
    for (page, wanted, text, expect) in cases {
        let body = json!({"left": text}).to_string();
        let server = Server::start(move |_| Reply::ok(body.clone()));
        let mut account = account("A", "own", &server.url());
        account["currency"] = json!(wanted.unwrap_or_default());
        let mut config = config(vec![account]);
        config["providers"] = json!([{"id": "own", "title": "Own", "kind": "balance", "balance": ".left",
            "request": {"url": "https://own.example/", "headers": {"Authorization": "Bearer {api_key}"}}}]);
        if let Some(page) = page {
            config["providers"][0]["currency"] = json!(page);
        }
        let run = Program::check_json(&config).run();
        let report = run.report();
        let account = project(&report, "A");
        match expect {
            Ok(currency) => {
                assert_eq!(account["status"], "ok", "{page:?} {wanted:?} {text}: {account}");
                assert_eq!(account["currency"], json!(currency), "{page:?} {wanted:?} {text}");
            }
            Err(says) => {
                assert_eq!(run.reason("A"), "config", "{page:?} {wanted:?} {text}");
                assert_eq!(told(account), says, "{page:?} {wanted:?} {text}");
            }
        }
    }
}

#[test]
fn what_no_reader_can_be_sure_of_is_a_failure() {
    let texts = [
        "3.2m",
        "12,50",
        "1.234 EUR",
        "5abc",
        "Error 403",
        "expired on 2026-11-20",
        "12 of 40",
        "(12.50)",
        "64.5%",
        "5 GB",
    ];
    let named = |n: usize| format!("n{n}");
    let accounts =
        texts.iter().enumerate().map(|(n, text)| from_file(&named(n), &json!({"left": text}).to_string(), ".left"));
    let run = read(accounts.collect()).args(["--output", "json"]).run().expect(3);
    for (n, text) in texts.iter().enumerate() {
        assert_eq!(run.reason(&named(n)), "decode", "{text}");
    }
    // What the answer said stays inside.
    assert!(!run.stdout.contains("2026-11-20") && !run.stdout.contains("5abc"), "{run}");
}

#[test]
fn a_number_of_a_megabyte_is_refused_before_anybody_parses_it() {
    let digits = "7".repeat(900 * 1024);
    let run = read(vec![
        from_file("number", &format!("{{\"left\": {digits}}}"), ".left"),
        from_file("fraction", &format!("{{\"left\": 0.{digits}}}"), ".left"),
        from_file("beside", &format!("{{\"left\": 5, \"id\": {digits}}}"), ".left"),
        from_file("text", &format!("{{\"left\": \"{digits}\"}}"), ".left"),
        from_file("words", &format!("{{\"left\": 50, \"id\": \"{digits}\"}}"), ".left"),
    ])
    .args(["--output", "json"])
    .run();
    // A number of this length is refused wherever it stands in the answer.
    for name in ["number", "fraction", "beside", "text"] {
        assert_eq!(run.reason(name), "decode", "{name}");
    }
    assert_eq!(project(&run.report(), "words")["balance"], 50);
}

#[test]
fn arithmetic_keeps_every_digit() {
    let digits = r#"{"total": 123456789012345678901.23, "used": 123456789012345678890.22}"#;
    let texts = r#"{"total": "123456789012345678901.23", "used": "123456789012345678890.22"}"#;
    let floats = r#"{"total": 100000.30, "used": 100000.10}"#;
    let run = read(vec![
        from_file("digits", digits, ".total - .used"),
        from_file("texts", texts, "{amount: .total, minus: .used}"),
        from_file("sum", r#"[0.1, 0.2]"#, "add * 100"),
        from_file("low", floats, ".total - .used"),
        from_file("thirds", r#"{"left": 40}"#, ".left / 3 * 3"),
    ])
    .args(["--output", "json"])
    .run()
    .expect(2);
    for (name, balance) in [("digits", "11.01"), ("texts", "11.01"), ("sum", "30"), ("low", "0.2"), ("thirds", "40")] {
        assert!(run.stdout.contains(&format!("\"balance\":{balance},")), "{name}: {run}");
    }
}

#[test]
fn a_balance_and_its_threshold_never_look_alike() {
    let cases = [
        ("0.00000001", "0.00000002", "0.00000001 BTC", "0.00000002"),
        ("0.1234567", "0.1234568", "0.1234567 BTC", "0.1234568"),
        ("99.99999", "99.999991", "99.99999 BTC", "99.999991"),
        ("-0.00000001", "0", "-0.00000001 BTC", "0"),
        ("9.99", "10", "9.99 BTC", "10"),
    ];
    for (balance, threshold, shown, limit) in cases {
        let (mut account, (path, body)) =
            from_file("A", &json!({"left": format!("{balance} BTC")}).to_string(), ".left");
        account["threshold"] = json!(threshold);
        let hook = Server::start(|_| Reply::ok(r#"{"code":0}"#));
        let mut config = config(vec![account]);
        config["webhooks"] = json!([{"type": "feishu", "url": hook.url()}]);
        let program = Program::check(&config).file(&path, &body);
        let table = program.clone().run().expect(2);
        assert!(table.stdout.contains(&format!("{shown} ")), "{shown}: {table}");
        assert!(table.stdout.split_whitespace().any(|word| word == limit), "{limit}: {table}");
        let alert = String::from_utf8(hook.only_request().body).unwrap();
        assert!(alert.contains(&format!("{shown} is below the threshold {limit}")), "{shown}: {alert}");
        let nagios = program.args(["--output", "nagios"]).run().expect(2);
        assert!(nagios.stdout.contains(shown), "{shown}: {nagios}");
    }
}

#[test]
fn the_threshold_of_a_deepseek_account_does_not_move_to_another_wallet() {
    let wallets = |usd: &str, cny: &str| {
        json!({"is_available": true, "balance_infos": [
            {"currency": "USD", "total_balance": usd}, {"currency": "CNY", "total_balance": cny}]})
        .to_string()
    };
    for (usd, cny) in [("0.00", "110.00"), ("110.00", "0.00"), ("0.00", "0.00"), ("20.00", "30.00")] {
        let body = wallets(usd, cny);
        let server = Server::start(move |_| Reply::ok(body.clone()));
        let mut yuan = account("yuan", "deepseek", &server.url());
        yuan["currency"] = json!("CNY");
        let accounts = vec![account("unsaid", "deepseek", &server.url()), yuan];
        let run = Program::check_json(&config(accounts)).run();
        assert_eq!(run.reason("unsaid"), "decode");
        assert!(run.stdout.contains("set `currency`"), "{run}");
        let report = run.report();
        let yuan = project(&report, "yuan");
        assert_eq!(yuan["currency"], "CNY", "{usd} {cny}");
        assert_eq!(yuan["status"], if cny == "0.00" { "low" } else { "ok" }, "{usd} {cny}");
    }
}
