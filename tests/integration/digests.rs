//! Digests, through the real program, on both kinds of stores.

use serde_json::{Value, json};

use crate::support::Finished;
use crate::support::world::{Kind, World, on_both};

on_both! {
    a_week_is_told_once_and_what_was_not_taken_later
}

/// 2026-11-02 00:00 UTC, a Monday.
const START: i64 = 1_793_577_600;
const DAY: i64 = 24;

fn at<const N: usize>(world: &World, hour: i64, args: [&str; N]) -> Finished {
    let config = world.program.path("config.yaml").display().to_string();
    let asked = world.program.instead(args).args(["--config", &config]);
    asked.env("BALANCE_ALERT_CLOCK", &(START + hour * 3_600).to_string()).run()
}

/// Runs of `check` every six hours over two weeks: A consumes 24 a day and then 48, B 12; A is topped up by 500 in the second week.
fn two_weeks(world: &World) {
    for run in 0..=56 {
        let hour = 6 * run;
        let (first, second) = (hour.min(7 * DAY), (hour - 7 * DAY).max(0));
        let added = if hour > 10 * DAY { 500 } else { 0 };
        world.balance("A", json!(1_500 - first - 2 * second + added));
        world.balance("B", json!(800 - hour / 2));
        at(world, hour, ["check"]);
    }
}

fn lines(said: &Value) -> Vec<(String, String)> {
    let resources = said["Resources"].as_array().unwrap().iter();
    resources
        .map(|one| (one["ProjectName"].as_str().unwrap().to_owned(), one["Topic"].as_str().unwrap().to_owned()))
        .collect()
}

fn a_week_is_told_once_and_what_was_not_taken_later(kind: Kind) {
    let mut world = World::new(kind, &[("A", 1_500), ("B", 800)]);
    world.configure(|config| {
        config["projects"][0]["currency"] = json!("USD");
        config["projects"][1]["currency"] = json!("USD");
        config["settings"]["forecast"] = json!({"alert_days": 0, "spike_ratio": 0});
        config["subscriptions"] =
            json!([{"name": "Git", "cycle_type": "monthly", "renewal_day": 20, "amount": 10, "currency": "EUR"}]);
    });
    two_weeks(&world);
    let mut seen = 0;
    world.messages(&mut seen);
    let runs = world.count("SELECT count(*) FROM runs");
    // Monday, 08:00.
    let hour = 14 * DAY + 8;
    let shown = at(&world, hour, ["digest", "--dry-run", "--output", "json"]).expect(0).report();
    assert_eq!((&shown["first_day"], &shown["last_day"]), (&json!("2026-11-09"), &json!("2026-11-15")), "{shown}");
    let sum = json!({"currency": "USD", "project": null, "accounts": 2, "unread_accounts": 0,
        "opening": 2048, "topped_up": 488, "consumed": 408, "closing": 2128});
    assert_eq!(shown["currencies"], json!([sum]), "{shown}");
    assert_eq!(shown["accounts"][0]["consumed_before"], 168, "{shown}");
    assert_eq!(shown["lists"]["changed_most"][0]["name"], "A", "{shown}");
    assert_eq!(shown["lists"]["renews"][0]["date"], "2026-11-20", "{shown}");
    assert_eq!(shown["lists"]["runs_dry"][0]["name"], "A", "{shown}");
    assert_eq!(world.messages(&mut seen), Vec::<String>::new(), "nothing is sent");
    // A store from before digests can keep them.
    world.sql("DROP TABLE digests");
    world.set_version(16);
    // Nobody takes it: it is owed, and a run of `check` does not send it.
    world.channel(false);
    let failed = at(&world, hour, ["digest", "--output", "json"]).expect(75).report();
    assert_eq!(failed["deliveries"][0]["status"], "failed", "{failed}");
    world.channel(true);
    world.messages(&mut seen);
    at(&world, hour + 1, ["check"]);
    assert_eq!(world.messages(&mut seen), Vec::<String>::new());
    at(&world, hour + 2, ["digest"]).expect(0);
    let told = world.hook.requests().last().unwrap().json();
    let want = ["USD, 2 accounts", "First to run dry", "Consumed most", "Changed most", "Renewals of the next 30 days"];
    assert_eq!(lines(&told), want.map(|heading| (heading.to_owned(), "digest".to_owned())), "{told}");
    assert!(
        told.to_string()
            .contains("opened at 2,048.00 USD, topped up 488.00 USD, consumed 408.00 USD, closed at 2,128.00 USD"),
        "{told}"
    );
    // Once for each period, but for who asks for more; another length has a mark of its own.
    let sent = world.hook.requests().len();
    at(&world, hour + 3, ["digest"]).expect(0);
    at(&world, hour + 6 * DAY, ["digest"]).expect(0);
    assert_eq!(world.hook.requests().len(), sent);
    at(&world, hour + 3, ["digest", "--again"]).expect(0);
    at(&world, hour + 3, ["digest", "--period", "day"]).expect(0);
    at(&world, hour + 7 * DAY, ["digest"]).expect(0);
    assert_eq!(world.hook.requests().len(), sent + 3);
    assert_eq!(world.count("SELECT count(*) FROM runs"), runs + 1, "a digest is no run");
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
}

