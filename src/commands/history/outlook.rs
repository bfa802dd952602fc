//! How long a balance lasts, as `history` says it.

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::decide::forecast::account::Foresight;
use crate::decide::forecast::{Confidence, Forecast, Lasts, Movement, Outlook};
use crate::model::amount;
use crate::model::words::Language;
use crate::process::clock::iso;
use crate::report;

#[derive(Serialize)]
struct JsonMovement {
    time: String,
    amount: Box<RawValue>,
}

/// The part of a project's JSON that is about the days to come. What cannot be said is null.
#[derive(Default, Serialize)]
pub(super) struct JsonOutlook {
    #[serde(flatten)]
    outlook: report::Outlook,
    topped_up: Option<Box<RawValue>>,
    top_ups: Vec<JsonMovement>,
    single_falls: Vec<JsonMovement>,
}

impl JsonOutlook {
    pub(super) fn of(foresight: &Foresight) -> JsonOutlook {
        let forecast = &foresight.forecast;
        let movements = |all: &[Movement]| {
            let movement = |one: &Movement| JsonMovement { time: iso(one.at), amount: amount::to_json(one.amount) };
            all.iter().map(movement).collect()
        };
        JsonOutlook {
            outlook: report::Outlook::of(foresight),
            topped_up: forecast.topped_up().map(amount::to_json),
            top_ups: movements(&forecast.top_ups),
            single_falls: movements(&forecast.single_falls),
        }
    }
}

/// For people: what is said, a line for each thing.
pub(super) fn lines(foresight: &Foresight, window_days: u32, language: Language) -> String {
    let lines = match language {
        Language::En => english(foresight, window_days),
        Language::Zh => chinese(foresight, window_days),
    };
    lines.into_iter().map(|line| format!(" {line}\n")).collect()
}

fn chinese(foresight: &Foresight, window_days: u32) -> Vec<String> {
    let Foresight { forecast, currency, .. } = foresight;
    let confidence = match forecast.confidence {
        Confidence::None => "无",
        Confidence::Low => "低",
        Confidence::Medium => "中",
        Confidence::High => "高",
    };
    let some_days = |days: f64| match days.round() as i64 {
        0 => "不到 1 天".to_owned(),
        days => format!("{days} 天"),
    };
    let mut lines = vec![match &forecast.outlook {
        Outlook::Lasts(lasts) => {
            let range = match lasts.most {
                Some(most) => format!("{} 至 {} 天", lasts.least.floor(), most.ceil()),
                None => format!("{} 天以上", lasts.least.floor()),
            };
            let until = lasts.until.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string();
            format!("约可用 {}，到 {until} 左右（{range}），可信度{confidence}", some_days(lasts.days))
        }
        Outlook::Beyond => "按平常的速度可用十年以上".to_owned(),
        Outlook::Irregular { at_last_pace } => {
            let pace = at_last_pace.map(|days| format!("；按最近一天的速度可用 {}", some_days(days)));
            format!("消耗不规律，无法给出日期{}", pace.unwrap_or_default())
        }
        Outlook::Unknown if is_still(forecast) => "没有看到消耗".to_owned(),
        Outlook::Unknown => "历史不足，无法预测".to_owned(),
    }];
    let shown = |amount: Decimal| amount::show(amount, currency.as_deref());
    lines.extend(forecast.burn_per_day.map(|burn| format!("每天消耗 {}", shown(burn))));
    let topped_up = forecast.topped_up().filter(|_| !forecast.top_ups.is_empty());
    let count = forecast.top_ups.len();
    lines.extend(topped_up.map(|sum| format!("{window_days} 天内充值 {count} 次：{}", shown(sum))));
    lines.extend(forecast.single_falls.iter().map(|fall| {
        let day = fall.at.strftime("%Y-%m-%d %H:%M UTC");
        format!("{day} 之前一次减少 {}，不计入速度", shown(fall.amount))
    }));
    lines
}

/// Whether enough is known to say that nothing was consumed.
fn is_still(forecast: &Forecast) -> bool {
    forecast.falls == 0 && forecast.exposure_hours >= 24.0
}

