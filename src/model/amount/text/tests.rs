use super::*;

/// `tests/amounts/services.tsv` says how it is to be read.
#[test]
fn texts_of_services_are_read_or_refused_never_guessed() {
    let table = include_str!("../../../../tests/amounts/services.tsv");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in table.lines().filter(|line| !line.starts_with('#')) {
        let [value, currency, text] = row.splitn(3, '\t').collect::<Vec<_>>().try_into().unwrap();
        let currency = if value == "-" { "" } else { currency };
        let got = read(text);
        let shown = match &got {
            Ok(money) => {
                let code = money.currency.map_or("-".to_owned(), |currency| {
                    currency.code().map_or_else(|| format!("{}?", currency.usual().unwrap()), str::to_owned)
                });
                (money.value.normalize().to_string(), code)
            }
            Err(_) => ("-".to_owned(), String::new()),
        };
        let value = value.parse::<Decimal>().map_or_else(|_| value.to_owned(), |value| value.normalize().to_string());
        if shown != (value.clone(), currency.to_owned()) {
            wrong.push(format!("{text:?}: wanted {value} {currency}, got {got:?}"));
        }
        rows += 1;
    }
    assert!(rows > 140, "{rows}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_word_of_up_to_five_letters_is_a_name_or_refused() {
    for word in ["left", "Error", "Code", "HTTP", "in", "at", "GB", "ms", "m", "b", "B", "T", "G", "x", "max", "vor"] {
        for text in [format!("5 {word}"), format!("5{word}"), format!("{word} 5"), format!("{word}5")] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn a_shared_sign_is_read_as_the_known_currency_is_written() {
    for (text, currency, want) in [
        ("$1.234", Some("USD"), Some("1.234")),
        ("$1.234", None, None),
        ("$0.123", None, Some("0.123")),
        ("$1,234", None, Some("1234")),
        ("$1,234", Some("CLP"), None),
        ("kr 1.234", None, None),
        ("kr 1.234", Some("SEK"), None),
        ("kr 1,234", None, None),
        ("kr 12,50", None, Some("12.50")),
        ("12,500", Some("EUR"), None),
        ("12,500", Some("USD"), Some("12500")),
        ("5 CR", Some("INR"), None),
        ("5 CR", Some("BDT"), None),
        ("5 CR", Some("USD"), Some("5")),
        ("5 CR", None, Some("5")),
        ("5 DR", Some("INR"), Some("-5")),
        ("$1.234", Some("CLP"), None),
        ("$1.234.567", Some("CLP"), Some("1234567")),
        ("$1.234,50", Some("ARS"), Some("1234.50")),
        ("$1.234,50", Some("USD"), None),
        ("1.234", Some("CLP"), None),
        ("1.234,50", Some("EUR"), Some("1234.50")),
        ("12,50", Some("EUR"), Some("12.50")),
        ("1.234.567", Some("BRL"), Some("1234567")),
        ("12,5", Some("PLN"), Some("12.5")),
        ("12,50", Some("USD"), None),
        ("1.234,50", None, None),
        ("1.234,50", Some("USD"), None),
        ("$5", Some("EUR"), Some("5")),
        ("1,234 TND", None, None),
        ("1.234 TND", None, None),
        ("1,234", Some("ZAR"), None),
        ("1,234 MAD", None, None),
        ("1,234 XOF", None, None),
        ("1,234 BOB", None, None),
        ("1,234 GEL", None, None),
        ("1,234 MKD", None, None),
        ("1,234 UZS", None, None),
        ("1,234,567 UZS", None, Some("1234567")),
        ("1,234 GBP", None, Some("1234")),
        ("1,234 KES", None, Some("1234")),
        ("1,234 credits", None, Some("1234")),
        ("1,234 USDT", None, Some("1234")),
        ("1.234 KWD", None, Some("1.234")),
        ("500 分 JPY", None, None),
        ("5 角 USD", None, None),
        ("€5元", None, None),
        ("USD 5元", None, None),
        ("5 元 EUR", None, None),
        ("¥ 5 元 JPY", None, None),
        ("¥ 5 元", None, Some("5")),
        ("美金 20 元", None, Some("20")),
        ("港币 500 元", None, Some("500")),
    ] {
        let got = read_in(text, currency).ok().map(|money| money.value.to_string());
        assert_eq!(got.as_deref(), want, "{text} {currency:?}");
    }
}

#[test]
fn a_megabyte_of_digits_is_not_read() {
    for text in ["9".repeat(1 << 20), "1,".repeat(1 << 19), "(".repeat(1 << 20), "$".repeat(1 << 20)] {
        assert!(read(&text).is_err());
    }
}
