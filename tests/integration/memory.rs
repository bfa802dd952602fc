//! What runs remember: cool-down, recovery, outbox, failing checks, history, cache and circuits; on both stores.

use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::world::{Kind, World, on_both};
use crate::support::{PATIENCE, Program, Reply, Server, config, low, project, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

on_both! {
    two_runs_one_alert
    an_alert_comes_again_after_the_cool_down_or_when_it_got_worse
    a_recovery_is_told_once_and_only_to_those_who_want_it
    a_channel_that_is_down_swallows_nothing
    what_was_missed_is_told_when_it_is_over
    a_failing_check_is_told_after_three_runs_and_when_it_works
    a_dry_run_remembers_nothing_and_heeds_what_is_remembered
    a_partial_run_leaves_the_other_alerts_alone
    without_a_channel_nothing_counts_as_told
    before_the_first_run_there_is_nothing_to_ask
    status_answers_from_the_store_alone
    history_answers_from_the_store_alone
    history_says_how_long_a_balance_lasts
    alerts_answer_from_the_store_alone
    health_answers_from_the_store_alone
    times_are_read_or_refused_by_whoever_asks_the_store
    old_samples_and_alerts_are_removed
    a_fresh_reading_is_used_again
    an_open_circuit_outlives_the_run
    a_newer_store_is_left_alone
    an_older_store_is_brought_up_to_date_by_the_next_run
    odd_names_are_remembered_too
    a_run_at_its_deadline_remembers_all_the_same
    runs_of_one_microsecond_are_two_runs
    what_a_wrong_clock_wrote_blinds_nobody
    two_configs_in_one_store_do_not_meet
    a_clock_that_is_ahead_for_once_removes_nothing
    a_check_that_is_mended_by_editing_it_works_again
    a_threshold_that_was_lowered_is_no_recovery_of_the_balance
    what_is_told_in_another_currency_is_told_anew_and_nothing_is_converted
    a_currency_stays_with_its_sample
    rows_without_a_currency_have_that_of_their_check
}

const DAY: i64 = 86_400;

fn two_runs_one_alert(kind: Kind) {
    let world = World::new(kind, &[("A", 5), ("B", 500)]);
    let first = world.run().expect(2);
    assert_eq!(first.stderr, "");
    assert_eq!(project(&first.report(), "A")["alerts"][0]["status"], "sent");
    let second = world.run().expect(2);
    assert_eq!(world.messages(&mut 0), ["raised low critical A"], "{second}");
    let report = second.report();
    let alert = &project(&report, "A")["alerts"][0];
    assert_eq!(alert["status"], "suppressed");
    let next = alert["next_alert_at"].as_str().unwrap();
    let delivery = second.delivery();
    assert_eq!((&delivery["status"], &delivery["alerts"]), (&json!("suppressed"), &json!(1)));
    assert_eq!(delivery["next_alert_at"], next);
    let seconds = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(seconds(next) - seconds(first.report()["started_at"].as_str().unwrap()), DAY);
    assert_eq!(project(&report, "B")["alerts"], json!([]));
    let message = world.hook.only_request().json();
    assert_eq!(message["RunId"], first.report()["run_id"]);
    let table = world.ask(["check"]).expect(2);
    assert!(table.stdout.contains("suppressed: told before, again from "), "{table}");
}

fn an_alert_comes_again_after_the_cool_down_or_when_it_got_worse(kind: Kind) {
    let mut world = World::new(kind, &[("A", 15)]);
    world.configure(|config| config["projects"][0]["warning_threshold"] = json!(20));
    let mut seen = 0;
    for (balance, passed, want) in [
        (15, 0, &["raised low warning A"][..]),
        (14, 300, &[]),
        (9, 300, &["raised low critical A"]),
        (5, 300, &[]),
        (4, 300, &["raised low critical A"]), // less than half of 9
        (4, DAY - 600, &[]),
        (4, 600, &["raised low critical A"]),
    ] {
        world.balance("A", json!(balance));
        if seen > 0 {
            world.pass(passed);
        }
        let run = world.run();
        assert_eq!(world.messages(&mut seen), want, "{balance} after {passed} s: {run}");
    }
    let keys = world.keys();
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len(), "a reminder is no repetition: {keys:?}");
    world.configure(|config| config["projects"][0]["threshold"] = json!(12));
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"], "another threshold");
    world.configure(|config| config["settings"]["alert_cooldown_seconds"] = json!(0));
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"], "no cool-down");
    let run = world.program.clone().env("ALERT_COOLDOWN_SECONDS", "3600").run().expect(2);
    assert!(world.messages(&mut seen).is_empty(), "the variable wins: {run}");
}

