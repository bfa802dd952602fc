//! Decimal amounts: read from whatever a service writes, shown to people, written as JSON numbers.
//!
//! An amount is never a binary float: `0.3 - 0.1` is `0.2` here.

use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Reads an amount from text as services write it: `12.50`, `1,234.56`, `$35.30`, `KES 1250.0000`, `1 234.50 RUB`.
///
/// One currency word or sign before or after the number is allowed. A comma, space, no-break space or thin space is
/// a thousands separator only where groups of exactly three digits follow; anything else is refused
/// instead of guessed at (`12,50` may be a decimal comma).
///
/// # Errors
/// What is wrong with the text, without the text itself.
pub fn parse(text: &str) -> Result<Decimal, &'static str> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("it is empty");
    }
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let first = trimmed.find(is_number).ok_or("it holds no number")?;
    let last = trimmed.rfind(is_number).ok_or("it holds no number")?;
    let (before, rest) = trimmed.split_at(first);
    let (number, after) = rest.split_at(last - first + 1);
    let (minus, before) = match before.trim().strip_suffix(['-', '\u{2212}']) {
        Some(word) => (true, word.trim()),
        None => match before.trim().strip_prefix(['-', '\u{2212}']) {
            Some(word) => (true, word.trim()),
            None => (false, before.trim().trim_end_matches('+').trim()),
        },
    };
    let after = after.trim();
    // `1e5` as text: digits with a letter between them end up here and are refused below.
    if !is_currency_word(before) || !is_currency_word(after) || (!before.is_empty() && !after.is_empty()) {
        return Err("it is not a number");
    }
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let is_separator = |c: char| matches!(c, ',' | ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}');
    let digits = if whole.contains(is_separator) {
        let mut groups = whole.split(is_separator);
        let lead = groups.next().unwrap_or_default();
        let sound = (1..=3).contains(&lead.len()) && groups.clone().all(|group| group.len() == 3);
        if !sound {
            return Err("its separators are not thousands separators");
        }
        groups.fold(lead.to_owned(), |all, group| all + group)
    } else {
        whole.to_owned()
    };
    let fraction = fraction.unwrap_or("0");
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !(all_digits(&digits) || digits.is_empty() && whole.is_empty()) || !all_digits(fraction) {
        return Err("it is not a number");
    }
    let plain = format!("{}{}.{fraction}", if minus { "-" } else { "" }, if digits.is_empty() { "0" } else { &digits });
    plain.parse::<Decimal>().map_err(|_| "it is out of range")
}

/// A currency sign, an ISO-like code or a short word; nothing counts too.
fn is_currency_word(word: &str) -> bool {
    word.chars().count() <= 5 && word.chars().all(|c| c.is_alphabetic() || is_currency_sign(c))
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '¥' | '￥' | '€' | '£' | '₹' | '₽' | '₩' | '元')
}

/// Reads the literal of a JSON number (`74.75`, `2e3`), exactly.
///
/// # Errors
/// What is wrong with it, without the literal.
pub fn from_json_number(literal: &str) -> Result<Decimal, &'static str> {
    match literal {
        "NaN" | "null" => return Err("it is not a number"),
        "Infinity" | "-Infinity" => return Err("it is infinite"),
        _ => {}
    }
    let parsed = if literal.contains(['e', 'E']) {
        Decimal::from_scientific(literal).ok()
    } else {
        literal.strip_prefix('+').unwrap_or(literal).parse().ok()
    };
    parsed.ok_or("it is out of range")
}

/// A number that arithmetic has made a binary float, rounded to the 15 significant digits a float carries.
///
/// # Errors
/// What is wrong with it.
pub fn from_float(value: f64) -> Result<Decimal, &'static str> {
    if value.is_nan() {
        return Err("it is not a number");
    }
    if value.is_infinite() {
        return Err("it is infinite");
    }
    from_json_number(&format!("{value:.14e}")).map(|amount| amount.normalize())
}

