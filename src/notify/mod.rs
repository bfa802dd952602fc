//! Who must know: one grouped message a channel, split to the service's size limit, each channel on a thread of its own.
//!
//! A channel is one file in `channel/`: it encodes a message and judges an answer. Retry, time and redaction are here. So is
//! what became of each alert: taken, refused, or not known, where the message went out and no answer came. What is not known
//! is not sent again in the run, or a receiver that is slow gets everything several times.

mod channel;
pub mod config;
mod message;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use message::Message;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::check::{Call, CallStatus};
use crate::decide::Telling;
use crate::metrics::{Tally, family};
use crate::model::alert::Alert;
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::text;
use crate::model::words::{Language, words};
use crate::notify::config::{Channel, ChannelKind};
use crate::process::interrupt::Deadline;
use crate::process::logging::Format;
use crate::process::redact::Redactor;
use crate::process::{aside, clock, fault};
use crate::wire::auth::{self, Login};
use crate::wire::http::{self, Clients, Method, Outgoing, Response};
use crate::wire::limit::{Limiter, Place};
use crate::wire::retry;

/// What a channel's limit makes wait longer than this is said in fewer words instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of the alerts on one channel.
#[derive(Clone, Debug)]
pub struct Delivery {
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
    /// Attempts made, over all parts.
    pub attempts: u32,
    /// The service.
    pub kind: ChannelKind,
    /// The requests of these attempts.
    pub calls: Vec<Call>,
    /// Why not all was taken.
    pub failure: Option<Failure>,
    /// In a dry run, the exact bodies that would be sent.
    pub payloads: Vec<String>,
}

