//! Silences and acknowledgements over many runs, on both stores: what is told, and where they show.

use crate::support::dovecot::{Dovecot, PASSWORD, USER};
use crate::support::world::{Kind, World, on_both};
use serde_json::{Value, json};

on_both! {
    what_is_silenced_is_told_when_the_silence_ends
    what_is_acknowledged_is_told_again_when_it_is_worse
    a_silence_is_listed_and_ended
    it_is_known_how_it_stands_with_a_channel
    a_silenced_mail_is_told_when_the_silence_ends
}

fn run(world: &World, seen: &mut usize, balance: i64) -> Vec<String> {
    world.balance("A", json!(balance));
    world.run();
    world.messages(seen)
}

fn world(kind: Kind) -> World {
    let mut world = World::new(kind, &[("A", 500), ("B", 500)]);
    world.configure(|config| config["projects"][0]["warning_threshold"] = json!(20));
    world
}

fn what_is_silenced_is_told_when_the_silence_ends(kind: Kind) {
    let world = world(kind);
    let mut seen = 0;
    let said = world.ask(["silence", "A", "--for", "2h", "--reason", "a test", "--by", "me@here"]).expect(0);
    assert!(said.stdout.contains("silenced until") && said.stdout.contains("as number 1"), "{said}");
    assert!(said.stdout.contains("no run has looked at `A` yet"), "{said}");
    assert_eq!(run(&world, &mut seen, 5), [""; 0]);
    let report = world.run().report();
    assert_eq!(report["summary"]["low"], 1, "{report}");
    assert_eq!(report["exit_code"], 2, "it is judged as ever: {report}");
    assert_eq!(report["mutes"][0]["by"], "me@here");
    assert_eq!(report["mutes"][0]["reason"], "a test");
    assert_eq!(report["projects"][0]["alerts"][0]["muted_by"], 1);
    assert_eq!(report["projects"][0]["alerts"][0]["status"], "suppressed");
    let table = world.ask(["check"]);
    assert!(table.stdout.contains("silenced by me@here until"), "{table}");
    let metrics = world.ask(["check", "--output", "prometheus"]).stdout;
    for line in [
        "alerts_muted{kind=\"silence\"} 1\n",
        "mute_end_timestamp_seconds{number=\"1\",kind=\"silence\",by=\"me@here\"}",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    world.pass(2 * 3600 + 60);
    assert_eq!(run(&world, &mut seen, 5), ["raised low critical A"]);
    assert_eq!(run(&world, &mut seen, 500), ["resolved low info A"]);
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

/// A mailbox with a mail that speaks of trouble.
fn mailbox(world: &mut World) -> Dovecot {
    let server = Dovecot::good();
    deliver(&server, 1);
    world.configure(|config| {
        config["email"] = json!([{"name": "billing", "host": "127.0.0.1", "port": server.plain, "username": USER,
            "password": PASSWORD, "security": "none"}]);
    });
    server
}

/// Puts the mail of this number into it.
fn deliver(server: &Dovecot, number: usize) {
    let date = jiff::fmt::rfc2822::to_string(&jiff::Zoned::now()).unwrap();
    let mail = format!(
        "From: Cloud <billing@cloud.example>\r\nMessage-ID: <{number}@x>\r\nDate: {date}\r\nSubject: Payment failed {number}\r\n\r\n\
         Your payment failed. Please top up.\r\n"
    );
    server.deliver(&format!("{number}.x"), mail.as_bytes());
}

fn a_silenced_mail_is_told_when_the_silence_ends(kind: Kind) {
    let mut world = world(kind);
    let server = mailbox(&mut world);
    let mut seen = 0;
    world.ask(["silence", "--match", "topic=mail", "--for", "2h"]).expect(0);
    assert_eq!(run(&world, &mut seen, 5), ["raised low critical A"]);
    deliver(&server, 2);
    let report = world.run().report();
    let mail = &report["mailboxes"][0]["alerts"][0];
    assert_eq!((&mail["subject"], &mail["status"]), (&json!("Payment failed 2"), &json!("suppressed")), "{report}");
    assert_eq!(run(&world, &mut seen, 5), [""; 0], "they are read and not told");
    // It can be read no more, which is not what this is about.
    world.configure(|config| {
        config["email"][0]["port"] = json!(9);
        config["settings"]["failure_alert_after"] = json!(0);
    });
    world.pass(7000);
    assert_eq!(run(&world, &mut seen, 5), [""; 0]);
    world.pass(260);
    let told = run(&world, &mut seen, 5);
    assert_eq!(told, ["raised mail warning billing", "raised mail warning billing"], "both, in one run");
    assert_eq!(run(&world, &mut seen, 5), [""; 0], "and once");
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

fn what_is_acknowledged_is_told_again_when_it_is_worse(kind: Kind) {
    let world = world(kind);
    let mut seen = 0;
    let said = world.ask(["ack", "A"]).expect(64);
    assert!(said.stderr.contains("nothing is known to be wrong with `A`"), "{said}");
    assert_eq!(run(&world, &mut seen, 15), ["raised low warning A"]);
    let said = world.ask(["ack", "A", "--reason", "on it", "--by", "me@here"]).expect(0);
    assert!(said.stdout.contains("project=A topic=low"), "{said}");
    world.pass(3 * 86_400);
    assert_eq!(run(&world, &mut seen, 15), [""; 0], "no reminder");
    let status: Value = serde_json::from_str(&world.ask(["status", "--output", "json"]).expect(0).stdout).unwrap();
    assert_eq!(status["mutes"][0]["kind"], "ack");
    assert_eq!(status["mutes"][0]["by"], "me@here");
    assert_eq!(run(&world, &mut seen, 5), ["raised low critical A"]);
    assert_eq!(world.count("SELECT count(*) FROM mutes"), 0, "it has ended");
    world.ask(["ack", "A"]).expect(0);
    assert_eq!(run(&world, &mut seen, 500), ["resolved low info A"]);
    assert_eq!(world.count("SELECT count(*) FROM mutes"), 0, "it is over");
}

fn a_silence_is_listed_and_ended(kind: Kind) {
    let world = world(kind);
    let mut seen = 0;
    assert_eq!(run(&world, &mut seen, 500), [""; 0]);
    world.ask(["silence", "--match", "topic=low", "--match", "project=!B", "--for", "1d"]).expect(0);
    let list = world.ask(["silences"]).expect(0);
    assert!(list.stdout.contains("topic=low project=!B") && list.stdout.contains('@'), "{list}");
    assert_eq!(run(&world, &mut seen, 5), [""; 0]);
    world.balance("B", json!(5));
    world.run();
    assert_eq!(world.messages(&mut seen), ["raised low critical B"]);
    let wrong = world.ask(["unsilence", "7"]).expect(64);
    assert!(wrong.stderr.contains("`7` names no silence"), "{wrong}");
    world.ask(["unsilence", "1"]).expect(0);
    world.run();
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
    let none = world.ask(["silences"]).expect(0);
    assert!(none.stdout.contains("nothing is silenced"), "{none}");
}

fn it_is_known_how_it_stands_with_a_channel(kind: Kind) {
    let world = world(kind);
    let mut seen = 0;
    let state = || {
        let status: Value = serde_json::from_str(&world.ask(["status", "-o", "json"]).expect(0).stdout).unwrap();
        status["channels"][0].clone()
    };
    assert_eq!(run(&world, &mut seen, 15), ["raised low warning A"]);
    let state_of_one_that_takes = state();
    assert_eq!(state_of_one_that_takes["owed"], 0);
    assert!(state_of_one_that_takes["last_delivered_at"].is_string(), "{state_of_one_that_takes}");
    assert!(state_of_one_that_takes["refusing_since"].is_null());
    world.pass(60);
    world.channel(false);
    run(&world, &mut seen, 5);
    assert_eq!((&state()["owed"], state()["refusing_since"].is_string()), (&json!(1), true), "{}", state());
    let health = world.ask(["health"]);
    assert!(
        health.stdout.contains("has taken nothing since") && health.stdout.contains("(1 message owed)"),
        "{health}"
    );
    assert_eq!(health.stdout.matches('\n').count(), 1);
    world.channel(true);
    run(&world, &mut seen, 5);
    assert!(state()["refusing_since"].is_null(), "{}", state());
    assert!(!world.ask(["health"]).stdout.contains("has taken nothing"));
}
