//! What the system takes away or lets hang: threads, descriptors, room in files, streams that nobody reads, files that are
//! none, signals, the clock. What can be read is read, what is wrong is told, and the process ends in time.

use crate::faults::Row;
use crate::support::hung::HungDisk;
use crate::support::program::Stream;
use crate::support::{Gate, Program, Reply, Server, config, fine, low, project, uniapi, uniapi_body};
use nix::sys::resource::{Resource, getrlimit};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// So long after its time a process is gone; a busy machine adds to it.
const MARGIN: Duration = Duration::from_secs(2);
const SLACK: Duration = Duration::from_secs(4);

/// The rows of `tests/faults.md` that are about this process alone.
pub(crate) fn rows() -> Vec<Row> {
    let streams = [
        (vec![Stream::Stderr], "standard error is a full pipe that nobody reads", "ends when its time is over"),
        (vec![Stream::Stdout], "standard output is a full pipe that nobody reads", "ends when its time is over"),
        (
            vec![Stream::Stdout, Stream::Stderr],
            "standard error and standard output are full pipes that nobody reads",
            "ends when its time is over",
        ),
    ];
    let mut rows: Vec<Row> = streams.map(|(streams, fault, run)| stuck(&streams, fault, run)).into();
    rows.extend([stuck_report(), few_descriptors(), small_files(), no_threads(), hung_disk(), files(), libraries()]);
    rows.extend([zones(), trust_store(), little_cpu_time()]);
    rows
}

/// One that is low and one that is not, a store, and a receiver.
fn watched(hook: &Server) -> Value {
    let mut config = config(vec![low("A"), fine("B")]);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    config["state"] = json!({"path": "state.db"});
    config
}

fn receiver() -> Server {
    Server::start(|_| Reply::ok(""))
}

fn row(fault: &str, run: &str, next: &str) -> Row {
    Row { fault: fault.into(), store: "any", run: run.into(), told: "every alert".into(), next: next.into() }
}

/// Whether this machine can do what a test needs; what it cannot is said, not passed.
fn can(what: &str, is_possible: bool) -> bool {
    if !is_possible {
        let _ = writeln!(std::io::stderr(), "NOT CHECKED: {what}");
    }
    is_possible
}

// ---- streams -------------------------------------------------------------------------------

/// The alert goes out while a stream takes nothing, and the process ends with its time.
fn stuck(streams: &[Stream], fault: &str, run: &str) -> Row {
    let hook = receiver();
    for verbose in ["-q", "-vvv"] {
        let program = Program::check(&watched(&hook)).args(["--timeout", "3", "--output", "json", verbose]);
        let program = streams.iter().fold(program, |program, stream| program.full(*stream));
        let hits = hook.hits();
        let started = Instant::now();
        let running = program.clone().start();
        hook.wait_for_requests(hits + 1);
        let told = started.elapsed();
        let ended = running.finish().expect(2);
        assert!(told < Duration::from_secs(3) + SLACK, "{streams:?}: the alert does not wait: {told:?}");
        assert!(ended.elapsed < Duration::from_secs(3) + MARGIN + SLACK, "{streams:?}: {ended}");
        let next = program.instead(["alerts", "--state", "state.db", "--output", "json"]).run().expect(0).report();
        assert_eq!(next["alerts"][0]["status"], "sent", "{next}");
    }
    row(fault, run, "sends nothing")
}

/// The report goes to a pipe: nobody has it open, or somebody who does not read.
fn stuck_report() -> Row {
    let hook = receiver();
    for is_open in [false, true] {
        let program = Program::check(&watched(&hook)).args(["--timeout", "3", "--report", "json=pipe"]);
        make_pipe(&program.path("pipe"));
        // For reading and writing, so that nobody waits; a small pipe, so that the report does not fit.
        let held = std::fs::File::options().read(true).write(true).open(program.path("pipe")).unwrap();
        let mut filler = held.try_clone().unwrap();
        let held = is_open.then_some(held);
        if is_open {
            thread::spawn(move || while std::io::Write::write_all(&mut filler, &[b'.'; 4096]).is_ok() {});
        } else {
            drop(filler);
        }
        let hits = hook.hits();
        let ended = program.run().expect(2);
        assert_eq!(hook.hits(), hits + 1, "{ended}");
        assert!(ended.stdout.contains("1 low, 1 ok"), "the other report is not held back: {ended}");
        assert!(ended.elapsed < Duration::from_secs(3) + MARGIN + SLACK, "{ended}");
        assert!(ended.stderr.contains("the report cannot be written to `pipe`: "), "{ended}");
        drop(held);
    }
    row(
        "`--report` names a pipe that nobody reads",
        "says so, prints the report, ends when its time is over",
        "sends nothing",
    )
}

