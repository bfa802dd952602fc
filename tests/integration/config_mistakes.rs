//! A mistake is a fixture: `tests/config/bad/<what-is-wrong>.yaml` beside the exact message it must give.
//!
//! `UPDATE_FIXTURES=1` writes the messages anew, to be read before they are committed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::Program;

const BAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/bad");
const TRAPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/traps");

fn run(subcommand: &str, file: &str) -> (Option<i32>, String, String) {
    run_in(BAD, &[subcommand, "--config", file])
}

fn run_in(folder: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), without_list(&text(output.stderr)))
}

/// A message with words in the place of the whole list of providers, so that it stays the same when the catalogue grows.
fn without_list(said: &str) -> String {
    static LIST: LazyLock<String> = LazyLock::new(|| {
        let done = Program::new(["providers", "--output", "json"]).run().expect(0);
        let providers: Vec<serde_json::Value> = serde_json::from_str(&done.stdout).unwrap();
        let ids: Vec<String> = providers
            .iter()
            .filter(|page| page["meter"] == "api")
            .map(|page| format!("`{}`", page["id"].as_str().unwrap()))
            .collect();
        // A message names so many; the rest is a number, without those that look like keys.
        format!("known providers: {} and ", ids[..ids.len().min(40)].join(", "))
    });
    let line = |line: &str| match line.split_once(LIST.as_str()) {
        Some((before, rest)) if rest.strip_suffix(" more").is_some_and(|rest| rest.parse::<usize>().is_ok()) => {
            format!("{before}known providers: (all of the catalogue)\n")
        }
        _ => format!("{line}\n"),
    };
    said.lines().map(line).collect()
}

