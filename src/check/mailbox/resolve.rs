//! Names of mail servers, looked up on threads of their own: the system's resolver has no time limit, and no worker waits for it.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::process::{background, fault};

/// Names that are looked up at once. One that takes too long is given up and counts no more; its thread lingers, and nothing
/// waits for it.
const AT_ONCE: usize = 32;

/// The look-ups of a run: one for each server, however many mailboxes lie there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolver(Arc<Mutex<Lookups>>);

#[derive(Debug, Default)]
struct Lookups {
    lookups: HashMap<(String, u16), Lookup>,
    /// Look-ups under way that are not given up.
    busy: usize,
}

#[derive(Debug)]
enum Lookup {
    /// It is under way, or given up.
    Asked {
        is_given_up: bool,
    },
    Known(Vec<SocketAddr>),
    /// It has no address, as was found then.
    Unknown(Instant),
}

/// What is known of a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Addresses(Vec<SocketAddr>),
    /// There are none.
    None,
    /// It is being looked up.
    Asked,
    /// Others are being looked up first.
    NotYet,
}

impl Resolver {
    /// What is known of a server. The first one who asks has it looked up, and so has one who has been waiting only since a
    /// look-up found nothing.
    pub(crate) fn ask(&self, host: &str, port: u16, waiting_since: Instant) -> Answer {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Answer::Addresses(vec![SocketAddr::new(address, port)]);
        }
        let key = (host.to_owned(), port);
        let mut state = self.lock();
        match state.lookups.get(&key) {
            Some(Lookup::Known(addresses)) => return Answer::Addresses(addresses.clone()),
            Some(Lookup::Asked { .. }) => return Answer::Asked,
            Some(Lookup::Unknown(at)) if *at >= waiting_since => return Answer::None,
            _ if state.busy >= AT_ONCE => return Answer::NotYet,
            _ => {}
        }
        state.busy += 1;
        state.lookups.insert(key.clone(), Lookup::Asked { is_given_up: false });
        drop(state);
        let resolver = self.clone();
        if let Err(work) = background::start("resolve", move || resolver.learn(&key, look_up(&key))) {
            // Without a thread the worker waits itself: better late than not at all.
            work();
            return self.ask(host, port, waiting_since);
        }
        Answer::Asked
    }

    /// Lets others begin: this look-up takes too long.
    pub(crate) fn give_up(&self, host: &str, port: u16) {
        let mut state = self.lock();
        if let Some(Lookup::Asked { is_given_up: is_given_up @ false }) =
            state.lookups.get_mut(&(host.to_owned(), port))
        {
            *is_given_up = true;
            state.busy -= 1;
        }
    }

    fn learn(&self, key: &(String, u16), result: io::Result<Vec<SocketAddr>>) {
        let mut state = self.lock();
        let lookup = match result {
            Ok(addresses) if !addresses.is_empty() => Lookup::Known(addresses),
            _ => Lookup::Unknown(Instant::now()),
        };
        if let Some(Lookup::Asked { is_given_up: false }) = state.lookups.insert(key.clone(), lookup) {
            state.busy -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lookups> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look_up((host, port): &(String, u16)) -> io::Result<Vec<SocketAddr>> {
    fault::point("resolve");
    Ok((host.as_str(), *port).to_socket_addrs()?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn wait(resolver: &Resolver, host: &str) -> Answer {
        let begin = Instant::now();
        loop {
            match resolver.ask(host, 1, begin) {
                Answer::Asked if begin.elapsed() < Duration::from_secs(20) => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                answer => return answer,
            }
        }
    }

    #[test]
    fn a_name_is_looked_up_once_and_an_unknown_one_again() {
        let resolver = Resolver::default();
        let (near, begin) = ("127.0.0.1:1".parse().unwrap(), Instant::now());
        assert_eq!(resolver.ask("127.0.0.1", 1, begin), Answer::Addresses(vec![near]), "an address is no name");
        let Answer::Addresses(addresses) = wait(&resolver, "localhost") else { panic!("localhost is known") };
        assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
        // A name with a space is none, so nobody is asked.
        assert_eq!(wait(&resolver, "no name"), Answer::None);
        assert_eq!(resolver.ask("no name", 1, begin), Answer::None, "for all who waited for it");
        assert_eq!(resolver.ask("no name", 1, Instant::now()), Answer::Asked);
    }

    #[test]
    fn look_ups_that_hang_keep_no_other_name_waiting_for_ever() {
        let resolver = Resolver::default();
        let (name, now) = (|n: usize| format!("hangs-{n}"), Instant::now());
        for n in 0..AT_ONCE {
            resolver.lock().lookups.insert((name(n), 1), Lookup::Asked { is_given_up: false });
            resolver.lock().busy += 1;
        }
        assert_eq!(resolver.ask("localhost", 1, now), Answer::NotYet);
        assert_eq!(resolver.ask(&name(0), 1, now), Answer::Asked);
        // Two mailboxes of one server may give it up.
        resolver.give_up(&name(0), 1);
        resolver.give_up(&name(0), 1);
        assert_eq!(resolver.lock().busy, AT_ONCE - 1);
        assert!(matches!(wait(&resolver, "localhost"), Answer::Addresses(_)));
        // It is told after all.
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        resolver.learn(&(name(0), 1), Ok(vec![address]));
        assert_eq!(resolver.ask(&name(0), 1, now), Answer::Addresses(vec![address]));
        resolver.learn(&(name(1), 1), Ok(vec![]));
        assert_eq!((resolver.ask(&name(1), 1, now), resolver.lock().busy), (Answer::None, AT_ONCE - 2));
    }
}
