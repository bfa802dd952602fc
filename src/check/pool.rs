//! The fan-out: jobs on a rayon pool of their own, results in the order of the plan, panics caught, the deadline kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::queue::Queue;
use crate::model::failure::{Failure, Reason, Retry};
use crate::page;
use crate::process::interrupt::Deadline;

/// How long threads get to end that were started in vain.
const SETTLE: Duration = Duration::from_millis(5);

/// One check, ready to run; called until it is done, each time with the most time that it may take so that others have theirs.
pub(crate) type Job<T> = Box<dyn FnMut(Duration) -> Turn<T> + Send>;

/// What is to be known of jobs beside what they do.
pub(crate) struct Traits<T> {
    /// The first `slow` jobs may take long. While jobs wait for a worker, these hold at most half of the workers (none, if
    /// there is only one).
    pub slow: usize,
    /// The host that each of them asks. Hosts take turns (see `queue`).
    pub hosts: Vec<Option<String>>,
    /// For each job a number that is equal for jobs whose answers are evaluated by the same page.
    pub pages: Vec<usize>,
    /// Whether an outcome shows that the host answers.
    pub has_answered: fn(&T) -> bool,
}

/// What one turn of a job came to.
pub(crate) enum Turn<T> {
    /// This is its outcome.
    Done(T),
    /// It is not finished: run other jobs, and call this one again at this time. If the deadline comes first, the job fails
    /// with this failure.
    Later(Instant, Failure),
    /// As `Later`, after this number of failed attempts: the next one is a repeat.
    Again(Instant, Failure, u32),
    /// As `Later`, in the middle of an attempt, which the number counts as well. It goes on in the class of first attempts.
    Underway(Instant, Failure, u32),
}

impl<T> Turn<T> {
    /// The same turn, with an outcome of another kind.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Turn<U> {
        match self {
            Turn::Done(outcome) => Turn::Done(change(outcome)),
            Turn::Later(at, why) => Turn::Later(at, why),
            Turn::Again(at, why, attempts) => Turn::Again(at, why, attempts),
            Turn::Underway(at, why, attempts) => Turn::Underway(at, why, attempts),
        }
    }
}

/// A job that has no outcome, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    /// The class and the words.
    pub failure: Failure,
    /// Whether a worker had it when it was lost.
    pub is_started: bool,
    /// Attempts made, with the one that was not finished.
    pub attempts: u32,
    /// Time taken.
    pub duration: Duration,
}

impl Unfinished {
    /// The failure for a case that cannot happen: a job that returned the outcome of another kind.
    pub(crate) fn never() -> Unfinished {
        let failure = Failure::new(Reason::Internal, "the check came back as another one");
        Unfinished { failure, is_started: false, attempts: 0, duration: Duration::ZERO }
    }
}

/// A job whose turn it is.
struct Next<T> {
    index: usize,
    job: Job<T>,
    /// The most time that it may take.
    most: Duration,
    /// When evaluations must be over.
    evaluate_by: Instant,
}

/// When the turn of a job comes again.
struct Later {
    at: Instant,
    /// Why it is not done.
    why: Failure,
    /// The attempts that it has made.
    attempts: u32,
    is_repeat: bool,
}

/// What a turn of a job has cost.
struct Cost {
    /// How long a worker had it.
    taken: Duration,
    /// How long of that the evaluation of answers took.
    evaluated: Duration,
}

/// What is known of a job that is not done.
enum Progress {
    /// Its turn has not come.
    Queued,
    /// A worker has it.
    Started,
    /// It waits, and this is why.
    Waits(Box<Failure>),
}

/// What the workers share.
struct Shared<T> {
    state: Mutex<Jobs<T>>,
    changed: Condvar,
    has_answered: fn(&T) -> bool,
}

