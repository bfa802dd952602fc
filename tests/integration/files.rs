//! The file that runs remember in, and what stands beside it: other kinds of files in their places, what killed runs leave,
//! logs of older versions, and disks that are full from the beginning.

use crate::support::tmpfs::Tmpfs;
use crate::support::world::{Kind, World};
use crate::support::{Gate, Reply, Server};
use serde_json::json;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.program.path(".")).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("state.db"));
    names.sort();
    names
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What is put in a file's place, by its name.
type Stranger = (&'static str, fn(&Path));

/// What can stand where a file is expected.
const STRANGERS: [Stranger; 5] = [
    ("a named pipe", pipe),
    ("a folder", |path| std::fs::create_dir(path).unwrap()),
    ("a socket", |path| std::mem::forget(UnixListener::bind(path).unwrap())),
    ("a link to a device", |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
    ("a link to a named pipe", |path| {
        pipe(&path.with_extension("pipe"));
        std::os::unix::fs::symlink(path.with_extension("pipe"), path).unwrap();
    }),
];

#[test]
fn what_is_no_file_is_named_and_costs_no_alert() {
    // The lock that keeps the metrics of one group in order: its name is a hash.
    let group = "state.db-lock-metrics-";
    for (kind, make) in STRANGERS {
        for name in
            ["state.db", "state.db-journal", "state.db-wal", "state.db-shm", "state.db-run-1", "state.db-repair", group]
        {
            let mut world = World::new(Kind::Sqlite, &[("A", 500)]);
            world.configure(|config| {
                config["metrics"] = json!({"textfile": "metrics.prom"});
                config["settings"]["run_timeout_seconds"] = json!(10);
            });
            world.run().expect(0);
            let name = names(&world)
                .into_iter()
                .find(|there| name == group && there.starts_with(group))
                .unwrap_or(name.into());
            let path = world.program.path(&name);
            let _ = std::fs::remove_file(&path);
            make(&path);
            if name == "state.db-repair" {
                // It is needed when there is something to repair.
                std::fs::write(world.program.path("state.db"), "garbage, garbage, garbage").unwrap();
            }
            world.balance("A", json!(5));
            let run = world.run().expect(2);
            let what = format!("{kind} as {name}");
            assert_eq!(world.messages(&mut 0), ["raised low critical A"], "{what}: {run}");
            assert!(run.stderr.contains("is not a regular file"), "{what}: {run}");
            assert!(run.stderr.contains(name.trim_start_matches("./")), "{what}: {run}");
            assert_eq!(run.stderr.lines().count(), 1, "{what}: {run}");
            let is_kept = name.contains("-run-") || name.contains("-lock-");
            assert_eq!(run.report()["memory"]["status"], if is_kept { "kept" } else { "failed" }, "{what}: {run}");
            assert!(
                std::fs::symlink_metadata(&path).unwrap().file_type()
                    != std::fs::metadata("/proc/self/exe").unwrap().file_type()
            );
        }
    }
}

/// A run that is held while it tells; `meanwhile` gets its process.
fn while_telling(world: &mut World, meanwhile: impl FnOnce(u32)) -> crate::support::Finished {
    let (arrived, leave) = (Arc::new(Gate::new()), Arc::new(Gate::new()));
    let (here, go) = (Arc::clone(&arrived), Arc::clone(&leave));
    let hook = Server::start(move |_| {
        here.arrive();
        go.wait_for(1);
        Reply::ok("")
    });
    let url = json!(hook.url());
    let before = world.config["webhook"]["url"].clone();
    world.configure(|config| config["webhook"]["url"] = url);
    let run = world.program.clone().start();
    assert!(arrived.wait_for(1));
    meanwhile(run.id());
    leave.arrive();
    let run = run.finish();
    world.configure(|config| config["webhook"]["url"] = before);
    run
}

#[test]
fn nothing_is_mapped_that_another_program_could_cut_off() {
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    let folder = world.program.path(".").canonicalize().unwrap();
    let run = while_telling(&mut world, |process| {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        assert!(!maps.contains(folder.to_str().unwrap()), "{maps}");
        for name in ["state.db-shm", "state.db-wal", "state.db-journal"] {
            if let Ok(file) = std::fs::OpenOptions::new().write(true).open(folder.join(name)) {
                file.set_len(0).unwrap();
            }
        }
    });
    assert_eq!((run.code(), run.stderr.as_str()), (2, ""), "{run}");
    assert_eq!(world.run().expect(2).stderr, "");
    assert_eq!(world.hook.hits(), 0, "it was told before");
}

/// Makes a store what older versions made of it: with a write-ahead log.
fn with_log(world: &World) {
    let store = rusqlite::Connection::open(world.program.path("state.db")).unwrap();
    store.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
}

#[test]
fn a_store_with_a_log_is_read_and_converted() {
    let world = World::new(Kind::Sqlite, &[("A", 5), ("B", 500)]);
    world.run().expect(2);
    with_log(&world);
    // Who asks changes nothing.
    assert!(world.ask(["status"]).expect(0).stdout.contains(" low     A  "));
    assert_eq!(std::fs::read(world.program.path("state.db")).unwrap()[18], 2, "as it was");
    // A run of an older version was killed: what it wrote last stands in the log alone.
    let store = rusqlite::Connection::open(world.program.path("state.db")).unwrap();
    store.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE runs SET id = 'from-the-log'").unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        std::fs::copy(world.program.path(name), world.program.path(&format!("copy-{name}"))).unwrap();
    }
    drop(store);
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        std::fs::rename(world.program.path(&format!("copy-{name}")), world.program.path(name)).unwrap();
    }
    world.balance("B", json!(5));
    let running: Vec<_> = (0..8).map(|_| world.program.clone().start()).collect();
    for run in running {
        assert_eq!(run.finish().expect(2).stderr, "");
    }
    let told = world.messages(&mut 0);
    assert_eq!(told, ["raised low critical A", "raised low critical B"], "each once");
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE id = 'from-the-log'"), 1);
    assert_eq!(std::fs::read(world.program.path("state.db")).unwrap()[18], 1, "converted");
    assert_eq!(names(&world), ["state.db", "state.db-journal"]);
    assert_eq!(std::fs::metadata(world.program.path("state.db-journal")).unwrap().len(), 0);
}

