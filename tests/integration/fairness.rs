//! Hosts that never answer, or never stop answering, and answers that take long or much memory to evaluate: every account of
//! another host is asked, read and told in time.

use crate::support::program::Running;
use crate::support::{Program, Reply, Server, account, config, low, project, uniapi, uniapi_body};
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
fn an_account_of_many_steps_leaves_the_others_of_its_host_their_time() {
    let paged = |url: &str| {
        json!([{"name": "all", "request": {"url": format!("{url}/pages")}, "sum": {"sum": ".v"},
            "pages": {"next": ".next", "query": "cursor", "most": 200}}])
    };
    let stepped = |url: &str| -> Value {
        (0..30).map(|n| json!({"name": format!("s{n}"), "request": {"url": format!("{url}/step")}})).collect()
    };
    let run = |what: &str, steps: &dyn Fn(&str) -> Value| {
        // Each answer comes just under its time-out.
        let server = Server::start(|request| match request.path() {
            "/pages" | "/step" => {
                thread::sleep(Duration::from_millis(700));
                let page: u32 = request.query("cursor").map_or(1, |cursor| cursor.parse().unwrap());
                Reply::ok(json!({"v": 1, "next": page + 1}).to_string())
            }
            _ => Reply::ok(uniapi_body("5")),
        });
        let long = |n: usize| account(&format!("Long{n}"), "long", &server.url());
        let others: Vec<String> = (0..3).map(|n| format!("Other{n}")).collect();
        let mut accounts = vec![long(0), long(1)];
        accounts.extend(others.iter().map(|name| uniapi(name, &server.url())));
        let mut config = config(accounts);
        for account in &mut config["projects"].as_array_mut().unwrap()[..2] {
            for field in ["base_url", "api_key"] {
                account.as_object_mut().unwrap().remove(field);
            }
        }
        config["providers"] = json!([{"id": "long", "title": "Long", "kind": "balance", "currency": "USD", "balance": ".v",
            "credential": {"format": "none"}, "steps": steps(&server.url())}]);
        config["settings"] =
            json!({"request_timeout_seconds": 1, "run_timeout_seconds": 14, "max_concurrent_checks": 1});
        let run = Program::check_json(&config).run();
        let report = run.report();
        for name in &others {
            assert_eq!(project(&report, name)["status"], "low", "{what}: {name}: {run}");
        }
        for name in ["Long0", "Long1"] {
            let error = &project(&report, name)["error"];
            assert_eq!(error["reason"], "timeout", "{what}: {name}: {run}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("its steps took too long"), "{what}: {name}: {message}");
        }
        assert_eq!(project(&report, "Long0")["attempts"], 1, "{what}: a repeat does not help: {run}");
    };
    thread::scope(|scope| {
        scope.spawn(|| run("pages", &paged));
        scope.spawn(|| run("steps", &stepped));
    });
}

#[test]
fn an_account_that_waits_for_a_limit_between_two_steps_holds_no_worker_and_keeps_its_bound() {
    let run = |rate: &str, seconds: u64| {
        let server = Server::start(|request| match request.path() {
            "/s0" | "/s1" => Reply::ok(json!({"v": 5}).to_string()),
            _ => Reply::ok(uniapi_body("5")),
        });
        let mut accounts = vec![account("Two", "two", &server.url())];
        accounts.extend((0..3).map(|n| uniapi(&format!("Other{n}"), &server.url())));
        let mut config = config(accounts);
        for field in ["base_url", "api_key"] {
            config["projects"][0].as_object_mut().unwrap().remove(field);
        }
        let steps: Vec<Value> = (0..2)
            .map(|n| json!({"name": format!("s{n}"), "request": {"url": format!("{}/s{n}", server.url())}}))
            .collect();
        config["providers"] = json!([{"id": "two", "title": "Two", "kind": "balance", "currency": "USD", "balance": ".v",
            "credential": {"format": "none"}, "rate_limit": rate, "steps": steps}]);
        config["settings"] =
            json!({"request_timeout_seconds": 1, "run_timeout_seconds": seconds, "max_concurrent_checks": 1});
        let run = Program::check_json(&config).run();
        for n in 0..3 {
            assert_eq!(project(&run.report(), &format!("Other{n}"))["status"], "low", "{rate}: {run}");
        }
        let asked: Vec<String> = server.requests().iter().map(|request| request.path().to_owned()).collect();
        (run, asked)
    };
    let (done, asked) = run("1/second", 20);
    let report = done.report();
    let two = project(&report, "Two");
    assert_eq!((&two["status"], &two["attempts"]), (&json!("low"), &json!(1)), "{done}");
    let steps = ["/s0", "/s1"].map(|step| asked.iter().filter(|path| *path == step).count());
    assert_eq!((steps, asked.last().map(String::as_str)), ([1, 1], Some("/s1")), "the others come meanwhile: {done}");
    // The next turn comes after a minute, and an account may take half of the time at the most.
    let (done, asked) = run("1/minute", 90);
    let report = done.report();
    let error = &project(&report, "Two")["error"];
    assert_eq!((&error["reason"], asked.len()), (&json!("rate_limited"), 4), "{done}");
    assert!(error["message"].as_str().unwrap().contains("the time of all its steps together"), "{done}");
    assert!(done.elapsed < Duration::from_secs(20), "it does not wait for what comes too late: {done}");
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

#[test]
fn a_peer_that_never_stops_to_send_costs_only_its_own_request() {
    let slow = Duration::from_millis(300);
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let floods = [
        ("early hints", String::new(), "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", Duration::ZERO),
        ("continue", String::new(), "HTTP/1.1 100 Continue\r\n\r\n", Duration::ZERO),
        ("processing, slowly", String::new(), "HTTP/1.1 102 Processing\r\n\r\n", slow),
        ("header lines", ok.to_owned(), "X: y\r\n", Duration::ZERO),
        ("header lines, slowly", ok.to_owned(), "X: y\r\n", slow),
        ("one header, slowly", format!("{ok}X: "), "y", slow),
        ("small chunks", chunked.clone(), "1\r\n \r\n", Duration::ZERO),
        ("a chunk extension", format!("{chunked}1;"), "a", Duration::ZERO),
        ("a trailer", format!("{chunked}2\r\n{{}}\r\n0\r\n"), "X: y\r\n", Duration::ZERO),
        ("a trailer, slowly", format!("{chunked}2\r\n{{}}\r\n0\r\n"), "X: y\r\n", slow),
    ];
    for (name, first, again, pause) in floods {
        let bad = (0..2).map(|_| {
            let first = first.clone();
            Server::start(move |_| Reply::flood(&first, again, pause))
        });
        let bad: Vec<Server> = bad.collect();
        let good: Vec<Server> = (0..4).map(|_| Server::start(|_| Reply::ok(uniapi_body("5")))).collect();
        let accounts = bad.iter().enumerate().map(|(n, server)| uniapi(&format!("Bad{n}"), &server.url()));
        let accounts =
            accounts.chain(good.iter().enumerate().map(|(n, server)| uniapi(&format!("Good{n}"), &server.url())));
        let mut config = config(accounts.collect());
        config["settings"] = json!({"request_timeout_seconds": 3, "run_timeout_seconds": 20, "max_retries": 0,
            "max_concurrent_checks": 4});
        let run = Program::check_json(&config).run().expect(2);
        let report = run.report();
        for n in 0..4 {
            assert_eq!(project(&report, &format!("Good{n}"))["status"], "low", "{name}: {run}");
        }
        for n in 0..2 {
            assert_eq!(project(&report, &format!("Bad{n}"))["status"], "failed", "{name}: {run}");
        }
        assert!(run.elapsed < Duration::from_secs(12), "{name}: {run}");
    }
}

/// A page of the config whose balance is this expression.
fn page(id: &str, balance: &str) -> Value {
    json!({"id": id, "title": id, "kind": "balance", "balance": balance,
        "request": {"url": "https://api.acme.test/v1", "headers": {"X-Key": "{api_key}"}}})
}

#[test]
fn answers_that_take_long_to_evaluate_keep_no_account_from_being_read() {
    let endless = "first(range(1e12) | select(. < 0))";
    // How many hosts, whether each has a page of its own, and whether the last account is of the first host.
    for (hosts, own, is_same_host) in [(6, true, false), (6, false, false), (1, false, true)] {
        let servers: Vec<Server> = (0..hosts).map(|_| Server::start(|_| Reply::ok(uniapi_body("5")))).collect();
        let good = Server::start(|_| Reply::ok(uniapi_body("5")));
        let last = if is_same_host { &servers[0] } else { &good };
        let id = |n: usize| if own { format!("page{n}") } else { "page".to_owned() };
        let accounts = (0..6).map(|n| account(&format!("Bad{n}"), &id(n), &servers[n % hosts].url()));
        let mut config = config(accounts.chain([uniapi("Last", &last.url())]).collect());
        let pages: Vec<Value> =
            if own { (0..6).map(|n| page(&id(n), endless)).collect() } else { vec![page("page", endless)] };
        config["providers"] = json!(pages);
        config["settings"]["run_timeout_seconds"] = json!(16);
        config["settings"]["max_concurrent_checks"] = json!(1);
        let run = Program::check_json(&config).run().expect(2);
        let report = run.report();
        assert_eq!(project(&report, "Last")["status"], "low", "{hosts} {own}: {run}");
        let told = |n: usize| project(&report, &format!("Bad{n}"))["error"]["message"].to_string();
        assert!(told(0).contains("was stopped because it takes"), "{run}");
        assert!(own || (1..6).any(|n| told(n).contains("a tenth of the usual time")), "{run}");
    }
}

/// The most memory that a process has had, in MiB, as long as it runs.
fn peak(run: &Running) -> u64 {
    let path = format!("/proc/{}/status", run.id());
    let mut most = 0;
    while let Ok(status) = std::fs::read_to_string(&path) {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(line) = line else { break };
        most = most.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024);
        thread::sleep(Duration::from_millis(2));
    }
    most
}

#[test]
fn evaluations_of_all_workers_share_their_memory() {
    let run = |accounts: usize, balance: &str, body: &str| {
        let bad: Vec<Server> = (0..accounts)
            .map(|_| {
                let body = body.to_owned();
                Server::start(move |_| Reply::ok(body.clone()))
            })
            .collect();
        let accounts =
            bad.iter().enumerate().map(|(n, server)| account(&format!("Bad{n}"), &format!("page{n}"), &server.url()));
        let mut config = config(accounts.chain([low("Last")]).collect());
        config["providers"] = (0..bad.len()).map(|n| page(&format!("page{n}"), balance)).collect();
        config["settings"]["max_concurrent_checks"] = json!(20);
        // As the program does itself where its memory is limited.
        let running = Program::check_json(&config).env("MALLOC_ARENA_MAX", "1").start();
        let most = peak(&running);
        let run = running.finish().expect(2);
        assert_eq!(project(&run.report(), "Last")["status"], "low", "{balance}: {run}");
        most
    };
    let plain = run(20, "5", "{}");
    let numbers = format!("[{}1]", "1,".repeat(450_000));
    for (balance, body) in [
        ("[range(900000) | {a: .}] | length", "{}"),
        ("(\"a\" * 2000000) as $s | [range(90) | $s + tostring] | length", "{}"),
        ("reduce range(1e9) as $x (0; ., .)", "{}"),
        ("[.[] | [[.]]] | length", &numbers),
        ("5", &numbers),
    ] {
        let most = run(20, balance, body);
        // One evaluation at a time has 64 MiB, or 72 with what the interpreter keeps, which grows by doubling; and there are 20
        // answers.
        assert!(most < plain + 110, "{most} MiB instead of {plain}: {balance}");
    }
}

/// A program under a limit of the shell, as `-v 100000`.
fn limited(program: Program, limit: &str) -> Program {
    program.by(&["sh", "-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")])
}

