//! A small HTTP/1.1 server whose answers, delays and faults a test scripts with one closure.
//! It records every request and counts how many were open at the same time.

use super::PATIENCE;
use openssl::ssl::SslAcceptor;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) at: Instant,
}

impl Request {
    /// The value of a header, its name in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query as it stood on the wire.
    pub(crate) fn raw_query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// One decoded query parameter. A `+` stays a plus: it is decoded as services that sign do it.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.raw_query()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(have, _)| *have == name)
            .map(|(_, value)| percent_decode(value))
    }

    /// The first path segment: the tests give every case its own prefix.
    pub(crate) fn case(&self) -> &str {
        self.path().split('/').nth(1).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a request body is UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("a body is JSON ({error}): {}", self.text()))
    }
}

pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).expect("two hex digits follow a percent sign"));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// What the server does with a request.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    delay: Duration,
}

#[derive(Clone)]
enum Body {
    Whole(Vec<u8>),
    Drip { bytes: Vec<u8>, pieces: usize, pause: Duration },
    Short(Vec<u8>),
    Endless,
    Flood { first: Vec<u8>, again: Vec<u8>, pause: Duration },
    Raw(Vec<u8>),
    Close,
    Hang,
}

impl Reply {
    fn new(status: u16, body: Body) -> Self {
        Self { status, headers: Vec::new(), body, delay: Duration::ZERO }
    }

    /// HTTP 200 with a JSON body.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    /// Any status with a body that is called JSON.
    pub(crate) fn status(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, Body::Whole(body.into().into_bytes())).header("Content-Type", "application/json")
    }

    /// HTTP 200 with a page for people.
    pub(crate) fn html(body: impl Into<String>) -> Self {
        Self::new(200, Body::Whole(body.into().into_bytes())).header("Content-Type", "text/html")
    }

    /// HTTP 200 with bytes that need not be text.
    pub(crate) fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, Body::Whole(body.into())).header("Content-Type", "application/json")
    }

    /// The body in `pieces` with a pause before each.
    pub(crate) fn drip(body: impl Into<String>, pieces: usize, pause: Duration) -> Self {
        let bytes = body.into().into_bytes();
        Self::new(200, Body::Drip { bytes, pieces, pause }).header("Content-Type", "application/json")
    }

    /// Promises more bytes than it sends, then closes.
    pub(crate) fn truncated(body: impl Into<String>) -> Self {
        Self::new(200, Body::Short(body.into().into_bytes())).header("Content-Type", "application/json")
    }

    /// A chunked body of blanks that has no end.
    pub(crate) fn endless() -> Self {
        Self::new(200, Body::Endless).header("Content-Type", "application/json")
    }

    /// The first bytes instead of an HTTP answer, and then the others without an end, with a pause before each.
    pub(crate) fn flood(first: &str, again: &str, pause: Duration) -> Self {
        let many = if pause.is_zero() { 1 + 16_384 / again.len() } else { 1 };
        Self::new(0, Body::Flood { first: first.into(), again: again.repeat(many).into(), pause })
    }

    /// These bytes instead of an HTTP answer, then the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(0, Body::Raw(bytes.into()))
    }

    /// Closes the connection without an answer.
    pub(crate) fn close() -> Self {
        Self::new(0, Body::Close)
    }

    /// No answer at all until the server is dropped.
    pub(crate) fn hang() -> Self {
        Self::new(0, Body::Hang)
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::status(status, "").header("Location", location)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

#[derive(Default)]
struct State {
    stopped: bool,
    requests: Vec<Request>,
    open: usize,
    max_open: usize,
    sockets: Vec<TcpStream>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    handler: Box<Handler>,
    tls: Option<SslAcceptor>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A handler that panics fails its own test; the lock's content stays usable.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A pause that the end of the server cuts short; false when it did.
    fn pause(&self, time: Duration) -> bool {
        let guard = self.state();
        let (guard, _) = self.changed.wait_timeout_while(guard, time, |state| !state.stopped).unwrap();
        !guard.stopped
    }
}

/// Runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Box::new(handler))
    }

    /// The same over HTTPS; see `pki` for the identities.
    pub(crate) fn start_tls(
        identity: SslAcceptor,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::run(Some(identity), Box::new(handler))
    }

    /// Gives the `n`th request the `n`th reply, and the last one to all that follow.
    pub(crate) fn sequence(replies: Vec<Reply>) -> Self {
        let next = Mutex::new(0);
        Self::start(move |_| {
            let mut next = next.lock().unwrap();
            let reply = replies[(*next).min(replies.len() - 1)].clone();
            *next += 1;
            reply
        })
    }

    fn run(tls: Option<SslAcceptor>, handler: Box<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), handler, tls });
        let for_thread = Arc::clone(&shared);
        let listener = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut state = for_thread.state();
                if state.stopped {
                    return;
                }
                state.sockets.push(stream.try_clone().unwrap());
                let for_worker = Arc::clone(&for_thread);
                // What a client that hangs up does to its connection is no error here.
                let worker = thread::spawn(move || drop(serve(&for_worker, stream)));
                state.workers.push(worker);
            }
        });
        Self { address, shared, listener: Some(listener) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Scheme, address and port, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The only request; anything else fails the test.
    pub(crate) fn only_request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "exactly one request: {requests:#?}");
        requests.remove(0)
    }

    pub(crate) fn hits(&self) -> usize {
        self.shared.state().requests.len()
    }

    /// How many requests came with this first path segment.
    pub(crate) fn hits_of(&self, case: &str) -> usize {
        let state = self.shared.state();
        state.requests.iter().filter(|request| request.case() == case).count()
    }

    /// How many requests were waiting for their answer at the same time, at most.
    pub(crate) fn max_open(&self) -> usize {
        self.shared.state().max_open
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for_requests(&self, n: usize) {
        let guard = self.shared.state();
        let (guard, _) =
            self.shared.changed.wait_timeout_while(guard, PATIENCE, |state| state.requests.len() < n).unwrap();
        assert!(guard.requests.len() >= n, "{n} requests come in time");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (sockets, workers) = {
            let mut state = self.shared.state();
            state.stopped = true;
            (std::mem::take(&mut state.sockets), std::mem::take(&mut state.workers))
        };
        self.shared.changed.notify_all();
        for socket in sockets {
            // Fails when the client has already closed it.
            drop(socket.shutdown(Shutdown::Both));
        }
        // Wakes the listener, which then sees `stopped`.
        drop(TcpStream::connect(self.address));
        for thread in workers.into_iter().chain(self.listener.take()) {
            // A panic of a handler has already printed itself.
            drop(thread.join());
        }
    }
}

