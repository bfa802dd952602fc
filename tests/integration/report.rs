//! What a run says: the JSON contract, the exit codes, the status line for monitoring systems,
//! the table for people, the logs for machines, and what must never be in any of them.

use crate::support::{
    Finished, Program, REASONS, Reply, Server, account, broken, config, fine, free_port, low, pki, project, soon,
    uniapi,
};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::thread;

// ---- the JSON contract -------------------------------------------------------------------

#[track_caller]
fn assert_keys(value: &Value, keys: &[&str]) {
    let mut have: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut want = keys.to_vec();
    have.sort_unstable();
    want.sort_unstable();
    assert_eq!(have, want, "{value:#}");
}

#[track_caller]
fn assert_utc(value: &Value) {
    let text = value.as_str().expect("a time is a string");
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00Z", "{text}");
}

/// A run with an account that is low, two that are fine, and one that cannot be read.
fn mixed() -> Finished {
    let server = Server::start(|_| Reply::ok(r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#));
    let mut openrouter = account("OpenRouter", "openrouter", &server.url());
    openrouter["threshold"] = json!(100);
    openrouter["type"] = json!("credits");
    let mut owned = fine("Owned");
    owned["owner_project"] = json!("Platform");
    let mut config = config(vec![openrouter, owned, broken("Broken"), fine("Fine")]);
    config["webhook"] = json!({"type": "console"});
    Program::check_json(&config).run().expect(2)
}

#[test]
fn the_report_keeps_its_contract() {
    let report = mixed().report();
    assert_keys(
        &report,
        &[
            "schema_version",
            "run_id",
            "started_at",
            "duration_seconds",
            "status",
            "exit_code",
            "interrupted",
            "summary",
            "projects",
            "mailboxes",
            "subscriptions",
            "subscription_totals",
            "deliveries",
            "memory",
            "metrics",
            "mutes",
            "changed_answers",
        ],
    );
    assert_eq!(report["memory"], json!({"status": "kept", "error": null}));
    assert_eq!(report["schema_version"], 1);
    assert!(report["run_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_utc(&report["started_at"]);
    assert!(report["duration_seconds"].as_f64().is_some_and(|time| (0.0..30.0).contains(&time)));
    assert_eq!(report["status"], "critical");
    assert_eq!(report["exit_code"], 2);
    assert_eq!(report["mailboxes"], json!([]));
    assert_eq!(report["subscriptions"], json!([]));
    assert_eq!(report["summary"]["total"], 4);
    assert_eq!(report["summary"]["ok"], 2);
    assert_eq!(report["summary"]["low"], 1);
    assert_eq!(report["summary"]["failed"], 1);
}

#[test]
fn every_account_of_the_report_keeps_its_contract() {
    let report = mixed().report();
    let keys = [
        "name",
        "owner_project",
        "provider",
        "type",
        "currency",
        "status",
        "balance",
        "threshold",
        "ratio",
        "total",
        "usage",
        "frozen",
        "resets_at",
        "expires",
        "lapses",
        "lasts_days",
        "lasts_range",
        "lasts_until",
        "confidence",
        "is_irregular",
        "days_at_last_pace",
        "burn_per_day",
        "last_day_consumed",
        "usual_day_consumed",
        "is_spike",
        "cached",
        "attempts",
        "duration_seconds",
        "error",
        "alerts",
    ];
    assert_eq!(report["projects"].as_array().unwrap().len(), 4);
    for project in report["projects"].as_array().unwrap() {
        assert_keys(project, &keys);
        assert_eq!(project["cached"], false);
        assert!(project["duration_seconds"].as_f64().is_some_and(|time| time >= 0.0));
    }
    let low = project(&report, "OpenRouter");
    assert_eq!(low["owner_project"], Value::Null);
    assert_eq!(low["provider"], "openrouter");
    assert_eq!(low["type"], "credits");
    assert_eq!(low["currency"], "USD");
    assert_eq!(low["status"], "low");
    assert_eq!(low["balance"], 74.75);
    assert_eq!(low["threshold"], 100);
    assert_eq!(low["ratio"], 0.7475);
    assert_eq!(low["attempts"], 1);
    assert_eq!(low["error"], Value::Null);
    assert_eq!(project(&report, "Owned")["owner_project"], "Platform");
    assert_eq!(project(&report, "Owned")["status"], "ok");
}

#[test]
fn failures_and_deliveries_of_the_report_keep_their_contract() {
    let run = mixed();
    let report = run.report();
    let failed = project(&report, "Broken");
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["balance"], Value::Null);
    assert_eq!(failed["ratio"], Value::Null);
    assert_keys(&failed["error"], &["reason", "message"]);
    assert!(REASONS.contains(&failed["error"]["reason"].as_str().unwrap()));
    assert_keys(&run.delivery(), &["channel", "status", "alerts", "owed", "attempts", "error"]);
}

#[test]
fn two_runs_have_two_ids() {
    let run = || Program::check_json(&config(vec![fine("A")])).run().report();
    assert_ne!(run()["run_id"], run()["run_id"]);
}

#[test]
fn a_threshold_is_crossed_below_it_only() {
    // The file says 5.
    let with = |name: &str, threshold: Value, warning: Value| {
        let mut account = low(name);
        account["threshold"] = threshold;
        if !warning.is_null() {
            account["warning_threshold"] = warning;
        }
        account
    };
    let run = Program::check_json(&config(vec![
        with("equal", json!(5), Value::Null),
        with("just above", json!(5.01), Value::Null),
        with("just below", json!(4.99), Value::Null),
        with("zero", json!(0), Value::Null),
        with("warning", json!(4), json!(5.01)),
        with("warning equal", json!(4), json!(5)),
        with("both", json!(6), json!(7)),
    ]))
    .run()
    .expect(2);
    let report = run.report();
    for (name, status) in [
        ("equal", "ok"),
        ("just above", "low"),
        ("just below", "ok"),
        ("zero", "ok"),
        ("warning", "warning"),
        ("warning equal", "ok"),
        ("both", "low"),
    ] {
        assert_eq!(project(&report, name)["status"], status, "{name}");
    }
}

#[test]
fn the_status_follows_the_worst() {
    for (accounts, status, code) in [
        (vec![fine("A")], "ok", 0),
        (vec![fine("A"), soon("B")], "warning", 1),
        (vec![soon("A"), broken("B")], "unknown", 3),
        (vec![broken("A"), low("B"), soon("C")], "critical", 2),
    ] {
        let run = Program::check_json(&config(accounts)).run().expect(code);
        assert_eq!(run.report()["status"], status, "{run}");
        assert_eq!(run.report()["exit_code"], code, "{run}");
    }
}

// ---- exit codes --------------------------------------------------------------------------

/// A config whose only webhook is refused.
fn undeliverable(accounts: Vec<Value>) -> Value {
    let mut config = config(accounts);
    config["webhook"] = json!({"type": "custom", "url": format!("http://127.0.0.1:{}/hook", free_port())});
    config
}

#[test]
fn fail_on_decides_which_findings_count() {
    let levels = ["any", "critical", "error", "never"];
    let cases = [
        ("nothing", config(vec![fine("A")]), [0, 0, 0, 0]),
        ("a warning", config(vec![fine("A"), soon("B")]), [1, 0, 0, 0]),
        ("a low balance", config(vec![low("A"), fine("B")]), [2, 2, 0, 0]),
        ("a failure", config(vec![broken("A"), fine("B")]), [3, 3, 3, 0]),
        ("a failure and a warning", config(vec![broken("A"), soon("B")]), [3, 3, 3, 0]),
        ("a failure and a low balance", config(vec![broken("A"), low("B")]), [2, 2, 3, 0]),
        ("a lost alert", undeliverable(vec![low("A")]), [75, 75, 75, 0]),
        ("a lost warning", undeliverable(vec![soon("A")]), [75, 75, 75, 0]),
        ("a lost alert and a failure", undeliverable(vec![low("A"), broken("B")]), [75, 75, 75, 0]),
        ("a channel without work", undeliverable(vec![fine("A")]), [0, 0, 0, 0]),
    ];
    for (what, config, codes) in cases {
        for (level, code) in levels.into_iter().zip(codes) {
            let run = Program::check_json(&config).args(["--fail-on", level]).run();
            assert_eq!(run.code(), code, "{what} with --fail-on {level}: {run}");
            assert_eq!(run.report()["exit_code"], code, "{what} with --fail-on {level}");
        }
        let run = Program::check(&config).run();
        assert_eq!(run.code(), codes[0], "`any` is the default for {what}: {run}");
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for args in [
        vec!["--no-such-flag"],
        vec!["--output", "xml"],
        vec!["--fail-on", "sometimes"],
        vec!["--timeout", "soon"],
        vec!["--timeout", "-1"],
        vec!["--concurrency", "0"],
        vec!["--project", "Acmee"],
    ] {
        for level in ["any", "never"] {
            let mut program = Program::check(&config(vec![low("Acme")])).args(["--fail-on", level]);
            for arg in &args {
                program = program.args([arg]);
            }
            let run = program.run();
            assert_eq!(run.code(), 64, "{args:?}: {run}");
            assert_eq!(run.stdout, "", "{args:?}");
            assert!(!run.stderr.is_empty(), "{args:?}");
        }
    }
    Program::new([]).run().expect(64);
    Program::new(["no-such-command"]).run().expect(64);
}

#[test]
fn an_unknown_project_lists_near_matches() {
    let config = config(vec![low("Acme"), fine("Zebra")]);
    let run = Program::check(&config).args(["--project", "Acmee"]).run().expect(64);
    assert!(run.stderr.contains("`Acme`"), "{run}");
    assert!(!run.stderr.contains("Zebra"), "{run}");
}

#[test]
fn a_config_that_is_missing_or_empty_is_a_config_error() {
    Program::new(["check", "--config", "no-such-file.yaml"]).run().expect(78);
    Program::check_text("projects: []").run().expect(78);
    Program::check_text("").run().expect(78);
    Program::check_text("projects: [").args(["--fail-on", "never"]).run().expect(78);
}

// ---- choosing ----------------------------------------------------------------------------

fn names(run: &Finished) -> Vec<String> {
    let report = run.report();
    let projects = report["projects"].as_array().unwrap().iter();
    projects.map(|project| project["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn projects_can_be_chosen() {
    let config = config(vec![fine("A"), low("B"), fine("C")]);
    let run = Program::check_json(&config).args(["--project", "C", "--project", "A"]).run().expect(0);
    assert_eq!(names(&run), ["A", "C"]);
    let run = Program::check_json(&config).args(["--only", "projects"]).run().expect(2);
    assert_eq!(names(&run), ["A", "B", "C"]);
}

#[test]
fn the_config_can_come_from_anywhere() {
    let text = config(vec![fine("A")]).to_string();
    let run = Program::new(["check", "--config", "-", "--output", "json"]).stdin(&text).run().expect(0);
    assert_eq!(names(&run), ["A"]);
    let run = Program::new(["check", "--output", "json"])
        .file("elsewhere.json", &text)
        .env("CONFIG_PATH", "elsewhere.json")
        .run()
        .expect(0);
    assert_eq!(names(&run), ["A"]);
}

#[test]
fn validate_asks_nobody() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut config = config(vec![uniapi("Acme", &server.url())]);
    config["webhook"] = json!({"type": "custom", "url": server.url()});
    let validate = |config: &Value| {
        Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config.to_string()).run()
    };
    let run = validate(&config).expect(0);
    assert!(run.stdout.contains("Acme"), "it prints what a run would do: {run}");
    config["projects"][0]["api_key"] = json!("${NO_SUCH_KEY}");
    config["projects"][0]["treshold"] = json!(1);
    let run = validate(&config).expect(78);
    for word in ["NO_SUCH_KEY", "treshold"] {
        assert!(run.stderr.contains(word), "all problems at once: {run}");
    }
    assert_eq!(server.hits(), 0);
}

#[test]
fn the_other_commands_answer_without_a_config() {
    let run = Program::new(["schema"]).run().expect(0);
    let schema: Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(schema["properties"]["projects"].is_object(), "{schema}");

    let run = Program::new(["providers", "--output", "json"]).run().expect(0);
    let table = Program::new(["providers"]).run().expect(0).stdout;
    serde_json::from_str::<Value>(&run.stdout).unwrap();
    for provider in
        ["openrouter", "uniapi", "wxrank", "tikhub", "volc", "aliyun", "deepseek", "moonshot", "siliconflow", "file"]
    {
        assert!(run.stdout.contains(&format!("\"{provider}\"")), "{provider}: {run}");
        assert!(table.contains(provider), "{provider}: {table}");
    }

    let run = Program::new(["completions", "bash"]).run().expect(0);
    assert!(run.stdout.contains("balance-alert"), "{run}");
    let run = Program::new(["check", "--help"]).run().expect(0);
    for word in [
        "--fail-on",
        "--dry-run",
        "CONFIG_PATH",
        "SSL_CERT_FILE",
        "HTTPS_PROXY",
        "WEBHOOK_URL",
        "LOG_FORMAT",
        "75",
        "130",
    ] {
        assert!(run.stdout.contains(word), "--help knows {word}: {run}");
    }
}

// ---- nagios ------------------------------------------------------------------------------

/// One item of performance data: label, value, unit, and the four ranges.
#[derive(Debug, PartialEq)]
struct Perf {
    label: String,
    value: f64,
    ranges: Vec<String>,
}

/// Reads performance data by the plugin guidelines: `'label'=value[UOM];[warn];[crit];[min];[max]`,
/// separated by blanks, a quote in a label doubled, no `=` and no `|` in one.
fn performance(text: &str) -> Vec<Perf> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (label, after) = if let Some(quoted) = rest.strip_prefix('\'') {
            let mut label = String::new();
            let mut chars = quoted.char_indices().peekable();
            let end = loop {
                let (at, c) = chars.next().unwrap_or_else(|| panic!("a quote is closed: {text}"));
                if c != '\'' {
                    label.push(c);
                } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
                    label.push('\'');
                    chars.next();
                } else {
                    break at + 1;
                }
            };
            (label, quoted[end..].strip_prefix('=').unwrap_or_else(|| panic!("a value follows: {text}")))
        } else {
            let (label, after) = rest.split_once('=').unwrap_or_else(|| panic!("a value follows: {text}"));
            assert!(!label.contains(' '), "a label with a blank is quoted: {text}");
            (label.into(), after)
        };
        assert!(!label.contains('=') && !label.contains('|'), "{label}");
        let (item, next) = after.split_once(' ').unwrap_or((after, ""));
        let mut fields = item.split(';');
        let value = fields.next().unwrap().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        let ranges: Vec<String> = fields.map(String::from).collect();
        assert!(ranges.len() <= 4, "{item}");
        // What could not be read is `U`, undetermined.
        let number = if item.starts_with('U') { Ok(f64::NAN) } else { value.parse() };
        found.push(Perf { label, value: number.unwrap_or_else(|_| panic!("a number: {item}")), ranges });
        rest = next.trim_start();
    }
    found
}

#[track_caller]
fn status_line(run: &Finished, status: &str) -> (String, Vec<Perf>) {
    let line = run.stdout.lines().next().unwrap_or_else(|| panic!("a status line: {run}"));
    let rest = line.strip_prefix(&format!("BALANCE {status} - "));
    let rest = rest.unwrap_or_else(|| panic!("the status is {status}: {run}"));
    assert!(rest.matches('|').count() <= 1, "one bar at most: {line}");
    let (text, data) = rest.split_once('|').unwrap_or((rest, ""));
    assert!(!text.trim().is_empty(), "{line}");
    (text.into(), performance(data))
}

fn nagios(config: &Value) -> Program {
    Program::check(config).args(["--output", "nagios"])
}

#[test]
fn nagios_gets_one_line_with_performance_data() {
    let mut account = low("Acme");
    account["warning_threshold"] = json!(20);
    let run = nagios(&config(vec![account, fine("The other"), broken("Gone")])).run().expect(2);
    let (text, data) = status_line(&run, "CRITICAL");
    assert!(text.contains("Acme"), "{text}");
    assert_eq!(data.len(), 3, "{run}");
    assert_eq!(data[2].label, "Gone");
    assert!(data[2].value.is_nan(), "what is unknown is `U`, not zero: {run}");
    assert_eq!(data[0].label, "Acme");
    assert_eq!(data[0].value, 5.0);
    // `10:` alerts below ten; a bare `10` would alert above it.
    assert_eq!(data[0].ranges[..2], ["20:", "10:"], "{run}");
    assert_eq!(data[1].label, "The other");
    assert_eq!(data[1].value, 500.0);
    assert_eq!(data[1].ranges[1], "10:", "{run}");
}

#[test]
fn nagios_has_four_codes() {
    for (config, status, code) in [
        (config(vec![fine("A")]), "OK", 0),
        (config(vec![soon("A")]), "WARNING", 1),
        (config(vec![low("A")]), "CRITICAL", 2),
        (config(vec![broken("A")]), "UNKNOWN", 3),
        (undeliverable(vec![low("A")]), "UNKNOWN", 3),
    ] {
        let run = nagios(&config).run().expect(code);
        status_line(&run, status);
    }
    let good = config(vec![fine("A")]);
    let unusable = nagios(&good).args(["--no-such-flag"]).run().expect(3);
    assert_eq!(unusable.stdout, "BALANCE UNKNOWN - usage error\n");
    nagios(&good).args(["--project", "Nobody"]).run().expect(3);
    nagios(&good).env("BALANCE_ALERT_FAULT", "run-panic").run().expect(3);
    nagios(&config(vec![])).run().expect(3);
    Program::check_text("projects: [").args(["--output=nagios"]).run().expect(3);
    Program::new(["check", "--config", "nowhere.yaml", "--output", "nagios"]).run().expect(3);
}

#[test]
fn names_cannot_break_the_status_line() {
    let names = ["it's = | 'mine'", "two\nlines", "a|b=c;1;2", "'", "ünïcödé 名"];
    let run = nagios(&config(names.iter().map(|name| low(name)).collect())).run().expect(2);
    let (_, data) = status_line(&run, "CRITICAL");
    assert_eq!(data.len(), names.len(), "{run}");
    assert!(data.iter().all(|item| item.value == 5.0), "{run}");
}

// ---- the table ---------------------------------------------------------------------------

fn many() -> Value {
    config(vec![fine("Ffine"), soon("Wsoon"), broken("Xbroken"), low("Llow")])
}

#[test]
fn the_table_shows_the_worst_first_without_colours() {
    let run = Program::check(&many()).run().expect(2);
    let at = |name: &str| run.stdout.find(name).unwrap_or_else(|| panic!("`{name}` is shown: {run}"));
    let order = ["Llow", "Xbroken", "Wsoon", "Ffine"].map(at);
    assert!(order.is_sorted(), "worst first: {run}");
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'), "{run}");
    let line = run.stdout.lines().find(|line| line.contains("Xbroken")).unwrap();
    assert!(line.contains("  decode: the balance in the answer cannot be used: "), "the reason is shown: {run}");
    let closing = run.stdout.lines().last().unwrap();
    let time = closing.strip_prefix("4 checks: 1 low, 1 failed, 1 warning, 1 ok, in ");
    let time = time.and_then(|time| time.strip_suffix(" s")).unwrap_or_else(|| panic!("counts and a time: {closing}"));
    assert!(time.parse::<f64>().is_ok_and(|time| (0.0..30.0).contains(&time)), "{closing}");
}

#[test]
fn colour_is_a_flag_that_beats_no_color() {
    let run = Program::check(&many()).args(["--color", "always"]).env("NO_COLOR", "1").run().expect(2);
    assert!(run.stdout.contains("\u{1b}["), "{run}");
    let run = Program::check(&many()).args(["--color", "never"]).run().expect(2);
    assert!(!run.stdout.contains('\u{1b}'), "{run}");
    let run = Program::check(&many()).args(["--color", "always", "--output", "json"]).run().expect(2);
    run.report();
}

#[test]
fn quiet_is_silent_when_all_is_well() {
    let server = Server::start(|_| Reply::ok(crate::support::uniapi_body("50")));
    let run = Program::check(&config(vec![fine("A"), uniapi("B", &server.url())])).args(["-q"]).run().expect(0);
    assert_eq!((&*run.stdout, &*run.stderr), ("", ""));
}

#[test]
fn quiet_shows_problems_only() {
    let run = Program::check(&many()).args(["-q"]).run().expect(2);
    for name in ["Llow", "Xbroken", "Wsoon"] {
        assert!(run.stdout.contains(name), "{run}");
    }
    assert!(!run.stdout.contains("Ffine"), "{run}");
}

// ---- logs --------------------------------------------------------------------------------

/// A config that does a bit of everything, most of it badly.
fn noisy(server: &Server) -> Value {
    let mut config = config(vec![
        fine("Fine"),
        low("Low \"quoted\"\nname"),
        broken("Broken"),
        uniapi("Refused", &format!("http://127.0.0.1:{}", free_port())),
        uniapi("Denied", &server.url()),
    ]);
    config["settings"]["max_retries"] = json!(1);
    config["settings"]["max_concurrent_checks"] = json!(400);
    config["webhooks"] = json!([
        {"type": "feishu", "url": format!("{}/hook", server.url())},
        {"type": "custom", "url": format!("http://127.0.0.1:{}/hook", free_port())},
    ]);
    config
}

fn log_lines(run: &Finished) -> Vec<Value> {
    let parse = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(value) if value.is_object() => value,
        _ => panic!("every line is one JSON object: {line}\n{run}"),
    };
    run.stderr.lines().map(parse).collect()
}

