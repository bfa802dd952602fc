//! One JSON object for programs. Its shape is a contract: fields are added, never changed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::mutes::{MuteEntry, entries};
use super::{Findings, Overall, Report, Summary, View};
use super::outlook::Outlook;
use super::totals::{Total, TotalEntry};
use crate::check::Expiring;
use crate::check::subscription::Renewal;
use crate::decide::expiry;
use crate::decide::{
    MailboxStatus, MailboxVerdict, Pause, Status, SubscriptionStatus, SubscriptionVerdict, Verdict, Waiting,
};
use crate::model::alert::{Event, Lapsing, Topic};
use crate::model::amount;
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;
use crate::model::strength::Strength;
use crate::model::cadence::Cadence;
use crate::model::words::BalanceType;
use crate::notify::{self, DeliveryStatus};
use crate::process::clock::iso;
use crate::report::Published;
use crate::state::session::MemoryStatus;

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    run_id: &'a str,
    started_at: String,
    duration_seconds: f64,
    status: Overall,
    exit_code: u8,
    interrupted: bool,
    summary: Summary,
    projects: Vec<Project<'a>>,
    mailboxes: Vec<Mailbox<'a>>,
    subscriptions: Vec<Subscription<'a>>,
    subscription_totals: Vec<TotalEntry>,
    deliveries: Vec<Delivery<'a>>,
    mutes: Vec<MuteEntry<'a>>,
    /// The services that answer otherwise than in earlier runs, said once.
    changed_answers: Vec<Changed<'a>>,
    memory: Memory<'a>,
    metrics: Metrics<'a>,
}

#[derive(Serialize)]
struct Changed<'a> {
    provider: &'a str,
    host: &'a str,
}

#[derive(Serialize)]
struct Mailbox<'a> {
    name: &'a str,
    status: MailboxStatus,
    scanned: usize,
    new: usize,
    skipped: usize,
    remaining: usize,
    alerts: Vec<MailAlert<'a>>,
    duration_seconds: f64,
    error: Option<Error<'a>>,
}

#[derive(Serialize)]
struct MailAlert<'a> {
    subject: &'a str,
    sender: &'a str,
    date: Option<String>,
    service: Option<&'a str>,
    amount: Option<Box<RawValue>>,
    currency: Option<&'static str>,
    keywords: &'a [String],
    account: Option<&'a str>,
    strength: Option<Strength>,
    signs_for: &'a [String],
    signs_against: &'a [String],
    status: &'static str,
}

#[derive(Serialize)]
struct Subscription<'a> {
    name: &'a str,
    owner_project: Option<&'a str>,
    cycle_type: Option<Cadence>,
    status: SubscriptionStatus,
    next_renewal_date: Option<String>,
    days_until_renewal: Option<i64>,
    /// When it was last paid, as the config or `paid` says.
    last_renewed_date: Option<String>,
    amount: Option<Box<RawValue>>,
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error<'a>>,
    alerts: Vec<AlertEntry<'a>>,
}

#[derive(Serialize)]
struct Metrics<'a> {
    status: &'static str,
    error: Option<Error<'a>>,
}

#[derive(Serialize)]
struct Project<'a> {
    name: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    r#type: BalanceType,
    currency: Option<&'a str>,
    status: Status,
    balance: Option<Box<RawValue>>,
    threshold: Option<Box<RawValue>>,
    ratio: Option<Box<RawValue>>,
    /// What the service tells beside the balance.
    total: Option<Box<RawValue>>,
    usage: Option<Box<RawValue>>,
    frozen: Option<Box<RawValue>>,
    resets_at: Option<String>,
    expires: Vec<Credit<'a>>,
    /// The credits that will lapse with something in them; null where nobody knows what is usually consumed.
    lapses: Option<Vec<Lapse>>,
    #[serde(flatten)]
    outlook: Outlook,
    /// When the balance was true, where that was not just now, and how long ago that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    cached: bool,
    attempts: u32,
    duration_seconds: f64,
    error: Option<Error<'a>>,
    alerts: Vec<AlertEntry<'a>>,
}

/// A credit that will lapse before it is used up.
#[derive(Serialize)]
struct Lapse {
    credit: Option<String>,
    date: String,
    remaining: Box<RawValue>,
    unused: Box<RawValue>,
    falls_below: Option<Box<RawValue>>,
}