fn serve(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let handle = stream.try_clone()?;
    let result = match &shared.tls {
        None => converse(shared, stream),
        Some(acceptor) => match acceptor.accept(stream) {
            Ok(stream) => converse(shared, stream),
            Err(error) => Err(io::Error::other(error)),
        },
    };
    // The server keeps a handle of every socket, so dropping this one would close nothing.
    drop(handle.shutdown(Shutdown::Both));
    result
}

fn converse(shared: &Shared, mut stream: impl Read + Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer)? {
        {
            let mut state = shared.state();
            state.requests.push(request.clone());
            state.open += 1;
            state.max_open = state.max_open.max(state.open);
        }
        shared.changed.notify_all();
        let reply = (shared.handler)(&request);
        let alive = shared.pause(reply.delay);
        if matches!(reply.body, Body::Hang) {
            shared.pause(Duration::from_secs(60));
        }
        // Before the answer: a client that has read it may already send the next request.
        shared.state().open -= 1;
        if !alive || !answer(shared, &mut stream, &reply)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes a reply; true when the connection may carry another request.
fn answer(shared: &Shared, stream: &mut impl Write, reply: &Reply) -> io::Result<bool> {
    let head = |length: Option<usize>| {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
        for (name, value) in &reply.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match length {
            Some(length) if reply.status != 204 => head += &format!("Content-Length: {length}\r\n"),
            Some(_) => {}
            None => head += "Transfer-Encoding: chunked\r\n",
        }
        head + "\r\n"
    };
    match &reply.body {
        Body::Close | Body::Hang => return Ok(false),
        Body::Raw(bytes) => {
            stream.write_all(bytes)?;
            stream.flush()?;
            return Ok(false);
        }
        Body::Short(bytes) => {
            stream.write_all(head(Some(bytes.len() + 1000)).as_bytes())?;
            stream.write_all(bytes)?;
            stream.flush()?;
            return Ok(false);
        }
        Body::Whole(bytes) => {
            let mut whole = head(Some(bytes.len())).into_bytes();
            whole.extend_from_slice(bytes);
            stream.write_all(&whole)?;
        }
        Body::Drip { bytes, pieces, pause } => {
            stream.write_all(head(Some(bytes.len())).as_bytes())?;
            for piece in bytes.chunks(bytes.len().div_ceil(*pieces)) {
                stream.flush()?;
                if !shared.pause(*pause) {
                    return Ok(false);
                }
                stream.write_all(piece)?;
            }
        }
        Body::Flood { first, again, pause } => {
            stream.write_all(first)?;
            while pause.is_zero() || shared.pause(*pause) {
                stream.write_all(again)?;
            }
        }
        Body::Endless => {
            stream.write_all(head(None).as_bytes())?;
            let blanks = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
            loop {
                stream.write_all(blanks.as_bytes())?;
            }
        }
    }
    stream.flush()?;
    Ok(true)
}

/// The next request of a connection; none when the client has closed it.
fn read_request(stream: &mut (impl Read + Write), buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        if !fill(stream, buffer)? {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    buffer.drain(..end + 4);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut request = Request {
        method: words.next().unwrap_or_default().into(),
        target: words.next().unwrap_or_default().into(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.into(), value.trim().into()))
            .collect(),
        body: Vec::new(),
        at: Instant::now(),
    };
    if request.header("Expect").is_some() {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.flush()?;
    }
    if request.header("Transfer-Encoding").is_some() {
        loop {
            let line = take_line(stream, buffer)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            let mut chunk = take(stream, buffer, size + 2)?;
            chunk.truncate(size);
            request.body.extend(chunk);
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = request.header("Content-Length") {
        let length = length.parse().map_err(io::Error::other)?;
        request.body = take(stream, buffer, length)?;
    }
    Ok(Some(request))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn fill(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 8192];
    let n = stream.read(&mut piece)?;
    buffer.extend_from_slice(&piece[..n]);
    Ok(n > 0)
}

fn take(stream: &mut impl Read, buffer: &mut Vec<u8>, n: usize) -> io::Result<Vec<u8>> {
    while buffer.len() < n {
        if !fill(stream, buffer)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buffer.drain(..n).collect())
}

fn take_line(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(at) = find(buffer, b"\r\n") {
            let line = take(stream, buffer, at + 2)?;
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        if !fill(stream, buffer)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
