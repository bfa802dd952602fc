//! Random lives: whatever channels and balances do, what they must never do and must always do.

use jiff::civil::Weekday;

use super::*;
use crate::decide::active_times::ActiveTimes;
use crate::decide::memory::{Covers, Mute, MuteKind};
use crate::decide::route::{About, Asked, Levels, Matcher, Patterns, levels};

/// What a channel has really got, whatever the program knows of it.
#[derive(Clone, Debug, Default)]
struct Ear {
    /// Whether it may have heard that something is wrong, and not that it is over.
    may_know: bool,
    /// Whether the last thing that it has certainly heard is that something is wrong.
    knows: bool,
    /// When it was told last, as far as the program knows, and the level and balance.
    told: Option<(i64, Level, Decimal)>,
    /// The keys that it has taken for certain.
    keys: BTreeSet<String>,
}

const NAMES: [&str; 3] = ["A", "B", "D"];

/// What a channel takes, at random, as far as the one account of a life can tell it from something else.
fn any_route(random: &mut fastrand::Rng) -> Route {
    let asked = match random.u8(..6) {
        0 => (Asked::Name, Patterns::new(["P*"])),
        1 => (Asked::Level, Patterns::new(["critical"])),
        2 => (Asked::Level, Patterns::new(["warning"])),
        3 => (Asked::Topic, Patterns::new(["!low"])),
        4 => (Asked::Owner, Patterns::new(["nobody"])),
        _ => {
            return Route {
                min_level: *random.choice(&[Level::Warning, Level::Critical]).unwrap(),
                ..Route::default()
            };
        }
    };
    Route { matcher: Some(Matcher::Of(vec![asked])), goes_on: random.bool(), ..Route::default() }
}

/// The levels at which each channel takes that the account of a life is low.
fn levels_of(life: &Life) -> BTreeMap<String, Levels> {
    let subject = &life.subject;
    let about =
        About { name: &subject.name, owner: None, provider: &subject.provider, addressing: &subject.addressing };
    let listeners = &life.rules.listeners;
    let channels: Vec<(&str, &Route)> = listeners.iter().map(|one| (one.name.as_str(), &one.route)).collect();
    let names = listeners.iter().map(|listener| listener.id.clone());
    names.zip(levels(&channels, &about, Topic::Low)).collect()
}

