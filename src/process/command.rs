//! A command of the user's own as a child process: it gets its input, its time, and only the variables that a program needs to run.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};

use super::interrupt::Deadline;
use super::{background, environment};

/// The variables of this process that a command gets. The others may be secrets, which are not meant for it.
const PASSED: [&str; 11] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The exit code that asks for a repeat (`EX_TEMPFAIL`).
pub(crate) const TRY_AGAIN: i32 = 75;

/// Between two looks at the child.
const PAUSE: Duration = Duration::from_millis(5);

/// Variables that commands get beside those that every program needs.
pub(crate) type Variables = BTreeMap<String, SecretString>;

/// What is started: a program with its arguments, and the variables that it gets.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The program and its arguments, which no shell reads.
    pub words: Vec<String>,
    /// The variables that the config lets commands see.
    pub variables: Arc<Variables>,
}

/// The process groups of the commands that run; none once this process ends, when no more may begin.
static RUNNING: Mutex<Option<Vec<Pid>>> = Mutex::new(Some(Vec::new()));

fn running() -> MutexGuard<'static, Option<Vec<Pid>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all commands that still run, with their children: this process ends, and nobody else would end them.
pub(super) fn kill_all() {
    for group in running().take().into_iter().flatten() {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed, with the children that it has in its process group, because its time was over.
    Late,
}

/// What came of a command that is asked for something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Printed {
    /// It ended in this way, and printed this before.
    All(End, Vec<u8>),
    /// It was killed, because it printed more than it may.
    TooMuch,
}

