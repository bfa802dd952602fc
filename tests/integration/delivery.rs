//! Delivered means delivered, to each channel: through the real program, on both stores, with channels that are down, late,
//! new or gone.

use crate::support::world::{Kind, World};
use crate::support::{Finished, Gate, Program, Reply, Server, config, low, project};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DAY: i64 = 86_400;

/// What a receiver does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    Refuses,
    /// Takes it, and answers later than anybody waits.
    Late,
    /// Takes it, and closes the connection.
    Closes,
}

/// A receiver whose mood a test sets.
pub(crate) struct Hook {
    pub(crate) server: Server,
    mood: Arc<Mutex<Mood>>,
    seen: Mutex<usize>,
}

impl Hook {
    pub(crate) fn new() -> Hook {
        let mood = Arc::new(Mutex::new(Mood::Takes));
        let inner = Arc::clone(&mood);
        let server = Server::start(move |_| match *inner.lock().unwrap() {
            Mood::Takes => Reply::ok(""),
            Mood::Refuses => Reply::status(400, ""),
            Mood::Late => Reply::ok("").after(Duration::from_secs(3)),
            Mood::Closes => Reply::close(),
        });
        Hook { server, mood, seen: Mutex::new(0) }
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What has come since the last time: `raised low critical NAME`, with `since` if it comes late, and `missed` if it tells
    /// of what nobody was told.
    pub(crate) fn messages(&self) -> Vec<String> {
        let requests = self.server.requests();
        let mut seen = self.seen.lock().unwrap();
        let new = requests.iter().skip(*seen).flat_map(|request| {
            let resources = request.json()["Resources"].as_array().unwrap().clone();
            resources.into_iter().map(|one| {
                let word = |key: &str| one[key].as_str().unwrap().to_owned();
                let since = if one["Since"].is_string() { " since" } else { "" };
                let said = word("Message");
                let missed = if said.contains("not have been delivered then") || said.contains("not be delivered then")
                {
                    " missed"
                } else {
                    ""
                };
                assert_eq!(one["Since"].is_string(), said.contains("(since 20"), "{said}");
                let name = word("ProjectName");
                format!("{} {} {} {name}{since}{missed}", word("Event"), word("Topic"), word("Level"))
            })
        });
        let new = new.collect();
        *seen = requests.len();
        new
    }

    /// The keys of all alerts that have come, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let requests = self.server.requests();
        let resources = requests.iter().flat_map(|request| request.json()["Resources"].as_array().unwrap().clone());
        resources.map(|one| one["DedupKey"].as_str().unwrap().to_owned()).collect()
    }
}

/// A world whose channels are these, by their names.
pub(crate) fn world_with(kind: Kind, accounts: &[(&str, i64)], hooks: &[(&str, &Hook)]) -> World {
    let mut world = World::new(kind, accounts);
    world.configure(|config| {
        config["settings"]["request_timeout_seconds"] = json!(1);
        config["settings"]["max_retries"] = json!(3);
    });
    channels(&mut world, hooks);
    world
}

/// These are the channels from now on.
pub(crate) fn channels(world: &mut World, hooks: &[(&str, &Hook)]) {
    world.configure(|config| {
        let config = config.as_object_mut().unwrap();
        config.remove("webhook");
        let hooks: Vec<Value> = hooks
            .iter()
            .map(|(name, hook)| json!({"name": name, "type": "custom", "url": hook.server.url()}))
            .collect();
        config.insert("webhooks".into(), hooks.into());
    });
}

fn deliveries(run: &Finished) -> BTreeMap<String, (String, u64, u64)> {
    let report = run.report();
    let all = report["deliveries"].as_array().unwrap().iter();
    all.map(|one| {
        let number = |key: &str| one[key].as_u64().unwrap();
        let name = one["channel"].as_str().unwrap().to_owned();
        (name, (one["status"].as_str().unwrap().to_owned(), number("alerts"), number("owed")))
    })
    .collect()
}

fn alerts(world: &World) -> Vec<Value> {
    world.ask(["alerts", "--output", "json"]).expect(0).report()["alerts"].as_array().unwrap().clone()
}