/// One account through many runs of random length, with channels that fail in every way, come and go, and runs that die. Where it
/// is routed, which channel takes what changes as well.
fn live_at_random(random: &mut fastrand::Rng, seed: u64, is_routed: bool, is_timed: bool) {
    let mut life = Life::new("100", Some("150"));
    life.rules.alerting = Alerting::default();
    let mut ears: BTreeMap<&str, Ear> = NAMES.into_iter().map(|name| (name, Ear::default())).collect();
    let every = *random.choice(&[300, 3600, 86_400]).unwrap();
    let (mut second, mut balance) = (0_i64, 160_i64);
    let mut history = Vec::new();
    let mut mutes = Mutes::default();
    for run in 0..60 {
        if run == 0 || random.u8(..20) == 0 {
            let listen: Vec<String> = NAMES
                .iter()
                .filter_map(|name| match random.u8(..8) {
                    0 | 1 => None,
                    2 => Some(format!("({name})")),
                    _ => Some((*name).to_owned()),
                })
                .collect();
            life.listen(&listen.join(" "));
            if is_routed {
                life.rules.listeners.iter_mut().for_each(|listener| listener.route = any_route(random));
                let named = NAMES.iter().filter(|_| random.bool()).map(|name| (*name).to_owned());
                let named: Vec<String> = named.collect();
                life.subject.addressing.notify = Some(named).filter(|_| random.u8(..4) == 0);
            }
            if is_timed {
                life.rules.listeners.iter_mut().for_each(|listener| any_times(random, listener));
            }
        }
        let takes = levels_of(&life);
        // Mostly as before, and now and then somewhere else.
        balance = if random.bool() { balance } else { *random.choice(&[20, 60, 90, 110, 140, 152, 160, 500]).unwrap() };
        let is_read = random.u8(..8) > 0;
        let outcome = if is_read { of(&balance.to_string()) } else { outcome_of("x") };
        let fates: BTreeMap<&str, u8> = NAMES.into_iter().map(|name| (name, random.u8(..10))).collect();
        let fate = |id: &str| match fates[id] {
            0..=5 => Some(Fate::Taken),
            6..=7 => Some(Fate::Refused),
            8 => Some(Fate::Unknown),
            _ => None,
        };
        let verdicts = judge(vec![(life.subject.clone(), outcome)]);
        if is_timed {
            mutes.change(random, &mut life, second);
        }
        let before = life.memory.clone();
        let decision = decide(&accounts(&verdicts), &before, &life.rules, at(second), &format!("r{}", run + 1));
        let said = life.live(second, &accounts(&verdicts), &fate);
        if decision.muted.iter().any(|muted| muted.topic == Topic::Low) {
            mutes.last_muted = second;
        }
        history.push(format!("{second} s: {balance} (read: {is_read}), {fates:?}, {:?}: {said}", life.rules.listeners));
        let what = || format!("seed {seed}, run {run}:\n{}", history.join("\n"));

        for Telling { alert, to, .. } in decision.alerts.iter().filter(|telling| telling.alert.topic() == Topic::Low) {
            for id in to {
                let ear = ears.get_mut(id.as_str()).unwrap();
                if alert.event == Event::Raised {
                    assert!(takes[id].at(alert.level), "{id} hears of what goes to others; {}", what());
                    assert!(!mutes.silence(alert.level, second), "{id} hears of what is silenced; {}", what());
                    assert!(!is_known_to_somebody(&before, alert), "{id} hears of what is acknowledged; {}", what());
                }
                let listener = life.rules.listeners.iter().find(|listener| listener.id == *id).unwrap();
                let condition = before.conditions.get(&(alert.identity, Topic::Low));
                let heard = condition.and_then(|condition| condition.channels.get(id));
                assert!(!is_away(listener, alert, condition, at(second)), "{id} is away; {}", what());
                if alert.event == Event::Raised && heard.is_none_or(|heard| heard.told.is_none()) {
                    let course = life.memory.conditions[&(alert.identity, Topic::Low)].course;
                    let since = (course.began.as_second() - at(0).as_second()).max(mutes.last_muted);
                    let after = listener.route.after.map_or(0, |after| i64::try_from(after.as_secs()).unwrap());
                    assert!(second - since >= after - after / 20, "{id} hears of it early; {}", what());
                }
                let known = before.conditions.get(&(alert.identity, Topic::Low)).and_then(|c| c.channels.get(id));
                let owed = known.and_then(|heard| heard.owed.as_ref());
                let is_repeated = owed.is_some_and(|owed| owed.alert.dedup_key == alert.dedup_key);
                // None hears the recovery of what it never heard of; a notice that says what it was can stand alone.
                if alert.event == Event::Resolved && alert.missed.is_none() {
                    assert!(ear.may_know, "{id} hears that something is over that it did not know; {}", what());
                }
                // None is told twice within the cool-down, unless it got worse or is not known to have been told.
                if let (Event::Raised, Some((told_at, level, told)), None) = (alert.event, ear.told, &alert.missed)
                    && !is_repeated
                    && !alert.unconfirmed
                {
                    let cooldown = i64::try_from(life.rules.alerting.cooldown.as_secs()).unwrap();
                    let is_worse = alert.level > level || alert.balance().unwrap() * Decimal::TWO <= told;
                    // A reminder that comes late does not put off the next one, which comes by the timetable.
                    let least = if alert.is_reminder { cooldown / 4 } else { cooldown - cooldown / 4 };
                    let is_soon = second - told_at < least;
                    let is_changed =
                        alert.level == level && alert.threshold() != Some(100.into()) && level == Level::Critical;
                    assert!(
                        !is_soon || is_worse || is_changed,
                        "{id} is told again after {} s; {}",
                        second - told_at,
                        what()
                    );
                }
                // What has certainly been taken never comes again.
                assert!(!ear.keys.contains(&alert.dedup_key), "{id} gets {} twice; {}", alert.dedup_key, what());
                match (fate(id), alert.event) {
                    (Some(Fate::Taken), Event::Raised) => {
                        ear.keys.insert(alert.dedup_key.clone());
                        (ear.may_know, ear.knows) = (true, true);
                        ear.told = Some((second, alert.level, alert.balance().unwrap()));
                    }
                    (Some(Fate::Taken), Event::Resolved) => {
                        *ear = Ear { keys: std::mem::take(&mut ear.keys), ..Ear::default() };
                        ear.keys.insert(alert.dedup_key.clone());
                    }
                    // It may have got it. If so it is told once more, under the same key.
                    (Some(Fate::Unknown) | None, Event::Raised) => ear.may_know = true,
                    (Some(Fate::Unknown) | None, Event::Resolved) => (ear.knows, ear.told) = (false, None),
                    (Some(Fate::Refused), _) => {}
                }
            }
        }
        // Who hears of no recoveries is told when it comes back.
        let key = (life.subject.identity, Topic::Low);
        let known = life.memory.conditions.get(&key);
        let is_over = known.is_none_or(|condition| condition.course.over_at.is_some());
        let is_told = |id: &String| known.is_some_and(|c| c.channels.get(id).is_some_and(|heard| heard.told.is_some()));
        let quiet = life.rules.listeners.iter().filter(|listener| !listener.wants_over && !is_told(&listener.id));
        for listener in quiet.filter(|_| is_over) {
            let ear = ears.get_mut(listener.id.as_str()).unwrap();
            *ear = Ear { keys: std::mem::take(&mut ear.keys), ..Ear::default() };
        }
        // Who was not there when it was over is told when it comes back.
        let is_there = |name: &str| life.rules.listeners.iter().any(|listener| listener.id == name);
        for (_, ear) in ears.iter_mut().filter(|(name, _)| is_over && !is_there(name)) {
            ear.told = None;
        }
        // No message is sent to a channel that is not there, and no channel gets two of one condition.
        let ids: BTreeSet<&str> = life.rules.listeners.iter().map(|listener| listener.id.as_str()).collect();
        let sent: Vec<&String> = decision
            .alerts
            .iter()
            .filter(|telling| telling.alert.topic() == Topic::Low)
            .flat_map(|telling| &telling.to)
            .collect();
        assert!(sent.iter().all(|id| ids.contains(id.as_str())), "{}", what());
        assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), sent.len(), "{}", what());
        // What is wrong is known to every channel that took all it got, unless it may know and rests.
        let is_wrong = verdicts[0].status == Status::Low || verdicts[0].status == Status::Warning;
        let level = if verdicts[0].status == Status::Low { Level::Critical } else { Level::Warning };
        let is_meant = |listener: &&Listener| is_wrong && takes[&listener.id].at(level);
        assert!(!is_wrong || life.rules.listeners.is_empty() || life.rules.listeners.iter().any(|one| is_meant(&one)));
        for listener in life.rules.listeners.iter().filter(is_meant).filter(|one| fates[one.id.as_str()] <= 5) {
            let is_resting = decision.waiting.iter().any(|waiting| waiting.channel == listener.id)
                || decision.postponed.iter().any(|postponed| postponed.channel == listener.id)
                || !decision.muted.is_empty()
                || mutes.may_be_early(&life, listener, second);
            let knows = ears[listener.id.as_str()].knows;
            assert!(knows || is_resting, "{} is not told what is wrong; {}", listener.id, what());
        }
        // A little early or late, and now and then not at all.
        let jitter = random.i64(-every / 12..=every / 12);
        second += every + jitter + if random.u8(..20) == 0 { 3 * every } else { 0 };
    }
    // Nothing wakes up again: all well, all up, and after a while there is nothing left to say or to know.
    life.listen("A B D");
    life.subject.addressing.notify = None;
    life.memory.mutes.retain(|mute| mute.kind() == MuteKind::Ack);
    for n in 0..40 {
        let verdicts = judge(vec![(life.subject.clone(), of("500"))]);
        life.live(second + n * 7200, &accounts(&verdicts), &|_| Some(Fate::Taken));
    }
    let what = || format!("seed {seed}: {:#?}\n{}", life.memory.conditions, history.join("\n"));
    assert!(life.memory.conditions.keys().all(|(_, topic)| *topic == Topic::Failing), "{}", what());
    assert!(life.memory.mutes.is_empty(), "an acknowledgement ends with what it is about: {}", what());
}

