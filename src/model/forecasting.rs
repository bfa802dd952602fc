//! How an account is forecast.

/// How an account is forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecasting {
    /// An account that lasts fewer days raises an alert; 0 for never, at most 365.
    pub alert_days: u32,
    /// The days whose consumption is the usual one, 1 to 90.
    pub window_days: u32,
    /// Whether the config says one of them. Only then must somebody hear of the alert.
    pub is_written: bool,
}