struct Jobs<T> {
    queue: Queue,
    /// Those that no worker has.
    jobs: Vec<Option<Job<T>>>,
    /// When the time of a job comes, which one that is, and whether it is a repeat.
    waiting: BinaryHeap<Reverse<(Instant, usize, bool)>>,
    progress: Vec<Progress>,
    /// Attempts that each of them has made.
    attempts: Vec<u32>,
    /// Workers that wait.
    idle: usize,
    given_up: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Jobs<T>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job whose time has come; none when there is none left, or the time is over.
    fn next(&self, deadline: &Deadline) -> Option<Next<T>> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let end = deadline.at();
            if state.given_up || now >= end {
                return None;
            }
            while state.waiting.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
                if let Some(Reverse((_, index, is_repeat))) = state.waiting.pop() {
                    state.queue.push(index, is_repeat);
                }
            }
            let has_later = !state.waiting.is_empty();
            if let Some(taken) = state.queue.take(has_later) {
                state.progress[taken.index] = Progress::Started;
                self.wake(&state);
                let job = state.jobs[taken.index].take()?;
                let left = end.saturating_duration_since(now);
                let evaluate_by = now + taken.share(left);
                return Some(Next { index: taken.index, job, most: taken.most(left), evaluate_by });
            }
            // Jobs that other workers hold are no reason to wait: those workers take them up again themselves.
            let until = state.waiting.peek().map(|Reverse((at, ..))| *at)?.min(end);
            state.idle += 1;
            let waited = self.changed.wait_timeout(state, until.saturating_duration_since(now));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
    }

    /// Lets those look again who wait for a time that is far off, if there is something that may have a place now.
    fn wake(&self, state: &Jobs<T>) {
        if state.idle > 0 && state.queue.is_holding_back() {
            self.changed.notify_all();
        }
    }

    /// A worker is done with a job, whose last turn has cost so much.
    fn done(&self, index: usize, outcome: Option<&T>, cost: Cost) {
        let mut state = self.lock();
        state.queue.leave(index, cost.taken, cost.evaluated);
        state.queue.done(index, outcome.is_some_and(self.has_answered));
        self.wake(&state);
    }

    /// A worker is done with a turn of a job.
    fn put_back(&self, index: usize, job: Job<T>, later: Later, cost: Cost) {
        let Later { at, why, attempts, is_repeat } = later;
        let mut state = self.lock();
        if state.given_up {
            return;
        }
        state.queue.leave(index, cost.taken, cost.evaluated);
        state.queue.wait(index);
        state.jobs[index] = Some(job);
        state.progress[index] = Progress::Waits(Box::new(why));
        state.attempts[index] = attempts.max(state.attempts[index]);
        state.waiting.push(Reverse((at, index, is_repeat)));
        self.wake(&state);
    }

    /// Lets no further job begin, and gives what is known of each, with the attempts that it has made before.
    fn give_up(&self) -> impl Iterator<Item = (Progress, u32)> {
        let mut state = self.lock();
        state.given_up = true;
        self.changed.notify_all();
        std::mem::take(&mut state.progress).into_iter().zip(std::mem::take(&mut state.attempts))
    }
}

/// Runs all jobs on `workers` threads, or as many as there can be, and gives their outcomes in the jobs' order. Without any
/// thread it runs them here, one after the other.
///
/// A job that is not finished at the deadline is given up as `timeout`, or as `cancelled` if a signal has moved the
/// deadline; its thread may linger, but nothing waits for it. After a signal no job begins. `on_done` hears the number of
/// finished jobs.
pub(crate) fn run<T: Send + 'static>(
    jobs: Vec<Job<T>>,
    traits: &Traits<T>,
    workers: usize,
    deadline: &Deadline,
    mut on_done: impl FnMut(usize),
) -> Vec<Result<T, Unfinished>> {
    let total = jobs.len();
    if total == 0 {
        return Vec::new();
    }
    let pool = threads(workers.clamp(1, total));
    // There may be fewer than wanted, and without threads this one.
    let workers = pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads);
    let start = Instant::now();
    let shared = Arc::new(Shared {
        state: Mutex::new(Jobs {
            queue: Queue::new(&traits.hosts, &traits.pages, traits.slow, workers),
            jobs: jobs.into_iter().map(Some).collect(),
            waiting: BinaryHeap::new(),
            progress: (0..total).map(|_| Progress::Queued).collect(),
            attempts: vec![0; total],
            idle: 0,
            given_up: false,
        }),
        changed: Condvar::new(),
        has_answered: traits.has_answered,
    });
    let (sender, receiver) = mpsc::channel();
    match &pool {
        Some(pool) => (0..workers).for_each(|_| {
            let (shared, sender, deadline) = (Arc::clone(&shared), sender.clone(), deadline.clone());
            pool.spawn(move || work(&shared, &sender, &deadline));
        }),
        None => work(&shared, &sender, deadline),
    }
    drop(sender);
    let mut outcomes: Vec<Option<Result<T, Unfinished>>> = (0..total).map(|_| None).collect();
    let mut done = 0;
    while done < total {
        let Ok((index, outcome)) = deadline.receive(&receiver) else {
            break;
        };
        outcomes[index] = Some(outcome);
        done += 1;
        on_done(done);
    }
    let progress = shared.give_up();
    let waited = start.elapsed();
    let is_interrupted = deadline.is_interrupted();
    for (outcome, (progress, attempts)) in outcomes.iter_mut().zip(progress) {
        outcome.get_or_insert_with(|| Err(unfinished(progress, attempts, waited, is_interrupted)));
    }
    // All outcomes have arrived. Collecting reuses the allocation, which matters with thousands of them.
    outcomes.into_iter().map_while(std::convert::identity).collect()
}

