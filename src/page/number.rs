//! Numbers of an expression: decimals as long as they are decimals, so that `0.3 - 0.1` is `0.2` and no digit of a
//! balance is lost in arithmetic.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Neg;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::model::amount::{self, exact};

/// A literal beyond this length is no amount; to read all of its digits would be work for nothing.
const LONGEST_LITERAL: usize = 400;

/// Significant digits that a float carries for sure.
const FLOAT_DIGITS: u32 = 15;

/// No decimal is as large.
const BEYOND: f64 = 7.922_816_251_426_434e28;

/// What is said of a number in the answer that no decimal holds.
pub(super) const LONG: &str = "a number has more than 28 digits";
/// What is said of a result that no decimal holds.
const LONG_RESULT: &str =
    "a result has more than 28 digits; round what it is calculated from, for example `(. * 10000 | round) / 10000`";
/// What is said of a number that a function such as `pow` would cut.
pub(super) const LONG_FOR_FLOATS: &str =
    "a number has more than the 15 digits that functions such as `pow` and `sqrt` calculate with";
/// What is said of a difference of which hardly a digit would be right.
const CANCELLED: &str = "a difference cannot be calculated exactly; give its parts as `{amount, minus}`";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// Exact, with its scale as it was written.
    Decimal(Decimal),
    /// Made from a quotient that does not come out even, with all digits that there are.
    Rounded(Decimal),
    /// What no decimal holds: too large, too small, or made by a function such as `pow`.
    Float(f64),
    /// About a literal of more digits than a decimal or a float holds. It can be compared, and is no amount.
    Long(f64),
    /// How long a text is, where something stands in it, the code of a character, or what was calculated with such numbers. It can be
    /// compared, and is no amount.
    OfText(Decimal),
}

impl Number {
    /// Reads a JSON number.
    pub(super) fn from_json(literal: &str) -> Number {
        if literal.len() <= LONGEST_LITERAL
            && let Ok(decimal) = amount::from_json_number(literal)
        {
            return Number::Decimal(decimal);
        }
        let float: f64 = literal.parse().unwrap_or(f64::NAN);
        let base = literal.split(['e', 'E']).next().unwrap_or_default();
        let digits = base.trim_start_matches(['-', '0', '.']).trim_end_matches(['0', '.']);
        let is_long = digits.bytes().filter(u8::is_ascii_digit).count() > FLOAT_DIGITS as usize;
        if is_long && float.is_finite() { Number::Long(float) } else { Number::Float(float) }
    }

    /// The number as a decimal without the rest of a division, if it was made from decimals.
    fn settled(self) -> Option<Decimal> {
        match self {
            Number::Decimal(decimal) | Number::OfText(decimal) => Some(decimal),
            Number::Rounded(decimal) => Some(amount::without_rest(decimal)),
            Number::Float(_) | Number::Long(_) => None,
        }
    }

    /// About how much it is.
    pub(super) fn as_f64(self) -> f64 {
        match self {
            // All decimals are in range.
            Number::Decimal(decimal) | Number::Rounded(decimal) | Number::OfText(decimal) => {
                decimal.to_f64().unwrap_or(f64::NAN)
            }
            Number::Float(float) | Number::Long(float) => float,
        }
    }

    /// The number as functions such as `pow` take it; none if they would cut digits that are right.
    pub(super) fn to_float(self) -> Option<f64> {
        match self {
            Number::Decimal(decimal) if exact::digits(decimal) > FLOAT_DIGITS => None,
            Number::Long(_) => None,
            number => Some(number.as_f64()),
        }
    }

    /// Whether it is the same as another one; of numbers that are rounded the last digits may differ.
    pub(super) fn agrees(self, other: Number) -> bool {
        let is_exact = |number| matches!(number, Number::Decimal(_));
        let (left, right) = (self.as_f64(), other.as_f64());
        let is_near = || (left - right).abs() <= left.abs().max(right.abs()) * 1e-12;
        self == other || (!(is_exact(self) && is_exact(other)) && is_near())
    }

