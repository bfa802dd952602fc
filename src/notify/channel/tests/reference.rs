//! The parts of `docs/channels.md` that are made of the pages and of the contract with them. The program does not carry them: a test
//! writes them, and says so when they are not current any more.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;

use crate::notify::channel::document::Document;
use crate::notify::channel::page::{FieldSpec, Page, Per};
use crate::notify::channel::{builtin_pages, sample};

/// The words of a table of channels.
struct Words {
    head: &'static str,
    documentation: &'static str,
    optional: &'static str,
    secret: &'static str,
    or_file: &'static str,
}

const ENGLISH: Words = Words {
    head: "| `type` | service | keys | message | documentation |\n| --- | --- | --- | --- | --- |\n",
    documentation: "documentation",
    optional: "optional",
    secret: "secret",
    or_file: "or",
};
const CHINESE: Words = Words {
    head: "| `type` | 服务 | 键 | 消息 | 文档 |\n| --- | --- | --- | --- | --- |\n",
    documentation: "文档",
    optional: "可选",
    secret: "保密",
    or_file: "或",
};

/// Every part by its name.
fn parts() -> BTreeMap<&'static str, String> {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Document>();
    let schema = serde_json::to_value(schema).unwrap();
    let samples: Vec<String> = sample::names().map(|name| format!("`{name}`")).collect();
    BTreeMap::from([
        ("types", types(&ENGLISH)),
        ("types-zh", types(&CHINESE)),
        ("samples", format!("{}\n", samples.join(", "))),
        ("message", format!("```json\n{schema:#}\n```\n")),
    ])
}

fn types(words: &Words) -> String {
    let rows: Vec<String> = builtin_pages::pages().map(|page| row(&page, words)).collect();
    format!("{}{}", words.head, rows.concat())
}

fn row(page: &Page, words: &Words) -> String {
    let keys: Vec<String> = page.fields.iter().map(|(name, field)| key(name, field, words)).collect();
    let per = match (page.per, words.optional == CHINESE.optional) {
        (Per::Message, false) => "one for all alerts",
        (Per::Alert, false) => "one for each alert, closed when it is over",
        (Per::Message, true) => "合并为一条",
        (Per::Alert, true) => "每个告警一条，恢复时关闭",
    };
    let docs = page.docs.as_ref().map(|docs| format!("[{}]({docs})", words.documentation)).unwrap_or_default();
    format!("| `{}` | {} | {} | {per} | {docs} |\n", page.id, page.title, keys.join("; "))
}

fn key(name: &str, field: &FieldSpec, words: &Words) -> String {
    let is_optional = !field.required || field.default.is_some();
    let file = if field.secret { format!(" ({} `{name}_file`)", words.or_file) } else { String::new() };
    let default = field.default.as_ref().map(|default| format!(" `{default}`")).unwrap_or_default();
    let optional = if is_optional { format!(", {}{default}", words.optional) } else { String::new() };
    let secret = if field.secret { format!(", {}", words.secret) } else { String::new() };
    let about = field.about.trim_end_matches('.').replace('|', "\\|");
    format!("`{name}`{file}: {about}{secret}{optional}")
}

#[test]
fn the_docs_of_the_channels_are_current() {
    let parts = parts();
    let mut used = Vec::new();
    for file in ["docs/channels.md", "docs/zh/channels.md"] {
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        let old = std::fs::read_to_string(&path).unwrap();
        let (mut new, mut rest) = (String::new(), old.as_str());
        while let Some((before, after)) = rest.split_once("<!-- of the pages: ") {
            let (name, after) = after.split_once(" -->\n").unwrap();
            let (_, after) = after.split_once("<!-- end -->").unwrap_or_else(|| panic!("{file}: {name}"));
            let part = parts.get(name).unwrap_or_else(|| panic!("{file}: nothing writes `{name}`"));
            new += &format!("{before}<!-- of the pages: {name} -->\n{part}<!-- end -->");
            used.push(name.to_owned());
            rest = after;
        }
        new += rest;
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(&path, &new).unwrap();
        } else {
            assert!(old == new, "{file} is not current: run `WRITE_DOCS=1 cargo test --lib channel::tests::reference`");
        }
    }
    for name in parts.keys() {
        assert!(used.iter().any(|used| used == name), "`{name}` stands nowhere");
    }
}