/// Each channel hears of the entries that are routed to it, and one that counts events of none.
#[test]
fn a_digest_tells_each_channel_what_is_routed_to_it() {
    let mut world = World::new(Kind::Sqlite, &[("A", 50), ("B", 800)]);
    let hook = world.hook.url();
    world.configure(|config| {
        for (at, owner) in ["core", "shop"].into_iter().enumerate() {
            config["projects"][at]["owner_project"] = json!(owner);
            config["projects"][at]["currency"] = json!("USD");
        }
        config["projects"][1]["notify"] = json!(["named"]);
        config.as_object_mut().unwrap().remove("webhook");
        config["webhooks"] = json!([
            {"name": "events", "type": "alertmanager", "base_url": format!("{hook}/events"), "match": {"topic": "digest"}},
            {"name": "money", "type": "custom", "url": format!("{hook}/money"), "match": {"topic": "digest"}},
            {"name": "named", "type": "custom", "url": format!("{hook}/named"), "language": "zh"},
            {"name": "rest", "type": "custom", "url": format!("{hook}/rest")},
        ]);
    });
    for hour in [0, 30, 50] {
        at(&world, hour, ["check"]);
    }
    let before = world.hook.requests().len();
    let table = at(&world, 3 * DAY, ["digest", "--period", "day", "--output", "markdown"]).expect(0);
    assert!(
        table.stdout.starts_with("# Daily balance digest, 2026-11-04\n\n## USD, 2 accounts\n\n- opened at 850.00"),
        "{table}"
    );
    assert!(table.stdout.contains("\n| A | 50.00 USD | 0.00 USD | 0.00 USD | 50.00 USD | 0.00 USD |\n"), "{table}");
    let requests = world.hook.requests();
    let told: Vec<(String, String)> =
        requests[before..].iter().map(|one| (one.target.clone(), one.json().to_string())).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    for (path, text) in &told {
        let (want, other) =
            if path.ends_with("money") { ("opened at 50.00", "800") } else { ("期初 800.00", "期初 50") };
        assert!(text.contains(want) && !text.contains(other), "{path}: {text}");
    }
    let csv = at(&world, 3 * DAY, ["digest", "--period", "day", "--dry-run", "--output", "csv"]).expect(0);
    let head = "first_day,last_day,project,owner_project,provider,currency,opening,topped_up,consumed,closing,consumed_before\n";
    assert!(csv.stdout.starts_with(&format!("{head}2026-11-04,2026-11-04,A,core,")), "{csv}");
}
