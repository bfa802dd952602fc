//! What a day, a week or a month came to: out of what runs have read, for some of the entries of a config.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;

use super::expiry;
use super::forecast::Confidence;
use super::forecast::account::{Reading, is_counted_alike};
use super::forecast::statement::{Statement, statement};
use super::route::About;
use super::{Found, MailboxVerdict, SubscriptionVerdict, Verdict};
use crate::check::subscription::{Standing, days, price};
use crate::model::alert::{self, List, Part, Row, Span, Sum};
use crate::model::identity::Identity;
use crate::model::text;

/// How far ahead renewals and credits that lapse are told, in days.
const AHEAD: i64 = 30;
/// The accounts without a currency that messages tell of.
const MOST_ALONE: usize = 5;
/// The accounts of a currency that are named for what they consumed.
const MOST_CONSUMERS: usize = 3;
/// The least change of the consumption that is told, as a part of what it was.
const LEAST_CHANGE: Decimal = Decimal::from_parts(2, 0, 0, false, 1);
/// The longest name of an account in a list, in characters.
const NAME_CHARS: usize = 60;

/// A calendar period that is over, in the time zone of the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) span: Span,
    /// The first day.
    pub(crate) first: Date,
    /// The day after the last one.
    pub(crate) end: Date,
    /// The first day of the period before.
    pub(crate) before: Date,
}

impl Period {
    /// The last whole one before a day.
    pub(crate) fn last(span: Span, today: Date) -> Period {
        let monday = i64::from(today.weekday().to_monday_zero_offset());
        let (end, length) = match span {
            Span::Day => (today, 1.day()),
            Span::Week => (today.saturating_sub(monday.days()), 1.week()),
            Span::Month => (today.first_of_month(), 1.month()),
        };
        let first = end.saturating_sub(length);
        Period { span, first, end, before: first.saturating_sub(length) }
    }

    /// The last day.
    pub(crate) fn last_day(&self) -> Date {
        self.end.yesterday().unwrap_or(self.end)
    }
}

/// When a day begins in a time zone.
pub(crate) fn begins(day: Date, timezone: &TimeZone) -> Timestamp {
    day.to_zoned(timezone.clone()).map(|zoned| zoned.timestamp()).unwrap_or_default()
}

/// What a digest is made of, beside what was found.
pub(crate) struct Past<'a> {
    pub(crate) now: Timestamp,
    pub(crate) timezone: &'a TimeZone,
    pub(crate) period: Period,
    /// What runs have read of accounts since the beginning of the period before, and of some time before that.
    pub(crate) readings: &'a BTreeMap<Identity, Vec<Reading>>,
    /// Since when something cannot be read, as far as that is known.
    pub(crate) unread_since: &'a HashMap<Identity, Timestamp>,
}

/// What a period came to.
pub(crate) struct Digest<'a> {
    pub(crate) period: Period,
    /// The accounts, in the order of the config. Shares that refill are left out: they are neither consumed nor topped up.
    pub(crate) accounts: Vec<Entry<'a>>,
    /// What is told of it.
    pub(crate) parts: Vec<Part>,
}

/// What a period came to for one account.
pub(crate) struct Entry<'a> {
    pub(crate) verdict: &'a Verdict,
    /// None if nothing was read in it.
    pub(crate) period: Option<Statement>,
    pub(crate) before: Option<Statement>,
}

impl Entry<'_> {
    /// What its amounts are counted in.
    pub(crate) fn currency(&self) -> Option<&str> {
        let stated = self.period.as_ref().map(|period| period.currency.as_deref());
        stated.unwrap_or(self.verdict.currency.as_deref())
    }

    fn row(&self) -> Row {
        Row {
            name: Some(short(&self.verdict.subject.name)),
            currency: self.currency().map(str::to_owned),
            ..Row::default()
        }
    }
}