/// Two channels, of which one refuses what the other one takes, after two runs with an account that is low.
fn one_refuses(kind: Kind) -> (World, Hook, Hook) {
    let (up, down) = (Hook::new(), Hook::new());
    let world = world_with(kind, &[("A", 5), ("B", 500)], &[("up", &up), ("down", &down)]);
    down.is(Mood::Refuses);
    for round in 0..2 {
        let run = world.run().expect(75);
        let report = run.report();
        let alert = &project(&report, "A")["alerts"][0];
        assert_eq!(alert["owed_to"], json!(["down"]), "{run}");
        assert_eq!(alert["status"], if round == 0 { "sent" } else { "failed" }, "{run}");
    }
    assert_eq!(up.messages(), ["raised low critical A"]);
    assert_eq!(down.messages(), ["raised low critical A", "raised low critical A since"]);
    (world, up, down)
}

#[test]
fn what_one_channel_refused_is_shown_as_owed_to_it() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (world, _up, _down) = one_refuses(kind);
        let stored = alerts(&world);
        assert_eq!(stored.len(), 1, "{stored:?}");
        assert_eq!((&stored[0]["status"], &stored[0]["done_at"]), (&json!("pending"), &Value::Null));
        let status = |name: &str| {
            let one = stored[0]["deliveries"].as_array().unwrap().iter().find(|one| one["channel"] == name).unwrap();
            (one["status"].as_str().unwrap().to_owned(), one["attempts"].as_i64().unwrap())
        };
        assert_eq!((status("up"), status("down")), (("sent".into(), 1), ("failed".into(), 2)));
        let table = world.ask(["alerts"]).expect(0);
        for words in [": the message was refused (HTTP 400)", "not down: 127.0.0.1:"] {
            assert!(table.stdout.contains(words), "{table}");
        }
        let status = world.ask(["status"]).expect(0);
        let note = status.stdout.lines().nth(1).unwrap_or_default();
        assert!(note.contains("  told ") && note.contains(" ago; 1 alert not delivered yet"), "{status}");
        assert!(world.ask(["health"]).expect(3).stdout.contains("exit code 75"));
    }
}

#[test]
fn the_channel_that_was_down_hears_of_it_when_it_is_back_and_since_when() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (world, up, down) = one_refuses(kind);
        down.is(Mood::Takes);
        let run = world.run().expect(2);
        assert_eq!(deliveries(&run)["down"], ("sent".into(), 1, 0));
        assert_eq!(down.messages(), ["raised low critical A since"]);
        let keys: BTreeSet<String> = up.keys().into_iter().chain(down.keys()).collect();
        assert_eq!(keys.len(), 1, "one message, whoever takes it when: {keys:?}");
        assert_eq!(alerts(&world)[0]["status"], "sent");
        // Then each has its own reminders.
        world.run().expect(2);
        assert!(up.messages().is_empty() && down.messages().is_empty());
        world.pass(DAY);
        world.run().expect(2);
        assert_eq!((up.messages().len(), down.messages().len()), (1, 1));
        world.balance("A", json!(500));
        world.run().expect(0);
        for hook in [&up, &down] {
            assert_eq!(hook.messages(), ["resolved low info A"]);
        }
        world.run().expect(0);
        assert!(up.messages().is_empty() && down.messages().is_empty());
        assert_eq!(world.count("SELECT count(*) FROM told"), 0);
    }
}

#[test]
fn who_never_heard_of_it_hears_nothing_when_it_is_over_unless_nobody_did() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (up, down) = (Hook::new(), Hook::new());
        let world = world_with(kind, &[("A", 5)], &[("up", &up), ("down", &down)]);
        down.is(Mood::Refuses);
        world.run().expect(75);
        down.is(Mood::Takes);
        world.balance("A", json!(500));
        world.run().expect(0);
        world.run().expect(0);
        assert_eq!(up.messages(), ["raised low critical A", "resolved low info A"]);
        assert_eq!(down.messages(), ["raised low critical A"], "only what it refused");
        // A day later, and nobody is up.
        world.pass(2 * DAY);
        world.balance("A", json!(5));
        up.is(Mood::Refuses);
        down.is(Mood::Refuses);
        world.run().expect(75);
        world.balance("A", json!(500));
        up.is(Mood::Takes);
        world.run().expect(75);
        down.is(Mood::Takes);
        world.run().expect(0);
        assert_eq!(up.messages(), ["raised low critical A", "resolved low info A missed"]);
        assert_eq!(
            down.messages(),
            ["raised low critical A", "resolved low info A missed", "resolved low info A missed"]
        );
    }
}

