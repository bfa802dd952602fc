//! What a config says of the days on which a subscription renews.

use jiff::civil::Date;

use super::cycle::{Cycle, Repeat, clamped, days};
use crate::model::cadence::{Cadence, Every, Unit};
use crate::model::words::CycleType;
use crate::process::quote_input;
use crate::yaml::field::Field;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;

/// A date that is not there: it was left out, or it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoDate {
    Absent,
    Refused,
}

/// What the keys say that the days follow from.
pub(super) struct Days {
    pub cycle_type: Option<CycleType>,
    pub renewal_day: Option<String>,
    pub every: Option<String>,
    pub starts_on: Result<Date, NoDate>,
    pub ends_on: Result<Date, NoDate>,
    pub last_renewed: Result<Date, NoDate>,
}

/// The keys of which an entry has one.
const KINDS: [&str; 3] = ["cycle_type", "every", "ends_on"];

/// What the days follow from: the cycle, whether it is counted from the last payment, and the day as it is written.
type Found = (Cycle, bool, String);

impl Days {
    /// Whether there is a key, usable or not.
    fn has(&self, key: &str) -> bool {
        let is_there = |date: Result<Date, NoDate>| date != Err(NoDate::Absent);
        match key {
            "cycle_type" => self.cycle_type.is_some(),
            "renewal_day" => self.renewal_day.is_some(),
            "every" => self.every.is_some(),
            "starts_on" => is_there(self.starts_on),
            "ends_on" => is_there(self.ends_on),
            _ => is_there(self.last_renewed),
        }
    }
}

impl ConfigReader<'_> {
    /// The date of a key.
    pub(super) fn date(&mut self, path: &[Step], field: &Field, text: Option<&str>) -> Result<Date, NoDate> {
        let at = under(path, field.name);
        let Some(text) = text.map(str::trim) else {
            return Err(if self.is_flagged(&at) { NoDate::Refused } else { NoDate::Absent });
        };
        text.parse::<Date>().ok().filter(|_| text.len() == "2026-11-15".len()).ok_or_else(|| {
            let message = format!("`{}` is not a date{}", field.name, quote_input::date(text));
            self.problem(&at, Part::Value, message, Some("write it as 2026-11-15".to_owned()));
            NoDate::Refused
        })
    }

    /// The days on which it renews; none if something was said of them.
    pub(super) fn schedule(&mut self, path: &[Step], keys: &Days) -> Option<Found> {
        let is_there = |reader: &Self, key: &str| keys.has(key) || reader.is_flagged(&under(path, key));
        let given: Vec<&str> = KINDS.into_iter().filter(|key| is_there(self, key)).collect();
        let kind = match given[..] {
            [] => {
                let hint = "`cycle_type: monthly` with `renewal_day`, `every: 2 months` with `starts_on`, or `ends_on` for what ends";
                self.problem(
                    path,
                    Part::Value,
                    "`cycle_type` is missing, or `every` or `ends_on`",
                    Some(hint.to_owned()),
                );
                return None;
            }
            [kind] => kind,
            [first, second, ..] => {
                let message = format!("`{second}` cannot stand beside `{first}`");
                let hint = Some("only one of `cycle_type`, `every` and `ends_on` can be set".to_owned());
                self.problem(&under(path, second), Part::Key(0), message, hint);
                return None;
            }
        };
        let others: &[&str] = match kind {
            "cycle_type" => &["starts_on"],
            "every" => &["renewal_day"],
            _ => &["renewal_day", "starts_on", "last_renewed_date"],
        };
        if let Some(other) = others.iter().find(|other| keys.has(other)) {
            let hint = match (kind, *other) {
                ("cycle_type", _) => "the day is that of `renewal_day`; `starts_on` is for `every`",
                ("every", _) => "the days are counted from `starts_on`, or else from `last_renewed_date`",
                _ => "what ends on a day does not renew",
            };
            let message = format!("`{other}` cannot stand beside `{kind}`");
            self.problem(&under(path, other), Part::Key(0), message, Some(hint.to_owned()));
            return None;
        }
        match kind {
            "cycle_type" => {
                self.required(path, "renewal_day", keys.renewal_day.is_some());
                let (kind, day) = keys.cycle_type.zip(keys.renewal_day.as_deref())?;
                self.accept(path, "renewal_day", usual(kind, day, keys.last_renewed))
            }
            "every" => {
                let every = keys.every.as_deref()?;
                self.accept(path, "every", own(every, keys.starts_on, keys.last_renewed))
            }
            _ => keys.ends_on.ok().map(|end| (Cycle::Once(end), false, end.to_string())),
        }
    }

    /// What was found, or nothing if something is wrong, which is said at its key unless it has been said.
    fn accept(&mut self, path: &[Step], key: &str, found: Result<Found, Option<String>>) -> Option<Found> {
        found
            .map_err(|why| {
                if let Some(why) = why {
                    self.problem(&under(path, key), Part::Value, why, None);
                }
            })
            .ok()
    }
}

