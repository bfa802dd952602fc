//! A digest in each of its formats.

use clap::ValueEnum;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use super::markdown::neutral;
use super::{amount_cell, columns};
use crate::decide::digest::{Digest, Entry, begins};
use crate::decide::forecast::statement::Statement;
use crate::model::alert::{Part, Row};
use crate::model::amount;
use crate::model::text::{self, ShortNames};
use crate::model::words::Language;
use crate::notify::{Delivery, digest_text};
use crate::process::clock::iso;

/// The formats of a digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DigestOutput {
    /// For people
    #[default]
    Table,
    /// For documents and the summaries of CI jobs
    Markdown,
    /// For programs
    Json,
    /// One line for each account, for spreadsheets
    Csv,
}

/// The digest in a format. `sent` is what became of it on each channel; nothing if it was not sent.
pub(crate) fn render(
    digest: &Digest,
    sent: &[Delivery],
    output: DigestOutput,
    (language, timezone): (Language, &TimeZone),
) -> String {
    match output {
        DigestOutput::Table => table(digest, sent, language),
        DigestOutput::Markdown => markdown(digest, language),
        DigestOutput::Json => json(digest, sent, timezone),
        DigestOutput::Csv => csv(digest),
    }
}

const HEADINGS: [&str; 6] = ["ACCOUNT", "OPENING", "TOPPED UP", "CONSUMED", "CLOSING", "BEFORE"];

/// A row for each account; what is not known is a dash.
fn rows(digest: &Digest) -> Vec<Vec<String>> {
    let names = ShortNames::new(digest.accounts.iter().map(|one| one.verdict.subject.name.as_str()), text::NAME_CHARS);
    let row = |entry: &Entry| {
        let (now, currency) = (entry.period.as_ref(), entry.currency());
        let consumed = |of: &Option<Statement>| of.as_ref().map(|one| one.consumed);
        let amounts = [
            now.map(|now| now.opening),
            now.map(|now| now.topped_up),
            consumed(&entry.period),
            now.map(|now| now.closing),
            consumed(&entry.before),
        ];
        let name = names.get(&entry.verdict.subject.name).to_owned();
        std::iter::once(name).chain(amounts.map(|amount| amount_cell(amount, None, currency))).collect()
    };
    digest.accounts.iter().map(row).collect()
}

fn table(digest: &Digest, sent: &[Delivery], language: Language) -> String {
    let (title, parts) = digest_text(&digest.told(), language);
    let mut out = format!("{title}\n");
    for (heading, lines) in parts {
        match lines.as_slice() {
            [one] => out.push_str(&format!("\n{heading}: {one}\n")),
            lines => {
                out.push_str(&format!("\n{heading}:\n"));
                lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
            }
        }
    }
    if !digest.accounts.is_empty() {
        out.push_str(&format!("\n{}", columns(&HEADINGS, rows(digest), &[1, 2, 3, 4, 5])));
    }
    for delivery in sent {
        let why = delivery.failure.as_ref().map(|failure| format!(": {}", failure.describe()));
        out.push_str(&format!("\n{}: {}{}\n", delivery.channel, delivery.status.as_str(), why.unwrap_or_default()));
    }
    out
}

fn markdown(digest: &Digest, language: Language) -> String {
    let (title, parts) = digest_text(&digest.told(), language);
    let mut out = format!("# {}\n", neutral(&title));
    for (heading, lines) in parts {
        out.push_str(&format!("\n## {}\n\n", neutral(&heading)));
        lines.iter().for_each(|line| out.push_str(&format!("- {}\n", neutral(line))));
    }
    if !digest.accounts.is_empty() {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let heading = HEADINGS.map(|heading| heading[..1].to_owned() + &heading[1..].to_lowercase());
        out.push_str(&format!("\n{}| --- |{}\n", line(&heading), " --: |".repeat(5)));
        for row in rows(digest) {
            out.push_str(&line(&row.iter().map(|cell| neutral(cell)).collect::<Vec<_>>()));
        }
    }
    out
}

