//! Who hears of what: routes over many runs, on both stores, and how `validate` shows them.

use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::world::{Kind, World, on_both};
use crate::support::{Finished, Program, Reply, Server, account, config, fine, low};
use serde_json::{Value, json};

on_both! {
    a_channel_for_what_is_critical_hears_that_and_its_end
    who_hears_of_something_else_now_hears_the_end_of_what_it_knows
    what_could_not_be_told_goes_to_who_hears_of_it_now
    who_hears_of_what_lasts_hears_later
    what_waits_comes_when_the_channel_is_active_again
    several_that_wait_come_as_one_message
    mails_wait_for_who_hears_of_what_lasts
}

/// A world with these webhooks, whose addresses differ by their names.
fn world(kind: Kind, webhooks: &[Value]) -> World {
    let mut world = World::new(kind, &[("A", 500)]);
    let url = world.hook.url();
    world.configure(|config| {
        config.as_object_mut().unwrap().remove("webhook");
        config["projects"][0]["warning_threshold"] = json!(20);
        let webhooks = webhooks.iter().map(|webhook| {
            let mut webhook = webhook.clone();
            webhook["type"] = json!("custom");
            webhook["url"] = json!(format!("{url}/{}", webhook["name"].as_str().unwrap()));
            webhook
        });
        config["webhooks"] = webhooks.collect();
    });
    world
}

/// One run with this balance; what each webhook has got, taken or refused, in the order of their names.
fn run(world: &World, seen: &mut usize, balance: i64) -> Vec<String> {
    world.balance("A", json!(balance));
    world.run();
    let requests = world.hook.requests();
    let new = requests.iter().skip(*seen).flat_map(|request| {
        let name = request.path().trim_start_matches('/').to_owned();
        let resources = request.json()["Resources"].as_array().unwrap().clone();
        resources.into_iter().map(move |one| {
            let word = |key: &str| one[key].as_str().unwrap().to_owned();
            format!("{name}: {} {} {}", word("Event"), word("Topic"), word("Level"))
        })
    });
    let mut new: Vec<String> = new.collect();
    new.sort();
    *seen = requests.len();
    new
}

