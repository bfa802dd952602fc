//! Decimals that are read and calculated exactly, or not at all: the library's own parser and operators round what has more
//! digits than a decimal holds, and say nothing.

use rust_decimal::Decimal;

/// What is said of a number that is larger than a decimal can be.
pub(crate) const OUT_OF_RANGE: &str = "it is out of range";
/// What is said of a number that a decimal cannot hold without rounding it.
pub(crate) const TOO_MANY_DIGITS: &str = "it has more than 28 digits";

/// Digits of the largest mantissa that is calculated with.
const WIDEST: usize = 38;

/// Reads digits with a sign, a decimal point and an exponent, as JSON writes them, and a plus before them as well.
///
/// # Errors
/// What is wrong with it, without the literal.
pub(crate) fn read(literal: &str) -> Result<Decimal, &'static str> {
    const NO_NUMBER: &str = "it is not a number";
    let (is_minus, unsigned) = match literal.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, literal.strip_prefix('+').unwrap_or(literal)),
    };
    let (base, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = base.split_once('.').unwrap_or((base, ""));
    let digits = format!("{whole}{fraction}");
    let is_exponent = exponent.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || !is_exponent {
        return Err(NO_NUMBER);
    }
    // An exponent of more digits than this is as good as endless.
    let endless = if exponent.starts_with('-') { i32::MIN } else { i32::MAX };
    let exponent = i64::from(exponent.parse().unwrap_or(endless));
    let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    let value = place(digits.trim_start_matches('0'), scale)?;
    Ok(if is_minus { -value } else { value })
}

/// Digits without leading zeros, of which `scale` stand behind the point.
fn place(digits: &str, scale: i64) -> Result<Decimal, &'static str> {
    if digits.is_empty() {
        let scale = u32::try_from(scale.max(0)).unwrap_or(u32::MAX).min(Decimal::MAX_SCALE);
        return Ok(Decimal::new(0, scale));
    }
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    if length(digits).saturating_sub(scale) > 29 {
        return Err(OUT_OF_RANGE);
    }
    // Zeros at the end are no digits to be lost. Those that were written are kept where there is room.
    let short = digits.trim_end_matches('0');
    let (digits, scale) = match digits.len() {
        ..=WIDEST => (digits, scale),
        _ => (short, scale - (length(digits) - length(short))),
    };
    if digits.len() > WIDEST {
        return Err(TOO_MANY_DIGITS);
    }
    let mantissa: i128 = digits.parse().map_err(|_| TOO_MANY_DIGITS)?;
    match u32::try_from(scale) {
        Ok(scale) => fit(mantissa, scale).ok_or_else(|| {
            let is_large = power_of_ten(scale).is_some_and(|ten| mantissa / ten > Decimal::MAX.mantissa());
            if is_large { OUT_OF_RANGE } else { TOO_MANY_DIGITS }
        }),
        Err(_) => u32::try_from(-scale)
            .ok()
            .and_then(power_of_ten)
            .and_then(|ten| fit(mantissa.checked_mul(ten)?, 0))
            .ok_or(OUT_OF_RANGE),
    }
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// The decimal of a mantissa and a scale, if there is one; zeros at the end of the fraction go where there is no room for them.
fn fit(mut mantissa: i128, mut scale: u32) -> Option<Decimal> {
    loop {
        match Decimal::try_from_i128_with_scale(mantissa, scale) {
            Ok(decimal) => return Some(decimal),
            Err(_) if scale > 0 && mantissa % 10 == 0 => {
                mantissa /= 10;
                scale -= 1;
            }
            Err(_) => return None,
        }
    }
}

/// Calculates with two mantissas: as they are written, and else without the zeros at their ends.
fn calculate(
    left: Decimal,
    right: Decimal,
    operation: impl Fn(Decimal, Decimal) -> Option<Decimal>,
) -> Option<Decimal> {
    operation(left, right).or_else(|| operation(left.normalize(), right.normalize()))
}

/// Calculates with the mantissas of two decimals at the larger of their scales.
fn aligned(left: Decimal, right: Decimal, operation: fn(i128, i128) -> Option<i128>) -> Option<Decimal> {
    calculate(left, right, |left, right| {
        let scale = left.scale().max(right.scale());
        let mantissa = |decimal: Decimal| decimal.mantissa().checked_mul(power_of_ten(scale - decimal.scale())?);
        fit(operation(mantissa(left)?, mantissa(right)?)?, scale)
    })
}

