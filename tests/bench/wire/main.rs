//! How near a run comes to the wire: the release program as a whole process beside curl, which fetches the same addresses
//! with as many connections and decides nothing. Local servers, no network.
//!
//! `cargo bench --bench wire` measures everything (about ten minutes) and writes `docs/benchmark.md` and
//! `docs/benchmark.svg`. `cargo bench --bench wire -- --short` takes half a minute, writes nothing and fails if a ratio is
//! twice what it was: no bound is a time, since machines differ. Runs that are compared take turns, and a ratio is the
//! median of the ratios of neighbours.

#![allow(clippy::disallowed_methods, reason = "a benchmark may wait")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

mod measure;
mod picture;
#[path = "../../integration/support/pki.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod pki;
mod server;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use measure::{Taken, median};
use picture::Series;
use server::{ANSWER, Manner};

const WORKERS: usize = 50;
/// A request that hangs is given up after this time.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Names what is measured, instead of the release build.
const BINARY: &str = "BALANCE_ALERT_BINARY";
/// How many heaps the C library gives to threads.
const ARENAS: &str = "MALLOC_ARENA_MAX";
const KEY: &str = "bench-key-0123456789";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("--serve") => server::serve(&arguments[1]),
        Some("--measure") => {
            let mut out = std::io::stdout();
            writeln!(out, "{}", measure::inner(&arguments[1..])).expect("standard output");
        }
        // cargo adds `--bench`.
        _ => Bench::start().run(arguments.iter().any(|argument| argument == "--short")),
    }
}

/// The servers and the folder of configs.
struct Bench {
    folder: tempfile::TempDir,
    /// What is measured: the release, or what `BALANCE_ALERT_BINARY` names.
    program: String,
    server: Child,
    /// The servers end with it.
    _leash: ChildStdin,
    plain: u16,
    tls: u16,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What is compared: so many accounts of one kind.
#[derive(Clone, Copy)]
struct Case {
    accounts: usize,
    is_tls: bool,
    /// The first part of the path.
    kind: &'static str,
}

/// Runs that took turns.
#[derive(Default)]
struct Runs {
    curl: Vec<Taken>,
    bare: Vec<Taken>,
    full: Vec<Taken>,
}

/// A target, and what became of it.
struct Row {
    what: String,
    target: String,
    /// The measurement, in words.
    measured: String,
    is_met: bool,
    /// In the short form: the measurement, and twice or so of what it was.
    bound: Option<(f64, f64)>,
}

fn wall(taken: &Taken) -> f64 {
    taken.wall.as_secs_f64()
}

fn cpu(taken: &Taken) -> f64 {
    taken.cpu.as_secs_f64()
}

fn peak(taken: &Taken) -> f64 {
    taken.peak as f64 / 1024.0
}

fn middle(runs: &[Taken], of: impl Fn(&Taken) -> f64) -> f64 {
    median(runs.iter().map(of).collect())
}

/// Somewhat less than twice what was measured of the image's binary, or of the release build.
fn bound(image: f64, release: f64) -> f64 {
    if std::env::var_os(BINARY).is_some() { image } else { release }
}

/// The median of the ratios of neighbours.
fn ratio(runs: &[Taken], to: &[Taken], of: impl Fn(&Taken) -> f64) -> f64 {
    median(runs.iter().zip(to).map(|(a, b)| of(a) / of(b)).collect())
}

/// The time that the services themselves take with so many accounts.
fn limit(accounts: usize) -> f64 {
    ANSWER.as_secs_f64() * accounts.div_ceil(WORKERS) as f64
}

/// The wall time of accounts that are taken in their order, each by the worker that is free first.
fn ideal(accounts: usize) -> f64 {
    let mut free = [0.0; WORKERS];
    for account in 0..accounts {
        let first = free.iter_mut().min_by(|a, b| f64::total_cmp(a, b)).expect("workers");
        *first += match Manner::of(account) {
            Manner::After(time) => time.as_secs_f64(),
            Manner::Broken => 0.0,
            Manner::Hangs => TIMEOUT.as_secs_f64(),
        };
    }
    free.into_iter().fold(0.0, f64::max)
}

impl Bench {
    fn start() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Command::new(std::env::current_exe().expect("this program"))
            .arg("--serve")
            .arg(folder.path().join("ca.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the servers start");
        let leash = server.stdin.take().expect("its input");
        let mut line = String::new();
        BufReader::new(server.stdout.take().expect("its output")).read_line(&mut line).expect("its ports");
        let ports: Vec<u16> = line.split_whitespace().map(|port| port.parse().expect("a port")).collect();
        let release = || env!("CARGO_BIN_EXE_balance-alert").to_owned();
        let program = std::env::var(BINARY).unwrap_or_else(|_| release());
        Bench { folder, program, server, _leash: leash, plain: ports[0], tls: ports[1] }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, is_short: bool) {
        let version = Command::new("curl").arg("--version").output().expect("curl is installed");
        let version = String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default().to_owned();
        let mut rows = self.starts(is_short);
        // Accounts, schemes and how often.
        let table: &[(usize, bool, usize)] = if is_short {
            // The processor time of one run differs by a fifth where others share the machine.
            &[(500, true, 9)]
        } else {
            &[
                (1, false, 9),
                (50, false, 7),
                (500, false, 3),
                (5000, false, 1),
                (1, true, 9),
                (50, true, 7),
                (500, true, 7),
                (5000, true, 3),
            ]
        };
        let mut measured = Vec::new();
        for &(accounts, is_tls, times) in table {
            let case = Case { accounts, is_tls, kind: "fixed" };
            measured.push((case, self.take_turns(case, times, true)));
        }
        rows.extend(targets(&measured));
        rows.extend(self.mixes(is_short));

        let targets = target_table(&rows);
        let matrix = matrix(&measured);
        let mut out = std::io::stdout().lock();
        writeln!(out, "{targets}\n{matrix}").expect("standard output");
        if is_short {
            let lost: Vec<_> = rows.iter().filter(|row| row.bound.is_some_and(|(got, most)| got > most)).collect();
            for row in &lost {
                writeln!(out, "slower than ever: {}: {} ({:?})", row.what, row.measured, row.bound)
                    .expect("standard output");
            }
            assert!(lost.is_empty(), "a ratio is twice what it was");
            return;
        }
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        std::fs::create_dir_all(&docs).expect("the folder of documents");
        let page = page(&targets, &matrix, &version);
        std::fs::write(docs.join("benchmark.md"), page).expect("the table is written");
        std::fs::write(docs.join("benchmark.svg"), picture(&measured)).expect("the picture is written");
    }

