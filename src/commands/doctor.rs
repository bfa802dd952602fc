//! `balance-alert doctor`: whether this machine, this config and this memory of runs are well, a line each with what to do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use url::Url;

use super::health::ago;
use super::memory::open_store;
use super::open::{begin, print};
use crate::cli::StoreArgs;
use crate::config::{self, Asked, Config, Needs, Problem};
use crate::model::text;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::{Process, file, redact};
use crate::report::{ListOutput, columns};
use crate::state::config::Place;
use crate::state::queries::LastRun;
use crate::state::{Access, StoreFault};
use crate::wire::http::{self, Clients};

/// The longest time for one host, and for all of them.
const EACH: Duration = Duration::from_secs(5);
const ALL: Duration = Duration::from_secs(60);
/// A clock that differs from that of others by so many seconds is wrong: services refuse signatures and tokens then.
const WRONG: i64 = 60;

/// Flags of `doctor`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Also ask every host that the config names whether it answers; no credential is sent
    #[arg(long)]
    pub network: bool,
    /// The format of what is shown
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    /// It was not looked at.
    Skipped,
    Warning,
    Bad,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Skipped => "skipped",
            State::Warning => "warning",
            State::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
struct Line {
    what: String,
    state: State,
    says: String,
    /// What to do.
    hint: String,
}

/// All that was looked at.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn add(&mut self, what: &str, state: State, says: impl Into<String>, hint: impl Into<String>) {
        self.0.push(Line { what: what.to_owned(), state, says: says.into(), hint: hint.into() });
    }
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let mut lines = Lines::default();
    let (_, environment, source) = begin(&flags.store.config, &flags.store.talk);
    let mut is_config_bad = true;
    match source {
        Err(problem) => lines.add("config", State::Bad, problem.message, problem.hint.unwrap_or_default()),
        Ok(source) => {
            let loaded = config::load(&source, &environment, process.clock.now(), Needs::Checks, Asked::Nobody).0;
            of_config(&source.name(), &loaded.problems, loaded.config.as_ref(), &mut lines);
            of_variables(&source.folder().join(".env"), &environment, &loaded.problems, &mut lines);
            is_config_bad = loaded.config.is_none();
            if let Some(config) = loaded.config {
                redact::guard(&config.redactor);
                of_all(flags, process, &environment, config, &mut lines);
            }
        }
    }
    let worst = lines.0.iter().map(|line| line.state).max().unwrap_or(State::Ok);
    let exit = match worst {
        _ if is_config_bad => Exit::Config,
        State::Bad => Exit::Unknown,
        State::Warning => Exit::Warning,
        State::Ok | State::Skipped => Exit::Ok,
    };
    print(&shown(&lines, flags.output, exit), process, exit)
}

fn shown(lines: &Lines, output: ListOutput, exit: Exit) -> String {
    match output {
        ListOutput::Table => {
            let rows = lines.0.iter().map(|line| {
                [line.state.as_str(), &line.what, &line.says, &line.hint].map(|cell| cell.replace('\n', ";")).to_vec()
            });
            columns(&["STATE", "WHAT", "FOUND", "WHAT TO DO"], rows.collect(), &[])
        }
        ListOutput::Json => {
            let lines = lines.0.iter().map(|line| {
                json!({ "what": line.what, "state": line.state.as_str(), "found": line.says, "hint": line.hint })
            });
            format!("{:#}\n", json!({ "exit_code": exit.code(), "lines": lines.collect::<Vec<_>>() }))
        }
    }
}

fn of_config(name: &str, problems: &[Problem], config: Option<&Config>, lines: &mut Lines) {
    let Some(config) = config else {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        let first = first.split("\n hint").next().unwrap_or_default().to_owned();
        return lines.add("config", State::Bad, first, format!("balance-alert validate --config {name}"));
    };
    let checks = config.projects.len() + config.mailboxes.len() + config.subscriptions.len();
    let found = format!("{name}: {}, {}", text::plural(checks, "check"), text::plural(config.channels.len(), "channel"));
    match problems.len() {
        0 => lines.add("config", State::Ok, found, ""),
        count => {
            let hint = format!("balance-alert validate --config {name}");
            lines.add("config", State::Bad, format!("{found}; {}", text::plural(count, "problem")), hint);
        }
    }
}

/// The variables that are missing, and who may read those of `.env`.
fn of_variables(dotenv: &std::path::Path, environment: &Environment, problems: &[Problem], lines: &mut Lines) {
    let unset = problems.iter().filter(|problem| problem.message.ends_with("which is not set"));
    let unset: Vec<String> = unset.map(|problem| problem.message.clone()).collect();
    if environment.dotenv_faults().is_some() {
        lines.add("variables", State::Bad, "`.env` cannot be read to its end", "mend the lines that `validate` names");
    } else if !unset.is_empty() {
        lines.add("variables", State::Bad, unset.join("; "), "set them in the environment or in `.env`");
    } else {
        lines.add("variables", State::Ok, "all that are needed are set", "");
    }
    if file::is_open_to_others(dotenv) {
        let hint = format!("chmod 600 {}", dotenv.display());
        lines.add(".env", State::Warning, "others than its owner can read it", hint);
    }
}

