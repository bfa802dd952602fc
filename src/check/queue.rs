//! Whose turn it is: which of the checks that are ready a worker takes next, and how long it may take.
//!
//! Hosts take turns, so that none that hangs keeps the others from their time: first attempts come before repeats, and among
//! them hosts that nobody has asked yet and those that answer come before those that were asked in vain and those whose answers
//! take long to evaluate. Within such a class, hosts share the time of the workers and not their turns: one that answers in
//! milliseconds is not kept waiting by those that take seconds. Not here: threads and clocks (`pool`), and how often a host may fail (`circuit`).

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// An attempt gets this long, however many others wait, unless less is asked for.
const LEAST: Duration = Duration::from_secs(1);

/// A host whose answers have taken so long to evaluate in this run comes after those of which this is not known.
const COSTLY: Duration = Duration::from_millis(250);

/// How many classes of hosts there are.
const CLASSES: usize = 4;

/// What this run knows of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Nobody has asked it.
    New,
    /// It has answered, so nothing limits it.
    Answering,
    /// It was asked, and has not answered anything that counts.
    Silent,
    /// It has answered, and to evaluate what it answers has taken long.
    Costly,
}

/// A host whose checks are to be made.
struct Host {
    class: Class,
    /// Checks that nobody has begun, in their order.
    firsts: VecDeque<usize>,
    /// Checks that wait for whatever: for a worker, or for their time.
    waiting: usize,
    /// Workers that ask it.
    busy: usize,
    /// How long workers have asked it.
    taken: Duration,
    /// When it had its last turn.
    turn: usize,
    /// How long the evaluations of its answers have taken.
    evaluated: Duration,
}

/// The place of a host in its line: how many workers ask it, how long they have asked it, when it had its last turn, and which
/// one it is. The least comes first.
type Place = (usize, Duration, usize, usize);

/// The checks that wait for a worker. Those whose time has not come are somewhere else.
pub(crate) struct Queue {
    workers: usize,
    /// So many checks at the front are slow, and so many of them are worked on at once.
    slow: usize,
    most_slow: usize,
    host_of: Vec<usize>,
    hosts: Vec<Host>,
    /// What the answers of each check are evaluated by, and how long that has taken for all checks with the same.
    page_of: Vec<usize>,
    evaluated: HashMap<usize, Duration>,
    /// Of each class the hosts with first attempts that are ready, in the order in which they get a worker.
    lines: [BTreeSet<Place>; CLASSES],
    slow_ready: VecDeque<usize>,
    repeats: VecDeque<usize>,
    busy_slow: usize,
    /// Slow checks that are not done.
    open_slow: usize,
    /// Workers that ask hosts that have not answered, and those that ask hosts that have.
    busy: [usize; 2],
    waiting: usize,
    turns: usize,
    /// Whether the last turn was of a host that answers.
    was_answering: bool,
}

/// A check that is to be made now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Which one.
    pub index: usize,
    /// Into how many equal parts the time that is left is to be cut, of which this attempt has one; none if it may take as long
    /// as it likes.
    parts: Option<usize>,
}

impl Taken {
    /// The most time that this attempt may take of what is left.
    pub(crate) fn most(&self, left: Duration) -> Duration {
        self.share(left).max(LEAST.min(left))
    }

    /// Its part of the time that is left, however short. Evaluations keep to it, as they wait for nobody.
    pub(crate) fn share(&self, left: Duration) -> Duration {
        let parts = self.parts.map_or(1, |parts| u32::try_from(parts).unwrap_or(u32::MAX));
        left / parts.max(1)
    }
}