#[test]
fn json_logs_are_one_object_a_line() {
    let server = Server::start(|_| Reply::status(500, "<html>\n\"quoted\"\n</html>"));
    for level in ["debug", "trace", "info"] {
        let run =
            Program::check_json(&noisy(&server)).env("LOG_FORMAT", "json").env("LOG_LEVEL", level).run().expect(75);
        let lines = log_lines(&run);
        let is_closing =
            |line: &&Value| line.get("duration_seconds").is_some() && line.get("projects_checked").is_some();
        let closing: Vec<_> = lines.iter().filter(is_closing).collect();
        assert_eq!(closing.len(), 1, "one closing line: {run}");
        let closing = closing[0];
        assert_eq!(closing["projects_checked"], 5, "{closing}");
        assert!(closing["duration_seconds"].is_number(), "{closing}");
        let level = closing["level"].as_str().unwrap();
        assert!(level.eq_ignore_ascii_case("info"), "{closing}");
    }
}

#[test]
fn json_logs_stay_json_when_things_go_very_wrong() {
    let program = |config: &Value| Program::check(config).env("LOG_FORMAT", "json").env("LOG_LEVEL", "debug");
    let run = program(&config(vec![fine("A"), fine("B")])).env("BALANCE_ALERT_FAULT", "check-panic:A").run().expect(3);
    log_lines(&run);
    let run = program(&config(vec![fine("A")])).env("BALANCE_ALERT_FAULT", "run-panic").run().expect(70);
    log_lines(&run);
}

