//! Top-ups, run after run.

use super::runways::steady;
use super::*;
use crate::decide::forecast::account::{Foresight, Standing, TopUp};
use crate::decide::forecast::spike::Today;
use crate::model::forecasting::Forecasting;
use crate::yaml::forecasting::USUAL;

/// A verdict about an account that has 500, after so much was added in the run at that second; 0 for nothing.
fn verdict(second: i64, added: i64, tell_topups: bool) -> Verdict {
    let forecasting = Some(Forecasting { alert_days: 0, tell_topups, ..USUAL });
    let mut verdict = judge(vec![(Subject { forecasting, ..subject("100", None) }, of("500"))]).remove(0);
    let top_up = TopUp { since: at(second - 300), at: at(second), amount: added.into() };
    let top_up = Some(top_up).filter(|top_up| !top_up.amount.is_zero());
    verdict.foresight = Some(Foresight { standing: Standing::Unknown, today: Today::Unknown, top_up, ..steady() });
    verdict
}

/// One run, five minutes after the one before. Gives what was said, and the amounts of top-ups in it.
fn run(life: &mut Life, added: i64, is_wanted: bool, taken: bool) -> (String, Vec<String>) {
    let second = i64::from(life.run) * 300;
    let found = accounts(&[verdict(second, added, is_wanted)]);
    let decision = decide(&found, &life.memory, &life.rules, at(second), "r");
    let amount = |telling: &Telling| telling.alert.amount().map(|amount| amount.to_string());
    let amounts = decision.alerts.iter().filter_map(amount).collect();
    (life.go(second, &found, taken), amounts)
}

#[test]
fn a_top_up_is_told_once_if_somebody_wants_it() {
    // What each run adds, whether somebody wants to be told, whether the channel takes it; what is said, with which amounts.
    type Runs = &'static [(i64, bool, bool, &'static str, &'static [&'static str])];
    let cases: &[(&str, Runs)] = &[
        ("nobody wants to be told", &[(50, false, true, "", &[]), (0, false, true, "", &[])]),
        ("it is told once", &[(50, true, true, "+topup", &["50"]), (0, true, true, "", &[]), (0, true, true, "", &[])]),
        ("each is told", &[(50, true, true, "+topup", &["50"]), (70, true, true, "+topup", &["70"])]),
        (
            "the next one too, after a while",
            &[(50, true, true, "+topup", &["50"]), (0, true, true, "", &[]), (50, true, true, "+topup", &["50"])],
        ),
        (
            "what nobody took is told later",
            &[
                (50, true, false, "!+topup", &["50"]),
                (0, true, true, "+topup(blind)", &["50"]),
                (0, true, true, "", &[]),
            ],
        ),
        (
            "no amount is lost",
            &[
                (50, true, false, "!+topup", &["50"]),
                (70, true, false, "!+topup", &["120"]),
                (0, true, true, "+topup(blind)", &["120"]),
                (0, true, true, "", &[]),
            ],
        ),
        (
            "it is no longer wanted",
            &[(50, true, false, "!+topup", &["50"]), (0, false, true, "", &[]), (0, true, true, "", &[])],
        ),
    ];
    for (name, runs) in cases {
        let mut life = Life::new("100", None);
        for (number, (added, is_wanted, taken, said, amounts)) in runs.iter().enumerate() {
            let got = run(&mut life, *added, *is_wanted, *taken);
            let want: Vec<String> = amounts.iter().map(|amount| (*amount).to_owned()).collect();
            assert_eq!(got, ((*said).to_owned(), want), "{name}, run {number}");
        }
        assert!(
            runs.last().is_none_or(|run| run.0 > 0) || life.memory.conditions.is_empty(),
            "{name}: it is forgotten"
        );
    }
}
