//! How balances went: the samples, and what they come to.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::amount;
use crate::cli::{SeriesOutput, Since};
use crate::report::{columns, iso};
use crate::state::views::Series;
use crate::text::{self, ShortNames};

/// Widest sparkline, in columns.
const SPARKS: usize = 24;

/// What a series comes to. Samples without a balance are counted, and nothing else.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    min: Option<Decimal>,
    max: Option<Decimal>,
    mean: Option<Decimal>,
    last: Option<Decimal>,
    /// Last minus first.
    change: Option<Decimal>,
    /// Of the first, two decimals; none if that is zero.
    change_percent: Option<Decimal>,
}

fn figures(balances: &[Decimal]) -> Figures {
    let (Some(first), Some(last)) = (balances.first(), balances.last()) else {
        return Figures::default();
    };
    let sum = balances.iter().try_fold(Decimal::ZERO, |sum, balance| sum.checked_add(*balance));
    let mean = sum.and_then(|sum| sum.checked_div(Decimal::from(balances.len())));
    let change = last.checked_sub(*first);
    let percent = change.and_then(|change| change.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(first.abs()));
    Figures {
        min: balances.iter().min().copied(),
        max: balances.iter().max().copied(),
        mean: mean.map(|mean| mean.round_dp(6).normalize()),
        last: Some(*last),
        change,
        change_percent: percent.map(|percent| percent.round_dp(2).normalize()),
    }
}

fn balances(series: &Series) -> Vec<Decimal> {
    series.samples.iter().filter_map(|sample| sample.balance).collect()
}

pub(super) fn render(series: &[Series], since: Since, output: SeriesOutput) -> String {
    match output {
        SeriesOutput::Table => table(series, since),
        SeriesOutput::Json => json(series),
        SeriesOutput::Csv => csv(series),
    }
}

fn table(series: &[Series], since: Since) -> String {
    let shown: Vec<&Series> = series.iter().filter(|series| !series.samples.is_empty()).collect();
    if shown.is_empty() {
        return format!("no samples since {since}\n");
    }
    let names = ShortNames::new(shown.iter().map(|series| series.name.as_str()), text::NAME_CHARS);
    let rows = shown
        .into_iter()
        .map(|series| {
            let figures = figures(&balances(series));
            let show = |amount: Option<Decimal>| {
                amount.map_or_else(|| "-".to_owned(), |amount| amount::show(amount, series.currency.as_deref()))
            };
            let signed = |amount: Option<Decimal>, text: String| match amount {
                Some(amount) if amount > Decimal::ZERO => format!("+{text}"),
                _ => text,
            };
            let percent = figures.change_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
            vec![
                names.get(&series.name).to_owned(),
                series.provider.clone(),
                series.samples.len().to_string(),
                show(figures.min),
                show(figures.max),
                show(figures.mean),
                show(figures.last),
                signed(figures.change, show(figures.change)),
                signed(figures.change_percent, percent),
                sparkline(series),
            ]
        })
        .collect();
    let headings = ["PROJECT", "PROVIDER", "SAMPLES", "MIN", "MAX", "MEAN", "LAST", "CHANGE", "CHANGE %", "TREND"];
    columns(&headings, rows, &[2, 3, 4, 5, 6, 7, 8])
}

/// The balances over the samples, oldest first; a place without any reading is a dot.
fn sparkline(series: &Series) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let samples: Vec<Option<Decimal>> = series.samples.iter().map(|sample| sample.balance).collect();
    let width = samples.len().min(SPARKS);
    let points: Vec<Option<Decimal>> = (0..width)
        .map(|column| {
            let part = &samples[column * samples.len() / width..(column + 1) * samples.len() / width];
            part.iter().rev().find_map(|balance| *balance)
        })
        .collect();
    let known = || points.iter().flatten();
    let (Some(min), Some(max)) = (known().min(), known().max()) else {
        return String::new();
    };
    let range = max.checked_sub(*min).filter(|range| !range.is_zero());
    points
        .iter()
        .map(|point| match (point, range) {
            (None, _) => '·',
            (Some(_), None) => BARS[3],
            (Some(point), Some(range)) => {
                let part = point.checked_sub(*min).and_then(|above| above.checked_div(range)).unwrap_or_default();
                // 0 to 1, so 0 to 7.
                let step = (part * Decimal::from(7)).round();
                BARS[usize::try_from(step).unwrap_or_default().min(7)]
            }
        })
        .collect()
}

