//! Who must know: one grouped message a channel, split to the service's size limit, each channel on a thread of its own.
//!
//! A channel is one page in `channel/catalog/`: it says how a message is encoded and what an answer means. Retry, time and redaction are in `task`. So is
//! what became of each alert: taken, refused, or not known, where the message went out and no answer came. What is not known
//! is not sent again in the run, or a receiver that is slow gets everything several times.

pub(crate) mod channel;
pub(crate) mod config;
mod delivery;
mod message;
mod queue;
mod split;
mod task;
pub(crate) mod trial;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

pub(crate) use self::delivery::{Delivery, DeliveryStatus};
pub(crate) use self::message::Provider;

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
}

/// Tells every channel about the alerts that are for it, all channels at once. Nothing is sent if there are none.
///
/// A channel that is not through at the deadline counts as failed with `timeout`, as far as it was not through.
pub(crate) fn notify(dispatch: &Dispatch, tellings: &[Telling]) -> Vec<Delivery> {
    let (sender, receiver) = mpsc::channel();
    let mut alone = Vec::new();
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
        let mut task = dispatch.task(channel, tellings, positions);
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
    // Where there are no threads one channel comes after the other.
    alone.into_iter().for_each(|mut work| work());
    while let Ok((index, delivery)) = dispatch.deadline.receive(&receiver) {
        deliveries[index] = (delivery, None);
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
    positions
}

impl Dispatch<'_> {
    /// What tells a channel of these alerts.
    fn task(&self, channel: &Channel, tellings: &[Telling], positions: Vec<usize>) -> Task {
        let Context { run_id, clock, clients, redactor, format, .. } = self.context;
        let wanted: Vec<Alert> = positions.iter().map(|at| shielded(&tellings[*at].alert, redactor)).collect();
        let message =
            Message::new(&wanted, channel.language.unwrap_or(self.language), run_id).naming(Arc::clone(self.providers));
        Task {
            channel: channel.clone(),
            message: if self.is_trial { message.marked_as_test() } else { message },
            are_owed: positions.iter().any(|at| tellings[*at].is_owed),
            positions,
            clock: *clock,
            clients: Arc::clone(clients),
            redactor: Arc::clone(redactor),
            policy: retry::Policy { max_retries: self.max_retries, deadline: self.deadline.clone() },
            limiter: channel.limit.clone().map(Limiter::new),
            timeout: self.timeout,
            format: *format,
            is_trial: self.is_trial,
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
