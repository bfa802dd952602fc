//! What a digest says, in both languages.

use super::super::neutral::markdown;
use super::super::{digest_text, phrases_of};
use super::*;
use crate::model::alert::Span;
use crate::model::words::Language;

fn number(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

fn parts() -> Vec<Part> {
    let row = |name: &str, amount: &str, date: &str, days| Row {
        name: Some(name.to_owned()),
        amount: number(amount),
        currency: Some("USD".to_owned()),
        date: date.parse().ok(),
        days,
        ..Row::default()
    };
    let sum = Sum {
        name: None,
        currency: Some("USD".to_owned()),
        accounts: 3,
        unread: 0,
        opening: number("1200"),
        topped_up: number("500"),
        consumed: number("620"),
        closing: number("1080"),
    };
    let unread = |date: &str| Row { word: Some("timeout".to_owned()), amount: None, ..row("Kling", "", date, None) };
    let total =
        |amount, currency: &str| Row { amount: number(amount), currency: Some(currency.to_owned()), ..Row::default() };
    vec![
        Part::Sum(sum.clone()),
        Part::Sum(Sum { accounts: 1, unread: 2, closing: None, ..sum.clone() }),
        Part::Sum(Sum { name: Some("Points".to_owned()), currency: None, accounts: 1, ..sum }),
        Part::List(List::RunsDry, vec![row("DeepSeek", "100", "2026-12-04", Some(2))], 0),
        Part::List(List::Consumed, vec![row("A", "1200", "", None), row("B", "4.5", "", None)], 7),
        Part::List(List::Changed, vec![Row { before: number("3"), ..row("A", "12.5", "", None) }], 0),
        Part::List(
            List::Renews,
            vec![
                row("Old", "9", "2026-11-28", Some(-4)),
                row("Now", "", "2026-12-02", Some(0)),
                row("GitHub", "10", "2026-12-15", Some(13)),
                total("19", "USD"),
                total("3", "CNY"),
            ],
            0,
        ),
        Part::List(
            List::Lapses,
            vec![Row { word: Some("Welcome".to_owned()), ..row("A", "5", "2026-12-20", None) }],
            0,
        ),
        Part::List(List::Unread, vec![unread("2026-11-29"), unread("")], 0),
        Part::List(List::Empty, Vec::new(), 0),
        Part::List(List::Others, Vec::new(), 4),
    ]
}

#[test]
fn every_part_is_said_in_both_languages() {
    let parts: Vec<Digest> = parts()
        .into_iter()
        .map(|part| Digest {
            span: Span::Week,
            first: "2026-11-23".parse().unwrap(),
            last: "2026-11-29".parse().unwrap(),
            part,
        })
        .collect();
    let said = |language| {
        let (title, parts) = digest_text(&parts, language);
        let parts = parts.into_iter().map(|(heading, lines)| format!("{heading} | {}", lines.join(" | ")));
        std::iter::once(title).chain(parts).collect::<Vec<_>>()
    };
    assert_eq!(
        said(Language::En),
        [
            "Weekly balance digest, 2026-11-23 to 2026-11-29",
            "USD, 3 accounts | opened at 1,200.00 USD, topped up 500.00 USD, consumed 620.00 USD, closed at 1,080.00 USD",
            "USD, 1 account | opened at 1,200.00 USD, topped up 500.00 USD, consumed 620.00 USD, closed at ?; 2 more could not be read then",
            "Points | opened at 1,200, topped up 500, consumed 620, closed at 1,080",
            "First to run dry | DeepSeek: 100.00 USD lasts until about 2026-12-04 (2 d)",
            "Consumed most | A: 1,200.00 USD | B: 4.50 USD | 7 more",
            "Changed most | A: 12.50 USD a day instead of 3.00 USD",
            "Renewals of the next 30 days | Old: overdue since 2026-11-28, 9.00 USD | Now: today | GitHub: 2026-12-15 (13 d), 10.00 USD | in all: 19.00 USD + 3.00 CNY",
            "Lapses within 30 days | A “Welcome”: 5.00 USD on 2026-12-20",
            "Cannot be read | Kling: timeout, since 2026-11-29 | Kling: timeout",
            "All accounts | no balance was read in this time",
            "Accounts without a currency | 4 more",
        ]
    );
    assert_eq!(
        said(Language::Zh),
        [
            "余额周报 2026-11-23 至 2026-11-29",
            "USD，3 个账户 | 期初 1,200.00 USD，充值 500.00 USD，消耗 620.00 USD，期末 1,080.00 USD",
            "USD，1 个账户 | 期初 1,200.00 USD，充值 500.00 USD，消耗 620.00 USD，期末 ?；另有 2 个账户在此期间未能读取",
            "Points | 期初 1,200，充值 500，消耗 620，期末 1,080",
            "最先用尽 | DeepSeek：余额 100.00 USD，预计可用至 2026-12-04（2 天）",
            "消耗最多 | A：1,200.00 USD | B：4.50 USD | 另有 7 项",
            "变化最大 | A：日均 12.50 USD，此前为 3.00 USD",
            "未来 30 天的续费 | Old：自 2026-11-28 起逾期，9.00 USD | Now：今天 | GitHub：2026-12-15（13 天后），10.00 USD | 合计：19.00 USD + 3.00 CNY",
            "30 天内过期的额度 | A “Welcome”：5.00 USD，2026-12-20 过期",
            "无法读取 | Kling：timeout，自 2026-11-29 起 | Kling：timeout",
            "全部账户 | 在此期间没有读取到余额",
            "没有币种的账户 | 另有 4 项",
        ]
    );
}

#[test]
fn what_others_have_written_is_no_template_and_formats_nothing() {
    let evil = "{amount} [x](http://evil) @all";
    let row = Row {
        name: Some(evil.to_owned()),
        word: Some("{name}".to_owned()),
        currency: Some("{date}".to_owned()),
        amount: number("1"),
        ..Row::default()
    };
    for list in List::ALL {
        let said = text(phrases_of(Language::En), &Part::List(list, vec![row.clone(), row.clone()], 0), markdown);
        assert!(!said.contains("](") && !said.contains('@') && !said.contains("://"), "{said}");
        if !matches!(list, List::Empty | List::Others) {
            assert!(said.contains("\n  • {amount} ［x］"), "{said}");
        }
    }
}
