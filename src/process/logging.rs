//! Talk on standard error: text for people, or one JSON object a line.
//!
//! `json_env_logger` writes fields as they display themselves, so here each value is made JSON before it gets it: whatever a
//! name or a message holds, a line is one object. In text no character controls the terminal. How lines reach standard error
//! without holding anybody back is in `process::output`.

mod json;

use std::fmt::Write as _;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use json_env_logger::env_logger::Logger as JsonLogger;
use log::{Level, LevelFilter, Log, Metadata, Record};
use serde::Serialize;

use self::json::{Fields, JsonLine, json_logger, record};
use crate::process::environment::Environment;
use crate::process::interrupt::Deadline;
use crate::process::{output, quote_input, redact};

/// The form of logs and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// The one that `LOG_FORMAT` names, or text.
    fn of(environment: &Environment) -> Format {
        if environment.overlay("LOG_FORMAT") == Some("json") { Format::Json } else { Format::Text }
    }
}

/// The form that this process has chosen, once it has.
static CHOSEN: OnceLock<Format> = OnceLock::new();

/// Starts logging. Levels: `-v` flags, else `LOG_LEVEL`, else `RUST_LOG`, else `warn`.
///
/// A word that `LOG_FORMAT` or `LOG_LEVEL` cannot be is warned of; how a run logs never decides whether it runs.
pub(crate) fn init(environment: &Environment, verbose: u8) -> Format {
    let mut warnings = Vec::new();
    let format = Format::of(environment);
    if let Some(other) = environment.overlay("LOG_FORMAT").filter(|word| !["text", "json"].contains(word)) {
        warnings.push(format!("the variable `LOG_FORMAT` {}; it is text or json", cannot_be(other, &["text", "json"])));
    }
    let filter = match (verbose, environment.overlay("LOG_LEVEL")) {
        (0, None) => None,
        (0, Some(level)) => {
            let parsed = level.parse::<LevelFilter>().ok();
            if parsed.is_none() {
                let known = ["off", "error", "warn", "info", "debug", "trace"];
                let words = "off, error, warn, info, debug or trace";
                warnings.push(format!("the variable `LOG_LEVEL` {}; it is {words}", cannot_be(level, &known)));
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
    let filter = env_logger::Builder::new().parse_filters(&spec).build();
    let level = filter.filter();
    let talk = match format {
        Format::Text => Talk { filter, json: None },
        Format::Json => Talk { filter, json: Some(json_logger()) },
    };
    let started = log::set_boxed_logger(Box::new(talk)).map(|()| log::set_max_level(level)).is_ok();
    debug_assert!(started, "logging is started once");
    let _ = CHOSEN.set(format);
    for warning in warnings {
        log::warn!("{warning}");
    }
    format
}

/// What is said of a value in the place of known words, which is repeated only if it cannot be a secret.
fn cannot_be(value: &str, known: &[&str]) -> String {
    quote_input::among(value, known)
        .map_or_else(|| "holds another word".to_owned(), |word| format!("cannot be `{word}`"))
}

/// A directive of `RUST_LOG`, if it is about this program.
fn only_own(directive: &str) -> Option<String> {
    let directive = directive.trim();
    match directive.parse::<LevelFilter>() {
        Ok(level) => Some(format!("balance_alert={level}")),
        Err(_) => directive.starts_with("balance_alert").then(|| directive.to_owned()),
    }
}

/// What decides which records are heard, and hands them on as lines.
struct Talk {
    filter: env_logger::Logger,
    /// Words records as JSON; the thread that writes to standard error calls it.
    json: Option<&'static JsonLogger>,
}

impl Log for Talk {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if !self.filter.matches(record) {
            return;
        }
        let is_urgent = record.level() <= Level::Warn;
        match self.json {
            None => output::say(text_line(record).into_bytes(), is_urgent),
            Some(json) => {
                let line = JsonLine::of(record);
                output::say_with(line.size(), is_urgent, move || line.write(json));
            }
        }
    }

    fn flush(&self) {}
}

fn text_line(record: &Record) -> String {
    let level = match record.level() {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    let mut fields = Fields(Vec::new());
    // Collecting does not fail.
    let _ = record.key_values().visit(&mut fields);
    let mut line = format!("{level}: {}", record.args());
    for (key, value) in fields.0 {
        // Writing to memory does not fail either.
        let _ = write!(line, " {key}={}", value.0);
    }
    harmless(&redact::shield(&line)) + "\n"
}

/// Text without what a terminal would obey. Line feeds stay: a hint has a line of its own.
fn harmless(text: &str) -> String {
    let is_obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_obeyed) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_obeyed(c) { '\u{FFFD}' } else { c }).collect()
}

/// Something that was complained of, and the place in a file that it is about, if it is about one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Complaint {
    pub file: Option<String>,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
}

