//! SIGTERM and SIGINT at the worst moments, and a reader of the report that has gone away: what is given up, what is still
//! done, and what the next run finds.

use crate::support::postgres::Postgres;
use crate::support::world::{Kind, World};
use crate::support::{
    Finished, Gate, Program, Reply, Request, Server, account, broken, config, fine, free_port, low, project, uniapi,
    uniapi_body,
};
use balance_alert::internals::Output;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The signals that end a run, with the status that they end it with.
const SIGNALS: [(&str, i32); 2] = [("TERM", 143), ("INT", 130)];
/// After a signal, what runs is given up by then.
const GIVEN_UP: Duration = Duration::from_secs(2);
/// After a signal, the process is gone by then.
const GONE: Duration = Duration::from_secs(10);

/// A run with nothing that could end it soon but a signal.
fn long(projects: Vec<Value>) -> Value {
    let mut config = config(projects);
    config["settings"]["run_timeout_seconds"] = json!(300);
    config["settings"]["request_timeout_seconds"] = json!(120);
    config
}

/// The projects that are in the wanted state.
fn names(report: &Value, status: &str) -> Vec<String> {
    let projects = report["projects"].as_array().unwrap().iter().filter(|project| project["status"] == status);
    projects.map(|project| project["name"].as_str().unwrap().to_owned()).collect()
}

/// Starts the run, sends the signal when it is where it is to be caught, and expects it to end as it must.
fn caught(program: Program, until: impl FnOnce(), signal: &str, code: i32) -> (Finished, Instant) {
    let run = program.start();
    until();
    let at = Instant::now();
    run.signal(signal);
    let run = run.finish().expect(code);
    assert!(at.elapsed() < GONE, "SIG{signal}: {:?}: {run}", at.elapsed());
    let report = run.report();
    assert_eq!((&report["interrupted"], &report["exit_code"]), (&json!(true), &json!(code)), "{run}");
    (run, at)
}

#[test]
fn a_provider_that_hangs_is_given_up_and_nothing_begins() {
    thread::scope(|scope| {
        for (signal, code) in SIGNALS {
            for kind in [Kind::Sqlite, Kind::Postgres] {
                scope.spawn(move || hanging_provider(kind, signal, code));
            }
        }
    });
}

fn hanging_provider(kind: Kind, signal: &str, code: i32) {
    let provider = Server::start(|request| match request.case() {
        "low" => Reply::ok(uniapi_body("5")),
        "fine" => Reply::ok(uniapi_body("500")),
        _ => Reply::hang(),
    });
    let mailbox = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(kind, &[]);
    let order = ["low", "fine", "hang-1", "hang-2", "late-1", "late-2"];
    world.configure(|config| {
        *config = json!({"state": config["state"], "webhook": config["webhook"],
            "settings": long(Vec::new())["settings"]});
        config["settings"]["failure_alert_after"] = json!(1);
        // Two accounts hang, and the mailbox.
        config["settings"]["max_concurrent_checks"] = json!(3);
        config["projects"] = order.map(|name| uniapi(name, &format!("{}/{name}", provider.url()))).into();
        config["email"] = json!([{"name": "mailbox", "host": "127.0.0.1", "security": "none", "username": "u",
            "password": "mailbox-password", "port": mailbox.local_addr().unwrap().port()}]);
    });
    let until = || {
        mailbox.accept().map(std::mem::forget).unwrap();
        provider.wait_for_requests(4);
    };
    let (run, at) = caught(world.program.clone(), until, signal, code);
    assert_eq!(provider.hits(), 4, "no request begins after the signal");
    let report = run.report();
    assert_eq!((names(&report, "low"), names(&report, "ok")), (vec!["low".into()], vec!["fine".into()]), "{run}");
    for (name, said) in
        [("hang-1", "given up"), ("hang-2", "given up"), ("late-1", "not begun"), ("late-2", "not begun")]
    {
        let error = &project(&report, name)["error"];
        assert_eq!(error["reason"], "cancelled", "{name}: {run}");
        assert!(error["message"].as_str().unwrap().starts_with(said), "{name}: {error}");
    }
    assert_eq!(report["mailboxes"][0]["error"]["reason"], "cancelled", "{run}");
    let told = world.hook.only_request();
    assert_eq!(world.messages(&mut 0), ["raised low critical low"]);
    assert!(told.at - at < GIVEN_UP, "what is given up holds nobody back: {:?}", told.at - at);
    assert_eq!(world.count("SELECT count(*) FROM samples"), 2, "what was cut off is no sample");
    assert_eq!(world.count("SELECT count(*) FROM failures"), 0, "and no failure");
    let health = world.ask(["health"]).expect(3);
    assert!(health.stdout.contains(&format!("exit code {code}")), "{health}");
}

