//! This process among others: its limits, its files, its streams, its clock, and the time that all of it may take.
//!
//! What is here never fails a run. Where the system refuses a thread, a descriptor or an answer, the run goes on with less.

pub(crate) mod address_space;
mod authorities;
pub(crate) mod background;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod dotenv;
pub(crate) mod environment;
pub(crate) mod exit;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod interrupt;
pub(crate) mod limits;
pub(crate) mod logging;
pub(crate) mod network_settings;
pub(crate) mod output;
pub(crate) mod person;
pub(crate) mod quote_input;
pub(crate) mod redact;
pub(crate) mod time_zone;
pub(crate) mod watchdog;

use self::clock::Clock;
use self::limits::Reserve;
use self::watchdog::Watchdog;

/// The commit that this program is made of, as whoever builds it says in `BALANCE_ALERT_REVISION`.
pub(crate) const REVISION: &str = match option_env!("BALANCE_ALERT_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// What a process has from its first moment to its last.
pub struct Process {
    /// Ends the process when its time is over.
    pub watchdog: Watchdog,
    /// The clock that everything asks which this process does.
    pub(crate) clock: Clock,
    /// Descriptors that are kept free for telling.
    pub(crate) reserve: Reserve,
}

impl Process {
    /// Prepares this process. It is the first thing that a program does.
    pub fn begin() -> Process {
        limits::share_one_heap();
        authorities::leave_the_bundle_alone();
        let watchdog = Watchdog::start();
        let reserve = limits::prepare();
        interrupt::outlive_strays();
        Process { watchdog, clock: Clock::SYSTEM, reserve }
    }

    /// Why there is too little memory for what every command begins with, if that is so. Whoever begins all the same is killed in the
    /// middle of it, without a word.
    pub fn shortage(&self) -> Option<String> {
        address_space::shortage(address_space::SPACE_TO_BEGIN)
    }

    /// Ends what this process has begun and nobody else would end. It is the last thing that a program does.
    pub fn end(&self) {
        command::kill_all();
    }

    /// Whether the stack of the first thread is too small for the work of this program (`ulimit -s`).
    pub fn has_small_stack() -> bool {
        limits::has_small_stack()
    }
}
