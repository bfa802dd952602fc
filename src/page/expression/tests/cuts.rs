//! No number is only a part of the one that stands in the answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::*;
use crate::model::amount;

/// What comes out as a number or a text; none if that is refused.
fn taken(code: &str, body: &str) -> Option<String> {
    match run(code, body) {
        Ok(Some(Shape::Number(text) | Shape::Text(text))) => Some(text),
        Ok(Some(Shape::Missing(why))) if why.contains("cut out") || why.contains("from characters") => None,
        Err(trouble) if trouble.message.contains("cut out") || trouble.message.contains("from characters") => None,
        other => panic!("{code} on {body}: {other:?}"),
    }
}

/// All rows that are otherwise than they should be.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn look(&mut self, code: &str, body: &str, want: Option<&str>) {
        let got = std::panic::catch_unwind(|| taken(code, body));
        match got {
            Ok(got) if got.as_deref() == want => {}
            Ok(got) => self.0.push(format!("{code} on {body}: wanted {want:?}, got {got:?}")),
            Err(_) => self.0.push(format!("{code} on {body}: wanted {want:?}, but it fails otherwise")),
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        assert!(self.0.is_empty(), "{} rows:\n{}", self.0.len(), self.0.join("\n"));
    }
}

#[test]
fn a_piece_of_a_number_is_refused_whatever_writes_or_cuts_it() {
    let mut wrong = Wrong::default();
    let pattern = "capture(\"(?<v>[0-9.]+)\").v";
    for text in [
        "12,50",
        "1'234",
        "1\u{a0}234",
        "1\u{2009}234",
        "-5",
        "\u{2212}5",
        "-$5.50",
        "5e3",
        "5E+3",
        "1，234",
        "1．5",
        "1。5",
        "1٬234",
        "１２3",
        "1 234",
        "12 345 678",
        "1\u{200b}234",
        "5K",
        "5 k",
        "1.2万",
        "50 cents",
        "5 DR",
        "(5.50)",
        "($5.50)",
        "5.50-",
        "- 5.50",
        "–5.50",
        "$-5",
        "1·234",
        "5²",
        "1\u{2019}234",
    ] {
        for (before, after) in [("", ""), ("bal ", ""), ("bal: ", " left"), ("余额", "")] {
            let body = serde_json::Value::from(format!("{before}{text}{after}")).to_string();
            for code in [pattern.to_owned(), format!("{pattern}|tonumber"), format!("{pattern} + \" \" | tonumber")] {
                wrong.look(&code, &body, None);
            }
        }
    }
    for (code, text) in [
        ("sub(\"[.].*\";\"\")|tonumber", "12.50"),
        ("sub(\"[.].*\";\"\")|ltrimstr(\"bal \")|tonumber", "bal 12.50"),
        ("[splits(\"[.]\")][0]|tonumber", "12.50"),
        ("[splits(\"[.]\")][0]|ltrimstr(\"bal \")|tonumber", "bal 12.50"),
        ("split(\",\")[0]|tonumber", "1,234.5"),
        ("split(\".\")[0]|ltrimstr(\"bal \")|tonumber", "bal 12.50"),
        (".[0:6]|ltrimstr(\"bal \")|tonumber", "bal 12.50"),
        (".[0:2]|tojson|fromjson|tonumber", "12.50"),
        (".[1:]|tonumber", "12.5"),
        ("capture(\"(?<v>[0-9]+)\").v + \".00\" | tonumber", "bal 12.50"),
        (".[2:]|tonumber", "12.5"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "bal -5.50 USD"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "2 items, 12.50 USD"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "bal 5k"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "bal 50 cents"),
        ("ltrimstr(\"bal -\")|tonumber", "bal -5"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "\u{202e}05.21$"),
        ("capture(\"(?<v>[0-9.]+)\").v", "bal \u{202e}05.21"),
        (".[1:]|tonumber", "\u{202e}05.21"),
        ("[match(\"[0-9]+\";\"g\").string][0]|tonumber", "bal 12.50"),
        ("[scan(\"[0-9]+\")][1]|tonumber", "bal 12.50"),
        ("test(\"x\") as $x | .[index(\"1\"):][0:2]|tonumber", "bal 12.50"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "Balance: DR 5.00"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "Balance: DR5.00"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "Balance 5.00 Dr."),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "Balance USD 5.00 dr"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "5.00 [DR]"),
        ("ascii_downcase|capture(\"(?<v>[0-9][0-9.,]*)\").v", "12.50 DR"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "\u{a2}5.00"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "5.00 US cents"),
        ("capture(\"(?<v>[0-9][0-9.,]*)\").v", "5.00 USc"),
        // A pattern that only runs over a minus names none, nor does a range in it.
        ("capture(\"Balance:\\\\D*(?<v>[0-9.,]+)\").v", "Balance: - 5.00"),
        ("capture(\"Balance:[^0-9]*(?<v>[0-9.,]+)\").v", "Balance: - USD 5.00"),
        ("capture(\"Balance:.*?(?<v>[0-9.,]+)\").v", "Balance: \u{2212} 5.00"),
        ("capture(\"余额：\\\\W+(?<v>[0-9.,]+)\").v", "余额：－ 5.00元"),
        ("capture(\"[a-z]+:[^0-9]*(?<v>[0-9.,]+)\").v", "balance: - $5.00"),
    ] {
        let body = serde_json::Value::from(text).to_string();
        wrong.look(code, &body, None);
    }
}

