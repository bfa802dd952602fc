//! An IMAP server that says what a test wants.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// A server that answers by a script: for each line from the client, the lines to say. `None` is silence for ever.
pub(crate) fn scripted(greeting: &'static str, answer: impl Fn(&str, &str) -> Option<String> + Send + 'static) -> u16 {
    scripted_bytes(greeting.as_bytes().to_vec(), move |tag, command| answer(tag, command).map(String::into_bytes))
}

/// The same in any charset.
pub(crate) fn scripted_bytes(
    greeting: Vec<u8>,
    answer: impl Fn(&str, &str) -> Option<Vec<u8>> + Send + 'static,
) -> u16 {
    scripted_then(greeting, move |tag, command| match answer(tag, command) {
        Some(text) => (text, Then::Listen),
        // The next line never comes, so this waits until the client goes.
        None => (Vec::new(), Then::Listen),
    })
}

/// What a server does after it has answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It waits for the next line.
    Listen,
    /// It closes the connection.
    HangUp,
    /// It says one more byte after the other, each soon, for ten seconds.
    Drip,
}

/// The same, and the server may go on in another way than by listening.
pub(crate) fn scripted_then(greeting: Vec<u8>, answer: impl Fn(&str, &str) -> (Vec<u8>, Then) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut out = stream.try_clone().unwrap();
            let _ = out.write_all(&greeting);
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
                let (text, then) = answer(tag, command);
                if out.write_all(&text).is_err() || then == Then::HangUp {
                    break;
                }
                let mut drops = if then == Then::Drip { 200 } else { 0 };
                while drops > 0 && out.write_all(b"x").is_ok() {
                    drops -= 1;
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            }
        }
    });
    port
}

/// What a sound server says to a command.
pub(crate) fn sound(tag: &str, command: &str) -> String {
    let untagged = match command.split(' ').next().unwrap_or_default() {
        "CAPABILITY" => "* CAPABILITY IMAP4rev1 ID\r\n".to_owned(),
        "EXAMINE" => "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 10] ok\r\n".to_owned(),
        "UID" if command.starts_with("UID SEARCH") => "* SEARCH 9 \r\n".to_owned(),
        "UID" => "* 1 FETCH (UID 9 INTERNALDATE \"01-Jan-2096 00:00:00 +0000\" BODY[]<0> {19}\r\nSubject: hi\r\n\r\nbody)\r\n".to_owned(),
        _ => String::new(),
    };
    format!("{untagged}{tag} OK done\r\n")
}
