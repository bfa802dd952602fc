//! The fan-out: jobs on a rayon pool of their own, results in the order of the plan, panics caught, the deadline kept.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Reason, Retry};
use crate::interrupt::Deadline;

/// One check, ready to run; called until it is done.
pub type Job<T> = Box<dyn FnMut() -> Turn<T> + Send>;

/// What one turn of a job came to.
pub enum Turn<T> {
    /// This is its outcome.
    Done(T),
    /// Others first: there is nothing to do for it before this time. If its turn does not come again, this is why.
    Later(Instant, Failure),
}

/// Why a job has no outcome.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The class and the words.
    pub failure: Failure,
    /// Whether it had begun.
    pub is_started: bool,
    /// Time taken.
    pub duration: Duration,
}

impl Lost {
    /// For what cannot be: a job that came back as something else.
    pub fn never() -> Lost {
        let failure = Failure::new(Reason::Internal, "the check came back as another one");
        Lost { failure, is_started: false, duration: Duration::ZERO }
    }
}

/// A job whose time has not come, ordered by that time.
struct Waiting<T> {
    at: Instant,
    index: usize,
    job: Job<T>,
}

impl<T> Waiting<T> {
    fn key(&self) -> (Instant, usize) {
        (self.at, self.index)
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
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
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    ready: VecDeque<(usize, Job<T>)>,
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
    progress: Vec<Progress>,
    given_up: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job whose time has come; none when there is none left.
    fn next(&self) -> Option<(usize, Job<T>)> {
        let mut state = self.lock();
        loop {
            if state.given_up {
                return None;
            }
            let now = Instant::now();
            while state.waiting.peek().is_some_and(|Reverse(first)| first.at <= now) {
                if let Some(Reverse(due)) = state.waiting.pop() {
                    state.ready.push_back((due.index, due.job));
                }
            }
            if let Some((index, job)) = state.ready.pop_front() {
                state.progress[index] = Progress::Started;
                return Some((index, job));
            }
            // A job that another worker has comes back to that worker.
            let until = state.waiting.peek().map(|Reverse(first)| first.at)?;
            let waited = self.changed.wait_timeout(state, until.saturating_duration_since(now));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn put_back(&self, waiting: Waiting<T>, why: Failure) {
        let mut state = self.lock();
        if state.given_up {
            return;
        }
        state.progress[waiting.index] = Progress::Waits(Box::new(why));
        state.waiting.push(Reverse(waiting));
    }

    /// Lets no further job begin, and gives what is known of each.
    fn give_up(&self) -> Vec<Progress> {
        let mut state = self.lock();
        state.given_up = true;
        self.changed.notify_all();
        std::mem::take(&mut state.progress)
    }
}

/// Runs all jobs on `workers` threads and gives their outcomes in the jobs' order.
///
/// A job that is not finished at the deadline is given up as `timeout`, or as `cancelled` if a signal has moved the
/// deadline; its thread may linger, but nothing waits for it. After a signal no job begins. `on_done` hears the number of
/// finished jobs.
///
/// # Errors
/// The system's reason if threads cannot be started.
pub fn run<T: Send + 'static>(
    jobs: Vec<Job<T>>,
    workers: usize,
    deadline: &Deadline,
    mut on_done: impl FnMut(usize),
) -> Result<Vec<Result<T, Lost>>, String> {
    let total = jobs.len();
    if total == 0 {
        return Ok(Vec::new());
    }
    let workers = workers.clamp(1, total);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|index| format!("check-{index}"))
        .build()
        .map_err(|error| format!("worker threads cannot be started: {error}"))?;
    let start = Instant::now();
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            ready: jobs.into_iter().enumerate().collect(),
            waiting: BinaryHeap::new(),
            progress: (0..total).map(|_| Progress::Queued).collect(),
            given_up: false,
        }),
        changed: Condvar::new(),
    });
    let (sender, receiver) = mpsc::channel();
    for _ in 0..workers {
        let (shared, sender, deadline) = (Arc::clone(&shared), sender.clone(), deadline.clone());
        pool.spawn(move || work(&shared, &sender, &deadline));
    }
    drop(sender);
    let mut outcomes: Vec<Option<Result<T, Lost>>> = (0..total).map(|_| None).collect();
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
    for (outcome, progress) in outcomes.iter_mut().zip(progress) {
        outcome.get_or_insert_with(|| Err(unfinished(progress, waited, is_interrupted)));
    }
    // All are there now. In place: there are thousands.
    Ok(outcomes.into_iter().map_while(std::convert::identity).collect())
}

