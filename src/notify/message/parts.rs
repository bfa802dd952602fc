//! The parts of a sentence: what an alert says, brought into text that is harmless in the message. A language puts them together.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::neutral::Neutral;
use crate::model::alert::{
    Account, Alert, Change, Event, Expiry, Failing, Lapsing, Lasting, Level, Low, Mail, Renewal, Runway, Silent, Spike,
    TopUp, Trouble,
};
use crate::model::amount;
use crate::model::cadence::Cadence;
use crate::model::text;
use crate::model::words::BalanceType;

/// Makes the parts of the sentence about one alert.
pub(super) struct Parts<'a> {
    pub(super) alert: &'a Alert,
    pub(super) neutral: Neutral,
}

/// A balance that is low, or no longer.
pub(super) struct LowParts {
    pub(super) kind: BalanceType,
    /// Empty if it is not known.
    pub(super) balance: String,
    /// Empty if there is none.
    pub(super) threshold: String,
    pub(super) turn: Turn,
}

/// How a balance has changed since the last message.
pub(super) enum Turn {
    /// It is below a threshold: the one for warnings, or the one below which it is critical.
    Below(Level),
    /// It is back above the threshold.
    Recovered,
    /// It is not low any more, because the threshold was lowered from this one.
    Lowered { before: String },
    /// It is not low, but was told in another currency, or only one of both currencies was named.
    Incomparable {
        /// The currency that was told, if one was.
        before: Option<String>,
        /// Whether a currency is named now.
        is_named: bool,
    },
    /// It has no limit any more.
    Unlimited,
}

/// A check that cannot be read, or can be read again.
pub(super) enum FailingParts {
    /// It could not be read in so many runs, and why.
    Failing { runs: u32, why: String },
    /// It can be read again; with what is counted and the balance, if there is one.
    Readable(Option<(BalanceType, String)>),
}

/// A schedule that has fallen silent, or runs again.
pub(super) struct SilentParts {
    pub(super) event: Event,
    /// When it ran last.
    pub(super) last: String,
    /// Its longest pause while all was well.
    pub(super) usual: Option<String>,
}

/// The renewal of a subscription.
pub(super) struct RenewalParts {
    pub(super) event: Event,
    pub(super) next: Date,
    pub(super) days: i64,
    pub(super) cycle: Cadence,
    /// Empty if it is not known.
    pub(super) amount: String,
    /// Whether a message about it may have arrived, though no answer came.
    pub(super) is_unsure: bool,
}

/// A balance that will not last, or lasts again.
pub(super) struct RunwayParts {
    pub(super) event: Event,
    pub(super) kind: BalanceType,
    pub(super) balance: String,
    /// None if that cannot be said any more.
    pub(super) lasts: Option<Lasting>,
    /// What is consumed a day; empty if it is not known.
    pub(super) burn: String,
}

/// A day that consumes far more than is usual, or as much as usual again.
pub(super) struct SpikeParts {
    pub(super) event: Event,
    pub(super) kind: BalanceType,
    /// Empty if it is not known.
    pub(super) balance: String,
    /// None if that cannot be said any more.
    pub(super) per_day: Option<String>,
    /// What is usual a day; empty if nothing is.
    pub(super) usual: String,
    /// How many times as much as usual; none if nothing is.
    pub(super) times: Option<String>,
}

/// Credits that lapse before they are used up.
pub(super) struct ExpiryParts {
    pub(super) kind: BalanceType,
    pub(super) balance: String,
    /// What is usual a day; empty if that is not known.
    pub(super) usual: String,
    /// The credits, the next first.
    pub(super) credits: Vec<LapsingParts>,
}

/// One of them.
pub(super) struct LapsingParts {
    /// In quotes; empty if it has none.
    pub(super) name: String,
    pub(super) remaining: String,
    pub(super) unused: String,
    pub(super) date: Date,
    pub(super) days: u32,
    /// The threshold that its lapse takes the account below; empty if it takes it below none.
    pub(super) falls_below: String,
}

/// An account that was topped up.
pub(super) struct TopUpParts {
    pub(super) kind: BalanceType,
    /// Empty if it is not known.
    pub(super) balance: String,
    /// Empty if it is not known.
    pub(super) amount: String,
    /// The last reading before it.
    pub(super) since: String,
    /// The reading that has more.
    pub(super) at: String,
}

/// The words between the parts of a mail.
pub(super) struct MailWords {
    pub(super) mail: &'static str,
    pub(super) from: &'static str,
    pub(super) comma: &'static str,
    pub(super) account: &'static str,
    pub(super) service: &'static str,
    pub(super) amount: &'static str,
    pub(super) keywords: &'static str,
}

