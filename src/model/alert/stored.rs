//! An alert as it stands in a store.
//!
//! This is the form of the first version, in which one struct held the fields of every topic. It does not change, so that every
//! version of this program reads the alerts that are still to be told. Fields that came later have a default.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    Account, Alert, Cause, Change, Event, Failing, Level, Low, Mail, Missed, MissedCause, Renewal, Topic, Trouble,
};
use crate::model::identity::Identity;
use crate::model::words::{BalanceType, CycleType};

/// The fields in the order in which they are written.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAlert {
    identity: Identity,
    topic: Topic,
    event: Event,
    level: Level,
    project: String,
    owner_project: Option<String>,
    provider: String,
    kind: Option<BalanceType>,
    #[serde(with = "rust_decimal::serde::str_option")]
    balance: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    threshold: Option<Decimal>,
    #[serde(default, with = "rust_decimal::serde::str_option")]
    lowered_from: Option<Decimal>,
    #[serde(default)]
    told_currency: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    host: Option<String>,
    trouble: Option<Trouble>,
    renewal: Option<StoredRenewal>,
    mail: Option<StoredMail>,
    at: Timestamp,
    unconfirmed: bool,
    missed: Option<StoredMissed>,
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    is_reminder: bool,
    dedup_key: String,
}

#[derive(Serialize, Deserialize)]
struct StoredRenewal {
    cycle_type: CycleType,
    renewal_day: String,
    next: Date,
    today: Date,
    days: i64,
    #[serde(with = "rust_decimal::serde::str_option")]
    amount: Option<Decimal>,
}

#[derive(Serialize, Deserialize)]
struct StoredMail {
    subject: String,
    sender: String,
    date: Option<Timestamp>,
    service: Option<String>,
    #[serde(with = "rust_decimal::serde::str_option")]
    amount: Option<Decimal>,
    keywords: Vec<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct StoredMissed {
    at: Timestamp,
    #[serde(with = "rust_decimal::serde::str_option")]
    balance: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::str_option")]
    threshold: Option<Decimal>,
    #[serde(default)]
    currency: Option<String>,
    trouble: Option<Trouble>,
    #[serde(default)]
    is_unsure: bool,
}

impl StoredAlert {
    /// An alert without what only its topic has.
    fn bare(alert: &Alert) -> StoredAlert {
        StoredAlert {
            identity: alert.identity,
            topic: alert.topic(),
            event: alert.event,
            level: alert.level,
            project: alert.project.clone(),
            owner_project: alert.owner_project.clone(),
            provider: alert.provider.clone(),
            kind: alert.account().map(|account| account.kind),
            balance: alert.balance(),
            threshold: alert.threshold(),
            lowered_from: None,
            told_currency: None,
            currency: alert.currency().map(str::to_owned),
            host: alert.host.clone(),
            trouble: None,
            renewal: None,
            mail: None,
            at: alert.at,
            unconfirmed: alert.unconfirmed,
            missed: None,
            since: alert.since,
            is_reminder: alert.is_reminder,
            dedup_key: alert.dedup_key.clone(),
        }
    }
}

impl From<Alert> for StoredAlert {
    fn from(alert: Alert) -> StoredAlert {
        let mut stored = StoredAlert::bare(&alert);
        stored.missed = alert.missed.map(|missed| StoredMissed::of_alert(missed, stored.currency.as_deref()));
        match alert.cause {
            Cause::Low(low) => match low.change {
                Some(Change::Threshold(before)) => stored.lowered_from = Some(before),
                Some(Change::Currency(before)) => stored.told_currency = Some(before.unwrap_or_default()),
                None => {}
            },
            Cause::Failing(failing) => stored.trouble = failing.trouble,
            Cause::Renewal(renewal) => stored.renewal = Some(renewal.into()),
            Cause::Mail(mail) => stored.mail = Some(mail.into()),
        }
        stored
    }
}

impl TryFrom<StoredAlert> for Alert {
    type Error = String;