/// Runs a command without a shell, and gives it a text on its standard input. What it prints is dropped.
///
/// # Errors
/// Why it could not be started.
pub(crate) fn run(command: &Program, input: &str, until: &Deadline) -> io::Result<End> {
    let mut child = start(command, Stdio::piped(), Stdio::null())?;
    // A command may read nothing, or end before it has read everything.
    let (pipe, text) = (child.stdin.take(), input.to_owned());
    let write = move || {
        let _ = pipe.map(|mut pipe| pipe.write_all(text.as_bytes()));
    };
    if background::start("command-input", write).is_err() {
        kill(&mut child);
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    Ok(wait(&mut child, until))
}

/// Runs a command without a shell and without an input, and takes what it prints on its standard output: `most` bytes at the
/// most. It has ended when nothing holds its output any more, so a child that it leaves behind and that still may print is
/// waited for as well.
///
/// # Errors
/// Why it could not be started.
pub(crate) fn ask(command: &Program, most: usize, until: &Deadline) -> io::Result<Printed> {
    let mut child = start(command, Stdio::null(), Stdio::piped())?;
    let Some(printed) = child.stdout.take().and_then(|pipe| read(pipe, most)) else {
        kill(&mut child);
        return Err(io::ErrorKind::OutOfMemory.into());
    };
    let printed = match until.receive(&printed) {
        Ok(printed) if printed.len() <= most => printed,
        Ok(_) => {
            kill(&mut child);
            return Ok(Printed::TooMuch);
        }
        Err(RecvTimeoutError::Timeout) => {
            kill(&mut child);
            return Ok(Printed::All(End::Late, Vec::new()));
        }
        // Its output broke off; how it ends says the rest.
        Err(RecvTimeoutError::Disconnected) => Vec::new(),
    };
    Ok(Printed::All(wait(&mut child, until), printed))
}

/// Reads a pipe to its end on a thread of its own, or until it has brought more than `most` bytes; none without a thread.
fn read(pipe: impl Read + Send + 'static, most: usize) -> Option<Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    let more = most.saturating_add(1) as u64;
    let read = move || {
        let mut printed = Vec::new();
        if pipe.take(more).read_to_end(&mut printed).is_ok() {
            // Nobody listens any more after the time.
            let _ = sender.send(printed);
        }
    };
    background::start("command-output", read).is_ok().then_some(receiver)
}

/// Starts a command in a group of its own, which can be killed as a whole, and which what is typed at a terminal does not reach.
/// What it writes to its standard error is dropped: it may hold anything.
fn start(command: &Program, input: Stdio, output: Stdio) -> io::Result<Child> {
    let Some((program, arguments)) = command.words.split_first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut child = Command::new(program);
    child.args(arguments).env_clear().envs(environment::passed_on(&PASSED)).process_group(0);
    child.envs(command.variables.iter().map(|(name, value)| (name, value.expose_secret())));
    let mut child = child.stdin(input).stdout(output).stderr(Stdio::null()).spawn()?;
    let is_listed = match running().as_mut() {
        Some(groups) => {
            groups.extend(group(&child));
            true
        }
        None => false,
    };
    if !is_listed {
        kill(&mut child);
        return Err(io::ErrorKind::Interrupted.into());
    }
    Ok(child)
}

/// The process group of a child, which has its number.
fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Whether a child has ended by itself, and how. Its number may be another process's from then on, so nobody kills it meanwhile.
fn ended(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let mut running = running();
    let status = child.try_wait()?;
    if let (Some(_), Some(groups)) = (status, running.as_mut()) {
        groups.retain(|known| Some(*known) != group(child));
    }
    Ok(status)
}

/// Waits until a child ends, and kills it when the time is over.
fn wait(child: &mut Child, until: &Deadline) -> End {
    loop {
        match ended(child) {
            Ok(Some(status)) => return end(status),
            Ok(None) if !until.left().is_zero() => std::thread::sleep(PAUSE.min(until.left())),
            _ => {
                kill(child);
                return End::Late;
            }
        }
    }
}

/// Kills a child that has not been waited for, with its process group.
fn kill(child: &mut Child) {
    let group = group(child);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    if let Some(groups) = running().as_mut() {
        groups.retain(|known| Some(*known) != group);
    }
    let _ = child.wait();
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn program(words: &[&str]) -> Program {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Program { words, variables: Arc::new(Variables::from([("MORE".to_owned(), "of it".to_owned().into())])) }
    }

    fn shell(script: &str, input: &str, time: Duration) -> End {
        run(&program(&["sh", "-c", script]), input, &Deadline::within(time)).unwrap()
    }

    #[test]
    fn the_end_of_a_command_is_told_whatever_it_does_with_its_input() {
        let long = "x".repeat(1_000_000);
        for (script, want) in [
            ("exit 0", End::Exit(0)),
            ("exit 75", End::Exit(75)),
            ("kill -9 $$", End::Signal(9)),
            (r#"test "$(wc -c)" -eq 1000000"#, End::Exit(0)),
            ("head -c 10 >/dev/null; echo much >&2; exit 3", End::Exit(3)),
        ] {
            assert_eq!(shell(script, &long, Duration::from_secs(20)), want, "{script}");
        }
        assert!(run(&program(&["/no/such/program"]), "", &Deadline::within(Duration::from_secs(1))).is_err());
        assert!(run(&program(&[]), "", &Deadline::within(Duration::from_secs(1))).is_err());
    }

    fn asked(script: &str, time: Duration) -> Printed {
        ask(&program(&["sh", "-c", script]), 10, &Deadline::within(time)).unwrap()
    }

    #[test]
    fn what_a_command_prints_is_taken_as_far_as_it_is_allowed() {
        for (script, want) in [
            ("printf 0123456789", Printed::All(End::Exit(0), b"0123456789".to_vec())),
            ("printf 0123456789a", Printed::TooMuch),
            ("yes", Printed::TooMuch),
            ("printf some; exit 3", Printed::All(End::Exit(3), b"some".to_vec())),
            ("printf \"$MORE\"", Printed::All(End::Exit(0), b"of it".to_vec())),
            ("echo no >&2", Printed::All(End::Exit(0), Vec::new())),
            ("exec >&-; exit 4", Printed::All(End::Exit(4), Vec::new())),
            ("cat", Printed::All(End::Exit(0), Vec::new())),
            ("(printf later) & printf now,", Printed::All(End::Exit(0), b"now,later".to_vec())),
        ] {
            let printed = asked(script, Duration::from_secs(20));
            let is_either = script.contains('&') && printed == Printed::All(End::Exit(0), b"laternow,".to_vec());
            assert!(printed == want || is_either, "{script}: {printed:?}");
        }
        assert!(ask(&program(&["/no/such/program"]), 10, &Deadline::within(Duration::from_secs(1))).is_err());
    }

    #[test]
    fn a_command_that_prints_without_an_end_in_sight_is_killed_with_its_children() {
        for script in ["sleep 60", "sleep 60 & exit 0", "exec >&-; sleep 60"] {
            let begin = Instant::now();
            let printed = asked(script, Duration::from_millis(300));
            assert_eq!(printed, Printed::All(End::Late, Vec::new()), "{script}");
            assert!(begin.elapsed() < Duration::from_secs(20), "{script}: nobody waits for it");
        }
    }

    #[test]
    fn a_command_whose_time_is_over_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let begin = Instant::now();
        let script = format!("(sleep 2; echo late > '{}') & sleep 60", mark.display());
        assert_eq!(shell(&script, "", Duration::from_millis(300)), End::Late);
        assert!(begin.elapsed() < Duration::from_secs(20), "nobody waits for it");
        std::thread::sleep(Duration::from_secs(3));
        assert!(!mark.exists(), "the child of the command lives on");
    }
}
