//! What becomes of alerts when something breaks. Each fault is made for real, on both stores where it concerns both, and
//! what happened is a row of `tests/faults.md`: the table is written by these tests (`UPDATE_FIXTURES=1`) and must not change
//! unseen.

use crate::delivery::{Hook, Mood, channels, world_with};
use crate::mailbox_bounds;
use crate::support::postgres::Postgres;
use crate::support::tmpfs::Tmpfs;
use crate::support::world::{Kind, World, account};
use crate::support::{Gate, Program, Reply, Server, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One fault on one store, and what became of it.
pub(crate) struct Row {
    pub(crate) fault: String,
    pub(crate) store: &'static str,
    /// How the run with the fault ended.
    pub(crate) run: String,
    /// What the receiver got from it.
    pub(crate) told: String,
    /// What it got from the next run, which has no fault.
    pub(crate) next: String,
}

#[test]
fn the_table_of_faults_is_what_happens() {
    let mut rows: Vec<Row> = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        rows.extend(KILLS.iter().map(|kill| killed(kind, kill)));
        rows.extend([killed_twice(kind), eight_at_once(kind), eight_first_runs_at_once(kind), full_disk(kind)]);
        rows.extend([silent(kind, Mood::Late), silent(kind, Mood::Closes), one_down(kind), added(kind), blocked(kind)]);
    }
    rows.extend(crate::hangs::rows());
    rows.extend([truncated(), truncated_log(), removed(), hung(), gone(), read_only(), unset()]);
    rows.extend(EXPRESSIONS.iter().map(runaway));
    rows.extend([halting(), deep_answer(), changed_head()]);
    rows.extend(crate::process::rows());
    rows.extend(mailbox_bounds::faults());
    rows.sort_by(|a, b| a.fault.cmp(&b.fault).then(b.store.cmp(a.store)));
    let mut table = String::from(
        "# Faults and what becomes of alerts\n\n\
         Written by `tests/integration/faults.rs`, which makes each of these faults for real; `UPDATE_FIXTURES=1` writes it anew.\n\
         \"Same key\" means that a receiver can see, by `DedupKey`, that the message is a repetition; (75) is the exit code.\n\n\
         | fault | store | the run | the receiver gets | the next run |\n| --- | --- | --- | --- | --- |\n",
    );
    for Row { fault, store, run, told, next } in rows {
        table.push_str(&format!("| {fault} | {store} | {run} | {told} | {next} |\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults.md");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == table, "tests/faults.md says otherwise; what happens is\n{table}");
}

/// Where a run is killed, what that is called, and whether the message was out by then.
const KILLS: [(&str, &str, bool); 7] = [
    ("before-claim", "killed (-9) after reading, before deciding", false),
    ("in-claim", "killed (-9) inside the transaction that decides", false),
    ("after-claim", "killed (-9) after deciding, before sending", false),
    ("in-send", "killed (-9) when the first channel has taken it", true),
    ("after-send", "killed (-9) when all channels have answered", true),
    ("in-mark", "killed (-9) inside the transaction that marks", true),
    ("after-mark", "killed (-9) after marking", true),
];

fn messages(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "the alert".to_owned(),
        n => format!("the alert {n} times"),
    }
}

