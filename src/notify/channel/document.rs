//! What the `body` expression of a page sees: the message as a document. It is a contract with whoever writes pages, so a key never
//! changes its meaning, and none is taken away while `version` is the same. `docs/channels.md` has its JSON Schema.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::alert::{Alert, Cause, Event, Level, SharedCause, Topic};
use crate::model::amount;
use crate::model::cadence::Cadence;
use crate::model::failure::Reason;
use crate::model::words::{BalanceType, Language};
use crate::notify::message::{Markup, Message, Neutral, as_it_is};
use crate::process::clock::iso;

/// The version of the document.
const VERSION: u32 = 1;

/// The provider of an alert about a host.
const HOST: &str = "host";

/// The most names of checks that an alert about several lists.
const MOST_NAMES: usize = 50;

/// What an alert about a host has of labels.
static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// Decimal places of a ratio.
const RATIO_PLACES: u32 = 4;

/// A message. Texts are harmless in the page's `markup`; as they came, they stand under `raw`. What is not known, or does not
/// apply, is null.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    /// The version of this document.
    version: u32,
    /// The heading: `Balance alert: 1 low, 1 warning`.
    title: String,
    /// The level of the most urgent alert: `info`, `warning` or `critical`.
    level: Level,
    /// `raised`, or `resolved` if all alerts of the message are over.
    event: Event,
    /// The lines of the message: one for each alert, or one for several that have one cause.
    lines: Vec<String>,
    /// The lines in one text.
    text: String,
    /// Who sends the message, which run, and its key.
    footer: String,
    /// The language of the texts.
    language: Language,
    /// The sender that messages name.
    source: String,
    /// The run that sends the message.
    run_id: String,
    /// The key of the message: a repeat of the same message has the same one.
    key: String,
    /// When the message is sent, in seconds since 1970.
    sent_at: i64,
    /// Who is to be mentioned, as the webhook names them: none unless something in the message is critical.
    mentions: &'a [String],
    /// The alerts.
    alerts: Vec<AlertDocument<'a>>,
    /// The fields of the channel that are no secrets, by their names.
    fields: &'a BTreeMap<String, serde_json::Value>,
    /// The texts as they came. They may hold anything.
    raw: RawMessage<'a>,
}

/// The texts of a message as they came.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RawMessage<'a> {
    /// The lines.
    lines: Vec<String>,
    /// The lines in one text.
    text: String,
    /// The footer.
    footer: String,
    /// The sender.
    source: &'a str,
    /// The run.
    run_id: &'a str,
}