#[test]
fn a_report_that_nobody_takes_is_told_by_the_exit_code_alone() {
    let config = config(vec![fine("A")]);
    for (name, want) in [
        ("no/such/folder.json", "its folder does not exist"),
        (".", "it is a directory"),
        ("/dev/full", "the disk is full"),
        ("socket", "it is a socket and no file"),
    ] {
        let program = Program::check(&config).args(["--report", &format!("json={name}")]);
        let _socket = std::os::unix::net::UnixListener::bind(program.path("socket")).unwrap();
        let run = program.clone().run().expect(74);
        assert!(run.stderr.contains(want), "{name}: {run}");
        assert!(run.stdout.contains(" ok      A  "), "{name}: {run}");
        // A finding says more.
        let low = program.file("data.json", r#"{"fine": 5}"#);
        low.clone().run().expect(2);
        low.args(["--output", "nagios"]).run().expect(2);
    }
    let run = Program::check(&config).args(["--timeout", "1"]).full(Stream::Stdout).run().expect(74);
    assert!(run.stderr.contains("the report cannot be written: nobody read it within"), "{run}");
    Program::check(&config).args(["--timeout", "1", "-o", "nagios"]).full(Stream::Stdout).run().expect(3);
    let run = Program::check(&config).by(&["sh", "-c", "exec \"$0\" \"$@\" > /dev/full"]).run().expect(74);
    assert!(run.stderr.contains("the report cannot be written: the disk is full"), "{run}");
}

#[test]
fn a_console_that_takes_nothing_has_not_heard_the_alert() {
    for taker in [None, Some("/dev/full"), Some("&-")] {
        let mut config = config(vec![low("A")]);
        config["webhook"] = json!({"type": "console"});
        config["settings"]["request_timeout_seconds"] = json!(1);
        let program = Program::check_json(&config).args(["--timeout", "2"]);
        let program = match taker {
            None => program.full(Stream::Stderr),
            Some(taker) => program.by(&["sh", "-c", &format!("exec \"$0\" \"$@\" 2>{taker}")]),
        };
        let run = program.run().expect(75);
        assert_eq!(run.delivery()["status"], "failed", "{run}");
        let why = run.delivery()["error"].to_string();
        assert!(why.contains("standard error cannot be written"), "{why}");
    }
}

#[test]
fn a_slow_reader_of_the_log_gets_all_of_it_in_order() {
    // More than the pipe and the queue have room for, to a reader that takes its time.
    let accounts = (0..4000).map(|n| fine(&format!("account-{n:04}-{}", "x".repeat(120))));
    let program = Program::check(&config(accounts.collect())).args(["-vv", "--concurrency", "1"]);
    let slow =
        "exec 3>&1; { \"$0\" \"$@\" 2>&1 >/dev/null; echo exit $? >&2; } | while read -r line; do echo \"$line\"; done";
    let run = program.by(&["bash", "-c", slow]).run().expect(0);
    assert!(run.stderr.contains("exit 0"), "{run}");
    let read: Vec<&str> = run.stdout.lines().filter(|line| line.contains("account-")).collect();
    assert_eq!(read.len(), 4000);
    for (n, line) in read.iter().enumerate() {
        assert!(line.contains(&format!("account-{n:04}")), "{n}: {line}");
    }
    assert!(!run.stdout.contains("are lost"), "{}", run.stdout);
}

#[test]
fn a_stream_that_was_told_not_to_wait_loses_nothing() {
    // Whoever shares a pipe with this program may have set it so, as some runtimes do.
    let accounts = (0..600).map(|n| fine(&format!("account-{n:03}-{}", "x".repeat(100))));
    let nonblocking = "use Fcntl; fcntl($_, F_SETFL, O_NONBLOCK | O_WRONLY) for (STDOUT, STDERR); exec @ARGV";
    let slow =
        format!("{{ perl -e '{nonblocking}' \"$0\" \"$@\" 2>&3 | (sleep 0.5; cat); }} 3>&1 1>&2 | (sleep 0.5; cat)");
    for format in ["text", "json"] {
        let program = Program::check_json(&config(accounts.clone().collect())).env("LOG_FORMAT", format).args(["-vv"]);
        let run = program.by(&["bash", "-c", &format!("({slow}) 3>&2")]).run();
        // The two streams have changed places on their way.
        let report: Value = serde_json::from_str(&run.stderr).unwrap_or_else(|error| panic!("{error}: {run}"));
        assert_eq!(report["summary"]["ok"], 600);
        assert_eq!(run.stdout.lines().filter(|line| line.contains("account-")).count(), 600, "{run}");
    }
}

#[test]
fn every_json_log_line_is_json_whatever_names_hold() {
    let names = [
        "esc \u{1b}[31m red",
        "quote \" back \\ slash",
        "nel \u{85} csi \u{9b}31m",
        "separators \u{2028}\u{2029}",
        "\\u{1b} is no escape",
        "tab\tand 余额 😀",
        "bidi \u{202e}",
    ];
    let mut accounts: Vec<Value> = names.iter().map(|name| low(name)).collect();
    accounts.push(uniapi("\u{1b}]0;title\u{7}", "http://127.0.0.1:9/\u{1b}"));
    for output in ["json", "text"] {
        let mut config = config(accounts.clone());
        config["webhooks"] = json!([{"type": "console", "name": "con\u{1b}sole"}, {"type": "custom", "name": "\u{1b}\"", "url": "http://127.0.0.1:9"}]);
        // What stands in a file as it is must be text; what is escaped there need not be.
        let escaped: String = config
            .to_string()
            .chars()
            .map(|c| {
                if c.is_control() || "\u{2028}\u{2029}".contains(c) { format!("\\u{:04x}", c as u32) } else { c.into() }
            })
            .collect();
        let run = Program::check_text(&escaped).env("LOG_FORMAT", output).args(["-vvv"]).run();
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(lines.len() > names.len(), "{run}");
        if output == "json" {
            for line in &lines {
                serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
            }
            let of = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["check"].as_str().map(str::to_owned);
            let checks: Vec<String> = lines.iter().filter_map(of).collect();
            for name in names {
                assert!(checks.iter().any(|check| check == name), "{name:?} is in it as it is: {checks:?}");
            }
        } else {
            let obeyed = run.stderr.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(obeyed, None, "{run}");
        }
    }
}

// ---- files that are none -------------------------------------------------------------------

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Files that the run needs and that are something else: whoever does not need them is read, and what is wrong is told.
fn files() -> Row {
    let hook = receiver();
    let account = |options: Value| json!({"name": "X", "provider": "file", "threshold": 10, "options": options});
    let keyed = |path: &str| json!({"name": "X", "provider": "uniapi", "threshold": 10, "base_url": "http://127.0.0.1:9", "api_key_file": path});
    for (x, want) in [
        (keyed("pipe"), "`api_key_file`: "),
        (keyed("/dev/zero"), "it is a device and no file"),
        (keyed("large"), "it is larger than 64 KiB"),
        (keyed("."), "it is a directory"),
        (keyed("none/key"), "its folder does not exist"),
        (account(json!({"path": "pipe", "balance": ".x"})), "it is a pipe whose end did not come within"),
        (account(json!({"path": "/dev/zero", "balance": ".x"})), "it is a device and no file"),
        (account(json!({"path": "large", "balance": ".x"})), "it is larger than 1 MiB"),
    ] {
        let mut config = watched(&hook);
        config["settings"]["request_timeout_seconds"] = json!(1);
        config["projects"].as_array_mut().unwrap().push(x.clone());
        let program = Program::check_json(&config).file("large", &"x".repeat(1024 * 1024 + 1));
        make_pipe(&program.path("pipe"));
        let hits = hook.hits();
        let run = program.clone().run().expect(2);
        let report = run.report();
        assert_eq!((&project(&report, "A")["status"], &project(&report, "B")["status"]), (&json!("low"), &json!("ok")));
        assert_eq!(hook.hits(), hits + 1, "{x}: {run}");
        let error = project(&report, "X")["error"].to_string();
        assert!(error.contains(want), "{x}: {error}");
        program.run().expect(2);
        assert_eq!(hook.hits(), hits + 1, "{x}: it is remembered");
    }
    row("a key's or an account's file is a pipe, a device or too large", "says so, goes on", "sends nothing")
}

/// Places that OpenSSL reads on its own and that never end: neither what is read nor what is told needs them.
fn libraries() -> Row {
    let api = Server::start(|_| Reply::ok(uniapi_body("5")));
    let disk = HungDisk::mount();
    can("a disk that hangs needs root and /dev/fuse", disk.is_some());
    let hung = disk.as_ref().map(|disk| disk.file("authorities"));
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"] {
        for place in ["pipe", "/dev/zero", "socket"].into_iter().chain(hung.as_deref()) {
            let hook = receiver();
            let mut config = watched(&hook);
            config["projects"].as_array_mut().unwrap().push(uniapi("U", &api.url()));
            let program = Program::check_json(&config);
            make_pipe(&program.path("pipe"));
            let _socket = std::os::unix::net::UnixListener::bind(program.path("socket")).unwrap();
            let program = program.env(name, place);
            let run = program.clone().run().expect(2);
            assert_eq!(project(&run.report(), "U")["status"], "low", "{name}={place}: {run}");
            assert_eq!(hook.requests().len(), 1, "{name}={place}: {run}");
            assert_eq!(run.stderr.matches(name).count(), 1, "{name}={place}: {run}");
            program.run().expect(2);
            assert_eq!(hook.requests().len(), 1, "{name}={place}: it is remembered");
        }
    }
    row(
        "`SSL_CERT_FILE`, `SSL_CERT_DIR` or `OPENSSL_CONF` names a pipe, a device, a socket or what lies on a disk that hangs",
        "says so, goes on",
        "sends nothing",
    )
}