/// An amount for people: `1,234.50 USD`, `263,419`.
///
/// Money has at least two decimals; digits beyond the second are cut, never rounded, so that a balance
/// below its threshold never reads as equal to it. Amounts under 1 keep up to six.
pub fn show(amount: Decimal, currency: Option<&str>) -> String {
    let amount = amount.normalize();
    let places = if amount.abs() < Decimal::ONE { 6 } else { 2 };
    let cut = amount.trunc_with_scale(places).normalize();
    let cut = if cut.is_zero() { Decimal::ZERO } else { cut };
    let decimals = match (cut.scale(), currency) {
        (0, None) => 0,
        (scale, _) => scale.max(2),
    };
    let text = format!("{:.*}", decimals as usize, cut.abs());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text.as_str(), None),
    };
    let mut out = String::new();
    if cut.is_sign_negative() {
        out.push('-');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    if let Some(currency) = currency {
        out.push(' ');
        out.push_str(currency);
    }
    out
}

/// The amount as a JSON number with all its digits: `100`, `74.75`.
pub fn to_json(amount: Decimal) -> Box<RawValue> {
    let text = amount.normalize().to_string();
    // A decimal's own text is a JSON number, so this cannot fail; a null would be the honest fallback.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_or_refused_never_guessed() {
        for (text, want) in [
            ("12.50", Some("12.50")),
            (" 110.00 ", Some("110.00")),
            ("1,234.56", Some("1234.56")),
            ("10,000.00", Some("10000.00")),
            ("1 234.50 RUB", Some("1234.50")),
            ("1\u{A0}234\u{202F}567", Some("1234567.0")),
            ("$35.30", Some("35.30")),
            ("-$5.25", Some("-5.25")),
            ("$-5.25", Some("-5.25")),
            ("-0.01", Some("-0.01")),
            ("KES 1250.0000", Some("1250.0000")),
            ("88.88元", Some("88.88")),
            (".5", Some("0.5")),
            ("+7", Some("7.0")),
            ("0.00", Some("0.00")),
            ("", None),
            ("  ", None),
            ("abc", None),
            ("NaN", None),
            ("Infinity", None),
            ("12,50", None),
            ("1,23,456", None),
            ("1,2345.00", None),
            ("1.234,56", None),
            ("1.2.3", None),
            ("5.", None),
            ("12 34", None),
            ("1e5", None),
            ("12 of 40", None),
            ("$5 USD", None),
            ("--5", None),
            ("99999999999999999999999999999999999", None),
        ] {
            let got = parse(text).ok().map(|d| d.to_string());
            let want = want.map(|w| w.parse::<Decimal>().unwrap().to_string());
            assert_eq!(got, want, "{text:?}");
        }
    }

    #[test]
    fn json_numbers_and_floats_are_exact_where_they_can_be() {
        assert_eq!(from_json_number("123456789012345678.10").unwrap().to_string(), "123456789012345678.10");
        assert_eq!(from_json_number("2e3").unwrap(), Decimal::from(2000));
        assert_eq!(from_json_number("1.5E-2").unwrap().to_string(), "0.015");
        assert!(from_json_number("NaN").is_err());
        assert!(from_json_number("1e999").is_err());
        assert_eq!(from_float(0.3 - 0.1).unwrap().to_string(), "0.2");
        assert_eq!(from_float(100.5 - 25.75).unwrap().to_string(), "74.75");
        assert_eq!(from_float(-12345.0 / 100.0).unwrap().to_string(), "-123.45");
        assert!(from_float(f64::NAN).is_err() && from_float(f64::INFINITY).is_err());
    }

    #[test]
    fn people_see_grouped_digits_that_are_never_rounded_up() {
        for (amount, currency, want) in [
            ("0", None, "0"),
            ("0", Some("USD"), "0.00 USD"),
            ("74.75", Some("USD"), "74.75 USD"),
            ("99.999", Some("USD"), "99.99 USD"),
            ("1234567.891", None, "1,234,567.89"),
            ("263419", None, "263,419"),
            ("-1234.5", Some("CNY"), "-1,234.50 CNY"),
            ("0.00123", Some("USD"), "0.00123 USD"),
            ("-0.0000001", Some("USD"), "0.00 USD"),
            ("100", Some("USD"), "100.00 USD"),
        ] {
            assert_eq!(show(amount.parse().unwrap(), currency), want);
        }
        assert_eq!(to_json("100.00".parse().unwrap()).get(), "100");
        assert_eq!(to_json("-0.10".parse().unwrap()).get(), "-0.1");
    }
}
