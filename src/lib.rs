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
pub mod text;

use std::io;
use std::time::{Duration, Instant};

use clap::CommandFactory;

use crate::cli::{CheckArgs, Cli, Color, Command, ConfigArg, Output, StoreArgs, ValidateArgs};
use crate::config::{Environment, Loaded, Problem, Reach, Source};
use crate::exit::Exit;
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

/// Runs one command and gives the status to end with.
pub fn run(cli: Cli, process: &Process) -> Exit {
    match cli.command {
        Command::Check(args) => {
            set_colour(args.talk.color);
            let exit = run::check(&args, process);
            if args.output == Output::Nagios { nagios(exit, process) } else { exit }
        }
        Command::Validate(args) => {
            set_colour(args.talk.color);
            validate(&args, process)
        }
        Command::Providers(args) => print(&report::setup::providers(args.output), process, Exit::Ok),
        Command::Status(args) => answer(&args.store, process, watchdog::LONGEST, || recall::status(&args)),
        Command::History(args) => answer(&args.store, process, watchdog::LONGEST, || recall::history(&args)),
        Command::Alerts(args) => answer(&args.store, process, watchdog::LONGEST, || recall::alerts(&args)),
        Command::Health(args) => answer(&args.store, process, PROBE, || recall::health(&args)),
        Command::TryMail => check::mailbox::trial::stand(process),
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

fn set_colour(color: Color) {
    let choice = match color {
        // The library's own rule per stream: a terminal, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`.
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Reads the config and starts logging; problems that stop everything are printed.
fn open(config: &ConfigArg, verbose: u8) -> Result<(Format, Source, Loaded), Exit> {
    // clap cannot say whether a flag or the variable gave the value; the same text in both comes to the same.
    let variable =
        std::env::var_os("CONFIG_PATH").filter(|path| config.config.as_ref().is_some_and(|c| c.as_os_str() == path));
    let source = Source::find(config.config.as_deref(), variable.map(|_| "CONFIG_PATH"));
    let environment = Environment::read(source.as_ref().ok().map(Source::folder).as_deref());
    let format = logging::init(&environment, verbose);
    let source = source.map_err(|problem| {
        logging::complain(format, &problem.to_string());
        Exit::Config
    })?;
    let loaded = config::load(&source, &environment);
    Ok((format, source, loaded))
}

fn complain_all(format: Format, problems: &[Problem]) {
    for problem in problems {
        logging::complain(format, &problem.to_string());
    }
}

fn validate(args: &ValidateArgs, process: &Process) -> Exit {
    process.watchdog.expect("the reading of the config", Exit::Config);
    let (format, source, loaded) = match open(&args.config, args.talk.verbose) {
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
    for warning in config.warnings().iter().chain(config.advice()) {
        log::warn!("{warning}");
    }
    match Plan::new(&config, &CheckArgs::default()) {
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
fn answer(args: &StoreArgs, process: &Process, time: Duration, ask: impl FnOnce() -> recall::Answer) -> Exit {
    set_colour(args.talk.color);
    process.watchdog.allow(time);
    process.watchdog.expect("the reading of the memory of runs", Exit::Unknown);
    match ask() {
        Ok((text, exit)) => print(&text, process, exit),
        Err(exit) => exit,
    }
}

/// Before the report comes what was said, if somebody reads it.
const COURTESY: Duration = Duration::from_millis(200);

/// Writes to standard output, and gives the status: `exit`, unless that is all well and the report is not. A reader that has
/// gone away (`| head`) is no error.
fn print(text: &str, process: &Process, exit: Exit) -> Exit {
    let unwritten = if exit == Exit::Ok { Exit::Unwritten } else { exit };
    let watchdog = &process.watchdog;
    watchdog.expect("the writing of the report", unwritten);
    logging::flush(Instant::now() + COURTESY.min(watchdog.left()));
    match output::print(text, watchdog.last_word()) {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            logging::last_words(&format!("the report cannot be written: {}", text::io_error(&error)));
            unwritten
        }
    }
}
