//! Several runs that share one config and one PostgreSQL: each check in exactly one of them, each alert once, and what is
//! left of those that are killed.

use crate::support::daemon::pushgateway;
use crate::support::postgres::Postgres;
use crate::support::world::{Kind, World, account};
use crate::support::{Program, Reply, Server, config, fine, free_port, low, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

const SHARDS: usize = 4;

/// The names in one list of a report.
fn names(report: &Value, list: &str) -> Vec<String> {
    let entries = report[list].as_array().unwrap().iter();
    entries.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

/// All lists together, as `projects/NAME`.
fn checked(report: &Value) -> Vec<String> {
    let of = |list: &str| names(report, list).into_iter().map(|name| format!("{list}/{name}")).collect::<Vec<_>>();
    ["projects", "mailboxes", "subscriptions"].iter().flat_map(|list| of(list)).collect()
}

fn shard(program: &Program, index: usize) -> Program {
    program.clone().args(["--shard", &format!("{index}/{SHARDS}")])
}

/// Accounts of one server, every third one low.
fn accounts(server: &Server, count: usize) -> Value {
    let account = |n: usize| {
        let word = if n.is_multiple_of(3) { "low" } else { "fine" };
        uniapi(&format!("account-{n:04}"), &format!("{}/{word}-{n:04}", server.url()))
    };
    (0..count).map(account).collect()
}

fn balances() -> Server {
    Server::start(|request| {
        let balance = if request.case().starts_with("low") { "5" } else { "500" };
        Reply::ok(uniapi_body(balance))
    })
}

/// How often each account was asked.
fn asked(server: &Server) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    server.requests().iter().for_each(|request| *asked.entry(request.case().to_owned()).or_default() += 1);
    asked
}

/// The keys of what came for each account.
fn told(hook: &Server) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in hook.requests() {
        for resource in request.json()["Resources"].as_array().unwrap() {
            let word = |key: &str| resource[key].as_str().unwrap().to_owned();
            told.entry(word("ProjectName")).or_default().push(word("DedupKey"));
        }
    }
    told
}

#[test]
fn four_shards_at_once_check_a_thousand_accounts_once_each() {
    let (provider, gateway) = (balances(), pushgateway());
    let mut world = World::new(Kind::Postgres, &[]);
    world.configure(|config| {
        config["projects"] = accounts(&provider, 1000);
        config["settings"]["circuit_breaker_failures"] = json!(0);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url("")}});
    });
    let runs: Vec<_> = (0..SHARDS).map(|index| shard(&world.program, index).start()).collect();
    let reports: Vec<Value> = runs
        .into_iter()
        .map(|run| {
            let run = run.finish().expect(2);
            assert_eq!(run.stderr, "");
            assert_eq!(run.report()["memory"]["status"], "kept", "{run}");
            assert_eq!(run.report()["metrics"]["status"], "sent", "{run}");
            run.report()
        })
        .collect();
    let mut all: Vec<String> = reports.iter().flat_map(|report| names(report, "projects")).collect();
    all.sort();
    assert_eq!(all, (0..1000).map(|n| format!("account-{n:04}")).collect::<Vec<_>>(), "together they are the config");
    let asked = asked(&provider);
    assert_eq!((asked.len(), asked.values().max()), (1000, Some(&1)), "each account is asked once");
    let alerts = told(&world.hook);
    assert_eq!(alerts.len(), 334);
    assert!(alerts.values().all(|keys| keys.len() == 1), "each alert comes once: {alerts:?}");
    assert_eq!(world.count("SELECT count(*) FROM samples"), 1000);
    let balance = world.ask(["health"]).expect(0);
    assert!(balance.stdout.starts_with("ok: "), "{balance}");

    // Each has a group of its own at the gateway, and it holds what the shard's report does.
    let text = gateway.get("/metrics");
    for (index, report) in reports.iter().enumerate() {
        let label = format!("shard=\"{index}\"");
        let lines = text.lines().filter(|line| line.starts_with("balance_alert_balance{") && line.contains(&label));
        let project = |line: &str| line.split("project=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let pushed: BTreeSet<String> = lines.map(project).collect();
        assert_eq!(pushed, names(report, "projects").into_iter().collect(), "shard {index}");
        assert!(
            text.contains(&format!(
                "balance_alert_active_projects_count{{instance=\"\",job=\"balance-alert\",{label}}} {}",
                pushed.len()
            )),
            "{index}"
        );
    }
    // The next round tells nothing again.
    let runs: Vec<_> = (0..SHARDS).map(|index| shard(&world.program, index).start()).collect();
    runs.into_iter().for_each(|run| drop(run.finish().expect(2)));
    assert_eq!(told(&world.hook), alerts);
}

