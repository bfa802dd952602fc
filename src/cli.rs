//! The flags that several subcommands share, those of `check`, and the names of the environment variables.
//!
//! The flags of every other subcommand stand in its own file in `commands/`.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, ValueEnum};
use jiff::{Timestamp, civil};

use crate::model::shard::Shard;
use crate::model::text::{NO_LENGTH, nearest, parse_length};
use crate::model::words::words;
use crate::process::environment::Environment;
use crate::process::exit::{Exit, FailOn};
use crate::report::Output;

/// Adds to a usage error what was probably meant: `--config` where a file stands alone, and of the subcommands only the nearest.
pub fn with_tip(mut error: clap::Error) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let is_config = |word: &String| {
                !word.starts_with('-') && [".yaml", ".yml", ".json"].iter().any(|ending| word.ends_with(ending))
            };
            if let Some(word) = text(ContextKind::InvalidArg).filter(is_config) {
                let tip = format!("a config is named with '--config {word}'");
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
            }
        }
        ErrorKind::InvalidSubcommand => {
            if let (Some(word), Some(ContextValue::Strings(names))) =
                (text(ContextKind::InvalidSubcommand), error.get(ContextKind::SuggestedSubcommand))
                && let Some(near) = nearest(&word, names.iter().map(String::as_str)).map(str::to_owned)
            {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::String(near));
            }
        }
        _ => {}
    }
    error
}

/// The format that the arguments ask for, also where they cannot be parsed: the word behind the last `--output` or `-o`, which may stand
/// behind other letters, as in `-qojson`.
pub(crate) fn wanted(arguments: &[String]) -> Option<Output> {
    let mut word = None;
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let value = match argument.strip_prefix("--output") {
            Some(value) => Some(value),
            None => {
                argument.strip_prefix('-').and_then(|short| short.trim_start_matches(['n', 'q', 'v']).strip_prefix('o'))
            }
        };
        match value {
            Some("") => word = rest.next().map(String::as_str),
            Some(value) if argument.starts_with("--") => word = value.strip_prefix('=').or(word),
            Some(value) => word = Some(value.strip_prefix('=').unwrap_or(value)),
            None => {}
        }
    }
    Output::from_str(word?, false).ok()
}

/// Verbosity and colour.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Talk {
    /// Log more: -v info, -vv debug, -vvv trace
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: Color,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
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
pub(crate) struct ConfigArg {
    /// The config file; `-` is standard input [default: CONFIG_PATH, else $XDG_CONFIG_HOME or /etc, balance-alert/config.yaml]
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags of `check`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CheckArgs {
    /// Where the config is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Check only this project (repeatable)
    #[arg(long = "project", value_name = "NAME")]
    pub projects: Vec<String>,
    /// Check only this kind
    #[arg(long, value_enum, value_name = "KIND")]
    pub only: Option<Only>,
    /// Check only the I-th of N parts, counted from 0, where several runs share the checks; `auto` takes I from JOB_COMPLETION_INDEX and N from BALANCE_ALERT_SHARDS [default: BALANCE_ALERT_SHARD]
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<ShardArg>,
    /// Send nothing; show what would be sent
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// The format of the report
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Also write the report into a file, in this format: `json=report.json` (repeatable)
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = parse_report)]
    pub reports: Vec<ReportFile>,
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
    /// How many days back to read mails when there is no memory or the mailbox is new, 1 to 30 [default: email_settings.days, 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub email_days: Option<u32>,
    /// Exit with 75 if the metrics are not delivered
    #[arg(long)]
    pub strict_metrics: bool,
    /// Scheduled start of this run, for the lag metric (2026-11-01T12:00:00Z) [default: from BALANCE_ALERT_JOB_NAME, else the run before]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub scheduled_at: Option<Timestamp>,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

/// Where the memory of runs is.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StoreArgs {
    /// Where the config is that says where the memory is.
    #[command(flatten)]
    pub config: ConfigArg,
    /// The memory of runs: a file [default: as the config says, else $XDG_STATE_HOME/balance-alert/state.db]
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Verbosity and colour.
    #[command(flatten)]
    pub talk: Talk,
}

/// The beginning of a period that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// This long ago.
    Ago(Duration),
    /// At this time.
    At(Timestamp),
}

impl Since {
    /// The point in time that is meant.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Since::Ago(duration) => now.checked_sub(duration).unwrap_or(Timestamp::MIN),
            Since::At(at) => at,
        }
    }
}

impl std::fmt::Display for Since {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Since::Ago(duration) => write!(f, "{} ago", crate::model::text::span(*duration)),
            Since::At(at) => write!(f, "{}", at.strftime("%Y-%m-%d %H:%M UTC")),
        }
    }
}

/// Which part of all checks is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShardArg {
    /// All checks: the variable is set, but empty.
    Whole,
    /// The part that the variables of an Indexed Job name.
    Auto,
    /// This part.
    Of(Shard),
}

