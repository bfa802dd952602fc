//! What a config says of alerts.

use std::time::Duration;

use rust_decimal::Decimal;

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

impl Default for Alerting {
    fn default() -> Self {
        Alerting {
            cooldown: Duration::from_secs(86_400),
            realert_drop_percent: Decimal::from(50),
            recovery_margin_percent: Decimal::from(5),
            failure_alert_after: 3,
        }
    }
}
