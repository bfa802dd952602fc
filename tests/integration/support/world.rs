//! One installation through many runs: accounts whose balances move, a receiver that can be down, a store of either kind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::postgres::Postgres;
use super::{Finished, Program, Reply, Server};

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }
}

/// One installation.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    pub(crate) config: Value,
    pub(crate) hook: Server,
    is_up: Arc<AtomicBool>,
    balances: Mutex<BTreeMap<String, Value>>,
    /// The name of the database, for PostgreSQL.
    pub(crate) database: String,
}

impl World {
    /// Accounts with a threshold of 10, and a `custom` channel that is up.
    pub(crate) fn new(kind: Kind, accounts: &[(&str, i64)]) -> World {
        World::in_database(kind, accounts, "")
    }

    pub(crate) fn in_database(kind: Kind, accounts: &[(&str, i64)], more: &str) -> World {
        let is_up = Arc::new(AtomicBool::new(true));
        let up = Arc::clone(&is_up);
        let hook =
            Server::start(move |_| if up.load(Ordering::SeqCst) { Reply::ok("") } else { Reply::status(400, "") });
        let database = match kind {
            Kind::Sqlite => String::new(),
            Kind::Postgres => Postgres::shared().database(more),
        };
        let projects: Vec<Value> = accounts.iter().map(|(name, _)| account(name)).collect();
        let config = json!({
            "settings": {"max_retries": 0, "request_timeout_seconds": 10, "run_timeout_seconds": 25},
            "state": match kind {
                Kind::Sqlite => json!({"path": "state.db"}),
                Kind::Postgres => json!({"url": Postgres::shared().url(&database)}),
            },
            "webhook": {"type": "custom", "url": hook.url()},
            "projects": projects,
        });
        let program = Program::check_json(&config);
        let world = World { kind, program, config, hook, is_up, balances: Mutex::new(BTreeMap::new()), database };
        for (name, balance) in accounts {
            world.balance(name, json!(balance));
        }
        world
    }

    /// What an account holds from now on; text that is no number cannot be read.
    pub(crate) fn balance(&self, name: &str, balance: Value) {
        let mut balances = self.balances.lock().unwrap();
        balances.insert(name.to_owned(), balance);
        std::fs::write(self.program.path("data.json"), json!(*balances).to_string()).unwrap();
    }

    /// Whether the receiver takes messages from now on.
    pub(crate) fn channel(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }

    /// Changes the config.
    pub(crate) fn configure(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
        std::fs::write(self.program.path("config.yaml"), self.config.to_string()).unwrap();
    }

    pub(crate) fn run(&self) -> Finished {
        self.program.clone().run()
    }

    /// Another command over the same config.
    pub(crate) fn ask<const N: usize>(&self, args: [&str; N]) -> Finished {
        let config = self.program.path("config.yaml").display().to_string();
        self.program.instead(args).args(["--config", &config]).run()
    }

    /// What the receiver has got since the last time, taken or refused: `raised low critical NAME`.
    pub(crate) fn messages(&self, seen: &mut usize) -> Vec<String> {
        let requests = self.hook.requests();
        let new = requests.iter().skip(*seen).flat_map(|request| {
            let resources = request.json()["Resources"].as_array().unwrap().clone();
            resources.into_iter().map(|one| {
                let word = |key: &str| one[key].as_str().unwrap().to_owned();
                format!("{} {} {} {}", word("Event"), word("Topic"), word("Level"), word("ProjectName"))
            })
        });
        let new = new.collect();
        *seen = requests.len();
        new
    }

    /// The dedup keys of all that the receiver has got, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let requests = self.hook.requests();
        let resources = requests.iter().flat_map(|request| request.json()["Resources"].as_array().unwrap().clone());
        resources.map(|one| one["DedupKey"].as_str().unwrap().to_owned()).collect()
    }

    /// Changes the store behind the program's back, for example to make it older than it is.
    pub(crate) fn sql(&self, statements: &str) {
        match self.kind {
            Kind::Sqlite => {
                let store = rusqlite::Connection::open(self.program.path("state.db")).unwrap();
                store.execute_batch(statements).unwrap();
            }
            Kind::Postgres => {
                let mut client = Postgres::shared().admin(&self.database);
                client.batch_execute(&format!("SET search_path TO balance_alert; {statements}")).unwrap();
            }
        }
    }

    /// A number from the store.
    pub(crate) fn count(&self, query: &str) -> i64 {
        match self.kind {
            Kind::Sqlite => {
                let store = rusqlite::Connection::open(self.program.path("state.db")).unwrap();
                store.query_row(query, [], |row| row.get(0)).unwrap()
            }
            Kind::Postgres => {
                let mut client = Postgres::shared().admin(&self.database);
                client.batch_execute("SET search_path TO balance_alert").unwrap();
                client.query_one(query, &[]).unwrap().get(0)
            }
        }
    }

    /// Lets time pass, as far as what was told is concerned, and what is owed.
    pub(crate) fn pass(&self, seconds: i64) {
        let milliseconds = seconds * 1000;
        self.sql(&format!(
            "UPDATE told SET told_at = told_at - {milliseconds}, anchor_at = anchor_at - {milliseconds}; \
             UPDATE courses SET began_at = began_at - {milliseconds}, calm_since = calm_since - {milliseconds}, \
             over_at = over_at - {milliseconds}, muted_at = muted_at - {milliseconds}; \
             UPDATE mutes SET made_at = made_at - {milliseconds}, ends_at = ends_at - {milliseconds}; \
             UPDATE deliveries SET at = at - {milliseconds}"
        ));
    }
}

