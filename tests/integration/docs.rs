//! The papers are tested: every YAML block loads, every link leads somewhere, every command is understood, what can be written
//! from the program is current (`WRITE_DOCS=1` writes it), and both languages have the same sections.

mod chinese;
mod dependencies;
mod generated;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use balance_alert::Exit;
use regex_lite::Regex;
use serde_yaml::{Mapping, Value};
use unicode_width::UnicodeWidthStr;

use crate::support::Program;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The pages of which there is a Chinese one, beside those in `docs/zh`, whose English ones have the same name.
const READMES: (&str, &str) = ("README.md", "README.zh-CN.md");

/// A line of the README is not longer, and it has not more of them: it is read in a terminal, in one go.
const README_COLUMNS: usize = 100;
const README_LINES: std::ops::RangeInclusive<usize> = 90..=140;

/// What a fragment of a config is put into.
const SKELETON: &str = "
webhook: { type: console }
projects: [{ name: Skeleton, provider: file, threshold: 1, options: { path: data.json, balance: .fine } }]
";

fn read(file: &str) -> String {
    let path = Path::new(ROOT).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page that people read, by its path from the root.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "README.md",
        "README.zh-CN.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "examples/monitoring/README.md",
    ]
    .map(String::from)
    .into();
    for folder in ["docs", "docs/zh"] {
        pages.extend(markdown_in(folder));
    }
    assert!(pages.len() > 25, "{pages:?}");
    pages
}

fn markdown_in(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect()
}

/// A block of code: the line that opens it, counted from 1, the words behind the fence, and what is in it.
struct Block {
    line: usize,
    info: String,
    text: String,
}

/// A page, taken apart into its blocks of code and its prose.
fn split(text: &str) -> (Vec<Block>, String) {
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block { line: number + 1, info: info.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => prose.extend([line, "\n"]),
        }
    }
    assert!(open.is_none(), "a block of code is not closed");
    (blocks, prose)
}

#[test]
fn every_yaml_block_loads() {
    let mut counts = BTreeMap::new();
    for page in pages() {
        for block in split(&read(&page)).0 {
            let place = format!("{page}:{}", block.line);
            *counts.entry(block.info.clone()).or_insert(0) += 1;
            match block.info.as_str() {
                "yaml" => validate(&place, &block.text),
                "yaml fragment" => validate(&place, &completed(&place, &block.text)),
                "yaml prometheus" => drop(serde_yaml::from_str::<Value>(&block.text).expect(&place)),
                "json" => drop(serde_json::from_str::<serde_json::Value>(&block.text).expect(&place)),
                "sh" | "text" | "cron" | "python" | "promql" => {}
                other => panic!("{place}: a block of `{other}`, which nothing checks"),
            }
        }
    }
    assert!(counts["yaml"] >= 8 && counts["yaml fragment"] >= 20, "{counts:?}");
}

/// The fragment in the skeleton; a key of the fragment takes the place of the skeleton's.
fn completed(place: &str, fragment: &str) -> String {
    let mut config: Mapping = serde_yaml::from_str(SKELETON).unwrap();
    let fragment: Mapping = serde_yaml::from_str(fragment).expect(place);
    if fragment.contains_key("webhooks") {
        config.remove("webhook");
    }
    config.extend(fragment);
    serde_yaml::to_string(&config).unwrap()
}

/// A config of the docs is in order where its variables are set; only files of secrets may be missing.
fn validate(place: &str, config: &str) {
    let mut program = Program::new(["validate", "--config", "config.yaml"]).file("config.yaml", config);
    let variable = Regex::new(r"\$\{([A-Z0-9_]+)").unwrap();
    for (_, [name]) in variable.captures_iter(config).map(|found| found.extract()) {
        let value = match name {
            "DATABASE_URL" => "postgres://user:long-password-7f3a@localhost/alerts",
            _ if name.ends_with("URL") => "https://hooks.example.com/hook/7f3a9c1e5b2d",
            _ if name.ends_with("PAIR") => "AKID7f3a9c1e5b2d:q8Wz4Lr1Tn6Yb3Kd",
            _ => "q8Wz4Lr1Tn6Yb3Kd7f3a9c1e5b2dXv0P",
        };
        program = program.env(name, value);
    }
    let done = program.run();
    let is_missing_file = |line: &&str| line.contains("/run/secrets/") && line.contains("cannot be read");
    let is_problem = |line: &&str| line.starts_with("error: ") && !line.starts_with("error: config.yaml: ");
    let mistakes = |line: &&str| is_problem(line) && !is_missing_file(line);
    let mistakes: Vec<&str> = done.stderr.lines().filter(mistakes).collect();
    assert!(mistakes.is_empty(), "{place}: {mistakes:#?}");
    let is_whole = done.code() == 0 || done.stderr.lines().any(|line| is_missing_file(&line));
    assert!(is_whole, "{place}: {done}");
}