/// What the entries of a config are about, in the order in which [`digest`] asks for them.
pub(crate) fn abouts(found: &Found) -> Vec<About<'_>> {
    let accounts = found.accounts.iter().map(|verdict| About {
        name: &verdict.subject.name,
        owner: verdict.subject.owner_project.as_deref(),
        provider: &verdict.subject.provider,
        addressing: &verdict.subject.addressing,
    });
    let subscriptions = found.subscriptions.iter().map(|verdict| About {
        name: &verdict.subscription.name,
        owner: verdict.subscription.owner_project.as_deref(),
        provider: SubscriptionVerdict::PROVIDER,
        addressing: &verdict.subscription.addressing,
    });
    let mailboxes = found.mailboxes.iter().map(|verdict| About {
        name: &verdict.name,
        owner: None,
        provider: MailboxVerdict::PROVIDER,
        addressing: &verdict.addressing,
    });
    accounts.chain(subscriptions).chain(mailboxes).collect()
}

/// What a period came to, for the entries that are wanted: by their places in [`abouts`].
pub(crate) fn digest<'a>(found: &'a Found, past: &Past, is_wanted: &dyn Fn(usize) -> bool) -> Digest<'a> {
    let accounts: Vec<&Verdict> =
        found.accounts.iter().enumerate().filter(|(at, _)| is_wanted(*at)).map(|(_, one)| one).collect();
    let at = found.accounts.len();
    let subscriptions: Vec<&SubscriptionVerdict> =
        found.subscriptions.iter().enumerate().filter(|(n, _)| is_wanted(at + n)).map(|(_, one)| one).collect();
    let at = at + found.subscriptions.len();
    let mailboxes: Vec<&MailboxVerdict> =
        found.mailboxes.iter().enumerate().filter(|(n, _)| is_wanted(at + n)).map(|(_, one)| one).collect();
    let stated = accounts.iter().filter(|verdict| verdict.subject.forecasting.is_some());
    let entries: Vec<Entry> = stated.map(|verdict| past.entry(verdict)).collect();
    let mut parts: Vec<Part> = sums(&entries);
    if parts.is_empty() && !accounts.is_empty() {
        parts.push(Part::List(List::Empty, Vec::new(), 0));
    }
    let lists = [
        (List::RunsDry, runs_dry(&entries, past.timezone)),
        (List::Consumed, consumed(&entries, &parts)),
        (List::Changed, changed(&entries)),
        (List::Renews, renews(&subscriptions, found.today)),
        (List::Lapses, past.lapses(&accounts)),
        (List::Unread, past.unread(&accounts, &mailboxes)),
    ];
    let lists = lists.into_iter().filter(|(_, rows)| !rows.is_empty());
    parts.extend(lists.map(|(list, rows)| Part::List(list, rows, 0)));
    Digest { period: past.period, accounts: entries, parts }
}

impl Digest<'_> {
    /// The parts as messages and people get them: of long lists the first rows.
    pub(crate) fn told(&self) -> Vec<alert::Digest> {
        let Period { span, first, .. } = self.period;
        let last = self.period.last_day();
        let is_alone = |part: &Part| matches!(part, Part::Sum(Sum { name: Some(_), .. }));
        let mut parts = self.parts.clone();
        let others = parts.iter().filter(|part| is_alone(part)).count().saturating_sub(MOST_ALONE);
        if let Some(last) = parts.iter().rposition(is_alone).filter(|_| others > 0) {
            parts.splice(last + 1 - others..=last, [Part::List(List::Others, Vec::new(), 0)]);
        }
        let told = parts.into_iter().map(|mut part| {
            if let Part::List(list, rows, more) = &mut part {
                let most = if matches!(list, List::RunsDry | List::Changed) { 5 } else { 12 };
                let named = rows.iter().filter(|row| row.name.is_some()).count();
                *more = if *list == List::Others { others } else { named.saturating_sub(most) };
                rows.drain(most.min(named)..named);
            }
            alert::Digest { span, first, last, part }
        });
        told.collect()
    }
}