#[test]
fn an_alert_on_the_console_is_a_json_record_that_no_level_swallows() {
    for level in ["off", "error", "warn"] {
        let mut config = config(vec![low("A")]);
        config["webhook"] = json!({ "type": "console" });
        let run = Program::check(&config).env("LOG_FORMAT", "json").env("LOG_LEVEL", level).run().expect(2);
        let lines = log_lines(&run);
        assert_eq!(lines.len(), 1, "{run}");
        assert!(lines[0]["msg"].as_str().unwrap().contains("below the threshold"), "{run}");
        config["projects"][0]["treshold"] = json!(1);
        let run = Program::check(&config).env("LOG_FORMAT", "json").env("LOG_LEVEL", level).run().expect(78);
        assert!(log_lines(&run)[0]["msg"].as_str().unwrap().contains("unknown field `treshold`"), "{run}");
    }
}

#[test]
fn the_log_level_changes_no_result() {
    let server = Server::start(|_| Reply::status(403, "{}"));
    let config = noisy(&server);
    let run = |level: &str| {
        let program = Program::check_json(&config).env("BALANCE_ALERT_RUN_ID", "job-1");
        let mut report = program.env("LOG_LEVEL", level).run().expect(75).report();
        for key in ["run_id", "started_at", "duration_seconds"] {
            report.as_object_mut().unwrap().remove(key);
        }
        for project in report["projects"].as_array_mut().unwrap() {
            project.as_object_mut().unwrap().remove("duration_seconds");
            for alert in project["alerts"].as_array_mut().unwrap() {
                // It names the moment at which the trouble began.
                alert.as_object_mut().unwrap().remove("dedup_key");
            }
        }
        report
    };
    let first = run("error");
    assert_eq!(first, run("trace"));
    assert_eq!(first, run("no-such-level"));
}

