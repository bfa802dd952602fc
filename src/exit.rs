//! The exit-code table, once, and the fold from a report to a code.
//!
//! `--help`, the README's table and the tests are views of [`Exit::ALL`].

use std::process::ExitCode;

use crate::report::Report;

/// Every status this process can end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything read, nothing to report, everything delivered.
    Ok = 0,
    /// Something needs attention soon.
    Warning = 1,
    /// A balance is below its threshold.
    Critical = 2,
    /// At least one check could not be read.
    Unknown = 3,
    /// The command line is wrong.
    Usage = 64,
    /// A panic in the run itself, caught.
    Internal = 70,
    /// An alert reached none of its channels.
    Undelivered = 75,
    /// The config is missing, invalid or empty.
    Config = 78,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGTERM.
    Terminated = 143,
}

/// Which findings make the process fail (`--fail-on`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Every finding and every failure (the default)
    #[default]
    Any,
    /// Not warnings: 1 becomes 0
    Critical,
    /// Only failing to do the job: 1 and 2 become 0 (for CronJobs, where the alert is the result)
    Error,
    /// Nothing that a run finds: 1, 2, 3 and 75 become 0
    Never,
}

impl Exit {
    /// All codes in ascending order.
    pub const ALL: [Exit; 10] = [
        Exit::Ok,
        Exit::Warning,
        Exit::Critical,
        Exit::Unknown,
        Exit::Usage,
        Exit::Internal,
        Exit::Undelivered,
        Exit::Config,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// The number the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The meaning, as `--help` and the README print it.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "everything read, nothing to report, everything delivered",
            Exit::Warning => {
                "warning: something needs attention soon (a balance below its warning threshold, a subscription due, a billing mail)"
            }
            Exit::Critical => "critical: a balance is below its threshold",
            Exit::Unknown => "unknown: at least one check could not be read",
            Exit::Usage => "usage error",
            Exit::Internal => "internal error (a caught panic in the run itself)",
            Exit::Undelivered => {
                "an alert could not be delivered to any of its channels (or, with --strict-metrics, the metrics)"
            }
            Exit::Config => "the config is missing, invalid, or has nothing to do",
            Exit::Interrupted => "interrupted",
            Exit::Terminated => "terminated",
        }
    }

    /// The table of all codes, one line each, for `--help`.
    pub fn table() -> String {
        Exit::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
    }

    /// What a finished run ends with: undelivered outweighs critical, critical unknown, unknown warning.
    /// A signal outweighs all of them: who sent it must see that it was heard.
    pub fn of(report: &Report, fail_on: FailOn) -> Exit {
        if let Some(exit) = report.interrupted {
            return exit;
        }
        let worst = if report.has_undelivered() || report.has_missing_metrics() {
            Exit::Undelivered
        } else if report.has_low() {
            Exit::Critical
        } else if report.has_failed() {
            Exit::Unknown
        } else if report.has_warning() {
            Exit::Warning
        } else {
            Exit::Ok
        };
        // A finding that is forgiven must not hide the failure behind it.
        match (fail_on, worst) {
            (FailOn::Never, _) => Exit::Ok,
            (FailOn::Critical | FailOn::Error, Exit::Warning) => Exit::Ok,
            (FailOn::Error, Exit::Critical) if report.has_failed() => Exit::Unknown,
            (FailOn::Error, Exit::Critical) => Exit::Ok,
            (_, exit) => exit,
        }
    }

    /// The same status for a Nagios-like scheduler, which knows 0 to 3 only.
    pub fn for_nagios(self) -> Exit {
        if self.code() >= Exit::Usage.code() { Exit::Unknown } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
