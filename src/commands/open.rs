//! The beginning and the end of every command: find and read the config, set up logging and colours, print text.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::cli::{Color, ConfigArg, StoreArgs, Talk};
use crate::config::{self, Asked, Config, Loaded, Needs, Problem, Source};
use crate::model::text;
use crate::process::clock::Clock;
use crate::process::environment::{Environment, Probe};
use crate::process::exit::Exit;
use crate::process::interrupt::Interrupt;
use crate::process::logging::{self, Complaint, Format};
use crate::process::{Process, output, redact};

fn set_colour(color: Color, environment: &Environment) {
    let choice = match color {
        // The library reads the real environment only; a `NO_COLOR` in `.env` is handled here.
        Color::Auto if environment.overlay("NO_COLOR").is_some() => anstream::ColorChoice::Never,
        // The library decides for each stream: whether it is a terminal, `CLICOLOR_FORCE`, `TERM`.
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// A config, with the source and the variables that it was read from.
pub(super) struct Opened {
    pub(super) format: Format,
    pub(super) source: Source,
    pub(super) environment: Environment,
    pub(super) loaded: Loaded,
    /// What notices signals, where that has begun.
    pub(super) interrupt: Option<Interrupt>,
}

/// Finds where the config is, reads the variables, and starts logging and colours.
pub(super) fn begin(config: &ConfigArg, talk: &Talk) -> (Format, Environment, Result<Source, Box<Problem>>) {
    let (environment, probe) = (Environment::of_process(), Probe::begin());
    let source = Source::find(config.config.as_deref(), &environment);
    let environment = match &source {
        Ok(source) => environment.with_dotenv(&source.folder()),
        Err(_) => environment,
    };
    // Before anything is read or said that could not be read or said once more.
    probe.hide_what_never_ends();
    set_colour(talk.color, &environment);
    (logging::init(&environment, talk.verbose), environment, source)
}

/// Starts logging and colours for a command that has no config, with the variables of the process.
pub(super) fn speak(talk: &Talk) -> (Format, Environment) {
    let environment = Environment::of_process();
    Probe::begin().hide_what_never_ends();
    set_colour(talk.color, &environment);
    (logging::init(&environment, talk.verbose), environment)
}

/// Reads the config and starts logging; problems that stop everything are printed. So does a signal that comes while commands are
/// asked that tell secrets.
pub(super) fn open(config: &ConfigArg, talk: &Talk, clock: Clock, needs: Needs, asked: Asked) -> Result<Opened, Exit> {
    let opened = open_for_run(config, talk, clock, needs, asked)?;
    // Nobody heeds signals any more.
    opened.interrupt.iter().for_each(Interrupt::end_at_once);
    Ok(opened)
}

/// The same for a run, which heeds signals itself.
pub(super) fn open_for_run(
    config: &ConfigArg,
    talk: &Talk,
    clock: Clock,
    needs: Needs,
    asked: Asked,
) -> Result<Opened, Exit> {
    let (format, environment, source) = begin(config, talk);
    let source = source.map_err(|problem| {
        logging::complain(format, &problem.to_string());
        Exit::Config
    })?;
    let (loaded, interrupt) = config::load(&source, &environment, clock.now(), needs, asked);
    if let Some(exit) = interrupt.as_ref().and_then(Interrupt::exit) {
        return Err(exit);
    }
    if let Some(config) = &loaded.config {
        redact::guard(&config.redactor);
    }
    Ok(Opened { format, source, environment, loaded, interrupt })
}

/// Reads the config for a command that asks the memory of runs about one of its checks.
pub(super) fn open_checks(flags: &StoreArgs, clock: Clock) -> Result<(Format, Environment, Config), Exit> {
    let opened = open(&flags.config, &flags.talk, clock, Needs::Checks, Asked::Below(&["state"]))?;
    let Opened { format, environment, loaded, .. } = opened;
    match loaded.config {
        Some(config) => Ok((format, environment, config)),
        None => {
            complain_all(format, &loaded.problems);
            Err(Exit::Config)
        }
    }
}

pub(super) fn complain_all(format: Format, problems: &[Problem]) {
    for problem in problems {
        logging::note(noted(problem));
        logging::say_error(format, &problem.to_string());
    }
}

/// A problem of a config as a complaint.
pub(super) fn noted(problem: &Problem) -> Complaint {
    let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let hint = problem.hint.as_ref().map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
    let (line, column) = problem.position.unzip();
    Complaint { file: Some(problem.file.clone()), line, column, message: format!("{place}{}{hint}", problem.message) }
}

/// Longest time that the report waits for the log to be written first.
const COURTESY: Duration = Duration::from_millis(200);

/// Whether anything was written to standard output.
static HAS_PRINTED: AtomicBool = AtomicBool::new(false);

pub(super) fn has_printed() -> bool {
    HAS_PRINTED.load(Ordering::Relaxed)
}

/// Writes to standard output, without secrets, and gives the status: `exit`, unless that is all well and the report is not. A reader that has
/// gone away (`| head`) is no error.
pub(super) fn print(text: &str, process: &Process, exit: Exit) -> Exit {
    let unwritten = if exit == Exit::Ok { Exit::Unwritten } else { exit };
    let watchdog = &process.watchdog;
    HAS_PRINTED.store(true, Ordering::Relaxed);
    watchdog.expect("the writing of the report", unwritten);
    logging::flush(Instant::now() + COURTESY.min(watchdog.left()));
    match output::print(&redact::shield_report(text), watchdog.last_word()) {
        Ok(()) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
        Err(error) => {
            logging::last_words(&format!("the report cannot be written: {}", text::io_error(&error)));
            unwritten
        }
    }
}
