//! The gate through which every text leaves the process.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use regex_lite::Regex;

use super::{MASK, Redactor};
use crate::process::quote_input;

/// A JSON Web Token, or the beginning of one: they are made by others, so nobody could learn them before.
pub(super) static TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\beyJ[A-Za-z0-9_-]{9,}(\.[A-Za-z0-9_-]*)*").ok());

/// Who logs in at an address, up to the `@`. Of such an address only the host is needed to know where something fails.
static LOGIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"://[^/?\#\s@"'`<>]*(?:[^\s@"'`<>]*:[^\s@"'`<>]*)?@"#).ok());

/// The secrets that every text of this process must be free of, once they are known.
static KNOWN: RwLock<Option<Arc<Redactor>>> = RwLock::new(None);

/// From now on no text with one of these secrets leaves this process.
pub(crate) fn guard(redactor: &Arc<Redactor>) {
    *KNOWN.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(redactor));
}

/// A text on its way out, without secrets. Everything that is printed, logged, written or sent passes here.
pub(crate) fn shield(text: &str) -> Cow<'_, str> {
    match &*KNOWN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) => redactor.shield(text),
        None => shapes(Cow::Borrowed(text)),
    }
}

/// The same for what a run reports, in whichever format: JSON and the text format of metrics stay what they are.
pub(crate) fn shield_report(text: &str) -> Cow<'_, str> {
    let is_data = text.starts_with(['{', '[']) || text.starts_with("# HELP ");
    match &*KNOWN.read().unwrap_or_else(PoisonError::into_inner) {
        Some(redactor) if is_data => redactor.shield_data(text),
        Some(redactor) => redactor.shield(text),
        None => shapes(Cow::Borrowed(text)),
    }
}

/// Whether a place of a text stands between double quotes.
pub(super) fn is_quoted(text: &str, at: usize) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for byte in text.as_bytes()[..at].iter() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ => {}
        }
    }
    is_quoted
}

/// A text without what is a credential by its form alone, whoever's it is: tokens that others made, logins in addresses.
pub(super) fn shapes(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = match TOKEN.as_ref().filter(|_| text.contains("eyJ")) {
        Some(token) => Cow::Owned(token.replace_all(&text, MASK).into_owned()),
        None => text,
    };
    // Names, ids and labels are the user's own, and a key may have got into one of them.
    let text = match text {
        Cow::Borrowed(text) => quote_input::without_known_keys(text, MASK),
        Cow::Owned(text) => Cow::Owned(quote_input::without_known_keys(&text, MASK).into_owned()),
    };
    // The hints of this program show a login as `<user>:<password>`, which is none.
    match LOGIN.as_ref().filter(|_| text.contains("://") && text.contains('@')) {
        Some(form) => Cow::Owned(form.replace_all(&text, format!("://{MASK}@")).into_owned()),
        None => text,
    }
}