fn english(foresight: &Foresight, window_days: u32) -> Vec<String> {
    let Foresight { forecast, currency, .. } = foresight;
    let confidence = forecast.confidence.as_str();
    let mut lines = vec![match &forecast.outlook {
        Outlook::Lasts(lasts) => format!("{}, confidence {confidence}", lasting(lasts)),
        Outlook::Beyond => "lasts more than ten years at the usual rate".to_owned(),
        Outlook::Irregular { at_last_pace: Some(days) } => {
            format!("irregular, so no date can be said; at the pace of the last day it lasts {}", some_days(*days))
        }
        Outlook::Irregular { at_last_pace: None } => "irregular, so no date can be said".to_owned(),
        Outlook::Unknown if is_still(forecast) => "nothing was consumed that could be seen".to_owned(),
        Outlook::Unknown => "not enough history for a forecast".to_owned(),
    }];
    let shown = |amount: Decimal| amount::show(amount, currency.as_deref());
    lines.extend(forecast.burn_per_day.map(|burn| format!("consumes {} a day", shown(burn))));
    let topped_up = forecast.topped_up().filter(|_| !forecast.top_ups.is_empty());
    let times = match forecast.top_ups.len() {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    lines.extend(topped_up.map(|sum| format!("topped up {times} in {window_days} days: {}", shown(sum))));
    lines.extend(forecast.single_falls.iter().map(|fall| {
        let day = fall.at.strftime("%Y-%m-%d %H:%M UTC");
        format!("fell once by {} before {day}, which is not counted as a pace", shown(fall.amount))
    }));
    lines
}

fn lasting(lasts: &Lasts) -> String {
    let until = lasts.until.to_zoned(TimeZone::UTC).strftime("%A, %-d %b %Y").to_string();
    let range = match lasts.most {
        Some(most) => format!("{} to {} days", lasts.least.floor(), most.ceil()),
        None => format!("{} days or more", lasts.least.floor()),
    };
    format!("lasts about {}, until about {until} ({range})", some_days(lasts.days))
}

fn some_days(days: f64) -> String {
    match days.round() as i64 {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::decide::forecast::account::{Reading, foresee};
    use crate::yaml::forecasting::USUAL;

    /// Readings every six hours up to a time, oldest first, with a currency each.
    fn said(balances: &[(u32, &str)], language: Language) -> String {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let count = balances.len();
        let reading = |(number, (balance, currency)): (usize, &(u32, &str))| Reading {
            at: now - SignedDuration::from_hours(6 * (count - 1 - number) as i64),
            balance: Decimal::from(*balance),
            currency: Some((*currency).to_owned()),
        };
        let readings: Vec<Reading> = balances.iter().enumerate().map(reading).collect();
        foresee(&readings, Some("EUR"), USUAL, now).map(|foresight| lines(&foresight, 7, language)).unwrap_or_default()
    }

    fn falling(count: u32, last: u32) -> Vec<(u32, &'static str)> {
        (0..count).rev().map(|ago| (last + 25 * ago, "USD")).collect()
    }

    #[test]
    fn what_is_said_of_the_days_to_come() {
        let steady = falling(29, 400);
        let refilled: Vec<(u32, &str)> = steady.iter().map(|(amount, unit)| (amount % 500 + 1, *unit)).collect();
        let lapsed: Vec<(u32, &str)> =
            steady.iter().enumerate().map(|(n, (amount, unit))| (amount + if n < 9 { 5000 } else { 0 }, *unit)).collect();
        let moved: Vec<(u32, &str)> = falling(29, 400).into_iter().map(|(amount, _)| (amount, "CNY")).collect();
        let spent = "consumes 100.00 USD a day\n";
        let chinese = said(&steady, Language::Zh);
        assert!(chinese.contains("约可用 4 天，到 2026-12-04 左右（3 至 6 天），可信度高\n 每天消耗 100.00 USD\n"), "{chinese}");
        for (name, balances, want) in [
            ("steady", steady.clone(), vec!["lasts about 4 days, until about Friday, 4 Dec 2026 (3 to 6 days), confidence high\n", spent]),
            ("refilled", refilled, vec![spent, "topped up 2 times in 7 days: 950.00 USD\n"]),
            ("lapsed", lapsed, vec!["lasts about 4 days", spent, "fell once by 5,025.00 USD before 2026-11-25 18:00 UTC, which"]),
            ("short", falling(3, 400), vec!["not enough history for a forecast\n"]),
            ("still", vec![(400, "USD"); 9], vec!["nothing was consumed that could be seen\n"]),
            ("far", falling(29, 400).into_iter().map(|(amount, unit)| (amount + 1_000_000, unit)).collect(), vec!["lasts more than ten years", spent]),
            ("another currency before", [moved, falling(2, 400)].concat(), vec!["not enough history for a forecast\n"]),
        ] {
            let (said, chinese) = (said(&balances, Language::En), said(&balances, Language::Zh));
            for line in want {
                assert!(said.contains(line), "{name}: {said}");
            }
            assert_eq!(said.lines().count(), chinese.lines().count(), "{name}: {chinese}");
        }
    }
}
