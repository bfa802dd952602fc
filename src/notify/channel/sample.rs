//! Alerts that are not true: what examples of pages tell of, so that a page shows what it makes of each kind.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rust_decimal::Decimal;

use crate::model::alert::{
    Account, Alert, Cause, Digest, Event, Expiry, Failing, Lapsing, Lasting, Level, List, Low, Mail, Part, Renewal,
    Row, Runway, Silent, Span, Spike, TopUp, Trouble,
};
use crate::model::cadence::Cadence;
use crate::model::failure::Reason;
use crate::model::identity::Identity;
use crate::model::words::{BalanceType, CycleType};
use crate::notify::message::Provider;

/// When all of them were found, in seconds since 1970.
pub(crate) const FOUND_AT: i64 = 1_796_000_000;

/// The run that sends them.
pub(crate) const RUN: &str = "example";

/// A name that tries to format, to link and to mention.
const HOSTILE: &str = "*[Top up](https://evil.example)* <@all> @everyone & <b>_x_</b>";

/// Makes a sample.
type Make = fn() -> Alert;

/// The samples, by the names that examples have for them.
const SAMPLES: [(&str, Make); 15] = [
    ("low", || low("OpenRouter", Some("AI platform"), "74.75", "100", Level::Critical)),
    ("warning", || low("Alibaba Cloud", None, "612.30", "800", Level::Warning)),
    ("recovered", || over(low("OpenRouter", Some("AI platform"), "500", "100", Level::Info))),
    ("failing", failing),
    ("readable", readable),
    ("renewal", renewal),
    ("mail", mail),
    ("runway", runway),
    ("spike", spike),
    ("expiry", expiry),
    ("topup", topup),
    ("silent", silent),
    ("digest", digest),
    ("payable", || low("DeepSeek", Some("AI platform"), "8.20", "50", Level::Critical)),
    ("hostile", || low(HOSTILE, Some(HOSTILE), "1", "2", Level::Critical)),
];

/// The names of the samples.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(name, _)| *name)
}

/// The sample with a name.
pub(crate) fn alert(name: &str) -> Option<Alert> {
    SAMPLES.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
}

/// The sample with a name, as if a run had found it at this time on this day.
pub(crate) fn found(name: &str, run_id: &str, at: Timestamp, today: Date) -> Option<Alert> {
    let mut alert = alert(name)?;
    alert.at = at;
    // A receiver that takes each message once must take every test.
    alert.dedup_key = alert.dedup_key.replace(RUN, run_id);
    match &mut alert.cause {
        Cause::Renewal(renewal) => {
            (renewal.today, renewal.next) = (today, today.saturating_add(renewal.days.days()));
            renewal.renewal_day = renewal.next.day().to_string();
        }
        Cause::Mail(mail) => mail.date = Some(at),
        Cause::Expiry(expiry) => {
            expiry.credits.iter_mut().for_each(|one| one.date = today.saturating_add(i64::from(one.days).days()));
        }
        Cause::TopUp(topup) => (topup.since, topup.at) = (at - SignedDuration::from_hours(1), at),
        Cause::Digest(digest) => {
            digest.last = today.yesterday().unwrap_or(today);
            digest.first = digest.last.saturating_sub(6.days());
        }
        Cause::Silent(silent) => silent.last = at - SignedDuration::from_hours(2),
        Cause::Runway(runway) => {
            runway.lasts.iter_mut().for_each(|lasts| lasts.until = today.saturating_add(i64::from(lasts.days).days()));
        }
        _ => {}
    }
    Some(alert)
}

/// What the providers of the samples are called.
pub(crate) fn providers() -> BTreeMap<String, Provider> {
    let known = [
        ("openrouter", "OpenRouter", None),
        ("aliyun", "Alibaba Cloud", None),
        ("moonshot", "Moonshot AI", None),
        ("deepseek", "DeepSeek", Some("https://platform.deepseek.com/top_up")),
    ];
    known.into_iter().map(|(id, title, top_up)| (id.to_owned(), Provider::new(title, top_up))).collect()
}