#[test]
fn what_is_the_whole_number_is_read() {
    let mut wrong = Wrong::default();
    let pattern = "capture(\"(?<v>[0-9.]+)\").v|tonumber";
    for (code, text, want) in [
        (pattern, "bal 12.50 USD", "12.50"),
        (pattern, "12.50, all", "12.50"),
        (pattern, "Balance: $12.50, due 3 May", "12.50"),
        (pattern, "bal=12", "12"),
        ("capture(\"(?<v>[0-9.]+)/\").v|tonumber", "5/10", "5"),
        (pattern, "余额12.50元", "12.50"),
        (pattern, "12.50 expired", "12.50"),
        (pattern, "CR 12.50", "12.50"),
        ("capture(\"Hydra (?<v>[0-9.]+)\").v|tonumber", "Hydra 12.50 [all]", "12.50"),
        ("split(\" \")[0]|tonumber", "12 34", "12"),
        ("capture(\"\\\\((?<v>[0-9.]+)\\\\)\").v|tonumber", "left (5.50)", "5.50"),
        ("capture(\"- (?<v>[0-9.]+)\").v|tonumber", "Balance - 5.50 USD", "5.50"),
        ("capture(\"\\\\w+ [-\u{2013}] (?<v>[0-9.]+)\").v|tonumber", "Balance \u{2013} 5.50 USD", "5.50"),
        ("split(\" - \")[1]|tonumber", "Balance - 5.50", "5.50"),
        ("capture(\"(?<v>-?[0-9.]+)\").v|tonumber", "bal -5.50", "-5.50"),
        ("capture(\"(?<v>[0-9]+)-\").v|tonumber", "10-20", "10"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "Balance: 12.50 USD", "12.50"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "Balance: 1 234.50 USD", "1234.50"),
        ("gsub(\"[^0-9.-]\";\"\")|tonumber", "bal -5.50 USD", "-5.50"),
        ("sub(\" of.*\";\"\")|tonumber", "12.50 of 100", "12.50"),
        ("sub(\"bal \";\"\")|sub(\"k\";\"000\")|tonumber", "bal 5k", "5000"),
        ("sub(\",\";\".\")|sub(\" USD\";\"\")|tonumber", "12,50 USD", "12.50"),
        ("rtrimstr(\"0\")|tonumber", "12.50", "12.5"),
        ("split(\".\")|join(\".\")|tonumber", "12.50", "12.50"),
        ("split(\" \")[1]|tonumber", "bal 12.50 USD", "12.50"),
        ("split(\"T\")[0]", "2026-11-30T12:00:00Z", "2026-11-30"),
        ("gsub(\"-\";\"\")", "2026-11-30", "20261130"),
        ("capture(\"(?<y>[0-9]+)-\").y", "2026-11-30", "2026"),
    ] {
        let body = serde_json::Value::from(text).to_string();
        wrong.look(code, &body, Some(want));
    }
}

