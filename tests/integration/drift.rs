//! Services that change their answers, through the real program and stores of both kinds.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::world::{Kind, World, on_both};
use crate::support::{Reply, Server};

on_both! {
    a_changed_answer_is_said_once_and_read_all_the_same
    an_answer_that_cannot_be_read_any_more_fails_and_is_not_learned
    honest_differences_between_accounts_and_runs_are_not_said
    a_store_of_before_learns_answers_and_loses_nothing
}

/// A service whose answers a test chooses, by the key that asks, and an installation with accounts of it.
struct Service {
    answers: Arc<Mutex<Value>>,
    server: Server,
    world: World,
}

impl Service {
    fn new(kind: Kind, accounts: &[&str]) -> Service {
        let answers = Arc::new(Mutex::new(Value::Null));
        let told = Arc::clone(&answers);
        let server = Server::start(move |request| {
            let key = request.header("x-key").unwrap_or_default().to_owned();
            let answers = told.lock().unwrap();
            Reply::ok(answers.get(&key).unwrap_or(&*answers).to_string())
        });
        let mut world = World::new(kind, &[]);
        let page = json!({"id": "acme", "title": "Acme", "kind": "balance", "unit": "points",
            "request": {"url": format!("{}/v1/me", server.url()), "headers": {"X-Key": "{api_key}"}},
            "balance": ".data | if .left != null then (.left | tonumber) else .remaining end"});
        let project = |name: &&str| json!({"name": name, "provider": "acme", "api_key": name, "threshold": 10});
        world.configure(|config| {
            config["providers"] = json!([page]);
            config["projects"] = accounts.iter().map(project).collect();
        });
        Service { answers, server, world }
    }

    /// Runs with these answers, and gives what the run says of changes; the log says the same.
    fn run(&self, answers: Value, code: i32) -> Vec<String> {
        *self.answers.lock().unwrap() = answers;
        let run = self.world.run().expect(code);
        let report = run.report();
        let changed = report["changed_answers"].as_array().unwrap_or_else(|| panic!("{run}"));
        let host = self.server.url().strip_prefix("http://").unwrap().to_owned();
        assert!(changed.iter().all(|changed| changed["host"] == host), "{run}");
        let said = run.stderr.matches("has changed its answer").count();
        assert_eq!(said, changed.len(), "{run}");
        changed.iter().map(|changed| changed["provider"].as_str().unwrap().to_owned()).collect()
    }
}

fn a_changed_answer_is_said_once_and_read_all_the_same(kind: Kind) {
    let service = Service::new(kind, &["A", "B"]);
    let (number, text) = (json!({"data": {"left": 50, "plan": "p"}}), json!({"data": {"left": "50", "plan": "p"}}));
    for _ in 0..3 {
        assert_eq!(service.run(number.clone(), 0), [""; 0], "{kind:?}");
    }
    assert_eq!(service.run(text.clone(), 0), ["acme"], "{kind:?}: two accounts, one service");
    assert_eq!(service.run(text.clone(), 0), [""; 0], "{kind:?}: it is said once");
    assert_eq!(service.run(number, 0), [""; 0], "{kind:?}: both are known now");
    let renamed = json!({"data": {"remaining": 50, "plan": "p"}});
    assert_eq!(service.run(renamed.clone(), 0), ["acme"], "{kind:?}: a field has another name");
    assert_eq!(service.run(renamed, 0), [""; 0], "{kind:?}");
}

fn an_answer_that_cannot_be_read_any_more_fails_and_is_not_learned(kind: Kind) {
    let service = Service::new(kind, &["A"]);
    let good = json!({"data": {"left": 50, "plan": "p"}});
    for _ in 0..3 {
        assert_eq!(service.run(good.clone(), 0), [""; 0]);
    }
    let before = service.world.count("SELECT count(*) FROM answers");
    assert_eq!(before, 1, "{kind:?}");
    assert_eq!(
        service.run(json!({"data": {"left": {"value": 50}, "plan": 7}}), 3),
        [""; 0],
        "{kind:?}: nothing was read"
    );
    assert_eq!(service.run(good, 0), [""; 0], "{kind:?}: and nothing learned from it");
    assert_eq!(service.run(json!({"data": {"left": 50, "plan": 7}}), 0), ["acme"], "{kind:?}");
}

fn honest_differences_between_accounts_and_runs_are_not_said(kind: Kind) {
    let service = Service::new(kind, &["A", "B"]);
    let runs = [
        json!({"A": {"data": {"left": 50}}, "B": {"data": {"left": 50, "more": [1], "by": {"8812345": 1}}}}),
        json!({"A": {"data": {"left": 50, "more": null}}, "B": {"data": {"left": 0, "more": [], "by": {"9912345": 1}}}}),
        json!({"A": {"data": {"left": 50, "more": [1, 2, 3]}}, "B": {"data": {"left": 12.5, "new": {"a": "b"}}}}),
        json!({"A": {"data": {"left": 50}}, "B": {"data": {"left": 7, "by": []}}}),
    ];
    for (at, answers) in runs.into_iter().enumerate() {
        let low = answers["B"]["data"]["left"].as_f64().unwrap() < 10.0;
        assert_eq!(service.run(answers, if low { 2 } else { 0 }), [""; 0], "{kind:?}, run {at}");
    }
}

fn a_store_of_before_learns_answers_and_loses_nothing(kind: Kind) {
    let service = Service::new(kind, &["A"]);
    let low = |left: Value| json!({"data": {"left": left, "who": "qzjx@corp.example", "qzjxkey": 1}});
    service.world.channel(false);
    service.run(low(json!(5)), 75);
    let mut seen = 0;
    assert_eq!(service.world.messages(&mut seen), ["raised low critical A"], "{kind:?}: it is refused, and owed");
    let version = service.world.version();
    // And what came later.
    let later = "DROP TABLE answers; DROP TABLE payments; DROP TABLE renewals; DROP TABLE digests; \
                 ALTER TABLE samples DROP COLUMN merged";
    service.world.sql(later);
    service.world.set_version(13);
    service.world.channel(true);
    service.world.pass(86_400);
    assert_eq!(service.run(low(json!(5)), 2), [""; 0], "{kind:?}");
    assert_eq!(service.world.version(), version, "{kind:?}");
    assert_eq!(service.world.messages(&mut seen), ["raised low critical A"], "{kind:?}: what was owed is sent");
    assert_eq!(service.run(low(json!("5")), 2), ["acme"], "{kind:?}");
    // No key and no value is in the store.
    let found =
        "SELECT count(*) FROM answers WHERE places LIKE '%qzjx%' OR source LIKE '%qzjx%' OR places LIKE '%left%'";
    assert_eq!(service.world.count(found), 0, "{kind:?}");
}
