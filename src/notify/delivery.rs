//! What became of the alerts on one channel.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::check::Call;
use crate::model::failure::{Failure, Reason};
use crate::model::words::words;
use crate::notify::config::Channel;
use crate::wire::http;

/// An alert of which it is settled what became of it on a channel in this run.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// The alert, by its position.
    pub alert: usize,
    /// The channel's id.
    pub channel: String,
    /// When it was sent.
    pub at: Timestamp,
    /// Whether the channel has taken it; if not, it may have.
    pub is_taken: bool,
}

/// What became of the alerts on one channel.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The channel's id.
    pub id: String,
    /// The channel's name.
    pub channel: String,
    /// Whether all of it was taken.
    pub status: DeliveryStatus,
    /// The alerts that it was to hear of, by their positions.
    pub alerts: Vec<usize>,
    /// Of those, the ones that were taken.
    pub taken: Vec<usize>,
    /// Of those, the ones that may have been taken: they went out, and no answer came.
    pub unknown: Vec<usize>,
    /// Of those, the ones that were sent, and when that was for the last time.
    pub tried: BTreeMap<usize, Timestamp>,
    /// Of those, the ones that were refused alone by a channel that took others.
    pub poisoned: Vec<usize>,
    /// Attempts made, over all parts.
    pub attempts: u32,
    /// The type of the channel.
    pub kind: String,
    /// The requests of these attempts.
    pub calls: Vec<Call>,
    /// Why not all was taken.
    pub failure: Option<Failure>,
    /// In a dry run, the exact bodies that would be sent.
    pub payloads: Vec<String>,
    /// In a trial, what was sent.
    pub exchanges: Vec<Exchange>,
}

/// One attempt to send a message, for whoever tries a channel.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Where it was sent to, and how; none is standard error or a command.
    pub place: Option<(http::Method, String)>,
    /// The body, without secrets.
    pub body: String,
    /// The HTTP status of the answer, if one came.
    pub status: Option<u16>,
}

words! {
    /// How a delivery ended.
    pub(crate) enum DeliveryStatus {
        /// The service has taken all of it.
        Sent = "sent",
        /// Something was not taken.
        Failed = "failed",
        /// Something may have been taken or not, and all else was taken.
        Unknown = "unknown",
        /// Nothing was sent, because it was told before.
        Suppressed = "suppressed",
        /// Nothing was sent, on request.
        DryRun = "dry_run",
    }
}

/// How far a channel is with its messages.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) taken: Vec<usize>,
    /// The alerts of which it is settled what became of them, in their order, and whether they were taken.
    pub(super) settled: Vec<(usize, bool)>,
    /// How many of these are marked in the store.
    pub(super) marked: usize,
    pub(super) tried: BTreeMap<usize, Timestamp>,
    /// The alerts that were refused alone, and whether they certainly were for what they hold, as the service says.
    pub(super) refused_alone: BTreeMap<usize, bool>,
    /// How many alerts were taken when a message with this one was refused for the first time.
    pub(super) first_refused: BTreeMap<usize, usize>,
    /// The alerts that earlier runs know to be refused.
    pub(super) suspects: BTreeSet<usize>,
    pub(super) calls: Vec<Call>,
    /// The alerts of the message that is being sent, and whether it is out.
    pub(super) under_way: Vec<usize>,
    pub(super) is_out: Arc<AtomicBool>,
    /// In a trial, the attempts so far.
    pub(super) exchanges: Vec<Exchange>,
}

impl Progress {
    /// Notes that a message was refused, if the message may be to blame.
    pub(super) fn refuse(&mut self, alerts: &[usize], is_certain: bool) {
        for alert in alerts {
            self.first_refused.entry(*alert).or_insert(self.taken.len());
        }
        if let [alert] = alerts {
            self.refused_alone.insert(*alert, is_certain);
        }
    }

