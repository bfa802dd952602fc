//! What is remembered of a run whose messages were all taken is what the store keeps of it.

use super::*;
use crate::decide::active_times::ActiveTimes;

fn sorted(memory: &Memory) -> (BTreeMap<Identity, u32>, String) {
    let conditions: BTreeMap<_, _> = memory.conditions.iter().collect();
    (memory.failures.iter().map(|(check, runs)| (*check, *runs)).collect(), format!("{conditions:#?}"))
}

#[test]
fn what_is_remembered_is_what_the_store_keeps() {
    let mut told = 0;
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut life = Life::new("100", Some("150"));
        life.rules.alerting = Alerting::default();
        life.listen("A B (D)");
        for listener in &mut life.rules.listeners {
            if random.u8(..3) == 0 {
                listener.route.after = Some(Duration::from_secs(7200));
            }
            if random.u8(..3) == 0 {
                let days = jiff::civil::Weekday::Monday.cycle_forward().take(5).collect();
                listener.active =
                    Some(ActiveTimes { days, from: 540, until: 1080, zone: None, holds_critical: random.bool() });
            }
        }
        let mut followed = Memory::default();
        let (mut second, mut balance) = (0, "500");
        for run in 0..60 {
            second += *random.choice(&[300, 3600, 21_600, 90_000]).unwrap();
            balance = if random.bool() {
                balance
            } else {
                random.choice(&["20", "60", "110", "152", "500", "x", "inf"]).unwrap()
            };
            let found = accounts(&judge(vec![(life.subject.clone(), outcome_of(balance))]));
            let decision = decide(&found, &followed, &life.rules, at(second), &format!("r{}", run + 1));
            told += decision.alerts.len();
            followed.follow(&decision, at(second));
            followed.previous_run = Some(at(second));
            life.go(second, &found, true);
            assert_eq!(sorted(&followed), sorted(&life.memory), "seed {seed}, run {run}: {balance}");
        }
    }
    assert!(told > 1000, "{told}");
}
