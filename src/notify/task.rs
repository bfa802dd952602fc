//! One channel at work: its alerts are split into messages that fit, and they are sent in the order of the queue until they are
//! taken, or another attempt cannot help, or it is not known what became of them.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::allowance::Allowance;
use super::channel::email::{Sending, Unheard};
use super::channel::{self, Post};
use super::delivery::{Delivery, DeliveryStatus, Exchange, Progress, unconfirmed};
use super::message::Message;
use super::queue::{Kind, Outcome, Piece, Queue, blames_message};
use super::trouble::Troubles;
use super::{Keep, split};
use crate::check::{Call, CallStatus};
use crate::decide::Earlier;
use crate::model::failure::{Failure, Reason, Retry};
use crate::model::text;
use crate::notify::config::Channel;
use crate::process::clock::Clock;
use crate::process::fault;
use crate::process::logging::Format;
use crate::process::redact::Redactor;
use crate::wire::auth::{self, Login};
use crate::wire::http::{self, Clients, Outgoing};
use crate::wire::limit::{Limiter, Slot};
use crate::wire::retry;

/// If the rate limit of a channel would delay messages by more than this, several alerts are merged into shorter messages. It
/// is the time that the checks leave for telling, so what waits longer might not be sent in this run.
const PATIENCE: Duration = Duration::from_secs(5);

/// A channel waits so long in all, and this part of its time at the most, for marks of what is settled. So a run that dies repeats
/// one message, as long as the store is fast enough.
const MARKING: Duration = Duration::from_secs(2);
const PART_FOR_MARKING: u32 = 8;

/// What a send needs beside the channel.
pub(super) struct Task {
    pub(super) channel: Channel,
    /// What its alerts are called outside.
    pub(super) positions: Vec<usize>,
    /// What the channel was sent of each of its alerts before this run.
    pub(super) earlier: Vec<Option<Earlier>>,
    pub(super) message: Message,
    pub(super) clock: Clock,
    pub(super) clients: Arc<Clients>,
    pub(super) redactor: Arc<Redactor>,
    pub(super) policy: retry::Policy,
    pub(super) limiter: Option<Limiter>,
    pub(super) timeout: Duration,
    /// The time that the expressions of the channel's page have.
    pub(super) allowance: Allowance,
    pub(super) format: Format,
    /// Whether the channel is only tried, and what is sent is kept to be shown.
    pub(super) is_trial: bool,
    /// When the last body was signed, in seconds: two never have the same time, or the second would look like the first again.
    pub(super) signed_at: AtomicI64,
    /// What marks what is settled for the channel.
    pub(super) keep: Option<Keep>,
    /// How far it is, for whoever cannot wait for its end.
    pub(super) progress: Arc<Mutex<Progress>>,
}

impl Task {
    /// The messages, as ranges of alerts: where the channel's limit would hold too many of them back, fewer and shorter ones. The
    /// alerts that are known to be refused stand behind all others, and in none of these messages.
    fn compose(&mut self) -> (Vec<Range<usize>>, Range<usize>) {
        self.arrange(|task, at| task.is_suspect(at));
        let all = self.positions.len();
        let good = (0..all).find(|at| self.is_suspect(*at)).unwrap_or(all);
        // An event service has one message for each condition.
        let is_grouped = !self.channel.is_event_service();
        if is_grouped {
            self.message.split();
        }
        let turns = self.turns(self.policy.deadline.left().min(PATIENCE));
        // If there are more messages than that, they are split anew, so it does not matter how many more.
        let most = if is_grouped { turns.saturating_add(1) } else { usize::MAX };
        let mut parts = self.parts(good, most);
        if parts.len() > 1 && self.earlier.iter().any(Option::is_some) {
            // What was never sent comes first, and what was sent last comes last. What is one event stays together.
            let events: Vec<_> = self.message.alerts.iter().map(|alert| channel::event(&self.channel, alert)).collect();
            let mut first = HashMap::new();
            for (at, event) in events.iter().enumerate().filter(|(_, event)| event.is_some()) {
                let turn = first.entry(event).or_insert((self.tried(at), at));
                turn.0 = turn.0.min(self.tried(at));
            }
            let turn = |at: usize| first.get(&events[at]).copied();
            let turns: Vec<_> = (0..all).map(|at| turn(at).map_or((self.tried(at), 0), |turn| turn)).collect();
            self.arrange(|task, at| {
                let section = channel::section(&task.channel, &task.message.alerts[at]);
                (task.is_suspect(at), section, turns[at])
            });
            parts = self.parts(good, most);
        }
        if parts.len() > turns && is_grouped {
            self.message.shorten();
            parts = self.parts(good, usize::MAX);
        }
        parts.sort_by_key(|part| part.clone().map(|at| self.tried(at)).min());
        if is_grouped {
            self.message.number(&parts);
        }
        (parts, good..all)
    }

