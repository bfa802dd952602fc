//! Turns JSON bodies and jq expressions over: deep, broken, endless. Nothing of a page may panic, overflow or hang.
//!
//! An overflow ends the process, so the input that is being read is kept in a file, which the program names at its start.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that panics has failed")]

use balance_alert::internals::{Expression, Variables, parse_json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Beginnings of expressions and bodies that nest, and what closes them.
const NESTS: [(&str, &str); 26] = [
    ("(", ")"),
    ("[", "]"),
    ("{a:", "}"),
    ("{\"a\":", "}"),
    ("\"\\(", ")\""),
    ("-", ""),
    ("try ", ""),
    ("if . then ", " else . end"),
    ("if ", " then . else . end"),
    ("reduce ", " as $x (0; .)"),
    ("foreach .[]? as $x (0; ", ")"),
    ("def f: ", "; f"),
    ("def f(g): ", "; f(.)"),
    ("label $x | ", ""),
    (". as $x | ", ""),
    (". as [$x] | ", ""),
    (". as {a: $x} | ", ""),
    (". | ", ""),
    (". , ", ""),
    ("1 + ", ""),
    (". // ", ""),
    (".a |= ", ""),
    ("first(", ")"),
    ("path(", ")"),
    ("[limit(3; ", ")]"),
    ("map(", ")"),
];

/// What may stand in an expression.
const WORDS: [&str; 60] = [
    ".",
    ".a",
    ".b",
    ".[]",
    ".[]?",
    ".[0]",
    "..",
    "$currency",
    "$options",
    "$x",
    "1",
    "0",
    "-1",
    "1e9",
    "\"a\"",
    "\"\"",
    "null",
    "true",
    "[]",
    "{}",
    "+",
    "-",
    "*",
    "/",
    "%",
    "|",
    ",",
    "//",
    "==",
    "<",
    "and",
    "or",
    "not",
    "=",
    "|=",
    "+=",
    "?",
    "range(9)",
    "range(1e9)",
    "range(infinite)",
    "repeat(.)",
    "recurse",
    "recurse(.,.)",
    "until(false; .)",
    "while(true; .)",
    "add",
    "length",
    "tonumber",
    "tostring",
    "tojson",
    "fromjson",
    "test(\"(a*)*\")",
    "gsub(\"a\";\"bb\")",
    "sort",
    "group_by(.)",
    "flatten",
    "paths",
    "walk(.)",
    "combinations",
    "@json",
];

/// Bodies that expressions are run over.
const BODIES: [&str; 4] = [
    "{}",
    r#"{"a":[1,2,{"b":null}],"b":"12,000.50"}"#,
    "[[[1]],\"aaaaaaaaaaaaaaaaaaaaaaaa\",null]",
    "{\"a\":{\"a\":{\"a\":{\"a\":1.5}}}}",
];

/// What came of a time of it.
pub(crate) struct Found {
    pub count: u64,
    pub compiled: u64,
    pub slowest: Duration,
    pub failed: u64,
}

/// Reads as many inputs as there is time for.
pub(crate) fn fuzz(random: &mut fastrand::Rng, end: Instant) -> Found {
    let last = last_input();
    let variables = Variables::new(Some("USD"), &BTreeMap::new());
    let mut found = Found { count: 0, compiled: 0, slowest: Duration::ZERO, failed: 0 };
    while Instant::now() < end {
        let input = if random.bool() { body(random) } else { expression(random) };
        std::fs::write(&last, &input).expect("the input is kept");
        let over = BODIES[random.usize(..BODIES.len())];
        let begin = Instant::now();
        let outcome = std::panic::catch_unwind(|| {
            let parsed = parse_json(input.as_bytes()).is_ok();
            let Ok(expression) = Expression::compile(&input) else { return (parsed, false, false) };
            let body = parse_json(over.as_bytes()).expect("a body");
            let result = expression.run(&body, &variables);
            (parsed, true, result.is_err_and(|trouble| trouble.message.contains("defect")))
        });
        let took = begin.elapsed();
        found.slowest = found.slowest.max(took);
        found.count += 1;
        match outcome {
            Ok((_, compiled, false)) if took < Duration::from_secs(12) => found.compiled += u64::from(compiled),
            _ => {
                found.failed += 1;
                let kept = last.with_file_name(format!("found-{}.txt", found.count));
                std::fs::copy(&last, &kept).expect("the input is kept");
                writeln!(std::io::stdout(), "see {}", kept.display()).expect("standard output");
            }
        }
    }
    found
}

/// Where the input that is being read stands.
pub(crate) fn last_input() -> PathBuf {
    std::env::temp_dir().join(format!("balance-alert-fuzz-{}.txt", std::process::id()))
}

/// A body of any depth, mostly closed.
fn body(random: &mut fastrand::Rng) -> String {
    let depth = depth(random);
    let units = [("[", "]"), ("{\"a\":", "}"), ("[1,", "]"), ("[\"[\\\"\",", "]"), ("[{\"\\u00e9\":", "}]")];
    let (open, close) = units[random.usize(..units.len())];
    let mut text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
    spoil(&mut text, random);
    text
}

/// Words in any order, within as many levels as there may be and more.
fn expression(random: &mut fastrand::Rng) -> String {
    let words: Vec<&str> = (0..random.usize(1..12)).map(|_| WORDS[random.usize(..WORDS.len())]).collect();
    let mut text = if random.bool() {
        // Pipes make most of it jq.
        words.join(" | ")
    } else {
        words.join(" ")
    };
    for _ in 0..random.usize(..3) {
        let (open, close) = NESTS[random.usize(..NESTS.len())];
        let depth = depth(random);
        text = format!("{}{text}{}", open.repeat(depth), close.repeat(depth));
    }
    if random.u8(..4) == 0 {
        spoil(&mut text, random);
    }
    text
}

/// Mostly a few levels, at times about as many as there may be, at times far more.
fn depth(random: &mut fastrand::Rng) -> usize {
    match random.u8(..8) {
        0 => random.usize(1..300_000 / 8),
        1 => random.usize(100..2000),
        2 => random.usize(50..140),
        _ => random.usize(1..12),
    }
}

/// Takes something out of a text, or puts something in.
fn spoil(text: &mut String, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(..4) {
        let mut at = random.usize(..=text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        match random.u8(..3) {
            0 => text.truncate(at),
            1 => text.insert_str(at, WORDS[random.usize(..WORDS.len())]),
            _ => {
                let open = NESTS[random.usize(..NESTS.len())].0;
                text.insert_str(at, &open.repeat(random.usize(1..100)));
            }
        }
    }
}
