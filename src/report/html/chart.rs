//! Charts as SVG: the balance of an account, and how long runs took. A chart has no more spots than can be told apart.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use svg::node::element::Element;
use svg::node::{Blob, Node};

use crate::decide::forecast::Movement;
use crate::report::curve::{Curve, Frame, Spot};

use super::markup::{day, minute, money};

/// The size of a drawing, and how many columns of it can be told apart.
#[derive(Clone, Copy)]
struct Canvas {
    width: f64,
    height: f64,
    /// Room for labels above the drawing, and below it.
    above: f64,
    below: f64,
    columns: f64,
}

const CHART: Canvas = Canvas { width: 720.0, height: 270.0, above: 28.0, below: 30.0, columns: 180.0 };
const SPARK: Canvas = Canvas { width: 120.0, height: 30.0, above: 2.0, below: 2.0, columns: 30.0 };

/// A gap that is shorter than this part of the time that is drawn cannot be seen, and is none.
const SEEN: f64 = 1.0 / 300.0;

/// An element with its attributes. What is written into them is of this program: numbers, and words of its own.
fn element(name: &str, attributes: &[(&str, &str)]) -> Element {
    let mut element = Element::new(name);
    for (name, value) in attributes {
        element.assign(*name, *value);
    }
    element
}

/// An element with a text in it, which is harmless already.
fn with_text(name: &str, attributes: &[(&str, &str)], text: &str) -> Element {
    let mut element = element(name, attributes);
    element.append(Blob::new(text));
    element
}

impl Canvas {
    fn place(&self, frame: &Frame, (at, amount): Spot) -> (i64, i64) {
        let x = (at - frame.from) / (frame.until - frame.from).max(1.0) * self.width;
        let room = self.height - self.above - self.below;
        let y = self.above + (frame.most - amount) / (frame.most - frame.least) * room;
        (x.round() as i64, y.round() as i64)
    }

    fn picture(&self, class: &str) -> Element {
        element("svg", &[("class", class), ("viewBox", &format!("0 0 {} {}", self.width, self.height))])
    }

    /// A path through spots, which is closed with `Z`.
    fn path(&self, frame: &Frame, class: &str, parts: &[Vec<Spot>], end: &str) -> Element {
        let mut path = String::new();
        for part in parts {
            let (mut before, mut spots) = (None, 0);
            for spot in part {
                let at = self.place(frame, *spot);
                match before {
                    Some(before) if before == at => continue,
                    Some(_) => path.push_str(if path.ends_with(|c: char| c.is_ascii_digit()) { " " } else { "" }),
                    None => path.push('M'),
                }
                path.push_str(&format!("{} {}", at.0, at.1));
                before = Some(at);
                spots += 1;
            }
            // A single spot is a line without a length, which has round ends.
            path.push_str(if spots == 1 { "h0" } else { end });
        }
        element("path", &[("class", class), ("d", &path)])
    }

    /// The curve, its threshold and its forecast.
    fn draw(&self, picture: &mut Element, curve: &Curve, frame: &Frame) {
        if let Some((from, [least, usual, most])) = curve.cone() {
            picture.append(self.path(frame, "cone", &[vec![from, least, most]], "Z"));
            picture.append(self.path(frame, "usual", &[vec![from, usual]], ""));
        }
        if let Some(threshold) = curve.threshold() {
            picture.append(self.level(frame, "limit", threshold));
        }
        picture.append(self.path(frame, "past", &seen(curve.parts(), frame, self.columns), ""));
    }

    fn level(&self, frame: &Frame, class: &str, amount: f64) -> Element {
        self.path(frame, class, &[vec![(frame.from, amount), (frame.until, amount)]], "")
    }
}

/// The parts of a curve without what cannot be seen: gaps that are too short, and spots in a column between its least and its most.
fn seen(parts: Vec<Vec<Spot>>, frame: &Frame, columns: f64) -> Vec<Vec<Spot>> {
    let span = (frame.until - frame.from).max(1.0);
    let mut joined: Vec<Vec<Spot>> = Vec::new();
    for part in parts {
        let end = joined.last().and_then(|before| before.last());
        let is_gap = match (end, part.first()) {
            (Some(end), Some(begin)) => begin.0 - end.0 > SEEN * span,
            _ => true,
        };
        match joined.last_mut().filter(|_| !is_gap) {
            Some(before) => before.extend(part),
            None => joined.push(part),
        }
    }
    let column = |spot: &Spot| ((spot.0 - frame.from) / span * columns).floor();
    for part in &mut joined {
        let ends = [part.first().copied(), part.last().copied()];
        let columns = part.chunk_by(|one, next| column(one) == column(next)).flat_map(extremes);
        *part = ends[0].into_iter().chain(columns).chain(ends[1]).collect();
        part.dedup();
    }
    joined
}

/// The spots of a column that matter: its least and its most, in the order of time.
fn extremes(spots: &[Spot]) -> impl Iterator<Item = Spot> {
    let by_amount = |one: &&Spot, other: &&Spot| one.1.total_cmp(&other.1);
    let mut ends = [spots.iter().min_by(by_amount), spots.iter().max_by(by_amount)];
    ends.sort_by(|one, other| one.map(|spot| spot.0).partial_cmp(&other.map(|spot| spot.0)).unwrap_or(Ordering::Equal));
    ends.into_iter().flatten().copied()
}