/// The sum, if a decimal holds it.
pub(crate) fn sum(left: Decimal, right: Decimal) -> Option<Decimal> {
    aligned(left, right, i128::checked_add)
}

/// The remainder of a division, if a decimal holds it; none for a divisor that is zero.
pub(crate) fn remainder(left: Decimal, right: Decimal) -> Option<Decimal> {
    aligned(left, right, i128::checked_rem)
}

/// The product, if a decimal holds it.
pub(crate) fn product(left: Decimal, right: Decimal) -> Option<Decimal> {
    calculate(left, right, |left, right| {
        fit(left.mantissa().checked_mul(right.mantissa())?, left.scale() + right.scale())
    })
}

/// The quotient, if it comes out even.
pub(crate) fn quotient(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.checked_div(right).filter(|quotient| product(*quotient, right) == Some(left))
}

/// How many digits a number has, without zeros at either end.
pub(crate) fn digits(number: Decimal) -> u32 {
    let mut mantissa = number.mantissa().unsigned_abs();
    while mantissa > 0 && mantissa.is_multiple_of(10) {
        mantissa /= 10;
    }
    mantissa.checked_ilog10().map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_read_to_its_last_digit_or_refused() {
        for (literal, want) in [
            ("12.50", Ok("12.50")),
            ("+7", Ok("7")),
            ("-0.10", Ok("-0.10")),
            ("2e3", Ok("2000")),
            ("1.5E-2", Ok("0.015")),
            ("0e99", Ok("0")),
            ("0.000", Ok("0.000")),
            ("9999999999999999999999999999", Ok("9999999999999999999999999999")),
            ("99.99999999999999999999999999", Ok("99.99999999999999999999999999")),
            ("1000000000000000000000000.5", Ok("1000000000000000000000000.5")),
            ("1e-27", Ok("0.000000000000000000000000001")),
            ("1e-28", Ok("0.0000000000000000000000000001")),
            ("12.340000000000000000000000000000", Ok("12.340000000000000000000000000")),
            ("0012", Ok("12")),
            ("1.2345678901234567890123456789e28", Ok("12345678901234567890123456789")),
            ("0.12345678901234567890123456789", Err(TOO_MANY_DIGITS)),
            ("12345678901234567890.1234567890", Ok("12345678901234567890.123456789")),
            ("12345678901234567890.1234567891", Err(TOO_MANY_DIGITS)),
            ("1234567890123456789012345678901234567890.5", Err(OUT_OF_RANGE)),
            ("99999999999999999999999999999", Err(OUT_OF_RANGE)),
            ("1e29", Err(OUT_OF_RANGE)),
            ("1e99999999999999999999", Err(OUT_OF_RANGE)),
            ("1e-99999999999999999999", Err(TOO_MANY_DIGITS)),
            ("", Err("it is not a number")),
            ("-", Err("it is not a number")),
            ("1_0", Err("it is not a number")),
            ("1ex", Err("it is not a number")),
        ] {
            assert_eq!(read(literal).map(|number| number.to_string()), want.map(str::to_owned), "{literal}");
        }
    }

    #[test]
    fn a_result_is_exact_or_none() {
        let number = |literal: &str| read(literal).unwrap();
        type Operation = fn(Decimal, Decimal) -> Option<Decimal>;
        let rows: [(Operation, &str, &str, Option<&str>); 15] = [
            (sum, "0.30", "-0.10", Some("0.20")),
            (sum, "1234567890123456789012345", "0.123", Some("1234567890123456789012345.123")),
            (sum, "123456789012345678901.5", "-0.0000001", Some("123456789012345678901.4999999")),
            (sum, "9999999999999999999999999999", "0.00000", Some("9999999999999999999999999999")),
            (sum, "1234567890123456789012345678", "0.123", None),
            (sum, "79228162514264337593543950335", "1", None),
            (product, "12345678901234", "12345678901234", Some("152415787532374345526722756")),
            (product, "4.35", "100", Some("435.00")),
            (product, "0.12345678901234567", "0.12345678901234567", None),
            (product, "1e28", "10", None),
            (quotient, "1", "8", Some("0.125")),
            (quotient, "1", "3", None),
            (quotient, "1", "0", None),
            (remainder, "7.5", "2", Some("1.5")),
            (remainder, "1", "0", None),
        ];
        for (operation, left, right, want) in rows {
            let got = operation(number(left), number(right));
            assert_eq!(got.map(|number| number.to_string()).as_deref(), want, "{left} {right}");
        }
        assert_eq!([digits(number("1e20")), digits(number("0")), digits(number("-1.50"))], [1, 0, 2]);
    }
}
