//! Accounts that are read from mails, on a real Dovecot.

use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::world::{Kind, World};
use crate::support::{Program, Reply, Server, config};
use serde_json::{Value, json};

/// A mail of the vendor's that was sent so many seconds ago.
fn sent(id: &str, subject: &str, body: &str, seconds: i64) -> Vec<u8> {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
    let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    format!(
        "From: Vendor <billing@vendor.example>\r\nDate: {date}\r\nMessage-ID: <{id}@x>\r\nSubject: {subject}\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

/// A config with the user's mailbox and an account that is read from it.
fn watching(server: &Dovecot) -> Value {
    let mut config = config(vec![json!({
        "name": "Vendor", "provider": "mail", "threshold": 10, "mailbox": "billing", "from": "billing@vendor.example",
        "subject": ["Your account", "账户"]
    })]);
    config["email"] = json!([{"name": "billing", "host": "127.0.0.1", "port": server.plain, "use_ssl": false,
        "username": USER, "password": PASSWORD}]);
    config
}

/// Status, balance, and why there is none, of the only account.
fn account(report: &Value) -> (String, Value, String) {
    let entry = &report["projects"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&entry["status"]), entry["balance"].clone(), text(&entry["error"]["message"]))
}

fn read(balance: impl Into<Value>, status: &str) -> (String, Value, String) {
    (status.to_owned(), balance.into(), String::new())
}

#[test]
fn the_newest_mail_is_the_balance_run_after_run() {
    let server = Dovecot::good();
    let hook = Server::start(|_| Reply::ok(""));
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $99.00", 7200));
    server.deliver("2.x", &sent("2", "Your account", "Your balance is $42.50", 3600));
    server.deliver("3.x", &sent("3", "News", "Your balance is $1.00", 1800));
    let mut config = watching(&server);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let program = Program::check_json(&config);
    let first = program.clone().run();
    let report = first.report();
    assert_eq!(account(&report), read(42.5, "ok"), "{first}");
    let entry = &report["projects"][0];
    assert_eq!((&entry["currency"], &entry["provider"]), (&json!("USD"), &json!("mail")));
    let age = entry["age_seconds"].as_i64().unwrap();
    assert!((3600..3700).contains(&age), "{age}");
    assert!(entry["as_of"].as_str().unwrap().ends_with('Z'));
    assert_eq!(report["mailboxes"][0]["scanned"], 3);
    assert_eq!(server.logins(), 1, "one visit for both");
    // Nothing has come, and it is still known.
    let second = program.clone().run().report();
    assert_eq!((account(&second), &second["mailboxes"][0]["scanned"]), (read(42.5, "ok"), &json!(0)));
    // A newer one; the mailbox alone is looked at before the account.
    server.deliver("4.x", &sent("4", "账户提醒", "您的账户余额：3.20 元", 60));
    program.clone().args(["--only", "mailboxes"]).run();
    let third = program.clone().run().expect(2);
    assert_eq!(account(&third.report()), read(3.2, "low"), "{third}");
    assert_eq!(third.report()["projects"][0]["currency"], "CNY");
    let told =
        hook.requests().iter().any(|request| request.text().contains("balance 3.20 CNY is below the threshold 10"));
    assert!(told, "{third}");
    // One that was sent earlier and comes late is not newer; one that tells nothing hides what is older.
    server.deliver("5.x", &sent("5", "Your account", "Your balance is $500", 5000));
    assert_eq!(account(&program.clone().run().report()), read(3.2, "low"));
    server.deliver("6.x", &sent("6", "Your account", "Thank you.", 5));
    let silent = account(&program.clone().run().expect(3).report());
    assert_eq!((silent.0.as_str(), &silent.1), ("failed", &Value::Null));
    assert!(silent.2.contains("names no balance that is clear"), "{silent:?}");
    assert_eq!(account(&program.clone().run().report()).0, "failed", "and goes on hiding it");
    let history = program.instead(["history", "--config", "config.yaml", "--output", "json"]).run().expect(0);
    assert!(history.stdout.contains("\"Vendor\""), "{history}");
    let table = program.instead(["check", "--config", "config.yaml", "--only", "projects"]).run();
    assert!(table.stdout.contains("failed"), "{table}");
}

#[test]
fn a_run_for_the_account_alone_leaves_the_mailbox_where_it_was() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $42.50", 3600));
    let program = Program::check_json(&watching(&server));
    program.clone().run();
    server.deliver("2.x", &sent("2", "Your account: low balance, payment failed", "Your balance is $20.00", 60));
    let alone = program.clone().args(["--project", "Vendor"]).run().expect(0).report();
    assert_eq!((account(&alone), &alone["mailboxes"]), (read(20, "ok"), &json!([])));
    let all = program.clone().run().report();
    assert_eq!((account(&all), &all["mailboxes"][0]["scanned"]), (read(20, "ok"), &json!(1)));
    // Other numbers: what was read before is still true, and what comes is noticed.
    server.renumber();
    assert_eq!(account(&program.clone().run().report()), read(20, "ok"));
    server.deliver("3.x", &sent("3", "Your account", "Your balance is $30.00", 10));
    assert_eq!(account(&program.clone().run().report()), read(30, "ok"));
    let table = program.instead(["check", "--config", "config.yaml"]).run();
    assert!(table.stdout.contains("by mail, as of "), "{table}");
}

