//! Who must know: one grouped message a channel, split to the service's size limit, each channel on a thread of its own.
//!
//! A channel is one file in `channel/`: it encodes a message and judges an answer. Retry, time and redaction are here.

mod channel;
mod message;

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::alert::{Alert, Event};
use crate::check::{Call, CallStatus};
use crate::config::{Channel, ChannelKind};
use crate::failure::{Failure, Reason};
use crate::http::{Clients, Method, Outgoing};
use crate::interrupt::Deadline;
use crate::limit::{Limiter, Place};
use crate::logging::Format;
use crate::plan::Plan;
use crate::redact::Redactor;
use crate::{auth, fault, retry, text};

use message::Message;

/// What a channel's limit makes wait longer than this is said in fewer words instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of the alerts on one channel.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The channel's name.
    pub channel: String,
    /// Whether all of it was taken.
    pub status: DeliveryStatus,
    /// The alerts that it was to hear of, by their positions.
    pub alerts: Vec<usize>,
    /// Of those, the ones that were taken.
    pub taken: Vec<usize>,
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

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The service has taken all of it.
    Sent,
    /// Something was not taken.
    Failed,
    /// Nothing was sent, because it was told before.
    Suppressed,
    /// Nothing was sent, on request.
    DryRun,
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
}

/// Tells every channel of the plan about the alerts that it wants, all channels at once. Nothing is sent if there are none.
///
/// A channel that is not through at the deadline counts as failed with `timeout`.
pub fn notify(
    plan: &Plan,
    alerts: &[Alert],
    run_id: &str,
    clients: &Arc<Clients>,
    deadline: &Deadline,
    dry_run: bool,
    format: Format,
) -> Vec<Delivery> {
    let (sender, receiver) = mpsc::channel();
    let mut deliveries: Vec<Delivery> = Vec::new();
    for channel in &plan.channels {
        let mut positions: Vec<usize> = (0..alerts.len()).filter(|at| wants(channel, &alerts[*at])).collect();
        message::by_cause(alerts, &mut positions);
        if channel.kind == ChannelKind::Custom {
            // Kinds that go in messages of their own stand together.
            positions.sort_by_key(|at| alerts[*at].renewal.is_some());
        }
        if positions.is_empty() {
            continue;
        }
        let index = deliveries.len();
        let late = Failure::new(Reason::Timeout, "not delivered when the run's time was over");
        deliveries.push(Delivery::none(channel, &positions, late));
        let wanted: Vec<Alert> = positions.iter().map(|at| alerts[*at].clone()).collect();
        let mut task = Task {
            channel: channel.clone(),
            message: Message::new(&wanted, plan.language, run_id),
            positions: positions.clone(),
            clients: Arc::clone(clients),
            redactor: Arc::clone(&plan.redactor),
            policy: retry::Policy { max_retries: plan.max_retries, deadline: deadline.clone() },
            limiter: channel.limit.clone().map(Limiter::new),
            timeout: plan.request_timeout,
            format,
            signed_at: AtomicI64::new(0),
        };
        let sender = sender.clone();
        let work = move || {
            let delivery = if dry_run { task.render() } else { task.deliver() };
            // Nobody listens any more after the deadline.
            let _ = sender.send((index, delivery));
        };
        if std::thread::Builder::new().name(format!("notify-{index}")).spawn(work).is_err() {
            let failure = Failure::new(Reason::Internal, "no thread could be started for this channel");
            deliveries[index] = Delivery::none(channel, &positions, failure);
        }
    }
    drop(sender);
    while let Ok((index, delivery)) = deadline.receive(&receiver) {
        deliveries[index] = delivery;
    }
    deliveries
}

/// Whether a channel hears of an alert. What nobody was told while it lasted is told to all.
pub fn wants(channel: &Channel, alert: &Alert) -> bool {
    channel.send_resolved || alert.event == Event::Raised || alert.missed.is_some()
}

