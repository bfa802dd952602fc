//! Verdicts of one run: thresholds, what cannot be read, the order of alerts.

use super::*;
use crate::decide::changes::has_dropped;

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
