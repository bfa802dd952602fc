//! Reading an account from what a command of the user's own prints, instead of asking a service.

use super::page::{Page, Wanted};
use super::{Account, LARGEST_ANSWER};
use crate::check::Reading;
use crate::model::failure::{Failure, Reason};
use crate::model::text;
use crate::process;
use crate::process::command::{self, End, Printed, Program, TRY_AGAIN};
use crate::process::interrupt::Deadline;

/// The provider whose accounts are read from a command.
pub(super) const PROVIDER: &str = "exec";
/// What its page names as the file that is read.
const SOURCE: &str = "the output of a command";

/// What a failure advises, since what a command says of its own is not shown.
const BY_HAND: &str =
    "run the command by hand to see what it says: what it prints is not shown, because it may be private";

/// Whether a page is the one of accounts that are read from a command, and not one of the user's own with its id.
pub(super) fn is_of_command(page: &Page) -> bool {
    page.id == PROVIDER && page.file() == Some(SOURCE)
}

impl Account {
    /// Runs the command once, and reads what it prints.
    pub(super) fn read_from_command(
        &self,
        command: &Program,
        wanted: &Wanted,
        until: &Deadline,
    ) -> Result<Reading, Failure> {
        self.only_answer(&printed(command, until)?, wanted)
    }
}

fn printed(command: &Program, until: &Deadline) -> Result<Vec<u8>, Failure> {
    let failure = |reason, message: String| Failure::new(reason, message).with_hint(BY_HAND);
    let printed = command::ask(command, LARGEST_ANSWER, until).map_err(|error| match &error {
        error if process::limits::is_short_of_files(error) => process::limits::out_of_files(),
        error => Failure::new(Reason::Config, format!("the command cannot be started: {}", text::io_error(error))),
    })?;
    match printed {
        Printed::All(End::Exit(0), printed) if printed.trim_ascii().is_empty() => {
            Err(failure(Reason::Decode, "the command printed nothing".to_owned()))
        }
        Printed::All(End::Exit(0), printed) => Ok(printed),
        Printed::All(End::Exit(TRY_AGAIN), _) => {
            Err(Failure::transient(Reason::Api, format!("the command asks for a repeat (exit code {TRY_AGAIN})")))
        }
        Printed::All(End::Exit(code), _) => Err(failure(Reason::Api, format!("the command failed (exit code {code})"))),
        Printed::All(End::Signal(signal), _) => {
            Err(failure(Reason::Api, format!("the command was ended by signal {signal}")))
        }
        Printed::All(End::Late, _) if until.is_interrupted() => {
            Err(Failure::lasting(Reason::Cancelled, "the command was killed, because the run ends"))
        }
        Printed::All(End::Late, _) => {
            Err(Failure::lasting(Reason::Timeout, "the command had not ended in its time, and was killed"))
        }
        Printed::TooMuch => {
            let most = LARGEST_ANSWER / 1024;
            Err(failure(Reason::Protocol, format!("the command printed more than {most} KiB, and was killed")))
        }
    }
}
