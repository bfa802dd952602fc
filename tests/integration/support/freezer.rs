//! A TCP relay in front of a server that freezes at a moment of the test's choice: from then on nothing passes in either
//! direction, and no connection ends.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Gate;
use super::listening::Listening;

struct State {
    is_frozen: bool,
    /// How often the pattern may still pass.
    left: usize,
}

/// Runs until it is dropped.
pub(crate) struct Freezer {
    server: Listening,
    frozen: Arc<Gate>,
}

impl Freezer {
    /// Leads to `port` of this machine, and freezes when a client sends `pattern` for the `nth` time, which does not pass. An
    /// empty pattern is every first byte.
    pub(crate) fn before(port: u16, pattern: &[u8], nth: usize) -> Freezer {
        let state = Arc::new(Mutex::new(State { is_frozen: false, left: nth - 1 }));
        let frozen = Arc::new(Gate::new());
        let (gate, pattern) = (Arc::clone(&frozen), pattern.to_vec());
        let server = Listening::start(move |connections, client| {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for socket in [&client, &server] {
                connections.keep(socket).unwrap();
            }
            let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let (gate, pattern) = (Arc::clone(&gate), pattern.clone());
            let (there, back) = (Arc::clone(&state), Arc::clone(&state));
            thread::spawn(move || pass(up, server, |bytes| is_reached(&there, bytes, &pattern, &gate)));
            thread::spawn(move || pass(down, client, |_| back.lock().unwrap().is_frozen));
        });
        Freezer { server, frozen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// Waits until it is frozen.
    pub(crate) fn wait(&self) {
        assert!(self.frozen.wait_for(1), "nobody came to where it freezes");
    }
}

/// Whether these bytes of a client must not pass. A message of a client comes in one piece: it is small, and on loopback.
fn is_reached(state: &Mutex<State>, bytes: &[u8], pattern: &[u8], gate: &Gate) -> bool {
    let mut state = state.lock().unwrap();
    let count = match pattern {
        [] => 1,
        pattern => bytes.windows(pattern.len()).filter(|part| *part == pattern).count(),
    };
    if !state.is_frozen && count > state.left {
        state.is_frozen = true;
        gate.arrive();
    }
    state.left = state.left.saturating_sub(count);
    state.is_frozen
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut is_frozen: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 65_536];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            // What has been read is lost, and the sockets stay open, because copies of them are kept.
            Ok(length) if is_frozen(&buffer[..length]) => {}
            Ok(length) => {
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
        }
    }
    if !is_frozen(&[]) {
        let _ = to.shutdown(Shutdown::Write);
    }
}
