//! Tables and lives: what is decided run after run.

mod channels;
mod lives;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::settle::has_dropped;
use super::*;
use crate::check::Reading;
use crate::check::subscription::Schedule;
use crate::decide::memory::{ANY_CHANNEL, Condition, Course, Fate, Heard, Owed, Told};
use crate::model::alert::Change;
use crate::model::failure::Reason;
use crate::model::identity::Identity;

fn subject(threshold: &str, warning: Option<&str>) -> Subject {
    Subject {
        identity: Identity::of("project", "P", &["file"]),
        name: "P".into(),
        owner_project: None,
        provider: "file".into(),
        is_remote: false,
        host: None,
        kind: crate::model::words::BalanceType::Balance,
        threshold: Some(threshold.parse().unwrap()),
        warning_threshold: warning.map(|w| w.parse().unwrap()),
        currency: Some("USD".into()),
    }
}

fn outcome(result: Result<Amount, Failure>) -> Outcome {
    let result = result.map(|amount| Reading { amount, currency: None });
    Outcome { result, cached: false, attempts: 1, calls: Vec::new(), duration: Duration::ZERO }
}

fn of(balance: &str) -> Outcome {
    outcome(Ok(Amount::Of(balance.parse().unwrap())))
}

/// The standard rules, but without a margin, so that a threshold is what it says.
fn rules() -> Rules {
    let alerting = Alerting { recovery_margin_percent: Decimal::ZERO, ..Alerting::default() };
    let listeners = vec![Listener { id: "C".into(), wants_over: true }];
    Rules { alerting, listeners, timezone: TimeZone::UTC }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn accounts(verdicts: &[Verdict]) -> Found {
    Found { accounts: verdicts.to_vec(), ..Found::default() }
}

fn first_run(found: Vec<(Subject, Outcome)>) -> (Vec<Verdict>, Vec<Alert>) {
    let verdicts = judge(found);
    let alerts = decide(&accounts(&verdicts), &Memory::default(), &rules(), at(0), "r").alerts;
    (verdicts, alerts.into_iter().map(|telling| telling.alert).collect())
}

#[test]
fn thresholds_are_exact_and_strict() {
    for (balance, threshold, warning, want, ratio) in [
        ("100", "100", None, Status::Ok, Some("1")),
        ("99.99", "100", None, Status::Low, Some("0.9999")),
        ("0.2", "0.2", None, Status::Ok, Some("1")),
        ("74.75", "100", Some("150"), Status::Low, Some("0.7475")),
        ("149.999", "100", Some("150"), Status::Warning, Some("1.5")),
        ("150", "100", Some("150"), Status::Ok, Some("1.5")),
        ("0", "0", None, Status::Ok, None),
        ("-0.01", "0", None, Status::Low, None),
        ("-5", "10", None, Status::Low, Some("-0.5")),
        ("0.9999999", "1", None, Status::Low, Some("0.9999")),
        ("99.996", "100", None, Status::Low, Some("0.9999")),
        ("1.0000001", "1", None, Status::Ok, Some("1")),
    ] {
        let (verdicts, alerts) = first_run(vec![(subject(threshold, warning), of(balance))]);
        assert_eq!(verdicts[0].status, want, "{balance} against {threshold}");
        assert_eq!(verdicts[0].ratio.map(|r| r.to_string()).as_deref(), ratio);
        assert_eq!(alerts.len(), usize::from(matches!(want, Status::Low | Status::Warning)));
    }
}

#[test]
fn unknown_is_never_low_and_unlimited_never_alerts() {
    let failed = outcome(Err(Failure::new(Reason::Timeout, "x")));
    let (verdicts, alerts) =
        first_run(vec![(subject("10", None), failed), (subject("10", Some("20")), outcome(Ok(Amount::Unlimited)))]);
    assert_eq!(verdicts[0].status, Status::Failed);
    assert_eq!(verdicts[0].balance, None);
    assert_eq!(verdicts[1].status, Status::Unlimited);
    assert!(alerts.is_empty());
}

#[test]
fn the_worst_alert_comes_first() {
    let found = [("15", "w"), ("5", "c")].map(|(balance, name)| {
        let identity = Identity::of("project", name, &["file"]);
        (Subject { identity, name: name.into(), ..subject("10", Some("20")) }, of(balance))
    });
    let (_, alerts) = first_run(found.into());
    assert_eq!(alerts.iter().map(|a| a.project.as_str()).collect::<Vec<_>>(), ["c", "w"]);
}

/// What the store does with decisions, without a store: one check through many runs.
struct Life {
    memory: Memory,
    rules: Rules,
    subject: Subject,
    run: u32,
}

impl Life {
    fn new(threshold: &str, warning: Option<&str>) -> Life {
        Life { memory: Memory::default(), rules: rules(), subject: subject(threshold, warning), run: 0 }
    }

    /// A life with these channels.
    fn with(channels: &str) -> Life {
        let mut life = Life::new("100", None);
        life.listen(channels);
        life
    }

    /// These channels are configured from now on; one in brackets wants to hear of no recovery.
    fn listen(&mut self, channels: &str) {
        self.rules.listeners = channels
            .split_whitespace()
            .map(|name| Listener { id: name.trim_matches(['(', ')']).to_owned(), wants_over: !name.starts_with('(') })
            .collect();
    }

    /// One run. `taken` says whether the channels are up. Gives what was sent: `+critical`, `-` when over, `~` when
    /// suppressed; a leading `!` for what could not be delivered.
    fn run(&mut self, second: i64, outcome: Outcome, taken: bool) -> String {
        let verdicts = judge(vec![(self.subject.clone(), outcome)]);
        self.go(second, &accounts(&verdicts), taken)
    }

    fn go(&mut self, second: i64, found: &Found, taken: bool) -> String {
        let fate = if taken { Fate::Taken } else { Fate::Refused };
        self.live(second, found, &|_| Some(fate))
    }

    /// One run in which each channel does something of its own, as `A b C? D*`: A takes the message, b refuses it, C takes it
    /// but does not say so in time, and the run dies when D has it.
    fn moods(&mut self, second: i64, balance: &str, moods: &str) -> String {
        let verdicts = judge(vec![(self.subject.clone(), outcome_of(balance))]);
        self.live(second, &accounts(&verdicts), &|id| {
            let mood = moods.split_whitespace().find(|mood| mood[..1].eq_ignore_ascii_case(id)).unwrap_or(id);
            match mood {
                mood if mood.ends_with('?') => Some(Fate::Unknown),
                mood if mood.ends_with('*') => None,
                mood if mood.chars().all(char::is_uppercase) => Some(Fate::Taken),
                _ => Some(Fate::Refused),
            }
        })
    }

    /// What became of a message is none where the run dies before it can say so.
    fn live(&mut self, second: i64, found: &Found, fate: &dyn Fn(&str) -> Option<Fate>) -> String {
        self.run += 1;
        let run_id = format!("r{}", self.run);
        let decision = decide(found, &self.memory, &self.rules, at(second), &run_id);
        self.memory.previous_run = Some(at(second));
        let arrived = |memory: &Memory, id: &str, key: &str| {
            let mut heard = memory.conditions.values().filter_map(|condition| condition.channels.get(id));
            heard.any(|heard| {
                heard.owed.as_ref().is_some_and(|owed| owed.alert.dedup_key == key && owed.may_have_arrived)
            })
        };
        let before = self.memory.clone();
        claim(&mut self.memory, &decision, at(second));
        let mut said = Vec::new();
        for telling in &decision.alerts {
            let alert = &telling.alert;
            let word = match (alert.event, alert.topic()) {
                (Event::Raised, Topic::Low) => format!("+{}", alert.level.as_str()),
                (Event::Raised, Topic::Failing) => "+failing".to_owned(),
                (Event::Raised, Topic::Renewal) => format!("+renewal {}", alert.level.as_str()),
                (Event::Raised, Topic::Mail) => "+mail".to_owned(),
                (Event::Resolved, topic) => format!("-{}", topic.as_str()),
            };
            let is_one = self.rules.listeners.len() == 1;
            let since = if alert.since.is_some() && !is_one { "(since)" } else { "" };
            let late = if alert.missed.is_some() { "(late)" } else { "" };
            let blind = if alert.unconfirmed { "(blind)" } else { "" };
            let mut fates: Vec<(&str, String)> = Vec::new();
            for id in &telling.to {
                let fate = fate(id);
                let may_have_arrived = arrived(&before, id, &alert.dedup_key);
                mark(&mut self.memory, alert, id, fate, may_have_arrived, at(second));
                let sign = match fate {
                    Some(Fate::Taken) => "",
                    Some(Fate::Refused) => "!",
                    Some(Fate::Unknown) => "?",
                    None => "*",
                };
                match fates.iter_mut().find(|(known, _)| *known == sign) {
                    Some((_, ids)) => ids.push_str(id),
                    None => fates.push((sign, id.clone())),
                }
            }
            said.extend(fates.into_iter().map(|(sign, ids)| {
                let to = if is_one { String::new() } else { format!("@{ids}") };
                format!("{sign}{word}{since}{late}{blind}{to}")
            }));
        }
        let of = |sign: &str, ids: &str| {
            if self.rules.listeners.len() == 1 { sign.to_owned() } else { format!("{sign}{ids}") }
        };
        said.extend(decision.held.iter().map(|held| match held.next {
            Some(_) => of("~", &held.channels.concat()),
            None => of("~~", &held.channels.concat()),
        }));
        said.extend(decision.waiting.iter().map(|waiting| of(">", &waiting.channel)));
        said.join(" ")
    }
}

/// What the store does when a run has decided.
fn claim(memory: &mut Memory, decision: &Decision, now: Timestamp) {
    let changes = &decision.changes;
    for (check, runs, _) in &changes.failures {
        memory.failures.insert(*check, *runs);
    }
    let messages: BTreeMap<String, Owed> = memory
        .conditions
        .values()
        .flat_map(|condition| condition.channels.values())
        .filter_map(|heard| heard.owed.clone())
        .map(|owed| (owed.alert.dedup_key.clone(), owed))
        .collect();
    for (key, course) in &changes.courses {
        if let Some(course) = course {
            let condition = Condition { course: *course, channels: BTreeMap::new() };
            memory.conditions.entry(*key).or_insert(condition).course = *course;
        }
    }
    for (key, channel) in &changes.kept {
        let owed = messages[key].clone();
        let of = (owed.alert.identity, owed.alert.topic());
        memory.conditions.get_mut(&of).unwrap().channels.entry(channel.clone()).or_default().owed = Some(owed);
    }
    for (key, channel) in &changes.withdrawn {
        let mut heard = memory.conditions.values_mut().filter_map(|condition| condition.channels.get_mut(channel));
        assert!(
            heard.any(|heard| heard.owed.take_if(|owed| owed.alert.dedup_key == *key).is_some()),
            "{key} {channel}"
        );
    }
    for (key, channel, told) in &changes.heard {
        memory.conditions.get_mut(key).unwrap().channels.entry(channel.clone()).or_default().told = told.clone();
    }
    for (key, course) in &changes.courses {
        if course.is_none() {
            memory.conditions.remove(key);
        }
    }
    let mut keys = BTreeSet::new();
    for Telling { alert, to } in &decision.alerts {
        assert!(keys.insert(&alert.dedup_key), "a key is used once: {decision:?}");
        for id in to {
            let condition = memory.conditions.get_mut(&(alert.identity, alert.topic())).expect("it has a course");
            let heard = condition.channels.entry(id.clone()).or_default();
            let owed = heard.owed.get_or_insert_with(|| Owed {
                alert: alert.clone(),
                is_heard: messages.get(&alert.dedup_key).is_some_and(|owed| owed.is_heard),
                is_claimed: false,
                may_have_arrived: false,
                doubts: 0,
                tried_at: now,
            });
            assert_eq!(owed.alert.dedup_key, alert.dedup_key, "what was owed before is withdrawn");
            owed.alert = alert.clone();
            owed.may_have_arrived = true;
        }
    }
    for condition in memory.conditions.values_mut() {
        condition.channels.retain(|_, heard| heard.told.is_some() || heard.owed.is_some());
    }
}

/// What the store does when a message has been sent; it may have arrived before.
fn mark(memory: &mut Memory, alert: &Alert, id: &str, fate: Option<Fate>, may_have_arrived: bool, now: Timestamp) {
    let Some(condition) = memory.conditions.get_mut(&(alert.identity, alert.topic())) else {
        return;
    };
    if fate == Some(Fate::Taken) {
        let owed = condition.channels.values_mut().filter_map(|heard| heard.owed.as_mut());
        owed.filter(|owed| owed.alert.dedup_key == alert.dedup_key).for_each(|owed| owed.is_heard = true);
    }
    let heard = condition.channels.get_mut(id).unwrap();
    match fate {
        Some(Fate::Taken) if alert.event == Event::Resolved => drop(condition.channels.remove(id)),
        Some(Fate::Taken) => {
            let told = Told::of(alert, now);
            let anchor = heard.told.as_ref().filter(|_| alert.is_reminder).map_or(now, |told| told.anchor);
            *heard = Heard { told: Some(Told { anchor, ..told }), owed: None };
        }
        Some(fate) => {
            let owed = heard.owed.as_mut().unwrap();
            owed.doubts += u32::from(fate == Fate::Unknown);
            owed.may_have_arrived = may_have_arrived || fate == Fate::Unknown;
            owed.tried_at = now;
        }
        None => {}
    }
}

fn outcome_of(balance: &str) -> Outcome {
    match balance {
        "x" => outcome(Err(Failure::transient(Reason::Timeout, "timed out"))),
        "inf" => outcome(Ok(Amount::Unlimited)),
        balance => of(balance),
    }
}

/// A step of a life: second, balance (`x` fails, `inf` is unlimited), channels up, what is said.
type Step = (i64, &'static str, bool, &'static str);

fn live(life: &mut Life, steps: &[Step]) {
    for (index, (second, balance, taken, want)) in steps.iter().enumerate() {
        assert_eq!(life.run(*second, outcome_of(balance), *taken), *want, "step {index}: {balance} at {second} s");
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_low_balance_is_told_once_a_day_sooner_only_if_it_got_worse_and_once_when_it_is_over() {
    let mut life = Life::new("100", Some("200"));
    live(
        &mut life,
        &[
            (0, "500", true, ""),
            (300, "150", true, "+warning"),
            (600, "150", true, "~"),
            (900, "99", true, "+critical"),
            (1200, "98", true, "~"),
            (1500, "150", true, "~"), // better, and a louder word has been said
            (1800, "90", true, "~"),
            (2100, "49.5", true, "+critical"), // half of the 99 last told
            (2400, "49", true, "~"),
            (2700, "x", true, ""), // unknown is neither low nor recovered
        ],
    );
    (10..295).for_each(|n| live(&mut life, &[(300 * n, "49", true, "~")]));
    live(
        &mut life,
        &[
            (2100 + DAY, "49", true, "+critical"),
            (2100 + DAY + 300, "200", true, "-low"),
            (2100 + DAY + 600, "300", true, ""),
            (2100 + DAY + 900, "99", true, "+critical"), // low again is new
        ],
    );
}

#[test]
fn what_is_low_on_the_first_run_is_told_and_a_changed_threshold_tells_again() {
    let mut life = Life::new("100", None);
    live(&mut life, &[(0, "5", true, "+critical"), (300, "5", true, "~")]);
    life.subject.threshold = Some(50.into());
    live(&mut life, &[(600, "5", true, "+critical"), (900, "5", true, "~")]);
    life.subject.threshold = Some(3.into());
    live(&mut life, &[(1200, "5", true, "-low"), (1500, "5", true, "")]);
}

#[test]
fn another_currency_is_news_and_is_compared_with_nothing() {
    let read = |balance: &str, currency: &str| {
        let currency = (!currency.is_empty()).then(|| currency.to_owned());
        let reading = Reading { amount: Amount::Of(balance.parse().unwrap()), currency };
        Outcome { result: Ok(reading), ..of("0") }
    };
    // Balance and currency of each run, what is sent, and the currency that a recovery says was told.
    type Run = (&'static str, &'static str, &'static str, Option<&'static str>);
    let lives: [&[Run]; 7] = [
        &[("5", "USD", "+critical", None), ("5", "EUR", "+critical", None), ("5", "EUR", "~", None)],
        &[("5", "USD", "+critical", None), ("500", "EUR", "-low", Some("USD"))],
        &[("5", "USD", "+critical", None), ("500", "USD", "-low", None)],
        &[("5", "RMB", "+critical", None), ("5", "CNY", "~", None), ("500", "CNY", "-low", None)],
        // What has no currency may be the same, which is no news; but nobody may be told that it is.
        &[("5", "", "+critical", None), ("5", "EUR", "~", None), ("500", "EUR", "-low", Some(""))],
        &[("5", "USD", "+critical", None), ("5", "", "~", None), ("500", "", "-low", Some("USD"))],
        &[("5", "", "+critical", None), ("500", "", "-low", None)],
    ];
    for runs in lives {
        let mut life = Life::new("100", None);
        life.subject.currency = None;
        for (run, (balance, currency, want, told)) in (0..).zip(runs) {
            let verdicts = judge(vec![(life.subject.clone(), read(balance, currency))]);
            let alerts = decide(&accounts(&verdicts), &life.memory, &life.rules, at(run * 300), "x").alerts;
            let before = alerts.iter().find_map(|telling| telling.alert.told_currency());
            assert_eq!(before, *told, "{runs:?}, run {run}");
            assert_eq!(life.run(run * 300, read(balance, currency), true), *want, "{runs:?}, run {run}");
        }
    }
    // A threshold of another currency was not lowered either.
    let mut life = Life::new("1000", None);
    life.run(0, read("500", "USD"), true);
    life.subject.threshold = Some(100.into());
    let verdicts = judge(vec![(life.subject.clone(), read("500", "EUR"))]);
    let alerts = decide(&accounts(&verdicts), &life.memory, &life.rules, at(300), "x").alerts;
    let Cause::Low(low) = &alerts[0].alert.cause else { panic!("{alerts:?}") };
    assert_eq!(low.change, Some(Change::Currency(Some("USD".into()))));
}

#[test]
fn a_daily_run_reminds_daily_whatever_the_jitter_and_a_wrong_clock_silences_nobody() {
    live(
        &mut Life::new("100", None),
        &[
            (0, "5", true, "+critical"),
            (DAY - 30, "5", true, "+critical"), // half a minute early
            (2 * DAY - 80, "5", true, "+critical"),
            (DAY - 300, "5", true, "+critical"), // the clock was a day ahead
            (DAY - 310, "5", true, "~"),         // another machine's is a little behind
        ],
    );
}

#[test]
fn a_margin_stops_flapping() {
    let mut life = Life::new("100", None);
    life.rules.alerting.recovery_margin_percent = 10.into();
    live(
        &mut life,
        &[
            (0, "99", true, "+critical"),
            (300, "101", true, ""),
            (600, "99", true, "~"),
            (900, "109.99", true, ""),
            (1200, "110", true, "-low"),
            (1500, "99", true, "+critical"),
            (1800, "inf", true, ""), // it came back once, so it must last
            (5400, "inf", true, "-low"),
        ],
    );
}

#[test]
fn nothing_is_lost_while_the_channels_are_down() {
    live(
        &mut Life::new("100", None),
        &[
            (0, "5", false, "!+critical"),
            (300, "5", false, "!+critical"),
            (600, "4", true, "+critical"),
            (900, "4", true, "~"),
            (1200, "500", false, "!-low"),
            (1500, "500", true, "-low"),
            (1800, "5", false, "!+critical"),
            (2100, "x", false, "!+critical(blind)"), // it may still be so, and nobody knows yet
            (2400, "500", false, "!-low(late)"),     // nobody heard of it: say what happened
            (2700, "500", true, "-low(late)"),
            (3000, "500", true, ""),
            (3300, "5", false, "!+critical"),
            (3600, "500", false, "!-low(late)"),
            (3900, "5", true, "+critical"), // low again before that could be said
            (4200, "500", false, ""),       // it has come back three times
            (4500, "5", true, "~"),         // told before, and never told that it was over
            (4800, "5", true, "~"),
        ],
    );
}

#[test]
fn bad_news_that_could_not_be_told_is_told_even_when_it_got_better() {
    let mut life = Life::new("10", Some("100"));
    life.rules.alerting.recovery_margin_percent = 10.into();
    live(
        &mut life,
        &[
            (0, "50", true, "+warning"),
            (300, "1", false, "!+critical"),
            (600, "50", true, "+warning(late)"), // nobody knew that it was at 1
            (900, "50", true, "~"),
            (1200, "20", false, "!+warning"), // much less than 50
            (1500, "105", true, ""),          // not over by the margin
            (1800, "500", true, "-low(late)"),
            (2100, "500", true, ""),
            (2400, "50", true, "+warning"),
            (2700, "1", false, "!+critical"),
            (3000, "x", true, "+critical(blind)"),
            (3300, "50", true, "~"),
        ],
    );
    life.listen("(C)");
    live(
        &mut life,
        &[
            (3600, "0", false, "!+critical"),
            (3900, "500", false, ""),            // it came back once, so it must last
            (4200, "x", true, ""),               // all was well when it was seen last
            (7500, "500", false, "!-low(late)"), // to those too who do not want to hear that it is over
            (7800, "x", true, "-low(late)(blind)"),
        ],
    );
}

#[test]
fn a_recovery_that_nobody_wants_any_more_is_dropped() {
    let mut life = Life::new("10", None);
    live(&mut life, &[(0, "5", true, "+critical"), (300, "50", false, "!-low")]);
    life.listen("(C)");
    live(&mut life, &[(600, "x", true, ""), (900, "5", true, "+critical")]);
}

#[test]
fn a_reminder_that_was_not_taken_does_not_outlive_its_cause() {
    let mut life = Life::new("100", None);
    life.rules.alerting.recovery_margin_percent = 10.into();
    live(
        &mut life,
        &[
            (0, "5", true, "+critical"),
            (DAY, "5", false, "!+critical"),
            (DAY + 300, "105", true, ""),
            (DAY + 600, "x", true, ""),
            (DAY + 900, "120", true, "-low"),
        ],
    );
}

#[test]
fn a_check_that_keeps_failing_is_told_once_and_once_when_it_works() {
    let mut life = Life::new("100", None);
    live(
        &mut life,
        &[
            (0, "x", true, ""),
            (300, "x", true, ""),
            (600, "500", true, ""), // in a row
            (900, "x", true, ""),
            (1200, "x", true, ""),
            (1500, "x", true, "+failing"),
            (1800, "x", true, "~"),
            (2100, "5", true, "+critical -failing"),
            (2400, "x", true, ""),
            (2700, "500", false, "!-low"),
            (3000, "500", true, "-low"),
            (3300, "x", true, ""),
            (3600, "x", true, ""),
            (3900, "x", false, "!+failing"),
            (4200, "500", true, "-failing(late)"),
        ],
    );
    life.rules.alerting.failure_alert_after = 0;
    (0..20).for_each(|n| live(&mut life, &[(5000 + 300 * n, "x", true, "")]));
}

#[test]
fn nobody_hears_that_it_is_over_if_nobody_wants_to_but_what_was_missed_is_told() {
    let mut life = Life::new("100", None);
    life.listen("(C)");
    live(
        &mut life,
        &[
            (0, "5", true, "+critical"),
            (300, "500", true, ""),
            (600, "5", true, "+critical"),
            (900, "500", true, ""),
            (1200, "5", true, "~"), // it had not lasted
            (1500, "500", true, ""),
            (5100, "500", true, ""),
            (5400, "5", false, "!+critical"),
            (5700, "500", true, "-low(late)"),
        ],
    );
}

#[test]
fn what_another_run_is_sending_is_left_to_it() {
    let mut life = Life::new("100", None);
    live(&mut life, &[(0, "5", false, "!+critical")]);
    let set = |life: &mut Life, is_claimed| {
        for heard in life.memory.conditions.values_mut().flat_map(|condition| condition.channels.values_mut()) {
            heard.owed.as_mut().unwrap().is_claimed = is_claimed;
        }
    };
    set(&mut life, true);
    live(&mut life, &[(1, "5", true, "~~"), (1, "x", true, "~~"), (2, "500", true, "")]);
    set(&mut life, false);
    live(&mut life, &[(3, "500", true, "-low(late)"), (4, "500", true, "")]);
}

/// The keys of what is sent, in order.
fn keys(life: &mut Life, steps: &[(i64, &str, bool)]) -> Vec<String> {
    let mut keys = Vec::new();
    for (second, balance, taken) in steps {
        let verdicts = judge(vec![(life.subject.clone(), outcome_of(balance))]);
        let decision = decide(&accounts(&verdicts), &life.memory, &life.rules, at(*second), "the-only-id");
        keys.extend(decision.alerts.iter().map(|telling| telling.alert.dedup_key.clone()));
        life.run(*second, outcome_of(balance), *taken);
        // The run itself has another id, but that of what is owed is the key that stays.
        for heard in life.memory.conditions.values_mut().flat_map(|condition| condition.channels.values_mut()) {
            if let Some(owed) = &mut heard.owed {
                owed.alert.dedup_key = keys.last().unwrap().clone();
            }
        }
    }
    keys
}

#[test]
fn a_key_stays_with_its_message_and_is_another_one_for_every_other_even_if_all_runs_have_one_id() {
    let mut life = Life::new("100", None);
    let found = keys(
        &mut life,
        &[
            (0, "5", false),
            (300, "5", false),
            (600, "5", true),       // the same message, three times
            (600 + DAY, "5", true), // a reminder
            (900 + DAY, "2", true), // worse
            (1200 + DAY, "500", false),
            (1500 + DAY, "500", true), // that it is over, twice
            (1800 + DAY, "5", true),   // the next time
            (1800 + 3 * DAY, "5", true),
        ],
    );
    assert_eq!(found.len(), 9, "{found:#?}");
    for (a, b) in [(0, 1), (0, 2), (5, 6)] {
        assert_eq!(found[a], found[b], "the same message: {found:#?}");
    }
    let different: BTreeSet<&String> = found.iter().collect();
    assert_eq!(different.len(), 6, "{found:#?}");
    let identity = life.subject.identity;
    assert_eq!(found[0], format!("low-{identity}-20270115T080000.000Z-1-the-only-id"));
    assert_eq!(found[3], format!("low-{identity}-20270115T080000.000Z-2-the-only-id"));
    assert_eq!(found[5], format!("low-resolved-{identity}-20270115T080000.000Z-4-the-only-id"));
    assert_eq!(found[7], format!("low-{identity}-20270116T083000.000Z-5-the-only-id"));
    // The key of an older version stays as well.
    for heard in life.memory.conditions.values_mut().flat_map(|condition| condition.channels.values_mut()) {
        heard.told = None;
    }
    let mut alert = first_run(vec![(life.subject.clone(), of("5"))]).1.remove(0);
    alert.dedup_key = "low-0123456789abcdef-a-run".into();
    let owed = Owed {
        alert,
        is_heard: false,
        is_claimed: false,
        may_have_arrived: false,
        doubts: 0,
        tried_at: at(2000 + 3 * DAY),
    };
    let condition = life.memory.conditions.values_mut().next().unwrap();
    condition.channels.insert("C".into(), Heard { told: None, owed: Some(owed) });
    let verdicts = judge(vec![(life.subject.clone(), of("4"))]);
    let decision = decide(&accounts(&verdicts), &life.memory, &life.rules, at(2100 + 3 * DAY), "r");
    assert_eq!(decision.alerts[0].alert.dedup_key, "low-0123456789abcdef-a-run");
}

/// A monthly subscription on the 15th through days and hours; `paid` is when it was last paid.
#[test]
fn a_renewal_is_told_once_a_day_until_it_is_paid() {
    let mut life = Life::new("0", None);
    let subscription = Subscription {
        name: "S".into(),
        schedule: Err("it is not known".into()),
        amount: None,
        currency: None,
        owner_project: None,
    };
    let live = |life: &mut Life, day: &str, hour: i64, paid: Option<&str>, taken: bool, want: &str| {
        let today: Date = day.parse().unwrap();
        let paid = paid.map(|paid| paid.parse().unwrap());
        let cycle = crate::check::subscription::Cycle::Monthly(15);
        let schedule = Schedule { cycle, renewal_day: "15".into(), alert_days_before: 3, last_renewed: paid };
        let renewal = Ok(crate::check::subscription::look(cycle, 3, paid, today).unwrap());
        let subscription = Subscription { schedule: Ok(schedule), ..subscription.clone() };
        let identity = Identity::of("subscription", "S", &[]);
        let verdict = SubscriptionVerdict { identity, subscription, renewal };
        let found = Found { subscriptions: vec![verdict], today, ..Found::default() };
        let days = i64::from(Date::constant(2026, 1, 1).until(today).unwrap().get_days());
        assert_eq!(life.go(days * DAY + hour * 3600, &found, taken), want, "{day} {hour} h, paid {paid:?}");
    };
    let mut go = |day: &str, hour, paid, taken, want: &str| live(&mut life, day, hour, paid, taken, want);
    go("2026-11-11", 8, None, true, "");
    go("2026-11-12", 8, None, true, "+renewal warning");
    go("2026-11-12", 9, None, true, "~");
    go("2026-11-13", 8, None, true, "+renewal warning");
    go("2026-11-14", 7, None, true, "+renewal warning"); // an hour earlier than yesterday is still a day later
    go("2026-11-14", 8, None, true, "~");
    go("2026-11-15", 0, None, true, "+renewal critical"); // the day itself is more urgent
    go("2026-11-15", 23, None, true, "~");
    go("2026-11-16", 8, None, true, "");
    // Paid: no reminder, and no message.
    go("2026-12-12", 8, None, true, "+renewal warning");
    go("2026-12-13", 8, Some("2026-12-13"), true, "");
    go("2026-12-15", 8, Some("2026-12-13"), true, "");
    go("2027-01-12", 8, Some("2026-12-13"), true, "+renewal warning");
    go("2027-01-16", 8, Some("2026-12-13"), true, "");
    // Channels down over the day: it is told late, once.
    go("2027-02-14", 8, None, false, "!+renewal warning");
    go("2027-02-15", 8, None, false, "!+renewal critical");
    go("2027-02-16", 8, None, false, "!-renewal(late)");
    go("2027-02-17", 8, None, true, "-renewal(late)");
    go("2027-02-18", 8, None, true, "");
    // Paid before anybody could be told: nothing to say.
    go("2027-03-14", 8, None, false, "!+renewal warning");
    go("2027-03-15", 8, Some("2027-03-14"), true, "");
}

#[test]
fn the_drop_is_counted_from_the_value_last_told() {
    let drop = |told: &str, now: &str, percent: i64| {
        let [told, now]: [Decimal; 2] = [told, now].map(|n| n.parse().unwrap());
        has_dropped(Some(told), Some(now), percent.into())
    };
    for (told, now, percent, want) in [
        ("80", "40", 50, true),
        ("80", "40.01", 50, false),
        ("80", "0", 100, true),
        ("80", "0.01", 100, false),
        ("0", "0", 50, false),
        ("0", "-0.01", 50, true),
        ("-10", "-14.99", 50, false),
        ("-10", "-15", 50, true),
        ("-10", "5", 50, false),
    ] {
        assert_eq!(drop(told, now, percent), want, "{told} -> {now} at {percent} %");
    }
    assert!(!has_dropped(None, Some(Decimal::ONE), Decimal::ONE));
}