#[test]
fn what_is_older_than_max_age_is_unknown() {
    let server = Dovecot::good();
    server.deliver_old("1.x", &sent("1", "Your account", "Your balance is $42.50", 31 * 86_400));
    for number in 2..60 {
        server.deliver(&format!("{number:03}.x"), &sent(&number.to_string(), "News", "x", 60));
    }
    let mut config = watching(&server);
    let run = |config: &Value| account(&Program::check_json(config).run().report());
    // Without a state, and long before the days of a first look.
    assert_eq!(run(&config), read(42.5, "ok"));
    config["projects"][0]["max_age"] = json!("30d");
    let old = run(&config);
    assert_eq!((old.0.as_str(), &old.1), ("failed", &Value::Null));
    assert!(old.2.contains("what is older than 30 d does not count"), "{old:?}");
    config["projects"][0]["max_age"] = json!("20d");
    let none = run(&config);
    assert!(none.1 == Value::Null && none.2 == "no mail of the last 20 d matches", "{none:?}");
    // The same with what is remembered: it grows old in the store.
    server.deliver("900.x", &sent("900", "Your account", "Your balance is $7.00", 7200));
    let program = Program::check_json(&config);
    assert_eq!(account(&program.clone().run().report()), read(7, "low"));
    config["projects"][0]["max_age"] = json!("1h");
    let program = program.file("config.yaml", &format!("{config:#}"));
    let old = account(&program.clone().run().expect(3).report());
    assert!(
        old.0 == "failed" && old.1 == Value::Null && old.2.contains("what is older than 60 min does not count"),
        "{old:?}"
    );
    // A clock that is ahead makes no mail newer than it is.
    server.deliver("901.x", &sent("901", "Your account", "Your balance is $8.00", -86_400 * 300));
    assert_eq!(account(&program.run().report()), read(8, "low"));
}

#[test]
fn a_newer_mail_that_was_left_out_makes_the_balance_unknown() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $42.50", 3600));
    let mut config = watching(&server);
    config["email_settings"] = json!({"max_emails": 2});
    let program = Program::check_json(&config);
    assert_eq!(account(&program.clone().run().report()), read(42.5, "ok"));
    server.deliver("2.x", &sent("2", "Your account", "Your balance is $3.00", 600));
    // The alerts get the newest two, and the account the two before them.
    (3..=7).for_each(|n| server.deliver(&format!("{n}.x"), &sent(&n.to_string(), "News", "x", 60)));
    for _ in 0..2 {
        let (status, balance, why) = account(&program.clone().run().report());
        assert!(status == "failed" && balance == Value::Null && why.contains("may be among those"), "{balance} {why}");
    }
    server.deliver("8.x", &sent("8", "Your account", "Your balance is $20.00", 10));
    assert_eq!(account(&program.run().report()), read(20, "ok"));
}