/// One alert.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct AlertDocument<'a> {
    /// What it is about: `low`, `failing`, `renewal`, `mail`, `runway`, `spike`, `expiry`, `topup`, `silent` or `digest`.
    topic: Topic,
    /// How urgent it is: `info`, `warning` or `critical`.
    level: Level,
    /// `raised`, or `resolved` if it is over.
    event: Event,
    /// The mark of the line: 🔴, 🟡, ⚪ or 🟢, or 📊 for a part of a digest.
    mark: &'static str,
    /// The name of the account, mailbox or subscription, or the host of several.
    project: String,
    /// Whom it belongs to.
    owner: Option<String>,
    /// The labels of the entry, by their names.
    labels: BTreeMap<String, String>,
    /// The id of the provider; `imap` for a mailbox, `subscription` for a subscription, `schedule` for a schedule, `host` for a host.
    provider: String,
    /// The provider's name for people.
    provider_title: Option<String>,
    /// The host that is asked.
    host: Option<String>,
    /// What the account counts: `balance` for money, `credits`.
    kind: Option<BalanceType>,
    /// What is left.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    balance: Option<Box<RawValue>>,
    /// The threshold that the balance is below, or back above.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    threshold: Option<Box<RawValue>>,
    /// The balance as a part of the threshold; 0.5 is half of it.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    ratio: Option<Box<RawValue>>,
    /// The currency or unit of its amounts.
    unit: Option<String>,
    /// Since when it has been so, if this channel hears of it later than it began (RFC 3339).
    since: Option<String>,
    /// When it was found (RFC 3339).
    at: String,
    /// Whether an earlier run found it and this run could not look again.
    unconfirmed: bool,
    /// Whether it says what the channel knows already.
    is_reminder: bool,
    /// Why the check cannot be read, in a word.
    reason: Option<Reason>,
    /// Why the check cannot be read, in a sentence.
    message: Option<String>,
    /// Failed runs in a row.
    runs: Option<u32>,
    /// The amount of a renewal, the one that a mail names, what a day consumed that is odd, what of credits lapses, or by
    /// how much an account was topped up.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    amount: Option<Box<RawValue>>,
    /// The day of a renewal, or on which a balance is used up or a credit lapses (`2026-12-31`), or the time of a mail (RFC 3339).
    date: Option<String>,
    /// Days until a renewal, or until a balance is used up or a credit lapses; 0 is today, and a renewal that is overdue has less.
    days: Option<i64>,
    /// How often a subscription renews: `weekly`, `monthly`, `quarterly`, `half-yearly`, `yearly`, `every 2 months`, or `once` for what ends.
    cycle: Option<Cadence>,
    /// The day of the renewal as the config has it; the day from which the steps of `every` are counted.
    renewal_day: Option<String>,
    /// The subject of a mail.
    subject: Option<String>,
    /// The sender of a mail.
    sender: Option<String>,
    /// The name of the account that a mail is about, if it can only be one.
    account: Option<String>,
    /// The service that a mail names.
    service: Option<String>,
    /// The signs that made a mail an alert, the strongest first.
    keywords: Vec<String>,
    /// Where the account is topped up, for alerts about a low balance.
    top_up: Option<String>,
    /// The sentence of the alert, without its mark.
    text: String,
    /// The key of this alert: a repeat has the same one, a reminder has not.
    key: Cow<'a, str>,
    /// Names the condition: the same while it lasts, for reminders and for its end. For services that count events.
    condition: String,
    /// The names of the checks that it is about: one, except on a channel that counts events; at most 50.
    names: Vec<String>,
    /// How many checks it is about.
    count: usize,
    /// The texts as they came.
    raw: RawAlert<'a>,
}

/// The texts of an alert as they came. They may hold anything.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RawAlert<'a> {
    /// The name.
    project: &'a str,
    /// Whom it belongs to.
    owner: Option<&'a str>,
    /// The labels of the entry, by their names.
    labels: &'a BTreeMap<String, String>,
    /// The currency or unit.
    unit: Option<&'a str>,
    /// Why the check cannot be read.
    message: Option<&'a str>,
    /// The subject of a mail.
    subject: Option<&'a str>,
    /// The sender of a mail.
    sender: Option<&'a str>,
    /// The name of the account that a mail is about.
    account: Option<&'a str>,
    /// The service that a mail names.
    service: Option<&'a str>,
    /// The signs that made a mail an alert, the strongest first.
    keywords: Vec<String>,
    /// The sentence of the alert.
    text: String,
}

/// What a message is made for.
pub(super) struct Audience<'a> {
    /// Whether the service counts events, so that alerts under one cause are one.
    pub is_event_service: bool,
    /// How the service reads texts.
    pub markup: Markup,
    /// The sender that messages name.
    pub source: &'a str,
    /// The fields of the channel that are no secrets.
    pub fields: &'a BTreeMap<String, serde_json::Value>,
    /// Who is mentioned if something is critical.
    pub mentions: &'a [String],
    /// When the message is sent, in seconds since 1970.
    pub sent_at: i64,
}