    /// Starting, checking a config, and one account at a fast server.
    fn starts(&self, is_short: bool) -> Vec<Row> {
        let times = if is_short { 21 } else { 61 };
        let config = self.config("validate.yaml", Case { accounts: 1000, is_tls: true, kind: "fixed" }, false);
        let (mut other, mut start, mut check) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..times {
            other.push(self.measure("none", &["curl", "-q", "--version"]));
            start.push(self.measure("none", &[&self.program, "--version"]));
            check.push(self.measure("none", &[&self.program, "validate", "--config", &config]));
            assert_eq!([start[start.len() - 1].code, check[check.len() - 1].code], [0, 0], "the config is good");
        }
        let case = Case { accounts: 1, is_tls: true, kind: "now" };
        let one = self.take_turns(case, times, false);
        let against = |runs: &[Taken]| ratio(runs, &other, wall);
        vec![
            Row {
                what: "`--version`, wall".to_owned(),
                target: "at most 3 ms".to_owned(),
                measured: format!(
                    "{:.1} ms, {:.1} MiB ({:.2} of `curl --version`)",
                    middle(&start, wall) * 1e3,
                    middle(&start, peak),
                    against(&start)
                ),
                is_met: middle(&start, wall) <= 3e-3,
                bound: Some((against(&start), bound(0.28, 0.65))),
            },
            Row {
                what: "`validate`, 1 000 accounts, wall".to_owned(),
                target: "at most 30 ms".to_owned(),
                measured: format!("{:.1} ms, {:.1} MiB", middle(&check, wall) * 1e3, middle(&check, peak)),
                is_met: middle(&check, wall) <= 30e-3,
                bound: Some((against(&check), 6.0)),
            },
            Row {
                what: "one account, HTTPS, fast server, wall against curl".to_owned(),
                target: "at most 1.5".to_owned(),
                measured: format!(
                    "{:.2} ({:.1} ms against {:.1} ms)",
                    ratio(&one.bare, &one.curl, wall),
                    middle(&one.bare, wall) * 1e3,
                    middle(&one.curl, wall) * 1e3
                ),
                is_met: ratio(&one.bare, &one.curl, wall) <= 1.5,
                bound: Some((ratio(&one.bare, &one.curl, wall), bound(1.35, 2.2))),
            },
        ]
    }

