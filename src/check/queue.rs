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
    /// The host was asked, and no answer of it has been usable yet.
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

/// The rank of a host in its line: the number of workers that ask it, how long they have asked it, when it had its last turn,
/// and its index. The lowest rank comes next.
type Rank = (usize, Duration, usize, usize);

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
    lines: [BTreeSet<Rank>; CLASSES],
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
    /// A queue of all checks. `asked` holds the host of each (a check without one is a host of its own), and `pages` the number
    /// of its page. The first `slow` of them may take long.
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

    fn line(&self, class: Class) -> &BTreeSet<Rank> {
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
mod tests;
