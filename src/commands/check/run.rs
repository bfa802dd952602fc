//! What a run of `check` is given, and when each of its steps must be over.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::CheckArgs;
use crate::plan::RunConfig;
use crate::process::Process;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::{Deadline, Interrupt};
use crate::process::logging::Format;
use crate::publish::healthchecks::Heartbeat;
use crate::report::Output;
use crate::report::progress::Progress;
use crate::wire::context::Context;

/// The most that is reserved for the store and for telling at the end of a run: an eighth of its time, at most this.
const LAST_SHARE: Duration = Duration::from_secs(5);

/// The steps of a run that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The store is opened and read.
    Recall,
    /// The checks are made.
    Look,
    /// What was found and decided is written down.
    Claim,
    /// Alerts are sent.
    Tell,
    /// What became of them is written down.
    Mark,
    /// Metrics are pushed.
    Publish,
    /// What is still open is closed.
    Close,
}

impl Step {
    /// When a step must be over, by the end of the run's time; and how long after a signal, so that all is over within 10 s of
    /// it. The process ends within 2 s of the run's time. On a busy machine each step ends late, so the last four tenths of a
    /// second before the watchdog speaks are left to the report.
    fn end(self, start: Instant, timeout: Duration) -> (Instant, Duration) {
        let (deadline, millis) = (start + timeout, Duration::from_millis);
        match self {
            // A store that hangs costs at most a quarter of the run's time. In a run under 4 s it may take 1 s, but never more
            // than half.
            Step::Recall => (start + (timeout / 4).max(millis(1000).min(timeout / 2)), millis(500)),
            // What the checks leave is for the store and for telling, so that what they found is remembered and heard.
            Step::Look => (deadline - (timeout / 8).min(LAST_SHARE), millis(1000)),
            Step::Claim => (deadline + millis(300), millis(2500)),
            // A part of the last seconds is kept for the memory of the run and for the report.
            Step::Tell => (deadline + millis(600), millis(6000)),
            Step::Mark => (deadline + millis(900), millis(7000)),
            Step::Publish => (deadline + millis(200), millis(8000)),
            Step::Close => (deadline + millis(900), millis(8500)),
        }
    }
}

/// A run that is about to begin.
pub(super) struct Run<'a> {
    pub(super) flags: &'a CheckArgs,
    pub(super) process: &'a Process,
    pub(super) environment: Environment,
    pub(super) start: Instant,
    pub(super) interrupt: Interrupt,
    pub(super) context: Context,
    /// What the config says of everything but the checks themselves.
    pub(super) config: RunConfig,
}

impl Run<'_> {
    /// When a step must be over.
    pub(super) fn until(&self, step: Step) -> Deadline {
        let (at, grace) = step.end(self.start, self.config.settings.run_timeout);
        let deadline = Deadline::new(at, grace, &self.interrupt);
        match step {
            // A store that hangs leaves as much time for telling as it has taken.
            Step::Claim => {
                let (now, end) = (Instant::now(), Step::Tell.end(self.start, self.config.settings.run_timeout).0);
                deadline.or_at(now + end.saturating_duration_since(now) / 2)
            }
            _ => deadline,
        }
    }

    /// Says that the run begins, if anybody is to hear of it. A run that leaves checks out, or sends nothing, is none.
    pub(super) fn heartbeat(&self) -> Option<Heartbeat> {
        let is_whole = !self.config.is_partial && !self.flags.dry_run;
        Heartbeat::begin(self.config.healthchecks.as_ref().filter(|_| is_whole), &self.context)
    }

    /// Waits for a short time until it is said how the run has ended.
    pub(super) fn leave(&self, heartbeat: Option<Heartbeat>, exit: Exit) {
        if let Some(heartbeat) = heartbeat {
            let watchdog = &self.process.watchdog;
            watchdog.expect("the message to `healthchecks`", self.shown(exit));
            heartbeat.wait(watchdog.left(), &self.interrupt);
        }
    }

    /// Whether a report in this format is wanted.
    pub(super) fn wants(&self, output: Output) -> bool {
        self.flags.output == output || self.flags.reports.iter().any(|report| report.output == output)
    }

    /// Seconds since the start of the process.
    pub(super) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// The line that shows a waiting person how far the checks are.
    pub(super) fn progress(&self, checks: usize) -> Progress {
        Progress::new(checks, self.context.format == Format::Text && !self.flags.quiet)
    }

    /// The status as the scheduler sees it.
    pub(super) fn shown(&self, exit: Exit) -> Exit {
        shown(self.flags, exit)
    }

    /// How late the run began, in seconds: against the time that a flag, the name of a Job or the run before tells.
    pub(super) fn lag(&self, previous: impl FnOnce() -> Option<Timestamp>) -> Option<f64> {
        let started_at = self.context.started_at;
        let scheduled = self.flags.scheduled_at.or_else(|| {
            let name = self.environment.overlay("BALANCE_ALERT_JOB_NAME")?;
            let minutes: i64 = name.rsplit_once('-')?.1.parse().ok()?;
            // A Job that was made by hand may end in any number.
            let at = Timestamp::from_second(minutes.checked_mul(60)?).ok()?;
            (-1..24 * 7).contains(&started_at.duration_since(at).as_hours()).then_some(at)
        });
        let scheduled = scheduled.or_else(|| {
            let interval = self.config.settings.refresh_interval?;
            previous()?.checked_add(interval).ok()
        });
        scheduled.map(|at| started_at.duration_since(at).as_secs_f64())
    }
}

/// The status as the scheduler sees it.
pub(super) fn shown(flags: &CheckArgs, exit: Exit) -> Exit {
    if flags.output == Output::Nagios { exit.for_nagios() } else { exit }
}

/// The status of a run whose report nobody takes.
pub(super) fn unwritten(exit: Exit) -> Exit {
    if exit == Exit::Ok { Exit::Unwritten } else { exit }
}