#[test]
fn who_is_asked_may_still_answer_but_nobody_else_is_asked() {
    for (signal, code) in SIGNALS {
        let hold = Arc::new(Gate::new());
        let held = Arc::clone(&hold);
        let provider = Server::start(move |_| {
            held.wait_for(1);
            Reply::ok(uniapi_body("5"))
        });
        let order = ["first", "second", "late-1", "late-2", "late-3"];
        let mut config = long(order.map(|name| uniapi(name, &format!("{}/{name}", provider.url()))).to_vec());
        config["settings"]["max_concurrent_checks"] = json!(2);
        let run = Program::check_json(&config).start();
        provider.wait_for_requests(2);
        run.signal(signal);
        run.wait_until_heard();
        hold.arrive();
        let run = run.finish().expect(code);
        assert_eq!(provider.hits(), 2, "{run}");
        let report = run.report();
        assert_eq!((names(&report, "low"), names(&report, "failed").len()), (vec!["first".into(), "second".into()], 3));
        assert_eq!(project(&report, "late-1")["error"]["message"], "not begun, because the run was to end");
    }
}

#[test]
fn a_cut_off_check_neither_adds_to_its_failures_nor_ends_them() {
    let mut world = World::new(Kind::Sqlite, &[("A", 500), ("B", 500)]);
    let provider = Server::start(|_| Reply::hang());
    let from_file = world.config["projects"].clone();
    world.balance("A", json!("?"));
    world.run().expect(3);
    world.run().expect(3);
    world.configure(|config| {
        let mut hanging = uniapi("Hang", &provider.url());
        hanging["timeout_seconds"] = json!(100);
        // One worker has the hanging one first, so that the others are cut off too.
        config["settings"]["max_concurrent_checks"] = json!(1);
        config["settings"]["run_timeout_seconds"] = json!(300);
        config["projects"] = json!([hanging, from_file[0], from_file[1]]);
    });
    for round in 1..=3 {
        let (run, _) = caught(world.program.clone(), || provider.wait_for_requests(round), "TERM", 143);
        assert_eq!(names(&run.report(), "failed"), ["Hang", "A", "B"], "{run}");
        assert_eq!(world.count("SELECT runs FROM failures"), 2, "as before");
    }
    assert_eq!(world.hook.hits(), 0);
    world.configure(|config| config["projects"] = from_file);
    world.run().expect(3);
    assert_eq!(world.messages(&mut 0), ["raised failing warning A"]);
    assert_eq!(world.hook.only_request().json()["Resources"][0]["Reason"], "decode");
}

/// Where a run waits, and what the test then sees of it.
struct Wait {
    name: &'static str,
    /// Makes the config, and gives what to wait for.
    prepare: fn(&Server, &TcpListener) -> Value,
    requests: usize,
    /// The database is waited for, and not a request.
    is_database: bool,
    /// Whether the alert is out, as far as the program can know.
    is_told: bool,
}

