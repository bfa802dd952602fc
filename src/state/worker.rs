//! What the thread of a store owns: the connection, and what is done when a file turns out to be damaged.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::database::Database;
use super::error::{StoreError, StoreFault};
use super::records::Access;
use super::{postgres, sqlite};
use crate::process::clock::Clock;
use crate::process::fault;
use crate::state::location::Place;
use crate::wire::http::Clients;

/// What the thread is asked to do.
pub(super) type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// What the thread owns.
pub(super) struct Engine {
    pub(super) place: Place,
    pub(super) access: Access,
    pub(super) clock: Clock,
    pub(super) clients: Arc<Clients>,
    pub(super) wait: Duration,
    pub(super) database: Option<Box<dyn Database>>,
    /// Which file it is, to see later whether another run has put it aside.
    pub(super) opened: Option<u64>,
    /// Whether this run has made the file. What is wrong with a new file is a fault of the disk and no damage that came later.
    pub(super) is_new: bool,
    pub(super) notices: Vec<String>,
}

impl Engine {
    /// Does the work. If the file turns out to be damaged, it is put aside, and the work is done once more on a new file.
    pub(super) fn run<T>(
        &mut self,
        work: &dyn Fn(&mut dyn Database, Access) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let path = match &self.place {
            Place::File(path) if self.access == Access::Write => path.clone(),
            _ => return self.try_once(work),
        };
        match self.try_once(work) {
            Err(error) if error.fault == StoreFault::Damaged && self.is_new => Err(StoreError::unkept(&error)),
            Err(error) if error.fault == StoreFault::Damaged => {
                self.begin_anew(&path, &error)?;
                self.try_once(work)
            }
            result => result,
        }
    }

    pub(super) fn try_once<T>(
        &mut self,
        work: &dyn Fn(&mut dyn Database, Access) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.database.is_none() {
            let inode = |place: &Place| match place {
                Place::File(path) => sqlite::inode(path),
                _ => None,
            };
            self.opened = inode(&self.place);
            self.is_new |= self.opened.is_none();
            self.database = Some(self.connect()?);
            self.opened = self.opened.or_else(|| inode(&self.place));
        }
        match self.database.as_deref_mut() {
            Some(database) => work(database, self.access),
            None => Err(StoreError::new(StoreFault::Other, "there is no connection")),
        }
    }

    fn connect(&self) -> Result<Box<dyn Database>, StoreError> {
        fault::point("in-open");
        match &self.place {
            Place::Nowhere => Err(StoreError::new(StoreFault::Absent, "there is none")),
            Place::File(path) => Ok(Box::new(sqlite::Sqlite::open(path, self.access, self.clock, self.wait)?)),
            Place::Postgres(address) => {
                let address = address.expose_secret();
                let tls = || self.clients.tls();
                Ok(Box::new(postgres::Postgres::open(address, self.access, self.clock, self.wait, tls)?))
            }
        }
    }

    /// Keeps the damaged file under another name.
    fn begin_anew(&mut self, path: &Path, error: &StoreError) -> Result<(), StoreError> {
        self.database = None;
        match sqlite::set_aside(path, self.opened, self.clock.now()) {
            Ok(kept) => {
                if let Some(sqlite::SetAside { path: kept, removed }) = kept {
                    let why = &error.message;
                    let more = match removed {
                        0 => String::new(),
                        1 => "; the oldest of those that were kept before is removed".to_owned(),
                        n => format!("; the {n} oldest of those that were kept before are removed"),
                    };
                    self.notices.push(format!(
                        "the memory of runs at `{}` cannot be used: {why}; it is kept as `{}` and a new one is begun, so alerts may come again{more}",
                        path.display(), kept.display()
                    ));
                }
                Ok(())
            }
            Err(why) => {
                let message = format!("{}, and it cannot be moved aside: {}", error.message, why.message);
                Err(StoreError::new(StoreFault::Other, message))
            }
        }
    }
}