/// Rules of a time zone that never end or are none, wherever the zone is named: it is said, and other rules hold.
fn zones() -> Row {
    let disk = HungDisk::mount();
    can("a disk that hangs needs root and /dev/fuse", disk.is_some());
    let hung = disk.as_ref().map(|disk| disk.file("zones"));
    let by_config = |config: &mut Value, zone: &str| config["settings"]["timezone"] = json!(zone);
    let by_channel = |config: &mut Value, zone: &str| config["webhook"]["active"] = json!({"timezone": zone});
    let by_variable = |_: &mut Value, _: &str| {};
    let ways: [fn(&mut Value, &str); 3] = [by_config, by_channel, by_variable];
    let own = ["Own/Pipe", "Own/Zero", "Own/Empty", "Own/Large", "Asia/Shanghai"].map(|zone| ("zones", zone));
    for (folder, zone) in own.into_iter().chain(hung.as_deref().map(|folder| (folder, "Asia/Shanghai"))) {
        for (number, name) in ways.iter().enumerate() {
            let hook = receiver();
            let mut config = watched(&hook);
            name(&mut config, zone);
            let program = Program::check_json(&config).file("zones/Own/Empty", "").file("zones/Asia/Shanghai", "TZif");
            make_pipe(&program.path("zones/Own/Pipe"));
            std::os::unix::fs::symlink("/dev/zero", program.path("zones/Own/Zero")).unwrap();
            std::fs::File::create(program.path("zones/Own/Large")).unwrap().set_len(1 << 40).unwrap();
            let program = program.env("TZDIR", folder);
            let program = if number == 2 { program.env("TZ", &format!(":{zone}")) } else { program };
            let run = program.clone().run().expect(2);
            assert_eq!(hook.hits(), 1, "{folder} {zone}: {run}");
            assert_eq!(run.stderr.matches("its rules cannot be read").count(), 1, "{folder} {zone}: {run}");
            assert!(run.elapsed < Duration::from_secs(10), "{folder} {zone}: {run}");
            program.run().expect(2);
            assert_eq!(hook.hits(), 1, "{folder} {zone}: it is remembered");
        }
    }
    row(
        "the rules of a time zone (`TZDIR`, `TZ`, `timezone`) are a pipe, a device, damaged or lie on a disk that hangs",
        "says so, goes on with others or with UTC",
        "sends nothing",
    )
}