#[test]
fn every_kind_of_check_is_in_exactly_one_shard_whoever_says_which() {
    let mut config =
        config((0..40).map(|n| if n == 0 { low("account-0") } else { fine(&format!("account-{n}")) }).collect());
    config["subscriptions"] = (0..30)
        .map(|n| json!({"name": format!("subscription-{n}"), "cycle_type": "monthly", "renewal_day": 1 + n % 28}))
        .collect();
    config["email"] = (0..30)
        .map(|n| {
            json!({"name": format!("mailbox-{n}"), "host": "127.0.0.1", "port": free_port(), "security": "none",
            "username": format!("u{n}"), "password": "p"})
        })
        .collect();
    let program = Program::check_json(&config).args(["--dry-run", "--state", "none"]);
    let whole = checked(&program.clone().run().report());
    assert_eq!(whole.len(), 100);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..SHARDS {
        let text = format!("{index}/{SHARDS}");
        let by_flag = checked(&shard(&program, index).run().report());
        let by_variable = program.clone().env("BALANCE_ALERT_SHARD", &text);
        let by_job = program.clone().env("JOB_COMPLETION_INDEX", &index.to_string()).env("BALANCE_ALERT_SHARDS", "4");
        assert_eq!(checked(&by_variable.run().report()), by_flag);
        assert_eq!(checked(&by_job.clone().args(["--shard", "auto"]).run().report()), by_flag);
        assert_eq!(checked(&by_job.env("BALANCE_ALERT_SHARD", "auto").run().report()), by_flag);
        for list in ["projects/", "mailboxes/", "subscriptions/"] {
            assert!(by_flag.iter().any(|name| name.starts_with(list)), "{text} has some of {list}");
        }
        by_flag.into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
    }
    assert_eq!((seen.len(), seen.values().max()), (100, Some(&1)), "{seen:?}");
    assert!(whole.iter().all(|name| seen.contains_key(name)));
    // The variable of a Job alone changes nothing, as any Indexed Job has it.
    let run = program.env("JOB_COMPLETION_INDEX", "1").env("BALANCE_ALERT_SHARDS", "4").run();
    assert_eq!(checked(&run.report()), whole);
}

