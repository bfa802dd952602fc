use std::collections::BTreeSet;

use super::*;
use crate::notify::delivery::Progress;

/// What became of a message, without a repeat.
fn outcome(failure: Option<&Failure>) -> Outcome<'_> {
    Outcome { failure, is_lost: false, wait: None }
}

/// The messages out of five that are sent, if these fail.
fn sent(fail: impl Fn(usize) -> Option<Failure>) -> Vec<usize> {
    let mut queue = Queue::new((0..5).map(|at| at..at + 1).collect(), 5..5, vec![None; 5], 0);
    let mut sent = Vec::new();
    while let Some((piece, _)) = queue.next() {
        sent.push(piece.alerts.start);
        let failure = fail(piece.alerts.start);
        queue.heed(piece, &outcome(failure.as_ref()));
    }
    sent
}

#[test]
fn a_message_that_is_refused_for_what_it_holds_stops_no_other() {
    for failure in [
        Failure::of_status(400, "x"),
        Failure::of_status(404, "x"),
        Failure::of_status(413, "x"),
        Failure::of_status(422, "x"),
        Failure { retry: Retry::Never, ..Failure::of_status(503, "x") },
        Failure::new(Reason::Api, "x"),
        Failure::transient(Reason::Api, "x"),
        Failure::new(Reason::Config, "its `body` fails"),
    ] {
        let of = |poisoned: fn(usize) -> bool| sent(|number| poisoned(number).then(|| failure.clone()));
        assert_eq!(of(|number| number == 0), [0, 1, 2, 3, 4], "{failure:?}");
        assert_eq!(of(|_| true), [0, 1, 2, 3, 4], "{failure:?}");
    }
}

#[test]
fn a_fault_of_the_channel_stops_the_rest_once_a_second_message_has_met_it() {
    for failure in [
        Failure::of_status(500, "x"),
        Failure::lasting(Reason::Timeout, "x"),
        Failure::transient(Reason::Connect, "x"),
        Failure::new(Reason::Decode, "x"),
        // A wrong credential is shown to be one by a second message; what a filter has against one message is not.
        Failure::of_status(401, "x"),
        Failure::of_status(403, "x"),
    ] {
        assert_eq!(sent(|_| Some(failure.clone())).len(), 2, "{failure:?}");
        let mut one = sent(|number| (number == 1).then(|| failure.clone()));
        one.sort_unstable();
        assert_eq!(one, [0, 1, 2, 3, 4], "{failure:?}");
    }
    for failure in [Failure::of_status(429, "x"), Failure::new(Reason::Cancelled, "x")] {
        assert_eq!(sent(|_| Some(failure.clone())), [0], "{failure:?}");
    }
}

#[test]
fn two_bad_messages_do_not_hold_back_the_others_in_every_run() {
    let bad = |number| (number < 2).then(|| Failure::lasting(Reason::Timeout, "x"));
    assert!((0..200).any(|_| sent(bad).len() == 5));
}

/// A channel through many runs: what it refuses, and what it was told.
struct Life {
    alerts: usize,
    /// The most alerts of one message.
    most: usize,
    /// How it refuses each alert that it refuses.
    refuses: Vec<Option<Failure>>,
    /// The requests that its limit allows in one run.
    slots: usize,
    max_retries: u32,
    taken: BTreeSet<usize>,
    tried: Vec<Option<Timestamp>>,
    /// In how many runs each alert was sent in vain.
    vain: Vec<u32>,
    refusals: Vec<u32>,
    /// The run in which each alert is there for the first time.
    since: Vec<usize>,
    runs: usize,
    clock: i64,
}

impl Life {
    fn new(refuses: Vec<Option<Failure>>, most: usize, slots: usize, max_retries: u32) -> Life {
        let alerts = refuses.len();
        let (tried, refusals, vain, since) = (vec![None; alerts], vec![0; alerts], vec![0; alerts], vec![0; alerts]);
        let taken = BTreeSet::new();
        Life { alerts, most, refuses, slots, max_retries, taken, tried, vain, refusals, since, runs: 0, clock: 0 }
    }

