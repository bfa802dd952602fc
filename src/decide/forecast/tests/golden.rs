//! The cases of the older formula, which divided the falls by the whole span. Three things differ on purpose: the time in
//! which a balance rose does not count; confidence goes by falls that are not zero and not by readings; and a date is
//! counted from the newest reading and not from now.

use rust_decimal::prelude::ToPrimitive;

use super::super::Confidence::{self, High, Low, Medium, None as Nothing};
use super::{decimal, falling, now, of, points};
use crate::decide::forecast::forecast;

struct Case {
    name: &'static str,
    readings: Vec<(f64, f64)>,
    consumed: f64,
    topped_up: f64,
    hours: f64,
    confidence: Confidence,
    /// A day.
    burn: Option<f64>,
    days: Option<f64>,
    until: &'static str,
}

fn cases() -> Vec<Case> {
    let case = |name, readings: &[(f64, f64)], sums: (f64, f64, f64), confidence, burn, days, until| Case {
        name,
        readings: readings.to_vec(),
        consumed: sums.0,
        topped_up: sums.1,
        hours: sums.2,
        confidence,
        burn,
        days,
        until,
    };
    let refilled = [(-72., 100.), (-60., 60.), (-48., 500.), (-36., 420.), (-24., 350.), (-12., 300.), (0., 260.)];
    let sudden = [
        (-96., 500.),
        (-84., 495.),
        (-72., 490.),
        (-60., 485.),
        (-48., 480.),
        (-36., 475.),
        (-24., 470.),
        (-12., 465.),
        (-2., 400.),
        (0., 350.),
    ];
    let shuffled = [(-48., 300.), (0., 200.), (-24., 250.), (-72., 350.), (-12., 220.)];
    let overdrawn = [(-72., 30.), (-48., 10.), (-24., -5.), (0., -20.)];
    let one_refill = [(-48., 100.), (-36., 60.), (-24., 500.), (-12., 460.), (0., 420.)];
    vec![
        case("one reading", &[(-1., 100.)], (0., 0., 0.), Nothing, None, None, ""),
        case("two readings", &[(-2., 100.), (0., 90.)], (10., 0., 2.), Nothing, None, None, ""),
        case("six hours", &falling(4, 2., 85., 5.), (15., 0., 6.), Low, Some(60.), Some(85. / 60.), "2026-09-18"),
        case("a day", &falling(9, 3., 68., 4.), (32., 0., 24.), Medium, Some(32.), Some(2.125), "2026-09-18"),
        case(
            "three days",
            &falling(13, 6., 344., 13.),
            (156., 0., 72.),
            High,
            Some(52.),
            Some(344. / 52.),
            "2026-09-23",
        ),
        case("seven days", &falling(29, 6., 440., 20.), (560., 0., 168.), High, Some(80.), Some(5.5), "2026-09-22"),
        // The older formula has 93.33 a day and 2.79 days.
        case("a top-up", &refilled, (280., 440., 60.), Medium, Some(112.), Some(260. / 112.), "2026-09-19"),
        // It has high confidence, and 0 a day.
        case("no fall", &falling(7, 12., 200., 0.), (0., 0., 72.), Nothing, None, None, ""),
        case("a busy day", &sudden, (150., 0., 96.), High, Some(37.5), Some(350. / 37.5), "2026-09-26"),
        case("in any order", &shuffled, (150., 0., 72.), High, Some(50.), Some(4.), "2026-09-20"),
        case("near the end", &falling(7, 12., 2., 8.), (48., 0., 72.), High, Some(16.), Some(0.125), "2026-09-16"),
        case("overdrawn", &overdrawn, (50., 0., 72.), High, Some(50. / 3.), Some(0.), "2026-09-16"),
        // It counts from now, and has 23 September.
        case(
            "no reading today",
            &[(-96., 100.), (-72., 90.), (-48., 80.), (-24., 70.)],
            (30., 0., 72.),
            High,
            Some(10.),
            Some(7.),
            "2026-09-22",
        ),
        // It has 60 a day and 7 days.
        case("a top-up in two days", &one_refill, (120., 440., 36.), Medium, Some(80.), Some(5.25), "2026-09-22"),
        // It counts four readings, and has medium confidence with 20 a day and 4 days.
        case(
            "the same time twice",
            &[(-24., 100.), (-24., 100.), (-12., 90.), (0., 80.)],
            (20., 0., 24.),
            Nothing,
            None,
            None,
            "",
        ),
    ]
}

#[test]
fn golden_cases() {
    for case in cases() {
        let got = of(&points(case.readings.iter().copied()));
        let name = case.name;
        assert_eq!(got.consumed, Some(decimal(case.consumed)), "{name}");
        assert_eq!(got.topped_up(), Some(decimal(case.topped_up)), "{name}");
        assert_eq!(got.exposure_hours, case.hours, "{name}");
        assert_eq!(got.confidence, case.confidence, "{name}");
        let near = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => (one - other).abs() < 1e-6,
            (one, other) => one == other,
        };
        assert!(near(got.burn_per_day.and_then(|burn| burn.to_f64()), case.burn), "{name}: {:?}", got.burn_per_day);
        let lasts = got.lasts();
        assert!(near(lasts.map(|lasts| lasts.days), case.days), "{name}: {lasts:?}");
        let until = lasts.map(|lasts| lasts.until.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        assert_eq!(until, case.until, "{name}");
    }
    assert!(forecast(&[], 7, now()).is_none());
}

#[test]
fn confidence_goes_by_falls_and_by_exposure() {
    for (falls, hours, want) in [
        (2, 100., Nothing),
        (3, 5.9, Nothing),
        (3, 5.99, Nothing),
        (3, 5.996, Low),
        (3, 6., Low),
        (3, 23.9, Low),
        (3, 24., Medium),
        (3, 71.9, Medium),
        (3, 72., High),
    ] {
        assert_eq!(Confidence::of(falls, hours), want, "{falls} falls in {hours} hours");
    }
}
