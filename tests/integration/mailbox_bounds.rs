//! One mail, one mailbox, one server: none of them ends a run, or takes the time or the memory of the others.

use crate::faults::Row;
use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::imap::{Then, scripted, scripted_bytes, scripted_then, sound};
use crate::support::world::{Kind, World};
use crate::support::{Finished, Program, Server, all_text, config, fine, low, project, told};
use base64::Engine;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

fn mailbox(name: &str, port: u16) -> Value {
    json!({"name": name, "host": "127.0.0.1", "port": port, "security": "none", "username": USER, "password": PASSWORD})
}

fn mail(number: usize, subject: &str) -> Vec<u8> {
    format!("From: Vendor <b@x.example>\r\nSubject: {subject}\r\nMessage-ID: <{number}@x>\r\n\r\nx\r\n").into_bytes()
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn quoted(text: &str) -> String {
    text.replace('=', "=3D")
}

/// Structures that a parser follows as deep as they go; each fits into what is fetched of a mail.
fn bottomless() -> Vec<(&'static str, String)> {
    let forwarded = |kind: &str, count: usize| format!("Content-Type: {kind}\r\n\r\n").repeat(count);
    let encoded = |encoding: &str, body: &str| {
        format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}")
    };
    let lists: String =
        (0..4000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    let digests: String = (0..2000)
        .map(|n| format!("Content-Type: multipart/digest; boundary=b{n}\r\n\r\n--b{n}\r\n\r\nSubject: x\r\n"))
        .collect();
    let mut layers = "overdue".to_owned();
    for _ in 0..22 {
        layers = encoded("base64", &base64(&layers));
    }
    vec![
        ("base64", encoded("base64", &base64(&forwarded("message/rfc822", 1600)))),
        ("quoted-printable", encoded("quoted-printable", &quoted(&forwarded("message/rfc822", 1600)))),
        ("8bit", encoded("8bit", &forwarded("message/rfc822", 8000))),
        ("comments", encoded("base64", &base64(&forwarded("message(x)/(y)rfc822", 1600)))),
        ("folded", encoded("base64", &base64(&forwarded("message/\r\n rfc822", 1600)))),
        ("global", encoded("base64", &base64(&forwarded("message/global", 1600)))),
        ("lists", lists.clone()),
        ("lists in a mail", encoded("base64", &base64(&lists[..100_000]))),
        ("digests", digests),
        ("layers", layers),
        ("comments in addresses", format!("To: {}\r\nCc: {}\r\n\r\nx", "(".repeat(100_000), "(\\(".repeat(30_000))),
        ("comments in types", format!("Content-Type: text/plain; {}\r\n\r\nx", "(".repeat(200_000))),
        ("groups", format!("To: {}\r\nReceived: {}\r\n\r\nx", "a:b;".repeat(20_000), "(from ".repeat(20_000))),
        ("continuations", {
            let names = (0..15_000).map(|n| format!(" a{n}*0*=x%;\r\n")).collect::<String>();
            format!("Content-Type: text/plain;\r\n{names}\r\nx")
        }),
        ("encoded words", format!("Subject: {}\r\n\r\nx", "=?utf-8?Q?a ".repeat(10_000))),
        ("tags", format!("Content-Type: text/html\r\n\r\n{}", "<div><table><tr>".repeat(15_000))),
    ]
}

#[test]
fn no_mail_ends_a_run_however_deep_it_goes() {
    let server = Dovecot::good();
    let hostile = bottomless();
    for (number, (name, structure)) in hostile.iter().enumerate() {
        let mail = format!("From: x@y\r\nMessage-ID: <{name}@x>\r\nMIME-Version: 1.0\r\n{structure}\r\n");
        assert!(mail.len() < 300 * 1024, "{name}: {}", mail.len());
        server.deliver(&format!("{number:03}.x"), mail.as_bytes());
    }
    server.deliver("999.x", &mail(999, "Payment failed"));
    let mut config = config(vec![low("Low")]);
    config["email"] = json!([mailbox("billing", server.plain)]);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(2);
    let report = run.report();
    let entry = &report["mailboxes"][0];
    assert_eq!(entry["scanned"], json!(hostile.len() + 1), "{run}");
    assert_eq!(entry["alerts"].as_array().unwrap().len(), 1, "{run}");
    assert_eq!(entry["alerts"][0]["subject"], "Payment failed");
    assert_eq!(project(&report, "Low")["status"], "low");
    assert_eq!(program.run().expect(2).report()["mailboxes"][0]["scanned"], 0, "it has moved on");
}

#[test]
fn no_server_ends_a_run_however_deep_its_answer_is_nested() {
    let open = |count: usize| "(".repeat(count);
    let nested = [
        format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", open(500)),
        format!("* 1 FETCH (BODY {}\r\n", open(5000)),
        format!(
            "* 1 FETCH (UID 9 BODYSTRUCTURE (\"a\" \"b\" NIL NIL NIL \"7BIT\" 1 NIL NIL NIL NIL {}\r\n",
            open(100_000)
        ),
        format!(
            "* 1 FETCH (UID 9 BODYSTRUCTURE {}\r\n",
            "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ".repeat(2000)
        ),
        format!("* 1 FETCH (UID 9 ENVELOPE {}\r\n", open(50_000)),
        format!("* OK see {{400}}\r\n* 1 FETCH (BODYSTRUCTURE {}\r\n", open(5000)),
    ];
    for line in nested {
        for command in ["CAPABILITY", "LOGIN", "ID", "EXAMINE", "UID SEARCH", "UID FETCH"] {
            let line = line.clone();
            let port = scripted("* OK ready\r\n", move |tag, said| {
                let answer = sound(tag, said);
                Some(if said.starts_with(command) { format!("{line}{answer}") } else { answer })
            });
            let mut config = config(vec![low("Low")]);
            config["email"] = json!([mailbox("hostile", port)]);
            let run = Program::check_json(&config).run().expect(2);
            let report = run.report();
            assert_eq!(project(&report, "Low")["status"], "low");
            let mailbox = &report["mailboxes"][0];
            assert_eq!(told(mailbox), "the server's answer is nested too deeply", "{command}: {run}");
            assert_eq!(mailbox["error"]["reason"], "protocol");
        }
    }
}

/// Three mails that speak of trouble, one of which ends a process that reads it.
fn with_killer(kind: Kind) -> (Dovecot, World) {
    let server = Dovecot::good();
    for number in 1..=4 {
        server.deliver(&format!("{number}.x"), &mail(number, &format!("Payment failed {number}")));
    }
    let mut world = World::new(kind, &[("A", 5)]);
    world.configure(|config| config["email"] = json!([mailbox("billing", server.plain)]));
    (server, world)
}

fn subjects(run: &Finished) -> Vec<String> {
    let report = run.report();
    let alerts = report["mailboxes"][0]["alerts"].as_array().unwrap().clone();
    alerts.iter().map(|alert| alert["subject"].as_str().unwrap().to_owned()).collect()
}

/// The rows of `tests/faults.md` that are about mailboxes.
pub(crate) fn faults() -> Vec<Row> {
    vec![
        deadly_mail(Kind::Sqlite, "abort"),
        deadly_mail(Kind::Postgres, "abort"),
        endless_mail(),
        nested_answer(),
        unresolved_names(),
    ]
}

fn deadly_mail(kind: Kind, fault: &str) -> Row {
    let (server, world) = with_killer(kind);
    let fault = format!("{fault}:mail:<2@x>");
    let run = || world.program.clone().env("BALANCE_ALERT_FAULT", &fault).run();
    let first = run();
    assert!(matches!(first.code(), 134 | 137), "{first}");
    assert_eq!(world.hook.hits(), 0, "nothing was told");
    let second = run().expect(2);
    let left_out = "a mail could not be read (UID 2): an earlier run died of it";
    assert_eq!(subjects(&second), ["Payment failed 1", left_out, "Payment failed 3", "Payment failed 4"]);
    let alert = &second.report()["mailboxes"][0]["alerts"][1];
    assert_eq!((&alert["sender"], &alert["keywords"]), (&json!("unknown"), &json!([])));
    assert!(second.stderr.contains("`billing`: the mail with UID 2 is left out"), "{second}");
    let mut seen = 0;
    let told = world.messages(&mut seen);
    assert_eq!(told.len(), 5, "the account and four mails: {told:?}");
    assert_eq!(world.count("SELECT count(*) FROM mail_marks"), 0);
    // It has moved on, and goes on as ever.
    server.deliver("5.x", &mail(5, "Payment failed 5"));
    let third = run().expect(2);
    assert_eq!(subjects(&third), ["Payment failed 5"], "{third}");
    assert_eq!(third.stderr, "");
    assert_eq!(world.messages(&mut seen), ["raised mail warning billing"]);
    Row {
        fault: "a mail that ends the process that reads it".into(),
        store: kind.name(),
        run: "dies".into(),
        told: "nothing".into(),
        next: "sends every alert, and that this mail could not be read".into(),
    }
}

#[test]
fn a_mail_that_has_the_process_killed_costs_one_run() {
    deadly_mail(Kind::Sqlite, "kill");
}

fn endless_mail() -> Row {
    let (_server, mut world) = with_killer(Kind::Sqlite);
    world.configure(|config| config["settings"]["run_timeout_seconds"] = json!(12));
    let run = || world.program.clone().env("BALANCE_ALERT_FAULT", "hang:mail:<2@x>").run().expect(2);
    let first = run();
    assert_eq!(first.report()["mailboxes"][0]["error"]["reason"], "timeout", "{first}");
    assert_eq!(world.messages(&mut 0), ["raised low critical A"], "the others are told");
    let second = run();
    assert_eq!(subjects(&second).len(), 4, "{second}");
    assert_eq!(second.report()["mailboxes"][0]["alerts"][1]["sender"], "unknown", "{second}");
    assert_eq!(world.messages(&mut 1).len(), 4);
    Row {
        fault: "a mail that is never read to its end".into(),
        store: world.kind.name(),
        run: "gives its mailbox up at its deadline".into(),
        told: "every other alert".into(),
        next: "sends this mailbox's alerts, and that this mail could not be read".into(),
    }
}

fn nested_answer() -> Row {
    let port = scripted("* OK ready\r\n", |tag, said| {
        Some(format!("* 1 FETCH (BODYSTRUCTURE {}\r\n{}", "(".repeat(5000), sound(tag, said)))
    });
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.configure(|config| config["email"] = json!([mailbox("billing", port)]));
    let run = world.run().expect(2);
    assert_eq!(
        run.report()["mailboxes"][0]["error"]["message"],
        format!("127.0.0.1:{port}: the server's answer is nested too deeply")
    );
    assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
    world.run().expect(2);
    world.run().expect(2);
    assert_eq!(world.messages(&mut 1), ["raised failing warning billing"]);
    Row {
        fault: "a mailbox's server nests its answer 5 000 deep".into(),
        store: world.kind.name(),
        run: "says so and goes on".into(),
        told: "every other alert".into(),
        next: "the same while it lasts; after three runs that the mailbox cannot be read".into(),
    }
}

fn unresolved_names() -> Row {
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.configure(|config| {
        let names = (0..30).map(|n| format!("mail-{n}.example"));
        config["email"] =
            names.map(|name| json!({"name": name, "host": name, "username": "u", "password": "secret-word"})).collect();
        config["settings"]["request_timeout_seconds"] = json!(1);
    });
    let run = || world.program.clone().env("BALANCE_ALERT_FAULT", "hang:resolve").run().expect(2);
    let first = run();
    let report = first.report();
    let reasons = report["mailboxes"].as_array().unwrap().iter().map(|mailbox| &mailbox["error"]["reason"]);
    assert!(reasons.clone().all(|reason| reason == "dns") && reasons.count() == 30, "{first}");
    run();
    assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
    run();
    let mut told = world.messages(&mut 1);
    told.sort();
    let mut names: Vec<String> = (0..30).map(|n| format!("raised failing warning mail-{n}.example")).collect();
    names.sort();
    assert_eq!(told, names);
    Row {
        fault: "the names of 30 mailboxes' servers do not resolve".into(),
        store: world.kind.name(),
        run: "waits for none of them longer than `request_timeout_seconds`, and holds up no account".into(),
        told: "every other alert".into(),
        next: "the same while it lasts; after three runs that the mailboxes cannot be read".into(),
    }
}

#[test]
fn a_mail_that_panics_costs_nothing_but_itself() {
    let (_server, world) = with_killer(Kind::Sqlite);
    let run = world.program.clone().env("BALANCE_ALERT_FAULT", "mail:<2@x>").run().expect(2);
    let left_out = "a mail could not be read (UID 2): reading it failed by a defect of this program";
    assert_eq!(subjects(&run), ["Payment failed 1", left_out, "Payment failed 3", "Payment failed 4"], "{run}");
}

#[test]
fn a_run_that_died_for_another_reason_costs_no_mail() {
    let (_server, world) = with_killer(Kind::Sqlite);
    let killed = world.program.clone().env("BALANCE_ALERT_FAULT", "kill:before-claim").run();
    assert_eq!(killed.code(), 137);
    assert_eq!(world.count("SELECT count(*) FROM mail_marks"), 1, "the mails were about to be read");
    let run = world.run().expect(2);
    assert_eq!(subjects(&run), ["Payment failed 1", "Payment failed 2", "Payment failed 3", "Payment failed 4"]);
    assert_eq!(run.stderr, "");
}

#[test]
fn without_trials_a_mail_that_ends_the_process_is_left_out_by_the_run_after_the_next() {
    let (_server, world) = with_killer(Kind::Sqlite);
    let run = || world.program.clone().env("BALANCE_ALERT_FAULT", "abort:mail:<2@x>,no-trial").run();
    assert_eq!((run().code(), run().code()), (134, 134));
    let third = run().expect(2);
    assert_eq!(subjects(&third).len(), 4, "{third}");
    assert!(third.stderr.contains("UID 2 is left out"), "{third}");
}

#[test]
fn names_that_do_not_resolve_keep_no_account_waiting() {
    for workers in [1, 4] {
        let mut config = config(vec![low("Low"), fine("Fine"), low("Low too")]);
        config["email"] = (0..30)
            .map(|n| {
                json!({"name": format!("box {n}"), "host": format!("mail-{n}.example"), "username": "u", "password": "secret-word"})
            })
            .collect();
        config["settings"] = json!({"max_concurrent_checks": workers, "request_timeout_seconds": 1, "max_retries": 0,
            "run_timeout_seconds": 8});
        let run = Program::check_json(&config).env("BALANCE_ALERT_FAULT", "hang:resolve").run().expect(2);
        let report = run.report();
        for (name, status) in [("Low", "low"), ("Fine", "ok"), ("Low too", "low")] {
            assert_eq!(project(&report, name)["status"], status, "{run}");
        }
        let mailboxes = report["mailboxes"].as_array().unwrap();
        assert_eq!(mailboxes.len(), 30);
        for mailbox in mailboxes {
            assert_eq!(mailbox["error"]["reason"], "dns", "{mailbox}");
            let message = mailbox["error"]["message"].as_str().unwrap();
            assert!(message.ends_with(".example: the host name could not be resolved within 1 s"), "{mailbox}");
        }
    }
    // One that does not exist is said at once.
    let mut config = config(vec![low("Low")]);
    config["email"] = json!([{"host": "no-such-host.invalid", "username": "u", "password": "secret-word"}]);
    let report = Program::check_json(&config).run().expect(2).report();
    assert_eq!(report["mailboxes"][0]["error"]["message"], "no-such-host.invalid: the host name could not be resolved");
}

#[test]
fn mailboxes_that_hang_keep_no_account_waiting() {
    let silent: Vec<TcpListener> = (0..12).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let hung = |server: &TcpListener| {
        mailbox(&format!("{}", server.local_addr().unwrap()), server.local_addr().unwrap().port())
    };
    let mut config = config((0..20).map(|n| fine(&format!("Fine {n}"))).collect());
    config["email"] = silent.iter().map(hung).collect();
    config["settings"] =
        json!({"max_concurrent_checks": 4, "request_timeout_seconds": 20, "max_retries": 0, "run_timeout_seconds": 3});
    let report = Program::check_json(&config).run().expect(3).report();
    assert!(report["projects"].as_array().unwrap().iter().all(|account| account["status"] == "ok"), "{report}");
    // Half of the workers had one each, and the rest was never begun.
    let started =
        report["mailboxes"].as_array().unwrap().iter().filter(|mailbox| mailbox["error"]["reason"] == "timeout");
    assert_eq!(started.count(), 12, "{report}");
}

#[test]
fn mailboxes_that_hang_leave_the_next_ones_their_part_of_the_time() {
    let silent: Vec<TcpListener> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let port = scripted("* OK ready\r\n", |tag, said| Some(sound(tag, said)));
    for workers in [1, 2, 4] {
        let mut config = config(vec![low("Low")]);
        let hung = silent.iter().map(|server| server.local_addr().unwrap().port());
        let mut mailboxes: Vec<Value> = hung.enumerate().map(|(n, port)| mailbox(&format!("hung {n}"), port)).collect();
        mailboxes.push(mailbox("sound", port));
        config["email"] = json!(mailboxes);
        config["settings"] = json!({"max_concurrent_checks": workers, "request_timeout_seconds": 15, "max_retries": 0,
            "run_timeout_seconds": 10});
        let run = Program::check_json(&config).run().expect(2);
        let report = run.report();
        let last = report["mailboxes"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["name"], &last["status"]), (&json!("sound"), &json!("ok")), "{workers}: {run}");
    }
}