    /// How many messages the channel's limit allows within a time.
    fn turns(&self, time: Duration) -> usize {
        self.channel.limit.as_ref().map_or(usize::MAX, |limit| limit.most_within(time))
    }

    /// The messages of the first `total` alerts, `most` of them.
    fn parts(&self, total: usize, most: usize) -> Vec<Range<usize>> {
        split::parts(total, most, |part| {
            let fits = || channel::fits(&self.channel, &self.message, part);
            self.allowance.check().is_ok() && self.allowance.spend(fits)
        })
    }

    /// Puts the alerts into another order.
    fn arrange<K: Ord>(&mut self, key: impl Fn(&Task, usize) -> K) {
        let mut order: Vec<usize> = (0..self.positions.len()).collect();
        order.sort_by_cached_key(|at| key(self, *at));
        if order.is_sorted() {
            return;
        }
        self.positions = order.iter().map(|at| self.positions[*at]).collect();
        self.earlier = order.iter().map(|at| self.earlier[*at]).collect();
        self.message.alerts = order.iter().map(|at| self.message.alerts[*at].clone()).collect();
    }

    /// When the channel was sent something about an alert before; none if never.
    fn tried(&self, at: usize) -> Option<Timestamp> {
        self.earlier[at].map(|earlier| earlier.tried_at)
    }

    /// Whether the channel is known to refuse an alert.
    fn is_suspect(&self, at: usize) -> bool {
        self.earlier[at].is_some_and(|earlier| earlier.refusals > 0)
    }

    fn broken(&self) -> Option<Failure> {
        self.channel.fault().map(|why| Failure::new(Reason::Config, why))
    }

