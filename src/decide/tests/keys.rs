//! Which messages are the same one.

use super::*;

/// The keys of what is sent, in order.
fn keys(life: &mut Life, steps: &[(i64, &str, bool)]) -> Vec<String> {
    let mut keys = Vec::new();
    for (second, balance, taken) in steps {
        let verdicts = judge(vec![(life.subject.clone(), outcome_of(balance))]);
        let decision = decide(&accounts(&verdicts), &life.memory, &life.rules, at(*second), "the-only-id");
        keys.extend(decision.alerts.iter().map(|telling| telling.alert.dedup_key.clone()));
        life.run(*second, outcome_of(balance), *taken);
        // The run itself has another id, but that of what is owed is the key that stays.
        for heard in life.memory.conditions.values_mut().flat_map(|condition| condition.channels.values_mut()) {
            if let Some(owed) = &mut heard.owed {
                owed.alert.dedup_key = keys.last().unwrap().clone();
            }
        }
    }
    keys
}

#[test]
fn a_key_stays_with_its_message_and_is_another_one_for_every_other_even_if_all_runs_have_one_id() {
    let mut life = Life::new("100", None);
    let found = keys(
        &mut life,
        &[
            (0, "5", false),
            (300, "5", false),
            (600, "5", true),       // the same message, three times
            (600 + DAY, "5", true), // a reminder
            (900 + DAY, "2", true), // worse
            (1200 + DAY, "500", false),
            (1500 + DAY, "500", true), // that it is over, twice
            (1800 + DAY, "5", true),   // the next time
            (1800 + 3 * DAY, "5", true),
        ],
    );
    assert_eq!(found.len(), 9, "{found:#?}");
    for (a, b) in [(0, 1), (0, 2), (5, 6)] {
        assert_eq!(found[a], found[b], "the same message: {found:#?}");
    }
    let different: BTreeSet<&String> = found.iter().collect();
    assert_eq!(different.len(), 6, "{found:#?}");
    let identity = life.subject.identity;
    assert_eq!(found[0], format!("low-{identity}-20270115T080000.000Z-1-the-only-id"));
    assert_eq!(found[3], format!("low-{identity}-20270115T080000.000Z-2-the-only-id"));
    assert_eq!(found[5], format!("low-resolved-{identity}-20270115T080000.000Z-4-the-only-id"));
    assert_eq!(found[7], format!("low-{identity}-20270116T083000.000Z-5-the-only-id"));
    // The key of an older version stays as well.
    for heard in life.memory.conditions.values_mut().flat_map(|condition| condition.channels.values_mut()) {
        heard.told = None;
    }
    let mut alert = first_run(vec![(life.subject.clone(), of("5"))]).1.remove(0);
    alert.dedup_key = "low-0123456789abcdef-a-run".into();
    let owed = Owed {
        alert,
        is_heard: false,
        is_claimed: false,
        may_have_arrived: false,
        doubts: 0,
        refusals: 0,
        attempts: 0,
        is_tried: false,
        tried_at: at(2000 + 3 * DAY),
    };
    let condition = life.memory.conditions.values_mut().next().unwrap();
    condition.channels.insert("C".into(), Heard { told: None, owed: Some(owed) });
    let verdicts = judge(vec![(life.subject.clone(), of("4"))]);
    let decision = decide(&accounts(&verdicts), &life.memory, &life.rules, at(2100 + 3 * DAY), "r");
    assert_eq!(decision.alerts[0].alert.dedup_key, "low-0123456789abcdef-a-run");
}
