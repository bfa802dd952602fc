//! How long a balance lasts, as reports say it.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::decide::forecast::account::Foresight;
use crate::decide::forecast::spike::Today;
use crate::decide::forecast::{Confidence, Outlook as Forecast};
use crate::decide::spike::told;
use crate::model::amount;

/// The part of an account's JSON that is about the days to come. What cannot be said is null.
#[derive(Default, Serialize)]
pub(crate) struct Outlook {
    lasts_days: Option<Box<RawValue>>,
    /// The least and the most; the most is null beyond ten years.
    lasts_range: Option<[Option<Box<RawValue>>; 2]>,
    /// A day, in UTC.
    lasts_until: Option<String>,
    confidence: Option<&'static str>,
    /// Whether there is no date because the consumption follows no rule.
    is_irregular: bool,
    /// For an irregular one: the days at the pace of the last 24 hours.
    days_at_last_pace: Option<Box<RawValue>>,
    burn_per_day: Option<Box<RawValue>>,
    /// What the last 24 hours consumed, scaled to a day, and what a usual day with any consumption does.
    last_day_consumed: Option<Box<RawValue>>,
    usual_day_consumed: Option<Box<RawValue>>,
    /// Whether that is far more than usual.
    is_spike: Option<bool>,
}

impl Outlook {
    pub(crate) fn of(foresight: &Foresight) -> Outlook {
        let forecast = &foresight.forecast;
        let (lasts, day) = (forecast.lasts(), foresight.today.day());
        let last_pace = match forecast.outlook {
            Forecast::Irregular { at_last_pace } => at_last_pace,
            _ => None,
        };
        Outlook {
            lasts_days: lasts.and_then(|lasts| tenths(lasts.days)),
            lasts_range: lasts.map(|lasts| [tenths(lasts.least), lasts.most.and_then(tenths)]),
            lasts_until: lasts.map(|lasts| lasts.until.strftime("%Y-%m-%d").to_string()),
            confidence: Some(forecast.confidence.as_str()),
            is_irregular: matches!(forecast.outlook, Forecast::Irregular { .. }),
            days_at_last_pace: last_pace.and_then(tenths),
            burn_per_day: forecast.burn_per_day.map(amount::to_json),
            last_day_consumed: day.and_then(|day| told(day.per_day)).map(amount::to_json),
            usual_day_consumed: day.and_then(|day| told(day.usual_per_day?)).map(amount::to_json),
            is_spike: day.map(|_| matches!(foresight.today, Today::Odd(_))),
        }
    }
}

/// For the table: that a balance lasts so many days. Only what can be trusted is said, and only of the next three months.
pub(crate) fn note(foresight: &Foresight) -> Option<String> {
    let is_sure = foresight.forecast.confidence >= Confidence::Medium;
    let lasts = foresight.forecast.lasts().filter(|lasts| is_sure && lasts.days < 90.0)?;
    Some(match lasts.days.round() as u32 {
        0 => "lasts less than a day".to_owned(),
        1 => "lasts about a day".to_owned(),
        days => format!("lasts about {days} days"),
    })
}

/// Days with one decimal: more would be a promise.
pub(super) fn tenths(days: f64) -> Option<Box<RawValue>> {
    amount::from_float((days * 10.0).round() / 10.0).ok().map(amount::to_json)
}