#[test]
fn no_number_is_found_in_the_text_of_a_list_or_an_object() {
    let body = r#"{"w":[{"n":"a","usd":5},{"n":"b","usd":500}],"o":{"usd":5},"s":"{\"usd\":5}"}"#;
    for code in [
        r#".w|tojson|capture("\"usd\":(?<a>[0-9.]+)").a|tonumber"#,
        r#".w|tojson|capture("\"usd\":(?<a>[0-9.]+)").a"#,
        r#".w|tostring|[scan("[0-9]+")][0]"#,
        r#".w|tostring|[scan("[0-9]+")][0]|tonumber"#,
        r#""\(.w)"|[scan("[0-9]+")][0]"#,
        r#".w|@text|split("usd\":")[1]|split("}")[0]|tonumber"#,
        r#".w|tojson|sub(".*?usd\":";"")|sub("}.*";"")|tonumber"#,
        r#"[.w[].usd]|tojson|.[1:2]|tonumber"#,
    ] {
        assert_eq!(taken(code, body), None, "{code}");
    }
    for (code, want) in [
        (".w|tojson|fromjson|.[0].usd", "5"),
        (r#".s|capture("(?<a>[0-9]+)").a"#, "5"),
        (r#"if .w|tojson|test("\"n\":\"b\"") then .o.usd else 0 end"#, "5"),
    ] {
        assert_eq!(taken(code, body).as_deref(), Some(want), "{code}");
    }
}

#[test]
fn a_null_of_the_answer_is_no_end_of_a_slice() {
    let body = r#"{"t":"12345","items":[{"x":1},{"x":2}],"null":null}"#;
    for code in [
        ".t[:.n]",
        ".t[.n:]",
        ".t[:.null]",
        "[.items[:.count][]|.x]|add",
        "[.items[.null:][]|.x]|add",
        ".t[:$options.n]",
        ".items[:.count] = []",
        "del(.items[.count:])",
    ] {
        assert!(run(code, body).is_err(), "{code}: {:?}", run(code, body));
    }
    assert_eq!(taken(".t[:null]", body).as_deref(), Some("12345"));
    assert_eq!(taken("[.items[null:null][]|.x]|add", body).as_deref(), Some("3"));
}

/// Whatever stands around a number with its currency belongs to it as if the currency was not there.
#[test]
fn what_makes_another_number_counts_behind_its_currency_too() {
    let mut wrong = Wrong::default();
    let pattern = "capture(\"(?<v>[0-9.]+)\").v";
    for text in [
        // A minus.
        "Balance: -USD 234.50",
        "Saldo: -EUR 234.50",
        "Your balance is -USD 234.50 today",
        "余额：-人民币234.50元",
        "余额 -RMB 234.50",
        "余额-234.50",
        "Balance: USD-234.50",
        "Balance: 234.50 -",
        "Balance: 234.50 USD-",
        "Balance: 234.50 USD -, all",
        "Balance: \u{2796}234.50",
        "Balance: \u{207b}234.50",
        "Balance: \u{208b}234.50",
        "Balance: \u{2d7}234.50",
        "Balance: \u{2043}234.50",
        "Balance: \u{fe58}234.50",
        "Balance: &minus;234.50",
        "Balance: &#8722;USD 234.50",
        "Balance: \u{fffd}234.50",
        "Balance: \u{fffd}USD 234.50",
        // Parentheses.
        "Balance: (USD 234.50)",
        "Balance: (234.50 USD)",
        "Balance: (234.50 (USD))",
        "Balance: 234.50 (DR)",
        // A scale, or a part.
        "12.5 Mio USD",
        "12.5 Mrd",
        "12.5 billion",
        "12.5 bn",
        "12.5B",
        "12.5 lakh",
        "12.5 crore",
        "12.5만",
        "12.5兆",
        "12.5百",
        "12.5 USD million",
        "12.5 USD thousand",
        "12.5 USD k",
        "12.5 kUSD",
        "12.5 $k",
        "12.5 USD万",
        "250 USD cents",
        "12.5 centimes",
        "12.5p",
        "12.5厘",
        "12.5 e3",
        "12.5×10³",
        "12.5 × 10^3",
        "12.5 %",
        "12.5 hekto USD",
        "12.50e",
    ] {
        let body = serde_json::Value::from(text).to_string();
        for code in [pattern.to_owned(), format!("{pattern}|tonumber")] {
            wrong.look(&code, &body, None);
        }
    }
    for gap in [
        "\u{2007}",
        "\u{2002}",
        "\u{2006}",
        "\u{2008}",
        "\u{205f}",
        "\u{a0}\u{a0}",
        "،",
        "′",
        "ʼ",
        "﹐",
        "&nbsp;",
        "&#160;",
        "&#xA0;",
        "\u{fffd}",
        "_",
        "‘",
        "·",
        "⸱",
    ] {
        for text in [format!("1{gap}234.50"), format!("Balance: 12{gap}234.50 USD")] {
            let body = serde_json::Value::from(text).to_string();
            wrong.look("capture(\"(?<v>[0-9]{3}[.][0-9]+)\").v", &body, None);
        }
    }
}

#[test]
fn what_is_put_together_stands_so_in_the_text_of_the_answer() {
    let mut wrong = Wrong::default();
    for (code, text) in [
        ("gsub(\"[^0-9.]\";\"\")", "($1,234.50)"),
        ("gsub(\"[^0-9.]\";\"\")", "$1,234.50-"),
        ("gsub(\"[^0-9.]\";\"\")", "$1,234.50 -"),
        ("gsub(\"[^0-9.]\";\"\")", "$1,234.50 bn"),
        ("gsub(\"[^0-9.]\";\"\")", "$1,234.50 Mio"),
        ("gsub(\"[^0-9.]\";\"\")", "USD 1,234.50 (DR)"),
        ("gsub(\"[^0-9.]\";\"\")", "12,50 USD"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "12,50 USD"),
        ("gsub(\"[^0-9]\";\"\")", "12.50"),
        ("gsub(\"[^0-9]\";\"\")|tonumber", "12.50"),
        ("gsub(\"[,.]\";\"\")", "12.50"),
        ("gsub(\"[,.]\";\"\")", "1,234.50"),
        ("sub(\"[.]\";\"\")", "12.50"),
        ("gsub(\",\";\"\")|tonumber", "12,50"),
        ("[scan(\"[0-9]+\")]|join(\"\")", "12.50"),
        ("split(\".\")|join(\"\")", "12.50"),
        ("split(\".\")|map(ltrimstr(\"x\"))|join(\"\")|tonumber", "12.50"),
        ("[scan(\"[0-9.]+\")]|join(\"\")", "2 items, 12.50"),
        ("[scan(\"[0-9.]\")]|join(\"\")", "Balance 2 of 3: 12.50 USD"),
        ("[scan(\"[0-9.]\")]|join(\"\")", "-12.50"),
        ("[scan(\"[0-9.]\")]|join(\"\")", "12.5k"),
        ("explode|map(select(.>45 and .<58))|implode", "-12.50"),
        ("explode|map(select(.>45 and .<58))|implode", "2 items, 12.50"),
        ("split(\"\")|.[0:2]|join(\"\")", "12.50"),
        ("explode|.[0:2]|implode", "12.50"),
        ("[scan(\"[0-9]\")]|.[0:2]|join(\"\")", "12.50"),
        ("@base64|.[0:4]|@base64d", "123.50"),
        ("split(\",\")|reverse|join(\"\")", "1,234.50"),
        ("\"\\(.[0:1])\\(.[3:])\"", "1,234.50"),
    ] {
        let body = serde_json::Value::from(text).to_string();
        wrong.look(code, &body, None);
    }
    assert_eq!(taken("tojson|explode|map(select(.>45 and .<58))|implode", r#"["12.50","3"]"#), None);
    for (code, text, want) in [
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "Balance: $1,234.50 (USD)", "1234.50"),
        ("gsub(\"[^0-9.]\";\"\")|tonumber", "USD 1,234.50, all of it", "1234.50"),
        ("gsub(\"[.]\";\"\")|sub(\",\";\".\")|tonumber", "1.234,50", "1234.50"),
        ("gsub(\"[.]\";\"\")|tonumber", "1.234", "1234"),
        ("gsub(\" \";\"\")|tonumber", "12 345 678", "12345678"),
        ("gsub(\"[^0-9]\";\"\")|tonumber", "剩余 1,234 次", "1234"),
        ("gsub(\"[^0-9]\";\"\")|tonumber", "You have 1,234 requests", "1234"),
        ("split(\",\")|join(\"\")|tonumber", "1,234.50", "1234.50"),
        ("[scan(\"[0-9.]+\")]|join(\"\")|tonumber", "$1,234.50", "1234.50"),
        ("\"\\(.[0:2]).\\(.[2:])\"|tonumber", "1250", "12.50"),
        ("sub(\"GB\";\"\")|tonumber", "12.50GB", "12.50"),
        ("rtrimstr(\"GB\")|tonumber", "12.50GB", "12.50"),
        ("split(\"GB\")[0]|tonumber", "12.50GB", "12.50"),
        ("capture(\"(?<v>[0-9.]+)GB\").v|tonumber", "12.50GB of 20GB", "12.50"),
        ("ltrimstr(\"$\")|tonumber", "$12.50", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "Balance (available): 12.50 USD (prepaid)", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "Balance: 12.50 - thank you", "12.50"),
        ("capture(\"(?<v>[0-9.]+) kWh\").v|tonumber", "12.50 kWh left", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "12.50 EUR verfügbar", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "剩余12.50元可用", "12.50"),
        ("capture(\"(?<v>[0-9]+)\").v|tonumber", "剩余5次", "5"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "{\"a\":12.50}", "12.50"),
        ("capture(\"a=(?<v>[0-9.]+)\").v|tonumber", "b=3&a=12.50&c=4", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "<td>12.50</td>", "12.50"),
        ("capture(\"(?<v>[0-9.]+)\").v|tonumber", "12.50\t345", "12.50"),
        ("ascii_downcase|rtrimstr(\" usd\")|tonumber", "12.50 USD", "12.50"),
        ("split(\".\")[1]|@base64d|fromjson|.n", "x.eyJuIjoxMi41MH0.y", "12.50"),
    ] {
        let body = serde_json::Value::from(text).to_string();
        wrong.look(code, &body, Some(want));
    }
}

/// What the expression of a balance gives; none if it is refused.
fn balance(code: &str, text: &str) -> Option<String> {
    let body = parse_json(serde_json::Value::from(text).to_string().as_bytes()).unwrap();
    let variables = Variables::new(Some("USD"), &BTreeMap::new());
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Rc<Expression>>> = RefCell::default();
    }
    let compile = || Rc::new(Expression::compile(code).unwrap_or_else(|why| panic!("{code}: {why}")));
    let expression = COMPILED.with_borrow_mut(|known| Rc::clone(known.entry(code.to_owned()).or_insert_with(compile)));
    match expression.run_in_any_order(&body, &variables).ok()?.value? {
        Shape::Number(number) => Some(number),
        Shape::Text(text) => amount::read(&text).ok().map(|money| money.value.to_string()),
        _ => None,
    }
}

/// `tests/amounts/cuts.tsv` says what is in it.
#[test]
fn a_number_is_taken_out_of_a_text_with_all_that_belongs_to_it_or_refused() {
    let table = include_str!("../../../../tests/amounts/cuts.tsv");
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let [want, code, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
        let code = match code.strip_suffix(" T") {
            Some(code) => format!("{code} | tonumber"),
            None => code.to_owned(),
        };
        let pattern = "(capture(\"(?<v>[0-9]+(?:[.,][0-9]+)*)\").v | tonumber)";
        let code = code.split(' ').map(|word| if word == "P" { pattern } else { word }).collect::<Vec<_>>().join(" ");
        let text: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        let got = balance(&code, &text).map(|got| got.parse::<rust_decimal::Decimal>().unwrap());
        if got != want.parse().ok() {
            wrong.push(format!("{want}\t{code}\t{text}\t{got:?}"));
        }
        rows += 1;
    }
    assert!(rows > 250, "{rows}");
    assert!(wrong.is_empty(), "{} of {rows} rows:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whatever is cut out of a text with one amount is that amount, or it is refused.
#[test]
fn no_cut_gives_another_number_than_the_text_says() {
    const SIGNS: [&str; 9] = ["", "", "", "-", "- ", "\u{2212}", "DR ", "(", "+"];
    const BEFORE: [&str; 8] = ["", "$", "USD ", "€", "US$ ", "<b>", "\"", "["];
    const NUMBERS: [(&str, &str); 8] = [
        ("5", "5"),
        ("5.00", "5"),
        ("12.50", "12.50"),
        ("1,234.50", "1234.50"),
        ("1 234.50", "1234.50"),
        ("1\u{a0}234", "1234"),
        ("1'234.50", "1234.50"),
        ("0.05", "0.05"),
    ];
    const SCALES: [(&str, &str); 9] = [
        ("", "1"),
        ("", "1"),
        ("k", "1000"),
        (" k", "1000"),
        ("M", "1000000"),
        ("万", "10000"),
        (" thousand", "1000"),
        (" cents", "0.01"),
        (" million", "1000000"),
    ];
    const BEHIND: [(&str, bool); 10] = [
        ("", false),
        (" USD", false),
        ("</b>", false),
        ("\"", false),
        (" left", false),
        (", all", false),
        (" DR", true),
        ("-", true),
        (")", true),
        ("]", false),
    ];
    const LABELS: [&str; 6] = ["", "Balance: ", "bal ", "余额", "Balance=", "x, "];
    const CUTS: [&str; 34] = [
        "capture(\"(?<v>[0-9]+)\").v",
        "capture(\"(?<v>[0-9.]+)\").v",
        "capture(\"(?<v>[0-9.,]+)\").v",
        "capture(\"(?<v>[0-9][0-9., ]*)\").v",
        "capture(\"(?<v>-?[0-9.,]+)\").v",
        "capture(\"(?<v>[0-9.]+)$\").v",
        "capture(\".*?(?<v>[0-9.,]+).*\").v",
        "capture(\"\\\\D*(?<v>[0-9.]+)\").v",
        "[scan(\"[0-9.]+\")][0]",
        "[scan(\"[0-9.]+\")][-1]",
        "[scan(\"[0-9.]\")] | join(\"\")",
        "gsub(\"[^0-9.]\"; \"\")",
        "gsub(\"[^0-9.-]\"; \"\")",
        "gsub(\"[^0-9]\"; \"\")",
        "gsub(\"[A-Za-z$, ]\"; \"\")",
        "gsub(\"<[^>]*>\"; \"\")",
        "gsub(\",\"; \"\")",
        "sub(\"[^0-9]+\"; \"\")",
        "split(\" \")[0]",
        "split(\" \")[1]",
        "split(\" \")[-1]",
        "split(\".\")[0]",
        "split(\",\")[0]",
        "split(\",\")[-1]",
        "split(\"-\")[-1]",
        ".[1:]",
        ".[2:]",
        ".[:-1]",
        ".[1:-1]",
        "ltrimstr(\"-\")",
        "ltrimstr(\"Balance: \")",
        "rtrimstr(\" USD\")",
        "split(\"\") | map(select(test(\"[0-9.]\"))) | add",
        "explode | map(select(. > 45 and . < 58)) | implode",
    ];
    const BEFORE_CUT: [&str; 9] = [
        ".",
        "\"x\" + .",
        "\"\\(.) \"",
        "ascii_downcase",
        "@html",
        "@uri",
        "tojson",
        "(@base64 | @base64d)",
        ". + \" USD\"",
    ];
    let mut random = fastrand::Rng::with_seed(12);
    let (mut wrong, mut read) = (Vec::new(), 0);
    for _ in 0..8_000 {
        let pick = |random: &mut fastrand::Rng, most: usize| random.usize(..most);
        let (sign, label) = (SIGNS[pick(&mut random, 9)], LABELS[pick(&mut random, 6)]);
        let (number, value) = NUMBERS[pick(&mut random, 8)];
        let (scale, factor) = SCALES[pick(&mut random, 9)];
        let (behind, turns) = BEHIND[pick(&mut random, 10)];
        let text = format!("{label}{sign}{}{number}{scale}{behind}", BEFORE[pick(&mut random, 8)]);
        let code = format!("{} | {}", BEFORE_CUT[pick(&mut random, 9)], CUTS[pick(&mut random, 34)]);
        let code = if random.bool() { format!("{code} | tonumber") } else { code };
        let decimal = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        let size = decimal(value) * decimal(factor);
        let is_minus = !matches!(sign, "" | "+" | "(") || turns && behind != ")";
        let is_clear = (sign == "(") == (behind == ")") || sign == "(" || behind == ")";
        let Some(got) = balance(&code, &text) else { continue };
        read += 1;
        let want = if is_minus { -size } else { size };
        let is_in_parentheses = sign == "(" && behind == ")";
        if decimal(&got) != want || is_in_parentheses || !is_clear {
            wrong.push(format!("{code} on {text}: {got}"));
        }
    }
    assert!(read > 130, "{read}");
    assert!(wrong.is_empty(), "{} of {read}:\n{}", wrong.len(), wrong.join("\n"));
}
