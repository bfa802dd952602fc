//! The metrics of a run: what it adds to the sums, and where they go.

use std::sync::Arc;

use jiff::Timestamp;

use super::run::{Run, Step};
use crate::decide::Found;
use crate::metrics::{self, Sums, Tally};
use crate::notify;
use crate::plan::RunConfig;
use crate::process::exit::Exit;
use crate::process::redact;
use crate::publish::{self, Part};
use crate::report::{Findings, Output, Published};
use crate::state::location::Place;
use crate::state::session::Session;
use crate::state::{MetricMarks, ConfiguredNames};

/// What the checks of a run add to the sums of a group, if anybody wants metrics.
pub(super) fn of_checks(run: &Run, found: &Found) -> Option<(String, Tally)> {
    let config = &run.config;
    let is_wanted =
        config.metrics.gateway.is_some() || config.metrics.textfile.is_some() || run.wants(Output::Prometheus);
    is_wanted.then(|| {
        let group = redact::shield(&publish::ledger(&config.metrics, config.shard)).into_owned();
        (group, metrics::of_checks(found, config.settings.keep_readings().is_some()))
    })
}

/// What a whole run adds to the sums of a group.
pub(super) struct Measured {
    group: String,
    checks: Tally,
    ended: Tally,
    is_partial: bool,
    /// When the run ended, if it was fully successful.
    succeeded_at: Option<Timestamp>,
}

impl Measured {
    /// `checks` is what the checks add to the sums of a group.
    pub(super) fn new(
        (group, checks): (String, Tally),
        run: &Run,
        findings: &Findings,
        is_partial: bool,
        interrupted: Option<Exit>,
    ) -> Measured {
        let ended = notify::tally(&run.config.channels, &findings.deliveries, run.start.elapsed());
        let is_success = matches!(findings.job_exit(interrupted), Exit::Ok | Exit::Warning | Exit::Critical);
        let succeeded_at = (is_success && !is_partial).then(|| run.context.clock.now());
        Measured { group, checks, ended, is_partial, succeeded_at }
    }

    /// What the store is to add to the sums.
    pub(super) fn marks(&self, config: &RunConfig, findings: &Findings) -> MetricMarks {
        let present = || ConfiguredNames {
            projects: findings.projects(),
            webhook_types: config.channels.iter().map(|channel| channel.kind.clone()).collect(),
        };
        MetricMarks {
            group: self.group.clone(),
            tally: self.ended.clone(),
            config: config.config_fingerprint.clone(),
            succeeded_at: self.succeeded_at,
            present: (!self.is_partial).then(present),
        }
    }

    /// The sums of this run alone.
    fn alone(self, findings: &Findings) -> Sums {
        let mut tally = self.checks;
        tally.add(&self.ended);
        Sums { tally, last_success: self.succeeded_at, pending: findings.pending() as u64 }
    }
}

/// Pushes and writes the metrics, with the sums of all runs, or with this run's alone where there is no memory. Gives what became
/// of them, and their text if a report of them is wanted.
pub(super) fn publish(
    measured: Option<Measured>,
    run: &Run,
    findings: &Findings,
    session: &mut Session,
) -> (Published, String) {
    let Some(measured) = measured else {
        return (Published::Off, String::new());
    };
    let (config, seconds) = (&run.config, run.seconds());
    let known = session.sums(&measured.group, &Arc::new(findings.identities()), &run.until(Step::Publish));
    let has_no_memory = matches!(config.state.place, Ok(Place::Nowhere));
    let (part, shown) = Part::of(known.is_some(), has_no_memory, measured.is_partial);
    let sums = known.unwrap_or_else(|| measured.alone(findings));
    let text = |part| publish::render(findings, seconds, &sums, part, &config.metrics.prefix);
    let published = if run.flags.dry_run {
        Published::Off
    } else {
        let times = [run.until(Step::Publish), run.until(Step::Close)];
        publish::publish(&config.metrics, text(part), part, &run.context, times)
    };
    let exposition = if run.wants(Output::Prometheus) { text(shown) } else { String::new() };
    (published, exposition)
}