#[test]
fn logs_are_quiet_by_default() {
    let run = Program::check(&config(vec![fine("A")])).run().expect(0);
    assert_eq!(run.stderr, "");
    let run = Program::check(&config(vec![fine("A")])).args(["-v"]).run().expect(0);
    assert_ne!(run.stderr, "", "-v says more");
}

// ---- secrets -----------------------------------------------------------------------------

/// What must never be printed, by the first path segment that the account or channel uses: the key of every provider that
/// needs one, that of a page of the user's own, and what channels hold.
static SECRETS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let pages = pages();
    let keys = pages.iter().map(|page| {
        let id = page["id"].as_str().unwrap();
        match page["credential"]["format"].as_str() {
            Some("pair") => (id.to_owned(), format!("Leak{id}Secret:with+a/b==")),
            _ => (id.to_owned(), format!("sk-Leak{id}+a/b=c&d")),
        }
    });
    let rest = [
        ("feishu", "LeakFeishuToken"),
        ("dingtalk", "LeakDingtalkToken"),
        ("wecom", "LeakWecomToken"),
        ("custom", "LeakCustomToken"),
        ("dingtalk-secret", "SECLeakDingtalkSecret"),
    ];
    keys.chain(rest.map(|(name, secret)| (name.to_owned(), secret.to_owned()))).collect()
});
const FEISHU_SECRET: &str = "LeakFeishuSecret";

