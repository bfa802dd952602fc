use super::super::currency::minor_of_letters;
use super::*;

#[test]
fn what_an_answer_calls_a_currency_is_one() {
    for word in
        ["USD", "usd", "XAU", "RMB", "$", "US$", "¥", "€", "人民币", "元", "credits", "Points", "USDT", "DOGE", "yuan"]
    {
        assert!(is_unit(word), "{word}");
    }
    for word in [
        "GBp",
        "ZAc",
        "ILa",
        "GBX",
        "ila",
        "Mio",
        "mil",
        "cts",
        "fen",
        "k",
        "cents",
        "",
        "jane@priv.example",
        "4915112345678",
        "+49 151 1234",
        "sk_live_Abc",
        "EUR\nUSD",
        "EUR USD",
        "<script>",
        "jane",
        "张伟",
        "12",
        "U1D",
        "USD 5",
    ] {
        assert!(!is_unit(word), "{word}");
    }
}

#[test]
fn several_names_are_one_currency_only_if_all_can_mean_it() {
    for (names, want) in [
        (&["$", "cents", "EUR"][..], None),
        (&["¥", "元", "JPY"], None),
        (&["$", "元", "¥"], None),
        (&["$", "HKD", "元"], Some("HKD")),
        (&["¥", "元"], Some("CNY")),
        (&["$", "$"], Some("$")),
        (&["EUR", "cents"], Some("EUR")),
    ] {
        let named = |name: &&str| text::currency(name).or_else(|| minor_of_letters(name)).unwrap();
        let all: Vec<Currency> = names.iter().map(named).collect();
        assert_eq!(Currency::common(&all).map(|currency| currency.label()), want, "{names:?}");
    }
}

#[test]
fn two_words_for_one_currency_are_the_same() {
    for (one, other, want) in [
        ("USD", "usd", true),
        ("RMB", "CNY", true),
        ("人民币", "cny", true),
        ("元", "CNY", true),
        ("$", "USD", true),
        ("$", "HKD", true),
        ("credits", "Credits", true),
        ("GBp", "GBP", false),
        ("GBp", "gbp", false),
        ("GBp", "£", false),
        ("GBp", "GBp", true),
        ("gold coins", "gold coins", true),
        ("USD", "EUR", false),
        ("RMB", "USD", false),
        ("USD", "USDT", false),
        ("元", "HKD", true),
        ("元", "USD", false),
        ("元", "EUR", false),
        ("元", "JPY", false),
        ("元", "KRW", false),
        ("圆", "JPY", true),
        ("圆", "USD", false),
        ("US$", "HKD", false),
        ("credits", "USD", false),
        ("gold coins", "USD", false),
    ] {
        assert_eq!(is_same(one, other), want, "{one} {other}");
        assert_eq!(is_same(other, one), want, "{other} {one}");
    }
}

#[test]
fn a_sign_of_several_currencies_is_certainly_only_itself() {
    for (one, other, want) in [
        ("USD", "usd", true),
        ("RMB", "CNY", true),
        ("$", "$", true),
        ("$", "dollars", true),
        ("$", "USD", false),
        ("¥", "CNY", false),
        ("元", "CNY", false),
        ("¥", "元", false),
        ("kr", "SEK", false),
        ("gold coins", "gold coins", true),
        ("USD", "EUR", false),
    ] {
        assert_eq!(is_certainly_same(one, other), want, "{one} {other}");
        assert_eq!(is_certainly_same(other, one), want, "{other} {one}");
    }
    assert_eq!(settled("$", ["CAD"]), "CAD");
    assert_eq!(settled("$", ["EUR", "USD"]), "USD");
    assert_eq!(settled("$", []), "$");
    assert_eq!(settled("USD", ["CAD"]), "USD");
}