/// What hangs, refuses or answers, by the first path segment.
fn scripted(request: &Request) -> Reply {
    match request.case() {
        "hang" => Reply::hang(),
        "busy" => Reply::status(503, "").header("Retry-After", "120"),
        "hook" => Reply::ok(r#"{"errcode":0}"#),
        _ => Reply::ok(uniapi_body("5")),
    }
}

fn telling(server: &Server, projects: Vec<Value>, path: &str) -> Value {
    let mut config = long(projects);
    config["webhook"] = json!({"type": "custom", "url": format!("{}/{path}", server.url())});
    config["state"] = json!({"path": "state.db"});
    config
}

const WAITS: [Wait; 7] = [
    Wait {
        name: "a webhook that hangs",
        prepare: |server, _| telling(server, vec![low("A")], "hang"),
        requests: 1,
        is_database: false,
        is_told: false,
    },
    Wait {
        name: "a gateway that hangs",
        prepare: |server, _| {
            let mut config = telling(server, vec![low("A")], "hook");
            config["metrics"] =
                json!({"pushgateway": {"url": format!("{}/hang", server.url()), "timeout_seconds": 60}});
            config
        },
        requests: 2,
        is_database: false,
        is_told: true,
    },
    Wait {
        name: "a database that hangs",
        prepare: |server, database| {
            let mut config = telling(server, vec![low("A")], "hook");
            config["state"] = json!({"url": format!("postgres://u@{}/d", database.local_addr().unwrap())});
            config
        },
        requests: 0,
        is_database: true,
        is_told: true,
    },
    Wait {
        name: "a rate limit",
        prepare: |server, _| {
            let base = server.url();
            let other = account("Other", "tikhub", &format!("{base}/hang"));
            // One worker: when it asks the other provider, the second account has been put off.
            let accounts = vec![uniapi("A", &format!("{base}/a")), uniapi("B", &format!("{base}/b")), other];
            let mut config = telling(server, accounts, "hook");
            config["settings"]["rate_limits"] = json!({"uniapi": "1/minute"});
            config["settings"]["max_concurrent_checks"] = json!(1);
            config
        },
        requests: 2,
        is_database: false,
        is_told: true,
    },
    Wait {
        name: "the rate limit of a channel",
        prepare: |server, _| {
            let accounts = (0..80).map(|n| low(&format!("{n:02}-{}", "x".repeat(90)))).chain([low("A")]).collect();
            let mut config = telling(server, accounts, "hook");
            config["webhook"]["type"] = json!("wecom");
            config["webhook"]["rate_limit"] = json!("1/minute");
            config
        },
        requests: 1,
        is_database: false,
        is_told: false,
    },
    Wait {
        name: "the back-off of a check",
        prepare: |server, _| {
            let busy = uniapi("Busy", &format!("{}/busy", server.url()));
            let mut config = telling(server, vec![low("A"), busy], "hook");
            config["settings"]["max_retries"] = json!(5);
            config
        },
        requests: 1,
        is_database: false,
        is_told: true,
    },
    Wait {
        name: "the back-off of a webhook",
        prepare: |server, _| {
            let mut config = telling(server, vec![low("A")], "busy");
            config["settings"]["max_retries"] = json!(5);
            config
        },
        requests: 1,
        is_database: false,
        is_told: false,
    },
];

#[test]
fn whatever_a_run_waits_for_a_signal_ends_it() {
    thread::scope(|scope| {
        for wait in &WAITS {
            for (signal, code) in SIGNALS {
                scope.spawn(move || waiting(wait, signal, code));
            }
        }
    });
}

fn waiting(wait: &Wait, signal: &str, code: i32) {
    let server = Server::start(scripted);
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let program = Program::check_json(&(wait.prepare)(&server, &database));
    let until = || match wait.is_database {
        true => database.accept().map(std::mem::forget).unwrap(),
        false => server.wait_for_requests(wait.requests),
    };
    let (run, _) = caught(program.clone(), until, signal, code);
    let name = wait.name;
    let report = run.report();
    assert!(names(&report, "low").contains(&"A".to_owned()) || wait.is_database, "{name}: {run}");
    if wait.is_database {
        return;
    }
    let config = program.path("config.yaml").display().to_string();
    let alerts = program.instead(["alerts", "--output", "json", "--config", &config]).run().expect(0).report();
    let alerts = alerts["alerts"].as_array().unwrap();
    let of_a = alerts.iter().find(|alert| alert["project"] == "A" || alert["name"] == "A");
    let of_a = of_a.unwrap_or_else(|| panic!("{name}: {alerts:?}"));
    let want = match wait.name {
        // It has the message, and no answer came.
        "a webhook that hangs" => "unknown",
        _ if wait.is_told => "sent",
        _ => "pending",
    };
    assert_eq!(of_a["status"], want, "{name} and SIG{signal}: {of_a} {run}");
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    thread::scope(|scope| {
        for first in SIGNALS {
            for second in SIGNALS {
                scope.spawn(move || twice(first, second));
            }
        }
    });
}

#[test]
fn the_same_signal_sent_twice_at_once_is_one() {
    // `timeout` tells its child, and then the group that it is in.
    let server = Server::start(scripted);
    let program = Program::check_json(&long(vec![low("A"), uniapi("Hang", &format!("{}/hang", server.url()))]));
    for (signal, code) in SIGNALS {
        let hits = server.hits();
        let run = program.clone().start();
        server.wait_for_requests(hits + 1);
        run.signal(signal);
        run.signal(signal);
        let run = run.finish().expect(code);
        assert_eq!(names(&run.report(), "low"), ["A"], "{run}");
    }
}

#[test]
fn a_signal_in_a_back_off_makes_no_failure_of_a_check() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let server = Server::start(|_| Reply::status(503, "{}").header("Retry-After", "60"));
        let mut world = World::new(kind, &[("A", 500)]);
        world.configure(|config| {
            config["settings"]["max_retries"] = json!(3);
            config["settings"]["run_timeout_seconds"] = json!(300);
            config["projects"].as_array_mut().unwrap().push(uniapi("Back", &server.url()));
        });
        let (run, _) = caught(world.program.clone(), || server.wait_for_requests(1), "TERM", 143);
        assert_eq!(run.reason("Back"), "cancelled");
        for table in ["failures", "circuits"] {
            assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}: {run}");
        }
    }
}