/// The trust store of the system itself: only this program sees what is mounted over it.
fn trust_store() -> Row {
    const FAULT: &str = "the system's own trust store is a pipe that nobody writes to";
    let said = Command::new("openssl").args(["version", "-d"]).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let folder = said.split('"').nth(1).unwrap_or_default().to_owned();
    let mount = format!("mount -t tmpfs none '{folder}' && mkfifo '{folder}/cert.pem'");
    let is_possible = Command::new("unshare").args(["-m", "sh", "-c", &mount]).output();
    if !can("another trust store needs root", is_possible.is_ok_and(|output| output.status.success())) {
        return row(FAULT, "says so, reads and tells without TLS", "sends nothing");
    }
    let hook = receiver();
    let api = Server::start(|_| Reply::ok(uniapi_body("5")));
    let mut config = watched(&hook);
    let tls = json!({"name": "TLS", "provider": "uniapi", "threshold": 10, "api_key": "k", "base_url": "https://127.0.0.1:9"});
    config["projects"].as_array_mut().unwrap().extend([uniapi("U", &api.url()), tls]);
    config["settings"]["failure_alert_after"] = json!(0);
    let by = ["unshare", "-m", "sh", "-c", &format!("{mount} && exec \"$0\" \"$@\"")];
    let program = Program::check_json(&config).by(&by);
    let run = program.clone().run().expect(2);
    let report = run.report();
    assert_eq!(project(&report, "U")["status"], "low", "{run}");
    assert!(project(&report, "TLS")["error"].to_string().contains("they do not answer"), "{run}");
    assert_eq!(hook.hits(), 1, "{run}");
    assert!(run.elapsed < Duration::from_secs(12), "{run}");
    program.run().expect(2);
    assert_eq!(hook.hits(), 1, "it is remembered");
    row(FAULT, "says so, reads and tells without TLS", "sends nothing")
}

/// Expressions that would take all of the CPU time that the process may take, beside some that take none.
fn little_cpu_time() -> Row {
    const GREEDY: [&str; 2] = ["[limit(2000000; repeat(1))] | length", "reduce range(3000000) as $x (0; . + 1)"];
    let hook = receiver();
    let mut config = watched(&hook);
    for number in 0..20 {
        let options = json!({"path": "data.json", "balance": GREEDY[number % 2]});
        let greedy = json!({"name": format!("G{number}"), "provider": "file", "threshold": 10, "options": options});
        config["projects"].as_array_mut().unwrap().insert(0, greedy);
    }
    config["settings"]["failure_alert_after"] = json!(0);
    let program = Program::check_json(&config).by(&["prlimit", "--cpu=2:2"]);
    let run = program.clone().run().expect(2);
    let report = run.report();
    assert_eq!((&project(&report, "A")["status"], &project(&report, "B")["status"]), (&json!("low"), &json!("ok")));
    assert!(project(&report, "G0")["error"].to_string().contains("ulimit -t"), "{run}");
    assert_eq!(hook.hits(), 1, "{run}");
    program.run().expect(2);
    assert_eq!(hook.hits(), 1, "it is remembered");
    row(
        "20 expressions want all of the CPU time that the process may take (`ulimit -t`)",
        "stops them, says so",
        "sends nothing",
    )
}

#[test]
fn a_file_of_variables_that_never_comes_is_told_in_time() {
    for (name, want) in [
        ("pipe", "it is a pipe whose end did not come"),
        ("zero", "it is a device and no file"),
        ("folder", "directory"),
    ] {
        let program = Program::check_json(&config(vec![fine("A")]));
        match name {
            "pipe" => make_pipe(&program.path(".env")),
            "zero" => std::os::unix::fs::symlink("/dev/zero", program.path(".env")).unwrap(),
            _ => std::fs::create_dir(program.path(".env")).unwrap(),
        }
        let run = program.run();
        assert!(run.stderr.contains(".env") && run.stderr.contains(want), "{name}: {run}");
    }
    let program = Program::check_json(&config(vec![fine("A")]));
    std::os::unix::fs::symlink("/dev/null", program.path(".env")).unwrap();
    assert_eq!(program.run().expect(0).stderr, "");
}

#[test]
fn files_that_never_come_take_no_account_its_time() {
    let keyed = |n: usize| json!({"name": format!("K{n}"), "provider": "uniapi", "threshold": 10, "base_url": "http://127.0.0.1:9", "api_key_file": "pipe"});
    let hook = receiver();
    let mut config = config((0..10).map(keyed).chain([low("A")]).collect());
    config["settings"]["run_timeout_seconds"] = json!(6);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let program = Program::check_json(&config);
    make_pipe(&program.path(".env"));
    make_pipe(&program.path("pipe"));
    let run = program.run();
    let report = run.report();
    assert_eq!(project(&report, "A")["status"], "low", "{run}");
    assert_eq!(hook.requests().len(), 1, "{run}");
}

#[test]
fn a_config_that_never_comes_ends_the_run_in_time() {
    let big = Program::new(["check"]).file("config.yaml", &"# ".repeat(8 * 1024 * 1024 + 1));
    let run = big.args(["--config", "config.yaml"]).run().expect(78);
    assert!(run.stderr.contains("it is larger than 16 MiB"), "{run}");
    for (path, want) in [
        ("pipe", "the reading of the config has not ended"),
        ("/dev/zero", "it is a device and no file"),
        ("/dev/tty", "cannot be read: "),
        (".", "it is a directory"),
        ("socket", "it is a socket and no file"),
    ] {
        let program = Program::new(["check", "--timeout", "1", "--config", path]);
        let _socket = std::os::unix::net::UnixListener::bind(program.path("socket")).unwrap();
        make_pipe(&program.path("pipe"));
        let run = program.clone().run().expect(78);
        assert!(run.stderr.contains(want), "{path}: {run}");
        assert!(run.elapsed < Duration::from_secs(1) + MARGIN + SLACK, "{path}: {run}");
        program.args(["--output", "nagios"]).run().expect(3);
    }
    // Standard input that never ends.
    let run = Program::new(["check", "--timeout", "1", "--config", "-"])
        .by(&["bash", "-c", "exec \"$0\" \"$@\" < <(sleep 20)"])
        .run()
        .expect(78);
    assert!(run.stderr.contains("the reading of the config has not ended"), "{run}");
    let run =
        Program::new(["check", "--config", "-"]).by(&["bash", "-c", "exec \"$0\" \"$@\" < /dev/zero"]).run().expect(78);
    assert!(run.stderr.contains("it is larger than 16 MiB"), "{run}");
}

