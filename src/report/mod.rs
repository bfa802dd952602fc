//! What the run says: [`Report`], the one value that every output, and the exit code, is made of.

mod json;
mod markdown;
mod nagios;
pub mod progress;
mod sections;
pub mod setup;
mod table;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::alert::{Alert, Identity};
use crate::check::subscription::Standing;
use crate::cli::Output;
use crate::decide::{Held, MailboxVerdict, Status, SubscriptionVerdict, Verdict};
use crate::exit::{Exit, FailOn};
use crate::failure::Failure;
use crate::metrics::Published;
use crate::notify::{Delivery, DeliveryStatus};
use crate::state::session::Kept;
use crate::state::{Handed, Marks};
use crate::text;

pub use json::iso;
pub use table::{columns, painted_columns};

/// All that a run found and did.
pub struct Report {
    /// Names this run in logs, messages and reports.
    pub run_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Seconds it took.
    pub duration_seconds: f64,
    /// The status that a signal ends it with, if one came.
    pub interrupted: Option<Exit>,
    /// What was found, in the order of the plan.
    pub verdicts: Vec<Verdict>,
    /// What was found of the subscriptions, in the order of the plan.
    pub subscriptions: Vec<SubscriptionVerdict>,
    /// What was found of the mailboxes, in the order of the plan.
    pub mailboxes: Vec<MailboxVerdict>,
    /// What was to be told.
    pub alerts: Vec<Alert>,
    /// What is wrong, but was told before.
    pub held: Vec<Held>,
    /// The names of the channels.
    pub channels: Vec<String>,
    /// What became of the alerts.
    pub deliveries: Vec<Delivery>,
    /// Whether the run is remembered.
    pub memory: Kept,
    /// For each provider, whether one of its hosts is left alone.
    pub circuits: BTreeMap<String, bool>,
    /// Seconds between the time that the run was scheduled for and its start.
    pub lag_seconds: Option<f64>,
    /// What became of the metrics.
    pub metrics: Published,
    /// Whether metrics that are not delivered make the run fail.
    pub strict_metrics: bool,
    /// The metrics as text, if they were asked for.
    pub exposition: String,
}

/// How many checks are in which state. Every account, mailbox and subscription is counted once, so the states add up to `total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// All.
    pub total: usize,
    /// At or above all thresholds.
    pub ok: usize,
    /// Below the threshold.
    pub low: usize,
    /// Not read.
    pub failed: usize,
    /// Below the warning threshold.
    pub warning: usize,
    /// Without a limit.
    pub unlimited: usize,
    /// Mailboxes with mails that are alerts and were not told before.
    pub mail: usize,
    /// Subscriptions that renew soon.
    pub due: usize,
}

impl Report {
    fn has(&self, status: Status) -> bool {
        self.verdicts.iter().any(|verdict| verdict.status == status)
    }

    /// Whether a balance is below its threshold.
    pub fn has_low(&self) -> bool {
        self.has(Status::Low)
    }

    /// Whether a balance is below its warning threshold, a renewal is due, or a mail speaks of trouble.
    pub fn has_warning(&self) -> bool {
        self.has(Status::Warning) || self.due() > 0 || self.mails() > 0
    }

    /// Mails that are alerts and were not told before.
    fn mails(&self) -> usize {
        self.mailboxes.iter().map(|mailbox| self.mails_of(mailbox)).sum()
    }

    fn mails_of(&self, mailbox: &MailboxVerdict) -> usize {
        let findings = mailbox.scanned.result.iter().flat_map(|scan| &scan.findings);
        findings.filter(|finding| !self.is_held(finding.identity)).count()
    }

    /// Mailboxes in which there are such mails.
    fn alerting_mailboxes(&self) -> usize {
        self.mailboxes.iter().filter(|mailbox| self.mails_of(mailbox) > 0).count()
    }

    /// Whether something was told before, and is not told again.
    fn is_held(&self, identity: Identity) -> bool {
        self.held.iter().any(|held| held.identity == identity)
    }

    /// Mailboxes that could not be read.
    fn unread_mailboxes(&self) -> usize {
        self.mailboxes.iter().filter(|verdict| verdict.scanned.result.is_err()).count()
    }

    /// Subscriptions that are due.
    fn due(&self) -> usize {
        self.subscriptions.iter().filter(|verdict| verdict.renewal.standing == Standing::Due).count()
    }

    /// Whether a check could not be read.
    pub fn has_failed(&self) -> bool {
        self.has(Status::Failed) || self.unread_mailboxes() > 0
    }

    /// Whether a channel has taken an alert, by its position.
    pub fn is_taken(&self, alert: usize) -> bool {
        self.deliveries.iter().any(|delivery| delivery.taken.contains(&alert))
    }

    /// Whether some alert reached none of its channels. Without channels the report itself is the alert.
    pub fn has_undelivered(&self) -> bool {
        let is_wanted = |alert: &usize| self.deliveries.iter().any(|delivery| delivery.alerts.contains(alert));
        (0..self.alerts.len()).any(|alert| is_wanted(&alert) && !self.is_taken(alert))
    }

