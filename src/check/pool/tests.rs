use super::*;
use crate::process::exit::Exit;
use crate::process::interrupt::Interrupt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs jobs that ask no host.
fn run<T: Send + 'static>(
    jobs: Vec<Job<T>>,
    slow: usize,
    workers: usize,
    deadline: &Deadline,
    on_done: impl FnMut(usize),
) -> Vec<Result<T, Unfinished>> {
    let traits = Traits { slow, hosts: vec![None; jobs.len()], pages: Vec::new(), has_answered: |_| true };
    super::run(jobs, &traits, workers, deadline, on_done)
}

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
            Box::new(move |_| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                Turn::Done(outcome(n))
            }) as Job<i64>
        })
        .collect();
    let mut heard = Vec::new();
    let outcomes = run(jobs, 0, 7, &far(), |done| heard.push(done));
    let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(read, (0..60).collect::<Vec<_>>());
    assert_eq!(heard, (1..=60).collect::<Vec<_>>());
    assert!(most.load(Ordering::SeqCst) <= 7);
}

#[test]
fn a_panic_stays_in_its_check() {
    let jobs: Vec<Job<i64>> =
        vec![Box::new(|_| Turn::Done(outcome(1))), Box::new(|_| panic!("boom")), Box::new(|_| Turn::Done(outcome(3)))];
    let outcomes = run(jobs, 0, 1, &far(), |_| ());
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().failure.reason, Reason::Internal);
}

#[test]
fn a_job_that_waits_lets_the_others_go_first() {
    let (sender, receiver) = mpsc::channel();
    // One worker: the first job can only end after the second one.
    let jobs: Vec<Job<i64>> = vec![
        Box::new(move |_| match receiver.try_recv() {
            Ok(n) => Turn::Done(outcome(n)),
            Err(_) => Turn::Later(Instant::now(), Failure::new(Reason::CircuitOpen, "x")),
        }),
        Box::new(move |_| {
            sender.send(1).unwrap();
            Turn::Done(outcome(2))
        }),
    ];
    let outcomes = run(jobs, 0, 1, &far(), |_| ());
    let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(read, [1, 2]);
}

#[test]
fn what_hangs_is_given_up_and_what_waits_is_not_started() {
    let started = Arc::new(AtomicUsize::new(0));
    let (release, wait) = mpsc::channel::<()>();
    let late = Arc::clone(&started);
    let jobs: Vec<Job<i64>> = vec![
        Box::new(|_| Turn::Done(outcome(1))),
        Box::new(move |_| {
            let _ = wait.recv();
            Turn::Done(outcome(2))
        }),
        Box::new(move |_| {
            late.fetch_add(1, Ordering::SeqCst);
            Turn::Done(outcome(3))
        }),
    ];
    let outcomes = run(jobs, 0, 1, &Deadline::within(Duration::from_millis(100)), |_| ());
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
        Box::new(move |_| {
            if Instant::now() < at {
                return Turn::Later(at, Failure::new(Reason::RateLimited, "wait"));
            }
            Turn::Done(outcome(millis as i64))
        }) as Job<i64>
    };
    let mut order = Vec::new();
    let (sender, receiver) = mpsc::channel();
    let mut jobs: Vec<Job<i64>> = vec![later(40), later(20), later(3_600_000)];
    jobs.extend((0..3).map(|n| Box::new(move |_| Turn::Done(outcome(n))) as Job<i64>));
    let jobs = jobs.into_iter().enumerate().map(|(index, mut job)| {
        let sender = sender.clone();
        Box::new(move |_| {
            let turn = job(Duration::MAX);
            if matches!(turn, Turn::Done(_)) {
                sender.send(index).unwrap();
            }
            turn
        }) as Job<i64>
    });
    let outcomes = run(jobs.collect(), 0, 1, &Deadline::within(Duration::from_millis(300)), |_| ());
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
        Box::new(|_| Turn::Done(outcome(1))),
        Box::new(move |_| {
            interrupt.raise(Exit::Terminated);
            let _ = wait.recv();
            Turn::Done(outcome(2))
        }),
        Box::new(move |_| {
            late.fetch_add(1, Ordering::SeqCst);
            Turn::Done(outcome(3))
        }),
    ];
    let outcomes = run(jobs, 0, 1, &deadline, |_| ());
    drop(release);
    assert!(outcomes[0].is_ok());
    for (outcome, is_started) in outcomes[1..].iter().zip([true, false]) {
        let lost = outcome.as_ref().unwrap_err();
        assert_eq!((lost.failure.reason, lost.is_started), (Reason::Cancelled, is_started));
    }
    assert_eq!(started.load(Ordering::SeqCst), 0);
}

#[test]
fn slow_jobs_never_hold_more_than_half_of_the_workers() {
    for (workers, most) in [(1, 1), (2, 1), (3, 1), (4, 2), (7, 3), (30, 30)] {
        let busy = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let slow = (0..10_i64).map(|n| {
            let (busy, wait) = (Arc::clone(&busy), Arc::clone(&wait));
            let mut turns = 0;
            Box::new(move |_| {
                turns += 1;
                if turns == 1 {
                    // Others may be first, and it comes again.
                    return Turn::Later(Instant::now(), Failure::new(Reason::Dns, "x"));
                }
                let now = busy.0.fetch_add(1, Ordering::SeqCst) + 1;
                busy.1.fetch_max(now, Ordering::SeqCst);
                // Until all others are done.
                let _ = wait.lock().unwrap().recv();
                busy.0.fetch_sub(1, Ordering::SeqCst);
                Turn::Done(n)
            }) as Job<i64>
        });
        let fast = (10..20_i64).map(|n| Box::new(move |_| Turn::Done(n)) as Job<i64>);
        let mut release = Some(release);
        let outcomes = run(slow.chain(fast).collect(), 10, workers, &far(), |done| {
            if done == 10 {
                release = None;
            }
        });
        let read: Vec<i64> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(read, (0..20).collect::<Vec<_>>(), "{workers} workers");
        assert!(busy.1.load(Ordering::SeqCst) <= most, "{workers} workers");
    }
}
