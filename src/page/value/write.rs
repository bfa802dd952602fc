//! Values as JSON, and as messages tell them.

use std::fmt;

use super::text::SHOWN;
use super::{Error, Origin, Value};
use crate::model::text;
use crate::page::meter;

impl Value {
    /// Its kind, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Null(_) => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// What an expression that raises this value as an error says, without a value of the answer.
    pub(crate) fn raised(&self) -> String {
        let said = match self {
            Value::Text(text) => Some(text.shown()),
            Value::Object(object) => match object.fields.get("message") {
                Some(Value::Text(text)) => Some(text.shown()),
                _ => None,
            },
            _ => None,
        };
        match said.map(|said| text::one_line(said, SHOWN)).filter(|said| !said.is_empty() && said != "…") {
            Some(said) => said,
            None => "the expression raises an error".to_owned(),
        }
    }

    /// As JSON.
    pub(in crate::page) fn to_json(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        meter::spend(1);
        if out.len() > meter::LONGEST_TEXT {
            meter::spend_text(out.len());
        }
        match self {
            Value::Null(_) => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => out.push_str(&number.to_string()),
            Value::Text(text) => write_text(&text.text, out),
            Value::List(list) => {
                out.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Value::Object(object) => {
                out.push('{');
                for (index, (key, value)) in object.fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    pub(super) fn type_error(self, wanted: &'static str) -> Error {
        Error::typ(self, wanted)
    }
}

fn write_text(text: &str, out: &mut String) {
    meter::spend_bytes(text.len());
    // A text is always JSON.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

impl fmt::Display for Value {
    /// For the interpreter's messages: the kind and the place, and only what the page's author wrote.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Null(Some(missing)) => write!(f, "null ({})", missing.tell()),
            Value::Text(text) if matches!(text.origin, Origin::Page) => {
                write!(f, "\"{}\"", text::one_line(&text.text, 40))
            }
            _ => match self.place() {
                Some(place) if place.step.is_some() => write!(f, "{} (`{place}`)", self.kind()),
                Some(_) => write!(f, "{} (the answer)", self.kind()),
                None => f.write_str(self.kind()),
            },
        }
    }
}
