//! A forward proxy that knows `CONNECT` only and leads every tunnel to one local server, so
//! that host names which do not exist anywhere else can be reached through it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Default)]
struct State {
    stopped: bool,
    targets: Vec<String>,
    sockets: Vec<TcpStream>,
}

/// Runs until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy whose tunnels all end at `port` of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let for_thread = Arc::clone(&state);
        let listener = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if for_thread.lock().unwrap().stopped {
                    return;
                }
                let state = Arc::clone(&for_thread);
                // A client that hangs up is no error here; dropping the proxy shuts the sockets.
                thread::spawn(move || drop(tunnel(&state, client, port)));
            }
        });
        Self { address, state, listener: Some(listener) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `host:port` of every tunnel that was asked for.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.state.lock().unwrap().targets.clone()
    }
}

impl Drop for Proxy {
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
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
    }
}

fn tunnel(state: &Mutex<State>, mut client: TcpStream, port: u16) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
    }
    let mut words = first.split(' ');
    if words.next() != Some("CONNECT") {
        return client.write_all(b"HTTP/1.1 405 Tunnels only\r\nContent-Length: 0\r\n\r\n");
    }
    let server = TcpStream::connect(("127.0.0.1", port))?;
    {
        let mut state = state.lock().unwrap();
        state.targets.push(words.next().unwrap_or_default().into());
        state.sockets.push(client.try_clone()?);
        state.sockets.push(server.try_clone()?);
    }
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let (mut up, mut down) = (server.try_clone()?, client.try_clone()?);
    let mut server_side = server;
    let back = thread::spawn(move || {
        drop(io::copy(&mut server_side, &mut down));
        drop(down.shutdown(Shutdown::Both));
    });
    drop(io::copy(&mut reader, &mut up));
    drop(up.shutdown(Shutdown::Both));
    drop(back.join());
    Ok(())
}
