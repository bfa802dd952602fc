//! Subscriptions through the real program: what is due today, in whose today, and how it is told.

use crate::support::{Program, Reply, Server, config, low};
use jiff::civil::Date;
use jiff::{ToSpan, Zoned};
use serde_json::{Value, json};

fn today(zone: &str) -> Date {
    Zoned::now().with_time_zone(jiff::tz::TimeZone::get(zone).unwrap()).date()
}

/// A yearly subscription that renews so many days from now in UTC.
fn renewing_in(name: &str, days: i64) -> Value {
    let date = today("UTC").checked_add(days.days()).unwrap();
    json!({"name": name, "cycle_type": "yearly", "renewal_day": format!("{:02}-{:02}", date.month(), date.day()), "amount": 10, "currency": "USD"})
}

fn watching(subscriptions: Vec<Value>) -> Value {
    let mut config = config(vec![]);
    config["subscriptions"] = json!(subscriptions);
    config
}

#[test]
fn what_is_due_warns_and_is_told_as_documented() {
    let hook = Server::start(|_| Reply::ok(""));
    let mut soon = renewing_in("Soon", 2);
    soon["owner_project"] = json!("AI platform");
    let mut config = watching(vec![renewing_in("Far", 40), soon, renewing_in("Now", 0)]);
    config["webhook"] = json!({"type": "custom", "url": hook.url(), "source": "the-source"});
    let program = Program::check_json(&config);
    let report = program.clone().run().expect(1).report();
    assert_eq!((&report["status"], &report["exit_code"]), (&json!("warning"), &json!(1)));
    let mut entry = report["subscriptions"][1].clone();
    assert_eq!(entry["alerts"][0]["status"], "sent");
    entry.as_object_mut().unwrap().remove("alerts");
    let next = today("UTC").checked_add(2.days()).unwrap();
    assert_eq!(
        entry,
        json!({"name": "Soon", "owner_project": "AI platform", "cycle_type": "yearly", "status": "due",
            "next_renewal_date": next.to_string(), "days_until_renewal": 2, "last_renewed_date": null, "amount": 10, "currency": "USD"})
    );
    let standings: Vec<_> = report["subscriptions"].as_array().unwrap().iter().map(|s| s["status"].clone()).collect();
    assert_eq!(standings, ["ok", "due", "due"]);
    let body = hook.only_request().json();
    assert_eq!(
        (&body["Type"], &body["Level"], &body["Source"]),
        (&json!("SubscriptionReminder"), &json!("critical"), &json!("the-source"))
    );
    // The day itself comes first.
    let names: Vec<_> = body["Resources"].as_array().unwrap().iter().map(|r| r["SubscriptionName"].clone()).collect();
    assert_eq!(names, ["Now", "Soon"]);
    let mut one = body["Resources"][1].clone();
    assert!(one["DedupKey"].take().as_str().unwrap().starts_with("renewal-"));
    let day = format!("{:02}-{:02}", next.month(), next.day());
    assert_eq!(
        one,
        json!({"SubscriptionName": "Soon", "OwnerProject": "AI platform", "RenewalDay": day, "CycleType": "yearly",
            "DaysUntilRenewal": 2, "NextRenewalDate": next.to_string(), "Amount": 10, "Currency": "USD",
            "Message": format!("Soon (AI platform): renews in 2 days, on {next} (yearly, 10.00 USD)"),
            "Level": "warning", "Topic": "renewal", "Event": "raised", "DedupKey": null})
    );
    // Told once a day.
    let again = program.clone().run().expect(1).report();
    assert_eq!(hook.hits(), 1);
    assert_eq!(again["subscriptions"][1]["alerts"][0]["status"], "suppressed");
    let status = program.instead(["status", "--config", "config.yaml"]).run().expect(0);
    assert!(status.stdout.contains("Soon") && status.stdout.contains("due"), "{status}");
    let alerts = program.instead(["alerts", "--config", "config.yaml"]).run().expect(0);
    assert!(alerts.stdout.contains(&format!("renews on {next}")), "{alerts}");
    let table = program.instead(["check", "--config", "config.yaml"]).run().expect(1);
    assert!(table.stdout.contains("3 checks: 2 due, 1 ok, in "), "{table}");
}

