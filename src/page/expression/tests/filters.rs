//! Which filters there are, and what is said of expressions that fail.

use super::*;

#[test]
fn no_definition_hides_a_native_filter() {
    // Else an expression would mean something else without the definitions than with them.
    let natives: Vec<(&str, usize)> =
        crate::page::filters().map(|(name, arguments, _)| (name, arguments.len())).collect();
    for def in crate::page::definitions() {
        assert!(!natives.contains(&(def.name, def.args.len())), "{}/{}", def.name, def.args.len());
    }
    for (index, name) in natives.iter().enumerate() {
        assert!(!natives[..index].contains(name), "{name:?} stands twice");
    }
}

#[test]
fn what_ends_the_process_or_reads_its_surroundings_is_not_known() {
    for code in [
        "halt",
        "halt(0)",
        "halt_error",
        "halt_error(0)",
        "if .error then halt else .b end",
        "env",
        "env.PATH",
        "$ENV",
        "$ENV.PATH",
        "input",
        "inputs",
        "input_line_number",
        "input_filename",
        "debug",
        "debug(.)",
        "stderr",
        "$__prog_args",
        "$__loc__",
        "now",
        "localtime",
        "strflocaltime(\"%Y\")",
        "debug_empty",
        "stderr_empty",
        "get_search_list",
        "modulemeta",
        "getpath(halt)",
        "try halt catch .",
        "[limit(1; input)]",
        "def f: halt; 1",
    ] {
        let why = Expression::compile(code).err().unwrap_or_else(|| panic!("{code} compiles"));
        assert!(why.ends_with("is not known"), "{code}: {why}");
    }
}

