//! When a webhook hears of alerts: `after` and `active`.

use std::time::Duration;

use jiff::civil::Weekday;

use crate::decide::active_times::{ActiveTimes, DAY_MINUTES};
use crate::model::text::parse_length;
use crate::model::words::words;
use crate::yaml::field::fields;
use crate::yaml::path::{Part, Step, under};
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::{Lenient, Text};
use crate::yaml::texts::RawTexts;

/// The longest time after which a webhook hears of something.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

fields! {
    /// When a webhook takes messages. Outside of these times they wait, and come as one message when the next time begins.
    pub(crate) struct RawActive {
        /// The days of the week: mon, tue, wed, thu, fri, sat, sun, or spans as mon-fri.
        days: RawTexts, default = "every day";
        /// From when to when, as 09:00-18:00. If it ends before it begins, it ends on the next day.
        hours: String, default = "the whole day";
        /// The time zone of both.
        timezone: String, default = "`settings.timezone`";
        /// Whether what is critical, and its end, comes at any time or waits as well.
        critical: CriticalMessages, default = "always";
    }
}

words! {
    /// When what is critical comes.
    pub(crate) enum CriticalMessages {
        /// At any time
        Always = "always",
        /// Only in the active times
        Waits = "waits",
    }
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The days of a word: one, or a span that may pass the end of the week.
fn days(word: &str) -> Option<Vec<Weekday>> {
    let place = |word: &str| DAYS.iter().position(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (place(first)?, place(last)?);
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some((first..first + count).map(|at| DAYS[at % DAYS.len()].1).collect())
}

/// `09:00-18:00` as minutes of the day.
fn hours(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (hour, minute): (u16, u16) =
            (is_number(hour).then(|| hour.parse().ok())??, is_number(minute).then(|| minute.parse().ok())??);
        (minute < 60).then_some(hour * 60 + minute).filter(|minute| *minute <= DAY_MINUTES)
    };
    let (from, until) = text.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    (from < DAY_MINUTES && until > 0 && from != until).then_some((from, until))
}

impl ConfigReader<'_> {
    /// After which time a webhook hears of what lasts.
    pub(super) fn after(&mut self, path: &[Step], raw: Option<Lenient<Text>>) -> Option<Duration> {
        let text = raw?.0.0;
        match parse_length(text.trim()) {
            Ok(time) if time <= LONGEST => return Some(time),
            Ok(_) => self.problem(path, Part::Value, "`after` must be at most 30d", None),
            Err(_) => {
                let hint = Some("write it as 2h, 90m or 1h30m".to_owned());
                self.problem(path, Part::Value, "`after` is no time", hint);
            }
        }
        None
    }

    /// When a webhook takes messages.
    pub(super) fn active(&mut self, path: &[Step], raw: Option<RawActive>) -> Option<ActiveTimes> {
        let raw = raw?;
        let mut known: Vec<Weekday> = Vec::new();
        if let Some(RawTexts(words)) = raw.days {
            let at = under(path, RawActive::days.name);
            for word in &words {
                match days(word) {
                    Some(days) => known.extend(days.into_iter().filter(|day| !known.contains(day)).collect::<Vec<_>>()),
                    None => {
                        let hint = Some("the days are mon, tue, wed, thu, fri, sat and sun, or mon-fri".to_owned());
                        self.problem(&at, Part::Value, "`days` names a day that there is not", hint);
                    }
                }
            }
            if words.is_empty() {
                self.problem(&at, Part::Value, "`days` is an empty list", None);
            }
        }
        if known.is_empty() {
            known = DAYS.iter().map(|(_, day)| *day).collect();
        }
        let (from, until) = match raw.hours.as_deref().map(hours) {
            None => (0, DAY_MINUTES),
            Some(Some(hours)) => hours,
            Some(None) => {
                let hint = Some("write it as 09:00-18:00; the end of the day is 24:00".to_owned());
                self.problem(&under(path, RawActive::hours.name), Part::Value, "`hours` is no time of the day", hint);
                (0, DAY_MINUTES)
            }
        };
        let zone = raw.timezone.and_then(|name| {
            let zone = self.zone(&name, "`active`");
            if zone.is_none() {
                let hint = Some("for example `Asia/Shanghai` or `UTC`".to_owned());
                let at = under(path, RawActive::timezone.name);
                self.problem(&at, Part::Value, "`timezone` names no time zone", hint);
            }
            zone
        });
        let holds_critical = raw.critical == Some(CriticalMessages::Waits);
        Some(ActiveTimes { days: known, from, until, zone, holds_critical })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_as_people_write_them() {
        for (word, want) in
            [("mon", Some(1)), ("Mon-Fri", Some(5)), ("sat-mon", Some(3)), ("sun", Some(1)), ("mo", None), ("", None)]
        {
            assert_eq!(days(word).map(|days| days.len()), want, "{word}");
        }
        for (text, want) in [
            ("09:00-18:30", Some((540, 1110))),
            ("22:00-06:00", Some((1320, 360))),
            ("00:00-24:00", Some((0, 1440))),
            ("9-18", None),
            ("09:00", None),
            ("09:60-10:00", None),
            ("24:00-06:00", None),
            ("09:00-24:01", None),
            ("09:00-09:00", None),
            ("22:00-00:00", None),
        ] {
            assert_eq!(hours(text), want, "{text}");
        }
    }
}
