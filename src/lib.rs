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
pub mod metrics;
pub mod notify;
pub mod plan;
pub mod recall;
pub mod redact;
pub mod report;
pub mod retry;
mod run;
pub mod state;
pub mod text;

use std::io::{self, Write};

use anstream::AutoStream;
use clap::CommandFactory;

use crate::cli::{CheckArgs, Cli, Color, Command, ConfigArg, Output, StoreArgs, ValidateArgs};
use crate::config::{Environment, Loaded, Problem, Reach, Source};
use crate::exit::Exit;
use crate::logging::Format;
use crate::plan::{Plan, PlanError};

/// The commit that this program is made of, as whoever builds it says in `BALANCE_ALERT_REVISION`.
pub const REVISION: &str = match option_env!("BALANCE_ALERT_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Runs one command and gives the status to end with.
pub fn run(cli: Cli) -> Exit {
    match cli.command {
        Command::Check(args) => {
            set_colour(args.talk.color);
            let exit = run::check(&args);
            if args.output == Output::Nagios { nagios(exit) } else { exit }
        }
        Command::Validate(args) => {
            set_colour(args.talk.color);
            validate(&args)
        }
        Command::Providers(args) => print(&report::setup::providers(args.output)),
        Command::Status(args) => answer(&args.store, || recall::status(&args)),
        Command::History(args) => answer(&args.store, || recall::history(&args)),
        Command::Alerts(args) => answer(&args.store, || recall::alerts(&args)),
        Command::Health(args) => answer(&args.store, || recall::health(&args)),
        Command::Schema => print(config::SCHEMA),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "balance-alert", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

/// The status for a Nagios-like scheduler. Where no run took place, its status line says so.
pub fn nagios(exit: Exit) -> Exit {
    if matches!(exit, Exit::Usage | Exit::Config | Exit::Internal) {
        print(&format!("BALANCE UNKNOWN - {}\n", exit.meaning()));
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

fn validate(args: &ValidateArgs) -> Exit {
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
    for warning in config.warnings() {
        log::warn!("{warning}");
    }
    let printed = match Plan::new(&config, &CheckArgs::default()) {
        Ok(plan) => print(&report::setup::describe(&config, &plan)),
        Err(PlanError::Usage { message, .. } | PlanError::Nothing(message)) => {
            logging::complain(format, &message);
            return Exit::Config;
        }
    };
    if loaded.problems.is_empty() { printed } else { Exit::Config }
}

/// Prints what the memory of runs answers.
fn answer(args: &StoreArgs, ask: impl FnOnce() -> recall::Answer) -> Exit {
    set_colour(args.talk.color);
    match ask() {
        Ok((text, exit)) => {
            let printed = print(&text);
            if printed == Exit::Ok { exit } else { printed }
        }
        Err(exit) => exit,
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Exit {
    let mut out = AutoStream::auto(io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Ok,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            logging::say(&format!("error: the report cannot be written: {}", text::io_error(&error)));
            Exit::Internal
        }
    }
}
