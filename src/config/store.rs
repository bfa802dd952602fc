//! Where runs keep what they remember: the flag, the variables and the usual place. The rules of `state` are in `rules`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::environment::Environment;
use crate::state::config::{Place, State};

/// The variable that names the store, as `--state` does.
pub const STATE_VARIABLE: &str = "BALANCE_ALERT_STATE";
/// The variable that holds the address of a PostgreSQL database.
pub(super) const DATABASE_VARIABLE: &str = "DATABASE_URL";
/// How long samples and sent alerts are kept, in days.
pub(super) const RETENTION_DAYS: u64 = 400;

impl State {
    /// The store when no config is read: the variables, else the usual place.
    pub fn of(environment: &Environment) -> State {
        let place = by_variable(environment).unwrap_or_else(|| {
            match environment.overlay(DATABASE_VARIABLE).filter(|url| is_postgres(url)) {
                Some(url) => Ok(Place::Postgres(SecretString::from(url))),
                None => usual_place(environment),
            }
        });
        State { place, retention: days(RETENTION_DAYS) }
    }
}

/// The place that `--state` names.
///
/// # Errors
/// What is wrong with it.
pub fn chosen_place(flag: &Path) -> Result<Place, String> {
    let text = flag.to_string_lossy();
    match text.as_ref() {
        "" => Err("`--state` is empty".to_owned()),
        "none" => Ok(Place::Nowhere),
        url if is_postgres(url) => Err(format!(
            "`--state` takes no database address, because arguments show in the list of processes; set `{STATE_VARIABLE}` or `state.url`"
        )),
        _ => Ok(Place::File(flag.to_owned())),
    }
}

/// The place that the variable names, if it is set.
pub(super) fn by_variable(environment: &Environment) -> Option<Result<Place, String>> {
    let text = environment.overlay(STATE_VARIABLE)?;
    Some(Ok(match text {
        "none" => Place::Nowhere,
        url if is_postgres(url) => Place::Postgres(SecretString::from(url)),
        path => Place::File(PathBuf::from(path)),
    }))
}

/// `$XDG_STATE_HOME/balance-alert/state.db`, where `XDG_STATE_HOME` is `~/.local/state` if it is not set or not absolute.
pub(super) fn usual_place(environment: &Environment) -> Result<Place, String> {
    let absolute = |name: &str| environment.overlay(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    base.map(|base| Place::File(base.join("balance-alert/state.db")))
        .ok_or_else(|| "there is no home directory to keep the memory of runs in".to_owned())
}

/// Whether a text is the address of a PostgreSQL database.
pub(super) fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// A number of days, as a duration.
pub(super) fn days(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(86_400))
}
