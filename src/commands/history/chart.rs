//! A balance over time in braille characters, each of which is two dots wide and four high.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use crate::model::amount;
use crate::report::curve::{Curve, Frame, Spot};

/// The size of a chart, in characters. With its labels it fits a terminal of 80 columns.
const COLUMNS: usize = 60;
const ROWS: usize = 10;

/// Dots, from the left and from the top.
struct Canvas(Vec<[[bool; 2 * COLUMNS]; 4]>);

impl Canvas {
    fn set(&mut self, x: f64, y: f64) {
        let (x, y) = (x.round(), y.round());
        let is_inside = x >= 0.0 && x < (2 * COLUMNS) as f64 && y >= 0.0 && y < (4 * ROWS) as f64;
        if is_inside {
            self.0[y as usize / 4][y as usize % 4][x as usize] = true;
        }
    }

    /// A line of dots, every so many of which is set.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), every: usize) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().clamp(1.0, 10_000.0);
        for step in (0..=steps as usize).step_by(every) {
            let part = step as f64 / steps;
            self.set(from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
        }
    }

    fn rows(&self) -> impl Iterator<Item = String> {
        // The bit of each dot, from the top, left and right.
        const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        self.0.iter().map(|row| {
            let cell = |column: usize| {
                let dots = (0..4).flat_map(|y| (0..2).map(move |x| (y, x)));
                let set = dots.filter(|(y, x)| row[*y][2 * column + x]).map(|(y, x)| BITS[y][x]);
                char::from_u32(0x2800 + set.sum::<u32>()).unwrap_or(' ')
            };
            (0..COLUMNS).map(cell).collect()
        })
    }
}

/// Where a spot of the curve stands on the canvas.
fn place(frame: &Frame, (at, amount): Spot) -> (f64, f64) {
    let x = (at - frame.from) / (frame.until - frame.from).max(1.0) * (2 * COLUMNS - 1) as f64;
    let y = (frame.most - amount) / (frame.most - frame.least) * (4 * ROWS - 1) as f64;
    (x, y)
}

/// The chart with its labels; empty without two readings.
pub(super) fn draw(curve: &Curve) -> String {
    let Some(frame) = curve.frame() else { return String::new() };
    let place = |spot: Spot| place(&frame, spot);
    let mut canvas = Canvas(vec![[[false; 2 * COLUMNS]; 4]; ROWS]);
    if let Some(threshold) = curve.threshold() {
        canvas.line(place((frame.from, threshold)), place((frame.until, threshold)), 3);
    }
    for part in curve.parts() {
        for spot in &part {
            let (x, y) = place(*spot);
            canvas.set(x, y);
        }
        for pair in part.windows(2) {
            canvas.line(place(pair[0]), place(pair[1]), 1);
        }
    }
    if let Some((from, ends)) = curve.cone() {
        for (end, every) in ends.into_iter().zip([4, 2, 4]) {
            canvas.line(place(from), place(end), every);
        }
    }
    labelled(&canvas, curve, &frame)
}

fn labelled(canvas: &Canvas, curve: &Curve, frame: &Frame) -> String {
    let label = |amount: f64| {
        let amount = Decimal::from_f64(amount).map(|amount| amount.round_sf(6).unwrap_or(amount));
        amount.map(|amount| amount::show(amount, curve.currency)).unwrap_or_default()
    };
    let middle = f64::midpoint(frame.least, frame.most);
    let labels = [(0, label(frame.most)), (ROWS / 2, label(middle)), (ROWS - 1, label(frame.least))];
    let width = labels.iter().map(|(_, label)| unicode_width::UnicodeWidthStr::width(label.as_str())).max();
    let width = width.unwrap_or_default();
    let mut out = String::new();
    for (number, row) in canvas.rows().enumerate() {
        let label = labels.iter().find(|(at, _)| *at == number).map_or("", |(_, label)| label.as_str());
        let blank = " ".repeat(width - unicode_width::UnicodeWidthStr::width(label));
        out += &format!(" {blank}{label} │{}\n", row.trim_end_matches('\u{2800}'));
    }
    let day = |at: f64| {
        Timestamp::from_millisecond(at as i64).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
    };
    let (from, until) = (day(frame.from), day(frame.until));
    let between = " ".repeat(COLUMNS.saturating_sub(from.len() + until.len()));
    out += &format!(" {} └{from}{between}{until}\n", " ".repeat(width));
    out
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn chart(balances: &[(i64, Option<i64>)]) -> Curve<'static> {
        let begin: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let reading = |(hour, balance): &(i64, Option<i64>)| {
            (begin + SignedDuration::from_hours(*hour), balance.map(Decimal::from))
        };
        let readings = balances.iter().map(reading).collect();
        Curve { readings, threshold: None, currency: Some("USD"), ahead: None }
    }

    /// The rows of dots, without the labels.
    fn rows(chart: &Curve) -> Vec<String> {
        let drawn = draw(chart);
        drawn.lines().filter_map(|line| Some(line.split_once('│')?.1.to_owned())).collect()
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let all: Vec<(i64, Option<i64>)> = (0..=60).map(|hour| (hour, Some(100))).collect();
        let top = rows(&chart(&all))[0].clone();
        assert_eq!(top.chars().count(), COLUMNS);
        assert!(!top.contains('\u{2800}'), "{top}");
        for (name, with_gap) in [
            ("missing", all.iter().filter(|(hour, _)| !(20..40).contains(hour)).copied().collect::<Vec<_>>()),
            ("failed", all.iter().map(|(hour, one)| (*hour, one.filter(|_| !(20..40).contains(hour)))).collect()),
        ] {
            let top = rows(&chart(&with_gap))[0].clone();
            let blank = top.chars().filter(|c| *c == '\u{2800}').count();
            assert!((18..=21).contains(&blank), "{name}: {blank} of {top}");
        }
    }

    #[test]
    fn the_forecast_ends_at_the_bottom_and_the_threshold_is_a_line() {
        let mut chart = chart(&(0..=48).map(|hour| (hour, Some(200 - 2 * hour))).collect::<Vec<_>>());
        let only_past = rows(&chart);
        assert!(only_past[ROWS - 1].is_empty(), "it ends at 104 of 200: {only_past:#?}");
        let (at, balance) = *chart.readings.last().unwrap();
        chart.ahead = Some((at, balance.unwrap(), [0.5, 1.0, 1.0]));
        assert_eq!(rows(&chart)[ROWS - 1].chars().count(), COLUMNS, "the usual end is the right end");
        chart.threshold = Some(Decimal::from(100));
        let middle = rows(&chart)[ROWS / 2 - 1].clone() + &rows(&chart)[ROWS / 2];
        assert!(middle.chars().filter(|c| *c != '\u{2800}').count() >= COLUMNS / 2, "{middle}");
        let drawn = draw(&chart);
        for label in ["200.00 USD │", "100.00 USD │", "0.00 USD │", "└2026-11-01", "2026-11-04"] {
            assert!(drawn.contains(label), "{label}: {drawn}");
        }
    }

    #[test]
    fn what_has_no_shape_is_not_drawn() {
        for balances in [&[][..], &[(0, Some(5))], &[(0, None), (1, None)], &[(0, Some(0)), (1, Some(0))]] {
            assert_eq!(draw(&chart(balances)), "");
        }
    }
}
