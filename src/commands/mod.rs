//! One file for each subcommand: its flags and what it does. The list of them is here.

mod as_found;
mod mails_told;
mod memory;
mod open;
mod said;

use clap::{Parser, Subcommand};

use self::open::print;
use crate::cli::{after_help, version, wanted};
use crate::process::environment::{Environment, arguments};
use crate::process::exit::Exit;
use crate::process::{Process, logging, redact};
use crate::report::{Output, unmade};

/// Tells you before an API account, a cloud account or a subscription runs dry.
#[derive(Debug, Parser)]
#[command(version = version(), about, propagate_version = true, after_long_help = after_help(), after_help = "More with --help, exit codes and variables included.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// Declares the subcommands: the word, its sentence in `--help`, and the file that holds its `Flags` and its `run`.
macro_rules! commands {
    ($($(#[$attribute:meta])+ $name:ident = $file:ident;)+) => {
        $(mod $file;)+

        /// The subcommands.
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[$attribute])+ $name(Box<$file::Flags>),)+
        }

        /// Runs one command and gives the status to end with.
        pub fn run(cli: Cli, process: &Process) -> Exit {
            match cli.command {
                $(Command::$name(flags) => $file::run(&flags, process),)+
            }
        }
    };
}

commands! {
    /// Read every account, alert on what is low, report, exit with a status code
    #[command(after_long_help = after_help())]
    Check = check;
    /// Write a first config and its file of secrets, from the keys that are there or are asked for
    Init = init;
    /// List all problems of a config and what a run would do; needs no network
    Validate = validate;
    /// Look at the config, its variables, the clock, the memory and the schedule, and with --network at every host: a line each, with what to do
    Doctor = doctor;
    /// Show the last known state of everything, from the memory of runs alone
    Status = status;
    /// Show the history of balances: minimum, maximum, mean, change
    History = history;
    /// Tell what a day, a week or a month came to: per currency, what runs dry first, what renews, what cannot be read
    Digest = digest;
    /// List alerts: sent, pending and expired
    Alerts = alerts;
    /// Write a page of all this, to be looked at in a browser: charts, forecasts, alerts, silences, mails, subscriptions, runs
    Report = report;
    /// Say why somebody is told of an account, a mailbox or a subscription, or not, and what would change that
    Why = why;
    /// Run a config over the past in the memory of runs: which alerts it would have sent, beside those that were sent
    Backtest = backtest;
    /// Say what a run saw and decided, as far as the memory of runs still knows it
    Replay = replay;
    /// Tell nobody of something for a while
    Silence = silence;
    /// List what is silenced and acknowledged
    Silences = silences;
    /// End silences and acknowledgements
    Unsilence = unsilence;
    /// Acknowledge what is wrong: nobody is told again until it is over or gets worse
    Ack = ack;
    /// Note that a subscription was paid
    Paid = paid;
    /// Print in one line whether the last run is recent and worked: exit 0, 2 if it is stale, 3 if it failed
    Health = health;
    /// List the services that can be read
    Providers = providers;
    /// List the services that alerts can be sent to, or describe one
    Channels = channels;
    /// Try the channels of a config: send one marked message, or show what it would be
    Notify = notify;
    /// Test mail files: whether each would be an alert, and why
    Mail = mail;
    /// Print the JSON Schema of the config
    Schema = schema;
    /// Print a completion script
    Completions = completions;
}

/// Runs the child process that reads one mail on trial, if this process was started as it: not a command for people.
pub fn on_trial(process: &Process) -> Option<Exit> {
    let is_it = std::env::args_os().nth(1).is_some_and(|argument| argument == crate::check::mailbox::isolated::COMMAND);
    is_it.then(|| crate::check::mailbox::isolated::stand(process))
}

/// The end of the process: the status as the scheduler sees it. Where no run or answer came of it, the format that was asked for says
/// so on standard output, so that a pipe behind it does not take silence for all well.
pub fn close(exit: Exit, process: &Process) -> Exit {
    let Some(output) = wanted(&arguments()) else { return exit };
    let shown = if output == Output::Nagios { exit.for_nagios() } else { exit };
    if matches!(exit, Exit::Usage | Exit::Config | Exit::Internal) && !open::has_printed() {
        let complaints = logging::complaints();
        if output == Output::Github {
            let text = unmade(Output::Markdown, exit, &complaints);
            let left = process.watchdog.left();
            check::output::summarise(&Environment::of_process(), &redact::shield_report(&text), left);
        }
        let text = unmade(output, exit, &complaints);
        if !text.is_empty() {
            print(&text, process, shown);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::variables;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound_and_help_is_complete() {
        Cli::command().debug_assert();
        let help = Cli::command().render_long_help().to_string();
        // Long lines are wrapped to the terminal.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{exit:?}");
        }
        for (name, _) in variables() {
            assert!(help.contains(name), "{name}");
        }
    }
}
