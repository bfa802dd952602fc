//! The JSON Schema of the config file, made of the types of `raw` and their comments.
//!
//! The program carries the finished text, `examples/config.schema.json`; what makes it is compiled for the tests alone.

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::raw::{Lenient, RawConfig, RawMailbox, RawMailboxes, RawState, RawStore, Scalar, Text};

/// What a lenient value may look like.
trait Shape: Scalar {
    fn shape() -> Schema;
}

impl Shape for i128 {
    fn shape() -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] })
    }
}

impl Shape for Decimal {
    fn shape() -> Schema {
        json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string" }] })
    }
}

impl Shape for bool {
    fn shape() -> Schema {
        json_schema!({ "anyOf": [{ "type": "boolean" }, { "type": "string" }] })
    }
}

impl Shape for Text {
    fn shape() -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

impl<T: Shape> JsonSchema for Lenient<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::EXPECTED.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::shape()
    }
}

impl JsonSchema for RawMailboxes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawMailboxes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<RawMailbox>();
        json_schema!({ "anyOf": [{ "type": "array", "items": one.clone() }, one] })
    }
}

impl JsonSchema for RawState {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawState".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let store = generator.subschema_for::<RawStore>();
        json_schema!({ "anyOf": [{ "const": "none" }, store] })
    }
}

/// The JSON Schema of the config, as `balance-alert schema` prints it.
fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<RawConfig>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "balance-alert config".into());
        root.insert("$id".to_owned(), "config.schema.json".into());
    }
    allow_comments(&mut schema);
    let ids: Vec<_> = crate::check::account::catalog().iter().map(|page| page.id.clone()).collect();
    if let Some(provider) = schema.pointer_mut("/definitions/RawProject/properties/provider") {
        let description = provider.get("description").cloned().unwrap_or_default();
        // Known ids complete in an editor; others may come from `providers:`.
        *provider = serde_json::json!({ "description": description, "anyOf": [{ "enum": ids }, { "type": "string" }] });
    }
    schema
}

/// Keys that begin with `_` are comments wherever unknown keys are refused.
fn allow_comments(node: &mut serde_json::Value) {
    match node {
        serde_json::Value::Object(map) => {
            if map.get("additionalProperties") == Some(&serde_json::Value::Bool(false)) {
                map.insert("patternProperties".to_owned(), serde_json::json!({ "^_": true }));
            }
            map.values_mut().for_each(allow_comments);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(allow_comments),
        _ => {}
    }
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let text = format!("{:#}\n", schema());
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/config.schema.json"), &text).unwrap();
    }
    assert!(text == super::schema_text(), "run `WRITE_SCHEMA=1 cargo test --lib schema`, and once more without");
}
