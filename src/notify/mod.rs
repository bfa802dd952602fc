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
use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub(crate) use self::delivery::{Delivery, DeliveryStatus};
pub(crate) use self::message::Provider;

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
use crate::process::background;
use crate::process::interrupt::Deadline;
use crate::process::redact::Redactor;
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
    /// What marks what was taken, while others are still being told. It says whether it could.
    pub keep: Option<&'a dyn Fn(Vec<Taken>) -> bool>,
}

/// An alert that a channel has taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// The alert, by its position.
    pub alert: usize,
    /// The channel's id.
    pub channel: String,
    /// When it was sent.
    pub at: Timestamp,
}

/// Delivered alerts are marked in the store every ten alerts or every second, so that a run that is killed repeats little.
const KEPT_AT_ONCE: usize = 10;
const KEPT_AFTER: Duration = Duration::from_secs(1);
/// Between two looks at what was taken.
const LOOK: Duration = Duration::from_millis(100);

/// Tells every channel about the alerts that are for it, all channels at once. Nothing is sent if there are none.
///
/// A channel that is not through at the deadline counts as failed with `timeout`, as far as it was not through.
pub(crate) fn notify(dispatch: &Dispatch, tellings: &[Telling]) -> Vec<Delivery> {
    let (sender, receiver) = mpsc::channel();
    let mut alone = Vec::new();
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
        let work = move || {
            let delivery = if is_dry_run { task.render() } else { task.deliver() };
            // Nobody listens any more after the deadline.
            let _ = sender.send((index, delivery));
        };
        alone.extend(background::start(&format!("notify-{index}"), work).err());
    }
    drop(sender);
    let progress: Vec<(String, Arc<Mutex<Progress>>)> = deliveries
        .iter()
        .filter_map(|(delivery, progress)| Some((delivery.id.clone(), Arc::clone(progress.as_ref()?))))
        .collect();
    // Where there are no threads one channel comes after the other.
    alone.into_iter().for_each(|mut work| work());
    let mut keeper = Keeper { dispatch, kept: vec![0; progress.len()], since: Instant::now() };
    loop {
        let look = if dispatch.keep.is_some() { LOOK } else { dispatch.deadline.left() };
        match dispatch.deadline.or_at(Instant::now() + look).receive(&receiver) {
            Ok((index, delivery)) => deliveries[index] = (delivery, None),
            Err(RecvTimeoutError::Timeout) if !dispatch.deadline.left().is_zero() => keeper.look(&progress),
            Err(_) => break,
        }
    }
    let ended = deliveries.into_iter().map(|(delivery, progress)| match progress {
        None => delivery,
        Some(progress) => delivery.cut_off(&progress.lock().unwrap_or_else(PoisonError::into_inner)),
    });
    ended.collect()
}

/// Sees to it that what channels take is marked before all of them are through: a run that dies then repeats little.
struct Keeper<'a> {
    dispatch: &'a Dispatch<'a>,
    /// How many alerts of each channel are marked.
    kept: Vec<usize>,
    since: Instant,
}

impl Keeper<'_> {
    fn look(&mut self, progress: &[(String, Arc<Mutex<Progress>>)]) {
        let lock = |progress: &Arc<Mutex<Progress>>| progress.lock().unwrap_or_else(PoisonError::into_inner).recent();
        let taken: Vec<Vec<(usize, Timestamp)>> = progress.iter().map(|(_, progress)| lock(progress)).collect();
        let new: usize = taken.iter().zip(&self.kept).map(|(taken, kept)| taken.len() - kept).sum();
        if new == 0 || new < KEPT_AT_ONCE && self.since.elapsed() < KEPT_AFTER {
            return;
        }
        let new = taken.iter().zip(&self.kept).zip(progress).flat_map(|((taken, kept), (channel, _))| {
            taken[*kept..].iter().map(|(alert, at)| Taken { alert: *alert, channel: channel.clone(), at: *at })
        });
        if self.dispatch.keep.is_some_and(|keep| keep(new.collect())) {
            self.kept = taken.iter().map(Vec::len).collect();
            self.since = Instant::now();
        }
    }
}

/// The positions of the alerts that are for a channel, in the order in which it is told of them.
fn positions(channel: &Channel, tellings: &[Telling]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..tellings.len()).filter(|at| tellings[*at].to.contains(&channel.id)).collect();
    message::by_cause(|at| &tellings[at].alert, &mut positions);
    positions.sort_by_key(|at| channel::section(channel, &tellings[*at].alert));
    positions
}

impl Dispatch<'_> {
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