#[test]
fn every_link_and_every_file_that_is_named_exists() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let named = Regex::new(r"`((?:docs|examples|src|tests|\.ci|\.github)/[\w./-]+|[\w-]+\.(?:toml|md))`").unwrap();
    let mut count = 0;
    for page in pages() {
        let folder = Path::new(&page).parent().unwrap().to_owned();
        let prose = split(&read(&page)).1;
        for (_, [target]) in link.captures_iter(&prose).map(|found| found.extract()) {
            if target.contains("://") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { PathBuf::from(&page) } else { folder.join(file) };
            let path = Path::new(ROOT).join(&file);
            assert!(path.exists(), "{page}: {target}");
            if !anchor.is_empty() {
                let anchors = anchors(&std::fs::read_to_string(&path).unwrap());
                assert!(anchors.contains(anchor), "{page}: {target}: {anchors:?}");
            }
        }
        // What the changelog names may be gone.
        if page == "CHANGELOG.md" {
            continue;
        }
        for (_, [name]) in named.captures_iter(&prose).map(|found| found.extract()) {
            let is_there = Path::new(ROOT).join(name).exists() || Path::new(ROOT).join(&folder).join(name).exists();
            assert!(is_there, "{page}: `{name}`");
        }
    }
    assert!(count > 100, "{count}");
}

/// The names by which the headings of a page can be linked to, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = split(text).1;
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let title = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_command_that_is_shown_is_understood() {
    let inline = Regex::new(r"`balance-alert ([a-z][^`]*)`").unwrap();
    let mut commands = BTreeSet::new();
    for page in pages() {
        let (blocks, prose) = split(&read(&page));
        let lines = blocks.iter().filter(|block| matches!(block.info.as_str(), "sh" | "cron"));
        for line in lines.flat_map(|block| block.text.lines()) {
            let shown = line.split(['>', '|', '#']).next().unwrap();
            let program = ["balance-alert ", "cargo run --release -- "];
            let found = program.into_iter().find_map(|program| Some(shown.rsplit_once(program)?.1));
            commands.extend(found.filter(|_| !shown.contains("docker")).map(str::to_owned));
        }
        commands.extend(inline.captures_iter(&prose).map(|found| found[1].to_owned()));
    }
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        // `--help` at the end is reached only if everything before it was understood.
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let mut program = Program::new([]);
        for argument in arguments {
            program = program.args([argument]);
        }
        let done = program.args(["--help"]).run();
        assert_eq!(done.code(), 0, "balance-alert {command}: {done}");
    }
}

#[test]
fn both_languages_have_the_same_sections() {
    let mut pairs = vec![(READMES.0.to_owned(), READMES.1.to_owned())];
    let chinese = markdown_in("docs/zh");
    for needed in
        ["writing-a-config", "providers", "own-provider", "channels", "troubleshooting", "exit-codes", "variables"]
    {
        assert!(chinese.contains(&format!("docs/zh/{needed}.md")), "{needed}");
    }
    pairs.extend(chinese.into_iter().map(|page| (page.replace("/zh/", "/"), page)));
    for (english, chinese) in pairs {
        let sections = sections(&english);
        assert!(!sections.is_empty(), "{english} has no sections");
        assert_eq!(sections, self::sections(&chinese), "{english} and {chinese}");
    }
}

/// The names of the sections of a page. Every heading of the second level has one above it.
fn sections(page: &str) -> Vec<String> {
    let prose = split(&read(page)).1;
    let mut names = Vec::new();
    let mut above = "";
    for line in prose.lines() {
        if line.starts_with("## ") {
            let name = above.strip_prefix("<!-- section: ").and_then(|rest| rest.strip_suffix(" -->"));
            names.push(name.unwrap_or_else(|| panic!("{page}: `{line}` has no name above it")).to_owned());
        }
        above = line;
    }
    names
}