#[test]
fn what_jq_has_is_there() {
    let body = r#"{"a":[3,1,2],"t":"Ab,c","o":{"x":1,"y":null},"n":"1.50"}"#;
    for (code, want) in [
        (".a|sort", "[1,2,3]"),
        (".a|sort_by(-.)", "[3,2,1]"),
        (".a|map(. * 2)|add", "12"),
        (".a|min, max", "1 3"),
        (".a|unique|reverse", "[3,2,1]"),
        (".a|group_by(. > 1)", "[[1],[3,2]]"),
        (".a|first, last, nth(1)", "3 2 1"),
        (".a|index(1), length", "1 3"),
        (".a|any(. > 2), all(. > 2)", "true false"),
        (".a|contains([1]), inside([1,2,3,4])", "true true"),
        ("[.a[]|select(. > 1)]", "[3,2]"),
        ("[.a[1:][]]", "[1,2]"),
        ("[limit(2; .a[])], [first(range(10;0;-3))]", "[3,1] [10]"),
        ("reduce .a[] as $x (0; . + $x)", "6"),
        ("[foreach .a[] as $x (0; . + $x; [$x, .])]", "[[3,3],[1,4],[2,6]]"),
        (".t|ascii_downcase, ascii_upcase, length, utf8bytelength", "\"ab,c\" \"AB,C\" 4 4"),
        (".t|split(\",\"), (split(\",\")|join(\"-\"))", "[\"Ab\",\"c\"] \"Ab-c\""),
        (".t|test(\"B\"), test(\"B\";\"i\")", "false true"),
        (".t|capture(\"(?<l>[a-z]+),(?<r>.)\")", "{\"l\":\"b\",\"r\":\"c\"}"),
        (".t|[match(\"[a-z]\";\"g\").offset]", "[1,3]"),
        (".t|gsub(\",\";\"\"), sub(\"[a-z]\";\"x\"), [scan(\".\")]", "\"Abc\" \"Ax,c\" [\"A\",\"b\",\",\",\"c\"]"),
        (".t|ltrimstr(\"A\"), rtrimstr(\"c\"), startswith(\"A\"), .[1:2]", "\"b,c\" \"Ab,\" true \"b\""),
        (".t|explode, (explode|implode)", "[65,98,44,99] \"Ab,c\""),
        (
            ".t|@base64, (@base64|@base64d), @uri, @html, @json",
            "\"QWIsYw==\" \"Ab,c\" \"Ab%2Cc\" \"Ab,c\" \"\\\"Ab,c\\\"\"",
        ),
        ("@uri \"x=\\(.t)\"", "\"x=Ab%2Cc\""),
        (
            ".o|keys, to_entries, has(\"x\"), has(\"z\"), del(.x)",
            "[\"x\",\"y\"] [{\"key\":\"x\",\"value\":1},{\"key\":\"y\",\"value\":null}] true false {\"y\":null}",
        ),
        (".o|with_entries(.value |= tostring), map_values(1)", "{\"x\":\"1\",\"y\":\"null\"} {\"x\":1,\"y\":1}"),
        (".o|[paths], getpath([\"x\"]), [.[]|type], pick(.x)", "[[\"x\"],[\"y\"]] 1 [\"number\",\"null\"] {\"x\":1}"),
        (".o + {z:2} | .x += 1 | .z -= 1", "{\"x\":2,\"y\":null,\"z\":1}"),
        ("{a:{b:1}} * {a:{c:2}}", "{\"a\":{\"b\":1,\"c\":2}}"),
        ("[.. | numbers]", "[3,1,2,1]"),
        ("walk(if type == \"number\" then . + 1 else . end) | .a", "[4,2,3]"),
        ("[.a[] as $x | $x * 10]", "[30,10,20]"),
        (". as {a: [$x, $y], $n} | [$x, $y, $n]", "[3,1,\"1.50\"]"),
        ("label $out | .a[] | if . == 1 then break $out else . end", "3"),
        ("[while(. != null; null)|type]", "[\"object\"]"),
        ("1 | until(. > 100; . * 2)", "128"),
        ("[recurse(if . == {} then empty else {} end)] | length", "2"),
        ("try error(\"x\") catch .", "\"x\""),
        ("try (.t | tonumber) catch \"no\"", "\"no\""),
        (".missing? // .n", "\"1.50\""),
        ("(\"{\\\"b\\\": [1.10]}\" | fromjson).b[0], (.o|tojson)", "1.10 \"{\\\"x\\\":1,\\\"y\\\":null}\""),
        ("1.5|floor, ceil, round, trunc", "1 2 2 1"),
        ("-1.5|abs, floor, round", "1.5 -2 -2"),
        ("[9|sqrt, pow(.;2), pow(10; -2)]|tojson", "\"[3,81,0.01]\""),
        ("7 % 3, 7.5 % 2", "1 1.5"),
        ("nan|isnan, tojson", "true \"null\""),
        ("infinite|isinfinite, tostring", "true \"null\""),
        ("[1,[2,[3]]]|flatten, flatten(1)", "[1,2,3] [1,2,[3]]"),
        ("[[1,2],[3,4]]|transpose, combinations", "[[1,3],[2,4]] [1,3] [1,4] [2,3] [2,4]"),
        ("[\"true\", false]|map(toboolean)", "[true,false]"),
        ("[\" x \"[]?], (\" x \"|trim, ltrim, rtrim)", "[] \"x\" \"x \" \" x\""),
        ("\"x\" * 3, \"x\" * 0", "\"xxx\" null"),
        ("[1,2,3] - [2]", "[1,3]"),
        ("[1,2,1]|indices(1), .[[1]]", "[0,2] [0,2]"),
        ("{} | .a.b.c = 1", "{\"a\":{\"b\":{\"c\":1}}}"),
        (".a|toarray, (1|toarray)", "[3,1,2] [1]"),
        ("\"axa\"|trimstr(\"a\")", "\"x\""),
        ("2|IN(1,2), IN(3)", "true false"),
        ("IN(1,2;3)", "false"),
        ("[{k:\"a\"}]|INDEX(.k)", "{\"a\":{\"k\":\"a\"}}"),
        ("65|ascii", "\"A\""),
        ("[1,\"a\\\"b\",null,true]|@csv", r#""1,\"a\"\"b\",,true""#),
        ("[1,\"a\\tb\",null,true]|@tsv", r#""1\ta\\tb\t\ttrue""#),
        ("{a:{b:1}}|[leaf_paths]", "[[\"a\",\"b\"]]"),
        ("reduce (\"EUR\",\"USD\",\"EUR\") as $c ({}; .[$c] += 1)", "{\"EUR\":2,\"USD\":1}"),
    ] {
        // All values in one, as JSON.
        let all = format!("[{code}] | map(tojson) | join(\" \")");
        match run(&all, body) {
            Ok(Some(Shape::Text(got))) => assert_eq!(got, want, "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn errors_name_types_keys_and_places_and_never_values() {
    let body = r#"{"data":{"id":"id-SECRET","quota":{"left":"SECRET","SECRET 1234567":1},"username":"SECRET","n":777777,"list":["SECRET"],"none":null},"token":"SECRET"}"#;
    for (code, want) in [
        (".data / 100", "cannot calculate an object (`.data`) / a number"),
        (".data.username / 100", "cannot calculate a text / a number"),
        (".data.quota - 1", "cannot calculate an object (`.data.quota`) - a number"),
        (". * 2", "cannot calculate an object (the answer) * a number"),
        (".data.n.x", "cannot index a number with \"x\""),
        (".data.username.x", "cannot index a text with \"x\""),
        (".data.list.x", "cannot index a list (`.data.list`) with \"x\""),
        (".data.n[]", "cannot use a number as list or object"),
        (".data.n | keys", "cannot use a number as list or object"),
        (".data.username | tonumber", "a text cannot be read as a number: it holds no number"),
        (".data.quota | tonumber", "cannot use an object (`.data.quota`) as number"),
        (
            ".data.quotaa | tonumber",
            "cannot use null (`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `n`, `list`, `none`) as number",
        ),
        (
            ".data.quotaa - 1",
            "cannot calculate null (`.data.quotaa` is null; `.data` has `id`, `quota`, `username`, `n`, `list`, `none`) - a number",
        ),
        (".data.n + .data.none", "cannot calculate a number + null (`.data.none` is null)"),
        ("[.data.n, .data.none] | add", "cannot calculate a number + null (`.data.none` is null)"),
        (".data.username | fromjson", "a text is not JSON: byte offset 0: value expected"),
        (".data.username | test(.)", "it gives Some(Bool(true))"),
        (".data.n | test(\"x\")", "cannot use a number as text"),
        (".data.quota | length as $n | $n | sort", "cannot use a number as array"),
        ("-.data.username", "cannot use a text as number"),
        (".data | {(.n | tostring | tonumber): 1}", "cannot use a number as key"),
        ("error", "the expression raises an error"),
        ("error(.token)", "the expression raises an error"),
        ("error(.data)", "the expression raises an error"),
        ("error(null)", "the expression raises an error"),
        ("error(\"no wallet\")", "no wallet"),
        ("error(\"no wallet of \\(.token) here\")", "no wallet of … here"),
        ("error(\"n is \" + (.data.n | tostring))", "n is …"),
        ("error(\"one of \\([\"CNY\", .token, \"USD\"] | join(\", \"))\")", "one of CNY, …, USD"),
        ("error({message: \"no wallet\"})", "no wallet"),
        ("error({message: .token})", "the expression raises an error"),
        ("try error(.token) catch error(\"x \" + .)", "x …"),
        ("try (.data / 100) catch error(.)", "cannot calculate an object (`.data`) / a number"),
        ("error(.token[0:3] + \"!\")", "…!"),
        ("error(.token | ascii_downcase)", "the expression raises an error"),
        ("error(.data.quota | keys[0])", "the expression raises an error"),
        ("error(.data | tojson)", "the expression raises an error"),
        ("error(.token | @base64)", "the expression raises an error"),
        ("error(.token / \"E\" | join(\"-\"))", "…-…-…"),
        ("path(1)", "invalid path expression with input an object (the answer)"),
        ("range(.token)", "cannot use a text as number"),
        (".data.n |= error(.)", "the expression raises an error"),
        ("ltrimstr(1)", "cannot use an object (the answer) as string"),
        (".data.list | implode", "a list is not one of characters"),
        ("break $x", "`$x` is not known"),
        ("label $x | break $x", "it gives None"),
    ] {
        let got = message(code, body);
        assert_eq!(got, want, "{code}");
        assert!(!got.contains("SECRET") && !got.contains("777"), "{code}: {got}");
    }
}

#[test]
fn a_part_of_a_text_is_found_wherever_it_begins() {
    for (code, want) in [
        ("\"aaaa\" | indices(\"aa\")", "[0,1,2]"),
        ("\"abababa\" | indices(\"aba\")", "[0,2,4]"),
        ("\"äöäöä\" | indices(\"äöä\")", "[0,2]"),
        ("\"x余额余额y\" | indices(\"余额\")", "[1,3]"),
        ("\"aabaaab\" | indices(\"aaab\")", "[3]"),
        ("\"ab\" | indices(\"abc\")", "[]"),
        ("\"ab\" | indices(\"ab\")", "[0]"),
        ("\"ab\" | indices(\"\")", "[]"),
        ("\"\" | indices(\"a\")", "[]"),
        ("\"ä1 ö22\" | [match(\"([0-9])([0-9])?\"; \"g\") | .offset, .captures[].offset]", "[1,1,4,4,5]"),
    ] {
        let got = message(&format!("{code} | tojson"), "{}");
        assert!(got.contains(&format!("Text(\"{want}\")")), "{code}: {got}");
    }
}

#[test]
fn a_defect_of_an_expression_is_found_when_it_is_compiled() {
    for (code, want) in [
        (".a |", "syntax error at its end"),
        ("foo", "`foo` is not known"),
        ("foo + bar + foo", "`bar` is not known; `foo` is not known"),
        ("$x", "`$x` is not known"),
        ("foo::bar", "`foo` is not known"),
        ("map(.; .)", "`map` is not known"),
        ("def f: f; f", "`f` calls itself, which is not supported"),
    ] {
        assert_eq!(Expression::compile(code).err().as_deref(), Some(want), "{code}");
    }
}
