//! One channel at work: its alerts are split into messages that fit, and each is sent until it is taken, or another attempt cannot
//! help, or it is not known what became of it.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::channel::email::{Sending, Unheard};
use super::channel::{self, Post};
use super::delivery::{Delivery, DeliveryStatus, Exchange, Progress, unconfirmed};
use super::message::Message;
use super::queue::Queue;
use super::split;
use crate::check::{Call, CallStatus};
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::text;
use crate::notify::config::Channel;
use crate::process::clock::Clock;
use crate::process::fault;
use crate::process::logging::Format;
use crate::process::redact::Redactor;
use crate::wire::auth::{self, Login};
use crate::wire::http::{self, Clients, Outgoing};
use crate::wire::limit::{Limiter, Place};
use crate::wire::retry;

/// What a channel's limit makes wait longer than this is said in fewer words instead.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a send needs beside the channel.
pub(super) struct Task {
    pub(super) channel: Channel,
    /// What its alerts are called outside.
    pub(super) positions: Vec<usize>,
    /// Whether some of the alerts were owed before this run.
    pub(super) are_owed: bool,
    pub(super) message: Message,
    pub(super) clock: Clock,
    pub(super) clients: Arc<Clients>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) policy: retry::Policy,
    pub(super) limiter: Option<Limiter>,
    pub(super) timeout: Duration,
    pub(super) format: Format,
    /// Whether the channel is only tried, and what is sent is kept to be shown.
    pub(super) is_trial: bool,
    /// When the last body was signed, in seconds: two never have the same time, or the second would look like the first again.
    pub(super) signed_at: AtomicI64,
    /// How far it is, for whoever cannot wait for its end.
    pub(super) progress: Arc<Mutex<Progress>>,
}

impl Task {
    /// The messages, as ranges of alerts: where the channel's limit would hold too many of them back, fewer and shorter ones.
    fn compose(&mut self) -> Vec<Range<usize>> {
        let parts = split::parts(&self.channel, &self.message);
        let time = self.policy.deadline.left().min(PATIENCE);
        let most = self.channel.limit.as_ref().map_or(usize::MAX, |limit| limit.most_within(time));
        if parts.len() <= most || self.channel.is_event_service() {
            return parts;
        }
        self.message.shorten();
        split::parts(&self.channel, &self.message)
    }

    fn broken(&self) -> Option<Failure> {
        self.channel.fault().map(|why| Failure::new(Reason::Config, why))
    }

    /// In a dry run: what would be sent.
    pub(super) fn render(&mut self) -> Delivery {
        if let Some(failure) = self.broken() {
            return Delivery::new(&self.channel, &self.positions, Some(failure));
        }
        let parts = self.compose().into_iter();
        let posts = parts.map(|part| channel::post(&self.channel, &self.message, part, self.clock.now()));
        let posts = match posts.collect::<Result<Vec<_>, Failure>>() {
            Ok(posts) => posts,
            Err(failure) => return Delivery::new(&self.channel, &self.positions, Some(failure)),
        };
        Delivery {
            status: DeliveryStatus::DryRun,
            taken: self.positions.clone(),
            // A payload is shown, and it may carry a signature, but never the secret itself.
            payloads: posts.iter().map(|post| self.redactor.shield(post.shown()).into_owned()).collect(),
            ..Delivery::new(&self.channel, &self.positions, None)
        }
    }

