//! The threshold of an account: an amount, or a share of what there is when nothing was used.

use rust_decimal::Decimal;

/// What a balance must not be below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// This amount.
    Of(Decimal),
    /// This many percent of the total.
    Percent(Decimal),
}

impl Threshold {
    /// The number as it is written, without `%`.
    pub(crate) fn number(self) -> Decimal {
        match self {
            Threshold::Of(number) | Threshold::Percent(number) => number,
        }
    }

    /// The amount; none if it is a share of a total that is not known.
    pub(crate) fn amount(self, total: Option<Decimal>) -> Option<Decimal> {
        match self {
            Threshold::Of(amount) => Some(amount),
            Threshold::Percent(percent) => total?.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED),
        }
    }
}
