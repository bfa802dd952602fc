//! The clients that read. Each has a thread on which all of its connections are served in turn, so a connection on which a peer
//! never stops to send keeps all others of that thread waiting. Hosts that are asked at the same time therefore never share a
//! client, and one with which a request has timed out is not used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::blocking::Client;

use super::MOST_FOR_END;
use crate::model::failure::Failure;
use crate::process::background;

/// All reading clients of a run.
#[derive(Default)]
pub(super) struct Readers(Mutex<Inventory>);

#[derive(Default)]
struct Inventory {
    lent: Vec<Lent>,
    idle: Vec<Known>,
    /// How many were lent, for their names.
    count: usize,
    is_over: bool,
}

/// A client, and the hosts to which it may have connections.
struct Known {
    client: Client,
    hosts: Vec<String>,
}

/// A client that asks a host.
struct Lent {
    known: Known,
    id: usize,
    users: usize,
    /// Whether a request has timed out, so that nobody else is to use it.
    is_given_up: bool,
}

/// What building a client came to.
pub(super) enum Built {
    Client(Client),
    /// It needs a thread and descriptors of its own, and the system gives it none.
    Impossible,
    /// The trust store cannot be used.
    Broken(Failure),
}

/// A client for one request.
pub(super) struct Lease<'a> {
    readers: &'a Readers,
    id: usize,
    client: Option<Client>,
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, Inventory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client that asks no other host at this moment: one that knows the host, or any that is idle, or a new one. `build` is
    /// told whether there are others. None if there can be no client.
    ///
    /// # Errors
    /// The trust store cannot be used.
    pub(super) fn lease(&self, host: &str, build: impl FnOnce(bool) -> Built) -> Result<Option<Lease<'_>>, Failure> {
        let mut state = self.lock();
        if state.is_over {
            return Ok(None);
        }
        let knows = |known: &Known| known.hosts.iter().any(|each| each == host);
        if let Some(lent) = state.lent.iter_mut().find(|lent| !lent.is_given_up && knows_now(lent, host)) {
            return Ok(Some(self.again(lent)));
        }
        let at = state.idle.iter().position(knows).or_else(|| state.idle.len().checked_sub(1));
        let known = match at {
            Some(at) => state.idle.swap_remove(at),
            None => match build(!state.lent.is_empty()) {
                Built::Client(client) => Known { client, hosts: Vec::new() },
                Built::Broken(failure) => return Err(failure),
                // To share one is better than to have none.
                Built::Impossible => {
                    let shared = state.lent.iter_mut().filter(|lent| !lent.is_given_up).min_by_key(|lent| lent.users);
                    return Ok(shared.map(|lent| self.again(lent)));
                }
            },
        };
        Ok(Some(self.lend(&mut state, known, host)))
    }

    fn lend(&self, state: &mut Inventory, mut known: Known, host: &str) -> Lease<'_> {
        // The host that is asked now stands last.
        known.hosts.retain(|each| each != host);
        known.hosts.push(host.to_owned());
        let (id, client) = (state.count, Some(known.client.clone()));
        state.count += 1;
        state.lent.push(Lent { known, id, users: 1, is_given_up: false });
        Lease { readers: self, id, client }
    }

    fn again(&self, lent: &mut Lent) -> Lease<'_> {
        lent.users += 1;
        Lease { readers: self, id: lent.id, client: Some(lent.known.client.clone()) }
    }

    /// Gives back what reading holds: threads and idle connections. What still hangs in a request keeps them until that is over.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        if !idle.is_empty() {
            background::within("end", MOST_FOR_END, move || drop(idle));
        }
    }
}

/// Whether a client that is lent asks this host.
fn knows_now(lent: &Lent, host: &str) -> bool {
    lent.known.hosts.last().is_some_and(|last| last == host)
}

impl Lease<'_> {
    pub(super) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// The client's thread may be busy with this host for long, so that no other host is to use it.
    pub(super) fn give_up(&self) {
        self.readers.lock().lent.iter_mut().filter(|lent| lent.id == self.id).for_each(|lent| lent.is_given_up = true);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // The last of all handles waits for the client's thread, so it must not be this one.
        self.client = None;
        let mut state = self.readers.lock();
        let Some(at) = state.lent.iter().position(|lent| lent.id == self.id) else { return };
        state.lent[at].users -= 1;
        if state.lent[at].users > 0 {
            return;
        }
        let lent = state.lent.swap_remove(at);
        if !lent.is_given_up && !state.is_over {
            state.idle.push(lent.known);
            return;
        }
        drop(state);
        if let Err(end) = background::start("end", move || drop(lent.known)) {
            // Without a thread it stays until the process ends.
            std::mem::forget(end);
        }
    }
}
