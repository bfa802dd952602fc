//! Irregular accounts, single falls, weekdays, spikes, credits, quotas, and when somebody is told.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::super::credits::{Credit, lapses};
use super::super::quota::{Quota, pace};
use super::super::spike::{Spike, SpikeRule, Today, today};
use super::super::watch::{Tell, Watch, step};
use super::super::{Confidence, Forecast, Lasts, Outlook, Point};
use super::{after, decimal, falling, now, of, points};

/// Balances that end at `last`, out of what is consumed in each interval, oldest first.
fn consuming(hours: f64, last: f64, falls: &[f64]) -> Vec<Point> {
    let count = falls.len();
    points((0..=count).map(|n| (-((count - n) as f64) * hours, last + falls[n..].iter().sum::<f64>())))
}

/// Seven days of ten an hour, with more in some hours.
fn with_bursts(bursts: &[(usize, f64)]) -> Vec<Point> {
    let mut falls = vec![10.0; 168];
    bursts.iter().for_each(|(hour, more)| falls[*hour] += more);
    consuming(1.0, 2000.0, &falls)
}

#[test]
fn bursts_without_a_rule_have_no_date() {
    for (name, bursts, is_irregular) in [
        ("none", &[][..], false),
        ("one", &[(50, 300.0)], true),
        ("of several sizes at several times", &[(20, 300.0), (77, 900.0), (130, 500.0)], true),
        ("of one size at several times", &[(20, 400.0), (77, 400.0), (130, 400.0)], true),
        ("of several sizes at one time", &[(3, 300.0), (51, 900.0), (147, 500.0)], true),
        ("of one size at one time", &[(3, 400.0), (51, 420.0), (147, 390.0)], false),
        ("small ones", &[(20, 30.0), (77, 90.0), (130, 50.0)], false),
    ] {
        let got = of(&with_bursts(bursts));
        assert_eq!(got.lasts().is_none(), is_irregular, "{name}: {got:?}");
        assert_eq!(matches!(got.outlook, Outlook::Irregular { .. }), is_irregular, "{name}");
    }
    let at_last_pace = Some(8.333333);
    assert_eq!(of(&with_bursts(&[(50, 300.0)])).outlook, Outlook::Irregular { at_last_pace });
    // A pace that is new is no burst, and one that is very new has no middle with the old one.
    let jump = |rate: f64| [[10.0; 138].as_slice(), &[rate; 30]].concat();
    assert!(of(&consuming(1.0, 2000.0, &jump(40.0))).lasts().is_some());
    assert!(of(&consuming(1.0, 2000.0, &jump(400.0))).lasts().is_none());
}

#[test]
fn a_single_fall_is_no_pace() {
    let got = of(&with_bursts(&[(90, 4000.0)]));
    assert_eq!(
        got.single_falls.iter().map(|fall| (fall.at, fall.amount)).collect::<Vec<_>>(),
        [(after(-77.0), Decimal::from(4010))]
    );
    assert_eq!((got.burn_per_day, got.consumed), (Some(Decimal::from(240)), Some(Decimal::from(1670))));
    assert!((got.lasts().unwrap().days - 2000.0 / 240.0).abs() < 1e-6);
    // The newest may be the beginning of something, and two are no single ones.
    assert!(of(&with_bursts(&[(167, 4000.0)])).single_falls.is_empty());
    assert!(of(&with_bursts(&[(90, 4000.0), (120, 4000.0)])).single_falls.is_empty());
    // Once a day is enough to see it, if there are enough days.
    assert_eq!(of(&consuming(24.0, 2000.0, &[240.0, 240.0, 4240.0, 240.0, 240.0, 240.0, 240.0])).single_falls.len(), 1);
    assert!(of(&consuming(24.0, 2000.0, &[240.0, 4240.0, 240.0, 240.0])).single_falls.is_empty());
}

#[test]
fn days_of_the_week_are_known_after_three_weeks() {
    // Now is a Wednesday evening, so the weekend ended three days ago.
    let day = |ago: usize| if (4..6).contains(&(ago % 7)) { 10.0 } else { 100.0 };
    let falls = |days: usize| (0..days).rev().map(day).collect::<Vec<f64>>();
    let short = of(&consuming(24.0, 250.0, &falls(20)));
    assert!(!short.knows_weekdays);
    let got = of(&consuming(24.0, 250.0, &falls(21)));
    assert!(got.knows_weekdays);
    // Thursday, Friday, and then the weekend before what is left of Monday.
    let days = got.lasts().unwrap().days;
    assert!((days - 4.3).abs() < 1e-6, "{days}");
    // Days that do not repeat are no weekdays.
    let other: Vec<f64> = (0..21).map(|n| if n % 5 == 0 { 10.0 } else { 100.0 }).collect();
    assert!(!of(&consuming(24.0, 250.0, &other)).knows_weekdays);
}

