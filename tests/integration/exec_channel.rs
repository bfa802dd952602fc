//! A command of the user's own as a channel: what it gets, what it does not see, and what its end means.

use crate::support::{Program, config, low};
use serde_json::{Value, json};
use std::fs;

/// A config with one low account whose alert goes to a shell script.
fn telling(script: &str) -> Value {
    let mut config = config(vec![low("Acme")]);
    config["settings"]["max_retries"] = json!(1);
    config["webhook"] = json!({"type": "exec", "command": ["sh", "-c", script, "tell", "$(touch shell)", "a b"]});
    config
}

#[test]
fn a_command_gets_the_message_and_its_arguments_as_they_stand() {
    let script = r#"cat > message.json; printf '%s|' "$@" > arguments; env > variables"#;
    let program = Program::check_json(&telling(script)).env("A_SECRET_OF_OTHERS", "hidden");
    let run = program.clone().run().expect(2);
    assert_eq!((&run.delivery()["channel"], &run.delivery()["status"]), (&json!("exec"), &json!("sent")), "{run}");
    let message: Value = serde_json::from_str(&fs::read_to_string(program.path("message.json")).unwrap()).unwrap();
    assert_eq!((&message["version"], &message["level"]), (&json!(1), &json!("critical")), "{message}");
    assert_eq!((&message["alerts"][0]["project"], &message["alerts"][0]["topic"]), (&json!("Acme"), &json!("low")));
    assert_eq!(fs::read_to_string(program.path("arguments")).unwrap(), "$(touch shell)|a b|", "no shell reads them");
    assert!(!program.path("shell").exists());
    let variables = fs::read_to_string(program.path("variables")).unwrap();
    assert!(variables.contains("PATH=") && !variables.contains("hidden"), "{variables}");
}

#[test]
fn the_exit_code_of_a_command_is_the_verdict() {
    for (script, code, status, attempts, said) in [
        ("cat >/dev/null", 2, "sent", 1, ""),
        ("exit 0", 2, "sent", 1, ""),
        ("exit 3", 75, "failed", 1, "exit code 3"),
        ("exit 75", 75, "failed", 2, "asks for a repeat"),
        ("test -e again || { touch again; exit 75; }", 2, "sent", 2, ""),
        ("kill -9 $$$$", 75, "failed", 1, "signal 9"),
    ] {
        let run = Program::check_json(&telling(script)).run().expect(code);
        let delivery = run.delivery();
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!(status), &json!(attempts)), "{script}: {run}");
        assert!(delivery["error"].to_string().contains(said), "{script}: {run}");
    }
    let mut config = telling("");
    config["webhook"]["command"] = json!(["/no/such/program"]);
    let run = Program::check_json(&config).run().expect(75);
    assert!(run.delivery()["error"].to_string().contains("cannot be started"), "{run}");
}

#[test]
fn a_command_that_does_not_end_may_have_told_somebody_and_is_killed_with_its_children() {
    let mut config = telling("(sleep 4; touch late) & sleep 60");
    config["settings"]["request_timeout_seconds"] = json!(1);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(75);
    let delivery = run.delivery();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("unknown"), &json!(1)), "{run}");
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(!program.path("late").exists(), "the child of the command lives on");
}

/// The first signal leaves it the time for telling; the second one, or the end of the run's time, leaves nobody who would end it.
#[test]
fn no_command_outlives_the_run_that_began_it() {
    for (first, second, code) in [("TERM", "TERM", 143), ("TERM", "INT", 130), ("INT", "TERM", 143)] {
        let mut config = telling("trap '' TERM INT; echo $$$$ > group; mkfifo never; read line < never");
        config["settings"]["run_timeout_seconds"] = json!(300);
        config["settings"]["request_timeout_seconds"] = json!(120);
        let program = Program::check_json(&config);
        let group = program.path("group");
        let run = program.start();
        let begun = || fs::read_to_string(&group).ok().and_then(|text| text.trim().parse::<u32>().ok());
        let group = loop {
            if let Some(group) = begun() {
                break group;
            }
            std::thread::yield_now();
        };
        let is_alive = || std::path::Path::new(&format!("/proc/{group}/cmdline")).exists();
        assert!(is_alive());
        run.signal(first);
        // One that comes soon after the first may be its echo, so it is sent until it counts.
        while run.is_running() {
            run.signal_if_alive(second);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let run = run.finish();
        assert!([code, 143, 130].contains(&run.code()), "{first} {second}: {run}");
        let begin = std::time::Instant::now();
        while is_alive() {
            assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{first} {second}: it lives on: {run}");
            std::thread::yield_now();
        }
        assert!(run.elapsed < std::time::Duration::from_secs(60), "{first} {second}: {run}");
    }
}

#[test]
fn a_command_can_be_tried_and_mistakes_in_it_are_said() {
    let config = json!({"webhook": {"type": "exec", "command": ["sh", "-c", "cat > message.json"]}});
    let program = Program::new(["notify", "test", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
    let run = program.clone().run().expect(0);
    assert!(run.stdout.contains("sent: to the command") && run.stdout.contains("came back: taken"), "{run}");
    assert!(fs::read_to_string(program.path("message.json")).unwrap().contains("TEST: "));
    for (webhook, said) in [
        (json!({"type": "exec"}), "`command` is missing"),
        (json!({"type": "exec", "command": []}), "`command` names no program"),
        (json!({"type": "exec", "command": ["x"], "url": "https://service.example/x"}), "takes no `url`"),
        (json!({"type": "custom", "url": "https://service.example/x", "command": ["x"]}), "takes no `command`"),
    ] {
        let mut config = crate::support::config(vec![low("A")]);
        config["webhook"] = webhook;
        let program = Program::new(["validate", "--config", "config.yaml"]);
        let run = program.file("config.yaml", &config.to_string()).run().expect(78);
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
}