#[test]
fn a_server_that_drips_has_a_mailboxes_time_and_no_more() {
    // A handshake whose first record never ends; each byte comes well within the time-out.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, gone) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        // A handshake record of 16 KiB.
        let _ = stream.write_all(&[22, 3, 3, 0x40, 0]);
        let mut count = 0;
        while count < 200 && stream.write_all(&[2]).is_ok() {
            count += 1;
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let _ = sender.send(count);
    });
    let mut config = config(vec![low("Low")]);
    config["email"] = json!([{"host": "127.0.0.1", "port": port, "username": "u", "password": "secret-word"}]);
    config["settings"] = json!({"request_timeout_seconds": 1, "max_retries": 0, "run_timeout_seconds": 3});
    let report = Program::check_json(&config).run().expect(2).report();
    assert_eq!(report["mailboxes"][0]["error"]["reason"], "timeout", "{report}");
    // The run has three seconds, of which a mailbox leaves some to what follows; the wait for a byte was never too long.
    let seconds = told(&report["mailboxes"][0]).strip_prefix("timed out after ").unwrap().strip_suffix(" s").unwrap();
    assert!((2.0..3.0).contains(&seconds.parse::<f64>().unwrap()), "{report}");
    assert!(gone.recv().unwrap() < 200, "the client has hung up");
}

