//! What a config, a flag and variables say of where runs keep what they remember.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

pub(crate) use super::location::{Place, State};
use crate::process::environment::Environment;
use crate::state;
use crate::yaml::field::{Number, Variable, fields};
use crate::yaml::path::{Part, key, under};
use crate::yaml::problem::Reach;
use crate::yaml::reader::ConfigReader;
use crate::yaml::scalar::Lenient;

/// The variable that names the store, as `--state` does.
pub(crate) const STATE_VARIABLE: &str = "BALANCE_ALERT_STATE";
/// The variable that holds the address of a PostgreSQL database.
const DATABASE: Variable =
    Variable { name: "DATABASE_URL", note: "if it is a postgres:// address and the config names no file" };
/// What is wrong with an address where a file is named.
const NO_PLACE: &str = "it is an address, but neither a file nor a PostgreSQL database";
/// What to write instead.
const PLACE_HINT: &str = "a database is a postgres:// address, under `state.url`";

/// How long samples and sent alerts are kept, in days.
const RETENTION: Number = Number::within(1, 36_500).or(400);

/// Where runs keep what they remember.
#[derive(Debug)]
pub(crate) enum RawState {
    /// Nowhere.
    None,
    /// In a file or a database.
    Kept(RawStore),
}

fields! {
    /// Where runs keep what they remember, and for how long.
    pub(crate) struct RawStore {
        /// A file.
        path: String, default = "$XDG_STATE_HOME/balance-alert/state.db";
        /// A PostgreSQL database that several machines share: postgres://<user>:<password>@host/database.
        url: String, variable = DATABASE;
        /// A file that holds the address of the database.
        url_file: String;
        /// Says that the password in `url` may go to another machine without TLS, by `sslmode=disable`; without it every run warns.
        allow_insecure: Lenient<bool>;
        /// How long samples and sent alerts are kept, in days.
        retention_days: Lenient<i128>, number = RETENTION;
    }
}

impl<'de> Deserialize<'de> for RawState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StateVisitor;

        impl<'de> Visitor<'de> for StateVisitor {
            type Value = RawState;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("none or a mapping")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<RawState, E> {
                match value.trim() {
                    "none" => Ok(RawState::None),
                    _ => Err(E::invalid_value(de::Unexpected::Str(value), &self)),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<RawState, A::Error> {
                RawStore::deserialize(de::value::MapAccessDeserializer::new(map)).map(RawState::Kept)
            }
        }

        deserializer.deserialize_any(StateVisitor)
    }
}

impl State {
    /// The store when no config is read: the variables, else the usual place.
    pub(crate) fn of(environment: &Environment) -> State {
        let place = by_variable(environment).unwrap_or_else(|| {
            match environment.overlay(DATABASE.name).filter(|url| is_postgres(url)) {
                Some(url) => Ok(Place::Postgres(SecretString::from(url))),
                None => usual_place(environment),
            }
        });
        State { place, retention: days(RETENTION.default()), allow_insecure: false }
    }
}

/// The place that `--state` names.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn chosen_place(flag: &Path) -> Result<Place, String> {
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
fn by_variable(environment: &Environment) -> Option<Result<Place, String>> {
    let text = environment.overlay(STATE_VARIABLE)?;
    Some(match text {
        "none" => Ok(Place::Nowhere),
        url if is_postgres(url) => Ok(Place::Postgres(SecretString::from(url))),
        other if is_address(other) => Err(format!("the variable `{STATE_VARIABLE}`: {NO_PLACE}")),
        path => Ok(Place::File(PathBuf::from(path))),
    })
}

/// `$XDG_STATE_HOME/balance-alert/state.db`, where `XDG_STATE_HOME` is `~/.local/state` if it is not set or not absolute.
fn usual_place(environment: &Environment) -> Result<Place, String> {
    let absolute = |name: &str| environment.overlay(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    base.map(|base| Place::File(base.join("balance-alert/state.db")))
        .ok_or_else(|| "there is no home directory to keep the memory of runs in".to_owned())
}

/// Whether a text is the address of a PostgreSQL database.
fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

/// Whether a text that should name a file is an address, with a password perhaps: `mysql://...`, `user:password@host/database`,
/// or the words `host=... password=...` of a driver. It becomes no name of a file, and is not repeated.
fn is_address(text: &str) -> bool {
    let is_setting = |word: &str| {
        let name = word.split_once('=').map(|(name, _)| name.to_ascii_lowercase()).unwrap_or_default();
        ["host", "hostaddr", "user", "username", "uid", "password", "pwd", "dbname", "database", "server", "port"]
            .contains(&name.trim())
    };
    let has_login = text.split_once('@').is_some_and(|(login, _)| login.contains(':'));
    text.contains("://") || has_login || text.split([' ', '\t', '\n', ';']).any(is_setting)
}

/// A number of days, as a duration.
fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * 86_400)
}

