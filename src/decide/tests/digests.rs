//! What a period came to, in sums and lists.

use super::runways::steady;
use super::*;
use crate::check::Expiring;
use crate::check::subscription::config::{Schedule, Subscription};
use crate::check::subscription::{Cycle, look};
use crate::decide::digest::{Past, Period, digest};
use crate::decide::forecast::account::Reading as Read;
use crate::model::alert::{List, Part, Row, Span, Sum};
use crate::yaml::forecasting::USUAL;

/// A Wednesday.
const NOW: &str = "2026-12-02T08:00:00Z";

#[test]
fn the_last_whole_period_counts() {
    for (span, today, want) in [
        (Span::Day, "2026-12-01", "2026-11-30 2026-11-30 2026-11-29"),
        (Span::Week, "2026-12-02", "2026-11-23 2026-11-29 2026-11-16"),
        (Span::Week, "2026-11-30", "2026-11-23 2026-11-29 2026-11-16"),
        (Span::Week, "2026-11-29", "2026-11-16 2026-11-22 2026-11-09"),
        (Span::Week, "2027-01-03", "2026-12-21 2026-12-27 2026-12-14"),
        (Span::Month, "2026-12-31", "2026-11-01 2026-11-30 2026-10-01"),
        (Span::Month, "2027-03-01", "2027-02-01 2027-02-28 2027-01-01"),
        (Span::Month, "2028-03-31", "2028-02-01 2028-02-29 2028-01-01"),
    ] {
        let period = Period::last(span, today.parse().unwrap());
        assert_eq!(format!("{} {} {}", period.first, period.last_day(), period.before), want, "{span:?} on {today}");
    }
}

/// An account: its name, its currency, and its balances at days before now, the oldest first.
type Account = (&'static str, &'static str, &'static [(i64, i64)]);

/// Their digest of the last week, in short lines.
fn told(accounts: &[Account], change: impl Fn(&mut Found)) -> Vec<String> {
    let now: Timestamp = NOW.parse().unwrap();
    let mut readings = BTreeMap::new();
    let mut verdicts = Vec::new();
    for (name, currency, balances) in accounts {
        let identity = Identity::of("project", name, &[]);
        let read = |(days, balance): &(i64, i64)| Read {
            at: now - jiff::SignedDuration::from_hours(24 * days),
            balance: (*balance).into(),
            currency: Some((*currency).to_owned()),
        };
        readings.insert(identity, balances.iter().map(read).collect::<Vec<_>>());
        let subject = Subject {
            identity,
            name: (*name).to_owned(),
            currency: Some((*currency).to_owned()).filter(|currency| !currency.is_empty()),
            forecasting: Some(USUAL),
            ..subject("0", None)
        };
        verdicts.extend(judge(vec![(subject, of("1"))]));
    }
    let mut found = Found { accounts: verdicts, today: "2026-12-02".parse().unwrap(), ..Found::default() };
    change(&mut found);
    let unread_since = [(Identity::of("project", "A", &[]), now - jiff::SignedDuration::from_hours(72))].into();
    let period = Period::last(Span::Week, found.today);
    let past = Past { now, timezone: &TimeZone::UTC, period, readings: &readings, unread_since: &unread_since };
    digest(&found, &past, &|_| true).told().into_iter().flat_map(|one| lines(&one.part)).collect()
}

fn lines(part: &Part) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |amount: Option<Decimal>| amount.map_or_else(|| "?".to_owned(), |amount| amount.to_string());
    match part {
        Part::Sum(Sum { name, currency, accounts, unread, opening, topped_up, consumed, closing }) => {
            let sums = [opening, topped_up, consumed, closing].map(|amount| number(*amount)).join(" ");
            vec![format!("{}{} {accounts}/{unread}: {sums}", text(name), text(currency))]
        }
        Part::List(list, rows, more) => {
            let row = |Row { name, amount, before, currency, date, days, word }: &Row| {
                let date = date.map(|date| date.to_string()).unwrap_or_default();
                let days = days.map(|days| days.to_string()).unwrap_or_default();
                let before = before.map(|before| format!("<{before}")).unwrap_or_default();
                let amount = amount.map(|amount| amount.to_string()).unwrap_or_default();
                let said = [text(name), amount + &before, text(currency), date, days, text(word)];
                said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
            };
            let mut said: Vec<String> = rows.iter().map(|one| format!("{}: {}", list.as_str(), row(one))).collect();
            said.extend((*more > 0).then(|| format!("{}: {more} more", list.as_str())));
            said.extend((*list == List::Empty).then(|| "empty".to_owned()));
            said
        }
    }
}

