//! Mail as a channel: what arrives at a real server, what each fault of a server means, and what never leaves the machine.

use crate::support::exim::{self, Exim};
use crate::support::smtp::{Act, Link, STEPS, Smtp};
use crate::support::{Program, Reply, Server, broken, config, low, soon};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

const USER: &str = "sender@example.com";
const PASSWORD: &str = "tall-Trees-9-never-sleep";

/// A webhook that sends mail to a server of this machine.
fn email(port: u16, tls: &str) -> Value {
    let mut email = json!({"type": "email", "host": "127.0.0.1", "port": port, "tls": tls,
        "from": "Balance <sender@example.com>", "to": ["ops@example.com"]});
    if tls != "none" {
        email["username"] = json!(USER);
        email["password"] = json!(PASSWORD);
    }
    email
}

fn name_of(link: Link) -> &'static str {
    match link {
        Link::Plain => "none",
        Link::StartTls => "starttls",
        Link::Tls => "tls",
    }
}

/// A run of one low account whose alert goes there. It trusts the authority of the tests.
fn telling(webhook: Value) -> Program {
    let mut config = config(vec![low("Acme")]);
    config["webhook"] = webhook;
    Program::check_json(&config).file("config.yaml", &config.to_string()).trusting()
}

// ---- a real server ------------------------------------------------------------------------

