//! The services that are asked, in a process of their own: HTTP and HTTPS with a private authority, keep-alive, HTTP/1.1.
//!
//! A thread a connection, since there are 50 at the most. What a service does stands in the first part of the path:
//! `/fixed/N` answers after 200 ms, `/now/N` at once, `/mix/N` as [`Manner::of`] says; anything else is a Pushgateway.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::SslAcceptor;

use crate::pki;

/// How long a service takes to answer.
pub(crate) const ANSWER: Duration = Duration::from_millis(200);
const BODY: &str = r#"{"success":true,"data":{"balance":10.5}}"#;
/// TLS needs less than this.
const STACK: usize = 128 * 1024;

/// What a service does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    After(Duration),
    Broken,
    Hangs,
}

impl Manner {
    /// The mix: of 100 accounts one hangs and two fail at once, the others take 20 to 400 ms.
    pub(crate) fn of(account: usize) -> Manner {
        match account % 100 {
            7 => Manner::Hangs,
            33 | 66 => Manner::Broken,
            // The same numbers in every run, and neighbours unlike each other.
            n => Manner::After(Duration::from_millis(20 + (n as u64 * 7919 + account as u64 / 100 * 104_729) % 381)),
        }
    }
}

/// Serves until standard input ends. Prints both ports; the authority's certificate goes to `ca_file`.
pub(crate) fn serve(ca_file: &str) {
    std::fs::write(ca_file, pki::ca_pem()).expect("the certificate is written");
    let plain = listen(None);
    let tls = listen(Some(Arc::new(pki::good())));
    let mut out = std::io::stdout();
    writeln!(out, "{plain} {tls}").and_then(|()| out.flush()).expect("standard output");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn listen(acceptor: Option<Arc<SslAcceptor>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            let _ = stream.set_nodelay(true);
            let worker = move || match acceptor {
                None => answer_all(stream),
                Some(acceptor) => drop(acceptor.accept(stream).map(answer_all)),
            };
            std::thread::Builder::new().stack_size(STACK).spawn(worker).expect("a thread");
        }
    });
    port
}

/// Answers every request on a connection. The client has the next one only after the answer, so nothing is pipelined.
fn answer_all(mut stream: impl Read + Write) {
    let mut buffer = vec![0; 4096];
    loop {
        let mut filled = 0;
        let head = loop {
            if filled == buffer.len() {
                return;
            }
            match stream.read(&mut buffer[filled..]) {
                Ok(0) | Err(_) => return,
                Ok(n) => filled += n,
            }
            if let Some(at) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length: usize =
            text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
        let rest = length.saturating_sub(filled - head) as u64;
        if std::io::copy(&mut Read::by_ref(&mut stream).take(rest), &mut std::io::sink()).is_err() {
            return;
        }
        let mut path = text.split(' ').nth(1).unwrap_or_default().split('/').skip(1);
        let manner = match path.next() {
            Some("fixed") => Manner::After(ANSWER),
            Some("mix") => Manner::of(path.next().and_then(|n| n.parse().ok()).unwrap_or_default()),
            _ => Manner::After(Duration::ZERO),
        };
        let status = match manner {
            Manner::After(Duration::ZERO) => "200 OK",
            Manner::After(time) => {
                std::thread::sleep(time);
                "200 OK"
            }
            Manner::Broken => "503 Service Unavailable",
            Manner::Hangs => {
                // Until the client has had enough.
                let _ = stream.read(&mut buffer);
                return;
            }
        };
        let length = BODY.len();
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{BODY}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
