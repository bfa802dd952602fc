//! How an account is forecast.

use rust_decimal::Decimal;

/// How an account is forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecasting {
    /// An account that lasts fewer days raises an alert; 0 for never, at most 365.
    pub alert_days: u32,
    /// The days whose consumption is the usual one, 1 to 90.
    pub window_days: u32,
    /// A day that consumes so many times the usual raises an alert; 0 for never.
    pub spike_ratio: Decimal,
    /// A day that consumes less than this is no spike, in the account's unit.
    pub spike_minimum: Decimal,
    /// A credit that expires within so many days and will not be used up raises an alert; 0 for never.
    pub expiry_days: u32,
    /// Whether somebody is told that the account was topped up.
    pub tell_topups: bool,
    /// Whether the config says one of the days. Only then must somebody hear of that alert.
    pub is_written: bool,
    /// Whether the config says one of the numbers of spikes, likewise.
    pub is_spike_written: bool,
    /// Whether the config says the days of credits, likewise.
    pub is_expiry_written: bool,
}
