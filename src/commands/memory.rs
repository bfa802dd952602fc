//! Opens the memory of runs for the commands that ask it, or change what people decide.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::open::{begin, print};
use crate::cli::StoreArgs;
use crate::config::{self, Asked, Loaded, Needs, STATE_VARIABLE};
use crate::model::text;
use crate::model::words::Language;
use crate::process::Process;
use crate::process::clock::Clock;
use crate::process::environment::Environment;
use crate::process::exit::Exit;
use crate::process::interrupt::Deadline;
use crate::process::logging::{self, Format};
use crate::process::person::user_at_host;
use crate::process::redact::{self, Redactor};
use crate::state::config::{Place, State};
use crate::state::{self, Access, LONGEST_WAIT, Store, StoreFault, name};
use crate::wire::http::Clients;

/// The longest name of a person, in characters.
const WHO_CHARS: usize = 100;

/// The text that a command prints and its status, or only the status where nothing is printed.
pub(super) type Answer = Result<(String, Exit), Exit>;

/// Prints what `ask` finds in the memory of runs, within `time`.
pub(super) fn answer(process: &Process, time: Duration, ask: impl FnOnce() -> Answer) -> Exit {
    process.watchdog.allow(time);
    process.watchdog.expect("the reading of the memory of runs", Exit::Unknown);
    match ask() {
        Ok((text, exit)) => print(&text, process, exit),
        Err(exit) => exit,
    }
}

/// Where the store is, and the open store or why it cannot be opened.
pub(super) struct Found {
    pub(super) place: String,
    pub(super) store: Result<Store, (StoreFault, String)>,
    /// The language of the config, where one was read.
    pub(super) language: Language,
    /// Whether the terminal has more characters than ASCII, as far as its variables say.
    pub(super) has_braille: bool,
    format: Format,
}

/// Finds the store: the flag, the variables, else what the config says.
pub(super) fn find(args: &StoreArgs, clock: Clock) -> Result<Found, Exit> {
    find_for(args, clock, Access::Read)
}

/// Finds the store, to write into it. It is made if it does not exist.
pub(super) fn find_to_write(args: &StoreArgs, clock: Clock) -> Result<Found, Exit> {
    find_for(args, clock, Access::Write)
}

/// Who uses this program: as they say themselves, or the user and the host.
pub(super) fn person(said: Option<&str>) -> String {
    let said = said.map(|said| text::one_line(said, WHO_CHARS)).filter(|said| !said.trim().is_empty());
    said.unwrap_or_else(|| text::one_line(&user_at_host(), WHO_CHARS))
}

fn find_for(args: &StoreArgs, clock: Clock, access: Access) -> Result<Found, Exit> {
    let (format, environment, source) = begin(&args.config, &args.talk);
    let (mut redactor, mut language) = (Arc::new(Redactor::default()), Language::default());
    let state = match source {
        _ if args.state.is_some() || environment.overlay(STATE_VARIABLE).is_some() => State::of(&environment),
        Ok(source) => match config::load(&source, &environment, clock.now(), Needs::Checks, Asked::Below(&["state"])).0
        {
            Loaded { config: Some(config), .. } => {
                (redactor, language) = (config.redactor, config.settings.language);
                config.state
            }
            Loaded { problems, .. } => {
                problems.iter().for_each(|problem| logging::complain(format, &problem.to_string()));
                return Err(Exit::Config);
            }
        },
        // Without a config there is still the usual place.
        Err(_) => State::of(&environment),
    };
    let found = open_store(args, (access, clock), (format, &environment), (state, &redactor))?;
    Ok(Found { language, has_braille: has_braille(&environment), ..found })
}

/// Whether the terminal shows braille: its locale is UTF-8, and it is not the console of Linux, whose font has none.
fn has_braille(environment: &Environment) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.overlay(name));
    let is_utf8 = locale.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"));
    is_utf8 && !matches!(environment.overlay("TERM"), Some("linux" | "dumb"))
}

/// Opens the store at the place that a flag names, or else at that of the config.
pub(super) fn open_store(
    args: &StoreArgs,
    (access, clock): (Access, Clock),
    (format, environment): (Format, &Environment),
    (state, redactor): (State, &Arc<Redactor>),
) -> Result<Found, Exit> {
    let place = match &args.state {
        Some(flag) => config::chosen_place(flag).map_err(|why| {
            logging::complain(format, &why);
            Exit::Usage
        })?,
        None => state.place.map_err(|why| {
            logging::complain(format, &format!("there is no memory of runs to ask: {why}"));
            Exit::Config
        })?,
    };
    if matches!(place, Place::Nowhere) {
        logging::complain(format, "there is no memory of runs to ask: `state` is `none`");
        return Err(Exit::Config);
    }
    if let Place::Postgres(address) = &place {
        redactor.learn_database(address.expose_secret());
    }
    redact::guard(redactor);
    let clients = Arc::new(Clients::new(&environment.surroundings(), clock));
    let store = Store::open(&place, access, &clients, clock, &Deadline::within(LONGEST_WAIT), &mut Vec::new());
    let store = store.map_err(|error| {
        let hint = error.hint.map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
        (error.fault, format!("{}{hint}", state::shown(matches!(place, Place::Postgres(_)), &error.message, redactor)))
    });
    Ok(Found { place: name(&place), store, language: Language::default(), has_braille: false, format })
}

impl Found {
    /// The store, for a command that can do nothing without it.
    pub(super) fn store(self) -> Result<(Store, Format, String), Exit> {
        match self.store {
            Ok(store) => Ok((store, self.format, self.place)),
            Err((fault, why)) => {
                let hint = match fault {
                    StoreFault::Absent => "\n hint: `balance-alert check` begins it",
                    _ => "",
                };
                logging::complain(self.format, &format!("the memory of runs at {}: {why}{hint}", self.place));
                Err(Exit::Unknown)
            }
        }
    }
}

/// Closes the store, so that SQLite leaves no log file beside it.
pub(super) fn leave(store: Store) {
    store.close(&Deadline::within(LONGEST_WAIT));
}

/// Prints why the store could not be read, and gives the status.
pub(super) fn failed(format: Format, place: &str) -> impl Fn(crate::state::StoreError) -> Exit {
    move |error| {
        logging::complain(format, &format!("the memory of runs at {place}: {}", error.message));
        Exit::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braille_is_for_terminals_that_have_it() {
        for (variables, want) in [
            (&[][..], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "zh_CN.utf8"), ("TERM", "xterm-256color")], true),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LANG", "C"), ("LC_CTYPE", "en_GB.UTF-8")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux")], false),
            (&[("LANG", "C.UTF-8"), ("TERM", "dumb")], false),
            (&[("LANG", "de_DE@euro")], false),
        ] {
            assert_eq!(has_braille(&Environment::of(variables)), want, "{variables:?}");
        }
    }
}
