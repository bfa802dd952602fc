//! What is decided run after run. Here: one check that lives through many runs, without a store.

mod accounts;
mod channels;
mod digests;
mod expiries;
mod keys;
mod lives;
mod mutes;
mod renewals;
mod routes;
mod runways;
mod schedules;
mod shared;
mod spikes;
mod taken;
mod times;
mod topups;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::route::Route;
use super::*;
use crate::check::mailbox::scan::{Finding, Scanned};
use crate::check::subscription::config::{Schedule, Subscription};
use crate::check::{Amount, Outcome, Reading};
use crate::decide::config::Alerting;
use crate::decide::memory::{ANY_CHANNEL, Condition, Course, Fate, Heard, Owed, Told};
use crate::model::addressing::Addressing;
use crate::model::alert::{Alert, Cause, Change, Event, Level, Topic};
use crate::model::failure::{Failure, Reason};
use crate::model::identity::Identity;

fn subject(threshold: &str, warning: Option<&str>) -> Subject {
    Subject {
        identity: Identity::of("project", "P", &["file"]),
        name: "P".into(),
        owner_project: None,
        provider: "file".into(),
        is_remote: false,
        host: None,
        addressing: Addressing::default(),
        kind: crate::model::words::BalanceType::Balance,
        threshold: Some(threshold.parse().unwrap()),
        warning_threshold: warning.map(|w| w.parse().unwrap()),
        written: [None, None],
        forecasting: None,
        currency: Some("USD".into()),
    }
}

fn outcome(result: Result<Amount, Failure>) -> Outcome {
    let result = result.map(|amount| Reading::new(amount, None));
    Outcome { result, as_of: None, cached: false, attempts: 1, calls: Vec::new(), duration: Duration::ZERO }
}

fn of(balance: &str) -> Outcome {
    outcome(Ok(Amount::Of(balance.parse().unwrap())))
}

/// The standard rules, but without a margin, so that a threshold is what it says.
fn rules() -> Rules {
    let alerting = Alerting { recovery_margin_percent: Decimal::ZERO, ..Alerting::default() };
    let listeners = vec![listener("C")];
    Rules {
        alerting,
        listeners,
        timezone: TimeZone::UTC,
        schedule: crate::model::schedule::Schedule::default(),
        left_out: HashSet::new(),
    }
}

/// A channel that takes everything.
fn listener(name: &str) -> Listener {
    Listener {
        id: name.into(),
        name: name.into(),
        route: Route::default(),
        active: None,
        wants_over: true,
        forgets: false,
        counts_events: false,
    }
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

/// What is explained is what is decided: exactly those channels are told of which it is said.
fn assert_explained(decision: &Decision, explained: &[Explained]) {
    let of_table = |topic: Topic| topic != Topic::Mail;
    let told = decision.alerts.iter().filter(|telling| of_table(telling.alert.topic())).flat_map(|telling| {
        let key = (telling.alert.identity, telling.alert.topic());
        telling.to.iter().map(move |channel| (key, channel.as_str()))
    });
    let told: BTreeSet<_> = told.collect();
    let said = explained.iter().filter(|explained| of_table(explained.key.1)).flat_map(|explained| {
        let tells = explained.rulings.iter().filter(|ruling| {
            let rests = ruling.limits.rests_until.is_some() || ruling.limits.away_until.is_some();
            !rests && !matches!(ruling.act, Act::Rest | Act::Hold | Act::Wait | Act::Drop)
        });
        tells.map(|ruling| (explained.key, ruling.channel.as_str()))
    });
    assert_eq!(said.collect::<BTreeSet<_>>(), told);
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

    /// These channels are configured from now on; one in brackets wants to hear of no recovery, one
    /// with `!` forgets.
    fn listen(&mut self, channels: &str) {
        self.rules.listeners = channels
            .split_whitespace()
            .map(|name| Listener {
                wants_over: !name.starts_with('('),
                forgets: name.ends_with('!'),
                ..listener(name.trim_matches(['(', ')', '!']))
            })
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
        assert_explained(&decision, &explain(found, &self.memory, &self.rules, at(second)));
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
                (Event::Raised, Topic::Renewal) => format!("+renewal {}", alert.level.as_str()),
                (Event::Raised, topic) => format!("+{}", topic.as_str()),
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
        said.extend(decision.postponed.iter().map(|postponed| of("z", &postponed.channel)));
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
    memory.mutes.retain(|mute| !changes.unmuted.contains(&mute.number));
    let mut keys = BTreeSet::new();
    assert!(decision.deferred.iter().all(|telling| telling.to.is_empty() && !telling.later.is_empty()));
    for Telling { alert, later, .. } in decision.alerts.iter().chain(&decision.deferred) {
        for id in later {
            let condition = memory.conditions.get_mut(&(alert.identity, alert.topic())).expect("it has a course");
            let heard = condition.channels.entry(id.clone()).or_default();
            assert!(heard.owed.is_none(), "what was owed before is withdrawn");
            heard.owed = Some(Owed {
                alert: alert.clone(),
                is_heard: false,
                is_claimed: false,
                may_have_arrived: false,
                doubts: 0,
                refusals: 0,
                attempts: 0,
                is_tried: false,
                tried_at: now,
            });
        }
    }
    for Telling { alert, to, .. } in &decision.alerts {
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
                refusals: 0,
                attempts: 0,
                is_tried: false,
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
            let anchor = heard.told.as_ref().filter(|_| alert.is_reminder).map_or(now, |told| told.anchor.min(now));
            *heard = Heard { told: Some(Told { anchor, ..told }), owed: None };
        }
        Some(fate) => {
            let owed = heard.owed.as_mut().unwrap();
            owed.doubts += u32::from(fate == Fate::Unknown);
            owed.may_have_arrived = may_have_arrived || fate == Fate::Unknown;
            owed.is_tried = true;
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
