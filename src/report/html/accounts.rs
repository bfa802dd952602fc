//! Accounts and mailboxes: a row of the table for each, and a card with the chart for those that have a history.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Page;
use super::chart::{chart, spark};
use super::markup::{NAME_CHARS, Words, day, harmless, list, minute, money, small, state};
use crate::decide::Status;
use crate::decide::forecast::account::{Foresight, is_counted_alike};
use crate::decide::forecast::{Forecast, Movement, Outlook, Point, top_ups};
use crate::model::amount;
use crate::model::text::{self, ShortNames};
use crate::report::curve::{self, Curve};
use crate::state::queries::Known;
use crate::state::sightings::Sighting;

/// The most top-ups of an account that are named one by one.
const MOST_NAMED: usize = 3;

/// An account or a mailbox.
pub(crate) struct Account<'a> {
    known: &'a Known,
    /// When it was looked at, and the balance; none where it was not read. All balances have one currency.
    readings: Vec<(Timestamp, Option<Decimal>)>,
    foresight: Option<Foresight>,
    /// Where the balance rose.
    top_ups: Vec<Movement>,
}

impl<'a> Account<'a> {
    /// What is known of it, what runs have seen of it, oldest first, and what is expected of it. A quota that `refills` is not topped up.
    pub(crate) fn new(
        known: &'a Known,
        sightings: &[Sighting],
        foresight: Option<Foresight>,
        refills: bool,
        now: Timestamp,
    ) -> Account<'a> {
        let counted = |sighting: &Sighting| {
            let currency = sighting.currency.clone().or(known.currency.clone());
            currency.filter(|currency| !currency.is_empty())
        };
        let newest = sightings.iter().rev().find(|sighting| sighting.balance.is_some());
        let newest = newest.map_or(known.currency.clone(), counted);
        // Amounts in two currencies have no curve together.
        let alike = sightings.iter().rev().take_while(|sighting| {
            sighting.balance.is_none() || is_counted_alike(counted(sighting).as_deref(), newest.as_deref())
        });
        let mut readings: Vec<_> = alike.map(|sighting| (sighting.at, sighting.balance)).collect();
        readings.reverse();
        let point = |(at, balance): &(Timestamp, Option<Decimal>)| {
            balance.map(|balance| Point { at: *at, balance, usage: None })
        };
        let points: Vec<Point> = readings.iter().filter_map(point).collect();
        let top_ups = if refills { Vec::new() } else { top_ups(&points, now) };
        Account { known, readings, foresight, top_ups }
    }

    fn curve(&self) -> Curve<'_> {
        Curve {
            readings: self.readings.clone(),
            threshold: self.known.threshold,
            currency: self.known.currency.as_deref(),
            ahead: self.forecast().and_then(curve::ahead),
        }
    }

    fn forecast(&self) -> Option<&Forecast> {
        self.foresight.as_ref().map(|foresight| &foresight.forecast)
    }

    fn money(&self, amount: Decimal) -> String {
        money(amount, self.known.currency.as_deref())
    }

    /// The balance that is shown, and since when it is, if that is not the last run.
    fn balance(&self) -> Option<(String, Decimal, Option<Timestamp>)> {
        let Known { balance, last_read, as_of, currency, threshold, .. } = self.known;
        let shown = |balance, currency: Option<&str>| harmless(&amount::show_beside(balance, *threshold, currency), 60);
        let last = || {
            last_read.as_ref().map(|last| (shown(last.balance, last.currency.as_deref()), last.balance, Some(last.at)))
        };
        balance.map(|balance| (shown(balance, currency.as_deref()), balance, *as_of)).or_else(last)
    }

    /// How long it lasts, for a cell: in days, in words, and until when.
    fn lasts(&self, words: Words) -> (String, String, String) {
        let Some(forecast) = self.forecast() else { return Default::default() };
        match &forecast.outlook {
            Outlook::Lasts(lasts) => {
                let least = format!("{:.0}", lasts.least.floor());
                let range = match lasts.most {
                    Some(most) => words.with("{}–{} days|{}–{} 天", &[&least, &format!("{:.0}", most.ceil())]),
                    None => words.with("{} days or more|至少 {} 天", &[&least]),
                };
                (format!("{:.1}", lasts.days), range, format!("≈ {}", day(lasts.until)))
            }
            Outlook::Beyond => ("99999".to_owned(), words.pick("over 10 years|十年以上").to_owned(), String::new()),
            Outlook::Irregular { .. } => (String::new(), words.pick("irregular|无规律").to_owned(), String::new()),
            Outlook::Unknown => Default::default(),
        }
    }
}

