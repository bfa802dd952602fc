//! What is said of a key or a password, and what may be the key or the password itself, where a single word follows: `the password is
//! incorrect`, `the password is hunter`. No look tells them apart, so the words are listed that services are known to say.

/// What services say of credentials, in one word. What ends as a participle or an adverb does is told by its end.
const SAID: [&str; 86] = [
    "absent",
    "active",
    "again",
    "any",
    "array",
    "bad",
    "basic",
    "bearer",
    "below",
    "blank",
    "both",
    "code",
    "correct",
    "credentials",
    "dead",
    "digest",
    "duplicate",
    "empty",
    "error",
    "failure",
    "false",
    "field",
    "file",
    "forbidden",
    "format",
    "found",
    "gone",
    "header",
    "here",
    "inactive",
    "incomplete",
    "incorrect",
    "insufficient",
    "invalid",
    "key",
    "late",
    "length",
    "long",
    "lost",
    "mandatory",
    "mismatch",
    "name",
    "never",
    "new",
    "none",
    "not",
    "now",
    "null",
    "number",
    "object",
    "obsolete",
    "old",
    "only",
    "parameter",
    "password",
    "permission",
    "personal",
    "present",
    "private",
    "public",
    "query",
    "secret",
    "short",
    "signature",
    "stale",
    "string",
    "temporary",
    "text",
    "there",
    "today",
    "token",
    "tomorrow",
    "true",
    "type",
    "unauthenticated",
    "unknown",
    "unset",
    "url",
    "username",
    "valid",
    "value",
    "void",
    "weak",
    "wrong",
    "yes",
    "yesterday",
];
/// What fields are called, as in `missing key: balance`: a service names the key of an object, and not a key that lets in.
const FIELDS: [&str; 72] = [
    "account",
    "action",
    "address",
    "amount",
    "available",
    "balance",
    "billing",
    "body",
    "budget",
    "choices",
    "content",
    "country",
    "credit",
    "credits",
    "currency",
    "customer",
    "data",
    "date",
    "description",
    "detail",
    "details",
    "email",
    "errors",
    "events",
    "host",
    "input",
    "items",
    "language",
    "limit",
    "message",
    "messages",
    "method",
    "model",
    "option",
    "order",
    "organization",
    "output",
    "page",
    "payload",
    "period",
    "plan",
    "price",
    "project",
    "prompt",
    "quota",
    "region",
    "result",
    "results",
    "status",
    "subject",
    "subscription",
    "summary",
    "tags",
    "target",
    "team",
    "template",
    "tenant",
    "time",
    "timestamp",
    "title",
    "topic",
    "total",
    "unit",
    "units",
    "usage",
    "user",
    "users",
    "values",
    "version",
    "wallet",
    "warning",
    "workspace",
];
/// Ends of such words.
const ENDS: [&str; 6] = ["ed", "ing", "able", "ible", "ly", "less"];
/// What follows a name in a sentence about it.
const VERBS: [&str; 12] = ["is", "was", "has", "had", "does", "did", "can", "cannot", "could", "will", "must", "for"];

/// Whether a single word, which a text begins with, may be a credential: it says nothing of one, and nothing but its end or a
/// sentence about it follows.
pub(super) fn may_be_credential(text: &[u8], word: &[u8]) -> bool {
    const SHORTEST: usize = 3;
    let is_word = word.iter().all(u8::is_ascii_alphabetic);
    is_word && word.len() >= SHORTEST && is_end_of_clause(&text[word.len()..]) && !is_said(word)
}

/// Whether a value that stands behind `api_key:` or the like may be one although it is made of words: several of them, joined as
/// nobody joins what is said of a key.
pub(super) fn may_be_passphrase(value: &[u8]) -> bool {
    const SHORTEST: usize = 8;
    let words = || value.split(|byte| b"-_".contains(byte));
    let is_word = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_alphabetic);
    value.len() >= SHORTEST && words().count() >= 2 && words().all(is_word) && !words().any(is_said)
}

/// Whether a word is one that services say of a credential.
fn is_said(word: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(word).to_ascii_lowercase();
    let is_end = |end: &str| lower.len() >= end.len() + 3 && lower.ends_with(end);
    SAID.contains(&lower.as_str()) || ENDS.into_iter().any(is_end)
}

/// Whether a word is what a field of an answer is called.
pub(super) fn is_field(word: &[u8]) -> bool {
    FIELDS.iter().any(|field| field.as_bytes().eq_ignore_ascii_case(word))
}

fn is_end_of_clause(rest: &[u8]) -> bool {
    let quotes = rest.iter().take_while(|byte| b"\"'`".contains(byte)).count();
    let Some((first, after)) = rest[quotes..].split_first() else { return true };
    if *first != b' ' {
        return !(first.is_ascii_alphanumeric() || b"/\\".contains(first));
    }
    let length = after.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let next = String::from_utf8_lossy(&after[..length]).to_ascii_lowercase();
    VERBS.contains(&next.as_str()) || after.first().is_none_or(|byte| b"(-|".contains(byte))
}