fn twice((first, _): (&str, i32), (second, code): (&str, i32)) {
    let server = Server::start(scripted);
    let hanging = uniapi("Hang", &format!("{}/hang", server.url()));
    let config = telling(&server, vec![low("A"), hanging], "hang");
    let program = Program::check_json(&config);
    let run = program.clone().start();
    server.wait_for_requests(1);
    run.signal(first);
    // The alert goes out because the check is given up, so the first signal is being heeded.
    server.wait_for_requests(2);
    let at = Instant::now();
    run.signal(second);
    let run = run.finish().expect(code);
    assert!(at.elapsed() < GIVEN_UP, "{:?}: {run}", at.elapsed());
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "nothing is waited for");
    // Its alert is not lost.
    let receiver = Server::start(|_| Reply::ok(""));
    let config = config.to_string().replace(&format!("{}/hang", server.url()), &receiver.url());
    let next = program.file("config.yaml", &config).run();
    assert!([2, 3].contains(&next.code()), "{next}");
    let told = receiver.requests().into_iter().find(|request| request.method == "POST").expect("an alert");
    assert_eq!(told.json()["Resources"][0]["ProjectName"], "A");
}

#[test]
fn a_signal_after_the_report_changes_no_status() {
    for (config, code) in [(config(vec![fine("A")]), 0), (config(vec![low("A")]), 2), (config(vec![broken("A")]), 3)] {
        let program = Program::check(&config).args(["--output", "json"]);
        let run = program.env("BALANCE_ALERT_FAULT", "interrupt:reported").run().expect(code);
        let report = run.report();
        assert_eq!((report["exit_code"].as_i64(), &report["interrupted"]), (Some(code.into()), &json!(false)), "{run}");
    }
}

/// The accounts of the runs that are cut at random.
const ACCOUNTS: usize = 16;

