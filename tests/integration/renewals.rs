//! Subscriptions through their days, with the real program and both stores: cycles, ends, what is overdue, what was paid.

use crate::support::world::{Kind, World, on_both};
use crate::support::{Finished, Program, config};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Eight in the morning of a day in UTC, and so many hours later, in seconds since 1970.
fn on(day: &str, hours: i64) -> String {
    let morning: Timestamp = format!("{day}T08:00:00Z").parse().unwrap();
    (morning.as_second() + hours * 3600).to_string()
}

/// A run on a day.
fn run(world: &World, day: &str, hours: i64) -> Finished {
    world.program.clone().env("BALANCE_ALERT_CLOCK", &on(day, hours)).run()
}

/// Another command over the same config on a day.
fn ask<const N: usize>(world: &World, day: &str, args: [&str; N]) -> Finished {
    let config = world.program.path("config.yaml").display().to_string();
    world.program.instead(args).args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &on(day, 0)).run()
}

/// The messages since the last time.
fn told(world: &World, seen: &mut usize) -> Vec<String> {
    let requests = world.hook.requests();
    let resources =
        requests.iter().skip(*seen).flat_map(|request| request.json()["Resources"].as_array().unwrap().clone());
    let new = resources.map(|one| one["Message"].as_str().unwrap().to_owned()).collect();
    *seen = requests.len();
    new
}

fn watching(kind: Kind, subscriptions: &[Value]) -> World {
    let mut world = World::new(kind, &[]);
    world.configure(|config| config["subscriptions"] = json!(subscriptions));
    world
}

#[test]
fn cycles_renew_on_the_days_that_they_say() {
    // What stands in the config, the day of the run, and what the report says.
    let table = [
        (json!({"cycle_type": "quarterly", "renewal_day": "01-31"}), "2027-02-01", "quarterly 2027-04-30 ok"),
        (json!({"cycle_type": "quarterly", "renewal_day": 131}), "2027-05-01", "quarterly 2027-07-31 ok"),
        (json!({"cycle_type": "quarterly", "renewal_day": "11-30"}), "2028-02-27", "quarterly 2028-02-29 due"),
        (
            json!({"cycle_type": "quarterly", "renewal_day": 31, "last_renewed_date": "2027-02-28"}),
            "2027-05-01",
            "quarterly 2027-05-31 ok",
        ),
        (
            json!({"cycle_type": "quarterly", "renewal_day": 1, "last_renewed_date": "2027-01-28"}),
            "2027-04-29",
            "quarterly 2027-05-01 due",
        ),
        (json!({"cycle_type": "half-yearly", "renewal_day": "08-31"}), "2027-09-01", "half-yearly 2028-02-29 ok"),
        (
            json!({"cycle_type": "half-yearly", "renewal_day": 15, "last_renewed_date": "2027-01-16"}),
            "2027-07-14",
            "half-yearly 2027-07-15 due",
        ),
        (json!({"every": "1 month", "starts_on": "2027-01-31"}), "2027-03-01", "every month 2027-03-31 ok"),
        (json!({"every": "2 months", "starts_on": "2027-01-31"}), "2026-12-01", "every 2 months 2027-01-31 ok"),
        (json!({"every": "10 days", "starts_on": "2028-02-20"}), "2028-02-21", "every 10 days 2028-03-01 ok"),
        (json!({"every": "3 years", "starts_on": "2024-02-29"}), "2027-02-27", "every 3 years 2027-02-28 due"),
        (json!({"every": "6 weeks", "starts_on": "2026-12-28"}), "2027-02-05", "every 6 weeks 2027-02-08 due"),
        (json!({"every": "2 months", "last_renewed_date": "2026-12-31"}), "2027-02-01", "every 2 months 2027-02-28 ok"),
        (
            json!({"every": "2 months", "starts_on": "2026-12-31", "last_renewed_date": "2027-02-25"}),
            "2027-02-27",
            "every 2 months 2027-02-28 renewed",
        ),
        (json!({"ends_on": "2027-01-31"}), "2027-01-27", "once 2027-01-31 ok"),
        (json!({"ends_on": "2027-01-31"}), "2027-01-31", "once 2027-01-31 due"),
        (json!({"ends_on": "2027-01-31"}), "2027-02-01", "once null over"),
        // The forms from before.
        (json!({"cycle_type": "monthly", "renewal_day": 31}), "2027-02-01", "monthly 2027-02-28 ok"),
        (
            json!({"cycle_type": "yearly", "renewal_day": 20, "last_renewed_date": "2026-11-19"}),
            "2026-11-30",
            "yearly 2027-11-19 ok",
        ),
    ];
    for (entry, day, want) in table {
        let mut entry = entry;
        entry["name"] = json!("S");
        let mut config = config(vec![]);
        config["subscriptions"] = json!([entry]);
        let report = Program::check_json(&config).env("BALANCE_ALERT_CLOCK", &on(day, 0)).run().report();
        let one = &report["subscriptions"][0];
        let shown = |key: &str| one[key].as_str().unwrap_or("null").to_owned();
        let got = format!("{} {} {}", shown("cycle_type"), shown("next_renewal_date"), shown("status"));
        assert_eq!(got, want, "{entry} on {day}");
        assert_eq!(one["days_until_renewal"].is_null(), one["next_renewal_date"].is_null(), "{entry} on {day}");
    }
}

