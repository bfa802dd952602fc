//! Days that consume far more than is usual, run after run.

use super::runways::steady;
use super::*;
use crate::decide::forecast::account::{Foresight, Standing};
use crate::decide::forecast::spike::{Spike, Today};
use crate::model::forecasting::Forecasting;
use crate::yaml::forecasting::USUAL;

const DAY: i64 = 86_400;

/// What the last day consumed, where 24 are usual.
const fn day(per_day: f64) -> Spike {
    Spike { at: Timestamp::UNIX_EPOCH, per_day, usual_per_day: Some(24.0) }
}

const ODD: Today = Today::Odd(day(80.0));
const ODDER: Today = Today::Odd(day(800.0));
const BETWEEN: Today = Today::Between(day(70.0));
const USUALLY: Today = Today::Usual(day(30.0));

/// Runs at these seconds, each with a balance, the ratio of the limit, and how the last day stands.
fn life(runs: &[(i64, &str, u32, Today)]) -> Vec<String> {
    let mut life = Life::new("100", Some("200"));
    let run = |(second, balance, ratio, today): &(i64, &str, u32, Today)| {
        let outcome = match *balance {
            "failed" => outcome(Err(Failure::new(Reason::Timeout, "x"))),
            "unlimited" => outcome(Ok(Amount::Unlimited)),
            balance => of(balance),
        };
        let forecasting = Some(Forecasting { alert_days: 0, spike_ratio: (*ratio).into(), ..USUAL });
        let mut verdict = judge(vec![(Subject { forecasting, ..subject("100", Some("200")) }, outcome)]).remove(0);
        verdict.foresight = Some(Foresight { standing: Standing::Unknown, today: *today, ..steady() });
        life.go(*second, &accounts(&[verdict]), true)
    };
    runs.iter().map(run).collect()
}

#[test]
fn a_day_that_consumes_far_more_is_told_once_and_taken_back() {
    for (name, runs, want) in [
        (
            "it is told, held, and over",
            vec![(0, "500", 3, ODD), (300, "400", 3, ODD), (DAY, "390", 3, USUALLY)],
            vec!["+spike", "~", "-spike"],
        ),
        ("nobody wants to be told", vec![(0, "500", 0, ODD)], vec![""]),
        ("it is no longer wanted", vec![(0, "500", 3, ODD), (300, "500", 0, ODD)], vec!["+spike", "-spike"]),
        ("a usual day is nothing", vec![(0, "500", 3, USUALLY), (300, "500", 3, Today::Unknown)], vec!["", ""]),
        (
            "between the two nothing changes",
            vec![(0, "500", 3, BETWEEN), (300, "500", 3, ODD), (600, "500", 3, BETWEEN)],
            vec!["", "+spike", ""],
        ),
        (
            "without a past nothing changes",
            vec![(0, "500", 3, ODD), (300, "500", 3, Today::Unknown)],
            vec!["+spike", ""],
        ),
        ("what cannot be read ends nothing", vec![(0, "500", 3, ODD), (300, "failed", 3, ODD)], vec!["+spike", ""]),
        ("more of it is no news", vec![(0, "900", 3, ODD), (300, "300", 3, ODDER)], vec!["+spike", "~"]),
        ("it is told beside a low balance", vec![(0, "50", 3, ODD)], vec!["+critical +spike"]),
        (
            "it has no limit any more",
            vec![(0, "500", 3, ODD), (300, "unlimited", 3, Today::Unknown)],
            vec!["+spike", "-spike"],
        ),
        (
            "a reminder comes after a week, not after a day",
            vec![(0, "900", 3, ODD), (DAY, "890", 3, ODD), (7 * DAY, "800", 3, ODD)],
            vec!["+spike", "~", "+spike"],
        ),
    ] {
        assert_eq!(life(&runs), want, "{name}");
    }
}

/// What could not be told is told by the next run, also if the day is nearly over; it counts as known only then.
#[test]
fn a_spike_is_remembered_only_once_it_is_told() {
    let mut life = Life::new("100", None);
    let verdict = |today| {
        let mut verdict =
            judge(vec![(Subject { forecasting: Some(USUAL), ..subject("100", None) }, of("500"))]).remove(0);
        verdict.foresight = Some(Foresight { standing: Standing::Unknown, today, ..steady() });
        accounts(&[verdict])
    };
    assert_eq!(life.go(0, &verdict(ODD), false), "!+spike", "the channel does not take it");
    assert_eq!(life.go(300, &verdict(ODD), false), "!+spike", "so it is told again");
    assert_eq!(life.go(600, &verdict(BETWEEN), true), "+spike(blind)", "though nobody can say how the day ends");
    assert_eq!(life.go(900, &verdict(ODD), true), "~", "now it is known");
    assert_eq!(life.go(DAY, &verdict(USUALLY), true), "-spike");
}