    /// Latencies and failures of every kind.
    fn mixes(&self, is_short: bool) -> Vec<Row> {
        let times = if is_short { 1 } else { 3 };
        let few = self.take_turns(Case { accounts: 50, is_tls: true, kind: "mix" }, times, false);
        let slowest = middle(&few.bare, wall) / TIMEOUT.as_secs_f64();
        let mut rows = vec![Row {
            what: "mixed latencies, 50 accounts, wall against the slowest account".to_owned(),
            target: "at most 1.05".to_owned(),
            measured: format!("{slowest:.3} (curl {:.3})", middle(&few.curl, wall) / TIMEOUT.as_secs_f64()),
            is_met: slowest <= 1.05,
            bound: Some((slowest, 1.5)),
        }];
        let accounts = if is_short { 200 } else { 1000 };
        let many = self.take_turns(Case { accounts, is_tls: true, kind: "mix" }, times, false);
        let idle = middle(&many.bare, wall) / ideal(accounts);
        rows.push(Row {
            what: format!("mixed latencies, {accounts} accounts, wall against workers that never wait for work"),
            target: "at most 1.05".to_owned(),
            measured: format!("{idle:.3} (curl {:.3})", middle(&many.curl, wall) / ideal(accounts)),
            is_met: idle <= 1.05,
            bound: Some((idle, 1.5)),
        });
        rows
    }

    /// Curl, the program without memory and metrics and, if wanted, with both, in turn.
    fn take_turns(&self, case: Case, times: usize, wants_full: bool) -> Runs {
        let bare = self.config("bare.yaml", case, false);
        let full = self.config("full.yaml", case, true);
        let curl = self.curl_file(case);
        let database = self.path(&format!("{}-{}.db", case.accounts, case.is_tls)).display().to_string();
        let wanted = if case.kind == "mix" { 3 } else { 0 };
        let mut runs = Runs::default();
        for _ in 0..times {
            let command = ["curl", "-q", "-K", &curl];
            runs.curl.push(self.measure("none", &command));
            let program = |state: &str, config: &str| {
                let taken = self.measure(state, &[&self.program, "check", "--config", config]);
                assert_eq!(taken.code, wanted, "{config} with {} accounts", case.accounts);
                taken
            };
            runs.bare.push(program("none", &bare));
            if wants_full {
                runs.full.push(program(&database, &full));
            }
        }
        runs
    }

    fn measure(&self, state: &str, command: &[&str]) -> Taken {
        let mut variables = vec![
            ("SSL_CERT_FILE", self.path("ca.pem").display().to_string()),
            ("BALANCE_ALERT_STATE", state.to_owned()),
        ];
        // As in the image.
        variables.extend(std::env::var(ARENAS).ok().map(|most| (ARENAS, most)));
        measure::run(self.folder.path(), &variables, command)
    }

    fn origin(&self, is_tls: bool) -> String {
        if is_tls { format!("https://127.0.0.1:{}", self.tls) } else { format!("http://127.0.0.1:{}", self.plain) }
    }

