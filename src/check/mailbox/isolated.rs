//! A mail on trial: it is read in a process of its own first, because an earlier run died while it read this one or others near it.

use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::judge::Judge;
use super::mail::MOST_OF_MAIL;
use super::{finding, mail};
use crate::model::failure::{Failure, Reason};
use crate::process::exit::Exit;
use crate::process::{Process, background, fault};
use crate::wire::http::timed_out;

/// The argument that the other process is started with.
pub(crate) const COMMAND: &str = "try-mail";
/// The longest time that a mail on trial may take: thousands of times what any mail needs.
const LONGEST: Duration = Duration::from_secs(5);
/// Between two looks at the other process.
const PAUSE: Duration = Duration::from_millis(2);
/// What the other process says before it reads the mail, and afterwards.
const BEGUN: u8 = b'b';
const DONE: u8 = b'd';
/// Signals that nobody dies of who reads a mail.
const OTHERS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It can be read.
    Harmless,
    /// The process died, or did not end.
    Harmful,
    /// There was no trial: no process could be started.
    None,
}

/// Has another process read a mail.
///
/// # Errors
/// There is no time for it.
pub(super) fn hold(raw: &[u8], deadline: Instant) -> Result<Verdict, Failure> {
    let begin = Instant::now();
    let Ok(mut child) = start() else {
        return Ok(Verdict::None);
    };
    // It may die before it has taken everything, or hang.
    let (input, bytes) = (child.stdin.take(), raw.to_vec());
    let writer = background::start("trial", move || {
        let _ = input.map(|mut input| input.write_all(&bytes));
    });
    let until = if writer.is_ok() { deadline.min(begin + LONGEST) } else { begin };
    let end = loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < until => thread::sleep(PAUSE),
            Ok(end) => break end,
            Err(_) => break None,
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    let mut said = Vec::new();
    let _ = child.stdout.take().map(|output| output.take(16).read_to_end(&mut said));
    let is_ended_by_others = end.and_then(|end| end.signal()).is_some_and(|signal| OTHERS.contains(&signal));
    match said[..] {
        _ if writer.is_err() => Ok(Verdict::None),
        [BEGUN, DONE] => Ok(Verdict::Harmless),
        _ if is_ended_by_others => Err(Failure::new(Reason::Cancelled, "a signal ended the trial of a mail")),
        _ if end.is_none() && begin.elapsed() < LONGEST => Err(timed_out(begin.elapsed())),
        _ if end.is_none() || said == [BEGUN] => Ok(Verdict::Harmful),
        _ => Ok(Verdict::None),
    }
}

fn start() -> io::Result<Child> {
    if fault::is_at("no-trial") {
        return Err(io::ErrorKind::Unsupported.into());
    }
    // A group of its own: what is typed at a terminal is not meant for it.
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(COMMAND).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// The other process: reads a mail from its standard input, as a run would.
pub(crate) fn stand(process: &Process) -> Exit {
    // Should the run that waits for this be gone, nobody else ends it.
    process.watchdog.allow(LONGEST * 2);
    let mut raw = Vec::new();
    let is_read = io::stdin().lock().take(MOST_OF_MAIL).read_to_end(&mut raw).is_ok();
    let say = |word: u8| io::stdout().lock().write_all(&[word]).and_then(|()| io::stdout().lock().flush()).is_ok();
    if !is_read || !say(BEGUN) {
        return Exit::Internal;
    }
    let mail = mail::read(&raw);
    let judgement = Judge::default().judge(&mail);
    drop((judgement, finding::told_amount(&mail), finding::service(&mail.subject)));
    if say(DONE) { Exit::Ok } else { Exit::Internal }
}
