//! What a CI service or a pipe sees: the formats that were made for them, and that no failure looks like all well.

use serde_json::{Value, json};

use crate::support::{Program, broken, config, fine, low, soon};

/// A config with everything that can be wrong with an account, and a name that tries to break out of each format.
fn every_state() -> Value {
    config(vec![low("Low <a> & \"b\", c:d%0A::error::x"), broken("Gone"), soon("Soon"), fine("Fine")])
}

/// The elements of a document with this name, each with its attributes.
fn elements(xml: &str, name: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == name => {
                let pairs = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    (attribute.key.as_ref().to_owned(), value)
                });
                found.push(pairs.collect());
            }
            _ => {}
        }
    }
}

#[test]
fn junit_has_a_test_for_each_check_and_fails_where_the_run_does() {
    for (level, code, failures, errors) in
        [("any", "2", "2", "1"), ("critical", "2", "1", "1"), ("error", "3", "0", "1"), ("never", "0", "0", "0")]
    {
        let run = Program::check(&every_state()).args(["--output", "junit", "--fail-on", level]).run();
        assert_eq!(run.code().to_string(), code, "{level}: {run}");
        for suite in ["testsuites", "testsuite"].map(|name| elements(&run.stdout, name)) {
            let [suite] = &suite[..] else { panic!("{level}: {run}") };
            assert_eq!((suite["tests"].as_str(), suite["failures"].as_str()), ("4", failures), "{level}: {run}");
            assert_eq!(suite["errors"], errors, "{level}: {run}");
        }
        let cases = elements(&run.stdout, "testcase");
        assert_eq!(cases.len(), 4, "{level}: {run}");
        assert!(cases.iter().any(|case| case["name"] == "Low <a> & \"b\", c:d%0A::error::x"), "{level}: {cases:?}");
        assert_eq!(elements(&run.stdout, "failure").len().to_string(), failures, "{level}: {run}");
        let gone = elements(&run.stdout, "error");
        assert_eq!(gone.len().to_string(), errors, "{level}: {run}");
        assert!(gone.iter().all(|error| error["message"].contains("decode: ")), "{level}: {gone:?}");
    }
}

#[test]
fn github_gets_an_annotation_for_each_trouble_and_the_summary_of_the_step() {
    let program = Program::check(&every_state()).file("summary.md", "before\n");
    let summary = program.path("summary.md");
    let program = program.env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let run = program.clone().args(["--output", "github"]).run().expect(2);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{run}");
    assert!(
        lines[0].starts_with(
            "::error title=Low <a> & \"b\"%2C c%3Ad%250A%3A%3Aerror%3A%3Ax%3A low::provider file; balance 5"
        ),
        "{run}"
    );
    assert!(lines[1].starts_with("::error title=Gone%3A failed::") && lines[1].contains("decode: "), "{run}");
    assert!(lines[2].starts_with("::warning title=Soon%3A warning::provider file; balance 5"), "{run}");
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n## ") && text.contains("Fine"), "{text}");
    // What is no failure is no error either.
    let run = program.args(["--output", "github", "--fail-on", "error"]).run().expect(3);
    assert!(run.stdout.starts_with("::warning title=Low"), "{run}");
    let run = Program::check(&config(vec![fine("A")])).args(["--output", "github"]).run().expect(0);
    assert_eq!(run.stdout, "", "{run}");
    let lost = Program::check(&config(vec![fine("A")])).env("GITHUB_STEP_SUMMARY", "/nonexistent/summary");
    lost.args(["--output", "github"]).run().expect(74);
}

