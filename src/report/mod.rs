//! What the run says: [`Report`], from which every output format and the exit code are made.

mod columns;
pub(crate) mod curve;
pub(crate) mod digest;
pub(crate) mod html;
pub(crate) mod mutes;
mod outlook;
pub(crate) mod progress;
mod sections;
mod tone;
mod totals;
mod troubles;
mod unmade;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

use crate::check::account::drift::ChangedAnswer;
use crate::check::subscription::Standing;
use crate::decide::memory::{Fate, Mute};
use crate::decide::{Held, MailboxVerdict, Muted, Postponed, Status, SubscriptionVerdict, Verdict, Waiting};
use crate::model::alert::Alert;
use crate::model::failure::Failure;
use crate::model::identity::Identity;
use crate::model::text;
use crate::model::words::words;
use crate::notify::{Delivery, DeliveryStatus};
use crate::process::exit::{Exit, FailOn};
use crate::state::session::MemoryStatus;
use crate::state::{DeliveryRecord, Marks, MetricMarks};

/// Declares the formats of a report: the word of `--output`, its sentence in `--help`, and the file whose `render` makes it.
macro_rules! formats {
    ($($(#[$attribute:meta])+ $name:ident = $file:ident;)+) => {
        $(mod $file;)+

        /// The formats of a report.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
        pub enum Output {
            $($(#[$attribute])+ $name,)+
        }

        impl Report {
            /// The report in the wanted format; empty if it is to be quiet and there is nothing to say.
            pub(crate) fn render(&self, output: Output, view: View) -> String {
                match output {
                    $(Output::$name => $file::render(self, view),)+
                }
            }
        }
    };
}

formats! {
    /// For people
    #[default]
    Table = table;
    /// One object, for programs
    Json = json;
    /// One status line with performance data; codes from 64 up become 3
    Nagios = nagios;
    /// The metrics, in the text format
    Prometheus = prometheus;
    /// For the summary of a CI job
    Markdown = markdown;
    /// Tests of JUnit, for CI services
    Junit = junit;
    /// Annotations for GitHub Actions; the Markdown goes to the summary of the step
    Github = github;
}

/// Settings of a rendering.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// The status that the process ends with, as the scheduler sees it.
    pub exit: Exit,
    /// Whether to leave out what is well.
    pub is_quiet: bool,
    /// What makes the run fail.
    pub fail_on: FailOn,
}

/// The formats of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// What became of the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) enum Published {
    /// No metrics are configured, or this is a dry run.
    #[default]
    Off,
    /// Every destination took them.
    Sent,
    /// Not published: a partial run must not replace the metrics of the full set.
    Skipped,
    /// At least one destination did not take them, for this reason.
    Failed(Failure),
}

pub(crate) use unmade::{annotations, unmade};

pub(crate) use columns::{amount_cell, columns, painted_columns};
pub(crate) use outlook::{Outlook, note as outlook_note};
pub(crate) use totals::{Total, TotalEntry, totals};

/// What a run found and told: finished before the store and the metrics hear of it.
pub(crate) struct Findings {
    /// Names this run in logs, messages and reports.
    pub run_id: String,
    /// When the run began.
    pub started_at: Timestamp,
    /// The verdicts on the accounts, in the order of the plan.
    pub verdicts: Vec<Verdict>,
    /// The verdicts on the subscriptions, in the order of the plan.
    pub subscriptions: Vec<SubscriptionVerdict>,
    /// The verdicts on the mailboxes, in the order of the plan.
    pub mailboxes: Vec<MailboxVerdict>,
    /// The alerts of this run.
    pub alerts: Vec<Alert>,
    /// What is still wrong, but was told before and is not told again.
    pub held: Vec<Held>,
    /// Alerts of earlier runs that a channel may not have received and that this run did not send again.
    pub waiting: Vec<Waiting>,
    /// What is owed to a channel and comes when its time has come.
    pub postponed: Vec<Postponed>,
    /// What is wrong, and silenced or acknowledged.
    pub muted: Vec<Muted>,
    /// All silences and acknowledgements that are in force.
    pub mutes: Vec<Mute>,
    /// The services that answer otherwise than before.
    pub changed_answers: Vec<ChangedAnswer>,
    /// The ids and names of the channels.
    pub channels: Vec<(String, String)>,
    /// What became of the alerts, channel by channel.
    pub deliveries: Vec<Delivery>,
    /// For each provider, whether the circuit of one of its hosts is open.
    pub circuits: BTreeMap<String, bool>,
    /// Seconds between the time that the run was scheduled for and its start.
    pub lag_seconds: Option<f64>,
}

/// All that a run found and did: made once, when all else is over.
pub(crate) struct Report {
    /// What the run found and told.
    pub findings: Findings,
    /// Seconds that the run took.
    pub duration_seconds: f64,
    /// The status that a signal ends the run with, if one came.
    pub interrupted: Option<Exit>,
    /// Whether the run is remembered.
    pub memory: MemoryStatus,
    /// What became of the metrics.
    pub metrics: Published,
    /// Whether metrics that are not delivered make the run fail.
    pub strict_metrics: bool,
    /// The metrics as text, if they were asked for.
    pub exposition: String,
}

words! {
    /// The state of a whole run, from the best to the worst.
    pub(crate) enum Overall {
        /// Everything was read, and nothing is wrong.
        Ok = "ok",
        /// Something needs attention soon.
        Warning = "warning",
        /// A check could not be read.
        Unknown = "unknown",
        /// A balance is below its threshold.
        Critical = "critical",
    }
}

/// How many checks are in which state. Every account, mailbox and subscription is counted once, so the states add up to `total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Summary {
    /// All checks.
    pub total: usize,
    /// Accounts at or above their thresholds, mailboxes without a new alert, and subscriptions that are not due.
    pub ok: usize,
    /// Accounts below their threshold.
    pub low: usize,
    /// Checks that could not be read.
    pub failed: usize,
    /// Accounts below their warning threshold.
    pub warning: usize,
    /// Accounts without a limit.
    pub unlimited: usize,
    /// Mailboxes with mails that are alerts and were not told before.
    pub mail: usize,
    /// Subscriptions that renew soon, or are overdue.
    pub due: usize,
}

impl Report {
    /// The status that the run ends with. An alert that was not delivered outweighs a critical balance, which outweighs a check
    /// that could not be read, which outweighs a warning. A signal outweighs all of them, so that whoever sent it sees that the
    /// run has heard it.
    pub(crate) fn exit(&self, fail_on: FailOn) -> Exit {
        let is_undelivered = self.findings.has_undelivered() || self.has_missing_metrics();
        self.findings.graded(self.interrupted, is_undelivered, fail_on)
    }

    /// Whether the run fails because its metrics were not delivered.
    pub(crate) fn has_missing_metrics(&self) -> bool {
        self.strict_metrics && matches!(self.metrics, Published::Failed(_))
    }
}

/// What became of each alert on each channel that it was for.
pub(crate) fn records(deliveries: &[Delivery]) -> Vec<DeliveryRecord> {
    let handed = |delivery: &Delivery, alert: usize| {
        let fate = match () {
            () if delivery.taken.contains(&alert) => Fate::Taken,
            () if delivery.unknown.contains(&alert) => Fate::Unknown,
            () => Fate::Refused,
        };
        DeliveryRecord {
            alert,
            channel: delivery.id.clone(),
            fate,
            detail: delivery.failure.as_ref().filter(|_| fate != Fate::Taken).map(Failure::describe),
            tried_at: delivery.tried.get(&alert).copied(),
            is_poisoned: delivery.poisoned.contains(&alert),
        }
    };
    let each = deliveries.iter().flat_map(|delivery| delivery.alerts.iter().map(move |alert| handed(delivery, *alert)));
    each.collect()
}

impl Findings {
    /// The status of a run with these findings, as long as nothing more fails. `interrupted` is the status that a signal asks
    /// for.
    pub(crate) fn exit(&self, interrupted: Option<Exit>, fail_on: FailOn) -> Exit {
        self.graded(interrupted, self.has_undelivered(), fail_on)
    }

    fn graded(&self, interrupted: Option<Exit>, is_undelivered: bool, fail_on: FailOn) -> Exit {
        if let Some(exit) = interrupted {
            return exit;
        }
        let worst = match self.overall() {
            _ if is_undelivered => Exit::Undelivered,
            Overall::Critical => Exit::Critical,
            Overall::Unknown => Exit::Unknown,
            Overall::Warning => Exit::Warning,
            Overall::Ok => Exit::Ok,
        };
        // A finding that `--fail-on` ignores must not hide a failure.
        match (fail_on, worst) {
            (FailOn::Never, _) => Exit::Ok,
            (FailOn::Critical | FailOn::Error, Exit::Warning) => Exit::Ok,
            (FailOn::Error, Exit::Critical) if self.has_failed() => Exit::Unknown,
            (FailOn::Error, Exit::Critical) => Exit::Ok,
            (_, exit) => exit,
        }
    }

    fn has(&self, status: Status) -> bool {
        self.verdicts.iter().any(|verdict| verdict.status == status)
    }

    /// Whether a balance is below its threshold.
    pub(crate) fn has_low(&self) -> bool {
        self.has(Status::Low)
    }

    /// Whether a balance is below its warning threshold, a renewal is due, or a mail speaks of trouble.
    pub(crate) fn has_warning(&self) -> bool {
        self.has(Status::Warning) || self.due() > 0 || self.mails() > 0
    }

    /// The number of mails that are alerts and were not told before.
    fn mails(&self) -> usize {
        self.mailboxes.iter().map(|mailbox| self.mails_of(mailbox)).sum()
    }

    fn mails_of(&self, mailbox: &MailboxVerdict) -> usize {
        let findings = mailbox.scanned.result.iter().flat_map(|scan| &scan.findings);
        findings.filter(|finding| !self.is_held(finding.identity)).count()
    }

    /// The number of mailboxes that hold such mails.
    fn alerting_mailboxes(&self) -> usize {
        // A mailbox that was read only in part counts as failed.
        let whole = self.mailboxes.iter().filter(|mailbox| mailbox.scanned.failure().is_none());
        whole.filter(|mailbox| self.mails_of(mailbox) > 0).count()
    }

    /// Whether something is still wrong but is not told again.
    fn is_held(&self, identity: Identity) -> bool {
        self.held.iter().any(|held| held.identity == identity)
    }

    /// The number of mailboxes that could not be read, or not to the end.
    fn unread_mailboxes(&self) -> usize {
        self.mailboxes.iter().filter(|verdict| verdict.scanned.failure().is_some()).count()
    }

    /// The number of subscriptions that are due.
    fn due(&self) -> usize {
        self.subscriptions.iter().filter(|verdict| is_due(verdict)).count()
    }

    /// The number of subscriptions whose renewal date cannot be computed.
    fn unknown_renewals(&self) -> usize {
        self.subscriptions.iter().filter(|verdict| verdict.renewal.is_err()).count()
    }

    /// Whether a check could not be read.
    pub(crate) fn has_failed(&self) -> bool {
        self.has(Status::Failed) || self.unread_mailboxes() > 0 || self.unknown_renewals() > 0
    }

    /// Whether a channel has taken an alert, by its position.
    pub(crate) fn is_taken(&self, alert: usize) -> bool {
        self.deliveries.iter().any(|delivery| delivery.taken.contains(&alert))
    }

    /// The channels that have not taken an alert though it is for them, by its position.
    pub(crate) fn owed(&self, alert: usize) -> impl Iterator<Item = &Delivery> {
        let owes = move |delivery: &&Delivery| delivery.alerts.contains(&alert) && !delivery.taken.contains(&alert);
        self.deliveries.iter().filter(owes)
    }

    /// Whether some alert is still owed to a channel, from this run or from an earlier one. Without channels the report itself
    /// is the alert.
    pub(crate) fn has_undelivered(&self) -> bool {
        !self.waiting.is_empty() || self.deliveries.iter().any(|delivery| delivery.owed() > 0)
    }

    /// What the store is to write down: which channel took which alert, and how the run ended.
    pub(crate) fn marks(&self, interrupted: Option<Exit>, metrics: Option<MetricMarks>) -> Marks {
        Marks {
            alerts: self.alerts.clone(),
            deliveries: records(&self.deliveries),
            exit_code: i64::from(self.job_exit(interrupted).code()),
            metrics,
        }
    }

    /// The status of the run without `--fail-on`. A finding is not a failure, but it does not hide one either.
    pub(crate) fn job_exit(&self, interrupted: Option<Exit>) -> Exit {
        match self.exit(interrupted, FailOn::Any) {
            Exit::Warning | Exit::Critical if self.has_failed() => Exit::Unknown,
            exit => exit,
        }
    }

    /// What mutes the alerts about a check, with their topics.
    fn muted(&self, identity: Identity) -> impl Iterator<Item = (&Muted, &Mute)> {
        let of_check = self.muted.iter().filter(move |muted| muted.identity == identity);
        of_check.filter_map(|muted| Some((muted, self.mutes.iter().find(|mute| mute.number == muted.by)?)))
    }

    /// The name of a channel.
    fn name(&self, id: &str) -> Option<&str> {
        self.channels.iter().find(|(known, _)| known == id).map(|(_, name)| name.as_str())
    }

    /// The number of checks of all kinds.
    fn total(&self) -> usize {
        self.verdicts.len() + self.subscriptions.len() + self.mailboxes.len()
    }

    /// The counts of what needs attention, worst first: `2 low`, `1 failed`. Each check is counted once.
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

    /// What the subscriptions come to, for each currency.
    fn subscription_totals(&self) -> Vec<Total> {
        let cost = |verdict| {
            SubscriptionVerdict::a_year(verdict).map(|yearly| (verdict.subscription.currency.as_deref(), yearly))
        };
        totals(self.subscriptions.iter().filter_map(cost))
    }

    /// How many checks are in which state.
    pub(crate) fn summary(&self) -> Summary {
        let count = |status| self.verdicts.iter().filter(|verdict| verdict.status == status).count();
        let (unread, mail, due) = (self.unread_mailboxes(), self.alerting_mailboxes(), self.due());
        let (quiet_mailboxes, unknown) = (self.mailboxes.len() - unread - mail, self.unknown_renewals());
        Summary {
            total: self.total(),
            ok: count(Status::Ok) + quiet_mailboxes + (self.subscriptions.len() - due - unknown),
            low: count(Status::Low),
            failed: count(Status::Failed) + unread + unknown,
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

    /// How long ago something was when the run began; never less than nothing.
    fn age(&self, at: Timestamp) -> SignedDuration {
        self.started_at.duration_since(at).max(SignedDuration::ZERO)
    }

    /// The state of the whole run.
    pub(crate) fn overall(&self) -> Overall {
        if self.has_low() {
            Overall::Critical
        } else if self.has_failed() {
            Overall::Unknown
        } else if self.has_warning() {
            Overall::Warning
        } else {
            Overall::Ok
        }
    }

    /// The identities of all checks, and of all alerts, since the check of an alert may have left the config.
    pub(crate) fn identities(&self) -> HashSet<Identity> {
        let accounts = self.verdicts.iter().map(|verdict| verdict.subject.identity);
        accounts
            .chain(self.subscriptions.iter().map(|verdict| verdict.identity))
            .chain(self.mailboxes.iter().map(|verdict| verdict.identity))
            .chain(self.alerts.iter().map(|alert| alert.identity))
            .collect()
    }

    /// The projects with their providers, as labels of the metrics name them.
    pub(crate) fn projects(&self) -> Vec<(String, String)> {
        let accounts = self.verdicts.iter().map(|v| (v.subject.name.clone(), v.subject.provider.clone()));
        accounts
            .chain(self.mailboxes.iter().map(|v| (v.name.clone(), MailboxVerdict::PROVIDER.to_owned())))
            .chain(
                self.subscriptions
                    .iter()
                    .map(|v| (v.subscription.name.clone(), SubscriptionVerdict::PROVIDER.to_owned())),
            )
            .collect()
    }

    /// The number of alerts that are still owed to a channel.
    pub(crate) fn pending(&self) -> usize {
        (0..self.alerts.len()).filter(|at| self.owed(*at).next().is_some()).count()
    }

    /// The verdicts, worst first.
    fn worst_first(&self) -> Vec<&Verdict> {
        let mut verdicts: Vec<&Verdict> = self.verdicts.iter().collect();
        // Within a status the account with the least left comes first.
        verdicts.sort_by_key(|verdict| (verdict.status as u8, verdict.ratio));
        verdicts
    }

    fn failed_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.status == DeliveryStatus::Failed)
    }

    /// The number of channels that may or may not have received a message of this run or of an earlier one.
    fn unknown_deliveries(&self) -> usize {
        let now = self.deliveries.iter().filter(|delivery| delivery.status == DeliveryStatus::Unknown);
        let before = self.waiting.iter().filter(|waiting| !waiting.is_refused);
        let before = before.map(|waiting| waiting.channel.as_str());
        now.map(|delivery| delivery.id.as_str()).chain(before).collect::<BTreeSet<_>>().len()
    }
}

/// Whether somebody must be reminded of a subscription: it renews soon, or was not renewed on its day.
fn is_due(verdict: &SubscriptionVerdict) -> bool {
    verdict.renewal.as_ref().is_ok_and(|renewal| matches!(renewal.standing, Standing::Due | Standing::Overdue))
}
