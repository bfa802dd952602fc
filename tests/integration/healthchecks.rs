//! A service that hears that runs happen: what it hears of each kind of end, and that no run waits for it or fails by it.

use crate::support::{Program, Reply, Server, broken, config, fine, free_port, low, uniapi};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SECRET: &str = "8f2d1c3e-7a4b-4f5e-9c6d-0123456789ab";

/// A config of these accounts, and a service at this address.
fn heard(accounts: Vec<Value>, url: &str) -> Value {
    let mut config = config(accounts);
    config["healthchecks"] = json!({"url": url});
    config["webhook"] = json!({"type": "console"});
    config
}

/// The targets of the requests that the service got, without the query.
fn paths(server: &Server) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|request| format!("{} {}", request.method, request.target.split('?').next().unwrap())).collect()
}

#[test]
fn a_run_tells_that_it_begins_and_how_it_ends() {
    for (account, exit, end) in [(fine("A"), 0, ""), (low("A"), 2, ""), (broken("A"), 3, "/3")] {
        let server = Server::start(|_| Reply::ok("OK"));
        let config = heard(vec![account], &format!("{}/{SECRET}", server.url()));
        Program::check_json(&config).env("BALANCE_ALERT_RUN_ID", "run-1").run().expect(exit);
        assert_eq!(paths(&server), [format!("GET /{SECRET}/start"), format!("GET /{SECRET}{end}")], "{exit}");
        let queries: Vec<String> =
            server.requests().iter().map(|request| request.target.split_once('?').unwrap().1.to_owned()).collect();
        assert!(queries[0].starts_with("rid=") && queries[0] == queries[1], "{queries:?}");
    }
}

#[test]
fn each_service_is_told_in_its_own_words() {
    let server = Server::start(|_| Reply::ok("{\"ok\":true}"));
    let mut kuma = heard(vec![broken("A")], &format!("{}/api/push/{SECRET}?status=up&msg=OK&ping=", server.url()));
    Program::check_json(&kuma).run().expect(3);
    let target = server.only_request().target;
    assert!(target.starts_with(&format!("/api/push/{SECRET}?status=down&msg=exit+code+3&ping=")), "{target}");
    kuma["healthchecks"] = json!({"url": format!("{}/p/{SECRET}/job", server.url()), "kind": "cronitor"});
    kuma["projects"] = json!([fine("A")]);
    Program::check_json(&kuma).env("BALANCE_ALERT_RUN_ID", "run-1").run().expect(0);
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(
        targets[1..],
        [
            format!("/p/{SECRET}/job?series=run-1&state=run"),
            format!("/p/{SECRET}/job?series=run-1&state=complete&status_code=0"),
        ]
    );
    kuma["healthchecks"] = json!({"url": format!("{}/{SECRET}", server.url()), "start": false});
    Program::check_json(&kuma).run().expect(0);
    assert_eq!(server.hits(), 4, "only the end");
}

#[test]
fn what_is_no_whole_run_is_not_told() {
    let server = Server::start(|_| Reply::ok("OK"));
    let config = heard(vec![fine("A"), fine("B")], &format!("{}/{SECRET}", server.url()));
    let program = Program::check_json(&config);
    program.clone().args(["--dry-run"]).run().expect(0);
    program.clone().args(["--project", "A"]).run().expect(0);
    program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    assert_eq!(server.hits(), 0);
}

#[test]
fn no_run_fails_or_waits_for_long_because_nobody_hears_it() {
    for reply in [Reply::hang as fn() -> Reply, || Reply::status(404, "not found"), || Reply::status(503, "")] {
        let server = Server::start(move |_| reply());
        let mut config = heard(vec![fine("A")], &format!("{}/{SECRET}", server.url()));
        config["healthchecks"]["timeout_seconds"] = json!(1);
        let begin = Instant::now();
        let run = Program::check_json(&config).run().expect(0);
        assert!(begin.elapsed() < Duration::from_secs(8), "{run}");
        assert!(run.stderr.contains("`healthchecks` does not know that this run has ended"), "{run}");
        assert!(!run.stderr.contains(SECRET) && !run.stdout.contains(SECRET), "{run}");
    }
    let closed = heard(vec![low("A")], &format!("http://127.0.0.1:{}/{SECRET}", free_port()));
    let run = Program::check_json(&closed).run().expect(2);
    assert!(run.stderr.contains("refused") && !run.stderr.contains(SECRET), "{run}");
}

