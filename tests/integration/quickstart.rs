//! Docs are tests: the quickstart, the examples, the schema. The pages are in `docs`.

use std::path::Path;
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_balance-alert")).args(arguments).current_dir(ROOT).env_clear().output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap()
}

#[test]
fn the_quickstart_reads_accounts_prints_an_alert_and_exits_2() {
    let output = run(&["check", "--config", "examples/quickstart.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.lines().nth(1).unwrap().contains("low"), "the worst comes first: {out}");
    assert!(out.contains("5 checks: 1 low, 3 ok, 1 unlimited"), "{out}");
    assert!(err.contains("OpenRouter (AI platform): credits 74.75 USD is below the threshold 100.00 USD"), "{err}");
    assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "no colour outside a terminal");
}

#[test]
fn every_example_is_a_valid_config() {
    let mut count = 0;
    for entry in std::fs::read_dir(Path::new(ROOT).join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let is_config =
            path.extension().is_some_and(|e| e == "yaml" || e == "json") && !path.ends_with("config.schema.json");
        if path.is_file() && is_config {
            count += 1;
            let output = run(&["validate", "--config", path.to_str().unwrap()]);
            // Variables are for the user to set; everything else must be in order.
            let err = text(&output.stderr);
            let other: Vec<_> = err
                .lines()
                .filter(|line| line.starts_with("error: ") && line.matches(':').count() > 3)
                .filter(|line| !line.contains("which is not set"))
                .collect();
            assert!(other.is_empty(), "{}: {other:?}", path.display());
        }
    }
    assert!(count >= 3, "{count}");
}

/// The pages that come with the program, as it lists them.
fn providers() -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(text(&run(&["providers", "--output", "json"]).stdout)).unwrap();
    list.as_array().unwrap().iter().map(|page| page["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_published_schema_is_current_but_for_new_providers() {
    let output = run(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let mut published: serde_json::Value = serde_json::from_str(&read("examples/config.schema.json")).unwrap();
    let ids = published.pointer_mut("/definitions/RawProject/properties/provider/anyOf/0/enum").unwrap();
    let known = providers();
    // The program knows its pages when it is built. The file may lack a new one until it is written again, and names no other.
    for id in ids.as_array().unwrap() {
        assert!(known.iter().any(|known| id == known), "{id} is no provider");
    }
    *ids = known.into();
    let message = "run `WRITE_SCHEMA=1 cargo test --lib schema`, and build again";
    assert_eq!(format!("{published:#}\n"), text(&output.stdout), "{message}");
}

#[test]
fn documented_defaults_are_the_real_ones() {
    let settings = balance_alert::config::Settings::default();
    assert_eq!(settings.max_concurrent_checks, 20);
    assert_eq!(settings.request_timeout.as_secs(), 15);
    assert_eq!(settings.run_timeout.as_secs(), 120);
    assert_eq!(settings.max_retries, 3);
    assert_eq!(settings.alerting.cooldown.as_secs(), 86_400);
    assert_eq!(settings.alerting.realert_drop_percent, 50.into());
    assert_eq!(settings.alerting.recovery_margin_percent, 5.into());
    assert_eq!(settings.alerting.failure_alert_after, 3);
    assert_eq!(settings.response_cache_ttl.as_secs(), 0);
    assert_eq!((settings.circuit.failures, settings.circuit.open_for.as_secs()), (3, 60));
    let schema: serde_json::Value = serde_json::from_str(&read("examples/config.schema.json")).unwrap();
    let properties = &schema["definitions"]["RawSettings"]["properties"];
    for (name, value) in [
        ("max_concurrent_checks", 20),
        ("request_timeout_seconds", 15),
        ("run_timeout_seconds", 120),
        ("max_retries", 3),
        ("alert_cooldown_seconds", 86_400),
        ("realert_drop_percent", 50),
        ("recovery_margin_percent", 5),
        ("failure_alert_after", 3),
        ("response_cache_ttl", 0),
        ("circuit_breaker_failures", 3),
        ("circuit_breaker_seconds", 60),
    ] {
        assert_eq!(properties[name]["default"], value, "{name}");
    }
}

#[test]
fn the_program_speaks_to_pipes_and_mistaken_users() {
    let output = run(&["chek"]);
    assert_eq!(output.status.code(), Some(64));
    let output = run(&["check", "--config", "examples/quickstart.yaml", "--project", "Openrouter"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("did you mean `OpenRouter`?"));
    let output = run(&["check", "--config", "examples/quickstart.yaml", "--only", "mailboxes"]);
    assert_eq!(output.status.code(), Some(78));
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let output = run(&["completions", "bash"]);
    assert!(text(&output.stdout).contains("balance-alert"));
}

#[test]
fn a_terminal_sees_colour_and_a_line_of_progress_that_disappears() {
    // `script` runs a command on a terminal of its own and passes on what that terminal shows.
    let command = format!("{} check --config examples/quickstart.yaml", env!("CARGO_BIN_EXE_balance-alert"));
    let run = |variable: (&str, &str)| {
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .current_dir(ROOT)
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("TERM", "xterm-256color"), variable])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        text(&output.stdout).to_owned()
    };
    let shown = run(("NO_COLOR", ""));
    let progress = shown.find("0 of 5 checks done").expect("progress");
    let rest = &shown[progress..];
    assert!(rest.contains("\r\u{1b}[2K"), "the line is wiped: {shown:?}");
    assert!(!rest[rest.find("\u{1b}[2K").unwrap()..].contains("checks done"), "{shown:?}");
    assert!(shown.contains("\u{1b}[31mlow"), "{shown:?}");
    assert!(!run(("NO_COLOR", "1")).contains("\u{1b}[31m"));
}