    fn config(&self, name: &str, case: Case, has_metrics: bool) -> String {
        let (origin, kind) = (self.origin(case.is_tls), case.kind);
        let timeout = if kind == "mix" { TIMEOUT } else { Duration::from_secs(15) }.as_secs();
        // The circuit of a host with hundreds of accounts would end the mix early, and curl repeats nothing.
        let mut text = format!(
            "settings: {{ max_concurrent_checks: {WORKERS}, request_timeout_seconds: {timeout}, max_retries: 0, circuit_breaker_failures: 0 }}\n"
        );
        if has_metrics {
            let _ = writeln!(text, "metrics: {{ pushgateway: {{ url: \"{}\" }} }}", self.origin(false));
        }
        text.push_str("projects:\n");
        for n in 0..case.accounts {
            let _ = writeln!(
                text,
                "  - {{ name: account-{n}, provider: uniapi, api_key: {KEY}, threshold: 1, base_url: \"{origin}/{kind}/{n}\" }}"
            );
        }
        std::fs::write(self.path(name), text).expect("the config is written");
        self.path(name).display().to_string()
    }

    /// The same addresses and headers for curl.
    fn curl_file(&self, case: Case) -> String {
        let (origin, kind) = (self.origin(case.is_tls), case.kind);
        let mut text = format!(
            "silent\nhttp1.1\nparallel\nparallel-max = {WORKERS}\ncacert = \"{}\"\nuser-agent = \"balance-alert/{}\"\n\
             header = \"Accept: */*\"\nheader = \"Authorization: Bearer {KEY}\"\n",
            self.path("ca.pem").display(),
            env!("CARGO_PKG_VERSION"),
        );
        if kind == "mix" {
            let _ = writeln!(text, "max-time = {}", TIMEOUT.as_secs());
        }
        for n in 0..case.accounts {
            let _ = writeln!(text, "url = \"{origin}/{kind}/{n}/v1/billing/usage?unit=usd\"\noutput = \"/dev/null\"");
        }
        std::fs::write(self.path("curl.conf"), text).expect("curl's list is written");
        self.path("curl.conf").display().to_string()
    }
}

/// The targets that the table of accounts answers.
fn targets(measured: &[(Case, Runs)]) -> Vec<Row> {
    let find = |accounts: usize| measured.iter().find(|(case, _)| case.accounts == accounts && case.is_tls);
    let mut rows = Vec::new();
    let mut row = |what: &str, target: &str, got: f64, most: f64, words: String, bound: Option<f64>| {
        rows.push(Row {
            what: what.to_owned(),
            target: target.to_owned(),
            measured: words,
            is_met: got <= most,
            bound: bound.map(|bound| (got, bound)),
        });
    };
    if let Some((_, runs)) = find(500) {
        let got = ratio(&runs.bare, &runs.curl, wall);
        let words = format!("{got:.3} ({:.3} s)", middle(&runs.bare, wall));
        row("500 accounts, HTTPS, 200 ms, wall against curl", "at most 1.03", got, 1.03, words, Some(1.5));
        let got = ratio(&runs.bare, &runs.curl, cpu);
        let words = format!(
            "{got:.2} ({:.0} ms against {:.0} ms)",
            middle(&runs.bare, cpu) * 1e3,
            middle(&runs.curl, cpu) * 1e3
        );
        row("500 accounts, HTTPS, CPU against curl", "at most 1.5", got, 1.5, words, Some(bound(2.0, 1.6)));
        let got = ratio(&runs.bare, &runs.curl, peak);
        let words =
            format!("{got:.2} ({:.1} MiB against {:.1} MiB)", middle(&runs.bare, peak), middle(&runs.curl, peak));
        row("500 accounts, HTTPS, peak memory against curl", "at most 1.0", got, 1.0, words, Some(bound(1.6, 2.4)));
        let got = ratio(&runs.full, &runs.bare, wall);
        let words = format!("{got:.3} ({:.3} s)", middle(&runs.full, wall));
        row(
            "500 accounts, HTTPS, with memory (SQLite) and metrics, wall against without",
            "at most 1.1",
            got,
            1.1,
            words,
            Some(1.6),
        );
    }
    if let Some((_, runs)) = find(5000) {
        let got = middle(&runs.bare, wall) / limit(5000);
        let words =
            format!("{got:.3} ({:.2} s; curl {:.3})", middle(&runs.bare, wall), middle(&runs.curl, wall) / limit(5000));
        row("5 000 accounts, HTTPS, wall against ceil(N/50) x 200 ms", "at most 1.03", got, 1.03, words, None);
        let got = middle(&runs.bare, peak);
        let words = format!("{got:.1} MiB (curl {:.1} MiB)", middle(&runs.curl, peak));
        row("5 000 accounts, HTTPS, peak memory", "at most 24 MiB", got, 24.0, words, None);
    }
    rows
}

fn target_table(rows: &[Row]) -> String {
    let mut text = "| what | target | measured | met |\n| --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        let met = if row.is_met { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {} | {} | {} | {met} |", row.what, row.target, row.measured);
    }
    text
}

