//! What a config says of forecasts, for all accounts under `settings` and for one in its project.

use rust_decimal::Decimal;

use crate::model::forecasting::Forecasting;
use crate::yaml::field::{Field, Number, fields};
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;

const WINDOW: Number = Number::within(1, 90).unit("days").or(7);
const ALERT: Number = Number::within(0, 365).unit("days").or(7);
const SPIKE_RATIO: Number = Number::within(0, 1000).unit("times the usual").or(3);
const SPIKE_MINIMUM: Number = Number::within(0, 50_000_000).or(10);
const EXPIRY: Number = Number::within(0, 365).unit("days").or(14);

fields! {
    /// How long balances last and what is odd about their consumption, out of the readings in the memory of runs.
    pub(crate) struct RawForecast {
        /// An account that will be empty in fewer days raises an alert; 0 for never.
        alert_days: Lenient<i128>, number = ALERT;
        /// The days whose consumption is the usual one.
        window_days: Lenient<i128>, number = WINDOW;
        /// A day that consumes so many times as much as usual raises an alert; 0 for never, else more than 1.
        spike_ratio: Lenient<Decimal>, number = SPIKE_RATIO;
        /// A day that consumes less than this raises none, however little is usual; in the unit of the account.
        spike_minimum: Lenient<Decimal>, number = SPIKE_MINIMUM;
        /// A credit that expires within so many days and will not be used up by then raises an alert; 0 for never.
        expiry_days: Lenient<i128>, number = EXPIRY;
        /// Whether it is told that an account was topped up, with the amount.
        tell_topups: Lenient<bool>, default = "false";
    }
}

/// The forecasts of accounts where nothing is written.
pub(crate) const USUAL: Forecasting = Forecasting {
    alert_days: ALERT.default(),
    window_days: WINDOW.default(),
    spike_ratio: Decimal::from_parts(SPIKE_RATIO.default(), 0, 0, false, 0),
    spike_minimum: Decimal::from_parts(SPIKE_MINIMUM.default(), 0, 0, false, 0),
    expiry_days: EXPIRY.default(),
    tell_topups: false,
    is_written: false,
    is_spike_written: false,
    is_expiry_written: false,
};

impl ConfigReader<'_> {
    /// The forecasts of an entry: what it does not say is as in `usual`.
    pub(crate) fn forecasting(&mut self, entry: &[Step], raw: Option<RawForecast>, usual: Forecasting) -> Forecasting {
        type Raw = RawForecast;
        let Some(raw) = raw else { return usual };
        let at = under(entry, "forecast");
        let is_written = raw.alert_days.is_some() || raw.window_days.is_some();
        let is_expiry_written = raw.expiry_days.is_some();
        let is_spike_written = raw.spike_ratio.is_some() || raw.spike_minimum.is_some();
        let mut days = |field: &Field, written: Option<Lenient<i128>>, usual: u32| match written {
            Some(written) => self.whole(&at, field, Some(written)),
            None => usual,
        };
        let alert_days = days(&Raw::alert_days, raw.alert_days, usual.alert_days);
        let window_days = days(&Raw::window_days, raw.window_days, usual.window_days);
        let expiry_days = days(&Raw::expiry_days, raw.expiry_days, usual.expiry_days);
        let mut number = |field: &Field, written: Option<Lenient<Decimal>>, usual: Decimal| match written {
            Some(written) => self.decimal(&at, field, Some(written)),
            None => usual,
        };
        let spike_ratio = number(&Raw::spike_ratio, raw.spike_ratio, usual.spike_ratio);
        let spike_minimum = number(&Raw::spike_minimum, raw.spike_minimum, usual.spike_minimum);
        if spike_ratio > Decimal::ZERO && spike_ratio <= Decimal::ONE {
            let hint = Some("write 0 for never".to_owned());
            let place = under(&at, Raw::spike_ratio.name);
            self.problem(
                &place,
                Part::Value,
                "`spike_ratio` must be above 1: every day consumes as much as usual",
                hint,
            );
        }
        Forecasting {
            alert_days,
            window_days,
            spike_ratio,
            spike_minimum,
            expiry_days,
            tell_topups: raw.tell_topups.map_or(usual.tell_topups, |told| told.0),
            is_written: is_written || usual.is_written,
            is_spike_written: is_spike_written || usual.is_spike_written,
            is_expiry_written: is_expiry_written || usual.is_expiry_written,
        }
    }
}
