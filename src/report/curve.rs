//! The curve of a balance with what is expected of it: what there is to draw, whoever draws it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::decide::forecast::Forecast;

/// Two readings are joined if no more than so many times the usual time lies between them.
const GAP: i64 = 3;
/// The forecast takes this share of the past at the most.
const AHEAD: f64 = 0.5;
const DAY: f64 = 86_400_000.0;

/// What is drawn.
pub(crate) struct Curve<'a> {
    /// When each reading was made, and the balance; none where it failed. Oldest first.
    pub(crate) readings: Vec<(Timestamp, Option<Decimal>)>,
    pub(crate) threshold: Option<Decimal>,
    pub(crate) currency: Option<&'a str>,
    /// Where the forecast begins, and the days until nothing is left: least, usual, most.
    pub(crate) ahead: Option<(Timestamp, Decimal, [f64; 3])>,
}

/// A time in milliseconds since 1970, and an amount.
pub(crate) type Spot = (f64, f64);

/// The scales: milliseconds to the right, amounts upwards.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) from: f64,
    pub(crate) until: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

/// What a chart shows of a forecast: where it begins, and the days until nothing is left; none if there is no date.
pub(crate) fn ahead(forecast: &Forecast) -> Option<(Timestamp, Decimal, [f64; 3])> {
    let lasts = forecast.lasts()?;
    Some((forecast.as_of, forecast.balance, [lasts.least, lasts.days, lasts.most.unwrap_or(lasts.days)]))
}

impl Curve<'_> {
    /// The readings in parts, each of which is joined to a line: where a reading failed or is missing there is a gap.
    pub(crate) fn parts(&self) -> Vec<Vec<Spot>> {
        let at = |reading: &(Timestamp, Option<Decimal>)| reading.0.as_millisecond();
        let mut steps: Vec<i64> = self.readings.windows(2).map(|pair| at(&pair[1]) - at(&pair[0])).collect();
        steps.sort_unstable();
        let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
        let mut parts: Vec<Vec<Spot>> = Vec::new();
        let mut before: Option<i64> = None;
        for reading in &self.readings {
            let Some(balance) = reading.1 else {
                before = None;
                continue;
            };
            let spot = (at(reading) as f64, balance.to_f64().unwrap_or_default());
            let is_near = before.is_some_and(|before| at(reading) - before <= GAP * usual);
            match parts.last_mut().filter(|_| is_near) {
                Some(part) => part.push(spot),
                None => parts.push(vec![spot]),
            }
            before = Some(at(reading));
        }
        parts
    }

    /// The scales in which all of it is seen; none without two readings, or if there is nothing but zero.
    pub(crate) fn frame(&self) -> Option<Frame> {
        let balances = || self.readings.iter().filter_map(|(_, balance)| balance.and_then(|balance| balance.to_f64()));
        let (first, last) = (self.readings.first()?.0, self.readings.last()?.0);
        if balances().nth(1).is_none() || first >= last {
            return None;
        }
        let (from, end) = (first.as_millisecond() as f64, last.as_millisecond() as f64);
        let farthest = self.ahead.as_ref().map_or(0.0, |(_, _, ends)| ends.iter().copied().fold(0.0, f64::max));
        let until = end + (farthest * DAY).min(AHEAD * (end - from));
        let all = || balances().chain(self.threshold());
        let (least, most) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
        (most > least).then_some(Frame { from, until, least, most })
    }

    /// The threshold as it is drawn.
    pub(crate) fn threshold(&self) -> Option<f64> {
        self.threshold.and_then(|threshold| threshold.to_f64())
    }

    /// Where the forecast begins, and where it ends with nothing left: at the least, usually, at the most.
    pub(crate) fn cone(&self) -> Option<(Spot, [Spot; 3])> {
        let (at, balance, ends) = self.ahead.as_ref()?;
        let from = (at.as_millisecond() as f64, balance.to_f64().unwrap_or_default());
        Some((from, ends.map(|end| (from.0 + end * DAY, 0.0))))
    }
}
