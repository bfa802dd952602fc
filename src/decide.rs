//! Is that bad, and who has not heard of it? Pure: outcomes, thresholds and the memory in, verdicts, alerts and what to
//! remember out. No clock, no I/O.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::alert::{Alert, Event, Identity, Level, MailNotice, Missed, RenewalNotice, Topic, Trouble};
use crate::check::mailbox::scan::{Finding, Scanned};
use crate::check::subscription::{Renewal, Standing};
use crate::check::{Amount, Call, Outcome};
use crate::config::{Alerting, BalanceType, Subscription};
use crate::failure::Failure;
use crate::plan::Subject;
use crate::state::memory::{Changes, Condition, Memory, Told};
use crate::text;

/// Clocks of two machines may differ by this much; what was told later than that from now is told again.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A cool-down may end this much early, or a hundredth of it if that is less.
const EARLY: SignedDuration = SignedDuration::from_mins(1);

/// The state of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Below its threshold.
    Low,
    /// Could not be read: neither good nor low.
    Failed,
    /// Below its warning threshold.
    Warning,
    /// At or above all thresholds.
    Ok,
    /// Without a limit.
    Unlimited,
}

impl Status {
    /// Every state, worst first.
    pub const ALL: [Status; 5] = [Status::Low, Status::Failed, Status::Warning, Status::Ok, Status::Unlimited];

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Low => "low",
            Status::Failed => "failed",
            Status::Warning => "warning",
            Status::Ok => "ok",
            Status::Unlimited => "unlimited",
        }
    }
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
    /// When it renews, and whether somebody must be reminded.
    pub renewal: Renewal,
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
        let mailboxes = self.mailboxes.iter().filter_map(|verdict| verdict.scanned.result.as_ref().err());
        accounts.chain(mailboxes).any(Failure::is_cancelled)
    }

    /// Checks there were.
    pub fn total(&self) -> usize {
        self.accounts.len() + self.subscriptions.len() + self.mailboxes.len()
    }
}

/// An alert that is not sent in this run, though its cause lasts.
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
}

/// What follows from the verdicts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What is to be told now, worst first, then in the order of the plan.
    pub alerts: Vec<Alert>,
    /// What is wrong, but was told before.
    pub held: Vec<Held>,
    /// What the next runs must know.
    pub changes: Changes,
}

/// What `decide` goes by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// When alerts are repeated.
    pub alerting: Alerting,
    /// Whether there is anybody to tell.
    pub tell: bool,
    /// Whether somebody wants to hear that it is over.
    pub tell_resolved: bool,
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
    let ratio = balance.zip(subject.threshold).and_then(|(balance, threshold)| balance.checked_div(threshold));
    Verdict {
        // It comes from outside, and goes to terminals and messages.
        currency: currency.or_else(|| subject.currency.clone()).map(|currency| text::one_line(&currency, 16)),
        ratio: ratio.map(|ratio| ratio.round_dp(4).normalize()),
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

/// What is to be told, what was told already, and what to remember.
///
/// `run_id` goes into the keys of new messages, so that the same run started twice gives the same keys.
pub fn decide(found: &Found, memory: &Memory, rules: &Rules, now: Timestamp, run_id: &str) -> Decision {
    let mut decision = Decision::default();
    for verdict in &found.accounts {
        let identity = verdict.subject.identity;
        let failures = count_failures(identity, verdict.failure.as_ref(), memory, &mut decision);
        if !rules.tell {
            continue;
        }
        let draft = Draft::of_account(verdict, now, run_id);
        let failed = verdict.failure.as_ref();
        for (topic, state) in [
            (Topic::Low, low(verdict, &draft, &rules.alerting)),
            (Topic::Failing, failing(failed, &draft, &rules.alerting, failures)),
        ] {
            let condition = memory.conditions.get(&(identity, topic));
            settle(state, condition, rules, now, (identity, topic), &mut decision);
        }
    }
    for verdict in found.subscriptions.iter().filter(|_| rules.tell) {
        let condition = memory.conditions.get(&(verdict.identity, Topic::Renewal));
        let alert = reminder(verdict, found.today, now, run_id);
        settle_renewal(alert, verdict.renewal.standing, condition, rules, now, &mut decision);
    }
    for verdict in &found.mailboxes {
        let failed = verdict.scanned.result.as_ref().err();
        let failures = count_failures(verdict.identity, failed, memory, &mut decision);
        if rules.tell {
            let draft = Draft::of_mailbox(verdict, now, run_id);
            let state = failing(failed, &draft, &rules.alerting, failures);
            let key = (verdict.identity, Topic::Failing);
            settle(state, memory.conditions.get(&key), rules, now, key, &mut decision);
        }
    }
    if rules.tell {
        mails(found, memory, now, run_id, &mut decision);
    }
    decision.alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.level), alert.topic));
    decision
}

