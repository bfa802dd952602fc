//! A dead man's switch: a service hears that a run begins and how it ends, and tells people when it hears nothing.
//!
//! It is no part of the run: what becomes of it changes neither the report nor the exit code, and the run waits for it only at
//! its end, for a short time.

pub(crate) mod config;

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use url::Url;

use self::config::{Healthchecks, HealthchecksKind};
use crate::model::failure::Failure;
use crate::process::background;
use crate::process::exit::Exit;
use crate::process::interrupt::{Deadline, Interrupt};
use crate::wire::context::Context;
use crate::wire::hash;
use crate::wire::http;
use crate::wire::retry;

/// Repeats within the time of one message: a packet that is lost is no run that is.
const MAX_RETRIES: u32 = 1;

/// So much later than a message's own time it is said that it was not heard.
const MOMENT: Duration = Duration::from_millis(250);

/// What the service hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    /// A run begins.
    Start,
    /// It has ended so, after so long.
    End(Exit, Duration),
}

/// A run of which a service hears. If it is dropped without its end, the run has failed by a defect, and the service hears that.
pub(crate) struct Heartbeat {
    started: Instant,
    /// Longest wait at the end of the run.
    most: Duration,
    end: Option<Sender<Beat>>,
    through: Receiver<()>,
}

impl Heartbeat {
    /// Says that a run begins, on a thread of its own; none if nobody is to hear of it.
    pub(crate) fn begin(settings: Option<&Healthchecks>, context: &Context) -> Option<Heartbeat> {
        let settings = settings?;
        let url = match &settings.url {
            Ok(url) => url.clone(),
            Err(why) => {
                log::warn!("`healthchecks` hears nothing of this run: {why}");
                return None;
            }
        };
        let (end, beats) = mpsc::channel();
        let (done, through) = mpsc::channel();
        let (settings, context) = (settings.clone(), context.clone());
        // Both messages have their time, and the last one has a moment to be found missing.
        let most = settings.timeout * 2 + MOMENT;
        // One thread for both, so that the beginning never arrives after the end.
        let work = move || {
            if settings.start {
                tell(&settings, &url, Beat::Start, &context);
            }
            if let Ok(beat) = beats.recv() {
                tell(&settings, &url, beat, &context);
            }
            let _ = done.send(());
        };
        if background::start("healthchecks", work).is_err() {
            log::warn!("`healthchecks` hears nothing of this run: the system gives no thread");
            return None;
        }
        Some(Heartbeat { started: Instant::now(), most, end: Some(end), through })
    }

    /// Begins to say how the run ends.
    pub(crate) fn end(&mut self, exit: Exit) {
        if let Some(end) = self.end.take() {
            let _ = end.send(Beat::End(exit, self.started.elapsed()));
        }
    }

    /// Waits until the end of the run has been reported, at most `self.most` and at most `left`. A signal ends the wait.
    pub(crate) fn wait(&self, left: Duration, interrupt: &Interrupt) {
        let time = self.most.min(left);
        let until = match interrupt.exit() {
            Some(_) => Deadline::within(time),
            None => Deadline::new(Instant::now() + time, Duration::ZERO, interrupt),
        };
        let _ = until.receive(&self.through);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        if self.end.is_some() {
            self.end(Exit::Internal);
            self.wait(self.most, &Interrupt::default());
        }
    }
}

/// Whether a run has done its job; what it found is for the channels.
fn is_success(exit: Exit) -> bool {
    matches!(exit, Exit::Ok | Exit::Warning | Exit::Critical)
}

/// Says one thing. That it failed is a warning in the log and nothing more.
fn tell(settings: &Healthchecks, url: &Url, beat: Beat, context: &Context) {
    let Some(address) = address(settings.kind, url, beat, &context.run_id) else { return };
    let policy = retry::Policy { max_retries: MAX_RETRIES, deadline: Deadline::within(settings.timeout) };
    let (result, _) = retry::run(&policy, &context.redactor, |time| {
        let response = context.clients.ping(&address, time.min(settings.timeout))?;
        match response.status {
            200..300 => Ok(()),
            status => {
                let what = format!("it does not take the message (HTTP {status})");
                Err(Failure::of_status(status, what).at(http::host(url)))
            }
        }
    });
    if let Err(failure) = result {
        let what = if beat == Beat::Start { "begins" } else { "has ended" };
        log::warn!(
            reason:? = failure.reason.as_str();
            "`healthchecks` does not know that this run {what}: {}", failure.describe()
        );
    }
}

