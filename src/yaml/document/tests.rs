//! What a document reads, where it finds each node, and what it refuses.

use serde_yaml::Value;

use super::*;
use crate::yaml::path::NodePath;
use crate::yaml::path::show;
use crate::yaml::size::{MOST_BRACKETS, MOST_OPEN, MOST_VALUES};

fn path(steps: &[&str]) -> NodePath {
    steps.iter().map(|s| s.parse().map_or_else(|_| Step::Key((*s).to_owned()), Step::Index)).collect()
}

#[test]
fn every_node_has_its_position() {
    let text = "\
settings:
  language: en
projects:
  - name: a
    threshold: 5
  - { name: b, threshold: 7,
      options: {x: 1} }
";
    let doc = Document::parse(text).unwrap();
    for (steps, part, want) in [
        (&["settings"][..], Part::Key(0), (1, 1)),
        (&["settings", "language"], Part::Key(0), (2, 3)),
        (&["settings", "language"], Part::Value, (2, 13)),
        (&["projects", "0"], Part::Value, (4, 5)),
        (&["projects", "0", "threshold"], Part::Key(0), (5, 5)),
        (&["projects", "0", "threshold"], Part::Value, (5, 16)),
        (&["projects", "1"], Part::Value, (6, 5)),
        (&["projects", "1", "threshold"], Part::Key(0), (6, 16)),
        (&["projects", "1", "options", "x"], Part::Value, (7, 20)),
        (&["projects", "1", "missing"], Part::Value, (6, 5)),
        (&["projects", "9"], Part::Value, (4, 3)),
    ] {
        assert_eq!(doc.locate(&path(steps), part), Some(want), "{steps:?} {part:?}");
    }
}

#[test]
fn duplicates_are_found_in_every_mapping_with_the_second_ones_position() {
    let doc = Document::parse("a: 1\nb: {x: 1, x: 2}\na: 3\n").unwrap();
    let found: Vec<_> =
        doc.duplicates.iter().map(|d| (show(&d.path), doc.locate(&d.path, Part::Key(d.occurrence)))).collect();
    assert_eq!(found, [("b.x".to_owned(), Some((2, 11))), ("a".to_owned(), Some((3, 1)))]);
}

#[test]
fn comment_keys_vanish_at_every_depth() {
    let doc = Document::parse("_note: x\na: {_b: 1, c: 2}\n").unwrap();
    assert_eq!(doc.root, serde_yaml::from_str::<Value>("a: {c: 2}").unwrap());
}

#[test]
fn json_is_read_with_tabs_and_surrogate_pairs() {
    let doc =
        Document::parse("{\n\t\"a\":\"\\ud83d\\ude00 \\\\ud83d\\ude00x \\/ \\u4f59\",\n\t\"b\":[1,2]\n}").unwrap_err();
    assert_eq!(doc.position, Some((2, 27)), "a lone surrogate after an escaped backslash stays an error");
    let doc = Document::parse("{\n\t\"a\":\"\\ud83d\\ude00 \\/ \\u4f59\",\n\t\"b\":[1,2]\n}").unwrap();
    assert_eq!(doc.root["a"], Value::from("\u{1F600} / 余"));
}

#[test]
fn merge_keys_work_and_bombs_do_not() {
    let doc = Document::parse("base: &b {x: 1}\nc: {<<: *b, y: 2}\n").unwrap();
    assert_eq!(doc.root["c"]["x"], Value::from(1));
    for (merged, want) in [
        ("{<<: *a, x: 0}", Ok("{x: 0, y: 1}")),
        ("{<<: [*a, *b], z: 0}", Ok("{x: 1, y: 1, z: 0}")),
        ("{<<: [*b, *a]}", Ok("{x: 2, y: 1, w: 2}")),
        ("{<<: *c}", Ok("{x: 2, y: 1, w: 2, v: 3}")),
        ("{<<: {<<: {<<: *a}}}", Ok("{x: 1, y: 1}")),
        ("{<<: 1}", Err(NO_MAPPING)),
        ("{<<: [*a, 1]}", Err(NO_MAPPING)),
    ] {
        let text =
            format!("_a: &a {{x: 1, y: 1}}\n_b: &b {{<<: *a, x: 2, w: 2}}\n_c: &c {{<<: *b, v: 3}}\nm: {merged}\n");
        let got = Document::parse(&text).map(|doc| doc.root["m"].clone()).map_err(|error| error.message);
        let want = want.map(|want| serde_yaml::from_str(want).unwrap()).map_err(str::to_owned);
        match (got, want) {
            (Ok(Value::Mapping(got)), Ok(Value::Mapping(want))) => {
                assert!(want.iter().all(|(k, v)| got[k] == *v), "{merged}")
            }
            (got, want) => assert_eq!(got, want, "{merged}"),
        }
    }
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 9].join(",");
        bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
    }
    assert!(Document::parse(&bomb).is_err());
    assert!(Document::parse(&"[".repeat(100_000)).is_err());
    assert!(Document::parse("a: !tag 1").is_err());
    assert!(Document::parse("a: 1\n---\nb: 1").is_err());
}

