//! The edge of the process: arguments in, exit code out.

use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use balance_alert::{Cli, Exit, Process, flush, last_words, nagios, on_trial, run, with_tip};
use clap::Parser;
use clap::error::ErrorKind;

/// Longest time for writing the last log lines when the time of the process is over.
const LAST_WORD: Duration = Duration::from_millis(100);

/// The stack of a thread that stands in for the first one, in bytes.
const STACK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let process = Process::begin();
    let exit = on_ample_stack(|| act(&process));
    flush(process.watchdog.last_word().max(Instant::now() + LAST_WORD));
    process.end();
    exit.into()
}

/// Works on a thread with a stack of its own where that of this thread is small, or here if the system gives no thread.
fn on_ample_stack(work: impl Fn() -> Exit + Sync) -> Exit {
    if !Process::has_small_stack() {
        return work();
    }
    let worker = thread::Builder::new().name("run".to_owned()).stack_size(STACK);
    thread::scope(|scope| match worker.spawn_scoped(scope, &work) {
        Ok(worker) => worker.join().unwrap_or(Exit::Internal),
        Err(_) => work(),
    })
}

fn act(process: &Process) -> Exit {
    // The place of a panic is logged; its message is not, because it may hold a secret.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        log::error!("panicked at {place}");
    }));
    if let Some(exit) = on_trial(process) {
        return exit;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            process.watchdog.expect("the writing of the help", Exit::Unwritten);
            let kind = error.kind();
            let _ = with_tip(error).print();
            return match kind {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
                _ if wants_nagios() => nagios(Exit::Usage, process),
                _ => Exit::Usage,
            };
        }
    };
    let fail = |why: &str| {
        last_words(why);
        if wants_nagios() { nagios(Exit::Internal, process) } else { Exit::Internal }
    };
    if let Some(why) = process.shortage() {
        return fail(&why);
    }
    panic::catch_unwind(|| run(cli, process))
        .unwrap_or_else(|_| fail("internal error: the run failed by a defect of this program; please report it"))
}

/// Whether the arguments ask for Nagios output, also where they cannot be parsed.
fn wants_nagios() -> bool {
    let arguments = balance_alert::arguments();
    arguments.iter().any(|argument| matches!(argument.as_str(), "--output=nagios" | "-onagios"))
        || arguments.windows(2).any(|pair| matches!(pair[0].as_str(), "--output" | "-o") && pair[1] == "nagios")
}