#[test]
fn what_was_read_counts_when_the_server_stops_in_the_middle() {
    let numbers: Vec<String> = (1..=30).map(|n| n.to_string()).collect();
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = said.clone();
    let port = scripted("* OK ready\r\n", move |tag, line| {
        heard.lock().unwrap().push(line.to_owned());
        if line.starts_with("UID SEARCH") {
            return Some(format!("* SEARCH {}\r\n{tag} OK\r\n", numbers.join(" ")));
        }
        let Some(list) = line.strip_prefix("UID FETCH ") else {
            return Some(sound(tag, line));
        };
        let wanted: Vec<&str> = list.split(' ').next().unwrap().split(',').collect();
        // From there on it delivers no mail any more.
        if heard.lock().unwrap().iter().any(|line| line.starts_with("UID FETCH 26,")) {
            return None;
        }
        let mails = wanted.iter().map(|uid| {
            let mail = format!("Message-ID: <{uid}@x>\r\nSubject: Payment failed {uid}\r\n\r\n");
            format!("* {uid} FETCH (UID {uid} BODY[]<0> {{{}}}\r\n{mail})\r\n", mail.len())
        });
        Some(format!("{}{tag} OK\r\n", mails.collect::<String>()))
    });
    let mut config = config(vec![]);
    config["email"] = json!([mailbox("billing", port)]);
    config["settings"]["request_timeout_seconds"] = json!(1);
    let program = Program::check_json(&config);
    let run = program.clone().run().expect(3);
    let entry = run.report()["mailboxes"][0].clone();
    assert_eq!((&entry["scanned"], &entry["new"], &entry["remaining"]), (&json!(25), &json!(25), &json!(5)), "{run}");
    assert_eq!((&entry["status"], &entry["error"]["reason"]), (&json!("failed"), &json!("timeout")));
    let left = format!("`billing`: 5 mails are left for the next run: 127.0.0.1:{port}: timed out after 1 s");
    assert!(run.stderr.contains(&left), "{run}");
    said.lock().unwrap().clear();
    program.run().expect(3);
    assert!(said.lock().unwrap().iter().any(|line| line == "UID SEARCH UID 26:*"), "{:?}", said.lock().unwrap());
}