fn killed(kind: Kind, (point, fault, is_out): &(&str, &'static str, bool)) -> Row {
    let world = World::new(kind, &[("A", 5), ("B", 500)]);
    let run = world.program.clone().env("BALANCE_ALERT_FAULT", &format!("kill:{point}")).run();
    assert_eq!(run.code(), 128 + 9, "{point}: {run}");
    let told = world.hook.hits();
    assert_eq!(told, usize::from(*is_out), "{point} on {kind:?}");
    let next = world.run().expect(2);
    assert_eq!(next.stderr, "", "{point}");
    let again = world.hook.hits() - told;
    let keys = world.keys();
    assert!(!keys.is_empty(), "{point} on {kind:?}: the alert is lost");
    assert!(keys.iter().all(|key| *key == keys[0]), "{point} on {kind:?}: a repetition has the same key: {keys:?}");
    world.run().expect(2);
    world.run().expect(2);
    assert_eq!(world.hook.hits(), told + again, "{point} on {kind:?}: and then it is told");
    // A killed run must not leave anything but the store.
    let left: Vec<String> = files(&world.program.path("."));
    assert!(left.iter().all(|name| !name.contains("-run-")), "{point}: {left:?}");
    let same = if told > 0 && again > 0 { ", same key" } else { "" };
    Row {
        fault: (*fault).to_owned(),
        store: kind.name(),
        run: "dies".into(),
        told: messages(told),
        next: format!("sends {}{same}", messages(again)),
    }
}

/// The run that takes over dies too.
fn killed_twice(kind: Kind) -> Row {
    let world = World::new(kind, &[("A", 5)]);
    for point in ["after-claim", "after-claim", "in-send"] {
        let run = world.program.clone().env("BALANCE_ALERT_FAULT", &format!("kill:{point}")).run();
        assert_eq!(run.code(), 128 + 9, "{run}");
    }
    let told = world.hook.hits();
    world.run().expect(2);
    world.run().expect(2);
    let keys = world.keys();
    assert_eq!((told, keys.len()), (1, 2));
    assert_eq!(keys[0], keys[1]);
    Row {
        fault: "killed (-9) three times in a row, the last time while sending".into(),
        store: kind.name(),
        run: "dies".into(),
        told: messages(told),
        next: format!("sends {}, same key", messages(keys.len() - told)),
    }
}

/// Eight runs that decide at the same moment: a gate in a provider holds them until all are there.
fn at_once(kind: Kind, is_first: bool) -> Vec<(String, usize)> {
    let gate = Arc::new(Gate::new());
    let inner = Arc::clone(&gate);
    let provider = Server::start(move |_| {
        inner.arrive();
        if inner.wait_for(8) { Reply::ok(uniapi_body("500")) } else { Reply::status(500, "") }
    });
    let mut world = World::new(kind, &[("A", 500), ("B", 500), ("C", 500), ("D", 500), ("E", 500)]);
    if !is_first {
        world.run().expect(0);
    }
    ["A", "B", "C", "D", "E"].into_iter().for_each(|name| world.balance(name, json!(5)));
    world.configure(|config| config["projects"].as_array_mut().unwrap().push(uniapi("Gate", &provider.url())));
    let running: Vec<_> = (0..8).map(|_| world.program.clone().start()).collect();
    for run in running {
        let run = run.finish().expect(2);
        assert_eq!(run.stderr, "", "no error: {run}");
        assert_eq!(run.report()["memory"]["status"], "kept");
    }
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE finished_at IS NOT NULL"), if is_first { 8 } else { 9 });
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for message in world.messages(&mut 0) {
        *told.entry(message).or_default() += 1;
    }
    world.run().expect(2);
    assert_eq!(world.messages(&mut 0).len(), told.values().sum::<usize>(), "and then nothing more");
    told.into_iter().collect()
}

fn eight_at_once(kind: Kind) -> Row {
    let told = at_once(kind, false);
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|(_, count)| *count == 1), "{told:?}");
    Row {
        fault: "8 runs decide at once".into(),
        store: kind.name(),
        run: "all 8 end well".into(),
        told: "one alert an account".into(),
        next: "sends nothing".into(),
    }
}

fn eight_first_runs_at_once(kind: Kind) -> Row {
    let told = at_once(kind, true);
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|(_, count)| *count == 1), "{told:?}");
    Row {
        fault: "8 runs make the store at once".into(),
        store: kind.name(),
        run: "all 8 end well".into(),
        told: "one alert an account".into(),
        next: "sends nothing".into(),
    }
}

/// A store with some history, and an account that has just become low.
fn lived_in() -> World {
    let names: Vec<String> = (0..40).map(|n| format!("account-{n:02}")).collect();
    let mut accounts: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 500)).collect();
    accounts.push(("Old", 5));
    accounts.push(("New", 500));
    let world = World::new(Kind::Sqlite, &accounts);
    for _ in 0..6 {
        world.run().expect(2);
    }
    world.balance("New", json!(5));
    world
}

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.sort();
    names
}

