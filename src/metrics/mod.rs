//! The metric families, and what the checks of a run add to the counters and histograms.
//!
//! Counters and histograms are sums over all runs, which the store keeps, because a process that lives a second starts at zero.
//! Not here: where the sums are kept (`state`), and where the metrics go (`publish`).

pub mod family;
mod tally;

use jiff::Timestamp;

pub(crate) use family::is_label;
pub(crate) use tally::{Sum, Tally};

use crate::check::CallStatus;
use crate::decide::{Found, MailboxVerdict, SubscriptionVerdict};

/// The sums of all runs, and what else of the metrics only the store knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    /// Counters and histograms.
    pub tally: Tally,
    /// When the last fully successful run ended, this one included.
    pub last_success: Option<Timestamp>,
    /// The number of alerts that are still owed to a channel.
    pub pending: u64,
}

/// What the checks of a run add to the sums.
pub(crate) fn of_checks(found: &Found, has_cache: bool) -> Tally {
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
            tally.count(&family::FAILED, &[name, MailboxVerdict::PROVIDER, failure.reason.as_str()], 1);
        }
    }
    for verdict in &found.subscriptions {
        if let Err(failure) = &verdict.renewal {
            tally.count(
                &family::FAILED,
                &[&verdict.subscription.name, SubscriptionVerdict::PROVIDER, failure.reason.as_str()],
                1,
            );
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
