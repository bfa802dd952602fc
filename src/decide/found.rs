//! Joins the outcome of each check with its subject.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{Found, MailboxVerdict, Subject, SubscriptionVerdict, judge};
use crate::check::Outcome;
use crate::check::mailbox::config::Mailbox;
use crate::check::mailbox::scan::Scanned;
use crate::check::subscription::config::{Schedule, Subscription};
use crate::check::subscription::look;
use crate::model::addressing::Addressing;
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;

/// What the checks of a run are about, in the order of the plan.
pub(crate) struct Subjects {
    pub accounts: Vec<Subject>,
    pub mailboxes: Vec<MailboxSubject>,
    pub subscriptions: Vec<Subscription>,
}

impl Subjects {
    /// Counts the payments that people have noted.
    pub(crate) fn note(&mut self, payments: &HashMap<Identity, Date>) {
        for subscription in &mut self.subscriptions {
            if let (Some(payment), Ok(schedule)) = (payments.get(&subscription.identity()), &mut subscription.schedule)
            {
                schedule.note(*payment);
            }
        }
    }
}

/// What the scan of a mailbox is about.
#[derive(Clone)]
pub(crate) struct MailboxSubject {
    /// Names the mailbox across runs.
    pub identity: Identity,
    /// The unique name of the mailbox.
    pub name: String,
    /// The server that the mailbox lies on.
    pub host: String,
    /// Who hears of it.
    pub addressing: Addressing,
}

impl MailboxSubject {
    /// What the scan of this mailbox is about.
    pub(crate) fn of(mailbox: &Mailbox) -> MailboxSubject {
        MailboxSubject {
            identity: mailbox.identity(),
            name: mailbox.name.clone(),
            host: mailbox.address.host.clone(),
            addressing: mailbox.addressing.clone(),
        }
    }
}

/// All that a run has found on a day: `accounts` and `mailboxes` are what came of the checks, in the order of the subjects.
pub(crate) fn found(subjects: Subjects, accounts: Vec<Outcome>, mailboxes: Vec<Scanned>, today: Date) -> Found {
    let mailboxes = subjects.mailboxes.into_iter().zip(mailboxes);
    let mailbox = |(MailboxSubject { identity, name, host, addressing }, scanned)| MailboxVerdict {
        identity,
        name,
        host,
        addressing,
        scanned,
    };
    let subscriptions = subjects.subscriptions.into_iter();
    Found {
        accounts: judge(subjects.accounts.into_iter().zip(accounts)),
        subscriptions: subscriptions.filter_map(|subscription| renewal(subscription, today)).collect(),
        mailboxes: mailboxes.map(mailbox).collect(),
        today,
    }
}

/// None for a subscription that renews beyond the last year of the calendar.
fn renewal(subscription: Subscription, today: Date) -> Option<SubscriptionVerdict> {
    let renewal = match &subscription.schedule {
        Ok(Schedule { cycle, alert_days_before, last_renewed, .. }) => {
            Ok(look(*cycle, *alert_days_before, *last_renewed, today)?)
        }
        Err(why) => Err(Failure::new(Reason::Config, why.clone())),
    };
    Some(SubscriptionVerdict { identity: subscription.identity(), subscription, renewal })
}