impl From<Lapsing> for Lapse {
    fn from(lapsing: Lapsing) -> Self {
        Lapse {
            date: lapsing.date.to_string(),
            remaining: amount::to_json(lapsing.remaining),
            unused: amount::to_json(lapsing.unused),
            falls_below: lapsing.falls_below.map(amount::to_json),
            credit: lapsing.name,
        }
    }
}

/// A credit that expires; without a date it does not.
#[derive(Serialize)]
struct Credit<'a> {
    credit: Option<&'a str>,
    amount: Option<Box<RawValue>>,
    date: Option<String>,
}

impl<'a> From<&'a Expiring> for Credit<'a> {
    fn from(credit: &'a Expiring) -> Self {
        Credit {
            credit: credit.credit.as_deref(),
            amount: credit.amount.map(amount::to_json),
            date: credit.date.map(iso),
        }
    }
}

/// One alert about a check, and what became of it.
#[derive(Serialize)]
struct AlertEntry<'a> {
    topic: Topic,
    event: Event,
    status: DeliveryStatus,
    dedup_key: Option<&'a str>,
    next_alert_at: Option<String>,
    /// The names of the channels that the alert is still owed to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owed_to: Vec<&'a str>,
    /// The number of the silence or acknowledgement because of which it is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_by: Option<i64>,
    /// Why it comes later.
    #[serde(skip_serializing_if = "Option::is_none")]
    postponed: Option<Pause>,
}

impl<'a> AlertEntry<'a> {
    /// What is said of every alert; it has no key, is owed to nobody and does not come again.
    fn new(topic: Topic, event: Event, status: DeliveryStatus) -> AlertEntry<'a> {
        let (dedup_key, next_alert_at, owed_to) = (None, None, Vec::new());
        AlertEntry { topic, event, status, dedup_key, next_alert_at, owed_to, muted_by: None, postponed: None }
    }
}

#[derive(Serialize)]
struct Memory<'a> {
    status: &'static str,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Delivery<'a> {
    channel: &'a str,
    status: DeliveryStatus,
    alerts: usize,
    /// How many of them the channel is not known to have taken.
    owed: usize,
    attempts: u32,
    error: Option<Error<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_alert_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    payloads: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct Error<'a> {
    reason: Reason,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl<'a> From<&'a Failure> for Error<'a> {
    fn from(failure: &'a Failure) -> Self {
        Error { reason: failure.reason, message: &failure.message, hint: failure.hint.as_deref() }
    }
}

fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn told<'a>(findings: &'a Findings, identity: Identity) -> Vec<AlertEntry<'a>> {
    let is_dry_run = findings.deliveries.iter().any(|delivery| delivery.status == DeliveryStatus::DryRun);
    let sent = findings.alerts.iter().enumerate().filter(|(_, alert)| alert.identity == identity).map(|(at, alert)| {
        let is_unknown = findings.owed(at).any(|delivery| delivery.unknown.contains(&at));
        let status = match findings.is_taken(at) {
            true if is_dry_run => DeliveryStatus::DryRun,
            true => DeliveryStatus::Sent,
            false if is_unknown => DeliveryStatus::Unknown,
            false => DeliveryStatus::Failed,
        };
        AlertEntry {
            dedup_key: Some(alert.dedup_key.as_str()),
            owed_to: findings.owed(at).map(|delivery| delivery.channel.as_str()).collect(),
            ..AlertEntry::new(alert.topic(), alert.event, status)
        }
    });
    let held = findings.held.iter().filter(|held| held.identity == identity).map(|held| AlertEntry {
        next_alert_at: held.next.map(iso),
        ..AlertEntry::new(held.topic, held.event, DeliveryStatus::Suppressed)
    });
    let waiting = findings.waiting.iter().filter(|waiting| waiting.identity == identity).map(|waiting| {
        let status = if waiting.is_refused { DeliveryStatus::Failed } else { DeliveryStatus::Unknown };
        AlertEntry {
            next_alert_at: waiting.next.map(iso),
            owed_to: findings.name(&waiting.channel).into_iter().collect(),
            ..AlertEntry::new(waiting.topic, waiting.event, status)
        }
    });
    let muted = findings.muted(identity).map(|(muted, mute)| AlertEntry {
        next_alert_at: mute.until.map(iso),
        muted_by: Some(mute.number),
        ..AlertEntry::new(muted.topic, Event::Raised, DeliveryStatus::Suppressed)
    });
    let postponed = findings.postponed.iter().filter(|postponed| postponed.identity == identity).map(|postponed| AlertEntry {
        next_alert_at: postponed.next.map(iso),
        owed_to: findings.name(&postponed.channel).into_iter().collect(),
        postponed: Some(postponed.why),
        ..AlertEntry::new(postponed.topic, postponed.event, DeliveryStatus::Suppressed)
    });
    sent.chain(held).chain(waiting).chain(muted).chain(postponed).collect()
}