#[test]
fn postgres_keeps_what_mails_tell() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $42.50", 3600));
    let mut config = watching(&server);
    let world = World::new(Kind::Postgres, &[]);
    config["state"] = world.config["state"].clone();
    let program = Program::check_json(&config);
    for scanned in [1, 0] {
        let run = program.clone().run().expect(0);
        assert_eq!(account(&run.report()), read(42.5, "ok"), "{run}");
        assert_eq!(run.report()["mailboxes"][0]["scanned"], scanned, "{run}");
    }
    server.deliver("2.x", &sent("2", "Your account", "Thank you.", 60));
    for _ in 0..2 {
        assert_eq!(account(&program.clone().run().expect(3).report()).0, "failed");
    }
}

#[test]
fn a_store_that_knows_of_no_mails_learns_of_them() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $42.50", 3600));
    let world = World::new(Kind::Sqlite, &[]);
    let mut config = watching(&server);
    config["state"] = json!({"path": world.program.path("state.db")});
    let program = Program::check_json(&config);
    program.clone().run().expect(0);
    // Such a store has no table for them.
    world.age(4);
    let run = program.clone().run().expect(0);
    assert_eq!(
        (account(&run.report()), &run.report()["mailboxes"][0]["scanned"]),
        (read(42.5, "ok"), &json!(0)),
        "{run}"
    );
    assert_eq!(account(&program.run().report()), read(42.5, "ok"));
}

#[test]
fn a_pattern_says_where_the_balance_stands() {
    let server = Dovecot::good();
    let body = "Plan: Pro\r\nRemaining volume: 1,250 units of 10,000\r\nThreshold: 300";
    server.deliver("1.x", &sent("1", "Your account", body, 60));
    let mut config = watching(&server);
    let run = |config: &Value| account(&Program::check_json(config).run().report());
    config["projects"][0]["pattern"] = json!("volume: (?P<balance>[0-9,.]+) units");
    // Without a currency or unit nobody knows whether it is a comma that parts thousands.
    assert!(run(&config).2.contains("separator may be a decimal sign"), "{:?}", run(&config));
    config["projects"][0]["currency"] = json!("units");
    assert_eq!(run(&config).0, "ok");
    assert_eq!(run(&config).1, json!(1250));
    for pattern in ["volume: (?P<balance>[0-9]+)", "Remaining volume: 1,(?P<balance>[0-9]+)"] {
        config["projects"][0]["pattern"] = json!(pattern);
        assert!(run(&config).2.contains("only a part of a number"), "{pattern}: {:?}", run(&config));
    }
    config["projects"][0].as_object_mut().unwrap().remove("currency");
    for (pattern, says) in [
        ("nothing like (?P<balance>.*)", "`pattern` fits nothing"),
        (": (?P<balance>[0-9,.]+)", "`pattern` fits several different texts"),
        ("Plan: (?P<balance>.*)", ""),
    ] {
        config["projects"][0]["pattern"] = json!(pattern);
        let (status, balance, why) = run(&config);
        assert_eq!((status.as_str(), &balance), ("failed", &Value::Null), "{pattern}");
        assert!(why.contains(says) && !why.contains("Pro"), "{pattern}: {why}");
    }
    // Another way to read it is not answered by what was read before.
    config["projects"][0]["pattern"] = json!("Threshold: (?P<balance>[0-9]+)");
    let program = Program::check_json(&config);
    assert_eq!(account(&program.clone().run().report()), read(300, "ok"));
    config["projects"][0]["pattern"] = json!("of (?P<balance>[0-9,]+)");
    config["projects"][0]["currency"] = json!("USD");
    let program = program.file("config.yaml", &format!("{config:#}"));
    assert_eq!(account(&program.run().report()), read(10_000, "ok"));
}