fn of_all(flags: &Flags, process: &Process, environment: &Environment, config: Config, lines: &mut Lines) {
    let now = process.clock.now();
    let here = now.to_zoned(config.settings.timezone.clone());
    let zone = config.warnings.iter().find(|warning| warning.starts_with("the time zone"));
    match zone {
        Some(warning) => lines.add("time zone", State::Warning, warning.clone(), "install the rules of time zones, or set TZDIR"),
        None => lines.add("time zone", State::Ok, here.strftime("%Z (%:z): %Y-%m-%d %H:%M").to_string(), ""),
    }
    let clients = Clients::new(&environment.surroundings(), process.clock);
    for problem in clients.problems() {
        lines.add("network", State::Bad, problem, "mend the variable that it names");
    }
    of_channels(&config, lines);
    let hosts = hosts(&config);
    if flags.network {
        of_network(&hosts, &clients, lines);
    } else {
        let found = format!("{} not asked", text::plural(hosts.len(), "host"));
        lines.add("network, clock", State::Skipped, found, "add --network");
    }
    of_store(flags, process, environment, config, now, lines);
}

fn of_channels(config: &Config, lines: &mut Lines) {
    if config.channels.is_empty() {
        lines.add("channels", State::Warning, "nobody is told of anything", "add a `webhook` to the config");
    }
    for channel in &config.channels {
        let name = format!("channel {}", channel.name);
        match channel.fault() {
            Some(why) => lines.add(&name, State::Bad, why, format!("balance-alert channels {}", channel.kind)),
            None => lines.add(&name, State::Ok, channel.kind.clone(), ""),
        }
    }
}

/// What is asked over HTTP, by the beginnings of the addresses: no path, in which a credential may stand.
fn hosts(config: &Config) -> BTreeMap<Url, Vec<String>> {
    let mut hosts: BTreeMap<Url, Vec<String>> = BTreeMap::new();
    let mut add = |url: &Url, what: &str| {
        let mut url = url.clone();
        let is_web = matches!(url.scheme(), "http" | "https") && url.set_username("").is_ok() && url.set_password(None).is_ok();
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        let users = if is_web { hosts.entry(url).or_default() } else { return };
        if !users.iter().any(|user| user == what) {
            users.push(what.to_owned());
        }
    };
    for project in &config.projects {
        let origins = project.account.as_ref().map(|account| account.origins()).unwrap_or_default();
        origins.iter().for_each(|url| add(url, &project.page.id));
    }
    for channel in &config.channels {
        channel.address().iter().for_each(|url| add(url, &format!("channel {}", channel.name)));
    }
    let gateway = config.metrics.gateway.as_ref().and_then(|gateway| gateway.url.as_ref().ok());
    gateway.iter().for_each(|url| add(url, "pushgateway"));
    let healthchecks = config.healthchecks.as_ref().and_then(|healthchecks| healthchecks.url.as_ref().ok());
    healthchecks.iter().for_each(|url| add(url, "healthchecks"));
    hosts
}

/// Asks each host for its first page. Any answer says that its name, the way to it, and TLS are well; its date tells the time.
fn of_network(hosts: &BTreeMap<Url, Vec<String>>, clients: &Clients, lines: &mut Lines) {
    let begin = Instant::now();
    let mut ahead: Vec<(i64, String)> = Vec::new();
    for (url, users) in hosts {
        let what = format!("host {}", http::host(url));
        let users = text::one_line(&users.join(", "), 60);
        let left = ALL.saturating_sub(begin.elapsed());
        if left.is_zero() {
            lines.add(&what, State::Skipped, format!("not asked, as the time is over ({users})"), "");
            continue;
        }
        let asked = Instant::now();
        match clients.ping(url, EACH.min(left)) {
            Ok(answer) => {
                ahead.extend(answer.ahead().map(|ahead| (ahead, http::host(url))));
                let took = asked.elapsed().as_millis();
                lines.add(&what, State::Ok, format!("answers in {took} ms ({users})"), "");
            }
            Err(failure) => {
                let found = format!("{}: {} ({users})", failure.reason.as_str(), failure.describe());
                let hint = format!("docs/troubleshooting.md says what to do at `{}`", failure.reason.as_str());
                lines.add(&what, State::Bad, found, hint);
            }
        }
    }
    // One server may be wrong; the clock is if the one in the middle says so.
    ahead.sort();
    match ahead.get(ahead.len() / 2) {
        Some((seconds, host)) if seconds.abs() >= WRONG => {
            let way = if *seconds > 0 { "ahead of" } else { "behind" };
            let found = format!("{} s {way} that of {host}", seconds.abs());
            lines.add("clock", State::Bad, found, "let the system set its clock (NTP)");
        }
        Some(_) => lines.add("clock", State::Ok, format!("as that of {}", text::plural(ahead.len(), "server")), ""),
        None => lines.add("clock", State::Skipped, "no server has told the time", ""),
    }
}