/// A folder whose server fails on some mails.
struct Stock {
    port: u16,
    /// How many mails there are, and which of them the server fails on.
    state: Arc<Mutex<(u32, Vec<u32>)>>,
    logins: Arc<Mutex<usize>>,
}

impl Stock {
    /// Five mails; `fail` is what the server says instead of one, and what it does then. One that listens goes on with the next
    /// mail unless it has ended the command.
    fn new(fail: impl Fn(&str, u32) -> (String, Then) + Send + 'static) -> Stock {
        let state = Arc::new(Mutex::new((5, Vec::new())));
        let logins = Arc::new(Mutex::new(0));
        let (shared, count_of_logins) = (state.clone(), logins.clone());
        let port = scripted_then(b"* OK ready\r\n".to_vec(), move |tag, line| {
            *count_of_logins.lock().unwrap() += usize::from(line.starts_with("LOGIN"));
            let (count, bad) = shared.lock().unwrap().clone();
            let (said, then) = stocked(tag, line, count, &bad, &fail);
            (said.into_bytes(), then)
        });
        Stock { port, state, logins }
    }

    fn change(&self, count: u32, bad: impl IntoIterator<Item = u32>) {
        *self.state.lock().unwrap() = (count, bad.into_iter().collect());
    }
}

fn stocked(
    tag: &str,
    line: &str,
    count: u32,
    bad: &[u32],
    fail: &dyn Fn(&str, u32) -> (String, Then),
) -> (String, Then) {
    let words: Vec<&str> = line.split(' ').collect();
    let wanted: Vec<u32> = match words[..] {
        ["UID", "SEARCH", ref query @ ..] => {
            let first = query.get(1).and_then(|range| range.strip_suffix(":*")?.parse().ok()).unwrap_or(1);
            let found: Vec<String> = (first.min(count)..=count).map(|uid| uid.to_string()).collect();
            return (format!("* SEARCH {}\r\n{tag} OK\r\n", found.join(" ")), Then::Listen);
        }
        ["UID", "FETCH", list, ..] => list.split(',').map(|uid| uid.parse().unwrap()).collect(),
        ["FETCH", "1", ..] => vec![1],
        _ => return (sound(tag, line).replace("UIDNEXT 10", &format!("UIDNEXT {}", count + 1)), Then::Listen),
    };
    let mut said = String::new();
    for uid in wanted {
        if !bad.contains(&uid) {
            let mail = format!("Message-ID: <{uid}@x>\r\nSubject: Payment failed {uid}\r\n\r\n");
            said += &format!("* {uid} FETCH (UID {uid} BODY[]<0> {{{}}}\r\n{mail})\r\n", mail.len());
            continue;
        }
        let (text, then) = fail(tag, uid);
        said += &text;
        if then != Then::Listen || text.is_empty() || text.contains(tag) {
            return (said, then);
        }
    }
    (format!("{said}{tag} OK\r\n"), Then::Listen)
}