/// What this run knows of a condition.
enum State {
    /// It is there; this alert says so.
    Wrong(Alert),
    /// It is over; this alert says so.
    Right(Alert),
    /// Above the threshold, but not by the margin that counts as recovered; the alert is for those who heard nothing yet.
    Nearly(Alert),
    /// Nothing can be said.
    Unknown,
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

fn low(verdict: &Verdict, draft: &Draft, alerting: &Alerting) -> State {
    let subject = &verdict.subject;
    let highest = subject.threshold.max(subject.warning_threshold);
    match verdict.status {
        Status::Low => State::Wrong(draft.alert(Topic::Low, Event::Raised, Level::Critical, subject.threshold)),
        Status::Warning => {
            State::Wrong(draft.alert(Topic::Low, Event::Raised, Level::Warning, subject.warning_threshold))
        }
        Status::Failed => State::Unknown,
        Status::Unlimited => State::Right(draft.alert(Topic::Low, Event::Resolved, Level::Info, highest)),
        Status::Ok => {
            let alert = draft.alert(Topic::Low, Event::Resolved, Level::Info, highest);
            let margin = Decimal::ONE + alerting.recovery_margin_percent / Decimal::ONE_HUNDRED;
            let enough = highest.and_then(|threshold| threshold.checked_mul(margin));
            match (verdict.balance, enough) {
                (Some(balance), Some(enough)) if balance < enough => State::Nearly(alert),
                _ => State::Right(alert),
            }
        }
    }
}

fn failing(failure: Option<&Failure>, draft: &Draft, alerting: &Alerting, failures: u32) -> State {
    match failure {
        None => State::Right(draft.alert(Topic::Failing, Event::Resolved, Level::Info, None)),
        Some(failure) if failure.is_cancelled() => State::Unknown,
        Some(failure) if alerting.failure_alert_after > 0 && failures >= alerting.failure_alert_after => {
            let mut alert = draft.alert(Topic::Failing, Event::Raised, Level::Warning, None);
            // People are told the cause, not that the host was left alone because of it.
            let cause = failure.root();
            alert.trouble = Some(Trouble { reason: cause.reason, message: cause.describe(), runs: failures });
            State::Wrong(alert)
        }
        Some(_) => State::Unknown,
    }
}

/// A mail is told once, in whichever mailbox it lies. One that could not be told is told later, though it is not read again.
fn mails(found: &Found, memory: &Memory, now: Timestamp, run_id: &str, decision: &mut Decision) {
    let mut seen: Vec<Identity> = Vec::new();
    for verdict in &found.mailboxes {
        for finding in verdict.scanned.result.iter().flat_map(|scan| &scan.findings) {
            if seen.contains(&finding.identity) {
                continue;
            }
            seen.push(finding.identity);
            match memory.conditions.get(&(finding.identity, Topic::Mail)) {
                Some(condition)
                    if condition.told.is_some() || condition.pending.as_ref().is_some_and(|p| p.claimed) =>
                {
                    let (identity, topic) = (finding.identity, Topic::Mail);
                    decision.held.push(Held { identity, topic, event: Event::Raised, next: None });
                }
                known => {
                    let mut alert = mail_alert(verdict, finding, now, run_id);
                    if let Some(pending) = known.and_then(|condition| condition.pending.as_ref()) {
                        alert.dedup_key.clone_from(&pending.alert.dedup_key);
                    }
                    decision.alerts.push(alert);
                }
            }
        }
    }
    let mut late: Vec<&Alert> = memory
        .conditions
        .iter()
        .filter(|((identity, topic), _)| *topic == Topic::Mail && !seen.contains(identity))
        .filter_map(|(_, condition)| condition.pending.as_ref())
        .filter(|pending| {
            !pending.claimed && found.mailboxes.iter().any(|mailbox| mailbox.name == pending.alert.project)
        })
        .map(|pending| &pending.alert)
        .collect();
    late.sort_by_key(|alert| (alert.at, alert.identity));
    decision.alerts.extend(late.into_iter().cloned());
}

fn mail_alert(verdict: &MailboxVerdict, finding: &Finding, now: Timestamp, run_id: &str) -> Alert {
    let mut alert = Draft::of_mailbox(verdict, now, run_id).alert(Topic::Mail, Event::Raised, Level::Warning, None);
    alert.identity = finding.identity;
    alert.currency = finding.currency.map(str::to_owned);
    alert.dedup_key = format!("{}-{}-{run_id}", Topic::Mail.as_str(), finding.identity);
    alert.mail = Some(MailNotice {
        subject: finding.subject.clone(),
        sender: finding.sender.clone(),
        date: finding.date,
        service: finding.service.clone(),
        amount: finding.amount,
        keywords: finding.keywords.clone(),
    });
    alert
}

/// Makes alerts of what was found of one check.
struct Draft<'a> {
    identity: Identity,
    name: &'a str,
    owner: Option<&'a str>,
    provider: &'a str,
    kind: Option<BalanceType>,
    balance: Option<Decimal>,
    currency: Option<&'a str>,
    host: Option<&'a str>,
    now: Timestamp,
    run_id: &'a str,
}