/// The colour of a state.
pub(super) fn tone(status: &str) -> &'static str {
    match status {
        "low" | "overdue" => "bad",
        "warning" | "due" | "alert" => "soon",
        "failed" => "unknown",
        "ok" | "renewed" | "unlimited" => "good",
        _ => "off",
    }
}

/// The accounts, worst first, each with its number.
fn sorted<'a>(page: &'a Page) -> Vec<(usize, &'a Account<'a>)> {
    let mut accounts: Vec<&Account> = page.accounts.iter().collect();
    let rank = |known: &Known| Status::parse(&known.status).map_or(u8::MAX, |status| status as u8);
    accounts.sort_by_key(|account| (rank(account.known), &account.known.name));
    accounts.into_iter().enumerate().collect()
}

fn names(page: &Page) -> ShortNames {
    ShortNames::new(page.accounts.iter().map(|account| account.known.name.as_str()), NAME_CHARS)
}

/// How many accounts are in each state: for the head of the page, and for the choice of a state.
pub(super) fn counts(page: &Page, words: Words) -> (String, String) {
    let mut counts: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for account in &page.accounts {
        let status = account.known.status.as_str();
        *counts.entry((Status::parse(status).map_or(u8::MAX, |status| status as u8), status)).or_default() += 1;
    }
    let (mut chips, mut options) = (String::new(), String::new());
    for ((_, status), count) in counts {
        let word = words.word(status);
        chips.push_str(&format!("<li>{} {count}</li>", state(tone(status), &word)));
        options.push_str(&format!("<option value=\"{}\">{word}</option>", harmless(status, 40)));
    }
    (chips, options)
}

/// The table.
pub(super) fn table(page: &Page, words: Words) -> String {
    let names = names(page);
    let mut rows = String::new();
    for (number, account) in sorted(page) {
        row(&mut rows, number, account, &harmless(names.get(&account.known.name), NAME_CHARS), words);
    }
    let heads = [
        ("", words.pick("Status|状态")),
        ("", words.pick("Account|账户")),
        ("num", words.pick("Balance|余额")),
        ("num wide", words.pick("Threshold|阈值")),
        ("num", words.pick("Lasts|可用")),
        ("", ""),
    ];
    list(words.pick("Accounts and mailboxes, the worst first|账户与邮箱，最差的在前"), &heads, &rows, false)
}

fn row(out: &mut String, number: usize, account: &Account, name: &str, words: Words) {
    let known = account.known;
    let status = state(tone(&known.status), &words.word(&known.status));
    let mut about: Vec<String> = known.owner_project.iter().map(|owner| harmless(owner, text::OWNER_CHARS)).collect();
    about.push(harmless(&known.provider, 40));
    about.extend(known.reason.as_ref().map(|reason| harmless(reason, 40)));
    let (balance, amount, of) = account.balance().map_or_else(Default::default, |(shown, amount, at)| {
        (shown, amount.normalize().to_string(), at.map(|at| words.with("as of {}|截至 {}", &[&unbroken(&day(at))])))
    });
    let of = small(&of.unwrap_or_default());
    let (limit, threshold) = known.threshold.map_or_else(Default::default, |threshold| {
        let shown = amount::show_beside(threshold, known.balance, known.currency.as_deref());
        (threshold.normalize().to_string(), harmless(&shown, 60))
    });
    let (days, lasts, until) = account.lasts(words);
    let (spark, link) = match spark(&account.curve()) {
        spark if spark.is_empty() => (String::new(), name.to_owned()),
        spark => {
            let label = words.with("chart of {}|{} 的图表", &[name]);
            (
                format!("<a href=\"#c{number}\" aria-label=\"{label}\">{spark}</a>"),
                format!("<a href=\"#c{number}\">{name}</a>"),
            )
        }
    };
    out.push_str(&format!(
        "<tr id=\"r{number}\" data-s=\"{}\"><td>{status}</td><th scope=\"row\">{link}{}</th>\
         <td class=\"num\" data-v=\"{amount}\">{balance}{of}</td>\
         <td class=\"num wide\" data-v=\"{limit}\">{threshold}</td><td class=\"num\" data-v=\"{days}\">{lasts}{}</td>\
         <td>{spark}</td></tr>\n",
        harmless(&known.status, 40),
        small(&about.join(" · ")),
        small(&unbroken(&until)),
    ));
}

