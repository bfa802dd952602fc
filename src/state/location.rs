//! Where runs keep what they remember, and what can be said of that place without opening it.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::postgres;
use crate::process::redact::Redactor;

/// Where runs keep what they remember, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The place, or why it cannot be used.
    pub place: Result<Place, String>,
    /// How long samples and sent alerts are kept.
    pub retention: Duration,
    /// Whether the password of a database may travel in the clear.
    pub allow_insecure: bool,
}

/// A place for what runs remember.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Nowhere, because the user wants no memory.
    Nowhere,
    File(PathBuf),
    /// A PostgreSQL database; its address holds a password.
    Postgres(SecretString),
}

/// The name of a place for messages.
pub(crate) fn name(place: &Place) -> String {
    match place {
        Place::Nowhere => "none".to_owned(),
        Place::File(path) => format!("`{}`", path.display()),
        Place::Postgres(address) => postgres::name(address.expose_secret()),
    }
}

/// What a store says, as it may be shown. A server has words of its own, of which only sentences are shown; what is said of a file
/// names its path, which the user wrote, so that only known secrets are masked in it.
pub(crate) fn shown(is_server: bool, said: &str, redactor: &Redactor) -> String {
    if is_server { redactor.clean(said) } else { redactor.polish(said) }
}

/// Why nothing can be kept at a place, with what to do, as far as that shows without opening it.
pub(crate) fn fault(place: &Place) -> Option<(String, Option<String>)> {
    match place {
        Place::Nowhere => None,
        Place::File(path) => {
            let metadata = std::fs::metadata(path).ok()?;
            (!metadata.is_file()).then(|| {
                let what = if metadata.is_dir() { "a directory" } else { "no ordinary file" };
                (format!("it is {what}"), Some("name the file itself, for example `state.db` in it".to_owned()))
            })
        }
        Place::Postgres(address) => postgres::fault(address.expose_secret()).map(|error| (error.message, error.hint)),
    }
}

/// Where a password goes without TLS, so that everybody on the way can read it; none if that is nowhere.
pub(crate) fn in_the_clear(place: &Place) -> Option<String> {
    match place {
        Place::Postgres(address) => postgres::in_the_clear(address.expose_secret()),
        Place::Nowhere | Place::File(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_file_is_shown_without_known_secrets_and_what_a_server_says_without_tokens() {
        const PATH: &str = "/data/run-9f86d081884c7d659a2feaa0c55ad015/state.db";
        let redactor = Redactor::default();
        let said = format!("`{PATH}` is read-only");
        assert_eq!(shown(false, &said, &redactor), said);
        assert_eq!(shown(true, &said, &redactor), "`/data/.../state.db` is read-only");
        redactor.learn("9f86d081884c7d659a2feaa0c55ad015");
        assert_eq!(shown(false, &said, &redactor), "`/data/run-***/state.db` is read-only");
    }
}
