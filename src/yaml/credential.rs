//! What is wrong with a credential as people paste it, told before a service answers a bare 401. No message shows any of it.
//!
//! What no service could mean is refused, because the entry would fail anyway and for a reason that nobody could see. What a
//! service might mean after all, however odd, is a warning, and so is all that may stand in a password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::model::text;

/// What a credential is for, as far as that decides what it may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use<'a> {
    /// A key of a service, and the texts that a request puts before it, for example `Bearer `.
    Key {
        /// These texts.
        after: &'a [String],
    },
    /// A password or another value that people make up, and that travels in a header of a request.
    Header,
    /// A password or a signing secret, which people make up.
    Password,
    /// The address of a robot, whose holder can post.
    Address,
}

/// Whether a finding ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It cannot be right.
    Wrong,
    /// It hardly is.
    Odd,
}

/// What is wrong, in words that follow the name of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub weight: Weight,
    pub what: String,
    pub hint: Option<&'static str>,
}

/// Looks at a credential; what is worst is said, and nothing if all is well.
pub(crate) fn inspect(secret: &str, purpose: Use) -> Option<Finding> {
    let controls = control_character(secret, purpose);
    if controls.is_some() {
        return controls;
    }
    let checks: [fn(&str, Use) -> Option<Finding>; 5] = [characters, quotes, templates, prefixes, shapes];
    let mut findings: Vec<Finding> = checks.iter().filter_map(|check| check(secret, purpose)).collect();
    if !matches!(purpose, Use::Key { .. }) {
        findings.iter_mut().for_each(|finding| finding.weight = Weight::Odd);
    }
    findings.sort_by_key(|finding| finding.weight == Weight::Odd);
    findings.into_iter().next()
}

fn wrong(what: impl Into<String>, hint: Option<&'static str>) -> Option<Finding> {
    Some(Finding { weight: Weight::Wrong, what: what.into(), hint })
}

fn odd(what: impl Into<String>, hint: Option<&'static str>) -> Option<Finding> {
    Some(Finding { weight: Weight::Odd, what: what.into(), hint })
}

/// A line break, for example of a file with two lines. No header can hold one.
fn control_character(secret: &str, purpose: Use) -> Option<Finding> {
    if secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (at, c) = secret.chars().enumerate().find(|(_, c)| c.is_control())?;
    let kind = match c {
        '\n' | '\r' => "a line break",
        '\t' => "a tab",
        _ => "a control character",
    };
    let what = format!("holds {kind} (character {})", at + 1);
    let hint = Some("it is one line, without control characters");
    if matches!(purpose, Use::Key { .. } | Use::Header) { wrong(what, hint) } else { odd(what, hint) }
}

/// Characters that come with a copy out of a document and that nobody sees.
fn characters(secret: &str, purpose: Use) -> Option<Finding> {
    if secret.is_ascii() {
        return None;
    }
    let copy = Some("copy it again from where it was made, or type it");
    // Among letters of its own alphabet none of them looks like another one's.
    let has_latin = secret.bytes().any(|byte| byte.is_ascii_alphabetic());
    let look = |c: char| strange_character(c).or_else(|| look_alike(c).filter(|_| has_latin));
    let strange = secret.chars().enumerate().find_map(|(at, c)| look(c).map(|name| (at + 1, name)));
    if let Some((at, name)) = strange {
        return wrong(format!("holds {name} (character {at})"), copy);
    }
    let (at, _) = secret.chars().enumerate().find(|(_, c)| !c.is_ascii())?;
    let is_key = matches!(purpose, Use::Key { .. });
    if is_key { odd(format!("holds a character that is no ASCII (character {})", at + 1), copy) } else { None }
}

/// What a character is called, if it is none that a person would type into a credential.
fn strange_character(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{AD}' => "a soft hyphen, which is invisible,",
        '\u{200B}' | '\u{2060}' => "a zero-width space, which is invisible,",
        '\u{200C}' | '\u{200D}' => "a zero-width joiner, which is invisible,",
        '\u{FEFF}' => "a byte order mark, which is invisible,",
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{61C}' => {
            "a mark for the direction of writing, which is invisible,"
        }
        c if text::is_invisible(c) => "an invisible character",
        '\u{A0}' | '\u{202F}' => "a non-breaking space",
        c if c.is_whitespace() && !c.is_ascii() => "a space that is not the ordinary one",
        '‘' | '’' | '‚' | '‛' | '“' | '”' | '„' | '‟' | '′' | '″' | '«' | '»' | '‹' | '›' => {
            "a typographic quotation mark"
        }
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "a typographic dash, where a hyphen may be meant,",
        '…' => "an ellipsis, as web pages shorten keys,",
        '•' | '●' | '∙' | '·' => "a dot, as web pages hide keys,",
        '\u{FF01}'..='\u{FF5E}' => "a full-width character",
        '\u{1D400}'..='\u{1D7FF}' => "a letter of a mathematical alphabet",
        _ => return None,
    })
}

