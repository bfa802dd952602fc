//! `balance-alert completions`: a script that completes subcommands and flags in a shell.

use clap::{Args, CommandFactory};

use super::Cli;
use super::open::print;
use crate::process::Process;
use crate::process::exit::Exit;

/// Flags of `completions`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Cli::command(), "balance-alert", &mut script);
    print(&String::from_utf8_lossy(&script), process, Exit::Ok)
}
