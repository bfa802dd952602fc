//! `balance-alert history`: how balances went over time, and how long they last.

mod chart;
mod outlook;

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use self::chart::{Look, Style};
use self::outlook::{JsonOutlook, lines};
use super::health::ago;
use super::mails_told::{self, MailEntry, age_seconds};
use super::memory::{Answer, Found, answer, failed, find, leave};
use crate::cli::{Since, StoreArgs, parse_since};
use crate::decide::forecast::reads_from;
use crate::decide::forecast::account::{Foresight, Reading, foresee, is_counted_alike};
use crate::model::amount;
use crate::model::identity::Identity;
use crate::model::text::{self, ShortNames};
use crate::model::words::Language;
use crate::process::clock::{Clock, iso};
use crate::process::exit::Exit;
use crate::process::{Process, logging, output, watchdog};
use crate::report::curve::{self, Curve};
use crate::report::{amount_cell, columns};
use crate::yaml::forecasting::USUAL;
use crate::state::hourly_readings::Checks;
use crate::state::queries::{MailTold, Sample, Series};
use crate::state::stretch::Stretch;

/// Flags of `history`.
#[derive(Clone, Debug, Args)]
pub(super) struct Flags {
    /// Where the memory of runs is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Only this project, with a chart and how long it lasts
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As NAME, for scripts
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    pub project: Option<String>,
    /// Only since then: an age (7d, 15m, 1h30m) or a date in UTC (2026-11-01)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_since)]
    pub since: Since,
    /// What the chart of NAME is drawn with
    #[arg(long, value_enum, default_value_t, value_name = "STYLE")]
    pub chart: Style,
    /// The format of the answer
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: SeriesOutput,
}

/// The formats of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SeriesOutput {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// One line for each sample, for spreadsheets
    Csv,
}

/// `balance-alert history`.
pub(super) fn run(flags: &Flags, process: &Process) -> Exit {
    answer(process, watchdog::LONGEST, || ask(flags, process.clock))
}

fn ask(args: &Flags, clock: Clock) -> Answer {
    let found = find(&args.store, clock)?;
    let canvas = Canvas::of(args.chart, &found);
    let (mut store, format, place) = found.store()?;
    let now = clock.now();
    let project = args.name.as_ref().or(args.project.as_ref());
    let series = store.history(project.cloned(), args.since.before(now)).map_err(failed(format, &place))?;
    if let (Some(project), true) = (project, series.is_empty()) {
        let names: Vec<String> =
            store.status(Timestamp::MIN).map_err(failed(format, &place))?.into_iter().map(|known| known.name).collect();
        let near = text::nearest(project, names.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", text::list(names.iter().take(20).map(String::as_str))),
        };
        logging::complain(format, &format!("no run has seen a project `{project}`\n hint: {hint}"));
        return Err(Exit::Usage);
    }
    let mut past = Past::new();
    let since = reads_from(now, USUAL.window_days);
    match (project, args.output) {
        (_, SeriesOutput::Csv) | (None, SeriesOutput::Table) => {}
        (None, SeriesOutput::Json) => past = store.past(Checks::All, (since, now)).map_err(failed(format, &place))?,
        (Some(_), _) => {
            for series in &series {
                past.extend(store.past(Checks::One(series.check), (since, now)).map_err(failed(format, &place))?);
            }
        }
    }
    let mails = store.mails_told(args.since.before(now)).map_err(failed(format, &place))?;
    leave(store);
    let text = match args.output {
        SeriesOutput::Table => {
            let charts = series.iter().map(|series| charted(series, &past, &canvas, now)).collect::<String>();
            table(&series, args.since) + &by_mail(&series, &mails, now) + &charts
        }
        SeriesOutput::Json => json(&series, (&past, &mails), now),
        SeriesOutput::Csv => csv(&series),
    };
    Ok((text, Exit::Ok))
}

/// The readings that forecasts are made of.
type Past = BTreeMap<Identity, Vec<Reading>>;

fn foresight(series: &Series, past: &Past, now: Timestamp) -> Option<Foresight> {
    foresee(past.get(&series.check)?, series.currency.as_deref(), USUAL, now)
}

