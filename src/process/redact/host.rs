//! Whether the name of a host that a peer chose may be shown: a peer can write what it was sent into such a name, as a whole, in
//! pieces, or encoded in letters and digits.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::ExposeSecret;

use super::Redactor;
use super::secret_parts::is_suspicious;
use crate::process::quote_input;

/// Hosts whose answer is kept: accounts of one service are mostly sent to one other host.
const MOST_HOSTS: usize = 256;

/// Letters and digits of the shortest piece of a secret, or of one of its encodings, that counts.
const PIECE: usize = 6;

impl Redactor {
    /// Whether a host, with or without its port, holds a secret, a piece of one, or what looks like one.
    pub fn is_telling_host(&self, host: &str) -> bool {
        let count = {
            let secrets = self.lock();
            match secrets.hosts.get(host) {
                Some((count, is_telling)) if *count == secrets.known.len() => return *is_telling,
                _ => secrets.known.len(),
            }
        };
        let is_telling = self.tells(host);
        let mut secrets = self.lock();
        if secrets.hosts.len() < MOST_HOSTS || secrets.hosts.contains_key(host) {
            secrets.hosts.insert(host.to_owned(), (count, is_telling));
        }
        is_telling
    }

    fn tells(&self, host: &str) -> bool {
        if host.split(['.', ':']).any(|label| quote_input::looks_secret(label) || is_suspicious(label))
            || self.mask(host) != host
        {
            return true;
        }
        let bare = bare(host.as_bytes());
        let shown: HashSet<&[u8]> = bare.windows(PIECE).collect();
        let secrets: Vec<_> = self.lock().known.iter().map(|known| known.secret.clone()).collect();
        let tells =
            |secret: &str| forms(secret).iter().any(|form| form.windows(PIECE).any(|piece| shown.contains(piece)));
        secrets.iter().any(|secret| tells(secret.expose_secret()))
    }
}

/// The letters and digits of a text, in small letters: the name of a host has no others that tell anything.
fn bare(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// A secret as it can stand in the name of a host. A piece can be encoded from any byte on.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let letters: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut forms = Vec::new();
    for text in [secret.to_owned(), letters.clone(), letters.to_lowercase(), letters.to_uppercase()] {
        let bytes = text.as_bytes();
        forms.push(bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
        forms.push(bytes.iter().flat_map(|byte| byte.to_string().into_bytes()).collect());
        for from in 0..bytes.len().min(5) {
            forms.push(base32(&bytes[from..], b"abcdefghijklmnopqrstuvwxyz234567"));
            forms.push(base32(&bytes[from..], b"0123456789abcdefghijklmnopqrstuv"));
            forms.push(bare(STANDARD_NO_PAD.encode(&bytes[from..]).as_bytes()));
        }
    }
    let plain = bare(secret.as_bytes());
    forms.push(
        plain.iter().map(|byte| if byte.is_ascii_digit() { *byte } else { (byte - b'a' + 13) % 26 + b'a' }).collect(),
    );
    forms.push(plain);
    let reversed: Vec<Vec<u8>> = forms.iter().map(|form| form.iter().rev().copied().collect()).collect();
    forms.extend(reversed);
    forms
}

/// The base32 form of bytes (RFC 4648), without padding.
fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> Vec<u8> {
    let bits = bytes.len() * 8;
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let digit = |at: usize| (0..5).fold(0, |digit, offset| digit << 1 | bit(at + offset));
    (0..bits).step_by(5).map(|at| alphabet[digit(at)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_holds_a_piece_of_a_secret_in_any_form_is_telling() {
        let secret = "Zk7Qw92LmXv4Tb8NrP1sYd6HgC3jFa5E";
        let redactor = Redactor::default();
        redactor.learn(secret);
        let letters = |form: &[u8]| String::from_utf8_lossy(form).into_owned();
        let small = b"abcdefghijklmnopqrstuvwxyz234567";
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for label in [
            secret.to_owned(),
            secret.to_lowercase(),
            "zk7qw9".to_owned(),
            "a-lmxv-4tb8".to_owned(),
            "zk7q.w92l".to_owned(),
            "x-w29wq7kz".to_owned(),
            letters(&base32(secret.as_bytes(), small)),
            letters(&base32(&secret.as_bytes()[8..16], small)),
            letters(&base32(secret.to_lowercase().as_bytes(), small)),
            hex[10..24].to_owned(),
            "k3y9d8f7s6a5d4f3".to_owned(),
        ] {
            assert!(redactor.is_telling_host(&format!("{label}.evil.example:8080")), "{label}");
        }
        for host in ["other.example", "login.other.example:8443", "127.0.0.1:34567", "api-eu-west-1.other.example"] {
            assert!(!redactor.is_telling_host(host), "{host}");
        }
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        assert_eq!(base32(b"foobar", b"abcdefghijklmnopqrstuvwxyz234567"), b"mzxw6ytboi");
    }
}
