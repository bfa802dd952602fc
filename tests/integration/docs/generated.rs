//! The parts of the docs that the program itself gives.

use std::collections::BTreeMap;

use balance_alert::Exit;
use balance_alert::internals::Reason;
use regex_lite::Regex;
use serde_json::Value;

use super::chinese;
use crate::support::Program;

/// Every part by its name.
pub(super) fn parts() -> BTreeMap<String, String> {
    let mut parts = BTreeMap::from([
        ("exit-codes".to_owned(), exit_codes()),
        ("variables".to_owned(), variables_table()),
        ("variables-zh".to_owned(), chinese_variables_table()),
        ("providers".to_owned(), providers_table(&ENGLISH)),
        ("providers-zh".to_owned(), providers_table(&CHINESE)),
        ("reasons".to_owned(), reasons_list()),
    ]);
    for channel in channels() {
        parts.insert(format!("payload-{channel}"), payload(&channel, "en"));
        parts.insert(format!("payload-{channel}-zh"), payload(&channel, "zh"));
    }
    parts
}

/// The channels whose messages the docs show.
fn channels() -> [String; 5] {
    ["feishu", "dingtalk", "wecom", "custom", "console"].map(str::to_owned)
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{body}", line(&head), line(&rule))
}

fn exit_codes() -> String {
    let rows: Vec<_> = Exit::ALL.iter().map(|exit| vec![exit.code().to_string(), exit.meaning().to_owned()]).collect();
    table(&["code", "meaning"], &rows)
}

/// The variables that `--help` names, with their meanings.
pub(super) fn variables() -> Vec<(String, String)> {
    balance_alert::internals::variables().into_iter().map(|(name, what)| (name.to_owned(), what)).collect()
}

fn variables_table() -> String {
    let rows: Vec<Vec<String>> = variables().into_iter().map(|(name, what)| vec![code(name), what]).collect();
    table(&["name", "meaning"], &rows)
}

/// The same in Chinese: the key that a variable stands for, or the meaning that is written down for it.
fn chinese_variables_table() -> String {
    let known = BTreeMap::from(chinese::VARIABLES);
    let variables = variables();
    let strange: Vec<&&str> = known.keys().filter(|known| !variables.iter().any(|(name, _)| name == *known)).collect();
    assert!(strange.is_empty(), "there is no variable {strange:?}");
    let rows = variables.into_iter().map(|(name, what)| {
        let is_key = what.bytes().all(|c| c.is_ascii_lowercase() || matches!(c, b'_' | b'.'));
        let meaning = known.get(name.as_str()).map(|&meaning| meaning.to_owned());
        let meaning = meaning.or_else(|| is_key.then(|| code(&what)));
        vec![code(&name), meaning.unwrap_or_else(|| panic!("`{name}` has no meaning in `docs/chinese.rs`: {what}"))]
    });
    table(&["名称", "含义"], &rows.collect::<Vec<_>>())
}

/// The names of all reasons.
pub(super) fn reasons() -> Vec<&'static str> {
    Reason::ALL.map(Reason::as_str).into()
}

fn reasons_list() -> String {
    let links: Vec<String> = reasons().iter().map(|reason| format!("- [`{reason}`](#{reason})\n")).collect();
    links.concat()
}

/// What `providers --output json` tells.
pub(super) fn providers() -> Vec<Value> {
    let done = Program::new(["providers", "--output", "json"]).run().expect(0);
    serde_json::from_str(&done.stdout).unwrap()
}

