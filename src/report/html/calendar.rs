//! Subscriptions: a list, what they come to, and a calendar of the next twelve months.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Page;
use super::accounts::tone;
use super::markup::{NAME_CHARS, Words, harmless, money, small, stacked, state};
use crate::check::subscription::price;
use crate::decide::SubscriptionVerdict;
use crate::model::text;
use crate::model::words::Language;
use crate::notify::cadence;

const MONTHS: usize = 12;

/// The days of a week, from Monday on.
const WEEK: &str = "Mon Tue Wed Thu Fri Sat Sun|一 二 三 四 五 六 日";

/// All that is shown of subscriptions; empty without any.
pub(super) fn subscriptions(page: &Page, words: Words) -> String {
    let mut sorted: Vec<&SubscriptionVerdict> = page.subscriptions.iter().collect();
    sorted.sort_by_key(|verdict| verdict.status() as u8);
    let rows: String = sorted.into_iter().map(|verdict| row(verdict, words)).collect();
    if rows.is_empty() {
        return rows;
    }
    let heads = [
        ("", words.pick("Status|状态")),
        ("", words.pick("Subscription|订阅")),
        ("", words.pick("Next|下次")),
        ("", words.pick("Cycle|周期")),
        ("", words.pick("Costs|费用")),
        ("", words.pick("Paid|已付")),
    ];
    let totals: String = page
        .totals
        .iter()
        .map(|total| {
            let (count, [monthly, yearly]) = total.figures();
            let parts = [count.to_string(), harmless(&monthly, 60), harmless(&yearly, 60)];
            let both = "Subscriptions: {}; {} a month, {} a year|订阅 {} 项：每月 {}，每年 {}";
            format!("<p>{}</p>", words.with(both, &parts.each_ref().map(String::as_str)))
        })
        .collect();
    let list = super::markup::list(words.pick("Subscriptions|订阅"), &heads, &rows, true);
    format!("{list}{totals}<div class=\"months\">{}</div>", calendar(page.subscriptions, page.today, words))
}

/// What a renewal on a day costs, as it is shown.
fn cost(verdict: &SubscriptionVerdict, day: Date) -> String {
    let subscription = &verdict.subscription;
    let amount: Option<Decimal> = price::on(day, &subscription.prices, subscription.amount);
    amount.map(|amount| money(amount, subscription.currency.as_deref())).unwrap_or_default()
}

fn row(verdict: &SubscriptionVerdict, words: Words) -> String {
    let subscription = &verdict.subscription;
    let status = verdict.status();
    let owner = subscription.owner_project.as_deref().map(|owner| harmless(owner, text::OWNER_CHARS));
    let next = verdict.renewal.as_ref().ok().map(|renewal| renewal.next);
    let paid = subscription.schedule.as_ref().ok().and_then(|schedule| schedule.last_renewed);
    let shown = |day: Option<Date>| day.map(|day| format!("<span class=\"when\">{day}</span>")).unwrap_or_default();
    stacked(
        1,
        &[
            ("", state(tone(status.as_str()), &words.word(status.as_str()))),
            ("", harmless(&subscription.name, NAME_CHARS) + &small(&owner.unwrap_or_default())),
            (words.pick("Next|下次"), shown(next)),
            ("", subscription.cadence().map(|cycle| harmless(&cadence(cycle, words.0), 40)).unwrap_or_default()),
            ("", next.map(|next| cost(verdict, next)).unwrap_or_default()),
            (words.pick("Paid|已付"), shown(paid)),
        ],
    )
}

/// The months from that of `today` on.
fn calendar(subscriptions: &[SubscriptionVerdict], today: Date, words: Words) -> String {
    let firsts = std::iter::successors(Some(today.first_of_month()), |first| first.checked_add(1.month()).ok());
    firsts.take(MONTHS).map(|first| month(subscriptions, first, today, words)).collect()
}

/// A month: its days, and below it what renews on which of them.
fn month(subscriptions: &[SubscriptionVerdict], first: Date, today: Date, words: Words) -> String {
    let mut marked = BTreeSet::new();
    let mut items = String::new();
    for verdict in subscriptions {
        let days = due(verdict, first, today);
        let Some(day) = days.first() else { continue };
        marked.extend(days.iter().map(|day| usize::from(day.day().unsigned_abs())));
        let numbers: Vec<String> = days.iter().map(|day| day.day().to_string()).collect();
        let cost = cost(verdict, *day);
        let cost = if cost.is_empty() { cost } else { format!(" · {cost}") };
        let name = harmless(&verdict.subscription.name, NAME_CHARS);
        items.push_str(&format!("<li><b>{}</b> {name}{cost}</li>", numbers.join(", ")));
    }
    let title = first.strftime(match words.0 {
        Language::En => "%B %Y",
        Language::Zh => "%Y 年 %-m 月",
    });
    let heads: String = words.pick(WEEK).split(' ').map(|day| format!("<th scope=\"col\">{day}</th>")).collect();
    let blank = usize::from(first.weekday().to_monday_zero_offset().unsigned_abs());
    let mut cells = "<td></td>".repeat(blank);
    let days = usize::from(first.days_in_month().unsigned_abs());
    for day in 1..=days {
        cells.push_str(&if marked.contains(&day) {
            format!("<td><b>{day}</b></td>")
        } else {
            format!("<td>{day}</td>")
        });
        if (blank + day) % 7 == 0 && day < days {
            cells.push_str("</tr><tr>");
        }
    }
    format!(
        "<div class=\"month\"><table><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody>\
         </table><ul>{items}</ul></div>\n"
    )
}

/// The days of a month on which something renews, from today on; what is overdue stands on its day.
fn due(verdict: &SubscriptionVerdict, first: Date, today: Date) -> Vec<Date> {
    let (Ok(schedule), Ok(renewal)) = (&verdict.subscription.schedule, &verdict.renewal) else { return Vec::new() };
    // What is over renews no more.
    let Some((next, _)) = renewal.ahead() else { return Vec::new() };
    let mut days = Vec::new();
    // What was missed this month is still to be paid.
    let mut from = first.max(next.min(today));
    while let Some(day) = schedule.cycle.on_or_after(from).filter(|day| *day <= first.last_of_month()) {
        days.push(day);
        let Ok(next) = day.tomorrow() else { break };
        from = next;
    }
    days
}