#[test]
fn the_readmes_fit_a_terminal_and_name_both_commands() {
    for page in [READMES.0, READMES.1] {
        let readme = read(page);
        assert!(README_LINES.contains(&readme.lines().count()), "{page} has {} lines", readme.lines().count());
        for line in readme.lines() {
            assert!(line.width() <= README_COLUMNS, "{page}: {} columns: {line}", line.width());
        }
        let test = read(".ci/run");
        let command = test.lines().rfind(|line| !line.trim().is_empty()).unwrap();
        assert!(readme.contains(command.trim()), "{page} and .ci/run must call the same command: {command}");
        assert!(readme.contains("cargo run --release -- check --config examples/quickstart.yaml"), "{page}");
    }
}

#[test]
fn the_table_in_the_readmes_is_what_the_quickstart_prints() {
    let config = Path::new(ROOT).join("examples/quickstart.yaml").display().to_string();
    let done = Program::new(["check", "--config", &config]).run().expect(2);
    let table = done.stdout.split("\n\n").next().unwrap();
    for page in [READMES.0, READMES.1] {
        let readme = read(page);
        let shown = readme.split("<!-- output: quickstart -->").nth(1).unwrap();
        let (blocks, _) = split(shown);
        assert_eq!(blocks[0].text.trim_end(), table, "{page}");
    }
}

#[test]
fn the_message_in_the_readmes_is_what_the_quickstart_sends() {
    for (page, language) in [(READMES.0, "en"), (READMES.1, "zh")] {
        let config = read("examples/quickstart.yaml");
        let config = config.replace("settings: { ", &format!("settings: {{ language: {language}, "));
        let config = config.replace("path: quickstart/", &format!("path: {ROOT}/examples/quickstart/"));
        let done = Program::new(["check", "--config", "config.yaml"]).file("config.yaml", &config).run().expect(2);
        let readme = read(page);
        let shown = readme.split(&format!("<!-- output: message {language} -->")).nth(1).unwrap();
        let same = |line: &str| {
            let line = Regex::new(r"\d{8}T\d{6}Z-[0-9a-f]{6}").unwrap().replace(line, "RUN").into_owned();
            Regex::new("[0-9a-f]{16}").unwrap().replace(&line, "KEY").into_owned()
        };
        let blocks = split(shown).0;
        let lines: Vec<&str> = blocks[0].text.lines().collect();
        let [title, alert, source] = lines[..] else { panic!("{page}: {lines:?}") };
        let sent: Vec<&str> = done.stderr.lines().map(str::trim).collect();
        let at = sent.iter().position(|line| *line == title).unwrap_or_else(|| panic!("{page}: {title}: {done}"));
        assert_eq!(sent[at + 1], alert, "{page}");
        assert_eq!(same(sent[at + 2]), same(source), "{page}");
    }
}

#[test]
fn the_readmes_say_how_many_services_there_are() {
    let providers = generated::providers().iter().filter(|page| page["meter"] == "api").count();
    let done = Program::new(["channels", "--output", "json"]).run().expect(0);
    let channels = serde_json::from_str::<Vec<serde_json::Value>>(&done.stdout).unwrap().len();
    let (providers, channels) = (providers / 10 * 10, channels / 5 * 5);
    let english = read(READMES.0).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(english.contains(&format!("some {providers}, ")), "{providers} providers");
    assert!(english.contains(&format!("[some {channels} channels]")), "{channels} channels");
    let chinese = read(READMES.1);
    assert!(chinese.contains(&format!("约 {providers} 个服务")), "{providers} providers");
    assert!(chinese.contains(&format!("约 {channels} 种")), "{channels} channels");
}

