//! Accounts whose balance a command of the user's own tells.

use crate::support::{Program, config, project};
use serde_json::{Value, json};
use std::fs;

/// A config with one account that a shell script tells.
fn told_by(script: &str) -> Value {
    let mut config = config(vec![json!({
        "name": "Acme", "provider": "exec", "threshold": 10, "command": ["sh", "-c", script, "tell", "$(touch shell)", "a b"]
    })]);
    config["settings"]["max_retries"] = json!(1);
    config
}

#[test]
fn what_a_command_prints_is_the_balance() {
    let script = r#"printf '%s|' "$@" > arguments; env > variables; cat > input; echo '{"balance": 7.25}'"#;
    let program = Program::check_json(&told_by(script)).env("A_SECRET_OF_OTHERS", "hidden");
    let run = program.clone().run().expect(2);
    let report = run.report();
    let entry = project(&report, "Acme");
    assert_eq!((&entry["status"], &entry["balance"]), (&json!("low"), &json!(7.25)), "{run}");
    assert_eq!(fs::read_to_string(program.path("arguments")).unwrap(), "$(touch shell)|a b|", "no shell reads them");
    assert!(!program.path("shell").exists());
    assert_eq!(fs::read_to_string(program.path("input")).unwrap(), "");
    let variables_of_command = program.path("variables");
    let variables = fs::read_to_string(&variables_of_command).unwrap();
    assert!(variables.contains("PATH=") && !variables.contains("hidden"), "{variables}");
    // What only libraries are told stays in the process.
    assert!(!variables.contains("SSL_CERT_FILE"), "{variables}");
    const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
    program.env("SSL_CERT_FILE", BUNDLE).run().expect(2);
    let variables = fs::read_to_string(&variables_of_command).unwrap();
    assert!(variables.contains(&format!("SSL_CERT_FILE={BUNDLE}\n")), "{variables}");
}

#[test]
fn expression_currency_and_unit_are_the_project_s() {
    let script = r#"echo '{"grants": [{"left": "1,000.50"}, {"left": "3"}], "text": "KES 12.5"}'"#;
    for (fields, balance, currency) in [
        (json!({"balance": ".grants[0].left"}), json!(1000.5), Value::Null),
        (json!({"balance": ".text"}), json!(12.5), json!("KES")),
        (json!({"balance": ".grants[0].left", "currency": "USD"}), json!(1000.5), json!("USD")),
        (json!({"balance": ".grants[1].left", "unit": "GPU hours"}), json!(3.0), json!("GPU hours")),
        (json!({"balance": "{amount: .grants[0].left, minus: .grants[1].left}"}), json!(997.5), Value::Null),
        (json!({"options": {"balance": ".grants[1].left"}}), json!(3.0), Value::Null),
    ] {
        let mut config = told_by(script);
        let entry = config["projects"][0].as_object_mut().unwrap();
        entry.extend(fields.as_object().unwrap().clone());
        let run = Program::check_json(&config).run();
        let report = run.report();
        let entry = project(&report, "Acme");
        assert_eq!((entry["balance"].as_f64(), &entry["currency"]), (balance.as_f64(), &currency), "{fields}: {run}");
    }
}

#[test]
fn a_command_that_tells_no_balance_is_failed_with_its_reason_and_nothing_of_its_own() {
    const SECRET: &str = "qzjxPRIVATE4711";
    for (script, reason, said) in [
        ("echo qzjxPRIVATE4711 >&2; exit 3", "api", "exit code 3"),
        ("echo '{\"balance\": 5}'; exit 1", "api", "exit code 1"),
        ("exit 75", "api", "asks for a repeat"),
        ("kill -9 $$$$", "api", "signal 9"),
        ("", "decode", "printed nothing"),
        ("echo qzjxPRIVATE4711", "decode", ""),
        ("echo '{\"balance\": \"qzjxPRIVATE4711\"}'", "decode", ""),
        ("echo '{\"balance\": null}'", "decode", ""),
        ("echo '{\"balance\": 5} {\"balance\": 6}'", "decode", ""),
        ("yes qzjxPRIVATE4711", "protocol", "more than 1024 KiB"),
    ] {
        let run = Program::check_json(&told_by(script)).run().expect(3);
        assert_eq!(run.reason("Acme"), reason, "{script}: {run}");
        let report = run.report();
        let entry = project(&report, "Acme");
        assert!(entry["balance"].is_null() && entry["error"].to_string().contains(said), "{script}: {run}");
        assert!(!run.stdout.contains(SECRET) && !run.stderr.contains(SECRET), "{script}: {run}");
    }
    let program =
        Program::check_json(&told_by("test -e again && echo '{\"balance\": 50}' || { touch again; exit 75; }"));
    let run = program.run().expect(0);
    assert_eq!(project(&run.report(), "Acme")["balance"], json!(50), "75 is tried again: {run}");
    let mut config = told_by("");
    config["projects"][0]["command"] = json!(["/no/such/program"]);
    let run = Program::check_json(&config).run().expect(3);
    assert!(run.stdout.contains("cannot be started"), "{run}");
}

#[test]
fn a_command_that_does_not_end_is_killed_with_its_children() {
    let mut config = told_by("(sleep 4; touch late) & sleep 60");
    config["projects"][0]["timeout_seconds"] = json!(1);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(3);
    assert_eq!(run.reason("Acme"), "timeout", "{run}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(!program.path("late").exists(), "the child of the command lives on");
}