#[test]
fn currencies_are_never_added_to_each_other() {
    // The week lies from nine days and eight hours until two days and eight hours ago.
    let cases: &[(&str, &[Account], &[&str])] = &[
        ("nobody", &[], &[]),
        ("nothing was read", &[("A", "USD", &[(12, 9), (1, 3)])], &["empty"]),
        (
            "one account",
            &[("A", "USD", &[(10, 100), (6, 60), (5, 160), (3, 150), (1, 20)])],
            &["USD 1/0: 100 100 50 150"],
        ),
        (
            "two of a currency, one of another, one without",
            &[
                ("A", "USD", &[(10, 100), (3, 60)]),
                ("B", "usd", &[(8, 10), (3, 8)]),
                ("C", "CNY", &[(10, 700), (3, 650)]),
                ("D", "", &[(10, 5), (3, 4)]),
                ("E", "", &[(10, 7), (3, 4)]),
                ("F", "USD", &[(12, 7)]),
            ],
            &[
                "CNY 1/0: 700 0 50 650",
                "USD 2/1: 110 0 42 68",
                "D 1/0: 5 0 1 4",
                "E 1/0: 7 0 3 4",
                "most_consumed: A 40 USD",
                "most_consumed: B 2 usd",
            ],
        ),
        (
            "many without a currency",
            &[
                ("A", "", &[(9, 10), (3, 9)]),
                ("B", "", &[(9, 10), (3, 9)]),
                ("C", "", &[(9, 10), (3, 9)]),
                ("D", "", &[(9, 10), (3, 9)]),
                ("E", "", &[(9, 10), (3, 9)]),
                ("F", "", &[(9, 10), (3, 9)]),
                ("G", "", &[(9, 10), (3, 9)]),
            ],
            &[
                "A 1/0: 10 0 1 9",
                "B 1/0: 10 0 1 9",
                "C 1/0: 10 0 1 9",
                "D 1/0: 10 0 1 9",
                "E 1/0: 10 0 1 9",
                "others: 2 more",
            ],
        ),
        (
            "the three that consumed most, of each currency",
            &[
                ("A", "USD", &[(9, 10), (3, 9)]),
                ("B", "USD", &[(9, 10), (3, 7)]),
                ("C", "USD", &[(9, 10), (3, 8)]),
                ("D", "USD", &[(9, 10), (3, 6)]),
                ("E", "EUR", &[(9, 10), (3, 10)]),
                ("F", "EUR", &[(9, 10), (3, 1)]),
            ],
            &[
                "EUR 2/0: 20 0 9 11",
                "USD 4/0: 40 0 10 30",
                "most_consumed: F 9 EUR",
                "most_consumed: D 4 USD",
                "most_consumed: B 3 USD",
                "most_consumed: C 2 USD",
            ],
        ),
        (
            "what changed most, across currencies",
            &[
                ("A", "USD", &[(16, 100), (10, 94), (9, 93), (3, 87)]),
                ("B", "CNY", &[(16, 600), (10, 594), (9, 593), (3, 533)]),
                ("C", "EUR", &[(16, 600), (10, 600), (9, 600), (3, 594)]),
                ("D", "GBP", &[(16, 900), (10, 870), (9, 865), (3, 841)]),
            ],
            &[
                "CNY 1/0: 594 0 61 533",
                "EUR 1/0: 600 0 6 594",
                "GBP 1/0: 870 0 29 841",
                "USD 1/0: 94 0 7 87",
                "changed_most: C 0.857143<0 EUR",
                "changed_most: B 8.71429<1 CNY",
            ],
        ),
    ];
    for (name, accounts, want) in cases {
        assert_eq!(told(accounts, |_| {}), *want, "{name}");
    }
}