#[test]
fn a_payment_that_lies_years_ahead_is_probably_a_slip_and_is_said() {
    let mut early = renewing_in("Early", 2);
    early["last_renewed_date"] = json!(today("UTC").checked_add(2.days()).unwrap().to_string());
    let slip = json!({"name": "Slip", "cycle_type": "monthly", "renewal_day": 15, "last_renewed_date": "2099-01-01"});
    let program = Program::check_json(&watching(vec![early, slip]));
    let run = program.clone().run().expect(0);
    let want = "subscriptions[1] `Slip`: `last_renewed_date` lies more than one cycle ahead, so nobody is reminded before \
                2099-01-01; is its year right?";
    assert!(run.stderr.contains(want) && run.stderr.matches("last_renewed_date").count() == 1, "{run}");
    let run = program.instead(["validate", "--config", "config.yaml"]).run().expect(0);
    assert!(format!("{run}").contains(want), "{run}");
}

#[test]
fn a_payment_ends_the_reminders_and_a_single_one_is_named() {
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = watching(vec![renewing_in("S", 1)]);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    let program = Program::check_json(&config);
    program.clone().run().expect(1);
    let body = hook.only_request().json();
    assert_eq!((&body["RuleName"], &body["Level"]), (&json!("S subscription reminder"), &json!("warning")));
    config["subscriptions"][0]["last_renewed_date"] = json!(today("UTC").to_string());
    let program = program.file("config.yaml", &config.to_string());
    let report = program.clone().run().expect(0).report();
    assert_eq!(report["subscriptions"][0]["status"], "renewed");
    assert_eq!(hook.hits(), 1, "nothing more to say");
}

#[test]
fn balances_and_renewals_go_in_messages_of_their_own_kind() {
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = config(vec![low("A"), low("B")]);
    config["subscriptions"] = json!([renewing_in("Now", 0), renewing_in("Soon", 1)]);
    config["webhooks"] = json!([
        {"type": "custom", "url": format!("{}/custom", hook.url())},
        {"type": "feishu", "url": format!("{}/feishu", hook.url())},
    ]);
    Program::check(&config).run();
    let requests = hook.requests();
    let kinds: Vec<_> = requests
        .iter()
        .filter(|request| request.path() == "/custom")
        .map(|request| (request.json()["Type"].clone(), request.json()["Resources"].as_array().unwrap().len()))
        .collect();
    assert_eq!(kinds, [(json!("AlarmNotification"), 2), (json!("SubscriptionReminder"), 2)]);
    let chat = requests.iter().find(|request| request.path() == "/feishu").unwrap().text();
    assert!(chat.contains("Balance alert: 2 low, 2 renewing"), "{chat}");
}

#[test]
fn today_is_that_of_the_time_zone() {
    // These two never have the same date.
    for (zone, other) in [("Pacific/Kiritimati", "Etc/GMT+12"), ("Etc/GMT+12", "Pacific/Kiritimati")] {
        let date = today(zone);
        let mut config = watching(vec![
            json!({"name": "S", "cycle_type": "monthly", "renewal_day": date.day(), "alert_days_before": 0}),
        ]);
        // Only a run in between of which the day changes could be off by one.
        let days = |config: &Value, variable: Option<&str>| {
            let program = Program::check_json(config);
            let program = if let Some(zone) = variable { program.env("TZ", zone) } else { program };
            program.run().report()["subscriptions"][0]["days_until_renewal"].as_i64().unwrap()
        };
        assert_eq!(days(&config, Some(zone)), 0, "{zone}");
        assert_eq!(days(&config, Some(&format!(":{zone}"))), 0, "{zone}");
        assert_ne!(days(&config, Some(other)), 0, "{other}");
        config["settings"]["timezone"] = json!(zone);
        assert_eq!(days(&config, Some(other)), 0, "the config wins");
    }
    let run = Program::check(&watching(vec![renewing_in("S", 30)])).env("TZ", "Mars/Olympus").run().expect(0);
    assert!(run.stderr.contains("`TZ` names no time zone"), "{run}");
    Program::check(&watching(vec![renewing_in("S", 30)])).env("TZ", "CST-8").run().expect(0);
}

