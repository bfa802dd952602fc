//! Hosts that accept a connection and never answer: every account of another host is asked, read and told in time.

use crate::support::{Program, Reply, Server, config, low, project, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::thread;
use std::time::Duration;

/// Hosts that hang, and the run that asks them before all others; times in seconds.
struct Row {
    name: &'static str,
    hosts: usize,
    /// Of each of these hosts.
    accounts: usize,
    workers: usize,
    timeout: u64,
    time: u64,
    retries: u64,
    /// Time-outs after which a host is left alone.
    circuit: usize,
}

const ROWS: [Row; 6] = [
    Row { name: "one host", hosts: 1, accounts: 30, workers: 4, timeout: 3, time: 20, retries: 3, circuit: 3 },
    Row { name: "many accounts", hosts: 1, accounts: 200, workers: 20, timeout: 3, time: 24, retries: 3, circuit: 3 },
    Row { name: "no circuit", hosts: 1, accounts: 30, workers: 4, timeout: 3, time: 20, retries: 3, circuit: 0 },
    Row { name: "one worker", hosts: 6, accounts: 1, workers: 1, timeout: 5, time: 20, retries: 0, circuit: 3 },
    Row { name: "many hosts", hosts: 30, accounts: 1, workers: 4, timeout: 3, time: 20, retries: 3, circuit: 3 },
    Row { name: "no time for one", hosts: 1, accounts: 3, workers: 1, timeout: 60, time: 12, retries: 3, circuit: 3 },
];

#[test]
fn hosts_that_hang_keep_no_account_of_another_from_being_read_and_told() {
    thread::scope(|scope| {
        for row in &ROWS {
            scope.spawn(|| told(row));
        }
    });
}

fn told(row: &Row) {
    let silent: Vec<Server> = (0..row.hosts).map(|_| Server::start(|_| Reply::hang())).collect();
    let good = Server::start(|_| Reply::ok(uniapi_body("5")));
    let hook = Server::start(|_| Reply::ok(""));
    let of = |(host, server): (usize, &Server)| -> Vec<Value> {
        (0..row.accounts).map(|n| uniapi(&format!("H{host}-{n}"), &server.url())).collect()
    };
    let mut accounts: Vec<Value> = silent.iter().enumerate().flat_map(of).collect();
    let last: Vec<String> = (0..5).map(|n| format!("Last{n}")).collect();
    accounts.extend(last.iter().map(|name| uniapi(name, &good.url())));
    accounts.push(low("LowAcct"));
    let mut config = config(accounts);
    config["settings"] = json!({
        "request_timeout_seconds": row.timeout, "run_timeout_seconds": row.time, "max_retries": row.retries,
        "max_concurrent_checks": row.workers, "circuit_breaker_failures": row.circuit,
    });
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let run = Program::check_json(&config).run().expect(2);
    let (report, what) = (run.report(), row.name);
    for name in last.iter().map(String::as_str).chain(["LowAcct"]) {
        assert_eq!(project(&report, name)["status"], "low", "{what}: {name}: {run}");
    }
    let delivery = run.delivery();
    assert_eq!((&delivery["status"], &delivery["alerts"]), (&json!("sent"), &json!(6)), "{what}: {run}");
    // Besides those that have timed out, the host was asked by those that had begun before the last of them did.
    let most = row.circuit + row.workers;
    let asked = silent.iter().map(Server::hits).max().unwrap();
    assert!(row.circuit == 0 || asked <= most, "{what}: {asked} requests: {run}");
    if row.hosts == 1 && row.circuit > 0 && row.timeout < row.time {
        assert!(run.elapsed < Duration::from_secs(row.time) * 3 / 4, "the host is left alone: {what}: {run}");
    }
}

#[test]
fn repeats_of_one_check_count_if_they_time_out_but_not_if_the_host_answers() {
    let busy = Server::sequence(vec![
        Reply::status(503, ""),
        Reply::status(503, ""),
        Reply::status(429, ""),
        Reply::ok(uniapi_body("500")),
    ]);
    let silent = Server::start(|_| Reply::hang());
    let mut config = config(vec![uniapi("Busy", &busy.url()), uniapi("Silent", &silent.url())]);
    config["settings"]["request_timeout_seconds"] = json!(1);
    config["settings"]["max_retries"] = json!(5);
    config["settings"]["circuit_breaker_failures"] = json!(3);
    let run = Program::check_json(&config).run().expect(3);
    let report = run.report();
    let of = |name: &str| (project(&report, name)["status"].clone(), project(&report, name)["attempts"].clone());
    assert_eq!(of("Busy"), (json!("ok"), json!(4)), "{run}");
    assert_eq!((run.reason("Silent"), of("Silent").1, silent.hits()), ("timeout".into(), json!(3), 3), "{run}");
}
