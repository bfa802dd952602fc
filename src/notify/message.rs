//! What an alert says, in words. How a service wants it encoded is the channel's business.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use crate::model::alert::{Alert, Event, Level, MailNotice, Missed, RenewalNotice, Topic, Trouble};
use crate::model::amount;
use crate::model::failure::{Failure, Reason};
use crate::model::text::{self, ShortNames};
use crate::model::words::{BalanceType, Language};

/// Longest name shown, in characters.
const NAME_CHARS: usize = 120;

/// Longest name shown in short, in characters.
const SHORT_NAME_CHARS: usize = 40;

/// Longest reason shown, in characters.
const TROUBLE_CHARS: usize = 200;

/// So many alerts with one cause are told in one line.
const GROUPED_FROM: usize = 3;

/// A line about several accounts names so many of them where it need not name all.
const MOST_NAMED: usize = 3;

/// The alerts of one run, ready to be encoded.
pub(super) struct Message {
    /// The alerts, worst first.
    pub(super) alerts: Vec<Alert>,
    language: Language,
    run_id: String,
    is_short: bool,
    /// The names as they stand in short lines.
    short_names: ShortNames,
}

/// What several alerts can have in common, so that one line tells all of them.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Cause<'a> {
    event: Event,
    host: Option<&'a str>,
    trouble: Option<(Reason, &'a str)>,
    since: Option<Timestamp>,
}

impl Cause<'_> {
    /// The cause of an alert; none for what is about one account alone, or has a story of its own to tell.
    pub(super) fn of(alert: &Alert) -> Option<Cause<'_>> {
        if alert.topic != Topic::Failing || alert.missed.is_some() || alert.unconfirmed {
            return None;
        }
        let host = alert.host.as_deref();
        let trouble = alert.trouble.as_ref().map(|trouble| (trouble.reason, trouble.message.as_str()));
        // Accounts that work again have a host in common, or nothing.
        (host.is_some() || trouble.is_some()).then_some(Cause { event: alert.event, host, trouble, since: alert.since })
    }
}

/// The positions of the alerts, so that those with one cause stand together, where the first of them stood.
pub(super) fn by_cause<'a>(alert: impl Fn(usize) -> &'a Alert, positions: &mut [usize]) {
    let mut first: HashMap<Cause, usize> = HashMap::new();
    let places: HashMap<usize, usize> = positions
        .iter()
        .enumerate()
        .map(|(place, at)| {
            let place = Cause::of(alert(*at)).map_or(place, |cause| *first.entry(cause).or_insert(place));
            (*at, place)
        })
        .collect();
    positions.sort_by_key(|at| places.get(at).copied());
}

/// What alerts are counted and grouped by.
struct Class {
    english: &'static str,
    chinese: &'static str,
    has: fn(&Alert) -> bool,
}

/// Every alert is in one of them; worst first.
const CLASSES: [Class; 6] = [
    Class {
        english: " low",
        chinese: " 个不足",
        has: |alert| alert.level == Level::Critical && alert.topic == Topic::Low,
    },
    Class {
        english: " warning",
        chinese: " 个预警",
        has: |alert| alert.level == Level::Warning && alert.topic == Topic::Low,
    },
    Class {
        english: " failing",
        chinese: " 个读取失败",
        has: |alert| alert.level == Level::Warning && alert.topic == Topic::Failing,
    },
    Class {
        english: " renewing",
        chinese: " 个即将续费",
        has: |alert| alert.event == Event::Raised && alert.topic == Topic::Renewal,
    },
    Class { english: " by mail", chinese: " 封邮件", has: |alert| alert.topic == Topic::Mail },
    Class { english: " recovered", chinese: " 个恢复", has: |alert| alert.event == Event::Resolved },
];

/// Makes text from outside harmless in one kind of message.
pub(super) type Neutral = fn(&str) -> String;

impl Message {
    /// The message of one run. Names are brought to one bounded line here, once.
    pub(super) fn new(alerts: &[Alert], language: Language, run_id: &str) -> Message {
        let names = ShortNames::new(alerts.iter().map(|alert| alert.project.as_str()), NAME_CHARS);
        let owners = alerts.iter().filter_map(|alert| alert.owner_project.as_deref());
        let owners = ShortNames::new(owners, NAME_CHARS);
        let alerts: Vec<Alert> = alerts
            .iter()
            .cloned()
            .map(|mut alert| {
                alert.project = names.get(&alert.project).to_owned();
                alert.owner_project = alert.owner_project.map(|owner| owners.get(&owner).to_owned());
                let missed = alert.missed.as_mut().and_then(|missed| missed.currency.as_mut());
                for currency in [alert.currency.as_mut(), alert.told_currency.as_mut(), missed].into_iter().flatten() {
                    *currency = text::one_line(currency, 16);
                }
                let missed = alert.missed.as_mut().and_then(|missed| missed.trouble.as_mut());
                for trouble in alert.trouble.as_mut().into_iter().chain(missed) {
                    trouble.message = text::one_line(&trouble.message, TROUBLE_CHARS);
                }
                alert
            })
            .collect();
        let short_names = ShortNames::new(alerts.iter().map(|alert| alert.project.as_str()), SHORT_NAME_CHARS);
        Message { alerts, language, run_id: run_id.to_owned(), is_short: false, short_names }
    }

