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
        assert!(class == Class::Answering || is_alone || busy <= self.world.workers.div_ceil(2), "{:?}", self.world);
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
