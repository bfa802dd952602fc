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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut out = stream.try_clone().unwrap();
            let _ = out.write_all(&greeting);
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
                match answer(tag, command) {
                    Some(text) if out.write_all(&text).is_ok() => {}
                    Some(_) => break,
                    // The next line never comes, so this waits until the client goes.
                    None => {}
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
