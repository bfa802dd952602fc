//! An alert as it stands in a store.
//!
//! The first version held the fields of every topic in one struct. The four topics of that time keep that form, so that every
//! version of this program reads the alerts that are still to be told. Fields that came later have a default. The cause of a
//! topic that came later derives the form of serde, and stands under `cause`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    Account, Alert, Cause, Change, Event, Failing, Level, Low, Mail, Missed, MissedCause, Renewal, SharedCause, Topic,
    Trouble,
};
use crate::model::cadence::Cadence;
use crate::model::identity::Identity;
use crate::model::words::BalanceType;

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
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shared: Option<String>,
    renewal: Option<StoredRenewal>,
    mail: Option<StoredMail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<serde_json::Value>,
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
    cycle_type: Cadence,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
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
            labels: alert.labels.clone(),
            kind: alert.account().map(|account| account.kind),
            balance: alert.balance(),
            threshold: alert.threshold(),
            lowered_from: None,
            told_currency: None,
            currency: alert.currency().map(str::to_owned),
            host: alert.host.clone(),
            trouble: None,
            shared: None,
            renewal: None,
            mail: None,
            cause: None,
            at: alert.at,
            unconfirmed: alert.unconfirmed,
            missed: None,
            since: alert.since,
            is_reminder: alert.is_reminder,
            dedup_key: alert.dedup_key.clone(),
        }
    }

    fn account(&mut self) -> Option<Account> {
        self.kind.map(|kind| Account { kind, balance: self.balance, currency: self.currency.take() })
    }

    fn missing(&self, what: &str) -> String {
        format!("an alert of the topic `{}` has no `{what}`", self.topic.as_str())
    }
}

/// How the cause of a topic stands in a stored alert.
pub(super) trait Kept: Sized {
    /// Puts it into the alert, which has already what every alert has.
    fn keep(self, stored: &mut StoredAlert);

    /// Takes it out again.
    ///
    /// # Errors
    /// What the topic needs is missing. No version of this program has written such an alert so far.
    fn restore(stored: &mut StoredAlert) -> Result<Self, String>;
}

/// All topics but the first four.
impl<T: Serialize + DeserializeOwned> Kept for T {
    fn keep(self, stored: &mut StoredAlert) {
        // Plain fields only: this cannot fail.
        stored.cause = serde_json::to_value(self).ok();
    }

    fn restore(stored: &mut StoredAlert) -> Result<Self, String> {
        let cause = stored.cause.take().ok_or_else(|| stored.missing("cause"))?;
        // What serde says of it could repeat what stands in it.
        serde_json::from_value(cause).map_err(|_| stored.missing("cause that can be understood"))
    }
}

impl Kept for Low {
    fn keep(self, stored: &mut StoredAlert) {
        match self.change {
            Some(Change::Threshold(before)) => stored.lowered_from = Some(before),
            Some(Change::Currency(before)) => stored.told_currency = Some(before.unwrap_or_default()),
            None => {}
        }
    }

    fn restore(stored: &mut StoredAlert) -> Result<Low, String> {
        let told = stored.told_currency.take().map(|told| Some(told).filter(|told| !told.is_empty()));
        let change = stored.lowered_from.map(Change::Threshold).or(told.map(Change::Currency));
        let account = stored.account().ok_or_else(|| stored.missing("kind"))?;
        Ok(Low { account, threshold: stored.threshold, change })
    }
}

impl Kept for Failing {
    fn keep(self, stored: &mut StoredAlert) {
        stored.trouble = self.trouble;
        stored.shared = self.shared.map(|shared| shared.mark());
    }

    fn restore(stored: &mut StoredAlert) -> Result<Failing, String> {
        let shared = stored.shared.take().as_deref().and_then(SharedCause::parse);
        Ok(Failing { account: stored.account(), trouble: stored.trouble.take(), shared })
    }
}

impl Kept for Renewal {
    fn keep(self, stored: &mut StoredAlert) {
        let Renewal { cycle_type, renewal_day, next, today, days, amount, currency: _ } = self;
        stored.renewal = Some(StoredRenewal { cycle_type, renewal_day, next, today, days, amount });
    }

    fn restore(stored: &mut StoredAlert) -> Result<Renewal, String> {
        let renewal = stored.renewal.take().ok_or_else(|| stored.missing("renewal"))?;
        let StoredRenewal { cycle_type, renewal_day, next, today, days, amount } = renewal;
        Ok(Renewal { cycle_type, renewal_day, next, today, days, amount, currency: stored.currency.take() })
    }
}

impl Kept for Mail {
    fn keep(self, stored: &mut StoredAlert) {
        let Mail { subject, sender, date, account, service, amount, currency: _, keywords } = self;
        stored.mail = Some(StoredMail { subject, sender, date, service, amount, keywords, account });
    }

    fn restore(stored: &mut StoredAlert) -> Result<Mail, String> {
        let mail = stored.mail.take().ok_or_else(|| stored.missing("mail"))?;
        let StoredMail { subject, sender, date, service, amount, keywords, account } = mail;
        Ok(Mail { subject, sender, date, account, service, amount, currency: stored.currency.take(), keywords })
    }
}

impl From<Alert> for StoredAlert {
    fn from(alert: Alert) -> StoredAlert {
        let mut stored = StoredAlert::bare(&alert);
        stored.missed = alert.missed.map(|missed| StoredMissed::of_alert(missed, stored.currency.as_deref()));
        alert.cause.keep(&mut stored);
        stored
    }
}

impl TryFrom<StoredAlert> for Alert {
    type Error = String;

    /// # Errors
    /// What its topic needs is missing.
    fn try_from(mut stored: StoredAlert) -> Result<Alert, String> {
        let topic = stored.topic;
        let cause = Cause::restore(topic, &mut stored)?;
        Ok(Alert {
            identity: stored.identity,
            event: stored.event,
            level: stored.level,
            project: stored.project,
            owner_project: stored.owner_project,
            provider: stored.provider,
            labels: stored.labels,
            host: stored.host,
            cause,
            at: stored.at,
            unconfirmed: stored.unconfirmed,
            missed: stored.missed.and_then(|missed| missed.of(topic)),
            since: stored.since,
            is_reminder: stored.is_reminder,
            dedup_key: stored.dedup_key,
        })
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
            // The message that something else is over adds nothing.
            _ => return None,
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
        for topic in [Topic::Low, Topic::Failing, Topic::Renewal] {
            assert!(topics.contains(&(topic, true, true)), "{topic:?} that was missed");
        }
    }

    #[test]
    fn the_cause_of_a_topic_that_comes_later_stands_as_serde_derives_it() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Later {
            days: u32,
        }
        let line = STORED.lines().next().unwrap();
        let mut stored: StoredAlert = serde_json::from_str(line).unwrap();
        Later { days: 3 }.keep(&mut stored);
        let text = serde_json::to_string(&stored).unwrap();
        assert!(text.contains(r#","cause":{"days":3},"#), "{text}");
        let mut stored: StoredAlert = serde_json::from_str(&text).unwrap();
        assert_eq!(Later::restore(&mut stored), Ok(Later { days: 3 }));
        assert!(Later::restore(&mut stored).unwrap_err().contains("`cause`"));
        stored.cause = Some(serde_json::json!({"days": "private-1"}));
        assert!(!Later::restore(&mut stored).unwrap_err().contains("private-1"));
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
