//! Top-ups, through the real program, on both kinds of stores.

use serde_json::json;

use crate::support::Finished;
use crate::support::world::{Kind, World, on_both};

on_both! {
    a_top_up_is_told_once_with_its_amount
}

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;

/// A run that many minutes later, in which the account has so much.
fn run_at(world: &World, minute: i64, balance: i64) -> Finished {
    world.balance("A", json!(balance));
    world.program.clone().env("BALANCE_ALERT_CLOCK", &(START + 60 * minute).to_string()).run()
}

fn why(world: &World, minute: i64) -> String {
    let config = world.program.path("config.yaml").display().to_string();
    let asked = world.program.instead(["why", "A", "--output", "json", "--config", &config]);
    let asked = asked.env("BALANCE_ALERT_CLOCK", &(START + 60 * minute).to_string());
    let answer = asked.run().expect(0).report();
    let topics = answer["topics"].as_array().unwrap();
    topics.iter().find(|topic| topic["topic"] == "topup").unwrap().to_string()
}

fn a_top_up_is_told_once_with_its_amount(kind: Kind) {
    let mut world = World::new(kind, &[("A", 100)]);
    world.configure(|config| config["settings"]["forecast"] = json!({"tell_topups": true}));
    let (mut seen, none) = (0, Vec::<String>::new());
    run_at(&world, 0, 100).expect(0);
    run_at(&world, 5, 95).expect(0);
    assert_eq!(world.messages(&mut seen), none);
    run_at(&world, 10, 595).expect(0);
    assert_eq!(world.messages(&mut seen), ["raised topup info A"]);
    let text = world.hook.requests().last().unwrap().json().to_string();
    assert!(text.contains("was topped up by 500 between 2026-11-02 00:05 UTC and 2026-11-02 00:10 UTC"), "{text}");
    let said = why(&world, 11);
    assert!(said.contains("Each top-up that a run sees is told once"), "{said}");
    assert!(said.contains("It was told on 2026-11-02 00:10 UTC (info, 595)."), "{said}");
    for minute in [15, 20] {
        run_at(&world, minute, 595).expect(0);
    }
    assert_eq!(world.messages(&mut seen), none, "it is told once");
    assert!(!why(&world, 21).contains("It was told on"), "it is forgotten: {}", why(&world, 21));
    // Two that nobody took are told together.
    world.channel(false);
    run_at(&world, 25, 605).expect(75);
    run_at(&world, 30, 625).expect(75);
    world.messages(&mut seen);
    world.channel(true);
    run_at(&world, 35, 620).expect(0);
    assert_eq!(world.messages(&mut seen), ["raised topup info A"]);
    let text = world.hook.requests().last().unwrap().json().to_string();
    assert!(text.contains("was topped up by 30 between 2026-11-02 00:20 UTC and 2026-11-02 00:30 UTC"), "{text}");
}

/// Nobody is told who did not ask for it; a project may ask alone.
#[test]
fn a_top_up_is_told_only_to_who_asks() {
    for (settings, project, want) in [
        (json!({}), json!({}), false),
        (json!({"tell_topups": true}), json!({"alert_days": 3}), true),
        (json!({"tell_topups": true}), json!({"tell_topups": false}), false),
        (json!({}), json!({"tell_topups": true}), true),
    ] {
        let mut world = World::new(Kind::Sqlite, &[("A", 100)]);
        world.configure(|config| {
            config["settings"]["forecast"] = settings.clone();
            config["projects"][0]["forecast"] = project.clone();
        });
        let mut seen = 0;
        run_at(&world, 0, 100);
        run_at(&world, 5, 200);
        assert_eq!(!world.messages(&mut seen).is_empty(), want, "{settings} {project}");
    }
}