#[test]
fn what_runs_dry_renews_lapses_and_cannot_be_read_is_listed() {
    let accounts: &[Account] = &[("A", "USD", &[(10, 9), (3, 8)])];
    let subscription = |name: &str, cycle: Cycle, paid: Option<&str>, currency: &str| {
        let today = "2026-12-02".parse().unwrap();
        let last_renewed = paid.map(|paid| paid.parse().unwrap());
        let schedule =
            Schedule { cycle, renewal_day: String::new(), alert_days_before: 3, last_renewed, follows_payment: false };
        let subscription = Subscription {
            name: name.into(),
            schedule: Ok(schedule),
            amount: Some(Decimal::TEN),
            prices: Vec::new(),
            currency: Some(currency.to_owned()).filter(|currency| !currency.is_empty()),
            owner_project: None,
            addressing: Addressing::default(),
        };
        let renewal = Ok(look(cycle, 3, last_renewed, today).unwrap());
        SubscriptionVerdict { identity: Identity::of("subscription", name, &[]), subscription, renewal }
    };
    type Change = Box<dyn Fn(&mut Found)>;
    let cases: Vec<(&str, Change, Vec<&str>)> = vec![
        (
            "it runs dry",
            Box::new(|found| found.accounts[0].foresight = Some(steady())),
            vec!["runs_dry: A 400 USD 2027-01-19 4"],
        ),
        (
            "it cannot be read",
            Box::new(|found| found.accounts[0].failure = Some(Failure::new(Reason::Timeout, "private"))),
            vec!["unread: A 2026-11-29 timeout"],
        ),
        (
            "subscriptions of thirty days",
            Box::new(move |found| {
                found.subscriptions = vec![
                    subscription("monthly", Cycle::Monthly(15), None, "USD"),
                    subscription("weekly", Cycle::Weekly(1), None, "EUR"),
                    subscription("paid", Cycle::Monthly(5), Some("2026-12-01"), "USD"),
                    subscription("overdue", Cycle::Monthly(28), Some("2026-10-28"), "USD"),
                    subscription("far", Cycle::Monthly(2), Some("2026-12-02"), ""),
                    subscription("ended", Cycle::Once("2026-11-30".parse().unwrap()), None, ""),
                    subscription("ends", Cycle::Once("2026-12-31".parse().unwrap()), None, ""),
                ]
            }),
            vec![
                "renews: overdue 10 USD 2026-11-28 -4",
                "renews: weekly 10 EUR 2026-12-07 5",
                "renews: weekly 10 EUR 2026-12-14 12",
                "renews: monthly 10 USD 2026-12-15 13",
                "renews: weekly 10 EUR 2026-12-21 19",
                "renews: overdue 10 USD 2026-12-28 26",
                "renews: weekly 10 EUR 2026-12-28 26",
                "renews: ends 10 2026-12-31 29",
                "renews: 30 USD",
                "renews: 40 EUR",
            ],
        ),
        (
            "credits that lapse, at an unknown and at a known rate",
            Box::new(|found| {
                let credit = |name: Option<&str>, amount: i64, date: &str| Expiring {
                    credit: name.map(str::to_owned),
                    amount: Some(amount.into()),
                    date: Some(date.parse().unwrap()),
                };
                found.accounts[0].beside.expires = vec![
                    credit(Some("far"), 5, "2027-02-01T00:00:00Z"),
                    credit(Some("welcome"), 5, "2026-12-20T00:00:00Z"),
                    credit(None, 7, "2026-12-10T00:00:00Z"),
                ];
            }),
            vec!["lapses: A 7 USD 2026-12-10", "lapses: A 5 USD 2026-12-20 welcome"],
        ),
    ];
    for (name, change, want) in cases {
        let told = told(accounts, change);
        assert_eq!(told[0], "USD 1/0: 9 0 1 8", "{name}");
        assert_eq!(told[1..], want, "{name}");
    }
}

/// Long lists are cut in messages, and what they come to is still told.
#[test]
fn long_lists_are_cut() {
    let cycle = Cycle::Weekly(1);
    let told = told(&[], |found| {
        let schedule = Schedule {
            cycle,
            renewal_day: String::new(),
            alert_days_before: 3,
            last_renewed: None,
            follows_payment: false,
        };
        let one = |number: usize| {
            let subscription = Subscription {
                name: format!("S{number}"),
                schedule: Ok(schedule.clone()),
                amount: Some(Decimal::ONE),
                prices: Vec::new(),
                currency: Some("USD".into()),
                owner_project: None,
                addressing: Addressing::default(),
            };
            let renewal = Ok(look(cycle, 3, None, found.today).unwrap());
            SubscriptionVerdict { identity: Identity(number as i64), subscription, renewal }
        };
        found.subscriptions = (0..5).map(one).collect();
    });
    assert_eq!(told.len(), 14, "{told:?}");
    assert_eq!(told[12..], ["renews: 20 USD", "renews: 8 more"]);
}
