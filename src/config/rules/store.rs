//! The rules of `state`.

use secrecy::{ExposeSecret, SecretString};

use super::{Builder, key, under};
use crate::config::document::Part;
use crate::config::problem::Reach;
use crate::config::raw::{RawState, RawStore};
use crate::config::store::{
    DATABASE_VARIABLE, NO_PLACE, PLACE_HINT, RETENTION_DAYS, STATE_VARIABLE, by_variable, days, is_address,
    is_postgres, usual_place,
};
use crate::process::echo;
use crate::state;
use crate::state::config::{Place, State};

impl Builder<'_> {
    /// A store that cannot be used never stops the checks, so its faults concern only itself.
    pub(super) fn state(&mut self, raw: Option<RawState>) -> State {
        let path = vec![key("state")];
        let mut broken = self.unset_under(&path);
        let (raw, nowhere) = match raw {
            Some(RawState::None) => (RawStore::default(), true),
            Some(RawState::Kept(store)) => (store, false),
            None => (RawStore::default(), false),
        };
        let retention = match raw.retention_days.map(|n| n.0) {
            None => days(RETENTION_DAYS),
            Some(n @ 1..=36_500) => days(n as u64),
            Some(n) => {
                let message = format!("`retention_days` must be 1 to 36500{}", echo::but_is(n));
                self.problem(&under(&path, "retention_days"), Part::Value, message, None);
                days(RETENTION_DAYS)
            }
        };
        if raw.path.is_some() && (raw.url.is_some() || raw.url_file.is_some()) {
            let message = "`path` and `url` exclude each other";
            self.problem(&under(&path, "path"), Part::Key(0), message, None);
        }
        if raw.path.as_ref().is_some_and(|path| path.trim().is_empty()) {
            broken = broken.or_else(|| Some("`state.path` is empty".to_owned()));
            self.push(&under(&path, "path"), Part::Value, "`path` is empty".to_owned(), None, Reach::Entry);
        }
        if let Some(file) = raw.path.as_ref().filter(|file| is_address(file)) {
            self.redactor.learn_database(file.trim());
            broken = broken.or_else(|| Some(format!("`state.path`: {NO_PLACE}")));
            let hint = Some(PLACE_HINT.to_owned());
            self.push(&under(&path, "path"), Part::Value, format!("`path`: {NO_PLACE}"), hint, Reach::Entry);
        }
        let url = self.secret(&path, "url", raw.url, raw.url_file.as_deref(), &mut broken);
        if let Some(url) = &url
            && !is_postgres(url.expose_secret())
        {
            let hint = Some("for example `postgres://<user>:<password>@host/database`".to_owned());
            let message = "`url` is not the address of a PostgreSQL database".to_owned();
            broken = broken.or_else(|| Some(message.clone()));
            self.push(&under(&path, "url"), Part::Value, message, hint, Reach::Entry);
        }
        let broken = broken.or_else(|| self.broken_at(&path));
        let chosen = by_variable(self.environment);
        let variable = chosen.as_ref().map(|_| STATE_VARIABLE).or_else(|| {
            let is_database = raw.path.is_none() && url.is_none() && !nowhere && broken.is_none();
            self.environment.overlay(DATABASE_VARIABLE).filter(|_| is_database).map(|_| DATABASE_VARIABLE)
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
        let url = self.environment.overlay(DATABASE_VARIABLE)?;
        if is_postgres(url) {
            return Some(SecretString::from(url));
        }
        self.warnings
            .push(format!("`{DATABASE_VARIABLE}` is not the address of a PostgreSQL database: it is not used"));
        None
    }
}