#[test]
fn nothing_is_said_beyond_the_horizon() {
    for (last, want) in [(364_900.0, true), (365_100.0, false)] {
        let got = of(&points(falling(8, 24.0, last, 100.0)));
        assert_eq!(got.lasts().is_some(), want, "{got:?}");
        assert_eq!(got.outlook == Outlook::Beyond, !want);
        assert!(got.lasts().is_none_or(|lasts| lasts.most.is_none()));
    }
}

#[test]
fn a_counter_that_begins_anew_hides_what_was_used_meanwhile() {
    let usages = [0.0, 10.0, 20.0, 5.0, 15.0, 25.0];
    let with = |(n, usage): (usize, &f64)| Point {
        usage: Some(decimal(*usage)),
        ..points([((n as f64 - 5.0) * 12.0, if n < 2 { 50.0 } else { 300.0 - n as f64 })])[0]
    };
    let got = of(&usages.iter().enumerate().map(with).collect::<Vec<_>>());
    assert_eq!(
        (got.consumed, got.exposure_hours, got.burn_per_day),
        (Some(decimal(40.0)), 48.0, Some(decimal(20.0).normalize()))
    );
    assert_eq!(got.topped_up(), Some(decimal(258.0)), "the rise, and what was used in its time");
}

#[test]
fn a_spike_is_much_more_than_on_other_days() {
    let rule = SpikeRule { ratio: 3.0, at_least: Decimal::from(50), days: 7, days_back: 28, known_days: 1 };
    let spike = |points: &[Point]| match today(points, &rule, now()) {
        Today::Odd(spike) => Some(spike),
        _ => None,
    };
    let found = |falls: &[f64]| spike(&consuming(24.0, 2000.0, falls));
    let usual = |spike: Option<Spike>| spike.map(|spike| (spike.per_day, spike.usual_per_day));
    assert_eq!(found(&[20.0, 20.0, 20.0, 59.0]), None);
    assert_eq!(usual(found(&[20.0, 20.0, 20.0, 60.0])), Some((60.0, Some(20.0))));
    assert_eq!(usual(found(&[0.0, 0.0, 20.0, 60.0])), Some((60.0, Some(20.0))), "days without any do not count");
    assert_eq!(usual(found(&[0.0, 0.0, 60.0])), Some((60.0, None)), "out of an idle account");
    assert_eq!(found(&[1.0, 1.0, 1.0, 49.0]), None, "too little to matter");
    assert_eq!(found(&[60.0]), None, "nothing to compare with");
    // A day of which a quarter is hidden by a top-up is scaled.
    let day = points([(-48.0, 100.0), (-24.0, 80.0), (-18.0, 60.0), (-12.0, 500.0), (-6.0, 470.0), (0.0, 445.0)]);
    assert_eq!(usual(spike(&day)), Some((100.0, Some(20.0))));
}

