//! Silences and acknowledgements: what is not told, and what is told when they end.

use super::*;
use crate::decide::memory::{Covers, Mute};
use crate::decide::route::{Asked, Patterns};

fn silence(number: i64, asked: &[(Asked, &[&str])], until: i64) -> Mute {
    let asked = asked.iter().map(|(asked, words)| (asked.clone(), Patterns::new(words.iter().copied())));
    mute(number, Covers::Matching(asked.collect()), Some(at(until)))
}

fn mute(number: i64, covers: Covers, until: Option<Timestamp>) -> Mute {
    Mute { number, covers, who: "me@here".into(), reason: String::new(), made_at: at(0), until }
}

/// Everything of the one account is silenced until then.
fn of_all(until: i64) -> Mute {
    silence(1, &[(Asked::Name, &["P"])], until)
}

/// What the channels were told last is acknowledged.
fn ack(life: &mut Life, topic: Topic) {
    let key = (life.subject.identity, topic);
    let told = life.memory.conditions[&key].channels.values().find_map(|heard| heard.told.clone()).unwrap();
    life.memory.mutes.push(mute(7, Covers::Known { key, name: "P".into(), told }, None));
}

#[test]
fn what_is_silenced_is_told_when_the_silence_ends_if_it_is_still_wrong() {
    // What is told before, in and after a silence from 600 s to 7200 s.
    type Case = (&'static str, &'static [Step]);
    let cases: &[Case] = &[
        (
            "begins in it and lasts",
            &[(0, "500", true, ""), (600, "5", true, ""), (3600, "5", true, ""), (7200, "5", true, "+critical")],
        ),
        ("begins and ends in it", &[(600, "5", true, ""), (3600, "500", true, ""), (7200, "500", true, "")]),
        ("was told before", &[(0, "5", true, "+critical"), (600, "5", true, ""), (7200, "5", true, "~")]),
        (
            "was told before and ends in it",
            &[(0, "5", true, "+critical"), (3600, "500", true, "-low"), (7200, "500", true, "")],
        ),
        (
            "ends in it and comes back",
            &[
                (0, "5", true, "+critical"),
                (1200, "500", true, "-low"),
                (3600, "5", true, ""),
                (7200, "5", true, "+critical"),
            ],
        ),
        ("gets worse in it", &[(0, "120", true, "+warning"), (3600, "5", true, ""), (7200, "5", true, "+critical")]),
        (
            "was not delivered before",
            &[(0, "5", false, "!+critical"), (3600, "5", true, ""), (7200, "5", true, "+critical")],
        ),
        ("was not delivered and is over in it", &[(0, "5", false, "!+critical"), (3600, "500", true, "-low(late)")]),
        (
            "was not delivered, and cannot be read in it",
            &[(0, "5", false, "!+critical"), (3600, "x", true, ""), (7200, "x", true, "+critical(blind)")],
        ),
        (
            "an end was not delivered, and it is back",
            &[(0, "5", true, "+critical"), (300, "500", false, "!-low"), (900, "5", true, ""), (7200, "5", true, "~")],
        ),
    ];
    for (name, steps) in cases {
        let mut life = Life::new("100", Some("150"));
        for (second, balance, taken, want) in *steps {
            life.memory.mutes = if (600..7200).contains(second) { vec![of_all(7200)] } else { Vec::new() };
            assert_eq!(life.run(*second, outcome_of(balance), *taken), *want, "{name}, at {second} s");
        }
        // Nobody has to take it away when it has ended.
        let mut life = Life::new("100", Some("150"));
        for (second, balance, taken, want) in *steps {
            life.memory.mutes = if *second >= 600 { vec![of_all(7200)] } else { Vec::new() };
            assert_eq!(life.run(*second, outcome_of(balance), *taken), *want, "{name}, at {second} s");
        }
    }
}

/// What began anew was silenced and is calm since, but not yet for long enough: the end that is owed may have been missed.
#[test]
fn an_end_that_is_owed_is_sent_though_nobody_can_say_whether_it_is_one() {
    let mut life = Life::new("100", None);
    assert_eq!(life.moods(0, "5", "C"), "+critical");
    assert_eq!(life.moods(300, "500", "C?"), "?-low");
    life.memory.mutes = vec![of_all(7200)];
    assert_eq!(life.moods(600, "5", "c"), "!-low(blind)");
    assert_eq!(life.moods(1200, "500", "c"), "!-low");
    assert_eq!(life.moods(1500, "x", "C"), "-low(blind)");
    assert_eq!(life.moods(1800, "500", "C"), "");
}

