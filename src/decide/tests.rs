//! Tables and lives: what is decided run after run.

use super::*;
use crate::alert::Identity;
use crate::check::Reading;
use crate::failure::Reason;
use crate::state::memory::Pending;
use std::time::Duration;

fn subject(threshold: &str, warning: Option<&str>) -> Subject {
    Subject {
        identity: Identity::of("project", "P", &["file"]),
        name: "P".into(),
        owner_project: None,
        provider: "file".into(),
        is_remote: false,
        host: None,
        kind: crate::config::BalanceType::Balance,
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

fn rules() -> Rules {
    Rules { alerting: Alerting::default(), tell: true, tell_resolved: true }
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
    (verdicts, alerts)
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

    /// One run. `taken` says whether the channels are up. Gives what was sent: `+critical`, `-` when over, `~` when
    /// suppressed; a leading `!` for what could not be delivered.
    fn run(&mut self, second: i64, outcome: Outcome, taken: bool) -> String {
        let verdicts = judge(vec![(self.subject.clone(), outcome)]);
        self.go(second, &accounts(&verdicts), taken)
    }

    fn go(&mut self, second: i64, found: &Found, taken: bool) -> String {
        self.run += 1;
        let run_id = format!("r{}", self.run);
        let decision = decide(found, &self.memory, &self.rules, at(second), &run_id);
        for (check, runs, _) in decision.changes.failures {
            self.memory.failures.insert(check, runs);
        }
        for key in decision.changes.withdrawn {
            for condition in self.memory.conditions.values_mut() {
                condition.pending.take_if(|pending| pending.alert.dedup_key == key);
            }
        }
        for over in decision.changes.over {
            self.memory.conditions.remove(&over);
        }
        let mut said = Vec::new();
        for alert in decision.alerts {
            let key = (alert.identity, alert.topic);
            let word = match (alert.event, alert.topic) {
                (Event::Raised, Topic::Low) => format!("+{}", alert.level.as_str()),
                (Event::Raised, Topic::Failing) => "+failing".to_owned(),
                (Event::Raised, Topic::Renewal) => format!("+renewal {}", alert.level.as_str()),
                (Event::Raised, Topic::Mail) => "+mail".to_owned(),
                (Event::Resolved, topic) => format!("-{}", topic.as_str()),
            };
            let late = if alert.missed.is_some() { "(late)" } else { "" };
            let blind = if alert.unconfirmed { "(blind)" } else { "" };
            let up = if taken { "" } else { "!" };
            said.push(format!("{up}{word}{late}{blind}"));
            let condition = self.memory.conditions.entry(key).or_default();
            if !taken {
                condition.pending = Some(Pending { alert, claimed: false });
            } else if alert.event == Event::Resolved {
                self.memory.conditions.remove(&key);
            } else {
                let (level, balance, threshold) = (alert.level, alert.balance, alert.threshold);
                *condition = Condition {
                    told: Some(Told { at: at(second), level, balance, threshold, mark: alert.mark() }),
                    pending: None,
                };
            }
        }
        said.extend(decision.held.iter().map(|held| match held.next {
            Some(_) => "~".to_owned(),
            None => "~~".to_owned(),
        }));
        said.join(" ")
    }
}

/// A step of a life: second, balance (`x` fails, `inf` is unlimited), channels up, what is said.
type Step = (i64, &'static str, bool, &'static str);

fn live(life: &mut Life, steps: &[Step]) {
    for (index, (second, balance, taken, want)) in steps.iter().enumerate() {
        let outcome = match *balance {
            "x" => outcome(Err(Failure::transient(Reason::Timeout, "timed out"))),
            "inf" => outcome(Ok(Amount::Unlimited)),
            balance => of(balance),
        };
        assert_eq!(life.run(*second, outcome, *taken), *want, "step {index}: {balance} at {second} s");
    }
}

const DAY: i64 = 86_400;

#[test]
fn a_low_balance_is_told_once_a_day_sooner_only_if_it_got_worse_and_once_when_it_is_over() {
    live(
        &mut Life::new("100", Some("200")),
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
            (2100 + DAY - 600, "49", true, "~"),
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
            (1800, "inf", true, "-low"),
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
            (4200, "500", false, "!-low"),
            (4500, "5", true, "~"), // told before, and never told that it was over
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
    life.rules.tell_resolved = false;
    live(
        &mut life,
        &[
            (3600, "0", false, "!+critical"),
            (3900, "500", false, "!-low(late)"), // to those too who do not want to hear that it is over
            (4200, "x", true, "-low(late)(blind)"),
        ],
    );
}

#[test]
fn a_recovery_that_nobody_wants_any_more_is_dropped() {
    let mut life = Life::new("10", None);
    live(&mut life, &[(0, "5", true, "+critical"), (300, "50", false, "!-low")]);
    life.rules.tell_resolved = false;
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
    life.rules.tell_resolved = false;
    live(
        &mut life,
        &[
            (0, "5", true, "+critical"),
            (300, "500", true, ""),
            (600, "5", true, "+critical"),
            (900, "500", true, ""),
            (1200, "5", false, "!+critical"),
            (1500, "500", true, "-low(late)"),
        ],
    );
}

#[test]
fn what_another_run_is_sending_is_left_to_it() {
    let mut life = Life::new("100", None);
    live(&mut life, &[(0, "5", false, "!+critical")]);
    for condition in life.memory.conditions.values_mut() {
        condition.pending.as_mut().unwrap().claimed = true;
    }
    live(&mut life, &[(1, "5", true, "~~"), (1, "x", true, "~~"), (2, "500", true, "")]);
}

#[test]
fn a_message_keeps_its_key_until_it_is_taken_and_a_reminder_has_another() {
    let mut memory = Memory::default();
    let verdicts = judge(vec![(subject("100", None), of("5"))]);
    let key = |memory: &Memory, second, run| {
        decide(&accounts(&verdicts), memory, &rules(), at(second), run).alerts[0].dedup_key.clone()
    };
    let first = key(&memory, 0, "r1");
    assert_eq!(first, key(&memory, 0, "r1"), "the same run started twice");
    let alert = decide(&accounts(&verdicts), &memory, &rules(), at(0), "r1").alerts.remove(0);
    let identity = (alert.identity, Topic::Low);
    let told =
        Told { at: at(0), level: alert.level, balance: alert.balance, threshold: alert.threshold, mark: String::new() };
    let pending = Some(Pending { alert, claimed: false });
    memory.conditions.insert(identity, Condition { told: None, pending });
    assert_eq!(key(&memory, 300, "r2"), first);
    memory.conditions.insert(identity, Condition { told: Some(told), pending: None });
    assert_ne!(key(&memory, DAY, "r3"), first);
}

/// A monthly subscription on the 15th through days and hours; `paid` is when it was last paid.
#[test]
fn a_renewal_is_told_once_a_day_until_it_is_paid() {
    let mut life = Life::new("0", None);
    let subscription = Subscription {
        name: "S".into(),
        cycle: crate::check::subscription::Cycle::Monthly(15),
        renewal_day: "15".into(),
        alert_days_before: 3,
        last_renewed: None,
        amount: None,
        currency: None,
        owner_project: None,
    };
    let live = |life: &mut Life, day: &str, hour: i64, paid: Option<&str>, taken: bool, want: &str| {
        let today: Date = day.parse().unwrap();
        let paid = paid.map(|paid| paid.parse().unwrap());
        let renewal = crate::check::subscription::look(subscription.cycle, 3, paid, today).unwrap();
        let subscription = Subscription { last_renewed: paid, ..subscription.clone() };
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
    go("2026-11-14", 7, None, true, "~"); // another day, but within the cool-down
    go("2026-11-14", 8, None, true, "+renewal warning");
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