fn a_channel_for_what_is_critical_hears_that_and_its_end(kind: Kind) {
    let world = world(kind, &[json!({"name": "team"}), json!({"name": "pager", "min_level": "critical"})]);
    let mut seen = 0;
    let mut go = |balance| run(&world, &mut seen, balance);
    assert_eq!(go(15), ["team: raised low warning"]);
    assert_eq!(go(15), [""; 0]);
    let both = ["pager: raised low critical", "team: raised low critical"];
    world.channel(false);
    assert_eq!(go(5), both);
    world.channel(true);
    assert_eq!(go(5), both);
    assert_eq!(go(5), [""; 0]);
    assert_eq!(go(15), [""; 0]);
    assert_eq!(go(500), ["pager: resolved low info", "team: resolved low info"]);
    assert_eq!(go(500), [""; 0]);
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

fn who_hears_of_something_else_now_hears_the_end_of_what_it_knows(kind: Kind) {
    let mut world = world(kind, &[json!({"name": "team"}), json!({"name": "pager"})]);
    let mut seen = 0;
    world.configure(|config| config["projects"][0]["notify"] = json!("pager"));
    assert_eq!(run(&world, &mut seen, 5), ["pager: raised low critical"]);
    world.configure(|config| config["projects"][0]["notify"] = json!(["team"]));
    assert_eq!(run(&world, &mut seen, 5), ["team: raised low critical"]);
    assert_eq!(run(&world, &mut seen, 2), ["team: raised low critical"], "it got worse");
    assert_eq!(run(&world, &mut seen, 500), ["pager: resolved low info", "team: resolved low info"]);
}

fn what_could_not_be_told_goes_to_who_hears_of_it_now(kind: Kind) {
    let mut world = world(kind, &[json!({"name": "team"}), json!({"name": "pager"})]);
    let mut seen = 0;
    world.configure(|config| config["projects"][0]["notify"] = json!("pager"));
    world.channel(false);
    assert_eq!(run(&world, &mut seen, 5), ["pager: raised low critical"]);
    world.channel(true);
    world.configure(|config| config["projects"][0]["notify"] = json!("team"));
    assert_eq!(run(&world, &mut seen, 500), ["team: resolved low info"], "with what it was");
    assert_eq!(run(&world, &mut seen, 500), [""; 0]);
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

fn who_hears_of_what_lasts_hears_later(kind: Kind) {
    let world = world(kind, &[json!({"name": "lead", "after": "2h"}), json!({"name": "team"})]);
    let mut seen = 0;
    assert_eq!(run(&world, &mut seen, 5), ["team: raised low critical"]);
    world.pass(3600);
    assert_eq!(run(&world, &mut seen, 5), [""; 0]);
    world.pass(3700);
    assert_eq!(run(&world, &mut seen, 5), ["lead: raised low critical"]);
    assert_eq!(run(&world, &mut seen, 500), ["lead: resolved low info", "team: resolved low info"]);
}

fn what_waits_comes_when_the_channel_is_active_again(kind: Kind) {
    // Not today, nor yesterday or tomorrow.
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday().to_monday_zero_offset();
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::try_from(today + 3).unwrap() % 7];
    let team = json!({"name": "team", "active": {"days": day, "timezone": "UTC"}});
    let mut world = world(kind, &[team]);
    let mut seen = 0;
    world.configure(|config| config["projects"].as_array_mut().unwrap().push(crate::support::world::account("B")));
    world.balance("B", json!(500));
    assert_eq!(run(&world, &mut seen, 15), [""; 0]);
    world.balance("B", json!(5));
    assert_eq!(run(&world, &mut seen, 15), ["team: raised low critical"], "of B");
    let report = world.run().report();
    assert_eq!(report["projects"][0]["alerts"][0]["postponed"], "away", "{report}");
    assert_eq!(world.run().code(), 2, "what waits is not undelivered");
    let waits = world.count("SELECT count(*) FROM alerts WHERE state = 'pending'");
    assert_eq!(waits, 1);
    world.configure(|config| drop(config["webhooks"][0].as_object_mut().unwrap().remove("active")));
    assert_eq!(run(&world, &mut seen, 15), ["team: raised low warning"]);
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

fn several_that_wait_come_as_one_message(kind: Kind) {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday().to_monday_zero_offset();
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::try_from(today + 3).unwrap() % 7];
    let mut world = world(kind, &[json!({"name": "team", "active": {"days": day, "timezone": "UTC"}})]);
    world.configure(|config| {
        for name in ["B", "C", "D"] {
            let mut account = crate::support::world::account(name);
            account["warning_threshold"] = json!(20);
            config["projects"].as_array_mut().unwrap().push(account);
        }
    });
    let mut seen = 0;
    for (name, balance) in [("B", 500), ("C", 500), ("D", 15)] {
        world.balance(name, json!(balance));
    }
    // One after the other, and one of them gets well again.
    assert_eq!(run(&world, &mut seen, 15), [""; 0]);
    world.balance("B", json!(15));
    world.balance("C", json!(15));
    assert_eq!(run(&world, &mut seen, 15), [""; 0]);
    world.balance("D", json!(500));
    assert_eq!(run(&world, &mut seen, 14), [""; 0]);
    world.configure(|config| drop(config["webhooks"][0].as_object_mut().unwrap().remove("active")));
    let before = world.hook.hits();
    let told = run(&world, &mut seen, 14);
    assert_eq!(told.iter().filter(|one| *one == "team: raised low warning").count(), 3, "{told:?}");
    assert_eq!(world.hook.hits() - before, 1, "one message");
    let message = world.hook.requests().pop().unwrap().json();
    let balance = |name: &str| {
        let resources = message["Resources"].as_array().unwrap().iter();
        let mut of_name = resources.filter(|one| one["ProjectName"] == name && one["Event"] == "raised");
        of_name.next().map(|one| one["CurrentValue"].clone())
    };
    assert_eq!(
        ["A", "B", "C"].map(balance),
        [Some(json!(14)), Some(json!(15)), Some(json!(15))],
        "what is true now: {message}"
    );
    assert_eq!(balance("D"), None, "{message}");
    assert_eq!(run(&world, &mut seen, 14), [""; 0]);
}

fn mails_wait_for_who_hears_of_what_lasts(kind: Kind) {
    let mut world = world(kind, &[json!({"name": "lead", "after": "2h"}), json!({"name": "team"})]);
    let server = Dovecot::good();
    let date = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap();
    let mail = format!(
        "From: Cloud <billing@cloud.example>\r\nMessage-ID: <1@x>\r\nDate: {date}\r\nSubject: Payment failed\r\n\r\n\
         Your payment failed. Please top up.\r\n"
    );
    server.deliver("1.x", mail.as_bytes());
    world.configure(|config| {
        config["email"] = json!([{"name": "billing", "host": "127.0.0.1", "port": server.plain, "username": USER,
            "password": PASSWORD, "security": "none"}]);
    });
    let mut seen = 0;
    assert_eq!(run(&world, &mut seen, 500), ["team: raised mail warning"]);
    world.pass(7000);
    assert_eq!(run(&world, &mut seen, 500), [""; 0], "not yet");
    world.pass(260);
    assert_eq!(run(&world, &mut seen, 500), ["lead: raised mail warning"]);
    assert_eq!(run(&world, &mut seen, 500), [""; 0], "once");
    // Who has dealt with a mail says so, and nobody above hears of it.
    let mail = mail.replace("<1@x>", "<2@x>").replace("failed\r\n", "failed again\r\n");
    server.deliver("2.x", mail.as_bytes());
    assert_eq!(run(&world, &mut seen, 500), ["team: raised mail warning"]);
    world.ask(["ack", "billing"]).expect(0);
    world.pass(8000);
    assert_eq!(run(&world, &mut seen, 500), [""; 0], "somebody has dealt with it");
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

/// A config with every kind of route.
fn routed() -> Value {
    let mut config = config(vec![low("Acme, Inc."), fine("Fine")]);
    config["projects"][0]["owner_project"] = json!("core");
    config["projects"][0]["warning_threshold"] = json!(20);
    config["projects"][1]["notify"] = json!(["pager", "a-name-that-is-really-quite-long-for-a-channel"]);
    config["subscriptions"] =
        json!([{"name": "S", "cycle_type": "monthly", "renewal_day": 1, "labels": {"team": "edge"}}]);
    config["webhooks"] = json!([
        {"name": "pager", "type": "console", "match": {"level": "critical", "owner_project": "co*"}, "continue": true},
        {"name": "core", "type": "console", "match": {"owner_project": ["core", "!edge"]}},
        {"name": "edge", "type": "console", "match": {"labels": {"team": "edge"}}, "min_level": "critical"},
        {"name": "a-name-that-is-really-quite-long-for-a-channel", "type": "console"},
    ]);
    config
}

fn ask<const N: usize>(program: &Program, args: [&str; N]) -> Finished {
    let path = program.path("config.yaml").display().to_string();
    program.instead(["validate", "--config", &path]).args(args).run()
}

#[test]
fn validate_shows_who_hears_of_what() {
    let program = Program::check_json(&routed());
    let table = ask(&program, []).expect(0);
    for line in table.stdout.lines().skip_while(|line| !line.contains("GOES TO")).take_while(|line| !line.is_empty()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    for (alert, to) in [("low critical", "pager, core"), ("low warning", "core"), ("renewal critical", "edge")] {
        let is_it = |line: &&str| line.trim_start().starts_with(alert) && line.contains(to);
        assert!(table.stdout.lines().any(|line| is_it(&line)), "{alert} to {to}: {table}");
    }
    let all: Value = serde_json::from_str(&ask(&program, ["--output", "json"]).expect(0).stdout).unwrap();
    assert_eq!(all["channels"].as_array().unwrap().len(), 4);
    let of = |project: &str, topic: &str, level: &str| {
        let routes = all["routes"].as_array().unwrap().iter();
        let is_it = |one: &&Value| one["project"] == project && one["topic"] == topic && one["level"] == level;
        routes.filter(is_it).map(|one| one["goes_to"].clone()).next().unwrap_or_default()
    };
    let rest = "a-name-that-is-really-quite-long-for-a-channel";
    assert_eq!(of("Acme, Inc.", "low", "critical"), json!(["pager", "core"]));
    assert_eq!(of("Acme, Inc.", "failing", "warning"), json!(["core"]));
    assert_eq!(of("Fine", "low", "critical"), json!(["pager", rest]));
    assert_eq!(of("S", "renewal", "warning"), json!([rest]), "nothing below critical goes to edge");
    assert_eq!(of("S", "renewal", "critical"), json!(["edge"]));

    let one = ask(&program, ["--route", "project=Acme, Inc.,topic=low,level=warning"]).expect(0);
    for (channel, why) in [
        ("pager", "no     `level` of its `match` does not fit"),
        ("core", "yes    its `match` fits"),
        ("edge", "no     `labels.team` of its `match` does not fit"),
        ("a-name", "no     `core` has taken it"),
    ] {
        let is_it = |line: &str| line.trim_start().starts_with(channel) && line.ends_with(why);
        assert!(one.stdout.lines().any(is_it), "{channel}: {why}: {one}");
    }
    assert!(one.stdout.lines().all(|line| line.chars().count() <= 80), "{one}");
    let json: Value =
        serde_json::from_str(&ask(&program, ["--route", "project=S", "-o", "json"]).expect(0).stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2, "{json}");
    for (question, said) in [
        ("project=Acme", "no enabled entry is named `Acme`"),
        ("project=S,topic=mail", "it raises `renewal` (warning), `renewal` (critical)"),
        ("project=S,topic=lwo", "`topic` must be one of"),
    ] {
        let asked = ask(&program, ["--route", question]).expect(64);
        assert!(asked.stderr.contains(said), "{question}: {asked}");
    }
    // Without routes nothing is said of them.
    let plain = Program::check_json(&config(vec![fine("Fine")]));
    let plain = ask(&plain, []).expect(0);
    assert!(!plain.stdout.contains("GOES TO"), "{plain}");
}

#[test]
fn a_webhook_for_schedules_alone_is_no_mistake() {
    for (matched, is_reached) in [
        (json!({"topic": "silent"}), true),
        (json!({"provider": "schedule"}), true),
        (json!({"topic": "silent", "level": "critical"}), false),
        (json!({"provider": "scheduler"}), false),
    ] {
        let mut config = config(vec![fine("A")]);
        config["webhooks"] =
            json!([{"name": "ops", "type": "console", "match": matched}, {"type": "console", "name": "rest"}]);
        let checked = ask(&Program::check_json(&config), []).expect(0);
        let is_warned =
            checked.stderr.contains("nothing that this config watches") || checked.stderr.contains("that no entry has");
        assert_eq!(is_warned, !is_reached, "{matched}: {checked}");
    }
}

#[test]
fn a_message_has_the_labels_the_link_the_mentions_and_the_language() {
    let server = Server::start(|request| match request.path() {
        "/en" | "/zh" => Reply::ok(""),
        _ => Reply::ok(r#"{"data":{"total_credits":100.5,"total_usage":25.75}}"#),
    });
    let mut openrouter = account("OpenRouter", "openrouter", &server.url());
    openrouter["threshold"] = json!(100);
    openrouter["labels"] = json!({"team": "core", "cost-centre": 17});
    let mut config = config(vec![openrouter]);
    let body = "{title: .title, language: .language, labels: .alerts[0].labels, top_up: .alerts[0].top_up}";
    let webhook =
        |name: &str| json!({"name": name, "type": "custom", "url": format!("{}/{name}", server.url()), "body": body});
    config["webhooks"] = json!([webhook("en"), webhook("zh")]);
    config["webhooks"][1]["language"] = json!("zh");
    Program::check(&config).run().expect(2);
    for (path, language, title) in [("/en", "en", "Balance alert"), ("/zh", "zh", "余额告警")] {
        let requests = server.requests();
        let said = requests.iter().find(|request| request.path() == path).unwrap().json();
        assert_eq!(said["language"], language);
        assert!(said["title"].as_str().unwrap().contains(title), "{said}");
        assert_eq!(said["labels"], json!({"team": "core", "cost-centre": "17"}));
        assert!(said["top_up"].as_str().unwrap().starts_with("https://openrouter.ai/"), "{said}");
    }
}

#[test]
fn an_entry_that_cannot_be_read_and_fits_nothing_is_told_to_all() {
    let server = Server::start(|_| Reply::ok(""));
    let mut config = config(vec![fine("Fine")]);
    config["settings"] = json!({"failure_alert_after": 1});
    config["projects"][0]["owner_project"] = json!("core");
    let broken = json!({"name": "Broken", "provider": "openrouter", "api_key": "${NOT_SET_ANYWHERE}", "threshold": 10});
    config["projects"].as_array_mut().unwrap().push(broken);
    let webhook = |name: &str| {
        let url = format!("{}/{name}", server.url());
        json!({"name": name, "type": "custom", "url": url, "match": {"owner_project": name}})
    };
    config["webhooks"] = json!([webhook("core"), webhook("edge")]);
    Program::check(&config).run();
    let mut paths: Vec<String> = server.requests().iter().map(|request| request.path().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/core", "/edge"]);
}