#[test]
fn the_keys_of_the_json_report_that_are_documented_are_there() {
    let config = Path::new(ROOT).join("examples/quickstart.yaml").display().to_string();
    let report = Program::new(["check", "--output", "json", "--config", &config]).run().expect(2).report();
    let word = Regex::new("`([a-z_]+)`").unwrap();
    for page in ["docs/operations.md", "docs/zh/operations.md"] {
        let text = read(page);
        let table = text.split("<!-- keys of the JSON report -->\n").nth(1).unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|')).skip(2);
        let named: Vec<String> = rows
            .flat_map(|row| {
                let first = row.split('|').nth(1).unwrap();
                word.captures_iter(first).map(|found| found[1].to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert!(named.len() >= 14, "{page}: {named:?}");
        for key in named {
            assert!(report.get(&key).is_some(), "{page}: `{key}` is no key of the report");
        }
    }
}

/// The defaults of the keys of the config, by the last word of a key: several keys may have one name.
fn defaults(node: &serde_json::Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let said = Regex::new(r"default ([0-9.]+)").unwrap();
    for (name, key) in node["properties"].as_object().into_iter().flatten() {
        let default = match &key["default"] {
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::String(text) => Some(text.clone()),
            _ => said.captures(key["description"].as_str().unwrap_or_default()).map(|found| found[1].to_owned()),
        };
        found.entry(name.clone()).or_default().extend(default);
    }
    match node {
        serde_json::Value::Object(map) => map.values().for_each(|inner| defaults(inner, found)),
        serde_json::Value::Array(items) => items.iter().for_each(|inner| defaults(inner, found)),
        _ => {}
    }
}

#[test]
fn defaults_in_the_prose_are_those_of_the_schema() {
    let mut known = BTreeMap::new();
    defaults(&serde_json::from_str(&read("examples/config.schema.json")).unwrap(), &mut known);
    let said = [
        r"`(?:[a-z_]+\.)*([a-z_]+)`[^|`\n]{0,24}?[(（](?:default|默认) ?([0-9.]+)",
        r"`(?:[a-z_]+\.)*([a-z_]+)` \(([0-9.]+) by default",
    ];
    let mut count = 0;
    for page in pages() {
        let prose = split(&read(&page)).1;
        for pattern in said {
            for (whole, [name, default]) in
                Regex::new(pattern).unwrap().captures_iter(&prose).map(|found| found.extract())
            {
                let known = known.get(name).unwrap_or_else(|| panic!("{page}: no key `{name}`: {whole}"));
                let is_same = |one: &String| one.trim_end_matches('d') == default.trim_end_matches('.');
                assert!(known.iter().any(is_same), "{page}: {whole}: {known:?}");
                count += 1;
            }
        }
    }
    assert!(count >= 18, "{count} defaults are said");
}

#[test]
fn every_exit_code_variable_and_provider_is_documented() {
    for page in ["docs/exit-codes.md", "docs/zh/exit-codes.md"] {
        let text = read(page);
        let codes: Vec<String> = Exit::ALL.iter().map(|exit| format!("{}", exit.code())).collect();
        assert_eq!(first_cells(&text, codes.len()), codes, "{page}");
    }
    for exit in Exit::ALL {
        assert!(read("docs/exit-codes.md").contains(&format!("| {} | {} |", exit.code(), exit.meaning())));
    }
    for page in ["docs/variables.md", "docs/zh/variables.md"] {
        let text = read(page);
        let names: Vec<String> = generated::variables().into_iter().map(|(name, _)| format!("`{name}`")).collect();
        assert_eq!(first_cells(&text, names.len()), names, "{page}");
    }
    for page in ["docs/providers.md", "docs/zh/providers.md"] {
        let text = read(page);
        for provider in generated::providers() {
            let id = provider["id"].as_str().unwrap();
            assert!(text.contains(&format!("| `{id}` |")), "{page}: {id}");
        }
    }
}

/// The first column of the first table of a page.
fn first_cells(text: &str, count: usize) -> Vec<String> {
    let rows = text.lines().filter(|line| line.starts_with('|')).skip(2).take(count);
    rows.map(|row| row.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

#[test]
fn every_reason_has_its_section_in_troubleshooting() {
    for page in ["docs/troubleshooting.md", "docs/zh/troubleshooting.md"] {
        let prose = split(&read(page)).1;
        let found: Vec<&str> = prose.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
        assert_eq!(found, generated::reasons(), "{page}");
    }
}

#[test]
fn generated_parts_are_current() {
    let known: BTreeMap<String, String> = generated::parts();
    let mut used = BTreeSet::new();
    for page in pages() {
        let old = read(&page);
        let mut new = String::new();
        let mut rest = old.as_str();
        while let Some((before, after)) = rest.split_once("<!-- generated: ") {
            let (name, after) = after.split_once(" -->\n").unwrap();
            let (_, after) = after.split_once("<!-- end of generated -->").unwrap_or_else(|| panic!("{page}: {name}"));
            let part = known.get(name).unwrap_or_else(|| panic!("{page}: nothing writes `{name}`"));
            used.insert(name.to_owned());
            new += &format!("{before}<!-- generated: {name} -->\n{part}<!-- end of generated -->");
            rest = after;
        }
        new += rest;
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(Path::new(ROOT).join(&page), new).unwrap();
        } else {
            assert_eq!(old, new, "{page}: run `WRITE_DOCS=1 cargo test --test integration -- docs::`");
        }
    }
    assert_eq!(
        used.into_iter().collect::<Vec<_>>(),
        known.into_keys().collect::<Vec<_>>(),
        "every part stands somewhere"
    );
}
