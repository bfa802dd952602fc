//! Other files of a config: the lists in them go on with those of the main one, and every mistake names the file that it stands in.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::source::Source;
use crate::decide::route::is_like;
use crate::model::text;
use crate::process::quote_input;
use crate::yaml::document::Document;
use crate::yaml::path::{NodePath, Part, Position, Step, key};
use crate::yaml::problem::{Problem, Reach};

/// The lists that another file may go on with.
const LISTS: [&str; 6] = ["projects", "email", "subscriptions", "webhooks", "providers", "channels"];

/// Most files that a config may have.
const MOST_FILES: usize = 1000;

/// Reads the files that a config includes, and adds what stands in them to its tree. Gives their texts, and what is wrong with them.
pub(super) fn include(source: &Source, document: &mut Document, tree: &mut Value) -> (String, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut texts = String::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for (at, pattern) in patterns(tree) {
        let files = match files(source, &pattern) {
            Ok(files) => files,
            Err(message) => {
                let position = document.locate(&at, Part::Value);
                problems.push(problem(source.name(), position, message));
                forget(tree, &at);
                continue;
            }
        };
        for path in files {
            // Two patterns may name one file.
            if seen.contains(&path) || seen.len() >= MOST_FILES {
                continue;
            }
            seen.push(path.clone());
            let file = Source::File { path, variable: None };
            match file.read() {
                Ok(text) => {
                    add(&file, &text, document, tree, &mut problems);
                    texts.push_str(&text);
                }
                Err(problem) => problems.push(*problem),
            }
        }
    }
    (texts, problems)
}

/// The patterns that `include` holds, with their places. What is no text is a mistake of the field, which is told with the others.
fn patterns(tree: &Value) -> Vec<(NodePath, String)> {
    match tree.get("include") {
        Some(Value::String(text)) => vec![(vec![key("include")], text.clone())],
        Some(Value::Sequence(items)) => {
            let texts = items.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_str()?)));
            texts.map(|(at, text)| (vec![key("include"), Step::Index(at)], text.to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

/// Takes a pattern away of which a mistake was told, so that no other one is told of it.
fn forget(tree: &mut Value, at: &[Step]) {
    let include = tree.get_mut("include");
    let node = match at.last() {
        Some(Step::Index(index)) => include.and_then(|items| items.get_mut(*index)),
        _ => include,
    };
    if let Some(node) = node {
        *node = Value::from("");
    }
}

/// The files that a pattern names, in the order of their names. A pattern that names none is a mistake: what is meant would not be watched.
fn files(source: &Source, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let path = Path::new(pattern);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let beside = source.folder();
    let parent = path.parent().filter(|parent| *parent != Path::new("")).map(Path::to_owned);
    if name.is_empty() || pattern.contains("${") || parent.iter().any(|parent| parent.to_string_lossy().contains('*')) {
        return Err(
            "`include` names files, as `conf.d/*.yaml`: a `*` stands in the name alone, and there are no variables"
                .to_owned(),
        );
    }
    let folder = match (beside == Path::new("."), parent) {
        (true, parent) => parent.unwrap_or(beside),
        (false, Some(parent)) => beside.join(parent),
        (false, None) => beside,
    };
    if !name.contains('*') {
        return Ok(vec![if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }]);
    }
    let entries = std::fs::read_dir(&folder).map_err(|error| {
        format!("`include`: {} cannot be read: {}", quote_input::path(pattern, &folder), text::io_error(&error))
    })?;
    let names = entries.take(MOST_FILES * 10).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|file| !file.starts_with('.') && is_like(name, file)).collect();
    names.sort();
    match names.is_empty() {
        true => Err(format!("`include`: no file is like {}", quote_input::path(pattern, &folder.join(name)))),
        false => Ok(names.into_iter().map(|name| folder.join(name)).collect()),
    }
}