/// How a server fails on a mail: what it says, what it does then, and what is told of it.
type Fault = (&'static str, fn(&str, u32) -> (String, Then), &'static str, &'static str);

const FAULTS: [Fault; 12] = [
    (
        "no",
        |tag, _| (format!("{tag} NO [SERVERBUG] x\r\n"), Then::Listen),
        "protocol",
        "the server refuses: [SERVERBUG] x",
    ),
    ("bad", |tag, _| (format!("{tag} BAD x\r\n"), Then::Listen), "protocol", "the server does not understand: x"),
    ("closes", |_, _| (String::new(), Then::HangUp), "connect", "the connection was closed early"),
    ("bye", |_, _| ("* BYE x\r\n".into(), Then::HangUp), "connect", "the server has hung up: x"),
    ("hangs", |_, _| (String::new(), Then::Listen), "timeout", "timed out after 1 s"),
    (
        "drips",
        |_, uid| (format!("* {uid} FETCH (UID {uid} BODY[]<0> {{9000}}\r\n"), Then::Drip),
        "timeout",
        "timed out after ",
    ),
    (
        "too large",
        |tag, uid| {
            let body = "x".repeat(400_000);
            (format!("* {uid} FETCH (UID {uid} BODY[] {{400000}}\r\n{body})\r\n{tag} OK\r\n"), Then::Listen)
        },
        "protocol",
        "the server sends a literal that is larger than allowed",
    ),
    (
        "too deep",
        |tag, uid| (format!("* {uid} FETCH (UID {uid} BODY {}\r\n{tag} OK\r\n", "(".repeat(99)), Then::Listen),
        "protocol",
        "the server's answer is nested too deeply",
    ),
    (
        "bad syntax",
        |tag, uid| (format!("* {uid} FETCH (UID {uid} BODY[]<0> x y\r\n{tag} OK\r\n"), Then::Listen),
        "protocol",
        "the server's answer cannot be understood",
    ),
    (
        "nothing",
        |_, uid| {
            (format!("* {uid} FETCH (UID {uid} BODY[]<0> NIL)\r\n* {uid} FETCH (UID {uid} FLAGS ())\r\n"), Then::Listen)
        },
        "protocol",
        "there is nothing in what it sends",
    ),
    (
        "flags alone",
        |_, uid| (format!("* {uid} FETCH (UID {uid} FLAGS ())\r\n"), Then::Listen),
        "protocol",
        "there is nothing in what it sends",
    ),
    (
        "an empty string",
        |_, uid| (format!("* {uid} FETCH (UID {uid} BODY[]<0> \"\")\r\n"), Then::Listen),
        "protocol",
        "there is nothing in what it sends",
    ),
];

fn stocked_config(stock: &Stock) -> Value {
    let mut config = config(vec![]);
    let other = scripted("* OK ready\r\n", |tag, line| Some(sound(tag, line)));
    config["email"] = json!([mailbox("billing", stock.port), mailbox("sound", other)]);
    config["settings"] = json!({"request_timeout_seconds": 1, "max_retries": 0, "run_timeout_seconds": 11});
    config
}

fn payments(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|uid| format!("Payment failed {uid}")).collect()
}

