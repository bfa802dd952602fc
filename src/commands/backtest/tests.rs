//! A store that runs have written, and the same runs decided again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::super::check::foresight::foresee_one;
use super::*;
use crate::check::{Amount, Outcome, Reading};
use crate::decide::config::Alerting;
use crate::decide::found::found;
use crate::decide::memory::Fate;
use crate::decide::route::Route;
use crate::decide::{Listener, Subject, decide};
use crate::model::addressing::Addressing;
use crate::model::alert::{Level, Topic};
use crate::model::failure::{Failure, Reason};
use crate::model::forecasting::Forecasting;
use crate::model::identity::Identity;
use crate::model::words::BalanceType;
use crate::process::interrupt::Deadline;
use crate::state::config::Place;
use crate::state::hourly_readings::Checks;
use crate::state::{Decider, DeliveryRecord, LONGEST_WAIT, Marks, Run, RunFindings};
use crate::yaml::forecasting::USUAL;

/// The alerts of an answer, by their signs: `= low raised A`.
fn signs(backtest: &Backtest) -> Vec<String> {
    let line = |line: &shown::Line| {
        let alert = &line.said.alert;
        let words = [line.sign(), alert.topic().as_str(), alert.event.as_str(), alert.project.as_str()];
        words.join(" ")
    };
    backtest.lines.iter().map(line).collect()
}

fn subject(name: &str, threshold: i64, forecasting: Forecasting) -> Subject {
    Subject {
        identity: Identity::of("project", name, &["file"]),
        name: name.to_owned(),
        owner_project: None,
        provider: "file".to_owned(),
        is_remote: false,
        host: None,
        addressing: Addressing::default(),
        kind: BalanceType::Balance,
        threshold: Some(threshold.into()),
        warning_threshold: Some(Decimal::from(threshold * 3 / 2)),
        written: [None, None],
        currency: Some("USD".to_owned()),
        forecasting: Some(forecasting),
    }
}

fn rules() -> Rules {
    let listener = |name: &str, after| Listener {
        id: name.to_owned(),
        name: name.to_owned(),
        route: Route { after, ..Route::default() },
        active: None,
        wants_over: true,
        forgets: false,
        counts_events: false,
    };
    Rules {
        alerting: Alerting::default(),
        listeners: vec![listener("A", None), listener("B", Some(Duration::from_secs(7200)))],
        timezone: TimeZone::UTC,
        schedule: Schedule::default(),
        left_out: HashSet::new(),
    }
}

/// A store and the runs that write it, all of whose messages are taken.
struct Written {
    path: PathBuf,
    _folder: tempfile::TempDir,
    /// When the first run began.
    start: Timestamp,
    clock: Clock,
}

fn open(path: &Path, access: Access) -> Store {
    let (place, until) = (Place::File(path.to_owned()), Deadline::within(LONGEST_WAIT));
    Store::open(&place, access, &Arc::default(), Clock::default(), &until, &mut Vec::new()).unwrap()
}

impl Written {
    fn new(days: i64) -> Written {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let start = clock.now() - SignedDuration::from_hours(24 * days);
        Written { path: folder.path().join("state.db"), _folder: folder, start, clock }
    }

