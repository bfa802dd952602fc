//! What becomes of alerts when something breaks. Each fault is made for real, on both stores where it concerns both, and
//! what happened is a row of `tests/faults.md`: the table is written by these tests (`UPDATE_FIXTURES=1`) and must not change
//! unseen.

use crate::support::postgres::Postgres;
use crate::support::tmpfs::Tmpfs;
use crate::support::world::{Kind, World, account};
use crate::support::{Gate, Program, Reply, Server, uniapi, uniapi_body};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One fault on one store, and what became of it.
struct Row {
    fault: String,
    store: &'static str,
    /// How the run with the fault ended.
    run: String,
    /// What the receiver got from it.
    told: String,
    /// What it got from the next run, which has no fault.
    next: String,
}

#[test]
fn the_table_of_faults_is_what_happens() {
    let mut rows: Vec<Row> = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        rows.extend(KILLS.iter().map(|kill| killed(kind, kill)));
        rows.extend([killed_twice(kind), eight_at_once(kind), eight_first_runs_at_once(kind), full_disk(kind)]);
    }
    rows.extend([truncated(), truncated_log(), removed(), hung(), gone(), read_only()]);
    rows.sort_by(|a, b| a.fault.cmp(&b.fault).then(b.store.cmp(a.store)));
    let mut table = String::from(
        "# Faults and what becomes of alerts\n\n\
         Written by `tests/integration/faults.rs`, which makes each of these faults for real; `UPDATE_FIXTURES=1` writes it anew.\n\
         \"Same key\" means that a receiver can see, by `DedupKey`, that the message is a repetition.\n\n\
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
        let kept: Vec<&String> =
            kept.iter().filter(|file| !file.ends_with("-wal") && !file.ends_with("-shm")).collect();
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
    // A run that was killed leaves its log beside the store.
    cut("state.db-wal", |world| {
        world.program.clone().env("BALANCE_ALERT_FAULT", "kill:after-claim").run();
    });
    Row {
        fault: "the log of a killed run is cut off at 20 random lengths".into(),
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

/// A disk without room: an old alert is still known, a new one is sent in every run until there is room.
fn full_disk(kind: Kind) -> Row {
    let disk = Tmpfs::mount(if kind == Kind::Sqlite { 1024 } else { 24 * 1024 });
    let mut world;
    match kind {
        Kind::Sqlite => {
            world = World::new(kind, &[("Old", 5), ("New", 500)]);
            let path = disk.path().join("state.db").display().to_string();
            world.configure(|config| config["state"] = json!({ "path": path }));
        }
        Kind::Postgres => {
            let place = disk.folder_of_postgres();
            let space = format!("space{}", fastrand::u32(..));
            let mut admin = Postgres::shared().admin("postgres");
            let place = place.display();
            admin.batch_execute(&format!("CREATE TABLESPACE {space} OWNER balance LOCATION '{place}'")).unwrap();
            world = World::in_database(kind, &[("Old", 5), ("New", 500)], &format!("TABLESPACE {space}"));
        }
    }
    world.run().expect(2);
    let mut seen = 1;
    match kind {
        Kind::Sqlite => disk.fill(),
        Kind::Postgres => {
            disk.fill();
            // Rows until the pages that were there are full as well.
            let mut admin = Postgres::shared().admin(&world.database);
            let filler = "INSERT INTO balance_alert.samples SELECT n, n, 'ok' FROM generate_series(1, 100000) n";
            assert!(admin.batch_execute(filler).is_err(), "the disk is full");
            let filler = "DO $$ BEGIN FOR n IN 1..100000 LOOP INSERT INTO balance_alert.samples VALUES (n, n, 'ok'); \
                          COMMIT; END LOOP; END $$";
            assert!(admin.batch_execute(filler).is_err(), "the disk is full");
        }
    }
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
    if kind == Kind::Postgres {
        let mut admin = Postgres::shared().admin("postgres");
        admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", world.database)).unwrap();
        let spaces = admin.query("SELECT spcname FROM pg_tablespace WHERE spcname LIKE 'space%'", &[]).unwrap();
        spaces.iter().for_each(|row| {
            admin.batch_execute(&format!("DROP TABLESPACE {}", row.get::<_, String>(0))).unwrap();
        });
    }
    Row {
        fault: "the disk is full".into(),
        store: kind.name(),
        run: "says so and goes on".into(),
        told: "the new alert, in every run while it is full; not what was told before".into(),
        next: "sends it once more when there is room, then nothing".into(),
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
    assert!(run.stderr.contains("it cannot be written: no right to, or a read-only medium"), "{run}");
    assert_eq!(run.stderr.trim().lines().count(), 1, "{run}");
    assert_eq!(world.messages(&mut seen), ["raised low critical New"], "{run}");
    let status = world.ask(["status"]).expect(0);
    assert!(status.stdout.contains("New"), "it can be asked: {status}");
    Row {
        fault: "the store is on a read-only medium".into(),
        store: "SQLite",
        run: "says so and goes on".into(),
        told: "the new alert; not what was told before".into(),
        next: "the same while it lasts".into(),
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
        }
    }
}

#[test]
fn a_table_of_a_store_that_is_gone_is_damage_too() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    for damage in [
        "DROP TABLE samples",
        "DROP TABLE alerts",
        "UPDATE conditions SET level = 'purple'",
        "UPDATE conditions SET balance = 'much'",
        "UPDATE conditions SET told_at = 9223372036854775807",
        "INSERT INTO alerts VALUES ('k', 1, 'low', 'pending', 1, NULL, NULL, NULL, '{')",
        "INSERT INTO alerts VALUES ('k', 1, 'what', 'pending', 1, NULL, NULL, NULL, '{}')",
    ] {
        world.sql(damage);
        let run = world.run().expect(2);
        assert!(run.stderr.contains(".damaged-"), "{damage}: {run}");
        assert_eq!(world.run().expect(2).stderr, "", "{damage}");
        for file in files(&world.program.path(".")).iter().filter(|file| file.contains(".damaged-")) {
            std::fs::remove_file(world.program.path(file)).unwrap();
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
