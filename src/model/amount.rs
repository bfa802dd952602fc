//! Decimal amounts: read from whatever a service writes, shown to people, written as JSON numbers.
//!
//! An amount is never a binary float: `0.3 - 0.1` is `0.2` here.

mod currency;
pub(crate) mod exact;
mod meeting;
mod scales;
mod text;

use rust_decimal::Decimal;
use serde_json::value::RawValue;

pub(crate) use currency::{Currency, WORDLIKE};
pub(crate) use meeting::{is_certainly_same, is_known_unit, is_same, is_spelt_alike, is_unit, settled};
pub(crate) use scales::{is_scale_sign, is_scale_word};
pub(crate) use text::{Doubt, LONGEST, read, read_in};
pub(crate) use text::{Word, assemble, fold, is_turned, number_end, number_start, word, words};

/// Reads a plain number from text: digits, thousands separators, a decimal point, a minus. For amounts with a currency or
/// a unit there is [`read`].
///
/// # Errors
/// What is wrong with the text, without the text itself.
pub(crate) fn parse(text: &str) -> Result<Decimal, &'static str> {
    let money = read(text)?;
    if money.is_plain { Ok(money.value) } else { Err("it names a currency or a unit") }
}

/// Reads the literal of a JSON number (`74.75`, `2e3`), exactly. Only of what is less than a ten-billionth the digits behind
/// the 28th decimal place are dropped: it is the dust of somebody's floats.
///
/// # Errors
/// What is wrong with it, without the literal.
pub(crate) fn from_json_number(literal: &str) -> Result<Decimal, &'static str> {
    if literal.len() > LONGEST {
        return Err("it is too long for a number");
    }
    match literal {
        "NaN" | "null" => return Err("it is not a number"),
        "Infinity" | "-Infinity" => return Err("it is infinite"),
        _ => {}
    }
    exact::read(literal).or_else(|why| {
        let dust = literal.parse().ok().filter(|value: &f64| why == exact::TOO_MANY_DIGITS && value.abs() < 1e-10);
        dust.and_then(|value| format!("{value:.28}").parse().ok()).ok_or(why)
    })
}

/// Whether a JSON text holds a number that is too long to be one: whoever parses it takes a second for each megabyte.
pub(crate) fn has_endless_number(json: &[u8]) -> bool {
    let (mut in_string, mut escaped, mut length) = (false, false, 0);
    for byte in json {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            _ => {}
        }
        let is_part = !in_string && matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        length = if is_part { length + 1 } else { 0 };
        if length > LONGEST {
            return true;
        }
    }
    false
}

/// A number that arithmetic has made a binary float, rounded to the 15 significant digits a float carries.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn from_float(value: f64) -> Result<Decimal, &'static str> {
    if value.is_nan() {
        return Err("it is not a number");
    }
    if value.is_infinite() {
        return Err("it is infinite");
    }
    from_json_number(&format!("{value:.14e}")).map(|amount| amount.normalize())
}

/// What became of a quotient that did not come out even, without the digits that are the rest of it: a third times three is
/// one. Twenty digits are left, and as many as stand before the point.
pub(crate) fn without_rest(amount: Decimal) -> Decimal {
    let digits = amount.mantissa().unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
    if amount.scale() < 26 && digits < 26 {
        return amount;
    }
    let kept = digits.saturating_sub(amount.scale()).max(20);
    amount.round_sf(kept).unwrap_or(amount).round_dp(20).normalize()
}

/// Fraction digits that an amount is shown with, if it has them: those of its currency, below 1 six, and among the smallest at
/// least two that are not zero.
fn places(amount: Decimal, own: u32) -> u32 {
    if amount.abs() >= Decimal::ONE {
        return own;
    }
    let amount = amount.normalize();
    let digits = amount.mantissa().unsigned_abs().checked_ilog10().map_or(0, |log| log + 1);
    let zeros = amount.scale().saturating_sub(digits);
    (zeros + 2).max(6)
}

