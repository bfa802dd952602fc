//! Runs the real program in a fresh directory with a clean environment, and never for longer
//! than a test can afford.

use serde_json::Value;
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// One run, being prepared. A clone runs in the same directory, so that a run finds what another one left. `Program::check` and the others choose the subcommand.
#[derive(Clone)]
pub(crate) struct Program {
    dir: Arc<TempDir>,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    stdin: Option<String>,
    is_unread: bool,
    /// The command that starts it, if it is not started as it is.
    starter: Vec<String>,
    full: Vec<Stream>,
}

/// The streams of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Program {
    /// `balance-alert ARGS`, in a directory that holds `data.json` for the `file` provider.
    pub(crate) fn new<const N: usize>(args: [&str; N]) -> Self {
        let dir = Arc::new(TempDir::new().unwrap());
        fs::write(dir.path().join("data.json"), r#"{"low": 5, "fine": 500}"#).unwrap();
        let args = args.map(String::from).to_vec();
        Self {
            dir,
            args,
            environment: Vec::new(),
            stdin: None,
            is_unread: false,
            starter: Vec::new(),
            full: Vec::new(),
        }
    }

    /// `balance-alert check --config <dir>/config.yaml` with this config. JSON is YAML.
    pub(crate) fn check(config: &Value) -> Self {
        Self::check_text(&format!("{config:#}"))
    }

    /// The same with a config as the user typed it.
    pub(crate) fn check_text(config: &str) -> Self {
        let program = Self::new(["check"]).file("config.yaml", config);
        let path = program.path("config.yaml").display().to_string();
        program.args(["--config", &path])
    }

    /// `check --output json`, for tests that read the report.
    pub(crate) fn check_json(config: &Value) -> Self {
        Self::check(config).args(["--output", "json"])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn args<const N: usize>(mut self, args: [&str; N]) -> Self {
        self.args.extend(args.map(String::from));
        self
    }

    /// `balance-alert ARGS` in the same directory and environment.
    pub(crate) fn instead<const N: usize>(&self, args: [&str; N]) -> Self {
        let args = args.map(String::from).to_vec();
        Self { args, starter: Vec::new(), full: Vec::new(), ..self.clone() }
    }

    /// In the same directory, without the variables that were set.
    pub(crate) fn without_variables(&self) -> Self {
        Self { environment: Vec::new(), ..self.clone() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Makes the program trust the tests' certificate authority.
    pub(crate) fn trusting(self) -> Self {
        let program = self.file("ca.pem", &super::pki::ca_pem());
        let path = program.path("ca.pem").display().to_string();
        program.env("SSL_CERT_FILE", &path)
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// Nobody reads what it prints, as after `| head -c 0`.
    pub(crate) fn unread(mut self) -> Self {
        self.is_unread = true;
        self
    }

    /// Started by another command that takes the program and its arguments at its end: `prlimit --nofile=64`.
    pub(crate) fn by(mut self, starter: &[&str]) -> Self {
        self.starter.extend(starter.iter().map(|word| (*word).to_owned()));
        self
    }

    /// The stream is a pipe that is full and that nobody reads.
    pub(crate) fn full(mut self, stream: Stream) -> Self {
        self.full.push(stream);
        self
    }

    pub(crate) fn start(self) -> Running {
        let mut held = Vec::new();
        let mut stream = |stream: Stream, otherwise: fn() -> Stdio| {
            if !self.full.contains(&stream) {
                return otherwise();
            }
            let (reader, writer) = full_pipe();
            held.push(reader);
            writer.into()
        };
        let stdout = match self.is_unread {
            true => std::io::pipe().unwrap().1.into(),
            false => stream(Stream::Stdout, Stdio::piped),
        };
        let stderr = stream(Stream::Stderr, Stdio::piped);
        let binary = env!("CARGO_BIN_EXE_balance-alert").to_owned();
        let mut command = self.starter.iter().chain([&binary]).chain(&self.args);
        let mut child = Command::new(command.next().unwrap())
            .args(command)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .envs(self.environment)
            .stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .expect("the program starts");
        let started = Instant::now();
        if let (Some(text), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            pipe.write_all(text.as_bytes()).unwrap();
        }
        let stdout = child.stdout.take().map_or_else(|| drain(std::io::empty()), drain);
        let stderr = child.stderr.take().map_or_else(|| drain(std::io::empty()), drain);
        Running { child, started, stdout, stderr, dir: self.dir, _held: held }
    }

    pub(crate) fn run(self) -> Finished {
        self.start().finish()
    }
}

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    // Another description of the same pipe, which does not wait.
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let nonblocking = nix::libc::O_NONBLOCK;
    let mut filler = fs::OpenOptions::new().write(true).custom_flags(nonblocking).open(path).unwrap();
    for size in [4096, 1] {
        while filler.write_all(&vec![b'.'; size]).is_ok() {}
    }
    (reader, writer)
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A run that has begun.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    dir: Arc<TempDir>,
    /// The other ends of pipes that nobody reads.
    _held: Vec<PipeReader>,
}

impl Running {
    /// Sends a signal by its name, `TERM` or `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status().unwrap();
        assert!(status.success(), "the signal is sent");
    }

    /// Waits until no signal that was sent is still to be delivered.
    pub(crate) fn wait_until_heard(&self) {
        let is_pending = || {
            let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
            let pending = status.lines().filter(|line| line.starts_with("SigPnd:") || line.starts_with("ShdPnd:"));
            pending
                .into_iter()
                .any(|line| line.split_whitespace().nth(1).is_some_and(|set| !set.trim_matches('0').is_empty()))
        };
        while is_pending() {
            assert!(self.started.elapsed() < LIMIT, "a signal is delivered in time");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A file that the system has about it.
    pub(crate) fn proc(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).unwrap()
    }

    /// What `ps` shows of it.
    pub(crate) fn command_line(&self) -> String {
        fs::read_to_string(format!("/proc/{}/cmdline", self.child.id())).unwrap().replace('\0', " ")
    }

    /// Sends a signal, unless the run is over.
    pub(crate) fn signal_if_alive(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).output();
    }

    pub(crate) fn finish(mut self) -> Finished {
        let (status, in_time) = wait(&mut self.child, self.started);
        let elapsed = self.started.elapsed();
        let text = |thread: JoinHandle<Vec<u8>>| String::from_utf8(thread.join().unwrap()).expect("output is UTF-8");
        let finished =
            Finished { status, stdout: text(self.stdout), stderr: text(self.stderr), elapsed, _dir: self.dir };
        assert!(in_time, "the program hangs: {finished}");
        finished
    }
}

fn wait(child: &mut Child, started: Instant) -> (ExitStatus, bool) {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, true);
        }
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            return (child.wait().unwrap(), false);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A run that is over.
pub(crate) struct Finished {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) elapsed: Duration,
    // Kept, so that a relative path in a message can still be looked at from a debugger.
    _dir: Arc<TempDir>,
}

