//! Lists the catalogues at build time, so that a new page is one new file and nothing else, and packs the schema.

#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "cargo reads what this prints, gives it its variables, and shows a panic as the reason why the build failed"
)]

use std::io::Write as _;
use std::path::Path;
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Makes the Rust entry of a page from its name and its text.
type Entry = fn(&str, &str) -> String;

/// Folders of pages, the file in `OUT_DIR` that holds each one as a list, and how a page is written there. Each list names its
/// pages by their files, so that one page can be found without reading the others.
const CATALOGUES: [(&str, &str, Entry); 2] =
    [("src/check/account/catalog", "providers.rs", provider), ("src/notify/channel/catalog", "channels.rs", channel)];

/// The published JSON Schema of the config file, which `OUT_DIR` gets packed: it is a tenth then.
const SCHEMA: &str = "examples/config.schema.json";

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
    println!("cargo::rerun-if-changed={SCHEMA}");
    let schema = fs::read(Path::new(&root).join(SCHEMA)).expect("the schema is there");
    let packed = Path::new(&out).join("schema.deflate");
    fs::write(packed, deflated(&schema)).expect("OUT_DIR is writable");
}

/// Packs what one command prints and no run reads.
fn deflated(text: &[u8]) -> Vec<u8> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(text).expect("writing to memory does not fail");
    packed.finish().expect("writing to memory does not fail")
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

/// The program is built without the examples, which stand last in a page and which only tests need.
fn without_examples(text: &str) -> &str {
    text.find("\nexamples:").map_or(text, |end| &text[..=end])
}

fn provider(name: &str, text: &str) -> String {
    let text = without_examples(text);
    let is_readable = !text.lines().any(|line| line.trim_end() == "meter: none");
    format!("Entry {{ id: {name:?}, is_readable: {is_readable}, text: {text:?} }}")
}

fn channel(name: &str, text: &str) -> String {
    let text = without_examples(text);
    format!("({name:?}, {text:?})")
}
