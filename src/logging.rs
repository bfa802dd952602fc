//! Talk on standard error: text for people, or one JSON object a line.
//!
//! `json_env_logger` writes string fields bare unless they are captured with `:?`, so every field in this program that
//! is text is written `key:? = value`; a test parses every line of a noisy run.

use std::io::Write;

use log::LevelFilter;

use crate::config::Environment;

/// The form of logs and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. Levels: `-v` flags, else `LOG_LEVEL`, else `RUST_LOG`, else `warn`.
///
/// A word that `LOG_FORMAT` or `LOG_LEVEL` cannot be is warned of; how a run logs never decides whether it runs.
pub fn init(environment: &Environment, verbose: u8) -> Format {
    let mut warnings = Vec::new();
    let format = match environment.overlay("LOG_FORMAT") {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(other) => {
            warnings.push(format!("the variable `LOG_FORMAT` cannot be `{other}`; it is text or json"));
            Format::Text
        }
    };
    let filter = match (verbose, environment.overlay("LOG_LEVEL")) {
        (0, None) => None,
        (0, Some(level)) => {
            let parsed = level.parse::<LevelFilter>().ok();
            if parsed.is_none() {
                let words = "off, error, warn, info, debug or trace";
                warnings.push(format!("the variable `LOG_LEVEL` cannot be `{level}`; it is {words}"));
            }
            parsed
        }
        (1, _) => Some(LevelFilter::Info),
        (2, _) => Some(LevelFilter::Debug),
        _ => Some(LevelFilter::Trace),
    };
    // The libraries below speak of addresses and headers, which hold credentials: only this program is heard.
    let own = |level: LevelFilter| format!("balance_alert={level}");
    let spec = match (filter, environment.overlay("RUST_LOG")) {
        (Some(level), _) => own(level),
        (None, Some(spec)) => spec.split(',').filter_map(only_own).collect::<Vec<_>>().join(","),
        (None, None) => own(LevelFilter::Warn),
    };
    let started = match format {
        Format::Json => json_env_logger::builder().parse_filters(&spec).try_init().is_ok(),
        Format::Text => env_logger::Builder::new()
            .parse_filters(&spec)
            .format(|out, record| {
                let level = match record.level() {
                    log::Level::Error => "error",
                    log::Level::Warn => "warning",
                    log::Level::Info => "info",
                    log::Level::Debug => "debug",
                    log::Level::Trace => "trace",
                };
                write!(out, "{level}: {}", record.args())?;
                record.key_values().visit(&mut Fields(out)).map_err(std::io::Error::other)?;
                writeln!(out)
            })
            .try_init()
            .is_ok(),
    };
    debug_assert!(started, "logging is started once");
    for warning in warnings {
        log::warn!("{warning}");
    }
    format
}

/// A directive of `RUST_LOG`, if it is about this program.
fn only_own(directive: &str) -> Option<String> {
    let directive = directive.trim();
    match directive.parse::<LevelFilter>() {
        Ok(level) => Some(format!("balance_alert={level}")),
        Err(_) => directive.starts_with("balance_alert").then(|| directive.to_owned()),
    }
}

struct Fields<'a, W: Write>(&'a mut W);

impl<'kvs, W: Write> log::kv::VisitSource<'kvs> for Fields<'_, W> {
    fn visit_pair(&mut self, key: log::kv::Key<'kvs>, value: log::kv::Value<'kvs>) -> Result<(), log::kv::Error> {
        write!(self.0, " {key}={value}").map_err(log::kv::Error::boxed)
    }
}

/// Says that something is wrong: `error:` for people, a record of level ERROR for programs.
pub fn complain(format: Format, message: &str) {
    match format {
        Format::Json => say(&record("ERROR", message)),
        Format::Text => say(&format!("error: {message}")),
    }
}

/// Prints a warning that no log level must hide.
pub fn caution(format: Format, message: &str) {
    match format {
        Format::Json => say(&record("WARN", message)),
        Format::Text => say(&format!("warning: {message}")),
    }
}

/// Prints an alert: as it stands for people, as a record of level WARN for programs.
pub fn announce(format: Format, text: &str) {
    match format {
        Format::Json => say(&record("WARN", text)),
        Format::Text => say(text),
    }
}

/// A line in the form of the JSON log. It is written past the log, whose level must not swallow an alert.
fn record(level: &str, message: &str) -> String {
    let ts = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    serde_json::json!({ "level": level, "ts": ts, "msg": message }).to_string()
}

/// The end of a run that panicked, in the form of the log if there is one.
pub fn last_words(message: &str) {
    if log::max_level() == LevelFilter::Off {
        say(&format!("error: {message}"));
    } else {
        log::error!("{message}");
    }
}

/// A line on standard error. That nobody reads it is no reason to stop.
pub fn say(line: &str) {
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "{line}");
}
