//! What a service that counts events hears of checks that fail for one cause, run after run.

use super::*;
use crate::model::alert::SharedCause;

const DAY: i64 = 86_400;

/// Several accounts through many runs, with `E`, which counts events, and `M`, which does not.
struct Hosts {
    memory: Memory,
    rules: Rules,
    run: u32,
    /// The events that are open at `E`, by what names them there, and how often each was opened and closed.
    open: BTreeSet<String>,
    said: Vec<String>,
}

impl Hosts {
    fn new() -> Hosts {
        let mut rules = rules();
        rules.alerting.failure_alert_after = 1;
        rules.listeners = vec![Listener { counts_events: true, ..listener("E") }, listener("M")];
        Hosts { memory: Memory::default(), rules, run: 0, open: BTreeSet::new(), said: Vec::new() }
    }

    /// One run over accounts as `A1. B1x C2r`: the name, the host, and whether it can be read (`.`), or does not answer (`x`), or
    /// refuses (`r`). Gives what `E` was told, as `+key` and `-key`, and how many messages were for `M`.
    fn run(&mut self, second: i64, states: &str, taken: bool) -> (Vec<String>, usize) {
        self.run += 1;
        let found = accounts(&judge(states.split_whitespace().map(account)));
        let decision = decide(&found, &self.memory, &self.rules, at(second), &format!("r{}", self.run));
        assert_explained(&decision, &explain(&found, &self.memory, &self.rules, at(second)));
        claim(&mut self.memory, &decision, at(second));
        let (mut events, mut messages) = (BTreeSet::new(), 0);
        for telling in &decision.alerts {
            let fate = if taken { Fate::Taken } else { Fate::Refused };
            for id in &telling.to {
                mark(&mut self.memory, &telling.alert, id, Some(fate), false, at(second));
            }
            messages += usize::from(telling.to.contains(&"M".to_owned()));
            if telling.to.contains(&"E".to_owned()) {
                let sign = if telling.alert.event == Event::Raised { '+' } else { '-' };
                events.insert(format!("{sign}{}", event(&telling.alert)));
            }
        }
        for event in events.iter().filter(|_| taken) {
            match event.strip_prefix('+') {
                Some(key) => drop(self.open.insert(key.to_owned())),
                None => drop(self.open.remove(&event[1..])),
            }
        }
        self.said.extend(events.iter().cloned());
        self.memory.previous_run = Some(at(second));
        (events.into_iter().collect(), messages)
    }

    /// What each account is known by at `E` that it does not know to be over, and whether it may be so by now.
    fn standing(&self) -> BTreeSet<String> {
        let standing = self.memory.conditions.iter().filter_map(|((check, topic), condition)| {
            let heard = condition.channels.get("E").filter(|_| *topic == Topic::Failing)?;
            let told = heard
                .told
                .as_ref()
                .filter(|_| heard.owed.as_ref().is_none_or(|owed| owed.alert.event == Event::Raised))?;
            Some(SharedCause::parse(&told.mark).map_or(check.to_string(), |shared| named(&shared)))
        });
        standing.collect()
    }
}

/// What names the event that an alert begins or ends: its host, with `!` if it refuses, or the check.
fn event(alert: &Alert) -> String {
    alert.shared().map_or_else(|| alert.identity.to_string(), named)
}

fn named(shared: &SharedCause) -> String {
    let is_host = *shared == SharedCause::of_host(&shared.host);
    format!("{}{}", shared.host, if is_host { "" } else { "!" })
}

fn account(word: &str) -> (Subject, Outcome) {
    let (name, host, state) = (&word[..1], &word[1..2], &word[2..]);
    let subject = Subject {
        identity: Identity::of("project", name, &[host]),
        name: name.into(),
        host: Some(format!("h{host}")),
        ..subject("100", None)
    };
    let outcome = match state {
        "." => of("500"),
        "x" => outcome(Err(Failure::transient(Reason::Timeout, "no answer"))),
        "y" => outcome(Err(Failure::transient(Reason::HttpStatus, "HTTP 503"))),
        "c" => outcome(Err(
            Failure::new(Reason::CircuitOpen, "not asked").because_of(Failure::new(Reason::Timeout, "no answer"))
        )),
        _ => outcome(Err(Failure::new(Reason::Auth, "no such key"))),
    };
    (subject, outcome)
}

fn own(name: &str) -> String {
    Identity::of("project", name, &["1"]).to_string()
}