impl Parts<'_> {
    pub(super) fn low(&self, low: &Low) -> LowParts {
        let Low { account: Account { kind, balance, currency }, threshold, change } = low;
        let currency = currency.as_deref();
        let turn = match (self.alert.event, balance, change) {
            (Event::Raised, ..) => Turn::Below(self.alert.level),
            (Event::Resolved, None, _) => Turn::Unlimited,
            (Event::Resolved, Some(_), None) => Turn::Recovered,
            (Event::Resolved, Some(_), Some(Change::Threshold(before))) => {
                Turn::Lowered { before: self.pair(currency, *balance, Some(*before)).1 }
            }
            (Event::Resolved, Some(_), Some(Change::Currency(before))) => {
                Turn::Incomparable { before: before.as_deref().map(self.neutral), is_named: currency.is_some() }
            }
        };
        let (balance, threshold) = self.pair(currency, *balance, *threshold);
        LowParts { kind: *kind, balance, threshold, turn }
    }

    pub(super) fn failing(&self, failing: &Failing) -> FailingParts {
        let Failing { account, trouble, .. } = failing;
        if self.alert.event == Event::Raised {
            let runs = trouble.as_ref().map_or(1, |trouble| trouble.runs);
            return FailingParts::Failing { runs, why: self.trouble(trouble.as_ref()) };
        }
        let account = account.as_ref().filter(|account| account.balance.is_some());
        FailingParts::Readable(account.map(|account| {
            let (balance, _) = self.pair(account.currency.as_deref(), account.balance, None);
            (account.kind, balance)
        }))
    }

    pub(super) fn renewal(&self, renewal: &Renewal) -> RenewalParts {
        RenewalParts {
            event: self.alert.event,
            next: renewal.next,
            days: renewal.days,
            cycle: renewal.cycle_type,
            amount: self.amount(renewal.amount, renewal.currency.as_deref()),
            is_unsure: self.alert.missed.as_ref().is_some_and(|missed| missed.is_unsure),
        }
    }

    pub(super) fn runway(&self, runway: &Runway) -> RunwayParts {
        let Runway { account: Account { kind, balance, currency }, lasts } = runway;
        let burn = lasts.as_ref().and_then(|lasts| lasts.burn_per_day);
        RunwayParts {
            event: self.alert.event,
            kind: *kind,
            balance: self.amount(*balance, currency.as_deref()),
            burn: self.amount(burn, currency.as_deref()),
            lasts: lasts.clone(),
        }
    }

    pub(super) fn spike(&self, spike: &Spike) -> SpikeParts {
        let Spike { account: Account { kind, balance, currency }, per_day, usual_per_day } = spike;
        SpikeParts {
            event: self.alert.event,
            kind: *kind,
            balance: self.amount(*balance, currency.as_deref()),
            per_day: per_day.map(|_| self.amount(*per_day, currency.as_deref())),
            usual: self.amount(*usual_per_day, currency.as_deref()),
            times: spike.times(),
        }
    }

    pub(super) fn expiry(&self, expiry: &Expiry) -> ExpiryParts {
        let Expiry { account: Account { kind, balance, currency }, usual_per_day, credits, heard: _ } = expiry;
        let currency = currency.as_deref();
        let credit = |credit: &Lapsing| LapsingParts {
            name: credit.name.as_deref().map(|name| self.quoted(name)).unwrap_or_default(),
            remaining: self.amount(Some(credit.remaining), currency),
            unused: self.amount(Some(credit.unused), currency),
            date: credit.date,
            days: credit.days,
            falls_below: self.amount(credit.falls_below, currency),
        };
        ExpiryParts {
            kind: *kind,
            balance: self.amount(*balance, currency),
            usual: self.amount(*usual_per_day, currency),
            credits: credits.iter().map(credit).collect(),
        }
    }

    pub(super) fn topup(&self, topup: &TopUp) -> TopUpParts {
        let TopUp { account: Account { kind, balance, currency }, amount, since, at } = topup;
        TopUpParts {
            kind: *kind,
            balance: self.amount(*balance, currency.as_deref()),
            amount: self.amount(*amount, currency.as_deref()),
            since: moment(*since),
            at: moment(*at),
        }
    }

    pub(super) fn silent(&self, silent: &Silent) -> SilentParts {
        let usual = silent.usual.map(|seconds| text::span(Duration::from_secs(seconds)));
        SilentParts { event: self.alert.event, last: moment(silent.last), usual }
    }

    /// A mail is a list of facts, so its sentence is the same in all languages but for these words.
    pub(super) fn mail(&self, mail: &Mail, words: &MailWords) -> String {
        let mut parts =
            vec![format!("{}{}{}{}", words.mail, self.quoted(&mail.subject), words.from, self.quoted(&mail.sender))];
        parts.extend(mail.date.map(moment));
        parts.extend(mail.account.as_deref().map(|name| format!("{}{}", words.account, (self.neutral)(name))));
        parts.extend(mail.service.as_deref().map(|name| format!("{}{}", words.service, self.quoted(name))));
        let amount = mail.amount.map(|_| self.amount(mail.amount, mail.currency.as_deref()));
        parts.extend(amount.map(|amount| format!("{}{amount}", words.amount)));
        // One that could not be read was not searched for words.
        if !mail.keywords.is_empty() {
            parts.push(format!("{}{}", words.keywords, (self.neutral)(&mail.keywords.join("、"))));
        }
        parts.join(words.comma)
    }

    /// A balance and its threshold, with as many digits as it takes to see that they differ.
    pub(super) fn pair(
        &self,
        currency: Option<&str>,
        balance: Option<Decimal>,
        threshold: Option<Decimal>,
    ) -> (String, String) {
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
    pub(super) fn quoted(&self, text: &str) -> String {
        format!("“{}”", (self.neutral)(text).replace(['“', '”'], "'"))
    }
}

/// A time for people, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
