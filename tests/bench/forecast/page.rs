//! `docs/forecast.md`: the rules in short, then what was measured.

use std::fmt::Write;

use crate::accounts::{Kind, Reading, Trouble};
use crate::measure::{ALERT_DAYS, READINGS, Result, TOO_MUCH};
use crate::rivals::RIVALS;

const RULES: &str = "\
A forecast says how many days a balance lasts, out of the readings in the [memory of runs](memory.md).
`check` shows it and tells when an account will be empty in fewer than `settings.forecast.alert_days` (7); `balance-alert history NAME` draws it.

## What is said, and when

- **Consumption** is the sum of the falls. Its time is that of the intervals in which the balance did not rise, because nobody
  knows what was consumed while somebody topped up. Top-ups are added up apart. A counter of what was used, which top-ups cannot
  disturb, goes before the balance; the kind `counter` below has one, but no provider's page names one yet.
- **Three rates** are kept: the usual one of the last 7 days; the fast one, the greatest of the last 24 hours, the last 72 hours and
  the usual one; the slow one, the lesser of 7 and 14 days. The days at the usual rate are shown, and a range between the fast and
  the slow rate. The range is wider where falls are few, where a few of them are much larger than the others, and where the
  consumption rises or falls.
- **Confidence** is `none` below three falls (zero is no fall) or six hours, `low` from six hours, `medium` from a day and `high` from
  three days. An alert goes by the fast rate, if two runs or six hours agree and the confidence is `medium` at least.
- **Irregular** accounts get no date, only how long the balance lasts at the pace of the last day. An account is irregular if bursts
  make up a good part of its consumption, unless three or more of about the same size come at the same time of day, or if
  the fast rate is more than four times the slow one.
- **Single falls** are no pace: a credit that lapsed, a purchase, a refund. A fall is single if it is more than twice what the rest of
  its week consumed and far from every other fall. The newest fall never is; it may be the beginning of a faster pace.
- **Weekdays** are told apart after three whole weeks, if the weeks resemble each other and the last three days went as expected.
- A date is a day, never an hour, and nothing is said beyond 3 650 days.

## How it is measured

`cargo bench --bench forecast` makes up accounts, reads them for one or four weeks, forecasts them, and follows them until they are
empty. A forecast is made of a balance of 600 to 3 000, where the base is 10 an hour, and compared with the day on which the account
was empty. Alerts are tried on accounts that last 5 to 20 days: a run for each reading, until somebody is told. Consumption varies by
25 % from hour to hour, units by a factor of 10⁹, and jobs run up to two minutes late. Nobody tops up after the forecast. Each run has
another seed; the constants of the program were chosen on other seeds than that of this page.

";

pub(crate) fn page(results: &[Result], accounts: usize, seed: u64) -> String {
    let mut out = format!("# Forecasts\n\n`WRITE_DOCS=1 cargo bench --bench forecast` writes this page. {RULES}");
    let _ = writeln!(
        out,
        "This page has seed {seed} and {accounts} accounts of each kind for each way of reading.\n\n\
         | kind | consumption, 1 being the base |\n| --- | --- |"
    );
    for kind in Kind::ALL {
        let _ = writeln!(out, "| {} | {} |", kind.name(), kind.meaning());
    }
    out += &targets(results);
    out += "\n![forecasts that were more than half too long](forecast.svg)\n";
    out += &alerts(results);
    out += &ranges(results);
    out += &formulas(results);
    out
}

