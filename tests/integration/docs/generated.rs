//! The parts of the docs that the program itself gives.

use std::collections::BTreeMap;

use balance_alert::Exit;
use balance_alert::internals::{Reason, family};
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
        ("families".to_owned(), families_table()),
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

fn families_table() -> String {
    let kind = |kind| match kind {
        family::Kind::Gauge => "gauge",
        family::Kind::Counter => "counter",
        family::Kind::Histogram(_) => "histogram",
    };
    let rows = family::ALL.iter().map(|family| {
        let labels: Vec<String> = family.labels.iter().map(code).collect();
        vec![code(family.name), kind(family.kind).to_owned(), labels.join(", "), family.help.to_owned()]
    });
    table(&["name", "type", "labels", "meaning"], &rows.collect::<Vec<_>>())
}

/// What `providers --output json` tells.
pub(super) fn providers() -> Vec<Value> {
    let done = Program::new(["providers", "--output", "json"]).run().expect(0);
    serde_json::from_str(&done.stdout).unwrap()
}

/// The words of a list of providers.
struct Words {
    head: [&'static str; 6],
    absent: [&'static str; 4],
    key: &'static str,
    none: &'static str,
    said: &'static str,
    documentation: &'static str,
    top_up: &'static str,
    without: &'static str,
    /// The groups of services, in their order, with what they are called.
    groups: [(&'static str, &'static str); 14],
}

const ENGLISH: Words = Words {
    head: ["id", "service", "counted in", "credential", "options", "links"],
    absent: ["id", "service", "why its balance cannot be read", "what to do instead"],
    key: "key",
    none: "none",
    said: "as the answer says",
    documentation: "documentation",
    top_up: "top up",
    without: "Services without an API for their balance",
    groups: [
        ("llm", "Language models"),
        ("gateway", "Gateways to the models of others"),
        ("selfhosted", "Gateways that you run yourself"),
        ("media", "Speech, images and video"),
        ("gpu", "Rented graphics processors"),
        ("cloud", "Clouds"),
        ("hosting", "Servers and web space"),
        ("telecom", "Telephony and text messages"),
        ("mail", "Sending of e-mail"),
        ("search", "Search, scraping and proxies"),
        ("data", "Data"),
        ("domains", "Names of domains"),
        ("payment", "Payment"),
        ("other", "Others"),
    ],
};
const CHINESE: Words = Words {
    head: ["id", "服务", "单位", "凭证", "选项", "链接"],
    absent: ["id", "服务", "为何不能读取余额", "替代办法"],
    key: "密钥",
    none: "无",
    said: "由回答给出",
    documentation: "文档",
    top_up: "充值",
    without: "没有余额接口的服务",
    groups: [
        ("llm", "语言模型"),
        ("gateway", "模型网关"),
        ("selfhosted", "自行部署的网关"),
        ("media", "语音、图像与视频"),
        ("gpu", "GPU 租用"),
        ("cloud", "云"),
        ("hosting", "服务器与主机"),
        ("telecom", "电话与短信"),
        ("mail", "邮件发送"),
        ("search", "搜索、抓取与代理"),
        ("data", "数据"),
        ("domains", "域名"),
        ("payment", "支付"),
        ("other", "其他"),
    ],
};

fn providers_table(words: &Words) -> String {
    let (known, absent): (Vec<Value>, Vec<Value>) = providers().into_iter().partition(|page| page["meter"] == "api");
    let mut parts = Vec::new();
    for (group, title) in words.groups {
        let rows: Vec<_> =
            known.iter().filter(|page| page["group"] == group).map(|page| provider_row(page, words)).collect();
        if !rows.is_empty() {
            parts.push(format!("### {title}\n\n{}", table(&words.head, &rows)));
        }
    }
    let listed = known.iter().filter(|page| words.groups.iter().any(|(group, _)| page["group"] == *group)).count();
    assert_eq!(listed, known.len(), "a group has no title");
    let text = |page: &Value, name: &str| page[name].as_str().unwrap().to_owned();
    let row = |page: &Value| {
        let why = format!("{} ({})", text(page, "why"), text(page, "since"));
        vec![code(text(page, "id")), text(page, "title"), why, text(page, "instead")]
    };
    let rows: Vec<Vec<String>> = absent.iter().map(row).collect();
    parts.push(format!("### {}\n\n{}", words.without, table(&words.absent, &rows)));
    parts.join("\n")
}

fn provider_row(provider: &Value, words: &Words) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let credential = &provider["credential"];
    let kind = match credential["format"].as_str().unwrap() {
        "pair" => "`AccessKeyId:AccessKeySecret`".to_owned(),
        "parts" => credential["parts"].as_object().unwrap().keys().map(code).collect::<Vec<_>>().join(" + "),
        "none" => words.none.to_owned(),
        _ => words.key.to_owned(),
    };
    // Notes are in English, and name the kind; a reader of Chinese gets the kind alone.
    let note = text(&credential["note"]).filter(|_| words.key == ENGLISH.key).unwrap_or(kind);
    let note = match credential["create"].as_str() {
        Some(create) => format!("[{note}]({create})"),
        None => note,
    };
    let options = provider["options"].as_object().unwrap().iter().map(|(name, option)| {
        let default = text(&option["default"]).filter(|default| !default.is_empty());
        let default = default.map(|default| format!(" ({})", code(default))).unwrap_or_default();
        format!("{}: {}{default}", code(name), option["description"].as_str().unwrap())
    });
    let links = [("docs", words.documentation), ("top_up", words.top_up)];
    let links = links.into_iter().filter_map(|(field, word)| Some(format!("[{word}]({})", provider[field].as_str()?)));
    let unit = text(&provider["currency"]).or_else(|| text(&provider["unit"]));
    vec![
        code(provider["id"].as_str().unwrap()),
        text(&provider["title"]).unwrap(),
        unit.unwrap_or_else(|| words.said.to_owned()),
        note,
        options.collect::<Vec<_>>().join("; "),
        links.collect::<Vec<_>>().join(", "),
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
