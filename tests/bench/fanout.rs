//! How near the fan-out comes to the wire: 200 accounts, a provider that answers after 200 ms, 50 workers.
//!
//! `cargo bench` runs the real program as a whole process and prints its wall time against ceil(200/50) x 200 ms. It is
//! a benchmark and not a test: nothing here fails on a slow machine.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ACCOUNTS: usize = 200;
const WORKERS: usize = 50;
const ANSWER: Duration = Duration::from_millis(200);
const RUNS: usize = 5;

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("config.yaml");
    let projects: String = (0..ACCOUNTS)
        .map(|n| {
            format!(
                "  - {{ name: account-{n}, provider: uniapi, api_key: key-{n}, threshold: 1, base_url: 'http://{address}' }}\n"
            )
        })
        .collect();
    std::fs::write(&config, format!("settings: {{ max_concurrent_checks: {WORKERS} }}\nprojects:\n{projects}"))
        .expect("the config is written");

    let limit = ANSWER.as_secs_f64() * ACCOUNTS.div_ceil(WORKERS) as f64;
    let mut ratios: Vec<f64> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let status = Command::new(env!("CARGO_BIN_EXE_balance-alert"))
                .args(["check", "--config"])
                .arg(&config)
                .stdout(Stdio::null())
                .status()
                .expect("the program runs");
            assert!(status.success(), "{status}");
            start.elapsed().as_secs_f64() / limit
        })
        .skip(1)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{ACCOUNTS} accounts, {WORKERS} workers, {} ms answers: wall / ({limit:.1} s) = {:.3} min, {:.3} median, {:.3} max of {RUNS} runs (target 1.15)",
        ANSWER.as_millis(),
        ratios[0],
        ratios[RUNS / 2],
        ratios[RUNS - 1]
    )
    .expect("standard output");
}

/// Answers every request on a connection, each after the same time.
fn serve(stream: TcpStream) {
    let Ok(mut out) = stream.try_clone() else { return };
    let mut lines = BufReader::new(stream).lines();
    let body = r#"{"success":true,"data":{"balance":10.5}}"#;
    loop {
        match lines.next() {
            Some(Ok(line)) if line.is_empty() => {
                std::thread::sleep(ANSWER);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n\r\n{body}"
                );
                if out.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
            Some(Ok(_)) => {}
            _ => return,
        }
    }
}
