//! Credits that lapse before they are used up, run after run.

use super::runways::steady;
use super::*;
use crate::check::Expiring;
use crate::decide::forecast::account::{Foresight, Standing};
use crate::decide::forecast::spike::Today;
use crate::model::forecasting::Forecasting;
use crate::yaml::forecasting::USUAL;

const DAY: i64 = 86_400;

/// A credit: its name, what is left of it, and the day on which it lapses.
type Credit = (&'static str, i64, i64);

/// A verdict about an account that consumes 96 a day and has so much and these credits.
fn verdict(balance: &str, expiry_days: u32, credits: &[Credit]) -> Verdict {
    let outcome = match balance {
        "failed" => outcome(Err(Failure::new(Reason::Timeout, "x"))),
        balance => of(balance),
    };
    let forecasting = Some(Forecasting { alert_days: 0, expiry_days, ..USUAL });
    let mut verdict = judge(vec![(Subject { forecasting, ..subject("100", None) }, outcome)]).remove(0);
    verdict.foresight = Some(Foresight { standing: Standing::Unknown, today: Today::Unknown, ..steady() });
    let credit = |(name, amount, day): &Credit| Expiring {
        credit: Some((*name).to_owned()).filter(|name| !name.is_empty()),
        amount: Some((*amount).into()),
        date: Some(at(day * DAY + 60)),
    };
    verdict.beside.expires = credits.iter().map(credit).collect();
    verdict
}

/// Runs on these days. The account has 5 000.
fn life(expiry_days: u32, runs: &[(i64, &[Credit])]) -> Vec<String> {
    let mut life = Life::new("100", None);
    let run = |(day, credits): &(i64, &[Credit])| {
        life.go(day * DAY, &accounts(&[verdict("5000", expiry_days, credits)]), true)
    };
    runs.iter().map(run).collect()
}

#[test]
fn each_credit_that_lapses_is_told_once() {
    const A: Credit = ("a", 2_000, 10);
    const LATER: Credit = ("a", 2_000, 12);
    const B: Credit = ("b", 2_000, 10);
    const USED: Credit = ("a", 900, 10);
    const FEW: Credit = ("a", 1_000, 10);
    for (name, days, runs, want) in [
        ("it is used up in time", 14, vec![(0, &[USED][..])], vec![""]),
        ("less than a twentieth is left", 14, vec![(0, &[FEW])], vec![""]),
        ("it is told once", 14, vec![(0, &[A]), (1, &[A]), (8, &[A])], vec!["+expiry", "~", "~"]),
        ("it lies too far ahead", 9, vec![(0, &[A]), (2, &[A])], vec!["", "+expiry"]),
        ("nobody wants to be told", 0, vec![(0, &[A])], vec![""]),
        ("another date is told", 14, vec![(0, &[A]), (1, &[LATER])], vec!["+expiry", "+expiry"]),
        ("another credit is told", 14, vec![(0, &[A]), (1, &[A, B])], vec!["+expiry", "+expiry"]),
        (
            "what changes its mind is not told again",
            14,
            vec![(0, &[A]), (1, &[USED]), (2, &[A]), (3, &[A, B]), (4, &[B]), (5, &[A, B])],
            vec!["+expiry", "", "~", "+expiry", "~", "~"],
        ),
        ("it is over without a word", 14, vec![(0, &[A]), (1, &[]), (2, &[A])], vec!["+expiry", "", "+expiry"]),
        ("its day has passed", 14, vec![(0, &[A]), (11, &[A])], vec!["+expiry", ""]),
    ] {
        assert_eq!(life(days, &runs), want, "{name}");
    }
}

/// The credits of the first alert: name, what is unused, days, and the threshold that the account falls below.
fn told(found: &Found, memory: &Memory) -> Vec<(Option<String>, String, u32, Option<Decimal>)> {
    let decision = decide(found, memory, &rules(), at(0), "r");
    let of = |alert: &Alert| match &alert.cause {
        Cause::Expiry(expiry) => Some(expiry.credits.clone()),
        _ => None,
    };
    let credits = decision.alerts.iter().find_map(|telling| of(&telling.alert)).unwrap_or_default();
    let shown = |credit: crate::model::alert::Lapsing| {
        (credit.name, credit.unused.to_string(), credit.days, credit.falls_below)
    };
    credits.into_iter().map(shown).collect()
}

#[test]
fn what_lapses_is_what_the_usual_rate_leaves() {
    let hundred = Some(Decimal::ONE_HUNDRED);
    for (name, balance, credits, want) in [
        ("the rest of it", "5000", &[("a", 2_000, 10)][..], vec![("a", "1039.93", 10, None)]),
        ("the lapse takes it below the threshold", "2000", &[("a", 2_000, 10)], vec![("a", "1039.93", 10, hundred)]),
        ("it is below before that", "900", &[("a", 2_000, 10)], vec![("a", "1039.93", 10, None)]),
        ("little of it, but it takes it below", "1_095", &[("a", 1_000, 10)], vec![("a", "39.9333", 10, hundred)]),
        (
            "the first takes what is used",
            "5000",
            &[("b", 600, 10), ("a", 600, 5)],
            vec![("a", "119.933", 5, None), ("b", "120", 10, None)],
        ),
        ("one name and day are one", "5000", &[("a", 900, 10), ("a", 1_100, 10)], vec![("a", "1039.93", 10, None)]),
        ("without a name", "5000", &[("", 2_000, 10)], vec![("", "1039.93", 10, None)]),
        ("what is empty cannot lapse", "5000", &[("a", 0, 10), ("b", -5, 10)], vec![]),
    ] {
        let found = accounts(&[verdict(&balance.replace('_', ""), 14, credits)]);
        let want: Vec<_> = want
            .into_iter()
            .map(|(name, unused, days, below)| {
                (Some(name.to_owned()).filter(|name| !name.is_empty()), unused.to_owned(), days, below)
            })
            .collect();
        assert_eq!(told(&found, &Memory::default()), want, "{name}");
    }
    // Of an account that cannot be read, or whose pace nobody knows, nothing is said.
    assert_eq!(told(&accounts(&[verdict("failed", 14, &[("a", 2_000, 10)])]), &Memory::default()), []);
    let mut unknown = verdict("5000", 14, &[("a", 2_000, 10)]);
    unknown.foresight = None;
    assert_eq!(told(&accounts(&[unknown.clone()]), &Memory::default()), []);
    // Nor of a credit without an amount or a date.
    unknown = verdict("5000", 14, &[("a", 2_000, 10), ("b", 2_000, 10)]);
    unknown.beside.expires[0].amount = None;
    unknown.beside.expires[1].date = None;
    assert_eq!(told(&accounts(&[unknown]), &Memory::default()), []);
}

/// A message names only what the channel has not heard of.
#[test]
fn what_was_told_is_not_repeated_beside_what_is_new() {
    let mut life = Life::new("100", None);
    assert_eq!(life.go(0, &accounts(&[verdict("5000", 14, &[("a", 2_000, 10)])]), true), "+expiry");
    let both = accounts(&[verdict("5000", 14, &[("a", 2_000, 10), ("b", 2_000, 11)])]);
    let names: Vec<_> = told(&both, &life.memory).into_iter().map(|(name, ..)| name.unwrap()).collect();
    assert_eq!(names, ["b"]);
    assert_eq!(life.go(DAY, &both, false), "!+expiry", "nobody takes it");
    assert_eq!(life.go(2 * DAY, &both, true), "+expiry");
    assert_eq!(life.go(3 * DAY, &both, true), "~");
}
