//! What Prometheus sees: the report as families, sent to a Pushgateway or written to a textfile.
//!
//! Counters and histograms are sums over all runs, kept in the store, because a process that lives a second starts at zero.
//! Not here: where the sums are kept (`state`), and what goes wrong on the wire (`http`).

pub mod family;
mod push;
mod tally;
mod text;
mod textfile;

use std::time::Duration;

use jiff::Timestamp;

pub use family::is_label;
pub use push::group;
pub use tally::{Sum, Tally};
pub use text::{Part, render};

use crate::check::CallStatus;
use crate::config::{Channel, Metrics};
use crate::decide::Found;
use crate::failure::Failure;
use crate::http::Clients;
use crate::notify::Delivery;
use crate::plan::Shard;
use crate::redact::Redactor;

/// What became of the metrics.
#[derive(Clone, Debug, Default)]
pub enum Published {
    /// Nobody wants them, or it is a dry run.
    #[default]
    Off,
    /// They were taken everywhere.
    Sent,
    /// A run over some of the checks has nothing that could stand for all of them.
    Skipped,
    /// Not everywhere: this is why.
    Failed(Failure),
}

/// The sums of all runs, and what else only the store knows.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    /// Counters and histograms.
    pub tally: Tally,
    /// The end of the last run that did all of its job, this one included.
    pub last_success: Option<Timestamp>,
    /// Alerts that no channel has taken yet.
    pub pending: u64,
}

/// What the checks of a run add to the sums.
pub fn of_checks(found: &Found, has_cache: bool) -> Tally {
    let mut tally = Tally::default();
    tally.count(&family::CONFIG_RELOADS, &[], 0);
    tally.count(&family::CACHE_HITS, &["response"], 0);
    tally.count(&family::CACHE_MISSES, &["response"], 0);
    for verdict in &found.mailboxes {
        let name = verdict.name.as_str();
        let scan = verdict.scanned.result.as_ref().ok();
        tally.observe(&family::SCAN_DURATION, &[name], verdict.scanned.duration);
        tally.count(&family::SCANNED, &[name], scan.map_or(0, |scan| scan.scanned as u64));
        tally.count(&family::MAIL_ALERTS, &[name], scan.map_or(0, |scan| scan.findings.len() as u64));
        if let Some(failure) = verdict.scanned.result.as_ref().err().filter(|failure| !failure.is_cancelled()) {
            tally.count(&family::FAILED, &[name, "imap", failure.reason.as_str()], 1);
        }
    }
    for verdict in &found.accounts {
        let subject = &verdict.subject;
        let provider = subject.provider.as_str();
        for status in CallStatus::ALL.iter().filter(|_| subject.is_remote) {
            tally.count(&family::CALLS, &[provider, status.as_str()], 0);
            tally.count(&family::LATENCY, &[provider, status.as_str()], 0);
        }
        for call in &verdict.calls {
            tally.count(&family::CALLS, &[provider, call.status.as_str()], 1);
            tally.observe(&family::LATENCY, &[provider, call.status.as_str()], call.duration);
        }
        if let Some(failure) = verdict.failure.as_ref().filter(|failure| !failure.is_cancelled()) {
            tally.count(&family::FAILED, &[&subject.name, provider, failure.reason.as_str()], 1);
        }
        if has_cache && subject.is_remote {
            let family = if verdict.cached { &family::CACHE_HITS } else { &family::CACHE_MISSES };
            tally.count(family, &["response"], 1);
        }
    }
    tally
}

/// What the end of a run adds to the sums.
pub fn of_run(channels: &[Channel], deliveries: &[Delivery], duration: Duration) -> Tally {
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

/// Sends and writes the families. `part` says what they stand for; the file holds everything or is left as it is.
pub fn publish(
    metrics: &Metrics,
    text: &str,
    part: Part,
    clients: &Clients,
    redactor: &Redactor,
    left: Duration,
) -> Published {
    if metrics.gateway.is_none() && metrics.textfile.is_none() {
        return Published::Off;
    }
    if part == Part::Nothing {
        return Published::Skipped;
    }
    let pushed = metrics.gateway.as_ref().map(|gateway| push::push(gateway, text, part, clients, redactor, left));
    let written = match &metrics.textfile {
        Some(path) if part.is_whole() => Some(textfile::write(path, text)),
        _ => None,
    };
    if pushed.is_none() && written.is_none() {
        return Published::Skipped;
    }
    let mut failures = pushed.into_iter().chain(written).filter_map(Result::err);
    let Some(mut failure) = failures.next() else {
        return Published::Sent;
    };
    for other in failures {
        failure.message = format!("{}; {}", failure.message, other.message);
    }
    failure.message = redactor.clean(&failure.message);
    log::warn!(reason:? = failure.reason.as_str(); "the metrics are not delivered: {}", failure.describe());
    Published::Failed(failure)
}

/// Names the sums of a run's metrics in the store: where they go, and under which group. Two configs that share a store have
/// sums of their own, and so have shards.
pub fn ledger(metrics: &Metrics, shard: Option<Shard>) -> String {
    let gateway = metrics.gateway.as_ref().map(|gateway| {
        let url = gateway.url.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{url} {}", group(gateway))
    });
    let file = metrics.textfile.as_ref().map(|path| path.display().to_string());
    // In a gateway's group the shard is a label.
    let own = shard.filter(|_| gateway.is_none()).map(|shard| format!(" shard {shard}"));
    gateway.or(file).unwrap_or_default() + own.as_deref().unwrap_or_default()
}
