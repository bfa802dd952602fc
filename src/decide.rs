//! Is that bad, and who has not heard of it? Pure: outcomes, thresholds and the memory in, verdicts, alerts and what to
//! remember out. No clock, no I/O.

pub mod config;
mod cooldown;
pub mod found;
pub mod memory;
mod settle;

use cooldown::Cooldown;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use settle::{Now, Settler};

use crate::check::mailbox::scan::{Finding, Scanned};
use crate::check::subscription::{Renewal, Standing, Subscription};
use crate::check::{Amount, Call, Outcome};
use crate::decide::config::Alerting;
use crate::decide::memory::{Changes, Memory};
use crate::model::alert::Renewal as DueRenewal;
use crate::model::alert::{Account, Alert, Cause, Event, Failing, Level, Low, Mail, Topic, Trouble};
use crate::model::failure::Failure;
use crate::model::identity::Identity;
use crate::model::text;
use crate::model::words::{BalanceType, words};

words! {
    /// The state of one account.
    pub enum Status {
        /// Below its threshold.
        Low = "low",
        /// Could not be read: neither good nor low.
        Failed = "failed",
        /// Below its warning threshold.
        Warning = "warning",
        /// At or above all thresholds.
        Ok = "ok",
        /// Without a limit.
        Unlimited = "unlimited",
    }
}

/// What a check is about; what judging and reporting need of it.
#[derive(Clone, Debug)]
pub struct Subject {
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
    /// What is counted.
    pub kind: BalanceType,
    /// Below it the balance is critical; none if the entry is broken.
    pub threshold: Option<Decimal>,
    /// Below it the balance is a warning.
    pub warning_threshold: Option<Decimal>,
    /// The currency until the service says one.
    pub currency: Option<String>,
}

/// What was found of one account.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it is about.
    pub subject: Subject,
    /// The state.
    pub status: Status,
    /// The balance, if one was read and it has a limit.
    pub balance: Option<Decimal>,
    /// The currency, as the service or the config says.
    pub currency: Option<String>,
    /// Balance over threshold, where that can be said.
    pub ratio: Option<Decimal>,
    /// Why there is no reading.
    pub failure: Option<Failure>,
    /// Whether an earlier run's reading was used again.
    pub cached: bool,
    /// Attempts made.
    pub attempts: u32,
    /// The requests of these attempts.
    pub calls: Vec<Call>,
    /// Seconds taken.
    pub duration_seconds: f64,
}

/// What was found of one subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionVerdict {
    /// Names it across runs.
    pub identity: Identity,
    /// What it is about.
    pub subscription: Subscription,
    /// When it renews, and whether somebody must be reminded; or why that is not known.
    pub renewal: Result<Renewal, Failure>,
}

impl SubscriptionVerdict {
    /// Where it stands, in a word.
    pub fn standing(&self) -> &'static str {
        self.renewal.as_ref().map_or(Status::Failed.as_str(), |renewal| renewal.standing.as_str())
    }
}

/// What was found of one mailbox.
#[derive(Clone, Debug)]
pub struct MailboxVerdict {
    /// Names it across runs.
    pub identity: Identity,
    /// The mailbox's name.
    pub name: String,
    /// The server that it lies on.
    pub host: String,
    /// What was found.
    pub scanned: Scanned,
}

words! {
    /// The state of one mailbox.
    pub enum MailboxStatus {
        /// It could not be read, or not all of it.
        Failed = "failed",
        /// A mail speaks of trouble.
        Alert = "alert",
        /// It was read, and nothing was found.
        Ok = "ok",
    }
}

impl MailboxVerdict {
    /// The state; `is_new` says which of the mails that speak of trouble count.
    pub fn status(&self, is_new: impl Fn(&Finding) -> bool) -> MailboxStatus {
        match &self.scanned.result {
            _ if self.scanned.failure().is_some() => MailboxStatus::Failed,
            Ok(scan) if scan.findings.iter().any(is_new) => MailboxStatus::Alert,
            _ => MailboxStatus::Ok,
        }
    }
}

/// All that a run has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
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
    pub fn is_cut(&self) -> bool {
        let accounts = self.accounts.iter().filter_map(|verdict| verdict.failure.as_ref());
        let mailboxes = self.mailboxes.iter().filter_map(|verdict| verdict.scanned.failure());
        accounts.chain(mailboxes).any(Failure::is_cancelled)
    }

    /// Checks there were.
    pub fn total(&self) -> usize {
        self.accounts.len() + self.subscriptions.len() + self.mailboxes.len()
    }
}

