//! Docs are tests: the quickstart, the examples, the schema. The pages are in `docs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

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
fn the_first_slips_get_a_tip() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), "projects: []").unwrap();
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_balance-alert"));
        program.current_dir(folder.path()).env_clear();
        program
    };
    for (arguments, code, tip) in [
        (&["check"][..], 78, "`config.yaml` in this folder is read with `--config config.yaml`"),
        (&["check", "config.yaml"], 64, "tip: a config is named with '--config config.yaml'"),
        (&["validate", "my.json"], 64, "tip: a config is named with '--config my.json'"),
        (&["chek"], 64, "tip: a similar subcommand exists: 'check'"),
        (&["histry"], 64, "tip: a similar subcommand exists: 'history'"),
    ] {
        let output = program().args(arguments).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(tip), "{arguments:?}: {said}");
    }
    assert!(!text(&program().args(["check", "secret"]).output().unwrap().stderr).contains("--config secret"));
}

/// The examples that are configs.
fn examples() -> Vec<PathBuf> {
    let files = std::fs::read_dir(Path::new(ROOT).join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let is_config = |path: &PathBuf| {
        path.extension().is_some_and(|e| e == "yaml" || e == "json") && !path.ends_with("config.schema.json")
    };
    let examples: Vec<PathBuf> = files.filter(|path| path.is_file() && is_config(path)).collect();
    assert!(examples.iter().any(|path| path.ends_with("config.yaml")), "{examples:?}");
    examples
}

/// The variables that a text names, each with a value that fits its name.
fn variables(text: &str) -> Vec<(&str, &'static str)> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', ':']).next());
    names
        .map(|name| match name {
            name if name.ends_with("_URL") => (name, "https://hooks.example.com/x"),
            name if name.ends_with("_PAIR") => (name, "AKID0123456789:abcdefghijklmnop"),
            name => (name, "k-0123456789abcdefghijklmnopqrstuv"),
        })
        .collect()
}

#[test]
fn every_example_is_a_valid_config() {
    for path in examples() {
        let config = std::fs::read_to_string(&path).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
            .args(["validate", "--config", path.to_str().unwrap()])
            .current_dir(ROOT)
            .env_clear()
            .envs(variables(&config))
            .output()
            .unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}: {err}", path.display());
        assert!(!err.contains("error: "), "{}: {err}", path.display());
    }
}

/// The keys of a value that its schema does not know.
fn unknown_keys(schema: &Value, node: &Value, value: &Value) -> Vec<String> {
    if let Some(name) = node["$ref"].as_str() {
        return unknown_keys(schema, schema.pointer(&name[1..]).unwrap(), value);
    }
    let choices = ["anyOf", "allOf", "oneOf"].into_iter().find_map(|key| node[key].as_array());
    if let Some(choices) = choices {
        let fits = choices.iter().map(|choice| unknown_keys(schema, choice, value));
        return fits.min_by_key(Vec::len).unwrap_or_default();
    }
    match value {
        Value::Object(map) => {
            let unknown = map.iter().flat_map(|(name, value)| match &node["properties"][name] {
                Value::Null if name.starts_with('_') || node["additionalProperties"].is_object() => Vec::new(),
                Value::Null => vec![name.clone()],
                node => unknown_keys(schema, node, value),
            });
            unknown.collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| unknown_keys(schema, &node["items"], item)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_schema_that_the_program_prints_knows_every_key_of_the_examples_and_no_other() {
    let output = run(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    for path in examples() {
        let config = std::fs::read_to_string(&path).unwrap();
        let config: Value = serde_yaml::from_str(&config).unwrap();
        assert_eq!(unknown_keys(&schema, &schema, &config), Vec::<String>::new(), "{}", path.display());
    }
    let config = serde_json::json!({
        "setings": {}, "settings": { "languge": "en" }, "projects": [{ "name": "A", "treshold": 1 }],
        "email": { "hosst": "h" }, "metrics": { "pushgateway": { "auth": { "basic": { "user": "u" } } } }, "state": "none",
    });
    let mut unknown = unknown_keys(&schema, &schema, &config);
    unknown.sort();
    assert_eq!(unknown, ["hosst", "languge", "setings", "treshold", "user"]);
}

/// Editors find the schema by its id and read it by its dialect; whoever reads an example finds it beside that.
#[test]
fn the_schema_that_the_program_prints_says_what_it_is_called_and_written_in() {
    let output = run(&["schema"]);
    let schema: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let id = schema["$id"].as_str().unwrap();
    assert!(Path::new(ROOT).join("examples").join(id).is_file(), "{id}");
    let named = format!("# yaml-language-server: $schema={id}");
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    for path in examples().into_iter().filter(is_yaml) {
        let config = std::fs::read_to_string(&path).unwrap();
        assert!(config.lines().any(|line| line == named), "{}", path.display());
    }
}

/// The defaults that `docs/config.md` names for the keys of a mapping.
fn documented_defaults(place: &str) -> BTreeMap<String, String> {
    let page = read("docs/config.md");
    let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{place}`\n"))).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        (cells[0].trim_matches(['|', ' ', '`']).to_owned(), cells[4].trim().to_owned())
    })
    .collect()
}

#[test]
fn documented_defaults_are_the_real_ones() {
    let settings = balance_alert::internals::Settings::default();
    let schema: Value = serde_json::from_str(&read("examples/config.schema.json")).unwrap();
    let documented = documented_defaults("settings");
    let properties = &schema["definitions"]["RawSettings"]["properties"];
    let real = [
        ("max_concurrent_checks", settings.max_concurrent_checks.to_string()),
        ("request_timeout_seconds", settings.request_timeout.as_secs().to_string()),
        ("run_timeout_seconds", settings.run_timeout.as_secs().to_string()),
        ("max_retries", settings.max_retries.to_string()),
        ("alert_cooldown_seconds", settings.alerting.cooldown.as_secs().to_string()),
        ("realert_drop_percent", settings.alerting.realert_drop_percent.to_string()),
        ("recovery_margin_percent", settings.alerting.recovery_margin_percent.to_string()),
        ("failure_alert_after", settings.alerting.failure_alert_after.to_string()),
        ("response_cache_ttl", settings.response_cache_ttl.as_secs().to_string()),
        ("circuit_breaker_failures", settings.circuit.failures.to_string()),
        ("circuit_breaker_seconds", settings.circuit.open_for.as_secs().to_string()),
        ("language", format!("{:?}", settings.language).to_lowercase()),
        ("timezone", settings.timezone.iana_name().unwrap().to_owned()),
    ];
    for (name, value) in real {
        assert_eq!(documented[name], value, "docs/config.md: {name}");
        let published = &properties[name]["default"];
        let published = published.as_str().map_or_else(|| published.to_string(), str::to_owned);
        assert_eq!(published, value, "config.schema.json: {name}");
    }
    let email = balance_alert::internals::EmailSettings::default();
    let documented = documented_defaults("email_settings");
    assert_eq!((documented["days"].as_str(), documented["max_emails"].as_str()), ("1", "1000"));
    assert_eq!((email.days, email.max_emails), (1, 1000));
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
