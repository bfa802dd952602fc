//! `balance-alert backtest` and `replay` on both stores: the past runs decided once more, and what one of them saw.

use crate::support::Finished;
use crate::support::world::{Kind, World, on_both};
use serde_json::{Value, json};

on_both! {
    a_config_is_tried_on_the_past
    a_run_is_shown_as_it_was
    older_samples_are_thinned_with_exact_sums
}

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;

fn at(hour: i64) -> String {
    (START + hour * 3_600).to_string()
}

/// A run at that hour.
fn run(world: &World, hour: i64, balance: Value) -> Finished {
    world.balance("A", balance);
    world
        .program
        .clone()
        .env("BALANCE_ALERT_CLOCK", &at(hour))
        .env("BALANCE_ALERT_RUN_ID", &format!("run-{hour}"))
        .run()
}

/// A question at hour 30, with the config of that name.
fn ask<const N: usize>(world: &World, config: &str, args: [&str; N]) -> Finished {
    let config = world.program.path(config).display().to_string();
    world.program.instead(args).args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &at(30)).run()
}

fn a_config_is_tried_on_the_past(kind: Kind) {
    let world = World::new(kind, &[("A", 200), ("B", 500)]);
    for (hour, balance) in [(0, json!(200)), (6, json!(60)), (12, json!(8)), (18, json!("x")), (24, json!(300))] {
        run(&world, hour, balance);
    }
    let told = world.hook.requests().len();
    let rows = |table: &str| world.count(&format!("SELECT count(*) FROM {table}"));
    let before = ["runs", "samples", "alerts", "deliveries", "told"].map(rows);
    let same = ask(&world, "config.yaml", ["backtest", "--output", "json"]).expect(0).report();
    assert_eq!((&same["runs"], &same["checks"]), (&json!(5), &json!(2)), "{same:#}");
    let lines = |answer: &Value| -> Vec<String> {
        let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let line = |one: &Value| {
            let sign = match (one["channels"].as_array().unwrap().len(), one["told"].as_array().unwrap().len()) {
                (1, 1) => "=",
                (1, 0) => "+",
                _ => "-",
            };
            [sign.to_owned(), word(one, "run_id"), word(one, "topic"), word(one, "event"), word(one, "level")].join(" ")
        };
        answer["alerts"].as_array().unwrap().iter().map(line).collect()
    };
    assert_eq!(lines(&same), ["= run-12 low raised critical", "= run-24 low resolved info"]);
    let mut new = world.config.clone();
    new["projects"][0]["threshold"] = json!(100);
    std::fs::write(world.program.path("new.yaml"), new.to_string()).unwrap();
    let other = ask(&world, "new.yaml", ["backtest", "--output", "json", "--project", "A"]).expect(0).report();
    assert_eq!(
        lines(&other),
        ["+ run-6 low raised critical", "= run-12 low raised critical", "= run-24 low resolved info"],
        "{}: much less is left at run-12",
        kind.name()
    );
    assert_eq!((&other["with_config"]["messages"], &other["told"]["messages"]), (&json!(3), &json!(2)), "{other:#}");
    let table = ask(&world, "new.yaml", ["backtest", "--since", "20h"]).expect(0);
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 80), "{table}");
    for part in ["3 runs of 2 checks", "WITH THIS CONFIG", " = ", "low critical", "is sent."] {
        assert!(table.stdout.contains(part), "{part}: {table}");
    }
    let absent = ask(&world, "new.yaml", ["backtest", "--project", "C"]).expect(64);
    assert!(absent.stderr.contains("no enabled project is named `C`"), "{absent}");
    assert_eq!(world.hook.requests().len(), told, "nothing is sent");
    assert_eq!(["runs", "samples", "alerts", "deliveries", "told"].map(rows), before, "nothing is written");
}