/// Pages of each kind of credential and signature, as `providers` lists them, and a page of the user's own. That no other page lets
/// its credential out is held by `conformance`.
fn pages() -> Vec<Value> {
    let run = Program::new(["providers", "--output", "json"]).run().expect(0);
    let mut pages: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    const WATCHED: [&str; 9] =
        ["aliyun", "deepseek", "moonshot", "openrouter", "siliconflow", "tikhub", "uniapi", "volc", "wxrank"];
    pages.retain(|page| WATCHED.iter().any(|id| page["id"] == *id));
    assert_eq!(pages.len(), WATCHED.len(), "{run}");
    pages.push(json!({"id": "acme", "credential": {"format": "key"}, "options": {}}));
    pages
}

fn secret(name: &str) -> Option<&'static str> {
    SECRETS.iter().find(|(have, _)| have == name).map(|(_, secret)| secret.as_str())
}

/// Every account and every channel there is, all asked at `base`.
fn everything(base: &str) -> Value {
    let accounts = pages().into_iter().map(|page| {
        let provider = page["id"].as_str().unwrap();
        let key = secret(provider).unwrap();
        let mut account = account(provider, provider, &format!("{base}/{provider}"));
        account["api_key"] = match page["credential"]["format"].as_str() {
            Some("pair") => json!(format!("AccessKeyOf{provider}:{key}")),
            _ => json!(key),
        };
        // An option without a default must be set.
        for (name, option) in page["options"].as_object().unwrap() {
            if option["default"].is_null() {
                account["options"][name] = option["values"].get(0).cloned().unwrap_or_else(|| json!("x"));
            }
        }
        account["timeout_seconds"] = json!(1);
        account
    });
    let mut projects: Vec<_> = accounts.collect();
    projects.push(low("Low"));
    let secret = |name| secret(name).unwrap();
    let mut config = config(projects);
    config["settings"]["request_timeout_seconds"] = json!(1);
    config["providers"] = json!([{
        "id": "acme", "title": "Acme", "kind": "balance", "currency": "EUR",
        "request": {"url": "https://api.acme.test/v1/{api_key}/me", "headers": {"X-Key": "{api_key}"}, "query": {"token": "{api_key}"}},
        "error": ".why", "balance": ".amount",
    }]);
    config["webhooks"] = json!([
        {"type": "feishu", "url": format!("{base}/feishu/open-apis/bot/v2/hook/{}", secret("feishu")), "secret": FEISHU_SECRET},
        {"type": "dingtalk", "url": format!("{base}/dingtalk/robot/send?access_token={}", secret("dingtalk")), "secret": secret("dingtalk-secret")},
        {"type": "wecom", "url": format!("{base}/wecom/cgi-bin/webhook/send?key={}", secret("wecom"))},
        {"type": "custom", "url": format!("{base}/custom/{}", secret("custom"))},
    ]);
    config
}