impl Queue {
    /// All checks, each with the host that it asks; without a host it is on its own. `pages` says what their answers are evaluated
    /// by: where two have the same number, it is the same. The first `slow` of them may take long.
    pub(crate) fn new(asked: &[Option<String>], pages: &[usize], slow: usize, workers: usize) -> Queue {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut count = 0;
        let host_of: Vec<usize> = asked
            .iter()
            .map(|host| {
                let host = host.as_deref().map_or(count, |host| *known.entry(host).or_insert(count));
                count = count.max(host + 1);
                host
            })
            .collect();
        let host = || Host {
            class: Class::New,
            firsts: VecDeque::new(),
            waiting: 0,
            busy: 0,
            taken: Duration::ZERO,
            turn: 0,
            evaluated: Duration::ZERO,
        };
        let total = asked.len();
        let mut queue = Queue {
            workers,
            slow,
            most_slow: if workers < total { (workers / 2).max(1) } else { total },
            host_of,
            hosts: (0..count).map(|_| host()).collect(),
            page_of: pages.to_vec(),
            evaluated: HashMap::new(),
            lines: Default::default(),
            slow_ready: VecDeque::new(),
            repeats: VecDeque::new(),
            busy_slow: 0,
            open_slow: slow.min(total),
            busy: [0, 0],
            waiting: 0,
            turns: 0,
            was_answering: false,
        };
        for index in 0..total {
            queue.wait(index);
            queue.push(index, false);
        }
        queue
    }

    /// A check is not worked on any more, and has to wait for its time.
    pub(crate) fn wait(&mut self, index: usize) {
        self.waiting += 1;
        self.hosts[self.host_of[index]].waiting += 1;
    }

    /// The time of a waiting check has come.
    pub(crate) fn push(&mut self, index: usize, is_repeat: bool) {
        if index < self.slow {
            self.slow_ready.push_back(index);
        } else if is_repeat {
            self.repeats.push_back(index);
        } else {
            self.change(self.host_of[index], |host| host.firsts.push_back(index));
        }
    }

    /// The check that a worker is to begin now, if there is one; `has_later` says whether others wait for their time.
    pub(crate) fn take(&mut self, has_later: bool) -> Option<Taken> {
        let taken = self.take_slow().or_else(|| self.take_first(has_later)).or_else(|| self.take_repeat())?;
        let host = self.host_of[taken.index];
        self.waiting -= 1;
        self.turns += 1;
        let turn = self.turns;
        self.was_answering = self.hosts[host].class == Class::Answering;
        self.busy[usize::from(self.was_answering)] += usize::from(taken.index >= self.slow);
        self.change(host, |host| {
            host.waiting -= 1;
            host.busy += 1;
            host.turn = turn;
            if host.class == Class::New {
                host.class = Class::Silent;
            }
        });
        Some(taken)
    }

    /// A worker is done with a check, or with a turn of it, which took so long, and so long of that for evaluations.
    pub(crate) fn leave(&mut self, index: usize, taken: Duration, evaluated: Duration) {
        let host = self.host_of[index];
        let is_slow = index < self.slow;
        self.busy_slow -= usize::from(is_slow);
        self.busy[usize::from(self.hosts[host].class == Class::Answering)] -= usize::from(!is_slow);
        self.change(host, |host| {
            host.busy -= 1;
            host.taken += taken;
            host.evaluated += evaluated;
        });
        if let Some(page) = self.page_of.get(index).filter(|_| !evaluated.is_zero()) {
            *self.evaluated.entry(*page).or_default() += evaluated;
        }
        if self.hosts[host].evaluated >= COSTLY {
            self.become_of(host, Class::Costly);
        }
    }

    /// Moves a host to another class, with the workers that ask it.
    fn become_of(&mut self, index: usize, class: Class) {
        let Host { class: before, busy, .. } = self.hosts[index];
        self.busy[usize::from(before == Class::Answering)] -= busy;
        self.busy[usize::from(class == Class::Answering)] += busy;
        self.change(index, |host| host.class = class);
    }

    /// A check is done; `has_answered` says whether its host has told something that counts.
    pub(crate) fn done(&mut self, index: usize, has_answered: bool) {
        self.open_slow -= usize::from(index < self.slow);
        let host = self.host_of[index];
        if has_answered && !matches!(self.hosts[host].class, Class::Answering | Class::Costly) {
            self.become_of(host, Class::Answering);
        }
    }

    /// Whether something is ready for which there is no place.
    pub(crate) fn is_holding_back(&self) -> bool {
        let firsts = self.lines.iter().any(|line| !line.is_empty());
        firsts || !self.slow_ready.is_empty() || !self.repeats.is_empty()
    }

