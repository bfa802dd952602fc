//! What `cargo deny` would say of licences, bans and sources, for machines without it (it says nothing of advisories); and which
//! room may name which crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{ROOT, read};

#[test]
fn dependencies_are_what_deny_toml_allows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (allowed, banned) = (listed("allow = [", None), listed("deny = [", Some("crate = ")));
    assert!(allowed.len() > 3 && !banned.is_empty(), "{allowed:?} {banned:?}");
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(is_allowed(license, &allowed), "{name} is under {license}");
        assert!(!banned.iter().any(|banned| banned == name), "{name} is banned");
        let source = package["source"].as_str();
        let is_own = source.is_none() && name == env!("CARGO_PKG_NAME");
        assert!(is_own || source.is_some_and(|source| source.contains("crates.io-index")), "{name} is from {source:?}");
    }
}

/// The quoted words of a list in `deny.toml`: the first of each line, or the one behind `key`.
fn listed(head: &str, key: Option<&str>) -> Vec<String> {
    let text = read("deny.toml");
    let list = text.split(&format!("\n{head}\n")).nth(1).unwrap().split("\n]").next().unwrap();
    let lines = list.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.filter_map(|line| match key {
        Some(key) => line.split(key).nth(1),
        None => Some(line),
    });
    words.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())).collect()
}

/// Whether an SPDX expression can be met by licences of the list. Old crates write `/` for OR.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words, allowed);
    assert!(words.peek().is_none(), "{expression} is understood to its end");
    met
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words, allowed: &[String]) -> bool {
    let mut met = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= all(words, allowed);
    }
    met
}

fn all(words: &mut Words, allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words, allowed: &[String]) -> bool {
    let word = words.next().unwrap_or_default();
    if word == "(" {
        let met = either(words, allowed);
        assert_eq!(words.next(), Some(")"));
        return met;
    }
    // An exception only allows more.
    if words.next_if_eq(&"WITH").is_some() {
        words.next();
    }
    allowed.iter().any(|license| license == word)
}

#[test]
fn expressions_of_licences_are_met_or_not() {
    let allowed = ["MIT".to_owned(), "Zlib".to_owned()];
    for (expression, want) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("(GPL-3.0 OR Apache-2.0) AND Zlib", false),
        ("MIT WITH LLVM-exception", true),
    ] {
        assert_eq!(is_allowed(expression, &allowed), want, "{expression}");
    }
}

/// The rooms of `src` that may name a crate: what it does is done there and nowhere else. `docs/architecture.md` says why.
const ROOMS: [(&str, &[&str]); 16] = [
    // Clients are built in `wire`, which clippy holds. `check` names headers and methods.
    ("reqwest", &["check", "wire"]),
    ("ureq", &["wire"]),
    ("native_tls", &["check", "state", "wire"]),
    ("imap", &["check"]),
    ("mail_parser", &["check"]),
    ("lettre", &["notify"]),
    ("rayon", &["check"]),
    // The kit, what assembles a config of it, and the catalogue.
    ("serde_yaml", &["check", "config", "notify", "yaml"]),
    ("jaq_core", &["page"]),
    ("rusqlite", &["state"]),
    ("postgres", &["state"]),
    ("prometheus", &["metrics", "publish"]),
    ("governor", &["wire"]),
    ("jsonwebtoken", &["wire"]),
    ("env_logger", &["process"]),
    ("rustix", &["process"]),
];

#[test]
fn each_crate_stays_in_its_rooms() {
    let src = Path::new(ROOT).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let path = file.strip_prefix(&src).unwrap().display().to_string();
        let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        for (name, rooms) in ROOMS {
            let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            if code.any(|line| names_crate(line, name)) {
                assert!(rooms.contains(&room.as_str()), "{path} names the crate `{name}`, which belongs to {rooms:?}");
                found.insert(name);
            }
        }
    }
    assert_eq!(found.len(), ROOMS.len(), "a crate that nobody names has no row: {found:?}");
}

/// Whether a path in this line begins with the crate.
fn names_crate(line: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    line.match_indices(name).any(|(at, _)| line[at + name.len()..].starts_with("::") && !line[..at].ends_with(is_part))
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, into),
            false if path.extension().is_some_and(|extension| extension == "rs") => into.push(path),
            false => {}
        }
    }
}

#[test]
fn the_oldest_rust_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for page in ["README.md", "README.zh-CN.md"] {
        assert!(read(page).contains(version), "{page} names Rust {version}");
    }
    assert!(read("Dockerfile").contains(&format!("FROM rust:{version}-")), "the image is built with Rust {version}");
    let workflow = read(".github/workflows/ci.yml");
    assert!(workflow.contains("run: ./.ci/run\n"), "the workflow calls the same script as everybody else");
    assert!(
        workflow.contains(r"s/^rust-version = ") && workflow.contains("cargo check --locked"),
        "and builds with it"
    );
}
