//! Keeps secrets out of every text that leaves the program.
//!
//! Services echo credentials in error pages and HTTP libraries print URLs, so every message that was
//! not written here goes through [`Redactor::clean`] before it is stored.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex_lite::Regex;
use secrecy::{ExposeSecret, SecretString};

use crate::text;

/// Longest message kept, in characters.
const MESSAGE_CHARS: usize = 300;
/// Shorter values are not searched for: replacing them would tear ordinary words apart.
const SHORTEST_SECRET: usize = 4;
const MASK: &str = "***";

/// A JSON Web Token, or the beginning of one: they are made in the run, so nobody could learn them before.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\beyJ[A-Za-z0-9_-]{9,}(\.[A-Za-z0-9_-]*)*").ok());

/// Knows the secrets of this run and removes them from text.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every form in which a secret may be echoed, longest first, so that no rest of a longer one is left.
    forms: BTreeSet<Form>,
}

/// One form of a secret, ordered by falling length.
#[derive(Clone)]
struct Form(SecretString);

impl Form {
    fn key(&self) -> (Reverse<usize>, &str) {
        let text = self.0.expose_secret();
        (Reverse(text.len()), text)
    }
}

impl Ord for Form {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Form {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Form {}

impl Redactor {
    /// Learns one secret in its raw, percent-encoded and JSON-escaped form.
    pub fn learn(&mut self, secret: &str) {
        let secret = secret.trim();
        if secret.len() < SHORTEST_SECRET {
            return;
        }
        let json = serde_json::to_string(secret).unwrap_or_default();
        for form in [
            secret.to_owned(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(secret, text::UNRESERVED).to_string(),
            lower_case_escapes(&utf8_percent_encode(secret, text::UNRESERVED).to_string()),
            json.trim_matches('"').to_owned(),
        ] {
            self.forms.insert(Form(form.into()));
        }
    }

    /// The text without any known secret.
    pub fn mask(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for form in &self.forms {
            if out.contains(form.0.expose_secret()) {
                out = out.replace(form.0.expose_secret(), MASK);
            }
        }
        if let Some(token) = TOKEN.as_ref().filter(|_| out.contains("eyJ")) {
            out = token.replace_all(&out, MASK).into_owned();
        }
        out
    }

    /// A foreign text made fit for a message: secrets masked, on one line, of bounded length.
    pub fn clean(&self, text: &str) -> String {
        text::one_line(&self.mask(text), MESSAGE_CHARS)
    }
}

/// `%2F` as `%2f`, which some services echo.
fn lower_case_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        out.push('%');
        out.push_str(&digits.to_lowercase());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let mut redactor = Redactor::default();
        redactor.learn("sk-a/b+c=\"d");
        redactor.learn("abc");
        for echoed in [
            "key sk-a/b+c=\"d is bad",
            "GET /?key=sk-a%2Fb%2Bc%3D%22d",
            "GET /?key=sk-a%2fb%2bc%3d%22d",
            "GET /?key=sk%2Da%2Fb%2Bc%3D%22d",
            r#"{"key":"sk-a/b+c=\"d"}"#,
        ] {
            let clean = redactor.clean(echoed);
            assert!(clean.contains(MASK), "{clean}");
            assert!(!clean.contains("a/b") && !clean.to_uppercase().contains("A%2FB"), "{clean}");
        }
        assert_eq!(redactor.clean("abc stays, it is too short"), "abc stays, it is too short");
    }

    #[test]
    fn a_token_that_nobody_has_learnt_is_masked() {
        let redactor = Redactor::default();
        let token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl-_";
        assert_eq!(redactor.clean(&format!("(\"Bearer {token}\")")), "(\"Bearer ***\")");
        assert_eq!(redactor.clean(&token[..50]), "***", "cut off by whoever echoes it");
        assert_eq!(redactor.clean("greyJoyJoyJoyJoy and eyJoy stay"), "greyJoyJoyJoyJoy and eyJoy stay");
    }

    #[test]
    fn a_secret_inside_a_longer_one_does_not_leave_a_rest() {
        let mut redactor = Redactor::default();
        redactor.learn("secret");
        redactor.learn("secret-longer");
        assert_eq!(redactor.clean("x secret-longer y"), "x *** y");
    }
}
