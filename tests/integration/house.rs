//! The order of the house: which room may use which, and that no two files use each other, however long the way round.
//!
//! It reads the `use` lines and the `crate::` and `super::` paths of `src`, except those of test modules. That a file names the files of its own
//! folder is how they become part of it, and no use. It reads as well who asks for the time of day.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The rooms; one may use what stands before it and never what stands after.
const ORDER: [&str; 15] = [
    "model", "process", "yaml", "wire", "page", "check", "decide", "metrics", "state", "notify", "report", "publish",
    "config", "plan", "commands",
];
/// The roof stands over all rooms, and no room may use it, except that `plan` and `commands` read the flags.
const ROOF: [&str; 3] = ["main", "lib", "cli"];

/// Uses that are still against the order. The list may only become shorter.
const EXCEPTIONS: [(&str, &str); 0] = [];
/// The most files that may still stand in one circle.
const CIRCLE: usize = 1;

#[test]
fn every_room_uses_only_what_stands_before_it() {
    let house = House::read();
    let known = |room: &str| ORDER.contains(&room) || ROOF.contains(&room);
    let strange: Vec<&str> = house.uses.keys().map(|file| room(file)).filter(|room| !known(room)).collect();
    assert!(strange.is_empty(), "rooms without a place in the order: {strange:?}");
    let found: BTreeSet<(&str, &str)> = house
        .uses
        .iter()
        .flat_map(|(from, targets)| targets.iter().map(|to| (from.as_str(), to.as_str())))
        .filter(|(from, to)| is_against(room(from), room(to)))
        .collect();
    let allowed: BTreeSet<(&str, &str)> = EXCEPTIONS.into_iter().collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    assert!(new.is_empty(), "against the order: {new:#?}");
    let mended: Vec<_> = allowed.difference(&found).collect();
    assert!(mended.is_empty(), "these are mended and must leave the list: {mended:#?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let house = House::read();
    let circles: Vec<BTreeSet<&str>> = house.circles().into_iter().filter(|circle| circle.len() > CIRCLE).collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_reader_of_uses_sees_them_all() {
    let text = "use crate::a::{self, b::{C, d}, e as f};\nuse super::g;\nfn h() { crate::i::j(); }\n\
                #[cfg(test)]\nmod tests {\n    use crate::k;\n}\n// use crate::l;\n";
    let seen: Vec<String> = uses(text, &["m".into(), "n".into()]).iter().map(|path| path.join("::")).collect();
    assert_eq!(seen, ["a", "a::b::C", "a::b::d", "a::e", "m::g", "i::j"]);
    // Tests in a file of their own do not end the text, and a path needs no `use` line.
    let text = "#[cfg(test)]\nmod tests;\nuse super::g;\npub(in super::o) fn h() { super::p::q(); super::super::r::s(); }\n\
                fn t() { a::super::u(); }\n#[cfg(test)]\nmod more {\n    fn v() { super::w::x(); }\n}\n";
    let seen: Vec<String> = uses(text, &["m".into(), "n".into()]).iter().map(|path| path.join("::")).collect();
    assert_eq!(seen, ["m::g", "m::p::q", "r::s"]);
    assert!(is_against("model", "wire") && is_against("wire", "cli") && !is_against("commands", "cli"));
}

/// What asks the system for the time of day, or the clock of this program without a context.
const TIMES_OF_DAY: [&str; 7] = [
    "Timestamp::now",
    "SystemTime::now",
    "Zoned::now",
    "clock::now",
    "Clock::SYSTEM",
    "Clock::default",
    "RealtimeClock",
];
/// Where that may stand: the file, what stands there, and why.
const CLOCKS: [(&str, &str, &str); 5] = [
    ("process/clock.rs", "SystemTime::now", "it is the clock"),
    ("process/clock.rs", "Clock::SYSTEM", "it is the clock"),
    ("process/mod.rs", "Clock::SYSTEM", "the process has one clock, and its commands and runs hand it on"),
    (
        "process/logging/json.rs",
        "clock::now",
        "a line of the log is written from everywhere, and says when it was written",
    ),
    ("cli.rs", "clock::now", "flags are parsed before there is anything that could have a clock"),
];

#[test]
fn nobody_asks_for_the_time_of_day_but_by_the_clock_of_the_context() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut texts = BTreeMap::new();
    visit(src, src, &mut texts);
    texts.retain(|file, _| !is_test(file));
    let found: BTreeSet<(&str, &str)> = texts.iter().flat_map(|(file, text)| times_of_day(file, text)).collect();
    let allowed: BTreeSet<(&str, &str)> = CLOCKS.iter().map(|(file, what, _)| (*file, *what)).collect();
    assert_eq!(found, allowed, "left: what asks; right: what may");
}

#[test]
fn the_reader_of_clocks_sees_them_all() {
    let text = "use jiff::{Timestamp, Zoned};\nfn f() { Timestamp::now(); }\n// SystemTime::now()\n\
                fn g() { x.map(Zoned::now); DefaultClock::default() }\n#[cfg(test)]\nmod tests {\n    fn h() { clock::now(); }\n}\n";
    assert_eq!(times_of_day("f", text).collect::<Vec<_>>(), [("f", "Timestamp::now"), ("f", "Zoned::now")]);
    let text = "use crate::process::clock::{iso, now};\nfn f() { now() }\n";
    assert_eq!(times_of_day("f", text).collect::<Vec<_>>(), [("f", "clock::now")], "by a name of its own");
    assert!(is_test("config/tests.rs") && is_test("page/expression/tests/cuts.rs") && !is_test("process/clock.rs"));
}

/// Whether a file holds nothing but tests.
fn is_test(file: &str) -> bool {
    file.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
}

/// What of `TIMES_OF_DAY` a file has, in its code or by a `use` line.
fn times_of_day<'a>(file: &'a str, text: &str) -> impl Iterator<Item = (&'a str, &'static str)> {
    let is_imported = uses(text, &module(file)).iter().any(|path| path.join("::") == "process::clock::now");
    let code = code(text);
    // The clock of another library may have a longer name.
    let is_whole = |at: usize| !code[..at].ends_with(char::is_alphanumeric);
    let has = |what: &&str| code.match_indices(what).any(|(at, _)| is_whole(at));
    let found: Vec<&'static str> =
        TIMES_OF_DAY.into_iter().filter(|what| has(what) || (is_imported && *what == "clock::now")).collect();
    found.into_iter().map(move |what| (file, what))
}