/// An amount for people: `1,234.50 USD`, `263,419`.
///
/// Money has at least as many decimals as its currency, which for most is two; digits beyond these are cut, never rounded, so that
/// a balance below its threshold never reads as equal to it. Amounts under 1 keep up to six, or as many as show that they are not
/// zero.
pub(crate) fn show(amount: Decimal, currency: Option<&str>) -> String {
    cut(amount, places(amount, meeting::decimals(currency)), currency)
}

/// An amount that stands beside another one, for example a balance and its threshold: with as many digits as it takes to see
/// that they differ.
pub(crate) fn show_beside(amount: Decimal, other: Option<Decimal>, currency: Option<&str>) -> String {
    let Some(other) = other.filter(|other| *other != amount) else {
        return show(amount, currency);
    };
    let own = meeting::decimals(currency);
    let seen = |number: Decimal, least: u32| number.trunc_with_scale(places(number, own).max(least));
    let least = (0..=Decimal::MAX_SCALE).find(|least| seen(amount, *least) != seen(other, *least));
    cut(amount, places(amount, own).max(least.unwrap_or(Decimal::MAX_SCALE)), currency)
}

fn cut(amount: Decimal, places: u32, currency: Option<&str>) -> String {
    let cut = amount.normalize().trunc_with_scale(places).normalize();
    let cut = if cut.is_zero() { Decimal::ZERO } else { cut };
    let decimals = match (cut.scale(), currency) {
        (0, None) => 0,
        (scale, _) => scale.max(meeting::decimals(currency)),
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
pub(crate) fn to_json(amount: Decimal) -> Box<RawValue> {
    let text = amount.normalize().to_string();
    // A decimal's own text is a JSON number, so this cannot fail; a null would be the honest fallback.
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The words for a balance without a limit.
pub(crate) fn is_unlimited(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("unlimited") || ["∞", "无限", "无限制", "不限", "無限", "無制限"].contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_read_and_nothing_else() {
        for (text, want) in [
            ("12.50", Some("12.50")),
            (" 110.00 ", Some("110.00")),
            ("1,234.56", Some("1234.56")),
            ("10,000.00", Some("10000.00")),
            ("1\u{A0}234\u{202F}567", Some("1234567")),
            ("-0.01", Some("-0.01")),
            (".5", Some("0.5")),
            ("+7", Some("7")),
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
            ("5abc", None),
            ("0x1F", None),
            ("12 of 40", None),
            ("--5", None),
            ("99999999999999999999999999999999999", None),
            ("$35.30", None),
            ("KES 1250", None),
            ("1.2万", None),
            ("5 CR", None),
            ("5 credits", None),
        ] {
            assert_eq!(parse(text).ok().map(|number| number.to_string()).as_deref(), want, "{text:?}");
        }
    }

    #[test]
    fn endless_numbers_are_seen_before_they_are_parsed() {
        let digits = "7".repeat(101);
        for (json, want) in [
            (format!("{{\"a\": {digits}}}"), true),
            (format!("[-{digits}.5e3]"), true),
            (format!("1.{digits}"), true),
            (format!("\"{digits}\""), false),
            (format!("\"\\\"{digits}\""), false),
            (format!("[{}]", vec!["12345.678"; 1000].join(",")), false),
            (format!("[\"\", {digits}]"), true),
        ] {
            assert_eq!(has_endless_number(json.as_bytes()), want, "{json}");
        }
    }

    #[test]
    fn json_numbers_and_floats_are_exact_where_they_can_be() {
        assert_eq!(from_json_number("123456789012345678.10").unwrap().to_string(), "123456789012345678.10");
        assert_eq!(from_json_number("2e3").unwrap(), Decimal::from(2000));
        assert_eq!(from_json_number("1.5E-2").unwrap().to_string(), "0.015");
        assert!(from_json_number("NaN").is_err());
        assert!(from_json_number("1e999").is_err());
        assert!(from_json_number(&"9".repeat(101)).is_err());
        assert!(from_json_number("0.12345678901234567890123456789").is_err());
        assert_eq!(from_json_number("1e-28").unwrap().to_string(), "0.0000000000000000000000000001");
        assert_eq!(from_json_number("5.551115123125783e-17").unwrap().to_string(), "0.0000000000000000555111512313");
        assert_eq!(from_json_number("1e-40").unwrap(), Decimal::ZERO);
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
            ("-0.0000001", Some("USD"), "-0.0000001 USD"),
            ("0.00000012345", Some("BTC"), "0.00000012 BTC"),
            ("0.0000000000000000000000000001", Some("ETH"), "0.0000000000000000000000000001 ETH"),
            ("100", Some("USD"), "100.00 USD"),
            // A currency has its own number of decimals, whatever it is called.
            ("1234", Some("JPY"), "1,234 JPY"),
            ("1234.9", Some("jpy"), "1,234 jpy"),
            ("-0.5", Some("KRW"), "-0.5 KRW"),
            ("0", Some("VND"), "0 VND"),
            ("1234", Some("日元"), "1,234 日元"),
            ("1234.5", Some("KWD"), "1,234.500 KWD"),
            ("1.2345", Some("BHD"), "1.234 BHD"),
            ("0.5", Some("TND"), "0.500 TND"),
            ("7", Some("¥"), "7.00 ¥"),
        ] {
            assert_eq!(show(amount.parse().unwrap(), currency), want);
        }
        for (amount, other, want, want_other) in [
            ("0.00000001", "0.00000002", "0.00000001 BTC", "0.00000002 BTC"),
            ("0.0012345678", "0.0012345679", "0.0012345678 BTC", "0.0012345679 BTC"),
            ("100.001", "100.002", "100.001 BTC", "100.002 BTC"),
            ("99.999999999", "100", "99.99 BTC", "100.00 BTC"),
            ("100", "100.0000001", "100.00 BTC", "100.0000001 BTC"),
            ("-0.0000001", "0", "-0.0000001 BTC", "0.00 BTC"),
            ("74.75", "100", "74.75 BTC", "100.00 BTC"),
            ("5", "5", "5.00 BTC", "5.00 BTC"),
            ("1234567.891", "1234567.892", "1,234,567.891 BTC", "1,234,567.892 BTC"),
            (
                "79228162514264337593543950334",
                "79228162514264337593543950335",
                "79,228,162,514,264,337,593,543,950,334.00 BTC",
                "79,228,162,514,264,337,593,543,950,335.00 BTC",
            ),
        ] {
            let (amount, other): (Decimal, Decimal) = (amount.parse().unwrap(), other.parse().unwrap());
            assert_eq!(show_beside(amount, Some(other), Some("BTC")), want);
            assert_eq!(show_beside(other, Some(amount), Some("BTC")), want_other);
        }
        assert_eq!(show_beside(Decimal::TEN, None, None), "10");
        assert_eq!(show_beside(Decimal::new(1005, 1), Some(Decimal::from(100)), Some("JPY")), "100.5 JPY");
        assert_eq!(show_beside(Decimal::new(995, 1), Some(Decimal::from(100)), Some("JPY")), "99 JPY");
        assert_eq!(to_json("100.00".parse().unwrap()).get(), "100");
        assert_eq!(to_json("-0.10".parse().unwrap()).get(), "-0.1");
    }

    #[test]
    fn what_is_shown_is_read_as_the_same() {
        let mut random = fastrand::Rng::with_seed(18);
        for _ in 0..20_000 {
            let amount = Decimal::new(random.i64(-99_999_999_999..99_999_999_999), 2);
            for currency in [None, Some("USD"), Some("CNY"), Some("BTC")] {
                let money = read(&show(amount, currency)).unwrap();
                assert_eq!(money.value, amount, "{amount} {currency:?}");
                assert_eq!(money.currency.and_then(|currency| currency.code()), currency);
            }
        }
    }
}