/// Cuts a file of a store at many lengths; a run each time, and another one.
fn cut(name: &str, prepare: impl Fn(&World)) -> (usize, usize) {
    let world = lived_in();
    prepare(&world);
    let state = world.program.path("state.db");
    let folder = world.program.path(".");
    let save: Vec<(String, Vec<u8>)> = files(&folder)
        .into_iter()
        .filter(|file| file.starts_with("state.db"))
        .map(|file| (file.clone(), std::fs::read(folder.join(&file)).unwrap()))
        .collect();
    let whole = save.iter().find(|(file, _)| file == name).map(|(_, bytes)| bytes.len()).expect("the file is there");
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut found, mut silent) = (0, 0);
    for round in 0..20 {
        for file in files(&folder).iter().filter(|file| file.starts_with("state.db")) {
            std::fs::remove_file(folder.join(file)).unwrap();
        }
        save.iter().for_each(|(file, bytes)| std::fs::write(folder.join(file), bytes).unwrap());
        let length = random.usize(..whole);
        let broken = std::fs::OpenOptions::new().write(true).open(folder.join(name)).unwrap();
        broken.set_len(length as u64).unwrap();
        let left = std::fs::read(&state).unwrap();
        let mut seen = world.hook.requests().len();
        let what = format!("seed {seed}, round {round}: {name} cut at {length} of {whole}");
        let run = world.run().expect(2);
        let told = world.messages(&mut seen);
        assert!(told.contains(&"raised low critical New".to_owned()), "{what}: the new alert is sent: {told:?} {run}");
        let kept: Vec<String> = files(&folder).into_iter().filter(|file| file.contains(".damaged-")).collect();
        let beside = ["-wal", "-shm", "-journal"];
        let kept: Vec<&String> = kept.iter().filter(|file| !beside.iter().any(|end| file.ends_with(end))).collect();
        if let [kept] = kept[..] {
            found += 1;
            assert!(run.stderr.contains(kept.as_str()), "{what}: it is told where it is kept: {run}");
            if name == "state.db" {
                assert_eq!(std::fs::read(folder.join(kept)).unwrap(), left, "{what}: kept as it was");
            }
        } else {
            assert_eq!(run.stderr, "", "{what}: {run}");
            silent += 1;
        }
        let next = world.run().expect(2);
        assert_eq!(next.stderr, "", "{what}: the next run has a memory again: {next}");
        assert!(world.messages(&mut seen).is_empty(), "{what}: {next}");
    }
    (found, silent)
}

fn truncated() -> Row {
    let (found, _) = cut("state.db", |_| ());
    assert!(found >= 15, "most cuts are seen: {found} of 20");
    Row {
        fault: "the store is cut off at 20 random lengths".into(),
        store: "SQLite",
        run: "says so, keeps the file under another name, begins a new store".into(),
        told: "the new alert; an old one perhaps again".into(),
        next: "sends nothing".into(),
    }
}

fn truncated_log() -> Row {
    // A run that was killed inside a transaction leaves its journal beside the store.
    cut("state.db-journal", |world| {
        world.program.clone().env("BALANCE_ALERT_FAULT", "kill:in-claim").run();
    });
    Row {
        fault: "the journal of a killed run is cut off at 20 random lengths".into(),
        store: "SQLite",
        run: "goes on from the last whole transaction".into(),
        told: "the new alert".into(),
        next: "sends nothing".into(),
    }
}

fn removed() -> Row {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    std::fs::remove_file(world.program.path("state.db")).unwrap();
    let run = world.run().expect(2);
    assert_eq!(run.stderr, "");
    assert_eq!(world.hook.hits(), 2);
    world.run().expect(2);
    assert_eq!(world.hook.hits(), 2);
    Row {
        fault: "the store is removed".into(),
        store: "SQLite",
        run: "begins a new store".into(),
        told: "the alert again".into(),
        next: "sends nothing".into(),
    }
}

/// What comes from outside and is not there, in every kind of entry at once.
fn unset() -> Row {
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    let channel = world.config["webhook"].clone();
    world.configure(|config| {
        config["webhook"].take();
        config.as_object_mut().unwrap().remove("webhook");
        config["webhooks"] = json!([channel, {"name": "other", "type": "custom", "url": "${NOT_SET}"}]);
        config["projects"].as_array_mut().unwrap().extend([
            json!({"name": "B", "provider": "uniapi", "api_key": "${BROKEN}", "threshold": 1}),
            json!({"name": "C", "provider": "own", "threshold": 1}),
        ]);
        config["providers"] = json!([{"id": "own", "title": "Own", "kind": "balance", "request": {"url": "${NOT_SET}"}, "balance": ".b"}]);
        config["subscriptions"] = json!([{"name": "S", "cycle_type": "monthly", "renewal_day": "${NOT_SET}"}]);
        config["email"] = json!([{"host": "${NOT_SET}", "username": "u", "password_file": "no-such-file"}]);
        config["metrics"] = json!({"pushgateway": {"url": "${NOT_SET}"}});
    });
    std::fs::write(world.program.path(".env"), "BROKEN='x\n").unwrap();
    let mut seen = 0;
    let _ = world.run();
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
    let next = world.run();
    assert_eq!(world.messages(&mut seen), [] as [&str; 0]);
    for word in ["`NOT_SET` is not set", "`BROKEN` is not set"] {
        assert!(next.stdout.contains(word) && next.stderr.contains("its quote is never closed"), "{word}: {next}");
    }
    Row {
        fault: "a variable is not set in an account, page, mailbox, subscription, channel and the metrics, a line of `.env` is broken".into(),
        store: "SQLite",
        run: "says so and goes on".into(),
        told: "the alert".into(),
        next: "sends nothing".into(),
    }
}