/// What a letter is called that looks like a Latin one.
fn look_alike(c: char) -> Option<&'static str> {
    Some(match c {
        'а' | 'е' | 'о' | 'р' | 'с' | 'у' | 'х' | 'і' | 'ј' | 'ѕ' | 'һ' | 'ԁ' | 'ԛ' | 'ԝ' | 'А' | 'В' | 'Е' | 'К'
        | 'М' | 'Н' | 'О' | 'Р' | 'С' | 'Т' | 'У' | 'Х' | 'І' | 'Ј' | 'Ѕ' => {
            "a Cyrillic letter that looks like a Latin one"
        }
        'α' | 'ο' | 'ρ' | 'ν' | 'Α' | 'Β' | 'Ε' | 'Ζ' | 'Η' | 'Ι' | 'Κ' | 'Μ' | 'Ν' | 'Ο' | 'Ρ' | 'Τ' | 'Υ' | 'Χ' => {
            "a Greek letter that looks like a Latin one"
        }
        _ => return None,
    })
}

/// Quotes that were to stand around it.
fn quotes(secret: &str, _: Use) -> Option<Finding> {
    let quote = |c: Option<char>| c.filter(|c| matches!(c, '"' | '\'' | '`'));
    let (first, last) = (quote(secret.chars().next()), quote(secret.chars().next_back()));
    let hint =
        Some("leave the quotes out: what keeps them, as `docker run --env-file` does, takes them for a part of it");
    match (first, last) {
        (Some(first), Some(last)) if first == last && secret.len() > 1 => {
            wrong("has quotes around it that are a part of it", hint)
        }
        (Some(_), _) => odd("begins with a quote", hint),
        (_, Some(_)) => odd("ends with a quote", hint),
        (None, None) => None,
    }
}

/// References and examples that stand where a credential was to be filled in.
fn templates(secret: &str, purpose: Use) -> Option<Finding> {
    let reference = Some("in the config it is written `${NAME}`; in `.env` and in files nothing is replaced");
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let between = |open: &str, close: &str| secret.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let is_template = secret.contains("{{") && secret.contains("}}")
        || between("{", "}").is_some_and(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b"_. ".contains(&b)));
    if is_template {
        return wrong("is a template that nobody has filled in", None);
    }
    if between("${", "}").is_some() || between("$(", ")").is_some() {
        return wrong("is a reference that nobody has replaced by what it stands for", reference);
    }
    if secret.starts_with("${") && !secret.contains('}') {
        return wrong("is the beginning of a reference to a variable", reference);
    }
    if secret.strip_prefix('$').is_some_and(is_name) || between("%", "%").is_some_and(is_name) {
        return wrong("is the name of a variable and not its value", reference);
    }
    let example = Some("replace it by your own");
    let is_address = matches!(purpose, Use::Address);
    if between("<", ">").is_some() || (is_address && secret.contains('<') && secret.contains('>')) {
        return wrong("stands in angle brackets, as an example does", example);
    }
    let letters = secret.bytes().filter(u8::is_ascii_alphanumeric);
    let words: String = letters.map(|letter| char::from(letter.to_ascii_lowercase())).collect();
    let your = ["apikey", "key", "openaiapikey", "token", "secret", "password"];
    let is_yours = |rest: &str| your.iter().any(|what| rest.starts_with(what));
    let names_yours =
        words.split("your").skip(1).any(is_yours) || (words.starts_with("your") && words.ends_with("key"));
    if names_yours || words.contains("keyhere") {
        return wrong("is an example and not a credential of yours", example);
    }
    let last = secret.rsplit(if is_address { &['/', '='][..] } else { &['-', '_'][..] }).next().unwrap_or_default();
    let is_hidden = |c: char| matches!(c, 'x' | 'X' | '*' | '.');
    if last.len() >= 4 && last.chars().all(is_hidden) || secret.contains("***") {
        return wrong("is an example, or shortened as web pages show keys", example);
    }
    if secret.contains("...") && !is_address {
        return odd("seems to be shortened, as web pages show keys", None);
    }
    let fillers =
        ["changeme", "replaceme", "placeholder", "todo", "null", "none", "undefined", "apikey", "secret", "password"];
    if fillers.contains(&words.as_str()) && matches!(purpose, Use::Key { .. }) {
        return odd("seems to be an example and not a credential of yours", example);
    }
    None
}