/// A run that does not take place says so in the format that was asked for, so that nothing behind a pipe takes silence for all well.
#[test]
fn no_failure_is_silent_on_standard_output() {
    let good = Program::check(&config(vec![fine("A")]));
    let bad = good.clone().file("bad.yaml", "projects:\n  - { name: A, providers: file, threshold: 1 }\n");
    let path = bad.path("bad.yaml").display().to_string();
    let shared = [
        ("usage", 64, good.clone().args(["--no-such-flag"])),
        ("usage", 64, good.clone().args(["--project", "Nobody"])),
        ("config", 78, bad.instead(["check", "--config", &path])),
        ("config", 78, good.instead(["check", "--config", "nowhere.yaml"])),
        ("config", 78, Program::check_text("projects: [")),
        ("internal", 70, good.clone().env("BALANCE_ALERT_FAULT", "run-panic")),
    ];
    for (reason, code, program) in shared {
        let run = |format: &str| {
            program.clone().args(["--output", format]).run().expect(if format == "nagios" { 3 } else { code })
        };
        let done = run("json");
        let object: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|why| panic!("{reason}: {why}: {done}"));
        assert_eq!((&object["status"], &object["exit_code"]), (&json!("error"), &json!(code)), "{done}");
        assert_eq!(object["error"]["reason"], reason, "{done}");
        let first = object["problems"][0]["message"].as_str().unwrap();
        assert!(done.stderr.contains(first.lines().next().unwrap()), "{done}");
        let done = run("junit");
        assert_eq!(elements(&done.stdout, "testsuite")[0]["errors"], "1", "{done}");
        assert_eq!(elements(&done.stdout, "error")[0]["type"], reason, "{done}");
        let done = run("github");
        assert!(!done.stdout.is_empty() && done.stdout.lines().all(|line| line.starts_with("::error")), "{done}");
        assert!(run("markdown").stdout.starts_with("## "), "{reason}");
        assert!(run("nagios").stdout.starts_with("BALANCE UNKNOWN - "), "{reason}");
        assert_eq!(run("table").stdout, "", "{reason}");
    }
    let done = bad.instead(["check", "--config", &path, "-ojson"]).run().expect(78);
    let object: Value = serde_json::from_str(&done.stdout).unwrap();
    let problem = &object["problems"][0];
    assert_eq!(
        (&problem["file"], &problem["line"], &problem["column"]),
        (&json!(path), &json!(2), &json!(16)),
        "{done}"
    );
    // Commands beside `check` as well.
    for command in ["status", "validate", "alerts"] {
        let done = bad.instead([command, "--config", "nowhere.yaml", "--output=json"]).run().expect(78);
        let object: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(object["error"]["reason"], "config", "{command}: {done}");
    }
}

#[test]
fn a_gate_for_a_change_needs_no_secret_and_says_where_what_is_wrong() {
    let text = "webhook: { url: \"${WEBHOOK_URL}\" }\nprojects:\n  - { name: A, provider: deepseek, api_key: \"${NO_KEY}\", threshold: 1 }\n  \
                - { name: B, provider: deepseek, api_key_file: /run/secrets/none, threshold: 1 }\n";
    let gate = Program::new(["validate", "--config", "config.yaml", "--without-secrets"]).file("config.yaml", text);
    let done = gate.clone().run().expect(0);
    assert_eq!(
        done.stdout,
        "config.yaml: the structure is right (2 checks, 1 channel); variables and secrets were not looked at\n"
    );
    assert_eq!(done.stderr, "");
    assert_eq!(gate.clone().args(["--output", "github"]).run().expect(0).stdout, "");
    let done = gate.clone().args(["--output", "json"]).run().expect(0);
    let object: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&object["status"], &object["problems"], &object["accounts"]),
        (&json!("ok"), &json!([]), &json!(2)),
        "{done}"
    );
    assert_eq!(object["channels"][0]["fault"], Value::Null, "{done}");
    gate.instead(["validate", "--config", "config.yaml"]).run().expect(78);
    // A mistake is one in either case, and stands at its place.
    let wrong = text.replace("name: B, provider", "name: B, providers");
    let gate = gate.file("config.yaml", &wrong);
    let done = gate.clone().args(["--output", "github"]).run().expect(78);
    assert!(done.stdout.starts_with("::error file=config.yaml,line=4,col=16::projects[1] `B`: "), "{done}");
    assert!(done.stdout.contains("providers") && done.stdout.contains("%0A hint: "), "{done}");
    assert_eq!((done.stdout.lines().count(), done.stderr.as_str()), (1, ""), "{done}");
    let done = gate.clone().args(["--output", "json"]).run().expect(78);
    let object: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((&object["problems"][0]["line"], &object["problems"][0]["column"]), (&json!(4), &json!(16)), "{done}");
    gate.run().expect(78);
}
