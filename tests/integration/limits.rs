//! Rate limits, counted at the receiver: never more in any span, nobody held up by them who need not be, nothing lost.

use crate::support::world::{Kind, World};
use crate::support::{Program, Reply, Request, Server, account, all_text, config, low, project, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Fails if some span of this length, wherever it begins, has more requests than allowed.
#[track_caller]
fn assert_rate(requests: &[Request], most: usize, span: Duration) {
    let mut times: Vec<Instant> = requests.iter().map(|request| request.at).collect();
    times.sort();
    for window in times.windows(most + 1) {
        let length = window[most] - window[0];
        let at: Vec<Duration> = times.iter().map(|at| *at - times[0]).collect();
        assert!(length >= span, "{} requests in {length:?}: {at:?}", most + 1);
    }
}

/// Twelve accounts of one provider, and how often it may be asked.
fn limited(server: &Server, rate: &str, workers: usize) -> Value {
    let accounts = (0..12).map(|n| uniapi(&format!("account-{n}"), &format!("{}/{n}", server.url())));
    let mut config = config(accounts.collect());
    config["settings"]["rate_limits"] = json!({"uniapi": rate});
    config["settings"]["max_concurrent_checks"] = json!(workers);
    config
}

#[test]
fn no_span_has_more_requests_than_the_limit() {
    for (rate, most, span, workers) in [
        ("3/second", 3, 1, 50),
        ("3/second", 3, 1, 1),
        ("5/second, 3/second", 3, 1, 20),
        ("10/minute, 4/second", 4, 1, 8),
    ] {
        let server = Server::start(|_| Reply::ok(uniapi_body("500")));
        let mut config = limited(&server, rate, workers);
        // Ten a minute leave two of the twelve for another run.
        let is_all = !rate.contains("minute");
        if !is_all {
            config["projects"].as_array_mut().unwrap().truncate(10);
        }
        let run = Program::check_json(&config).run().expect(0);
        let count = config["projects"].as_array().unwrap().len();
        assert_eq!(run.report()["summary"]["ok"], count, "{rate}: {run}");
        assert_eq!(server.hits(), count, "{rate}: each of them once");
        assert_rate(&server.requests(), most, Duration::from_secs(span));
    }
}

#[test]
fn a_page_has_a_limit_and_the_settings_have_the_last_word() {
    let page = json!([{"id": "acme", "title": "Acme", "kind": "balance", "rate_limit": "4/second", "balance": ".data.balance",
        "request": {"url": "https://api.acme.test/v1", "headers": {"X-Key": "{api_key}"}}}]);
    for (own, most) in [(None, Some(4)), (Some("2/second"), Some(2)), (Some("none"), None)] {
        let server = Server::start(|_| Reply::ok(uniapi_body("500")));
        let accounts = (0..9).map(|n| account(&format!("account-{n}"), "acme", &format!("{}/{n}", server.url())));
        let mut config = config(accounts.collect());
        config["providers"] = page.clone();
        if let Some(own) = own {
            config["settings"]["rate_limits"] = json!({"acme": own});
        }
        let run = Program::check_json(&config).run().expect(0);
        assert_eq!(run.report()["summary"]["ok"], 9, "{run}");
        match most {
            Some(most) => assert_rate(&server.requests(), most, Duration::from_secs(1)),
            None => assert!(run.elapsed < Duration::from_secs(2), "nothing waits: {run}"),
        }
    }
}

#[test]
fn a_retry_is_a_request_like_any_other() {
    let first = Mutex::new(BTreeSet::new());
    let server = Server::start(move |request| {
        let is_first = first.lock().unwrap().insert(request.case().to_owned());
        if is_first { Reply::status(503, "") } else { Reply::ok(uniapi_body("500")) }
    });
    let mut config = limited(&server, "6/second", 12);
    config["settings"]["max_retries"] = json!(3);
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!((run.report()["summary"]["ok"].as_u64(), server.hits()), (Some(12), 24), "{run}");
    assert!(run.report()["projects"].as_array().unwrap().iter().all(|project| project["attempts"] == 2), "{run}");
    assert_rate(&server.requests(), 6, Duration::from_secs(1));
}

#[test]
fn a_second_question_is_a_request_like_any_other() {
    // Two zeros make the program ask what kind of key it has.
    let server = Server::start(|request| match request.path() {
        path if path.ends_with("/key") => Reply::ok(r#"{"data":{"is_management_key":true}}"#),
        _ => Reply::ok(r#"{"data":{"total_credits":0,"total_usage":0}}"#),
    });
    let accounts = (0..6).map(|n| account(&format!("account-{n}"), "openrouter", &server.url()));
    let mut config = config(accounts.collect());
    config["settings"]["rate_limits"] = json!({"openrouter": "4/second"});
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!((run.report()["summary"]["low"].as_u64(), server.hits()), (Some(6), 12), "{run}");
    assert_rate(&server.requests(), 4, Duration::from_secs(1));
}

#[test]
fn what_waits_for_its_turn_keeps_no_worker() {
    let server = Server::start(|request| match request.case() {
        "other" => Reply::ok(r#"{"code":200,"user_data":{"balance":99.5}}"#),
        _ => Reply::ok(uniapi_body("500")),
    });
    let mut config = limited(&server, "6/second", 2);
    let projects = config["projects"].as_array_mut().unwrap();
    projects.extend((0..20).map(|n| account(&format!("other-{n}"), "tikhub", &format!("{}/other", server.url()))));
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(run.report()["summary"]["ok"], 32, "{run}");
    let order: Vec<bool> = server.requests().iter().map(|request| request.case() == "other").collect();
    // With two workers, of which none waits: the others come when the first span is used up, and before the next one.
    let before = order.iter().position(|is_other| *is_other).unwrap();
    assert!(before <= 6, "{order:?}");
    assert_eq!(order.iter().filter(|is_other| **is_other).count(), 20);
    let limited: Vec<Request> = server.requests().into_iter().filter(|request| request.case() != "other").collect();
    assert_rate(&limited, 6, Duration::from_secs(1));
}

#[test]
fn a_check_that_is_to_be_repeated_keeps_no_worker() {
    // One worker: whoever failed waits, for its back-off or for its provider's limit, while the others are asked.
    for rate in ["none", "2/second"] {
        let server = Server::start(|request| match request.case() {
            "other" => Reply::ok(r#"{"code":200,"user_data":{"balance":99.5}}"#),
            _ => Reply::status(503, "{}"),
        });
        let mut config = limited(&server, rate, 1);
        config["settings"]["max_retries"] = json!(2);
        let projects = config["projects"].as_array_mut().unwrap();
        projects.truncate(1);
        projects.extend((0..5).map(|n| account(&format!("other-{n}"), "tikhub", &format!("{}/other", server.url()))));
        let run = Program::check_json(&config).run().expect(3);
        let order: Vec<bool> = server.requests().iter().map(|request| request.case() == "other").collect();
        assert_eq!(order, [false, true, true, true, true, true, false, false], "{rate}: {run}");
        let failed = project(&run.report(), "account-0").clone();
        assert_eq!((failed["attempts"].as_u64(), failed["error"]["reason"].as_str()), (Some(3), Some("http_status")));
    }
}

#[test]
fn whose_turn_cannot_come_is_rate_limited_at_once() {
    let server = Server::start(|_| Reply::ok(uniapi_body("500")));
    let mut config = limited(&server, "5/minute", 50);
    config["settings"]["run_timeout_seconds"] = json!(40);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(3);
    assert!(run.elapsed < Duration::from_secs(10), "nobody waits for a turn that cannot come: {run}");
    let report = run.report();
    assert_eq!((&report["summary"]["ok"], &report["summary"]["failed"]), (&json!(5), &json!(7)), "{run}");
    assert_eq!(server.hits(), 5);
    for failed in report["projects"].as_array().unwrap().iter().filter(|project| project["status"] == "failed") {
        let name = failed["name"].as_str().unwrap();
        assert_eq!((run.reason(name).as_str(), &failed["attempts"]), ("rate_limited", &json!(0)), "{failed}");
        assert!(failed["error"]["message"].as_str().unwrap().contains("5/minute"), "{failed}");
    }
    // A host that nobody asked is not left alone.
    assert_eq!(project(&program.run().report(), "account-0")["status"], "ok");
}

#[test]
fn as_many_as_fit_the_time_of_the_run_are_read() {
    let server = Server::start(|_| Reply::ok(uniapi_body("500")));
    let mut config = limited(&server, "3/second", 50);
    // Turns at 0, 1.02 and 2.04 s, and the next one too late.
    config["settings"]["run_timeout_seconds"] = json!(3);
    let run = Program::check_json(&config).run().expect(3);
    assert!(server.hits() >= 3 && server.hits() <= 9, "{run}");
    let summary = run.report()["summary"].clone();
    let (ok, failed) = (summary["ok"].as_u64().unwrap(), summary["failed"].as_u64().unwrap());
    assert_eq!((ok, ok + failed), (server.hits() as u64, 12), "each request is one account: {run}");
    for project in run.report()["projects"].as_array().unwrap().iter().filter(|project| project["status"] == "failed") {
        assert_eq!(project["error"]["reason"], "rate_limited", "{project}");
    }
    assert_rate(&server.requests(), 3, Duration::from_secs(1));
}

// ---- alerts --------------------------------------------------------------------------------

/// A channel of this kind, with so many low accounts and a store.
fn storm(kind: &str, accounts: usize, rate: Option<&str>, url: &str) -> Value {
    let mut config = config((0..accounts).map(|n| low(&format!("account {n:04}"))).collect());
    config["webhook"] = json!({"type": kind, "url": url});
    config["state"] = json!({"path": "state.db"});
    if let Some(rate) = rate {
        config["webhook"]["rate_limit"] = json!(rate);
    }
    config
}

fn robot() -> Server {
    Server::start(|_| Reply::ok(r#"{"code":0,"errcode":0}"#))
}

/// The text of a `wecom` message, and its length in bytes.
fn text(request: &Request) -> String {
    request.json()["text"]["content"].as_str().unwrap().to_owned()
}

#[test]
fn a_storm_of_alerts_comes_in_as_many_messages_as_the_robot_takes() {
    let robot = robot();
    let mut config = storm("wecom", 2000, None, &robot.url());
    config["settings"]["run_timeout_seconds"] = json!(20);
    let program = Program::check_json(&config);
    let run = program.clone().run();
    let requests = robot.requests();
    assert!(requests.len() <= 20, "the default limit is 20 a minute: {}", requests.len());
    assert!(requests.iter().all(|request| text(request).len() <= 2048));
    let said: String = requests.iter().map(text).collect();
    let missing: Vec<String> =
        (0..2000).map(|n| format!("account {n:04}")).filter(|name| !said.contains(name.as_str())).collect();
    let delivery = run.delivery();
    assert_eq!(missing, Vec::<String>::new(), "{} messages, {delivery}", requests.len());
    assert_eq!((run.code(), &delivery["status"]), (2, &json!("sent")), "{delivery}");
}

#[test]
fn what_is_over_the_limit_stays_pending_and_comes_in_the_next_run() {
    let robot = robot();
    let program = Program::check_json(&storm("wecom", 2000, Some("1/hour"), &robot.url()));
    let config = program.path("config.yaml").display().to_string();
    let all: BTreeSet<String> = (0..2000).map(|n| format!("account {n:04}")).collect();
    let in_message = |request: &Request| -> BTreeSet<String> {
        let said = text(request);
        all.iter().filter(|name| said.contains(name.as_str())).cloned().collect()
    };
    let run = program.clone().run().expect(75);
    assert!(run.elapsed < Duration::from_secs(20), "nobody waits for a turn that cannot come");
    let first = in_message(&robot.only_request());
    assert!(first.len() > 20, "{}", first.len());
    assert_eq!(run.delivery()["error"]["reason"], "rate_limited", "{}", run.delivery());
    let by_status = |status: &str| -> BTreeSet<String> {
        let alerts = program.instead(["alerts", "--output", "json", "--config", &config]).run().expect(0).report();
        let alerts = alerts["alerts"].as_array().unwrap().iter().filter(|alert| alert["status"] == status);
        alerts.map(|alert| alert["project"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(by_status("sent"), first, "what arrived is marked, and nothing else");
    assert_eq!(by_status("pending").len(), 2000 - first.len());
    program.clone().run().expect(75);
    let requests = robot.requests();
    assert_eq!(requests.len(), 2);
    let second = in_message(&requests[1]);
    assert!(!second.is_empty() && second.is_disjoint(&first), "the next ones: {second:?}");
    // Without the limit the rest comes, and nothing twice.
    let free = storm("wecom", 2000, Some("none"), &robot.url());
    program.file("config.yaml", &free.to_string()).run().expect(2);
    let mut told = BTreeSet::new();
    for request in robot.requests() {
        for name in in_message(&request) {
            assert!(told.insert(name.clone()), "{name} comes twice");
        }
    }
    assert_eq!(told, all);
}

/// A robot refuses all that names one of the alerts, and one message a run is allowed.
#[test]
fn with_one_message_in_a_run_what_is_refused_holds_back_nothing_else() {
    let robot = Server::start(|request| match text(request).contains("account 0001") {
        true => Reply::status(400, ""),
        false => Reply::ok(r#"{"code":0,"errcode":0}"#),
    });
    let program = Program::check_json(&storm("wecom", 5, Some("1/hour"), &robot.url()));
    let told = || -> BTreeSet<usize> {
        let taken = robot.requests().iter().map(text).filter(|said| !said.contains("account 0001")).collect::<String>();
        (0..5).filter(|n| taken.contains(&format!("account {n:04}"))).collect()
    };
    // Each in its turn: 5 turns for each number of alerts in a message, and there are log2(5) + 3 of these.
    let most = 5 * 5;
    let mut runs = 0;
    while told().len() < 4 {
        program.clone().run().expect(75);
        runs += 1;
        assert_eq!(robot.hits(), runs, "one in each run");
        assert!(runs < most, "{:?}", told());
    }
}

#[test]
fn every_robot_has_its_own_limit_and_an_address_of_ones_own_has_none() {
    for (kind, most) in [("feishu", 5), ("dingtalk", 20), ("custom", usize::MAX)] {
        let robot = robot();
        let mut config = storm(kind, 0, None, &robot.url());
        // Ten times what a message of this kind holds, in few accounts.
        config["projects"] = (0..400).map(|n| low(&format!("<account {n:04}> {}", "x".repeat(190)))).collect();
        let run = Program::check_json(&config).run().expect(2);
        assert_eq!(run.delivery()["status"], "sent", "{kind}: {}", run.delivery());
        let requests = robot.requests();
        if most < usize::MAX {
            assert_rate(&requests, most, Duration::from_secs(1));
        }
        let said: String = requests.iter().map(|request| all_text(&request.json())).collect();
        let missing = (0..400).filter(|n| !said.contains(&format!("account {n:04}"))).count();
        assert_eq!(missing, 0, "{kind}: {} messages", requests.len());
    }
}

#[test]
fn an_attempt_that_failed_counts_for_a_robot_too() {
    let robot = Server::sequence(vec![Reply::status(503, ""), Reply::status(503, ""), Reply::ok("")]);
    let mut config = storm("custom", 1, Some("1/second"), &robot.url());
    config["settings"]["max_retries"] = json!(3);
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!(run.delivery()["attempts"], 3, "{run}");
    assert_rate(&robot.requests(), 1, Duration::from_secs(1));
}

#[test]
fn a_limit_counts_what_is_put_back_only_once() {
    // Half of the accounts wait for the one that asks whether the host is back, and give their places back meanwhile.
    let mut world = World::new(Kind::Sqlite, &[]);
    let is_up = Mutex::new(0);
    let server = Server::start(move |_| {
        let mut seen = is_up.lock().unwrap();
        *seen += 1;
        match *seen {
            1 => Reply::status(503, ""),
            // The probe takes most of a span.
            2 => Reply::ok(uniapi_body("500")).after(Duration::from_millis(800)),
            _ => Reply::ok(uniapi_body("500")),
        }
    });
    world.configure(|config| {
        let accounts = (0..12).map(|n| uniapi(&format!("account-{n}"), &format!("{}/{n}", server.url())));
        config["projects"] = accounts.collect();
        config["settings"]["circuit_breaker_failures"] = json!(1);
        config["settings"]["circuit_breaker_seconds"] = json!(60);
        config["settings"]["max_concurrent_checks"] = json!(12);
    });
    world.program.clone().args(["--project", "account-0"]).run().expect(3);
    world.sql("UPDATE circuits SET open_until = 1");
    world.configure(|config| config["settings"]["rate_limits"] = json!({"uniapi": "5/second"}));
    let run = world.run().expect(0);
    assert_eq!(run.report()["summary"]["ok"], 12, "{run}");
    assert_rate(&server.requests()[1..], 5, Duration::from_secs(1));
}