/// Steps of one's own.
fn own(text: &str, first: Result<Date, NoDate>, paid: Result<Date, NoDate>) -> Result<Found, Option<String>> {
    let every: Every = text.parse().map_err(|()| {
        let most = Every::MOST;
        Some(format!(
            "`every` must be a number of days, weeks, months or years, as `2 months`, and at most {most} of them"
        ))
    })?;
    let steps = |anchor, first| Cycle::Every(Repeat { anchor, every, cadence: Cadence::Every(every), first });
    match (first, paid) {
        (Ok(first), _) => Ok((steps(first, Some(first)), false, first.to_string())),
        (Err(NoDate::Absent), Ok(paid)) => Ok((steps(paid, paid.tomorrow().ok()), true, paid.to_string())),
        // A date that was refused is said to be wrong, and not to be missing as well.
        (Err(NoDate::Refused), _) | (_, Err(NoDate::Refused)) => Err(None),
        (Err(NoDate::Absent), Err(NoDate::Absent)) => {
            Err(Some("`every` needs `starts_on`, the day of the first renewal, or `last_renewed_date`".to_owned()))
        }
    }
}

/// One of the usual cycles.
fn usual(kind: CycleType, day: &str, paid: Result<Date, NoDate>) -> Result<Found, Option<String>> {
    let number: Option<i16> = day.parse().ok();
    let word = kind.as_str();
    let months = match kind {
        CycleType::Weekly => {
            let day_of = number.filter(|day| (1..=7).contains(day)).ok_or_else(|| {
                Some(format!(
                    "`renewal_day` of a weekly subscription must be 1 (Monday) to 7{}",
                    quote_input::but_is(day)
                ))
            })?;
            return Ok((Cycle::Weekly(day_of as i8), false, day.to_owned()));
        }
        CycleType::Monthly => {
            let day_of = number.filter(|day| (1..=31).contains(day)).ok_or_else(|| {
                Some(format!("`renewal_day` of a monthly subscription must be 1 to 31{}", quote_input::but_is(day)))
            })?;
            return Ok((Cycle::Monthly(day_of as i8), false, day.to_owned()));
        }
        CycleType::Quarterly => 3,
        CycleType::HalfYearly => 6,
        CycleType::Yearly => 12,
    };
    if let Some(number @ 1..=31) = number {
        let paid = paid.map_err(|why| {
            let counts = if kind == CycleType::Yearly { "whose anniversary counts" } else { "from which it is counted" };
            (why == NoDate::Absent).then(|| {
                format!(
                    "`renewal_day` {number} of a {word} subscription needs `last_renewed_date`, {counts}; or write month and day, as 315 or \"03-15\""
                )
            })
        })?;
        return Ok(match kind {
            CycleType::Yearly => (Cycle::Yearly(paid.month(), paid.day()), true, day.to_owned()),
            _ => (steps(kind, months, nearest(number as i8, paid, months).ok_or(None)?), false, day.to_owned()),
        });
    }
    let parts = match (day.split_once('-'), number) {
        (Some((month, day)), _) => month.parse().ok().zip(day.parse().ok()),
        (None, Some(number)) => Some(((number / 100) as i8, (number % 100) as i8)),
        (None, None) => None,
    };
    // A leap year, so that 29 February is a day.
    let date = parts.and_then(|(month, day)| Date::new(2024, month, day).ok()).ok_or_else(|| {
        Some(format!(
            "`renewal_day` of a {word} subscription must be month and day, as 315 or \"03-15\"{}",
            quote_input::but_is(day)
        ))
    })?;
    Ok(match kind {
        CycleType::Yearly => (Cycle::Yearly(date.month(), date.day()), false, day.to_owned()),
        _ => (steps(kind, months, date), false, day.to_owned()),
    })
}

/// So many months each, before the anchor too.
fn steps(kind: CycleType, months: u16, anchor: Date) -> Cycle {
    let every = Every { count: months, unit: Unit::Month };
    Cycle::Every(Repeat { anchor, every, cadence: Cadence::Usual(kind), first: None })
}

/// The day of the month that is nearest to a payment, in a month of 31 days of the same cycle, so that it is the same day in all.
fn nearest(day: i8, paid: Date, months: u16) -> Option<Date> {
    let around = [-1, 0, 1].into_iter().filter_map(|step: i32| {
        let month = paid.first_of_month().checked_add(jiff::Span::new().months(step)).ok()?;
        clamped(month.year(), month.month(), day)
    });
    let near = around.min_by_key(|date| days(*date, paid).abs())?;
    let months_of_cycle = (0..12).step_by(usize::from(months)).map(|step| (near.month() - 1 + step) % 12 + 1);
    months_of_cycle
        .filter_map(|month| Date::new(near.year(), month, 31).ok())
        .find_map(|date| date.with().day(day).build().ok())
}
