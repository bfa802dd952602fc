//! `balance-alert why` on both stores: what is said of an account that is told, silenced, sent elsewhere, not read, or well.

use crate::support::world::{Kind, World, on_both};
use serde_json::{Value, json};

on_both! {
    it_says_who_was_told_and_when_that_is_told_again
    it_says_what_keeps_somebody_from_being_told
    it_says_what_is_not_told_yet
    what_the_last_run_could_not_use_is_said
    it_says_so_of_what_it_does_not_know
}

/// What is said of one topic of an account to one channel, in one line.
fn said(world: &World, name: &str, topic: &str, channel: &str) -> String {
    let answer = world.ask(["why", name, "--output", "json"]).expect(0).report();
    let find = |list: &Value, key: &str, word: &str| {
        let all = list.as_array().unwrap();
        all.iter().find(|one| one[key] == word).unwrap_or_else(|| panic!("no {word} in {list:#}")).clone()
    };
    let topic = find(&answer["topics"], "topic", topic);
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut all = vec![topic["state"].as_str().unwrap().to_owned()];
    all.extend(texts(&topic["rule"]));
    if !channel.is_empty() {
        let channel = find(&topic["channels"], "channel", channel);
        all.push(channel["act"].as_str().unwrap().to_owned());
        all.extend(texts(&channel["because"]));
        all.extend(channel["next"].as_str().map(str::to_owned));
        all.extend(channel["change"].as_str().map(str::to_owned));
    }
    all.join(" ")
}

fn expect(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

fn it_says_who_was_told_and_when_that_is_told_again(kind: Kind) {
    let world = World::new(kind, &[("A", 5), ("B", 500)]);
    world.channel(false);
    world.run().expect(75);
    expect(
        &said(&world, "A", "low", "custom"),
        &[
            "wrong 5 is below the threshold of 10.",
            "repeat It has not been told.",
            "it was last sent on",
            "The next run sends what is owed",
        ],
    );
    world.channel(true);
    world.run().expect(2);
    let told = said(&world, "A", "low", "custom");
    expect(
        &told,
        &["hold It was told on", "(critical, 5)", "It knows, so nothing is sent.", "or at once at 2.50 or less"],
    );
    let table = world.ask(["why", "A"]).expect(0);
    expect(&table.stdout, &["A (file): 5 (low), looked at", "low: wrong since", "failing: all is well"]);
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 80), "{table}");
    // What is said would happen does happen.
    world.balance("A", json!(2.5));
    world.run().expect(2);
    expect(&said(&world, "A", "low", "custom"), &["(critical, 2.50)"]);
    expect(&said(&world, "B", "low", ""), &["well 500 is not below the threshold of 10."]);
}

fn it_says_what_keeps_somebody_from_being_told(kind: Kind) {
    let mut world = World::new(kind, &[("A", 500), ("B", 500)]);
    let hook = world.config["webhook"].clone();
    world.configure(|config| {
        let channel = |name: &str, more: Value| {
            let mut channel = hook.clone();
            channel["name"] = json!(name);
            for (key, value) in more.as_object().unwrap() {
                channel[key] = value.clone();
            }
            channel
        };
        config["webhooks"] = json!([
            channel("all", json!({})),
            channel("slow", json!({"after": "2h"})),
            channel("critical", json!({"min_level": "critical"})),
            channel("other", json!({"match": {"project": "B"}})),
        ]);
        config.as_object_mut().unwrap().remove("webhook");
        config["projects"][0]["warning_threshold"] = json!(20);
    });
    world.ask(["silence", "A", "--for", "1h", "--reason", "a test", "--by", "me@here"]).expect(0);
    world.balance("A", json!(15));
    world.run();
    expect(
        &said(&world, "A", "low", "all"),
        &[
            "rest It has not been told.",
            "It is silenced by me@here (number 1): a test.",
            "or after `balance-alert unsilence 1`.",
        ],
    );
    world.ask(["unsilence", "1"]).expect(0);
    world.run();
    expect(&said(&world, "A", "low", "all"), &["15 is below the warning threshold of 20.", "hold"]);
    expect(
        &said(&world, "A", "low", "slow"),
        &["rest", "It hears only of what lasts (`after`)", "It is told if it is still wrong on"],
    );
    expect(
        &said(&world, "A", "low", "critical"),
        &["rest", "What is wrong now is not for it: takes nothing below critical.", "Nothing is sent."],
    );
    expect(&said(&world, "A", "low", "other"), &["not_routed", "`project` of its `match` does not fit"]);
    world.ask(["ack", "A", "--by", "me@here"]).expect(0);
    world.balance("A", json!(5));
    let before = said(&world, "A", "low", "all");
    expect(&before, &["It is acknowledged by me@here", "It is told when it gets worse"]);
}

fn it_says_what_is_not_told_yet(kind: Kind) {
    let world = World::new(kind, &[("A", 500)]);
    world.balance("A", json!("broken"));
    world.run();
    expect(
        &said(&world, "A", "failing", ""),
        &[
            "not_yet It could not be read in the last 1 run (decode); that is told from 3 failed runs in a row on (`failure_alert_after: 3`).",
        ],
    );
    expect(&said(&world, "A", "low", ""), &["unknown The last run could not read it"]);
    world.run();
    world.run();
    expect(
        &said(&world, "A", "failing", "custom"),
        &["wrong It could not be read in the last 3 runs (decode)", "hold It was told on"],
    );
}

/// Whether a channel can be used is seen by the run, which has other variables, and asks the commands that tell secrets.
fn what_the_last_run_could_not_use_is_said(kind: Kind) {
    let mut world = World::new(kind, &[("A", 5)]);
    let address = world.hook.url();
    world.configure(|config| {
        config["webhook"] = json!({"type": "custom", "name": "ops", "url_command": ["echo", address]});
    });
    world.run().expect(2);
    let told = said(&world, "A", "low", "ops");
    expect(&told, &["hold It was told on"]);
    assert!(!told.contains("could not use it"), "{told}");
    world
        .configure(|config| config["webhook"] = json!({"type": "custom", "name": "ops", "url": "${NO_SUCH_VARIABLE}"}));
    world.run();
    expect(
        &said(&world, "A", "low", "ops"),
        &["The last run could not use it as it is configured; `balance-alert validate` says why."],
    );
}

fn it_says_so_of_what_it_does_not_know(kind: Kind) {
    let world = World::new(kind, &[("Acme", 5), ("B", 500)]);
    let unseen = world.ask(["why", "Acme"]);
    assert!(
        unseen.stderr.contains("memory of runs") || unseen.stdout.contains("no run has looked at it yet"),
        "{unseen}"
    );
    world.run();
    let near = world.ask(["why", "Acmee"]).expect(64);
    expect(&near.stderr, &["the config has no enabled entry `Acmee`", "did you mean `Acme`?"]);
    let far = world.ask(["why", "zzzzzz"]).expect(64);
    expect(&far.stderr, &["it has `Acme`, `B`"]);
}
