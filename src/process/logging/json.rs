//! Records as JSON: one object a line, whatever a field holds.

use std::fmt::Write as _;
use std::io;
use std::sync::OnceLock;

use json_env_logger::env_logger::Logger as JsonLogger;
use log::kv::{Error, Key, ToValue, Value, VisitSource, VisitValue};
use log::{Level, LevelFilter, Log, Record};

use crate::process::{clock, output, redact};

/// The library's logger, which only gets what is to be heard.
pub(super) fn json_logger() -> &'static JsonLogger {
    static LOGGER: OnceLock<JsonLogger> = OnceLock::new();
    LOGGER.get_or_init(|| json_env_logger::builder().filter_module(TARGET, LevelFilter::Trace).build())
}

/// The library does not write where a record comes from.
const TARGET: &str = "balance_alert";

/// A record, kept until it is written.
pub(super) struct JsonLine {
    level: Level,
    message: String,
    pub(super) fields: Vec<(String, Json)>,
}

impl JsonLine {
    pub(super) fn of(record: &Record) -> JsonLine {
        let mut fields = Fields(Vec::new());
        // Collecting does not fail.
        let _ = record.key_values().visit(&mut fields);
        let message = redact::shield(&record.args().to_string()).into_owned();
        JsonLine { level: record.level(), message, fields: fields.0 }
    }

    pub(super) fn size(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(key, value)| key.len() + value.0.len()).sum();
        self.message.len() + fields + 64
    }

    pub(super) fn write(&self, logger: &JsonLogger) -> io::Result<()> {
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
pub(super) struct Json(pub(super) String);

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
pub(super) struct Fields(pub(super) Vec<(String, Json)>);

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

/// A line in the form of the JSON log. It is written past the log, whose level must not swallow an alert.
pub(super) fn record(level: &str, message: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::super::tests::HOSTILE;
    use super::*;

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
}
