//! What a forecast is made of, and the amounts that it finds beside the consumption.

use jiff::Timestamp;
use rust_decimal::Decimal;

/// One reading of an account. All points of a forecast are in the same unit; which unit that is changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When it was read.
    pub at: Timestamp,
    /// What is left, in the account's unit.
    pub balance: Decimal,
    /// What was used since some beginning, in the same unit, where the service tells it. It only rises, except where it begins
    /// anew.
    pub usage: Option<Decimal>,
}

/// An amount that came or went at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// When it was first seen: the end of the interval in which it happened.
    pub at: Timestamp,
    /// How much, in the account's unit; above zero.
    pub amount: Decimal,
}