    /// The alerts that the channel refuses for what they hold, as far as is known: it took others. Where the channel may be to
    /// blame, it took them after the first refusal, or an earlier run knows of it.
    pub(super) fn poisoned(&self) -> Vec<usize> {
        let is_poisoned = |alert: &usize, is_certain: bool| {
            let is_known = self.suspects.contains(alert);
            let works = self.first_refused.get(alert).is_some_and(|before| self.taken.len() > *before);
            works || is_certain && is_known || (is_certain || is_known) && !self.taken.is_empty()
        };
        let alone = self.refused_alone.iter().filter(|(alert, is_certain)| is_poisoned(alert, **is_certain));
        alone.map(|(alert, _)| *alert).filter(|alert| !self.taken.contains(alert)).collect()
    }

    /// Notes what became of alerts, of which nothing more is sent in this run.
    pub(super) fn settle(&mut self, alerts: &[usize], is_taken: bool) {
        if is_taken {
            self.taken.extend(alerts);
        }
        self.settled.extend(alerts.iter().map(|alert| (*alert, is_taken)));
    }

    /// What is settled and is not marked, as far as is known, and how much is settled.
    pub(super) fn unmarked(&self, channel: &str) -> (Vec<Settled>, usize) {
        let settled = self.settled.get(self.marked..).unwrap_or_default().iter();
        let settled = settled.map(|(alert, is_taken)| Settled {
            alert: *alert,
            channel: channel.to_owned(),
            at: self.tried.get(alert).copied().unwrap_or_default(),
            is_taken: *is_taken,
        });
        (settled.collect(), self.settled.len())
    }

    /// So much of what is settled is marked.
    pub(super) fn mark(&mut self, count: usize) {
        self.marked = self.marked.max(count);
    }

    /// What may have been taken.
    fn doubtful(&self) -> Vec<usize> {
        if self.is_out.load(Ordering::SeqCst) { self.under_way.clone() } else { Vec::new() }
    }
}

/// What is said of a message that went out and got no answer.
pub(super) fn unconfirmed(why: &str) -> String {
    format!("it went out, but whether it was taken is not known: {why}")
}

impl Delivery {
    /// A delivery of which nothing is taken yet.
    pub(super) fn new(channel: &Channel, positions: &[usize], failure: Option<Failure>) -> Delivery {
        let status = if failure.is_some() { DeliveryStatus::Failed } else { DeliveryStatus::Sent };
        Delivery {
            id: channel.id.clone(),
            channel: channel.name.clone(),
            status,
            alerts: positions.to_vec(),
            taken: Vec::new(),
            unknown: Vec::new(),
            tried: BTreeMap::new(),
            poisoned: Vec::new(),
            attempts: 0,
            kind: channel.kind.clone(),
            calls: Vec::new(),
            failure,
            payloads: Vec::new(),
            exchanges: Vec::new(),
        }
    }

    /// The same, as far as the channel has come.
    pub(super) fn stopped_after(mut self, progress: &Progress) -> Delivery {
        self.taken.clone_from(&progress.taken);
        self.tried.clone_from(&progress.tried);
        self.poisoned = progress.poisoned();
        self.calls.clone_from(&progress.calls);
        self.exchanges.clone_from(&progress.exchanges);
        self
    }

    /// A delivery that was not through when the run's time was over.
    pub(super) fn cut_off(self, progress: &Progress) -> Delivery {
        let mut delivery = self.stopped_after(progress);
        delivery.unknown = progress.doubtful();
        if !delivery.unknown.is_empty() {
            let message = unconfirmed("no answer had come when the run's time was over");
            delivery.failure = Some(Failure::new(Reason::Timeout, message));
        }
        let attempts = delivery.calls.len() + usize::from(!delivery.unknown.is_empty());
        delivery.attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        delivery.judged()
    }

    /// The same with the status that follows from what became of the alerts.
    pub(super) fn judged(mut self) -> Delivery {
        self.status = match self.owed() {
            0 => DeliveryStatus::Sent,
            owed if owed == self.unknown.len() => DeliveryStatus::Unknown,
            _ => DeliveryStatus::Failed,
        };
        self
    }

    /// Alerts that the channel has not taken, as far as is known.
    pub(crate) fn owed(&self) -> usize {
        self.alerts.len().saturating_sub(self.taken.len())
    }
}