#[test]
fn a_silence_is_for_what_is_like_it() {
    // A name, what is silenced, and what is told.
    type Case<'a> = (&'a str, &'a [(Asked, &'a [&'a str])], &'a str);
    let cases: &[Case] = &[
        ("the name", &[(Asked::Name, &["P"])], ""),
        ("a pattern", &[(Asked::Name, &["*"])], ""),
        ("another name", &[(Asked::Name, &["Q"])], "+critical"),
        ("all but it", &[(Asked::Name, &["!P"])], "+critical"),
        ("the topic", &[(Asked::Topic, &["low", "mail"])], ""),
        ("another topic", &[(Asked::Topic, &["failing"])], "+critical"),
        ("the level", &[(Asked::Level, &["critical"])], ""),
        ("a lower level", &[(Asked::Level, &["warning"])], "+critical"),
        ("an owner that it has not", &[(Asked::Owner, &["core"])], "+critical"),
        ("a label", &[(Asked::Label("env".into()), &["test"])], ""),
        ("one of two", &[(Asked::Name, &["P"]), (Asked::Label("env".into()), &["prod"])], "+critical"),
    ];
    for (name, asked, want) in cases {
        let mut life = Life::new("100", None);
        life.subject.addressing.labels.insert("env".into(), "test".into());
        life.memory.mutes = vec![silence(1, asked, 3600)];
        assert_eq!(life.run(0, of("5"), true), *want, "{name}");
    }
}

#[test]
fn a_silence_hides_nothing_from_the_report() {
    let mut life = Life::new("100", None);
    life.memory.mutes =
        vec![of_all(3600), silence(2, &[(Asked::Name, &["Q"])], 7200), silence(3, &[(Asked::Name, &["P"])], 0)];
    let verdicts = judge(vec![(life.subject.clone(), of("5"))]);
    assert_eq!(verdicts[0].status, Status::Low);
    let decision = decide(&accounts(&verdicts), &life.memory, &life.rules, at(0), "r");
    let muted: Vec<_> = decision.muted.iter().map(|muted| (muted.topic, muted.by)).collect();
    assert_eq!(muted, [(Topic::Low, 1)]);
    let in_force: Vec<i64> = decision.mutes.iter().map(|mute| mute.number).collect();
    assert_eq!(in_force, [1, 2], "the third has ended");
}

#[test]
fn what_is_acknowledged_is_told_again_when_it_is_worse_or_comes_back() {
    let cases: &[(&str, &[Step], bool)] = &[
        ("it lasts", &[(DAY, "120", true, ""), (9 * DAY, "120", true, "")], true),
        ("it gets critical", &[(600, "90", true, "+critical"), (900, "90", true, "~")], false),
        ("much less is left", &[(600, "101", true, ""), (900, "50", true, "+critical")], false),
        ("it is over and comes back", &[(600, "500", true, "-low"), (900, "120", true, "+warning")], false),
        ("it cannot be read", &[(600, "x", true, ""), (900, "120", true, "")], true),
    ];
    for (name, steps, stays) in cases {
        let mut life = Life::new("100", Some("150"));
        assert_eq!(life.run(0, of("120"), true), "+warning");
        ack(&mut life, Topic::Low);
        live(&mut life, steps);
        assert_eq!(!life.memory.mutes.is_empty(), *stays, "{name}");
    }
}

#[test]
fn an_acknowledgement_is_for_its_topic() {
    let mut life = Life::new("100", None);
    life.rules.alerting.failure_alert_after = 1;
    assert_eq!(life.run(0, of("5"), true), "+critical");
    ack(&mut life, Topic::Low);
    assert_eq!(life.run(600, outcome_of("x"), true), "+failing");
}

/// A clock that is ahead for a while must not silence everything until then.
#[test]
fn a_silence_of_the_future_mutes_nothing() {
    for (made, is_in_force) in [(-60, true), (0, true), (240, true), (86_400, false)] {
        let mute = Mute { made_at: at(made), ..of_all(100_000) };
        assert_eq!(mute.is_in_force(at(0)), is_in_force, "{made}");
    }
    let ahead = Mute { made_at: at(90_000), ..mute(1, Covers::Matching(Vec::new()), None) };
    assert!(!ahead.is_in_force(at(0)), "an acknowledgement likewise");
}