    /// Whether it is known only about how much it is.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Number::Long(_))
    }

    /// Whether it says something of the characters of a text.
    pub(super) fn is_of_text(self) -> bool {
        matches!(self, Number::OfText(_))
    }

    /// The same, which says something of the characters of a text if another one does from which it was calculated.
    fn like(self, other: Number) -> Number {
        match (self.settled(), other) {
            (Some(decimal), Number::OfText(_)) => Number::OfText(decimal),
            _ => self,
        }
    }

    /// Whether it is finite, and larger than any decimal.
    fn is_beyond(self) -> bool {
        matches!(self, Number::Float(float) if float.is_finite() && float.abs() >= BEYOND)
    }

    pub(super) fn is_int(self) -> bool {
        self.settled().is_some_and(|decimal| decimal.fract().is_zero())
    }

    pub(super) fn as_isize(self) -> Option<isize> {
        self.settled().filter(|decimal| decimal.fract().is_zero())?.to_isize()
    }

    fn is_zero(self) -> bool {
        match self {
            Number::Decimal(decimal) | Number::Rounded(decimal) | Number::OfText(decimal) => decimal.is_zero(),
            Number::Float(float) | Number::Long(float) => float == 0.0,
        }
    }

    /// The number as a decimal, if it is one: of decimals, or a float with no more digits than a float carries for sure.
    fn as_decimal(self) -> Option<Decimal> {
        match self {
            Number::Decimal(decimal) | Number::Rounded(decimal) | Number::OfText(decimal) => Some(decimal),
            Number::Float(float) => {
                let text = format!("{float:e}");
                let digits = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
                if digits > FLOAT_DIGITS as usize { None } else { exact::read(&text).ok() }
            }
            Number::Long(_) => None,
        }
    }

    /// The exact result of decimals, or of one that is rounded already the nearest one; else that of floats. Digits that are
    /// right are never dropped: where the result cannot hold them, there is none.
    fn calculate(self, other: Number, operation: &Operation) -> Result<Number, &'static str> {
        if self.is_long() || other.is_long() {
            return Err(LONG);
        }
        let is_rounded = [self, other].iter().any(|number| matches!(number, Number::Rounded(_)));
        let whole = |result: Decimal| if result.is_integer() { result.normalize() } else { result };
        if let (Some(left), Some(right)) = (self.as_decimal(), other.as_decimal()) {
            let may_round = is_rounded || operation.may_round;
            let result = match (operation.exact)(left, right).map(whole) {
                Some(result) if is_rounded => Ok(Number::Rounded(result)),
                Some(result) => Ok(Number::Decimal(result)),
                None if may_round => (operation.near)(left, right).map(Number::Rounded).ok_or(LONG_RESULT),
                None => Err(LONG_RESULT),
            };
            return result.map(|result| result.like(self).like(other));
        }
        let is_endless = [self, other].iter().any(|number| !number.as_f64().is_finite());
        if !is_endless && (self.to_float().is_none() || other.to_float().is_none()) {
            return Err(LONG_FOR_FLOATS);
        }
        let result = Number::Float((operation.float)(self.as_f64(), other.as_f64()));
        // A float holds 15 digits of what no decimal holds, and a decimal would be expected to be right.
        if [self, other].iter().any(|number| number.is_beyond()) && !result.is_beyond() {
            return Err(LONG);
        }
        Ok(result)
    }

    /// The sum.
    ///
    /// # Errors
    /// Why there is none, for example because hardly a digit of it would be right.
    pub(super) fn plus(self, other: Number) -> Result<Number, &'static str> {
        let sum = self.calculate(other, &SUM)?;
        let largest = self.as_f64().abs().max(other.as_f64().abs());
        match sum {
            Number::Float(sum) if largest.is_finite() && sum.abs() < largest * 1e-6 => Err(CANCELLED),
            Number::Float(sum) if sum.is_finite() && sum.abs() == largest && !self.is_zero() && !other.is_zero() => {
                Err(LONG)
            }
            sum => Ok(sum),
        }
    }

    /// The product.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn times(self, other: Number) -> Result<Number, &'static str> {
        self.calculate(other, &PRODUCT)
    }

    /// The quotient. Division by zero gives what no balance can be: infinite, or no number.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn over(self, other: Number) -> Result<Number, &'static str> {
        if other.is_zero() {
            return Ok(Number::Float(self.as_f64() / other.as_f64()));
        }
        self.calculate(other, &QUOTIENT)
    }

    /// The remainder; the divisor must not be zero.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn remainder(self, other: Number) -> Result<Number, &'static str> {
        if other.is_zero() {
            return Err("a number cannot be divided by zero");
        }
        self.calculate(other, &REMAINDER)
    }

    /// Rounds exactly where it can.
    pub(super) fn round_with(self, exact: fn(&Decimal) -> Decimal, float: fn(f64) -> f64) -> Number {
        match self {
            Number::Float(value) => Number::Float(float(value)),
            Number::Long(value) => Number::Long(float(value)),
            // A third times three is one, not just under it.
            decimal => decimal.settled().map_or(decimal, |settled| Number::Decimal(exact(&settled)).like(decimal)),
        }
    }
}

/// One of the operations of arithmetic.
struct Operation {
    /// The exact result, if a decimal holds it.
    exact: fn(Decimal, Decimal) -> Option<Decimal>,
    /// The nearest decimal, if it is in range.
    near: fn(Decimal, Decimal) -> Option<Decimal>,
    float: fn(f64, f64) -> f64,
    /// Whether the exact result of decimals may have endless digits.
    may_round: bool,
}

const SUM: Operation =
    Operation { exact: exact::sum, near: Decimal::checked_add, float: |left, right| left + right, may_round: false };
const PRODUCT: Operation = Operation {
    exact: exact::product,
    near: Decimal::checked_mul,
    float: |left, right| left * right,
    may_round: false,
};
const QUOTIENT: Operation = Operation {
    exact: exact::quotient,
    near: Decimal::checked_div,
    float: |left, right| left / right,
    may_round: true,
};
const REMAINDER: Operation = Operation {
    exact: exact::remainder,
    near: Decimal::checked_rem,
    float: |left, right| left % right,
    may_round: false,
};

