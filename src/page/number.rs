//! Numbers of an expression: decimals as long as they are decimals, so that `0.3 - 0.1` is `0.2` and no digit of a
//! balance is lost in arithmetic.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Div, Mul, Neg};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// A literal beyond this length is no amount; to read all of its digits would be work for nothing.
const LONGEST_LITERAL: usize = 400;

/// Significant digits that a float carries for sure.
const FLOAT_DIGITS: usize = 15;

/// A number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// Exact, with its scale as it was written.
    Decimal(Decimal),
    /// What no decimal holds: too large, too small, or made by a function such as `pow`.
    Float(f64),
}

impl Number {
    /// Reads a JSON number.
    pub(super) fn from_json(literal: &str) -> Number {
        let decimal = match literal {
            long if long.len() > LONGEST_LITERAL => None,
            exponent if exponent.contains(['e', 'E']) => Decimal::from_scientific(exponent).ok(),
            plain => plain.parse().ok(),
        };
        match decimal {
            Some(decimal) => Number::Decimal(decimal),
            None => Number::Float(literal.parse().unwrap_or(f64::NAN)),
        }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            // All decimals are in range.
            Number::Decimal(decimal) => decimal.to_f64().unwrap_or(f64::NAN),
            Number::Float(float) => float,
        }
    }

    pub(super) fn is_int(self) -> bool {
        matches!(self, Number::Decimal(decimal) if decimal.fract().is_zero())
    }

    pub(super) fn as_isize(self) -> Option<isize> {
        match self {
            Number::Decimal(decimal) if decimal.fract().is_zero() => decimal.to_isize(),
            _ => None,
        }
    }

    pub(super) fn is_zero(self) -> bool {
        match self {
            Number::Decimal(decimal) => decimal.is_zero(),
            Number::Float(float) => float == 0.0,
        }
    }

    /// The number as a decimal, if it is one: exact, or a float with no more digits than a float carries for sure.
    fn as_decimal(self) -> Option<Decimal> {
        match self {
            Number::Decimal(decimal) => Some(decimal),
            Number::Float(float) => {
                let text = format!("{float:e}");
                let digits = text.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
                if digits > FLOAT_DIGITS { None } else { Decimal::from_scientific(&text).ok() }
            }
        }
    }

    /// The exact result where there is one, else that of floats.
    fn calculate(
        self,
        other: Number,
        exact: fn(Decimal, Decimal) -> Option<Decimal>,
        float: fn(f64, f64) -> f64,
    ) -> Number {
        if let (Some(left), Some(right)) = (self.as_decimal(), other.as_decimal())
            && let Some(result) = exact(left, right)
        {
            return Number::Decimal(if result.is_integer() { result.normalize() } else { result });
        }
        Number::Float(float(self.as_f64(), other.as_f64()))
    }

    /// The sum; none if hardly a digit of it would be right.
    pub(super) fn plus(self, other: Number) -> Option<Number> {
        let sum = self.calculate(other, Decimal::checked_add, |left, right| left + right);
        let largest = self.as_f64().abs().max(other.as_f64().abs());
        match sum {
            Number::Float(sum) if largest.is_finite() && sum.abs() < largest * 1e-6 => None,
            sum => Some(sum),
        }
    }

    /// The remainder; none if the divisor is zero.
    pub(super) fn remainder(self, other: Number) -> Option<Number> {
        if other.is_zero() {
            return None;
        }
        Some(self.calculate(other, Decimal::checked_rem, |left, right| left % right))
    }

    /// Rounds exactly where it can.
    pub(super) fn round_with(self, exact: fn(&Decimal) -> Decimal, float: fn(f64) -> f64) -> Number {
        match self {
            Number::Decimal(decimal) => Number::Decimal(exact(&decimal)),
            Number::Float(value) => Number::Float(float(value)),
        }
    }
}

impl From<isize> for Number {
    fn from(value: isize) -> Self {
        Number::Decimal(Decimal::from(value))
    }
}

impl Mul for Number {
    type Output = Number;
    fn mul(self, other: Number) -> Number {
        self.calculate(other, Decimal::checked_mul, |left, right| left * right)
    }
}

impl Div for Number {
    type Output = Number;
    /// Division by zero gives what no balance can be: infinite, or no number.
    fn div(self, other: Number) -> Number {
        self.calculate(other, Decimal::checked_div, |left, right| left / right)
    }
}

impl Neg for Number {
    type Output = Number;
    fn neg(self) -> Number {
        match self {
            Number::Decimal(decimal) => Number::Decimal(-decimal),
            Number::Float(float) => Number::Float(-float),
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
        match (self, other) {
            (Number::Decimal(left), Number::Decimal(right)) => left.cmp(right),
            (left, right) => {
                let (left, right) = (left.as_f64(), right.as_f64());
                left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
            }
        }
    }
}

impl fmt::Display for Number {
    /// As JSON, in which infinite and what is no number are null.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Number::Decimal(decimal) => decimal.fmt(f),
            Number::Float(float) if !float.is_finite() => f.write_str("null"),
            Number::Float(float) => float.fmt(f),
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
            (number("4.35") * number("100"), "435"),
            (number("1") / number("8"), "0.125"),
            (number("12345") / number("100"), "123.45"),
            (number("0.1") * number("3"), "0.3"),
            (-number("0.10"), "-0.10"),
            (number("7.5").remainder(number("2")).unwrap(), "1.5"),
            (number("1") / number("0"), "null"),
        ] {
            assert_eq!(got.to_string(), want);
        }
        assert_eq!(number("12.50"), number("12.5"));
        assert!(number("1e40") > number("99999999999999999999"));
        assert!(matches!(number(&"9".repeat(1_000_000)), Number::Float(_)));
        assert!(number("1e300").plus(-number("1e300")).is_none(), "nothing is known of the difference");
        assert!(Number::Float(f64::NAN).plus(number("1")).is_some_and(|sum| sum.as_f64().is_nan()));
        assert_eq!(Number::Float(2.5).plus(-number("2.5")).unwrap().to_string(), "0");
        assert!(number("1").remainder(number("0.0")).is_none());
    }
}