/// An installation whose store is on this disk.
fn on_disk(kind: Kind, disk: &Tmpfs, accounts: &[(&str, i64)]) -> World {
    match kind {
        Kind::Sqlite => {
            let mut world = World::new(kind, accounts);
            let path = disk.path().join("state.db").display().to_string();
            world.configure(|config| config["state"] = json!({ "path": path }));
            world
        }
        Kind::Postgres => {
            let place = disk.folder_of_postgres();
            let space = format!("space{}", fastrand::u32(..));
            let mut admin = Postgres::shared().admin("postgres");
            let place = place.display();
            admin.batch_execute(&format!("CREATE TABLESPACE {space} OWNER balance LOCATION '{place}'")).unwrap();
            World::in_database(kind, accounts, &format!("TABLESPACE {space}"))
        }
    }
}

/// Leaves no room for anything more that the store would keep.
fn fill(disk: &Tmpfs, world: &World) {
    // A connection is made before the disk is full, because the server may have to write a file to begin one.
    let admin = (world.kind == Kind::Postgres).then(|| Postgres::shared().admin(&world.database));
    disk.fill();
    if let Some(mut admin) = admin {
        // Rows until the pages that were there are full as well.
        let filler = "INSERT INTO balance_alert.samples SELECT n, n, 'ok' FROM generate_series(1, 100000) n";
        assert!(admin.batch_execute(filler).is_err(), "the disk is full");
        let filler = "DO $$ BEGIN FOR n IN 1..100000 LOOP INSERT INTO balance_alert.samples VALUES (n, n, 'ok'); \
                      COMMIT; END LOOP; END $$";
        assert!(admin.batch_execute(filler).is_err(), "the disk is full");
    }
}

/// Takes a database off the disk that it is on, so that the disk can go.
fn leave_disk(world: &World) {
    if world.kind == Kind::Postgres {
        let mut admin = Postgres::shared().admin("postgres");
        admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", world.database)).unwrap();
        let spaces = admin.query("SELECT spcname FROM pg_tablespace WHERE spcname LIKE 'space%'", &[]).unwrap();
        spaces.iter().for_each(|row| {
            admin.batch_execute(&format!("DROP TABLESPACE {}", row.get::<_, String>(0))).unwrap();
        });
    }
}

/// A disk without room: an old alert is still known, a new one is sent in every run until there is room.
fn full_disk(kind: Kind) -> Row {
    let disk = Tmpfs::mount(if kind == Kind::Sqlite { 1024 } else { 24 * 1024 });
    let world = on_disk(kind, &disk, &[("Old", 5), ("New", 500)]);
    world.run().expect(2);
    let mut seen = 1;
    fill(&disk, &world);
    world.balance("New", json!(5));
    let run = world.run().expect(2);
    assert!(run.stderr.contains("it cannot be written") && run.stderr.contains("space"), "{run}");
    assert_eq!(run.stderr.trim().lines().count(), 1, "{run}");
    assert_eq!(run.report()["memory"]["status"], "failed");
    assert_eq!(world.messages(&mut seen), ["raised low critical New"], "{run}");
    disk.empty();
    if kind == Kind::Postgres {
        world.sql("DELETE FROM samples WHERE run <= 100000");
    }
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical New"]);
    let run = world.run().expect(2);
    assert_eq!((world.messages(&mut seen).len(), run.stderr.as_str()), (0, ""));
    leave_disk(&world);
    Row {
        fault: "the disk is full".into(),
        store: kind.name(),
        run: "says so and goes on".into(),
        told: "the new alert, in every run while it is full; not what was told before, nor that it is over".into(),
        next: "sends it once more when there is room, then nothing".into(),
    }
}

/// A receiver that has the message and does not say so.
fn silent(kind: Kind, mood: Mood) -> Row {
    let hook = Hook::new();
    let world = world_with(kind, &[("A", 5)], &[("hook", &hook)]);
    hook.is(mood);
    let run = world.run().expect(75);
    let told = hook.messages().len();
    assert_eq!(run.report()["deliveries"][0]["status"], "unknown", "{run}");
    world.run().expect(75);
    let again = hook.messages().len();
    for _ in 0..3 {
        world.run().expect(75);
    }
    assert!(hook.messages().is_empty(), "then it rests");
    let keys = hook.keys();
    assert_eq!(keys[0], keys[1]);
    hook.is(Mood::Takes);
    world.pass(600);
    world.run().expect(2);
    world.run().expect(2);
    assert_eq!(hook.messages().len(), 1);
    let fault = match mood {
        Mood::Late => "the receiver takes it and answers too late",
        _ => "the receiver takes it and closes the connection",
    };
    Row {
        fault: fault.into(),
        store: kind.name(),
        run: "says that its fate is unknown (75)".into(),
        told: messages(told),
        next: format!("sends {}, same key; then it rests, longer and longer, until it is confirmed", messages(again)),
    }
}

