//! Each row of the table that decides has an explanation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::sentences::does;
use super::shown::ChannelFacts;
use super::*;
use crate::decide::config::Alerting;
use crate::decide::memory::{Covers, Mute, Told};
use crate::decide::{Act, Debt, Explained, Knows, Known as Knowledge, Limits, Now, Owes, Rules, Ruling, State, act, situations};
use crate::model::alert::{Event, Level, Topic};
use crate::model::identity::Identity;
use crate::model::schedule::Schedule;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A channel in a situation, with all that belongs to it.
fn ruling(now: Now, known: Knowledge) -> Ruling {
    let told = (known.knows != Knows::Nothing).then(|| Told {
        at: at(0),
        anchor: at(0),
        level: Level::Critical,
        balance: Some(Decimal::TEN),
        threshold: Some(Decimal::from(20)),
        currency: Some("USD".to_owned()),
        mark: String::new(),
    });
    let owed = (known.owed != Owes::Nothing).then(|| Debt {
        event: if matches!(known.owed, Owes::Over | Owes::Unwanted) { Event::Resolved } else { Event::Raised },
        level: Level::Critical,
        at: at(60),
        tried_at: (known.owed == Owes::Doubtful).then(|| at(120)),
        is_claimed: false,
        refusals: 0,
    });
    let limits = Limits {
        reminder: told.as_ref().map(|_| at(86_400)),
        muted_by: (now == Now::Muted).then_some(3),
        ..Limits::default()
    };
    Ruling { channel: "c".to_owned(), row: Some((now, known)), act: act(now, known), told, owed, limits }
}

#[test]
fn each_row_of_the_table_is_explained() {
    let rules = Rules { alerting: Alerting::default(), listeners: Vec::new(), timezone: TimeZone::UTC, schedule: Schedule::default(), left_out: Default::default() };
    let covers = Covers::Matching(Vec::new());
    let (who, reason) = ("me@here".to_owned(), "a test".to_owned());
    let mute = Mute { number: 3, covers, who, reason, made_at: at(0), until: Some(at(7200)) };
    let (found, memory) = (Found::default(), Memory { mutes: vec![mute], ..Memory::default() });
    let channels = vec![ChannelFacts { id: "c", name: "ops", is_unusable: false }];
    let shown = Shown {
        name: "A",
        known: None,
        rules: &rules,
        channels,
        routes: &[],
        found: &found,
        memory: &memory,
        now: at(3600),
    };
    let explained = Explained {
        key: (Identity(1), Topic::Low),
        state: State::Wrong,
        alert: None,
        course: None,
        rulings: Vec::new(),
    };
    let mut rows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut fixture = String::new();
    for (row, now, known) in situations() {
        let ruling = ruling(now, known);
        let said = shown.said(&explained, &ruling);
        let sentences: Vec<&str> = said.because.iter().map(String::as_str).chain([said.next.as_str(), said.change.as_str()]).filter(|one| !one.is_empty()).collect();
        let text = sentences.join(" ");
        let act = if ruling.act == Act::Drop && ruling.owed.is_none() { Act::Rest } else { ruling.act };
        assert_eq!(said.next, does(act), "{row}");
        for sentence in &sentences {
            assert!(sentence.ends_with('.') && !sentence.contains("  ") && !sentence.contains(".."), "{row}: {sentence}");
        }
        assert_eq!(ruling.told.is_some(), text.contains("It was told on 2027-01-15 08:00 UTC (critical, 10.00 USD)"), "{row}: {text}");
        assert_eq!(ruling.owed.is_some(), text.contains("It is owed the message of 2027-01-15 08:01 UTC"), "{row}: {text}");
        assert_eq!(now == Now::Muted, text.contains("It is silenced by me@here (number 3): a test."), "{row}: {text}");
        if rows.entry(row).or_default().insert(text.clone()) && rows[row].len() == 1 {
            fixture.push_str(&format!("{row}\n    {text}\n"));
        }
    }
    // The first situation of each row is kept, so that a change of the words is seen.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands/why/rows.txt");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(path, &fixture).unwrap();
    }
    assert_eq!(fixture, std::fs::read_to_string(path).unwrap());
}

#[test]
fn what_is_not_told_has_a_time_or_a_deed_that_would_change_it() {
    let rules = Rules { alerting: Alerting::default(), listeners: Vec::new(), timezone: TimeZone::UTC, schedule: Schedule::default(), left_out: Default::default() };
    let (found, memory) = (Found::default(), Memory::default());
    let shown = Shown { name: "A", known: None, rules: &rules, channels: Vec::new(), routes: &[], found: &found, memory: &memory, now: at(3600) };
    let explained =
        |topic| Explained { key: (Identity(1), topic), state: State::Wrong, alert: None, course: None, rulings: Vec::new() };
    let known = |knows| Knowledge { knows, owed: Owes::Nothing, wants_over: true };
    let held = ruling(Now::Wrong, known(Knows::Enough));
    let until = Some(at(7200));
    let limited = |limits| Ruling { limits, ..ruling(Now::Muted, known(Knows::Nothing)) };
    for (topic, ruling, want) in [
        (
            Topic::Low,
            held.clone(),
            "It is told again on 2027-01-16 08:00 UTC, or at once at 5.00 USD or less, or when its level, threshold or currency changes.",
        ),
        (Topic::Failing, held.clone(), "It is told again on 2027-01-16 08:00 UTC, or at once when its level rises."),
        (Topic::Renewal, held, "It is told again on 2027-01-16 08:00 UTC."),
        (
            Topic::Low,
            limited(Limits { early_until: until, ..Limits::default() }),
            "It is told if it is still wrong on 2027-01-15 10:00 UTC.",
        ),
        (
            Topic::Low,
            limited(Limits { away_until: until, ..Limits::default() }),
            "It takes such messages from 2027-01-15 10:00 UTC on (`active`).",
        ),
        (
            Topic::Low,
            limited(Limits { rests_until: until, ..Limits::default() }),
            "It is sent once more from 2027-01-15 10:00 UTC on.",
        ),
    ] {
        assert_eq!(shown.said(&explained(topic), &ruling).change, want);
    }
}
