//! How large the memory of runs grows, and what it costs a run: 10 000 accounts, on SQLite and on PostgreSQL.
//!
//! `cargo bench --bench store` runs the real program as a whole process. It is a benchmark and not a test, but for the one
//! promise that does not depend on the machine: at most 200 bytes a sample on disk.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

#[path = "../integration/support/port.rs"]
mod port;
#[path = "../integration/support/postgres.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod postgres;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use port::free_port;

const ACCOUNTS: usize = 10_000;
const RUNS: usize = 10;
const MOST_BYTES: u64 = 200;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("data.json"), r#"{"balance": 1234.56}"#).expect("the data is written");
    let projects: String = (0..ACCOUNTS)
        .map(|n| {
            format!(
                "  - {{ name: account-{n}, provider: file, threshold: 100, options: {{ path: data.json, balance: .balance }} }}\n"
            )
        })
        .collect();
    std::fs::write(folder.path().join("config.yaml"), format!("projects:\n{projects}")).expect("the config is written");
    let server = postgres::Postgres::shared();
    let database = server.database("");
    let mut admin = server.admin(&database);

    let without = median(|| run(folder.path(), "none"));
    let file = folder.path().join("state.db");
    report("SQLite", without, folder.path(), &file.display().to_string(), || {
        std::fs::metadata(&file).map(|metadata| metadata.len()).unwrap_or_default()
    });
    report("PostgreSQL", without, folder.path(), &server.url(&database), || {
        let sql = "SELECT sum(pg_total_relation_size(c.oid))::int8 FROM pg_class c \
                   JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'balance_alert' AND c.relkind = 'r'";
        u64::try_from(admin.query_one(sql, &[]).expect("the size").get::<_, i64>(0)).unwrap_or_default()
    });
}

fn report(name: &str, without: Duration, folder: &Path, state: &str, mut size: impl FnMut() -> u64) {
    let mut times: Vec<Duration> = Vec::new();
    let mut first = 0;
    for number in 0..RUNS {
        times.push(run(folder, state));
        if number == 0 {
            first = size();
        }
    }
    times.sort();
    let total = size();
    let samples = (ACCOUNTS * RUNS) as u64;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{name}: {ACCOUNTS} accounts, {RUNS} runs: {} bytes a sample ({} after the first run, {} a further one; at most {MOST_BYTES}), \
         a run takes {:.2} of one without memory",
        total.div_ceil(samples),
        first.div_ceil(ACCOUNTS as u64),
        (total - first).div_ceil(samples - ACCOUNTS as u64),
        times[RUNS / 2].as_secs_f64() / without.as_secs_f64(),
    )
    .expect("standard output");
    assert!(total <= samples * MOST_BYTES, "{total} bytes for {samples} samples");
}

fn median(mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..5).map(|_| measure()).collect();
    times.sort();
    times[2]
}

fn run(folder: &Path, state: &str) -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
        .args(["check", "--quiet", "--config"])
        .arg(folder.join("config.yaml"))
        .env("BALANCE_ALERT_STATE", state)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(status.success(), "{status}");
    start.elapsed()
}