/// What a chart is drawn on.
struct Canvas {
    /// The characters in a line; none if nothing is drawn.
    width: Option<usize>,
    is_ascii: bool,
    language: Language,
}

/// The width of a chart that does not go to a terminal.
const USUAL_WIDTH: usize = 80;

impl Canvas {
    fn of(style: Style, found: &Found) -> Canvas {
        let terminal = output::terminal_width();
        let is_ascii = match style {
            Style::Auto => !found.has_braille,
            style => style == Style::Ascii,
        };
        let width = match style {
            Style::None => None,
            Style::Auto => terminal,
            Style::Braille | Style::Ascii => Some(terminal.unwrap_or(USUAL_WIDTH)),
        };
        Canvas { width, is_ascii, language: found.language }
    }
}

/// The chart of a project, and what is said of the days to come; empty if there is nothing to say of it.
fn charted(series: &Series, past: &Past, canvas: &Canvas, now: Timestamp) -> String {
    let Some(foresight) = foresight(series, past, now) else { return String::new() };
    let Newest { samples, currency, .. } = Newest::of(series);
    let curve = Curve {
        readings: samples.iter().map(|sample| (sample.at, sample.balance)).collect(),
        threshold: samples.iter().rev().find_map(|sample| sample.threshold),
        currency,
        ahead: curve::ahead(&foresight.forecast),
    };
    let draw = |width| chart::draw(&curve, Look { width, is_ascii: canvas.is_ascii, language: canvas.language });
    let drawn = canvas.width.map(draw).unwrap_or_default();
    format!("\n{drawn}{}", lines(&foresight, USUAL.window_days, canvas.language))
}

/// Which balances mails have told and how old they are, and the mails that alerts have told of, a line each.
fn by_mail(series: &[Series], mails: &[MailTold], now: Timestamp) -> String {
    let shown = || series.iter().filter(|series| !series.samples.is_empty());
    let names = ShortNames::new(shown().map(|series| series.name.as_str()), text::NAME_CHARS);
    let mut out = String::new();
    for series in shown() {
        let told = series.as_of.map(|at| format!("the last balance is of a mail {}", ago(at, now)));
        for line in told.into_iter().chain(mails_told::lines(&series.name, mails, now)) {
            out.push_str(&format!("{}: {line}\n", names.get(&series.name)));
        }
    }
    out
}

/// Widest sparkline, in columns.
const SPARKS: usize = 24;

/// Statistics of the samples of one currency.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    min: Option<Decimal>,
    max: Option<Decimal>,
    mean: Option<Decimal>,
    last: Option<Decimal>,
    /// Last minus first.
    change: Option<Decimal>,
    /// The change in percent of the first balance, with two decimals; none if that balance is zero.
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

fn balances(samples: &[Sample]) -> Vec<Decimal> {
    samples.iter().filter_map(|sample| sample.balance).collect()
}

/// What the balance did from the first sample to the last; none if that cannot be said.
fn way(samples: &[Sample]) -> Option<Stretch> {
    let mut known = samples.iter().filter_map(|sample| Some((sample.balance?, sample.merged.as_deref())));
    let (balance, merged) = known.next()?;
    let first = Stretch::kept(balance, merged)?;
    known.try_fold(first, |way, (balance, merged)| way.join(Stretch::kept(balance, merged)?))
}

/// The end of a series in which all balances have one currency. Amounts in two currencies are never added.
struct Newest<'a> {
    samples: &'a [Sample],
    currency: Option<&'a str>,
    /// What the balance before these was counted in, and when the first of these was read.
    change: Option<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(serialize_with = "as_iso")]
    time: Timestamp,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

fn as_iso<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*time))
}

