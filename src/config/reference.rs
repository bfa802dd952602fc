//! `docs/config.md`: every key of the config with its meaning, type, range, default and variable. And the part of
//! `examples/config.yaml` that shows the numbers under `settings`.
//!
//! The program does not carry them: tests write them, and say so when they are not current any more.

use std::fmt::Write;

use serde_json::Value;

use super::schema::{pointer, schema, told_by_file};
use super::sections::{SECTIONS, Section};

const INTRODUCTION: &str = "\
# The config

Every key that a config can hold, but those of one type of channel ([channels.md](channels.md)), of a channel of your own
([channels.md](channels.md#a-channel-of-your-own)) and of a provider of your own ([pages.md](pages.md)). The config is YAML or JSON. Keys that begin with `_` are comments. A number is written in plain
decimal digits with at most one full stop; numbers and flags may also be written as text, because `${VARIABLE}` makes text of
everything. `${NAME}` is replaced by an environment variable, `${NAME:-default}` also if that is not set, and `$$` is a dollar sign.

This page is made of the code that reads the config (`WRITE_DOCS=1 cargo test --lib config::reference`). An example with all parts
is [examples/config.yaml](../examples/config.yaml); for editors there is
[examples/config.schema.json](../examples/config.schema.json).
";

/// What stands before the table of a section.
fn title(section: &Section) -> (String, &'static str) {
    let said = match section.place {
        "" => return ("The config itself".to_owned(), ""),
        "webhook" => "The same keys stand in each entry of `webhooks`.",
        "auth" => "The same keys stand in `webhook.auth`, in `webhooks[].auth` and in `metrics.pushgateway.auth`.",
        "email[]" => "A mailbox alone may stand under `email` without a list around it.",
        "state" => "Instead of the mapping, the word `none` says that nothing is remembered.",
        _ => "",
    };
    (format!("`{}`", section.place), said)
}

/// The type of a key in words.
fn kind(schema: &Value, node: &Value) -> String {
    let reference =
        |node: &Value| node["$ref"].as_str().map(|name| name.trim_start_matches("#/definitions/").to_owned());
    let choices = ["anyOf", "allOf", "oneOf"].into_iter().find_map(|key| node[key].as_array());
    let choices: Vec<&Value> = choices.into_iter().flatten().filter(|node| node["type"] != "null").collect();
    if let Some(name) = reference(node) {
        let target = &schema["definitions"][&name];
        let words: Vec<String> = target["oneOf"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| word["const"].as_str().or_else(|| word["enum"][0].as_str()))
            .map(|word| format!("`{word}`"))
            .collect();
        return match (words.is_empty(), target["anyOf"].is_array()) {
            (false, _) => words.join(", "),
            (true, true) => kind(schema, target),
            (true, false) => "mapping".to_owned(),
        };
    }
    if !choices.is_empty() {
        let types: Vec<&str> = choices.iter().filter_map(|node| node["type"].as_str()).collect();
        return match types[..] {
            ["integer", "string"] => "whole number".to_owned(),
            ["number", "string"] => "number".to_owned(),
            ["boolean", "string"] => "true or false".to_owned(),
            _ if choices[0]["enum"].is_array() => "text".to_owned(),
            _ => {
                let kinds: Vec<String> = choices
                    .iter()
                    .map(|node| node["const"].as_str().map_or_else(|| kind(schema, node), |word| format!("`{word}`")))
                    .collect();
                kinds.join(" or ")
            }
        };
    }
    let types = &node["type"];
    let has = |name: &str| types == name || types.as_array().is_some_and(|types| types.iter().any(|one| one == name));
    match () {
        () if has("array") => match kind(schema, &node["items"]).as_str() {
            "text" => "list of texts".to_owned(),
            _ => "list of mappings".to_owned(),
        },
        () if has("object") => "mapping of names to texts".to_owned(),
        () if has("string") => "text".to_owned(),
        () => panic!("a type without a name: {node}"),
    }
}

fn reference() -> String {
    let schema = schema();
    let mut out = INTRODUCTION.to_owned();
    for section in &SECTIONS {
        let (title, said) = title(section);
        let shape = schema.pointer(&pointer(section)).unwrap();
        let about = shape["description"].as_str().unwrap_or_default().replace('\n', " ");
        write!(out, "\n## {title}\n\n{about}").unwrap();
        if !said.is_empty() {
            write!(out, " {said}").unwrap();
        }
        out.push_str(
            "\n\n| key | meaning | type | range | default | variable |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for field in section.fields {
            let default = if field.required { Some("required".to_owned()) } else { field.default_text() };
            let cells = [
                format!("`{}`", field.name),
                field.about.trim().to_owned(),
                match (section.place, field.name) {
                    ("projects[]", "threshold" | "warning_threshold") => "number or percentage".to_owned(),
                    (_, name) => kind(&schema, &shape["properties"][name]),
                },
                field.number.map(|number| number.to_string()).unwrap_or_default(),
                default.unwrap_or_default(),
                field.variable.map(|variable| format!("`{}`", variable.name)).unwrap_or_default(),
            ];
            writeln!(out, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")).unwrap();
            if let Some(secret) = told_by_file(field) {
                let about = "A command that prints it, as a list: the program and its arguments, without a shell.";
                writeln!(out, "| `{secret}_command` | {about} | list of texts |  |  |  |").unwrap();
            }
        }
    }
    out.push_str(
        "\n## `providers[]`\n\nPages for services that the catalogue does not know: see [pages.md](pages.md).\n\n\
         ## `channels[]`\n\nPages for channels that the catalogue does not know: see \
         [a channel of your own](channels.md#a-channel-of-your-own).\n",
    );
    out
}

#[test]
fn the_reference_of_the_config_is_current() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.md");
    let want = reference();
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(file, &want).unwrap();
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(found == want, "docs/config.md is not current: run `WRITE_DOCS=1 cargo test --lib config::reference`");
}

/// The numbers under `settings` that have a default, each with its meaning and its range.
fn numbers_of_settings() -> String {
    let settings = SECTIONS.iter().find(|section| section.place == "settings").unwrap();
    let mut out = String::new();
    for field in settings.fields {
        let Some((number, default)) = field.number.and_then(|number| Some((number, number.standing()?))) else {
            continue;
        };
        let about = field.about.trim().trim_end_matches('.');
        writeln!(out, "  # {about} ({number}).\n  {}: {default}", field.name).unwrap();
    }
    out
}

#[test]
fn the_numbers_in_the_example_are_current() {
    const BEGIN: &str = "  # generated: settings\n";
    const END: &str = "  # end of generated\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/config.yaml");
    let found = std::fs::read_to_string(file).unwrap();
    let (before, after) = found.split_once(BEGIN).unwrap();
    let (_, after) = after.split_once(END).unwrap();
    let want = format!("{before}{BEGIN}{}{END}{after}", numbers_of_settings());
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(file, &want).unwrap();
    } else {
        assert!(
            found == want,
            "examples/config.yaml is not current: run `WRITE_DOCS=1 cargo test --lib config::reference`"
        );
    }
}

#[test]
fn the_example_shows_the_defaults_and_no_key_that_there_is_not() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/config.yaml")).unwrap();
    let example: Value = serde_yaml::from_str(&text).unwrap();
    let mut seen = 0;
    for section in SECTIONS.iter().filter(|section| !section.place.starts_with("auth")) {
        let steps: Vec<&str> = section.place.split('.').filter(|step| !step.is_empty()).collect();
        let mut nodes = vec![&example];
        for step in steps {
            let name = step.trim_end_matches("[]");
            nodes = nodes
                .into_iter()
                .flat_map(|node| match &node[name] {
                    Value::Array(items) => items.iter().collect(),
                    Value::Null => Vec::new(),
                    one => vec![one],
                })
                .collect();
        }
        for field in section.fields {
            let Some(default) = field.number.and_then(|number| number.standing()) else { continue };
            // The entries of the example may say anything; what holds for the whole config is shown with its default.
            for node in nodes.iter().filter(|_| !section.place.contains("[]")) {
                assert_eq!(node[field.name], default, "{}.{}", section.place, field.name);
                seen += 1;
            }
        }
    }
    assert!(seen >= 14, "{seen} defaults are shown");
}
