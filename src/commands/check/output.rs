//! The end of a run: the report is written where it is wanted, and printed.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::super::open::print;
use super::run::{Run, unwritten};
use crate::check::account::drift::ChangedAnswer;
use crate::decide::SilentSchedule;
use crate::model::text;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::Deadline;
use crate::process::logging;
use crate::process::{background, fault, file, redact};
use crate::report::{Output, Report, View};

/// Says which other schedules have fallen silent: the report is about the checks of this one.
pub(super) fn warn_of_silence(silent: &[SilentSchedule]) {
    for SilentSchedule { name, last } in silent {
        log::warn!("`{}` has not run since {}", text::one_line(name, 120), last.strftime("%Y-%m-%d %H:%M UTC"));
    }
}

/// Says which services answer otherwise than before. Their balances could be read, or else they would not be among these.
pub(super) fn warn_of_changes(changed: &[ChangedAnswer]) {
    for ChangedAnswer { provider, host } in changed {
        log::warn!(
            "{} has changed its answer: the page of `{provider}` still reads a balance in it; compare it with what the service \
             shows (this is said once)",
            text::one_line(host, 120)
        );
    }
}

/// Where GitHub Actions reads the summary of a step.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Report files that take no longer are written before standard output. Near the end of the run's time they have half of what is
/// left.
const PATIENCE: Duration = Duration::from_secs(1);

/// Warns where something is wrong and the config names nobody to tell.
pub(super) fn warn_if_nobody_is_told(report: &Report, run: &Run) {
    let found = &report.findings;
    if found.channels.is_empty() && (found.has_low() || found.has_failed() || found.has_warning()) {
        let what = "something is wrong and nobody is told of it, because the config has no `webhook`";
        let hint = "add one, or `webhook: { type: console }` if the report and the exit code are enough";
        logging::caution(run.context.format, &format!("{what}\n hint: {hint}"));
    }
}

/// Writes the report where it is wanted, prints it, and gives the status.
pub(super) fn finish(report: &Report, run: &Run) -> Exit {
    let exit = report.exit(run.flags.fail_on);
    let watchdog = &run.process.watchdog;
    watchdog.expect("the writing of the report", run.shown(unwritten(exit)));
    let mut files = Files::write(report, run, exit);
    files.wait(PATIENCE.min(watchdog.left() / 2));
    let exit = files.exit(exit);
    if run.flags.output == Output::Github {
        let view = View { exit: run.shown(exit), is_quiet: false, fail_on: run.flags.fail_on };
        let text = redact::shield_report(&report.render(Output::Markdown, view)).into_owned();
        files.have_failed |= !summarise(&run.environment, &text, watchdog.left());
    }
    let view = View { exit: run.shown(exit), is_quiet: run.flags.quiet, fail_on: run.flags.fail_on };
    let exit = files.exit(exit);
    let printed = print(&report.render(run.flags.output, view), run.process, exit);
    files.wait(watchdog.left());
    for path in &files.open {
        log::error!("the report cannot be written to `{}`: it did not take it in time", path.display());
        files.have_failed = true;
    }
    let exit = files.exit(exit);
    log::info!(
        run_id:? = report.findings.run_id.as_str(), status:? = report.findings.overall().as_str(),
        exit_code = run.shown(exit).code(), duration_seconds = report.duration_seconds,
        projects_checked = report.findings.verdicts.len(); "run finished"
    );
    run.interrupt.end_as_reported();
    fault::point("reported");
    if exit == Exit::Ok { printed } else { exit }
}

/// Adds to the summary of a step of GitHub Actions, if this is one. Gives whether that is done where it is wanted.
pub(in crate::commands) fn summarise(environment: &Environment, text: &str, time: Duration) -> bool {
    let Some(path) = environment.path(SUMMARY) else { return true };
    let added = file::append(&path, text.as_bytes(), time);
    if let Err(error) = &added {
        log::error!("the summary cannot be written to the file that {SUMMARY} names: {}", text::io_error(error));
    }
    added.is_ok()
}

/// The report files of a run, which are being written.
struct Files {
    open: BTreeSet<PathBuf>,
    written: Receiver<(PathBuf, io::Result<()>)>,
    have_failed: bool,
}

impl Files {
    /// Begins to write each file on a thread of its own: one that hangs holds no other one back.
    fn write(report: &Report, run: &Run, exit: Exit) -> Files {
        let (sender, written) = mpsc::channel();
        for file in &run.flags.reports {
            let text = report.render(file.output, View { exit: run.shown(exit), is_quiet: false, fail_on: run.flags.fail_on });
            let (path, sender, left) = (file.path.clone(), sender.clone(), run.process.watchdog.left());
            let work = move || {
                // Colours are for a terminal, and a file gets none.
                let text = anstream::adapter::strip_str(&text).to_string();
                // Nobody listens any more when the time is over.
                let _ = sender.send((path.clone(), file::write(&path, redact::shield_report(&text).as_bytes(), left)));
            };
            if let Err(work) = background::start("report", work) {
                work();
            }
        }
        Files { open: run.flags.reports.iter().map(|file| file.path.clone()).collect(), written, have_failed: false }
    }

    fn wait(&mut self, time: Duration) {
        let until = Deadline::within(time);
        while let Ok((path, result)) = until.receive(&self.written) {
            self.open.remove(&path);
            if let Err(error) = result {
                log::error!("the report cannot be written to `{}`: {}", path.display(), text::io_error(&error));
                self.have_failed = true;
            }
        }
    }

    /// The status of the run with what became of the files.
    fn exit(&self, exit: Exit) -> Exit {
        if self.have_failed { unwritten(exit) } else { exit }
    }
}