/// Where a service hears it; none if it cannot.
fn address(kind: HealthchecksKind, url: &Url, beat: Beat, run_id: &str) -> Option<Url> {
    let mut url = url.clone();
    url.set_fragment(None);
    match kind {
        HealthchecksKind::Healthchecks => {
            let last = match beat {
                Beat::Start => Some("start".to_owned()),
                Beat::End(exit, _) if is_success(exit) => None,
                Beat::End(exit, _) => Some(exit.code().to_string()),
            };
            if let Some(last) = last {
                url.path_segments_mut().ok()?.pop_if_empty().push(&last);
            }
            // Pairs the beginning and the end of runs that overlap.
            with(&mut url, &[("rid", uuid(run_id))]);
        }
        HealthchecksKind::UptimeKuma => {
            let Beat::End(exit, duration) = beat else { return None };
            let (status, said) = match is_success(exit) {
                true => ("up", "OK".to_owned()),
                false => ("down", format!("exit code {}", exit.code())),
            };
            let pairs = [("status", status.to_owned()), ("msg", said), ("ping", duration.as_millis().to_string())];
            with(&mut url, &pairs);
        }
        HealthchecksKind::Cronitor => {
            let mut pairs = vec![("series", run_id.to_owned())];
            match beat {
                Beat::Start => pairs.push(("state", "run".to_owned())),
                Beat::End(exit, _) => {
                    let state = if is_success(exit) { "complete" } else { "fail" };
                    pairs.extend([("state", state.to_owned()), ("status_code", exit.code().to_string())]);
                }
            }
            with(&mut url, &pairs);
        }
    }
    Some(url)
}

/// Puts pairs into the query of an address, in the place of those of the same names.
fn with(url: &mut Url, pairs: &[(&str, String)]) {
    let is_replaced = |name: &str| pairs.iter().any(|(own, _)| *own == name);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !is_replaced(name))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(pairs);
}

/// The id of a run in the form of a UUID that is made of a name.
fn uuid(run_id: &str) -> String {
    let digits = hash::sha256(run_id);
    format!("{}-{}-5{}-a{}-{}", &digits[..8], &digits[8..12], &digits[12..15], &digits[15..18], &digits[18..30])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_hears_it_in_its_own_way() {
        use HealthchecksKind::{Cronitor, Healthchecks, UptimeKuma};
        let end = |exit| Beat::End(exit, Duration::from_millis(1234));
        let rid = format!("rid={}", uuid("run 1"));
        for (kind, url, beat, want) in [
            (Healthchecks, "https://hc-ping.com/id", Beat::Start, Some(format!("https://hc-ping.com/id/start?{rid}"))),
            (Healthchecks, "https://hc-ping.com/id", end(Exit::Ok), Some(format!("https://hc-ping.com/id?{rid}"))),
            (
                Healthchecks,
                "https://hc-ping.com/id/",
                end(Exit::Critical),
                Some(format!("https://hc-ping.com/id/?{rid}")),
            ),
            (
                Healthchecks,
                "https://h/k/s?create=1",
                end(Exit::Unknown),
                Some(format!("https://h/k/s/3?create=1&{rid}")),
            ),
            (Healthchecks, "https://h/id/#x", end(Exit::Terminated), Some(format!("https://h/id/143?{rid}"))),
            (UptimeKuma, "https://k/api/push/t?status=up&msg=OK&ping=", Beat::Start, None),
            (
                UptimeKuma,
                "https://k/api/push/t?status=up&msg=OK&ping=",
                end(Exit::Undelivered),
                Some("https://k/api/push/t?status=down&msg=exit+code+75&ping=1234".to_owned()),
            ),
            (
                UptimeKuma,
                "https://k/api/push/t?a=b",
                end(Exit::Warning),
                Some("https://k/api/push/t?a=b&status=up&msg=OK&ping=1234".to_owned()),
            ),
            (Cronitor, "https://c/p/k/j", Beat::Start, Some("https://c/p/k/j?series=run+1&state=run".to_owned())),
            (
                Cronitor,
                "https://c/p/k/j?state=run&env=prod",
                end(Exit::Internal),
                Some("https://c/p/k/j?env=prod&series=run+1&state=fail&status_code=70".to_owned()),
            ),
        ] {
            let found = address(kind, &Url::parse(url).unwrap(), beat, "run 1").map(String::from);
            assert_eq!(found, want, "{kind:?} {beat:?}");
        }
    }
}
