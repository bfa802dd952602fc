//! What a config says of alerts.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::yaml::field::Number;

/// When an alert is sent, repeated and taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerting {
    /// An alert is repeated after this time.
    pub cooldown: Duration,
    /// Or when the balance is this many percent below the value last told; above 0 to 100.
    pub realert_drop_percent: Decimal,
    /// A balance has recovered this many percent above its threshold.
    pub recovery_margin_percent: Decimal,
    /// Failed runs in a row that raise an alert; 0 for never.
    pub failure_alert_after: u32,
}

impl Alerting {
    /// The range of `cooldown` in the config, in seconds.
    pub(crate) const COOLDOWN: Number = Number::within(0, 31_536_000).unit("seconds").or(86_400);
    /// The range of `realert_drop_percent`.
    pub(crate) const DROP: Number = Number::above_zero(100).or(50);
    /// The range of `recovery_margin_percent`.
    pub(crate) const MARGIN: Number = Number::within(0, 1000).or(5);
    /// The range of `failure_alert_after`.
    pub(crate) const FAILURES: Number = Number::within(0, 1000).or(3);
}

impl Default for Alerting {
    fn default() -> Self {
        Alerting {
            cooldown: Alerting::COOLDOWN.default_seconds(),
            realert_drop_percent: Alerting::DROP.default().into(),
            recovery_margin_percent: Alerting::MARGIN.default().into(),
            failure_alert_after: Alerting::FAILURES.default(),
        }
    }
}
