//! A server on loopback that accepts connections until it is dropped, and ends them then.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// The sockets of a server that are to be closed with it.
#[derive(Default)]
pub(crate) struct Connections {
    is_stopped: AtomicBool,
    sockets: Mutex<Vec<TcpStream>>,
}

impl Connections {
    /// Closes this socket when the server is dropped.
    pub(crate) fn keep(&self, socket: &TcpStream) -> io::Result<()> {
        self.sockets.lock().unwrap().push(socket.try_clone()?);
        Ok(())
    }
}

/// The server; it stops when it is dropped.
pub(crate) struct Listening {
    address: SocketAddr,
    connections: Arc<Connections>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Listens on a free port, and hands over every client that comes.
    pub(crate) fn start(serve: impl Fn(&Arc<Connections>, TcpStream) + Send + 'static) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Connections::default());
        let shared = Arc::clone(&connections);
        let thread = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                serve(&shared, client);
            }
        });
        Listening { address, connections, thread: Some(thread) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.connections.is_stopped.store(true, Ordering::SeqCst);
        for socket in std::mem::take(&mut *self.connections.sockets.lock().unwrap()) {
            // This fails when the other side has already closed it.
            drop(socket.shutdown(Shutdown::Both));
        }
        // A last client wakes the thread, which then sees that it is to stop.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A panic has already printed itself.
            drop(thread.join());
        }
    }
}