#[test]
fn limited_address_space_costs_no_account() {
    let good = Server::start(|_| Reply::ok(uniapi_body("5")));
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = config((0..30).map(|n| uniapi(&format!("Good{n}"), &good.url())).collect());
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    // How much of itself a program maps depends on how it was built.
    let begins = |mib: &u64| limited(Program::new(["--version"]), &format!("-v {}", mib * 1024)).run().code() == 0;
    let few = (40..100).step_by(2).find(begins).expect("it begins with less than 100 MiB") + 4;
    // While the config is read a page more or less decides which allocation fails.
    for mib in (few..few + 10).chain([150, 200, 300, 600, 2000]) {
        let run = limited(Program::check_json(&config), &format!("-v {}", mib * 1024)).run();
        if mib < 100 {
            assert_eq!((run.code(), &run.report()["status"]), (70, &json!("error")), "{mib}: {run}");
            let told = format!("error: this process may use {mib} MiB of address space");
            assert!(run.stderr.starts_with(&told) && run.stderr.contains("ulimit -v"), "{mib}: {run}");
            continue;
        }
        assert_eq!(run.code(), 2, "{mib}: {run}");
        assert_eq!(run.report()["summary"]["low"], 30, "{mib}: {run}");
    }
}

/// A channel takes a thread and its stack, so where there is little room they are told one after the other.
#[test]
fn limited_address_space_costs_no_channel() {
    const CHANNELS: usize = 21;
    let good = Server::start(|_| Reply::ok(uniapi_body("5")));
    let one = Program::check_json(&config(vec![uniapi("Good", &good.url())]));
    // How much is mapped depends a little on how long threads overlap, so one run that works is no proof.
    let works = |kilo: &u64| (0..5).all(|_| limited(one.clone(), &format!("-v {kilo}000")).run().code() == 2);
    let least = (80..150).find(works).expect("one account needs less than 150 MB");
    let spaces = [2, 6, 14, 26, 58].map(|more| format!("-v {}000", least + more));
    for limit in spaces.into_iter().chain(["-d 65000".to_owned(), "-d 80000".to_owned()]) {
        let hook = Server::start(|_| Reply::ok(""));
        let mut config = config((0..3).map(|n| uniapi(&format!("Good{n}"), &good.url())).collect());
        let channels = (0..CHANNELS)
            .map(|n| json!({"type": "custom", "name": format!("c{n}"), "url": format!("{}/{n}", hook.url())}));
        config["webhooks"] = channels.collect();
        let run = limited(Program::check_json(&config), &limit).run();
        assert_eq!((run.code(), hook.hits()), (2, CHANNELS), "{limit}: {run}");
    }
}