#[test]
fn channels_come_and_go_and_owe_nothing_when_they_are_gone() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (first, second) = (Hook::new(), Hook::new());
        let mut world = world_with(kind, &[("A", 5)], &[("first", &first)]);
        world.run().expect(2);
        channels(&mut world, &[("first", &first), ("second", &second)]);
        second.is(Mood::Refuses);
        world.run().expect(75);
        second.is(Mood::Takes);
        world.run().expect(2);
        world.run().expect(2);
        assert_eq!(first.messages(), ["raised low critical A"]);
        assert_eq!(second.messages(), ["raised low critical A since"; 2], "one that is added hears of what is open");
        // One that goes is owed nothing any more, and is not forgotten while it lasts.
        world.pass(DAY);
        second.is(Mood::Refuses);
        world.run().expect(75);
        channels(&mut world, &[("first", &first)]);
        world.run().expect(2);
        assert!(alerts(&world).iter().all(|alert| alert["status"] != "pending"), "{:?}", alerts(&world));
        second.is(Mood::Takes);
        channels(&mut world, &[("first", &first), ("second", &second)]);
        second.messages();
        world.run().expect(2);
        assert_eq!(second.messages(), ["raised low critical A"], "the reminder that it is due");
        // What no channel has heard is inherited by those that come instead.
        world.balance("A", json!(500));
        world.run().expect(0);
        world.pass(2 * DAY);
        world.balance("A", json!(5));
        first.is(Mood::Refuses);
        channels(&mut world, &[("first", &first)]);
        world.run().expect(75);
        world.balance("A", json!(500));
        second.messages();
        channels(&mut world, &[("second", &second)]);
        world.run().expect(0);
        assert_eq!(second.messages(), ["resolved low info A missed"]);
    }
}

#[test]
fn what_may_have_arrived_comes_once_a_run_at_most_and_ever_more_seldom() {
    for (kind, mood) in [(Kind::Sqlite, Mood::Late), (Kind::Postgres, Mood::Closes)] {
        let hook = Hook::new();
        let world = world_with(kind, &[("A", 5)], &[("hook", &hook)]);
        hook.is(mood);
        let run = world.run().expect(75);
        assert_eq!(deliveries(&run)["hook"], ("unknown".into(), 1, 1), "{run}");
        assert_eq!(hook.messages().len(), 1, "no repeat within the run, though three are allowed: {run}");
        let report = run.report();
        assert_eq!(project(&report, "A")["alerts"][0]["status"], "unknown");
        assert!(run.stderr.contains("an alert may not have been delivered"), "{run}");
        assert_eq!(alerts(&world)[0]["status"], "unknown");
        assert!(world.ask(["alerts"]).expect(0).stdout.contains("perhaps hook: it went out"), "{:?}", alerts(&world));
        // One repeat in the next run.
        world.run().expect(75);
        assert_eq!(hook.messages().len(), 1);
        // Then it rests, and is owed all the same.
        let run = world.run().expect(75);
        assert!(hook.messages().is_empty(), "{run}");
        assert_eq!(deliveries(&run)["hook"], ("unknown".into(), 1, 1), "{run}");
        let waits = run.report()["deliveries"][0].clone();
        assert_eq!((&waits["attempts"], waits["next_alert_at"].is_string()), (&json!(0), true), "{waits}");
        let table = world.ask(["check"]).expect(75);
        assert!(table.stdout.contains("whether it was taken is not known, sent again from "), "{table}");
        assert!(table.stdout.contains(": 1 low, 1 message of unknown fate, in "), "{table}");
        for (passed, want) in [(500, 0), (101, 1), (3500, 0), (101, 1), (20_000, 0), (1601, 1), (80_000, 0), (6401, 1)]
        {
            world.pass(passed);
            let run = world.run().expect(75);
            assert_eq!(hook.messages().len(), want, "after {passed} s: {run}");
        }
        // Worse news does not wait.
        world.balance("A", json!(1));
        world.run().expect(75);
        assert_eq!(hook.messages().len(), 1);
        let keys = hook.keys();
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), 2, "a repetition has the same key: {keys:?}");
        hook.is(Mood::Takes);
        world.run().expect(2);
        world.run().expect(2);
        assert_eq!(hook.messages().len(), 1);
        world.balance("A", json!(500));
        world.run().expect(0);
        assert_eq!(hook.messages(), ["resolved low info A"]);
    }
}

