//! Secrets that commands tell: `api_key_command` and the like, beside every field that can also be read from a file.

use crate::support::{Program, Reply, Server, config, project, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::fs;

/// A config whose account `Acme` gets its key from a shell script.
fn keyed_by(server: &Server, script: &str) -> Value {
    let mut config = config(vec![with_command(server, "Acme", script)]);
    config["settings"]["max_retries"] = json!(0);
    config
}

fn with_command(server: &Server, name: &str, script: &str) -> Value {
    let mut entry = uniapi(name, &server.url());
    entry.as_object_mut().unwrap().remove("api_key");
    entry["api_key_command"] = json!(["sh", "-c", script]);
    entry
}

fn fine() -> Server {
    Server::start(|_| Reply::ok(uniapi_body("500")))
}

#[test]
fn each_command_is_asked_once_and_what_it_prints_is_a_secret() {
    let server = Server::start(|request| {
        // It tells everybody what it was asked with.
        let key = request.headers.iter().find(|(_, value)| value.contains("qzjx")).map(|(_, value)| value.clone());
        Reply::status(403, format!("{{\"message\": \"no: {}\"}}", key.unwrap_or_default()))
    });
    let script = r#"echo asked >> asked; echo '  qzjx-SECRET-4711-AAAA  '"#;
    let mut config = keyed_by(&server, script);
    let more = (0..5).map(|n| with_command(&server, &format!("More {n}"), script));
    config["projects"].as_array_mut().unwrap().extend(more);
    config["projects"].as_array_mut().unwrap().push(with_command(&server, "Other", "echo qzjx-SECRET-4712-BBBB"));
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(3);
    assert_eq!(fs::read_to_string(program.path("asked")).unwrap(), "asked\n", "once for six accounts");
    let keys: Vec<String> = server.requests().iter().map(|request| format!("{:?}", request.headers)).collect();
    assert_eq!(keys.iter().filter(|key| key.contains("qzjx-SECRET-4711-AAAA")).count(), 6, "{keys:?}");
    assert_eq!(keys.iter().filter(|key| key.contains("qzjx-SECRET-4712-BBBB")).count(), 1, "{keys:?}");
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains("qzjx"), "{run}");
    }
}

#[test]
fn commands_are_asked_at_the_same_time() {
    let server = fine();
    // Each waits until the other one is there.
    let meet = |own: &str, other: &str| {
        format!("touch {own}; until test -e {other}; do sleep 0.05; done; echo key-{own}-0123456789")
    };
    let mut config = keyed_by(&server, &meet("a", "b"));
    config["projects"].as_array_mut().unwrap().push(with_command(&server, "Beta", &meet("b", "a")));
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(server.hits(), 2, "{run}");
}

#[test]
fn a_command_that_fails_fails_its_entry_alone() {
    for (script, said) in [
        ("echo qzjxPRIVATE >&2; echo qzjxPRIVATE; exit 3", "the command failed (exit code 3)"),
        ("kill -9 $$$$", "the command was ended by signal 9"),
        ("true", "the command printed nothing"),
        ("echo ' '", "the command printed nothing"),
        ("yes qzjxPRIVATE", "the command printed more than 64 KiB"),
        ("sleep 60", "the command had not ended in its time"),
        (r"printf 'two\nlines'", "`api_key_command` holds a line break"),
    ] {
        let server = fine();
        let mut config = keyed_by(&server, script);
        config["settings"]["request_timeout_seconds"] = json!(if script.starts_with("sleep") { 1 } else { 20 });
        config["projects"].as_array_mut().unwrap().push(uniapi("Good", &server.url()));
        let run = Program::check_json(&config).run().expect(3);
        let report = run.report();
        assert_eq!(project(&report, "Good")["status"], "ok", "{script}: {run}");
        assert_eq!(run.reason("Acme"), "config", "{script}: {run}");
        assert!(project(&report, "Acme")["error"].to_string().contains(said), "{script}: {run}");
        assert!(!run.stdout.contains("qzjx") && !run.stderr.contains("qzjx"), "{script}: {run}");
    }
    let server = fine();
    let mut config = keyed_by(&server, "");
    config["projects"][0]["api_key_command"] = json!(["/no/such/program"]);
    let run = Program::check_json(&config).run().expect(3);
    assert!(run.stdout.contains("cannot be started"), "{run}");
}

