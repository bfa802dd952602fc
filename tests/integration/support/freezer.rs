//! A TCP relay in front of a server that freezes at a moment of the test's choice: from then on nothing passes in either
//! direction, and no connection ends.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Gate;

#[derive(Default)]
struct State {
    stopped: bool,
    frozen: bool,
    /// How often the pattern may still pass.
    left: usize,
    sockets: Vec<TcpStream>,
}

/// Runs until it is dropped.
pub(crate) struct Freezer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    frozen: Arc<Gate>,
}

impl Freezer {
    /// Leads to `port` of this machine, and freezes when a client sends `pattern` for the `nth` time, which does not pass. An
    /// empty pattern is every first byte.
    pub(crate) fn before(port: u16, pattern: &[u8], nth: usize) -> Freezer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { left: nth - 1, ..State::default() }));
        let frozen = Arc::new(Gate::new());
        let (for_thread, gate, pattern) = (Arc::clone(&state), Arc::clone(&frozen), pattern.to_vec());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if for_thread.lock().unwrap().stopped {
                    return;
                }
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let copies = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                for_thread.lock().unwrap().sockets.extend(copies);
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (state, gate, pattern) = (Arc::clone(&for_thread), Arc::clone(&gate), pattern.clone());
                let back = Arc::clone(&state);
                thread::spawn(move || pass(up, server, |bytes| is_reached(&state, bytes, &pattern, &gate)));
                thread::spawn(move || pass(down, client, |_| back.lock().unwrap().frozen));
            }
        });
        Freezer { address, state, frozen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
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
    if !state.frozen && count > state.left {
        state.frozen = true;
        gate.arrive();
    }
    state.left = state.left.saturating_sub(count);
    state.frozen
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut is_frozen: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 65_536];
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            // What has been read is lost, and the sockets stay open: the state has copies.
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

impl Drop for Freezer {
    fn drop(&mut self) {
        let sockets = {
            let mut state = self.state.lock().unwrap();
            state.stopped = true;
            std::mem::take(&mut state.sockets)
        };
        for socket in sockets {
            // Fails when the other side has already closed it.
            drop(socket.shutdown(Shutdown::Both));
        }
        drop(TcpStream::connect(self.address));
    }
}