    /// In a dry run: what would be sent.
    pub(super) fn render(&mut self) -> Delivery {
        if let Some(failure) = self.broken() {
            return Delivery::new(&self.channel, &self.positions, Some(failure));
        }
        let (parts, suspects) = self.compose();
        let parts = parts.into_iter().chain(suspects.map(|at| at..at + 1));
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
        if delivery.failure.is_none() {
            let (unknown, failure) = self.send_all();
            (delivery.unknown, delivery.failure) = (unknown, failure);
            delivery = delivery.stopped_after(&self.progress());
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

    /// Sends one message after the other. Gives the alerts of which it is not known what became of them, and why not all were taken.
    fn send_all(&mut self) -> (Vec<usize>, Option<Failure>) {
        let (parts, suspects) = self.compose();
        self.progress().suspects = self.positions[suspects.clone()].iter().copied().collect();
        let (count, all) = (parts.len(), self.positions.len());
        let past = self.earlier.iter().map(|earlier| earlier.map(|earlier| (earlier.tried_at, earlier.attempts)));
        let mut queue = Queue::new(parts, suspects, past.collect(), self.policy.max_retries);
        let (mut unknown, mut troubles) = (Vec::new(), Troubles::default());
        let mut patience = MARKING.min(self.policy.deadline.left() / PART_FOR_MARKING);
        while let Some((mut piece, not_before)) = queue.next() {
            self.mark_settled(&mut patience);
            let wait = not_before.map(|at| at.saturating_duration_since(Instant::now()));
            if wait.is_some_and(|wait| !self.policy.deadline.sleep(wait)) {
                break;
            }
            piece.attempts += 1;
            let (result, is_lost) = self.send(&piece.alerts);
            let (failure, wait) = match result {
                Ok(()) => (None, None),
                Err(failure) => self.after(&piece, failure),
            };
            let outcome = Outcome { failure: failure.as_ref(), is_lost, wait };
            let alerts = &self.positions[piece.alerts.clone()];
            if let Some(is_certain) = failure.as_ref().and_then(blames_message) {
                self.progress().refuse(alerts, is_certain);
            }
            if is_lost {
                unknown.extend_from_slice(alerts);
            }
            queue.heed(piece.clone(), &outcome);
            match failure {
                None => fault::point("in-send"),
                Some(mut failure) => {
                    if is_lost {
                        failure.message = unconfirmed(&failure.message);
                    }
                    troubles.note(&piece, failure);
                }
            }
        }
        let taken: BTreeSet<usize> = self.progress().taken.iter().copied().collect();
        let failure = troubles.told(count, all, |at| !taken.contains(&self.positions[at]));
        (unknown, failure)
    }

    /// Marks what is settled before the next message is sent, and waits for that as long as there is patience. What it does not wait
    /// for is marked later, with more at once.
    fn mark_settled(&self, patience: &mut Duration) {
        let Some(keep) = self.keep.as_ref().filter(|_| !patience.is_zero()) else { return };
        let (settled, count) = self.progress().unmarked(&self.channel.id);
        if settled.is_empty() {
            return;
        }
        let begin = Instant::now();
        if keep(settled, *patience) {
            self.progress().mark(count);
            *patience = patience.saturating_sub(begin.elapsed());
        } else {
            *patience = Duration::ZERO;
        }
    }

    /// What follows from a failed attempt: the failure without secrets, and after what time another attempt may help. What only
    /// finds out who is to blame is not repeated.
    fn after(&self, piece: &Piece, failure: Failure) -> (Option<Failure>, Option<Duration>) {
        let mut policy = self.policy.clone();
        if !matches!(piece.kind, Kind::Part(_)) {
            policy.max_retries = 0;
        }
        match retry::after(&policy, &self.redactor, piece.attempts, failure) {
            retry::Next::Wait(wait, failure) => (Some(failure), Some(wait)),
            retry::Next::GiveUp(failure) => (Some(failure), None),
        }
    }

    /// Makes one attempt to send one message. Says whether it is out without an answer.
    fn send(&self, part: &Range<usize>) -> (Result<(), Failure>, bool) {
        let place = self.limiter.as_ref().map(|limiter| limiter.wait(&self.policy.deadline)).transpose();
        let mut place = match place {
            Ok(place) => place,
            Err(failure) => return (Err(failure), false),
        };
        if let Err(failure) = self.allowance.check() {
            return (Err(failure), false);
        }
        place.iter_mut().for_each(Slot::begin);
        let is_out = Arc::new(AtomicBool::new(false));
        {
            let mut progress = self.progress();
            progress.under_way = self.positions[part.clone()].to_vec();
            progress.is_out = Arc::clone(&is_out);
            self.note_tried(part, &mut progress);
        }
        let begin = Instant::now();
        let mut result = self.attempt(part.clone(), &is_out);
        let mut is_lost = false;
        if let Err(failure) = &mut result
            && is_out.load(Ordering::SeqCst)
            && matches!(failure.reason, Reason::Timeout | Reason::Connect | Reason::Protocol | Reason::Tls)
        {
            failure.retry = Retry::Later;
            is_lost = true;
        }
        let mut progress = self.progress();
        let sent = std::mem::take(&mut progress.under_way);
        if result.is_ok() || is_lost {
            progress.settle(&sent, result.is_ok());
        }
        progress.calls.push(Call { status: CallStatus::of(&result), duration: begin.elapsed() });
        (result, is_lost)
    }

    /// Notes when alerts are tried, for the store: a millisecond after each other, in the order in which they were tried before,
    /// and later than all that was tried until now. So the next run knows their order.
    fn note_tried(&self, part: &Range<usize>, progress: &mut Progress) {
        let mut alerts: Vec<usize> = part.clone().collect();
        alerts.sort_by_key(|at| self.tried(*at));
        let now = self.clock.now();
        let mut last = progress.tried.values().max().copied();
        for at in alerts {
            let later = last.and_then(|last| last.checked_add(Duration::from_millis(1)).ok());
            let moment = later.map_or(now, |later| later.max(now));
            progress.tried.insert(self.positions[at], moment);
            last = Some(moment);
        }
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
        let post = self.allowance.spend(|| channel::post(&self.channel, &self.message, part.clone(), now))?;
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
        self.allowance.spend(|| channel::judge(&self.channel, &response)).map_err(|failure| {
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