/// So many threads, or as many as the system gives; none if it gives none.
fn threads(wanted: usize) -> Option<rayon::ThreadPool> {
    let mut count = wanted;
    while count > 0 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|index| format!("check-{index}"));
        match pool.build() {
            Ok(pool) => {
                if count < wanted {
                    log::info!("{count} of {wanted} worker threads could be started: going on with these");
                }
                return Some(pool);
            }
            // Half of them, so that some are left for whoever else needs one. Those that were started end meanwhile.
            Err(_) => count /= 2,
        }
        std::thread::sleep(SETTLE);
    }
    log::info!("no worker thread could be started: the checks are made one after the other");
    None
}

/// One worker: takes jobs in their order until there are none.
fn work<T>(shared: &Shared<T>, sender: &mpsc::Sender<(usize, Result<T, Unfinished>)>, deadline: &Deadline) {
    while !deadline.is_interrupted() {
        let Some(Next { index, mut job, most, evaluate_by }) = shared.next(deadline) else {
            return;
        };
        if deadline.is_interrupted() {
            return;
        }
        let begin = Instant::now();
        let attempt = || catch_unwind(AssertUnwindSafe(|| job(most)));
        let (turn, evaluated) = page::within(evaluate_by, attempt);
        let cost = Cost { taken: begin.elapsed(), evaluated };
        let outcome = match turn {
            Ok(Turn::Done(outcome)) => Ok(outcome),
            Ok(Turn::Later(at, why)) => {
                shared.put_back(index, job, Later { at, why, attempts: 0, is_repeat: false }, cost);
                continue;
            }
            Ok(Turn::Again(at, why, attempts)) => {
                shared.put_back(index, job, Later { at, why, attempts, is_repeat: true }, cost);
                continue;
            }
            Ok(Turn::Underway(at, why, attempts)) => {
                shared.put_back(index, job, Later { at, why, attempts, is_repeat: false }, cost);
                continue;
            }
            Err(_) => Err(Unfinished {
                failure: Failure::new(Reason::Internal, "the check failed by a defect of this program")
                    .with_hint("please report it, with the log line that names the place"),
                is_started: true,
                attempts: 1,
                duration: cost.taken,
            }),
        };
        shared.done(index, outcome.as_ref().ok(), cost);
        // Nobody listens any more after the deadline.
        let _ = sender.send((index, outcome));
    }
}

/// Why a check that a signal has ended has no outcome.
fn cancelled(is_started: bool) -> Failure {
    let what = if is_started { "given up" } else { "not begun" };
    Failure::new(Reason::Cancelled, format!("{what}, because the run was to end"))
}

/// Turns a failure into `cancelled` if a signal, and not the check, was the reason that it did not finish.
pub(crate) fn or_cancelled<T>(result: Result<T, Failure>, deadline: &Deadline) -> Result<T, Failure> {
    // A definitive failure keeps its reason. `rate_limited` becomes `cancelled`, because the signal shortened the time left.
    let is_cut = |failure: &Failure| failure.retry != Retry::Never || failure.reason == Reason::RateLimited;
    match result {
        Err(failure) if deadline.is_interrupted() && is_cut(&failure) => Err(cancelled(true)),
        result => result,
    }
}

/// A job that was not through at the deadline, or not even begun.
fn unfinished(progress: Progress, attempts: u32, waited: Duration, is_interrupted: bool) -> Unfinished {
    let is_started = matches!(progress, Progress::Started);
    let failure = match progress {
        Progress::Queued if is_interrupted => cancelled(false),
        _ if is_interrupted => cancelled(true),
        Progress::Waits(why) => *why,
        Progress::Queued | Progress::Started => {
            let waited = crate::model::text::seconds(waited);
            let message = format!("not finished when the run's time was over ({waited} s)");
            Failure::new(Reason::Timeout, message)
        }
    };
    Unfinished { failure, is_started, attempts: attempts + u32::from(is_started), duration: waited }
}

#[cfg(test)]
mod tests;