#[test]
fn every_mistake_gives_its_exact_message() {
    let mut wrong = Vec::new();
    for file in files(BAD, "yaml") {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (code, _, said) = run("validate", name);
        assert_eq!(code, Some(78), "{name}: {said}");
        let expected = Path::new(BAD).join(name).with_extension("txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&expected, &said).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{name}\n--- want\n{expected}--- got\n{said}"));
        }
        // A message names its file, and a place wherever there is one.
        assert!(said.starts_with(&format!("error: {name}:")), "{said}");
        for secret in ["k-123456", "secret-1", "9f8e7d6c5b4a39281706", "9876543210", "abcdefgh"] {
            assert!(!said.contains(secret), "{name}: {said}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of a folder with an ending, in their order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == ending));
    files.sort();
    files
}

#[test]
fn every_mistake_and_every_trap_stands_beside_its_message() {
    for folder in [BAD, TRAPS] {
        let without_ending = |ending| -> Vec<PathBuf> {
            files(folder, ending).into_iter().map(|file| file.with_extension("")).collect()
        };
        let configs = without_ending("yaml");
        assert!(!configs.is_empty(), "{folder}");
        assert_eq!(configs, without_ending("txt"), "a config without a message, or a message without a config");
    }
}

/// What is no mistake, but probably not meant so: a config beside what `validate` says of it. A run does not say it.
#[test]
fn every_trap_of_a_page_gives_its_exact_warning() {
    let mut wrong = Vec::new();
    for file in files(TRAPS, "yaml") {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (code, _, said) = run_in(TRAPS, &["validate", "--config", name]);
        assert_eq!(code, Some(0), "{name}: {said}");
        let expected = file.with_extension("txt");
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(&expected, &said).unwrap();
        }
        let expected = std::fs::read_to_string(expected).unwrap();
        if said != expected {
            wrong.push(format!("{name}\n--- want\n{expected}--- got\n{said}"));
        }
    }
    // A run does not repeat it; this one asks nobody.
    let (_, _, said) = run_in(TRAPS, &["check", "--config", "zero-in-an-option.yaml"]);
    assert!(!said.contains("what is missing becomes 0"), "{said}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_check_stops_at_what_concerns_all_and_goes_on_past_what_concerns_one_entry() {
    let (code, _, _) = run("check", "unknown-field.yaml");
    assert_eq!(code, Some(78));
    let used = ["page-mistake-is-told-once.yaml", "option-expression.yaml"];
    for entry in ["unset-variable.yaml", "missing-secret-file.yaml", "bad-pair.yaml"].into_iter().chain(used) {
        let (code, out, err) = run("check", entry);
        assert_eq!(code, Some(3), "{entry}: {out}{err}");
        assert!(out.contains("config: "), "{entry}: {out}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_neighbour() {
    let (code, _, err) = run("validate", "unknown-feild.yaml");
    assert_eq!(code, Some(78));
    assert_eq!(err.lines().next().unwrap(), "error: unknown-feild.yaml: cannot be read: no such file");
    assert!(err.contains(" hint: did you mean `unknown-field.yaml`?"), "{err}");
}

/// Runs a config of its own in a fresh folder.
fn run_text(arguments: &[&str], text: &str, variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), text).unwrap();
    std::fs::write(folder.path().join("low.json"), r#"{"balance": 1}"#).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
        .args(arguments)
        .args(["--config", "config.yaml"])
        .current_dir(folder.path())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A config with one page of a provider and one of a channel, an account that uses neither, and what uses one of them. A slip is
/// added to a page, or stands in the place of a field of it.
fn with_pages(provider: &str, channel: &str, user: &str) -> String {
    let page = "id: acme, title: Acme, kind: balance, currency: USD, credential: { format: none }, balance: .balance";
    let request = "request: { file: low.json }";
    let own =
        "id: mine, title: Mine, markup: plain, request: { url: 'https://a.example' }, body: .text, verdict: 'true'";
    let fields = "fields: { room: { about: The room. } }";
    let with = |slip: &str, field: &str| match slip.is_empty() || slip.starts_with(',') {
        true => format!("{field}{slip}"),
        false => slip.to_owned(),
    };
    let (provider, channel) = (with(provider, request), with(channel, fields));
    format!(
        "providers:\n  - {{ {page}, {provider} }}\nchannels:\n  - {{ {own}, {channel} }}\n\
         projects:\n  - {{ name: Low, provider: file, threshold: 10, options: {{ path: low.json }} }}\n{user}"
    )
}

#[test]
fn a_slip_in_a_page_concerns_only_those_who_name_it() {
    let check = ["check", "--output", "json"];
    let account = "  - { name: User, provider: acme, threshold: 10, budget: 5, options: { region: eu } }\n";
    let webhook = "webhooks:\n  - { type: mine, room: '7' }\n  - { type: console }\n";
    let (unused, ..) = run_text(&check, &with_pages("", "", ""), &[]);
    for slip in [
        ", curency: USD",
        ", min_interval: 6",
        ", options: { region: 7 }",
        ", inverted: perhaps",
        ", rate_limit: [5]",
        ", title: Again",
        "request: { file: low.json, statuses: [x] }",
        "request: { file: low.json }, steps: [{ name: s, request: { url: 'https://a.example' }, pages: { next: .n, query: c, most: many } }]",
        ", error: '.a |'",
    ] {
        let text = with_pages(slip, "", "");
        let (code, out, err) = run_text(&check, &text, &[]);
        assert!(
            code == unused && out.contains(r#""status":"low""#) | out.contains(r#""status": "low""#),
            "{slip}: {out}{err}"
        );
        let (code, out, err) = run_text(&check, &with_pages(slip, "", account), &[]);
        assert_eq!(code, unused, "{slip}: {out}{err}");
        assert!(out.contains("the page of its provider cannot be used: "), "{slip}: {out}{err}");
        let (code, _, err) = run_text(&["validate"], &text, &[]);
        assert!(code == Some(78) && err.contains("the other entries would run"), "{slip}: {err}");
    }
    for slip in [
        ", verdic: x",
        ", limits: [{ most: 5, unit: chars }]",
        ", per: never",
        ", id: mine",
        "fields: { room: { abuot: The room. } }",
    ] {
        let text = with_pages("", slip, "");
        let (code, out, err) = run_text(&check, &text, &[]);
        assert_eq!(code, unused, "{slip}: {out}{err}");
        let (code, out, err) = run_text(&check, &with_pages("", slip, webhook), &[]);
        assert!(code.is_some_and(|code| code != 78), "{slip}: {out}{err}");
        assert!(out.contains("the page of its type cannot be used: "), "{slip}: {out}{err}");
        assert!(err.contains("Low"), "the console is told: {slip}: {out}{err}");
        let (code, _, err) = run_text(&["validate"], &text, &[]);
        assert!(code == Some(78) && err.contains("the other entries would run"), "{slip}: {err}");
    }
}

#[test]
fn a_page_of_the_users_own_wins_over_one_of_the_catalogue() {
    let text = with_pages("", "", "").replace("id: acme", "id: twilio").replace("provider: file", "provider: twilio");
    let text = text.replace(", options: { path: low.json }", "").replace("id: mine", "id: telegram");
    let (code, out, err) = run_text(&["check", "--output", "json"], &text, &[]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["projects"][0]["status"], "low", "{code:?}: {out}{err}");
    assert!(!err.contains("of the catalogue"), "a run does not repeat it: {err}");
    let (code, _, err) = run_text(&["validate"], &text, &[]);
    assert_eq!(code, Some(0), "{err}");
    for id in ["twilio", "telegram"] {
        assert!(err.contains(&format!("this page replaces `{id}` of the catalogue")), "{err}");
    }
}

#[test]
fn many_small_problems_do_not_hide_a_large_one() {
    let mut text = String::from("projects:\n");
    for n in 0..300 {
        text.push_str(&format!("  - {{ name: p{n}, provider: uniapi, api_key: \"${{UNSET_{n}}}\", threshold: 1 }}\n"));
    }
    let (code, ..) = run_text(&["check", "--timeout", "5"], &text, &[]);
    assert_eq!(code, Some(3), "each of these concerns one entry");
    text.push_str("  - { name: p0, provider: uniapi, api_key: key-1234, threshold: 1 }\n");
    let (code, _, err) = run_text(&["check", "--timeout", "5"], &text, &[]);
    assert_eq!(code, Some(78), "a duplicate name concerns all: {err}");
}

#[test]
fn a_name_that_comes_from_a_variable_is_no_secret() {
    let text = "webhook: { type: custom, url: 'http://127.0.0.1:1/x' }\nprojects:\n  - { name: '${NAME}', provider: '${PROVIDER}', threshold: 10, options: { path: low.json } }\n";
    let variables = [("NAME", "Production"), ("PROVIDER", "file")];
    let (code, out, err) = run_text(&["check", "--dry-run"], text, &variables);
    assert_eq!(code, Some(2), "{out}{err}");
    assert!(out.contains(r#""ProjectName":"Production""#) && !out.contains("***"), "{out}");
}

#[test]
fn an_entry_that_is_switched_off_needs_no_variable_and_no_secret() {
    let off = [
        "enabled: false, api_key: '${NOT_SET}'",
        "enabled: '${OFF}', api_key: '${NOT_SET}'",
        "enabled: false, api_key_file: no-such-file",
        "enabled: false, api_key: ''",
    ];
    for off in off {
        let text = format!(
            "projects:\n  - {{ name: A, provider: file, threshold: 1, options: {{ path: low.json }} }}\n  - {{ name: B, provider: uniapi, threshold: 1, {off} }}\n"
        );
        let (code, out, err) = run_text(&["validate"], &text, &[("OFF", "false")]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{off}: {out}");
    }
}