/// The subjects are those of the mails, but for some, which could not be read.
fn assert_left_out(run: &Finished, numbers: impl IntoIterator<Item = u32>, bad: &[u32], why: &str) {
    let (subjects, mails) = (subjects(run), payments(numbers));
    assert_eq!(subjects.len(), mails.len(), "{run}");
    for (subject, mail) in subjects.iter().zip(mails) {
        let out = bad.iter().find(|uid| mail.ends_with(&format!(" {uid}")));
        let wanted =
            out.map(|uid| format!("a mail could not be read (UID {uid}): the server does not deliver it: {why}"));
        assert!(subject.starts_with(&wanted.unwrap_or(mail)), "{subject}: {run}");
    }
    assert_eq!(run.report()["mailboxes"][0]["status"], "alert", "{run}");
}

#[test]
fn a_mail_that_the_server_does_not_deliver_keeps_none_back() {
    for (_, fail, _, why) in FAULTS {
        let stock = Stock::new(fail);
        stock.change(5, [3]);
        let program = Program::check_json(&stocked_config(&stock));
        let first = program.clone().run().expect(1);
        assert_left_out(&first, 1..=5, &[3], why);
        assert_eq!(first.report()["mailboxes"][0]["scanned"], 5, "{first}");
        assert_eq!(first.report()["mailboxes"][1]["scanned"], 1, "{first}");
        assert!(first.stderr.contains("`billing`: the mail with UID 3 is left out"), "{first}");
        let second = program.clone().run().expect(0);
        assert_eq!(second.report()["mailboxes"][0]["scanned"], 0, "{second}");
        // The only one that is new: what the folder held before shows that the server is well.
        stock.change(6, [3, 6]);
        assert_left_out(&program.clone().run().expect(1), 6..=6, &[6], why);
        stock.change(7, []);
        assert_left_out(&program.run().expect(1), 7..=7, &[], why);
    }
}