/// The words of a list of providers.
struct Words {
    head: [&'static str; 5],
    key: &'static str,
    none: &'static str,
    documentation: &'static str,
}

const ENGLISH: Words = Words {
    head: ["id", "service", "credential", "options", "documentation"],
    key: "key",
    none: "none",
    documentation: "documentation",
};
const CHINESE: Words =
    Words { head: ["id", "服务", "凭证", "选项", "文档"], key: "密钥", none: "无", documentation: "文档" };

fn providers_table(words: &Words) -> String {
    let rows: Vec<Vec<String>> = providers().iter().map(|provider| provider_row(provider, words)).collect();
    table(&words.head, &rows)
}

fn provider_row(provider: &Value, words: &Words) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let kind = match provider["credential"]["format"].as_str().unwrap() {
        "pair" => "`AccessKeyId:AccessKeySecret`",
        "none" => words.none,
        _ => words.key,
    };
    // Notes are in English, and name the kind; a reader of Chinese gets the kind alone.
    let note = text(&provider["credential"]["note"]).filter(|_| words.key == ENGLISH.key);
    let options = provider["options"].as_object().unwrap().iter().map(|(name, option)| {
        let default = text(&option["default"]).map(|default| format!(" ({})", code(default))).unwrap_or_default();
        format!("{}: {}{default}", code(name), option["description"].as_str().unwrap())
    });
    let documentation = text(&provider["docs"]).map(|docs| format!("[{}]({docs})", words.documentation));
    vec![
        code(provider["id"].as_str().unwrap()),
        text(&provider["title"]).unwrap(),
        note.unwrap_or_else(|| kind.to_owned()),
        options.collect::<Vec<_>>().join("; "),
        documentation.unwrap_or_default(),
    ]
}

/// What a channel would be sent about two accounts, with the parts that differ from run to run made the same.
fn payload(channel: &str, language: &str) -> String {
    let config = format!(
        "settings: {{ language: {language} }}
state: none
webhook: {{ type: {channel}, url: 'https://hooks.example.com/hook' }}
projects:
  - {{ name: OpenRouter, provider: file, options: {{ path: balances.json, balance: .a }}, currency: USD, threshold: 100, type: credits, owner_project: AI platform }}
  - {{ name: Alibaba Cloud, provider: file, options: {{ path: balances.json, balance: .b }}, currency: CNY, threshold: 500, warning_threshold: 800 }}
"
    );
    let config =
        if channel == "console" { config.replace(", url: 'https://hooks.example.com/hook'", "") } else { config };
    let done = Program::new(["check", "--config", "config.yaml", "--dry-run"])
        .file("config.yaml", &config)
        .file("balances.json", r#"{"a": 74.75, "b": 612.3}"#)
        .env("BALANCE_ALERT_RUN_ID", "example")
        .run()
        .expect(2);
    let sent = done.stdout.split_once("would be sent\n").expect("a dry run shows what it would send").1;
    let (sent, _) = sent.rsplit_once("2 checks: ").unwrap();
    let mut sent = sent.trim_end().to_owned();
    for (pattern, same) in [
        (r"\d{8}T\d{6}\.\d{3}Z", "20261130T183605.550Z"),
        (r"low-[0-9a-f]{16}", "low-2ac7714dc72a5df8"),
        ("key [0-9a-f]{16}", "key 44e492c70f5cf65c"),
        ("编号 [0-9a-f]{16}", "编号 44e492c70f5cf65c"),
        (r#""DedupKey":"[0-9a-f]{16}""#, r#""DedupKey":"17b9f925260e7a89""#),
    ] {
        sent = Regex::new(pattern).unwrap().replace_all(&sent, same).into_owned();
    }
    match channel {
        "console" => format!("```text\n{sent}\n```\n"),
        _ => format!("```json\n{}\n```\n", indented(&sent)),
    }
}

/// JSON with a line for each value, in the order in which it was written.
fn indented(json: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut in_text, mut is_escaped) = (0, false, false);
    for c in json.chars() {
        match c {
            _ if in_text => {
                in_text = c != '"' || is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                out.push(c);
                continue;
            }
            '"' => in_text = true,
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth -= 1;
                out += &format!("\n{}", "  ".repeat(depth));
            }
            _ => {}
        }
        out.push(c);
        match c {
            '{' | '[' | ',' => out += &format!("\n{}", "  ".repeat(depth)),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out
}