/// The variable in which an Indexed Job of Kubernetes says which pod this is, from 0.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
/// The variable that says how many pods there are, which Kubernetes does not.
const COUNT_VARIABLE: &str = "BALANCE_ALERT_SHARDS";

/// The variable that stands for `--shard`.
const SHARD_VARIABLE: &str = "BALANCE_ALERT_SHARD";

impl CheckArgs {
    /// The part of all checks that the flag or the variable names; none for all.
    ///
    /// # Errors
    /// What is wrong with the variables that it is to be taken from.
    pub(crate) fn shard(&self, environment: &Environment) -> Result<Option<Shard>, String> {
        let chosen = match (self.shard, environment.overlay(SHARD_VARIABLE)) {
            (Some(flag), _) => flag,
            (None, Some(text)) => parse_shard(text).map_err(|why| format!("the variable {SHARD_VARIABLE}: {why}"))?,
            (None, None) => return Ok(None),
        };
        let number = |name: &str| {
            let text = environment.overlay(name).ok_or_else(|| format!("the variable {name} is not set"))?;
            text.parse::<u32>().map_err(|_| format!("the variable {name} does not hold a whole number"))
        };
        let auto = || Shard::new(number(INDEX_VARIABLE)?, number(COUNT_VARIABLE)?);
        match chosen {
            ShardArg::Whole => Ok(None),
            ShardArg::Of(shard) => Ok(Some(shard)),
            ShardArg::Auto => auto().map(Some).map_err(|why| format!("`--shard auto`: {why}")),
        }
    }
}

/// A report that goes into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReportFile {
    /// Its format.
    pub output: Output,
    /// The file, which is replaced.
    pub path: PathBuf,
}

words! { flag
    /// The kinds of checks.
    pub(crate) enum Only {
        /// Accounts with a balance
        Projects = "projects",
        /// Mailboxes
        Mailboxes = "mailboxes",
        /// Subscriptions
        Subscriptions = "subscriptions",
    }
}

/// The environment variables that stand for no key of the config, with their meaning.
const VARIABLES: [(&str, &str); 17] = [
    ("CONFIG_PATH", "the config file, as --config; not from .env, which is looked for beside that file"),
    ("BALANCE_ALERT_STATE", "where runs keep what they remember, as --state; also a postgres:// address"),
    ("BALANCE_ALERT_JOB_NAME", "the name of the Kubernetes Job, whose end is its scheduled time; for the lag metric"),
    (
        "BALANCE_ALERT_RUN_ID",
        "the id of the run, so that a repeated run has the same (default: time and random digits)",
    ),
    (SHARD_VARIABLE, "the part of the checks that this run is about, as --shard"),
    (COUNT_VARIABLE, "how many parts there are, for --shard auto"),
    (INDEX_VARIABLE, "which of them this is, from 0, for --shard auto; an Indexed Job of Kubernetes sets it"),
    ("LOG_FORMAT", "text or json, on standard error (default text)"),
    ("LOG_LEVEL", "off, error, warn, info, debug or trace (default warn); RUST_LOG works too"),
    ("NO_COLOR", "no colour, if not empty"),
    (
        "SSL_CERT_FILE",
        "a file of certificate authorities to trust, beside the system's; SSL_CERT_DIR is a directory of them",
    ),
    ("TZDIR", "the folder with the rules of time zones (default that of the system, and what is built in)"),
    ("HTTPS_PROXY", "a proxy for https addresses; HTTP_PROXY, ALL_PROXY and NO_PROXY likewise"),
    ("XDG_CONFIG_HOME", "where balance-alert/config.yaml is looked for; not from .env either"),
    ("GITHUB_STEP_SUMMARY", "the file that --output github adds the Markdown to; GitHub Actions sets it"),
    ("LANG", "the language of what `init` writes, if it begins with zh; LC_ALL and LC_MESSAGES come before it"),
    ("XDG_STATE_HOME", "where balance-alert/state.db is kept (default ~/.local/state)"),
];

/// Every environment variable, with its meaning: first those that stand for keys of the config.
pub fn variables() -> Vec<(&'static str, String)> {
    let others = VARIABLES.iter().map(|(name, what)| (*name, (*what).to_owned()));
    crate::config::variables().into_iter().chain(others).collect()
}

/// Version and commit.
pub(crate) fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| format!("{} (commit {})", env!("CARGO_PKG_VERSION"), crate::process::REVISION));
    &VERSION
}

