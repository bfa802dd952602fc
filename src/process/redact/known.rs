//! What is to stay inside, how sure it is that a text is that, and what finds all of it.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

/// What finds the first so many of the known secrets.
#[derive(Default)]
pub(super) struct Finder<F> {
    pub(super) count: usize,
    made: Arc<F>,
}

impl<F: Clone> Finder<F> {
    /// What finds all that is known so far; `add` adds those that are new.
    pub(super) fn of(&mut self, known: &[Known], add: impl FnOnce(&mut F, &[Known])) -> Arc<F> {
        let new = &known[self.count..];
        if !new.is_empty() {
            add(Arc::make_mut(&mut self.made), new);
            self.count = known.len();
        }
        Arc::clone(&self.made)
    }
}

/// What is to stay inside.
pub(super) struct Known {
    pub(super) secret: SecretString,
    /// It may be no secret at all, so nothing but a peer's words is searched for it.
    pub(super) is_suspect: bool,
}

impl Known {
    pub(super) fn strength(&self) -> Strength {
        if self.is_suspect { Strength::Word } else { Strength::of(self.secret.expose_secret()) }
    }
}

/// How sure it is that a text which equals a secret is that secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// It can be nothing else.
    Strong,
    /// It may be a number or a short name as well.
    Weak,
    /// It may be an ordinary word.
    Word,
}

impl Strength {
    pub(super) fn of(secret: &str) -> Strength {
        let length = secret.chars().count();
        // A character of Chinese or Korean says as much as two letters.
        let wide = secret.chars().filter(|c| *c >= '\u{2E80}').count();
        if length + wide >= 16 {
            return Strength::Strong;
        }
        let letters = secret.chars().filter(|c| c.is_alphabetic()).count();
        let digits = secret.chars().filter(char::is_ascii_digit).count();
        let marks = secret.chars().filter(|c| matches!(c, '-' | '_' | '.' | ' ' | ',')).count();
        // `OpenRouter` is a name, `LeakFileSecret` is not.
        let humps = secret.chars().zip(secret.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
        let is_plain = letters + digits + marks == length;
        match () {
            () if length < 4 => Strength::Word,
            () if is_plain && digits == 0 && (length < 8 || humps.count() < 2) => Strength::Word,
            () if length < 8 || (is_plain && letters == 0) => Strength::Weak,
            () => Strength::Strong,
        }
    }
}
