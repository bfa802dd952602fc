//! How often a subscription renews, as messages, reports and metrics name it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::{CycleType, words};

words! {
    /// What the steps between two renewals are counted in.
    pub(crate) enum Unit {
        /// Days
        Day = "day",
        /// Weeks
        Week = "week",
        /// Months of the calendar
        Month = "month",
        /// Years of the calendar
        Year = "year",
    }
}

/// So many days, weeks, months or years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Every {
    /// How many; at least 1.
    pub count: u16,
    /// Of what.
    pub unit: Unit,
}

impl Every {
    /// The most of any unit.
    pub(crate) const MOST: u16 = 1000;
}

impl FromStr for Every {
    type Err = ();

    /// Reads `2 months`, `1 month` and `month`.
    fn from_str(text: &str) -> Result<Every, ()> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let count = if digits == 0 { 1 } else { text[..digits].parse().map_err(|_| ())? };
        let word = text[digits..].trim_start();
        let unit = Unit::parse(word.strip_suffix('s').unwrap_or(word)).ok_or(())?;
        if !(1..=Every::MOST).contains(&count) {
            return Err(());
        }
        Ok(Every { count, unit })
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Every { count: 1, unit } => f.write_str(unit.as_str()),
            Every { count, unit } => write!(f, "{count} {}s", unit.as_str()),
        }
    }
}

/// How often a subscription renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(with = "String"))]
pub(crate) enum Cadence {
    /// As one of the usual words says.
    Usual(CycleType),
    /// In steps of its own.
    Every(Every),
    /// Never: it ends on a day.
    Once,
}

/// The word for what ends on a day.
const ONCE: &str = "once";

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Cadence::Usual(cycle) => f.write_str(cycle.as_str()),
            Cadence::Every(every) => write!(f, "every {every}"),
            Cadence::Once => f.write_str(ONCE),
        }
    }
}

impl From<Cadence> for String {
    fn from(cadence: Cadence) -> String {
        cadence.to_string()
    }
}

impl TryFrom<String> for Cadence {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Cadence, &'static str> {
        let every = || text.strip_prefix("every ").and_then(|every| every.parse().ok()).map(Cadence::Every);
        let once = || (text == ONCE).then_some(Cadence::Once);
        CycleType::parse(&text).map(Cadence::Usual).or_else(every).or_else(once).ok_or("it is no cycle")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_as_people_write_them() {
        for (text, count, unit) in [
            ("2 months", 2, Unit::Month),
            ("10 days", 10, Unit::Day),
            ("3 years", 3, Unit::Year),
            ("6 weeks", 6, Unit::Week),
            (" 6weeks ", 6, Unit::Week),
            ("1 month", 1, Unit::Month),
            ("year", 1, Unit::Year),
            ("1000 days", 1000, Unit::Day),
        ] {
            assert_eq!(text.parse(), Ok(Every { count, unit }), "{text}");
        }
        for text in [
            "",
            "2",
            "months 2",
            "0 days",
            "-1 day",
            "1.5 months",
            "1001 days",
            "99999 days",
            "2 fortnights",
            "2 MONTHS",
        ] {
            assert_eq!(text.parse::<Every>(), Err(()), "{text}");
        }
    }

    #[test]
    fn a_cadence_is_the_same_after_a_store() {
        let usual = CycleType::ALL.into_iter().map(Cadence::Usual);
        let own =
            Unit::ALL.into_iter().flat_map(|unit| [1, 2, 1000].map(|count| Cadence::Every(Every { count, unit })));
        for cadence in usual.chain(own).chain([Cadence::Once]) {
            let text = serde_json::to_string(&cadence).unwrap();
            assert_eq!(serde_json::from_str::<Cadence>(&text).unwrap(), cadence, "{text}");
        }
        assert_eq!(Cadence::Usual(CycleType::HalfYearly).to_string(), "half-yearly");
        assert_eq!(Cadence::Every(Every { count: 2, unit: Unit::Month }).to_string(), "every 2 months");
        assert!(serde_json::from_str::<Cadence>("\"daily\"").is_err());
    }
}
