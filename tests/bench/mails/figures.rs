//! How many are judged right.

use balance_alert::internals::{finding, judge::Judge, mail};
use rust_decimal::Decimal;

use super::corpus::Labelled;

/// Languages that have a line of their own; the others share one.
const LANGUAGES: [&str; 3] = ["en", "zh-Hans", "zh-Hant"];

/// How many mails of a language are judged right.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) mails: u32,
    pub(crate) trouble: u32,
    pub(crate) noticed: u32,
    /// Noticed, and trouble indeed.
    pub(crate) both: u32,
    /// Amounts that are told of the trouble that is noticed.
    pub(crate) told: u32,
    /// Those of them that are right.
    pub(crate) told_right: u32,
}

impl Figures {
    /// The share of the trouble that is noticed.
    pub(crate) fn recall(&self) -> f64 {
        f64::from(self.both) / f64::from(self.trouble.max(1))
    }

    /// The share of what is noticed that is trouble.
    pub(crate) fn precision(&self) -> f64 {
        f64::from(self.both) / f64::from(self.noticed.max(1))
    }
}

/// The figures of some mails for each language that they are written in.
pub(crate) fn figures(mails: &[Labelled]) -> Vec<(&'static str, Figures)> {
    let judge = Judge::default();
    let mut all: Vec<(&str, Figures)> =
        LANGUAGES.into_iter().chain(["others"]).map(|language| (language, Figures::default())).collect();
    for one in mails {
        let at = LANGUAGES.iter().position(|language| *language == one.language).unwrap_or(LANGUAGES.len());
        let read = mail::read(&one.raw);
        let is_noticed = judge.judge(&read).is_trouble;
        let figures = &mut all[at].1;
        figures.mails += 1;
        figures.trouble += u32::from(one.is_trouble);
        figures.noticed += u32::from(is_noticed);
        figures.both += u32::from(one.is_trouble && is_noticed);
        if !one.is_trouble || !is_noticed {
            continue;
        }
        if let Some(amount) = finding::told_amount(&read).map(|shown| shown.amount) {
            let is_value = one.amount.parse::<Decimal>().is_ok_and(|want| want == amount.value);
            figures.told += 1;
            figures.told_right += u32::from(is_value && one.currency == amount.currency.unwrap_or("-"));
        }
    }
    all.retain(|(_, figures)| figures.mails > 0);
    all
}
