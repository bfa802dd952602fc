//! Credits that lapse before they are used up, through the real program: each is told once, and `why` says what becomes of it.

use serde_json::{Value, json};

use crate::support::Finished;
use crate::support::world::{Kind, World, on_both};

on_both! {
    a_credit_that_lapses_is_told_once_and_explained
}

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;
const HOUR: i64 = 3_600;

fn at(hour: i64) -> String {
    (START + hour * HOUR).to_string()
}

/// An account whose page tells credits.
fn world(kind: Kind, forecast: &Value) -> World {
    let mut world = World::new(kind, &[]);
    world.configure(|config| {
        config["providers"] = json!([{
            "id": "grants", "title": "Grants", "kind": "credits", "unit": "USD", "credential": {"format": "none"},
            "request": {"file": "{options.path}"}, "options": {"path": {"description": "the file"}},
            "balance": ".left", "expires": ".grants[] | {credit: .name, amount: .left, date: .until}",
        }]);
        config["projects"] = json!([{
            "name": "A", "provider": "grants", "threshold": 10, "options": {"path": "grants.json"}, "forecast": forecast,
        }]);
    });
    world
}

/// A run at that hour, in which the account has so much, and these credits.
fn run_at(world: &World, hour: i64, left: i64, grants: &Value) -> Finished {
    std::fs::write(world.program.path("grants.json"), json!({"left": left, "grants": grants}).to_string()).unwrap();
    world.program.clone().env("BALANCE_ALERT_CLOCK", &at(hour)).run()
}

/// Runs every six hours that consume 24 a day, down to so much. Gives the hour after the last one.
fn consume(world: &World, last: i64, grants: &Value) -> i64 {
    for run in 0..12 {
        run_at(world, 6 * run, last + 6 * (11 - run), grants);
    }
    72
}

fn why(world: &World, hour: i64) -> String {
    let config = world.program.path("config.yaml").display().to_string();
    let asked = world.program.instead(["why", "A", "--output", "json", "--config", &config]);
    let answer = asked.env("BALANCE_ALERT_CLOCK", &at(hour)).run().expect(0).report();
    let topics = answer["topics"].as_array().unwrap();
    let topic = topics.iter().find(|topic| topic["topic"] == "expiry").unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut all = vec![topic["state"].as_str().unwrap().to_owned()];
    all.extend(texts(&topic["rule"]));
    all.extend(topic["channels"].as_array().unwrap().iter().flat_map(|channel| texts(&channel["because"])));
    all.join(" ")
}

fn a_credit_that_lapses_is_told_once_and_explained(kind: Kind) {
    let world = world(kind, &json!({}));
    let mut seen = 0;
    let none = Vec::<String>::new();
    let used = json!([{"name": "welcome", "left": 100, "until": "2026-11-15"}]);
    let hour = consume(&world, 1_000, &used);
    assert_eq!(world.messages(&mut seen), none, "100 are used within ten days");
    let said = why(&world, hour);
    assert!(said.contains("well All of its credits will be used up before they lapse."), "{said}");
    // Of 400 in ten days 240 are used.
    let grants = json!([{"name": "welcome", "left": 400, "until": "2026-11-15"}]);
    let report = run_at(&world, hour, 994, &grants).report();
    let lapses = &report["projects"][0]["lapses"][0];
    assert_eq!((&lapses["credit"], &lapses["date"]), (&json!("welcome"), &json!("2026-11-15")), "{lapses}");
    assert_eq!((&lapses["remaining"], &lapses["falls_below"]), (&json!(400), &Value::Null), "{lapses}");
    assert!((150.0..170.0).contains(&lapses["unused"].as_f64().unwrap()), "{lapses}");
    assert_eq!(world.messages(&mut seen), ["raised expiry warning A"]);
    let said = why(&world, hour);
    assert!(said.starts_with("wrong The credit “welcome” of 400"), "{said}");
    for part in
        ["lapses on 2026-11-15 with 160", "unused.", "within 14 days", "24", "a day are usual", "It was told on"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    // It is used up in time, then not, and then nearly over.
    for (later, grants) in [(6, &used), (12, &grants), (18, &grants)] {
        run_at(&world, hour + later, 994 - later, grants);
    }
    assert_eq!(world.messages(&mut seen), none, "it is told once");
    // Another date is another credit, and only that is told.
    let both = json!([
        {"name": "welcome", "left": 400, "until": "2026-11-15"}, {"name": "bonus", "left": 500, "until": "2026-11-17"},
    ]);
    run_at(&world, hour + 24, 970, &both);
    assert_eq!(world.messages(&mut seen), ["raised expiry warning A"]);
    let last = world.hook.requests().last().unwrap().json().to_string();
    assert!(last.contains("bonus") && !last.contains("welcome"), "{last}");
    run_at(&world, hour + 30, 964, &json!([]));
    assert_eq!(world.messages(&mut seen), none, "it is over without a word");
    assert!(why(&world, hour + 30).contains("well It has no credit of a known amount that lapses"));
}

#[test]
fn a_config_says_from_when_on_a_credit_is_told() {
    // Ten days before it lapses.
    let grants = json!([{"name": "welcome", "left": 900, "until": "2026-11-15"}]);
    for (forecast, left, want) in [
        (json!({}), 1_000, true),
        (json!({"expiry_days": 0}), 1_000, false),
        (json!({"expiry_days": 9}), 1_000, false),
        (json!({"expiry_days": 11}), 1_000, true),
    ] {
        let world = world(Kind::Sqlite, &forecast);
        let mut seen = 0;
        let hour = consume(&world, left, &json!([]));
        run_at(&world, hour, left - 6, &grants);
        let told = world.messages(&mut seen);
        assert_eq!(!told.is_empty(), want, "{forecast}: {told:?}");
    }
}

/// An account that nobody uses loses all of it, and falls below its threshold.
#[test]
fn an_idle_account_loses_the_whole_credit() {
    let world = world(Kind::Sqlite, &json!({}));
    let grants = json!([{"name": "welcome", "left": 95, "until": "2026-11-06"}]);
    let mut seen = 0;
    for hour in [0, 6, 12, 18] {
        run_at(&world, hour, 100, &grants);
    }
    assert_eq!(world.messages(&mut seen), Vec::<String>::new(), "a day must be known");
    run_at(&world, 24, 100, &grants);
    assert_eq!(world.messages(&mut seen), ["raised expiry warning A"]);
    let last = world.hook.requests().last().unwrap().json().to_string();
    assert!(last.contains("all of it unused") && last.contains("below the threshold"), "{last}");
}
