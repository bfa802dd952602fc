//! Variables, `.env` and files with secrets: what is heard of them, and what a mistake in one costs.

use crate::support::{
    Program, Reply, Server, account, config, fine, free_port, low, pki, project, uniapi, uniapi_body,
};
use serde_json::{Value, json};

/// A run whose variables stand in the process, or in `.env`.
fn with_variables(program: &Program, is_dotenv: bool, variables: &[(&str, &str)]) -> Program {
    if is_dotenv {
        let lines: String = variables.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        return program.clone().file(".env", &lines);
    }
    variables.iter().fold(program.clone().file(".env", ""), |program, (name, value)| program.env(name, value))
}

#[test]
fn every_variable_is_heard_of_wherever_it_stands() {
    for is_dotenv in [false, true] {
        let from = if is_dotenv { "from .env" } else { "from the process" };
        let go = |config: &Value, args: &[&str], variables: &[(&str, &str)]| {
            let program = Program::check(config).args(["--output", "json"]);
            let program = args.iter().fold(program, |program, arg| program.args([arg]));
            with_variables(&program, is_dotenv, variables).run()
        };
        let plain = config(vec![low("A")]);

        let hook = Server::start(|_| Reply::ok(""));
        let variables =
            [("WEBHOOK_URL", hook.url()), ("WEBHOOK_TYPE", "custom".into()), ("WEBHOOK_SOURCE", "ops".into())];
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        go(&plain, &[], &variables).expect(2);
        assert!(hook.only_request().text().contains("ops"), "{from}");
        for (name, wrong, says) in [
            ("WEBHOOK_TYPE", "slak", "the variable `WEBHOOK_TYPE` cannot be `slak`"),
            ("WEBHOOK_URL", "ftp://x", "must begin with `http://` or `https://`"),
            ("PUSHGATEWAY_URL", "ftp://x", "`PUSHGATEWAY_URL` must begin with `http://` or `https://`"),
            ("MAX_CONCURRENT_CHECKS", "x", "`MAX_CONCURRENT_CHECKS` does not hold a number"),
            ("REQUEST_TIMEOUT", "0", "`request_timeout_seconds` must be above 0"),
            ("ALERT_COOLDOWN_SECONDS", "-1", "`alert_cooldown_seconds` must be 0 to"),
            ("ALERT_COOLDOWN_SECONDS", "1_000", "`ALERT_COOLDOWN_SECONDS` does not hold a number"),
            ("MAX_CONCURRENT_CHECKS", "010", "`MAX_CONCURRENT_CHECKS` does not hold a number"),
            ("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "1_0", "`JWT_ACCESS_TOKEN_EXPIRES_HOURS` does not hold a number"),
            ("MAX_EMAILS_TO_SCAN", "0", "`max_emails` must be 1 to"),
            ("JWT_ACCESS_TOKEN_EXPIRES_HOURS", "0", "`JWT_ACCESS_TOKEN_EXPIRES_HOURS` must be above 0"),
            ("BALANCE_ALERT_STATE", "mysql://h/d", "`BALANCE_ALERT_STATE`: it is an address"),
            ("DATABASE_URL", "postgres://h:99999/d", "`DATABASE_URL`: its address cannot be used"),
            ("TZ", "Nowhere/AtAll", "`TZ` names no time zone"),
            ("LOG_FORMAT", "xml", "`LOG_FORMAT` cannot be `xml`"),
            ("LOG_LEVEL", "loud", "`LOG_LEVEL` cannot be `loud`"),
        ] {
            let mut config = plain.clone();
            config["webhooks"] = json!([{"type": "custom", "url": "https://hooks.test/x", "auth": {"jwt": {}}}]);
            if name.starts_with("WEBHOOK") {
                config["webhook"] = config["webhooks"][0].take();
                config["webhooks"] = json!([]);
            }
            let secret = ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef");
            let program =
                Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
            let run = with_variables(&program, is_dotenv, &[secret, (name, wrong)]).run();
            assert!(run.stderr.contains(says), "{from}, {name}: {run}");
            let right = with_variables(&program, is_dotenv, &[secret]).run().expect(0);
            assert_eq!(right.stderr, "", "{from}: {right}");
        }

        let id = ("BALANCE_ALERT_RUN_ID", "the-run-7");
        assert_eq!(go(&plain, &[], &[id]).report()["run_id"], "the-run-7", "{from}");
        let shard = [("BALANCE_ALERT_SHARD", "auto"), ("JOB_COMPLETION_INDEX", "x"), ("BALANCE_ALERT_SHARDS", "2")];
        assert!(go(&plain, &[], &shard).expect(64).stderr.contains("JOB_COMPLETION_INDEX"), "{from}");
        let job = [("BALANCE_ALERT_JOB_NAME", format!("balance-{}", now() / 60 - 5))];
        let job = job.each_ref().map(|(name, value)| (*name, value.as_str()));
        let program = Program::check(&plain).args(["--output", "prometheus"]);
        let run = with_variables(&program, is_dotenv, &job).run().expect(2);
        let lag = run.stdout.lines().find_map(|line| line.strip_prefix("balance_alert_background_task_lag_seconds "));
        let lag: f64 = lag.unwrap_or_else(|| panic!("{from}: {run}")).parse().unwrap();
        assert!((240.0..400.0).contains(&lag), "{from}: {lag}");
        let run = go(&plain, &["-v"], &[("LOG_FORMAT", "json")]).expect(2);
        assert!(run.stderr.lines().all(|line| line.starts_with('{')), "{from}: {run}");
        let program = Program::check(&plain).args(["--color", "auto"]);
        let forced = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
        let run = with_variables(&program.env("CLICOLOR_FORCE", "1"), is_dotenv, &forced[1..]).run().expect(2);
        assert!(!run.stdout.contains('\u{1b}'), "{from}: {run}");
        let program = Program::check(&plain);
        with_variables(&program, is_dotenv, &[("XDG_STATE_HOME", &program.path("kept").display().to_string())]).run();
        assert!(program.path("kept/balance-alert/state.db").exists(), "{from}");
        let program = Program::check(&plain);
        with_variables(&program, is_dotenv, &[("BALANCE_ALERT_STATE", "by-variable.db")]).run().expect(2);
        assert!(program.path("by-variable.db").exists(), "{from}");
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn an_authority_can_stand_in_dotenv() {
    let server = Server::start_tls(pki::good(), |_| Reply::ok(uniapi_body("500")));
    let program = Program::check_json(&config(vec![uniapi("A", &server.url())])).file("ca.pem", &pki::ca_pem());
    assert_eq!(program.clone().run().expect(3).reason("A"), "tls");
    program.clone().file(".env", "SSL_CERT_FILE=ca.pem\n").run().expect(0);
    program.clone().file("more/ca.pem", &pki::ca_pem()).file(".env", "SSL_CERT_DIR=more\n").run().expect(0);
    // The process wins, also where it is set to nothing.
    program.file(".env", "SSL_CERT_FILE=ca.pem\n").env("SSL_CERT_FILE", "").run().expect(3);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let text = config(vec![fine("A")]).to_string().replace("data.json", "../../data.json");
    let program = Program::new(["check"]).file("xdg/balance-alert/config.yaml", &text);
    let xdg = program.path("xdg").display().to_string();
    let program = program.env("XDG_CONFIG_HOME", &xdg);
    program.clone().run().expect(0);
    program.clone().env("CONFIG_PATH", "").run().expect(0);
    for name in
        ["WEBHOOK_URL", "BALANCE_ALERT_STATE", "TZ", "LOG_LEVEL", "NO_COLOR", "BALANCE_ALERT_RUN_ID", "HTTPS_PROXY"]
    {
        let run = program.clone().env(name, "").run().expect(0);
        assert_eq!(run.stderr, "", "{name}: {run}");
    }
    // Where the config is decides where `.env` is, so it cannot stand in there.
    let other = program.file("xdg/balance-alert/.env", "CONFIG_PATH=/nonexistent\n");
    other.run().expect(0);
}

#[test]
fn values_are_literal_from_the_file_to_the_wire() {
    let key = "sk-abc$def${HOME}$(id)#1";
    let server = Server::start(|_| Reply::ok(uniapi_body("500")));
    for line in
        [format!("K={key}"), format!("export K = '{key}'  # mine"), format!("K=\"{}\"", key.replace('$', "\\$"))]
    {
        let mut from_dotenv = uniapi("A", &server.url());
        from_dotenv["api_key"] = json!("${K}");
        let program = Program::check_json(&config(vec![from_dotenv])).file(".env", &format!("{line}\r\nHOME=x\n"));
        program.run().expect(0);
        let request = server.requests().pop().unwrap();
        assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {key}")), "{line}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_anything() {
    let server = Server::start(|_| Reply::ok(uniapi_body("500")));
    let base = |case: &str| format!("{}/{case}", server.url());
    let mut of_dotenv = account("E", "uniapi", &base("dotenv"));
    of_dotenv["api_key"] = json!("${K}");
    let mut of_file = account("F", "uniapi", &base("file"));
    of_file.as_object_mut().unwrap().remove("api_key");
    of_file["api_key_file"] = json!("key");
    let mut from_page = fine("P");
    from_page["options"]["path"] = json!("marked.json");
    let text = format!("\u{FEFF}{}", config(vec![of_dotenv, of_file, from_page]));
    let program = Program::check_text(&text)
        .args(["--output", "json"])
        .file(".env", "\u{FEFF}K=k-of-dotenv\n")
        .file("key", "\u{FEFF}k-of-file\r\n")
        .file("marked.json", "\u{FEFF}{\"fine\": 500}");
    program.run().expect(0);
    for (case, key) in [("dotenv", "k-of-dotenv"), ("file", "k-of-file")] {
        let requests = server.requests();
        let request = requests.iter().find(|request| request.case() == case).unwrap();
        assert_eq!(request.header("Authorization"), Some(&*format!("Bearer {key}")), "{case}");
    }
    // Another encoding is named.
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut of_file = uniapi("F", &server.url());
    of_file.as_object_mut().unwrap().remove("api_key");
    of_file["api_key_file"] = json!("key");
    let program = Program::check_json(&config(vec![of_file]));
    std::fs::write(program.path("key"), utf_16("k-of-file")).unwrap();
    let run = program.clone().run().expect(3);
    assert!(run.stdout.contains("it is UTF-16 text and not UTF-8"), "{run}");
    std::fs::write(program.path(".env"), utf_16("\u{FEFF}K=x")).unwrap();
    let run = program.run().expect(3);
    assert!(run.stderr.contains(".env: it is UTF-16 text and not UTF-8"), "{run}");
}

#[test]
fn a_broken_line_of_dotenv_costs_who_needs_it() {
    let server = Server::start(|_| Reply::ok(uniapi_body("500")));
    let with_key = |name: &str, key: &str| {
        let mut account = uniapi(name, &server.url());
        account["api_key"] = json!(key);
        account
    };
    let all = config(vec![with_key("Good", "${GOOD}"), with_key("Bad", "${BAD}"), with_key("Own", "k-123")]);
    let text = "# keys\nGOOD=k-good\n\nBAD='k-bad-secret\nthis is k-no-assignment\n";
    let program = Program::check_json(&all).file(".env", text);
    let run = program.clone().run().expect(3);
    assert_eq!(run.reason("Bad"), "config");
    for name in ["Good", "Own"] {
        assert_eq!(project(&run.report(), name)["status"], "ok", "{name}: {run}");
    }
    let lines = [
        "4:1: the line cannot be read: its quote is never closed",
        "5:1: the line cannot be read: it is not `NAME=value`",
    ];
    for line in lines {
        assert!(
            run.stderr.contains(&format!("warning: .env:{line}")) || run.stderr.contains(&format!("/.env:{line}")),
            "{run}"
        );
    }
    assert!(!run.stderr.contains("k-bad") && !run.stderr.contains("k-no"), "{run}");
    let run = program.instead(["validate", "--config", "config.yaml"]).run().expect(78);
    assert!(lines.iter().all(|line| run.stderr.contains(&format!("error: .env:{line}"))), "{run}");
    let needs = "`api_key` needs the variable `BAD`, but line 4 of `.env` cannot be read: its quote is never closed";
    assert!(run.stderr.contains(needs), "{run}");
    // Nobody needs it: all is read, and the line is still told.
    let one = Program::check_json(&config(vec![with_key("Good", "${GOOD}")])).file(".env", text);
    let run = one.run().expect(0);
    assert!(run.stderr.contains("its quote is never closed"), "{run}");
    // A file that cannot be read at all ends nothing either.
    let folder = Program::check_json(&config(vec![with_key("Own", "k-123")])).file(".env/x", "");
    let run = folder.run().expect(0);
    assert!(run.stderr.contains(".env: it cannot be read: it is a directory"), "{run}");
}

#[test]
fn a_credential_that_cannot_be_right_is_named_and_nobody_is_asked() {
    let server = Server::start(|_| Reply::status(401, "{}"));
    for (key, says) in [
        ("sk-a\u{200B}bcdefgh", "a zero-width space, which is invisible, (character 5)"),
        ("“sk-abcdefgh”", "a typographic quotation mark (character 1)"),
        ("\"sk-abcdefgh\"", "has quotes around it"),
        ("Bearer sk-abcdefgh", "begins with `Bearer`"),
        ("$$OPENROUTER_KEY", "is the name of a variable and not its value"),
        ("{{api_key}}", "is a template that nobody has filled in"),
    ] {
        let mut account = uniapi("A", &server.url());
        account["api_key"] = json!(key);
        let run = Program::check_json(&config(vec![account.clone()])).run().expect(3);
        assert_eq!(run.reason("A"), "config", "{key:?}");
        assert!(run.stdout.contains(&says.replace('"', "\\\"")) && !run.stdout.contains("abcdefgh"), "{key:?}: {run}");
        // Where it comes from is said as well.
        let key = key.replace("$$", "$");
        account["api_key"] = json!("${FROM_HERE}");
        let run = Program::check_json(&config(vec![account.clone()])).env("FROM_HERE", &key).run().expect(3);
        assert!(run.stdout.contains("`api_key`, from the variable `FROM_HERE`, "), "{key:?}: {run}");
        account.as_object_mut().unwrap().remove("api_key");
        account["api_key_file"] = json!("key");
        let run = Program::check_json(&config(vec![account])).file("key", &key).run().expect(3);
        assert!(run.stdout.contains("`api_key_file` "), "{key:?}: {run}");
    }
    assert_eq!(server.hits(), 0);
    // What may be meant is asked with, and warned of.
    let mut account = uniapi("A", &server.url());
    account["api_key"] = json!("sk-abc # mine");
    let run = Program::check_json(&config(vec![account])).run().expect(3);
    assert_eq!(run.reason("A"), "auth");
    assert!(run.stderr.contains("warning: projects[0] `A`: `api_key` holds a blank"), "{run}");
}

#[test]
fn a_variable_that_is_not_set_ends_nothing_for_the_others() {
    for (name, entry) in [
        ("subscriptions", json!([{"name": "S", "cycle_type": "monthly", "renewal_day": "${NOT_SET}"}])),
        ("subscriptions", json!([{"name": "${NOT_SET}", "cycle_type": "monthly", "renewal_day": 1}])),
        ("email", json!([{"name": "M", "host": "${NOT_SET}", "username": "u", "password": "p"}])),
        ("email", json!({"name": "M", "host": "127.0.0.1", "username": "${NOT_SET}", "password": "p"})),
    ] {
        let mut config = config(vec![fine("A")]);
        config[name] = entry.clone();
        let run = Program::check_json(&config).run().expect(3);
        let report = run.report();
        assert_eq!(project(&report, "A")["status"], "ok", "{entry}: {run}");
        let list = if name == "email" { "mailboxes" } else { name };
        let failed = &report[list][0];
        assert_eq!((&failed["status"], &failed["error"]["reason"]), (&json!("failed"), &json!("config")), "{run}");
        assert!(failed["error"]["message"].as_str().unwrap().contains("`NOT_SET` is not set"), "{run}");
        // Switched off, it needs nothing.
        let first = if entry.is_array() { &mut config[name][0] } else { &mut config[name] };
        first["enabled"] = json!(false);
        let run = Program::check_json(&config).run().expect(0);
        assert_eq!((run.report()[list].as_array().unwrap().len(), run.stderr.as_str()), (0, ""), "{run}");
        let program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
        assert_eq!(program.run().expect(0).stderr, "");
    }
    // A page, a name, a provider: the account says why it cannot be read.
    let own = json!({"id": "own", "title": "Own", "kind": "balance", "request": {"url": "https://${NOT_SET}/"}, "balance": ".b"});
    for (change, name) in [
        (json!({"provider": "own", "options": {}}), "B"),
        (json!({"provider": "${NOT_SET}"}), "B"),
        (json!({"name": "${NOT_SET}"}), "projects[1]"),
        (json!({"threshold": "${NOT_A_NUMBER}"}), "B"),
        (json!({"provider": "${NOT_A_NUMBER}"}), "B"),
    ] {
        let mut other = fine("B");
        other.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let mut config = config(vec![fine("A"), other]);
        config["providers"] = json!([own]);
        let run = Program::check_json(&config).env("NOT_A_NUMBER", "nope").run().expect(3);
        assert_eq!(run.reason(name), "config", "{change}");
        assert_eq!(project(&run.report(), "A")["status"], "ok", "{change}: {run}");
    }
}

#[test]
fn a_subscription_that_fails_is_counted_told_and_measured() {
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = config(vec![fine("A")]);
    config["settings"]["failure_alert_after"] = json!(2);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    config["metrics"] = json!({"textfile": "balances.prom"});
    config["subscriptions"] =
        json!([{"name": "Host", "cycle_type": "monthly", "renewal_day": "${DAY}", "alert_days_before": 0}]);
    let program = Program::check(&config);
    let run = program.clone().run().expect(3);
    assert!(run.stdout.contains("2 checks: 1 failed, 1 ok"), "{run}");
    assert!(run.stdout.contains("config: the variable `DAY` is not set"), "{run}");
    let metrics = std::fs::read_to_string(program.path("balances.prom")).unwrap();
    assert!(metrics.contains("balance_alert_check_success{check_type=\"subscription\"} 0"), "{metrics}");
    assert!(!metrics.contains("subscription_days"), "what is not known has no value: {metrics}");
    assert_eq!(hook.hits(), 0);
    program.clone().run().expect(3);
    assert_eq!(hook.hits(), 1, "the second failed run in a row is told");
    assert!(hook.only_request().text().contains("Host"));
    program.clone().env("DAY", "31").run();
    let says_over = hook.requests().iter().skip(1).any(|request| request.text().contains("Host"));
    assert!(says_over, "and that it works again");
}

#[test]
fn a_file_for_metrics_that_cannot_be_named_is_told() {
    let mut config = config(vec![fine("A")]);
    config["metrics"] = json!({"textfile": "${NOT_SET}/x.prom"});
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(run.report()["metrics"]["status"], "failed", "{run}");
    assert!(run.stderr.contains("`textfile` cannot be used: the variable `NOT_SET` is not set"), "{run}");
    Program::check_json(&config).args(["--strict-metrics"]).run().expect(75);
    config["metrics"] = json!({"pushgateway": "${NOT_SET}"});
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(run.report()["metrics"]["status"], "failed", "{run}");
}

#[test]
fn tokens_in_addresses_are_neither_shown_nor_kept() {
    const TOKEN: &str = "9f8e7d6c5b4a39281706";
    let server = Server::start(|_| Reply::ok(r#"{"success":true,"data":{"balance":500}}"#));
    let own = json!({
        "id": "own", "title": "Own", "kind": "balance", "credential": {"format": "none"},
        "request": {"url": format!("http://user:{TOKEN}x@{}/b", server.url().replace("http://", ""))}, "balance": ".data.balance",
    });
    let mut config = config(vec![
        uniapi("A", &format!("{}/{TOKEN}", server.url())),
        json!({"name": "B", "provider": "own", "threshold": 10}),
    ]);
    config["providers"] = json!([own]);
    config["settings"]["response_cache_ttl"] = json!(300);
    let program = Program::check(&config);
    let run = program.clone().run().expect(0);
    assert!(!run.stdout.contains(TOKEN) && !run.stderr.contains(TOKEN), "{run}");
    let run = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    assert!(!run.stdout.contains(TOKEN) && run.stdout.contains(&server.url()), "{run}");
    let found = |folder: &std::path::Path| {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| file.is_file()).any(|file| {
            let bytes = std::fs::read(file).unwrap();
            bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes())
        })
    };
    let kept = program.path(".local/state/balance-alert");
    assert!(kept.join("state.db").exists() && !found(&kept));
    // The reading is known again, so the account is named by all of its address.
    let run = program.clone().args(["--output", "json"]).run().expect(0);
    assert_eq!(project(&run.report(), "A")["cached"], true, "{run}");
    config["projects"][0]["base_url"] = json!(format!("{}/{TOKEN}y", server.url()));
    let run = program.file("config.yaml", &config.to_string()).args(["--output", "json"]).run().expect(0);
    assert_eq!(project(&run.report(), "A")["cached"], false, "{run}");
}

#[test]
fn no_memory_is_said_by_validate_and_not_in_every_run() {
    let mut config = config(vec![fine("A")]);
    config["state"] = json!("none");
    let program = Program::check(&config);
    assert_eq!(program.clone().args(["-q"]).run().expect(0).stderr, "");
    let run = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    assert!(run.stdout.contains("nothing is remembered, so every run sends every alert"), "{run}");
    // By accident it is told.
    config["state"] = json!({"path": "${NOT_SET}"});
    let run = Program::check(&config).args(["-q"]).run().expect(0);
    assert!(run.stderr.contains("no memory of other runs: the variable `NOT_SET` is not set"), "{run}");
}

#[test]
fn large_configs_are_read_or_refused_in_a_moment() {
    let port = free_port();
    let accounts: String = (0..2000)
        .map(|at| format!("  - {{ name: A{at}, provider: uniapi, api_key: \"${{K{at}}}\", threshold: 1, base_url: 'http://127.0.0.1:{port}' }}\n"))
        .collect();
    let run = Program::check_text(&format!("projects:\n{accounts}")).run().expect(3);
    assert!(run.stdout.contains("2000 checks: 2000 failed"), "{}", run.stderr);
    for (text, says) in [
        ("- ".repeat(4 * 1024 * 1024), "it is nested too deep"),
        ("[".repeat(8 * 1024 * 1024), "it is nested too deep"),
        ("- a\n".repeat(2_100_000), "it holds too many values"),
        (format!("{}\n", "-".repeat(17 * 1024 * 1024)), "it is larger than 16 MiB"),
    ] {
        let run = Program::check_text(&text).run().expect(78);
        assert!(run.stderr.contains(says), "{says}: {run}");
    }
}