    /// The heading: `Balance alert: 2 low, 1 warning`.
    pub(super) fn title(&self, alerts: &[Alert]) -> String {
        let (head, colon, comma) = match self.language {
            Language::En => ("Balance alert", ": ", ", "),
            Language::Zh => ("余额告警", "：", "，"),
        };
        let counts: Vec<String> = CLASSES
            .iter()
            .map(|class| (alerts.iter().filter(|alert| (class.has)(alert)).count(), self.word(class)))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count}{word}"))
            .collect();
        format!("{head}{colon}{}", counts.join(comma))
    }

    fn word(&self, class: &Class) -> &'static str {
        match self.language {
            Language::En => class.english,
            Language::Zh => class.chinese,
        }
    }

    /// From now on says the same in fewer words, for a channel that takes no more messages.
    pub(super) fn shorten(&mut self) {
        self.is_short = true;
    }

    /// The lines of a message: one an alert, one for several alerts with the same cause, and in short one for all that are
    /// in the same state.
    pub(super) fn lines(&self, alerts: &[Alert], neutral: Neutral) -> Vec<String> {
        let mut groups: HashMap<Cause, Vec<&Alert>> = HashMap::new();
        for alert in alerts {
            if let Some(cause) = Cause::of(alert) {
                groups.entry(cause).or_default().push(alert);
            }
        }
        groups.retain(|_, group| group.len() >= GROUPED_FROM);
        let mut lines = Vec::new();
        let mut rest: Vec<&Alert> = Vec::new();
        for alert in alerts {
            match Cause::of(alert).and_then(|cause| groups.get(&cause)) {
                Some(group) if std::ptr::eq(group[0], alert) => lines.push(self.group(group, neutral)),
                Some(_) => {}
                None if self.is_short => rest.push(alert),
                None => lines.push(self.line(alert, neutral)),
            }
        }
        for class in &CLASSES {
            let (these, others): (Vec<&Alert>, Vec<&Alert>) = rest.into_iter().partition(|alert| (class.has)(alert));
            rest = others;
            if let Some(first) = these.first() {
                let words: Vec<String> = these.iter().map(|alert| self.in_short(alert, neutral)).collect();
                lines.push(format!("{} {}{}: {}", mark(first), these.len(), self.word(class), words.join(", ")));
            }
        }
        lines
    }

    /// One line for several alerts with one cause: how many, where, why, and the names of some.
    fn group(&self, alerts: &[&Alert], neutral: Neutral) -> String {
        let first = alerts[0];
        let named = if alerts.len() <= MOST_NAMED + 2 { alerts.len() } else { MOST_NAMED };
        let names = alerts.iter().take(named).map(|alert| neutral(self.short_names.get(&alert.project)));
        let (names, more) = (names.collect::<Vec<_>>(), alerts.len() - named);
        // The line names the host itself.
        let trouble = first.trouble.clone().map(|trouble| Trouble {
            message: Failure::without_host(&trouble.message, first.host.as_deref().unwrap_or_default()).to_owned(),
            ..trouble
        });
        let runs = first.trouble.as_ref().map(|trouble| trouble.runs).filter(|runs| {
            alerts.iter().all(|alert| alert.trouble.as_ref().is_some_and(|trouble| trouble.runs == *runs))
        });
        let group = Group {
            count: alerts.len(),
            mailboxes: alerts.iter().filter(|alert| alert.kind.is_none()).count(),
            host: first.host.as_deref().map(neutral),
            why: Words { alert: first, neutral }.trouble(trouble.as_ref()),
            runs,
            names,
            more,
        };
        let sentence = match self.language {
            Language::En => group.english(first.event),
            Language::Zh => group.chinese(first.event),
        };
        format!("{} {sentence}{}", mark(first), self.since(first))
    }

    /// Since when it has been so, where a channel hears of it late.
    fn since(&self, alert: &Alert) -> String {
        match (alert.since.map(moment), self.language) {
            (None, _) => String::new(),
            (Some(since), Language::En) => format!(" (since {since})"),
            (Some(since), Language::Zh) => format!("（自 {since} 起）"),
        }
    }

    /// Name and figure; and, where nobody heard the beginning of what is over, that there was one.
    fn in_short(&self, alert: &Alert, neutral: Neutral) -> String {
        let words = Words { alert, neutral };
        let name = neutral(self.short_names.get(&alert.project));
        let what = match (&alert.renewal, &alert.mail, &alert.trouble) {
            (Some(renewal), ..) => renewal.next.to_string(),
            (_, Some(mail), _) => words.quoted(&text::one_line(&mail.subject, SHORT_NAME_CHARS)),
            (.., Some(trouble)) => trouble.reason.as_str().to_owned(),
            _ => words.pair(alert.balance, alert.threshold).0,
        };
        let what = if what.is_empty() { name } else { format!("{name} {what}") };
        let what = match (alert.told_currency.as_deref().map(neutral), self.language) {
            (None, _) => what,
            (Some(before), Language::En) if before.is_empty() => format!("{what} (told without a currency)"),
            (Some(before), Language::Zh) if before.is_empty() => format!("{what}（此前告知时未注明币种）"),
            (Some(before), Language::En) => format!("{what} (told in {before})"),
            (Some(before), Language::Zh) => format!("{what}（此前以 {before} 告知）"),
        };
        match (&alert.missed, self.language) {
            (None, _) => format!("{what}{}", self.since(alert)),
            (Some(missed), Language::En) => {
                let perhaps = if missed.is_unsure { "perhaps " } else { "" };
                format!("{what} ({} at {}, {perhaps}not delivered then)", words.missed(missed), moment(missed.at))
            }
            (Some(missed), Language::Zh) => {
                let then = words.undelivered_in_chinese();
                format!("{what}（{} 为 {}，{then}）", moment(missed.at), words.missed(missed))
            }
        }
    }

    /// One line for one alert, its mark first.
    pub(super) fn line(&self, alert: &Alert, neutral: Neutral) -> String {
        format!("{} {}", mark(alert), self.sentence(alert, neutral))
    }

    /// One sentence for one alert.
    pub(super) fn sentence(&self, alert: &Alert, neutral: Neutral) -> String {
        let words = Words { alert, neutral };
        match self.language {
            Language::En => words.english(),
            Language::Zh => words.chinese(),
        }
    }

    /// Who sends this, which run, and the key that a repeated message shares with the first one.
    pub(super) fn footer(&self, source: &str, alerts: &[Alert], neutral: Neutral) -> String {
        let source = neutral(&text::one_line(source, NAME_CHARS));
        let key = self.dedup_key(alerts);
        match self.language {
            Language::En => format!("source: {source} · run {} · key {key}", self.run_id),
            Language::Zh => format!("来源：{source} · 运行 {} · 编号 {key}", self.run_id),
        }
    }

    /// The key of a message: the same for the same alerts, whichever run sends them.
    pub(super) fn dedup_key(&self, alerts: &[Alert]) -> String {
        let keys: Vec<&str> = alerts.iter().map(|alert| alert.dedup_key.as_str()).collect();
        Sha256::digest(keys.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The run that sends it.
    pub(super) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The language of the text.
    pub(super) fn language(&self) -> Language {
        self.language
    }
}

/// Several alerts with one cause.
struct Group {
    count: usize,
    /// How many of them are mailboxes.
    mailboxes: usize,
    host: Option<String>,
    why: String,
    /// Failed runs in a row, if that is the same for all.
    runs: Option<u32>,
    /// The names that are told.
    names: Vec<String>,
    /// How many more there are.
    more: usize,
}

impl Group {
    /// The word for what they are: one if none is a mailbox, one if all are, else one for both.
    fn kind(&self, [accounts, mailboxes, both]: [&'static str; 3]) -> &'static str {
        match self.mailboxes {
            0 => accounts,
            count if count == self.count => mailboxes,
            _ => both,
        }
    }

    fn english(&self, event: Event) -> String {
        let (count, what) = (self.count, self.kind(["accounts", "mailboxes", "checks"]));
        let of = self.host.as_ref().map(|host| format!(" of {host}")).unwrap_or_default();
        let names = self.names.join(", ");
        let names = if self.more > 0 { format!("{names} and {} more", self.more) } else { names };
        if event == Event::Resolved {
            return format!("{count} {what}{of} can be read again ({names})");
        }
        let times = match self.runs {
            None => String::new(),
            Some(1) => " once".to_owned(),
            Some(runs) => format!(" in {runs} runs in a row"),
        };
        format!("{count} {what}{of} could not be read{times}: {} ({names})", self.why)
    }

    fn chinese(&self, event: Event) -> String {
        let (count, what) = (self.count, self.kind(["个账户", "个邮箱", "项检查"]));
        let of = self.host.as_ref().map(|host| format!("{host} 的 ")).unwrap_or_default();
        let names = self.names.join("、");
        let names = if self.more > 0 { format!("{names} 等") } else { names };
        if event == Event::Resolved {
            return format!("{of}{count} {what}已恢复读取（{names}）");
        }
        let times = self.runs.map(|runs| format!("连续 {runs} 次")).unwrap_or_default();
        format!("{of}{count} {what}{times}读取失败：{}（{names}）", self.why)
    }
}

/// How urgent an alert is, at a glance.
fn mark(alert: &Alert) -> &'static str {
    match (alert.level, alert.topic) {
        (Level::Critical, _) => "🔴",
        (Level::Warning, Topic::Low | Topic::Renewal | Topic::Mail) => "🟡",
        (Level::Warning, Topic::Failing) => "⚪",
        (Level::Info, _) => "🟢",
    }
}

/// An alert in words.
struct Words<'a> {
    alert: &'a Alert,
    neutral: Neutral,
}

impl Words<'_> {
    /// A balance and its threshold, with as many digits as it takes to see that they differ.
    fn pair(&self, balance: Option<Decimal>, threshold: Option<Decimal>) -> (String, String) {
        self.pair_in(self.alert.currency.as_deref(), balance, threshold)
    }

    /// Why a balance is not compared with one that was told in a currency; an empty text is none that was named.
    fn why_not_compared(&self, told: &str) -> String {
        match ((self.neutral)(told), &self.alert.currency) {
            (told, _) if told.is_empty() => "the alert named no currency, which may be another one".to_owned(),
            (told, Some(_)) => format!("the alert was in {told}, and amounts are not converted"),
            (told, None) => format!("the alert was in {told}, and no currency is named now"),
        }
    }

    /// The same in Chinese.
    fn why_not_compared_in_chinese(&self, told: &str) -> String {
        match ((self.neutral)(told), &self.alert.currency) {
            (told, _) if told.is_empty() => "此前的告警未注明币种，可能并非同一币种".to_owned(),
            (told, Some(_)) => format!("此前的告警以 {told} 计，金额不作换算"),
            (told, None) => format!("此前的告警以 {told} 计，现在未注明币种"),
        }
    }

    /// What was missed, and the threshold it was below, in the currency of that time.
    fn missed_pair(&self, missed: &Missed) -> (String, String) {
        let currency = missed.currency.as_deref().or(self.alert.currency.as_deref());
        self.pair_in(currency, missed.balance, missed.threshold)
    }

    fn pair_in(
        &self,
        currency: Option<&str>,
        balance: Option<Decimal>,
        threshold: Option<Decimal>,
    ) -> (String, String) {
        let currency = currency.map(self.neutral);
        let show = |amount: Option<Decimal>, other: Option<Decimal>| {
            amount.map_or_else(String::new, |amount| amount::show_beside(amount, other, currency.as_deref()))
        };
        (show(balance, threshold), show(threshold, balance))
    }

    fn amount(&self, amount: Option<Decimal>) -> String {
        let currency = self.alert.currency.as_deref().map(self.neutral);
        amount.map_or_else(String::new, |amount| amount::show(amount, currency.as_deref()))
    }

    fn trouble(&self, trouble: Option<&Trouble>) -> String {
        trouble.map_or_else(String::new, |trouble| {
            format!("{}: {}", trouble.reason.as_str(), (self.neutral)(&trouble.message))
        })
    }

    /// What was missed, in a word or a figure of any language.
    fn missed(&self, missed: &Missed) -> String {
        match (&missed.trouble, missed.balance, &self.alert.renewal) {
            (Some(trouble), ..) => trouble.reason.as_str().to_owned(),
            (_, Some(_), _) => self.missed_pair(missed).0,
            (.., Some(renewal)) => renewal.next.to_string(),
            _ => self.alert.topic.as_str().to_owned(),
        }
    }

    fn english(&self) -> String {
        let alert = self.alert;
        let name = match &alert.owner_project {
            Some(owner) => format!("{} ({})", (self.neutral)(&alert.project), (self.neutral)(owner)),
            None => (self.neutral)(&alert.project),
        };
        let kind = alert.kind.map_or("", BalanceType::as_str);
        if let Some(renewal) = &alert.renewal {
            return format!("{name}: {}", self.renewal_in_english(renewal));
        }
        if let Some(mail) = &alert.mail {
            return format!("{name}: mail {}", self.mail(mail, [" from ", ", ", "service: ", "amount: ", "words: "]));
        }
        let (balance, threshold) = self.pair(alert.balance, alert.threshold);
        let now = match (alert.topic, alert.event, alert.balance) {
            (Topic::Low, Event::Raised, _) => {
                let which = if alert.level == Level::Critical { "" } else { "warning " };
                format!("{kind} {balance} is below the {which}threshold {threshold}")
            }
            (Topic::Low, Event::Resolved, Some(_)) if alert.lowered_from.is_some() => {
                let (_, before) = self.pair(alert.balance, alert.lowered_from);
                format!(
                    "{kind} {balance} is not below the threshold any more, which is now {threshold} instead of {before}"
                )
            }
            (Topic::Low, Event::Resolved, Some(_)) => match &alert.told_currency {
                Some(told) => format!(
                    "{kind} {balance} is not below the threshold {threshold}, but {}",
                    self.why_not_compared(told)
                ),
                None => format!("{kind} {balance} is back at or above the threshold {threshold}"),
            },
            (Topic::Low, Event::Resolved, None) => format!("{kind} has no limit any more"),
            (Topic::Renewal | Topic::Mail, ..) => String::new(),
            (Topic::Failing, Event::Raised, _) => {
                let runs = alert.trouble.as_ref().map_or(1, |trouble| trouble.runs);
                let times = if runs == 1 { "once".to_owned() } else { format!("in {runs} runs in a row") };
                format!("could not be read {times}: {}", self.trouble(alert.trouble.as_ref()))
            }
            (Topic::Failing, Event::Resolved, Some(_)) => format!("can be read again: {kind} {balance}"),
            (Topic::Failing, Event::Resolved, None) => "can be read again".to_owned(),
        };
        let more = match &alert.missed {
            Some(missed) if alert.topic == Topic::Low => {
                let (was, limit) = self.missed_pair(missed);
                format!("; at {} it was {was}, below {limit}, {}", moment(missed.at), self.undelivered())
            }
            Some(missed) => {
                let why = self.trouble(missed.trouble.as_ref());
                format!("; at {} it could not ({why}), {}", moment(missed.at), self.undelivered())
            }
            None if alert.unconfirmed => format!(" (as of {}; it cannot be read now)", moment(alert.at)),
            None => alert.since.map(|since| format!(" (since {})", moment(since))).unwrap_or_default(),
        };
        format!("{name}: {now}{more}")
    }

    /// What became of the message of something that is over, in English.
    fn undelivered(&self) -> &'static str {
        match &self.alert.missed {
            Some(missed) if missed.is_unsure => "which may not have been delivered then",
            _ => "which could not be delivered then",
        }
    }

    /// The same in Chinese.
    fn undelivered_in_chinese(&self) -> &'static str {
        match &self.alert.missed {
            Some(missed) if missed.is_unsure => "当时未能确认送达",
            _ => "当时未能送达",
        }
    }

    /// Words of others, which cannot pass for ours.
    fn quoted(&self, text: &str) -> String {
        format!("“{}”", (self.neutral)(text).replace(['“', '”'], "'"))
    }

    /// A mail in either language.
    fn mail(&self, mail: &MailNotice, [from, comma, service, amount, words]: [&str; 5]) -> String {
        let quoted = |text: &str| self.quoted(text);
        let mut parts = vec![format!("{}{from}{}", quoted(&mail.subject), quoted(&mail.sender))];
        parts.extend(mail.date.map(moment));
        parts.extend(mail.service.as_deref().map(|name| format!("{service}{}", quoted(name))));
        parts.extend(mail.amount.map(|value| format!("{amount}{}", self.amount(Some(value)))));
        // One that could not be read was not searched for words.
        if !mail.keywords.is_empty() {
            parts.push(format!("{words}{}", (self.neutral)(&mail.keywords.join("、"))));
        }
        parts.join(comma)
    }

    fn renewal_in_english(&self, renewal: &RenewalNotice) -> String {
        let amount = self.amount(renewal.amount);
        let amount = if amount.is_empty() { amount } else { format!(", {amount}") };
        let (next, cycle) = (renewal.next, &renewal.cycle_type);
        match (self.alert.event, renewal.days) {
            (Event::Resolved, _) => format!("was due on {next}, {} ({cycle}{amount})", self.undelivered()),
            (Event::Raised, 0) => format!("renews today, {next} ({cycle}{amount})"),
            (Event::Raised, 1) => format!("renews tomorrow, {next} ({cycle}{amount})"),
            (Event::Raised, days) => format!("renews in {days} days, on {next} ({cycle}{amount})"),
        }
    }

    fn renewal_in_chinese(&self, renewal: &RenewalNotice) -> String {
        let amount = self.amount(renewal.amount);
        let amount = if amount.is_empty() { amount } else { format!("，{amount}") };
        let cycle = match renewal.cycle_type.as_str() {
            "weekly" => "每周",
            "monthly" => "每月",
            _ => "每年",
        };
        let next = renewal.next;
        match (self.alert.event, renewal.days) {
            (Event::Resolved, _) => {
                format!("已于 {next} 到期续费，{}（{cycle}{amount}）", self.undelivered_in_chinese())
            }
            (Event::Raised, 0) => format!("今天（{next}）续费（{cycle}{amount}）"),
            (Event::Raised, days) => format!("将于 {next} 续费，还有 {days} 天（{cycle}{amount}）"),
        }
    }

    fn chinese(&self) -> String {
        let alert = self.alert;
        let name = match &alert.owner_project {
            Some(owner) => format!("{}（{}）", (self.neutral)(&alert.project), (self.neutral)(owner)),
            None => (self.neutral)(&alert.project),
        };
        if let Some(renewal) = &alert.renewal {
            return format!("{name}：{}", self.renewal_in_chinese(renewal));
        }
        if let Some(mail) = &alert.mail {
            return format!("{name}：邮件 {}", self.mail(mail, ["，发件人 ", "，", "服务：", "金额：", "关键词："]));
        }
        let kind = match alert.kind {
            Some(BalanceType::Balance) => "余额",
            Some(BalanceType::Credits) => "点数",
            None => "",
        };
        let (balance, threshold) = self.pair(alert.balance, alert.threshold);
        let now = match (alert.topic, alert.event, alert.balance) {
            (Topic::Low, Event::Raised, _) => {
                let which = if alert.level == Level::Critical { "告警阈值" } else { "预警阈值" };
                format!("{kind} {balance}，低于{which} {threshold}")
            }
            (Topic::Low, Event::Resolved, Some(_)) if alert.lowered_from.is_some() => {
                let (_, before) = self.pair(alert.balance, alert.lowered_from);
                format!("{kind} {balance}，不再低于阈值：阈值已从 {before} 下调到 {threshold}")
            }
            (Topic::Low, Event::Resolved, Some(_)) => match &alert.told_currency {
                Some(told) => {
                    format!("{kind} {balance}，不低于阈值 {threshold}；但{}", self.why_not_compared_in_chinese(told))
                }
                None => format!("{kind}已恢复到 {balance}，不低于阈值 {threshold}"),
            },
            (Topic::Low, Event::Resolved, None) => format!("{kind}已不设上限"),
            (Topic::Renewal | Topic::Mail, ..) => String::new(),
            (Topic::Failing, Event::Raised, _) => {
                let runs = alert.trouble.as_ref().map_or(1, |trouble| trouble.runs);
                format!("连续 {runs} 次读取失败：{}", self.trouble(alert.trouble.as_ref()))
            }
            (Topic::Failing, Event::Resolved, Some(_)) => format!("已恢复读取：{kind} {balance}"),
            (Topic::Failing, Event::Resolved, None) => "已恢复读取".to_owned(),
        };
        let more = match &alert.missed {
            Some(missed) if alert.topic == Topic::Low => {
                let (was, limit) = self.missed_pair(missed);
                format!("；{} 曾为 {was}，低于 {limit}，{}", moment(missed.at), self.undelivered_in_chinese())
            }
            Some(missed) => {
                let why = self.trouble(missed.trouble.as_ref());
                format!("；{} 曾读取失败（{why}），{}", moment(missed.at), self.undelivered_in_chinese())
            }
            None if alert.unconfirmed => format!("（{} 的数据，目前无法读取）", moment(alert.at)),
            None => alert.since.map(|since| format!("（自 {} 起）", moment(since))).unwrap_or_default(),
        };
        format!("{name}：{now}{more}")
    }
}

