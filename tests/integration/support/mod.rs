//! What every test here shares: servers that misbehave on command, a private certificate
//! authority, a proxy, and a runner for the real program. No test, no assertion on `src/`.

pub(crate) mod browser;
pub(crate) mod crypto;
pub(crate) mod daemon;
pub(crate) mod dovecot;
pub(crate) mod exim;
pub(crate) mod freezer;
pub(crate) mod http;
pub(crate) mod hung;
pub(crate) mod imap;
pub(crate) mod listening;
pub(crate) mod pki;
pub(crate) mod port;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod smtp;
pub(crate) mod tmpfs;
pub(crate) mod world;

pub(crate) use http::{Reply, Request, Server};
pub(crate) use port::free_port;
pub(crate) use program::{Finished, Program, project, told};

use serde_json::{Value, json};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// No wait in a test may be longer than this: a hang must become a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Every reason that the report may name.
pub(crate) const REASONS: [&str; 14] = [
    "timeout",
    "dns",
    "connect",
    "tls",
    "auth",
    "rate_limited",
    "http_status",
    "decode",
    "protocol",
    "api",
    "config",
    "circuit_open",
    "cancelled",
    "internal",
];

/// A config without webhooks whose runs are short: no retry, generous timeouts, and no circuit, because many accounts of a
/// test share one host.
pub(crate) fn config(projects: Vec<Value>) -> Value {
    json!({
        "settings": {"max_retries": 0, "request_timeout_seconds": 10, "run_timeout_seconds": 25,
            "circuit_breaker_failures": 0},
        "projects": projects,
    })
}

/// An account of `provider` that is asked at `base`; its threshold is 10.
pub(crate) fn account(name: &str, provider: &str, base: &str) -> Value {
    json!({"name": name, "provider": provider, "api_key": "key-of-the-test:second-half", "threshold": 10, "base_url": base})
}

/// The plainest account there is: one GET with a bearer key.
pub(crate) fn uniapi(name: &str, base: &str) -> Value {
    account(name, "uniapi", base)
}

/// The body that makes a `uniapi` account report `balance`.
pub(crate) fn uniapi_body(balance: &str) -> String {
    format!(r#"{{"success":true,"data":{{"balance":{balance},"used":1.5,"cache_used":0}}}}"#)
}

/// An account that needs no server and is low: 5 of 10 (see `Program::new` for the file).
pub(crate) fn low(name: &str) -> Value {
    from_file(name, ".low")
}

/// An account that needs no server and is fine: 500 of 10.
pub(crate) fn fine(name: &str) -> Value {
    from_file(name, ".fine")
}

/// An account that needs no server and cannot be read.
pub(crate) fn broken(name: &str) -> Value {
    from_file(name, ".no_such_field")
}

/// An account that needs no server and is between its two thresholds.
pub(crate) fn soon(name: &str) -> Value {
    let mut account = from_file(name, ".low");
    account["threshold"] = json!(1);
    account["warning_threshold"] = json!(10);
    account
}

fn from_file(name: &str, expression: &str) -> Value {
    json!({"name": name, "provider": "file", "threshold": 10, "options": {"path": "data.json", "balance": expression}})
}

/// Every string in a JSON value, keys excluded, joined by line feeds: what a reader of a message sees.
pub(crate) fn all_text(value: &Value) -> String {
    fn walk(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
            Value::Object(fields) => fields.values().for_each(|item| walk(item, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, &mut found);
    found.join("\n")
}

/// Holds callers back until enough of them have come, or until `PATIENCE` is over.
pub(crate) struct Gate {
    arrived: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { arrived: Mutex::new(0), changed: Condvar::new() }
    }

    /// Counts one arrival without waiting.
    pub(crate) fn arrive(&self) {
        *self.arrived.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Waits for the `n`th arrival; false when it did not come in time.
    pub(crate) fn wait_for(&self, n: usize) -> bool {
        let guard = self.arrived.lock().unwrap();
        let (guard, _) = self.changed.wait_timeout_while(guard, PATIENCE, |arrived| *arrived < n).unwrap();
        *guard >= n
    }
}
