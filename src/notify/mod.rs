//! Who must know: one grouped message a channel, split to the service's size limit, each channel on a thread of its own.
//!
//! A channel is one page in `channel/catalog/`: it says how a message is encoded and what an answer means. Retry, time and redaction are in `task`. So is
//! what became of each alert: taken, refused, or not known, where the message went out and no answer came. What is not known
//! is not sent again in the run, or a receiver that is slow gets everything several times.

mod allowance;
pub(crate) mod channel;
pub(crate) mod config;
mod delivery;
mod message;
mod queue;
mod split;
mod task;
pub(crate) mod trial;
mod trouble;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

pub(crate) use self::delivery::{Delivery, DeliveryStatus, Settled};
pub(crate) use self::message::{Provider, cadence, digest_text, said};

use self::allowance::Pool;
use self::delivery::Progress;
use self::message::Message;
use self::task::Task;
use crate::check::CallStatus;
use crate::decide::Telling;
use crate::metrics::{Tally, family};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason};
use crate::model::words::Language;
use crate::notify::config::Channel;
use crate::page;
use crate::process::interrupt::Deadline;
use crate::process::redact::Redactor;
use crate::process::{address_space, background};
use crate::wire::context::Context;
use crate::wire::limit::Limiter;
use crate::wire::retry;

/// With what a run tells its channels.
pub(crate) struct Dispatch<'a> {
    /// The run: what sends, and what messages name and must not name.
    pub context: &'a Context,
    /// The channels of the config.
    pub channels: &'a [Channel],
    /// The language of messages, for channels that have none of their own.
    pub language: Language,
    /// What messages say of providers, by their ids.
    pub providers: &'a Arc<BTreeMap<String, Provider>>,
    /// Repeats after a first attempt.
    pub max_retries: u32,
    /// Longest time for one request.
    pub timeout: Duration,
    /// When telling must be over.
    pub deadline: &'a Deadline,
    /// Whether messages are shown instead of sent.
    pub is_dry_run: bool,
    /// Whether the channels are only tried: messages are marked, and what is sent is kept to be shown.
    pub is_trial: bool,
    /// What marks what is settled, while others are still being told.
    pub keep: Option<Keep>,
}

/// Marks what is settled, and waits so long for that at the most, if at all. It says whether it could.
pub(crate) type Keep = Arc<dyn Fn(Vec<Settled>, Duration) -> bool + Send + Sync>;

/// Between two looks at what is settled and not marked.
const LOOK: Duration = Duration::from_millis(100);

/// Tells every channel about the alerts that are for it, all channels at once. Nothing is sent if there are none.
///
/// A channel that is not through at the deadline counts as failed with `timeout`, as far as it was not through.
pub(crate) fn notify(dispatch: &Dispatch, tellings: &[Telling]) -> Vec<Delivery> {
    page::begin_telling();
    let (sender, receiver) = mpsc::channel();
    let mut waiting: VecDeque<Box<dyn FnOnce() + Send>> = VecDeque::new();
    let pool = Pool::new(dispatch.deadline.left(), dispatch.channels.len());
    let mut deliveries: Vec<(Delivery, Option<Arc<Mutex<Progress>>>)> = Vec::new();
    for channel in dispatch.channels {
        let positions = positions(channel, tellings);
        if positions.is_empty() {
            continue;
        }
        // A long expression wants a large stack. This thread is the only one that has it where the system gives no other; what is
        // wrong is said when the channel is told.
        let _ = channel.page.as_ref().map(|page| page.check());
        let index = deliveries.len();
        let late = Failure::new(Reason::Timeout, "not delivered when the run's time was over");
        let late = Delivery::new(channel, &positions, Some(late));
        let mut task = dispatch.task(channel, &pool, tellings, positions);
        deliveries.push((late, Some(Arc::clone(&task.progress))));
        let (sender, is_dry_run) = (sender.clone(), dispatch.is_dry_run);
        waiting.push_back(Box::new(move || {
            let delivery = if is_dry_run { task.render() } else { task.deliver() };
            // Nobody listens any more after the deadline.
            let _ = sender.send((index, delivery));
        }));
    }
    drop(sender);
    let progress: Vec<(String, Arc<Mutex<Progress>>)> = deliveries
        .iter()
        .filter_map(|(delivery, progress)| Some((delivery.id.clone(), Arc::clone(progress.as_ref()?))))
        .collect();
    start(waiting);
    loop {
        let look = if dispatch.keep.is_some() { LOOK } else { dispatch.deadline.left() };
        match dispatch.deadline.or_at(Instant::now() + look).receive(&receiver) {
            Ok((index, delivery)) => deliveries[index] = (delivery, None),
            Err(RecvTimeoutError::Timeout) if !dispatch.deadline.left().is_zero() => dispatch.keep_settled(&progress),
            Err(_) => break,
        }
    }
    let ended = deliveries.into_iter().map(|(delivery, progress)| match progress {
        None => delivery,
        Some(progress) => delivery.cut_off(&progress.lock().unwrap_or_else(PoisonError::into_inner)),
    });
    ended.collect()
}