fn number(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

/// What all of them have in common.
fn common(project: &str, provider: &str, cause: Cause) -> Alert {
    let mut alert = Alert {
        identity: Identity::of("sample", project, &[]),
        event: Event::Raised,
        level: Level::Warning,
        project: project.to_owned(),
        owner_project: None,
        provider: provider.to_owned(),
        labels: BTreeMap::new(),
        host: None,
        cause,
        at: Timestamp::from_second(FOUND_AT).unwrap_or_default(),
        unconfirmed: false,
        missed: None,
        since: None,
        is_reminder: false,
        dedup_key: String::new(),
    };
    alert.dedup_key = format!("{}-{}-1-{RUN}", alert.topic().as_str(), alert.identity);
    alert
}

fn over(alert: Alert) -> Alert {
    let dedup_key = format!("{}-resolved-{}-2-{RUN}", alert.topic().as_str(), alert.identity);
    Alert { event: Event::Resolved, level: Level::Info, dedup_key, ..alert }
}

fn low(project: &str, owner: Option<&str>, balance: &str, threshold: &str, level: Level) -> Alert {
    let (kind, currency, provider) = match project {
        "Alibaba Cloud" => (BalanceType::Balance, "CNY", "aliyun"),
        "DeepSeek" => (BalanceType::Balance, "CNY", "deepseek"),
        _ => (BalanceType::Credits, "USD", "openrouter"),
    };
    let account = Account { kind, balance: number(balance), currency: Some(currency.to_owned()) };
    let cause = Cause::Low(Low { account, threshold: number(threshold), change: None });
    Alert { level, owner_project: owner.map(str::to_owned), ..common(project, provider, cause) }
}

fn failing() -> Alert {
    let account = Account { kind: BalanceType::Balance, balance: None, currency: Some("CNY".to_owned()) };
    let message = "api.moonshot.cn: the service has a fault of its own (HTTP 503)".to_owned();
    let trouble = Trouble { reason: Reason::HttpStatus, message, runs: 3 };
    let cause = Cause::Failing(Failing { account: Some(account), trouble: Some(trouble), shared: None });
    Alert { host: Some("api.moonshot.cn".to_owned()), ..common("Moonshot", "moonshot", cause) }
}

fn readable() -> Alert {
    let account = Account { kind: BalanceType::Balance, balance: number("120.50"), currency: Some("CNY".to_owned()) };
    let cause = Cause::Failing(Failing { account: Some(account), trouble: None, shared: None });
    over(Alert { host: Some("api.moonshot.cn".to_owned()), ..common("Moonshot", "moonshot", cause) })
}

fn renewal() -> Alert {
    let cause = Cause::Renewal(Renewal {
        cycle_type: Cadence::Usual(CycleType::Monthly),
        renewal_day: "2".to_owned(),
        next: jiff::civil::date(2026, 12, 2),
        today: jiff::civil::date(2026, 11, 30),
        days: 2,
        amount: number("10"),
        currency: Some("USD".to_owned()),
    });
    Alert { owner_project: Some("AI platform".to_owned()), ..common("GitHub", "subscription", cause) }
}

fn runway() -> Alert {
    let account = Account { kind: BalanceType::Credits, balance: number("412.80"), currency: Some("USD".to_owned()) };
    let until = jiff::civil::date(2026, 12, 4);
    let lasts = Lasting { days: 4, least: 3, most: Some(6), until, burn_per_day: number("103.20") };
    let cause = Cause::Runway(Runway { account, lasts: Some(lasts) });
    Alert { owner_project: Some("AI platform".to_owned()), ..common("OpenRouter", "openrouter", cause) }
}

fn spike() -> Alert {
    let account = Account { kind: BalanceType::Credits, balance: number("412.80"), currency: Some("USD".to_owned()) };
    let cause = Cause::Spike(Spike { account, per_day: number("618.40"), usual_per_day: number("51.50") });
    Alert { owner_project: Some("AI platform".to_owned()), ..common("OpenRouter", "openrouter", cause) }
}

fn expiry() -> Alert {
    let account = Account { kind: BalanceType::Credits, balance: number("412.80"), currency: Some("USD".to_owned()) };
    let credit = Lapsing {
        name: Some("Welcome credit".to_owned()),
        remaining: Decimal::from(150),
        unused: Decimal::from(60),
        date: jiff::civil::date(2026, 12, 9),
        days: 9,
        falls_below: None,
    };
    let (usual_per_day, credits) = (number("10"), vec![credit]);
    let cause = Cause::Expiry(Expiry { account, usual_per_day, credits, heard: Vec::new() });
    Alert { owner_project: Some("AI platform".to_owned()), ..common("OpenRouter", "openrouter", cause) }
}

fn topup() -> Alert {
    let account = Account { kind: BalanceType::Credits, balance: number("912.80"), currency: Some("USD".to_owned()) };
    let time = |ago: i64| Timestamp::from_second(FOUND_AT - ago).unwrap_or_default();
    let cause = Cause::TopUp(TopUp { account, amount: number("500"), since: time(3600), at: time(0) });
    let alert = common("OpenRouter", "openrouter", cause);
    Alert { owner_project: Some("AI platform".to_owned()), level: Level::Info, ..alert }
}

fn silent() -> Alert {
    let last = Timestamp::from_second(FOUND_AT - 7200).unwrap_or_default();
    common("prod/config.yaml --shard 1/2", "schedule", Cause::Silent(Silent { last, usual: Some(3600) }))
}

fn digest() -> Alert {
    let row = |name: &str, amount, before| Row {
        name: Some(name.to_owned()),
        amount: number(amount),
        before: number(before),
        currency: Some("USD".to_owned()),
        ..Row::default()
    };
    let rows = vec![row("OpenRouter", "42.50", "12.25"), row("Moonshot", "3", "9.80")];
    let (first, last) = (jiff::civil::date(2026, 11, 23), jiff::civil::date(2026, 11, 29));
    let digest = Digest { span: Span::Week, first, last, part: Part::List(List::Changed, rows, 0) };
    Alert { level: Level::Info, ..common("digest", "digest", Cause::Digest(digest)) }
}

fn mail() -> Alert {
    let cause = Cause::Mail(Mail {
        subject: "阿里云余额不足提醒".to_owned(),
        sender: "notice@service.example".to_owned(),
        date: Timestamp::from_second(FOUND_AT - 3600).ok(),
        account: None,
        service: Some("阿里云".to_owned()),
        amount: number("12.50"),
        currency: Some("CNY".to_owned()),
        keywords: vec!["余额不足".to_owned()],
    });
    common("Billing", "imap", cause)
}
