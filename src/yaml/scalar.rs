//! Numbers, flags and texts of a config, each of which may also be written as text.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// A number or flag that may also be written as text, because `${VARIABLE}` makes text of everything.
#[derive(Clone, Debug)]
pub(crate) struct Lenient<T>(pub T);

/// Text that may also be written as a bare number or flag.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub String);

impl FromStr for Text {
    type Err = ();

    fn from_str(text: &str) -> Result<Text, ()> {
        Ok(Text(text.to_owned()))
    }
}

/// What a number must be that is not written in plain decimal digits.
pub(crate) const PLAIN_NUMBER: &str = "a plain number";
/// How a plain number is written.
pub(crate) const PLAIN_HINT: &str = "write it in decimal digits with at most one full stop, as 1234.5";
/// What a bare number must be that has more digits than a float keeps.
pub(crate) const SHORT_NUMBER: &str = "a number of at most 15 digits, or one in quotes";

/// What a number must be that has more digits than a decimal holds.
pub(crate) const HELD_NUMBER: &str = "a number of at most 28 digits";
/// What a whole number must be that is larger than any count.
pub(crate) const HELD_WHOLE_NUMBER: &str = "a whole number of at most 38 digits";

/// What a plain number must be that has more digits than a float keeps: a shorter one or one in quotes, which are read digit by
/// digit, or in any case a shorter one.
pub(super) fn too_many_digits(number: &str) -> &'static str {
    if decimal(number).is_some() { SHORT_NUMBER } else { HELD_NUMBER }
}

/// The value of a plain number, with all of its digits.
fn decimal(number: &str) -> Option<Decimal> {
    let is_readable = is_plain(number) && number.len() <= crate::model::amount::LONGEST;
    let exact = |number: &str| Decimal::from_str_exact(number).ok();
    // Zeros at the end of a fraction are no digits that could be lost.
    let short = || number.contains('.').then(|| number.trim_end_matches('0'));
    exact(number).or_else(|| exact(short()?)).filter(|_| is_readable)
}

/// Whether a number is written in decimal digits with at most one point and a sign. A zero before other digits is refused,
/// because some readers of YAML take such a number for an octal one; so is all else that means a number to one reader and a
/// text to the next: `0x10`, `1e3`, `1_000`, `1:30`.
pub(crate) fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && is_digits(part)
        && digits.len() > usize::from(digits.contains('.'))
        && (whole == "0" || !whole.starts_with('0'))
}

/// Whether a number has more digits than a float keeps: more than 15, without the zeros that only say how large it is.
pub(crate) fn is_long(number: &str) -> bool {
    let digits = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = digits.trim_start_matches(['-', '+', '0', '.']).trim_end_matches(['0', '.']);
    digits.bytes().filter(u8::is_ascii_digit).count() > 15
}

/// What a lenient value is called in messages.
pub(crate) trait Scalar: FromStr {
    const EXPECTED: &'static str;

    /// The value of a text.
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// What a text should have been that has no value.
    fn expected(_: &str) -> &'static str {
        Self::EXPECTED
    }
}

impl Scalar for i128 {
    const EXPECTED: &'static str = "a whole number";

    fn read(text: &str) -> Option<i128> {
        if is_plain(text) { text.parse().ok() } else { None }
    }

    fn expected(text: &str) -> &'static str {
        match text.contains('.') {
            false if is_plain(text) => HELD_WHOLE_NUMBER,
            _ => expected_number(text, Self::EXPECTED),
        }
    }
}

impl Scalar for Decimal {
    const EXPECTED: &'static str = "a number";

    /// What separators, currencies and units are meant to be is not guessed here.
    fn read(text: &str) -> Option<Decimal> {
        decimal(text)
    }

    fn expected(text: &str) -> &'static str {
        if is_plain(text) { HELD_NUMBER } else { expected_number(text, Self::EXPECTED) }
    }
}

/// What a text should be that is no number: a plain one if it looks as if it were meant to be a number.
fn expected_number(text: &str, otherwise: &'static str) -> &'static str {
    let is_number = text.trim_start_matches(['-', '+', '.']).starts_with(|c: char| c.is_ascii_digit());
    if is_number && !is_plain(text) { PLAIN_NUMBER } else { otherwise }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";
}

impl Scalar for Text {
    const EXPECTED: &'static str = "text";
}

impl<'de, T: Scalar> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<T: Scalar> LenientVisitor<T> {
    fn parse<E: de::Error>(text: &str, shown: de::Unexpected) -> Result<Lenient<T>, E> {
        let text = text.trim();
        T::read(text).map(Lenient).ok_or_else(|| E::invalid_value(shown, &T::expected(text)))
    }
}