#[test]
fn an_entry_has_one_kind_of_days_and_what_belongs_to_it() {
    for (entry, says) in [
        (json!({}), "`cycle_type` is missing, or `every` or `ends_on`"),
        (json!({"renewal_day": 15}), "`cycle_type` is missing, or `every` or `ends_on`"),
        (
            json!({"cycle_type": "monthly", "renewal_day": 15, "every": "2 months"}),
            "`every` cannot stand beside `cycle_type`",
        ),
        (
            json!({"cycle_type": "monthly", "renewal_day": 15, "ends_on": "2027-01-31"}),
            "`ends_on` cannot stand beside `cycle_type`",
        ),
        (
            json!({"every": "2 months", "starts_on": "2027-01-31", "ends_on": "2027-01-31"}),
            "`ends_on` cannot stand beside `every`",
        ),
        (
            json!({"cycle_type": "monthly", "renewal_day": 15, "starts_on": "2027-01-31"}),
            "`starts_on` cannot stand beside `cycle_type`",
        ),
        (
            json!({"every": "2 months", "renewal_day": 15, "starts_on": "2027-01-31"}),
            "`renewal_day` cannot stand beside `every`",
        ),
        (json!({"ends_on": "2027-01-31", "renewal_day": 15}), "`renewal_day` cannot stand beside `ends_on`"),
        (
            json!({"ends_on": "2027-01-31", "last_renewed_date": "2027-01-01"}),
            "`last_renewed_date` cannot stand beside `ends_on`",
        ),
        (
            json!({"every": "2 months"}),
            "`every` needs `starts_on`, the day of the first renewal, or `last_renewed_date`",
        ),
        (json!({"every": "2 months", "starts_on": "2027-02-30"}), "`starts_on` is not a date"),
        (json!({"ends_on": "31.01.2027"}), "`ends_on` is not a date: `31.01.2027`"),
        (
            json!({"every": "2 moons", "starts_on": "2027-01-31"}),
            "`every` must be a number of days, weeks, months or years",
        ),
        (json!({"every": 2, "starts_on": "2027-01-31"}), "`every` must be a number of days, weeks, months or years"),
        (
            json!({"every": "0 days", "starts_on": "2027-01-31"}),
            "`every` must be a number of days, weeks, months or years",
        ),
        (json!({"cycle_type": "quarterly"}), "`renewal_day` is missing"),
        (
            json!({"cycle_type": "quarterly", "renewal_day": 15}),
            "`renewal_day` 15 of a quarterly subscription needs `last_renewed_date`",
        ),
        (
            json!({"cycle_type": "half-yearly", "renewal_day": "02-30"}),
            "`renewal_day` of a half-yearly subscription must be month and day",
        ),
        (json!({"cycle_type": "daily", "renewal_day": 15}), "`cycle_type` cannot be `daily`"),
    ] {
        let mut entry = entry;
        entry["name"] = json!("S");
        let mut config = config(vec![]);
        config["subscriptions"] = json!([entry]);
        let run = Program::check(&config).run().expect(78);
        assert!(run.stderr.contains(says), "{entry}: {run}");
        assert!(run.stderr.contains("config.yaml:") && run.stderr.matches("error: ").count() == 1, "{entry}: {run}");
    }
}

fn a_trial_is_told_before_its_end_and_on_the_day_and_then_it_is_over(kind: Kind) {
    let world = watching(
        kind,
        &[json!({"name": "Trial", "ends_on": "2027-01-31", "alert_days_before": 2, "amount": 20, "currency": "USD"})],
    );
    let mut seen = 0;
    for (day, exit, want) in [
        ("2027-01-28", 0, ""),
        ("2027-01-29", 1, "Trial: ends in 2 days, on 2027-01-31 (once, 20.00 USD)"),
        ("2027-01-31", 1, "Trial: ends today, 2027-01-31 (once, 20.00 USD)"),
        ("2027-02-01", 0, ""),
        ("2028-01-31", 0, ""),
    ] {
        let run = run(&world, day, 0).expect(exit);
        assert_eq!(told(&world, &mut seen).join("; "), want, "{day}: {run}");
    }
    let table = ask(&world, "2028-01-31", ["check", "--output", "table"]).expect(0);
    assert!(table.stdout.contains("over") && table.stdout.contains("1 check: 1 ok"), "{table}");
    assert_eq!(world.count("SELECT count(*) FROM courses"), 0, "nothing is left open");
}