#[test]
fn what_comes_out_of_a_pipe_is_read_like_a_file() {
    let server = Server::start(|_| Reply::ok(uniapi_body("5")));
    let mut account = uniapi("A", &server.url());
    account.as_object_mut().unwrap().remove("api_key");
    account["api_key_file"] = json!("key");
    let config = config(vec![account]);
    // As some tools hand secrets over: a named pipe with a writer that waits, the config from another program.
    let script = "mkfifo key; (sleep 0.2; timeout 20 sh -c \"echo key-of-the-pipe > key\") & exec \"$0\" \"$@\" --config <(sleep 0.2; cat config.yaml)";
    let program = Program::new(["check", "--output", "json"]).file("config.yaml", &config.to_string());
    program.clone().by(&["bash", "-c", script]).run().expect(2);
    assert_eq!(server.only_request().header("authorization"), Some("Bearer key-of-the-pipe"));
    for path in ["/dev/stdin", "/proc/self/fd/0", "-"] {
        let program = Program::new(["check", "--config", path]).stdin(&self::config(vec![low("A")]).to_string());
        program.run().expect(2);
    }
}

fn hung_disk() -> Row {
    let Some(disk) = HungDisk::mount() else {
        can("a disk that hangs needs root and /dev/fuse", false);
        return row(HUNG, HUNG_RUN, "sends nothing");
    };
    let hook = receiver();
    let mut config = watched(&hook);
    config["settings"]["request_timeout_seconds"] = json!(1);
    config["projects"].as_array_mut().unwrap().extend([
        json!({"name": "key", "provider": "uniapi", "threshold": 10, "base_url": "http://127.0.0.1:9", "api_key_file": disk.file("key")}),
        json!({"name": "other", "provider": "uniapi", "threshold": 10, "base_url": "http://127.0.0.1:9", "api_key_file": disk.file("other")}),
        json!({"name": "file", "provider": "file", "threshold": 10, "options": {"path": disk.file("data.json"), "balance": ".x"}}),
    ]);
    config["metrics"] = json!({"textfile": disk.file("metrics.prom")});
    let program = Program::check_json(&config).args(["--timeout", "10"]);
    let program = program.args(["--report", &format!("markdown={}", disk.file("report.md"))]);
    let run = program.clone().run().expect(2);
    let report = run.report();
    assert_eq!(project(&report, "A")["status"], "low", "{run}");
    for name in ["key", "other", "file"] {
        let error = project(&report, name)["error"].to_string();
        assert!(error.contains("it did not answer within"), "{name}: {error}");
    }
    assert_eq!(hook.hits(), 1, "{run}");
    assert!(run.elapsed < Duration::from_secs(10) + MARGIN + SLACK, "{run}");
    program.run().expect(2);
    assert_eq!(hook.hits(), 1, "it is remembered");
    let run = Program::new(["check", "--timeout", "1", "--config", &disk.file("config.yaml")]).run();
    let run = run.expect(78);
    assert!(run.stderr.contains("the reading of the config has not ended"), "{run}");
    row(HUNG, HUNG_RUN, "sends nothing")
}

const HUNG: &str = "the disk with a key's file, an account's file, the report and the textfile hangs";
const HUNG_RUN: &str = "says so, prints the report, ends when its time is over";

// ---- descriptors, room, threads ------------------------------------------------------------

/// Hosts, each at a port of its own.
fn hosts(count: usize) -> Vec<Server> {
    (0..count).map(|_| Server::start(|_| Reply::ok(uniapi_body("5")))).collect()
}

fn few_descriptors() -> Row {
    let hosts = hosts(60);
    for limit in ["64:64", "40:40", "20:64"] {
        let hooks = [receiver(), receiver(), receiver()];
        let mut config =
            config(hosts.iter().enumerate().map(|(n, host)| uniapi(&format!("account-{n}"), &host.url())).collect());
        config["webhooks"] = hooks.iter().map(|hook| json!({"type": "custom", "url": hook.url()})).collect();
        config["state"] = json!({"path": "state.db"});
        let program = Program::check_json(&config).by(&["prlimit", &format!("--nofile={limit}")]);
        let run = program.clone().run().expect(2);
        assert_eq!(run.report()["summary"]["low"], 60, "{limit}: {run}");
        assert_eq!(run.stderr, "", "{limit}");
        for hook in &hooks {
            let told: usize =
                hook.requests().iter().map(|told| told.json()["Resources"].as_array().unwrap().len()).sum();
            assert_eq!(told, 60, "{limit}: every alert on every channel");
        }
        program.run().expect(2);
        assert!(hooks.iter().all(|hook| hook.hits() == 1), "{limit}");
    }
    row("60 hosts, and 64 descriptors or 40", "reads all of them", "sends nothing")
}

