//! A store that stops answering, at every moment of a run at which it is asked: the alert goes out all the same, and the run
//! is over in time.

use crate::faults::Row;
use crate::support::freezer::Freezer;
use crate::support::postgres::Postgres;
use crate::support::world::{Kind, World};
use crate::support::{Finished, Reply, Server, uniapi};
use serde_json::json;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The run's time. Long, so that a slow machine does not decide.
const TIME: Duration = Duration::from_secs(12);
/// After its time a run is over by then, whatever hangs.
const MARGIN: Duration = Duration::from_secs(2);
/// After a signal it is over by then.
const GONE: Duration = Duration::from_secs(10);

/// A moment at which a store stops answering.
struct Moment {
    name: &'static str,
    /// Where the program's thread for the store stops, in builds for tests.
    point: &'static str,
    /// What the program would send to PostgreSQL next, and for which time.
    statement: (&'static [u8], usize),
    /// What becomes of the message in the run after it.
    next: Next,
    /// Whether the run knows that it is not remembered.
    is_noticed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is sent again, as if the run had not been.
    Again,
    /// It is sent again with the same key.
    Repeated,
    /// Nothing is sent.
    Silent,
}

const MOMENTS: [Moment; 11] = [
    Moment { name: "is opened", point: "in-open", statement: (b"", 1), next: Next::Again, is_noticed: true },
    Moment {
        name: "has let the run in",
        point: "in-open",
        statement: (b"SET search_path", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is read",
        point: "in-snapshot",
        statement: (b"FROM circuits", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is asked for the run before",
        point: "in-previous-start",
        statement: (b"is_partial = 0 ORDER BY run DESC", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is asked for the past of the accounts",
        point: "in-recent",
        statement: (b"s.check_id BETWEEN", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is to be locked for deciding",
        point: "in-claim-begin",
        statement: (b"pg_advisory_xact_lock", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is inside the transaction that decides",
        point: "in-claim",
        statement: (b"INSERT INTO samples", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is to keep what was decided",
        point: "in-claim",
        statement: (b"COMMIT", 1),
        next: Next::Again,
        is_noticed: true,
    },
    Moment {
        name: "is inside the transaction that marks",
        point: "in-mark",
        statement: (b"UPDATE runs SET finished_at", 1),
        next: Next::Repeated,
        is_noticed: true,
    },
    Moment {
        name: "is asked for the sums",
        point: "in-sums",
        // The first number of the locks that `src/state/postgres.rs` takes: 0x4241.
        statement: (b"pg_advisory_lock(16961", 1),
        next: Next::Silent,
        is_noticed: false,
    },
    Moment {
        name: "is closed",
        point: "in-close",
        statement: (b"X\0\0\0\x04", 1),
        next: Next::Silent,
        is_noticed: false,
    },
];

/// An account that was fine in the run before and is low now.
fn about_to_tell(kind: Kind) -> World {
    let mut world = World::new(kind, &[("A", 500)]);
    world.configure(|config| {
        config["settings"]["run_timeout_seconds"] = json!(TIME.as_secs());
        config["settings"]["balance_refresh_interval_seconds"] = json!(300);
        config["metrics"] = json!({"textfile": "metrics.prom"});
    });
    world.run().expect(0);
    world.balance("A", json!(5));
    world
}

/// A run whose store hangs at a moment, with or without a signal then.
fn run_that_hangs(world: &World, moment: &Moment, signal: Option<(&str, i32)>, what: &str) -> Finished {
    let shared = matches!(world.kind, Kind::Postgres).then(Postgres::shared);
    let freezer = shared.map(|server| Freezer::before(server.port(), moment.statement.0, moment.statement.1));
    let mut program = world.program.clone();
    match (&freezer, shared) {
        (Some(freezer), Some(server)) => {
            let url = server.url_through(freezer.port(), &world.database);
            program = program.env("BALANCE_ALERT_STATE", &url);
        }
        _ => program = program.env("BALANCE_ALERT_FAULT", &format!("hang:{}", moment.point)),
    }
    let run = program.start();
    let mut since = None;
    if let (Some((signal, _)), Some(freezer)) = (signal, &freezer) {
        freezer.wait();
        since = Some(Instant::now());
        run.signal(signal);
    }
    let run = run.finish();
    let want = signal.map_or(2, |(_, code)| code);
    // When the store is closed, all is told and marked: a signal then may find the run at its end.
    let is_at_end = moment.point == "in-close" && run.code() == 2;
    assert!(run.code() == want || is_at_end, "{what}: {run}");
    match since {
        Some(since) => assert!(since.elapsed() < GONE, "{what}: {run}"),
        None => assert!(run.elapsed < TIME + MARGIN, "{what}: {run}"),
    }
    if moment.is_noticed {
        assert_eq!(run.report()["memory"]["status"], "failed", "{what}: {run}");
        let warnings = run.stderr.lines().filter(|line| line.contains("memory of runs")).count();
        assert_eq!(warnings, 1, "{what}: {run}");
    }
    run
}

/// Ends what the server still keeps of a run: it notices late that nobody is there any more.
fn end_connections(world: &World) {
    if world.kind == Kind::Postgres {
        let sql =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
        Postgres::shared().admin("postgres").execute(sql, &[&world.database]).unwrap();
    }
}

/// Makes a store hang at one moment of a run, with or without a signal then. Gives how often the message came in that run and
/// in the next one.
fn hung(kind: Kind, moment: &Moment, signal: Option<(&str, i32)>) -> (usize, usize) {
    let what = format!("{kind:?} {} {signal:?}", moment.name);
    let world = about_to_tell(kind);
    let run = run_that_hangs(&world, moment, signal, &what);
    let keys = world.keys();
    let told = keys.len();
    end_connections(&world);
    let next = world.run().expect(2);
    assert_eq!(next.stderr, "", "{what}: {next}");
    let again = world.keys().len() - told;
    if moment.next == Next::Repeated {
        assert_eq!(world.keys()[told..], keys[..], "{what}: {run} {next}");
    }
    let want = usize::from(moment.next != Next::Silent);
    // Whoever had no time to learn what was told before tells nothing; the next run does.
    let is_told = signal.is_none() || told > 0;
    assert!(!is_told || again == want, "{what}: {told} and {again}: {run} {next}");
    assert!(told + again > 0, "{what}: the alert is lost: {run} {next}");
    world.run().expect(2);
    assert_eq!(world.keys().len(), told + again, "{what}: and then it is told");
    (told, again)
}

/// One case: which store, when, and the signal that comes then.
type Case = (Kind, &'static Moment, Option<(&'static str, i32)>);

/// Goes through the cases, a few at once: so many that the waits are shared, and so few that the machine keeps up.
fn each(cases: &[Case], work: impl Fn(&Case) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    work(case);
                }
            });
        }
    });
}