#[test]
fn a_signal_at_a_random_moment_loses_nothing_and_repeats_nothing() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        // How long a whole run takes, here and now.
        let (_servers, world) = slow(kind);
        let whole = world.run().expect(2).elapsed;
        let left = files(&world);
        let mut ends = Vec::new();
        for round in 0..10 {
            let (signal, code) = SIGNALS[random.usize(..2)];
            // One moment in each tenth of a run.
            let wait = whole.mul_f64((round as f64 + random.f64()) / 10.0);
            let what = format!("{kind:?}, seed {seed}, round {round}, SIG{signal} after {wait:?} of {whole:?}");
            ends.push(random_moment(kind, (signal, code), wait, &left, &what));
        }
        let is_cut = ends.iter().any(|(first, all)| first < all);
        assert!(is_cut, "{kind:?}, seed {seed}: runs that are not cut would prove nothing: {ends:?}");
    }
}

/// A receiver, a gateway and a provider that take their time.
fn slow(kind: Kind) -> ([Server; 3], World) {
    let pause = Duration::from_millis(40);
    let provider = Server::start(move |_| Reply::ok(uniapi_body("5")).after(pause));
    let hook = Server::start(move |_| Reply::ok("").after(pause));
    let gateway = Server::start(move |_| Reply::status(202, "").after(pause));
    let mut world = World::new(kind, &[]);
    world.configure(|config| {
        let accounts = (0..ACCOUNTS).map(|n| uniapi(&format!("account-{n}"), &format!("{}/{n}", provider.url())));
        config["projects"] = accounts.collect();
        config["settings"]["max_concurrent_checks"] = json!(4);
        config["webhook"]["url"] = json!(hook.url());
        config["metrics"] = json!({"pushgateway": {"url": gateway.url()}, "textfile": "metrics.prom"});
    });
    ([provider, hook, gateway], world)
}

fn random_moment(
    kind: Kind,
    (signal, code): (&str, i32),
    wait: Duration,
    left: &[String],
    what: &str,
) -> (usize, usize) {
    let ([_provider, hook, gateway], world) = slow(kind);
    let run = world.program.clone().start();
    // Not a wait for something: the moment is what is random.
    thread::sleep(wait);
    let at = Instant::now();
    run.signal_if_alive(signal);
    let run = run.finish();
    assert!(at.elapsed() < GONE, "{what}: {run}");
    assert!([2, code].contains(&run.code()), "{what}: {run}");
    let first = hook.hits();
    // A run that was cut before it could heed signals has neither a report nor a store.
    if !run.stdout.is_empty() {
        let report = run.report();
        assert_eq!(report["exit_code"], run.code(), "{what}");
        assert_eq!(report["interrupted"], run.code() == code, "{what}");
        let read = names(&report, "low").len();
        for project in report["projects"].as_array().unwrap().iter().filter(|project| project["status"] == "failed") {
            assert_eq!(project["error"]["reason"], "cancelled", "{what}: {project}");
        }
        if report["memory"]["status"] == "kept" {
            assert_eq!(world.count("SELECT count(*) FROM samples"), read as i64, "{what}: {run}");
        }
        assert_eq!(told(&hook).values().sum::<usize>(), read, "{what}: what was decided is delivered: {run}");
    }
    let next = world.run().expect(2);
    assert_eq!(next.stderr, "", "{what}");
    assert_eq!(next.report()["memory"]["status"], "kept", "{what}");
    let told = told(&hook);
    assert_eq!(told.len(), ACCOUNTS, "{what}: every alert is delivered: {told:?}");
    for (name, times) in &told {
        // Only a message that was under way when the signal came may come again.
        let is_in_flight = hook.requests()[..first].iter().any(|request| {
            let is_of_it = request.text().contains(&format!("\"{name}\""));
            is_of_it && request.at <= at && at < request.at + Duration::from_secs(1)
        });
        assert!(*times == 1 || is_in_flight && *times == 2, "{what}: {name} {times} times: {run}");
    }
    world.ask(["status"]).expect(0);
    let alerts = world.ask(["alerts", "--output", "json"]).expect(0).report();
    let alerts = alerts["alerts"].as_array().unwrap();
    assert!(alerts.iter().all(|alert| alert["status"] == "sent"), "{what}: {alerts:?}");
    assert_eq!(files(&world), *left, "{what}: nothing is left but what every run leaves");
    let file = std::fs::read_to_string(world.program.path("metrics.prom")).unwrap();
    assert!(file.ends_with('\n') && file.contains("balance_alert_status"), "{what}: {file}");
    let pushed = gateway.requests().pop().unwrap().text();
    let sum = |name: &str| -> f64 {
        let lines = pushed.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    assert_eq!(sum("balance_alert_failed_checks_total"), 0.0, "{what}: {pushed}");
    (first, hook.hits())
}

/// What lies in the folder of a world; the name of the lock of its metrics ends with a hash of the gateway's address.
fn files(world: &World) -> Vec<String> {
    let names = std::fs::read_dir(world.program.path(".")).unwrap().flatten().map(|entry| entry.file_name());
    let whole =
        |name: String| name.split_once("-lock-metrics").map_or(name.clone(), |(store, _)| store.to_owned() + "-lock");
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).map(whole).collect();
    names.sort();
    names
}

