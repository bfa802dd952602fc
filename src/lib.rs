//! balance-alert tells you before an API account, a cloud account or a subscription runs dry.
//!
//! A run reads, top to bottom, as one sentence: *the user wrote something ([`config`]), we planned ([`plan`]), we
//! looked ([`check`]), we judged ([`decide`]), we told ([`notify`]), we remembered ([`state`]), we reported ([`report`]),
//! we left ([`exit`]).* Each step takes the value of the one before and nothing flows back:
//!
//! ```text
//! argv -- cli --+
//! file -- config+-> Config -> Plan -> Vec<Outcome> -> Vec<Verdict> -> Vec<Delivery> -> Report -> stdout, Exit
//!                               ^                       ^                 |
//!                               +------- Memory --------+---- marks <-----+
//! ```
//!
//! One run of `check` is told in `run`, step by step. What people ask of the memory later is in [`recall`].

// Tests may wait, and write files as they are.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod alert;
pub mod amount;
pub mod auth;
pub mod check;
pub mod cli;
pub mod config;
pub mod decide;
pub mod exit;
pub mod failure;
mod fault;
pub mod http;
pub mod interrupt;
pub mod limit;
pub mod logging;
pub mod lookup;
pub mod metrics;
pub mod notify;
mod page;
pub mod plan;
pub mod process;
pub mod recall;
pub mod redact;
pub mod report;
pub mod retry;
mod run;
pub mod state;
pub mod surroundings;
pub mod text;

use std::io;
use std::time::{Duration, Instant};

use clap::CommandFactory;
use secrecy::ExposeSecret;

use crate::cli::{CheckArgs, Cli, Color, Command, ConfigArg, Output, Talk, ValidateArgs};
use crate::config::{Environment, Loaded, Problem, Reach, Source};
use crate::exit::Exit;
use crate::http::Clients;
use crate::logging::Format;
use crate::plan::{Plan, PlanError};
use crate::process::{Process, output, watchdog};

/// The commit that this program is made of, as whoever builds it says in `BALANCE_ALERT_REVISION`.
pub const REVISION: &str = match option_env!("BALANCE_ALERT_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// The time of a command that a probe may ask again and again.
const PROBE: Duration = Duration::from_secs(60);

/// Reads a mail and gives the status to end with, if that is what this process was started for: not a command for people.
pub fn on_trial(process: &Process) -> Option<Exit> {
    let is_it = std::env::args_os().nth(1).is_some_and(|argument| argument == check::mailbox::trial::COMMAND);
    is_it.then(|| check::mailbox::trial::stand(process))
}

/// Runs one command and gives the status to end with.
pub fn run(cli: Cli, process: &Process) -> Exit {
    match cli.command {
        Command::Check(args) => {
            let exit = run::check(&args, process);
            if args.output == Output::Nagios { nagios(exit, process) } else { exit }
        }
        Command::Validate(args) => validate(&args, process),
        Command::Providers(args) => print(&report::setup::providers(args.output), process, Exit::Ok),
        Command::Status(args) => answer(process, watchdog::LONGEST, || recall::status(&args)),
        Command::History(args) => answer(process, watchdog::LONGEST, || recall::history(&args)),
        Command::Alerts(args) => answer(process, watchdog::LONGEST, || recall::alerts(&args)),
        Command::Health(args) => answer(process, PROBE, || recall::health(&args)),
        Command::Schema => print(config::SCHEMA, process, Exit::Ok),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "balance-alert", &mut script);
            print(&String::from_utf8_lossy(&script), process, Exit::Ok)
        }
    }
}

/// The status for a Nagios-like scheduler. Where no run took place, its status line says so.
pub fn nagios(exit: Exit, process: &Process) -> Exit {
    if matches!(exit, Exit::Usage | Exit::Config | Exit::Internal) {
        print(&format!("BALANCE UNKNOWN - {}\n", exit.meaning()), process, exit.for_nagios());
    }
    exit.for_nagios()
}

