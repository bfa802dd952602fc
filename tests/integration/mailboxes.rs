//! Visits to a real Dovecot, and to servers that misbehave.

use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::imap::{scripted, sound};
use crate::support::{Program, Reply, Server, config, pki};
use balance_alert::internals::{
    Address, Bounds, Cursor, Failure, Letter, Mail, Proof, Reader, Reason, Redactor, Retry, Security, Visit as Of,
    mail, visit,
};
use native_tls::{Certificate, TlsConnector};
use serde_json::{Value, json};
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

fn bounds() -> Bounds {
    Bounds {
        today: jiff::Zoned::now().date(),
        now: jiff::Timestamp::now(),
        days: 1,
        most: 1000,
        timeout: Duration::from_secs(5),
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

fn address(port: u16, security: Security) -> Address {
    Address { host: "127.0.0.1".into(), port, security, username: USER.into(), folder: "INBOX".into() }
}

fn proof(password: &str) -> Proof {
    Proof::Password(password.into())
}

type Visit = Of<(Mail, Option<jiff::Timestamp>)>;

/// Keeps every mail.
struct All;

impl Reader for All {
    type Kept = (Mail, Option<jiff::Timestamp>);

    fn announce(&mut self, _: u32, _: &[u32]) {}

    fn read(&mut self, letter: Letter) -> Result<Option<Self::Kept>, Failure> {
        Ok(Some((mail::read(letter.raw), letter.received)))
    }

    fn miss(&mut self, uid: u32, _: Option<jiff::Timestamp>, why: Failure) -> Option<Self::Kept> {
        panic!("the mail with UID {uid} has not come: {}", why.message)
    }
}

/// Trusts the tests' own authority.
fn connector() -> Result<TlsConnector, String> {
    let authority = Certificate::from_pem(pki::ca_pem().as_bytes()).unwrap();
    TlsConnector::builder().add_root_certificate(authority).build().map_err(|error| error.to_string())
}

fn look(address: &Address, cursor: Option<Cursor>) -> Result<Visit, Failure> {
    look_with(address, &proof(PASSWORD), connector, cursor, &bounds())
}

fn look_with(
    address: &Address,
    proof: &Proof,
    connector: impl Fn() -> Result<TlsConnector, String>,
    cursor: Option<Cursor>,
    bounds: &Bounds,
) -> Result<Visit, Failure> {
    let addresses: Vec<_> = (address.host.as_str(), address.port).to_socket_addrs().unwrap().collect();
    visit(address, &addresses, proof, connector, cursor, bounds, &mut All)
}

fn mail(number: u32) -> Vec<u8> {
    format!("From: b@x.example\r\nSubject: mail {number}\r\nMessage-ID: <{number}@x>\r\n\r\n余额不足 {number}\r\n")
        .into_bytes()
}

fn subjects(visit: &Visit) -> Vec<String> {
    visit.found.iter().map(|(mail, _)| mail.subject.clone()).collect()
}

#[test]
fn a_visit_reads_what_is_new_and_changes_nothing() {
    let server = Dovecot::good();
    (1..=30).for_each(|n| server.deliver(&format!("{n:03}.x"), &mail(n)));
    let plain = address(server.plain, Security::None);
    let before = {
        // Dovecot itself names the mails anew on their first sight.
        look(&plain, None).unwrap();
        server.flags()
    };
    let mut cursors = Vec::new();
    for (port, security) in
        [(server.plain, Security::None), (server.tls, Security::Tls), (server.plain, Security::StartTls)]
    {
        let found = look(&address(port, security), None).unwrap();
        assert_eq!(subjects(&found), (1..=30).map(|n| format!("mail {n}")).collect::<Vec<_>>(), "{security:?}");
        assert!(found.found[0].0.text.contains("余额不足 1"));
        assert!(found.found.iter().all(|(_, received)| received.is_some()));
        cursors.push(found.cursor);
    }
    assert!(cursors.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(server.flags(), before, "no mail was marked");
    // A second visit has nothing to read; then only what has come.
    let cursor = cursors[0];
    assert_eq!(look(&plain, Some(cursor)).unwrap().found.len(), 0);
    server.deliver("031.x", &mail(31));
    let found = look(&plain, Some(cursor)).unwrap();
    assert_eq!(subjects(&found), ["mail 31"]);
    assert_eq!(look(&plain, Some(found.cursor)).unwrap().found.len(), 0);
    // Other numbers: everything of the last days, once more.
    server.renumber();
    let anew = look(&plain, Some(found.cursor)).unwrap();
    assert_ne!(anew.cursor.validity, found.cursor.validity);
    assert_eq!(anew.found.len(), 31);
    // The newest, and how many were left out.
    let few = Bounds { most: 10, ..bounds() };
    let found = look_with(&plain, &proof(PASSWORD), connector, None, &few).unwrap();
    assert_eq!((found.found.len(), found.skipped), (10, 21));
    assert_eq!(look(&plain, Some(found.cursor)).unwrap().found.len(), 0);
}

#[test]
fn a_large_mail_is_read_in_part() {
    let server = Dovecot::good();
    let mut large = b"Subject: large\r\n\r\nfirst words\r\n".to_vec();
    large.resize(50 << 20, b'x');
    server.deliver("1.x", &large);
    server.deliver("2.x", &mail(2));
    let found = look(&address(server.tls, Security::Tls), None).unwrap();
    assert_eq!(subjects(&found), ["large", "mail 2"]);
    assert!(found.found[0].0.text.starts_with("first words"));
    assert!(found.found[0].0.text.len() <= 256 * 1024 + 1);
}

#[test]
fn what_keeps_a_visit_from_succeeding_is_named() {
    let server = Dovecot::good();
    server.deliver("1.x", &mail(1));
    let plain = address(server.plain, Security::None);
    let fails = |address: &Address, password: &str, reason: Reason, says: &str| {
        let failure = look_with(address, &proof(password), connector, None, &bounds()).unwrap_err();
        assert_eq!(failure.reason, reason, "{failure:?}");
        assert!(failure.describe().contains(says), "{failure:?}");
        failure
    };
    let wrong = fails(&plain, "wrong", Reason::Auth, "the server refuses: ");
    assert_eq!(wrong.retry, Retry::Never, "servers lock accounts");
    fails(&plain, "line\nbreak", Reason::Config, "cannot carry");
    fails(
        &Address { folder: "Nowhere".into(), ..plain.clone() },
        PASSWORD,
        Reason::Protocol,
        "the folder cannot be opened",
    );
    fails(&Address { port: crate::support::free_port(), ..plain.clone() }, PASSWORD, Reason::Connect, "refused");
    fails(&address(server.plain, Security::Tls), PASSWORD, Reason::Tls, "");
    let other = Dovecot::start(pki::wrong_host_pem());
    fails(&address(other.tls, Security::Tls), PASSWORD, Reason::Tls, "for another host");
    fails(&address(other.plain, Security::StartTls), PASSWORD, Reason::Tls, "for another host");
    let untrusting = || TlsConnector::new().map_err(|error| error.to_string());
    let failure =
        look_with(&address(server.tls, Security::Tls), &proof(PASSWORD), untrusting, None, &bounds()).unwrap_err();
    assert_eq!(failure.reason, Reason::Tls);
}

fn quick(port: u16) -> Result<Visit, Failure> {
    let bounds =
        Bounds { timeout: Duration::from_millis(300), deadline: Instant::now() + Duration::from_secs(3), ..bounds() };
    look_with(&address(port, Security::None), &proof("secret-word"), connector, None, &bounds)
}

#[test]
fn a_server_that_stops_answering_is_a_timeout_after_whichever_command() {
    let port = scripted("* OK ready\r\n", |tag, command| Some(sound(tag, command)));
    assert_eq!(quick(port).unwrap().found.len(), 1, "the script is sound");
    for silent in ["CAPABILITY", "LOGIN", "ID", "EXAMINE", "UID SEARCH", "UID FETCH"] {
        let port =
            scripted("* OK ready\r\n", move |tag, command| (!command.starts_with(silent)).then(|| sound(tag, command)));
        let failure = quick(port).unwrap_err();
        assert_eq!(failure.reason, Reason::Timeout, "{silent}: {failure:?}");
        assert_ne!(failure.retry, Retry::Never);
    }
    assert_eq!(quick(scripted("", |_, _| None)).unwrap_err().reason, Reason::Timeout, "no greeting");
    // After the last command nothing is lost.
    let port = scripted("* OK ready\r\n", |tag, command| (command != "LOGOUT").then(|| sound(tag, command)));
    assert_eq!(quick(port).unwrap().found.len(), 1);
}

#[test]
fn a_greeting_that_lets_nobody_in_ends_the_visit() {
    for (greeting, reason) in [
        ("* BYE too many connections\r\n", Reason::Connect),
        ("* PREAUTH welcome\r\n", Reason::Protocol),
        ("HTTP/1.1 400 Bad Request\r\n", Reason::Protocol),
    ] {
        assert_eq!(quick(scripted(greeting, |_, _| None)).unwrap_err().reason, reason, "{greeting}");
    }
}

#[test]
fn an_odd_answer_to_a_command_neither_panics_nor_passes() {
    // Command, answer, reason, words.
    let cases: [(&str, &str, Reason, &str); 12] = [
        ("LOGIN", "{tag} NO [AUTHENTICATIONFAILED] 密码错误\r\n", Reason::Auth, "密码错误"),
        ("LOGIN", "{tag} NO \u{1b}[31mred\r\n", Reason::Auth, "[31mred"),
        ("LOGIN", "{tag} BAD what\r\n", Reason::Protocol, "does not understand"),
        ("LOGIN", "* BYE Autologout\r\n", Reason::Connect, "the server has hung up: Autologout"),
        (
            "EXAMINE",
            "{tag} NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\r\n",
            Reason::Protocol,
            "Unsafe Login",
        ),
        ("EXAMINE", "wrong OK tag\r\n", Reason::Protocol, CANNOT_BE_UNDERSTOOD),
        ("UID SEARCH", "* SEARCH {99999999}\r\n", Reason::Protocol, "larger than allowed"),
        ("UID SEARCH", "* SEARCH 1 2 x\r\n{tag} OK\r\n", Reason::Protocol, CANNOT_BE_UNDERSTOOD),
        ("UID FETCH", "* 1 FETCH (UID 9 BODY[]<0> {4294967295}\r\nx\r\n", Reason::Protocol, "larger than allowed"),
        ("UID FETCH", "* 1 FETCH (UID 9 BODY[]<0> {-1}\r\nx)\r\n{tag} OK\r\n", Reason::Protocol, CANNOT_BE_UNDERSTOOD),
        ("UID FETCH", "garbage\r\n{tag} OK\r\n", Reason::Protocol, CANNOT_BE_UNDERSTOOD),
        ("CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n{tag} OK\r\n", Reason::Auth, "takes no password"),
    ];
    for (command, answer, reason, says) in cases {
        let port = scripted("* OK ready\r\n", move |tag, line| {
            Some(if line.starts_with(command) { answer.replace("{tag}", tag) } else { sound(tag, line) })
        });
        let failure = quick(port).unwrap_err();
        assert_eq!(failure.reason, reason, "{command} {answer:?}: {failure:?}");
        let told = failure.clone().settle(&Redactor::default()).describe();
        assert!(told.contains(says), "{command} {answer:?}: {failure:?}");
        assert!(!told.contains("secret-word") && !told.contains('\u{1b}'), "{failure:?}");
    }
}

const CANNOT_BE_UNDERSTOOD: &str = "the server's answer cannot be understood";

#[test]
fn an_endless_answer_is_cut_off() {
    let port = scripted("* OK ready\r\n", |tag, line| {
        Some(if line.starts_with("UID SEARCH") {
            "* SEARCH 1".to_owned() + &" 1".repeat(20 << 20)
        } else {
            sound(tag, line)
        })
    });
    // There is time enough, so that the size alone ends it.
    let (plain, password) = (address(port, Security::None), proof("secret-word"));
    let failure = look_with(&plain, &password, connector, None, &bounds()).unwrap_err();
    assert_eq!(failure.reason, Reason::Protocol, "{failure:?}");
    assert!(failure.message.contains("larger than allowed"), "{failure:?}");
}

/// The lines that a server with these further capabilities hears in a visit.
fn heard_by(capability: &'static str) -> Vec<String> {
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let inner = lines.clone();
    let port = scripted("* OK ready\r\n", move |tag, line| {
        inner.lock().unwrap().push(line.to_owned());
        Some(sound(tag, line).replace(" ID\r\n", &format!("{capability}\r\n")))
    });
    quick(port).unwrap();
    lines.lock().unwrap().clone()
}

/// NetEase opens no folder before it knows who comes, and does not say so.
#[test]
fn who_comes_is_told_to_servers_that_can_be_told_and_to_no_others() {
    let place = |heard: &[String], start: &str| heard.iter().position(|line| line.starts_with(start));
    let name = "ID (\"name\" \"balance-alert\"";
    let with = heard_by(" ID");
    let [login, id, examine] = ["LOGIN", name, "EXAMINE"].map(|start| place(&with, start).unwrap());
    assert!(login < id && id < examine, "{with:?}");
    assert_eq!(place(&heard_by(""), "ID"), None);
}

#[test]
fn a_visit_sends_nothing_that_marks_a_mail() {
    for capability in [" ID", ""] {
        let heard = heard_by(capability);
        for word in ["SELECT", "STORE", "RFC822"] {
            assert!(!heard.iter().any(|line| line.contains(word)), "{word}: {heard:?}");
        }
        let bodies: Vec<_> = heard.iter().filter(|line| line.contains("BODY")).collect();
        assert_eq!(bodies.len(), 1, "{heard:?}");
        assert!(bodies[0].contains("BODY.PEEK") && bodies[0].matches("BODY").count() == 1, "{heard:?}");
    }
}

#[test]
fn what_a_server_says_unasked_does_no_harm() {
    // It says more than its greeting before it is asked.
    let port = scripted("* OK ready\r\n* OK [ALERT] be patient\r\n", |tag, line| Some(sound(tag, line)));
    assert_eq!(quick(port).unwrap().found.len(), 1);
    // Another client expunges, and a mail comes in, while this one reads.
    let port = scripted("* OK ready\r\n", |tag, line| {
        let found = sound(tag, line);
        Some(if line.starts_with("UID FETCH") { format!("* 3 EXPUNGE\r\n* 5 EXISTS\r\n{found}") } else { found })
    });
    assert_eq!(quick(port).unwrap().found.len(), 1);
}

#[test]
fn a_fetch_that_brings_no_mail_is_told_from_one_that_brings_nothing_of_it() {
    for (fetched, mails) in [
        ("", Some(0)),
        // No other mail shows that the server is well.
        ("* 1 FETCH (UID 9 BODY[]<0> NIL)\r\n", None),
        ("* 1 FETCH (UID 9 BODY[]<0> {0}\r\n)\r\n", None),
        ("* 1 FETCH (UID 9 FLAGS ())\r\n", None),
        // It comes in quotes.
        ("* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 9 BODY[]<0> \"Subject: q\")\r\n", Some(1)),
    ] {
        let port = scripted("* OK ready\r\n", move |tag, line| {
            Some(if line.starts_with("UID FETCH") { format!("{fetched}{tag} OK\r\n") } else { sound(tag, line) })
        });
        assert_eq!(quick(port).ok().map(|visit| visit.found.len()), mails, "{fetched}");
    }
}

#[test]
fn starttls_is_never_done_without() {
    let start = |answer: fn(&str, &str) -> Option<String>, greeting: &'static str| {
        let port = scripted(greeting, answer);
        let bounds = Bounds { timeout: Duration::from_millis(300), ..bounds() };
        look_with(&address(port, Security::StartTls), &proof("secret-word"), connector, None, &bounds).unwrap_err()
    };
    let failure = start(|tag, command| Some(sound(tag, command)), "* OK ready\r\n");
    assert_eq!(failure.reason, Reason::Tls, "{failure:?}");
    assert!(failure.message.contains("does not offer STARTTLS"));
    let refuses = |tag: &str, command: &str| {
        Some(match command {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK\r\n"),
            _ => format!("{tag} NO not now\r\n"),
        })
    };
    assert_eq!(start(refuses, "* OK ready\r\n").reason, Reason::Tls);
    assert_eq!(start(refuses, "* PREAUTH hello\r\n").reason, Reason::Protocol);
    // Words in the clear behind the last answer are no part of the session under TLS.
    let injects = |tag: &str, command: &str| {
        Some(match command {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 STARTTLS\r\n{tag} OK\r\n"),
            _ => format!("{tag} OK go\r\n* CAPABILITY injected\r\na1 OK\r\n"),
        })
    };
    assert_eq!(start(injects, "* OK ready\r\n").reason, Reason::Tls);
}

#[test]
fn a_token_is_said_once_and_its_refusal_ends_the_dialogue() {
    // The vector of Microsoft's documentation: user and token as they travel.
    let user = "test@contoso.onmicrosoft.com";
    let wanted = "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0NjbFJDM0VvQUEBAQ==";
    for is_right in [true, false] {
        let last = std::sync::Mutex::new(String::new());
        let port = scripted("* OK ready\r\n", move |tag, line| {
            let whole = if line.is_empty() { tag } else { line };
            let mut last = last.lock().unwrap();
            if line.starts_with("AUTHENTICATE XOAUTH2") {
                *last = tag.to_owned();
                Some("+ \r\n".to_owned())
            } else if whole == wanted && is_right {
                Some(format!("{last} OK welcome\r\n"))
            } else if whole == wanted {
                Some("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n".to_owned())
            } else if whole.is_empty() {
                Some(format!("{last} NO AUTHENTICATE failed.\r\n"))
            } else {
                Some(sound(tag, line))
            }
        });
        let address = Address { username: user.into(), ..address(port, Security::None) };
        let token = Proof::Token("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA".into());
        let found =
            look_with(&address, &token, connector, None, &Bounds { timeout: Duration::from_secs(2), ..bounds() });
        match found {
            Ok(found) => assert!(is_right && found.found.len() == 1),
            Err(failure) => assert!(!is_right && failure.reason == Reason::Auth, "{failure:?}"),
        }
    }
}

// ---- the whole program -------------------------------------------------------------------

/// A config that watches the user's mailbox on a server.
fn watching(server: &Dovecot) -> Value {
    let mut config = config(vec![]);
    config["email"] = json!([{"name": "billing", "host": "127.0.0.1", "port": server.plain, "use_ssl": false,
        "username": USER, "password": PASSWORD}]);
    config
}

fn billing(id: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: =?utf-8?B?6Zi/6YeM5LqR?= <noreply@aliyun.com>\r\nDate: Mon, 01 Sep 2025 10:00:00 +0800\r\n\
         Message-ID: <{id}@x>\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

#[test]
fn a_billing_mail_is_an_alert_once() {
    let server = Dovecot::good();
    let hook = Server::start(|_| Reply::ok(""));
    server.deliver("1.x", &billing("1", "【阿里云】余额不足提醒", "您的账户余额不足。余额：1,234.50 元"));
    server.deliver("2.x", &billing("2", "Weekly news", "nothing to see"));
    let mut config = watching(&server);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let program = Program::check_json(&config);
    let first = program.clone().run().expect(1);
    assert_eq!(first.stderr, "");
    let mut entry = first.report()["mailboxes"][0].clone();
    assert!(entry["duration_seconds"].take().as_f64().is_some());
    let reasons = entry["alerts"][0].as_object_mut().unwrap();
    assert_eq!(reasons.remove("account"), Some(Value::Null));
    assert!(reasons.remove("strength").unwrap().as_f64().is_some_and(|strength| (0.5..=1.0).contains(&strength)));
    assert_eq!(reasons.remove("signs_for").as_ref(), reasons.get("keywords"));
    assert!(reasons.remove("signs_against").unwrap().is_array());
    assert_eq!(
        entry,
        json!({"name": "billing", "status": "alert", "scanned": 2, "new": 1, "skipped": 0, "remaining": 0, "duration_seconds": null, "error": null,
            "alerts": [{"subject": "【阿里云】余额不足提醒", "sender": "阿里云 <noreply@aliyun.com>",
                "date": "2025-09-01T02:00:00Z", "service": "阿里云", "amount": 1234.5, "currency": "CNY",
                "keywords": ["余额不足"], "status": "sent"}]})
    );
    let resource = hook.only_request().json()["Resources"][0].clone();
    assert_eq!(
        (&resource["Topic"], &resource["ProjectName"], &resource["Level"]),
        (&json!("mail"), &json!("billing"), &json!("warning"))
    );
    assert_eq!((&resource["Mail"]["Amount"], &resource["Mail"]["Keywords"]), (&json!(1234.5), &json!(["余额不足"])));
    let said = resource["Message"].as_str().unwrap();
    assert!(
        said.starts_with(
            "billing: mail “【阿里云】余额不足提醒” from “阿里云 <noreply@aliyun.com>”, 2025-09-01 02:00 UTC"
        ),
        "{said}"
    );
    // Nothing new.
    let second = program.clone().run().expect(0).report();
    assert_eq!((&second["mailboxes"][0]["scanned"], &second["mailboxes"][0]["status"]), (&json!(0), &json!("ok")));
    // The same mail once more, in another folder say: it has been told.
    server.deliver("3.x", &billing("1", "【阿里云】余额不足提醒", "您的账户余额不足"));
    let third = program.clone().run().expect(0).report();
    assert_eq!((&third["mailboxes"][0]["scanned"], &third["mailboxes"][0]["new"]), (&json!(1), &json!(0)));
    assert_eq!(third["mailboxes"][0]["alerts"][0]["status"], "suppressed");
    // Other numbers: all is read again, and nothing told again.
    server.renumber();
    let fourth = program.clone().run().expect(0).report();
    assert_eq!((&fourth["mailboxes"][0]["scanned"], &fourth["mailboxes"][0]["new"]), (&json!(3), &json!(0)));
    assert_eq!(hook.hits(), 1);
    let table = program.instead(["check", "--config", "config.yaml", "--state", "none"]).run().expect(1);
    assert!(table.stdout.contains("阿里云 <noreply@aliyun.com> - 【阿里云】余额不足提醒 [余额不足]"), "{table}");
    let status = program.instead(["status", "--config", "config.yaml"]).run().expect(0);
    assert!(status.stdout.contains("billing"), "{status}");
}

#[test]
fn a_mail_that_could_not_be_told_is_told_later() {
    let server = Dovecot::good();
    let is_up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let up = is_up.clone();
    let hook = Server::start(move |_| {
        if up.load(std::sync::atomic::Ordering::SeqCst) { Reply::ok("") } else { Reply::status(400, "") }
    });
    server.deliver("1.x", &billing("1", "Payment failed", "x"));
    let mut config = watching(&server);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let program = Program::check_json(&config);
    program.clone().run().expect(75);
    program.clone().run().expect(75);
    is_up.store(true, std::sync::atomic::Ordering::SeqCst);
    program.clone().run().expect(0);
    program.clone().run().expect(0);
    assert_eq!(hook.hits(), 3);
    let keys: std::collections::BTreeSet<String> =
        hook.requests().iter().map(|request| request.json()["Resources"][0]["DedupKey"].to_string()).collect();
    assert_eq!(keys.len(), 1, "one message");
}

#[test]
fn two_mailboxes_with_the_same_mail_tell_it_once_and_a_broken_one_hides_nothing() {
    let (first, second) = (Dovecot::good(), Dovecot::good());
    for server in [&first, &second] {
        server.deliver("1.x", &billing("1", "Payment failed", "x"));
    }
    let mut config = watching(&first);
    let tls = json!({"name": "second", "host": "localhost", "port": second.tls, "username": USER, "password_file": "password"});
    let wrong = json!({"name": "wrong", "host": "127.0.0.1", "port": first.plain, "security": "starttls", "username": USER, "password": "LeakWrong"});
    config["email"].as_array_mut().unwrap().extend([tls, wrong]);
    config["webhook"] = json!({"type": "console"});
    let program = Program::check_json(&config).file("password", PASSWORD).trusting();
    let run = program.clone().run().expect(3);
    let report = run.report();
    let statuses: Vec<_> = report["mailboxes"].as_array().unwrap().iter().map(|m| m["status"].clone()).collect();
    assert_eq!(statuses, ["alert", "alert", "failed"]);
    assert_eq!(report["mailboxes"][2]["error"]["reason"], "auth");
    assert_eq!(run.stderr.matches("Payment failed").count(), 1, "{run}");
    assert!(!run.stderr.contains("Leak") && !run.stdout.contains("Leak"), "{run}");
    // Three failed runs raise an alert of their own.
    program.clone().run().expect(3);
    let third = program.clone().run().expect(3);
    assert!(third.stderr.contains("wrong: could not be read in 3 runs in a row: auth: "), "{third}");
    let text = program.instead(["check", "--config", "config.yaml", "--output", "prometheus"]).run().expect(3).stdout;
    assert!(text.contains("balance_alert_check_success{check_type=\"email\"} 0\n"), "{text}");
    assert!(text.contains("balance_alert_email_scan_duration_seconds_count{mailbox=\"billing\"} "), "{text}");
    assert!(text.contains("balance_alert_email_scan_total{mailbox=\"billing\"} "), "{text}");
    assert!(
        text.contains("balance_alert_failed_checks_total{project=\"wrong\",provider=\"imap\",error_type=\"auth\"} "),
        "{text}"
    );
}

#[test]
fn words_senders_and_bounds_are_as_configured() {
    let server = Dovecot::good();
    // By itself this is no trouble with an account.
    for n in 1..=5 {
        server.deliver(&format!("{n}.x"), &billing(&n.to_string(), &format!("机柜温度偏高 {n}"), "x"));
    }
    let mut config = watching(&server);
    config["state"] = json!("none");
    let found = |config: &Value, more: &[&str]| -> (i64, i64, i64) {
        let mut program = Program::check_json(config);
        for flag in more {
            program = program.args([flag]);
        }
        let entry = program.run().report()["mailboxes"][0].clone();
        let number = |key: &str| entry[key].as_i64().unwrap();
        (number("scanned"), number("new"), number("skipped"))
    };
    assert_eq!(found(&config, &[]), (5, 0, 0));
    config["email_settings"] = json!({"extra_alert_keywords": ["机柜温度偏高"], "max_emails": 2});
    assert_eq!(found(&config, &["--email-days", "30"]), (2, 2, 3));
    config["email_settings"]["max_emails"] = json!(100);
    let limited = Program::check_json(&config).env("MAX_EMAILS_TO_SCAN", "4").run().report();
    assert_eq!((&limited["mailboxes"][0]["scanned"], &limited["mailboxes"][0]["skipped"]), (&json!(4), &json!(1)));
    // What the server got long ago is none of a first look's business.
    server.deliver_old("6.x", &billing("6", "机柜温度偏高 6", "x"));
    assert_eq!(found(&config, &[]).0, 5);
    config["email"][0]["alert_keywords"] = json!(["something else"]);
    assert_eq!(found(&config, &[]), (5, 0, 0), "a mailbox may have its own");
    config["email"][0]["alert_keywords"] = Value::Null;
    config["email"][0]["ignore_senders"] = json!(["@ALIYUN.com"]);
    assert_eq!(found(&config, &[]), (5, 0, 0));
    let one = config["email"][0].take();
    config["email"] = one;
    config["email"]["ignore_senders"] = json!([]);
    assert_eq!(found(&config, &[]), (5, 5, 0), "one alone needs no list");
}

#[test]
fn a_token_is_fetched_first() {
    let endpoint = Server::start(|request| match request.text().contains("refresh_token=the-refresh%2Ftoken") {
        true => Reply::ok(r#"{"access_token":"the-access-token","expires_in":3599}"#),
        false => {
            Reply::status(400, r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#)
        }
    });
    // user=u and the token, as they travel.
    let wanted = "dXNlcj11AWF1dGg9QmVhcmVyIHRoZS1hY2Nlc3MtdG9rZW4BAQ==";
    let last = std::sync::Mutex::new(String::new());
    let port = scripted("* OK ready\r\n", move |tag, line| {
        let mut last = last.lock().unwrap();
        if line.starts_with("AUTHENTICATE") {
            *last = tag.to_owned();
            Some("+ \r\n".to_owned())
        } else if tag == wanted {
            Some(format!("{last} OK\r\n"))
        } else {
            Some(sound(tag, line))
        }
    });
    let mut config = config(vec![]);
    config["email"] = json!([{"host": "127.0.0.1", "port": port, "security": "none", "username": "u", "auth": "xoauth2",
        "oauth2": {"client_id": "c", "refresh_token": "the-refresh/token", "token_url": endpoint.url()}}]);
    let run = Program::check_json(&config).run().expect(0);
    assert_eq!(run.report()["mailboxes"][0]["scanned"], 1, "{run}");
    config["email"][0]["oauth2"]["refresh_token"] = json!("an-old-token");
    let run = Program::check_json(&config).run().expect(3);
    let host = endpoint.url().split_once("://").unwrap().1.to_owned();
    let message = format!("{host}: no token: Token has been expired or revoked.");
    assert_eq!(run.report()["mailboxes"][0]["error"]["message"], message);
}

/// Mails of all sorts, written for this project: `tests/mail`. What each must give stands in `expected.json`.
#[test]
fn the_corpus_gives_exactly_the_expected_alerts() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    let expected = expected.as_object().unwrap();
    assert!(expected.len() >= 60, "{}", expected.len());
    let server = Dovecot::good();
    let mut wanted: Vec<Value> = Vec::new();
    for (number, (name, want)) in expected.iter().enumerate() {
        let mail = std::fs::read(folder.join(format!("{name}.eml"))).unwrap();
        server.deliver(&format!("{number:03}.x"), &mail);
        match want {
            Value::Null => {}
            Value::String(_) => wanted
                .push(json!({"subject": format!("overdue {}…", "a".repeat(191)), "keywords": ["overdue"],
                "service": null, "amount": null, "currency": null})),
            want => wanted.push(want.clone()),
        }
    }
    let mut config = watching(&server);
    config["webhook"] = json!({"type": "feishu", "url": "http://127.0.0.1:9/"});
    // Dovecot takes new mails in at the first look, in the order of their names.
    let first = Program::check_json(&config).args(["--dry-run"]).run().expect(1);
    let report = first.report();
    let got: Vec<Value> = report["mailboxes"][0]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alert| {
            let of = |key: &str| alert[key].clone();
            json!({"subject": of("subject"), "keywords": of("keywords"), "service": of("service"), "amount": of("amount"), "currency": of("currency")})
        })
        .collect();
    let as_float = |value: &Value| -> Value {
        let mut value = value.clone();
        value["amount"] = value["amount"].as_f64().map_or(Value::Null, |amount| json!(amount));
        value
    };
    let show = |list: &[Value]| -> std::collections::BTreeSet<String> {
        list.iter().map(|v| as_float(v).to_string()).collect()
    };
    let (got_set, wanted_set) = (show(&got), show(&wanted));
    let missing: Vec<_> = wanted_set.difference(&got_set).collect();
    let unexpected: Vec<_> = got_set.difference(&wanted_set).collect();
    assert!(missing.is_empty() && unexpected.is_empty(), "missing {missing:#?}\nunexpected {unexpected:#?}");
    assert_eq!(got.len(), wanted.len());
    assert_eq!(report["mailboxes"][0]["scanned"], expected.len());
    // What a chat would be sent: no mention, no link, no line that is not ours.
    let sent = report["deliveries"][0]["payloads"].to_string();
    assert!(!sent.contains("<at ") && !sent.contains("@all"), "{sent}");
}