#[test]
fn a_number_with_more_digits_than_a_float_keeps_is_found_wherever_it_stands() {
    for (text, want) in [
        ("a: 99.9999999999999999", &["a"][..]),
        ("a: 123456789.123456789", &["a"]),
        ("a: 99999999999999999999.5", &["a"]),
        ("a: -0.9999999999999999999", &["a"]),
        ("a: +0.9999999999999999999", &["a"]),
        ("a: 1.0000000000000000001e5", &["a"]),
        ("a: 1234567890123456789012345678901234567890123456789", &["a"]),
        ("{\"a\": [{\"b\": 99.9999999999999999}]}", &["a[0].b"]),
        ("- 1.5\n- 99.9999999999999999\n- {x: 1.0000000000000000001}", &["[1]", "[2].x"]),
        ("a: &n 99.9999999999999999\nb: *n", &["a", "b"]),
        ("_n: &n {x: 99.9999999999999999}\na: {<<: *n}\nb: {<<: [{y: 1.5}, *n]}", &["a.x", "b.x"]),
        ("_n: &n {x: 99.9999999999999999}\na: {<<: *n, x: 5.5}", &[]),
        ("a: 1.5\na: 99.9999999999999999", &[]),
        ("_a: 99.9999999999999999", &[]),
        ("a: '99.9999999999999999'\nb: 1.5", &[]),
        ("a: id 99.9999999999999999\nb: 1.5 # 99.9999999999999999", &[]),
        ("a: 100000000000000000000", &[]),
        ("a: 123456789012345.000000000\nb: 0.000000000000000000001", &[]),
    ] {
        let refused = Document::parse(text).unwrap().numbers.refused;
        assert_eq!(refused.iter().map(|(path, _)| show(path)).collect::<Vec<_>>(), want, "{text}");
    }
}

#[test]
fn a_number_that_nobody_wrote_in_plain_digits_is_found_wherever_it_stands() {
    for (number, is_refused, written) in [
        ("0x10", true, None),
        ("-0x10", true, None),
        ("+0x10", true, None),
        ("0o10", true, None),
        ("0b11", true, None),
        ("0xFFFFFFFFFFFFFFFFFFFF", true, None),
        ("1e3", true, None),
        ("1E3", true, None),
        ("1.5e+3", true, None),
        ("00.5", true, None),
        ("1_000", false, None),
        ("010", false, None),
        ("1:30", false, None),
        ("2026-11-30", false, None),
        ("yes", false, None),
        ("~", false, None),
        ("10", false, None),
        ("-10", false, None),
        ("0", false, None),
        ("0.5", false, None),
        ("100000000000000000000", false, None),
        ("1.50", false, Some("1.50")),
        ("1.0", false, Some("1.0")),
        ("5.", false, Some("5.")),
        (".5", false, Some(".5")),
        ("+5", false, Some("+5")),
        ("-0.0", false, Some("-0.0")),
        (".inf", false, None),
        ("'0x10'", false, None),
        ("'1.50'", false, None),
    ] {
        for (text, place) in [
            (format!("a: {number}"), path(&["a"])),
            (format!("- x\n- b: {number}"), path(&["1", "b"])),
            (format!("{{\"a\": [{number}]}}"), path(&["a", "0"])),
            (format!("_x: &n {number}\na: *n"), path(&["a"])),
            (format!("_x: &n {{b: {number}}}\na: {{<<: *n, c: 1}}"), path(&["a", "b"])),
        ] {
            let Numbers { refused, written: kept } = Document::parse(&text).unwrap().numbers;
            let refused: Vec<NodePath> = refused.into_iter().map(|(path, _)| path).collect();
            let want = if is_refused { vec![place.clone()] } else { Vec::new() };
            assert_eq!(refused, want, "{text}");
            assert_eq!(kept.get(&place).map(String::as_str), written, "{text}");
        }
    }
}