impl Past<'_> {
    fn entry<'v>(&self, verdict: &'v Verdict) -> Entry<'v> {
        let readings = self.readings.get(&verdict.subject.identity).map(Vec::as_slice).unwrap_or_default();
        let at = |day| begins(day, self.timezone);
        let Period { before, first, end, .. } = self.period;
        let of = |from, until| statement(readings, verdict.currency.as_deref(), (at(from), at(until)));
        Entry { verdict, period: of(first, end), before: of(before, first) }
    }

    /// The credits that lapse soon, and what of them will not have been used, the next first. Where it is not known what is usually
    /// used, that is what is left of them.
    fn lapses(&self, accounts: &[&Verdict]) -> Vec<Row> {
        let mut rows = Vec::new();
        for verdict in accounts {
            let ahead = expiry::ahead(verdict, self.now);
            let row = |amount, date, word: &Option<String>| Row {
                name: Some(short(&verdict.subject.name)),
                amount: Some(amount),
                currency: verdict.currency.clone(),
                date: Some(date),
                word: word.clone(),
                ..Row::default()
            };
            match expiry::lapsing(verdict, &ahead, AHEAD as u32, (self.now, self.timezone)) {
                Some(lapsing) => rows.extend(lapsing.iter().map(|one| row(one.unused, one.date, &one.name))),
                None => rows.extend(ahead.iter().filter_map(|(name, credit)| {
                    let date = credit.expires_at.to_zoned(self.timezone.clone()).date();
                    let today = self.now.to_zoned(self.timezone.clone()).date();
                    (days(today, date) <= AHEAD).then(|| row(credit.remaining, date, name))
                })),
            }
        }
        rows.sort_by_key(|row| row.date);
        rows
    }

    /// What could not be read when a run looked last, what has failed longest first.
    fn unread(&self, accounts: &[&Verdict], mailboxes: &[&MailboxVerdict]) -> Vec<Row> {
        let accounts = accounts.iter().map(|one| (one.subject.identity, &one.subject.name, one.failure.as_ref()));
        let mailboxes = mailboxes.iter().map(|one| (one.identity, &one.name, one.scanned.result.as_ref().err()));
        let rows = accounts.chain(mailboxes).filter_map(|(identity, name, failure)| {
            let since = self.unread_since.get(&identity);
            Some(Row {
                name: Some(short(name)),
                word: Some(failure?.reason.as_str().to_owned()),
                date: since.map(|since| since.to_zoned(self.timezone.clone()).date()),
                ..Row::default()
            })
        });
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_by_key(|row| (row.date.is_none(), row.date));
        rows
    }
}

fn short(name: &str) -> String {
    text::short_name(name, NAME_CHARS)
}

/// What the accounts of each currency came to. Amounts without a currency are added to no others.
fn sums(entries: &[Entry]) -> Vec<Part> {
    let mut sums: Vec<Sum> = Vec::new();
    for entry in entries {
        let Some(Statement { currency, opening, topped_up, consumed, closing, .. }) = &entry.period else { continue };
        let known = sums
            .iter_mut()
            .find(|sum| currency.is_some() && is_counted_alike(sum.currency.as_deref(), currency.as_deref()));
        let Some(sum) = known else {
            sums.push(Sum {
                name: currency.is_none().then(|| short(&entry.verdict.subject.name)),
                currency: currency.clone(),
                accounts: 1,
                unread: 0,
                opening: Some(*opening),
                topped_up: Some(*topped_up),
                consumed: Some(*consumed),
                closing: Some(*closing),
            });
            continue;
        };
        sum.accounts += 1;
        for (sum, amount) in [
            (&mut sum.opening, opening),
            (&mut sum.topped_up, topped_up),
            (&mut sum.consumed, consumed),
            (&mut sum.closing, closing),
        ] {
            *sum = sum.and_then(|sum| sum.checked_add(*amount));
        }
    }
    for entry in entries.iter().filter(|entry| entry.period.is_none() && entry.currency().is_some()) {
        let sum = sums.iter_mut().find(|sum| is_counted_alike(sum.currency.as_deref(), entry.currency()));
        sum.into_iter().for_each(|sum| sum.unread += 1);
    }
    sums.sort_by(|one, other| (one.name.is_some(), &one.currency).cmp(&(other.name.is_some(), &other.currency)));
    sums.into_iter().map(Part::Sum).collect()
}