fn matrix(measured: &[(Case, Runs)]) -> String {
    let mut text = "| accounts | scheme | program | wall, s | CPU, ms | peak, MiB | wall / limit | wall / curl | CPU / curl | peak / curl |\n\
                    | --: | --- | --- | --: | --: | --: | --: | --: | --: | --: |\n"
        .to_owned();
    for (case, runs) in measured {
        let scheme = if case.is_tls { "HTTPS" } else { "HTTP" };
        for (name, of) in [("curl", &runs.curl), ("balance-alert", &runs.bare), ("with memory and metrics", &runs.full)]
        {
            let _ = writeln!(
                text,
                "| {} | {scheme} | {name} | {:.3} | {:.0} | {:.1} | {:.3} | {:.3} | {:.2} | {:.2} |",
                case.accounts,
                middle(of, wall),
                middle(of, cpu) * 1e3,
                middle(of, peak),
                middle(of, wall) / limit(case.accounts),
                ratio(of, &runs.curl, wall),
                ratio(of, &runs.curl, cpu),
                ratio(of, &runs.curl, peak),
            );
        }
    }
    text
}

fn picture(measured: &[(Case, Runs)]) -> String {
    let of = |name: &str, colour: &str, pick: fn(&Runs) -> &Vec<Taken>| {
        let points = measured.iter().filter(|(case, _)| case.is_tls);
        let points = points.map(|(case, runs)| (case.accounts as f64, middle(pick(runs), wall))).collect();
        Series { name: name.to_owned(), colour: colour.to_owned(), points }
    };
    let curves = [
        of("curl --parallel", "#7a7a7a", |runs| &runs.curl),
        of("balance-alert", "#0b62c4", |runs| &runs.bare),
        of("with SQLite and metrics", "#d1600a", |runs| &runs.full),
    ];
    picture::draw(&curves, limit)
}

fn page(targets: &str, matrix: &str, curl: &str) -> String {
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| -> String {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value.trim()).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory: f64 = value(&file("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let system = file("/etc/os-release");
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown");
    let load = file("/proc/loadavg");
    let binary = match (std::env::var(BINARY), std::env::var(ARENAS)) {
        (Ok(path), arenas) => {
            let path = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/")).unwrap_or(&path).to_owned();
            format!("`{path}`{}", arenas.map_or_else(|_| String::new(), |most| format!(" with `{ARENAS}={most}`")))
        }
        _ => "the release build".to_owned(),
    };
    format!(
        "# Benchmark\n\n\
         `cargo bench --bench wire` writes this page: the release program as a whole process beside `curl --parallel --parallel-max {WORKERS}`\n\
         on the same addresses, {WORKERS} workers, local servers that answer after {} ms. Figures are medians of runs that took turns, ratios\n\
         medians of the ratios of neighbours. `curl` starts, fetches and forgets; it is the floor. What costs what stands in\n\
         [performance.md](performance.md).\n\n\
         - {}, {binary}\n- {cores} cores ({}), {:.1} GiB, Linux {}, {}; load {} at the end\n- balance-alert {}, {curl}\n\n\
         ## Targets\n\n{targets}\n## Wall time against accounts\n\n![wall time against accounts](benchmark.svg)\n\n{matrix}",
        ANSWER.as_millis(),
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        value(&file("/proc/cpuinfo"), "model name"),
        memory / 1024.0 / 1024.0,
        file("/proc/sys/kernel/osrelease").trim(),
        system.trim_matches('"'),
        load.split(' ').next().unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
    )
}
