//! The table for people: worst first, aligned, the reason beside what failed, a closing line.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::Report;
use crate::alert::Identity;
use crate::amount;
use crate::check::subscription::Standing;
use crate::decide::{MailboxVerdict, Status, SubscriptionVerdict, Verdict};
use crate::notify::DeliveryStatus;
use crate::text;

/// Rows under headings, aligned by display width; `right` are the columns of numbers.
pub fn columns(headings: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().map(|heading| painted(heading, Style::new().bold())));
    for row in rows {
        table.add_row(row.into_iter().map(Cell::new));
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

fn colour(status: Status) -> Style {
    let style = Style::new();
    match status {
        Status::Low => style.fg_color(Some(AnsiColor::Red.into())).bold(),
        Status::Failed => style.fg_color(Some(AnsiColor::Magenta.into())),
        Status::Warning => style.fg_color(Some(AnsiColor::Yellow.into())),
        Status::Ok | Status::Unlimited => style.fg_color(Some(AnsiColor::Green.into())),
    }
}

/// The word of a state, in its colour.
pub fn painted_status(status: Status) -> String {
    painted(status.as_str(), colour(status))
}

pub(super) fn render(report: &Report, quiet: bool) -> String {
    let is_bad = |verdict: &&Verdict| matches!(verdict.status, Status::Low | Status::Failed | Status::Warning);
    let shown: Vec<&Verdict> = report.worst_first().into_iter().filter(|verdict| !quiet || is_bad(verdict)).collect();
    let is_due = |verdict: &&SubscriptionVerdict| verdict.renewal.standing == Standing::Due;
    let mut renewals: Vec<&SubscriptionVerdict> =
        report.subscriptions.iter().filter(|verdict| !quiet || is_due(verdict)).collect();
    let is_quiet = |verdict: &&MailboxVerdict| {
        verdict.scanned.result.as_ref().is_ok_and(|scan| scan.findings.iter().all(|f| report.is_held(f.identity)))
    };
    let mailboxes: Vec<&MailboxVerdict> =
        report.mailboxes.iter().filter(|verdict| !quiet || !is_quiet(verdict)).collect();
    if quiet && shown.is_empty() && renewals.is_empty() && mailboxes.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if !shown.is_empty() {
        let rows: Vec<Vec<String>> = shown.into_iter().map(|verdict| row(report, verdict)).collect();
        let headings = ["STATUS", "PROJECT", "PROVIDER", "BALANCE", "THRESHOLD", "OWNER", "NOTE"];
        out.push_str(&columns(&headings, rows, &[3, 4]));
        out.push('\n');
    }
    if !mailboxes.is_empty() {
        let rows: Vec<Vec<String>> = mailboxes.into_iter().flat_map(|verdict| mailbox(report, verdict)).collect();
        out.push_str(&columns(&["STATUS", "MAILBOX", "READ", "NOTE"], rows, &[2]));
        out.push('\n');
    }
    if !renewals.is_empty() {
        renewals.sort_by_key(|verdict| (!is_due(verdict), verdict.renewal.next));
        let rows: Vec<Vec<String>> = renewals.into_iter().map(|verdict| renewal(report, verdict)).collect();
        let headings = ["STATUS", "SUBSCRIPTION", "CYCLE", "RENEWS", "DAYS", "AMOUNT", "OWNER", "NOTE"];
        out.push_str(&columns(&headings, rows, &[4, 5]));
        out.push('\n');
    }
    for delivery in &report.deliveries {
        let alerts = text::plural(delivery.alerts.len(), "alert");
        match (delivery.status, &delivery.failure) {
            (DeliveryStatus::Suppressed, _) => {}
            (DeliveryStatus::Sent, _) => out.push_str(&format!("sent {alerts} to {}\n", delivery.channel)),
            (DeliveryStatus::Failed, failure) => {
                let why = failure.as_ref().map(|failure| format!(": {}", failure.describe())).unwrap_or_default();
                let word = painted("not delivered", Style::new().fg_color(Some(AnsiColor::Red.into())).bold());
                out.push_str(&format!("{word}: {alerts} to {}{why}\n", delivery.channel));
            }
            (DeliveryStatus::DryRun, _) => {
                for payload in &delivery.payloads {
                    out.push_str(&format!("dry run: {} would be sent\n{payload}\n", delivery.channel));
                }
            }
        }
    }
    out.push_str(&closing(report));
    out
}

/// A row for a mailbox, and one for each mail that is an alert.
fn mailbox(report: &Report, verdict: &MailboxVerdict) -> Vec<Vec<String>> {
    let name = text::one_line(&verdict.name, 60);
    let scan = match &verdict.scanned.result {
        Err(failure) => {
            let note = format!("{}: {}", failure.reason.as_str(), failure.describe());
            return vec![vec![painted_status(Status::Failed), name, "-".to_owned(), note]];
        }
        Ok(scan) => scan,
    };
    let left_out = if scan.skipped > 0 { format!("{} older not read", scan.skipped) } else { String::new() };
    let word = |word: &str, colour: AnsiColor| painted(word, Style::new().fg_color(Some(colour.into())));
    let is_alert = scan.findings.iter().any(|finding| !report.is_held(finding.identity));
    let status = if is_alert { word("alert", AnsiColor::Yellow) } else { word("ok", AnsiColor::Green) };
    let mut rows = vec![vec![status, name, scan.scanned.to_string(), left_out]];
    rows.extend(scan.findings.iter().map(|finding| {
        let told = if report.is_held(finding.identity) { " (told before)" } else { "" };
        let (sender, subject) = (text::one_line(&finding.sender, 40), text::one_line(&finding.subject, 80));
        let note = format!("{sender} - {subject} [{}]{told}", finding.keywords.join(", "));
        vec![String::new(), String::new(), String::new(), note]
    }));
    rows
}

fn renewal(report: &Report, verdict: &SubscriptionVerdict) -> Vec<String> {
    let subscription = &verdict.subscription;
    let colour = if verdict.renewal.standing == Standing::Due { AnsiColor::Yellow } else { AnsiColor::Green };
    let currency = subscription.currency.as_deref().map(|currency| text::one_line(currency, 16));
    vec![
        painted(verdict.renewal.standing.as_str(), Style::new().fg_color(Some(colour.into()))),
        text::one_line(&subscription.name, 60),
        subscription.cycle.as_str().to_owned(),
        verdict.renewal.next.to_string(),
        verdict.renewal.days.to_string(),
        subscription.amount.map_or_else(|| "-".to_owned(), |amount| amount::show(amount, currency.as_deref())),
        subscription.owner_project.as_deref().map(|owner| text::one_line(owner, 40)).unwrap_or_default(),
        suppressed(report, verdict.identity).join("; "),
    ]
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

fn row(report: &Report, verdict: &Verdict) -> Vec<String> {
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
    vec![
        painted_status(verdict.status),
        text::one_line(&subject.name, 60),
        subject.provider.clone(),
        balance,
        threshold,
        subject.owner_project.as_deref().map(|owner| text::one_line(owner, 40)).unwrap_or_default(),
        notes.join("; "),
    ]
}

fn closing(report: &Report) -> String {
    let summary = report.summary();
    let good = [(summary.ok, "ok"), (summary.unlimited, "unlimited")];
    let mut counts = report.troubles();
    counts.extend(good.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let failed = report.failed_deliveries().count();
    let deliveries =
        if failed > 0 { format!(", {} not delivered", text::plural(failed, "message")) } else { String::new() };
    let checks = text::plural(report.total(), "check");
    let all = if counts.is_empty() { "nothing new".to_owned() } else { counts.join(", ") };
    format!("{checks}: {all}{deliveries}, in {:.1} s\n", report.duration_seconds)
}
