//! A mistake is a fixture: `tests/config/bad/<what-is-wrong>.yaml` beside the exact message it must give.
//!
//! `UPDATE_FIXTURES=1` writes the messages anew, to be read before they are committed.

use std::path::Path;
use std::process::Command;

const BAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/bad");

fn run(subcommand: &str, file: &str) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
        .args([subcommand, "--config", file])
        .current_dir(BAD)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn every_mistake_gives_its_exact_message() {
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(BAD).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "yaml")) {
        count += 1;
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
        assert!(!said.contains("k-123456") && !said.contains("secret-1"), "{said}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 25, "{count}");
}

#[test]
fn a_check_stops_at_what_concerns_all_and_goes_on_past_what_concerns_one_entry() {
    let (code, _, _) = run("check", "unknown-field.yaml");
    assert_eq!(code, Some(78));
    for entry in ["unset-variable.yaml", "missing-secret-file.yaml", "bad-pair.yaml"] {
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
