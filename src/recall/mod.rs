//! What people ask of the memory of runs, without network: `status`, `history`, `alerts`, `health`.
//!
//! Each file turns the rows of one question into text; where the memory is, and what can be wrong with it, is here.

mod alerts;
mod health;
mod history;
mod status;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::{AlertsArgs, HealthArgs, HistoryArgs, StatusArgs, StoreArgs};
use crate::config::{self, Environment, Loaded, Place, STATE_VARIABLE, Source, State};
use crate::exit::Exit;
use crate::http::Clients;
use crate::interrupt::Deadline;
use crate::logging::Format;
use crate::state::{Access, LONGEST_WAIT, Store, StoreFault, name};
use crate::{logging, text};

/// What `status` leaves out unless it is asked for all: not looked at for so long, as after it left the config.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

/// What a command prints, or how it ends without a word on standard output.
pub type Answer = Result<(String, Exit), Exit>;

/// A store that was found, or why it was not.
struct Found {
    place: String,
    store: Result<Store, (StoreFault, String)>,
    format: Format,
}

/// Finds the store: the flag, the variables, else what the config says.
fn find(args: &StoreArgs) -> Result<Found, Exit> {
    // clap cannot say whether a flag or the variable gave the value; the same text in both comes to the same.
    let chosen = args.config.config.as_deref();
    let source = Source::find(chosen, None);
    let folder = source.as_ref().ok().map(Source::folder);
    let environment = Environment::read(folder.as_deref());
    let format = logging::init(&environment, args.talk.verbose);
    let place = match &args.state {
        Some(flag) => config::chosen_place(flag).map_err(|why| {
            logging::complain(format, &why);
            Exit::Usage
        })?,
        None => {
            let state = match source {
                _ if environment.overlay(STATE_VARIABLE).is_some() => State::of(&environment),
                Ok(source) => match config::load(&source, &environment) {
                    Loaded { config: Some(config), .. } => config.state().clone(),
                    Loaded { problems, .. } => {
                        problems.iter().for_each(|problem| logging::complain(format, &problem.to_string()));
                        return Err(Exit::Config);
                    }
                },
                // Without a config there is still the usual place.
                Err(_) => State::of(&environment),
            };
            state.place.map_err(|why| {
                logging::complain(format, &format!("there is no memory of runs to ask: {why}"));
                Exit::Config
            })?
        }
    };
    if matches!(place, Place::Nowhere) {
        logging::complain(format, "there is no memory of runs to ask: `state` is `none`");
        return Err(Exit::Config);
    }
    let clients = Arc::new(Clients::default());
    let store = Store::open(&place, Access::Read, &clients, &Deadline::within(LONGEST_WAIT), &mut Vec::new());
    let store = store.map_err(|error| {
        let hint = error.hint.map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
        (error.fault, format!("{}{hint}", error.message))
    });
    Ok(Found { place: name(&place), store, format })
}

impl Found {
    /// The store, for a command that can do nothing without it.
    fn store(self) -> Result<(Store, Format, String), Exit> {
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

/// Ends the connection, so that no file of its log is left beside the store.
fn leave(store: Store) {
    store.close(&Deadline::within(LONGEST_WAIT));
}

/// What is wrong while the store is asked.
fn failed(format: Format, place: &str) -> impl Fn(crate::state::StoreError) -> Exit {
    move |error| {
        logging::complain(format, &format!("the memory of runs at {place}: {}", error.message));
        Exit::Unknown
    }
}

/// `balance-alert status`.
///
/// # Errors
/// How to end if there is nothing to print.
pub fn status(args: &StatusArgs) -> Answer {
    let (mut store, format, place) = find(&args.store)?.store()?;
    let now = Timestamp::now();
    let all = store.status(Timestamp::MIN).map_err(failed(format, &place))?;
    leave(store);
    let newest = all.iter().map(|known| known.checked_at).max().unwrap_or(now);
    let since = if args.all { Timestamp::MIN } else { newest.checked_sub(FORGOTTEN).unwrap_or(Timestamp::MIN) };
    let total = all.len();
    let shown: Vec<_> = all.into_iter().filter(|known| known.checked_at >= since).collect();
    Ok((status::render(&shown, total - shown.len(), now, args.output), Exit::Ok))
}

/// `balance-alert history`.
///
/// # Errors
/// How to end if there is nothing to print.
pub fn history(args: &HistoryArgs) -> Answer {
    let (mut store, format, place) = find(&args.store)?.store()?;
    let since = args.since.before(Timestamp::now());
    let series = store.history(args.project.clone(), since).map_err(failed(format, &place))?;
    if let (Some(project), true) = (&args.project, series.is_empty()) {
        let names: Vec<String> =
            store.status(Timestamp::MIN).map_err(failed(format, &place))?.into_iter().map(|known| known.name).collect();
        let near = text::nearest(project, names.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", text::list(names.iter().take(20).map(String::as_str))),
        };
        logging::complain(format, &format!("no run has seen a project `{project}`\n hint: {hint}"));
        return Err(Exit::Usage);
    }
    leave(store);
    Ok((history::render(&series, args.since, args.output), Exit::Ok))
}

/// `balance-alert alerts`.
///
/// # Errors
/// How to end if there is nothing to print.
pub fn alerts(args: &AlertsArgs) -> Answer {
    let (mut store, format, place) = find(&args.store)?.store()?;
    let messages = store.messages(args.since.before(Timestamp::now())).map_err(failed(format, &place))?;
    leave(store);
    Ok((alerts::render(&messages, args.since, args.output), Exit::Ok))
}

/// `balance-alert health`.
///
/// # Errors
/// How to end if there is nothing to print.
pub fn health(args: &HealthArgs) -> Answer {
    let found = find(&args.store)?;
    let place = found.place;
    let verdict = match found.store {
        Ok(mut store) => match store.last_runs() {
            Ok(runs) => {
                leave(store);
                health::judge(&runs, args.max_age, Timestamp::now())
            }
            Err(error) => health::unreadable(&place, &error.message),
        },
        Err((StoreFault::Absent, why)) => health::nothing(&place, &why),
        Err((_, why)) => health::unreadable(&place, &why),
    };
    Ok(verdict)
}