#[test]
fn a_dead_host_is_one_event_with_one_end() {
    let mut hosts = Hosts::new();
    let other = |sign: &str| format!("{sign}{}", Identity::of("project", "E", &["2"]));
    let host = |sign: &str| format!("{sign}h1");
    for (name, states, want, messages) in [
        ("three are enough, however the host fails", "A1x B1y C1c D1. E2x", vec![other("+"), host("+")], 4),
        ("nothing is new", "A1x B1x C1x D1. E2x", vec![], 0),
        ("one that comes belongs to it, alone as well", "A1x B1x C1x D1x E2x", vec![host("+")], 1),
        ("what ends first does not end it", "A1. B1x C1x D1x E2.", vec![other("-")], 2),
        ("one that is gone does not hold it", "A1. B1. C1x E2.", vec![], 1),
        ("the last one ends it", "A1. B1. C1. E2.", vec![host("-")], 1),
        ("one that comes back well says so once more", "A1. B1. C1. D1. E2.", vec![host("-")], 1),
        ("and it is over", "A1. B1. C1. D1. E2.", vec![], 0),
    ] {
        let (said, told) = hosts.run(i64::from(hosts.run) * 300, states, true);
        assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from_iter(want), "{name}");
        assert_eq!(told, messages, "{name}: who is told in words hears of each");
    }
}

#[test]
fn what_is_not_shared_is_an_event_of_its_own() {
    let mut hosts = Hosts::new();
    // Two are no cause in common, and what began alone ends alone.
    assert_eq!(hosts.run(0, "A1x B1x", true).0.len(), 2);
    let (said, _) = hosts.run(300, "A1x B1x C1x D1x F1x", true);
    assert_eq!(said, ["+h1"], "the three that came");
    let (said, _) = hosts.run(600, "A1. B1x C1x D1x F1x", true);
    assert_eq!(said, [format!("-{}", own("A"))]);
    let (said, _) = hosts.run(900, "A1. B1. C1. D1. F1.", true);
    assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["-h1".to_owned(), format!("-{}", own("B"))]));
    assert_eq!(hosts.open, BTreeSet::new());
    // A refusal is an answer: it is another cause than that of the host, and one that all accounts share is one as well.
    let mut hosts = Hosts::new();
    hosts.run(0, "A1x B1x C1x D1r", true);
    assert_eq!(hosts.open, BTreeSet::from(["h1".to_owned(), own("D")]));
    let mut hosts = Hosts::new();
    hosts.run(0, "A1r B1r C1r", true);
    assert_eq!(hosts.open, BTreeSet::from(["h1!".to_owned()]));
    hosts.run(300, "A1. B1. C1r", true);
    hosts.run(600, "A1. B1. C1.", true);
    assert_eq!((hosts.open, hosts.said.len()), (BTreeSet::new(), 2));
}

#[test]
fn what_an_older_version_opened_for_each_account_is_closed_for_each() {
    let mut hosts = Hosts::new();
    hosts.rules.listeners[0].counts_events = false;
    hosts.run(0, "A1x B1x C1x", true);
    for condition in hosts.memory.conditions.values_mut() {
        condition.channels.values_mut().for_each(|heard| heard.told.as_mut().unwrap().mark.clear());
    }
    hosts.rules.listeners[0].counts_events = true;
    let (said, _) = hosts.run(300, "A1. B1x C1x D1x", true);
    let want = BTreeSet::from([format!("-{}", own("A")), "+h1".to_owned()]);
    assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), want, "one that comes now is under the cause of the three");
    let (said, _) = hosts.run(600, "A1. B1. C1. D1.", true);
    let want = [format!("-{}", own("B")), format!("-{}", own("C")), "-h1".to_owned()];
    assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(want));
}

/// Over random runs, of all accounts or of some, with a receiver that is down now and then: as long as an account stands under an event,
/// the event is open, and it is closed when none does.
#[test]
fn an_event_is_open_as_long_as_a_check_stands_under_it() {
    let mut random = fastrand::Rng::with_seed(7);
    for life in 0..60 {
        let mut hosts = Hosts::new();
        let (mut states, mut second) = (["."; 6], 0);
        for step in 0..40 {
            second += [300, 3 * DAY][usize::from(random.u8(0..3) == 0)];
            let is_storm = random.u8(0..4) == 0;
            let storm = ["x", "."][random.usize(0..2)];
            for state in &mut states {
                match random.u8(0..3) {
                    _ if is_storm => *state = storm,
                    0 => *state = ["x", "y", "c", "r", "."][random.usize(0..5)],
                    _ => {}
                }
            }
            let of = |at: usize| format!("{}{}{}", ["A", "B", "C", "D", "E", "F"][at], at / 4 + 1, states[at]);
            let is_part = random.u8(0..4) == 0;
            let chosen: Vec<usize> = (0..6).filter(|_| !is_part || random.bool()).collect();
            let left = (0..6).filter(|at| !chosen.contains(at));
            hosts.rules.left_out = left.map(|at| account(&of(at)).0.identity).collect();
            let words: Vec<String> = chosen.iter().map(|at| of(*at)).collect();
            hosts.run(second, &words.join(" "), random.u8(0..5) > 0);
            let standing = hosts.standing();
            assert!(standing.is_subset(&hosts.open), "{life}/{step} {words:?}: {standing:?} {:?}", hosts.open);
        }
        hosts.rules.left_out.clear();
        for _ in 0..4 {
            second += 3 * DAY;
            hosts.run(second, "A1. B1. C1. D1. E2. F2.", true);
        }
        assert_eq!(hosts.open, BTreeSet::new(), "{life}: {:?}", hosts.said);
    }
}