    /// Runs over these accounts, each at a time in minutes since the first, with a balance for each account; none where it fails.
    fn run(&self, subjects: &[Subject], runs: &[(i64, Vec<Option<i64>>)]) {
        let mut store = open(&self.path, Access::Write);
        let until = Deadline::within(LONGEST_WAIT);
        for (number, (minute, balances)) in runs.iter().enumerate() {
            let now = self.start + SignedDuration::from_mins(*minute);
            let outcomes = balances.iter().map(|balance| Outcome {
                result: balance
                    .map(|balance| Reading::new(Amount::Of(balance.into()), None))
                    .ok_or_else(|| Failure::transient(Reason::Timeout, "timed out")),
                as_of: None,
                cached: false,
                attempts: 1,
                calls: Vec::new(),
                duration: Duration::ZERO,
            });
            let all = Subjects { accounts: subjects.to_vec(), mailboxes: Vec::new(), subscriptions: Vec::new() };
            let mut found = found(all, outcomes.collect(), Vec::new(), now.to_zoned(TimeZone::UTC).date());
            for verdict in found.accounts.iter_mut().filter(|verdict| verdict.balance.is_some()) {
                let (check, settings) = (verdict.subject.identity, verdict.subject.forecasting.unwrap_or(USUAL));
                let past = store.past(Checks::One(check), (reads_from(now, settings.window_days), now)).unwrap().remove(&check);
                foresee_one(verdict, past.unwrap_or_default(), now);
            }
            let run = Run {
                id: format!("run-{number}"),
                started_at: now,
                clock: self.clock,
                claims_until: now,
                is_partial: false,
                shard: None,
                unusable_channels: Vec::new(),
                schedule_name: String::new(),
            };
            let findings = Arc::new(RunFindings { found, ..RunFindings::default() });
            let decider: Decider = {
                let (findings, run) = (Arc::clone(&findings), run.clone());
                Arc::new(move |memory| decide(&findings.found, memory, &rules(), now, &run.id))
            };
            let (number, decision) = store.claim(&run, &findings, &decider, &until, &mut Vec::new()).unwrap();
            let deliveries = decision.alerts.iter().enumerate().flat_map(|(alert, telling)| {
                telling.to.iter().map(move |channel| DeliveryRecord {
                    alert,
                    channel: channel.clone(),
                    fate: Fate::Taken,
                    detail: None,
                    tried_at: Some(now),
                    is_poisoned: false,
                })
            });
            let deliveries = deliveries.collect();
            let alerts = decision.alerts.into_iter().map(|telling| telling.alert).collect();
            let marks = Marks { alerts, deliveries, exit_code: 0, metrics: None };
            store.mark(Some(number), &run, marks, Duration::MAX, &until, &mut Vec::new()).unwrap();
        }
        store.close(&until);
    }

    /// The runs of the last days, with these accounts.
    fn ask(&self, subjects: &[Subject], days: i64) -> Backtest {
        let mut store = open(&self.path, Access::Read);
        let now = self.clock.now();
        let subjects = Subjects { accounts: subjects.to_vec(), mailboxes: Vec::new(), subscriptions: Vec::new() };
        let times = (now - SignedDuration::from_hours(24 * days), now);
        let question = Question { subjects, rules: rules(), times, are_some: days % 2 == 1 };
        let backtest = question.ask(&mut store).unwrap().unwrap();
        leave(store);
        backtest
    }
}

/// Balances that fall, are topped up, jump and cannot be read, at irregular times.
fn any_runs(random: &mut fastrand::Rng, accounts: usize, days: i64) -> Vec<(i64, Vec<Option<i64>>)> {
    let mut balances: Vec<i64> = (0..accounts).map(|_| random.i64(200..2_000)).collect();
    let (mut minute, mut runs) = (0, Vec::new());
    while minute < days * 1440 {
        minute += *random.choice(&[5, 20, 60, 60, 360, 700]).unwrap();
        for balance in &mut balances {
            *balance -= match random.u8(..60) {
                0 => -random.i64(500..2_000),
                1 => *balance / 2,
                2..30 => random.i64(0..20),
                _ => 0,
            };
        }
        let is_down = random.u8(..12) == 0 || (days * 500..days * 800).contains(&minute);
        runs.push((minute, balances.iter().map(|one| Some(*one).filter(|_| !is_down && random.u8(..30) > 0)).collect()));
    }
    runs
}