/// The silences and acknowledgements of a life, said in another way than the program does.
#[derive(Default)]
struct Mutes {
    /// Which levels are silenced, and until when.
    silences: Vec<(Levels, i64)>,
    /// When what is wrong was last silenced or acknowledged.
    last_muted: i64,
    number: i64,
}

impl Mutes {
    /// Now and then somebody silences something, ends a silence, or acknowledges what was told.
    fn change(&mut self, random: &mut fastrand::Rng, life: &mut Life, second: i64) {
        self.number += 1;
        let made = |number, covers, until: Option<i64>| {
            let (who, reason, made_at) = ("me@here".into(), String::new(), at(second));
            Mute { number, covers, who, reason, made_at, until: until.map(at) }
        };
        match random.u8(..24) {
            0 => {
                let (asked, words, levels) = match random.u8(..4) {
                    0 => (Asked::Name, vec!["P"], Levels { warning: true, critical: true }),
                    1 => (Asked::Level, vec!["warning"], Levels { warning: true, critical: false }),
                    2 => (Asked::Topic, vec!["!low"], Levels::default()),
                    _ => (Asked::Topic, vec!["low", "mail"], Levels { warning: true, critical: true }),
                };
                let until = second + random.i64(1000..400_000);
                let covers = Covers::Matching(vec![(asked, Patterns::new(words))]);
                life.memory.mutes.push(made(self.number, covers, Some(until)));
                self.silences.push((levels, until));
            }
            1 => {
                life.memory.mutes.retain(|mute| mute.kind() == MuteKind::Ack);
                self.silences.clear();
            }
            2 => {
                let key = (life.subject.identity, Topic::Low);
                let condition = life.memory.conditions.get(&key).filter(|condition| condition.course.over_at.is_none());
                let told = condition.into_iter().flat_map(|condition| condition.channels.values());
                let told = told.filter_map(|heard| heard.told.clone()).max_by_key(|told| (told.level, told.at));
                if let Some(told) = told {
                    life.memory.mutes.retain(|mute| mute.kind() == MuteKind::Silence);
                    let covers = Covers::Known { key, name: "P".into(), told };
                    life.memory.mutes.push(made(self.number, covers, None));
                }
            }
            _ => {}
        }
    }