/// Fails when a secret stands in the output, plain or encoded.
#[track_caller]
fn assert_no_secret(what: &str, run: &Finished) {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    for text in [&run.stdout, &run.stderr] {
        let lower = text.to_lowercase();
        let secrets = SECRETS.iter().map(|(_, secret)| secret.as_str()).chain([FEISHU_SECRET]);
        for secret in secrets {
            let json = json!(secret).to_string();
            let base64 = openssl::base64::encode_block(secret.as_bytes());
            assert!(!text.contains(&base64), "{what}: {secret} in base64: {run}");
            for form in [secret.to_string(), encode(secret), json.trim_matches('"').to_string()] {
                assert!(!lower.contains(&form.to_lowercase()), "{what}: {form} is printed: {run}");
            }
            // The start of one is enough to find it in a log, and no prefix is shorter than this.
            let start = &secret[..secret.find('+').unwrap_or(secret.len())];
            assert!(!text.contains(start), "{what}: {start} is printed: {run}");
        }
    }
}

/// The failures that every account and every channel is put through.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Refused,
    Closed,
    Truncated,
    Timeout,
    BadTls,
    NoName,
    Denied,
    Page,
    Redirect,
    Limited,
    Down,
    Refusal,
    Garbage,
}

const FAULTS: [Fault; 13] = [
    Fault::Refused,
    Fault::Closed,
    Fault::Truncated,
    Fault::Timeout,
    Fault::BadTls,
    Fault::NoName,
    Fault::Denied,
    Fault::Page,
    Fault::Redirect,
    Fault::Limited,
    Fault::Down,
    Fault::Refusal,
    Fault::Garbage,
];

/// The server's side of a fault. It echoes the secret of whoever asks, and all that was sent.
fn answer(fault: Fault, request: &crate::support::Request) -> Reply {
    let mut echo = secret(request.case()).unwrap_or_default().to_string();
    match request.case() {
        "feishu" => echo += &format!(" {FEISHU_SECRET}"),
        "dingtalk" => echo += &format!(" {}", secret("dingtalk-secret").unwrap()),
        _ => {}
    }
    echo += &format!(" {} {:?}", request.target, request.headers);
    let errors = json!({
        "error": {"message": echo, "code": echo}, "message": echo, "msg": echo, "errmsg": echo, "why": echo, "detail": echo,
        "code": -1, "errcode": 40_001, "success": false, "status": false, "Success": false, "Code": echo, "Message": echo,
        "ResponseMetadata": {"Error": {"Code": echo, "Message": echo}},
    });
    match fault {
        // For `custom` any 2xx is a success, whatever the body says.
        Fault::Truncated | Fault::Page | Fault::Refusal if request.case() == "custom" => Reply::status(500, echo),
        Fault::Closed => Reply::close(),
        Fault::Truncated => Reply::truncated(echo),
        Fault::Timeout => Reply::hang(),
        Fault::Denied => Reply::status(401, errors.to_string()).header("WWW-Authenticate", &echo),
        Fault::Page => Reply::html(format!("<html>{echo}</html>")),
        Fault::Redirect => {
            let secret = secret(request.case()).unwrap_or_default();
            Reply::redirect(302, &format!("http://elsewhere.test/{secret}?key={secret}"))
        }
        Fault::Limited => Reply::status(429, errors.to_string()).header("Retry-After", &echo),
        Fault::Down => Reply::status(500, echo),
        Fault::Refusal => Reply::ok(errors.to_string()),
        Fault::Garbage => Reply::raw(format!("{echo}\r\n\r\n")),
        Fault::Refused | Fault::BadTls | Fault::NoName => Reply::ok("{}"),
    }
}

fn leaks_under(fault: Fault) {
    let server = match fault {
        Fault::BadTls => Server::start_tls(pki::unknown_authority(), |_| Reply::ok("{}")),
        _ => Server::start(move |request| answer(fault, request)),
    };
    let base = match fault {
        Fault::Refused => format!("http://127.0.0.1:{}", free_port()),
        Fault::NoName => "http://no-such-host.invalid".into(),
        _ => server.url(),
    };
    let config = everything(&base);
    let programs = [
        Program::check(&config).args(["-v"]).env("LOG_LEVEL", "trace"),
        Program::check_json(&config).env("LOG_FORMAT", "json").env("LOG_LEVEL", "trace"),
        Program::check(&config).args(["--output", "nagios"]).env("RUST_LOG", "trace"),
    ];
    for program in programs {
        let run = program.run();
        assert_no_secret(&format!("{fault:?}"), &run);
        // A run in which nothing failed would prove nothing.
        let failures = if run.stdout.starts_with("BALANCE ") { 3 } else { 75 };
        assert_eq!(run.code(), failures, "{fault:?}: {run}");
        if run.stdout.starts_with('{') {
            let report = run.report();
            assert_eq!(report["summary"]["failed"], pages().len(), "{fault:?}: {run}");
            let sent = |delivery: &Value| delivery["status"] == "sent";
            assert!(!report["deliveries"].as_array().unwrap().iter().any(sent), "{fault:?}: {run}");
        }
    }
    let reached = !matches!(fault, Fault::Refused | Fault::BadTls | Fault::NoName);
    assert_eq!(server.hits() > 0, reached, "{fault:?}");
}

#[test]
fn no_failure_prints_a_secret() {
    thread::scope(|scope| {
        // The faults wait more than they work.
        for faults in FAULTS.chunks(4) {
            scope.spawn(|| faults.iter().for_each(|fault| leaks_under(*fault)));
        }
    });
}

