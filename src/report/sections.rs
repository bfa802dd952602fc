//! The tables of a report as rows, worst first. `table` and `markdown` draw them.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::columns::amount_cell;
use super::mutes::note;
use super::tone::Tone;
use super::totals::Total;
use super::{Findings, Report, is_due};
use crate::check::mailbox::scan::Scan;
use crate::decide::{MailboxStatus, MailboxVerdict, Pause, Status, SubscriptionVerdict, Verdict, Waiting};
use crate::model::cadence::Cadence;
use crate::model::identity::Identity;
use crate::model::text::{self, ShortNames};
use crate::notify::DeliveryStatus;

/// A table.
pub(super) struct Section {
    /// Its headings, that of the state first.
    pub headings: &'static [&'static str],
    /// The columns of numbers.
    pub right: &'static [usize],
    pub rows: Vec<Row>,
}

/// A row: its status, unless it continues the row before, and the cells after it.
pub(super) struct Row {
    pub state: Option<(Tone, &'static str)>,
    pub cells: Vec<String>,
}

/// One line about what became of the alerts on one channel.
pub(super) struct DeliveryLine<'a> {
    /// Whether something was not delivered.
    pub is_bad: bool,
    /// The first words of the line.
    pub head: &'static str,
    /// The rest of the line.
    pub rest: String,
    /// In a dry run, what would be sent.
    pub payloads: &'a [String],
}