#[test]
fn a_key_is_what_is_written() {
    for key in ["0x10", "1e3", "010", "1.50", "+5", "True", "yes", "2026-11-30", "1_000"] {
        let document = Document::parse(&format!("a: {{{key}: 1}}")).unwrap();
        assert_eq!(document.root["a"][key], Value::from(1), "{key}");
        assert_eq!(document.locate(&path_of(key), Part::Key(0)), Some((1, 5)), "{key}");
    }
}

fn path_of(key: &str) -> NodePath {
    vec![Step::Key("a".to_owned()), Step::Key(key.to_owned())]
}

#[test]
fn size_and_depth_are_bounded_with_a_message_of_their_own() {
    let levels = |open: &str, close: &str, count: usize| format!("a: {}1{}", open.repeat(count), close.repeat(count));
    let chain = |count: usize| {
        let links = (1..count).map(|i| format!("a{i}: &a{i} [*a{}]\n", i - 1));
        format!("a0: &a0 [x]\n{}", links.collect::<String>())
    };
    let quadratic = format!("a: &a [{}]\nb: [{}]", "x,".repeat(10_000), "*a,".repeat(10_000));
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(1024 * 1024), "*a,".repeat(100));
    for (text, want) in [
        (levels("[", "]", 63), None),
        (levels("[", "]", 64), Some(TOO_DEEP)),
        (levels("{b: ", "}", 63), None),
        (levels("{b: ", "}", 64), Some(TOO_DEEP)),
        (chain(63), None),
        (chain(65), Some(TOO_DEEP)),
        ("&a [*a]".to_owned(), Some(TOO_DEEP)),
        ("&a {b: *a}".to_owned(), Some(TOO_DEEP)),
        ("- ".repeat(1_000_000), Some(TOO_DEEP)),
        ("? ".repeat(1_000_000), Some(TOO_DEEP)),
        ("?\t".repeat(1_000_000), Some(TOO_DEEP)),
        ("-\n".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
        ("a:\n".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
        (",".repeat(MOST_VALUES + 1), Some(TOO_MANY)),
        ("[],".repeat(MOST_BRACKETS + 1), Some(TOO_MANY)),
        ("{},".repeat(MOST_BRACKETS + 1), Some(TOO_MANY)),
        ("[0,{".repeat(MOST_BRACKETS), Some(TOO_DEEP)),
        (levels("[", "]", MOST_BRACKETS), Some(TOO_DEEP)),
        (levels("{b: ", "}", 100_000), Some(TOO_DEEP)),
        (levels("[']', ", "]", 100_000), Some(TOO_DEEP)),
        (levels("[\"\\\"]\", ", "]", 100_000), Some(TOO_DEEP)),
        (levels("[ # ]\n", "]", 100_000), Some(TOO_DEEP)),
        (format!("a: [{}]", "'[it''s[', \"[\\\"[\", ".repeat(MOST_OPEN)), None),
        (format!("{}a: 1", "# [it's\n".repeat(MOST_OPEN + 1)), None),
        (format!("a: |\n{}", "  it's [1]: {\"a\": \"\n  x}\n".repeat(MOST_OPEN + 1)), None),
        (quadratic, Some(TOO_MANY)),
        (long, Some(TOO_LONG)),
        ("? [a]\n: b".to_owned(), Some(NO_WORD)),
        ("? {a: 1}\n: b".to_owned(), Some(NO_WORD)),
        ("~: b".to_owned(), Some(NO_WORD)),
        ("1.5: b".to_owned(), None),
        ("-".repeat(1024 * 1024), None),
        (format!("# {}\na: 1", "-".repeat(1000)), None),
    ] {
        let got = Document::parse(&text).map(drop).map_err(|error| error.message);
        let begin: String = text.chars().take(20).collect();
        assert_eq!(got, want.map_or(Ok(()), |want| Err(want.to_owned())), "{begin}");
    }
}

/// Each byte before the parser is looked at once, so what counts is what the parser gets to see.
#[test]
fn positions_are_found_as_long_as_that_takes_no_longer_than_reading_a_few_large_texts() {
    let text = format!("# {}\na: 1\n", "x".repeat(MOST_SEARCHED / 4));
    let doc = Document::parse(&text).unwrap();
    let found = (0..100).filter(|_| doc.locate(&path(&["a"]), Part::Value).is_some()).count();
    assert_eq!(found, 3);
    let text = format!("# {}\na: 1\n", "x".repeat(MOST_SEARCHED));
    let doc = Document::parse(&text).unwrap();
    assert_eq!(doc.locate(&path(&["a"]), Part::Value), Some((2, 4)));
    assert_eq!(doc.locate(&path(&["a"]), Part::Value), None);
}
