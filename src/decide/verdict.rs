//! What was found of each check, judged by its thresholds.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::forecast::account::Foresight;
use super::status::{MailboxStatus, Status, SubscriptionStatus};
use super::threshold;
use crate::check::mailbox::scan::{Finding, Scanned};
use crate::check::subscription::config::Subscription;
use crate::check::subscription::{Renewal, Standing, price};
use crate::check::{Amount, Beside, Call, Outcome, Reading};
use crate::model::addressing::Addressing;
use crate::model::failure::Failure;
use crate::model::forecasting::Forecasting;
use crate::model::identity::Identity;
use crate::model::text;
use crate::model::threshold::Threshold;
use crate::model::words::BalanceType;

/// What a check is about; what judging and reporting need of it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Names it across runs.
    pub identity: Identity,
    /// The project's unique name.
    pub name: String,
    /// Who it belongs to.
    pub owner_project: Option<String>,
    /// The provider's id.
    pub provider: String,
    /// Whether it is read over the network.
    pub is_remote: bool,
    /// The host that is asked over the network; none if the entry is broken.
    pub host: Option<String>,
    /// Who hears of it.
    pub addressing: Addressing,
    /// What is counted.
    pub kind: BalanceType,
    /// Below it the balance is critical; none if the entry is broken, and for a share until the total is known.
    pub threshold: Option<Decimal>,
    /// Below it the balance is a warning.
    pub warning_threshold: Option<Decimal>,
    /// Both as they are configured.
    pub written: [Option<Threshold>; 2],
    /// The currency until the service says one.
    pub currency: Option<String>,
    /// How it is forecast; none for a share that refills, which ends at its reset.
    pub forecasting: Option<Forecasting>,
}

/// What was found of one account.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// What it is about.
    pub subject: Subject,
    pub status: Status,
    /// The balance, if one was read and it has a limit.
    pub balance: Option<Decimal>,
    /// The currency, as the service or the config says.
    pub currency: Option<String>,
    /// Balance over threshold, where that can be said.
    pub ratio: Option<Decimal>,
    /// What the service tells beside the balance; nothing of it is known if there is no reading.
    pub beside: Beside,
    /// How long the balance lasts, as far as that can be said.
    pub foresight: Option<Foresight>,
    /// Why there is no reading.
    pub failure: Option<Failure>,
    /// When the balance was true, if that was not just now: the time of a mail.
    pub as_of: Option<Timestamp>,
    /// Whether an earlier run's reading was used again.
    pub cached: bool,
    /// The number of attempts.
    pub attempts: u32,
    /// The requests of these attempts.
    pub calls: Vec<Call>,
    /// How long the check took, in seconds.
    pub duration_seconds: f64,
}

/// What was found of one subscription.
#[derive(Clone, Debug)]
pub(crate) struct SubscriptionVerdict {
    /// Names it across runs.
    pub identity: Identity,
    /// What it is about.
    pub subscription: Subscription,
    /// When it renews, and whether somebody must be reminded; or why that is not known.
    pub renewal: Result<Renewal, Failure>,
}

impl SubscriptionVerdict {
    /// The provider that samples, metrics and alerts of subscriptions name.
    pub(crate) const PROVIDER: &str = "subscription";

    /// What the renewal costs that counts, by the price of its day.
    pub(crate) fn price(&self) -> Option<Decimal> {
        let Subscription { prices, amount, .. } = &self.subscription;
        self.renewal.as_ref().map_or(*amount, |renewal| price::on(renewal.next, prices, *amount))
    }

    /// What that comes to in a year; none for what has ended or does not renew.
    pub(crate) fn a_year(&self) -> Option<Decimal> {
        let schedule = self.subscription.schedule.as_ref().ok()?;
        self.renewal.as_ref().ok()?;
        price::a_year(schedule.cycle, self.price()?)
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> SubscriptionStatus {
        match &self.renewal {
            Err(_) => SubscriptionStatus::Failed,
            Ok(renewal) => match renewal.standing {
                Standing::Overdue => SubscriptionStatus::Overdue,
                Standing::Due => SubscriptionStatus::Due,
                Standing::Renewed => SubscriptionStatus::Renewed,
                Standing::Ok => SubscriptionStatus::Ok,
                Standing::Over => SubscriptionStatus::Over,
            },
        }
    }
}

/// What was found of one mailbox.
#[derive(Clone, Debug)]
pub(crate) struct MailboxVerdict {
    /// Names it across runs.
    pub identity: Identity,
    /// The mailbox's name.
    pub name: String,
    /// The server that it lies on.
    pub host: String,
    /// Who hears of it.
    pub addressing: Addressing,
    /// What was found.
    pub scanned: Scanned,
}

impl MailboxVerdict {
    /// The provider that samples, metrics and alerts of mailboxes name.
    pub(crate) const PROVIDER: &str = "imap";