/// A message of this run, and who is to get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// What it says.
    pub alert: Alert,
    /// The ids of the channels that it goes to.
    pub to: Vec<String>,
}

/// An alert that some channels do not get in this run, though its cause lasts: they know.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// Whether it begins or is over.
    pub event: Event,
    /// When it is told again if nothing changes; none while another run is telling it.
    pub next: Option<Timestamp>,
    /// The ids of these channels.
    pub channels: Vec<String>,
}

/// A message that is owed to a channel and rests in this run, because it may have arrived already.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The check.
    pub identity: Identity,
    /// What it is about.
    pub topic: Topic,
    /// Whether it begins or is over.
    pub event: Event,
    /// The id of the channel.
    pub channel: String,
    /// From when on it is sent once more.
    pub next: Option<Timestamp>,
}

/// What follows from the verdicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What is to be told now, worst first, then in the order of the plan.
    pub alerts: Vec<Telling>,
    /// What is wrong, but was told before.
    pub held: Vec<Held>,
    /// What is owed, but not to be sent now.
    pub waiting: Vec<Waiting>,
    /// What the next runs must know.
    pub changes: Changes,
}

/// A channel as far as deciding goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Names it across runs.
    pub id: String,
    /// Whether it hears that something is over.
    pub wants_over: bool,
}

/// What `decide` goes by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// When alerts are repeated.
    pub alerting: Alerting,
    /// Who is to be told.
    pub listeners: Vec<Listener>,
    /// The time zone in which days are counted.
    pub timezone: TimeZone,
}

/// Judges every outcome by its subject's thresholds.
pub fn judge(found: impl IntoIterator<Item = (Subject, Outcome)>) -> Vec<Verdict> {
    found.into_iter().map(|(subject, outcome)| verdict(subject, outcome)).collect()
}

fn verdict(subject: Subject, outcome: Outcome) -> Verdict {
    let (status, balance, currency, failure) = match outcome.result {
        Err(failure) => (Status::Failed, None, None, Some(failure)),
        Ok(reading) => match reading.amount {
            Amount::Unlimited => (Status::Unlimited, None, reading.currency, None),
            Amount::Of(balance) => {
                let below = |threshold: Option<Decimal>| threshold.is_some_and(|threshold| balance < threshold);
                let status = if below(subject.threshold) {
                    Status::Low
                } else if below(subject.warning_threshold) {
                    Status::Warning
                } else {
                    Status::Ok
                };
                (status, Some(balance), reading.currency, None)
            }
        },
    };
    Verdict {
        // It comes from outside, and goes to terminals and messages.
        currency: currency.or_else(|| subject.currency.clone()).map(|currency| text::one_line(&currency, 16)),
        ratio: balance.zip(subject.threshold).and_then(|(balance, threshold)| ratio(balance, threshold)),
        subject,
        status,
        balance,
        failure,
        cached: outcome.cached,
        attempts: outcome.attempts,
        calls: outcome.calls,
        duration_seconds: outcome.duration.as_secs_f64(),
    }
}

/// Balance over threshold, to four decimals. What is below the threshold is not rounded to 1, which would say that it is not.
fn ratio(balance: Decimal, threshold: Decimal) -> Option<Decimal> {
    let ratio = balance.checked_div(threshold)?.round_dp(4);
    let is_hidden = balance < threshold && ratio >= Decimal::ONE;
    let ratio = if is_hidden { Decimal::ONE - Decimal::new(1, 4) } else { ratio };
    Some(ratio.normalize())
}