impl Complaint {
    /// In one text: `config.yaml:12:7: what is wrong`.
    pub(crate) fn shown(&self) -> String {
        let numbers = [self.line, self.column].into_iter().flatten().map(|number| format!("{number}:"));
        let place = self.file.as_ref().map(|file| format!("{file}:{} ", numbers.collect::<String>()));
        format!("{}{}", place.unwrap_or_default(), self.message)
    }
}

/// What this process has complained of: whoever reads standard output alone is told of it there when there is no report.
static COMPLAINTS: Mutex<Vec<Complaint>> = Mutex::new(Vec::new());

/// Notes a complaint that is said elsewhere.
pub(crate) fn note(complaint: Complaint) {
    COMPLAINTS.lock().unwrap_or_else(PoisonError::into_inner).push(complaint);
}

/// Notes what is wrong with the command line, which the parser of it says: its first lines, without the advice below.
pub fn note_usage(text: &str) {
    let message = text.split("\n\nUsage:").next().unwrap_or(text).trim().trim_start_matches("error: ");
    note(Complaint { message: message.to_owned(), ..Complaint::default() });
}

/// All complaints so far, in their order.
pub(crate) fn complaints() -> Vec<Complaint> {
    COMPLAINTS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Says that something is wrong: `error:` for people, a record of level ERROR for programs.
pub(crate) fn complain(format: Format, message: &str) {
    note(Complaint { message: message.to_owned(), ..Complaint::default() });
    say_error(format, message);
}

/// The same without a note of it.
pub(crate) fn say_error(format: Format, message: &str) {
    match format {
        Format::Json => say(&record("ERROR", message)),
        Format::Text => say(&format!("error: {message}")),
    }
}

/// Prints a warning that no log level must hide.
pub(crate) fn caution(format: Format, message: &str) {
    match format {
        Format::Json => say(&record("WARN", message)),
        Format::Text => say(&format!("warning: {message}")),
    }
}

/// Prints an alert: as it stands for people, as a record of level WARN for programs.
///
/// # Errors
/// Why it was not taken.
pub(crate) fn announce(format: Format, text: &str, until: &Deadline) -> io::Result<()> {
    let text = &*redact::shield(text);
    let line = match format {
        Format::Json => record("WARN", text),
        Format::Text => harmless(text),
    };
    output::say_within((line + "\n").into_bytes(), until)
}

/// The end of a run that cannot begin, that panicked, or that is given up, in the form of the log.
pub fn last_words(message: &str) {
    complain(CHOSEN.get().copied().unwrap_or_else(|| Format::of(&Environment::of_process())), message);
}

/// A line on standard error, without secrets. That nobody reads it is no reason to stop.
pub(crate) fn say(line: &str) {
    output::say((harmless(&redact::shield(line)) + "\n").into_bytes(), true);
}

/// Waits until all is written that was said, as far as it is taken until then.
pub fn flush(until: Instant) {
    let lost = output::flush(until);
    if lost > 0 {
        let lines = crate::model::text::plural(lost, "line");
        log::warn!("{lines} of the log are lost, because nobody read standard error for a while");
        output::flush(until);
    }
}

#[cfg(test)]
mod tests {
    use log::kv::Value;

    use super::*;

    /// What names and messages may hold.
    pub(super) const HOSTILE: [&str; 14] = [
        "plain",
        "",
        "\u{1b}[31mred\u{1b}[0m",
        "\0\u{1}\u{7f}\u{85}\u{9b}31m",
        "quote \" back \\ slash / tick ' brace } comma ,",
        "\"",
        "\\",
        "\\u{1b}",
        "a\r\n\tb\u{c}\u{8}",
        "\u{2028}\u{2029}\u{feff}\u{202e}",
        "余额 é 😀",
        "e\u{301}\u{200b}",
        "\"level\":\"ERROR\"}",
        "\u{10ffff}\u{e000}",
    ];

    #[test]
    fn no_text_controls_a_terminal() {
        for text in HOSTILE {
            let fields = [("field", Value::from(text)), ("debug", Value::from_debug(&text))];
            let line = text_line(
                &Record::builder().level(Level::Warn).args(format_args!("{text}")).key_values(&fields).build(),
            );
            let line = line.strip_suffix('\n').unwrap();
            assert!(!line.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{line:?}");
            assert!(line.starts_with("warning: ") && line.contains(" field="), "{line:?}");
        }
    }
}