#[test]
fn a_day_is_odd_usual_or_between_the_two() {
    let rule = SpikeRule { ratio: 3.0, at_least: Decimal::from(50), days: 7, days_back: 28, known_days: 3 };
    let quiet = |days: usize| vec![20.0; days];
    let after = |before: &[f64], last: &[f64]| [before, last].concat();
    // A job of 200 every third night, and one each week.
    let every = |days: usize, count: usize| (1..=count).map(|n| if n % days == 0 { 200.0 } else { 20.0 }).collect();
    let (third, weekly): (Vec<f64>, Vec<f64>) = (every(3, 12), every(7, 21));
    for (name, falls, want) in [
        ("as ever", quiet(8), "usual"),
        ("nearly three times", after(&quiet(7), &[59.0]), "between"),
        ("three times", after(&quiet(7), &[60.0]), "odd"),
        ("well below that", after(&quiet(7), &[47.0]), "usual"),
        ("the second day of it", after(&quiet(7), &[90.0, 90.0]), "odd"),
        ("the third day of it", after(&quiet(7), &[90.0, 90.0, 90.0]), "odd"),
        ("it has become usual", after(&quiet(7), &[90.0, 90.0, 90.0, 90.0, 90.0]), "usual"),
        ("the day after it", after(&quiet(7), &[90.0, 20.0]), "usual"),
        ("two days are not enough", after(&quiet(2), &[90.0]), "unknown"),
        ("three are", after(&quiet(3), &[90.0]), "odd"),
        ("the second time in four weeks", after(&quiet(14), &[90.0, 20.0, 20.0, 90.0]), "odd"),
        ("the third time is a habit", after(&quiet(7), &[90.0, 20.0, 20.0, 90.0, 20.0, 20.0, 90.0]), "between"),
        ("a habit of half the size", after(&quiet(7), &[45.0, 20.0, 45.0, 20.0, 90.0]), "between"),
        ("a habit that is much smaller", after(&quiet(7), &[44.0, 20.0, 44.0, 20.0, 90.0]), "odd"),
        ("a job every third night", third, "between"),
        ("a job every week", weekly, "between"),
        ("out of an idle account", after(&[0.0; 7], &[50.0]), "odd"),
        ("not much out of an idle account", after(&[0.0; 7], &[39.0]), "usual"),
        ("an idle account", vec![0.0; 8], "usual"),
    ] {
        let got = match today(&consuming(24.0, 2000.0, &falls), &rule, now()) {
            Today::Unknown => "unknown",
            Today::Usual(_) => "usual",
            Today::Between(_) => "between",
            Today::Odd(_) => "odd",
        };
        assert_eq!(got, want, "{name}");
    }
    // Half of the last day must be known.
    for (hours, want) in [(12.0, true), (11.5, false)] {
        let mut known = vec![(-96.0, 1000.0), (-72.0, 980.0), (-48.0, 960.0), (-24.0, 940.0)];
        known.extend([(-hours, 1500.0), (0.0, 1400.0)]);
        assert_eq!(matches!(today(&points(known), &rule, now()), Today::Odd(_)), want, "{hours}");
    }
}

/// What is usual is so in every unit.
#[test]
fn the_unit_of_an_account_changes_nothing_about_a_spike() {
    for scale in [1e-3, 1.0, 1e6] {
        for (last, want) in [(50.0, false), (70.0, true)] {
            let falls: Vec<f64> = [[20.0; 6].as_slice(), &[last]].concat().iter().map(|fall| fall * scale).collect();
            let rule = SpikeRule { ratio: 3.0, at_least: decimal(30.0 * scale), days: 7, days_back: 28, known_days: 3 };
            let got = today(&consuming(24.0, 500.0 * scale, &falls), &rule, now());
            assert_eq!(matches!(got, Today::Odd(_)), want, "{last} times {scale}");
        }
    }
}

#[test]
fn a_credit_lapses_with_what_was_not_used_of_it() {
    let credit = |remaining: u32, days: f64| Credit { remaining: remaining.into(), expires_at: after(24.0 * days) };
    let found = |credits: &[Credit], balance: u32, threshold: u32, burn: u32| -> Vec<(Decimal, f64, bool)> {
        let all = lapses(credits, balance.into(), Some(threshold.into()), burn.into(), now());
        all.into_iter().map(|lapse| (lapse.credit.remaining, lapse.unused, lapse.falls_below)).collect()
    };
    assert_eq!(found(&[credit(100, 10.0)], 300, 50, 10), [], "it is used up just in time");
    assert_eq!(found(&[credit(100, 9.0)], 300, 50, 10), [(100.into(), 10.0, false)]);
    assert_eq!(found(&[credit(100, 9.0)], 300, 205, 10), [(100.into(), 10.0, true)]);
    assert_eq!(found(&[credit(100, 9.0)], 300, 220, 10), [(100.into(), 10.0, false)], "it is below before");
    assert_eq!(found(&[credit(100, 9.0)], 300, 50, 0), [(100.into(), 100.0, false)], "an idle account");
    assert_eq!(found(&[credit(100, -1.0)], 300, 50, 0), [], "it has expired");
    // The first takes what is used, so that less of the second is.
    assert_eq!(
        found(&[credit(50, 10.0), credit(50, 8.0)], 300, 50, 10),
        [],
        "100 in ten days are used up, 50 of them within five"
    );
    assert_eq!(
        found(&[credit(50, 6.0), credit(50, 4.0)], 300, 50, 10),
        [(50.into(), 10.0, false), (50.into(), 30.0, false)]
    );
}

