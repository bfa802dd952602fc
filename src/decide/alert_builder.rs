//! Makes alerts of checks, with what every alert of a check says. They get their keys when it is known who is told.

use jiff::Timestamp;

use super::route::About;
use super::verdict::{MailboxVerdict, SubscriptionVerdict, Verdict};
use crate::model::addressing::Addressing;
use crate::model::alert::{Account, Alert, Cause, Event, Level};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;

/// What alerts say of an account.
pub(super) fn account(verdict: &Verdict) -> Account {
    Account { kind: verdict.subject.kind, balance: verdict.balance, currency: verdict.currency.clone() }
}

/// What the alerts of one check have in common.
pub(super) struct AlertBuilder<'a> {
    pub(super) identity: Identity,
    name: &'a str,
    owner: Option<&'a str>,
    provider: &'a str,
    host: Option<&'a str>,
    addressing: &'a Addressing,
    /// The account; none if the check is a mailbox or a subscription.
    pub(super) account: Option<Account>,
    now: Timestamp,
}

impl<'a> AlertBuilder<'a> {
    pub(super) fn of_account(verdict: &'a Verdict, now: Timestamp) -> AlertBuilder<'a> {
        let subject = &verdict.subject;
        AlertBuilder {
            identity: subject.identity,
            name: &subject.name,
            owner: subject.owner_project.as_deref(),
            provider: &subject.provider,
            host: subject.host.as_deref(),
            addressing: &subject.addressing,
            account: Some(account(verdict)),
            now,
        }
    }

    pub(super) fn of_mailbox(verdict: &'a MailboxVerdict, now: Timestamp) -> AlertBuilder<'a> {
        AlertBuilder {
            identity: verdict.identity,
            name: &verdict.name,
            owner: None,
            provider: MailboxVerdict::PROVIDER,
            host: Some(&verdict.host),
            addressing: &verdict.addressing,
            account: None,
            now,
        }
    }

    pub(super) fn of_subscription(verdict: &'a SubscriptionVerdict, now: Timestamp) -> AlertBuilder<'a> {
        let SubscriptionVerdict { identity, subscription, .. } = verdict;
        let (name, owner) = (subscription.name.as_str(), subscription.owner_project.as_deref());
        AlertBuilder {
            identity: *identity,
            name,
            owner,
            provider: SubscriptionVerdict::PROVIDER,
            host: None,
            addressing: &subscription.addressing,
            account: None,
            now,
        }
    }

    pub(super) fn of_schedule(
        identity: Identity,
        name: &'a str,
        addressing: &'a Addressing,
        now: Timestamp,
    ) -> AlertBuilder<'a> {
        let provider = Schedule::PROVIDER;
        AlertBuilder { identity, name, owner: None, provider, host: None, addressing, account: None, now }
    }

    /// The host that is asked, if it is asked over the network.
    pub(super) fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// What routes ask for.
    pub(super) fn about(&self) -> About<'a> {
        About { name: self.name, owner: self.owner, provider: self.provider, addressing: self.addressing }
    }

    pub(super) fn alert(&self, event: Event, level: Level, cause: Cause) -> Alert {
        Alert {
            identity: self.identity,
            event,
            level,
            project: self.name.to_owned(),
            owner_project: self.owner.map(str::to_owned),
            provider: self.provider.to_owned(),
            labels: self.addressing.labels.clone(),
            host: self.host.map(str::to_owned),
            cause,
            at: self.now,
            unconfirmed: false,
            missed: None,
            since: None,
            is_reminder: false,
            dedup_key: String::new(),
        }
    }
}