fn one_that_was_not_renewed_stays_overdue_until_the_date_is_changed(kind: Kind) {
    let mut world = watching(
        kind,
        &[
            json!({"name": "S", "cycle_type": "monthly", "renewal_day": 15, "alert_days_before": 1, "last_renewed_date": "2026-11-15"}),
        ],
    );
    let mut seen = 0;
    for (day, hours, want) in [
        ("2026-12-13", 0, ""),
        ("2026-12-15", 0, "S: renews today, 2026-12-15 (monthly)"),
        // It is news that nobody renewed it, however short ago the last message was.
        ("2026-12-16", -8, "S: is overdue: it was not renewed on 2026-12-15, 1 day ago (monthly)"),
        ("2026-12-16", 8, ""),
        ("2026-12-17", 0, "S: is overdue: it was not renewed on 2026-12-15, 2 days ago (monthly)"),
        ("2026-12-17", 4, ""),
        // The next one does not hide the one that was missed.
        ("2027-01-15", 0, "S: is overdue: it was not renewed on 2026-12-15, 31 days ago (monthly)"),
    ] {
        let exit = i32::from(day != "2026-12-13");
        let run = run(&world, day, hours).expect(exit);
        assert_eq!(told(&world, &mut seen).join("; "), want, "{day} {hours}: {run}");
    }
    let report = run(&world, "2027-01-15", 1).expect(1).report();
    let one = &report["subscriptions"][0];
    assert_eq!((&one["status"], &one["days_until_renewal"]), (&json!("overdue"), &json!(-31)));
    assert_eq!((&one["next_renewal_date"], &one["last_renewed_date"]), (&json!("2026-12-15"), &json!("2026-11-15")));
    assert_eq!(report["summary"]["due"], 1);
    let why = ask(&world, "2027-01-15", ["why", "S"]).expect(0);
    assert!(
        why.stdout.contains("It was not renewed on 2026-12-15, 31 days ago: it was last paid on 2026-11-15"),
        "{why}"
    );
    world.configure(|config| config["subscriptions"][0]["last_renewed_date"] = json!("2027-01-14"));
    let report = run(&world, "2027-01-15", 2).expect(0).report();
    assert_eq!(report["subscriptions"][0]["status"], "renewed");
    assert_eq!(told(&world, &mut seen), Vec::<String>::new(), "that it is paid is no news");
    assert_eq!(world.count("SELECT count(*) FROM told WHERE topic = 'renewal'"), 0);
}

fn a_price_holds_from_its_date_on_and_each_currency_has_its_own_sum(kind: Kind) {
    let prices = json!([{"from": "2027-06-15", "amount": 25}, {"from": "2027-01-15", "amount": 20}]);
    let world = watching(
        kind,
        &[
            json!({"name": "S", "cycle_type": "monthly", "renewal_day": 15, "alert_days_before": 1, "amount": 10, "currency": "USD", "prices": prices}),
            json!({"name": "Quarter", "cycle_type": "quarterly", "renewal_day": "03-31", "amount": 30, "currency": "USD"}),
            json!({"name": "Domain", "cycle_type": "yearly", "renewal_day": "09-15", "amount": 66, "currency": "CNY"}),
            json!({"name": "Free", "cycle_type": "yearly", "renewal_day": "09-15"}),
            json!({"name": "Trial", "ends_on": "2027-12-31", "amount": 500, "currency": "USD"}),
        ],
    );
    let mut seen = 0;
    // The day of the run, the price of the renewal, what is told, and what USD come to in a month and in a year.
    for (day, price, want, monthly, yearly) in [
        ("2026-12-15", 10, "S: renews today, 2026-12-15 (monthly, 10.00 USD)", "20", "240"),
        ("2026-12-16", 20, "", "30", "360"),
        ("2027-01-14", 20, "S: renews tomorrow, 2027-01-15 (monthly, 20.00 USD)", "30", "360"),
        ("2027-05-16", 25, "", "35", "420"),
    ] {
        let report = run(&world, day, 0).report();
        assert_eq!(report["subscriptions"][0]["amount"], price, "{day}");
        assert_eq!(told(&world, &mut seen).join("; "), want, "{day}");
        let number = |text: &str| text.parse::<i64>().unwrap();
        assert_eq!(
            report["subscription_totals"],
            json!([
                {"currency": "CNY", "subscriptions": 1, "monthly": 5.5, "yearly": 66},
                {"currency": "USD", "subscriptions": 2, "monthly": number(monthly), "yearly": number(yearly)},
            ]),
            "{day}"
        );
        let status = ask(&world, day, ["status", "--output", "json"]).expect(0).report();
        assert_eq!(status["subscription_totals"], report["subscription_totals"], "{day}");
    }
    let lines = [
        "1 subscription: 5.50 CNY a month, 66.00 CNY a year\n",
        "2 subscriptions: 35.00 USD a month, 420.00 USD a year\n",
    ];
    for command in [&["status"][..], &["check", "--output", "table"], &["check", "--output", "markdown"]] {
        let config = world.program.path("config.yaml").display().to_string();
        let program =
            command[1..].iter().fold(world.program.instead([command[0]]), |program, word| program.args([*word]));
        let shown = program.args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &on("2027-05-16", 1)).run().stdout;
        assert!(lines.iter().all(|line| shown.contains(line)), "{command:?}: {shown}");
    }
}

