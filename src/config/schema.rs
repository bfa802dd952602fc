//! The JSON Schema of the config file, made of the shapes that serde reads and the rows of their keys.
//!
//! The program carries the finished text, `examples/config.schema.json`; what makes it is compiled for the tests alone.

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::channels::command;
use super::load::RawConfig;
use super::sections::{SECTIONS, Section};
use crate::check::account::config::Written;
use crate::check::mailbox::config::{RawMailbox, RawMailboxes};
use crate::state::config::{RawState, RawStore};
use crate::yaml::field::{Field, Number};
use crate::yaml::scalar::{Lenient, Scalar, Text};
use crate::yaml::texts::RawTexts;

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

impl Shape for Written {
    fn shape() -> Schema {
        Decimal::shape()
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

impl JsonSchema for RawTexts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawTexts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Lenient<Text>>();
        json_schema!({ "anyOf": [{ "type": "array", "items": text.clone() }, text] })
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
pub(super) fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<RawConfig>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "balance-alert config".into());
        root.insert("$id".to_owned(), "config.schema.json".into());
    }
    allow_comments(&mut schema);
    SECTIONS.iter().for_each(|section| describe(&mut schema, section));
    let ids: Vec<_> = crate::check::account::ids().collect();
    if let Some(provider) = schema.pointer_mut("/definitions/RawProject/properties/provider") {
        let description = provider.get("description").cloned().unwrap_or_default();
        // Known ids complete in an editor; others may come from `providers:`.
        *provider = json!({ "description": description, "anyOf": [{ "enum": ids }, { "type": "string" }] });
    }
    allow_commands(&mut schema);
    super::channels::describe(&mut schema);
    schema
}

/// Where a file can hold the value of a key, a command can tell it.
fn allow_commands(schema: &mut serde_json::Value) {
    for section in &SECTIONS {
        let shape = schema.pointer_mut(&pointer(section)).unwrap_or_else(|| panic!("no shape `{}`", section.shape));
        for secret in section.fields.iter().filter_map(told_by_file) {
            shape["properties"][format!("{secret}_command")] = command(&format!("A command that prints `{secret}`."));
        }
    }
    if let Some(parts) = schema.pointer_mut("/definitions/RawProject/properties/credentials") {
        let part = command("A command that prints a part of the credential.");
        parts["patternProperties"] = json!({ "_command$": part });
    }
}

/// The key of a secret whose file a row names.
pub(super) fn told_by_file(field: &Field) -> Option<&'static str> {
    field.name.strip_suffix("_file")
}

/// The place of the shape of a section in the schema.
pub(super) fn pointer(section: &Section) -> String {
    if section.place.is_empty() { String::new() } else { format!("/definitions/{}", section.shape) }
}

/// Writes what the rows of a section say into the schema: meaning, range, default, variable, and what is required.
fn describe(schema: &mut serde_json::Value, section: &Section) {
    let shape = schema.pointer_mut(&pointer(section)).unwrap_or_else(|| panic!("no shape `{}`", section.shape));
    for field in section.fields {
        let property = &mut shape["properties"][field.name];
        assert!(property.is_object(), "{}.{} is not in the schema", section.place, field.name);
        property["description"] = description(field).into();
        if let Some(default) = default(field, property) {
            property["default"] = default;
        }
        if let Some(number) = field.number {
            bound(property, number);
        }
        if field.required {
            refuse_null(property);
        }
    }
    let required: Vec<&str> = section.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    if !required.is_empty() {
        shape["required"] = required.into();
    }
}

/// Writes a range to where a node says that it may be a number.
fn bound(node: &mut serde_json::Value, number: Number) {
    if node["type"] == "integer" || node["type"] == "number" {
        let (least, above, most) = number.range();
        let node = node.as_object_mut().expect("what has a type is an object");
        node.remove("minimum");
        node.insert(if above { "exclusiveMinimum" } else { "minimum" }.to_owned(), least.into());
        node.insert("maximum".to_owned(), most.into());
    }
    node.get_mut("anyOf")
        .and_then(|choices| choices.as_array_mut())
        .into_iter()
        .flatten()
        .for_each(|node| bound(node, number));
}

/// What an entry cannot do without cannot be nothing either.
fn refuse_null(property: &mut serde_json::Value) {
    if let Some(types) = property["type"].as_array() {
        property["type"] = types.iter().find(|name| *name != "null").cloned().unwrap_or_default();
    }
    if let Some(choices) = property.get_mut("anyOf").and_then(|choices| choices.as_array_mut()) {
        choices.retain(|choice| choice["type"] != "null");
    }
    if let Some(property) = property.as_object_mut() {
        property.remove("default");
    }
}

/// What an editor shows of a key.
fn description(field: &Field) -> String {
    let mut text = field.about.trim().to_owned();
    let limits = [
        field.number.map(|number| number.to_string()),
        field.default_text().map(|default| format!("default {default}")),
        field.variable.map(|variable| format!("variable {}", variable.name)),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if !limits.is_empty() {
        text = format!("{text} ({})", limits.join("; "));
    }
    text
}

/// A default that is a value, and no explanation: a number, a flag, or a word.
fn default(field: &Field, property: &serde_json::Value) -> Option<serde_json::Value> {
    match (field.number.and_then(Number::standing), field.default) {
        (Some(number), _) => Some(number.into()),
        (None, Some("true")) => Some(true.into()),
        (None, Some(word)) if !word.contains([' ', '$', '`']) && property["type"] != "object" => Some(word.into()),
        _ => None,
    }
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
