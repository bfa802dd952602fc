//! Every flag, subcommand and environment name. No behaviour.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit::{Exit, FailOn};

/// Tells you before an API account, a cloud account or a subscription runs dry.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, after_long_help = after_help(), after_help = "More with --help, exit codes and variables included.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read every account, alert on what is low, report, exit with a status code
    #[command(after_long_help = after_help())]
    Check(Box<CheckArgs>),
    /// List all problems of a config and what a run would do; needs no network
    Validate(ValidateArgs),
    /// List the services that can be read
    Providers(ProvidersArgs),
    /// Print the JSON Schema of the config
    Schema,
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How much is said, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct Talk {
    /// Log more: -v info, -vv debug, -vvv trace
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where the config is.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArg {
    /// The config file; `-` is standard input [default: $XDG_CONFIG_HOME or /etc, balance-alert/config.yaml]
    #[arg(long, short, env = "CONFIG_PATH", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags of `check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Check only this project (repeatable)
    #[arg(long = "project", value_name = "NAME")]
    pub projects: Vec<String>,
    /// Check only this kind
    #[arg(long, value_enum, value_name = "KIND")]
    pub only: Option<Only>,
    /// Read, decide and render, but send nothing: shows what would be sent
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// The form of the report
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// What makes the exit code differ from 0
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub fail_on: FailOn,
    /// Longest time for the whole run, in seconds [default: settings.run_timeout_seconds, 120]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub timeout: Option<Duration>,
    /// Checks at the same time, 1 to 50 [default: settings.max_concurrent_checks, 20]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub concurrency: Option<usize>,
    /// Print problems only: nothing at all when all is well (for cron; json and nagios are always whole)
    #[arg(long, short)]
    pub quiet: bool,
    /// Where runs keep what they remember: a file, or `none` [default: state.path or state.url, else $XDG_STATE_HOME/balance-alert/state.db]
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Ask every account, even if another run has just done so (settings.response_cache_ttl)
    #[arg(long)]
    pub no_cache: bool,
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
}

/// Flags of `validate`.
#[derive(Clone, Debug, Default, Args)]
pub struct ValidateArgs {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// How much is said.
    #[command(flatten)]
    pub talk: Talk,
}

/// Flags of `providers`.
#[derive(Clone, Debug, Default, Args)]
pub struct ProvidersArgs {
    /// The form of the list
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: ListOutput,
}

/// The kinds of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Only {
    /// Accounts with a balance
    Projects,
    /// Mailboxes
    Mailboxes,
    /// Subscriptions
    Subscriptions,
}

impl Only {
    /// The word of the flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Only::Projects => "projects",
            Only::Mailboxes => "mailboxes",
            Only::Subscriptions => "subscriptions",
        }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Table,
    /// One object, for programs
    Json,
    /// One status line with performance data; codes from 64 up become 3
    Nagios,
}

/// The forms of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// The environment variables, with their meaning.
pub const VARIABLES: [(&str, &str); 12] = [
    ("CONFIG_PATH", "the config file, as --config"),
    ("WEBHOOK_URL", "webhook.url; makes a webhook if the config has none"),
    ("WEBHOOK_TYPE", "webhook.type"),
    ("WEBHOOK_SOURCE", "webhook.source"),
    ("MAX_CONCURRENT_CHECKS", "settings.max_concurrent_checks"),
    ("REQUEST_TIMEOUT", "settings.request_timeout_seconds"),
    ("LOG_FORMAT", "text or json, on standard error (default text)"),
    ("LOG_LEVEL", "off, error, warn, info, debug or trace (default warn); RUST_LOG works too"),
    ("NO_COLOR", "no colour, if not empty"),
    ("SSL_CERT_FILE", "the certificate authorities to trust, instead of the system's"),
    ("HTTPS_PROXY", "a proxy for https addresses; HTTP_PROXY, ALL_PROXY and NO_PROXY likewise"),
    ("XDG_CONFIG_HOME", "where balance-alert/config.yaml is looked for"),
];

fn after_help() -> String {
    let variables: String = VARIABLES.iter().map(|(name, what)| format!("  {name:<22} {what}\n")).collect();
    format!(
        "Exit codes:\n{}  64, 70 and 78 end at once; otherwise 75 outweighs 2, 2 outweighs 3, 3 outweighs 1.\n\n\
         Environment variables (a `.env` file beside the config is read too; the real environment wins):\n{variables}",
        Exit::table()
    )
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if seconds > 0.0 && seconds <= 86_400.0 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must be above 0 and at most 86400".to_owned())
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("not a whole number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        for (name, _) in VARIABLES {
            assert!(help.contains(name), "{name}");
        }
    }
}