impl Delivery {
    fn none(channel: &Channel, positions: &[usize], failure: Failure) -> Delivery {
        Delivery {
            channel: channel.name.clone(),
            status: DeliveryStatus::Failed,
            alerts: positions.to_vec(),
            taken: Vec::new(),
            attempts: 0,
            kind: channel.kind,
            calls: Vec::new(),
            failure: Some(failure),
            payloads: Vec::new(),
        }
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
            return Delivery::none(&self.channel, &self.positions, failure);
        }
        let payloads = self
            .compose()
            .into_iter()
            .map(|part| channel::post(&self.channel, &self.message, part, Timestamp::now()).body);
        Delivery {
            channel: self.channel.name.clone(),
            status: DeliveryStatus::DryRun,
            alerts: self.positions.clone(),
            taken: self.positions.clone(),
            attempts: 0,
            kind: self.channel.kind,
            calls: Vec::new(),
            failure: None,
            // A payload is shown, and it may carry a signature, but never the secret itself.
            payloads: payloads.map(|body| self.redactor.mask(&body)).collect(),
        }
    }

    fn deliver(&mut self) -> Delivery {
        let mut delivery = Delivery {
            channel: self.channel.name.clone(),
            status: DeliveryStatus::Sent,
            alerts: self.positions.clone(),
            taken: Vec::new(),
            attempts: 0,
            kind: self.channel.kind,
            calls: Vec::new(),
            failure: self.broken(),
            payloads: Vec::new(),
        };
        let parts = if delivery.failure.is_some() { Vec::new() } else { self.compose() };
        let total = parts.len();
        for (index, part) in parts.into_iter().enumerate() {
            let calls = &mut delivery.calls;
            let (result, _) = retry::run(&self.policy, &self.redactor, |_| {
                let limiter = self.limiter.as_ref();
                let mut place = limiter.map(|limiter| limiter.wait(&self.policy.deadline)).transpose()?;
                place.iter_mut().for_each(Place::begin);
                let begin = Instant::now();
                let result = self.attempt(part.clone());
                calls.push(Call { status: CallStatus::of(&result), duration: begin.elapsed() });
                result
            });
            delivery.attempts = u32::try_from(delivery.calls.len()).unwrap_or(u32::MAX);
            match result {
                Ok(()) => {
                    fault::point("in-send");
                    delivery.taken.extend_from_slice(&self.positions[part]);
                }
                Err(mut failure) => {
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
        if let Some(failure) = &delivery.failure {
            delivery.status = DeliveryStatus::Failed;
            log::warn!(
                channel:? = delivery.channel.as_str(), reason:? = failure.reason.as_str(), attempts = delivery.attempts;
                "an alert was not delivered: {}", failure.describe()
            );
        }
        delivery
    }

    /// The time of a signature: now, or a second after the last one.
    fn moment(&self, now: Timestamp) -> Timestamp {
        let second = now.as_second().max(self.signed_at.load(Ordering::Relaxed) + 1);
        self.signed_at.store(second, Ordering::Relaxed);
        Timestamp::from_second(second).unwrap_or(now)
    }

    /// One attempt to send one part, signed anew.
    fn attempt(&self, part: Range<usize>) -> Result<(), Failure> {
        let now = Timestamp::now();
        let post = channel::post(&self.channel, &self.message, part, now);
        let Some(url) = post.url else {
            crate::logging::announce(self.format, &post.body);
            return Ok(());
        };
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
        };
        let response = self.clients.send(&message, self.timeout.min(self.policy.deadline.left()))?;
        let said = channel::judge(&self.channel, &response.body);
        let status = response.status;
        if (200..300).contains(&status) {
            return said.map_err(|failure| failure.heeding(response.retry_after));
        }
        let what = match status {
            300..=399 => "the address answers with a redirect, which is never followed",
            429 => "too many messages",
            500..=599 => "the service has a fault of its own",
            _ => "the message was refused",
        };
        let message = match said.err().filter(|failure| failure.reason != Reason::Decode) {
            Some(failure) => format!("{what} (HTTP {status}): {}", failure.message),
            None => format!("{what} (HTTP {status})"),
        };
        Err(Failure::of_status(status, message).heeding(response.retry_after))
    }
}
