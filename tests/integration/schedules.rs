//! A schedule whose runs do not come any more is told by the runs of another one that shares its store.

use crate::support::world::{Kind, World, on_both};
use serde_json::json;

on_both! {
    a_shard_that_has_fallen_silent_is_told_by_the_others
    another_config_that_has_fallen_silent_is_told
    runs_without_a_rhythm_are_expected_at_no_time
}

const HOUR: i64 = 3_600_000_000;

/// Makes the last run of a schedule sixty of them, one an hour, the newest of which began so many hours earlier. `of` picks its runs.
fn age(world: &World, of: &str, hours: i64) {
    let newest = world.count(&format!("SELECT max(run) FROM runs WHERE {of}"));
    let copy = |n: i64| {
        format!(
            "INSERT INTO runs (run, id, checks, ends_by, is_partial, shard, unusable_channels, schedule) \
             SELECT run - {}, id, checks, ends_by, is_partial, shard, unusable_channels, schedule FROM runs WHERE run = {newest}; ",
            n * HOUR
        )
    };
    world.sql(&(hours..hours + 60).map(copy).collect::<String>());
    world.sql(&format!("DELETE FROM runs WHERE run = {newest}"));
}

fn a_shard_that_has_fallen_silent_is_told_by_the_others(kind: Kind) {
    let world = World::new(kind, &[("A", 500), ("B", 500)]);
    let shard = |shard: &str| world.program.clone().args(["--shard", shard]).run();
    let mut seen = 0;
    for each in ["0/2", "1/2"] {
        shard(each).expect(0);
    }
    age(&world, "shard = '1/2'", 1);
    shard("0/2").expect(0);
    assert_eq!(world.messages(&mut seen), [""; 0], "an hour is its rhythm");
    let newest = world.count("SELECT max(run) FROM runs WHERE shard = '1/2'");
    world.sql(&format!("DELETE FROM runs WHERE shard = '1/2' AND run > {}", newest - 3 * HOUR));
    let dry = world.program.clone().args(["--shard", "0/2", "--dry-run"]).run();
    assert!(dry.stdout.contains("--shard 1/2"), "{dry}");
    let run = shard("0/2").expect(0);
    assert!(run.stderr.contains("config.yaml --shard 1/2` has not run since"), "{run}");
    let told = world.messages(&mut seen);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("raised silent warning ") && told[0].ends_with("config.yaml --shard 1/2"), "{told:?}");
    shard("0/2").expect(0);
    assert_eq!(world.messages(&mut seen), [""; 0], "it is told once");
    // It comes back, and says nothing of itself.
    shard("1/2").expect(0);
    assert_eq!(world.messages(&mut seen), [""; 0]);
    shard("0/2").expect(0);
    let over = world.messages(&mut seen);
    assert_eq!(over.len(), 1, "{over:?}");
    assert!(over[0].starts_with("resolved silent info "), "{over:?}");
    shard("0/2").expect(0);
    assert_eq!(world.messages(&mut seen), [""; 0]);
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

fn another_config_that_has_fallen_silent_is_told(kind: Kind) {
    let world = World::new(kind, &[("A", 500)]);
    let mut other = world.config.clone();
    other["projects"][0]["name"] = json!("Other");
    std::fs::write(world.program.path("other.yaml"), other.to_string()).unwrap();
    let path = world.program.path("other.yaml").display().to_string();
    let run_other = || world.program.instead(["check", "--config", &path]).run().expect(0);
    let mut seen = 0;
    run_other();
    world.run().expect(0);
    age(&world, "schedule LIKE '%other.yaml'", 4);
    world.run().expect(0);
    let told = world.messages(&mut seen);
    assert!(
        told.len() == 1 && told[0].starts_with("raised silent warning ") && told[0].ends_with("/other.yaml"),
        "{told:?}"
    );
    let status = world.ask(["alerts"]).expect(0);
    assert!(status.stdout.contains("has not run since"), "{status}");
    world.ask(["silence", "--match", "topic=silent", "--for", "30d"]).expect(0);
    run_other();
    world.run().expect(0);
    assert_eq!(world.messages(&mut seen).len(), 1, "it is over");
}

fn runs_without_a_rhythm_are_expected_at_no_time(kind: Kind) {
    let world = World::new(kind, &[("A", 500)]);
    world.program.clone().args(["--project", "A"]).run().expect(0);
    world.run().expect(0);
    // Three by hand, a month ago.
    for n in [1, 2, 5] {
        world.sql(&format!(
            "INSERT INTO runs (run, id, checks, ends_by, is_partial, shard, unusable_channels, schedule) \
             SELECT run - {}, id, checks, ends_by, is_partial, shard, unusable_channels, schedule FROM runs \
             WHERE schedule LIKE '%--project A' ORDER BY run DESC LIMIT 1",
            n * 100 * HOUR
        ));
    }
    let mut seen = 0;
    world.run().expect(0);
    assert_eq!(world.messages(&mut seen), [""; 0]);
}
