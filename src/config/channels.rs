//! What the JSON Schema of the config says of the types of channels: their names, and the keys that each of them has.

use serde_json::{Map, Value, json};

use crate::notify::channel::page::{FieldKind, FieldSpec};
use crate::notify::channel::{builtin_pages, coded};
use crate::notify::config::CODED;

/// Where the schema has the shape of a webhook.
const WEBHOOK: &str = "/definitions/RawWebhook";

/// Writes the types of channels, and their own keys, into the schema. It may be written before.
pub(super) fn describe(schema: &mut Value) {
    let Some(webhook) = schema.pointer_mut(WEBHOOK).and_then(Value::as_object_mut) else { return };
    let ids: Vec<&str> = builtin_pages::ids().chain(CODED).collect();
    if let Some(kind) = webhook.get_mut("properties").and_then(|properties| properties.get_mut("type")) {
        let description = kind.get("description").cloned().unwrap_or_default();
        let variants = json!([{ "enum": ids }, { "type": "string" }]);
        *kind = json!({ "description": description, "anyOf": variants });
    }
    let Some(properties) = webhook.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let pages = builtin_pages::pages().map(|page| (page.title, page.fields));
    let coded = CODED.map(|id| (coded::title(id).to_owned(), coded::fields(id)));
    for (title, fields) in pages.chain(coded) {
        for (name, field) in fields.iter().filter(|(name, _)| *name != "url" && *name != "secret") {
            add(properties, &title, name, field);
        }
    }
    let mut names: Vec<String> = properties.keys().cloned().collect();
    names.sort_unstable();
    // A page of the user's own has keys that are not known here, so others are refused only where the type is known.
    webhook.remove("additionalProperties");
    webhook.remove("patternProperties");
    webhook.insert("if".to_owned(), json!({ "properties": { "type": { "enum": ids } } }));
    let known = json!({ "propertyNames": { "anyOf": [{ "enum": names }, { "pattern": "^_" }] } });
    webhook.insert("then".to_owned(), known);
}

/// A key that holds a command.
pub(super) fn command(about: &str) -> Value {
    let words = json!({ "type": ["string", "number", "boolean"] });
    json!({ "type": "array", "items": words, "minItems": 1, "description": about })
}

/// Adds a key, or one more meaning of a key that several types have.
fn add(properties: &mut Map<String, Value>, title: &str, name: &str, field: &FieldSpec) {
    let default = field.default.as_ref().map(|default| format!(" (default {default})")).unwrap_or_default();
    let about = format!("{title}: {}{default}", field.about);
    let types = match field.kind {
        FieldKind::Text => json!(["string", "number", "boolean"]),
        FieldKind::Number => json!(["number", "string"]),
        FieldKind::Flag => json!(["boolean", "string"]),
        FieldKind::Url | FieldKind::Address => json!(["string"]),
        FieldKind::Addresses => json!(["string", "array"]),
    };
    let property = properties.entry(name).or_insert_with(|| json!({ "type": types }));
    let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
    if !said.contains(&about) {
        let said = if said.is_empty() { about } else { format!("{said} {about}") };
        property["description"] = said.into();
    }
    if field.secret {
        properties
            .entry(format!("{name}_command"))
            .or_insert_with(|| command(&format!("A command that prints `{name}`.")));
        let file = format!("{name}_file");
        properties
            .entry(file)
            .or_insert_with(|| json!({ "type": "string", "description": format!("A file that holds `{name}`.") }));
    }
}