    fn at_random(random: &mut fastrand::Rng) -> Life {
        let alerts = random.usize(1..40);
        let most = *random.choice(&[1, 3, 40]).unwrap();
        let (share, is_mixed) = (random.f64() * random.f64(), random.bool());
        let kinds = [
            Failure::of_status(400, "x"),
            Failure::of_status(413, "x"),
            Failure::new(Reason::Api, "x"),
            Failure::of_status(403, "x"),
            Failure::of_status(500, "x"),
            Failure::new(Reason::Decode, "x"),
            Failure::of_status(429, "x"),
        ];
        // What is blocked for its rate is not blocked for one alert of several.
        let kinds = if most == 1 { &kinds[..] } else { &kinds[..6] };
        let one = random.choice(kinds).unwrap().clone();
        let refuse = |random: &mut fastrand::Rng| match random.f64() < share {
            true if is_mixed => Some(random.choice(kinds).unwrap().clone()),
            true => Some(one.clone()),
            false => None,
        };
        let refuses = (0..alerts).map(|_| refuse(random)).collect();
        let slots = if random.bool() { 1000 } else { random.usize(1..12) };
        Life::new(refuses, most, slots, random.u32(0..3))
    }

    /// One run. Gives the messages in their order.
    fn run(&mut self) -> Vec<Vec<usize>> {
        let is_owed = |at: &usize| !self.taken.contains(at) && self.since[*at] <= self.runs;
        let mut owed: Vec<usize> = (0..self.alerts).filter(is_owed).collect();
        self.runs += 1;
        owed.sort_by_key(|at| (self.refusals[*at] > 0, self.tried[*at]));
        let good = owed.iter().filter(|at| self.refusals[**at] == 0).count();
        let parts: Vec<_> = (0..good).step_by(self.most).map(|at| at..(at + self.most).min(good)).collect();
        let past = owed.iter().map(|at| self.tried[*at].map(|tried| (tried, self.vain[*at]))).collect();
        let mut queue = Queue::new(parts, good..owed.len(), past, self.max_retries);
        let mut progress = Progress { suspects: owed[good..].iter().copied().collect(), ..Progress::default() };
        let mut sent = Vec::new();
        while let Some((mut piece, _)) = queue.next() {
            if sent.len() == self.slots {
                let none = Failure::new(Reason::RateLimited, "no turn");
                queue.heed(piece, &outcome(Some(&none)));
                continue;
            }
            piece.attempts += 1;
            let alerts: Vec<usize> = owed[piece.alerts.clone()].to_vec();
            sent.push(alerts.clone());
            for at in &alerts {
                self.clock += 1;
                self.tried[*at] = Timestamp::from_millisecond(self.clock).ok();
            }
            let failure = alerts.iter().find_map(|at| self.refuses[*at].clone());
            if failure.is_none() {
                for at in &alerts {
                    assert!(self.taken.insert(*at), "{at} is told twice: {sent:?}");
                }
                progress.taken.extend(&alerts);
            }
            let is_repeated = matches!(piece.kind, Kind::Part(_)) && piece.attempts <= self.max_retries;
            let may_help = failure.as_ref().is_some_and(|failure| failure.retry == Retry::Soon);
            let wait = (is_repeated && may_help).then_some(Duration::ZERO);
            if let Some(is_certain) = failure.as_ref().and_then(blames_message) {
                progress.refuse(&alerts, is_certain);
            }
            queue.heed(piece, &Outcome { failure: failure.as_ref(), is_lost: false, wait });
        }
        for at in progress.poisoned() {
            self.refusals[at] += 1;
        }
        let in_vain: BTreeSet<usize> = sent.iter().flatten().filter(|at| !self.taken.contains(at)).copied().collect();
        in_vain.into_iter().for_each(|at| self.vain[at] += 1);
        sent
    }

    fn is_through(&self) -> bool {
        (0..self.alerts).all(|at| self.refuses[at].is_some() || self.taken.contains(&at))
    }
}

#[test]
fn every_alert_that_is_not_refused_is_told_once_within_a_bounded_number_of_runs() {
    let rounds = std::env::var("LIVES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1500);
    let seed = fastrand::u64(..);
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        let mut life = Life::at_random(&mut fastrand::Rng::with_seed(seed));
        let bad = life.refuses.iter().flatten().count();
        let mut history = Vec::new();
        while !life.is_through() {
            history.push(life.run());
            let (last, parts) = (history[history.len() - 1].len(), life.alerts.div_ceil(life.most));
            let most = parts * (1 + life.max_retries as usize) + MOST_SEARCHES + bad + 1;
            assert!(last <= most, "seed {seed}: {last} requests in one run, of {most}: {history:?}");
            let few = if life.slots < 1000 { life.alerts } else { 0 };
            // Which one is sent alone first is by chance, where a channel does not say that the message is to blame.
            let chance = if bad > 1 { 12 * life.alerts + 40 } else { 0 };
            assert!(
                history.len() <= bad + 3 + few + chance,
                "seed {seed}: {bad} of {} refused, {} slots, {} in a message, not told {:?}, refusals {:?}: {:?}",
                life.alerts,
                life.slots,
                life.most,
                (0..life.alerts)
                    .filter(|at| life.refuses[*at].is_none() && !life.taken.contains(at))
                    .collect::<Vec<_>>(),
                life.refusals,
                &history[history.len().saturating_sub(6)..],
            );
        }
    }
}