    /// Changes a host, which may change its place in the lines.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Host)) {
        let host = &mut self.hosts[index];
        self.lines[host.class as usize].remove(&(host.busy, host.taken, host.turn, index));
        change(host);
        if !host.firsts.is_empty() {
            self.lines[host.class as usize].insert((host.busy, host.taken, host.turn, index));
        }
    }

    fn line(&self, class: Class) -> &BTreeSet<Place> {
        &self.lines[class as usize]
    }

    /// A slow check, if there is a place for it. A single worker takes them last.
    fn take_slow(&mut self) -> Option<Taken> {
        let is_last = self.lines.iter().all(BTreeSet::is_empty) && self.repeats.is_empty();
        let has_place = self.busy_slow < self.most_slow && (self.workers > 1 || is_last);
        // Those that are ready share the time, so that a server that hangs leaves the next ones theirs.
        let parts = self.slow_ready.len().div_ceil(self.most_slow);
        let index = self.slow_ready.pop_front_if(|_| has_place)?;
        self.busy_slow += 1;
        Some(Taken { index, parts: (parts > 1).then_some(parts) })
    }

    /// The class whose turn it is. Hosts that answer and those that nobody has asked yet share the workers.
    fn class(&self) -> Class {
        let (is_new, is_answering) = (!self.line(Class::New).is_empty(), !self.line(Class::Answering).is_empty());
        match (is_new, is_answering) {
            (true, true) => {
                let [others, answering] = self.busy;
                let is_turn = answering < others || (answering == others && !self.was_answering);
                if is_turn { Class::Answering } else { Class::New }
            }
            (true, false) => Class::New,
            (false, true) => Class::Answering,
            (false, false) => self.later_class(),
        }
    }

    /// Hosts that have not answered and those whose answers take long to evaluate take turns, after all others.
    fn later_class(&self) -> Class {
        let first = |class| self.line(class).first().map(|(busy, taken, turn, _)| (*busy, *taken, *turn));
        match (first(Class::Silent), first(Class::Costly)) {
            (Some(silent), Some(costly)) if costly < silent => Class::Costly,
            (None, Some(_)) => Class::Costly,
            _ => Class::Silent,
        }
    }

    fn take_first(&mut self, has_later: bool) -> Option<Taken> {
        let class = self.class();
        let (.., host) = *self.line(class).first()?;
        // Of all others of its class, this one has the fewest workers.
        if !self.has_place(host) {
            return None;
        }
        let parts = self.parts(class, has_later);
        let at = self.first_of(host);
        let mut index = None;
        self.change(host, |host| index = host.firsts.remove(at));
        Some(Taken { index: index?, parts })
    }

    /// Which of a host's checks comes first: among those of a host whose answers take long to evaluate one of another page.
    fn first_of(&self, host: usize) -> usize {
        let Host { class, firsts, .. } = &self.hosts[host];
        let is_costly = |index: &usize| {
            let page = self.page_of.get(*index);
            page.and_then(|page| self.evaluated.get(page)).is_some_and(|evaluated| *evaluated >= COSTLY)
        };
        let other = || firsts.iter().position(|index| !is_costly(index));
        if *class == Class::Costly { other().unwrap_or(0) } else { 0 }
    }

    /// As long as others wait, a host that has not answered holds half of the workers at the most.
    fn has_place(&self, host: usize) -> bool {
        let Host { class, waiting, busy, .. } = self.hosts[host];
        class == Class::Answering || busy < self.workers.div_ceil(2) || self.waiting == waiting
    }

    /// Each host of a class that has not answered gets the same part of the time, and so do all other checks together. Of hosts
    /// whose answers take long to evaluate each check gets one, as each may take as long as the last.
    fn parts(&self, class: Class, has_later: bool) -> Option<usize> {
        if class == Class::Answering {
            return None;
        }
        let others =
            [Class::New, Class::Answering, Class::Silent, Class::Costly].into_iter().filter(|other| *other != class);
        let is_awaited = has_later || others.into_iter().any(|other| !self.line(other).is_empty());
        let slow = if self.open_slow > 0 { self.most_slow } else { 0 };
        let workers = self.workers.saturating_sub(slow).max(1);
        let sharers = match class {
            Class::Costly => self.line(class).iter().map(|(.., host)| self.hosts[*host].firsts.len()).sum(),
            _ => self.line(class).len(),
        };
        Some(sharers.div_ceil(workers) + usize::from(is_awaited))
    }

    fn take_repeat(&mut self) -> Option<Taken> {
        let at = self.repeats.iter().position(|index| self.has_place(self.host_of[*index]))?;
        let index = self.repeats.remove(at)?;
        Some(Taken { index, parts: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// What a simulated run is like; times in milliseconds.
    #[derive(Clone, Debug)]
    struct World {
        workers: usize,
        time: u64,
        timeout: u64,
        retries: usize,
        /// Time-outs after which a host is left alone; 0 for never.
        circuit: usize,
        /// For each host how many accounts it has, and when it answers, if it does.
        hosts: Vec<(usize, Option<u64>)>,
        /// Of the first hosts, how long the evaluation of an answer would take.
        evaluations: Vec<u64>,
    }

    /// One attempt that a worker makes.
    #[derive(PartialEq, Eq, PartialOrd, Ord)]
    struct Attempt {
        end: u64,
        begin: u64,
        index: usize,
        is_read: bool,
        evaluated: Duration,
    }

    /// A run on a simulated clock.
    struct Simulation<'a> {
        world: &'a World,
        host_of: Vec<usize>,
        queue: Queue,
        now: u64,
        running: BinaryHeap<Reverse<Attempt>>,
        later: BinaryHeap<Reverse<(u64, usize)>>,
        attempts: Vec<usize>,
        failures: Vec<usize>,
        read_at: Vec<Option<u64>>,
    }

    impl Simulation<'_> {
        /// When each account was read, if it was.
        fn run(world: &World) -> Vec<Option<u64>> {
            let of = |(host, (count, _)): (usize, &(usize, _))| std::iter::repeat_n(host, *count);
            let host_of: Vec<usize> = world.hosts.iter().enumerate().flat_map(of).collect();
            let asked: Vec<Option<String>> = host_of.iter().map(|host| Some(host.to_string())).collect();
            let mut simulation = Simulation {
                world,
                queue: Queue::new(&asked, &host_of, 0, world.workers),
                now: 0,
                running: BinaryHeap::new(),
                later: BinaryHeap::new(),
                attempts: vec![0; host_of.len()],
                failures: vec![0; world.hosts.len()],
                read_at: vec![None; host_of.len()],
                host_of,
            };
            while simulation.now < world.time && simulation.step() {}
            simulation.read_at
        }

        /// Goes on to the next moment at which something happens; false if nothing does.
        fn step(&mut self) -> bool {
            while let Some(Reverse((_, index))) = self.later.pop_if_due(self.now) {
                self.queue.push(index, true);
            }
            while self.running.len() < self.world.workers {
                let Some(taken) = self.queue.take(!self.later.is_empty()) else { break };
                self.begin(&taken);
            }
            let ends = self.running.peek().map(|Reverse(attempt)| attempt.end);
            let Some(next) = ends.into_iter().chain(self.later.peek().map(|Reverse((at, _))| *at)).min() else {
                return false;
            };
            self.now = self.now.max(next);
            while self.running.peek().is_some_and(|Reverse(attempt)| attempt.end <= self.now) {
                let Some(Reverse(attempt)) = self.running.pop() else { break };
                self.end(&attempt);
            }
            true
        }

        fn is_left_alone(&self, host: usize) -> bool {
            self.world.circuit > 0 && self.failures[host] >= self.world.circuit
        }

        fn begin(&mut self, taken: &Taken) {
            let (index, host) = (taken.index, self.host_of[taken.index]);
            let most = self.world.workers.div_ceil(2);
            let mut ready = self.queue.lines.iter().flatten();
            let is_last = self.attempts[index] == 0 || ready.all(|(busy, ..)| *busy >= most);
            assert!(is_last, "first attempts that have a place come before repeats: {:?}", self.world);
            let Host { class, busy, waiting, .. } = self.queue.hosts[host];
            let is_alone = self.queue.waiting == waiting;
            assert!(
                class == Class::Answering || is_alone || busy <= self.world.workers.div_ceil(2),
                "{:?}",
                self.world
            );
            if self.is_left_alone(host) {
                let (begin, end) = (self.now, self.now);
                self.running.push(Reverse(Attempt { end, begin, index, is_read: false, evaluated: Duration::ZERO }));
                return;
            }
            self.attempts[index] += 1;
            let left = Duration::from_millis(self.world.time - self.now);
            let most = self.world.timeout.min(taken.most(left).as_millis() as u64);
            let answer = self.world.hosts[host].1.filter(|answer| *answer <= most);
            let wanted = self.world.evaluations.get(host).copied().unwrap_or(0);
            // What is stopped is an answer all the same.
            let share = taken.share(left).as_millis() as u64;
            let evaluated = answer.map_or(0, |answer| wanted.min(share.saturating_sub(answer).max(250)));
            let end = self.now + answer.unwrap_or(most) + evaluated;
            let evaluated = Duration::from_millis(evaluated);
            self.running.push(Reverse(Attempt { end, begin: self.now, index, is_read: answer.is_some(), evaluated }));
        }

        fn end(&mut self, attempt: &Attempt) {
            let (index, host) = (attempt.index, self.host_of[attempt.index]);
            self.queue.leave(index, Duration::from_millis(attempt.end - attempt.begin), attempt.evaluated);
            if attempt.is_read {
                self.queue.done(index, true);
                self.read_at[index] = Some(self.now);
                return;
            }
            self.failures[host] += 1;
            if self.attempts[index] > self.world.retries || self.is_left_alone(host) {
                self.queue.done(index, false);
            } else {
                self.queue.wait(index);
                self.later.push(Reverse((self.now + 300, index)));
            }
        }
    }

    trait PopIfDue {
        fn pop_if_due(&mut self, now: u64) -> Option<Reverse<(u64, usize)>>;
    }

    impl PopIfDue for BinaryHeap<Reverse<(u64, usize)>> {
        fn pop_if_due(&mut self, now: u64) -> Option<Reverse<(u64, usize)>> {
            if self.peek().is_some_and(|Reverse((at, _))| *at <= now) { self.pop() } else { None }
        }
    }

    /// Fails if an account whose host answers was not read.
    #[track_caller]
    fn assert_read(world: &World) {
        let of = |(count, answer): &(usize, Option<u64>)| std::iter::repeat_n(*answer, *count);
        let answers: Vec<Option<u64>> = world.hosts.iter().flat_map(of).collect();
        for (index, (answer, read)) in answers.iter().zip(Simulation::run(world)).enumerate() {
            let is_in_time = read.is_some_and(|at| at <= world.time);
            assert!(answer.is_none() || is_in_time, "account {index} is not read: {world:?}");
        }
    }

    #[test]
    fn hosts_that_hang_keep_nobody_from_being_read() {
        let hanging = |hosts: usize, accounts: usize| vec![(accounts, None); hosts];
        for (hosts, workers, time, timeout) in [
            (hanging(1, 30), 4, 17_500, 3000),
            (hanging(1, 200), 20, 21_000, 3000),
            (hanging(6, 1), 1, 17_500, 5000),
            (hanging(30, 1), 4, 17_500, 3000),
            (hanging(6, 10), 1, 17_500, 5000),
            (hanging(1, 1), 1, 17_500, 600_000),
        ] {
            for (circuit, retries) in [(3, 3), (0, 3), (3, 0), (0, 0)] {
                for accounts in [1, 20] {
                    let last = [(accounts, Some(10))];
                    let hosts = hosts.iter().copied().chain(last).collect();
                    assert_read(&World { workers, time, timeout, retries, circuit, hosts, evaluations: Vec::new() });
                }
            }
        }
    }

    #[test]
    fn answers_that_take_long_to_evaluate_keep_nobody_from_being_read() {
        for (hosts, accounts, workers, time) in [
            // One worker, and many hosts.
            (8, 1, 1, 9000),
            (40, 1, 20, 9000),
            // One host with many accounts, and one with few.
            (1, 3, 1, 3000),
            (8, 1, 1, 8000),
            (1, 100, 4, 9000),
            (3, 30, 2, 9000),
        ] {
            let all = std::iter::repeat_n((accounts, Some(10)), hosts).chain([(2, Some(10))]).collect();
            let evaluations = vec![2000; hosts];
            let world = World { workers, time, timeout: 5000, retries: 1, circuit: 3, hosts: all, evaluations };
            let read = Simulation::run(&world);
            let last: Vec<Option<u64>> = read[hosts * accounts..].to_vec();
            assert!(last.iter().all(|at| at.is_some_and(|at| at <= time)), "{last:?}: {world:?}");
        }
    }

    #[test]
    fn hosts_that_take_seconds_keep_no_host_that_takes_milliseconds_from_being_read() {
        // So many hosts, how many accounts each has, and how long they take; workers, time, and the accounts of the fast host.
        for (hosts, accounts, answer, workers, time, fast) in [
            (4, 10, 1500, 4, 8000, 20),
            (8, 5, 1500, 8, 12_000, 40),
            (30, 3, 1800, 20, 8000, 30),
            (1, 20, 1500, 1, 8000, 10),
            (2, 10, 1000, 2, 8000, 10),
            (1, 100, 2900, 2, 12_000, 200),
        ] {
            for is_first in [false, true] {
                let mut all = vec![(accounts, Some(answer)); hosts];
                let place = if is_first { 0 } else { all.len() };
                all.insert(place, (fast, Some(5)));
                let world =
                    World { workers, time, timeout: 3000, retries: 1, circuit: 3, hosts: all, evaluations: Vec::new() };
                let read = Simulation::run(&world);
                let first = place * accounts;
                let missing = read[first..first + fast].iter().filter(|at| at.is_none_or(|at| at > time)).count();
                assert_eq!(missing, 0, "{world:?}");
                // The slow ones have the time that is left.
                let slow = read.iter().flatten().filter(|at| **at <= time).count() - fast;
                let most = (workers * (time / answer) as usize).min(hosts * accounts);
                assert!(slow * 3 >= most * 2, "{slow} of {most}: {world:?}");
            }
        }
    }

    #[test]
    fn of_one_host_a_page_that_takes_long_to_evaluate_comes_last() {
        let asked = vec![Some("host".to_owned()); 4];
        let mut queue = Queue::new(&asked, &[1, 1, 1, 2], 0, 1);
        let mut order = Vec::new();
        while let Some(taken) = queue.take(false) {
            order.push(taken.index);
            let evaluated = if taken.index < 3 { COSTLY } else { Duration::ZERO };
            queue.leave(taken.index, evaluated, evaluated);
            queue.done(taken.index, true);
        }
        assert_eq!(order, [0, 3, 1, 2]);
    }

    #[test]
    fn in_any_run_all_is_read_that_answers_at_once() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let workers = random.usize(1..=20);
            let time = random.u64(6000..60_000);
            // So many that each can have more than a second, and that all who answer have one of them.
            let hosts = random.usize(1..=(workers * (time / 3000) as usize).clamp(2, 60));
            let hosts = (0..hosts).map(|_| (random.usize(1..20), random.bool().then(|| random.u64(1..10)))).collect();
            let (timeout, retries) = (random.u64(1000..30_000), random.usize(0..4));
            assert_read(&World {
                workers,
                time,
                timeout,
                retries,
                circuit: random.usize(0..4),
                hosts,
                evaluations: Vec::new(),
            });
        }
    }

    #[test]
    fn a_host_that_answers_is_limited_by_nothing() {
        for hosts in [vec![(500, Some(200))], vec![(250, Some(200)), (250, Some(200))]] {
            for (workers, end) in [(20, 5000), (50, 2000)] {
                let world = World {
                    workers,
                    time: 115_000,
                    timeout: 15_000,
                    retries: 3,
                    circuit: 3,
                    hosts: hosts.clone(),
                    evaluations: Vec::new(),
                };
                assert_eq!(Simulation::run(&world).iter().flatten().max(), Some(&end), "{world:?}");
            }
        }
        // A slow one has all of its time, though not all of its accounts can be read.
        let world = World {
            workers: 4,
            time: 17_500,
            timeout: 3000,
            retries: 3,
            circuit: 3,
            hosts: vec![(30, Some(2500))],
            evaluations: Vec::new(),
        };
        assert_eq!(Simulation::run(&world).iter().flatten().count(), 28);
    }
}