/// How often each account's alert has come.
fn told(hook: &Server) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for request in hook.requests() {
        for resource in request.json()["Resources"].as_array().unwrap() {
            *told.entry(resource["ProjectName"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}

#[test]
fn a_claim_of_a_cut_run_is_free_for_the_next_one() {
    // Both on PostgreSQL and at once: the second one begins while the first one still hangs at its receiver.
    let (arrived, hold) = (Arc::new(Gate::new()), Arc::new(Gate::new()));
    let (inner, held) = (Arc::clone(&arrived), Arc::clone(&hold));
    let hook = Server::start(move |_| {
        inner.arrive();
        held.wait_for(1);
        Reply::status(400, "")
    });
    let mut world = World::new(Kind::Postgres, &[("A", 5)]);
    let real = world.hook.url();
    world.configure(|config| config["webhook"]["url"] = json!(hook.url()));
    let run = world.program.clone().start();
    assert!(arrived.wait_for(1));
    run.signal("TERM");
    world.configure(|config| config["webhook"]["url"] = json!(real));
    world.run().expect(2);
    assert_eq!(world.hook.hits(), 0, "the first run still tells it");
    hold.arrive();
    run.finish().expect(143);
    world.run().expect(2);
    assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'balance'";
    let open: i64 = Postgres::shared().admin("postgres").query_one(open, &[&world.database]).unwrap().get(0);
    assert_eq!(open, 0, "no connection is left");
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let undelivered = |mut config: Value| {
        config["webhook"] = json!({"type": "custom", "url": format!("http://127.0.0.1:{}", free_port())});
        config
    };
    for (config, code) in [
        (config(vec![fine("A")]), 0),
        (config(vec![low("A")]), 2),
        (config(vec![broken("A")]), 3),
        (undelivered(config(vec![low("A")])), 75),
    ] {
        for output in Output::value_variants().iter().filter_map(Output::to_possible_value) {
            let output = output.get_name();
            let program = Program::check(&config).args(["--output", output]).env("LOG_LEVEL", "error");
            let code = if output == "nagios" && code == 75 { 3 } else { code };
            let run = program.unread().run().expect(code);
            // Somebody must hear that nobody is told, whatever the level of the log.
            let is_alone = code != 0 && config.get("webhook").is_none();
            let said = if is_alone { "warning: something is wrong and nobody is told of it" } else { "" };
            assert!(run.stderr.starts_with(said) && run.stderr.is_empty() == said.is_empty(), "{output}: {run}");
        }
    }
    let stored = Program::check(&config(vec![low("A")]));
    stored.clone().run().expect(2);
    let path = stored.path("config.yaml").display().to_string();
    for command in ["validate", "status", "history", "alerts", "health"] {
        let run = stored.instead([command, "--config", &path]).unread().run().expect(0);
        assert_eq!(run.stderr, "", "{command}");
    }
    for arguments in [["providers", "--output=json"], ["completions", "bash"], ["schema", "--help"]] {
        let run = Program::new(arguments).unread().run().expect(0);
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
}