fn set_colour(color: Color, environment: &Environment) {
    let choice = match color {
        // The library hears of the process's own variable, and not of `.env`.
        Color::Auto if environment.overlay("NO_COLOR").is_some() => anstream::ColorChoice::Never,
        // The library's own rule per stream: a terminal, `CLICOLOR_FORCE`, `TERM`.
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// A config that was looked for and read, and what it was read with.
struct Opened {
    format: Format,
    source: Source,
    environment: Environment,
    loaded: Loaded,
}

/// Finds where the config is, reads the variables, and starts logging and colours.
fn begin(config: &ConfigArg, talk: &Talk) -> (Format, Environment, Result<Source, Box<Problem>>) {
    let environment = Environment::of_process();
    let source = Source::find(config.config.as_deref(), &environment);
    let environment = match &source {
        Ok(source) => environment.with_dotenv(&source.folder()),
        Err(_) => environment,
    };
    set_colour(talk.color, &environment);
    (logging::init(&environment, talk.verbose), environment, source)
}

/// Reads the config and starts logging; problems that stop everything are printed.
fn open(config: &ConfigArg, talk: &Talk) -> Result<Opened, Exit> {
    let (format, environment, source) = begin(config, talk);
    let source = source.map_err(|problem| {
        logging::complain(format, &problem.to_string());
        Exit::Config
    })?;
    let loaded = config::load(&source, &environment);
    if let Some(config) = &loaded.config {
        redact::guard(config.redactor());
    }
    Ok(Opened { format, source, environment, loaded })
}

fn complain_all(format: Format, problems: &[Problem]) {
    for problem in problems {
        logging::complain(format, &problem.to_string());
    }
}

fn validate(args: &ValidateArgs, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let Opened { format, source, environment, loaded } = match open(&args.config, &args.talk) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    complain_all(format, &loaded.problems);
    let fatal = loaded.problems.iter().filter(|problem| problem.reach == Reach::Whole).count();
    if !loaded.problems.is_empty() {
        let all = text::plural(loaded.problems.len(), "problem");
        let rest = if fatal == 0 { "; the other entries would run" } else { "" };
        let more = if loaded.problems.len() == config::MOST_PROBLEMS { ", and perhaps more" } else { "" };
        logging::complain(format, &format!("{}: {all}{more}{rest}", source.name()));
    }
    let Some(config) = loaded.config else {
        return Exit::Config;
    };
    let clients = Clients::new(&environment.surroundings());
    clients.secrets().for_each(|secret| config.redactor().learn(secret.expose_secret()));
    for warning in config.warnings().iter().chain(config.advice()).cloned().chain(clients.problems()) {
        log::warn!("{warning}");
    }
    let plan = Plan::new(&config, &CheckArgs::default(), None);
    for warning in plan.iter().flat_map(|plan| plan.insecure(&clients)) {
        log::warn!("{warning}");
    }
    match plan {
        Ok(plan) => {
            let exit = if loaded.problems.is_empty() { Exit::Ok } else { Exit::Config };
            print(&report::setup::describe(&config, &plan), process, exit)
        }
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            Exit::Config
        }
    }
}

/// Prints what the memory of runs answers.
fn answer(process: &Process, time: Duration, ask: impl FnOnce() -> recall::Answer) -> Exit {
    process.watchdog.allow(time);
    process.watchdog.expect("the reading of the memory of runs", Exit::Unknown);
    match ask() {
        Ok((text, exit)) => print(&text, process, exit),
        Err(exit) => exit,
    }
}

/// Before the report comes what was said, if somebody reads it.
const COURTESY: Duration = Duration::from_millis(200);

/// Writes to standard output, without secrets, and gives the status: `exit`, unless that is all well and the report is not. A reader that has
/// gone away (`| head`) is no error.
fn print(text: &str, process: &Process, exit: Exit) -> Exit {
    let unwritten = if exit == Exit::Ok { Exit::Unwritten } else { exit };
    let watchdog = &process.watchdog;
    watchdog.expect("the writing of the report", unwritten);
    logging::flush(Instant::now() + COURTESY.min(watchdog.left()));
    match output::print(&redact::shield(text), watchdog.last_word()) {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            logging::last_words(&format!("the report cannot be written: {}", text::io_error(&error)));
            unwritten
        }
    }
}
