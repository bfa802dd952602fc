//! What can be said of a place without opening it.

use secrecy::ExposeSecret;

use super::postgres;
use crate::state::config::Place;

/// The name of a place for messages.
pub fn name(place: &Place) -> String {
    match place {
        Place::Nowhere => "none".to_owned(),
        Place::File(path) => format!("`{}`", path.display()),
        Place::Postgres(address) => postgres::name(address.expose_secret()),
    }
}

/// Why nothing can be kept at a place, with what to do, as far as that shows without opening it.
pub fn fault(place: &Place) -> Option<(String, Option<String>)> {
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
pub fn in_the_clear(place: &Place) -> Option<String> {
    match place {
        Place::Postgres(address) => postgres::in_the_clear(address.expose_secret()),
        Place::Nowhere | Place::File(_) => None,
    }
}
