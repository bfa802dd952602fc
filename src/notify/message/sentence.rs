//! The structure of what is said of one alert. The words come from the language.

use super::language::Phrases;
use super::parts::{Parts, moment};
use crate::model::alert::{Figure, Missed, MissedCause, Topic};
use crate::model::text;

/// The longest words of others in a short line, in characters.
const QUOTED_CHARS: usize = 40;

/// An alert that is put into words.
pub(super) struct Sentence<'a> {
    pub(super) parts: Parts<'a>,
    pub(super) phrases: &'a dyn Phrases,
}

impl Sentence<'_> {
    /// The whole sentence.
    pub(super) fn full(&self) -> String {
        let Parts { alert, neutral } = self.parts;
        let name = neutral(&alert.project);
        let name = match &alert.owner_project {
            Some(owner) => self.phrases.owned(&name, &neutral(owner)),
            None => name,
        };
        // A list begins on a line of its own.
        self.phrases.about(&name, &self.what()).replace(" \n", "\n")
    }

    /// The sentence without the name.
    pub(super) fn what(&self) -> String {
        let alert = self.parts.alert;
        let what = self.phrases.cause(&alert.cause, &self.parts);
        match alert.topic() {
            // Their sentences have the dates in them.
            Topic::Renewal | Topic::Mail | Topic::TopUp | Topic::Digest => what,
            _ => what + &self.addition(),
        }
    }

    /// What else there is to say: that nobody heard the beginning, that it is not confirmed, or since when it has been so.
    fn addition(&self) -> String {
        let alert = self.parts.alert;
        let Some(missed) = &alert.missed else {
            let since = || alert.since.map(|since| self.phrases.since(&moment(since))).unwrap_or_default();
            return if alert.unconfirmed { self.phrases.unconfirmed(&moment(alert.at)) } else { since() };
        };
        let (at, undelivered) = (moment(missed.at), self.phrases.undelivered(missed.is_unsure));
        match &missed.found {
            MissedCause::Low { .. } => {
                let (balance, threshold) = self.missed_pair(missed);
                self.phrases.was_low(&at, &balance, &threshold, undelivered)
            }
            MissedCause::Failing(trouble) => {
                self.phrases.was_failing(&at, &self.parts.trouble(Some(trouble)), undelivered)
            }
            // The sentence of a renewal says it itself.
            MissedCause::Renewal => String::new(),
        }
    }

    /// The name and the figure and, where nobody heard the beginning of what is over, that nobody did.
    pub(super) fn short(&self, name: &str) -> String {
        let alert = self.parts.alert;
        let what = match alert.cause.facts().figure() {
            Figure::Balance => self.parts.pair(alert.currency(), alert.balance(), alert.threshold()).0,
            Figure::Word(word) => word,
            Figure::Quoted(words) => self.parts.quoted(&text::one_line(words, QUOTED_CHARS)),
        };
        let what = if what.is_empty() { name.to_owned() } else { format!("{name} {what}") };
        let before = alert.told_currency().map(|before| {
            self.phrases.told_in(Some((self.parts.neutral)(before)).as_deref().filter(|told| !told.is_empty()))
        });
        let addition = match &alert.missed {
            None => alert.since.map(|since| self.phrases.since(&moment(since))).unwrap_or_default(),
            Some(missed) => self.phrases.missed(&self.missed(missed), &moment(missed.at), missed.is_unsure),
        };
        format!("{what}{}{addition}", before.unwrap_or_default())
    }

    /// What was missed, as a word or a figure that every language understands.
    fn missed(&self, missed: &Missed) -> String {
        match &missed.found {
            MissedCause::Failing(trouble) => trouble.reason.as_str().to_owned(),
            MissedCause::Low { balance: Some(_), .. } => self.missed_pair(missed).0,
            MissedCause::Low { balance: None, .. } => self.parts.alert.topic().as_str().to_owned(),
            MissedCause::Renewal => {
                self.parts.alert.renewal().map(|renewal| renewal.next.to_string()).unwrap_or_default()
            }
        }
    }

    /// The balance that was missed, and the threshold that it was below, in the currency of that time.
    fn missed_pair(&self, missed: &Missed) -> (String, String) {
        match &missed.found {
            MissedCause::Low { balance, threshold, currency } => {
                self.parts.pair(currency.as_deref().or(self.parts.alert.currency()), *balance, *threshold)
            }
            MissedCause::Failing(_) | MissedCause::Renewal => (String::new(), String::new()),
        }
    }
}