#[test]
fn a_check_without_a_descriptor_says_what_it_needs() {
    let hosts = hosts(3);
    let mut config =
        config(hosts.iter().enumerate().map(|(n, host)| uniapi(&format!("account-{n}"), &host.url())).collect());
    config["state"] = json!("none");
    let hook = receiver();
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    for state in [json!("none"), json!({"path": "state.db"})] {
        config["state"] = state;
        let (mut read, mut is_kept) = (0, false);
        // From one more than the streams to enough.
        for limit in 4..=24 {
            let hits = hook.hits();
            let run = Program::check_json(&config).by(&["prlimit", &format!("--nofile={limit}")]).run();
            if run.code() == 78 {
                assert_eq!(read, 0, "{limit}: fewer can read it: {run}");
                assert!(run.stderr.contains("too many open files"), "{limit}: {run}");
                continue;
            }
            let report = run.report();
            let projects = report["projects"].as_array().unwrap();
            for project in projects.iter().filter(|project| project["status"] == "failed") {
                let hint = project["error"]["hint"].as_str().unwrap_or_default();
                assert!(hint.contains("ulimit -n"), "{limit}: {run}");
            }
            let low = projects.iter().filter(|project| project["status"] == "low").count();
            assert!(low >= read, "{limit}: fewer descriptors read {read}: {run}");
            assert_eq!(hook.hits() - hits, usize::from(low > 0), "{limit}: {run}");
            let keeps = report["memory"]["status"] != "failed";
            assert!(keeps || !is_kept, "{limit}: fewer descriptors remember: {run}");
            (read, is_kept) = (low, keeps);
        }
        assert_eq!((read, is_kept), (3, true), "these are enough");
    }
}

/// Files may not grow: the store cannot be written, nothing else is harmed.
fn small_files() -> Row {
    let hook = receiver();
    for (limit, kept) in [(0, "failed"), (4096, "failed"), (65_536, "")] {
        let program = Program::check_json(&watched(&hook)).by(&["prlimit", &format!("--fsize={limit}")]);
        let hits = hook.hits();
        let run = program.clone().args(["--report", "json=report.json"]).run().expect(2);
        assert_eq!(hook.hits(), hits + 1, "{limit}: {run}");
        let memory = run.report()["memory"]["status"].clone();
        assert!(kept.is_empty() || memory == kept, "{limit}: {run}");
        program.run().expect(2);
        assert!(kept.is_empty() || hook.hits() == hits + 2, "{limit}: nothing is known of it");
        if limit == 0 {
            assert!(
                run.stderr.contains("the report cannot be written to `report.json`: it would be larger than"),
                "{run}"
            );
        }
    }
    let mut row = row("files may not grow (`ulimit -f`)", "says so and goes on", "the same while it lasts");
    row.store = "SQLite";
    row
}

/// Starts the program as a user of its own who may have so many threads, the first one included.
fn with_threads(program: Program, threads: u32) -> Option<Program> {
    // The limit counts what a user runs, and does not hold for root.
    let user = (60_000 + threads).to_string();
    let is_root = nix::unistd::geteuid().is_root();
    let switch = ["--reuid", &user, "--regid", &user, "--clear-groups"];
    let has_tools = Command::new("setpriv").args(switch).arg("true").status().is_ok_and(|status| status.success());
    if !can("threads are limited by root only, with setpriv", is_root && has_tools) {
        return None;
    }
    // The program itself may stand where another user may not go.
    let copy = program.path("program").display().to_string();
    std::fs::copy(env!("CARGO_BIN_EXE_balance-alert"), &copy).unwrap();
    assert!(Command::new("chmod").args(["-R", "a+rwX"]).arg(program.path(".")).status().unwrap().success());
    let (limit, script) = (format!("--nproc={threads}:{threads}"), format!("exec {copy} \"$@\""));
    let program = program.by(&["setpriv"]).by(&switch);
    Some(program.by(&["prlimit", &limit, "sh", "-c", &script]))
}

/// From none beside the first one to almost enough: all is read, told, remembered and published.
fn no_threads() -> Row {
    for threads in [1, 2, 3, 4, 6, 9, 16, 27] {
        let provider = Server::start(|_| Reply::ok(uniapi_body("5")));
        let (hook, gateway) = (receiver(), Server::start(|_| Reply::status(202, "")));
        let named = |server: &Server| server.url().replace("127.0.0.1", "localhost");
        let accounts = (0..30).map(|n| uniapi(&format!("account-{n}"), &named(&provider)));
        let mut config = config(accounts.collect());
        config["webhooks"] = json!([{"type": "custom", "url": named(&hook)}, {"type": "console"}]);
        config["state"] = json!({"path": "state.db"});
        config["metrics"] = json!({"pushgateway": {"url": named(&gateway)}, "textfile": "metrics.prom"});
        let program = Program::check_json(&config).args(["--report", "markdown=report.md"]);
        let Some(program) = with_threads(program, threads) else {
            break;
        };
        let run = program.clone().run().expect(2);
        let report = run.report();
        assert_eq!(report["summary"]["low"], 30, "{threads}: {run}");
        assert_eq!(
            (&report["memory"]["status"], &report["metrics"]["status"]),
            (&json!("kept"), &json!("sent")),
            "{run}"
        );
        assert_eq!((hook.hits(), gateway.hits()), (1, 1), "{threads}: {run}");
        assert!(run.stderr.contains("account-29"), "{threads}: the console heard it: {run}");
        assert!(!run.stderr.contains("panicked"), "{threads}: {run}");
        for file in ["report.md", "metrics.prom"] {
            assert!(program.path(file).exists(), "{threads}: {file}");
        }
        program.run().expect(2);
        assert_eq!(hook.hits(), 1, "{threads}: it is remembered");
    }
    row(
        "no thread can be started, or few (`RLIMIT_NPROC`, `pids.max`)",
        "reads all, one after the other",
        "sends nothing",
    )
}

