//! Balances that will not last, run after run.

use super::*;
use crate::decide::forecast::account::Reading as Read;
use crate::decide::forecast::account::{Foresight, Standing, foresee};
use crate::model::forecasting::Forecasting;
use crate::yaml::forecasting::USUAL;

const DAY: i64 = 86_400;

/// A verdict about an account that stands so beside the limit.
fn verdict(outcome: Outcome, alert_days: u32, standing: Standing) -> Verdict {
    let forecasting = Some(Forecasting { alert_days, ..USUAL });
    let mut verdict = judge(vec![(Subject { forecasting, ..subject("100", Some("200")) }, outcome)]).remove(0);
    verdict.foresight = Some(Foresight { standing, ..steady() });
    verdict
}

/// 96 a day, four days left.
pub(super) fn steady() -> Foresight {
    let reading = |hours: i64| Read { at: at(-hours * 3600), balance: (400 + 4 * hours).into(), currency: None };
    let readings: Vec<Read> = (0..200).rev().map(reading).collect();
    foresee(&readings, None, USUAL, at(0)).unwrap()
}

/// Runs at these seconds, each with a balance, the days of the limit, and how the account stands.
fn life(runs: &[(i64, &str, u32, Standing)]) -> Vec<String> {
    let mut life = Life::new("100", Some("200"));
    let run = |(second, balance, days, standing): &(i64, &str, u32, Standing)| {
        let outcome = match *balance {
            "failed" => outcome(Err(Failure::new(Reason::Timeout, "x"))),
            "unlimited" => outcome(Ok(Amount::Unlimited)),
            balance => of(balance),
        };
        life.go(*second, &accounts(&[verdict(outcome, *days, *standing)]), true)
    };
    runs.iter().map(run).collect()
}

#[test]
fn a_balance_that_will_not_last_is_told_once_and_taken_back() {
    use Standing::{Between, Lasts, Short, Unknown};
    for (name, runs, want) in [
        (
            "it is told, held, and over",
            vec![(0, "500", 7, Short), (300, "495", 7, Short), (600, "900", 7, Lasts)],
            vec!["+runway", "~", "-runway"],
        ),
        ("nobody wants to be told", vec![(0, "500", 0, Short)], vec![""]),
        ("the limit is taken away", vec![(0, "500", 7, Short), (300, "500", 0, Unknown)], vec!["+runway", "-runway"]),
        (
            "between the two nothing changes",
            vec![(0, "500", 7, Between), (300, "500", 7, Short), (600, "500", 7, Between)],
            vec!["", "+runway", ""],
        ),
        ("without a date nothing changes", vec![(0, "500", 7, Short), (300, "500", 7, Unknown)], vec!["+runway", ""]),
        (
            "it is not said beside a low balance",
            vec![(0, "150", 7, Short), (300, "50", 7, Short)],
            vec!["+warning", "+critical"],
        ),
        (
            "a low balance ends nothing",
            vec![(0, "500", 7, Short), (300, "150", 7, Short), (600, "900", 7, Lasts)],
            vec!["+runway", "+warning", "-low -runway"],
        ),
        (
            "what cannot be read ends nothing",
            vec![(0, "500", 7, Short), (300, "failed", 7, Unknown)],
            vec!["+runway", ""],
        ),
        (
            "it has no limit any more",
            vec![(0, "500", 7, Short), (300, "unlimited", 7, Unknown)],
            vec!["+runway", "-runway"],
        ),
        ("half of it is no news", vec![(0, "900", 7, Short), (300, "300", 7, Short)], vec!["+runway", "~"]),
        (
            "a reminder comes after a week, not after a day",
            vec![(0, "900", 7, Short), (DAY, "890", 7, Short), (7 * DAY, "800", 7, Short)],
            vec!["+runway", "~", "+runway"],
        ),
    ] {
        assert_eq!(life(&runs), want, "{name}");
    }
}