/// What is to be told, what was told already, and what to remember.
///
/// `run_id` goes into the keys of new messages.
pub fn decide(found: &Found, memory: &Memory, rules: &Rules, now: Timestamp, run_id: &str) -> Decision {
    let settler = Settler {
        rules,
        cooldown: Cooldown {
            length: rules.alerting.cooldown,
            timezone: &rules.timezone,
            now,
            previous_run: memory.previous_run,
        },
        run_id,
    };
    // Without anybody to tell nothing counts as told, and nothing is owed.
    let tells = !rules.listeners.is_empty();
    let mut decision = Decision::default();
    for verdict in &found.accounts {
        let identity = verdict.subject.identity;
        let failures = count_failures(identity, verdict.failure.as_ref(), memory, &mut decision);
        if !tells {
            continue;
        }
        let draft = Draft::of_account(verdict, now);
        let failed = verdict.failure.as_ref();
        for (topic, state) in [
            (Topic::Low, low(verdict, &draft, &rules.alerting)),
            (Topic::Failing, failing(failed, &draft, &rules.alerting, failures)),
        ] {
            let key = (identity, topic);
            settler.settle(state, key, memory.conditions.get(&key), &mut decision);
        }
    }
    for verdict in &found.subscriptions {
        let failed = verdict.renewal.as_ref().err();
        let failures = count_failures(verdict.identity, failed, memory, &mut decision);
        if !tells {
            continue;
        }
        let state = failing(failed, &Draft::of_subscription(verdict, now), &rules.alerting, failures);
        let key = (verdict.identity, Topic::Failing);
        settler.settle(state, key, memory.conditions.get(&key), &mut decision);
        if let Some((alert, standing)) = reminder(verdict, found.today, now) {
            let known = memory.conditions.get(&(verdict.identity, Topic::Renewal));
            settler.settle_renewal(alert, standing, found.today, known, &mut decision);
        }
    }
    for verdict in &found.mailboxes {
        let failed = verdict.scanned.result.as_ref().err();
        let failures = count_failures(verdict.identity, failed, memory, &mut decision);
        if tells {
            let state = failing(failed, &Draft::of_mailbox(verdict, now), &rules.alerting, failures);
            let key = (verdict.identity, Topic::Failing);
            settler.settle(state, key, memory.conditions.get(&key), &mut decision);
        }
    }
    if tells {
        mails(found, memory, &settler, &mut decision);
    }
    decision.alerts.sort_by_key(|telling| (std::cmp::Reverse(telling.alert.level), telling.alert.topic()));
    decision
}

/// Counts failed runs in a row.
fn count_failures(identity: Identity, failure: Option<&Failure>, memory: &Memory, decision: &mut Decision) -> u32 {
    let before = memory.failures.get(&identity).copied().unwrap_or_default();
    if failure.is_some_and(Failure::is_cancelled) {
        return before;
    }
    let failures = if failure.is_some() { before.saturating_add(1) } else { 0 };
    if failures != before {
        decision.changes.failures.push((identity, failures, failure.map(|failure| failure.reason)));
    }
    failures
}

fn low(verdict: &Verdict, draft: &Draft, alerting: &Alerting) -> Now {
    let subject = &verdict.subject;
    let alert = |event, level, threshold| {
        let low = Low { account: account(verdict), threshold, change: None };
        draft.alert(event, level, Cause::Low(low))
    };
    let highest = subject.threshold.max(subject.warning_threshold);
    match verdict.status {
        Status::Low => Now::Wrong(alert(Event::Raised, Level::Critical, subject.threshold)),
        Status::Warning => Now::Wrong(alert(Event::Raised, Level::Warning, subject.warning_threshold)),
        Status::Failed => Now::Unknown,
        Status::Unlimited => Now::Right(alert(Event::Resolved, Level::Info, highest)),
        Status::Ok => {
            let alert = alert(Event::Resolved, Level::Info, highest);
            let margin = Decimal::ONE + alerting.recovery_margin_percent / Decimal::ONE_HUNDRED;
            let enough = highest.and_then(|threshold| threshold.checked_mul(margin));
            match (verdict.balance, enough) {
                (Some(balance), Some(enough)) if balance < enough => Now::Nearly(alert),
                _ => Now::Right(alert),
            }
        }
    }
}

fn failing(failure: Option<&Failure>, draft: &Draft, alerting: &Alerting, failures: u32) -> Now {
    let cause = |trouble| Cause::Failing(Failing { account: draft.account.clone(), trouble });
    match failure {
        None => Now::Right(draft.alert(Event::Resolved, Level::Info, cause(None))),
        Some(failure) if failure.is_cancelled() => Now::Unknown,
        Some(failure) if alerting.failure_alert_after > 0 && failures >= alerting.failure_alert_after => {
            // People are told the cause, not that the host was left alone because of it.
            let root = failure.root();
            let trouble = Trouble { reason: root.reason, message: root.describe(), runs: failures };
            Now::Wrong(draft.alert(Event::Raised, Level::Warning, cause(Some(trouble))))
        }
        Some(_) => Now::Shaky,
    }
}

