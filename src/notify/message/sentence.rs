//! The structure of what is said of one alert. The words come from the language.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::language::{Phrases, RenewalParts};
use super::neutral::Neutral;
use crate::model::alert::{Alert, Cause, Change, Event, Failing, Low, Mail, Missed, MissedCause, Renewal, Trouble};
use crate::model::amount;
use crate::model::text;

/// The longest subject of a mail in a short line, in characters.
const SHORT_SUBJECT_CHARS: usize = 40;

/// An alert that is put into words.
pub(super) struct Sentence<'a> {
    pub(super) alert: &'a Alert,
    pub(super) phrases: &'a dyn Phrases,
    pub(super) neutral: Neutral,
}

impl Sentence<'_> {
    /// The whole sentence.
    pub(super) fn full(&self) -> String {
        let name = (self.neutral)(&self.alert.project);
        let name = match &self.alert.owner_project {
            Some(owner) => self.phrases.owned(&name, &(self.neutral)(owner)),
            None => name,
        };
        let what = match &self.alert.cause {
            Cause::Low(low) => self.low(low) + &self.addition(),
            Cause::Failing(failing) => self.failing(failing) + &self.addition(),
            Cause::Renewal(renewal) => self.renewal(renewal),
            Cause::Mail(mail) => self.mail(mail),
        };
        self.phrases.about(&name, &what)
    }

    fn low(&self, low: &Low) -> String {
        let phrases = self.phrases;
        let kind = phrases.kind(low.account.kind);
        let currency = low.account.currency.as_deref();
        let (balance, threshold) = self.pair(currency, low.account.balance, low.threshold);
        match (self.alert.event, low.account.balance, &low.change) {
            (Event::Raised, ..) => phrases.low(kind, &balance, &threshold, self.alert.level),
            (Event::Resolved, None, _) => phrases.unlimited(kind),
            (Event::Resolved, Some(_), None) => phrases.recovered(kind, &balance, &threshold),
            (Event::Resolved, Some(_), Some(Change::Threshold(before))) => {
                let (_, before) = self.pair(currency, low.account.balance, Some(*before));
                phrases.lowered(kind, &balance, &threshold, &before)
            }
            (Event::Resolved, Some(_), Some(Change::Currency(before))) => {
                let before = before.as_deref().map(|before| (self.neutral)(before));
                phrases.incomparable(kind, &balance, &threshold, before.as_deref(), currency.is_some())
            }
        }
    }

    fn failing(&self, failing: &Failing) -> String {
        if self.alert.event == Event::Raised {
            let runs = failing.trouble.as_ref().map_or(1, |trouble| trouble.runs);
            return self.phrases.failing(runs, &self.trouble(failing.trouble.as_ref()));
        }
        let account = failing.account.as_ref().filter(|account| account.balance.is_some());
        let balance = account.map(|account| {
            let (balance, _) = self.pair(account.currency.as_deref(), account.balance, None);
            (self.phrases.kind(account.kind), balance)
        });
        self.phrases.readable(balance.as_ref().map(|(kind, balance)| (*kind, balance.as_str())))
    }

    fn renewal(&self, renewal: &Renewal) -> String {
        self.phrases.renewal(&RenewalParts {
            event: self.alert.event,
            next: renewal.next,
            days: renewal.days,
            cycle: renewal.cycle_type,
            amount: self.amount(renewal.amount, renewal.currency.as_deref()),
            is_unsure: self.alert.missed.as_ref().is_some_and(|missed| missed.is_unsure),
        })
    }

    fn mail(&self, mail: &Mail) -> String {
        let words = self.phrases.mail();
        let mut parts =
            vec![format!("{}{}{}{}", words.mail, self.quoted(&mail.subject), words.from, self.quoted(&mail.sender))];
        parts.extend(mail.date.map(moment));
        parts.extend(mail.service.as_deref().map(|name| format!("{}{}", words.service, self.quoted(name))));
        let amount = mail.amount.map(|_| self.amount(mail.amount, mail.currency.as_deref()));
        parts.extend(amount.map(|amount| format!("{}{amount}", words.amount)));
        // One that could not be read was not searched for words.
        if !mail.keywords.is_empty() {
            parts.push(format!("{}{}", words.keywords, (self.neutral)(&mail.keywords.join("、"))));
        }
        parts.join(words.comma)
    }

    /// What else there is to say: that nobody heard the beginning, that it is not confirmed, or since when it has been so.
    fn addition(&self) -> String {
        let alert = self.alert;
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
            MissedCause::Failing(trouble) => self.phrases.was_failing(&at, &self.trouble(Some(trouble)), undelivered),
            // The sentence of a renewal says it itself.
            MissedCause::Renewal => String::new(),
        }
    }

    /// Name and figure; and, where nobody heard the beginning of what is over, that there was one.
    pub(super) fn short(&self, name: &str) -> String {
        let alert = self.alert;
        let what = match &alert.cause {
            Cause::Renewal(renewal) => renewal.next.to_string(),
            Cause::Mail(mail) => self.quoted(&text::one_line(&mail.subject, SHORT_SUBJECT_CHARS)),
            Cause::Failing(Failing { trouble: Some(trouble), .. }) => trouble.reason.as_str().to_owned(),
            Cause::Failing(Failing { trouble: None, .. }) | Cause::Low(_) => {
                self.pair(alert.currency(), alert.balance(), alert.threshold()).0
            }
        };
        let what = if what.is_empty() { name.to_owned() } else { format!("{name} {what}") };
        let before = alert.told_currency().map(|before| {
            self.phrases.told_in(Some((self.neutral)(before)).as_deref().filter(|told| !told.is_empty()))
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
            MissedCause::Low { balance: None, .. } => self.alert.topic().as_str().to_owned(),
            MissedCause::Renewal => self.alert.renewal().map(|renewal| renewal.next.to_string()).unwrap_or_default(),
        }
    }

    /// The balance that was missed, and the threshold that it was below, in the currency of that time.
    fn missed_pair(&self, missed: &Missed) -> (String, String) {
        match &missed.found {
            MissedCause::Low { balance, threshold, currency } => {
                self.pair(currency.as_deref().or(self.alert.currency()), *balance, *threshold)
            }
            MissedCause::Failing(_) | MissedCause::Renewal => (String::new(), String::new()),
        }
    }

    /// A balance and its threshold, with as many digits as it takes to see that they differ.
    fn pair(&self, currency: Option<&str>, balance: Option<Decimal>, threshold: Option<Decimal>) -> (String, String) {
        let currency = currency.map(self.neutral);
        let show = |amount: Option<Decimal>, other: Option<Decimal>| {
            amount.map_or_else(String::new, |amount| amount::show_beside(amount, other, currency.as_deref()))
        };
        (show(balance, threshold), show(threshold, balance))
    }

    fn amount(&self, amount: Option<Decimal>, currency: Option<&str>) -> String {
        let currency = currency.map(self.neutral);
        amount.map_or_else(String::new, |amount| amount::show(amount, currency.as_deref()))
    }

    /// Why a check cannot be read; empty if that is not known.
    pub(super) fn trouble(&self, trouble: Option<&Trouble>) -> String {
        trouble.map_or_else(String::new, |trouble| {
            format!("{}: {}", trouble.reason.as_str(), (self.neutral)(&trouble.message))
        })
    }

    /// Words of others, in quotes that they cannot leave.
    fn quoted(&self, text: &str) -> String {
        format!("“{}”", (self.neutral)(text).replace(['“', '”'], "'"))
    }
}

/// A time for people, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