/// Answers that are none, after the message went out.
fn broken_answers() -> Vec<(&'static str, Reply, &'static str)> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let flood = |first: &str, again: &str| Reply::flood(first, again, Duration::ZERO);
    vec![
        ("early hints", flood("", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"), "unknown"),
        ("continue", flood("", "HTTP/1.1 100 Continue\r\n\r\n"), "unknown"),
        ("header lines", flood(ok, "X: y\r\n"), "unknown"),
        ("one header", flood(&format!("{ok}X: "), "y"), "unknown"),
        ("small chunks", flood(&chunked, "1\r\n \r\n"), "unknown"),
        ("zeros of a chunk", flood(&chunked, "0"), "unknown"),
        ("trailers", flood(&format!("{chunked}2\r\n{{}}\r\n0\r\n"), "X: y\r\n"), "unknown"),
        ("half a head", Reply::raw("HTTP/1.1 200 OK\r\nContent-Le"), "unknown"),
        ("no header", Reply::raw("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), "unknown"),
        ("no status", Reply::raw("HTTP/1.1 abc\r\n\r\n"), "unknown"),
        ("two lengths", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), "unknown"),
        ("too much", Reply::endless(), "unknown"),
        ("broken compression", Reply::ok("\u{1f}\u{b}").header("Content-Encoding", "br, br"), "sent"),
        ("damaged", Reply::bytes([0x1F, 0x8B, 8, 0, 1]).header("Content-Encoding", "gzip"), "unknown"),
        ("TLS", Reply::raw([0x15, 3, 1, 0, 2, 2, 70]), "failed"),
        ("no HTTP", Reply::raw("220 mail.example ESMTP\r\n"), "failed"),
        ("a refusal without an end", Reply::raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nno"), "failed"),
        ("a port with TLS", Reply::status(400, "Client sent an HTTP request to an HTTPS server.\n"), "failed"),
    ]
}

#[test]
fn a_message_that_went_out_and_got_no_sound_answer_has_an_unknown_fate() {
    for (name, reply, want) in broken_answers() {
        let hook = Server::start(move |_| reply.clone());
        let mut config = config(vec![low("A")]);
        config["webhook"] = json!({"type": "custom", "url": hook.url()});
        let run = Program::check_json(&config).run();
        let delivery = run.delivery();
        assert_eq!(delivery["status"], want, "{name}: {run}");
        assert_ne!(delivery["error"]["reason"], "timeout", "{name}: {run}");
        assert_eq!(hook.hits(), 1, "{name}: {run}");
    }
}

#[test]
fn no_message_waits_for_ever_behind_one_that_stops_its_channel() {
    const NAMES: [&str; 6] = ["A", "B", "C", "D", "E", "F"];
    // A 429 is about the channel, and ends the run's messages; a 403 may be about what one message holds.
    for (status, told_at_once) in [(429, 1), (403, NAMES.len())] {
        let server = Server::start(move |request| match request.json()["project"].as_str() {
            Some("A") => Reply::status(status, ""),
            _ => Reply::ok("{}"),
        });
        let mut world = World::new(Kind::Sqlite, &NAMES.map(|name| (name, 5)));
        one_by_one(&mut world, &server);
        let told = || -> BTreeSet<String> {
            let all = server.requests();
            all.iter().map(|request| request.json()["project"].as_str().unwrap().to_owned()).collect()
        };
        let first = world.run().expect(75);
        assert_eq!(told().len(), told_at_once, "HTTP {status}: {first}");
        // By chance: that one of the others is left out in all of these runs happens less than once in a million times.
        for _ in 0..100 {
            if told().len() == NAMES.len() {
                break;
            }
            world.run().expect(75);
        }
        assert_eq!(told().len(), NAMES.len(), "HTTP {status}");
    }
}

/// One message for each alert, each sent when the one before is answered.
fn one_by_one(world: &mut World, server: &Server) {
    world.configure(|config| {
        let config = config.as_object_mut().unwrap();
        config.remove("webhook");
        let body = "{project: .alerts[0].project}";
        config.insert(
            "channels".into(),
            json!([{
                "id": "one-by-one", "title": "One by one", "per": "alert", "markup": "plain", "body": body, "verdict": ".status == 200",
                "fields": {"url": {"about": "an address", "type": "url"}}, "request": {"url": "{url}"},
            }]),
        );
        config.insert("webhooks".into(), json!([{"name": "X", "type": "one-by-one", "url": server.url()}]));
    });
}

/// In a storm a run that dies repeats the message that was on its way, and no other one.
#[test]
fn kills_in_a_storm_repeat_one_message_each() {
    const ALERTS: usize = 30;
    const KILLS: usize = 6;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let names: Vec<String> = (0..ALERTS).map(|n| format!("A{n}")).collect();
        let accounts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 5)).collect();
        let mut world = World::new(kind, &accounts);
        // The last message of each killed run is never answered.
        let stop = Arc::new(AtomicUsize::new(usize::MAX));
        let (arrived, leave) = (Arc::new(Gate::new()), Arc::new(Gate::new()));
        let (at, here, go) = (Arc::clone(&stop), Arc::clone(&arrived), Arc::clone(&leave));
        let hits = AtomicUsize::new(0);
        let server = Server::start(move |_| {
            if hits.fetch_add(1, Ordering::SeqCst) + 1 == at.load(Ordering::SeqCst) {
                here.arrive();
                go.wait_for(1);
            }
            Reply::ok("{}")
        });
        one_by_one(&mut world, &server);
        for kill in 0..KILLS {
            stop.store(server.hits() + 4, Ordering::SeqCst);
            let run = world.program.clone().start();
            assert!(arrived.wait_for(kill + 1));
            run.signal_if_alive("KILL");
            run.finish();
        }
        leave.arrive();
        world.run().expect(2);
        let told: Vec<Value> = server.requests().iter().map(|request| request.json()["project"].clone()).collect();
        let different: BTreeSet<String> = told.iter().map(Value::to_string).collect();
        assert_eq!(different.len(), ALERTS, "{kind:?}");
        assert!(told.len() <= ALERTS + KILLS, "{kind:?}: {} messages", told.len());
    }
}