impl<'a> Newest<'a> {
    fn of(series: &'a Series) -> Newest<'a> {
        let read = || series.samples.iter().enumerate().filter(|(_, sample)| sample.balance.is_some());
        let newest = read().next_back().map(|(_, sample)| sample.currency.as_deref());
        let currency = newest.unwrap_or(series.currency.as_deref());
        let is_other = |sample: &Sample| !is_counted_alike(sample.currency.as_deref(), currency);
        let Some((last, before)) = read().rfind(|(_, sample)| is_other(sample)) else {
            return Newest { samples: &series.samples, currency, change: None };
        };
        let samples = &series.samples[last + 1..];
        let first = samples.iter().find(|sample| sample.balance.is_some());
        let from = before.currency.as_deref();
        Newest { samples, currency, change: first.map(|first| Change { time: first.at, from, to: currency }) }
    }
}

impl Change<'_> {
    /// The change as a sentence for people.
    fn describe(&self, name: &str) -> String {
        let [from, to] = [self.from, self.to].map(|currency| currency.unwrap_or("none"));
        let at = iso(self.time);
        format!(
            "{name}: the currency changed from {from} to {to} at {at}; the figures are those of the samples since then\n"
        )
    }
}

fn table(series: &[Series], since: Since) -> String {
    let shown: Vec<&Series> = series.iter().filter(|series| !series.samples.is_empty()).collect();
    if shown.is_empty() {
        return format!("no samples since {since}\n");
    }
    let names = ShortNames::new(shown.iter().map(|series| series.name.as_str()), text::NAME_CHARS);
    let mut changes = String::new();
    let rows = shown
        .into_iter()
        .map(|series| {
            let Newest { samples, currency, change } = Newest::of(series);
            changes.extend(change.map(|change| change.describe(names.get(&series.name))));
            let figures = figures(&balances(samples));
            let signed = |amount: Option<Decimal>, text: String| match amount {
                Some(amount) if amount > Decimal::ZERO => format!("+{text}"),
                _ => text,
            };
            let percent = figures.change_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"));
            vec![
                names.get(&series.name).to_owned(),
                series.provider.clone(),
                series.samples.len().to_string(),
                amount_cell(figures.min, figures.max, currency),
                amount_cell(figures.max, figures.min, currency),
                amount_cell(figures.mean, None, currency),
                amount_cell(figures.last, None, currency),
                signed(figures.change, amount_cell(figures.change, None, currency)),
                signed(figures.change_percent, percent),
                sparkline(samples),
            ]
        })
        .collect();
    let headings = ["PROJECT", "PROVIDER", "SAMPLES", "MIN", "MAX", "MEAN", "LAST", "CHANGE", "CHANGE %", "TREND"];
    columns(&headings, rows, &[2, 3, 4, 5, 6, 7, 8]) + &changes
}

/// The balances over the samples, oldest first; a place without any reading is a dot.
fn sparkline(samples: &[Sample]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let samples: Vec<Option<Decimal>> = samples.iter().map(|sample| sample.balance).collect();
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
                // The part is 0 to 1, so the step is 0 to 7.
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
    /// If it changed among the samples; the figures are those of the samples since then.
    currency_change: Option<Change<'a>>,
    count: usize,
    min: Option<Box<RawValue>>,
    max: Option<Box<RawValue>>,
    mean: Option<Box<RawValue>>,
    change: Option<Box<RawValue>>,
    change_percent: Option<Box<RawValue>>,
    /// The sums of the falls and of the rises between the samples, those that are no longer kept included.
    fell: Option<Box<RawValue>>,
    rose: Option<Box<RawValue>>,
    as_of: Option<String>,
    age_seconds: Option<i64>,
    mails: Vec<MailEntry<'a>>,
    #[serde(flatten)]
    outlook: JsonOutlook,
    samples: Vec<JsonSample<'a>>,
}

#[derive(Serialize)]
struct JsonSample<'a> {
    time: String,
    status: &'a str,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    reason: Option<&'a str>,
}