#[test]
fn the_config_that_was_run_tells_what_was_told() {
    let (mut topics, mut lines) = (HashSet::new(), 0);
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let written = Written::new(11);
        let tells = Forecasting { tell_topups: true, ..USUAL };
        let subjects = [subject("A", 300, USUAL), subject("B", 100, tells)];
        written.run(&subjects, &any_runs(&mut random, 2, 10));
        let all = written.ask(&subjects, 12);
        let of_all = signs(&all);
        assert!(of_all.iter().all(|sign| sign.starts_with('=')), "seed {seed}: {of_all:#?}");
        lines += of_all.len();
        topics.extend(all.lines.iter().map(|line| line.said.alert.topic()));
        assert!(all.lines.iter().all(|line| line.now == line.then), "to the same channels");
        // What was told before the time began is decided as well, and not shown.
        let last = written.ask(&subjects, 5);
        let of_days = |line: &&shown::Line| line.said.at >= written.clock.now() - SignedDuration::from_hours(24 * 5);
        assert_eq!(last.lines.len(), all.lines.iter().filter(of_days).count(), "seed {seed}");
        assert!(signs(&last).iter().all(|sign| sign.starts_with('=')), "seed {seed}: {:#?}", signs(&last));
    }
    assert!(lines > 50, "{lines}");
    for topic in [Topic::Low, Topic::Failing, Topic::Runway, Topic::TopUp, Topic::Spike] {
        assert!(topics.contains(&topic), "{topic:?} of {topics:?}");
    }
}

#[test]
fn a_higher_threshold_never_tells_later() {
    for seed in 10..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let written = Written::new(20);
        let plain = |threshold| Subject { forecasting: None, ..subject("A", threshold, USUAL) };
        written.run(&[plain(300)], &any_runs(&mut random, 1, 19));
        let first = |threshold: i64| {
            let backtest = written.ask(&[plain(threshold)], 30);
            let is_low = |line: &&shown::Line| {
                let alert = &line.said.alert;
                !line.now.is_empty() && alert.topic() == Topic::Low && alert.level == Level::Critical
            };
            backtest.lines.iter().find(is_low).map_or(Timestamp::MAX, |line| line.said.at)
        };
        let times: Vec<Timestamp> = [0, 50, 200, 300, 600, 1200, 5000].into_iter().map(first).collect();
        assert!(times.is_sorted_by(|lower, higher| lower >= higher), "seed {seed}: {times:?}");
        assert!(times[0] > times[6], "seed {seed}: {times:?}");
    }
}

#[test]
fn what_changed_since_then_is_shown() {
    let written = Written::new(4);
    let runs: Vec<_> = (0..48).map(|hour| (60 * hour, vec![Some(1_000 - 20 * hour), Some(500)])).collect();
    let calm = Forecasting { alert_days: 0, spike_ratio: Decimal::ZERO, ..USUAL };
    written.run(&[subject("A", 400, calm), subject("B", 100, calm)], &runs);
    let critical = |threshold| {
        let backtest = written.ask(&[subject("A", threshold, calm)], 30);
        let is_critical = |line: &&shown::Line| line.said.alert.level == Level::Critical;
        let signs: HashSet<&str> = backtest.lines.iter().filter(is_critical).map(shown::Line::sign).collect();
        signs
    };
    assert_eq!(critical(400), HashSet::from(["="]), "as it was");
    assert_eq!(critical(1), HashSet::from(["-"]), "never");
    assert!(critical(900).contains("+"), "earlier");
    // Another name is another entry; one that was edited is known by its name.
    let edited = Subject { identity: Identity::of("project", "A", &["other"]), ..subject("A", 400, calm) };
    assert!(signs(&written.ask(&[edited], 30)).iter().all(|sign| sign.starts_with('=')));
    let other = written.ask(&[subject("C", 400, calm), subject("B", 100, calm)], 30);
    assert_eq!((other.unseen.as_slice(), other.lines.len(), other.checks), (&["C".to_owned()][..], 0, 1));
    let table = written.ask(&[subject("A", 900, calm), subject("a name that is longer than a table has room for", 1, calm)], 30);
    let shown = anstream::adapter::strip_str(&table.table(Since::Ago(Duration::from_secs(30 * 86_400)))).to_string();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    for part in ["48 runs of 1 check", "WITH THIS CONFIG", "messages a day", " + ", " - ", "low critical", "No run has looked at `a name"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let json: serde_json::Value = serde_json::from_str(&table.json()).unwrap();
    let count = |of: &str| json["alerts"].as_array().unwrap().iter().filter(|one| !one[of].as_array().unwrap().is_empty()).count();
    for (sum, list) in [("with_config", "channels"), ("told", "told")] {
        assert_eq!(json[sum]["alerts"], count(list), "{json:#}");
    }
}