/// One worker: takes jobs in their order until there are none.
fn work<T>(shared: &Shared<T>, sender: &mpsc::Sender<(usize, Result<T, Lost>)>, deadline: &Deadline) {
    while !deadline.is_interrupted() {
        let Some((index, mut job)) = shared.next() else {
            return;
        };
        if deadline.is_interrupted() {
            return;
        }
        let begin = Instant::now();
        let outcome = match catch_unwind(AssertUnwindSafe(&mut job)) {
            Ok(Turn::Done(outcome)) => Ok(outcome),
            Ok(Turn::Later(at, why)) => {
                shared.put_back(Waiting { at, index, job }, why);
                continue;
            }
            Err(_) => Err(Lost {
                failure: Failure::new(Reason::Internal, "the check failed by a defect of this program")
                    .with_hint("please report it, with the log line that names the place"),
                is_started: true,
                duration: begin.elapsed(),
            }),
        };
        // Nobody listens any more after the deadline.
        let _ = sender.send((index, outcome));
    }
}

/// Why a check that a signal has ended has no outcome.
fn cancelled(is_started: bool) -> Failure {
    let what = if is_started { "given up" } else { "not begun" };
    Failure::new(Reason::Cancelled, format!("{what}, because the run was to end"))
}

/// What a check came to: neither good nor bad, if it failed because a signal took its time.
pub fn or_cancelled<T>(result: Result<T, Failure>, deadline: &Deadline) -> Result<T, Failure> {
    // A definitive answer stands; that a limit leaves no turn is the signal's doing.
    let is_cut = |failure: &Failure| failure.retry != Retry::Never || failure.reason == Reason::RateLimited;
    match result {
        Err(failure) if deadline.is_interrupted() && is_cut(&failure) => Err(cancelled(true)),
        result => result,
    }
}