fn json(series: &[Series], (past, mails): (&Past, &[MailTold]), now: Timestamp) -> String {
    let projects: Vec<JsonSeries> = series
        .iter()
        .map(|series| {
            let Newest { samples, currency, change } = Newest::of(series);
            let (figures, way) = (figures(&balances(samples)), way(samples));
            JsonSeries {
                name: &series.name,
                provider: &series.provider,
                currency,
                currency_change: change,
                count: series.samples.len(),
                min: figures.min.map(amount::to_json),
                max: figures.max.map(amount::to_json),
                mean: figures.mean.map(amount::to_json),
                change: figures.change.map(amount::to_json),
                change_percent: figures.change_percent.map(amount::to_json),
                fell: way.map(|way| amount::to_json(way.fell)),
                rose: way.map(|way| amount::to_json(way.rose)),
                as_of: series.as_of.map(iso),
                age_seconds: series.as_of.map(|at| age_seconds(at, now)),
                mails: mails_told::entries(&series.name, mails, now),
                outlook: foresight(series, past, now).map(|foresight| JsonOutlook::of(&foresight)).unwrap_or_default(),
                samples: series
                    .samples
                    .iter()
                    .map(|sample| JsonSample {
                        time: iso(sample.at),
                        status: &sample.status,
                        balance: sample.balance.map(amount::to_json),
                        threshold: sample.threshold.map(amount::to_json),
                        currency: sample.currency.as_deref(),
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
                sample.currency.as_deref().unwrap_or_default(),
                sample.reason.as_deref().unwrap_or_default(),
            ]);
        }
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(balances: &[&str]) -> Series {
        let samples = balances.iter().map(|balance| Sample {
            at: Timestamp::UNIX_EPOCH,
            status: "ok".into(),
            reason: None,
            balance: balance.parse().ok(),
            threshold: None,
            currency: None,
            merged: None,
        });
        Series { check: Identity(1), name: "A".into(), provider: "file".into(), currency: None, as_of: None, samples: samples.collect() }
    }

    #[test]
    fn figures_are_exact() {
        let of = |texts: &[&str]| figures(&balances(&series(texts).samples));
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
    fn figures_are_those_of_the_newest_samples_with_one_currency() {
        type Row<'a> = (&'a str, &'a str);
        for (rows, last, want) in [
            // Balance and currency of each sample; the currency, how many samples count, and what it was before.
            (&[("1", "USD"), ("2", "USD")][..], Some("USD"), (2, None)),
            (&[("1", "USD"), ("2", "CNY")], Some("CNY"), (1, Some(Some("USD")))),
            (&[("1", "USD"), ("2", "CNY"), ("3", "USD")], Some("USD"), (1, Some(Some("CNY")))),
            (
                &[("1", "USD"), ("x", "CNY"), ("2", "CNY"), ("x", "USD"), ("3", "CNY")],
                Some("CNY"),
                (4, Some(Some("USD"))),
            ),
            (&[("1", ""), ("2", "CNY")], Some("CNY"), (1, Some(None))),
            (&[("1", "USD"), ("2", "")], None, (1, Some(Some("USD")))),
            (&[("x", "USD"), ("2", "CNY")], Some("CNY"), (2, None)),
            // A sign that several currencies share is only like itself.
            (&[("5", "CNY"), ("4", "JPY"), ("50", "¥")], Some("¥"), (1, Some(Some("JPY")))),
            (&[("5", "CNY"), ("4", "¥"), ("50", "RMB")], Some("RMB"), (1, Some(Some("¥")))),
            (&[("5", "CNY"), ("4", "¥"), ("50", "¥")], Some("¥"), (2, Some(Some("CNY")))),
            (&[("4", "CNY"), ("50", "RMB")], Some("RMB"), (2, None)),
            (&[("x", "USD")], Some("EUR"), (1, None)),
            (&[], Some("EUR"), (0, None)),
        ] {
            let balances: Vec<&str> = rows.iter().map(|(balance, _): &Row| *balance).collect();
            let mut series = Series { currency: Some("EUR".into()), ..series(&balances) };
            for (sample, (_, currency)) in series.samples.iter_mut().zip(rows) {
                sample.currency = Some((*currency).to_owned()).filter(|currency| !currency.is_empty());
            }
            let newest = Newest::of(&series);
            let change = newest.change.map(|change| change.from);
            assert_eq!((newest.currency, (newest.samples.len(), change)), (last, want), "{rows:?}");
        }
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
            assert_eq!(sparkline(&series(balances).samples), want);
        }
        let long: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
        let line = sparkline(&series(&long.iter().map(String::as_str).collect::<Vec<_>>()).samples);
        assert_eq!(line.chars().count(), SPARKS);
        assert!(line.starts_with('▁') && line.ends_with('█'), "{line}");
    }
}