/// Adds what stands in one file.
fn add(source: &Source, text: &str, document: &mut Document, tree: &mut Value, problems: &mut Vec<Problem>) {
    let mut other = match Document::parse(text) {
        Ok(other) => other,
        Err(error) => return problems.push(problem(source.name(), error.position, error.message)),
    };
    let lists = match std::mem::take(&mut other.root) {
        Value::Null => return,
        Value::Mapping(lists) => lists,
        _ => {
            return problems.push(problem(source.name(), None, "the file is not a mapping of `key: value`".to_owned()));
        }
    };
    let mut taken = Vec::new();
    for (name, value) in lists {
        let name = name.as_str().unwrap_or_default().to_owned();
        let place = [key(&name)];
        let wrong = |part, message: String| problem(source.name(), other.locate(&place, part), message);
        let Some(list) = LISTS.into_iter().find(|list| *list == name) else {
            let known = text::list(LISTS);
            let what = quote_input::key(&name);
            problems.push(wrong(
                Part::Key(0),
                format!("{what} cannot stand in a file that is included, which holds {known}"),
            ));
            continue;
        };
        // One mailbox may stand alone.
        let is_alone = list == "email" && value.is_mapping();
        let items = match value {
            Value::Null => continue,
            Value::Sequence(items) => items,
            value if is_alone => vec![value],
            _ => {
                problems.push(wrong(Part::Value, format!("`{list}` must be a list")));
                continue;
            }
        };
        let all = tree.as_mapping_mut().map(|fields| fields.entry(list.into()).or_insert(Value::Null));
        match all {
            Some(all @ (Value::Null | Value::Sequence(_))) => {
                let mut before = std::mem::take(all).as_sequence().cloned().unwrap_or_default();
                let from = before.len();
                taken.push((list, from, from + items.len(), is_alone));
                before.extend(items);
                *all = Value::Sequence(before);
            }
            _ => problems.push(wrong(Part::Key(0), format!("`{list}` must be a list in the main file as well"))),
        }
    }
    for duplicate in other.duplicates.iter().filter(|duplicate| duplicate.path.len() == 1) {
        let position = other.locate(&duplicate.path, Part::Key(duplicate.occurrence));
        problems.push(problem(source.name(), position, "duplicate key".to_owned()));
    }
    document.go_on_with(source.name(), other, taken);
}

