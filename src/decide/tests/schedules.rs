//! Schedules that fall silent, as the runs of others see it.

use super::*;
use crate::decide::memory::PastRuns;
use crate::model::schedule::Schedule as Runs;

const HOUR: i64 = 3600;

/// The runs of a schedule that began at these seconds.
fn past(name: &str, shard: Option<&str>, seconds: &[i64]) -> PastRuns {
    let schedule = Runs { name: name.to_owned(), shard: shard.map(|shard| shard.parse().unwrap()) };
    let starts: Vec<Timestamp> = seconds.iter().map(|second| at(*second)).collect();
    PastRuns { schedule, last: *starts.last().unwrap(), starts }
}

/// A run at this second that knows of these schedules.
fn look(life: &mut Life, second: i64, schedules: Vec<PastRuns>) -> String {
    life.memory.schedules = schedules;
    life.go(second, &Found::default(), true)
}

/// Whole hours at which runs begin, over so many days from a Monday on.
fn week(days: i64, at_work: &[i64], is_every_day: bool) -> Vec<i64> {
    let days = (0..days).filter(|day| is_every_day || day % 7 < 5);
    days.flat_map(|day| at_work.iter().map(move |hour| day * DAY + hour * HOUR)).collect()
}

#[test]
fn how_long_a_schedule_may_be_silent_follows_from_its_past() {
    let office: Vec<i64> = (9..=18).collect();
    let always: Vec<i64> = (0..24).collect();
    let with_outage: Vec<i64> =
        week(25, &always, true).into_iter().filter(|second| !(5 * DAY..10 * DAY).contains(second)).collect();
    let never = i64::MAX;
    for (name, starts, well, silent) in [
        ("every five minutes", (0..600).map(|n| n * 300).collect(), 15 * 60, 25 * 60),
        ("every hour", week(30, &always, true), HOUR, 2 * HOUR),
        ("once a day", week(20, &[9], true), 30 * HOUR, 37 * HOUR),
        ("once a day, in its first week", week(5, &[9], true), 95 * HOUR, 97 * HOUR),
        ("twice a day", week(20, &[8, 20], true), 17 * HOUR, 19 * HOUR),
        ("on weekdays", week(19, &[9], false), 72 * HOUR, 109 * HOUR),
        ("in office hours, before any weekend", week(5, &office, false), 63 * HOUR, 97 * HOUR),
        ("in office hours, over weekends", week(26, &office, false), 63 * HOUR, 95 * HOUR),
        ("once a week", (0..8).map(|n| n * 7 * DAY).collect(), 8 * DAY, 11 * DAY),
        ("every hour, with an outage of five days", with_outage, HOUR, 2 * HOUR),
        ("too few", (0..4).map(|n| n * 12 * HOUR).collect(), never, never),
        ("twelve of one morning", (0..12).map(|n| n * 600).collect(), never, never),
        ("by hand", vec![0, 60, 200, 3 * HOUR, 9 * DAY, 9 * DAY + 30, 15 * DAY, 16 * DAY], never, never),
    ] {
        let last = *starts.last().unwrap();
        let said = |silence: i64| look(&mut Life::new("100", None), last + silence, vec![past("b", None, &starts)]);
        let times = if well == never { [HOUR, 10 * DAY, 29 * DAY].to_vec() } else { vec![60, well] };
        for silence in times {
            assert_eq!(said(silence), "", "{name}: {silence} s");
        }
        if silent != never {
            assert_eq!(said(silent), "+silent", "{name}: {silent} s");
            assert_eq!(said(31 * DAY), "", "{name}: it is taken for removed");
        }
    }
}

#[test]
fn it_is_told_once_then_once_a_week_and_taken_back() {
    let starts = week(30, &[9], true);
    let last = *starts.last().unwrap();
    let mut life = Life::new("100", None);
    let days = (1..=7).map(|day| (48 + day * 24, if day < 7 { "~" } else { "+silent" }));
    for (hours, want) in [(30, ""), (48, "+silent"), (49, "~")].into_iter().chain(days) {
        let said = look(&mut life, last + hours * HOUR, vec![past("b", None, &starts)]);
        assert_eq!(said, want, "after {hours} hours");
    }
    let back = last + 300 * HOUR;
    let again = PastRuns { starts: Vec::new(), ..past("b", None, &[back]) };
    assert_eq!(look(&mut life, back + 60, vec![again.clone()]), "-silent");
    assert_eq!(look(&mut life, back + 120, vec![again]), "");
}

#[test]
fn no_schedule_is_silent_to_itself_and_shards_of_another_number_are_gone() {
    let starts = week(30, &[9], true);
    let now = starts.last().unwrap() + 3 * DAY;
    let mut life = Life::new("100", None);
    life.rules.schedule = past("a", Some("0/2"), &[0]).schedule;
    let said = look(&mut life, now, vec![past("a", Some("0/2"), &starts), past("a", Some("2/3"), &starts)]);
    assert_eq!(said, "", "its own, and one of three");
    let other = vec![past("a", Some("1/2"), &starts)];
    assert_eq!(look(&mut life, now, other), "+silent", "the other of two");
    // Of another name the newest run says how many there are.
    let newer: Vec<i64> = starts.iter().map(|second| second + HOUR).collect();
    let of_other =
        vec![past("b", Some("0/4"), &starts), past("b", Some("0/2"), &newer), past("b", Some("1/2"), &starts)];
    let mut life = Life::new("100", None);
    assert_eq!(look(&mut life, now, of_other), "+silent +silent", "both of two");
}

#[test]
fn what_the_store_has_lost_is_forgotten_without_a_word() {
    let starts = week(30, &[9], true);
    let now = starts.last().unwrap() + 3 * DAY;
    let mut life = Life::new("100", None);
    assert_eq!(look(&mut life, now, vec![past("b", None, &starts)]), "+silent");
    assert_eq!(look(&mut life, now + HOUR, Vec::new()), "");
    assert!(life.memory.conditions.is_empty(), "{:?}", life.memory.conditions);
    // The same holds of one that is silent for so long that it must have been removed.
    assert_eq!(look(&mut life, now, vec![past("b", None, &starts)]), "+silent");
    assert_eq!(look(&mut life, now + 30 * DAY, vec![past("b", None, &starts)]), "");
    assert!(life.memory.conditions.is_empty(), "{:?}", life.memory.conditions);
}