#[test]
fn a_store_that_hangs_when_a_signal_comes_loses_no_alert_and_no_time() {
    let signals = [("TERM", 143), ("INT", 130)];
    let cases: Vec<Case> = MOMENTS
        .iter()
        .zip(signals.iter().cycle())
        .map(|(moment, signal)| (Kind::Postgres, moment, Some(*signal)))
        .collect();
    each(&cases, |(kind, moment, signal)| {
        hung(*kind, moment, *signal);
    });
}

/// The rows of the table of faults: a store that hangs costs no alert and no time.
pub(crate) fn rows() -> Vec<Row> {
    let rows = Mutex::new(Vec::new());
    // Where PostgreSQL is asked twice at one place of the program, that place has one row for SQLite.
    let is_row = |kind: Kind, moment: &Moment| {
        kind == Kind::Postgres || !matches!(moment.statement.0, b"SET search_path" | b"COMMIT")
    };
    let cases: Vec<Case> = MOMENTS
        .iter()
        .flat_map(|moment| [Kind::Sqlite, Kind::Postgres].map(|kind| (kind, moment, None)))
        .filter(|(kind, moment, _)| is_row(*kind, moment))
        .collect();
    each(&cases, |(kind, moment, _)| {
        let (told, _) = hung(*kind, moment, None);
        rows.lock().unwrap().push(row(*kind, moment, told));
    });
    rows.into_inner().unwrap()
}