/// One whose fate is unknown is sent once more, and then rests, though each run dies that has sent it.
#[test]
fn kills_do_not_hide_what_may_have_arrived() {
    const KILLS: usize = 4;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let names: Vec<String> = (0..30).map(|n| format!("A{n}")).collect();
        let accounts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 5)).collect();
        let mut world = World::new(kind, &accounts);
        let (arrived, leave) = (Arc::new(Gate::new()), Arc::new(Gate::new()));
        let (here, go) = (Arc::clone(&arrived), Arc::clone(&leave));
        // The first message of each run goes to an account that nobody confirms, if it is sent at all.
        let (since, doubtful) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None::<Value>)));
        let (count, first) = (Arc::clone(&since), Arc::clone(&doubtful));
        let is_calm = Arc::new(AtomicUsize::new(0));
        let calm = Arc::clone(&is_calm);
        let server = Server::start(move |request| {
            let name = request.json()["project"].clone();
            let nth = count.fetch_add(1, Ordering::SeqCst) + 1;
            if *first.lock().unwrap().get_or_insert_with(|| name.clone()) == name {
                return Reply::close();
            }
            if nth % 5 == 0 && calm.load(Ordering::SeqCst) == 0 {
                here.arrive();
                go.wait_for(1);
            }
            Reply::ok("{}")
        });
        one_by_one(&mut world, &server);
        for kill in 0..KILLS {
            since.store(0, Ordering::SeqCst);
            let run = world.program.clone().start();
            assert!(arrived.wait_for(kill + 1));
            run.signal_if_alive("KILL");
            run.finish();
        }
        is_calm.store(1, Ordering::SeqCst);
        leave.arrive();
        world.run();
        world.run();
        let name = doubtful.lock().unwrap().clone().unwrap();
        let sent = server.requests().iter().filter(|request| request.json()["project"] == name).count();
        assert_eq!(sent, 2, "{kind:?}");
    }
}

