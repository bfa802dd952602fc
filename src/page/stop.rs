//! Why an evaluation ends before it has come to its end, and how it is ended.

use std::fmt;
use std::panic::resume_unwind;
use std::time::Duration;

use crate::model::text;

/// A limit for what the steps do not show, such as a slow pattern. On a busy machine it must not come first.
pub(super) const LONGEST: Duration = Duration::from_secs(10);

/// Why an evaluation was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It took too many steps.
    Steps,
    /// It took longer than this, in whatever number of steps.
    Time(Duration),
    /// It took more than its share of the CPU time that the process may take.
    Cpu,
    /// It takes more than so many bytes of memory.
    Memory(usize),
    /// It waited for memory that other evaluations held until its time was over.
    Crowded,
    /// Its calls nest too deeply.
    Stack,
    /// It makes a text that is too long.
    Text,
    /// It makes a value that is nested too deeply.
    Depth,
    /// It orders texts that are numbers. The interpreter compares with no way to fail.
    Order,
    /// It compares numbers that have more digits than are kept.
    Digits,
    /// It orders a null of the answer among numbers or texts: among what, and where the null stands.
    Unknown(&'static str, String),
    /// It orders a text of the answer among numbers.
    Kinds,
    /// It orders among numbers what is none and no text: what that is.
    Other(&'static str),
    /// A panic of the interpreter, caught.
    Defect,
}

impl Stop {
    /// Whether something was used up, so that another try would take as long.
    pub(crate) fn is_bound(&self) -> bool {
        !matches!(self, Stop::Order | Stop::Digits | Stop::Unknown(..) | Stop::Kinds | Stop::Other(_))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Stop::Time(most) => {
                let share = if *most < LONGEST { ", all that it has of the run's time" } else { "" };
                let most = text::seconds(*most);
                return write!(f, "the expression was stopped because it takes longer than {most} seconds{share}");
            }
            Stop::Memory(most) => {
                let most = mebibytes(*most);
                return write!(f, "the expression was stopped because it takes more than {most} of memory");
            }
            Stop::Crowded => "the expression was not evaluated because others took the memory that it needs for all of its time",
            Stop::Cpu => {
                "the expression was stopped because it takes more than its share of the CPU time that this process may take \
                 (`ulimit -t`)"
            }
            Stop::Steps => "the expression was stopped because it takes too many steps",
            Stop::Stack => "the expression was stopped because its calls nest too deeply",
            Stop::Text => "the expression was stopped because it makes a text that is too long",
            Stop::Depth => "the expression was stopped because it makes a value that is nested too deeply",
            Stop::Order => {
                "a text that is a number would be ordered as text, in which \"9\" comes after \"10\"; `tonumber` makes a \
                 number of it"
            }
            Stop::Digits => "numbers that have more than 28 digits cannot be ordered",
            Stop::Unknown(among, missing) => return write!(f, "null cannot be ordered among {among}: {missing}"),
            Stop::Other(what) => return write!(f, "{what} cannot be ordered among numbers"),
            Stop::Kinds => "a text of the answer cannot be ordered among numbers; `tonumber` makes a number of one",
            Stop::Defect => "the expression cannot be evaluated, by a defect of this program",
        })
    }
}

/// So many bytes, for messages.
pub(super) fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}

/// Ends the evaluation.
pub(super) fn stop(why: Stop) -> ! {
    resume_unwind(Box::new(why))
}