/// A mail is told once, in whichever mailbox it lies. One that could not be told is told later, though it is not read again.
fn mails(found: &Found, memory: &Memory, settler: &Settler, decision: &mut Decision) {
    let mut seen: Vec<Identity> = Vec::new();
    for verdict in &found.mailboxes {
        for finding in verdict.scanned.result.iter().flat_map(|scan| &scan.findings) {
            if seen.contains(&finding.identity) {
                continue;
            }
            seen.push(finding.identity);
            let key = (finding.identity, Topic::Mail);
            let alert = mail_alert(verdict, finding, settler.cooldown.now);
            settler.settle_mail(Some(alert), key, memory.conditions.get(&key), decision);
        }
    }
    let is_ours = |alert: &Alert| found.mailboxes.iter().any(|mailbox| mailbox.name == alert.project);
    let mut late: Vec<_> = memory
        .conditions
        .iter()
        .filter(|((identity, topic), _)| *topic == Topic::Mail && !seen.contains(identity))
        .filter_map(|(key, condition)| {
            let owed = condition.channels.values().find_map(|heard| heard.owed.as_ref())?;
            is_ours(&owed.alert).then_some(((owed.alert.at, *key), condition))
        })
        .collect();
    late.sort_by_key(|(order, _)| *order);
    for ((_, key), condition) in late {
        settler.settle_mail(None, key, Some(condition), decision);
    }
}

fn mail_alert(verdict: &MailboxVerdict, finding: &Finding, now: Timestamp) -> Alert {
    let cause = Cause::Mail(Mail {
        subject: finding.subject.clone(),
        sender: finding.sender.clone(),
        date: finding.date,
        service: finding.service.clone(),
        amount: finding.amount,
        currency: finding.currency.map(str::to_owned),
        keywords: finding.keywords.clone(),
    });
    let draft = Draft { identity: finding.identity, ..Draft::of_mailbox(verdict, now) };
    draft.alert(Event::Raised, Level::Warning, cause)
}

/// What alerts say of an account.
fn account(verdict: &Verdict) -> Account {
    Account { kind: verdict.subject.kind, balance: verdict.balance, currency: verdict.currency.clone() }
}

/// What the alerts of one check have in common. They get their keys when it is known who is told.
struct Draft<'a> {
    identity: Identity,
    name: &'a str,
    owner: Option<&'a str>,
    provider: &'a str,
    host: Option<&'a str>,
    account: Option<Account>,
    now: Timestamp,
}

impl<'a> Draft<'a> {
    fn of_account(verdict: &'a Verdict, now: Timestamp) -> Draft<'a> {
        let subject = &verdict.subject;
        Draft {
            identity: subject.identity,
            name: &subject.name,
            owner: subject.owner_project.as_deref(),
            provider: &subject.provider,
            host: subject.host.as_deref(),
            account: Some(account(verdict)),
            now,
        }
    }

    fn of_mailbox(verdict: &'a MailboxVerdict, now: Timestamp) -> Draft<'a> {
        let (identity, name, host) = (verdict.identity, verdict.name.as_str(), Some(verdict.host.as_str()));
        Draft { identity, name, owner: None, provider: "imap", host, account: None, now }
    }

    fn of_subscription(verdict: &'a SubscriptionVerdict, now: Timestamp) -> Draft<'a> {
        let SubscriptionVerdict { identity, subscription, .. } = verdict;
        let (name, owner) = (subscription.name.as_str(), subscription.owner_project.as_deref());
        Draft { identity: *identity, name, owner, provider: "subscription", host: None, account: None, now }
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

/// The reminder of a subscription, and where it stands; none if that is not known.
fn reminder(verdict: &SubscriptionVerdict, today: Date, now: Timestamp) -> Option<(Alert, Standing)> {
    let subscription = &verdict.subscription;
    let (renewal, schedule) = verdict.renewal.as_ref().ok().zip(subscription.schedule.as_ref().ok())?;
    let level = if renewal.days == 0 { Level::Critical } else { Level::Warning };
    let cause = Cause::Renewal(DueRenewal {
        cycle_type: schedule.cycle.cycle_type(),
        renewal_day: schedule.renewal_day.clone(),
        next: renewal.next,
        today,
        days: renewal.days,
        amount: subscription.amount,
        currency: subscription.currency.as_ref().map(|currency| text::one_line(currency, 16)),
    });
    let alert = Draft::of_subscription(verdict, now).alert(Event::Raised, level, cause);
    Some((alert, renewal.standing))
}

#[cfg(test)]
mod tests;