/// A small picture of a balance, without words; empty if there is nothing to draw.
pub(super) fn spark(curve: &Curve) -> String {
    let Some(frame) = curve.frame() else { return String::new() };
    let mut picture = SPARK.picture("spark");
    picture.assign("aria-hidden", "true");
    SPARK.draw(&mut picture, curve, &frame);
    picture.to_string()
}

/// The chart of a balance; empty if there is nothing to draw. `title` says in words what it shows, and is harmless already.
pub(super) fn chart(curve: &Curve, top_ups: &[Movement], title: &str) -> String {
    let Some(frame) = curve.frame() else { return String::new() };
    let mut picture = CHART.picture("chart");
    picture.assign("role", "img");
    picture.append(with_text("title", &[], title));
    for level in [frame.most, frame.least] {
        picture.append(CHART.level(&frame, "level", level));
    }
    CHART.draw(&mut picture, curve, &frame);
    let marks = marks(curve, top_ups, &frame);
    if !marks.is_empty() {
        picture.append(element("path", &[("class", "topup"), ("d", &marks)]));
    }
    label(&mut picture, curve, &frame);
    picture.to_string()
}

/// A triangle below each top-up.
fn marks(curve: &Curve, top_ups: &[Movement], frame: &Frame) -> String {
    let mut marks = String::new();
    let mut last = None;
    for top_up in top_ups {
        let Some((at, Some(balance))) = curve.readings.iter().rev().find(|(at, _)| *at <= top_up.at) else { continue };
        let (x, y) = CHART.place(frame, (at.as_millisecond() as f64, decimal(*balance)));
        // Two at one place are one.
        if last.is_none_or(|last| x - last >= 6) {
            marks.push_str(&format!("M{x} {}l9 16h-18Z", y + 4));
            last = Some(x);
        }
    }
    marks
}

fn label(picture: &mut Element, curve: &Curve, frame: &Frame) {
    let amount = |amount: f64| {
        let amount = crate::model::amount::from_float(amount).ok().map(|amount| amount.round_sf(6).unwrap_or(amount));
        amount.map(|amount| money(amount, curve.currency)).unwrap_or_default()
    };
    let date = |at: f64| jiff::Timestamp::from_millisecond(at as i64).map(day).unwrap_or_default();
    let mut write = |x: f64, y: f64, more: (&str, &str), text: &str| {
        let (x, y) = (x.to_string(), y.to_string());
        picture.append(with_text("text", &[("x", &x), ("y", &y), more], text));
    };
    let (right, bottom) = (CHART.width, CHART.height - 4.0);
    write(0.0, 20.0, ("class", "most"), &amount(frame.most));
    write(0.0, bottom, ("class", "from"), &date(frame.from));
    write(right, bottom, ("text-anchor", "end"), &date(frame.until));
    if frame.least < 0.0 {
        write(right / 2.0, bottom, ("text-anchor", "middle"), &amount(frame.least));
    }
    if let Some(threshold) = curve.threshold.filter(|threshold| *threshold > Decimal::ZERO) {
        let (x, y) = CHART.place(frame, (frame.from, decimal(threshold)));
        let y = if y < 50 { y + 20 } else { y - 6 };
        write(x as f64, y as f64, ("class", "red"), &money(threshold, curve.currency));
    }
}

fn decimal(amount: Decimal) -> f64 {
    rust_decimal::prelude::ToPrimitive::to_f64(&amount).unwrap_or_default()
}

/// A run as a bar.
pub(super) struct Bar {
    pub(super) at: jiff::Timestamp,
    pub(super) seconds: f64,
    pub(super) tone: &'static str,
}

/// How long runs took, oldest first; empty without any. `title` says it in words, and is harmless already.
pub(super) fn bars(bars: &[Bar], title: &str) -> String {
    let longest = bars.iter().map(|bar| bar.seconds).fold(0.0, f64::max);
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return String::new() };
    let size = Canvas { width: 720.0, height: 170.0, above: 28.0, below: 30.0, columns: 0.0 };
    let mut picture = size.picture("chart");
    picture.assign("role", "img");
    picture.append(with_text("title", &[], title));
    let (step, room) = (size.width / bars.len() as f64, size.height - size.above - size.below);
    let number = |number: f64| ((number * 10.0).round() / 10.0).to_string();
    for (place, bar) in bars.iter().enumerate() {
        let height = (bar.seconds / longest.max(0.001) * room).max(2.0);
        let [x, y] = [number(place as f64 * step), number(size.above + room - height)];
        let (width, height) = (number((step * 0.8).min(24.0)), number(height));
        picture.append(element(
            "rect",
            &[("class", bar.tone), ("x", &x), ("y", &y), ("width", &width), ("height", &height)],
        ));
    }
    let bottom = number(size.height - 4.0);
    picture.append(with_text("text", &[("x", "0"), ("y", "20")], &format!("{} s", number(longest))));
    picture.append(with_text("text", &[("x", "0"), ("y", &bottom)], &minute(first.at)));
    picture.append(with_text("text", &[("x", "720"), ("y", &bottom), ("text-anchor", "end")], &minute(last.at)));
    picture.to_string()
}