#[test]
fn no_success_and_no_plan_prints_a_secret() {
    let server = Server::start(|_| Reply::ok(r#"{"code":0,"errcode":0}"#));
    let config = everything(&server.url());
    for program in [
        Program::check(&config).args(["--dry-run", "-v"]),
        Program::check_json(&config).args(["--dry-run"]).env("LOG_LEVEL", "trace"),
        Program::check_json(&config).env("LOG_LEVEL", "trace"),
        Program::new(["validate", "--config", "config.yaml"])
            .file("config.yaml", &config.to_string())
            .env("LOG_LEVEL", "trace"),
    ] {
        let run = program.run();
        assert!(!run.stdout.is_empty(), "{run}");
        assert_no_secret("without a failure", &run);
    }
}

#[test]
fn a_mistake_in_the_config_prints_no_secret() {
    let mut config = everything("http://127.0.0.1:9");
    for project in config["projects"].as_array_mut().unwrap() {
        project["treshold"] = json!(1);
        project["threshold"] = json!("much");
    }
    for hook in config["webhooks"].as_array_mut().unwrap() {
        hook["urll"] = hook["url"].clone();
        hook["secret"] = json!([hook["url"].clone()]);
    }
    let run = Program::check(&config).env("LOG_LEVEL", "trace").run().expect(78);
    assert_no_secret("a mistake", &run);
}

#[test]
fn a_secret_from_the_environment_or_a_file_is_kept_too() {
    let server = Server::start(|request| {
        let echo = request.header("Authorization").unwrap_or_default().to_string();
        Reply::status(401, json!({"error": {"message": echo}}).to_string())
    });
    let mut from_environment = uniapi("E", &server.url());
    from_environment["api_key"] = json!("${LEAK_KEY}");
    let mut from_file = uniapi("F", &server.url());
    from_file.as_object_mut().unwrap().remove("api_key");
    from_file["api_key_file"] = json!("key");
    let run = Program::check_json(&config(vec![from_environment, from_file]))
        .env("LEAK_KEY", "LeakedFromEnvironment")
        .file("key", "LeakedFromFile\n")
        .env("LOG_LEVEL", "trace")
        .run()
        .expect(3);
    for secret in ["LeakedFromEnvironment", "LeakedFromFile"] {
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{run}");
    }
    assert_eq!(server.hits(), 2);
}

// ---- reports into files, and Markdown ------------------------------------------------------

/// Names that would like to be more than a name.
const HOSTILE: [&str; 12] = [
    "a|b",
    "a\\|b",
    "line\nbreak | x |",
    "| --- |\r\n| low |",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "[text](http://evil.test)",
    "![picture](https://evil.test/x.png)",
    "http://evil.test www.evil.test",
    "@team **bold** `code` ~~gone~~ _it_",
    "# heading",
    "```\nfence",
];

#[test]
fn a_report_goes_into_files_in_any_form() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut config = config(vec![low("A"), fine("B"), broken("C"), uniapi("D", &server.url())]);
    config["webhook"] = json!({"type": "console"});
    let program = Program::check_json(&config).file("again.json", "what was there before, longer than the report");
    let run = program
        .clone()
        .args(["--report", "json=again.json", "--report=JSON=copy.json", "--report=markdown=summary.md"])
        .args(["--report", "nagios=line.txt", "--report", "prometheus=metrics.prom", "--report", "table=table.txt"])
        .run()
        .expect(2);
    let read = |name: &str| std::fs::read_to_string(program.path(name)).unwrap();
    assert_eq!((read("again.json"), read("copy.json")), (run.stdout.clone(), run.stdout.clone()));
    assert_eq!(run.report()["exit_code"], 2);
    assert!(read("summary.md").starts_with("## 🔴 balance-alert: critical\n"), "{}", read("summary.md"));
    assert!(read("line.txt").starts_with("BALANCE CRITICAL"), "{}", read("line.txt"));
    assert!(read("metrics.prom").contains("balance_alert_status{"), "{}", read("metrics.prom"));
    assert!(
        read("table.txt").contains(" low     A  ") && !read("table.txt").contains('\u{1b}'),
        "{}",
        read("table.txt")
    );
    // A file is whole, whatever standard output is spared.
    let quiet = Program::check(&self::config(vec![fine("A")])).args(["-q", "--report", "table=table.txt"]);
    assert_eq!(quiet.clone().run().expect(0).stdout, "");
    assert!(std::fs::read_to_string(quiet.path("table.txt")).unwrap().contains(" ok      A  "));
    // The log of a CI job and its summary, at once.
    let both = Program::check(&config).args(["--report", "markdown=/dev/stdout"]).run().expect(2);
    assert!(both.stdout.contains("STATUS") && both.stdout.contains("## 🔴"), "{both}");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    for (path, why) in
        [("no/such/folder.json", "its folder does not exist"), (".", "directory"), ("/dev/full", "disk is full")]
    {
        for (account, code) in [(fine("A"), 74), (low("A"), 2), (broken("A"), 3)] {
            let program = Program::check_json(&config(vec![account]));
            let run =
                program.args(["--report", &format!("json={path}"), "--report", "json=other.json"]).run().expect(code);
            let said = run.stderr.to_lowercase();
            assert!(said.contains(&format!("`{path}`")) && said.contains(why), "{path}: {run}");
            assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{run}");
            assert_eq!(run.report()["summary"]["total"], 1, "standard output has it all the same: {run}");
        }
    }
    let program = Program::check_json(&config(vec![fine("A")]));
    for wrong in ["json", "json=", "yaml=x", "=x", ""] {
        let run = program.clone().args(["--report", wrong]).run().expect(64);
        assert!(run.stderr.contains("--report"), "{wrong}: {run}");
    }
}

/// The cells of a line of a Markdown table: a bar that is not escaped ends one.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut rest = line.strip_prefix('|').unwrap().strip_suffix('|').unwrap().chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => cells.last_mut().unwrap().extend(['\\'].into_iter().chain(rest.next())),
            '|' => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn markdown_has_a_table_with_the_worst_first() {
    let mut config = config(vec![fine("fine-1"), soon("soon-1"), broken("broken-1"), low("low-1"), fine("fine-2")]);
    config["webhook"] = json!({"type": "custom", "url": format!("http://127.0.0.1:{}", free_port())});
    config["subscriptions"] =
        json!([{"name": "Sub", "cycle_type": "weekly", "renewal_day": 1, "alert_days_before": 7}]);
    let run = Program::check(&config).args(["--output", "markdown"]).run().expect(75);
    let rows: Vec<Vec<String>> = run.stdout.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    let name = |row: &Vec<String>| row[1].trim().to_owned();
    assert_eq!((rows[0][0].trim(), rows[0][1].trim()), ("Status", "Project"), "{run}");
    let is_right = ["Balance", "Threshold"];
    for (head, rule) in rows[0].iter().zip(&rows[1]) {
        let want = if is_right.contains(&head.trim()) { "--:" } else { "---" };
        assert_eq!(rule.trim(), want, "{head}: {run}");
    }
    let order: Vec<String> = rows[2..7].iter().map(name).collect();
    assert_eq!(order, ["low-1", "broken-1", "soon-1", "fine-1", "fine-2"], "{run}");
    assert!(rows[2..7].iter().all(|row| row.len() == rows[0].len()), "{run}");
    let cells: Vec<&str> = rows[2].iter().map(|cell| cell.trim()).collect();
    assert_eq!(cells[..5], ["🔴 low", "low-1", "file", "5", "10"], "{run}");
    assert_eq!(rows.iter().filter(|row| row[1].trim() == "Sub").count(), 1, "{run}");
    assert!(run.stdout.contains("\n- **not delivered**: 3 alerts to custom: "), "{run}");
    let quiet = Program::check(&self::config(vec![fine("A")])).args(["--output", "markdown", "-q"]).run().expect(0);
    assert_eq!(quiet.stdout, "");
}

#[test]
fn a_hostile_name_is_harmless_in_markdown() {
    let mut config = config(HOSTILE.map(low).to_vec());
    for (n, name) in HOSTILE.iter().enumerate() {
        config["projects"][n]["owner_project"] = json!(name);
    }
    config["webhook"] = json!({"type": "custom", "name": "| x |\n# <b>", "url": "http://127.0.0.1:9/x"});
    for dry in [&["--dry-run"][..], &[]] {
        let mut program = Program::check(&config).args(["--output", "markdown"]);
        for flag in dry {
            program = program.args([flag]);
        }
        let run = program.run();
        // A payload is a block of code, which begins with four blanks and more.
        let lines: Vec<&str> = run.stdout.lines().filter(|line| !line.starts_with("      ")).collect();
        let rows: Vec<Vec<String>> =
            lines.iter().filter(|line| line.starts_with('|')).map(|line| cells(line)).collect();
        assert_eq!(rows.len(), 2 + HOSTILE.len(), "a row each: {run}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{run}");
        for line in &lines {
            let kind = ["## ", "| ", "- "].iter().any(|start| line.starts_with(start));
            assert!(kind || line.is_empty() || line.starts_with(|c: char| c.is_ascii_digit()), "{line:?} in {run}");
            for live in ["<", "](", "://", "www.", "@team", "**b", "`c", "~~g", "_it"] {
                let is_live = line.match_indices(live).any(|(at, _)| !line[..at].ends_with('\\'));
                assert!(!is_live, "{live:?} in {line:?}");
            }
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with('#')).count(), 1, "{run}");
    }
}