#[test]
fn one_bad_alert_costs_a_message_for_each_halving_and_then_stands_alone() {
    for failure in [Failure::of_status(400, "x"), Failure::new(Reason::Api, "x"), Failure::of_status(403, "x")] {
        for alerts in [2_usize, 3, 6, 50, 200] {
            let bad = fastrand::usize(..alerts);
            let mut life =
                Life::new((0..alerts).map(|at| (at == bad).then(|| failure.clone())).collect(), 500, 1000, 0);
            let mut sent = life.run();
            let most = 2 * alerts.ilog2() as usize + 4;
            assert!(sent.len() <= most, "{failure:?}: {} messages for {alerts}", sent.len());
            if !life.is_through() {
                // The one that was tried first, to find out whether a credential is wrong, was the bad one.
                assert_eq!(sent.len(), 2, "{failure:?}: {sent:?}");
                sent = life.run();
                assert!(life.is_through(), "{failure:?}: {sent:?}");
            }
            let next = life.run();
            assert!(next.iter().all(|message| *message == [bad]) && next.len() <= 2, "{failure:?}: {next:?}");
        }
    }
}

/// A run may have one turn because of a limit, or because the service blocks whoever asks twice.
#[test]
fn with_one_message_in_a_run_each_alert_is_told_within_a_known_number_of_runs() {
    let rounds = std::env::var("LIVES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1500);
    let seed = fastrand::u64(..);
    for round in 0..rounds {
        let seed = seed.wrapping_add(round);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut life = Life { slots: 1, ..Life::at_random(&mut random) };
        // All are there from the beginning, or they come one after the other.
        let last = *random.choice(&[0, 3, 40]).unwrap();
        life.since = (0..life.alerts).map(|_| random.usize(..=last)).collect();
        let mut history = Vec::new();
        // Each is sent once as something new, and then in turn.
        let most = last + life.alerts * (life.alerts.ilog2() as usize + WHOLE as usize + 2);
        while !life.is_through() {
            history.push(life.run());
            assert!(history[history.len() - 1].len() <= 1);
            assert!(
                history.len() <= most,
                "seed {seed}: {} in a message, since {:?}, refused {:?}: {:?}",
                life.most,
                life.since,
                life.refuses.iter().map(|refuses| u8::from(refuses.is_some())).collect::<Vec<_>>(),
                &history[history.len().saturating_sub(20)..]
            );
        }
    }
}

#[test]
fn a_bad_alert_that_is_new_in_each_run_holds_back_no_old_one() {
    // The message of the first run holds a bad alert; after that each run has a bad one that is new.
    let runs = 2_000;
    let refuses = (0..runs).map(|at| (at != 1).then(|| Failure::of_status(400, "x"))).collect();
    let mut life = Life::new(refuses, 100, 1, 0);
    life.since = (0..runs).map(|at: usize| at.saturating_sub(1)).collect();
    while !life.is_through() {
        life.run();
        assert!(life.runs < runs, "it waits behind refused ones");
    }
}

#[test]
fn a_channel_that_takes_nothing_is_not_asked_for_every_alert() {
    for (failure, most) in [
        (Failure::of_status(404, "x"), 1 + MOST_VAIN),
        (Failure::of_status(401, "x"), 2),
        (Failure::of_status(500, "x"), 2),
        (Failure::of_status(429, "x"), 1),
        (Failure::lasting(Reason::Timeout, "x"), 1),
    ] {
        let mut life = Life::new(vec![Some(failure.clone()); 100], 500, 1000, 0);
        for _ in 0..5 {
            assert_eq!(life.run().len(), most, "{failure:?}");
        }
        assert!(life.refusals.iter().all(|refusals| *refusals == 0), "nothing shows that a message is to blame");
    }
}

#[test]
fn what_was_never_sent_comes_before_repeats_and_a_limit_gives_each_its_turn() {
    // Two that are refused stand first, and two requests a run are allowed.
    for failure in [Failure::of_status(400, "x"), Failure::of_status(500, "x"), Failure::of_status(429, "x")] {
        let refuses = (0..6).map(|at| (at < 2).then(|| failure.clone())).collect();
        let mut life = Life::new(refuses, 1, 2, 1);
        let mut runs = 0;
        while !life.is_through() {
            runs += 1;
            life.run();
            assert!(runs <= 4, "{failure:?}: {:?}", life.tried);
        }
    }
}