#[test]
fn what_may_have_arrived_is_taken_back_in_full() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (hook, other) = (Hook::new(), Hook::new());
        let world = world_with(kind, &[("A", 5)], &[("hook", &hook), ("other", &other)]);
        hook.is(Mood::Closes);
        world.run().expect(75);
        hook.is(Mood::Takes);
        world.balance("A", json!(500));
        world.run().expect(0);
        world.run().expect(0);
        assert_eq!(hook.messages(), ["raised low critical A", "resolved low info A missed"]);
        assert_eq!(other.messages(), ["raised low critical A", "resolved low info A"]);
        let table = world.ask(["alerts"]).expect(0);
        assert!(table.stdout.contains("perhaps hook: it went out"), "nobody ever knew: {table}");
    }
}

#[test]
fn a_key_that_never_changes_makes_no_two_messages_one() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let hook = Hook::new();
        let world = world_with(kind, &[("A", 5)], &[("hook", &hook)]);
        let program = world.program.clone().env("BALANCE_ALERT_RUN_ID", "nightly");
        let run = || program.clone().run();
        run().expect(2);
        world.pass(DAY);
        run().expect(2);
        world.balance("A", json!(500));
        hook.is(Mood::Refuses);
        run().expect(75);
        hook.is(Mood::Takes);
        run().expect(0);
        world.balance("A", json!(5));
        run().expect(2);
        world.pass(DAY);
        world.balance("A", json!(1));
        run().expect(2);
        let keys = hook.keys();
        assert_eq!(keys.len(), 6, "{keys:?}");
        assert_eq!(keys[2], keys[3], "the one that was sent twice");
        let different: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), 5, "{keys:#?}");
        assert!(keys.iter().all(|key| key.starts_with("low-") && key.ends_with("-nightly")), "{keys:#?}");
    }
}

#[test]
fn two_channels_of_one_type_without_names_are_two() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let (first, second) = (Hook::new(), Hook::new());
        let mut world = World::new(kind, &[("A", 5)]);
        let list = |hooks: &[&Hook]| -> Value {
            hooks.iter().map(|hook| json!({"type": "custom", "url": hook.server.url()})).collect()
        };
        let webhooks = list(&[&first, &second]);
        world.configure(|config| {
            config.as_object_mut().unwrap().remove("webhook");
            config["webhooks"] = webhooks;
        });
        second.is(Mood::Refuses);
        let run = world.run().expect(75);
        assert_eq!(run.stderr.lines().count(), 1, "nothing but the refusal: {run}");
        assert_eq!(run.report()["memory"]["status"], "kept");
        second.is(Mood::Takes);
        // Their order says nothing.
        let webhooks = list(&[&second, &first]);
        world.configure(|config| config["webhooks"] = webhooks);
        world.run().expect(2);
        world.run().expect(2);
        assert_eq!(first.messages(), ["raised low critical A"]);
        assert_eq!(second.messages(), ["raised low critical A", "raised low critical A since"]);
        // One address twice is two channels as well.
        let webhooks = list(&[&second, &second, &first]);
        world.configure(|config| config["webhooks"] = webhooks);
        let run = world.run().expect(2);
        assert_eq!(run.stderr, "");
        assert_eq!(second.messages(), ["raised low critical A since"]);
    }
}

