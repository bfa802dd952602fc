//! Wall time against accounts as SVG: the times on logarithmic axes, and below them how far each is above the limit.

use std::fmt::Write;

/// One curve.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) colour: String,
    /// Accounts and seconds.
    pub(crate) points: Vec<(f64, f64)>,
}

const LEFT: f64 = 70.0;
const RIGHT: f64 = 690.0;
const TOP: (f64, f64) = (50.0, 330.0);
const BELOW: (f64, f64) = (385.0, 535.0);
const MOST_ACCOUNTS: f64 = 10_000.0;

fn x(accounts: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * accounts.log10() / MOST_ACCOUNTS.log10()
}

/// 0.1 s to 100 s.
fn y(seconds: f64) -> f64 {
    TOP.1 - (TOP.1 - TOP.0) * (seconds.log10() + 1.0) / 3.0
}

/// The ratio to the limit, from 1.
fn share(ratio: f64, most: f64) -> f64 {
    BELOW.1 - (BELOW.1 - BELOW.0) * (ratio.clamp(1.0, most) - 1.0) / (most - 1.0)
}

/// The axis of the ratios: how far it goes, and where its lines are.
struct Ratios {
    most: f64,
    lines: Vec<f64>,
}

const ACCOUNTS: [f64; 8] = [1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10_000.0];
const SECONDS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

pub(crate) fn draw(curves: &[Series], limit: impl Fn(usize) -> f64) -> String {
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 580\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"720\" height=\"580\" fill=\"#fff\"/>\n\
         <text x=\"70\" y=\"28\" font-size=\"16\">Wall time against accounts: HTTPS, 200 ms answers, 50 at the same time</text>\n",
    );
    let largest = curves.iter().flat_map(|c| &c.points).map(|(n, s)| s / limit(*n as usize)).fold(1.03, f64::max);
    let step =
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0].into_iter().find(|step| largest <= 1.0 + 5.0 * step).unwrap_or(2.0);
    let ratios = Ratios { most: 1.0 + 5.0 * step, lines: (0..=5).map(|n| 1.0 + f64::from(n) * step).collect() };
    draw_axes(&mut svg, &ratios);
    draw_limit(&mut svg, &limit);
    for (index, curve) in curves.iter().enumerate() {
        draw_curve(&mut svg, index, curve, ratios.most, &limit);
    }
    draw_legend(&mut svg, curves);
    svg.push_str("</svg>\n");
    svg
}

fn draw_axes(svg: &mut String, ratios: &Ratios) {
    let mut line = |x1: f64, y1: f64, x2: f64, y2: f64| {
        let _ = writeln!(svg, "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#e4e4e4\"/>");
    };
    for at in ACCOUNTS {
        line(x(at), TOP.0, x(at), TOP.1);
        line(x(at), BELOW.0, x(at), BELOW.1);
    }
    for at in SECONDS {
        line(LEFT, y(at), RIGHT, y(at));
    }
    for at in &ratios.lines {
        line(LEFT, share(*at, ratios.most), RIGHT, share(*at, ratios.most));
    }
    let mut label = |x: f64, y: f64, anchor: &str, text: &str| {
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    };
    for at in SECONDS {
        label(LEFT - 14.0, y(at) + 4.0, "end", &format!("{at} s"));
    }
    for at in &ratios.lines {
        label(LEFT - 14.0, share(*at, ratios.most) + 4.0, "end", &format!("{at:.2}"));
    }
    for at in ACCOUNTS {
        label(x(at), BELOW.1 + 18.0, "middle", &format!("{at}"));
    }
    label((LEFT + RIGHT) / 2.0, BELOW.1 + 38.0, "middle", "accounts");
    label(LEFT, BELOW.0 - 12.0, "start", "the same against the limit, ceil(accounts / 50) x 200 ms");
}

/// The limit is a stair; between 1 and 50 accounts it is one answer.
fn draw_limit(svg: &mut String, limit: impl Fn(usize) -> f64) {
    let mut stair = String::new();
    for n in 0..=400 {
        let accounts = MOST_ACCOUNTS.powf(f64::from(n) / 400.0);
        let seconds = limit(accounts.round() as usize);
        let _ = write!(stair, "{:.1},{:.1} ", x(accounts), y(seconds));
    }
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#222\" stroke-dasharray=\"2 3\"/>",
        stair.trim_end()
    );
}

fn draw_curve(svg: &mut String, index: usize, curve: &Series, most: f64, limit: impl Fn(usize) -> f64) {
    let colour = &curve.colour;
    for is_share in [false, true] {
        let mut points = String::new();
        // Larger rings for those drawn first, so that none hides another.
        let radius = 8.0 - 2.5 * index as f64;
        for (accounts, seconds) in &curve.points {
            let up = if is_share { share(seconds / limit(*accounts as usize), most) } else { y(*seconds) };
            let _ = write!(points, "{:.1},{up:.1} ", x(*accounts));
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{up:.1}\" r=\"{radius}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>",
                x(*accounts)
            );
        }
        // Above, the times between the points follow the limit.
        if is_share {
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\"/>",
                points.trim_end()
            );
        }
    }
}

fn draw_legend(svg: &mut String, curves: &[Series]) {
    for (index, curve) in curves.iter().enumerate() {
        let up = TOP.0 + 20.0 + 20.0 * index as f64;
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{up:.1}\" r=\"5\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT + 20.0,
            curve.colour,
            LEFT + 34.0,
            up + 4.0,
            curve.name
        );
    }
    let up = TOP.0 + 20.0 + 20.0 * curves.len() as f64;
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{up:.1}\" x2=\"{:.1}\" y2=\"{up:.1}\" stroke=\"#222\" stroke-dasharray=\"2 3\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">the limit</text>",
        LEFT + 12.0,
        LEFT + 28.0,
        LEFT + 34.0,
        up + 4.0
    );
}