fn percent(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A way of reading, for people.
fn named(reading: Reading) -> String {
    let trouble = match reading.trouble {
        Trouble::None => "",
        Trouble::TopUps => ", top-ups",
        Trouble::Gaps => ", gaps",
    };
    let weeks = if reading.history > 7 { format!(", {} d", reading.history) } else { String::new() };
    format!("{} h{trouble}{weeks}", reading.every)
}

impl Result {
    fn late(&self) -> Option<f64> {
        share(self.late_alerts, self.accounts)
    }

    fn early(&self) -> Option<f64> {
        share(self.early_alerts, self.accounts)
    }

    /// Of few ranges no share is made.
    fn held(&self) -> Option<f64> {
        share(self.held, self.ranges).filter(|_| 10 * self.ranges >= self.accounts)
    }

    fn irregular(&self) -> Option<f64> {
        share(self.irregular, self.accounts)
    }
}

/// What is to be reached: words, the cases it is about, what is measured, and the bound, which is the most or the least.
struct Target {
    words: &'static str,
    is_about: fn(&Result) -> bool,
    measured: fn(&Result) -> Option<f64>,
    bound: f64,
    is_most: bool,
}

const TARGETS: [Target; 7] = [
    Target {
        words: "late alerts of regular kinds, readings every six hours or better",
        is_about: |result| {
            result.kind.is_regular() && result.reading.every <= 6 && result.reading.trouble != Trouble::Gaps
        },
        measured: Result::late,
        bound: 0.05,
        is_most: true,
    },
    Target {
        words: "the same with gaps",
        is_about: |result| {
            result.kind.is_regular() && result.reading.every <= 6 && result.reading.trouble == Trouble::Gaps
        },
        measured: Result::late,
        bound: 0.05,
        is_most: true,
    },
    Target {
        words: "late alerts of regular kinds, readings once a day, three top-ups a week",
        is_about: |result| {
            result.kind.is_regular() && result.reading.every == 24 && result.reading.trouble == Trouble::TopUps
        },
        measured: Result::late,
        bound: 0.15,
        is_most: true,
    },
    Target {
        words: "late alerts after a fourfold jump",
        is_about: |result| result.kind == Kind::Jump,
        measured: Result::late,
        bound: 0.30,
        is_most: true,
    },
    Target {
        words: "the range holds the truth, all kinds but bursty",
        is_about: |result| result.kind != Kind::Bursty,
        measured: Result::held,
        bound: 0.80,
        is_most: false,
    },
    Target {
        words: "bursty is called irregular, readings every six hours or better",
        is_about: |result| result.kind == Kind::Bursty && result.reading.every <= 6,
        measured: Result::irregular,
        bound: 0.90,
        is_most: false,
    },
    Target {
        words: "the same, readings once a day",
        is_about: |result| result.kind == Kind::Bursty && result.reading.every == 24,
        measured: Result::irregular,
        bound: 0.90,
        is_most: false,
    },
];

fn targets(results: &[Result]) -> String {
    let mut out = format!(
        "\n## Targets\n\nAn alert of {ALERT_DAYS} days is late if less than {:.1} days are left, or if none came. A case is a kind with a way of \
         reading.\n\n| target | % | worst % | worst case | cases that meet it |\n| --- | --: | --: | --- | --: |\n",
        ALERT_DAYS / TOO_MUCH
    );
    for target in &TARGETS {
        let about = results.iter().filter(|result| (target.is_about)(result));
        let mut measured: Vec<(f64, &Result)> =
            about.filter_map(|result| Some(((target.measured)(result)?, result))).collect();
        measured
            .sort_by(|(one, _), (other, _)| if target.is_most { other.total_cmp(one) } else { one.total_cmp(other) });
        let is_met = |value: f64| if target.is_most { value <= target.bound } else { value >= target.bound };
        let met = measured.iter().filter(|(value, _)| is_met(*value)).count();
        let Some((value, worst)) = measured.first() else { continue };
        let word = if target.is_most { "at most" } else { "at least" };
        let _ = writeln!(
            out,
            "| {} | {word} {} | {:.1} | {}, {} | {met} of {} |",
            target.words,
            percent(target.bound),
            100.0 * value,
            worst.kind.name(),
            named(worst.reading),
            measured.len(),
        );
    }
    out
}

/// A row for each kind, a column for each way of reading.
fn matrix(results: &[Result], cell: impl Fn(&Result) -> String) -> String {
    let mut out = format!("| kind | {} |\n|", READINGS.map(named).join(" | "));
    out += " --- |";
    out += &" --: |".repeat(READINGS.len());
    out.push('\n');
    for kind in Kind::ALL {
        let of = |reading: Reading| results.iter().find(|result| result.kind == kind && result.reading == reading);
        let cells = READINGS.map(|reading| of(reading).map(&cell).unwrap_or_default());
        let _ = writeln!(out, "| {} | {} |", kind.name(), cells.join(" | "));
    }
    out
}

fn alerts(results: &[Result]) -> String {
    let shown = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    format!(
        "\n## Alerts\n\nThe columns are the time between readings, what disturbs them (three top-ups a week; gaps: 5 % of the readings and once 36 \
         hours), and the days of history if these are not 7. The first table has the percent of alerts that came late, the second \
         those that came early, with more than {:.1} days left. `bursty` gets no alert for want of a date: its threshold \
         alerts.\n\n{}\n{}",
        ALERT_DAYS * TOO_MUCH,
        matrix(results, |result| shown(result.late())),
        matrix(results, |result| shown(result.early())),
    )
}

fn ranges(results: &[Result]) -> String {
    let shown = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    format!(
        "\n## Ranges and irregular accounts\n\nThe percent of ranges that hold the truth (a dash where fewer than a tenth of the accounts have \
         one), then the percent of accounts that are called irregular.\n\n{}\n{}",
        matrix(results, |result| shown(result.held())),
        matrix(results, |result| shown(result.irregular())),
    )
}

/// The ways of reading in which the formulas are put beside each other.
const BESIDE: [Reading; 4] = [READINGS[0], READINGS[1], READINGS[5], READINGS[10]];

fn formulas(results: &[Result]) -> String {
    let mut out = String::from(
        "\n## Beside other formulas\n\nThe middle of the errors in percent of the truth, and in brackets the percent of forecasts that were more \
         than half too long. Other formulas see the same last seven days. A cell of ours leaves out the accounts that are called \
         irregular, of which the others say a date.\n",
    );
    for reading in BESIDE {
        let _ = write!(out, "\nReadings every {}:\n\n| formula |", named(reading));
        Kind::ALL.iter().for_each(|kind| out += &format!(" {} |", kind.name()));
        out += "\n| --- |";
        out += &" --: |".repeat(Kind::ALL.len());
        out.push('\n');
        let names = ["usual rate", "fast rate"].into_iter().chain(RIVALS.map(|(name, _)| name));
        for (row, name) in names.enumerate() {
            let _ = write!(out, "| {name} |");
            for kind in Kind::ALL {
                let result = results.iter().find(|result| result.kind == kind && result.reading == reading);
                let said = result.map(|result| match row {
                    0 => &result.usual,
                    1 => &result.fast,
                    _ => &result.rivals[row - 2],
                });
                let said = said.filter(|said| said.said() >= 0.1).and_then(|said| said.error().zip(said.late()));
                let cell = |(error, late)| match error {
                    10.0.. => format!("> 1000 ({})", percent(late)),
                    _ => format!("{} ({})", percent(error), percent(late)),
                };
                let _ = write!(out, " {} |", said.map_or_else(|| "-".to_owned(), cell));
            }
            out.push('\n');
        }
    }
    out
}
