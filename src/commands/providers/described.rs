//! One service for people: what is counted, what it is asked with, and an entry for the config.

use serde_json::Value;

use super::as_json;
use crate::check::account::Listed;
use crate::check::account::page::absent::Absent;
use crate::check::account::page::credential::CredentialFormat;
use crate::check::account::page::{Kind, Page};
use crate::report::{ListOutput, columns};

/// What there is to know about one service.
pub(super) fn describe(listed: &Listed, output: ListOutput) -> String {
    match (output, listed) {
        (ListOutput::Json, _) => format!("{:#}\n", as_json(listed)),
        (ListOutput::Table, Listed::Page(page)) => of_page(page),
        (ListOutput::Table, Listed::Absent(absent)) => of_absent(absent),
    }
}

fn of_page(page: &Page) -> String {
    let mut parts = vec![format!("{}: {}\n", page.id, page.title)];
    parts.push(facts(page).into_iter().map(|fact| format!("{fact}\n")).collect());
    if !page.options.is_empty() {
        let rows = page.options.iter().map(|(name, option)| {
            let default = option.default.as_ref().map_or("required".to_owned(), |default| format!("default {default}"));
            let values = (!option.values.is_empty()).then(|| format!("one of {}", option.values.join(", ")));
            let words = values.into_iter().chain([default]).collect::<Vec<_>>().join(", ");
            vec![name.clone(), words, option.description.clone()]
        });
        parts.push(columns(&["OPTION", "VALUE", "MEANING"], rows.collect(), &[]));
    }
    parts.push(format!("An entry for the config:\n\n{}", snippet(page)));
    parts.join("\n")
}

fn of_absent(absent: &Absent) -> String {
    let links = [("Documentation", &absent.docs), ("Top up", &absent.top_up)];
    let links = links.into_iter().filter_map(|(what, link)| Some(format!("{what}: {}\n", link.as_ref()?)));
    format!(
        "{}: {}\n\nThe balance cannot be read (as of {}): {}.\nInstead: {}.\n{}",
        absent.id,
        absent.title,
        absent.since,
        absent.why,
        absent.instead,
        links.collect::<String>()
    )
}

/// Whole sentences about a page.
fn facts(page: &Page) -> Vec<String> {
    let what = match page.kind {
        Kind::Balance => "money",
        Kind::Credits => "prepaid credits",
        Kind::Quota => "a quota that refills",
        Kind::Spend => "what was spent in this period; the balance is `budget` less it",
    };
    let unit = page.counted_in().map(|unit| format!(", in {unit}")).unwrap_or_default();
    let credential = &page.credential;
    let link = |what: &str, link: &Option<String>| link.as_ref().map(|link| format!("{what}: {link}"));
    let key = match credential.format {
        CredentialFormat::Key => "a key",
        CredentialFormat::Pair => "a pair, as `AccessKeyId:Secret`",
        CredentialFormat::Parts => "several parts, under `credentials`",
        CredentialFormat::None => "none",
    };
    let note = credential.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    [
        Some(format!("Counted: {what}{unit}.")),
        Some(format!("Credential: {key}{note}.")),
        link("Made at", &credential.create),
        page.self_hosted.then(|| "It runs where you have installed it, so `base_url` is needed.".to_owned()),
        page.addresses().next().map(|(_, url)| format!("Address: {url}")),
        page.rate_limit.as_ref().map(|limit| format!("Rate: at most {limit}.")),
        page.read_cost.as_ref().map(|cost| format!("Each reading costs {cost}.")),
        page.min_interval.as_ref().map(|span| format!("A reading is used again for {span}, if runs remember.")),
        link("Documentation", &page.docs),
        link("Top up", &page.top_up),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An entry for a config, which holds what is needed; credentials come from variables.
fn snippet(page: &Page) -> String {
    let variable = |part: &str| format!("${{{}_{part}}}", page.id).replace('-', "_").to_uppercase();
    let mut lines = vec![format!("name: {}", Value::from(page.title.as_str())), format!("provider: {}", page.id)];
    match page.credential.format {
        CredentialFormat::Key | CredentialFormat::Pair => {
            let names = page.credential.variables(&page.id).swap_remove(0);
            let names: Vec<String> = names.split(':').map(|name| format!("${{{name}}}")).collect();
            lines.push(format!("api_key: \"{}\"", names.join(":")));
        }
        CredentialFormat::Parts => {
            let parts = page.credential.parts.keys().map(|part| format!("{part}: \"{}\"", variable(part)));
            lines.push(format!("credentials: {{ {} }}", parts.collect::<Vec<_>>().join(", ")));
        }
        CredentialFormat::None => {}
    }
    lines.extend(page.self_hosted.then(|| "base_url: https://gateway.example.com".to_owned()));
    lines.extend((page.kind == Kind::Spend).then(|| "budget: 100".to_owned()));
    lines.push("threshold: 10".to_owned());
    match page.id.as_str() {
        "exec" => lines.push("command: [\"/path/to/program\", \"--an-argument\"]".to_owned()),
        "mail" => lines.push("mailbox: NAME  # of a mailbox under `email`\n    from: [billing@vendor.example]".to_owned()),
        _ => {}
    }
    let needed = page.options.iter().filter(|(_, option)| option.default.is_none());
    let needed: Vec<String> = needed.map(|(name, option)| format!("{name}: ...  # {}", option.description)).collect();
    if !needed.is_empty() {
        lines.push(format!("options:\n      {}", needed.join("\n      ")));
    }
    let lines = lines.iter().enumerate().map(|(at, line)| format!("  {} {line}\n", if at == 0 { "-" } else { " " }));
    format!("projects:\n{}", lines.collect::<String>())
}