impl<'a> Draft<'a> {
    fn of_account(verdict: &'a Verdict, now: Timestamp, run_id: &'a str) -> Draft<'a> {
        let subject = &verdict.subject;
        Draft {
            identity: subject.identity,
            name: &subject.name,
            owner: subject.owner_project.as_deref(),
            provider: &subject.provider,
            kind: Some(subject.kind),
            balance: verdict.balance,
            currency: verdict.currency.as_deref(),
            host: subject.host.as_deref(),
            now,
            run_id,
        }
    }

    fn of_mailbox(verdict: &'a MailboxVerdict, now: Timestamp, run_id: &'a str) -> Draft<'a> {
        Draft {
            identity: verdict.identity,
            name: &verdict.name,
            owner: None,
            provider: "imap",
            kind: None,
            balance: None,
            currency: None,
            host: Some(&verdict.host),
            now,
            run_id,
        }
    }

    fn alert(&self, topic: Topic, event: Event, level: Level, threshold: Option<Decimal>) -> Alert {
        let over = if event == Event::Resolved { "-resolved" } else { "" };
        Alert {
            identity: self.identity,
            topic,
            event,
            level,
            project: self.name.to_owned(),
            owner_project: self.owner.map(str::to_owned),
            provider: self.provider.to_owned(),
            kind: self.kind,
            balance: self.balance,
            threshold,
            currency: self.currency.map(str::to_owned),
            host: self.host.map(str::to_owned),
            trouble: None,
            renewal: None,
            mail: None,
            at: self.now,
            unconfirmed: false,
            missed: None,
            dedup_key: format!("{}{over}-{}-{}", topic.as_str(), self.identity, self.run_id),
        }
    }
}