/// What stands below the flags in `--help`: exit codes and variables.
pub(crate) fn after_help() -> String {
    let variables: String = variables().iter().map(|(name, what)| format!("  {name:<30} {what}\n")).collect();
    format!(
        "Exit codes:\n{}  64, 70 and 78 end at once; otherwise 75 outweighs 2, 2 outweighs 3, 3 outweighs 1, and 74 only stands for 0.\n\n\
         Environment variables (a `.env` file beside the config is read too; the real environment wins; empty is not set):\n{variables}",
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

fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not a time such as 2026-11-01T12:00:00Z".to_owned())
}

/// `7d`, `15m`, `1h30m`: whole numbers with s, m, h, d or w; or a date in UTC, with a time or without.
pub(crate) fn parse_since(text: &str) -> Result<Since, String> {
    let wrong = || "not a time such as 7d, 15m, 1h30m or 2026-11-01".to_owned();
    let date = text.parse::<civil::Date>().ok().filter(|_| text.len() == "2026-11-01".len());
    let at = match date {
        Some(date) => date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        None => text.parse::<Timestamp>().ok(),
    };
    if let Some(at) = at {
        let is_past = at <= crate::process::clock::now();
        return if is_past { Ok(Since::At(at)) } else { Err("it lies in the future".to_owned()) };
    }
    parse_length(text).map(Since::Ago).map_err(|why| if why == NO_LENGTH { wrong() } else { why })
}

fn parse_shard(text: &str) -> Result<ShardArg, String> {
    match text.trim() {
        "" => Ok(ShardArg::Whole),
        "auto" => Ok(ShardArg::Auto),
        text => text.parse().map(ShardArg::Of),
    }
}

fn parse_report(text: &str) -> Result<ReportFile, String> {
    let (format, path) = text.split_once('=').ok_or("not a format and a file, such as json=report.json")?;
    let output = Output::from_str(format, true).map_err(|_| {
        let known: Vec<_> = Output::value_variants().iter().filter_map(Output::to_possible_value).collect();
        format!(
            "there is no format `{format}`: {}",
            crate::model::text::list(known.iter().map(|known| known.get_name()))
        )
    })?;
    match path {
        "" => Err("the file has no name".to_owned()),
        path => Ok(ReportFile { output, path: path.into() }),
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
    use crate::check::mailbox::config::EmailSettings;
    use crate::config::Settings;

    #[test]
    fn the_help_of_a_flag_names_the_default_of_the_config() {
        let settings = Settings::default();
        let command = CheckArgs::augment_args(clap::Command::new("check"));
        for (flag, want) in [
            ("timeout", format!("[default: settings.run_timeout_seconds, {}]", settings.run_timeout.as_secs())),
            ("concurrency", format!("[default: settings.max_concurrent_checks, {}]", settings.max_concurrent_checks)),
            ("email_days", format!("[default: email_settings.days, {}]", EmailSettings::default().days)),
        ] {
            let argument = command.get_arguments().find(|argument| argument.get_id() == flag).unwrap();
            let help = argument.get_help().unwrap().to_string();
            assert!(help.ends_with(&want), "{flag}: {help}");
        }
    }

    #[test]
    fn the_format_is_known_though_the_arguments_are_wrong() {
        for (arguments, want) in [
            ("check --output json", Some(Output::Json)),
            ("check --output=json --nonsense", Some(Output::Json)),
            ("check -o json", Some(Output::Json)),
            ("check -ojson", Some(Output::Json)),
            ("check -o=json", Some(Output::Json)),
            ("check -qvvo json", Some(Output::Json)),
            ("check -nqojunit", Some(Output::Junit)),
            ("--output github", Some(Output::Github)),
            ("check -o json -o nagios", Some(Output::Nagios)),
            ("check --output", None),
            ("check -o", None),
            ("check -o JSON", None),
            ("check --outputs json", None),
            ("check --only projects", None),
            ("check --config o", None),
            ("check json", None),
        ] {
            let arguments: Vec<String> =
                ["balance-alert"].into_iter().chain(arguments.split(' ')).map(str::to_owned).collect();
            assert_eq!(wanted(&arguments), want, "{arguments:?}");
        }
    }

    #[test]
    fn times_are_spans_or_dates_and_nothing_else() {
        for (text, want) in
            [("7d", 604_800), ("15m", 900), ("1h30m", 5400), ("2w", 1_209_600), ("45s", 45), ("1d12h", 129_600)]
        {
            assert_eq!(parse_since(text), Ok(Since::Ago(Duration::from_secs(want))), "{text}");
        }
        for (text, want) in [
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T12:30:00Z", "2026-11-01T12:30:00Z"),
            ("2026-11-01T12:30:00+08:00", "2026-11-01T04:30:00Z"),
        ] {
            assert_eq!(parse_since(text), Ok(Since::At(want.parse().unwrap())), "{text}");
        }
        for text in [
            "",
            "7",
            "d",
            "7x",
            "-7d",
            "+7d",
            "7.5d",
            "7 d",
            "0d",
            "7d!",
            "2026-13-01",
            "2026-02-30",
            "2026-11",
            "20261101",
            "9999-01-01",
            "yesterday",
            "99999999999999999999d",
            "200w9999999d",
            "７d",
            "NaN",
        ] {
            assert!(parse_since(text).is_err(), "{text}");
        }
    }
}
