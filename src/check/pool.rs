//! The fan-out: jobs on a rayon pool of their own, results in the order of the plan, panics caught, the deadline kept.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Reason};

/// One check, ready to run. Without an outcome it waits for another one, and its turn comes again.
pub type Job<T> = Box<dyn FnMut() -> Option<T> + Send>;

/// Before a check that waits is asked again.
const PAUSE: Duration = Duration::from_millis(5);

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

/// What the workers share.
struct Shared<T> {
    queue: Mutex<VecDeque<(usize, Job<T>)>>,
    given_up: AtomicBool,
    started: Vec<AtomicBool>,
}

/// Runs all jobs on `workers` threads and gives their outcomes in the jobs' order.
///
/// A job that is not finished at the deadline is given up as `timeout`; its thread may linger, but nothing waits
/// for it. `on_done` hears the number of finished jobs.
///
/// # Errors
/// The system's reason if threads cannot be started.
pub fn run<T: Send + 'static>(
    jobs: Vec<Job<T>>,
    workers: usize,
    deadline: Instant,
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
        queue: Mutex::new(jobs.into_iter().enumerate().collect()),
        given_up: AtomicBool::new(false),
        started: (0..total).map(|_| AtomicBool::new(false)).collect(),
    });
    let (sender, receiver) = mpsc::channel();
    for _ in 0..workers {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        pool.spawn(move || work(&shared, &sender));
    }
    drop(sender);
    let mut outcomes: Vec<Option<Result<T, Lost>>> = (0..total).map(|_| None).collect();
    let mut done = 0;
    while done < total {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left) {
            Ok((index, outcome)) => {
                outcomes[index] = Some(outcome);
                done += 1;
                on_done(done);
            }
            Err(_) => break,
        }
    }
    shared.given_up.store(true, Ordering::Relaxed);
    let waited = start.elapsed();
    let outcomes = outcomes.into_iter().zip(&shared.started);
    Ok(outcomes
        .map(|(outcome, started)| outcome.unwrap_or_else(|| Err(unfinished(waited, started.load(Ordering::Relaxed)))))
        .collect())
}

/// One worker: takes jobs in their order until there are none.
fn work<T>(shared: &Shared<T>, sender: &mpsc::Sender<(usize, Result<T, Lost>)>) {
    let queue = || shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        // The lock is not held while the job runs.
        let next = queue().pop_front();
        let Some((index, mut job)) = next.filter(|_| !shared.given_up.load(Ordering::Relaxed)) else {
            return;
        };
        shared.started[index].store(true, Ordering::Relaxed);
        let begin = Instant::now();
        let outcome = match catch_unwind(AssertUnwindSafe(&mut job)) {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => {
                // Others first; a worker that only waits would keep them from their time.
                shared.started[index].store(false, Ordering::Relaxed);
                queue().push_back((index, job));
                std::thread::sleep(PAUSE);
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

/// A job that was not through at the deadline, or not even begun.
fn unfinished(waited: Duration, is_started: bool) -> Lost {
    let message = format!("not finished when the run's time was over ({} s)", crate::text::seconds(waited));
    Lost { failure: Failure::new(Reason::Timeout, message), is_started, duration: waited }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn outcome(n: i64) -> i64 {
        n
    }

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
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
                    Some(outcome(n))
                }) as Job<i64>
            })
            .collect();
        let mut heard = Vec::new();
        let outcomes = run(jobs, 7, far(), |done| heard.push(done)).unwrap();
        let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, (0..60).collect::<Vec<_>>());
        assert_eq!(heard, (1..=60).collect::<Vec<_>>());
        assert!(most.load(Ordering::SeqCst) <= 7);
    }

    #[test]
    fn a_panic_stays_in_its_check() {
        let jobs: Vec<Job<i64>> =
            vec![Box::new(|| Some(outcome(1))), Box::new(|| panic!("boom")), Box::new(|| Some(outcome(3)))];
        let outcomes = run(jobs, 1, far(), |_| ()).unwrap();
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
        assert_eq!(outcomes[1].as_ref().unwrap_err().failure.reason, Reason::Internal);
    }

    #[test]
    fn a_job_that_waits_lets_the_others_go_first() {
        let (sender, receiver) = mpsc::channel();
        // One worker: the first job can only end after the second one.
        let jobs: Vec<Job<i64>> = vec![
            Box::new(move || receiver.try_recv().ok().map(outcome)),
            Box::new(move || {
                sender.send(1).unwrap();
                Some(outcome(2))
            }),
        ];
        let outcomes = run(jobs, 1, far(), |_| ()).unwrap();
        let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, [1, 2]);
    }

    #[test]
    fn what_hangs_is_given_up_and_what_waits_is_not_started() {
        let started = Arc::new(AtomicUsize::new(0));
        let (release, wait) = mpsc::channel::<()>();
        let late = Arc::clone(&started);
        let jobs: Vec<Job<i64>> = vec![
            Box::new(|| Some(outcome(1))),
            Box::new(move || {
                let _ = wait.recv();
                Some(outcome(2))
            }),
            Box::new(move || {
                late.fetch_add(1, Ordering::SeqCst);
                Some(outcome(3))
            }),
        ];
        let outcomes = run(jobs, 1, Instant::now() + Duration::from_millis(100), |_| ()).unwrap();
        drop(release);
        assert!(outcomes[0].is_ok());
        for outcome in &outcomes[1..] {
            assert_eq!(outcome.as_ref().unwrap_err().failure.reason, Reason::Timeout);
        }
        assert_eq!(started.load(Ordering::SeqCst), 0);
    }
}