    /// The state; `is_new` says which of the mails that speak of trouble count.
    pub(crate) fn status(&self, is_new: impl Fn(&Finding) -> bool) -> MailboxStatus {
        match &self.scanned.result {
            _ if self.scanned.failure().is_some() => MailboxStatus::Failed,
            Ok(scan) if scan.findings.iter().any(is_new) => MailboxStatus::Alert,
            _ => MailboxStatus::Ok,
        }
    }
}

/// All that a run has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The accounts, in the order of the plan.
    pub accounts: Vec<Verdict>,
    /// The subscriptions, in the order of the plan.
    pub subscriptions: Vec<SubscriptionVerdict>,
    /// The mailboxes, in the order of the plan.
    pub mailboxes: Vec<MailboxVerdict>,
    /// The day of the run, in the config's time zone.
    pub today: Date,
}

impl Found {
    /// Whether a signal ended the run before all of its checks were through.
    pub(crate) fn is_cut(&self) -> bool {
        let accounts = self.accounts.iter().filter_map(|verdict| verdict.failure.as_ref());
        let mailboxes = self.mailboxes.iter().filter_map(|verdict| verdict.scanned.failure());
        accounts.chain(mailboxes).any(Failure::is_cancelled)
    }

    /// The number of checks.
    pub(crate) fn total(&self) -> usize {
        self.accounts.len() + self.subscriptions.len() + self.mailboxes.len()
    }
}

/// Judges every outcome by its subject's thresholds.
pub(crate) fn judge(found: impl IntoIterator<Item = (Subject, Outcome)>) -> Vec<Verdict> {
    found.into_iter().map(|(subject, outcome)| verdict(subject, outcome)).collect()
}

impl Subject {
    /// Gives thresholds that are shares of a total their amounts.
    fn resolve(&mut self, total: Option<Decimal>) -> Result<(), Failure> {
        let [critical, warning] = threshold::amounts(self.written, total)?;
        self.threshold = critical.or(self.threshold);
        self.warning_threshold = warning.or(self.warning_threshold);
        Ok(())
    }
}

fn verdict(mut subject: Subject, outcome: Outcome) -> Verdict {
    let result = outcome.result.and_then(|reading| match reading.amount {
        Amount::Of(_) => subject.resolve(reading.beside.total).map(|()| reading),
        Amount::Unlimited => Ok(reading),
    });
    let (status, balance, (currency, beside), failure) = match result {
        Err(failure) => (Status::Failed, None, (None, Beside::default()), Some(failure)),
        Ok(Reading { amount, currency, beside }) => match amount {
            Amount::Unlimited => (Status::Unlimited, None, (currency, beside), None),
            Amount::Of(balance) => {
                let status = threshold::compare(balance, subject.threshold, subject.warning_threshold);
                (status, Some(balance), (currency, beside), None)
            }
        },
    };
    Verdict {
        // The name of the currency comes from outside, and goes to terminals and messages, so it is cut to one short line.
        currency: currency.or_else(|| subject.currency.clone()).map(|currency| text::one_line(&currency, 16)),
        ratio: balance.zip(subject.threshold).and_then(|(balance, threshold)| threshold::ratio(balance, threshold)),
        subject,
        status,
        balance,
        beside,
        foresight: None,
        failure,
        as_of: outcome.as_of.filter(|_| balance.is_some() || status == Status::Unlimited),
        cached: outcome.cached,
        attempts: outcome.attempts,
        calls: outcome.calls,
        duration_seconds: outcome.duration.as_secs_f64(),
    }
}
