//! A command of the user's own as a child process: it gets its input, its time, and only the variables that a program needs to run.

use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::interrupt::Deadline;
use super::{background, environment};

/// The variables of this process that a command gets. The others may be secrets, which are not meant for it.
const PASSED: [&str; 11] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Between two looks at the child.
const PAUSE: Duration = Duration::from_millis(5);

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

/// Runs a command without a shell, and gives it a text on its standard input. What it prints is dropped.
///
/// # Errors
/// Why it could not be started.
pub(crate) fn run(command: &[String], input: &str, until: &Deadline) -> io::Result<End> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // A group of its own can be killed as a whole, and what is typed at a terminal does not reach it.
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment::passed_on(&PASSED))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // A command may read nothing, or end before it has read everything.
    let (pipe, text) = (child.stdin.take(), input.to_owned());
    let write = move || {
        let _ = pipe.map(|mut pipe| pipe.write_all(text.as_bytes()));
    };
    if background::start("command-input", write).is_err() {
        kill(&mut child);
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(end(status)),
            Ok(None) if !until.left().is_zero() => std::thread::sleep(PAUSE.min(until.left())),
            _ => {
                kill(&mut child);
                return Ok(End::Late);
            }
        }
    }
}

/// Kills a child that has not been waited for, with its process group.
fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
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

    fn shell(script: &str, input: &str, time: Duration) -> End {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, input, &Deadline::within(time)).unwrap()
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
        let missing = ["/no/such/program".to_owned()];
        assert!(run(&missing, "", &Deadline::within(Duration::from_secs(1))).is_err());
        assert!(run(&[], "", &Deadline::within(Duration::from_secs(1))).is_err());
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
