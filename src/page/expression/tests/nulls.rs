//! A null says where it was looked for, and what the answer does not hold is no zero.

use super::*;

#[test]
fn a_null_says_where_it_was_looked_for() {
    let body =
        r#"{"data":{"id":1,"quota":2,"username":"x","gone":null,"list":[{"a":1},{"b":2}],"empty":{}},"ok":true}"#;
    for (code, want) in [
        (".data.quotaa", "`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
        (".dat.quota", "`.dat` is null; the answer has `data`, `ok`"),
        (".dat.quota.left[0]", "`.dat` is null; the answer has `data`, `ok`"),
        (".data.gone", "`.data.gone` is null"),
        (".data.gone.x", "`.data.gone` is null"),
        (".data.empty.x", "`.data.empty.x` is null; `.data.empty` is an empty object"),
        (".data.list[2]", "`.data.list[2]` is null; `.data.list` has 2 entries"),
        (".data.list[1].a", "`.data.list[1].a` is null; `.data.list[1]` has `b`"),
        (".data.list | last | .a", "`.data.list[1].a` is null; `.data.list[1]` has `b`"),
        (".data | .x // .y", "`.data.y` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
        (".[\"用户 余额\"]", "`.[\"用户 余额\"]` is null; the answer has `data`, `ok`"),
        (".data as $d | $d.x", "`.data.x` is null; `.data` has `id`, `quota`, `username`, `gone`, `list`, `empty`"),
    ] {
        match run(code, body).unwrap() {
            Some(Shape::Missing(got)) => assert_eq!(got, want, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    // Keys that look like data are counted and not shown, and there is an end to them.
    let keys: Vec<String> = (0..20).map(|n| format!("\"{}\":1", char::from(b'a' + n))).collect();
    for (body, want) in [
        (
            r#"{"bob@example.com":1,"2026-11-25T00:00":2,"sk 1":3,"a":4}"#.to_owned(),
            "`.x` is null; the answer has `a` and 3 more",
        ),
        (r#"{"bob@example.com":1}"#.to_owned(), "`.x` is null; the answer has 1 other key"),
        (
            r#"{"AKIAIOSFODNNEXAMPLE":1,"org-acme":1,"jane_doe":1,"qwertyuiopasdfghjklzxcvbnm":1,"张伟":1,"total_usage":1}"#
                .to_owned(),
            "`.x` is null; the answer has `total_usage` and 5 more",
        ),
        (
            format!("{{{}}}", keys.join(",")),
            "`.x` is null; the answer has `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 12 more",
        ),
        (format!("{{\"{}\":1}}", "k".repeat(33)), "`.x` is null; the answer has 1 other key"),
    ] {
        match run(".x", &body).unwrap() {
            Some(Shape::Missing(got)) => assert_eq!(got, want, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    // Of the last of very many it is known that it is missing, but not where.
    let many = format!("[{}{{}}]", "{},".repeat(30_000));
    match (run(".[7].x", &many).unwrap(), run("last.x", &many).unwrap()) {
        (Some(Shape::Missing(first)), Some(Shape::Missing(last))) => {
            assert_eq!(first, "`.[7].x` is null; `.[7]` is an empty object");
            assert_eq!(last, "`.[\"…\"].x` is null; `.[\"…\"]` is an empty object");
        }
        other => panic!("{other:?}"),
    }
    assert!(run("last.x + 1", &many).is_err());
    assert!(matches!(run("null", body).unwrap(), Some(Shape::Null)));
    assert!(matches!(run("{a: 1} | .b", body).unwrap(), Some(Shape::Null)));
}

#[test]
fn a_null_of_the_answer_is_not_updated_to_a_number() {
    let body = r#"{"total":null,"used":5,"bonus":7,"gone":{"a":null},"w":[1,null,3]}"#;
    for code in [
        ".total += .bonus | .total",
        ".total |= . + 5 | .total",
        ".used += .total | .used",
        ".nope += 1 | .nope",
        ".nope.deep += 1 | .nope.deep",
        ".gone.a += 1 | .gone.a",
        ".w[1] += 1 | .w[1]",
        ".w[] += 1 | .w[1]",
        "map_values(. + 1)",
        ".used = 1 | .total + 5",
        "del(.used) | .total + 5",
        ".w[0] = 1 | .w[1] + 5",
        "del(.w[0]) | .w[0] + 5",
        ".w + [4] | .[1] + 5",
        ". + {x: 1} | .total + 5",
    ] {
        let why = message(code, body);
        assert!(why.starts_with("cannot calculate ") && why.contains("null"), "{code}: {why}");
    }
    for (code, want) in [
        (".used += .bonus | .used", "12"),
        (".total = 5 | .total", "5"),
        (".total //= 5 | .total", "5"),
        (".nope.deep = 5 | .nope.deep", "5"),
        ("reduce .w[] as $n ({}; .[\"k\"] += 1) | .k", "3"),
        ("{} | .a.b += 1 | .a.b", "1"),
        ("null | .a += 1 | .a", "1"),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}

#[test]
fn what_an_object_of_the_answer_lacks_stays_missing_when_it_is_changed() {
    let body = r#"{"data":{"quota":5,"used":1,"none":null},"w":[{"key":"USD","value":5}]}"#;
    let changed = "`.data.quotaa` is null; `.data`, as the expression changed it, has ";
    for (code, has) in [
        (".data | .quota = 1 | .quotaa", "`quota`, `used`, `none`"),
        (".data | del(.used) | .quotaa", "`quota`, `none`"),
        (".data | .quota += 1 | .quotaa", "`quota`, `used`, `none`"),
        (".data | with_entries(select(.value != null)) | .quotaa", "`quota`, `used`"),
        (".data | with_entries(empty) | .quotaa", ""),
        (".data | map_values(. // 0) | .quotaa", "`quota`, `used`, `none`"),
        (".data + {} | .quotaa", "`quota`, `used`, `none`"),
        ("{} + .data | .quotaa", "`quota`, `used`, `none`"),
        (".data * {} | .quotaa", "`quota`, `used`, `none`"),
        ("{} * .data | .quotaa", "`quota`, `used`, `none`"),
        ("{a: {used: 2}} * {a: .data} | .a.quotaa", "`used`, `quota`, `none`"),
        (".data | pick(.quota) | .quotaa", "`quota`"),
        (".data | walk(.) | .quotaa", "`quota`, `used`, `none`"),
    ] {
        match run(code, body).unwrap() {
            Some(Shape::Missing(why)) => {
                let is_right = why == format!("{changed}{has}") || (has.is_empty() && why.contains("an empty object"));
                assert!(is_right, "{code}: {why}");
            }
            other => panic!("{code}: {other:?}"),
        }
        let sum = message(&format!("{code} + 5"), body);
        assert!(sum.starts_with("cannot calculate null (`.data.quotaa` is null"), "{code}: {sum}");
    }
    for code in [
        ".w | from_entries | .EUR + 5",
        ".w | map(select(.key == \"EUR\")) | .[0].value + 5",
        ".data | to_entries | map(select(.key == \"x\")) | first.value + 5",
        "([.w[] | select(.key == \"EUR\") | .value] | max) + 5",
        ".data + {x: 1} | .none + 5",
    ] {
        let why = message(code, body);
        assert!(why.starts_with("cannot calculate null ("), "{code}: {why}");
    }
    for (code, want) in [
        (".data + {none: null} | .none", "Ok(Some(Null))"),
        ("{a: 1} | .b", "Ok(Some(Null))"),
        ("reduce .w[] as $x ({}; .[$x.key] += $x.value) | .USD", "5"),
        ("reduce .w[] as $x ({}; . + {($x.key): (.[$x.key] + $x.value)}) | .USD", "5"),
        (".w | from_entries | .USD", "5"),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}

#[test]
fn what_is_parsed_from_a_text_of_the_answer_is_guarded_as_the_answer_is() {
    let body = r#"{"d":"{\"bonus\":5,\"q\":null,\"w\":[{\"v\":9},{\"v\":7}]}","o":{"q":null,"n":5},"nil":"null"}"#;
    for (code, want) in [
        (".d | fromjson | .cash + .bonus", "`fromjson.cash` is null; `fromjson` has `bonus`, `q`, `w`"),
        (".d | fromjson | .q + 5", "`fromjson.q` is null"),
        (".d | fromjson | .w[0].x + 5", "`fromjson.w[0].x` is null"),
        (".d | fromjson | if .q < 5 then 7 else 8 end", "null cannot be ordered among numbers: `fromjson.q` is null"),
        (".d | @base64 | @base64d | fromjson | .q + 5", "`fromjson.q` is null"),
        (".o | tojson | fromjson | .q + 5", "`fromjson.q` is null"),
        (".o | @json | fromjson | .q + 5", "`fromjson.q` is null"),
        (".o | tostring | fromjson | .q + 5", "`fromjson.q` is null"),
        ("\"\\(.o)\" | fromjson | .q + 5", "`fromjson.q` is null"),
        ("(.nil | fromjson) + 5", "reads as null"),
    ] {
        let why = message(code, body);
        assert!(why.contains(want) && !why.starts_with("it gives"), "{code}: {why}");
    }
    assert!(message(". + 5", "null").starts_with("cannot calculate null"));
    for code in [".d | fromjson | first(.w[].v)", ".d | fromjson | .w | map(.v) | .[0]"] {
        let body = parse_json(body.as_bytes()).unwrap();
        let variables = Variables::new(None, &BTreeMap::new());
        let trouble = Expression::compile(code).unwrap().run_in_any_order(&body, &variables).unwrap_err();
        assert!(trouble.message.contains("one of several values"), "{code}: {trouble}");
    }
    assert_eq!(literal("\"{\\\"a\\\":null}\" | fromjson | .a + 5", "{}"), "5");
    assert_eq!(literal(".d | fromjson | .bonus + ([.w[].v] | add)", body), "21");
}

#[test]
fn a_null_is_zero_only_where_the_expression_wrote_it() {
    let body = r#"{"w":[{"c":"USD","v":"3"}],"el":[],"n":5,"l":[1],"t":"ab","s":"5","zero":0}"#;
    for code in [
        ".w | map({(.c): (.v | tonumber)}) | add | .EUR + 5",
        "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .EUR + 5",
        "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .EUR += 5 | .EUR",
        "reduce .el[] as $x ({}; .[$x.c] += $x.v) | .EUR + 5",
        "(.w | INDEX(.c)) | .EUR + 5",
        "reduce .w[] as $x (null; .[$x.c] = ($x.v | tonumber)) | .EUR + 5",
        "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | map_values(.) | .EUR + 5",
        "reduce .w[] as $x ({}; .[$x.c] = ($x.v | tonumber)) | .[$options.site] + 5",
        "(.el | add) + .n",
        "add(.el[]) + .n",
        "([] | add) + .n",
        "([.w[] | select(.c == \"EUR\") | .v] | add) + .n",
        ".n + (.el | add)",
        "(.l | index(9)) + 5",
        "(.l | rindex(9)) + 5",
        "(.nope | indices(1)) + 5",
        "(.t | capture(\"(?<x>z)?(?<y>a)\").x) + 5",
        "$options.zz + 5",
        "{a: 1} | .b + 5",
        "(.t * .zero) + 5",
        ".s + .nope",
        "null + (.el | add) + 5",
    ] {
        let why = message(code, body);
        assert!(why.starts_with("cannot calculate ") && why.contains("null ("), "{code}: {why}");
    }
    assert!(
        Expression::compile("$currency + 5")
            .unwrap()
            .run(&parse_json(b"{}").unwrap(), &Variables::new(None, &BTreeMap::new()))
            .is_err()
    );
    let min = message("(.el | max) + 1", body);
    assert!(min.contains("`.el` is an empty list, which has no least or largest item"), "{min}");
    assert!(message(".el[-1] + 1", body).contains("`.el[-1]` is null"));
    for (code, want) in [
        ("reduce .l[] as $x (null; . + $x)", "1"),
        ("[null, 5] | add", "5"),
        (".w | group_by(.c) | map({(.[0].c): (map(.v | tonumber) | add)}) | add | .USD + 5", "8"),
        ("reduce .w[] as $x ({}; .all += 1 | .[$x.c] += ($x.v | tonumber)) | .USD", "3"),
        ("(.el | add) // 7", "7"),
        ("if (.t | index(\"z\")) == null then 1 else 2 end", "1"),
        ("if (.t | index(\"z\")) > 3 then 1 else 2 end", "2"),
        ("[[1], [2]] | add | length", "2"),
        ("[{a: 1}, {b: 2}] | add | .b", "2"),
        ("[\"a\", \"b\"] | add", "\"ab\""),
        ("[\"a\", null, \"b\"] | add", "\"ab\""),
        ("add(.w[].v | tonumber)", "3"),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}