#[test]
fn mistakes_in_prices_are_explained() {
    for (prices, says) in [
        (json!([{"amount": 20}]), "`from` is missing"),
        (json!([{"from": "2027-01-01"}]), "`amount` is missing"),
        (json!([{"from": "01.01.2027", "amount": 20}]), "`from` is not a date: `01.01.2027`"),
        (json!([{"from": "2027-01-01", "amount": -20}]), "`amount` must not be negative"),
        (
            json!([{"from": "2027-01-01", "amount": 20}, {"from": "2027-01-01", "amount": 30}]),
            "there is already a price from 2027-01-01 on",
        ),
        (json!([{"from": "2027-01-01", "amount": 20, "currency": "EUR"}]), "unknown field `currency`"),
        (json!([null]), "the entry is empty"),
        (json!({"from": "2027-01-01", "amount": 20}), "`prices` must be a list"),
    ] {
        let mut config = config(vec![]);
        config["subscriptions"] = json!([{"name": "S", "cycle_type": "monthly", "renewal_day": 15, "prices": prices}]);
        let run = Program::check(&config).run().expect(78);
        assert!(run.stderr.contains(says), "{prices}: {run}");
        assert!(run.stderr.contains("config.yaml:") && run.stderr.matches("error: ").count() == 1, "{prices}: {run}");
    }
}

