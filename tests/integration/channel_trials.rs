//! What is known of channels before the first alert: the list of them, their descriptions, and a message that tries them.

use crate::support::{Program, Reply, Server, all_text, low};
use serde_json::{Value, json};

/// What `channels --output json` tells.
fn channels() -> Vec<Value> {
    let run = Program::new(["channels", "--output", "json"]).run().expect(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// A value that a key of a channel can have.
fn example(field: &Value) -> String {
    let first = field["values"].as_array().and_then(|values| values.first()).and_then(Value::as_str);
    let made = match field["type"].as_str().unwrap() {
        "number" => "7",
        "flag" => "true",
        "address" | "addresses" => "ops@example.com",
        _ if field["type"] == "url" || field["name"] == "url" => "https://service.example/x",
        _ => "x",
    };
    first.unwrap_or(made).to_owned()
}

#[test]
fn every_channel_is_listed_with_what_it_needs() {
    let table = Program::new(["channels"]).run().expect(0).stdout;
    let channels = channels();
    let ids: Vec<&str> = channels.iter().map(|channel| channel["id"].as_str().unwrap()).collect();
    for known in ["console", "custom", "dingtalk", "feishu", "pagerduty", "slack", "telegram", "wecom"] {
        assert!(ids.contains(&known), "{known}: {ids:?}");
    }
    for channel in &channels {
        let (id, title) = (channel["id"].as_str().unwrap(), channel["title"].as_str().unwrap());
        let line = table.lines().find(|line| line.split_whitespace().next() == Some(id));
        let line = line.unwrap_or_else(|| panic!("{id} is not in the table: {table}"));
        assert!(line.contains(title), "{line}");
        let fields = channel["fields"].as_array().unwrap();
        assert!(fields.iter().all(|field| line.contains(field["name"].as_str().unwrap())), "{id}: {line}");
        let run = Program::new(["channels", id, "--output", "json"]).run().expect(0);
        assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), *channel, "{id} alone is what the list says");
    }
    let telegram = channels.iter().find(|channel| channel["id"] == "telegram").unwrap();
    let field = |name: &str| telegram["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap();
    assert_eq!((&field("token")["required"], &field("token")["secret"]), (&json!(true), &json!(true)));
    assert_eq!((&field("silent")["required"], &field("silent")["default"]), (&json!(false), &json!("false")));
}

#[test]
fn one_channel_is_described_with_an_entry_that_the_config_takes() {
    for channel in channels() {
        let id = channel["id"].as_str().unwrap();
        let description = Program::new(["channels", id]).run().expect(0).stdout;
        let entry = channel["config"].as_str().unwrap();
        assert!(description.contains(entry), "{id}: {description}");
        // As it is printed, and with everything that it leaves out.
        for entry in [entry.to_owned(), entry.replace("\n  # ", "\n  ")] {
            let project = json!([low("A")]);
            let mut program = Program::new(["validate", "--config", "config.yaml"])
                .file("config.yaml", &format!("{entry}projects: {project}\n"));
            for field in channel["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap();
                assert!(description.contains(field["about"].as_str().unwrap()), "{id}, {name}: {description}");
                program = program.env(&format!("{id}_{name}").to_uppercase().replace('-', "_"), &example(field));
            }
            let run = program.run().expect(0);
            assert!(run.stdout.contains(&format!("alerts go to {id}")), "{id}: {run}\n{entry}");
        }
    }
}

#[test]
fn a_channel_that_is_not_there_is_a_usage_error_that_names_a_near_one() {
    let run = Program::new(["channels", "telegramm"]).run().expect(64);
    assert!(run.stderr.contains("telegram"), "{run}");
    assert_eq!(run.stdout, "");
}

// ---- a message on trial ------------------------------------------------------------------

/// `notify ACTION` for a config without a single project.
fn notify<const N: usize>(action: &str, webhooks: Value, more: [&str; N]) -> Program {
    Program::new(["notify", action, "--config", "config.yaml"])
        .args(more)
        .file("config.yaml", &json!({"webhooks": webhooks, "settings": {"max_retries": 0}}).to_string())
}

#[test]
fn a_test_message_is_sent_marked_and_what_came_back_is_told() {
    for (language, mark) in [("en", "TEST: "), ("zh", "测试：")] {
        let server = Server::start(|_| Reply::ok("ok"));
        let config = json!({
            "settings": {"language": language},
            "webhook": {"type": "slack", "url": format!("{}/services/T0/B0/the-secret-of-the-hook", server.url())},
        });
        let program = Program::new(["notify", "test", "--config", "config.yaml"]);
        let run = program.clone().file("config.yaml", &config.to_string()).run().expect(0);
        let body = server.only_request().json();
        assert!(body["text"].as_str().unwrap().starts_with(mark), "the title is marked: {body}");
        let text = all_text(&body["attachments"]);
        assert!(text.contains(&format!("{mark}OpenRouter")) && text.contains("test-20"), "{text}");
        for said in ["slack at 127.0.0.1", "sent: POST to 127.0.0.1", &format!("{mark}OpenRouter"), "HTTP 200, taken"] {
            assert!(run.stdout.contains(said), "{said}: {run}");
        }
        assert!(!run.stdout.contains("the-secret-of-the-hook"), "{run}");
        assert!(!program.path("state").exists() && !program.path(".local").exists(), "nothing is remembered");
    }
}

#[test]
fn the_exit_code_says_whether_all_channels_took_the_test() {
    let good = Server::start(|_| Reply::status(202, ""));
    let bad = Server::start(|_| Reply::status(403, r#"{"message": "no such token"}"#));
    let webhooks = json!([
        {"name": "good", "type": "custom", "url": good.url()},
        {"name": "bad", "type": "custom", "url": bad.url()},
        {"name": "unset", "type": "custom", "url": "${NO_SUCH_HOOK}"},
    ]);
    let run = notify("test", webhooks.clone(), []).run().expect(75);
    for said in ["HTTP 202, taken, 1 attempt", "HTTP 403, not taken (auth), 1 attempt", "nothing was sent: "] {
        assert!(run.stdout.contains(said), "{said}: {run}");
    }
    assert!(run.stdout.contains("NO_SUCH_HOOK"), "{run}");
    for (name, code) in [("good", 0), ("bad", 75), ("unset", 75), ("goood", 64)] {
        let run = notify("test", webhooks.clone(), ["--channel", name]).run().expect(code);
        assert_eq!(run.stdout.contains("bad at "), name == "bad", "{name}: {run}");
        assert_eq!(run.stderr.contains("did you mean `good`?"), name == "goood", "{name}: {run}");
    }
    assert_eq!((good.hits(), bad.hits()), (2, 2));
    let run = notify("test", json!([]), []).run().expect(78);
    assert!(run.stderr.contains("no channel to try") && run.stderr.contains("balance-alert channels"), "{run}");
}

#[test]
fn an_answer_that_does_not_come_is_no_verdict() {
    let server = Server::start(|_| Reply::hang());
    let config = json!({
        "settings": {"max_retries": 0, "request_timeout_seconds": 1},
        "webhook": {"type": "custom", "url": server.url()},
    });
    let program = Program::new(["notify", "test", "--config", "config.yaml"]);
    let run = program.file("config.yaml", &config.to_string()).run().expect(75);
    assert!(run.stdout.contains("came back: not known whether it was taken (timeout)"), "{run}");
}

#[test]
fn the_message_on_trial_can_tell_of_each_kind_and_of_an_end() {
    let server = Server::start(|_| Reply::status(202, r#"{"status":"success","message":"Event processed"}"#));
    let hook =
        json!([{"type": "pagerduty", "routing_key": "the-routing-key-of-a-service-00", "base_url": server.url()}]);
    for kind in ["low", "failing", "renewal", "mail", "recovered"] {
        let run = notify("test", hook.clone(), ["--as", kind]).run().expect(0);
        assert!(!run.stdout.contains("the-routing-key"), "{run}");
    }
    let bodies: Vec<Value> = server.requests().iter().map(|request| request.json()).collect();
    assert_eq!(bodies[0]["dedup_key"], bodies[4]["dedup_key"], "what a test raises, a test can close");
    assert_eq!((&bodies[0]["event_action"], &bodies[4]["event_action"]), (&json!("trigger"), &json!("resolve")));
    let summaries: Vec<String> = bodies.iter().map(|body| body["payload"]["summary"].to_string()).collect();
    assert!(summaries.iter().take(4).all(|summary| summary.contains("TEST: ")), "{summaries:?}");
}

#[test]
fn two_tests_are_two_messages_to_a_receiver_that_takes_each_once() {
    let server = Server::start(|_| Reply::ok(""));
    for _ in 0..2 {
        notify("test", json!([{"type": "custom", "url": server.url()}]), []).run().expect(0);
    }
    let keys: Vec<Value> = server.requests().iter().map(|request| request.json()["DedupKey"].clone()).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn what_is_rendered_is_what_is_sent_and_nothing_is_sent() {
    for kind in ["low", "renewal"] {
        let server = Server::start(|_| Reply::ok(""));
        let hook = json!([{"name": "team", "type": "custom", "url": server.url(), "body": "{text, level, topic: .alerts[0].topic}"}]);
        let run = notify("render", hook.clone(), ["--as", kind]).run().expect(0);
        assert_eq!(server.hits(), 0);
        let shown: Value = serde_json::from_str(run.stdout.strip_prefix("team\n").unwrap()).unwrap();
        notify("test", hook, ["--as", kind]).run().expect(0);
        assert_eq!(server.only_request().json(), shown);
        assert_eq!(shown["topic"], kind);
    }
    // Without a description of an address there is nothing to show.
    let run = notify("render", json!([{"type": "custom", "url": "${NO_SUCH_HOOK}"}]), []).run().expect(78);
    assert!(run.stdout.contains("there is nothing to send: ") && run.stdout.contains("NO_SUCH_HOOK"), "{run}");
}

#[test]
fn the_console_is_tried_on_standard_error() {
    let run = notify("test", json!([{"type": "console"}]), []).run().expect(0);
    assert!(run.stderr.contains("TEST: OpenRouter"), "{run}");
    assert!(run.stdout.contains("sent: to standard error") && run.stdout.contains("came back: taken"), "{run}");
}

#[test]
fn a_signing_secret_is_never_shown() {
    let server = Server::start(|_| Reply::ok(r#"{"code":0,"StatusCode":0,"errcode":0}"#));
    for kind in ["feishu", "dingtalk", "custom"] {
        let hook = json!([{"type": kind, "url": format!("{}/hook?access_token=the-token-of-a-robot", server.url()),
            "secret": "the-signing-secret-of-a-robot"}]);
        for action in ["test", "render"] {
            let run = notify(action, hook.clone(), []).run().expect(0);
            for secret in ["the-signing-secret", "the-token-of-a-robot"] {
                assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "{kind}: {run}");
            }
        }
    }
    assert_eq!(server.hits(), 3);
}

#[test]
fn a_secret_that_is_a_word_is_shown_nowhere() {
    let server = Server::start(|_| Reply::ok(r#"{"id":"x","event":"message"}"#));
    let secret = |at: usize| format!("mycompany{}", ["alpha", "bravo", "delta", "echoes"][at % 4]);
    let webhooks: Vec<Value> = channels()
        .iter()
        .filter(|channel| !["console", "exec"].contains(&channel["id"].as_str().unwrap()))
        .map(|channel| {
            let mut entry = json!({"type": channel["id"]});
            for (at, field) in channel["fields"].as_array().unwrap().iter().enumerate() {
                let is_word = field["secret"] == true && field["type"] != "url" && field["name"] != "url";
                entry[field["name"].as_str().unwrap()] = json!(if is_word { secret(at) } else { example(field) });
            }
            if channel["id"] == "ntfy" {
                entry["base_url"] = json!(server.url());
            }
            entry
        })
        .collect();
    assert!(webhooks.len() > 30, "{}", webhooks.len());
    let is_hidden = |said: &str| (0..4).all(|at| !said.contains(&secret(at)));
    let rendered = notify("render", json!(webhooks), []).run();
    assert!(is_hidden(&rendered.stdout) && is_hidden(&rendered.stderr), "{rendered}");
    assert!(rendered.stdout.contains(r#""topic": "***""#), "{rendered}");
    let ntfy: Vec<&Value> = webhooks.iter().filter(|entry| entry["type"] == "ntfy").collect();
    let sent = notify("test", json!(ntfy), []).run().expect(0);
    assert!(is_hidden(&sent.stdout) && is_hidden(&sent.stderr), "{sent}");
    assert!(!is_hidden(&server.only_request().text()), "the service gets it");
    let mut config = crate::support::config(vec![low("A")]);
    config["webhooks"] = json!(webhooks);
    for output in ["table", "json", "markdown"] {
        let dry = Program::check(&config).args(["--dry-run", "--output", output]).run();
        assert!(is_hidden(&dry.stdout) && is_hidden(&dry.stderr), "{output}: {dry}");
    }
}