#[derive(Serialize)]
struct JsonSeries<'a> {
    name: &'a str,
    provider: &'a str,
    currency: Option<&'a str>,
    count: usize,
    min: Option<Box<RawValue>>,
    max: Option<Box<RawValue>>,
    mean: Option<Box<RawValue>>,
    change: Option<Box<RawValue>>,
    change_percent: Option<Box<RawValue>>,
    samples: Vec<JsonSample<'a>>,
}

#[derive(Serialize)]
struct JsonSample<'a> {
    time: String,
    status: &'a str,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    reason: Option<&'a str>,
}

fn json(series: &[Series]) -> String {
    let projects: Vec<JsonSeries> = series
        .iter()
        .map(|series| {
            let figures = figures(&balances(series));
            JsonSeries {
                name: &series.name,
                provider: &series.provider,
                currency: series.currency.as_deref(),
                count: series.samples.len(),
                min: figures.min.map(amount::to_json),
                max: figures.max.map(amount::to_json),
                mean: figures.mean.map(amount::to_json),
                change: figures.change.map(amount::to_json),
                change_percent: figures.change_percent.map(amount::to_json),
                samples: series
                    .samples
                    .iter()
                    .map(|sample| JsonSample {
                        time: iso(sample.at),
                        status: &sample.status,
                        balance: sample.balance.map(amount::to_json),
                        threshold: sample.threshold.map(amount::to_json),
                        reason: sample.reason.as_deref(),
                    })
                    .collect(),
            }
        })
        .collect();
    #[derive(Serialize)]
    struct Root<'a> {
        schema_version: u32,
        projects: Vec<JsonSeries<'a>>,
    }
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&Root { schema_version: 1, projects }).unwrap_or_default() + "\n"
}

fn csv(series: &[Series]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let number = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string()).unwrap_or_default();
    // Writing to memory cannot fail.
    let _ =
        writer.write_record(["time", "project", "provider", "status", "balance", "threshold", "currency", "reason"]);
    for series in series {
        for sample in &series.samples {
            let _ = writer.write_record([
                iso(sample.at).as_str(),
                &series.name,
                &series.provider,
                &sample.status,
                &number(sample.balance),
                &number(sample.threshold),
                series.currency.as_deref().unwrap_or_default(),
                sample.reason.as_deref().unwrap_or_default(),
            ]);
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::views::Sample;
    use jiff::Timestamp;

    fn series(balances: &[&str]) -> Series {
        let samples = balances.iter().map(|balance| Sample {
            at: Timestamp::UNIX_EPOCH,
            status: "ok".into(),
            reason: None,
            balance: balance.parse().ok(),
            threshold: None,
        });
        Series { name: "A".into(), provider: "file".into(), currency: None, samples: samples.collect() }
    }

    #[test]
    fn figures_are_exact() {
        let of = |texts: &[&str]| figures(&balances(&series(texts)));
        let some = |text: &str| Some(text.parse::<Decimal>().unwrap());
        assert_eq!(of(&["x", "x"]), Figures::default());
        let got = of(&["10", "x", "0.1", "20.2"]);
        assert_eq!(got.min, some("0.1"));
        assert_eq!(got.max, some("20.2"));
        assert_eq!(got.mean, some("10.1"));
        assert_eq!(got.change, some("10.2"));
        assert_eq!(got.change_percent, some("102"));
        assert_eq!(of(&["0", "5"]).change_percent, None);
        assert_eq!(of(&["-10", "-15"]).change_percent, some("-50"));
        let huge = "79228162514264337593543950335";
        assert_eq!(of(&[huge, huge]).mean, None, "what cannot be said is not said");
        assert_eq!(of(&[huge, huge]).max, some(huge));
    }

    #[test]
    fn a_sparkline_shows_the_shape_and_the_gaps() {
        for (balances, want) in [
            (&["1", "2", "3", "4", "5", "6", "7", "8"][..], "▁▂▃▄▅▆▇█"),
            (&["5", "5"], "▄▄"),
            (&["8", "x", "1"], "█·▁"),
            (&["x"], ""),
            (&[], ""),
        ] {
            assert_eq!(sparkline(&series(balances)), want);
        }
        let long: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let line = sparkline(&series(&long.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(line.chars().count(), SPARKS);
        assert!(line.starts_with('▁') && line.ends_with('█'), "{line}");
    }
}
