//! Servers from Debian's packages, on a free port of loopback; stopped when the test is over, however it ends.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::{PATIENCE, free_port};

/// A server that is running.
pub(crate) struct Daemon {
    pub(crate) port: u16,
    keeper: Child,
}

/// Runs the command until the pipe on standard input ends.
const KEEPER: &str =
    r#"trap '' INT HUP TERM; "$@" </dev/null >/dev/null 2>&1 & exec 2>/dev/null; cat >/dev/null; kill -KILL $!; wait"#;

/// Starts a command that is stopped when the pipe on its standard input is closed.
pub(super) fn keep(command: &[String]) -> Child {
    Command::new("bash").args(["-c", KEEPER, "keeper"]).args(command).stdin(Stdio::piped()).spawn().unwrap()
}

impl Daemon {
    /// Starts a command that listens on the port it is given, and waits until it answers there with a success.
    pub(crate) fn start(command: impl FnOnce(u16) -> Vec<String>, ready: &str) -> Daemon {
        let port = free_port();
        let daemon = Daemon { port, keeper: keep(&command(port)) };
        let begin = Instant::now();
        while ureq::get(daemon.url(ready)).call().is_err() {
            assert!(begin.elapsed() < PATIENCE, "the server starts; tests/run.sh installs it");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        daemon
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The body of a page.
    pub(crate) fn get(&self, path: &str) -> String {
        ureq::get(self.url(path)).call().unwrap().body_mut().read_to_string().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A Pushgateway.
pub(crate) fn pushgateway() -> Daemon {
    // Debian's keeps what it has got in a file, which another one would find.
    let nothing = "--persistence.file=".to_owned();
    let command =
        |port| vec!["prometheus-pushgateway".into(), format!("--web.listen-address=127.0.0.1:{port}"), nothing];
    Daemon::start(command, "/-/ready")
}

/// A Prometheus that knows samples of the past, `OpenMetrics` text with times.
pub(crate) fn prometheus(folder: &Path, samples: &str) -> Daemon {
    let text = folder.join("samples.om");
    let data = folder.join("data");
    let config = folder.join("prometheus.yml");
    std::fs::write(&text, samples).unwrap();
    std::fs::write(&config, "global: {}\n").unwrap();
    let output = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&text, &data])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let (config, data) = (config.display().to_string(), data.display().to_string());
    let command = |port| {
        vec![
            "prometheus".into(),
            format!("--config.file={config}"),
            format!("--storage.tsdb.path={data}"),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=error".into(),
        ]
    };
    Daemon::start(command, "/-/ready")
}
