//! What of an address, a name or a value lets its holder in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::process::quote_input;

/// The parts of an address that let its holder in.
pub(super) fn tokens(url: &Url) -> Vec<String> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut tokens: Vec<String> = url.password().map(plain).into_iter().collect();
    // Some services take a key for the name of a user, with no password or with any.
    tokens.extend(Some(plain(url.username())).filter(|user| is_suspicious(user) || quote_input::looks_secret(user)));
    for (name, value) in url.query_pairs() {
        if speaks_of_secret(&name) || is_suspicious(&value) {
            tokens.push(value.into_owned());
        }
    }
    // The host is named wherever something fails, so it is no secret.
    let segments = url.path_segments().into_iter().flatten();
    tokens.extend(segments.map(plain).filter(|part| is_suspicious(part)));
    tokens
}

/// Whether the name of a parameter, header or option says that its value lets somebody in.
pub(crate) fn speaks_of_secret(name: &str) -> bool {
    const PARTS: [&str; 14] = [
        "key", "token", "secret", "sign", "sig", "auth", "pass", "pwd", "cred", "cookie", "session", "jwt", "ticket",
        "bearer",
    ];
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    PARTS.iter().any(|part| name.contains(part))
        || words.any(|word| ["sid", "ak", "sk", "pw", "pin", "otp"].contains(&word) || PASSWORDS.contains(&word))
}

/// What a password or a key is called in other languages, as far as the words above are not in it, without accents.
pub(super) const PASSWORDS: [&str; 20] = [
    "contrasena",
    "clave",
    "senha",
    "chave",
    "chiave",
    "parola",
    "kennwort",
    "geheimnis",
    "wachtwoord",
    "losenord",
    "adgangskode",
    "kodeord",
    "salasana",
    "heslo",
    "jelszo",
    "sifre",
    "sandi",
    "lozinka",
    "geslo",
    "parool",
];

/// Whether an address is itself a credential.
pub(crate) fn is_credential(url: &Url) -> bool {
    !tokens(url).is_empty()
}

/// Whether a text is the address of a host and nothing more: hosts are named wherever something fails.
pub(super) fn is_bare_address(text: &str) -> bool {
    let url = Some(text).filter(|text| text.starts_with("http")).and_then(|text| Url::parse(text).ok());
    url.is_some_and(|url| {
        url.path() == "/" && url.query().is_none() && url.password().is_none() && url.username().is_empty()
    })
}

/// Whether a text looks as if it were made by a machine: long, and of letters, capitals and digits in turns. `my-project-123456`
/// does not.
pub(super) fn is_suspicious(text: &str) -> bool {
    let pairs = || text.bytes().zip(text.bytes().skip(1));
    let humps = pairs().filter(|(a, b)| a.is_ascii_lowercase() && b.is_ascii_uppercase()).count();
    let turns = pairs().filter(|(a, b)| {
        (a.is_ascii_digit() && b.is_ascii_alphabetic()) || (a.is_ascii_alphabetic() && b.is_ascii_digit())
    });
    text.len() >= 16 && (humps >= 3 || turns.count() >= 3)
}

/// What a text is the base64 or hexadecimal form of, if that is a printable text of some length. Other bytes are a key by
/// themselves, which nobody repeats decoded.
pub(super) fn decoded(text: &str) -> impl Iterator<Item = String> {
    let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let readings = [STANDARD_NO_PAD.decode(plain).ok(), hex_decoded(text)];
    let texts = readings.into_iter().flatten().filter_map(|bytes| String::from_utf8(bytes).ok());
    texts.filter(|text| text.chars().count() >= 8 && !text.chars().any(char::is_control))
}

fn hex_decoded(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some((char::from(*high).to_digit(16)? << 4 | char::from(*low).to_digit(16)?) as u8),
        _ => None,
    });
    pairs.collect()
}