fn a_run_is_shown_as_it_was(kind: Kind) {
    let world = World::new(kind, &[("A", 200), ("B", 500)]);
    run(&world, 0, json!(200)).expect(0);
    world.channel(false);
    run(&world, 6, json!(8)).expect(75);
    world.channel(true);
    run(&world, 12, json!("x")).expect(3);
    let replay = |id: &str| ask(&world, "config.yaml", ["replay", id, "--output", "json"]).expect(0).report();
    let calm = replay("run-0");
    assert_eq!((&calm["alerts"], &calm["runs"][0]["exit_code"]), (&json!([]), &json!(0)), "{calm:#}");
    let seen = |answer: &Value| answer["runs"][0]["seen"].as_array().unwrap().clone();
    assert_eq!(seen(&calm).len(), 2, "{calm:#}");
    // The alert of run-6 is owed until run-12 can send it.
    for (id, is_own) in [("run-6", true), ("run-12", false)] {
        let answer = replay(id);
        let alert = &answer["alerts"][0];
        assert_eq!(
            (&alert["topic"], &alert["decided_at"]),
            (&json!("low"), &json!("2026-11-02T06:00:00Z")),
            "{id}: {answer:#}"
        );
        assert_eq!(alert["deliveries"][0]["run_id"], "run-12", "{answer:#}");
        assert_eq!(alert["deliveries"][0]["status"], "sent", "{answer:#}");
        let later = answer["not_kept"].to_string().contains("a later run has tried again");
        assert_eq!(later, is_own, "{answer:#}");
    }
    let failed = seen(&replay("run-12")).iter().find(|one| one["name"] == "A").unwrap().clone();
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("failed"), &json!("decode")), "{failed}");
    let table = ask(&world, "config.yaml", ["replay", "run-6"]).expect(0);
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 80), "{table}");
    for part in [
        "run-6: began 2026-11-02 06:00:00 UTC",
        "exit code 75",
        "A: low (critical), decided: custom sent",
        "Not kept of any",
    ] {
        assert!(table.stdout.contains(part), "{part}: {table}");
    }
    let absent = ask(&world, "config.yaml", ["replay", "run-7"]).expect(64);
    assert!(absent.stderr.contains("the last runs are `run-12`, `run-6`, `run-0`"), "{absent}");
}

/// Runs every five minutes of 40 days ago, and every hour of 250 days ago, that a newer run finds in its memory.
fn older_samples_are_thinned_with_exact_sums(kind: Kind) {
    let world = World::new(kind, &[("A", 100), ("B", 500)]);
    world.program.clone().env("BALANCE_ALERT_CLOCK", &at(0)).run().expect(0);
    world.program.clone().env("BALANCE_ALERT_CLOCK", &at(48)).run().expect(0);
    let (newest, hour) = (world.count("SELECT max(run) FROM runs"), 3_600_000_000);
    let day = |days: i64| (newest - days * 24 * hour).div_euclid(24 * hour) * 24 * hour;
    let old = (0..48).map(|at| day(250) + at * hour + 5);
    let runs: Vec<i64> = old.chain((0..36).map(|at| day(40) + at * hour / 12)).collect();
    let balance = |at: usize| 500 - 3 * i64::try_from(at).unwrap() + if at.is_multiple_of(7) { 20 } else { 0 };
    let mut sql = String::new();
    for (at, run) in runs.iter().enumerate() {
        sql += &format!(
            "INSERT INTO runs (run, id, finished_at, exit_code, checks, ends_by, is_partial) \
             SELECT {run}, 'old', finished_at, exit_code, checks, ends_by, is_partial FROM runs WHERE run = {newest}; \
             INSERT INTO samples (run, check_id, status, balance, threshold, currency) \
             SELECT {run}, check_id, status, '{}', threshold, currency FROM samples WHERE run = {newest}; ",
            balance(at)
        );
    }
    world.sql(&sql);
    let ask = || ask(&world, "config.yaml", ["history", "A", "--since", "400d", "--output", "json"]).expect(0).report();
    let sums = |answer: &Value| ["fell", "rose", "change"].map(|key| answer["projects"][0][key].as_f64().unwrap());
    let count =
        || world.count("SELECT count(*) FROM samples s JOIN checks c ON c.check_id = s.check_id WHERE c.name = 'A'");
    let (before, all) = (ask(), count());
    let balances: Vec<i64> = (0..runs.len()).map(balance).chain([100, 100]).collect();
    let steps = || balances.windows(2).map(|pair| pair[1] - pair[0]);
    let want =
        [-steps().map(|step| step.min(0)).sum::<i64>(), steps().map(|step| step.max(0)).sum(), 100 - balances[0]];
    assert_eq!((all, sums(&before)), (86, want.map(|sum| sum as f64)), "{before:#}");
    world.program.clone().env("BALANCE_ALERT_CLOCK", &at(48)).run().expect(0);
    let after = ask();
    // Two days, three hours, and the three runs of these days.
    assert_eq!(count(), 2 + 3 + 3, "{}: {after:#}", kind.name());
    // The first balance that is kept is the last one of its day.
    assert_eq!(sums(&after)[..2], sums(&before)[..2], "{after:#}");
    assert_eq!(after["projects"][0]["samples"][0]["balance"], balance(23), "{after:#}");
    let replayed = self::ask(&world, "config.yaml", ["replay", "old", "--output", "json"]).expect(0).report();
    let notes = replayed["not_kept"].to_string();
    assert!(notes.contains("of older runs the last one of an hour or of a day is enough"), "{notes}");
}