/// The limit of `ulimit -d`, which counts heaps and stacks alone.
#[test]
fn limited_memory_for_data_costs_no_account_but_the_one_that_needs_more() {
    let good = Server::start(|_| Reply::ok(uniapi_body("5")));
    let hook = Server::start(|_| Reply::ok(""));
    let answer = format!("[{}{{}}]", "{},".repeat(340_000));
    let large = Server::start(move |_| Reply::ok(answer.clone()));
    let mut config = config(vec![uniapi("Good", &good.url()), account("Large", "page", &large.url())]);
    config["providers"] = json!([page("page", ".b")]);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    for mib in [20, 60, 70, 90, 130, 300] {
        let limit = format!("ulimit -d {}; exec \"$0\" \"$@\"", mib * 1024);
        let run = Program::check_json(&config).by(&["sh", "-c", &limit]).run();
        if mib < 50 {
            assert_eq!((run.code(), &run.report()["status"]), (70, &json!("error")), "{mib}: {run}");
            let told = "error: this process may use 20 MiB of memory for data";
            assert!(run.stderr.starts_with(told) && run.stderr.contains("ulimit -d"), "{mib}: {run}");
            continue;
        }
        assert_eq!((run.code(), hook.hits() > 0), (2, true), "{mib}: {run}");
        assert_eq!(project(&run.report(), "Good")["status"], "low", "{mib}: {run}");
    }
}

#[test]
fn attempts_that_were_made_are_counted_when_the_time_is_over() {
    let hang = Server::start(|_| Reply::hang());
    let busy = Server::start(|_| Reply::status(503, "").header("Retry-After", "3"));
    let mut config = config(vec![uniapi("Hang", &hang.url()), uniapi("Busy", &busy.url()), low("Last")]);
    config["settings"] = json!({"request_timeout_seconds": 2, "run_timeout_seconds": 6, "max_retries": 10,
        "circuit_breaker_failures": 0});
    let run = Program::check_json(&config).run().expect(2);
    let report = run.report();
    for (name, server) in [("Hang", &hang), ("Busy", &busy)] {
        assert_eq!(project(&report, name)["attempts"], server.hits(), "{name}: {run}");
    }
}