impl World {
    /// The version of the store's schema.
    pub(crate) fn version(&self) -> i64 {
        self.count(match self.kind {
            Kind::Sqlite => "SELECT user_version FROM pragma_user_version",
            Kind::Postgres => "SELECT value::int8 FROM facts WHERE name = 'schema_version'",
        })
    }

    /// Makes the store say that it is of this version, without any other change.
    pub(crate) fn set_version(&self, version: i64) {
        self.sql(&match self.kind {
            Kind::Sqlite => format!("PRAGMA user_version = {version}"),
            Kind::Postgres => format!("UPDATE facts SET value = '{version}' WHERE name = 'schema_version'"),
        });
    }

    /// Makes the store one of an older version, 2 to 4, with all that such a version keeps.
    pub(crate) fn age(&self, version: u32) {
        // Then a message that one channel had taken was sent, and one entry stood for all channels.
        self.sql(
            "CREATE TABLE conditions (check_id BIGINT NOT NULL, topic TEXT NOT NULL, told_at BIGINT NOT NULL, \
             level TEXT NOT NULL, balance TEXT, threshold TEXT, mark TEXT NOT NULL, PRIMARY KEY (check_id, topic)); \
             INSERT INTO conditions SELECT check_id, topic, max(told_at), max(level), max(balance), max(threshold), \
             max(mark) FROM told WHERE told_at IS NOT NULL GROUP BY check_id, topic; \
             UPDATE alerts SET claimed_by = NULL, claimed_until = NULL, state = 'sent' WHERE dedup_key IN \
             (SELECT dedup_key FROM deliveries WHERE status = 'sent'); \
             DELETE FROM deliveries WHERE status NOT IN ('sent', 'failed'); \
             DROP TABLE told; DROP TABLE courses; DROP TABLE mail_marks; DROP TABLE mail_readings; DROP TABLE mutes; DROP TABLE answers; ALTER TABLE samples DROP COLUMN currency; \
             ALTER TABLE readings DROP COLUMN beside; \
             ALTER TABLE deliveries DROP COLUMN doubts; ALTER TABLE deliveries DROP COLUMN lost; \
             ALTER TABLE deliveries DROP COLUMN refusals; \
             DROP INDEX runs_by_schedule; ALTER TABLE runs DROP COLUMN schedule; \
             ALTER TABLE checks DROP COLUMN credits; DROP TABLE payments; DROP TABLE renewals; DROP TABLE digests; \
             ALTER TABLE samples DROP COLUMN merged",
        );
        if self.kind == Kind::Postgres {
            self.sql("ALTER TABLE conditions OWNER TO balance");
        }
        if version < 4 {
            self.sql(
                "ALTER TABLE runs DROP COLUMN unusable_channels; ALTER TABLE circuits DROP COLUMN reason; \
                 ALTER TABLE circuits DROP COLUMN message",
            );
        }
        if version < 3 {
            self.sql("ALTER TABLE runs DROP COLUMN shard");
        }
        self.set_version(version.into());
    }
}

/// An account that is read from `data.json`.
pub(crate) fn account(name: &str) -> Value {
    json!({"name": name, "provider": "file", "threshold": 10,
        "options": {"path": "data.json", "balance": format!(".[{}]", json!(name))}})
}

/// Runs tests on SQLite and on PostgreSQL. Whoever uses it has [`Kind`] at hand.
macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(super::Kind::Sqlite); })+
        }
        mod postgres {
            $(#[test] fn $name() { super::$name(super::Kind::Postgres); })+
        }
    };
}

pub(crate) use on_both;