fn row(kind: Kind, moment: &Moment, told: usize) -> Row {
    assert_eq!(told, 1, "{kind:?} {}", moment.name);
    Row {
        fault: format!("the store hangs when it {}", moment.name),
        store: kind.name(),
        run: match moment.is_noticed {
            true => "says so and is over in time".into(),
            false => "is over in time".into(),
        },
        told: "the alert".into(),
        next: match moment.next {
            Next::Again => "sends the alert, if the store answers".into(),
            Next::Repeated => "sends the alert, same key, if the store answers".into(),
            Next::Silent => "sends nothing".into(),
        },
    }
}

/// Keeps the file of a world locked as another program would that hangs.
fn locked(world: &World) -> rusqlite::Connection {
    lock(&world.program.path("state.db"))
}

fn lock(path: &Path) -> rusqlite::Connection {
    let other = rusqlite::Connection::open(path).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    other
}

fn in_time(run: &Finished, what: &str) {
    assert!(run.elapsed < TIME + MARGIN, "{what}: {run}");
    assert!(run.stderr.contains("other runs kept it locked for too long"), "{what}: {run}");
}

#[test]
fn a_file_that_another_program_keeps_locked_costs_no_alert_and_no_time() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
            world.configure(|config| config["settings"]["run_timeout_seconds"] = json!(TIME.as_secs()));
            world.run().expect(2);
            let _lock = locked(&world);
            in_time(&world.run().expect(2), "before the run");
            assert_eq!(world.hook.hits(), 2, "what was told before is not known");
        });
        scope.spawn(|| {
            // From before deciding on; the checks take all of their time as well.
            let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
            let lock_at = world.program.path("state.db");
            let lock_of = Mutex::new(None);
            let provider = Server::start(move |_| {
                *lock_of.lock().unwrap() = Some(lock(&lock_at));
                Reply::hang()
            });
            world.configure(|config| {
                config["settings"]["run_timeout_seconds"] = json!(TIME.as_secs());
                config["projects"].as_array_mut().unwrap().push(uniapi("Slow", &provider.url()));
            });
            in_time(&world.run().expect(2), "while it looks");
            assert_eq!(world.messages(&mut 0), ["raised low critical A"]);
        });
        scope.spawn(|| {
            let mut world = World::new(Kind::Sqlite, &[("A", 5)]);
            let lock_at = world.program.path("state.db");
            let lock_of = Mutex::new(None);
            let hook = Server::start(move |_| {
                *lock_of.lock().unwrap() = Some(lock(&lock_at));
                Reply::ok("")
            });
            world.configure(|config| {
                config["settings"]["run_timeout_seconds"] = json!(TIME.as_secs());
                config["webhook"]["url"] = json!(hook.url());
            });
            in_time(&world.run().expect(2), "while it tells");
            assert_eq!(hook.hits(), 1);
        });
    });
}

/// All at once: the checks take all of their time, the store hangs when it is to decide, and the channel hangs too.
#[test]
fn everything_that_hangs_at_once_ends_in_time() {
    let server = Postgres::shared();
    let provider = Server::start(|_| Reply::hang());
    let hook = Server::start(|_| Reply::hang());
    let mut world = World::new(Kind::Postgres, &[("A", 500)]);
    world.configure(|config| config["settings"]["run_timeout_seconds"] = json!(TIME.as_secs()));
    world.run().expect(0);
    world.balance("A", json!(5));
    world.configure(|config| {
        config["projects"].as_array_mut().unwrap().push(uniapi("Slow", &provider.url()));
        config["webhook"]["url"] = json!(hook.url());
        config["metrics"] = json!({"pushgateway": {"url": provider.url()}});
    });
    for pattern in [&b"pg_advisory_xact_lock"[..], b"COMMIT"] {
        let freezer = Freezer::before(server.port(), pattern, 1);
        let hits = hook.hits();
        let url = server.url_through(freezer.port(), &world.database);
        let run = world.program.clone().env("BALANCE_ALERT_STATE", &url).run().expect(75);
        assert!(run.elapsed < TIME + MARGIN, "{run}");
        assert_eq!(hook.hits(), hits + 1, "the channel was asked: {run}");
    }
}
