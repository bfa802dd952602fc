//! A forward proxy that leads every request to one local server, so that host names which do not exist anywhere else can be
//! reached through it: by `CONNECT` tunnels, and for plain HTTP by the full address in the request line. It can want a login,
//! or refuse everything.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::listening::{Connections, Listening};

/// What was asked for.
#[derive(Default)]
struct State {
    targets: Vec<String>,
    logins: Vec<Option<String>>,
}

/// What the proxy does with a request.
#[derive(Clone)]
enum Manner {
    /// Leads it to this port of this machine, if it comes with this login.
    Lead(u16, Option<String>),
    /// Answers with this status.
    Refuse(u16),
}

/// Runs until it is dropped.
pub(crate) struct Proxy {
    server: Listening,
    state: Arc<Mutex<State>>,
}

impl Proxy {
    /// Starts a proxy whose ways all end at `port` of this machine.
    pub(crate) fn to(port: u16) -> Self {
        Self::start(Manner::Lead(port, None))
    }

    /// The same, for those who bring this login.
    pub(crate) fn guarded(port: u16, user: &str, password: &str) -> Self {
        let login = super::crypto::base64(format!("{user}:{password}").as_bytes());
        Self::start(Manner::Lead(port, Some(format!("Basic {login}"))))
    }

    /// Starts a proxy that lets nobody through.
    pub(crate) fn refusing(status: u16) -> Self {
        Self::start(Manner::Refuse(status))
    }

    fn start(manner: Manner) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Listening::start(move |connections, client| {
            let (connections, state, manner) = (Arc::clone(connections), Arc::clone(&shared), manner.clone());
            // A client that hangs up is no error here; dropping the proxy shuts the sockets.
            thread::spawn(move || drop(serve(&connections, &state, client, &manner)));
        });
        Self { server, state }
    }

    /// Its host and port.
    pub(crate) fn name(&self) -> String {
        self.server.address().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Its address with a login, percent-encoded.
    pub(crate) fn url_of(&self, login: &str) -> String {
        format!("http://{login}@{}", self.server.address())
    }

    /// The `host:port` of every tunnel that was asked for, and the address of every request without one.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.state.lock().unwrap().targets.clone()
    }

    /// What came as `Proxy-Authorization`, request by request.
    pub(crate) fn logins(&self) -> Vec<Option<String>> {
        self.state.lock().unwrap().logins.clone()
    }
}

fn serve(connections: &Connections, state: &Mutex<State>, mut client: TcpStream, manner: &Manner) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head: Vec<String> = Vec::new();
    while head.last().is_none_or(|line| line != "\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        head.push(line);
    }
    let words: Vec<&str> = head[0].split_whitespace().collect();
    let [method, target, _] = words[..] else {
        return Ok(());
    };
    let login = head.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
    });
    let is_tunnel = method == "CONNECT";
    if !is_tunnel && !target.starts_with("http://") {
        return client.write_all(b"HTTP/1.1 400 No full address\r\nContent-Length: 0\r\n\r\n");
    }
    {
        let mut state = state.lock().unwrap();
        state.targets.push(target.to_owned());
        state.logins.push(login.clone());
    }
    let (port, wanted) = match manner {
        Manner::Refuse(status) => {
            return client.write_all(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n").as_bytes());
        }
        Manner::Lead(port, wanted) => (*port, wanted),
    };
    if wanted.is_some() && *wanted != login {
        let challenge = "HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        return client.write_all(challenge.as_bytes());
    }
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    connections.keep(&client)?;
    connections.keep(&server)?;
    if is_tunnel {
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    } else {
        // As the server itself would be asked, one request a connection.
        let path = target.splitn(4, '/').nth(3).unwrap_or_default();
        let rest = head[1..].iter().filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"));
        let rest: String = rest.map(String::as_str).collect();
        let kept: Vec<u8> = reader.buffer().to_vec();
        reader.consume(kept.len());
        server.write_all(format!("{method} /{path} HTTP/1.1\r\nConnection: close\r\n{rest}").as_bytes())?;
        server.write_all(&kept)?;
    }
    let (mut up, mut down) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        drop(io::copy(&mut server, &mut down));
        drop(down.shutdown(Shutdown::Both));
    });
    drop(io::copy(&mut reader.take(u64::MAX), &mut up));
    drop(up.shutdown(Shutdown::Both));
    drop(back.join());
    Ok(())
}