impl std::fmt::Display for Finished {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} after {:?}\n--- stdout\n{}\n--- stderr\n{}\n---",
            self.status, self.elapsed, self.stdout, self.stderr
        )
    }
}

impl Finished {
    /// The exit code as a shell shows it: 128 and the signal's number after a signal.
    pub(crate) fn code(&self) -> i32 {
        let signal = || 128 + self.status.signal().unwrap();
        self.status.code().unwrap_or_else(signal)
    }

    /// Whether the system has written its memory to a file.
    pub(crate) fn has_dumped(&self) -> bool {
        self.status.core_dumped()
    }

    /// Fails the test, and shows the run, unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "the exit code is {code}: {self}");
        self
    }

    /// The JSON report on stdout.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(report) => report,
            Err(error) => panic!("stdout is one JSON report ({error}): {self}"),
        }
    }

    /// The report's only delivery.
    #[track_caller]
    pub(crate) fn delivery(&self) -> Value {
        let report = self.report();
        let deliveries = report["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 1, "one delivery: {self}");
        deliveries[0].clone()
    }

    /// The reason why an account could not be read; fails the test if it could.
    #[track_caller]
    pub(crate) fn reason(&self, name: &str) -> String {
        let report = self.report();
        let project = project(&report, name);
        assert_eq!(project["status"], "failed", "`{name}` cannot be read: {self}");
        assert!(project["balance"].is_null(), "what is unknown is no number: {project}");
        project["error"]["reason"].as_str().expect("a reason").into()
    }
}

/// What went wrong with an entry of a report, without the host of this machine that it must be told with.
#[track_caller]
pub(crate) fn told(entry: &Value) -> &str {
    let message = entry["error"]["message"].as_str().unwrap_or_else(|| panic!("no failure: {entry}"));
    let rest = message.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once(": "));
    let (port, rest) = rest.unwrap_or_else(|| panic!("no host: {message}"));
    assert!(port.parse::<u16>().is_ok(), "no host: {message}");
    rest
}

/// One account of a report.
#[track_caller]
pub(crate) fn project<'a>(report: &'a Value, name: &str) -> &'a Value {
    let projects = report["projects"].as_array().expect("a list of projects");
    let found = projects.iter().find(|project| project["name"] == name);
    found.unwrap_or_else(|| panic!("`{name}` is in the report: {report:#}"))
}