#[test]
fn an_old_store_loses_nothing_and_floods_nobody() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        // Two accounts are told, one of them to one channel only; one is pending; one is fine.
        let (up, down) = (Hook::new(), Hook::new());
        let mut world = world_with(
            kind,
            &[("Told", 5), ("Half", 500), ("Pending", 500), ("Fine", 500)],
            &[("up", &up), ("down", &down)],
        );
        world.run().expect(2);
        world.balance("Half", json!(5));
        down.is(Mood::Refuses);
        world.run().expect(75);
        world.balance("Pending", json!(5));
        up.is(Mood::Refuses);
        world.run().expect(75);
        let pending = up.keys().last().unwrap().clone();
        world.age(3);
        assert_eq!(world.count("SELECT count(*) FROM conditions"), 2);
        assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 1);
        for hook in [&up, &down] {
            hook.is(Mood::Takes);
            hook.messages();
        }
        // A dry run of the new version changes nothing.
        world.program.clone().args(["--dry-run"]).run();
        let third = Hook::new();
        let run = world.run().expect(2);
        assert_eq!(run.stderr, "", "{run}");
        assert_eq!(up.messages(), ["raised low critical Pending since"], "{run}");
        let mut said = down.messages();
        said.sort();
        assert_eq!(said, ["raised low critical Half since", "raised low critical Pending since"], "{run}");
        assert_eq!(up.keys().last(), Some(&pending), "under the key that it had");
        assert!(world.run().expect(2).stderr.is_empty());
        assert!(up.messages().is_empty() && down.messages().is_empty());
        assert_eq!(world.count("SELECT count(*) FROM told WHERE channel = ''"), 0);
        assert_eq!(world.count("SELECT count(*) FROM deliveries WHERE channel = ''"), 0);
        // One that is added after the upgrade hears of all three.
        channels(&mut world, &[("up", &up), ("down", &down), ("third", &third)]);
        world.run().expect(2);
        assert_eq!(third.messages().len(), 3);
        ["Told", "Half", "Pending"].into_iter().for_each(|name| world.balance(name, json!(500)));
        world.run().expect(0);
        for hook in [&up, &down, &third] {
            assert_eq!(hook.messages().len(), 3, "each is told that all three are over");
        }
    }
}

#[test]
fn an_old_pending_recovery_is_carried_over_too() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let hook = Hook::new();
        let world = world_with(kind, &[("A", 5)], &[("hook", &hook)]);
        world.run().expect(2);
        world.balance("A", json!(500));
        hook.is(Mood::Refuses);
        world.run().expect(75);
        world.age(3);
        hook.is(Mood::Takes);
        hook.messages();
        world.run().expect(0);
        world.run().expect(0);
        assert_eq!(hook.messages(), ["resolved low info A"]);
    }
}

/// What a channel has really got.
#[derive(Clone, Debug, Default)]
struct Ear {
    may_know: bool,
    keys: BTreeSet<String>,
    /// Requests that were looked at.
    hits: usize,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A world with three channels, and what has become of it.
struct Life {
    world: World,
    hooks: Vec<Hook>,
    ears: Vec<Ear>,
    /// Which channels the config has.
    here: [bool; 3],
    random: fastrand::Rng,
    seed: u64,
    history: Vec<String>,
}

impl Life {
    fn new(kind: Kind) -> Life {
        let seed = fastrand::u64(..);
        let hooks: Vec<Hook> = (0..3).map(|_| Hook::new()).collect();
        let all: Vec<(&str, &Hook)> = NAMES.into_iter().zip(&hooks).collect();
        let world = world_with(kind, &[("A", 500)], &all);
        let random = fastrand::Rng::with_seed(seed);
        Life { world, hooks, ears: vec![Ear::default(); 3], here: [true; 3], random, seed, history: Vec::new() }
    }

    fn what(&self) -> String {
        format!("{:?}, seed {}, run {}:\n{}", self.world.kind, self.seed, self.history.len(), self.history.join("\n"))
    }

    /// These channels are in the config from now on.
    fn list(&mut self, here: [bool; 3]) {
        self.here = here;
        let all = NAMES.into_iter().zip(&self.hooks).zip(here);
        let listed: Vec<(&str, &Hook)> = all.filter(|(_, is_here)| *is_here).map(|(one, _)| one).collect();
        channels(&mut self.world, &listed);
    }

