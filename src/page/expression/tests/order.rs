//! One of several values is never chosen by where it stands in the answer.

use super::*;

#[test]
fn several_values_are_told() {
    for (code, hint) in [
        (".w[].n", "choose one, or take the sum: `[...] | add`"),
        (".w[].t", "choose one, or take the sum: `[...] | map(tonumber) | add`"),
        (".w[]", "choose one"),
        (".w[0].n, null", "choose one"),
        ("repeat(1)", "choose one, or take the sum: `[...] | add`"),
    ] {
        let trouble = run(code, r#"{"w":[{"n":1,"t":"1"},{"n":2,"t":"2"}]}"#).unwrap_err();
        assert_eq!(trouble.message, "the expression gives several values", "{code}");
        assert_eq!(trouble.hint, Some(hint), "{code}");
    }
    assert_eq!(message(".a, error(\"x\")", "{}"), "x");
}

#[test]
fn evaluations_in_several_orders_share_the_bounds_of_one() {
    let body = parse_json(br#"{"a":[1,2]}"#).unwrap();
    let variables = Variables::new(None, &BTreeMap::new());
    for (count, fits) in [(5000, true), (25_000, false)] {
        let code = format!(".a | map(. + reduce range({count}) as $x (0; . + 1)) | add");
        let expression = Expression::compile(&code).unwrap();
        assert!(expression.run(&body, &variables).is_ok(), "{code}");
        let in_any_order = expression
            .run_in_any_order(&body, &variables)
            .map(|taken| taken.value)
            .map_err(|trouble| trouble.to_string());
        let told = "the expression was stopped because it takes too many steps";
        assert!(if fits { in_any_order.is_ok() } else { in_any_order.is_err_and(|why| why == told) }, "{code}");
    }
}

/// An answer is right only if it is in whichever order its entries stand.
#[test]
fn an_error_is_found_wherever_it_stands() {
    let errors = |code: &str, body: &str| {
        let body = parse_json(body.as_bytes()).unwrap();
        Expression::compile(code).unwrap().errors(&body, &Variables::new(None, &BTreeMap::new())).unwrap().len()
    };
    for at in 0..5 {
        let results: Vec<String> =
            (0..5).map(|n| format!(r#""r{n}":{{"error":{}}}"#, if n == at { "\"x\"" } else { "null" })).collect();
        let body = format!("{{{}}}", results.join(","));
        for code in
            ["[.[].error] | last", "[.[].error] | first", "[.[].error] | .[2]", "reduce .[] as $x (null; $x.error)"]
        {
            assert_eq!(errors(code, &body), 1, "{code} {body}");
        }
    }
    assert_eq!(errors("[.[].error] | last", r#"{"a":{"error":null},"b":{"error":null}}"#), 0);
}

/// Other orders never stop what is read from a large answer.
#[test]
fn a_large_answer_has_as_many_orders_as_its_bounds_allow() {
    let entries: Vec<String> = (0..2000).map(|n| format!(r#""k{n}":{{"n":1}}"#)).collect();
    let body = parse_json(format!("{{{}}}", entries.join(",")).as_bytes()).unwrap();
    let variables = Variables::new(None, &BTreeMap::new());
    let expression = Expression::compile("[.[].n] | add").unwrap();
    let taken = expression.run_in_any_order(&body, &variables).unwrap();
    assert!(matches!(taken.value, Some(Shape::Number(number)) if number == "2000"));
}

#[test]
fn one_of_several_is_never_chosen_by_the_order_of_the_answer() {
    let body = r#"{"texts":["5","10","9"],"w":[{"c":"USD","n":5,"s":"5"},{"c":"CNY","n":7,"s":"17"},{"c":"EUR","n":9,"s":"9"}],
        "one":{"USD":5},"o":{"USD":5,"CNY":7,"EUR":9},"same":{"a":5,"b":5},
        "days":{"2026-11-25":5,"2026-11-24":7},"most":{"a":5,"b":6,"c":5,"d":5},"most2":{"a":5,"b":5,"c":6,"d":5,"e":5},
        "most3":{"a":5,"b":6,"c":5},
        "flags":[{"ok":1},{"ok":1},{"ok":1},{"ok":1},{"ok":1},{"ok":0},{"ok":1},{"ok":1},{"ok":1},{"ok":1}]}"#;
    let options = BTreeMap::new();
    let choose = |code: &str| {
        let body = parse_json(body.as_bytes()).unwrap();
        Expression::compile(code)
            .unwrap()
            .run_in_any_order(&body, &Variables::new(Some("USD"), &options))
            .map(|taken| taken.value)
    };
    let why = "the expression takes one of several values, and only their order in the answer says which";
    for code in [
        ".texts | unique | map(.) | last",
        "first(.texts | unique[])",
        "last(.texts | unique[])",
        "nth(1; .texts | unique[])",
        ".texts | unique | .[] |= . | [.[]] | .[0]",
        "[] + (.texts | unique) | map(.) | .[0]",
        "reduce (.texts | unique[]) as $x (null; $x)",
        "reduce .w[] as $x (null; . // $x.n)",
        "last(foreach .w[] as $x (0; $x.n))",
        "[limit(1; .w[] | .n)] | add",
        "label $out | .w[] | .n, break $out",
        "first(.w[] | select(.n > 5) | .n)",
        ".w | map(select(.n > 5)) | .[0].n",
        ".w | map(select(.n > 5)) | last.n",
        "[.w[].n] | .[0]",
        "[.w[].n] | .[1]",
        "[.w[].n] | .[1:] | add",
        ".w | map(.n) | . as [$first] | $first",
        "[.. | .n? | numbers] | first",
        ".w | group_by(.c) | map(map(.n) | add) | .[0]",
        ".w | group_by(.c) | .[0][0].n",
        ".w | unique_by(.c) | last.n",
        ".w | sort_by(.c) | map(.n) | .[0]",
        ".w | map(.c) | sort | .[0]",
        ".w | sort_by(0) | .[0].n",
        ".w | min_by(0) | .n",
        ".w | min_by(.c) | .n",
        ".w | max_by(.c) | .n",
        ".w | map(.c) | max",
        ".w | map({c, n}) | max_by(.c).n",
        "{amount: (.w | map(.n) | add), currency: (.w | map(.c) | unique | first)}",
        ".o | to_entries | first.value",
        ".o | to_entries | map(.value) | last",
        ".o | keys_unsorted[0] as $k | .[$k]",
        ".o | keys[0] as $k | .[$k]",
        "[.o[]] | .[0]",
        "first(.o[])",
        ".o as $o | [$o | paths] | .[0] as $p | $o | getpath($p)",
        ".o | with_entries(.value += 1) | to_entries | .[0].value",
        // Three of the four places have one value.
        ".most | to_entries | last.value",
        ".most | to_entries | first.value",
        ".most | to_entries | .[1].value",
        ".most2 | [.[]] | last",
        ".most3 | [.[]] | last",
        "[.flags[].ok] | last",
        "[.flags[].ok] | .[3]",
    ] {
        let got = choose(code).map_or_else(|trouble| trouble.message, |shape| format!("it gives {shape:?}"));
        assert_eq!(got, why, "{code}");
    }
    for (code, want) in [
        (".w | map(select(.c == \"USD\"))[0].n", "5"),
        (".w | map(select(.c == $currency)) | first.n", "5"),
        ("first(.w[] | select(.c == \"EUR\") | .n)", "9"),
        (".w[0].n", "5"),
        (".w | last.n", "9"),
        (".w[1:] | map(.n) | add", "16"),
        ("[.w[].n] | add", "21"),
        ("[.w[].n / 7] | add", "3"),
        ("[.w[].n] | min", "5"),
        ("[.w[].n] | max", "9"),
        ("[.w[].n] | sort | .[0]", "5"),
        ("[.w[].n] | sort | map(.) | .[0]", "5"),
        (".w | max_by(.n) | .n", "9"),
        ("[.w[].n] | length", "3"),
        ("reduce .w[] as $x (0; . + $x.n)", "21"),
        (".w | map({key: .c, value: .n}) | from_entries | .CNY", "7"),
        (".w | group_by(.c) | map(select(.[0].c == \"USD\")) | .[0][0].n", "5"),
        (".texts | unique | map(tonumber) | max", "10"),
        ("[.texts | unique[] | tonumber] | add", "24"),
        (".one | to_entries | first.value", "5"),
        (".o | to_entries | map(select(.key == \"USD\")) | .[0].value", "5"),
        (".o | to_entries | map(.value) | add", "21"),
        (".o | [.[]] | max", "9"),
        (".same | [.[]] | .[0]", "5"),
        (".days | keys | last as $day | $day", "\"2026-11-25\""),
        (".days | .[keys[-1]]", "5"),
        ("[.w[] | {c, n}] | sort_by(.n) | last.n", "9"),
        ("any(.w[]; .n > 8) | if . then 1 else 2 end", "1"),
    ] {
        let got = match choose(code) {
            Ok(Some(Shape::Number(number))) => number,
            Ok(Some(Shape::Text(text))) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(got, want, "{code}");
    }
}

#[test]
fn nothing_but_a_number_has_an_order_among_numbers() {
    let body = r#"{"b":5,"l":[50],"e":[],"o":{"value":50},"t":true,"f":false,"w":[{"x":[50],"a":3},{"x":1,"a":4}]}"#;
    for (code, what) in [
        (".l >= 100000000", "a list"),
        (".e >= 100000000", "a list"),
        (".o >= 100000000", "an object"),
        (".f < 0", "true or false"),
        ("[.w[]|select(.x<10)|.a]|add", "a list"),
        ("[.b,.t]|max", "true or false"),
        ("[.b,.l]|sort|.[0]", "a list"),
        ("if .e > 10 then 100 else 1 end", "a list"),
        ("[.e] > .b", "a list"),
    ] {
        assert_eq!(message(code, body), format!("{what} cannot be ordered among numbers"), "{code}");
    }
    for (code, want) in [
        ("[.[]|scalars]|length", "3"),
        ("[.[]|iterables]|length", "4"),
        ("[leaf_paths]|length", "8"),
        ("[.b,.l]|unique|length", "2"),
        ("if .b == .l then 1 else 2 end", "2"),
    ] {
        assert_eq!(literal(code, body), want, "{code}");
    }
}

#[test]
fn an_object_of_the_answer_is_no_balance() {
    let body = parse_json(br#"{"b":{"amount":5000,"currency":"EUR"},"w":[{"amount":5}]}"#).unwrap();
    let variables = Variables::new(None, &BTreeMap::new());
    let told = |code: &str| Expression::compile(code).unwrap().run_in_any_order(&body, &variables);
    for code in [
        ".b",
        ".w[0]",
        ".w|first",
        ".b as $b|$b",
        ".",
        ".b|del(.currency)",
        ".b+{}",
        "{}+.b",
        "{currency: \"USD\"}+.b",
        ".b*{minus: 1}",
        ".b|.currency=\"USD\"",
        ".b|map_values(.)",
        ".b|with_entries(.)",
        ".b|to_entries|from_entries",
        "reduce (.b|to_entries[]) as $e ({};.[$e.key]=$e.value)",
        ".b|to_entries|map({(.key):.value})|add",
        "reduce .b as $x ({};.+$x)",
    ] {
        let why = told(code).unwrap_err();
        assert!(why.message.starts_with("the expression gives an object of the answer"), "{code}: {why}");
    }
    for code in
        [".b|{amount, currency}", "{amount: .b.amount}", ".w[0]|{amount}", "{amount: .b.amount}+{currency: \"USD\"}"]
    {
        assert!(matches!(told(code).unwrap().value, Some(Shape::Object(_))), "{code}");
    }
}

#[test]
fn each_entry_comes_first_and_last_in_some_order() {
    for (code, body) in [
        ("first(.w[]).a", r#"{"w":[{"a":0},{"a":250},{"a":0},{"a":0}]}"#),
        ("[.w[]|.a][0]", r#"{"w":[{"a":0},{"a":250},{"a":0},{"a":0}]}"#),
        ("last(.w[]).a", r#"{"w":[{"a":0},{"a":250},{"a":0},{"a":0}]}"#),
        ("[.w[]|.a][1]", r#"{"w":[{"a":0},{"a":0},{"a":0},{"a":0},{"a":7},{"a":0}]}"#),
        ("first(.w[])", r#"{"w":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,3,0,0,0,0,0,0,0,0,0,0,0,0]}"#),
        ("first(.o[])", r#"{"o":{"a":0,"b":0,"c":0,"d":5,"e":0,"f":0,"g":0}}"#),
    ] {
        let body = parse_json(body.as_bytes()).unwrap();
        let told = Expression::compile(code).unwrap().run_in_any_order(&body, &Variables::new(None, &BTreeMap::new()));
        assert!(told.is_err(), "{code}: {told:?}");
    }
}
