//! What a message may repeat of what the user typed.
//!
//! A secret stands in the wrong field as easily as in the right one, so no message quotes a value by itself: it asks here, and
//! where the answer is no, the place tells enough. Words that only look like words are never secrets of a service.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

use crate::model::text;

/// Longest word that is repeated, in characters.
const LONGEST_WORD: usize = 32;
/// Longest word that is repeated though nothing like it could stand there: a passphrase is longer.
const LONGEST_STRANGER: usize = 8;
/// Of long lists so many words are compared: a large config asks often.
const MOST_COMPARED: usize = 1000;
/// So much longer or shorter than what was meant a slip may be, in characters.
const MOST_SLIPS: usize = 2;
/// Most digits in a word that is repeated.
const MOST_DIGITS: usize = 2;
/// Longest number that is repeated, in characters.
const LONGEST_NUMBER: usize = 7;

/// How well-known keys begin.
const PREFIXES: [&str; 24] = [
    "sk-",
    "sk_",
    "pk-",
    "pk_",
    "rk_",
    "ak-",
    "akia",
    "asia",
    "akid",
    "aktp",
    "ltai",
    "aiza",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xox",
    "eyj",
    "hf_",
    "gsk_",
    "xai-",
    "ya29.",
    "sec",
];

/// A word, if it can be repeated: one that a person would write, as the name of a field or of a service. Several words may be a
/// passphrase, also if hyphens or full stops join them.
pub(crate) fn word(text: &str) -> Option<&str> {
    let is_word_char = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
    let length = text.chars().count();
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    let is_word = (1..=LONGEST_WORD).contains(&length) && text.chars().all(is_word_char) && digits <= MOST_DIGITS;
    let is_passphrase = text.split(['-', '.']).count() > 2 || text.split(['-', '.']).any(is_several_words);
    (is_word && !is_passphrase && !looks_secret(text)).then_some(text)
}

/// Whether a run of letters is longer than words are: `correcthorsebatterystaple`.
fn is_several_words(text: &str) -> bool {
    const LONGEST: usize = 18;
    text.split(|c: char| !c.is_alphabetic()).any(|run| run.is_ascii() && run.len() > LONGEST)
}

/// What stands where only known words can, if it can be repeated: one of them, a slip for one of them or a part of one, or a
/// single short word of letters alone. Everything else may be a secret in the wrong place, however plain its words are.
pub(crate) fn among<'w>(word: &'w str, known: &[&str]) -> Option<&'w str> {
    let length = word.chars().count();
    let is_near = || {
        let like = known.iter().copied().filter(|known| known.len().abs_diff(word.len()) <= MOST_SLIPS * 4);
        let near = text::nearest(word, like.take(MOST_COMPARED));
        near.is_some_and(|near| near.chars().count().abs_diff(length) <= MOST_SLIPS)
    };
    let is_part = || known.iter().take(MOST_COMPARED).any(|known| known.split('_').any(|part| part == word));
    let is_stranger = || length <= LONGEST_STRANGER && word.chars().all(char::is_alphabetic);
    self::word(word).filter(|_| is_stranger() || is_part() || is_near())
}

/// A key of a mapping in back-ticks, or what stands for it.
pub(crate) fn key(text: &str) -> String {
    word(text).map_or_else(|| "a key that is not shown".to_owned(), |word| format!("`{word}`"))
}

/// The name of an entry, if it can be repeated. Names are free, so all but what looks like a secret can.
pub(crate) fn name(text: &str) -> Option<String> {
    (!looks_secret(text)).then(|| text::one_line(text, 60))
}

/// ` 5`, or nothing: a key may be made of digits alone, but not of so few.
pub(crate) fn number(number: impl Display) -> String {
    let text = number.to_string();
    let is_short = text.len() <= LONGEST_NUMBER && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
    if is_short { format!(" {text}") } else { String::new() }
}

/// `, but is 5`, or nothing.
pub(crate) fn but_is(value: impl Display) -> String {
    let text = value.to_string();
    let is_short = !number(&text).is_empty() || word(&text).is_some_and(|word| word.len() <= LONGEST_NUMBER);
    if is_short { format!(", but is {text}") } else { String::new() }
}