#[test]
fn a_server_that_delivers_nothing_fails_and_loses_nothing() {
    for (name, fail, reason, why) in FAULTS {
        let stock = Stock::new(fail);
        stock.change(5, 1..=5);
        let program = Program::check_json(&stocked_config(&stock));
        for _ in 0..2 {
            let run = program.clone().run().expect(3);
            let entry = run.report()["mailboxes"][0].clone();
            assert_eq!((&entry["status"], &entry["error"]["reason"]), (&json!("failed"), &json!(reason)), "{run}");
            assert!(told(&entry).starts_with(why), "{run}");
            // A run has eleven seconds. What is said to have passed has passed.
            if name == "drips" {
                let seconds = told(&entry)[why.len()..].trim_end_matches(" s").parse::<f64>().unwrap();
                assert!((8.0..11.0).contains(&seconds), "{run}");
            }
        }
        stock.change(5, []);
        assert_left_out(&program.run().expect(1), 1..=5, &[], why);
    }
}

#[test]
fn a_server_that_hangs_up_on_each_mail_is_not_logged_in_to_for_ever() {
    let stock = Stock::new(|_, _| (String::new(), Then::HangUp));
    stock.change(5, 1..=5);
    let mut config = stocked_config(&stock);
    config["settings"]["max_retries"] = json!(5);
    let run = Program::check_json(&config).run().expect(3);
    assert_eq!(told(&run.report()["mailboxes"][0]), "the connection was closed early", "{run}");
    assert!(*stock.logins.lock().unwrap() <= 5, "{run}");
}

#[test]
fn some_mails_that_the_server_does_not_deliver_are_left_out_wherever_they_are() {
    for bad in [vec![1], vec![5], vec![1, 2], vec![4, 5], vec![1, 3, 5], vec![2, 3, 4]] {
        for (_, fail, _, why) in FAULTS.into_iter().filter(|fault| !["hangs", "drips"].contains(&fault.0)) {
            let stock = Stock::new(fail);
            stock.change(5, bad.clone());
            let run = Program::check_json(&stocked_config(&stock)).run().expect(1);
            assert_left_out(&run, 1..=5, &bad, why);
        }
    }
}

#[test]
fn a_mail_that_is_gone_is_not_told_and_many_that_break_the_connection_take_more_runs_than_one() {
    let stock = Stock::new(|_, uid| (format!("* {uid} EXPUNGE\r\n"), Then::Listen));
    stock.change(5, [3]);
    let run = Program::check_json(&stocked_config(&stock)).run().expect(1);
    assert_eq!(subjects(&run), payments([1, 2, 4, 5]), "{run}");
    let stock = Stock::new(|_, _| (String::new(), Then::HangUp));
    stock.change(20, 2..=19);
    let program = Program::check_json(&stocked_config(&stock));
    let mut told = subjects(&program.clone().run());
    assert!((1..20).contains(&told.len()), "the server is not logged in to so often in one run: {told:?}");
    for _ in 0..5 {
        told.extend(subjects(&program.clone().run()));
    }
    assert_eq!(told.len(), 20, "{told:?}");
    assert_eq!(told.iter().filter(|subject| subject.contains("could not be read")).count(), 18);
}

#[test]
fn folders_are_found_by_the_names_that_people_give_them() {
    let server = Dovecot::good();
    server.deliver("1.x", &mail(1, "in the inbox"));
    for (folder, subject) in
        [("&jSZTVQ-", "账单"), ("R&-D", "research"), ("R&--D", "with a minus"), ("&2D3csA- bills", "emoji")]
    {
        server.deliver_into(folder, &mail(1, &format!("overdue {subject}")));
    }
    for (folder, subject) in [
        ("账单", "账单"),
        ("&jSZTVQ-", "账单"),
        ("R&D", "research"),
        // As it is written on the wire comes first.
        ("R&-D", "research"),
        ("R&--D", "with a minus"),
        ("💰 bills", "emoji"),
    ] {
        let mut config = config(vec![]);
        config["email"] = json!([mailbox("billing", server.plain)]);
        config["email"][0]["folder"] = json!(folder);
        config["state"] = json!("none");
        let run = Program::check_json(&config).run().expect(1);
        assert_eq!(subjects(&run), [format!("overdue {subject}")], "{folder}: {run}");
    }
    let mut config = config(vec![]);
    config["email"] = json!([mailbox("billing", server.plain)]);
    config["email"][0]["folder"] = json!("没有");
    let run = Program::check_json(&config).run().expect(3);
    let message = told(&run.report()["mailboxes"][0]).to_owned();
    assert!(message.starts_with("the folder cannot be opened: the server refuses: "), "{message}");
}