#[test]
fn every_secret_can_be_told_by_a_command() {
    let server = fine();
    let hook = Server::start(|_| Reply::ok(""));
    let says = |text: &str| json!(["printf", "%s", text]);
    let mut config = config(vec![json!({
        "name": "Acme", "provider": "own", "threshold": 1000, "base_url": server.url(),
        "credentials": {"login": "me", "password_command": says("part-of-a-credential")},
    })]);
    config["providers"] = json!([{
        "id": "own", "title": "Own", "kind": "balance", "balance": ".data.remain_quota", "scale": 1,
        "credential": {"format": "parts", "parts": {"login": "who", "password": "what"}},
        "request": {"url": "https://own.example/v1", "headers": {"X-A": "{credential.login}", "X-B": "{credential.password}"}},
    }]);
    config["providers"][0]["balance"] = json!("500");
    config["webhook"] = json!({
        "type": "custom", "url_command": says(&hook.url()), "secret_command": says("signing-secret-0123456789"),
        "auth": {"header": {"name": "X-Own", "value_command": says("value-of-a-header")}},
    });
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(2);
    let asked = server.only_request();
    assert_eq!((asked.header("x-a"), asked.header("x-b")), (Some("me"), Some("part-of-a-credential")), "{run}");
    let told = hook.only_request();
    assert_eq!(told.header("x-own"), Some("value-of-a-header"), "{run}");
    for (field, value) in [
        ("basic", json!({"username": "u", "password_command": says("pass-word-0123")})),
        ("bearer_command", says("token-0123456789")),
        ("jwt", json!({"secret_command": says("0123456789abcdef0123456789abcdef")})),
    ] {
        let hook = Server::start(|_| Reply::ok(""));
        config["webhook"] = json!({"type": "custom", "url": hook.url(), "auth": {field: value}});
        let run = Program::check_json(&config).run().expect(2);
        assert!(hook.only_request().header("authorization").is_some(), "{field}: {run}");
    }
    // What is a key of its own type.
    config["webhook"] =
        json!({"type": "telegram", "chat_id": "5", "token_command": says("123456:AAAAAAAAAAAAAAAAAAAAAAAAA")});
    let run = Program::new(["validate", "--run-commands", "--config", "config.yaml"]);
    run.file("config.yaml", &config.to_string()).run().expect(0);
}

#[test]
fn validate_and_a_config_with_a_mistake_start_no_command() {
    let server = fine();
    let mut config = keyed_by(&server, "touch started; echo key-0123456789");
    config["projects"].as_array_mut().unwrap().push(json!({
        "name": "Off", "provider": "uniapi", "threshold": 1, "enabled": false, "api_key_command": ["touch", "off"]
    }));
    let program = Program::check_json(&config);
    let looked = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    assert!(looked.stdout.contains("has not been asked"), "{looked}");
    assert!(!program.path("started").exists());
    let asked = program.instead(["validate", "--run-commands", "--config", "config.yaml"]).run().expect(0);
    assert!(asked.stdout.contains("http://") && !asked.stdout.contains("has not been asked"), "{asked}");
    assert!(program.path("started").exists() && !program.path("off").exists());
    config["projects"][0]["treshold"] = json!(5);
    let program = Program::check_json(&config);
    program.clone().run().expect(78);
    assert!(!program.path("started").exists());
}

#[test]
fn a_command_sees_the_variables_that_the_config_names_and_no_others() {
    let server = fine();
    let mut config = keyed_by(&server, r#"env > variables; test -n "$TOKEN_OF_OP" && echo "key-$TOKEN_OF_OP""#);
    config["settings"]["command_variables"] = json!(["TOKEN_OF_OP", "NOT_SET"]);
    let script = "env > of-exec; echo '{\"balance\": 500}'";
    let exec = json!({"name": "Exec", "provider": "exec", "threshold": 1, "command": ["sh", "-c", script]});
    config["projects"].as_array_mut().unwrap().push(exec);
    let program = Program::check_json(&config).env("TOKEN_OF_OP", "qzjx0123456789").env("A_SECRET_OF_OTHERS", "hidden");
    let run = program.clone().run().expect(0);
    for file in ["variables", "of-exec"] {
        let variables = fs::read_to_string(program.path(file)).unwrap();
        assert!(variables.contains("TOKEN_OF_OP=qzjx0123456789") && !variables.contains("hidden"), "{variables}");
    }
    assert!(!run.stdout.contains("qzjx") && !run.stderr.contains("qzjx"), "{run}");
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_command_and_the_command_with_it() {
    let server = fine();
    let config = keyed_by(&server, "(sleep 4; touch late) & touch begun; sleep 60");
    let program = Program::check_json(&config);
    let running = program.clone().start();
    while !program.path("begun").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    running.signal("TERM");
    running.finish().expect(143);
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(!program.path("late").exists(), "the child of the command lives on");
}