#[test]
fn an_account_whose_mailbox_cannot_be_read_fails_with_it() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Your account", "Your balance is $42.50", 60));
    let mut config = watching(&server);
    let program = Program::check_json(&config);
    program.clone().run().expect(0);
    config["email"][0]["password"] = json!("wrong");
    let report = program.file("config.yaml", &format!("{config:#}")).run().expect(3).report();
    let reasons = (&report["projects"][0]["error"]["reason"], &report["mailboxes"][0]["error"]["reason"]);
    assert_eq!(reasons, (&json!("auth"), &json!("auth")));
    assert_eq!(account(&report).1, Value::Null);
}

#[test]
fn a_mail_is_shown_with_the_account_that_it_is_about() {
    let server = Dovecot::good();
    let hook = Server::start(|_| Reply::ok(""));
    server.deliver("1.x", &sent("1", "Payment failed", "Your payment failed.", 60));
    let mut config = config(vec![
        json!({"name": "Other", "provider": "file", "threshold": 1, "options": {"path": "data.json", "balance": ".fine"}}),
        json!({"name": "Main account", "provider": "file", "threshold": 1, "mail_from": "vendor.example",
            "options": {"path": "data.json", "balance": ".fine"}}),
    ]);
    config["email"] = watching(&server)["email"].clone();
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let run = Program::check_json(&config).run().expect(1);
    let alert = &run.report()["mailboxes"][0]["alerts"][0];
    assert_eq!(alert["account"], "Main account", "{run}");
    assert!(alert["strength"].as_f64().unwrap() > 0.0 && !alert["signs_for"].as_array().unwrap().is_empty());
    assert_eq!(alert["keywords"], alert["signs_for"]);
    let said = hook.only_request().json()["Resources"][0]["Message"].as_str().unwrap().to_owned();
    assert!(said.contains(", account: Main account, ") && said.contains("signs: "), "{said}");
    // Without the state it is told again, and the mailbox alone knows the accounts as well.
    let table = Program::check(&config).args(["--state", "none", "--only", "mailboxes"]).run().expect(1);
    assert!(table.stdout.contains("account: Main account"), "{table}");
    config["projects"][0]["mail_from"] = json!("billing@vendor.example");
    let run = Program::check_json(&config).args(["--state", "none"]).run().expect(1);
    assert_eq!(run.report()["mailboxes"][0]["alerts"][0]["account"], Value::Null, "either of two");
}

#[test]
fn settings_of_a_mailbox_say_which_mails_are_alerts() {
    let server = Dovecot::good();
    server.deliver("1.x", &sent("1", "Payment failed", "x", 60));
    server.deliver("2.x", &sent("2", "Lunch", "see you", 60));
    let mut config = config(vec![]);
    config["email"] = watching(&server)["email"].clone();
    config["state"] = json!("none");
    for (settings, new) in [
        (json!({}), 1),
        (json!({"min_strength": 0}), 2),
        (json!({"min_strength": 1}), 0),
        (json!({"min_strength": "1", "extra_alert_keywords": ["lunch"]}), 1),
        (json!({"only_senders": ["@VENDOR.example"]}), 1),
        (json!({"only_senders": ["@other.example"]}), 0),
        (json!({"only_senders": ["@other.example", "billing"]}), 1),
        (json!({"only_senders": ["vendor"], "ignore_senders": ["billing@"]}), 0),
    ] {
        let mut config = config.clone();
        for (name, value) in settings.as_object().unwrap() {
            config["email"][0][name] = value.clone();
        }
        let report = Program::check_json(&config).run().report();
        let mailbox = &report["mailboxes"][0];
        assert_eq!((&mailbox["scanned"], &mailbox["new"]), (&json!(2), &json!(new)), "{settings}");
    }
}

