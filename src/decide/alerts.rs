//! The alerts that verdicts can lead to. They get their keys when it is known who is told.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::check::mailbox::scan::Finding;
use crate::check::subscription::Standing;
use crate::decide::config::Alerting;
use crate::decide::settle::Observed;
use crate::decide::verdict::{MailboxVerdict, Status, SubscriptionVerdict, Verdict};
use crate::model::alert::{Account, Alert, Cause, Event, Failing, Level, Low, Mail, Renewal, Trouble};
use crate::model::failure::Failure;
use crate::model::identity::Identity;
use crate::model::text;

/// What alerts say of an account.
fn account(verdict: &Verdict) -> Account {
    Account { kind: verdict.subject.kind, balance: verdict.balance, currency: verdict.currency.clone() }
}

/// What the alerts of one check have in common.
pub(super) struct AlertBuilder<'a> {
    identity: Identity,
    name: &'a str,
    owner: Option<&'a str>,
    provider: &'a str,
    host: Option<&'a str>,
    account: Option<Account>,
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
            account: Some(account(verdict)),
            now,
        }
    }

    pub(super) fn of_mailbox(verdict: &'a MailboxVerdict, now: Timestamp) -> AlertBuilder<'a> {
        let (identity, name, host) = (verdict.identity, verdict.name.as_str(), Some(verdict.host.as_str()));
        AlertBuilder { identity, name, owner: None, provider: MailboxVerdict::PROVIDER, host, account: None, now }
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
            account: None,
            now,
        }
    }

    fn alert(&self, event: Event, level: Level, cause: Cause) -> Alert {
        Alert {
            identity: self.identity,
            event,
            level,
            project: self.name.to_owned(),
            owner_project: self.owner.map(str::to_owned),
            provider: self.provider.to_owned(),
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

/// Whether a balance is low.
pub(super) fn low(verdict: &Verdict, builder: &AlertBuilder, alerting: &Alerting) -> Observed {
    let subject = &verdict.subject;
    let alert = |event, level, threshold| {
        let low = Low { account: account(verdict), threshold, change: None };
        builder.alert(event, level, Cause::Low(low))
    };
    let highest = subject.threshold.max(subject.warning_threshold);
    match verdict.status {
        Status::Low => Observed::Wrong(alert(Event::Raised, Level::Critical, subject.threshold)),
        Status::Warning => Observed::Wrong(alert(Event::Raised, Level::Warning, subject.warning_threshold)),
        Status::Failed => Observed::Unknown,
        Status::Unlimited => Observed::Right(alert(Event::Resolved, Level::Info, highest)),
        Status::Ok => {
            let alert = alert(Event::Resolved, Level::Info, highest);
            let margin = Decimal::ONE + alerting.recovery_margin_percent / Decimal::ONE_HUNDRED;
            let enough = highest.and_then(|threshold| threshold.checked_mul(margin));
            match (verdict.balance, enough) {
                (Some(balance), Some(enough)) if balance < enough => Observed::Nearly(alert),
                _ => Observed::Right(alert),
            }
        }
    }
}

/// Whether a check fails so often that it is told.
pub(super) fn failing(
    failure: Option<&Failure>,
    builder: &AlertBuilder,
    alerting: &Alerting,
    failures: u32,
) -> Observed {
    let cause = |trouble| Cause::Failing(Failing { account: builder.account.clone(), trouble });
    match failure {
        None => Observed::Right(builder.alert(Event::Resolved, Level::Info, cause(None))),
        Some(failure) if failure.is_cancelled() => Observed::Unknown,
        Some(failure) if alerting.failure_alert_after > 0 && failures >= alerting.failure_alert_after => {
            // People are told the cause, not that the host was left alone because of it.
            let root = failure.root();
            let trouble = Trouble { reason: root.reason, message: root.describe(), runs: failures };
            Observed::Wrong(builder.alert(Event::Raised, Level::Warning, cause(Some(trouble))))
        }
        Some(_) => Observed::Shaky,
    }
}

/// The alert about a mail.
pub(super) fn mail(verdict: &MailboxVerdict, finding: &Finding, now: Timestamp) -> Alert {
    let cause = Cause::Mail(Mail {
        subject: finding.subject.clone(),
        sender: finding.sender.clone(),
        date: finding.date,
        service: finding.service.clone(),
        amount: finding.amount,
        currency: finding.currency.map(str::to_owned),
        keywords: finding.keywords.clone(),
    });
    let builder = AlertBuilder { identity: finding.identity, ..AlertBuilder::of_mailbox(verdict, now) };
    builder.alert(Event::Raised, Level::Warning, cause)
}

/// The reminder of a subscription, and where it stands; none if that is not known.
pub(super) fn reminder(verdict: &SubscriptionVerdict, today: Date, now: Timestamp) -> Option<(Alert, Standing)> {
    let subscription = &verdict.subscription;
    let (renewal, schedule) = verdict.renewal.as_ref().ok().zip(subscription.schedule.as_ref().ok())?;
    let level = if renewal.days == 0 { Level::Critical } else { Level::Warning };
    let cause = Cause::Renewal(Renewal {
        cycle_type: schedule.cycle.cycle_type(),
        renewal_day: schedule.renewal_day.clone(),
        next: renewal.next,
        today,
        days: renewal.days,
        amount: subscription.amount,
        currency: subscription.currency.as_ref().map(|currency| text::one_line(currency, 16)),
    });
    let alert = AlertBuilder::of_subscription(verdict, now).alert(Event::Raised, level, cause);
    Some((alert, renewal.standing))
}