    /// Sends everything.
    pub(super) fn deliver(&mut self) -> Delivery {
        let mut delivery = Delivery::new(&self.channel, &self.positions, self.broken());
        let parts = if delivery.failure.is_some() { Vec::new() } else { self.compose() };
        let total = parts.len();
        let mut queue = Queue::new(parts, self.are_owed);
        while let Some((index, part)) = queue.next() {
            let (result, is_out) = self.send(part.clone(), queue.is_probing());
            queue.heed(result.as_ref().err());
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
                    delivery.failure = delivery.failure.or(Some(failure));
                }
            }
        }
        {
            let progress = self.progress();
            delivery.taken.clone_from(&progress.taken);
            delivery.calls.clone_from(&progress.calls);
            delivery.exchanges.clone_from(&progress.exchanges);
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

    /// Sends one part until it is taken, or another attempt cannot help, or it is not known what became of it. One that
    /// only probes the channel is not repeated. Says whether it is out without an answer.
    fn send(&self, part: Range<usize>, is_probe: bool) -> (Result<(), Failure>, bool) {
        let mut is_lost = false;
        let mut policy = self.policy.clone();
        if is_probe {
            policy.max_retries = 0;
        }
        let (result, _) = retry::run(&policy, &self.redactor, |_| {
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
                && matches!(failure.reason, Reason::Timeout | Reason::Connect | Reason::Protocol | Reason::Tls)
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

    /// Keeps what is about to be sent, in a trial.
    fn keep(&self, post: &Post) {
        if self.is_trial {
            let place = post.url.as_ref().map(|url| (post.method.clone(), http::host(url)));
            let body = self.redactor.shield(post.shown()).into_owned();
            self.progress().exchanges.push(Exchange { place, body, status: None });
        }
    }

    /// One attempt through a channel that is code.
    fn attempt_by_code(&self, part: Range<usize>, body: &str, is_out: &AtomicBool) -> Result<(), Failure> {
        let time = self.timeout.min(self.policy.deadline.left());
        let until = self.policy.deadline.or_at(Instant::now() + self.timeout);
        if let Some(command) = &self.channel.command {
            is_out.store(true, Ordering::SeqCst);
            return channel::exec::run(command, body, &until);
        }
        if let Some(email) = &self.channel.email {
            let tls = || self.clients.tls().map_err(|why| Failure::new(Reason::Config, format!("no TLS: {why}")));
            let sending = Sending { tls: &tls, until, time, now: self.clock.now(), is_out };
            let about = (&self.message, &self.message.alerts[part], self.channel.source.as_str());
            for Unheard { address, failure } in channel::email::send(email, about, &sending)? {
                let failure = failure.settle(&self.redactor);
                log::warn!(
                    channel:? = self.channel.id.as_str(), recipient:? = address.as_str();
                    "the mail was taken, but not for `{address}`: {}", failure.describe()
                );
            }
            return Ok(());
        }
        crate::process::logging::announce(self.format, body, &until).map_err(|error| {
            let why = text::io_error(&error);
            Failure::new(Reason::Connect, format!("standard error cannot be written: {why}"))
        })
    }

    /// One attempt to send one part, signed anew.
    fn attempt(&self, part: Range<usize>, is_out: &AtomicBool) -> Result<(), Failure> {
        let now = self.clock.now();
        let post = channel::post(&self.channel, &self.message, part.clone(), now)?;
        self.keep(&post);
        let Some(url) = post.url else { return self.attempt_by_code(part, &post.body, is_out) };
        let host = http::host(&url);
        let login = self.channel.login.as_ref();
        let proof = auth::proof(login, self.channel.body_secret(), &post.body, now, self.moment(now))?;
        let proofs = proof.len();
        let message = Outgoing {
            method: post.method,
            url: &url,
            content_type: post.content_type,
            proof: proof.into_iter().chain(post.headers).collect(),
            body: &post.body,
            is_out,
        };
        let response = self.clients.send(&message, self.timeout.min(self.policy.deadline.left()))?;
        if let Some(exchange) = self.progress().exchanges.last_mut() {
            exchange.status = Some(response.status);
        }
        channel::judge(&self.channel, &response).map_err(|failure| {
            let is_signed = self.channel.is_signed() || matches!(self.channel.login, Some(Login::Jwt(_)));
            let failure = response.through(response.by_the_clock(failure, is_signed)).heeding(response.retry_after);
            let proofs = message.proof[..proofs].iter().map(|(_, value)| value.expose_secret());
            // The robots' own signatures stand in the address or in the body.
            let address: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            let body: Value = serde_json::from_str(&post.body).unwrap_or_default();
            let signed = address.iter().map(String::as_str).chain(body["sign"].as_str());
            failure.at(host).hiding(proofs.chain(signed.filter(|value| value.len() >= 16)))
        })
    }
}
