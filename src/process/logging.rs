//! Talk on standard error: text for people, or one JSON object a line.
//!
//! `json_env_logger` writes fields as they display themselves, so here each value is made JSON before it gets it: whatever a
//! name or a message holds, a line is one object. In text no character controls the terminal. How lines reach standard error
//! without holding anybody back is in `process::output`.

use std::fmt::Write as _;
use std::io;
use std::sync::OnceLock;
use std::time::Instant;

use json_env_logger::env_logger::Logger as JsonLogger;
use log::kv::{Error, Key, ToValue, Value, VisitSource, VisitValue};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::process::environment::Environment;
use crate::process::interrupt::Deadline;
use crate::process::{clock, output, quote_input, redact};

/// The form of logs and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The form that this process has chosen, once it has.
static CHOSEN: OnceLock<Format> = OnceLock::new();

/// Starts logging. Levels: `-v` flags, else `LOG_LEVEL`, else `RUST_LOG`, else `warn`.
///
/// A word that `LOG_FORMAT` or `LOG_LEVEL` cannot be is warned of; how a run logs never decides whether it runs.
pub fn init(environment: &Environment, verbose: u8) -> Format {
    let mut warnings = Vec::new();
    let format = match environment.overlay("LOG_FORMAT") {
        None | Some("text") => Format::Text,
        Some("json") => Format::Json,
        Some(other) => {
            warnings
                .push(format!("the variable `LOG_FORMAT` {}; it is text or json", cannot_be(other, &["text", "json"])));
            Format::Text
        }
    };
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

/// The library's logger, which only gets what is to be heard.
fn json_logger() -> &'static JsonLogger {
    static LOGGER: OnceLock<JsonLogger> = OnceLock::new();
    LOGGER.get_or_init(|| json_env_logger::builder().filter_module(TARGET, LevelFilter::Trace).build())
}

/// The library does not write where a record comes from.
const TARGET: &str = "balance_alert";

/// A record, kept until it is written.
struct JsonLine {
    level: Level,
    message: String,
    fields: Vec<(String, Json)>,
}

impl JsonLine {
    fn of(record: &Record) -> JsonLine {
        let mut fields = Fields(Vec::new());
        // Collecting does not fail.
        let _ = record.key_values().visit(&mut fields);
        let message = redact::shield(&record.args().to_string()).into_owned();
        JsonLine { level: record.level(), message, fields: fields.0 }
    }

    fn size(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(key, value)| key.len() + value.0.len()).sum();
        self.message.len() + fields + 64
    }

    fn write(&self, logger: &JsonLogger) -> io::Result<()> {
        let message = &self.message;
        // The library panics when standard error refuses a line.
        if output::may_refuse() {
            return output::write((record_with(self.level.as_str(), message, &self.fields) + "\n").as_bytes());
        }
        let mut record = Record::builder();
        record.level(self.level).target(TARGET).key_values(&self.fields);
        logger.log(&record.args(format_args!("{message}")).build());
        Ok(())
    }
}

/// A value as JSON text, which displays itself as that.
struct Json(String);

impl Json {
    fn of(value: impl serde::Serialize) -> Json {
        // Strings, numbers and truth values only: this cannot fail.
        Json(serde_json::to_string(&value).unwrap_or_default())
    }
}

impl ToValue for Json {
    fn to_value(&self) -> Value<'_> {
        Value::from_display(&self.0)
    }
}

/// The fields of a record, in its order.
struct Fields(Vec<(String, Json)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut json = Json::of(());
        value.visit(&mut json)?;
        let json = Json(redact::shield(&json.0).into_owned());
        self.0.push((key.as_str().replace(|c: char| c.is_control() || c == '"' || c == '\\', "_"), json));
        Ok(())
    }
}

impl<'v> VisitValue<'v> for Json {
    fn visit_any(&mut self, value: Value) -> Result<(), Error> {
        let text = value.to_string();
        *self = Json::of(undebug(&text).unwrap_or(text));
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        *self = Json::of(());
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_u128(&mut self, value: u128) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_i128(&mut self, value: i128) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), Error> {
        *self = Json::of(value);
        Ok(())
    }
}

/// The text that a field captured with `:?` stands for. Rust's escapes are not those of JSON.
fn undebug(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escaped = rest[at + 1..].chars().next()?;
        rest = &rest[at + 1 + escaped.len_utf8()..];
        out.push(match escaped {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'u' => {
                let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
                rest = after;
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            other => other,
        });
    }
    out.push_str(rest);
    Some(out)
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
///
/// # Errors
/// Why it was not taken.
pub fn announce(format: Format, text: &str, until: &Deadline) -> io::Result<()> {
    let text = &*redact::shield(text);
    let line = match format {
        Format::Json => record("WARN", text),
        Format::Text => harmless(text),
    };
    output::say_within((line + "\n").into_bytes(), until)
}

/// A line in the form of the JSON log. It is written past the log, whose level must not swallow an alert.
fn record(level: &str, message: &str) -> String {
    record_with(level, message, &[])
}

fn record_with(level: &str, message: &str, fields: &[(String, Json)]) -> String {
    let ts = clock::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut line = format!("{{\"level\":\"{level}\",\"ts\":\"{ts}\",\"msg\":{}", Json::of(message).0);
    for (key, value) in fields {
        // Writing to memory does not fail.
        let _ = write!(line, ",\"{key}\":{}", value.0);
    }
    line + "}"
}

/// The end of a run that panicked, or that is given up, in the form of the log if there is one.
pub fn last_words(message: &str) {
    complain(CHOSEN.get().copied().unwrap_or(Format::Text), message);
}

/// A line on standard error, without secrets. That nobody reads it is no reason to stop.
pub fn say(line: &str) {
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
    use super::*;

    /// What names and messages may hold.
    const HOSTILE: [&str; 14] = [
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

    fn json(record: &Record) -> serde_json::Value {
        let line = JsonLine::of(record);
        let fields = line.fields.iter().map(|(key, value)| format!("\"{key}\":{}", value.0));
        let fields = fields.collect::<Vec<_>>().join(",");
        serde_json::from_str(&format!("{{{fields}}}")).unwrap_or_else(|error| panic!("{error}: {fields}"))
    }

    #[test]
    fn every_field_is_json_whatever_it_holds_and_however_it_was_captured() {
        for text in HOSTILE {
            let captured = [
                ("debug", Value::from_debug(&text)),
                ("display", Value::from_display(&text)),
                ("str", Value::from(text)),
            ];
            let record = Record::builder().key_values(&captured).build();
            let fields = json(&record);
            for field in ["debug", "str"] {
                assert_eq!(fields[field], text, "{field}: {text:?}");
            }
            assert!(fields["display"].is_string(), "{text:?}");
        }
        let others = [
            ("count", Value::from(7)),
            ("least", Value::from(i64::MIN)),
            ("seconds", Value::from(0.5)),
            ("nan", Value::from(f64::NAN)),
            ("yes", Value::from(true)),
            ("a\"b", Value::from("key")),
            ("list", Value::from_debug(&["a", "b"])),
            ("half", Value::from_debug(&"\"")),
        ];
        let record = Record::builder().key_values(&others).build();
        let want = serde_json::json!({"count": 7, "least": i64::MIN, "seconds": 0.5, "nan": null, "yes": true, "a_b": "key",
            "list": "[\"a\", \"b\"]", "half": "\""});
        assert_eq!(json(&record), want);
    }

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
