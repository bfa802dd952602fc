//! Active times and escalation: what waits, what comes at once, and what comes when the time has come.

use jiff::civil::Weekday;

use super::*;
use crate::decide::active_times::ActiveTimes;
use crate::decide::memory::{Covers, Mute};
use crate::decide::route::{Asked, Matcher, Patterns};

/// The first run is at 08:00 UTC on a Friday, and the channel takes messages from 12:00 to 16:00.
const NOON: i64 = 4 * 3600;

fn active(holds_critical: bool) -> Option<ActiveTimes> {
    let days = vec![Weekday::Friday, Weekday::Saturday];
    Some(ActiveTimes { days, from: 12 * 60, until: 16 * 60, zone: None, holds_critical })
}

#[test]
fn warnings_wait_for_the_active_time_and_critical_ones_do_not() {
    type Case = (&'static str, bool, &'static [Step]);
    let cases: &[Case] = &[
        (
            "a warning",
            false,
            &[
                (0, "120", true, "z"),
                (3600, "120", true, "z"),
                (NOON, "120", true, "+warning"),
                (NOON + 300, "120", true, "~"),
            ],
        ),
        ("it is critical", false, &[(0, "5", true, "+critical"), (300, "500", true, "-low")]),
        (
            "it gets critical",
            false,
            &[(0, "120", true, "z"), (300, "5", true, "+critical"), (600, "500", true, "-low")],
        ),
        ("what is critical waits", true, &[(0, "5", true, "z"), (300, "4", true, "z"), (NOON, "4", true, "+critical")]),
        (
            "it is over before",
            false,
            &[
                (0, "120", true, "z"),
                (300, "500", true, "z"),
                (600, "500", true, "z"),
                (NOON, "500", true, "-low(late)"),
            ],
        ),
        (
            "it is over and back",
            false,
            &[(0, "120", true, "z"), (300, "500", true, "z"), (600, "120", true, "z"), (NOON, "120", true, "+warning")],
        ),
        (
            "the end of a warning waits",
            false,
            &[(NOON, "120", true, "+warning"), (2 * NOON, "500", true, "z"), (28 * 3600, "500", true, "-low")],
        ),
        (
            "the channel is down as well",
            false,
            &[
                (0, "120", true, "z"),
                (NOON, "120", false, "!+warning"),
                (2 * NOON, "120", true, "z"),
                (28 * 3600, "120", true, "+warning"),
            ],
        ),
        (
            "it cannot be read",
            false,
            &[(0, "120", true, "z"), (300, "x", true, "z"), (NOON, "x", true, "+warning(blind)")],
        ),
    ];
    for (name, holds_critical, steps) in cases {
        let mut life = Life::new("100", Some("150"));
        life.rules.listeners[0].active = active(*holds_critical);
        for (second, balance, taken, want) in *steps {
            assert_eq!(life.run(*second, outcome_of(balance), *taken), *want, "{name}, at {second} s");
        }
    }
}

#[test]
fn others_hear_at_once_and_who_is_away_hears_only_of_what_lasts() {
    let mut life = Life::with("A B");
    life.subject.warning_threshold = Some(150.into());
    life.rules.listeners[1].active = active(false);
    assert_eq!(life.moods(0, "120", "A B"), "+warning@A zB");
    assert_eq!(life.moods(300, "500", "A B"), "-low@A", "B would have heard nothing but the end");
    assert_eq!(life.moods(NOON, "500", "A B"), "");
    assert_eq!(life.moods(5 * 3600 + NOON, "120", "A B"), "+warning@A zB");
    assert_eq!(life.moods(86_400 + NOON, "120", "A B"), "+warning@A +warning(since)@B");
}

/// Everybody, and one who hears of what has lasted for two hours.
fn escalating() -> Life {
    let mut life = Life::with("A B");
    life.rules.listeners[1].route.after = Some(Duration::from_secs(7200));
    life
}

#[test]
fn who_hears_of_what_lasts_hears_neither_of_less_nor_of_what_somebody_knows() {
    let mut life = escalating();
    assert_eq!(life.moods(0, "5", "A B"), "+critical@A");
    assert_eq!(life.moods(3600, "500", "A B"), "-low@A", "it did not last");
    let mut life = escalating();
    assert_eq!(life.moods(0, "5", "A B"), "+critical@A");
    assert_eq!(life.moods(3600, "5", "A B"), "~A");
    assert_eq!(life.moods(7200, "5", "A B"), "+critical(since)@B ~A");
    assert_eq!(life.moods(7500, "500", "A B"), "-low@AB");
    // An acknowledgement stops the clock, and it begins anew when it gets worse.
    let mut life = escalating();
    life.subject.warning_threshold = Some(150.into());
    assert_eq!(life.moods(0, "120", "A B"), "+warning@A");
    let key = (life.subject.identity, Topic::Low);
    let told = life.memory.conditions[&key].channels["A"].told.clone().unwrap();
    let (who, reason, made_at) = ("me@here".into(), String::new(), at(0));
    let covers = Covers::Known { key, name: "P".into(), told };
    life.memory.mutes.push(Mute { number: 1, covers, who, reason, made_at, until: None });
    assert_eq!(life.moods(3600, "120", "A B"), "");
    assert_eq!(life.moods(7200, "120", "A B"), "");
    assert_eq!(life.moods(9000, "5", "A B"), "+critical@A");
    assert_eq!(life.moods(12_600, "5", "A B"), "~A");
    assert_eq!(life.moods(14_400, "5", "A B"), "+critical(since)@B ~A");
}

#[test]
fn who_hears_of_what_lasts_takes_nothing_from_others() {
    let mut life = escalating();
    let all = || Some(Matcher::Of(vec![(Asked::Name, Patterns::new(["*"]))]));
    life.rules.listeners.swap(0, 1);
    life.rules.listeners[0].route.matcher = all();
    assert_eq!(life.moods(0, "5", "A B"), "+critical@A");
    assert_eq!(life.moods(7200, "5", "A B"), "+critical(since)@B ~A");
    // Another one that takes it alone takes it not from who hears of what lasts.
    let mut life = escalating();
    life.rules.listeners[0].route.matcher = all();
    assert_eq!(life.moods(0, "5", "A B"), "+critical@A");
    assert_eq!(life.moods(7200, "5", "A B"), "+critical(since)@B ~A");
}
