//! A balance over time in braille characters, each of which is two dots wide and four high, or in ASCII where a terminal has none.

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use unicode_width::UnicodeWidthStr;

use crate::model::amount;
use crate::model::words::{Language, words};
use crate::report::curve::{Curve, Frame, Spot};

words! { flag
    /// What a chart is drawn with.
    #[derive(Default)]
    pub(crate) enum Style {
        /// On a terminal, braille where its locale is UTF-8, else ASCII
        #[default]
        Auto = "auto",
        /// Braille characters
        Braille = "braille",
        /// Plain ASCII
        Ascii = "ascii",
        /// No chart
        None = "none",
    }
}

/// The height of a chart, in characters.
const ROWS: usize = 10;
/// The least and the most characters in a row, without the labels.
const COLUMNS: [usize; 2] = [24, 200];

/// How a curve is drawn.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// The characters in a line, with the labels.
    pub(super) width: usize,
    pub(super) is_ascii: bool,
    pub(super) language: Language,
}

/// What a dot is part of. The last of several is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Dot {
    #[default]
    Blank,
    Threshold,
    Forecast,
    Past,
}

/// Rows of dots, from the left and from the top.
struct Canvas {
    /// The characters in a row.
    columns: usize,
    dots: Vec<Vec<Dot>>,
}

impl Canvas {
    fn new(columns: usize) -> Canvas {
        Canvas { columns, dots: vec![vec![Dot::Blank; 2 * columns]; 4 * ROWS] }
    }

    fn set(&mut self, (x, y): (f64, f64), what: Dot) {
        let (x, y) = (x.round(), y.round());
        let dot = (x >= 0.0 && y >= 0.0).then(|| self.dots.get_mut(y as usize)?.get_mut(x as usize)).flatten();
        if let Some(dot) = dot {
            *dot = what.max(*dot);
        }
    }

    /// A line of dots, every so many of which is set.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), (every, what): (usize, Dot)) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().clamp(1.0, 10_000.0);
        for step in (0..=steps as usize).step_by(every) {
            let part = step as f64 / steps;
            self.set((from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part), what);
        }
    }

    fn rows(&self, is_ascii: bool) -> impl Iterator<Item = String> {
        // The bit of each dot, from the top, left and right.
        const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        self.dots.chunks(4).map(move |rows| {
            let cell = |column: usize| {
                let dots = rows.iter().zip(BITS).flat_map(|(row, bits)| row[2 * column..2 * column + 2].iter().zip(bits));
                let (mut set, mut seen) = (0, Dot::Blank);
                for (dot, bit) in dots {
                    set += if *dot == Dot::Blank { 0 } else { bit };
                    seen = seen.max(*dot);
                }
                match seen {
                    Dot::Blank => ' ',
                    _ if !is_ascii => char::from_u32(0x2800 + set).unwrap_or(' '),
                    Dot::Threshold => '-',
                    Dot::Forecast => '.',
                    Dot::Past => '*',
                }
            };
            (0..self.columns).map(cell).collect()
        })
    }
}

/// Where a spot of the curve stands among so many dots.
fn place(frame: &Frame, columns: usize, (at, amount): Spot) -> (f64, f64) {
    let x = (at - frame.from) / (frame.until - frame.from).max(1.0) * (2 * columns - 1) as f64;
    let y = (frame.most - amount) / (frame.most - frame.least) * (4 * ROWS - 1) as f64;
    (x, y)
}

/// The chart with its labels; empty without two readings.
pub(super) fn draw(curve: &Curve, look: Look) -> String {
    let Some(frame) = curve.frame() else { return String::new() };
    let labels = labels(curve, &frame);
    let width = labels.iter().map(|(_, label)| label.width()).max().unwrap_or_default();
    // Beside the labels stand a blank on each side and the line.
    let columns = look.width.saturating_sub(width + 3).clamp(COLUMNS[0], COLUMNS[1]);
    let place = |spot: Spot| place(&frame, columns, spot);
    let mut canvas = Canvas::new(columns);
    if let Some(threshold) = curve.threshold() {
        canvas.line(place((frame.from, threshold)), place((frame.until, threshold)), (3, Dot::Threshold));
    }
    for part in curve.parts() {
        part.iter().for_each(|spot| canvas.set(place(*spot), Dot::Past));
        for pair in part.windows(2) {
            canvas.line(place(pair[0]), place(pair[1]), (1, Dot::Past));
        }
    }
    if let Some((from, ends)) = curve.cone() {
        for (end, every) in ends.into_iter().zip([4, 2, 4]) {
            canvas.line(place(from), place(end), (every, Dot::Forecast));
        }
    }
    labelled(&canvas, look, &frame, (&labels, width)) + &legend(curve, look)
}