/// The accounts with a date, the first to run dry first.
fn runs_dry(entries: &[Entry], timezone: &TimeZone) -> Vec<Row> {
    let row = |entry: &Entry| {
        let forecast = &entry.verdict.foresight.as_ref()?.forecast;
        let lasts = forecast.lasts().filter(|_| forecast.confidence >= Confidence::Medium)?;
        let row = Row {
            amount: Some(forecast.balance),
            date: Some(lasts.until.to_zoned(timezone.clone()).date()),
            days: Some(lasts.days.floor() as i64),
            ..entry.row()
        };
        Some((lasts.days, row))
    };
    let mut rows: Vec<(f64, Row)> = entries.iter().filter_map(row).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The accounts that consumed the most of each currency that more than one account has.
fn consumed(entries: &[Entry], sums: &[Part]) -> Vec<Row> {
    let mut all = Vec::new();
    for part in sums {
        let Part::Sum(Sum { currency: Some(currency), accounts: 2.., .. }) = part else { continue };
        let row = |entry: &Entry| {
            let period = entry.period.as_ref().filter(|period| period.consumed > Decimal::ZERO)?;
            let is_it = is_counted_alike(period.currency.as_deref(), Some(currency));
            is_it.then(|| Row { amount: Some(period.consumed), ..entry.row() })
        };
        let mut rows: Vec<Row> = entries.iter().filter_map(row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.amount));
        rows.truncate(MOST_CONSUMERS);
        all.extend(rows);
    }
    all
}

/// The accounts that consume much more or much less a day than in the period before, the greatest ratio first. A ratio can be compared
/// across currencies.
fn changed(entries: &[Entry]) -> Vec<Row> {
    let row = |entry: &Entry| {
        let (period, before) = (entry.period.as_ref()?, entry.before.as_ref()?);
        let (rate, earlier) = (period.per_day?, before.per_day?);
        let is_alike = is_counted_alike(period.currency.as_deref(), before.currency.as_deref());
        let change = rate.checked_sub(earlier)?.abs();
        let is_much = change > Decimal::ZERO && change >= earlier.checked_mul(LEAST_CHANGE)?;
        // What began or ended comes first.
        let ratio = rate.max(earlier).checked_div(rate.min(earlier)).unwrap_or(Decimal::MAX);
        let row = Row { amount: Some(rate), before: Some(earlier), ..entry.row() };
        (is_alike && is_much).then_some((ratio, row))
    };
    let mut rows: Vec<(Decimal, Row)> = entries.iter().filter_map(row).collect();
    rows.sort_by_key(|(ratio, _)| std::cmp::Reverse(*ratio));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The renewals of the next days that are not paid, what is overdue first, and then what they come to in each currency.
fn renews(subscriptions: &[&SubscriptionVerdict], today: Date) -> Vec<Row> {
    let mut rows = Vec::new();
    for SubscriptionVerdict { subscription, renewal, .. } in subscriptions {
        let (Ok(renewal), Ok(schedule)) = (renewal, &subscription.schedule) else { continue };
        let mut next = renewal.ahead().map(|(next, _)| next);
        let mut is_paid = renewal.standing == Standing::Renewed;
        while let Some(date) = next.filter(|date| days(today, *date) <= AHEAD) {
            if !std::mem::take(&mut is_paid) {
                rows.push(Row {
                    name: Some(short(&subscription.name)),
                    amount: price::on(date, &subscription.prices, subscription.amount),
                    currency: subscription.currency.clone(),
                    date: Some(date),
                    days: Some(days(today, date)),
                    ..Row::default()
                });
            }
            next = date.tomorrow().ok().and_then(|day| schedule.cycle.on_or_after(day)).filter(|next| *next > date);
        }
    }
    rows.sort_by(|one, other| (one.date, &one.name).cmp(&(other.date, &other.name)));
    let mut totals: Vec<Row> = Vec::new();
    for row in rows.iter().filter(|row| row.amount.is_some() && row.currency.is_some()) {
        match totals.iter_mut().find(|total| is_counted_alike(total.currency.as_deref(), row.currency.as_deref())) {
            Some(total) => total.amount = total.amount.zip(row.amount).and_then(|(sum, more)| sum.checked_add(more)),
            None => totals.push(Row { amount: row.amount, currency: row.currency.clone(), ..Row::default() }),
        }
    }
    rows.extend(totals.into_iter().filter(|total| total.amount.is_some()));
    rows
}