#[test]
fn shards_that_are_killed_lose_nothing() {
    let provider = balances();
    let mut world = World::new(Kind::Postgres, &[]);
    world.configure(|config| {
        config["projects"] = accounts(&provider, 200);
        config["settings"]["circuit_breaker_failures"] = json!(0);
    });
    let seed = fastrand::u64(..);
    let kills: usize = thread::scope(|scope| {
        let one = |index: usize| {
            let program = shard(&world.program, index);
            move || {
                let mut random = fastrand::Rng::with_seed(seed.wrapping_add(index as u64));
                for kills in 0..6_usize {
                    let run = program.clone().start();
                    // Not a wait for something: the moment is what is random.
                    thread::sleep(Duration::from_millis(random.u64(..100 * (kills as u64 + 1))));
                    run.signal_if_alive("KILL");
                    let run = run.finish();
                    if run.code() == 2 {
                        return kills;
                    }
                    assert_eq!(run.code(), 128 + 9, "seed {seed}: {run}");
                }
                program.run().expect(2);
                6
            }
        };
        let shards: Vec<_> = (0..SHARDS).map(|index| scope.spawn(one(index))).collect();
        shards.into_iter().map(|shard| shard.join().unwrap()).sum()
    });
    assert!(kills > 0, "seed {seed}: a run in which nobody died would prove nothing");
    let alerts = told(&world.hook);
    let want: BTreeSet<String> = (0..200).step_by(3).map(|n| format!("account-{n:04}")).collect();
    assert_eq!(alerts.keys().cloned().collect::<BTreeSet<_>>(), want, "seed {seed}: every alert has come");
    for (name, keys) in &alerts {
        assert!(keys.iter().all(|key| *key == keys[0]), "seed {seed}: a repetition has the same key: {name} {keys:?}");
        assert!(keys.len() <= 1 + kills, "seed {seed}: {name} {keys:?}");
    }
    assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state <> 'sent'"), 0, "seed {seed}: nothing is left");
    assert_eq!(world.count("SELECT count(*) FROM alerts"), 67);
    let samples = "SELECT count(DISTINCT check_id) FROM samples";
    assert_eq!(world.count(samples), 200, "seed {seed}: every account was read");
    let before = world.hook.hits();
    (0..SHARDS).for_each(|index| drop(shard(&world.program, index).run().expect(2)));
    assert_eq!(world.hook.hits(), before, "seed {seed}: and then it is told");
    world.ask(["health"]).expect(0);
}

#[test]
fn a_shard_leaves_the_alerts_of_the_others_alone() {
    // What a shard could not deliver is its own to deliver, and what recovered too.
    let names: Vec<String> = (0..24).map(|n| format!("account-{n:02}")).collect();
    let accounts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 5)).collect();
    let world = World::new(Kind::Postgres, &accounts);
    let mine = |index: usize| -> BTreeSet<String> {
        let run = shard(&world.program, index).args(["--dry-run"]).run();
        self::names(&run.report(), "projects").into_iter().collect()
    };
    world.channel(false);
    shard(&world.program, 0).run().expect(75);
    world.channel(true);
    let mut seen = world.hook.hits();
    for index in [1, 2, 3, 0] {
        shard(&world.program, index).run().expect(2);
        let told: BTreeSet<String> =
            world.messages(&mut seen).iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(told, mine(index), "shard {index}");
    }
    names.iter().for_each(|name| world.balance(name, json!(500)));
    for index in 0..SHARDS {
        shard(&world.program, index).run().expect(0);
        let messages = world.messages(&mut seen);
        assert!(messages.iter().all(|line| line.starts_with("resolved low")), "{messages:?}");
        let told: BTreeSet<String> = messages.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(told, mine(index), "shard {index}");
    }
}

#[test]
fn health_says_which_shard_is_missing_or_stale() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let names: Vec<String> = (0..24).map(|n| format!("account-{n:02}")).collect();
        let accounts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 500)).collect();
        let world = World::new(kind, &accounts);
        let health = |code: i32, says: &[&str]| {
            let run = world.ask(["health"]).expect(code);
            assert_eq!(run.stdout.lines().count(), 1, "{run}");
            says.iter().for_each(|word| assert!(run.stdout.contains(word), "{word}: {run}"));
        };
        shard(&world.program, 0).run().expect(0);
        health(2, &["stale: ", "shard 1/4", "3 of 4 shards are not well"]);
        shard(&world.program, 1).run().expect(0);
        shard(&world.program, 3).run().expect(0);
        health(2, &["stale: no run of shard 2/4 is recorded yet\n"]);
        shard(&world.program, 2).run().expect(0);
        health(0, &["ok: ", "shard "]);
        // One of them has not run for an hour.
        world.sql("UPDATE runs SET finished_at = finished_at - 3600 * 1000 WHERE shard = '1/4'");
        health(2, &["stale: the last run of shard 1/4", "ended 60 min ago"]);
        shard(&world.program, 1).run().expect(0);
        health(0, &["ok: "]);
        // One of them fails; a look at one account by hand changes nothing.
        let run = shard(&world.program, 2).args(["--dry-run"]).run();
        let victim = self::names(&run.report(), "projects")[0].clone();
        world.balance(&victim, json!("?"));
        shard(&world.program, 2).run().expect(3);
        world.program.clone().args(["--project", &names[0]]).run();
        health(3, &["failed: the last run of shard 2/4", "exit code 3"]);
        // Another number of shards: those of the old one no longer count.
        world.balance(&victim, json!(500));
        for index in ["0/2", "1/2"] {
            world.program.clone().args(["--shard", index]).run().expect(0);
        }
        health(0, &["ok: ", "/2"]);
    }
}

