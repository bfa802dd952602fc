//! The commands that tell the secrets of a config: asked once a run each, at the same time, before anything else is done.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::text;
use crate::process::command::{self, End, Printed, Program, Variables};
use crate::process::interrupt::Deadline;
use crate::yaml::secret_commands::{Answers, Words};

/// Most commands at the same time.
const MOST_AT_ONCE: usize = 8;
/// The most that a command may print, in bytes.
const LONGEST: usize = 64 * 1024;

/// Asks commands, each for so long at the most and all of them until the deadline.
pub(super) fn ask(commands: BTreeSet<Words>, variables: &Arc<Variables>, each: Duration, until: &Deadline) -> Answers {
    let workers = commands.len().min(MOST_AT_ONCE);
    let (queue, answers) = (Mutex::new(commands), Mutex::new(Answers::new()));
    let work = || {
        // No guard may live while a command runs.
        while let Some(words) = { queue.lock().unwrap_or_else(PoisonError::into_inner).pop_first() } {
            let program = Program { words: words.clone(), variables: Arc::clone(variables) };
            let answer = told(&program, &until.or_at(Instant::now() + each));
            answers.lock().unwrap_or_else(PoisonError::into_inner).insert(words, answer.map(Into::into));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            // Where the system gives no thread there are fewer at the same time.
            let _ = std::thread::Builder::new().name("secret-command".to_owned()).spawn_scoped(scope, work);
        }
        work();
    });
    answers.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// What one command tells, without the blanks around it.
fn told(program: &Program, until: &Deadline) -> Result<String, String> {
    let printed = command::ask(program, LONGEST, until)
        .map_err(|error| format!("the command cannot be started: {}", text::io_error(&error)))?;
    let printed = match printed {
        Printed::All(End::Exit(0), printed) => printed,
        Printed::All(End::Exit(code), _) => return Err(format!("the command failed (exit code {code})")),
        Printed::All(End::Signal(signal), _) => return Err(format!("the command was ended by signal {signal}")),
        Printed::All(End::Late, _) if until.is_interrupted() => {
            return Err("the command was killed, because the run ends".to_owned());
        }
        Printed::All(End::Late, _) => return Err("the command had not ended in its time, and was killed".to_owned()),
        Printed::TooMuch => {
            return Err(format!("the command printed more than {} KiB, and was killed", LONGEST / 1024));
        }
    };
    let printed = text::decode(printed).map_err(|why| format!("what the command printed is {why}"))?;
    match printed.trim() {
        "" => Err("the command printed nothing".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}