#[test]
fn without_threads_a_database_that_has_a_name_costs_no_alert() {
    let hook = receiver();
    let mut config = watched(&hook);
    config["state"] = json!({"url": "postgres://u:p@localhost:9/d?sslmode=disable"});
    let Some(program) = with_threads(Program::check_json(&config), 1) else {
        return;
    };
    let run = program.run().expect(2);
    assert_eq!((hook.hits(), &run.report()["memory"]["status"]), (1, &json!("failed")), "{run}");
}

#[test]
fn without_threads_a_name_that_cannot_be_resolved_and_a_host_that_hangs_fail_alone() {
    let hang = Server::start(|_| Reply::hang());
    let hook = receiver();
    let mut config = watched(&hook);
    config["settings"]["request_timeout_seconds"] = json!(1);
    config["projects"].as_array_mut().unwrap().extend([
        uniapi("hang", &hang.url()),
        uniapi("unknown", "http://name.invalid"),
        uniapi("refused", &format!("http://127.0.0.1:{}", crate::support::free_port())),
    ]);
    let Some(program) = with_threads(Program::check_json(&config), 1) else {
        return;
    };
    let run = program.run().expect(2);
    assert_eq!((run.reason("hang"), run.reason("refused")), ("timeout".into(), "connect".into()), "{run}");
    assert_eq!(run.reason("unknown"), "dns", "{run}");
    assert_eq!(hook.hits(), 1);
}

// ---- signals, dumps, the clock -------------------------------------------------------------

/// The runs of these tests must not inherit what whoever runs the tests ignores.
const FRESH: [&str; 2] = ["env", "--default-signal"];

#[test]
fn every_signal_does_what_the_table_says() {
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/process.md")).unwrap();
    for (signal, code) in [
        ("TERM", Some(143)),
        ("INT", Some(130)),
        ("HUP", Some(129)),
        ("ALRM", Some(142)),
        ("XCPU", Some(152)),
        ("PWR", Some(143)),
        ("VTALRM", Some(143)),
        ("PROF", Some(143)),
        ("IO", Some(143)),
        ("XFSZ", None),
        ("PIPE", None),
        ("USR1", None),
        ("USR2", None),
        ("CHLD", None),
        ("WINCH", None),
        ("URG", None),
        ("CONT", None),
    ] {
        assert!(table.contains(&format!("SIG{signal}")), "SIG{signal} is documented");
        let gate = Arc::new(Gate::new());
        let hold = Arc::clone(&gate);
        let provider = Server::start(move |_| {
            hold.wait_for(1);
            Reply::ok(uniapi_body("500"))
        });
        let hook = receiver();
        let mut config = watched(&hook);
        config["projects"].as_array_mut().unwrap().push(uniapi("slow", &provider.url()));
        let run = Program::check_json(&config).by(&FRESH).start();
        provider.wait_for_requests(1);
        run.signal(signal);
        run.wait_until_heard();
        if code.is_none() {
            gate.arrive();
        }
        let run = run.finish().expect(code.unwrap_or(2));
        let report = run.report();
        assert_eq!(report["interrupted"], code.is_some(), "SIG{signal}: {run}");
        let want = if code.is_some() { "failed" } else { "ok" };
        assert_eq!(project(&report, "slow")["status"], want, "SIG{signal}: {run}");
        assert_eq!(hook.hits(), 1, "SIG{signal}: what was read is told");
        gate.arrive();
    }
    // The way out for a person at a terminal: at once, and the next run goes on.
    let provider = Server::start(|_| Reply::hang());
    for (signal, number) in [("QUIT", 3), ("ABRT", 6), ("TRAP", 5), ("SYS", 31)] {
        assert!(table.contains(&format!("SIG{signal}")), "SIG{signal} is documented");
        let program = Program::check(&config(vec![uniapi("A", &provider.url())])).by(&["prlimit", "--core=unlimited"]);
        let run = program.by(&FRESH).start();
        provider.wait_for_requests(provider.hits() + 1);
        run.signal(signal);
        let run = run.finish().expect(128 + number);
        assert!(!run.has_dumped(), "SIG{signal}: the memory holds keys: {run}");
    }
}

#[test]
fn a_hang_up_is_not_heard_where_that_is_wished() {
    let gate = Arc::new(Gate::new());
    let hold = Arc::clone(&gate);
    let provider = Server::start(move |_| {
        hold.wait_for(1);
        Reply::ok(uniapi_body("5"))
    });
    let run = Program::check_json(&config(vec![uniapi("A", &provider.url())])).by(&["nohup"]).start();
    provider.wait_for_requests(1);
    run.signal("HUP");
    gate.arrive();
    assert_eq!(run.finish().expect(2).report()["interrupted"], false);
}

#[test]
fn the_limit_of_cpu_time_may_be_said_again_and_again() {
    let (gate, hook) = (Arc::new(Gate::new()), receiver());
    let hold = Arc::clone(&gate);
    let provider = Server::start(move |_| {
        hold.wait_for(1);
        Reply::ok(uniapi_body("5"))
    });
    let mut config = watched(&hook);
    config["projects"].as_array_mut().unwrap().push(uniapi("slow", &provider.url()));
    let run = Program::check_json(&config).by(&FRESH).start();
    provider.wait_for_requests(1);
    // As the system does it: once a second.
    for _ in 0..8 {
        run.signal_if_alive("XCPU");
        thread::sleep(Duration::from_millis(100));
    }
    let run = run.finish().expect(152);
    assert_eq!((run.report()["interrupted"].clone(), hook.hits()), (json!(true), 1), "{run}");
}