#[test]
fn a_shard_that_is_none_is_a_usage_error() {
    let program = Program::check(&config(vec![fine("A")]));
    for (shard, says) in [
        ("4/4", "3/4"),
        ("x", "such as 0/4"),
        ("0/0", "at least one"),
        ("1", "such as 0/4"),
        ("-1/4", "such as 0/4"),
        ("auto", "JOB_COMPLETION_INDEX is not set"),
    ] {
        let by_flag = program.clone().args([&format!("--shard={shard}")]).run().expect(64);
        assert!(by_flag.stderr.contains(says), "{shard}: {by_flag}");
        assert_eq!(by_flag.stdout, "");
        let by_variable = program.clone().env("BALANCE_ALERT_SHARD", shard).run().expect(64);
        assert!(by_variable.stderr.contains(says), "{shard}: {by_variable}");
    }
    // As everywhere, a variable that is set to nothing is not set.
    program.clone().env("BALANCE_ALERT_SHARD", "").run().expect(0);
    let mut config = config(vec![fine("A")]);
    config["metrics"] = json!({"textfile": "x.prom"});
    let run = Program::check(&config).args(["--shard", "0/2"]).run().expect(64);
    assert!(run.stderr.contains("`--shard` does not go with `metrics.textfile`"), "{run}");
    for (index, count, says) in [
        (None, Some("4"), "JOB_COMPLETION_INDEX is not set"),
        (Some("0"), None, "BALANCE_ALERT_SHARDS is not set"),
        (Some("x"), Some("4"), "JOB_COMPLETION_INDEX"),
        (Some("0"), Some("many"), "BALANCE_ALERT_SHARDS"),
        (Some("4"), Some("4"), "3/4"),
        (Some("0"), Some("0"), "at least one"),
    ] {
        let mut program = program.clone().args(["--shard", "auto"]);
        for (name, value) in [("JOB_COMPLETION_INDEX", index), ("BALANCE_ALERT_SHARDS", count)] {
            if let Some(value) = value {
                program = program.env(name, value);
            }
        }
        let run = program.run().expect(64);
        assert!(run.stderr.contains(says), "{index:?} {count:?}: {run}");
    }
}

#[test]
fn a_shard_without_checks_is_well() {
    let gateway = pushgateway();
    let mut world = World::new(Kind::Postgres, &[("A", 5)]);
    world.configure(|config| {
        config["projects"] = json!([account("A")]);
        config["metrics"] = json!({"pushgateway": {"url": gateway.url("")}});
    });
    let mut codes: Vec<i32> = (0..SHARDS)
        .map(|index| {
            let run = shard(&world.program, index).run();
            assert_eq!(run.stderr, "", "{run}");
            let report = run.report();
            assert_eq!(
                (report["memory"]["status"].as_str(), report["metrics"]["status"].as_str()),
                (Some("kept"), Some("sent"))
            );
            run.code()
        })
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 0, 0, 2]);
    assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
    world.ask(["health"]).expect(0);
    let text = gateway.get("/metrics");
    assert_eq!(
        text.lines().filter(|line| line.starts_with("balance_alert_active_projects_count{")).count(),
        SHARDS,
        "{text}"
    );
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'balance'";
    let open: i64 = Postgres::shared().admin("postgres").query_one(open, &[&world.database]).unwrap().get(0);
    assert_eq!(open, 0, "no connection is left");
}
