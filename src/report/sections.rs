//! What tables of a report hold, for people: the rows, worst first, whichever way they are drawn.

use super::Report;
use crate::alert::Identity;
use crate::amount;
use crate::check::subscription::Standing;
use crate::decide::{MailboxVerdict, Status, SubscriptionVerdict, Verdict};
use crate::notify::DeliveryStatus;
use crate::text::{self, ShortNames};

/// How a state looks at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Now.
    Bad,
    /// Not known.
    Unknown,
    /// Soon.
    Soon,
    /// Well.
    Good,
}

impl From<Status> for Tone {
    fn from(status: Status) -> Tone {
        match status {
            Status::Low => Tone::Bad,
            Status::Failed => Tone::Unknown,
            Status::Warning => Tone::Soon,
            Status::Ok | Status::Unlimited => Tone::Good,
        }
    }
}

/// A table.
pub(super) struct Section {
    /// Its headings, that of the state first.
    pub headings: &'static [&'static str],
    /// The columns of numbers.
    pub right: &'static [usize],
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A row: a state, unless it goes on with the row before, and what stands behind it.
pub(super) struct Row {
    pub state: Option<(Tone, &'static str)>,
    pub cells: Vec<String>,
}

/// What became of the alerts on one channel, in a line.
pub(super) struct Told<'a> {
    /// Whether something was not delivered.
    pub is_bad: bool,
    /// What begins the line.
    pub head: &'static str,
    /// And the rest of it.
    pub rest: String,
    /// In a dry run, what would be sent.
    pub payloads: &'a [String],
}

