//! The channel for Alertmanager, against Debian's.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::support::daemon::Daemon;
use crate::support::world::{Kind, World};
use crate::support::{PATIENCE, Reply, Server};
use serde_json::{Value, json};

/// An Alertmanager that tells this address at once what fires and what is over, and repeats nothing.
fn alertmanager(folder: &Path, url: &str) -> Daemon {
    let config = folder.join("alertmanager.yml");
    let text = json!({
        "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "10ms", "group_interval": "100ms", "repeat_interval": "4h"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": url, "send_resolved": true}]}],
    });
    std::fs::write(&config, text.to_string()).unwrap();
    let (config, data) = (config.display().to_string(), folder.join("alertmanager").display().to_string());
    let command = |port| {
        vec![
            "prometheus-alertmanager".into(),
            format!("--config.file={config}"),
            format!("--storage.path={data}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            // No peers.
            "--cluster.listen-address=".into(),
        ]
    };
    Daemon::start(command, "/-/ready")
}

/// What fires, as its own client tells it.
fn firing(server: &Daemon) -> Vec<Value> {
    let url = format!("--alertmanager.url={}", server.url(""));
    let output = Command::new("amtool").args([&url, "alert", "query", "--output=json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The statuses and severities of the notifications that have come.
fn notified(hook: &Server) -> Vec<String> {
    let alerts = hook.requests().into_iter().flat_map(|request| request.json()["alerts"].as_array().unwrap().clone());
    let shown = alerts.map(|alert| {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        format!(
            "{} {} {}",
            word(&alert["status"]),
            word(&alert["labels"]["alertname"]),
            word(&alert["labels"]["severity"])
        )
    });
    shown.collect()
}

/// Waits until as many notifications have come.
fn wait_for(hook: &Server, count: usize) {
    let begin = Instant::now();
    while notified(hook).len() < count {
        assert!(begin.elapsed() < PATIENCE, "{:?}", notified(hook));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn an_alert_fires_once_over_three_runs_changes_its_severity_and_resolves() {
    let mut world = World::new(Kind::Sqlite, &[("A", 15), ("Fine", 500)]);
    let hook = Server::start(|_| Reply::ok(""));
    let folder = tempfile::tempdir().unwrap();
    let server = alertmanager(folder.path(), &hook.url());
    world.configure(|config| {
        config["projects"][0]["warning_threshold"] = json!(20);
        config["projects"][0]["owner_project"] = json!("core");
        config["webhook"] = json!({"type": "alertmanager", "base_url": server.url("")});
    });
    let mut fingerprints = Vec::new();
    for _ in 0..3 {
        let run = world.run();
        assert_eq!(run.code(), 1, "{run}");
        let alerts = firing(&server);
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        let labels = &alerts[0]["labels"];
        assert_eq!(
            [&labels["alertname"], &labels["project"], &labels["owner"], &labels["severity"]],
            ["BalanceLow", "A", "core", "warning"]
        );
        assert!(alerts[0]["annotations"]["summary"].as_str().unwrap().contains("15"), "{}", alerts[0]);
        let (start, end) = (alerts[0]["startsAt"].clone(), alerts[0]["endsAt"].as_str().unwrap().to_owned());
        let end: jiff::Timestamp = end.parse().unwrap();
        assert!(end > jiff::Timestamp::now() + jiff::SignedDuration::from_hours(49), "past the next run: {end}");
        fingerprints.push((alerts[0]["fingerprint"].clone(), start));
    }
    assert!(fingerprints.iter().all(|one| *one == fingerprints[0]), "one alert: {fingerprints:?}");
    wait_for(&hook, 1);
    world.balance("A", json!(5));
    assert_eq!(world.run().code(), 2);
    let alerts = firing(&server);
    assert_eq!((alerts.len(), &alerts[0]["labels"]["severity"]), (1, &json!("critical")), "{alerts:?}");
    wait_for(&hook, 3);
    world.balance("A", json!(500));
    assert_eq!(world.run().code(), 0);
    assert_eq!(firing(&server), Vec::<serde_json::Value>::new(), "it is over");
    wait_for(&hook, 4);
    let mut said = notified(&hook);
    assert_eq!(said.remove(0), "firing BalanceLow warning", "and not three times");
    assert_eq!(said.pop().unwrap(), "resolved BalanceLow critical");
    said.sort();
    assert_eq!(said, ["firing BalanceLow critical", "resolved BalanceLow warning"]);
    // What is refused is refused: an alert that the server does not understand is no delivery.
    world.configure(|config| config["webhook"]["base_url"] = json!(server.url("/nowhere")));
    world.balance("A", json!(5));
    let run = world.run();
    assert_eq!(run.code(), 75, "{run}");
}