/// `: 15.11.2026` in back-ticks, or nothing: what looks like a date is one, if not as it should be written.
pub(crate) fn date(text: &str) -> String {
    let separators = text.bytes().filter(|byte| b".-/".contains(byte)).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if separators == 2 && digits <= 8 && separators + digits == text.len() {
        format!(": `{text}`")
    } else {
        String::new()
    }
}

/// A path in back-ticks, or what stands for it: a key that is given as the name of its file is no path.
pub(crate) fn path(written: &str, full: &Path) -> String {
    let is_hidden = looks_secret(written) || written.contains("://");
    if is_hidden { "the file".to_owned() } else { format!("`{}`", full.display()) }
}

/// Whether what stands in the place of a path looks like a key: it holds a well-known one, or has the looks of one and none of
/// a path, which has folders or an extension.
pub(crate) fn is_key_for_path(text: &str) -> bool {
    const LONGEST_EXTENSION: usize = 5;
    let has_extension = Path::new(text).extension().is_some_and(|extension| extension.len() <= LONGEST_EXTENSION);
    is_known_key(text) || (!text.contains('/') && !has_extension && looks_secret(text))
}

/// The path of a file as it was given. What looks like a key stands as `***`. If it is an address instead, only the scheme and
/// the host are said: in its login, path and query a credential may stand.
pub(crate) fn file(path: &Path) -> String {
    let text = path.display().to_string();
    if is_key_for_path(&text) {
        return "***".to_owned();
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return text;
    };
    let after_login = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = after_login.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}/...")
}

/// Whether a text looks as if it were, or held, a key: by its beginning, or as nobody makes up names.
pub(crate) fn looks_secret(text: &str) -> bool {
    text.split(is_apart).any(is_key)
}

/// A message of somebody else, without what looks like a key in it.
pub(crate) fn scrub(message: &str) -> String {
    let parts = message.split_inclusive(is_apart).map(|part| {
        let end = part.char_indices().next_back().filter(|(_, c)| is_apart(*c)).map_or(part.len(), |(at, _)| at);
        let (word, apart) = part.split_at(end);
        if is_key(word) { format!("***{apart}") } else { part.to_owned() }
    });
    parts.collect()
}

/// Whether a character stands between words.
fn is_apart(c: char) -> bool {
    // Nearly all characters of a config and a report are these.
    if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
        return false;
    }
    c.is_whitespace() || "/:=@,;?&`\"'()[]{}<>|".contains(c)
}

fn is_key(word: &str) -> bool {
    has_prefix(word) || word.split(['-', '_', '.', '+', '~']).any(is_random)
}

/// Whether a text holds what begins as keys of well-known services do, and is as long as these.
pub(crate) fn is_known_key(text: &str) -> bool {
    text.split(is_apart).any(is_known)
}

/// A text without the keys that begin as those of well-known services do; the same text if it has none. `mask` stands for each.
pub(crate) fn without_known_keys<'t>(text: &'t str, mask: &str) -> Cow<'t, str> {
    if !is_known_key(text) {
        return Cow::Borrowed(text);
    }
    // A backslash belongs to what it escapes, as in `\"`.
    let is_apart = |c: char| is_apart(c) || c == '\\';
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(is_apart) {
        let word = part.trim_end_matches(is_apart);
        match is_known(word) {
            true => out.extend([mask, &part[word.len()..]]),
            false => out.push_str(part),
        }
    }
    Cow::Owned(out)
}

/// `asia-southeast1-nightly-2026` begins as a key does, and goes on as none.
fn is_known(part: &str) -> bool {
    const SHORTEST: usize = 20;
    part.len() >= SHORTEST && has_prefix(part) && part.split(['-', '_', '.']).any(|run| is_random(run) || is_mixed(run))
}

/// Whether the id that somebody gives a run looks like a key. Ids are random as well, but in digits and the letters of one case:
/// those of CI jobs, commits, UUIDs and ULIDs.
pub(crate) fn is_key_for_id(id: &str) -> bool {
    is_known_key(id) || id.split(|c: char| !c.is_ascii_alphanumeric()).any(is_mixed)
}