    /// Whether an alert of this level is silenced.
    fn silence(&self, level: Level, second: i64) -> bool {
        self.silences.iter().any(|(levels, until)| levels.at(level) && second < *until)
    }

    /// Whether what is wrong may not have lasted long enough for a channel.
    fn may_be_early(&self, life: &Life, listener: &Listener, second: i64) -> bool {
        let Some(after) = listener.route.after else { return false };
        let condition = &life.memory.conditions[&(life.subject.identity, Topic::Low)];
        let began = condition.course.began.as_second() - at(0).as_second();
        second - began.max(self.last_muted) < i64::try_from(after.as_secs()).unwrap()
    }
}

/// When a channel takes messages, at random.
fn any_times(random: &mut fastrand::Rng, listener: &mut Listener) {
    if random.u8(..3) == 0 {
        let days = vec![Weekday::Monday, Weekday::Wednesday, Weekday::Friday, Weekday::Saturday];
        let (from, until) = *random.choice(&[(540, 1080), (1320, 360), (0, 1440)]).unwrap();
        listener.active = Some(ActiveTimes { days, from, until, zone: None, holds_critical: random.bool() });
    }
    if random.u8(..4) == 0 {
        listener.route.after = Some(Duration::from_secs(*random.choice(&[600, 7200, 100_000]).unwrap()));
    }
}

