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

/// Folders of pages, and the file in `OUT_DIR` that holds each one as a list of texts.
const CATALOGUES: [(&str, &str); 1] = [("src/check/account/catalog", "providers.rs")];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for (folder, list) in CATALOGUES {
        println!("cargo::rerun-if-changed={folder}");
        fs::write(Path::new(&out).join(list), texts(&Path::new(&root).join(folder))).expect("OUT_DIR is writable");
    }
}

/// The pages of a folder as a Rust list, in the order of their names.
fn texts(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the folder of a catalogue is there");
    let paths = entries.map(|entry| entry.expect("the folder of a catalogue is readable").path());
    let mut pages: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    pages.sort();
    let pages: Vec<String> = pages.iter().map(|path| format!("    include_str!({path:?}),\n")).collect();
    format!("&[\n{}]\n", pages.concat())
}