impl From<isize> for Number {
    fn from(value: isize) -> Self {
        Number::Decimal(Decimal::from(value))
    }
}

impl Neg for Number {
    type Output = Number;
    fn neg(self) -> Number {
        match self {
            Number::Decimal(decimal) => Number::Decimal(-decimal),
            Number::Rounded(decimal) => Number::Rounded(-decimal),
            Number::Float(float) => Number::Float(-float),
            Number::Long(float) => Number::Long(-float),
            Number::OfText(decimal) => Number::OfText(-decimal),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    /// What is no number is less than any number, and equal to itself: sorting needs a total order.
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.settled(), other.settled()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => {
                let (left, right) = (self.as_f64(), other.as_f64());
                left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
            }
        }
    }
}

impl fmt::Display for Number {
    /// As JSON, in which infinite and what is no number are null.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Number::Decimal(decimal) | Number::OfText(decimal) => decimal.fmt(f),
            Number::Rounded(decimal) => amount::without_rest(*decimal).fmt(f),
            Number::Float(float) if !float.is_finite() => f.write_str("null"),
            Number::Float(float) => float.fmt(f),
            // With so many digits that nothing reads it as an amount.
            Number::Long(float) => write!(f, "{float:.40}1"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_stay_decimals() {
        let number = Number::from_json;
        for (got, want) in [
            (number("12.50"), "12.50"),
            (number("123456789012345678.10"), "123456789012345678.10"),
            (number("2e3"), "2000"),
            (number("1.5E-2"), "0.015"),
            (number("0.3").plus(-number("0.1")).unwrap(), "0.2"),
            (number("100000000000000000000.05").plus(-number("99999999999999999999.99")).unwrap(), "0.06"),
            (number("4.35").times(number("100")).unwrap(), "435"),
            (number("1").over(number("8")).unwrap(), "0.125"),
            (number("12345").over(number("100")).unwrap(), "123.45"),
            (number("0.1").times(number("3")).unwrap(), "0.3"),
            (-number("0.10"), "-0.10"),
            (number("7.5").remainder(number("2")).unwrap(), "1.5"),
            (number("1").over(number("0")).unwrap(), "null"),
            (number("1").over(number("3")).unwrap(), "0.33333333333333333333"),
            (number("1").over(number("3")).unwrap().times(number("3")).unwrap(), "1"),
            (number("9999999999999999999999999999").over(number("7")).unwrap(), "1428571428571428571428571428"),
            (number("1234567890123456789012345678").over(number("100")).unwrap(), "12345678901234567890123456.78"),
            (number("1234567890123456789012345").plus(number("0.123")).unwrap(), "1234567890123456789012345.123"),
            (number("12345678901234").times(number("12345678901234")).unwrap(), "152415787532374345526722756"),
            (number("99.99999999999999999999999999"), "99.99999999999999999999999999"),
            (number("1e-28"), "0.0000000000000000000000000001"),
        ] {
            assert_eq!(got.to_string(), want);
        }
        assert_eq!(number("12.50"), number("12.5"));
        assert!(number("1e40") > number("99999999999999999999"));
        assert!(matches!(number(&"9".repeat(1_000_000)), Number::Float(_)));
        assert!(number("1e300").plus(-number("1e300")).is_err(), "nothing is known of the difference");
        assert!(Number::Float(f64::NAN).plus(number("1")).is_ok_and(|sum| sum.as_f64().is_nan()));
        assert_eq!(Number::Float(2.5).plus(-number("2.5")).unwrap().to_string(), "0");
        assert!(number("1").remainder(number("0.0")).is_err());
    }

    #[test]
    fn digits_are_never_dropped_without_a_word() {
        let number = Number::from_json;
        let long = number("0.12345678901234567890123456789");
        assert!(long.is_long() && number("123456789012345678901234567890").is_long());
        assert!(!number("1e40").is_long() && !number("5.551115123125783e-17").is_long());
        let irrational = Number::Float(2_f64.sqrt());
        for (got, want) in [
            (long.plus(number("0")), LONG),
            (number("1").times(long), LONG),
            (long.over(number("2")), LONG),
            (number("1234567890123456789012345678").plus(number("0.123")), LONG_RESULT),
            (number("0.12345678901234567").times(number("0.12345678901234567")), LONG_RESULT),
            (number("1e20").times(number("1e20")), LONG_RESULT),
            (number("1e29").over(number("1e18")), LONG),
            (number("1e30").remainder(number("7")), LONG),
            (number("1e30").over(number("60")), LONG),
            (number("1e30").plus(number("1")), LONG),
            (number("1234567890123456789").times(irrational), LONG_FOR_FLOATS),
        ] {
            assert_eq!(got.unwrap_err(), want);
        }
        assert!(amount::from_json_number(&long.to_string()).is_err(), "{long}");
        assert!(amount::read(&long.to_string()).is_err(), "{long}");
        assert!(number(&long.to_string()).is_long());
    }
}