impl<'a> Document<'a> {
    /// The document of some alerts of a message.
    pub(super) fn new(message: &'a Message, alerts: &'a [Alert], audience: &Audience<'a>) -> Document<'a> {
        let neutral = audience.markup.neutral();
        let lines = message.lines(alerts, neutral);
        let raw_lines = message.lines(alerts, as_it_is);
        let is_over = alerts.iter().all(|alert| alert.event == Event::Resolved);
        let is_critical = alerts.iter().any(|alert| alert.level == Level::Critical && alert.event == Event::Raised);
        Document {
            version: VERSION,
            title: message.title(alerts),
            level: alerts.iter().map(|alert| alert.level).max().unwrap_or(Level::Warning),
            event: if is_over { Event::Resolved } else { Event::Raised },
            text: lines.join("\n"),
            lines,
            footer: message.footer(audience.source, alerts, neutral),
            language: message.language(),
            source: neutral(audience.source),
            run_id: neutral(message.run_id()),
            key: message.dedup_key(alerts),
            sent_at: audience.sent_at,
            mentions: if is_critical { audience.mentions } else { &[] },
            alerts: match alerts.first().and_then(Alert::shared).filter(|_| audience.is_event_service) {
                Some(shared) => vec![AlertDocument::of_shared(message, (alerts, shared), audience.markup)],
                None => alerts.iter().map(|alert| AlertDocument::new(message, alert, audience.markup)).collect(),
            },
            fields: audience.fields,
            raw: RawMessage {
                text: raw_lines.join("\n"),
                lines: raw_lines,
                footer: message.footer(audience.source, alerts, as_it_is),
                source: audience.source,
                run_id: message.run_id(),
            },
        }
    }
}

impl<'a> AlertDocument<'a> {
    fn new(message: &Message, alert: &'a Alert, markup: Markup) -> AlertDocument<'a> {
        let neutral = markup.neutral();
        let raw = RawAlert::new(message, alert);
        let harmless = |text: Option<&str>| text.map(neutral);
        let (renewal, trouble) = (alert.renewal(), alert.trouble());
        let (mail, lasting, lapsing) = (mail_of(alert), alert.lasting(), alert.lapsing());
        AlertDocument {
            topic: alert.topic(),
            level: alert.level,
            event: alert.event,
            mark: message.mark(alert),
            project: neutral(&alert.project),
            owner: harmless(alert.owner_project.as_deref()),
            labels: alert.labels.iter().map(|(name, value)| (name.clone(), neutral(value))).collect(),
            provider: neutral(&alert.provider),
            provider_title: harmless(message.provider_title(&alert.provider)),
            host: harmless(alert.host.as_deref()),
            kind: alert.account().map(|account| account.kind),
            balance: alert.balance().map(amount::to_json),
            threshold: alert.threshold().map(amount::to_json),
            ratio: ratio(alert).map(amount::to_json),
            unit: harmless(alert.currency()),
            since: alert.since.map(iso),
            at: iso(alert.at),
            unconfirmed: alert.unconfirmed,
            is_reminder: alert.is_reminder,
            reason: trouble.map(|trouble| trouble.reason),
            message: harmless(trouble.map(|trouble| trouble.message.as_str())),
            runs: trouble.map(|trouble| trouble.runs),
            amount: alert.amount().map(amount::to_json),
            date: renewal
                .map(|renewal| renewal.next.to_string())
                .or_else(|| lasting.map(|lasting| lasting.until.to_string()))
                .or_else(|| lapsing.map(|lapsing| lapsing.date.to_string()))
                .or_else(|| mail.and_then(|mail| Some(mail.date?.to_string()))),
            days: renewal
                .map(|renewal| renewal.days)
                .or(lasting.map(|lasting| lasting.days.into()))
                .or(lapsing.map(|lapsing| lapsing.days.into())),
            cycle: renewal.map(|renewal| renewal.cycle_type),
            renewal_day: harmless(renewal.map(|renewal| renewal.renewal_day.as_str())),
            subject: harmless(raw.subject),
            sender: harmless(raw.sender),
            account: harmless(raw.account),
            service: harmless(raw.service),
            keywords: raw.keywords.iter().map(|word| neutral(word)).collect(),
            top_up: message.top_up(alert).map(str::to_owned),
            text: message.sentence(alert, neutral),
            names: vec![neutral(&alert.project)],
            count: 1,
            key: Cow::Borrowed(&alert.dedup_key),
            condition: own_condition(alert),
            raw,
        }
    }

    /// Alerts under one cause, as one about their host. What one check alone says is left out, so that it is the same alert for the
    /// service whichever checks come and go.
    fn of_shared(message: &Message, (alerts, shared): (&'a [Alert], &'a SharedCause), markup: Markup) -> Self {
        let neutral = markup.neutral();
        // How a host fails may differ from check to check: the one that most of them say speaks for all.
        let words = |alert: &'a Alert| alert.trouble().map(|trouble| (trouble.reason, trouble.message.as_str()));
        let mut counts: HashMap<_, usize> = HashMap::new();
        alerts.iter().for_each(|alert| *counts.entry(words(alert)).or_default() += 1);
        // The first of several that are as common.
        let first = alerts.iter().rev().max_by_key(|alert| counts[&words(alert)]).unwrap_or(&alerts[0]);
        let mut ordered: Vec<&Alert> = alerts.iter().collect();
        ordered.sort_by_key(|alert| words(alert) != words(first));
        let text = |neutral: Neutral| match ordered.as_slice() {
            [one] => message.sentence(one, neutral),
            several => message.about_group(several, neutral),
        };
        let own = Self::new(message, first, markup);
        let names = ordered.iter().take(MOST_NAMES).map(|alert| neutral(&alert.project)).collect();
        AlertDocument {
            project: neutral(&shared.host),
            owner: None,
            labels: BTreeMap::new(),
            provider: HOST.to_owned(),
            provider_title: None,
            host: Some(neutral(&shared.host)),
            kind: None,
            balance: None,
            unit: None,
            text: text(neutral),
            names,
            count: alerts.len(),
            key: if alerts.len() == 1 { own.key } else { Cow::Owned(message.dedup_key(alerts)) },
            condition: condition(first),
            raw: RawAlert {
                project: &shared.host,
                owner: None,
                labels: &NO_LABELS,
                unit: None,
                text: text(as_it_is),
                ..own.raw
            },
            ..own
        }
    }
}

impl<'a> RawAlert<'a> {
    fn new(message: &Message, alert: &'a Alert) -> RawAlert<'a> {
        let mail = mail_of(alert);
        RawAlert {
            project: &alert.project,
            owner: alert.owner_project.as_deref(),
            labels: &alert.labels,
            unit: alert.currency(),
            message: alert.trouble().map(|trouble| trouble.message.as_str()),
            subject: mail.map(|mail| mail.subject.as_str()),
            sender: mail.map(|mail| mail.sender.as_str()),
            account: mail.and_then(|mail| mail.account.as_deref()),
            service: mail.and_then(|mail| mail.service.as_deref()),
            keywords: mail.map(|mail| mail.keywords.clone()).unwrap_or_default(),
            text: message.sentence(alert, as_it_is),
        }
    }
}

fn mail_of(alert: &Alert) -> Option<&crate::model::alert::Mail> {
    match &alert.cause {
        Cause::Mail(mail) => Some(mail),
        _ => None,
    }
}

/// The balance as a part of the threshold, where both are known and there is a threshold.
fn ratio(alert: &Alert) -> Option<Decimal> {
    let threshold = alert.threshold().filter(|threshold| !threshold.is_zero())?;
    Some(alert.balance()?.checked_div(threshold)?.round_dp(RATIO_PLACES))
}

/// An id of the condition, for a service that counts events: what several checks have in common is one.
pub(super) fn condition(alert: &Alert) -> String {
    match alert.shared() {
        Some(shared) => format!("balance-alert/{}/{}", shared.id, alert.topic().as_str()),
        None => own_condition(alert),
    }
}

/// An id of the condition that stays the same until it is over. Each renewal of a subscription has its own.
pub(super) fn own_condition(alert: &Alert) -> String {
    let which = alert.renewal().map(|renewal| format!("/{}", renewal.next)).unwrap_or_default();
    format!("balance-alert/{}/{}{which}", alert.identity, alert.topic().as_str())
}