/// One channel of two.
fn one_down(kind: Kind) -> Row {
    let (up, down) = (Hook::new(), Hook::new());
    let world = world_with(kind, &[("A", 5)], &[("up", &up), ("down", &down)]);
    down.is(Mood::Refuses);
    world.run().expect(75);
    let told = up.messages().len();
    down.messages();
    down.is(Mood::Takes);
    world.run().expect(2);
    assert_eq!(down.messages(), ["raised low critical A since"]);
    world.run().expect(2);
    assert!(up.messages().is_empty() && down.messages().is_empty());
    assert_eq!(up.keys()[0], down.keys()[1]);
    Row {
        fault: "one of two channels is down".into(),
        store: kind.name(),
        run: "says so (75)".into(),
        told: format!("{}, on the other channel", messages(told)),
        next: "sends the alert to the one that was down, with since when, same key; nothing to the other".into(),
    }
}

/// A channel that is added while something is open.
fn added(kind: Kind) -> Row {
    let (first, second) = (Hook::new(), Hook::new());
    let mut world = world_with(kind, &[("A", 5)], &[("first", &first)]);
    world.run().expect(2);
    let told = first.messages().len();
    channels(&mut world, &[("first", &first), ("second", &second)]);
    world.run().expect(2);
    assert_eq!(second.messages(), ["raised low critical A since"]);
    world.run().expect(2);
    assert!(first.messages().is_empty() && second.messages().is_empty());
    Row {
        fault: "a channel is added while an alert is open".into(),
        store: kind.name(),
        run: "ends well".into(),
        told: messages(told),
        next: "sends the alert to the new channel, with since when; nothing to the other".into(),
    }
}