#[test]
fn what_a_service_tells_beside_a_balance_is_in_every_report() {
    let page = json!({
        "id": "plan", "title": "Plan", "kind": "quota", "unit": "points", "credential": {"format": "none"}, "request": {"file": "{options.path}"},
        "options": {"path": {"description": "the file"}}, "balance": ".left", "total": ".total", "usage": ".used",
        "frozen": ".frozen", "resets_at": ".resets", "expires": ".grants[] | {credit: .name, amount: .left, date: .until}",
    });
    let account = |name: &str| json!({"name": name, "provider": "plan", "threshold": 10, "options": {"path": format!("{name}.json")}});
    let mut config = config(vec![account("full"), account("bare")]);
    config["providers"] = json!([page]);
    let full = json!({"left": 250.5, "total": 1000, "used": 749.5, "frozen": 12, "resets": "2099-01-01T00:00:00Z", "grants": [
        {"name": "old", "left": 1, "until": "2020-01-01"}, {"name": "late", "left": 5, "until": "2099-06-01"},
        {"name": "soon", "left": 7.5, "until": "2099-02-01"}, {"name": "for ever", "left": 3, "until": null},
    ]});
    let program =
        Program::check_json(&config).file("full.json", &full.to_string()).file("bare.json", r#"{"left": 20}"#);
    let run = program.clone().run().expect(0);
    let report = run.report();
    let entry = project(&report, "full");
    assert_eq!(
        (&entry["total"], &entry["usage"], &entry["frozen"], &entry["resets_at"]),
        (&json!(1000), &json!(749.5), &json!(12), &json!("2099-01-01T00:00:00Z")),
        "{run}"
    );
    assert_eq!(entry["expires"].as_array().unwrap().len(), 4);
    assert_eq!(entry["expires"][2], json!({"credit": "soon", "amount": 7.5, "date": "2099-02-01T00:00:00Z"}));
    let entry = project(&report, "bare");
    let nothing = [&entry["total"], &entry["usage"], &entry["frozen"], &entry["resets_at"]];
    assert!(
        nothing.iter().all(|value| value.is_null()) && entry["expires"] == json!([]),
        "not known is not zero: {run}"
    );
    let table = program.instead(["check", "--config", "config.yaml"]).run().expect(0);
    for part in ["of 1000", "12 frozen", "resets 2099-01-01 00:00 UTC", "7.50 expires 2099-02-01"] {
        assert!(table.stdout.replace(",", "").contains(part), "{part}: {table}");
    }
    let metrics = program.instead(["check", "--config", "config.yaml", "--output", "prometheus"]).run().expect(0);
    let labels = r#"{project="full",provider="plan",type="credits"}"#;
    for (name, value) in [
        ("total", "1000"),
        ("usage", "749.5"),
        ("frozen", "12"),
        ("resets_timestamp_seconds", "4070908800"),
        ("expires_timestamp_seconds", "4073587200"),
    ] {
        let line = format!("balance_alert_{name}{labels} {value}\n");
        assert!(metrics.stdout.contains(&line), "{line}: {metrics}");
        assert!(!metrics.stdout.contains(&format!("balance_alert_{name}{{project=\"bare\"")), "{metrics}");
    }
}