#[test]
fn mistakes_in_subscriptions_are_explained() {
    let base = json!({"name": "S", "cycle_type": "monthly", "renewal_day": 15});
    for (field, value, says) in [
        ("name", Value::Null, "`name` is missing"),
        ("cycle_type", json!("daily"), "`cycle_type` cannot be `daily`"),
        ("renewal_day", Value::Null, "`renewal_day` is missing"),
        ("renewal_day", json!(32), "must be 1 to 31, but is 32"),
        ("renewal_day", json!(0), "must be 1 to 31, but is 0"),
        ("renewal_day", json!("x"), "must be 1 to 31, but is x"),
        ("alert_days_before", json!(366), "`alert_days_before` must be 0 to 365"),
        ("amount", json!(-1), "`amount` must not be negative"),
        ("last_renewed_date", json!("15.11.2026"), "`last_renewed_date` is not a date: `15.11.2026`"),
        ("last_renewed_date", json!("2026-02-30"), "`last_renewed_date` is not a date"),
        ("renewalday", json!(1), "did you mean `renewal_day`?"),
    ] {
        let mut entry = base.clone();
        entry[field] = value;
        let run = Program::check(&watching(vec![entry.clone()])).run().expect(78);
        assert!(run.stderr.contains(says), "{entry}: {run}");
        assert_eq!(run.stderr.matches("error: ").count(), 1, "{entry}: {run}");
    }
    for (cycle, day, says) in [
        ("weekly", json!(8), "1 (Monday) to 7"),
        ("yearly", json!(1332), "month and day"),
        ("yearly", json!("02-30"), "month and day"),
        ("yearly", json!("x-y"), "month and day"),
        ("yearly", json!(15), "needs `last_renewed_date`"),
    ] {
        let entry = json!({"name": "S", "cycle_type": cycle, "renewal_day": day});
        let run = Program::check(&watching(vec![entry])).run().expect(78);
        assert!(run.stderr.contains(says), "{day}: {run}");
    }
    for day in [json!(315), json!("03-15"), json!("3-15"), json!(229), json!("1231")] {
        let entry = json!({"name": "S", "cycle_type": "yearly", "renewal_day": day, "alert_days_before": 0});
        let run = Program::check(&watching(vec![entry])).run();
        assert!(run.code() <= 1, "{day}: {run}");
    }
    let twice = watching(vec![base.clone(), base.clone()]);
    assert!(Program::check(&twice).run().expect(78).stderr.contains("there is already a subscription `S`"));
    let mut off = base.clone();
    off["enabled"] = json!(false);
    assert!(Program::check(&watching(vec![off])).run().expect(78).stderr.contains("nothing to watch is enabled"));
    let mut zone = watching(vec![base]);
    zone["settings"]["timezone"] = json!("Europe/Berlinn");
    assert!(Program::check(&zone).run().expect(78).stderr.contains("there is no time zone `Europe/Berlinn`"));
}

#[test]
fn only_selects_subscriptions_and_metrics_show_them() {
    let mut config = config(vec![low("A")]);
    config["subscriptions"] = json!([renewing_in("S", 0)]);
    let program = Program::check(&config);
    let run = program.clone().args(["--only", "subscriptions", "--output", "json"]).run().expect(1);
    assert_eq!(run.report()["projects"], json!([]));
    let run = program.clone().args(["--only", "projects", "--output", "json"]).run().expect(2);
    assert_eq!(run.report()["subscriptions"], json!([]));
    let run = program.clone().args(["--project", "A", "--output", "json"]).run().expect(2);
    assert_eq!(run.report()["subscriptions"], json!([]));
    let text = program.clone().args(["--output", "prometheus"]).run().expect(2).stdout;
    for line in [
        "balance_alert_subscription_days{name=\"S\",cycle_type=\"yearly\"} 0\n",
        "balance_alert_subscription_amount{name=\"S\",cycle_type=\"yearly\"} 10\n",
        "balance_alert_subscription_status{name=\"S\",cycle_type=\"yearly\"} 0\n",
        "balance_alert_check_success{check_type=\"subscription\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}in {text}");
    }
    let nagios = program.args(["--only", "subscriptions", "--output", "nagios"]).run().expect(1);
    assert!(nagios.stdout.starts_with("BALANCE WARNING - 1 due of 1"), "{nagios}");
}
