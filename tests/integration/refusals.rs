//! One alert that a service refuses for what it holds never keeps the others from being told: through the real program, over many
//! runs, with messages about all alerts and messages about one.

use crate::support::world::{Kind, World, account};
use crate::support::{Reply, Request, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NAMES: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

/// The accounts that a message is about.
fn names(request: &Request) -> Vec<String> {
    request.json()["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A world whose channel answers so to every message about `C`, and takes all others.
fn world(kind: Kind, per: &str, refusal: Reply) -> (World, Server) {
    let server = Server::start(move |request| match names(request).iter().any(|name| name == "C") {
        true => refusal.clone(),
        false => Reply::ok(r#"{"ok": true}"#),
    });
    let mut world = World::new(kind, &NAMES.map(|name| (name, 5)));
    world.configure(|config| {
        let config = config.as_object_mut().unwrap();
        config.remove("webhook");
        config.insert(
            "channels".into(),
            json!([{
                "id": "own", "title": "Own", "per": per, "markup": "plain", "body": "{names: [.alerts[].project]}",
                "verdict": "if .body.ok == true then true else {reason: \"api\"} end",
                "fields": {"url": {"about": "an address", "type": "url"}}, "request": {"url": "{url}"},
            }]),
        );
        config.insert("webhooks".into(), json!([{"name": "own", "type": "own", "url": server.url()}]));
    });
    (world, server)
}

/// The messages since the last time, as the accounts that each was about.
fn messages(server: &Server, seen: &mut usize) -> Vec<Vec<String>> {
    let requests = server.requests();
    let new = requests.iter().skip(*seen).map(names).collect();
    *seen = requests.len();
    new
}

#[test]
fn what_one_alert_holds_silences_no_other() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for (name, refusal) in [
            ("400", Reply::status(400, "")),
            ("403", Reply::status(403, "")),
            ("413", Reply::status(413, "")),
            ("500", Reply::status(500, "")),
            ("a refusal inside a 200", Reply::ok(r#"{"ok": false}"#)),
        ] {
            for per in ["message", "alert"] {
                if kind == Kind::Postgres && name != "400" {
                    continue;
                }
                let what = || format!("{name}, one for each {per}, {}", kind.name());
                let (mut world, server) = world(kind, per, refusal.clone());
                let mut seen = 0;
                let run = world.run().expect(75);
                let first = messages(&server, &mut seen);
                assert!(first.len() <= 12, "{}: {first:?}", what());
                assert_eq!(run.delivery()["owed"], 1, "{}: {run}", what());
                let mut told: BTreeMap<String, usize> = BTreeMap::new();
                for name in first.iter().filter(|names| !names.contains(&"C".to_owned())).flatten() {
                    *told.entry(name.clone()).or_default() += 1;
                }
                assert_eq!(told.len(), NAMES.len() - 1, "{}: {first:?}", what());
                assert!(told.values().all(|times| *times == 1), "{}: {first:?}", what());
                // What comes later is told without it, and it comes alone.
                world.balance("Z", json!(5));
                world.configure(|config| config["projects"].as_array_mut().unwrap().push(account("Z")));
                world.run().expect(75);
                assert_eq!(messages(&server, &mut seen), [["Z"], ["C"]], "{}", what());
                // It is sent more and more seldom, and stays owed.
                let sent: Vec<usize> = (0..6)
                    .map(|_| {
                        world.pass(1800);
                        let run = world.run().expect(75);
                        let report = run.report();
                        let all = report["deliveries"].as_array().unwrap();
                        assert!(
                            all.iter().any(|one| one["owed"] == 1 && one["status"] == "failed"),
                            "{}: {run}",
                            what()
                        );
                        let new = messages(&server, &mut seen);
                        assert!(new.iter().flatten().all(|name| name == "C"), "{}: {new:?}", what());
                        new.len()
                    })
                    .collect();
                let is_certain = name != "403" && name != "500";
                assert!(!is_certain || sent.iter().sum::<usize>() < 5, "{}: {sent:?}", what());
            }
        }
    }
}

#[test]
fn what_was_never_sent_comes_before_what_got_worse() {
    let server = Server::start(|_| Reply::ok(r#"{"ok": true}"#));
    let mut world = world(Kind::Sqlite, "alert", Reply::ok("")).0;
    world.configure(|config| {
        config["webhooks"] = json!([{"name": "own", "type": "own", "url": server.url(), "rate_limit": "1/hour"}]);
    });
    let mut told: Vec<Value> = Vec::new();
    let mut seen = 0;
    for balance in [5.0, 2.0, 0.9, 0.4, 0.1, 0.04, 0.01] {
        world.balance("A", json!(balance));
        world.run().expect(75);
        told.extend(messages(&server, &mut seen).into_iter().flatten().map(Value::from));
    }
    assert_eq!(told, NAMES.map(Value::from), "each has its turn");
}