/// A time for people, to the minute.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// For formats that show text as it stands, but know mentions: no `<at ...>`, no `@all`, no live link.
pub(super) fn literal(text: &str) -> String {
    replaced(text, &[])
}

/// For Markdown: nothing in a name can format, link or mention.
pub(super) fn markdown(text: &str) -> String {
    const MARKS: [(char, char); 10] = [
        ('[', '［'),
        (']', '］'),
        ('(', '（'),
        (')', '）'),
        ('*', '＊'),
        ('`', '｀'),
        ('#', '＃'),
        ('~', '～'),
        ('|', '｜'),
        ('\\', '＼'),
    ];
    replaced(text, &MARKS)
}

/// As it stands, for formats that are data.
pub(super) fn as_it_is(text: &str) -> String {
    text.to_owned()
}

/// Full-width look-alikes: no service documents an escape that all its clients honour.
fn replaced(text: &str, more: &[(char, char)]) -> String {
    let text = text.replace("://", "：//");
    text.chars()
        .map(|c| match c {
            '<' => '＜',
            '>' => '＞',
            '@' => '＠',
            c => more.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::identity::Identity;

    fn alert(project: &str, level: Level) -> Alert {
        Alert {
            identity: Identity(1),
            topic: Topic::Low,
            event: Event::Raised,
            project: project.into(),
            owner_project: Some("AI platform".into()),
            provider: "openrouter".into(),
            kind: Some(BalanceType::Credits),
            level,
            balance: Some("74.75".parse().unwrap()),
            threshold: Some("100".parse().unwrap()),
            currency: Some("USD".into()),
            host: None,
            trouble: None,
            renewal: None,
            mail: None,
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            unconfirmed: false,
            lowered_from: None,
            told_currency: None,
            missed: None,
            since: None,
            is_reminder: false,
            dedup_key: format!("low-{project}"),
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        let alerts = [alert("A", Level::Critical), alert("B", Level::Warning)];
        let en = Message::new(&alerts, Language::En, "r1");
        assert_eq!(en.title(&alerts), "Balance alert: 1 low, 1 warning");
        assert_eq!(
            en.line(&en.alerts[0], as_it_is),
            "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD"
        );
        let zh = Message::new(&alerts, Language::Zh, "r1");
        assert_eq!(zh.title(&alerts), "余额告警：1 个不足，1 个预警");
        assert_eq!(zh.line(&zh.alerts[1], as_it_is), "🟡 B（AI platform）：点数 74.75 USD，低于预警阈值 100.00 USD");
    }

    #[test]
    fn every_event_has_its_sentence() {
        let low = alert("A", Level::Critical);
        let trouble = Trouble { reason: Reason::Timeout, message: "timed out after 15 s".into(), runs: 3 };
        let failing = Alert {
            topic: Topic::Failing,
            level: Level::Warning,
            balance: None,
            trouble: Some(trouble.clone()),
            ..low.clone()
        };
        let resolved = Alert { event: Event::Resolved, level: Level::Info, ..low.clone() };
        let works = Alert { trouble: None, balance: low.balance, topic: Topic::Failing, ..resolved.clone() };
        let at = low.at;
        let missed = Missed {
            at,
            balance: Some(5.into()),
            threshold: Some(10.into()),
            currency: None,
            trouble: None,
            is_unsure: false,
        };
        let in_other = Missed { currency: Some("CNY".into()), ..missed.clone() };
        let unsure = Missed { is_unsure: true, ..missed.clone() };
        let missed_failure = Missed { balance: None, threshold: None, trouble: Some(trouble), ..missed.clone() };
        let cases = [
            (
                Alert { since: Some(at), ..low.clone() },
                "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD (since 2027-01-15 08:00 UTC)",
                "🔴 A（AI platform）：点数 74.75 USD，低于告警阈值 100.00 USD（自 2027-01-15 08:00 UTC 起）",
            ),
            (
                Alert { missed: Some(unsure), ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 USD, below 10.00 USD, which may not have been delivered then",
                "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 USD，低于 10.00 USD，当时未能确认送达",
            ),
            (
                Alert { unconfirmed: true, ..low },
                "🔴 A (AI platform): credits 74.75 USD is below the threshold 100.00 USD (as of 2027-01-15 08:00 UTC; it cannot be read now)",
                "🔴 A（AI platform）：点数 74.75 USD，低于告警阈值 100.00 USD（2027-01-15 08:00 UTC 的数据，目前无法读取）",
            ),
            (
                failing,
                "⚪ A (AI platform): could not be read in 3 runs in a row: timeout: timed out after 15 s",
                "⚪ A（AI platform）：连续 3 次读取失败：timeout: timed out after 15 s",
            ),
            (
                resolved.clone(),
                "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD",
                "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD",
            ),
            (
                Alert { lowered_from: Some(200.into()), ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 USD is not below the threshold any more, which is now 100.00 USD instead of 200.00 USD",
                "🟢 A（AI platform）：点数 74.75 USD，不再低于阈值：阈值已从 200.00 USD 下调到 100.00 USD",
            ),
            (
                Alert { told_currency: Some("CNY".into()), ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 USD is not below the threshold 100.00 USD, but the alert was in CNY, and amounts are not converted",
                "🟢 A（AI platform）：点数 74.75 USD，不低于阈值 100.00 USD；但此前的告警以 CNY 计，金额不作换算",
            ),
            (
                Alert { told_currency: Some("CNY".into()), currency: None, ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 is not below the threshold 100, but the alert was in CNY, and no currency is named now",
                "🟢 A（AI platform）：点数 74.75，不低于阈值 100；但此前的告警以 CNY 计，现在未注明币种",
            ),
            (
                Alert { told_currency: Some(String::new()), ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 USD is not below the threshold 100.00 USD, but the alert named no currency, which may be another one",
                "🟢 A（AI platform）：点数 74.75 USD，不低于阈值 100.00 USD；但此前的告警未注明币种，可能并非同一币种",
            ),
            (
                Alert { missed: Some(in_other), ..resolved.clone() },
                "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 CNY, below 10.00 CNY, which could not be delivered then",
                "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 CNY，低于 10.00 CNY，当时未能送达",
            ),
            (
                Alert { balance: None, ..resolved.clone() },
                "🟢 A (AI platform): credits has no limit any more",
                "🟢 A（AI platform）：点数已不设上限",
            ),
            (
                Alert { missed: Some(missed), ..resolved },
                "🟢 A (AI platform): credits 74.75 USD is back at or above the threshold 100.00 USD; at 2027-01-15 08:00 UTC it was 5.00 USD, below 10.00 USD, which could not be delivered then",
                "🟢 A（AI platform）：点数已恢复到 74.75 USD，不低于阈值 100.00 USD；2027-01-15 08:00 UTC 曾为 5.00 USD，低于 10.00 USD，当时未能送达",
            ),
            (
                works.clone(),
                "🟢 A (AI platform): can be read again: credits 74.75 USD",
                "🟢 A（AI platform）：已恢复读取：点数 74.75 USD",
            ),
            (
                Alert { balance: None, missed: Some(missed_failure), ..works },
                "🟢 A (AI platform): can be read again; at 2027-01-15 08:00 UTC it could not (timeout: timed out after 15 s), which could not be delivered then",
                "🟢 A（AI platform）：已恢复读取；2027-01-15 08:00 UTC 曾读取失败（timeout: timed out after 15 s），当时未能送达",
            ),
        ];
        for (alert, en, zh) in cases {
            for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
                let message = Message::new(std::slice::from_ref(&alert), language, "r");
                assert_eq!(message.line(&message.alerts[0], as_it_is), want);
            }
        }
    }

    #[test]
    fn in_short_every_alert_is_still_named_and_nothing_in_a_name_is_live() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let low = alert("A @all", Level::Critical);
        let trouble = Trouble { reason: Reason::Timeout, message: "timed out".into(), runs: 3 };
        let failing = Alert { topic: Topic::Failing, trouble: Some(trouble), ..alert("D", Level::Warning) };
        let resolved = Alert { event: Event::Resolved, level: Level::Info, ..alert("E", Level::Info) };
        let mail = MailNotice {
            subject: "due".into(),
            sender: "x".into(),
            date: Some(at),
            service: None,
            amount: None,
            keywords: Vec::new(),
        };
        let mail = Alert { topic: Topic::Mail, mail: Some(mail), ..alert("F", Level::Warning) };
        let alerts = [low, alert("B", Level::Critical), alert("C", Level::Warning), failing, mail, resolved];
        for (language, want) in [
            (
                Language::En,
                "🔴 2 low: A ＠all 74.75 USD, B 74.75 USD\n🟡 1 warning: C 74.75 USD\n⚪ 1 failing: D timeout\n🟡 1 by mail: F “due”\n🟢 1 recovered: E 74.75 USD",
            ),
            (
                Language::Zh,
                "🔴 2 个不足: A ＠all 74.75 USD, B 74.75 USD\n🟡 1 个预警: C 74.75 USD\n⚪ 1 个读取失败: D timeout\n🟡 1 封邮件: F “due”\n🟢 1 个恢复: E 74.75 USD",
            ),
        ] {
            let mut message = Message::new(&alerts, language, "r");
            assert_eq!(message.lines(&message.alerts, literal).len(), alerts.len());
            message.shorten();
            assert_eq!(message.lines(&message.alerts, literal).join("\n"), want);
        }
    }

    fn failing(project: &str, host: &str, message: &str) -> Alert {
        let trouble = Trouble { reason: Reason::HttpStatus, message: message.into(), runs: 3 };
        Alert {
            topic: Topic::Failing,
            host: Some(host.into()),
            balance: None,
            trouble: Some(trouble),
            ..alert(project, Level::Warning)
        }
    }

    #[test]
    fn many_accounts_with_one_cause_are_one_line() {
        let gateway = |name: &str| failing(name, "gw.example", "HTTP 503");
        let works = |name: &str| Alert {
            event: Event::Resolved,
            level: Level::Info,
            trouble: None,
            ..failing(name, "gw.example", "")
        };
        let mailbox = |name: &str| Alert { kind: None, ..failing(name, "imap.example", "refused") };
        let since = Some(Timestamp::from_second(1_800_000_000).unwrap());
        let late = |name: &str| Alert { since, ..gateway(name) };
        let cases: [(Vec<Alert>, &str, &str); 7] = [
            (
                vec![late("A"), late("B"), late("C")],
                "⚪ 3 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A, B, C) (since 2027-01-15 08:00 UTC)",
                "⚪ gw.example 的 3 个账户连续 3 次读取失败：http_status: HTTP 503（A、B、C）（自 2027-01-15 08:00 UTC 起）",
            ),
            (
                (1..=200).map(|n| gateway(&format!("A{n}"))).collect(),
                "⚪ 200 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A1, A2, A3 and 197 more)",
                "⚪ gw.example 的 200 个账户连续 3 次读取失败：http_status: HTTP 503（A1、A2、A3 等）",
            ),
            (
                vec![gateway("A"), gateway("B"), gateway("C")],
                "⚪ 3 accounts of gw.example could not be read in 3 runs in a row: http_status: HTTP 503 (A, B, C)",
                "⚪ gw.example 的 3 个账户连续 3 次读取失败：http_status: HTTP 503（A、B、C）",
            ),
            (
                vec![gateway("A"), gateway("B")],
                "⚪ A (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503\n⚪ B (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503",
                "⚪ A（AI platform）：连续 3 次读取失败：http_status: HTTP 503\n⚪ B（AI platform）：连续 3 次读取失败：http_status: HTTP 503",
            ),
            (
                vec![works("A"), works("B"), works("C")],
                "🟢 3 accounts of gw.example can be read again (A, B, C)",
                "🟢 gw.example 的 3 个账户已恢复读取（A、B、C）",
            ),
            (
                vec![mailbox("A"), mailbox("B"), mailbox("C")],
                "⚪ 3 mailboxes of imap.example could not be read in 3 runs in a row: http_status: refused (A, B, C)",
                "⚪ imap.example 的 3 个邮箱连续 3 次读取失败：http_status: refused（A、B、C）",
            ),
            (
                // Several causes on one host, and one of them on another one.
                vec![gateway("A"), failing("B", "gw.example", "HTTP 500"), failing("C", "b.example", "HTTP 503")],
                "⚪ A (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503\n⚪ B (AI platform): could not be read in 3 runs in a row: http_status: HTTP 500\n⚪ C (AI platform): could not be read in 3 runs in a row: http_status: HTTP 503",
                "⚪ A（AI platform）：连续 3 次读取失败：http_status: HTTP 503\n⚪ B（AI platform）：连续 3 次读取失败：http_status: HTTP 500\n⚪ C（AI platform）：连续 3 次读取失败：http_status: HTTP 503",
            ),
        ];
        for (alerts, en, zh) in cases {
            for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
                let mut message = Message::new(&alerts, language, "r");
                assert_eq!(message.lines(&message.alerts, as_it_is).join("\n"), want);
                message.shorten();
                if want.contains("gw.example") {
                    assert_eq!(message.lines(&message.alerts, as_it_is).join("\n"), want, "in short as well");
                }
            }
        }
    }

    #[test]
    fn alerts_with_one_cause_stand_together_and_all_others_stay_in_order() {
        let alerts = [
            alert("L", Level::Critical),
            failing("A", "one", "x"),
            failing("B", "two", "x"),
            failing("C", "one", "x"),
            failing("D", "two", "x"),
            alert("Z", Level::Warning),
        ];
        let mut positions: Vec<usize> = (0..alerts.len()).collect();
        by_cause(|at| &alerts[at], &mut positions);
        assert_eq!(positions, [0, 1, 3, 2, 4, 5]);
    }

    #[test]
    fn in_short_too_it_is_said_that_nobody_heard_the_beginning() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let over = Alert { event: Event::Resolved, level: Level::Info, ..alert("A", Level::Info) };
        let missed = Missed {
            at,
            balance: Some(5.into()),
            threshold: Some(10.into()),
            currency: None,
            trouble: None,
            is_unsure: false,
        };
        let trouble = Trouble { reason: Reason::Timeout, message: "timed out".into(), runs: 3 };
        let unread = Missed { balance: None, threshold: None, trouble: Some(trouble), ..missed.clone() };
        for (missed, en, zh) in [
            (
                missed,
                "🟢 1 recovered: A 74.75 USD (5.00 USD at 2027-01-15 08:00 UTC, not delivered then)",
                "🟢 1 个恢复: A 74.75 USD（2027-01-15 08:00 UTC 为 5.00 USD，当时未能送达）",
            ),
            (
                unread,
                "🟢 1 recovered: A 74.75 USD (timeout at 2027-01-15 08:00 UTC, not delivered then)",
                "🟢 1 个恢复: A 74.75 USD（2027-01-15 08:00 UTC 为 timeout，当时未能送达）",
            ),
        ] {
            let alert = Alert { missed: Some(missed), ..over.clone() };
            for (language, want) in [(Language::En, en), (Language::Zh, zh)] {
                let mut message = Message::new(std::slice::from_ref(&alert), language, "r");
                message.shorten();
                assert_eq!(message.lines(&message.alerts, literal), [want]);
            }
        }
        let late = Alert { since: Some(at), ..alert("A", Level::Critical) };
        for (told, language, want) in [
            ("CNY", Language::En, "🟢 1 recovered: A 74.75 USD (told in CNY)"),
            ("CNY", Language::Zh, "🟢 1 个恢复: A 74.75 USD（此前以 CNY 告知）"),
            ("", Language::En, "🟢 1 recovered: A 74.75 USD (told without a currency)"),
            ("", Language::Zh, "🟢 1 个恢复: A 74.75 USD（此前告知时未注明币种）"),
        ] {
            let other = Alert { told_currency: Some(told.into()), ..over.clone() };
            let mut message = Message::new(std::slice::from_ref(&other), language, "r");
            message.shorten();
            assert_eq!(message.lines(&message.alerts, literal), [want]);
        }
        for (language, want) in [
            (Language::En, "🔴 1 low: A 74.75 USD (since 2027-01-15 08:00 UTC)"),
            (Language::Zh, "🔴 1 个不足: A 74.75 USD（自 2027-01-15 08:00 UTC 起）"),
        ] {
            let mut message = Message::new(std::slice::from_ref(&late), language, "r");
            message.shorten();
            assert_eq!(message.lines(&message.alerts, literal), [want]);
        }
    }

    #[test]
    fn names_that_differ_only_in_the_middle_or_at_the_end_stay_two() {
        let name = |middle: char, end: char| format!("{}{middle}{}{end}", "a".repeat(35), "b".repeat(34));
        let names = [name('1', 'x'), name('2', 'x'), name('1', 'y')];
        let alerts: Vec<Alert> = names.iter().map(|name| alert(name, Level::Critical)).collect();
        let mut message = Message::new(&alerts, Language::En, "r");
        message.shorten();
        let lines = message.lines(&message.alerts, literal);
        let shown: Vec<&str> = lines[0].split(": ").nth(1).unwrap().split(", ").collect();
        assert_eq!(shown.iter().collect::<std::collections::HashSet<_>>().len(), 3, "{lines:?}");
    }

    #[test]
    fn the_key_is_that_of_the_alerts_and_not_of_the_run() {
        let alerts = [alert("A", Level::Critical), alert("B", Level::Warning)];
        let key = |run: &str, alerts: &[Alert]| Message::new(alerts, Language::En, run).dedup_key(alerts);
        assert_eq!(key("r1", &alerts), key("r2", &alerts));
        assert_ne!(key("r1", &alerts), key("r1", &alerts[..1]));
    }

    #[test]
    fn names_cannot_mention_link_or_break_lines() {
        let evil = "x\n# [点击充值](http://evil) <at user_id=\"all\"></at> @all `c` **b** \u{202E}z";
        let message = Message::new(&[alert(evil, Level::Critical)], Language::En, "r");
        let line = message.line(&message.alerts[0], markdown);
        for bad in ["\n", "](", "<at", "@all", "`", "**", "://", "\u{202E}", "# "] {
            assert!(!line.contains(bad), "{bad:?} in {line}");
        }
        let line = message.line(&message.alerts[0], literal);
        for bad in ["\n", "<at", "@all", "://", "\u{202E}"] {
            assert!(!line.contains(bad), "{bad:?} in {line}");
        }
    }
}