#[test]
fn a_letter_reaches_a_real_server_over_each_link() {
    let server = Exim::start();
    for (number, (tls, port)) in
        [("starttls", server.submission), ("tls", server.tls), ("none", server.plain)].into_iter().enumerate()
    {
        let mut webhook = email(port, tls);
        if tls != "none" {
            webhook["password"] = json!(exim::PASSWORD);
        }
        webhook["to"] = json!(["ops@example.com", "Team <team@example.com>"]);
        webhook["cc"] = json!("boss@example.com");
        webhook["subject_prefix"] = json!("[test]");
        let run = telling(webhook).run().expect(2);
        assert_eq!((&run.delivery()["status"], &run.delivery()["attempts"]), (&json!("sent"), &json!(1)), "{run}");
        // One letter for three recipients, written down once for each of them or once for all.
        let letters = server.letters(number + 1);
        let letter = letters.last().unwrap();
        assert!(letter.contains("Auto-Submitted: auto-generated") && letter.contains("Importance: high"), "{letter}");
        let mail = MessageParser::default().parse(letter.as_bytes()).unwrap();
        assert_eq!(mail.subject(), Some("[test] Balance alert: 1 low: Acme"), "{letter}");
        assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Balance"));
        assert_eq!((mail.to().unwrap().as_list().unwrap().len(), mail.cc().unwrap().as_list().unwrap().len()), (2, 1));
        assert!(mail.message_id().unwrap().ends_with("@example.com") && mail.date().is_some(), "{letter}");
        assert!(mail.content_type().unwrap().subtype() == Some("alternative"), "{letter}");
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        assert!(text.contains("🔴 Acme: balance 5") && text.contains("source: balance-alert"), "{text}");
        assert!(html.contains("<strong>Acme</strong>") && html.contains("prefers-color-scheme: dark"), "{html}");
    }
    let log = server.log();
    for said in ["P=esmtpsa", "A=plain:sender@example.com", "P=esmtp "] {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(!log.contains("unexpected disconnection"), "it says goodbye: {log}");
}

#[test]
fn names_of_any_kind_arrive_as_they_are_and_do_nothing() {
    let server = Exim::start();
    let names =
        ["余额 <b>x</b> & 🐟", "a\r\nBcc: spy@example.com", "https://evil.example/?q=<script>alert(1)</script>", "."];
    let mut config = config(names.iter().map(|name| low(name)).collect());
    config["settings"]["language"] = json!("zh");
    config["webhook"] = email(server.plain, "none");
    let run = Program::check_json(&config).run().expect(2);
    assert_eq!(run.delivery()["status"], "sent", "{run}");
    let letters = server.letters(1);
    let head = letters[0].split("\n\n").next().unwrap();
    assert!(!head.contains("Bcc") && !head.contains("spy"), "{head}");
    let mail = MessageParser::default().parse(letters[0].as_bytes()).unwrap();
    assert_eq!(mail.subject(), Some("余额告警：4 个不足"), "{head}");
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    assert!(text.contains("余额 ＜b＞x＜/b＞ & 🐟") && !text.contains("https://"), "{text}");
    assert!(html.contains("余额 &lt;b&gt;x&lt;/b&gt; &amp; 🐟") && html.contains("lang=\"zh-CN\""), "{html}");
    assert!(!html.contains("<script") && !html.contains("://"), "{html}");
}

#[test]
fn a_wrong_password_and_an_unknown_recipient_are_told_as_the_server_tells_them() {
    let server = Exim::start();
    let run = telling(email(server.submission, "starttls")).run().expect(75);
    assert_eq!((&run.delivery()["error"]["reason"], &run.delivery()["attempts"]), (&json!("auth"), &json!(1)), "{run}");
    assert!(run.delivery()["error"]["message"].as_str().unwrap().contains("(535)"), "{run}");
    let mut webhook = email(server.tls, "tls");
    webhook["password"] = json!(exim::PASSWORD);
    webhook["to"] = json!([exim::NOBODY]);
    let run = telling(webhook.clone()).run().expect(75);
    let error = run.delivery()["error"].clone();
    assert_eq!(error["reason"], "api", "{run}");
    assert!(error["message"].as_str().unwrap().contains("refuses a recipient (550): no such user here"), "{run}");
    // One of several: the others have it, so it is not sent again; who has not is said.
    webhook["to"] = json!([exim::NOBODY, "ops@example.com"]);
    let run = telling(webhook).run().expect(2);
    assert_eq!(run.delivery()["status"], "sent", "{run}");
    assert!(run.stderr.contains("not for `nobody@example.com`") && run.stderr.contains("no such user here"), "{run}");
    let letters = server.letters(1);
    assert_eq!(letters.len(), 1, "{letters:?}");
}

#[test]
fn a_repeat_of_a_message_has_the_id_of_the_first() {
    let server = Smtp::start(Link::Plain, |step, _| match step {
        "CONTENT" => Act::Say("451 later\r\n".to_owned()),
        _ => Act::Sound,
    });
    let program = telling(email(server.port, "none"));
    program.clone().run().expect(75);
    program.run().expect(75);
    let ids: Vec<String> = server
        .letters()
        .iter()
        .map(|letter| letter.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned())
        .collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

// ---- faults -------------------------------------------------------------------------------

#[test]
fn what_a_fault_means_depends_on_what_the_server_has_by_then() {
    let say = |text: &str| Act::Say(text.to_owned());
    std::thread::scope(|scope| {
        for (link, step) in [Link::Plain, Link::Tls].iter().flat_map(|link| STEPS.map(|step| (*link, step))) {
            if link == Link::Plain && step == "AUTH" {
                // There is no such step.
                continue;
            }
            scope.spawn(move || {
                let is_end = step == "CONTENT";
                let refused = match step {
                    "GREETING" => "connect",
                    "AUTH" => "auth",
                    _ => "api",
                };
                for (act, status, reason, attempts) in [
                    (say("550 5.7.1 not from you\r\n"), "failed", refused, 1),
                    (say("451 4.3.0 try later\r\n"), "failed", refused, 1),
                    (Act::SayAndClose("421 too busy\r\n".to_owned()), "failed", "connect", 2),
                    (Act::Close, if is_end { "unknown" } else { "failed" }, "connect", if is_end { 1 } else { 2 }),
                    (say("hello there\r\n"), if is_end { "unknown" } else { "failed" }, "protocol", 1),
                ] {
                    let server = Smtp::at(link, step, act.clone());
                    let mut config = config(vec![low("Acme")]);
                    config["settings"]["max_retries"] = json!(1);
                    config["webhook"] = email(server.port, name_of(link));
                    let run = Program::check_json(&config).trusting().run().expect(75);
                    let delivery = run.delivery();
                    let found = (&delivery["status"], &delivery["error"]["reason"], &delivery["attempts"]);
                    assert_eq!(
                        found,
                        (&json!(status), &json!(reason), &json!(attempts)),
                        "{link:?} {step} {act:?}: {run}"
                    );
                    assert_eq!(server.letters().len(), usize::from(is_end) * attempts, "{link:?} {step} {act:?}");
                    assert!(!run.stdout.contains(PASSWORD) && !run.stderr.contains(PASSWORD), "{run}");
                }
            });
        }
    });
}

#[test]
fn a_server_that_hangs_or_drips_ends_with_the_time_of_a_request() {
    for link in [Link::Plain, Link::Tls] {
        for step in ["GREETING", "EHLO", "DATA", "CONTENT"] {
            for act in [Act::Silence, Act::Drip] {
                let server = Smtp::at(link, step, act.clone());
                let other = Server::start(|_| Reply::ok(""));
                let mut config = config(vec![low("Acme")]);
                config["settings"]["request_timeout_seconds"] = json!(1);
                config["webhooks"] = json!([email(server.port, name_of(link)), {"type": "custom", "url": other.url()}]);
                let run = Program::check_json(&config).trusting().run().expect(75);
                let report = run.report();
                let deliveries = report["deliveries"].as_array().unwrap();
                let status = if step == "CONTENT" { "unknown" } else { "failed" };
                let found = (&deliveries[0]["status"], &deliveries[0]["error"]["reason"], &deliveries[1]["status"]);
                assert_eq!(
                    found,
                    (&json!(status), &json!("timeout"), &json!("sent")),
                    "{link:?} {step} {act:?}: {run}"
                );
                let message = deliveries[0]["error"]["message"].as_str().unwrap();
                assert!(message.contains("timed out after 1 s"), "{message}");
            }
        }
    }
}

#[test]
fn the_deadline_of_the_run_holds_and_what_is_out_is_not_sent_again() {
    let server = Smtp::at(Link::Plain, "CONTENT", Act::Silence);
    let mut config = config(vec![low("Acme")]);
    config["settings"]["request_timeout_seconds"] = json!(20);
    config["settings"]["run_timeout_seconds"] = json!(2);
    config["webhook"] = email(server.port, "none");
    let run = Program::check_json(&config).run().expect(75);
    assert_eq!(run.delivery()["status"], "unknown", "{run}");
    assert_eq!(server.letters().len(), 1);
}

// ---- the link -----------------------------------------------------------------------------

#[test]
fn nothing_is_sent_over_a_link_that_is_not_what_was_asked_for() {
    // Who is not trusted.
    for link in [Link::StartTls, Link::Tls] {
        let server = Smtp::sound(link);
        let mut config = config(vec![low("Acme")]);
        config["webhook"] = email(server.port, name_of(link));
        let run = Program::check_json(&config).run().expect(75);
        assert_eq!(run.delivery()["error"]["reason"], "tls", "{run}");
        assert!(run.delivery()["error"]["message"].as_str().unwrap().contains("authority"), "{run}");
    }
    // Who offers no STARTTLS, refuses it, or says more before TLS begins than it should.
    let injected = "220 go ahead\r\n250-evil.test\r\n250 AUTH PLAIN\r\n";
    for (step, said, want) in [
        ("CLEAR EHLO", "250-fault.test\r\n250 AUTH PLAIN LOGIN\r\n", "does not offer STARTTLS"),
        ("STARTTLS", "454 no TLS today\r\n", "STARTTLS now (454)"),
        ("STARTTLS", injected, "says more after its answer to STARTTLS"),
    ] {
        let server = Smtp::at(Link::StartTls, step, Act::Say(said.to_owned()));
        let run = telling(email(server.port, "starttls")).run().expect(75);
        assert_eq!(run.delivery()["error"]["reason"], "tls", "{run}");
        assert!(run.delivery()["error"]["message"].as_str().unwrap().contains(want), "{want}: {run}");
        let commands = server.commands();
        assert!(commands.iter().all(|line| line.starts_with("EHLO") || line == "STARTTLS"), "{commands:?}");
    }
    // Who takes no password.
    let server = Smtp::at(Link::Tls, "EHLO", Act::Say("250 fault.test\r\n".to_owned()));
    let run = telling(email(server.port, "tls")).run().expect(75);
    assert_eq!(run.delivery()["error"]["reason"], "auth", "{run}");
    assert!(server.letters().is_empty());
    // Who speaks in the clear where TLS was expected.
    let server = Smtp::sound(Link::Plain);
    let run = telling(email(server.port, "tls")).run().expect(75);
    assert_eq!(run.delivery()["status"], "failed", "{run}");
}

#[test]
fn a_login_by_questions_and_a_server_in_small_letters_are_understood() {
    let server = Smtp::start(Link::Tls, |step, line| match (step, line) {
        ("EHLO", _) => Act::Say("250-fault.test\r\n250 auth login cram-md5\r\n".to_owned()),
        ("AUTH", "AUTH LOGIN") => Act::Say("334 VXNlcm5hbWU6\r\n".to_owned()),
        _ => Act::Sound,
    });
    // The fault server takes the answers to the questions for commands; that they come is enough.
    let run = telling(email(server.port, "tls")).run().expect(75);
    let commands = server.commands();
    assert!(commands.contains(&STANDARD.encode(USER)), "{commands:?} {run}");
}

#[test]
fn no_word_of_the_server_brings_the_password_out() {
    let forms = [
        PASSWORD.to_owned(),
        STANDARD.encode(PASSWORD),
        STANDARD.encode(format!("\0{USER}\0{PASSWORD}")),
        STANDARD.encode(format!("AUTH PLAIN {}", STANDARD.encode(format!("\0{USER}\0{PASSWORD}")))),
        PASSWORD.chars().rev().collect(),
    ];
    for form in &forms {
        for (step, code) in [("AUTH", 535), ("AUTH", 454), ("MAIL", 550), ("RCPT", 550), ("CONTENT", 554)] {
            let server = Smtp::at(Link::Tls, step, Act::Say(format!("{code} you said {form} to me\r\n")));
            let run = telling(email(server.port, "tls")).run().expect(75);
            for form in &forms {
                assert!(!run.stdout.contains(form.as_str()) && !run.stderr.contains(form.as_str()), "{step}: {run}");
            }
            assert!(run.delivery()["error"]["message"].as_str().unwrap().contains("you said"), "{run}");
        }
    }
}

// ---- what is known of it ------------------------------------------------------------------

#[test]
fn a_mail_channel_can_be_tried_and_shown() {
    let server = Smtp::sound(Link::Tls);
    let config = json!({"webhook": email(server.port, "tls")});
    let program = Program::new(["notify", "test", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
    let run = program.trusting().run().expect(0);
    for said in ["email at 127.0.0.1", "sent: a mail", "To: ops@example.com", "Subject: TEST: ", "came back: taken, 1"]
    {
        assert!(run.stdout.contains(said), "{said}: {run}");
    }
    assert!(!run.stdout.contains(PASSWORD), "{run}");
    assert_eq!(server.letters().len(), 1);
    let program =
        Program::new(["notify", "render", "--config", "config.yaml"]).file("config.yaml", &config.to_string());
    let run = program.run().expect(0);
    assert!(run.stdout.contains("<table") && run.stdout.contains("Auto-Submitted: auto-generated"), "{run}");
    assert_eq!(server.letters().len(), 1, "nothing is sent");
}

#[test]
fn many_alerts_are_one_letter_with_the_worst_first_and_very_many_are_several() {
    let server = Smtp::sound(Link::Plain);
    let mut accounts: Vec<Value> = (0..20).map(|number| soon(&format!("Soon {number}"))).collect();
    accounts.extend((0..20).map(|number| low(&format!("Low {number}"))));
    let mut many = config(accounts);
    many["webhook"] = email(server.port, "none");
    Program::check_json(&many).run().expect(2);
    let letters = server.letters();
    let mail = MessageParser::default().parse(letters[0].as_bytes()).unwrap();
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    for body in [&text, &html] {
        assert!(body.rfind("Low 19").unwrap() < body.find("Soon 0").unwrap(), "{body}");
    }
    assert_eq!(html.matches("<tr>").count(), 40);
    let mut more = config((0..250).map(|number| low(&format!("Low {number}"))).collect());
    more["webhook"] = email(server.port, "none");
    let run = Program::check_json(&more).run().expect(2);
    assert_eq!((run.delivery()["attempts"].as_u64(), server.letters().len()), (Some(3), 4), "{run}");
}

#[test]
fn what_cannot_be_right_is_said_when_the_config_is_read() {
    let good = email(2525, "tls");
    let with = |changes: Value| {
        let mut webhook = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(webhook.as_object_mut().unwrap().remove(name)),
                value => webhook[name] = value.clone(),
            }
        }
        webhook
    };
    let far = json!({"tls": "none", "host": "mail.example.com", "username": null, "password": null});
    let mut allowed = far.clone();
    allowed["allow_insecure"] = json!(true);
    for (webhook, said) in [
        (with(json!({})), None),
        (with(json!({"password": null})), Some("`password` is missing")),
        (with(json!({"username": null})), Some("`username` is missing")),
        (with(json!({"host": null})), Some("`host` is missing")),
        (with(json!({"to": null})), Some("`to` is missing")),
        (with(json!({"to": []})), Some("`to` is missing")),
        (with(json!({"to": ["ops@example.com", "ops"]})), Some("`to` holds what is no mail address, as entry 2")),
        (with(json!({"from": "Ops <ops@example.com>, x@y.z"})), Some("`from` is no mail address")),
        (with(json!({"host": "smtp://mail.example.com"})), Some("`host` is not a host name or an IP address")),
        (with(json!({"port": 70000})), Some("`port` must be 1 to 65535")),
        (with(json!({"port": "smtp"})), Some("port` must be a number")),
        (with(json!({"tls": "ssl"})), Some("tls")),
        (with(json!({"tls": "none"})), Some("a password is never sent over a link without TLS")),
        (with(json!({"tls": "none", "allow_insecure": true})), Some("a password is never sent")),
        (with(far), Some("everybody on the way could read the mails")),
        (with(allowed), None),
        (with(json!({"url": "https://a.example/"})), Some("an email channel takes no `url`")),
        (with(json!({"body": ".text"})), Some("`body` is for custom webhooks")),
        (with(json!({"tto": "x"})), Some("unknown field `tto`")),
    ] {
        let mut config = config(vec![low("A")]);
        config["webhook"] = webhook;
        let program = Program::new(["validate", "--config", "config.yaml"]);
        let run = program.file("config.yaml", &config.to_string()).run();
        match said {
            None => assert_eq!(run.code(), 0, "{run}"),
            Some(said) => assert!(run.code() == 78 && run.stderr.contains(said), "{said}: {run}"),
        }
        assert!(!run.stderr.contains(PASSWORD) && !run.stdout.contains(PASSWORD), "{run}");
    }
}

#[test]
fn accounts_that_fail_alike_are_one_row() {
    let server = Smtp::sound(Link::Plain);
    let mut config = config((0..5).map(|number| broken(&format!("B{number}"))).collect());
    config["webhook"] = email(server.port, "none");
    let program = Program::check_json(&config);
    // The third run in a row tells of it.
    (0..3).for_each(|_| drop(program.clone().run()));
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    let mail = MessageParser::default().parse(letters[0].as_bytes()).unwrap();
    assert_eq!(mail.body_html(0).unwrap().matches("<tr>").count(), 1, "{}", mail.body_html(0).unwrap());
}