/// Whether a channel takes no such message now. An end is as urgent as what the channel was told or is owed; one that says what
/// nobody heard may be owed to it in the place of a channel that is gone.
fn is_away(listener: &Listener, alert: &Alert, condition: Option<&Condition>, now: Timestamp) -> bool {
    let channels = condition.into_iter().flat_map(|condition| &condition.channels);
    let heard = channels.filter(|(id, _)| **id == listener.id || alert.missed.is_some());
    let before = heard.flat_map(|(_, heard)| {
        heard.told.as_ref().map(|told| told.level).into_iter().chain(heard.owed.as_ref().map(|owed| owed.alert.level))
    });
    let level = if alert.event == Event::Raised { alert.level } else { before.max().unwrap_or(Level::Info) };
    let level = if level == Level::Critical { level } else { Level::Warning };
    listener.active.as_ref().is_some_and(|active| !active.takes(level, now, &TimeZone::UTC))
}

/// Whether somebody has acknowledged as much as an alert says, or more.
fn is_known_to_somebody(before: &Memory, alert: &Alert) -> bool {
    before.mutes.iter().any(|mute| match &mute.covers {
        Covers::Known { told, .. } => {
            let has_dropped = alert.balance().zip(told.balance).is_some_and(|(now, told)| now * Decimal::TWO <= told);
            alert.level == told.level && alert.threshold() == told.threshold && !has_dropped
        }
        Covers::Matching(_) => false,
    })
}

#[test]
fn no_life_loses_an_alert_or_tells_one_twice() {
    // More of them with `LIVES=100000 cargo test --lib lives`.
    let rounds = std::env::var("LIVES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1500);
    let seed = fastrand::u64(..);
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        live_at_random(&mut fastrand::Rng::with_seed(seed), seed, round % 2 == 1, false);
    }
}

#[test]
fn no_life_with_silences_and_times_loses_an_alert_or_tells_it_to_who_must_not_hear_it() {
    let rounds = std::env::var("LIVES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1500);
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        live_at_random(&mut fastrand::Rng::with_seed(seed), seed, seed % 2 == 1, true);
    }
}

/// The seconds of runs that send a message, in a zone, with a cool-down of so many seconds.
fn told_at(zone: &str, cooldown: u64, runs: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut life = Life::new("100", None);
    life.rules.timezone = TimeZone::get(zone).unwrap();
    life.rules.alerting.cooldown = Duration::from_secs(cooldown);
    let verdicts = judge(vec![(life.subject.clone(), of("5"))]);
    let found = accounts(&verdicts);
    runs.filter(|now| {
        let second = now.as_second() - at(0).as_second();
        life.go(second, &found, true) == "+critical"
    })
    .collect()
}

/// Days in which the clocks of somebody change: two hemispheres, a zone that changes by half an hour, one that never does.
const ZONES: [&str; 6] =
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Shanghai"];

#[test]
fn a_reminder_comes_once_in_so_many_days_though_runs_jitter_and_clocks_change() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for zone in ZONES {
        let timezone = TimeZone::get(zone).unwrap();
        for days in [1, 2, 3, 7] {
            let start: Date = "2026-09-20".parse().unwrap();
            let hour = random.i8(3..21);
            // Once a day, at most two hours off; over both changes of the clocks.
            let runs: Vec<Timestamp> = (0..240)
                .map(|day| {
                    let date = start.checked_add(jiff::Span::new().days(day)).unwrap();
                    let planned = date.at(hour, 0, 0, 0).to_zoned(timezone.clone()).unwrap().timestamp();
                    planned + jiff::SignedDuration::from_secs(random.i64(-7200..=7200))
                })
                .collect();
            let told = told_at(zone, days * 86_400, runs.iter().copied());
            let want: Vec<Timestamp> = runs.iter().copied().step_by(usize::try_from(days).unwrap()).collect();
            assert_eq!(told, want, "seed {seed}: every {days} days at {hour} h in {zone}");
        }
    }
}

