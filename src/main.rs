//! The edge of the process: arguments in, exit code out.

use std::panic;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use balance_alert::{Cli, Exit, Process, close, flush, last_words, note_usage, on_trial, run, with_tip};
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
            let error = with_tip(error);
            let is_asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            let _ = error.print();
            if is_asked {
                return Exit::Ok;
            }
            note_usage(&error.to_string());
            return close(Exit::Usage, process);
        }
    };
    let exit = match process.shortage() {
        Some(why) => {
            last_words(&why);
            Exit::Internal
        }
        None => panic::catch_unwind(|| run(cli, process)).unwrap_or_else(|_| {
            last_words("internal error: the run failed by a defect of this program; please report it");
            Exit::Internal
        }),
    };
    close(exit, process)
}
