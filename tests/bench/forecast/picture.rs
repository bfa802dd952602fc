//! Forecasts that were more than half too long, as bars: this program at the fast rate, which alerts, beside other formulas.

use std::fmt::Write;

use crate::accounts::{Kind, Reading};
use crate::measure::{READINGS, Result, Said};

const LEFT: f64 = 90.0;
const PANEL: f64 = 290.0;
const GAP: f64 = 30.0;
const TOP: f64 = 80.0;
const ROW: f64 = 44.0;
const BAR: f64 = 10.0;
const WIDTH: f64 = LEFT + 2.0 * PANEL + GAP + 20.0;
const HEIGHT: f64 = TOP + 12.0 * ROW + 60.0;

/// A way of counting, its colour, and where it stands in a result.
type Bars = (&'static str, &'static str, fn(&Result) -> &Said);

const BARS: [Bars; 3] = [
    ("falls over the span", "#9a9a9a", |result| &result.rivals[0]),
    ("the last 24 hours", "#d1600a", |result| &result.rivals[5]),
    ("this program, fast rate", "#0b62c4", |result| &result.fast),
];

/// The panels, from the left.
const PANELS: [(&str, Reading); 2] =
    [("every six hours, no top-ups", READINGS[1]), ("once a day, three top-ups a week", READINGS[5])];

pub(crate) fn draw(results: &[Result]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"16\">Forecasts that were more than half too long, percent</text>\n"
    );
    for (row, kind) in Kind::ALL.iter().enumerate() {
        text(&mut svg, LEFT - 10.0, TOP + ROW * (row as f64 + 0.5) + 4.0, "end", kind.name());
    }
    for (number, (title, reading)) in PANELS.iter().enumerate() {
        panel(&mut svg, results, LEFT + number as f64 * (PANEL + GAP), title, *reading);
    }
    let mut at = LEFT;
    for (name, colour, _) in BARS {
        let y = HEIGHT - 20.0;
        let _ =
            writeln!(svg, "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>", y - 11.0);
        text(&mut svg, at + 18.0, y, "start", name);
        at += 190.0;
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, results: &[Result], left: f64, title: &str, reading: Reading) {
    text(svg, left, TOP - 26.0, "start", title);
    for percent in [0, 25, 50, 75, 100] {
        let x = left + PANEL * f64::from(percent) / 100.0;
        let bottom = TOP + ROW * Kind::ALL.len() as f64;
        let _ = writeln!(svg, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#e4e4e4\"/>");
        text(svg, x, TOP - 8.0, "middle", &percent.to_string());
    }
    for (row, kind) in Kind::ALL.iter().enumerate() {
        let Some(result) = results.iter().find(|result| result.kind == *kind && result.reading == reading) else {
            continue;
        };
        for (bar, (_, colour, said)) in BARS.iter().enumerate() {
            let said = said(result);
            let up = TOP + ROW * row as f64 + 6.0 + bar as f64 * (BAR + 1.0);
            // Where hardly any account has a date there is nothing to compare.
            match said.late().filter(|_| said.said() >= 0.1) {
                Some(late) => {
                    let width = (PANEL * late).max(1.5);
                    let _ = writeln!(
                        svg,
                        "<rect x=\"{left:.1}\" y=\"{up:.1}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>"
                    );
                }
                None => small(svg, left + 4.0, up + BAR - 1.0, "no date: irregular"),
            }
        }
    }
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

fn small(svg: &mut String, x: f64, y: f64, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"10\" fill=\"#0b62c4\">{words}</text>");
}