/// A robot that takes nothing for minutes.
fn blocked(kind: Kind) -> Row {
    let robot = Server::sequence(vec![
        Reply::ok(r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#),
        Reply::ok(r#"{"errcode":0,"errmsg":"ok"}"#),
    ]);
    let mut world = World::new(kind, &[("A", 5)]);
    world.configure(|config| {
        config["settings"]["max_retries"] = json!(3);
        config["webhook"] = json!({"type": "dingtalk", "url": robot.url()});
    });
    world.run().expect(75);
    assert_eq!(robot.hits(), 1, "it is not asked again");
    world.run().expect(2);
    world.run().expect(2);
    assert_eq!(robot.hits(), 2);
    Row {
        fault: "a robot is blocked for minutes".into(),
        store: kind.name(),
        run: "asks once and says so (75)".into(),
        told: messages(0),
        next: format!("sends {}", messages(robot.hits() - 1)),
    }
}

/// A database that takes connections and never answers.
fn hung() -> Row {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    let url = format!("postgres://u@{}/d", silent.local_addr().unwrap());
    world.configure(|config| {
        config["state"] = json!({ "url": url });
        config["settings"]["run_timeout_seconds"] = json!(2);
    });
    let run = world.run().expect(2);
    assert!(run.stderr.contains("did not answer within"), "{run}");
    assert_eq!(world.hook.hits(), 1);
    Row {
        fault: "the database hangs".into(),
        store: "PostgreSQL",
        run: "waits a quarter of its time, at most 10 s, says so and goes on".into(),
        told: "every alert".into(),
        next: "the same while it lasts".into(),
    }
}

/// A connection that ends between deciding and marking.
fn gone() -> Row {
    let world = World::new(Kind::Postgres, &[("A", 5)]);
    let (database, gate) = (world.database.clone(), Arc::new(Gate::new()));
    let arrived = Arc::clone(&gate);
    let hook = Server::start(move |_| {
        let mut admin = Postgres::shared().admin("postgres");
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        admin.execute(sql, &[&database]).unwrap();
        arrived.arrive();
        Reply::ok("")
    });
    let mut world = world;
    world.configure(|config| config["webhook"]["url"] = json!(hook.url()));
    let run = world.run().expect(2);
    assert!(gate.wait_for(1));
    assert!(run.stderr.contains("the next run may send this one's alerts again"), "{run}");
    let real = world.hook.url();
    world.configure(|config| config["webhook"]["url"] = json!(real));
    world.run().expect(2);
    world.run().expect(2);
    let first = hook.only_request().json()["Resources"][0]["DedupKey"].as_str().unwrap().to_owned();
    assert_eq!(world.keys(), [first]);
    Row {
        fault: "the connection ends while the alert is sent".into(),
        store: "PostgreSQL",
        run: "says so".into(),
        told: "the alert".into(),
        next: "sends the alert, same key".into(),
    }
}

/// A medium that cannot be written, with a store on it: what was told is still known.
/// What is over is not told by a run that cannot write that down: later ones would say nothing if it came back.
#[test]
fn what_comes_back_while_nothing_can_be_written_silences_nobody() {
    let disk = Tmpfs::mount(1024);
    let world = on_disk(Kind::Sqlite, &disk, &[("A", 5)]);
    world.run().expect(2);
    let mut seen = 0;
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
    fill(&disk, &world);
    for (balance, exit) in [(500, 0), (5, 2), (500, 0)] {
        world.balance("A", json!(balance));
        world.run().expect(exit);
        assert_eq!(world.messages(&mut seen), [""; 0], "the channel knows that it is low, and nothing else");
    }
    disk.empty();
    world.run().expect(0);
    assert_eq!(world.messages(&mut seen), ["resolved low info A"]);
    world.balance("A", json!(5));
    world.run().expect(2);
    assert_eq!(world.messages(&mut seen), ["raised low critical A"]);
    leave_disk(&world);
}

fn read_only() -> Row {
    let disk = Tmpfs::mount(1024);
    let mut world = World::new(Kind::Sqlite, &[("Old", 5), ("New", 500)]);
    let path = disk.path().join("state.db").display().to_string();
    world.configure(|config| config["state"] = json!({ "path": path }));
    world.run().expect(2);
    disk.make_read_only();
    world.balance("New", json!(5));
    let mut seen = 1;
    let run = world.run().expect(2);
    assert!(run.stderr.contains("it cannot be written: it is read-only"), "{run}");
    assert_eq!(run.stderr.trim().lines().count(), 1, "{run}");
    assert_eq!(world.messages(&mut seen), ["raised low critical New"], "{run}");
    let status = world.ask(["status"]).expect(0);
    assert!(status.stdout.contains("New"), "it can be asked: {status}");
    Row {
        fault: "the store is on a read-only medium".into(),
        store: "SQLite",
        run: "says so and goes on".into(),
        told: "the new alert; not what was told before, nor that it is over".into(),
        next: "the same while it lasts".into(),
    }
}

/// Expressions that only the answer sets off, so that no check of the page finds them: what they do, the expression, and
/// what is said of the account.
const EXPRESSIONS: [(&str, &str, &str); 5] = [
    ("an expression never ends", "until(.stops; .)", "takes too many steps"),
    ("an expression makes numbers without end", "[range(infinite)] | length", "takes more than 64 MiB of memory"),
    ("an expression doubles a text sixty times", "reduce range(60) as $n (\"x\"; . + .)", "a text that is too long"),
    ("an expression nests a value a million times", "reduce range(1000000) as $n (0; [.])", "nested too deeply"),
    (
        "an expression overflows the stack",
        "def a(g): g | g; def b(g): a(a(g)); def c(g): b(b(g)); def d(g): c(c(g)); def e(g): d(d(g)); e(e(e(.)))",
        "stopped because",
    ),
];

/// A world with one account that is low, and one whose expression runs away.
fn with_expression(expression: &str) -> World {
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.configure(|config| {
        let options = json!({"path": "data.json", "balance": expression});
        let wild = json!({"name": "Wild", "provider": "file", "threshold": 10, "options": options});
        config["projects"].as_array_mut().unwrap().push(wild);
        config["settings"]["failure_alert_after"] = json!(0);
    });
    world
}

fn runaway((fault, expression, said): &(&str, &'static str, &'static str)) -> Row {
    let world = with_expression(expression);
    let mut seen = 0;
    let run = world.run().expect(2);
    let report = run.report();
    let error = &crate::support::project(&report, "Wild")["error"];
    assert_eq!(error["reason"], "decode", "{fault}: {run}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("the expression was stopped") && message.contains(said), "{fault}: {message}");
    assert_eq!(world.messages(&mut seen), ["raised low critical A"], "{fault}: {run}");
    let next = world.run().expect(2);
    assert!(world.messages(&mut seen).is_empty(), "{fault}: {next}");
    Row {
        fault: (*fault).to_owned(),
        store: "SQLite",
        run: "stops it, says so of its account and reads the others".into(),
        told: "the alert of another account".into(),
        next: "the same; it is not told again".into(),
    }
}

/// What would end the process is no word of a page, which is known before anything is asked.
fn halting() -> Row {
    for expression in ["halt", "halt_error(0)", "if .A then halt else .A end", "try halt catch 1", "def f: 1 + f; f"] {
        let world = with_expression(expression);
        let mut seen = 0;
        let run = world.run().expect(2);
        let report = run.report();
        let error = &crate::support::project(&report, "Wild")["error"];
        assert_eq!(error["reason"], "config", "{expression}: {run}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("the jq expression of `balance` is wrong"), "{expression}: {message}");
        assert_eq!(world.messages(&mut seen), ["raised low critical A"], "{expression}: {run}");
        world.ask(["validate"]).expect(78);
        world.run().expect(2);
        assert!(world.messages(&mut seen).is_empty());
    }
    Row {
        fault: "an expression ends the process, or calls itself".into(),
        store: "SQLite",
        run: "refuses it, says so of its account and reads the others; `validate` ends with 78".into(),
        told: "the alert of another account".into(),
        next: "the same; it is not told again".into(),
    }
}

/// Answers that would overflow the stack of who follows them.
fn deep_answer() -> Row {
    let mut deep = World::new(Kind::Sqlite, &[("A", 5)]);
    let mut seen = 0;
    let servers = [("List", "["), ("Object", "{\"a\":")]
        .map(|(name, unit)| (name, Server::start(move |_| Reply::ok(unit.repeat(100_000)))));
    deep.configure(|config| {
        let accounts = servers.iter().map(|(name, server)| uniapi(name, &server.url()));
        config["projects"].as_array_mut().unwrap().extend(accounts);
        config["settings"]["failure_alert_after"] = json!(0);
    });
    let run = deep.run().expect(2);
    for name in ["List", "Object"] {
        let report = run.report();
        let message = crate::support::project(&report, name)["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with(": the answer is not JSON (it is nested deeper than 128 levels)"), "{run}");
    }
    assert_eq!(deep.messages(&mut seen), ["raised low critical A"], "{run}");
    let next = deep.run().expect(2);
    assert!(deep.messages(&mut seen).is_empty(), "{next}");
    Row {
        fault: "an answer is nested 100 000 levels deep".into(),
        store: "SQLite",
        run: "says so of its account and reads the others".into(),
        told: "the alert of another account".into(),
        next: "the same; it is not told again".into(),
    }
}

/// Killed at any moment at all: over many runs an alert is never lost, and a repetition has its key.
#[test]
fn a_kill_at_a_random_moment_loses_nothing() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let world = World::new(kind, &[("A", 500)]);
        for round in 0..12 {
            world.balance("A", json!(5));
            let run = world.program.clone().start();
            // Not a wait for something: the moment is what is random.
            std::thread::sleep(std::time::Duration::from_micros(fastrand::u64(..60_000)));
            run.signal_if_alive("KILL");
            run.finish();
            let low = world.run().expect(2);
            assert_eq!(low.stderr, "", "round {round}");
            let keys: Vec<String> =
                world.keys().into_iter().filter(|key| key.starts_with("low-") && !key.contains("resolved")).collect();
            let different: std::collections::BTreeSet<&String> = keys.iter().collect();
            assert_eq!(different.len(), round + 1, "round {round} on {kind:?}: one alert a round: {keys:?}");
            world.balance("A", json!(500));
            world.run().expect(0);
            // What comes back sooner has flapped.
            world.pass(2 * 86_400);
        }
    }
}

#[test]
fn a_table_of_a_store_that_is_gone_is_damage_too() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    for damage in ["DROP TABLE samples", "DROP TABLE alerts"] {
        world.sql(damage);
        let run = world.run().expect(2);
        assert!(run.stderr.contains(".damaged-"), "{damage}: {run}");
        assert_eq!(world.run().expect(2).stderr, "", "{damage}");
        for file in files(&world.program.path(".")).iter().filter(|file| file.contains(".damaged-")) {
            std::fs::remove_file(world.program.path(file)).unwrap();
        }
    }
}

/// The head of the store's file says what it does not hold.
fn changed_head() -> Row {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    let path = world.program.path("state.db");
    let sound = std::fs::read(&path).unwrap();
    // What may write to it, and what may read it: 1 or 2. The number of SQLite's own form of the schema, which is 4 at the most.
    // The number of the version of this program's tables. Whose file it is.
    for (at, value, is_set_aside) in [
        (18, 3, true),
        (18, 255, true),
        (19, 3, true),
        (47, 99, true),
        (60, 255, true),
        (63, 0, true),
        (63, 3, true),
        (63, 99, false),
        (68, 1, false),
    ] {
        let mut bytes = sound.clone();
        bytes[at] = value;
        std::fs::write(&path, bytes).unwrap();
        let hits = world.hook.hits();
        let run = world.run().expect(2);
        assert_eq!(run.stderr.contains(".damaged-"), is_set_aside, "{at} {value}: {run}");
        assert!(run.stderr.contains("the memory of runs at"), "{at} {value}: {run}");
        assert!(!run.stderr.contains("CREATE TABLE"), "{at} {value}: {run}");
        assert_eq!(world.hook.hits(), hits + 1, "{at} {value}: what was told is not known: {run}");
        if is_set_aside {
            assert_eq!(world.run().expect(2).stderr, "", "{at} {value}");
            assert_eq!(world.hook.hits(), hits + 1, "{at} {value}: it is remembered");
        }
    }
    // Each of the journals that SQLite knows of is one that a run can begin with.
    for (at, value) in [(18, 2), (19, 2), (18, 1)] {
        let mut bytes = sound.clone();
        bytes[at] = value;
        std::fs::write(&path, bytes).unwrap();
        let hits = world.hook.hits();
        assert_eq!(world.run().expect(2).stderr, "", "{at} {value}");
        assert_eq!(world.hook.hits(), hits, "{at} {value}: it is remembered");
    }
    Row {
        fault: "a byte in the head of the store's file is changed, such as its journal or its version".into(),
        store: "SQLite",
        run: "says so, and moves it aside if it is this program's".into(),
        told: "every alert, also what was told before".into(),
        next: "sends nothing".into(),
    }
}

/// It is named once, and costs at the most that its own alert is told once more.
#[test]
fn a_row_that_makes_no_sense_costs_nothing_but_itself() {
    const ALERT: &str = "INSERT INTO alerts (dedup_key, check_id, topic, state, created_at, content)";
    let pending = |topic: &str, content: &str| {
        format!(
            "{ALERT} VALUES ('k', 1, '{topic}', 'pending', 1, '{content}'); INSERT INTO deliveries (dedup_key, channel, run_id, at, \
             status, attempts) VALUES ('k', 'c', 'r', 1, 'failed', 1), ('k', 'd', 'r', 1, 'failed', 1)"
        )
    };
    let of_a = "WHERE check_id = (SELECT check_id FROM checks WHERE name = 'A')";
    let rows = [
        (format!("UPDATE told SET level = 'purple' {of_a}"), "is left alone"),
        (format!("UPDATE told SET balance = 'much' {of_a}"), "is set aside"),
        (format!("UPDATE told SET told_at = 9223372036854775807 {of_a}"), "is set aside"),
        (format!("UPDATE courses SET began_at = 9223372036854775807 {of_a}"), "is set aside"),
        (pending("low", "{"), "is set aside"),
        (pending("low", "{}"), "is left alone"),
        (pending("what", "{}"), "is left alone"),
        (
            "INSERT INTO circuits (host, failures, open_until) VALUES ('h', 3, 9223372036854775807)".into(),
            "is set aside",
        ),
    ];
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for (damage, fate) in &rows {
            let world = World::new(kind, &[("A", 5), ("B", 5)]);
            world.run().expect(2);
            world.sql(damage);
            let mut seen = world.hook.hits();
            let run = world.run().expect(2);
            assert!(run.stderr.contains("a row of the memory of runs") && run.stderr.contains(fate), "{damage}: {run}");
            assert_eq!(run.stderr.lines().count(), 1, "{damage}: {run}");
            let told = world.messages(&mut seen);
            assert!(told.is_empty() || told == ["raised low critical A"], "{damage} on {kind:?}: {told:?}");
            let next = world.run().expect(2);
            assert_eq!(next.stderr, "", "{damage} on {kind:?}: it is named once");
            assert!(world.messages(&mut seen).is_empty(), "{damage} on {kind:?}");
            for question in [["status"], ["history"], ["alerts"]] {
                world.ask(question).expect(0);
            }
        }
    }
}

#[test]
fn programs_of_both_names_can_share_a_folder() {
    // Two stores beside each other: sweeping one's dead runs leaves the other's alone.
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.program.clone().env("BALANCE_ALERT_FAULT", "kill:after-claim").run();
    world.configure(|config: &mut Value| config["projects"] = json!([account("A")]));
    let other: Program = world.program.clone().args(["--state", "state.db2"]);
    other.run().expect(2);
    world.run().expect(2);
    assert_eq!(world.hook.hits(), 2);
}