/// The account's alert and the mail's would say the same, so that one of them is told: in whichever store, and however many mails
/// say it.
#[test]
fn a_mail_that_tells_a_low_balance_of_an_account_is_one_alert() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let server = Dovecot::good();
        let hook = Server::start(|_| Reply::ok(""));
        let world = World::new(kind, &[]);
        let mut config = watching(&server);
        config["projects"][0]["mail_from"] = json!("billing@vendor.example");
        config["webhook"] = json!({"type": "custom", "url": hook.url()});
        config["state"] = match kind {
            Kind::Sqlite => json!({"path": "state.db"}),
            Kind::Postgres => world.config["state"].clone(),
        };
        let program = Program::check_json(&config);
        let low = |balance: &str| {
            format!("Your balance is {balance}. It is too low, please top up now to avoid suspension of your service.")
        };
        // What the vendor calls low and the config does not: the mail alone says so.
        server.deliver("1.x", &sent("1", "Your account: low balance", &low("$42.50"), 3600));
        let early = program.clone().run().expect(1);
        assert_eq!(account(&early.report()), read(42.5, "ok"), "{early}");
        let told = |from: usize| hook.requests()[from..].iter().map(|request| request.text()).collect::<Vec<_>>();
        assert!(told(0).len() == 1 && told(0)[0].contains("low balance"), "{:?}", told(0));
        // Two such mails and the account in one run.
        server.deliver("2.x", &sent("2", "Your account: low balance", &low("$4.00"), 600));
        server.deliver("3.x", &sent("3", "Your account: balance is low", &low("$3.00"), 300));
        let run = program.clone().run().expect(2);
        assert_eq!(account(&run.report()), read(3, "low"), "{run}");
        assert_eq!(told(1).len(), 1, "{:?}", told(1));
        assert!(told(1)[0].contains("balance 3.00 USD is below the threshold 10"), "{:?}", told(1));
        assert!(!told(1)[0].contains("Your account"), "{:?}", told(1));
        // Once more, within the cooldown of the account's alert; in the report the mail is there all the same.
        server.deliver("4.x", &sent("4", "Your account: low balance", &low("$2.00"), 60));
        let again = program.clone().run().expect(2);
        let mails = again.report()["mailboxes"][0]["alerts"].clone();
        assert_eq!((mails[0]["account"].as_str(), told(2).len()), (Some("Vendor"), 0), "{again}");
        // What is more than a low balance is told.
        let failed = "We could not charge your card for $25.00, the payment was declined. Please update your card.";
        server.deliver("5.x", &sent("5", "Payment failed", failed, 30));
        program.clone().run().expect(2);
        assert!(told(2).len() == 1 && told(2)[0].contains("Payment failed"), "{:?}", told(2));
        // What is said of mails later: how old they are, and why they are alerts.
        let status =
            program.instead(["status", "--config", "config.yaml", "--output", "json"]).run().expect(0).report();
        let entry = |name: &str| {
            let all = status["projects"].as_array().unwrap();
            all.iter().find(|project| project["name"] == name).unwrap().clone()
        };
        assert!((60..600).contains(&entry("Vendor")["age_seconds"].as_i64().unwrap()), "{status}");
        assert!(entry("Vendor")["as_of"].as_str().unwrap().ends_with('Z'), "{status}");
        for name in ["Vendor", "billing"] {
            let mails = entry(name)["mails"].clone();
            assert_eq!(mails.as_array().unwrap().len(), 2, "{name}: {status}");
            assert_eq!((&mails[0]["subject"], &mails[0]["account"]), (&json!("Payment failed"), &json!("Vendor")));
            assert!((30..600).contains(&mails[0]["age_seconds"].as_i64().unwrap()), "{status}");
            assert!(!mails[0]["signs"].as_array().unwrap().is_empty(), "{status}");
        }
        assert_eq!(entry("billing")["as_of"], Value::Null);
        let table = program.instead(["status", "--config", "config.yaml"]).run().expect(0);
        assert!(table.stdout.contains("of a mail ") && table.stdout.contains("Payment failed ["), "{table}");
        let history =
            program.instead(["history", "--config", "config.yaml", "--output", "json"]).run().expect(0).report();
        let series = history["projects"].as_array().unwrap();
        let vendor = series.iter().find(|series| series["name"] == "Vendor").unwrap();
        assert_eq!((&vendor["as_of"], vendor["mails"].as_array().unwrap().len()), (&entry("Vendor")["as_of"], 2));
        let table = program.instead(["history", "--config", "config.yaml"]).run().expect(0);
        for line in ["Vendor: the last balance is of a mail ", "billing: mail "] {
            assert!(table.stdout.contains(line), "{line}: {table}");
        }
    }
}
