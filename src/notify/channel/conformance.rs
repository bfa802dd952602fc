//! What holds for every page of the catalogue, those included that are written tomorrow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use super::*;
use crate::model::failure::Reason;
use crate::notify::channel::page::{Again, FieldKind, Page, Per};
use crate::notify::channel::prepared::Prepared;
use crate::notify::channel::values::Values;
use crate::notify::config::problems;

/// What a page is asked in a mood of its own: its own values, or those that tests make.
fn values(page: &Page) -> Values {
    let made = page.fields.iter().filter(|(_, field)| field.default.is_none());
    let made = made.map(|(name, field)| {
        let value = match field.kind {
            FieldKind::Url => "https://service.example/hook?key=secret0123456789",
            FieldKind::Number => "7",
            FieldKind::Flag => "true",
            FieldKind::Text if field.secret => "secret0123456789",
            FieldKind::Text => field.values.first().map_or("name", String::as_str),
        };
        (name.clone(), value.to_owned().into())
    });
    Values::new(page, made.collect())
}

/// Calls `look` with every page of the catalogue.
fn each(look: impl Fn(&str, &Prepared)) {
    for id in catalogue::ids() {
        look(id, &Prepared::new(catalogue::whole(id)));
    }
}

#[test]
fn every_page_is_sound_and_its_examples_hold() {
    let mut wrong = Vec::new();
    for id in catalogue::ids() {
        let prepared = Prepared::new(catalogue::whole(id));
        if std::env::var_os("WRITE_EXAMPLES").is_some() {
            write_examples(id, &prepared);
            continue;
        }
        // Examples of their own are run below, all of them.
        let problems = problems(&prepared, Instant::now());
        wrong.extend(problems.into_iter().map(|(field, why)| format!("{id}: {field}: {why}")));
        wrong.extend(prepared.failing_examples().map(|why| format!("{id}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Writes what a page makes of its examples to where their bodies are `TODO`, so that its writer can look at it.
fn write_examples(id: &str, prepared: &Prepared) {
    let file = format!("{}/src/notify/channel/catalog/{id}.yaml", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(&file).unwrap();
    for example in prepared.page.examples.messages.iter().filter(|example| example.body.trim() == "TODO") {
        let post = prepared.post_of(example).unwrap_or_else(|why| panic!("{id}: {}: {why}", example.name));
        let body = serde_json::from_str::<serde_json::Value>(&post.body).map(|body| format!("{body:#}"));
        let body = body.unwrap_or(post.body);
        let begin =
            text.find(&format!("- name: {}\n", example.name)).unwrap_or_else(|| panic!("{id}: {}", example.name));
        let at = begin + text[begin..].find("TODO").unwrap();
        let indent = " ".repeat(at - text[..at].rfind('\n').unwrap() - 1);
        text.replace_range(at..at + 4, &body.replace('\n', &format!("\n{indent}")));
    }
    std::fs::write(file, text).unwrap();
}