/// The positions of the alerts that are for a channel, in the order in which it is told of them.
fn positions(channel: &Channel, tellings: &[Telling]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..tellings.len()).filter(|at| tellings[*at].to.contains(&channel.id)).collect();
    message::by_cause(|at| &tellings[at].alert, &mut positions);
    positions.sort_by_key(|at| channel::section(channel, &tellings[*at].alert));
    if channel.is_event_service() {
        let mut first = HashMap::new();
        positions.sort_by_cached_key(|at| {
            let next = first.len();
            *first.entry(channel::event(channel, &tellings[*at].alert)).or_insert(next)
        });
    }
    positions
}

/// Starts the work of channels, all at once where there is room for their threads. Where there are fewer threads, or none, one
/// channel comes after the other.
fn start(waiting: VecDeque<Box<dyn FnOnce() + Send>>) {
    let threads = address_space::channels_at_once(waiting.len());
    let waiting = Arc::new(Mutex::new(waiting));
    let work = {
        let waiting = Arc::clone(&waiting);
        move || {
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            while let Some(work) = next() {
                // A defect costs its channel and no other one.
                let _ = catch_unwind(AssertUnwindSafe(work));
            }
        }
    };
    let started =
        (0..threads).filter(|number| background::start(&format!("notify-{number}"), work.clone()).is_ok()).count();
    if started == 0 {
        work();
    }
}

impl Dispatch<'_> {
    /// Marks what is settled for channels that are through, or that no longer wait for marks.
    fn keep_settled(&self, progress: &[(String, Arc<Mutex<Progress>>)]) {
        let lock = |at: usize| progress[at].1.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut new, mut ends) = (Vec::new(), Vec::new());
        for (at, (channel, _)) in progress.iter().enumerate() {
            let (settled, end) = lock(at).unmarked(channel);
            new.extend(settled);
            ends.push(end);
        }
        if !new.is_empty() && self.keep.as_ref().is_some_and(|keep| keep(new, Duration::ZERO)) {
            ends.into_iter().enumerate().for_each(|(at, end)| lock(at).mark(end));
        }
    }

    /// What tells a channel of these alerts.
    fn task(&self, channel: &Channel, pool: &Pool, tellings: &[Telling], positions: Vec<usize>) -> Task {
        let Context { run_id, clock, clients, redactor, format, .. } = self.context;
        let wanted: Vec<Alert> = positions.iter().map(|at| shielded(&tellings[*at].alert, redactor)).collect();
        let message =
            Message::new(&wanted, channel.language.unwrap_or(self.language), run_id).naming(Arc::clone(self.providers));
        Task {
            channel: channel.clone(),
            message: if self.is_trial { message.marked_as_test() } else { message },
            earlier: positions.iter().map(|at| tellings[*at].earlier.get(&channel.id).copied()).collect(),
            positions,
            clock: *clock,
            clients: Arc::clone(clients),
            redactor: Arc::clone(redactor),
            policy: retry::Policy { max_retries: self.max_retries, deadline: self.deadline.clone() },
            limiter: channel.limit.clone().map(Limiter::new),
            timeout: self.timeout,
            format: *format,
            is_trial: self.is_trial,
            allowance: pool.allowance(),
            keep: self.keep.clone(),
            signed_at: AtomicI64::new(0),
            progress: Arc::default(),
        }
    }
}

/// An alert as it leaves: no text in it holds a secret, whatever it is called by.
fn shielded(alert: &Alert, redactor: &Redactor) -> Alert {
    let written = serde_json::to_string(alert).unwrap_or_default();
    match redactor.shield_data(&written) {
        Cow::Borrowed(_) => alert.clone(),
        Cow::Owned(masked) => serde_json::from_str(&masked).unwrap_or_else(|_| alert.clone()),
    }
}

/// What the end of a run adds to the sums.
pub(crate) fn tally(channels: &[Channel], deliveries: &[Delivery], duration: Duration) -> Tally {
    let mut tally = Tally::default();
    tally.observe(&family::EXECUTION, &[], duration);
    for channel in channels {
        for status in CallStatus::ALL {
            tally.count(&family::DELIVERY, &[channel.kind.as_str(), status.as_str()], 0);
        }
    }
    for delivery in deliveries {
        for call in &delivery.calls {
            tally.observe(&family::DELIVERY, &[delivery.kind.as_str(), call.status.as_str()], call.duration);
        }
    }
    tally
}