/// Words that the request puts before it, or that belong to where it was copied from.
fn prefixes(secret: &str, purpose: Use) -> Option<Finding> {
    let Use::Key { after } = purpose else {
        return None;
    };
    let lower = secret.to_ascii_lowercase();
    for before in after {
        let word = before.trim();
        // `Bearer ` and the like: a word and a blank.
        let begins = !word.is_empty()
            && lower.strip_prefix(&word.to_ascii_lowercase()).is_some_and(|rest| rest.starts_with(' '));
        if begins {
            return wrong(format!("begins with `{word}`, which is sent before it anyway"), Some("leave it out"));
        }
    }
    if lower.starts_with("authorization:") || lower.starts_with("x-api-key:") {
        return wrong("begins with the name of a header", Some("leave out the name and the colon"));
    }
    let name = secret.strip_prefix("export ").unwrap_or(secret);
    if let Some((name, rest)) = name.split_once('=')
        && name.len() >= 3
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && name.contains('_')
        && !rest.trim_matches('=').is_empty()
    {
        return odd("begins with the name of a variable and `=`", Some("leave them out"));
    }
    None
}

/// The form as a whole.
fn shapes(secret: &str, purpose: Use) -> Option<Finding> {
    let Use::Key { after } = purpose else {
        return None;
    };
    if secret.starts_with('{') && secret.contains('"') {
        return odd("is JSON; the key in it is needed alone", None);
    }
    if secret.ends_with("\\n") || secret.ends_with("\\r") {
        return odd("ends with a backslash and a letter where a line break was meant", Some("leave them out"));
    }
    // With its padding, base64 comes in fours.
    let is_base64 = secret.len().is_multiple_of(4);
    let decoded = Some(secret)
        .filter(|_| is_base64)
        .and_then(|secret| STANDARD.decode(secret).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(text) =
        decoded.filter(|text| text.len() >= 4 && text.trim_end().bytes().all(|byte| byte.is_ascii_graphic()))
    {
        if text.ends_with('\n') {
            return odd("is the base64 form of a text with a line break at its end", Some("give the text itself"));
        }
        if text.starts_with("sk-") {
            return odd("is the base64 form of a key", Some("give the key itself"));
        }
    }
    // Where nothing is put before it, a scheme and its blank may be a part of it.
    let is_alone = after.iter().any(|before| !before.trim().is_empty());
    if is_alone && secret.contains([' ', '\t']) { odd("holds a blank", None) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(secret: &str, after: &[&str]) -> Option<(Weight, String)> {
        let after: Vec<String> = after.iter().map(|text| (*text).to_owned()).collect();
        inspect(secret, Use::Key { after: &after }).map(|finding| (finding.weight, finding.what))
    }

    #[test]
    fn what_people_paste_is_named() {
        use Weight::{Odd, Wrong};
        for (secret, weight, says) in [
            ("sk-a\u{200B}bc", Wrong, "a zero-width space, which is invisible, (character 5)"),
            ("sk-a\u{2060}bc", Wrong, "zero-width space"),
            ("sk-a\u{200D}bc", Wrong, "zero-width joiner"),
            ("sk-a\u{AD}bc", Wrong, "soft hyphen"),
            ("\u{FEFF}sk-abc", Wrong, "byte order mark, which is invisible, (character 1)"),
            ("sk-abc\u{202E}", Wrong, "direction of writing"),
            ("sk-abc\u{2066}", Wrong, "direction of writing"),
            ("sk-abc\u{E0041}", Wrong, "invisible"),
            ("sk-a\u{A0}bc", Wrong, "non-breaking space"),
            ("sk-a\u{3000}bc", Wrong, "not the ordinary one"),
            ("“sk-abc”", Wrong, "typographic quotation mark"),
            ("sk-abc’", Wrong, "typographic quotation mark"),
            ("sk–abc", Wrong, "typographic dash"),
            ("sk-abc…xyz", Wrong, "ellipsis"),
            ("sk-••••", Wrong, "a dot, as web pages hide keys"),
            ("ｓk-abc", Wrong, "full-width"),
            ("AKID：secret", Wrong, "full-width"),
            ("sk-аbc", Wrong, "Cyrillic"),
            ("sk-Αbc", Wrong, "Greek"),
            ("sk-𝐚bc", Wrong, "mathematical"),
            ("sk-é", Odd, "no ASCII (character 4)"),
            ("密码", Odd, "no ASCII"),
            ("\"sk-abc\"", Wrong, "quotes around it"),
            ("'sk-abc'", Wrong, "quotes around it"),
            ("`sk-abc`", Wrong, "quotes around it"),
            ("\"sk-abc", Odd, "begins with a quote"),
            ("sk-abc'", Odd, "ends with a quote"),
            ("Bearer sk-abc", Wrong, "begins with `Bearer`"),
            ("bearer sk-abc", Wrong, "begins with `Bearer`"),
            ("Authorization: Bearer sk-abc", Wrong, "name of a header"),
            ("$OPENROUTER_KEY", Wrong, "name of a variable"),
            ("%OPENROUTER_KEY%", Wrong, "name of a variable"),
            ("${OPENROUTER_KEY}", Wrong, "a reference"),
            ("${OPENROUTER_KEY:-x}", Wrong, "a reference"),
            ("${OPENROUTER_KEY", Wrong, "the beginning of a reference"),
            ("$(cat key)", Wrong, "a reference"),
            ("{{api_key}}", Wrong, "a template"),
            ("{{ .Values.apiKey }}", Wrong, "a template"),
            ("{api_key}", Wrong, "a template"),
            ("<your key>", Wrong, "angle brackets"),
            ("YOUR_API_KEY", Wrong, "an example"),
            ("your-openai-api-key", Wrong, "an example"),
            ("sk-your-key-here", Wrong, "an example"),
            ("sk-xxxx", Wrong, "an example"),
            ("sk-XXXXXXXXXXXX", Wrong, "an example"),
            ("****************", Wrong, "an example"),
            ("sk-....", Wrong, "an example"),
            ("sk-ab****89", Wrong, "an example"),
            ("sk-or-v1-au7...890", Odd, "shortened"),
            ("changeme", Odd, "seems to be an example"),
            ("CHANGE_ME", Odd, "seems to be an example"),
            ("OPENROUTER_KEY=sk-abc", Odd, "the name of a variable and `=`"),
            ("export OPENROUTER_KEY=sk-abc", Odd, "the name of a variable and `=`"),
            ("{\"api_key\": \"sk-abc\"}", Odd, "JSON"),
            ("sk-abc\\n", Odd, "a backslash"),
            ("c2stYWJjCg==", Odd, "base64 form of a text with a line break"),
            ("c2stYWJjZA==", Odd, "base64 form of a key"),
            ("sk-abc # mine", Odd, "a blank"),
        ] {
            let got = look(secret, &["Bearer "]);
            let (found, what) = got.unwrap_or_else(|| panic!("{secret:?} is found to be well"));
            assert!(what.contains(says), "{secret:?}: {what}");
            assert_eq!(found, weight, "{secret:?}");
            // No part of it is shown, except the word that is sent anyway.
            assert!(!what.contains("abc") && !what.contains("OPENROUTER"), "{what}");
        }
    }

    #[test]
    fn what_a_service_may_mean_is_not_refused() {
        for secret in [
            "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "sk-proj-A_b-c.d~e",
            "sk-ant-admin01-abc",
            "AKLTYzg5:SecretWith/Slash+Plus==",
            "LTAI5tExample:abc",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
            "ya29.a0AfH6SMB",
            "AIzaSyA1234",
            "SG.abc.def",
            "xoxb-1-2-abc",
            "sk-axxxxb",
            "k-123456",
            "key-1234",
            "a",
            "12345678901234567890",
            "!#$%&'()*+,-./:;<=>?@[\\]^_{|}~",
            "$2a$10$abc",
            "pa$$word",
            "$dollar",
            "a\"b",
            "ABCD=efg",
            "Zm9vYmFyYmF6",
            "user:pass{word}",
        ] {
            assert_eq!(look(secret, &["Bearer "]), None, "{secret}");
        }
        // A page that puts nothing before it leaves the word to the key.
        assert_eq!(look("Bearer sk-abc", &[""]), None);
    }

    #[test]
    fn a_password_is_warned_of_and_never_refused() {
        for (secret, says) in [
            ("ab\u{A0}cd", Some("non-breaking space")),
            ("ab\u{200B}cd", Some("zero-width space")),
            ("\"open sesame\"", Some("quotes around it")),
            ("$EMAIL_PASSWORD", Some("name of a variable")),
            ("{{ password }}", Some("a template")),
            ("abcd efgh ijkl mnop", None),
            ("пароль", None),
            ("pаsswоrd", Some("Cyrillic")),
            ("密码 öffne dich", None),
            ("changeme", None),
            ("Bearer x", None),
        ] {
            let found = inspect(secret, Use::Password);
            assert_eq!(found.as_ref().map(|found| found.weight), says.map(|_| Weight::Odd), "{secret}");
            assert!(found.is_none_or(|found| found.what.contains(says.unwrap_or_default())), "{secret}");
        }
        for (address, is_odd) in [
            ("https://open.feishu.cn/open-apis/bot/v2/hook/0123", false),
            ("https://open.feishu.cn/open-apis/bot/v2/hook/xxxxxxxx", true),
            ("https://oapi.dingtalk.com/robot/send?access_token=xxxx", true),
            ("https://oapi.dingtalk.com/robot/send?access_token=<token>", true),
            ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=YOUR_KEY", true),
            ("https://hooks.example.com/{{token}}", true),
            ("https://hooks.example.com/\u{200B}a", true),
        ] {
            assert_eq!(inspect(address, Use::Address).is_some(), is_odd, "{address}");
        }
    }
}
