//! A mailbox with 20 000 mails on a real Dovecot: the first look at all of them, and the next run, which has nothing to read.
//!
//! `cargo bench --bench mailbox` runs the real program as a whole process and prints its wall time, CPU time and largest memory.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

#[path = "../integration/support/dovecot.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod dovecot;
#[path = "../integration/support/pki.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod pki;
#[path = "../integration/support/port.rs"]
mod port;

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use dovecot::{Dovecot, PASSWORD, USER};
use port::free_port;

const MAILS: usize = 20_000;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() {
    let server = Dovecot::good();
    server.deliver_all((0..MAILS).map(|n| {
        let subject = if n % 1000 == 0 { "Payment failed" } else { "Weekly news" };
        let words = "Nothing of note happened. ".repeat(100);
        let mail = format!("From: b@x.example\r\nMessage-ID: <{n}@x>\r\nSubject: {subject}\r\n\r\n{words}\r\n");
        (format!("{n:06}.x"), mail.into_bytes())
    }));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = serde_json::json!({
        "state": {"path": "state.db"},
        "email": {"name": "large", "host": "127.0.0.1", "port": server.plain, "use_ssl": false, "username": USER, "password": PASSWORD},
        "email_settings": {"max_emails": MAILS},
    });
    std::fs::write(folder.path().join("config.yaml"), config.to_string()).expect("the config is written");
    let mut out = std::io::stdout().lock();
    for what in ["the first run", "the second run", "the third run"] {
        let output = Command::new("bash")
            .args([
                "-c",
                "TIMEFORMAT='%R s wall, %U s user, %S s system'; time \"$0\" check --config \"$1\" --output json",
            ])
            .arg(env!("CARGO_BIN_EXE_balance-alert"))
            .arg(folder.path().join("config.yaml"))
            .output()
            .expect("the program runs");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        let entry = &report["mailboxes"][0];
        let times = String::from_utf8_lossy(&output.stderr);
        writeln!(out, "{MAILS} mails, {what}: {} read, {} alerts, {}", entry["scanned"], entry["new"], times.trim())
            .expect("standard output");
        assert_ne!(entry["status"], "failed", "{entry}");
    }
}