/// The tables that have rows; only what is wrong if `quiet`.
pub(super) fn sections(report: &Report, quiet: bool) -> Vec<Section> {
    let is_bad = |verdict: &&Verdict| matches!(verdict.status, Status::Low | Status::Failed | Status::Warning);
    let shown = report.worst_first().into_iter().filter(|verdict| !quiet || is_bad(verdict));
    let is_quiet = |verdict: &&MailboxVerdict| {
        verdict.scanned.result.as_ref().is_ok_and(|scan| scan.findings.iter().all(|f| report.is_held(f.identity)))
    };
    let mailboxes = report.mailboxes.iter().filter(|verdict| !quiet || !is_quiet(verdict));
    let is_due = |verdict: &&SubscriptionVerdict| verdict.renewal.standing == Standing::Due;
    let mut renewals: Vec<&SubscriptionVerdict> =
        report.subscriptions.iter().filter(|verdict| !quiet || is_due(verdict)).collect();
    renewals.sort_by_key(|verdict| (!is_due(verdict), verdict.renewal.next));
    let names = Names {
        checks: ShortNames::new(report.names(), text::NAME_CHARS),
        owners: ShortNames::new(report.owners(), text::OWNER_CHARS),
    };
    let all = [
        Section {
            headings: &["STATUS", "PROJECT", "PROVIDER", "BALANCE", "THRESHOLD", "OWNER", "NOTE"],
            right: &[3, 4],
            rows: shown.map(|verdict| account(report, verdict, &names)).collect(),
        },
        Section {
            headings: &["STATUS", "MAILBOX", "READ", "NOTE"],
            right: &[2],
            rows: mailboxes.flat_map(|verdict| mailbox(report, verdict, &names)).collect(),
        },
        Section {
            headings: &["STATUS", "SUBSCRIPTION", "CYCLE", "RENEWS", "DAYS", "AMOUNT", "OWNER", "NOTE"],
            right: &[4, 5],
            rows: renewals.into_iter().map(|verdict| renewal(report, verdict, &names)).collect(),
        },
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

/// The names of a report as its tables show them.
struct Names {
    checks: ShortNames,
    owners: ShortNames,
}

impl Names {
    fn owner(&self, owner: Option<&str>) -> String {
        owner.map(|owner| self.owners.get(owner).to_owned()).unwrap_or_default()
    }
}

fn account(report: &Report, verdict: &Verdict, names: &Names) -> Row {
    let subject = &verdict.subject;
    let balance = match (verdict.status, verdict.balance) {
        (Status::Unlimited, _) => "unlimited".to_owned(),
        (_, Some(balance)) => amount::show(balance, verdict.currency.as_deref()),
        (_, None) => "-".to_owned(),
    };
    let threshold = match (verdict.status, subject.warning_threshold) {
        (Status::Warning, Some(warning)) => Some(warning),
        _ => subject.threshold,
    };
    let threshold = threshold.map_or_else(|| "-".to_owned(), |threshold| amount::show(threshold, None));
    let mut notes: Vec<String> = Vec::new();
    if let Some(failure) = &verdict.failure {
        let tries = if verdict.attempts > 1 { format!(", {} attempts", verdict.attempts) } else { String::new() };
        notes.push(format!("{}: {}{tries}", failure.reason.as_str(), failure.describe()));
    }
    if verdict.cached {
        notes.push("cached".to_owned());
    }
    notes.extend(suppressed(report, subject.identity));
    let cells = vec![
        names.checks.get(&subject.name).to_owned(),
        subject.provider.clone(),
        balance,
        threshold,
        names.owner(subject.owner_project.as_deref()),
        notes.join("; "),
    ];
    Row { state: Some((verdict.status.into(), verdict.status.as_str())), cells }
}

/// A row for a mailbox, and one for each mail that is an alert.
fn mailbox(report: &Report, verdict: &MailboxVerdict, names: &Names) -> Vec<Row> {
    let name = names.checks.get(&verdict.name).to_owned();
    let scan = match &verdict.scanned.result {
        Err(failure) => {
            let note = format!("{}: {}", failure.reason.as_str(), failure.describe());
            return vec![Row {
                state: Some((Tone::Unknown, Status::Failed.as_str())),
                cells: vec![name, "-".to_owned(), note],
            }];
        }
        Ok(scan) => scan,
    };
    let left_out = if scan.skipped > 0 { format!("{} older not read", scan.skipped) } else { String::new() };
    let is_alert = scan.findings.iter().any(|finding| !report.is_held(finding.identity));
    let state = if is_alert { (Tone::Soon, "alert") } else { (Tone::Good, "ok") };
    let mut rows = vec![Row { state: Some(state), cells: vec![name, scan.scanned.to_string(), left_out] }];
    rows.extend(scan.findings.iter().map(|finding| {
        let told = if report.is_held(finding.identity) { " (told before)" } else { "" };
        let (sender, subject) = (text::one_line(&finding.sender, 40), text::one_line(&finding.subject, 80));
        let note = format!("{sender} - {subject} [{}]{told}", finding.keywords.join(", "));
        Row { state: None, cells: vec![String::new(), String::new(), note] }
    }));
    rows
}

fn renewal(report: &Report, verdict: &SubscriptionVerdict, names: &Names) -> Row {
    let subscription = &verdict.subscription;
    let tone = if verdict.renewal.standing == Standing::Due { Tone::Soon } else { Tone::Good };
    let currency = subscription.currency.as_deref().map(|currency| text::one_line(currency, 16));
    let cells = vec![
        names.checks.get(&subscription.name).to_owned(),
        subscription.cycle.as_str().to_owned(),
        verdict.renewal.next.to_string(),
        verdict.renewal.days.to_string(),
        subscription.amount.map_or_else(|| "-".to_owned(), |amount| amount::show(amount, currency.as_deref())),
        names.owner(subscription.owner_project.as_deref()),
        suppressed(report, verdict.identity).join("; "),
    ];
    Row { state: Some((tone, verdict.renewal.standing.as_str())), cells }
}

/// What is not told again, for the note.
fn suppressed(report: &Report, identity: Identity) -> Vec<String> {
    let held = report.held.iter().filter(|held| held.identity == identity);
    held.map(|held| match held.next {
        Some(next) => format!("suppressed: told before, again from {}", next.strftime("%Y-%m-%d %H:%M UTC")),
        None => "another run is telling it".to_owned(),
    })
    .collect()
}

/// What became of the alerts, channel by channel.
pub(super) fn told(report: &Report) -> Vec<Told<'_>> {
    let lines = report.deliveries.iter().filter_map(|delivery| {
        let alerts = text::plural(delivery.alerts.len(), "alert");
        let channel = &delivery.channel;
        let (is_bad, head, rest) = match delivery.status {
            DeliveryStatus::Suppressed => return None,
            DeliveryStatus::Sent => (false, "sent", format!(" {alerts} to {channel}")),
            DeliveryStatus::Failed => {
                let why = delivery.failure.as_ref().map(|failure| format!(": {}", failure.describe()));
                let rest = format!(": {alerts} to {channel}{}", why.unwrap_or_default());
                (true, "not delivered", rest)
            }
            DeliveryStatus::DryRun => (false, "dry run", format!(": {channel} would be sent")),
        };
        Some(Told { is_bad, head, rest, payloads: &delivery.payloads })
    });
    lines.collect()
}

/// The whole run in one line.
pub(super) fn closing(report: &Report) -> String {
    let summary = report.summary();
    let good = [(summary.ok, "ok"), (summary.unlimited, "unlimited")];
    let mut counts = report.troubles();
    counts.extend(good.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let failed = report.failed_deliveries().count();
    let deliveries =
        if failed > 0 { format!(", {} not delivered", text::plural(failed, "message")) } else { String::new() };
    let checks = text::plural(report.total(), "check");
    let all = if counts.is_empty() { "nothing new".to_owned() } else { counts.join(", ") };
    let end = report.interrupted.map(|exit| format!("; {} before it was through", exit.meaning())).unwrap_or_default();
    format!("{checks}: {all}{deliveries}, in {:.1} s{end}", report.duration_seconds)
}