fn mailbox<'a>(run: &'a Findings, verdict: &'a MailboxVerdict) -> Mailbox<'a> {
    let scan = verdict.scanned.result.as_ref().ok();
    let findings = scan.map(|scan| scan.findings.as_slice()).unwrap_or_default();
    let new = findings.iter().filter(|finding| !run.is_held(finding.identity)).count();
    let rest = scan.and_then(|scan| scan.rest.as_ref());
    Mailbox {
        name: &verdict.name,
        status: verdict.status(|finding| !run.is_held(finding.identity)),
        scanned: scan.map_or(0, |scan| scan.scanned),
        new,
        skipped: scan.map_or(0, |scan| scan.skipped),
        remaining: rest.map_or(0, |(_, left)| *left),
        alerts: findings
            .iter()
            .map(|finding| MailAlert {
                subject: &finding.subject,
                sender: &finding.sender,
                date: finding.date.map(iso),
                service: finding.service.as_deref(),
                amount: finding.amount.map(amount::to_json),
                currency: finding.currency,
                keywords: &finding.signs_for,
                account: finding.account.as_deref(),
                strength: finding.strength,
                signs_for: &finding.signs_for,
                signs_against: &finding.signs_against,
                status: told(run, finding.identity).first().map_or("found", |told| told.status.as_str()),
            })
            .collect(),
        duration_seconds: milliseconds(verdict.scanned.duration.as_secs_f64()),
        error: verdict.scanned.failure().map(Error::from),
    }
}

/// For every channel, the alerts that were not repeated, and those that are not sent again yet because they may have
/// arrived or were refused.
fn unsent(findings: &Findings) -> impl Iterator<Item = Delivery<'_>> {
    let of = |channel, status, alerts, owed, next: Option<Timestamp>| Delivery {
        channel,
        status,
        alerts,
        owed,
        attempts: 0,
        error: None,
        next_alert_at: next.map(iso),
        payloads: Vec::new(),
    };
    findings.channels.iter().flat_map(move |(id, name)| {
        let held: Vec<_> = findings.held.iter().filter(|held| held.channels.contains(id)).collect();
        let again = held.iter().filter_map(|held| held.next).min();
        let suppressed = of(name, DeliveryStatus::Suppressed, held.len(), 0, again);
        let resting = [(false, DeliveryStatus::Unknown), (true, DeliveryStatus::Failed)].map(|(is_refused, status)| {
            let of_channel = |waiting: &&Waiting| waiting.channel == *id && waiting.is_refused == is_refused;
            let waiting: Vec<_> = findings.waiting.iter().filter(of_channel).collect();
            of(name, status, waiting.len(), waiting.len(), waiting.iter().filter_map(|waiting| waiting.next).min())
        });
        std::iter::once(suppressed).chain(resting).filter(|delivery| delivery.alerts > 0)
    })
}