/// What stays on one line.
fn unbroken(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!("<span class=\"when\">{what}</span>") }
}

/// The cards.
pub(super) fn cards(page: &Page, words: Words) -> String {
    let names = names(page);
    let mut cards = String::new();
    for (number, account) in sorted(page) {
        let name = harmless(names.get(&account.known.name), NAME_CHARS);
        let facts = facts(account, words);
        let drawn = chart(&account.curve(), &account.top_ups, &format!("{name}: {}", facts.join(", ")));
        if !drawn.is_empty() {
            let facts: String = facts.iter().map(|fact| format!("<li>{fact}</li>")).collect();
            cards.push_str(&format!(
                "<section class=\"card\" id=\"c{number}\" aria-labelledby=\"n{number}\"><h3 id=\"n{number}\">{name}</h3>\
                 {drawn}<ul>{facts}</ul></section>\n"
            ));
        }
    }
    if cards.is_empty() {
        return cards;
    }
    let legend = words.pick(
        "The red line is the threshold. A triangle is a top-up. Where nothing was read the line has a gap. The pale area is what is \
         expected.|红线为阈值，三角为充值；没有读到余额之处，线会断开；浅色区域为预计走势。",
    );
    format!("<p class=\"faint\">{legend}</p><div class=\"cards\">{cards}</div>")
}

/// What there is to say of a chart, for people who see it and for those who do not.
fn facts(account: &Account, words: Words) -> Vec<String> {
    let mut facts = Vec::new();
    if let Some((shown, _, at)) = account.balance() {
        let at = minute(at.unwrap_or(account.known.checked_at));
        facts.push(words.with("{} on {}|{}（{}）", &[&shown, &at]));
    }
    let balances = || account.readings.iter().filter_map(|(_, balance)| *balance);
    if let (Some(least), Some(most), Some((first, _))) = (balances().min(), balances().max(), account.readings.first())
    {
        let parts = [account.money(least), account.money(most), day(*first)];
        facts.push(words.with("{} to {} since {}|{} 至 {}，自 {}", &parts.each_ref().map(String::as_str)));
    }
    if let Some(threshold) = account.known.threshold {
        facts.push(words.with("threshold {}|阈值 {}", &[&account.money(threshold)]));
    }
    if let Some(forecast) = account.forecast() {
        facts.extend(
            forecast.burn_per_day.map(|burn| words.with("consumes {} a day|日均消耗 {}", &[&account.money(burn)])),
        );
        let (_, lasts, until) = account.lasts(words);
        if forecast.lasts().is_some() {
            let confidence = words.word(forecast.confidence.as_str());
            facts.push(words.with("lasts {}, {}, confidence {}|可用 {}，{}，置信度{}", &[&lasts, &until, &confidence]));
        }
    }
    let named: Vec<String> = account
        .top_ups
        .iter()
        .rev()
        .take(MOST_NAMED)
        .map(|top_up| format!("{} +{}", day(top_up.at), account.money(top_up.amount)))
        .collect();
    if !named.is_empty() {
        let (count, named) = (account.top_ups.len().to_string(), named.join("; "));
        facts.push(words.with("top-ups: {}; the last: {}|充值 {} 次，最近：{}", &[&count, &named]));
    }
    facts
}
