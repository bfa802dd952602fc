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

/// Folders of pages, the file in `OUT_DIR` that holds each one as a list, and whether the list names each page by its file, so
/// that one page can be found without reading the others.
const CATALOGUES: [(&str, &str, bool); 2] =
    [("src/check/account/catalog", "providers.rs", false), ("src/notify/channel/catalog", "channels.rs", true)];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for (folder, list, is_named) in CATALOGUES {
        println!("cargo::rerun-if-changed={folder}");
        let texts = texts(&Path::new(&root).join(folder), is_named);
        fs::write(Path::new(&out).join(list), texts).expect("OUT_DIR is writable");
    }
}

/// The pages of a folder as a Rust list, in the order of their names.
fn texts(folder: &Path, is_named: bool) -> String {
    let entries = fs::read_dir(folder).expect("the folder of a catalogue is there");
    let paths = entries.map(|entry| entry.expect("the folder of a catalogue is readable").path());
    let mut pages: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    pages.sort();
    let entry = |path: &std::path::PathBuf| match path.file_stem().and_then(|name| name.to_str()) {
        Some(name) if is_named => format!("    ({name:?}, include_str!({path:?})),\n"),
        _ => format!("    include_str!({path:?}),\n"),
    };
    let pages: Vec<String> = pages.iter().map(entry).collect();
    format!("&[\n{}]\n", pages.concat())
}