fn a_payment_that_is_noted_ends_what_is_overdue(kind: Kind) {
    let world = watching(
        kind,
        &[
            json!({"name": "GitHub", "cycle_type": "monthly", "renewal_day": 15, "alert_days_before": 1, "last_renewed_date": "2026-11-15"}),
            json!({"name": "Steps", "every": "2 months", "last_renewed_date": "2026-10-31", "alert_days_before": 1}),
        ],
    );
    let mut seen = 0;
    let standing = |day: &str, hours: i64| {
        let report = run(&world, day, hours).report();
        let of = |at: usize| {
            let one = &report["subscriptions"][at];
            format!("{} {}", one["status"].as_str().unwrap(), one["next_renewal_date"].as_str().unwrap())
        };
        format!("{}, {}", of(0), of(1))
    };
    assert_eq!(standing("2027-01-03", 0), "overdue 2026-12-15, overdue 2026-12-31");
    assert_eq!(told(&world, &mut seen).len(), 2);
    let paid = |day: &str, args: &[&str]| {
        let config = world.program.path("config.yaml").display().to_string();
        let program = args.iter().fold(world.program.instead(["paid"]), |program, word| program.args([*word]));
        program.args(["--config", &config]).env("BALANCE_ALERT_CLOCK", &on(day, 0)).run()
    };
    // What cannot be noted.
    for (args, says) in [
        (&["Githib"][..], "the config has no enabled subscription `Githib`\n hint: did you mean `GitHub`?"),
        (&["Nothing like it"], "hint: it has `GitHub`, `Steps`"),
        (&["GitHub", "--on", "2027-01-04"], "2027-01-04 lies ahead: today is 2027-01-03"),
        (
            &["GitHub", "--on", "2026-11-14"],
            "`GitHub` was last paid on 2026-11-15 (`last_renewed_date`), after 2026-11-14",
        ),
        (&["GitHub", "--on", "2026-13-01"], "it is not a date as 2026-11-15"),
    ] {
        let run = paid("2027-01-03", args).expect(64);
        assert!(run.stderr.contains(says), "{args:?}: {run}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments"), 0);
    let noted = paid("2027-01-03", &["GitHub", "--on", "2026-12-20"]).expect(0);
    assert_eq!(noted.stdout, "noted: `GitHub` was paid on 2026-12-20; it renews next on 2027-01-15\n");
    let again = paid("2027-01-03", &["GitHub", "--on", "2026-12-20"]).expect(0);
    assert_eq!(
        again.stdout,
        "it is noted already that `GitHub` was paid on 2026-12-20; it renews next on 2027-01-15\n"
    );
    assert_eq!(world.count("SELECT count(*) FROM payments"), 1);
    let early = paid("2027-01-03", &["GitHub", "--on", "2026-12-19"]).expect(64);
    assert!(early.stderr.contains("`GitHub` was last paid on 2026-12-20, after 2026-12-19"), "{early}");
    let status = ask(&world, "2027-01-03", ["status"]).expect(0);
    assert!(status.stdout.contains("paid 2026-12-20, which the next run counts"), "{status}");
    assert_eq!(standing("2027-01-03", 1), "ok 2027-01-15, overdue 2026-12-31");
    let status = ask(&world, "2027-01-04", ["status", "--output", "json"]).expect(0).report();
    let github = status["projects"].as_array().unwrap().iter().find(|one| one["name"] == "GitHub").unwrap();
    assert_eq!((&github["status"], &github["last_renewed_date"]), (&json!("ok"), &json!("2026-12-20")));
    // Where the days are counted from the last payment, they move with it; today is the day if none is named.
    let noted = paid("2027-01-03", &["Steps"]).expect(0);
    assert_eq!(noted.stdout, "noted: `Steps` was paid on 2027-01-03; it renews next on 2027-03-03\n");
    assert_eq!(standing("2027-01-03", 2), "ok 2027-01-15, ok 2027-03-03");
    assert_eq!(told(&world, &mut seen), Vec::<String>::new(), "that it is paid is no news");
    assert_eq!(
        standing("2027-01-16", 0),
        "overdue 2027-01-15, ok 2027-03-03",
        "a payment that is noted is kept like a date"
    );
    assert_eq!(told(&world, &mut seen), ["GitHub: is overdue: it was not renewed on 2027-01-15, 1 day ago (monthly)"]);
    let why = ask(&world, "2027-01-16", ["why", "GitHub"]).expect(0);
    assert!(why.stdout.contains("it was last paid on 2026-12-20"), "{why}");
}

fn a_store_from_before_keeps_what_is_told_and_owed_and_can_note_payments(kind: Kind) {
    let world = watching(
        kind,
        &[
            json!({"name": "Told", "cycle_type": "monthly", "renewal_day": 15, "alert_days_before": 1}),
            json!({"name": "Owed", "cycle_type": "monthly", "renewal_day": 16, "alert_days_before": 0}),
        ],
    );
    run(&world, "2026-12-15", 0).expect(1);
    world.channel(false);
    run(&world, "2026-12-16", 0).expect(75);
    let mut seen = world.hook.hits();
    world.sql("DROP TABLE payments; DROP TABLE renewals; DROP TABLE digests; ALTER TABLE samples DROP COLUMN merged");
    world.set_version(14);
    let status = ask(&world, "2026-12-16", ["status"]).expect(3);
    assert!(status.stderr.contains("written by an older version"), "{status}");
    let noted = ask(&world, "2026-12-16", ["paid", "Told", "--on", "2026-12-15"]).expect(0);
    assert!(noted.stdout.contains("it renews next on 2027-01-15"), "{noted}");
    world.channel(true);
    let report = run(&world, "2026-12-16", 8).expect(1).report();
    assert_eq!(report["memory"]["status"], "kept");
    assert_eq!(told(&world, &mut seen), ["Owed: renews today, 2026-12-16 (monthly)"], "what was owed is sent");
    run(&world, "2026-12-16", 9).expect(1);
    assert_eq!(told(&world, &mut seen), Vec::<String>::new(), "what was told is known");
    assert_eq!(world.count("SELECT count(*) FROM payments"), 1);
}

on_both! {
    a_price_holds_from_its_date_on_and_each_currency_has_its_own_sum
    a_payment_that_is_noted_ends_what_is_overdue
    a_store_from_before_keeps_what_is_told_and_owed_and_can_note_payments
    a_trial_is_told_before_its_end_and_on_the_day_and_then_it_is_over
    one_that_was_not_renewed_stays_overdue_until_the_date_is_changed
}
