//! What a PostgreSQL server gets to know before it has proved who it is, and what of its words is repeated.

use crate::support::pki;
use crate::support::postgres::{PASSWORD, Postgres};
use crate::support::{PATIENCE, Program, Reply, Server, config, low};
use openssl::ssl::SslAcceptor;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server does.
enum Manner {
    /// Answers that it has no TLS, and asks for the password in clear text.
    Plain,
    /// Talks TLS, as somebody.
    Tls(SslAcceptor),
    /// Has no TLS, and answers the greeting with this error: its code and its words.
    Refuses(&'static str, &'static str),
}

/// A server that is none, or leads to one; it keeps what it is told.
struct Database {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// The question whether there is TLS.
const QUESTION: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl Database {
    fn start(manner: Manner) -> Database {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let heard_by = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                client.set_read_timeout(Some(PATIENCE)).unwrap();
                // A client that hangs up is no error here.
                drop(talk(client, &manner, &heard_by));
            }
        });
        Database { port, heard }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

fn talk(mut client: TcpStream, manner: &Manner, heard: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut question = [0; 8];
    client.read_exact(&mut question)?;
    assert_eq!(question, QUESTION);
    let answers = match manner {
        Manner::Tls(acceptor) => {
            client.write_all(b"S")?;
            let Ok(mut stream) = acceptor.accept(client) else {
                return Ok(());
            };
            return relay(&mut stream, heard);
        }
        // AuthenticationCleartextPassword
        Manner::Plain => vec![b"R\0\0\0\x08\0\0\0\x03".to_vec()],
        Manner::Refuses(code, words) => {
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            vec![[b"E", &length[..], fields.as_bytes()].concat()]
        }
    };
    client.write_all(b"N")?;
    let mut buffer = [0; 4096];
    for answer in answers.into_iter().map(Some).chain([None]) {
        let length = client.read(&mut buffer)?;
        heard.lock().unwrap().extend(&buffer[..length]);
        if let Some(answer) = answer.filter(|_| length > 0) {
            client.write_all(&answer)?;
        }
    }
    Ok(())
}

/// One question and one answer after the other, with the real server: neither side says anything unasked.
fn relay(client: &mut (impl Read + Write), heard: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", Postgres::shared().port()))?;
    let mut buffer = [0; 65_536];
    loop {
        let length = client.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        heard.lock().unwrap().extend(&buffer[..length]);
        server.write_all(&buffer[..length])?;
        // What comes within this time is the answer; an answer that is late comes with the next one.
        server.set_read_timeout(Some(std::time::Duration::from_millis(200)))?;
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            client.write_all(&buffer[..length])?;
            client.flush()?;
            let is_ready = buffer[..length].windows(6).any(|part| part.starts_with(b"Z\0\0\0\x05"));
            if is_ready || buffer[0] == b'R' && length < 100 {
                break;
            }
        }
    }
}

/// A run whose memory is there; what it says on standard error, and whether it was remembered.
fn run(address: &str) -> (String, bool) {
    let hook = Server::start(|_| Reply::ok(""));
    let mut config = config(vec![low("A")]);
    config["webhook"] = json!({"type": "custom", "url": hook.url()});
    config["state"] = json!({ "url": address });
    let run = Program::check_json(&config).trusting().run().expect(2);
    assert_eq!(hook.hits(), 1, "{address}: the alert goes out: {run}");
    let shown = format!("{}{}", run.stdout, run.stderr);
    assert!(!shown.contains("Leak") && !shown.contains(PASSWORD), "{address}: {run}");
    let memory = run.report()["memory"]["status"].clone();
    (run.stderr, memory == "kept")
}

const USER: &str = "balance:pg-Leak%2Bsecret";

#[test]
fn without_tls_nobody_gets_the_password_but_this_machine() {
    // This name means this machine, but it is no address: as one of a host elsewhere.
    for (host, query) in [
        ("127.1", ""),
        ("127.1", "?sslmode=allow"),
        ("127.1", "?sslmode=prefer"),
        ("127.1", "?sslmode=require"),
        ("127.1", "?sslmode=verify-ca"),
        ("127.1", "?sslmode=verify-full"),
        ("127.0.0.1", "?sslmode=require"),
        ("localhost", "?sslmode=verify-full"),
    ] {
        let database = Database::start(Manner::Plain);
        let (said, _) = run(&format!("postgres://{USER}@{host}:{}/d{query}", database.port));
        assert_eq!(database.heard(), "", "{host} {query}: neither user nor password: {said}");
        assert!(said.contains("it offers no TLS, so nothing was sent to it"), "{host} {query}: {said}");
        assert!(said.contains("`?sslmode=disable` in the address goes without"), "{host} {query}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Whoever reads what goes over no wire may read it.
    for host in ["127.0.0.1", "localhost"] {
        let database = Database::start(Manner::Plain);
        run(&format!("postgres://{USER}@{host}:{}/d", database.port));
        assert!(database.heard().contains(PASSWORD), "{host}: {}", database.heard());
    }
}

#[test]
fn with_tls_only_who_proves_his_name_gets_the_password() {
    for (identity, what) in
        [(pki::wrong_host(), "somebody else"), (pki::expired(), "long ago"), (pki::unknown_authority(), "unknown")]
    {
        let database = Database::start(Manner::Tls(identity));
        for query in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full"] {
            let (said, _) = run(&format!("postgres://{USER}@127.0.0.1:{}/d{query}", database.port));
            assert_eq!(database.heard(), "", "{what} {query}: {said}");
            assert!(said.contains("certificate"), "{what} {query}: {said}");
        }
    }
    let database = Database::start(Manner::Tls(pki::good()));
    for query in ["?sslmode=verify-full", "?sslmode=require", ""] {
        let name = Postgres::shared().database("");
        let (said, is_kept) = run(&format!("postgres://{USER}@127.0.0.1:{}/{name}{query}", database.port));
        assert!(is_kept, "{query}: {said}");
    }
    assert!(database.heard().contains("INSERT INTO samples"));
}

#[test]
fn the_words_of_a_server_are_not_repeated() {
    for (code, words, says) in [
        ("28P01", "password pg-Leak+secret is wrong for balance", "it refuses the user (SQLSTATE 28P01)"),
        ("28000", "pg-Leak+secret", "it refuses the user (SQLSTATE 28000)"),
        ("3D000", "pg-Leak+secret", "it has no database of this name (SQLSTATE 3D000)"),
        ("53300", "pg-Leak+secret", "it has too many connections (SQLSTATE 53300)"),
        ("57P03", "pg-Leak+secret", "it is shutting down or starting up (SQLSTATE 57P03)"),
        ("42501", "pg-Leak+secret", "a privilege is missing (SQLSTATE 42501)"),
        ("XX000", "pg-Leak+secret\n\u{1b}[31m", "it reports an error (SQLSTATE XX000)"),
        ("pg-Leak+secret", "pg-Leak+secret", "it reports an error (no SQLSTATE)"),
    ] {
        let database = Database::start(Manner::Refuses(code, words));
        let (said, _) = run(&format!("postgres://{USER}@127.0.0.1:{}/d", database.port));
        assert!(said.contains(says), "{code}: {said}");
        assert_eq!(said.lines().count(), 1, "{code}: {said}");
    }
}
