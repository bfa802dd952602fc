//! The golden cases, what must hold for every account, and the parts that stand on their own.

mod golden;
mod parts;
mod properties;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{Forecast, Point, forecast};

/// 16 September 2026, 20:00.
fn now() -> Timestamp {
    "2026-09-16T20:00:00Z".parse().unwrap()
}

fn after(hours: f64) -> Timestamp {
    now() + SignedDuration::from_millis((hours * 3_600_000.0).round() as i64)
}

fn decimal(amount: f64) -> Decimal {
    format!("{amount:.6}").parse().unwrap()
}

/// Readings, each as the hours after now and the balance.
fn points(readings: impl IntoIterator<Item = (f64, f64)>) -> Vec<Point> {
    let point = |(hours, balance)| Point { at: after(hours), balance: decimal(balance), usage: None };
    readings.into_iter().map(point).collect()
}

fn of(points: &[Point]) -> Forecast {
    forecast(points, 7, now()).unwrap()
}

/// `count` readings up to now, every so many hours, each lower than the one before by `fall`.
fn falling(count: usize, hours: f64, last: f64, fall: f64) -> Vec<(f64, f64)> {
    (0..count).rev().map(|back| (-(back as f64) * hours, last + back as f64 * fall)).collect()
}