fn csv(digest: &Digest) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let number = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string()).unwrap_or_default();
    let (first, last) = (digest.period.first.to_string(), digest.period.last_day().to_string());
    // Writing to memory cannot fail.
    let _ = writer.write_record([
        "first_day",
        "last_day",
        "project",
        "owner_project",
        "provider",
        "currency",
        "opening",
        "topped_up",
        "consumed",
        "closing",
        "consumed_before",
    ]);
    for entry in &digest.accounts {
        let (subject, now) = (&entry.verdict.subject, entry.period.as_ref());
        let _ = writer.write_record([
            first.as_str(),
            &last,
            &subject.name,
            subject.owner_project.as_deref().unwrap_or_default(),
            &subject.provider,
            entry.currency().unwrap_or_default(),
            &number(now.map(|now| now.opening)),
            &number(now.map(|now| now.topped_up)),
            &number(now.map(|now| now.consumed)),
            &number(now.map(|now| now.closing)),
            &number(entry.before.as_ref().map(|before| before.consumed)),
        ]);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

type Number = Option<Box<RawValue>>;

fn number(amount: Option<Decimal>) -> Number {
    amount.map(amount::to_json)
}

#[derive(Serialize)]
struct Root<'a> {
    schema_version: u32,
    period: &'static str,
    first_day: String,
    last_day: String,
    from: String,
    until: String,
    currencies: Vec<Currency<'a>>,
    accounts: Vec<Account<'a>>,
    lists: std::collections::BTreeMap<&'static str, Vec<ListRow<'a>>>,
    deliveries: Vec<Sent<'a>>,
}

/// Each currency, and each account whose amounts cannot be added to others.
#[derive(Serialize)]
struct Currency<'a> {
    currency: Option<&'a str>,
    project: Option<&'a str>,
    accounts: usize,
    unread_accounts: usize,
    opening: Number,
    topped_up: Number,
    consumed: Number,
    closing: Number,
}

#[derive(Serialize)]
struct Account<'a> {
    name: &'a str,
    owner_project: Option<&'a str>,
    provider: &'a str,
    currency: Option<&'a str>,
    status: &'static str,
    opening: Number,
    topped_up: Number,
    consumed: Number,
    closing: Number,
    consumed_per_day: Number,
    consumed_before: Number,
    #[serde(flatten)]
    outlook: super::Outlook,
}

#[derive(Serialize)]
struct ListRow<'a> {
    name: Option<&'a str>,
    amount: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Number,
    currency: Option<&'a str>,
    date: Option<String>,
    days: Option<i64>,
    detail: Option<&'a str>,
}

impl ListRow<'_> {
    fn of(row: &Row) -> ListRow<'_> {
        ListRow {
            name: row.name.as_deref(),
            amount: number(row.amount),
            before: number(row.before),
            currency: row.currency.as_deref(),
            date: row.date.map(|date| date.to_string()),
            days: row.days,
            detail: row.word.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Sent<'a> {
    channel: &'a str,
    status: &'static str,
    reason: Option<&'static str>,
}

fn json(digest: &Digest, sent: &[Delivery], timezone: &TimeZone) -> String {
    let currencies = digest.parts.iter().filter_map(|part| match part {
        Part::Sum(sum) => Some(Currency {
            currency: sum.currency.as_deref(),
            project: sum.name.as_deref(),
            accounts: sum.accounts,
            unread_accounts: sum.unread,
            opening: number(sum.opening),
            topped_up: number(sum.topped_up),
            consumed: number(sum.consumed),
            closing: number(sum.closing),
        }),
        Part::List(..) => None,
    });
    let lists = digest.parts.iter().filter_map(|part| match part {
        Part::List(list, rows, _) => Some((list.as_str(), rows.iter().map(ListRow::of).collect())),
        Part::Sum(_) => None,
    });
    let accounts = digest.accounts.iter().map(|entry| {
        let (subject, now) = (&entry.verdict.subject, entry.period.as_ref());
        Account {
            name: &subject.name,
            owner_project: subject.owner_project.as_deref(),
            provider: &subject.provider,
            currency: entry.currency(),
            status: entry.verdict.status.as_str(),
            opening: number(now.map(|now| now.opening)),
            topped_up: number(now.map(|now| now.topped_up)),
            consumed: number(now.map(|now| now.consumed)),
            closing: number(now.map(|now| now.closing)),
            consumed_per_day: number(now.and_then(|now| now.per_day)),
            consumed_before: number(entry.before.as_ref().map(|before| before.consumed)),
            outlook: entry.verdict.foresight.as_ref().map(super::Outlook::of).unwrap_or_default(),
        }
    });
    let deliveries = sent.iter().map(|delivery| Sent {
        channel: &delivery.channel,
        status: delivery.status.as_str(),
        reason: delivery.failure.as_ref().map(|failure| failure.reason.as_str()),
    });
    let root = Root {
        schema_version: 1,
        period: digest.period.span.as_str(),
        first_day: digest.period.first.to_string(),
        last_day: digest.period.last_day().to_string(),
        from: iso(begins(digest.period.first, timezone)),
        until: iso(begins(digest.period.end, timezone)),
        currencies: currencies.collect(),
        accounts: accounts.collect(),
        lists: lists.collect(),
        deliveries: deliveries.collect(),
    };
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&root).unwrap_or_default() + "\n"
}
