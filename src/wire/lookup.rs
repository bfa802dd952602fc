//! Names of hosts into addresses, for both HTTP clients: on a thread of its own that may hang, or without one.
//!
//! The libraries' own look-ups panic where no thread can be started, and one of them holds the exit back while a look-up hangs.

use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use std::{fmt, io};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::process::background;

/// As many as `ureq` has room for.
pub(super) const MOST_ADDRESSES: usize = 16;

/// The addresses of a name with its port (`host:port`), or none when its time is over.
pub(super) fn look_up(host: String, within: Duration) -> Option<Found> {
    background::within("lookup", within, move || host.to_socket_addrs().map(Iterator::collect))
}

/// Looks names up for `ureq`.
pub(crate) struct ForSending;

impl fmt::Debug for ForSending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForSending")
    }
}

impl Resolver for ForSending {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let parts = uri.scheme().zip(uri.authority());
        let host = parts.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let host = host.ok_or(ureq::Error::HostNotFound)?;
        let found = match look_up(host, *timeout.after) {
            Some(found) => found?,
            None => return Err(ureq::Error::Timeout(timeout.reason)),
        };
        let mut addresses = self.empty();
        found.into_iter().take(MOST_ADDRESSES).for_each(|address| addresses.push(address));
        if addresses.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Looks names up for `reqwest`, whose own time limit holds.
pub(crate) struct ForReading;

impl Resolve for ForReading {
    fn resolve(&self, name: Name) -> Resolving {
        let answer = Arc::new(Answer::default());
        let (giving, host) = (Arc::clone(&answer), name.as_str().to_owned());
        let work = move || giving.give((host.as_str(), 0).to_socket_addrs().map(Iterator::collect));
        if let Err(work) = background::start("lookup", work) {
            work();
        }
        Box::pin(Coming(answer))
    }
}

/// What a look-up came to.
pub(super) type Found = io::Result<Vec<SocketAddr>>;

/// What a look-up came to, once it has, and who waits for it.
#[derive(Default)]
struct Answer(Mutex<(Option<Found>, Option<Waker>)>);

impl Answer {
    fn give(&self, found: Found) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Some(found);
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }
}

struct Coming(Arc<Answer>);

impl Future for Coming {
    type Output = Result<Addrs, Box<dyn std::error::Error + Send + Sync>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.0.take() {
            Some(Ok(found)) => Poll::Ready(Ok(Box::new(found.into_iter()))),
            Some(Err(error)) => Poll::Ready(Err(error.into())),
            None => {
                state.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
