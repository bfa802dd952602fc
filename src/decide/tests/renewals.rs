//! A subscription through its days.

use super::*;

/// A monthly subscription on the 15th through days and hours; `paid` is when it was last paid.
#[test]
fn a_renewal_is_told_once_a_day_until_it_is_paid() {
    let mut life = Life::new("0", None);
    let subscription = Subscription {
        name: "S".into(),
        schedule: Err("it is not known".into()),
        amount: None,
        prices: Vec::new(),
        currency: None,
        owner_project: None,
        addressing: Addressing::default(),
    };
    let live = |life: &mut Life, day: &str, hour: i64, paid: Option<&str>, taken: bool, want: &str| {
        let today: Date = day.parse().unwrap();
        let paid = paid.map(|paid| paid.parse().unwrap());
        let cycle = crate::check::subscription::Cycle::Monthly(15);
        let schedule = Schedule {
            cycle,
            renewal_day: "15".into(),
            alert_days_before: 3,
            last_renewed: paid,
            follows_payment: false,
        };
        let renewal = Ok(crate::check::subscription::look(cycle, 3, paid, today).unwrap());
        let subscription = Subscription { schedule: Ok(schedule), ..subscription.clone() };
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
    go("2026-11-14", 7, None, true, "+renewal warning"); // an hour earlier than yesterday is still a day later
    go("2026-11-14", 8, None, true, "~");
    go("2026-11-15", 0, None, true, "+renewal critical"); // the day itself is more urgent
    go("2026-11-15", 23, None, true, "~");
    go("2026-11-16", 8, None, true, "");
    // Paid: no reminder, and no message.
    go("2026-12-12", 8, None, true, "+renewal warning");
    go("2026-12-13", 8, Some("2026-12-13"), true, "");
    go("2026-12-15", 8, Some("2026-12-13"), true, "");
    go("2027-01-12", 8, Some("2026-12-13"), true, "+renewal warning");
    // Where a payment is kept, one that does not come is overdue: told once, and again after the cool-down.
    go("2027-01-16", 8, Some("2026-12-13"), true, "+renewal critical");
    go("2027-01-16", 9, Some("2026-12-13"), true, "~");
    go("2027-01-20", 8, Some("2026-12-13"), true, "+renewal critical");
    go("2027-01-20", 9, Some("2027-01-20"), true, "");
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
