//! The beginning and the end of every command: find and read the config, set up logging and colours, print text.

use std::io;
use std::time::{Duration, Instant};

use crate::cli::{Color, ConfigArg, Talk};
use crate::config::{self, Loaded, Needs, Problem, Source};
use crate::model::text;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::logging::{self, Format};
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
}

/// Finds where the config is, reads the variables, and starts logging and colours.
pub(super) fn begin(config: &ConfigArg, talk: &Talk) -> (Format, Environment, Result<Source, Box<Problem>>) {
    let environment = Environment::of_process();
    let source = Source::find(config.config.as_deref(), &environment);
    let environment = match &source {
        Ok(source) => environment.with_dotenv(&source.folder()),
        Err(_) => environment,
    };
    set_colour(talk.color, &environment);
    (logging::init(&environment, talk.verbose), environment, source)
}

/// Reads the config and starts logging; problems that stop everything are printed.
pub(super) fn open(config: &ConfigArg, talk: &Talk, needs: Needs) -> Result<Opened, Exit> {
    let (format, environment, source) = begin(config, talk);
    let source = source.map_err(|problem| {
        logging::complain(format, &problem.to_string());
        Exit::Config
    })?;
    let loaded = config::load(&source, &environment, needs);
    if let Some(config) = &loaded.config {
        redact::guard(&config.redactor);
    }
    Ok(Opened { format, source, environment, loaded })
}

pub(super) fn complain_all(format: Format, problems: &[Problem]) {
    for problem in problems {
        logging::complain(format, &problem.to_string());
    }
}

/// Longest time that the report waits for the log to be written first.
const COURTESY: Duration = Duration::from_millis(200);

/// Writes to standard output, without secrets, and gives the status: `exit`, unless that is all well and the report is not. A reader that has
/// gone away (`| head`) is no error.
pub(super) fn print(text: &str, process: &Process, exit: Exit) -> Exit {
    let unwritten = if exit == Exit::Ok { Exit::Unwritten } else { exit };
    let watchdog = &process.watchdog;
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