fn of_store(
    flags: &Flags,
    process: &Process,
    environment: &Environment,
    config: Config,
    now: Timestamp,
    lines: &mut Lines,
) {
    match &config.state.place {
        Err(why) if flags.store.state.is_none() => {
            return lines.add("memory", State::Bad, why.clone(), "set `state` in the config");
        }
        Ok(Place::Nowhere) if flags.store.state.is_none() => {
            let found = "nothing is remembered, so every run sends every alert";
            return lines.add("memory", State::Warning, found, "set `state` in the config");
        }
        _ => {}
    }
    let asked = (Access::Read, process.clock);
    let Ok(found) = open_store(&flags.store, asked, (crate::process::logging::Format::Text, environment), (config.state, &config.redactor))
    else {
        return lines.add("memory", State::Bad, "it cannot be opened", "see the message on standard error");
    };
    let place = found.place;
    let mut store = match found.store {
        Ok(store) => store,
        Err((StoreFault::Absent, _)) => {
            return lines.add("memory", State::Warning, format!("nothing at {place} yet"), "run `balance-alert check` once");
        }
        Err((_, why)) => return lines.add("memory", State::Bad, format!("{place}: {why}"), "see docs/memory.md"),
    };
    match store.last_runs() {
        Ok(runs) => {
            lines.add("memory", State::Ok, place, "");
            let (state, found, hint) = schedule(&runs, now);
            lines.add("schedule", state, found, hint);
        }
        Err(error) => lines.add("memory", State::Bad, format!("{place}: {}", error.message), "see docs/memory.md"),
    }
    super::memory::leave(store);
}

/// The last runs against their own rhythm, which is the pause in the middle of all pauses between them.
fn schedule(runs: &[LastRun], now: Timestamp) -> (State, String, &'static str) {
    let hint = "see whether cron, the timer or the CronJob still starts it";
    let Some(last) = runs.first() else {
        return (State::Warning, "no run yet".to_owned(), "run `balance-alert check`, then by a schedule");
    };
    let same: Vec<Timestamp> = runs.iter().filter(|run| run.shard == last.shard).map(|run| run.started_at).collect();
    let mut pauses: Vec<SignedDuration> = same.windows(2).map(|pair| pair[0].duration_since(pair[1])).collect();
    pauses.sort();
    let age = now.duration_since(last.started_at);
    let began = format!("the last run began {}", ago(last.started_at, now));
    match pauses.get(pauses.len() / 2).filter(|_| pauses.len() >= 2) {
        Some(pause) => {
            let found = format!("{began}; runs come every {}", text::span(pause.unsigned_abs()));
            // One that is late by half a pause, and by a minute, may still be waiting for its turn.
            let late = *pause * 5 / 2 + SignedDuration::from_mins(1);
            if age > late { (State::Bad, found, hint) } else { (State::Ok, found, "") }
        }
        None => (State::Ok, began, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_late_by_its_own_rhythm() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 - minutes * 60).unwrap();
        let run = |minutes: i64, shard: Option<&str>| LastRun {
            id: "r".into(),
            started_at: at(minutes),
            end: None,
            checks: 1,
            ends_by: at(minutes),
            shard: shard.map(|shard| shard.parse().unwrap()),
            is_partial: false,
            unusable_channels: String::new(),
        };
        for (minutes, want) in [
            (&[][..], State::Warning),
            (&[5], State::Ok),
            (&[5, 10, 15, 20], State::Ok),
            (&[12, 17, 22], State::Ok),
            (&[14, 19, 24], State::Bad),
            // One long pause is no rhythm.
            (&[14, 19, 24, 1000], State::Bad),
            (&[60, 1500, 2940], State::Ok),
            (&[6000, 7440, 8880], State::Bad),
        ] {
            let runs: Vec<LastRun> = minutes.iter().map(|minutes| run(*minutes, None)).collect();
            assert_eq!(schedule(&runs, at(0)).0, want, "{minutes:?}: {}", schedule(&runs, at(0)).1);
        }
        let shards = [run(1, Some("0/2")), run(2, Some("1/2")), run(61, Some("0/2")), run(62, Some("1/2")), run(121, Some("0/2"))];
        assert!(schedule(&shards, at(0)).1.contains("every 60 min"), "{}", schedule(&shards, at(0)).1);
    }
}
