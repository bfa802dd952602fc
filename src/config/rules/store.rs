//! The rules of `state`.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Builder, key, under};
use crate::config::document::Part;
use crate::config::problem::Reach;
use crate::config::raw::{RawState, RawStore};
use crate::config::store::{DATABASE_VARIABLE, RETENTION_DAYS, by_variable, days, is_postgres, usual_place};
use crate::config::{Place, State};

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
            Some(n @ 1..=36_500) => days(n),
            Some(n) => {
                let message = format!("`retention_days` must be 1 to 36500, but is {n}");
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
        let url = self.secret(&path, "url", raw.url, raw.url_file.as_deref(), &mut broken);
        if let Some(url) = &url
            && !is_postgres(url.expose_secret())
        {
            let hint = Some("for example `postgres://user:password@host/database`".to_owned());
            let message = "`url` is not the address of a PostgreSQL database".to_owned();
            broken = broken.or_else(|| Some(message.clone()));
            self.push(&under(&path, "url"), Part::Value, message, hint, Reach::Entry);
        }
        let place = match by_variable(self.environment) {
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
        if let Ok(Place::Postgres(url)) = &place {
            self.redactor.learn(url.expose_secret());
            let parsed = Url::parse(url.expose_secret()).ok();
            if let Some(password) = parsed.as_ref().and_then(Url::password) {
                self.redactor.learn(password);
                let plain = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
                self.redactor.learn(&plain);
            }
        }
        State { place, retention }
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
