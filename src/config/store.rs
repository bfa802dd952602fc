//! Where runs keep what they remember: the flag, the variables and the usual place. The rules of `state` are in `rules`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::process::environment::Environment;
use crate::state::config::{Place, State};

/// The variable that names the store, as `--state` does.
pub const STATE_VARIABLE: &str = "BALANCE_ALERT_STATE";
/// The variable that holds the address of a PostgreSQL database.
pub(super) const DATABASE_VARIABLE: &str = "DATABASE_URL";
/// What is wrong with an address where a file is named.
pub(super) const NO_PLACE: &str = "it is an address, but neither a file nor a PostgreSQL database";
/// What to write instead.
pub(super) const PLACE_HINT: &str = "a database is a postgres:// address, under `state.url`";

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
        State { place, retention: days(RETENTION_DAYS), allow_insecure: false }
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
        url if is_address(url) => Err(format!(
            "`--state` takes no database address, because arguments show in the list of processes; set `{STATE_VARIABLE}` or `state.url` to a postgres:// address"
        )),
        _ => Ok(Place::File(flag.to_owned())),
    }
}

/// The place that the variable names, if it is set.
pub(super) fn by_variable(environment: &Environment) -> Option<Result<Place, String>> {
    let text = environment.overlay(STATE_VARIABLE)?;
    Some(match text {
        "none" => Ok(Place::Nowhere),
        url if is_postgres(url) => Ok(Place::Postgres(SecretString::from(url))),
        other if is_address(other) => Err(format!("the variable `{STATE_VARIABLE}`: {NO_PLACE}")),
        path => Ok(Place::File(PathBuf::from(path))),
    })
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

/// Whether a text that should name a file is an address, with a password perhaps: `mysql://...`, `user:password@host/database`,
/// or the words `host=... password=...` of a driver. It becomes no name of a file, and is not repeated.
pub(super) fn is_address(text: &str) -> bool {
    let is_setting = |word: &str| {
        let name = word.split_once('=').map(|(name, _)| name.to_ascii_lowercase()).unwrap_or_default();
        ["host", "hostaddr", "user", "username", "uid", "password", "pwd", "dbname", "database", "server", "port"]
            .contains(&name.trim())
    };
    let has_login = text.split_once('@').is_some_and(|(login, _)| login.contains(':'));
    text.contains("://") || has_login || text.split([' ', '\t', '\n', ';']).any(is_setting)
}

/// A number of days, as a duration.
pub(super) fn days(count: u64) -> Duration {
    Duration::from_secs(count.saturating_mul(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_no_name_of_a_file() {
        for address in [
            "mysql://u:PW@h/d",
            "POSTGRES://u:PW@h/d",
            "Postgresql://u:PW@h/d",
            "sqlite:///var/lib/x.db",
            "u:PW@h/d",
            "//u:PW@h/d",
            "host=h user=u password=PW",
            "dbname=d password=PW",
            "Server=h;Database=d;Pwd=PW",
        ] {
            assert!(is_address(address) && !is_postgres(address), "{address}");
            let why = chosen_place(Path::new(address)).err().unwrap_or_default();
            assert!(why.contains("takes no database address") && !why.contains("PW"), "{address}: {why}");
            let place = by_variable(&Environment::of(&[(STATE_VARIABLE, address)]));
            let why = place.and_then(Result::err).unwrap_or_default();
            assert!(why.contains(NO_PLACE) && !why.contains("PW"), "{address}: {why}");
        }
        for path in
            ["state.db", "/var/lib/balance-alert/state.db", "C:\\state\\state.db", "a=b.db", "me@host.db", "12:30.db"]
        {
            assert!(matches!(chosen_place(Path::new(path)), Ok(Place::File(_))), "{path}");
        }
    }
}
