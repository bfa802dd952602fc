//! An evaluation is stopped within its bounds, and what is large but harmless is not.

use std::time::{Duration, Instant};

use super::*;

/// Expressions that never end, or make more than there is room for.
const RUNAWAYS: [&str; 52] = [
    "[range(1e9)]",
    "[range(infinite)]",
    "last(range(1e18))",
    "repeat(empty)",
    "[repeat(1)]",
    "last(repeat(1))",
    "until(false; .)",
    "[while(true; .)]",
    "[recurse(.)]",
    "[recurse(., .)]",
    "[limit(1e9; repeat(1))]",
    "first(repeat(.) | select(false))",
    "isempty(repeat(1) | select(false))",
    "reduce range(60) as $i (\"a\"; . + .)",
    "reduce range(60) as $i ([1]; . + .)",
    "reduce range(1e9) as $i (0; . + 1)",
    "[foreach range(1e9) as $i (0; . + $i)]",
    "\"x\" * 1e9",
    "\"x\" * 1e18",
    "1e9 * \"x\"",
    "reduce range(60) as $i (\"a\"; . * 10)",
    "\"a\" | until(false; @base64)",
    "\"a\" | until(false; @json)",
    "\"a\" | until(false; tojson)",
    "[range(1000)] | [.[] + .[] | . as $x | [range(1000)][]]",
    "[[range(100000)] | combinations(3)]",
    "[[range(1000)], [range(1000)], [range(1000)]] | [combinations]",
    "reduce range(1000000) as $i (0; [.])",
    "reduce range(1000000) as $i (0; {a: .})",
    "reduce range(1000000) as $i ({}; {a: .} * {b: .})",
    "reduce range(100) as $i (0; [., .]) | tojson",
    "reduce range(100) as $i (0; [., .]) | . == (. | tojson)",
    "reduce range(100) as $i (0; [., .]) | [.. ] | length",
    "reduce range(100) as $i (0; {a: ., b: .}) | @json",
    "reduce range(100) as $i (0; [., .]) | flatten",
    "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | . == $x",
    "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | . < $x",
    "reduce range(100) as $i (0; [., .]) as $x | reduce range(100) as $i (0; [., .]) | contains($x)",
    "null | path(repeat(.a) | select(false))",
    "null | first(path(recurse(.a)) | select(length > 1000000))",
    "null | [limit(1000000; path(recurse(.a)))] | length",
    "{a: 1} | [paths(repeat(true) | select(false))]",
    "null | .[range(1e9) | tostring] = 1",
    "\"a\" * 60000 | [limit(1e6; repeat(test(\"(a*)*b\")))]",
    "\"a\" * 60000 | [limit(1e6; repeat(gsub(\"a\"; \"b\")))]",
    "[range(1000)] | until(false; . + . | .[1000:])",
    "[range(200000)] as $x | [range(100000) | $x + [.]]",
    "[range(2000)] | until(false; sort_by([range(1000)]))",
    "\"bab\" | [splits(repeat(\"a\"))]",
    "def a: ., .; def b: a | a; def c: b | b; def d: c | c; def e: d | d; def f: e | e; [f]",
    "def a(g): g | g; def b(g): a(a(g)); def c(g): b(b(g)); def d(g): c(c(g)); def e(g): d(d(g)); def f(g): e(e(g)); f(f(.))",
    "def a(g): [g, g]; def b(g): a(a(g)); def c(g): b(b(g)); def d(g): c(c(g)); def e(g): d(d(g)); e(e(.))",
];

#[test]
fn a_runaway_is_stopped_within_its_bounds() {
    for code in RUNAWAYS {
        let begin = Instant::now();
        // A small stack, as a worker has it.
        let worker = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let trouble = worker.spawn(|| run(code, "{}").map(|shape| format!("{shape:?}"))).unwrap().join().unwrap();
        let trouble = trouble.expect_err(code);
        assert!(trouble.is_stopped, "{code}: {}", trouble.message);
        // The tests' build is many times slower than the real one.
        assert!(begin.elapsed() < Duration::from_secs(30), "{code} took {:?}", begin.elapsed());
    }
}

#[test]
fn one_step_on_long_texts_takes_no_longer_than_they_are() {
    let long = "a".repeat(900_000);
    let body = format!(r#"{{"a": "{long}", "b": "{long}b", "s": "{}"}}"#, "a".repeat(65_000));
    for (code, want) in [
        ("(.a + .a) | indices(\"a\" * 900000) | length", "takes too many steps"),
        ("(\"a\" * 60000 * 30) | indices(\"a\" * 900000) | length", "takes too many steps"),
        ("(.b + .b) | index(\"a\" * 900000 + \"b\")", "Number(\"0\")"),
        ("(.a + .a) | rindex(\"a\" * 900000 + \"b\")", "Null"),
        (".b as $b | .a | contains($b[1:])", "Bool(false)"),
        (".a as $a | [limit(100; repeat(1)) | {($a): 1}] | length", "takes too many steps"),
        (".a as $a | {($a): 1} | [limit(100; repeat(.)) | has($a)] | length", "takes too many steps"),
        (".a as $a | {($a): 1} | [limit(100; repeat(.)) | .[$a]] | add", "takes too many steps"),
        ("[(.a, .a) | tonumber?] | length", "takes too many steps"),
        ("[.s | match(\"a{1,500}a{1,400}b\"; \"g\")] | length", "a pattern is too large for a text of this length"),
        (".s | test(\"a{1,500}a{1,400}b\")", "a pattern is too large for a text of this length"),
        ("[.s | match(\"()()()()a\"; \"g\")] | length", "takes too many steps"),
        ("\"aaab\" | test(\"^a{1,500}a{1,400}b$\")", "Bool(true)"),
        (".s | test(\"^[0-9]+\\\\.[0-9]+ (USD|EUR)$\")", "Bool(false)"),
    ] {
        let begin = Instant::now();
        let got = message(code, &body);
        assert!(got.contains(want), "{code}: {}", text::one_line(&got, 200));
        assert!(begin.elapsed() < Duration::from_secs(8), "{code} took {:?}", begin.elapsed());
    }
}

#[test]
fn a_large_answer_is_read_within_the_bounds() {
    let entries: Vec<String> =
        (0..1200).map(|n| format!(r#"{{"id":"id-{n}","kind":"paid","left":"1.50","currency":"USD"}}"#)).collect();
    let body = format!(r#"{{"data":{{"grants":[{}]}}}}"#, entries.join(","));
    // A tenth of an answer's size, as the tests' budget is a tenth.
    let code = "[.data.grants[] | select(.kind == \"paid\" and .currency == \"USD\") | .left | tonumber] | add";
    assert_eq!(format!("{:?}", run(code, &body).unwrap()), r#"Some(Number("1800"))"#);
}
