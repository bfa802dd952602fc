//! One file for each subcommand.

mod alerts;
mod check;
mod health;
mod history;
mod memory;
mod open;
mod setup;
mod status;
mod validate;

use std::time::Duration;

use clap::CommandFactory;

use self::open::print;
use crate::cli::{Cli, Command};
use crate::config;
use crate::process::exit::Exit;
use crate::process::{Process, watchdog};
use crate::report::Output;

/// The time of a command that a probe may ask again and again.
const PROBE: Duration = Duration::from_secs(60);

/// Reads a mail and gives the status to end with, if that is what this process was started for: not a command for people.
pub fn on_trial(process: &Process) -> Option<Exit> {
    let is_it = std::env::args_os().nth(1).is_some_and(|argument| argument == crate::check::mailbox::trial::COMMAND);
    is_it.then(|| crate::check::mailbox::trial::stand(process))
}

/// Runs one command and gives the status to end with.
pub fn run(cli: Cli, process: &Process) -> Exit {
    match cli.command {
        Command::Check(args) => {
            let exit = check::run(&args, process);
            if args.output == Output::Nagios { nagios(exit, process) } else { exit }
        }
        Command::Validate(args) => validate::run(&args, process),
        Command::Providers(args) => print(&setup::providers(args.output), process, Exit::Ok),
        Command::Status(args) => answer(process, watchdog::LONGEST, || status::run(&args)),
        Command::History(args) => answer(process, watchdog::LONGEST, || history::run(&args)),
        Command::Alerts(args) => answer(process, watchdog::LONGEST, || alerts::run(&args)),
        Command::Health(args) => answer(process, PROBE, || health::run(&args)),
        Command::Schema => print(&config::schema_text(), process, Exit::Ok),
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

/// Prints what the memory of runs answers.
fn answer(process: &Process, time: Duration, ask: impl FnOnce() -> memory::Answer) -> Exit {
    process.watchdog.allow(time);
    process.watchdog.expect("the reading of the memory of runs", Exit::Unknown);
    match ask() {
        Ok((text, exit)) => print(&text, process, exit),
        Err(exit) => exit,
    }
}