    /// One run, in which anything may happen.
    fn run(&mut self) {
        if self.random.u8(..10) == 0 {
            let here = [true, self.random.bool(), self.random.bool()];
            self.list(here);
        }
        let balance = self.random.choice([5, 5, 9, 500, 500]).unwrap();
        self.world.balance("A", json!(balance));
        let moods = [(); 3].map(|()| match self.random.u8(..10) {
            0..=5 => Mood::Takes,
            6..=7 => Mood::Refuses,
            _ => Mood::Closes,
        });
        self.hooks.iter().zip(moods).for_each(|(hook, mood)| hook.is(mood));
        let kill = self.random.choice(["", "", "", "", "after-claim", "in-send", "after-send", "in-mark"]).unwrap();
        let mut program = self.world.program.clone();
        if !kill.is_empty() {
            program = program.env("BALANCE_ALERT_FAULT", &format!("kill:{kill}"));
        }
        let code = program.run().code();
        self.history.push(format!("{balance}, {moods:?}, here {:?}, kill {kill}: {code}", self.here));
        for (at, mood) in moods.into_iter().enumerate() {
            self.listen(at, mood, code == 128 + 9);
        }
        self.world.pass(self.random.i64(60..40_000));
    }

    /// Looks at what has come to a channel in a run.
    fn listen(&mut self, at: usize, mood: Mood, is_killed: bool) {
        let (name, what) = (NAMES[at], self.what());
        let new = self.hooks[at].server.requests().split_off(self.ears[at].hits);
        let ear = &mut self.ears[at];
        ear.hits += new.len();
        for one in new.iter().flat_map(|request| request.json()["Resources"].as_array().unwrap().clone()) {
            let (event, key) = (one["Event"].as_str().unwrap(), one["DedupKey"].as_str().unwrap());
            assert!(self.here[at], "{name} is not there: {what}");
            assert!(!ear.keys.contains(key), "{name} gets {key} twice: {what}");
            let said = one["Message"].as_str().unwrap();
            let is_notice = said.contains("not be delivered") || said.contains("not have been delivered");
            let may_hear = event == "raised" || is_notice || ear.may_know;
            assert!(may_hear, "{name} hears that something is over that it did not know: {what}");
            let is_known = mood == Mood::Takes && !is_killed;
            match (event, mood) {
                (_, Mood::Refuses) => {}
                ("raised", _) => ear.may_know = true,
                (_, _) if is_known => ear.may_know = false,
                _ => {}
            }
            if is_known {
                ear.keys.insert(key.to_owned());
            }
        }
    }

    /// What lasts is heard by all that are up, one run later at the most, whatever was before; and so is its end.
    fn ends_well(mut self) {
        self.list([true; 3]);
        let what = self.what();
        let Life { world, hooks, .. } = self;
        hooks.iter().for_each(|hook| hook.is(Mood::Takes));
        world.balance("A", json!(5));
        world.pass(2 * DAY);
        world.run().expect(2);
        for (hook, name) in hooks.iter().zip(NAMES) {
            assert!(hook.messages().last().is_some_and(|said| said.starts_with("raised low")), "{name}: {what}");
        }
        world.run().expect(2);
        world.balance("A", json!(500));
        world.run();
        world.pass(DAY);
        world.run().expect(0);
        for (hook, name) in hooks.iter().zip(NAMES) {
            assert_eq!(hook.messages(), ["resolved low info A"], "{name}: {what}");
        }
        world.run().expect(0);
        assert!(hooks.iter().all(|hook| hook.messages().is_empty()));
        assert_eq!(world.count("SELECT count(*) FROM alerts WHERE state = 'pending'"), 0);
    }
}

/// Random runs with channels that refuse, answer late and close, come and go, and with runs that are killed; through the
/// program. The same is done with thousands of lives in `src/decide/tests/lives.rs`, where the store is imitated.
#[test]
fn no_life_in_a_real_store_loses_an_alert_or_tells_one_twice() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let mut life = Life::new(kind);
        for _ in 0..60 {
            life.run();
        }
        life.ends_well();
    }
}