impl ConfigReader<'_> {
    /// A store that cannot be used never stops the checks, so its faults concern only itself.
    pub(crate) fn state(&mut self, raw: Option<RawState>) -> State {
        let path = vec![key("state")];
        let (raw, nowhere) = match raw {
            Some(RawState::None) => (RawStore::default(), true),
            Some(RawState::Kept(store)) => (store, false),
            None => (RawStore::default(), false),
        };
        let retention = days(self.whole(&path, &RawStore::retention_days, raw.retention_days));
        if raw.path.is_some() && (raw.url.is_some() || raw.url_file.is_some() || self.has_command(&path, "url")) {
            let message = "set only one of `path` and `url`";
            self.problem(&under(&path, "path"), Part::Key(0), message, None);
        }
        if raw.path.as_ref().is_some_and(|path| path.trim().is_empty()) {
            self.break_entry(&path, "`state.path` is empty");
            self.push(&under(&path, "path"), Part::Value, "`path` is empty".to_owned(), None, Reach::Entry);
        }
        if let Some(file) = raw.path.as_ref().filter(|file| is_address(file)) {
            self.redactor.learn_database(file.trim());
            self.break_entry(&path, format!("`state.path`: {NO_PLACE}"));
            let hint = Some(PLACE_HINT.to_owned());
            self.push(&under(&path, "path"), Part::Value, format!("`path`: {NO_PLACE}"), hint, Reach::Entry);
        }
        let url = self.secret(&path, "url", raw.url, raw.url_file.as_deref());
        if let Some(url) = &url
            && !is_postgres(url.expose_secret())
        {
            let hint = Some("for example `postgres://<user>:<password>@host/database`".to_owned());
            let message = "`url` is not the address of a PostgreSQL database".to_owned();
            self.break_entry(&path, message.clone());
            self.push(&under(&path, "url"), Part::Value, message, hint, Reach::Entry);
        }
        let broken = self.fault(&path);
        let chosen = by_variable(self.environment);
        let variable = chosen.as_ref().map(|_| STATE_VARIABLE).or_else(|| {
            let is_database = raw.path.is_none() && url.is_none() && !nowhere && broken.is_none();
            self.environment.overlay(DATABASE.name).filter(|_| is_database).map(|_| DATABASE.name)
        });
        let field = if raw.path.is_some() { "path" } else { "url" };
        if let Some(Err(why)) = &chosen {
            self.environment.overlay(STATE_VARIABLE).iter().for_each(|address| self.redactor.learn_database(address));
            self.push(&path, Part::Value, why.clone(), Some(PLACE_HINT.to_owned()), Reach::Entry);
        }
        let place = match chosen {
            Some(place) => place,
            None if nowhere => Ok(Place::Nowhere),
            None => match (raw.path, self.database_variable()) {
                (Some(file), _) if broken.is_none() => Ok(Place::File(self.folder.join(file.trim()))),
                (None, Some(variable)) => Ok(Place::Postgres(variable)),
                _ => match (broken, url) {
                    (Some(why), _) => Err(why),
                    (None, Some(url)) => Ok(Place::Postgres(url)),
                    (None, None) => usual_place(self.environment),
                },
            },
        };
        if let Some((why, hint)) = place.as_ref().ok().and_then(state::fault) {
            let (name, at) = match variable {
                Some(variable) => (format!("the variable `{variable}`"), path.clone()),
                None => (format!("`{field}`"), under(&path, field)),
            };
            self.push(&at, Part::Value, format!("{name}: {why}"), hint, Reach::Entry);
        }
        if let Ok(Place::Postgres(url)) = &place {
            self.redactor.learn_database(url.expose_secret());
        }
        let allow_insecure = raw.allow_insecure.is_some_and(|allow| allow.0);
        State { place, retention, allow_insecure }
    }

    /// The common variable may be meant for another program, so what is no PostgreSQL address is not an error.
    fn database_variable(&mut self) -> Option<SecretString> {
        let url = self.environment.overlay(DATABASE.name)?;
        if is_postgres(url) {
            return Some(SecretString::from(url));
        }
        self.warnings.push(format!("`{}` is not the address of a PostgreSQL database: it is not used", DATABASE.name));
        None
    }
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