    /// What the store is to mark: who has taken what, and how the run ended.
    pub fn marks(&self) -> Marks {
        let handed = |delivery: &Delivery, alert: &usize| {
            let is_taken = delivery.taken.contains(alert);
            Handed {
                dedup_key: self.alerts[*alert].dedup_key.clone(),
                channel: delivery.channel.clone(),
                status: if is_taken { "sent" } else { "failed" },
                detail: delivery.failure.as_ref().filter(|_| !is_taken).map(Failure::describe),
            }
        };
        Marks {
            alerts: self.alerts.iter().enumerate().map(|(at, alert)| (alert.clone(), self.is_taken(at))).collect(),
            deliveries: self
                .deliveries
                .iter()
                .flat_map(|delivery| delivery.alerts.iter().map(move |alert| handed(delivery, alert)))
                .collect(),
            exit_code: i64::from(self.job_exit().code()),
            metrics: None,
        }
    }

    /// How the run ends as far as its job goes: what it found is no failure, but neither does it hide one.
    pub fn job_exit(&self) -> Exit {
        match Exit::of(self, FailOn::Any) {
            Exit::Warning | Exit::Critical if self.has_failed() => Exit::Unknown,
            exit => exit,
        }
    }

    /// Whether metrics were to be delivered at any price, and were not.
    pub fn has_missing_metrics(&self) -> bool {
        self.strict_metrics && matches!(self.metrics, Published::Failed(_))
    }

    /// When the next of the alerts that were told before is told again.
    fn next_alert(&self) -> Option<Timestamp> {
        self.held.iter().filter_map(|held| held.next).min()
    }

    /// Checks of all kinds.
    fn total(&self) -> usize {
        self.verdicts.len() + self.subscriptions.len() + self.mailboxes.len()
    }

    /// What needs attention, worst first: `2 low`, `1 failed`. Each check is counted once.
    fn troubles(&self) -> Vec<String> {
        let summary = self.summary();
        let (boxes, mails) = (text::plural(summary.mail, "mailbox alert"), text::plural(self.mails(), "mail"));
        let counts = [
            (summary.low, format!("{} low", summary.low)),
            (summary.failed, format!("{} failed", summary.failed)),
            (summary.warning, format!("{} warning", summary.warning)),
            (summary.mail, format!("{boxes} ({mails})")),
            (summary.due, format!("{} due", summary.due)),
        ];
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect()
    }

    /// How many checks are in which state.
    pub fn summary(&self) -> Summary {
        let count = |status| self.verdicts.iter().filter(|verdict| verdict.status == status).count();
        let (unread, mail, due) = (self.unread_mailboxes(), self.alerting_mailboxes(), self.due());
        let quiet_mailboxes = self.mailboxes.len() - unread - mail;
        Summary {
            total: self.total(),
            ok: count(Status::Ok) + quiet_mailboxes + (self.subscriptions.len() - due),
            low: count(Status::Low),
            failed: count(Status::Failed) + unread,
            warning: count(Status::Warning),
            unlimited: count(Status::Unlimited),
            mail,
            due,
        }
    }

    /// The names of all checks.
    fn names(&self) -> impl Iterator<Item = &str> {
        let accounts = self.verdicts.iter().map(|verdict| verdict.subject.name.as_str());
        let mailboxes = self.mailboxes.iter().map(|verdict| verdict.name.as_str());
        accounts.chain(mailboxes).chain(self.subscriptions.iter().map(|verdict| verdict.subscription.name.as_str()))
    }

    /// The names of all owners.
    fn owners(&self) -> impl Iterator<Item = &str> {
        let accounts = self.verdicts.iter().filter_map(|verdict| verdict.subject.owner_project.as_deref());
        accounts.chain(self.subscriptions.iter().filter_map(|verdict| verdict.subscription.owner_project.as_deref()))
    }

    /// The whole run in one word: critical, unknown, warning or ok.
    pub fn status(&self) -> &'static str {
        if self.has_low() {
            "critical"
        } else if self.has_failed() {
            "unknown"
        } else if self.has_warning() {
            "warning"
        } else {
            "ok"
        }
    }

    /// The verdicts, worst first.
    fn worst_first(&self) -> Vec<&Verdict> {
        let mut verdicts: Vec<&Verdict> = self.verdicts.iter().collect();
        // Within a state the one that has the least left comes first.
        verdicts.sort_by_key(|verdict| (verdict.status as u8, verdict.ratio));
        verdicts
    }

    fn failed_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.status == DeliveryStatus::Failed)
    }

    /// The report in the wanted form; empty if `quiet` and there is nothing to say.
    pub fn render(&self, output: Output, exit: Exit, quiet: bool) -> String {
        match output {
            Output::Json => json::render(self, exit),
            Output::Nagios => nagios::render(self),
            Output::Table => table::render(self, quiet),
            Output::Prometheus => self.exposition.clone(),
            Output::Markdown => markdown::render(self, quiet),
        }
    }
}
