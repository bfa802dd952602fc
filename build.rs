//! Lists the catalogues at build time, so that a new page is one new file and nothing else.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "cargo reads what this prints, gives it its variables, and shows a panic as the reason why the build failed"
)]

use std::path::Path;
use std::{env, fs};

/// Makes the Rust entry of a page from its name and its text.
type Entry = fn(&str, &str) -> String;

/// Folders of pages, the file in `OUT_DIR` that holds each one as a list, and how a page is written there. Each list names its
/// pages by their files, so that one page can be found without reading the others.
const CATALOGUES: [(&str, &str, Entry); 2] =
    [("src/check/account/catalog", "providers.rs", provider), ("src/notify/channel/catalog", "channels.rs", channel)];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for (folder, list, entry) in CATALOGUES {
        println!("cargo::rerun-if-changed={folder}");
        let entries: String = pages(&Path::new(&root).join(folder))
            .iter()
            .map(|(name, text)| format!("    {},\n", entry(name, text)))
            .collect();
        fs::write(Path::new(&out).join(list), format!("&[\n{entries}]\n")).expect("OUT_DIR is writable");
    }
}

/// The names and texts of the pages in a folder, in the order of their names.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the folder of a catalogue is there");
    let paths = entries.map(|entry| entry.expect("the folder of a catalogue is readable").path());
    let mut pages: Vec<(String, String)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_stem().expect("a page has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a page is text"))
        })
        .collect();
    pages.sort();
    pages
}

/// The program is built without the examples of providers, which stand last in a page and which only tests need.
fn provider(name: &str, text: &str) -> String {
    let text = text.split_once("\nexamples:").map_or(text, |(rest, _)| rest);
    let is_readable = !text.lines().any(|line| line.trim_end() == "meter: none");
    format!("Entry {{ id: {name:?}, is_readable: {is_readable}, text: {text:?} }}")
}

fn channel(name: &str, text: &str) -> String {
    format!("({name:?}, {text:?})")
}
