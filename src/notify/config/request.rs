//! What a custom webhook brings itself: a body, headers, and how its answers are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::check::account::config::literals;
use crate::page::expression::Expression;
use crate::wire::auth::Pair;
use crate::wire::config::{is_header_name, is_taken_header};
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;

impl ConfigReader<'_> {
    /// An expression that a webhook brings itself, where its type lets it.
    pub(super) fn own_expression(
        &mut self,
        path: &[Step],
        field: &str,
        kind: &str,
        is_open: bool,
        code: &str,
    ) -> Option<Arc<Expression>> {
        let at = under(path, field);
        self.learn_expression(&at, code);
        if !is_open {
            let message = match field {
                "accept" => format!("`accept` is for custom webhooks; what a {kind} answers is known"),
                _ => format!("`{field}` is for custom webhooks; a {kind} channel has its own"),
            };
            self.problem(&at, Part::Key(0), message, None);
            return None;
        }
        match Expression::compile(code) {
            Ok(expression) => Some(Arc::new(expression)),
            Err(why) => {
                let hint = match field {
                    "accept" => "it is a jq expression over the answer, as `.status == \"ok\"`",
                    _ => "it is a jq expression over the message, as `{text: .text}`",
                };
                self.problem(&at, Part::Value, format!("`{field}` cannot be understood: {why}"), Some(hint.to_owned()));
                None
            }
        }
    }

    /// Headers that a webhook brings itself, where its type lets it.
    pub(super) fn own_headers(
        &mut self,
        path: &[Step],
        kind: &str,
        is_open: bool,
        headers: BTreeMap<String, String>,
    ) -> Vec<Pair> {
        let at = under(path, "headers");
        if !is_open && !headers.is_empty() {
            let message = format!("`headers` is for custom webhooks; a {kind} channel has its own");
            self.problem(&at, Part::Key(0), message, None);
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for (name, value) in headers {
            let at = under(&at, &name);
            let value = SecretString::from(value.trim());
            literals::learn_header(&self.redactor, &name, value.expose_secret());
            if !is_header_name(&name) {
                self.problem(&at, Part::Key(0), "a key of `headers` is not the name of a header", None);
            } else if is_taken_header(&name) {
                let message = format!("the header `{name}` is set by this program");
                self.problem(&at, Part::Key(0), message, None);
            } else if self.is_flagged(&at) || self.is_sound(&at, &value) {
                pairs.push((name, value));
            }
        }
        pairs
    }
}
