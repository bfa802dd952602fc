//! What others do: the older formula of this program's predecessor, and the naive ones.

use balance_alert::internals::forecast::Point;
use rust_decimal::prelude::ToPrimitive;

/// A formula: days until empty out of readings, oldest first, of the last seven days.
pub(crate) type Rival = (&'static str, fn(&[Point]) -> Option<f64>);

pub(crate) const RIVALS: [Rival; 6] = [
    ("older: falls over the span", older),
    ("least squares on what was consumed", least_squares),
    ("median of intervals", median_of_intervals),
    ("median of days", median_of_days),
    ("moving average of days, 0.3", moving_average),
    ("last 24 hours", last_day),
];

/// Days since the first point, and the fall to each from the one before; rises are no falls.
fn falls(points: &[Point]) -> Vec<(f64, f64, f64)> {
    let start = points.first().map_or(0, |point| point.at.as_millisecond());
    let days = |point: &Point| (point.at.as_millisecond() - start) as f64 / 86_400_000.0;
    let fall = |pair: &[Point]| (pair[0].balance - pair[1].balance).to_f64().unwrap_or_default().max(0.0);
    points.windows(2).map(|pair| (days(&pair[0]), days(&pair[1]), fall(pair))).collect()
}

fn runway(points: &[Point], per_day: f64) -> Option<f64> {
    let balance = points.last()?.balance.to_f64()?;
    (per_day > 0.0).then(|| balance.max(0.0) / per_day)
}

fn older(points: &[Point]) -> Option<f64> {
    let falls = falls(points);
    let span = falls.last()?.1;
    runway(points, falls.iter().map(|fall| fall.2).sum::<f64>() / span)
}

fn least_squares(points: &[Point]) -> Option<f64> {
    let mut sum = 0.0;
    let line: Vec<(f64, f64)> = falls(points)
        .iter()
        .map(|fall| {
            sum += fall.2;
            (fall.1, sum)
        })
        .collect();
    let count = line.len() as f64;
    let (x, y) = line.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let above: f64 = line.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = line.iter().map(|point| (point.0 - x).powi(2)).sum();
    runway(points, above / below)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn median_of_intervals(points: &[Point]) -> Option<f64> {
    runway(points, median(falls(points).iter().map(|fall| fall.2 / (fall.1 - fall.0)).collect())?)
}

/// What was consumed on each of the days before the newest reading, oldest first.
fn days(points: &[Point]) -> Vec<f64> {
    let falls = falls(points);
    let end = falls.last().map_or(0.0, |fall| fall.1);
    let mut days = vec![0.0; end.ceil() as usize];
    let count = days.len();
    for (_, at, fall) in falls {
        days[count - 1 - ((end - at) as usize).min(count - 1)] += fall;
    }
    days
}

fn median_of_days(points: &[Point]) -> Option<f64> {
    runway(points, median(days(points))?)
}

fn moving_average(points: &[Point]) -> Option<f64> {
    let average = days(points).into_iter().reduce(|average, day| 0.7 * average + 0.3 * day)?;
    runway(points, average)
}

fn last_day(points: &[Point]) -> Option<f64> {
    runway(points, *days(points).last()?)
}
