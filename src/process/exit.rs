//! The table of exit codes. `--help`, `docs/exit-codes.md` and the tests take it from [`Exit::ALL`].

use std::process::ExitCode;

/// Declares the statuses: the name, the number, and the meaning, as `--help` and `docs/exit-codes.md` print it.
macro_rules! exits {
    ($(#[doc = $about:literal] $name:ident = $code:literal, $meaning:literal;)+) => {
        /// Every status this process can end with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $about] $name = $code,)+
        }

        impl Exit {
            /// All codes in ascending order.
            pub const ALL: [Exit; [$($code),+].len()] = [$(Exit::$name),+];

            /// The meaning, as `--help` and `docs/exit-codes.md` print it.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Exit::$name => $meaning,)+
                }
            }
        }
    };
}

exits! {
    /// Everything read, nothing to report, everything delivered.
    Ok = 0, "everything read, nothing to report, everything delivered";
    /// Something needs attention soon.
    Warning = 1, "warning: something needs attention soon (a balance below its warning threshold, a subscription due, a billing mail)";
    /// A balance is below its threshold.
    Critical = 2, "critical: a balance is below its threshold";
    /// At least one check could not be read.
    Unknown = 3, "unknown: at least one check could not be read";
    /// The command line is wrong.
    Usage = 64, "usage error";
    /// A panic in the run itself, caught, or a run that has not ended in its time.
    Internal = 70, "internal error (a caught panic in the run itself, or a run that did not end in its time)";
    /// Nothing else is wrong, but a report could not be written.
    Unwritten = 74, "a report could not be written (to standard output, or where --report says)";
    /// An alert is owed to a channel.
    Undelivered = 75, "an alert is still owed to a channel: not delivered, or not known to be (or, with --strict-metrics, the metrics)";
    /// The config is missing, invalid or empty.
    Config = 78, "the config is missing, invalid, or has nothing to do";
    /// Ended by SIGHUP.
    HungUp = 129, "hung up (SIGHUP)";
    /// Ended by SIGINT.
    Interrupted = 130, "interrupted (SIGINT)";
    /// Ended by SIGALRM.
    Alarm = 142, "an alarm set by the parent went off (SIGALRM)";
    /// Ended by SIGTERM.
    Terminated = 143, "terminated (SIGTERM)";
    /// Ended by SIGXCPU.
    CpuTime = 152, "the limit of CPU time is reached (SIGXCPU)";
}

/// Which findings make the process fail (`--fail-on`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FailOn {
    /// Every finding and every failure (the default)
    #[default]
    Any,
    /// Ignore warnings: 1 becomes 0
    Critical,
    /// Only failures of the run itself: 1 and 2 become 0 (for CronJobs, where the alert is the result)
    Error,
    /// Nothing that a run finds: 1, 2, 3 and 75 become 0
    Never,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The table of all codes, one line each, for `--help`.
    pub(crate) fn table() -> String {
        Exit::ALL.iter().map(|exit| format!("  {:>3}  {}\n", exit.code(), exit.meaning())).collect()
    }

    /// The same status for a Nagios-like scheduler, which knows 0 to 3 only.
    pub(crate) fn for_nagios(self) -> Exit {
        if self.code() >= Exit::Usage.code() { Exit::Unknown } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