fn problem(file: String, position: Option<Position>, message: String) -> Problem {
    Problem { file, position, place: None, message, hint: None, reach: Reach::Whole }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::config::{Asked, Loaded, Needs, Source, load};
    use crate::process::clock::Clock;
    use crate::process::environment::Environment;

    /// Loads `config.yaml` of these files.
    fn loaded(files: &[(&str, &str)]) -> (Loaded, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let source = Source::File { path: folder.path().join("config.yaml"), variable: None };
        let environment = Environment::of(&[("HOME", "/nonexistent")]);
        let loaded = load(&source, &environment, Clock::default().now(), Needs::Checks, Asked::Nobody).0;
        let base = format!("{}/", folder.path().display());
        let said = loaded.problems.iter().map(|problem| format!("{problem}\n")).collect::<String>().replace(&base, "");
        (loaded, said)
    }

    const MAIN: &str = "include: [conf.d/*.yaml]\nprojects:\n  - { name: Main, provider: deepseek, api_key: k-0f3c9a7b5d1e, threshold: 1 }\n";
    const TEAM: &str = "webhooks:\n  - { name: team, type: console }\nprojects:\n  - { name: Team, provider: acme, api_key: k-0f3c9a7b5d1e, threshold: 1 }\n\
                        providers:\n  - { id: acme, title: Acme, kind: balance, request: { url: \"https://acme.example/\" }, balance: .b }\n";
    const MAILS: &str =
        "email: { name: box, host: imap.example.com, username: u@example.com, password: p-0f3c9a7b5d1e }\n";

    #[test]
    fn lists_go_on_in_the_order_of_the_files() {
        let (loaded, said) = loaded(&[
            ("config.yaml", MAIN),
            ("conf.d/b.yaml", TEAM),
            ("conf.d/a.yaml", MAILS),
            (
                "conf.d/c.yaml",
                "projects: [{ name: Last, provider: deepseek, api_key: k-0f3c9a7b5d1e, threshold: 1.50 }]\n",
            ),
            ("conf.d/d.yaml", ""),
            ("conf.d/.hidden.yaml", "nonsense: ["),
            ("conf.d/e.yml", "nonsense: ["),
        ]);
        assert_eq!(said, "");
        let config = loaded.config.unwrap();
        let names: Vec<&str> = config.projects.iter().map(|project| project.name.as_str()).collect();
        assert_eq!(names, ["Main", "Team", "Last"]);
        assert_eq!((config.channels.len(), config.mailboxes.len(), config.mailboxes[0].name.as_str()), (1, 1, "box"));
    }

    /// A mistake has the same place and words as if its file were a config of its own.
    #[test]
    fn a_mistake_names_its_file_and_its_place_there() {
        let account = |more: &str| {
            format!("projects:\n  - {{ name: T, provider: deepseek, api_key: k-0f3c9a7b5d1e, threshold: 1{more} }}\n")
        };
        let main = MAIN.replace("name: Main", "name: Other");
        for file in [
            account(", treshold: 2"),
            account(", currency: [1]"),
            account(", api_key: again"),
            account(", timeout_seconds: 0x10"),
            account(", base_url: \"${NO}\""),
            account("").replace("provider: deepseek", "provider: deepsek"),
            "email: { name: m, hosst: h }\n".to_owned(),
            "email: [{ name: m, hosst: h }]\n".to_owned(),
            "projects: [\n".to_owned(),
        ] {
            let said = loaded(&[("config.yaml", &main), ("conf.d/a.yaml", &file)]).1;
            let alone = loaded(&[("config.yaml", &file)]).1.replace("config.yaml", "conf.d/a.yaml");
            assert!(!said.is_empty(), "{file}");
            // The one mailbox of a whole config needs no name.
            assert_eq!(said.replace("email `m`", "email"), alone, "{file}");
        }
        let again = account("").replace("name: T", "name: Main");
        for (file, want) in [
            (
                again.as_str(),
                "projects[0] `Main`: there is already a project `Main`\n hint: projects[0] of config.yaml has this name\n",
            ),
            ("settings: { language: zh }\n", "`settings` cannot stand in a file that is included"),
            ("include: [x.yaml]\n", "`include` cannot stand in a file that is included"),
            ("projects: 5\n", "`projects` must be a list"),
            ("subscriptions: []\nsubscriptions: []\n", "duplicate key"),
            ("- x\n", "the file is not a mapping"),
        ] {
            let said = loaded(&[("config.yaml", MAIN), ("conf.d/a.yaml", file)]).1;
            assert!(said.starts_with("conf.d/a.yaml:") && said.contains(want), "{file}\nwant {want}\ngot  {said}");
            assert_eq!(said.lines().filter(|line| !line.starts_with(" hint")).count(), 1, "{said}");
        }
        let mut files = BTreeMap::new();
        for (include, want) in [
            ("[none/*.yaml]", "config.yaml:1:11: `include`: "),
            ("[conf.d/*.json]", "config.yaml:1:11: `include`: no file is like "),
            ("no-such.yaml", "no-such.yaml: cannot be read: no such file"),
            ("[\"*/a.yaml\"]", "config.yaml:1:11: `include` names files"),
            ("[\"${X}.yaml\"]", "config.yaml:1:11: `include` names files"),
            ("{ a: b }", "config.yaml:1:"),
        ] {
            files.insert("config.yaml", MAIN.replace("[conf.d/*.yaml]", include));
            let said = loaded(&[("config.yaml", &files["config.yaml"]), ("conf.d/a.yaml", MAILS)]).1;
            assert_eq!(said.lines().filter(|line| !line.starts_with(" hint")).count(), 1, "{said}");
            assert!(said.starts_with(want), "{include}\nwant {want}\ngot  {said}");
        }
    }
}