/// Brings together what is and what is remembered of one condition.
fn settle(
    state: State,
    condition: Option<&Condition>,
    rules: &Rules,
    now: Timestamp,
    (identity, topic): (Identity, Topic),
    decision: &mut Decision,
) {
    let told = condition.and_then(|condition| condition.told.as_ref());
    let pending = condition.and_then(|condition| condition.pending.as_ref());
    if let Some(pending) = pending.filter(|pending| pending.claimed) {
        // Whatever has changed since, that run has the word; the next one sees what became of it.
        if !matches!(state, State::Right(_)) || pending.alert.event == Event::Resolved {
            decision.held.push(Held { identity, topic, event: pending.alert.event, next: None });
        }
        return;
    }
    let waiting = |event: Event| pending.filter(|pending| pending.alert.event == event).map(|pending| &pending.alert);
    let withdraw = |alert: Option<&Alert>, decision: &mut Decision| {
        decision.changes.withdrawn.extend(alert.map(|alert| alert.dedup_key.clone()));
    };
    // What nobody has heard: not even that something is wrong, or that it was worse than they know.
    let unheard = waiting(Event::Raised).filter(|alert| told.is_none_or(|told| is_news(told, alert, &rules.alerting)));
    match state {
        State::Wrong(mut alert) => {
            withdraw(waiting(Event::Resolved), decision);
            let is_due = told.is_none_or(|told| is_due(told, &alert, &rules.alerting, now));
            match (is_due, told) {
                (false, Some(told)) if unheard.is_none() => {
                    withdraw(waiting(Event::Raised), decision);
                    let next = told.at.checked_add(rules.alerting.cooldown).ok();
                    decision.held.push(Held { identity, topic, event: Event::Raised, next });
                    return;
                }
                (false, _) => alert.missed = unheard.map(missed),
                (true, _) => {}
            }
            // The same message as before, with what is true now.
            if let Some(waiting) = waiting(Event::Raised) {
                alert.dedup_key.clone_from(&waiting.dedup_key);
            }
            decision.alerts.push(alert);
        }
        State::Right(alert) | State::Nearly(alert) if told.is_none() => {
            if let Some(waiting) = waiting(Event::Resolved) {
                // Its text says what nobody heard; only the balance is newer.
                let newer = Alert { missed: waiting.missed.clone(), dedup_key: waiting.dedup_key.clone(), ..alert };
                decision.alerts.push(newer);
            } else if let Some(untold) = unheard {
                withdraw(Some(untold), decision);
                decision.alerts.push(Alert { missed: Some(missed(untold)), ..alert });
            }
        }
        State::Right(mut alert) => {
            alert.missed = unheard.map(missed).or_else(|| waiting(Event::Resolved).and_then(|a| a.missed.clone()));
            withdraw(waiting(Event::Raised), decision);
            if rules.tell_resolved || alert.missed.is_some() {
                if let Some(waiting) = waiting(Event::Resolved) {
                    alert.dedup_key.clone_from(&waiting.dedup_key);
                }
                decision.alerts.push(alert);
            } else {
                withdraw(waiting(Event::Resolved), decision);
                decision.changes.over.push((identity, topic));
            }
        }
        // A reminder that was not taken is out of date; what was told still stands. Bad news waits for what comes of it.
        State::Nearly(_) => withdraw(waiting(Event::Raised).filter(|_| unheard.is_none()), decision),
        State::Unknown => match pending {
            // Nobody wants to hear it any more.
            Some(pending)
                if pending.alert.event == Event::Resolved && !rules.tell_resolved && pending.alert.missed.is_none() =>
            {
                withdraw(Some(&pending.alert), decision);
                decision.changes.over.push((identity, topic));
            }
            Some(pending) => decision.alerts.push(Alert { unconfirmed: true, ..pending.alert.clone() }),
            None => {}
        },
    }
}

/// The reminder of a subscription.
fn reminder(verdict: &SubscriptionVerdict, today: Date, now: Timestamp, run_id: &str) -> Alert {
    let (subscription, renewal) = (&verdict.subscription, &verdict.renewal);
    Alert {
        identity: verdict.identity,
        topic: Topic::Renewal,
        event: Event::Raised,
        level: if renewal.days == 0 { Level::Critical } else { Level::Warning },
        project: subscription.name.clone(),
        owner_project: subscription.owner_project.clone(),
        provider: "subscription".to_owned(),
        kind: None,
        balance: None,
        threshold: None,
        currency: subscription.currency.as_ref().map(|currency| text::one_line(currency, 16)),
        host: None,
        trouble: None,
        renewal: Some(RenewalNotice {
            cycle_type: subscription.cycle.as_str().to_owned(),
            renewal_day: subscription.renewal_day.clone(),
            next: renewal.next,
            today,
            days: renewal.days,
            amount: subscription.amount,
        }),
        mail: None,
        at: now,
        unconfirmed: false,
        missed: None,
        dedup_key: format!("{}-{}-{run_id}", Topic::Renewal.as_str(), verdict.identity),
    }
}