/// `ulimit -t` sets both limits to the same, and the system kills at the hard one.
#[test]
fn a_run_hears_of_its_cpu_limit_before_it_is_killed() {
    let provider = Server::start(|_| Reply::hang());
    let run = Program::check_json(&config(vec![uniapi("A", &provider.url())])).by(&["prlimit", "--cpu=5:5"]).start();
    provider.wait_for_requests(1);
    let limits = run.proc("limits");
    let line = limits.lines().find(|line| line.starts_with("Max cpu time")).unwrap();
    assert_eq!(line.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["3", "5"]);
    run.signal("TERM");
    run.finish().expect(143);
}

#[test]
fn a_small_stack_costs_no_alert() {
    let hook = receiver();
    let run = Program::check_json(&watched(&hook)).by(&["prlimit", "--stack=65536:65536"]).run();
    assert_eq!(hook.hits(), 1, "{}", run.expect(2));
}

/// The reasons are this program's own words, and nobody is asked.
#[test]
fn thousands_of_entries_without_their_variable_hold_back_no_alert() {
    let hook = receiver();
    let mut config = watched(&hook);
    let broken = (0..8000).map(|index| {
        let name = format!("broken {index}");
        json!({"name": name, "provider": "uniapi", "threshold": 1, "api_key": "${BALANCE_ALERT_NOT_SET}"})
    });
    config["projects"].as_array_mut().unwrap().extend(broken);
    let run = Program::check_json(&config).args(["--timeout", "20"]).run().expect(2);
    assert_eq!(project(&run.report(), "A")["status"], "low");
    assert!(hook.requests().iter().any(|told| told.text().contains("\"A\"")), "{run}");
}

#[test]
fn time_in_which_the_process_was_stopped_does_not_end_it() {
    let (gate, hook) = (Arc::new(Gate::new()), receiver());
    let hold = Arc::clone(&gate);
    let provider = Server::start(move |_| {
        hold.wait_for(1);
        Reply::ok(uniapi_body("5"))
    });
    let mut config = watched(&hook);
    config["projects"].as_array_mut().unwrap().push(uniapi("slow", &provider.url()));
    let run = Program::check_json(&config).args(["--timeout", "1"]).by(&FRESH).start();
    provider.wait_for_requests(1);
    run.signal("TSTP");
    // Longer than the run may take in all; a process that was stopped has no other clock.
    thread::sleep(Duration::from_millis(3500));
    run.signal("CONT");
    let run = run.finish();
    let report = run.report();
    assert_eq!(project(&report, "A")["status"], "low", "its report is whole: {run}");
    assert_eq!(project(&report, "slow")["error"]["reason"], "timeout", "{run}");
}

#[test]
fn no_memory_is_written_to_a_file_and_files_may_be_as_many_as_the_system_allows() {
    let provider = Server::start(|_| Reply::hang());
    let run = Program::check(&config(vec![uniapi("A", &provider.url())]));
    let run = run.by(&["prlimit", "--core=unlimited", "--nofile=100:"]).start();
    provider.wait_for_requests(1);
    let limits = run.proc("limits");
    let line = |name: &str| -> Vec<String> {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(line("Max core file size")[..2], ["0", "0"]);
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert_eq!(line("Max open files")[..2], [hard.to_string(), hard.to_string()]);
    run.signal("KILL");
    run.finish();
}

#[test]
fn no_time_of_the_clock_ends_a_run() {
    let hook = receiver();
    let gateway = Server::start(|_| Reply::status(202, ""));
    let provider = Server::start(|_| Reply::ok(uniapi_body("5")));
    for (seconds, what) in [
        (253_402_300_799_u64, "9999-12-31T23:59:59Z"),
        (253_402_207_200, "9999-12-30T22:00:00Z, where the calendar ends"),
        (253_402_120_800, "9999-12-29T22:00:00Z"),
        (253_402_300_800, "the year 10000"),
        (1 << 61, "far behind"),
        (0, "1970"),
        (1, "1970"),
    ] {
        for provider_of in ["uniapi", "volc", "aliyun"] {
            let mut config = watched(&hook);
            config["projects"] = json!([crate::support::account("A", provider_of, &provider.url()), low("B")]);
            config["subscriptions"] = json!([
                {"name": "monthly", "cycle_type": "monthly", "renewal_day": 31, "last_renewed_date": "2026-01-31"},
                {"name": "yearly", "cycle_type": "yearly", "renewal_day": "12-31"},
                {"name": "weekly", "cycle_type": "weekly", "renewal_day": 7},
            ]);
            config["settings"]["timezone"] = json!("Pacific/Kiritimati");
            config["settings"]["response_cache_ttl"] = json!(60);
            config["metrics"] =
                json!({"pushgateway": {"url": gateway.url(), "auth": {"jwt": {"secret": "secret-of-the-gateway"}}}});
            let program = Program::check_json(&config).env("BALANCE_ALERT_CLOCK", &seconds.to_string());
            // Again, so that what the first one has written is read.
            for _ in 0..2 {
                let run = program.clone().run();
                assert!([2, 3, 75].contains(&run.code()), "{what}, {provider_of}: {run}");
                let is_well = ["panicked", "defect", ".damaged-"].iter().all(|word| !run.stderr.contains(word));
                assert!(is_well, "{what}: {run}");
                assert_eq!(run.report()["memory"]["status"], "kept", "{what}: {run}");
            }
            for command in ["status", "history", "alerts", "health"] {
                let path = program.path("config.yaml").display().to_string();
                let run = program.instead([command, "--config", &path]).run();
                assert!(run.code() <= 3 && !run.stderr.contains("panicked"), "{what}: {command}: {run}");
            }
        }
    }
}