/// A text without its comments and the tests in it.
fn code(text: &str) -> String {
    let text = &text[..tests_begin(text).unwrap_or(text.len())];
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn is_against(from: &str, to: &str) -> bool {
    let place = |room: &str| ORDER.iter().position(|one| *one == room);
    match (place(from), place(to)) {
        (Some(from), Some(to)) => from < to,
        (Some(from), None) => !["plan", "commands"].contains(&ORDER[from]),
        (None, _) => false,
    }
}

/// The files of `src` and the files that each of them uses.
struct House {
    uses: BTreeMap<String, BTreeSet<String>>,
}

impl House {
    fn read() -> House {
        let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        let mut texts = BTreeMap::new();
        visit(src, src, &mut texts);
        let modules: BTreeMap<Vec<String>, &String> = texts.keys().map(|file| (module(file), file)).collect();
        let target = |path: &[String]| (1..=path.len()).rev().find_map(|end| modules.get(&path[..end]).copied());
        let uses = texts.iter().map(|(file, text)| {
            let paths = uses(text, &module(file));
            let targets = paths.iter().filter_map(|path| target(path)).cloned();
            (file.clone(), targets.filter(|to| to != file).collect())
        });
        House { uses: uses.collect() }
    }

    /// Files that reach each other, in groups.
    fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> =
            self.uses.keys().map(|file| (file.as_str(), self.reach(file))).collect();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for (file, far) in &reach {
            if seen.contains(file) {
                continue;
            }
            let circle: BTreeSet<&str> = far.iter().copied().filter(|other| reach[other].contains(file)).collect();
            seen.extend(circle.iter().copied());
            if !circle.is_empty() {
                circles.push(circle);
            }
        }
        circles
    }

    fn reach(&self, from: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in &self.uses[file] {
                if found.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        found
    }
}

fn visit(root: &Path, folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(root, &path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            texts.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn module(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    parts.pop_if(|last| last == "mod");
    parts
}

/// The paths that a file uses, from the root of the crate.
fn uses(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let code = code(text);
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut after = code.as_str();
    while let Some(at) = after.find("use ") {
        let is_word = after[..at].chars().next_back().is_none_or(|c| c.is_whitespace());
        let end = after[at..].find(';').map(|end| at + end);
        let (Some(end), true) = (end, is_word) else {
            rest.push_str(&after[..at + 4]);
            after = &after[at + 4..];
            continue;
        };
        rest.push_str(&after[..at]);
        let mut path = after[at + 4..end].split_whitespace().collect::<Vec<_>>().join(" ");
        let mut base = module.to_vec();
        let mut is_own = path.strip_prefix("crate::").map(|rest| (rest.to_owned(), Vec::new()));
        while let Some(rest) = path.strip_prefix("super::") {
            base.pop();
            path = rest.to_owned();
            is_own = Some((path.clone(), base.clone()));
        }
        if let Some((path, base)) = is_own {
            leaves(&path, &base, &mut found);
        }
        after = &after[end + 1..];
    }
    rest.push_str(after);
    for (at, _) in rest.match_indices("crate::") {
        found.push(parts(path_at(&rest[at + 7..])));
    }
    for (at, _) in rest.match_indices("super::") {
        let before = &rest[..at];
        let is_inside = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
        // `pub(in super::a)` says who may use this, and uses nothing.
        if !is_inside && !before.ends_with("(in ") {
            let (mut base, mut path) = (module.to_vec(), path_at(&rest[at..]));
            while let Some(inner) = path.strip_prefix("super::") {
                base.pop();
                path = inner;
            }
            found.push([base, parts(path)].concat());
        }
    }
    found
}

/// Where the first test module that stands in the file itself begins.
fn tests_begin(text: &str) -> Option<usize> {
    let ends_with_brace = |at: usize| text[at..].lines().nth(1).is_some_and(|line| line.trim_end().ends_with('{'));
    text.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| at).find(|at| ends_with_brace(*at))
}

/// The path at the beginning of a text.
fn path_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':')).unwrap_or(text.len());
    text[..end].trim_end_matches(':')
}

fn parts(path: &str) -> Vec<String> {
    path.split("::").filter(|part| !part.is_empty() && *part != "self").map(str::to_owned).collect()
}

/// The single paths of a tree of uses.
fn leaves(tree: &str, base: &[String], found: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((head, inner)) = tree.strip_suffix('}').and_then(|tree| tree.split_once('{')) else {
        let name = tree.split(" as ").next().unwrap_or_default();
        if !name.is_empty() {
            found.push([base, &parts(name)].concat());
        }
        return;
    };
    let base = [base, &parts(head)].concat();
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                leaves(&inner[start..at], &base, found);
                start = at + 1;
            }
            _ => {}
        }
    }
}