impl<T: Scalar> Visitor<'_> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Signed(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::parse(&value.to_string(), de::Unexpected::Unsigned(value))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Self::Value, E> {
        Err(E::invalid_value(de::Unexpected::Other("integer"), &too_many_digits(&value.to_string())))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Self::Value, E> {
        Err(E::invalid_value(de::Unexpected::Other("integer"), &too_many_digits(&value.to_string())))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // The shortest text of a float is what the user wrote, up to 15 digits; what was longer and got shorter when it was
        // rounded, the document knows. NaN and infinities are no decimals and fail here.
        let text = value.to_string();
        if value.is_finite() && is_long(&text) {
            return Err(E::invalid_value(de::Unexpected::Float(value), &too_many_digits(&text)));
        }
        Self::parse(&text, de::Unexpected::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::parse(value, de::Unexpected::Str(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_config_is_plain_or_refused() {
        for (text, want) in [
            ("1000", Some("1000")),
            ("12.50", Some("12.5")),
            ("'12.50'", Some("12.50")),
            ("' 1000 '", Some("1000")),
            ("'+5'", Some("5")),
            ("'-5'", Some("-5")),
            ("'.5'", Some("0.5")),
            ("'5.'", Some("5")),
            ("'0'", Some("0")),
            ("'0.50'", Some("0.50")),
            ("'010'", None),
            ("'-010'", None),
            ("'00.5'", None),
            ("010", None),
            ("1:30", None),
            ("'0x10'", None),
            ("'+-5'", None),
            ("'1.2.3'", None),
            ("'-'", None),
            ("~", None),
            ("2026-11-30", None),
            ("yes", None),
            ("0.1", Some("0.1")),
            ("123456789012.345", Some("123456789012.345")),
            ("'123456789012345678.123456789'", Some("123456789012345678.123456789")),
            ("100000000000000000000", None),
            ("'100000000000000000000'", Some("100000000000000000000")),
            ("123456789012345678.10", None),
            ("123456789012345678901", None),
            ("0.12345678901234567", None),
            ("1,000", None),
            ("'1,000'", None),
            ("1_000", None),
            ("'1_000'", None),
            ("'1 000'", None),
            ("'12,50'", None),
            ("'1.234,56'", None),
            ("1.5k", None),
            ("'1.2万'", None),
            ("100 USD", None),
            ("$5", None),
            ("'5 CR'", None),
            ("'1e3'", None),
            ("'１００'", None),
            ("'.'", None),
            ("''", None),
            (".inf", None),
            (".nan", None),
            ("true", None),
        ] {
            let got = serde_yaml::from_str::<Lenient<Decimal>>(text).ok().map(|number| number.0.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
        for (text, want) in [
            ("123456789012345678901234567890", HELD_NUMBER),
            ("-123456789012345678901234567890", HELD_NUMBER),
            ("'123456789012345678901234567890'", HELD_NUMBER),
            ("'0.12345678901234567890123456789'", HELD_NUMBER),
            ("'79228162514264337593543950336'", HELD_NUMBER),
            ("1234567890123456789012345678901234567890", HELD_NUMBER),
            ("'12,50'", PLAIN_NUMBER),
            ("soon", "a number"),
        ] {
            let why = serde_yaml::from_str::<Lenient<Decimal>>(text).unwrap_err().to_string();
            assert!(why.contains(&format!("expected {want}")), "{text}: {why}");
        }
        let kept = serde_yaml::from_str::<Lenient<Decimal>>("'0.1234567890123456789012345678000'").unwrap();
        assert_eq!(kept.0.to_string(), "0.1234567890123456789012345678");
        let why = serde_yaml::from_str::<Lenient<i128>>(&format!("'{}'", "9".repeat(40))).unwrap_err().to_string();
        assert!(why.contains(HELD_WHOLE_NUMBER), "{why}");
        let endless = format!("'{}'", "9".repeat(1 << 20));
        assert!(serde_yaml::from_str::<Lenient<Decimal>>(&endless).is_err());
    }
}
