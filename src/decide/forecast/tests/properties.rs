//! What holds for accounts of any kind.

use fastrand::Rng;
use rust_decimal::Decimal;

use super::super::{Forecast, Lasts, Outlook, Point};
use super::{decimal, of, points};

/// Accounts with a trend, a weekend, bursts and top-ups as chance has it.
fn account(rng: &mut Rng) -> Vec<Point> {
    let hours = [1, 3, 6, 24][rng.usize(0..4)];
    let count = rng.usize(4..30 * 24 / hours);
    let (trend, weekend, bursts) = (rng.f64() * 0.1, rng.f64(), [0.0, 0.0, 0.02][rng.usize(0..3)]);
    let (mut balance, mut usage) = (5000.0 * rng.f64(), 0.0);
    let mut readings = Vec::new();
    for number in (0..count).rev() {
        let ago = (number * hours) as f64;
        let share = if (ago / 24.0) as usize % 7 < 2 { weekend } else { 1.0 };
        let burst = if rng.f64() < bursts { 300.0 * rng.f64() } else { 0.0 };
        let fall = share * hours as f64 * 10.0 * (0.7 + 0.6 * rng.f64()) * (1.0 - trend * ago / 24.0).max(0.1) + burst;
        balance -= fall;
        usage += fall;
        balance += if rng.f64() < 0.03 { 500.0 * rng.f64() } else { 0.0 };
        readings.push((-ago, balance, usage));
    }
    let point = |(hours, balance, usage)| Point { usage: Some(decimal(usage)), ..points([(hours, balance)])[0] };
    readings.into_iter().map(point).collect()
}

fn without_usage(points: &[Point]) -> Vec<Point> {
    points.iter().map(|point| Point { usage: None, ..*point }).collect()
}

/// Beyond the horizon is longest; nothing else is compared.
fn days(forecast: &Forecast, pick: fn(&Lasts) -> Option<f64>) -> Option<f64> {
    match &forecast.outlook {
        Outlook::Lasts(lasts) => Some(pick(lasts).unwrap_or(f64::INFINITY)),
        Outlook::Beyond => Some(f64::INFINITY),
        _ => None,
    }
}

fn many(check: impl Fn(&mut Rng, Vec<Point>)) {
    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let points = account(&mut rng);
        check(&mut rng, points);
    }
}

#[test]
fn the_accounts_of_these_tests_are_of_several_kinds() {
    let (mut lasting, mut irregular, mut weekly) = (0, 0, 0);
    for seed in 0..400 {
        let got = of(&without_usage(&account(&mut Rng::with_seed(seed))));
        lasting += usize::from(got.lasts().is_some());
        irregular += usize::from(matches!(got.outlook, Outlook::Irregular { .. }));
        weekly += usize::from(got.knows_weekdays);
    }
    assert!(lasting > 100 && irregular > 30 && weekly > 20, "{lasting} {irregular} {weekly}");
}

#[test]
fn a_top_up_never_shortens_what_a_counter_of_usage_says() {
    many(|rng, points| {
        let (since, amount) = (rng.usize(0..points.len()), Decimal::from(rng.u32(1..1000)));
        let mut richer = points.clone();
        richer[since..].iter_mut().for_each(|point| point.balance += amount);
        let (before, after) = (of(&points), of(&richer));
        assert_eq!(before.burn_per_day, after.burn_per_day);
        assert_eq!(before.confidence, after.confidence);
        let picks: [fn(&Lasts) -> Option<f64>; 4] =
            [|lasts| Some(lasts.days), |lasts| Some(lasts.least), |lasts| Some(lasts.fast), |lasts| lasts.most];
        for pick in picks {
            assert!(days(&before, pick) <= days(&after, pick), "{before:?} {after:?}");
        }
    });
}

#[test]
fn another_unit_changes_no_date() {
    many(|rng, points| {
        let unit: Decimal = ["0.001", "0.01", "3", "7.3", "100", "1000000"][rng.usize(0..6)].parse().unwrap();
        let scale = |point: &Point| Point {
            balance: point.balance * unit,
            usage: point.usage.map(|usage| usage * unit),
            ..*point
        };
        for points in [points.clone(), without_usage(&points)] {
            let scaled: Vec<Point> = points.iter().map(scale).collect();
            let (one, other) = (of(&points), of(&scaled));
            assert_eq!(one.outlook, other.outlook, "{unit}");
            assert_eq!((one.confidence, one.falls), (other.confidence, other.falls));
            assert_eq!(
                one.topped_up().map(|amount| (amount * unit).normalize()),
                other.topped_up().map(|amount| amount.normalize())
            );
        }
    });
}

#[test]
fn the_order_of_the_readings_changes_nothing() {
    many(|rng, points| {
        let mut shuffled = points.clone();
        // Some are there twice, and one has another balance at the same time.
        shuffled.extend_from_slice(&points[..points.len() / 3]);
        let other = points[rng.usize(0..points.len())];
        shuffled.push(Point { balance: other.balance + Decimal::ONE, ..other });
        rng.shuffle(&mut shuffled);
        assert_eq!(of(&points), of(&shuffled));
    });
}

#[test]
fn a_missing_week_widens_the_range() {
    // Where too little is left for a date, anything may be.
    let width = |forecast: &Forecast| forecast.lasts().map_or(f64::INFINITY, |lasts| lasts.most.unwrap() / lasts.least);
    for hours in [1, 6, 24] {
        let readings = |count: usize| {
            (0..=count / hours).map(move |n| (-((n * hours) as f64), 2000.0 + (n * hours) as f64 * 10.0))
        };
        let all = points(readings(21 * 24));
        for week in 0..2 {
            let hole = -168.0 * f64::from(week + 1)..-168.0 * f64::from(week);
            let rest = points(readings(21 * 24).filter(|(at, _)| *at == 0.0 || !hole.contains(at)));
            assert!(width(&of(&rest)) > width(&of(&all)), "{hours} {week}");
        }
    }
}

#[test]
fn what_is_older_or_later_than_what_counts_changes_nothing() {
    many(|_, points| {
        let mut more = points.clone();
        more.push(Point { at: super::after(1.0), balance: Decimal::ZERO, usage: None });
        assert_eq!(of(&points), of(&more), "a clock that goes ahead");
    });
    let recent: Vec<(f64, f64)> = (0..=28 * 24).map(|n| (-f64::from(n), 3000.0 + f64::from(n) * 10.0)).collect();
    let older = recent.iter().copied().chain((30..60).map(|day| (-f64::from(day) * 24.0, 1e6 - f64::from(day))));
    assert_eq!(of(&points(recent.clone())).outlook, of(&points(older)).outlook);
}

#[test]
fn amounts_of_any_size_are_taken() {
    let huge = Decimal::MAX;
    let point = |hours: f64, balance| Point { balance, ..points([(hours, 0.0)])[0] };
    let all =
        [point(-48.0, huge), point(-36.0, -huge), point(-24.0, huge), point(-12.0, Decimal::ZERO), point(0.0, -huge)];
    let got = of(&all);
    assert_eq!(got.lasts().map(|lasts| lasts.days), got.lasts().map(|_| 0.0));
    let tiny: Vec<Point> = (0..50).map(|n| point(-f64::from(n), Decimal::new(i64::from(100 + n), 28))).collect();
    assert!((of(&tiny).lasts().unwrap().days - 100.0 / 24.0).abs() < 1e-3);
}