fn a_recovery_is_told_once_and_only_to_those_who_want_it(kind: Kind) {
    let mut world = World::new(kind, &[("A", 5)]);
    let other = Server::start(|_| Reply::ok(""));
    world.configure(|config| {
        let first = config["webhook"].take();
        let object = config.as_object_mut().unwrap();
        object.remove("webhook");
        object.insert(
            "webhooks".into(),
            json!([first, {"name": "quiet", "type": "custom", "url": other.url(), "send_resolved": false}]),
        );
        config["settings"]["recovery_margin_percent"] = json!(50);
    });
    let mut seen = 0;
    for (balance, want) in [
        (json!(5), &["raised low critical A"][..]),
        (json!("?"), &[]), // a failed reading is neither low nor recovered
        (json!(12), &[]),  // not by the margin
        (json!(15), &["resolved low info A"]),
        (json!(15), &[]),
        (json!(5), &["raised low critical A"]),
    ] {
        world.balance("A", balance.clone());
        let run = world.run();
        assert_eq!(world.messages(&mut seen), want, "{balance}: {run}");
    }
    assert_eq!(other.hits(), 2, "raised twice, and nothing else");
    let texts: Vec<String> = world
        .hook
        .requests()
        .iter()
        .map(|request| request.json()["Resources"][0]["Message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts[1], "A: balance 15 is back at or above the threshold 10");
}

fn a_channel_that_is_down_swallows_nothing(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    let mut seen = 0;
    world.channel(false);
    for _ in 0..2 {
        let run = world.run().expect(75);
        assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
        assert_eq!(project(&run.report(), "A")["alerts"][0]["status"], "failed");
    }
    let pending = world.ask(["alerts", "--output", "json"]).expect(0).report();
    assert_eq!(pending["alerts"][0]["status"], "pending");
    assert_eq!(pending["alerts"][0]["deliveries"][0]["status"], "failed");
    assert_eq!(pending["alerts"][0]["deliveries"][0]["attempts"], 2);
    world.channel(true);
    world.balance("A", json!(4));
    world.run().expect(2);
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
    let requests = world.hook.requests();
    assert_eq!(requests[2].json()["Resources"][0]["CurrentValue"], 4, "what is true now");
    let keys = world.keys();
    assert!(keys.iter().all(|key| *key == keys[0]), "one message, however often it is tried: {keys:?}");
    assert_eq!(requests[0].json()["DedupKey"], requests[2].json()["DedupKey"]);
    let sent = world.ask(["alerts", "--output", "json"]).expect(0).report();
    assert_eq!(sent["alerts"][0]["status"], "sent");
    assert_eq!(sent["alerts"].as_array().unwrap().len(), 1);
}

fn what_was_missed_is_told_when_it_is_over(kind: Kind) {
    let mut world = World::new(kind, &[("A", 5)]);
    world.configure(|config| config["webhook"]["send_resolved"] = json!(false));
    let mut seen = 0;
    world.channel(false);
    world.run().expect(75);
    world.balance("A", json!("?"));
    let run = world.run().expect(75);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"; 2], "nobody knows yet: {run}");
    world.balance("A", json!(500));
    world.run().expect(75);
    world.channel(true);
    world.run().expect(0);
    world.run().expect(0);
    assert_eq!(world.messages(&mut seen), ["resolved low info A"; 2]);
    let said = world.hook.requests()[3].json()["Resources"][0]["Message"].as_str().unwrap().to_owned();
    assert!(said.starts_with("A: balance 500 is back at or above the threshold 10; at 20"), "{said}");
    assert!(said.ends_with("it was 5, below 10, which could not be delivered then"), "{said}");
}

fn a_failing_check_is_told_after_three_runs_and_when_it_works(kind: Kind) {
    let world = World::new(kind, &[("A", 500)]);
    let mut seen = 0;
    world.balance("A", json!("?"));
    for want in [&[][..], &[], &["raised failing warning A"], &[], &[]] {
        let run = world.run().expect(3);
        assert_eq!(world.messages(&mut seen), want, "{run}");
    }
    let message = world.hook.only_request().json();
    assert_eq!(message["Resources"][0]["Reason"], "decode");
    assert_eq!(message["Resources"][0]["CurrentValue"], Value::Null);
    let said = message["Resources"][0]["Message"].as_str().unwrap();
    assert!(said.starts_with("A: could not be read in 3 runs in a row: decode: "), "{said}");
    world.balance("A", json!(500));
    world.run().expect(0);
    world.run().expect(0);
    assert_eq!(world.messages(&mut seen), ["resolved failing info A"]);
    world.balance("A", json!("?"));
    world.run().expect(3);
    assert!(world.messages(&mut seen).is_empty(), "the count is at its beginning");
}

fn a_dry_run_remembers_nothing_and_heeds_what_is_remembered(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    let dry = || world.program.clone().args(["--dry-run"]).run().expect(2);
    assert_eq!(dry().delivery()["status"], "dry_run", "before the first run");
    if kind == Kind::Sqlite {
        assert!(!world.program.path("state.db").exists());
    }
    world.run().expect(2);
    assert_eq!(world.hook.hits(), 1);
    let samples = world.count("SELECT count(*) FROM samples");
    assert_eq!(dry().delivery()["status"], "suppressed");
    assert_eq!(world.count("SELECT count(*) FROM samples"), samples);
}

fn a_partial_run_leaves_the_other_alerts_alone(kind: Kind) {
    let world = World::new(kind, &[("A", 5), ("B", 5)]);
    world.channel(false);
    world.run().expect(75);
    world.channel(true);
    let mut seen = world.hook.hits();
    world.program.clone().args(["--project", "B"]).run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical B"]);
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
}

fn without_a_channel_nothing_counts_as_told(kind: Kind) {
    let mut world = World::new(kind, &[("A", 5)]);
    let webhook = world.config["webhook"].clone();
    world.configure(|config| drop(config.as_object_mut().unwrap().remove("webhook")));
    let run = world.run().expect(2);
    assert_eq!(run.report()["deliveries"], json!([]));
    assert_eq!(world.run().expect(2).report()["deliveries"], json!([]));
    world.configure(|config| config["webhook"] = webhook);
    world.run().expect(2);
    assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
}

fn before_the_first_run_there_is_nothing_to_ask(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    let run = world.ask(["health"]).expect(2);
    assert!(run.stdout.starts_with("stale: no run is recorded"), "{run}");
    for command in ["status", "history", "alerts"] {
        let run = world.ask([command]).expect(3);
        assert!(run.stderr.contains("hint: `balance-alert check` begins it"), "{run}");
    }
}

/// A store after two runs: A was low and has recovered, B has lost half of its balance, C cannot be read. Nothing else can be
/// read any more, and no variable is set.
fn remembered(kind: Kind) -> World {
    let mut world = World::new(kind, &[("A", 5), ("B", 500), ("C", 1)]);
    world.balance("C", json!("?"));
    world.run().expect(2);
    world.balance("A", json!(20));
    world.balance("B", json!(250));
    world.run().expect(3);
    world.configure(|config| config["projects"][0]["api_key"] = json!("${NOT_SET}"));
    std::fs::remove_file(world.program.path("data.json")).unwrap();
    world
}

fn status_answers_from_the_store_alone(kind: Kind) {
    let world = remembered(kind);
    let status = world.ask(["status", "--output", "json"]).expect(0).report();
    let names: Vec<_> = status["projects"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, ["A", "B", "C"]);
    assert_eq!(project(&status, "A")["balance"], 20);
    assert_eq!(project(&status, "A")["told_at"], Value::Null, "it has recovered");
    assert_eq!(project(&status, "C")["status"], "failed");
    assert_eq!(project(&status, "C")["reason"], "decode");
    assert_eq!(project(&status, "C")["failed_runs"], 2);
    let table = world.ask(["status"]).expect(0);
    assert!(table.stdout.lines().nth(1).unwrap().contains("failed"), "the worst first: {table}");
}

fn history_answers_from_the_store_alone(kind: Kind) {
    let world = remembered(kind);
    let history = world.ask(["history", "--output", "json"]).expect(0).report();
    let b = project(&history, "B");
    let figures = ["count", "min", "max", "mean", "change", "change_percent"].map(|key| b[key].as_f64().unwrap());
    assert_eq!(figures, [2.0, 250.0, 500.0, 375.0, -250.0, -50.0]);
    assert_eq!(b["samples"][1]["balance"], 250);
    assert_eq!(project(&history, "C")["min"], Value::Null);
    let one = world.ask(["history", "--project", "B", "--output", "csv"]).expect(0);
    let lines: Vec<&str> = one.stdout.lines().collect();
    assert_eq!(lines[0], "time,project,provider,status,balance,threshold,currency,reason");
    assert!(lines[1].ends_with(",B,file,ok,500,10,,") && lines[2].ends_with(",B,file,ok,250,10,,"), "{one}");
    let table = world.ask(["history", "--project", "B"]).expect(0);
    assert!(table.stdout.contains("-250") && table.stdout.contains("-50 %") && table.stdout.contains("█▁"), "{table}");
    let run = world.ask(["history", "--project", "Bb"]).expect(64);
    assert!(run.stderr.contains("did you mean `B`?"), "{run}");
}

/// A week of readings every six hours for A, with other runs in the same hours, which a forecast does not read.
fn history_says_how_long_a_balance_lasts(kind: Kind) {
    let world = World::new(kind, &[("A", 480), ("B", 500)]);
    world.run().expect(0);
    let newest = world.count("SELECT max(run) FROM runs");
    let mut sql = String::new();
    for number in 1..=28 {
        let run = newest - number * 6 * 3_600_000_000;
        for (run, balance) in [(run, 480 + 20 * number), (run - 1, 9999)] {
            sql += &format!(
                "INSERT INTO runs (run, id, finished_at, exit_code, checks, ends_by, is_partial) \
                 SELECT {run}, '{run}', finished_at, exit_code, checks, ends_by, is_partial FROM runs WHERE run = {newest}; \
                 INSERT INTO samples (run, check_id, status, balance, threshold, currency) \
                 SELECT {run}, s.check_id, s.status, '{balance}', s.threshold, s.currency FROM samples s \
                 JOIN checks c ON c.check_id = s.check_id WHERE s.run = {newest} AND c.name = 'A'; "
            );
        }
    }
    world.sql(&sql);
    let all = world.ask(["history", "--output", "json"]).expect(0).report();
    for history in [&world.ask(["history", "A", "--output", "json"]).expect(0).report(), &all] {
        let a = project(history, "A");
        assert_eq!(a["lasts_days"], 6, "{a}");
        assert_eq!(
            (&a["confidence"], &a["burn_per_day"], &a["is_irregular"]),
            (&json!("high"), &json!(80), &json!(false))
        );
        let range = [0, 1].map(|end| a["lasts_range"][end].as_f64().unwrap());
        assert!(range[0] < 6.0 && range[1] > 6.0 && range[0] > 3.0 && range[1] < 12.0, "{range:?}");
        assert_eq!((&a["topped_up"], &a["top_ups"]), (&json!(0), &json!([])));
        let until = jiff::Timestamp::from_microsecond(newest + 6 * 86_400_000_000).unwrap();
        assert_eq!(a["lasts_until"], until.strftime("%Y-%m-%d").to_string());
    }
    let b = project(&all, "B");
    assert_eq!((&b["lasts_days"], &b["lasts_range"], &b["lasts_until"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(b["confidence"], "none");
    let chart = world.ask(["history", "A", "--chart", "braille"]).expect(0).stdout;
    assert!(chart.contains("lasts about 6 days, until about ") && chart.contains("consumes 80 a day"), "{chart}");
    assert!(chart.contains('│') && chart.contains("dotted: forecast"), "{chart}");
    let piped = world.ask(["history", "A"]).expect(0).stdout;
    assert!(
        !piped.contains('│') && piped.contains("lasts about 6 days"),
        "a pipe gets none unless it is asked for: {piped}"
    );
    assert!(world.ask(["history", "B"]).expect(0).stdout.contains("not enough history for a forecast"));
    assert!(!world.ask(["history"]).expect(0).stdout.contains('│'), "a chart is for one");
}

fn alerts_answer_from_the_store_alone(kind: Kind) {
    let world = remembered(kind);
    let alerts = world.ask(["alerts", "--output", "json"]).expect(0).report();
    let events: Vec<_> = alerts["alerts"].as_array().unwrap().iter().map(|a| a["event"].clone()).collect();
    assert_eq!(events, ["resolved", "raised"], "newest first");
    assert_eq!(alerts["alerts"][1]["deliveries"][0]["channel"], "custom");
    assert!(world.ask(["alerts"]).expect(0).stdout.contains("recovered"));
}

fn health_answers_from_the_store_alone(kind: Kind) {
    let world = remembered(kind);
    let run = world.ask(["health"]).expect(3);
    assert!(run.stdout.starts_with("failed: ") && run.stdout.contains("could not be read"), "{run}");
    world.sql("UPDATE runs SET exit_code = 2");
    assert!(world.ask(["health", "--max-age", "1h"]).expect(0).stdout.starts_with("ok: "));
    world.sql("UPDATE runs SET finished_at = finished_at - 3600 * 1000");
    assert!(world.ask(["health"]).expect(2).stdout.starts_with("stale: "));
}

fn times_are_read_or_refused_by_whoever_asks_the_store(kind: Kind) {
    let world = remembered(kind);
    // A run that is over is older than any of these, or it is not.
    world.sql("UPDATE runs SET exit_code = 2, finished_at = finished_at - 3600 * 1000");
    for (command, flag) in [("history", "--since"), ("alerts", "--since"), ("health", "--max-age")] {
        for (time, is_past) in [("7d", false), ("15m", true), ("2026-11-01", false)] {
            let code = if command == "health" && is_past { 2 } else { 0 };
            world.ask([command, flag, time]).expect(code);
        }
        for time in ["", "7", "x", "-1d", "2026-13-01", "tomorrow", "9999-01-01"] {
            world.ask([command, flag, time]).expect(64);
        }
    }
}

fn old_samples_and_alerts_are_removed(kind: Kind) {
    let mut world = World::new(kind, &[("A", 5), ("B", 5)]);
    world.run().expect(2);
    let old = 45 * DAY;
    let (micro, milli) = (old * 1_000_000, old * 1000);
    world.sql(&format!(
        "UPDATE runs SET run = run - {micro}; UPDATE samples SET run = run - {micro}; \
         UPDATE checks SET last_run = last_run - {micro}; UPDATE alerts SET created_at = created_at - {milli}"
    ));
    world.configure(|config| {
        config["projects"].as_array_mut().unwrap().remove(1);
        config["state"]["retention_days"] = json!(46);
    });
    world.run().expect(2);
    assert_eq!(world.count("SELECT count(*) FROM samples"), 3);
    assert!(world.ask(["status"]).expect(0).stdout.contains("1 more check not looked at for a week"));
    // A run of some days ago bears the clock out.
    let days = 2 * DAY * 1_000_000;
    let second = "(SELECT max(run) FROM runs)";
    world.sql(&format!("UPDATE samples SET run = run - {days} WHERE run = {second}; UPDATE runs SET run = run - {days} WHERE run = {second}"));
    world.configure(|config| config["state"]["retention_days"] = json!(39));
    world.run().expect(2);
    for (table, rows) in
        [("runs", 2), ("samples", 2), ("checks", 1), ("alerts", 0), ("deliveries", 0), ("courses", 1), ("told", 1)]
    {
        assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")), rows, "{table}");
    }
}

fn a_fresh_reading_is_used_again(kind: Kind) {
    let provider = Server::start(|_| Reply::ok(uniapi_body("500")));
    let mut world = World::new(kind, &[]);
    world.configure(|config| {
        config["projects"] = json!([uniapi("A", &provider.url()), uniapi("B", &provider.url())]);
        config["projects"][1]["api_key"] = json!("another-key-of-the-test");
        config["settings"]["response_cache_ttl"] = json!(300);
    });
    let first = world.run().expect(0);
    assert_eq!(provider.hits(), 2);
    assert_eq!(project(&first.report(), "A")["cached"], false);
    let second = world.run().expect(0);
    assert_eq!(provider.hits(), 2, "nothing is asked");
    let a = project(&second.report(), "A").clone();
    assert_eq!((&a["cached"], &a["balance"], &a["attempts"]), (&json!(true), &json!(500), &json!(0)));
    assert_eq!(world.count("SELECT count(*) FROM samples"), 4, "a sample a run all the same");
    world.program.clone().args(["--no-cache"]).run().expect(0);
    assert_eq!(provider.hits(), 4);
    world.configure(|config| config["projects"][1]["api_key"] = json!("a-new-key-of-the-test"));
    world.run().expect(0);
    assert_eq!(provider.hits(), 5, "another key is another account");
    world.sql("UPDATE readings SET read_at = read_at - 301 * 1000");
    world.run().expect(0);
    assert_eq!(provider.hits(), 7);
    world.sql("UPDATE readings SET read_at = read_at + 3600 * 1000");
    world.run().expect(0);
    assert_eq!(provider.hits(), 9, "a reading from the future is none");
    world.configure(|config| config["settings"]["response_cache_ttl"] = json!(0));
    world.run().expect(0);
    assert_eq!(provider.hits(), 11, "off");
    if kind == Kind::Sqlite {
        for entry in std::fs::read_dir(world.program.path(".")).unwrap().flatten() {
            if entry.file_name().to_string_lossy().starts_with("state.db") {
                let bytes = std::fs::read(entry.path()).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains("key-of-the-test"), "no credential in the store");
            }
        }
    }
}

fn an_open_circuit_outlives_the_run(kind: Kind) {
    let provider = Server::start(|_| Reply::status(503, ""));
    let mut world = World::new(kind, &[]);
    let accounts: Vec<Value> = (0..10).map(|n| uniapi(&format!("A{n}"), &provider.url())).collect();
    world.configure(|config| {
        config["projects"] = json!(accounts);
        config["settings"]["max_concurrent_checks"] = json!(1);
    });
    let reasons = |run: &crate::support::Finished| -> Vec<String> {
        let report = run.report();
        let projects = report["projects"].as_array().unwrap();
        projects.iter().map(|p| p["error"]["reason"].as_str().unwrap().to_owned()).collect()
    };
    let first = world.run().expect(3);
    assert_eq!(provider.hits(), 3, "the accounts still waiting are spared");
    assert_eq!(reasons(&first)[2..4], ["http_status", "circuit_open"]);
    let said = project(&first.report(), "A9")["error"]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("failed 3 times in a row (last: ") && said.contains("HTTP 503"), "{said}");
    let second = world.run().expect(3);
    assert_eq!(provider.hits(), 3, "and in the next run");
    assert!(reasons(&second).iter().all(|reason| reason == "circuit_open"));
    world.sql("UPDATE circuits SET open_until = open_until - 61 * 1000");
    world.run().expect(3);
    assert_eq!(provider.hits(), 4, "one probe");
    world.sql("DELETE FROM circuits");
    world.configure(|config| config["settings"]["circuit_breaker_failures"] = json!(0));
    world.run().expect(3);
    assert_eq!(provider.hits(), 14, "switched off");
}

#[test]
fn a_circuit_closes_when_the_host_is_back_and_refusals_never_open_it() {
    let provider = Server::start(|_| Reply::ok(uniapi_body("500")));
    let mut world = World::new(Kind::Sqlite, &[]);
    let accounts: Vec<Value> = (0..10).map(|n| uniapi(&format!("A{n}"), &provider.url())).collect();
    world.configure(|config| config["projects"] = json!(accounts));
    world.run().expect(0);
    let host = provider.url().replace("http://", "");
    world.sql(&format!("INSERT INTO circuits (host, failures, open_until) VALUES ('{host}', 3, 1000)"));
    world.run().expect(0);
    assert_eq!(provider.hits(), 20, "all wait for the probe, and then all are asked");
    assert_eq!(world.count("SELECT count(*) FROM circuits"), 0);
    let refusing = Server::start(|_| Reply::status(401, "{}"));
    world.configure(|config| {
        for account in config["projects"].as_array_mut().unwrap() {
            account["base_url"] = json!(refusing.url());
        }
    });
    world.run().expect(3);
    assert_eq!(refusing.hits(), 10);
}

fn a_newer_store_is_left_alone(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    world.run().expect(2);
    let newer = world.version() + 1;
    world.set_version(newer);
    let run = world.run().expect(2);
    assert_eq!(world.hook.hits(), 2, "the alert is sent: {run}");
    assert_eq!(run.stderr.lines().count(), 1, "{run}");
    let said = format!("written by a newer version (schema {newer}, this program knows ");
    assert!(run.stderr.contains(&said), "{run}");
    assert_eq!(run.report()["memory"]["status"], "failed");
    assert_eq!(world.count("SELECT count(*) FROM runs"), 1, "nothing was written");
    assert!(world.ask(["status"]).expect(3).stderr.contains("newer version"));
    assert!(world.ask(["health"]).expect(3).stdout.starts_with("failed: "));
}

fn an_older_store_is_brought_up_to_date_by_the_next_run(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    world.run().expect(2);
    world.age(2);
    let status = world.ask(["status"]).expect(3);
    assert!(status.stderr.contains("written by an older version"), "{status}");
    assert!(status.stderr.contains("`balance-alert check` brings it up to date"), "{status}");
    assert!(world.ask(["health"]).expect(3).stdout.contains("older version"));
    let run = world.run().expect(2);
    assert_eq!((run.stderr.as_str(), world.hook.hits()), ("", 1), "what was told is known: {run}");
    assert!(world.ask(["health"]).expect(0).stdout.starts_with("ok: "));
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE shard = ''"), 2);
}

fn odd_names_are_remembered_too(kind: Kind) {
    let names = ["'; DROP TABLE samples; --", "\u{1F4B0} 余额 \"quoted\"", "a\nb\0c", "%s {} $1 ?1"];
    let accounts: Vec<(&str, i64)> = names.iter().map(|name| (*name, 5)).collect();
    let mut world = World::new(kind, &accounts);
    // JSON is YAML, but for this one escape.
    world.configure(|config| config["projects"][2]["name"] = json!("a\nb"));
    let run = world.run().expect(2);
    assert_eq!(run.stderr, "", "{run}");
    let again = world.run().expect(2);
    assert_eq!(world.hook.hits(), 1, "{again}");
    let status = world.ask(["status", "--output", "json"]).expect(0).report();
    assert_eq!(status["projects"].as_array().unwrap().len(), 4);
    project(&status, names[0]);
    project(&status, names[1]);
}

#[test]
fn the_place_is_the_flag_the_variable_the_config_or_the_usual_one() {
    let mut config = config(vec![low("A")]);
    let run = |config: &Value, flag: Option<&str>, variables: &[(&str, &str)]| -> (Program, crate::support::Finished) {
        let mut program = Program::check_json(config);
        for (name, value) in variables {
            program = program.env(name, value);
        }
        if let Some(flag) = flag {
            program = program.args(["--state", flag]);
        }
        let finished = program.clone().run().expect(2);
        (program, finished)
    };
    let (program, _) = run(&config, None, &[]);
    assert!(program.path(".local/state/balance-alert/state.db").exists());
    let (program, _) = run(&config, None, &[("XDG_STATE_HOME", "/proc/self/cwd/xdg")]);
    assert!(program.path("xdg/balance-alert/state.db").exists());
    let (program, _) = run(&config, None, &[("XDG_STATE_HOME", "relative")]);
    assert!(program.path(".local/state/balance-alert/state.db").exists(), "a relative one is none");
    config["state"] = json!({"path": "by/config.db"});
    let (program, _) = run(&config, None, &[]);
    assert!(program.path("by/config.db").exists());
    for (path, mode) in [("by", 0o700), ("by/config.db", 0o600)] {
        let found = std::fs::metadata(program.path(path)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    let (program, _) = run(&config, None, &[("BALANCE_ALERT_STATE", "variable.db")]);
    assert!(program.path("variable.db").exists() && !program.path("by").exists());
    let (program, _) = run(&config, Some("flag.db"), &[("BALANCE_ALERT_STATE", "variable.db")]);
    assert!(program.path("flag.db").exists() && !program.path("variable.db").exists());
    let (_, finished) = run(&config, None, &[("DATABASE_URL", "mysql://u:geheim@h/d")]);
    assert!(!finished.stderr.contains("geheim"), "{finished}");
    for (value, flag) in [("none", None), ("variable.db", Some("none"))] {
        let (program, finished) = run(&config, flag, &[("BALANCE_ALERT_STATE", value)]);
        assert!(!finished.stderr.contains("memory"), "it was chosen, so there is nothing to warn of: {finished}");
        assert!(!program.path("by").exists() && !program.path("variable.db").exists());
        assert_eq!(finished.report()["memory"]["status"], "off");
    }
    let run = Program::check(&config).args(["--state", "postgres://u:p@h/d"]).run().expect(64);
    assert!(run.stderr.contains("takes no database address") && !run.stderr.contains("u:p"), "{run}");
    config["state"] = json!("none");
    config["webhook"] = json!({"type": "console"});
    let program = Program::check(&config);
    for _ in 0..2 {
        let run = program.clone().run().expect(2);
        assert!(run.stderr.contains("below the threshold"), "every run alerts: {run}");
    }
    assert!(program.instead(["status", "--config", "config.yaml"]).run().expect(78).stderr.contains("`none`"));
}

#[test]
fn a_store_that_cannot_be_used_is_told_and_stops_nothing() {
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = config(vec![low("A")]);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("postgres://u:{PASSWORD}@{}/d?sslmode=disable", silent.local_addr().unwrap());
    let refused = format!("postgres://u:{PASSWORD}@127.0.0.1:{}/d", crate::support::free_port());
    let wrong = crate::support::postgres::Postgres::shared().url("postgres").replace(":pg-", ":bad-");
    for (state, says) in [
        (json!({"path": "data.json/x.db"}), "it cannot be written: "),
        (json!({"path": "."}), "it is not a regular file"),
        (json!({"path": "/proc/state.db"}), "it cannot be written"),
        (json!({"url": refused}), "it cannot be reached"),
        (json!({"url": hanging}), "did not answer within"),
        (json!({"url": wrong}), "it refuses the user"),
        (json!({"url": "${NOT_SET}"}), "`NOT_SET`"),
        (json!({"url": "postgres://u@h:99999/d"}), "cannot be used"),
    ] {
        config["state"] = state.clone();
        config["settings"]["run_timeout_seconds"] = json!(2);
        let hits = hook.hits();
        let run = Program::check_json(&config).run().expect(2);
        assert_eq!(hook.hits(), hits + 1, "{state}: {run}");
        assert!(run.stderr.contains(says), "{state}: {run}");
        assert_eq!(run.stderr.trim().lines().count(), 1, "{state}: {run}");
        assert_eq!(run.report()["memory"]["status"], "failed", "{state}");
        assert!(!run.stderr.contains("Leak") && !run.stdout.contains("Leak"), "{state}: {run}");
    }
    // Another program's database is not touched.
    let program = Program::check_json(&config);
    let foreign = program.path("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = std::fs::read(&foreign).unwrap();
    let run = program.args(["--state", "foreign.db"]).run().expect(2);
    assert!(run.stderr.contains("the database of another program"), "{run}");
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
}

fn a_run_at_its_deadline_remembers_all_the_same(kind: Kind) {
    let provider = Server::start(|_| Reply::hang());
    let names: Vec<String> = (0..200).map(|n| format!("A{n}")).collect();
    let mut world = World::new(kind, &names.iter().map(|name| (name.as_str(), 5)).collect::<Vec<_>>());
    world.configure(|config| {
        config["projects"].as_array_mut().unwrap().push(uniapi("Slow", &provider.url()));
        config["settings"]["run_timeout_seconds"] = json!(5);
    });
    let mut seen = 0;
    for (run, want) in [(1, 200), (2, 0), (3, 1)] {
        let finished = world.run().expect(2);
        let messages = world.messages(&mut seen);
        assert_eq!(messages.len(), want, "run {run}: {}", finished.stderr);
        assert_eq!(finished.stderr, "", "run {run}");
        assert!(finished.elapsed < std::time::Duration::from_secs(10));
    }
    assert_eq!(world.messages(&mut 0)[200], "raised failing warning Slow");
}

fn runs_of_one_microsecond_are_two_runs(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    world.run().expect(2);
    // Every number that the next run could have is taken.
    let now = jiff::Timestamp::now().as_microsecond();
    world.sql("DELETE FROM runs; DELETE FROM samples");
    world.sql(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 400000) \
         INSERT INTO runs (run, id, checks, ends_by, is_partial) SELECT {now} + n, 'x', 0, 0, 0 FROM n"
    ));
    let run = world.program.clone().env("BALANCE_ALERT_RUN_ID", "mine").run().expect(2);
    assert_eq!(run.stderr, "");
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE id = 'mine'"), 1);
}

fn what_a_wrong_clock_wrote_blinds_nobody(kind: Kind) {
    let world = World::new(kind, &[("A", 5)]);
    world.run().expect(2);
    let ahead = 60 * 365 * DAY;
    let (micro, milli) = (ahead * 1_000_000, ahead * 1000);
    world.sql(&format!(
        "UPDATE runs SET run = run + {micro}, finished_at = finished_at + {milli}; \
         UPDATE samples SET run = run + {micro}; UPDATE checks SET last_run = last_run + {micro}"
    ));
    assert!(world.ask(["health"]).expect(2).stdout.starts_with("stale: no run"));
    world.balance("A", json!(500));
    world.run().expect(0);
    let status = world.ask(["status", "--output", "json"]).expect(0).report();
    assert_eq!(project(&status, "A")["balance"], 500);
    assert!(world.ask(["health"]).expect(0).stdout.starts_with("ok: "));
}

fn two_configs_in_one_store_do_not_meet(kind: Kind) {
    let world = World::new(kind, &[("A", 5), ("B", 500)]);
    let mut other = world.config.clone();
    // The same name and provider, but another account.
    other["projects"] = json!([other["projects"][1].clone()]);
    other["projects"][0]["name"] = json!("A");
    let other_run =
        world.program.clone().file("other.yaml", &other.to_string()).instead(["check", "--config", "other.yaml"]);
    for _ in 0..3 {
        world.run().expect(2);
        other_run.clone().run().expect(0);
    }
    assert_eq!(world.messages(&mut 0), ["raised low critical A"], "no flapping between the two");
}

fn a_clock_that_is_ahead_for_once_removes_nothing(kind: Kind) {
    let world = World::new(kind, &[("A", 5), ("B", 500)]);
    for _ in 0..3 {
        world.run().expect(2);
    }
    world.balance("B", json!(5));
    world.channel(false);
    world.run().expect(75);
    // The middle of the year 2200.
    world.program.clone().env("BALANCE_ALERT_CLOCK", "7273000000").run().expect(75);
    assert_eq!(world.count("SELECT count(*) FROM samples"), 10);
    world.channel(true);
    let mut seen = world.hook.hits();
    let run = world.run().expect(2);
    assert!(world.messages(&mut seen).contains(&"raised low critical B".to_owned()), "{run}");
    assert_eq!(world.count("SELECT count(*) FROM samples"), 12);
}

/// Another option makes another account of it, but people were told of the name.
fn a_check_that_is_mended_by_editing_it_works_again(kind: Kind) {
    for accounts in [&[("A", 500)][..], &[("A", 500), ("B", 500)], &[("A", 500), ("B", 5)]] {
        let mut world = World::new(kind, accounts);
        let exit = if accounts.len() == 2 && accounts[1].1 == 5 { 2 } else { 0 };
        let right = world.config["projects"][0]["options"]["balance"].clone();
        let mut seen = 0;
        for round in 0..2 {
            world.configure(|config| config["projects"][0]["options"]["balance"] = json!(".Typo"));
            for _ in 0..4 {
                world.run();
            }
            let told = world.messages(&mut seen);
            assert!(told.contains(&"raised failing warning A".to_owned()), "{round}: {told:?}");
            world.configure(|config| config["projects"][0]["options"]["balance"] = right.clone());
            let mut run = world.run().expect(exit);
            // What failed again so soon must work for a while, and one account alone in a store may be another config's.
            let is_told = round == 0 || accounts.len() > 1;
            if round > 0 && is_told {
                assert!(world.messages(&mut seen).is_empty(), "{run}");
                world.pass(2 * 3600);
                run = world.run().expect(exit);
            }
            let want: &[&str] = if is_told { &["resolved failing info A"] } else { &[] };
            assert_eq!(world.messages(&mut seen), want, "{round} of {accounts:?}: {run}");
            let run = world.run().expect(exit);
            assert!(world.messages(&mut seen).is_empty(), "{run}");
        }
        // What is low is low under its name, whatever it is asked with: it is not told twice, and its end is told.
        world.balance("A", json!(5));
        world.run().expect(2);
        assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
        world.configure(|config| {
            config["projects"][0]["options"]["balance"] = json!(format!("{} | .", right.as_str().unwrap()))
        });
        let run = world.run().expect(2);
        assert!(world.messages(&mut seen).is_empty(), "{run}");
        world.balance("A", json!(500));
        let run = world.run().expect(exit);
        assert_eq!(world.messages(&mut seen), ["resolved low info A"], "{run}");
    }
}

fn a_threshold_that_was_lowered_is_no_recovery_of_the_balance(kind: Kind) {
    let mut world = World::new(kind, &[("A", 50)]);
    world.configure(|config| config["projects"][0]["threshold"] = json!(100));
    world.run().expect(2);
    world.configure(|config| config["projects"][0]["threshold"] = json!(10));
    world.run().expect(0);
    let told = world.hook.requests().last().unwrap().json();
    let text = told["Resources"][0]["Message"].as_str().unwrap_or_default();
    assert!(text.ends_with("50 is not below the threshold any more, which is now 10 instead of 100"), "{told}");
    assert!(world.ask(["alerts"]).expect(0).stdout.contains("not low, threshold lowered"));
}

/// An account whose readings name their currency, and what its receiver is told of these.
fn of_currencies(kind: Kind, readings: &[(Value, i32, &[&str])]) -> World {
    let mut world = World::new(kind, &[("A", 0)]);
    let expression = ".A | {amount: .[0], currency: .[1]}";
    world.configure(|config| config["projects"][0]["options"]["balance"] = json!(expression));
    for (balance, exit, want) in readings {
        world.balance("A", balance.clone());
        let seen = world.hook.hits();
        let run = world.run().expect(*exit);
        let new = world.hook.requests().split_off(seen);
        let said: Vec<Value> = new.iter().map(|request| request.json()["Resources"][0]["Message"].clone()).collect();
        assert_eq!(json!(said), json!(want), "{balance}: {run}");
    }
    world
}

/// Dollars, euros, yen, and then nothing that can be read.
fn of_three_currencies(kind: Kind) -> World {
    let not_converted =
        "A: balance 500 JPY is not below the threshold 10 JPY, but the alert was in EUR, and amounts are not converted";
    of_currencies(
        kind,
        &[
            (json!([5, "USD"]), 2, &["A: balance 5.00 USD is below the threshold 10.00 USD"]),
            (json!([5, "USD"]), 2, &[]),
            (json!([5, "EUR"]), 2, &["A: balance 5.00 EUR is below the threshold 10.00 EUR"]),
            (json!([500, "JPY"]), 0, &[not_converted]),
            (json!([400, "JPY"]), 0, &[]),
            (json!("unread"), 3, &[]),
        ],
    )
}

fn what_is_told_in_another_currency_is_told_anew_and_nothing_is_converted(kind: Kind) {
    let world = of_three_currencies(kind);
    let status = project(&world.ask(["status", "--output", "json"]).expect(0).report(), "A").clone();
    assert_eq!((&status["currency"], &status["last_currency"]), (&json!("JPY"), &json!("JPY")), "{status}");
    let alerts = world.ask(["alerts"]).expect(0);
    assert!(alerts.stdout.contains("not low, but was told in EUR"), "{alerts}");
}

fn currencies(history: &Value) -> Vec<Value> {
    history["samples"].as_array().unwrap().iter().map(|sample| sample["currency"].clone()).collect()
}

fn a_currency_stays_with_its_sample(kind: Kind) {
    let world = of_three_currencies(kind);
    let history = project(&world.ask(["history", "--output", "json"]).expect(0).report(), "A").clone();
    let figures = ["count", "min", "max", "mean", "change", "change_percent"].map(|key| history[key].as_f64().unwrap());
    assert_eq!(figures, [6.0, 400.0, 500.0, 450.0, -100.0, -20.0], "of the last currency alone");
    assert_eq!(
        (&history["currency_change"]["from"], &history["currency_change"]["to"]),
        (&json!("EUR"), &json!("JPY"))
    );
    assert_eq!(history["currency_change"]["time"], history["samples"][3]["time"]);
    assert_eq!(currencies(&history), ["USD", "USD", "EUR", "JPY", "JPY", "JPY"]);
    let table = world.ask(["history"]).expect(0);
    assert!(table.stdout.contains("A: the currency changed from EUR to JPY at "), "{table}");
    let rows = world.ask(["history", "--project", "A", "--output", "csv"]).expect(0);
    assert!(rows.stdout.contains(",A,file,low,5,10,USD,") && rows.stdout.contains(",A,file,low,5,10,EUR,"), "{rows}");
}

/// Older versions did not write it down, so what was told then may have been in the present one.
fn rows_without_a_currency_have_that_of_their_check(kind: Kind) {
    let low = "A: balance 5 JPY is below the threshold 10 JPY";
    let world = of_currencies(kind, &[(json!([400, "JPY"]), 0, &[]), (json!([5, "JPY"]), 2, &[low])]);
    world.sql("UPDATE samples SET currency = NULL; UPDATE told SET currency = NULL");
    let hits = world.hook.hits();
    world.balance("A", json!([5, "CNY"]));
    let run = world.run().expect(2);
    assert_eq!(world.hook.hits(), hits, "{run}");
    let history = project(&world.ask(["history", "--output", "json"]).expect(0).report(), "A").clone();
    assert_eq!((currencies(&history), &history["currency_change"]), (vec![json!("CNY"); 3], &Value::Null));
}

/// As `docs/memory.md` says it.
#[test]
fn a_store_that_is_moved_goes_on_and_a_new_one_tells_what_is_open_anew() {
    let mut world = World::new(Kind::Sqlite, &[("A", 5), ("B", 500)]);
    world.run().expect(2);
    world.balance("B", json!(5));
    world.channel(false);
    world.run().expect(75);
    world.channel(true);
    let mut seen = world.hook.hits();
    std::fs::create_dir(world.program.path("new")).unwrap();
    std::fs::rename(world.program.path("state.db"), world.program.path("new/memory.db")).unwrap();
    world.configure(|config| config["state"]["path"] = json!("new/memory.db"));
    let run = world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical B"], "what was owed, and nothing else: {run}");
    world.configure(|config| config["state"]["path"] = json!("empty.db"));
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A", "raised low critical B"]);
    let keys = world.keys();
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), 4, "A and B have other keys in a new store; B was tried twice with one: {keys:?}");
}

#[test]
fn the_default_isolation_of_a_user_does_not_matter() {
    let world = World::new(Kind::Postgres, &[("A", 5)]);
    world.run().expect(2);
    world.balance("A", json!(500));
    world.run().expect(0);
    world.balance("A", json!(5));
    let database = &world.database;
    world.sql(&format!("ALTER DATABASE {database} SET default_transaction_isolation = 'repeatable read'"));
    let mut seen = world.hook.hits();
    // All wait for the writers' lock, which a run holds that is killed then, and must see what the first of them has claimed.
    let holder = world.program.clone().env("BALANCE_ALERT_FAULT", "hang:in-claim").start();
    let mut admin = Postgres::shared().admin(database);
    let mut locks = |kind: &str| -> i64 {
        let here =
            "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        admin.query_one(&format!("SELECT count(*) FROM pg_locks WHERE {here} AND {kind}"), &[]).unwrap().get(0)
    };
    let begin = std::time::Instant::now();
    // One is that of the run, which others see by it, and the other one that of the writers.
    while locks("granted") < 2 {
        assert!(begin.elapsed() < PATIENCE, "the first run decides");
    }
    let running: Vec<_> = (0..4).map(|_| world.program.clone().start()).collect();
    while locks("NOT granted") < 4 {
        assert!(begin.elapsed() < PATIENCE, "all four wait");
    }
    holder.signal("KILL");
    assert_eq!(holder.finish().code(), 128 + 9);
    for run in running {
        assert_eq!(run.finish().expect(2).stderr, "");
    }
    assert_eq!(world.messages(&mut seen).len(), 1);
}

#[test]
fn a_correction_of_a_page_is_not_hidden_by_an_old_reading() {
    let provider = Server::start(|_| Reply::ok(r#"{"total": 50, "used": 49}"#));
    let mut world = World::new(Kind::Sqlite, &[]);
    world.configure(|config| {
        config["settings"]["response_cache_ttl"] = json!(300);
        config["providers"] = json!([{"id": "own", "title": "Own", "kind": "balance", "balance": ".total",
            "request": {"url": "https://own.example/", "headers": {"Authorization": "Bearer {api_key}"}}}]);
        let mut account = uniapi("A", &provider.url());
        account["provider"] = json!("own");
        config["projects"] = json!([account]);
    });
    world.run().expect(0);
    world.configure(|config| config["providers"][0]["balance"] = json!("{amount: .total, minus: .used}"));
    world.run().expect(2);
}

#[test]
fn what_was_never_a_store_is_left_where_it_is() {
    let program = Program::check_json(&config(vec![low("A")]));
    let before = std::fs::read(program.path("config.yaml")).unwrap();
    for (state, says) in [
        ("config.yaml", "it is a file of another kind"),
        ("/dev/null", "it is not a regular file"),
        (".", "it is not a regular file"),
    ] {
        let run = program.clone().args(["--state", state]).run().expect(2);
        assert!(run.stderr.contains(says), "{state}: {run}");
    }
    assert_eq!(std::fs::read(program.path("config.yaml")).unwrap(), before);
    // Garbage under the name of a database is a damaged one.
    let program = program.file("state.db", "garbage, garbage, garbage");
    let run = program.clone().args(["--state", "state.db"]).run().expect(2);
    assert!(run.stderr.contains(".damaged-"), "{run}");
    let kept = std::fs::read_dir(program.path("."))
        .unwrap()
        .flatten()
        .find(|e| e.file_name().to_string_lossy().contains("damaged"));
    assert_eq!(std::fs::read(kept.unwrap().path()).unwrap(), b"garbage, garbage, garbage");
}

#[test]
fn a_currency_cannot_write_to_the_terminal() {
    let mut account = low("A");
    account["options"]["balance"] = json!("{amount: .low, currency: \"\\u001b]0;T\\u0007X\\nY\"}");
    let program = Program::check(&config(vec![account])).args(["--color", "always"]);
    // It is no currency, so the check fails.
    let run = program.clone().run().expect(3);
    assert!(run.stdout.contains("`currency`"), "{run}");
    assert!(!run.stdout.contains("\u{1b}]") && !run.stdout.contains('\u{7}'), "{run}");
    let status = program.instead(["status", "--color", "always"]).run().expect(0);
    assert!(!status.stdout.contains("\u{1b}]"), "{status}");
}

#[test]
fn a_host_that_is_probed_keeps_no_other_from_its_time() {
    let dead = Server::start(|_| Reply::hang());
    let good = Server::start(|_| Reply::ok(uniapi_body("500")));
    let mut world = World::new(Kind::Sqlite, &[]);
    let mut accounts: Vec<Value> = (0..25).map(|n| uniapi(&format!("D{n}"), &dead.url())).collect();
    accounts.extend((0..5).map(|n| uniapi(&format!("G{n}"), &good.url())));
    world.configure(|config| {
        config["projects"] = json!(accounts);
        config["settings"]["run_timeout_seconds"] = json!(3);
    });
    world.run();
    let host = dead.url().replace("http://", "");
    world.sql(&format!(
        "DELETE FROM circuits; INSERT INTO circuits (host, failures, open_until) VALUES ('{host}', 3, 1000)"
    ));
    let (asked, hits) = (dead.hits(), good.hits());
    let report = world.run().expect(3).report();
    for n in 0..5 {
        assert_eq!(project(&report, &format!("G{n}"))["status"], "ok");
    }
    assert_eq!((dead.hits() - asked, good.hits() - hits), (1, 5), "one probe");
}

#[test]
fn mistakes_in_state_are_explained() {
    let bad = |state: Value| {
        let mut config = config(vec![low("A")]);
        config["state"] = state;
        config
    };
    for (state, says) in [
        (json!("non"), "`state` must be none or a mapping"),
        (json!({"path": "a", "url": "postgres://h/d"}), "set only one of"),
        (json!({"pth": "a"}), "did you mean `path`?"),
        (json!({"path": "a", "retention_days": 0}), "`retention_days` must be 1 to 36500"),
        (json!({"path": "a", "retention_days": "9876543210"}), "`retention_days` must be 1 to 36500\n"),
    ] {
        let run = Program::check(&bad(state)).run().expect(78);
        assert!(run.stderr.contains(says), "{run}");
    }
    for (setting, value) in [
        ("alert_cooldown_seconds", json!(-1)),
        ("realert_drop_percent", json!(0)),
        ("realert_drop_percent", json!(101)),
        ("recovery_margin_percent", json!(-1)),
        ("failure_alert_after", json!(1001)),
        ("response_cache_ttl", json!(86_401)),
        ("circuit_breaker_failures", json!("x")),
        ("circuit_breaker_seconds", json!(0)),
    ] {
        let mut config = config(vec![low("A")]);
        config["settings"][setting] = value;
        let run = Program::check(&config).run().expect(78);
        assert!(run.stderr.contains(&format!("`{setting}` must be")), "{run}");
    }
}

#[test]
fn a_store_without_a_config_answers_too() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    let run = world.program.instead(["status", "--state", "state.db"]).run().expect(0);
    assert!(run.stdout.contains(" low     A  "), "{run}");
    let run = world.program.instead(["status"]).env("BALANCE_ALERT_STATE", "state.db").run().expect(0);
    assert!(run.stdout.contains(" low     A  "), "{run}");
    let run = world.program.instead(["status"]).run().expect(3);
    assert!(run.stderr.contains(".local/state/balance-alert/state.db"), "{run}");
    world.program.instead(["status", "--config", "no-such.yaml"]).run().expect(78);
}

#[test]
fn who_asks_leaves_nothing_beside_the_store() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    for round in 0..10 {
        for command in ["status", "history", "alerts", "health"] {
            world.ask([command]).expect(0);
            for log in ["state.db-wal", "state.db-shm"] {
                assert!(!world.program.path(log).exists(), "{command} leaves {log} in round {round}");
            }
        }
    }
}