#[test]
fn a_log_of_another_program_is_left_as_it_is() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    let path = world.program.path("state.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    other.execute_batch("CREATE TABLE notes (text)").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let run = world.run().expect(2);
    assert!(run.stderr.contains("the database of another program"), "{run}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_disk_that_is_full_from_the_beginning_is_no_damage() {
    for free in (0..=320).step_by(4) {
        let disk = Tmpfs::mount(1024);
        disk.leave(free);
        let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
        let path = disk.path().join("state.db").display().to_string();
        world.configure(|config| config["state"] = json!({ "path": path }));
        for round in 1..=2 {
            let run = world.run().expect(2);
            let names: Vec<String> = std::fs::read_dir(disk.path())
                .unwrap()
                .flatten()
                .map(|e| e.file_name().into_string().unwrap())
                .collect();
            assert!(!names.iter().any(|name| name.contains("damaged")), "{free} KiB, run {round}: {names:?} {run}");
            if run.report()["memory"]["status"] == "kept" {
                break;
            }
            assert!(run.stderr.contains("no space is left on the device"), "{free} KiB, run {round}: {run}");
            assert_eq!(run.stderr.lines().count(), 1, "{free} KiB: {run}");
            assert_eq!(world.hook.hits(), round, "{free} KiB: {run}");
        }
        disk.empty();
        assert_eq!(world.run().expect(2).stderr, "", "{free} KiB: there is room again");
    }
}

#[test]
fn only_so_many_damaged_stores_are_kept() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    world.run().expect(2);
    std::fs::write(world.program.path("state.db.damaged-by-hand"), "mine").unwrap();
    for round in 1..=6 {
        std::fs::write(world.program.path("state.db"), format!("garbage {round}")).unwrap();
        std::fs::write(world.program.path("state.db-journal"), "a journal").unwrap();
        let run = world.run().expect(2);
        assert_eq!(run.stderr.contains("the oldest of those that were kept before is removed"), round > 3, "{run}");
        assert_eq!(run.stderr.lines().count(), 1, "{run}");
    }
    let kept: Vec<String> = names(&world).into_iter().filter(|name| name.contains(".damaged-2")).collect();
    let stores: Vec<&String> = kept.iter().filter(|name| !name.ends_with("-journal")).collect();
    let contents: Vec<String> =
        stores.iter().map(|name| std::fs::read_to_string(world.program.path(name)).unwrap()).collect();
    assert_eq!(contents, ["garbage 4", "garbage 5", "garbage 6"], "{kept:?}");
    assert_eq!(kept.len(), 6, "each with its journal: {kept:?}");
    assert!(names(&world).contains(&"state.db.damaged-by-hand".to_owned()), "what somebody else made stays");
}

#[test]
fn what_a_killed_run_leaves_goes_with_the_next_run() {
    let world = World::new(Kind::Sqlite, &[("A", 5)]);
    for point in ["in-claim", "after-claim", "in-mark"] {
        world.balance("A", json!(5));
        world.program.clone().env("BALANCE_ALERT_FAULT", &format!("kill:{point}")).run();
        assert!(names(&world).iter().any(|name| name.contains("-run-")), "{point}");
        // One that has nothing to tell.
        world.balance("A", json!("?"));
        world.sql("DELETE FROM alerts");
        world.run().expect(3);
        assert_eq!(names(&world), ["state.db", "state.db-journal"], "{point}");
    }
    // Those of runs that live stay, and so does what is none of ours.
    let other = std::fs::File::create(world.program.path("state.db-run-7")).unwrap();
    other.lock().unwrap();
    std::fs::write(world.program.path("state.db-run-notes"), "mine").unwrap();
    world.run().expect(3);
    assert_eq!(names(&world), ["state.db", "state.db-journal", "state.db-run-7", "state.db-run-notes"]);
}

#[test]
fn a_link_to_the_store_is_the_store() {
    let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
    std::fs::create_dir(world.program.path("real")).unwrap();
    std::os::unix::fs::symlink("real/store.db", world.program.path("state.db")).unwrap();
    world.run().expect(2);
    // A run that looks at the file itself sees that the other one lives.
    let direct = world.program.clone().args(["--state", "real/store.db"]);
    let run = while_telling_again(&mut world, || assert_eq!(direct.run().expect(2).stderr, ""));
    assert_eq!(run.stderr, "", "{run}");
    assert_eq!(world.hook.hits(), 1, "what another run is telling is left to it");
    std::fs::write(world.program.path("real/store.db"), "garbage").unwrap();
    let run = world.run().expect(2);
    assert!(run.stderr.contains("real/store.db.damaged-"), "{run}");
    assert!(std::fs::symlink_metadata(world.program.path("state.db")).unwrap().is_symlink());
    assert_eq!(world.run().expect(2).stderr, "");
}

fn while_telling_again(world: &mut World, meanwhile: impl FnOnce()) -> crate::support::Finished {
    world.sql("DELETE FROM told; DELETE FROM courses");
    while_telling(world, |_| meanwhile())
}