    /// # Errors
    /// What its topic needs is missing. No version of this program has written such an alert so far.
    fn try_from(stored: StoredAlert) -> Result<Alert, String> {
        let StoredAlert { topic, kind, balance, threshold, currency, .. } = stored;
        let missed = stored.missed.and_then(|missed| missed.of(topic));
        let account = |currency| kind.map(|kind| Account { kind, balance, currency });
        let missing = |what: &str| format!("an alert of the topic `{}` has no `{what}`", topic.as_str());
        let cause = match topic {
            Topic::Low => {
                let lowered = stored.lowered_from.map(Change::Threshold);
                let change = lowered
                    .or(stored.told_currency.map(|told| Change::Currency(Some(told).filter(|told| !told.is_empty()))));
                Cause::Low(Low { account: account(currency).ok_or_else(|| missing("kind"))?, threshold, change })
            }
            Topic::Failing => Cause::Failing(Failing { account: account(currency), trouble: stored.trouble }),
            Topic::Renewal => Cause::Renewal(stored.renewal.ok_or_else(|| missing("renewal"))?.with_currency(currency)),
            Topic::Mail => Cause::Mail(stored.mail.ok_or_else(|| missing("mail"))?.with_currency(currency)),
        };
        Ok(Alert {
            identity: stored.identity,
            event: stored.event,
            level: stored.level,
            project: stored.project,
            owner_project: stored.owner_project,
            provider: stored.provider,
            host: stored.host,
            cause,
            at: stored.at,
            unconfirmed: stored.unconfirmed,
            missed,
            since: stored.since,
            is_reminder: stored.is_reminder,
            dedup_key: stored.dedup_key,
        })
    }
}

impl From<Renewal> for StoredRenewal {
    fn from(renewal: Renewal) -> StoredRenewal {
        let Renewal { cycle_type, renewal_day, next, today, days, amount, currency: _ } = renewal;
        StoredRenewal { cycle_type, renewal_day, next, today, days, amount }
    }
}

impl StoredRenewal {
    fn with_currency(self, currency: Option<String>) -> Renewal {
        let StoredRenewal { cycle_type, renewal_day, next, today, days, amount } = self;
        Renewal { cycle_type, renewal_day, next, today, days, amount, currency }
    }
}

impl From<Mail> for StoredMail {
    fn from(mail: Mail) -> StoredMail {
        let Mail { subject, sender, date, service, amount, currency: _, keywords } = mail;
        StoredMail { subject, sender, date, service, amount, keywords }
    }
}

impl StoredMail {
    fn with_currency(self, currency: Option<String>) -> Mail {
        let StoredMail { subject, sender, date, service, amount, keywords } = self;
        Mail { subject, sender, date, service, amount, currency, keywords }
    }
}

impl StoredMissed {
    /// What was missed of an alert with this currency. Only a low balance has one of its own.
    fn of_alert(missed: Missed, currency: Option<&str>) -> StoredMissed {
        let currency = currency.map(str::to_owned);
        let stored = StoredMissed { at: missed.at, is_unsure: missed.is_unsure, currency, ..StoredMissed::default() };
        match missed.found {
            MissedCause::Low { balance, threshold, currency } => {
                StoredMissed { balance, threshold, currency, ..stored }
            }
            MissedCause::Failing(trouble) => StoredMissed { trouble: Some(trouble), ..stored },
            MissedCause::Renewal => stored,
        }
    }

    /// What an alert of this topic can have missed.
    fn of(self, topic: Topic) -> Option<Missed> {
        let StoredMissed { at, balance, threshold, currency, trouble, is_unsure } = self;
        let found = match topic {
            Topic::Low => MissedCause::Low { balance, threshold, currency },
            Topic::Failing => MissedCause::Failing(trouble?),
            Topic::Renewal => MissedCause::Renewal,
            // A mail is never over, so none is missed.
            Topic::Mail => return None,
        };
        Some(Missed { at, is_unsure, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One alert a line, as the store of the version before causes had them, and one of the very first version.
    const STORED: &str = include_str!("stored.jsonl");

    #[test]
    fn an_alert_of_every_topic_is_read_and_written_as_it_stood_in_a_store() {
        let mut topics = std::collections::BTreeSet::new();
        for line in STORED.lines() {
            let alert: Alert = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
            assert_eq!(serde_json::to_string(&alert).unwrap(), line);
            topics.insert((alert.topic(), alert.event == Event::Resolved, alert.missed.is_some()));
        }
        for topic in Topic::ALL {
            assert!(topics.contains(&(topic, false, false)), "{topic:?}");
        }
        // A mail is never over, so none is missed.
        for topic in Topic::ALL.into_iter().filter(|topic| *topic != Topic::Mail) {
            assert!(topics.contains(&(topic, true, true)), "{topic:?} that was missed");
        }
    }

    #[test]
    fn an_alert_of_the_first_version_is_read() {
        let low = r#"{"identity":1,"topic":"low","event":"raised","level":"critical","project":"P","owner_project":null,
            "provider":"file","kind":"balance","balance":"5","threshold":"10","currency":"USD","trouble":null,
            "at":"2026-01-02T03:04:05Z","unconfirmed":false,"missed":null,"dedup_key":"low-1-r"}"#;
        let low: Alert = serde_json::from_str(low).unwrap();
        let account = Account { kind: BalanceType::Balance, balance: Some(5.into()), currency: Some("USD".into()) };
        assert_eq!(low.cause, Cause::Low(Low { account, threshold: Some(10.into()), change: None }));
        assert_eq!((low.dedup_key.as_str(), low.since, low.is_reminder), ("low-1-r", None, false));
        let failing = r#"{"identity":1,"topic":"failing","event":"resolved","level":"info","project":"P","owner_project":null,
            "provider":"file","kind":"credits","balance":"5","threshold":null,"currency":null,"trouble":null,
            "at":"2026-01-02T03:04:05Z","unconfirmed":false,"dedup_key":"failing-1-r","missed":{"at":"2026-01-01T00:00:00Z",
            "balance":null,"threshold":null,"trouble":{"reason":"timeout","message":"timed out","runs":3}}}"#;
        let failing: Alert = serde_json::from_str(failing).unwrap();
        let missed = failing.missed.unwrap();
        assert!(!missed.is_unsure && matches!(missed.found, MissedCause::Failing(Trouble { runs: 3, .. })));
    }

    #[test]
    fn what_its_topic_needs_must_be_there() {
        let mail = STORED.lines().find(|line| line.contains(r#""topic":"mail""#)).unwrap();
        for (topic, what) in [("low", "kind"), ("renewal", "renewal")] {
            let other = mail.replace(r#""topic":"mail""#, &format!(r#""topic":"{topic}""#));
            let why = serde_json::from_str::<Alert>(&other).unwrap_err();
            assert!(why.is_data() && why.to_string().contains(&format!("`{what}`")), "{why}");
        }
    }
}