#[test]
fn a_daily_run_by_another_clock_skips_no_day_either() {
    // The scheduler goes by UTC, or by elapsed time, and the days are counted elsewhere.
    for zone in ZONES {
        let start: Timestamp = "2026-09-20T07:55:00Z".parse().unwrap();
        let runs = (0..240).map(|day| start + jiff::SignedDuration::from_secs(day * 86_400 - day % 5 * 150));
        let told = told_at(zone, 86_400, runs);
        assert_eq!(told.len(), 240, "{zone}");
    }
}

#[test]
fn runs_every_few_minutes_remind_once_a_day_and_the_hour_never_walks() {
    for zone in ZONES {
        let timezone = TimeZone::get(zone).unwrap();
        let start: Timestamp = "2026-09-20T07:55:00Z".parse().unwrap();
        let runs = (0..120 * 288).map(|n| start + jiff::SignedDuration::from_secs(n * 300 - n % 3 * 20));
        let told = told_at(zone, 86_400, runs);
        assert!(told.len().abs_diff(120) <= 1, "{zone}: {}", told.len());
        let first = start.to_zoned(timezone.clone());
        for (day, told) in told.iter().enumerate() {
            let planned = first.checked_add(jiff::Span::new().days(i64::try_from(day).unwrap())).unwrap().timestamp();
            let off = told.duration_since(planned).abs();
            assert!(off <= jiff::SignedDuration::from_mins(5), "{zone}, day {day}: {told} instead of {planned}");
        }
    }
    // A cool-down of hours goes by elapsed time.
    for (cooldown, every) in [(6 * 3600, 300), (3600, 300), (6 * 3600, 6 * 3600), (5400, 600), (36 * 3600, 3600)] {
        let runs = (0..2000_i64).map(|n| at(n * every - n % 4 * (every / 40)));
        let told = told_at("Europe/Berlin", cooldown, runs);
        for (n, told) in told.iter().enumerate() {
            let planned = i64::try_from(n as u64 * cooldown).unwrap();
            let off = (told.as_second() - at(0).as_second() - planned).abs();
            assert!(off <= every, "{cooldown} s, every {every} s, reminder {n} is {off} s off");
        }
    }
}

#[test]
fn a_message_that_was_no_reminder_begins_the_timetable_anew_and_a_late_one_does_not() {
    let mut life = Life::new("100", None);
    for hour in 0..60 {
        let balance = if hour < 6 { "80" } else { "30" };
        let (taken, want) = match hour {
            // The second one is worse than the first, so the reminders count from it.
            0 | 6 => (true, "+critical"),
            30..36 => (false, "!+critical"),
            // Six hours late, and the next one is on time.
            36 | 54 => (true, "+critical"),
            _ => (true, "~"),
        };
        live(&mut life, &[(hour * 3600, balance, taken, want)]);
        if hour == 37 {
            let found = accounts(&judge(vec![(life.subject.clone(), of("30"))]));
            let held = decide(&found, &life.memory, &life.rules, at(38 * 3600), "r").held;
            assert_eq!(held[0].next, Some(at(54 * 3600)), "and so it is announced");
        }
    }
}

#[test]
fn what_was_worse_when_it_was_refused_is_a_reminder_once_it_is_no_longer() {
    let mut life = Life::new("100", None);
    live(
        &mut life,
        &[
            (0, "80", true, "+critical"),
            (DAY - 300, "30", false, "!+critical"),
            // It is as it was told a day ago, so this comes by the timetable, and so does the next one.
            (DAY + 6 * 3600, "80", true, "+critical"),
            (2 * DAY - 9 * 3600, "80", true, "~"),
            (2 * DAY, "80", true, "+critical"),
        ],
    );
}