/// Letters of both cases and digits in turns, as in no word and no id.
fn is_mixed(run: &str) -> bool {
    const SHORTEST: usize = 12;
    let turns = run.as_bytes().windows(2).filter(|pair| {
        let kind = |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
        // A capital at the beginning of a word is no turn.
        kind(&pair[0]) != kind(&pair[1]) && !(pair[0].is_ascii_uppercase() && pair[1].is_ascii_lowercase())
    });
    let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
    run.len() >= SHORTEST
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
        && turns.count() >= 5
}

/// Whether a text begins as keys of well-known services do.
pub(crate) fn is_prefixed(text: &str) -> bool {
    has_prefix(text)
}

fn has_prefix(part: &str) -> bool {
    let begins = |prefix: &str| {
        // A prefix of letters alone could begin a word.
        let is_letters = || prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
        part.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
            && (!is_letters() || (part.len() >= 16 && part.bytes().any(|b| b.is_ascii_digit())))
    };
    part.len() >= 6 && PREFIXES.into_iter().any(begins)
}

/// Letters and digits in an order that no person would choose.
fn is_random(run: &str) -> bool {
    let pairs = || run.as_bytes().windows(2);
    // `openrouter2026` goes over from letters to digits once, and a key again and again.
    let changes = pairs().filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let rises = pairs().filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    match run.len() {
        9.. if run.bytes().all(|byte| byte.is_ascii_digit()) => true,
        8..=11 => changes >= 5,
        12..=19 => changes >= 3,
        20.. => changes >= 2 || rises >= 4,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_looks_like_a_key_is_told_from_those_of_schedulers() {
        for id in [
            "sk-proj-Zq7Rt9XvLm2Kc4PwYb8Ns6Hd",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "run-AKIAIOSFODNN7EXAMPLE1".trim_start_matches("run-"),
            "Zq7Rt9XvLm2Kc4Pw",
            "wJalr9XUtnFEMIK7MDENGbPx",
            "nightly.Zq7Rt9XvLm2Kc4Pw",
        ] {
            assert!(is_key_for_id(id), "{id}");
        }
        for id in [
            "550e8400-e29b-41d4-a716-446655440000",
            "550E8400-E29B-41D4-A716-446655440000",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "12345678901-1",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
            "20261130T221241Z-8022e8",
            "asia-southeast1-nightly-2026",
            "security-scan-nightly-2026-1",
            "scheduled__2026-11-30T00:00:00+00:00",
            "balance-alert-29384756-x7k2p",
            "Deploy2026Production1",
            "JobRun42Of2026",
        ] {
            assert!(!is_key_for_id(id), "{id}");
        }
        let key = "sk-proj-Zq7Rt9XvLm2Kc4PwYb8Ns6Hd";
        for (text, want) in [
            (format!("account `{key}` is low"), "account `***` is low"),
            (format!("{key}, {key}\n"), "***, ***\n"),
            (format!(r#"["\"{key}\"\nsk-"]"#), r#"["\"***\"\nsk-"]"#),
            ("asia-southeast1-nightly-2026 (asia)".to_owned(), "asia-southeast1-nightly-2026 (asia)"),
        ] {
            assert_eq!(without_known_keys(&text, "***"), want);
        }
    }

    /// Keys as they are made: none of them is one.
    const SECRETS: [&str; 14] = [
        "sk-proj-abcdefghijklmnop",
        "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "9876543210",
        "-9876543210",
        "AKLTYzg5ZDI4NTFjMTJjNDhk",
        "LTAI5tExampleExample1234",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "550e8400-e29b-41d4-a716-446655440000",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
        "aBcDeFgHiJkLmNoPqRsTuVwX",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "https://gw.example/v1/k3y9d8f7s6a5d4f3",
    ];

    #[test]
    fn what_looks_like_a_key_is_repeated_nowhere() {
        for secret in SECRETS {
            assert_eq!(word(secret), None, "{secret}");
            assert_eq!(name(secret), None, "{secret}");
            assert_eq!(name(&format!("prod {secret}")), None, "{secret}");
            assert_eq!(key(secret), "a key that is not shown");
            assert_eq!((but_is(secret), date(secret)), (String::new(), String::new()), "{secret}");
            assert_eq!(path(secret, Path::new(secret)), "the file", "{secret}");
            let said = scrub(&format!("`{secret}` is not known, as {secret}: it is (\"{secret}\")"));
            assert!(!said.contains(secret) && said.contains(" is not known, as "), "{said}");
        }
    }

    #[test]
    fn of_an_address_in_the_place_of_a_path_only_the_host_is_said() {
        for (path, want) in [
            ("/etc/balance-alert/config.yaml", "/etc/balance-alert/config.yaml"),
            ("https://u:open@h.example/c.yaml", "https://h.example/..."),
            ("https://u:op/en@h.example/c.yaml?k=v", "https://h.example/..."),
            ("https://h.example?key=open", "https://h.example/..."),
        ] {
            assert_eq!(file(Path::new(path)), want);
        }
        assert_eq!(super::path("https://u:open@h/x", Path::new("/etc/x")), "the file");
    }

    #[test]
    fn a_key_in_the_place_of_a_path_is_not_said_and_a_path_is() {
        let key = "sk-proj-Zq7Rt9XvLm2Kc4PwYb8Ns6Hd";
        for text in
            [key.to_owned(), format!("/etc/{key}"), format!("{key}.yaml"), "aBcDeFgHiJkLmNoPqRsTuVwX".to_owned()]
        {
            assert_eq!(file(Path::new(&text)), "***", "{text}");
        }
        for text in
            ["config.yaml", "/tmp/.tmpAb3dE5f/config.yaml", "balance-alert", "/etc/3f2c1a9e77b1/ca.pem", "./a1b2c3.yml"]
        {
            assert_eq!(file(Path::new(text)), text);
        }
    }

    #[test]
    fn what_may_be_a_passphrase_is_no_word() {
        for secret in
            ["correct horse battery", "correct-horse-battery", "correcthorsebatterystaple", "open sesame", "a.b.c"]
        {
            assert_eq!(word(secret), None, "{secret}");
            assert_eq!(key(secret), "a key that is not shown");
        }
        let known = ["threshold", "api_key", "timeout_seconds", "id"];
        for (text, is_shown) in [
            ("treshold", true),
            ("apikey", true),
            ("timeout", true),
            ("foo", true),
            ("correcthorse", false),
            ("correct-horse", false),
            ("horse_battery", false),
            ("api_keycorrecthorse", false),
            ("hunter-2", false),
            ("hunter2", false),
            ("abc123", false),
        ] {
            assert_eq!(among(text, &known).is_some(), is_shown, "{text}");
        }
    }

    #[test]
    fn names_and_words_are_repeated() {
        for text in [
            "treshold",
            "Asia/Shangai",
            "api-key",
            "余额",
            "slack",
            "task-list",
            "balance_refresh_interval_seconds",
            "second",
        ] {
            assert_eq!(word(text), Some(text));
            assert_eq!(name(text).as_deref(), Some(text));
        }
        for text in [
            "OpenRouter 2",
            "security team",
            "prod-openrouter-2026-11-25",
            "openrouter2026",
            "Volcengine (cn-beijing) 3",
            "billing@example.com",
            "OPENROUTER_KEY",
            "v1.2.3",
        ] {
            assert_eq!(name(text).as_deref(), Some(text));
        }
        for text in ["secrets/openrouter.key", "/run/secrets/api_key", "no-such-file", "keys/prod-2026.txt"] {
            assert_eq!(path(text, Path::new(text)), format!("`{text}`"));
        }
        for (value, want) in
            [("31", ", but is 31"), ("-1.5", ", but is -1.5"), ("x", ", but is x"), ("open sesame", "")]
        {
            assert_eq!(but_is(value), want);
        }
        assert_eq!((date("15.11.2026"), date("soon")), (": `15.11.2026`".to_owned(), String::new()));
    }
}
