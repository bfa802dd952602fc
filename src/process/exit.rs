//! The table of exit codes. `--help`, `docs/exit-codes.md` and the tests take it from [`Exit::ALL`].

use std::process::ExitCode;

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
    /// A panic in the run itself, caught, or a run that has not ended in its time.
    Internal = 70,
    /// Nothing else is wrong, but a report could not be written.
    Unwritten = 74,
    /// An alert is owed to a channel.
    Undelivered = 75,
    /// The config is missing, invalid or empty.
    Config = 78,
    /// Ended by SIGHUP.
    HungUp = 129,
    /// Ended by SIGINT.
    Interrupted = 130,
    /// Ended by SIGALRM.
    Alarm = 142,
    /// Ended by SIGTERM.
    Terminated = 143,
    /// Ended by SIGXCPU.
    CpuTime = 152,
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
    pub const ALL: [Exit; 14] = [
        Exit::Ok,
        Exit::Warning,
        Exit::Critical,
        Exit::Unknown,
        Exit::Usage,
        Exit::Internal,
        Exit::Unwritten,
        Exit::Undelivered,
        Exit::Config,
        Exit::HungUp,
        Exit::Interrupted,
        Exit::Alarm,
        Exit::Terminated,
        Exit::CpuTime,
    ];

    /// The number the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The meaning, as `--help` and `docs/exit-codes.md` print it.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Ok => "everything read, nothing to report, everything delivered",
            Exit::Warning => {
                "warning: something needs attention soon (a balance below its warning threshold, a subscription due, a billing mail)"
            }
            Exit::Critical => "critical: a balance is below its threshold",
            Exit::Unknown => "unknown: at least one check could not be read",
            Exit::Usage => "usage error",
            Exit::Internal => {
                "internal error (a caught panic in the run itself, or a run that did not end in its time)"
            }
            Exit::Unwritten => "a report could not be written (to standard output, or where --report says)",
            Exit::Undelivered => {
                "an alert is still owed to a channel: not delivered, or not known to be (or, with --strict-metrics, the metrics)"
            }
            Exit::Config => "the config is missing, invalid, or has nothing to do",
            Exit::HungUp => "hung up (SIGHUP)",
            Exit::Interrupted => "interrupted (SIGINT)",
            Exit::Alarm => "an alarm that was set before the start (SIGALRM)",
            Exit::Terminated => "terminated (SIGTERM)",
            Exit::CpuTime => "the limit of CPU time is reached (SIGXCPU)",
        }
    }

    /// The table of all codes, one line each, for `--help`.
    pub fn table() -> String {
        Exit::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
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