#[test]
fn a_quota_has_a_pace_and_no_date_beyond_its_reset() {
    let quota =
        |used: u32| Quota { used: used.into(), limit: 200.into(), began_at: after(-24.0), resets_at: after(72.0) };
    for (used, ratio, runs_out) in
        [(0, 0.0, None), (50, 1.0, None), (100, 2.0, Some(24.0)), (200, 4.0, Some(0.0)), (240, 4.8, Some(0.0))]
    {
        let pace = pace(&quota(used), now()).unwrap();
        assert_eq!((pace.elapsed, pace.ratio, pace.runs_out_at), (0.25, ratio, runs_out.map(after)), "{used}");
    }
    for (quota, at) in [
        (quota(50), after(-25.0)),
        (quota(50), after(73.0)),
        (quota(50), after(-23.9)),
        (Quota { limit: 0.into(), ..quota(50) }, now()),
        (Quota { resets_at: after(-24.0), ..quota(50) }, after(-24.0)),
    ] {
        assert_eq!(pace(&quota, at), None);
    }
}

fn lasting(fast: f64, least: f64) -> Forecast {
    let lasts = Lasts { days: fast, least, most: None, fast, until: now() };
    Forecast {
        outlook: Outlook::Lasts(lasts),
        newest_hours: Some(1.0),
        confidence: Confidence::Medium,
        ..of(&points([(0.0, 1.0)]))
    }
}

#[test]
fn what_was_and_what_is_say_what_is_told() {
    let short = Watch::Short { told_at: now() };
    let (soon, between, far) = (lasting(6.0, 5.0), lasting(8.0, 6.0), lasting(10.0, 8.0));
    let slow = Forecast { newest_hours: Some(24.0), ..soon.clone() };
    let just = Forecast { newest_hours: Some(24.0), ..lasting(6.9, 5.0) };
    let unsure = Forecast { confidence: Confidence::Low, ..soon.clone() };
    let unknown = Forecast { outlook: Outlook::Unknown, ..soon.clone() };
    for (name, before, is, hours, want) in [
        ("the first run is not believed", Watch::Calm, &soon, 0, (Watch::Doubt, Tell::Nothing)),
        ("the second is", Watch::Doubt, &soon, 1, (Watch::Short { told_at: after(1.0) }, Tell::Raise)),
        ("a day between two readings is enough", Watch::Calm, &slow, 0, (short, Tell::Raise)),
        ("if it was so six hours ago", Watch::Calm, &just, 0, (Watch::Doubt, Tell::Nothing)),
        ("a doubt passes", Watch::Doubt, &between, 1, (Watch::Calm, Tell::Nothing)),
        ("it lasts", Watch::Calm, &far, 0, (Watch::Calm, Tell::Nothing)),
        ("low confidence begins nothing", Watch::Doubt, &unsure, 1, (Watch::Doubt, Tell::Nothing)),
        ("no date ends nothing", short, &unknown, 1, (short, Tell::Nothing)),
        ("it is told once", short, &soon, 24, (short, Tell::Nothing)),
        ("and again after a week", short, &soon, 168, (Watch::Short { told_at: after(168.0) }, Tell::Remind)),
        ("but not if it may last now", short, &between, 168, (short, Tell::Nothing)),
        ("it is over when the whole range is above", short, &far, 24, (Watch::Calm, Tell::Resolve)),
    ] {
        assert_eq!(step(before, is, 7.0, now() + SignedDuration::from_hours(hours)), want, "{name}");
    }
    assert_eq!(step(Watch::Doubt, &soon, 0.0, now()), (Watch::Calm, Tell::Nothing), "it is turned off");
    assert_eq!(step(short, &soon, 0.0, now()), (Watch::Calm, Tell::Resolve), "what was told is not left open");
}

/// An account that hardly consumes anything has no date, but what lapses of its credits can be said.
#[test]
fn an_idle_account_has_a_usual_day_too() {
    let usual = |hours: f64, falls: &[f64]| of(&consuming(hours, 500.0, falls)).usual_per_day();
    for (name, hours, falls, want) in [
        ("nothing in a week", 24.0, [0.0; 7].as_slice(), Some(0)),
        ("one fall in five days", 24.0, &[0.0, 0.0, 20.0, 0.0, 0.0], Some(4)),
        ("a day", 6.0, &[0.0; 4], Some(0)),
        ("less than a day", 6.0, &[0.0; 3], None),
        ("the usual rate", 6.0, &[5.0; 12], Some(20)),
        ("a rate of half a day", 3.0, &[5.0; 4], None),
    ] {
        assert_eq!(usual(hours, falls), want.map(Decimal::from), "{name}");
    }
}