/// What the lines are that are no balances; empty without them.
fn legend(curve: &Curve, look: Look) -> String {
    let is_chinese = look.language == Language::Zh;
    let (dash, dot) = match (look.is_ascii, is_chinese) {
        (true, _) => ("- ", ". "),
        (false, false) => ("dashed: ", "dotted: "),
        (false, true) => ("虚线：", "点线："),
    };
    let (threshold, forecast) = if is_chinese { ("阈值", "预测") } else { ("threshold", "forecast") };
    let shown = curve.threshold.map(|amount| format!("{dash}{threshold} {}", amount::show(amount, curve.currency)));
    let ahead = curve.ahead.as_ref().map(|_| format!("{dot}{forecast}"));
    let parts: Vec<String> = shown.into_iter().chain(ahead).collect();
    if parts.is_empty() { String::new() } else { format!(" {}\n", parts.join(if is_chinese { "，" } else { ", " })) }
}

/// The amounts beside the rows.
fn labels(curve: &Curve, frame: &Frame) -> [(usize, String); 3] {
    let label = |amount: f64| {
        let amount = Decimal::from_f64(amount).map(|amount| amount.round_sf(6).unwrap_or(amount));
        amount.map(|amount| amount::show(amount, curve.currency)).unwrap_or_default()
    };
    let middle = f64::midpoint(frame.least, frame.most);
    [(0, label(frame.most)), (ROWS / 2, label(middle)), (ROWS - 1, label(frame.least))]
}

fn labelled(canvas: &Canvas, look: Look, frame: &Frame, (labels, width): (&[(usize, String)], usize)) -> String {
    let (line, corner) = if look.is_ascii { ('|', '+') } else { ('│', '└') };
    let mut out = String::new();
    for (number, row) in canvas.rows(look.is_ascii).enumerate() {
        let label = labels.iter().find(|(at, _)| *at == number).map_or("", |(_, label)| label.as_str());
        let blank = " ".repeat(width - label.width());
        out += &format!(" {blank}{label} {line}{}\n", row.trim_end());
    }
    let day = |at: f64| {
        Timestamp::from_millisecond(at as i64).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
    };
    let (from, until) = (day(frame.from), day(frame.until));
    let between = " ".repeat(canvas.columns.saturating_sub(from.len() + until.len()).max(1));
    out += &format!(" {} {corner}{from}{between}{until}\n", " ".repeat(width));
    out
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const WIDTH: usize = 80;
    /// The characters in a row beside `100.00 USD`.
    const COLUMNS: usize = WIDTH - 13;

    const LOOK: Look = Look { width: WIDTH, is_ascii: false, language: Language::En };

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
        let drawn = draw(chart, LOOK);
        drawn.lines().filter_map(|line| Some(line.split_once('│')?.1.to_owned())).collect()
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let all: Vec<(i64, Option<i64>)> = (0..=60).map(|hour| (hour, Some(100))).collect();
        let top = rows(&chart(&all))[0].clone();
        assert_eq!(top.chars().count(), COLUMNS);
        assert!(!top.contains(' '), "{top}");
        for (name, with_gap) in [
            ("missing", all.iter().filter(|(hour, _)| !(20..40).contains(hour)).copied().collect::<Vec<_>>()),
            ("failed", all.iter().map(|(hour, one)| (*hour, one.filter(|_| !(20..40).contains(hour)))).collect()),
        ] {
            let top = rows(&chart(&with_gap))[0].clone();
            let blank = top.chars().filter(|c| *c == ' ').count();
            assert!((20..=23).contains(&blank), "{name}: {blank} of {top}");
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
        assert!(middle.chars().filter(|c| *c != ' ').count() >= COLUMNS / 2, "{middle}");
        let drawn = draw(&chart, LOOK);
        for label in ["200.00 USD │", "100.00 USD │", "0.00 USD │", "└2026-11-01", "2026-11-04"] {
            assert!(drawn.contains(label), "{label}: {drawn}");
        }
    }

    #[test]
    fn it_is_as_wide_as_the_terminal_and_ascii_where_that_has_nothing_else() {
        let mut chart = chart(&(0..=48).map(|hour| (hour, Some(200 - 2 * hour))).collect::<Vec<_>>());
        let (at, balance) = *chart.readings.last().unwrap();
        chart.ahead = Some((at, balance.unwrap(), [0.5, 1.0, 1.0]));
        chart.threshold = Some(Decimal::from(50));
        for (width, want) in [(0, 37), (40, 40), (80, 80), (132, 132), (1000, 213)] {
            for is_ascii in [false, true] {
                let drawn = draw(&chart, Look { width, is_ascii, ..LOOK });
                let widest = drawn.lines().take(ROWS + 1).map(UnicodeWidthStr::width).max();
                assert_eq!(widest, Some(want), "{width}: {drawn}");
                assert_eq!(drawn.is_ascii(), is_ascii, "{drawn}");
            }
        }
        let drawn = draw(&chart, Look { is_ascii: true, ..LOOK });
        for part in [" 200.00 USD |***", "-- --", "...", "+2026-11-01", " - threshold 50.00 USD, . forecast\n"] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        let drawn = draw(&chart, Look { language: Language::Zh, ..LOOK });
        assert!(drawn.ends_with(" 虚线：阈值 50.00 USD，点线：预测\n"), "{drawn}");
    }

    #[test]
    fn what_has_no_shape_is_not_drawn() {
        for balances in [&[][..], &[(0, Some(5))], &[(0, None), (1, None)], &[(0, Some(0)), (1, Some(0))]] {
            assert_eq!(draw(&chart(balances), LOOK), "");
        }
    }
}