/// A reminder is told once a cycle and day, and not more often than the cool-down allows. That it is over is no news, unless
/// nobody heard that it was due.
fn settle_renewal(
    mut alert: Alert,
    standing: Standing,
    condition: Option<&Condition>,
    rules: &Rules,
    now: Timestamp,
    decision: &mut Decision,
) {
    let told = condition.and_then(|condition| condition.told.as_ref());
    let pending = condition.and_then(|condition| condition.pending.as_ref());
    let key = (alert.identity, alert.topic);
    let mut held = |next| decision.held.push(Held { identity: key.0, topic: key.1, event: Event::Raised, next });
    if pending.is_some_and(|pending| pending.claimed) {
        return held(None);
    }
    let pending = pending.map(|pending| &pending.alert);
    let cycle = |mark: &str| mark.split('/').next().map(str::to_owned);
    if standing == Standing::Due {
        let mark = alert.mark();
        let is_due = told.is_none_or(|told| {
            let is_other_day = told.mark != mark;
            let is_other_cycle = cycle(&told.mark) != cycle(&mark);
            is_other_cycle || (is_other_day && (alert.level > told.level || is_cooled_down(told, &rules.alerting, now)))
        });
        match (is_due, told) {
            (false, Some(told)) => {
                decision.changes.withdrawn.extend(pending.map(|pending| pending.dedup_key.clone()));
                decision.held.push(Held {
                    identity: key.0,
                    topic: key.1,
                    event: Event::Raised,
                    next: told.at.checked_add(rules.alerting.cooldown).ok(),
                });
            }
            _ => {
                // The same renewal is the same message, with the days that are left now.
                match pending {
                    Some(pending) if cycle(&pending.mark()) == cycle(&mark) => {
                        alert.dedup_key.clone_from(&pending.dedup_key);
                    }
                    other => decision.changes.withdrawn.extend(other.map(|pending| pending.dedup_key.clone())),
                }
                decision.alerts.push(alert);
            }
        }
        return;
    }
    match pending {
        // Its day has passed, and nobody heard of it.
        Some(pending) if standing == Standing::Ok && (told.is_none() || pending.missed.is_some()) => {
            let missed = pending.missed.clone().unwrap_or_else(|| missed(pending));
            let dedup_key = pending.dedup_key.clone();
            let over = Alert {
                event: Event::Resolved,
                level: Level::Info,
                missed: Some(missed),
                dedup_key,
                ..pending.clone()
            };
            decision.alerts.push(over);
        }
        _ => {
            decision.changes.withdrawn.extend(pending.map(|pending| pending.dedup_key.clone()));
            if condition.is_some() {
                decision.changes.over.push(key);
            }
        }
    }
}

/// What a message says that could not be delivered.
fn missed(alert: &Alert) -> Missed {
    Missed { at: alert.at, balance: alert.balance, threshold: alert.threshold, trouble: alert.trouble.clone() }
}

/// Whether a message says more than what was told: more urgent, another threshold, or much less left.
fn is_news(told: &Told, alert: &Alert, alerting: &Alerting) -> bool {
    let is_worse = alert.level > told.level;
    // A warning has another threshold than what is critical, so only the same level can be compared.
    let is_changed = alert.level == told.level && alert.threshold != told.threshold;
    is_worse || is_changed || has_dropped(told.balance, alert.balance, alerting.realert_drop_percent)
}

/// Whether what was told must be told again.
fn is_due(told: &Told, alert: &Alert, alerting: &Alerting, now: Timestamp) -> bool {
    is_cooled_down(told, alerting, now) || is_news(told, alert, alerting)
}

fn is_cooled_down(told: &Told, alerting: &Alerting, now: Timestamp) -> bool {
    let since = now.duration_since(told.at);
    let cooldown = SignedDuration::try_from(alerting.cooldown).unwrap_or(SignedDuration::MAX);
    // A daily run starts a little earlier on some days, and must not skip these.
    let early = (cooldown / 100).min(EARLY);
    since >= cooldown - early || since < -CLOCK_SKEW
}

/// Whether a balance is the given percentage below the one last told. Below zero the distance grows likewise.
fn has_dropped(told: Option<Decimal>, now: Option<Decimal>, percent: Decimal) -> bool {
    let Some((told, now)) = told.zip(now) else {
        return false;
    };
    let part = told.abs().checked_mul(percent / Decimal::ONE_HUNDRED);
    now < told && part.and_then(|part| told.checked_sub(part)).is_some_and(|limit| now <= limit)
}

#[cfg(test)]
mod tests;
