//! What is known of channels before the first alert: the list of them and their descriptions.

use crate::support::{Program, low};
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
