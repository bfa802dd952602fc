//! Numbers keep their digits, and texts that are numbers are read strictly.

use super::*;

#[test]
fn values_keep_their_digits() {
    for (code, body, want) in [
        (".a", r#"{"a":123456789012345678.10}"#, r#"Some(Number("123456789012345678.10"))"#),
        (".a|tonumber", r#"{"a":"12.50"}"#, r#"Some(Number("12.50"))"#),
        (".a-.b", r#"{"a":100000000000000000000.05,"b":99999999999999999999.99}"#, r#"Some(Number("0.06"))"#),
        (".a", r#"{"a":99999999999999999999999999999}"#, r#"Some(Number("1e99"))"#),
        (".a", r#"{"a":1e400}"#, "Some(Float(inf))"),
        (".a", r#"{"a":99.99999999999999999999999999}"#, r#"Some(Number("99.99999999999999999999999999"))"#),
        (".a", r#"{"a":9999999999999999999999999999}"#, r#"Some(Number("9999999999999999999999999999"))"#),
        (".a", r#"{"a":1000000000000000000000000.5}"#, r#"Some(Number("1000000000000000000000000.5"))"#),
        (".a", r#"{"a":1e-28}"#, r#"Some(Number("0.0000000000000000000000000001"))"#),
        (".a|tonumber", r#"{"a":"1234567890123456789012345678"}"#, r#"Some(Number("1234567890123456789012345678"))"#),
        (".a", r#"{"a":0.12345678901234567890123456789}"#, "Some(Long)"),
        (
            ".a|tostring|tonumber",
            r#"{"a":12345678901234567890.123456789}"#,
            r#"Some(Number("12345678901234567890.123456789"))"#,
        ),
        (".a/100", r#"{"a":12345}"#, r#"Some(Number("123.45"))"#),
        ("[.a[]|tonumber]|add", r#"{"a":["0.1","0.2"]}"#, r#"Some(Number("0.3"))"#),
        ("null", "{}", "Some(Null)"),
        ("empty", "{}", "None"),
        ("$currency + $options.site", "{}", r#"Some(Text("USDai"))"#),
        ("{amount: .a}", r#"{"a":[1]}"#, r#"Some(Object({"amount": Array}))"#),
    ] {
        assert_eq!(format!("{:?}", run(code, body).unwrap()), want, "{code}");
    }
}

#[test]
fn decimals_stay_decimals() {
    let body = r#"{"total": 123456789012345678901.23, "used": 123456789012345678901.22, "a": 100000.30, "b": 100000.10,
        "wei": 1234567890123456789012, "text": "12.50", "list": [0.1, 0.2, 0.3], "int": 7, "big": 12345678901234567890123}"#;
    for (code, want) in [
        (".total - .used", "0.01"),
        (".a - .b", "0.20"),
        (".used - .total", "-0.01"),
        (".total + 0.77", "123456789012345678902"),
        (".wei / 1e18", "1234.567890123456789012"),
        (".wei / pow(10; 18)", "1234.567890123456789012"),
        (".list | add", "0.6"),
        (".list | add(.[])", "0.6"),
        ("[.list[] | . * 3] | add", "1.8"),
        ("reduce .list[] as $x (0; . + $x)", "0.6"),
        ("[foreach .list[] as $x (0; . + $x)] | last", "0.6"),
        (".a -= .b | .a", "0.20"),
        (".a |= . - 0.3 | .a", "100000"),
        (".list[1] += .list[0] | .list[1]", "0.3"),
        ("0.1 + 0.2", "0.3"),
        ("1 - 0.9", "0.1"),
        ("-(0.1 + 0.2)", "-0.3"),
        ("4.35 * 100", "435"),
        ("435 / 100", "4.35"),
        ("7 / 7", "1"),
        ("(1 / 3) * 60 | floor", "20"),
        ("5.5 % 2", "1.5"),
        ("7 % 4", "3"),
        (".big - 1", "12345678901234567890122"),
        ("1234567890123456789012345 + 0.123", "1234567890123456789012345.123"),
        ("123456789012345678901.5 - 0.0000001", "123456789012345678901.4999999"),
        ("12345678901234 * 12345678901234", "152415787532374345526722756"),
        ("123456789012345678901.5 | floor", "123456789012345678901"),
        ("-123456789012345678901.5 | fabs", "123456789012345678901.5"),
        ("2.5 | round", "3"),
        ("-2.5 | round", "-3"),
        ("2.1 | ceil", "3"),
        ("-2.9 | trunc", "-2"),
        ("def f($x): $x - 0.1; f(0.3)", "0.2"),
        ("if .a - .b > 0.1 then .a - .b else 0 end", "0.20"),
        ("try (.a - .b) catch 0", "0.20"),
        ("[.a - .b] | .[0]", "0.20"),
        ("{x: (.a - .b)} | .x", "0.20"),
        (". as {a: $a, b: $b} | $a - $b", "0.20"),
        (". as {(\"a\" + \"\"): $a} | $a - 0.3", "100000"),
        (".list[1 - 0.9 | ceil] ", "0.2"),
        ("label $out | (.a - .b), break $out | . + 0", "0.20"),
        ("\"\\(.a - .b)\"", "\"0.20\""),
        ("\"a\" + \"b\"", "\"ab\""),
        ("$currency + $options.site", "\"USDai\""),
        ("\"ab\" * 2", "\"abab\""),
        ("[1,2,3] - [2] | length", "2"),
        ("{} + {a: 1.5} | .a", "1.5"),
        ("null + 0.5", "0.5"),
        ("\"a,b\" / \",\" | .[1]", "\"b\""),
        (".total | tostring", "\"123456789012345678901.23\""),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}

#[test]
fn what_no_decimal_can_hold_stays_a_float_or_is_refused() {
    for (code, want) in [
        ("1 / 0", "Ok(Some(Float(inf)))"),
        ("-1 / 0.0", "Ok(Some(Float(-inf)))"),
        ("infinite - 1.5", "Ok(Some(Float(inf)))"),
        ("1e300 * 10", "Ok(Some(Float(1e301)))"),
        ("1.5e40 | floor | . > 1e40", "Ok(Some(Bool(true)))"),
    ] {
        assert_eq!(literal(code, "{}"), want, "{code}");
    }
    assert!(literal("nan + 1.5", "{}").contains("NaN"));
    for code in [
        "1e300 - 1e300",
        "(2 | sqrt) - 1.41421356237309505",
        "{} - 1.5",
        "\"a\" | floor",
        "1234567890123456789012345678 + 0.123",
        "0.12345678901234567890123456789 * 1",
        "0.12345678901234567890123456789 | floor",
        "\"0.12345678901234567890123456789\" | tonumber",
        "0.12345678901234567890123456789 | tostring | tonumber",
        "12345678901234567890 | pow(.; 1)",
        "12345678901234567890 | sqrt",
    ] {
        assert!(literal(code, "{}").starts_with("Err"), "{code}: {}", literal(code, "{}"));
    }
}

#[test]
fn numbers_in_texts_are_read_strictly() {
    for (text, want) in [
        ("10,000.00", Some("10000.00")),
        ("1,234.50", Some("1234.50")),
        ("1 234.50", Some("1234.50")),
        ("12.50", Some("12.50")),
        ("-0.01", Some("-0.01")),
        (" 7 ", Some("7")),
        ("+7", Some("7")),
        ("1e5", Some("100000")),
        ("1.5E-2", Some("0.015")),
        ("5abc", None),
        ("0x1F", None),
        ("", None),
        (" ", None),
        ("-", None),
        (".", None),
        ("1,23,456", None),
        ("12,50", None),
        ("1.2.3", None),
        ("1-2", None),
        ("--1", None),
        ("5 USD", None),
        ("$5", None),
        ("1.2万", None),
        ("1.5k", None),
        ("NaN", None),
        ("nan", None),
        ("Infinity", None),
        ("null", None),
        ("true", None),
        ("[1]", None),
        ("1 2", None),
        ("1_000", None),
        ("１２", None),
        ("2026-11-25", None),
        ("12:30", None),
    ] {
        let body = serde_json::json!({ "a": text }).to_string();
        let got = match run(".a | tonumber", &body) {
            Ok(Some(Shape::Number(number))) => Some(number),
            Ok(other) => panic!("{text:?}: {other:?}"),
            Err(_) => None,
        };
        let number = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        assert_eq!(got.as_deref().map(number), want.map(number), "{text:?}");
    }
    for text in ["5abc", "1,234.50", "", "NaN", "+1", "01", "{\"a\":1,}", "1 2", "0x1F", "b\"x\"", "# c\n1"] {
        let body = serde_json::json!({ "a": text }).to_string();
        assert!(run(".a | fromjson", &body).is_err(), "{text:?}");
    }
}

#[test]
fn what_is_cut_from_one_text_may_be_put_together_again() {
    let body = r#"{"s":"1,234.50","d":"2026-11-25","id":"12-34-56","two":"10,20","w":[{"d":"2026-11-25"},{"d":"2026-11-24"}]}"#;
    for (code, want) in [
        (".s | gsub(\",\"; \"\") | tonumber", "1234.50"),
        (".s | sub(\",\"; \"\") | tonumber", "1234.50"),
        (".s | gsub(\"[^0-9.]\"; \"\") | tonumber", "1234.50"),
        (".s | split(\",\") | join(\"\") | tonumber", "1234.50"),
        (".s | (. / \",\") | .[0] + .[1] | tonumber", "1234.50"),
        (".d | gsub(\"-\"; \"\")", "\"20261125\""),
        (".id | gsub(\"-\"; \"\")", "\"123456\""),
        (".w | max_by(.d | gsub(\"-\"; \"\")) | .d", "\"2026-11-25\""),
        ("error(.id | gsub(\"-\"; \"\")) // 1", "Err"),
    ] {
        let got = literal(code, body);
        assert!(got == want || (want == "Err" && got.starts_with("Err") && !got.contains("joined")), "{code}: {got}");
    }
    for code in [".two | split(\",\") | add", ".id + .id", "(.two | split(\",\")[0]) + .s[0:1]"] {
        assert!(message(code, body).contains("would be joined") || code == ".id + .id", "{code}");
    }
}

#[test]
fn numbers_that_are_texts_are_not_joined() {
    for (code, body) in [
        (".a + .b", r#"{"a":"1","b":"2"}"#),
        ("[.w[].n] | add", r#"{"w":[{"n":"10"},{"n":"20"}]}"#),
        ("add(.w[].n)", r#"{"w":[{"n":"1.50"},{"n":"2"}]}"#),
        ("reduce .w[].n as $n (null; . + $n)", r#"{"w":[{"n":"1.50"},{"n":"2"}]}"#),
        ("[.a, .b] | join(\"\")", r#"{"a":"1","b":"2"}"#),
        (".a + \"\" + .b", r#"{"a":"1","b":"2"}"#),
        ("map(tostring) | join(\"\")", "[1, 2]"),
        ("reduce (.a, .b) as $x (\"\"; . + $x)", r#"{"a":"1","b":"2"}"#),
        ("\"\\(.a)\\(.b)\"", r#"{"a":1,"b":2}"#),
        (".a + \".\" + .b + .c", r#"{"a":"1","b":"2","c":"3"}"#),
    ] {
        let why = message(code, body);
        assert_eq!(
            why, "two numbers that are texts would be joined, not added; `tonumber` makes numbers of them",
            "{code}"
        );
    }
    // Of 50 nanos, too, the zeros before them are lost.
    let nanos = run(".u + \".\" + .n", r#"{"u":"1","n":"50"}"#).unwrap();
    assert!(format!("{nanos:?}").contains("put together from two values of the answer"), "{nanos:?}");
}

#[test]
fn numbers_that_are_texts_are_not_repeated() {
    for code in [".a * 2", "2 * .a", ".a *= 2 | .a", "(.a + \"\") * 2", ".a * 0", "(.n | tostring) * 2"] {
        let why = message(code, r#"{"a":"5","n":5}"#);
        let want = "a number that is a text would be repeated, not multiplied; `tonumber` makes a number of it";
        assert_eq!(why, want, "{code}");
    }
    assert_eq!(literal(".a * 2", r#"{"a":"ab"}"#), "\"abab\"");
}

#[test]
fn numbers_that_are_texts_are_not_ordered() {
    let body = r#"{"texts":["5","10","9"],"a":"9","b":10,"objects":[{"n":"9","id":"9"},{"n":"10","id":"10"}],
        "dates":["2026-11-25","2026-11-24"],"times":["1700000001","1700000000"],"codes":["USD","CNY"],
        "nulls":[null,5],"long":[0.12345678901234567890123456789,0.12345678901234567890123456788]}"#;
    let order = "a text that is a number would be ordered as text, in which \"9\" comes after \"10\"; `tonumber` \
                 makes a number of it";
    let null = "null cannot be ordered among numbers: `.nulls[0]` is null";
    let kinds = "a text of the answer cannot be ordered among numbers; `tonumber` makes a number of one";
    for (code, want) in [
        (".texts | max", order),
        (".texts | min", order),
        (".texts | sort", order),
        (".objects | max_by(.n)", order),
        (".objects | sort_by(.n)", order),
        ("[.texts] + [[\"7\"]] | max", order),
        ("if .a < 10 then .a else 999 end", order),
        ("10 > .a", order),
        (".b >= \"9\"", order),
        (".texts | unique | last", order),
        (".texts | unique | .[-1]", order),
        (".texts | unique | .[1:]", order),
        (".texts | unique | reverse | .[0]", order),
        (".texts | unique | first", order),
        (".texts | unique | nth(1)", order),
        (".objects | unique_by(.n) | last.n", order),
        (".objects | group_by(.n) | last | .[0].n", order),
        ("{\"9\":1,\"10\":2} | keys | last", order),
        (".a < \"10\"", order),
        ("try (.texts | max) catch 0", order),
        ("[.a, .b] | max", order),
        (".nulls | max", null),
        (".nulls | sort", null),
        (".nulls | sort_by(.)", null),
        ("[.nulls[0], .b] | min", null),
        ("[.nulls[] | select(. > 1)] | length", null),
        ("if .nulls[0] > 0 then .b else 0 end", null),
        ("if .b >= .nulls[0] then .b else 0 end", null),
        ("try (.nulls | max) catch 0", null),
        ("[.nulls[0], true, .b] | sort", null),
        ("[[.nulls[0]], [.b]] | max", null),
        ("if .nulls[0] < \"2026\" then 1 else 2 end", "null cannot be ordered among texts: `.nulls[0]` is null"),
        ("if .codes[0] > 5 then 1 else 2 end", kinds),
        ("[.codes[], .b] | max", kinds),
        ("[.codes[0], .b] | sort", kinds),
        (".long | max", "numbers that have more than 28 digits cannot be ordered"),
    ] {
        assert_eq!(message(code, body), want, "{code}");
        assert!(run(code, body).is_err_and(|trouble| !trouble.is_stopped), "{code}");
    }
    for (code, want) in [
        (".dates | max", "\"2026-11-25\""),
        (".times | min", "\"1700000000\""),
        (".codes | sort | tojson", "\"[\\\"CNY\\\",\\\"USD\\\"]\""),
        (".objects | group_by(.id) | length", "2"),
        (".texts + .texts | unique | length", "3"),
        (".times | unique | last", "\"1700000001\""),
        (".codes | unique | first", "\"CNY\""),
        (".objects | group_by(.id) | map(.[0].n | tonumber) | add", "19"),
        (".objects | unique_by(.id) | map(.n | tonumber) | max", "10"),
        (".objects | group_by(.id) | max_by(.[0].n | tonumber) | .[0].id", "\"10\""),
        (".texts | map(tonumber) | max", "10"),
        ("{\"9\":1,\"10\":2} | keys | length", "2"),
        ("[null, 5] | max", "5"),
        ("reduce .b as $n (null; if $n > . then $n else . end)", "10"),
        ("if .nulls[0] == null or .nulls[0] > 5 then 1 else 2 end", "1"),
        (
            "[.nulls[], .codes[], .b] | map(type) | tojson",
            r#""[\"null\",\"number\",\"string\",\"string\",\"number\"]""#,
        ),
        ("[.nulls[], .codes[], .b] | unique | length", "5"),
        ("[.nulls[] | numbers, (strings, arrays | 1)] | length", "1"),
        ("[.a] | max", "\"9\""),
        ("@sh \"\\(.b)\"", "\"10\""),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}
