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

/// Folders of pages, and the file in `OUT_DIR` that holds each one as a list of entries.
const CATALOGUES: [(&str, &str); 1] = [("src/check/account/catalog", "providers.rs")];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for (folder, list) in CATALOGUES {
        println!("cargo::rerun-if-changed={folder}");
        let pages = pages(&Path::new(&root).join(folder));
        fs::write(Path::new(&out).join(list), entries(&pages)).expect("OUT_DIR is writable");
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

/// The pages as a Rust list. The program is built without their examples, which stand last in a page and which only tests need.
fn entries(pages: &[(String, String)]) -> String {
    let entry = |(name, text): &(String, String)| {
        let text = text.split_once("\nexamples:").map_or(text.as_str(), |(rest, _)| rest);
        let is_readable = !text.lines().any(|line| line.trim_end() == "meter: none");
        format!("    Entry {{ id: {name:?}, is_readable: {is_readable}, text: {text:?} }},\n")
    };
    format!("&[\n{}]\n", pages.iter().map(entry).collect::<String>())
}
