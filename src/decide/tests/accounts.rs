//! Tables of sequences: one account and one channel.

use super::*;

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
        let reading = Reading::new(Amount::Of(balance.parse().unwrap()), currency);
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

/// The times of a life, the first ones by a clock that is ahead, or by the right one before it falls back for good.
#[test]
fn what_a_wrong_clock_wrote_moves_no_timetable() {
    for ahead in [2 * DAY, 700 * DAY] {
        live(
            &mut Life::new("100", None),
            &[
                (ahead, "5", true, "+critical"),
                (0, "5", true, "+critical"),
                (3600, "5", true, "~"),
                (DAY, "5", true, "+critical"),
                (2 * DAY, "5", true, "+critical"),
                (2 * DAY + 3600, "5", true, "~"),
                (3 * DAY, "500", true, "-low"),
            ],
        );
        // A reminder by the right clock, and then one by the wrong one.
        live(
            &mut Life::new("100", None),
            &[
                (0, "5", true, "+critical"),
                (ahead, "5", true, "+critical"),
                (3600, "5", true, "+critical"),
                (DAY, "5", true, "+critical"),
                (2 * DAY, "5", true, "+critical"),
            ],
        );
        // It came back by the wrong clock, and was right again by that one, so the calm is counted anew.
        live(
            &mut Life::new("100", None),
            &[
                (ahead, "5", true, "+critical"),
                (ahead + 300, "500", true, "-low"),
                (ahead + 600, "5", true, "+critical"),
                (ahead + 900, "500", true, ""),
                (0, "500", true, ""),
                (3600, "500", true, "-low"),
            ],
        );
        // A reading that fails beside it.
        live(
            &mut Life::new("100", None),
            &[
                (ahead, "x", true, ""),
                (ahead + DAY, "x", true, ""),
                (ahead + 2 * DAY, "x", true, "+failing"),
                (0, "x", true, "+failing"),
                (DAY, "x", true, "+failing"),
                (2 * DAY, "x", true, "+failing"),
            ],
        );
    }
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