#[test]
fn a_run_that_is_ended_by_a_signal_says_so() {
    let service = Server::start(|_| Reply::ok("OK"));
    let hung = Server::start(|_| Reply::hang());
    let config = heard(vec![uniapi("A", &hung.url())], &format!("{}/{SECRET}", service.url()));
    let running = Program::check_json(&config).start();
    hung.wait_for_requests(1);
    running.signal("TERM");
    let run = running.finish();
    assert_eq!(run.code(), 143, "{run}");
    assert_eq!(paths(&service), [format!("GET /{SECRET}/start"), format!("GET /{SECRET}/143")], "{run}");
}

#[test]
fn a_run_whose_time_is_over_says_so_within_it() {
    let service = Server::start(|_| Reply::ok("OK"));
    let hung = Server::start(|_| Reply::hang());
    let mut config = heard(vec![uniapi("A", &hung.url())], &format!("{}/{SECRET}", service.url()));
    config["settings"]["run_timeout_seconds"] = json!(2);
    let run = Program::check_json(&config).run().expect(3);
    assert_eq!(paths(&service).last().unwrap(), &format!("GET /{SECRET}/3"), "{run}");
    // Where nobody answers the run still ends in its time.
    let silent = Server::start(|_| Reply::hang());
    config["healthchecks"] = json!({"url": format!("{}/{SECRET}", silent.url()), "timeout_seconds": 10});
    let begin = Instant::now();
    Program::check_json(&config).run().expect(3);
    assert!(begin.elapsed() < Duration::from_secs(7), "{:?}", begin.elapsed());
}

#[test]
fn a_run_that_breaks_by_a_defect_says_so() {
    let service = Server::start(|_| Reply::ok("OK"));
    let config = heard(vec![fine("A")], &format!("{}/{SECRET}", service.url()));
    let run = Program::check_json(&config).env("BALANCE_ALERT_FAULT", "after-claim").run().expect(70);
    assert_eq!(paths(&service), [format!("GET /{SECRET}/start"), format!("GET /{SECRET}/70")], "{run}");
}

#[test]
fn an_address_that_is_not_there_breaks_no_run() {
    let mut config = heard(vec![fine("A")], "${NO_SUCH_ADDRESS}");
    let run = Program::check_json(&config).run().expect(0);
    assert!(run.stderr.contains("hears nothing of this run") && run.stderr.contains("NO_SUCH_ADDRESS"), "{run}");
    config["healthchecks"] = json!({"url_file": "address.txt"});
    let service = Server::start(|_| Reply::ok("OK"));
    let address = format!("{}/{SECRET}\n", service.url());
    Program::check_json(&config).file("address.txt", &address).run().expect(0);
    assert_eq!(service.hits(), 2);
    for (block, said) in [
        (json!({}), "`url` is missing"),
        (json!({"url": "hc-ping.com/x"}), "`url` is not a web address"),
        (json!({"url": "https://h.example/x", "kind": "kuma"}), "kind"),
        (json!({"url": "https://h.example/x", "timeout_seconds": 11}), "timeout_seconds"),
        (json!({"url": "https://h.example/x", "stop": true}), "unknown field `stop`"),
    ] {
        config["healthchecks"] = block;
        let program = Program::new(["validate", "--config", "config.yaml"]);
        let run = program.file("config.yaml", &config.to_string()).run().expect(78);
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
    config["healthchecks"] = json!({"url": format!("http://far.invalid/{SECRET}")});
    let program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
    let run = program.run().expect(0);
    assert!(run.stderr.contains("the address of `healthchecks` goes to `http://far.invalid`"), "{run}");
    assert!(!run.stderr.contains(SECRET), "{run}");
}
