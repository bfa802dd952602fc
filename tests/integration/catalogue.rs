//! A new provider is one new file, and so is a new channel: a copy of the tree gets one of each, is built, and knows them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Program;

/// All that a build needs.
const TREE: [&str; 6] = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "examples", "tests"];

/// The name of the copy. It needs its own, because cargo tells packages of one target folder apart by their names, and the copy
/// must not take the place of the program that the other tests run.
const COPY: &str = "balance-alert-copy";

const PAGE: &str = r#"id: one-file
title: One File
kind: credits
request:
  url: https://api.one-file.test/v1/left
  headers: { Authorization: "Bearer {api_key}" }
balance: .left
examples:
  - { name: some, body: '{"left": 7}', expect: { balance: "7" } }
  - { name: none, body: '{}', expect: { failure: decode } }
"#;

const CHANNEL: &str = r#"id: one-channel
title: One Channel
docs: https://one-channel.test/docs
fields:
  url: { about: The address., type: url, secret: true }
  room: { about: The room. }
request: { url: "{url}" }
markup: plain
body: '{text: .text, room: .fields.room}'
limits: [{ most: 1000, unit: bytes }]
verdict: .body.taken == true
examples:
  messages: []
  answers: [{ name: nothing, expect: { taken: false } }]
"#;

#[test]
fn a_new_provider_and_a_new_channel_are_one_file_each_and_nothing_else() {
    // Always at the same place: what is built there is built once, and later only what has changed.
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-file-provider");
    let _ = fs::remove_dir_all(&copy);
    fs::create_dir_all(&copy).unwrap();
    for entry in TREE {
        copy_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(entry), &copy.join(entry));
    }
    for (file, library) in [("Cargo.toml", "[lib]\nname = \"balance_alert\"\n\n[[bin]]"), ("Cargo.lock", "")] {
        let text = fs::read_to_string(copy.join(file)).unwrap();
        let renamed = text.replace("name = \"balance-alert\"", &format!("name = \"{COPY}\""));
        assert_ne!(text, renamed, "{file}");
        fs::write(copy.join(file), renamed.replacen("[[bin]]", library, 1)).unwrap();
    }
    let catalog = copy.join("src/check/account/catalog");
    fs::write(catalog.join("one-file.yaml"), PAGE).unwrap();
    let wrong = PAGE.replace("id: one-file", "id: one-file-wrong").replace("balance: \"7\"", "balance: \"8\"");
    fs::write(catalog.join("one-file-wrong.yaml"), wrong).unwrap();

    let channels = copy.join("src/notify/channel/catalog");
    fs::write(channels.join("one-channel.yaml"), CHANNEL).unwrap();

    cargo(&copy, &["build", "--bin", COPY]).expect("the copy is built");
    let program = profile().join(COPY);
    let lists = |what: &[&str]| {
        let output = Command::new(&program).args(what).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let list = lists(&["providers"]);
    let row = list.lines().find(|line| line.contains(" one-file ")).unwrap_or_else(|| panic!("{list}"));
    assert!(row.contains("One File") && row.contains("https://api.one-file.test/v1/left"), "{row}");
    assert!(lists(&["schema"]).contains("\"one-file\""));
    assert!(lists(&["schema"]).contains("\"one-channel\"") && lists(&["schema"]).contains("One Channel: The room."));
    let config = "webhook: { type: one-channel, url: 'https://one-channel.test/x' }\nprojects: []\n";
    fs::write(copy.join("config.yaml"), config).unwrap();
    let validate = ["validate", "--config", "config.yaml"];
    let output = Command::new(&program).args(validate).current_dir(&copy).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`room` is missing") && said.contains("a one-channel channel needs it: The room."), "{said}");
    let ours = Program::new(["providers"]).run().expect(0);
    assert_eq!(list.lines().count(), ours.stdout.lines().count() + 2, "{list}");

    // Examples are run with those of all others, in the order of the pages: one that holds is passed, and one that does not is found.
    let test = ["test", "--lib", "--", "every_page_parses_and_its_examples_hold"];
    let why = cargo(&copy, &test).expect_err("an example is wrong");
    assert!(why.contains("one-file-wrong: ") && !why.contains("one-file: "), "{why}");
    fs::remove_file(program).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy_all(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// The folder that this test was built into: its dependencies are those of the copy.
fn profile() -> PathBuf {
    std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned()
}

/// Runs cargo in the copy, without the network.
///
/// # Errors
/// What it says if it fails.
fn cargo(copy: &Path, arguments: &[&str]) -> Result<(), String> {
    let profile = profile();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(copy).env("CARGO_TARGET_DIR", profile.parent().unwrap()).arg(arguments[0]).arg("--offline");
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let output = command.args(&arguments[1..]).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&text).into_owned()) }
}
