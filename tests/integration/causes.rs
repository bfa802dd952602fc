//! People are told causes: what many checks have in common is one line, and a host that is left alone is no cause.

use crate::support::{Program, Reply, Server, config, fine, low, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A config of `count` accounts behind one gateway that answers 503, and a robot that takes 2048 bytes a message.
fn gateway(count: usize, provider: &Server, robot: &Server) -> Value {
    let accounts = (0..count).map(|n| uniapi(&format!("account-{n}"), &provider.url())).collect();
    let mut config = config(accounts);
    config["settings"]["circuit_breaker_failures"] = json!(3);
    config["settings"]["failure_alert_after"] = json!(1);
    config["webhook"] = json!({"type": "wecom", "url": robot.url()});
    config
}

fn text(robot: &Server) -> String {
    robot.only_request().json()["text"]["content"].as_str().unwrap().to_owned()
}

#[test]
fn two_hundred_accounts_behind_a_dead_gateway_are_one_line_in_one_message() {
    for language in ["en", "zh"] {
        let provider = Server::start(|_| Reply::status(503, "{}"));
        let robot = Server::start(|_| Reply::ok(r#"{"errcode":0,"errmsg":"ok"}"#));
        let mut config = gateway(200, &provider, &robot);
        config["settings"]["language"] = json!(language);
        let run = Program::check_json(&config).run().expect(3);
        assert!(provider.hits() < 50, "most are spared: {}", provider.hits());
        let said = text(&robot);
        assert!(said.contains("HTTP 503") && !said.contains("circuit"), "the cause, not what followed from it: {said}");
        let host = provider.url().replace("http://", "");
        let line = match language {
            "en" => format!("200 accounts of {host} could not be read"),
            _ => format!("{host} 的 200 个账户"),
        };
        assert_eq!(said.matches(&line).count(), 1, "{said}");
        assert_eq!(said.lines().count(), 3, "{said}");
        let report = run.report();
        let reasons = report["projects"].as_array().unwrap().iter().map(|p| p["error"]["reason"].as_str().unwrap());
        assert!(reasons.filter(|reason| *reason == "circuit_open").count() > 100, "the report tells them apart: {run}");
    }
}

#[test]
fn the_cause_is_known_in_the_next_run_too() {
    let provider = Server::start(|_| Reply::status(503, "{}"));
    let robot = Server::start(|_| Reply::ok(r#"{"errcode":0,"errmsg":"ok"}"#));
    let mut config = gateway(5, &provider, &robot);
    config["settings"]["failure_alert_after"] = json!(2);
    config["settings"]["max_concurrent_checks"] = json!(1);
    let program = Program::check_json(&config);
    program.clone().run().expect(3);
    assert_eq!(provider.hits(), 3);
    program.run().expect(3);
    assert_eq!(provider.hits(), 3, "nobody is asked in the second run");
    let said = text(&robot);
    assert!(
        said.contains("5 accounts of ")
            && said.contains("in 2 runs in a row: http_status: ")
            && said.contains("HTTP 503"),
        "{said}"
    );
}

#[test]
fn checks_add_up_and_every_name_stays_its_own() {
    let long = |end: &str| format!("{}{end}", "production-europe-".repeat(4));
    let names = [long("1"), long("2"), long("3")];
    let mut config = config(names.iter().map(|name| low(name)).collect());
    config["projects"].as_array_mut().unwrap().push(fine("fine"));
    config["subscriptions"] = json!([
        {"name": "far", "cycle_type": "yearly", "renewal_day": far(), "amount": 1},
    ]);
    let run = Program::check_json(&config).run().expect(2);
    let summary = &run.report()["summary"];
    assert_eq!((&summary["total"], &summary["low"], &summary["ok"]), (&json!(5), &json!(3), &json!(2)), "{summary}");
    let sum: u64 = summary
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "total")
        .map(|(_, n)| n.as_u64().unwrap())
        .sum();
    assert_eq!(sum, 5, "{summary}");
    for output in ["table", "markdown", "nagios"] {
        let run = Program::check(&config).args(["--output", output]).run().expect(2);
        for end in ["-1", "-2", "-3"] {
            assert!(run.stdout.contains(&format!("europe{end}")), "{output}: {run}");
        }
        if output == "table" {
            assert!(run.stdout.contains("5 checks: 3 low, 2 ok, in "), "{run}");
        }
    }
}

/// A day of the year that is half a year away.
fn far() -> String {
    use jiff::ToSpan;
    (jiff::Zoned::now().date() + 180.days()).strftime("%m-%d").to_string()
}

/// Accounts of one gateway that can be dead, each at an address of its own, for services that count events.
struct Gateway {
    program: Program,
    provider: Server,
    /// The names of the accounts that cannot be read; none if the gateway is well.
    dead: Arc<Mutex<Vec<String>>>,
    config: Value,
}

impl Gateway {
    fn new(channel: Value) -> Gateway {
        let dead: Arc<Mutex<Vec<String>>> = Arc::default();
        let known = Arc::clone(&dead);
        let provider = Server::start(move |request| {
            let is_dead = known.lock().unwrap().iter().any(|name| name == request.case());
            if is_dead { Reply::status(503, "{}") } else { Reply::ok(uniapi_body("500")) }
        });
        let mut config = config(Vec::new());
        config["settings"]["failure_alert_after"] = json!(1);
        config["state"] = json!({"path": "state.db"});
        config["webhook"] = channel;
        let program = Program::check_json(&config);
        Gateway { program, provider, dead, config }
    }

    /// One run over the first accounts, of which these are dead.
    fn run(&mut self, accounts: usize, dead: std::ops::Range<usize>) {
        let name = |n: usize| format!("account-{n}");
        let projects = (0..accounts).map(|n| uniapi(&name(n), &format!("{}/{}", self.provider.url(), name(n))));
        self.config["projects"] = projects.collect();
        std::fs::write(self.program.path("config.yaml"), self.config.to_string()).unwrap();
        let is_well = dead.is_empty();
        *self.dead.lock().unwrap() = dead.map(name).collect();
        self.program.clone().run().expect(if is_well { 0 } else { 3 });
    }

    fn host(&self) -> String {
        self.provider.url().replace("http://", "")
    }
}

fn pagerduty() -> Server {
    Server::start(|_| Reply::status(202, r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#))
}

/// The events that have come, as their action and key.
fn events(pager: &Server) -> Vec<(String, String)> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    pager
        .requests()
        .iter()
        .map(|request| request.json())
        .map(|event| (word(&event, "event_action"), word(&event, "dedup_key")))
        .collect()
}

#[test]
fn forty_accounts_of_a_dead_host_are_one_incident_that_opens_and_resolves_once() {
    let pager = pagerduty();
    let channel =
        json!({"type": "pagerduty", "routing_key": "R0123456789abcdef0123456789abcde", "base_url": pager.url()});
    let mut gateway = Gateway::new(channel);
    gateway.run(40, 0..40);
    let opened = pager.only_request().json();
    let key = opened["dedup_key"].as_str().unwrap().to_owned();
    let summary = opened["payload"]["summary"].as_str().unwrap();
    let begin = format!("40 accounts of {} could not be read", gateway.host());
    assert!(summary.starts_with(&begin) && summary.contains("HTTP 503"), "{summary}");
    assert_eq!(opened["payload"]["component"], gateway.host());
    let told = |action: &str| (action.to_owned(), key.clone());
    // Nothing is new; then accounts come, go, and can be read again.
    gateway.run(40, 0..40);
    assert_eq!(events(&pager), [told("trigger")]);
    gateway.run(45, 0..45);
    assert_eq!(events(&pager), [told("trigger"), told("trigger")]);
    gateway.run(45, 20..45);
    gateway.run(30, 20..30);
    assert_eq!(events(&pager).len(), 2, "the incident stands as long as one of them does: {:?}", events(&pager));
    gateway.run(30, 0..0);
    gateway.run(30, 0..0);
    assert_eq!(events(&pager), [told("trigger"), told("trigger"), told("resolve")]);
}

#[test]
fn forty_accounts_of_a_dead_host_are_one_alert_for_alertmanager() {
    let manager = Server::start(|_| Reply::ok(""));
    let mut gateway = Gateway::new(json!({"type": "alertmanager", "base_url": manager.url()}));
    let mut seen = 0;
    // What fires after each run, by its labels: all of it is told again in each.
    let mut fires = |gateway: &mut Gateway, accounts, dead, posts: usize| {
        gateway.run(accounts, dead);
        let requests = manager.requests();
        assert_eq!(requests.len() - seen, posts);
        let new = requests[seen..].iter().flat_map(|request| request.json().as_array().unwrap().clone());
        let new: Vec<Value> =
            new.filter(|alert| alert["startsAt"].is_string()).map(|alert| alert["labels"].clone()).collect();
        seen = requests.len();
        new
    };
    let first = fires(&mut gateway, 40, 0..40, 1);
    let labels = &first[0];
    assert_eq!(
        (first.len(), &labels["alertname"], &labels["project"]),
        (1, &json!("BalanceUnreadable"), &json!(gateway.host()))
    );
    for (accounts, dead) in [(40, 0..40), (45, 0..45), (45, 20..45), (30, 29..30)] {
        assert_eq!(fires(&mut gateway, accounts, dead.clone(), 1), first, "{accounts} {dead:?}");
    }
    assert_eq!(fires(&mut gateway, 30, 0..0, 1), Vec::<Value>::new());
    let last = manager.requests().last().unwrap().json();
    assert_eq!(last[0]["labels"], *labels, "the end is that of the same alert");
    assert_eq!(fires(&mut gateway, 30, 0..0, 0), Vec::<Value>::new());
}

#[test]
fn incidents_that_an_older_version_opened_for_each_account_are_resolved() {
    let pager = pagerduty();
    let channel =
        json!({"type": "pagerduty", "routing_key": "R0123456789abcdef0123456789abcde", "base_url": pager.url()});
    let mut gateway = Gateway::new(channel);
    gateway.run(40, 0..40);
    // So it stands in the store of a version that knew no shared causes.
    let store = rusqlite::Connection::open(gateway.program.path("state.db")).unwrap();
    assert_eq!(store.execute("UPDATE told SET mark = ''", []).unwrap(), 40);
    let mut checks = store.prepare("SELECT check_id FROM told").unwrap();
    let checks: BTreeSet<i64> = checks.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    gateway.run(40, 0..0);
    let ends = events(&pager).split_off(1);
    let want = checks.iter().map(|check| ("resolve".to_owned(), format!("balance-alert/{check:016x}/failing")));
    assert_eq!((ends.len(), ends.into_iter().collect::<BTreeSet<_>>()), (40, want.collect()));
}