/// The tables that have rows; only what is wrong if `quiet`.
pub(super) fn sections(findings: &Findings, quiet: bool) -> Vec<Section> {
    let is_bad = |verdict: &&Verdict| matches!(verdict.status, Status::Low | Status::Failed | Status::Warning);
    let shown = findings.worst_first().into_iter().filter(|verdict| !quiet || is_bad(verdict));
    let is_quiet = |verdict: &&MailboxVerdict| {
        let is_known = |scan: &Scan| scan.rest.is_none() && scan.findings.iter().all(|f| findings.is_held(f.identity));
        verdict.scanned.result.as_ref().is_ok_and(is_known)
    };
    let mailboxes = findings.mailboxes.iter().filter(|verdict| !quiet || !is_quiet(verdict));
    let is_bad = |verdict: &SubscriptionVerdict| verdict.renewal.is_err() || is_due(verdict);
    let mut renewals: Vec<&SubscriptionVerdict> =
        findings.subscriptions.iter().filter(|verdict| !quiet || is_bad(verdict)).collect();
    renewals.sort_by_key(|verdict| (!is_due(verdict), verdict.renewal.as_ref().ok().map(|renewal| renewal.next)));
    let names = Names {
        checks: ShortNames::new(findings.names(), text::NAME_CHARS),
        owners: ShortNames::new(findings.owners(), text::OWNER_CHARS),
    };
    let all = [
        Section {
            headings: &["STATUS", "PROJECT", "PROVIDER", "BALANCE", "THRESHOLD", "OWNER", "NOTE"],
            right: &[3, 4],
            rows: shown.map(|verdict| account(findings, verdict, &names)).collect(),
        },
        Section {
            headings: &["STATUS", "MAILBOX", "READ", "NOTE"],
            right: &[2],
            rows: mailboxes.flat_map(|verdict| mailbox(findings, verdict, &names)).collect(),
        },
        Section {
            headings: &["STATUS", "SUBSCRIPTION", "CYCLE", "RENEWS", "DAYS", "AMOUNT", "OWNER", "NOTE"],
            right: &[4, 5],
            rows: renewals.into_iter().map(|verdict| renewal(findings, verdict, &names)).collect(),
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

/// The threshold that the balance is compared with.
pub(super) fn limit(verdict: &Verdict) -> Option<Decimal> {
    match (verdict.status, verdict.subject.warning_threshold) {
        (Status::Warning, Some(warning)) => Some(warning),
        _ => verdict.subject.threshold,
    }
}

fn account(findings: &Findings, verdict: &Verdict, names: &Names) -> Row {
    let subject = &verdict.subject;
    let limit = limit(verdict);
    let balance = match verdict.status {
        Status::Unlimited => "unlimited".to_owned(),
        _ => amount_cell(verdict.balance, limit, verdict.currency.as_deref()),
    };
    let threshold = amount_cell(limit, verdict.balance, None);
    let mut notes: Vec<String> = Vec::new();
    if let Some(failure) = &verdict.failure {
        let tries = if verdict.attempts > 1 { format!(", {} attempts", verdict.attempts) } else { String::new() };
        notes.push(format!("{}: {}{tries}", failure.reason.as_str(), failure.describe()));
    }
    notes.extend(beside(findings, verdict));
    if let Some(at) = verdict.as_of {
        let age = text::span(findings.age(at).unsigned_abs());
        notes.push(format!("by mail, as of {} ({age} ago)", at.strftime("%Y-%m-%d %H:%M UTC")));
    }
    if verdict.cached {
        notes.push("cached".to_owned());
    }
    notes.extend(verdict.foresight.as_ref().and_then(super::outlook::note));
    notes.extend(suppressed(findings, subject.identity));
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

/// What the service tells beside the balance, in a few words.
fn beside(findings: &Findings, verdict: &Verdict) -> Option<String> {
    let beside = &verdict.beside;
    let amount = |amount| amount_cell(Some(amount), None, None);
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let next = beside.next_to_expire(findings.started_at);
    let parts = [
        beside.total.map(|total| format!("of {}", amount(total))),
        beside.frozen.filter(|frozen| !frozen.is_zero()).map(|frozen| format!("{} frozen", amount(frozen))),
        beside.resets_at.map(|at| format!("resets {}", at.strftime("%Y-%m-%d %H:%M UTC"))),
        next.map(|(at, credit)| match credit.amount {
            Some(left) => format!("{} expires {}", amount(left), day(at)),
            None => format!("credit expires {}", day(at)),
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A row for a mailbox, and one for each mail that is an alert.
fn mailbox(findings: &Findings, verdict: &MailboxVerdict, names: &Names) -> Vec<Row> {
    let name = names.checks.get(&verdict.name).to_owned();
    let scan = match &verdict.scanned.result {
        Err(failure) => {
            let note = format!("{}: {}", failure.reason.as_str(), failure.describe());
            return vec![Row {
                state: Some((Tone::Unknown, MailboxStatus::Failed.as_str())),
                cells: vec![name, "-".to_owned(), note],
            }];
        }
        Ok(scan) => scan,
    };
    let mut notes = Vec::new();
    if scan.skipped > 0 {
        notes.push(format!("{} older not read", scan.skipped));
    }
    if let Some((failure, left)) = &scan.rest {
        notes.push(format!("{left} left for the next run: {}: {}", failure.reason.as_str(), failure.describe()));
    }
    let status = verdict.status(|finding| !findings.is_held(finding.identity));
    let tone = match status {
        MailboxStatus::Failed => Tone::Unknown,
        MailboxStatus::Alert => Tone::Soon,
        MailboxStatus::Ok => Tone::Good,
    };
    let mut rows = vec![Row {
        state: Some((tone, status.as_str())),
        cells: vec![name, scan.scanned.to_string(), notes.join("; ")],
    }];
    rows.extend(scan.findings.iter().map(|finding| {
        let told = if findings.is_held(finding.identity) { " (told before)" } else { "" };
        let (sender, subject) = (text::one_line(&finding.sender, 40), text::one_line(&finding.subject, 80));
        let words = finding.signs_for.join(", ");
        let words = if words.is_empty() { words } else { format!(" [{words}]") };
        let account = finding.account.as_deref().map(|name| format!(" account: {}", names.checks.get(name)));
        let note = format!("{sender} - {subject}{words}{}{told}", account.unwrap_or_default());
        Row { state: None, cells: vec![String::new(), String::new(), note] }
    }));
    rows
}

fn renewal(findings: &Findings, verdict: &SubscriptionVerdict, names: &Names) -> Row {
    let subscription = &verdict.subscription;
    let currency = subscription.currency.as_deref().map(|currency| text::one_line(currency, 16));
    let (tone, next, days, failure) = match &verdict.renewal {
        Ok(renewal) => {
            let tone = if is_due(verdict) { Tone::Soon } else { Tone::Good };
            let ahead = renewal.ahead().map(|(next, days)| (next.to_string(), days.to_string()));
            let (next, days) = ahead.unwrap_or_else(|| ("-".to_owned(), "-".to_owned()));
            (tone, next, days, None)
        }
        Err(failure) => {
            let note = format!("{}: {}", failure.reason.as_str(), failure.describe());
            (Tone::Unknown, "-".to_owned(), "-".to_owned(), Some(note))
        }
    };
    let notes: Vec<String> = failure.into_iter().chain(suppressed(findings, verdict.identity)).collect();
    let cells = vec![
        names.checks.get(&subscription.name).to_owned(),
        subscription.cadence().map_or_else(|| "-".to_owned(), |cadence: Cadence| cadence.to_string()),
        next,
        days,
        amount_cell(verdict.price(), None, currency.as_deref()),
        names.owner(subscription.owner_project.as_deref()),
        notes.join("; "),
    ];
    Row { state: Some((tone, verdict.status().as_str())), cells }
}

/// The notes about alerts that are not sent again.
fn suppressed(findings: &Findings, identity: Identity) -> Vec<String> {
    let held = findings.held.iter().filter(|held| held.identity == identity);
    let mut notes: Vec<String> = held
        .map(|held| match held.next {
            Some(next) => format!("suppressed: told before, again from {}", next.strftime("%Y-%m-%d %H:%M UTC")),
            None => "another run is telling it".to_owned(),
        })
        .collect();
    notes.extend(findings.muted(identity).map(|(_, mute)| note(mute)));
    notes.dedup();
    notes
}

/// What became of the alerts, channel by channel.
pub(super) fn told(findings: &Findings) -> Vec<DeliveryLine<'_>> {
    let mut lines: Vec<DeliveryLine> = findings
        .deliveries
        .iter()
        .filter_map(|delivery| {
            let alerts = text::plural(delivery.alerts.len(), "alert");
            let channel = &delivery.channel;
            let why =
                || delivery.failure.as_ref().map(|failure| format!(": {}", failure.describe())).unwrap_or_default();
            let (is_bad, head, rest) = match delivery.status {
                DeliveryStatus::Suppressed => return None,
                DeliveryStatus::Sent => (false, "sent", format!(" {alerts} to {channel}")),
                DeliveryStatus::Failed => (true, "not delivered", format!(": {alerts} to {channel}{}", why())),
                DeliveryStatus::Unknown => (true, "unknown", format!(": {alerts} to {channel}{}", why())),
                DeliveryStatus::DryRun => (false, "dry run", format!(": {channel} would be sent")),
            };
            Some(DeliveryLine { is_bad, head, rest, payloads: &delivery.payloads })
        })
        .collect();
    let kinds = [
        (false, "unknown", "went out in an earlier run, but whether it was taken is not known"),
        (true, "not delivered", "was refused in an earlier run, in which others were taken"),
    ];
    for (id, name) in &findings.channels {
        for (is_refused, head, what) in kinds {
            let of_channel = |waiting: &&Waiting| waiting.channel == *id && waiting.is_refused == is_refused;
            let waiting: Vec<_> = findings.waiting.iter().filter(of_channel).collect();
            if waiting.is_empty() {
                continue;
            }
            let alerts = text::plural(waiting.len(), "alert");
            let next = waiting.iter().filter_map(|waiting| waiting.next).min();
            let next = next.map(|next| format!(", sent again from {}", next.strftime("%Y-%m-%d %H:%M UTC")));
            let rest = format!(": {alerts} to {name} {what}{}", next.unwrap_or_default());
            lines.push(DeliveryLine { is_bad: true, head, rest, payloads: &[] });
        }
        lines.extend(postponed(findings, id, name));
    }
    lines
}

/// What comes to a channel later, and from when on.
fn postponed(findings: &Findings, id: &str, name: &str) -> Vec<DeliveryLine<'static>> {
    let line = |(why, what): (Pause, &str)| {
        let of_channel: Vec<_> =
            findings.postponed.iter().filter(|postponed| postponed.channel == id && postponed.why == why).collect();
        let next = of_channel.iter().filter_map(|postponed| postponed.next).min();
        let next = next.map(|next| format!(", sent from {}", next.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
        let rest = format!(": {} to {name} {what}{next}", text::plural(of_channel.len(), "alert"));
        (!of_channel.is_empty()).then_some(DeliveryLine { is_bad: false, head: "later", rest, payloads: &[] })
    };
    let kinds = [
        (Pause::Silenced, "silenced"),
        (Pause::Early, "not old enough for it"),
        (Pause::Away, "outside of its active times"),
    ];
    kinds.into_iter().filter_map(line).collect()
}

/// What the subscriptions come to, a line for each currency.
pub(super) fn costs(findings: &Findings) -> Vec<String> {
    findings.subscription_totals().iter().map(Total::line).collect()
}

/// The whole run in one line.
pub(super) fn closing(report: &Report) -> String {
    let findings = &report.findings;
    let summary = findings.summary();
    let good = [(summary.ok, "ok"), (summary.unlimited, "unlimited")];
    let mut counts = findings.troubles();
    counts.extend(good.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    let failed = findings.failed_deliveries().count();
    let unknown = findings.unknown_deliveries();
    let mut deliveries = String::new();
    if failed > 0 {
        deliveries.push_str(&format!(", {} not delivered", text::plural(failed, "message")));
    }
    if unknown > 0 {
        deliveries.push_str(&format!(", {} of unknown fate", text::plural(unknown, "message")));
    }
    let checks = text::plural(findings.total(), "check");
    let all = if counts.is_empty() { "nothing new".to_owned() } else { counts.join(", ") };
    let end = report.interrupted.map(|exit| format!("; {} before it was through", exit.meaning())).unwrap_or_default();
    format!("{checks}: {all}{deliveries}, in {:.1} s{end}", report.duration_seconds)
}
