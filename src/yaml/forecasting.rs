//! What a config says of forecasts, for all accounts under `settings` and for one in its project.

use crate::model::forecasting::Forecasting;
use crate::yaml::field::{Field, Number, fields};
use crate::yaml::path::{Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;

const WINDOW: Number = Number::within(1, 90).unit("days").or(7);
const ALERT: Number = Number::within(0, 365).unit("days").or(7);

fields! {
    /// How long balances last, out of the readings in the memory of runs.
    pub(crate) struct RawForecast {
        /// An account that will be empty in fewer days raises an alert; 0 for never.
        alert_days: Lenient<i128>, number = ALERT;
        /// The days whose consumption is the usual one.
        window_days: Lenient<i128>, number = WINDOW;
    }
}

/// The forecasts of accounts where nothing is written.
pub(crate) const USUAL: Forecasting =
    Forecasting { alert_days: ALERT.default(), window_days: WINDOW.default(), is_written: false };

impl ConfigReader<'_> {
    /// The forecasts of an entry: what it does not say is as in `usual`.
    pub(crate) fn forecasting(&mut self, entry: &[Step], raw: Option<RawForecast>, usual: Forecasting) -> Forecasting {
        let Some(raw) = raw else { return usual };
        let at = under(entry, "forecast");
        let mut days = |field: &Field, written: Option<Lenient<i128>>, usual: u32| match written {
            Some(written) => self.whole(&at, field, Some(written)),
            None => usual,
        };
        Forecasting {
            alert_days: days(&RawForecast::alert_days, raw.alert_days, usual.alert_days),
            window_days: days(&RawForecast::window_days, raw.window_days, usual.window_days),
            is_written: true,
        }
    }
}