#[test]
fn a_servers_words_are_read_in_their_charset() {
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let cases: [(&str, &str, Vec<u8>, &str, &str); 9] = [
        (
            "LOGIN",
            "* OK ready\r\n",
            gbk("{tag} NO [AUTHENTICATIONFAILED] 密码错误或未开启服务\r\n"),
            "auth",
            "密码错误或未开启服务",
        ),
        ("LOGIN", "* OK ready\r\n", gbk("{tag} BAD 命令错误\r\n"), "protocol", "命令错误"),
        // What comes right after it does not hide it.
        ("LOGIN", "* OK ready\r\n", gbk("{tag} NO 登录失败\r\n* BYE 再见\r\n"), "auth", "登录失败"),
        (
            "EXAMINE",
            "* OK ready\r\n",
            gbk("* NO [ALERT] 空间不足\r\n{tag} NO 没有此文件夹\r\n"),
            "protocol",
            "没有此文件夹",
        ),
        // Only where somebody logs in is a refusal one of the user.
        ("CAPABILITY", "* OK ready\r\n", gbk("{tag} NO 稍后再试\r\n"), "protocol", "稍后再试"),
        ("UID SEARCH", "* OK ready\r\n", gbk("{tag} NO 服务器忙\r\n"), "protocol", "服务器忙"),
        ("UID FETCH", "* OK ready\r\n", gbk("{tag} NO 服务器忙\r\n"), "protocol", "服务器忙"),
        ("CAPABILITY", "* BYE 连接过多\r\n", Vec::new(), "connect", "连接过多"),
        (
            "LOGIN",
            "* OK ready\r\n",
            gbk(&format!("{{tag}} NO {}\r\n", "密".repeat(2000))),
            "auth",
            "the server refuses: 密密密",
        ),
    ];
    for (command, greeting, answer, reason, says) in cases {
        let port = scripted_bytes(gbk(greeting), move |tag, line| {
            if !line.starts_with(command) {
                return Some(sound(tag, line).into_bytes());
            }
            // The tag is ASCII, as the rest of what stands around it.
            let at = answer.windows(5).position(|bytes| bytes == b"{tag}")?;
            Some([&answer[..at], tag.as_bytes(), &answer[at + 5..]].concat())
        });
        let mut config = config(vec![]);
        config["email"] = json!([mailbox("billing", port)]);
        config["settings"]["request_timeout_seconds"] = json!(1);
        let run = Program::check_json(&config).run().expect(3);
        let error = run.report()["mailboxes"][0]["error"].clone();
        assert_eq!(error["reason"], reason, "{run}");
        assert!(error["message"].as_str().unwrap().contains(says), "{run}");
    }
}

#[test]
fn words_beside_an_answer_that_is_sound_are_no_failure() {
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let port = scripted_bytes(gbk("* OK 欢迎\r\n"), move |tag, line| {
        let alert = gbk("* OK [ALERT] 空间不足\r\n* NO 警告\r\n* BAD 警告\r\n");
        Some([alert, sound(tag, line).replace("OK done", "OK 完成").into_bytes()].concat())
    });
    let mut config = config(vec![]);
    config["email"] = json!([mailbox("billing", port)]);
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(run.report()["mailboxes"][0]["scanned"], 1, "{run}");
}

#[test]
fn an_unread_mail_is_worded_as_such() {
    let (_server, mut world) = with_killer(Kind::Sqlite);
    let hook = Server::start(|_| crate::support::Reply::ok("{\"code\":0}"));
    world.configure(|config| config["webhook"] = json!({"type": "feishu", "url": hook.url()}));
    world.program.clone().env("BALANCE_ALERT_FAULT", "mail:<2@x>").run().expect(2);
    let text = all_text(&hook.only_request().json());
    let line = text.lines().find(|line| line.contains("UID 2")).unwrap_or_else(|| panic!("it is told: {text}"));
    let said = "🟡 billing: mail “a mail could not be read (UID 2): reading it failed by a defect of this program” from “unknown”, ";
    let when = line.strip_prefix(said).unwrap_or_else(|| panic!("{line}"));
    assert!(when.ends_with(" UTC") && !when.contains(','), "the time and no words: {line}");
    let table = world.program.instead(["check", "--config", "config.yaml", "--state", "none"]);
    let table = table.env("BALANCE_ALERT_FAULT", "mail:<2@x>").run().expect(2);
    assert!(table.stdout.contains("unknown - a mail could not be read (UID 2): reading it failed"), "{table}");
    assert!(!table.stdout.contains("[]"), "{table}");
}