/// A job that was not through at the deadline, or not even begun.
fn unfinished(progress: Progress, waited: Duration, is_interrupted: bool) -> Lost {
    let is_started = matches!(progress, Progress::Started);
    let failure = match progress {
        Progress::Queued if is_interrupted => cancelled(false),
        _ if is_interrupted => cancelled(true),
        Progress::Waits(why) => *why,
        Progress::Queued | Progress::Started => {
            let waited = crate::text::seconds(waited);
            let message = format!("not finished when the run's time was over ({waited} s)");
            Failure::new(Reason::Timeout, message)
        }
    };
    Lost { failure, is_started, duration: waited }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::interrupt::Interrupt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn outcome(n: i64) -> i64 {
        n
    }

    fn far() -> Deadline {
        Deadline::within(Duration::from_secs(60))
    }

    #[test]
    fn order_is_kept_and_the_pool_is_bounded() {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let jobs = (0..60)
            .map(|n| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                Box::new(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Turn::Done(outcome(n))
                }) as Job<i64>
            })
            .collect();
        let mut heard = Vec::new();
        let outcomes = run(jobs, 7, &far(), |done| heard.push(done)).unwrap();
        let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, (0..60).collect::<Vec<_>>());
        assert_eq!(heard, (1..=60).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 7);
    }

    #[test]
    fn a_panic_stays_in_its_check() {
        let jobs: Vec<Job<i64>> =
            vec![Box::new(|| Turn::Done(outcome(1))), Box::new(|| panic!("boom")), Box::new(|| Turn::Done(outcome(3)))];
        let outcomes = run(jobs, 1, &far(), |_| ()).unwrap();
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
        assert_eq!(outcomes[1].as_ref().unwrap_err().failure.reason, Reason::Internal);
    }

    #[test]
    fn a_job_that_waits_lets_the_others_go_first() {
        let (sender, receiver) = mpsc::channel();
        // One worker: the first job can only end after the second one.
        let jobs: Vec<Job<i64>> = vec![
            Box::new(move || match receiver.try_recv() {
                Ok(n) => Turn::Done(outcome(n)),
                Err(_) => Turn::Later(Instant::now(), Failure::new(Reason::CircuitOpen, "x")),
            }),
            Box::new(move || {
                sender.send(1).unwrap();
                Turn::Done(outcome(2))
            }),
        ];
        let outcomes = run(jobs, 1, &far(), |_| ()).unwrap();
        let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, [1, 2]);
    }

    #[test]
    fn what_hangs_is_given_up_and_what_waits_is_not_started() {
        let started = Arc::new(AtomicUsize::new(0));
        let (release, wait) = mpsc::channel::<()>();
        let late = Arc::clone(&started);
        let jobs: Vec<Job<i64>> = vec![
            Box::new(|| Turn::Done(outcome(1))),
            Box::new(move || {
                let _ = wait.recv();
                Turn::Done(outcome(2))
            }),
            Box::new(move || {
                late.fetch_add(1, Ordering::SeqCst);
                Turn::Done(outcome(3))
            }),
        ];
        let outcomes = run(jobs, 1, &Deadline::within(Duration::from_millis(100)), |_| ()).unwrap();
        drop(release);
        assert!(outcomes[0].is_ok());
        for outcome in &outcomes[1..] {
            assert_eq!(outcome.as_ref().unwrap_err().failure.reason, Reason::Timeout);
        }
        assert_eq!(started.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn no_worker_waits_while_there_is_work() {
        // One worker: what has to wait comes last, in the order of its time, and says why if its time does not come.
        let start = Instant::now();
        let later = |millis: u64| {
            let at = start + Duration::from_millis(millis);
            Box::new(move || {
                if Instant::now() < at {
                    return Turn::Later(at, Failure::new(Reason::RateLimited, "wait"));
                }
                Turn::Done(outcome(millis as i64))
            }) as Job<i64>
        };
        let mut order = Vec::new();
        let (sender, receiver) = mpsc::channel();
        let mut jobs: Vec<Job<i64>> = vec![later(40), later(20), later(3_600_000)];
        jobs.extend((0..3).map(|n| Box::new(move || Turn::Done(outcome(n))) as Job<i64>));
        let jobs = jobs.into_iter().enumerate().map(|(index, mut job)| {
            let sender = sender.clone();
            Box::new(move || {
                let turn = job();
                if matches!(turn, Turn::Done(_)) {
                    sender.send(index).unwrap();
                }
                turn
            }) as Job<i64>
        });
        let outcomes = run(jobs.collect(), 1, &Deadline::within(Duration::from_millis(300)), |_| ()).unwrap();
        order.extend(receiver.try_iter());
        assert_eq!(order, [3, 4, 5, 1, 0]);
        let lost = outcomes[2].as_ref().unwrap_err();
        assert_eq!((lost.failure.reason, lost.is_started), (Reason::RateLimited, false));
    }

    #[test]
    fn after_a_signal_nothing_begins_and_what_runs_is_given_up() {
        let interrupt = Interrupt::default();
        let deadline = Deadline::new(Instant::now() + Duration::from_secs(60), Duration::ZERO, &interrupt);
        let (release, wait) = mpsc::channel::<()>();
        let started = Arc::new(AtomicUsize::new(0));
        let late = Arc::clone(&started);
        let jobs: Vec<Job<i64>> = vec![
            Box::new(|| Turn::Done(outcome(1))),
            Box::new(move || {
                interrupt.raise(Exit::Terminated);
                let _ = wait.recv();
                Turn::Done(outcome(2))
            }),
            Box::new(move || {
                late.fetch_add(1, Ordering::SeqCst);
                Turn::Done(outcome(3))
            }),
        ];
        let outcomes = run(jobs, 1, &deadline, |_| ()).unwrap();
        drop(release);
        assert!(outcomes[0].is_ok());
        for (outcome, is_started) in outcomes[1..].iter().zip([true, false]) {
            let lost = outcome.as_ref().unwrap_err();
            assert_eq!((lost.failure.reason, lost.is_started), (Reason::Cancelled, is_started));
        }
        assert_eq!(started.load(Ordering::SeqCst), 0);
    }
}
