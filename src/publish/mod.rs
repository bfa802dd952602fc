//! Where the metrics go: a Pushgateway, a textfile; and who hears that runs happen at all.
//!
//! Not here: the sums over all runs (`metrics`), and where they are kept (`state`).

pub(crate) mod config;
pub(crate) mod healthchecks;
mod push;
mod text;
mod textfile;

use std::sync::mpsc;
use std::time::Duration;

pub(crate) use push::group;
pub(crate) use text::{Part, render};

use self::config::Metrics;
use crate::model::failure::{Failure, Reason};
use crate::model::shard::Shard;
use crate::process::background;
use crate::process::interrupt::Deadline;
use crate::report::Published;
use crate::wire::context::Context;

/// Publishes on a thread of its own, if there is one: a signal need not wait for it. `until` ends the request, `close` the
/// waiting for it.
pub(crate) fn publish(
    metrics: &Metrics,
    text: String,
    part: Part,
    context: &Context,
    [until, close]: [Deadline; 2],
) -> Published {
    let (sender, receiver) = mpsc::channel();
    let (settings, context) = (metrics.clone(), context.clone());
    let work = move || {
        // Nobody listens any more after the deadline.
        let _ = sender.send(deliver(&settings, &text, part, &context, until.left()));
    };
    if let Err(work) = background::start("metrics", work) {
        work();
    }
    let late = || Failure::new(Reason::Timeout, "the metrics were not delivered when the run's time was over");
    close.receive(&receiver).unwrap_or_else(|_| Published::Failed(late()))
}

/// Pushes the families and writes the textfile. The textfile is replaced only if all families are published; otherwise it stays
/// as it is.
fn deliver(metrics: &Metrics, text: &str, part: Part, context: &Context, left: Duration) -> Published {
    if metrics.gateway.is_none() && metrics.textfile.is_none() {
        return Published::Off;
    }
    if part == Part::Nothing {
        return Published::Skipped;
    }
    let text = &*context.redactor.shield_data(text);
    let pushed = metrics.gateway.as_ref().map(|gateway| push::push(gateway, text, part, context, left));
    let written = match &metrics.textfile {
        Some(Err(why)) => Some(Err(Failure::new(Reason::Config, format!("`textfile` cannot be used: {why}")))),
        Some(Ok(path)) if part.is_whole() => Some(textfile::write(path, text)),
        _ => None,
    };
    if pushed.is_none() && written.is_none() {
        return Published::Skipped;
    }
    let failures = pushed.into_iter().chain(written).filter_map(Result::err);
    let mut failures = failures.map(|failure| failure.settle(&context.redactor));
    let Some(mut failure) = failures.next() else {
        return Published::Sent;
    };
    for other in failures {
        failure.message = format!("{}; {}", failure.message, other.message);
    }
    log::warn!(reason:? = failure.reason.as_str(); "the metrics are not delivered: {}", failure.describe());
    Published::Failed(failure)
}

/// The key under which the store keeps the sums of a run's metrics: where they go, and in which group. Two configs that share a
/// store have sums of their own, and so have two shards.
pub(crate) fn ledger(metrics: &Metrics, shard: Option<Shard>) -> String {
    let gateway = metrics.gateway.as_ref().map(|gateway| {
        let url = gateway.url.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{url} {}", group(gateway))
    });
    let file = metrics.textfile.as_ref().and_then(|file| file.as_ref().ok()).map(|path| path.display().to_string());
    // In a gateway's group the shard is a label.
    let own = shard.filter(|_| gateway.is_none()).map(|shard| format!(" shard {shard}"));
    gateway.or(file).unwrap_or_default() + own.as_deref().unwrap_or_default()
}
