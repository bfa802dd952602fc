//! How long balances last, through the real program: what is told, shown and pushed, on both kinds of stores.

use serde_json::{Value, json};

use crate::support::Finished;
use crate::support::world::{Kind, World};

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;
const HOUR: i64 = 3_600;

/// A run at that hour, in which the account holds so much.
fn run_at(world: &World, hour: i64, balance: i64) -> Finished {
    world.balance("A", json!(balance));
    world.program.clone().env("BALANCE_ALERT_CLOCK", &(START + hour * HOUR).to_string()).run()
}

/// Runs every six hours that consume 24 a day, down to this balance. Gives the hour after the last one.
fn consume(world: &World, from: i64, runs: i64, last: i64) -> i64 {
    for run in 0..runs {
        run_at(world, from + 6 * run, last + 6 * (runs - 1 - run));
    }
    from + 6 * runs
}

fn project(finished: &Finished) -> Value {
    finished.report()["projects"][0].clone()
}

#[test]
fn a_balance_that_will_not_last_is_told_shown_and_taken_back() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::new(kind, &[("A", 1_000)]);
        let mut seen = 0;
        let hour = consume(&world, 0, 12, 250);
        assert_eq!(world.messages(&mut seen), Vec::<String>::new(), "{}: ten days are enough", kind.name());
        let one = project(&run_at(&world, hour, 244));
        assert_eq!((&one["status"], &one["lasts_days"]), (&json!("ok"), &json!(10.2)), "{one}");
        let hour = consume(&world, hour + 6, 24, 100);
        assert_eq!(world.messages(&mut seen), ["raised runway warning A"], "{}", kind.name());
        let held = run_at(&world, hour, 94);
        let one = project(&held);
        assert_eq!(one["alerts"][0]["topic"], "runway", "{one}");
        assert_eq!(one["alerts"][0]["status"], "suppressed", "{one}");
        for (key, want) in [("lasts_until", json!("2026-11-15")), ("confidence", json!("high"))] {
            assert_eq!(one[key], want, "{one}");
        }
        let config = world.program.path("config.yaml").display().to_string();
        let table = world.program.instead(["check", "--output", "table", "--config", &config]);
        let table = table.env("BALANCE_ALERT_CLOCK", &(START + hour * HOUR).to_string()).run();
        assert!(table.stdout.contains("lasts about 4 days"), "{}", table.stdout);
        let nagios = world.program.instead(["check", "--output", "nagios", "--config", &config]);
        let nagios = nagios.env("BALANCE_ALERT_CLOCK", &(START + hour * HOUR).to_string()).run();
        assert!(nagios.stdout.contains(" 'A days'=4.2;7:"), "{nagios}");
        // The memory alone knows it as well.
        let ask = |arguments: [&str; 3]| {
            let asked = world.program.instead([arguments[0], arguments[1], arguments[2], "--config", &config]);
            asked.env("BALANCE_ALERT_CLOCK", &(START + hour * HOUR).to_string()).run().expect(0)
        };
        let known = ask(["status", "--output", "json"]).report()["projects"][0].clone();
        assert_eq!((&known["lasts_until"], &known["confidence"]), (&json!("2026-11-15"), &json!("high")), "{known}");
        let table = ask(["status", "--output", "table"]);
        assert!(table.stdout.contains("lasts about 4 days"), "{table}");
        // A top-up: it lasts again.
        run_at(&world, hour + 6, 2_000);
        assert_eq!(world.messages(&mut seen), ["resolved runway info A"], "{}", kind.name());
    }
}

#[test]
fn nobody_is_told_where_nobody_wants_to_be() {
    for (settings, project, want) in [
        (json!({"alert_days": 0}), json!({}), false),
        (json!({"alert_days": 0}), json!({"alert_days": 30}), true),
        (json!({"alert_days": 30}), json!({"alert_days": 0}), false),
        (json!({"alert_days": 3}), json!({}), false),
        (json!({}), json!({}), true),
    ] {
        let mut world = World::new(Kind::Sqlite, &[("A", 1_000)]);
        world.configure(|config| {
            config["settings"]["forecast"] = settings.clone();
            config["projects"][0]["forecast"] = project.clone();
        });
        let mut seen = 0;
        consume(&world, 0, 12, 130);
        let told = world.messages(&mut seen);
        assert_eq!(!told.is_empty(), want, "{settings} {project}: {told:?}");
    }
}

/// It is said once that the balance is low, not twice.
#[test]
fn how_long_it_lasts_is_not_said_beside_a_low_balance() {
    let world = World::new(Kind::Sqlite, &[("A", 1_000)]);
    let mut seen = 0;
    let hour = consume(&world, 0, 12, 300);
    run_at(&world, hour, 9);
    run_at(&world, hour + 1, 8);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
}

/// Readings that are older than four weeks count where the usual rate is that of more days.
#[test]
fn as_many_days_are_read_as_the_usual_rate_is_of() {
    for (window, burn) in [(7, 4.0), (60, 14.0)] {
        let mut world = World::new(Kind::Sqlite, &[("A", 5_000)]);
        world.configure(|config| {
            config["settings"]["forecast"] = json!({"window_days": window, "alert_days": 0});
            config["state"]["retention_days"] = json!(400);
        });
        // A run a day: 24 a day for 30 days, then 4.
        let mut balance = 5_000;
        let mut newest = Value::Null;
        for day in 0..60 {
            newest = project(&run_at(&world, 24 * day, balance));
            balance -= if day < 30 { 24 } else { 4 };
        }
        let got = newest["burn_per_day"].as_f64().unwrap();
        assert!((got - burn).abs() < 1.5, "{window}: {newest}");
    }
}

#[test]
fn a_clock_that_was_set_back_gives_no_days() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::new(kind, &[("A", 1_000)]);
        let hour = consume(&world, 0, 24, 400);
        let days = |run: &Finished| project(run)["lasts_days"].clone();
        assert!(days(&run_at(&world, hour, 394)).is_number(), "{}", kind.name());
        // Two days before, when 48 more were left.
        let early = run_at(&world, hour - 48, 390);
        assert_eq!(days(&early), Value::Null, "{}: {early}", kind.name());
        assert!(early.stderr.contains("the clock stands before"), "{}: {early}", kind.name());
        let args = ["history", "A", "--output", "json"];
        let config = world.program.path("config.yaml").display().to_string();
        let at = |hour: i64| (START + hour * HOUR).to_string();
        let history =
            world.program.instead(args).args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &at(hour - 48));
        assert!(history.run().expect(0).stdout.contains("\"lasts_days\":null"), "{}", kind.name());
        let right = run_at(&world, hour + 6, 388);
        assert!(!right.stderr.contains("the clock stands before"), "{}: {right}", kind.name());
    }
}