words! {
    /// How a delivery ended.
    pub enum DeliveryStatus {
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

/// What a send needs beside the channel.
struct Task {
    channel: Channel,
    /// What its alerts are called outside.
    positions: Vec<usize>,
    message: Message,
    clients: Arc<Clients>,
    redactor: Arc<Redactor>,
    policy: retry::Policy,
    limiter: Option<Limiter>,
    timeout: Duration,
    format: Format,
    /// When the last body was signed, in seconds: two never have the same time, or the second would look like the first again.
    signed_at: AtomicI64,
    /// How far it is, for whoever cannot wait for its end.
    progress: Arc<Mutex<Progress>>,
}

/// How far a channel is with its messages.
#[derive(Default)]
struct Progress {
    taken: Vec<usize>,
    calls: Vec<Call>,
    /// The alerts of the message that is being sent, and whether it is out.
    under_way: Vec<usize>,
    is_out: Arc<AtomicBool>,
}

impl Progress {
    /// What may have been taken.
    fn doubtful(&self) -> Vec<usize> {
        if self.is_out.load(Ordering::SeqCst) { self.under_way.clone() } else { Vec::new() }
    }
}

/// With what a run tells its channels.
pub struct Dispatch<'a> {
    /// The channels of the config.
    pub channels: &'a [Channel],
    /// The language of messages.
    pub language: Language,
    /// Knows every secret.
    pub redactor: &'a Arc<Redactor>,
    /// Repeats after a first attempt.
    pub max_retries: u32,
    /// Longest time for one request.
    pub timeout: Duration,
    /// Names the run in messages.
    pub run_id: &'a str,
    /// What sends.
    pub clients: &'a Arc<Clients>,
    /// When telling must be over.
    pub deadline: &'a Deadline,
    /// Whether messages are shown instead of sent.
    pub is_dry_run: bool,
    /// The form of the log, for a channel that writes there.
    pub format: Format,
}

/// Tells every channel about the alerts that are for it, all channels at once. Nothing is sent if there are none.
///
/// A channel that is not through at the deadline counts as failed with `timeout`, as far as it was not through.
pub fn notify(dispatch: &Dispatch, tellings: &[Telling]) -> Vec<Delivery> {
    let (sender, receiver) = mpsc::channel();
    let mut alone = Vec::new();
    let mut deliveries: Vec<(Delivery, Option<Arc<Mutex<Progress>>>)> = Vec::new();
    for channel in dispatch.channels {
        let mut positions: Vec<usize> =
            (0..tellings.len()).filter(|at| tellings[*at].to.contains(&channel.id)).collect();
        message::by_cause(|at| &tellings[at].alert, &mut positions);
        if channel.kind == ChannelKind::Custom {
            // Kinds that go in messages of their own stand together.
            positions.sort_by_key(|at| tellings[*at].alert.renewal().is_some());
        }
        if positions.is_empty() {
            continue;
        }
        let index = deliveries.len();
        let late = Failure::new(Reason::Timeout, "not delivered when the run's time was over");
        let wanted: Vec<Alert> = positions.iter().map(|at| shielded(&tellings[*at].alert, dispatch.redactor)).collect();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let mut task = Task {
            channel: channel.clone(),
            message: Message::new(&wanted, dispatch.language, dispatch.run_id),
            positions: positions.clone(),
            clients: Arc::clone(dispatch.clients),
            redactor: Arc::clone(dispatch.redactor),
            policy: retry::Policy { max_retries: dispatch.max_retries, deadline: dispatch.deadline.clone() },
            limiter: channel.limit.clone().map(Limiter::new),
            timeout: dispatch.timeout,
            format: dispatch.format,
            signed_at: AtomicI64::new(0),
            progress: Arc::clone(&progress),
        };
        let (sender, is_dry_run) = (sender.clone(), dispatch.is_dry_run);
        let work = move || {
            let delivery = if is_dry_run { task.render() } else { task.deliver() };
            // Nobody listens any more after the deadline.
            let _ = sender.send((index, delivery));
        };
        deliveries.push((Delivery::new(channel, &positions, Some(late)), Some(progress)));
        alone.extend(aside::start(&format!("notify-{index}"), work).err());
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

/// An alert as it leaves: no text in it holds a secret, whatever it is called by.
fn shielded(alert: &Alert, redactor: &Redactor) -> Alert {
    let written = serde_json::to_string(alert).unwrap_or_default();
    match redactor.shield(&written) {
        Cow::Borrowed(_) => alert.clone(),
        Cow::Owned(masked) => serde_json::from_str(&masked).unwrap_or_else(|_| alert.clone()),
    }
}

/// What is said of a message that went out and got no answer.
fn unconfirmed(why: &str) -> String {
    format!("it went out, but whether it was taken is not known: {why}")
}

impl Delivery {
    /// A delivery of which nothing is taken yet.
    fn new(channel: &Channel, positions: &[usize], failure: Option<Failure>) -> Delivery {
        let status = if failure.is_some() { DeliveryStatus::Failed } else { DeliveryStatus::Sent };
        Delivery {
            id: channel.id.clone(),
            channel: channel.name.clone(),
            status,
            alerts: positions.to_vec(),
            taken: Vec::new(),
            unknown: Vec::new(),
            attempts: 0,
            kind: channel.kind,
            calls: Vec::new(),
            failure,
            payloads: Vec::new(),
        }
    }

    /// A delivery that was not through when the run's time was over.
    fn cut_off(mut self, progress: &Progress) -> Delivery {
        self.taken.clone_from(&progress.taken);
        self.unknown = progress.doubtful();
        if !self.unknown.is_empty() {
            let message = unconfirmed("no answer had come when the run's time was over");
            self.failure = Some(Failure::new(Reason::Timeout, message));
        }
        self.calls.clone_from(&progress.calls);
        self.attempts = u32::try_from(self.calls.len() + usize::from(!self.unknown.is_empty())).unwrap_or(u32::MAX);
        self.judged()
    }

    /// The same with the status that follows from what became of the alerts.
    fn judged(mut self) -> Delivery {
        self.status = match self.owed() {
            0 => DeliveryStatus::Sent,
            owed if owed == self.unknown.len() => DeliveryStatus::Unknown,
            _ => DeliveryStatus::Failed,
        };
        self
    }

    /// Alerts that the channel has not taken, as far as is known.
    pub fn owed(&self) -> usize {
        self.alerts.len().saturating_sub(self.taken.len())
    }
}

impl Task {
    /// The messages, as ranges of alerts: where the channel's limit would hold too many of them back, fewer and shorter ones.
    fn compose(&mut self) -> Vec<Range<usize>> {
        let parts = self.parts();
        let time = self.policy.deadline.left().min(PATIENCE);
        let most = self.channel.limit.as_ref().map_or(usize::MAX, |limit| limit.most_within(time));
        if parts.len() <= most {
            return parts;
        }
        self.message.shorten();
        self.parts()
    }

    /// The ranges of alerts that fit one message each.
    fn parts(&self) -> Vec<Range<usize>> {
        let total = self.message.alerts.len();
        let mut parts = Vec::new();
        let mut start = 0;
        while start < total {
            let fits = |end: &usize| channel::fits(&self.channel, &self.message, start..*end);
            let mut end = start + 1;
            // Doubling, then closing in: a message is rendered a logarithmic number of times.
            let mut step = 1;
            while end < total && fits(&(end + step).min(total)) {
                end = (end + step).min(total);
                step *= 2;
            }
            while step > 1 {
                step /= 2;
                if end + step <= total && fits(&(end + step)) {
                    end += step;
                }
            }
            parts.push(start..end);
            start = end;
        }
        parts
    }

    fn broken(&self) -> Option<Failure> {
        self.channel.broken.as_ref().map(|why| Failure::new(Reason::Config, why.clone()))
    }

    fn render(&mut self) -> Delivery {
        if let Some(failure) = self.broken() {
            return Delivery::new(&self.channel, &self.positions, Some(failure));
        }
        let payloads =
            self.compose().into_iter().map(|part| channel::post(&self.channel, &self.message, part, clock::now()).body);
        Delivery {
            status: DeliveryStatus::DryRun,
            taken: self.positions.clone(),
            // A payload is shown, and it may carry a signature, but never the secret itself.
            payloads: payloads.map(|body| self.redactor.shield(&body).into_owned()).collect(),
            ..Delivery::new(&self.channel, &self.positions, None)
        }
    }

    fn deliver(&mut self) -> Delivery {
        let mut delivery = Delivery::new(&self.channel, &self.positions, self.broken());
        let parts = if delivery.failure.is_some() { Vec::new() } else { self.compose() };
        let total = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            let (result, is_out) = self.send(part.clone());
            match result {
                Ok(()) => fault::point("in-send"),
                Err(mut failure) => {
                    if is_out {
                        failure.message = unconfirmed(&failure.message);
                        delivery.unknown.extend_from_slice(&self.positions[part]);
                    }
                    if total > 1 {
                        let count = text::plural(total, "message");
                        failure.message = format!("message {} of {count}: {}", index + 1, failure.message);
                    }
                    // The service may refuse one message for what it holds; any other fault awaits the next one too.
                    let goes_on = failure.reason == Reason::Api;
                    delivery.failure = delivery.failure.or(Some(failure));
                    if !goes_on {
                        break;
                    }
                }
            }
        }
        {
            let progress = self.progress();
            delivery.taken.clone_from(&progress.taken);
            delivery.calls.clone_from(&progress.calls);
        }
        delivery.attempts = u32::try_from(delivery.calls.len()).unwrap_or(u32::MAX);
        let delivery = delivery.judged();
        if let Some(failure) = &delivery.failure {
            let what = match delivery.status {
                DeliveryStatus::Unknown => "an alert may not have been delivered",
                _ => "an alert was not delivered",
            };
            log::warn!(
                channel:? = delivery.channel.as_str(), reason:? = failure.reason.as_str(), attempts = delivery.attempts;
                "{what}: {}", failure.describe()
            );
        }
        delivery
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one part until it is taken, or another attempt cannot help, or it is not known what became of it. Says whether
    /// it is out without an answer.
    fn send(&self, part: Range<usize>) -> (Result<(), Failure>, bool) {
        let mut is_lost = false;
        let (result, _) = retry::run(&self.policy, &self.redactor, |_| {
            let limiter = self.limiter.as_ref();
            let mut place = limiter.map(|limiter| limiter.wait(&self.policy.deadline)).transpose()?;
            place.iter_mut().for_each(Place::begin);
            let is_out = Arc::new(AtomicBool::new(false));
            {
                let mut progress = self.progress();
                progress.under_way = self.positions[part.clone()].to_vec();
                progress.is_out = Arc::clone(&is_out);
            }
            let begin = Instant::now();
            let mut result = self.attempt(part.clone(), &is_out);
            if let Err(failure) = &mut result
                && is_out.load(Ordering::SeqCst)
                && matches!(failure.reason, Reason::Timeout | Reason::Connect)
            {
                failure.retry = Retry::Later;
                is_lost = true;
            }
            let mut progress = self.progress();
            let sent = std::mem::take(&mut progress.under_way);
            if result.is_ok() {
                progress.taken.extend(sent);
            }
            progress.calls.push(Call { status: CallStatus::of(&result), duration: begin.elapsed() });
            result
        });
        (result, is_lost)
    }

    /// The time of a signature: now, or a second after the last one.
    fn moment(&self, now: Timestamp) -> Timestamp {
        let second = now.as_second().max(self.signed_at.load(Ordering::Relaxed) + 1);
        self.signed_at.store(second, Ordering::Relaxed);
        Timestamp::from_second(second).unwrap_or(now)
    }

    /// One attempt to send one part, signed anew.
    fn attempt(&self, part: Range<usize>, is_out: &AtomicBool) -> Result<(), Failure> {
        let now = clock::now();
        let post = channel::post(&self.channel, &self.message, part, now);
        let Some(url) = post.url else {
            let until = self.policy.deadline.or_at(Instant::now() + self.timeout);
            return crate::process::logging::announce(self.format, &post.body, &until).map_err(|error| {
                let why = text::io_error(&error);
                Failure::new(Reason::Connect, format!("standard error cannot be written: {why}"))
            });
        };
        let host = http::host(&url);
        let message = Outgoing {
            method: Method::POST,
            url: &url,
            content_type: "application/json; charset=utf-8",
            proof: auth::proof(
                self.channel.login.as_ref(),
                self.channel.body_secret(),
                &post.body,
                now,
                self.moment(now),
            )?,
            body: &post.body,
            is_out,
        };
        let response = self.clients.send(&message, self.timeout.min(self.policy.deadline.left()))?;
        self.judge(&response).map_err(|failure| {
            let is_signed = self.channel.secret.is_some() || matches!(self.channel.login, Some(Login::Jwt(_)));
            let failure = response.through(response.by_the_clock(failure, is_signed)).heeding(response.retry_after);
            let proofs = message.proof.iter().map(|(_, value)| value.expose_secret());
            // The robots' own signatures stand in the address or in the body.
            let address: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            let body: Value = serde_json::from_str(&post.body).unwrap_or_default();
            let signed = address.iter().map(String::as_str).chain(body["sign"].as_str());
            failure.at(host).hiding(proofs.chain(signed.filter(|value| value.len() >= 16)))
        })
    }

    /// What an answer says of the message.
    ///
    /// # Errors
    /// Why it was not taken.
    fn judge(&self, response: &Response) -> Result<(), Failure> {
        if let Some(fault) = response.fault() {
            return Err(fault);
        }
        let said = channel::judge(&self.channel, &response.body);
        let status = response.status;
        if (200..300).contains(&status) {
            return said;
        }
        let what = match status {
            429 => "too many messages",
            500..=599 => "the service has a fault of its own",
            _ => "the message was refused",
        };
        // A body that is no answer of the service says nothing of the status.
        let said = said.err().filter(|failure| failure.reason != Reason::Decode);
        let own = said.as_ref().map(|failure| Failure { hint: None, ..failure.clone() }.describe());
        let words = own.or_else(|| crate::page::words::said_by(&response.body)).unwrap_or_default();
        let failure = Failure::of_status(status, format!("{what} (HTTP {status})")).saying(words);
        Err(match said {
            Some(Failure { reason, retry: Retry::Later, hint, .. }) => {
                Failure { reason, retry: Retry::Later, hint, ..failure }
            }
            Some(Failure { hint, .. }) => Failure { hint, ..failure },
            None => failure,
        })
    }
}

/// What the end of a run adds to the sums.
pub fn tally(channels: &[Channel], deliveries: &[Delivery], duration: Duration) -> Tally {
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