fn project<'a>(findings: &'a Findings, verdict: &'a Verdict) -> Project<'a> {
    let (subject, beside) = (&verdict.subject, &verdict.beside);
    Project {
        name: &subject.name,
        owner_project: subject.owner_project.as_deref(),
        provider: &subject.provider,
        r#type: subject.kind,
        currency: verdict.currency.as_deref(),
        status: verdict.status,
        balance: verdict.balance.map(amount::to_json),
        threshold: subject.threshold.map(amount::to_json),
        ratio: verdict.ratio.map(amount::to_json),
        total: beside.total.map(amount::to_json),
        usage: beside.usage.map(amount::to_json),
        frozen: beside.frozen.map(amount::to_json),
        resets_at: beside.resets_at.map(iso),
        expires: beside.expires.iter().map(Credit::from).collect(),
        lapses: expiry::unused(verdict, findings.started_at)
            .map(|lapses| lapses.into_iter().map(Lapse::from).collect()),
        outlook: verdict.foresight.as_ref().map(Outlook::of).unwrap_or_default(),
        as_of: verdict.as_of.map(iso),
        age_seconds: verdict.as_of.map(|at| findings.age(at).as_secs()),
        cached: verdict.cached,
        attempts: verdict.attempts,
        duration_seconds: milliseconds(verdict.duration_seconds),
        error: verdict.failure.as_ref().map(Error::from),
        alerts: told(findings, subject.identity),
    }
}

fn subscription<'a>(findings: &'a Findings, verdict: &'a SubscriptionVerdict) -> Subscription<'a> {
    let (subscription, renewal) = (&verdict.subscription, verdict.renewal.as_ref());
    let (ahead, schedule) = (renewal.ok().and_then(Renewal::ahead), subscription.schedule.as_ref().ok());
    Subscription {
        name: &subscription.name,
        owner_project: subscription.owner_project.as_deref(),
        cycle_type: subscription.cadence(),
        status: verdict.status(),
        next_renewal_date: ahead.map(|(next, _)| next.to_string()),
        days_until_renewal: ahead.map(|(_, days)| days),
        last_renewed_date: schedule.and_then(|schedule| schedule.last_renewed).map(|date| date.to_string()),
        amount: verdict.price().map(amount::to_json),
        currency: subscription.currency.as_deref(),
        error: renewal.err().map(Error::from),
        alerts: told(findings, verdict.identity),
    }
}

/// What was sent to a channel. A payload is JSON where the channel takes JSON.
fn delivery(delivery: &notify::Delivery) -> Delivery<'_> {
    let payload = |body: &String| serde_json::from_str(body).unwrap_or_else(|_| body.clone().into());
    Delivery {
        channel: &delivery.channel,
        status: delivery.status,
        alerts: delivery.alerts.len(),
        owed: delivery.owed(),
        attempts: delivery.attempts,
        error: delivery.failure.as_ref().map(Error::from),
        next_alert_at: None,
        payloads: delivery.payloads.iter().map(payload).collect(),
    }
}

fn memory(status: &MemoryStatus) -> Memory<'_> {
    match status {
        MemoryStatus::Off => Memory { status: "off", error: None },
        MemoryStatus::Kept => Memory { status: "kept", error: None },
        MemoryStatus::Failed(why) => Memory { status: "failed", error: Some(why) },
    }
}

fn metrics(published: &Published) -> Metrics<'_> {
    match published {
        Published::Off => Metrics { status: "off", error: None },
        Published::Sent => Metrics { status: "sent", error: None },
        Published::Skipped => Metrics { status: "skipped", error: None },
        Published::Failed(failure) => Metrics { status: "failed", error: Some(Error::from(failure)) },
    }
}

pub(super) fn render(report: &Report, view: View) -> String {
    let findings = &report.findings;
    let root = Root {
        schema_version: 1,
        run_id: &findings.run_id,
        started_at: iso(findings.started_at),
        duration_seconds: milliseconds(report.duration_seconds),
        status: findings.overall(),
        exit_code: view.exit.code(),
        interrupted: report.interrupted.is_some(),
        summary: findings.summary(),
        projects: findings.verdicts.iter().map(|verdict| project(findings, verdict)).collect(),
        mailboxes: findings.mailboxes.iter().map(|verdict| mailbox(findings, verdict)).collect(),
        subscriptions: findings.subscriptions.iter().map(|verdict| subscription(findings, verdict)).collect(),
        subscription_totals: findings.subscription_totals().iter().map(Total::entry).collect(),
        deliveries: findings.deliveries.iter().map(delivery).chain(unsent(findings)).collect(),
        mutes: entries(&findings.mutes),
        changed_answers: findings
            .changed_answers
            .iter()
            .map(|changed| Changed { provider: &changed.provider, host: &changed.host })
            .collect(),
        memory: memory(&report.memory),
        metrics: metrics(&report.metrics),
    };
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&root).unwrap_or_default() + "\n"
}
